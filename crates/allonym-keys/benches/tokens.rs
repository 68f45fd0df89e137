//! Tokens a second: a [`Tokenizer`] against HMAC keyed anew for every value, spelling included.

use allonym_keys::{Keyring, Profile, Scope, TokenFormat, Tokenizer, Unlock};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;
use std::hint::black_box;

const VALUES: u64 = 8_192;

/// Invented account numbers of 8 to 40 characters.
fn values() -> Vec<String> {
    (0..VALUES)
        .map(|at| {
            let mixed = at.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let bytes = usize::try_from(8 + mixed % 33).expect("at most 40");
            format!("{mixed:020}{at:020}").chars().take(bytes).collect()
        })
        .collect()
}

fn tokenizer(profile: Profile) -> Tokenizer {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("bench.keyring");
    let ring = Keyring::create(&path, &Unlock::LocalFile, "bench", "default", "2026-01-05");
    let ring = ring.expect("a ring can be made in a temporary folder");
    let key = ring.key(None, "default").expect("the ring was just made");
    key.tokenizer("bench", "account", profile).expect("the names are short")
}

fn columns(criterion: &mut Criterion) {
    let values = values();
    let mut group = criterion.benchmark_group("column");
    group.throughput(Throughput::Elements(VALUES));
    for (name, format) in [
        ("base62", TokenFormat::Base62),
        ("hex", TokenFormat::Hex),
        ("crockford", TokenFormat::Crockford),
    ] {
        let tokenizer = tokenizer(Profile::Exact);
        group.bench_function(format!("tokenizer/{name}"), |bencher| {
            let (mut scratch, mut out) = (String::new(), String::new());
            bencher.iter(|| {
                out.clear();
                for value in &values {
                    let mac = tokenizer.mac(Scope::Dataset, black_box(value), &mut scratch);
                    mac.push_column_token(format, &mut out);
                }
                black_box(out.len())
            });
        });
    }
    group.bench_function("keyed anew/hex", |bencher| {
        let mut out = String::new();
        bencher.iter(|| {
            out.clear();
            for value in &values {
                let mac = keyed_anew(black_box(value));
                for byte in &mac[..16] {
                    for digit in [byte >> 4, byte & 15] {
                        out.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
                    }
                }
            }
            black_box(out.len())
        });
    });
    group.finish();
}

fn macs(criterion: &mut Criterion) {
    let values = values();
    let mut group = criterion.benchmark_group("mac");
    group.throughput(Throughput::Elements(VALUES));
    for profile in Profile::ALL {
        let tokenizer = tokenizer(profile);
        group.bench_function(format!("tokenizer/{}", profile.name()), |bencher| {
            let mut scratch = String::new();
            bencher.iter(|| {
                for value in &values {
                    let mac = tokenizer.mac(Scope::Dataset, black_box(value), &mut scratch);
                    black_box(mac.bytes16());
                }
            });
        });
    }
    group.bench_function("keyed anew", |bencher| {
        bencher.iter(|| {
            for value in &values {
                black_box(keyed_anew(black_box(value)));
            }
        });
    });
    group.finish();
}

fn keyed_anew(value: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(&[7; 32]).expect("HMAC takes any key");
    mac.update(b"\0\x05exact");
    mac.update(value.as_bytes());
    mac.finalize().into_bytes().into()
}

fn search(criterion: &mut Criterion) {
    let line = "Frau Zoe Invented (PERSON_A6Y3B666JY4HZ1DYW) schrieb am 5. Januar an ACME_CLAIMS. ";
    let text = line.repeat(1_000);
    let mut group = criterion.benchmark_group("find_text_tokens");
    group.throughput(Throughput::Bytes(u64::try_from(text.len()).expect("short")));
    group.bench_function("letters", |bencher| {
        let mut out = Vec::new();
        bencher.iter(|| {
            out.clear();
            allonym_keys::find_text_tokens(black_box(&text), &mut out);
            assert_eq!(out.len(), 1_000);
        });
    });
    group.finish();
}

criterion_group!(benches, columns, macs, search);
criterion_main!(benches);
