//! Words and forms that all views share.

use crate::{CheckEvidence, Severity, Verdict};

/// The verdict for people.
pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ready => "READY",
        Verdict::NotReady => "NOT READY",
        Verdict::Unverified => "NOT VERIFIED",
    }
}

/// The verdict as a sentence with its reasons.
pub(crate) fn sentence(evidence: &CheckEvidence) -> String {
    let count = |severity| evidence.of(severity).count();
    let (breaches, untold) = (count(Severity::Breach), count(Severity::Unverified));
    let notes = count(Severity::Note);
    match evidence.verdict {
        Verdict::Ready => format!(
            "Nothing against the policy was found, and everything that was asked could be told; \
             {notes} to note."
        ),
        Verdict::NotReady => format!(
            "{breaches} against the policy, {untold} that could not be told, {notes} to note."
        ),
        Verdict::Unverified => {
            format!(
                "{untold} that could not be told, which is never taken for good; {notes} to note."
            )
        }
    }
}

/// A severity for people.
pub(crate) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Breach => "problem",
        Severity::Unverified => "not told",
        Severity::Note => "note",
    }
}

/// A sign beside the word, so that no meaning hangs on a colour.
pub(crate) fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Breach => "\u{2716}",
        Severity::Unverified => "?",
        Severity::Note => "i",
    }
}

/// A number with its thousands apart.
pub(crate) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A name from a stranger without what moves a cursor, breaks a line or turns the direction of text.
pub(crate) fn tame(name: &str) -> String {
    let untamed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    name.chars().map(|c| if untamed(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_204_318), "1,204,318");
        assert_eq!(tame("a\u{202e}b\nc\u{1b}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
    }
}
