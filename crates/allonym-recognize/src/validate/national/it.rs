//! Italy.

use crate::validate::arithmetic::{alnum, digits, exactly, luhn, number, value};
use crate::validate::calendar::is_date_of_any_century;

/// Codice fiscale of a person: surname, name, year, month letter, day (40 more for women), place,
/// check letter. Letters may stand for the digits where two people would share a code (omocodia).
///
/// DM 23 dicembre 1976 n. 13813, art. 2 to 6; DPR 605/1973.
pub(super) fn fiscal_code(text: &str) -> bool {
    let Some(code) = exactly::<16>(alnum(text)) else { return false };
    let digit = |place: usize| match code[place] {
        c @ b'0'..=b'9' => Some(u64::from(c - b'0')),
        c => (0..).zip(OMOCODIA).find(|(_, letter)| *letter == c).map(|(digit, _)| digit),
    };
    let two = |place: usize| Some(digit(place)? * 10 + digit(place + 1)?);
    let (Some(year), Some(day)) = (two(6), two(9)) else { return false };
    let Some((month, _)) = (1..).zip(MONTHS).find(|(_, letter)| *letter == code[8]) else {
        return false;
    };
    let shape = code[..6].iter().chain([&code[11], &code[15]]).all(u8::is_ascii_uppercase)
        && (12..15).all(|place| digit(place).is_some());
    let sum: u32 = code[..15]
        .iter()
        .enumerate()
        .map(|(place, character)| {
            let value = match character {
                b'0'..=b'9' => character - b'0',
                _ => character - b'A',
            };
            // The first place counts as odd.
            u32::from(if place % 2 == 0 { ODD[usize::from(value)] } else { value })
        })
        .sum();
    shape
        && is_date_of_any_century(year, month, if day > 40 { day - 40 } else { day })
        && sum % 26 == u32::from(code[15] - b'A')
}

/// Partita IVA: seven digits of the taxpayer, three of the office (001 to 100, 120, 121, 888,
/// 999), Luhn check digit.
///
/// DPR 633/1972, art. 35; DM 23 dicembre 1976; Agenzia delle Entrate.
pub(super) fn vat_code(text: &str) -> bool {
    let Some(code) = exactly::<11>(digits(text)) else { return false };
    number(code[..7].iter().copied()) != 0
        && matches!(number(code[7..10].iter().copied()), 1..=100 | 120 | 121 | 888 | 999)
        && luhn(code)
}

/// What stands for 0 to 9 in a code that was given twice.
const OMOCODIA: [u8; 10] = *b"LMNPQRSTUV";
/// January to December.
const MONTHS: [u8; 12] = *b"ABCDEHLMPRST";
/// Values at odd places, of 0 to 9 and of A to Z alike.
const ODD: [u8; 26] =
    [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/// Codice AIC of a medicine: 0, seven digits and the sum of the digits under weights 1 and 2 in turn,
/// modulo 10; or six characters of base 32 that stand for the nine digits.
///
/// Decreto del Ministro della sanità 29 febbraio 1988; AIFA, codice AIC.
pub(super) fn aic(text: &str) -> bool {
    let c: Vec<u8> = alnum(text).collect();
    let n: Vec<u8> = match c.len() {
        9 if c.iter().all(u8::is_ascii_digit) => c.iter().map(|c| c - b'0').collect(),
        6 => {
            let alphabet = b"0123456789BCDFGHJKLMNPQRSTUVWXYZ";
            let mut number = 0_u32;
            for character in c {
                let Some((_, value)) = alphabet.iter().zip(0_u32..).find(|(c, _)| **c == character)
                else {
                    return false;
                };
                number = number * 32 + value;
            }
            digits_of(number)
        }
        _ => return false,
    };
    n.len() == 9 && n[0] == 0 && value(&n) != 0 && {
        let sum: u32 = n[..8]
            .iter()
            .zip([1, 2].into_iter().cycle())
            .map(|(digit, weight)| u32::from(*digit) * weight)
            .map(|product| product / 10 + product % 10)
            .sum();
        sum % 10 == u32::from(n[8])
    }
}

/// Nine digits of a number.
fn digits_of(number: u32) -> Vec<u8> {
    format!("{number:09}").bytes().map(|byte| byte - b'0').collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn persons() {
        let valid =
            ["RCCMNL83S18D969H", "MRTMTT25D09F205Z", "rssmra85t10a562s", "RCCMNL83S18D96VW"];
        check(fiscal_code, &valid);
        reject(fiscal_code, &["RCCMNL83S18D969X", "RCCMNL83S18D969", "RCCMNL83G18D969H"]);
        // Day 32, and a letter that stands for no digit.
        reject(fiscal_code, &["RCCMNL83S32D969H", "RCCMNL8AS18D969H", "A55AAA00B11C333N"]);
    }

    #[test]
    fn every_day_and_sex_has_its_code() {
        // 29 February needs a leap year; 41 to 71 are women.
        assert_eq!(passing("RSSMRA00B29A562"), 1);
        assert_eq!(passing("RSSMRA01B29A562"), 0);
        assert_eq!(passing("RSSMRA85T71A562"), 1);
        assert_eq!(passing("RSSMRA85T72A562"), 0);
        assert_eq!(passing("RSSMRA85T40A562"), 0);
    }

    fn passing(body: &str) -> usize {
        (b'A'..=b'Z').filter(|last| fiscal_code(&format!("{body}{}", char::from(*last)))).count()
    }

    #[test]
    fn companies() {
        check(vat_code, &["01333550323", "00743110157", "007 431 101 57"]);
        reject(vat_code, &["00743110158", "00000000000", "0074311015", "01333557778"]);
    }

    #[test]
    fn medicines() {
        check(aic, &["000307052", "009CVD"]);
        reject(aic, &["000307053", "100307053", "00030705", "A09CVD"]);
    }
}
