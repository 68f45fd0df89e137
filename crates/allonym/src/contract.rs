//! A policy drafted from the team's data contract: labels become treatments, retention becomes tags.

use crate::manifest::without_nulls;
use crate::scan::{ScanOptions, scan_batches};
use crate::{Failure, Result, draft, load_rules};
use allonym_core::{AnchorSource, Policy, ROW_EXPIRY, Retention};
use allonym_report::{Contract, ContractColumn, ContractTable};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde_json::{Value, json};
use std::sync::Arc;

/// One table of a data contract (ODCS 3).
#[derive(Clone, Debug)]
pub struct TableContract {
    origin: String,
    name: String,
    purpose: Option<String>,
    zone: Option<String>,
    /// The contract is of an output, in which rows say when they expire: the raw table has no such
    /// column, and gets it.
    row_column: bool,
    table: ContractTable,
}

impl TableContract {
    /// Reads a contract; `origin` is named in errors. A contract of several tables needs the name of
    /// one.
    ///
    /// # Errors
    /// A text that is no contract, a table that it does not have, several and no name.
    pub fn read(text: &str, origin: &str, table: Option<&str>) -> Result<TableContract> {
        let contract = Contract::read(text)
            .map_err(|error| Failure::new("ALO-U070", 2, format!("{origin}: {error}")))?;
        let names: Vec<&str> = contract.tables.iter().map(|table| table.name.as_str()).collect();
        let at = match table {
            None if names.len() == 1 => Some(0),
            None => None,
            Some(wanted) => names.iter().position(|name| *name == wanted),
        };
        let Some(at) = at else {
            let message = match (table, names.len()) {
                (_, 0) => format!("{origin}: the contract has no table"),
                (Some(wanted), _) => format!("{origin}: the contract has no table `{wanted}`"),
                (None, n) => {
                    format!("{origin}: the contract has {n} tables, and a policy is for one")
                }
            };
            let hint = match names.is_empty() {
                true => "list the columns under `schema`".to_owned(),
                false => format!("name one with --table: {}", names.join(", ")),
            };
            return Err(Failure::new("ALO-U071", 2, message).hint(hint));
        };
        let name = if names.len() == 1 { contract.name.clone() } else { None };
        let mut table = contract.tables[at].clone();
        let columns = table.columns.len();
        table.columns.retain(|column| column.path != ROW_EXPIRY);
        Ok(TableContract {
            origin: origin.to_owned(),
            name: name.unwrap_or_else(|| names[at].to_owned()),
            purpose: contract.purpose.clone(),
            zone: contract.zone.clone(),
            row_column: table.columns.len() < columns,
            table,
        })
    }

    /// A policy from the contract alone: columns are judged by their names.
    ///
    /// # Errors
    /// As [`TableContract::onto`].
    pub fn draft(&self, purpose: &str) -> Result<Policy> {
        let schema = self.schema();
        let scan = scan_batches(&self.name, &schema, std::iter::empty(), &ScanOptions::default())?;
        let purpose = match purpose.trim() {
            "" => self.purpose.as_deref().unwrap_or_default(),
            given => given,
        };
        let drafted = draft(&scan, &load_rules(&[])?, &self.name, purpose);
        self.onto(&drafted.fitted(&schema))
    }

    /// A draft with what the contract says beside: labels make treatments stricter, never laxer, and
    /// retention comes as it stands there. Columns that periods are counted from are kept as they
    /// are, unless their label forbids it.
    ///
    /// # Errors
    /// A retention that no policy can have, as a floor above its period.
    pub fn onto(&self, drafted: &Policy) -> Result<Policy> {
        let schema = self.schema();
        let mut policy = drafted.clone();
        let retention = self.retention()?;
        if let Some(retention) = &retention {
            let tags = retention.dataset.iter().chain(retention.columns.iter().map(|(_, tag)| tag));
            for tag in tags {
                let AnchorSource::Column(anchor) = &tag.anchor else { continue };
                if self.column(anchor).is_some() {
                    policy = policy.keep(&[anchor.as_str()], "retention is counted from it");
                }
            }
        }
        for (column, field) in self.table.columns.iter().zip(schema.fields()) {
            if let Some(label) = &column.classification {
                policy = policy.labelled(&column.path, label, field.data_type());
            }
        }
        let policy = policy.fitted(&schema);
        Ok(match retention {
            Some(retention) => policy.with_retention(retention),
            None => policy,
        })
    }

    fn column(&self, path: &str) -> Option<&ContractColumn> {
        self.table.columns.iter().find(|column| column.path == path)
    }

    /// The columns as a schema, as far as logical types go.
    fn schema(&self) -> SchemaRef {
        let field = |column: &ContractColumn| {
            let data_type = match column.logical_type.as_deref() {
                Some("integer") => DataType::Int64,
                Some("number") => DataType::Float64,
                Some("boolean") => DataType::Boolean,
                Some("date") => DataType::Date32,
                Some("timestamp") => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                _ => DataType::Utf8,
            };
            Field::new(&column.path, data_type, true)
        };
        let fields = self.table.columns.iter().map(field);
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    fn retention(&self) -> Result<Option<Retention>> {
        if self.table.retention.is_empty() {
            return Ok(None);
        }
        let mut dataset = Vec::new();
        let mut columns = Vec::new();
        for tag in &self.table.retention {
            let mut tag = self.with_purpose(tag);
            match tag.as_object_mut().and_then(|words| words.remove("column")) {
                None => dataset.push(tag),
                Some(column) => {
                    tag["match"] = json!({ "name": column });
                    columns.push(tag);
                }
            }
        }
        let unusable = |message: String| {
            Failure::new("ALO-U072", 2, format!("{}: {message}", self.origin))
                .hint("mend the retention among `slaProperties` of the contract")
        };
        if dataset.len() > 1 {
            let message = "the contract has two retentions for the rows of one table";
            return Err(unusable(message.to_owned()));
        }
        let mut retention =
            json!({ "require_tags": if dataset.is_empty() { "none" } else { "all" } });
        if let Some(zone) = &self.zone {
            retention["policy_tz"] = zone.as_str().into();
        }
        if self.row_column {
            retention["row_column"] = true.into();
        }
        if let Some(tag) = dataset.pop() {
            retention["dataset"] = tag;
        }
        if !columns.is_empty() {
            retention["columns"] = columns.into();
        }
        let words = without_nulls(&json!({ "version": 1, "retention": retention }));
        let text = toml::to_string(&words)
            .map_err(|_| unusable("its retention cannot be written as a policy".to_owned()))?;
        // Its positions are of a text that nobody sees.
        let policy = Policy::parse(&text, "retention")
            .map_err(|error| unusable(format!("its retention: {}", error.message)))?;
        Ok(policy.retention().cloned())
    }

    /// A tag of a column says what the column is and what it is for, where the contract knows.
    fn with_purpose(&self, tag: &Value) -> Value {
        let mut tag = tag.clone();
        let column = tag["column"].as_str().and_then(|name| self.column(name)).cloned();
        if let Some(column) = column {
            if let (true, Some(category)) = (tag.get("category").is_none(), column.category) {
                tag["category"] = category.into();
            }
            if tag.get("purpose").is_none() && !column.purpose.is_empty() {
                tag["purpose"] = column.purpose.into();
            }
        }
        tag
    }
}

/// Whether a path names a contract: data never ends like that.
#[must_use]
pub fn is_contract(path: &str) -> bool {
    let path = path.to_lowercase();
    path.ends_with(".yaml") || path.ends_with(".yml")
}
