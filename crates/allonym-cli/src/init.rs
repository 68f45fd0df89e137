//! `allonym init`.

use crate::arguments::InitArguments;
use crate::progress::Meter;
use crate::session::{Session, clock_of_machine};
use allonym::ledger::{Scribe, note_new_key};
use allonym::{
    Failure, Policy, Result, ScanOptions, TableContract, create_default_ring, draft_policy, expand,
    is_contract, ring_place, write_whole,
};
use std::fs;

pub(crate) fn run(arguments: &InitArguments, session: &mut Session) -> Result<u8> {
    let to = &arguments.to;
    let existing = fs::read_to_string(to).ok();
    if existing.is_some() && !arguments.update && !arguments.force {
        return Err(Failure::new("ALO-U002", 2, format!("policy `{}` exists", to.display()))
            .hint("add what it lacks with --update, or replace it with --force"));
    }
    if existing.is_none() && arguments.update {
        return Err(Failure::new("ALO-P022", 2, format!("no policy at `{}`", to.display()))
            .hint("leave --update out to draft one"));
    }
    let (contracts, data): (Vec<String>, Vec<String>) =
        arguments.paths.iter().cloned().partition(|path| is_contract(path));
    let contract = contract(&contracts, arguments.table.as_deref())?;
    let (policy, source) = match (contract, data.as_slice()) {
        (Some(contract), []) => (contract.draft(&arguments.purpose)?, "the contract"),
        (contract, data) => {
            let (policy, source) = from_data(data, arguments, session)?;
            match contract {
                Some(contract) => (contract.onto(&policy)?, source),
                None => (policy, source),
            }
        }
    };
    let text = match &existing {
        Some(existing) if arguments.update => Policy::update_toml(existing, &policy)?,
        _ => policy.to_toml(),
    };
    if existing.as_deref() == Some(text.as_str()) {
        session.say(&format!("{}: nothing to add", to.display()));
        return Ok(0);
    }
    write_whole(to, text.as_bytes(), existing.is_some())?;
    let columns = policy.columns().count();
    session.say(&format!("{}: {columns} columns, drafted from {source}", to.display()));
    if policy.needs_keys() {
        offer_ring(arguments, &policy, session)?;
    }
    session.hint(&format!(
        "read {}, then: allonym apply {} --to OUT",
        to.display(),
        if data.is_empty() { "IN".to_owned() } else { data.join(" ") }
    ));
    Ok(0)
}

fn contract(paths: &[String], table: Option<&str>) -> Result<Option<TableContract>> {
    let path = match (paths, table) {
        ([], None) => return Ok(None),
        ([path], _) => path,
        _ => {
            let message = match paths.len() {
                0 => "--table names a table of a data contract, and there is none".to_owned(),
                n => format!("a policy is drafted from one data contract, not from {n}"),
            };
            return Err(Failure::new("ALO-U074", 2, message));
        }
    };
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new("ALO-U070", 2, format!("cannot read `{path}`: {}", error.kind()))
    })?;
    TableContract::read(&text, path, table).map(Some)
}

/// A draft, and what it was drafted from in words.
fn from_data(
    paths: &[String],
    arguments: &InitArguments,
    session: &mut Session,
) -> Result<(Policy, &'static str)> {
    let inputs = expand(paths)?;
    for skipped in &inputs.skipped {
        session.note(&format!("left out `{skipped}`: not a format that is read"));
    }
    let name = inputs.found.first().map(|found| found.relative.as_str()).unwrap_or("draft");
    let name = std::path::Path::new(name).file_stem().unwrap_or_default().to_string_lossy();
    let options = ScanOptions {
        full: arguments.full,
        cancel: session.cancel.clone(),
        ..ScanOptions::default()
    };
    let meter = Meter::new(session.progress_kind());
    let told = |bytes, size| meter.tell("scanning", &name, bytes, size);
    let (policy, scan) = draft_policy(
        &inputs.found,
        &arguments.read.options(),
        &options,
        &name,
        &arguments.purpose,
        &told,
    )?;
    Ok((policy, if scan.sampled { "a sample" } else { "every row" }))
}

/// A first run has no keyring: make the user's own one and say so.
fn offer_ring(arguments: &InitArguments, policy: &Policy, session: &mut Session) -> Result<()> {
    let environment = arguments.keys.environment(session);
    let place = ring_place(arguments.keys.keys.as_deref(), None, &environment)?;
    if place.said_by != "default" || place.path.exists() {
        return Ok(());
    }
    let now = session.clock(None)?();
    let tenant = &policy.keys().tenant;
    let mut ring = create_default_ring(&place.path, "default", tenant, &now, &environment)?;
    let key = ring.key(None, tenant)?.info().clone();
    session.note(&crate::key::created(&place.path, &key.id));
    let ledger = arguments.keys.ledger(None, &environment);
    let scribe =
        Scribe { place: ledger.as_deref(), actor: environment.actor(), clock: &clock_of_machine };
    if let Some(why) = note_new_key(&mut ring, &key, &environment, scribe)? {
        session.note(&format!("the new key stands in no ledger: {why}"));
    }
    Ok(())
}
