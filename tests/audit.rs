//! The ledger, receipts and their signatures, as an auditor meets them.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod command;

use allonym::ledger::{Action, Scribe};
use allonym::{Environment, Keyring, Unlock};
use command::{Ended, Place, policy};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

const TOKEN: &str = "treat = \"pseudonymize\"";
const KEEP: &str = "treat = \"keep\"\nreason = \"test\"";
const CANARY: &str = "zora.kanarie";

fn treated() -> Place {
    let place = Place::with_keys();
    place.write("in.csv", format!("mail,amount\n{CANARY}@example.org,5\n,7\n"));
    place.write("allonym.toml", policy(&[("mail", TOKEN), ("amount", KEEP)]));
    place.run(&["apply", "in.csv", "--to", "out/safe.csv"]).expect(0);
    place
}

fn ledger(place: &Place) -> PathBuf {
    place.config().join("default.keyring.ledger")
}

fn segment(place: &Place) -> PathBuf {
    ledger(place).join("segments/00000000000000000000.jsonl")
}

fn entries(place: &Place) -> Vec<Value> {
    let text = fs::read_to_string(segment(place)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn anchor(place: &Place, name: &str) {
    place.run(&["audit", "checkpoint", "--to", name]).expect(0);
}

fn audit(place: &Place, anchors: &[&str]) -> (i32, Value) {
    let mut arguments = vec!["audit", "verify", "--format", "json"];
    for anchor in anchors {
        arguments.extend(["--checkpoint", anchor]);
    }
    let ended = place.run(&arguments);
    (ended.exit, serde_json::from_str(&ended.out).unwrap())
}

#[test]
fn what_a_run_does_stands_in_the_ledger_before_and_after() {
    let place = treated();
    let log = entries(&place);
    let actions: Vec<_> = log.iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["key_new", "apply", "apply"]);
    assert_eq!((&log[1]["phase"], &log[2]["phase"]), (&"begin".into(), &"end".into()));
    assert_eq!(log[1]["job"], log[2]["job"]);
    assert_eq!(log[2]["counts"]["rows"], 2);
    assert_eq!(log[2]["counts"]["cells_treated"], 1);
    let receipt: Value = serde_json::from_str(&place.read("out/safe.csv.allonym.json")).unwrap();
    assert_eq!(log[2]["policy_digest"], receipt["policy"]["sha256"]);
    assert_eq!(log[2]["inputs"][0], receipt["inputs"][0]["sha256"]);
    assert_eq!(log[2]["outputs"][1], receipt["outputs"][0]["sha256"]);
    assert_eq!(log[2]["key_ids"][0], receipt["keys"][0]["id"]);
    let text = fs::read_to_string(segment(&place)).unwrap();
    assert!(!text.contains(CANARY) && !text.contains("safe.csv"), "{text}");

    // A run that fails ends too, and says how.
    place.write("bad.csv", "mail,amount\nx\n");
    place.run(&["apply", "bad.csv", "--to", "out/bad.csv"]).expect(3);
    assert_eq!(entries(&place)[4]["counts"]["exit"], 3);
    // Finished work is not done again, and not written down again.
    place.run(&["apply", "in.csv", "--to", "out/safe.csv"]).expect(0);
    place.run(&["apply", "in.csv", "--to", "x.csv", "--dry-run"]).expect(0);
    assert_eq!(entries(&place).len(), 5);
}

#[test]
fn a_policy_names_its_ledger_and_flags_win() {
    let place = Place::with_keys();
    place.write("in.csv", "mail\na@example.org\n");
    let text = policy(&[("mail", TOKEN)]);
    place.write("allonym.toml", format!("{text}\n[keys]\nledger = \"audit/log\"\n"));
    place.run(&["apply", "in.csv", "--to", "out/safe.csv"]).expect(0);
    assert!(place.path("audit/log/segments").is_dir());
    place.run(&["audit", "verify"]).expect(6).says(&[]);
    let told = place.run(&["audit", "verify", "--format", "json"]);
    let told: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!((&told["verdict"], &told["entries"]), (&"unanchored".into(), &2.into()));
    let receipt = "out/safe.csv.allonym.json";
    let good = place.run(&["verify", receipt]).expect(0);
    assert!(good.out.contains("in the ledger as entry 1"), "{}", good.out);
    // A flag wins, and the key that was made before the policy stands beside the ring.
    let beside = ledger(&place).display().to_string();
    let told = place.run(&["audit", "verify", "--format", "json", "--ledger", &beside]);
    let told: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(told["entries"], 1);
    place.run(&["verify", receipt, "--ledger", &beside]).expect(6);
}

#[test]
fn a_receipt_is_checked_a_year_later() {
    let place = treated();
    let receipt = "out/safe.csv.allonym.json";
    let good = place.run(&["verify", receipt]).expect(0);
    for words in ["receipt intact · signed by allonym/", "1 of 1 files match", "ledger as entry 2"]
    {
        assert!(good.out.contains(words), "no `{words}` in:\n{}", good.out);
    }
    // The data moved, as a file and as a folder.
    fs::create_dir(place.path("later")).unwrap();
    fs::rename(place.path("out/safe.csv"), place.path("later/safe.csv")).unwrap();
    place.run(&["verify", receipt]).expect(3);
    place.run(&["verify", receipt, "--data", "later"]).expect(0);
    place.run(&["verify", receipt, "--data", "later/safe.csv"]).expect(0);
    // Somebody without the keyring needs the public key.
    let key = place.run(&["audit", "key"]).expect(0).out.trim().to_owned();
    let stranger = |arguments: &[&str]| {
        place.run_with(arguments, |command| {
            command.env("ALLONYM_CONFIG_HOME", place.path("nobody"));
        })
    };
    let verify = ["verify", receipt, "--data", "later"];
    let unknown = stranger(&verify).expect(3);
    assert!(unknown.out.contains("nothing here says whose key that is"), "{}", unknown.out);
    stranger(&[&verify[..], &["--signer", &key]].concat()).expect(0);
    // A ring that was asked for and does not open is no stranger's: it is said.
    stranger(&[&verify[..], &["--keys", "file:no.keyring"]].concat()).expect(4);

    fs::write(place.path("later/safe.csv"), "mail,amount\n").unwrap();
    let changed = place.run(&verify).expect(1);
    assert!(changed.out.contains("changed since"), "{}", changed.out);
    let text = place.read(receipt);
    place.write(receipt, text.replace("\"treated\": 1", "\"treated\": 2"));
    let broken = place.run(&["verify", receipt, "--data", "later"]).expect(1);
    assert!(broken.out.contains("its signature is not of this text"), "{}", broken.out);
    place.write(receipt, text.replace("\"rows\": 2,", "\"rows\": 2, \"note\": \"x\","));
    place.run(&["verify", receipt, "--data", "later"]).expect(1);
    place.write(receipt, "{}");
    place.run(&["verify", receipt]).expect(3).says(&["not a receipt"]);
    place.run(&["verify", "no.json"]).expect(3);
}

#[test]
fn a_receipt_of_a_folder_names_what_is_changed_missing_or_more() {
    let place = Place::with_keys();
    for name in ["a.csv", "b.csv"] {
        place.write(&format!("in/{name}"), "mail\nzora@example.org\n");
    }
    place.write("allonym.toml", policy(&[("mail", TOKEN)]));
    place.run(&["apply", "in", "--to", "out"]).expect(0);
    let receipt = "out/allonym.receipt.json";
    let good = place.run(&["verify", receipt, "--data", "out"]).expect(0);
    assert!(good.out.contains("2 of 2 files match"), "{}", good.out);
    place.write("out/c.csv", "mail\n");
    place.run(&["verify", receipt]).expect(1);
    fs::remove_file(place.path("out/b.csv")).unwrap();
    let ended = place.run(&["verify", receipt, "--format", "json"]).expect(3);
    let json: Value = serde_json::from_str(&ended.out).unwrap();
    let states: Vec<_> = json["files"].as_array().unwrap().iter().map(|f| &f["state"]).collect();
    assert_eq!(states, ["same", "missing", "unlisted"]);
}

#[test]
fn an_anchor_makes_the_ledger_whole_and_shows_what_was_done_to_it() {
    let place = treated();
    let (exit, told) = audit(&place, &[]);
    assert_eq!((exit, &told["verdict"]), (6, &"unanchored".into()));
    anchor(&place, "old.note");
    place.run(&["key", "new", "--label", "next"]).expect(0);
    anchor(&place, "new.note");
    let (exit, told) = audit(&place, &["new.note"]);
    assert_eq!((exit, &told["verdict"], &told["anchored"]), (0, &"whole".into(), &4.into()));
    assert_eq!(audit(&place, &["old.note"]).1["anchored"], 3);

    let folder = ledger(&place);
    let good = fs::read_to_string(segment(&place)).unwrap();
    let state = fs::read(folder.join("state.json")).unwrap();
    let broken = |what: &str, anchors: &[&str], text: &str| {
        fs::write(segment(&place), text).unwrap();
        let (exit, told) = audit(&place, anchors);
        assert_eq!((exit, &told["verdict"]), (6, &"broken".into()), "{what}: {told}");
        fs::write(segment(&place), &good).unwrap();
        fs::write(folder.join("state.json"), &state).unwrap();
    };
    let lines: Vec<&str> = good.split_inclusive('\n').collect();
    for keep in 0..lines.len() {
        broken(&format!("cut to {keep} lines"), &["new.note"], &lines[..keep].concat());
    }
    broken("a byte", &["new.note"], &good.replacen("\"rows\":2", "\"rows\":3", 1));
    broken("a byte, no anchor", &[], &good.replacen("\"rows\":2", "\"rows\":3", 1));
    broken("another order", &["new.note"], &[lines[1], lines[0], lines[2], lines[3]].concat());

    // Everything is cut that lies beside the log, so that it looks like a younger one: only the
    // anchor knows better.
    fs::remove_file(folder.join("checkpoints/00000000000000000004.note")).unwrap();
    fs::remove_file(folder.join("state.json")).unwrap();
    fs::write(segment(&place), lines[..3].concat()).unwrap();
    assert_eq!(audit(&place, &["new.note"]).1["verdict"], "broken");
    // An old checkpoint vouches for what it knows and no more; without any it is not anchored.
    let (exit, told) = audit(&place, &["old.note"]);
    assert_eq!((exit, &told["anchored"]), (0, &3.into()));
    assert_eq!(audit(&place, &[]).0, 6);
}

#[test]
fn another_log_is_not_this_one() {
    let (place, other) = (treated(), treated());
    anchor(&place, "mine.note");
    anchor(&other, "theirs.note");
    place.write("theirs.note", other.read("theirs.note"));
    let (exit, told) = audit(&place, &["mine.note", "theirs.note"]);
    assert_eq!((exit, &told["verdict"]), (6, &"broken".into()));
    // A second log of the same keyring is another log too.
    place.run(&["key", "new", "--label", "x", "--ledger", "second"]).expect(0);
    place.run(&["audit", "checkpoint", "--to", "second.note", "--ledger", "second"]).expect(0);
    assert_eq!(audit(&place, &["second.note"]).0, 6);
    let whole = ["audit", "verify", "--ledger", "second", "--checkpoint", "second.note"];
    place.run(&whole).expect(0);
    // The whole log replaced by that of somebody else.
    fs::remove_dir_all(ledger(&place)).unwrap();
    copy(&ledger(&other), &ledger(&place));
    let (exit, told) = audit(&place, &["mine.note"]);
    assert_eq!((exit, &told["verdict"]), (6, &"broken".into()), "{told}");
    // A checkpoint that is none.
    place.write("no.note", "hello\n");
    assert_eq!(audit(&place, &["no.note"]).0, 6);
    place.run(&["audit", "verify", "--checkpoint", "absent.note"]).expect(3);
    place.run(&["audit", "verify", "--signer", "nobody"]).expect(2);
    place.run(&["audit", "verify", "--ledger", "nowhere"]).expect(3);
}

#[test]
fn writers_at_once_lose_no_entry() {
    let place = Place::with_keys();
    let labels: Vec<String> = (0..8).map(|n| format!("key-{n}")).collect();
    let children: Vec<_> =
        labels.iter().map(|label| place.spawn(&["key", "new", "--label", label])).collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    anchor(&place, "a.note");
    let (exit, told) = audit(&place, &["a.note"]);
    assert_eq!((exit, &told["entries"]), (0, &9.into()));
    let ids: std::collections::BTreeSet<String> =
        entries(&place).iter().map(|entry| entry["key_ids"][0].to_string()).collect();
    assert_eq!(ids.len(), 9);
}

#[test]
fn a_run_that_was_killed_is_an_open_job_until_it_is_done() {
    let place = treated();
    let ring = place.config().join("default.keyring");
    let mut ring = Keyring::open(&ring, &Unlock::LocalFile).unwrap();
    let environment = Environment::default();
    let now = || "2026-11-21T02:00:00Z".to_owned();
    let folder = ledger(&place);
    let scribe = Scribe { place: Some(&folder), actor: "nightly", clock: &now };
    let log = allonym::ledger::AuditLog::open(&mut ring, &environment, scribe);
    // The clock of this writer is behind the entries that are there.
    let entry = log.as_ref().unwrap().entry(Action::Expire);
    let failure = log.unwrap().begin(entry, &["job"]).unwrap_err();
    assert_eq!((failure.code, failure.exit), ("ALO-A005", 6));

    let later = || "2099-11-21T02:00:00Z".to_owned();
    let scribe = Scribe { clock: &later, ..scribe };
    let log = allonym::ledger::AuditLog::open(&mut ring, &environment, scribe).unwrap();
    let _killed = log.begin(log.entry(Action::Expire), &["job"]).unwrap();
    anchor(&place, "a.note");
    let (exit, told) = audit(&place, &["a.note"]);
    assert_eq!((exit, &told["verdict"], &told["complete"]), (1, &"whole".into(), &false.into()));
    assert_eq!(told["open_jobs"][0]["entry"], 3);
    let mut again = log.begin(log.entry(Action::Expire), &["job"]).unwrap();
    let recorded = again
        .end(|entry| {
            entry.counts.insert("rows".to_owned(), 1);
        })
        .unwrap();
    place.write("b.note", recorded.unwrap().checkpoint);
    assert_eq!(audit(&place, &["b.note"]).0, 0);

    // Now the clock of the machine is behind the log: nothing is treated until it is right.
    let stopped = place.run(&["apply", "in.csv", "--to", "out/more.csv"]).expect(6);
    let stopped = stopped.says(&["ALO-A005", "the clock says"]);
    assert!(!stopped.err.contains(CANARY));
    assert!(!place.path("out/more.csv").exists());
}

#[test]
fn a_run_without_a_keyring_or_a_place_to_write_says_that_it_is_not_recorded() {
    let place = Place::fresh();
    place.write("in.csv", "amount\n5\n");
    place.write("allonym.toml", policy(&[("amount", KEEP)]));
    let ended = place.run(&["apply", "in.csv", "--to", "out.csv"]).expect(0);
    ended.says(&["stands in no ledger and its receipt is not signed"]);
    let receipt: Value = serde_json::from_str(&place.read("out.csv.allonym.json")).unwrap();
    assert_eq!(receipt["signature"], Value::Null);
    let unsigned = place.run(&["verify", "out.csv.allonym.json"]).expect(3);
    assert!(unsigned.out.contains("not signed"), "{}", unsigned.out);
    // Where a ledger was asked for, a run without one does not happen.
    let arguments = ["apply", "in.csv", "--to", "asked.csv", "--ledger", "audit"];
    place.run(&arguments).expect(4).says(&["no keyring"]);
    place.run(&["key", "new"]).expect(0);
    place.write("file", "x");
    let arguments = ["apply", "in.csv", "--to", "asked.csv", "--ledger", "file/audit"];
    place.run(&arguments).expect(4);
    assert!(!place.path("asked.csv").exists());
    let arguments = ["apply", "in.csv", "--to", "asked.csv", "--ledger", "audit"];
    place.run(&arguments).expect(0);
    place.run(&["verify", "asked.csv.allonym.json", "--ledger", "audit"]).expect(0);
    // A ledger in the data folder is no data.
    place.run(&["apply", ".", "--to", "../all"]).expect(0).says(&["3 files"]);
}

#[test]
fn a_ledger_that_others_changed_stops_all_writing() {
    let place = treated();
    let text = fs::read_to_string(segment(&place)).unwrap();
    fs::write(segment(&place), format!("{text}{{}}\n")).unwrap();
    let stopped = place.run(&["apply", "in.csv", "--to", "more.csv"]).expect(6);
    stopped.says(&["ALO-A002", "audit verify"]);
    assert!(!place.path("more.csv").exists());
    fs::write(ledger(&place).join("ledger.json"), "{}").unwrap();
    place.run(&["key", "new", "--label", "y"]).expect(6).says(&["ALO-A002"]);
    let verified: Ended = place.run(&["audit", "verify"]);
    assert_eq!(verified.exit, 6);
}

fn copy(from: &PathBuf, to: &PathBuf) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn old_entries_go_by_whole_segments_and_proofs_stay() {
    let place = Place::with_keys();
    let ring = place.config().join("default.keyring");
    let mut ring = Keyring::open(&ring, &Unlock::LocalFile).unwrap();
    let environment = Environment::default();
    let folder = place.path("old");
    let note = |ring: &mut Keyring, at: &str| {
        let clock = || at.to_owned();
        let scribe = Scribe { place: Some(&folder), actor: "nightly", clock: &clock };
        let log = allonym::ledger::AuditLog::open(ring, &environment, scribe).unwrap();
        log.note(&log.entry(Action::Check)).unwrap().unwrap().checkpoint
    };
    let anchor = note(&mut ring, "2025-01-10T00:00:00Z");
    // The first of them ends a segment that is more than a month old.
    for at in ["2025-03-01T00:00:00Z", "2025-03-02T00:00:00Z", "2025-05-01T00:00:00Z"] {
        note(&mut ring, at);
    }
    place.write("old.note", anchor);
    let expire = |before: &str, more: &[&str], exit: i32| {
        let asked = ["audit", "expire", "--ledger", "old", "--format", "json", "--before", before];
        place.run(&[&asked[..], more].concat()).expect(exit)
    };
    let segments = || fs::read_dir(place.path("old/segments")).unwrap().count();
    let plan = expire("2025-04-01", &[], 0);
    let told: Value = serde_json::from_str(&plan.out).unwrap();
    assert_eq!((&told["entries"], &told["applied"]), (&2.into(), &false.into()));
    assert!(plan.err.contains("dry run"), "{}", plan.err);
    assert_eq!(segments(), 3);
    assert!(expire("2025-01-01", &["--yes"], 0).out.contains("\"entries\":0"));
    assert!(expire("2025-04-01", &["--yes"], 0).out.contains("\"below\":2"));
    assert!(place.path("old/segments/00000000000000000000.hashes").exists());
    let verify = ["audit", "verify", "--ledger", "old", "--format", "json", "--checkpoint"];
    let told = place.run(&[&verify[..], &["old.note"]].concat()).expect(0);
    let told: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!((&told["verdict"], &told["removed"]), (&"whole".into(), &2.into()));
    assert_eq!(told["entries"], 5);
    // Whatever the day: nothing younger than six months goes.
    expire("2098-01-01", &["--yes"], 2).says(&["ALO-A009"]);
    expire("soon", &["--yes"], 2).says(&["ALO-U005"]);
}
