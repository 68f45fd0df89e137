//! What a receipt is worth today: whose signature it has, and whether the files are those it tells of.

use crate::ledger::{Signature, is_signed};
use crate::run::FOLDER_RECEIPT;
use crate::succession::Succession;
use crate::{Certificate, ExpireEvidence, Failure, Receipt, Result, Version};
use allonym_io::{Input, expand, sha256_file};
use allonym_report::CheckEvidence;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A receipt that was looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceiptCheck {
    /// The receipt.
    pub receipt: String,
    /// SHA-256 of its bytes, as the ledger names it.
    pub sha256: String,
    /// Whose signature it has.
    pub signature: SignatureState,
    /// The key that signed it, where one did.
    pub key: Option<String>,
    /// Its outputs, in its order, then files beside them that it does not list.
    pub files: Vec<FileCheck>,
}

/// Whose signature a document has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureState {
    /// That of a key that is known.
    Known,
    /// That of the key it names itself, and nobody said whose key that is.
    Unknown,
    /// None.
    Unsigned,
    /// One that is not of this document.
    Broken,
}

/// One file of a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileCheck {
    /// As the receipt names it.
    pub path: String,
    /// What became of it.
    pub state: FileState,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// It is what was written.
    Same,
    /// It is what an expiry or an erasure made of it since, as signed evidence beside it tells.
    Succeeded,
    /// It is something else.
    Changed,
    /// It is not there.
    Missing,
    /// It is there and the receipt does not list it.
    Unlisted,
}

impl ReceiptCheck {
    /// Exit code of the command line: 1 when something is not what it was, 3 when that cannot be
    /// told, else 0.
    #[must_use]
    pub fn exit(&self) -> u8 {
        let is = |state| self.files.iter().any(|file| file.state == state);
        let changed = is(FileState::Changed) || is(FileState::Unlisted);
        match self.signature {
            SignatureState::Unsigned | SignatureState::Unknown => 3,
            _ if is(FileState::Missing) => 3,
            SignatureState::Broken => 1,
            SignatureState::Known if changed => 1,
            SignatureState::Known => 0,
        }
    }

    /// How many files are what was written.
    #[must_use]
    pub fn same(&self) -> usize {
        self.files.iter().filter(|file| file.state == FileState::Same).count()
    }
}

/// What a document says of files: a receipt of its outputs, the evidence of an expiry and the
/// certificate of an erasure of the files as they left them, the evidence of a check of those it saw.
struct Told {
    kind: String,
    /// Paths and digests.
    outputs: Vec<(String, String)>,
}

impl Told {
    fn read(text: &str, name: &str) -> Result<Told> {
        #[derive(Deserialize)]
        struct Kind {
            schema: String,
        }
        let kind = serde_json::from_str::<Kind>(text).map(|kind| kind.schema);
        let broken = |_| {
            let message = format!("{name}: no evidence of this version");
            Failure::new("ALO-D003", 3, message)
        };
        let after = |path: String, before: Version, after: Option<Version>| {
            (path, after.unwrap_or(before).sha256)
        };
        match kind.as_deref() {
            Ok(kind @ ExpireEvidence::SCHEMA) => {
                let evidence: ExpireEvidence = serde_json::from_str(text).map_err(broken)?;
                let files = evidence.files.into_iter();
                let outputs = files.map(|file| after(file.path, file.before, file.after)).collect();
                Ok(Told { kind: kind.to_owned(), outputs })
            }
            Ok(kind @ Certificate::SCHEMA) => {
                let certificate: Certificate = serde_json::from_str(text).map_err(broken)?;
                let files = certificate.files.into_iter();
                let outputs = files.map(|file| after(file.path, file.before, file.after)).collect();
                Ok(Told { kind: kind.to_owned(), outputs })
            }
            Ok(kind @ CheckEvidence::SCHEMA) => {
                let evidence: Value = serde_json::from_str(text).map_err(broken)?;
                let text_of = |value: &Value| value.as_str().map(str::to_owned);
                let files = evidence["files"].as_array().into_iter().flatten();
                let outputs = files
                    .filter_map(|file| Some((text_of(&file["path"])?, text_of(&file["sha256"])?)));
                Ok(Told { kind: kind.to_owned(), outputs: outputs.collect() })
            }
            _ => {
                let receipt = Receipt::parse(text, name)?;
                let outputs = receipt.outputs.into_iter().map(|file| (file.path, file.sha256));
                Ok(Told { kind: receipt.schema, outputs: outputs.collect() })
            }
        }
    }
}

/// Looks again at a receipt, or at the evidence of a check, an expiry or an erasure. `data` is where its
/// files are now; they are looked for beside it when left out. `known` are the public keys that are trusted ([`crate::ledger::signing_key`]).
///
/// # Errors
/// A receipt that is not there or is none, files that cannot be read.
pub fn verify_receipt(path: &Path, data: Option<&Path>, known: &[String]) -> Result<ReceiptCheck> {
    let name = path.display().to_string();
    let text = read_text(path)?;
    let told = Told::read(&text, &name)?;
    let outputs = &told.outputs;
    let (signature, key) = signature_of(&text, &told.kind, known);
    let mut files = Vec::new();
    let mut succession = Succession::default();
    let base = path.parent().unwrap_or_else(|| Path::new(""));
    for output in outputs {
        let file = match data {
            Some(data) if data.is_dir() => {
                // A receipt beside its only file names it from there; one that was moved away may
                // name it by a longer way, of which the last part stays.
                let whole = data.join(&output.0);
                let short = Path::new(&output.0).file_name().map(|name| data.join(name));
                short.filter(|_| !whole.exists() && outputs.len() == 1).unwrap_or(whole)
            }
            Some(data) if outputs.len() == 1 => data.to_owned(),
            Some(data) => data.join(&output.0),
            None => base.join(&output.0),
        };
        let mut came_from = |now: &str| {
            let since = succession.of(&file, &output.1, now, known);
            since.is_some_and(|since| since.is_known)
        };
        let state = if !file.is_file() {
            FileState::Missing
        } else {
            match sha256_file(&file)? {
                now if now == output.1 => FileState::Same,
                now if came_from(&now) => FileState::Succeeded,
                _ => FileState::Changed,
            }
        };
        files.push(FileCheck { path: output.0.clone(), state });
    }
    let folder = match data {
        Some(data) if data.is_dir() => Some(data),
        None => Some(base),
        Some(_) => None,
    };
    if path.file_name().is_some_and(|name| name == FOLDER_RECEIPT) {
        let listed = folder.map(|folder| unlisted(folder, outputs)).transpose()?;
        files.extend(listed.unwrap_or_default());
    }
    let sha256 = crate::ledger::digest_of(text.as_bytes()).to_string();
    Ok(ReceiptCheck { receipt: name, sha256, signature, key, files })
}

/// Whose signature the text of a document has, and the key that made it. The text, not what a
/// program makes of it: what is not signed in it must not count.
pub(crate) fn signature_of(
    text: &str,
    kind: &str,
    known: &[String],
) -> (SignatureState, Option<String>) {
    let document: Value = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(_) => return (SignatureState::Broken, None),
    };
    let Some(told) = document.get("signature").filter(|told| !told.is_null()) else {
        return (SignatureState::Unsigned, None);
    };
    let Ok(signature) = serde_json::from_value::<Signature>(told.clone()) else {
        return (SignatureState::Broken, None);
    };
    let state = if !is_signed(kind, &document, &signature) {
        SignatureState::Broken
    } else if known.contains(&signature.key) {
        SignatureState::Known
    } else {
        SignatureState::Unknown
    };
    (state, Some(signature.key))
}

/// Data files of a folder that its receipt does not list.
fn unlisted(folder: &Path, outputs: &[(String, String)]) -> Result<Vec<FileCheck>> {
    let places = outputs.iter().map(|(path, _)| folder.join(path));
    let listed: BTreeSet<PathBuf> = places.filter_map(|place| place.canonicalize().ok()).collect();
    if !folder.is_dir() || listed.is_empty() {
        return Ok(Vec::new());
    }
    let name = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let found = expand(&[name.display().to_string()])?.found;
    let extra = found.into_iter().filter_map(|found| match &found.input {
        Input::File(path) if !path.canonicalize().is_ok_and(|path| listed.contains(&path)) => {
            Some(FileCheck { path: found.relative, state: FileState::Unlisted })
        }
        _ => None,
    });
    Ok(extra.collect())
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| {
        Failure::new("ALO-D003", 3, format!("cannot read `{}`: {}", path.display(), error.kind()))
    })
}
