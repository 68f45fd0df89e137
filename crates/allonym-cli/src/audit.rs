//! `allonym audit`: the ledger, checked and anchored.

use crate::arguments::{AuditAction, AuditArguments, OutputFormat};
use crate::policy;
use crate::session::{Session, clock_of_machine};
use crate::table;
use allonym::ledger::{self, Scribe, Verdict, Verification};
use allonym::{Failure, Result, open_ring, write_whole};
use std::path::{Path, PathBuf};

pub(crate) fn run(arguments: &AuditArguments, session: &mut Session) -> Result<u8> {
    let environment = arguments.keys.environment(session);
    let policy = policy::find(None, &session.environment)?;
    let asked = arguments.keys.ledger(policy.keys(), &environment);
    let ring = open_ring(arguments.keys.keys.as_deref(), policy.keys(), &environment);
    let folder = match (&asked, &ring) {
        (Some(place), _) => place.clone(),
        (None, Ok(ring)) => ledger::ledger_place(None, ring.path()),
        (None, Err(failure)) => return Err(failure.clone()),
    };
    match &arguments.action {
        AuditAction::Verify { checkpoint, signer } => {
            let notes: Vec<String> = checkpoint.iter().map(read_note).collect::<Result<_>>()?;
            let anchors: Vec<&str> = notes.iter().map(String::as_str).collect();
            let ring = match (&ring, signer) {
                (Ok(ring), _) => Some(ring),
                (Err(_), Some(_)) => None,
                (Err(failure), None) => return Err(failure.clone()),
            };
            let found = ledger::verify_ledger(&folder, ring, signer.as_deref(), &anchors)?;
            report(&folder, &found, session)
        }
        AuditAction::Checkpoint { to, force } => {
            let note = ledger::checkpoint(&folder, &ring?)?;
            match to {
                Some(path) => {
                    write_whole(path, note.as_bytes(), *force)?;
                    session.say(&format!("checkpoint: {}", path.display()));
                }
                None => session.data(note.as_bytes())?,
            }
            session.hint(
                "keep it where nobody who writes the ledger has access, and verify with it: \
                 allonym audit verify --checkpoint FILE",
            );
            Ok(0)
        }
        AuditAction::Expire { before, yes } => {
            let day: Option<jiff::civil::Date> = before.parse().ok();
            let day = day.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
            let before = day.ok_or_else(|| {
                Failure::new("ALO-U005", 2, "--before is no date").hint("write it as 2026-01-31")
            })?;
            let scribe = Scribe {
                place: asked.as_deref(),
                actor: environment.actor(),
                clock: &clock_of_machine,
            };
            let (ring, before) = (ring?, before.timestamp());
            let gone = ledger::expire_entries(&folder, &ring, before, *yes, scribe)?;
            let (entries, below) = gone.map_or((0, 0), |gone| (gone.entries, gone.below));
            let went = if *yes { "were removed" } else { "would be removed" };
            match session.format {
                OutputFormat::Human => session.data_line(&format!(
                    "{} entries {went}; their hashes and their number stay",
                    table::count(entries)
                ))?,
                _ => {
                    let json = serde_json::json!({
                        "schema": "allonym.audit-expire/1", "applied": yes, "entries": entries,
                        "below": below,
                    });
                    session.data_line(&json.to_string())?;
                }
            }
            if !yes {
                session.say("dry run: nothing was written");
            }
            Ok(0)
        }
        AuditAction::Key => {
            let key = ledger::signing_key(&ring?)?.ok_or_else(|| {
                Failure::new(
                    "ALO-A003",
                    4,
                    "the keyring has signed nothing yet, so it has no key for it",
                )
                .hint("it gets one with the first apply or key new")
            })?;
            session.data_line(&key)?;
            Ok(0)
        }
    }
}

fn read_note(path: &PathBuf) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| {
        let message = format!("cannot read checkpoint `{}`: {}", path.display(), error.kind());
        Failure::new("ALO-D003", 3, message)
    })
}

fn report(folder: &Path, found: &Verification, session: &mut Session) -> Result<u8> {
    let verdict = found.verdict();
    let word = match verdict {
        Verdict::Whole => "whole",
        Verdict::Unanchored => "unanchored",
        Verdict::Broken => "broken",
    };
    if session.format == OutputFormat::Human {
        let mut text = format!(
            "{word}: {} entries in {}, root {}\n",
            found.entries,
            folder.display(),
            found.root
        );
        match found.anchored {
            Some(n) => text.push_str(&format!("  anchored   the first {n} entries\n")),
            None => text.push_str(
                "  anchored   no: whether the end is missing, or all was replaced, cannot be told\n",
            ),
        }
        let codes = if found.codes_checked { "checked" } else { "not checked: no keyring" };
        text.push_str(&format!("  codes      {codes}\n"));
        if let Some(last) = found.last {
            text.push_str(&format!("  last entry {last}\n"));
        }
        for problem in &found.problems {
            text.push_str(&format!("  problem    {problem}\n"));
        }
        for (seq, job) in &found.open_jobs {
            text.push_str(&format!("  open job   {job} began with entry {seq} and did not end\n"));
        }
        for (seq, job) in &found.unbegun_jobs {
            text.push_str(&format!(
                "  stray end  {job} ended with entry {seq} and did not begin\n"
            ));
        }
        session.data(text.as_bytes())?;
    } else {
        let jobs = |jobs: &[(u64, String)]| -> Vec<serde_json::Value> {
            jobs.iter().map(|(seq, job)| serde_json::json!({"entry": seq, "job": job})).collect()
        };
        let problems: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
        let json = serde_json::json!({
            "schema": "allonym.audit/1",
            "verdict": word,
            "complete": found.is_complete(),
            "entries": found.entries,
            "root": found.root.to_string(),
            "anchored": found.anchored,
            "codes_checked": found.codes_checked,
            "removed": found.removed,
            "last": found.last.map(|last| last.to_string()),
            "problems": problems,
            "open_jobs": jobs(&found.open_jobs),
            "unbegun_jobs": jobs(&found.unbegun_jobs),
        });
        session.data_line(&json.to_string())?;
    }
    match verdict {
        Verdict::Broken => Ok(6),
        Verdict::Unanchored => {
            session.hint("verify with a checkpoint that was kept elsewhere: --checkpoint FILE");
            Ok(6)
        }
        Verdict::Whole if found.is_complete() => Ok(0),
        Verdict::Whole => Ok(1),
    }
}
