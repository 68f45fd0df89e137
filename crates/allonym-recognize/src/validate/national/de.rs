//! Germany.

use crate::validate::arithmetic::{
    alnum, digits, exactly, iso7064_mod11_10, mod97, number, value36, weighted_cross_sum,
    weighted_mod,
};
use crate::validate::calendar::is_date_of_any_century;

/// Steuer-Identifikationsnummer: eleven digits, the first not 0, ISO/IEC 7064 MOD 11,10. Of the
/// first ten digits exactly one stands twice or three times, never three times in a row.
///
/// Abgabenordnung § 139b; Bundeszentralamt für Steuern and ELSTER, Prüfung der Steuer- und
/// Steueridentifikationsnummer (rule of three since 2016).
pub(super) fn idnr(text: &str) -> bool {
    let Some(number) = exactly::<11>(digits(text)) else { return false };
    number[0] != 0 && has_idnr_repetition(&number[..10]) && iso7064_mod11_10(number)
}

fn has_idnr_repetition(body: &[u8]) -> bool {
    let mut counts = [0_u8; 10];
    for digit in body {
        counts[usize::from(*digit)] += 1;
    }
    let repeated: Vec<u8> = counts.into_iter().filter(|count| *count > 1).collect();
    let three_in_a_row = body.windows(3).any(|run| run[0] == run[1] && run[1] == run[2]);
    matches!(repeated[..], [2 | 3]) && !three_in_a_row
}

/// Bundeseinheitliche Steuernummer, thirteen digits: four of the tax office, whose first say the
/// federal state, then 0, then the number. The check digit follows eleven different procedures of
/// the states and is not examined.
///
/// ELSTER, Aufbau der bundeseinheitlichen Steuernummer; list of tax office numbers of the
/// Bundeszentralamt für Steuern.
pub(super) fn tax_number(text: &str) -> bool {
    let Some(number) = exactly::<13>(digits(text)) else { return false };
    let known = match (number[0], number[1]) {
        (5 | 9, _) => true,
        (state, second) => matches!(
            state * 10 + second,
            10 | 11 | 21 | 22 | 23 | 24 | 26 | 27 | 28 | 30 | 31 | 32 | 40 | 41
        ),
    };
    // A tax office numbered 00 and a district below 100 do not exist.
    known && number[4] == 0 && number[5] != 0
}

/// Versicherungsnummer of the pension insurance: area, date of birth, initial of the name at
/// birth, serial number, check digit (products by 2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1; sum of their
/// digit sums modulo 10; the letter counts as two digits, A = 01). Days 51 to 81 stand for dates
/// whose serial numbers are used up.
///
/// SGB VI § 147; VKVV §§ 2 to 4 and annex.
pub(super) fn pension_number(text: &str) -> bool {
    let Some(number) = exactly::<12>(alnum(text)) else { return false };
    let letter = number[8];
    if !letter.is_ascii_uppercase() {
        return false;
    }
    let letter = letter - b'A' + 1;
    let mut values = [0; 13];
    let spelled =
        number[..8].iter().map(|c| c.wrapping_sub(b'0')).chain([letter / 10, letter % 10]);
    let spelled = spelled.chain(number[9..].iter().map(|c| c.wrapping_sub(b'0')));
    for (value, digit) in values.iter_mut().zip(spelled) {
        if digit > 9 {
            return false;
        }
        *value = digit;
    }
    let day = self::number(values[2..4].iter().copied());
    let month = self::number(values[4..6].iter().copied());
    let year = self::number(values[6..8].iter().copied());
    const WEIGHTS: [u32; 12] = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1];
    let day = if (51..=81).contains(&day) { day - 50 } else { day };
    is_pension_area(values[0] * 10 + values[1])
        && is_date_of_any_century(year, month, day)
        && weighted_cross_sum(values[..12].iter().copied(), &WEIGHTS) % 10 == u32::from(values[12])
}

/// Areas in use or once in use: VKVV, annex, and its earlier versions.
fn is_pension_area(area: u8) -> bool {
    matches!(
        area,
        2..=4 | 8..=21 | 23..=26 | 28 | 29 | 38..=40 | 42..=44 | 48..=61 | 63..=66 | 68 | 69 | 78..=82 | 89
    )
}

/// Krankenversichertennummer, the part that never changes: a letter (A = 01), eight digits and
/// the check digit (weights 1 and 2 in turn, digit sums, modulo 10).
///
/// SGB V § 290; GKV-Spitzenverband, Regelungen zur Krankenversichertennummer, annex 1.
pub(super) fn health_insurance(text: &str) -> bool {
    let Some(number) = exactly::<10>(alnum(text)) else { return false };
    if !number[0].is_ascii_uppercase() || !number[1..].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let letter = number[0] - b'A' + 1;
    let body = [letter / 10, letter % 10].into_iter().chain(number[1..9].iter().map(|c| c - b'0'));
    let sum = weighted_cross_sum(body, &[1, 2, 1, 2, 1, 2, 1, 2, 1, 2]);
    sum % 10 == u32::from(number[9] - b'0')
}

/// Serial number of an identity card, passport or residence permit with its check digit: weights
/// 7, 3, 1 in turn, letters A = 10 to Z = 35, modulo 10.
///
/// Personalausweisgesetz § 5 (8), Passgesetz § 4 (2); ICAO Doc 9303-3, 4.9. The serial number alone,
/// nine characters, has no check digit.
pub(super) fn document_with_check_digit(text: &str) -> bool {
    let Some(number) = exactly::<10>(alnum(text)) else { return false };
    let check = number[9];
    let values: Option<Vec<u8>> = number[..9].iter().copied().map(value36).collect();
    let Some(values) = values else { return false };
    check.is_ascii_digit()
        && weighted_mod(values, &[7, 3, 1, 7, 3, 1, 7, 3, 1], 10) == u32::from(check - b'0')
}

/// Number of a driving licence card: four characters of the authority (state A to P, district,
/// branch), five of the serial number, check character, issue. Weights 9 to 1, letters A = 10 to
/// Z = 35, modulo 11, 10 is X.
///
/// Fahrerlaubnis-Verordnung, annex 8 (field 5 of the card); Kraftfahrt-Bundesamt.
pub(super) fn driving_licence(text: &str) -> bool {
    let Some(number) = exactly::<11>(alnum(text)) else { return false };
    let values: Option<Vec<u8>> = number[..9].iter().copied().map(value36).collect();
    let Some(values) = values else { return false };
    let check = match number[9] {
        b'X' => 10,
        check if check.is_ascii_digit() => u32::from(check - b'0'),
        _ => return false,
    };
    (b'A'..=b'P').contains(&number[0])
        && number[1..3].iter().all(u8::is_ascii_digit)
        && weighted_mod(values, &[9, 8, 7, 6, 5, 4, 3, 2, 1], 11) == check
}

/// Lebenslange Arztnummer: six digits, check digit (weights 4 and 9 in turn, modulo 10, taken
/// from 10), two digits of the speciality.
///
/// Kassenärztliche Bundesvereinigung, Richtlinie nach SGB V § 75 (7) zur Vergabe der Arzt-,
/// Betriebsstätten- und Praxisnetznummern.
pub(super) fn physician_number(text: &str) -> bool {
    let Some(number) = exactly::<9>(digits(text)) else { return false };
    let sum = weighted_mod(number, &[4, 9, 4, 9, 4, 9], 10);
    number[..6].iter().any(|digit| *digit != 0) && (10 - sum) % 10 == u32::from(number[6])
}

/// Leitweg-ID of a public body that is sent invoices: up to twelve digits, perhaps up to thirty
/// letters and digits, and two check digits, ISO 7064 MOD 97-10 over all.
///
/// `KoSIT`, Formatspezifikation Leitweg-ID 2.0.2.
pub(super) fn leitweg_id(text: &str) -> bool {
    mod97(alnum(text)) == Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, passing, reject};

    #[test]
    fn tax_identification_number() {
        // The first three from the note of the ELSTER developers, the fourth from its rule of three.
        let valid = [
            "86095742719",
            "47036892816",
            "65929970489",
            "57549285017",
            "25768131411",
            "86 095 742 719",
        ];
        check(idnr, &valid);
        reject(idnr, &["86095742710", "36554266806", "06095742719", "8609574271", "860957427190"]);
        // All ten digits differ; one digit stands three times in a row; one digit four times.
        reject(idnr, &["12345678903", "55562789038", "11112345678"]);
    }

    #[test]
    fn tax_number_names_a_state() {
        check(tax_number, &["2893081508152", "9181081508155", "1121081508150", "5133081508159"]);
        reject(tax_number, &["2993081508152", "2893181508152", "289308150815", "7181081508155"]);
        reject(tax_number, &["2893001508152"]);
    }

    #[test]
    fn pension_insurance() {
        check(
            pension_number,
            &["65170839J003", "15070649C103", "65 070803 A 01 9", "38551285K051"],
        );
        reject(pension_number, &["15070649C100", "65070803A012", "15071349C103", "150706491103"]);
        reject(pension_number, &["01070649C103", "15300249C103", "1507064ÄC103", "15O70649C103"]);
    }

    #[test]
    fn health_insurance_number() {
        check(health_insurance, &["A000500015", "C000500021", "A123456780", "s238273938"]);
        reject(health_insurance, &["A123456787", "M123456789", "A12345678", "1123456780"]);
    }

    #[test]
    fn specimen_documents() {
        // Specimens of the Bundesdruckerei: card of 2021, card of 2010, passport.
        check(document_with_check_digit, &["L01X00T471", "T220001293", "C01X00T478"]);
        reject(document_with_check_digit, &["L01X00T472", "T220001290", "C01X00T47", "C01X00T47X"]);
    }

    #[test]
    fn specimen_driving_licence() {
        check(driving_licence, &["B072RRE2I55", "b072rre2i5A"]);
        assert_eq!(passing(driving_licence, "N11030000?2"), 1);
        reject(driving_licence, &["B072RRE2I45", "Z072RRE2I55", "B072RRE2IY5", "B072RRE2I5"]);
    }

    #[test]
    fn physicians() {
        check(physician_number, &["123456601", "234567701", "987654401"]);
        reject(physician_number, &["123456901", "234567601", "000000001", "12345660"]);
    }

    #[test]
    fn public_bodies() {
        check(leitweg_id, &["16066069-0001-38", "057660004004-31001-55", "09274154-NFH-05"]);
        reject(leitweg_id, &["16066069-0001-39", "16066069-0010-38"]);
    }
}
