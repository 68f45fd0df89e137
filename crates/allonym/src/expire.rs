//! `expire`: what is past its date goes, in place, and what was done is told.

use crate::holds::KnownHold;
use crate::jobs::{
    Job, JobFile, Matter, Work, job_files, refuse_future, remove_drafts, seal, unfinished,
    write_evidence,
};
use crate::lake::{SHOWN, TableEvidence, shown};
use crate::ledger::{Action, AuditLog, OpenJob, Signature};
use crate::random::RandomTokens;
use crate::rewrite::{Edit, Edited, Fate, rewrite};
use crate::tags::{
    Bound, BoundTag, FileName, SUSPICIOUS, Tags, Tally, is_of_rows, receipt_beside, retention_of,
    sha256_hex,
};
use crate::{
    Digest, Failure, Progress, Receipt, Result, RuleSet, load_rules, open_ring, rule_folders,
};
use allonym_io::{Format, Found, Input, Reader, RowGroups, make_folder_of, sha256_file};
use allonym_keys::Keyring;
use allonym_report::OldVersion;
use allonym_retention::{Counts, OnExpiry, Verdict};
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use arrow_schema::{Field, Schema, SchemaRef};
use arrow_select::zip::zip;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing::info;

/// One `expire`.
#[derive(Debug)]
pub struct ExpireJob<'a> {
    /// What, by which policy, when; the policy has a `[retention]`, and keys are needed for random
    /// tokens only.
    pub work: Work<'a>,
    /// Where rows go that are set aside.
    pub quarantine: Option<PathBuf>,
    /// Where the evidence goes instead of beside the data.
    pub evidence: Option<PathBuf>,
}

/// What an `expire` did or would do.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpireOutcome {
    /// All of it, as JSON tells it.
    pub evidence: ExpireEvidence,
    /// Where the evidence was written.
    pub evidence_path: Option<PathBuf>,
    /// Exit code of the contract: 0, 1 or 3.
    pub exit: u8,
    /// An interrupted run was taken up, with the date it had begun with.
    pub resumed: bool,
    /// Why what was done stands in no ledger and its evidence is not signed.
    pub unrecorded: Option<String>,
    /// Notes for people.
    pub notes: Vec<String>,
}

/// The evidence of one run: names, counts and digests, never a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExpireEvidence {
    /// `allonym.expire/1`.
    pub schema: String,
    /// Version of the tool.
    pub tool: String,
    /// The date that decided, RFC 3339.
    pub as_of: String,
    /// Whether it was done; a plan otherwise.
    pub applied: bool,
    /// Digest of the policy.
    pub policy: Digest,
    /// Legal holds in force.
    pub holds: Vec<HoldEvidence>,
    /// What was looked at, file by file.
    pub files: Vec<FileEvidence>,
    /// The table that the files are of, where they are of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableEvidence>,
    /// Outputs that receipts name as made of files with expired rows.
    pub derived: Vec<Derived>,
    /// `nothing due`, `due`, `done`, `against policy` or `not verifiable`.
    pub verdict: String,
    /// The reasons, in words.
    pub reasons: Vec<String>,
    /// What this evidence does not show.
    pub does_not_show: String,
    /// Signature over all the rest, as of a receipt; null for a plan, and without a keyring.
    pub signature: Option<Signature>,
}

/// A legal hold in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HoldEvidence {
    /// Its name.
    pub id: String,
    /// Whether its day of review has passed.
    pub review_overdue: bool,
    /// Digest of the file of its subject tokens.
    pub subject_tokens: Option<Digest>,
}

impl HoldEvidence {
    pub(crate) fn of(hold: &KnownHold) -> HoldEvidence {
        HoldEvidence {
            id: hold.hold.id.clone(),
            review_overdue: hold.overdue,
            subject_tokens: hold.digest.clone().map(|sha256| Digest { sha256 }),
        }
    }
}

/// What was found in one file, and done to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FileEvidence {
    /// Relative to the folder that all files of the run have in common.
    pub path: String,
    /// The file as it was.
    pub before: Version,
    /// The file as it is now; the same as before when nothing was due.
    pub after: Option<Version>,
    /// Each tag: what it says of the rows.
    pub tags: Vec<TagEvidence>,
    /// Rows that go, or went.
    pub rows_dropped: u64,
    /// Rows that are set aside, or were.
    pub rows_quarantined: u64,
    /// Where they were set aside: the file and its digest.
    pub quarantine: Option<Quarantine>,
    /// Cells that change, or changed, by column.
    pub cells: BTreeMap<String, u64>,
    /// Rows whose key is to be destroyed, which is not done here.
    pub rows_to_shred: u64,
    /// Row groups of a Parquet file.
    pub row_groups: Option<GroupEvidence>,
    /// Columns without a tag, where every column must have one.
    pub untagged: Vec<String>,
    /// Where policy and manifest disagree on what expires when.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
}

/// Contents of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Version {
    /// SHA-256 of the stored bytes.
    pub sha256: String,
    /// Rows.
    pub rows: u64,
}

/// Where rows were set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quarantine {
    /// The file.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

/// What one tag says of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TagEvidence {
    /// The column, or `dataset`.
    pub of: String,
    /// What the period is counted from.
    pub anchor: String,
    /// The period.
    pub duration: String,
    /// What happens then.
    pub on_expiry: String,
    /// Rows by verdict.
    pub rows: Tally,
}

/// What became of row groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupEvidence {
    /// All of the file.
    pub all: u64,
    /// Judged by the footer alone.
    pub judged_by_statistics: u64,
    /// Without anything due: taken over as they are stored.
    pub untouched: u64,
    /// Gone whole.
    pub gone: u64,
    /// Written again without the rows that went.
    pub rewritten: u64,
}

/// Outputs made of expired data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Derived {
    /// The file with expired rows.
    pub input: String,
    /// The receipt that says so.
    pub receipt: String,
    /// What was made of it.
    pub outputs: Vec<String>,
}

impl ExpireEvidence {
    /// Schema name of version 1.
    pub const SCHEMA: &str = "allonym.expire/1";

    pub(crate) fn new(
        job: &ExpireJob<'_>,
        as_of: Timestamp,
        holds: &[KnownHold],
        files: Vec<FileEvidence>,
        derived: Vec<Derived>,
    ) -> ExpireEvidence {
        ExpireEvidence {
            schema: ExpireEvidence::SCHEMA.to_owned(),
            tool: concat!("allonym ", env!("CARGO_PKG_VERSION")).to_owned(),
            as_of: as_of.to_string(),
            applied: job.work.apply,
            policy: Digest { sha256: job.work.policy.digest() },
            holds: holds.iter().map(HoldEvidence::of).collect(),
            files,
            table: None,
            derived,
            verdict: String::new(),
            reasons: Vec::new(),
            does_not_show: DOES_NOT_SHOW.to_owned(),
            signature: None,
        }
    }

    /// JSON Schema of it.
    #[must_use]
    pub fn json_schema() -> Value {
        schemars::schema_for!(ExpireEvidence).to_value()
    }

    /// Its JSON, with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self)
            .expect("evidence holds only strings, numbers and string-keyed maps");
        json.push('\n');
        json
    }

    /// Rows of a verdict, summed over files; where several tags judge a row, the largest count of
    /// one tag.
    #[must_use]
    pub fn rows(&self, verdict: Verdict) -> u64 {
        let of_file =
            |file: &FileEvidence| file.tags.iter().map(|tag| tag.rows.rows(verdict)).max();
        self.files.iter().filter_map(of_file).sum()
    }
}

/// Finds what is past its date and, if asked to, removes it: each file is written again and takes
/// its place by a rename. Run again after an interruption, it goes on where it was and ends with
/// the same bytes. Run again after its end, it finds nothing to do.
///
/// # Errors
/// By the exit codes of the contract. Everything that can be wrong with policy, holds, columns and
/// files is found before the first file is changed.
pub fn expire(job: &ExpireJob<'_>) -> Result<ExpireOutcome> {
    if job.work.apply {
        refuse_future(job.work.as_of, &job.work.scribe)?;
    }
    let paths = paths(&job.work.inputs)?;
    let (root, files) = job_files(&paths)?;
    let policy = job.work.policy;
    let retention = retention_of(policy)?;
    let rules = load_rules(&rule_folders(policy, job.work.folder))?;
    let ring = keys_for(job)?;

    let mut notes = Vec::new();
    let interrupted = unfinished(&root).filter(|matter| matter.kind == KIND);
    if let (false, Some(matter)) = (job.work.apply, &interrupted) {
        let began = &matter.as_of;
        notes.push(format!("an expire of {began} was interrupted; the same command ends it"));
    }
    let mut as_of = job.work.as_of;
    let holds = KnownHold::in_force(retention, job.work.folder, as_of)?;
    if interrupted.is_none() {
        refuse_clock_back(&files, as_of)?;
    }
    let mut running = None;
    if job.work.apply {
        let matter = Matter {
            kind: KIND.to_owned(),
            as_of: as_of.to_string(),
            digest: matter_digest(job, &holds),
            files: files.iter().map(|file| file.name.clone()).collect(),
        };
        let begun = Job::begin(&root, &files, matter)?;
        as_of = begun.matter.as_of.parse().unwrap_or(as_of);
        running = Some(begun);
    }
    let holds = KnownHold::in_force(retention, job.work.folder, as_of)?;

    // All plans first: what is wrong with the last file is found before the first one changes.
    let plans = || -> Result<Vec<Planned>> {
        let mut planned = Vec::new();
        for file in &files {
            job.work.cancel.check()?;
            let done = running.as_ref().map(|running| running.settled(file)).transpose()?;
            planned.push(match done.flatten() {
                Some(done) => Planned::Done(Box::new(told(&done.told)?)),
                None => {
                    let plan = plan(job, &rules, file, as_of, &holds, ring.as_ref())?;
                    Planned::Open(Box::new(plan))
                }
            });
        }
        check_quarantine(job, &root, &planned)?;
        Ok(planned)
    };
    let planned = match plans() {
        Ok(planned) => planned,
        Err(failure) => {
            // Nothing was changed yet, so nothing is unfinished.
            if let Some(running) = running.filter(|running| !running.resumed) {
                running.end()?;
            }
            return Err(failure);
        }
    };

    let reference = Some((policy.keys(), job.work.folder));
    let log = match &running {
        None => AuditLog::absent(job.work.scribe, "a plan changes nothing"),
        Some(_) => AuditLog::of_reference(
            job.work.keys.as_deref(),
            reference,
            job.work.environment,
            job.work.scribe,
        )?,
    };
    let mut record = match &running {
        None => None,
        Some(running) => Some(running.matter.begin(Action::Expire, policy, Vec::new(), &log)?),
    };
    let all = || -> Result<Vec<FileEvidence>> {
        let mut evidence = Vec::new();
        for (file, planned) in files.iter().zip(planned) {
            evidence.push(match (planned, &mut running) {
                (Planned::Done(told), _) => *told,
                (Planned::Open(plan), None) => plan.evidence,
                (Planned::Open(plan), Some(running)) => {
                    enforce(job, &rules, file, *plan, running, &holds, ring.as_ref())?
                }
            });
        }
        Ok(evidence)
    };
    let evidence = match (all(), record.take()) {
        (Ok(evidence), taken) => {
            record = taken;
            evidence
        }
        (Err(failure), None) => return Err(failure),
        (Err(failure), Some(record)) => {
            return Err(match record.fail(&failure) {
                Ok(()) => failure,
                Err(unwritten) => failure.worse(unwritten),
            });
        }
    };
    let derived = derived(job, &root, &evidence);
    let mut whole = ExpireEvidence::new(job, as_of, &holds, evidence, derived);
    let exit = conclude(&mut whole);
    let resumed = running.as_ref().is_some_and(|job| job.resumed);
    let changed = whole.files.iter().any(is_changed);
    let json = seal_evidence(&whole, record.as_mut(), &log)?;
    let place = match (&job.evidence, job.work.apply && changed) {
        (Some(path), _) => Some(path.clone()),
        (None, true) => Some(free_place(&evidence_beside(&root, &files, as_of), &json)),
        (None, false) => None,
    };
    if let Some(place) = &place {
        write_evidence(place, &json)?;
    }
    if let Some(running) = running {
        running.end()?;
    }
    let evidence = serde_json::from_str(&json)
        .map_err(|_| Failure::new("ALO-X005", 5, "internal error: the evidence is not JSON"))?;
    let unrecorded = log.why_absent().filter(|_| job.work.apply).map(str::to_owned);
    Ok(ExpireOutcome { evidence, evidence_path: place, exit, resumed, unrecorded, notes })
}

/// Signs the evidence and writes down that the job is done; gives its text.
pub(crate) fn seal_evidence(
    whole: &ExpireEvidence,
    record: Option<&mut OpenJob<'_>>,
    log: &AuditLog<'_>,
) -> Result<String> {
    let files = whole.files.iter();
    let versions: Vec<(&str, &str)> = files
        .filter_map(|file| Some((&*file.before.sha256, &*file.after.as_ref()?.sha256)))
        .collect();
    let counts = [
        ("files", whole.files.len() as u64),
        ("rows_dropped", whole.files.iter().map(|file| file.rows_dropped).sum()),
        ("rows_quarantined", whole.files.iter().map(|file| file.rows_quarantined).sum()),
        ("cells_changed", whole.files.iter().flat_map(|file| file.cells.values()).sum()),
    ];
    let signed = |signature| ExpireEvidence { signature, ..whole.clone() }.to_json();
    seal(ExpireEvidence::SCHEMA, &value_of(whole), &signed, &versions, &counts, record, log)
}

/// A file whose plan stands, or that an interrupted run has done.
enum Planned {
    Done(Box<FileEvidence>),
    Open(Box<Plan>),
}

/// What would be done to a file.
pub(crate) struct Plan {
    pub(crate) evidence: FileEvidence,
    as_of: Timestamp,
    fates: Vec<Fate>,
    pub(crate) is_due: bool,
    stamp: Stamp,
}

/// Enough to notice that a file was changed by somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    bytes: u64,
    changed: Option<std::time::SystemTime>,
}

impl Stamp {
    pub(crate) fn of(path: &Path) -> Result<Stamp> {
        let facts = fs::metadata(path).map_err(|error| {
            let message = format!("`{}` cannot be read: {}", path.display(), error.kind());
            Failure::new("ALO-D001", 3, message)
        })?;
        Ok(Stamp { bytes: facts.len(), changed: facts.modified().ok() })
    }

    pub(crate) fn check(&self, path: &Path) -> Result<()> {
        if Stamp::of(path)? == *self {
            return Ok(());
        }
        let message = format!("`{}` was changed while it was looked at", path.display());
        Err(Failure::new("ALO-R011", 3, message).hint("run again when nobody writes it"))
    }
}

pub(crate) fn plan(
    job: &ExpireJob<'_>,
    rules: &RuleSet,
    file: &JobFile,
    as_of: Timestamp,
    holds: &[KnownHold],
    ring: Option<&Keyring>,
) -> Result<Plan> {
    let stamp = Stamp::of(&file.path)?;
    let sha256 = sha256_file(&file.path)?;
    let mut reader = Reader::open(&Input::File(file.path.clone()), &job.work.read)?;
    let schema = SchemaRef::clone(reader.schema());
    let name = FileName { path: Some(&file.path), relative: &file.name };
    let tags = Tags::bind(job.work.policy, rules, &name, &schema, &job.work.anchors, as_of, holds)?;
    refuse_parts(&tags, &file.name)?;
    let random = random_tokens(job, rules, &tags, ring, &file.name, &sha256)?;
    let mut expiry = Expiry::new(&tags, &schema, random);
    let mut fates = Vec::new();
    let mut groups = None;
    let mut rows = 0;
    if reader.shape().format == Format::Parquet {
        let file = RowGroups::open(&file.path, &job.work.read)?;
        let (found, told) = plan_groups(job, &tags, &mut expiry, &file)?;
        rows = file.rows().iter().sum();
        fates = found;
        groups = Some(told);
    } else {
        while let Some(chunk) = reader.next_chunk()? {
            job.work.cancel.check()?;
            if expiry.count(&chunk.records)? {
                expiry.edit(&chunk.records, chunk.first_row)?;
            }
            rows += chunk.records.num_rows() as u64;
            let (bytes, size) = reader.progress();
            (job.work.progress)(Progress { phase: "looking", file: &file.name, bytes, size });
        }
    }
    stamp.check(&file.path)?;
    let Expiry { tallies, done, .. } = expiry;
    let is_due = done.rows_dropped + done.rows_quarantined > 0 || !done.cells.is_empty();
    let told = tags.tags.iter().zip(tallies).map(|(tag, counts)| TagEvidence {
        of: tag.of.clone(),
        anchor: tag.tag.anchor.to_string(),
        duration: tag.tag.rule.term.duration().to_string(),
        on_expiry: tag.tag.on_expiry.word().to_owned(),
        rows: Tally::of(&counts),
    });
    let evidence = FileEvidence {
        path: file.name.clone(),
        before: Version { sha256, rows },
        after: None,
        tags: told.collect(),
        rows_dropped: done.rows_dropped,
        rows_quarantined: done.rows_quarantined,
        quarantine: None,
        cells: done.cells,
        rows_to_shred: done.rows_to_shred,
        row_groups: groups,
        untagged: tags.untagged.clone(),
        drift: tags.drift.clone(),
    };
    Ok(Plan { evidence, as_of, fates, is_due, stamp })
}

/// Cells of a part of a column cannot be changed alone, and must not be passed over.
fn refuse_parts(tags: &Tags<'_>, file: &str) -> Result<()> {
    let is_part = |tag: &&BoundTag| tag.is_part && !is_of_rows(tag.tag.on_expiry);
    let Some(tag) = tags.tags.iter().find(is_part) else { return Ok(()) };
    let message = format!(
        "{file}: `{}` is part of a column, and `on_expiry = \"{}\"` is for cells of whole columns",
        tag.of,
        tag.tag.on_expiry.word()
    );
    Err(Failure::new("ALO-R003", 2, message)
        .hint("use drop_row, or tag the column that it is part of"))
}

/// Judges each row group by its footer where that settles it, and by its rows where not.
fn plan_groups(
    job: &ExpireJob<'_>,
    tags: &Tags<'_>,
    expiry: &mut Expiry<'_>,
    file: &RowGroups,
) -> Result<(Vec<Fate>, GroupEvidence)> {
    let bounds: Vec<_> = tags
        .tags
        .iter()
        .map(|tag| match &tag.anchor {
            Bound::Column(at, _) => file.bounds(*at),
            Bound::Fixed(..) | Bound::Rows(..) => None,
        })
        .collect();
    let columns = tags.columns();
    let needed: Vec<usize> =
        if tags.held_by_row() { (0..file.schema().fields().len()).collect() } else { columns };
    let mut told = GroupEvidence { all: file.rows().len() as u64, ..GroupEvidence::default() };
    let mut fates = Vec::new();
    let mut first_row = 0;
    for (group, &rows) in file.rows().iter().enumerate() {
        job.work.cancel.check()?;
        let by_footer: Option<Vec<Counts>> = tags
            .tags
            .iter()
            .zip(&bounds)
            .map(|(tag, bounds)| match (&tag.anchor, bounds) {
                (Bound::Fixed(_, rulings), _) if tags.holds().is_empty() => {
                    let mut counts = Counts::default();
                    counts.put_ruling(rulings[0], rows);
                    Some(counts)
                }
                (Bound::Column(_, judge), Some(bounds)) if tags.holds().is_empty() => {
                    let nulls = bounds.nulls.is_valid(group).then(|| bounds.nulls.value(group))?;
                    let (least, greatest) = (bounds.least.as_ref(), bounds.greatest.as_ref());
                    judge.count_between(least, greatest, group, rows, nulls)
                }
                _ => None,
            })
            .collect();
        let fate = by_footer.as_ref().map_or(Fate::Open, |tallies| fate_of(tags, tallies, rows));
        let fate = match (fate, by_footer) {
            (Fate::Stays | Fate::Goes, Some(tallies)) => {
                told.judged_by_statistics += 1;
                for (sum, tally) in expiry.tallies.iter_mut().zip(&tallies) {
                    sum.add(tally);
                }
                if fate == Fate::Goes {
                    expiry.done.rows_dropped += rows;
                }
                let shred = |tag: &BoundTag| tag.tag.on_expiry == OnExpiry::ShredEpoch;
                let to_shred = tags.tags.iter().zip(&tallies).filter(|(tag, _)| shred(tag));
                let most = to_shred.map(|(_, counts)| counts.of(Verdict::Expired)).max();
                expiry.done.rows_to_shred += most.unwrap_or(0);
                fate
            }
            _ => {
                let before = expiry.done.clone();
                let mut row = first_row;
                let mut failed = None;
                let mut columns = needed.clone();
                if columns.is_empty() {
                    columns.push(0);
                }
                expiry.columns = Some(columns.clone());
                let read = file.read(group, &columns, &mut |records| {
                    if failed.is_none() {
                        let looked = expiry.count(&records).and_then(|due| match due {
                            true => expiry.edit(&records, row).map(|_| ()),
                            false => Ok(()),
                        });
                        failed = looked.err();
                    }
                    row += records.num_rows() as u64;
                    Ok(())
                });
                expiry.columns = None;
                if let Some(failure) = failed {
                    return Err(failure);
                }
                read?;
                let gone = expiry.done.rows_dropped - before.rows_dropped;
                let acted = expiry.done.acts() != before.acts();
                match acted {
                    true if gone == rows => Fate::Goes,
                    true => Fate::Open,
                    false => Fate::Stays,
                }
            }
        };
        match fate {
            Fate::Stays => told.untouched += 1,
            Fate::Goes => told.gone += 1,
            Fate::Open => told.rewritten += 1,
        }
        fates.push(fate);
        first_row += rows;
        let all = file.rows().iter().sum();
        (job.work.progress)(Progress {
            phase: "looking",
            file: "",
            bytes: first_row,
            size: Some(all),
        });
    }
    Ok((fates, told))
}

/// What becomes of a row group of which the footer tells all verdicts.
fn fate_of(tags: &Tags<'_>, tallies: &[Counts], rows: u64) -> Fate {
    let mut due = false;
    for (tag, tally) in tags.tags.iter().zip(tallies) {
        for verdict in Verdict::ALL {
            let some = tally.of(*verdict);
            match tag.acts_on(*verdict) {
                Some(OnExpiry::DropRow) if some == rows && rows > 0 => return Fate::Goes,
                Some(OnExpiry::ShredEpoch) | None => {}
                Some(_) => due |= some > 0,
            }
        }
    }
    if due { Fate::Open } else { Fate::Stays }
}

fn enforce(
    job: &ExpireJob<'_>,
    rules: &RuleSet,
    file: &JobFile,
    plan: Plan,
    running: &mut Job,
    holds: &[KnownHold],
    ring: Option<&Keyring>,
) -> Result<FileEvidence> {
    let before = plan.evidence.before.sha256.clone();
    if !plan.is_due {
        let mut evidence = plan.evidence;
        evidence.after = Some(evidence.before.clone());
        running.record(file, &before, &before, value_of(&evidence))?;
        return Ok(evidence);
    }
    let staged = Job::staged(file);
    let evidence = write_again(job, rules, file, plan, holds, ring, &staged)?;
    let after = evidence.after.as_ref().map_or(&before, |after| &after.sha256);
    running.replace(file, &before, after, value_of(&evidence))?;
    info!(file = %file.name, "expired");
    Ok(evidence)
}

/// Writes a file again without what has expired; the old one stays where it is.
pub(crate) fn write_again(
    job: &ExpireJob<'_>,
    rules: &RuleSet,
    file: &JobFile,
    plan: Plan,
    holds: &[KnownHold],
    ring: Option<&Keyring>,
    target: &Path,
) -> Result<FileEvidence> {
    let Plan { mut evidence, as_of, fates, stamp, .. } = plan;
    let schema = {
        let reader = Reader::open(&Input::File(file.path.clone()), &job.work.read)?;
        SchemaRef::clone(reader.schema())
    };
    let name = FileName { path: Some(&file.path), relative: &file.name };
    let tags = Tags::bind(job.work.policy, rules, &name, &schema, &job.work.anchors, as_of, holds)?;
    let random = random_tokens(job, rules, &tags, ring, &file.name, &evidence.before.sha256)?;
    let mut expiry = Expiry::new(&tags, &schema, random);
    expiry.fates = fates;
    let aside = job.quarantine.as_ref().map(|folder| quarantine_place(folder, file, as_of));
    if let Some(aside) = &aside {
        make_folder_of(aside)?;
        let name = aside.file_name().map(|name| name.to_string_lossy().into_owned());
        // What a killed run had begun to set aside.
        remove_drafts(aside, &name.unwrap_or_default())?;
    }
    let told = |bytes, size| {
        (job.work.progress)(Progress { phase: "writing", file: &file.name, bytes, size });
    };
    let (aside_path, cancel) = (aside.as_deref(), &job.work.cancel);
    let rewritten =
        rewrite(&file.path, &job.work.read, target, aside_path, &mut expiry, cancel, &told)?;
    let written = rewritten.finished.commit()?;
    if written.rows + evidence.rows_dropped + evidence.rows_quarantined != evidence.before.rows {
        // What the plan counted and what was written must agree; else the file stays as it is.
        let message =
            format!("`{}`: the rows written are not the rows planned", file.path.display());
        return Err(Failure::new("ALO-X005", 5, message));
    }
    evidence.cells = expiry.done.cells;
    evidence.after = Some(Version { sha256: written.sha256, rows: written.rows });
    if let Some(finished) = rewritten.aside {
        let written = finished.commit()?;
        let path = aside.as_ref().map_or_else(String::new, |path| path.display().to_string());
        let path = if file.name.contains(SHOWN) { shown(&path) } else { path };
        evidence.quarantine = Some(Quarantine { path, sha256: written.sha256 });
    }
    stamp.check(&file.path)?;
    Ok(evidence)
}

/// Rows and cells past their date, and what becomes of them.
pub(crate) struct Expiry<'a> {
    tags: &'a Tags<'a>,
    schema: SchemaRef,
    touches: Vec<bool>,
    fates: Vec<Fate>,
    random: Option<RandomTokens>,
    /// Which columns of the file a batch has, where it has not all.
    columns: Option<Vec<usize>>,
    tallies: Vec<Counts>,
    done: Acts,
}

/// What was done, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Acts {
    rows_dropped: u64,
    rows_quarantined: u64,
    rows_to_shred: u64,
    cells: BTreeMap<String, u64>,
}

impl Acts {
    fn acts(&self) -> (u64, u64, BTreeMap<String, u64>) {
        (self.rows_dropped, self.rows_quarantined, self.cells.clone())
    }
}

impl<'a> Expiry<'a> {
    fn new(tags: &'a Tags<'a>, schema: &SchemaRef, random: Option<RandomTokens>) -> Expiry<'a> {
        let mut touches = vec![false; schema.fields().len()];
        let mut empties = vec![false; schema.fields().len()];
        for tag in &tags.tags {
            if let Some((column, _)) = tag.column
                && !is_of_rows(tag.tag.on_expiry)
            {
                touches[column] = true;
                empties[column] |= tag.tag.on_expiry != OnExpiry::RetokenizeRandom;
            }
        }
        let fields: Vec<Arc<Field>> = schema
            .fields()
            .iter()
            .zip(&empties)
            .map(|(field, empties)| match empties {
                true if !field.is_nullable() => {
                    Arc::new(field.as_ref().clone().with_nullable(true))
                }
                _ => Arc::clone(field),
            })
            .collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
        let tallies = vec![Counts::default(); tags.tags.len()];
        Expiry {
            tags,
            schema,
            touches,
            fates: Vec::new(),
            random,
            columns: None,
            tallies,
            done: Acts::default(),
        }
    }

    /// Where a column of the file stands in a batch.
    fn place(columns: Option<&[usize]>, at: usize) -> usize {
        match columns {
            None => at,
            Some(columns) => columns.iter().position(|column| *column == at).unwrap_or(0),
        }
    }

    /// Counts verdicts; whether anything is to be done to one of the rows.
    fn count(&mut self, records: &RecordBatch) -> Result<bool> {
        let held = self.tags.held(records);
        let columns = self.columns.clone();
        let place = |at| Expiry::place(columns.as_deref(), at);
        let mut due = false;
        for (tag, sum) in self.tags.tags.iter().zip(&mut self.tallies) {
            let tally = tag.anchor.count(records, held.as_ref(), &place)?;
            let acted = |verdict: &Verdict| tag.acts_on(*verdict).is_some();
            due |= Verdict::ALL.iter().any(|v| acted(v) && tally.of(*v) > 0);
            sum.add(&tally);
        }
        Ok(due)
    }
}

impl Edit for Expiry<'_> {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn touches(&self, column: usize) -> bool {
        self.touches[column]
    }

    fn fate(&self, group: usize) -> Fate {
        self.fates.get(group).copied().unwrap_or(Fate::Open)
    }

    fn edit(&mut self, records: &RecordBatch, first_row: u64) -> Result<Edited> {
        let rows = records.num_rows();
        let columns = self.columns.clone();
        let place = |at| Expiry::place(columns.as_deref(), at);
        let held = self.tags.held(records);
        let mut acts: Vec<Option<OnExpiry>> = vec![None; rows];
        let mut verdicts = Vec::new();
        for tag in &self.tags.tags {
            let found = tag.anchor.rulings(records, held.as_ref(), &place)?;
            for (act, ruling) in acts.iter_mut().zip(&found) {
                let asked = tag.acts_on(ruling.verdict).filter(|asked| is_of_rows(*asked));
                *act = OnExpiry::prevailing(act.iter().copied().chain(asked));
            }
            verdicts.push(found);
        }
        let which = |wanted: OnExpiry| -> BooleanBuffer {
            acts.iter().map(|act| *act == Some(wanted)).collect()
        };
        let (dropped, aside) = (which(OnExpiry::DropRow), which(OnExpiry::Quarantine));
        let shredded = which(OnExpiry::ShredEpoch);
        let keep = !&(&dropped | &aside);
        self.done.rows_dropped += dropped.count_set_bits() as u64;
        self.done.rows_quarantined += aside.count_set_bits() as u64;
        self.done.rows_to_shred += shredded.count_set_bits() as u64;

        let mut cells: Vec<ArrayRef> = records.columns().to_vec();
        let mut touched = BooleanBufferBuilder::new(rows);
        touched.append_n(rows, false);
        for (tag, verdicts) in self.tags.tags.iter().zip(&verdicts) {
            let Some((column, name)) = &tag.column else { continue };
            if is_of_rows(tag.tag.on_expiry) {
                continue;
            }
            let at = place(*column);
            let due: BooleanBuffer = verdicts
                .iter()
                .enumerate()
                .map(|(row, ruling)| {
                    tag.acts_on(ruling.verdict) == Some(tag.tag.on_expiry) && keep.value(row)
                })
                .collect();
            if due.count_set_bits() == 0 {
                continue;
            }
            let old = &cells[at];
            let (new, changed) = changed_cells(tag, old, &due, first_row, self.random.as_ref())?;
            let changes = changed.count_set_bits() as u64;
            if changes > 0 {
                *self.done.cells.entry(name.clone()).or_default() += changes;
                changed.set_indices().for_each(|row| touched.set_bit(row, true));
                cells[at] = new;
            }
        }
        let schema = match &columns {
            None => SchemaRef::clone(&self.schema),
            Some(columns) => Arc::new(self.schema.project(columns)?),
        };
        let records = RecordBatch::try_new(schema, cells)?;
        Ok(Edited { records, keep, aside, touched: touched.finish() })
    }
}

/// The cells of a column after expiry, and which of them are other ones now.
fn changed_cells(
    tag: &BoundTag,
    old: &ArrayRef,
    due: &BooleanBuffer,
    first_row: u64,
    random: Option<&RandomTokens>,
) -> Result<(ArrayRef, BooleanBuffer)> {
    match tag.tag.on_expiry {
        OnExpiry::Null => {
            let nulls = old.logical_nulls();
            let filled = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            let changed: BooleanBuffer =
                (0..old.len()).map(|row| due.value(row) && filled(row)).collect();
            // Masking a cell would leave its bytes where they are.
            let nothing = new_null_array(old.data_type(), old.len());
            let new = zip(&BooleanArray::new(due.clone(), None), &nothing, old)?;
            Ok((new, changed))
        }
        OnExpiry::Generalize => {
            let Some(coarser) = &tag.coarser else {
                return Ok((Arc::clone(old), BooleanBuffer::new_unset(old.len())));
            };
            let coarse = coarser.apply(old).map_err(|error| {
                Failure::new("ALO-R003", 2, format!("column `{}`: {error}", tag.of))
            })?;
            let new = zip(&BooleanArray::new(due.clone(), None), &coarse, old)?;
            let same = |row: usize| old.slice(row, 1).to_data() == new.slice(row, 1).to_data();
            let changed = (0..old.len()).map(|row| due.value(row) && !same(row)).collect();
            Ok((new, changed))
        }
        OnExpiry::RetokenizeRandom => {
            match random {
                Some(random) => random.replace(&tag.of, old, due, first_row),
                None => Err(Failure::new("ALO-K001", 4, "random tokens need a keyring")
                    .hint("allonym key new")),
            }
        }
        OnExpiry::DropRow | OnExpiry::Quarantine | OnExpiry::ShredEpoch => {
            Ok((Arc::clone(old), BooleanBuffer::new_unset(old.len())))
        }
    }
}

pub(crate) fn paths(inputs: &[Found]) -> Result<Vec<PathBuf>> {
    if inputs.is_empty() {
        return Err(Failure::new("ALO-D001", 3, "nothing to read"));
    }
    inputs
        .iter()
        .map(|found| match &found.input {
            Input::File(path) => Ok(path.clone()),
            Input::Stdin => Err(Failure::new(
                "ALO-U001",
                2,
                "standard input cannot be written again in place; name files",
            )),
        })
        .collect()
}

/// All that the decisions of a job depend on besides files and date.
fn matter_digest(job: &ExpireJob<'_>, holds: &[KnownHold]) -> String {
    let holds: Vec<_> = holds.iter().map(|hold| (&hold.hold.id, &hold.digest)).collect();
    let told = serde_json::json!({
        "policy": job.work.policy.digest(),
        "holds": holds,
        "collected_at": job.work.anchors.collected_at,
        "events": job.work.anchors.events,
        "quarantine": job.quarantine,
        "read": format!("{:?}", job.work.read),
    });
    sha256_hex(told.to_string().as_bytes())
}

/// A clock that was moved back dodges expiry: what was written later than now cannot be.
pub(crate) fn refuse_clock_back(files: &[JobFile], as_of: Timestamp) -> Result<()> {
    for file in files {
        let Some((place, receipt)) = receipt_beside(&file.path) else { continue };
        let Ok(finished) = receipt.finished.parse::<Timestamp>() else { continue };
        if as_of.duration_until(finished) > CLOCK_BACK_MAX {
            let message = format!(
                "the date of this run, {as_of}, is before {finished}, when the receipt `{}` was \
                 written",
                place.display()
            );
            return Err(Failure::new("ALO-R005", 3, message)
                .hint("set the clock right, or give a later --as-of"));
        }
    }
    Ok(())
}

fn random_tokens(
    job: &ExpireJob<'_>,
    rules: &RuleSet,
    tags: &Tags<'_>,
    ring: Option<&Keyring>,
    name: &str,
    sha256: &str,
) -> Result<Option<RandomTokens>> {
    let Some(ring) = ring else { return Ok(None) };
    let random = |tag: &&BoundTag| tag.tag.on_expiry == OnExpiry::RetokenizeRandom;
    let columns: Vec<&str> = tags.tags.iter().filter(random).map(|tag| tag.of.as_str()).collect();
    // Two files of one content are two files: their rows must not share tokens.
    let document = sha256_hex(format!("{sha256} {name}").as_bytes());
    RandomTokens::new(ring, job.work.policy, rules, &columns, document).map(Some)
}

pub(crate) fn keys_for(job: &ExpireJob<'_>) -> Result<Option<Keyring>> {
    let random = |tag: &allonym_core::Tag| tag.on_expiry == OnExpiry::RetokenizeRandom;
    let columns = job.work.policy.retention().map(|retention| retention.columns.as_slice());
    if !columns.unwrap_or_default().iter().any(|(_, tag)| random(tag)) {
        return Ok(None);
    }
    let reference = Some((job.work.policy.keys(), job.work.folder));
    open_ring(job.work.keys.as_deref(), reference, job.work.environment).map(Some)
}

/// Rows that are set aside need a place outside of the data, or the next run would find them again.
fn check_quarantine(job: &ExpireJob<'_>, root: &Path, planned: &[Planned]) -> Result<()> {
    let asked = planned.iter().any(|planned| match planned {
        Planned::Done(_) => false,
        Planned::Open(plan) => plan.evidence.rows_quarantined > 0,
    });
    if !asked || !job.work.apply {
        return Ok(());
    }
    let Some(folder) = &job.quarantine else {
        return Err(Failure::new("ALO-R006", 2, "rows are to be set aside, and no place is named")
            .hint("name a folder outside of the data: --quarantine FOLDER"));
    };
    make_folder_of(&folder.join("rows"))?;
    let inside = folder.canonicalize().is_ok_and(|folder| folder.starts_with(root));
    if inside {
        let message =
            format!("the place for rows set aside, `{}`, is inside the data", folder.display());
        return Err(Failure::new("ALO-R006", 2, message)
            .hint("name a folder outside: the next run would take them for data"));
    }
    Ok(())
}

/// The date comes first, so that the name keeps its endings.
fn quarantine_place(folder: &Path, file: &JobFile, as_of: Timestamp) -> PathBuf {
    let (above, name) = file.name.rsplit_once('/').unwrap_or(("", &file.name));
    let mut above: PathBuf = above.into();
    if file.name.contains(SHOWN) {
        // What rows are divided by stands in their path alone, and goes with them.
        let deep = above.components().count();
        let folders: Vec<_> = file.path.parent().into_iter().flat_map(Path::components).collect();
        above = folders.into_iter().rev().take(deep).rev().collect();
    }
    folder.join(above).join(format!("{}.{name}", stamp_of(as_of)))
}

fn evidence_beside(root: &Path, files: &[JobFile], as_of: Timestamp) -> PathBuf {
    let stamp = stamp_of(as_of);
    match files {
        [file] => {
            let name = file.path.file_name().map(|name| name.to_string_lossy().into_owned());
            root.join(format!("{}.expired-{stamp}.allonym.json", name.unwrap_or_default()))
        }
        _ => root.join(format!("expired-{stamp}.allonym.json")),
    }
}

/// A name that is free, or holds this very text: what an interrupted run wrote is written again,
/// what another run wrote stays.
pub(crate) fn free_place(wanted: &Path, text: &str) -> PathBuf {
    let name = wanted.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let stem = name.strip_suffix(EVIDENCE_END).unwrap_or(&name);
    let mut place = wanted.to_owned();
    let mut n = 1_u64;
    while place.exists() && !fs::read_to_string(&place).is_ok_and(|known| known == text) {
        n += 1;
        place = wanted.with_file_name(format!("{stem}-{n}{EVIDENCE_END}"));
    }
    place
}

/// `20260101T000000Z`.
pub(crate) fn stamp_of(as_of: Timestamp) -> String {
    let whole = as_of.to_string();
    let seconds = whole.split('.').next().unwrap_or(&whole);
    let digits: String = seconds.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    if digits.ends_with('Z') { digits } else { format!("{digits}Z") }
}

pub(crate) fn value_of(evidence: &impl Serialize) -> Value {
    serde_json::to_value(evidence)
        .expect("evidence holds only strings, numbers and string-keyed maps")
}

fn told(value: &Value) -> Result<FileEvidence> {
    serde_json::from_value(value.clone()).map_err(|_| {
        Failure::new("ALO-R011", 3, "the journal of the interrupted job is of another version")
            .hint("end it with the version that began it")
    })
}

fn is_changed(file: &FileEvidence) -> bool {
    file.after.as_ref().is_some_and(|after| *after != file.before)
}

pub(crate) fn has_due(file: &FileEvidence) -> bool {
    file.rows_dropped + file.rows_quarantined > 0 || !file.cells.is_empty()
}

fn derived(job: &ExpireJob<'_>, root: &Path, files: &[FileEvidence]) -> Vec<Derived> {
    let due = files.iter().filter(|file| has_due(file));
    let due: Vec<(&str, &str)> =
        due.map(|file| (file.before.sha256.as_str(), file.path.as_str())).collect();
    derived_of(&due, root, &job.work.receipts)
}

/// Outputs made of files, named by digest and path, as far as receipts tell.
pub(crate) fn derived_of(
    files: &[(&str, &str)],
    root: &Path,
    receipts: &[PathBuf],
) -> Vec<Derived> {
    if files.is_empty() {
        return Vec::new();
    }
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    let mut places = BTreeSet::new();
    for folder in std::iter::once(root).chain(receipts.iter().map(PathBuf::as_path)) {
        find_receipts(folder, 0, &mut places);
    }
    let mut derived = Vec::new();
    for place in places {
        let Ok(text) = fs::read_to_string(&place) else { continue };
        // Evidence and certificates have the same ending and are no receipts.
        let Ok(receipt) = Receipt::parse(&text, "") else { continue };
        for input in &receipt.inputs {
            if let Some(path) = files.get(input.sha256.as_str()) {
                derived.push(Derived {
                    input: (*path).to_owned(),
                    receipt: place.display().to_string(),
                    outputs: receipt.outputs.iter().map(|output| output.path.clone()).collect(),
                });
            }
        }
    }
    derived
}

fn find_receipts(folder: &Path, depth: usize, found: &mut BTreeSet<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && depth < FOLDERS_DEEP_MAX && !name.starts_with('.') {
            find_receipts(&path, depth + 1, found);
        } else if name.ends_with(".allonym.json") || name == "allonym.receipt.json" {
            found.insert(path);
        }
    }
}

/// The verdict on the whole, with its reasons; the exit code.
pub(crate) fn conclude(evidence: &mut ExpireEvidence) -> u8 {
    let mut reasons = Vec::new();
    let mut unverifiable = false;
    let mut against = false;
    for (verdict, what, cannot) in [
        (Verdict::NaiveTimestamp, "have a time without a zone, and `assume_tz` is not given", true),
        (Verdict::UnreadableAnchor, "have an anchor that is no date", true),
        (Verdict::NullAnchor, "have no anchor", false),
        (Verdict::FutureAnchor, "have an anchor more than a day ahead", false),
    ] {
        // What is set aside is settled once it was.
        let set_aside = verdict == Verdict::NullAnchor && evidence.applied;
        let quarantined: u64 = evidence.files.iter().map(|file| file.rows_quarantined).sum();
        let rows = evidence.rows(verdict);
        let rows = if set_aside { rows.saturating_sub(quarantined) } else { rows };
        if rows > 0 {
            reasons.push(format!("{rows} rows {what}"));
            unverifiable |= cannot;
            against = true;
        }
    }
    let shred: u64 = evidence.files.iter().map(|file| file.rows_to_shred).sum();
    if shred > 0 {
        reasons.push(format!(
            "{shred} rows are past a date at which their key is to be destroyed; expire destroys none"
        ));
        against = true;
    }
    for hold in evidence.holds.iter().filter(|hold| hold.review_overdue) {
        reasons.push(format!("hold {} is past its day of review; it holds", hold.id));
        against = true;
    }
    let untagged: BTreeSet<&String> =
        evidence.files.iter().flat_map(|file| &file.untagged).collect();
    if !untagged.is_empty() {
        let names: Vec<String> = untagged.iter().map(|name| format!("`{name}`")).collect();
        reasons.push(format!("columns without a tag: {}", names.join(", ")));
        against = true;
    }
    let drift: BTreeSet<&String> = evidence.files.iter().flat_map(|file| &file.drift).collect();
    against |= !drift.is_empty();
    reasons.extend(drift.into_iter().cloned());
    if let Some(table) = &evidence.table {
        let rows = |old: &OldVersion| old.expired_rows.unwrap_or(0);
        let holding = table.old_versions.iter().filter(|old| rows(old) > 0);
        if let Some(oldest) = holding.clone().next() {
            reasons.push(format!(
                "{} older table versions can still be read; {} of them hold expired rows, the oldest \
                 {} of them",
                table.old_versions.len(),
                holding.count(),
                rows(oldest)
            ));
            against = true;
        }
        if table.old_versions.iter().any(|old| old.expired_rows.is_none()) {
            reasons
                .push("how many expired rows older table versions hold cannot be told".to_owned());
            unverifiable = true;
        }
        if table.unreferenced_files > 0 {
            let held = match table.unreferenced_expired_rows {
                Some(0) => String::new(),
                Some(rows) => format!(" and hold {rows} expired rows"),
                None => ", and how many expired rows they hold cannot be told".to_owned(),
            };
            reasons.push(format!(
                "{} data files that no current row stands in are still in the folder{held}",
                table.unreferenced_files
            ));
            against |= table.unreferenced_expired_rows != Some(0);
            unverifiable |= table.unreferenced_expired_rows.is_none();
        }
        if table.deletion_marks > 0 {
            reasons.push(format!(
                "{} files of deletes only mark rows: these are still in their files, and are counted",
                table.deletion_marks
            ));
            against = true;
        }
    }
    let due = evidence.files.iter().any(has_due);
    if due && !evidence.applied {
        reasons.insert(0, "rows or cells are past their date".to_owned());
        against = true;
    }
    let suspicious: u64 = evidence
        .files
        .iter()
        .filter_map(|file| file.tags.iter().map(|tag| tag.rows.0.get(SUSPICIOUS)).max().flatten())
        .sum();
    if suspicious > 0 {
        reasons.push(format!(
            "note: {suspicious} rows have an anchor before 1900 or exactly 1970-01-01, as programs \
             write it that know none"
        ));
    }
    evidence.verdict = match (unverifiable, against, due) {
        (true, ..) => "not verifiable",
        (_, true, true) if !evidence.applied => "due",
        (_, true, _) => "against policy",
        (_, false, true) => "done",
        (_, false, false) => "nothing due",
    }
    .to_owned();
    evidence.reasons = reasons;
    match (unverifiable, against) {
        (true, _) => 3,
        (false, true) => 1,
        (false, false) => 0,
    }
}

/// Folder walks know this ending as ours.
const EVIDENCE_END: &str = ".allonym.json";
const KIND: &str = "expire";
const DOES_NOT_SHOW: &str = "This tells what Allonym found in the files named here and did to them. \
     It does not show that no other copy exists: backups, snapshots, older versions of objects and \
     what was made of the data and not told by a receipt.";
const CLOCK_BACK_MAX: SignedDuration = SignedDuration::from_mins(5);
const FOLDERS_DEEP_MAX: usize = 32;
