//! Findings as SARIF 2.1.0, for code scanning.

use crate::clauses::clause_of;
use crate::{CheckEvidence, Finding, Severity};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The findings of a check as SARIF 2.1.0. Every result has a physical location, for some readers
/// refuse a whole file otherwise: the file it is of, else the first that was checked.
#[must_use]
pub fn sarif(evidence: &CheckEvidence) -> String {
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    let mut results = Vec::new();
    for finding in &evidence.findings {
        let topic = clause_of(&finding.code).map_or("Check", |clause| clause.topic.as_str());
        let tags =
            clause_of(&finding.code).map(|clause| clause.clauses.clone()).unwrap_or_default();
        rules.entry(&finding.code).or_insert_with(|| {
            json!({
                "id": finding.code,
                "shortDescription": { "text": topic },
                "properties": { "tags": tags },
            })
        });
        results.push(result(finding, evidence));
    }
    let rules: Vec<Value> = rules.into_values().collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "allonym",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn result(finding: &Finding, evidence: &CheckEvidence) -> Value {
    let first = || evidence.files.first().map(|file| file.path.clone());
    let file = finding.file.clone().or_else(first).unwrap_or_else(|| evidence.source.clone());
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&file) },
            "region": { "startLine": 1 },
        },
    });
    if let Some(column) = &finding.column {
        location["logicalLocations"] =
            json!([{ "fullyQualifiedName": format!("{file}/{column}"), "kind": "member" }]);
    }
    let message = match &finding.next {
        Some(next) => format!("{}. Next: {next}.", finding.message),
        None => finding.message.clone(),
    };
    json!({
        "ruleId": finding.code,
        "level": match finding.severity {
            Severity::Breach | Severity::Unverified => "error",
            Severity::Note => "note",
        },
        "message": { "text": message },
        "locations": [location],
    })
}

/// A path as a URI reference (RFC 3986): everything unusual percent-encoded.
#[must_use]
pub fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
