//! The ring file, the local key file beside it, and how they are read and written.
//!
//! A ring is one JSON object. In clear: its id, when it was made, its public list of keys, and its
//! wraps (the data key, locked once for each way to open the ring). Sealed by AES-256-GCM under
//! the data key: for each key of the list, in its order, the five bytes of its id and its 32
//! secret bytes. A key of no tenant (`""`) is the one that those of the ledger come from. Everything in clear is associated data of the seal, so the list cannot be edited
//! without the data key; a wrap's own commitment covers the ring's identity and the wrap.

use crate::derive::{Secret, hex, unhex, unhex_into};
use crate::ring::{KeyInfo, KeyState};
use crate::token::CROCKFORD;
use crate::{KeyError, ring};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// The file as parsed. Fields in alphabetical order here and below: written compactly they are
/// the canonical form of RFC 8785.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RingFile {
    pub(crate) created: String,
    pub(crate) format: String,
    pub(crate) keyring_id: String,
    pub(crate) public: Vec<PublicKey>,
    pub(crate) sealed: Sealed,
    pub(crate) wraps: Vec<Wrap>,
}

/// One key of the public list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublicKey {
    created: String,
    epoch: u32,
    id: String,
    label: String,
    state: String,
    tenant: String,
}

/// Nonce and ciphertext with its tag, in hexadecimal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
    pub(crate) ciphertext: String,
    pub(crate) nonce: String,
}

/// The data key, locked in one way: by a passphrase where there is a `kdf`, else by the local key
/// file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wrap {
    pub(crate) commit: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kdf: Option<Kdf>,
    pub(crate) nonce: String,
    pub(crate) wrapped: String,
}

/// Argon2id (RFC 9106) parameters.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kdf {
    alg: String,
    pub(crate) m_kib: u32,
    pub(crate) p: u32,
    pub(crate) salt: String,
    pub(crate) t: u32,
    v: u32,
}

impl Kdf {
    /// The second recommended option of RFC 9106, section 4.
    pub(crate) fn usual(salt: &[u8; 16]) -> Kdf {
        Kdf { alg: "argon2id".into(), m_kib: M_KIB_MIN, p: 4, salt: hex(salt), t: T_MIN, v: 19 }
    }

    pub(crate) fn at_floor(&self) -> bool {
        self.m_kib == M_KIB_MIN && self.t == T_MIN
    }

    fn check(&self, path: &Path) -> Result<(), KeyError> {
        if self.alg != "argon2id" || self.v != 19 {
            return Err(malformed(path, "passphrases are hashed by `argon2id`, v 19 only"));
        }
        if unhex::<16>(self.salt.as_bytes()).is_none() {
            return Err(malformed(path, "the salt is not 16 bytes in lower-case hexadecimal"));
        }
        for (parameter, found, least, most) in [
            ("m_kib", self.m_kib, M_KIB_MIN, M_KIB_MAX),
            ("t", self.t, T_MIN, T_MAX),
            ("p", self.p, P_MIN, P_MAX),
        ] {
            if !(least..=most).contains(&found) {
                let path = path.to_owned();
                return Err(KeyError::KdfOutOfRange { path, parameter, found, least, most });
            }
        }
        Ok(())
    }
}

impl RingFile {
    /// Reads and checks all that can be checked without a key.
    pub(crate) fn read(path: &Path) -> Result<(RingFile, Vec<KeyInfo>), KeyError> {
        let bytes = match read_private(path, RING_BYTES_MAX, "keyring") {
            Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Err(KeyError::NoRing { path: path.to_owned() });
            }
            read => read?,
        };
        // The format alone first, so that a newer ring is not called damaged.
        #[derive(Deserialize)]
        struct Format {
            format: String,
        }
        let Format { format } = parse(&bytes, path)?;
        if !format.starts_with("allonym.keyring/") {
            return Err(malformed(path, "`format` is not that of a keyring"));
        }
        if format != FORMAT {
            return Err(KeyError::UnknownFormat { path: path.to_owned() });
        }
        let file: RingFile = parse(&bytes, path)?;
        let keys = file.check(path)?;
        Ok((file, keys))
    }

    pub(crate) fn identity<'a>(&'a self, path: &Path) -> Result<Identity<'a>, KeyError> {
        let salt = unhex::<16>(self.keyring_id.as_bytes());
        let salt = salt.ok_or_else(|| {
            malformed(path, "`keyring_id` is not 16 bytes in lower-case hexadecimal")
        })?;
        Ok(Identity { created: &self.created, keyring_id: &self.keyring_id, salt: *salt })
    }

    fn check(&self, path: &Path) -> Result<Vec<KeyInfo>, KeyError> {
        self.identity(path)?;
        if ring::day_number(&self.created).is_none() {
            return Err(malformed(path, "`created` is not an RFC 3339 time"));
        }
        if self.wraps.is_empty() || self.wraps.len() > WRAPS_MAX {
            return Err(malformed(path, "it has not 1 to 8 wraps"));
        }
        for wrap in &self.wraps {
            wrap.kdf.as_ref().map_or(Ok(()), |kdf| kdf.check(path))?;
        }
        let keys: Option<Vec<KeyInfo>> = self.public.iter().map(PublicKey::info).collect();
        let keys =
            keys.ok_or_else(|| malformed(path, "its public list has a key with a wrong field"))?;
        if !ring::is_orderly(&keys) {
            return Err(malformed(path, "its public list is out of order or ambiguous"));
        }
        Ok(keys)
    }
}

impl PublicKey {
    pub(crate) fn of(key: &KeyInfo) -> PublicKey {
        PublicKey {
            created: key.created.clone(),
            epoch: key.epoch,
            id: key.id.clone(),
            label: key.label.clone(),
            state: key.state.name().into(),
            tenant: key.tenant.clone(),
        }
    }

    fn info(&self) -> Option<KeyInfo> {
        let id_is_well_formed =
            self.id.len() == ring::KEY_ID && self.id.bytes().all(|c| CROCKFORD.contains(&c));
        let well_formed = id_is_well_formed
            && self.epoch > 0
            && ring::day_number(&self.created).is_some()
            && ring::check_label(&self.label).is_ok()
            && (self.tenant == ring::LEDGER_TENANT || ring::check_tenant(&self.tenant).is_ok());
        let state = [KeyState::Active, KeyState::VerifyOnly]
            .into_iter()
            .find(|state| state.name() == self.state)?;
        well_formed.then(|| KeyInfo {
            id: self.id.clone(),
            label: self.label.clone(),
            tenant: self.tenant.clone(),
            state,
            created: self.created.clone(),
            epoch: self.epoch,
        })
    }
}

/// What makes a ring this ring; part of everything that is authenticated.
pub(crate) struct Identity<'a> {
    pub(crate) created: &'a str,
    pub(crate) keyring_id: &'a str,
    pub(crate) salt: [u8; 16],
}

impl Identity<'_> {
    pub(crate) fn salt(&self) -> &[u8; 16] {
        &self.salt
    }

    /// Associated data of a wrap.
    pub(crate) fn wrap_header(&self, wrap: &Wrap) -> Vec<u8> {
        #[derive(Serialize)]
        struct Header<'a> {
            created: &'a str,
            format: &'a str,
            kdf: Option<&'a Kdf>,
            keyring_id: &'a str,
        }
        canonical(&Header {
            created: self.created,
            format: FORMAT,
            kdf: wrap.kdf.as_ref(),
            keyring_id: self.keyring_id,
        })
    }

    /// What a wrap commits to.
    pub(crate) fn commit_header(&self, wrap: &Wrap) -> Vec<u8> {
        #[derive(Serialize)]
        struct Header<'a> {
            created: &'a str,
            format: &'a str,
            kdf: Option<&'a Kdf>,
            keyring_id: &'a str,
            nonce: &'a str,
            wrapped: &'a str,
        }
        canonical(&Header {
            created: self.created,
            format: FORMAT,
            kdf: wrap.kdf.as_ref(),
            keyring_id: self.keyring_id,
            nonce: &wrap.nonce,
            wrapped: &wrap.wrapped,
        })
    }

    /// Associated data of the seal: all that stands in clear.
    pub(crate) fn seal_header(&self, public: &[PublicKey], wraps: &[Wrap]) -> Vec<u8> {
        #[derive(Serialize)]
        struct Header<'a> {
            created: &'a str,
            format: &'a str,
            keyring_id: &'a str,
            public: &'a [PublicKey],
            wraps: &'a [Wrap],
        }
        canonical(&Header {
            created: self.created,
            format: FORMAT,
            keyring_id: self.keyring_id,
            public,
            wraps,
        })
    }
}

fn canonical(header: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(header).expect("strings, numbers and lists can be written as JSON")
}

/// The parser's own messages quote what they found; only the place is kept.
fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8], path: &Path) -> Result<T, KeyError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let reason = match error.classify() {
            serde_json::error::Category::Data => "a field is missing, unknown or of another type",
            _ => "it is not JSON",
        };
        malformed(path, &format!("{reason}, at line {}, column {}", error.line(), error.column()))
    })
}

pub(crate) fn malformed(path: &Path, reason: &str) -> KeyError {
    KeyError::Malformed { path: path.to_owned(), what: "keyring", reason: reason.into() }
}

/// Reads a local key file: the prefix, a space and 32 bytes in hexadecimal, on one line.
pub(crate) fn read_local_key(path: &Path) -> Result<Secret, KeyError> {
    let bytes = match read_private(path, LOCAL_KEY_BYTES_MAX, "local key file") {
        Err(KeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(KeyError::NoLocalKey { path: path.to_owned() });
        }
        read => read?,
    };
    let mut key = Secret::zero();
    let digits = bytes.strip_prefix(LOCAL_KEY_PREFIX.as_bytes()).map(|rest| {
        let rest = rest.strip_suffix(b"\n").unwrap_or(rest);
        rest.strip_suffix(b"\r").unwrap_or(rest)
    });
    match digits {
        Some(digits) if unhex_into(digits, key.bytes_mut()) => Ok(key),
        _ => Err(KeyError::Malformed {
            path: path.to_owned(),
            what: "local key file",
            reason: format!("expected `{LOCAL_KEY_PREFIX}` and 64 hexadecimal digits"),
        }),
    }
}

/// Writes a local key file where none is.
pub(crate) fn write_local_key(path: &Path, key: &Secret) -> Result<(), KeyError> {
    let mut text = Zeroizing::new(String::with_capacity(LOCAL_KEY_PREFIX.len() + 65));
    text.push_str(LOCAL_KEY_PREFIX);
    text.push_str(&Zeroizing::new(hex(key.bytes())));
    text.push('\n');
    let mut file = match create_private(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(KeyError::Exists { path: path.to_owned() });
        }
        created => created.map_err(io_error("create", path))?,
    };
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // Half a key must not stand in the way of the next try.
        let _ = fs::remove_file(path);
        io_error("write", path)(error)
    })
}

/// Writes the whole ring beside its place, then moves it there in one step.
pub(crate) fn write_ring(path: &Path, ring: &RingFile, replace: Replace) -> Result<(), KeyError> {
    let mut bytes =
        serde_json::to_vec_pretty(ring).expect("strings, numbers and lists can be written as JSON");
    bytes.push(b'\n');
    let mut suffix = [0; 8];
    getrandom::fill(&mut suffix).map_err(|_| KeyError::NoRandomness)?;
    let aside = with_suffix(path, &format!(".{}.tmp", hex(&suffix)));
    let written = create_private(&aside)
        .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()))
        .map_err(io_error("write", &aside))
        .and_then(|()| publish(&aside, path, replace));
    if written.is_err() {
        let _ = fs::remove_file(&aside);
    }
    written?;
    let durable = sync_folder(path);
    if durable.is_err() && replace == Replace::Never {
        // Its maker takes back the key file too: no ring may stay that nothing opens.
        let _ = fs::remove_file(path);
    }
    durable
}

/// Whether a ring that is there already gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replace {
    Never,
    Yes,
}

fn publish(aside: &Path, path: &Path, replace: Replace) -> Result<(), KeyError> {
    if replace == Replace::Never {
        // A link is made only where nothing is, even by processes that know no lock. Where the
        // file system has no links, the lock and this look have to do.
        match fs::hard_link(aside, path) {
            Ok(()) => return fs::remove_file(aside).map_err(io_error("remove", aside)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists || is_there(path) => {
                return Err(KeyError::Exists { path: path.to_owned() });
            }
            Err(_) => {}
        }
    }
    fs::rename(aside, path).map_err(io_error("write", path))
}

/// Whether anything, be it a dangling link, stands at `path`.
pub(crate) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Makes the folder of a new ring, closed to others, where it is missing.
pub(crate) fn make_folder(path: &Path) -> Result<(), KeyError> {
    let folder = folder_of(path);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(io_error("create", folder))
}

/// Holds the ring's advisory lock (`<ring>.lock`) until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits up to five seconds: writing a ring takes less than one.
    pub(crate) fn take(ring: &Path) -> Result<Lock, KeyError> {
        let path = with_suffix(ring, ".lock");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        private(&mut options);
        let file = options.open(&path).map_err(io_error("create", &path))?;
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Lock { _file: file }),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
                // The lock is advice; on a file system without locks there is none to take.
                Err(TryLockError::Error(e)) if e.kind() == io::ErrorKind::Unsupported => {
                    return Ok(Lock { _file: file });
                }
                Err(TryLockError::Error(error)) => return Err(io_error("lock", &path)(error)),
            }
        }
        Err(KeyError::Busy { path: ring.to_owned() })
    }
}

/// Reads a file that must be its owner's alone; wiped on drop.
fn read_private(
    path: &Path,
    most: u64,
    what: &'static str,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let not_a_file = |reason: String| KeyError::Malformed { path: path.to_owned(), what, reason };
    // Looked at before it is opened: opening a pipe would wait for a writer.
    if !fs::metadata(path).map_err(io_error("read", path))?.is_file() {
        return Err(not_a_file("expected a regular file".into()));
    }
    let mut file = File::open(path).map_err(io_error("read", path))?;
    let metadata = file.metadata().map_err(io_error("read", path))?;
    refuse_open_to_others(path, &metadata)?;
    if metadata.len() > most {
        return Err(not_a_file(format!("expected at most {most} bytes")));
    }
    let room = usize::try_from(metadata.len()).expect("a ring's limit fits any address space");
    // Room for all at once: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(room + 1));
    Read::by_ref(&mut file).take(most).read_to_end(&mut bytes).map_err(io_error("read", path))?;
    Ok(bytes)
}

#[cfg(unix)]
fn refuse_open_to_others(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyError> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::OpenToOthers { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_open_to_others(_: &Path, _: &fs::Metadata) -> Result<(), KeyError> {
    Ok(())
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    options.open(path)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

#[cfg(not(unix))]
fn private(_: &mut OpenOptions) {}

/// The new name in its folder is durable only when the folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> Result<(), KeyError> {
    let folder = folder_of(path);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error("write", folder))
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> Result<(), KeyError> {
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

pub(crate) fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    move |source| KeyError::Io { action, path: path.to_owned(), source }
}

pub(crate) const FORMAT: &str = "allonym.keyring/1";
pub(crate) const WRAPS_MAX: usize = 8;
const LOCAL_KEY_PREFIX: &str = "ALLONYM-LOCAL-KEY-1 ";

const RING_BYTES_MAX: u64 = 16 << 20;
const LOCAL_KEY_BYTES_MAX: u64 = 256;

/// No ring was ever written with less than RFC 9106's second recommended option.
const M_KIB_MIN: u32 = 64 << 10;
const T_MIN: u32 = 3;
const P_MIN: u32 = 4;
/// A planted ring must not stop the machine: 4 GiB, and minutes at most.
const M_KIB_MAX: u32 = 4 << 20;
const T_MAX: u32 = 64;
const P_MAX: u32 = 64;

const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: Duration = Duration::from_millis(100);
