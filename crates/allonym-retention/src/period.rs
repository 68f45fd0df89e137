//! Calendar periods as ISO 8601 writes them: years, months, weeks and days.

use jiff::Span;
use jiff::civil::Date;
use std::fmt;
use std::str::FromStr;

/// A calendar period: so many months, then so many days.
///
/// A year is twelve months and a week is seven days, always; a month is no fixed number of days,
/// so `P1M` and `P30D` are different periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Period {
    months: i32,
    days: i32,
}

impl Period {
    /// The date a period later: months first, the day clamped to the end of the month, then days;
    /// in one step, because such additions do not associate. `None` beyond the year 9999.
    ///
    /// From one date to a later one the result never goes back.
    pub(crate) fn after(self, date: Date) -> Option<Date> {
        let span = Span::new().try_months(self.months).ok()?.try_days(self.days).ok()?;
        date.checked_add(span).ok()
    }

    /// Whether there is a date from which this period ends later than the other.
    ///
    /// Where one has more months and the other more days it depends on the date, and every month
    /// of a cycle of 400 years, in which the calendar repeats itself, is tried.
    pub(crate) fn can_outlast(self, other: Period) -> bool {
        if self.months <= other.months && self.days <= other.days {
            return false;
        }
        if self.months >= other.months && self.days >= other.days {
            return true;
        }
        // Up to the 28th no day is clamped, so that these four stand for all.
        (CYCLE_FIRST_YEAR..CYCLE_FIRST_YEAR + 400)
            .flat_map(|year| (1..=12).map(move |month| (year, month)))
            .flat_map(|(year, month)| [1, 29, 30, 31].map(|day| Date::new(year, month, day)))
            .flatten()
            .any(|date| self.after(date) > other.after(date))
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    /// Reads `P5Y`, `P1Y6M`, `P2W`, `P90D`: whole numbers, largest unit first, no sign, no time.
    fn from_str(text: &str) -> Result<Period, PeriodError> {
        let mut rest = text.strip_prefix('P').ok_or(PeriodError::Form)?;
        if rest.contains('T') {
            return Err(PeriodError::Time);
        }
        if rest.is_empty() {
            return Err(PeriodError::Form);
        }
        let (mut months, mut days) = (0_i64, 0_i64);
        let mut units = UNITS.iter();
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = rest.split_at_checked(digits).ok_or(PeriodError::Form)?;
            let mut letters = after.chars();
            let letter = letters.next().ok_or(PeriodError::Form)?;
            if number.is_empty() {
                return Err(PeriodError::Form);
            }
            // What stands before the found unit can no longer come: units descend.
            let (_, in_months, in_days) =
                units.find(|(unit, _, _)| *unit == letter).ok_or(PeriodError::Form)?;
            let number: i64 = number.parse().map_err(|_| PeriodError::TooLong)?;
            months = number.saturating_mul(*in_months).saturating_add(months);
            days = number.saturating_mul(*in_days).saturating_add(days);
            rest = letters.as_str();
        }
        if months > MONTHS_MAX || days > DAYS_MAX {
            return Err(PeriodError::TooLong);
        }
        let small = |n: i64| i32::try_from(n).map_err(|_| PeriodError::TooLong);
        Ok(Period { months: small(months)?, days: small(days)? })
    }
}

impl fmt::Display for Period {
    /// The shortest spelling: `P18M` is `P1Y6M`, `P2W` is `P14D`; equal periods are spelt alike.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P")?;
        for (number, unit) in [(self.months / 12, 'Y'), (self.months % 12, 'M'), (self.days, 'D')] {
            if number > 0 {
                write!(f, "{number}{unit}")?;
            }
        }
        if self.months == 0 && self.days == 0 { f.write_str("0D") } else { Ok(()) }
    }
}

/// A text that is no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PeriodError {
    /// Not `P` and whole numbers with `Y`, `M`, `W`, `D`, in this order.
    #[error("a period is written P, then whole years, months, weeks and days, as in P5Y or P1Y6M")]
    Form,
    /// It has hours, minutes or seconds.
    #[error("a period has no time of day: its units are Y, M, W and D")]
    Time,
    /// Longer than anybody may keep anything.
    #[error("a period is at most 1,000 years and 366,000 days")]
    TooLong,
}

/// Letters, each with its months and its days.
const UNITS: [(char, i64, i64); 4] = [('Y', 12, 0), ('M', 1, 0), ('W', 0, 7), ('D', 0, 1)];
const MONTHS_MAX: i64 = 12_000;
const DAYS_MAX: i64 = 366_000;
const CYCLE_FIRST_YEAR: i16 = 2000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn period(text: &str) -> Period {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn periods_are_read_and_spelt_one_way() {
        for (text, spelt) in [
            ("P5Y", "P5Y"),
            ("P12M", "P1Y"),
            ("P18M", "P1Y6M"),
            ("P2W", "P14D"),
            ("P1Y2M3W4D", "P1Y2M25D"),
            ("P0D", "P0D"),
            ("P0Y0M", "P0D"),
            ("P007Y", "P7Y"),
            ("P1000Y366000D", "P1000Y366000D"),
        ] {
            assert_eq!(period(text).to_string(), spelt);
            assert_eq!(period(spelt), period(text));
        }
    }

    #[test]
    fn what_is_no_period_is_refused() {
        use PeriodError::{Form, Time, TooLong};
        for (text, error) in [
            ("", Form),
            ("P", Form),
            ("1Y", Form),
            ("p1Y", Form),
            ("P1y", Form),
            ("P1", Form),
            ("PY", Form),
            ("P1.5Y", Form),
            ("P1,5Y", Form),
            ("-P1Y", Form),
            ("+P1Y", Form),
            ("P-1Y", Form),
            ("P1M1Y", Form),
            ("P1Y1Y", Form),
            ("P1D1W", Form),
            (" P1Y", Form),
            ("P1Y ", Form),
            ("P1YX", Form),
            ("P\u{661}Y", Form),
            ("PT24H", Time),
            ("P1DT0H", Time),
            ("PT", Time),
            ("P1001Y", TooLong),
            ("P366001D", TooLong),
            ("P99999999999999999999Y", TooLong),
            ("P9223372036854775807Y9223372036854775807M", TooLong),
        ] {
            assert_eq!(text.parse::<Period>(), Err(error), "{text}");
        }
    }

    #[test]
    fn days_are_clamped_to_the_end_of_the_month_once() {
        for (from, text, to) in [
            ("2024-01-31", "P1M", Some("2024-02-29")),
            ("2023-01-31", "P1M", Some("2023-02-28")),
            ("2024-01-31", "P2M", Some("2024-03-31")),
            ("2024-02-29", "P1Y", Some("2025-02-28")),
            ("2024-02-29", "P4Y", Some("2028-02-29")),
            ("2023-01-31", "P1M1D", Some("2023-03-01")),
            ("1900-02-28", "P1D", Some("1900-03-01")),
            ("9999-12-31", "P1D", None),
        ] {
            let to = to.map(|to| to.parse().unwrap());
            assert_eq!(period(text).after(from.parse().unwrap()), to, "{from} {text}");
        }
    }

    #[test]
    fn a_period_outlasts_another_where_one_date_shows_it() {
        for (one, other, longer) in [
            ("P1Y", "P12M", false),
            ("P1Y", "P2Y", false),
            ("P2Y", "P1Y", true),
            ("P30D", "P1M", true),
            ("P28D", "P1M", false),
            ("P1M", "P31D", false),
            ("P1M", "P30D", true),
            ("P365D", "P1Y", false),
            ("P366D", "P1Y", true),
            ("P1Y", "P366D", false),
            ("P1Y", "P365D", true),
            ("P52W", "P1Y", false),
            ("P1M1D", "P31D", true),
            ("P1M1D", "P32D", false),
            ("P1461D", "P4Y", true),
            ("P1460D", "P4Y", false),
            ("P0D", "P0D", false),
        ] {
            assert_eq!(period(one).can_outlast(period(other)), longer, "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn a_later_date_never_ends_earlier(
            day in 0_i32..300_000, more in 0_i32..800, months in 0_i32..600, days in 0_i32..800,
        ) {
            let start = Date::constant(1700, 1, 1);
            let date = |days: i32| start.checked_add(Span::new().days(days)).unwrap();
            let period = Period { months, days };
            prop_assert!(period.after(date(day)) <= period.after(date(day + more)));
        }
    }
}
