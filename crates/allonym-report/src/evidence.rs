//! What a check found, as it is written down and sent: names, counts and digests, never a cell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a check found: `allonym.check/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckEvidence {
    /// `allonym.check/1`.
    pub schema: String,
    /// Name and version of the program.
    pub tool: String,
    /// Who ran it, as the ledger would name them.
    pub actor: String,
    /// The date of the decision, RFC 3339.
    pub as_of: String,
    /// What was checked, as it was named.
    pub source: String,
    /// In one word.
    pub verdict: Verdict,
    /// The policy it was checked against.
    pub policy: PolicyEvidence,
    /// What was looked for.
    pub looked_for: LookedFor,
    /// Rows in all files.
    pub rows: u64,
    /// Rows that were searched for identifiers; retention is counted over all rows.
    pub rows_read: u64,
    /// Seed of the sample.
    pub seed: u64,
    /// Files, in order.
    pub files: Vec<FileEvidence>,
    /// Tables with versions among what was checked; their current files stand in `files`.
    #[serde(default)]
    pub tables: Vec<TableEvidence>,
    /// Columns of all files, each once.
    pub columns: Vec<ColumnEvidence>,
    /// Identifiers that are left.
    pub residual: Residual,
    /// Retention; null where neither policy nor manifest has tags.
    pub retention: Option<RetentionEvidence>,
    /// Keys that made the tokens, as the manifests name them.
    pub keys: Vec<KeyEvidence>,
    /// What is wrong or worth knowing, gravest first.
    pub findings: Vec<Finding>,
    /// What this does not prove.
    pub limits: Vec<String>,
    /// Signature over all the rest; null where no keyring was at hand.
    pub signature: Option<Value>,
}

impl CheckEvidence {
    /// Schema name of version 1.
    pub const SCHEMA: &'static str = "allonym.check/1";

    /// JSON Schema of the evidence.
    #[must_use]
    pub fn json_schema() -> Value {
        schemars::schema_for!(CheckEvidence).to_value()
    }

    /// The JSON, with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self)
            .expect("evidence holds only strings, finite numbers and string-keyed maps");
        json.push('\n');
        json
    }

    /// Findings of a severity.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.severity == severity)
    }
}

/// A check in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing against the policy was found.
    Ready,
    /// Something is against the policy.
    NotReady,
    /// Something could not be told.
    Unverified,
}

/// How grave a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Could not be told, which is never taken for good.
    Unverified,
    /// Against the policy.
    Breach,
    /// Good to know.
    Note,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Stable code, `ALO-R101`.
    pub code: String,
    /// How grave it is.
    pub severity: Severity,
    /// The file, where it is of one.
    pub file: Option<String>,
    /// The column, where it is of one.
    pub column: Option<String>,
    /// How many of what the message tells.
    pub count: Option<u64>,
    /// What is so; no cell is quoted.
    pub message: String,
    /// What to do about it.
    pub next: Option<String>,
}

/// The policy of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyEvidence {
    /// Its name.
    pub name: Option<String>,
    /// What the data is for.
    pub purpose: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Its digest.
    pub sha256: String,
}

/// What was looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookedFor {
    /// Kinds of identifiers.
    pub entities: Vec<String>,
    /// Countries, where the policy narrows them.
    pub countries: Vec<String>,
    /// Languages, where the policy narrows them.
    pub languages: Vec<String>,
    /// Digest of the rules.
    pub rules_sha256: String,
}

/// One file of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileEvidence {
    /// Its path, as it was named.
    pub path: String,
    /// Its digest; null for what is no file.
    pub sha256: Option<String>,
    /// Its rows.
    pub rows: u64,
    /// The input that it was made of, as the manifest names it; null where none tells.
    #[serde(default)]
    pub made_from: Option<String>,
    /// The manifest that tells of it.
    pub manifest: Option<String>,
    /// `known`, `unknown`, `unsigned` or `broken`; null without a manifest.
    pub signature: Option<String>,
    /// The key that signed the manifest.
    pub key: Option<String>,
    /// Whether its digest is the manifest's; null without one.
    pub unchanged: Option<bool>,
    /// Signed evidence of the expiries and erasures that made it another one since, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed_by: Vec<String>,
}

impl FileEvidence {
    /// A file of which no manifest tells.
    #[must_use]
    pub fn of(path: &str, sha256: Option<String>, rows: u64) -> FileEvidence {
        FileEvidence {
            path: path.to_owned(),
            sha256,
            rows,
            made_from: None,
            manifest: None,
            signature: None,
            key: None,
            unchanged: None,
            changed_by: Vec::new(),
        }
    }
}

/// A table with versions: what stands in its folder besides the files that count now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableEvidence {
    /// Its folder, as it was named.
    pub path: String,
    /// `delta` or `iceberg`.
    pub format: String,
    /// The current version; null where its log cannot be read.
    pub version: Option<u64>,
    /// The id of the current snapshot, of formats that have such.
    pub snapshot: Option<String>,
    /// Data files of the current version.
    pub files: u64,
    /// Columns that rows are divided by: their values stand in paths and in the log, too.
    pub partition_by: Vec<String>,
    /// Marks that delete rows of the current version, which are still in its files: deletion vectors,
    /// files of deletes.
    pub deletion_marks: u64,
    /// Older versions that can still be read, oldest first.
    pub old_versions: Vec<OldVersion>,
    /// Data files in the folder that the current version does not need.
    pub unreferenced_files: u64,
    /// Expired rows in those; null where that cannot be told.
    pub unreferenced_expired_rows: Option<u64>,
    /// Cells in those that hold identifiers, of the rows that were searched.
    pub unreferenced_residual: u64,
    /// Files that are gone, of which the log still tells values; of Iceberg, lists of files that no
    /// snapshot needs.
    pub told_values: u64,
    /// What could not be told of the table.
    pub untold: Vec<String>,
}

/// An older version of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OldVersion {
    /// Its number.
    pub version: u64,
    /// The id of its snapshot, of formats that have such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// When it was written, RFC 3339, where the log says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<String>,
    /// Rows in it that have expired; null where that cannot be told.
    pub expired_rows: Option<u64>,
    /// Some of them may be deleted by a mark: they are still in its files, and no reader shows them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_most: bool,
}

/// One column of a check.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnEvidence {
    /// Path.
    pub name: String,
    /// Type, in the words of scans.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What the policy does to it; null when it does not list it.
    pub treatment: Option<String>,
    /// Why it is kept.
    pub reason: Option<String>,
    /// What it looks like now.
    pub entity: Option<String>,
    /// `direct`, `quasi`, `sensitive` or `secret`.
    pub group: Option<String>,
    /// Share of its cells that look like it, in [0, 1].
    pub share: Option<f64>,
    /// Confidence of that, in [0, 1].
    pub confidence: Option<f64>,
    /// Its fideslang category: what its tag says, else that of what it was found to be.
    #[serde(default)]
    pub category: Option<String>,
    /// What it is for.
    pub purpose: Vec<String>,
    /// Its retention rule in words.
    pub retention: Option<String>,
    /// Cells that were searched, nulls left out.
    pub cells: u64,
    /// Cells with an identifier that should not be there.
    pub residual: u64,
}

/// Identifiers that are left in the output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    /// Rows that were searched.
    pub rows_read: u64,
    /// Cells with an identifier that should not be there; a row with several counts several times.
    pub found: u64,
    /// Share of rows that may have one, at most, in [0, 1]: the exact upper bound for what was
    /// found, divided by the recall of the detector where that is known.
    pub upper_bound: f64,
    /// Confidence of the bound.
    pub confidence: f64,
    /// How much the detector finds, as measured; null when nobody said.
    pub recall: Option<Recall>,
    /// The bound in words.
    pub statement: String,
}

/// Measured recall of the detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recall {
    /// Share of identifiers that it finds, in [0, 1].
    pub value: f64,
    /// Lower end of its interval, which the bound uses.
    pub low: f64,
    /// Where that was measured.
    pub measured_on: String,
}

/// Retention of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionEvidence {
    /// Zone in which days begin.
    pub zone: String,
    /// Tags and what they say on the date of the check.
    pub tags: Vec<TagEvidence>,
    /// Legal holds.
    pub holds: Vec<HoldEvidence>,
}

/// One tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagEvidence {
    /// The column it is for; null for whole rows.
    pub column: Option<String>,
    /// What the period is counted from.
    pub anchor: String,
    /// How long, ISO 8601.
    pub duration: String,
    /// The statutory floor, ISO 8601.
    pub retain_at_least: Option<String>,
    /// What happens then.
    pub on_expiry: String,
    /// How it becomes coarser then, in the words of the policy.
    #[serde(default)]
    pub generalize: Option<Value>,
    /// What a missing anchor means; the default of policies when left out.
    #[serde(default)]
    pub on_null_anchor: Option<String>,
    /// Zone of anchors without one.
    #[serde(default)]
    pub assume_tz: Option<String>,
    /// What the data is.
    pub category: Option<String>,
    /// What it is kept for.
    pub purpose: Vec<String>,
    /// On what legal basis.
    pub legal_basis: Option<String>,
    /// Whose law.
    pub jurisdiction: Option<String>,
    /// Rows by verdict.
    pub counts: BTreeMap<String, u64>,
    /// Rows to retain that expire within thirty days.
    pub expiring: u64,
    /// Rows whose anchor looks made up.
    pub suspicious: u64,
}

/// One legal hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldEvidence {
    /// Its name.
    pub id: String,
    /// On whose word.
    pub authority: String,
    /// First day.
    pub from: String,
    /// Last day before which somebody must look at it again.
    pub review_by: String,
    /// Whether it holds on the date of the check.
    pub in_force: bool,
    /// Whether its review is overdue.
    pub overdue: bool,
    /// Whether it covers a file of the check.
    pub covers: bool,
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyEvidence {
    /// Its id.
    pub id: String,
    /// Its epoch.
    pub epoch: u32,
    /// Tables whose tokens join.
    pub domain: String,
}
