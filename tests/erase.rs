//! `allonym erase`: one invented person across three data sets: gone, looked for again, kept out, and
//! nowhere in anything that was written.

mod command;

use command::{Ended, Place, contents};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const MAIL: &str = "kanarienvogel.4711@example.org";
const IBAN: &str = "DE89 3704 0044 0532 0130 00";
const NOTES: &str = "[columns.id]\ntreat = \"keep\"\nreason = \"test\"\n[columns.notes]\ntreat = \"text\"\nentities = [\"EMAIL_ADDRESS\"]\n";
const TOKENS: &str = "[columns.mail]\ntreat = \"pseudonymize\"\njoin = \"mail\"\nprofile = \"casefold\"\n[columns.amount]\ntreat = \"keep\"\nreason = \"test\"\n";

fn policy(columns: &str) -> String {
    format!("version = 1\n[policy]\nname = \"erase\"\n[keys]\ndomain = \"erase\"\n{columns}")
}

/// A run that ends with this code and sings no canary, in no log line either.
fn run(place: &Place, arguments: &[&str], exit: i32) -> Ended {
    place.run(&[arguments, &["-vv"]].concat()).expect(exit).silent()
}

/// No file below a folder holds the person, in any spelling.
fn silent(folder: &Path) {
    for (path, bytes) in contents(folder) {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        for word in ["kanarienvogel", ".4711", "3704 0044", "de8937040044"] {
            assert!(!text.contains(word), "{word} in {path}");
        }
    }
}

/// Three data sets: a token column under two epochs, one of them as hexadecimal; text; a Parquet file.
fn three_data_sets() -> Place {
    let place = Place::with_keys();
    place.write("tokens.toml", policy(TOKENS));
    place.write("notes.toml", policy(NOTES));
    let rows = |from: u32| {
        let mut csv = String::from("mail,amount\n");
        for row in from..from + 50 {
            let mail =
                if row % 10 == 3 { MAIL.to_uppercase() } else { format!("p{row}@example.com") };
            csv.push_str(&format!("{mail},{row}\n"));
        }
        csv
    };
    place.write("raw/old.csv", rows(0));
    place.write("raw/new.csv", rows(100));
    let mut notes = String::new();
    for row in 0..40 {
        let who = if row % 8 == 5 { MAIL } else { "somebody@example.com" };
        notes.push_str(&format!("{{\"id\": {row}, \"notes\": \"called {who}, then left\"}}\n"));
    }
    // A mention that no rule found, in clear.
    notes.push_str("{\"id\": 40, \"notes\": \"paid to DE89 3704 0044 0532 0130 00 twice\"}\n");
    place.write("raw/notes.jsonl", notes);
    let apply = |input: &str, output: &str, policy: &str| {
        place.run(&["apply", input, "--to", output, "--policy", policy]).expect(0);
    };
    apply("raw/old.csv", "ml/claims/old.csv", "tokens.toml");
    assert_eq!(place.run(&["key", "new", "--label", "second"]).exit, 0);
    apply("raw/new.csv", "ml/claims/new.parquet", "tokens.toml");
    apply("raw/notes.jsonl", "ml/notes/notes.jsonl", "notes.toml");
    place.write("who.csv", format!("request,mail\nREQ-kanarienvogel-4711,{MAIL}\n"));
    place.write("who.txt", format!("{MAIL}\n{IBAN}\n"));
    place
}

#[test]
fn one_person_across_three_data_sets() {
    let place = three_data_sets();
    let before = contents(&place.path("ml"));

    // A plan finds and does nothing.
    let plan = run(
        &place,
        &[
            "erase",
            "ml/claims",
            "--subjects",
            "who.csv",
            "--policy",
            "tokens.toml",
            "--format",
            "json",
        ],
        1,
    );
    assert_eq!(plan.json()["verdict"], "found");
    assert_eq!(contents(&place.path("ml")), before);
    assert!(!place.config().join("default.keyring.suppression.jsonl").exists());

    // Nobody approves what they do themselves.
    let mut alone = vec!["erase", "ml/claims", "--subjects", "who.csv", "--policy", "tokens.toml"];
    alone.extend(["--yes", "--operator", "Privacy desk", "--approver", "privacy desk "]);
    let refused = run(&place, &alone, 2);
    assert!(refused.err.contains("ALO-R012"), "{}", refused.err);
    assert_eq!(contents(&place.path("ml")), before);

    let claims = run(
        &place,
        &[
            "erase",
            "ml/claims",
            "--subjects",
            "who.csv",
            "--policy",
            "tokens.toml",
            "--yes",
            "--format",
            "json",
            "--residual",
            "nightly backups until 2026-03-01",
            "--operator",
            "privacy desk",
            "--approver",
            "data protection officer",
        ],
        0,
    );
    let certificate = claims.json();
    assert_eq!(certificate["schema"], "allonym.certificate/1");
    assert_eq!(certificate["verdict"], "erased");
    assert_eq!(certificate["searched"]["keys"].as_array().unwrap().len(), 2);
    for (file, name) in
        certificate["files"].as_array().unwrap().iter().zip(["new.parquet", "old.csv"])
    {
        assert_eq!(file["path"], name);
        assert_eq!((&file["rows_erased"], &file["found_again"]), (&5.into(), &0.into()), "{file}");
        assert_eq!((&file["before"]["rows"], &file["after"]["rows"]), (&50.into(), &45.into()));
    }
    assert_eq!(certificate["operator"], "privacy desk");
    assert_eq!(certificate["approver"], "data protection officer");
    assert_eq!(certificate["residual_copies"][0], "nightly backups until 2026-03-01");
    assert_eq!(certificate["requests"].as_array().unwrap().len(), 1);
    assert!(certificate["statement"].as_str().unwrap().contains("not prove that no other copy"));
    assert_eq!(place.read("ml/claims/old.csv").lines().count(), 46);

    let notes = run(
        &place,
        &[
            "erase",
            "ml/notes",
            "--subjects",
            "who.txt",
            "--policy",
            "notes.toml",
            "--yes",
            "--format",
            "json",
        ],
        0,
    );
    let certificate = notes.json();
    assert_eq!(certificate["files"][0]["mentions_erased"]["notes"], 6);
    assert_eq!(certificate["files"][0]["rows_erased"], 0);
    assert_eq!(certificate["files"][0]["found_again"], 0);
    let text = place.read("ml/notes/notes.jsonl");
    assert!(text.contains("{\"id\": 5, \"notes\": \"called [ERASED], then left\"}\n"), "{text}");
    assert!(text.contains("\"paid to [ERASED] twice\""), "{text}");
    assert_eq!(text.lines().count(), 41);
    assert_eq!(text.matches("EMAIL_").count(), 35);

    // Signed, in the ledger, and of the files as they are.
    let name = "ml/claims/erased-20260101T000000Z.allonym.json";
    let verified = run(&place, &["verify", name], 0);
    assert!(verified.out.contains("2 of 2 files match"), "{}", verified.out);
    assert!(verified.out.contains("in the ledger as entry"), "{}", verified.out);
    let forged = place.read(name).replacen("\"rows_erased\": 5", "\"rows_erased\": 4", 1);
    place.write("forged.json", forged);
    run(&place, &["verify", "forged.json", "--data", "ml/claims"], 1);

    // Looked for again: nobody is there.
    for (data, policy) in [("ml/claims", "tokens.toml"), ("ml/notes", "notes.toml")] {
        let again = run(&place, &["erase", data, "--subjects", "who.txt", "--policy", policy], 0);
        assert!(again.out.starts_with("NOT FOUND"), "{}", again.out);
    }
    silent(&place.path("ml"));
    silent(&place.config());

    // They do not come in again, by column and by text; everybody else does.
    let came =
        run(&place, &["apply", "raw/old.csv", "--to", "ml2/old.csv", "--policy", "tokens.toml"], 0);
    assert!(came.err.contains("5 rows are of people who were erased"), "{}", came.err);
    assert_eq!(place.read("ml2/old.csv").lines().count(), 46);
    run(
        &place,
        &["apply", "raw/notes.jsonl", "--to", "ml2/notes.jsonl", "--policy", "notes.toml"],
        0,
    );
    let text = place.read("ml2/notes.jsonl");
    assert_eq!(text.matches("EMAIL_").count(), 35);
    silent(&place.path("ml2"));
    let receipt: serde_json::Value =
        serde_json::from_str(&place.read("ml2/old.csv.allonym.json")).unwrap();
    assert_eq!(
        (&receipt["inputs"][0]["rows"], &receipt["outputs"][0]["rows"]),
        (&50.into(), &45.into())
    );
}

#[test]
fn what_is_kept_out_does_not_depend_on_batches_and_threads() {
    let place = three_data_sets();
    let erase = ["erase", "ml/claims", "--subjects", "who.csv", "--policy", "tokens.toml", "--yes"];
    run(&place, &erase, 0);
    let random = policy(
        &TOKENS.replace("profile = \"casefold\"", "profile = \"casefold\"\nconsistency = \"none\""),
    );
    place.write("random.toml", random);
    let mut outputs = BTreeSet::new();
    for (n, (rows, jobs)) in [("1", "1"), ("7", "2"), ("100000", "3")].into_iter().enumerate() {
        let to = format!("out{n}/a.csv");
        let arguments = [
            "apply",
            "raw/old.csv",
            "--to",
            &to,
            "--policy",
            "random.toml",
            "--batch-rows",
            rows,
            "--jobs",
            jobs,
        ];
        run(&place, &arguments, 0);
        outputs.insert(place.read(&to));
    }
    assert_eq!(outputs.len(), 1);
}

#[test]
fn floors_and_holds_keep_rows_and_say_until_when() {
    let place = Place::with_keys();
    let retention = "[columns.closed]\ntreat = \"keep\"\nreason = \"anchor\"\n[retention]\nrequire_tags = \"none\"\n[retention.dataset]\nanchor = \"closed\"\nduration = \"P10Y\"\nretain_at_least = \"P6Y\"\non_expiry = \"drop_row\"\n";
    let held = "[[retention.holds]]\nid = \"LH-1\"\nauthority = \"a court\"\nfrom = 2025-01-01\nreview_by = 2027-01-01\nscope = { dataset = \"held*\" }\n";
    place.write("allonym.toml", policy(&[TOKENS, retention, held].concat()));
    let csv = format!(
        "mail,amount,closed\n{MAIL},1,2019-01-01\n{MAIL},2,2022-05-05\nx@example.com,3,2019-01-01\n"
    );
    place.write("raw/a.csv", &csv);
    place.write("raw/held.csv", &csv);
    place.run(&["apply", "raw", "--to", "ml"]).expect(0);
    place.write("who.csv", format!("mail\n{MAIL}\n"));
    let ended =
        run(&place, &["erase", "ml", "--subjects", "who.csv", "--yes", "--format", "json"], 1);
    let certificate = ended.json();
    assert_eq!(certificate["verdict"], "partly erased");
    let file = &certificate["files"][0];
    assert_eq!((&file["rows_erased"], &file["rows_restricted"]), (&1.into(), &1.into()));
    assert_eq!(file["restricted_until"], "2028-05-06T00:00:00Z");
    assert_eq!(file["found_again"], 0);
    let file = &certificate["files"][1];
    assert_eq!((&file["rows_erased"], &file["rows_held"]), (&0.into(), &2.into()));
    assert_eq!(place.read("ml/a.csv").lines().count(), 3);
    assert_eq!(place.read("ml/held.csv").lines().count(), 4);
}

#[test]
fn what_cannot_be_searched_is_said() {
    let place = Place::with_keys();
    let columns = "[columns.mail]\ntreat = \"pseudonymize\"\njoin = \"mail\"\nconsistency = \"none\"\n[columns.born]\ntreat = \"generalize\"\nto = \"year\"\n";
    place.write("allonym.toml", policy(columns));
    place.write("raw.csv", format!("mail,born\n{MAIL},1980-01-01\n"));
    place.run(&["apply", "raw.csv", "--to", "ml/a.csv"]).expect(0);
    place.write("who.csv", format!("mail\n{MAIL}\n"));
    let ended = run(&place, &["erase", "ml", "--subjects", "who.csv", "--format", "json"], 0);
    let certificate = ended.json();
    let columns: Vec<&str> = certificate["cannot_be_searched"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["column"].as_str().unwrap())
        .collect();
    assert_eq!(columns, ["mail", "born"]);
}

#[test]
fn people_in_clear_are_erased_from_data_that_was_not_treated() {
    let place = Place::with_keys();
    place.write("allonym.toml", policy("[columns.mail]\ntreat = \"keep\"\nreason = \"raw\"\n[columns.note]\ntreat = \"keep\"\nreason = \"raw\"\n[columns.no]\ntreat = \"keep\"\nreason = \"raw\"\n"));
    place.write("raw/a.csv", format!("mail,note,no\n {} ,x,1\nb@example.com,\"see {MAIL}!\",123456\nc@example.com,123456,2\n", MAIL.to_uppercase()));
    place.write("who.csv", format!("mail,no\n{MAIL},\n,123456\n"));
    let ended =
        run(&place, &["erase", "raw", "--subjects", "who.csv", "--yes", "--format", "json"], 0);
    assert_eq!(ended.json()["files"][0]["rows_erased"], 2);
    assert_eq!(place.read("raw/a.csv"), "mail,note,no\nc@example.com,[ERASED],2\n");
    silent(&place.path("raw"));
}

#[test]
fn mistakes_are_told_and_change_nothing() {
    let place = three_data_sets();
    let before = contents(&place.path("ml"));
    let refused = |more: &[&str], exit: i32, fragments: &[&str]| {
        let base = ["erase", "ml/claims", "--policy", "tokens.toml", "--yes"];
        run(&place, &[&base, more].concat(), exit).says(fragments);
        assert_eq!(contents(&place.path("ml")), before);
    };
    refused(&["--subjects", "nowhere.txt"], 3, &["ALO-E001", "nowhere.txt"]);
    place.write("empty.txt", "\n \n");
    refused(&["--subjects", "empty.txt"], 3, &["ALO-E001", "no identifier"]);
    place.write("odd.csv", format!("maill\n{MAIL}\n"));
    refused(&["--subjects", "odd.csv"], 2, &["ALO-E002", "`maill`"]);
    refused(&["--subjects", "ml/claims/old.csv"], 2, &["among the data"]);
    refused(&["--subjects", "who.csv", "--keys", "file:/nowhere/ring"], 4, &["/nowhere/ring"]);

    // A list that is not whole stops what would be treated without it.
    let erase = ["erase", "ml/claims", "--subjects", "who.csv", "--policy", "tokens.toml", "--yes"];
    run(&place, &erase, 0);
    let list = place.config().join("default.keyring.suppression.jsonl");
    let text = fs::read_to_string(&list).unwrap();
    assert!(text.lines().all(|line| line.starts_with("{\"mark\":\"")), "{text}");
    fs::write(&list, "{\"mark\":0.4711}\n").unwrap();
    run(&place, &["apply", "raw/new.csv", "--to", "again.csv", "--policy", "tokens.toml"], 4)
        .says(&["ALO-E003", "line 1"]);
    assert!(!place.path("again.csv").exists());
}
