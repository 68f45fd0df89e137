//! Exact decimal numbers, for steps and for cells written as text.

use std::fmt;

/// `unscaled` times ten to the power of minus `scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub(crate) unscaled: i128,
    pub(crate) scale: u32,
}

impl Decimal {
    pub(crate) fn integer(value: i128) -> Decimal {
        Decimal { unscaled: value, scale: 0 }
    }

    /// Reads `-12`, `+3.50`, `.5`, `1e3`. No thousands separators, no decimal comma: those are read
    /// differently in different countries. `None` as well when it does not fit.
    pub(crate) fn parse(text: &str) -> Option<Decimal> {
        let text = text.trim();
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (digits, exponent) = match digits.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse::<i32>().ok()?),
            None => (digits, 0),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut unscaled: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            let digit = char::from(digit).to_digit(10)?;
            unscaled = unscaled.checked_mul(10)?.checked_add(i128::from(digit))?;
        }
        let scale = i64::try_from(fraction.len()).ok()? - i64::from(exponent);
        if negative {
            unscaled = -unscaled;
        }
        let read = match u32::try_from(scale) {
            Ok(scale) => Decimal { unscaled, scale },
            Err(_) => {
                let up = u32::try_from(-scale).ok()?;
                Decimal::integer(unscaled.checked_mul(10_i128.checked_pow(up)?)?)
            }
        };
        (read.scale <= SCALE_MAX).then_some(read)
    }

    /// Without needless zeros at the end.
    pub(crate) fn shortest(mut self) -> Decimal {
        while self.scale > 0 && self.unscaled % 10 == 0 {
            self.unscaled /= 10;
            self.scale -= 1;
        }
        self
    }

    /// The same number with `scale` places; `None` when it has more places or does not fit.
    pub(crate) fn at_scale(self, scale: u32) -> Option<i128> {
        if scale >= self.scale {
            self.unscaled.checked_mul(10_i128.checked_pow(scale - self.scale)?)
        } else {
            let by = 10_i128.checked_pow(self.scale - scale)?;
            (self.unscaled % by == 0).then(|| self.unscaled / by)
        }
    }

    /// The largest multiple of `step` that is not above this number, written with the places of
    /// `step`. `None` when it does not fit.
    pub(crate) fn floor_to(self, step: Decimal) -> Option<Decimal> {
        let scale = self.scale.max(step.scale);
        let value = self.at_scale(scale)?;
        let by = step.at_scale(scale)?;
        let unscaled = value.checked_sub(value.checked_rem_euclid(by)?)?;
        let places = 10_i128.checked_pow(scale - step.scale)?;
        Some(Decimal { unscaled: unscaled / places, scale: step.scale })
    }

    /// The whole number at or below.
    pub(crate) fn floor(self) -> Option<i128> {
        self.floor_to(Decimal::integer(1)).map(|whole| whole.unscaled)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.unscaled < 0 { "-" } else { "" };
        let places = usize::try_from(self.scale).unwrap_or(usize::MAX);
        let digits = format!("{:0>width$}", self.unscaled.unsigned_abs(), width = places + 1);
        let (whole, fraction) =
            digits.split_at_checked(digits.len() - places).unwrap_or((&digits, ""));
        if fraction.is_empty() {
            write!(f, "{sign}{whole}")
        } else {
            write!(f, "{sign}{whole}.{fraction}")
        }
    }
}

/// More places than any number of ours has; keeps the powers of ten inside an `i128`.
const SCALE_MAX: u32 = 37;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_exactly() {
        for (text, expected) in [
            ("37", Some("37")),
            (" -0.50 ", Some("-0.50")),
            ("+7", Some("7")),
            (".5", Some("0.5")),
            ("5.", Some("5")),
            ("1e3", Some("1000")),
            ("12.5e-1", Some("1.25")),
            ("", None),
            (".", None),
            ("-", None),
            ("1,5", None),
            ("1 000", None),
            ("0x10", None),
            ("NaN", None),
            ("inf", None),
            ("--1", None),
            ("1e99", None),
            ("999999999999999999999999999999999999999999", None),
        ] {
            assert_eq!(Decimal::parse(text).map(|d| d.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn flooring_goes_down_also_below_zero() {
        for (value, step, expected) in [
            ("37", "10", "30"),
            ("-1", "10", "-10"),
            ("-10", "10", "-10"),
            ("37.25", "0.5", "37.0"),
            ("0.3", "0.1", "0.3"),
            ("37.25", "10", "30"),
            ("12345", "2.5", "12345.0"),
            ("-0.01", "0.5", "-0.5"),
        ] {
            let floored =
                Decimal::parse(value).unwrap().floor_to(Decimal::parse(step).unwrap()).unwrap();
            assert_eq!(floored.to_string(), expected, "{value} by {step}");
        }
        let least = Decimal::integer(i128::MIN);
        assert_eq!(least.floor_to(Decimal::integer(10)), None);
    }
}
