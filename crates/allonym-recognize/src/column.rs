//! A column is judged as a whole, not as its cells.

use crate::{Group, Recognizer, RuleSet, Scratch};

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

/// Mergeable evidence of one column. Holds no cell after `observe` returns beyond bounded hashes and shapes.
#[derive(Clone, Debug, Default)]
pub struct ColumnProfile {}

impl ColumnProfile {
    /// Adds cells; `None` is null. Cells of typed columns come as their canonical text.
    pub fn observe<'a>(
        &mut self,
        _recognizer: &Recognizer,
        _cells: &mut dyn Iterator<Item = Option<&'a str>>,
        _scratch: &mut Scratch,
    ) {
        todo!()
    }
    /// Adds another shard's evidence; the result does not depend on the order of merging.
    pub fn merge(&mut self, _other: &ColumnProfile) {
        todo!()
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

/// Share of non-null cells, with a 95 % interval from the number of cells seen (Wilson).
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Coverage {
    /// Estimate in `[0, 1]`.
    pub share: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
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
#[derive(Clone, Debug)]
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

/// Judges all columns of a table together (neighbours inform each other).
pub fn judge(_rules: &RuleSet, _columns: &[TableColumn<'_>]) -> Vec<Judgement> {
    todo!()
}
