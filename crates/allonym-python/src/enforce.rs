//! `expire` and `erase`: the jobs of the command line, told as JSON.
#![expect(clippy::needless_pass_by_value, reason = "arguments from Python are taken over")]

use crate::environment::{environment, now};
use crate::failure::{raise, usage};
use crate::policy::PolicyCore;
use crate::work::interruptible;
use allonym::ledger::{Scribe, asked_place};
use allonym::{
    Anchors, Cancel, Environment, EraseJob, Expanded, ExpireJob, Policy, Progress, ReadOptions,
    Work, erase, expand, expire, expire_table, is_table,
};
use allonym_cli::clock_of_machine;
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// JSON of the evidence, where it was written, the exit code, whether an interrupted run was taken
/// up, and notes.
type Enforced = (String, Option<String>, u8, bool, Vec<String>);

#[pyfunction]
#[pyo3(signature = (
    policy, paths, *, apply, purge, as_of, collected_at, events, quarantine, evidence, receipts, keys
))]
pub(crate) fn expire_files(
    py: Python<'_>,
    policy: &PolicyCore,
    paths: Vec<String>,
    apply: bool,
    purge: bool,
    as_of: Option<String>,
    collected_at: Option<String>,
    events: BTreeMap<String, String>,
    quarantine: Option<PathBuf>,
    evidence: Option<PathBuf>,
    receipts: Vec<PathBuf>,
    keys: Option<String>,
) -> PyResult<Enforced> {
    let asked = Asked { collected_at, events, apply, receipts, keys };
    let ready = Ready::new(py, policy, as_of.as_deref(), asked)?;
    interruptible(py, &ready.cancel, || {
        let table = match paths.as_slice() {
            [path] if is_table(Path::new(path)) => Some(Path::new(path)),
            _ => None,
        };
        if purge && (table.is_none() || !apply) {
            return Err(usage("purge=True is for one Delta table, with yes=True"));
        }
        let inputs = match table {
            Some(_) => Expanded::default(),
            None => expand(&paths)?,
        };
        let job = ExpireJob { work: ready.work(inputs), quarantine, evidence };
        let outcome = match table {
            Some(table) => expire_table(table, purge, &job)?,
            None => expire(&job)?,
        };
        let mut notes = outcome.notes;
        notes.extend(outcome.unrecorded.map(|why| format!("{UNRECORDED}: {why}")));
        let json = outcome.evidence.to_json();
        let place = outcome.evidence_path.map(|path| path.display().to_string());
        Ok((json, place, outcome.exit, outcome.resumed, notes))
    })
}

#[pyfunction]
#[pyo3(signature = (
    policy, paths, *, subjects, apply, as_of, collected_at, events, certificate, residual, operator,
    approver, receipts, keys
))]
pub(crate) fn erase_people(
    py: Python<'_>,
    policy: &PolicyCore,
    paths: Vec<String>,
    subjects: PathBuf,
    apply: bool,
    as_of: Option<String>,
    collected_at: Option<String>,
    events: BTreeMap<String, String>,
    certificate: Option<PathBuf>,
    residual: Vec<String>,
    operator: Option<String>,
    approver: Option<String>,
    receipts: Vec<PathBuf>,
    keys: Option<String>,
) -> PyResult<Enforced> {
    let asked = Asked { collected_at, events, apply, receipts, keys };
    let ready = Ready::new(py, policy, as_of.as_deref(), asked)?;
    interruptible(py, &ready.cancel, || {
        let outcome = erase(&EraseJob {
            work: ready.work(expand(&paths)?),
            subjects: &subjects,
            certificate,
            residual,
            operator,
            approver,
        })?;
        let notes = outcome.unrecorded.map(|why| format!("{UNRECORDED}: {why}"));
        let json = outcome.certificate.to_json();
        let notes = notes.into_iter().collect();
        let place = outcome.certificate_path.map(|path| path.display().to_string());
        Ok((json, place, outcome.exit, outcome.resumed, notes))
    })
}

/// What both are asked alike.
struct Asked {
    collected_at: Option<String>,
    events: BTreeMap<String, String>,
    apply: bool,
    receipts: Vec<PathBuf>,
    keys: Option<String>,
}

/// A job's surroundings, found.
struct Ready<'a> {
    policy: &'a Policy,
    folder: &'a Path,
    environment: Environment,
    ledger: Option<PathBuf>,
    as_of: jiff::Timestamp,
    cancel: Cancel,
    asked: Asked,
}

impl<'a> Ready<'a> {
    fn new(
        py: Python<'_>,
        policy: &'a PolicyCore,
        as_of: Option<&str>,
        asked: Asked,
    ) -> PyResult<Ready<'a>> {
        let environment = environment(py, None)?;
        let as_of = instant(as_of, &now(&environment)?)?;
        let (policy, folder) = (policy.bound.policy(), policy.folder.as_path());
        let ledger = asked_place(None, Some((policy.keys(), folder)), &environment);
        Ok(Ready { policy, folder, environment, ledger, as_of, cancel: Cancel::default(), asked })
    }

    fn work(&self, inputs: Expanded) -> Work<'_> {
        let Asked { collected_at, events, apply, receipts, keys } = &self.asked;
        Work {
            inputs: inputs.found,
            policy: self.policy,
            folder: self.folder,
            keys: keys.clone(),
            environment: &self.environment,
            read: ReadOptions::default(),
            as_of: self.as_of,
            anchors: Anchors { collected_at: collected_at.clone(), events: events.clone() },
            apply: *apply,
            receipts: receipts.clone(),
            scribe: Scribe {
                place: self.ledger.as_deref(),
                actor: self.environment.actor(),
                clock: &clock_of_machine,
            },
            cancel: self.cancel.clone(),
            progress: &silent,
        }
    }
}

fn silent(_: Progress<'_>) {}

/// The date that decides.
fn instant(as_of: Option<&str>, now: &str) -> PyResult<jiff::Timestamp> {
    let wrong = |_| raise(&usage("as_of is no instant; write it as 2026-01-31T00:00:00Z"));
    as_of.unwrap_or(now).parse().map_err(wrong)
}

pub(crate) const UNRECORDED: &str = "this run stands in no ledger and what it tells is not signed";
