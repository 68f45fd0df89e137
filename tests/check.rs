//! `allonym check`: the gate, on the output itself.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod command;

use command::{Ended, Place};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

const CANARY: &str = "zora.kanarie@example.org";
const AS_OF: &str = "2026-06-01T00:00:00Z";

/// A policy with tags for every column; what stands in `more` comes last.
fn policy(more: &str) -> String {
    format!(
        r#"version = 1
[policy]
name = "claims"
purpose = "a test"
[columns.mail]
treat = "pseudonymize"
[columns.notes]
treat = "text"
with = "label"
[columns.closed]
treat = "keep"
reason = "anchor"
[columns.amount]
treat = "keep"
reason = "target"
[retention.dataset]
purpose = ["pricing"]
anchor = "closed"
duration = "P5Y"
on_expiry = "drop_row"
{more}"#
    )
}

fn rows(closed: &str) -> String {
    let mut csv = String::from("mail,notes,closed,amount\n");
    for row in 0..40 {
        csv.push_str(&format!("zora{row}@example.org,she wrote to {CANARY},{closed},{row}\n"));
    }
    csv
}

fn treated(closed: &str, to: &str) -> Place {
    let place = Place::with_keys();
    place.write("in.csv", rows(closed));
    place.write("allonym.toml", policy(""));
    place.run(&["apply", "in.csv", "--to", to]).expect(0);
    place
}

fn check(place: &Place, arguments: &[&str]) -> (i32, Value) {
    let all = [&["check", "--format", "json", "--as-of", AS_OF][..], arguments].concat();
    let ended = place.run(&all);
    assert!(!ended.out.contains("kanarie") && !ended.err.contains("kanarie"), "{ended:?}");
    let value: Value = serde_json::from_str(&ended.out).unwrap_or_default();
    assert!(value.is_object(), "{ended:?}");
    (ended.exit, value)
}

fn codes(evidence: &Value) -> BTreeSet<String> {
    let findings = evidence["findings"].as_array().unwrap().iter();
    let graver = findings.filter(|finding| finding["severity"] != "note");
    graver.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

fn set(codes: &[&str]) -> BTreeSet<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

fn message(evidence: &Value, code: &str) -> String {
    let findings = evidence["findings"].as_array().unwrap().iter();
    let of = findings.filter(|finding| finding["code"] == code);
    of.map(|finding| finding["message"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

fn first_token(csv: &str) -> String {
    csv.lines().nth(1).unwrap().split(',').next().unwrap().to_owned()
}

#[test]
fn what_was_treated_by_the_policy_is_ready() {
    for to in ["safe.csv", "safe.parquet", "safe.jsonl", "safe.arrow"] {
        let place = treated("2025-01-31", to);
        let (exit, evidence) = check(&place, &[to]);
        assert_eq!((exit, codes(&evidence)), (0, set(&[])), "{to}: {evidence:#}");
        assert_eq!(evidence["schema"], "allonym.check/1");
        assert_eq!(evidence["verdict"], "ready");
        assert_eq!((&evidence["rows"], &evidence["rows_read"]), (&40.into(), &40.into()));
        assert_eq!(evidence["files"][0]["unchanged"], true);
        assert_eq!(evidence["files"][0]["signature"], "known");
        assert_eq!(evidence["retention"]["tags"][0]["counts"]["retain"], 40);
        // The exact bound for nothing in 40: 1 - 0.05^(1/40).
        let bound = evidence["residual"]["upper_bound"].as_f64().unwrap();
        assert!((bound - 0.072_157).abs() < 1e-6, "{bound}");
        assert!(evidence["signature"]["key"].as_str().unwrap().starts_with("allonym/"));
        let human = place.run(&["check", to, "--as-of", AS_OF]).expect(0);
        assert!(human.out.starts_with("READY  safe"), "{}", human.out);
        assert!(human.out.contains("none found in 40 rows"), "{}", human.out);
    }
}

#[test]
fn what_expired_and_who_was_erased_leave_a_file_that_is_proven() {
    for to in ["safe.parquet", "safe.csv"] {
        let place = Place::with_keys();
        place.write("allonym.toml", policy(""));
        // The first row is past its five years.
        place.write("in.csv", rows("2025-01-31").replacen("2025-01-31", "2019-01-31", 1));
        place.run(&["apply", "in.csv", "--to", to]).expect(0);
        let (exit, evidence) = check(&place, &[to]);
        assert_eq!((exit, codes(&evidence)), (1, set(&["ALO-R101"])), "{to}");
        place.run(&["expire", to, "--yes", "--as-of", AS_OF]).expect(0);
        let (exit, evidence) = check(&place, &[to]);
        assert_eq!((exit, codes(&evidence)), (0, set(&[])), "{to}: {evidence:#}");
        assert_eq!(evidence["files"][0]["unchanged"], false);
        let expired = format!("{to}.expired-20260601T000000Z.allonym.json");
        assert_eq!(evidence["files"][0]["changed_by"], serde_json::json!([expired]));

        // Two steps: the second one begins where the first one ended.
        let person =
            place.read("in.csv").lines().nth(5).unwrap().split(',').next().unwrap().to_owned();
        place.write("who.txt", format!("{person}\n"));
        place.run(&["erase", to, "--subjects", "who.txt", "--yes", "--as-of", AS_OF]).expect(0);
        let (exit, evidence) = check(&place, &[to]);
        assert_eq!((exit, codes(&evidence)), (0, set(&[])), "{to}: {evidence:#}");
        assert_eq!(evidence["files"][0]["changed_by"].as_array().unwrap().len(), 2);
        let receipt = format!("{to}.allonym.json");
        let told = place.run(&["verify", &receipt]).expect(0);
        assert!(told.out.contains("by an expiry or an erasure"), "{}", told.out);

        // Who knows the key of the receipt alone trusts no step: nobody here knows whose key it is.
        let stranger = place.run_with(&["verify", &receipt], |command| {
            command.env("ALLONYM_CONFIG_HOME", place.path("nobody"));
        });
        assert!(stranger.expect(3).out.contains("changed since\n"));
        // One step missing, or not what was signed: the file is somebody's.
        let text = place.read(&expired);
        place.write(&expired, text.replace("\"rows_dropped\": 1", "\"rows_dropped\": 2"));
        let (exit, evidence) = check(&place, &[to]);
        assert_eq!((exit, codes(&evidence)), (1, set(&["ALO-V104"])), "{to}");
        place.run(&["verify", &receipt]).expect(1);
        place.write(&expired, text);
        assert_eq!(check(&place, &[to]).0, 0);
    }
}

#[test]
fn the_same_check_gives_the_same_bytes() {
    let place = treated("2025-01-31", "safe.parquet");
    let arguments = ["check", "safe.parquet", "--format", "json", "--as-of", AS_OF];
    let one = place.run(&arguments).expect(0).out;
    assert_eq!(place.run(&arguments).expect(0).out, one);
    let batches = [&arguments[..], &["--batch-rows", "7"]].concat();
    assert_eq!(place.run(&batches).expect(0).out, one);
    // It stands in the ledger with its digest; nothing personal does.
    place.run(&[&arguments[..], &["--evidence", "evidence.json"]].concat()).expect(0);
    let written: Value = serde_json::from_str(&place.read("evidence.json")).unwrap();
    assert_eq!(written, serde_json::from_str::<Value>(&one).unwrap());
    // A year later the evidence itself is checked: signature, file, place in the ledger.
    let verified = place.run(&["verify", "evidence.json", "--data", "safe.parquet"]).expect(0);
    for words in ["intact · signed by allonym/", "1 of 1 files match", "in the ledger as entry"] {
        assert!(verified.out.contains(words), "no `{words}` in:\n{}", verified.out);
    }
    let text = place.read("evidence.json");
    place.write("changed.json", text.replace("\"ready\"", "\"not_ready\""));
    place.run(&["verify", "changed.json", "--data", "safe.parquet"]).expect(1);
    let schema = place.run(&["schema", "check"]).expect(0);
    let schema: Value = serde_json::from_str(&schema.out).unwrap();
    let told: BTreeSet<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(told, written.as_object().unwrap().keys().collect());
}

#[test]
fn rows_past_their_time_are_counted() {
    let place = treated("2021-06-01", "safe.csv");
    // A date keeps its whole last day: five years end with the second of June.
    assert_eq!(check(&place, &["safe.csv"]).0, 0);
    let late = ["check", "safe.csv", "--as-of", "2026-06-02T00:00:00Z", "--format", "json"];
    let ended = place.run(&late).expect(1);
    let evidence: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(codes(&evidence), set(&["ALO-R101"]));
    assert_eq!(evidence["findings"][0]["count"], 40);
    assert!(message(&evidence, "ALO-R101").contains("closed + P5Y, then drop_row"));
    // A hold keeps them; one that nobody looked at again is a finding of its own.
    let hold = "[[retention.holds]]\nid = \"LH-1\"\nauthority = \"a court\"\nfrom = 2026-01-01\n";
    place.write("held.toml", policy(&format!("{hold}review_by = 2027-01-01\n")));
    let held = [&late[..], &["--policy", "held.toml"]].concat();
    let evidence: Value = serde_json::from_str(&place.run(&held).out).unwrap();
    assert_eq!(codes(&evidence), set(&["ALO-V107"]), "another policy, and nothing else");
    assert_eq!(evidence["retention"]["tags"][0]["counts"]["expired_on_hold"], 40);
    place.write("held.toml", policy(&format!("{hold}review_by = 2026-02-01\n")));
    let evidence: Value = serde_json::from_str(&place.run(&held).out).unwrap();
    assert_eq!(codes(&evidence), set(&["ALO-R107", "ALO-V107"]));
    // A hold for some subjects whose file is gone leaves nobody knowing.
    let some =
        hold.replace("authority", "scope = { subject_tokens_file = \"lh.tokens\" }\nauthority");
    place.write("held.toml", policy(&format!("{some}review_by = 2027-01-01\n")));
    let ended = place.run(&held).expect(3);
    let evidence: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(codes(&evidence), set(&["ALO-R101", "ALO-R110", "ALO-V107"]));
    let token = first_token(&place.read("safe.csv"));
    place.write("lh.tokens", format!("{token}\n"));
    let ended = place.run(&held).expect(1);
    let evidence: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(evidence["retention"]["tags"][0]["counts"]["expired_on_hold"], 1);
    assert_eq!(evidence["retention"]["tags"][0]["counts"]["expired"], 39);
}

#[test]
fn what_cannot_be_decided_is_never_taken_for_good() {
    for (closed, code) in [
        ("", "ALO-R102"),
        ("soon", "ALO-R102"),
        ("2025-01-31T10:00:00", "ALO-R102"),
        ("2206-01-31", "ALO-R103"),
    ] {
        let place = treated(closed, "safe.csv");
        let (exit, evidence) = check(&place, &["safe.csv"]);
        assert_eq!((exit, codes(&evidence)), (1, set(&[code])), "{closed}");
    }
    let place = treated("1970-01-01", "safe.csv");
    let (_, evidence) = check(&place, &["safe.csv"]);
    assert!(message(&evidence, "ALO-R104").contains("40 rows"), "{evidence}");
}

#[test]
fn identifiers_that_are_left_are_found_in_the_output() {
    let place = treated("2025-01-31", "safe.csv");
    let safe = place.read("safe.csv");
    // One token undone, one text with a name put back.
    let token = first_token(&safe);
    place.write("safe.csv", safe.replacen(&token, CANARY, 1).replacen("<EMAIL>", CANARY, 1));
    let (exit, evidence) = check(&place, &["safe.csv"]);
    assert_eq!((exit, codes(&evidence)), (1, set(&["ALO-I101", "ALO-I102", "ALO-V104"])));
    assert!(message(&evidence, "ALO-I102").contains("1 cells of column `mail` are no tokens"));
    assert!(message(&evidence, "ALO-I101").contains("EMAIL_ADDRESS in 1"));
    assert_eq!(evidence["residual"]["found"], 2);
    // With measured recall the bound is wider.
    let bound = |evidence: &Value| evidence["residual"]["upper_bound"].as_f64().unwrap();
    let eval = r#"{"schema":"allonym.eval/1","overall":{"overlap":{"recall":{"value":0.9,"low":0.8,"high":0.95}}}}"#;
    place.write("eval.json", eval);
    let (_, measured) = check(&place, &["safe.csv", "--recall", "eval.json"]);
    assert!((bound(&measured) - bound(&evidence) / 0.8).abs() < 1e-12);
    place.write("eval.json", "{}");
    place.run(&["check", "safe.csv", "--recall", "eval.json"]).expect(2).says(&["ALO-U012"]);
}

#[test]
fn columns_that_nobody_listed_tagged_or_gave_a_purpose() {
    let place = treated("2025-01-31", "safe.csv");
    let safe = place.read("safe.csv").replace("mail,", "fax,mail,");
    let wider: String = safe
        .lines()
        .enumerate()
        .map(|(n, line)| if n == 0 { format!("{line}\n") } else { format!("x,{line}\n") })
        .collect();
    place.write("safe.csv", wider);
    let (exit, evidence) = check(&place, &["safe.csv"]);
    assert_eq!((exit, codes(&evidence)), (1, set(&["ALO-M101", "ALO-V104", "ALO-V105"])));
    assert!(message(&evidence, "ALO-V105").contains("`fax` is not in the manifest"));
    assert!(message(&evidence, "ALO-M101").contains("`fax` is not listed"));

    let columns = policy("")
        .replace("[retention.dataset]", "[[retention.columns]]")
        .replace("purpose = [\"pricing\"]", "match = { name = \"mail\" }\npurpose = [\"pricing\"]");
    let place = Place::with_keys();
    place.write("in.csv", rows("2025-01-31"));
    place.write("allonym.toml", columns);
    place.run(&["apply", "in.csv", "--to", "safe.csv"]).expect(0);
    let (exit, evidence) = check(&place, &["safe.csv"]);
    assert_eq!((exit, codes(&evidence)), (1, set(&["ALO-R105"])));
    assert_eq!(message(&evidence, "ALO-R105").lines().count(), 3);
    assert_eq!(message(&evidence, "ALO-M102").lines().count(), 3);
}

#[test]
fn proofs_that_do_not_hold() {
    let place = treated("2025-01-31", "safe.parquet");
    let manifest = place.read("safe.parquet.allonym.json");
    let told = |what: &str, codes_told: &[&str], exit: i32| {
        let (found, evidence) = check(&place, &["safe.parquet"]);
        assert_eq!((found, codes(&evidence)), (exit, set(codes_told)), "{what}: {evidence:#}");
    };
    told("as it was", &[], 0);
    // Longer kept than was signed: the signature breaks, and the earlier expiry rules.
    place.write("safe.parquet.allonym.json", manifest.replace("\"P5Y\"", "\"P9Y\""));
    told("a longer period", &["ALO-R108", "ALO-V102", "ALO-V106"], 1);
    let unsigned = manifest.split("\"signature\"").next().unwrap().trim_end().to_owned();
    place.write("safe.parquet.allonym.json", format!("{unsigned}\n\"signature\": null}}"));
    told("not signed", &["ALO-V103"], 3);
    place.write("safe.parquet.allonym.json", "{");
    told("no manifest that can be read", &["ALO-V101"], 3);
    place.write("safe.parquet.allonym.json", &manifest);
    let key = place.run(&["audit", "key"]).expect(0).out.trim().to_owned();
    let stranger = |arguments: &[&str]| -> Ended {
        let all = [&["check", "safe.parquet", "--as-of", AS_OF, "--format", "json"], arguments];
        place.run_with(&all.concat(), |command| {
            command.env("ALLONYM_CONFIG_HOME", place.path("nobody"));
        })
    };
    let evidence: Value = serde_json::from_str(&stranger(&[]).expect(3).out).unwrap();
    assert_eq!(codes(&evidence), set(&["ALO-V103"]));
    stranger(&["--signer", &key]).expect(0);
    fs::remove_file(place.path("safe.parquet.allonym.json")).unwrap();
    told("no manifest", &["ALO-V101"], 3);
    place.write("safe.parquet", "PAR1");
    told("no Parquet", &["ALO-V109"], 3);
}

#[test]
fn a_folder_is_checked_whole_and_to_its_end() {
    let place = Place::with_keys();
    for name in ["a.csv", "deep/b.parquet", "c.csv"] {
        place.write("one.csv", rows("2025-01-31"));
        place.write(
            "keep.toml",
            policy("")
                .replace("treat = \"pseudonymize\"", "treat = \"keep\"\nreason = \"x\"")
                .replace("treat = \"text\"\nwith = \"label\"", "treat = \"keep\"\nreason = \"x\""),
        );
        let to = format!("in/{name}");
        place.run(&["apply", "one.csv", "--to", &to, "--policy", "keep.toml"]).expect(0);
    }
    place.write("allonym.toml", policy(""));
    place.run(&["apply", "in", "--to", "out"]).expect(0);
    let (exit, evidence) = check(&place, &["out"]);
    assert_eq!((exit, codes(&evidence)), (0, set(&[])), "{evidence:#}");
    assert_eq!((&evidence["rows"], evidence["files"].as_array().unwrap().len()), (&120.into(), 3));
    assert_eq!(check(&place, &["out/deep/b.parquet"]).0, 0, "the manifest of the folder is found");
    // One file broken, one gone: the rest is looked at all the same.
    place.write("out/a.csv", "mail,notes\n\"");
    fs::remove_file(place.path("out/c.csv")).unwrap();
    let (exit, evidence) = check(&place, &["out"]);
    // What is left of the broken one has no anchor either.
    assert_eq!((exit, codes(&evidence)), (3, set(&["ALO-R106", "ALO-V108", "ALO-V109"])));
    assert_eq!(evidence["rows"], 40);
    assert!(message(&evidence, "ALO-V108").contains("`c.csv`"));
}

#[test]
fn anchors_that_are_not_there_or_not_told() {
    let place = treated("2025-01-31", "safe.csv");
    let safe = place.read("safe.csv").replace("closed", "shut");
    place.write("safe.csv", safe);
    let (exit, evidence) = check(&place, &["safe.csv"]);
    assert_eq!(exit, 3);
    assert!(codes(&evidence).is_superset(&set(&["ALO-R106", "ALO-V105", "ALO-M101"])));
    let drift = message(&evidence, "ALO-V105");
    assert!(
        drift.contains("`closed` of the manifest is gone; `shut` stands in its place"),
        "{drift}"
    );

    for (anchor, told) in [("dataset.collected_at", None), ("event:end", Some("end=2025-01-31"))] {
        let place = Place::with_keys();
        place.write("in.csv", rows("2025-01-31"));
        place.write(
            "allonym.toml",
            policy("").replace("anchor = \"closed\"", &format!("anchor = \"{anchor}\"")),
        );
        place.run(&["apply", "in.csv", "--to", "a.csv"]).expect(0);
        let (exit, evidence) = check(&place, &["a.csv"]);
        assert_eq!((exit, codes(&evidence)), (3, set(&["ALO-R109"])), "{anchor}");
        match told {
            Some(event) => assert_eq!(check(&place, &["a.csv", "--event", event]).0, 0),
            None => {
                let arguments =
                    ["apply", "in.csv", "--to", "b.csv", "--collected-at", "2025-01-31"];
                place.run(&arguments).expect(0);
                assert_eq!(check(&place, &["b.csv"]).0, 0);
            }
        }
    }
}

#[test]
fn a_first_run_is_checked_by_the_policy_that_it_drafted() {
    let place = Place::fresh();
    place.write("claims.csv", fs::read(command::example("claims.csv")).unwrap());
    place.run(&["apply", "claims.csv", "--to", "safe.csv"]).expect(0);
    let (exit, evidence) = check(&place, &["safe.csv"]);
    assert_eq!((exit, codes(&evidence)), (0, set(&[])), "{evidence:#}");
    assert_eq!(evidence["retention"], Value::Null);
    fs::remove_file(place.path("safe.csv.policy.toml")).unwrap();
    place.run(&["check", "safe.csv"]).expect(2).says(&["ALO-P022", "--policy"]);
    place.run(&["check", "nothing.csv"]).expect(3);
    place.run(&["check"]).expect(2);
    place.run(&["check", "safe.csv", "--as-of", "yesterday"]).expect(2);
}

#[test]
fn bad_input_is_never_taken_for_good() {
    let place = treated("2025-01-31", "safe.csv");
    fs::create_dir(place.path("empty")).unwrap();
    place.write("other/notes.pdf", "x");
    for (what, path) in [("nothing", "nowhere"), ("an empty folder", "empty"), ("no data", "other")]
    {
        let ended = place.run(&["check", path]);
        assert_eq!(ended.exit, 3, "{what}: {ended:?}");
    }
    // The anchor is no date any more.
    let place = treated("2025-01-31", "safe.parquet");
    let keep = "treat = \"keep\"\nreason = \"x\"\n";
    let mut other = String::from("version = 1\n[policy]\nname = \"claims\"\n");
    for column in ["mail", "notes", "closed", "amount"] {
        other.push_str(&format!("[columns.{column}]\n{keep}"));
    }
    place.write("other.toml", other);
    place.write("plain.csv", rows("true"));
    let apply = ["apply", "plain.csv", "--to", "safe.parquet", "--policy", "other.toml", "--force"];
    place.run(&apply).expect(0);
    let (exit, evidence) = check(&place, &["safe.parquet"]);
    assert_eq!(exit, 1);
    assert!(codes(&evidence).is_superset(&set(&["ALO-R102", "ALO-V107", "ALO-I102"])));

    // Two jobs at once: both stand in the ledger, whole; the output is one of theirs.
    let place = treated("2025-01-31", "safe.csv");
    let children: Vec<_> = (0..4)
        .map(|n| {
            let to = format!("at-once-{n}.csv");
            place.spawn(&["apply", "in.csv", "--to", &to])
        })
        .collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    place.run(&["audit", "checkpoint", "--to", "note"]).expect(0);
    let audit = ["audit", "verify", "--checkpoint", "note", "--format", "json"];
    let told: Value = serde_json::from_str(&place.run(&audit).expect(0).out).unwrap();
    // A new key, and five times a beginning and an end.
    assert_eq!((&told["entries"], &told["complete"]), (&11.into(), &true.into()));
    // The clock of the machine behind the ledger stops a check, too: its date would be no proof.
    let folder = place.config().join("default.keyring.ledger");
    let log = allonym_ledger::Ledger::open(&folder).unwrap();
    let entry = allonym_ledger::Entry::new(allonym_ledger::Action::Check, "later", "test");
    log.append(&entry, "2099-01-01T00:00:00Z".parse().unwrap()).unwrap();
    place.run(&["check", "safe.csv", "--as-of", AS_OF]).expect(6).says(&["ALO-A005"]);
}

#[test]
fn coarser_and_masked_cells_are_held_to_their_promise() {
    let place = Place::with_keys();
    let mut columns = String::from("version = 1\n[policy]\nname = \"coarse\"\npurpose = \"x\"\n");
    for (name, treatment) in [
        ("phone", "treat = \"mask\"\nkeep_last = 3"),
        ("mail", "treat = \"redact\"\nwith = \"[MAIL]\""),
        ("born", "treat = \"generalize\"\nto = \"year\""),
        ("ip", "treat = \"generalize\"\nbits = 24"),
        ("salary", "treat = \"generalize\"\nstep = 100"),
        ("age", "treat = \"generalize\"\nbands = [18, 30, 60]"),
        ("zip", "treat = \"generalize\"\nprefix = 2"),
    ] {
        columns.push_str(&format!("[columns.{name}]\n{treatment}\n"));
    }
    place.write("allonym.toml", columns);
    let mut csv = String::from("phone,mail,born,ip,salary,age,zip\n");
    for row in 0..60 {
        csv.push_str(&format!(
            "+49 30 9010{row:04},zora{row}@example.org,19{}-03-1{},192.0.2.{row},{},{},101{row:02}\n",
            50 + row % 50,
            row % 10,
            1_001 + row,
            row + 1
        ));
    }
    place.write("in.csv", csv);
    for to in ["safe.csv", "safe.parquet"] {
        place.run(&["apply", "in.csv", "--to", to]).expect(0);
        let (exit, evidence) = check(&place, &[to]);
        assert_eq!((exit, codes(&evidence)), (0, set(&[])), "{to}: {evidence:#}");
        assert!(message(&evidence, "ALO-M105").contains("born, ip, salary, age, zip"));
    }
    place.write("safe.csv", place.read("in.csv"));
    let (exit, evidence) = check(&place, &["safe.csv"]);
    assert_eq!((exit, codes(&evidence)), (1, set(&["ALO-I102", "ALO-V104"])));
    let told = message(&evidence, "ALO-I102");
    for words in [
        "60 cells of column `phone` are not masked",
        "60 cells of column `mail` are not what the policy puts in their place",
        "60 cells of column `born` are not as coarse",
        "60 cells of column `ip` are not as coarse",
        "60 cells of column `salary` are not as coarse",
        "60 cells of column `age` are not as coarse",
        "60 cells of column `zip` are not as coarse",
    ] {
        assert!(told.contains(words), "no `{words}` in:\n{told}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_may_not_be_read_is_named_and_nothing_is_done() {
    use std::os::unix::fs::PermissionsExt;

    let place = treated("2020-01-01", "ml/a.csv");
    place.write("ml/locked/b.csv", rows("2020-01-01"));
    let before = place.bytes("ml/a.csv");
    let lock = |mode| {
        fs::set_permissions(place.path("ml/locked"), fs::Permissions::from_mode(mode)).unwrap();
    };
    let bound = |arguments: &[&str]| {
        lock(0o000);
        let ended = place.run_bound(arguments);
        lock(0o755);
        assert!(!ended.err.contains(CANARY) && !ended.out.contains(CANARY), "{ended:?}");
        ended
    };
    let expire = ["expire", "ml", "--yes", "--as-of", AS_OF];
    bound(&expire).expect(4).says(&["ALO-D004", "ml/locked"]);
    assert_eq!(place.bytes("ml/a.csv"), before);
    // A check goes on with the rest, and is no pass.
    let ended = bound(&["check", "ml", "--format", "json", "--as-of", AS_OF]).expect(3);
    let evidence: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(codes(&evidence), set(&["ALO-R101", "ALO-V109"]));
    assert!(message(&evidence, "ALO-V109").contains("locked"));
    assert_eq!(evidence["rows"], 40);
}
