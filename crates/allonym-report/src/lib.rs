//! What a check found, as one JSON that people, programs and auditors read.
//!
//! Evidence holds names, counts and digests, never a cell.
//!
//! ```
//! use allonym_report::CheckEvidence;
//!
//! let schema = CheckEvidence::json_schema();
//! assert!(schema["properties"]["findings"].is_object());
//! ```
//!
//! # What it does not do
//!
//! It judges nothing: it only says how a judgement is written down.

mod evidence;

pub use evidence::{
    CheckEvidence, ColumnEvidence, FileEvidence, Finding, HoldEvidence, KeyEvidence, LookedFor,
    PolicyEvidence, Recall, Residual, RetentionEvidence, Severity, TagEvidence, Verdict,
};
