//! `allonym verify`: a receipt, a year later.

use crate::arguments::{OutputFormat, VerifyArguments};
use crate::policy;
use crate::session::Session;
use crate::table;
use allonym::ledger::{self, Included};
use allonym::{FileState, ReceiptCheck, Result, SignatureState, open_ring, verify_receipt};

pub(crate) fn run(arguments: &VerifyArguments, session: &mut Session) -> Result<u8> {
    let environment = arguments.keys.environment(session);
    let policy = policy::find(None, &session.environment)?;
    let asked = arguments.keys.ledger(None, &environment);
    // A receipt can be looked at without any ring; one that was asked for has to open.
    let named = arguments.keys.keys.is_some() || arguments.keys.passphrase().is_some();
    let ring = match open_ring(arguments.keys.keys.as_deref(), policy.keys(), &environment) {
        Ok(ring) => Some(ring),
        Err(failure) if named => return Err(failure),
        Err(_) => None,
    };
    let own = match &ring {
        Some(ring) => ledger::signing_key(ring)?,
        None => None,
    };
    let known: Vec<String> = arguments.signer.iter().cloned().chain(own).collect();
    let check = verify_receipt(&arguments.receipt, arguments.data.as_deref(), &known)?;
    let written = arguments.keys.ledger(policy.keys(), &environment);
    let beside = ring.as_ref().map(|ring| ledger::ledger_place(None, ring.path()));
    let folder = written.or(beside);
    let recorded = match &folder {
        Some(folder) if asked.is_some() || folder.exists() => {
            ledger::find_output(folder, &check.sha256)?
        }
        _ => None,
    };
    print(&check, recorded.as_ref(), session)?;
    let exit = check.exit();
    // Only a ledger that was named is known to be the one that the receipt should stand in.
    let unrecorded = asked.is_some() && recorded.is_none();
    Ok(if unrecorded { 6 } else { exit })
}

fn print(check: &ReceiptCheck, recorded: Option<&Included>, session: &mut Session) -> Result<()> {
    if session.format != OutputFormat::Human {
        let recorded = recorded.map(|found| {
            serde_json::json!({
                "entry": found.seq, "size": found.size, "root": found.root.to_string(),
                "proof": found.proof.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        });
        let json = serde_json::json!({
            "schema": "allonym.verify/1", "receipt": check.receipt, "sha256": check.sha256,
            "signature": check.signature, "key": check.key, "files": check.files,
            "ledger": recorded,
        });
        return session.data_line(&json.to_string());
    }
    let key = check.key.as_deref().unwrap_or_default();
    let mut text = match check.signature {
        SignatureState::Known => format!("receipt intact · signed by {key}\n"),
        SignatureState::Unknown => format!(
            "receipt signed by {key}, and nothing here says whose key that is: name it with \
             --signer, or open its keyring\n"
        ),
        SignatureState::Unsigned => "receipt not signed: anybody may have written it\n".to_owned(),
        SignatureState::Broken => "receipt changed: its signature is not of this text\n".to_owned(),
    };
    for file in &check.files {
        let what = match file.state {
            FileState::Same => continue,
            FileState::Succeeded => {
                "changed since by an expiry or an erasure, as signed evidence tells"
            }
            FileState::Changed => "changed since",
            FileState::Missing => "not there",
            FileState::Unlisted => "not in the receipt",
        };
        text.push_str(&format!("  {}: {what}\n", file.path));
    }
    let listed = check.files.iter().filter(|file| file.state != FileState::Unlisted).count();
    let counted = |n: usize| table::count(n as u64);
    text.push_str(&format!("{} of {} files match\n", counted(check.same()), counted(listed)));
    match recorded {
        Some(found) => text.push_str(&format!("in the ledger as entry {}\n", found.seq)),
        None => text.push_str("not in a ledger that is at hand\n"),
    }
    session.data(text.as_bytes())
}
