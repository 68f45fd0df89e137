//! Retention tags in what is written: in the manifest, which is the authority, and as copies in
//! the Parquet footer and Arrow's field metadata, which most tools drop.

use crate::cells::leaves;
use crate::{Failure, Policy, Result};
use allonym_core::{ROW_EXPIRY, Retention, TagMatch};
use allonym_keys::canonical_json;
use arrow_schema::{Field, Schema, SchemaRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One column of an output file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptField {
    /// Path.
    pub name: String,
    /// Its type in the words of scans.
    #[serde(rename = "type")]
    pub type_name: String,
}

/// The columns of a schema by path.
pub(crate) fn layout(schema: &Schema) -> Vec<ReceiptField> {
    let leaves = leaves(schema).into_iter();
    leaves.map(|leaf| ReceiptField { name: leaf.path, type_name: leaf.type_name }).collect()
}

/// `[retention]` of a policy for the columns of an output: tags by name only, those that no column
/// has left out. `None` where the policy has no such section.
///
/// # Errors
/// Two tags that claim one column.
pub(crate) fn resolved(
    policy: &Policy,
    schema: &Schema,
    entities: &BTreeMap<String, String>,
) -> Result<Option<Retention>> {
    let Some(retention) = policy.retention() else { return Ok(None) };
    let mut columns = Vec::new();
    for leaf in leaves(schema) {
        if leaf.path == ROW_EXPIRY {
            continue;
        }
        let entity = entities.get(&leaf.path).map(String::as_str);
        let tag = retention.tag_of(&leaf.path, entity).map_err(|clash| {
            Failure::new("ALO-P023", 2, format!("[retention]: {clash}"))
                .hint("decide with a tag that matches the column by its name")
        })?;
        if let Some(tag) = tag {
            columns.push((TagMatch::Name(leaf.path), tag.clone()));
        }
    }
    Ok(Some(Retention { columns, ..retention.clone() }))
}

/// The tags of several files as one: the columns of all, each once.
pub(crate) fn merged(tags: impl IntoIterator<Item = Retention>) -> Option<Retention> {
    tags.into_iter().reduce(|mut all, next| {
        for (of, tag) in next.columns {
            if !all.columns.iter().any(|(known, _)| *known == of) {
                all.columns.push((of, tag));
            }
        }
        all
    })
}

/// Reads what a manifest holds; `None` for anything that [`Retention::to_json`] did not write.
pub(crate) fn read_retention(json: &Value) -> Option<Retention> {
    let text = toml::to_string(&json!({"version": 1, "retention": without_nulls(json)})).ok()?;
    let read = Policy::parse(&text, "manifest").ok()?.retention()?.clone();
    (read.to_json() == *json).then_some(read)
}

/// The schema of an output with the copies of its tags.
pub(crate) fn tagged(schema: &SchemaRef, retention: &Retention, policy: &str) -> SchemaRef {
    let field = |field: &Arc<Field>| {
        let tag = retention.columns.iter().find(|(of, _)| names(of, field.name()));
        match tag {
            None => Arc::clone(field),
            Some((_, tag)) => {
                let mut metadata = field.metadata().clone();
                metadata.insert(FIELD_KEY.to_owned(), canonical_json(&tag.to_json()));
                Arc::new(field.as_ref().clone().with_metadata(metadata))
            }
        }
    };
    let fields: Vec<Arc<Field>> = schema.fields().iter().map(field).collect();
    let mut metadata = schema.metadata().clone();
    metadata.insert(FOOTER_KEY.to_owned(), copy_text(retention, policy));
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

/// What became of the copies in a file, in words; empty where they are as [`tagged`] made them.
pub(crate) fn copy_faults(schema: &Schema, retention: &Retention, policy: &str) -> Vec<String> {
    let mut faults = Vec::new();
    match schema.metadata().get(FOOTER_KEY) {
        None => faults.push("the file has lost its copy of the tags".to_owned()),
        Some(copy) if *copy != copy_text(retention, policy) => {
            faults.push("the file's copy of the tags says something else".to_owned());
        }
        Some(_) => {}
    }
    for (of, tag) in &retention.columns {
        let Some(field) = schema.fields().iter().find(|field| names(of, field.name())) else {
            continue;
        };
        match field.metadata().get(FIELD_KEY) {
            None => faults.push(format!("column `{}` has lost its tag", field.name())),
            Some(copy) if *copy != canonical_json(&tag.to_json()) => {
                faults.push(format!("the tag in column `{}` says something else", field.name()));
            }
            Some(_) => {}
        }
    }
    faults
}

/// Whether a file holds a copy of tags at all.
pub(crate) fn has_copy(schema: &Schema) -> bool {
    let of_fields = || schema.fields().iter().any(|field| field.metadata().contains_key(FIELD_KEY));
    schema.metadata().contains_key(FOOTER_KEY) || of_fields()
}

fn copy_text(retention: &Retention, policy: &str) -> String {
    canonical_json(&json!({
        "schema": "allonym.tags/1",
        "policy": {"sha256": policy},
        "retention": retention.to_json(),
    }))
}

fn names(of: &TagMatch, column: &str) -> bool {
    matches!(of, TagMatch::Name(name) if name == column)
}

/// TOML has no null: what is left out is what its default says.
pub(crate) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, member)| !member.is_null())
            .map(|(name, member)| (name.clone(), without_nulls(member)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

/// Key of the footer and of a schema's metadata.
const FOOTER_KEY: &str = "allonym.manifest";
/// Key of a field's metadata.
const FIELD_KEY: &str = "allonym.retention";

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_schema::DataType;

    const POLICY: &str = r#"
        version = 1
        [retention]
        policy_tz = "Europe/Berlin"
        [retention.dataset]
        anchor = "closed"
        duration = "P7Y"
        retain_at_least = "P5Y"
        on_expiry = "drop_row"
        on_null_anchor = "quarantine"
        assume_tz = "Europe/Berlin"
        [[retention.columns]]
        match = { glob = "*_date" }
        purpose = ["a", "b"]
        jurisdiction = "DE-BY"
        anchor = "event:relationship_end"
        duration = "P1Y6M"
        on_expiry = "generalize"
        generalize = { to = "year" }
        [[retention.columns]]
        match = { entity = "PERSON" }
        anchor = "dataset.collected_at"
        duration = "P30D"
        on_expiry = "generalize"
        generalize = { step = 10 }
        [[retention.holds]]
        id = "LH-1"
        scope = { dataset = "claims_*" }
        authority = "a court"
        from = 2026-03-01
        review_by = 2027-03-01
    "#;

    fn schema(names: &[&str]) -> SchemaRef {
        let field = |name: &&str| Field::new(*name, DataType::Utf8, true);
        Arc::new(Schema::new(names.iter().map(field).collect::<Vec<_>>()))
    }

    fn tags(names: &[&str]) -> Retention {
        let policy = Policy::parse(POLICY, "p").unwrap();
        let entities = BTreeMap::from([("holder".to_owned(), "PERSON".to_owned())]);
        resolved(&policy, &schema(names), &entities).unwrap().unwrap()
    }

    #[test]
    fn tags_are_resolved_to_names_and_come_back_from_json() {
        let tags = tags(&["birth_date", "holder", "amount"]);
        let named: Vec<_> = tags.columns.iter().map(|(of, _)| of.clone()).collect();
        let name = |name: &str| TagMatch::Name(name.to_owned());
        assert_eq!(named, [name("birth_date"), name("holder")]);
        let json = tags.to_json();
        assert_eq!(read_retention(&json).unwrap().to_json(), json);
        for (key, value) in [("policy_tz", json!("Mars/Olympus")), ("more", json!(1))] {
            let mut changed = json.clone();
            changed[key] = value;
            assert!(read_retention(&changed).is_none(), "{key}");
        }
    }

    #[test]
    fn copies_are_compared_with_the_manifest() {
        let tags = tags(&["birth_date", "holder", "amount"]);
        let plain = schema(&["birth_date", "holder", "amount"]);
        assert!(!has_copy(&plain));
        let good = tagged(&plain, &tags, "00");
        assert!(has_copy(&good));
        assert_eq!(copy_faults(&good, &tags, "00"), Vec::<String>::new());
        assert_eq!(copy_faults(&good, &tags, "01").len(), 1);
        assert_eq!(copy_faults(&plain, &tags, "00").len(), 3);
        let renamed = schema(&["birth_day", "holder", "amount"]);
        assert_eq!(copy_faults(&renamed, &tags, "00").len(), 2);
    }

    #[test]
    fn files_of_one_output_have_their_tags_together() {
        let all = merged([tags(&["a_date"]), tags(&["b_date", "a_date"])]).unwrap();
        assert_eq!(all.columns.len(), 2);
        assert!(merged([]).is_none());
    }
}
