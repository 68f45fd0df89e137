//! Words of messages: names made safe to print, and the spelling somebody probably meant.

use std::fmt::Write as _;

/// A name in backticks, with control and direction characters escaped and very long names cut, so
/// that a header cannot rewrite a terminal.
pub(crate) fn quoted(name: &str) -> String {
    let mut out = String::from("`");
    for (n, c) in name.chars().enumerate() {
        if n == NAME_CHARS_MAX {
            out.push('…');
            break;
        }
        if c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out.push('`');
    out
}

/// `a`, `b` and `c`.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(quoted).collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// The candidate spelt most like `name`, when it is like it at all. Of equals the first wins.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted: Vec<char> =
        name.chars().take(NAME_CHARS_MAX).flat_map(char::to_lowercase).collect();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let letters: Vec<char> =
            candidate.chars().take(NAME_CHARS_MAX).flat_map(char::to_lowercase).collect();
        let far = distance(&wanted, &letters);
        let allowed = (wanted.len().max(letters.len()) / 3).max(1);
        if far <= allowed && best.is_none_or(|(least, _)| far < least) {
            best = Some((far, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Edits from one word to the other: insert, delete, replace, swap neighbours
/// (Damerau 1964, in the restricted form that edits no part twice).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for j in 0..b.len() {
            let replaced = above[j] + usize::from(a[i] != b[j]);
            let mut least = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

const NAME_CHARS_MAX: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_spellings_are_found_and_far_ones_are_not() {
        let known = ["pseudonymize", "redact", "mask", "keep", "iban"];
        for (name, expected) in [
            ("pseudonymise", Some("pseudonymize")),
            ("Redact", Some("redact")),
            ("msak", Some("mask")),
            ("ibna", Some("iban")),
            ("hash", None),
            ("", None),
            ("encrypt", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
    }

    #[test]
    fn names_cannot_steer_a_terminal() {
        assert_eq!(quoted("a\u{1b}[2J"), "`a\\u{1b}[2J`");
        assert_eq!(quoted("ab\u{202e}c"), "`ab\\u{202e}c`");
        assert_eq!(quoted(&"x".repeat(500)).chars().count(), 120 + 3);
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
