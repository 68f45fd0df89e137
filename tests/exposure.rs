//! `allonym exposure` as its users meet it: signals in files, evidence, reports, gates.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod command;

use command::{Place, corpora};
use serde_json::Value;

const MODELS: usize = 9;
const RECORDS: usize = 600;
const POPULATION: usize = 200;

/// Signals of a made-up target and eight references in pairs of complements, as a folder of `.npy`
/// files: being in training adds `leak` to a logit.
fn signals(place: &Place, folder: &str, leak: f64) {
    let mut state = 11_u64;
    let mut uniform = move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 32).unwrap()) / 4_294_967_296.0
    };
    let mut normal = move || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
    let levels: Vec<f64> = (0..RECORDS).map(|_| 2.0 * normal()).collect();
    let others: Vec<f64> = (0..POPULATION).map(|_| 2.0 * normal()).collect();
    let (mut conf, mut members, mut population) = (vec![], vec![], vec![]);
    let mut before: Vec<bool> = Vec::new();
    for model in 0..MODELS {
        let mask: Vec<bool> = match model {
            0 => (0..RECORDS).map(|record| record < RECORDS / 2).collect(),
            _ if model % 2 == 1 => (0..RECORDS).map(|_| normal() > 0.0).collect(),
            _ => before.iter().map(|member| !member).collect(),
        };
        for (level, member) in levels.iter().zip(&mask) {
            let logit = level + normal() + if *member { leak } else { 0.0 };
            conf.push(1.0 / (1.0 + (-logit).exp()));
            members.push(u8::from(*member));
        }
        population.extend(others.iter().map(|level| 1.0 / (1.0 + (-level - normal()).exp())));
        before = mask;
    }
    let bytes = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let write = |name: &str, kind: &str, columns: usize, data: Vec<u8>| {
        let mut header = format!(
            "{{'descr': '{kind}', 'fortran_order': False, 'shape': ({MODELS}, {columns}), }}"
        );
        while (header.len() + 11) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(data);
        place.write(&format!("{folder}/{name}.npy"), file);
    };
    write("conf", "<f8", RECORDS, bytes(&conf));
    write("pop_conf", "<f8", POPULATION, bytes(&population));
    write("members", "|b1", RECORDS, members);
}

#[test]
fn a_leak_is_scored_reported_and_stopped_at_the_gate() {
    let place = Place::fresh();
    signals(&place, "leaky", 2.0);
    let score = ["exposure", "score", "leaky", "--to", "leaky.json", "--model", "made-up"];
    let ended = place.run(&score).expect(0);
    for words in ["made-up · 300 in, 300 out · 8 reference models", "Leak:", "Not tested:"] {
        assert!(ended.out.contains(words), "no {words} in:\n{}", ended.out);
    }
    // 300 non-members cannot show one in a thousand, so no number is printed.
    assert!(ended.out.contains("not resolvable (needs 1,000 non-members)"), "{}", ended.out);
    let evidence: Value = serde_json::from_str(&place.read("leaky.json")).unwrap();
    assert_eq!(evidence["schema"], "allonym.exposure/1");
    assert_eq!(evidence["told"]["found"], "leak");
    let rates = evidence["told"]["rates"].as_array().unwrap();
    let finest = rates.iter().find(|rate| rate["fpr"] == 0.001).unwrap();
    assert_eq!((&finest["tpr"]["value"], &finest["resolvable"]), (&Value::Null, &false.into()));
    assert!(evidence["told"]["auc"]["low"].as_f64().unwrap() > 0.6);
    assert_eq!(evidence["records"]["worst"].as_array().unwrap().len(), 50);

    let page = place.run(&["exposure", "report", "leaky.json"]).expect(0).out;
    for part in ["<!doctype html>", "<svg", "<desc>", "Most exposed records", "prefers-color"] {
        assert!(page.contains(part), "no {part}");
    }
    for absent in ["<script", "http://", "https://", "NaN", "inf"] {
        assert!(!page.contains(absent), "{absent} in the page");
    }
    assert!(page.len() < 150_000, "{}", page.len());

    let gate = |arguments: &[&str], exit: i32| -> String {
        place.run(&[&["exposure", "gate", "leaky.json"], arguments].concat()).expect(exit).out
    };
    assert!(gate(&["--auc", "0.6"], 1).contains("fail"));
    assert!(gate(&["--auc", "0.99"], 0).contains("pass"));
    assert!(gate(&["--tpr", "0.001=0.9"], 7).contains("about 2,400 records"));
    assert!(gate(&["--auc", "0.6", "--tpr", "0.001=0.5"], 1).contains("fail"));
    // The gate of the signals is the gate of their evidence.
    place.run(&["exposure", "gate", "leaky", "--auc", "0.6"]).expect(1);
    place.run(&["exposure", "gate", "leaky", "--auc", "0.6", "--exit-zero"]).expect(0);
    let json = place.run(&["exposure", "gate", "leaky", "--auc", "0.99", "--format", "json"]);
    let json: Value = serde_json::from_str(&json.expect(0).out).unwrap();
    assert_eq!(
        (&json["decision"], &json["schema"]),
        (&"pass".into(), &"allonym.exposure-gate/1".into())
    );
}

#[test]
fn no_leak_is_no_proof_and_says_so() {
    let place = Place::fresh();
    signals(&place, "tight", 0.0);
    let ended = place.run(&["exposure", "score", "tight", "--fpr", "0.1"]).expect(0);
    assert!(ended.out.contains("No leak was found"), "{}", ended.out);
    assert!(ended.out.contains("no proof that there is none"), "{}", ended.out);
    let two = ["exposure", "gate", "tight", "--auc", "0.51"];
    assert!(place.run(&two).expect(7).out.contains("would decide it"));
}

#[test]
fn before_and_after_are_compared_on_the_same_masks() {
    let place = Place::fresh();
    signals(&place, "before", 2.0);
    signals(&place, "after", 0.3);
    let ended = place.run(&["exposure", "compare", "before", "after", "--fpr", "0.05"]).expect(0);
    assert!(ended.out.contains("Less is given away"), "{}", ended.out);
    let same = place.run(&["exposure", "compare", "before", "before", "--format", "json"]);
    let same: Value = serde_json::from_str(&same.expect(0).out).unwrap();
    assert_eq!(
        (&same["found"], &same["auc_difference"]["value"]),
        (&"undecided".into(), &0.0.into())
    );
}

#[test]
fn the_same_signals_give_the_same_bytes() {
    let place = Place::fresh();
    signals(&place, "signals", 1.0);
    let run = |threads: &str| {
        let json = ["exposure", "score", "signals", "--format", "json"];
        place
            .run_with(&json, |command| {
                command.env("RAYON_NUM_THREADS", threads);
            })
            .expect(0)
            .out
    };
    let one = run("1");
    assert_eq!(one, run("2"));
    assert_eq!(one, run("7"));
}

#[test]
fn wrong_use_is_told() {
    let place = Place::fresh();
    signals(&place, "signals", 1.0);
    place.run(&["exposure", "gate", "signals"]).expect(2).says(&["ALO-U050", "a limit"]);
    place.run(&["exposure", "gate", "signals", "--auc", "1.5"]).expect(2);
    place.run(&["exposure", "gate", "signals", "--tpr", "0.01"]).expect(2).says(&["RATE=LIMIT"]);
    place.run(&["exposure", "score", "signals", "--target", "9"]).expect(2).says(&["no model 9"]);
    place.run(&["exposure", "score", "signals", "--fpr", "0"]).expect(2);
    place.run(&["exposure", "score", "nothing.npz"]).expect(3).says(&["nothing.npz"]);
    place.run(&["exposure", "score", "signals", "--format", "csv"]).expect(2).says(&["json"]);
    place.write("empty/other.npy", b"");
    place.run(&["exposure", "score", "empty"]).expect(3).says(&["ALO-D006", "`conf` or `logit`"]);
    place.write("cut/conf.npy", b"\x93NUMPY");
    place.run(&["exposure", "score", "cut"]).expect(3).says(&["ALO-D006"]);
    place.write("evidence.json", "{\"schema\":\"zoe.muster@example.org\"}");
    let ended = place.run(&["exposure", "report", "evidence.json"]).expect(3);
    assert!(ended.says(&["ALO-D050"]).err.find("zoe").is_none());
    place.write("taken.json", "{}");
    let taken = ["exposure", "score", "signals", "--to", "taken.json"];
    place.run(&taken).expect(2);
    place.run(&[&taken[..], &["--force"]].concat()).expect(0);
}

#[test]
fn the_worked_case_is_scored_from_its_archive() {
    let Some(corpora) = corpora() else { return };
    let case = corpora.join("exposure/digits_case.npz");
    let place = Place::fresh();
    let score = ["exposure", "score", case.to_str().unwrap(), "--format", "json"];
    let told: Value = serde_json::from_str(&place.run(&score).expect(0).out).unwrap();
    assert_eq!(told["method"]["references"], 33);
    assert_eq!(told["told"]["found"], "leak");
    // The best single attack of the worked case has 0.713 and 12.8 %.
    assert!(told["told"]["auc"]["value"].as_f64().unwrap() > 0.69);
}

#[test]
fn the_gate_of_a_policy_counts_where_no_option_does() {
    let place = Place::fresh();
    signals(&place, "leaky", 2.0);
    signals(&place, "calm", 0.0);
    place.run(&["exposure", "score", "leaky", "--to", "leaky.json"]).expect(0);
    let gate = ["exposure", "gate", "leaky.json"];
    place.run(&gate).expect(2).says(&["a gate needs a limit"]);
    place.write("allonym.toml", "version = 1\n[gates]\nexposure = { max_upper = 0.6 }\n");
    place.run(&gate).expect(1);
    place.run(&["exposure", "gate", "calm"]).expect(0);
    // An option wins, and leaves nothing of the policy.
    place.run(&[&gate[..], &["--auc", "0.99"]].concat()).expect(0);
    let policy = |text: &str| {
        place.write("other.toml", format!("version = 1\n[gates.exposure]\n{text}"));
        [&gate[..], &["--policy", "other.toml"]].concat().join(" ")
    };
    let run = |line: String| place.run(&line.split(' ').collect::<Vec<_>>());
    run(policy("metric = \"tpr@fpr=0.1\"\nmax_upper = \"10%\"\n")).expect(1);
    run(policy("metric = \"tpr@fpr=0.1\"\nmax_upper = 1\n")).expect(0);
    // Nobody grouped the records, so nobody knows of groups.
    let by = policy("metric = \"tpr@fpr=0.1\"\nmax_upper = 1\nby = [\"region\"]\n");
    let ended = run(by).expect(7);
    assert!(ended.out.contains("no groups by `region`"), "{}", ended.out);
    let told: Value = serde_json::from_str(&place.read("leaky.json")).unwrap();
    let grouped = |tpr: f64| {
        let group = |name: &str, value: f64| {
            let tpr = serde_json::json!({ "value": value, "low": null, "high": null });
            serde_json::json!({
                "name": name, "n_members": 1000, "n_non_members": 100, "auc": tpr, "tpr": tpr,
                "tpr_rest": tpr, "p_corrected": 1.0,
            })
        };
        let mut told = told.clone();
        told["groups"] = serde_json::json!([{
            "by": "region", "cell_min": 10, "fpr": 0.1, "suppressed": 0,
            "groups": [group("kanarie-north", 0.1), group("kanarie-south", tpr)],
        }]);
        place.write("leaky.json", told.to_string());
        run(policy("metric = \"tpr@fpr=0.1\"\nmax_upper = 0.97\nby = [\"region\"]\n"))
    };
    grouped(0.2).expect(0);
    let ended = grouped(0.97).expect(7);
    assert!(ended.out.contains("a group of `region` spans its limit"), "{}", ended.out);
    let ended = grouped(1.0).expect(1);
    assert!(ended.out.contains("a group of `region` lies above"), "{}", ended.out);
    assert!(!ended.out.contains("kanarie"));
}

#[test]
fn attacks_without_references_run_on_what_is_there() {
    let place = Place::fresh();
    signals(&place, "leaky", 2.0);
    let names = |input: &str| -> (Vec<String>, String) {
        let told = place.run(&["exposure", "score", input, "--format", "json"]).expect(0).json();
        let attacks = told["attacks"].as_array().unwrap();
        let names = attacks.iter().map(|attack| attack["name"].as_str().unwrap().to_owned());
        (names.collect(), told["told"]["not_tested"].to_string())
    };
    let (before, not_tested) = names("leaky");
    assert!(not_tested.contains("gap, modified entropy, quantile regression"), "{not_tested}");
    // Two classes: what the model thinks of the true one says it all.
    let conf = place.bytes("leaky/conf.npy");
    let numbers = |bytes: &[u8], change: &dyn Fn(f64) -> f64| -> Vec<u8> {
        // Behind the header.
        let at = 128;
        assert_eq!(bytes[at - 1], b'\n');
        let values = bytes[at..].chunks_exact(8);
        let number = |value: &[u8]| change(f64::from_le_bytes(value.try_into().unwrap()));
        [&bytes[..at], &values.flat_map(|value| number(value).to_le_bytes()).collect::<Vec<_>>()]
            .concat()
    };
    let entropy = |p: f64| 2.0 * (1.0 - p) * p.max(1e-45).ln();
    place.write("leaky/gap.npy", numbers(&conf, &|p| f64::from(u8::from(p > 0.5))));
    place.write("leaky/entropy.npy", numbers(&conf, &entropy));
    let (with, not_tested) = names("leaky");
    assert_eq!(with.len(), before.len() + 2);
    assert!(["gap", "modified entropy"].iter().all(|name| with.iter().any(|w| w == name)));
    assert!(not_tested.contains("too few: quantile regression"), "{not_tested}");
}
