//! Value added tax identification numbers.
//!
//! Forms: Council Regulation (EU) No 904/2010 and the Commission's VIES page on the structure of
//! VAT numbers. Algorithms: European Commission, "Algorithms for checking VAT numbers" (TAXUD), and
//! the national sources named at each function.

use super::super::arithmetic::{
    alnum, digits, exactly, iso7064_mod11_10, luhn, mod97, number, weighted_cross_sum,
    weighted_mod, weighted_sum,
};

/// Whether the text is a VAT number of a member state, or of Northern Ireland (XI), Great Britain
/// or Switzerland (CHE), with its country prefix.
pub(super) fn eu_vat(text: &str) -> bool {
    let mut characters = alnum(text);
    let prefix = [characters.next(), characters.next()];
    let mut body = [0u8; BODY_MAX];
    let mut length = 0;
    for character in characters {
        let Some(slot) = body.get_mut(length) else { return false };
        *slot = character;
        length += 1;
    }
    let Some(body) = body.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok()) else {
        return false;
    };
    let [Some(first), Some(second)] = prefix else { return false };
    match &[first, second] {
        b"AT" => austrian(body),
        b"BE" => belgian(body),
        b"BG" => bulgarian(body),
        b"CH" => body.strip_prefix('E').is_some_and(swiss),
        b"CY" => cypriot(body),
        b"CZ" => czech(body),
        b"DE" => german(body),
        b"DK" => plain::<8>(body, |_| national("dk_cvr", body)),
        b"EE" => plain::<9>(body, |n| weighted_mod(n, &[3, 7, 1, 3, 7, 1, 3, 7, 1], 10) == 0),
        b"EL" | b"GR" => greek(body),
        b"ES" => spanish(body),
        b"FI" => plain::<8>(body, |_| national("fi_ytunnus", body)),
        b"FR" => french(body),
        b"GB" | b"XI" => british(body),
        b"HR" => plain::<11>(body, |_| national("hr_oib", body)),
        b"HU" => plain::<8>(body, |_| national("hu_tax_number", body)),
        b"IE" => irish(body),
        b"IT" => national("it_vat_code", body),
        b"LT" => lithuanian(body),
        b"LU" => plain::<8>(body, |n| {
            number(n[..6].iter().copied()) % 89 == number(n[6..].iter().copied())
        }),
        b"LV" => latvian(body),
        b"MT" => maltese(body),
        b"NL" => dutch(body),
        b"PL" => plain::<10>(body, |_| national("pl_nip", body)),
        b"PT" => plain::<9>(body, |_| national("pt_nif", body)),
        b"RO" => romanian(body),
        b"SE" => plain::<12>(body, |n| luhn(n[..10].iter().copied()) && n[10..] != [0, 0]),
        b"SI" => plain::<8>(body, |_| national("si_tax_number", body)),
        b"SK" => plain::<10>(body, |_| national("sk_tax_number", body)),
        _ => false,
    }
}

/// Austrian UID: `ATU` and eight digits (BMF, Konstruktionsregeln der UID).
pub(super) fn at_vat(text: &str) -> bool {
    with_prefix(text, "AT", austrian)
}

/// Belgian enterprise and VAT number: ten digits, modulus 97 (SPF Économie, BCE/KBO).
pub(super) fn be_vat(text: &str) -> bool {
    with_prefix(text, "BE", belgian)
}

/// Swiss UID, `CHE` and nine digits, with or without MWST, TVA or IVA behind it (eCH-0097 § 2.2).
pub(super) fn ch_vat(text: &str) -> bool {
    let number = digits(text);
    exactly::<9>(number).is_some_and(swiss_digits)
}

/// Cypriot number: eight digits and a check letter (TAXUD).
pub(super) fn cy_vat(text: &str) -> bool {
    with_prefix(text, "CY", cypriot)
}

/// Czech DIČ: IČO of a business, birth number of a person, or a special number (TAXUD).
pub(super) fn cz_vat(text: &str) -> bool {
    with_prefix(text, "CZ", czech)
}

/// German USt-IdNr.: `DE` and nine digits, ISO 7064 MOD 11,10 (Bundeszentralamt für Steuern).
pub(super) fn de_vat(text: &str) -> bool {
    with_prefix(text, "DE", german)
}

/// Spanish NIF of a person or a company (Real Decreto 1065/2007, Orden EHA/451/2008).
pub(super) fn es_vat(text: &str) -> bool {
    with_prefix(text, "ES", spanish)
}

/// French number: two characters of key and a SIREN (Direction générale des finances publiques, article 286 ter CGI; SIREN by Luhn).
pub(super) fn fr_vat(text: &str) -> bool {
    with_prefix(text, "FR", french)
}

/// British number: nine or twelve digits, modulus 97 with and without 55 (HMRC, VAT reference
/// numbers; from November 2009 the second).
pub(super) fn gb_vat(text: &str) -> bool {
    with_prefix(text, "GB", british)
}

/// Latvian number of a body or a person: eleven digits (TAXUD).
pub(super) fn lv_vat(text: &str) -> bool {
    with_prefix(text, "LV", latvian)
}

/// Maltese number: eight digits, weights 3, 4, 6, 7, 8, 9, 10, 1, a multiple of 37 (TAXUD).
pub(super) fn mt_vat(text: &str) -> bool {
    with_prefix(text, "MT", maltese)
}

/// Dutch btw-identificatienummer: of companies by the eleven test, of sole traders since 2020 by
/// modulus 97 over the whole (Belastingdienst).
pub(super) fn nl_vat(text: &str) -> bool {
    with_prefix(text, "NL", dutch)
}

/// Runs a check on the letters and digits behind a prefix that may be absent.
fn with_prefix(text: &str, prefix: &str, check: fn(&str) -> bool) -> bool {
    let mut body = [0u8; BODY_MAX + 2];
    let mut length = 0;
    for character in alnum(text) {
        let Some(slot) = body.get_mut(length) else { return false };
        *slot = character;
        length += 1;
    }
    let Some(body) = body.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok()) else {
        return false;
    };
    check(body.strip_prefix(prefix).unwrap_or(body))
}

/// A number that is more than a VAT number has its check elsewhere; this runs it.
fn national(check: &str, text: &str) -> bool {
    super::super::by_name(check).is_some_and(|check| (check.run)(text))
}

/// Runs a check on a body of exactly `N` digits, not all of them alike.
fn plain<const N: usize>(body: &str, check: impl Fn([u8; N]) -> bool) -> bool {
    body.bytes().all(|byte| byte.is_ascii_digit())
        && exactly::<N>(digits(body)).is_some_and(|n| n.iter().any(|d| *d != n[0]) && check(n))
}

fn austrian(body: &str) -> bool {
    let Some(body) = body.strip_prefix('U') else { return false };
    plain::<8>(body, |n| {
        let sum = weighted_cross_sum(n, &[1, 2, 1, 2, 1, 2, 1]);
        (10 - (sum + 4) % 10) % 10 == u32::from(n[7])
    })
}

fn belgian(body: &str) -> bool {
    let check = |n: &[u8]| {
        let (stem, check) =
            (number(n[..n.len() - 2].iter().copied()), number(n[n.len() - 2..].iter().copied()));
        stem != 0 && 97 - stem % 97 == check
    };
    // Numbers before 2005 had nine digits.
    plain::<10>(body, |n| n[0] <= 1 && check(&n)) || plain::<9>(body, |n| check(&n))
}

fn bulgarian(body: &str) -> bool {
    let company = |_: [u8; 9]| national("bg_eik", body);
    let person = |n: [u8; 10]| {
        let check = u32::from(n[9]);
        let other = (11 - weighted_mod(n, &[4, 3, 2, 7, 6, 5, 4, 3, 2], 11)) % 11;
        check == other || national("bg_egn", body) || national("bg_lnch", body)
    };
    plain(body, company) || plain(body, person)
}

fn cypriot(body: &str) -> bool {
    let Some((stem, letter)) = body.split_at_checked(8) else { return false };
    let odd = [1u32, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    let prefix = !stem.starts_with("12")
        && matches!(stem.bytes().next(), Some(b'0' | b'1' | b'3' | b'4' | b'5' | b'6' | b'9'));
    prefix
        && plain::<8>(stem, |n| {
            let sum: u32 = n
                .iter()
                .enumerate()
                .map(|(place, digit)| match place % 2 {
                    0 => odd[usize::from(*digit)],
                    _ => u32::from(*digit),
                })
                .sum();
            letter.bytes().map(u32::from).eq([u32::from(b'A') + sum % 26])
        })
}

fn czech(body: &str) -> bool {
    let company = |n: [u8; 8]| n[0] != 9 && national("cz_ico", body);
    // People without a birth number have nine digits that begin with 6.
    let special = |n: [u8; 9]| {
        let rest = weighted_mod(n[1..8].iter().copied(), &[8, 7, 6, 5, 4, 3, 2], 11);
        // 8 less the complement to 10, which is 10 where the remainder is 0 and wraps at 11.
        n[0] == 6 && u32::from(n[8]) == (18 - (21 - rest) % 11) % 10
    };
    let person = || matches!(body.len(), 9 | 10) && national("cz_birth_number", body);
    plain(body, company) || plain(body, special) || person()
}

fn german(body: &str) -> bool {
    plain::<9>(body, |n| n[0] != 0 && iso7064_mod11_10(n))
}

fn greek(body: &str) -> bool {
    plain::<9>(body, |_| national("gr_afm", body))
}

fn spanish(body: &str) -> bool {
    let check = match body.bytes().next() {
        Some(b'0'..=b'9' | b'K' | b'L' | b'M') => "es_nif",
        Some(b'X' | b'Y' | b'Z') => "es_nie",
        _ => "es_cif",
    };
    body.len() == 9 && national(check, body)
}

fn french(body: &str) -> bool {
    let Some((key, siren)) = body.split_at_checked(2) else { return false };
    let key = key.as_bytes();
    if key.iter().any(|byte| matches!(byte, b'O' | b'I')) {
        return false;
    }
    plain::<9>(siren, |n| {
        // Monaco's numbers begin with 000 and are no SIREN.
        if n[..3] != [0, 0, 0] && !national("fr_siren", siren) {
            return false;
        }
        let siren = number(n);
        if key.iter().all(u8::is_ascii_digit) {
            let value = u64::from(key[0] - b'0') * 10 + u64::from(key[1] - b'0');
            return value == (12 + 3 * (siren % 97)) % 97;
        }
        let place = |byte: u8| KEY_LETTERS.iter().position(|known| *known == byte);
        let (Some(first), Some(second)) = (place(key[0]), place(key[1])) else { return false };
        let check = if key[0].is_ascii_digit() {
            (first * 24 + second).checked_sub(10)
        } else {
            (first * 34 + second).checked_sub(100)
        };
        let Some(check) = check.and_then(|check| u64::try_from(check).ok()) else { return false };
        (siren + 1 + check / 11) % 11 == check % 11
    })
}

fn british(body: &str) -> bool {
    // Government departments and health authorities have three digits below and from 500.
    if let Some((kind @ ("GD" | "HA"), rest)) = body.split_at_checked(2) {
        // Behind 8888 the same three digits have their remainder by 97.
        let number = |text: &str| text.parse::<u32>().ok();
        let department =
            match (rest.len(), rest.strip_prefix("8888").and_then(|long| long.split_at_checked(3)))
            {
                (3, _) => number(rest),
                (9, Some((stem, check))) => {
                    number(stem).filter(|stem| number(check) == Some(stem % 97))
                }
                _ => None,
            };
        return department.is_some_and(|department| (department < 500) == (kind == "GD"));
    }
    let body = match body.len() {
        12 => body.split_at_checked(9).map_or("", |(stem, _)| stem),
        _ => body,
    };
    plain::<9>(body, |n| {
        let sum = weighted_sum(n, &[8, 7, 6, 5, 4, 3, 2, 10, 1]);
        let stem = number(n[..7].iter().copied());
        stem != 0 && (sum.is_multiple_of(97) || (sum + 55).is_multiple_of(97))
    })
}

fn irish(body: &str) -> bool {
    // Old form: digit, letter, five digits, letter; it reads as 0, the five digits, the first digit.
    match body.as_bytes() {
        [first, b'A'..=b'Z' | b'+' | b'*', five @ .., check] if five.len() == 5 => {
            let digits = [b"0".as_slice(), five, &[*first, *check]].concat();
            std::str::from_utf8(&digits).is_ok_and(|digits| national("ie_pps", digits))
        }
        _ => national("ie_pps", body),
    }
}

fn lithuanian(body: &str) -> bool {
    let check = |n: &[u8]| {
        let (last, stem) = n.split_last().unwrap_or((&0, &[]));
        let sum = |shift: u32| -> u32 {
            (0u32..).zip(stem).map(|(i, digit)| (1 + (i + shift) % 9) * u32::from(*digit)).sum()
        };
        let first = sum(0) % 11;
        u32::from(*last) == if first == 10 { sum(2) % 11 % 10 } else { first }
    };
    plain::<9>(body, |n| n[7] == 1 && check(&n)) || plain::<12>(body, |n| n[10] == 1 && check(&n))
}

fn latvian(body: &str) -> bool {
    plain::<11>(body, |n| {
        let sum = weighted_sum(n, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]);
        (n[0] > 3 && sum % 11 == 3) || national("lv_personas_kods", body)
    })
}

fn maltese(body: &str) -> bool {
    plain::<8>(body, |n| weighted_mod(n, &[3, 4, 6, 7, 8, 9, 10, 1], 37) == 0)
}

fn dutch(body: &str) -> bool {
    let bytes = body.as_bytes();
    let (12, Some(b'B')) = (bytes.len(), bytes.get(9)) else { return false };
    let Some(n) = exactly::<9>(digits(body).take(9)) else { return false };
    if !bytes[..9].iter().chain(&bytes[10..]).all(u8::is_ascii_digit) || n == [0; 9] {
        return false;
    }
    let Some((stem, _)) = body.split_at_checked(9) else { return false };
    let company = national("nl_bsn", stem) && bytes[10..] != *b"00";
    company || mod97(b"NL".iter().chain(bytes).copied()) == Some(1)
}

fn romanian(body: &str) -> bool {
    let all_digits = body.bytes().all(|byte| byte.is_ascii_digit());
    all_digits && (national("ro_cui", body) || national("ro_cnp", body))
}

fn swiss(body: &str) -> bool {
    let body = ["MWST", "TVA", "IVA", "TPV"]
        .iter()
        .find_map(|tail| body.strip_suffix(tail))
        .unwrap_or(body);
    plain::<9>(body, swiss_digits)
}

fn swiss_digits(n: [u8; 9]) -> bool {
    let check = (11 - weighted_mod(n, &[5, 4, 3, 2, 7, 6, 5, 4], 11)) % 11;
    n[..8] != [0; 8] && check == u32::from(n[8])
}

/// Longest body: `E` and nine digits and `MWST`.
const BODY_MAX: usize = 16;
/// Without I and O.
const KEY_LETTERS: &[u8; 34] = b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";

#[cfg(test)]
mod tests {
    use super::{at_vat, be_vat, ch_vat, de_vat, es_vat, eu_vat, fr_vat, gb_vat, nl_vat};
    use proptest::prelude::*;

    /// At least one number of every member state, published by its owner or worked by hand.
    #[test]
    fn numbers_with_prefix() {
        for text in [
            "ATU13585627",
            "BE0411905847",
            "BG175074752",
            "CHE-107.787.577 MWST",
            "CY10259033P",
            "CZ25123891",
            "DE136695976",
            "DE 129 273 398",
            "DK13585628",
            "EE100931558",
            "EL094259216",
            "ESA28015865",
            "ES54362315K",
            "FI20774740",
            "FR40303265045",
            "FR83404833048",
            "GB980780684",
            "HR33392005961",
            "HU12892312",
            "IE6433435F",
            "IE6433435OA",
            "IE8D79739I",
            "IT00743110157",
            "LT119511515",
            "LU15027442",
            "LV40003521600",
            "MT11679112",
            "NL004495445B01",
            "NL002455799B11",
            "PL8567346215",
            "PT501964843",
            "RO18547290",
            "SE556188840401",
            "SI50223054",
            "SK2022749619",
        ] {
            assert!(eu_vat(text), "{text}");
        }
    }

    #[test]
    fn numbers_with_a_wrong_check() {
        for text in [
            "ATU13585626",
            "BE0411905848",
            "BG175074753",
            "CHE-107.787.578",
            "CY10259033Z",
            "CZ25123890",
            "DE136695977",
            "DK13585627",
            "EE100931557",
            "EL094259217",
            "ESA28015866",
            "ES54362315Z",
            "FI20774741",
            "FR84404833048",
            "GB802311781",
            "HR33392005962",
            "HU12892313",
            "IE6433435E",
            "IT00743110158",
            "LT119511516",
            "LU15027443",
            "LV40003521601",
            "MT11679113",
            "NL123456789B90",
            "PL8567346216",
            "PT501964842",
            "RO18547291",
            "SE556188840400",
            "SI50223055",
            "SK2022749618",
            "US123456789",
            "DE",
            "DE13669597",
        ] {
            assert!(!eu_vat(text), "{text}");
        }
    }

    #[test]
    fn prefixes_may_be_left_out() {
        for (check, good, bad) in [
            (at_vat as fn(&str) -> bool, "U13585627", "U13585628"),
            (be_vat, "0411.905.847", "0411.905.846"),
            (ch_vat, "CHE-107.787.577", "CHE-107.787.576"),
            (de_vat, "136695976", "036695976"),
            (es_vat, "A28015865", "A28015860"),
            (fr_vat, "40303265045", "40303265046"),
            (gb_vat, "980 7806 84", "980 7806 85"),
            (nl_vat, "NL004495445B01", "004495446B01"),
        ] {
            assert!(check(good), "{good}");
            assert!(!check(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_digit_breaks_a_german_number(place in 2usize..11, change in 1u8..10) {
            let mut vat = *b"DE136695976";
            vat[place] = b'0' + (vat[place] - b'0' + change) % 10;
            prop_assert!(!eu_vat(std::str::from_utf8(&vat).unwrap()));
        }

        #[test]
        fn exactly_one_check_letter_fits_a_spanish_person(stem in 1u32..99_999_999) {
            let fits = ('A'..='Z').filter(|letter| es_vat(&format!("{stem:08}{letter}"))).count();
            // A number whose middle is all zeros is refused as a placeholder.
            prop_assert_eq!(fits, usize::from(!stem.is_multiple_of(10_000_000)));
        }

        #[test]
        fn exactly_one_check_fits_a_belgian_number(stem in 1u32..19_999_999) {
            let fits = (0..100).filter(|check| be_vat(&format!("{stem:08}{check:02}"))).count();
            prop_assert!(fits == 1 || (fits == 0 && stem.is_multiple_of(11_111_111)));
        }
    }
}
