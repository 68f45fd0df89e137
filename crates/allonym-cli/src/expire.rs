//! `allonym expire`.

use crate::arguments::{ExpireArguments, OutputFormat};
use crate::progress::Meter;
use crate::session::Session;
use crate::table;
use crate::work::{Ended, Ready};
use allonym::retention::Verdict;
use allonym::{
    ExpireEvidence, ExpireJob, ExpireOutcome, Failure, FileEvidence, Progress, Result, expire,
    expire_table, is_table,
};
use std::path::Path;

pub(crate) fn run(arguments: &ExpireArguments, session: &mut Session) -> Result<u8> {
    let work = &arguments.work;
    let table = match work.paths.as_slice() {
        [path] if is_table(Path::new(path)) => Some(Path::new(path)),
        _ => None,
    };
    if arguments.purge && (table.is_none() || !work.yes) {
        return Err(Failure::new("ALO-U014", 2, "--purge is for one Delta table, with --yes")
            .hint("name the folder of the table and nothing else"));
    }
    let inputs = Ready::inputs(work, table.is_some(), session)?;
    let what = "how long data is kept";
    let ready = Ready::new(work, what, "name one: --policy FILE, with a `[retention]`", session)?;
    let meter = Meter::new(session.progress_kind());
    let told = |progress: Progress<'_>| {
        meter.tell(progress.phase, progress.file, progress.bytes, progress.size);
    };
    let job = ExpireJob {
        work: ready.work(inputs, session, &told),
        quarantine: arguments.quarantine.clone(),
        evidence: arguments.evidence.clone(),
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
    let ended = Ended {
        document: "evidence",
        unrecorded: outcome.unrecorded.as_ref(),
        resumed: outcome.resumed,
        as_of: &outcome.evidence.as_of,
    };
    ended.say(session);
    match session.format {
        OutputFormat::Human => tell(&outcome, session)?,
        _ => session.data_compact(&outcome.evidence.to_json())?,
    }
    ended.say_where(outcome.evidence_path.as_ref(), !work.yes, session);
    let is_engines = outcome.evidence.table.as_ref().is_some_and(|told| told.engine.is_some());
    if !work.yes && !is_engines && outcome.evidence.verdict == "due" {
        session.hint("do it: the same command with --yes");
    }
    Ok(outcome.exit)
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
            let rows = match old.expired_rows {
                Some(rows) => format!("{} expired rows", table::count(rows)),
                None => "nobody knows how many expired rows".to_owned(),
            };
            let most = if old.at_most { " at most" } else { "" };
            text.push_str(&format!(
                "version {} can still be read and holds {rows}{most}\n",
                old.version
            ));
        }
        for step in told.engine.iter().flat_map(|engine| &engine.steps) {
            text.push_str(&format!("{}\n", step.what));
            if let Some(sql) = &step.sql {
                text.push_str(&format!("    {sql}\n"));
            }
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
