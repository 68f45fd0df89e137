//! `row_column = true`: rows say themselves when they expire, one copy of their tags.
#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod command;

use command::Place;
use serde_json::Value;

/// The policy with a treatment of the column that periods are counted from.
fn policy(treatment: &str) -> String {
    format!(
        "version = 1\n[columns.id]\ntreat = \"keep\"\nreason = \"a test\"\n\
         [columns.closed]\n{treatment}\n[retention]\nrow_column = true\n[retention.dataset]\n\
         purpose = [\"a test\"]\nanchor = \"closed\"\nduration = \"P5Y\"\non_expiry = \"drop_row\"\n"
    )
}

const KEEP: &str = "treat = \"keep\"\nreason = \"an anchor\"";
const YEAR: &str = "treat = \"generalize\"\nto = \"year\"";
const DATA: &str = "id,closed\n1,2021-03-31\n2,2024-02-29\n3,2018-01-01\n";

fn treated(treatment: &str) -> Place {
    let place = Place::with_keys();
    place.write("allonym.toml", policy(treatment));
    place.write("in.csv", DATA);
    place.run(&["apply", "in.csv", "--to", "out.csv"]).expect(0);
    place
}

fn check(place: &Place, as_of: &str) -> Vec<(String, Option<u64>)> {
    let run = place.run(&["check", "out.csv", "--full", "--as-of", as_of, "--format", "json"]);
    let evidence: Value = serde_json::from_str(&run.out).unwrap();
    let findings = evidence["findings"].as_array().unwrap().iter();
    findings
        .map(|told| (told["code"].as_str().unwrap().to_owned(), told["count"].as_u64()))
        .filter(|(code, _)| code.starts_with("ALO-R") || code.starts_with("ALO-M101"))
        .collect()
}

#[test]
fn rows_say_when_they_expire_and_the_receipt_lists_it() {
    let place = treated(KEEP);
    let expected = "id,closed,_allonym_expires_at\n\
                    1,2021-03-31,2026-04-01T00:00:00Z\n\
                    2,2024-02-29,2029-03-01T00:00:00Z\n\
                    3,2018-01-01,2023-01-02T00:00:00Z\n";
    assert_eq!(place.read("out.csv"), expected);
    let receipt: Value = serde_json::from_str(&place.read("out.csv.allonym.json")).unwrap();
    let column = &receipt["columns"][2];
    assert_eq!(
        (&column["name"], &column["treatment"]),
        (&"_allonym_expires_at".into(), &"expiry".into())
    );
    assert_eq!(column["treated"], 3);
    assert_eq!(check(&place, "2026-03-31T23:59:59Z"), [("ALO-R101".to_owned(), Some(1))]);
    let due = [("ALO-R101".to_owned(), Some(2))];
    assert_eq!(check(&place, "2026-04-01T00:00:00Z"), due);
    // Once more, and in one thread: the same bytes.
    place.run(&["apply", "in.csv", "--to", "again.csv", "--jobs", "1"]).expect(0);
    assert_eq!(place.read("again.csv"), expected);
}

#[test]
fn rows_know_their_expiry_when_the_anchor_is_coarser_now() {
    let place = treated(YEAR);
    assert!(place.read("out.csv").contains("1,2021,2026-04-01T00:00:00Z\n"));
    assert_eq!(check(&place, "2026-03-31T23:59:59Z"), [("ALO-R101".to_owned(), Some(1))]);
    assert_eq!(check(&place, "2026-04-01T00:00:00Z"), [("ALO-R101".to_owned(), Some(2))]);
    place.run(&["expire", "out.csv", "--as-of", "2026-04-01T00:00:00Z", "--yes"]).expect(0);
    let left = "id,closed,_allonym_expires_at\n2,2024,2029-03-01T00:00:00Z\n";
    assert_eq!(place.read("out.csv"), left);
}

#[test]
fn copies_that_differ_are_a_breach_and_the_earlier_expiry_rules() {
    let place = treated(KEEP);
    let moved = place
        .read("out.csv")
        // One row was made immortal, one due too early.
        .replace("2023-01-02", "2923-01-02")
        .replace("2029-03-01", "2021-03-01");
    place.write("out.csv", moved);
    let found = check(&place, "2026-01-01T00:00:00Z");
    assert!(found.contains(&("ALO-R111".to_owned(), Some(2))), "{found:?}");
    assert!(found.iter().any(|(code, _)| code == "ALO-R101"), "{found:?}");
    place.run(&["expire", "out.csv", "--as-of", "2026-01-01T00:00:00Z", "--yes"]).expect(0);
    let left = place.read("out.csv");
    assert_eq!(left, "id,closed,_allonym_expires_at\n1,2021-03-31,2026-04-01T00:00:00Z\n");
}

#[test]
fn a_column_that_was_lost_is_missed() {
    let place = treated(KEEP);
    place.write("out.csv", DATA);
    let found = check(&place, "2026-01-01T00:00:00Z");
    assert!(found.contains(&("ALO-R111".to_owned(), None)), "{found:?}");
    place.write("out.csv", "id,closed,_allonym_expires_at\n1,2021-03-31,never\n");
    let found = check(&place, "2026-01-01T00:00:00Z");
    assert!(found.contains(&("ALO-R111".to_owned(), Some(1))), "{found:?}");
}

#[test]
fn what_rows_cannot_say_is_refused_before_the_first_row() {
    let place = Place::with_keys();
    place.write("in.csv", DATA);
    place.write("allonym.toml", policy(KEEP).replace("anchor = \"closed\"", "anchor = \"gone\""));
    let run = ["apply", "in.csv", "--to", "out.csv"];
    place.run(&run).expect(3).says(&["ALO-P010", "gone"]);
    place.write("allonym.toml", policy(KEEP).replace("= true", "= 1"));
    place.run(&run).expect(2).says(&["row_column", "true or false"]);
    place.write("allonym.toml", policy(KEEP));
    place.run(&run).expect(0);
    place.run(&["apply", "out.csv", "--to", "twice.csv"]).expect(1).says(&["ALO-P003"]);
    let listed = format!(
        "{}\n[columns._allonym_expires_at]\ntreat = \"keep\"\nreason = \"x\"\n",
        policy(KEEP)
    );
    place.write("allonym.toml", &listed);
    place.run(&["apply", "out.csv", "--to", "twice.csv"]).expect(2).says(&["ALO-P011"]);
    place.write(
        "allonym.toml",
        listed.replace("treat = \"keep\"\nreason = \"x\"", "treat = \"drop\""),
    );
    place.run(&["apply", "out.csv", "--to", "twice.csv"]).expect(0);
    assert_eq!(place.read("twice.csv"), place.read("out.csv"));
    place.run(&["explain", "ALO-R111"]).expect(0);
}
