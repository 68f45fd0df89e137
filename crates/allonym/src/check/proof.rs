//! Manifests: whether a file is what its manifest says, and who signed that.

use super::finding;
use crate::manifest::{copy_faults, has_copy, layout, read_retention};
use crate::run::FOLDER_RECEIPT;
use crate::succession::{Succeeded, Succession};
use crate::verify::{SignatureState, signature_of};
use crate::{Policy, Receipt, ReceiptField, ReceiptFile};
use allonym_report::{FileEvidence, Finding, Severity};
use arrow_schema::Schema;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The manifest of a file.
pub(super) struct Proof {
    pub(super) receipt: Receipt,
    pub(super) place: PathBuf,
    output: ReceiptFile,
    signature: SignatureState,
    key: Option<String>,
}

/// Manifests of folders that were met, so that files they list and nobody saw are missed.
#[derive(Default)]
pub(super) struct Proofs {
    folders: BTreeMap<PathBuf, (Receipt, BTreeSet<String>)>,
    succession: Succession,
}

impl Proofs {
    /// The manifest that has this file among its outputs: beside it, or in a folder above it.
    pub(super) fn of(&mut self, path: Option<&Path>, known: &[String]) -> Option<Proof> {
        let path = path?;
        let real = path.canonicalize().ok()?;
        let name = path.file_name()?.to_string_lossy().into_owned();
        let beside = path.with_file_name(format!("{name}.allonym.json"));
        let above = real.ancestors().skip(1).take(super::FOLDERS_UP_MAX);
        let of_folders = above.map(|folder| folder.join(FOLDER_RECEIPT));
        std::iter::once(beside).chain(of_folders).find_map(|place| {
            let text = fs::read_to_string(&place).ok()?;
            // Only what was signed counts, and what cannot be read is no manifest.
            let receipt = Receipt::parse(&text, "manifest").ok()?;
            let folder = place.parent()?;
            let is_it = |output: &&ReceiptFile| {
                folder.join(&output.path).canonicalize().is_ok_and(|output| output == real)
            };
            let output = receipt.outputs.iter().find(is_it)?.clone();
            let (signature, key) = signature_of(&text, &receipt.schema, known);
            if place.ends_with(FOLDER_RECEIPT) {
                let seen = self.folders.entry(place.clone());
                let (_, seen) = seen.or_insert_with(|| (receipt.clone(), BTreeSet::new()));
                seen.insert(output.path.clone());
            }
            Some(Proof { receipt, place, output, signature, key })
        })
    }

    /// How a file came to be another one than its manifest tells of, where evidence says so.
    pub(super) fn succeeded(
        &mut self,
        proof: &Proof,
        path: Option<&Path>,
        sha256: &str,
        known: &[String],
    ) -> Option<Succeeded> {
        let told = &proof.output.sha256;
        if *told == sha256 { None } else { self.succession.of(path?, told, sha256, known) }
    }

    /// Files that a manifest lists and that are no longer there.
    pub(super) fn missing(&self) -> Vec<Finding> {
        let folders = self.folders.iter();
        folders
            .flat_map(|(place, (receipt, _))| {
                let folder = place.parent().unwrap_or_else(|| Path::new(""));
                receipt.outputs.iter().filter(|output| !folder.join(&output.path).exists())
            })
            .map(|output| Finding {
                file: Some(output.path.clone()),
                ..finding(
                    "ALO-V108",
                    Severity::Unverified,
                    &format!("`{}` stands in the manifest and is not there", output.path),
                )
            })
            .collect()
    }
}

/// Compares a file with its manifest, and writes into its evidence what was found.
pub(super) fn judge(
    proof: Option<&Proof>,
    succeeded: Option<Succeeded>,
    evidence: &mut FileEvidence,
    schema: &Schema,
    policy: &Policy,
    name: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut tell = |code: &str, severity, message: String| {
        findings.push(Finding { file: Some(name.to_owned()), ..finding(code, severity, &message) });
    };
    let Some(proof) = proof else {
        let what = if has_copy(schema) {
            "no manifest tells of this file: the tags in it are a copy, which anybody may have made"
        } else {
            "no manifest tells of this file: nobody knows how it was made and how long it may be kept"
        };
        tell("ALO-V101", Severity::Unverified, what.to_owned());
        return findings;
    };
    let tagged = proof.receipt.retention.is_some();
    evidence.manifest = proof.place.file_name().map(|name| name.to_string_lossy().into_owned());
    evidence.key.clone_from(&proof.key);
    // Outputs stand in the order of their inputs.
    let receipt = &proof.receipt;
    let at = receipt.outputs.iter().position(|output| output.path == proof.output.path);
    let input = at.filter(|_| receipt.inputs.len() == receipt.outputs.len());
    evidence.made_from = input.map(|at| receipt.inputs[at].path.clone());
    let (state, fault) = match proof.signature {
        SignatureState::Known => ("known", None),
        SignatureState::Broken => {
            ("broken", Some(("ALO-V102", Severity::Breach, "the manifest is not what was signed")))
        }
        SignatureState::Unknown => (
            "unknown",
            Some((
                "ALO-V103",
                Severity::Unverified,
                "the manifest is signed with a key that nobody vouched for; name it with --signer",
            )),
        ),
        // Without tags a receipt is a courtesy; with them it is the authority.
        SignatureState::Unsigned if tagged => {
            ("unsigned", Some(("ALO-V103", Severity::Unverified, "the manifest is not signed")))
        }
        SignatureState::Unsigned => {
            ("unsigned", Some(("ALO-V103", Severity::Note, "the manifest is not signed")))
        }
    };
    evidence.signature = Some(state.to_owned());
    if let Some((code, severity, message)) = fault {
        tell(code, severity, message.to_owned());
    }
    let unchanged = evidence.sha256.as_deref() == Some(proof.output.sha256.as_str());
    evidence.unchanged = Some(unchanged);
    match succeeded {
        Some(Succeeded { by, is_known: true }) => evidence.changed_by = by,
        Some(Succeeded { by, .. }) => tell(
            "ALO-V104",
            Severity::Unverified,
            format!(
                "the file is not the one that the manifest tells of, and nobody known has signed the \
                 evidence of how it became another: {}",
                by.join(", ")
            ),
        ),
        None if !unchanged => tell(
            "ALO-V104",
            Severity::Breach,
            "the file is not the one that the manifest tells of: its digest is another".to_owned(),
        ),
        None => {}
    }
    if let Some(told) = proof.receipt.columns_of(&proof.output) {
        for drift in drifts(told, &layout(schema)) {
            tell("ALO-V105", Severity::Breach, drift);
        }
    }
    if proof.receipt.policy.sha256 != policy.digest() {
        tell(
            "ALO-V107",
            Severity::Breach,
            "the file was written under another policy than it is checked against".to_owned(),
        );
    }
    match proof.receipt.retention.as_ref().map(read_retention) {
        Some(None) => tell(
            "ALO-V106",
            Severity::Unverified,
            "the retention tags of the manifest cannot be read".to_owned(),
        ),
        // Only Parquet and Arrow hold copies.
        Some(Some(tags)) if holds_copies(name) => {
            for fault in copy_faults(schema, &tags, &proof.receipt.policy.sha256) {
                tell("ALO-V106", Severity::Breach, fault);
            }
        }
        None if has_copy(schema) => tell(
            "ALO-V106",
            Severity::Breach,
            "the file holds retention tags that its manifest does not know".to_owned(),
        ),
        _ => {}
    }
    findings
}

fn holds_copies(name: &str) -> bool {
    let formats = [allonym_io::Format::Parquet, allonym_io::Format::Ipc];
    allonym_io::Format::of_path(Path::new(name)).is_some_and(|format| formats.contains(&format))
}

/// How columns differ from those that were written, in words. What looks like a renaming is said to
/// look like one, and nothing is moved.
fn drifts(told: &[ReceiptField], found: &[ReceiptField]) -> Vec<String> {
    let mut drifts = Vec::new();
    let named = |columns: &[ReceiptField], name: &str| -> Option<ReceiptField> {
        columns.iter().find(|column| column.name == name).cloned()
    };
    let gone: Vec<(usize, &ReceiptField)> =
        told.iter().enumerate().filter(|(_, c)| named(found, &c.name).is_none()).collect();
    let new: Vec<(usize, &ReceiptField)> =
        found.iter().enumerate().filter(|(_, c)| named(told, &c.name).is_none()).collect();
    for (at, column) in &gone {
        let there = new.iter().find(|(place, other)| {
            place == at && other.type_name == column.type_name && told.len() == found.len()
        });
        let renamed = there.map(|(_, other)| format!("; `{}` stands in its place", other.name));
        drifts.push(format!(
            "column `{}` of the manifest is gone{}",
            column.name,
            renamed.unwrap_or_default()
        ));
    }
    for (_, column) in &new {
        drifts.push(format!("column `{}` is not in the manifest", column.name));
    }
    for column in told {
        if let Some(now) =
            named(found, &column.name).filter(|now| now.type_name != column.type_name)
        {
            drifts.push(format!(
                "column `{}` was of type {} and is of type {}",
                column.name, column.type_name, now.type_name
            ));
        }
    }
    drifts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(columns: &[(&str, &str)]) -> Vec<ReceiptField> {
        let field = |(name, type_name): &(&str, &str)| ReceiptField {
            name: (*name).to_owned(),
            type_name: (*type_name).to_owned(),
        };
        columns.iter().map(field).collect()
    }

    #[test]
    fn drift_is_named_column_by_column() {
        let told = fields(&[("iban", "string"), ("closed", "date"), ("amount", "float")]);
        assert_eq!(drifts(&told, &told), Vec::<String>::new());
        let renamed = fields(&[("account", "string"), ("closed", "date"), ("amount", "float")]);
        assert_eq!(
            drifts(&told, &renamed),
            [
                "column `iban` of the manifest is gone; `account` stands in its place",
                "column `account` is not in the manifest"
            ]
        );
        let retyped = fields(&[("iban", "string"), ("closed", "string")]);
        assert_eq!(
            drifts(&told, &retyped),
            [
                "column `amount` of the manifest is gone",
                "column `closed` was of type date and is of type string"
            ]
        );
    }
}
