//! Tables with versions, written by hand: what folders are named by is told nowhere, and holds cover a
//! table by its name however its rows are divided.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod command;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray};
use command::{Place, contents};
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::sync::Arc;

const CANARY: &str = "kanarienvogel.4711@example.org";
const POLICY: &str = "version = 1\n[policy]\nname = \"motor\"\nunlisted = \"keep\"\nunlisted_reason = \"test\"\n[columns.id]\ntreat = \"keep\"\nreason = \"a number\"\n[columns.closed]\ntreat = \"keep\"\nreason = \"the anchor\"\n[columns.mail]\ntreat = \"redact\"\n[retention]\nrequire_tags = \"none\"\n[retention.dataset]\nanchor = \"closed\"\nduration = \"P5Y\"\npurpose = [\"test\"]\non_expiry = \"drop_row\"\n";
const HOLD: &str = "[[retention.holds]]\nid = \"LH-1\"\nscope = { dataset = \"claims\" }\nauthority = \"a court\"\nfrom = 2025-01-01\nreview_by = 2027-01-01\n";

/// A Delta table of one file with three rows, of which two have expired, in a folder named by a person.
fn table(place: &Place, marks: &Value) {
    let folder = format!("lake/claims/mail={CANARY}");
    let path = place.path(&format!("{folder}/part-0.parquet"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let anchors = vec![1_546_300_800_000_000_i64, 1_546_300_800_000_000, 1_748_736_000_000_000];
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ("closed", Arc::new(TimestampMicrosecondArray::from(anchors).with_timezone("UTC"))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let field = |name: &str, kind: &str| json!({"name": name, "type": kind, "nullable": true, "metadata": {}});
    let fields = [field("id", "long"), field("closed", "timestamp"), field("mail", "string")];
    let schema = json!({"type": "struct", "fields": fields}).to_string();
    let lines = [
        json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}),
        json!({"metaData": {"id": "1", "format": {"provider": "parquet", "options": {}},
            "schemaString": schema, "partitionColumns": ["mail"], "configuration": {}}}),
        json!({"add": {"path": format!("mail={CANARY}/part-0.parquet"),
            "partitionValues": {"mail": CANARY}, "size": fs::metadata(&path).unwrap().len(),
            "modificationTime": 0, "dataChange": true, "deletionVector": marks}}),
    ];
    let lines: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
    place.write(&format!("lake/claims/_delta_log/{:020}.json", 0), lines.concat());
}

fn place(marks: &Value) -> Place {
    let place = Place::fresh();
    place.write("allonym.toml", POLICY);
    table(&place, marks);
    place
}

fn codes(evidence: &Value) -> BTreeSet<&str> {
    evidence["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect()
}

#[test]
fn a_column_that_stands_in_paths_alone_is_checked_and_its_values_are_told_nowhere() {
    let place = place(&Value::Null);
    for arguments in [&["lake/claims"][..], &["lake"], &["lake", "--format", "sarif"]] {
        place.run(&[&["check", "-vv", "--full"], arguments].concat()).expect(3).silent();
    }
    let ended = place.run(&["check", "lake", "--full", "--format", "json"]).expect(3).silent();
    let evidence = ended.json();
    assert_eq!(codes(&evidence), BTreeSet::from(["ALO-I102", "ALO-R101", "ALO-V101"]));
    assert_eq!(evidence["files"][0]["path"], "claims/mail=*/part-0.parquet");
    let told = &evidence["tables"][0];
    assert_eq!((&told["path"], &told["version"]), (&json!("claims"), &json!(0)));
    assert_eq!(told["partition_by"], json!(["mail"]));
    let column = evidence["columns"].as_array().unwrap().iter().find(|c| c["name"] == "mail");
    assert_eq!(column.unwrap()["residual"], 3);

    let marks =
        json!({"storageType": "u", "pathOrInlineDv": "ab", "sizeInBytes": 1, "cardinality": 1});
    let marked = self::place(&marks);
    let evidence = marked.run(&["check", "lake", "--format", "json"]).expect(3).silent().json();
    assert!(codes(&evidence).contains("ALO-R122"));
    assert_eq!(evidence["tables"][0]["deletion_marks"], 1);
    marked.run(&["expire", "lake/claims"]).expect(2).silent();
}

#[test]
fn rows_of_a_divided_table_go_without_a_trace_of_what_it_was_divided_by() {
    let place = place(&Value::Null);
    let plan = place.run(&["expire", "-vv", "lake/claims", "--format", "json"]).expect(1).silent();
    assert_eq!(plan.json()["files"][0]["path"], "mail=*/part-0.parquet");
    assert_eq!(plan.json()["files"][0]["rows_dropped"], 2);
    let before = contents(&place.path("lake"));
    // A hold is on the table by its name, whatever its folders are called.
    place.write("allonym.toml", format!("{POLICY}{HOLD}"));
    let held = place.run(&["expire", "lake/claims", "--yes", "--format", "json"]).expect(0);
    assert_eq!(held.json()["files"][0]["tags"][0]["rows"]["expired_on_hold"], 2);
    assert_eq!(contents(&place.path("lake")), before);
    place.write("allonym.toml", POLICY);
    place.run(&["expire", "-vv", "lake/claims", "--yes"]).expect(1).silent();
    let purge = ["expire", "lake/claims", "--yes", "--purge", "--format", "json"];
    let evidence = place.run(&purge).expect(0).silent().json();
    assert_eq!(evidence["table"]["old_versions"], json!([]));
    // The row that stays keeps the folder that it is in.
    let log = place.read(&format!("lake/claims/_delta_log/{:020}.json", 0));
    assert!(!log.contains(CANARY), "{log}");
    assert!(log.contains("purged/0"), "{log}");
}

#[test]
fn tables_among_other_folders_are_not_rewritten_as_files() {
    let place = place(&Value::Null);
    let before = contents(&place.path("lake"));
    for arguments in [
        &["expire", "lake", "--yes"][..],
        &["erase", "lake", "--subjects", "allonym.toml", "--yes"],
        &["scan", "lake"],
        &["apply", "lake", "--to", "out"],
    ] {
        place.run(arguments).expect(2).silent();
    }
    assert_eq!(contents(&place.path("lake")), before);
}
