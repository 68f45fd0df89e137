//! The log on disk: one folder, one writer at a time, nothing half done.
//!
//! ```text
//! ledger.json            format and origin; never changes
//! lock                   advisory lock of writers
//! state.json             where the end is, and the key of the next entry; its owner's alone
//! segments/N.jsonl       entries from number N on
//! segments/N.hashes      their hashes, when the entries were removed as their own retention says
//! checkpoints/N.note     signed checkpoint of the first N entries
//! ```

use crate::entry::{Action, BELOW, Entry, EntryError, LINE_BYTES_MAX, Line};
use crate::note::{Checkpoint, NoteError, Signer};
use crate::ratchet::{Ratchet, StartKey};
use crate::tree::{Edge, Hash, inclusion_proof, is_included, root};
use allonym_keys::canonical_json;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// Entries that may expire: all below a number, at which a segment begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The number.
    pub below: u64,
    /// How many of them are still there.
    pub entries: u64,
}

/// A ledger in a folder.
///
/// Holds no key and no file open: every call takes the lock, reads where the end is, and lets go.
/// Any number of processes may write.
#[derive(Clone, Debug)]
pub struct Ledger {
    folder: Folder,
    origin: String,
    patience: Duration,
    segment_entries_max: u64,
}

impl Ledger {
    /// Makes an empty ledger in a new folder. `origin` names it in checkpoints; no other ledger may
    /// have it.
    ///
    /// # Errors
    /// A folder that is there already, an origin that is none, what the operating system says.
    pub fn create(folder: &Path, origin: &str, start: &StartKey) -> Result<Ledger, LedgerError> {
        if origin.is_empty() || origin.chars().any(char::is_control) {
            return Err(LedgerError::Note(NoteError::Origin));
        }
        let folder = Folder(folder.to_owned());
        if let Some(parent) = folder.0.parent() {
            fs::create_dir_all(parent).map_err(failed("make", parent))?;
        }
        match fs::create_dir(&folder.0) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(LedgerError::Exists { folder: folder.0 });
            }
            made => made.map_err(failed("make", &folder.0))?,
        }
        for inner in [folder.segments(), folder.checkpoints()] {
            fs::create_dir(&inner).map_err(failed("make", &inner))?;
        }
        let header = Header { format: FORMAT.to_owned(), origin: origin.to_owned() };
        let state = State {
            bytes: 0,
            edge: Edge::default(),
            key: start.ratchet(),
            last: None,
            prev: header.hash(),
            segment: 0,
        };
        write_whole(&folder.segment(0), &[])?;
        state.write(&folder)?;
        // The header comes last: a folder without one is no ledger.
        write_whole(&folder.header(), header.text().as_bytes())?;
        Ledger::open(&folder.0)
    }

    /// Opens a ledger.
    ///
    /// # Errors
    /// No ledger there, one of a format that this version does not know.
    pub fn open(folder: &Path) -> Result<Ledger, LedgerError> {
        let folder = Folder(folder.to_owned());
        let origin = Header::read(&folder)?.origin;
        Ok(Ledger { folder, origin, patience: PATIENCE, segment_entries_max: SEGMENT_ENTRIES_MAX })
    }

    /// The same ledger, waiting so long for other writers.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Ledger {
        Ledger { patience, ..self }
    }

    /// The same ledger, beginning a new segment at the first checkpoint after so many entries.
    #[must_use]
    pub fn with_segments_of(self, entries_max: u64) -> Ledger {
        Ledger { segment_entries_max: entries_max.max(1), ..self }
    }

    /// The name in checkpoints.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Writes an entry and gives its number. When this returns the entry is on the disk; what it
    /// tells of may be done then, not before.
    ///
    /// # Errors
    /// [`LedgerError::ClockBack`] when `at` is more than five minutes before the last entry;
    /// [`LedgerError::Entry`] for one that cannot be written down; [`LedgerError::Changed`] when
    /// the end is not as it was left; [`LedgerError::Busy`] when another writer keeps the lock.
    pub fn append(&self, entry: &Entry, at: Timestamp) -> Result<u64, LedgerError> {
        entry.check()?;
        let _lock = self.lock()?;
        let mut state = self.settled()?;
        if let Some(last) = state.last.filter(|last| at.duration_until(*last) > CLOCK_BACK_MAX) {
            return Err(LedgerError::ClockBack { at, last });
        }
        let seq = state.edge.size;
        let line = Line::new(entry, seq, at, state.prev);
        let mut text = line.with_code(state.key.code(&line.bytes()));
        if text.len() > LINE_BYTES_MAX {
            return Err(LedgerError::Entry(EntryError::TooLong { bytes: text.len() }));
        }
        state.advance(&text, at);
        text.push('\n');
        let path = self.folder.segment(state.segment);
        let mut file = open_to_append(&path)?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_data())
            .map_err(failed("write", &path))?;
        state.write(&self.folder)?;
        Ok(seq)
    }

    /// Signs how large the ledger is and what its root is, keeps the note beside it, and gives it:
    /// to be kept where no writer of the ledger has access.
    ///
    /// # Errors
    /// Those of [`Ledger::append`] but for the entry and the clock.
    pub fn checkpoint(&self, signer: &Signer) -> Result<String, LedgerError> {
        let _lock = self.lock()?;
        let mut state = self.settled()?;
        let size = state.edge.size;
        let checkpoint = Checkpoint { origin: self.origin.clone(), size, root: state.edge.root() };
        let note = signer.sign(&checkpoint)?;
        write_whole(&self.folder.checkpoint(size), note.as_bytes())?;
        if size - state.segment >= self.segment_entries_max || self.is_aged(&state)? {
            write_whole(&self.folder.segment(size), &[])?;
            state.segment = size;
            state.bytes = 0;
            state.write(&self.folder)?;
        }
        Ok(note)
    }

    /// Whether the segment at work began so long ago that it is to be complete: entries expire by whole
    /// segments, and those of a quiet ledger too.
    fn is_aged(&self, state: &State) -> Result<bool, LedgerError> {
        let age = self
            .folder
            .first_time(state.segment)?
            .zip(state.last)
            .map(|(first, last)| first.duration_until(last));
        Ok(age.is_some_and(|age| age > SEGMENT_AGE_MAX))
    }

    /// The entries that may expire when those before a time do: of complete segments whose last entry
    /// is older. `None` when there are none.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn sealed_before(&self, time: Timestamp) -> Result<Option<Sealed>, LedgerError> {
        let _lock = self.lock()?;
        let current = self.settled()?.segment;
        let segments = self.folder.segment_list()?;
        let mut sealed = None;
        let mut entries = 0;
        for (segment, next) in segments.iter().zip(segments.iter().skip(1)) {
            if segment.expired {
                continue;
            }
            if segment.first >= current {
                break;
            }
            // A segment that does not tell how old it is stays.
            let last = self.folder.last_time(segment.first)?;
            if last.is_none_or(|last| last >= time) {
                break;
            }
            entries += next.first - segment.first;
            sealed = Some(Sealed { below: next.first, entries });
        }
        Ok(sealed)
    }

    /// First entries of the complete segments that still have entries, oldest first.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn sealed_segments(&self) -> Result<Vec<u64>, LedgerError> {
        let _lock = self.lock()?;
        let current = self.settled()?.segment;
        let segments = self.folder.segment_list()?.into_iter();
        Ok(segments.filter(|s| s.first < current && !s.expired).map(|s| s.first).collect())
    }

    /// Removes all entries below a number, at which a segment must begin, and keeps their hashes, so
    /// that number, order and all proofs stay. Whoever calls this has decided that they are past
    /// their retention. That they are removed is written down first: entries that are gone without
    /// such an entry are a problem of the log.
    ///
    /// # Errors
    /// [`LedgerError::NotSealed`] when no segment begins there; those of [`Ledger::append`].
    pub fn expire_below(
        &self,
        below: u64,
        actor: &str,
        tool: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let starts = |segment: &Segment| segment.first == below;
        if !self.folder.segment_list()?.iter().any(starts) {
            return Err(LedgerError::NotSealed { below });
        }
        let mut entry = Entry::new(Action::LedgerExpire, actor, tool);
        entry.counts.insert(BELOW.to_owned(), below);
        self.append(&entry, at)?;
        let _lock = self.lock()?;
        let gone = |segment: &Segment| segment.first < below && !segment.expired;
        for segment in self.folder.segment_list()?.into_iter().filter(gone) {
            let path = self.folder.segment(segment.first);
            let leaves = leaf_hashes(&read(&path)?);
            let hashes: Vec<String> = leaves.iter().map(|leaf| format!("{leaf}\n")).collect();
            write_whole(&self.folder.hashes(segment.first), hashes.concat().as_bytes())?;
            fs::remove_file(&path).map_err(failed("remove", &path))?;
        }
        sync_folder(&self.folder.segments())
    }

    /// The hashes of all entries: what proofs are made from.
    ///
    /// # Errors
    /// What the operating system says; hashes of removed entries that are none.
    pub fn leaves(&self) -> Result<Vec<Hash>, LedgerError> {
        let _lock = self.lock()?;
        self.settled()?;
        let mut leaves = Vec::new();
        for segment in self.folder.segment_list()? {
            leaves.extend(self.folder.leaves_of(&segment)?);
        }
        Ok(leaves)
    }

    /// The proof that an entry is in the log as it is now; `None` when there is no such entry.
    ///
    /// # Errors
    /// As [`Ledger::leaves`].
    pub fn prove(&self, seq: u64) -> Result<Option<Included>, LedgerError> {
        Ok(Included::of(&self.leaves()?, seq))
    }

    /// The latest entry that names a digest among its outputs, with its proof; `None` when no entry
    /// that is still there names it.
    ///
    /// # Errors
    /// As [`Ledger::leaves`].
    pub fn find_output(&self, output: Hash) -> Result<Option<Included>, LedgerError> {
        let _lock = self.lock()?;
        self.settled()?;
        let output = output.to_string();
        let mut leaves = Vec::new();
        let mut found = None;
        for segment in self.folder.segment_list()? {
            if segment.expired {
                leaves.extend(self.folder.leaves_of(&segment)?);
                continue;
            }
            for line in read(&self.folder.segment(segment.first))?.split(|byte| *byte == b'\n') {
                if line.is_empty() {
                    continue;
                }
                let text = std::str::from_utf8(line).unwrap_or_default();
                let names = |(line, _): (Line, _)| line.outputs.contains(&output);
                if text.contains(&output) && Line::parse(text).is_some_and(names) {
                    found = Some(leaves.len() as u64);
                }
                leaves.push(Hash::leaf(line));
            }
        }
        Ok(found.and_then(|seq| Included::of(&leaves, seq)))
    }

    fn lock(&self) -> Result<File, LedgerError> {
        self.folder.lock(self.patience)
    }

    /// The state, after what a killed writer left behind was brought in: a whole entry that is the
    /// next one counts, a beginning of one is cut off.
    fn settled(&self) -> Result<State, LedgerError> {
        let mut state = State::read(&self.folder)?;
        let path = self.folder.segment(state.segment);
        let changed = |what| LedgerError::Changed { path: path.clone(), what };
        let length = fs::metadata(&path).map_err(failed("read", &path))?.len();
        if length == state.bytes {
            return Ok(state);
        }
        let bytes = read(&path)?;
        let known = usize::try_from(state.bytes).unwrap_or(usize::MAX);
        let rest = bytes.get(known..).ok_or_else(|| changed("it is shorter than it was left"))?;
        let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let (whole, torn) = rest.split_at(whole);
        let foreign = || changed("entries follow that no writer of this ledger wrote");
        for text in whole.split_inclusive(|byte| *byte == b'\n') {
            let text = text.strip_suffix(b"\n").unwrap_or(text);
            let text = std::str::from_utf8(text).map_err(|_| foreign())?;
            let (line, code) = Line::parse(text).ok_or_else(foreign)?;
            let next = line.seq == state.edge.size
                && line.prev == state.prev.to_string()
                && state.key.accepts(&line.bytes(), &code);
            if !next {
                return Err(foreign());
            }
            state.advance(text, line.at());
        }
        if !torn.is_empty() {
            let file = OpenOptions::new().write(true).open(&path).map_err(failed("open", &path))?;
            file.set_len(state.bytes)
                .and_then(|()| file.sync_all())
                .map_err(failed("write", &path))?;
        }
        state.write(&self.folder)?;
        Ok(state)
    }
}

/// An entry, and the proof that it is in the log of this size and root (RFC 6962, 2.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included {
    /// Its number.
    pub seq: u64,
    /// Its hash.
    pub leaf: Hash,
    /// Entries of the log.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
    /// Hashes from the leaf's level up.
    pub proof: Vec<Hash>,
}

impl Included {
    fn of(leaves: &[Hash], seq: u64) -> Option<Included> {
        let at = usize::try_from(seq).ok()?;
        let proof = inclusion_proof(leaves, at)?;
        let size = leaves.len() as u64;
        Some(Included { seq, leaf: leaves[at], size, root: root(leaves), proof })
    }

    /// Whether the proof shows what it says.
    #[must_use]
    pub fn holds(&self) -> bool {
        is_included(self.leaf, self.seq, self.size, &self.proof, self.root)
    }
}

/// What went wrong with a ledger. Names files, times and fields; never an entry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Something is there already.
    #[error("`{}` is there already; a ledger is made in a new folder", folder.display())]
    Exists {
        /// The folder.
        folder: PathBuf,
    },
    /// No ledger there.
    #[error("no ledger in `{}`", folder.display())]
    NoLedger {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of it is not what it should be.
    #[error("`{}` is damaged, or of another version: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was expected.
        what: &'static str,
    },
    /// The end of the log is not as the last writer left it.
    #[error("`{}` was changed by others: {what}; run `allonym audit verify`", path.display())]
    Changed {
        /// The segment.
        path: PathBuf,
        /// How.
        what: &'static str,
    },
    /// The clock was turned back.
    #[error("the clock says {at}, more than five minutes before the last entry of {last}")]
    ClockBack {
        /// Now.
        at: Timestamp,
        /// The last entry.
        last: Timestamp,
    },
    /// An entry that cannot be written down.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// A checkpoint that cannot be signed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Another writer keeps the lock.
    #[error("another process has kept the ledger in `{}` locked; try again", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
    },
    /// A number at which no segment begins.
    #[error("no segment begins with entry {below}; a checkpoint completes a segment")]
    NotSealed {
        /// The number below which entries were to go.
        below: u64,
    },
    /// What the operating system says.
    #[error("cannot {doing} `{}`", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// Where the files of a ledger are.
#[derive(Clone, Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

/// Some entries in a row.
pub(crate) struct Segment {
    pub(crate) first: u64,
    pub(crate) expired: bool,
}

impl Folder {
    fn header(&self) -> PathBuf {
        self.0.join("ledger.json")
    }

    fn state(&self) -> PathBuf {
        self.0.join("state.json")
    }

    fn segments(&self) -> PathBuf {
        self.0.join("segments")
    }

    pub(crate) fn segment(&self, first: u64) -> PathBuf {
        self.segments().join(format!("{first:020}.jsonl"))
    }

    pub(crate) fn hashes(&self, first: u64) -> PathBuf {
        self.segments().join(format!("{first:020}.hashes"))
    }

    fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    fn checkpoint(&self, size: u64) -> PathBuf {
        self.checkpoints().join(format!("{size:020}.note"))
    }

    /// Segments in order. One whose removal was interrupted has entries and hashes; the entries
    /// count.
    pub(crate) fn segment_list(&self) -> Result<Vec<Segment>, LedgerError> {
        let mut segments: Vec<Segment> = Vec::new();
        for (first, ending) in numbered(&self.segments())? {
            match ending.as_str() {
                "jsonl" => segments.push(Segment { first, expired: false }),
                "hashes" => segments.push(Segment { first, expired: true }),
                _ => {}
            }
        }
        segments.sort_by_key(|segment| (segment.first, segment.expired));
        segments.dedup_by_key(|segment| segment.first);
        Ok(segments)
    }

    /// When the first entry of a segment was written; `None` where it has none.
    fn first_time(&self, segment: u64) -> Result<Option<Timestamp>, LedgerError> {
        let path = self.segment(segment);
        let mut line = Vec::new();
        File::open(&path)
            .and_then(|file| BufReader::new(file).read_until(b'\n', &mut line))
            .map_err(failed("read", &path))?;
        Ok(time_of(&line))
    }

    /// When the last entry of a segment was written; `None` where it has none.
    fn last_time(&self, segment: u64) -> Result<Option<Timestamp>, LedgerError> {
        let bytes = read(&self.segment(segment))?;
        let lines = bytes.split(|byte| *byte == b'\n');
        Ok(lines.rev().find(|line| !line.is_empty()).and_then(time_of))
    }

    /// Notes of checkpoints by size, in order.
    pub(crate) fn notes(&self) -> Result<Vec<(u64, String)>, LedgerError> {
        let mut notes = Vec::new();
        for (size, ending) in numbered(&self.checkpoints())? {
            if ending == "note" {
                let path = self.checkpoint(size);
                notes.push((size, String::from_utf8_lossy(&read(&path)?).into_owned()));
            }
        }
        notes.sort();
        Ok(notes)
    }

    /// Hashes of the entries of a segment.
    pub(crate) fn leaves_of(&self, segment: &Segment) -> Result<Vec<Hash>, LedgerError> {
        if !segment.expired {
            return Ok(leaf_hashes(&read(&self.segment(segment.first))?));
        }
        let path = self.hashes(segment.first);
        let bytes = read(&path)?;
        let text = String::from_utf8_lossy(&bytes);
        let hashes: Option<Vec<Hash>> = text.lines().map(Hash::parse).collect();
        let what = "it holds something other than hashes";
        hashes.ok_or(LedgerError::Malformed { path, what })
    }

    /// The lock, where the reader may take it; an auditor with a copy that cannot be written goes
    /// without.
    pub(crate) fn lock_if_allowed(&self) -> Result<Option<File>, LedgerError> {
        match self.lock(PATIENCE) {
            Ok(lock) => Ok(Some(lock)),
            Err(busy @ LedgerError::Busy { .. }) => Err(busy),
            Err(_) => Ok(None),
        }
    }

    fn lock(&self, patience: Duration) -> Result<File, LedgerError> {
        let path = self.0.join("lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed("open", &path))?;
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if waited < patience => {
                    std::thread::sleep(LOCK_PAUSE);
                    waited += LOCK_PAUSE;
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(LedgerError::Busy { folder: self.0.clone() });
                }
                Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
            }
        }
    }
}

/// What never changes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    format: String,
    pub(crate) origin: String,
}

impl Header {
    pub(crate) fn read(folder: &Folder) -> Result<Header, LedgerError> {
        let path = folder.header();
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LedgerError::NoLedger { folder: folder.0.clone() });
            }
            bytes => bytes.map_err(failed("read", &path))?,
        };
        let header: Option<Header> = serde_json::from_slice(&bytes).ok();
        let what = "expected the header of allonym.ledger/1";
        header
            .filter(|header| header.format == FORMAT && header.text().as_bytes() == bytes)
            .ok_or(LedgerError::Malformed { path, what })
    }

    fn text(&self) -> String {
        let value = serde_json::to_value(self).expect("two strings can be written as JSON");
        canonical_json(&value)
    }

    /// What the first entry names as the one before it.
    pub(crate) fn hash(&self) -> Hash {
        Hash::leaf(self.text().as_bytes())
    }
}

/// Where the end is.
#[derive(Debug)]
pub(crate) struct State {
    /// Bytes of the segment that is written to.
    bytes: u64,
    pub(crate) edge: Edge,
    key: Ratchet,
    last: Option<Timestamp>,
    prev: Hash,
    /// First entry of the segment that is written to.
    segment: u64,
}

/// The state as its file has it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile<'a> {
    bytes: u64,
    #[serde(borrow)]
    key: &'a str,
    last: Option<String>,
    prev: String,
    segment: u64,
    size: u64,
    subtrees: Vec<String>,
}

impl State {
    pub(crate) fn read(folder: &Folder) -> Result<State, LedgerError> {
        let path = folder.state();
        let bytes = Zeroizing::new(read(&path)?);
        State::parse(&bytes).ok_or(LedgerError::Malformed { path, what: "expected the state" })
    }

    fn parse(bytes: &[u8]) -> Option<State> {
        let file: StateFile<'_> = serde_json::from_slice(bytes).ok()?;
        let subtrees: Option<Vec<Hash>> =
            file.subtrees.iter().map(|hash| Hash::parse(hash)).collect();
        let edge = Edge { size: file.size, subtrees: subtrees? };
        let fits = edge.subtrees.len() == usize::try_from(edge.size.count_ones()).ok()?;
        Some(State {
            bytes: file.bytes,
            edge: fits.then_some(edge)?,
            key: Ratchet::from_hex(file.key)?,
            last: file.last.map(|last| last.parse()).transpose().ok()?,
            prev: Hash::parse(&file.prev)?,
            segment: file.segment,
        })
    }

    fn write(&self, folder: &Folder) -> Result<(), LedgerError> {
        let key = self.key.to_hex();
        let file = StateFile {
            bytes: self.bytes,
            key: &key,
            last: self.last.map(|last| last.to_string()),
            prev: self.prev.to_string(),
            segment: self.segment,
            size: self.edge.size,
            subtrees: self.edge.subtrees.iter().map(Hash::to_string).collect(),
        };
        let text = serde_json::to_vec(&file).expect("strings and numbers can be written as JSON");
        write_whole(&folder.state(), &Zeroizing::new(text))
    }

    /// One entry more.
    fn advance(&mut self, line: &str, at: Timestamp) {
        let leaf = Hash::leaf(line.as_bytes());
        self.edge.push(leaf);
        self.prev = leaf;
        self.bytes += line.len() as u64 + 1;
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        self.key.step();
    }
}

fn time_of(line: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(line).ok()?.trim_end_matches('\n');
    Line::parse(text).map(|(line, _)| line.at())
}

/// The hashes of the lines of a segment.
pub(crate) fn leaf_hashes(segment: &[u8]) -> Vec<Hash> {
    let lines = segment.split_inclusive(|byte| *byte == b'\n');
    lines.map(|line| Hash::leaf(line.strip_suffix(b"\n").unwrap_or(line))).collect()
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, LedgerError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(failed("read", path))?;
    Ok(bytes)
}

fn open_to_append(path: &Path) -> Result<File, LedgerError> {
    OpenOptions::new().append(true).open(path).map_err(failed("open", path))
}

/// Numbers and endings of the files of a folder, in no order; others are passed over.
fn numbered(folder: &Path) -> Result<Vec<(u64, String)>, LedgerError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed("read", folder))? {
        let name = entry.map_err(failed("read", folder))?.file_name();
        let Some((number, ending)) = name.to_str().and_then(|name| name.split_once('.')) else {
            continue;
        };
        if let (20, Ok(number)) = (number.len(), number.parse()) {
            found.push((number, ending.to_owned()));
        }
    }
    Ok(found)
}

/// Writes a file, its owner's alone, in one step: before and after a crash it is whole.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), LedgerError> {
    let aside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(&aside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&aside, path))
        .map_err(failed("write", path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(folder: &Path) -> Result<(), LedgerError> {
    // Only Unix lets a folder be opened.
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("write", folder))?;
    }
    Ok(())
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LedgerError {
    let path = path.to_owned();
    move |source| LedgerError::Io { doing, path, source }
}

const FORMAT: &str = "allonym.ledger/1";
/// Clocks of machines differ, and are set.
pub(crate) const CLOCK_BACK_MAX: SignedDuration = SignedDuration::from_mins(5);
/// How long a writer waits for others.
const PATIENCE: Duration = Duration::from_secs(30);
const LOCK_PAUSE: Duration = Duration::from_millis(2);
const SEGMENT_ENTRIES_MAX: u64 = 100_000;
const SEGMENT_AGE_MAX: SignedDuration = SignedDuration::from_hours(31 * 24);
