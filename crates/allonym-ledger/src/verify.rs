//! Whether a ledger is what its writers wrote.

use crate::entry::{Action, BELOW, Line, Phase};
use crate::log::{CLOCK_BACK_MAX, Folder, Header, LedgerError, State, read};
use crate::note::{Checkpoint, NoteError, Verifier};
use crate::ratchet::StartKey;
use crate::tree::{Edge, Hash};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Whom to believe.
#[derive(Debug)]
pub struct Trust<'a> {
    /// The key that signs checkpoints.
    pub verifier: Verifier,
    /// The key the ledger started from, without which the codes of entries are not checked.
    pub start: Option<&'a StartKey>,
}

/// Reads a whole ledger and checks all of it: form, order, chain, codes, clock, checkpoints.
///
/// `anchors` are signed checkpoints that were kept where the writer has no access. It never stops at
/// the first problem.
///
/// # Errors
/// No ledger there, or one that cannot be read. What can be read and is wrong is a [`Problem`].
pub fn verify(
    folder: &Path,
    trust: &Trust<'_>,
    anchors: &[&str],
) -> Result<Verification, LedgerError> {
    let folder = Folder(folder.to_owned());
    let header = Header::read(&folder)?;
    let _lock = folder.lock_if_allowed()?;
    let mut problems = Vec::new();
    let mut checkpoints: Vec<(Place, Checkpoint)> = Vec::new();
    let notes = folder.notes()?;
    let stored = notes.iter().map(|(size, note)| (Place::Stored(*size), note.as_str()));
    let given = anchors.iter().enumerate().map(|(n, note)| (Place::Anchor(n), *note));
    for (place, note) in stored.chain(given) {
        match trust.verifier.open(note) {
            Err(fault) => problems.push(Problem::Note { place, fault }),
            Ok(checkpoint) if checkpoint.origin != header.origin => {
                problems.push(Problem::OtherLog { place });
            }
            Ok(checkpoint) => checkpoints.push((place, checkpoint)),
        }
    }
    // Readable by the owner only; an auditor who cannot read it goes without.
    if let Ok(state) = State::read(&folder) {
        let root = state.edge.root();
        let origin = header.origin.clone();
        checkpoints.push((Place::State, Checkpoint { origin, size: state.edge.size, root }));
    }

    let mut walk = Walk::new(&header, trust.start, &checkpoints);
    for segment in folder.segment_list()? {
        if segment.first != walk.edge.size {
            let expected = walk.edge.size;
            walk.problems.push(Problem::Gap { expected, found: segment.first });
        }
        if segment.expired {
            for leaf in folder.leaves_of(&segment)? {
                walk.removed(leaf);
            }
            walk.removed_to = walk.edge.size;
        } else {
            walk.lines(&read(&folder.segment(segment.first))?);
        }
    }
    if walk.removed_to > walk.announced_to {
        let (told, found) = (walk.announced_to, walk.removed_to);
        walk.problems.push(Problem::Removed { told, found });
    }
    problems.append(&mut walk.problems);

    let entries = walk.edge.size;
    let mut anchored = None;
    for (place, checkpoint) in &checkpoints {
        let Checkpoint { size, root, .. } = checkpoint;
        if *size > entries {
            problems.push(Problem::Shortened { place: *place, told: *size, found: entries });
        } else if walk.roots.get(size) != Some(root) {
            problems.push(Problem::OtherRoot { place: *place, size: *size });
        } else if matches!(place, Place::Anchor(_)) {
            anchored = anchored.max(Some(*size));
        }
    }
    let open_jobs = walk.jobs.into_iter().map(|(job, seq)| (seq, job)).collect();
    Ok(Verification {
        entries,
        root: walk.edge.root(),
        removed: walk.removed,
        last: walk.last,
        codes_checked: trust.start.is_some(),
        anchored,
        problems,
        open_jobs,
        unbegun_jobs: walk.unbegun,
    })
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// Entries, those removed included.
    pub entries: u64,
    /// Root of the tree over them.
    pub root: Hash,
    /// Entries of which only the hash is there.
    pub removed: u64,
    /// The latest time of an entry.
    pub last: Option<Timestamp>,
    /// Whether the codes of entries were checked.
    pub codes_checked: bool,
    /// Entries that the latest anchor vouches for; `None` when no anchor holds.
    pub anchored: Option<u64>,
    /// What is wrong, in the order it was found.
    pub problems: Vec<Problem>,
    /// Jobs that began and did not end, with the entry that began them, in the order of names.
    pub open_jobs: Vec<(u64, String)>,
    /// Jobs that ended without having begun.
    pub unbegun_jobs: Vec<(u64, String)>,
}

impl Verification {
    /// Whether the log is what its writers wrote.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match (self.problems.is_empty(), self.anchored) {
            (false, _) => Verdict::Broken,
            (true, None) => Verdict::Unanchored,
            (true, Some(_)) => Verdict::Whole,
        }
    }

    /// Whether every job that began has ended, and the other way round. Another question than
    /// whether the log is whole.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.open_jobs.is_empty() && self.unbegun_jobs.is_empty()
    }
}

/// Whether a log is what its writers wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes, as far as the anchor reaches ([`Verification::anchored`]).
    Whole,
    /// What is there belongs together; whether the end is missing, or all was replaced, cannot be
    /// told without a checkpoint from outside.
    Unanchored,
    /// No.
    Broken,
}

/// Where a size and a root were told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The anchor of this number, from 0.
    Anchor(usize),
    /// The checkpoint of this size beside the log.
    Stored(u64),
    /// The state of the writer.
    State,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Anchor(n) => write!(f, "anchor {}", n + 1),
            Place::Stored(size) => write!(f, "the checkpoint of {size} entries"),
            Place::State => f.write_str("the state of the writer"),
        }
    }
}

/// One thing that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A line that no writer writes.
    #[error("entry {seq} is no line of this log's form")]
    Unreadable {
        /// Its place.
        seq: u64,
    },
    /// A line with another number.
    #[error("entry {seq} says it is entry {told}")]
    OutOfOrder {
        /// Its place.
        seq: u64,
        /// What it says.
        told: u64,
    },
    /// A line that names another one before it.
    #[error("entry {seq} does not follow the entry before it")]
    Unchained {
        /// Its place.
        seq: u64,
    },
    /// A line whose code is not its own.
    #[error("entry {seq} was not written with the key of its place")]
    WrongCode {
        /// Its place.
        seq: u64,
    },
    /// A line that is older than those before it.
    #[error("entry {seq} is more than five minutes older than one before it")]
    ClockBack {
        /// Its place.
        seq: u64,
    },
    /// A last line that is not whole.
    #[error("entry {seq} is cut off")]
    Torn {
        /// Its place.
        seq: u64,
    },
    /// A segment that does not begin where the one before it ends.
    #[error("a segment begins with entry {found} where entry {expected} should follow")]
    Gap {
        /// The next entry.
        expected: u64,
        /// The segment's first.
        found: u64,
    },
    /// Entries were removed, and no entry says so.
    #[error("entries below {found} were removed, and the log tells only of those below {told}")]
    Removed {
        /// Below which number they may be gone.
        told: u64,
        /// Below which number they are.
        found: u64,
    },
    /// A checkpoint that is none, or not signed by whom it should be.
    #[error("{place}: {fault}")]
    Note {
        /// Which.
        place: Place,
        /// Why.
        fault: NoteError,
    },
    /// A checkpoint of another log.
    #[error("{place} is of another log")]
    OtherLog {
        /// Which.
        place: Place,
    },
    /// Entries are missing at the end.
    #[error("{place} knows {told} entries; there are {found}")]
    Shortened {
        /// Who knows it.
        place: Place,
        /// Entries it knows.
        told: u64,
        /// Entries there are.
        found: u64,
    },
    /// Entries are others than those that were there.
    #[error("{place}: the first {size} entries are not those it was made of")]
    OtherRoot {
        /// Which.
        place: Place,
        /// Entries it was made of.
        size: u64,
    },
}

/// Going through a log from its beginning.
struct Walk<'a> {
    edge: Edge,
    prev: Hash,
    key: Option<crate::ratchet::Ratchet>,
    /// Roots at the sizes that somebody will ask for.
    roots: BTreeMap<u64, Hash>,
    wanted: &'a [(Place, Checkpoint)],
    removed: u64,
    /// Entries of which one below this number is gone, and below which they may be.
    removed_to: u64,
    announced_to: u64,
    last: Option<Timestamp>,
    jobs: BTreeMap<String, u64>,
    unbegun: Vec<(u64, String)>,
    problems: Vec<Problem>,
}

impl<'a> Walk<'a> {
    fn new(
        header: &Header,
        start: Option<&StartKey>,
        wanted: &'a [(Place, Checkpoint)],
    ) -> Walk<'a> {
        let mut walk = Walk {
            edge: Edge::default(),
            prev: header.hash(),
            key: start.map(StartKey::ratchet),
            roots: BTreeMap::new(),
            wanted,
            removed: 0,
            removed_to: 0,
            announced_to: 0,
            last: None,
            jobs: BTreeMap::new(),
            unbegun: Vec::new(),
            problems: Vec::new(),
        };
        walk.note_root();
        walk
    }

    fn lines(&mut self, segment: &[u8]) {
        for bytes in segment.split_inclusive(|byte| *byte == b'\n') {
            let Some(bytes) = bytes.strip_suffix(b"\n") else {
                self.problems.push(Problem::Torn { seq: self.edge.size });
                return;
            };
            self.line(bytes);
            self.next(Hash::leaf(bytes));
        }
    }

    fn line(&mut self, bytes: &[u8]) {
        let seq = self.edge.size;
        let parsed = std::str::from_utf8(bytes).ok().and_then(Line::parse);
        let Some((line, code)) = parsed else {
            self.problems.push(Problem::Unreadable { seq });
            return;
        };
        if line.seq != seq {
            self.problems.push(Problem::OutOfOrder { seq, told: line.seq });
        }
        if line.prev != self.prev.to_string() {
            self.problems.push(Problem::Unchained { seq });
        }
        if self.key.as_ref().is_some_and(|key| !key.accepts(&line.bytes(), &code)) {
            self.problems.push(Problem::WrongCode { seq });
        }
        let at = line.at();
        if self.last.is_some_and(|last| at.duration_until(last) > CLOCK_BACK_MAX) {
            self.problems.push(Problem::ClockBack { seq });
        }
        self.last = self.last.max(Some(at));
        if line.action == Action::LedgerExpire {
            let told = line.counts.get(BELOW).copied().unwrap_or(0);
            self.announced_to = self.announced_to.max(told);
        }
        match (line.job, line.phase) {
            (Some(job), Some(Phase::Begin)) => {
                // A job that begins again before it ended is a run that was resumed.
                self.jobs.entry(job).or_insert(seq);
            }
            // The beginning may be among the entries that were removed.
            (Some(job), Some(Phase::End))
                if self.jobs.remove(&job).is_none() && self.removed == 0 =>
            {
                self.unbegun.push((seq, job));
            }
            _ => {}
        }
    }

    fn removed(&mut self, leaf: Hash) {
        self.removed += 1;
        self.next(leaf);
    }

    fn next(&mut self, leaf: Hash) {
        self.edge.push(leaf);
        self.prev = leaf;
        if let Some(key) = &mut self.key {
            key.step();
        }
        self.note_root();
    }

    fn note_root(&mut self) {
        let size = self.edge.size;
        if self.wanted.iter().any(|(_, checkpoint)| checkpoint.size == size) {
            self.roots.insert(size, self.edge.root());
        }
    }
}
