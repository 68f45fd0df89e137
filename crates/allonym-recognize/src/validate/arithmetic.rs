//! The arithmetic check digits share: one implementation of each published algorithm.
//!
//! Digits are values 0 to 9, characters are upper-case ASCII; [`digits`] and [`alnum`] read them
//! out of a matched text and skip its separators. No function here knows a country.

/// Values of the ASCII digits of `text`, in order; everything else is skipped.
pub(super) fn digits(text: &str) -> impl DoubleEndedIterator<Item = u8> + Clone + '_ {
    text.bytes().filter(u8::is_ascii_digit).map(|byte| byte - b'0')
}

/// ASCII letters (upper-cased) and digits of `text`, in order; everything else is skipped.
pub(super) fn alnum(text: &str) -> impl DoubleEndedIterator<Item = u8> + Clone + '_ {
    text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_uppercase())
}

/// The items as an array, where there are exactly `N`.
pub(super) fn exactly<const N: usize>(mut items: impl Iterator<Item = u8>) -> Option<[u8; N]> {
    let mut array = [0; N];
    for slot in &mut array {
        *slot = items.next()?;
    }
    items.next().is_none().then_some(array)
}

/// Value of a digit (0 to 9) or an upper-case letter (A = 10 to Z = 35), as ISO 7064, ISO 13616
/// and ICAO Doc 9303 count them.
pub(super) fn value36(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'A'..=b'Z' => Some(character - b'A' + 10),
        _ => None,
    }
}

/// The digits read as one decimal number; at most 19 digits.
pub(super) fn number(digits: impl IntoIterator<Item = u8>) -> u64 {
    digits.into_iter().take(19).fold(0, |number, digit| number * 10 + u64::from(digit))
}

/// [`number`] of a slice.
pub(super) fn value(digits: &[u8]) -> u64 {
    number(digits.iter().copied())
}

/// Sum of the digits times their weights; the shorter of both ends it.
pub(super) fn weighted_sum(digits: impl IntoIterator<Item = u8>, weights: &[u32]) -> u32 {
    digits.into_iter().zip(weights).map(|(digit, weight)| u32::from(digit) * weight).sum()
}

/// [`weighted_sum`] modulo `modulus`.
pub(super) fn weighted_mod(
    digits: impl IntoIterator<Item = u8>,
    weights: &[u32],
    modulus: u32,
) -> u32 {
    weighted_sum(digits, weights) % modulus
}

/// Sum of the digits of each digit times its weight (weights up to 11).
pub(super) fn weighted_cross_sum(digits: impl IntoIterator<Item = u8>, weights: &[u32]) -> u32 {
    let products = digits.into_iter().zip(weights).map(|(digit, weight)| u32::from(digit) * weight);
    products.map(|product| product / 10 + product % 10).sum()
}

/// Whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1, annex B).
///
/// Finds every wrong digit, and every swap of neighbours but 09 and 90.
pub(super) fn luhn(digits: impl IntoIterator<Item = u8, IntoIter: DoubleEndedIterator>) -> bool {
    let sum: u32 = digits
        .into_iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Remainder by 97 of the number the characters spell, letters as two digits (A = 10 to Z = 35):
/// the pure system of ISO/IEC 7064 MOD 97-10, valid where it is 1.
///
/// `None` for a character that is neither a digit nor an upper-case letter.
pub(super) fn mod97(characters: impl IntoIterator<Item = u8>) -> Option<u32> {
    characters.into_iter().try_fold(0, |remainder: u32, character| {
        let value = u32::from(value36(character)?);
        Some(if value < 10 { remainder * 10 + value } else { remainder * 100 + value } % 97)
    })
}

/// ISO/IEC 7064 hybrid system MOD 11,10 over digits, the last of which is the check digit.
pub(super) fn iso7064_mod11_10(digits: impl IntoIterator<Item = u8>) -> bool {
    iso7064_hybrid(digits, 10)
}

/// ISO/IEC 7064 hybrid system MOD 37,36 over digits and letters, the last of which is the check
/// character.
pub(super) fn iso7064_mod37_36(characters: impl IntoIterator<Item = u8>) -> bool {
    let values: Option<Vec<u8>> = characters.into_iter().map(value36).collect();
    values.is_some_and(|values| iso7064_hybrid(values, 36))
}

/// ISO/IEC 7064 pure system MOD 11-2 over digits; the last may be `X`, which counts 10.
pub(super) fn iso7064_mod11_2(characters: impl IntoIterator<Item = u8>) -> bool {
    iso7064_pure2(characters, 11, b'X')
}

/// ISO/IEC 7064 pure system MOD 37-2 over digits and letters; the last may be `*`, which counts 36.
pub(super) fn iso7064_mod37_2(characters: impl IntoIterator<Item = u8>) -> bool {
    iso7064_pure2(characters, 37, b'*')
}

/// Whether the last digit is the Verhoeff check digit of the others: J. Verhoeff, Error Detecting
/// Decimal Codes, Mathematical Centre Tracts 29, 1969.
///
/// Finds every wrong digit and every swap of neighbours.
pub(super) fn verhoeff(
    digits: impl IntoIterator<Item = u8, IntoIter: DoubleEndedIterator>,
) -> bool {
    let check = digits.into_iter().rev().enumerate().fold(0, |check, (place, digit)| {
        let permuted = (0..place % 8).fold(digit, |digit, _| VERHOEFF_STEP[usize::from(digit)]);
        dihedral5(check, permuted)
    });
    check == 0
}

/// ISO/IEC 7064 hybrid system MOD M+1,M over values below M.
fn iso7064_hybrid(values: impl IntoIterator<Item = u8>, modulus: u32) -> bool {
    let mut values = values.into_iter().map(u32::from).peekable();
    let mut product = modulus;
    while let Some(value) = values.next() {
        let sum = (product + value) % modulus;
        if values.peek().is_none() {
            return sum == 1;
        }
        product = if sum == 0 { modulus } else { sum } * 2 % (modulus + 1);
    }
    false
}

/// ISO/IEC 7064 pure system with radix 2; `last` stands for modulus - 1, at the end only.
fn iso7064_pure2(characters: impl IntoIterator<Item = u8>, modulus: u32, last: u8) -> bool {
    let mut characters = characters.into_iter().peekable();
    let mut remainder = 0;
    while let Some(character) = characters.next() {
        let is_last = characters.peek().is_none();
        let value = match value36(character).map(u32::from) {
            _ if character == last && is_last => modulus - 1,
            Some(value) if value < modulus - 1 => value,
            _ => return false,
        };
        if is_last {
            return (remainder + value) % modulus == 1;
        }
        remainder = (remainder + value) * 2 % modulus;
    }
    false
}

/// Composition in the dihedral group of the pentagon: 0 to 4 turn it, 5 to 9 flip it.
fn dihedral5(left: u8, right: u8) -> u8 {
    match (left < 5, right < 5) {
        (true, true) => (left + right) % 5,
        (true, false) => 5 + (left + right - 5) % 5,
        (false, true) => 5 + (left - right) % 5,
        (false, false) => (left + 5 - right) % 5,
    }
}

/// Verhoeff's permutation, applied once more at each place.
const VERHOEFF_STEP: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn separators_are_skipped() {
        assert_eq!(digits("12-3/4 5.6").collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
        assert_eq!(alnum("aB-1 é2").collect::<Vec<_>>(), *b"AB12");
        assert_eq!(digits("٣").count(), 0, "other scripts' digits are not ASCII digits");
    }

    #[test]
    fn exactly_takes_neither_more_nor_fewer() {
        assert_eq!(exactly::<3>(digits("123")), Some([1, 2, 3]));
        assert_eq!(exactly::<3>(digits("12")), None);
        assert_eq!(exactly::<3>(digits("1234")), None);
    }

    #[test]
    fn luhn_knows_published_numbers() {
        for valid in ["79927398713", "4111111111111111", "49015420323751 8", "18"] {
            assert!(luhn(digits(valid)), "{valid}");
        }
        for invalid in ["79927398710", "4111111111111112", "490154203237517", "81"] {
            assert!(!luhn(digits(invalid)), "{invalid}");
        }
    }

    #[test]
    fn luhn_misses_only_one_swap() {
        assert!(luhn(digits("091")) && luhn(digits("901")));
    }

    #[test]
    fn mod97_reads_letters_as_two_digits() {
        // The example of ISO/IEC 7064 (794) and an IBAN of the SWIFT registry, rearranged.
        assert_eq!(mod97(*b"79444"), Some(1));
        assert_eq!(mod97(*b"370400440532013000DE89"), Some(1));
        assert_eq!(mod97(*b"79445"), Some(2));
        assert_eq!(mod97(*b"370400440532013001DE89"), Some(28));
        assert_eq!(mod97(*b"79-44"), None);
    }

    #[test]
    fn iso7064_knows_the_examples_of_the_standard() {
        assert!(iso7064_mod11_10(digits("07945")));
        assert!(!iso7064_mod11_10(digits("07946")));
        assert!(!iso7064_mod11_10(digits("70945")));
        assert!(iso7064_mod11_2(*b"07940"));
        assert!(iso7064_mod11_2(*b"079X"));
        assert!(!iso7064_mod11_2(*b"0791"));
        assert!(!iso7064_mod11_2(*b"07X9"), "X only stands at the end");
        assert!(iso7064_mod37_36(*b"A12425GABC1234002M"));
        assert!(!iso7064_mod37_36(*b"A12425GABC1234002N"));
        assert!(!iso7064_mod37_36(*b"A12425GABC1234-02M"));
        assert!(iso7064_mod37_2(*b"A999914123456N"));
        assert!(!iso7064_mod37_2(*b"A999914123456P"));
        assert!(!iso7064_mod37_2(*b"A999914*23456N"));
    }

    #[test]
    fn nothing_passes_a_check_of_no_digits() {
        assert!(!iso7064_mod11_10([]));
        assert!(!iso7064_mod37_36([]));
        assert!(!iso7064_mod11_2([]));
        assert!(!iso7064_mod37_2([]));
    }

    #[test]
    fn verhoeff_knows_published_numbers() {
        for valid in ["2363", "123451", "84736430954837284567892"] {
            assert!(verhoeff(digits(valid)), "{valid}");
        }
        for invalid in ["2364", "123452", "84736430954837284567893", "3263"] {
            assert!(!verhoeff(digits(invalid)), "{invalid}");
        }
    }

    proptest! {
        /// Every algorithm here finds every single wrong digit.
        #[test]
        fn one_wrong_digit_is_always_found(
            body in prop::collection::vec(0u8..10, 3..18),
            place in any::<prop::sample::Index>(),
            shift in 1u8..10,
        ) {
            let passes: [fn(&[u8]) -> bool; 4] = [
                |number| luhn(number.iter().copied()),
                |number| iso7064_mod11_10(number.iter().copied()),
                |number| verhoeff(number.iter().copied()),
                |number| iso7064_mod37_36(number.iter().map(|digit| digit + b'0')),
            ];
            for pass in passes {
                let mut number = body.clone();
                number.push(0);
                let last = number.len() - 1;
                let check = (0..10).find(|check| {
                    number[last] = *check;
                    pass(&number)
                });
                // MOD 37,36 may need a letter: no number to spoil then.
                if let Some(check) = check {
                    number[last] = check;
                    let place = place.index(number.len());
                    number[place] = (number[place] + shift) % 10;
                    prop_assert!(!pass(&number));
                }
            }
        }

        #[test]
        fn mod97_and_pure_systems_find_one_wrong_digit(
            body in prop::collection::vec(0u8..10, 3..18),
            place in any::<prop::sample::Index>(),
            shift in 1u8..10,
        ) {
            let place = place.index(body.len());
            let mut other = body.clone();
            other[place] = (other[place] + shift) % 10;
            let ascii = |number: &[u8]| number.iter().map(|digit| digit + b'0').collect::<Vec<_>>();
            prop_assert_ne!(mod97(ascii(&body)), mod97(ascii(&other)));
            let passes: [fn(Vec<u8>) -> bool; 2] = [iso7064_mod11_2, iso7064_mod37_2];
            for pass in passes {
                let check = (b'0'..=b'9').chain(b'A'..=b'Z').chain([b'*']).find(|check| {
                    pass([ascii(&body), vec![*check]].concat())
                });
                let check = check.expect("every number has a check character");
                prop_assert!(!pass([ascii(&other), vec![check]].concat()));
            }
        }

        #[test]
        fn verhoeff_finds_swapped_neighbours(
            body in prop::collection::vec(0u8..10, 3..18),
            place in any::<prop::sample::Index>(),
        ) {
            let mut number = body;
            number.push(0);
            let last = number.len() - 1;
            let check = (0..10).find(|check| {
                number[last] = *check;
                verhoeff(number.iter().copied())
            });
            number[last] = check.expect("every number has a check digit");
            let place = place.index(last);
            prop_assume!(number[place] != number[place + 1]);
            number.swap(place, place + 1);
            prop_assert!(!verhoeff(number.iter().copied()));
        }
    }
}
