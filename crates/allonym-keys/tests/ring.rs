//! Keyrings: made, opened, changed, and refused.

#![expect(clippy::unwrap_used, reason = "what a test's helpers do is the test's")]

use allonym_keys::{
    KeyError, KeyState, Keyring, LedgerUsage, Passphrase, Profile, Scope, Severity, Unlock, doctor,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const MADE: &str = "2026-01-05T09:00:00Z";

fn passphrase(words: &str) -> Unlock {
    Unlock::Passphrase(Passphrase::new(words.as_bytes().to_vec()))
}

fn local_ring() -> (TempDir, PathBuf, Keyring) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.keyring");
    let ring = Keyring::create(&path, &Unlock::LocalFile, "prod-2026", "default", MADE).unwrap();
    (folder, path, ring)
}

fn token(ring: &Keyring, key: Option<&str>, tenant: &str) -> [u8; 16] {
    let tokenizer = ring.key(key, tenant).unwrap().tokenizer("d", "f", Profile::Exact).unwrap();
    tokenizer.mac(Scope::Dataset, "v", &mut String::new()).bytes16()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// Rewrites the ring's JSON in place.
fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut ring: Value = serde_json::from_str(&text(path)).unwrap();
    change(&mut ring);
    fs::write(path, serde_json::to_vec_pretty(&ring).unwrap()).unwrap();
}

fn refusal(path: &Path) -> KeyError {
    Keyring::open(path, &Unlock::LocalFile).unwrap_err()
}

fn codes(path: &Path, now: &str) -> Vec<&'static str> {
    doctor(path, Some(now)).iter().map(|finding| finding.code).collect()
}

#[test]
fn a_ring_comes_back_as_it_was_made() {
    let (_folder, path, ring) = local_ring();
    let again = Keyring::open(&path, &Unlock::LocalFile).unwrap();
    assert_eq!(again.keys(), ring.keys());
    assert_eq!((again.id(), again.path(), again.created()), (ring.id(), &*path, MADE));
    assert_eq!(token(&again, None, "default"), token(&ring, None, "default"));

    let [key] = ring.keys() else { panic!("one key") };
    assert_eq!((key.label.as_str(), key.tenant.as_str()), ("prod-2026", "default"));
    assert_eq!((key.state, key.epoch, key.created.as_str()), (KeyState::Active, 1, MADE));
    assert_eq!(key.id.len(), 5);
    assert!(key.id.bytes().all(|char| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&char)));
    assert_eq!(ring.id().len(), 32);

    let facts = Keyring::public_facts(&path).unwrap();
    assert_eq!((facts.id.as_str(), facts.created.as_str()), (ring.id(), MADE));
    assert_eq!((facts.keys.as_slice(), facts.needs_passphrase), (ring.keys(), false));
}

#[test]
fn keys_are_named_by_id_or_label() {
    let (_folder, _path, ring) = local_ring();
    let id = ring.keys()[0].id.clone();
    let active = token(&ring, None, "default");
    for name in [id.as_str(), &id.to_lowercase(), "prod-2026"] {
        assert_eq!(token(&ring, Some(name), "default"), active, "{name}");
        assert_eq!(ring.key(Some(name), "default").unwrap().info().id, id);
    }
    for name in ["", "PROD-2026", "prod-2025", "prod-2026 ", "*"] {
        let error = ring.key(Some(name), "default").unwrap_err();
        let expected =
            format!("no key `{name}` for tenant `default` in the keyring; it has {id} (prod-2026)");
        assert_eq!(error.to_string(), expected);
        assert_eq!((error.code(), error.exit()), ("ALO-K002", 4));
    }
    for name in [None, Some("prod-2026")] {
        let error = ring.key(name, "other").unwrap_err();
        let expected = "tenant `other` has no key in the keyring; it has keys of `default`";
        assert_eq!(error.to_string(), expected);
        assert_eq!((error.code(), error.exit()), ("ALO-K003", 4));
    }
}

#[test]
fn a_new_key_takes_over_and_the_old_one_still_computes() {
    let (_folder, path, mut ring) = local_ring();
    let before = token(&ring, None, "default");
    let later = "2027-01-05T09:00:00+01:00";
    let added = ring.add_key(&Unlock::LocalFile, "prod-2027", "default", later).unwrap();
    assert_eq!((added.state, added.epoch, added.created.as_str()), (KeyState::Active, 2, later));
    for ring in [ring, Keyring::open(&path, &Unlock::LocalFile).unwrap()] {
        let states: Vec<KeyState> = ring.keys().iter().map(|key| key.state).collect();
        assert_eq!(states, [KeyState::VerifyOnly, KeyState::Active]);
        assert_eq!(ring.key(None, "default").unwrap().info(), &added);
        assert_eq!(token(&ring, Some("prod-2026"), "default"), before);
        assert_ne!(token(&ring, None, "default"), before);
    }
}

#[test]
fn tenants_are_isolated() {
    let (_folder, _path, mut ring) = local_ring();
    let own = token(&ring, None, "default");
    let added = ring.add_key(&Unlock::LocalFile, "prod-2026", "bär-ag", MADE).unwrap();
    assert_eq!((added.epoch, added.state), (1, KeyState::Active));
    assert_eq!(ring.key(None, "default").unwrap().info().state, KeyState::Active);
    assert_eq!(token(&ring, None, "default"), own);
    assert_ne!(token(&ring, None, "bär-ag"), own);
    let error = ring.key(Some(&added.id), "default").unwrap_err();
    assert!(!error.to_string().contains(&format!("{} (", added.id)), "{error}");
    let order: Vec<&str> = ring.keys().iter().map(|key| key.tenant.as_str()).collect();
    assert_eq!(order, ["bär-ag", "default"]);
}

#[test]
fn two_rings_and_two_keys_disagree() {
    let (_one, _, ring) = local_ring();
    let (_two, _, other) = local_ring();
    assert_ne!(ring.id(), other.id());
    assert_ne!(token(&ring, None, "default"), token(&other, None, "default"));
}

#[test]
fn domains_fields_and_profiles_do_not_share_tokens() {
    let (_folder, _path, ring) = local_ring();
    let key = ring.key(None, "default").unwrap();
    let mut seen = BTreeSet::new();
    for domain in ["", "d", "d2"] {
        for field in ["", "f", "f2"] {
            for profile in Profile::ALL {
                let tokenizer = key.tokenizer(domain, field, profile).unwrap();
                let mac = tokenizer.mac(Scope::Dataset, "v", &mut String::new());
                assert!(seen.insert(mac.bytes16()), "{domain} {field} {profile:?}");
            }
        }
    }
    let long = "x".repeat(65_536);
    for (domain, field, wrong) in [(long.as_str(), "f", "domain"), ("d", &long, "field")] {
        let error = key.tokenizer(domain, field, Profile::Exact).unwrap_err();
        assert_eq!(error.to_string(), format!("{wrong} of 65536 bytes is too long"));
        assert_eq!(error.exit(), 2);
    }
}

#[test]
fn nothing_is_written_over() {
    let (_folder, path, ring) = local_ring();
    let before = (text(&path), text(&Keyring::local_key_path(&path)));
    let create = |path: &Path| {
        Keyring::create(path, &Unlock::LocalFile, "new", "default", MADE).unwrap_err()
    };
    let error = create(&path);
    assert_eq!((error.code(), error.exit()), ("ALO-K024", 2));
    assert_eq!((text(&path), text(&Keyring::local_key_path(&path))), before);

    // A key file without its ring may still open a backup of it.
    fs::remove_file(&path).unwrap();
    assert_eq!(create(&path).code(), "ALO-K024");
    assert!(!path.exists());
    assert_eq!(text(&Keyring::local_key_path(&path)), before.1);
    assert_eq!(Keyring::open(&path, &Unlock::LocalFile).unwrap_err().code(), "ALO-K001");
    drop(ring);
}

#[test]
fn of_many_who_create_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/a.keyring");
    let results: Vec<Result<Keyring, KeyError>> = std::thread::scope(|scope| {
        let create = || Keyring::create(&path, &Unlock::LocalFile, "prod", "default", MADE);
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (made, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    for error in refused {
        assert_eq!(error.unwrap_err().code(), "ALO-K024");
    }
    let ring = Keyring::open(&path, &Unlock::LocalFile).unwrap();
    assert_eq!(ring.id(), made[0].as_ref().unwrap().id());
    assert_eq!(files(path.parent().unwrap()), ["a.keyring", "a.keyring.key", "a.keyring.lock"]);
}

#[test]
fn keys_added_at_the_same_time_are_all_kept() {
    let (folder, path, _ring) = local_ring();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let path = &path;
            scope.spawn(move || {
                let mut ring = Keyring::open(path, &Unlock::LocalFile).unwrap();
                for round in 0..3 {
                    let label = format!("k{thread}-{round}");
                    ring.add_key(&Unlock::LocalFile, &label, "default", MADE).unwrap();
                }
            });
        }
    });
    let ring = Keyring::open(&path, &Unlock::LocalFile).unwrap();
    let epochs: Vec<u32> = ring.keys().iter().map(|key| key.epoch).collect();
    assert_eq!(epochs, (1..=13).collect::<Vec<_>>());
    let active = ring.keys().iter().filter(|key| key.state == KeyState::Active);
    assert_eq!(active.count(), 1);
    assert_eq!(files(folder.path()), ["a.keyring", "a.keyring.key", "a.keyring.lock"]);
}

#[test]
fn the_secret_of_the_ledger_is_added_once_and_stays() {
    let (_folder, path, mut ring) = local_ring();
    let before = token(&ring, None, "default");
    assert_eq!(ring.ledger_key(LedgerUsage::Sign, "log").unwrap(), None);
    ring.add_ledger_secret(&Unlock::LocalFile, MADE).unwrap();
    let sign = ring.ledger_key(LedgerUsage::Sign, "log").unwrap().unwrap();
    assert_ne!(ring.ledger_key(LedgerUsage::Start, "log").unwrap().unwrap(), sign);
    assert_ne!(ring.ledger_key(LedgerUsage::Sign, "other").unwrap().unwrap(), sign);

    // It is no tenant's key, and neither another call nor another process draws another.
    ring.add_ledger_secret(&Unlock::LocalFile, MADE).unwrap();
    let words = passphrase("six invented words");
    ring.rewrap(&Unlock::LocalFile, &[&Unlock::LocalFile, &words]).unwrap();
    ring.add_key(&Unlock::LocalFile, "next", "a", MADE).unwrap();
    for ring in [ring, Keyring::open(&path, &words).unwrap()] {
        assert_eq!(ring.ledger_key(LedgerUsage::Sign, "log").unwrap().unwrap(), sign);
        assert_eq!(token(&ring, None, "default"), before);
        let tenants: Vec<&str> = ring.keys().iter().map(|key| key.tenant.as_str()).collect();
        assert_eq!(tenants, ["a", "default"]);
        assert_eq!(ring.key(None, "").unwrap_err().code(), "ALO-K003");
        assert!(!format!("{ring:?}").contains("ledger"), "{ring:?}");
    }
    assert_eq!(Keyring::public_facts(&path).unwrap().keys.len(), 2);
    assert!(!codes(&path, "2028-01-06").is_empty());

    let good = text(&path);
    for change in [
        (|ring| drop(ring["public"].as_array_mut().unwrap().remove(0))) as fn(&mut Value),
        |ring| ring["public"][0]["tenant"] = json!("0"),
        |ring| ring["public"] = json!([ring["public"][0]]),
    ] {
        edit(&path, change);
        assert!(["ALO-K008", "ALO-K021"].contains(&refusal(&path).code()));
        fs::write(&path, &good).unwrap();
    }
}

#[test]
fn secrets_of_the_ledger_drawn_at_the_same_time_are_one() {
    let (_folder, path, _ring) = local_ring();
    std::thread::scope(|scope| {
        let drawn: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut ring = Keyring::open(&path, &Unlock::LocalFile).unwrap();
                    ring.add_ledger_secret(&Unlock::LocalFile, MADE).unwrap();
                    ring.ledger_key(LedgerUsage::Sign, "log").unwrap().unwrap()
                })
            })
            .collect();
        let drawn: Vec<_> = drawn.into_iter().map(|one| one.join().unwrap()).collect();
        assert!(drawn.windows(2).all(|two| two[0] == two[1]));
    });
}

#[test]
fn a_passphrase_opens_and_another_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.keyring");
    let ring =
        Keyring::create(&path, &passphrase("six invented words\r\n"), "p", "t", MADE).unwrap();
    assert_eq!(files(folder.path()), ["a.keyring", "a.keyring.lock"]);
    assert!(Keyring::public_facts(&path).unwrap().needs_passphrase);
    let again = Keyring::open(&path, &passphrase("six invented words")).unwrap();
    assert_eq!(token(&again, None, "t"), token(&ring, None, "t"));

    let error = Keyring::open(&path, &passphrase("six invented word")).unwrap_err();
    let expected = format!("the passphrase does not open keyring `{}`", path.display());
    assert_eq!(error.to_string(), expected);
    assert_eq!((error.code(), error.exit(), error.hint()), ("ALO-K004", 4, None));
    // A changed header tells no more than a wrong passphrase does.
    edit(&path, |ring| ring["created"] = json!("2026-01-05T09:00:01Z"));
    let error = Keyring::open(&path, &passphrase("six invented words")).unwrap_err();
    assert_eq!(error.to_string(), expected);

    let error = Keyring::open(&path, &Unlock::LocalFile).unwrap_err();
    assert_eq!((error.code(), error.exit()), ("ALO-K022", 4));
    assert!(error.hint().unwrap().contains("ALLONYM_KEYRING_PASSPHRASE_FILE"));
    for empty in ["", "\n", "\r\n"] {
        let error = Keyring::open(&path, &passphrase(empty)).unwrap_err();
        assert_eq!((error.code(), error.exit()), ("ALO-K023", 4));
        let other = folder.path().join("b.keyring");
        let error = Keyring::create(&other, &passphrase(empty), "p", "t", MADE).unwrap_err();
        assert_eq!(error.code(), "ALO-K023");
        assert!(!other.exists());
    }
}

#[test]
fn a_ring_is_locked_anew_and_its_tokens_stay() {
    let (folder, path, mut ring) = local_ring();
    let before = token(&ring, None, "default");
    let key_path = Keyring::local_key_path(&path);
    let key_file = text(&key_path);
    let words = passphrase("six invented words");

    ring.rewrap(&Unlock::LocalFile, &[&Unlock::LocalFile, &words]).unwrap();
    assert_eq!(text(&key_path), key_file);
    for unlock in [&Unlock::LocalFile, &words] {
        assert_eq!(token(&Keyring::open(&path, unlock).unwrap(), None, "default"), before);
    }
    assert_eq!(codes(&path, MADE), ["ALO-K101", "ALO-K104"]);
    // What one custodian adds, the other sees.
    ring.add_key(&words, "next", "default", MADE).unwrap();
    assert_eq!(Keyring::open(&path, &Unlock::LocalFile).unwrap().keys(), ring.keys());

    // Parts of two wraps do not make a third.
    let both = text(&path);
    for field in ["wrapped", "nonce", "commit", "kdf"] {
        edit(&path, |ring| {
            let one = ring["wraps"][0][field].take();
            ring["wraps"][0][field] = ring["wraps"][1][field].take();
            ring["wraps"][1][field] = one;
        });
        for unlock in [&Unlock::LocalFile, &words] {
            assert!(Keyring::open(&path, unlock).is_err(), "{field}");
        }
        fs::write(&path, &both).unwrap();
    }
    // Nor can the order change, or one be left out: the seal covers them all.
    edit(&path, |ring| ring["wraps"].as_array_mut().unwrap().reverse());
    assert_eq!(refusal(&path).code(), "ALO-K021");
    fs::write(&path, &both).unwrap();
    edit(&path, |ring| ring["wraps"].as_array_mut().unwrap().truncate(1));
    assert_eq!(refusal(&path).code(), "ALO-K021");
    fs::write(&path, &both).unwrap();

    ring.rewrap(&words, &[&words]).unwrap();
    assert_eq!(refusal(&path).code(), "ALO-K022");
    let again = Keyring::open(&path, &words).unwrap();
    assert_eq!(token(&again, Some("prod-2026"), "default"), before);
    assert_eq!(codes(&path, MADE), ["ALO-K102", "ALO-K103", "ALO-K104"]);

    // The key file that is still there must not be taken for the new one.
    let error = ring.rewrap(&words, &[&Unlock::LocalFile]).unwrap_err();
    assert_eq!(error.code(), "ALO-K024");
    assert_eq!(text(&key_path), key_file);
    for locks in [vec![], vec![&Unlock::LocalFile; 2], vec![&words; 9]] {
        let error = ring.rewrap(&words, &locks).unwrap_err();
        assert_eq!((error.code(), error.exit()), ("ALO-K035", 2));
    }
    assert_eq!(Keyring::open(&path, &words).unwrap().keys(), ring.keys());
    drop(folder);
}

#[test]
fn no_bit_of_the_file_can_change() {
    let (_folder, path, mut ring) = local_ring();
    ring.add_key(&Unlock::LocalFile, "prod-2027", "bär-ag", MADE).unwrap();
    let good = fs::read(&path).unwrap();
    // One byte is written in place: rewriting the file 10,000 times would wait for the disk.
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let mut put = |at: usize, byte: u8| {
        file.seek(SeekFrom::Start(u64::try_from(at).unwrap())).unwrap();
        file.write_all(&[byte]).unwrap();
    };
    for (at, &byte) in good.iter().enumerate() {
        for bit in 0..8 {
            put(at, byte ^ (1 << bit));
            let error = refusal(&path);
            assert!(
                matches!(error.code(), "ALO-K005" | "ALO-K008" | "ALO-K009" | "ALO-K021"),
                "byte {at}, bit {bit}: {error}"
            );
            assert_eq!(error.exit(), 4);
        }
        put(at, byte);
    }
    assert_eq!(Keyring::open(&path, &Unlock::LocalFile).unwrap().keys(), ring.keys());
    // Without its last byte, a line end, it is still whole.
    for bytes in (0..good.len() - 1).rev() {
        file.set_len(u64::try_from(bytes).unwrap()).unwrap();
        assert_eq!(refusal(&path).code(), "ALO-K008", "cut to {bytes} bytes");
    }
}

#[test]
fn fields_cannot_be_edited() {
    let (_folder, path, mut ring) = local_ring();
    ring.add_key(&Unlock::LocalFile, "prod-2027", "default", MADE).unwrap();
    let good = text(&path);
    let check = |name: &str, expected: &str, change: &dyn Fn(&mut Value)| {
        edit(&path, change);
        assert_eq!(refusal(&path).code(), expected, "{name}");
        fs::write(&path, &good).unwrap();
    };
    check("an old key made active", "ALO-K021", &|ring| {
        ring["public"][0]["state"] = json!("active");
        ring["public"][1]["state"] = json!("verify-only");
    });
    check("labels swapped", "ALO-K021", &|ring| {
        ring["public"][0]["label"] = json!("prod-2027");
        ring["public"][1]["label"] = json!("prod-2026");
    });
    check("another tenant", "ALO-K008", &|ring| ring["public"][0]["tenant"] = json!("a"));
    check("two active", "ALO-K008", &|ring| ring["public"][0]["state"] = json!("active"));
    check("none active", "ALO-K008", &|ring| ring["public"][1]["state"] = json!("verify-only"));
    check("no keys", "ALO-K008", &|ring| ring["public"] = json!([]));
    check("an unknown state", "ALO-K008", &|ring| ring["public"][0]["state"] = json!("dead"));
    check("epoch 0", "ALO-K008", &|ring| ring["public"][0]["epoch"] = json!(0));
    check("the same id twice", "ALO-K008", &|ring| {
        ring["public"][0]["id"] = ring["public"][1]["id"].clone();
    });
    check("an escape sequence", "ALO-K008", &|ring| {
        ring["public"][0]["label"] = json!("\u{1b}[2J");
    });
    check("keys in another order", "ALO-K008", &|ring| {
        ring["public"].as_array_mut().unwrap().reverse();
    });
    check("a key left out", "ALO-K008", &|ring| {
        ring["public"].as_array_mut().unwrap().remove(0);
    });
    check("no wraps", "ALO-K008", &|ring| ring["wraps"] = json!([]));
    check("nine wraps", "ALO-K008", &|ring| {
        ring["wraps"] = Value::Array(vec![ring["wraps"][0].clone(); 9]);
    });
    check("an unknown field", "ALO-K008", &|ring| ring["note"] = json!("x"));
    check("upper-case digits", "ALO-K008", &|ring| {
        let digits = ring["sealed"]["ciphertext"].as_str().unwrap().to_uppercase();
        ring["sealed"]["ciphertext"] = json!(digits);
    });
    check("a newer format", "ALO-K009", &|ring| ring["format"] = json!("allonym.keyring/2"));
    check("another format", "ALO-K008", &|ring| ring["format"] = json!("allonym.policy/1"));
    check("no such day", "ALO-K008", &|ring| ring["created"] = json!("2026-02-29"));
}

#[test]
fn parts_of_two_rings_do_not_mix() {
    let (_one, path, _ring) = local_ring();
    let (_two, other, _) = local_ring();
    let good = text(&path);
    let stranger: Value = serde_json::from_str(&text(&other)).unwrap();
    for (field, expected) in [
        ("wraps", "ALO-K005"),
        ("sealed", "ALO-K021"),
        ("keyring_id", "ALO-K005"),
        ("public", "ALO-K021"),
    ] {
        edit(&path, |ring| ring[field] = stranger[field].clone());
        assert_eq!(refusal(&path).code(), expected, "{field}");
        fs::write(&path, &good).unwrap();
    }
    // The other ring's key file.
    fs::copy(Keyring::local_key_path(&other), Keyring::local_key_path(&path)).unwrap();
    let error = refusal(&path);
    assert_eq!((error.code(), error.exit()), ("ALO-K005", 4));
}

#[test]
fn a_weaker_or_absurd_kdf_is_refused_before_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.keyring");
    let words = passphrase("six invented words");
    Keyring::create(&path, &words, "p", "t", MADE).unwrap();
    let good = text(&path);
    for (parameter, value, code) in [
        ("m_kib", json!(65_535), "ALO-K020"),
        ("m_kib", json!(8), "ALO-K020"),
        ("m_kib", json!(4_194_305), "ALO-K020"),
        ("m_kib", json!(u32::MAX), "ALO-K020"),
        ("t", json!(2), "ALO-K020"),
        ("t", json!(0), "ALO-K020"),
        ("t", json!(65), "ALO-K020"),
        ("p", json!(3), "ALO-K020"),
        ("p", json!(65), "ALO-K020"),
        ("alg", json!("argon2i"), "ALO-K008"),
        ("v", json!(16), "ALO-K008"),
        ("salt", json!("00"), "ALO-K008"),
        ("m_kib", json!(-1), "ALO-K008"),
        ("m_kib", json!("65536"), "ALO-K008"),
    ] {
        edit(&path, |ring| ring["wraps"][0]["kdf"][parameter] = value.clone());
        let error = Keyring::open(&path, &words).unwrap_err();
        assert_eq!((error.code(), error.exit()), (code, 4), "{parameter} = {value}");
        assert_eq!(doctor(&path, None)[0].code, code);
        fs::write(&path, &good).unwrap();
    }
    edit(&path, |ring| ring["wraps"][0]["kdf"]["t"] = json!(1));
    let error = Keyring::open(&path, &words).unwrap_err();
    let expected =
        format!("keyring `{}` asks for Argon2id with t = 1, outside 3 to 64", path.display());
    assert_eq!(error.to_string(), expected);
    fs::write(&path, &good).unwrap();
    // Stronger than it was made with: the wrap was not made so.
    edit(&path, |ring| ring["wraps"][0]["kdf"]["t"] = json!(4));
    assert_eq!(Keyring::open(&path, &words).unwrap_err().code(), "ALO-K004");
}

#[test]
fn names_and_times_that_cannot_stand_in_a_ring() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.keyring");
    let create = |label: &str, tenant: &str, created: &str| {
        Keyring::create(&path, &Unlock::LocalFile, label, tenant, created)
    };
    let long = "x".repeat(129);
    for label in ["", "a\nb", "\u{1b}[2J", &long] {
        let error = create(label, "default", MADE).unwrap_err();
        assert_eq!((error.code(), error.exit()), ("ALO-K026", 2));
    }
    let longer = "x".repeat(65_536);
    for tenant in ["", "a\0b", &longer] {
        assert_eq!(create("prod", tenant, MADE).unwrap_err().code(), "ALO-K026");
    }
    for created in [
        "",
        "yesterday",
        "2026-1-5",
        "2026-13-01",
        "2026-00-01",
        "2026-02-29",
        "2026-04-31",
        "2026-01-05T09:00",
        "2026-01-05T09:00:00",
        "2026-01-05T24:00:00Z",
        "2026-01-05T09:60:00Z",
        "2026-01-05T09:00:00.Z",
        "2026-01-05T09:00:00.1234567890Z",
        "2026-01-05T09:00:00+1:00",
        "2026-01-05T09:00:00+24:00",
        "2026-01-05T09:00:00Zx",
        "2026-01-05T09:00:0\u{e9}",
        "２026-01-05",
    ] {
        let error = create("prod", "default", created).unwrap_err();
        assert_eq!((error.code(), error.exit()), ("ALO-K029", 2), "{created}");
    }
    assert!(files(folder.path()).is_empty());

    let mut ring = create(&"x".repeat(128), "default", "2024-02-29T23:59:60.123+05:30").unwrap();
    let id = ring.keys()[0].id.to_lowercase();
    for label in [&"x".repeat(128), &id] {
        let error = ring.add_key(&Unlock::LocalFile, label, "default", MADE).unwrap_err();
        assert_eq!((error.code(), error.exit()), ("ALO-K028", 2));
    }
    assert_eq!(ring.keys().len(), 1);
}

#[test]
fn files_that_are_no_rings_are_refused_and_not_quoted() {
    const CANARY: &str = "zoe.invented@example.org";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("customers.json");
    for content in [
        String::new(),
        "null".into(),
        CANARY.into(),
        format!("\"{CANARY}\""),
        format!("[{{\"email\":\"{CANARY}\"}}]"),
        format!("{{\"{CANARY}\":1}}"),
        format!("{{\"format\":\"{CANARY}\"}}"),
        format!("{{\"format\":\"allonym.keyring/{CANARY}\"}}"),
        format!("{{\"format\":\"allonym.keyring/1\",\"{CANARY}\":1}}"),
        format!("{{\"format\":\"allonym.keyring/1\",\"created\":[\"{CANARY}\"]}}"),
        format!("{{\"format\":\"allonym.keyring/1\",\"public\":\"{CANARY}\"}}"),
        "[".repeat(100_000),
    ] {
        write_private(&path, content.as_bytes());
        for error in [refusal(&path), Keyring::public_facts(&path).unwrap_err()] {
            assert!(matches!(error.code(), "ALO-K008" | "ALO-K009"), "{error}");
            let told = format!("{error} {error:?} {:?}", error.hint());
            assert!(!told.contains("invented"), "{told}");
        }
    }
    write_private(&path, &[0xff; 64]);
    assert_eq!(refusal(&path).code(), "ALO-K008");
    let big = fs::OpenOptions::new().write(true).open(&path).unwrap();
    big.set_len((16 << 20) + 1).unwrap();
    assert!(refusal(&path).to_string().contains("at most 16777216 bytes"));
    assert_eq!(refusal(folder.path()).code(), "ALO-K008");
}

#[test]
fn damaged_and_missing_key_files() {
    let (_folder, path, _ring) = local_ring();
    let key_path = Keyring::local_key_path(&path);
    let good = text(&key_path);
    assert!(good.starts_with("ALLONYM-LOCAL-KEY-1 ") && good.ends_with('\n'));
    assert_eq!(good.len(), 20 + 64 + 1);
    for same in [good.trim_end().to_owned(), good.replace('\n', "\r\n")] {
        fs::write(&key_path, same).unwrap();
        assert!(Keyring::open(&path, &Unlock::LocalFile).is_ok());
    }
    let line = good.trim_end();
    let (_, digits) = line.rsplit_once(' ').unwrap();
    let cut = line.strip_suffix(|_: char| true).unwrap();
    for bad in [
        String::new(),
        good.replace("KEY-1", "KEY-2"),
        digits.to_owned(),
        cut.to_owned(),
        format!("{line}0\n"),
        format!("{good}\n"),
        format!(" {good}"),
        format!("{cut}G\n"),
        "x".repeat(300),
    ] {
        fs::write(&key_path, &bad).unwrap();
        let error = refusal(&path);
        assert_eq!((error.code(), error.exit()), ("ALO-K008", 4), "{bad}");
        assert!(!format!("{error} {error:?}").contains(digits));
    }
    fs::remove_file(&key_path).unwrap();
    let error = refusal(&path);
    assert_eq!((error.code(), error.exit()), ("ALO-K007", 4));
    assert_eq!(error.to_string(), format!("no local key file at `{}`", key_path.display()));
    assert_eq!(doctor(&path, None)[0].code, "ALO-K007");
}

#[test]
fn a_missing_ring_says_how_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none/a.keyring");
    let error = refusal(&path);
    assert_eq!(error.to_string(), format!("no keyring at `{}`", path.display()));
    assert_eq!((error.code(), error.exit()), ("ALO-K001", 4));
    assert!(error.hint().unwrap().contains("allonym key new"));
    let findings = doctor(&path, None);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].is_error());
    assert!(findings[0].fix.contains("allonym key new"));
}

#[test]
fn an_open_ring_notices_that_its_file_became_another() {
    let (_folder, path, mut ring) = local_ring();
    let (_other_folder, other, _) = local_ring();
    fs::copy(&other, &path).unwrap();
    fs::copy(Keyring::local_key_path(&other), Keyring::local_key_path(&path)).unwrap();
    let error = ring.add_key(&Unlock::LocalFile, "next", "default", MADE).unwrap_err();
    assert_eq!(error.code(), "ALO-K031");
    fs::remove_file(&path).unwrap();
    let error = ring.add_key(&Unlock::LocalFile, "next", "default", MADE).unwrap_err();
    assert_eq!(error.code(), "ALO-K001");
    assert_eq!(ring.keys().len(), 1);
}

#[test]
fn a_lock_that_another_holds_is_waited_for_and_then_reported() {
    let (_folder, path, mut ring) = local_ring();
    let mut lock = path.into_os_string();
    lock.push(".lock");
    let lock = fs::OpenOptions::new().write(true).open(lock).unwrap();
    lock.lock().unwrap();
    let error = ring.add_key(&Unlock::LocalFile, "next", "default", MADE).unwrap_err();
    assert_eq!((error.code(), error.exit()), ("ALO-K030", 75));
    lock.unlock().unwrap();
    ring.add_key(&Unlock::LocalFile, "next", "default", MADE).unwrap();
}

#[test]
fn the_doctor_names_what_is_not_fit_for_production() {
    let (folder, path, _ring) = local_ring();
    assert_eq!(codes(&path, MADE), ["ALO-K101", "ALO-K103"]);
    assert_eq!(codes(&path, "2028-01-06"), ["ALO-K101", "ALO-K103", "ALO-K109"]);
    assert_eq!(codes(&path, "2025-01-06"), ["ALO-K101", "ALO-K103", "ALO-K108"]);
    assert_eq!(codes(&path, "now"), ["ALO-K101", "ALO-K103", "ALO-K107"]);
    fs::create_dir(folder.path().join(".git")).unwrap();
    assert_eq!(codes(&path, MADE), ["ALO-K101", "ALO-K103", "ALO-K106"]);
    for finding in doctor(&path, Some(MADE)) {
        assert_eq!(finding.severity, Severity::Warning);
        assert!(!finding.fix.is_empty());
        assert!(!finding.is_error());
    }
    assert_eq!(
        format!("{:>8}|{}|{}", Severity::Error, Severity::Warning, Severity::Note),
        "   error|warning|note"
    );
}

#[cfg(unix)]
mod modes {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_made_is_its_owner_s_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/a.keyring");
        let mut ring = Keyring::create(&path, &Unlock::LocalFile, "prod", "default", MADE).unwrap();
        for folder in [path.parent().unwrap(), &folder.path().join("new")] {
            assert_eq!(mode(folder), 0o700);
        }
        let made = [path.clone(), Keyring::local_key_path(&path)];
        made.iter().for_each(|file| assert_eq!(mode(file), 0o600));
        ring.add_key(&Unlock::LocalFile, "next", "default", MADE).unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn files_that_others_may_read_or_write_are_refused() {
        let (_folder, path, _ring) = local_ring();
        let key_path = Keyring::local_key_path(&path);
        for file in [&path, &key_path] {
            for open in [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o777] {
                set_mode(file, open);
                let error = refusal(&path);
                assert_eq!((error.code(), error.exit()), ("ALO-K006", 4), "{open:o}");
                assert!(error.to_string().contains("run `chmod 600`"), "{error}");
                assert!(error.to_string().contains(&format!("{open:04o}")), "{error}");
                assert!(error.hint().unwrap().contains(&file.display().to_string()));
                let findings = doctor(&path, None);
                assert_eq!(findings[0].code, "ALO-K006");
                assert!(findings[0].is_error());
            }
            for closed in [0o400, 0o600, 0o700] {
                set_mode(file, closed);
                assert!(Keyring::open(&path, &Unlock::LocalFile).is_ok(), "{closed:o}");
            }
        }
    }

    #[test]
    fn the_doctor_sees_a_folder_open_to_others() {
        let (folder, path, _ring) = local_ring();
        set_mode(folder.path(), 0o770);
        assert!(codes(&path, MADE).contains(&"ALO-K105"));
        set_mode(folder.path(), 0o750);
        assert!(!codes(&path, MADE).contains(&"ALO-K105"));
    }

    #[test]
    fn a_link_to_a_ring_stays_a_link() {
        let (folder, path, _ring) = local_ring();
        let link = folder.path().join("current");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        fs::copy(Keyring::local_key_path(&path), Keyring::local_key_path(&link)).unwrap();
        let mut ring = Keyring::open(&link, &Unlock::LocalFile).unwrap();
        ring.add_key(&Unlock::LocalFile, "next", "default", MADE).unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(Keyring::open(&path, &Unlock::LocalFile).unwrap().keys().len(), 2);
        // A dangling link is something in the way too.
        let dangling = folder.path().join("dangling");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &dangling).unwrap();
        let error = Keyring::create(&dangling, &Unlock::LocalFile, "p", "t", MADE).unwrap_err();
        assert_eq!(error.code(), "ALO-K024");
        assert!(!folder.path().join("nowhere").exists());
    }

    #[test]
    fn where_a_ring_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let path = file.join("a.keyring");
        let error = Keyring::create(&path, &Unlock::LocalFile, "p", "t", MADE).unwrap_err();
        assert_eq!((error.code(), error.exit()), ("ALO-K034", 4), "{error}");
        // A device that is always full.
        let full = Path::new("/dev/full");
        if full.exists() {
            let source = fs::OpenOptions::new().write(true).open(full).unwrap().write_all(b"x");
            let error = KeyError::Io { action: "write", path, source: source.unwrap_err() };
            assert_eq!((error.code(), error.exit()), ("ALO-K034", 75), "{error}");
        }
    }
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn write_private(path: &Path, content: &[u8]) {
    fs::write(path, content).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}
