//! What a period is counted from: one cell, read.

use crate::AnchorTypeError;
use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_schema::{DataType, TimeUnit};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::temporal::Pieces;

/// The anchor of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// Nothing is known.
    Null,
    /// A day; the whole of it counts as kept.
    Date(Date),
    /// An instant.
    Instant(Timestamp),
    /// A time on some wall: an instant only where a zone may be assumed.
    Wall(DateTime),
    /// Something that is no time.
    Unreadable,
}

impl Anchor {
    /// Reads ISO 8601: a date, or a timestamp with or without an offset. White space around it is
    /// passed over, `None` is null, and everything else, the empty text too, is unreadable.
    #[must_use]
    pub fn read(text: Option<&str>) -> Anchor {
        let Some(text) = text else { return Anchor::Null };
        Anchor::parse(text.trim_ascii()).unwrap_or(Anchor::Unreadable)
    }

    /// The anchor in one cell of a column of dates, timestamps or ISO 8601 strings, or of a dictionary
    /// of these: what a [`Judge`](crate::Judge) of that column goes by.
    ///
    /// # Errors
    /// A column of a type that holds no anchors.
    ///
    /// # Panics
    /// When the column has no such row.
    pub fn of_cell(column: &dyn Array, row: usize) -> Result<Anchor, AnchorTypeError> {
        if column.is_null(row) {
            return Ok(Anchor::Null);
        }
        // Behind the last day of the calendar lies the future; before the first lies nothing.
        let beyond = |ahead: bool, last| if ahead { last } else { Anchor::Unreadable };
        let instant = |nanoseconds: i128| {
            let last = beyond(nanoseconds > 0, Anchor::Instant(Timestamp::MAX));
            Timestamp::from_nanosecond(nanoseconds).map_or(last, Anchor::Instant)
        };
        let wall = |nanoseconds: i128| {
            let last = beyond(nanoseconds > 0, Anchor::Wall(DateTime::MAX));
            wall_at(nanoseconds).map_or(last, Anchor::Wall)
        };
        let date = |day: i64| {
            let last = beyond(day > 0, Anchor::Date(Date::MAX));
            date_of(day).map_or(last, Anchor::Date)
        };
        Ok(match column.data_type() {
            DataType::Date32 => date(column.as_primitive::<Date32Type>().value(row).into()),
            DataType::Date64 => {
                let milliseconds = column.as_primitive::<Date64Type>().value(row);
                date(milliseconds.div_euclid(DAY_SECONDS * 1_000))
            }
            DataType::Timestamp(unit, zone) => {
                let (value, scale) = match unit {
                    TimeUnit::Second => {
                        (column.as_primitive::<TimestampSecondType>().value(row), SECOND)
                    }
                    TimeUnit::Millisecond => (
                        column.as_primitive::<TimestampMillisecondType>().value(row),
                        SECOND / 1_000,
                    ),
                    TimeUnit::Microsecond => (
                        column.as_primitive::<TimestampMicrosecondType>().value(row),
                        SECOND / 1_000_000,
                    ),
                    TimeUnit::Nanosecond => {
                        (column.as_primitive::<TimestampNanosecondType>().value(row), 1)
                    }
                };
                let nanoseconds = i128::from(value) * scale;
                if zone.is_some() { instant(nanoseconds) } else { wall(nanoseconds) }
            }
            DataType::Utf8 => Anchor::read(Some(column.as_string::<i32>().value(row))),
            DataType::LargeUtf8 => Anchor::read(Some(column.as_string::<i64>().value(row))),
            DataType::Utf8View => Anchor::read(Some(column.as_string_view().value(row))),
            DataType::Dictionary(_, _) => {
                let dictionary = column.as_any_dictionary();
                let values = dictionary.values();
                if values.is_empty() {
                    return Ok(Anchor::Null);
                }
                return Anchor::of_cell(values.as_ref(), dictionary.normalized_keys()[row]);
            }
            other => return Err(AnchorTypeError { found: other.clone() }),
        })
    }

    fn parse(text: &str) -> Option<Anchor> {
        // The parser also reads names of zones in brackets and times without a date.
        let written = |c: u8| c.is_ascii_digit() || b"-:.,+ TtZz".contains(&c);
        if !text.bytes().all(written) {
            return None;
        }
        let pieces = Pieces::parse(text).ok()?;
        let date = pieces.date();
        Some(match (pieces.time(), pieces.to_numeric_offset()) {
            (None, None) => Anchor::Date(date),
            (Some(time), Some(offset)) => {
                Anchor::Instant(offset.to_timestamp(date.to_datetime(time)).ok()?)
            }
            (Some(time), None) => Anchor::Wall(date.to_datetime(time)),
            (None, Some(_)) => return None,
        })
    }
}

/// Nanoseconds from 1970-01-01 to a time on a wall, as if the wall hung in UTC.
pub(crate) fn wall_nanoseconds(wall: DateTime) -> i128 {
    let time = wall.time();
    let seconds =
        i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    i128::from(day_of(wall.date())) * DAY
        + i128::from(seconds) * SECOND
        + i128::from(time.subsec_nanosecond())
}

/// The inverse of [`wall_nanoseconds`]; `None` outside the calendar.
pub(crate) fn wall_at(nanoseconds: i128) -> Option<DateTime> {
    let date = date_of(i64::try_from(nanoseconds.div_euclid(DAY)).ok()?)?;
    let in_day = i64::try_from(nanoseconds.rem_euclid(DAY)).ok()?;
    let part = |unit: i64, most: i64| i8::try_from(in_day / unit % most).ok();
    let time = Time::new(
        part(3_600_000_000_000, 24)?,
        part(60_000_000_000, 60)?,
        part(1_000_000_000, 60)?,
        i32::try_from(in_day % 1_000_000_000).ok()?,
    );
    Some(date.to_datetime(time.ok()?))
}

/// Days from 1970-01-01.
pub(crate) fn day_of(date: Date) -> i64 {
    let span = EPOCH.until(date).expect("any two dates are a number of days apart");
    i64::from(span.get_days())
}

/// The inverse of [`day_of`]; `None` outside the calendar.
pub(crate) fn date_of(day: i64) -> Option<Date> {
    let span = jiff::Span::new().try_days(day).ok()?;
    EPOCH.checked_add(span).ok()
}

pub(crate) const SECOND: i128 = 1_000_000_000;
pub(crate) const DAY: i128 = 86_400 * SECOND;
pub(crate) const DAY_SECONDS: i64 = 86_400;
const EPOCH: Date = Date::constant(1970, 1, 1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_timestamps_are_read_as_iso_8601_writes_them() {
        let instant = |text: &str| Anchor::Instant(text.parse().unwrap());
        let wall = |text: &str| Anchor::Wall(text.parse().unwrap());
        for (text, anchor) in [
            ("2024-01-31", Anchor::Date(Date::constant(2024, 1, 31))),
            (" 2024-01-31\n", Anchor::Date(Date::constant(2024, 1, 31))),
            ("20240131", Anchor::Date(Date::constant(2024, 1, 31))),
            ("2026-03-28T23:30:00Z", instant("2026-03-28T23:30:00Z")),
            ("2000-02-29T00:00:00+13:00", instant("2000-02-28T11:00:00Z")),
            ("2026-03-28 23:30:00.123456789-05:30", instant("2026-03-29T05:00:00.123456789Z")),
            ("2024-05-05T12:00:00", wall("2024-05-05T12:00:00")),
            ("2024-05-05 12:00", wall("2024-05-05T12:00:00")),
        ] {
            assert_eq!(Anchor::read(Some(text)), anchor, "{text}");
        }
        assert_eq!(Anchor::read(None), Anchor::Null);
    }

    #[test]
    fn everything_else_is_unreadable() {
        for text in [
            "",
            " ",
            "unknown",
            "2024",
            "2024-02-30",
            "2024-13-01",
            "31.01.2024",
            "01/31/2024",
            "2024-01-31Z",
            "2024-01-31T25:00:00Z",
            "2024-01-31T10:00:00[Europe/Berlin]",
            "2024-01-31T10:00:00+01:00[Europe/Berlin]",
            "10:00:00",
            "1706659200",
            "2024-01-31T10:00:00Z trailing",
            "\u{662}024-01-31",
        ] {
            assert_eq!(Anchor::read(Some(text)), Anchor::Unreadable, "{text}");
        }
    }

    #[test]
    fn walls_and_numbers_are_inverse() {
        for text in [
            "1970-01-01T00:00:00",
            "1969-12-31T23:59:59.999999999",
            "0001-01-01T00:00:00",
            "9999-12-31T23:59:59.999999999",
            "2024-02-29T13:14:15.000000016",
        ] {
            let wall: DateTime = text.parse().unwrap();
            assert_eq!(wall_at(wall_nanoseconds(wall)), Some(wall), "{text}");
        }
        assert_eq!(wall_nanoseconds("1970-01-02T00:00:01".parse().unwrap()), DAY + SECOND);
        assert_eq!(wall_at(i128::MAX), None);
        assert_eq!(date_of(i64::MAX), None);
    }
}
