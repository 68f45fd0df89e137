//! `allonym check`.

use crate::arguments::{CheckArguments, OutputFormat};
use crate::policy;
use crate::progress::Meter;
use crate::session::{Session, clock_of_machine};
use crate::{report, table};
use allonym::ledger::{self, AuditLog, Scribe};
use allonym::{
    CheckEvidence, CheckJob, CheckSeverity as Severity, Failure, Result, check, check_exit,
    expand_with_tables, open_ring, read_recall, record_check, write_whole,
};
use std::path::Path;

pub(crate) fn run(arguments: &CheckArguments, session: &mut Session) -> Result<u8> {
    // A name without a format is found before the work.
    arguments.report.as_deref().map(report::of_name).transpose()?;
    let inputs = expand_with_tables(&arguments.paths)?;
    for skipped in &inputs.skipped {
        session.note(&format!("left out `{skipped}`: not a format that is read"));
    }
    let environment = arguments.keys.environment(session);
    let policy = policy::find(arguments.policy.as_deref(), &session.environment)?;
    let as_of = session.clock(arguments.as_of.as_deref())?();
    let reference = policy.keys().map(|(keys, folder)| (keys.clone(), folder.to_owned()));
    let reference = reference.as_ref().map(|(keys, folder)| (keys, folder.as_path()));
    let own = match open_ring(arguments.keys.keys.as_deref(), reference, &environment) {
        Ok(ring) => ledger::signing_key(&ring)?,
        Err(_) => None,
    };
    let recall = match &arguments.recall {
        Some(path) => Some(read_recall(&read_text(path)?, &path.display().to_string())?),
        None => None,
    };
    let meter = Meter::new(session.progress_kind());
    let told = |file: &str, bytes, size| meter.tell("checking", file, bytes, size);
    let job = CheckJob {
        inputs: inputs.found,
        source: arguments.paths.join(" "),
        policy,
        read: arguments.read.options(),
        full: arguments.full,
        rows: arguments.rows as usize,
        seed: arguments.seed,
        as_of: &as_of,
        actor: environment.actor(),
        events: arguments.event.iter().cloned().collect(),
        known_keys: arguments.signer.iter().cloned().chain(own).collect(),
        recall,
        cancel: session.cancel.clone(),
        progress: &told,
    };
    let evidence = check(&job);
    drop(job);
    drop(meter);
    let mut evidence = evidence?;
    let ledger = arguments.keys.ledger(reference, &environment);
    let scribe =
        Scribe { place: ledger.as_deref(), actor: environment.actor(), clock: &clock_of_machine };
    let keys = arguments.keys.keys.as_deref();
    let log = AuditLog::of_reference(keys, reference, &environment, scribe)?;
    if let Some(why) = record_check(&mut evidence, &log)? {
        session.note(&format!("this check stands in no ledger and is not signed: {why}"));
    }
    let json = evidence.to_json();
    if let Some(path) = &arguments.evidence {
        write_whole(path, json.as_bytes(), true)?;
        session.say(&format!("evidence: {}", path.display()));
    }
    if let Some(path) = &arguments.report {
        let rendered = report::render(&evidence, report::of_name(path)?)?;
        write_whole(path, &rendered, true)?;
        session.say(&format!("report: {}", path.display()));
    }
    match session.format {
        OutputFormat::Human => session.data(human(&evidence).as_bytes())?,
        OutputFormat::Json | OutputFormat::Jsonl => session.data_compact(&json)?,
        format => session.data(&report::render(&evidence, format)?)?,
    }
    Ok(check_exit(&evidence))
}

fn human(evidence: &CheckEvidence) -> String {
    let breaches = evidence.of(Severity::Breach).count();
    let untold = evidence.of(Severity::Unverified).count();
    let notes = evidence.of(Severity::Note).count();
    let verdict = match (breaches, untold) {
        (0, 0) => "READY",
        (0, _) => "NOT VERIFIED",
        _ => "NOT READY",
    };
    let looked = if evidence.rows_read < evidence.rows {
        format!("{} of them searched for identifiers", table::count(evidence.rows_read))
    } else {
        "checked in full".to_owned()
    };
    let digest: String = evidence.policy.sha256.chars().take(4).collect();
    let counted = |n: usize, one: &str, many: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    };
    let mut text = format!(
        "{verdict}  {} · {} rows · {looked} · policy {digest}… · {}, {}, {} to note\n",
        evidence.source,
        table::count(evidence.rows),
        counted(breaches, "problem", "problems"),
        counted(untold, "thing not told", "things not told"),
        notes,
    );
    for finding in &evidence.findings {
        let severity = match finding.severity {
            Severity::Breach => "problem",
            Severity::Unverified => "not told",
            Severity::Note => "note",
        };
        let file = match &finding.file {
            Some(file) if evidence.files.len() > 1 => format!("{file}: "),
            _ => String::new(),
        };
        text.push_str(&format!("  {}  {severity:<9} {file}{}\n", finding.code, finding.message));
    }
    text.push_str(&format!("  residual identifiers: {}\n", evidence.residual.statement));
    if let Some(next) = evidence.findings.iter().find_map(|finding| finding.next.as_ref()) {
        text.push_str(&format!("Next: {next}\n"));
    }
    text
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| {
        let message = format!("cannot read `{}`: {}", path.display(), error.kind());
        Failure::new("ALO-U012", 2, message)
    })
}
