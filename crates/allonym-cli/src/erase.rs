//! `allonym erase`.

use crate::arguments::{EraseArguments, OutputFormat};
use crate::progress::Meter;
use crate::session::Session;
use crate::table;
use crate::work::{Ended, Ready};
use allonym::{EraseJob, EraseOutcome, Progress, Result, erase};

pub(crate) fn run(arguments: &EraseArguments, session: &mut Session) -> Result<u8> {
    let work = &arguments.work;
    let inputs = Ready::inputs(work, false, session)?;
    let what = "how tokens were made";
    let hint = "name the one the data was treated by: --policy FILE";
    let ready = Ready::new(work, what, hint, session)?;
    let meter = Meter::new(session.progress_kind());
    let told = |progress: Progress<'_>| {
        meter.tell(progress.phase, progress.file, progress.bytes, progress.size);
    };
    let outcome = erase(&EraseJob {
        work: ready.work(inputs, session, &told),
        subjects: &arguments.subjects,
        certificate: arguments.certificate.clone(),
        residual: arguments.residual.clone(),
        operator: arguments.operator.clone(),
        approver: arguments.approver.clone(),
    });
    drop(meter);
    let outcome = outcome?;
    let ended = Ended {
        document: "certificate",
        unrecorded: outcome.unrecorded.as_ref(),
        resumed: outcome.resumed,
        as_of: &outcome.certificate.as_of,
    };
    ended.say(session);
    match session.format {
        OutputFormat::Human => tell(&outcome, session)?,
        _ => session.data_compact(&outcome.certificate.to_json())?,
    }
    ended.say_where(outcome.certificate_path.as_ref(), !work.yes, session);
    if !work.yes && outcome.certificate.verdict == "found" {
        session.hint("do it: the same command with --yes");
    }
    Ok(outcome.exit)
}

fn tell(outcome: &EraseOutcome, session: &mut Session) -> Result<()> {
    let certificate = &outcome.certificate;
    let mut text = format!("{}  as of {}\n", certificate.verdict.to_uppercase(), certificate.as_of);
    let rows: Vec<Vec<String>> = certificate
        .files
        .iter()
        .map(|file| {
            let mentions = file.mentions_erased.values().sum();
            let again = file.found_again.map_or_else(|| "-".to_owned(), table::count);
            vec![
                file.path.clone(),
                table::count(file.rows_erased),
                table::count(mentions),
                table::count(file.rows_restricted),
                table::count(file.rows_held),
                table::count(file.rows_unverifiable),
                again,
            ]
        })
        .collect();
    let header = ["file", "rows", "mentions", "restricted", "on hold", "undecided", "found again"];
    text.push_str(&table::render(&header, &rows));
    let until = certificate.files.iter().filter_map(|file| file.restricted_until.as_ref()).max();
    if let Some(until) = until {
        text.push_str(&format!("rows that the law keeps for now may go by {until}\n"));
    }
    for column in &certificate.cannot_be_searched {
        text.push_str(&format!(
            "cannot be searched: {}, column `{}`: {}\n",
            column.path, column.column, column.why
        ));
    }
    for derived in &certificate.derived {
        text.push_str(&format!(
            "made of {}: {} (receipt {})\n",
            derived.input,
            derived.outputs.join(", "),
            derived.receipt
        ));
    }
    for copy in &certificate.residual_copies {
        text.push_str(&format!("out of reach, as declared: {copy}\n"));
    }
    text.push_str(&certificate.statement);
    text.push('\n');
    session.data(text.as_bytes())
}
