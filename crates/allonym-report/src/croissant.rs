//! A check as Croissant: what machine-learning tools read beside a dataset.

use crate::sarif::uri;
use crate::words::{masking, tame};
use crate::{CheckEvidence, ColumnEvidence, FileEvidence};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The dataset of a check as Croissant 1.1 (JSON-LD) with the two fields of its responsible-AI
/// vocabulary that a check knows: what is personal or sensitive in it, and what was done to it.
/// Fields that only authors know, as licence or citation, are left to them.
///
/// Files of one format have their columns described; where formats are mixed, only the files are.
#[must_use]
pub fn croissant(evidence: &CheckEvidence) -> String {
    let name = evidence.policy.name.as_deref().unwrap_or(&evidence.source);
    let mut distribution: Vec<Value> = evidence.files.iter().enumerate().map(file_object).collect();
    let formats: BTreeSet<&str> = evidence.files.iter().map(|file| format_of(&file.path)).collect();
    let source = match (evidence.files.as_slice(), formats.first()) {
        ([_], _) => Some(json!({ "fileObject": { "@id": "file-0" } })),
        (files, Some(format)) if formats.len() == 1 => {
            let includes: Vec<String> = files.iter().map(|file| literal(&file.path)).collect();
            distribution.push(json!({
                "@type": "cr:FileSet",
                "@id": "files",
                "name": "files",
                "encodingFormat": format,
                "includes": includes,
            }));
            Some(json!({ "fileSet": { "@id": "files" } }))
        }
        _ => None,
    };
    let mut dataset = json!({
        "@context": serde_json::from_str::<Value>(CONTEXT).expect("a test reads the context"),
        "@type": "sc:Dataset",
        "conformsTo": [
            "http://mlcommons.org/croissant/1.1",
            "http://mlcommons.org/croissant/RAI/1.0",
        ],
        "name": tame(name),
        "description": tame(&format!(
            "{} rows, checked as of {} against policy {}",
            evidence.rows, evidence.as_of, evidence.policy.sha256,
        )),
        "dateModified": evidence.as_of,
        "rai:personalSensitiveInformation": personal(evidence),
        "rai:dataManipulationProtocol": manipulation(evidence),
        "distribution": distribution,
    });
    if let Some(source) = source {
        let fields: Vec<Value> = evidence
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| field(at, column, &source))
            .collect();
        dataset["recordSet"] =
            json!([{ "@type": "cr:RecordSet", "@id": "rows", "name": "rows", "field": fields }]);
    }
    format!("{dataset:#}\n")
}

fn file_object((at, file): (usize, &FileEvidence)) -> Value {
    let mut object = json!({
        "@type": "cr:FileObject",
        "@id": format!("file-{at}"),
        "name": tame(&file.path),
        "contentUrl": uri(&file.path),
        "encodingFormat": format_of(&file.path),
    });
    if let Some(digest) = &file.sha256 {
        object["sha256"] = digest.as_str().into();
    }
    object
}

fn field(at: usize, column: &ColumnEvidence, source: &Value) -> Value {
    let mut source = source.clone();
    source["extract"] = json!({ "column": column.name });
    json!({
        "@type": "cr:Field",
        "@id": format!("rows/column-{at}"),
        "name": column.name,
        "description": column.treatment.clone().unwrap_or_else(|| "not listed".to_owned()),
        "dataType": match column.type_name.as_str() {
            "integer" => "sc:Integer",
            "float" => "sc:Float",
            "boolean" => "sc:Boolean",
            "date" => "sc:Date",
            "timestamp" => "sc:DateTime",
            _ => "sc:Text",
        },
        "source": source,
    })
}

/// What is personal in the columns, as far as it was found or treated.
fn personal(evidence: &CheckEvidence) -> Vec<String> {
    let mut told = vec![
        "Pseudonymous data are personal data where somebody has the keys or other means to link \
         them."
            .to_owned(),
    ];
    for column in &evidence.columns {
        let name = tame(&column.name);
        match (&column.entity, masking(column).is_some()) {
            (Some(entity), _) => told.push(format!("{name}: looks like {entity}")),
            (None, true) => told.push(format!("{name}: was treated as personal")),
            (None, false) => {}
        }
        if column.residual > 0 {
            told.push(format!("{name}: identifiers are left in {} cells", column.residual));
        }
    }
    told.push(format!("Residual identifiers: {}", evidence.residual.statement));
    told
}

fn manipulation(evidence: &CheckEvidence) -> Vec<String> {
    let columns = evidence.columns.iter();
    columns
        .filter_map(|column| Some(format!("{}: {}", tame(&column.name), masking(column)?)))
        .collect()
}

fn format_of(path: &str) -> &'static str {
    let path = path.to_lowercase();
    let plain = path.trim_end_matches(".gz").trim_end_matches(".zst");
    match plain.rsplit('.').next() {
        Some("parquet" | "pq") => "application/x-parquet",
        Some("csv") => "text/csv",
        Some("tsv") => "text/tab-separated-values",
        Some("jsonl" | "ndjson") => "application/jsonlines",
        Some("arrow" | "ipc" | "feather") => "application/vnd.apache.arrow.file",
        Some("txt") => "text/plain",
        _ => "application/octet-stream",
    }
}

/// A path as a pattern that matches nothing else.
fn literal(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for c in path.chars() {
        match c {
            '*' | '?' | '[' => pattern.extend(['[', c, ']']),
            c => pattern.push(c),
        }
    }
    pattern
}

/// The context that Croissant 1.1 gives; readers warn about any other.
const CONTEXT: &str = include_str!("../data/croissant-context.json");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_go_by_the_name_and_patterns_match_one_file() {
        assert_eq!(format_of("a/B.PARQUET"), "application/x-parquet");
        assert_eq!(format_of("a.csv.gz"), "text/csv");
        assert_eq!(format_of("parquet"), "application/x-parquet");
        assert_eq!(format_of("a.b"), "application/octet-stream");
        assert_eq!(literal("a[1]*.csv"), "a[[]1][*].csv");
        assert!(serde_json::from_str::<Value>(CONTEXT).unwrap().is_object());
    }
}
