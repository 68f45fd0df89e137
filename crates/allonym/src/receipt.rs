//! The receipt: what was treated, by which policy, rules and keys, with digests to check it by.

use crate::canary::ReceiptCanaries;
use crate::ledger::{self, AuditLog, Entry, Signature, is_signed};
use crate::manifest::ReceiptField;
use crate::{Failure, Result};
use allonym_core::ColumnCounts;
use allonym_io::Written;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Schema name of version 1.
pub(crate) const SCHEMA: &str = "allonym.receipt/1";

/// `OUT.allonym.json`, or `OUT/allonym.receipt.json` for a folder.
///
/// Holds digests, names and counts; never a cell. Paths are relative to the receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// `allonym.receipt/1`.
    pub schema: String,
    /// Version of the tool.
    pub tool: String,
    /// When the run began, RFC 3339; not part of the proof.
    pub started: String,
    /// When the run ended, RFC 3339; not part of the proof.
    pub finished: String,
    /// What was read, in order.
    pub inputs: Vec<ReceiptFile>,
    /// What was written, in the order of the inputs.
    pub outputs: Vec<ReceiptFile>,
    /// Rows of a table in memory, which no file holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Digest of the policy.
    pub policy: Digest,
    /// Digest of the rules in use.
    pub rules: Digest,
    /// Keys that made tokens.
    pub keys: Vec<ReceiptKey>,
    /// What happened to each column, summed over files.
    pub columns: Vec<ReceiptColumn>,
    /// When the data was collected, ISO 8601, where somebody said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_at: Option<String>,
    /// Retention tags of the outputs, as the policy writes them, each of a column by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Value>,
    /// Columns of the outputs; those of several files that are alike stand here once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layouts: Vec<Vec<ReceiptField>>,
    /// Notes that a reviewer should read.
    pub warnings: Vec<String>,
    /// Canaries that were planted by keyed coins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canaries: Option<ReceiptCanaries>,
    /// Signature over all the rest ([`is_signed`]); null where no keyring was at hand.
    pub signature: Option<Signature>,
}

/// A digest, by its algorithm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Digest {
    /// SHA-256, lower-case hex.
    pub sha256: String,
}

/// One file of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptFile {
    /// Relative to the receipt; `-` is standard input or output.
    pub path: String,
    /// SHA-256 of the stored bytes, lower-case hex.
    pub sha256: String,
    /// Rows.
    pub rows: u64,
    /// Which of the layouts an output has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<usize>,
}

impl ReceiptFile {
    pub(crate) fn read(path: String, sha256: String, rows: u64) -> ReceiptFile {
        ReceiptFile { path, sha256, rows, layout: None }
    }
}

/// One key of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptKey {
    /// Key id.
    pub id: String,
    /// Epoch.
    pub epoch: u32,
    /// Domain.
    pub domain: String,
}

/// One column of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptColumn {
    /// Path.
    pub name: String,
    /// Treatment.
    pub treatment: String,
    /// Entity, where known.
    pub entity: Option<String>,
    /// Cells changed.
    pub treated: u64,
    /// Null cells.
    pub nulls: u64,
    /// Cells made null because the policy lists them as stand-ins for "unknown".
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sentinels: u64,
    /// Cells made null because they did not read as what the treatment needs.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unparseable: u64,
    /// Token look-alikes in text that were replaced.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lookalikes: u64,
    /// Findings replaced in text, by entity.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub findings: BTreeMap<String, u64>,
}

impl Receipt {
    /// Reads a receipt.
    ///
    /// # Errors
    /// Text that is no receipt of version 1.
    pub fn parse(text: &str, path: &str) -> Result<Receipt> {
        let receipt: Receipt = serde_json::from_str(text).map_err(|error| {
            Failure::new(
                "ALO-D003",
                3,
                format!("{path}: not a receipt (line {}, column {})", error.line(), error.column()),
            )
        })?;
        if receipt.schema == SCHEMA {
            Ok(receipt)
        } else {
            Err(Failure::new("ALO-D003", 3, format!("{path}: not a receipt of version 1")))
        }
    }

    pub(crate) fn add_output(
        &mut self,
        path: String,
        written: Written,
        columns: Vec<ReceiptField>,
    ) {
        self.outputs.push(ReceiptFile::read(path, written.sha256, written.rows));
        self.set_layout(columns);
    }

    /// Says which columns the latest output has.
    pub(crate) fn set_layout(&mut self, columns: Vec<ReceiptField>) {
        let known = self.layouts.iter().position(|layout| *layout == columns);
        let at = known.unwrap_or(self.layouts.len());
        if known.is_none() {
            self.layouts.push(columns);
        }
        if let Some(output) = self.outputs.last_mut() {
            output.layout = Some(at);
        }
    }

    /// The columns of an output, where the receipt tells.
    #[must_use]
    pub fn columns_of(&self, output: &ReceiptFile) -> Option<&[ReceiptField]> {
        self.layouts.get(output.layout?).map(Vec::as_slice)
    }

    /// Signs it, where the log signs at all.
    ///
    /// # Errors
    /// Counts beyond 2^53.
    pub fn sign(&mut self, log: &AuditLog<'_>) -> Result<()> {
        self.signature = log.sign(SCHEMA, &self.value())?;
        Ok(())
    }

    /// Adds to an entry of the ledger what it says, as the text `json` of it: digests and counts.
    pub(crate) fn tell(&self, json: &str, entry: &mut Entry) {
        let digests =
            |files: &[ReceiptFile]| ledger::digests(files.iter().map(|file| file.sha256.as_str()));
        entry.inputs = digests(&self.inputs);
        entry.outputs = vec![ledger::digest_of(json.as_bytes())];
        entry.outputs.extend(digests(&self.outputs));
        let of_files = || self.outputs.iter().map(|file| file.rows).sum();
        for (name, count) in [
            ("files", self.outputs.len() as u64),
            ("rows", self.rows.unwrap_or_else(of_files)),
            ("columns", self.columns.len() as u64),
            ("cells_treated", self.columns.iter().map(|column| column.treated).sum()),
        ] {
            entry.counts.insert(name.to_owned(), count);
        }
    }

    /// Whether it is what was signed, by whomever; nothing is known of one that is not signed.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        let signed = |signature| is_signed(SCHEMA, &self.value(), signature);
        self.signature.as_ref().is_none_or(signed)
    }

    fn value(&self) -> Value {
        serde_json::to_value(self)
            .expect("a receipt holds only strings, numbers and string-keyed maps")
    }

    /// JSON Schema of it.
    #[must_use]
    pub fn json_schema() -> Value {
        schemars::schema_for!(Receipt).to_value()
    }

    /// The receipt's JSON, with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self)
            .expect("a receipt holds only strings, numbers and string-keyed maps");
        json.push('\n');
        json
    }

    /// Whether both prove the same work: inputs, policy, rules and keys (not times, not paths of
    /// outputs). Canaries are planted anew each time, for their number is known only in the end.
    #[must_use]
    pub fn same_work(&self, other: &Receipt) -> bool {
        let digests = |files: &[ReceiptFile]| -> Vec<String> {
            files.iter().map(|file| file.sha256.clone()).collect()
        };
        digests(&self.inputs) == digests(&other.inputs)
            && self.policy == other.policy
            && self.rules == other.rules
            && self.keys == other.keys
            && self.canaries.is_none()
            && other.canaries.is_none()
    }
}

impl ReceiptColumn {
    /// Adds a batch's counts.
    pub(crate) fn add(&mut self, counts: &ColumnCounts) {
        self.treated += counts.treated;
        self.nulls += counts.nulls;
        self.sentinels += counts.sentinels;
        self.unparseable += counts.unparseable;
        self.lookalikes += counts.lookalikes;
        for (entity, count) in &counts.findings {
            *self.findings.entry(entity.clone()).or_default() += count;
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
