//! HMAC-SHA-256 (RFC 2104, FIPS 180-4) with the key block hashed once, and what is hashed.

use crate::token::{self, TokenFormat};
use crate::{KeyError, Profile, derive};
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use std::{fmt, slice};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A keyed HMAC state for one domain and join field; wiped on drop; not `Clone`.
pub struct Tokenizer {
    keyed: KeyedState,
    profile: Profile,
    /// A block that begins as every message of [`Scope::Dataset`] does, zero after that.
    head: [u8; BLOCK],
    head_bytes: usize,
}

impl Tokenizer {
    /// A tokenizer under the subkey of (usage `token`, tenant, domain, field).
    pub(crate) fn new(
        epoch_secret: &[u8; 32],
        keyring_id: &[u8; 16],
        [tenant, domain, field]: [&str; 3],
        profile: Profile,
    ) -> Result<Tokenizer, KeyError> {
        let info = derive::info(derive::USAGE_TOKEN, tenant, domain, field)?;
        Ok(Tokenizer::of_subkey(&derive::subkey(epoch_secret, keyring_id, &info), profile))
    }

    pub(crate) fn of_subkey(key: &derive::Secret, profile: Profile) -> Tokenizer {
        let keyed = KeyedState::new(key.bytes());
        let mut message = keyed.begin();
        feed_head(&mut message, profile, Scope::Dataset);
        let Message { block: head, filled: head_bytes, .. } = message;
        Tokenizer { keyed, profile, head, head_bytes }
    }

    /// HMAC of the normalised value; `scratch` is reused memory and is wiped by its owner.
    ///
    /// The empty value has a MAC like any other; whether an empty cell is one is the caller's to
    /// say. Equal inputs give equal MACs, on every machine and in every later version.
    #[must_use]
    pub fn mac(&self, scope: Scope<'_>, value: &str, scratch: &mut String) -> Mac {
        let value = self.profile.normalise(value, scratch).as_bytes();
        let bytes = self.head_bytes + value.len();
        if matches!(scope, Scope::Dataset) && bytes < LENGTH_AT {
            let mut block = self.head;
            block[self.head_bytes..bytes].copy_from_slice(value);
            return Mac(self.keyed.one_block(block, bytes));
        }
        let mut message = self.keyed.begin();
        feed_head(&mut message, self.profile, scope);
        message.feed(value);
        Mac(message.finish())
    }
}

impl Tokenizer {
    /// A token that says nothing of any value: 88 bits that depend on the place alone, and 40 by
    /// which [`Tokenizer::is_unlinked`] knows it again. No two places may be the same.
    #[must_use]
    pub fn unlinked(&self, place: Scope<'_>, scratch: &mut String) -> Mac {
        let mut mac = self.mac(place, "", scratch);
        let check = self.unlinked_check(&mac.bytes16(), scratch);
        mac.0[UNLINKED_BYTES..16].copy_from_slice(&check);
        mac
    }

    /// Whether the first 16 bytes of a token are those of [`Tokenizer::unlinked`]; one other token
    /// in 10^12 passes for one.
    #[must_use]
    pub fn is_unlinked(&self, token: &[u8; 16], scratch: &mut String) -> bool {
        self.unlinked_check(token, scratch) == token[UNLINKED_BYTES..]
    }

    fn unlinked_check(&self, token: &[u8; 16], scratch: &mut String) -> [u8; 16 - UNLINKED_BYTES] {
        let place = derive::hex(&token[..UNLINKED_BYTES]);
        let mac = self.mac(Scope::Document(UNLINKED), &place, scratch);
        *mac.0.first_chunk().expect("32 bytes have five")
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokenizer").field("profile", &self.profile).finish_non_exhaustive()
    }
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

/// A full MAC: turned into a token by one named call.
pub struct Mac(pub(crate) [u8; 32]);

impl Mac {
    /// First 16 bytes.
    #[must_use]
    pub fn bytes16(&self) -> [u8; 16] {
        *self.0.first_chunk().expect("32 bytes have 16")
    }

    /// Appends a column token as text; [`TokenFormat::Binary`] has no text of its own and is
    /// spelt as hexadecimal.
    pub fn push_column_token(&self, format: TokenFormat, out: &mut String) {
        match format {
            TokenFormat::Base62 => token::push_base62(self.bytes16(), out),
            TokenFormat::Hex | TokenFormat::Binary => token::push_hex(self.bytes16(), out),
            TokenFormat::Crockford => token::push_crockford(&self.0, out),
        }
    }

    /// Appends `LABEL_` + 16 Crockford + check character. A label that
    /// [`is_text_label`](crate::is_text_label) refuses is spelt `TEXT`: under it the token could
    /// not be found again.
    pub fn push_text_token(&self, label: &str, out: &mut String) {
        token::push_text(label, &self.0, out);
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mac(..)")
    }
}

/// What stands before the normalised value: the profile, and for a narrower scope its document and
/// row. Every part of open length has its length before it, and no name of a profile with a scope
/// is a profile's, so two scopes never hash the same bytes.
fn feed_head(message: &mut Message<'_>, profile: Profile, scope: Scope<'_>) {
    let name = profile.name();
    match scope {
        Scope::Dataset => feed_counted(message, &[name]),
        Scope::Document(document) => {
            feed_named(message, name, ["/document", "/long-document"], document);
        }
        Scope::Row(document, row) => {
            feed_named(message, name, ["/row", "/long-row"], document);
            message.feed(&row.to_be_bytes());
        }
    }
}

/// A document's name that no two-byte length can count is replaced by its SHA-256, under a profile
/// name of its own: hashing cannot fail halfway through a run over a name.
fn feed_named(message: &mut Message<'_>, profile: &str, [short, long]: [&str; 2], document: &str) {
    if u16::try_from(document.len()).is_ok() {
        feed_counted(message, &[profile, short]);
        feed_counted(message, &[document]);
    } else {
        feed_counted(message, &[profile, long]);
        message.feed(&Sha256::digest(document));
    }
}

fn feed_counted(message: &mut Message<'_>, parts: &[&str]) {
    let bytes = parts.iter().map(|part| part.len()).sum::<usize>();
    let bytes = u16::try_from(bytes).expect("callers count at most 65,535 bytes");
    message.feed(&bytes.to_be_bytes());
    for part in parts {
        message.feed(part.as_bytes());
    }
}

/// HMAC-SHA-256 after the inner and the outer key block: worth as much as the key, wiped on drop.
pub(crate) struct KeyedState {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl KeyedState {
    /// From a key of any length; one longer than a block is hashed first.
    pub(crate) fn new(key: &[u8]) -> KeyedState {
        let mut block = Zeroizing::new([0; BLOCK]);
        if key.len() > BLOCK {
            block[..32].copy_from_slice(&Sha256::digest(key));
        } else {
            block[..key.len()].copy_from_slice(key);
        }
        let mut keyed = KeyedState { inner: SHA256_START, outer: SHA256_START };
        for (state, pad) in [(&mut keyed.inner, 0x36), (&mut keyed.outer, 0x5c)] {
            let padded = Zeroizing::new(block.map(|byte| byte ^ pad));
            compress256(state, &[*padded]);
        }
        keyed
    }

    pub(crate) fn begin(&self) -> Message<'_> {
        Message { keyed: self, state: self.inner, block: [0; BLOCK], filled: 0, blocks: 1 }
    }

    /// The MAC of the first `bytes` bytes of `block`, fewer than [`LENGTH_AT`]; zero after them.
    #[inline]
    fn one_block(&self, mut block: [u8; BLOCK], bytes: usize) -> [u8; 32] {
        let bits = u16::try_from((BLOCK + bytes) * 8).expect("two blocks are 1,024 bits");
        block[bytes] = 0x80;
        block[BLOCK - 2..].copy_from_slice(&bits.to_be_bytes());
        let mut state = self.inner;
        compress256(&mut state, slice::from_ref(&block));
        self.outer_of(&state)
    }

    #[inline]
    fn outer_of(&self, inner: &[u32; 8]) -> [u8; 32] {
        let mut block = OUTER_BLOCK;
        block[..32].copy_from_slice(&big_endian(inner));
        let mut state = self.outer;
        compress256(&mut state, slice::from_ref(&block));
        big_endian(&state)
    }
}

impl Drop for KeyedState {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

impl ZeroizeOnDrop for KeyedState {}

/// A message on its way through SHA-256, begun after the inner key block.
pub(crate) struct Message<'k> {
    keyed: &'k KeyedState,
    state: [u32; 8],
    block: [u8; BLOCK],
    /// INVARIANT: less than [`BLOCK`] between calls.
    filled: usize,
    /// Blocks hashed, the key block among them.
    blocks: u64,
}

impl Message<'_> {
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        loop {
            let room = BLOCK - self.filled;
            if bytes.len() < room {
                self.block[self.filled..self.filled + bytes.len()].copy_from_slice(bytes);
                self.filled += bytes.len();
                return;
            }
            let (now, later) = bytes.split_at(room);
            self.block[self.filled..].copy_from_slice(now);
            compress256(&mut self.state, slice::from_ref(&self.block));
            self.blocks += 1;
            self.filled = 0;
            bytes = later;
        }
    }

    pub(crate) fn finish(mut self) -> [u8; 32] {
        let filled = u64::try_from(self.filled).expect("less than a block");
        let bits = (self.blocks * 64 + filled) * 8;
        self.block[self.filled] = 0x80;
        self.block[self.filled + 1..].fill(0);
        if self.filled >= LENGTH_AT {
            compress256(&mut self.state, slice::from_ref(&self.block));
            self.block = [0; BLOCK];
        }
        self.block[LENGTH_AT..].copy_from_slice(&bits.to_be_bytes());
        compress256(&mut self.state, slice::from_ref(&self.block));
        self.keyed.outer_of(&self.state)
    }
}

fn big_endian(state: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (four, word) in bytes.chunks_exact_mut(4).zip(state) {
        four.copy_from_slice(&word.to_be_bytes());
    }
    bytes
}

/// Bytes of an unlinked token that are not its check.
const UNLINKED_BYTES: usize = 11;
/// Keeps checks apart from all that is hashed for values.
const UNLINKED: &str = "allonym unlinked token";
const BLOCK: usize = 64;
const LENGTH_AT: usize = BLOCK - 8;

/// The outer message is a key block and a digest: 96 bytes, so its padding never changes.
const OUTER_BLOCK: [u8; BLOCK] = {
    let mut block = [0; BLOCK];
    block[32] = 0x80;
    block[62] = 3;
    block
};

/// FIPS 180-4, 5.3.3.
const SHA256_START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, KeyInit, Mac as _};
    use proptest::prelude::*;

    fn tokenizer(profile: Profile) -> Tokenizer {
        Tokenizer::new(&[1; 32], &[2; 16], ["tenant", "domain", "field"], profile).unwrap()
    }

    /// The contract's message, put together in one piece and hashed by another implementation.
    fn oracle(message: &[u8]) -> [u8; 32] {
        let info = derive::info("token", "tenant", "domain", "field").unwrap();
        let key = derive::subkey(&[1; 32], &[2; 16], &info);
        let mut mac = Hmac::<Sha256>::new_from_slice(key.bytes()).unwrap();
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    fn mac(scope: Scope<'_>, value: &str) -> [u8; 32] {
        tokenizer(Profile::Exact).mac(scope, value, &mut String::new()).0
    }

    #[test]
    fn the_message_of_each_scope() {
        assert_eq!(mac(Scope::Dataset, " v "), oracle(b"\0\x05exactv"));
        assert_eq!(mac(Scope::Document("d1"), "v"), oracle(b"\0\x0eexact/document\0\x02d1v"));
        assert_eq!(
            mac(Scope::Row("d1", 258), "v"),
            oracle(b"\0\x09exact/row\0\x02d1\0\0\0\0\0\0\x01\x02v")
        );
        let long = "d".repeat(65_536);
        let digest = Sha256::digest(&long);
        let expected = [b"\0\x13exact/long-document".as_slice(), &digest, b"v"].concat();
        assert_eq!(mac(Scope::Document(&long), "v"), oracle(&expected));
        let expected = [b"\0\x0eexact/long-row".as_slice(), &digest, &[0; 8], b"v"].concat();
        assert_eq!(mac(Scope::Row(&long, 0), "v"), oracle(&expected));
        let longest = "d".repeat(65_535);
        let expected =
            [b"\0\x0eexact/document\xff\xff".as_slice(), longest.as_bytes(), b"v"].concat();
        assert_eq!(mac(Scope::Document(&longest), "v"), oracle(&expected));
    }

    #[test]
    fn scopes_documents_rows_and_profiles_differ() {
        let long = "d".repeat(70_000);
        let longer = "d".repeat(70_001);
        let scopes = [
            Scope::Dataset,
            Scope::Document(""),
            Scope::Document("a"),
            Scope::Document("av"),
            Scope::Document(&long),
            Scope::Document(&longer),
            Scope::Row("", 0),
            Scope::Row("a", 0),
            Scope::Row("a", 1),
            Scope::Row("a", u64::MAX),
            Scope::Row(&long, 1),
        ];
        let mut seen = std::collections::BTreeSet::new();
        for scope in scopes {
            for profile in Profile::ALL {
                let mac = tokenizer(profile).mac(scope, "v", &mut String::new()).0;
                assert!(seen.insert(mac), "{profile:?} {scope:?}");
                let again = tokenizer(profile).mac(scope, "v", &mut String::from("x")).0;
                assert_eq!(mac, again);
            }
        }
        // What one document's name ends with, another's value begins with.
        assert_ne!(mac(Scope::Document("ab"), "c"), mac(Scope::Document("a"), "bc"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let tokenizer = tokenizer(Profile::Iban);
        assert_eq!(format!("{tokenizer:?}"), "Tokenizer { profile: Iban, .. }");
        let mac = tokenizer.mac(Scope::Dataset, "v", &mut String::new());
        assert_eq!(format!("{mac:?}"), "Mac(..)");
    }

    #[test]
    fn every_length_around_the_block_ends() {
        for bytes in 0..300 {
            let value = "x".repeat(bytes);
            let expected = oracle(&[b"\0\x05exact", value.as_bytes()].concat());
            assert_eq!(mac(Scope::Dataset, &value), expected, "{bytes}");
        }
        let huge = "x".repeat(1 << 20);
        assert_eq!(mac(Scope::Dataset, &huge), oracle(&[b"\0\x05exact", huge.as_bytes()].concat()));
    }

    proptest! {
        #[test]
        fn agrees_with_another_implementation(
            key in prop::collection::vec(any::<u8>(), 0..200),
            parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..6),
        ) {
            let keyed = KeyedState::new(&key);
            let mut message = keyed.begin();
            let mut other = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            for part in &parts {
                message.feed(part);
                other.update(part);
            }
            let other: [u8; 32] = other.finalize().into_bytes().into();
            prop_assert_eq!(message.finish(), other);
        }
    }
}
