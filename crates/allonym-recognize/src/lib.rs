//! Text in, spans out.
//!
//! API (each module will hold its own; this is the contract other crates compile against).

mod span;
mod set;
mod scanner;
mod column;
mod check;
pub mod validate;

pub use check::{CheckReport, Problem, check};
pub use column::{ColumnKind, ColumnProfile, Coverage, EntityCount, Judgement, TableColumn, judge};
pub use scanner::{Recognizer, Scratch, Tuning};
pub use set::{Entity, Group, RuleError, RuleFile, RuleSet, RuleSummary, Selection};
pub use span::{EntityId, Evidence, RuleId, Span};
