//! Portugal and Andorra.

use crate::validate::arithmetic::{alnum, digits, exactly, value36, weighted_mod};

/// NIF of Portugal: nine digits, weights 9 to 2, 11 less the remainder by 11 (10 and 11 are 0).
///
/// Decreto-Lei n.º 14/2013; Autoridade Tributária e Aduaneira.
pub(super) fn pt_nif(text: &str) -> bool {
    exactly::<9>(digits(text)).is_some_and(|n| {
        let check = 11 - weighted_mod(n, &[9, 8, 7, 6, 5, 4, 3, 2], 11);
        (!matches!(n[0], 0 | 4) || n[..2] == [4, 5])
            && u32::from(n[8]) == if check >= 10 { 0 } else { check }
    })
}

/// Cartão de cidadão: eight digits, a check digit, two letters or digits of the issue, and a digit
/// that makes the whole fit Luhn, letters counting 10 to 35.
///
/// Lei n.º 7/2007; AMA, Validação de número de documento do cartão de cidadão.
pub(super) fn pt_cc(text: &str) -> bool {
    let Some(c) = exactly::<12>(alnum(text)) else { return false };
    let has_form = c[..9].iter().all(u8::is_ascii_digit) && c[11].is_ascii_digit();
    let sum: u32 = c
        .iter()
        .rev()
        .filter_map(|c| value36(*c))
        .zip([1, 2].into_iter().cycle())
        .map(|(value, weight)| match u32::from(value) * weight {
            // As in Luhn, but of letters too.
            product if weight == 2 && product > 9 => product - 9,
            product => product,
        })
        .sum();
    has_form && c[..9].iter().any(|c| *c != b'0') && sum.is_multiple_of(10)
}

/// NISS of Portugal: 1 (persons) or 2, nine digits under primes from 29 to 2, and 9 less the
/// remainder by 10.
///
/// Instituto da Segurança Social, Número de Identificação da Segurança Social.
pub(super) fn pt_niss(text: &str) -> bool {
    exactly::<11>(digits(text)).is_some_and(|n| {
        let remainder = weighted_mod(n, &[29, 23, 19, 17, 13, 11, 7, 5, 3, 2], 10);
        matches!(n[0], 1 | 2) && 9 - remainder == u32::from(n[10])
    })
}

/// NRT of Andorra: a letter of the kind, six digits in the range of the kind (residents below
/// 700000, companies in the 700000s), and a letter.
///
/// Llei 21/2014 de bases de l'ordenament tributari; Departament de Tributs i de Fronteres.
pub(super) fn ad_nrt(text: &str) -> bool {
    let Some(c) = exactly::<8>(alnum(text)) else { return false };
    if !c[1..7].iter().all(u8::is_ascii_digit) || !c[7].is_ascii_uppercase() {
        return false;
    }
    let number = c[1..7].iter().fold(0, |number, c| number * 10 + u32::from(c - b'0'));
    match c[0] {
        b'F' => number < 700_000,
        b'A' | b'L' => (700_000..800_000).contains(&number),
        b'C' | b'D' | b'E' | b'G' | b'O' | b'P' | b'U' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, passing, reject};

    #[test]
    fn portugal() {
        check(pt_nif, &["501 964 843", "123456789"]);
        reject(pt_nif, &["501964842", "023456789", "50196484"]);
        check(pt_cc, &["10149080 1 ZY0", "04521224 4 ZZ 7"]);
        reject(pt_cc, &["00000000 A ZZ4", "04521224 4 ZZ 8", "045212244ZZ"]);
        assert_eq!(passing(pt_niss, "1234567890?"), 1);
        reject(pt_niss, &["32345678901"]);
    }

    #[test]
    fn andorra() {
        check(ad_nrt, &["U-132950-X", "F-044646-J", "L-713298-F"]);
        reject(ad_nrt, &["I 706193 G", "F700000A", "A699999X", "0123456N"]);
    }
}
