//! A column as the judge sees it.

use super::cell::Trait;
use super::heading::Heading;
use super::{ColumnKind, ColumnProfile, TableColumn, ratio};
use crate::RuleSet;

/// A column's evidence and header, with what both together say before any entity is asked for.
pub(super) struct Sight<'a> {
    pub(super) profile: &'a ColumnProfile,
    pub(super) kind: ColumnKind,
    pub(super) heading: Heading<'a>,
    /// Distinct cells, estimated.
    pub(super) distinct: u64,
    /// Numbers with fractions, declared or in writing.
    pub(super) float: bool,
    /// Whole numbers, declared or in writing.
    pub(super) integer: bool,
    /// Whole numbers that are all different and close together: row ids.
    pub(super) counter: bool,
    /// A few labels that repeat.
    pub(super) labels: bool,
}

impl<'a> Sight<'a> {
    pub(super) fn of(rules: &RuleSet, column: &TableColumn<'a>) -> Sight<'a> {
        let profile = column.profile;
        let distinct = profile.distinct.estimate();
        let (fraction, integer) = (profile.share(Trait::Fraction), profile.share(Trait::Integer));
        Sight {
            profile,
            kind: column.kind,
            heading: Heading::read(rules, column.name),
            distinct,
            float: column.kind == ColumnKind::Float || fraction > 0.1 && fraction + integer > 0.95,
            integer: column.kind == ColumnKind::Integer
                || integer > 0.98 && profile.share(Trait::LeadingZero) == 0.0,
            counter: is_counter(profile, distinct),
            labels: distinct <= LABELS_MAX && ratio(distinct, profile.filled()) < LABELS_SHARE_MAX,
        }
    }

    /// 1 for a column of a date type with cells, else 0.
    pub(super) fn typed_date(&self) -> f64 {
        let typed = matches!(self.kind, ColumnKind::Date | ColumnKind::Timestamp);
        f64::from(u8::from(typed && self.profile.filled() > 0))
    }

    pub(super) fn distinct_share(&self) -> f64 {
        ratio(self.distinct, self.profile.cells).min(1.0)
    }

    /// Whether all whole numbers lie in a range.
    pub(super) fn integers_within(&self, low: i128, high: i128) -> bool {
        self.profile.integers.range.is_some_and(|(min, max)| low <= min && max <= high)
    }

    /// Share of cells that are years of a range, or days of such years as `19620218`.
    pub(super) fn years_within(&self, low: u64, high: u64) -> f64 {
        let years = self.integers_within(low.into(), high.into())
            || self.integers_within((low * 10_000).into(), (high * 10_000 + 1_231).into());
        if years { self.profile.share(Trait::Integer) } else { 0.0 }
    }
}

fn is_counter(profile: &ColumnProfile, distinct: u64) -> bool {
    let cells = profile.filled();
    let Some((min, max)) = profile.integers.range else { return false };
    let spread = max.saturating_sub(min).saturating_add(1);
    profile.share(Trait::Integer) > 0.98
        && cells >= COUNTER_CELLS_MIN
        && ratio(distinct, cells) > 0.9
        && spread <= i128::from(distinct).saturating_mul(COUNTER_GAPS_MAX)
}

/// Numbers of a counter lie at most so far apart on average.
const COUNTER_GAPS_MAX: i128 = 8;
const COUNTER_CELLS_MIN: u64 = 5;
/// Labels of a category, at most, and their share of the cells.
const LABELS_MAX: u64 = 60;
const LABELS_SHARE_MAX: f64 = 0.05;
