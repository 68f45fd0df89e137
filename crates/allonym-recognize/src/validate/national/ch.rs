//! Switzerland.

use crate::validate::arithmetic::{digits, exactly, weighted_sum};

/// AHV-Nummer / numéro AVS: 756, nine digits, EAN-13 check digit (weights 1 and 3, modulo 10).
///
/// AHVG Art. 50c, AHVV Art. 133; Zentrale Ausgleichsstelle, Aufbau der Versichertennummer; GS1
/// General Specifications 7.9.
pub(super) fn ahv(text: &str) -> bool {
    let Some(number) = exactly::<13>(digits(text)) else { return false };
    number[..3] == [7, 5, 6]
        && weighted_sum(number, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

/// ESR and QR reference of a payment: up to 27 digits, the last by the recursive table of modulo 10.
///
/// Swiss Payment Standards, Implementation Guidelines QR-bill, annex B.
pub(super) fn payment_reference(text: &str) -> bool {
    const NEXT: [u8; 10] = [0, 9, 4, 6, 8, 2, 7, 1, 3, 5];
    let n: Vec<u8> = digits(text).collect();
    let Some((check, body)) = n.split_last() else { return false };
    let carry = body.iter().fold(0, |carry, digit| NEXT[usize::from((carry + digit) % 10)]);
    n.len() <= 27 && n.len() >= 5 && body.iter().any(|d| *d != 0) && (10 - carry) % 10 == *check
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn insured_persons() {
        check(ahv, &["756.9217.0769.85", "7569217076985", "756.1234.5678.97"]);
        reject(ahv, &["756.9217.0769.84", "757.9217.0769.85", "756921707698", "123.4567.8910.19"]);
    }

    #[test]
    fn payments() {
        check(payment_reference, &["21 00000 00003 13947 14300 09017", "18 78583"]);
        reject(payment_reference, &["210000000003139471430009016", "0000000", "1"]);
    }
}
