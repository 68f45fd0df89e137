//! Writers: many at once, killed ones, segments, proofs.

#![expect(clippy::unwrap_used, reason = "what a test's helpers do is the test's")]

use allonym_ledger::{
    Action, Entry, Hash, Ledger, LedgerError, Problem, Signer, StartKey, Trust, Verdict,
    Verification, consistency_proof, inclusion_proof, is_consistent, is_included, root, verify,
};
use jiff::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use zeroize::Zeroizing;

fn start() -> StartKey {
    StartKey::new(Zeroizing::new([7; 32]))
}

fn signer() -> Signer {
    Signer::new("ledger.example", &Zeroizing::new([9; 32])).unwrap()
}

fn now() -> Timestamp {
    "2026-11-21T02:00:00Z".parse().unwrap()
}

fn entry(actor: &str) -> Entry {
    Entry::new(Action::Check, actor, "allonym 0.1.0")
}

fn create(place: &Path) -> Ledger {
    Ledger::create(place, "allonym.example/claims", &start()).unwrap()
}

fn check(place: &Path, anchors: &[&str]) -> Verification {
    let start = start();
    let trust = Trust { verifier: signer().verifier(), start: Some(&start) };
    verify(place, &trust, anchors).unwrap()
}

fn first_segment(place: &Path) -> PathBuf {
    place.join(format!("segments/{:020}.jsonl", 0))
}

/// Who wrote the entries that are there, in order.
fn actors(place: &Path) -> Vec<String> {
    let files = fs::read_dir(place.join("segments")).unwrap().map(|file| file.unwrap().path());
    let mut segments: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "jsonl")).collect();
    segments.sort();
    let text: String =
        segments.iter().map(|segment| fs::read_to_string(segment).unwrap()).collect();
    let actor = |line: &str| {
        let (_, rest) = line.split_once("\"actor\":\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    text.lines().map(actor).collect()
}

/// Does nothing but where the test below starts it as a process of its own.
#[test]
fn a_writer_of_its_own() {
    let variable = |name: &str| std::env::var_os(name).map(|value| value.into_string().unwrap());
    let (Some(place), Some(name)) = (variable(PLACE), variable(WRITER)) else { return };
    let ledger = Ledger::open(Path::new(&place)).unwrap();
    for n in 0..20 {
        ledger.append(&entry(&format!("{name}-{n}")), now()).unwrap();
    }
}

const PLACE: &str = "ALLONYM_TEST_LEDGER";
const WRITER: &str = "ALLONYM_TEST_WRITER";

#[test]
fn processes_that_write_at_once_lose_no_entry() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ledger");
    let ledger = create(&place);
    let mut writers = ["one", "two", "three"].map(|name| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_writer_of_its_own", "--quiet"])
            .env(PLACE, &place)
            .env(WRITER, name)
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    });
    for writer in &mut writers {
        assert!(writer.wait().unwrap().success());
    }
    assert_all_there(&place, &["one", "two", "three"]);
    let note = ledger.checkpoint(&signer()).unwrap();
    let found = check(&place, &[&note]);
    assert_eq!((found.verdict(), found.entries), (Verdict::Whole, 60));
}

#[test]
fn threads_that_write_at_once_lose_no_entry() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ledger");
    let ledger = create(&place).with_segments_of(7);
    std::thread::scope(|scope| {
        for name in ["one", "two"] {
            let ledger = &ledger;
            scope.spawn(move || {
                for n in 0..20 {
                    ledger.append(&entry(&format!("{name}-{n}")), now()).unwrap();
                    if n % 5 == 0 {
                        ledger.checkpoint(&signer()).unwrap();
                    }
                }
            });
        }
    });
    assert_all_there(&place, &["one", "two"]);
    let found = check(&place, &[]);
    assert_eq!((found.verdict(), found.entries), (Verdict::Unanchored, 40));
}

/// Twenty entries of every writer, in that writer's order.
fn assert_all_there(place: &Path, writers: &[&str]) {
    let actors = actors(place);
    assert_eq!(actors.len(), writers.len() * 20);
    for writer in writers {
        let prefix = format!("{writer}-");
        let of: Vec<&String> = actors.iter().filter(|actor| actor.starts_with(&prefix)).collect();
        let expected: Vec<String> = (0..20).map(|n| format!("{writer}-{n}")).collect();
        assert_eq!(of, expected.iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_writer_waits_for_the_lock_and_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ledger");
    let ledger = create(&place).with_patience(Duration::from_millis(10));
    ledger.append(&entry("first"), now()).unwrap();
    let lock = fs::File::open(place.join("lock")).unwrap();
    lock.lock().unwrap();
    let error = ledger.append(&entry("second"), now()).unwrap_err();
    assert!(matches!(error, LedgerError::Busy { .. }), "{error}");
    lock.unlock().unwrap();
    assert_eq!(ledger.append(&entry("second"), now()).unwrap(), 1);
}

/// A writer can be killed within an entry, and before the state follows it.
#[test]
fn what_a_killed_writer_left_is_settled_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ledger");
    let ledger = create(&place);
    ledger.append(&entry("first"), now()).unwrap();
    let state = fs::read(place.join("state.json")).unwrap();
    ledger.append(&entry("second"), now()).unwrap();
    let segment = first_segment(&place);
    let whole = fs::read(&segment).unwrap();
    let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for end in (first..whole.len()).step_by(29).chain([whole.len() - 1, whole.len()]) {
        fs::write(place.join("state.json"), &state).unwrap();
        fs::write(&segment, &whole[..end]).unwrap();
        let seq = ledger.append(&entry("third"), now()).unwrap();
        // The second entry counts when it is whole, and only then.
        let kept = end == whole.len();
        assert_eq!(seq, 1 + u64::from(kept), "cut at {end}");
        assert_eq!(check(&place, &[]).verdict(), Verdict::Unanchored, "cut at {end}");
        let expected: &[&str] =
            if kept { &["first", "second", "third"] } else { &["first", "third"] };
        assert_eq!(actors(&place), expected);
    }
}

#[test]
fn a_writer_does_not_go_on_after_what_others_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ledger");
    let ledger = create(&place);
    ledger.append(&entry("first"), now()).unwrap();
    let segment = first_segment(&place);
    let whole = fs::read(&segment).unwrap();
    let line = String::from_utf8(whole.clone()).unwrap();
    let others: [&[u8]; 4] = [
        b"{}\n",
        b"\xff\n",
        // The first entry again, with the next number, and as it is.
        &line.replace("\"seq\":0", "\"seq\":1").into_bytes(),
        line.as_bytes(),
    ];
    for added in others {
        fs::write(&segment, [&whole[..], added].concat()).unwrap();
        let error = ledger.append(&entry("second"), now()).unwrap_err();
        assert!(matches!(error, LedgerError::Changed { .. }), "{error}");
        assert!(!error.to_string().contains("first"), "{error}");
    }
    fs::write(&segment, &whole[..whole.len() - 1]).unwrap();
    let error = ledger.append(&entry("second"), now()).unwrap_err();
    assert!(error.to_string().contains("shorter than it was left"), "{error}");
    fs::write(&segment, &whole).unwrap();
    assert_eq!(ledger.append(&entry("second"), now()).unwrap(), 1);
    assert_eq!(actors(&place), ["first", "second"]);
}

#[test]
fn entries_of_a_segment_expire_and_number_order_and_proofs_stay() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ledger");
    let ledger = create(&place).with_segments_of(3);
    let mut notes = Vec::new();
    for n in 0..10 {
        ledger.append(&entry(&format!("actor-{n}")), now()).unwrap();
        if n % 3 == 2 {
            notes.push(ledger.checkpoint(&signer()).unwrap());
        }
    }
    let leaves = ledger.leaves().unwrap();
    assert_eq!(ledger.sealed_segments().unwrap(), [0, 3, 6]);
    for wrong in [1, 4, 10, 99] {
        let error = ledger.expire_below(wrong, "keeper", "allonym 0.1.0", now()).unwrap_err();
        assert!(matches!(error, LedgerError::NotSealed { .. }), "{error}");
    }
    for (below, left) in [(3, vec![3, 6]), (6, vec![6])] {
        ledger.expire_below(below, "keeper", "allonym 0.1.0", now()).unwrap();
        assert_eq!(ledger.sealed_segments().unwrap(), left);
    }
    let expected = ["actor-6", "actor-7", "actor-8", "actor-9", "keeper", "keeper"];
    assert_eq!(actors(&place), expected);
    assert_eq!(ledger.leaves().unwrap()[..10], leaves);
    ledger.append(&entry("later"), now()).unwrap();
    let found = check(&place, &[&notes[0], &notes[2]]);
    assert_eq!(found.verdict(), Verdict::Whole, "{:?}", found.problems);
    assert_eq!((found.entries, found.removed, found.anchored), (13, 6, Some(9)));
    // A hash that was changed is seen.
    let hashes = place.join(format!("segments/{:020}.hashes", 0));
    let kept = fs::read_to_string(&hashes).unwrap();
    let other = if kept.starts_with('0') { "1" } else { "0" };
    let first = kept.chars().next().unwrap();
    fs::write(&hashes, kept.replacen(first, other, 1)).unwrap();
    assert_eq!(check(&place, &[]).verdict(), Verdict::Broken);
}

#[test]
fn a_quiet_ledger_expires_too() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ledger");
    let ledger = create(&place);
    let at = |day: &str| -> Timestamp { format!("2026-{day}T00:00:00Z").parse().unwrap() };
    for day in ["01-10", "02-01", "02-11", "03-05", "04-01", "04-02"] {
        ledger.append(&entry(day), at(day)).unwrap();
        ledger.checkpoint(&signer()).unwrap();
    }
    // 11 February is the 32nd day after the first entry, 1 April the 27th after the next one.
    assert_eq!(ledger.sealed_segments().unwrap(), [0]);
    assert_eq!(ledger.sealed_before(at("02-11")).unwrap(), None);
    let sealed = ledger.sealed_before(at("02-12")).unwrap().unwrap();
    assert_eq!((sealed.below, sealed.entries), (3, 3));
    assert_eq!(ledger.sealed_before(at("12-31")).unwrap(), Some(sealed));
    ledger.expire_below(sealed.below, "keeper", "allonym 0.1.0", at("04-03")).unwrap();
    assert_eq!(ledger.sealed_before(at("12-31")).unwrap(), None);
    assert_eq!(actors(&place), ["03-05", "04-01", "04-02", "keeper"]);
}

#[test]
fn proofs_of_a_ledger_hold_against_its_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ledger");
    let ledger = create(&place);
    let mut checkpoints = Vec::new();
    for n in 0..9 {
        ledger.append(&entry(&format!("actor-{n}")), now()).unwrap();
        let note = ledger.checkpoint(&signer()).unwrap();
        checkpoints.push(signer().verifier().open(&note).unwrap());
    }
    let leaves = ledger.leaves().unwrap();
    let segment = fs::read(first_segment(&place)).unwrap();
    let newest = checkpoints.last().unwrap();
    assert_eq!(root(&leaves), newest.root);
    for old in &checkpoints {
        let size = usize::try_from(old.size).unwrap();
        let proof = consistency_proof(&leaves, size).unwrap();
        assert!(is_consistent(old.size, newest.size, &proof, old.root, newest.root));
        let proof = inclusion_proof(&leaves, size - 1).unwrap();
        let line = segment.split(|byte| *byte == b'\n').nth(size - 1).unwrap();
        assert!(is_included(Hash::leaf(line), old.size - 1, newest.size, &proof, newest.root));
    }
}

#[test]
fn a_ledger_is_made_once_and_opened_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("deep/ledger");
    assert_eq!(create(&place).origin(), "allonym.example/claims");
    let again = Ledger::create(&place, "allonym.example/claims", &start()).unwrap_err();
    assert!(matches!(again, LedgerError::Exists { .. }), "{again}");
    let none = Ledger::open(folder.path()).unwrap_err();
    assert!(matches!(none, LedgerError::NoLedger { .. }), "{none}");
    let nameless = Ledger::create(&folder.path().join("x"), "", &start()).unwrap_err();
    assert_eq!(nameless.to_string(), "the origin of a log is one line that says something");
    assert!(!folder.path().join("x").exists());
    let ledger = Ledger::open(&place).unwrap();
    let error = ledger.append(&entry("zoe@example.org"), now()).unwrap_err();
    assert!(!error.to_string().contains("zoe"), "{error}");
    assert!(ledger.leaves().unwrap().is_empty());
}

#[cfg(unix)]
#[test]
fn the_key_of_the_next_entry_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ledger");
    let ledger = create(&place);
    let before = fs::read_to_string(place.join("state.json")).unwrap();
    ledger.append(&entry("first"), now()).unwrap();
    let after = fs::read_to_string(place.join("state.json")).unwrap();
    let mode = fs::metadata(place.join("state.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let key = |state: &str| {
        let (_, rest) = state.split_once("\"key\":\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    assert_eq!(key(&after).len(), 64);
    assert_ne!(key(&before), key(&after));
    // The key of the first entry is gone, and neither is in the log.
    assert!(!after.contains(&key(&before)));
    let log = fs::read_to_string(first_segment(&place)).unwrap();
    assert!(!log.contains(&key(&before)) && !log.contains(&key(&after)));
}

/// Whoever removes entries himself can leave hashes too, but not the entry that says so.
#[test]
fn entries_that_are_removed_in_silence_are_missed() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ledger");
    let ledger = create(&place).with_segments_of(2);
    for n in 0..4 {
        ledger.append(&entry(&format!("actor-{n}")), now()).unwrap();
        ledger.checkpoint(&signer()).unwrap();
    }
    let note = ledger.checkpoint(&signer()).unwrap();
    let hashes: String =
        ledger.leaves().unwrap()[..2].iter().map(|leaf| format!("{leaf}\n")).collect();
    fs::write(place.join(format!("segments/{:020}.hashes", 0)), hashes).unwrap();
    assert_eq!(check(&place, &[&note]).verdict(), Verdict::Whole);
    fs::remove_file(first_segment(&place)).unwrap();
    let found = check(&place, &[&note]);
    assert_eq!(found.problems, [Problem::Removed { told: 0, found: 2 }]);
    // The removal that a crash interrupted can be done again.
    ledger.expire_below(2, "keeper", "allonym 0.1.0", now()).unwrap();
    assert_eq!(check(&place, &[&note]).verdict(), Verdict::Whole);
}
