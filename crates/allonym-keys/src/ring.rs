//! The keyring: which keys there are, and the file that holds them.

use crate::derive::{self, Secret, hex, unhex, unhex_into};
use crate::file::{self, Identity, Lock, PublicKey, Replace, RingFile, Sealed, Wrap};
use crate::kek::{Kek, NONCE};
use crate::token::CROCKFORD;
use crate::{KeyError, Profile, Tokenizer, Unlock};
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// An opened keyring. Not `Clone`, not serializable; `Debug` shows ids.
pub struct Keyring {
    path: PathBuf,
    id: String,
    salt: [u8; 16],
    created: String,
    keys: Vec<KeyInfo>,
    /// INVARIANT: one for each of `keys`, in the same order.
    secrets: Vec<Secret>,
    /// What the keys of the ledger come from; a key of no tenant in the file.
    ledger: Option<(KeyInfo, Secret)>,
    wraps: Vec<Wrap>,
}

impl Keyring {
    /// Creates a ring with one active key, mode 0600, atomically; refuses to overwrite.
    ///
    /// A missing folder is made, closed to others. With [`Unlock::LocalFile`] the key file is made
    /// too, beside the ring. `created` is RFC 3339, as given by the caller: this crate reads no
    /// clock.
    ///
    /// # Errors
    /// [`KeyError::Exists`] where a ring or its key file is already, [`KeyError::BadName`] and
    /// [`KeyError::BadTime`] for what cannot stand in a ring, [`KeyError::EmptyPassphrase`], and
    /// what the file system says.
    pub fn create(
        path: &Path,
        unlock: &Unlock,
        label: &str,
        tenant: &str,
        created: &str,
    ) -> Result<Keyring, KeyError> {
        check_label(label)?;
        check_tenant(tenant)?;
        check_time(created)?;
        let key_path = Keyring::local_key_path(path);
        let local = matches!(unlock, Unlock::LocalFile);
        let in_the_way = [path, &key_path].into_iter().take(if local { 2 } else { 1 });
        if let Some(path) = in_the_way.into_iter().find(|path| file::is_there(path)) {
            return Err(KeyError::Exists { path: path.to_owned() });
        }

        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|_| KeyError::NoRandomness)?;
        let mut ring = Keyring {
            path: path.to_owned(),
            id: hex(&salt),
            salt,
            created: created.to_owned(),
            keys: Vec::new(),
            secrets: Vec::new(),
            ledger: None,
            wraps: Vec::new(),
        };
        ring.add(label, tenant, created)?;
        let data_key = Secret::random()?;
        let local_key = Secret::random()?;
        ring.wraps = vec![Kek::lock(unlock, &local_key, &ring.identity(), &data_key)?];

        file::make_folder(path)?;
        let _lock = Lock::take(path)?;
        if local {
            file::write_local_key(&key_path, &local_key)?;
        }
        let written = ring.write(path, &data_key, Replace::Never);
        if written.is_err() && local {
            let _ = fs::remove_file(&key_path);
        }
        written?;
        Ok(ring)
    }

    /// Opens a ring.
    ///
    /// # Errors
    /// [`KeyError::NoRing`], [`KeyError::WrongPassphrase`] or [`KeyError::WrongLocalKey`],
    /// [`KeyError::OtherLock`] when the ring is locked in another way,
    /// [`KeyError::OpenToOthers`] when its mode lets others in, and all that a damaged or
    /// downgraded file can be.
    pub fn open(path: &Path, unlock: &Unlock) -> Result<Keyring, KeyError> {
        Keyring::open_with_data_key(path, unlock).map(|(ring, _)| ring)
    }

    /// Adds an active key for `tenant` (the one before becomes verify-only) and rewrites the file.
    ///
    /// What other processes added since the ring was opened is kept.
    ///
    /// # Errors
    /// As [`Keyring::open`]; [`KeyError::LabelTaken`] when the tenant has a key of that label or
    /// id; [`KeyError::Busy`] when another process keeps writing.
    pub fn add_key(
        &mut self,
        unlock: &Unlock,
        label: &str,
        tenant: &str,
        created: &str,
    ) -> Result<KeyInfo, KeyError> {
        check_label(label)?;
        check_tenant(tenant)?;
        check_time(created)?;
        let place = self.place()?;
        let _lock = Lock::take(&place)?;
        let (mut fresh, data_key) = self.reopen(unlock)?;
        let added = fresh.add(label, tenant, created)?;
        fresh.write(&place, &data_key, Replace::Yes)?;
        *self = fresh;
        Ok(added)
    }

    /// Draws the secret that the keys of the ledger come from and rewrites the file; nothing is
    /// done where there is one. It outlives all epochs: what was signed can be checked after the
    /// keys that made the tokens are gone.
    ///
    /// # Errors
    /// As [`Keyring::open`], and what the file system says where the ring cannot be written.
    pub fn add_ledger_secret(&mut self, unlock: &Unlock, created: &str) -> Result<(), KeyError> {
        check_time(created)?;
        if self.ledger.is_some() {
            return Ok(());
        }
        let place = self.place()?;
        let _lock = Lock::take(&place)?;
        let (mut fresh, data_key) = self.reopen(unlock)?;
        if fresh.ledger.is_none() {
            let info = KeyInfo {
                id: fresh.new_id(LEDGER_LABEL)?,
                label: LEDGER_LABEL.to_owned(),
                tenant: LEDGER_TENANT.to_owned(),
                state: KeyState::Active,
                created: created.to_owned(),
                epoch: 1,
            };
            fresh.ledger = Some((info, Secret::random()?));
            fresh.write(&place, &data_key, Replace::Yes)?;
        }
        *self = fresh;
        Ok(())
    }

    /// A key of the ledger: 32 bytes for one usage in one log; `None` where the ring has no secret
    /// for it ([`Keyring::add_ledger_secret`]).
    ///
    /// # Errors
    /// [`KeyError::TooLong`] for a log whose name has more than 65,535 bytes.
    pub fn ledger_key(
        &self,
        usage: LedgerUsage,
        log: &str,
    ) -> Result<Option<Zeroizing<[u8; 32]>>, KeyError> {
        let info = derive::ledger_info(usage.word(), log)?;
        let subkey = |(_, secret): &(KeyInfo, Secret)| {
            let mut key = Zeroizing::new([0; derive::SECRET_BYTES]);
            key.copy_from_slice(derive::subkey(secret.bytes(), &self.salt, &info).bytes());
            key
        };
        Ok(self.ledger.as_ref().map(subkey))
    }

    /// Locks the ring anew, so that each of `locks` and nothing else opens it. The keys stay: so
    /// do all tokens. This is how a ring moves from a local key file to a passphrase, or gets a
    /// second custodian.
    ///
    /// A local key file is made where one is asked for and was not used before; one that is no
    /// longer used stays where it is, because it opens older copies of the ring.
    ///
    /// # Errors
    /// As [`Keyring::open`]; [`KeyError::BadLocks`] for no lock, more than eight, or two local key
    /// files; [`KeyError::Exists`] when another key file stands where the new one would.
    pub fn rewrap(&mut self, current: &Unlock, locks: &[&Unlock]) -> Result<(), KeyError> {
        let local = locks.iter().filter(|lock| matches!(lock, Unlock::LocalFile)).count();
        if locks.is_empty() || locks.len() > file::WRAPS_MAX || local > 1 {
            return Err(KeyError::BadLocks { locks: locks.len(), most: file::WRAPS_MAX });
        }
        let place = self.place()?;
        let _lock = Lock::take(&place)?;
        let (mut fresh, _) = self.reopen(current)?;
        let key_path = Keyring::local_key_path(&self.path);
        let had_local = fresh.wraps.iter().any(|wrap| wrap.kdf.is_none());
        let makes_key_file = local == 1 && !had_local;
        let local_key = match (local, had_local) {
            (1, true) => file::read_local_key(&key_path)?,
            _ => Secret::random()?,
        };
        // The old data key is in every older copy of the file, locked as it was then.
        let data_key = Secret::random()?;
        let wraps: Result<Vec<Wrap>, KeyError> = locks
            .iter()
            .map(|lock| Kek::lock(lock, &local_key, &fresh.identity(), &data_key))
            .collect();
        fresh.wraps = wraps?;
        if makes_key_file {
            file::write_local_key(&key_path, &local_key)?;
        }
        let written = fresh.write(&place, &data_key, Replace::Yes);
        if written.is_err() && makes_key_file {
            let _ = fs::remove_file(&key_path);
        }
        written?;
        *self = fresh;
        Ok(())
    }

    /// 16 bytes, lower-case hex.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// When it was made: RFC 3339, as its maker said.
    #[must_use]
    pub fn created(&self) -> &str {
        &self.created
    }

    /// Public facts of all keys, by tenant and epoch.
    #[must_use]
    pub fn keys(&self) -> &[KeyInfo] {
        &self.keys
    }

    /// A key by id (in either case) or label; the tenant's active key when `None`. Keys of other
    /// tenants are out of reach.
    ///
    /// # Errors
    /// [`KeyError::UnknownKey`], which lists what the tenant has; [`KeyError::UnknownTenant`] when
    /// it has nothing.
    pub fn key(&self, id_or_label: Option<&str>, tenant: &str) -> Result<Key<'_>, KeyError> {
        let own = || self.keys.iter().enumerate().filter(|(_, key)| key.tenant == tenant);
        let wanted = |key: &KeyInfo| match id_or_label {
            Some(name) => key.id.eq_ignore_ascii_case(name) || key.label == name,
            None => key.state == KeyState::Active,
        };
        if let Some((at, info)) = own().find(|(_, key)| wanted(key)) {
            return Ok(Key { ring: self, info, secret: &self.secrets[at] });
        }
        let available: Vec<String> =
            own().map(|(_, key)| format!("{} ({})", key.id, key.label)).collect();
        let tenant = tenant.to_owned();
        match id_or_label {
            Some(wanted) if !available.is_empty() => {
                Err(KeyError::UnknownKey { wanted: wanted.to_owned(), tenant, available })
            }
            _ => {
                let tenants: BTreeSet<&str> =
                    self.keys.iter().map(|key| key.tenant.as_str()).collect();
                let tenants = tenants.into_iter().map(str::to_owned).collect();
                Err(KeyError::UnknownTenant { tenant, tenants })
            }
        }
    }

    /// What the ring at `path` says in clear, without opening it: not authenticated, so for
    /// looking only.
    ///
    /// # Errors
    /// As [`Keyring::open`], as far as no key is needed.
    pub fn public_facts(path: &Path) -> Result<RingFacts, KeyError> {
        let (file, keys) = RingFile::read(path)?;
        let keys = keys.into_iter().filter(|key| key.tenant != LEDGER_TENANT).collect();
        let needs_passphrase = file.wraps.iter().all(|wrap| wrap.kdf.is_some());
        Ok(RingFacts { id: file.keyring_id, created: file.created, keys, needs_passphrase })
    }

    /// Where the local key file of the ring at `path` is: beside it, `.key` appended.
    #[must_use]
    pub fn local_key_path(path: &Path) -> PathBuf {
        file::with_suffix(path, ".key")
    }

    /// Draws a new key, active in place of the tenant's active one.
    fn add(&mut self, label: &str, tenant: &str, created: &str) -> Result<KeyInfo, KeyError> {
        let names = |key: &KeyInfo| key.label == label || key.id.eq_ignore_ascii_case(label);
        if self.keys.iter().any(|key| key.tenant == tenant && names(key)) {
            let (label, tenant) = (label.to_owned(), tenant.to_owned());
            return Err(KeyError::LabelTaken { label, tenant });
        }
        let id = self.new_id(label)?;
        let secret = Secret::random()?;
        let mut epoch = 1;
        for key in self.keys.iter_mut().filter(|key| key.tenant == tenant) {
            key.state = KeyState::VerifyOnly;
            epoch = epoch.max(key.epoch.saturating_add(1));
        }
        let added = KeyInfo {
            id,
            label: label.to_owned(),
            tenant: tenant.to_owned(),
            state: KeyState::Active,
            created: created.to_owned(),
            epoch,
        };
        let at = self.keys.partition_point(|key| key.order() < added.order());
        self.keys.insert(at, added.clone());
        self.secrets.insert(at, secret);
        Ok(added)
    }

    /// An id that no key and no label of the ring has: says nothing of age or order.
    fn new_id(&self, label: &str) -> Result<String, KeyError> {
        loop {
            let mut bytes = [0; KEY_ID];
            getrandom::fill(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
            let id: String =
                bytes.iter().map(|byte| char::from(CROCKFORD[usize::from(byte % 32)])).collect();
            let is_taken = |key: &KeyInfo| key.id == id || key.label.eq_ignore_ascii_case(&id);
            let mut known = self.keys.iter().chain(self.ledger.iter().map(|(info, _)| info));
            if !label.eq_ignore_ascii_case(&id) && !known.any(is_taken) {
                return Ok(id);
            }
        }
    }

    fn open_with_data_key(path: &Path, unlock: &Unlock) -> Result<(Keyring, Secret), KeyError> {
        let (file, keys) = RingFile::read(path)?;
        let identity = file.identity(path)?;
        let data_key = open_a_wrap(&file, &identity, path, unlock)?;
        let mut secrets = unseal(&file, &identity, &keys, path, &data_key)?;
        let salt = identity.salt;
        let mut keys = keys;
        let of_ledger = keys.iter().position(|key| key.tenant == LEDGER_TENANT);
        let ledger = of_ledger.map(|at| (keys.remove(at), secrets.remove(at)));
        let ring = Keyring {
            path: path.to_owned(),
            id: file.keyring_id,
            salt,
            created: file.created,
            keys,
            secrets,
            ledger,
            wraps: file.wraps,
        };
        Ok((ring, data_key))
    }

    fn reopen(&self, unlock: &Unlock) -> Result<(Keyring, Secret), KeyError> {
        let (fresh, data_key) = Keyring::open_with_data_key(&self.path, unlock)?;
        if fresh.id != self.id {
            return Err(KeyError::Replaced { path: self.path.clone() });
        }
        Ok((fresh, data_key))
    }

    /// The file itself: a link to a ring is written through, not replaced.
    fn place(&self) -> Result<PathBuf, KeyError> {
        fs::canonicalize(&self.path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => KeyError::NoRing { path: self.path.clone() },
            _ => file::io_error("read", &self.path)(error),
        })
    }

    fn identity(&self) -> Identity<'_> {
        Identity { created: &self.created, keyring_id: &self.id, salt: self.salt }
    }

    /// Seals the secrets under a fresh nonce and writes the file.
    fn write(&mut self, place: &Path, data_key: &Secret, replace: Replace) -> Result<(), KeyError> {
        // The tenant of the ledger's is the first of all by name.
        let ledger = self.ledger.iter().map(|(info, secret)| (info, secret));
        let all: Vec<(&KeyInfo, &Secret)> =
            ledger.chain(self.keys.iter().zip(&self.secrets)).collect();
        let public: Vec<PublicKey> = all.iter().map(|(key, _)| PublicKey::of(key)).collect();
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| KeyError::NoRandomness)?;
        let room = all.len() * ENTRY + TAG;
        let mut body = Zeroizing::new(Vec::with_capacity(room));
        for (key, secret) in all {
            body.extend_from_slice(key.id.as_bytes());
            body.extend_from_slice(secret.bytes());
        }
        let header = self.identity().seal_header(&public, &self.wraps);
        seal_cipher(&self.identity(), data_key)
            .encrypt_in_place(&Nonce::from(nonce), &header, &mut *body)
            .expect("a ring's limit is within that of GCM");
        let file = RingFile {
            created: self.created.clone(),
            format: file::FORMAT.into(),
            keyring_id: self.id.clone(),
            public,
            sealed: Sealed { ciphertext: hex(&body), nonce: hex(&nonce) },
            wraps: std::mem::take(&mut self.wraps),
        };
        let written = file::write_ring(place, &file, replace);
        self.wraps = file.wraps;
        written
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("id", &self.id)
            .field("path", &self.path)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// One epoch's secret, borrowed from its ring.
pub struct Key<'ring> {
    ring: &'ring Keyring,
    info: &'ring KeyInfo,
    secret: &'ring Secret,
}

impl Key<'_> {
    /// Public facts.
    #[must_use]
    pub fn info(&self) -> &KeyInfo {
        self.info
    }

    /// A tokenizer for one join field of one domain: equal `field`, equal tokens, in every file of
    /// the domain.
    ///
    /// # Errors
    /// [`KeyError::TooLong`] for a domain or field of more than 65,535 bytes.
    pub fn tokenizer(
        &self,
        domain: &str,
        field: &str,
        profile: Profile,
    ) -> Result<Tokenizer, KeyError> {
        let names = [&self.info.tenant, domain, field];
        Tokenizer::new(self.secret.bytes(), &self.ring.salt, names, profile)
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("info", self.info).finish_non_exhaustive()
    }
}

/// Life of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Writes tokens. One per tenant.
    Active,
    /// May compute tokens for look-up and erasure, not write.
    VerifyOnly,
}

impl KeyState {
    /// `active` or `verify-only`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            KeyState::Active => "active",
            KeyState::VerifyOnly => "verify-only",
        }
    }
}

/// What a key of the ledger is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LedgerUsage {
    /// Signs checkpoints, receipts and certificates: the seed of an Ed25519 key.
    Sign,
    /// Starts the ratchet of the codes of entries.
    Start,
}

impl LedgerUsage {
    const fn word(self) -> &'static str {
        match self {
            LedgerUsage::Sign => "sign",
            LedgerUsage::Start => "start",
        }
    }
}

/// Public facts of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// Five Crockford characters.
    pub id: String,
    /// The human's name for it.
    pub label: String,
    /// Tenant.
    pub tenant: String,
    /// State.
    pub state: KeyState,
    /// RFC 3339, as given by the caller.
    pub created: String,
    /// Counts up per tenant from 1; for people only.
    pub epoch: u32,
}

impl KeyInfo {
    fn order(&self) -> (&str, u32) {
        (&self.tenant, self.epoch)
    }
}

/// What a ring says in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingFacts {
    /// 16 bytes, lower-case hex.
    pub id: String,
    /// RFC 3339, as its maker said.
    pub created: String,
    /// By tenant and epoch.
    pub keys: Vec<KeyInfo>,
    /// No local key file opens it.
    pub needs_passphrase: bool,
}

fn open_a_wrap(
    file: &RingFile,
    identity: &Identity<'_>,
    path: &Path,
    unlock: &Unlock,
) -> Result<Secret, KeyError> {
    let mut refused = None;
    for wrap in &file.wraps {
        let Some(kek) = Kek::of(unlock, path, wrap)? else { continue };
        match kek.unwrap(identity, wrap, unlock, path) {
            Err(error @ (KeyError::WrongPassphrase { .. } | KeyError::WrongLocalKey { .. })) => {
                refused = Some(error);
            }
            opened => return opened,
        }
    }
    Err(refused.unwrap_or_else(|| unlock.other(path)))
}

fn unseal(
    file: &RingFile,
    identity: &Identity<'_>,
    keys: &[KeyInfo],
    path: &Path,
    data_key: &Secret,
) -> Result<Vec<Secret>, KeyError> {
    let malformed = || file::malformed(path, "`sealed` is not in hexadecimal of its length");
    let nonce = unhex::<NONCE>(file.sealed.nonce.as_bytes()).ok_or_else(malformed)?;
    let mut body = Zeroizing::new(vec![0; keys.len() * ENTRY + TAG]);
    if !unhex_into(file.sealed.ciphertext.as_bytes(), &mut body) {
        return Err(malformed());
    }
    let tampered = || KeyError::Tampered { path: path.to_owned() };
    let header = identity.seal_header(&file.public, &file.wraps);
    seal_cipher(identity, data_key)
        .decrypt_in_place(&Nonce::from(*nonce), &header, &mut *body)
        .map_err(|_| tampered())?;
    let entry = |(entry, key): (&[u8], &KeyInfo)| {
        let secret = entry.strip_prefix(key.id.as_bytes());
        secret.and_then(Secret::from_slice).ok_or_else(tampered)
    };
    body.chunks_exact(ENTRY).zip(keys).map(entry).collect()
}

fn seal_cipher(identity: &Identity<'_>, data_key: &Secret) -> Aes256Gcm {
    let key = derive::subkey(data_key.bytes(), identity.salt(), derive::RING_SEAL_INFO);
    Aes256Gcm::new(key.bytes().into())
}

/// Whether a public list is one that [`Keyring`] writes: in order, ids, epochs and names without
/// ambiguity, one active key for each tenant.
pub(crate) fn is_orderly(keys: &[KeyInfo]) -> bool {
    let ids: BTreeSet<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    let names: BTreeSet<(&str, &str)> =
        keys.iter().map(|key| (key.tenant.as_str(), key.label.as_str())).collect();
    let tenants: BTreeSet<&str> = keys.iter().map(|key| key.tenant.as_str()).collect();
    let active = keys.iter().filter(|key| key.state == KeyState::Active);
    keys.iter().any(|key| key.tenant != LEDGER_TENANT)
        && keys.iter().filter(|key| key.tenant == LEDGER_TENANT).count() <= 1
        && ids.len() == keys.len()
        && names.len() == keys.len()
        && keys.is_sorted_by(|one, next| one.order() < next.order())
        && active.map(|key| key.tenant.as_str()).eq(tenants)
}

pub(crate) fn check_label(label: &str) -> Result<(), KeyError> {
    check_name("label", label, LABEL_BYTES_MAX)
}

pub(crate) fn check_tenant(tenant: &str) -> Result<(), KeyError> {
    check_name("tenant", tenant, TENANT_BYTES_MAX)
}

fn check_name(what: &'static str, name: &str, most: usize) -> Result<(), KeyError> {
    // Names are shown on terminals: no escape sequence may come in by way of a ring.
    if name.is_empty() || name.len() > most || name.chars().any(char::is_control) {
        return Err(KeyError::BadName { what, bytes: name.len(), most });
    }
    Ok(())
}

fn check_time(time: &str) -> Result<(), KeyError> {
    match day_number(time) {
        Some(_) => Ok(()),
        None => Err(KeyError::BadTime { bytes: time.len() }),
    }
}

/// Days since 1970-01-01 of an RFC 3339 date or date-time, by its own calendar day; `None` when it
/// is neither.
pub(crate) fn day_number(time: &str) -> Option<i64> {
    let bytes = time.as_bytes();
    let (date, rest) = bytes.split_at_checked(10)?;
    if !rest.is_empty() && !is_time_of_day(rest) {
        return None;
    }
    if date[4] != b'-' || date[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(&date[..4])?, number(&date[5..7])?, number(&date[8..])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days).contains(&day) {
        return None;
    }
    // Years counted from March put the leap day last, and 146,097 days are 400 years.
    let year = if month < 3 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(
        365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year
            - 719_468,
    )
}

/// `T09:00:00`, a fraction, and `Z` or an offset.
fn is_time_of_day(rest: &[u8]) -> bool {
    let Some((clock, rest)) = rest.split_at_checked(9) else { return false };
    let in_range = |digits: &[u8], most| number(digits).is_some_and(|found| found <= most);
    let clock_is_right = matches!(clock[0], b'T' | b't' | b' ')
        && clock[3] == b':'
        && clock[6] == b':'
        && in_range(&clock[1..3], 23)
        && in_range(&clock[4..6], 59)
        && in_range(&clock[7..], 60);
    let zone = match rest.strip_prefix(b".") {
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=9).contains(&digits) {
                return false;
            }
            &fraction[digits..]
        }
        None => rest,
    };
    let zone_is_right = match zone {
        b"Z" | b"z" => true,
        [b'+' | b'-', hour @ .., b':', _, _] if hour.len() == 2 => {
            in_range(hour, 23) && in_range(&zone[4..], 59)
        }
        _ => false,
    };
    clock_is_right && zone_is_right
}

fn number(digits: &[u8]) -> Option<i64> {
    let all = digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

/// No tenant has this name, so the key of the ledger is nobody's.
pub(crate) const LEDGER_TENANT: &str = "";
const LEDGER_LABEL: &str = "ledger";
const LABEL_BYTES_MAX: usize = 128;
const TENANT_BYTES_MAX: usize = 65_535;
pub(crate) const KEY_ID: usize = 5;
const ENTRY: usize = KEY_ID + derive::SECRET_BYTES;
const TAG: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Passphrase, Profile};

    /// All that `Debug` prints of a ring and what it lends out, in both spellings.
    #[test]
    fn debug_shows_no_secret_in_any_spelling() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.keyring");
        let words = "six invented words";
        let unlock = Unlock::Passphrase(Passphrase::new(words.into()));
        let mut ring =
            Keyring::create(&path, &Unlock::LocalFile, "prod", "default", "2026-01-05").unwrap();
        let local_key = file::read_local_key(&Keyring::local_key_path(&path)).unwrap();
        ring.rewrap(&Unlock::LocalFile, &[&Unlock::LocalFile, &unlock]).unwrap();
        let key = ring.key(None, "default").unwrap();
        let tokenizer = key.tokenizer("d", "f", Profile::Exact).unwrap();
        let info = derive::info(derive::USAGE_TOKEN, "default", "d", "f").unwrap();
        let subkey = derive::subkey(key.secret.bytes(), &ring.salt, &info);

        let mut told = String::new();
        for thing in [&ring as &dyn fmt::Debug, &key, &tokenizer, &unlock] {
            told += &format!("{thing:?}\n{thing:#?}\n");
        }
        assert!(told.contains(&ring.id) && told.contains(&ring.keys[0].id));
        for secret in [key.secret.bytes(), local_key.bytes(), subkey.bytes()] {
            for four in secret.windows(4) {
                let numbers: Vec<String> = four.iter().map(u8::to_string).collect();
                let numbers = numbers.join(", ");
                let raw = String::from_utf8_lossy(four);
                for spelt in [hex(four), hex(four).to_uppercase(), base64(four), numbers] {
                    assert!(!told.contains(&spelt), "{spelt}");
                }
                assert!(raw.contains('\u{fffd}') || !told.contains(&*raw));
            }
        }
        for part in ["invented", &hex(b"invented"), &base64(b"six invented"), "105, 110, 118"] {
            assert!(!told.contains(part), "{part}");
        }
    }

    /// RFC 4648, without padding.
    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
        let digit = |at: usize| (0..6).fold(0, |sum, next| sum << 1 | usize::from(bit(at + next)));
        (0..bytes.len() * 8).step_by(6).map(|at| char::from(DIGITS[digit(at)])).collect()
    }

    #[test]
    fn days_are_counted() {
        for (time, expected) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2000-03-01", 11_017),
            ("2026-01-05T09:00:00Z", 20_458),
            ("2026-01-05 09:00:00.5-11:30", 20_458),
            ("9999-12-31t23:59:60z", 2_932_896),
        ] {
            assert_eq!(day_number(time), Some(expected), "{time}");
        }
        let mut last = day_number("2023-12-31").unwrap();
        for month in 1..=12 {
            for day in 1..=31 {
                if let Some(number) = day_number(&format!("2024-{month:02}-{day:02}")) {
                    assert_eq!(number, last + 1);
                    last = number;
                }
            }
        }
        assert_eq!(last, day_number("2025-01-01").unwrap() - 1);
    }

    #[test]
    fn ids_are_spread_over_the_whole_alphabet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.keyring");
        let mut ring = Keyring::create(&path, &Unlock::LocalFile, "0", "t", "2026-01-05").unwrap();
        for label in 1..300 {
            ring.add(&label.to_string(), "t", "2026-01-05").unwrap();
        }
        assert!(is_orderly(&ring.keys));
        let seen: BTreeSet<char> = ring.keys.iter().flat_map(|key| key.id.chars()).collect();
        assert_eq!(seen.len(), 32);
    }
}
