//! Whether the date a number holds can be a date.

/// Whether the year has such a day, in the Gregorian calendar.
pub(super) fn is_date(year: u64, month: u64, day: u64) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// Whether some century has such a day: of a year of two digits, 00 may be 2000, a leap year.
pub(super) fn is_date_of_any_century(year: u64, month: u64, day: u64) -> bool {
    is_date(2000 + year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_end() {
        for (year, month, day) in [(2023, 1, 31), (2023, 4, 30), (2024, 2, 29), (2000, 2, 29)] {
            assert!(is_date(year, month, day), "{year} {month} {day}");
        }
        for (year, month, day) in [
            (2023, 4, 31),
            (2023, 2, 29),
            (1900, 2, 29),
            (2023, 0, 1),
            (2023, 13, 1),
            (2023, 1, 0),
            (2023, 1, 32),
        ] {
            assert!(!is_date(year, month, day), "{year} {month} {day}");
        }
    }

    #[test]
    fn a_short_year_may_be_2000() {
        assert!(is_date_of_any_century(0, 2, 29));
        assert!(!is_date_of_any_century(1, 2, 29));
    }
}
