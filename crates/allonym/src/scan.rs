//! What personal data is in a table or a text, without showing it.

use crate::cells::{Leaf, leaf_texts, leaves};
use crate::compiled::Scratches;
use crate::{Cancel, Failure, FindOptions, Finder, Finding, Result, compiled, load_rules};
use allonym_io::{Format, Input, ReadOptions, Reader};
use allonym_recognize::{
    ColumnProfile, Coverage, EntityCount, Group, Judgement, Recognizer, RuleSet, Selection,
    TableColumn, Tuning, judge,
};
use arrow_array::{RecordBatch, UInt64Array};
use arrow_schema::{ArrowError, Schema};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How to scan.
#[derive(Clone, Debug)]
pub struct ScanOptions {
    /// What to look for; `min_score` is the policy's and counts for findings inside cells.
    pub find: FindOptions,
    /// Read every row instead of a sample.
    pub full: bool,
    /// Rows of the sample.
    pub rows: usize,
    /// Which strided blocks the sample takes.
    pub seed: u64,
    /// Asked between batches.
    pub cancel: Cancel,
}

impl Default for ScanOptions {
    fn default() -> Self {
        ScanOptions {
            find: FindOptions::default(),
            full: false,
            rows: 50_000,
            seed: 0,
            cancel: Cancel::default(),
        }
    }
}

/// What a scan found: counts, names and shapes, never a cell.
#[derive(Clone, Debug, Serialize)]
pub struct Scan {
    /// `allonym.scan/1`.
    pub schema: &'static str,
    /// What was scanned, as the caller named it.
    pub source: String,
    /// Rows in the source.
    pub rows: u64,
    /// Rows that were looked at.
    pub rows_read: u64,
    /// Whether rows were left out.
    pub sampled: bool,
    /// Seed of the sample.
    pub seed: u64,
    /// Digest of the rules in use.
    pub rules: String,
    /// Countries whose rules were asked, beside those of none; left out where all were.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// Languages whose rules were asked, beside those of none; left out where all were.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// Columns, in order.
    pub columns: Vec<ScanColumn>,
}

/// One column of a scan.
#[derive(Clone, Debug, Serialize)]
pub struct ScanColumn {
    /// Path of the column.
    pub name: String,
    /// `string`, `integer`, `float`, `boolean`, `date`, `timestamp` or the Arrow type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What the column as a whole is.
    pub entity: Option<String>,
    /// How identifying that is.
    pub group: Option<Group>,
    /// Probability in `[0, 1]`.
    pub confidence: f32,
    /// Share of non-null cells that support it, with a 95 % interval.
    pub coverage: Coverage,
    /// Why, in words.
    pub reason: String,
    /// Second best.
    pub runner_up: Option<RunnerUp>,
    /// Free text, to be treated in place.
    pub free_text: bool,
    /// Most common shape, only where ten or more cells share it.
    pub shape: Option<String>,
    /// Non-null cells seen.
    pub cells: u64,
    /// Null cells seen.
    pub nulls: u64,
    /// Distinct values (estimate).
    pub distinct: u64,
    /// Treatment that a drafted policy would take.
    pub suggestion: String,
    /// Findings inside cells.
    pub entities: Vec<EntityCount>,
    #[serde(skip)]
    judgement: Judgement,
}

/// Second best entity of a column.
#[derive(Clone, Debug, Serialize)]
pub struct RunnerUp {
    /// Name.
    pub entity: String,
    /// Probability in `[0, 1]`.
    pub confidence: f32,
}

/// Findings of one document.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentFindings {
    /// The document's id.
    pub id: DocumentId,
    /// Findings, in order; offsets in code points.
    pub spans: Vec<Finding>,
}

/// Id of a document in the output of `scan --spans`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum DocumentId {
    /// The path as given, or a JSON string.
    Text(String),
    /// A JSON value of the field `id`, or the 0-based line number.
    Value(serde_json::Value),
}

impl Scan {
    /// The contract's JSON, one line, without a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a scan holds only strings, finite numbers and lists")
    }

    /// What the judge said of each column.
    #[must_use]
    pub fn judgements(&self) -> Vec<(String, Judgement)> {
        self.columns.iter().map(|column| (column.name.clone(), column.judgement.clone())).collect()
    }
}

impl ScanColumn {
    /// What the judge said.
    #[must_use]
    pub fn judgement(&self) -> &Judgement {
        &self.judgement
    }
}

/// Scans one file.
///
/// # Errors
/// Input that cannot be read, options that name unknown rules.
pub fn scan_path(
    input: &Input,
    source: &str,
    read: &ReadOptions,
    options: &ScanOptions,
    progress: &(dyn Fn(u64, Option<u64>) + Sync),
) -> Result<Scan> {
    let looker = Looker::new(&options.find)?;
    let evidence = looker.evidence_of(input, read, options, progress)?;
    Ok(looker.scan(source, &evidence, options))
}

/// Scans a stream of batches.
///
/// # Errors
/// A stream that fails, options that name unknown rules.
pub fn scan_batches(
    source: &str,
    schema: &Schema,
    batches: impl Iterator<Item = std::result::Result<RecordBatch, ArrowError>>,
    options: &ScanOptions,
) -> Result<Scan> {
    let looker = Looker::new(&options.find)?;
    let mut evidence = Evidence::new(schema);
    let mut sample = Sample::new(options);
    for batch in batches {
        options.cancel.check()?;
        sample.offer(&batch?, &mut |ready| {
            evidence.observe(ready, &looker, &options.cancel);
        });
    }
    sample.finish(&mut |ready| evidence.observe(ready, &looker, &options.cancel));
    options.cancel.check()?;
    evidence.rows = sample.rows;
    Ok(looker.scan(source, &evidence, options))
}

/// Findings of every document of a text file (one document) or a JSON Lines file (one a line).
///
/// # Errors
/// Input that cannot be read; a table (`.csv`, Parquet), whose rows are no documents.
pub fn scan_spans(
    input: &Input,
    source: &str,
    read: &ReadOptions,
    text_field: &str,
    finder: &Finder,
    cancel: &Cancel,
    emit: &mut dyn FnMut(DocumentFindings) -> Result<()>,
) -> Result<()> {
    let mut reader = Reader::open(input, read)?;
    match reader.shape().format {
        Format::Text => {
            let (mut spans, mut points, mut bytes) = (Vec::new(), 0, 0);
            while let Some(chunk) = reader.next_chunk()? {
                cancel.check()?;
                for text in leaf_texts(&chunk.records).into_iter().flatten() {
                    for text in text.iter().flatten() {
                        spans.extend(finder.find(text).into_iter().map(|finding| Finding {
                            start: finding.start + points,
                            end: finding.end + points,
                            byte_start: finding.byte_start + bytes,
                            byte_end: finding.byte_end + bytes,
                            ..finding
                        }));
                        points += text.chars().count();
                        bytes += text.len();
                    }
                }
            }
            emit(DocumentFindings { id: DocumentId::Text(source.to_owned()), spans })
        }
        Format::JsonLines => {
            let mut number = 0_u64;
            while let Some(chunk) = reader.next_chunk()? {
                cancel.check()?;
                let lines: Vec<&[u8]> = chunk.json_lines().collect();
                let found: Vec<Result<DocumentFindings>> = lines
                    .par_iter()
                    .enumerate()
                    .map(|(at, line)| {
                        document(line, number + at as u64, source, text_field, finder)
                    })
                    .collect();
                number += lines.len() as u64;
                for document in found {
                    emit(document?)?;
                }
            }
            Ok(())
        }
        _ => Err(Failure::new(
            "ALO-U003",
            2,
            format!("{source}: --spans takes plain text or JSON Lines; this is a table"),
        )
        .hint("leave --spans out to scan its columns")),
    }
}

fn document(
    line: &[u8],
    number: u64,
    source: &str,
    text_field: &str,
    finder: &Finder,
) -> Result<DocumentFindings> {
    let bad =
        |what: &str| Failure::new("ALO-D001", 3, format!("{source}: line {}: {what}", number + 1));
    let value: serde_json::Value =
        serde_json::from_slice(line).map_err(|_| bad("not a JSON object"))?;
    let id = value.get("id").filter(|id| id.is_string() || id.is_number());
    let id = id.cloned().unwrap_or_else(|| serde_json::Value::from(number));
    let text = match value.get(text_field) {
        Some(serde_json::Value::String(text)) => text.as_str(),
        Some(serde_json::Value::Null) => "",
        Some(_) => return Err(bad(&format!("field `{text_field}` is no string"))),
        None => {
            return Err(bad(&format!("no field `{text_field}`"))
                .hint("name the field that holds the text with --text-field"));
        }
    };
    Ok(DocumentFindings { id: DocumentId::Value(id), spans: finder.find(text) })
}

/// Compiled rules for columns: weak shapes count as evidence there, so nothing is cut by score.
pub(crate) struct Looker {
    pub(crate) recognizer: Arc<Recognizer>,
    scratches: Scratches,
    countries: Vec<String>,
    languages: Vec<String>,
}

impl Looker {
    pub(crate) fn new(find: &FindOptions) -> Result<Looker> {
        let selection = Selection {
            set: None,
            entities: find.entities.clone(),
            countries: find.countries.clone(),
            languages: find.languages.clone(),
        };
        let rules = load_rules(&find.rule_folders)?.select(&selection)?;
        let tuning = Tuning { min_score: 0.0, ..Tuning::default() };
        let recognizer = compiled::recognizer(&rules, &tuning)?;
        let (countries, languages) = (find.countries.clone(), find.languages.clone());
        Ok(Looker { recognizer, scratches: Scratches::default(), countries, languages })
    }

    pub(crate) fn rules(&self) -> &RuleSet {
        self.recognizer.rules()
    }

    pub(crate) fn evidence_of(
        &self,
        input: &Input,
        read: &ReadOptions,
        options: &ScanOptions,
        progress: &(dyn Fn(u64, Option<u64>) + Sync),
    ) -> Result<Evidence> {
        let mut reader = Reader::open(input, read)?;
        let mut evidence = Evidence::new(reader.schema());
        let mut sample = Sample::new(options);
        while let Some(chunk) = reader.next_chunk()? {
            options.cancel.check()?;
            sample.offer(&chunk.records, &mut |ready| {
                evidence.observe(ready, self, &options.cancel);
            });
            let (done, size) = reader.progress();
            progress(done, size);
        }
        sample.finish(&mut |ready| evidence.observe(ready, self, &options.cancel));
        options.cancel.check()?;
        evidence.rows = sample.rows;
        Ok(evidence)
    }

    pub(crate) fn scan(&self, source: &str, evidence: &Evidence, options: &ScanOptions) -> Scan {
        let judgements = evidence.judge(self.rules());
        let columns = evidence
            .leaves
            .iter()
            .zip(judgements)
            .map(|(leaf, judgement)| ScanColumn::new(leaf, judgement, self.rules()))
            .collect();
        Scan {
            schema: "allonym.scan/1",
            source: source.to_owned(),
            rows: evidence.rows,
            rows_read: evidence.rows_read,
            sampled: evidence.rows_read < evidence.rows,
            seed: options.seed,
            rules: self.rules().digest(),
            countries: self.countries.clone(),
            languages: self.languages.clone(),
            columns,
        }
    }
}

impl ScanColumn {
    fn new(leaf: &Leaf, judgement: Judgement, rules: &RuleSet) -> ScanColumn {
        ScanColumn {
            name: leaf.path.clone(),
            type_name: leaf.type_name.clone(),
            entity: judgement.entity.clone(),
            group: judgement.group,
            confidence: judgement.confidence,
            coverage: judgement.coverage,
            reason: judgement.reason.clone(),
            runner_up: judgement
                .runner_up
                .clone()
                .map(|(entity, confidence)| RunnerUp { entity, confidence }),
            free_text: judgement.free_text,
            shape: judgement.shape.clone(),
            cells: judgement.cells,
            nulls: judgement.nulls,
            distinct: judgement.distinct,
            suggestion: allonym_core::suggested_treatment(&leaf.path, &judgement, rules),
            entities: judgement.entities.clone(),
            judgement,
        }
    }
}

/// Mergeable evidence of a table.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    schemas: Vec<Schema>,
    leaves: Vec<Leaf>,
    profiles: Vec<ColumnProfile>,
    pub(crate) rows: u64,
    rows_read: u64,
}

impl Evidence {
    pub(crate) fn new(schema: &Schema) -> Evidence {
        let leaves = leaves(schema);
        let profiles = vec![ColumnProfile::default(); leaves.len()];
        Evidence { schemas: vec![schema.clone()], leaves, profiles, rows: 0, rows_read: 0 }
    }

    /// Schemas of the tables that were merged.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = &Schema> {
        self.schemas.iter()
    }

    /// Once cancelled it skips the rest, and the evidence is worth nothing: the caller checks.
    pub(crate) fn observe(&mut self, batches: &[RecordBatch], looker: &Looker, cancel: &Cancel) {
        let texts: Vec<_> = batches.iter().map(leaf_texts).collect();
        self.rows_read += batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>();
        self.profiles.par_iter_mut().enumerate().for_each(|(column, profile)| {
            looker.scratches.lend(|scratch| {
                for text in texts.iter().filter_map(|texts| texts[column].as_ref()) {
                    let mut cells = text.iter().take_while(|_| !cancel.is_cancelled());
                    profile.observe(&looker.recognizer, &mut cells, scratch);
                }
            });
        });
    }

    /// Adds the evidence of another table, column by column name; new columns come last.
    pub(crate) fn merge(&mut self, other: &Evidence) {
        let places: BTreeMap<String, usize> =
            self.leaves.iter().enumerate().map(|(at, leaf)| (leaf.path.clone(), at)).collect();
        for (leaf, profile) in other.leaves.iter().zip(&other.profiles) {
            match places.get(&leaf.path) {
                Some(&at) => self.profiles[at].merge(profile),
                None => {
                    self.leaves.push(leaf.clone());
                    self.profiles.push(profile.clone());
                }
            }
        }
        self.schemas.extend(other.schemas.iter().cloned());
        self.rows += other.rows;
        self.rows_read += other.rows_read;
    }

    fn judge(&self, rules: &RuleSet) -> Vec<Judgement> {
        let columns: Vec<_> = self
            .leaves
            .iter()
            .zip(&self.profiles)
            .map(|(leaf, profile)| TableColumn {
                name: Some(leaf.path.as_str()).filter(|name| !is_made_up(name)),
                kind: leaf.kind,
                profile,
            })
            .collect();
        judge(rules, &columns)
    }
}

/// Names that readers give to columns without a header.
fn is_made_up(name: &str) -> bool {
    name.strip_prefix("column_").is_some_and(|n| n.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Strided blocks of rows: every block at first, every second once there are too many, and so on.
/// One pass, bounded memory, no need to know the number of rows.
pub(crate) struct Sample {
    full: bool,
    blocks_max: usize,
    phase: u64,
    stride: u64,
    next_block: u64,
    kept: Vec<(u64, RecordBatch)>,
    kept_bytes: usize,
    pending: Vec<RecordBatch>,
    pending_rows: usize,
    rows: u64,
}

impl Sample {
    pub(crate) fn new(options: &ScanOptions) -> Sample {
        Sample {
            full: options.full,
            blocks_max: options.rows.div_ceil(BLOCK_ROWS).max(1),
            phase: options.seed,
            stride: 1,
            next_block: 0,
            kept: Vec::new(),
            kept_bytes: 0,
            pending: Vec::new(),
            pending_rows: 0,
            rows: 0,
        }
    }

    pub(crate) fn offer(&mut self, batch: &RecordBatch, observe: &mut dyn FnMut(&[RecordBatch])) {
        self.rows += batch.num_rows() as u64;
        if self.full {
            self.pending_rows += batch.num_rows();
            self.pending.push(batch.clone());
            if self.pending_rows >= OBSERVE_ROWS {
                observe(&self.pending);
                self.pending.clear();
                self.pending_rows = 0;
            }
            return;
        }
        // Blocks are cut at multiples of BLOCK_ROWS of the table, whatever the batches: the
        // sample must not depend on how the reader cuts.
        let mut from = 0;
        let first_row = self.rows - batch.num_rows() as u64;
        while from < batch.num_rows() {
            let row = first_row + from as u64;
            let block = row / BLOCK_ROWS as u64;
            let block_end = (block + 1) * BLOCK_ROWS as u64;
            let left = usize::try_from(block_end - row).unwrap_or(BLOCK_ROWS);
            let rows = left.min(batch.num_rows() - from);
            if self.wants(block) {
                let piece = copied(batch, from, rows);
                self.kept_bytes += rows * bytes_per_row(batch);
                self.kept.push((block, piece));
            }
            self.next_block = block;
            from += rows;
        }
        while self.distinct_blocks() > 2 * self.blocks_max || self.kept_bytes > KEPT_BYTES_MAX {
            if self.kept.len() <= 1 {
                break;
            }
            self.stride *= 2;
            let (stride, phase) = (self.stride, self.phase);
            let before = self.kept.len();
            self.kept.retain(|(block, _)| (block + phase).is_multiple_of(stride));
            self.kept_bytes = self.kept_bytes * self.kept.len() / before.max(1);
        }
    }

    pub(crate) fn finish(&mut self, observe: &mut dyn FnMut(&[RecordBatch])) {
        if self.full {
            observe(&self.pending);
            self.pending.clear();
            return;
        }
        // Between one and two times the wanted blocks are left: take evenly spread ones.
        let mut blocks: Vec<u64> = self.kept.iter().map(|(block, _)| *block).collect();
        blocks.dedup();
        if blocks.len() > self.blocks_max {
            let chosen: Vec<u64> = (0..self.blocks_max)
                .map(|at| blocks[at * blocks.len() / self.blocks_max])
                .collect();
            self.kept.retain(|(block, _)| chosen.binary_search(block).is_ok());
        }
        let kept: Vec<RecordBatch> =
            std::mem::take(&mut self.kept).into_iter().map(|(_, batch)| batch).collect();
        observe(&kept);
    }

    fn wants(&self, block: u64) -> bool {
        (block + self.phase).is_multiple_of(self.stride)
    }

    fn distinct_blocks(&self) -> usize {
        let mut count = 0;
        let mut last = None;
        for (block, _) in &self.kept {
            if last != Some(*block) {
                count += 1;
                last = Some(*block);
            }
        }
        count
    }
}

/// A slice would keep its whole batch alive.
fn copied(batch: &RecordBatch, from: usize, rows: usize) -> RecordBatch {
    let rows: UInt64Array = (from as u64..(from + rows) as u64).collect();
    arrow_select::take::take_record_batch(batch, &rows).expect("the rows are inside the batch")
}

fn bytes_per_row(batch: &RecordBatch) -> usize {
    batch.get_array_memory_size() / batch.num_rows().max(1)
}

const BLOCK_ROWS: usize = 1_024;
const OBSERVE_ROWS: usize = 65_536;
const KEPT_BYTES_MAX: usize = 192 << 20;
