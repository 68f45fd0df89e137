//! How much a model gives away about who was in its training data.
//!
//! Signals go in (what a target model and reference models, trained with and without each record,
//! say of every record), scores come out, and from scores numbers with intervals that hold: the
//! share of members recognised at few false alarms, the area under the curve, lower bounds of
//! epsilon. Nothing here trains a model, and nothing here knows what the records are.
//!
//! ```
//! use allonym_exposure::{Layout, Lira, Matrix, References, Roc};
//!
//! // Four references, two of them trained on each of three invented records.
//! let logits = [2.0, 0.1, 1.0, 0.0, 1.9, 1.1, 2.2, 0.0, -1.0, 0.1, 2.1, -1.2];
//! let masks = [
//!     true, false, true, false, true, true, true, false, false, false, true, false,
//! ];
//! let references = References::new(
//!     Matrix::new(&logits[..], Layout::ByReference, 4, 3)?,
//!     Matrix::new(&masks[..], Layout::ByReference, 4, 3)?,
//! )?;
//! let target = [2.1, 0.0, -1.1];
//! let scores = Lira::default().score(&target[..], &references)?;
//! let roc = Roc::new(&scores.values, &[true, false, false])?;
//! assert_eq!(roc.auc(), 1.0);
//! // Two non-members cannot show a rate of one in a hundred, and it says so.
//! assert!(!roc.tpr_at(0.01, 0.95)?.resolvable);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Rules
//!
//! - A record with a signal that is NaN or infinite is dropped and counted, never filled in.
//! - Signals without spread get the smallest that single precision shows, and a flag; a record that
//!   no reference (or every reference) was trained on is not scored by attacks that need both.
//! - A rate that so few non-members cannot show is marked as not resolvable.
//! - Results do not depend on threads, on how signals are cut into blocks, or on the order of
//!   records.
//! - Matrices are read in blocks, from memory or from `.npy` and `.npz` files, so they may be
//!   larger than memory; what is kept is a few numbers for each record.
//!
//! # Limits
//!
//! What no attack finds may still be there. Intervals speak of records drawn as these were: not of
//! other data, other models, or attackers who know more. One training run gives one sample of the
//! training's own randomness.

mod compare;
mod epsilon;
mod gaussian;
mod groups;
mod interval;
mod language;
mod npy;
mod qmia;
mod ratio;
mod records;
mod rmia;
mod roc;
mod scores;
mod signals;
mod single;
mod special;
mod subjects;
mod suite;
mod sum;
mod verdict;

pub use compare::{Comparison, compare};
pub use epsilon::{
    OneRun, OneRunError, ThresholdEpsilon, dp_epsilon, gdp_epsilon, gdp_mu, one_run_audit,
    one_run_epsilon, one_run_p_value, threshold_epsilon,
};
pub use gaussian::{Centre, Lira, LiraMode, TLira, Variance, ensemble_limit, offset};
pub use groups::{GroupCells, GroupExposure, groups, holm};
pub use interval::{Interval, clopper_pearson, korn_graubard, wilson};
pub use language::{
    canary_exposure, mean_log_probability, min_k, recall, standardised, zlib_ratio,
};
pub use npy::{Kind, NpyArray, NpyError, Npz};
pub use qmia::qmia;
pub use ratio::{RatioBound, ratio_bound};
pub use records::{RecordExposure, RecordOptions, records};
pub use rmia::{Population, Rmia, RmiaScores};
pub use roc::{Point, Roc, RocError, TprAt, auc_interval};
pub use scores::{AttackError, Flags, Mode, Scores};
pub use signals::{Layout, Matrix, References, Series, SignalError, Store};
pub use single::{Groups, gap, loss, modified_entropy, population};
pub use subjects::{SubjectError, SubjectScores, auc_by_subject, by_subject};
pub use suite::{Features, Looks, Signals, candidates};
pub use verdict::{Candidate, Decision, Finding, Gate, Trials, Verdict, verdict, worst};
