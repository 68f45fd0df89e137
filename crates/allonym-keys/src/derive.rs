//! From an epoch secret to the subkey of one usage, tenant, domain and join field.

use crate::KeyError;
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// 32 secret bytes on the heap, so that moving the owner leaves no copy behind; wiped on drop.
pub(crate) struct Secret(Box<[u8; SECRET_BYTES]>);

impl Secret {
    /// Fresh from the operating system.
    pub(crate) fn random() -> Result<Secret, KeyError> {
        let mut secret = Secret::zero();
        getrandom::fill(secret.0.as_mut_slice()).map_err(|_| KeyError::NoRandomness)?;
        Ok(secret)
    }

    /// All zero, to be filled in place.
    pub(crate) fn zero() -> Secret {
        Secret(Box::new([0; SECRET_BYTES]))
    }

    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Secret> {
        let mut secret = Secret::zero();
        if bytes.len() != SECRET_BYTES {
            return None;
        }
        secret.0.copy_from_slice(bytes);
        Some(secret)
    }

    /// A second owner of the same bytes; not `Clone`, so that nobody makes one by accident.
    pub(crate) fn copy(&self) -> Secret {
        let mut secret = Secret::zero();
        secret.0.copy_from_slice(self.0.as_slice());
        secret
    }

    pub(crate) fn bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8; SECRET_BYTES] {
        &mut self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The `info` of a token subkey: `allonym/v1`, then usage, tenant, domain and field, each behind
/// its length in two bytes, so that (`a`, `bc`) and (`ab`, `c`) differ.
pub(crate) fn info(
    usage: &str,
    tenant: &str,
    domain: &str,
    field: &str,
) -> Result<Vec<u8>, KeyError> {
    let parts = [("usage", usage), ("tenant", tenant), ("domain", domain), ("field", field)];
    prefixed(TOKEN_INFO, &parts)
}

/// The `info` of a subkey of the ledger: what it is for, and of which log.
pub(crate) fn ledger_info(usage: &str, log: &str) -> Result<Vec<u8>, KeyError> {
    prefixed(LEDGER_INFO, &[("usage", usage), ("log", log)])
}

fn prefixed(label: &[u8], parts: &[(&'static str, &str)]) -> Result<Vec<u8>, KeyError> {
    let mut info = label.to_vec();
    for &(what, part) in parts {
        let bytes =
            u16::try_from(part.len()).map_err(|_| KeyError::TooLong { what, bytes: part.len() })?;
        info.extend_from_slice(&bytes.to_be_bytes());
        info.extend_from_slice(part.as_bytes());
    }
    Ok(info)
}

/// HKDF-SHA-256 (RFC 5869), 32 bytes.
pub(crate) fn subkey(secret: &[u8; SECRET_BYTES], salt: &[u8], info: &[u8]) -> Secret {
    let mut key = Secret::zero();
    Hkdf::<Sha256>::new(Some(salt), secret)
        .expand(info, key.bytes_mut())
        .expect("HKDF-SHA-256 gives up to 8,160 bytes");
    key
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(HEX[usize::from(digit)]));
        }
    }
    text
}

/// The inverse of [`hex`]: exactly `N` bytes in lower case, else `None`. Strict, so that one
/// secret or file has one spelling.
pub(crate) fn unhex<const N: usize>(text: &[u8]) -> Option<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    unhex_into(text, bytes.as_mut_slice()).then_some(bytes)
}

pub(crate) fn unhex_into(text: &[u8], bytes: &mut [u8]) -> bool {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != bytes.len() * 2 {
        return false;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        match (digit(pair[0]), digit(pair[1])) {
            (Some(high), Some(low)) => *byte = high << 4 | low,
            _ => return false,
        }
    }
    true
}

pub(crate) const SECRET_BYTES: usize = 32;

/// Labels for key derivation, all in one place: no two usages may share one.
pub(crate) const TOKEN_INFO: &[u8] = b"allonym/v1";
pub(crate) const USAGE_TOKEN: &str = "token";
pub(crate) const KEK_COMMIT_INFO: &[u8] = b"allonym.keyring/1 commit";
pub(crate) const KEK_WRAP_INFO: &[u8] = b"allonym.keyring/1 wrap";
pub(crate) const RING_SEAL_INFO: &[u8] = b"allonym.keyring/1 seal";
pub(crate) const LEDGER_INFO: &[u8] = b"allonym.keyring/1 ledger";

const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_names_do_not_run_together() {
        let info = |tenant, domain| info(USAGE_TOKEN, tenant, domain, "f").unwrap();
        assert_ne!(info("a", "bc"), info("ab", "c"));
        assert_ne!(info("", "abc"), info("abc", ""));
        assert_eq!(info("a", "b"), b"allonym/v1\0\x05token\0\x01a\0\x01b\0\x01f");
    }

    #[test]
    fn names_end_at_65_535_bytes() {
        let longest = "x".repeat(65_535);
        let too_long = "x".repeat(65_536);
        assert!(info(USAGE_TOKEN, &longest, &longest, &longest).is_ok());
        for (tenant, domain, field, wrong) in [
            (&*too_long, "d", "f", "tenant"),
            ("t", &*too_long, "f", "domain"),
            ("t", "d", &*too_long, "field"),
        ] {
            match info(USAGE_TOKEN, tenant, domain, field) {
                Err(KeyError::TooLong { what, bytes: 65_536 }) => assert_eq!(what, wrong),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn labels_are_distinct_and_none_starts_another() {
        let labels = [TOKEN_INFO, KEK_COMMIT_INFO, KEK_WRAP_INFO, RING_SEAL_INFO, LEDGER_INFO];
        for (at, one) in labels.iter().enumerate() {
            for other in &labels[at + 1..] {
                assert!(!one.starts_with(other) && !other.starts_with(one));
            }
        }
    }

    #[test]
    fn hexadecimal_has_one_spelling() {
        assert_eq!(hex(&[0, 0xab, 0xff]), "00abff");
        assert_eq!(unhex::<3>(b"00abff").as_deref(), Some(&[0, 0xab, 0xff]));
        for wrong in ["00ABFF", "00abf", "00abff0", "00abfg", "", "0x00ab", "00abf\u{e9}"] {
            assert!(unhex::<3>(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_secret_does_not_print() {
        let secret = Secret::from_slice(&[0x5a; 32]).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert!(Secret::from_slice(&[0; 31]).is_none());
    }
}
