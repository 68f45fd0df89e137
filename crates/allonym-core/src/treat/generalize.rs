//! `generalize`: coarser values that more people share.

use super::cells::{DAY_MILLIS, Kind, units_per_second};
use super::civil::{self, Civil};
use crate::decimal::Decimal;
use crate::policy::{DatePart, Generalize};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Decimal256Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_buffer::{NullBuffer, i256};
use arrow_schema::{DataType, TimeUnit};
use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::fmt::{Display, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Writes the coarser form of a cell. `None` when the cell has no form that is understood; what was
/// appended until then is to be thrown away.
pub(super) fn text(cell: &str, way: &Generalize, out: &mut String) -> Option<()> {
    match way {
        Generalize::To(part) => civil::coarser(cell, *part, out),
        Generalize::Step(step) => {
            let floor = Decimal::parse(cell)?.floor_to(*step)?;
            // Writing to a string cannot fail.
            let _ = write!(out, "{floor}");
            Some(())
        }
        Generalize::Prefix(n) => {
            let kept: String = cell.trim().chars().take(*n).collect();
            out.push_str(kept.trim_end());
            Some(())
        }
        Generalize::Bits(bits) => network(cell.trim(), *bits, out),
        Generalize::Bands(bands) => band(Decimal::parse(cell)?, bands, out),
    }
}

/// What cells look like that were made coarser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coarseness {
    pub(super) way: Generalize,
    /// All bands, by their spelling.
    bands: Vec<String>,
}

impl Coarseness {
    pub(crate) fn of(way: &Generalize) -> Coarseness {
        let Generalize::Bands(cuts) = way else {
            return Coarseness { way: way.clone(), bands: Vec::new() };
        };
        let below = cuts.first().map(|first| first.saturating_sub(1));
        let bands = below.iter().chain(cuts).filter_map(|value| {
            let mut out = String::new();
            text(&value.to_string(), way, &mut out).map(|()| out)
        });
        Coarseness { way: way.clone(), bands: bands.collect() }
    }

    /// Whether a text is one that the way makes: what is coarse stays as it is.
    #[must_use]
    pub fn writes(&self, cell: &str) -> bool {
        let again = |cell: &str| {
            let mut out = String::new();
            text(cell, &self.way, &mut out).map(|()| out)
        };
        match &self.way {
            Generalize::Bands(_) => self.bands.iter().any(|band| band == cell),
            Generalize::Bits(_) => cell
                .split_once('/')
                .is_some_and(|(address, _)| again(address).as_deref() == Some(cell)),
            Generalize::To(_) | Generalize::Step(_) | Generalize::Prefix(_) => {
                again(cell).as_deref() == Some(cell)
            }
        }
    }

    /// The same of a cell, as text, that may come from a typed column: those have no spelling for a
    /// whole month, and one of their own for numbers.
    #[must_use]
    pub fn holds(&self, cell: &str) -> bool {
        let typed = || match &self.way {
            Generalize::Step(_) => {
                let number = |text: &str| text.trim().parse::<f64>().ok();
                let mut floor = String::new();
                text(cell, &self.way, &mut floor).is_some() && number(&floor) == number(cell)
            }
            Generalize::To(part) => is_first(cell, *part),
            Generalize::Bands(_) | Generalize::Bits(_) | Generalize::Prefix(_) => false,
        };
        self.writes(cell) || typed()
    }
}

/// Whether a date or time is at the beginning of its part, as typed columns have it.
fn is_first(cell: &str, part: DatePart) -> bool {
    let (date, time) = cell.split_once(['T', ' ']).unwrap_or((cell, ""));
    let ends: &[&str] = match part {
        DatePart::Year => &["-01-01"],
        DatePart::Quarter => &["-01-01", "-04-01", "-07-01", "-10-01"],
        DatePart::Month => &["-01"],
        DatePart::Day => &[""],
    };
    let is_date = date.len() >= "1980-01-01".len()
        && civil::coarser(date, part, &mut String::new()).is_some();
    is_date
        && ends.iter().any(|end| date.ends_with(end))
        && (time.is_empty() || time.starts_with("00:00:00"))
}

/// `192.0.2.0/24`. The bits are those of IPv4 up to 31 and of IPv6 above; the other kind of
/// address gets its usual width. An IPv4 address inside IPv6 counts as IPv4.
fn network(cell: &str, bits: u8, out: &mut String) -> Option<()> {
    let address = match cell.parse::<IpAddr>().ok()? {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
        v4 => v4,
    };
    let _ = match address {
        IpAddr::V4(v4) => {
            let bits = if bits < 32 { bits } else { USUAL_BITS_V4 };
            let kept = u32::MAX.checked_shl(32 - u32::from(bits))?;
            write!(out, "{}/{bits}", Ipv4Addr::from_bits(v4.to_bits() & kept))
        }
        IpAddr::V6(v6) => {
            let bits = if bits < 32 { USUAL_BITS_V6 } else { bits };
            let kept = u128::MAX.checked_shl(128 - u32::from(bits))?;
            write!(out, "{}/{bits}", Ipv6Addr::from_bits(v6.to_bits() & kept))
        }
    };
    Some(())
}

/// `<18`, `18-29`, `90+`; with a negative end `-20..-11`.
fn band(value: Decimal, bands: &[i64], out: &mut String) -> Option<()> {
    let whole = value.floor()?;
    let above = bands.partition_point(|cut| i128::from(*cut) <= whole);
    let _ = match (above.checked_sub(1).map(|at| bands[at]), bands.get(above)) {
        (None, Some(first)) => write!(out, "<{first}"),
        (Some(low), Some(next)) if next - 1 == low => write!(out, "{low}"),
        (Some(low), Some(next)) if low < 0 => write!(out, "{low}..{}", next - 1),
        (Some(low), Some(next)) => write!(out, "{low}-{}", next - 1),
        (Some(low), None) => write!(out, "{low}+"),
        (None, None) => return None,
    };
    Some(())
}

/// Dates, instants and numbers that keep their type.
#[derive(Debug)]
pub(crate) enum Typed {
    /// The first day of the part; instants in their zone.
    Date(DatePart, Option<TimeZone>),
    /// The multiple at or below.
    Step(Decimal),
}

impl Typed {
    /// `None` when the way makes text of that type. Types must fit; see `fits`.
    pub(crate) fn of(way: &Generalize, data_type: &DataType) -> Option<Typed> {
        match (way, data_type) {
            (Generalize::To(part), DataType::Timestamp(_, Some(name))) => {
                Some(Typed::Date(*part, zone(name)))
            }
            (
                Generalize::To(part),
                DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, None),
            ) => Some(Typed::Date(*part, None)),
            (Generalize::Step(step), data_type) if data_type.is_numeric() => {
                Some(Typed::Step(*step))
            }
            _ => None,
        }
    }

    /// The same type, coarser. `is_sentinel` says which cells become null instead.
    pub(super) fn apply(
        &self,
        array: &dyn Array,
        is_sentinel: &dyn Fn(usize) -> bool,
        kinds: &mut Vec<Kind>,
    ) -> ArrayRef {
        use DataType as D;
        use TimeUnit as U;
        macro_rules! integers {
            ($type:ty, $step:expr) => {{
                let step = $step.at_scale(0);
                map::<$type>(array, is_sentinel, kinds, |value| {
                    let value = i128::from(value);
                    let floor = value.checked_sub(value.checked_rem_euclid(step?)?)?;
                    floor.try_into().ok()
                })
            }};
        }
        match (self, array.data_type()) {
            (Typed::Date(part, _), D::Date32) => {
                map::<Date32Type>(array, is_sentinel, kinds, |days| {
                    i32::try_from(Civil::from_days(days.into()).first_of(*part).to_days()).ok()
                })
            }
            (Typed::Date(part, _), D::Date64) => {
                map::<Date64Type>(array, is_sentinel, kinds, |millis| {
                    let date = Civil::from_days(millis.div_euclid(DAY_MILLIS)).first_of(*part);
                    date.to_days().checked_mul(DAY_MILLIS)
                })
            }
            (Typed::Date(part, zone), D::Timestamp(unit, _)) => {
                let first = |value| first_instant(value, *unit, *part, zone.as_ref());
                match unit {
                    U::Second => map::<TimestampSecondType>(array, is_sentinel, kinds, first),
                    U::Millisecond => {
                        map::<TimestampMillisecondType>(array, is_sentinel, kinds, first)
                    }
                    U::Microsecond => {
                        map::<TimestampMicrosecondType>(array, is_sentinel, kinds, first)
                    }
                    U::Nanosecond => {
                        map::<TimestampNanosecondType>(array, is_sentinel, kinds, first)
                    }
                }
            }
            (Typed::Step(step), D::Int8) => integers!(Int8Type, step),
            (Typed::Step(step), D::Int16) => integers!(Int16Type, step),
            (Typed::Step(step), D::Int32) => integers!(Int32Type, step),
            (Typed::Step(step), D::Int64) => integers!(Int64Type, step),
            (Typed::Step(step), D::UInt8) => integers!(UInt8Type, step),
            (Typed::Step(step), D::UInt16) => integers!(UInt16Type, step),
            (Typed::Step(step), D::UInt32) => integers!(UInt32Type, step),
            (Typed::Step(step), D::UInt64) => integers!(UInt64Type, step),
            (Typed::Step(step), D::Float32) => {
                map::<Float32Type>(array, is_sentinel, kinds, |value| floor_float(value, *step))
            }
            (Typed::Step(step), D::Float64) => {
                map::<Float64Type>(array, is_sentinel, kinds, |value| floor_float(value, *step))
            }
            (Typed::Step(step), D::Decimal32(precision, scale)) => {
                let floor = FloorDecimal::new(*step, *precision, *scale);
                map::<Decimal32Type>(array, is_sentinel, kinds, |v| {
                    floor.as_ref()?.floor(v.into())?.try_into().ok()
                })
            }
            (Typed::Step(step), D::Decimal64(precision, scale)) => {
                let floor = FloorDecimal::new(*step, *precision, *scale);
                map::<Decimal64Type>(array, is_sentinel, kinds, |v| {
                    floor.as_ref()?.floor(v.into())?.try_into().ok()
                })
            }
            (Typed::Step(step), D::Decimal128(precision, scale)) => {
                let floor = FloorDecimal::new(*step, *precision, *scale);
                map::<Decimal128Type>(array, is_sentinel, kinds, |v| floor.as_ref()?.floor(v))
            }
            (Typed::Step(step), D::Decimal256(precision, scale)) => {
                let floor = FloorDecimal::new(*step, *precision, *scale);
                map::<Decimal256Type>(array, is_sentinel, kinds, |v| floor.as_ref()?.floor_wide(v))
            }
            // `fits` lets nothing else through; losing the cells is the safe side.
            (_, data_type) => {
                kinds
                    .extend((0..array.len()).map(|row| {
                        if array.is_null(row) { Kind::Null } else { Kind::Unparseable }
                    }));
                arrow_array::new_null_array(data_type, array.len())
            }
        }
    }
}

/// Treats the cells of one typed column; `None` of `coarser` is a cell that cannot be.
fn map<T: ArrowPrimitiveType>(
    array: &dyn Array,
    is_sentinel: &dyn Fn(usize) -> bool,
    kinds: &mut Vec<Kind>,
    coarser: impl Fn(T::Native) -> Option<T::Native>,
) -> ArrayRef {
    let array = array.as_primitive::<T>();
    let mut values = Vec::with_capacity(array.len());
    let first = kinds.len();
    for row in 0..array.len() {
        let (value, kind) = if array.is_null(row) {
            (None, Kind::Null)
        } else if is_sentinel(row) {
            (None, Kind::Sentinel)
        } else {
            match coarser(array.value(row)) {
                Some(value) if value == array.value(row) => (Some(value), Kind::Unchanged),
                Some(value) => (Some(value), Kind::Treated),
                None => (None, Kind::Unparseable),
            }
        };
        values.push(value.unwrap_or_default());
        kinds.push(kind);
    }
    let nulls: NullBuffer =
        kinds[first..].iter().map(|kind| matches!(kind, Kind::Treated | Kind::Unchanged)).collect();
    let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
    let treated = PrimitiveArray::<T>::new(values.into(), nulls);
    // The same physical type: precision, scale and zone are put back.
    Arc::new(treated.with_data_type(array.data_type().clone()))
}

/// The first instant of the part in which `value` lies, in local time of the zone, UTC without one.
fn first_instant(
    value: i64,
    unit: TimeUnit,
    part: DatePart,
    zone: Option<&TimeZone>,
) -> Option<i64> {
    let per_second = units_per_second(unit);
    let seconds = value.div_euclid(per_second);
    let Some(zone) = zone else {
        let date = Civil::from_days(seconds.div_euclid(86_400)).first_of(part);
        return date.to_days().checked_mul(86_400)?.checked_mul(per_second);
    };
    let local = Timestamp::from_second(seconds).ok()?.to_zoned(zone.clone()).date();
    let first = Civil::from_days(0).with(local).first_of(part);
    let year = i16::try_from(first.year).ok()?;
    let month = i8::try_from(first.month).ok()?;
    let day = i8::try_from(first.day).ok()?;
    let first = jiff::civil::Date::new(year, month, day).ok()?.to_zoned(zone.clone()).ok()?;
    first.timestamp().as_second().checked_mul(per_second)
}

impl Civil {
    fn with(self, date: jiff::civil::Date) -> Civil {
        Civil {
            year: date.year().into(),
            month: u8::try_from(date.month()).unwrap_or(self.month),
            day: u8::try_from(date.day()).unwrap_or(self.day),
        }
    }
}

/// A zone by its IANA name or as `+02:00`, from the tables built in: the system's are not read.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    if name.eq_ignore_ascii_case("utc") || name == "Z" {
        return Some(TimeZone::UTC);
    }
    if let Some((sign, rest)) =
        name.strip_prefix('+').map(|r| (1, r)).or_else(|| name.strip_prefix('-').map(|r| (-1, r)))
    {
        let (hours, minutes) =
            rest.split_once(':').or_else(|| rest.split_at_checked(2)).unwrap_or((rest, "0"));
        let minutes = if minutes.is_empty() { "0" } else { minutes };
        let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
        if hours > 23 || minutes > 59 {
            return None;
        }
        let seconds = sign * (i32::from(hours) * 3_600 + i32::from(minutes) * 60);
        return jiff::tz::Offset::from_seconds(seconds).ok().map(TimeZone::fixed);
    }
    TimeZoneDatabase::bundled().get(name).ok()
}

/// Through the shortest decimal form, so that 0.3 is a multiple of 0.1.
fn floor_float<F: Display + std::str::FromStr + Copy + Into<f64>>(
    value: F,
    step: Decimal,
) -> Option<F> {
    if !value.into().is_finite() {
        return None;
    }
    let floor = Decimal::parse(&value.to_string())?.floor_to(step)?;
    floor.to_string().parse().ok()
}

/// Flooring of decimals of one type.
struct FloorDecimal {
    step: i128,
    /// First number too long for the precision.
    limit: Option<i128>,
    precision: u8,
}

impl FloorDecimal {
    fn new(step: Decimal, precision: u8, scale: i8) -> Option<FloorDecimal> {
        let step = decimal_step(step, scale)?;
        Some(FloorDecimal { step, limit: 10_i128.checked_pow(precision.into()), precision })
    }

    fn floor(&self, value: i128) -> Option<i128> {
        let floor = value.checked_sub(value.checked_rem_euclid(self.step)?)?;
        self.limit.is_none_or(|limit| floor > -limit).then_some(floor)
    }

    fn floor_wide(&self, value: i256) -> Option<i256> {
        let step = i256::from_i128(self.step);
        let rest = value.checked_rem(step)?;
        let rest = if rest < i256::ZERO { rest.checked_add(step)? } else { rest };
        let floor = value.checked_sub(rest)?;
        let limit = i256::from_i128(10).checked_pow(self.precision.into());
        limit.is_none_or(|limit| floor > limit.wrapping_neg()).then_some(floor)
    }
}

/// The step in units of a decimal type; `None` when the type has too few places for it.
pub(super) fn decimal_step(step: Decimal, scale: i8) -> Option<i128> {
    match u32::try_from(scale) {
        Ok(scale) => step.at_scale(scale),
        Err(_) => {
            // A negative scale counts in tens, hundreds and so on.
            let unit = 10_i128.checked_pow(scale.unsigned_abs().into())?;
            let whole = step.at_scale(0)?;
            (whole % unit == 0).then(|| whole / unit)
        }
    }
}

const USUAL_BITS_V4: u8 = 24;
/// What a site usually gets (RFC 6177).
const USUAL_BITS_V6: u8 = 48;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(way: &Generalize, cell: &str, expected: Option<&str>) {
        let mut out = String::new();
        let done = text(cell, way, &mut out);
        assert_eq!(done.map(|()| out.as_str()), expected, "{cell} by {way:?}");
    }

    #[test]
    fn ages_fall_into_bands() {
        let ages = Generalize::Bands(vec![18, 30, 90]);
        for (cell, expected) in [
            ("17", Some("<18")),
            ("18", Some("18-29")),
            ("29.9", Some("18-29")),
            ("30", Some("30-89")),
            ("90", Some("90+")),
            ("130", Some("90+")),
            ("-1", Some("<18")),
            ("", None),
            ("old", None),
        ] {
            check(&ages, cell, expected);
        }
        let around = Generalize::Bands(vec![-20, -10, 0, 1]);
        for (cell, expected) in
            [("-21", "<-20"), ("-15", "-20..-11"), ("-0.5", "-10..-1"), ("0", "0"), ("1", "1+")]
        {
            check(&around, cell, Some(expected));
        }
    }

    #[test]
    fn addresses_become_networks() {
        for (bits, cell, expected) in [
            (24, "192.0.2.77", Some("192.0.2.0/24")),
            (8, "10.1.2.3", Some("10.0.0.0/8")),
            (31, "192.0.2.77", Some("192.0.2.76/31")),
            (24, "2001:db8:1:2:3::9", Some("2001:db8:1::/48")),
            (64, "2001:db8:1:2:3::9", Some("2001:db8:1:2::/64")),
            (64, "192.0.2.77", Some("192.0.2.0/24")),
            (24, "::ffff:192.0.2.77", Some("192.0.2.0/24")),
            (24, "192.0.2", None),
            (24, "192.0.2.77:80", None),
            (24, "192.0.2.777", None),
            (24, "fe80::1%eth0", None),
            (24, "", None),
        ] {
            check(&Generalize::Bits(bits), cell, expected);
        }
    }

    #[test]
    fn prefixes_count_characters() {
        check(&Generalize::Prefix(2), " 1012 AB", Some("10"));
        check(&Generalize::Prefix(2), "é日本", Some("é日"));
        check(&Generalize::Prefix(4), "12", Some("12"));
        check(&Generalize::Prefix(3), "ab cd", Some("ab"));
    }

    #[test]
    fn floats_floor_to_exact_multiples() {
        let tenth = Decimal { unscaled: 1, scale: 1 };
        assert_eq!(floor_float(0.3_f64, tenth), Some(0.3));
        assert_eq!(floor_float(0.39_f32, tenth), Some(0.3));
        assert_eq!(floor_float(-0.01_f64, tenth), Some(-0.1));
        assert_eq!(floor_float(1e6_f64, Decimal::integer(7)), Some(999_999.0));
        assert_eq!(floor_float(f64::NAN, tenth), None);
        assert_eq!(floor_float(f64::NEG_INFINITY, tenth), None);
        assert_eq!(floor_float(1e300_f64, tenth), None);
    }

    #[test]
    fn instants_begin_in_their_own_zone() {
        let amsterdam = zone("Europe/Amsterdam").unwrap();
        // 1980-01-01T00:30 in Amsterdam is still 1979 in UTC.
        let value = 315_531_000;
        let first = |zone| first_instant(value, TimeUnit::Second, DatePart::Year, zone);
        assert_eq!(first(Some(&amsterdam)), Some(315_529_200));
        assert_eq!(first(None), Some(283_996_800));
        let fixed = zone("+01:00").unwrap();
        assert_eq!(first(Some(&fixed)), Some(315_529_200));
        for wrong in ["Europe/Nowhere", "+25:00", "", "+1x:00", "+"] {
            assert!(zone(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn what_is_coarse_is_told_from_what_is_not() {
        let check = |way: &Generalize, coarse: &[&str], fine: &[&str]| {
            let coarseness = Coarseness::of(way);
            for cell in coarse {
                assert!(coarseness.holds(cell), "{way:?} {cell}");
                let mut out = String::new();
                // What it makes of anything is coarse.
                if text(cell, way, &mut out).is_some() {
                    assert!(coarseness.holds(&out), "{way:?} {cell} {out}");
                }
            }
            for cell in fine {
                assert!(!coarseness.holds(cell), "{way:?} {cell}");
                let mut out = String::new();
                if text(cell, way, &mut out).is_some() {
                    assert!(coarseness.holds(&out), "{way:?} {cell} {out}");
                }
            }
        };
        check(
            &Generalize::To(DatePart::Year),
            &["1980", "1980-01-01", "1980-01-01T00:00:00"],
            &["1980-03", "1980-03-01", "1980-01-01T10:00:00", "x", "", "01.01.1980"],
        );
        check(&Generalize::To(DatePart::Quarter), &["1980-Q2", "1980-04-01"], &["1980-05-01"]);
        check(&Generalize::To(DatePart::Month), &["1980-03", "1980-03-01"], &["1980-03-02"]);
        check(&Generalize::To(DatePart::Day), &["1980-03-02"], &["1980-03-02T10:00:00"]);
        check(&Generalize::Prefix(2), &["10", "1", ""], &["101"]);
        check(
            &Generalize::Bits(24),
            &["192.0.2.0/24", "2001:db8::/48"],
            &["192.0.2.7", "192.0.2.0", "192.0.2.7/24", "x"],
        );
        let bands = Generalize::Bands(vec![18, 30, 90]);
        check(&bands, &["<18", "18-29", "30-89", "90+"], &["17", "40", "18-30", ""]);
        let step = Generalize::Step(Decimal::parse("100").unwrap());
        check(&step, &["0", "100", "-200", "100.0"], &["1", "150", "x", ""]);
    }

    #[test]
    fn decimals_keep_their_precision() {
        let floor = FloorDecimal::new(Decimal::integer(10), 3, 0).unwrap();
        assert_eq!(floor.floor(37), Some(30));
        assert_eq!(floor.floor(-999), None);
        assert_eq!(floor.floor_wide(i256::from_i128(-37)), Some(i256::from_i128(-40)));
        assert_eq!(floor.floor_wide(i256::from_i128(-999)), None);
        assert_eq!(decimal_step(Decimal { unscaled: 5, scale: 1 }, 2), Some(50));
        assert_eq!(decimal_step(Decimal { unscaled: 5, scale: 1 }, 0), None);
        assert_eq!(decimal_step(Decimal::integer(1_000), -2), Some(10));
        assert_eq!(decimal_step(Decimal::integer(50), -2), None);
    }
}
