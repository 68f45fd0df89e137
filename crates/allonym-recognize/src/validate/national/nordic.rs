//! Denmark, Finland, Iceland, Norway and Sweden.

use crate::validate::arithmetic::{digits, exactly, luhn, value, weighted_mod};
use crate::validate::calendar::{is_date, is_date_of_any_century};

/// CPR number: date of birth and four digits, of which the first tells the century. Since 2007 it
/// need not fit its check digit, so none is looked at.
///
/// CPR-kontoret, Personnummeret i CPR (2008).
pub(super) fn dk_cpr(text: &str) -> bool {
    let Some(cpr) = exactly::<10>(digits(text)) else { return false };
    let year = value(&cpr[4..6]);
    let century = match (cpr[6], year) {
        (0..=3, _) | (4 | 9, 37..) => 1900,
        (4 | 9, _) | (5..=8, 0..=57) => 2000,
        _ => 1800,
    };
    is_date(century + year, value(&cpr[2..4]), value(&cpr[..2]))
}

/// CVR number of a business: eight digits, weights 2, 7, 6, 5, 4, 3, 2, 1, a multiple of 11.
///
/// Erhvervsstyrelsen, Modulus 11 kontrol af CVR-nummer.
pub(super) fn dk_cvr(text: &str) -> bool {
    exactly::<8>(digits(text))
        .is_some_and(|n| n[0] != 0 && weighted_mod(n, &[2, 7, 6, 5, 4, 3, 2, 1], 11) == 0)
}

/// Henkilötunnus: date of birth, a sign of the century, 002 to 899, and the remainder of the nine
/// digits by 31 as one of 31 characters.
///
/// Valtioneuvoston asetus väestötietojärjestelmästä 128/2010 § 2, as changed by 690/2022 (signs).
pub(super) fn fi_hetu(text: &str) -> bool {
    has_hetu_form(text, 2..=899)
}

/// The same from 900 on: given out for a time or for tests, to nobody for good.
///
/// Digi- ja väestötietovirasto, Henkilötunnus.
pub(super) fn fi_hetu_test(text: &str) -> bool {
    has_hetu_form(text, 900..=999)
}

fn has_hetu_form(text: &str, serials: std::ops::RangeInclusive<u64>) -> bool {
    let bytes = text.as_bytes();
    let (Some(date), Some(sign), Some(rest)) = (bytes.get(..6), bytes.get(6), bytes.get(7..))
    else {
        return false;
    };
    let [_, _, _, check] = rest else { return false };
    if !date.iter().chain(&rest[..3]).all(u8::is_ascii_digit) {
        return false;
    }
    let century = match sign.to_ascii_uppercase() {
        b'+' => 1800,
        b'-' | b'U'..=b'Y' => 1900,
        b'A'..=b'F' => 2000,
        _ => return false,
    };
    let date: Vec<u8> = date.iter().map(|byte| byte - b'0').collect();
    let serial: Vec<u8> = rest[..3].iter().map(|byte| byte - b'0').collect();
    let all = value(&date) * 1000 + value(&serial);
    let letters = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    serials.contains(&value(&serial))
        && is_date(century + value(&date[4..]), value(&date[2..4]), value(&date[..2]))
        && letters
            .iter()
            .zip(0..)
            .any(|(letter, at)| at == all % 31 && *letter == check.to_ascii_uppercase())
}

/// Y-tunnus of a business: seven digits, weights 7, 9, 10, 5, 8, 4, 2, and what they lack to a
/// multiple of 11.
///
/// Verohallinto, Y-tunnuksen tarkistusmerkin laskenta.
pub(super) fn fi_ytunnus(text: &str) -> bool {
    exactly::<8>(digits(text))
        .is_some_and(|n| value(&n) != 0 && weighted_mod(n, &[7, 9, 10, 5, 8, 4, 2, 1], 11) == 0)
}

/// Kennitala: date of birth (day plus 40 for bodies), two digits, check digit (weights 3, 2, 7, 6,
/// 5, 4, 3, 2, modulo 11), and the century: 8, 9 or 0.
///
/// Þjóðskrá, Kennitölur; lög um skráningu einstaklinga nr. 140/2019.
pub(super) fn is_kennitala(text: &str) -> bool {
    let Some(n) = exactly::<10>(digits(text)) else { return false };
    let day = value(&n[..2]);
    let day = if day > 40 { day - 40 } else { day };
    let century = match n[9] {
        8 => 1800,
        9 => 1900,
        0 => 2000,
        _ => return false,
    };
    is_date(century + value(&n[4..6]), value(&n[2..4]), day)
        && weighted_mod(n, &[3, 2, 7, 6, 5, 4, 3, 2, 1], 11) == 0
}

/// Fødselsnummer, and the D number of those not registered (day plus 40): date of birth, three
/// digits that tell the century, two check digits modulo 11. Month plus 40 is an auxiliary number,
/// plus 65 or 80 a test.
///
/// Forskrift til folkeregisterloven § 2-2-1 to § 2-2-5; Skatteetaten, Fødselsnummer.
pub(super) fn no_fodselsnummer(text: &str) -> bool {
    let Some(n) = exactly::<11>(digits(text)) else { return false };
    let (day, month, year) = (value(&n[..2]), value(&n[2..4]), value(&n[4..6]));
    let day = if day > 40 { day - 40 } else { day };
    let month = match month {
        81..=92 => month - 80,
        66..=77 => month - 65,
        41..=52 => month - 40,
        month => month,
    };
    let century = match (value(&n[6..9]), year) {
        (0..=499, _) | (900..=999, 40..) => 1900,
        (500..=749, 54..) => 1800,
        (500..=999, 0..=39) => 2000,
        _ => return false,
    };
    is_date(century + year, month, day)
        && weighted_mod(n, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1], 11) == 0
        && weighted_mod(n, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1], 11) == 0
}

/// Organisasjonsnummer: nine digits, the first 8 or 9, weights 3, 2, 7, 6, 5, 4, 3, 2, 1, a
/// multiple of 11.
///
/// Brønnøysundregistrene, Om organisasjonsnummeret.
pub(super) fn no_orgnr(text: &str) -> bool {
    exactly::<9>(digits(text))
        .is_some_and(|n| n[0] >= 8 && weighted_mod(n, &[3, 2, 7, 6, 5, 4, 3, 2, 1], 11) == 0)
}

/// Kontonummer of a bank: eleven digits, weights 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1, a multiple of
/// 11; old post accounts have seven digits by Luhn behind four zeros.
///
/// Bits (Finance Norway), Kontonummer: oppbygging og kontrollsiffer.
pub(super) fn no_account(text: &str) -> bool {
    exactly::<11>(digits(text)).is_some_and(|n| {
        if n[..4] == [0; 4] {
            return value(&n) != 0 && luhn(n[4..].iter().copied());
        }
        weighted_mod(n, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1], 11) == 0
    })
}

/// Personnummer, and the samordningsnummer of those not registered (day plus 60): date of birth in
/// six or eight digits, three digits, Luhn over the last ten.
///
/// Folkbokföringslag (1991:481) § 18; Skatteverket SKV 704.
pub(super) fn se_personnummer(text: &str) -> bool {
    let all: Vec<u8> = digits(text).collect();
    let Some(start) = all.len().checked_sub(10).filter(|start| matches!(start, 0 | 2)) else {
        return false;
    };
    let n = &all[start..];
    let (year, month, day) = (value(&n[..2]), value(&n[2..4]), value(&n[4..6]));
    let day = if day > 60 { day - 60 } else { day };
    let is_born = match value(&all[..start]) {
        century @ 18..=20 => is_date(century * 100 + year, month, day),
        0 if start == 0 => is_date_of_any_century(year, month, day),
        _ => false,
    };
    is_born && luhn(n.iter().copied())
}

/// Organisationsnummer: ten digits, the third 2 or more, so that it is no date of birth; Luhn.
///
/// Lag (1974:174) om identitetsbeteckning för juridiska personer; Skatteverket SKV 709.
pub(super) fn se_orgnr(text: &str) -> bool {
    let all: Vec<u8> = digits(text).collect();
    // Twelve digits begin with 16.
    let n = all.strip_prefix(&[1, 6]).filter(|_| all.len() == 12).unwrap_or(&all);
    n.len() == 10 && n[0] != 0 && n[2] >= 2 && luhn(n.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, passing, reject};

    #[test]
    fn denmark() {
        check(dk_cpr, &["211062-5629", "0101010000"]);
        reject(dk_cpr, &["511062-5629", "290200-0000", "21106256299"]);
        assert_eq!(passing(dk_cpr, "290200?000"), 6, "2000 was a leap year, 1900 was not");
        check(dk_cvr, &["13585628", "13 58 56 28"]);
        reject(dk_cvr, &["13585627", "00000000", "1358562"]);
    }

    #[test]
    fn finland() {
        check(fi_hetu, &["131052-308T", "131052b308t", "131052A308T", "131052+308T"]);
        reject(
            fi_hetu,
            &["131052-308U", "311190-1111", "131052-000V", "131052/308T", "131052308T"],
        );
        check(fi_hetu_test, &["010594Y9032", "131052-9993"]);
        reject(fi_hetu_test, &["131052-308T", "131052-9994"]);
        check(fi_ytunnus, &["2077474-0", "20774740"]);
        reject(fi_ytunnus, &["2077474-1", "00000000", "207747-0"]);
    }

    #[test]
    fn iceland() {
        check(is_kennitala, &["120174-3399", "4504013150"]);
        reject(is_kennitala, &["320174-3399", "120174-3389", "120174-3395", "1201743"]);
    }

    #[test]
    fn norway() {
        check(no_fodselsnummer, &["151086 95088", "10048745364"]);
        reject(no_fodselsnummer, &["15108695077", "19575770838", "42485176432123"]);
        check(no_orgnr, &["988 077 917", "965920358"]);
        reject(no_orgnr, &["988077918", "000000000", "98807791"]);
        check(no_account, &["8601 11 17947", "0000.4090403"]);
        reject(no_account, &["8601 11 17949", "00000000000", "860111794"]);
    }

    #[test]
    fn sweden() {
        check(se_personnummer, &["880320-0016", "198803200016", "189004119807", "880320+0016"]);
        reject(se_personnummer, &["880320-0018", "8899200425", "16556703748", "218803200016"]);
        check(se_orgnr, &["212000-0142", "556703-7485", "165567037485"]);
        reject(se_orgnr, &["556703-7486", "880320-0016", "055670-3745"]);
    }
}
