//! `allonym apply`.

use crate::arguments::{ApplyArguments, FileFormat, OutputFormat};
use crate::progress::Meter;
use crate::session::{Session, clock_of_machine};
use crate::{policy, table};
use allonym::ledger::Scribe;
use allonym::{
    ApplyJob, ApplyOutcome, CanaryPlace, CanaryPlan, Failure, PolicySource, Progress, Result,
    Target, apply, expand,
};
use std::path::{Path, PathBuf};

pub(crate) fn run(arguments: &ApplyArguments, session: &mut Session) -> Result<u8> {
    let inputs = expand(&arguments.paths)?;
    for skipped in &inputs.skipped {
        session.note(&format!("left out `{skipped}`: not a format that is read"));
    }
    let target = target(arguments, inputs.found.len());
    let policy = policy::find(arguments.policy.as_deref(), &session.environment)?;
    let drafted = matches!(policy, PolicySource::Draft);
    let now = session.clock(arguments.as_of.as_deref())?;
    let environment = arguments.keys.environment(session);
    let ledger = arguments.keys.ledger(policy.keys(), &environment);
    let meter = Meter::new(session.progress_kind());
    let told = |progress: Progress<'_>| {
        meter.tell(progress.phase, progress.file, progress.bytes, progress.size);
    };
    let threads = match arguments.jobs {
        Some(jobs) => usize::from(jobs),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let job = ApplyJob {
        inputs: inputs.found,
        target,
        policy,
        keys: arguments.keys.keys.clone(),
        environment: &environment,
        read: arguments.read.options(),
        output_format: arguments.output_format.map(FileFormat::format),
        threads,
        force: arguments.force,
        resume: arguments.resume,
        dry_run: arguments.dry_run,
        receipt: arguments.receipt.clone(),
        canaries: canary_place(arguments).map(|place| CanaryPlan {
            count: arguments.canaries.unwrap_or(CANARIES),
            place,
            every: arguments.canary_every,
        }),
        collected_at: arguments.collected_at.clone(),
        now: &now,
        scribe: Scribe {
            place: ledger.as_deref(),
            actor: environment.actor(),
            clock: &clock_of_machine,
        },
        cancel: session.cancel.clone(),
        progress: &told,
    };
    let result = apply(&job);
    let target = job.target.clone();
    drop(job);
    drop(meter);
    let outcome = result?;
    if let Some((path, key)) = &outcome.created_ring {
        session.note(&crate::key::created(path, key));
    }
    if arguments.dry_run {
        print_plan(&outcome, session)?;
        return Ok(0);
    }
    for warning in &outcome.warnings {
        session.note(warning);
    }
    if outcome.unchanged {
        session.say("nothing to do: the receipt proves that this output is of these inputs, policy, rules and keys");
    } else {
        summarize(&outcome, session);
    }
    if let Some(why) = &outcome.unrecorded {
        session.note(&format!("this run stands in no ledger and its receipt is not signed: {why}"));
    }
    if let Some(path) = &outcome.drafted {
        session.note(&format!("no policy was given; drafted {} from a full scan", path.display()));
        session.hint(&format!("read it, then pin it: --policy {}", path.display()));
    } else if drafted && target == Target::Stdout {
        session.note("no policy was given; it was drafted from a full scan");
    }
    match (session.format, &outcome.receipt) {
        (OutputFormat::Json | OutputFormat::Jsonl, Some(receipt)) if target != Target::Stdout => {
            let json = receipt.to_json();
            let value: serde_json::Value = serde_json::from_str(&json).map_err(|_| {
                Failure::new("ALO-X005", 5, "internal error: the receipt is not JSON")
            })?;
            session.data_line(&value.to_string())?;
        }
        _ => {}
    }
    Ok(0)
}

fn canary_place(arguments: &ApplyArguments) -> Option<CanaryPlace> {
    let column = arguments.canary_column.clone().map(CanaryPlace::Column);
    column.or_else(|| arguments.canary_rows.then_some(CanaryPlace::Rows))
}

fn target(arguments: &ApplyArguments, inputs: usize) -> Target {
    if arguments.to == "-" {
        return Target::Stdout;
    }
    let to = PathBuf::from(&arguments.to);
    let many =
        inputs > 1 || arguments.paths.iter().any(|path| Path::new(path).is_dir() || is_glob(path));
    if many || arguments.to.ends_with('/') || to.is_dir() {
        Target::Folder(to)
    } else {
        Target::File(to)
    }
}

fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '[']) && !Path::new(path).exists()
}

fn print_plan(outcome: &ApplyOutcome, session: &mut Session) -> Result<()> {
    let columns: Vec<(String, String, String, String)> = if outcome.plan.is_empty() {
        // A fresh machine has no keys yet: show what the draft proposes.
        let scan = outcome.scan.as_ref().map(|scan| scan.columns.as_slice()).unwrap_or_default();
        scan.iter()
            .map(|column| {
                let entity = column.entity.clone().unwrap_or_default();
                (column.name.clone(), entity, column.suggestion.clone(), column.reason.clone())
            })
            .collect()
    } else {
        outcome
            .plan
            .iter()
            .map(|column| {
                let entity = column.entity.clone().unwrap_or_default();
                let treatment = column.treatment.to_owned();
                (column.name.clone(), entity, treatment, column.detail.clone())
            })
            .collect()
    };
    match session.format {
        OutputFormat::Human => {
            let rows: Vec<Vec<String>> = columns
                .into_iter()
                .map(|(name, entity, treatment, detail)| vec![name, entity, treatment, detail])
                .collect();
            let header = ["column", "entity", "treatment", "detail"];
            session.data(table::render(&header, &rows).as_bytes())?;
        }
        _ => {
            let columns: Vec<serde_json::Value> = columns
                .into_iter()
                .map(|(name, entity, treatment, detail)| {
                    serde_json::json!({
                        "name": name, "entity": entity, "treatment": treatment, "detail": detail,
                    })
                })
                .collect();
            let plan = serde_json::json!({ "schema": "allonym.plan/1", "columns": columns });
            session.data_line(&plan.to_string())?;
        }
    }
    for warning in &outcome.warnings {
        session.note(warning);
    }
    session.say("dry run: nothing was written");
    Ok(())
}

fn summarize(outcome: &ApplyOutcome, session: &mut Session) {
    let Some(receipt) = &outcome.receipt else { return };
    let rows: u64 = receipt.outputs.iter().map(|file| file.rows).sum();
    let treated: u64 = receipt.columns.iter().map(|column| column.treated).sum();
    let files = match receipt.outputs.len() {
        1 => "1 file".to_owned(),
        n => format!("{n} files"),
    };
    let resumed = match outcome.resumed {
        0 => String::new(),
        n => format!(" ({n} kept from an interrupted run)"),
    };
    session.say(&format!(
        "{files}{resumed}, {} rows, {} cells treated in {} columns",
        table::count(rows),
        table::count(treated),
        receipt.columns.iter().filter(|column| column.treatment != "keep").count(),
    ));
    if let Some(canaries) = &receipt.canaries {
        let coins = table::count(u64::from(canaries.registered));
        let place = match (&canaries.column, &canaries.rows) {
            (Some(column), _) => format!("for column `{column}`"),
            (None, Some(rows)) => {
                format!("and {} rows are canaries", table::count(u64::from(rows.planted)))
            }
            (None, None) => String::new(),
        };
        session.say(&format!(
            "canaries: {coins} coins were thrown {place}; the receipt registers them"
        ));
    }
    if let Some(path) = &outcome.receipt_path {
        session.say(&format!("receipt: {}", path.display()));
    }
}

/// Enough for a bound of epsilon that is worth something.
const CANARIES: u32 = 200;
