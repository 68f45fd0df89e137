//! What a check or a measurement of linkage risk found, as one JSON, and the views of it that people and
//! programs read; and the data contracts that some of it comes from.
//!
//! Evidence holds names, counts and digests, never a cell, so no view can show one. Names of columns
//! and files come from strangers: every view writes them inert.
//!
//! ```
//! use allonym_report::{CheckEvidence, read};
//!
//! let schema = CheckEvidence::json_schema();
//! assert!(schema["properties"]["findings"].is_object());
//! assert!(read("{}").is_err());
//! ```
//!
//! # What it does not do
//!
//! It judges nothing: what the evidence does not say, no view says. The words that the law keeps for
//! itself, it does not use.

mod clauses;
mod croissant;
mod csv;
mod document;
mod evidence;
mod html;
mod markdown;
mod odcs;
mod openlineage;
mod register;
mod risk;
mod sarif;
mod words;
mod yaml;

pub use clauses::{Clause, clauses};
pub use croissant::croissant;
pub use csv::csv;
pub use document::{Document, Section, State};
pub use evidence::{
    CheckEvidence, ColumnEvidence, FileEvidence, Finding, HoldEvidence, KeyEvidence, LookedFor,
    OldVersion, PolicyEvidence, Recall, Residual, RetentionEvidence, Severity, TableEvidence,
    TagEvidence, Verdict,
};
pub use html::{escaped, html};
pub use markdown::markdown;
pub use odcs::{Contract, ContractColumn, ContractError, ContractTable, odcs};
pub use openlineage::openlineage;
pub use register::{WorkbookError, ropa, xlsx};
pub use risk::{
    ClassesEvidence, Estimate, GateDecision, PopulationEvidence, QuasiEvidence, RiskAttackEvidence,
    RiskEvidence, RiskGateEvidence, SampleEvidence, SensitiveEvidence, SizeEvidence,
    SuggestedColumn, SuggestionEvidence, UniqueSetEvidence, UniqueSetsEvidence, risk_csv,
    risk_fragment, risk_html, risk_markdown, risk_text,
};
pub use sarif::{sarif, uri};
pub use words::number;

/// Reads evidence.
///
/// # Errors
/// A text that is no evidence of a version that is known.
pub fn read(json: &str) -> Result<CheckEvidence, ReportError> {
    // The reader's own words may quote what it found.
    let evidence: CheckEvidence = serde_json::from_str(json)
        .map_err(|error| ReportError { line: error.line(), column: error.column() })?;
    if evidence.schema == CheckEvidence::SCHEMA {
        Ok(evidence)
    } else {
        Err(ReportError { line: 1, column: 1 })
    }
}

/// Reads evidence of linkage risk.
///
/// # Errors
/// A text that is no evidence of a version that is known.
pub fn read_risk(json: &str) -> Result<RiskEvidence, RiskReportError> {
    let evidence: RiskEvidence = serde_json::from_str(json)
        .map_err(|error| RiskReportError { line: error.line(), column: error.column() })?;
    if evidence.schema == RiskEvidence::SCHEMA {
        Ok(evidence)
    } else {
        Err(RiskReportError { line: 1, column: 1 })
    }
}

/// Whether a text says of itself that it is evidence of linkage risk.
#[must_use]
pub fn is_risk(json: &str) -> bool {
    let told: Result<serde_json::Value, _> = serde_json::from_str(json);
    let schema = told.as_ref().ok().and_then(|told| told["schema"].as_str());
    schema.is_some_and(|schema| schema.starts_with("allonym.risk/"))
}

/// A text that is no evidence of linkage risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no evidence of allonym.risk/1 (line {line}, column {column})")]
pub struct RiskReportError {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// A text that is no evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no evidence of allonym.check/1 (line {line}, column {column})")]
pub struct ReportError {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}
