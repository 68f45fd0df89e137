//! Keyrings, key derivation and keyed tokens.
//!
//! API (the contract other crates compile against).

use std::path::Path;

/// What went wrong with keys. `exit` classes: everything here is exit 4 unless said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Placeholder of the sketch.
    #[error("not yet")]
    Sketch,
}

/// How the keyring's contents are unlocked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unlock {
    /// A local key file beside the ring (`<ring>.key`, mode 0600): the zero-setup default.
    LocalFile,
    /// A passphrase, already read from a file or descriptor.
    Passphrase(Passphrase),
}

/// A passphrase; wiped on drop, never printed.
pub struct Passphrase {}
impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase(..)")
    }
}
impl Passphrase {
    /// Takes the bytes (one trailing newline is cut) and wipes the source.
    pub fn new(_bytes: Vec<u8>) -> Passphrase {
        todo!()
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

/// Public facts of a key.
#[derive(Clone, Debug)]
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

/// An opened keyring. Not `Clone`, not serializable; `Debug` shows ids.
#[derive(Debug)]
pub struct Keyring {}

impl Keyring {
    /// Creates a ring with one active key, mode 0600, atomically; refuses to overwrite.
    pub fn create(_path: &Path, _unlock: &Unlock, _label: &str, _tenant: &str, _created: &str) -> Result<Keyring, KeyError> {
        todo!()
    }
    /// Opens a ring.
    pub fn open(_path: &Path, _unlock: &Unlock) -> Result<Keyring, KeyError> {
        todo!()
    }
    /// Adds an active key for `tenant` (the one before becomes verify-only) and rewrites the file.
    pub fn add_key(&mut self, _unlock: &Unlock, _label: &str, _tenant: &str, _created: &str) -> Result<KeyInfo, KeyError> {
        todo!()
    }
    /// 16 bytes, lower-case hex.
    pub fn id(&self) -> &str {
        todo!()
    }
    /// Where it was opened.
    pub fn path(&self) -> &Path {
        todo!()
    }
    /// Public facts of all keys, by tenant and epoch.
    pub fn keys(&self) -> &[KeyInfo] {
        todo!()
    }
    /// A key by id or label; the tenant's active key when `None`. Unknown: the error lists what there is.
    pub fn key(&self, _id_or_label: Option<&str>, _tenant: &str) -> Result<Key<'_>, KeyError> {
        todo!()
    }
}

/// One epoch's secret, borrowed from its ring.
#[derive(Debug)]
pub struct Key<'ring> {
    _ring: std::marker::PhantomData<&'ring Keyring>,
}

impl Key<'_> {
    /// Public facts.
    pub fn info(&self) -> &KeyInfo {
        todo!()
    }
    /// A tokenizer for one join field of one domain.
    pub fn tokenizer(&self, _domain: &str, _field: &str, _profile: Profile) -> Result<Tokenizer, KeyError> {
        todo!()
    }
}

/// Normalisation before hashing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Profile {
    /// NFKC, trim.
    Exact,
    /// NFKC, trim, full case folding, NFKC.
    Casefold,
    /// NFKC, trim, white space removed, upper case.
    Iban,
}

impl Profile {
    /// By its policy name.
    pub fn from_name(_name: &str) -> Option<Profile> {
        todo!()
    }
    /// Its policy name.
    pub fn name(self) -> &'static str {
        todo!()
    }
}

/// How a column token is spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenFormat {
    /// 22 characters.
    Base62,
    /// 32 characters.
    Hex,
    /// 26 characters.
    Crockford,
    /// 16 bytes.
    Binary,
}

/// Which cells get the same token.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// Same value, same token, everywhere in the domain.
    Dataset,
    /// Same value, same token, within the named document only.
    Document(&'a str),
    /// Every row its own: document and row number.
    Row(&'a str, u64),
}

/// A keyed HMAC state; wiped on drop; not `Clone`.
#[derive(Debug)]
pub struct Tokenizer {}

impl Tokenizer {
    /// HMAC of the normalised value; `scratch` is reused memory and is wiped by its owner.
    pub fn mac(&self, _scope: Scope<'_>, _value: &str, _scratch: &mut String) -> Mac {
        todo!()
    }
}

/// A full MAC: turned into a token by one named call.
pub struct Mac {}
impl std::fmt::Debug for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mac(..)")
    }
}

impl Mac {
    /// First 16 bytes.
    pub fn bytes16(&self) -> [u8; 16] {
        todo!()
    }
    /// Appends a text-form column token (not for [`TokenFormat::Binary`]).
    pub fn push_column_token(&self, _format: TokenFormat, _out: &mut String) {
        todo!()
    }
    /// Appends `LABEL_` + 16 Crockford + check character.
    pub fn push_text_token(&self, _label: &str, _out: &mut String) {
        todo!()
    }
}

/// Finds well-formed text tokens (right check character) in `text`: byte ranges in order.
pub fn find_text_tokens(_text: &str, _out: &mut Vec<std::ops::Range<usize>>) {
    todo!()
}

/// Probability that `n` distinct values collide in `bits` bits: `1 - exp(-n(n-1)/2^(bits+1))`.
pub fn collision_probability(_n: f64, _bits: u32) -> f64 {
    todo!()
}

/// Doors that take raw secrets: for vectors and audits only.
pub mod danger {
    /// Everything `derive_token` makes; bytes in lower-case hex, keys named as in `token_kat.json`.
    pub type Derived = std::collections::BTreeMap<String, String>;
    /// The derivation of contracts.md from raw inputs, one token.
    pub fn derive_token(
        _epoch_secret: &[u8; 32], _keyring_id: &[u8; 16], _tenant: &str, _domain: &str, _field: &str,
        _usage: &str, _profile: super::Profile, _value: &str, _label: &str,
    ) -> Derived {
        todo!()
    }
}
