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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn insured_persons() {
        check(ahv, &["756.9217.0769.85", "7569217076985", "756.1234.5678.97"]);
        reject(ahv, &["756.9217.0769.84", "757.9217.0769.85", "756921707698", "123.4567.8910.19"]);
    }
}
