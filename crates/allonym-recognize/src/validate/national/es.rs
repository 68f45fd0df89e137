//! Spain.

use crate::validate::arithmetic::{
    alnum, digits, exactly, number, value, weighted_cross_sum, weighted_mod, weighted_sum,
};

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

/// CIF, the NIF of a body: a letter of its kind, seven digits (the even places once, the odd ones
/// doubled), and a digit or a letter, by its kind.
///
/// Real Decreto 1065/2007 art. 22; Orden EHA/451/2008.
pub(super) fn cif(text: &str) -> bool {
    let Some(c) = exactly::<9>(alnum(text)) else { return false };
    let (first, middle, last) = (c[0], &c[1..8], c[8]);
    if !middle.iter().all(u8::is_ascii_digit) || middle.iter().all(|c| *c == b'0') {
        return false;
    }
    let values = middle.iter().map(|c| c - b'0');
    let control = (10 - weighted_cross_sum(values, &[2, 1, 2, 1, 2, 1, 2]) % 10) % 10;
    let is_digit = u32::from(last.wrapping_sub(b'0')) == control;
    let is_letter = b"JABCDEFGHI".iter().zip(0..).any(|(c, at)| *c == last && at == control);
    match first {
        b'A' | b'B' | b'E' | b'H' => is_digit,
        b'N' | b'P'..=b'S' | b'W' => is_letter,
        b'C' | b'D' | b'F' | b'G' | b'J' | b'U' | b'V' => is_digit || is_letter,
        _ => false,
    }
}

/// Código cuenta cliente: bank, branch, two check digits, account; one digit for the first eight,
/// one for the last ten, under powers of 2 modulo 11.
///
/// Consejo Superior Bancario, cuaderno 19; Banco de España.
pub(super) fn bank_account(text: &str) -> bool {
    let Some(n) = exactly::<20>(digits(text)) else { return false };
    let weights = [1, 2, 4, 8, 5, 10, 9, 7, 3, 6];
    let check = |body: &[u8]| match 11 - weighted_mod(body.iter().copied(), &weights, 11) {
        10 => 1,
        11 => 0,
        check => check,
    };
    let bank: Vec<u8> = [0, 0].iter().chain(&n[..8]).copied().collect();
    value(&n[10..]) != 0 && check(&bank) == u32::from(n[8]) && check(&n[10..]) == u32::from(n[9])
}

/// CUPS of a supply of power or gas: ES, sixteen digits, and two letters by their remainder by 529,
/// perhaps a digit and a letter of the metering point.
///
/// Comisión Nacional de los Mercados y la Competencia, Reglas del código universal de punto de
/// suministro (Orden ITC/2008).
pub(super) fn supply_point(text: &str) -> bool {
    let c: Vec<u8> = alnum(text).collect();
    let letters = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let (Some(prefix), Some(body), Some(check)) = (c.get(..2), c.get(2..18), c.get(18..20)) else {
        return false;
    };
    let is_point = match &c[20..] {
        [] => true,
        [digit, letter] => digit.is_ascii_digit() && b"FPRCXYZ".contains(letter),
        _ => false,
    };
    let remainder = number(body.iter().map(|c| c.wrapping_sub(b'0'))) % 529;
    let letter = |place: u64| usize::try_from(place).ok().and_then(|place| letters.get(place));
    prefix == b"ES"
        && is_point
        && body.iter().all(u8::is_ascii_digit)
        && check.iter().eq(letter(remainder / 23).into_iter().chain(letter(remainder % 23)))
}

/// Referencia catastral of a property: eighteen characters and two control letters, one for each
/// seven of the first fourteen together with the four behind, modulo 23.
///
/// Dirección General del Catastro, Resolución de 26 de octubre de 1999 (algoritmo de control).
pub(super) fn cadastral_reference(text: &str) -> bool {
    let values: Option<Vec<u8>> = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .map(|character| match character {
            '0'..='9' => character.to_digit(10).and_then(|value| u8::try_from(value).ok()),
            'Ñ' | 'ñ' => Some(15),
            // Letters count by their place in the Spanish alphabet.
            _ => match u8::try_from(character.to_ascii_uppercase()).ok()? {
                letter @ b'A'..=b'N' => Some(letter - b'A' + 1),
                letter @ b'O'..=b'Z' => Some(letter - b'A' + 2),
                _ => None,
            },
        })
        .collect();
    let Some(values) = values.filter(|values| values.len() == 20) else { return false };
    let control: Vec<u8> = text.bytes().filter(u8::is_ascii_alphabetic).collect();
    let Some(control) = control.len().checked_sub(2).and_then(|from| control.get(from..)) else {
        return false;
    };
    let expected = |seven: &[u8]| {
        let all = seven.iter().chain(&values[14..18]).copied();
        let sum = weighted_sum(all, &[13, 15, 12, 5, 4, 17, 9, 21, 3, 7, 1]);
        usize::try_from(sum % 23).map_or(0, |place| b"MQWERTYUIOPASDFGHJKLBZX"[place])
    };
    control.to_ascii_uppercase() == [expected(&values[..7]), expected(&values[7..14])]
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

    #[test]
    fn bodies() {
        check(cif, &["B64717838", "A28015865", "J99216582"]);
        reject(cif, &["B64717839", "J99216583", "O-1234567-L", "A00000000"]);
    }

    #[test]
    fn accounts() {
        check(bank_account, &["1234-1234-16 1234567890"]);
        reject(bank_account, &["1234-1234-00 1234567890", "134-1234-16 1234567890"]);
    }

    #[test]
    fn supplies_and_properties() {
        check(supply_point, &["ES 1234-123456789012-JY", "ES 1234-123456789012-JY 1F"]);
        reject(supply_point, &["ES 1234-123456789012-JZ", "ES 1234-123456789012-JY 1T"]);
        check(cadastral_reference, &["7837301 VG8173B 0001 TT", "9872023 ÑH5797S 0001 WP"]);
        reject(cadastral_reference, &["7837301 VG8173B 0001 NN", "7837301 VG8173B 0001"]);
    }
}
