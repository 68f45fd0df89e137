//! Policy to plan to treated batches. No input or output, no clock, no environment.
//!
//! A [`Policy`] says what shall happen to each column and why. A [`Plan`] binds it to a schema and
//! a keyring, and finds every mistake before the first row. [`Plan::apply`] turns a record batch
//! into a [`Treated`] one; nothing else can make one, so that a writer that takes only `Treated`
//! cannot write raw rows.
//!
//! ```
//! use allonym_core::{Plan, Policy, Position};
//! use arrow_array::{RecordBatch, StringArray, cast::AsArray};
//! use std::{collections::BTreeMap, sync::Arc};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let policy = Policy::parse(
//!     "version = 1\n[columns.born]\ntreat = \"generalize\"\nto = \"year\"\n", "allonym.toml")?;
//! let born = StringArray::from(vec![Some("1980-05-17"), None, Some("unknown")]);
//! let batch = RecordBatch::try_from_iter([("born", Arc::new(born) as _)])?;
//!
//! let plan = Plan::compile(&policy, batch.schema_ref(), None, None, &BTreeMap::new())?;
//! let treated = plan.apply(&batch, Position { document: "people.csv", first_row: 0 })?;
//! let years = treated.records().column(0).as_string::<i32>();
//! assert_eq!(years.iter().collect::<Vec<_>>(), [Some("1980"), None, None]);
//! assert_eq!(treated.counts()[0].unparseable, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Limits
//!
//! A policy of 8 MiB, 10,000 sentinels, 1,000 cut points a column; a batch whose treated text fits
//! the offsets of its type (2 GiB for `Utf8`). Maps, unions and list views are kept, dropped or
//! redacted whole. Floats, and decimals with places, are never made tokens.
//!
//! # What it does not protect against
//!
//! Equal values keep equal tokens, so frequencies show. What is kept can single people out
//! together with other columns. Free text is as safe as what the recognizer finds in it.

mod codes;
mod counts;
mod decimal;
mod plan;
mod policy;
mod sensitive;
mod treat;
mod wording;

pub use codes::explain;
pub use counts::ColumnCounts;
pub use plan::{
    ApplyError, Holding, Plan, PlanError, PlannedColumn, Position, Reach, Spelling, Treated,
    default_field, glob_matches,
};
pub use policy::{
    AnchorSource, Coarser, ExposureGate, ExposureMetric, Gates, KeyReference, Policy, PolicyError,
    Promise, ROW_EXPIRY, RequireTags, Retention, Tag, TagClash, TagMatch, UnfitTag,
    suggested_treatment,
};
pub use sensitive::Sensitive;
pub use treat::Coarseness;
