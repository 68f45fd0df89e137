//! Doors that take raw secrets: for vectors and audits only.
//!
//! Nothing here wipes what the caller passes in or gets back.

use crate::mac::KeyedState;
use crate::{KeyError, Profile, Scope, TokenFormat, Tokenizer, derive};
use hkdf::Hkdf;
use sha2::Sha256;
use std::collections::BTreeMap;

/// Everything [`derive_token`] makes; bytes in lower-case hex.
///
/// Keys: `info_hex`, `derived_key`, `normalised`, `mac`, `token_hex128`, `token_b32_130`,
/// `token_b62_128`, `typed_80`.
pub type Derived = BTreeMap<String, String>;

/// The whole derivation from raw inputs, one token of the whole data set.
///
/// `usage` is `token` for every token of this version. `label` stands before the text token.
///
/// # Errors
/// [`KeyError::TooLong`] for a usage, tenant, domain or field of more than 65,535 bytes,
/// [`KeyError::BadLabel`] for a label that is not `[A-Z][A-Z0-9_]*`.
pub fn derive_token(
    epoch_secret: &[u8; 32],
    keyring_id: &[u8; 16],
    tenant: &str,
    domain: &str,
    field: &str,
    usage: &str,
    profile: Profile,
    value: &str,
    label: &str,
) -> Result<Derived, KeyError> {
    if !crate::is_text_label(label) {
        return Err(KeyError::BadLabel { bytes: label.len() });
    }
    let info = derive::info(usage, tenant, domain, field)?;
    let key = derive::subkey(epoch_secret, keyring_id, &info);
    let mut scratch = String::new();
    let mac = Tokenizer::of_subkey(&key, profile).mac(Scope::Dataset, value, &mut scratch);
    let normalised = profile.normalise(value, &mut scratch);

    let column = |format| {
        let mut token = String::new();
        mac.push_column_token(format, &mut token);
        token
    };
    let mut typed = String::new();
    mac.push_text_token(label, &mut typed);
    Ok([
        ("info_hex", derive::hex(&info)),
        ("derived_key", derive::hex(key.bytes())),
        ("normalised", normalised.to_owned()),
        ("mac", derive::hex(&mac.0)),
        ("token_hex128", column(TokenFormat::Hex)),
        ("token_b32_130", column(TokenFormat::Crockford)),
        ("token_b62_128", column(TokenFormat::Base62)),
        ("typed_80", typed),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text))
    .collect())
}

/// HMAC-SHA-256 (RFC 2104) as the tokens are made with it; key and message of any length.
#[must_use]
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let keyed = KeyedState::new(key);
    let mut mac = keyed.begin();
    mac.feed(message);
    mac.finish()
}

/// HKDF-SHA-256 (RFC 5869) as the subkeys are made with it; fills `okm`.
///
/// # Errors
/// [`KeyError::TooLong`] when more than 8,160 bytes (255 blocks) are asked for.
pub fn hkdf_sha256(salt: &[u8], ikm: &[u8], info: &[u8], okm: &mut [u8]) -> Result<(), KeyError> {
    let bytes = okm.len();
    Hkdf::<Sha256>::new(Some(salt), ikm)
        .expand(info, okm)
        .map_err(|_| KeyError::TooLong { what: "derived key", bytes })
}
