//! The gate, from Python.

use crate::environment::{environment, now};
use crate::policy::PolicyCore;
use crate::stream::table;
use crate::work::interruptible;
use allonym::ledger::{self, AuditLog, Scribe, asked_place};
use allonym::{
    Cancel, CheckJob, PolicySource, ReadOptions, check as check_files, check_batches, check_exit,
    expand_with_tables, open_ring, record_check,
};
use allonym_cli::clock_of_machine;
use pyo3::prelude::*;
use std::collections::BTreeMap;

/// Checks files by their path, or a table in memory: the evidence and the exit code of the command.
#[pyfunction]
#[pyo3(signature = (data, *, source, policy, keys, full, rows, seed, as_of, events, signer))]
pub(crate) fn check(
    data: &Bound<'_, PyAny>,
    source: &str,
    policy: Option<&PolicyCore>,
    keys: Option<&str>,
    full: bool,
    rows: usize,
    seed: u64,
    as_of: Option<&str>,
    events: BTreeMap<String, String>,
    signer: Option<&str>,
) -> PyResult<(String, u8)> {
    let py = data.py();
    let environment = environment(py, None)?;
    let as_of = match as_of {
        Some(as_of) => as_of.to_owned(),
        None => now(&environment)?,
    };
    let path = data.extract::<String>().ok();
    let batches = match &path {
        Some(_) => None,
        None => Some(table(data)?),
    };
    let cancel = Cancel::default();
    interruptible(py, &cancel, || {
        let reference = policy.map(|core| (core.bound.policy().keys(), core.place()));
        // A ring that does not open vouches for nothing; signatures are then of unknown keys.
        let own = match open_ring(keys, reference, &environment) {
            Ok(ring) => ledger::signing_key(&ring)?,
            Err(_) => None,
        };
        let job = CheckJob {
            inputs: match &path {
                Some(path) => expand_with_tables(std::slice::from_ref(path))?.found,
                None => Vec::new(),
            },
            source: path.clone().unwrap_or_else(|| source.to_owned()),
            policy: match policy {
                Some(core) => PolicySource::Given {
                    policy: Box::new(core.bound.policy().clone()),
                    folder: core.place().to_path_buf(),
                },
                None => PolicySource::Draft,
            },
            read: ReadOptions::default(),
            full,
            rows,
            seed,
            as_of: &as_of,
            actor: environment.actor(),
            events,
            known_keys: signer.map(str::to_owned).into_iter().chain(own).collect(),
            recall: None,
            cancel: cancel.clone(),
            progress: &|_, _, _| {},
        };
        let mut evidence = match batches {
            Some((schema, batches)) => check_batches(&job, &schema, batches)?,
            None => check_files(&job)?,
        };
        let place = asked_place(None, reference, &environment);
        let scribe = Scribe {
            place: place.as_deref(),
            actor: environment.actor(),
            clock: &clock_of_machine,
        };
        let log = AuditLog::of_reference(keys, reference, &environment, scribe)?;
        record_check(&mut evidence, &log)?;
        Ok((evidence.to_json(), check_exit(&evidence)))
    })
}
