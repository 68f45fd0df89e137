//! What must go, and when: decisions from retention rules, anchors, holds and a date.
//!
//! A [`Rule`] says how long something is kept, counted from an anchor in one calendar. For one row
//! [`Rule::decide`] gives the instant of expiry and a [`Verdict`]; for whole columns a [`Judge`]
//! gives the same verdicts by comparing numbers with cut points that were found once.
//!
//! ```
//! use allonym_retention::{Anchor, Rule, Term, Verdict, Zone};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rule = Rule::new(Term::new("P6Y".parse()?, None)?, Zone::named("Europe/Berlin")?);
//! let closed = Anchor::read(Some("2020-02-29"));
//! let decision = rule.decide(closed, false, "2026-02-28T23:00:00Z".parse()?);
//! assert_eq!(decision.verdict, Verdict::Expired);
//! assert_eq!(decision.expires_at, Some("2026-02-28T23:00:00Z".parse()?));
//! # Ok(())
//! # }
//! ```
//!
//! # Limits
//!
//! Periods of 1,000 years and 366,000 days; anchors from the year 1 to the year 9999, earlier ones
//! are unreadable and later ones lie in the future. Time zones come from the database that is
//! compiled in, never from the machine, so that a decision can be repeated elsewhere.
//!
//! # What it does not do
//!
//! It reads no file, no clock and no environment, and deletes nothing. A verdict is about the
//! anchor it was given: whether that is the right column, and whether the period is lawful, nobody
//! can see from here.

mod action;
mod anchor;
mod column;
mod cut;
mod hold;
mod period;
mod rule;
mod zone;

pub use action::{OnExpiry, deletion_due, inherited_expiry};
pub use anchor::Anchor;
pub use column::{AnchorTypeError, Counts, Judge, Ruling};
pub use hold::Hold;
pub use period::{Period, PeriodError};
pub use rule::{Decision, Erasure, OnNullAnchor, Rule, Term, TermError, Verdict};
pub use zone::{Zone, ZoneError};
