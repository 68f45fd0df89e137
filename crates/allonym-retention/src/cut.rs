//! Cut points: the anchors at which verdicts change, found once, so that a row is a comparison.
//!
//! An earlier anchor nearly always expires earlier. Exceptions come from clocks that are turned and
//! from days that are clamped to the end of a month while the time of day stays: 30 January, 23:00,
//! and one month is later than 31 January, 01:00, and one month. They lie within a few days of the
//! anchor that expires right now. So: outside a window around that anchor, whole days decide; inside
//! it, the places at which order can break are listed, and between two of them order holds and
//! bisection finds the change.

use crate::anchor::{DAY, DAY_SECONDS, date_of, day_of, wall_at};
use crate::rule::{
    FIRST_DAY, FIRST_NANOSECOND, Rule, SUSPICIOUS_BEFORE, instant_of_wall, latest_anchor,
};
use crate::{Anchor, Zone};
use jiff::{SignedDuration, Timestamp};

/// Where verdicts change, in days or in nanoseconds from 1970.
#[derive(Clone, Debug)]
pub(crate) struct Cuts<T> {
    /// Earlier anchors are unreadable.
    pub(crate) least: T,
    /// Earlier anchors are suspicious.
    pub(crate) suspicious: T,
    /// Anchors that do not lie in the future.
    pub(crate) present: Flips<T>,
    /// Anchors of what has expired.
    pub(crate) expired: Flips<T>,
    /// Anchors of what has expired or soon will have.
    pub(crate) soon: Flips<T>,
}

impl Cuts<i128> {
    /// Cuts of dates, in days.
    pub(crate) fn of_dates(rule: &Rule, as_of: Timestamp, soon: SignedDuration) -> Cuts<i128> {
        let anchor = |day: i128| date_of(i64::try_from(day).ok()?).map(Anchor::Date);
        let within = |day: i128, until: Timestamp| {
            anchor(day).and_then(|anchor| rule.expires_at(anchor)).is_some_and(|end| end <= until)
        };
        let expired = |until: Timestamp| {
            let (from, to) = window(rule, until);
            let days = (from..to).map(i128::from);
            flips(i128::from(from), i128::from(to), days, |day| within(day, until))
        };
        let limit = latest_anchor(as_of);
        let around = limit.as_second().div_euclid(DAY_SECONDS);
        let (from, to) = (i128::from(around - MARGIN_DAYS), i128::from(around + MARGIN_DAYS + 1));
        let present = flips(from, to, from..to, |day| {
            instant_of_wall(&rule.zone, day * DAY).is_some_and(|begins| begins <= limit)
        });
        Cuts {
            least: i128::from(FIRST_DAY),
            suspicious: i128::from(day_of(SUSPICIOUS_BEFORE)),
            present,
            expired: expired(as_of),
            soon: expired(later(as_of, soon)),
        }
    }

    /// Cuts of instants, in nanoseconds.
    pub(crate) fn of_instants(rule: &Rule, as_of: Timestamp, soon: SignedDuration) -> Cuts<i128> {
        let expired = |until: Timestamp| {
            let (from, to) = window(rule, until);
            let (from, to) = (i128::from(from) * DAY, i128::from(to) * DAY);
            let breaks = breaks_of_instants(&rule.zone, from, to, until);
            flips(from, to, breaks, |at| expires_within(rule, instant(at), until))
        };
        Cuts {
            least: FIRST_NANOSECOND,
            suspicious: i128::from(day_of(SUSPICIOUS_BEFORE)) * DAY,
            present: Flips(vec![latest_anchor(as_of).as_nanosecond() + 1]),
            expired: expired(as_of),
            soon: expired(later(as_of, soon)),
        }
    }

    /// Cuts of times on a wall of the assumed zone, in nanoseconds as if it hung in UTC.
    pub(crate) fn of_walls(
        rule: &Rule,
        assumed: &Zone,
        as_of: Timestamp,
        soon: SignedDuration,
    ) -> Cuts<i128> {
        let expired = |until: Timestamp| {
            let (from, to) = window(rule, until);
            let (from, to) = (i128::from(from) * DAY, i128::from(to) * DAY);
            let margin = i128::from(MARGIN_DAYS) * DAY;
            let clock = Clock::around(assumed, from - margin, to + margin);
            let mut instants = breaks_of_instants(&rule.zone, from - margin, to + margin, until);
            instants.extend(&clock.turns);
            let walls = instants
                .iter()
                .flat_map(|at| clock.offsets.iter().map(move |offset| at + offset))
                .collect::<Vec<_>>();
            flips(from, to, walls, |wall| {
                expires_within(rule, wall_at(wall).map(Anchor::Wall), until)
            })
        };
        let limit = latest_anchor(as_of);
        let around = limit.as_nanosecond();
        let margin = i128::from(MARGIN_DAYS) * DAY;
        let clock = Clock::around(assumed, around - margin, around + margin);
        let turned =
            clock.turns.iter().flat_map(|at| clock.offsets.iter().map(move |offset| at + offset));
        let present = flips(around - margin, around + margin, turned, |wall| {
            instant_of_wall(assumed, wall).is_some_and(|begins| begins <= limit)
        });
        Cuts {
            least: FIRST_NANOSECOND,
            suspicious: i128::from(day_of(SUSPICIOUS_BEFORE)) * DAY,
            present,
            expired: expired(as_of),
            soon: expired(later(as_of, soon)),
        }
    }

    /// The same cuts for a column that counts in units of so many of ours, or, for `Units::Finer`,
    /// in so many parts of one of ours. A value is at or above a cut when it is at or above the
    /// first whole unit that is.
    pub(crate) fn scaled(&self, units: Units) -> Cuts<i64> {
        let scale = |cut: i128| {
            let scaled = match units {
                Units::Coarser(n) => -(-cut).div_euclid(n),
                Units::Finer(n) => cut.saturating_mul(n),
            };
            // A column cannot hold what lies beyond; such a cut divides nothing.
            i64::try_from(scaled).unwrap_or(if scaled < 0 { i64::MIN } else { i64::MAX })
        };
        let all = |flips: &Flips<i128>| Flips(flips.0.iter().map(|cut| scale(*cut)).collect());
        Cuts {
            least: scale(self.least),
            suspicious: scale(self.suspicious),
            present: all(&self.present),
            expired: all(&self.expired),
            soon: all(&self.soon),
        }
    }
}

/// Units of a column against those of the cuts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Units {
    Coarser(i128),
    Finer(i128),
}

/// A set of numbers as the sorted places where membership changes; far below them all are members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flips<T>(Vec<T>);

impl<T: Ord + Copy> Flips<T> {
    pub(crate) fn holds(&self, at: T) -> bool {
        self.0.partition_point(|flip| *flip <= at).is_multiple_of(2)
    }

    /// The members as half-open ranges; the first one has no beginning.
    pub(crate) fn ranges(&self) -> Vec<(Option<T>, T)> {
        let mut flips = self.0.iter().copied();
        let mut ranges = Vec::new();
        let mut from = None;
        while let Some(to) = flips.next() {
            ranges.push((from, to));
            let Some(next) = flips.next() else { break };
            from = Some(next);
        }
        ranges
    }

    /// Whether membership changes between two numbers, of which the first is not greater.
    pub(crate) fn changes(&self, from: T, to: T) -> bool {
        self.0.iter().any(|flip| from < *flip && *flip <= to)
    }

    /// The one place, where there is one, as there nearly always is: all below are members.
    pub(crate) fn single(&self) -> Option<T> {
        match self.0.as_slice() {
            [flip] => Some(*flip),
            _ => None,
        }
    }
}

/// Where a zone's clocks are turned, and which offsets they show.
struct Clock {
    /// Instants, in nanoseconds.
    turns: Vec<i128>,
    /// Nanoseconds to add to an instant.
    offsets: Vec<i128>,
}

impl Clock {
    fn around(zone: &Zone, from: i128, to: i128) -> Clock {
        let start = clamped(from - DAY);
        let offset =
            |at: Timestamp| i128::from(zone.time.to_offset(at).seconds()) * crate::anchor::SECOND;
        let mut clock = Clock { turns: Vec::new(), offsets: vec![offset(start)] };
        for turn in zone.time.following(start) {
            let at = turn.timestamp();
            if at.as_nanosecond() > to + DAY {
                break;
            }
            clock.turns.push(at.as_nanosecond());
            clock.offsets.push(offset(at));
        }
        clock.offsets.sort_unstable();
        clock.offsets.dedup();
        clock
    }
}

/// Days outside which whole days decide: before the first everything has expired by `until`, from
/// the second on nothing has.
///
/// An anchor's local day differs from its own by at most two, since offsets are below 26 hours
/// (and by three where a zone is assumed first). Expiry lies between 26 hours before the midnight
/// that begins the day of expiry and, with a day kept whole, 74 hours after it.
fn window(rule: &Rule, until: Timestamp) -> (i64, i64) {
    let until = until.as_second().div_euclid(DAY_SECONDS);
    let ends = |day: i64| {
        let day = day.clamp(FIRST_DAY - MARGIN_DAYS, LAST_DAY);
        date_of(day).and_then(|date| rule.term.duration().after(date)).map(day_of)
    };
    let surely_expired = |day: i64| {
        day + MARGIN_DAYS <= LAST_DAY && ends(day + MARGIN_DAYS).is_some_and(|end| end + 4 <= until)
    };
    let may_have_expired = |day: i64| ends(day - MARGIN_DAYS).is_some_and(|end| end - 2 <= until);
    let from = bisect(i128::from(FIRST_DAY), i128::from(LAST_DAY), |day| {
        i64::try_from(day).is_ok_and(surely_expired)
    });
    let to =
        bisect(from, i128::from(LAST_DAY), |day| i64::try_from(day).is_ok_and(may_have_expired));
    let day = |day: i128| i64::try_from(day).unwrap_or(LAST_DAY);
    (day(from), day(to) + 1)
}

/// Instants at which the order of expiries can break: the clocks are turned, a local day begins, or
/// the time of day is one at which the clocks are turned around the time of expiry.
fn breaks_of_instants(zone: &Zone, from: i128, to: i128, until: Timestamp) -> Vec<i128> {
    let margin = i128::from(MARGIN_DAYS) * DAY;
    let clock = Clock::around(zone, from - margin, to + margin);
    let until = until.as_nanosecond();
    let at_expiry = Clock::around(zone, until - 2 * margin, until + 2 * margin);
    let mut times = vec![0];
    for turn in &at_expiry.turns {
        times.extend(at_expiry.offsets.iter().map(|offset| (turn + offset).rem_euclid(DAY)));
    }
    let mut breaks = clock.turns.clone();
    let days = (from - margin).div_euclid(DAY)..=(to + margin).div_euclid(DAY);
    for day in days {
        for time in &times {
            breaks.extend(clock.offsets.iter().map(|offset| day * DAY + time - offset));
        }
    }
    breaks
}

/// The changes of a predicate that holds everywhere below `from`, nowhere from `to` on, and, between
/// two neighbouring breaks, first holds and then does not.
fn flips(
    from: i128,
    to: i128,
    breaks: impl IntoIterator<Item = i128>,
    holds: impl Fn(i128) -> bool,
) -> Flips<i128> {
    let inner = breaks.into_iter().filter(|at| from < *at && *at < to);
    let mut edges: Vec<i128> = inner.chain([from, to]).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut flips = Vec::new();
    let mut state = true;
    for piece in edges.windows(2) {
        let &[start, end] = piece else { continue };
        let first_without = if holds(end - 1) { end } else { bisect(start, end - 1, &holds) };
        if first_without > start && !state {
            flips.push(start);
            state = true;
        }
        if first_without < end && state {
            flips.push(first_without);
            state = false;
        }
    }
    if state {
        flips.push(to);
    }
    Flips(flips)
}

/// The first number from `from` on, and at most `to`, at which a predicate that first holds and
/// then does not, no longer holds.
fn bisect(from: i128, to: i128, holds: impl Fn(i128) -> bool) -> i128 {
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

fn expires_within(rule: &Rule, anchor: Option<Anchor>, until: Timestamp) -> bool {
    anchor.and_then(|anchor| rule.expires_at(anchor)).is_some_and(|end| end <= until)
}

fn instant(at: i128) -> Option<Anchor> {
    Timestamp::from_nanosecond(at).ok().map(Anchor::Instant)
}

fn clamped(at: i128) -> Timestamp {
    let beyond = if at < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_nanosecond(at).unwrap_or(beyond)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// Days that offsets, clamped months and assumed zones can move an anchor by.
const MARGIN_DAYS: i64 = 3;
/// 9999-12-31.
const LAST_DAY: i64 = 2_932_896;

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::Date;

    #[test]
    fn the_last_day_is_the_last_day() {
        assert_eq!(LAST_DAY, day_of(Date::MAX));
    }

    #[test]
    fn changes_of_a_predicate_are_found_between_breaks() {
        // Holds below 10, from 20 to 24 and from 30 to 30.
        let holds = |n: i128| n < 10 || (20..25).contains(&n) || n == 30;
        assert_eq!(flips(0, 40, [20, 30, 31, -5, 99], holds), Flips(vec![10, 20, 25, 30, 31]));
        assert_eq!(flips(0, 40, [], |_| true), Flips(vec![40]));
        assert_eq!(flips(0, 40, [], |_| false), Flips(vec![0]));
        let flips = flips(0, 40, [20, 30, 31], holds);
        let ranges = flips.ranges();
        assert_eq!(ranges, [(None, 10), (Some(20), 25), (Some(30), 31)]);
        for n in -5..50 {
            assert_eq!(flips.holds(n), holds(n), "{n}");
            let within =
                |(from, to): &(Option<i128>, i128)| from.is_none_or(|from| from <= n) && n < *to;
            assert_eq!(ranges.iter().any(within), holds(n), "{n}");
        }
    }

    #[test]
    fn cuts_keep_their_meaning_in_other_units() {
        let cuts = Cuts {
            least: -1_500,
            suspicious: -1_000,
            present: Flips(vec![1_001]),
            expired: Flips(vec![999]),
            soon: Flips(vec![i128::from(i64::MAX) * 2]),
        };
        let coarse = cuts.scaled(Units::Coarser(1_000));
        assert_eq!((coarse.least, coarse.suspicious), (-1, -1));
        assert_eq!(coarse.present, Flips(vec![2]));
        assert_eq!(coarse.expired, Flips(vec![1]));
        assert_eq!(cuts.scaled(Units::Finer(10)).least, -15_000);
        assert_eq!(cuts.scaled(Units::Finer(10)).soon, Flips(vec![i64::MAX]));
    }

    /// The clamp keeps the time of day: later on the 30th is later than early on the 31st.
    #[test]
    fn order_breaks_at_the_end_of_a_month_and_the_cuts_know_it() {
        let term = crate::Term::new("P1M".parse().unwrap(), None).unwrap();
        let rule = Rule::new(term, Zone::utc());
        let as_of: Timestamp = "2023-02-28T12:00:00Z".parse().unwrap();
        let cuts = Cuts::of_instants(&rule, as_of, SignedDuration::ZERO);
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_nanosecond();
        assert_eq!(
            cuts.expired,
            Flips(vec![
                at("2023-01-28T12:00:00.000000001Z"),
                at("2023-01-29T00:00:00Z"),
                at("2023-01-29T12:00:00.000000001Z"),
                at("2023-01-30T00:00:00Z"),
                at("2023-01-30T12:00:00.000000001Z"),
                at("2023-01-31T00:00:00Z"),
                at("2023-01-31T12:00:00.000000001Z"),
            ])
        );
        assert_eq!(cuts.expired.single(), None);
        let midnight = as_of.as_nanosecond().div_euclid(DAY) * DAY;
        assert!(cuts.expired.holds(midnight - 60 * DAY) && !cuts.expired.holds(midnight));
    }
}
