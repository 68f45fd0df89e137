//! Austria.

use crate::validate::arithmetic::{digits, exactly, luhn, number, weighted_mod};
use crate::validate::calendar::is_date_of_any_century;

/// Sozialversicherungsnummer: serial number of three digits (not below 100), check digit, date of
/// birth; weights 3, 7, 9, (check) 5, 8, 4, 2, 1, 6, modulo 11, 10 is never given. Months 13 to 15
/// stand for days whose numbers are used up.
///
/// ASVG § 31 (4) 1; Dachverband der Sozialversicherungsträger, Aufbau der Versicherungsnummer.
pub(super) fn social_security(text: &str) -> bool {
    let Some(vnr) = exactly::<10>(digits(text)) else { return false };
    let value = |range: std::ops::Range<usize>| number(vnr[range].iter().copied());
    let (day, month, year) = (value(4..6), value(6..8), value(8..10));
    let dated = matches!(month, 13..=15) && (1..=31).contains(&day)
        || is_date_of_any_century(year, month, day);
    vnr[0] != 0
        && dated
        && weighted_mod(vnr, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6], 11) == u32::from(vnr[3])
}

/// Abgabenkontonummer: two digits of the tax office, seven of the taxpayer, Luhn.
///
/// Bundesministerium für Finanzen, Prüfziffernberechnung der Steuernummer.
pub(super) fn tax_number(text: &str) -> bool {
    let Some(number) = exactly::<9>(digits(text)) else { return false };
    (number[0], number[1]) != (0, 0) && luhn(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, passing, reject};

    #[test]
    fn insured_persons() {
        check(social_security, &["1237010180", "1237 010180", "1237-010180"]);
        reject(social_security, &["2237010180", "0237010180", "1237320180", "1237011680"]);
        reject(social_security, &["123701018", "12370101801"]);
        // One check digit out of ten, and none where the remainder is 10.
        assert_eq!(passing(social_security, "782?280755"), 1);
        assert_eq!(passing(social_security, "782?281355"), 1, "month 13 is in use");
        assert_eq!(passing(social_security, "782?281655"), 0, "month 16 is not");
        assert_eq!(passing(social_security, "782?300275"), 0, "30 February");
    }

    #[test]
    fn taxpayers() {
        check(tax_number, &["59-119/9013", "591199013", "59 119 9013"]);
        reject(tax_number, &["59-119/9012", "000000000", "59119901", "5911990130"]);
    }
}
