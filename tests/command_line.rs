//! The command as its users meet it: first run, pipes, formats, hints, wrong use.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod command;

use command::{Place, corpora, example, policy};
use serde_json::Value;
use std::fs;

const TOKEN: &str = "treat = \"pseudonymize\"";

fn claims(place: &Place) {
    place.write("claims.csv", fs::read(example("claims.csv")).unwrap());
}

#[test]
fn a_first_run_needs_no_ceremony() {
    let place = Place::fresh();
    claims(&place);
    let ended = place.run(&["apply", "claims.csv", "--to", "safe.csv"]).expect(0);
    let ended = ended.says(&["created keyring", "drafted", "safe.csv.policy.toml"]);
    assert!(ended.out.is_empty(), "talk goes to stderr: {}", ended.out);

    let raw = place.read("claims.csv");
    let safe = place.read("safe.csv");
    assert_eq!(safe.lines().count(), raw.lines().count());
    assert_eq!(safe.lines().next(), raw.lines().next());
    // No identifier of any row survives anywhere in the output.
    let header: Vec<&str> = raw.lines().next().unwrap().split(',').collect();
    for row in raw.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        for name in ["holder_name", "email", "phone", "iban", "tax_id"] {
            let at = header.iter().position(|column| *column == name).unwrap();
            assert!(!safe.contains(cells[at]), "a {name} is still there");
        }
    }
    let receipt: Value = serde_json::from_str(&place.read("safe.csv.allonym.json")).unwrap();
    assert_eq!(receipt["schema"], "allonym.receipt/1");
    assert_eq!(receipt["inputs"][0]["path"], "claims.csv");
    assert_eq!(receipt["outputs"][0]["rows"], 400);
    assert_eq!(receipt["keys"].as_array().unwrap().len(), 1);
    assert!(receipt["signature"]["key"].as_str().unwrap().starts_with("allonym/"));

    // Tomorrow's run by the drafted policy gives the same tokens.
    let arguments =
        ["apply", "claims.csv", "--to", "again.csv", "--policy", "safe.csv.policy.toml"];
    let again = place.run(&arguments).expect(0);
    assert!(!again.err.contains("created keyring"));
    assert_eq!(place.read("again.csv"), safe);
}

#[test]
fn scan_says_what_is_there_without_showing_it() {
    let place = Place::fresh();
    claims(&place);
    let human = place.run(&["scan", "claims.csv"]).expect(0);
    for word in ["holder_name", "PERSON", "IBAN_CODE", "EMAIL_ADDRESS", "400 rows"] {
        assert!(human.out.contains(word), "no {word} in:\n{}", human.out);
    }
    let json = place.run(&["scan", "claims.csv", "--format", "json"]).expect(0);
    let scan: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(scan["schema"], "allonym.scan/1");
    assert_eq!(scan["rows"], 400);
    assert_eq!(scan["sampled"], false);
    let entity = |name: &str| -> Value {
        let columns = scan["columns"].as_array().unwrap();
        columns.iter().find(|column| column["name"] == name).unwrap()["entity"].clone()
    };
    assert_eq!(entity("email"), "EMAIL_ADDRESS");
    assert_eq!(entity("iban"), "IBAN_CODE");
    assert_eq!(entity("tax_id"), "DE_TAX_ID");
    assert_eq!(entity("holder_name"), "PERSON");
    assert_eq!(entity("birth_date"), "DATE_OF_BIRTH");
    assert_eq!(entity("amount"), Value::Null);
    for text in [&human.out, &json.out] {
        for secret in ["example.org", "Musterfeld", "5550", "DE7"] {
            assert!(!text.contains(secret), "{secret} is shown");
        }
    }
}

#[test]
fn scan_gates_and_other_formats() {
    let place = Place::fresh();
    claims(&place);
    place.run(&["scan", "claims.csv", "--fail-on", "direct"]).expect(1);
    place.run(&["scan", "claims.csv", "--fail-on", "direct", "--exit-zero"]).expect(0);
    place.run(&["scan", "claims.csv", "--fail-on", "CREDIT_CARD"]).expect(0);
    place.run(&["scan", "claims.csv", "--fail-on", "directs"]).expect(2);
    let sarif = place.run(&["scan", "claims.csv", "--format", "sarif"]).expect(0);
    let sarif: Value = serde_json::from_str(&sarif.out).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(results.len() > 5);
    for result in results {
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(place, "claims.csv");
    }
    let csv = place.run(&["scan", "claims.csv", "--format", "csv"]).expect(0);
    assert_eq!(csv.out.lines().count(), 15);
}

#[test]
fn spans_count_code_points() {
    let place = Place::fresh();
    place.write("a.txt", "Grüße 😀 an zora@example.org");
    let text = place.run(&["scan", "a.txt", "--spans", "--format", "jsonl"]).expect(0);
    let document: Value = serde_json::from_str(text.out.trim()).unwrap();
    assert_eq!(document["id"], "a.txt");
    assert_eq!(document["spans"][0]["start"], 11);
    assert_eq!(document["spans"][0]["end"], 27);
    assert_eq!(document["spans"][0]["entity"], "EMAIL_ADDRESS");

    let lines = "{\"text\":\"nothing\"}\n{\"id\":\"x\",\"text\":\"é zora@example.org\"}\n{\"id\":7,\"text\":null}\n";
    place.write("b.jsonl", lines);
    let text = place.run(&["scan", "b.jsonl", "--spans", "--format", "jsonl"]).expect(0);
    let documents: Vec<Value> =
        text.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(documents.len(), 3);
    assert_eq!(documents[0]["id"], 0);
    assert_eq!(documents[0]["spans"].as_array().unwrap().len(), 0);
    assert_eq!(documents[1]["id"], "x");
    assert_eq!(documents[1]["spans"][0]["start"], 2);
    assert_eq!(documents[2]["id"], 7);
}

#[test]
fn init_drafts_a_policy_that_apply_takes() {
    let place = Place::fresh();
    claims(&place);
    place.run(&["init", "claims.csv", "--purpose", "hail model"]).expect(0);
    let drafted = place.read("allonym.toml");
    assert!(drafted.contains("purpose = \"hail model\""), "{drafted}");
    assert!(!drafted.contains("example.org") && !drafted.contains("Musterfeld"));
    place.run(&["init", "claims.csv"]).expect(2).says(&["--update"]);
    place.run(&["apply", "claims.csv", "--to", "safe.csv"]).expect(0);

    // A new column stops the run until the policy lists it; comments stay.
    let wider = place.read("claims.csv").replace("claim_no,", "broker_phone,claim_no,");
    let wider = wider.lines().enumerate().map(|(n, row)| {
        if n == 0 { format!("{row}\n") } else { format!("+49 30 5550 999,{row}\n") }
    });
    place.write("claims.csv", wider.collect::<String>());
    place.write("allonym.toml", format!("# reviewed\n{drafted}"));
    let stopped = place.run(&["apply", "claims.csv", "--to", "wide.csv"]).expect(1);
    stopped.says(&["broker_phone", "init --update"]);
    place.run(&["init", "claims.csv", "--update"]).expect(0);
    let updated = place.read("allonym.toml");
    assert!(updated.starts_with("# reviewed\n") && updated.contains("broker_phone"), "{updated}");
    place.run(&["apply", "claims.csv", "--to", "wide.csv"]).expect(0);
}

#[test]
fn dry_runs_write_nothing() {
    let place = Place::fresh();
    claims(&place);
    let before = place.names();
    let plan = place.run(&["apply", "claims.csv", "--to", "x.csv", "--dry-run"]).expect(0);
    assert!(plan.out.contains("pseudonymize"), "{}", plan.out);
    assert_eq!(place.names(), before);
    assert!(!place.config().exists(), "a dry run made a keyring");
}

#[test]
fn pipes_stream_and_write_a_receipt_where_asked() {
    let place = Place::with_keys();
    place.write("allonym.toml", policy(&[("id", TOKEN)]));
    let arguments =
        ["apply", "-", "--to", "-", "--input-format", "csv", "--receipt", "receipt.json"];
    let ended = place.run_with_stdin(&arguments, b"id\n1\n2\n1\n").expect(0);
    let rows: Vec<&str> = ended.out.lines().collect();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0], "id");
    assert_eq!(rows[1], rows[3]);
    assert_eq!(rows[1].len(), 22);
    let receipt: Value = serde_json::from_str(&place.read("receipt.json")).unwrap();
    assert_eq!(receipt["inputs"][0]["path"], "-");
    assert_eq!(receipt["inputs"][0]["rows"], 3);
}

#[test]
fn the_same_values_have_the_same_tokens_in_every_format() {
    let place = Place::with_keys();
    let mut csv = String::from("id\n");
    for row in 0..10_000 {
        csv.push_str(&format!("{:05}\n", row * 7));
    }
    place.write("in.csv", &csv);
    let keep = "treat = \"keep\"\nreason = \"test\"";
    place.write("keep.toml", policy(&[("id", keep)]));
    place.write("allonym.toml", policy(&[("id", TOKEN)]));
    place.run(&["apply", "in.csv", "--to", "expected.csv"]).expect(0);
    for name in ["in.parquet", "in.jsonl", "in.arrow", "in.csv.gz", "in.csv.zst"] {
        place.run(&["apply", "in.csv", "--to", name, "--policy", "keep.toml"]).expect(0);
        let to = format!("{name}.out.csv");
        place.run(&["apply", name, "--to", &to]).expect(0);
        assert!(place.bytes(&to) == place.bytes("expected.csv"), "{name}");
    }
}

#[test]
fn rules_keys_codes_and_completions() {
    let place = Place::with_keys();
    let rules = place.run(&["rules", "list", "--format", "json"]).expect(0);
    let rules: Value = serde_json::from_str(&rules.out).unwrap();
    assert!(rules["entities"].as_array().unwrap().len() >= 45);
    place.run(&["rules", "show", "IBAN_CODE"]).expect(0);
    place.run(&["rules", "show", "NO_SUCH"]).expect(2).says(&["rules list"]);
    place.run(&["rules", "check"]).expect(0);
    place.write("mine/bad.toml", "entity = \"MY_ID\"\n");
    place.run(&["rules", "check", "mine"]).expect(2);

    let keys = place.run(&["key", "list", "--format", "json"]).expect(0);
    let keys: Value = serde_json::from_str(&keys.out).unwrap();
    assert_eq!(keys["keys"][0]["state"], "active");
    assert_eq!(keys["keys"][0]["created"], "2026-01-01T00:00:00Z");
    let doctor = place.run(&["key", "doctor"]).expect(0);
    assert!(doctor.out.contains("passphrase"), "{}", doctor.out);
    // A second key of the tenant is active, the first verifies only.
    place.run(&["key", "new", "--label", "next"]).expect(0);
    let keys = place.run(&["key", "list", "--format", "json"]).expect(0);
    let keys: Value = serde_json::from_str(&keys.out).unwrap();
    assert_eq!(keys["keys"][0]["state"], "verify-only");
    assert_eq!(keys["keys"][1]["state"], "active");
    assert_eq!(keys["keys"][1]["label"], "next");

    place.run(&["explain", "ALO-P003"]).expect(0);
    place.run(&["explain", "ALO-P999"]).expect(2);
    let script = place.run(&["completions", "bash"]).expect(0);
    assert!(script.out.contains("allonym"));
    let schema = place.run(&["schema", "policy"]).expect(0);
    assert!(
        serde_json::from_str::<Value>(&schema.out).unwrap()["properties"]["columns"].is_object()
    );
}

#[test]
fn explain_tells_why_a_column_was_judged_so() {
    let place = Place::fresh();
    claims(&place);
    let why = place.run(&["explain", "claims.csv:iban"]).expect(0);
    assert!(why.out.contains("IBAN_CODE") && why.out.contains("because"), "{}", why.out);
    assert!(!why.out.contains("DE7"));
    place.run(&["explain", "claims.csv:ibann"]).expect(2).says(&["claims.csv"]);
}

#[test]
fn wrong_use() {
    let place = Place::fresh();
    place.run(&[]).expect(2);
    place.run(&["scna"]).expect(2);
    place.run(&["apply", "x.csv"]).expect(2);
    place.run(&["scan", "x.csv", "--delimiter", "ab"]).expect(2);
    place.run(&["scan", "x.csv", "--min-score", "2"]).expect(2);
    let ended = place.run_with(&["scan", "x.csv"], |command| {
        command.env("NO_COLOR", "1");
    });
    assert!(!ended.expect(3).err.contains('\u{1b}'));
    place.run(&["--version"]).expect(0);
    place.run(&["--help"]).expect(0);
}

#[cfg(unix)]
#[test]
fn variables_that_are_not_text_stop_nothing() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::fresh();
    let odd = std::ffi::OsStr::from_bytes(b"\xff");
    let with = |name: &'static str| {
        place.run_with(&["key", "list"], move |command| {
            command.env(name, odd);
        })
    };
    let plain = place.run(&["key", "list"]);
    let ended = with("SOMEBODY_ELSES");
    assert_eq!((ended.exit, ended.err), (plain.exit, plain.err));
    with("ALLONYM_KEYS").expect(4).says(&["ALO-K001"]);
}

#[test]
fn a_policy_is_found_upward_and_in_pyproject() {
    let place = Place::with_keys();
    place.write("deep/down/in.csv", "id\n1\n");
    place.write(
        "pyproject.toml",
        "[tool.allonym]\nversion = 1\n[tool.allonym.columns.id]\ntreat = \"redact\"\n",
    );
    let below = |to: &str| {
        place.run_with(&["apply", "in.csv", "--to", to], |command| {
            command.current_dir(place.path("deep/down"));
        })
    };
    below("a.csv").expect(0);
    assert_eq!(place.read("deep/down/a.csv"), "id\n\n");
    place.write("deep/allonym.toml", policy(&[("id", TOKEN)]));
    below("b.csv").expect(0);
    assert_eq!(place.read("deep/down/b.csv").lines().nth(1).unwrap().len(), 22);
}

#[test]
fn every_table_of_the_corpora_goes_through() {
    let Some(data) = corpora() else { return };
    let place = Place::fresh();
    let mut files = 0;
    for entry in fs::read_dir(data.join("tabular")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        files += 1;
        let (path, name) = (path.to_str().unwrap(), path.file_stem().unwrap().to_str().unwrap());
        place.run(&["scan", path]).expect(0);
        let policy = format!("{name}.toml");
        place.run(&["init", path, "--to", &policy]).expect(0);
        let to = format!("{name}.csv");
        place.run(&["apply", path, "--to", &to, "--policy", &policy]).expect(0);
        let receipt: Value =
            serde_json::from_str(&place.read(&format!("{to}.allonym.json"))).unwrap();
        assert_eq!(receipt["inputs"][0]["rows"], receipt["outputs"][0]["rows"], "{name}");
    }
    assert_eq!(files, 11);
}
