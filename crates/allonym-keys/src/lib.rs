//! Keyrings, key derivation and keyed tokens.
//!
//! A keyring is one file that holds, sealed, a random 32-byte secret for every epoch of every
//! tenant. HKDF-SHA-256 fans such a secret out to one subkey for each usage, domain and join
//! field; HMAC-SHA-256 under that subkey turns a normalised value into a token. There is no path
//! to a token without a key. One more secret, of no tenant, is where the keys that sign and start a
//! ledger come from.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use allonym_keys::{Keyring, Profile, Scope, TokenFormat, Unlock};
//!
//! # let folder = tempfile::tempdir()?;
//! let path = folder.path().join("claims.keyring");
//! let ring = Keyring::create(
//!     &path, &Unlock::LocalFile, "prod-2026", "default", "2026-01-05T09:00:00Z")?;
//! let key = ring.key(Some("prod-2026"), "default")?;
//! let tokenizer = key.tokenizer("claims-training", "email", Profile::Casefold)?;
//!
//! let (mut scratch, mut token) = (String::new(), String::new());
//! let mac = tokenizer.mac(Scope::Dataset, "Zoe.Invented@Example.org", &mut scratch);
//! mac.push_column_token(TokenFormat::Base62, &mut token);
//! assert_eq!(token.len(), 22);
//! # Ok(())
//! # }
//! ```
//!
//! # Limits
//!
//! Tenant, domain and field names: 65,535 bytes each. A ring file: 16 MiB. Labels: 128 bytes.
//! Argon2id: between 64 MiB and 4 GiB of memory.
//!
//! # What it does not protect against
//!
//! Whoever holds the key, or may call a tokenizer at will, can try every phone number: tokens of
//! values that can be listed are as safe as the key and no safer. Equal values stay visibly equal,
//! so frequencies show. A local key file beside the ring keeps the ring safe only when the two are
//! not copied together. Long-lived secrets are wiped on drop; copies that the processor, the swap
//! space or a core dump made are out of reach.

mod canonical;
mod derive;
mod doctor;
mod error;
mod file;
mod kek;
mod mac;
mod profile;
mod ring;
mod token;

pub mod danger;

pub use canonical::canonical_json;
pub use doctor::{Finding, Severity, doctor};
pub use error::KeyError;
pub use kek::{Passphrase, Unlock};
pub use mac::{Mac, Scope, Tokenizer};
pub use profile::Profile;
pub use ring::{Key, KeyInfo, KeyState, Keyring, LedgerUsage, RingFacts};
pub use token::{TokenFormat, collision_probability, find_text_tokens, is_text_label};
