//! What a contract says of columns and of retention.

use super::{CATEGORY, ENTITY, PURPOSE, RETENTION, TAG, VENDOR, ZONE};
use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use saphyr_parser::{Event, Parser};
use serde_json::{Map, Value, json};

/// A data contract, as far as a policy can be drafted from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contract {
    /// Its name, else its id.
    pub name: Option<String>,
    /// What the data is for.
    pub purpose: Option<String>,
    /// The zone in which its periods are added, where a contract that was written here says so.
    pub zone: Option<String>,
    /// Its tables.
    pub tables: Vec<ContractTable>,
}

/// One table of a contract.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContractTable {
    /// Its name.
    pub name: String,
    /// Its columns; those inside others by their paths, `person.iban`, `tags[]`.
    pub columns: Vec<ContractColumn>,
    /// Tags in the words of `[retention]`; with a member `column` where they are of one.
    pub retention: Vec<Value>,
}

/// One column of a contract.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContractColumn {
    /// What it is called in the data: its physical name where it has one.
    pub path: String,
    /// Its logical type.
    pub logical_type: Option<String>,
    /// Its label, such as `pii`.
    pub classification: Option<String>,
    /// What it holds, where a contract that was written here says so.
    pub entity: Option<String>,
    /// Its fideslang category, likewise.
    pub category: Option<String>,
    /// What it is for, likewise.
    pub purpose: Vec<String>,
    /// What else it is called.
    logical_name: String,
}

/// A contract that cannot be read, in words that quote nothing of it but keys and names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ContractError(String);

impl Contract {
    /// Reads a contract (ODCS 3, YAML 1.2): `NO` is a text and no truth value.
    ///
    /// # Errors
    /// A text over 8 MiB or nested deeper than 64, no YAML, no contract of version 3, a member of another type than the
    /// standard gives it, a retention without a period that can be understood.
    pub fn read(text: &str) -> Result<Contract, ContractError> {
        if text.len() > BYTES_MAX {
            return Err(wrong(format!("the contract is larger than {BYTES_MAX} bytes")));
        }
        check_depth(text)?;
        let documents = Yaml::load_from_str(text).map_err(|error| {
            let place = error.marker();
            wrong(format!("line {}, column {}: no YAML", place.line(), place.col() + 1))
        })?;
        let [document] = documents.as_slice() else {
            return Err(wrong("a contract is one YAML document"));
        };
        let root = value(document)?;
        let root = Node { value: &root, path: String::new() };
        if root.text("kind")?.as_deref() != Some("DataContract") {
            return Err(wrong("`kind` is not DataContract: this is no data contract"));
        }
        match root.text("apiVersion")?.as_deref() {
            Some(version) if version.starts_with("v3.") => {}
            _ => return Err(wrong("`apiVersion` is none of version 3 of the standard")),
        }
        let name = match root.text("name")? {
            Some(name) => Some(name),
            None => root.text("id")?,
        };
        let purpose = match root.member("description") {
            Some(description) => description.text("purpose")?,
            None => None,
        };
        let zone = root.custom(ZONE)?.and_then(|zone| zone.as_str().map(str::to_owned));
        let mut tables = Vec::new();
        for table in root.list("schema")? {
            let name = table.needed("name")?;
            let mut columns = Vec::new();
            for property in table.list("properties")? {
                collect(&property, "", &mut columns)?;
            }
            tables.push(ContractTable { name, columns, retention: Vec::new() });
        }
        for sla in root.list("slaProperties")? {
            if sla.needed("property")?.eq_ignore_ascii_case(RETENTION) {
                retention(&sla, &mut tables)?;
            }
        }
        Ok(Contract { name, purpose, zone, tables })
    }
}

impl ContractTable {
    /// The column of this name, physical or logical.
    fn column(&self, name: &str) -> Option<&ContractColumn> {
        let by = |is: &dyn Fn(&ContractColumn) -> bool| self.columns.iter().find(|c| is(c));
        by(&|column| column.path == name).or_else(|| by(&|column| column.logical_name == name))
    }
}

fn collect(
    property: &Node<'_>,
    inside: &str,
    columns: &mut Vec<ContractColumn>,
) -> Result<(), ContractError> {
    let logical_name = match property.text("name")? {
        Some(name) => name,
        // The items of a list have no name.
        None if inside.ends_with("[]") => String::new(),
        None => return Err(wrong(format!("{} has no `name`", property.path))),
    };
    let name = property.text("physicalName")?.unwrap_or_else(|| logical_name.clone());
    let path = match (inside, name.as_str()) {
        ("", _) => name,
        (_, "") => inside.to_owned(),
        _ => format!("{inside}.{name}"),
    };
    let children = property.list("properties")?;
    let items = property.member("items");
    for child in &children {
        collect(child, &path, columns)?;
    }
    if let Some(items) = &items {
        collect(items, &format!("{path}[]"), columns)?;
    }
    if children.is_empty() && items.is_none() {
        let text = |value: Option<Value>| value.and_then(|v| v.as_str().map(str::to_owned));
        let purpose = property.custom(PURPOSE)?.unwrap_or_default();
        columns.push(ContractColumn {
            path,
            logical_type: property.text("logicalType")?,
            classification: property.label("classification")?,
            entity: text(property.custom(ENTITY)?),
            category: text(property.custom(CATEGORY)?),
            purpose: match purpose {
                Value::String(one) => vec![one],
                Value::Array(all) => {
                    all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
                }
                _ => Vec::new(),
            },
            logical_name,
        });
    }
    Ok(())
}

/// One retention: as it was written here, else as the standard has it.
///
/// The standard has a period and an element. An element that is a date or has no type is what the
/// period is counted from, for whole rows. Any other column is what is kept so long, counted from
/// when the data was collected, and so is a whole table.
fn retention(sla: &Node<'_>, tables: &mut [ContractTable]) -> Result<(), ContractError> {
    let element = sla.text("element")?.unwrap_or_default();
    let elements: Vec<&str> = element.split(',').map(str::trim).collect();
    if let Some(tag) = sla.custom(TAG)? {
        for table in named(tables, &elements) {
            table.retention.push(tag.clone());
        }
        return Ok(());
    }
    let duration = duration(sla)?;
    let tag = |column: Option<&str>, anchor: &str| {
        let action = if column.is_some() { "null" } else { "drop_row" };
        let mut tag = json!({ "anchor": anchor, "duration": duration, "on_expiry": action });
        if let Some(column) = column {
            tag["column"] = column.into();
        }
        tag
    };
    for element in elements {
        for table in named(tables, &[element]) {
            let column = element.split_once('.').map(|(_, column)| column);
            let tag = match column.map(|name| (name, table.column(name))) {
                None => tag(None, COLLECTED_AT),
                Some((name, None)) => {
                    return Err(wrong(format!(
                        "{} counts from column `{name}`, which table `{}` does not have",
                        sla.path, table.name
                    )));
                }
                Some((_, Some(column))) => match column.logical_type.as_deref() {
                    None | Some("date" | "timestamp") => tag(None, &column.path),
                    Some(_) => tag(Some(&column.path), COLLECTED_AT),
                },
            };
            table.retention.push(tag);
        }
    }
    Ok(())
}

/// The tables that elements name; all where none is named.
fn named<'t>(
    tables: &'t mut [ContractTable],
    elements: &[&str],
) -> impl Iterator<Item = &'t mut ContractTable> {
    let names: Vec<String> = elements
        .iter()
        .filter(|element| !element.is_empty())
        .map(|element| element.split('.').next().unwrap_or(element).to_owned())
        .collect();
    tables.iter_mut().filter(move |table| names.is_empty() || names.contains(&table.name))
}

fn duration(sla: &Node<'_>) -> Result<String, ContractError> {
    let unit = sla.text("unit")?.map(|unit| unit.trim().to_lowercase());
    let said = sla.value.get("value").unwrap_or(&Value::Null);
    let number = match said {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let letter = match unit.as_deref() {
        Some("d" | "day" | "days") => Some('D'),
        Some("w" | "week" | "weeks") => Some('W'),
        Some("m" | "mo" | "month" | "months") => Some('M'),
        Some("y" | "yr" | "yrs" | "year" | "years") => Some('Y'),
        _ => None,
    };
    match (number, letter, said) {
        (Some(number), Some(letter), _) if number > 0 => Ok(format!("P{number}{letter}")),
        (None, _, Value::String(text)) if unit.is_none() && text.trim().starts_with('P') => {
            Ok(text.trim().to_owned())
        }
        _ => Err(wrong(format!(
            "{} has no period: a whole number with the unit d, w, m or y, or ISO 8601 as in P7Y",
            sla.path
        ))),
    }
}

/// A member of a contract, and where it stands.
struct Node<'c> {
    value: &'c Value,
    path: String,
}

impl<'c> Node<'c> {
    fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn member(&self, key: &str) -> Option<Node<'c>> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(Node { value, path: self.at(key) })
    }

    fn text(&self, key: &str) -> Result<Option<String>, ContractError> {
        match self.value.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(wrong(format!("`{}` is no text", self.at(key)))),
        }
    }

    /// A text, or a number as some label their columns.
    fn label(&self, key: &str) -> Result<Option<String>, ContractError> {
        match self.value.get(key) {
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            _ => self.text(key),
        }
    }

    fn needed(&self, key: &str) -> Result<String, ContractError> {
        self.text(key)?.ok_or_else(|| wrong(format!("{} has no `{key}`", self.path)))
    }

    fn list(&self, key: &str) -> Result<Vec<Node<'c>>, ContractError> {
        let items = match self.value.get(key) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(wrong(format!("`{}` is no list", self.at(key)))),
        };
        let at = self.at(key);
        let nodes = items.iter().enumerate();
        Ok(nodes.map(|(n, value)| Node { value, path: format!("{at}[{n}]") }).collect())
    }

    /// A custom property of ours.
    fn custom(&self, property: &str) -> Result<Option<Value>, ContractError> {
        let ours = |node: &Node<'_>| {
            node.value.get("vendor").and_then(Value::as_str) == Some(VENDOR)
                && node.value.get("property").and_then(Value::as_str) == Some(property)
        };
        let found = self.list("customProperties")?.into_iter().find(ours);
        Ok(found.and_then(|node| node.value.get("value").cloned()))
    }
}

/// Lists in lists in lists would be taken apart one inside the other, until no stack is left.
fn check_depth(text: &str) -> Result<(), ContractError> {
    let mut depth = 0_usize;
    // What is no YAML at all, the loader tells.
    for (event, _) in Parser::new_from_str(text).map_while(Result::ok) {
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(wrong(format!("the contract is nested deeper than {DEPTH_MAX}")));
        }
    }
    Ok(())
}

fn value(yaml: &Yaml<'_>) -> Result<Value, ContractError> {
    Ok(match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(truth)) => (*truth).into(),
        Yaml::Value(Scalar::Integer(number)) => (*number).into(),
        Yaml::Value(Scalar::FloatingPoint(number)) => number.into_inner().into(),
        Yaml::Value(Scalar::String(text)) => text.as_ref().into(),
        Yaml::Sequence(items) => items.iter().map(value).collect::<Result<_, _>>()?,
        Yaml::Mapping(members) => {
            let members = members.iter().map(|(key, member)| {
                let Some(key) = key.as_str() else {
                    return Err(wrong("a key of the contract is no text"));
                };
                Ok((key.to_owned(), value(member)?))
            });
            Value::Object(members.collect::<Result<Map<_, _>, _>>()?)
        }
        Yaml::Tagged(_, inner) => value(inner)?,
        _ => return Err(wrong("the contract has a value that cannot be understood")),
    })
}

fn wrong(message: impl Into<String>) -> ContractError {
    ContractError(message.into())
}

const COLLECTED_AT: &str = "dataset.collected_at";
const BYTES_MAX: usize = 8 << 20;
const DEPTH_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = "\
apiVersion: v3.0.2
kind: DataContract
id: a-claims-contract
version: 1.0.0
description:
  purpose: motor pricing
schema:
  - name: claims
    properties:
      - name: holder_mail
        physicalName: mail
        logicalType: string
        classification: pii
      - name: country
        logicalType: string
        examples: [NO, SE]
      - name: closed
        logicalType: date
      - name: person
        logicalType: object
        properties:
          - name: iban
            logicalType: string
      - name: tags
        logicalType: array
        items:
          logicalType: string
slaProperties:
  - {property: latency, value: 4, unit: d}
  - {property: retention, value: 7, unit: y, element: claims.closed, driver: regulatory}
  - {property: retention, value: 90, unit: d, element: claims.holder_mail}
";

    fn changed(from: &str, to: &str) -> Result<Contract, ContractError> {
        assert!(CONTRACT.contains(from), "{from}");
        Contract::read(&CONTRACT.replacen(from, to, 1))
    }

    #[test]
    fn columns_and_retention_are_read() {
        let contract = Contract::read(CONTRACT).unwrap();
        assert_eq!(contract.name.as_deref(), Some("a-claims-contract"));
        assert_eq!(contract.purpose.as_deref(), Some("motor pricing"));
        let [table] = contract.tables.as_slice() else { panic!("one table") };
        let paths: Vec<&str> = table.columns.iter().map(|column| column.path.as_str()).collect();
        assert_eq!(paths, ["mail", "country", "closed", "person.iban", "tags[]"]);
        assert_eq!(table.columns[0].classification.as_deref(), Some("pii"));
        let tags = [
            json!({"anchor": "closed", "duration": "P7Y", "on_expiry": "drop_row"}),
            json!({
                "anchor": "dataset.collected_at", "duration": "P90D", "on_expiry": "null",
                "column": "mail",
            }),
        ];
        assert_eq!(table.retention, tags);
    }

    #[test]
    fn norway_is_no_truth_value() {
        let contract = changed("name: country", "name: NO").unwrap();
        assert_eq!(contract.tables[0].columns[1].path, "NO");
        let contract = changed("classification: pii", "classification: 3").unwrap();
        assert_eq!(contract.tables[0].columns[0].classification.as_deref(), Some("3"));
    }

    #[test]
    fn a_whole_table_is_counted_from_when_it_was_collected() {
        for element in ["element: claims,", "element: '',", ""] {
            let contract = changed("element: claims.closed,", element).unwrap();
            assert_eq!(contract.tables[0].retention[0]["anchor"], "dataset.collected_at");
            assert_eq!(contract.tables[0].retention[0].get("column"), None);
        }
        let other = changed("element: claims.closed,", "element: others.closed,").unwrap();
        assert_eq!(other.tables[0].retention.len(), 1, "of another table");
    }

    #[test]
    fn periods_have_units() {
        for (value, expected) in [
            ("value: 18, unit: months", "P18M"),
            ("value: '2', unit: Weeks", "P2W"),
            ("value: P1Y6M", "P1Y6M"),
        ] {
            let contract = changed("value: 7, unit: y", value).unwrap();
            assert_eq!(contract.tables[0].retention[0]["duration"], expected, "{value}");
        }
        for value in ["value: 7", "value: 0, unit: y", "value: -1, unit: y", "value: 1.5, unit: y"]
        {
            let error = changed("value: 7, unit: y", value).unwrap_err();
            assert!(error.to_string().starts_with("slaProperties[1] has no period"), "{error}");
        }
    }

    #[test]
    fn what_is_no_contract_is_refused_without_a_quote() {
        for (from, to) in [
            ("kind: DataContract", "kind: Canary"),
            ("apiVersion: v3.0.2", "apiVersion: v2.2.2"),
            ("apiVersion: v3.0.2", "canary"),
            ("- name: country", "- title: canary"),
            ("name: claims", "name: [canary]"),
            ("schema:", "schema: {canary: 1}\nignored:"),
            ("element: claims.closed", "element: claims.canary"),
            ("motor pricing", "[canary"),
            ("id: a-claims-contract", "id: &a [*a, canary]"),
            ("id: a-claims-contract", "1: canary"),
        ] {
            let error = changed(from, to).unwrap_err().to_string();
            let named = to.contains("element:");
            assert!(named || !error.to_lowercase().contains("canary"), "{error}");
        }
        assert!(Contract::read("").is_err());
        assert!(Contract::read("a: 1\n---\nb: 2\n").is_err());
        assert!(Contract::read(&"[".repeat(100_000)).is_err());
        assert!(Contract::read(&"- ".repeat(100_000)).is_err());
        assert!(Contract::read(&" ".repeat(BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn aliases_do_not_grow_without_bound() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for n in 1..12 {
            let item = format!("*a{}, ", n - 1).repeat(10);
            bomb.push_str(&format!("a{n}: &a{n} [{}]\n", item.trim_end_matches(", ")));
        }
        assert!(Contract::read(&bomb).is_err());
    }
}
