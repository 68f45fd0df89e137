//! Ireland.

use crate::validate::arithmetic::{alnum, weighted_sum};

/// PPS number and the VAT number of a person: seven digits, a check letter, and perhaps a second
/// letter (A to I count 9 each place, W and T nothing); weights 8 to 2, modulo 23, W for 0.
///
/// Social Welfare Consolidation Act 2005 § 262; Revenue, Tax and Duty Manual 37-00-04A.
pub(super) fn pps(text: &str) -> bool {
    let c: Vec<u8> = alnum(text).collect();
    let (Some(body), Some(check)) = (c.get(..7), c.get(7)) else { return false };
    let second = match c.get(8..) {
        Some([] | [b'W' | b'T']) => 0,
        Some([letter @ b'A'..=b'I']) => u32::from(letter - b'A') + 1,
        _ => return false,
    };
    if !body.iter().all(u8::is_ascii_digit) || body.iter().all(|c| *c == b'0') {
        return false;
    }
    let sum = weighted_sum(body.iter().map(|c| c - b'0'), &[8, 7, 6, 5, 4, 3, 2]) + 9 * second;
    b"WABCDEFGHIJKLMNOPQRSTUV".iter().zip(0..).any(|(letter, at)| letter == check && at == sum % 23)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn persons() {
        check(pps, &["6433435F", "6433435FT", "6433435FW", "6433435OA", "6433435IH"]);
        reject(pps, &["6433435E", "6433435VH", "1234567XX", "643343F", "0000000W"]);
    }
}
