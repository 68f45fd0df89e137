//! Findings as CSV, one a line, for spreadsheets and registers.

use crate::clauses::clause_of;
use crate::words::{csv_cell, severity};
use crate::{CheckEvidence, Finding};

/// The findings of a check as CSV (RFC 4180): `code,what,file,column,count,message,next,clauses`.
///
/// A cell that a spreadsheet would take for a formula gets an apostrophe before it.
#[must_use]
pub fn csv(evidence: &CheckEvidence) -> String {
    let mut text = String::from("code,what,file,column,count,message,next,clauses\r\n");
    for finding in &evidence.findings {
        let cells: Vec<String> = cells(finding).iter().map(|cell| csv_cell(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A finding as the cells of a row.
pub(crate) fn cells(finding: &Finding) -> [String; 8] {
    let clauses = clause_of(&finding.code).map(|clause| clause.clauses.join("; "));
    [
        finding.code.clone(),
        severity(finding.severity).to_owned(),
        finding.file.clone().unwrap_or_default(),
        finding.column.clone().unwrap_or_default(),
        finding.count.map(|count| count.to_string()).unwrap_or_default(),
        finding.message.clone(),
        finding.next.clone().unwrap_or_default(),
        clauses.unwrap_or_default(),
    ]
}
