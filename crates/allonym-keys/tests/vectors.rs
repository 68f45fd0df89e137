//! Published vectors, and the project's own for tokens.
//!
//! The larger suites are optional data: `ALLONYM_DATA` names the folder that holds
//! `crypto_vectors`; without it they are left out and say so.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "what a test's helpers do is the test's"
)]

use allonym_keys::{Profile, danger};
use argon2::{Algorithm, Argon2, ParamsBuilder, Version};
use serde_json::Value;
use std::path::PathBuf;

const RFC4231: &str = include_str!("data/rfc4231.json");
const RFC5869: &str = include_str!("data/rfc5869.json");
const RFC9106: &str = include_str!("data/rfc9106.json");
const TOKENS: &str = include_str!("data/tokens.json");

#[test]
fn hmac_of_rfc_4231() {
    let tests = tests_of(RFC4231);
    assert_eq!(tests.len(), 7);
    for test in tests {
        let (key, message, expected) =
            (hex(&test, "key"), hex(&test, "message"), hex(&test, "mac"));
        let mac = danger::hmac_sha256(&key, &message);
        // Case 5 publishes the first 128 bits only.
        assert_eq!(mac[..expected.len()], expected, "case {}", test["case"]);
        assert!(expected.len() == 32 || test["case"] == "5");

        let mut other = message.clone();
        other.push(0);
        assert_ne!(danger::hmac_sha256(&key, &other)[..expected.len()], expected);
        let mut other = key.clone();
        other[0] ^= 1;
        assert_ne!(danger::hmac_sha256(&other, &message)[..expected.len()], expected);
    }
}

#[test]
fn hkdf_of_rfc_5869() {
    let tests = tests_of(RFC5869);
    assert_eq!(tests.len(), 3);
    for test in tests {
        let (salt, ikm, info) = (hex(&test, "salt"), hex(&test, "ikm"), hex(&test, "info"));
        let expected = hex(&test, "okm");
        // The extraction step is an HMAC under the salt; no salt counts as a block of zeros.
        assert_eq!(danger::hmac_sha256(&salt, &ikm)[..], hex(&test, "prk"));
        let mut okm = vec![0; expected.len()];
        danger::hkdf_sha256(&salt, &ikm, &info, &mut okm).unwrap();
        assert_eq!(okm, expected, "case {}", test["case"]);
        danger::hkdf_sha256(&salt, &ikm, b"other", &mut okm).unwrap();
        assert_ne!(okm, expected, "case {}", test["case"]);
    }
    assert!(danger::hkdf_sha256(b"", b"", b"", &mut vec![0; 8_160]).is_ok());
    let error = danger::hkdf_sha256(b"", b"", b"", &mut vec![0; 8_161]).unwrap_err();
    assert_eq!(error.to_string(), "derived key of 8161 bytes is too long");
}

#[test]
fn argon2id_of_rfc_9106() {
    let test: Value = serde_json::from_str(RFC9106).unwrap();
    let cost = |name: &str| u32::try_from(test[name].as_u64().unwrap()).unwrap();
    let tag = |ad: &[u8]| {
        let mut params = ParamsBuilder::new();
        params.m_cost(cost("m_kib")).t_cost(cost("t")).p_cost(cost("p")).output_len(32);
        params.data(argon2::AssociatedData::new(ad).unwrap());
        let secret = hex(&test, "secret");
        let params = params.build().unwrap();
        let argon2 =
            Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut tag = [0; 32];
        argon2.hash_password_into(&hex(&test, "password"), &hex(&test, "salt"), &mut tag).unwrap();
        tag
    };
    assert_eq!(tag(&hex(&test, "associated_data"))[..], hex(&test, "tag"));
    assert_ne!(tag(b"")[..], hex(&test, "tag"));
}

#[test]
fn tokens_of_this_project() {
    let tests = tests_of(TOKENS);
    assert_eq!(tests.len(), 10);
    tests.iter().for_each(check_token);
}

/// Each input matters: with any one changed, another token comes out.
#[test]
fn tokens_depend_on_every_input() {
    let token = |secret, id, [tenant, domain, field, usage, value]: [&str; 5], profile| {
        let derived =
            danger::derive_token(secret, id, tenant, domain, field, usage, profile, value, "TEXT");
        derived.unwrap()["mac"].clone()
    };
    let names = ["t", "d", "f", "token", "v"];
    let base = token(&[1; 32], &[1; 16], names, Profile::Exact);
    assert_eq!(base, token(&[1; 32], &[1; 16], names, Profile::Exact));
    assert_ne!(base, token(&[2; 32], &[1; 16], names, Profile::Exact));
    assert_ne!(base, token(&[1; 32], &[2; 16], names, Profile::Exact));
    assert_ne!(base, token(&[1; 32], &[1; 16], names, Profile::Casefold));
    for at in 0..names.len() {
        let mut other = names;
        other[at] = "x";
        assert_ne!(base, token(&[1; 32], &[1; 16], other, Profile::Exact), "{}", names[at]);
    }
    // Neighbours do not run together.
    let one = token(&[1; 32], &[1; 16], ["a", "bc", "f", "token", "v"], Profile::Exact);
    let two = token(&[1; 32], &[1; 16], ["ab", "c", "f", "token", "v"], Profile::Exact);
    assert_ne!(one, two);
}

#[test]
fn the_open_door_refuses_what_the_ring_would() {
    let derive = |field: &str, label: &str| {
        danger::derive_token(
            &[1; 32],
            &[1; 16],
            "t",
            "d",
            field,
            "token",
            Profile::Exact,
            "v",
            label,
        )
    };
    assert!(derive(&"f".repeat(65_535), "TEXT").is_ok());
    let error = derive(&"f".repeat(65_536), "TEXT").unwrap_err();
    assert_eq!((error.code(), error.exit()), ("ALO-K025", 2));
    assert_eq!(error.to_string(), "field of 65536 bytes is too long");
    for label in ["", "person", "PERSON ", "9", "Zoë"] {
        let error = derive("f", label).unwrap_err();
        assert_eq!((error.code(), error.exit()), ("ALO-K027", 2), "{label}");
    }
}

#[test]
fn all_known_answers_for_tokens() {
    let Some(tests) = optional("proposal/token_kat.json") else { return };
    let tests = tests["tests"].as_array().unwrap();
    assert_eq!(tests.len(), 40);
    tests.iter().for_each(check_token);
}

#[test]
fn wycheproof_hmac_sha256() {
    let Some(suite) = optional("wycheproof/hmac_sha256_test.json") else { return };
    let (mut valid, mut invalid) = (0, 0);
    for group in suite["testGroups"].as_array().unwrap() {
        let bytes = usize::try_from(group["tagSize"].as_u64().unwrap() / 8).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let mac = danger::hmac_sha256(&hex(test, "key"), &hex(test, "msg"));
            let agrees = mac[..bytes] == hex(test, "tag");
            assert_eq!(agrees, test["result"] == "valid", "case {}", test["tcId"]);
            *(if agrees { &mut valid } else { &mut invalid }) += 1;
        }
    }
    assert_eq!(valid + invalid, 174);
    assert!(valid > 0 && invalid > 0);
}

#[test]
fn wycheproof_hkdf_sha256() {
    let Some(suite) = optional("wycheproof/hkdf_sha256_test.json") else { return };
    let (mut valid, mut invalid) = (0, 0);
    for group in suite["testGroups"].as_array().unwrap() {
        for test in group["tests"].as_array().unwrap() {
            let mut okm = vec![0; usize::try_from(test["size"].as_u64().unwrap()).unwrap()];
            let (salt, ikm, info) = (hex(test, "salt"), hex(test, "ikm"), hex(test, "info"));
            let made = danger::hkdf_sha256(&salt, &ikm, &info, &mut okm);
            if test["result"] == "valid" {
                made.unwrap();
                assert_eq!(okm, hex(test, "okm"), "case {}", test["tcId"]);
                valid += 1;
            } else {
                assert!(made.is_err(), "case {}", test["tcId"]);
                invalid += 1;
            }
        }
    }
    assert_eq!(valid + invalid, 86);
    assert!(valid > 0 && invalid > 0);
}

fn check_token(test: &Value) {
    let text = |name: &str| test[name].as_str().unwrap();
    let (label, _) = text("typed_80").rsplit_once('_').unwrap();
    let derived = danger::derive_token(
        &hex(test, "epoch_secret").try_into().unwrap(),
        &hex(test, "keyring_id").try_into().unwrap(),
        text("tenant"),
        text("domain"),
        text("field"),
        text("usage"),
        Profile::from_name(text("norm_profile")).unwrap(),
        text("value"),
        label,
    );
    let derived = derived.unwrap();
    for (name, made) in &derived {
        assert_eq!(made, text(name), "{name} of {}", text("value"));
    }
    let names: Vec<&str> = derived.keys().map(String::as_str).collect();
    let expected = [
        "derived_key",
        "info_hex",
        "mac",
        "normalised",
        "token_b32_130",
        "token_b62_128",
        "token_hex128",
        "typed_80",
    ];
    assert_eq!(names, expected);
}

fn tests_of(file: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(file).unwrap()["tests"].as_array().unwrap().clone()
}

/// A file of the optional data.
#[expect(clippy::disallowed_methods, reason = "the documented way to optional test data")]
fn optional(file: &str) -> Option<Value> {
    let Ok(folder) = std::env::var("ALLONYM_DATA") else {
        println!("left out: crypto_vectors/{file} (ALLONYM_DATA is not set)");
        return None;
    };
    let path = PathBuf::from(folder).join("crypto_vectors").join(file);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(serde_json::from_slice(&text).unwrap())
}

fn hex(test: &Value, name: &str) -> Vec<u8> {
    let digits = test[name].as_str().unwrap_or_else(|| panic!("no `{name}`")).as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}
