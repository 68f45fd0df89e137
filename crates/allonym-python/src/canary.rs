//! Canaries that `apply` planted, from Python.

use crate::failure::{raise, usage};
use crate::keys::Keyring;
use crate::stream::Stream;
use crate::work::interruptible;
use allonym::{CANARY_ID, Cancel, Failure, Receipt, Result, canaries, canary_rows, score_canaries};
use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt32Array};
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// All canaries of a receipt, planted or not: texts, or rows of the output.
#[pyfunction]
pub(crate) fn list_canaries(
    py: Python<'_>,
    receipt: PathBuf,
    data: Option<PathBuf>,
    keys: &Keyring,
) -> PyResult<Stream> {
    let ring = Arc::clone(&keys.ring);
    interruptible(py, &Cancel::default(), move || {
        let (folder, receipt) = read(&receipt)?;
        let known = receipt.registered_canaries()?;
        let key = ring.key(Some(&known.key), &known.tenant)?;
        let listed = if known.rows.is_some() {
            canary_rows(&receipt, &folder, data.as_deref(), &key)?
        } else {
            let listed = canaries(known, &key)?;
            let ids: UInt32Array = listed.iter().map(|canary| Some(canary.id)).collect();
            let texts: StringArray = listed.iter().map(|canary| Some(&canary.text)).collect();
            let columns: [(&str, ArrayRef); 2] =
                [(CANARY_ID, Arc::new(ids)), ("text", Arc::new(texts))];
            RecordBatch::try_from_iter(columns)?
        };
        Ok(Stream::held(listed.schema(), vec![listed]))
    })
}

/// What a model remembers of the canaries, as JSON.
#[pyfunction]
pub(crate) fn score_canaries_of(
    py: Python<'_>,
    receipt: PathBuf,
    scores: BTreeMap<u32, f64>,
    delta: f64,
    confidence: f64,
    keys: &Keyring,
) -> PyResult<String> {
    for (name, share) in [("delta", delta), ("confidence", confidence)] {
        if !(share > 0.0 && share < 1.0) {
            return Err(raise(&usage(format!("`{name}` must lie between 0 and 1"))));
        }
    }
    let ring = Arc::clone(&keys.ring);
    interruptible(py, &Cancel::default(), move || {
        let (_, receipt) = read(&receipt)?;
        let known = receipt.registered_canaries()?;
        let listed = canaries(known, &ring.key(Some(&known.key), &known.tenant)?)?;
        let told = score_canaries(&listed, &scores, delta, confidence)?;
        serde_json::to_string(&told)
            .map_err(|_| Failure::new("ALO-X005", 5, "internal error: the evidence is not JSON"))
    })
}

/// A receipt, and the folder that its paths start from.
fn read(path: &Path) -> Result<(PathBuf, Receipt)> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new("ALO-D001", 3, format!("{}: {}", path.display(), error.kind()))
    })?;
    let receipt = Receipt::parse(&text, &path.display().to_string())?;
    Ok((path.parent().unwrap_or_else(|| Path::new("")).to_path_buf(), receipt))
}
