//! Africa.

use crate::validate::arithmetic::{
    alnum, digits, exactly, luhn, mod97, value, value36, verhoeff, weighted_mod, weighted_sum,
};
use crate::validate::calendar::is_date_of_any_century;

/// TIN of Ghana: P, C, G, Q or V, 00, seven digits, and the remainder by 11 under weights 1 to 9
/// (10 is X).
///
/// Ghana Revenue Authority, Taxpayer Identification Numbering System Act 2002 (Act 632).
pub(super) fn gh_tin(text: &str) -> bool {
    let Some(c) = exactly::<11>(alnum(text)) else { return false };
    if !matches!(c[0], b'P' | b'C' | b'G' | b'Q' | b'V') || !c[1..10].iter().all(u8::is_ascii_digit)
    {
        return false;
    }
    let remainder =
        weighted_mod(c[1..10].iter().map(|c| c - b'0'), &[1, 2, 3, 4, 5, 6, 7, 8, 9], 11);
    c[1..3] == *b"00"
        && b"0123456789X".iter().zip(0..).any(|(c_, at)| *c_ == c[10] && at == remainder)
}

/// NIF of Guinea: nine digits, Luhn.
///
/// Direction nationale des impôts, numéro d'identification fiscale permanent.
pub(super) fn gn_nif(text: &str) -> bool {
    exactly::<9>(digits(text)).is_some_and(|n| value(&n) != 0 && luhn(n))
}

/// ICE of a Moroccan business: fifteen digits, ISO 7064 MOD 97-10 without the 1: a multiple of 97.
///
/// Décret n° 2-11-63 du 20 mai 2011; OMPIC.
pub(super) fn ma_ice(text: &str) -> bool {
    let all: Vec<u8> = alnum(text).collect();
    all.len() == 15
        && all.iter().all(u8::is_ascii_digit)
        && all.iter().any(|c| *c != b'0')
        && mod97(all) == Some(0)
}

/// National identity number of Mauritius: first letter of the surname, date of birth, six digits,
/// and 17 less the remainder by 17 under weights 14 to 2, in base 36.
///
/// National Identity Card Act 1985; Mauritius, Civil Status Division.
pub(super) fn mu_nid(text: &str) -> bool {
    let Some(c) = exactly::<14>(alnum(text)) else { return false };
    if !c[0].is_ascii_uppercase() || !c[1..13].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let values: Vec<u8> = c.iter().filter_map(|c| value36(*c)).collect();
    let sum =
        weighted_sum(values[..13].iter().copied(), &[14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    is_date_of_any_century(value(&values[5..7]), value(&values[3..5]), value(&values[1..3]))
        && (17 - sum % 17) % 17 == u32::from(values[13])
}

/// NUIT of Mozambique: eight digits under weights 8, 9, 4, 5, 6, 7, 8, 9, and their remainder by 11
/// (10 is 1).
///
/// Autoridade Tributária de Moçambique; Decreto n.º 28/2012.
pub(super) fn mz_nuit(text: &str) -> bool {
    exactly::<9>(digits(text)).is_some_and(|n| {
        let remainder = weighted_mod(n, &[8, 9, 4, 5, 6, 7, 8, 9], 11);
        value(&n) != 0 && u32::from(n[8]) == if remainder == 10 { 1 } else { remainder }
    })
}

/// NIN of Nigeria: eleven digits, Verhoeff.
///
/// National Identity Management Commission Act 2007.
pub(super) fn ng_nin(text: &str) -> bool {
    exactly::<11>(digits(text))
        .is_some_and(|n| !n.iter().all(|digit| *digit == n[0]) && verhoeff(n))
}

/// NINEA of Senegal: seven or nine digits, weights 1 and 2 in turn, a multiple of 10, and perhaps the
/// tax regime (0, 1, 2), office (a letter) and legal form (a digit).
///
/// Décret n° 2012-886; ANSD.
pub(super) fn sn_ninea(text: &str) -> bool {
    let c: Vec<u8> = alnum(text).collect();
    let n_digits = c.iter().take_while(|c| c.is_ascii_digit()).count();
    let (number, regime) = match (c.len(), n_digits) {
        (7 | 9, _) if n_digits == c.len() => (&c[..], None),
        (10 | 12, 8 | 10) if n_digits == c.len() - 2 => {
            (&c[..n_digits - 1], Some((c[n_digits - 1], c[n_digits], c[n_digits + 1])))
        }
        _ => return false,
    };
    let is_regime = regime.is_none_or(|(kind, office, form)| {
        matches!(kind, b'0'..=b'2')
            && office.is_ascii_uppercase()
            && !matches!(office, b'I' | b'O')
            && form.is_ascii_digit()
    });
    let n: Vec<u8> = number.iter().map(|c| c - b'0').collect();
    is_regime && value(&n) != 0 && weighted_mod(n, &[1, 2, 1, 2, 1, 2, 1, 2, 1], 10) == 0
}

/// Identity number of South Africa: date of birth, four digits, citizen, resident or refugee (0 to
/// 2), a digit, Luhn.
///
/// Identification Act 68 of 1997; Department of Home Affairs.
pub(super) fn za_id(text: &str) -> bool {
    exactly::<13>(digits(text)).is_some_and(|n| {
        is_date_of_any_century(value(&n[..2]), value(&n[2..4]), value(&n[4..6]))
            && n[10] <= 2
            && luhn(n)
    })
}

/// Tax reference number of South Africa: ten digits, the first 0 to 3 or 9, Luhn.
///
/// South African Revenue Service, Modulus 10 test of tax reference numbers.
pub(super) fn za_tax(text: &str) -> bool {
    exactly::<10>(digits(text))
        .is_some_and(|n| matches!(n[0], 0..=3 | 9) && value(&n) != 0 && luhn(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn west() {
        check(gh_tin, &["C0000803561"]);
        reject(gh_tin, &["C0000803562", "X0000803561"]);
        check(gn_nif, &["693-770-885"]);
        reject(gn_nif, &["693-770-886", "000000000"]);
        check(sn_ninea, &["3067221", "30672212G2", "004343430"]);
        reject(sn_ninea, &["3067222", "12345670AZ", "12345670I0"]);
        reject(ng_nin, &["12345678901", "1234567890", "11111111111"]);
    }

    #[test]
    fn north_and_south() {
        check(ma_ice, &["001561191000066"]);
        reject(ma_ice, &["001561191000065", "000000000000000"]);
        check(za_id, &["7503305044089", "8001015000086"]);
        reject(za_id, &["8503305044089", "8001015009176", "7513305044089"]);
        check(za_tax, &["0001339050"]);
        reject(za_tax, &["2449/494/16/0", "5001339050"]);
    }

    #[test]
    fn east() {
        check(mu_nid, &["A2103451905713", "B120106274060E"]);
        reject(mu_nid, &["A3112991234565", "A999999123456F"]);
        check(mz_nuit, &["400339910"]);
        reject(mz_nuit, &["101935626", "000000000"]);
    }
}
