//! Policy to plan to treated batches. No input or output, no clock, no environment.
//!
//! API (the contract other crates compile against).

use allonym_keys::Keyring;
use allonym_recognize::{Judgement, Recognizer, RuleSet, Selection, Tuning};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::collections::BTreeMap;

/// A policy that cannot be used: exit 2. Positions are 1-based and point into the TOML text.
#[derive(Debug, thiserror::Error)]
#[error("{origin}:{line}:{column}: {message}")]
pub struct PolicyError {
    /// File name as given.
    pub origin: String,
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
    /// What is wrong, what was expected.
    pub message: String,
    /// What to do, where something can be said.
    pub hint: Option<String>,
    /// Stable code, `ALO-P001` ...
    pub code: &'static str,
}

/// A parsed `allonym.toml` with defaults filled in.
#[derive(Clone, Debug)]
pub struct Policy {}

impl Policy {
    /// Parses TOML; `origin` is named in errors.
    pub fn parse(_toml: &str, _origin: &str) -> Result<Policy, PolicyError> {
        todo!()
    }
    /// Drafts a policy from judged columns.
    pub fn draft(_columns: &[(String, Judgement)], _rules: &RuleSet, _name: &str, _purpose: &str) -> Policy {
        todo!()
    }
    /// The TOML of this policy, commented for people when drafted.
    pub fn to_toml(&self) -> String {
        todo!()
    }
    /// Adds columns of a newer draft that this text lacks, keeping comments and order (`init --update`).
    pub fn update_toml(_existing: &str, _draft: &Policy) -> Result<String, PolicyError> {
        todo!()
    }
    /// A new policy that keeps the columns.
    pub fn keep(&self, _columns: &[&str], _reason: &str) -> Policy {
        todo!()
    }
    /// SHA-256 of the RFC 8785 JSON with defaults filled in, lower-case hex.
    pub fn digest(&self) -> String {
        todo!()
    }
    /// `[keys]`.
    pub fn keys(&self) -> &KeyReference {
        todo!()
    }
    /// `[find]` as the recognizer wants it.
    pub fn selection(&self) -> Selection {
        todo!()
    }
    /// `[find]` scores, allow and deny lists.
    pub fn tuning(&self) -> Tuning {
        todo!()
    }
    /// `[find] rules`: folders with more rules.
    pub fn rule_folders(&self) -> &[String] {
        todo!()
    }
    /// Whether any column needs a key.
    pub fn needs_keys(&self) -> bool {
        todo!()
    }
    /// Whether any column needs detection (text treatments, `match entity`).
    pub fn needs_recognizer(&self) -> bool {
        todo!()
    }
    /// JSON Schema of the policy file.
    pub fn json_schema() -> serde_json::Value {
        todo!()
    }
}

/// `[keys]`: references only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReference {
    /// `file:...` or `env:...`; `None`: the user's default ring.
    pub ring: Option<String>,
    /// Id or label; `None`: the active key.
    pub key: Option<String>,
    /// Tenant.
    pub tenant: String,
    /// Domain.
    pub domain: String,
}

/// Why a plan cannot be made; `exit` is 1 (unlisted column), 2 (policy) or 3 (column missing in the data), 4 (key).
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct PlanError {
    /// Stable code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Exit code by contracts.md.
    pub exit: u8,
}

/// A cell or batch that a checked plan could still not treat; never quotes the cell.
#[derive(Debug, thiserror::Error)]
#[error("column `{column}`, row {row}: {message}")]
pub struct ApplyError {
    /// Column path.
    pub column: String,
    /// Row number from 0 in the input.
    pub row: u64,
    /// What was expected; lengths and kinds only.
    pub message: String,
}

/// Where a batch stands.
#[derive(Clone, Copy, Debug)]
pub struct Position<'a> {
    /// Name of the document (path relative to the receipt), for `consistency = "document"` and `"none"`.
    pub document: &'a str,
    /// Number of the batch's first row.
    pub first_row: u64,
}

/// A policy bound to a schema and keys. `Send + Sync`; shared by workers.
#[derive(Debug)]
pub struct Plan {}

impl Plan {
    /// Finds everything wrong before row one. `judged` gives the entity of columns where a scan was made
    /// (for `[[match]] entity = ...` and default fields); may be empty.
    pub fn compile(
        _policy: &Policy, _schema: &SchemaRef, _keys: Option<&Keyring>, _recognizer: Option<std::sync::Arc<Recognizer>>,
        _judged: &BTreeMap<String, String>,
    ) -> Result<Plan, PlanError> {
        todo!()
    }
    /// Schema of treated batches.
    pub fn output_schema(&self) -> &SchemaRef {
        todo!()
    }
    /// For each output column, the input column it is copied from untouched, if it is.
    pub fn untouched(&self) -> &[Option<usize>] {
        todo!()
    }
    /// What will be done, column by column, in input order.
    pub fn columns(&self) -> &[PlannedColumn] {
        todo!()
    }
    /// Notes for people: small domains, skew, collision bound.
    pub fn warnings(&self) -> &[String] {
        todo!()
    }
    /// Keys used: (id, epoch, domain).
    pub fn keys(&self) -> &[(String, u32, String)] {
        todo!()
    }
    /// Treats rows. Row count and order stay.
    pub fn apply(&self, _batch: &RecordBatch, _at: Position<'_>) -> Result<Treated, ApplyError> {
        todo!()
    }
}

/// One line of a plan.
#[derive(Clone, Debug)]
pub struct PlannedColumn {
    /// Path.
    pub name: String,
    /// `pseudonymize`, `keep` ...
    pub treatment: &'static str,
    /// In words, for `--dry-run`.
    pub detail: String,
    /// Entity, where known.
    pub entity: Option<String>,
}

/// Rows that went through a plan: only [`Plan::apply`] makes one, and only a treated batch is written.
#[derive(Debug)]
pub struct Treated {}

impl Treated {
    /// The rows.
    pub fn records(&self) -> &RecordBatch {
        todo!()
    }
    /// Counts, in the order of [`Plan::columns`].
    pub fn counts(&self) -> &[ColumnCounts] {
        todo!()
    }
}

/// What happened to a column; sums over batches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnCounts {
    /// Cells changed.
    pub treated: u64,
    /// Null cells (before treatment).
    pub nulls: u64,
    /// Cells made null by a sentinel of the policy.
    pub sentinels: u64,
    /// Look-alike tokens in text that were replaced.
    pub lookalikes: u64,
    /// Findings replaced in text, by entity name.
    pub findings: BTreeMap<String, u64>,
}
