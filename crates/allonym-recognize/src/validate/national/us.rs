//! The United States.

use crate::validate::arithmetic::{alnum, digits, exactly, luhn, number, weighted_mod};

/// Social Security number: area not 000, 666 or 900 to 999, group not 00, serial not 0000, and not
/// one of those printed in advertisements. It has no check digit.
///
/// 20 CFR 422.103; Social Security Administration, POMS RM 10201.035 and RM 10201.030.
pub(super) fn ssn(text: &str) -> bool {
    let Some(ssn) = exactly::<9>(digits(text)) else { return false };
    let value = |range: std::ops::Range<usize>| number(ssn[range].iter().copied());
    !matches!(value(0..3), 0 | 666 | 900..)
        && value(3..5) != 0
        && value(5..9) != 0
        && !matches!(value(0..9), 78_051_120 | 219_099_999)
}

/// Individual Taxpayer Identification Number: 9, and 50 to 65, 70 to 88, 90 to 92 or 94 to 99 at
/// the fourth and fifth place. It has no check digit.
///
/// IRS, IRM 3.21.263.8 (IRS Individual Taxpayer Identification Number).
pub(super) fn itin(text: &str) -> bool {
    let Some(itin) = exactly::<9>(digits(text)) else { return false };
    let group = number(itin[3..5].iter().copied());
    itin[0] == 9 && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// Employer Identification Number: a prefix that the IRS gives out. It has no check digit.
///
/// IRS, How EINs are assigned and valid EIN prefixes.
pub(super) fn ein(text: &str) -> bool {
    let Some(ein) = exactly::<9>(digits(text)) else { return false };
    matches!(
        ein[0] * 10 + ein[1],
        1..=6 | 10..=16 | 20..=27 | 30..=48 | 50..=68 | 71..=77 | 80..=88 | 90..=95 | 98 | 99
    )
}

/// National Provider Identifier: ten digits, the first 1 or 2, Luhn with 80840 before them.
///
/// One digit nine times is a placeholder.
///
/// 45 CFR 162.406; CMS, Requirements for NPI and NPI check digit.
pub(super) fn npi(text: &str) -> bool {
    let Some(npi) = exactly::<10>(digits(text)) else { return false };
    matches!(npi[0], 1 | 2)
        && npi[..9].iter().any(|digit| *digit != npi[0])
        && luhn([8, 0, 8, 4, 0].into_iter().chain(npi))
}

/// DEA registration number: two letters (a 9 may be the second), six digits, check digit: the
/// first, third and fifth digit once, the others twice, modulo 10.
///
/// 21 CFR 1301.13; DEA Diversion Control Division, practitioner's manual.
pub(super) fn dea(text: &str) -> bool {
    let Some(dea) = exactly::<9>(alnum(text)) else { return false };
    let (prefix, body) = dea.split_at(2);
    if !body.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let body: Vec<u8> = body.iter().map(|c| c - b'0').collect();
    b"ABCDEFGHJKLMPRSTUX".contains(&prefix[0])
        && (prefix[1].is_ascii_uppercase() || prefix[1] == b'9')
        && number(body.iter().copied()) != 0
        && weighted_mod(body.iter().copied(), &[1, 2, 1, 2, 1, 2], 10) == u32::from(body[6])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn social_security() {
        check(ssn, &["078-05-1121", "536 90 4399", "123456789"]);
        reject(ssn, &["000-12-3456", "666-12-3456", "900-12-3456", "987-65-4321"]);
        reject(ssn, &["123-00-4567", "123-45-0000", "078-05-1120", "219-09-9999", "12345678"]);
    }

    #[test]
    fn individual_taxpayers() {
        check(itin, &["911-70-1234", "912903456", "911-53-1234", "999-99-9999"]);
        reject(itin, &["911-89-1234", "911-93-1234", "911-49-1234", "811-70-1234", "91170123"]);
    }

    #[test]
    fn employers() {
        check(ein, &["91-1144442", "04-2103594", "98-0123456"]);
        reject(ein, &["07-1144442", "00-1234567", "69-1234567", "97-1234567", "91-114444"]);
    }

    #[test]
    fn providers() {
        check(npi, &["1234567893", "1234-567-893", "1245319599"]);
        reject(npi, &["1234567890", "0234567893", "9234567893", "1111111112", "123456789"]);
    }

    #[test]
    fn prescribers() {
        check(dea, &["AB1234563", "bj6125341", "F91234563"]);
        reject(dea, &["AB1234564", "QB1234563", "AB0000000", "A11234563", "AB123456"]);
    }
}
