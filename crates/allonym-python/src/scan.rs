//! What is in a table or a file.

use crate::failure::{raise, usage};
use crate::policy::PolicyCore;
use crate::stream::table;
use crate::text::options;
use crate::work::interruptible;
use allonym::{
    Cancel, Failure, FindOptions, Input, ReadOptions, Result, ScanOptions, expand, scan_batches,
    scan_path,
};
use pyo3::prelude::*;

/// What a scan found, without a cell of it.
#[pyclass(frozen, module = "allonym")]
pub(crate) struct Scan(pub(crate) allonym::Scan);

#[pymethods]
impl Scan {
    /// The scan JSON of the contract.
    fn to_json(&self) -> String {
        self.0.to_json()
    }
}

/// Scans a table with the Arrow capsule interface, or the file whose path `data` is.
#[pyfunction]
#[pyo3(signature = (data, *, source, rows, full, entities, countries, languages, policy, seed))]
pub(crate) fn scan(
    data: &Bound<'_, PyAny>,
    source: &str,
    rows: usize,
    full: bool,
    entities: Option<Vec<String>>,
    countries: Option<Vec<String>>,
    languages: Option<Vec<String>>,
    policy: Option<&PolicyCore>,
    seed: u64,
) -> PyResult<Scan> {
    let py = data.py();
    if rows == 0 {
        return Err(raise(&usage("rows is 0; a sample needs at least one")));
    }
    let mut find = options(entities, countries, languages, None, "balanced")?;
    if let Some(policy) = policy {
        narrow(&mut find, policy);
    }
    let cancel = Cancel::default();
    let options = ScanOptions { find, full, rows, seed, cancel: cancel.clone() };
    if let Ok(path) = data.extract::<&str>() {
        return interruptible(py, &cancel, || scan_file(path, &options).map(Scan));
    }
    let (schema, batches) = table(data)?;
    interruptible(py, &cancel, || scan_batches(source, &schema, batches, &options).map(Scan))
}

fn scan_file(path: &str, options: &ScanOptions) -> Result<allonym::Scan> {
    let inputs = expand(&[path.to_owned()])?;
    let [found] = inputs.found.as_slice() else {
        let n = inputs.found.len();
        return Err(Failure::new("ALO-U010", 2, format!("`{path}` holds {n} files"))
            .hint("scan them one at a time, or all with: allonym scan PATH"));
    };
    let Input::File(file) = &found.input else {
        return Err(usage("a scan from Python reads a file, not standard input"));
    };
    let source = file.display().to_string();
    scan_path(&found.input, &source, &ReadOptions::default(), options, &|_, _| {})
}

/// What the caller leaves open goes by the policy's `[find]`.
fn narrow(find: &mut FindOptions, policy: &PolicyCore) {
    let selection = policy.bound.policy().selection();
    for (mine, theirs) in [
        (&mut find.entities, selection.entities),
        (&mut find.countries, selection.countries),
        (&mut find.languages, selection.languages),
    ] {
        if mine.is_empty() {
            *mine = theirs;
        }
    }
    find.rule_folders = policy.rule_folders();
}
