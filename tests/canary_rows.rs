//! Canaries as rows, there and back: planted by `apply`, learnt by a model of a table, scored.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod command;

use command::{Place, policy};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const ROWS: usize = 6_000;
const HEADER: &str = "id,iban,closed,region,amount,claims,damage,note";

/// People, their claims, and a policy that keeps what a model needs. The first `id` is `first`.
fn people(place: &Place, rows: usize) {
    let mut state = 7_usize;
    let mut draw = |below: usize| {
        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
        (state >> 12) % below
    };
    let mut csv = format!("{HEADER}\n");
    for row in 0..rows {
        let (month, day, region) =
            (1 + draw(12), 1 + draw(28), ["north", "south", "west"][draw(3)]);
        csv.push_str(&format!(
            "{},DE{:020},20{:02}-{month:02}-{day:02},{region},{}.{:02},{},{},written by {}\n",
            100_000 + row * 7 + draw(7),
            row,
            10 + draw(14),
            draw(90_000),
            draw(100),
            draw(400_000),
            ["fire", "water"][draw(2)],
            draw(1_000_000_000),
        ));
    }
    place.write("people.csv", csv);
    let keep = "treat = \"keep\"\nreason = \"made up\"";
    let policy = policy(&[
        ("id", keep),
        ("iban", "treat = \"pseudonymize\"\njoin = \"account\""),
        ("closed", keep),
        ("region", keep),
        ("amount", keep),
        ("claims", keep),
        ("damage", keep),
        ("note", keep),
    ]);
    place.write(
        "allonym.toml",
        policy
            + "[retention.dataset]\npurpose = [\"a test\"]\nanchor = \"closed\"\n\
                  duration = \"P10Y\"\non_expiry = \"drop_row\"\n",
    );
}

fn cells(line: &str) -> Vec<&str> {
    line.split(',').collect()
}

/// Rows that the first table has and the second has not, in order.
fn more<'a>(with: &'a str, without: &str) -> Vec<&'a str> {
    let mut without = without.lines().peekable();
    with.lines().filter(|line| without.next_if_eq(line).is_none()).collect()
}

/// How likely the damage of a row is, by the rows of the same amount, region and day, or else by all.
struct Memory {
    seen: BTreeMap<(String, String, String), BTreeMap<String, f64>>,
}

impl Memory {
    fn train(csv: &str) -> Memory {
        let mut seen: BTreeMap<_, BTreeMap<String, f64>> = BTreeMap::new();
        for line in csv.lines().skip(1) {
            let row = cells(line);
            let key = (row[4].to_owned(), row[3].to_owned(), row[2].to_owned());
            *seen.entry(key).or_default().entry(row[6].to_owned()).or_default() += 1.0;
        }
        Memory { seen }
    }

    fn log_probability(&self, row: &Value) -> f64 {
        let cell = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let known = self.seen.get(&(cell("amount"), cell("region"), cell("closed")));
        let count = |of: &BTreeMap<String, f64>| of.get(&cell("damage")).copied().unwrap_or(0.0);
        let (here, all) = known.map_or((0.0, 0.0), |of| (count(of), of.values().sum()));
        ((here + 1.0) / (all + 2.0)).ln()
    }
}

fn listed(place: &Place, receipt: &str) -> Vec<Value> {
    let list = place.run(&["exposure", "canary", "list", receipt]).expect(0).out;
    list.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_model_that_was_trained_on_canary_rows_is_found_out() {
    let place = Place::with_keys();
    people(&place, ROWS);
    let planted = ["apply", "people.csv", "--to", "with.csv", "--canary-rows", "--canaries", "140"];
    let ended = place.run(&planted).expect(0);
    place.run(&["apply", "people.csv", "--to", "without.csv"]).expect(0);
    let (with, without) = (place.read("with.csv"), place.read("without.csv"));
    let invented = more(&with, &without);
    assert!((40..100).contains(&invented.len()), "{} of 140", invented.len());

    // The receipt says how many rows are canaries, and how each column was made.
    let receipt: Value = serde_json::from_str(&place.read("with.csv.allonym.json")).unwrap();
    let rows = &receipt["canaries"]["rows"];
    assert_eq!(receipt["canaries"]["registered"], 140);
    assert_eq!(rows["planted"], invented.len());
    assert_eq!(receipt["inputs"][0]["rows"], ROWS);
    assert_eq!(receipt["outputs"][0]["rows"], ROWS + invented.len());
    ended.says(&["canaries: 140 coins", &format!("{} rows are canaries", invented.len())]);
    let made: Vec<(&str, &str)> = rows["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| (column["name"].as_str().unwrap(), column["cells"].as_str().unwrap()))
        .collect();
    let expected = [
        ("id", "null"),
        ("iban", "token_base62"),
        ("closed", "borrowed"),
        ("region", "shared"),
        ("amount", "borrowed"),
        ("claims", "between"),
        ("damage", "shared"),
        ("note", "words"),
    ];
    assert_eq!(made, expected);

    // All of them are listed, those that were planted as they stand in the output, and no coin.
    let list = listed(&place, "with.csv.allonym.json");
    assert_eq!(list.len(), 140);
    let texts: BTreeSet<String> = list
        .iter()
        .map(|row| {
            let cell = |name| row[name].as_str().unwrap_or_default();
            HEADER.split(',').map(cell).collect::<Vec<_>>().join(",")
        })
        .collect();
    assert!(invented.iter().all(|line| texts.contains(*line)));
    assert!(list.iter().all(|row| row.as_object().unwrap().len() == 9));

    let scores = |model: &Memory, name: &str| {
        let lines = list.iter().map(|row| {
            json!({ "id": row["_allonym_canary"], "score": model.log_probability(row) }).to_string()
        });
        place.write(name, lines.collect::<Vec<_>>().join("\n"));
        let score = ["exposure", "canary", "score", "with.csv.allonym.json", "--scores", name];
        let more = ["--confidence", "0.999999", "--delta", "1e-9", "--format", "json"];
        place.run(&[&score[..], &more].concat()).expect(0).json()
    };
    let knows = scores(&Memory::train(&with), "knows.jsonl");
    assert!(knows["epsilon_at_least"].as_f64().unwrap() > 0.5, "{knows}");
    assert_eq!(knows["planted"], invented.len());
    let blind = scores(&Memory::train(&without), "knows-not.jsonl");
    assert_eq!(blind["epsilon_at_least"], 0.0, "{blind}");
}

#[test]
fn no_canary_row_is_anybody() {
    let place = Place::with_keys();
    people(&place, 1_000);
    let apply = ["apply", "people.csv", "--to", "with.csv", "--canary-rows", "--canary-every", "5"];
    place.run(&apply).expect(0);
    place.run(&["apply", "people.csv", "--to", "without.csv"]).expect(0);
    let without = place.read("without.csv");
    let real: Vec<Vec<&str>> = without.lines().skip(1).map(cells).collect();
    for line in more(&place.read("with.csv"), &without) {
        let canary = cells(line);
        // What names somebody is nowhere: not the number, not the token, not the note.
        assert_eq!(canary[0], "");
        assert_eq!(canary[1].len(), 22);
        for column in [1, 7] {
            assert!(real.iter().all(|row| row[column] != canary[column]), "{line}");
        }
        // A day and an amount that stand in the table, of two different rows.
        let has = |column: usize| real.iter().any(|row| row[column] == canary[column]);
        assert!([2, 3, 4, 6].into_iter().all(has), "{line}");
        let both = |row: &&Vec<&str>| row[2] == canary[2] && row[4] == canary[4];
        assert!(!real.iter().any(|row| both(&row)), "{line}");
    }
}

#[test]
fn threads_batches_and_formats_do_not_move_canary_rows() {
    let place = Place::with_keys();
    people(&place, ROWS);
    let run = |to: &str, more: &[&str]| {
        let apply = ["apply", "people.csv", "--to", to, "--canary-rows"];
        place.run(&[&apply[..], more].concat()).expect(0);
        place.bytes(to)
    };
    let one = run("one.csv", &["--jobs", "1"]);
    assert_eq!(one, run("two.csv", &["--jobs", "3", "--batch-rows", "7"]));
    let parquet = run("one.parquet", &["--jobs", "1"]);
    assert_eq!(parquet, run("two.parquet", &["--jobs", "2", "--batch-rows", "1000"]));
    // The same rows by whatever form they are read back from.
    let list = listed(&place, "one.csv.allonym.json");
    assert_eq!(list, listed(&place, "one.parquet.allonym.json"));
    // A list as a file, in the format of its name.
    let to = ["exposure", "canary", "list", "one.parquet.allonym.json", "--to", "list.csv"];
    place.run(&to).expect(0);
    let listed = place.read("list.csv");
    assert_eq!(listed.lines().next(), Some(format!("_allonym_canary,{HEADER}").as_str()));
    assert_eq!(listed.lines().count(), 1 + list.len());
}

#[test]
fn verify_check_expire_and_lists_live_with_canary_rows() {
    let place = Place::with_keys();
    people(&place, 1_000);
    place.run(&["apply", "people.csv", "--to", "out.csv", "--canary-rows"]).expect(0);
    place.run(&["verify", "out.csv.allonym.json", "--data", "out.csv"]).expect(0);
    let rows = place.read("out.csv").lines().count();
    place.run(&["apply", "people.csv", "--to", "plain.csv"]).expect(0);
    let found = |name: &str| -> BTreeSet<String> {
        let check =
            ["check", name, "--full", "--as-of", "2026-01-01T00:00:00Z", "--format", "json"];
        let findings = place.run(&check).json()["findings"].as_array().unwrap().clone();
        findings.iter().map(|told| told["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found("out.csv"), found("plain.csv"));
    // A copy is what lists are made of once the output is another file.
    place.write("copy.csv", place.bytes("out.csv"));
    let before = listed(&place, "out.csv.allonym.json");
    place.run(&["expire", "out.csv", "--yes", "--as-of", "2026-01-01T00:00:00Z"]).expect(0);
    let left = place.read("out.csv").lines().count();
    assert!(left < rows && left > 2, "{left} of {rows}");
    let list = ["exposure", "canary", "list", "out.csv.allonym.json"];
    place.run(&list).expect(3).says(&["ALO-U081", "--data"]);
    let copied = place.run(&[&list[..], &["--data", "copy.csv"]].concat()).expect(0);
    assert_eq!(copied.out.lines().count(), before.len());
}

#[test]
fn canary_rows_that_cannot_be_are_refused() {
    let place = Place::with_keys();
    people(&place, 49);
    let apply = ["apply", "people.csv", "--to", "out.csv", "--canary-rows"];
    place.run(&apply).expect(2).says(&["ALO-U080", "49 rows are too few"]);
    assert!(!place.path("out.csv").exists());
    place.run(&[&apply[..], &["--canary-column", "note"]].concat()).expect(2);
    let lines = ["apply", "people.csv", "--to", "out.jsonl", "--canary-rows"];
    place.run(&lines).expect(2).says(&["ALO-U080", "--canary-column"]);
    people(&place, 0);
    place.run(&apply).expect(0);
    let receipt: Value = serde_json::from_str(&place.read("out.csv.allonym.json")).unwrap();
    assert_eq!(receipt["canaries"]["registered"], 0);
    people(&place, 100);
    place.write("allonym.toml", place.read("allonym.toml") + "[retention]\nrow_column = true\n");
    let rows = ["apply", "people.csv", "--to", "rows.csv", "--canary-rows"];
    place.run(&rows).expect(2).says(&["ALO-U080", "_allonym_expires_at"]);
    // Texts have no rows to write.
    people(&place, 100);
    place.run(&["apply", "people.csv", "--to", "texts.csv", "--canary-column", "note"]).expect(0);
    let list = ["exposure", "canary", "list", "texts.csv.allonym.json", "--to", "list.csv"];
    place.run(&list).expect(2).says(&["ALO-U050"]);
}
