//! Canaries, there and back: planted by `apply`, learnt by a small language model, scored.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod command;

use command::{Place, policy};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ROWS: usize = 3_000;

fn notes(place: &Place) {
    let words = ["water", "glass", "roof", "door", "wheel", "storm", "kitchen", "garage", "stairs"];
    let mut state = 3_usize;
    let mut csv = String::from("id,notes\n");
    for row in 0..ROWS {
        csv.push_str(&format!("{row},damage of"));
        for _ in 0..6 {
            state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
            csv.push(' ');
            csv.push_str(words[(state >> 16) % words.len()]);
        }
        csv.push('\n');
    }
    place.write("notes.csv", csv);
    place.write(
        "allonym.toml",
        policy(&[
            ("id", "treat = \"keep\"\nreason = \"made up\""),
            ("notes", "treat = \"keep\"\nreason = \"made up\""),
        ]),
    );
}

/// A model of four characters: how likely each is behind the three before it.
struct Trigrams {
    seen: BTreeMap<Vec<char>, (BTreeMap<char, f64>, f64)>,
}

impl Trigrams {
    fn train(text: &str) -> Trigrams {
        let mut seen: BTreeMap<Vec<char>, (BTreeMap<char, f64>, f64)> = BTreeMap::new();
        let characters: Vec<char> = text.chars().collect();
        for window in characters.windows(4) {
            let (counts, sum) = seen.entry(window[..3].to_vec()).or_default();
            *counts.entry(window[3]).or_default() += 1.0;
            *sum += 1.0;
        }
        Trigrams { seen }
    }

    fn mean_log_probability(&self, text: &str) -> f64 {
        let characters: Vec<char> = text.chars().collect();
        let logs = characters.windows(4).map(|window| {
            let known = self.seen.get(&window[..3]);
            let (count, sum) = known.map_or((0.0, 0.0), |(counts, sum)| {
                (counts.get(&window[3]).copied().unwrap_or(0.0), *sum)
            });
            ((count + 0.01) / (sum + 0.01 * 64.0)).ln()
        });
        logs.sum::<f64>() / f64::from(u32::try_from(characters.len() - 3).unwrap())
    }
}

fn scores(place: &Place, listed: &str, model: &Trigrams, name: &str) {
    let lines: Vec<String> = listed
        .lines()
        .map(|line| {
            let canary: Value = serde_json::from_str(line).unwrap();
            let score = model.mean_log_probability(canary["text"].as_str().unwrap());
            json!({ "id": canary["id"], "score": score }).to_string()
        })
        .collect();
    place.write(name, lines.join("\n"));
}

#[test]
fn a_model_that_was_trained_on_canaries_is_found_out() {
    let place = Place::with_keys();
    notes(&place);
    let planted = ["apply", "notes.csv", "--to", "with.csv", "--canary-column", "notes"];
    let planted = [&planted[..], &["--canaries", "140"]].concat();
    let ended = place.run(&planted).expect(0);
    assert!(ended.err.contains("canaries: 140 coins"), "{}", ended.err);
    place.run(&["apply", "notes.csv", "--to", "without.csv"]).expect(0);
    let receipt: Value = serde_json::from_str(&place.read("with.csv.allonym.json")).unwrap();
    assert_eq!(
        (&receipt["canaries"]["registered"], &receipt["canaries"]["column"]),
        (&140.into(), &"notes".into())
    );
    assert_eq!(receipt["outputs"][0]["rows"], ROWS);

    let list = ["exposure", "canary", "list", "with.csv.allonym.json"];
    let listed = place.run(&list).expect(0).out;
    assert_eq!(listed.lines().count(), 140);
    assert!(!listed.contains("planted"), "no coin is told");
    // About half are there; the rest of the file is untouched.
    let with = place.read("with.csv");
    let texts: Vec<String> = listed
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned()
        })
        .collect();
    let there = texts.iter().filter(|text| with.contains(text.as_str())).count();
    assert!((40..100).contains(&there), "{there} of 140");
    let rest = texts.iter().fold(with.clone(), |rest, text| rest.replace(&format!(" {text}"), ""));
    assert_eq!(rest, place.read("without.csv"));

    let score = |name: &str| -> Value {
        let arguments = [
            "exposure",
            "canary",
            "score",
            "with.csv.allonym.json",
            "--scores",
            name,
            "--confidence",
            "0.999999",
            "--delta",
            "1e-9",
            "--format",
            "json",
        ];
        serde_json::from_str(&place.run(&arguments).expect(0).out).unwrap()
    };
    scores(&place, &listed, &Trigrams::train(&with), "knows.jsonl");
    let knows = score("knows.jsonl");
    assert!(knows["epsilon_at_least"].as_f64().unwrap() > 0.5, "{knows}");
    assert_eq!(knows["planted"], there);
    assert!(knows["exposure_median"].as_f64().unwrap() > 3.0, "{knows}");
    scores(&place, &listed, &Trigrams::train(&place.read("without.csv")), "knows-not.jsonl");
    let blind = score("knows-not.jsonl");
    assert_eq!(blind["epsilon_at_least"], 0.0, "{blind}");
    assert!(blind["exposure_median"].as_f64().unwrap() < 3.0, "{blind}");
}

#[test]
fn threads_and_batches_do_not_move_canaries() {
    let place = Place::with_keys();
    notes(&place);
    let run = |to: &str, more: &[&str]| -> String {
        let apply = ["apply", "notes.csv", "--to", to, "--canary-column", "notes"];
        place.run(&[&apply[..], more].concat()).expect(0);
        place.read(to)
    };
    let one = run("one.csv", &["--jobs", "1"]);
    assert_eq!(one, run("two.csv", &["--jobs", "3", "--batch-rows", "7"]));
    let receipt: Value = serde_json::from_str(&place.read("one.csv.allonym.json")).unwrap();
    // 3,000 rows have room for 150 of the 200.
    assert_eq!(receipt["canaries"]["registered"], 150);
}

#[test]
fn canaries_that_cannot_be_are_refused() {
    let place = Place::with_keys();
    notes(&place);
    let apply = |column: &str, more: &[&str]| {
        let apply = ["apply", "notes.csv", "--to", "out.csv", "--canary-column", column];
        place.run(&[&apply[..], more].concat())
    };
    apply("note", &[]).expect(2).says(&["ALO-U051", "no column `note`", "`notes`"]);
    assert!(!place.path("out.csv").exists());
    apply("notes", &["--canaries", "1"]).expect(2);
    place.run(&["apply", "notes.csv", "--to", "out.csv", "--canaries", "9"]).expect(2);
    let folder = ["apply", "notes.csv", "--to", "out/", "--canary-column", "notes"];
    place.run(&folder).expect(2).says(&["ALO-U051"]);
    place.run(&["apply", "notes.csv", "--to", "plain.csv"]).expect(0);
    let list = |receipt: &str| place.run(&["exposure", "canary", "list", receipt]);
    list("plain.csv.allonym.json").expect(2).says(&["registers no canaries"]);
    list("nothing.json").expect(3);
    // Asked for canaries, an output without them is not the same work.
    let again = ["apply", "notes.csv", "--to", "plain.csv", "--canary-column", "notes"];
    place.run(&again).expect(2);
    place.run(&[&again[..], &["--force"]].concat()).expect(0);
    list("plain.csv.allonym.json").expect(0);
    place.write("scores.jsonl", "{\"id\":0,\"score\":\"zoe@example.org\"}\n");
    let receipt = "plain.csv.allonym.json";
    let score = ["exposure", "canary", "score", receipt, "--scores", "scores.jsonl"];
    let ended = place.run(&score).expect(3).says(&["line 1", "`score`"]);
    assert!(!ended.err.contains("zoe"));
    place.write("scores.jsonl", "{\"id\":0,\"score\":-1}\n");
    place.run(&score).expect(3).says(&["has no score"]);
}

#[test]
fn json_lines_get_their_canaries_too() {
    let place = Place::with_keys();
    let lines: Vec<String> =
        (0..100).map(|row| format!("{{\"text\": \"roof and door\", \"n\": {row}}}")).collect();
    place.write("notes.jsonl", lines.join("\n") + "\n");
    place.write(
        "allonym.toml",
        policy(&[
            ("text", "treat = \"keep\"\nreason = \"made up\""),
            ("n", "treat = \"keep\"\nreason = \"made up\""),
        ]),
    );
    let apply = ["apply", "notes.jsonl", "--to", "out.jsonl", "--canary-column", "text"];
    place.run(&[&apply[..], &["--canary-every", "2"]].concat()).expect(0);
    let out = place.read("out.jsonl");
    let planted = out.lines().filter(|line| line.contains("roof and door (ref ")).count();
    assert!((10..40).contains(&planted), "{planted}");
    assert_eq!(out.lines().count(), 100);
}
