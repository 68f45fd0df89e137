//! Text in, spans out: which parts of a text, or which columns of a table, are personal data.
//!
//! Rules are data: one TOML file per entity under `recognizers/`, with its official source,
//! examples and near-misses. [`RuleSet`] holds them, [`Recognizer`] compiles them once and scans
//! text in one pass; [`judge`] looks at a column as a whole; [`check`] is what a contributor runs.
//!
//! ```
//! use allonym_recognize::{Recognizer, RuleFile, RuleSet, Scratch, Tuning};
//!
//! let file = RuleFile {
//!     path: "customer.toml".to_owned(),
//!     text: r#"
//!         entity = "CUSTOMER_NO"
//!         name = "customer number"
//!         group = "direct"
//!         category = "user.unique_id"
//!         treatment = "pseudonymize"
//!         source = "house rule 12"
//!         [[pattern]]
//!         regex = '\bK-\d{8}\b'
//!         score = { bare = 0.9 }
//!     "#
//!     .to_owned(),
//! };
//! let rules = RuleSet::parse(&[file])?;
//! let recognizer = Recognizer::compile(&rules, &Tuning::default())?;
//! let (mut scratch, mut spans) = (Scratch::default(), Vec::new());
//! recognizer.scan("order of K-00420042", &mut scratch, &mut spans);
//! assert_eq!((spans[0].start, spans[0].end), (9, 19));
//! assert_eq!(rules.entity(spans[0].entity).name, "CUSTOMER_NO");
//! # Ok::<(), allonym_recognize::RuleError>(())
//! ```
//!
//! # Limits
//!
//! Rules find what has a form: numbers with a check digit, addresses of machines and mailboxes,
//! words that stand near them. They do not know names of people or places. A score is the rule
//! author's estimate until it is measured on labelled text. Every limit is a constant of this
//! crate, such as [`PATTERN_BYTES_MAX`].

mod bytes;
mod canonical;
mod check;
mod column;
mod context;
mod engine;
mod file;
mod fold;
mod format;
mod header;
mod lead;
mod nearest;
mod overlap;
mod parallel;
mod pattern;
mod scanner;
mod set;
mod span;
mod texts;
pub mod validate;

pub use check::{CheckReport, EXAMPLES_MIN, NEAR_MISSES_MIN, Problem, check};
pub use column::{ColumnKind, ColumnProfile, Coverage, EntityCount, Judgement, TableColumn, judge};
pub use context::{PHRASE_BYTES_MAX, PHRASES_MAX, WITHIN_MAX};
pub use format::{FILE_BYTES_MAX, rule_schema};
pub use pattern::{MATCH_BYTES_MAX, PATTERN_BYTES_MAX, PROGRAM_BYTES_MAX};
pub use scanner::{LIST_MAX, Recognizer, Scratch, Tuning};
pub use set::{
    Entity, Group, PATTERNS_MAX, RULES_MAX, RuleError, RuleFile, RuleSet, RuleSummary, Selection,
};
pub use span::{EntityId, Evidence, RuleId, Span};
pub use validate::e164;
