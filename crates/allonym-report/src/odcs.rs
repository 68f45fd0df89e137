//! Data contracts (Open Data Contract Standard 3): findings written back as a patch, and what a
//! contract says of columns and retention read from it.
//!
//! Retention stands where the standard has it, among `slaProperties`: a period, and the column that
//! it is counted from. What the standard has no word for (floor, basis, action) stands beside it as a
//! custom property of the vendor `allonym`, in the words of `[retention]`, so that a contract that was
//! written here comes back whole.

mod read;

pub use read::{Contract, ContractColumn, ContractError, ContractTable};

use crate::words::{key_words, masking, tag_of};
use crate::yaml::yaml;
use crate::{CheckEvidence, ColumnEvidence, TagEvidence};
use serde_json::{Map, Value, json};

/// What a check found as a patch of the team's contract (ODCS 3.2, YAML), to be merged by the names
/// of table and columns: classification, what was done to each column, and retention.
///
/// Legal holds are not for everybody who reads a contract, and are left out.
#[must_use]
pub fn odcs(evidence: &CheckEvidence) -> String {
    let name = table_name(evidence);
    let properties: Vec<Value> =
        evidence.columns.iter().map(|column| property(column, evidence)).collect();
    let retention = evidence.retention.as_ref();
    let sla: Vec<Value> = retention
        .iter()
        .flat_map(|retention| &retention.tags)
        .map(|tag| sla_property(tag, &name, evidence))
        .collect();
    let mut contract = json!({
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": evidence.policy.name.as_deref().unwrap_or(&name),
        "name": evidence.policy.name.as_deref().unwrap_or(&name),
        "version": "1.0.0",
        "status": "draft",
        "description": {
            "purpose": evidence.policy.purpose.as_deref().unwrap_or("not stated in the policy"),
            "limitations": evidence.limits.join(" "),
        },
        "schema": [{
            "name": name,
            "physicalName": evidence.source,
            "physicalType": if evidence.files.len() > 1 { "files" } else { "file" },
            "properties": properties,
        }],
    });
    if !sla.is_empty() {
        contract["slaProperties"] = sla.into();
    }
    let mut custom = vec![
        ("policyDigest", json!(evidence.policy.sha256)),
        ("checkedAsOf", json!(evidence.as_of)),
        ("residualIdentifiers", json!(evidence.residual.statement)),
    ];
    if let Some(retention) = retention {
        custom.push((ZONE, json!(retention.zone)));
    }
    contract["customProperties"] = custom_properties(custom);
    format!(
        "# What `allonym check` found, to be merged into the contract by the names of tables and columns.\n{}",
        yaml(&contract)
    )
}

/// The table of a check: what its source is called, without folders and endings.
fn table_name(evidence: &CheckEvidence) -> String {
    let source = evidence.source.trim_end_matches('/');
    let last = source.rsplit('/').next().unwrap_or(source);
    let stem = last.split('.').next().unwrap_or(last);
    if stem.is_empty() { "table".to_owned() } else { stem.to_owned() }
}

fn property(column: &ColumnEvidence, evidence: &CheckEvidence) -> Value {
    let mut property = Map::from_iter([("name".to_owned(), json!(column.name))]);
    let mut put = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            property.insert(key.to_owned(), value.into());
        }
    };
    put("logicalType", logical_type(&column.type_name).map(str::to_owned));
    put("physicalType", Some(column.type_name.clone()));
    put("classification", classification(column).map(str::to_owned));
    if let Some(treatment) = masking(column) {
        put("transformLogic", Some(treatment.to_owned()));
        let keys = key_words(column, evidence).map(|keys| format!(", {keys}"));
        let description = format!("{treatment} by the policy{}", keys.unwrap_or_default());
        put("transformDescription", Some(description));
    }
    let mut custom: Vec<(&str, Value)> = Vec::new();
    for (key, said) in [(ENTITY, &column.entity), (CATEGORY, &column.category)] {
        custom.extend(said.as_ref().map(|said| (key, json!(said))));
    }
    if !column.purpose.is_empty() {
        custom.push((PURPOSE, json!(column.purpose)));
    }
    if let Some(reason) = &column.reason {
        custom.push(("reasonForKeeping", json!(reason)));
    }
    if column.residual > 0 {
        custom.push(("residualCells", json!(column.residual)));
    }
    if tag_of(column, evidence).is_none() && evidence.retention.is_some() {
        custom.push(("retentionTag", json!("missing")));
    }
    if !custom.is_empty() {
        property.insert("customProperties".to_owned(), custom_properties(custom));
    }
    property.into()
}

fn logical_type(type_name: &str) -> Option<&'static str> {
    match type_name {
        "string" => Some("string"),
        "integer" => Some("integer"),
        "float" => Some("number"),
        "boolean" => Some("boolean"),
        "date" => Some("date"),
        "timestamp" => Some("timestamp"),
        _ => None,
    }
}

/// One of the labels that contract tools know. A token is personal data still, and where identifiers
/// are left the column is one of them.
fn classification(column: &ColumnEvidence) -> Option<&'static str> {
    match column.group.as_deref() {
        None if column.residual > 0 => Some("pii"),
        Some("direct") => Some("pii"),
        Some("secret") => Some("secret"),
        Some("sensitive") => Some("sensitive"),
        Some("quasi") => Some("personal_data"),
        _ => masking(column).map(|_| "personal_data"),
    }
}

fn sla_property(tag: &TagEvidence, table: &str, evidence: &CheckEvidence) -> Value {
    let (value, unit) = period(&tag.duration);
    let is_column = evidence.columns.iter().any(|column| column.name == tag.anchor);
    let element = if is_column { format!("{table}.{}", tag.anchor) } else { table.to_owned() };
    let whom = match &tag.column {
        Some(column) => format!("column {column}"),
        None => "rows".to_owned(),
    };
    let mut sla = json!({
        "property": RETENTION,
        "value": value,
        "element": element,
        "driver": "regulatory",
        "description": format!(
            "{whom}: {} + {}, then {}", tag.anchor, tag.duration, tag.on_expiry
        ),
        "customProperties": custom_properties(vec![(TAG, tag_words(tag))]),
    });
    if let Some(unit) = unit {
        sla["unit"] = unit.into();
    }
    sla
}

/// The tag in the words of `[retention]`, without what its defaults say.
fn tag_words(tag: &TagEvidence) -> Value {
    let texts = [
        ("column", &tag.column),
        ("category", &tag.category),
        ("legal_basis", &tag.legal_basis),
        ("jurisdiction", &tag.jurisdiction),
        ("retain_at_least", &tag.retain_at_least),
        ("on_null_anchor", &tag.on_null_anchor),
        ("assume_tz", &tag.assume_tz),
    ];
    let mut words = Map::new();
    for (key, said) in texts {
        words.extend(said.as_ref().map(|said| (key.to_owned(), json!(said))));
    }
    for (key, said) in
        [("anchor", &tag.anchor), ("duration", &tag.duration), ("on_expiry", &tag.on_expiry)]
    {
        words.insert(key.to_owned(), json!(said));
    }
    if !tag.purpose.is_empty() {
        words.insert("purpose".to_owned(), json!(tag.purpose));
    }
    words.extend(tag.generalize.clone().map(|way| ("generalize".to_owned(), way)));
    words.into()
}

/// A period as a number and its unit, where one unit is enough; else as it is.
fn period(duration: &str) -> (Value, Option<&'static str>) {
    let whole = || (json!(duration), None);
    let Some(rest) = duration.strip_prefix('P') else { return whole() };
    let mut parts = [0_u64; 4];
    let mut digits = String::new();
    for c in rest.chars() {
        match "YMWD".find(c) {
            None => digits.push(c),
            Some(at) => match digits.parse() {
                Ok(n) => {
                    parts[at] = n;
                    digits.clear();
                }
                Err(_) => return whole(),
            },
        }
    }
    // In one calendar addition twelve months are a year and seven days a week, and nothing else is
    // anything.
    match parts {
        [years, 0, 0, 0] => (json!(years), Some("y")),
        [years, months, 0, 0] => {
            match years.checked_mul(12).and_then(|sum| sum.checked_add(months)) {
                Some(months) => (json!(months), Some("m")),
                None => whole(),
            }
        }
        [0, 0, weeks, days] => match weeks.checked_mul(7).and_then(|sum| sum.checked_add(days)) {
            Some(days) => (json!(days), Some("d")),
            None => whole(),
        },
        _ => whole(),
    }
}

fn custom_properties(said: Vec<(&str, Value)>) -> Value {
    let said = said.into_iter();
    said.map(|(property, value)| json!({ "property": property, "value": value, "vendor": VENDOR }))
        .collect()
}

const VENDOR: &str = "allonym";
const RETENTION: &str = "retention";
const TAG: &str = "retentionTag";
const ZONE: &str = "retentionZone";
const ENTITY: &str = "entity";
const CATEGORY: &str = "dataCategory";
const PURPOSE: &str = "purpose";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_have_one_unit_or_stay_as_they_are() {
        assert_eq!(period("P7Y"), (json!(7), Some("y")));
        assert_eq!(period("P1Y6M"), (json!(18), Some("m")));
        assert_eq!(period("P6M"), (json!(6), Some("m")));
        assert_eq!(period("P2W"), (json!(14), Some("d")));
        assert_eq!(period("P30D"), (json!(30), Some("d")));
        assert_eq!(period("P1M15D"), (json!("P1M15D"), None));
        assert_eq!(period("7Y"), (json!("7Y"), None));
        assert_eq!(period("P99999999999999999999Y"), (json!("P99999999999999999999Y"), None));
    }
}
