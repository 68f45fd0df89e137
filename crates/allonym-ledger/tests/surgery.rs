//! What is done to logs, and what is seen of it: with an anchor from outside all of it.

#![expect(clippy::unwrap_used, reason = "what a test's helpers do is the test's")]

use allonym_ledger::{
    Action, Entry, Hash, Ledger, NoteError, Phase, Place, Problem, Signer, StartKey, Trust,
    Verdict, Verification, verify,
};
use jiff::{SignedDuration, Timestamp};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;
use zeroize::Zeroizing;

const ORIGIN: &str = "allonym.example/claims";

/// A log of ten entries, checkpoints at 4, 7 and 10, the second segment from entry 4 on.
struct Log {
    folder: TempDir,
    notes: Vec<String>,
}

fn start() -> StartKey {
    StartKey::new(Zeroizing::new([7; 32]))
}

fn signer() -> Signer {
    Signer::new("ledger.example", &Zeroizing::new([9; 32])).unwrap()
}

fn at(minute: u64) -> Timestamp {
    let begin: Timestamp = "2026-11-21T02:00:00Z".parse().unwrap();
    begin + SignedDuration::from_mins(i64::try_from(minute).unwrap())
}

fn entry(rows: u64) -> Entry {
    let mut entry = Entry::new(Action::Apply, "nightly", "allonym 0.1.0");
    entry.counts.insert("rows".to_owned(), rows);
    entry
}

impl Log {
    fn new() -> Log {
        Log::of(ORIGIN, &start(), 1_000)
    }

    fn of(origin: &str, start: &StartKey, rows: u64) -> Log {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("ledger");
        let mut ledger = Ledger::create(&place, origin, start).unwrap().with_segments_of(4);
        let mut notes = Vec::new();
        for n in 0..10 {
            assert_eq!(ledger.append(&entry(rows + n), at(n)).unwrap(), n);
            if [4, 7, 10].contains(&(n + 1)) {
                notes.push(ledger.checkpoint(&signer()).unwrap());
                ledger = ledger.with_segments_of(100);
            }
        }
        Log { folder, notes }
    }

    fn place(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    fn segment(&self, first: u64) -> PathBuf {
        self.place().join(format!("segments/{first:020}.jsonl"))
    }

    fn verify(&self, anchors: &[&str]) -> Verification {
        let start = start();
        let trust = Trust { verifier: signer().verifier(), start: Some(&start) };
        verify(&self.place(), &trust, anchors).unwrap()
    }

    /// As somebody without the start key sees it.
    fn verify_without_codes(&self, anchors: &[&str]) -> Verification {
        let trust = Trust { verifier: signer().verifier(), start: None };
        verify(&self.place(), &trust, anchors).unwrap()
    }

    fn edit(&self, first: u64, change: impl FnOnce(String) -> String) {
        let path = self.segment(first);
        fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
    }

    fn keep_lines(&self, first: u64, entries: u64) {
        let entries = usize::try_from(entries).unwrap();
        self.edit(first, |text| text.split_inclusive('\n').take(entries).collect());
    }

    /// Takes away what tells of the end: the state, and the checkpoints above a size.
    fn forget_above(&self, size: u64) {
        fs::remove_file(self.place().join("state.json")).unwrap();
        for known in [4, 7, 10].into_iter().filter(|known| *known > size) {
            let note = self.place().join(format!("checkpoints/{known:020}.note"));
            fs::remove_file(note).unwrap();
        }
    }
}

#[test]
fn an_untouched_log_is_whole_with_an_anchor_and_unanchored_without() {
    let log = Log::new();
    for (note, size) in log.notes.iter().zip([4, 7, 10]) {
        let found = log.verify(&[note]);
        assert_eq!(found.verdict(), Verdict::Whole, "{:?}", found.problems);
        assert_eq!((found.entries, found.anchored), (10, Some(size)));
        assert!(found.codes_checked && found.is_complete());
        assert_eq!(found.last, Some(at(9)));
    }
    let found = log.verify(&[]);
    assert_eq!((found.verdict(), found.anchored), (Verdict::Unanchored, None));
    let found = log.verify_without_codes(&[&log.notes[2]]);
    assert_eq!((found.verdict(), found.codes_checked), (Verdict::Whole, false));
}

#[test]
fn lines_cut_off_the_end_are_missed_by_who_has_an_anchor() {
    for left in 0..10_u64 {
        let log = Log::new();
        log.forget_above(left);
        log.keep_lines(0, left.min(4));
        log.keep_lines(4, left.saturating_sub(4));
        if left < 4 {
            fs::remove_file(log.segment(4)).unwrap();
        }
        // What is left belongs together: nobody can tell without an anchor.
        let found = log.verify(&[]);
        assert_eq!(found.verdict(), Verdict::Unanchored, "{left}: {:?}", found.problems);
        let found = log.verify(&[&log.notes[2]]);
        assert_eq!(found.verdict(), Verdict::Broken, "{left}");
        let shortened = Problem::Shortened { place: Place::Anchor(0), told: 10, found: left };
        assert_eq!(found.problems, [shortened]);
    }
}

#[test]
fn lines_cut_off_are_missed_by_what_lies_beside_the_log_where_that_was_left() {
    let log = Log::new();
    log.keep_lines(4, 4);
    let expected = [
        Problem::Shortened { place: Place::Stored(10), told: 10, found: 8 },
        Problem::Shortened { place: Place::State, told: 10, found: 8 },
    ];
    assert_eq!(log.verify(&[]).problems, expected);
}

#[test]
fn a_line_cut_in_two_is_seen() {
    let log = Log::new();
    log.edit(4, |text| text.strip_suffix("}\n").unwrap().to_owned());
    assert_eq!(log.verify(&[]).problems[0], Problem::Torn { seq: 9 });
}

#[test]
fn one_byte_edited_anywhere_is_seen() {
    let log = Log::new();
    let path = log.segment(4);
    let whole = fs::read(&path).unwrap();
    // Every seventh byte, and every byte of the last line.
    let last = whole.len() - 300;
    for place in (0..last).step_by(7).chain(last..whole.len()) {
        let mut edited = whole.clone();
        edited[place] ^= 1;
        fs::write(&path, &edited).unwrap();
        let found = log.verify_without_codes(&[&log.notes[2]]);
        assert_eq!(found.verdict(), Verdict::Broken, "byte {place}");
        assert_eq!(log.verify(&[]).verdict(), Verdict::Broken, "byte {place}");
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(log.verify(&[&log.notes[2]]).verdict(), Verdict::Whole);
}

#[test]
fn an_edit_that_keeps_the_form_breaks_code_chain_and_root() {
    let log = Log::new();
    log.edit(4, |text| {
        assert!(text.contains("\"rows\":1005"), "{text}");
        text.replacen("\"rows\":1005", "\"rows\":9999", 1)
    });
    log.forget_above(4);
    let expected = [Problem::WrongCode { seq: 5 }, Problem::Unchained { seq: 6 }];
    assert_eq!(log.verify(&[]).problems, expected);
    let found = log.verify_without_codes(&[&log.notes[1]]);
    let other = Problem::OtherRoot { place: Place::Anchor(0), size: 7 };
    assert_eq!(found.problems, [Problem::Unchained { seq: 6 }, other]);
}

#[test]
fn lines_that_change_places_go_missing_or_come_twice_are_seen() {
    let changes: [fn(&mut Vec<&str>); 3] = [
        |lines| lines.swap(1, 2),
        |lines| {
            lines.remove(1);
        },
        |lines| lines.insert(1, lines[1]),
    ];
    for change in changes {
        let log = Log::new();
        log.edit(4, |text| {
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            change(&mut lines);
            lines.concat()
        });
        log.forget_above(0);
        let found = log.verify_without_codes(&[]);
        assert_eq!(found.verdict(), Verdict::Broken);
        assert!(found.problems.iter().any(|p| matches!(p, Problem::OutOfOrder { .. })));
    }
}

#[test]
fn a_segment_that_is_gone_is_seen() {
    let log = Log::new();
    fs::remove_file(log.segment(0)).unwrap();
    let found = log.verify(&[&log.notes[0]]);
    assert_eq!(found.verdict(), Verdict::Broken);
    assert_eq!(found.problems[0], Problem::Gap { expected: 0, found: 4 });
}

#[test]
fn a_log_in_the_place_of_another_is_seen() {
    let log = Log::new();
    // Written by the same program under the same name with the same keys, of other entries.
    let other = Log::of(ORIGIN, &start(), 2_000);
    let root = Problem::OtherRoot { place: Place::Anchor(0), size: 10 };
    assert_eq!(other.verify(&[&log.notes[2]]).problems, [root]);
    // By somebody who does not have the start key.
    let forged = Log::of(ORIGIN, &StartKey::new(Zeroizing::new([8; 32])), 1_000);
    let problems = forged.verify(&[]).problems;
    assert_eq!(problems, (0..10).map(|seq| Problem::WrongCode { seq }).collect::<Vec<_>>());
}

#[test]
fn an_old_checkpoint_in_the_place_of_the_latest_is_seen_by_who_has_a_later_one() {
    let log = Log::new();
    // The log and all that lies beside it are rolled back to the first checkpoint.
    log.forget_above(4);
    log.keep_lines(4, 0);
    assert_eq!(log.verify(&[]).verdict(), Verdict::Unanchored);
    // The old checkpoint vouches for four entries, and the finding says so.
    let replayed = log.verify(&[&log.notes[0]]);
    assert_eq!((replayed.verdict(), replayed.anchored), (Verdict::Whole, Some(4)));
    for (later, told) in [(&log.notes[1], 7), (&log.notes[2], 10)] {
        let found = log.verify(&[&log.notes[0], later]);
        assert_eq!(found.verdict(), Verdict::Broken);
        let seen = Problem::Shortened { place: Place::Anchor(1), told, found: 4 };
        assert_eq!(found.problems, [seen]);
    }
}

#[test]
fn a_checkpoint_of_another_log_is_no_anchor() {
    let log = Log::new();
    let other = Log::of("allonym.example/loans", &start(), 1_000);
    let found = log.verify(&[&other.notes[2]]);
    assert_eq!(found.problems, [Problem::OtherLog { place: Place::Anchor(0) }]);
    assert_eq!((found.verdict(), found.anchored), (Verdict::Broken, None));
}

#[test]
fn a_checkpoint_that_was_changed_or_signed_by_others_is_no_anchor() {
    let log = Log::new();
    let note = &log.notes[2];
    let stranger = Signer::new("ledger.example", &Zeroizing::new([1; 32])).unwrap();
    let checkpoint = signer().verifier().open(note).unwrap();
    for (anchor, fault) in [
        (note.replacen("\n10\n", "\n9\n", 1), NoteError::Signature),
        (stranger.sign(&checkpoint).unwrap(), NoteError::OtherKey),
        ("no note".to_owned(), NoteError::Form),
    ] {
        let found = log.verify(&[&anchor]);
        assert_eq!(found.problems, [Problem::Note { place: Place::Anchor(0), fault }]);
    }
    // Beside the log too.
    let stored = log.place().join(format!("checkpoints/{:020}.note", 7));
    let changed = fs::read_to_string(&stored).unwrap().replacen("\n7\n", "\n6\n", 1);
    fs::write(&stored, changed).unwrap();
    let fault = NoteError::Signature;
    let expected = [Problem::Note { place: Place::Stored(7), fault }];
    assert_eq!(log.verify(&[note]).problems, expected);
}

#[test]
fn a_clock_that_was_turned_back_is_refused() {
    let log = Log::new();
    let ledger = Ledger::open(&log.place()).unwrap();
    let error = ledger.append(&entry(1), at(3)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the clock says 2026-11-21T02:03:00Z, more than five minutes before the last entry of \
         2026-11-21T02:09:00Z"
    );
    // Five minutes are clocks that differ; they do not add up.
    assert_eq!(ledger.append(&entry(1), at(4)).unwrap(), 10);
    ledger.append(&entry(1), at(3)).unwrap_err();
    assert_eq!(log.verify(&[]).verdict(), Verdict::Unanchored);
}

#[test]
fn jobs_that_began_and_did_not_end_are_told_apart_from_integrity() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("ledger");
    let ledger = Ledger::create(&place, ORIGIN, &start()).unwrap();
    let told = [("a", Phase::Begin), ("b", Phase::Begin), ("a", Phase::End), ("c", Phase::End)];
    for (job, phase) in told {
        let mut entry = entry(0);
        entry.job = Some((job.to_owned(), phase));
        ledger.append(&entry, at(0)).unwrap();
    }
    let trust = Trust { verifier: signer().verifier(), start: None };
    let found = verify(&place, &trust, &[]).unwrap();
    assert_eq!(found.verdict(), Verdict::Unanchored);
    assert!(!found.is_complete());
    assert_eq!(found.open_jobs, [(1, "b".to_owned())]);
    assert_eq!(found.unbegun_jobs, [(3, "c".to_owned())]);
}

#[test]
fn what_is_no_ledger_has_no_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let trust = Trust { verifier: signer().verifier(), start: None };
    let none = verify(folder.path(), &trust, &[]).unwrap_err();
    assert!(none.to_string().starts_with("no ledger in"), "{none}");
    let log = Log::new();
    let header = log.place().join("ledger.json");
    for wrong in ["", "{}", "{\"format\":\"allonym.ledger/2\",\"origin\":\"x\"}"] {
        fs::write(&header, wrong).unwrap();
        let error = verify(&log.place(), &trust, &[]).unwrap_err();
        assert!(error.to_string().contains("expected the header"), "{error}");
    }
    // Another name in the header: neither the first entry nor any checkpoint is of that log.
    let other = "{\"format\":\"allonym.ledger/1\",\"origin\":\"allonym.example/other\"}";
    fs::write(&header, other).unwrap();
    let problems = log.verify(&[]).problems;
    assert!(problems.contains(&Problem::Unchained { seq: 0 }), "{problems:?}");
    assert!(problems.contains(&Problem::OtherLog { place: Place::Stored(4) }), "{problems:?}");
}

#[test]
fn an_output_is_found_with_its_proof() {
    let log = Log::new();
    let ledger = Ledger::open(&log.place()).unwrap();
    let output = Hash::leaf(b"receipt");
    assert_eq!(ledger.find_output(output).unwrap(), None);
    let mut told = entry(1);
    told.inputs.push(output);
    ledger.append(&told, at(11)).unwrap();
    assert_eq!(ledger.find_output(output).unwrap(), None, "as an input it is no output");
    told.outputs.push(output);
    let seq = ledger.append(&told, at(12)).unwrap();
    ledger.append(&entry(2), at(13)).unwrap();
    let found = ledger.find_output(output).unwrap().unwrap();
    assert_eq!((found.seq, found.size), (seq, 13));
    assert!(found.holds());
    assert_eq!(ledger.prove(seq).unwrap(), Some(found.clone()));
    assert_eq!(ledger.prove(13).unwrap(), None);
    assert!(!allonym_ledger::Included { seq: 3, ..found }.holds());
    ledger.expire_below(4, "nightly", "allonym 0.1.0", at(14)).unwrap();
    assert!(ledger.find_output(output).unwrap().unwrap().holds());
}
