//! `apply`: files in, treated files out, whole or not at all, with a receipt.

use crate::canary::{CanaryPlan, Planting};
use crate::canary_rows::RowPlanting;
use crate::draft::draft_policy;
use crate::keys::{refuse_exposed_ring, ring_place};
use crate::ledger::{self, Action, AuditLog, OpenJob, Scribe};
use crate::manifest::{self, ReceiptField};
use crate::pipeline::drive;
use crate::receipt::{Digest, ReceiptColumn, ReceiptFile, ReceiptKey, SCHEMA};
use crate::scan::{Scan, ScanOptions};
use crate::suppression::{Guard, Suppression};
use crate::{
    Cancel, Environment, Failure, Keyring, Receipt, Result, RuleSet, create_default_ring,
    load_rules, open_ring, rule_folders,
};
use allonym_core::{AnchorSource, KeyReference, Plan, PlannedColumn, Policy, Retention};
use allonym_io::{
    Dress, Format, Found, Input, Output, ReadOptions, Reader, Writer, make_folder_of, same_file,
    sha256_file, write_whole,
};
use allonym_recognize::Recognizer;
use allonym_retention::Anchor;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing::{debug, info};

/// Where treated rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One file for one input.
    File(PathBuf),
    /// A folder that mirrors the inputs.
    Folder(PathBuf),
    /// Standard output, streamed.
    Stdout,
}

/// Where the policy comes from.
#[derive(Clone, Debug)]
pub enum PolicySource {
    /// A policy and the folder its relative paths start from.
    Given {
        /// The policy.
        policy: Box<Policy>,
        /// The folder it stands in.
        folder: PathBuf,
    },
    /// None was given or found: draft one from a full scan, and create the default keyring if
    /// there is none.
    Draft,
}

impl PolicySource {
    /// Where keys and ledger are, as the policy says, and the folder that starts from.
    #[must_use]
    pub fn keys(&self) -> Option<(&KeyReference, &Path)> {
        match self {
            PolicySource::Given { policy, folder } => Some((policy.keys(), folder)),
            PolicySource::Draft => None,
        }
    }
}

/// How far a run is, for a progress line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// `scanning` or `treating`.
    pub phase: &'a str,
    /// File at work.
    pub file: &'a str,
    /// Bytes of the file consumed.
    pub bytes: u64,
    /// Bytes of the file, where known.
    pub size: Option<u64>,
}

/// One `apply`.
pub struct ApplyJob<'a> {
    /// What to read.
    pub inputs: Vec<Found>,
    /// Where to write.
    pub target: Target,
    /// Which policy.
    pub policy: PolicySource,
    /// `--keys`.
    pub keys: Option<String>,
    /// Captured environment.
    pub environment: &'a Environment,
    /// How to read.
    pub read: ReadOptions,
    /// Format of the output, where a flag or the file name asks for another than the input's.
    pub output_format: Option<Format>,
    /// Treating threads.
    pub threads: usize,
    /// Replace an existing output.
    pub force: bool,
    /// Keep what a killed run finished.
    pub resume: bool,
    /// Make the plan and stop.
    pub dry_run: bool,
    /// Where the receipt goes instead of beside the output.
    pub receipt: Option<PathBuf>,
    /// Canaries to plant by keyed coins.
    pub canaries: Option<CanaryPlan>,
    /// When the data was collected, ISO 8601: the anchor `dataset.collected_at`.
    pub collected_at: Option<String>,
    /// The clock of receipts: RFC 3339.
    pub now: &'a (dyn Fn() -> String + Sync),
    /// Who writes to which ledger.
    pub scribe: Scribe<'a>,
    /// Asked between batches.
    pub cancel: Cancel,
    /// Told between batches.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

impl std::fmt::Debug for ApplyJob<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ApplyJob { inputs, target, policy, read, threads, .. } = self;
        f.debug_struct("ApplyJob")
            .field("inputs", inputs)
            .field("target", target)
            .field("policy", policy)
            .field("read", read)
            .field("threads", threads)
            .finish_non_exhaustive()
    }
}

/// What an `apply` did.
#[derive(Debug)]
pub struct ApplyOutcome {
    /// The receipt; `None` for a dry run.
    pub receipt: Option<Receipt>,
    /// Where it was written.
    pub receipt_path: Option<PathBuf>,
    /// The plan of the first file, column by column.
    pub plan: Vec<PlannedColumn>,
    /// Notes for people.
    pub warnings: Vec<String>,
    /// The policy that was drafted, and where it was written.
    pub drafted: Option<PathBuf>,
    /// The scan the draft came from.
    pub scan: Option<Scan>,
    /// The keyring that was created: where, and its key id.
    pub created_ring: Option<(PathBuf, String)>,
    /// An earlier receipt proved that nothing was to do.
    pub unchanged: bool,
    /// Files that an earlier, interrupted run had finished.
    pub resumed: usize,
    /// Why the run stands in no ledger and its receipt is not signed; `None` when it is.
    pub unrecorded: Option<String>,
}

/// Treats files by a policy.
///
/// Everything wrong with policy, keys and schemas is found before row one of any file. A single
/// output is written aside and renamed; a folder is staged as `OUT.allonym-partial` and renamed
/// when the last file is done, so that a killed run leaves nothing half visible and `resume` can
/// keep what was finished. Missing folders on the way to the output are made. That the run begins
/// and that it is done stand in the ledger before the output becomes visible.
///
/// # Errors
/// By the exit codes of the contract; whatever happens, no partial output becomes visible.
pub fn apply(job: &ApplyJob<'_>) -> Result<ApplyOutcome> {
    if job.inputs.is_empty() {
        return Err(Failure::new("ALO-D001", 3, "nothing to read"));
    }
    refuse_overlap(job)?;
    let mut bound = Bound::new(job)?;
    if job.dry_run {
        return Ok(bound.outcome(None));
    }
    let started = (job.now)();
    if let Some(receipt) = bound.finished_before(job)? {
        bound.unchanged = true;
        let path = receipt_path(job);
        return Ok(ApplyOutcome { receipt_path: path, ..bound.outcome(Some(receipt)) });
    }
    if let Target::File(path) | Target::Folder(path) = &job.target {
        make_folder_of(path)?;
    }
    bound.write_draft(job)?;
    let log = bound.audit_log(job)?;
    let mut record = bound.begin(job, &log)?;
    let done = match &job.target {
        Target::File(path) => apply_file(job, &bound, &started, path, &mut record, &log),
        Target::Stdout => apply_stdout(job, &bound, &started, &mut record, &log),
        Target::Folder(path) => apply_folder(job, &mut bound, &started, path, &mut record, &log),
    };
    match done {
        Ok(outcome) => {
            let unrecorded = log.why_absent().map(str::to_owned);
            Ok(ApplyOutcome { unrecorded, ..outcome })
        }
        Err(failure) => match record.fail(&failure) {
            Ok(()) => Err(failure),
            Err(unwritten) => Err(failure.worse(unwritten)),
        },
    }
}

impl BoundFile {
    fn layout(&self) -> Vec<ReceiptField> {
        manifest::layout(self.plan.output_schema())
    }
}

/// A job with everything settled that can be settled before row one.
struct Bound {
    policy: Policy,
    rules: RuleSet,
    files: Vec<BoundFile>,
    /// The ring the plans were made with, for the ledger.
    ring: Option<Keyring>,
    drafted: Option<PathBuf>,
    scan: Option<Scan>,
    created_ring: Option<(PathBuf, String)>,
    unchanged: bool,
    resumed: usize,
}

struct BoundFile {
    found: Found,
    name: String,
    plan: Plan,
    /// Retention tags of what it becomes.
    tags: Option<Retention>,
    stdin: RefCell<Option<Reader>>,
    planting: RefCell<Option<Planting>>,
    /// Keeps out who was erased.
    guard: RefCell<Option<Guard>>,
}

impl Bound {
    fn new(job: &ApplyJob<'_>) -> Result<Bound> {
        let (policy, folder, scan) = settle_policy(job)?;
        let drafted = matches!(job.policy, PolicySource::Draft);
        let folders = rule_folders(&policy, &folder);
        let rules = load_rules(&folders)?.select(&policy.selection())?;
        // Compiling a few hundred patterns takes longer than treating a small file. Without a
        // recognizer a plan knows the shipped rules, which is enough for normalisation profiles.
        let recognizer = if policy.needs_recognizer() || !folders.is_empty() {
            Some(Arc::new(Recognizer::compile(&rules, &policy.tuning())?))
        } else {
            None
        };

        // Schemas first: a missing column in the last file of a thousand is found before the
        // first is treated.
        let (mut schemas, mut opened) = (Vec::new(), Vec::new());
        for found in &job.inputs {
            job.cancel.check()?;
            let reader = Reader::open(&found.input, &job.read)?;
            schemas.push(SchemaRef::clone(reader.schema()));
            // A file is opened again when its turn comes; standard input cannot be.
            opened.push((found.input == Input::Stdin).then_some(reader));
        }
        let judged = judge_columns(job, &policy, &rules, &schemas)?;

        let mut created_ring = None;
        let ring = if policy.needs_keys() || job.canaries.is_some() {
            let reference = Some((policy.keys(), folder.as_path()));
            let place = ring_place(job.keys.as_deref(), reference, job.environment)?;
            refuse_exposed_ring(&place.path, &input_paths(job), &job.target)?;
            if drafted && place.said_by == "default" && !place.path.exists() && !job.dry_run {
                let tenant = &policy.keys().tenant;
                let now = (job.now)();
                let mut ring =
                    create_default_ring(&place.path, "default", tenant, &now, job.environment)?;
                let key = ring.key(None, tenant)?.info().clone();
                ledger::note_new_key(&mut ring, &key, job.environment, job.scribe)?;
                info!(key = %key.id, "keyring created");
                created_ring = Some((place.path, key.id));
                Some(ring)
            } else if drafted && job.dry_run && !place.path.exists() {
                None
            } else {
                Some(open_ring(job.keys.as_deref(), reference, job.environment)?)
            }
        } else {
            None
        };

        let mut files = if job.dry_run && policy.needs_keys() && ring.is_none() {
            // A dry run on a fresh machine must not create keys: show what the scan proposes.
            Vec::new()
        } else {
            compile_plans(job, &policy, &schemas, ring.as_ref(), recognizer.as_ref(), &judged)?
        };
        let tags = manifest::merged(files.iter().filter_map(|file| file.tags.clone()));
        for (file, reader) in files.iter_mut().zip(opened) {
            file.stdin = RefCell::new(reader);
            // Each file holds a copy of what the manifest says of all.
            file.tags.clone_from(&tags);
        }
        // A dry run on a fresh machine has no key to draw them by.
        if let Some(plan) = job.canaries.as_ref().filter(|_| !files.is_empty()) {
            plan_canaries(job, plan, &policy, ring.as_ref(), &mut files)?;
        }
        let list = suppression_list(job, &policy, &folder)?;
        for (file, schema) in files.iter_mut().zip(&schemas) {
            let Some((list, opened)) = &list else { break };
            let ring = ring.as_ref().unwrap_or(opened);
            let recognizer = recognizer.as_ref();
            let guard = Guard::new(list, ring, &policy, &rules, recognizer, schema, &judged)?;
            file.guard = RefCell::new(guard);
        }
        Ok(Bound {
            policy,
            rules,
            files,
            ring,
            drafted: None,
            scan,
            created_ring,
            unchanged: false,
            resumed: 0,
        })
    }

    fn outcome(&self, receipt: Option<Receipt>) -> ApplyOutcome {
        ApplyOutcome {
            receipt,
            receipt_path: None,
            plan: self.files.first().map(|file| file.plan.columns().to_vec()).unwrap_or_default(),
            warnings: self.warnings(),
            drafted: self.drafted.clone(),
            scan: self.scan.clone(),
            created_ring: self.created_ring.clone(),
            unchanged: self.unchanged,
            resumed: self.resumed,
            unrecorded: None,
        }
    }

    /// The ledger of the ring that makes the tokens; of the one that is at hand where the policy
    /// needs none.
    fn audit_log<'a>(&mut self, job: &ApplyJob<'a>) -> Result<AuditLog<'a>> {
        if let Some(mut ring) = self.ring.take() {
            return AuditLog::open(&mut ring, job.environment, job.scribe);
        }
        let folder = match &job.policy {
            PolicySource::Given { folder, .. } => folder.as_path(),
            PolicySource::Draft => Path::new(""),
        };
        let reference = Some((self.policy.keys(), folder));
        let place = ring_place(job.keys.as_deref(), reference, job.environment);
        let exposed = |place: &crate::KeyPlace| {
            refuse_exposed_ring(&place.path, &input_paths(job), &job.target).err()
        };
        match place.as_ref().ok().and_then(exposed) {
            Some(failure) => Ok(AuditLog::absent(job.scribe, &failure.message)),
            None => {
                AuditLog::of_reference(job.keys.as_deref(), reference, job.environment, job.scribe)
            }
        }
    }

    fn begin<'l>(&self, job: &ApplyJob<'_>, log: &'l AuditLog<'_>) -> Result<OpenJob<'l>> {
        let keys = self.policy.keys();
        let (policy, rules) = (self.policy.digest(), self.rules.digest());
        let mut entry = log.entry(Action::Apply);
        entry.tenant = Some(ledger::name_of(&keys.tenant));
        entry.domain = Some(ledger::name_of(&keys.domain));
        entry.policy_digest = ledger::digests([policy.as_str()]).pop();
        let ids: BTreeSet<&String> =
            self.files.iter().flat_map(|file| file.plan.keys().iter().map(|(id, ..)| id)).collect();
        entry.key_ids = ids.into_iter().cloned().collect();
        let target = match &job.target {
            Target::File(path) | Target::Folder(path) => settled(path).display().to_string(),
            Target::Stdout => "-".to_owned(),
        };
        let key_ids = entry.key_ids.join(" ");
        let mut work = vec!["apply", &target, &policy, &rules, &key_ids];
        work.extend(self.files.iter().map(|file| file.name.as_str()));
        log.begin(entry, &work)
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = Vec::new();
        for file in &self.files {
            for warning in file.plan.warnings() {
                if !warnings.contains(warning) {
                    warnings.push(warning.clone());
                }
            }
        }
        warnings
    }

    fn blank_receipt(&self, started: &str) -> Receipt {
        let keys: BTreeSet<_> =
            self.files.iter().flat_map(|file| file.plan.keys().iter().cloned()).collect();
        Receipt {
            schema: SCHEMA.to_owned(),
            tool: concat!("allonym ", env!("CARGO_PKG_VERSION")).to_owned(),
            started: started.to_owned(),
            finished: String::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            rows: None,
            policy: Digest { sha256: self.policy.digest() },
            rules: Digest { sha256: self.rules.digest() },
            keys: keys
                .into_iter()
                .map(|(id, epoch, domain)| ReceiptKey { id, epoch, domain })
                .collect(),
            columns: Vec::new(),
            collected_at: None,
            retention: manifest::merged(self.files.iter().filter_map(|file| file.tags.clone()))
                .map(|tags| tags.to_json()),
            layouts: Vec::new(),
            warnings: self.warnings(),
            canaries: None,
            signature: None,
        }
    }

    /// The receipt of an earlier run that did exactly this work, if its outputs are still there.
    /// An output that is there without such a proof is an error, unless `force`.
    fn finished_before(&self, job: &ApplyJob<'_>) -> Result<Option<Receipt>> {
        let (target, exists) = match &job.target {
            Target::File(path) => (path, path.exists()),
            Target::Folder(path) => (path, folder_has_entries(path)),
            Target::Stdout => return Ok(None),
        };
        if !exists || job.force {
            return Ok(None);
        }
        let refused = || {
            Failure::new("ALO-U002", 2, format!("output `{}` exists", target.display()))
                .hint("choose another --to, or replace it with --force")
        };
        let Some(receipt_path) = receipt_path(job).filter(|path| path.exists()) else {
            return Err(refused());
        };
        let old = read_receipt(&receipt_path)?;
        if job.canaries.is_some() {
            return Err(refused());
        }
        if !old.is_untouched() {
            return Err(Failure::new(
                "ALO-U002",
                2,
                format!("receipt `{}` is not what was signed", receipt_path.display()),
            )
            .hint("somebody changed it; write the output again with --force"));
        }
        let mut wanted = self.blank_receipt("");
        for file in &self.files {
            let Input::File(path) = &file.found.input else { return Err(refused()) };
            let sha256 = sha256_file(path)?;
            wanted.inputs.push(ReceiptFile::read(String::new(), sha256, 0));
        }
        if !old.same_work(&wanted) {
            return Err(refused());
        }
        let base = receipt_path.parent().unwrap_or_else(|| Path::new(""));
        for output in &old.outputs {
            let path = base.join(&output.path);
            if !path.exists() || sha256_file(&path)? != output.sha256 {
                return Err(Failure::new(
                    "ALO-U002",
                    2,
                    format!("output `{}` is not what its receipt says", path.display()),
                )
                .hint("somebody changed it; write it again with --force"));
            }
        }
        Ok(Some(old))
    }

    fn write_draft(&mut self, job: &ApplyJob<'_>) -> Result<()> {
        if !matches!(job.policy, PolicySource::Draft) {
            return Ok(());
        }
        let path = match &job.target {
            Target::File(path) | Target::Folder(path) => beside(path, "policy.toml"),
            Target::Stdout => return Ok(()),
        };
        write_whole(&path, self.policy.to_toml().as_bytes(), true)?;
        self.drafted = Some(path);
        Ok(())
    }
}

/// Who was erased, where anybody was: the list stands beside the keyring of the run.
fn suppression_list(
    job: &ApplyJob<'_>,
    policy: &Policy,
    folder: &Path,
) -> Result<Option<(Suppression, Keyring)>> {
    let reference = Some((policy.keys(), folder));
    // Without a place for keys there are none, and nobody was erased by them.
    let Ok(place) = ring_place(job.keys.as_deref(), reference, job.environment) else {
        return Ok(None);
    };
    if !Suppression::place(&place.path).exists() {
        return Ok(None);
    }
    let list = Suppression::read(&place.path, &policy.keys().tenant)?;
    let ring = open_ring(job.keys.as_deref(), reference, job.environment)?;
    Ok(Some((list, ring)))
}

fn settle_policy(job: &ApplyJob<'_>) -> Result<(Policy, PathBuf, Option<Scan>)> {
    match &job.policy {
        PolicySource::Given { policy, folder } => Ok((Policy::clone(policy), folder.clone(), None)),
        PolicySource::Draft => {
            if job.target == Target::Stdout
                || job.inputs.iter().any(|found| found.input == Input::Stdin)
            {
                return Err(Failure::new(
                    "ALO-P020",
                    2,
                    "standard input and output need a policy: a draft reads the data twice and is \
                     written beside the output",
                )
                .hint("draft one with: allonym init FILE"));
            }
            let options = every_row(job);
            let name = draft_name(job);
            let told = |bytes, size| {
                (job.progress)(Progress { phase: "scanning", file: &name, bytes, size });
            };
            let (policy, scan) = draft_policy(&job.inputs, &job.read, &options, &name, "", &told)?;
            Ok((policy, PathBuf::new(), Some(scan)))
        }
    }
}

/// Entities that default join fields and `[[match]] entity` go by.
///
/// A column that the policy lists by name takes the entity its header names, because tomorrow's
/// file has the same header and may have other values: its tokens must join. Only a policy that
/// matches columns by entity makes the run look at the data.
fn judge_columns(
    job: &ApplyJob<'_>,
    policy: &Policy,
    rules: &RuleSet,
    schemas: &[SchemaRef],
) -> Result<BTreeMap<String, String>> {
    let mut judged = BTreeMap::new();
    if policy.matches_by_entity() {
        if job.inputs.iter().any(|found| found.input == Input::Stdin) {
            return Err(Failure::new(
                "ALO-P021",
                2,
                "a policy with `[[match]] entity` reads the data twice, which standard input does \
                 not allow",
            )
            .hint("list the columns by name or glob"));
        }
        let options = every_row(job);
        let told = |bytes, size| {
            (job.progress)(Progress { phase: "scanning", file: "", bytes, size });
        };
        let (_, scan) = draft_policy(&job.inputs, &job.read, &options, "", "", &told)?;
        for (name, judgement) in scan.judgements() {
            if let Some(entity) = judgement.entity {
                judged.insert(name, entity);
            }
        }
    }
    for schema in schemas {
        for leaf in crate::cells::leaves(schema) {
            if policy.lists(&leaf.path) || !policy.matches_by_entity() {
                match header_entity(rules, &leaf.path) {
                    Some(entity) => judged.insert(leaf.path, entity),
                    None => judged.remove(&leaf.path),
                };
            }
        }
    }
    Ok(judged)
}

/// The entity that a header names, where it names one clearly: as a whole or by its last words.
pub(crate) fn header_entity(rules: &RuleSet, header: &str) -> Option<String> {
    let (entity, strength) = rules.header_hits(header).into_iter().next()?;
    (strength >= HEADER_STRENGTH_MIN).then(|| rules.entity(entity).name.clone())
}

fn every_row(job: &ApplyJob<'_>) -> ScanOptions {
    ScanOptions { full: true, cancel: job.cancel.clone(), ..ScanOptions::default() }
}

/// One plan a file. A column that the policy lists and this file lacks is an error only when no
/// other file of the job has it.
fn compile_plans(
    job: &ApplyJob<'_>,
    policy: &Policy,
    schemas: &[SchemaRef],
    ring: Option<&Keyring>,
    recognizer: Option<&Arc<Recognizer>>,
    judged: &BTreeMap<String, String>,
) -> Result<Vec<BoundFile>> {
    let present: BTreeSet<String> = schemas
        .iter()
        .flat_map(|schema| {
            let whole = schema.fields().iter().map(|field| field.name().clone());
            let leaves = crate::cells::leaves(schema).into_iter().map(|leaf| leaf.path);
            whole.chain(leaves).collect::<Vec<_>>()
        })
        .collect();
    let mut files = Vec::new();
    let mut failure: Option<Failure> = None;
    for (found, schema) in job.inputs.iter().zip(schemas) {
        let policy = policy.for_one_of_many(schema, &present);
        let collected = Anchor::read(job.collected_at.as_deref());
        // When events happened, nobody tells before a check asks.
        let known = |anchor: &AnchorSource| match anchor {
            AnchorSource::CollectedAt => collected,
            _ => Anchor::Null,
        };
        let plan = Plan::compile(&policy, schema, ring, recognizer.cloned(), judged)
            .and_then(|plan| plan.with_row_expiry(policy.retention(), &known));
        match plan {
            Ok(plan) => {
                let name = found.relative.clone();
                let entities = plan
                    .columns()
                    .iter()
                    .filter_map(|column| Some((column.name.clone(), column.entity.clone()?)));
                let tags = manifest::resolved(&policy, plan.output_schema(), &entities.collect())?;
                files.push(BoundFile {
                    found: found.clone(),
                    name,
                    plan,
                    tags,
                    stdin: RefCell::new(None),
                    planting: RefCell::new(None),
                    guard: RefCell::new(None),
                });
            }
            Err(error) => {
                let mut found_here = Failure::from(error);
                if job.inputs.len() > 1 {
                    found_here.message = format!("{}: {}", found.relative, found_here.message);
                }
                failure = Some(match failure {
                    None => found_here,
                    Some(failure) => failure.worse(found_here),
                });
            }
        }
    }
    match failure {
        None => Ok(files),
        Some(failure) => Err(failure),
    }
}

fn apply_file(
    job: &ApplyJob<'_>,
    bound: &Bound,
    started: &str,
    path: &Path,
    record: &mut OpenJob<'_>,
    log: &AuditLog<'_>,
) -> Result<ApplyOutcome> {
    let [file] = bound.files.as_slice() else {
        return Err(Failure::new(
            "ALO-U004",
            2,
            format!("{} inputs cannot go to one file", bound.files.len()),
        )
        .hint("give a folder: --to FOLDER/"));
    };
    let mut receipt = bound.blank_receipt(started);
    receipt.collected_at.clone_from(&job.collected_at);
    let mut columns = Columns::default();
    let receipt_path = receipt_path(job).expect("a file target has a receipt");
    let base = receipt_path.parent().unwrap_or_else(|| Path::new("")).to_path_buf();
    let output = Output::File(path.to_path_buf());
    let finished = treat_one(job, file, &output, job.force, &mut receipt, &mut columns, &base)?;
    let written = finished.written().clone();
    receipt.add_output(relative_to(path, &base), written, file.layout());
    close_receipt(job, &mut receipt, columns);
    let json = seal(&mut receipt, record, log)?;
    finished.commit()?;
    write_whole(&receipt_path, json.as_bytes(), true)?;
    Ok(ApplyOutcome { receipt_path: Some(receipt_path), ..outcome_of(bound, receipt) })
}

fn apply_stdout(
    job: &ApplyJob<'_>,
    bound: &Bound,
    started: &str,
    record: &mut OpenJob<'_>,
    log: &AuditLog<'_>,
) -> Result<ApplyOutcome> {
    let [file] = bound.files.as_slice() else {
        return Err(Failure::new(
            "ALO-U004",
            2,
            format!("{} inputs cannot go to standard output", bound.files.len()),
        )
        .hint("give a folder: --to FOLDER/"));
    };
    let mut receipt = bound.blank_receipt(started);
    receipt.collected_at.clone_from(&job.collected_at);
    let mut columns = Columns::default();
    let base = job
        .receipt
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or_else(|| Path::new(""))
        .to_path_buf();
    let finished = treat_one(job, file, &Output::Stdout, true, &mut receipt, &mut columns, &base)?;
    let written = finished.commit()?;
    receipt.add_output("-".to_owned(), written, file.layout());
    close_receipt(job, &mut receipt, columns);
    let json = seal(&mut receipt, record, log)?;
    if let Some(path) = &job.receipt {
        write_whole(path, json.as_bytes(), job.force)?;
    }
    Ok(ApplyOutcome { receipt_path: job.receipt.clone(), ..outcome_of(bound, receipt) })
}

fn apply_folder(
    job: &ApplyJob<'_>,
    bound: &mut Bound,
    started: &str,
    folder: &Path,
    record: &mut OpenJob<'_>,
    log: &AuditLog<'_>,
) -> Result<ApplyOutcome> {
    let staging = beside(folder, "partial");
    if staging.exists() && !job.resume {
        fs::remove_dir_all(&staging).map_err(|error| storage(&staging, &error))?;
    }
    let mut receipt = bound.blank_receipt(started);
    receipt.collected_at.clone_from(&job.collected_at);
    let mut columns = Columns::default();
    let mut resumed = 0;
    for file in &bound.files {
        job.cancel.check()?;
        let path = staging.join(&file.name);
        make_folder_of(&path)?;
        let proof = beside(&path, "json");
        let mut part = bound.blank_receipt(started);
        if let Some(done) = finished_part(file, &path, &proof, &part)? {
            part = done;
            resumed += 1;
        } else {
            let mut part_columns = Columns::default();
            let output = Output::File(path.clone());
            let finished =
                treat_one(job, file, &output, true, &mut part, &mut part_columns, folder)?;
            let written = finished.commit()?;
            part.add_output(file.name.clone(), written, file.layout());
            close_receipt(job, &mut part, part_columns);
            write_whole(&proof, part.to_json().as_bytes(), true)?;
        }
        receipt.inputs.append(&mut part.inputs);
        for output in std::mem::take(&mut part.outputs) {
            receipt.outputs.push(ReceiptFile { layout: None, ..output });
            receipt.set_layout(file.layout());
        }
        for column in part.columns {
            columns.add_column(column);
        }
        for warning in part.warnings {
            if !receipt.warnings.contains(&warning) {
                receipt.warnings.push(warning);
            }
        }
    }
    // Every file is there: the proofs of the parts go, the receipt of the whole comes.
    for file in &bound.files {
        let proof = beside(&staging.join(&file.name), "json");
        fs::remove_file(&proof).map_err(|error| storage(&proof, &error))?;
    }
    close_receipt(job, &mut receipt, columns);
    let inside = staging.join(FOLDER_RECEIPT);
    let receipt_path = match &job.receipt {
        Some(path) => path.clone(),
        None => folder.join(FOLDER_RECEIPT),
    };
    let json = seal(&mut receipt, record, log)?;
    if job.receipt.is_none() {
        write_whole(&inside, json.as_bytes(), true)?;
    }
    publish(&staging, folder, job.force)?;
    if let Some(path) = &job.receipt {
        write_whole(path, json.as_bytes(), job.force)?;
    }
    bound.resumed = resumed;
    Ok(ApplyOutcome { receipt_path: Some(receipt_path), ..outcome_of(bound, receipt) })
}

/// What a killed run finished of a folder, if it is still what its proof says and the proof is
/// of the same work.
fn finished_part(
    file: &BoundFile,
    output: &Path,
    proof: &Path,
    wanted: &Receipt,
) -> Result<Option<Receipt>> {
    if !output.exists() || !proof.exists() {
        return Ok(None);
    }
    let Input::File(input) = &file.found.input else { return Ok(None) };
    // A proof cut short by the kill is no proof; the file is simply treated again.
    let Ok(done) = read_receipt(proof) else { return Ok(None) };
    let mut wanted = wanted.clone();
    let sha256 = sha256_file(input)?;
    wanted.inputs.push(ReceiptFile::read(String::new(), sha256, 0));
    let intact = match done.outputs.as_slice() {
        [written] => sha256_file(output)? == written.sha256,
        _ => false,
    };
    debug!(file = %file.name, intact, "part of an earlier run");
    Ok((intact && done.same_work(&wanted)).then_some(done))
}

fn treat_one(
    job: &ApplyJob<'_>,
    file: &BoundFile,
    output: &Output,
    force: bool,
    receipt: &mut Receipt,
    columns: &mut Columns,
    base: &Path,
) -> Result<allonym_io::Finished> {
    let mut reader = match file.stdin.take() {
        Some(reader) => reader,
        None => Reader::open(&file.found.input, &job.read)?,
    };
    let asked = match (output, job.output_format) {
        (_, Some(format)) => Some(format),
        (Output::File(path), None) => Format::of_path(path),
        (Output::Stdout, None) => None,
    };
    let shape = match (asked, output) {
        (Some(format), Output::File(path)) => reader.shape().for_output(Some(path), Some(format)),
        (format, Output::File(path)) => reader.shape().for_output(Some(path), format),
        (format, Output::Stdout) => reader.shape().for_output(None, format),
    };
    let mut untouched = file.plan.untouched().to_vec();
    let mut planting = file.planting.take();
    match &planting {
        Some(Planting::Cells(cells)) => untouched[cells.column()] = None,
        Some(Planting::Rows(_)) => RowPlanting::check_format(shape.format)?,
        None => {}
    }
    let schema = match &file.tags {
        Some(tags) => manifest::tagged(file.plan.output_schema(), tags, &receipt.policy.sha256),
        None => SchemaRef::clone(file.plan.output_schema()),
    };
    let mut writer = Writer::create(output, &shape, &schema, &untouched, force)?;
    let mut rows = 0;
    let mut guard = file.guard.take();
    let planned = file.plan.columns();
    let name = file.name.as_str();
    drive(
        || {
            let chunk = reader.next_chunk()?;
            let (bytes, size) = reader.progress();
            (job.progress)(Progress { phase: "treating", file: name, bytes, size });
            match (chunk, &mut guard) {
                (Some(chunk), Some(guard)) => guard.pass(chunk).map(Some),
                (chunk, _) => Ok(chunk),
            }
        },
        &file.plan,
        name,
        job.threads,
        &job.cancel,
        |treated, dress| {
            let first = rows;
            rows += treated.records().num_rows() as u64;
            columns.add(planned, treated.counts());
            match &mut planting {
                None => Ok(writer.write(treated.records(), dress)?),
                Some(planting) => {
                    write_all(&mut writer, &planting.pass(treated.records(), dress, first)?)
                }
            }
        },
    )?;
    if let Some(planting) = &mut planting {
        write_all(&mut writer, &planting.rest()?)?;
    }
    let finished = writer.finish()?;
    receipt.canaries = planting.map(|planting| planting.finish(rows));
    receipt.warnings.extend(columns.warnings(planned));
    let blocked = guard.map_or(0, |guard| guard.blocked());
    if blocked > 0 {
        rows += blocked;
        receipt.warnings.push(format!(
            "{name}: {blocked} rows are of people who were erased; they were left out"
        ));
    }
    let path = match &file.found.input {
        Input::Stdin => "-".to_owned(),
        Input::File(path) => relative_to(path, base),
    };
    receipt.inputs.push(ReceiptFile::read(path, reader.sha256()?, rows));
    info!(file = %file.name, rows, "treated");
    Ok(finished)
}

fn write_all(writer: &mut Writer, batches: &[(RecordBatch, Dress)]) -> Result<()> {
    Ok(batches.iter().try_for_each(|(records, dress)| writer.write(records, dress))?)
}

/// Draws the canaries of a run, which has one input and one output of rows.
fn plan_canaries(
    job: &ApplyJob<'_>,
    plan: &CanaryPlan,
    policy: &Policy,
    ring: Option<&Keyring>,
    files: &mut [BoundFile],
) -> Result<()> {
    let [file] = files else {
        return Err(Failure::new("ALO-U051", 2, "canaries are planted in one file at a time"));
    };
    if matches!(job.target, Target::Folder(_)) {
        return Err(Failure::new("ALO-U051", 2, "canaries go to one file, not to a folder"));
    }
    let names = policy.keys();
    let ring = ring.ok_or_else(|| {
        Failure::new("ALO-K001", 4, "canaries need a keyring").hint("run: allonym key new")
    })?;
    let key = ring.key(names.key.as_deref(), &names.tenant)?;
    let (planned, schema) = (file.plan.columns(), file.plan.output_schema());
    let planting = Planting::new(plan, planned, schema, &names.domain, &key)?;
    file.planting = RefCell::new(Some(planting));
    Ok(())
}

/// Counts by column, in the order columns first appear.
#[derive(Default)]
struct Columns {
    columns: Vec<ReceiptColumn>,
    counts: BTreeMap<String, allonym_core::ColumnCounts>,
}

impl Columns {
    fn add(&mut self, planned: &[PlannedColumn], counts: &[allonym_core::ColumnCounts]) {
        for (planned, counts) in planned.iter().zip(counts) {
            self.column(planned).add(counts);
            self.counts.entry(planned.name.clone()).or_default().add(counts);
        }
    }

    fn add_column(&mut self, column: ReceiptColumn) {
        match self.columns.iter_mut().find(|known| known.name == column.name) {
            None => self.columns.push(column),
            Some(known) => {
                known.treated += column.treated;
                known.nulls += column.nulls;
                known.sentinels += column.sentinels;
                known.unparseable += column.unparseable;
                known.lookalikes += column.lookalikes;
                for (entity, count) in column.findings {
                    *known.findings.entry(entity).or_default() += count;
                }
            }
        }
    }

    fn column(&mut self, planned: &PlannedColumn) -> &mut ReceiptColumn {
        let at = match self.columns.iter().position(|column| column.name == planned.name) {
            Some(at) => at,
            None => {
                self.columns.push(ReceiptColumn {
                    name: planned.name.clone(),
                    treatment: planned.treatment.to_owned(),
                    entity: planned.entity.clone(),
                    ..ReceiptColumn::default()
                });
                self.columns.len() - 1
            }
        };
        &mut self.columns[at]
    }

    fn warnings(&self, planned: &[PlannedColumn]) -> Vec<String> {
        planned.iter().filter_map(|column| self.counts.get(&column.name)?.warning(column)).collect()
    }
}

fn close_receipt(job: &ApplyJob<'_>, receipt: &mut Receipt, mut columns: Columns) {
    receipt.columns.append(&mut columns.columns);
    receipt.finished = (job.now)();
}

/// Signs the receipt and writes down that the work is done; gives the receipt's text.
fn seal(receipt: &mut Receipt, record: &mut OpenJob<'_>, log: &AuditLog<'_>) -> Result<String> {
    receipt.sign(log)?;
    let json = receipt.to_json();
    record.end(|entry| receipt.tell(&json, entry))?;
    Ok(json)
}

fn outcome_of(bound: &Bound, receipt: Receipt) -> ApplyOutcome {
    let warnings = receipt.warnings.clone();
    ApplyOutcome { warnings, ..bound.outcome(Some(receipt)) }
}

fn refuse_overlap(job: &ApplyJob<'_>) -> Result<()> {
    for found in &job.inputs {
        let Input::File(input) = &found.input else { continue };
        let same = match &job.target {
            Target::File(output) => same_file(input, output),
            Target::Folder(output) => {
                let output = output.canonicalize().unwrap_or_else(|_| output.clone());
                input.canonicalize().is_ok_and(|input| input.starts_with(output))
            }
            Target::Stdout => false,
        };
        if same {
            return Err(Failure::new(
                "ALO-U001",
                2,
                format!("input `{}` would be written over", input.display()),
            )
            .hint("choose another --to"));
        }
    }
    Ok(())
}

fn input_paths(job: &ApplyJob<'_>) -> Vec<PathBuf> {
    job.inputs
        .iter()
        .filter_map(|found| match &found.input {
            Input::File(path) => Some(path.clone()),
            Input::Stdin => None,
        })
        .collect()
}

fn receipt_path(job: &ApplyJob<'_>) -> Option<PathBuf> {
    if let Some(path) = &job.receipt {
        return Some(path.clone());
    }
    match &job.target {
        Target::File(path) => Some(beside(path, "json")),
        Target::Folder(path) => Some(path.join(FOLDER_RECEIPT)),
        Target::Stdout => None,
    }
}

fn read_receipt(path: &Path) -> Result<Receipt> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new("ALO-D003", 3, format!("cannot read `{}`: {}", path.display(), error.kind()))
    })?;
    Receipt::parse(&text, &path.display().to_string())
}

/// `claims.parquet` + `json` = `claims.parquet.allonym.json`; `policy.toml` is
/// `claims.parquet.policy.toml`; `partial` is `claims.allonym-partial`.
fn beside(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_else(|| "out".to_owned());
    path.with_file_name(match what {
        "json" => format!("{name}.allonym.json"),
        "partial" => format!("{name}.allonym-partial"),
        other => format!("{name}.{other}"),
    })
}

fn relative_to(path: &Path, base: &Path) -> String {
    let base = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    let (path, base) = (settled(path), settled(base));
    let shared = path.components().zip(base.components()).take_while(|(a, b)| a == b).count();
    let up = base.components().count() - shared;
    let mut parts = vec!["..".to_owned(); up];
    parts.extend(
        path.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned()),
    );
    parts.join("/")
}

/// The path without links, as far as it exists; the file itself may be still to come.
fn settled(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_path_buf(),
    }
}

fn folder_has_entries(path: &Path) -> bool {
    path.is_file() || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some())
}

/// Makes a staged folder visible under its name. Replacing keeps the old one aside until the new
/// one stands.
fn publish(staging: &Path, folder: &Path, force: bool) -> Result<()> {
    let failed = |error: std::io::Error| storage(folder, &error);
    if folder_has_entries(folder) {
        if !force {
            return Err(Failure::new(
                "ALO-U002",
                2,
                format!("output `{}` appeared during the run", folder.display()),
            )
            .hint("choose another --to, or replace it with --force"));
        }
        let old = beside(folder, "allonym-old");
        fs::rename(folder, &old).map_err(failed)?;
        fs::rename(staging, folder).map_err(failed)?;
        return fs::remove_dir_all(&old).map_err(failed);
    }
    if folder.exists() {
        fs::remove_dir(folder).map_err(failed)?;
    }
    fs::rename(staging, folder).map_err(failed)
}

fn storage(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new("ALO-S001", 75, format!("cannot write `{}`: {}", path.display(), error.kind()))
        .hint("free space or restore the storage, then run again with --resume")
}

fn draft_name(job: &ApplyJob<'_>) -> String {
    let name = Path::new(&job.inputs[0].relative)
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "draft".to_owned())
}

/// Below, a phrase stands somewhere inside a longer header (`email_sent_at`).
const HEADER_STRENGTH_MIN: f32 = 0.7;
pub(crate) const FOLDER_RECEIPT: &str = "allonym.receipt.json";
