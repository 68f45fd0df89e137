//! `allonym risk` as its users meet it.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod command;

use command::{Place, corpora};
use serde_json::Value;
use std::fmt::Write as _;

/// What stands in cells and must stand nowhere else.
const CANARY: &str = "kanarie";

/// Invented people; every value of a known column holds the canary.
fn people(from: u32, rows: u32) -> String {
    let mut csv = String::from("town,job,age,ill,id\n");
    for n in from..from + rows {
        let mixed = n.wrapping_mul(2_654_435_761) >> 7;
        let (town, job) = (mixed % 7, mixed / 7 % 11);
        let (age, ill) = (20 + mixed / 77 % 50, mixed / 3850 % 3);
        writeln!(csv, "{CANARY}-t{town},{CANARY}-j{job},{age},{CANARY}-i{ill},{CANARY}{n}")
            .unwrap();
    }
    csv
}

fn placed() -> Place {
    let place = Place::fresh();
    place.write("data.csv", people(0, 400));
    place.write("original.csv", people(0, 400));
    place.write("control.csv", people(5000, 400));
    place.write("everybody.csv", people(0, 2000));
    place
}

const ALL: &[&str] = &[
    "risk",
    "data.csv",
    "--quasi",
    "town,job,age",
    "--sensitive",
    "ill",
    "--original",
    "original.csv",
    "--control",
    "control.csv",
    "--population",
    "everybody.csv",
    "--population-size",
    "2000",
    "--target-k",
    "5",
    "--attempts",
    "60",
];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [ALL, more].concat()
}

#[test]
fn risk_is_measured_rendered_and_no_cell_is_shown() {
    let place = placed();
    let told = place.run(&with(&["--to", "risk.json"])).expect(0);
    for words in
        ["Linkage risk · data.csv · MEASURED", "Rows 400", "Attacks", "guessing ill", "Not proved:"]
    {
        assert!(told.out.contains(words), "no {words} in\n{}", told.out);
    }
    let evidence: Value = serde_json::from_str(&place.read("risk.json")).unwrap();
    assert_eq!(evidence["schema"], "allonym.risk/1");
    assert_eq!(evidence["rows"], 400);
    assert_eq!(evidence["population"]["people"], 2000);
    assert_eq!(evidence["population"]["rows_absent"], 0);
    assert_eq!(evidence["attacks"].as_array().unwrap().len(), 3);
    assert!(evidence["suggestion"]["k"].as_u64().unwrap() >= 5);
    let uniques = evidence["classes"]["uniques"].as_u64().unwrap();
    assert!(uniques > 100, "{uniques}");
    let sizes = evidence["classes"]["sizes"].as_array().unwrap();
    let rows: u64 = sizes.iter().map(|size| size["rows"].as_u64().unwrap()).sum();
    assert_eq!(rows, 400);

    let schema: Value =
        serde_json::from_str(&place.run(&["schema", "risk"]).expect(0).out).unwrap();
    let named: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    let held: Vec<&String> = evidence.as_object().unwrap().keys().collect();
    assert_eq!(named.len(), held.len());
    assert!(held.iter().all(|key| named.contains(key)));

    let mut views = vec![told.out, told.err, place.read("risk.json")];
    for format in ["html", "md", "csv", "json"] {
        let to = format!("risk.{format}");
        let ended = place.run(&["report", "risk.json", "--to", &to, "--force"]).expect(0);
        let printed = place.run(&["report", "risk.json", "--format", format]).expect(0);
        assert_eq!(printed.out, place.read(&to), "{format}");
        views.extend([ended.out, ended.err, printed.out]);
    }
    for view in &views {
        assert!(!view.contains(CANARY), "{view}");
    }
    let page = place.read("risk.html");
    assert!(page.starts_with("<!doctype html>") && page.len() < 150_000);
    for absent in ["<script", "http://", "https://", "NaN"] {
        assert!(!page.contains(absent), "{absent}");
    }
    place.run(&["report", "risk.json", "--format", "sarif"]).expect(2).says(&["ALO-U013"]);
}

#[test]
fn gates_pass_fail_and_leave_open() {
    let place = placed();
    let gate = |more: &[&str], exit: i32| {
        let ended = place.run(&with(&[more, &["--format", "json"]].concat())).expect(exit);
        let told: Value = serde_json::from_str(&ended.out).unwrap();
        told["gates"].as_array().unwrap().clone()
    };
    assert_eq!(gate(&["--min-k", "1"], 0)[0]["decision"], "pass");
    assert_eq!(gate(&["--min-k", "2"], 1)[0]["decision"], "fail");
    assert_eq!(gate(&["--max-unique", "1"], 0)[0]["decision"], "pass");
    gate(&["--max-unique", "0.01"], 1);
    gate(&["--min-l", "2"], 1);
    gate(&["--max-t", "0.1"], 1);
    // The table is the original, so that whoever is singled out in it is.
    gate(&["--max-attack", "0.01"], 1);
    let open = gate(&["--max-attack", "0.9"], 7);
    assert!(open.iter().any(|gate| gate["decision"] == "undecided"), "{open:?}");
    let share = gate(&["--max-population-unique", "0.75"], 7)[0]["found"].clone();
    assert!(share["low"].as_f64().unwrap() < share["high"].as_f64().unwrap());
    // A broken limit counts for more than one that is open.
    gate(&["--max-attack", "0.9", "--min-k", "2"], 1);
    let text = place.run(&with(&["--min-k", "2"])).expect(1).out;
    assert!(text.contains("min k") && text.contains("broken"), "{text}");
}

#[test]
fn the_suggestion_keeps_what_it_promises() {
    let place = placed();
    let told: Value =
        serde_json::from_str(&place.run(&with(&["--format", "json"])).expect(0).out).unwrap();
    let suggestion = &told["suggestion"];
    let policy = format!(
        "version = 1\n[policy]\nname = \"way\"\nunlisted = \"keep\"\nunlisted_reason = \"a test\"\n{}",
        suggestion["policy"].as_str().unwrap()
    );
    place.write("allonym.toml", &policy);
    place.run(&["apply", "data.csv", "--to", "coarse.csv"]).expect(0);
    let left: Vec<&str> = suggestion["columns"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|column| column["change"] != "drop")
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    let again = ["risk", "coarse.csv", "--quasi", &left.join(","), "--format", "json"];
    let again: Value = serde_json::from_str(&place.run(&again).expect(0).out).unwrap();
    let below: u64 = again["classes"]["sizes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|size| size["to"].as_u64().is_some_and(|to| to < 5))
        .map(|size| size["rows"].as_u64().unwrap())
        .sum();
    assert_eq!(below, suggestion["rows_left_out"].as_u64().unwrap(), "{suggestion}");
}

#[test]
fn the_same_bytes_whatever_threads_batches_and_formats() {
    let place = placed();
    let run = |threads: &str, more: &[&str]| {
        let arguments = with(&[more, &["--format", "json"]].concat());
        place
            .run_with(&arguments, |command| {
                command.env("RAYON_NUM_THREADS", threads);
            })
            .expect(0)
            .out
    };
    let one = run("1", &[]);
    assert_eq!(one, run("2", &["--batch-rows", "1"]));
    assert_eq!(one, run("7", &["--batch-rows", "77"]));
    // Several files are one table.
    let whole = people(0, 400);
    let (header, rows) = whole.split_once('\n').unwrap();
    let cut = rows.match_indices('\n').nth(149).unwrap().0 + 1;
    let (first, second) = rows.split_at(cut);
    place.write("parts/a.csv", format!("{header}\n{first}"));
    place.write("parts/b.csv", format!("{header}\n{second}"));
    let plain = ["risk", "data.csv", "--quasi", "town,job", "--format", "json"];
    let parts = ["risk", "parts", "--quasi", "town,job", "--format", "json"];
    let plain = place.run(&plain).expect(0).out.replace("data.csv", "parts");
    assert_eq!(plain, place.run(&parts).expect(0).out);
}

#[test]
fn bad_tables_and_wrong_use_are_told_and_quote_no_cell() {
    let place = placed();
    let tell = |arguments: &[&str], exit: i32, says: &[&str]| {
        let ended = place.run(&[&["risk"], arguments].concat()).expect(exit).says(says);
        assert!(!ended.err.contains(CANARY) && !ended.out.contains(CANARY), "{}", ended.err);
    };
    tell(&["data.csv"], 2, &["--quasi"]);
    tell(&["data.csv", "--quasi", "twon"], 3, &["ALO-U060", "`twon`", "town, job"]);
    tell(&["data.csv", "--quasi", "town", "--sensitive", "town"], 2, &["ALO-U061", "twice"]);
    place.write("none.csv", "a,b\n");
    tell(&["none.csv", "--quasi", "a"], 3, &["ALO-U062", "0 rows"]);
    place.write("one.csv", format!("a,b\n{CANARY},1\n"));
    tell(&["one.csv", "--quasi", "a"], 3, &["ALO-U062", "1 rows"]);
    let many: Vec<String> = (0..65).map(|n| format!("c{n}")).collect();
    tell(&["data.csv", "--quasi", &many.join(",")], 2, &["ALO-U065", "64"]);
    let lonely = ["data.csv", "--quasi", "town", "--original", "original.csv"];
    tell(&lonely, 3, &["ALO-U067", "control"]);
    let few = ["data.csv", "--quasi", "town", "--population-size", "10"];
    tell(&few, 2, &["ALO-U068", "400 rows"]);
    tell(&["data.csv", "--quasi", "town", "--min-l", "2"], 2, &["ALO-U068", "sensitive"]);
    tell(&["data.csv", "--quasi", "town", "--max-attack", "0.1"], 2, &["ALO-U068", "control"]);
    tell(&["data.csv", "--quasi", "town", "--max-unique", "1.5"], 2, &[]);
    tell(&["data.csv", "--quasi", "town", "--target-k", "1"], 2, &["ALO-U068"]);
    tell(&["data.csv", "--quasi", "town", "--format", "html"], 2, &["ALO-U013"]);
    let counted = ["data.csv", "--quasi", "town", "--population", "everybody.csv"];
    tell(&[&counted[..], &["--population-count", "job"]].concat(), 3, &["ALO-U067", "row 0"]);
    place.write("broken.json", "{\"schema\":\"allonym.risk/1\",\"rows\":\"kanarie\"}");
    let ended = place.run(&["report", "broken.json"]).expect(3).says(&["ALO-U069"]);
    assert!(!ended.err.contains(CANARY));
    for code in 60..70 {
        place.run(&["explain", &format!("ALO-U{code:03}")]).expect(0);
    }
}

#[test]
fn a_real_table_has_its_known_uniques() {
    let Some(corpora) = corpora() else { return };
    let place = Place::fresh();
    let adult = corpora.join("exposure/adult.parquet");
    let quasi = "age,sex,race,education";
    let arguments = [
        "risk",
        adult.to_str().unwrap(),
        "--quasi",
        quasi,
        "--sensitive",
        "income",
        "--format",
        "json",
    ];
    let told: Value = serde_json::from_str(&place.run(&arguments).expect(0).out).unwrap();
    assert_eq!(told["rows"], 32_561);
    assert_eq!(told["classes"]["k"], 1);
    assert_eq!(told["sensitive"][0]["distinct_l"], 1);
}

#[test]
fn the_gates_of_a_policy_count_where_no_option_does() {
    let place = placed();
    place.write("allonym.toml", "version = 1\n[gates]\nmin_k = 2\nmax_unique_rows = \"100%\"\n");
    let risk = ["risk", "data.csv", "--quasi", "town,job,age", "--sets-max", "0"];
    let gates = |more: &[&str], exit: i32| -> Vec<(String, String)> {
        let asked = [&risk[..], &["--format", "json"], more].concat();
        let told = place.run(&asked).expect(exit).json();
        let gates = told["gates"].as_array().unwrap().clone();
        let word = |gate: &Value, key: &str| gate[key].as_str().unwrap().to_owned();
        gates.iter().map(|gate| (word(gate, "gate"), word(gate, "decision"))).collect()
    };
    let gate = |name: &str, decision: &str| (name.to_owned(), decision.to_owned());
    // Nobody is alike: the policy's k is broken, its share of 100 % kept.
    assert_eq!(gates(&[], 1), [gate("min_k", "fail"), gate("max_unique", "pass")]);
    // An option wins over the policy, and leaves its other limits.
    let kept = [gate("min_k", "pass"), gate("max_unique", "pass")];
    assert_eq!(gates(&["--min-k", "1"], 0), kept);
    place.write("other.toml", "version = 1\n[gates]\nmax_unique_rows = 0\n");
    assert_eq!(gates(&["--policy", "other.toml"], 1), [gate("max_unique", "fail")]);
    place.write("other.toml", "version = 1\n");
    assert_eq!(gates(&["--policy", "other.toml"], 0), []);
    // A limit of what is not measured is no silent pass.
    place.write("other.toml", "version = 1\n[gates]\nmax_attack = 0.1\n");
    let asked = [&risk[..], &["--policy", "other.toml"]].concat();
    place.run(&asked).expect(2).says(&["limit of attacks"]);
    place.write("other.toml", "version = 1\n[gates]\nmax_unique = 0.1\n");
    place.run(&asked).expect(2).says(&["unknown key `max_unique`", "max_unique_rows"]);
}
