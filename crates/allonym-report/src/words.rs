//! Words and forms that all views share.

use crate::{
    CheckEvidence, ColumnEvidence, OldVersion, Severity, TableEvidence, TagEvidence, Verdict,
};

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

/// A number with its thousands apart: `1204318` as `1,204,318`.
#[must_use]
pub fn number(n: u64) -> String {
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

/// The treatment of a column that took something away from its cells, if any did.
pub(crate) fn masking(column: &ColumnEvidence) -> Option<&str> {
    column.treatment.as_deref().filter(|treatment| *treatment != "keep")
}

/// The keys that may have made a column's tokens, as in `key K7Q2Z`; `None` where it has none.
pub(crate) fn key_words(column: &ColumnEvidence, evidence: &CheckEvidence) -> Option<String> {
    let has_tokens = matches!(column.treatment.as_deref(), Some("pseudonymize" | "text"));
    let ids: Vec<&str> = evidence.keys.iter().map(|key| key.id.as_str()).collect();
    (has_tokens && !ids.is_empty()).then(|| format!("key {}", ids.join(" or ")))
}

/// The tag that counts for a column: its own, else that of whole rows.
pub(crate) fn tag_of<'e>(
    column: &ColumnEvidence,
    evidence: &'e CheckEvidence,
) -> Option<&'e TagEvidence> {
    let tags = || evidence.retention.iter().flat_map(|retention| &retention.tags);
    let own = tags().find(|tag| tag.column.as_deref() == Some(column.name.as_str()));
    own.or_else(|| tags().find(|tag| tag.column.is_none()))
}

/// A table with versions in pairs of what and how.
pub(crate) fn table_facts(told: &TableEvidence) -> Vec<(&'static str, String)> {
    let counted = |rows: Option<u64>| rows.map_or_else(|| "cannot be told".to_owned(), number);
    let version = match told.version {
        Some(version) => version_words(version, told.snapshot.as_deref()),
        None => "cannot be told".to_owned(),
    };
    let mut facts = vec![
        ("Format", told.format.clone()),
        ("Current version", version),
        ("Data files of it", number(told.files)),
        ("Older versions that can be read", number(told.old_versions.len() as u64)),
        ("Files that it does not need", number(told.unreferenced_files)),
    ];
    if !told.partition_by.is_empty() {
        facts.push(("Rows are divided by", told.partition_by.join(", ")));
    }
    if told.unreferenced_files > 0 {
        facts.push(("Expired rows in those", counted(told.unreferenced_expired_rows)));
        facts.push(("Cells with identifiers in those", number(told.unreferenced_residual)));
    }
    if told.deletion_marks > 0 {
        facts.push(("Marks that delete rows still in files", number(told.deletion_marks)));
    }
    if told.told_values > 0 {
        facts.push(("Of which the log still tells values", number(told.told_values)));
    }
    if !told.untold.is_empty() {
        facts.push(("Could not be told", told.untold.join("; ")));
    }
    facts
}

/// A version by its number, and by its snapshot where it has one.
pub(crate) fn version_words(version: u64, snapshot: Option<&str>) -> String {
    match snapshot {
        Some(snapshot) => format!("{version} (snapshot {snapshot})"),
        None => version.to_string(),
    }
}

/// The expired rows of an older version.
pub(crate) fn expired_words(old: &OldVersion) -> String {
    let most = if old.at_most { " at most" } else { "" };
    old.expired_rows
        .map_or_else(|| "cannot be told".to_owned(), |rows| format!("{}{most}", number(rows)))
}

/// A cell of a spreadsheet that is taken for no formula.
pub(crate) fn cell(text: &str) -> String {
    let mut cell = tame(text);
    // Some readers skip white space before they look for a formula.
    if cell.trim_start().starts_with(['=', '+', '-', '@']) {
        cell.insert(0, '\'');
    }
    cell
}

/// A cell of CSV (RFC 4180).
pub(crate) fn csv_cell(text: &str) -> String {
    let cell = cell(text);
    match cell.contains([',', '"']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    }
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

    #[test]
    fn cells_are_quoted_and_no_formula() {
        assert_eq!(csv_cell("plain"), "plain");
        assert_eq!(csv_cell("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(csv_cell("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(csv_cell("@x,y"), "\"'@x,y\"");
        assert_eq!(csv_cell("a\nb"), "a\u{fffd}b");
        for formula in ["=1", "+1", "-1", "@SUM(1)", " =1", "\u{a0}=1"] {
            assert!(cell(formula).starts_with('\''), "{formula}");
        }
    }
}
