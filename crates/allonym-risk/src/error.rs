//! What a table can have wrong with it.

use crate::Role;

/// Why a table cannot be measured. Names columns, tables and rows by their number, never a cell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RiskError {
    /// A column that is not there.
    #[error("no column `{column}` in {table}; it has {known}", table = .table.words())]
    Missing {
        /// The column.
        column: String,
        /// The table.
        table: Role,
        /// Its columns.
        known: String,
    },
    /// A column that was named twice.
    #[error("column `{column}` is named twice; a column has one part to play")]
    Twice {
        /// The column.
        column: String,
    },
    /// Two columns of one name.
    #[error("{table} has two columns `{column}`", table = .table.words())]
    Duplicate {
        /// The column.
        column: String,
        /// The table.
        table: Role,
    },
    /// No row, or only one.
    #[error("{table} has {rows} rows; at least two are needed to tell one from another", table = .table.words())]
    TooFew {
        /// The table.
        table: Role,
        /// Its rows.
        rows: u64,
    },
    /// More rows or distinct cells than are counted.
    #[error("{table} has more than 4,294,967,294 rows or distinct cells in a column", table = .table.words())]
    TooMany {
        /// The table.
        table: Role,
    },
    /// A column without a single value.
    #[error("column `{column}` of {table} is empty: it holds nothing but nulls", table = .table.words())]
    AllNull {
        /// The column.
        column: String,
        /// The table.
        table: Role,
    },
    /// A number that is none.
    #[error("column `{column}` of {table} holds NaN in row {row}, which is equal to nothing", table = .table.words())]
    NotANumber {
        /// The column.
        column: String,
        /// The table.
        table: Role,
        /// Row, from 0.
        row: u64,
    },
    /// Too many columns, or none.
    #[error("{given} columns were named; from 1 to {max} can be measured together", max = crate::COLUMNS_MAX)]
    Columns {
        /// How many.
        given: usize,
    },
    /// Nested and binary columns.
    #[error("column `{column}` of {table} is of type {type_name}, which has no values to compare", table = .table.words())]
    Type {
        /// The column.
        column: String,
        /// The table.
        table: Role,
        /// The Arrow type, without names of fields.
        type_name: &'static str,
    },
    /// One column, two kinds.
    #[error("column `{column}` holds {found} in {table} and {expected} elsewhere", table = .table.words())]
    Kinds {
        /// The column.
        column: String,
        /// The table.
        table: Role,
        /// What it holds there.
        found: &'static str,
        /// What it holds elsewhere.
        expected: &'static str,
    },
    /// Counts that are none.
    #[error(
        "column `{column}` counts people: whole numbers from 1 are needed, and row {row} has none"
    )]
    Count {
        /// The column.
        column: String,
        /// Row, from 0.
        row: u64,
    },
    /// The caller asked to stop.
    #[error("stopped")]
    Stopped,
}
