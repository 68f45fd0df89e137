//! `mask`: every character but a few becomes a sign.

use crate::policy::Mask;

/// Keeps the first and last characters and puts the sign in place of each other one. A cell so
/// short that nothing would be hidden is hidden whole.
pub(super) fn mask(text: &str, mask: &Mask, out: &mut String) {
    let count = text.chars().count();
    let all = mask.keep_first.saturating_add(mask.keep_last) >= count;
    let last = count.saturating_sub(mask.keep_last);
    for (n, c) in text.chars().enumerate() {
        let kept = !all && (n < mask.keep_first || n >= last);
        out.push(if kept { c } else { mask.char });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_masked_not_bytes() {
        for (text, keep_first, keep_last, expected) in [
            ("+49 30 1234567", 0, 3, "***********567"),
            ("+49 30 1234567", 3, 0, "+49***********"),
            ("abcdef", 1, 2, "a***ef"),
            ("abc", 1, 2, "***"),
            ("ab", 5, 5, "**"),
            ("", 1, 1, ""),
            ("abcd", 0, 0, "****"),
            ("Zoë Ümlaut", 0, 2, "********ut"),
            ("日本語テキスト", 1, 1, "日*****ト"),
        ] {
            let mut out = String::new();
            mask(text, &Mask { keep_first, keep_last, char: '*' }, &mut out);
            assert_eq!(out, expected, "{text}");
        }
    }
}
