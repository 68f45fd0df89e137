//! The key that locks a ring: where it comes from, and the wrap that it opens.

use crate::derive::{self, Secret, hex, unhex};
use crate::file::{self, Kdf, Wrap};
use crate::{KeyError, Keyring};
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;
use std::path::Path;
use zeroize::{Zeroize, Zeroizing};

/// How the keyring's contents are unlocked.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unlock {
    /// A local key file beside the ring (`<ring>.key`, mode 0600): the zero-setup default.
    LocalFile,
    /// A passphrase, already read from a file or descriptor.
    Passphrase(Passphrase),
}

impl Unlock {
    fn wrong(&self, path: &Path) -> KeyError {
        let path = path.to_owned();
        match self {
            Unlock::LocalFile => KeyError::WrongLocalKey { path },
            Unlock::Passphrase(_) => KeyError::WrongPassphrase { path },
        }
    }

    /// The ring has no wrap for this way.
    pub(crate) fn other(&self, path: &Path) -> KeyError {
        let (asked, locked_by) = match self {
            Unlock::LocalFile => (LOCAL_KEY_FILE, PASSPHRASE),
            Unlock::Passphrase(_) => (PASSPHRASE, LOCAL_KEY_FILE),
        };
        KeyError::OtherLock { path: path.to_owned(), asked, locked_by }
    }
}

/// A passphrase; wiped on drop, never printed.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Takes the bytes and cuts one trailing `\n` or `\r\n`; nothing else is changed. Whether
    /// they are enough is said when a ring is made or opened.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Passphrase {
        let mut bytes = Zeroizing::new(bytes);
        let line = bytes.strip_suffix(b"\n");
        let line = line.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let kept = line.unwrap_or(&bytes).len();
        bytes[kept..].zeroize();
        bytes.truncate(kept);
        Passphrase(bytes)
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

/// Key-encrypting key of a ring. Only what HKDF makes of it is used.
#[derive(Debug)]
pub(crate) struct Kek(Secret);

impl Kek {
    /// A new wrap of `data_key`; `local` is what the ring's local key file holds or will hold.
    pub(crate) fn lock(
        unlock: &Unlock,
        local: &Secret,
        ring: &file::Identity<'_>,
        data_key: &Secret,
    ) -> Result<Wrap, KeyError> {
        let (kek, kdf) = match unlock {
            Unlock::LocalFile => (Kek(local.copy()), None),
            Unlock::Passphrase(passphrase) => {
                let mut salt = [0; 16];
                getrandom::fill(&mut salt).map_err(|_| KeyError::NoRandomness)?;
                let kdf = Kdf::usual(&salt);
                (stretch(passphrase, &kdf)?, Some(kdf))
            }
        };
        kek.wrap(ring, kdf, data_key)
    }

    /// For a wrap of the ring at `path`; `None` when the wrap is one for another way to unlock.
    pub(crate) fn of(unlock: &Unlock, path: &Path, wrap: &Wrap) -> Result<Option<Kek>, KeyError> {
        match (unlock, &wrap.kdf) {
            (Unlock::LocalFile, None) => {
                file::read_local_key(&Keyring::local_key_path(path)).map(|key| Some(Kek(key)))
            }
            (Unlock::Passphrase(passphrase), Some(kdf)) => stretch(passphrase, kdf).map(Some),
            _ => Ok(None),
        }
    }

    /// Locks the ring's data key. The commitment is what GCM lacks: without it, one file could be
    /// made that opens under many passphrases.
    fn wrap(
        &self,
        ring: &file::Identity<'_>,
        kdf: Option<Kdf>,
        data_key: &Secret,
    ) -> Result<Wrap, KeyError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| KeyError::NoRandomness)?;
        let mut wrap =
            Wrap { commit: String::new(), kdf, nonce: hex(&nonce), wrapped: String::new() };
        let mut body = Zeroizing::new(data_key.bytes().to_vec());
        self.cipher(ring)
            .encrypt_in_place(&Nonce::from(nonce), &ring.wrap_header(&wrap), &mut *body)
            .expect("32 bytes are within the limit of GCM");
        wrap.wrapped = hex(&body);
        wrap.commit = hex(&self.commitment(ring, &wrap).finalize().into_bytes());
        Ok(wrap)
    }

    /// Opens what [`Kek::wrap`] made; the commitment is checked first, in constant time.
    pub(crate) fn unwrap(
        &self,
        ring: &file::Identity<'_>,
        wrap: &Wrap,
        unlock: &Unlock,
        path: &Path,
    ) -> Result<Secret, KeyError> {
        let malformed = || file::malformed(path, "the wrap is not in hexadecimal of its length");
        let commit = unhex::<32>(wrap.commit.as_bytes()).ok_or_else(malformed)?;
        let nonce = unhex::<NONCE>(wrap.nonce.as_bytes()).ok_or_else(malformed)?;
        let wrapped = unhex::<48>(wrap.wrapped.as_bytes()).ok_or_else(malformed)?;
        self.commitment(ring, wrap)
            .verify_slice(commit.as_slice())
            .map_err(|_| unlock.wrong(path))?;
        let mut body = Zeroizing::new(wrapped.to_vec());
        self.cipher(ring)
            .decrypt_in_place(&Nonce::from(*nonce), &ring.wrap_header(wrap), &mut *body)
            .map_err(|_| KeyError::Tampered { path: path.to_owned() })?;
        Secret::from_slice(&body).ok_or_else(malformed)
    }

    fn commitment(&self, ring: &file::Identity<'_>, wrap: &Wrap) -> Hmac<Sha256> {
        let key = derive::subkey(self.0.bytes(), ring.salt(), derive::KEK_COMMIT_INFO);
        let mut mac =
            Hmac::<Sha256>::new_from_slice(key.bytes()).expect("HMAC takes a key of any length");
        mac.update(&ring.commit_header(wrap));
        mac
    }

    fn cipher(&self, ring: &file::Identity<'_>) -> Aes256Gcm {
        let key = derive::subkey(self.0.bytes(), ring.salt(), derive::KEK_WRAP_INFO);
        Aes256Gcm::new(key.bytes().into())
    }
}

fn stretch(passphrase: &Passphrase, kdf: &Kdf) -> Result<Kek, KeyError> {
    if passphrase.0.is_empty() {
        return Err(KeyError::EmptyPassphrase);
    }
    let salt = unhex::<16>(kdf.salt.as_bytes()).expect("a ring is checked when it is read");
    let params = Params::new(kdf.m_kib, kdf.t, kdf.p, Some(derive::SECRET_BYTES))
        .expect("the range of a ring's parameters is within Argon2's");
    // Memory of our own, because the crate does not wipe what it takes itself.
    let mut memory = Zeroizing::new(Vec::new());
    let no_memory = |_| KeyError::NoMemory { m_kib: kdf.m_kib };
    memory.try_reserve_exact(params.block_count()).map_err(no_memory)?;
    memory.resize(params.block_count(), Block::new());
    let mut key = Secret::zero();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(
            &passphrase.0,
            salt.as_slice(),
            key.bytes_mut(),
            memory.as_mut_slice(),
        )
        .expect("lengths and memory are what Argon2 takes");
    Ok(Kek(key))
}

pub(crate) const LOCAL_KEY_FILE: &str = "local key file";
pub(crate) const PASSPHRASE: &str = "passphrase";
pub(crate) const NONCE: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_trailing_line_end_is_cut() {
        for (given, kept) in [
            ("open", "open"),
            ("open\n", "open"),
            ("open\r\n", "open"),
            ("open\n\n", "open\n"),
            ("open\r", "open\r"),
            (" open ", " open "),
            ("\n", ""),
            ("\r\n", ""),
            ("", ""),
        ] {
            let passphrase = Passphrase::new(given.as_bytes().to_vec());
            assert_eq!(passphrase.0.as_slice(), kept.as_bytes(), "{given:?}");
            assert_eq!(format!("{passphrase:?}"), "Passphrase(..)");
        }
    }
}
