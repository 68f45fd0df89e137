//! Scans as SARIF 2.1.0, for code scanning.
//!
//! Every result has a physical location (GitHub refuses a whole file otherwise) and names the
//! column as a logical one. No message holds a value.

use crate::scan::group_name;
use allonym::Scan;
use allonym::report::uri;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) fn render(scans: &[Scan]) -> String {
    let mut rules: BTreeMap<String, Value> = BTreeMap::new();
    let mut results = Vec::new();
    for scan in scans {
        for column in &scan.columns {
            let whole = column.entity.iter().map(|entity| {
                let share = 100.0 * column.coverage.share;
                (entity, format!("column `{}` holds {entity} ({share:.1} % of cells)", column.name))
            });
            let inside = column
                .entities
                .iter()
                .filter(|found| Some(&found.entity) != column.entity.as_ref())
                .map(|found| {
                    let (entity, cells) = (&found.entity, found.cells);
                    let name = &column.name;
                    (entity, format!("column `{name}` has {entity} in {cells} cells"))
                });
            for (entity, message) in whole.chain(inside) {
                let group = column.group.map_or("direct", group_name);
                rules.entry(entity.clone()).or_insert_with(|| {
                    json!({
                        "id": entity,
                        "shortDescription": { "text": format!("personal data: {entity}") },
                    })
                });
                results.push(json!({
                    "ruleId": entity,
                    "level": if group == "quasi" { "note" } else { "warning" },
                    "message": { "text": message },
                    "locations": [{
                        "physicalLocation": {
                            "artifactLocation": { "uri": uri(&scan.source) },
                            "region": { "startLine": 1 },
                        },
                        "logicalLocations": [{
                            "fullyQualifiedName": format!("{}/{}", scan.source, column.name),
                            "kind": "member",
                        }],
                    }],
                }));
            }
        }
    }
    let rules: Vec<Value> = rules.into_values().collect();
    json!({
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
    })
    .to_string()
}
