//! `allonym expire`.

use crate::arguments::{ExpireArguments, OutputFormat};
use crate::progress::Meter;
use crate::session::{Session, clock_of_machine};
use crate::{policy, table};
use allonym::ledger::Scribe;
use allonym::retention::Verdict;
use allonym::{
    Anchors, Expanded, ExpireEvidence, ExpireJob, ExpireOutcome, Failure, FileEvidence,
    PolicySource, Progress, Result, expand, expire, expire_table, is_delta_table,
};
use std::path::Path;

pub(crate) fn run(arguments: &ExpireArguments, session: &mut Session) -> Result<u8> {
    let table = match arguments.paths.as_slice() {
        [path] if is_delta_table(Path::new(path)) => Some(Path::new(path)),
        _ => None,
    };
    if arguments.purge && (table.is_none() || !arguments.yes) {
        return Err(Failure::new("ALO-U014", 2, "--purge is for one Delta table, with --yes")
            .hint("name the folder of the table and nothing else"));
    }
    let inputs = match table {
        Some(_) => Expanded::default(),
        None => expand(&arguments.paths)?,
    };
    for skipped in &inputs.skipped {
        session.note(&format!("left out `{skipped}`: not a format that is read"));
    }
    let PolicySource::Given { policy, folder } =
        policy::find(arguments.policy.as_deref(), &session.environment)?
    else {
        return Err(Failure::new(
            "ALO-R001",
            2,
            "there is no policy that says how long data is kept",
        )
        .hint("name one: --policy FILE, with a `[retention]`"));
    };
    let now = session.clock(arguments.as_of.as_deref())?;
    let as_of = instant(&now())?;
    let environment = arguments.keys.environment(session);
    let ledger = arguments.keys.ledger(&environment);
    let meter = Meter::new(session.progress_kind());
    let told = |progress: Progress<'_>| {
        meter.tell(progress.phase, progress.file, progress.bytes, progress.size);
    };
    let job = ExpireJob {
        inputs: inputs.found,
        policy: &policy,
        folder: &folder,
        keys: arguments.keys.keys.clone(),
        environment: &environment,
        read: arguments.read.options(),
        as_of,
        anchors: Anchors {
            collected_at: arguments.collected_at.clone(),
            events: arguments.events.iter().cloned().collect(),
        },
        apply: arguments.yes,
        quarantine: arguments.quarantine.clone(),
        evidence: arguments.evidence.clone(),
        receipts: arguments.receipts.clone(),
        scribe: Scribe {
            place: ledger.as_deref(),
            actor: environment.actor(),
            clock: &clock_of_machine,
        },
        cancel: session.cancel.clone(),
        progress: &told,
    };
    let outcome = match table {
        Some(table) => expire_table(table, arguments.purge, &job),
        None => expire(&job),
    };
    drop(meter);
    let outcome = outcome?;
    for note in &outcome.notes {
        session.note(note);
    }
    if let Some(why) = &outcome.unrecorded {
        session
            .note(&format!("this run stands in no ledger and its evidence is not signed: {why}"));
    }
    if outcome.resumed {
        session.say(&format!("went on with the run of {}", outcome.evidence.as_of));
    }
    match session.format {
        OutputFormat::Human => tell(&outcome, session)?,
        _ => {
            let value: serde_json::Value = serde_json::from_str(&outcome.evidence.to_json())
                .map_err(|_| {
                    Failure::new("ALO-X005", 5, "internal error: the evidence is not JSON")
                })?;
            session.data_line(&value.to_string())?;
        }
    }
    if let Some(path) = &outcome.evidence_path {
        session.say(&format!("evidence: {}", path.display()));
    }
    if !arguments.yes {
        session.say("dry run: nothing was written");
        if outcome.evidence.verdict == "due" {
            session.hint("do it: the same command with --yes");
        }
    }
    Ok(outcome.exit)
}

/// The time that a clock tells.
pub(crate) fn instant(now: &str) -> Result<jiff::Timestamp> {
    now.parse().map_err(|_| Failure::new("ALO-U005", 2, "the date is no RFC 3339 time"))
}

fn tell(outcome: &ExpireOutcome, session: &mut Session) -> Result<()> {
    let evidence = &outcome.evidence;
    let mut text = format!("{}  as of {}\n", evidence.verdict.to_uppercase(), evidence.as_of);
    for reason in &evidence.reasons {
        text.push_str(&format!("  {reason}\n"));
    }
    let rows: Vec<Vec<String>> = evidence.files.iter().flat_map(lines).collect();
    let header = ["file", "tag", "on expiry", "retain", "expired", "on hold", "undecided"];
    text.push_str(&table::render(&header, &rows));
    text.push_str(&sums(evidence));
    if let Some(told) = &evidence.table {
        for old in &told.old_versions {
            let rows = table::count(old.expired_rows);
            text.push_str(&format!(
                "version {} can still be read and holds {rows} expired rows\n",
                old.version
            ));
        }
        if told.purged_files > 0 {
            text.push_str(&format!("{} data files purged\n", told.purged_files));
        }
    }
    for derived in &evidence.derived {
        text.push_str(&format!(
            "made of {}: {} (receipt {})\n",
            derived.input,
            derived.outputs.join(", "),
            derived.receipt
        ));
    }
    session.data(text.as_bytes())
}

fn lines(file: &FileEvidence) -> Vec<Vec<String>> {
    file.tags
        .iter()
        .map(|tag| {
            let sum = |verdicts: &[Verdict]| {
                table::count(verdicts.iter().map(|verdict| tag.rows.rows(*verdict)).sum())
            };
            vec![
                file.path.clone(),
                format!("{} ({} + {})", tag.of, tag.anchor, tag.duration),
                tag.on_expiry.clone(),
                sum(&[Verdict::Retain]),
                sum(&[Verdict::Expired]),
                sum(&[Verdict::Hold, Verdict::ExpiredOnHold]),
                sum(&[
                    Verdict::NullAnchor,
                    Verdict::FutureAnchor,
                    Verdict::NaiveTimestamp,
                    Verdict::UnreadableAnchor,
                ]),
            ]
        })
        .collect()
}

fn sums(evidence: &ExpireEvidence) -> String {
    let sum = |count: &dyn Fn(&FileEvidence) -> u64| evidence.files.iter().map(count).sum::<u64>();
    let dropped = sum(&|file| file.rows_dropped);
    let aside = sum(&|file| file.rows_quarantined);
    let cells = sum(&|file| file.cells.values().sum());
    let verb = if evidence.applied { "were" } else { "would be" };
    format!(
        "{} rows {verb} removed, {} set aside, {} cells changed\n",
        table::count(dropped),
        table::count(aside),
        table::count(cells)
    )
}
