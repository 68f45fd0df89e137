//! Spain.

use crate::validate::arithmetic::{alnum, digits, exactly, number};

/// NIF of a natural person: eight digits (a leading 0 may be left out) and the letter of their
/// remainder by 23; or K, L or M, seven digits and the letter.
///
/// Real Decreto 1065/2007, art. 19 and 20; Ministerio del Interior, cálculo del dígito de control
/// del NIF/NIE.
pub(super) fn nif(text: &str) -> bool {
    let characters: Vec<u8> = alnum(text).collect();
    match characters[..] {
        [b'K' | b'L' | b'M', ref body @ .., letter] if body.len() == 7 => has_letter(body, letter),
        [ref body @ .., letter] if (7..=8).contains(&body.len()) => has_letter(body, letter),
        _ => false,
    }
}

/// NIE of a foreigner: X, Y or Z (which count 0, 1, 2), seven digits and the letter of the NIF.
///
/// Real Decreto 557/2011, art. 206; Orden INT/2058/2008.
pub(super) fn nie(text: &str) -> bool {
    let Some(mut nie) = exactly::<9>(alnum(text)) else { return false };
    if !(b'X'..=b'Z').contains(&nie[0]) {
        return false;
    }
    nie[0] = nie[0] - b'X' + b'0';
    has_letter(&nie[..8], nie[8])
}

fn has_letter(body: &[u8], letter: u8) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    if !body.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let remainder = number(body.iter().map(|c| c - b'0')) % 23;
    LETTERS.iter().zip(0..).any(|(candidate, place)| *candidate == letter && place == remainder)
}

/// Número de la Seguridad Social: province, number of up to eight digits, two control digits: the
/// remainder by 97 of province and number, joined without the leading 0 of an eight-digit number.
///
/// Tesorería General de la Seguridad Social; provinces of the Instituto Nacional de Estadística
/// (01 to 52), 53 and 66 by the Tesorería.
pub(super) fn social_security(text: &str) -> bool {
    let Some(naf) = exactly::<12>(digits(text)) else { return false };
    let province = number(naf[..2].iter().copied());
    let serial = number(naf[2..10].iter().copied());
    let joined = if serial < 10_000_000 {
        province * 10_000_000 + serial
    } else {
        province * 100_000_000 + serial
    };
    matches!(province, 1..=53 | 66)
        && serial != 0
        && joined % 97 == number(naf[10..].iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn natural_persons() {
        check(nif, &["12345678Z", "54362315K", "55555555-K", "1111111G", "01111111g", "K1234567L"]);
        reject(nif, &["54362315Z", "12345678A", "123456Z", "123456789Z", "Z1234567Z", "K1234567Z"]);
    }

    #[test]
    fn foreigners() {
        check(nie, &["Z8078221M", "Y8063915-Z", "x-2482300w", "X1234567L"]);
        reject(nie, &["Y8063915Q", "58063915Q", "x9613851q", "X123456L", "W1234567L"]);
    }

    #[test]
    fn naf() {
        check(social_security, &["281234567840", "28/12345678/40", "28-12345678-40"]);
        reject(social_security, &["281234567841", "991234567840", "280000000000", "2812345678"]);
        let every = |check: &u64| social_security(&format!("0801234567{check:02}"));
        assert_eq!((0..97).filter(every).collect::<Vec<_>>(), [81_234_567 % 97]);
    }
}
