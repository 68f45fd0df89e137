//! How long something is kept, and what is to be said of one row.

use crate::anchor::{DAY, date_of, day_of, wall_at, wall_nanoseconds};
use crate::{Anchor, AnchorTypeError, Period, Zone};
use arrow_array::{Array, TimestampMicrosecondArray};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};

/// How long something is kept, counted in which calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The period, and the floor below it.
    pub term: Term,
    /// The zone in which days begin and periods are added.
    pub zone: Zone,
    /// The zone of timestamps without one; without it they cannot be decided.
    pub assume_zone: Option<Zone>,
    /// What a missing anchor means.
    pub on_null_anchor: OnNullAnchor,
}

impl Rule {
    /// A rule that assumes nothing: timestamps without a zone and missing anchors are violations.
    #[must_use]
    pub fn new(term: Term, zone: Zone) -> Rule {
        Rule { term, zone, assume_zone: None, on_null_anchor: OnNullAnchor::Fail }
    }

    /// What is to be said of a row on a given date.
    ///
    /// `held`: a legal hold covers the row. [`OnNullAnchor::DatasetAnchor`] has no effect here:
    /// whoever knows the anchor of the data set passes it in place of a missing one.
    #[must_use]
    pub fn decide(&self, anchor: Anchor, held: bool, as_of: Timestamp) -> Decision {
        let (expires_at, finding) = self.find(anchor, as_of);
        Decision { expires_at, verdict: finding.verdict(held) }
    }

    /// When what hangs on the anchor expires: one addition in the calendar of the zone. A date
    /// keeps its whole last day; a time skipped by the clocks becomes the later one, a time they
    /// show twice the earlier. `None` where nothing can be told: no anchor, no zone, no such date.
    #[must_use]
    pub fn expires_at(&self, anchor: Anchor) -> Option<Timestamp> {
        self.ends_at(self.term.duration, anchor)
    }

    /// When each row of a column of anchors expires, in microseconds UTC; null where
    /// [`Rule::expires_at`] tells nothing. What lies between two microseconds is the later one, for
    /// nothing may go too early. `dataset` stands in for missing anchors where the rule says so.
    ///
    /// # Errors
    /// A column of a type that holds no anchors.
    pub fn expiries(
        &self,
        anchors: &dyn Array,
        dataset: Anchor,
    ) -> Result<TimestampMicrosecondArray, AnchorTypeError> {
        let mut expiries = Vec::with_capacity(anchors.len());
        // Neighbours often have one anchor, and calendars are slow.
        let none = self.or_dataset(Anchor::Null, dataset);
        let mut last = (Anchor::Null, self.expiry_microsecond(none));
        for row in 0..anchors.len() {
            let anchor = Anchor::of_cell(anchors, row)?;
            if anchor != last.0 {
                last = (anchor, self.expiry_microsecond(self.or_dataset(anchor, dataset)));
            }
            expiries.push(last.1);
        }
        Ok(TimestampMicrosecondArray::from(expiries).with_timezone("UTC"))
    }

    fn or_dataset(&self, anchor: Anchor, dataset: Anchor) -> Anchor {
        match (anchor, self.on_null_anchor) {
            (Anchor::Null, OnNullAnchor::DatasetAnchor) => dataset,
            _ => anchor,
        }
    }

    /// [`Rule::expires_at`] in microseconds since 1970, never too early.
    #[must_use]
    pub fn expiry_microsecond(&self, anchor: Anchor) -> Option<i64> {
        let nanoseconds = self.expires_at(anchor)?.as_nanosecond();
        let (whole, rest) = (nanoseconds.div_euclid(1_000), nanoseconds.rem_euclid(1_000));
        i64::try_from(whole + i128::from(rest > 0)).ok()
    }

    /// What a person's request to erase a row meets: the statutory floor restricts it until that
    /// is over (GDPR, Article 18), a hold until it is lifted.
    #[must_use]
    pub fn erasure(&self, anchor: Anchor, held: bool, as_of: Timestamp) -> Erasure {
        let due = match self.term.retain_at_least {
            None => None,
            Some(floor) => match self.ends_at(floor, anchor) {
                Some(due) => Some(due),
                None => return Erasure::Unverifiable,
            },
        };
        match due.filter(|due| as_of < *due) {
            None if held => Erasure::Held,
            None => Erasure::Due,
            Some(due) => Erasure::Restricted { due },
        }
    }

    fn find(&self, anchor: Anchor, as_of: Timestamp) -> (Option<Timestamp>, Finding) {
        let begins = match anchor {
            Anchor::Null if self.on_null_anchor == OnNullAnchor::Expire => {
                return (None, Finding::Expired);
            }
            Anchor::Null => return (None, Finding::Null),
            Anchor::Unreadable => return (None, Finding::Unreadable),
            Anchor::Wall(_) if self.assume_zone.is_none() => return (None, Finding::Naive),
            Anchor::Date(date) => instant_of(&self.zone, date.to_datetime(Time::midnight())),
            Anchor::Wall(wall) => self.assume_zone.as_ref().and_then(|zone| instant_of(zone, wall)),
            Anchor::Instant(instant) => Some(instant),
        };
        if self.is_too_early(anchor) {
            return (None, Finding::Unreadable);
        }
        let expires_at = self.expires_at(anchor);
        // An anchor on the last days of the calendar has no instant and is far ahead of any other.
        let finding = if begins.is_none_or(|begins| begins > latest_anchor(as_of)) {
            Finding::Future
        } else if expires_at.is_some_and(|expires_at| as_of >= expires_at) {
            Finding::Expired
        } else {
            Finding::Kept
        };
        (expires_at, finding)
    }

    /// Before the year 1 nothing was noted down; such an anchor is a mistake of some program.
    fn is_too_early(&self, anchor: Anchor) -> bool {
        match anchor {
            Anchor::Date(date) => day_of(date) < FIRST_DAY,
            Anchor::Wall(wall) => wall_nanoseconds(wall) < FIRST_NANOSECOND,
            Anchor::Instant(instant) => instant.as_nanosecond() < FIRST_NANOSECOND,
            Anchor::Null | Anchor::Unreadable => false,
        }
    }

    fn ends_at(&self, period: Period, anchor: Anchor) -> Option<Timestamp> {
        if self.is_too_early(anchor) {
            return None;
        }
        let local = match anchor {
            Anchor::Null | Anchor::Unreadable => return None,
            Anchor::Date(date) => {
                let end = date_of(day_of(period.after(date)?) + 1)?;
                return instant_of(&self.zone, end.to_datetime(Time::midnight()));
            }
            Anchor::Instant(instant) => self.zone.time.to_datetime(instant),
            Anchor::Wall(wall) => {
                self.zone.time.to_datetime(instant_of(self.assume_zone.as_ref()?, wall)?)
            }
        };
        instant_of(&self.zone, period.after(local.date())?.to_datetime(local.time()))
    }
}

/// A period with the statutory floor below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    duration: Period,
    retain_at_least: Option<Period>,
}

impl Term {
    /// A period during which something is kept, and how long it must be kept at least.
    ///
    /// # Errors
    /// A floor that ends later than the period does from any date at all: `P30D` below `P1M`, since
    /// February is shorter.
    pub fn new(duration: Period, retain_at_least: Option<Period>) -> Result<Term, TermError> {
        match retain_at_least.filter(|floor| floor.can_outlast(duration)) {
            Some(floor) => Err(TermError { duration, retain_at_least: floor }),
            None => Ok(Term { duration, retain_at_least }),
        }
    }

    /// How long something is kept.
    #[must_use]
    pub fn duration(&self) -> Period {
        self.duration
    }

    /// How long it must be kept.
    #[must_use]
    pub fn retain_at_least(&self) -> Option<Period> {
        self.retain_at_least
    }
}

/// A floor above the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("retain_at_least {retain_at_least} can end after duration {duration}")]
pub struct TermError {
    /// The period.
    pub duration: Period,
    /// The floor.
    pub retain_at_least: Period,
}

/// What a missing anchor means. Guessing harms either way: keeping breaks storage limitation,
/// deleting breaks duties to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnNullAnchor {
    /// A violation, for somebody to look at.
    #[default]
    Fail,
    /// The row has expired.
    Expire,
    /// The anchor of the data set stands in.
    DatasetAnchor,
    /// A violation, and the row is moved out when retention is enforced.
    Quarantine,
}

impl OnNullAnchor {
    /// All, in the order they are offered.
    pub const ALL: &'static [OnNullAnchor] = &[
        OnNullAnchor::Fail,
        OnNullAnchor::Expire,
        OnNullAnchor::DatasetAnchor,
        OnNullAnchor::Quarantine,
    ];

    /// Its word in a policy.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            OnNullAnchor::Fail => "fail",
            OnNullAnchor::Expire => "expire",
            OnNullAnchor::DatasetAnchor => "dataset_anchor",
            OnNullAnchor::Quarantine => "quarantine",
        }
    }
}

/// What is said of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// From when on it has expired, where that can be told.
    pub expires_at: Option<Timestamp>,
    /// The verdict.
    pub verdict: Verdict,
}

/// The verdict on one row.
///
/// A hold covers everything but expiry, which it turns into [`Verdict::ExpiredOnHold`]: a held row
/// stays whatever its anchor, and once the hold is lifted the verdict is the one without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Within its period.
    Retain,
    /// Past its period: due.
    Expired,
    /// On hold, and not known to be past its period.
    Hold,
    /// Past its period and on hold: it stays, out of training views.
    ExpiredOnHold,
    /// No anchor: cannot be decided.
    NullAnchor,
    /// The anchor lies more than a day ahead: a slip that would make data immortal.
    FutureAnchor,
    /// A timestamp without a zone where none may be assumed: cannot be decided.
    NaiveTimestamp,
    /// The anchor is no date: cannot be decided.
    UnreadableAnchor,
}

impl Verdict {
    /// All, in the order of their declaration.
    pub const ALL: &'static [Verdict] = &[
        Verdict::Retain,
        Verdict::Expired,
        Verdict::Hold,
        Verdict::ExpiredOnHold,
        Verdict::NullAnchor,
        Verdict::FutureAnchor,
        Verdict::NaiveTimestamp,
        Verdict::UnreadableAnchor,
    ];

    /// Its word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Retain => "retain",
            Verdict::Expired => "expired",
            Verdict::Hold => "hold",
            Verdict::ExpiredOnHold => "expired_on_hold",
            Verdict::NullAnchor => "null_anchor",
            Verdict::FutureAnchor => "future_anchor",
            Verdict::NaiveTimestamp => "naive_timestamp",
            Verdict::UnreadableAnchor => "unreadable_anchor",
        }
    }
}

/// What a request to erase a row meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// Nothing stands in its way.
    Due,
    /// The statutory floor: the row is restricted until then, and goes then.
    Restricted {
        /// From when on it may go.
        due: Timestamp,
    },
    /// A legal hold without an end.
    Held,
    /// There is a floor and no telling when it ends.
    Unverifiable,
}

/// What is found of an anchor, whatever the holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    Kept,
    Expired,
    Null,
    Future,
    Naive,
    Unreadable,
}

impl Finding {
    pub(crate) fn verdict(self, held: bool) -> Verdict {
        match (self, held) {
            (Finding::Expired, true) => Verdict::ExpiredOnHold,
            (_, true) => Verdict::Hold,
            (Finding::Kept, false) => Verdict::Retain,
            (Finding::Expired, false) => Verdict::Expired,
            (Finding::Null, false) => Verdict::NullAnchor,
            (Finding::Future, false) => Verdict::FutureAnchor,
            (Finding::Naive, false) => Verdict::NaiveTimestamp,
            (Finding::Unreadable, false) => Verdict::UnreadableAnchor,
        }
    }
}

/// The instant at which a wall in the zone shows the time: the later reading of a time the clocks
/// skip, the earlier of one they show twice (RFC 5545). `None` outside the calendar.
pub(crate) fn instant_of(zone: &Zone, wall: DateTime) -> Option<Timestamp> {
    zone.time.to_ambiguous_timestamp(wall).compatible().ok()
}

/// The last anchor that does not lie in the future: clocks differ and days end elsewhere later.
pub(crate) fn latest_anchor(as_of: Timestamp) -> Timestamp {
    Timestamp::from_nanosecond(as_of.as_nanosecond() + DAY).unwrap_or(Timestamp::MAX)
}

/// The instant of a wall given in nanoseconds.
pub(crate) fn instant_of_wall(zone: &Zone, wall: i128) -> Option<Timestamp> {
    instant_of(zone, wall_at(wall)?)
}

/// The earliest anchor: 0001-01-01, in days and in nanoseconds from 1970.
pub(crate) const FIRST_DAY: i64 = -719_162;
pub(crate) const FIRST_NANOSECOND: i128 = FIRST_DAY as i128 * DAY;
/// Anchors before it are readable and suspicious.
pub(crate) const SUSPICIOUS_BEFORE: Date = Date::constant(1900, 1, 1);

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(duration: &str, zone: &str) -> Rule {
        let term = Term::new(duration.parse().unwrap(), None).unwrap();
        Rule::new(term, Zone::named(zone).unwrap())
    }

    fn read(text: &str) -> Anchor {
        Anchor::read(Some(text))
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// Anchor, duration, zone, as of, expiry, verdict.
    #[test]
    fn one_row_is_decided_as_the_calendar_of_the_zone_says() {
        for (anchor, duration, zone, as_of, expiry, verdict) in [
            // A date keeps its last day; midnight is that of the zone.
            ("2022-05-31", "P1M", "UTC", "2022-06-30T23:59:59Z", "2022-07-01T00:00:00Z", "retain"),
            ("2022-05-31", "P1M", "UTC", "2022-07-01T00:00:00Z", "2022-07-01T00:00:00Z", "expired"),
            (
                "2022-05-31",
                "P1D",
                "Asia/Tokyo",
                "2022-06-01T14:59:59Z",
                "2022-06-01T15:00:00Z",
                "retain",
            ),
            // A midnight that the clocks skip: the day begins at one.
            (
                "2018-11-03",
                "P0D",
                "America/Sao_Paulo",
                "2018-11-04T03:00:00Z",
                "2018-11-04T03:00:00Z",
                "expired",
            ),
            // A day that a country skipped: the next one begins.
            (
                "2011-12-29",
                "P0D",
                "Pacific/Apia",
                "2011-12-30T10:00:00Z",
                "2011-12-30T10:00:00Z",
                "expired",
            ),
            // Skipped: later. Shown twice: earlier.
            (
                "2024-03-30T01:30:00Z",
                "P1D",
                "Europe/Berlin",
                "2024-03-31T01:30:00Z",
                "2024-03-31T01:30:00Z",
                "expired",
            ),
            (
                "2024-10-26T00:30:00Z",
                "P1D",
                "Europe/Berlin",
                "2024-10-27T00:29:59.999999999Z",
                "2024-10-27T00:30:00Z",
                "retain",
            ),
            // A day ahead is allowed, a nanosecond more is not.
            (
                "2026-01-02T00:00:00Z",
                "P1Y",
                "UTC",
                "2026-01-01T00:00:00Z",
                "2027-01-02T00:00:00Z",
                "retain",
            ),
            (
                "2026-01-02T00:00:00.000000001Z",
                "P1Y",
                "UTC",
                "2026-01-01T00:00:00Z",
                "2027-01-02T00:00:00.000000001Z",
                "future_anchor",
            ),
            ("2026-01-02", "P1Y", "UTC", "2026-01-01T00:00:00Z", "2027-01-03T00:00:00Z", "retain"),
            (
                "2026-01-03",
                "P1Y",
                "UTC",
                "2026-01-01T00:00:00Z",
                "2027-01-04T00:00:00Z",
                "future_anchor",
            ),
            ("0001-01-01", "P1Y", "UTC", "2026-01-01T00:00:00Z", "0002-01-02T00:00:00Z", "expired"),
        ] {
            let decision = rule(duration, zone).decide(read(anchor), false, at(as_of));
            let told = (decision.expires_at, decision.verdict.word());
            assert_eq!(told, (Some(at(expiry)), verdict), "{anchor} {duration} {zone} {as_of}");
        }
    }

    #[test]
    fn what_has_no_expiry_is_still_decided() {
        let as_of = at("2026-01-01T00:00:00Z");
        for (anchor, duration, verdict) in [
            (read("9999-12-31"), "P1Y", Verdict::FutureAnchor),
            (read("9999-12-31T23:59:59Z"), "P1Y", Verdict::UnreadableAnchor),
            (read("0000-12-31"), "P1Y", Verdict::UnreadableAnchor),
            (read("-009999-01-01"), "P1Y", Verdict::UnreadableAnchor),
            (read("0000-12-31T23:59:59Z"), "P1Y", Verdict::UnreadableAnchor),
            (read("soon"), "P1Y", Verdict::UnreadableAnchor),
            (Anchor::Null, "P1Y", Verdict::NullAnchor),
            (read("2024-01-01T00:00:00"), "P1Y", Verdict::NaiveTimestamp),
        ] {
            let decision = rule(duration, "UTC").decide(anchor, false, as_of);
            assert_eq!(decision, Decision { expires_at: None, verdict }, "{anchor:?}");
        }
        // The end of the calendar is no end of the duty to keep.
        let late = at("9500-01-01T00:00:00Z");
        let decision = rule("P600Y", "UTC").decide(read("9450-01-01"), false, late);
        assert_eq!(decision, Decision { expires_at: None, verdict: Verdict::Retain });
    }

    #[test]
    fn a_hold_beats_expiry_and_covers_the_rest() {
        let rule = rule("P1Y", "UTC");
        for (anchor, verdict) in [
            ("2020-01-01", Verdict::ExpiredOnHold),
            ("2025-12-01", Verdict::Hold),
            ("2030-01-01", Verdict::Hold),
            ("2020-01-01T00:00:00", Verdict::Hold),
            ("never", Verdict::Hold),
        ] {
            let as_of = at("2026-01-01T00:00:00Z");
            assert_eq!(rule.decide(read(anchor), true, as_of).verdict, verdict, "{anchor}");
        }
    }

    #[test]
    fn times_without_a_zone_hang_on_the_assumed_wall() {
        let mut rule = rule("P1D", "UTC");
        rule.assume_zone = Some(Zone::named("America/New_York").unwrap());
        assert_eq!(rule.expires_at(read("2024-06-01T23:00:00")), Some(at("2024-06-03T03:00:00Z")));
        // Skipped there: later. Shown twice there: earlier.
        assert_eq!(rule.expires_at(read("2024-03-10T02:30:00")), Some(at("2024-03-11T07:30:00Z")));
        assert_eq!(rule.expires_at(read("2024-11-03T01:30:00")), Some(at("2024-11-04T05:30:00Z")));
        // Dates and instants need no assumption.
        assert_eq!(rule.expires_at(read("2024-06-01")), Some(at("2024-06-03T00:00:00Z")));
    }

    #[test]
    fn a_missing_anchor_expires_only_where_the_rule_says_so() {
        let mut rule = rule("P1Y", "UTC");
        let as_of = at("2026-01-01T00:00:00Z");
        for (on_null, free, held) in [
            (OnNullAnchor::Fail, Verdict::NullAnchor, Verdict::Hold),
            (OnNullAnchor::Quarantine, Verdict::NullAnchor, Verdict::Hold),
            (OnNullAnchor::DatasetAnchor, Verdict::NullAnchor, Verdict::Hold),
            (OnNullAnchor::Expire, Verdict::Expired, Verdict::ExpiredOnHold),
        ] {
            rule.on_null_anchor = on_null;
            assert_eq!(rule.decide(Anchor::Null, false, as_of).verdict, free, "{on_null:?}");
            assert_eq!(rule.decide(Anchor::Null, true, as_of).verdict, held, "{on_null:?}");
        }
    }

    #[test]
    fn a_floor_may_not_be_above_the_period() {
        let period = |text: &str| text.parse::<Period>().unwrap();
        let error = Term::new(period("P2Y"), Some(period("P5Y"))).unwrap_err();
        assert_eq!(error.to_string(), "retain_at_least P5Y can end after duration P2Y");
        assert!(Term::new(period("P5Y"), Some(period("P60M"))).is_ok());
        assert!(Term::new(period("P1M"), Some(period("P30D"))).is_err());
    }

    #[test]
    fn erasure_waits_for_the_floor_and_for_holds() {
        let floor = Term::new("P10Y".parse().unwrap(), Some("P6Y".parse().unwrap())).unwrap();
        let rule = Rule { term: floor, ..rule("P1Y", "UTC") };
        let as_of = at("2026-01-01T00:00:00Z");
        let due = at("2027-01-02T00:00:00Z");
        assert_eq!(rule.erasure(read("2021-01-01"), false, as_of), Erasure::Restricted { due });
        assert_eq!(rule.erasure(read("2021-01-01"), true, as_of), Erasure::Restricted { due });
        assert_eq!(rule.erasure(read("2019-01-01"), false, as_of), Erasure::Due);
        assert_eq!(rule.erasure(read("2019-01-01"), true, as_of), Erasure::Held);
        assert_eq!(rule.erasure(Anchor::Null, false, as_of), Erasure::Unverifiable);
        let free = Rule { term: Term::new("P1Y".parse().unwrap(), None).unwrap(), ..rule };
        assert_eq!(free.erasure(Anchor::Null, false, as_of), Erasure::Due);
    }

    #[test]
    fn the_first_day_is_the_first_day() {
        assert_eq!(FIRST_DAY, day_of(Date::constant(1, 1, 1)));
        assert_eq!(Verdict::ALL.len(), 8);
        assert!(Verdict::ALL.is_sorted());
    }
}
