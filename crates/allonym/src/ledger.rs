//! The ledger of a run: what is done is written down before and after, and what is made is signed.
//!
//! A ledger belongs to a keyring: its secret gives the key that signs and the key that the codes
//! of entries start from. It stands beside the ring, in `RING.ledger`, unless a place is named. A
//! run without a keyring, or with one that cannot be written, goes unrecorded and says so
//! ([`AuditLog::why_absent`]), but for a place that was asked for.

use crate::keys::{Environment, ring_place, unlock_for};
use crate::{Failure, KeyInfo, Keyring, Result};
use allonym_core::KeyReference;
use allonym_keys::{LedgerUsage, canonical_json};
use allonym_ledger::{Hash, Ledger, LedgerError, Signer, StartKey, Trust, Verifier};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub use allonym_ledger::{
    Action, Entry, Included, Phase, Place as AnchorPlace, Problem, ReasonCode, Sealed, Verdict,
    Verification,
};

/// Who writes to which ledger, and by what clock.
#[derive(Clone, Copy)]
pub struct Scribe<'a> {
    /// [`asked_place`]; beside the keyring when left out.
    pub place: Option<&'a Path>,
    /// A user or service of the operating system.
    pub actor: &'a str,
    /// The clock of the machine, RFC 3339. No flag turns it back.
    pub clock: &'a (dyn Fn() -> String + Sync),
}

impl fmt::Debug for Scribe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scribe").field("place", &self.place).finish_non_exhaustive()
    }
}

/// An open ledger with the key that signs, or the reason why there is none.
pub struct AuditLog<'a> {
    scribe: Scribe<'a>,
    open: std::result::Result<Open, String>,
}

struct Open {
    ledger: Ledger,
    signer: Signer,
}

impl<'a> AuditLog<'a> {
    /// The ledger of a ring, made where there is none.
    ///
    /// # Errors
    /// A ledger that is there and cannot be read; one that cannot be made in a place that was
    /// asked for.
    pub fn open(
        ring: &mut Keyring,
        environment: &Environment,
        scribe: Scribe<'a>,
    ) -> Result<AuditLog<'a>> {
        if ring.ledger_key(LedgerUsage::Sign, SIGNER)?.is_none() {
            let unlock = unlock_for(ring.path(), environment)?;
            match ring.add_ledger_secret(&unlock, &(scribe.clock)()) {
                Err(error) if scribe.place.is_none() => {
                    return Ok(AuditLog::absent(scribe, &format!("{error}")));
                }
                added => added?,
            }
        }
        AuditLog::signing(ring, scribe)
    }

    /// As [`AuditLog::open`], for a ring that others share: one that never signed is opened once more
    /// to get its secret.
    ///
    /// # Errors
    /// As [`AuditLog::of_reference`].
    pub fn of_ring(
        ring: &Keyring,
        environment: &Environment,
        scribe: Scribe<'a>,
    ) -> Result<AuditLog<'a>> {
        if ring.ledger_key(LedgerUsage::Sign, SIGNER)?.is_some() {
            return AuditLog::signing(ring, scribe);
        }
        AuditLog::of_place(ring.path(), environment, scribe)
    }

    /// The ledger of a ring that has a secret for it.
    fn signing(ring: &Keyring, scribe: Scribe<'a>) -> Result<AuditLog<'a>> {
        let Some(signer) = signer_of(ring)? else {
            return Ok(AuditLog::absent(scribe, "the keyring has no key for the ledger"));
        };
        let place = ledger_place(scribe.place, ring.path());
        match open_or_create(&place, ring, &(scribe.clock)()) {
            Ok(ledger) => Ok(AuditLog { scribe, open: Ok(Open { ledger, signer }) }),
            Err(LedgerError::Io { path, source, .. })
                if scribe.place.is_none() && is_closed(source.kind()) =>
            {
                let why = format!("`{}`: {}", path.display(), source.kind());
                Ok(AuditLog::absent(scribe, &why))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The ledger of the keyring that flag, environment or default name, where a run needs no keys
    /// for its tokens. A ring that is not there or does not open leaves the run unrecorded.
    ///
    /// # Errors
    /// As [`AuditLog::open`]; with a place that was asked for also those of the keyring.
    pub fn of_reference(
        keys: Option<&str>,
        policy: Option<(&KeyReference, &Path)>,
        environment: &Environment,
        scribe: Scribe<'a>,
    ) -> Result<AuditLog<'a>> {
        match ring_place(keys, policy, environment) {
            Ok(place) => AuditLog::of_place(&place.path, environment, scribe),
            Err(failure) if scribe.place.is_some() => Err(failure),
            Err(failure) => Ok(AuditLog::absent(scribe, &failure.message)),
        }
    }

    fn of_place(
        path: &Path,
        environment: &Environment,
        scribe: Scribe<'a>,
    ) -> Result<AuditLog<'a>> {
        let ring =
            unlock_for(path, environment).and_then(|unlock| Ok(Keyring::open(path, &unlock)?));
        match ring {
            Ok(mut ring) => AuditLog::open(&mut ring, environment, scribe),
            Err(failure) if scribe.place.is_some() => Err(failure),
            Err(failure) => Ok(AuditLog::absent(scribe, &failure.message)),
        }
    }

    /// No ledger: nothing is written down and nothing signed.
    #[must_use]
    pub fn absent(scribe: Scribe<'a>, why: &str) -> AuditLog<'a> {
        AuditLog { scribe, open: Err(why.to_owned()) }
    }

    /// Why nothing is written down; `None` when it is.
    #[must_use]
    pub fn why_absent(&self) -> Option<&str> {
        self.open.as_ref().err().map(String::as_str)
    }

    /// An entry of this writer that says what is done, and nothing else yet.
    #[must_use]
    pub fn entry(&self, action: Action) -> Entry {
        Entry::new(action, &name_of(self.scribe.actor), TOOL)
    }

    /// Writes down that a job begins. When this returns it is on the disk: what it tells of may be
    /// done then, not before.
    ///
    /// `work` is what makes it this job: one that was killed and is run again has the same, so that
    /// its end belongs to both beginnings.
    ///
    /// # Errors
    /// A clock that was turned back, a log that others changed, a lock that another process keeps.
    pub fn begin(&self, mut entry: Entry, work: &[&str]) -> Result<OpenJob<'_>> {
        let mut hash = Sha256::new();
        for part in work {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let digest = Hash(hash.finalize().into()).to_string();
        let id: String = digest.chars().take(JOB_CHARS).collect();
        entry.job = Some((id, Phase::Begin));
        let begun = self.append(&entry)?;
        Ok(OpenJob { log: self, entry, begun, ended: None })
    }

    /// Writes down one thing that is done at once, and signs a checkpoint.
    ///
    /// # Errors
    /// As [`AuditLog::begin`].
    pub fn note(&self, entry: &Entry) -> Result<Option<Recorded>> {
        let seq = self.append(entry)?;
        self.recorded(seq)
    }

    /// Signs a JSON document of a kind: its canonical form (RFC 8785) without the member
    /// `signature`. `None` without a ledger.
    ///
    /// # Errors
    /// A document with an integer that JSON readers do not keep.
    pub fn sign(&self, kind: &str, document: &Value) -> Result<Option<Signature>> {
        let Ok(open) = &self.open else { return Ok(None) };
        let bytes = signed_bytes(document)?;
        let value = open.signer.sign_document(kind, &bytes);
        Ok(Some(Signature { key: open.signer.verifier().to_string(), value }))
    }

    /// The proof that an entry is in the log as it is now. `None` without a ledger.
    ///
    /// # Errors
    /// As [`AuditLog::begin`].
    pub fn prove(&self, seq: u64) -> Result<Option<Included>> {
        match &self.open {
            Ok(open) => Ok(open.ledger.prove(seq)?),
            Err(_) => Ok(None),
        }
    }

    fn append(&self, entry: &Entry) -> Result<Option<u64>> {
        match &self.open {
            Ok(open) => Ok(Some(open.ledger.append(entry, instant(&(self.scribe.clock)())?)?)),
            Err(_) => Ok(None),
        }
    }

    fn recorded(&self, seq: Option<u64>) -> Result<Option<Recorded>> {
        let (Ok(open), Some(entry)) = (&self.open, seq) else { return Ok(None) };
        let checkpoint = open.ledger.checkpoint(&open.signer)?;
        Ok(Some(Recorded { origin: open.ledger.origin().to_owned(), entry, checkpoint }))
    }
}

impl fmt::Debug for AuditLog<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditLog").field("absent", &self.why_absent()).finish_non_exhaustive()
    }
}

/// A job that began.
#[derive(Debug)]
#[must_use = "a job that began ends, well or badly"]
pub struct OpenJob<'a> {
    log: &'a AuditLog<'a>,
    entry: Entry,
    begun: Option<u64>,
    ended: Option<u64>,
}

impl OpenJob<'_> {
    /// Writes down that it is done, with what `tell` adds: counts, digests of what was read and
    /// written. To be called before the output becomes visible. `None` without a ledger.
    ///
    /// # Errors
    /// As [`AuditLog::begin`].
    pub fn end(&mut self, tell: impl FnOnce(&mut Entry)) -> Result<Option<Recorded>> {
        let mut entry = self.entry.clone();
        entry.job = entry.job.map(|(id, _)| (id, Phase::End));
        tell(&mut entry);
        self.ended = self.log.append(&entry)?;
        self.log.recorded(self.ended)
    }

    /// Writes down that it came to nothing, with the exit code as the count `exit`.
    ///
    /// # Errors
    /// As [`AuditLog::begin`].
    pub fn fail(mut self, failure: &Failure) -> Result<()> {
        if self.ended.is_some() {
            // What was said to be done did not become visible.
            self.begun = self.log.append(&self.entry)?;
        }
        self.end(|entry| {
            entry.counts.insert("exit".to_owned(), u64::from(failure.exit));
        })?;
        Ok(())
    }

    /// The number of the entry that begins it.
    #[must_use]
    pub fn begun(&self) -> Option<u64> {
        self.begun
    }
}

/// Where something is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Name of the log.
    pub origin: String,
    /// Number of the entry.
    pub entry: u64,
    /// Signed checkpoint of a log that has the entry: to be kept where no writer has access.
    pub checkpoint: String,
}

/// Who signed a document, and the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// The key, as checkpoints write it: name, id and Ed25519 key.
    pub key: String,
    /// The signature in base 64.
    pub value: String,
}

/// Whether a signature is that of a document, by the key that it names itself. Whose key that is,
/// is another question: compare [`Signature::key`] with one that is known ([`signing_key`]).
#[must_use]
pub fn is_signed(kind: &str, document: &Value, signature: &Signature) -> bool {
    let Ok(verifier) = Verifier::parse(&signature.key) else { return false };
    let Ok(bytes) = signed_bytes(document) else { return false };
    verifier.check_document(kind, &bytes, &signature.value).is_ok()
}

/// The public key that a ring signs with; `None` when it has not signed anything yet.
///
/// # Errors
/// None that a ring which opened gives.
pub fn signing_key(ring: &Keyring) -> Result<Option<String>> {
    Ok(signer_of(ring)?.map(|signer| signer.verifier().to_string()))
}

/// Writes down that a key was made; gives why not, where there is no ledger.
///
/// # Errors
/// As [`AuditLog::open`] and [`AuditLog::begin`].
pub fn note_new_key(
    ring: &mut Keyring,
    key: &KeyInfo,
    environment: &Environment,
    scribe: Scribe<'_>,
) -> Result<Option<String>> {
    let log = AuditLog::open(ring, environment, scribe)?;
    let mut entry = log.entry(if key.epoch == 1 { Action::KeyNew } else { Action::KeyRotate });
    entry.tenant = Some(name_of(&key.tenant));
    entry.key_ids.push(key.id.clone());
    entry.counts.insert("epoch".to_owned(), u64::from(key.epoch));
    log.note(&entry)?;
    Ok(log.why_absent().map(str::to_owned))
}

/// The place of a ledger that was asked for: by a flag, by `ALLONYM_LEDGER`, or by a policy, in this
/// order.
#[must_use]
pub fn asked_place(
    flag: Option<&Path>,
    policy: Option<(&KeyReference, &Path)>,
    environment: &Environment,
) -> Option<PathBuf> {
    let named = || environment.variable("ALLONYM_LEDGER").map(PathBuf::from);
    let written = || policy.and_then(|(keys, folder)| Some(folder.join(keys.ledger.as_ref()?)));
    flag.map(Path::to_owned).or_else(named).or_else(written)
}

/// Where the ledger of a ring is.
#[must_use]
pub fn ledger_place(asked: Option<&Path>, ring: &Path) -> PathBuf {
    match asked {
        Some(place) => place.to_owned(),
        None => {
            let mut place = ring.as_os_str().to_owned();
            place.push(".ledger");
            place.into()
        }
    }
}

/// Checks a whole ledger. `key` is the public key that signs its checkpoints, as
/// [`signing_key`] gives it; without one the ring's. Codes of entries are checked where there is a
/// ring.
///
/// # Errors
/// No ledger there, none that can be read, no key to check signatures with, a key that is none.
pub fn verify_ledger(
    folder: &Path,
    ring: Option<&Keyring>,
    key: Option<&str>,
    anchors: &[&str],
) -> Result<Verification> {
    let own = ring.map(signing_key).transpose()?.flatten();
    let Some(key) = key.or(own.as_deref()) else {
        return Err(Failure::new("ALO-A003", 4, "no key is known that signs the checkpoints")
            .hint("name it, NAME+ID+KEY, with --signer, or open its keyring"));
    };
    let verifier = Verifier::parse(key)
        .map_err(|error| Failure::new("ALO-A004", 2, format!("--signer: {error}")))?;
    let origin = Ledger::open(folder)?.origin().to_owned();
    let start = match ring {
        Some(ring) => ring.ledger_key(LedgerUsage::Start, &origin)?.map(StartKey::new),
        None => None,
    };
    Ok(allonym_ledger::verify(folder, &Trust { verifier, start: start.as_ref() }, anchors)?)
}

/// A signed checkpoint of the ledger as it is now.
///
/// # Errors
/// No ledger there, none that can be written, a ring that never signed.
pub fn checkpoint(folder: &Path, ring: &Keyring) -> Result<String> {
    let signer = signer_of(ring)?.ok_or_else(|| {
        Failure::new("ALO-A003", 4, "the keyring has no key for the ledger: nothing was recorded")
    })?;
    Ok(Ledger::open(folder)?.checkpoint(&signer)?)
}

/// Removes the entries of complete segments that are older than a time, where `apply` says so, and signs a
/// checkpoint; their hashes, their number and all proofs stay. Gives what went or would go; `None` where
/// nothing is old enough.
///
/// # Errors
/// A time less than six months ago (AI Act, Articles 19 and 26: logs are kept for at least that long); no
/// ledger there, none that can be written, a ring that never signed.
pub fn expire_entries(
    folder: &Path,
    ring: &Keyring,
    before: Timestamp,
    apply: bool,
    scribe: Scribe<'_>,
) -> Result<Option<Sealed>> {
    let now = instant(&(scribe.clock)())?;
    let latest = now.to_zoned(jiff::tz::TimeZone::UTC).checked_sub(jiff::Span::new().months(6));
    if latest.is_ok_and(|latest| before > latest.timestamp()) {
        let message = "entries of the ledger are kept for at least six months";
        return Err(Failure::new("ALO-A009", 2, message).hint("name an earlier day"));
    }
    let ledger = Ledger::open(folder)?;
    let Some(sealed) = ledger.sealed_before(before)? else { return Ok(None) };
    if apply {
        ledger.expire_below(sealed.below, &name_of(scribe.actor), TOOL, now)?;
        checkpoint(folder, ring)?;
    }
    Ok(Some(sealed))
}

/// The latest entry that names a digest (64 hexadecimal digits) among its outputs.
///
/// # Errors
/// No ledger there, or none that can be read.
pub fn find_output(folder: &Path, sha256: &str) -> Result<Option<Included>> {
    match Hash::parse(sha256) {
        Some(digest) => Ok(Ledger::open(folder)?.find_output(digest)?),
        None => Ok(None),
    }
}

/// SHA-256 of bytes, as entries hold it.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// Digests for an entry. Where there are more than an entry should hold, the root of the tree over
/// them stands for all; the receipt lists each.
#[must_use]
pub fn digests<'d>(hex: impl IntoIterator<Item = &'d str>) -> Vec<Hash> {
    let digests: Vec<Hash> = hex.into_iter().filter_map(Hash::parse).collect();
    if digests.len() > DIGESTS_MAX { vec![allonym_ledger::root(&digests)] } else { digests }
}

/// A name for an entry: itself where the narrow alphabet of entries has it, else its digest.
#[must_use]
pub fn name_of(name: &str) -> String {
    let letter = |c: char| c.is_ascii_alphanumeric() || " ._:/+-".contains(c);
    if (1..=NAME_CHARS_MAX).contains(&name.len()) && name.chars().all(letter) {
        return name.to_owned();
    }
    let digest = digest_of(name.as_bytes()).to_string();
    format!("sha256:{}", digest.chars().take(JOB_CHARS).collect::<String>())
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Failure {
        let (code, exit, hint) = match &error {
            LedgerError::NoLedger { .. } => {
                ("ALO-A001", 3, Some("name the ledger's folder with --ledger"))
            }
            LedgerError::ClockBack { .. } => {
                ("ALO-A005", 6, Some("set the clock right; the log has its own order of time"))
            }
            LedgerError::Busy { .. } => ("ALO-A006", 75, None),
            LedgerError::Io { source, .. } if !is_closed(source.kind()) => {
                ("ALO-S001", 75, Some("free space or restore the storage, then run again"))
            }
            LedgerError::Io { .. } => ("ALO-A007", 4, None),
            LedgerError::Changed { .. } | LedgerError::Malformed { .. } => {
                ("ALO-A002", 6, Some("keep it as it is, and run: allonym audit verify"))
            }
            _ => ("ALO-A008", 2, None),
        };
        let message = match &error {
            LedgerError::Io { source, .. } => format!("{error}: {}", source.kind()),
            _ => error.to_string(),
        };
        let failure = Failure::new(code, exit, message);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

fn signer_of(ring: &Keyring) -> Result<Option<Signer>> {
    let Some(seed) = ring.ledger_key(LedgerUsage::Sign, SIGNER)? else { return Ok(None) };
    let signer = Signer::new(&format!("allonym/{}", ring.id()), &seed);
    Ok(Some(signer.expect("a ring's id is in hexadecimal")))
}

/// A ledger appears whole: it is made aside and renamed, so that of two processes that make it at
/// once one wins, and a killed one leaves none that is half made.
fn open_or_create(
    place: &Path,
    ring: &Keyring,
    now: &str,
) -> std::result::Result<Ledger, LedgerError> {
    match Ledger::open(place) {
        Err(LedgerError::NoLedger { .. }) => {}
        opened => return opened,
    }
    // No other ledger has this name: not of another ring, nor of this one elsewhere or later.
    let named = format!("{} {} {now}", ring.id(), place.display());
    let tail: String = digest_of(named.as_bytes()).to_string().chars().take(JOB_CHARS).collect();
    let origin = format!("allonym/{}/{tail}", ring.id());
    let start = ring.ledger_key(LedgerUsage::Start, &origin).ok().flatten().map(StartKey::new);
    let start = start.expect("a ring that signs has a secret for the ledger");
    let mut aside = place.as_os_str().to_owned();
    aside.push(format!(".new-{}", std::process::id()));
    let aside = PathBuf::from(aside);
    // What a killed process of the same number left.
    drop(fs::remove_dir_all(&aside));
    Ledger::create(&aside, &origin, &start)?;
    // Closed to others, as the ring is.
    #[cfg(unix)]
    drop(fs::set_permissions(&aside, std::os::unix::fs::PermissionsExt::from_mode(0o700)));
    let renamed = fs::rename(&aside, place);
    if renamed.is_err() {
        drop(fs::remove_dir_all(&aside));
    }
    match (renamed, Ledger::open(place)) {
        (Err(source), Err(LedgerError::NoLedger { .. })) => {
            Err(LedgerError::Io { doing: "make", path: place.to_owned(), source })
        }
        (_, opened) => opened,
    }
}

/// What is signed of a document.
fn signed_bytes(document: &Value) -> Result<Vec<u8>> {
    let mut document = document.clone();
    if let Some(members) = document.as_object_mut() {
        members.remove("signature");
    }
    if !keeps_integers(&document) {
        return Err(Failure::new("ALO-X005", 5, "a count is too large to be signed"));
    }
    Ok(canonical_json(&document).into_bytes())
}

/// Canonical JSON has doubles for numbers.
fn keeps_integers(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_u64().is_none_or(|n| n <= COUNT_MAX),
        Value::Array(items) => items.iter().all(keeps_integers),
        Value::Object(members) => members.values().all(keeps_integers),
        _ => true,
    }
}

fn instant(now: &str) -> Result<Timestamp> {
    now.parse().map_err(|_| Failure::new("ALO-U005", 2, "the clock gives no RFC 3339 time"))
}

/// Trouble that will not pass: nobody may write there.
fn is_closed(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotADirectory
            | ErrorKind::Unsupported
            | ErrorKind::InvalidInput
    )
}

const TOOL: &str = concat!("allonym ", env!("CARGO_PKG_VERSION"));
/// The seed that signs is the same in all logs of a ring: receipts are of none.
const SIGNER: &str = "";
const JOB_CHARS: usize = 16;
const NAME_CHARS_MAX: usize = 128;
const DIGESTS_MAX: usize = 1_000;
const COUNT_MAX: u64 = 1 << 53;
