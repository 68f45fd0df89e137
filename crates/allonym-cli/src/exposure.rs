//! `allonym exposure`: what a model gives away about who was in its training data.

use crate::arguments::{CanaryAction, ExposureAction, KeySource, MeasureArguments, OutputFormat};
use crate::session::Session;
use allonym::exposure::{
    Context, Evidence, Gate, GateEvidence, MeasureOptions, Measured, SignalFile, compare_measured,
    ensemble_limit, measure,
};
use allonym::{
    Failure, Keyring, PolicySource, Receipt, Result, canaries, canary_rows, open_ring,
    score_canaries, write_canary_rows, write_whole,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn run(action: &ExposureAction, session: &mut Session) -> Result<u8> {
    match action {
        ExposureAction::Score { signals, to, force, measure } => {
            let evidence = measured(signals, measure, session)?.evidence;
            if let Some(to) = to {
                write_whole(to, evidence.to_json().as_bytes(), *force)?;
                session.hint(&format!("allonym exposure report {}", to.display()));
            }
            print(session, &evidence.to_json(), &evidence.to_text())
        }
        ExposureAction::Report { evidence, to, force } => {
            let page = read(evidence)?.document()?.html();
            match to {
                Some(to) => write_whole(to, page.as_bytes(), *force)?,
                None => session.data(page.as_bytes())?,
            }
            Ok(0)
        }
        ExposureAction::Canary { action } => canary(action, session),
        ExposureAction::Compare { before, after, measure } => {
            let before = measured(before, measure, session)?;
            let after = measured(after, measure, session)?;
            let compared = compare_measured(&before, &after)?;
            print(session, &compared.to_json(), &compared.to_text())
        }
        ExposureAction::Gate { input, policy, auc, tpr, measure } => {
            let evidence = if is_json(input)? {
                read(input)?
            } else {
                measured(input, measure, session)?.evidence
            };
            let judged = judge(&evidence, *auc, tpr, policy.as_deref(), session)?;
            let json = serde_json::json!({
                "schema": "allonym.exposure-gate/1",
                "decision": judged.decision,
                "exit": judged.exit,
                "sentence": judged.sentence,
                "records_factor": judged.records_factor,
                "limits": judged.limits,
                "auc": evidence.told.auc,
                "rates": evidence.told.rates,
            });
            print(session, &format!("{json:#}"), &judged.sentence)?;
            Ok(judged.exit)
        }
    }
}

/// By the limits that are given, else by those of the policy.
fn judge(
    evidence: &Evidence,
    auc: Option<f64>,
    tpr: &[(f64, f64)],
    policy: Option<&Path>,
    session: &Session,
) -> Result<GateEvidence> {
    if auc.is_none() && tpr.is_empty() {
        let found = crate::policy::find(policy, &session.environment)?;
        if let PolicySource::Given { policy, .. } = &found
            && let Some(asked) = policy.gates().and_then(|gates| gates.exposure.as_ref())
        {
            return evidence.gate_by_policy(asked);
        }
    }
    evidence.gate(&Gate { auc, tpr_at: tpr.to_vec() })
}

fn canary(action: &CanaryAction, session: &mut Session) -> Result<u8> {
    match action {
        CanaryAction::List { receipt, to, force, data, keys } => {
            let Registered { receipt, folder, ring } = registered(receipt, keys, session)?;
            let known = receipt.registered_canaries()?;
            let key = ring.key(Some(&known.key), &known.tenant)?;
            if known.rows.is_some() {
                let rows = canary_rows(&receipt, &folder, data.as_deref(), &key)?;
                write_canary_rows(&rows, to.as_deref(), *force)?;
                return Ok(0);
            }
            if to.is_some() || data.is_some() {
                let message = "--to and --data are for canaries that are rows; these are texts";
                return Err(Failure::new("ALO-U050", 2, message));
            }
            for canary in canaries(known, &key)? {
                let line = serde_json::json!({ "id": canary.id, "text": canary.text });
                session.data_line(&line.to_string())?;
            }
            Ok(0)
        }
        CanaryAction::Score { receipt, scores, confidence, delta, keys } => {
            let Registered { receipt, ring, .. } = registered(receipt, keys, session)?;
            let known = receipt.registered_canaries()?;
            let canaries = canaries(known, &ring.key(Some(&known.key), &known.tenant)?)?;
            let told = score_canaries(&canaries, &read_scores(scores)?, *delta, *confidence)?;
            let json = serde_json::to_string_pretty(&told).map_err(|_| {
                Failure::new("ALO-X005", 5, "internal error: the evidence is not JSON")
            })?;
            let text = format!(
                "{}\n  exposure of the planted: median {:.1} bits, highest {:.1} of at most {:.1}",
                told.sentence, told.exposure_median, told.exposure_max, told.exposure_limit
            );
            print(session, &json, &text)
        }
    }
}

/// A receipt, the folder its paths start from, and the ring that its canaries come from.
struct Registered {
    receipt: Receipt,
    folder: PathBuf,
    ring: Keyring,
}

fn registered(path: &Path, keys: &KeySource, session: &Session) -> Result<Registered> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    let receipt = Receipt::parse(&text, &name)?;
    let environment = session.environment.clone().with_passphrase_file(keys.passphrase());
    // One that registers none says so before a ring is looked for.
    receipt.registered_canaries()?;
    let ring = open_ring(keys.keys.as_deref(), None, &environment)?;
    let folder = path.parent().unwrap_or_else(|| Path::new("")).to_path_buf();
    Ok(Registered { receipt, folder, ring })
}

/// One line for each canary: its id and its score.
fn read_scores(path: &Path) -> Result<BTreeMap<u32, f64>> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    let mut scores = BTreeMap::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |what: &str| {
            let message = format!("{}: line {}: {what}", path.display(), at + 1);
            Failure::new("ALO-D006", 3, message).hint("write lines as {\"id\": 0, \"score\": -1.5}")
        };
        let said: serde_json::Value =
            serde_json::from_str(line).map_err(|_| wrong("this is no JSON"))?;
        let id = said["id"].as_u64().and_then(|id| u32::try_from(id).ok());
        let (Some(id), Some(score)) = (id, said["score"].as_f64()) else {
            return Err(wrong("a whole number `id` and a number `score` are needed"));
        };
        if scores.insert(id, score).is_some() {
            return Err(wrong("the id has a score already"));
        }
    }
    Ok(scores)
}

fn measured(path: &Path, arguments: &MeasureArguments, session: &mut Session) -> Result<Measured> {
    let now = session.clock(arguments.as_of.as_deref())?;
    let file = SignalFile::open(path)?;
    let context =
        Context { model: arguments.model.clone(), measured_at: Some(now()), ..Context::default() };
    let subjects = file.subjects()?;
    let unit = if subjects.is_some() { "people" } else { "records" };
    let options = MeasureOptions {
        fpr: arguments.fpr,
        confidence: arguments.confidence,
        prior: arguments.prior,
        logit_limit: arguments.trees.map(ensemble_limit),
        subjects,
        unit: unit.to_owned(),
        coins: arguments.coins,
        worst_records: arguments.records,
        ..MeasureOptions::default()
    };
    measure(&file.models(arguments.target)?, context, &options, &session.cancel)
}

fn print(session: &mut Session, json: &str, text: &str) -> Result<u8> {
    match session.format {
        OutputFormat::Human => session.data_line(text)?,
        OutputFormat::Json => session.data_line(json)?,
        _ => {
            let failure = Failure::new("ALO-U050", 2, "exposure speaks human and json");
            return Err(failure.hint("--format json"));
        }
    }
    Ok(0)
}

fn read(path: &Path) -> Result<Evidence> {
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error))?;
    Evidence::from_json(&text)
}

/// Whether a file looks like evidence rather than like signals.
fn is_json(path: &Path) -> Result<bool> {
    use std::io::Read as _;
    if path.is_dir() {
        return Ok(false);
    }
    let mut first = [0; 1];
    let mut file = fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let held = file.read(&mut first).map_err(|error| unreadable(path, &error))?;
    Ok(held == 1 && first == *b"{")
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new("ALO-D001", 3, format!("{}: {}", path.display(), error.kind()))
}
