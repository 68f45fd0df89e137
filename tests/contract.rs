//! `allonym init CONTRACT`: a policy out of a data contract, and the way back.
#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod command;

use command::Place;

const CONTRACT: &str = "\
apiVersion: v3.1.0
kind: DataContract
id: motor
name: motor claims
version: 1.2.0
status: active
description:
  purpose: motor pricing
schema:
  - name: claims
    properties:
      - name: iban
        logicalType: string
        classification: pii
      - name: ref
        logicalType: string
        classification: personal
      - name: closed
        logicalType: date
      - name: score
        logicalType: number
        classification: restricted
      - name: seen
        logicalType: timestamp
        classification: personal_data
      - name: NO
        logicalType: string
        classification: public
      - name: level
        logicalType: integer
        classification: 5
slaProperties:
  - property: retention
    value: 7
    unit: y
    element: claims.closed
    driver: regulatory
  - {property: retention, value: 90, unit: d, element: claims.iban}
";

fn init(place: &Place, arguments: &[&str]) -> toml::Table {
    place.run(&[&["init"], arguments, &["--force"]].concat()).expect(0);
    place.read("allonym.toml").parse().unwrap()
}

#[test]
fn labels_become_treatments_and_retention_becomes_tags() {
    let place = Place::with_keys();
    place.write("claims.odcs.yaml", CONTRACT);
    let policy = init(&place, &["claims.odcs.yaml"]);
    assert_eq!(policy["policy"]["name"].as_str(), Some("motor claims"));
    assert_eq!(policy["policy"]["purpose"].as_str(), Some("motor pricing"));
    for (column, treatment) in [
        ("iban", "pseudonymize"),
        ("ref", "pseudonymize"),
        ("closed", "keep"),
        ("score", "redact"),
        ("seen", "generalize"),
        ("NO", "keep"),
        ("level", "redact"),
    ] {
        assert_eq!(policy["columns"][column]["treat"].as_str(), Some(treatment), "{column}");
    }
    let retention = &policy["retention"];
    assert_eq!(retention["dataset"]["anchor"].as_str(), Some("closed"));
    assert_eq!(retention["dataset"]["duration"].as_str(), Some("P7Y"));
    assert_eq!(retention["dataset"]["on_expiry"].as_str(), Some("drop_row"));
    let tag = &retention["columns"][0];
    assert_eq!(tag["match"]["name"].as_str(), Some("iban"));
    assert_eq!(tag["duration"].as_str(), Some("P90D"));
    assert_eq!(tag["anchor"].as_str(), Some("dataset.collected_at"));
}

#[test]
fn a_contract_makes_the_draft_of_data_stricter_and_never_laxer() {
    let place = Place::with_keys();
    place.write("claims.odcs.yaml", CONTRACT);
    let row =
        "DE89370400440532013000,zoe.kanarie@example.org,2020-01-31,1.5,2020-01-01T00:00:00Z,x,3\n";
    let data = format!("iban,NO,closed,score,seen,ref,level\n{}", row.repeat(30));
    place.write("claims.csv", data);
    let policy = init(&place, &["claims.csv", "claims.odcs.yaml", "--full"]);
    let treatment = |column: &str| policy["columns"][column]["treat"].as_str().unwrap().to_owned();
    assert_eq!(treatment("NO"), "pseudonymize", "its addresses count more than `public`");
    assert_eq!(treatment("ref"), "pseudonymize");
    assert_eq!(treatment("closed"), "keep");
    assert!(!place.read("allonym.toml").contains("kanarie"));
}

/// What `report --format odcs` writes, `init` reads: every tag comes back as it was.
#[test]
fn retention_makes_the_whole_way_through_a_contract() {
    let place = Place::with_keys();
    let retention = r#"[retention]
policy_tz = "Europe/Berlin"
row_column = true

[retention.dataset]
legal_basis = "gdpr.6.1.b"
jurisdiction = "DE"
purpose = ["pricing"]
anchor = "closed"
duration = "P1Y6M"
retain_at_least = "P1Y"
on_expiry = "drop_row"
on_null_anchor = "quarantine"
assume_tz = "Europe/Berlin"

[[retention.columns]]
match = { name = "birth" }
category = "user.demographic.date_of_birth"
purpose = ["age bands"]
anchor = "event:relationship_end"
duration = "P1M15D"
on_expiry = "generalize"
generalize = { to = "year" }
"#;
    let policy = format!(
        "version = 1\n[policy]\nname = \"motor\"\npurpose = \"a test\"\n[columns.closed]\n\
         treat = \"keep\"\nreason = \"anchor\"\n[columns.birth]\ntreat = \"keep\"\nreason = \"x\"\n\
         {retention}"
    );
    place.write("allonym.toml", policy);
    place.write("in.csv", "closed,birth\n2026-01-31,1980-05-17\n");
    place.run(&["apply", "in.csv", "--to", "out.csv"]).expect(0);
    let check = [
        "check",
        "out.csv",
        "--event",
        "relationship_end=2026-01-01",
        "--evidence",
        "e.json",
        "--report",
        "patch.odcs.yaml",
    ];
    place.run(&check);
    let patch = place.read("patch.odcs.yaml");
    assert_eq!(place.run(&["report", "e.json", "--format", "odcs"]).expect(0).out, patch);
    for said in ["value: 18\n", "unit: \"m\"", "value: \"P1M15D\"", "element: \"out.closed\""] {
        assert!(patch.contains(said), "{said}\n{patch}");
    }
    let told: toml::Table = place.read("allonym.toml").parse().unwrap();
    let back = init(&place, &["patch.odcs.yaml"]);
    assert_eq!(back["retention"], told["retention"]);
}

#[test]
fn what_cannot_be_drafted_from_is_told_by_its_place() {
    let place = Place::with_keys();
    let changed = |from: &str, to: &str| {
        assert!(CONTRACT.contains(from));
        place.write("c.odcs.yaml", CONTRACT.replacen(from, to, 1));
        place.run(&["init", "c.odcs.yaml", "--force"]).expect(2)
    };
    changed("v3.1.0", "v2.2.2").says(&["ALO-U070", "c.odcs.yaml", "apiVersion"]);
    changed("value: 7", "value: x").says(&["ALO-U070", "slaProperties[0]"]);
    changed("  - name: claims\n", "  - name: others\n  - name: claims\n").says(&[
        "ALO-U071",
        "2 tables",
        "--table: others, claims",
    ]);
    changed("element: claims.iban", "element: claims.closed").says(&["ALO-U072", "two retentions"]);
    changed(
        "- property: retention\n    value: 7\n    unit: y",
        "- property: retention\n    value: P1Y6",
    )
    .says(&["ALO-U072", "P1Y6"]);
    place.run(&["init", "absent.yaml", "--force"]).expect(2).says(&["ALO-U070"]);
    place.write("d.yaml", CONTRACT);
    place.run(&["init", "c.odcs.yaml", "d.yaml", "--force"]).expect(2).says(&["ALO-U074"]);
    let unknown = ["init", "d.yaml", "--table", "nobody", "--force"];
    place.run(&unknown).expect(2).says(&["ALO-U071", "nobody"]);
    place.run(&["init", "d.yaml", "--table", "claims", "--force"]).expect(0);
    for code in ["ALO-U070", "ALO-U071", "ALO-U072", "ALO-U073", "ALO-U074"] {
        place.run(&["explain", code]).expect(0);
    }
}
