//! The Netherlands.

use crate::validate::arithmetic::{digits, exactly, number, weighted_sum};

/// Burgerservicenummer: nine digits, or eight when its leading 0 is left out; weights 9 to 2 and
/// then -1, the sum a multiple of 11.
///
/// Wet algemene bepalingen burgerservicenummer; Rijksdienst voor Identiteitsgegevens, Logisch
/// Ontwerp BSN (elfproef).
pub(super) fn bsn(text: &str) -> bool {
    let count = digits(text).count();
    if !(8..=9).contains(&count) || number(digits(text)) == 0 {
        return false;
    }
    let padded = std::iter::repeat_n(0, 9 - count).chain(digits(text));
    // -1 is 10 modulo 11.
    weighted_sum(padded, &[9, 8, 7, 6, 5, 4, 3, 2, 10]).is_multiple_of(11)
}

/// Onderwijsnummer of a pupil without a BSN: nine digits that begin with 10, as a BSN, but 5 left
/// over.
///
/// Wet register onderwijsdeelnemers; DUO, Onderwijsnummer.
pub(super) fn education_number(text: &str) -> bool {
    exactly::<9>(digits(text)).is_some_and(|n| {
        n[..2] == [1, 0] && weighted_sum(n, &[9, 8, 7, 6, 5, 4, 3, 2, 10]) % 11 == 5
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn citizen_service_number() {
        check(bsn, &["111222333", "123456782", "1112.22.333", "111 222 333", "12345672"]);
        reject(bsn, &["111222334", "123456789", "000000000", "1112223334", "1234567"]);
    }

    #[test]
    fn pupils() {
        check(education_number, &["101222331"]);
        reject(education_number, &["100252333", "1012.22.3333", "111222333"]);
    }
}
