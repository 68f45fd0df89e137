//! A check as `OpenLineage` events: which dataset was made of which, and which columns were masked.

use crate::words::{key_words, masking};
use crate::{CheckEvidence, ColumnEvidence, FileEvidence};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// The run of a check as `OpenLineage` (2-0-2) events, one JSON object a line: its start and its end.
///
/// Every file is an output with its columns, made of the input that its manifest names; a file
/// without one is its own input. `masking` is true for every column that a treatment changed. The
/// run has an id that the evidence gives, so the same evidence gives the same events.
#[must_use]
pub fn openlineage(evidence: &CheckEvidence) -> String {
    let job = evidence.policy.name.clone().unwrap_or_else(|| "policy".to_owned());
    let inputs: Vec<Value> =
        evidence.files.iter().map(|file| dataset(source_of(file), &json!({}))).collect();
    let outputs: Vec<Value> =
        evidence.files.iter().map(|file| dataset(&file.path, &facets(file, evidence))).collect();
    let run = run_id(evidence);
    let event = |kind: &str, inputs: &[Value], outputs: &[Value]| {
        json!({
            "eventTime": evidence.as_of,
            "producer": PRODUCER,
            "schemaURL": format!("{SPECIFICATION}/2-0-2/OpenLineage.json#/$defs/RunEvent"),
            "eventType": kind,
            "run": { "runId": run, "facets": {} },
            "job": { "namespace": "allonym", "name": job, "facets": {} },
            "inputs": inputs,
            "outputs": outputs,
        })
    };
    let start = event("START", &[], &[]);
    let complete = event("COMPLETE", &inputs, &outputs);
    format!("{start}\n{complete}\n")
}

fn dataset(name: &str, facets: &Value) -> Value {
    json!({ "namespace": "file", "name": name, "facets": facets })
}

fn source_of(file: &FileEvidence) -> &str {
    file.made_from.as_deref().unwrap_or(&file.path)
}

fn facets(file: &FileEvidence, evidence: &CheckEvidence) -> Value {
    let described: Vec<Value> = evidence
        .columns
        .iter()
        .map(|column| json!({ "name": column.name, "type": column.type_name }))
        .collect();
    let lineage: Map<String, Value> = evidence
        .columns
        .iter()
        .map(|column| (column.name.clone(), lineage(column, file, evidence)))
        .collect();
    let facet = |name: &str, version: &str, member: &str, value: Value| {
        json!({
            "_producer": PRODUCER,
            "_schemaURL": format!("{SPECIFICATION}/facets/{version}/{name}.json#/$defs/{name}"),
            member: value,
        })
    };
    json!({
        "schema": facet("SchemaDatasetFacet", "1-2-0", "fields", described.into()),
        "columnLineage": facet("ColumnLineageDatasetFacet", "1-2-0", "fields", lineage.into()),
    })
}

fn lineage(column: &ColumnEvidence, file: &FileEvidence, evidence: &CheckEvidence) -> Value {
    let masking = masking(column).is_some();
    let treatment = column.treatment.as_deref().unwrap_or("not listed in the policy");
    let keys = key_words(column, evidence).map(|keys| format!(", {keys}")).unwrap_or_default();
    json!({ "inputFields": [{
        "namespace": "file",
        "name": source_of(file),
        "field": column.name,
        "transformations": [{
            "type": "DIRECT",
            "subtype": if masking { "TRANSFORMATION" } else { "IDENTITY" },
            "description": format!("{treatment}{keys}, policy {}", evidence.policy.sha256),
            "masking": masking,
        }],
    }] })
}

/// A UUID of the free form (RFC 9562, version 8) out of the evidence's digest.
fn run_id(evidence: &CheckEvidence) -> String {
    let digest = Sha256::digest(evidence.to_json().as_bytes());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let mut id = String::with_capacity(36);
    for (at, digit) in hex.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(match at {
            // The version, and the variant of RFC 9562: its two upper bits are 10.
            12 => '8',
            16 => ['8', '9', 'a', 'b'][usize::from(digest[8] >> 4 & 3)],
            _ => digit,
        });
    }
    id
}

const PRODUCER: &str = concat!("urn:allonym:", env!("CARGO_PKG_VERSION"));
const SPECIFICATION: &str = "https://openlineage.io/spec";
