//! Policy and manifest that disagree: of each row the earlier expiry rules, but none before a floor.
#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod command;

use command::Place;
use serde_json::Value;

fn policy(tag: &str) -> String {
    let keep = "treat = \"keep\"\nreason = \"a test\"\n";
    format!(
        "version = 1\n[columns.id]\n{keep}[columns.opened]\n{keep}[columns.closed]\n{keep}\
         [retention.dataset]\npurpose = [\"a test\"]\n{tag}\non_expiry = \"drop_row\"\n"
    )
}

const BY_OPENING: &str = "anchor = \"opened\"\nduration = \"P5Y\"";
const BY_CLOSING: &str = "anchor = \"closed\"\nduration = \"P5Y\"";
const BY_LAW: &str = "anchor = \"closed\"\nduration = \"P9Y\"\nretain_at_least = \"P7Y\"";

/// By its opening the first row is due and the last one, by its closing the second and the last one.
fn treated() -> Place {
    let place = Place::with_keys();
    place.write("allonym.toml", policy(BY_OPENING));
    let rows = [("2019", "2024"), ("2024", "2019"), ("2024", "2024"), ("2019", "2019")];
    let rows: String = rows
        .iter()
        .zip(1..)
        .map(|((opened, closed), id)| format!("{id},{opened}-03-31,{closed}-03-31\n"))
        .collect();
    place.write("in.csv", format!("id,opened,closed\n{rows}"));
    place.run(&["apply", "in.csv", "--to", "out.csv"]).expect(0);
    place
}

/// Codes with counts, and what is said of the disagreement.
fn check(place: &Place) -> (Vec<(String, Option<u64>)>, String) {
    let check = ["check", "out.csv", "--as-of", "2026-01-01T00:00:00Z", "--format", "json"];
    let evidence: Value = serde_json::from_str(&place.run(&check).out).unwrap();
    let findings = evidence["findings"].as_array().unwrap();
    let of_clocks = findings.iter().filter(|f| f["code"].as_str().unwrap().starts_with("ALO-R"));
    let codes = of_clocks
        .map(|told| (told["code"].as_str().unwrap().to_owned(), told["count"].as_u64()))
        .collect();
    let drift = findings.iter().find(|found| found["code"] == "ALO-R108");
    (codes, drift.map_or_else(String::new, |found| found["message"].to_string()))
}

fn code(code: &str, count: Option<u64>) -> (String, Option<u64>) {
    (code.to_owned(), count)
}

#[test]
fn the_earlier_expiry_rules_row_by_row() {
    let place = treated();
    assert_eq!(check(&place).0, [code("ALO-R101", Some(2))]);
    place.write("allonym.toml", policy(BY_CLOSING));
    let (codes, drift) = check(&place);
    assert_eq!(codes, [code("ALO-R101", Some(3)), code("ALO-R108", None)]);
    assert!(drift.contains("closed + P5Y, then drop_row, and opened + P5Y"), "{drift}");
    assert!(drift.contains("the earlier expiry rules"), "{drift}");

    let expire = ["expire", "out.csv", "--as-of", "2026-01-01T00:00:00Z", "--format", "json"];
    let plan = place.run(&expire).expect(1).json();
    assert_eq!(plan["files"][0]["rows_dropped"], 3);
    let tags = plan["files"][0]["tags"].as_array().unwrap();
    let of: Vec<_> = tags.iter().map(|tag| (&tag["of"], &tag["rows"]["expired"])).collect();
    let (policy, manifest) = ("dataset".into(), "dataset (manifest)".into());
    assert_eq!(of, [(&policy, &2.into()), (&manifest, &2.into())]);
    assert!(plan["reasons"].to_string().contains("policy and manifest disagree on whole rows"));
    // It is done, and the disagreement stays against policy.
    let done = place.run(&[&expire[..], &["--yes"]].concat()).expect(1).json();
    assert_eq!(done["verdict"], "against policy");
    assert_eq!(place.read("out.csv"), "id,opened,closed\n3,2024-03-31,2024-03-31\n");
    assert_eq!(check(&place).0, [code("ALO-R108", None)]);
}

#[test]
fn nothing_goes_before_a_floor_that_one_of_them_knows() {
    let place = treated();
    place.write("allonym.toml", policy(BY_LAW));
    let (codes, drift) = check(&place);
    assert_eq!(codes, [code("ALO-R108", None)]);
    assert!(drift.contains("the second comes before a statutory floor"), "{drift}");
    let before = place.read("out.csv");
    let expire = ["expire", "out.csv", "--as-of", "2026-01-01T00:00:00Z", "--yes"];
    place.run(&expire).expect(1);
    assert_eq!(place.read("out.csv"), before);

    // The floor stands in the manifest, and the policy would let go earlier.
    place.write("allonym.toml", policy(BY_LAW));
    place.run(&["apply", "in.csv", "--to", "law.csv"]).expect(0);
    place.write("allonym.toml", policy(BY_CLOSING));
    let held = ["expire", "law.csv", "--as-of", "2026-01-01T00:00:00Z", "--yes"];
    let told = place.run(&held).expect(1);
    assert!(told.out.contains("the first comes before a statutory floor"), "{}", told.out);
    assert_eq!(place.read("law.csv"), before);
}
