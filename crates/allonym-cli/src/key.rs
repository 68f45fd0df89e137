//! `allonym key`.

use crate::arguments::{KeyAction, KeyArguments, OutputFormat};
use crate::session::{Session, clock_of_machine};
use crate::{policy, table};
use allonym::ledger::{Scribe, note_new_key};
use allonym::{
    Environment, Failure, KeyInfo, KeyState, Keyring, Result, Severity, create_default_ring,
    ring_place, unlock_for,
};
use std::path::Path;

pub(crate) fn run(arguments: &KeyArguments, session: &mut Session) -> Result<u8> {
    let environment = arguments.source.environment(session);
    let place = ring_place(arguments.source.keys.as_deref(), None, &environment)?;
    let now = session.clock(arguments.as_of.as_deref())?();
    match &arguments.action {
        KeyAction::New { label, tenant } => {
            let found = policy::find(None, &session.environment)?;
            let ledger = arguments.source.ledger(found.keys(), &environment);
            let scribe = Scribe {
                place: ledger.as_deref(),
                actor: environment.actor(),
                clock: &clock_of_machine,
            };
            new(&place.path, label, tenant, &now, &environment, scribe, session)
        }
        KeyAction::List => list(&place.path, session),
        KeyAction::Doctor => doctor(&place.path, &now, session),
    }
}

/// What is said of a ring that was just made.
pub(crate) fn created(path: &Path, key: &str) -> String {
    format!(
        "created keyring {} with key {key}; it opens with a key file beside it: back both up, and \
         for production lock it by a passphrase (allonym key doctor)",
        path.display()
    )
}

fn new(
    path: &Path,
    label: &str,
    tenant: &str,
    now: &str,
    environment: &Environment,
    scribe: Scribe<'_>,
    session: &mut Session,
) -> Result<u8> {
    let (mut ring, info) = if path.exists() {
        let unlock = unlock_for(path, environment)?;
        let mut ring = Keyring::open(path, &unlock)?;
        let info = ring.add_key(&unlock, label, tenant, now)?;
        (ring, info)
    } else {
        let ring = create_default_ring(path, label, tenant, now, environment)?;
        let info = ring.key(None, tenant)?.info().clone();
        session.note(&created(path, &info.id));
        (ring, info)
    };
    if let Some(why) = note_new_key(&mut ring, &info, environment, scribe)? {
        session.note(&format!("the new key stands in no ledger: {why}"));
    }
    print(&[info], path, session)?;
    Ok(0)
}

fn list(path: &Path, session: &mut Session) -> Result<u8> {
    let facts = Keyring::public_facts(path)?;
    print(&facts.keys, path, session)?;
    Ok(0)
}

fn print(keys: &[KeyInfo], path: &Path, session: &mut Session) -> Result<()> {
    if session.format == OutputFormat::Human {
        let rows: Vec<Vec<String>> = keys
            .iter()
            .map(|key| {
                vec![
                    key.id.clone(),
                    key.label.clone(),
                    key.tenant.clone(),
                    key.epoch.to_string(),
                    state(key.state).to_owned(),
                    key.created.clone(),
                ]
            })
            .collect();
        let header = ["key", "label", "tenant", "epoch", "state", "created"];
        session.data(table::render(&header, &rows).as_bytes())
    } else {
        let keys: Vec<serde_json::Value> = keys
            .iter()
            .map(|key| {
                serde_json::json!({
                    "id": key.id, "label": key.label, "tenant": key.tenant, "epoch": key.epoch,
                    "state": state(key.state), "created": key.created,
                })
            })
            .collect();
        let list = serde_json::json!({
            "schema": "allonym.keys/1", "ring": path.display().to_string(), "keys": keys,
        });
        session.data_line(&list.to_string())
    }
}

fn state(state: KeyState) -> &'static str {
    match state {
        KeyState::Active => "active",
        KeyState::VerifyOnly => "verify-only",
    }
}

fn doctor(path: &Path, now: &str, session: &mut Session) -> Result<u8> {
    let findings = allonym::key_doctor(path, Some(now));
    if session.format == OutputFormat::Human {
        for finding in &findings {
            session.data_line(&format!(
                "{} {}: {}",
                finding.code, finding.severity, finding.message
            ))?;
            session.data_line(&format!("  fix: {}", finding.fix))?;
        }
        if findings.is_empty() {
            session.say("nothing to mend");
        }
    } else {
        let list: Vec<serde_json::Value> = findings
            .iter()
            .map(|finding| {
                serde_json::json!({
                    "code": finding.code, "severity": finding.severity.to_string(),
                    "message": finding.message, "fix": finding.fix,
                })
            })
            .collect();
        let list = serde_json::json!({ "schema": "allonym.key-doctor/1", "findings": list });
        session.data_line(&list.to_string())?;
    }
    let serious = findings.iter().any(|finding| finding.severity == Severity::Error);
    if serious {
        return Err(Failure::new("ALO-K014", 4, "the keyring cannot be used as it is"));
    }
    Ok(0)
}
