//! The key of the next entry: replaced after each, so that who steals it cannot forge earlier ones.

use crate::tree::Hash;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use zeroize::Zeroizing;

/// The key a ledger starts from. Whoever checks the codes of entries needs it; the writer does not
/// and should not have it once the ledger is made.
///
/// Neither cloned nor printed; wiped on drop.
///
/// ```compile_fail
/// fn cloned<T: Clone>() {}
/// cloned::<allonym_ledger::StartKey>();
/// ```
/// ```compile_fail
/// fn printed<T: std::fmt::Display>() {}
/// printed::<allonym_ledger::StartKey>();
/// ```
pub struct StartKey(Zeroizing<[u8; 32]>);

impl StartKey {
    /// From 32 secret bytes, for one ledger only.
    #[must_use]
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> StartKey {
        StartKey(bytes)
    }

    pub(crate) fn ratchet(&self) -> Ratchet {
        Ratchet(Box::new(self.0.clone()))
    }
}

impl fmt::Debug for StartKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StartKey(..)")
    }
}

/// The key of one entry and of all that follow it; boxed, so that moving it leaves no copy.
pub(crate) struct Ratchet(Box<Zeroizing<[u8; 32]>>);

impl Ratchet {
    pub(crate) fn from_hex(text: &str) -> Option<Ratchet> {
        Hash::parse(text).map(|bytes| Ratchet(Box::new(Zeroizing::new(bytes.0))))
    }

    pub(crate) fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(Hash(**self.0).to_string())
    }

    /// The code of an entry.
    pub(crate) fn code(&self, entry: &[u8]) -> [u8; 32] {
        self.mac(entry).finalize().into_bytes().into()
    }

    /// Whether the code is that of the entry, in a time that tells nothing.
    pub(crate) fn accepts(&self, entry: &[u8], code: &[u8; 32]) -> bool {
        self.mac(entry).verify_slice(code).is_ok()
    }

    /// The next key takes its place; this one is wiped.
    pub(crate) fn step(&mut self) {
        let next = self.derive(NEXT);
        **self.0 = *next;
    }

    fn mac(&self, entry: &[u8]) -> Hmac<Sha256> {
        let key = self.derive(CODE);
        Hmac::<Sha256>::new_from_slice(key.as_slice())
            .expect("HMAC takes a key of any length")
            .chain_update(entry)
    }

    fn derive(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::from_prk(self.0.as_slice())
            .expect("32 bytes are a key of HKDF-SHA-256")
            .expand(label, key.as_mut_slice())
            .expect("HKDF-SHA-256 gives up to 8,160 bytes");
        key
    }
}

impl fmt::Debug for Ratchet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ratchet(..)")
    }
}

/// Labels of HKDF (RFC 5869); no two may be alike.
const CODE: &[u8] = b"allonym.ledger/1 code";
const NEXT: &[u8] = b"allonym.ledger/1 next";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_has_its_own_key() {
        let start = StartKey::new(Zeroizing::new([7; 32]));
        let mut ratchet = start.ratchet();
        let first = ratchet.code(b"entry");
        assert!(ratchet.accepts(b"entry", &first));
        assert!(!ratchet.accepts(b"entrz", &first));
        ratchet.step();
        assert!(!ratchet.accepts(b"entry", &first));
        let second = ratchet.code(b"entry");
        assert_ne!(first, second);
        let mut again = start.ratchet();
        again.step();
        assert_eq!(again.code(b"entry"), second);
        let resumed = Ratchet::from_hex(&ratchet.to_hex()).unwrap();
        assert_eq!(resumed.code(b"entry"), second);
    }

    /// Made with HMAC and HKDF-Expand of Python's `hmac`: T(1) = HMAC(key, label || 0x01).
    #[test]
    fn codes_are_pinned() {
        let mut ratchet = StartKey::new(Zeroizing::new([7; 32])).ratchet();
        assert_eq!(Hash(ratchet.code(b"{}")).to_string(), CODE_0);
        ratchet.step();
        assert_eq!(Hash(ratchet.code(b"{}")).to_string(), CODE_1);
    }

    const CODE_0: &str = "7ffcc2e5525b1a93d36f820901acce50dbdb1b944c3ae2b09d2821bb5dfed7f4";
    const CODE_1: &str = "4b498a65ec5d260ee57150fe0f4d10a1d5241f83704d6d6080f1329cb09e0f5b";

    #[test]
    fn keys_do_not_print() {
        let start = StartKey::new(Zeroizing::new([7; 32]));
        assert_eq!(format!("{start:?} {:?}", start.ratchet()), "StartKey(..) Ratchet(..)");
    }
}
