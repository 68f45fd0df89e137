//! `allonym erase`.

use crate::arguments::{EraseArguments, OutputFormat};
use crate::expire::instant;
use crate::progress::Meter;
use crate::session::{Session, clock_of_machine};
use crate::{policy, table};
use allonym::ledger::Scribe;
use allonym::{
    Anchors, EraseJob, EraseOutcome, Failure, PolicySource, Progress, Result, erase, expand,
};

pub(crate) fn run(arguments: &EraseArguments, session: &mut Session) -> Result<u8> {
    let inputs = expand(&arguments.paths)?;
    for skipped in &inputs.skipped {
        session.note(&format!("left out `{skipped}`: not a format that is read"));
    }
    let PolicySource::Given { policy, folder } =
        policy::find(arguments.policy.as_deref(), &session.environment)?
    else {
        return Err(Failure::new(
            "ALO-R001",
            2,
            "there is no policy that says how tokens were made",
        )
        .hint("name the one the data was treated by: --policy FILE"));
    };
    let now = session.clock(arguments.as_of.as_deref())?;
    let as_of = instant(&now())?;
    let environment = arguments.keys.environment(session);
    let ledger = arguments.keys.ledger(&environment);
    let meter = Meter::new(session.progress_kind());
    let told = |progress: Progress<'_>| {
        meter.tell(progress.phase, progress.file, progress.bytes, progress.size);
    };
    let job = EraseJob {
        inputs: inputs.found,
        subjects: &arguments.subjects,
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
        certificate: arguments.certificate.clone(),
        residual: arguments.residual.clone(),
        operator: arguments.operator.clone(),
        receipts: arguments.receipts.clone(),
        scribe: Scribe {
            place: ledger.as_deref(),
            actor: environment.actor(),
            clock: &clock_of_machine,
        },
        cancel: session.cancel.clone(),
        progress: &told,
    };
    let outcome = erase(&job);
    drop(meter);
    let outcome = outcome?;
    if let Some(why) = &outcome.unrecorded {
        session.note(&format!(
            "this run stands in no ledger and its certificate is not signed: {why}"
        ));
    }
    if outcome.resumed {
        session.say(&format!("went on with the run of {}", outcome.certificate.as_of));
    }
    match session.format {
        OutputFormat::Human => tell(&outcome, session)?,
        _ => {
            let value: serde_json::Value = serde_json::from_str(&outcome.certificate.to_json())
                .map_err(|_| {
                    Failure::new("ALO-X005", 5, "internal error: the certificate is not JSON")
                })?;
            session.data_line(&value.to_string())?;
        }
    }
    if let Some(path) = &outcome.certificate_path {
        session.say(&format!("certificate: {}", path.display()));
    }
    if !arguments.yes {
        session.say("dry run: nothing was written");
        if outcome.certificate.verdict == "found" {
            session.hint("do it: the same command with --yes");
        }
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
