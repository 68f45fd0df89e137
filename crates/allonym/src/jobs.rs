//! Jobs that write files again in place, so that a killed one can be taken up where it ended.
//!
//! A file is written whole into a hidden folder beside it, what will be done is noted down, and the
//! new file takes the place of the old one by a rename: a reader sees one or the other. What a
//! killed run left behind is told by the digests of the files themselves.

use crate::ledger::{self, Action, AuditLog, OpenJob, Scribe, Signature};
use crate::tags::Anchors;
use crate::{Cancel, Environment, Failure, Policy, Progress, Result};
use allonym_io::{Found, ReadOptions, make_folder_of, sha256_file, write_whole};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What `expire` and `erase` are asked alike.
pub struct Work<'a> {
    /// Files to look at.
    pub inputs: Vec<Found>,
    /// The policy.
    pub policy: &'a Policy,
    /// The folder its relative paths start from.
    pub folder: &'a Path,
    /// `--keys`.
    pub keys: Option<String>,
    /// Captured environment.
    pub environment: &'a Environment,
    /// How to read.
    pub read: ReadOptions,
    /// The date that decides.
    pub as_of: Timestamp,
    /// Anchors that stand in no column.
    pub anchors: Anchors,
    /// Do it; without, tell what would be done.
    pub apply: bool,
    /// Folders whose receipts are looked through for what was made of the data, besides those of
    /// the inputs.
    pub receipts: Vec<PathBuf>,
    /// Who writes to which ledger.
    pub scribe: Scribe<'a>,
    /// Asked between batches.
    pub cancel: Cancel,
    /// Told between batches.
    pub progress: &'a (dyn Fn(Progress<'_>) + Sync),
}

impl fmt::Debug for Work<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Work { inputs, as_of, apply, .. } = self;
        f.debug_struct("Work")
            .field("inputs", inputs)
            .field("as_of", as_of)
            .field("apply", apply)
            .finish_non_exhaustive()
    }
}

/// What a job is about; a killed one is taken up only by one that is about the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Matter {
    /// `expire` or `erase`.
    pub(crate) kind: String,
    /// The date of its decisions.
    pub(crate) as_of: String,
    /// Digest of all else that its decisions depend on.
    pub(crate) digest: String,
    /// Files, relative to the folder of the job, in order.
    pub(crate) files: Vec<String>,
}

impl Matter {
    /// Writes down in the ledger that the job begins. One that was killed and goes on has the same
    /// name, so that its end belongs to both beginnings.
    ///
    /// # Errors
    /// A ledger that cannot be written.
    pub(crate) fn begin<'l>(
        &self,
        action: Action,
        policy: &Policy,
        keys: Vec<String>,
        log: &'l AuditLog<'_>,
    ) -> Result<OpenJob<'l>> {
        let reference = policy.keys();
        let mut entry = log.entry(action);
        entry.tenant = Some(ledger::name_of(&reference.tenant));
        entry.domain = Some(ledger::name_of(&reference.domain));
        entry.policy_digest = ledger::digests([policy.digest().as_str()]).pop();
        entry.key_ids = keys;
        let mut work = vec![self.kind.as_str(), &self.as_of, &self.digest];
        work.extend(self.files.iter().map(String::as_str));
        log.begin(entry, &work)
    }
}

/// Signs a document that tells what a job did, and writes down that it is done: the document's digest
/// first, then those of the files as they are now.
///
/// # Errors
/// A ledger that cannot be written.
pub(crate) fn seal(
    kind: &str,
    document: &Value,
    json: &dyn Fn(Option<Signature>) -> String,
    versions: &[(&str, &str)],
    counts: &[(&str, u64)],
    record: Option<&mut OpenJob<'_>>,
    log: &AuditLog<'_>,
) -> Result<String> {
    let json = json(log.sign(kind, document)?);
    if let Some(record) = record {
        record.end(|entry| {
            entry.inputs = ledger::digests(versions.iter().map(|(before, _)| *before));
            entry.outputs = vec![ledger::digest_of(json.as_bytes())];
            entry.outputs.extend(ledger::digests(versions.iter().map(|(_, after)| *after)));
            let counts = counts.iter().map(|(name, count)| ((*name).to_owned(), *count));
            entry.counts.extend(counts);
        })?;
    }
    Ok(json)
}

/// One file of a job.
#[derive(Clone, Debug)]
pub(crate) struct JobFile {
    /// Where it is, without links.
    pub(crate) path: PathBuf,
    /// Relative to the folder of the job, `/`-separated.
    pub(crate) name: String,
}

/// What was done to a file, noted down before it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Done {
    file: String,
    before: String,
    after: String,
    /// What the evidence says of it.
    pub(crate) told: Value,
}

/// A job at work. Holds the locks of all folders it writes in.
#[derive(Debug)]
pub(crate) struct Job {
    root: PathBuf,
    folders: BTreeSet<PathBuf>,
    journal: File,
    /// What the journal says of files, by name.
    done: BTreeMap<String, Done>,
    pub(crate) matter: Matter,
    /// An earlier run was killed, and this one goes on with it.
    pub(crate) resumed: bool,
    _locks: Vec<File>,
}

/// The folder of a job over these files, and the files by their place in it.
///
/// # Errors
/// A file that is gone.
pub(crate) fn job_files(paths: &[PathBuf]) -> Result<(PathBuf, Vec<JobFile>)> {
    let mut settled = Vec::new();
    for path in paths {
        settled.push(fs::canonicalize(path).map_err(|error| {
            let message = format!("`{}` cannot be read: {}", path.display(), error.kind());
            Failure::new("ALO-D001", 3, message)
        })?);
    }
    let mut root = settled[0].parent().unwrap_or_else(|| Path::new("/")).to_owned();
    while !settled.iter().all(|path| path.starts_with(&root)) {
        root.pop();
    }
    let name = |path: &Path| {
        let inside = path.strip_prefix(&root).unwrap_or(path);
        let parts = inside.components().map(|part| part.as_os_str().to_string_lossy());
        parts.collect::<Vec<_>>().join("/")
    };
    let files = settled.iter().map(|path| JobFile { name: name(path), path: path.clone() });
    let files = files.collect();
    Ok((root, files))
}

/// What an unfinished job in a folder is about, if there is one.
pub(crate) fn unfinished(root: &Path) -> Option<Matter> {
    let text = fs::read_to_string(root.join(FOLDER).join(JOURNAL)).ok()?;
    serde_json::from_str(text.lines().next()?).ok()
}

impl Job {
    /// Begins a job, or goes on with one that was killed: then the date is that of its beginning.
    ///
    /// # Errors
    /// Another job at work on one of the folders, an unfinished one that is about something else,
    /// folders that cannot be written.
    pub(crate) fn begin(root: &Path, files: &[JobFile], mut matter: Matter) -> Result<Job> {
        let mut folders: BTreeSet<PathBuf> = files
            .iter()
            .filter_map(|file| file.path.parent())
            .map(|folder| folder.join(FOLDER))
            .collect();
        folders.insert(root.join(FOLDER));
        let mut locks = Vec::new();
        for folder in &folders {
            locks.push(lock(folder)?);
        }
        for folder in &folders {
            refuse_foreign(folder, root)?;
        }
        let path = root.join(FOLDER).join(JOURNAL);
        let (known, done) = read_journal(&path)?;
        let resumed = known.is_some();
        if let Some(known) = known {
            if (&known.kind, &known.digest, &known.files)
                != (&matter.kind, &matter.digest, &matter.files)
            {
                return Err(unfinished_job(root, &known));
            }
            matter.as_of = known.as_of;
        }
        let mut open = OpenOptions::new();
        let journal = open.create(true).append(true).open(&path).map_err(storage(&path))?;
        let mut job = Job {
            root: root.to_owned(),
            folders,
            journal,
            done: done.into_iter().map(|done| (done.file.clone(), done)).collect(),
            matter,
            resumed,
            _locks: locks,
        };
        if !resumed {
            job.sweep()?;
            for folder in &job.folders {
                let owner = folder.join(OWNER);
                let root = job.root.display().to_string();
                fs::write(&owner, root).map_err(storage(&owner))?;
            }
            let line = serde_json::to_string(&job.matter).expect("names and digests are JSON");
            job.note(&line)?;
        }
        Ok(job)
    }

    /// Where the new file for `file` is written first.
    pub(crate) fn staged(file: &JobFile) -> PathBuf {
        let name = file.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = format!("new.{}", name.unwrap_or_default());
        file.path.with_file_name(FOLDER).join(name)
    }

    /// What became of a file in the run that was killed; a new file that had not yet taken its
    /// place takes it now. `None`: the file is still to be done.
    ///
    /// # Errors
    /// A file that is neither as it was nor as it should be: somebody changed it in between.
    pub(crate) fn settled(&self, file: &JobFile) -> Result<Option<&Done>> {
        let Some(done) = self.done.get(&file.name) else {
            self.discard(file)?;
            return Ok(None);
        };
        let now = sha256_file(&file.path)?;
        if now == done.after {
            return Ok(Some(done));
        }
        if now != done.before {
            let message =
                format!("`{}` was changed after the job was interrupted", file.path.display());
            return Err(Failure::new("ALO-R011", 3, message).hint(format!(
                "find out who wrote it; to begin anew remove the folder {}",
                self.root.join(FOLDER).display()
            )));
        }
        let staged = Job::staged(file);
        if staged.exists() && sha256_file(&staged)? == done.after {
            take_place(&staged, &file.path)?;
            return Ok(Some(done));
        }
        self.discard(file)?;
        Ok(None)
    }

    /// Notes down what is about to be done to a file and does it: the staged file takes its place.
    ///
    /// # Errors
    /// The storage fails.
    pub(crate) fn replace(
        &mut self,
        file: &JobFile,
        before: &str,
        after: &str,
        told: Value,
    ) -> Result<()> {
        self.record(file, before, after, told)?;
        take_place(&Job::staged(file), &file.path)
    }

    /// Notes down what is known of a file, whether it changes or not.
    ///
    /// # Errors
    /// The storage fails.
    pub(crate) fn record(
        &mut self,
        file: &JobFile,
        before: &str,
        after: &str,
        told: Value,
    ) -> Result<()> {
        let done = Done {
            file: file.name.clone(),
            before: before.to_owned(),
            after: after.to_owned(),
            told,
        };
        let line = serde_json::to_string(&done).expect("names, digests and counts are JSON");
        self.note(&line)
    }

    /// Ends the job: nothing of it is left but what it did.
    ///
    /// # Errors
    /// The storage fails.
    pub(crate) fn end(self) -> Result<()> {
        let path = self.root.join(FOLDER).join(JOURNAL);
        // Without its journal, what else is left of a job is swept away by the next one.
        fs::remove_file(&path).map_err(storage(&path))?;
        for folder in &self.folders {
            fs::remove_dir_all(folder).map_err(storage(folder))?;
        }
        Ok(())
    }

    /// What a killed run left of a new file.
    fn discard(&self, file: &JobFile) -> Result<()> {
        let staged = Job::staged(file);
        let Some(name) = staged.file_name().map(|name| name.to_string_lossy().into_owned()) else {
            return Ok(());
        };
        remove_drafts(&staged, &name)
    }

    fn sweep(&self) -> Result<()> {
        for folder in &self.folders {
            for entry in fs::read_dir(folder).map_err(storage(folder))? {
                let path = entry.map_err(storage(folder))?.path();
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
                if name.is_some_and(|name| name != LOCK && name != JOURNAL) {
                    fs::remove_file(&path).map_err(storage(&path))?;
                }
            }
        }
        Ok(())
    }

    fn note(&mut self, line: &str) -> Result<()> {
        let path = self.root.join(FOLDER).join(JOURNAL);
        self.journal
            .write_all(format!("{line}\n").as_bytes())
            .and_then(|()| self.journal.sync_data())
            .map_err(storage(&path))
    }
}

/// Refuses a date of decisions that has not come yet by the clock of the machine: data would go before
/// it is due. A day is allowed, as for anchors.
///
/// # Errors
/// Such a date.
pub(crate) fn refuse_future(as_of: Timestamp, scribe: &Scribe<'_>) -> Result<()> {
    let now: Timestamp = (scribe.clock)().parse().map_err(|_| {
        Failure::new("ALO-X005", 5, "internal error: the clock is no RFC 3339 time")
    })?;
    if now.duration_until(as_of) <= SignedDuration::from_hours(24) {
        return Ok(());
    }
    let message = format!("the date {as_of} has not come yet; data would go before it is due");
    Err(Failure::new("ALO-R007", 2, message).hint("leave `yes` out to see what will be due"))
}

/// Removes a file and the beginnings of it that killed writers left beside it.
///
/// # Errors
/// The storage fails.
pub(crate) fn remove_drafts(path: &Path, name: &str) -> Result<()> {
    remove_beside(path, |found| found == name || is_draft(found, name))
}

/// Writes what a job says at its end, without the beginnings that killed writers left of it.
///
/// # Errors
/// The storage fails.
pub(crate) fn write_evidence(place: &Path, json: &str) -> Result<()> {
    if let Some(name) = place.file_name().map(|name| name.to_string_lossy().into_owned()) {
        remove_beside(place, |found| is_draft(found, &name))?;
    }
    Ok(write_whole(place, json.as_bytes(), true)?)
}

fn remove_beside(path: &Path, is_wanted: impl Fn(&str) -> bool) -> Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let here = Path::new(".");
    let folder = if folder.as_os_str().is_empty() { here } else { folder };
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let entry = entry.map_err(storage(folder))?;
        if is_wanted(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path()).map_err(storage(path))?;
        }
    }
    Ok(())
}

/// Whether a writer of files that appear whole began `name` under this name.
fn is_draft(found: &str, name: &str) -> bool {
    let random = found.strip_prefix('.').and_then(|found| found.strip_prefix(name));
    random.is_some_and(|rest| rest.starts_with(".allonym-") && rest.ends_with(".tmp"))
}

/// The refusal to begin a job where another one is unfinished.
fn unfinished_job(root: &Path, known: &Matter) -> Failure {
    let Matter { kind, as_of, .. } = known;
    let message = format!(
        "an unfinished `{kind}` of {as_of} stands in `{}`, for other files, another policy or \
         other requests",
        root.display()
    );
    Failure::new("ALO-R010", 2, message).hint(format!(
        "run that command again, which ends it; or remove the folder {}: files are whole, what the \
         job did to them is then told by no evidence",
        root.join(FOLDER).display()
    ))
}

fn refuse_foreign(folder: &Path, root: &Path) -> Result<()> {
    let Ok(owner) = fs::read_to_string(folder.join(OWNER)) else { return Ok(()) };
    let owner = Path::new(&owner);
    match unfinished(owner) {
        Some(known) if owner != root => Err(unfinished_job(owner, &known)),
        _ => Ok(()),
    }
}

/// The lock of one folder. A lock that went away with its folder is no lock.
fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(LOCK);
    for _ in 0..LOCK_TRIES {
        make_folder_of(&path)?;
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = match open {
            // The folder went away in between.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened.map_err(storage(&path))?,
        };
        match file.try_lock() {
            Ok(()) if is_still(&file, &path) => return Ok(file),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(storage(&path)(error)),
        }
    }
    let place = folder.parent().unwrap_or(folder).display().to_string();
    let message = format!("another expire or erase is at work in `{place}`");
    Err(Failure::new("ALO-S003", 75, message).hint("run again when it has ended"))
}

#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(locked), Ok(there)) => (locked.dev(), locked.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_still(_: &File, path: &Path) -> bool {
    path.exists()
}

/// The journal's whole lines; the beginning of one that was cut off by the kill is cut away.
fn read_journal(path: &Path) -> Result<(Option<Matter>, Vec<Done>)> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((None, Vec::new())),
        read => read.map_err(storage(path))?,
    };
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if whole < text.len() {
        let file = OpenOptions::new().write(true).open(path).map_err(storage(path))?;
        file.set_len(whole as u64).and_then(|()| file.sync_all()).map_err(storage(path))?;
    }
    let text = String::from_utf8_lossy(&text[..whole]).into_owned();
    let mut lines = text.lines();
    let Some(first) = lines.next() else { return Ok((None, Vec::new())) };
    let broken = || {
        Failure::new("ALO-R011", 3, format!("the journal `{}` is not readable", path.display()))
            .hint("remove its folder; files are whole, what the job did to them is told by nothing")
    };
    let matter = serde_json::from_str(first).map_err(|_| broken())?;
    let done = lines.map(|line| serde_json::from_str(line).map_err(|_| broken()));
    Ok((Some(matter), done.collect::<Result<_>>()?))
}

/// The new file gets the permissions of the old one and its place.
fn take_place(staged: &Path, target: &Path) -> Result<()> {
    let permissions = fs::metadata(target).map_err(storage(target))?.permissions();
    fs::set_permissions(staged, permissions).map_err(storage(staged))?;
    fs::rename(staged, target).map_err(storage(target))?;
    sync_folder(target)
}

#[cfg(unix)]
fn sync_folder(target: &Path) -> Result<()> {
    let folder = target.parent().unwrap_or_else(|| Path::new("."));
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some network file systems have no folders to sync.
        Err(error) if error.kind() != io::ErrorKind::InvalidInput => Err(storage(folder)(error)),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<()> {
    Ok(())
}

pub(crate) fn storage(path: &Path) -> impl Fn(io::Error) -> Failure + '_ {
    move |error| {
        let message = format!("cannot write `{}`: {}", path.display(), error.kind());
        let denied = [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem];
        if denied.contains(&error.kind()) {
            return Failure::new("ALO-D004", 4, message);
        }
        Failure::new("ALO-S001", 75, message)
            .hint("free space or restore the storage, then run the same command again")
    }
}

/// Hidden, so that no folder walk takes it for data.
const FOLDER: &str = ".allonym-job";
const LOCK: &str = "lock";
const JOURNAL: &str = "journal.jsonl";
/// Names the folder of the job that a folder belongs to.
const OWNER: &str = "job";
const LOCK_TRIES: usize = 100;
