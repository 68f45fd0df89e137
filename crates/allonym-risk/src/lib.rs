//! How far rows of a table can be told apart, and so be linked to people, by columns an outsider knows.
//!
//! Arrow batches go in, column by column turned into small numbers, and the cells are forgotten but for
//! the list of distinct ones; what comes out are counts and shares. Nothing that comes out holds a cell.
//!
//! ```
//! use allonym_risk::{Role, Tables, classes, disclosure};
//! use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
//! use std::sync::Arc;
//!
//! let age: ArrayRef = Arc::new(Int64Array::from(vec![30, 30, 40, 40]));
//! let ill: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a", "a"]));
//! let rows = RecordBatch::try_from_iter([("age", age), ("ill", ill)]).unwrap();
//!
//! let mut tables = Tables::new(&["age".to_owned(), "ill".to_owned()])?;
//! tables.begin(Role::Data, &rows.schema(), &[0, 1])?;
//! tables.push(&rows)?;
//! let tables = tables.finish()?;
//! let groups = classes(&[tables.keyed(Role::Data, 0)]);
//! assert_eq!((groups.sizes().len(), groups.k()), (2, 2));
//! // One of the two groups holds a single value: whoever is in it is given away.
//! assert_eq!(disclosure(&groups, &tables.keyed(Role::Data, 1), None).distinct_l, 1);
//! # Ok::<(), allonym_risk::RiskError>(())
//! ```
//!
//! # Rules
//!
//! - A null is a value of its own: two rows that lack it are alike in it. A NaN is refused.
//! - Whole numbers are equal whatever their type; `-0.0` is `0`. Text is compared byte by byte.
//! - Text that holds nothing but canonical numbers, or nothing but ISO dates, is ordered as such, so that
//!   CSV and Parquet agree.
//! - Results do not depend on threads, on how rows are cut into batches, or, attacks left out, on the
//!   order of rows.
//!
//! # Limits
//!
//! Fewer than 2^32 rows, 64 columns, 2^32 distinct cells each; distinct text is kept in memory while a
//! table is measured. What an outsider knows is an assumption, and these numbers are no better than it.

mod attacks;
mod classes;
mod coarser;
mod columns;
mod disclosure;
mod error;
mod math;
mod population;
mod subsets;

pub use attacks::{AttackKind, AttackOutcome, Attacks, attack};
pub use classes::{Classes, Keyed, SizeBin, classes};
pub use coarser::{Change, Coarser, CoarserColumn, coarser};
pub use columns::{COLUMNS_MAX, Column, Encoded, Kind, Role, Tables};
pub use disclosure::{Disclosure, disclosure};
pub use error::RiskError;
pub use population::{
    KMap, PitmanFit, expected_hit, k_map, likely_size, pitman, unique_match_share,
};
pub use subsets::{UniqueSet, UniqueSets, unique_sets};
