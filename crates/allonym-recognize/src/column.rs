//! A column is judged as a whole, not as its cells.
//!
//! [`ColumnProfile`] counts what cells look like and what the recognizer finds in them; [`judge`]
//! weighs headers, counts and neighbours of a whole table. A profile keeps counts, bounded hashes and
//! shapes, never a cell, and profiles of shards merge to exactly the profile of the whole, in any
//! order and any cut.
//!
//! What it does not promise: a kind of identifier that no rule knows and no header names is not
//! found; a column of rare names without a header can be missed.

mod cell;
mod evidence;
mod form;
mod heading;
mod judge;
mod sight;
mod sketch;
mod words;

pub use judge::judge;

use crate::set::{Rule, RulePattern};
use crate::{EntityId, Group, Recognizer, RuleId, RuleSet, Scratch, Span};
use cell::{Reading, Trait};
use sketch::{Distinct, Moments, Shapes, Witnesses};
use std::collections::BTreeMap;
use std::fmt;

/// Physical kind of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Strings.
    Text,
    /// Whole numbers.
    Integer,
    /// Binary or decimal fractions.
    Float,
    /// Truth values.
    Boolean,
    /// Dates.
    Date,
    /// Instants.
    Timestamp,
    /// Anything else.
    Other,
}

/// Mergeable evidence of one column. Holds no cell after `observe` returns beyond bounded hashes,
/// shapes, and the least and greatest whole number, which `Debug` does not show.
///
/// All shards of a column must be observed with recognizers compiled from the same rules: findings
/// are counted by entity index.
#[derive(Clone, Default)]
pub struct ColumnProfile {
    /// Non-null cells.
    cells: u64,
    nulls: u64,
    traits: [u64; Trait::COUNT],
    chars: Moments,
    words: Moments,
    integers: Integers,
    years: Moments,
    distinct: Distinct,
    shapes: Shapes,
    tallies: BTreeMap<EntityId, Tally>,
    /// Every rule that a whole cell satisfies, of a sample of the distinct cells: a finding names
    /// one entity, and a nine-digit number can be five.
    witnesses: Witnesses<Vec<RuleId>>,
}

impl ColumnProfile {
    /// Adds cells; `None` is null. Cells of typed columns come as their canonical text.
    ///
    /// The recognizer should report weak shapes too (`min_score` 0): findings of at least
    /// 0.5 count as findings inside cells, weaker ones only as evidence for the whole
    /// column.
    pub fn observe(
        &mut self,
        recognizer: &Recognizer,
        cells: &mut dyn Iterator<Item = Option<&str>>,
        scratch: &mut Scratch,
    ) {
        let mut reader = Reader::new();
        let mut batch: Vec<&str> = Vec::new();
        let mut spans = Vec::new();
        loop {
            batch.clear();
            let mut bytes = 0;
            let mut ended = true;
            for cell in &mut *cells {
                match cell {
                    None => self.nulls += 1,
                    Some(cell) => {
                        bytes += cell.len();
                        batch.push(cell);
                    }
                }
                if batch.len() >= BATCH_CELLS_MAX || bytes >= BATCH_BYTES_MAX {
                    ended = false;
                    break;
                }
            }
            recognizer.scan_many(&mut batch.iter().copied(), scratch, &mut spans);
            let mut rest = spans.as_slice();
            for (index, cell) in batch.iter().enumerate() {
                let n = rest.iter().take_while(|(of, _)| *of == index).count();
                let (mine, later) = rest.split_at(n);
                rest = later;
                self.count(cell, mine, recognizer.rules(), &mut reader);
            }
            if ended {
                return;
            }
        }
    }

    /// Adds findings of another detector (names in texts): cells with at least one, and all.
    pub fn add_findings(&mut self, entity: EntityId, cells: u64, spans: u64) {
        let tally = self.tallies.entry(entity).or_default();
        tally.cells += cells;
        tally.spans += spans;
    }

    /// Adds another shard's evidence; the result does not depend on the order of merging.
    pub fn merge(&mut self, other: &ColumnProfile) {
        self.cells += other.cells;
        self.nulls += other.nulls;
        for (mine, theirs) in self.traits.iter_mut().zip(other.traits) {
            *mine += theirs;
        }
        self.chars.merge(&other.chars);
        self.words.merge(&other.words);
        self.integers.merge(&other.integers);
        self.years.merge(&other.years);
        self.distinct.merge(&other.distinct);
        self.shapes.merge(&other.shapes);
        self.witnesses.merge(&other.witnesses);
        for (&entity, tally) in &other.tallies {
            self.tallies.entry(entity).or_default().merge(tally);
        }
    }

    fn count(&mut self, cell: &str, spans: &[(usize, Span)], rules: &RuleSet, reader: &mut Reader) {
        self.cells += 1;
        let hash = sketch::hash(cell.as_bytes());
        self.distinct.observe(hash);
        let reading = reader.read(hash, cell);
        self.chars.observe(reading.chars);
        if !reading.has(Trait::Filled) {
            return;
        }
        reading.count_into(&mut self.traits);
        self.words.observe(reading.words);
        self.integers.observe(&reading);
        if let Some(year) = reading.year {
            self.years.observe(year.into());
        }
        self.shapes.observe(cell.trim(), &mut reader.shape);
        self.witnesses.observe(hash, || rules_of_whole(cell.trim(), rules));
        self.count_findings(cell, spans);
    }

    fn count_findings(&mut self, cell: &str, spans: &[(usize, Span)]) {
        for (position, (_, span)) in spans.iter().enumerate() {
            let tally = self.tallies.entry(span.entity).or_default();
            if span.score >= SCORE_COUNTED {
                let again = spans[..position]
                    .iter()
                    .any(|(_, other)| other.entity == span.entity && other.score >= SCORE_COUNTED);
                tally.spans += 1;
                tally.cells += u64::from(!again);
            }
            if covers(cell, span) {
                tally.whole += 1;
                tally.validated += u64::from(span.evidence.validated);
                tally.score += score_units(span.score);
            }
        }
    }

    /// Cells that are neither null, blank nor placeholders.
    fn filled(&self) -> u64 {
        self.traits[Trait::Filled as usize]
    }

    /// Counts of an entity; all 0 where it was not found.
    fn tally(&self, entity: EntityId) -> Tally {
        self.tallies.get(&entity).copied().unwrap_or_default()
    }

    /// Share of filled cells with a trait; 0 where none is filled.
    fn share(&self, which: Trait) -> f64 {
        ratio(self.traits[which as usize], self.filled())
    }
}

impl fmt::Debug for ColumnProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ColumnProfile")
            .field("cells", &self.cells)
            .field("nulls", &self.nulls)
            .field("filled", &self.filled())
            .field("distinct", &self.distinct.estimate())
            .finish_non_exhaustive()
    }
}

/// A column to be judged.
#[derive(Clone, Copy, Debug)]
pub struct TableColumn<'a> {
    /// Header; `None` for files without.
    pub name: Option<&'a str>,
    /// Physical kind.
    pub kind: ColumnKind,
    /// Evidence.
    pub profile: &'a ColumnProfile,
}

/// Share of the cells that are neither null nor blank, with a 95 % interval from the number of cells
/// seen (Wilson, 1927). Of no cells it is 0, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Coverage {
    /// Estimate in `[0, 1]`.
    pub share: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Coverage {
    fn of(part: u64, whole: u64) -> Coverage {
        if whole == 0 {
            return Coverage { share: 0.0, low: 0.0, high: 1.0 };
        }
        let n = number(whole);
        let share = ratio(part.min(whole), whole);
        let z = NORMAL_QUANTILE_975;
        let centre = share + z * z / (2.0 * n);
        let spread = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + z * z / n;
        Coverage {
            share,
            low: ((centre - spread) / scale).clamp(0.0, share),
            high: ((centre + spread) / scale).clamp(share, 1.0),
        }
    }
}

/// Findings of one entity inside a column.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct EntityCount {
    /// Name.
    pub entity: String,
    /// Cells with at least one.
    pub cells: u64,
    /// Spans.
    pub spans: u64,
}

/// What a column is.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Entity the column as a whole is, or `None`.
    pub entity: Option<String>,
    /// Its group.
    pub group: Option<Group>,
    /// Probability in `[0, 1]`.
    pub confidence: f32,
    /// How much of the column supports it.
    pub coverage: Coverage,
    /// Second best.
    pub runner_up: Option<(String, f32)>,
    /// Why, in words; never a cell.
    pub reason: String,
    /// Free text: treat findings in place.
    pub free_text: bool,
    /// Findings inside cells, by entity name.
    pub entities: Vec<EntityCount>,
    /// `AA99 9999`, only where ten or more equal shapes were seen and they are the most common.
    pub shape: Option<String>,
    /// Non-null cells seen.
    pub cells: u64,
    /// Null cells seen.
    pub nulls: u64,
    /// Distinct cells (estimate).
    pub distinct: u64,
}

/// Counts of one entity's findings in a column.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    /// Cells with a finding that counts.
    cells: u64,
    /// Findings that count.
    spans: u64,
    /// Cells that a finding of any score covers.
    whole: u64,
    /// Of these, with a check that passed.
    validated: u64,
    /// Sum of the scores of covering findings, in [`SCORE_UNITS`].
    score: u128,
}

impl Tally {
    fn merge(&mut self, other: &Tally) {
        self.cells += other.cells;
        self.spans += other.spans;
        self.whole += other.whole;
        self.validated += other.validated;
        self.score += other.score;
    }
}

/// Range of a column's whole numbers, for telling counters from codes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Integers {
    cells: u64,
    range: Option<(i128, i128)>,
}

impl Integers {
    fn observe(&mut self, reading: &Reading) {
        if let Some(value) = reading.integer {
            self.merge(&Integers { cells: 1, range: Some((value, value)) });
        }
    }

    fn merge(&mut self, other: &Integers) {
        self.cells += other.cells;
        self.range = match (self.range, other.range) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (mine, theirs) => mine.or(theirs),
        };
    }
}

/// Buffers of one `observe`, and what was read of recent cells: columns repeat themselves.
struct Reader {
    folded: String,
    shape: String,
    recent: Vec<Option<(u64, Reading)>>,
}

impl Reader {
    fn new() -> Reader {
        Reader { folded: String::new(), shape: String::new(), recent: vec![None; RECENT_CELLS] }
    }

    fn read(&mut self, hash: u64, cell: &str) -> Reading {
        let slot = usize::try_from(hash % RECENT_CELLS_U64).expect("a remainder of a small number");
        match self.recent[slot] {
            Some((known, reading)) if known == hash => reading,
            _ => {
                let reading = cell::read(cell, &mut self.folded);
                self.recent[slot] = Some((hash, reading));
                reading
            }
        }
    }
}

/// Rules with a telling check that the whole of a cell satisfies, ascending.
fn rules_of_whole(cell: &str, rules: &RuleSet) -> Vec<RuleId> {
    if cell.len() > WITNESS_BYTES_MAX || !cell.contains(|c: char| c.is_ascii_alphanumeric()) {
        return Vec::new();
    }
    let fits = |rule: &Rule| {
        let pattern = &rules.definition(rule.entity).patterns[rule.pattern];
        chance(pattern) <= CHANCE_TELLING_MAX
            && pattern.pattern.length_max.is_none_or(|max| cell.len() <= max)
            && pattern.is_whole(cell)
    };
    (0..).map(RuleId).zip(rules.rules()).filter(|(_, rule)| fits(rule)).map(|(id, _)| id).collect()
}

/// Share of texts of the right form that pass the checks by chance; 1 where there is none.
fn chance(pattern: &RulePattern) -> f64 {
    pattern.checks.iter().map(|check| check.chance).product()
}

/// Whether no letter or digit of the cell lies outside the span.
fn covers(cell: &str, span: &Span) -> bool {
    let outside = |part: Option<&str>| part.is_some_and(|p| p.contains(char::is_alphanumeric));
    !outside(cell.get(..span.start)) && !outside(cell.get(span.end..))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a score in [0, 1] times a million fits 32 bits"
)]
fn score_units(score: f32) -> u128 {
    u128::from((f64::from(score.clamp(0.0, 1.0)) * SCORE_UNITS).round() as u32)
}

#[expect(clippy::cast_precision_loss, reason = "shares need no more than 53 bits")]
fn number(n: u64) -> f64 {
    n as f64
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { number(part) / number(whole) }
}

/// Score from which a finding inside a cell counts.
const SCORE_COUNTED: f32 = 0.5;
/// Scores are summed as whole numbers, so that merging is exact.
const SCORE_UNITS: f64 = 1_000_000.0;
/// Cells whose reading is kept while a shard is observed.
const RECENT_CELLS: usize = 512;
const RECENT_CELLS_U64: u64 = 512;
/// Cells scanned in one call.
const BATCH_CELLS_MAX: usize = 4_096;
/// Checks that more texts pass by chance say too little of a column.
const CHANCE_TELLING_MAX: f64 = 0.125;
/// Longer cells are held against no rule as a whole.
const WITNESS_BYTES_MAX: usize = 96;
/// Bytes of cells after which a call is made.
const BATCH_BYTES_MAX: usize = 1 << 20;
/// 97.5 % quantile of the normal distribution.
const NORMAL_QUANTILE_975: f64 = 1.959_963_984_540_054;
