//! Numbers of the European Union and its markets.

use crate::validate::arithmetic::{alnum, digits, exactly, value, value36, weighted_mod};

/// Energy Identification Code: fifteen characters and what they, under weights 16 to 2, lack to a
/// multiple of 37; `-` counts 36 and is no check character.
///
/// ENTSO-E, The Energy Identification Coding Scheme, reference manual § 3.
pub(super) fn eic(text: &str) -> bool {
    let values: Option<Vec<u32>> = text
        .bytes()
        .map(|byte| match byte.to_ascii_uppercase() {
            b'-' => Some(36),
            byte => value36(byte).map(u32::from),
        })
        .collect();
    let Some(values) = values.filter(|values| values.len() == 16) else { return false };
    let sum: u32 =
        values[..15].iter().zip((2..=16).rev()).map(|(value, weight)| value * weight).sum();
    values[15] != 36 && values[15] == (37 - (sum + 36) % 37 - 1) % 37
}

/// Serial number of a euro banknote: one letter and eleven digits, or two and ten; letters by their
/// place in ASCII, the sum of all a multiple of 9.
///
/// European Central Bank, Euro banknotes: serial numbers.
pub(super) fn banknote(text: &str) -> bool {
    let c: Vec<u8> = alnum(text).collect();
    let n_letters = c.iter().take_while(|c| c.is_ascii_uppercase()).count();
    let (1..=2, 12) = (n_letters, c.len()) else { return false };
    let (letters, rest) = c.split_at(n_letters);
    let sum: u32 = letters.iter().copied().map(u32::from).sum::<u32>()
        + rest.iter().map(|c| u32::from(c.wrapping_sub(b'0'))).sum::<u32>();
    rest.iter().all(u8::is_ascii_digit) && rest.iter().any(|c| *c != b'0') && sum.is_multiple_of(9)
}

/// Number of the One-Stop-Shop: EU or IM, the member state by ISO 3166-1, five digits (six of an
/// intermediary), check digit (not published).
///
/// European Commission, Guide to the VAT One Stop Shop, § 2.
pub(super) fn oss(text: &str) -> bool {
    let n: Vec<u8> = digits(text).collect();
    let states = [
        40, 56, 100, 191, 196, 203, 208, 233, 246, 250, 276, 300, 348, 372, 380, 428, 440, 442,
        470, 528, 616, 620, 642, 703, 705, 724, 752,
    ];
    let length = if text.trim_start().starts_with("IM") { 10 } else { 9 };
    n.len() == length && states.contains(&value(&n[..3]))
}

/// EC number of a substance: six digits and their sum under weights 1 to 6 modulo 11.
///
/// ECHA, EC Inventory; Official Journal C 146 A of 15 June 1990 (EINECS).
pub(super) fn substance(text: &str) -> bool {
    exactly::<7>(digits(text)).is_some_and(|n| {
        value(&n) != 0 && weighted_mod(n, &[1, 2, 3, 4, 5, 6], 11) == u32::from(n[6])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validate::national::tests::{check, reject};

    #[test]
    fn market_participants() {
        check(eic, &["10YAT-APG------L", "11XNATGAST00000G", "59Z0000000004180"]);
        reject(eic, &["10YAT-APG------M", "23X--130302DLGW-", "10YAT-APG-----L"]);
    }

    #[test]
    fn banknotes() {
        check(banknote, &["P36007033744", "EA4100181598"]);
        reject(banknote, &["P36007033743", "P3600703374", "EAA410018159"]);
    }

    #[test]
    fn substances() {
        check(substance, &["200-001-8", "2001121"]);
        reject(substance, &["200-001-7", "20001121", "0000000"]);
    }

    #[test]
    fn one_stop_shops() {
        check(oss, &["EU372022452", "IM3720000224"]);
        reject(oss, &["EU123010755", "IM372022452", "EU37202245"]);
    }
}
