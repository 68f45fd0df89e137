//! An append-only log that nobody can quietly rewrite.
//!
//! Every entry is one line of canonical JSON (RFC 8785) that names the hash of the line before it
//! and carries a message authentication code under a key that is replaced, and wiped, after every
//! entry. The hashes of the lines are the leaves of a Merkle tree (RFC 6962); its size and root,
//! signed, are a [`Checkpoint`] that can be kept where the writer has no access.
//!
//! ```
//! use allonym_ledger::{Action, Entry, Ledger, Signer, StartKey, Trust, Verdict, verify};
//! use zeroize::Zeroizing;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let place = folder.path().join("ledger");
//! let start = StartKey::new(Zeroizing::new([7; 32]));
//! let signer = Signer::new("ledger.example", &Zeroizing::new([9; 32]))?;
//! let ledger = Ledger::create(&place, "allonym.example/claims", &start)?;
//! let mut entry = Entry::new(Action::Apply, "nightly", "allonym 0.1.0");
//! entry.counts.insert("rows".to_owned(), 1_204_318);
//! ledger.append(&entry, "2026-11-21T02:14:09Z".parse()?)?;
//! let kept_elsewhere = ledger.checkpoint(&signer)?;
//!
//! let trust = Trust { verifier: signer.verifier(), start: Some(&start) };
//! let found = verify(&place, &trust, &[&kept_elsewhere])?;
//! assert_eq!(found.verdict(), Verdict::Whole);
//! assert_eq!(verify(&place, &trust, &[])?.verdict(), Verdict::Unanchored);
//! # Ok(())
//! # }
//! ```
//!
//! # What it does not protect against
//!
//! Chain, codes and the checkpoints that lie beside the log show changes to what is still there.
//! They do not show that the end was cut off, or that everything was replaced by somebody who has
//! the keys: only a checkpoint from outside the writer's reach does, and [`Verdict::Unanchored`]
//! says that there was none. Entries after the latest such checkpoint are as good as the writer.
//! That something was never written down, no log can tell; a job that began and did not end is
//! reported.
//!
//! # Limits
//!
//! Entries of 1 MiB, names of 128 characters, 10,000 digests and 1,000 counts in an entry. One
//! writer at a time: others wait for a lock. Advisory locks do not reach across some network file
//! systems; there each worker keeps a ledger of its own.

mod entry;
mod log;
mod note;
mod ratchet;
mod tree;
mod verify;

pub use entry::{Action, Entry, EntryError, Phase, ReasonCode};
pub use log::{Included, Ledger, LedgerError, Sealed};
pub use note::{Checkpoint, NoteError, Signer, Verifier};
pub use ratchet::StartKey;
pub use tree::{Hash, consistency_proof, inclusion_proof, is_consistent, is_included, root};
pub use verify::{Place, Problem, Trust, Verdict, Verification, verify};
