//! Poland.

use crate::validate::arithmetic::{alnum, digits, exactly, mod97, number, value36, weighted_mod};
use crate::validate::calendar::is_date;

/// PESEL: date of birth (month plus 80 for the 1800s, 20, 40, 60 for the 2000s to 2200s), serial
/// number and sex, check digit; weights 1, 3, 7, 9 in turn, modulo 10.
///
/// Ustawa z dnia 24 września 2010 r. o ewidencji ludności, art. 15.
pub(super) fn pesel(text: &str) -> bool {
    let Some(pesel) = exactly::<11>(digits(text)) else { return false };
    let value = |range: std::ops::Range<usize>| number(pesel[range].iter().copied());
    let (year, month, day) = (value(0..2), value(2..4), value(4..6));
    let century = match month / 20 {
        4 => 1800,
        centuries => 1900 + centuries * 100,
    };
    is_date(century + year, month % 20, day)
        && weighted_mod(pesel, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1], 10) == 0
}

/// NIP of a taxpayer: nine digits, the first three not 0, and the remainder by 11 under weights
/// 6, 5, 7, 2, 3, 4, 5, 6, 7; 10 is never given.
///
/// Ustawa z dnia 13 października 1995 r. o zasadach ewidencji i identyfikacji podatników.
pub(super) fn nip(text: &str) -> bool {
    let Some(nip) = exactly::<10>(digits(text)) else { return false };
    number(nip[..3].iter().copied()) != 0
        && weighted_mod(nip, &[6, 5, 7, 2, 3, 4, 5, 6, 7], 11) == u32::from(nip[9])
}

/// REGON of a business: nine digits, or fourteen for a local unit, each with its check digit
/// modulo 11 (10 counts 0).
///
/// Rozporządzenie Rady Ministrów z dnia 30 listopada 2015 r. w sprawie rejestru REGON; GUS.
pub(super) fn regon(text: &str) -> bool {
    let regon: Vec<u8> = digits(text).collect();
    let has_check = |length: usize, weights: &[u32]| {
        weighted_mod(regon.iter().copied(), weights, 11) % 10 == u32::from(regon[length - 1])
    };
    let is_regon9 =
        || has_check(9, &[8, 9, 2, 3, 4, 5, 6, 7]) && regon[..9].iter().any(|digit| *digit != 0);
    match regon.len() {
        9 => is_regon9(),
        14 => is_regon9() && has_check(14, &[2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8]),
        _ => false,
    }
}

/// Numer rachunku bankowego (NRB), 26 digits: the IBAN without its country, whose check digits
/// stand in front.
///
/// Zarządzenie Prezesa NBP nr 15/2010 w sprawie numeracji banków i rachunków; ISO 13616-1.
pub(super) fn bank_account(text: &str) -> bool {
    let Some(nrb) = exactly::<26>(alnum(text)) else { return false };
    let (check, account) = nrb.split_at(2);
    let rearranged = account.iter().chain(b"PL").chain(check).copied();
    nrb.iter().all(u8::is_ascii_digit)
        && account.iter().any(|digit| *digit != b'0')
        && mod97(rearranged) == Some(1)
}

/// Number of an identity card: three letters, check digit, five digits; weights 7, 3, 1, 9, 7, 3,
/// 1, 7, 3, letters A = 10 to Z = 35, modulo 10 is 0.
///
/// Rozporządzenie ministra spraw wewnętrznych w sprawie wzoru dowodu osobistego; letters O and Q are not used.
pub(super) fn id_card(text: &str) -> bool {
    has_document_check(text, 3, &[7, 3, 1, 9, 7, 3, 1, 7, 3])
}

/// Number of a passport: two letters, check digit, six digits; weights 7, 3, 9, 1, 7, 3, 1, 7, 3.
///
/// Rozporządzenie ministra spraw wewnętrznych w sprawie dokumentów paszportowych.
pub(super) fn passport(text: &str) -> bool {
    has_document_check(text, 2, &[7, 3, 9, 1, 7, 3, 1, 7, 3])
}

fn has_document_check(text: &str, n_letters: usize, weights: &[u32]) -> bool {
    let Some(card) = exactly::<9>(alnum(text)) else { return false };
    let values: Vec<u8> = card.iter().copied().filter_map(value36).collect();
    card[..n_letters].iter().all(|c| c.is_ascii_uppercase() && !matches!(c, b'O' | b'Q'))
        && card[n_letters..].iter().all(u8::is_ascii_digit)
        && card[n_letters..].iter().any(|c| *c != b'0')
        && weighted_mod(values, weights, 10) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, passing, reject};

    #[test]
    fn persons() {
        check(pesel, &["44051401359", "44051401458", "02070803628", "11111111116"]);
        reject(pesel, &["44051401459", "85040812345", "11110021111", "4405140145", "440514014588"]);
        // 29 February 1900 was no day; of 2000 it was.
        assert_eq!(passing(pesel, "0002291234?"), 0);
        assert_eq!(passing(pesel, "0022291234?"), 1);
        assert_eq!(passing(pesel, "8681011234?"), 1, "month 81 is January of the 1800s");
        assert_eq!(passing(pesel, "8613011234?"), 0);
    }

    #[test]
    fn taxpayers() {
        check(nip, &["8567346215", "856-734-62-15", "123-456-32-18"]);
        reject(nip, &["8567346216", "0007346215", "856734621", "85673462155"]);
    }

    #[test]
    fn businesses() {
        check(regon, &["192598184", "123456785", "12345678512347"]);
        reject(
            regon,
            &["192598183", "000000000", "12345678612342", "12345678512348", "1234567851"],
        );
    }

    #[test]
    fn documents() {
        check(id_card, &["ABA300000", "aba300000", "ABA 300000"]);
        assert_eq!(passing(id_card, "ABS?23456"), 1);
        reject(id_card, &["ABA300001", "ABA400000", "AB3000000", "OBA300000", "ABA30000"]);
        // The Polish example of the SWIFT IBAN registry, without its country.
        check(bank_account, &["61 1090 1014 0000 0712 1981 2874"]);
        reject(bank_account, &["61 1090 1014 0000 0712 1981 2875", "00000000000000000000000000"]);
        check(passport, &["ZS0000177", "zs 0000177"]);
        reject(passport, &["ZS0000178", "ZSA000177", "ZS000017", "QS0000177"]);
    }
}
