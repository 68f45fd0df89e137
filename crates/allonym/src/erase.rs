//! `erase`: people who asked go from the data, are looked for again, and stay out.

use crate::expire::{
    Derived, HoldEvidence, Stamp, Version, derived_of, free_place, paths, refuse_clock_back,
    stamp_of, value_of,
};
use crate::holds::KnownHold;
use crate::jobs::{Job, JobFile, Matter, Work, job_files, refuse_future, seal, write_evidence};
use crate::ledger::{Action, AuditLog, Signature};
use crate::rewrite::{Edit, Edited, Fate, rewrite};
use crate::subjects::{Search, Spot, Subjects, is_looked_at};
use crate::suppression::{IN_TEXT, Suppression, field_of, mark};
use crate::tags::{
    Bound, BoundTag, FileName, Tags, each_cell, entities_of, holds_tokens, receipt_beside,
    sha256_hex,
};
use crate::{
    Digest, Failure, Keyring, Progress, Result, RuleSet, load_rules, open_ring, ring_place,
    rule_folders,
};
use allonym_core::{Holding, Spelling};
use allonym_io::{Format, Input, ReadOptions, Reader, RowGroups, same_file, sha256_file};
use allonym_keys::{Profile, Scope};
use allonym_retention::{Anchor, Erasure};
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow_buffer::BooleanBuffer;
use arrow_cast::cast;
use arrow_schema::{DataType, SchemaRef};
use arrow_select::zip::zip;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing::info;
use zeroize::Zeroizing;

/// One `erase`.
#[derive(Debug)]
pub struct EraseJob<'a> {
    /// Where to look, the policy the files were treated by, the date that decides about floors.
    pub work: Work<'a>,
    /// The file of requests: one identifier a line, or a table of them.
    pub subjects: &'a Path,
    /// Where the certificate goes instead of beside the data.
    pub certificate: Option<PathBuf>,
    /// Copies that this cannot reach, as the operator declares them.
    pub residual: Vec<String>,
    /// Who does it.
    pub operator: Option<String>,
    /// Who agreed to it: somebody else.
    pub approver: Option<String>,
}

/// What an `erase` did or would do.
#[derive(Clone, Debug, PartialEq)]
pub struct EraseOutcome {
    /// The certificate; of a plan, where nothing was done.
    pub certificate: Certificate,
    /// Where it was written.
    pub certificate_path: Option<PathBuf>,
    /// Exit code of the contract: 0 when nothing of the people is left, 1 when rows stay.
    pub exit: u8,
    /// An interrupted run was taken up.
    pub resumed: bool,
    /// Why what was done stands in no ledger and the certificate is not signed.
    pub unrecorded: Option<String>,
}

/// What was done about requests to be erased: names, counts and digests, never an identifier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// `allonym.certificate/1`.
    pub schema: String,
    /// Version of the tool.
    pub tool: String,
    /// The date of the run, RFC 3339.
    pub as_of: String,
    /// Whether it was done; a plan otherwise.
    pub applied: bool,
    /// Digest of the policy.
    pub policy: Digest,
    /// Who did it.
    pub operator: Option<String>,
    /// Who agreed to it, as the operator says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// Marks of the requests under a key of the ring: who has key and id can tell them again.
    pub requests: Vec<String>,
    /// People in the requests.
    pub people: u64,
    /// How they were looked for.
    pub searched: Searched,
    /// What was looked through, file by file.
    pub files: Vec<ErasedFile>,
    /// Legal holds in force.
    pub holds: Vec<HoldEvidence>,
    /// What nobody can be looked up in, and why.
    pub cannot_be_searched: Vec<Unsearchable>,
    /// Outputs that receipts name as made of files that held these people: tell their recipients.
    pub derived: Vec<Derived>,
    /// Copies out of reach, as declared by the operator.
    pub residual_copies: Vec<String>,
    /// Marks that keep these people out of what `apply` makes from now on.
    pub suppression_marks: u64,
    /// `erased`, `partly erased`, `not found`, or `found` for a plan.
    pub verdict: String,
    /// What this proves and what not.
    pub statement: String,
    /// Signature over all the rest, as of a receipt; null for a plan.
    pub signature: Option<Signature>,
}

/// How people were looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Searched {
    /// Keys that their tokens were computed with: every one of the tenant that still lives.
    pub keys: Vec<SearchedKey>,
    /// Domain of the tokens.
    pub domain: String,
    /// Normalisations.
    pub profiles: Vec<String>,
    /// Identifiers in clear were looked for in columns and text as well.
    pub in_clear: bool,
    /// Identifiers of fewer than four characters, which were looked for in columns only.
    pub too_short_for_text: u64,
}

/// One key tokens were computed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SearchedKey {
    /// Key id.
    pub id: String,
    /// Epoch.
    pub epoch: u32,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErasedFile {
    /// Relative to the folder that all files of the run have in common.
    pub path: String,
    /// The file as it was.
    pub before: Version,
    /// The file as it is now.
    pub after: Option<Version>,
    /// Rows of these people that went.
    pub rows_erased: u64,
    /// Texts in which a mention of them was overwritten, by column.
    pub mentions_erased: BTreeMap<String, u64>,
    /// Rows that must be kept for now by law: restricted (GDPR, Article 18).
    pub rows_restricted: u64,
    /// When the last of them may go.
    pub restricted_until: Option<String>,
    /// Rows on legal hold.
    pub rows_held: u64,
    /// Rows under a statutory floor that nobody can tell the end of.
    pub rows_unverifiable: u64,
    /// What was found when the new file was looked through again, besides rows that must stay.
    pub found_again: Option<u64>,
}

/// A column that nobody can be looked up in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unsearchable {
    /// The file.
    pub path: String,
    /// The column.
    pub column: String,
    /// Why.
    pub why: String,
}

impl Certificate {
    /// Schema name of version 1.
    pub const SCHEMA: &str = "allonym.certificate/1";

    /// JSON Schema of it.
    #[must_use]
    pub fn json_schema() -> Value {
        schemars::schema_for!(Certificate).to_value()
    }

    /// Its JSON, with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self)
            .expect("a certificate holds only strings, numbers and string-keyed maps");
        json.push('\n');
        json
    }

    /// Rows that went, over all files.
    #[must_use]
    pub fn rows_erased(&self) -> u64 {
        self.files.iter().map(|file| file.rows_erased).sum()
    }

    /// Texts in which a mention was overwritten, over all files.
    #[must_use]
    pub fn mentions_erased(&self) -> u64 {
        self.files.iter().flat_map(|file| file.mentions_erased.values()).sum()
    }

    /// Rows that stay for now, over all files.
    #[must_use]
    pub fn rows_left(&self) -> u64 {
        let left = |f: &ErasedFile| f.rows_restricted + f.rows_held + f.rows_unverifiable;
        self.files.iter().map(left).sum()
    }
}

/// Looks for people by their tokens under every key that lives and by what they are called in clear;
/// removes the rows that are theirs and overwrites mentions of them in text; looks again; and marks
/// them, so that `apply` leaves them out from now on.
///
/// # Errors
/// By the exit codes of the contract. Nothing is changed before everything that can be wrong was
/// looked at. A person that is found again in a new file is an internal error, and the file says so.
pub fn erase(job: &EraseJob<'_>) -> Result<EraseOutcome> {
    if job.work.apply {
        refuse_future(job.work.as_of, &job.work.scribe)?;
    }
    refuse_own_approval(job)?;
    let paths = paths(&job.work.inputs)?;
    if let Some(path) = paths.iter().find(|path| same_file(path, job.subjects)) {
        let message = format!("the subjects `{}` are among the data", path.display());
        return Err(Failure::new("ALO-U001", 2, message).hint("keep them elsewhere"));
    }
    let (root, files) = job_files(&paths)?;
    let policy = job.work.policy;
    let mut subjects = Subjects::read(job.subjects)?;
    subjects.spell(&Spelling::new(Profile::E164, policy));
    let rules = load_rules(&rule_folders(policy, job.work.folder))?.select(&policy.selection())?;
    let reference = Some((policy.keys(), job.work.folder));
    let ring_path = ring_place(job.work.keys.as_deref(), reference, job.work.environment)?.path;
    let tenant = policy.keys().tenant.as_str();
    let as_of = job.work.as_of;
    let mut ring = if job.work.apply {
        Suppression::make_key(&ring_path, tenant, &as_of.to_string(), job.work.environment)?
    } else {
        open_ring(job.work.keys.as_deref(), reference, job.work.environment)?
    };

    let mut looked = Vec::new();
    for file in &files {
        looked.push(Looked::at(job, &rules, file)?);
    }
    let spots: Vec<Spot> = looked.iter().flat_map(|file| file.spots.iter().cloned()).collect();
    let search = Search::new(&subjects, &spots, Some(&ring), tenant, &policy.keys().domain)?;

    let mut running = None;
    let mut as_of = as_of;
    if job.work.apply {
        let matter = Matter {
            kind: "erase".to_owned(),
            as_of: as_of.to_string(),
            digest: matter_digest(job, &subjects, &ring)?,
            files: files.iter().map(|file| file.name.clone()).collect(),
        };
        let begun = Job::begin(&root, &files, matter)?;
        as_of = begun.matter.as_of.parse().unwrap_or(as_of);
        running = Some(begun);
    }
    let prepared = || -> Result<_> {
        if !running.as_ref().is_some_and(|job| job.resumed) {
            refuse_clock_back(&files, as_of)?;
        }
        let holds = match policy.retention() {
            Some(retention) => KnownHold::in_force(retention, job.work.folder, as_of)?,
            None => Vec::new(),
        };
        let mut plans = Vec::new();
        for (file, looked) in files.iter().zip(&looked) {
            job.work.cancel.check()?;
            let done = running.as_ref().map(|running| running.settled(file)).transpose()?;
            plans.push(match done.flatten() {
                Some(done) => Planned::Done(Box::new(told(&done.told)?)),
                None => {
                    let stamp = Stamp::of(&file.path)?;
                    let found = look(job, &rules, file, looked, &search, as_of, &holds)?;
                    stamp.check(&file.path)?;
                    Planned::Open(Box::new((found, stamp)))
                }
            });
        }
        Ok((holds, plans))
    };
    let (holds, plans) = match prepared() {
        Ok(prepared) => prepared,
        Err(failure) => {
            // Nothing was changed yet, so nothing is unfinished.
            if let Some(running) = running.filter(|running| !running.resumed) {
                running.end()?;
            }
            return Err(failure);
        }
    };

    let marks = marks_of(job, &rules, &subjects, &spots, job.work.apply.then_some(&ring))?;
    let suppression_marks = marks.len() as u64;
    let log = match &running {
        None => AuditLog::absent(job.work.scribe, "a plan changes nothing"),
        Some(_) => AuditLog::open(&mut ring, job.work.environment, job.work.scribe)?,
    };
    let mut record = match &running {
        None => None,
        Some(running) => {
            let keys = search.keys.iter().map(|(id, _)| id.clone()).collect();
            Some(running.matter.begin(Action::Erase, policy, keys, &log)?)
        }
    };
    let all = || -> Result<Vec<ErasedFile>> {
        if running.is_some() {
            // First of all: who is being erased does not come in again while that lasts.
            Suppression::add(&ring_path, tenant, marks, &as_of.to_string())?;
        }
        let mut erased = Vec::new();
        for ((file, looked), plan) in files.iter().zip(&looked).zip(plans) {
            erased.push(match (plan, &mut running) {
                (Planned::Done(told), _) => *told,
                (Planned::Open(plan), None) => plan.0.evidence,
                (Planned::Open(plan), Some(running)) => {
                    let (found, stamp) = *plan;
                    let search = &search;
                    remove(
                        job, &rules, file, looked, search, as_of, &holds, found, &stamp, running,
                    )?
                }
            });
        }
        Ok(erased)
    };
    let erased = match (all(), record.take()) {
        (Ok(erased), taken) => {
            record = taken;
            erased
        }
        (Err(failure), None) => return Err(failure),
        (Err(failure), Some(record)) => {
            return Err(match record.fail(&failure) {
                Ok(()) => failure,
                Err(unwritten) => failure.worse(unwritten),
            });
        }
    };
    let requests = match job.work.apply {
        true => request_marks(&subjects, &ring, tenant)?,
        false => Vec::new(),
    };
    let touched = erased.iter().filter(|file| has_found(file));
    let touched: Vec<(&str, &str)> =
        touched.map(|file| (file.before.sha256.as_str(), file.path.as_str())).collect();
    let derived = derived_of(&touched, &root, &job.work.receipts);
    let mut certificate = Certificate {
        schema: Certificate::SCHEMA.to_owned(),
        tool: concat!("allonym ", env!("CARGO_PKG_VERSION")).to_owned(),
        as_of: as_of.to_string(),
        applied: job.work.apply,
        policy: Digest { sha256: policy.digest() },
        operator: job.operator.clone(),
        approver: job.approver.clone(),
        requests,
        people: subjects.people,
        searched: Searched {
            keys: search
                .keys
                .iter()
                .map(|(id, epoch)| SearchedKey { id: id.clone(), epoch: *epoch })
                .collect(),
            domain: policy.keys().domain.clone(),
            profiles: Profile::ALL.iter().map(|profile| profile.name().to_owned()).collect(),
            in_clear: true,
            too_short_for_text: search.too_short,
        },
        cannot_be_searched: unsearchable(&files, &looked),
        files: erased,
        holds: holds.iter().map(HoldEvidence::of).collect(),
        derived,
        residual_copies: job.residual.clone(),
        suppression_marks,
        verdict: String::new(),
        statement: STATEMENT.to_owned(),
        signature: None,
    };
    let found = certificate.files.iter().any(has_found);
    let left = certificate.rows_left() > 0;
    certificate.verdict = match (found, job.work.apply, left) {
        (false, ..) => "not found",
        (true, false, _) => "found",
        (true, true, true) => "partly erased",
        (true, true, false) => "erased",
    }
    .to_owned();
    let document = value_of(&certificate);
    let versions: Vec<(&str, &str)> = certificate
        .files
        .iter()
        .filter_map(|file| Some((&*file.before.sha256, &*file.after.as_ref()?.sha256)))
        .collect();
    let counts = [
        ("files", certificate.files.len() as u64),
        ("people", certificate.people),
        ("rows_erased", certificate.rows_erased()),
        ("mentions_erased", certificate.mentions_erased()),
        ("rows_left", certificate.rows_left()),
    ];
    let signed = |signature| Certificate { signature, ..certificate.clone() }.to_json();
    let json =
        seal(Certificate::SCHEMA, &document, &signed, &versions, &counts, record.as_mut(), &log)?;
    // A run that finds nobody changes nothing: it is told, and written down where that is asked for.
    let place = match (&job.certificate, job.work.apply && found) {
        (Some(path), _) => Some(path.clone()),
        (None, true) => Some(free_place(&certificate_beside(&root, &files, as_of), &json)),
        (None, false) => None,
    };
    if let Some(place) = &place {
        write_evidence(place, &json)?;
    }
    let resumed = running.as_ref().is_some_and(|job| job.resumed);
    if let Some(running) = running {
        running.end()?;
    }
    let exit = u8::from((found && !job.work.apply) || left);
    let certificate = serde_json::from_str(&json)
        .map_err(|_| Failure::new("ALO-X005", 5, "internal error: the certificate is not JSON"))?;
    let unrecorded = log.why_absent().filter(|_| job.work.apply).map(str::to_owned);
    Ok(EraseOutcome { certificate, certificate_path: place, exit, resumed, unrecorded })
}

/// Two people are two.
fn refuse_own_approval(job: &EraseJob<'_>) -> Result<()> {
    let plain = |name: &String| name.trim().to_lowercase();
    let (operator, approver) = (job.operator.as_ref().map(plain), job.approver.as_ref().map(plain));
    let is_second = approver.is_none_or(|approver| operator.is_some_and(|name| name != approver));
    match is_second {
        true => Ok(()),
        false => Err(Failure::new("ALO-R012", 2, "the approver is not a second person")
            .hint("name operator and approver, and not the same one, or leave the approver out")),
    }
}

enum Planned {
    Done(Box<ErasedFile>),
    Open(Box<(FoundIn, Stamp)>),
}

/// A file whose columns are known.
struct Looked {
    schema: SchemaRef,
    is_parquet: bool,
    spots: Vec<Spot>,
}

/// What was found in a file.
struct FoundIn {
    evidence: ErasedFile,
    fates: Vec<Fate>,
}

impl Looked {
    fn at(job: &EraseJob<'_>, rules: &RuleSet, file: &JobFile) -> Result<Looked> {
        let reader = Reader::open(&Input::File(file.path.clone()), &job.work.read)?;
        let schema = SchemaRef::clone(reader.schema());
        let told = receipt_beside(&file.path).map(|(_, receipt)| entities_of(&receipt));
        let leaves = crate::cells::leaves(&schema).into_iter();
        let spots = leaves.map(|leaf| {
            let entity = told
                .as_ref()
                .and_then(|told| told.get(&leaf.path).cloned())
                .or_else(|| crate::run::header_entity(rules, &leaf.path));
            // A column that treatment drops and that is there all the same was not treated.
            let holding = job.work.policy.holding(&leaf.path, entity.as_deref(), rules);
            Spot { name: leaf.path, entity, holding: holding.unwrap_or(Holding::Raw) }
        });
        let spots = spots.collect();
        let is_parquet = reader.shape().format == Format::Parquet;
        Ok(Looked { schema, is_parquet, spots })
    }
}

fn look(
    job: &EraseJob<'_>,
    rules: &RuleSet,
    file: &JobFile,
    looked: &Looked,
    search: &Search,
    as_of: Timestamp,
    holds: &[KnownHold],
) -> Result<FoundIn> {
    let sha256 = sha256_file(&file.path)?;
    let tags = bind(job, rules, file, looked, as_of, holds)?;
    let mut erasure = Removal::new(looked, search, tags.as_ref(), as_of);
    let (rows, fates) = erasure.pass(job, file, looked)?;
    let done = erasure.done;
    Ok(FoundIn {
        evidence: ErasedFile {
            path: file.name.clone(),
            before: Version { sha256, rows },
            after: None,
            rows_erased: done.rows,
            mentions_erased: done.mentions,
            rows_restricted: done.restricted,
            restricted_until: done.until.map(|until| until.to_string()),
            rows_held: done.held,
            rows_unverifiable: done.unverifiable,
            found_again: None,
        },
        fates,
    })
}

/// Statutory floors and holds of a file, where the policy has any: without them no anchor is needed.
fn bind<'a>(
    job: &'a EraseJob<'_>,
    rules: &RuleSet,
    file: &JobFile,
    looked: &Looked,
    as_of: Timestamp,
    holds: &'a [KnownHold],
) -> Result<Option<Tags<'a>>> {
    let Some(retention) = job.work.policy.retention() else { return Ok(None) };
    let tags = retention.dataset.iter().chain(retention.columns.iter().map(|(_, tag)| tag));
    let floors = tags.into_iter().any(|tag| tag.rule.term.retain_at_least().is_some());
    if !floors && holds.is_empty() {
        return Ok(None);
    }
    let name = FileName { path: Some(&file.path), relative: &file.name };
    Tags::bind(job.work.policy, rules, &name, &looked.schema, &job.work.anchors, as_of, holds)
        .map(Some)
}

fn remove(
    job: &EraseJob<'_>,
    rules: &RuleSet,
    file: &JobFile,
    looked: &Looked,
    search: &Search,
    as_of: Timestamp,
    holds: &[KnownHold],
    found: FoundIn,
    stamp: &Stamp,
    running: &mut Job,
) -> Result<ErasedFile> {
    let FoundIn { mut evidence, fates } = found;
    let before = evidence.before.sha256.clone();
    if evidence.rows_erased == 0 && evidence.mentions_erased.is_empty() {
        evidence.after = Some(evidence.before.clone());
        evidence.found_again = Some(0);
        running.record(file, &before, &before, value_of(&evidence))?;
        return Ok(evidence);
    }
    let tags = bind(job, rules, file, looked, as_of, holds)?;
    let mut removal = Removal::new(looked, search, tags.as_ref(), as_of);
    removal.fates = fates;
    let staged = Job::staged(file);
    let told = |bytes, size| {
        (job.work.progress)(Progress { phase: "writing", file: &file.name, bytes, size });
    };
    let rewritten =
        rewrite(&file.path, &job.work.read, &staged, None, &mut removal, &job.work.cancel, &told)?;
    let written = rewritten.finished.commit()?;
    evidence.after = Some(Version { sha256: written.sha256.clone(), rows: written.rows });

    // The new file is looked through before it takes its place.
    let mut again = Removal::new(looked, search, tags.as_ref(), as_of);
    let new = JobFile { path: staged, name: file.name.clone() };
    let read = ReadOptions {
        format: job.work.read.format.or_else(|| format_of(file)),
        ..job.work.read.clone()
    };
    let (rows, _) = again.pass_with(job, &new, looked, &read)?;
    let found_again = again.done.rows + again.done.mentions.values().sum::<u64>();
    evidence.found_again = Some(found_again);
    if found_again > 0 || rows + evidence.rows_erased != evidence.before.rows {
        let message = format!(
            "`{}`: people were found again in the new file, which was withheld",
            file.path.display()
        );
        return Err(Failure::new("ALO-X005", 5, message));
    }
    stamp.check(&file.path)?;
    running.replace(file, &before, &written.sha256, value_of(&evidence))?;
    info!(file = %file.name, rows = evidence.rows_erased, "erased");
    Ok(evidence)
}

fn format_of(file: &JobFile) -> Option<Format> {
    Format::of_path(&file.path)
}

/// Rows and mentions of people, and what becomes of them.
struct Removal<'a> {
    schema: SchemaRef,
    spots: BTreeMap<&'a str, &'a Spot>,
    search: &'a Search,
    tags: Option<&'a Tags<'a>>,
    as_of: Timestamp,
    touches: Vec<bool>,
    fates: Vec<Fate>,
    done: Done,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Done {
    rows: u64,
    mentions: BTreeMap<String, u64>,
    restricted: u64,
    until: Option<Timestamp>,
    held: u64,
    unverifiable: u64,
}

impl<'a> Removal<'a> {
    fn new(
        looked: &'a Looked,
        search: &'a Search,
        tags: Option<&'a Tags<'a>>,
        as_of: Timestamp,
    ) -> Removal<'a> {
        let fields = looked.schema.fields().iter();
        Removal {
            schema: SchemaRef::clone(&looked.schema),
            spots: looked.spots.iter().map(|spot| (spot.name.as_str(), spot)).collect(),
            search,
            tags,
            as_of,
            touches: fields.map(|field| is_text(field.data_type())).collect(),
            fates: Vec::new(),
            done: Done::default(),
        }
    }

    fn pass(
        &mut self,
        job: &EraseJob<'_>,
        file: &JobFile,
        looked: &Looked,
    ) -> Result<(u64, Vec<Fate>)> {
        self.pass_with(job, file, looked, &job.work.read)
    }

    /// Looks through a file: its rows, and what becomes of its row groups.
    fn pass_with(
        &mut self,
        job: &EraseJob<'_>,
        file: &JobFile,
        looked: &Looked,
        read: &ReadOptions,
    ) -> Result<(u64, Vec<Fate>)> {
        let mut fates = Vec::new();
        let mut rows = 0;
        if looked.is_parquet {
            let groups = RowGroups::open(&file.path, read)?;
            let columns: Vec<usize> = (0..groups.schema().fields().len()).collect();
            for (group, &of_group) in groups.rows().iter().enumerate() {
                job.work.cancel.check()?;
                let before = self.done.clone();
                let mut failed = None;
                let read = groups.read(group, &columns, &mut |records| {
                    if failed.is_none() {
                        failed = self.edit(&records, rows).err();
                    }
                    rows += records.num_rows() as u64;
                    Ok(())
                });
                if let Some(failure) = failed {
                    return Err(failure);
                }
                read?;
                let gone = self.done.rows - before.rows;
                let same = gone == 0 && self.done.mentions == before.mentions;
                fates.push(match (same, gone == of_group) {
                    (true, _) => Fate::Stays,
                    (false, true) => Fate::Goes,
                    (false, false) => Fate::Open,
                });
            }
        } else {
            let mut reader = Reader::open(&Input::File(file.path.clone()), read)?;
            while let Some(chunk) = reader.next_chunk()? {
                job.work.cancel.check()?;
                self.edit(&chunk.records, chunk.first_row)?;
                rows += chunk.records.num_rows() as u64;
                let (bytes, size) = reader.progress();
                (job.work.progress)(Progress { phase: "looking", file: &file.name, bytes, size });
            }
        }
        Ok((rows, fates))
    }

    /// What a row of a person meets: the strongest reason to keep it.
    fn obstacle(&self, records: &RecordBatch, row: usize, held: bool) -> Result<Erasure> {
        let mut strongest = if held { Erasure::Held } else { Erasure::Due };
        let Some(tags) = self.tags else { return Ok(strongest) };
        let by_anchor = |tag: &&BoundTag| !matches!(tag.anchor, Bound::Rows(..));
        let has_anchor =
            tags.tags.iter().any(|tag| tag.column.is_none() && !tag.is_part && by_anchor(&tag));
        for tag in tags.tags.iter().filter(|tag| !has_anchor || by_anchor(tag)) {
            let anchor = match &tag.anchor {
                Bound::Column(at, _) => {
                    let column = records.column(*at).as_ref();
                    Anchor::of_cell(column, row).unwrap_or(Anchor::Unreadable)
                }
                Bound::Fixed(anchor, _) => *anchor,
                // When a row expires does not say how long it must be kept.
                Bound::Rows(..) => Anchor::Null,
            };
            let met = tag.tag.rule.erasure(anchor, held, self.as_of);
            strongest = match (strongest, met) {
                (Erasure::Restricted { due: one }, Erasure::Restricted { due: other }) => {
                    Erasure::Restricted { due: one.max(other) }
                }
                // A hold without an end outlasts a floor; a floor nobody can tell comes before one
                // that ends.
                (Erasure::Held, _) | (_, Erasure::Held) => Erasure::Held,
                (Erasure::Unverifiable, _) | (_, Erasure::Unverifiable) => Erasure::Unverifiable,
                (Erasure::Restricted { due }, _) | (_, Erasure::Restricted { due }) => {
                    Erasure::Restricted { due }
                }
                (Erasure::Due, Erasure::Due) => Erasure::Due,
            };
        }
        Ok(strongest)
    }
}

impl Edit for Removal<'_> {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn touches(&self, column: usize) -> bool {
        self.touches[column]
    }

    fn fate(&self, group: usize) -> Fate {
        self.fates.get(group).copied().unwrap_or(Fate::Open)
    }

    fn edit(&mut self, records: &RecordBatch, _: u64) -> Result<Edited> {
        let rows = records.num_rows();
        let mut theirs = vec![false; rows];
        let mut texts: Vec<BTreeMap<usize, String>> = vec![BTreeMap::new(); records.num_columns()];
        let mut scratch = Zeroizing::new(String::new());
        let mut found: Vec<Range<usize>> = Vec::new();
        let schema = records.schema();
        for ((field, column), texts) in
            schema.fields().iter().zip(records.columns()).zip(&mut texts)
        {
            if !is_looked_at(field.data_type()) {
                continue;
            }
            let whole = is_text(field.data_type());
            each_cell(column, field.name(), &mut |path, row, cell| {
                let Some(spot) = self.spots.get(path) else { return };
                if self.search.is_cell(spot, cell, &mut scratch) {
                    theirs[row] = true;
                    return;
                }
                if matches!(spot.holding, Holding::Tokens { .. }) {
                    return;
                }
                self.search.mentions(cell, &mut found);
                if found.is_empty() {
                    return;
                }
                if whole {
                    texts.insert(row, without(cell, &found));
                } else {
                    // A part of a nested cell cannot be overwritten by itself: the row goes.
                    theirs[row] = true;
                }
            });
        }
        let mentioned: BTreeSet<usize> =
            texts.iter().flat_map(|texts| texts.keys().copied()).collect();
        let concerned: Vec<usize> =
            (0..rows).filter(|row| theirs[*row] || mentioned.contains(row)).collect();
        let held = match (self.tags, concerned.is_empty()) {
            (Some(tags), false) => tags.held(records),
            _ => None,
        };
        let mut stays = vec![false; rows];
        for row in concerned {
            let held = held.as_ref().is_some_and(|held| held.value(row));
            match self.obstacle(records, row, held)? {
                Erasure::Due => continue,
                Erasure::Held => self.done.held += 1,
                Erasure::Unverifiable => self.done.unverifiable += 1,
                Erasure::Restricted { due } => {
                    self.done.restricted += 1;
                    self.done.until = self.done.until.max(Some(due));
                }
            }
            stays[row] = true;
        }
        let keep: BooleanBuffer = (0..rows).map(|row| !theirs[row] || stays[row]).collect();
        self.done.rows += (rows - keep.count_set_bits()) as u64;

        let mut touched = vec![false; rows];
        let mut cells: Vec<ArrayRef> = records.columns().to_vec();
        for ((field, cell), mut texts) in schema.fields().iter().zip(&mut cells).zip(texts) {
            texts.retain(|row, _| keep.value(*row) && !stays[*row]);
            if texts.is_empty() {
                continue;
            }
            texts.keys().for_each(|row| touched[*row] = true);
            *self.done.mentions.entry(field.name().clone()).or_default() += texts.len() as u64;
            *cell = overwritten(cell, &texts)?;
        }
        let records = RecordBatch::try_new(SchemaRef::clone(&self.schema), cells)?;
        let aside = BooleanBuffer::new_unset(rows);
        Ok(Edited { records, keep, aside, touched: touched.into_iter().collect() })
    }
}

/// The text with mentions overwritten.
fn without(text: &str, mentions: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for mention in mentions {
        out.push_str(text.get(copied..mention.start).unwrap_or_default());
        out.push_str(ERASED);
        copied = mention.end;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out
}

/// The column with other texts in some rows, in its type.
fn overwritten(column: &ArrayRef, texts: &BTreeMap<usize, String>) -> Result<ArrayRef> {
    let plain = cast(column, &DataType::Utf8)?;
    let changed: BooleanBuffer = (0..column.len()).map(|row| texts.contains_key(&row)).collect();
    let new: StringArray =
        (0..column.len()).map(|row| texts.get(&row).map(String::as_str)).collect();
    let new: ArrayRef = Arc::new(new);
    let made = zip(&BooleanArray::new(changed, None), &new, &plain)?;
    Ok(if made.data_type() == column.data_type() { made } else { cast(&made, column.data_type())? })
}

fn is_text(data_type: &DataType) -> bool {
    holds_tokens(data_type) && !matches!(data_type, DataType::FixedSizeBinary(_))
}

/// The marks that keep the subjects out, for every field their identifiers can stand under.
fn marks_of(
    job: &EraseJob<'_>,
    rules: &RuleSet,
    subjects: &Subjects,
    spots: &[Spot],
    ring: Option<&Keyring>,
) -> Result<BTreeSet<String>> {
    let mut marks = BTreeSet::new();
    let Some(ring) = ring else { return Ok(marks) };
    let tenant = job.work.policy.keys().tenant.as_str();
    // Columns that treatment drops are in no output and in tomorrow's input.
    let mut known: BTreeMap<(String, Option<String>), String> = BTreeMap::new();
    let listed = job
        .work
        .policy
        .columns()
        .map(|(name, _)| (name.to_owned(), crate::run::header_entity(rules, name)));
    let found = spots.iter().map(|spot| (spot.name.clone(), spot.entity.clone()));
    for (name, entity) in listed.chain(found) {
        let (field, _) = field_of(job.work.policy, rules, &name, entity.as_deref());
        known.insert((name, entity), field);
    }
    let mut scratch = Zeroizing::new(String::new());
    let mut fields: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for ((name, entity), field) in &known {
        let kinds = fields.entry(field).or_default();
        kinds.extend([name.as_str(), field.as_str()]);
        kinds.extend(entity.as_deref());
    }
    for profile in Profile::ALL {
        for (field, kinds) in &fields {
            let marker = Suppression::marker(ring, tenant, field, profile)?;
            for identifier in &subjects.identifiers {
                if identifier.of.as_deref().is_none_or(|of| kinds.contains(of)) {
                    marks.insert(mark(&marker, &identifier.value, &mut scratch));
                }
            }
        }
    }
    let marker = Suppression::marker(ring, tenant, IN_TEXT, Profile::Casefold)?;
    for identifier in &subjects.identifiers {
        marks.insert(mark(&marker, &identifier.value, &mut scratch));
    }
    Ok(marks)
}

/// Requests by a keyed mark, so that the certificate names them to nobody but who has the key.
fn request_marks(subjects: &Subjects, ring: &Keyring, tenant: &str) -> Result<Vec<String>> {
    let marker = Suppression::marker(ring, tenant, "allonym:request", Profile::Exact)?;
    let mut scratch = String::new();
    Ok(subjects.requests.iter().map(|id| mark(&marker, id, &mut scratch)).collect())
}

/// All that the job depends on; who the subjects are goes in under a key.
fn matter_digest(job: &EraseJob<'_>, subjects: &Subjects, ring: &Keyring) -> Result<String> {
    let tenant = job.work.policy.keys().tenant.as_str();
    let marker = Suppression::marker(ring, tenant, "allonym:job", Profile::Exact)?;
    let mut all: Vec<String> = subjects
        .identifiers
        .iter()
        .map(|identifier| {
            let of = identifier.of.as_deref().unwrap_or_default();
            let mut scratch = Zeroizing::new(String::new());
            let value = marker.mac(Scope::Document(of), &identifier.value, &mut scratch);
            crate::tags::hex(&value.bytes16())
        })
        .collect();
    all.sort();
    let told = serde_json::json!({
        "policy": job.work.policy.digest(),
        "subjects": sha256_hex(all.join(",").as_bytes()),
        "collected_at": job.work.anchors.collected_at,
        "events": job.work.anchors.events,
        "read": format!("{:?}", job.work.read),
    });
    Ok(sha256_hex(told.to_string().as_bytes()))
}

fn unsearchable(files: &[JobFile], looked: &[Looked]) -> Vec<Unsearchable> {
    let mut all = Vec::new();
    for (file, looked) in files.iter().zip(looked) {
        for spot in &looked.spots {
            if let Some(why) = spot.unsearchable() {
                all.push(Unsearchable {
                    path: file.name.clone(),
                    column: spot.name.clone(),
                    why: why.to_owned(),
                });
            }
        }
    }
    all
}

fn certificate_beside(root: &Path, files: &[JobFile], as_of: Timestamp) -> PathBuf {
    let stamp = stamp_of(as_of);
    match files {
        [file] => {
            let name = file.path.file_name().map(|name| name.to_string_lossy().into_owned());
            root.join(format!("{}.erased-{stamp}.allonym.json", name.unwrap_or_default()))
        }
        _ => root.join(format!("erased-{stamp}.allonym.json")),
    }
}

fn has_found(file: &ErasedFile) -> bool {
    let left = file.rows_restricted + file.rows_held + file.rows_unverifiable;
    file.rows_erased + left > 0 || !file.mentions_erased.is_empty()
}

fn told(value: &Value) -> Result<ErasedFile> {
    serde_json::from_value(value.clone()).map_err(|_| {
        Failure::new("ALO-R011", 3, "the journal of the interrupted job is of another version")
            .hint("end it with the version that began it")
    })
}

/// Stands where a mention stood.
const ERASED: &str = "[ERASED]";
const STATEMENT: &str = "This proves what Allonym did to the files named here and that it found \
     none of these people in them afterwards, by the keys, spellings and columns named here. It does \
     not prove that no other copy exists. Where keys were destroyed, nobody can be looked up by \
     tokens made with them (GDPR, Article 11).";
