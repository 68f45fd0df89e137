//! Findings as CSV, one a line, for spreadsheets and registers.

use crate::CheckEvidence;
use crate::clauses::clause_of;
use crate::words::{severity, tame};

/// The findings of a check as CSV (RFC 4180): `code,what,file,column,count,message,next,clauses`.
///
/// A cell that a spreadsheet would take for a formula gets an apostrophe before it.
#[must_use]
pub fn csv(evidence: &CheckEvidence) -> String {
    let mut text = String::from("code,what,file,column,count,message,next,clauses\r\n");
    for finding in &evidence.findings {
        let clauses = clause_of(&finding.code).map(|clause| clause.clauses.join("; "));
        let cells = [
            finding.code.clone(),
            severity(finding.severity).to_owned(),
            finding.file.clone().unwrap_or_default(),
            finding.column.clone().unwrap_or_default(),
            finding.count.map(|count| count.to_string()).unwrap_or_default(),
            finding.message.clone(),
            finding.next.clone().unwrap_or_default(),
            clauses.unwrap_or_default(),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn quoted(cell: &str) -> String {
    let mut cell = tame(cell);
    if cell.starts_with(['=', '+', '-', '@', '\t']) {
        cell.insert(0, '\'');
    }
    match cell.contains([',', '"']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formula() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(quoted("@x,y"), "\"'@x,y\"");
        assert_eq!(quoted("a\nb"), "a\u{fffd}b");
    }
}
