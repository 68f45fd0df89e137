//! France.

use crate::validate::arithmetic::{alnum, digits, exactly, luhn, number, value36};

/// Numéro d'inscription au répertoire with its key, fifteen characters: sex, year, month,
/// département (2A and 2B count 19 and 18), commune, order, and 97 less the remainder by 97.
/// Months 20 to 42 and 50 to 99 stand for incomplete certificates of birth.
///
/// Code de la sécurité sociale, art. R. 115-1 and following; décret n° 82-103; INSEE, structure
/// du NIR.
pub(super) fn nir(text: &str) -> bool {
    let Some(mut nir) = exactly::<15>(alnum(text)) else { return false };
    match (nir[5], nir[6]) {
        (b'2', b'A') => [nir[5], nir[6]] = *b"19",
        (b'2', b'B') => [nir[5], nir[6]] = *b"18",
        (b'0', b'0') => return false,
        _ => {}
    }
    if !nir.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let value = |range: std::ops::Range<usize>| number(nir[range].iter().map(|c| c - b'0'));
    matches!(nir[0], b'1'..=b'4' | b'7' | b'8')
        && matches!(value(3..5), 1..=12 | 20..=42 | 50..=99)
        && value(10..13) != 0
        && value(13..15) == 97 - value(0..13) % 97
}

/// Numéro fiscal de référence (SPI): thirteen digits, the first 0 to 3, the last three the
/// remainder of the first ten by 511.
///
/// Direction générale des finances publiques; OECD, Tax identification numbers: France.
pub(super) fn tax_id(text: &str) -> bool {
    let Some(spi) = exactly::<13>(digits(text)) else { return false };
    let body = number(spi[..10].iter().copied());
    spi[0] <= 3 && body != 0 && body % 511 == number(spi[10..].iter().copied())
}

/// SIREN of an enterprise: nine digits, Luhn, not all 0.
///
/// Code de commerce, art. R. 123-220; INSEE; ISO/IEC 7812-1.
pub(super) fn siren(text: &str) -> bool {
    let Some(siren) = exactly::<9>(digits(text)) else { return false };
    number(siren) != 0 && luhn(siren)
}

/// SIRET of an establishment: a SIREN and five digits, Luhn over all. The post offices of La Poste
/// (356 000 000) need only a digit sum that 5 divides.
///
/// Code de commerce, art. R. 123-221; INSEE.
pub(super) fn siret(text: &str) -> bool {
    let Some(siret) = exactly::<14>(digits(text)) else { return false };
    let siren = number(siret[..9].iter().copied());
    let is_post = siren == 356_000_000
        && siret.iter().map(|digit| u32::from(*digit)).sum::<u32>().is_multiple_of(5);
    siren != 0 && luhn(siret[..9].iter().copied()) && (luhn(siret) || is_post)
}

/// Relevé d'identité bancaire, 23 characters: bank, branch (five digits each), account (eleven
/// digits or letters), key. Letters count A, J as 1; B, K, S as 2; and so on to I, R, Z as 9; the
/// whole is a multiple of 97.
///
/// Comité français d'organisation et de normalisation bancaires, Brochure RIB.
pub(super) fn rib(text: &str) -> bool {
    let Some(rib) = exactly::<23>(alnum(text)) else { return false };
    let is_code = |range: std::ops::Range<usize>| rib[range].iter().all(u8::is_ascii_digit);
    let digit = |character: u8| match value36(character)? {
        letter @ 28.. => Some(letter - 26),
        letter @ 10.. => Some((letter - 10) % 9 + 1),
        digit => Some(digit),
    };
    let remainder = rib.iter().try_fold(0, |remainder: u32, character| {
        Some((remainder * 10 + u32::from(digit(*character)?)) % 97)
    });
    is_code(0..10) && is_code(21..23) && rib[..10] != *b"0000000000" && remainder == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn social_security() {
        let valid =
            ["295109912611193", "253072B07300470", "253072A07300443", "2 55 08 14 168 025 38"];
        check(nir, &valid);
        reject(nir, &["295109912611192", "253072C07300443", "595109912611193", "29510991261119"]);
        reject(nir, &["295159912611193", "253072B07300443"]);
    }

    #[test]
    fn tax() {
        check(tax_id, &["3023217600053", "30 23 217 600 053", "0701987765493"]);
        reject(tax_id, &["3023217600054", "4023217600053", "302321760053", "0000000000000"]);
    }

    #[test]
    fn enterprises() {
        check(siren, &["552008443", "404833048", "732 829 320"]);
        reject(siren, &["404833047", "000000000", "55200844"]);
        check(siret, &["73282932000074", "35600000000048", "35600000049837"]);
        reject(siret, &["73282932000079", "35600000049838", "7328293200007", "73282932100074"]);
    }

    #[test]
    fn accounts() {
        // The French examples of the SWIFT IBAN registry, without their first four characters.
        check(rib, &["20041 01005 0500013M026 06", "30006000011234567890189"]);
        reject(rib, &["20041 01005 0500013M026 07", "20041 01005 0500013N026 06", "2004101005"]);
        reject(rib, &["2004A010050500013M02606", "00000000000000000000000"]);
    }
}
