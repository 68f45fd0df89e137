//! Codes of medicine.

use super::super::arithmetic::{digits, exactly, luhn, weighted_mod};

/// Whether the last digit is the check digit of a LOINC code: mod 10 with every other digit doubled,
/// as Luhn's (LOINC Users' Guide, appendix A).
pub(super) fn loinc(text: &str) -> bool {
    let count = digits(text).count();
    (2..=6).contains(&count) && text.contains('-') && luhn(digits(text))
}

/// Whether the text is a Pharmazentralnummer of eight digits: the first seven times 1 to 7, modulo
/// 11, is the last; a remainder of 10 is not given out (IFA).
pub(super) fn pzn(text: &str) -> bool {
    exactly::<8>(digits(text)).is_some_and(|number| {
        let varied = number.iter().any(|digit| *digit != number[0]);
        let rest = weighted_mod(number, &[1, 2, 3, 4, 5, 6, 7], 11);
        varied && rest == u32::from(number[7])
    })
}

#[cfg(test)]
mod tests {
    use super::{loinc, pzn};

    #[test]
    fn laboratory_codes() {
        for text in ["2345-7", "718-7", "4548-4"] {
            assert!(loinc(text), "{text}");
        }
        for text in ["2345-6", "718-1", "7187", "-", "1234567-8"] {
            assert!(!loinc(text), "{text}");
        }
    }

    #[test]
    fn medicines() {
        // The example of the IFA's description.
        assert!(pzn("27580899"));
        for text in ["27580898", "2758089", "00000000", ""] {
            assert!(!pzn(text), "{text}");
        }
    }
}
