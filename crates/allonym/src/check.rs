//! `check`: what is left in the output, what is past its time, and whether the proofs hold.
//!
//! It looks at the files themselves, not at the plan that made them, and never stops at the first
//! finding. What cannot be told is a finding too, and never taken for good.

mod clocks;
mod proof;
mod residue;
mod tables;

use crate::cells::leaves;
use crate::holds::held_rows;
use crate::ledger::{self, Action, AuditLog};
use crate::run::header_entity;
use crate::tags::{FileName, in_words};
use crate::{Cancel, Failure, PolicySource, Receipt, Result, load_rules, rule_folders};
use allonym_core::Policy;
use allonym_exposure::clopper_pearson;
use allonym_io::{Found, Input, ReadOptions, Reader, TableFormat, sha256_file};
use allonym_recognize::RuleSet;
use allonym_report::{
    CheckEvidence, ColumnEvidence, FileEvidence, Finding, KeyEvidence, LookedFor, PolicyEvidence,
    Recall, Residual, RetentionEvidence, Severity, TableEvidence, Verdict,
};
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, Schema, SchemaRef};
use clocks::{Clocks, Holds};
use jiff::Timestamp;
use proof::Proofs;
use residue::Residue;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// One `check`.
pub struct CheckJob<'a> {
    /// What to look at.
    pub inputs: Vec<Found>,
    /// How it was named.
    pub source: String,
    /// Which policy; [`PolicySource::Draft`] is the one beside the output, as `apply` wrote it.
    pub policy: PolicySource,
    /// How to read.
    pub read: ReadOptions,
    /// Search every row for identifiers instead of a sample.
    pub full: bool,
    /// Rows of the sample.
    pub rows: usize,
    /// Which strided blocks the sample takes.
    pub seed: u64,
    /// The date of the decision, RFC 3339.
    pub as_of: &'a str,
    /// Who asks.
    pub actor: &'a str,
    /// When events happened that periods are counted from, ISO 8601, by their names.
    pub events: BTreeMap<String, String>,
    /// Public keys whose signatures are believed.
    pub known_keys: Vec<String>,
    /// Measured recall of the detector.
    pub recall: Option<Recall>,
    /// Asked between batches.
    pub cancel: Cancel,
    /// Told between batches: file, bytes, bytes in all.
    pub progress: &'a (dyn Fn(&str, u64, Option<u64>) + Sync),
}

impl std::fmt::Debug for CheckJob<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CheckJob")
            .field("source", &self.source)
            .field("policy", &self.policy)
            .field("as_of", &self.as_of)
            .finish_non_exhaustive()
    }
}

/// Checks files against a policy and their manifests.
///
/// # Errors
/// No policy, one that cannot be used, a date that is none. Everything that is wrong with the files
/// is a finding, a file that cannot be read too.
pub fn check(job: &CheckJob<'_>) -> Result<CheckEvidence> {
    let (policy, folder) = settle_policy(job)?;
    let mut check = Check::new(job, &policy, &folder)?;
    let mut proofs = Proofs::default();
    for found in &job.inputs {
        job.cancel.check()?;
        let folder = match &found.input {
            Input::File(path) => Some(path.as_path()),
            Input::Stdin => None,
        };
        match folder.and_then(|path| Some((path, TableFormat::of_folder(path)?))) {
            Some((folder, format)) => check.versions(found, folder, format, &mut proofs)?,
            None => check.file(found, &mut proofs)?,
        }
    }
    check.findings.extend(proofs.missing());
    check.evidence()
}

/// Checks a table in memory against a policy. It has no manifest, and that is no finding.
///
/// # Errors
/// As [`check`], and a stream that fails.
pub fn check_batches(
    job: &CheckJob<'_>,
    schema: &SchemaRef,
    batches: impl Iterator<Item = std::result::Result<RecordBatch, ArrowError>>,
) -> Result<CheckEvidence> {
    let (policy, folder) = settle_policy(job)?;
    let mut check = Check::new(job, &policy, &folder)?;
    let mut batches = batches;
    let mut next = || batches.next().transpose().map_err(Failure::from);
    let rows =
        check.table(&Table { path: None, name: &job.source, schema, receipt: None }, &mut next)?;
    check.files.push(FileEvidence::of(&job.source, None, rows));
    check.evidence()
}

/// Signs evidence and writes down that somebody looked; gives why not, where there is no ledger.
///
/// # Errors
/// Counts beyond 2^53; those of [`AuditLog::note`].
pub fn record_check(evidence: &mut CheckEvidence, log: &AuditLog<'_>) -> Result<Option<String>> {
    let text = evidence.to_json();
    let document: Value = serde_json::from_str(&text)
        .map_err(|_| Failure::new("ALO-X005", 5, "internal error: the evidence is not JSON"))?;
    let signature = log.sign(CheckEvidence::SCHEMA, &document)?;
    evidence.signature = signature.map(|signature| {
        serde_json::to_value(signature).expect("two strings can be written as JSON")
    });
    let mut entry = log.entry(Action::Check);
    entry.policy_digest = ledger::digests([evidence.policy.sha256.as_str()]).pop();
    let files: Vec<&str> = evidence.files.iter().filter_map(|f| f.sha256.as_deref()).collect();
    entry.inputs = ledger::digests(files);
    entry.outputs = vec![ledger::digest_of(evidence.to_json().as_bytes())];
    let of = |severity| evidence.of(severity).count() as u64;
    for (name, count) in [
        ("rows", evidence.rows),
        ("breaches", of(Severity::Breach)),
        ("unverified", of(Severity::Unverified)),
        ("exit", u64::from(check_exit(evidence))),
    ] {
        entry.counts.insert(name.to_owned(), count);
    }
    log.note(&entry)?;
    Ok(log.why_absent().map(str::to_owned))
}

/// Exit code of the command line: 3 where something could not be told, 1 for a breach, else 0.
#[must_use]
pub fn check_exit(evidence: &CheckEvidence) -> u8 {
    if evidence.of(Severity::Unverified).next().is_some() {
        3
    } else if evidence.of(Severity::Breach).next().is_some() {
        1
    } else {
        0
    }
}

/// Reads measured recall from the JSON of an evaluation (`allonym.eval/1`): the overall recall of
/// spans that overlap.
///
/// # Errors
/// A text that is no such evaluation.
pub fn read_recall(json: &str, measured_on: &str) -> Result<Recall> {
    let wrong = || {
        Failure::new("ALO-U012", 2, format!("`{measured_on}` is no evaluation with a recall"))
            .hint("expected the JSON of allonym.eval/1")
    };
    let eval: Value = serde_json::from_str(json).map_err(|_| wrong())?;
    let recall = |end: &str| {
        let number = eval.pointer(&format!("/overall/overlap/recall/{end}"))?.as_f64()?;
        (0.0..=1.0).contains(&number).then_some(number)
    };
    let is_eval = eval["schema"] == "allonym.eval/1";
    match (is_eval, recall("value"), recall("low")) {
        (true, Some(value), Some(low)) if low > 0.0 => {
            Ok(Recall { value, low, measured_on: measured_on.to_owned() })
        }
        _ => Err(wrong()),
    }
}

/// A table at work.
#[derive(Clone, Copy)]
struct Table<'t> {
    /// Where it is; nowhere for one in memory.
    path: Option<&'t Path>,
    name: &'t str,
    schema: &'t SchemaRef,
    receipt: Option<&'t Receipt>,
}

struct Check<'a> {
    job: &'a CheckJob<'a>,
    policy: &'a Policy,
    rules: RuleSet,
    as_of: Timestamp,
    holds: Holds,
    residue: Residue<'a>,
    clocks: Clocks,
    findings: Vec<Finding>,
    files: Vec<FileEvidence>,
    tables: Vec<TableEvidence>,
    columns: Vec<ColumnEvidence>,
    keys: BTreeSet<KeyEvidence>,
    rows: u64,
    rows_read: u64,
}

impl<'a> Check<'a> {
    fn new(job: &'a CheckJob<'a>, policy: &'a Policy, folder: &Path) -> Result<Check<'a>> {
        let as_of: Timestamp = job.as_of.parse().map_err(|_| {
            Failure::new("ALO-U005", 2, "the date of a check is no RFC 3339 time")
                .hint("write it as 2026-11-21T00:00:00Z")
        })?;
        let folders = rule_folders(policy, folder);
        let rules = load_rules(&folders)?.select(&policy.selection())?;
        let mut findings = Vec::new();
        let holds = Holds::read(policy.retention(), folder, as_of, &mut findings);
        Ok(Check {
            residue: Residue::new(job, policy, &rules, folders)?,
            job,
            policy,
            rules,
            as_of,
            holds,
            clocks: Clocks::default(),
            findings,
            files: Vec::new(),
            tables: Vec::new(),
            columns: Vec::new(),
            keys: BTreeSet::new(),
            rows: 0,
            rows_read: 0,
        })
    }

    /// A file that cannot be read is a finding; only an interrupt ends the check.
    fn file(&mut self, found: &Found, proofs: &mut Proofs) -> Result<()> {
        let before = self.files.len();
        match self.read_file(found, proofs) {
            Err(failure) if failure.exit == 130 => Err(failure),
            Err(failure) => {
                let name = &found.relative;
                let finding = finding("ALO-V109", Severity::Unverified, &failure.message);
                self.findings.push(Finding {
                    file: Some(name.clone()),
                    next: failure.hint,
                    ..finding
                });
                if self.files.len() == before {
                    self.files.push(FileEvidence::of(name, None, 0));
                }
                Ok(())
            }
            done => done,
        }
    }

    fn read_file(&mut self, found: &Found, proofs: &mut Proofs) -> Result<()> {
        let name = found.relative.as_str();
        let mut reader = Reader::open(&found.input, &self.job.read)?;
        let schema = SchemaRef::clone(reader.schema());
        let path = match &found.input {
            Input::File(path) => Some(path.as_path()),
            Input::Stdin => None,
        };
        let proof = proofs.of(path, &self.job.known_keys);
        let progress = self.job.progress;
        let mut next = || {
            let chunk = reader.next_chunk()?;
            let (bytes, size) = reader.progress();
            progress(name, bytes, size);
            Ok(chunk.map(|chunk| chunk.records))
        };
        let receipt = proof.as_ref().map(|proof| &proof.receipt);
        let rows = self.table(&Table { path, name, schema: &schema, receipt }, &mut next)?;
        let sha256 = path.map(sha256_file).transpose()?;
        let succeeded = match (&proof, &sha256) {
            (Some(proof), Some(sha256)) => {
                proofs.succeeded(proof, path, sha256, &self.job.known_keys)
            }
            _ => None,
        };
        let mut evidence = FileEvidence::of(name, sha256, rows);
        let told =
            proof::judge(proof.as_ref(), succeeded, &mut evidence, &schema, self.policy, name);
        self.findings.extend(told);
        if let Some(proof) = proof {
            self.keys.extend(proof.receipt.keys.into_iter().map(|key| KeyEvidence {
                id: key.id,
                epoch: key.epoch,
                domain: key.domain,
            }));
        }
        self.files.push(evidence);
        Ok(())
    }

    /// One pass over the rows; gives how many there are.
    fn table(
        &mut self,
        table: &Table<'_>,
        next: &mut dyn FnMut() -> Result<Option<RecordBatch>>,
    ) -> Result<u64> {
        let entities = self.entities(table);
        let found = clocks::bind(self, table, &entities);
        let (mut bound, told) = found;
        self.findings.extend(told);
        let name = FileName { path: table.path, relative: table.name };
        let holds = self.holds.covering(&name.names(self.policy));
        let mut residue = self.residue.begin(table.schema, &entities);
        let mut rows = 0;
        while let Some(records) = next()? {
            self.job.cancel.check()?;
            rows += records.num_rows() as u64;
            bound.count(&records, held_rows(&holds, &records).as_ref())?;
            residue.offer(&records, &self.job.cancel);
        }
        let (columns, told, read) = residue.finish(table.name, &self.job.cancel)?;
        self.findings.extend(told);
        self.findings.extend(bound.findings(table.name));
        self.clocks.add(bound);
        self.rows += rows;
        self.rows_read += read;
        self.add_columns(table, columns, &entities);
        Ok(rows)
    }

    /// What each column was judged to be when it was treated, else what its header names.
    fn entities(&self, table: &Table<'_>) -> BTreeMap<String, String> {
        let leaves = leaves(table.schema).into_iter();
        leaves
            .filter_map(|leaf| {
                let told = table.receipt.and_then(|receipt| {
                    receipt.columns.iter().find(|column| column.name == leaf.path)
                });
                let entity = match told {
                    Some(column) => column.entity.clone(),
                    None => header_entity(&self.rules, &leaf.path),
                };
                Some((leaf.path, entity?))
            })
            .collect()
    }

    /// Columns of several files that have one name are one; what is wrong with a column by the
    /// policy alone is said once.
    fn add_columns(
        &mut self,
        table: &Table<'_>,
        columns: Vec<ColumnEvidence>,
        entities: &BTreeMap<String, String>,
    ) {
        for mut column in columns {
            if let Some(known) = self.columns.iter_mut().find(|known| known.name == column.name) {
                known.cells += column.cells;
                known.residual += column.residual;
                if known.entity.is_none() {
                    known.entity = column.entity;
                    known.group = column.group;
                    known.share = column.share;
                    known.confidence = column.confidence;
                }
                continue;
            }
            let entity = entities.get(&column.name).map(String::as_str);
            let promise = self.policy.promise(&column.name, entity);
            let about = |code: &str, severity, message: &str| Finding {
                file: Some(table.name.to_owned()),
                column: Some(column.name.clone()),
                ..finding(code, severity, message)
            };
            let quoted = format!("column `{}`", column.name);
            match &promise {
                None => self.findings.push(Finding {
                    next: Some("list it in the policy: allonym init --update".to_owned()),
                    ..about(
                        "ALO-M101",
                        Severity::Breach,
                        &format!("{quoted} is not listed in the policy"),
                    )
                }),
                Some(promise) if promise.treatment == "drop" => self.findings.push(about(
                    "ALO-M103",
                    Severity::Breach,
                    &format!("{quoted} is there, and the policy drops it"),
                )),
                Some(_) => {}
            }
            column.treatment = promise.as_ref().map(|promise| promise.treatment.to_owned());
            column.reason = promise.and_then(|promise| promise.reason);
            let tag = self.policy.retention().and_then(|retention| {
                retention.tag_of(&column.name, entity).ok().flatten().or(retention.dataset.as_ref())
            });
            let judged = entity.or(column.entity.as_deref());
            let judged = judged.and_then(|name| self.rules.entity_by_name(name));
            column.category = judged.map(|id| self.rules.entity(id).category.clone());
            if let Some(tag) = tag {
                column.retention = Some(in_words(tag));
                column.purpose.clone_from(&tag.purpose);
                if tag.category.is_some() {
                    column.category.clone_from(&tag.category);
                }
            }
            if column.purpose.is_empty() {
                if let (None, Some(purpose)) = (self.policy.retention(), self.policy.purpose()) {
                    column.purpose = vec![purpose.to_owned()];
                } else {
                    self.findings.push(Finding {
                        next: Some("name its purpose in the policy, or drop the column".to_owned()),
                        ..about(
                            "ALO-M102",
                            Severity::Note,
                            &format!("{quoted} has no purpose in the policy"),
                        )
                    });
                }
            }
            self.columns.push(column);
        }
    }

    fn evidence(mut self) -> Result<CheckEvidence> {
        self.findings.extend(self.holds.findings());
        self.point_to_risk();
        let residual = self.residual();
        let mut findings = self.findings;
        findings.sort_by(|a, b| {
            let key = |finding: &Finding| {
                (
                    finding.severity,
                    finding.code.clone(),
                    finding.file.clone(),
                    finding.column.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
        findings.dedup();
        let is = |severity| findings.iter().any(|finding| finding.severity == severity);
        let verdict = match (is(Severity::Breach), is(Severity::Unverified)) {
            (true, _) => Verdict::NotReady,
            (false, true) => Verdict::Unverified,
            (false, false) => Verdict::Ready,
        };
        let policy = self.policy;
        let selection = policy.selection();
        let zone = policy.retention().map(|retention| retention.zone.name().to_owned());
        let tags = self.clocks.evidence();
        let has_retention = zone.is_some() || !tags.is_empty();
        Ok(CheckEvidence {
            schema: CheckEvidence::SCHEMA.to_owned(),
            tool: concat!("allonym ", env!("CARGO_PKG_VERSION")).to_owned(),
            actor: ledger::name_of(self.job.actor),
            as_of: self.as_of.to_string(),
            source: self.job.source.clone(),
            verdict,
            policy: PolicyEvidence {
                name: policy.name().map(str::to_owned),
                purpose: policy.purpose().map(str::to_owned),
                owner: policy.owner().map(str::to_owned),
                sha256: policy.digest(),
            },
            looked_for: LookedFor {
                entities: self.rules.entities().iter().map(|entity| entity.name.clone()).collect(),
                countries: selection.countries,
                languages: selection.languages,
                rules_sha256: self.rules.digest(),
            },
            rows: self.rows,
            rows_read: self.rows_read,
            seed: self.job.seed,
            files: self.files,
            tables: self.tables,
            columns: self.columns,
            residual,
            retention: has_retention.then(|| RetentionEvidence {
                zone: zone.unwrap_or_else(|| "UTC".to_owned()),
                tags,
                holds: self.holds.evidence(),
            }),
            keys: self.keys.into_iter().collect(),
            findings,
            limits: LIMITS.iter().map(|limit| (*limit).to_owned()).collect(),
            signature: None,
        })
    }

    /// What narrows down who somebody is does so together with the rest.
    fn point_to_risk(&mut self) {
        let quasi: Vec<&str> = self
            .columns
            .iter()
            .filter(|column| {
                let coarser = column.treatment.as_deref() == Some("generalize");
                coarser || column.group.as_deref() == Some("quasi")
            })
            .map(|column| column.name.as_str())
            .collect();
        if quasi.len() >= QUASI_MIN {
            let message = format!(
                "{} columns narrow down who somebody is, and together may single out rows: {}",
                quasi.len(),
                quasi.join(", ")
            );
            self.findings.push(Finding {
                count: Some(quasi.len() as u64),
                next: Some(format!("allonym risk FILE --quasi {}", quasi.join(","))),
                ..finding("ALO-M105", Severity::Note, &message)
            });
        }
    }

    fn residual(&self) -> Residual {
        let found: u64 = self.columns.iter().map(|column| column.residual).sum();
        let hits = found.min(self.rows_read);
        // A one-sided bound: the upper end of an interval with twice the tail.
        let exact = clopper_pearson(hits, self.rows_read, 2.0 * CONFIDENCE - 1.0).high;
        let recall = self.job.recall.clone();
        let low = recall.as_ref().map_or(1.0, |recall| recall.low);
        let upper_bound = (exact / low).min(1.0);
        let statement = residue::statement(found, self.rows_read, upper_bound, recall.as_ref());
        Residual {
            rows_read: self.rows_read,
            found,
            upper_bound,
            confidence: CONFIDENCE,
            recall,
            statement,
        }
    }
}

fn settle_policy(job: &CheckJob<'_>) -> Result<(Policy, PathBuf)> {
    if let PolicySource::Given { policy, folder } = &job.policy {
        return Ok((Policy::clone(policy), folder.clone()));
    }
    let none = || {
        Failure::new("ALO-P022", 2, "no policy: a check goes by one")
            .hint("name it with --policy; apply without a policy writes one beside its output")
    };
    for found in &job.inputs {
        let Input::File(path) = &found.input else { continue };
        // Beside the file, or beside the folder that it was written in.
        for place in path.ancestors().take(FOLDERS_UP_MAX) {
            let Some(name) = place.file_name() else { continue };
            let beside = place.with_file_name(format!("{}.policy.toml", name.to_string_lossy()));
            let Ok(text) = std::fs::read_to_string(&beside) else { continue };
            let policy = Policy::parse(&text, &beside.display().to_string())?;
            let folder = beside.parent().map(Path::to_path_buf).unwrap_or_default();
            return Ok((policy, folder));
        }
    }
    Err(none())
}

fn finding(code: &str, severity: Severity, message: &str) -> Finding {
    Finding {
        code: code.to_owned(),
        severity,
        file: None,
        column: None,
        count: None,
        message: message.to_owned(),
        next: None,
    }
}

/// The columns of a schema, without what they hold.
fn blank_columns(schema: &Schema) -> Vec<ColumnEvidence> {
    let leaves = leaves(schema).into_iter();
    leaves
        .map(|leaf| ColumnEvidence {
            name: leaf.path,
            type_name: leaf.type_name,
            ..ColumnEvidence::default()
        })
        .collect()
}

const CONFIDENCE: f64 = 0.95;
/// One such column alone is told in its row.
const QUASI_MIN: usize = 2;
const FOLDERS_UP_MAX: usize = 16;
const LIMITS: &[&str] = &[
    "What is pseudonymous is still personal data where somebody has the keys or other means to \
     link it (GDPR, recital 26).",
    "Only the kinds of identifiers listed were looked for; free text is as clean as the detector \
     is good.",
    "Columns that are kept may single people out together; that is measured by allonym risk.",
    "Copies that others made, backups and older versions of the files were not looked at, but for what \
     the folder of a table with versions still holds.",
];
