//! Tables in memory: the plan and the receipt that files get, for rows that have no file.

use crate::cells::leaves;
use crate::ledger::{self, Action, AuditLog, Scribe};
use crate::receipt::SCHEMA;
use crate::run::header_entity;
use crate::suppression::{Guard, Suppression};
use crate::{
    Cancel, Digest, Environment, Failure, Keyring, Plan, PlannedColumn, Policy, Profile, Receipt,
    ReceiptColumn, ReceiptKey, Result, RuleSet, Scan, TokenFormat, compiled, load_rules,
    rule_folders, treat_stream,
};
use allonym_core::{ColumnCounts, Treated};
use allonym_retention::Anchor;
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, FieldRef, Schema, SchemaRef};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// A policy with its rules compiled: done once, bound to many schemas.
#[derive(Debug)]
pub struct BoundPolicy {
    policy: Policy,
    rules: RuleSet,
}

impl BoundPolicy {
    /// Loads the rules that the policy selects; relative rule folders start from `folder`.
    ///
    /// # Errors
    /// Rule folders that cannot be read, unknown names in `[find]`.
    pub fn new(policy: Policy, folder: &Path) -> Result<BoundPolicy> {
        let rules = load_rules(&rule_folders(&policy, folder))?.select(&policy.selection())?;
        Ok(BoundPolicy { policy, rules })
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A plan for tables of this schema. `scan` is of the same table; without it, columns are
    /// known by their headers alone, which is not enough for `[[match]] entity`.
    ///
    /// # Errors
    /// Everything that can be wrong with policy, schema and keys.
    pub fn plan(
        &self,
        schema: &SchemaRef,
        keys: Option<&Keyring>,
        scan: Option<&Scan>,
    ) -> Result<Plan> {
        let mut entities = BTreeMap::new();
        if self.policy.matches_by_entity() {
            let scan = scan.ok_or_else(|| {
                Failure::new(
                    "ALO-P021",
                    2,
                    "a policy with `[[match]] entity` reads the data twice, which a stream does \
                     not allow",
                )
                .hint("list the columns by name or glob, or hold the rows in memory")
            })?;
            for (name, judgement) in scan.judgements() {
                if let Some(entity) = judgement.entity {
                    entities.insert(name, entity);
                }
            }
        }
        for (name, entity) in header_entities(&self.policy, &self.rules, schema) {
            match entity {
                Some(entity) => entities.insert(name, entity),
                None => entities.remove(&name),
            };
        }
        let recognizer = if self.policy.needs_recognizer() || !self.policy.rule_folders().is_empty()
        {
            Some(compiled::recognizer(&self.rules, &self.policy.tuning())?)
        } else {
            None
        };
        let plan = Plan::compile(&self.policy, schema, keys, recognizer, &entities)?;
        // Rows in memory have no manifest that could say when they were collected.
        Ok(plan.with_row_expiry(self.policy.retention(), &|_| Anchor::Null)?)
    }

    /// What keeps people who were erased out of tables of this schema; `None` where nobody was erased
    /// by the keyring.
    ///
    /// # Errors
    /// A suppression list that cannot be read or has lost its key.
    pub fn guard(&self, schema: &SchemaRef, keys: Option<&Keyring>) -> Result<Option<Guard>> {
        let Some(ring) = keys else { return Ok(None) };
        let list = Suppression::read(ring.path(), &self.policy.keys().tenant)?;
        let recognizer = match self.policy.needs_recognizer() && !list.is_empty() {
            true => Some(compiled::recognizer(&self.rules, &self.policy.tuning())?),
            false => None,
        };
        let judged = header_entities(&self.policy, &self.rules, schema);
        let judged =
            judged.into_iter().filter_map(|(name, entity)| Some((name, entity?))).collect();
        let (policy, rules) = (&self.policy, &self.rules);
        Guard::new(&list, ring, policy, rules, recognizer.as_ref(), schema, &judged)
    }

    /// Signs the receipt of a treated table and writes it down in the ledger, as `apply` does for
    /// files; to be called before the table is handed out. Gives the text of the receipt, which the
    /// ledger knows by its digest, and why there is none of both, where that is so.
    ///
    /// # Errors
    /// A ledger that was asked for and cannot be written, one that others changed or keep locked, a
    /// clock that was turned back.
    pub fn record(
        &self,
        receipt: &mut Receipt,
        folder: &Path,
        keys: Option<&Keyring>,
        environment: &Environment,
        scribe: Scribe<'_>,
    ) -> Result<(String, Option<String>)> {
        let reference = self.policy.keys();
        let log = match keys {
            Some(ring) => AuditLog::of_ring(ring, environment, scribe)?,
            None => AuditLog::of_reference(None, Some((reference, folder)), environment, scribe)?,
        };
        receipt.sign(&log)?;
        let json = receipt.to_json();
        let mut entry = log.entry(Action::Apply);
        entry.tenant = Some(ledger::name_of(&reference.tenant));
        entry.domain = Some(ledger::name_of(&reference.domain));
        entry.policy_digest = ledger::digests([receipt.policy.sha256.as_str()]).pop();
        entry.key_ids = receipt.keys.iter().map(|key| key.id.clone()).collect();
        entry.key_ids.dedup();
        receipt.tell(&json, &mut entry);
        log.note(&entry)?;
        Ok((json, log.why_absent().map(str::to_owned)))
    }

    /// The receipt of a treated table: as for files, without files.
    #[must_use]
    pub fn receipt(&self, plan: &Plan, counts: &FrameCounts, times: [String; 2]) -> Receipt {
        let [started, finished] = times;
        let mut keys: Vec<ReceiptKey> = plan
            .keys()
            .iter()
            .map(|(id, epoch, domain)| ReceiptKey {
                id: id.clone(),
                epoch: *epoch,
                domain: domain.clone(),
            })
            .collect();
        keys.sort_by(|a, b| (&a.id, a.epoch, &a.domain).cmp(&(&b.id, b.epoch, &b.domain)));
        keys.dedup();
        Receipt {
            schema: SCHEMA.to_owned(),
            tool: concat!("allonym ", env!("CARGO_PKG_VERSION")).to_owned(),
            started,
            finished,
            inputs: Vec::new(),
            outputs: Vec::new(),
            rows: Some(counts.rows),
            policy: Digest { sha256: self.policy.digest() },
            rules: Digest { sha256: self.rules.digest() },
            keys,
            columns: counts.columns(plan.columns()),
            collected_at: None,
            retention: None,
            layouts: Vec::new(),
            warnings: counts.warnings(plan),
            canaries: None,
            signature: None,
        }
    }
}

/// What happened to the columns of a table, summed over its batches.
#[derive(Clone, Debug, Default)]
pub struct FrameCounts {
    /// Rows.
    pub rows: u64,
    columns: Vec<ColumnCounts>,
}

impl FrameCounts {
    /// Adds a treated batch.
    pub fn add(&mut self, treated: &Treated) {
        self.rows += treated.records().num_rows() as u64;
        self.columns
            .resize(treated.counts().len().max(self.columns.len()), ColumnCounts::default());
        for (sum, counts) in self.columns.iter_mut().zip(treated.counts()) {
            sum.add(counts);
        }
    }

    /// Notes for people, of the plan and of what happened.
    #[must_use]
    pub fn warnings(&self, plan: &Plan) -> Vec<String> {
        let seen = plan.columns().iter().zip(&self.columns);
        let told = seen.filter_map(|(planned, counts)| counts.warning(planned));
        plan.warnings().iter().cloned().chain(told).collect()
    }

    fn columns(&self, planned: &[PlannedColumn]) -> Vec<ReceiptColumn> {
        let empty = ColumnCounts::default();
        planned
            .iter()
            .enumerate()
            .map(|(at, planned)| {
                let mut column = ReceiptColumn {
                    name: planned.name.clone(),
                    treatment: planned.treatment.to_owned(),
                    entity: planned.entity.clone(),
                    ..ReceiptColumn::default()
                };
                column.add(self.columns.get(at).unwrap_or(&empty));
                column
            })
            .collect()
    }
}

/// How the values of one array become tokens.
#[derive(Clone, Debug)]
pub struct TokenColumn {
    /// Id or label of the key; `None` is the tenant's active one.
    pub key: Option<String>,
    /// Tenant.
    pub tenant: String,
    /// Domain.
    pub domain: String,
    /// Join field.
    pub field: String,
    /// Normalisation.
    pub profile: Profile,
    /// Spelling.
    pub format: TokenFormat,
}

/// Tokens of an array, exactly those that a policy would make: it is a policy of one column.
///
/// # Errors
/// A type that is no id (floats), a key that is not in the ring, a name that is too long.
pub fn tokenize(
    field: &FieldRef,
    chunks: Vec<ArrayRef>,
    how: &TokenColumn,
    keys: &Keyring,
    cancel: &Cancel,
) -> Result<(FieldRef, Vec<ArrayRef>)> {
    let column = Arc::new(field.as_ref().clone().with_name(COLUMN).with_nullable(true));
    let schema = Arc::new(Schema::new(vec![column]));
    let bound = BoundPolicy { policy: how.policy()?, rules: RuleSet::builtin().clone() };
    let plan = Arc::new(bound.plan(&schema, Some(keys), None)?);
    let batches: Vec<std::result::Result<RecordBatch, ArrowError>> = chunks
        .into_iter()
        .map(|chunk| RecordBatch::try_new(SchemaRef::clone(&schema), vec![chunk]))
        .collect();
    let made = plan.output_schema().field(0).clone().with_name(field.name());
    let tokens = treat_stream(batches.into_iter(), plan, cancel.clone())
        .map(|treated| Ok(Arc::clone(treated?.records().column(0))))
        .collect::<Result<Vec<ArrayRef>>>()?;
    Ok((Arc::new(made), tokens))
}

impl TokenColumn {
    fn policy(&self) -> Result<Policy> {
        let text = |value: &str| toml::Value::String(value.to_owned()).to_string();
        let format = match self.format {
            TokenFormat::Base62 => "base62",
            TokenFormat::Hex => "hex",
            TokenFormat::Crockford => "crockford",
            TokenFormat::Binary => "binary",
        };
        let key = match &self.key {
            Some(key) => format!("key = {}\n", text(key)),
            None => String::new(),
        };
        let policy = format!(
            "version = 1\n[keys]\ntenant = {}\ndomain = {}\n{key}[columns.{COLUMN}]\n\
             treat = \"pseudonymize\"\njoin = {}\nprofile = \"{}\"\nformat = \"{format}\"\n",
            text(&self.tenant),
            text(&self.domain),
            text(&self.field),
            self.profile.name(),
        );
        Ok(Policy::parse(&policy, "tokenize")?)
    }
}

/// The entity that the header of each column names, for columns whose default join field goes by
/// it: tomorrow's table has the same headers and other values, and its tokens must join.
fn header_entities(
    policy: &Policy,
    rules: &RuleSet,
    schema: &Schema,
) -> Vec<(String, Option<String>)> {
    leaves(schema)
        .into_iter()
        .filter(|leaf| policy.lists(&leaf.path) || !policy.matches_by_entity())
        .map(|leaf| {
            let entity = header_entity(rules, &leaf.path);
            (leaf.path, entity)
        })
        .collect()
}

/// Name of the one column of [`tokenize`], as its errors say it.
const COLUMN: &str = "values";
