//! Dates of the proleptic Gregorian calendar, and how people write them.

use crate::policy::DatePart;
use std::ops::RangeInclusive;

/// A date; `month` and `day` count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u8,
    pub(crate) day: u8,
}

impl Civil {
    /// From days since 1970-01-01. Counts from 1 March of year 0, so that the leap day is the last
    /// day of its year, and in cycles of 400 years, which all have the same number of days.
    pub(crate) fn from_days(days: i64) -> Civil {
        let from_march = days + DAYS_FROM_MARCH_0000;
        let cycle = from_march.div_euclid(DAYS_IN_CYCLE);
        let in_cycle = from_march.rem_euclid(DAYS_IN_CYCLE);
        let year_of_cycle =
            (in_cycle - in_cycle / 1_460 + in_cycle / 36_524 - in_cycle / 146_096) / 365;
        let in_year = in_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
        // Months from March have 31, 30, 31, 30, 31 days over and over: 153 days in five.
        let month_from_march = (5 * in_year + 2) / 153;
        let day = in_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = cycle * 400 + year_of_cycle + i64::from(month <= 2);
        Civil { year, month: small(month), day: small(day) }
    }

    /// Days since 1970-01-01.
    pub(crate) fn to_days(self) -> i64 {
        let (month, day) = (i64::from(self.month), i64::from(self.day));
        let year = self.year - i64::from(month <= 2);
        let cycle = year.div_euclid(400);
        let year_of_cycle = year.rem_euclid(400);
        let month_from_march = (month + 9) % 12;
        let in_year = (153 * month_from_march + 2) / 5 + day - 1;
        let in_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + in_year;
        cycle * DAYS_IN_CYCLE + in_cycle - DAYS_FROM_MARCH_0000
    }

    /// The first day of the part it lies in.
    pub(crate) fn first_of(self, part: DatePart) -> Civil {
        match part {
            DatePart::Day => self,
            DatePart::Month => Civil { day: 1, ..self },
            DatePart::Quarter => Civil { month: (self.month - 1) / 3 * 3 + 1, day: 1, ..self },
            DatePart::Year => Civil { month: 1, day: 1, ..self },
        }
    }

    fn new(year: i64, month: u8, day: u8) -> Option<Civil> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u8::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        ((1..=days).contains(&day) && (1..=9999).contains(&year)).then_some(Civil {
            year,
            month,
            day,
        })
    }
}

/// Writes the part of a date written in text: `2024`, `2024-Q2`, `2024-05`, `2024-05-17`. `None`
/// when the text is no date, or is one less exact than asked for.
///
/// Reads ISO 8601 dates with or without a time, year first with `-`, `/`, `.` or nothing between,
/// `17.05.2024` (day first) and `05/17/2024` (month first); what is made by this function is read
/// too. Where day and month could be either way round, as in `17/05/2024`, `17-05-2024` or
/// `17052024`, only the year is taken.
pub(crate) fn coarser(text: &str, part: DatePart, out: &mut String) -> Option<()> {
    let read = read(text.trim())?;
    match (part, read.month, read.day) {
        (DatePart::Year, _, _) => push(out, read.year, None, None),
        (DatePart::Quarter, _, _) => {
            let quarter = read.quarter.or_else(|| read.month.map(|month| (month - 1) / 3 + 1))?;
            push(out, read.year, None, None);
            out.push_str("-Q");
            out.push(char::from(b'0' + quarter));
        }
        (DatePart::Month, Some(month), _) => push(out, read.year, Some(month), None),
        (DatePart::Day, Some(month), Some(day)) => push(out, read.year, Some(month), Some(day)),
        _ => return None,
    }
    Some(())
}

/// What a text says of a date.
struct Read {
    year: i64,
    quarter: Option<u8>,
    month: Option<u8>,
    day: Option<u8>,
}

fn read(text: &str) -> Option<Read> {
    let date = match text.find(['T', 't', ' ']) {
        Some(at) => {
            is_time(text.get(at + 1..)?).then_some(())?;
            text.get(..at)?
        }
        None => text,
    };
    let only_year = |year| Read { year, quarter: None, month: None, day: None };
    let Some(separator) = date.chars().find(|c| matches!(c, '-' | '/' | '.')) else {
        return match date.len() {
            4 if text.len() == 4 => Some(only_year(year(date)?)),
            8 => compact(date),
            _ => None,
        };
    };
    let mut parts = date.split(separator);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next());
    if parts.next().is_some() {
        return None;
    }
    match (first.len(), third) {
        (4, Some(third)) => exact(year(first)?, number(second)?, number(third)?),
        (4, None) if separator == '-' && text.len() == date.len() => {
            if let Some(quarter) = second.strip_prefix('Q') {
                let quarter = number(quarter).filter(|q| (1..=4).contains(q))?;
                return Some(Read { quarter: Some(quarter), ..only_year(year(first)?) });
            }
            let month = number(second).filter(|month| (1..=12).contains(month))?;
            Some(Read { month: Some(month), ..only_year(year(first)?) })
        }
        (1 | 2, Some(third)) => {
            let (first, second, year) = (number(first)?, number(second)?, year(third)?);
            let day_first = exact(year, second, first);
            let month_first = exact(year, first, second);
            match separator {
                '.' => day_first,
                '/' => month_first.or_else(|| day_first.map(|_| only_year(year))),
                _ => day_first.or(month_first).map(|_| only_year(year)),
            }
        }
        _ => None,
    }
}

/// Eight digits: year first, or else (`17051980`) a year at the end that says nothing of day and
/// month. Years of these centuries cannot be taken for the one as well as for the other.
fn compact(date: &str) -> Option<Read> {
    let (head, tail) = date.split_at_checked(4)?;
    let halves = |text: &str| {
        let (first, second) = text.split_at_checked(2)?;
        Some((number(first)?, number(second)?))
    };
    let near = |text: &str| year(text).filter(|year| COMPACT_YEARS.contains(year));
    if let (Some(year), Some((month, day))) = (near(head), halves(tail))
        && let Some(date) = exact(year, month, day)
    {
        return Some(date);
    }
    let (first, second) = halves(head)?;
    let year = near(tail)?;
    exact(year, second, first).or_else(|| exact(year, first, second))?;
    Some(Read { year, quarter: None, month: None, day: None })
}

fn exact(year: i64, month: u8, day: u8) -> Option<Read> {
    Civil::new(year, month, day).map(|date| Read {
        year,
        quarter: None,
        month: Some(date.month),
        day: Some(date.day),
    })
}

fn year(text: &str) -> Option<i64> {
    let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|year| *year > 0)
}

/// One or two digits.
fn number(text: &str) -> Option<u8> {
    let digits = matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Whether the rest after a date looks like a time of day, with or without an offset.
fn is_time(text: &str) -> bool {
    let allowed =
        |c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | ',' | '+' | '-' | 'Z' | 'z' | ' ');
    text.len() <= TIME_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.contains(':')
        && text.chars().all(allowed)
}

fn push(out: &mut String, year: i64, month: Option<u8>, day: Option<u8>) {
    use std::fmt::Write as _;
    // Writing to a string cannot fail.
    let _ = write!(out, "{year:04}");
    for part in [month, day].into_iter().flatten() {
        let _ = write!(out, "-{part:02}");
    }
}

/// Months and days are below 32.
fn small(n: i64) -> u8 {
    u8::try_from(n).unwrap_or(1)
}

/// Years that compact dates may have.
const COMPACT_YEARS: RangeInclusive<i64> = 1800..=2199;
const DAYS_IN_CYCLE: i64 = 146_097;
/// From 0000-03-01 to 1970-01-01.
const DAYS_FROM_MARCH_0000: i64 = 719_468;
/// `23:59:59.999999999 +00:00`, and then some.
const TIME_BYTES_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree_with_another_calendar() {
        let epoch = jiff::civil::date(1970, 1, 1);
        for days in (-2_000_000..2_900_000).step_by(997).chain(-1_000..1_000) {
            let oracle = epoch.checked_add(jiff::Span::new().days(days)).unwrap();
            let date = Civil::from_days(days);
            assert_eq!(
                (date.year, i64::from(date.month), i64::from(date.day)),
                (i64::from(oracle.year()), i64::from(oracle.month()), i64::from(oracle.day()))
            );
            assert_eq!(date.to_days(), days);
        }
        for days in [i64::from(i32::MIN), i64::from(i32::MAX)] {
            assert_eq!(Civil::from_days(days).to_days(), days);
        }
    }

    #[test]
    fn written_dates_become_coarser() {
        use DatePart::{Day, Month, Quarter, Year};
        for (text, part, expected) in [
            ("1980-05-17", Year, Some("1980")),
            ("1980-05-17", Quarter, Some("1980-Q2")),
            ("1980-05-17", Month, Some("1980-05")),
            ("1980-05-17", Day, Some("1980-05-17")),
            (" 1980-5-7 ", Day, Some("1980-05-07")),
            ("1980-05-17T23:59:59Z", Month, Some("1980-05")),
            ("1980-05-17 23:59:59.123+02:00", Day, Some("1980-05-17")),
            ("17.05.1980", Month, Some("1980-05")),
            ("7.5.1980", Day, Some("1980-05-07")),
            ("05/17/1980", Month, Some("1980-05")),
            ("05/06/1980", Month, Some("1980-05")),
            ("19800517", Day, Some("1980-05-17")),
            ("1980/05/17", Day, Some("1980-05-17")),
            ("17051980", Year, Some("1980")),
            ("05171980", Year, Some("1980")),
            ("17051980", Month, None),
            ("12101005", Year, None),
            ("20012001", Year, Some("2001")),
            ("99999999", Year, None),
            ("32011980", Year, None),
            ("1980.05.17", Day, Some("1980-05-17")),
            ("17/05/1980", Year, Some("1980")),
            ("17-05-1980", Year, Some("1980")),
            ("1980", Year, Some("1980")),
            ("1980-05", Year, Some("1980")),
            ("1980-05", Quarter, Some("1980-Q2")),
            ("1980-Q4", Quarter, Some("1980-Q4")),
            ("1980-Q4", Year, Some("1980")),
            ("2000-02-29", Day, Some("2000-02-29")),
            ("17/05/1980", Month, None),
            ("17-05-1980", Month, None),
            ("1980", Month, None),
            ("1980-05", Day, None),
            ("1980-Q4", Month, None),
            ("1980-Q5", Quarter, None),
            ("1900-02-29", Day, None),
            ("1980-13-01", Year, None),
            ("1980-00-10", Year, None),
            ("1980-05-32", Year, None),
            ("31.04.1980", Year, None),
            ("80-05-17", Year, None),
            ("17.05.80", Year, None),
            ("0000-01-01", Year, None),
            ("1980-05-17-01", Year, None),
            ("1980-05/17", Year, None),
            ("born 1980-05-17", Year, None),
            ("1980-05-17 Ada Testperson", Year, None),
            ("1980-05-17T", Year, None),
            ("1980 12:00", Year, None),
            ("1980-05-17 12", Year, None),
            ("+980-05-17", Year, None),
            ("١٩٨٠-٠٥-١٧", Year, None),
            ("unknown", Year, None),
            ("", Year, None),
        ] {
            let mut out = String::new();
            let done = coarser(text, part, &mut out);
            assert_eq!(done.map(|()| out.as_str()), expected, "{text} to {}", part.word());
        }
    }
}
