//! Columns say what the one-row function says, row by row: the oracle of every shortcut.

#![expect(clippy::unwrap_used, reason = "what a test's helpers do is the test's")]

use allonym_retention::{Anchor, Counts, Judge, OnNullAnchor, Rule, Ruling, Term, Verdict, Zone};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowTimestampType, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{
    Array, BooleanArray, Date32Array, Date64Array, DictionaryArray, Float64Array, Int64Array,
    LargeStringArray, PrimitiveArray, StringArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, TimeUnit};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use proptest::prelude::*;
use std::sync::Arc;

/// Zones whose clocks were turned at midnight, by half an hour, by a day, before dates of note.
const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kwajalein",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Manila",
    "America/Juneau",
];

const PERIODS: &[&str] = &[
    "P0D", "P1D", "P1M", "P29D", "P30D", "P1M1D", "P2M", "P6M", "P1Y", "P13M", "P4Y", "P10Y2W",
    "P100Y",
];

/// Dates around which something happens: ends of months, turned clocks, skipped and doubled days.
const AS_OF: &[&str] = &[
    "2023-02-28T12:00:00Z",
    "2024-02-29T00:00:00Z",
    "2026-03-29T01:00:00Z",
    "2025-10-26T00:59:59Z",
    "2018-11-04T03:00:00Z",
    "2011-12-30T10:00:00Z",
    "1993-08-21T12:00:00Z",
    "1900-01-01T00:00:00Z",
    "1867-10-19T00:30:00Z",
    "1970-01-01T00:00:00Z",
    "0001-01-03T00:00:00Z",
    "2026-11-21T12:34:56.789012345Z",
];

fn rule(period: &str, zone: &str, assumed: Option<&str>) -> Rule {
    let term = Term::new(period.parse().unwrap(), None).unwrap();
    let mut rule = Rule::new(term, Zone::named(zone).unwrap());
    rule.assume_zone = assumed.map(|name| Zone::named(name).unwrap());
    rule
}

/// The verdicts of the column against those of the function, and their counts.
fn check(rule: &Rule, as_of: Timestamp, column: &dyn Array, anchors: &[Anchor], held: &[bool]) {
    let judge = Judge::new(rule, as_of, Anchor::Null, column.data_type()).unwrap();
    for flags in [None, Some(BooleanBuffer::from(held))] {
        let held = |row: usize| flags.is_some() && held[row];
        let decided: Vec<Verdict> = (0..anchors.len())
            .map(|row| rule.decide(anchors[row], held(row), as_of).verdict)
            .collect();
        let verdicts = judge.verdicts(column, flags.as_ref()).unwrap();
        for (row, verdict) in verdicts.iter().enumerate() {
            assert_eq!(Anchor::of_cell(column, row), Ok(anchors[row]));
            let told = (rule, as_of, anchors[row], row);
            assert_eq!(*verdict, decided[row], "{told:?}");
        }
        let counts = judge.count(column, flags.as_ref()).unwrap();
        for verdict in Verdict::ALL {
            let expected = decided.iter().filter(|decided| *decided == verdict).count();
            assert_eq!(counts.of(*verdict), expected as u64, "{rule:?} {as_of} {verdict:?}");
        }
        let soon = SignedDuration::from_hours(24 * Counts::EXPIRING_DAYS);
        let soon = as_of.checked_add(soon).unwrap();
        let expiring = (0..anchors.len())
            .filter(|row| decided[*row] == Verdict::Retain)
            .filter(|row| rule.expires_at(anchors[*row]).is_some_and(|end| end <= soon));
        assert_eq!(counts.expiring, expiring.count() as u64, "{rule:?} {as_of}");
    }
    check_bounds(&judge, column);
}

#[test]
fn bounds_that_are_missing_or_the_wrong_way_round_settle_nothing() {
    let judge = |column: &dyn Array| {
        let as_of = "2026-01-01T00:00:00Z".parse().unwrap();
        Judge::new(&rule("P1Y", "UTC", None), as_of, Anchor::Null, column.data_type()).unwrap()
    };
    let days = Date32Array::from(vec![Some(10), Some(20), None, Some(0), Some(-1)]);
    let between = |least: usize, greatest: usize, rows, nulls| {
        let (least, greatest) = (days.slice(least, 1), days.slice(greatest, 1));
        judge(&days).count_between(&least, &greatest, 0, rows, nulls)
    };
    assert_eq!(between(0, 1, 5, 2).unwrap().of(Verdict::Expired), 3);
    assert_eq!(between(0, 1, 5, 2).unwrap().of(Verdict::NullAnchor), 2);
    assert_eq!(between(2, 2, 4, 4).unwrap().of(Verdict::NullAnchor), 4);
    assert_eq!(between(1, 0, 5, 0), None, "the wrong way round");
    assert_eq!(between(0, 2, 5, 0), None, "a bound that nobody told");
    assert_eq!(between(0, 1, 1, 2), None, "more nulls than rows");
    assert_eq!(between(4, 0, 5, 0), None, "1970 may be among them");
    assert_eq!(between(3, 3, 5, 0).unwrap().suspicious, 5);
    let other = Int64Array::from(vec![1]);
    assert_eq!(judge(&days).count_between(&other, &other, 0, 1, 0), None);
    let text = StringArray::from(vec!["2020-01-01"]);
    assert_eq!(judge(&text).count_between(&text, &text, 0, 1, 0), None);
    assert!(Anchor::of_cell(&other, 0).is_err());
}

/// What two bounds settle is what counting every row between them gives.
fn check_bounds(judge: &Judge, column: &dyn Array) {
    if !column.data_type().is_temporal() {
        return;
    }
    let numbers = arrow_cast::cast(column, &DataType::Int64).unwrap();
    let numbers = numbers.as_primitive::<Int64Type>();
    let rows = column.len();
    for few in [1, 2, 3, rows].into_iter().filter(|few| (1..=rows).contains(few)) {
        for start in (0..rows - few + 1).step_by(few) {
            let valid = || (start..start + few).filter(|row| column.is_valid(*row));
            let least = valid().min_by_key(|row| numbers.value(*row)).unwrap_or(start);
            let greatest = valid().max_by_key(|row| numbers.value(*row)).unwrap_or(start);
            let [least, greatest] = [least, greatest].map(|row| column.slice(row, 1));
            let nulls = (few - valid().count()) as u64;
            let (least, greatest) = (least.as_ref(), greatest.as_ref());
            if let Some(told) = judge.count_between(least, greatest, 0, few as u64, nulls) {
                let counted = judge.count(column.slice(start, few).as_ref(), None).unwrap();
                assert_eq!(told, counted, "rows from {start}, {few} of them");
            } else {
                assert!(few > 1, "one value settles itself");
            }
        }
    }
}

fn timestamps<T: ArrowTimestampType>(values: &[Option<i64>], zone: bool) -> PrimitiveArray<T> {
    let zone = zone.then_some("Asia/Tokyo");
    values.iter().copied().collect::<PrimitiveArray<T>>().with_timezone_opt(zone)
}

/// One column of timestamps in units of so many nanoseconds, with and without a zone.
fn check_unit<T: ArrowTimestampType>(
    rule: &Rule,
    as_of: Timestamp,
    nanoseconds: &[i128],
    unit: i128,
    held: &[bool],
) {
    let values: Vec<Option<i64>> = nanoseconds
        .iter()
        .enumerate()
        .map(|(row, at)| (row % 7 != 3).then(|| i64::try_from(at.div_euclid(unit)).ok()).flatten())
        .collect();
    let at = |value: i64| Timestamp::from_nanosecond(i128::from(value) * unit).unwrap();
    for zoned in [true, false] {
        let anchors: Vec<Anchor> = values
            .iter()
            .map(|value| match value {
                None => Anchor::Null,
                Some(value) if zoned => Anchor::Instant(at(*value)),
                Some(value) => Anchor::Wall(TimeZone::UTC.to_datetime(at(*value))),
            })
            .collect();
        check(rule, as_of, &timestamps::<T>(&values, zoned), &anchors, held);
    }
}

/// Anchors near the one that expires at a date, as offsets from it in nanoseconds.
fn near(period: &str, as_of: Timestamp, offsets: &[i64]) -> Vec<i128> {
    let span: Span = period.parse().unwrap();
    let local = TimeZone::UTC.to_datetime(as_of);
    let about = local.checked_sub(span).unwrap_or(DateTime::constant(1, 1, 2, 0, 0, 0, 0));
    let about = TimeZone::UTC.to_timestamp(about).unwrap_or(as_of).as_nanosecond();
    let limit = as_of.as_nanosecond() + 86_400_000_000_000;
    offsets
        .iter()
        .enumerate()
        .map(|(n, offset)| if n % 5 == 4 { limit } else { about } + i128::from(*offset))
        .collect()
}

proptest! {
    #[test]
    fn columns_say_what_the_function_says(
        period in proptest::sample::select(PERIODS),
        zone in proptest::sample::select(ZONES),
        assumed in proptest::option::weighted(0.8, proptest::sample::select(ZONES)),
        as_of in proptest::sample::select(AS_OF),
        late in -100_000_i64..100_000,
        offsets in proptest::collection::vec(-500_000_000_000_000_i64..500_000_000_000_000, 1..200),
        held in proptest::collection::vec(any::<bool>(), 200),
    ) {
        let rule = rule(period, zone, assumed);
        let as_of = as_of.parse::<Timestamp>().unwrap();
        let as_of = as_of.checked_add(SignedDuration::from_secs(late)).unwrap();
        let at = near(period, as_of, &offsets);
        let held = &held[..at.len()];
        check_unit::<TimestampNanosecondType>(&rule, as_of, &at, 1, held);
        check_unit::<TimestampMicrosecondType>(&rule, as_of, &at, 1_000, held);
        check_unit::<TimestampMillisecondType>(&rule, as_of, &at, 1_000_000, held);
        check_unit::<TimestampSecondType>(&rule, as_of, &at, 1_000_000_000, held);
        let days: Vec<i32> = at
            .iter()
            .map(|at| i32::try_from(at.div_euclid(86_400_000_000_000)).unwrap())
            .collect();
        let epoch = Date::constant(1970, 1, 1);
        let date = |day: &i32| Anchor::Date(epoch.checked_add(Span::new().days(*day)).unwrap());
        let anchors: Vec<Anchor> = days.iter().map(date).collect();
        check(&rule, as_of, &Date32Array::from(days.clone()), &anchors, held);
        let milliseconds = days.iter().map(|day| i64::from(*day) * 86_400_000);
        check(&rule, as_of, &Date64Array::from_iter_values(milliseconds), &anchors, held);
    }

    #[test]
    fn strings_say_what_the_function_says(
        period in proptest::sample::select(PERIODS),
        zone in proptest::sample::select(ZONES),
        assumed in proptest::option::of(proptest::sample::select(ZONES)),
        offsets in proptest::collection::vec(-500_000_000_000_000_i64..500_000_000_000_000, 1..60),
        held in proptest::collection::vec(any::<bool>(), 60),
    ) {
        let rule = rule(period, zone, assumed);
        let as_of: Timestamp = "2026-03-29T00:59:59Z".parse().unwrap();
        let texts: Vec<Option<String>> = near(period, as_of, &offsets)
            .into_iter()
            .enumerate()
            .map(|(n, at)| {
                let at = Timestamp::from_nanosecond(at).unwrap();
                let wall = TimeZone::UTC.to_datetime(at);
                match n % 6 {
                    0 => None,
                    1 => Some("no date".to_owned()),
                    2 => Some(wall.to_string()),
                    3 => Some(wall.date().to_string()),
                    _ => Some(at.to_string()),
                }
            })
            .collect();
        let anchors: Vec<Anchor> =
            texts.iter().map(|text| Anchor::read(text.as_deref())).collect();
        let held = &held[..texts.len()];
        let strings: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
        check(&rule, as_of, &StringArray::from(strings.clone()), &anchors, held);
        check(&rule, as_of, &LargeStringArray::from(strings.clone()), &anchors, held);
        check(&rule, as_of, &StringViewArray::from(strings.clone()), &anchors, held);
        let dictionary: DictionaryArray<Int32Type> = strings.into_iter().collect();
        check(&rule, as_of, &dictionary, &anchors, held);
    }
}

/// Every hour and its neighbours for three weeks around the clocks' turn and a month's end.
#[test]
fn every_hour_around_a_turn_of_the_clocks_is_decided_alike() {
    for (zone, assumed, as_of) in [
        ("Europe/Berlin", "Europe/Berlin", "2026-03-29T01:10:00Z"),
        ("Europe/Berlin", "America/New_York", "2025-10-26T00:40:00Z"),
        ("Australia/Lord_Howe", "Antarctica/Troll", "2025-10-04T15:45:00Z"),
        ("Pacific/Apia", "Pacific/Apia", "2011-12-30T10:00:00Z"),
    ] {
        for period in ["P0D", "P1D", "P1M", "P1Y"] {
            let rule = rule(period, zone, Some(assumed));
            let as_of: Timestamp = as_of.parse().unwrap();
            let hours: Vec<i64> = (-240..240)
                .flat_map(|hour: i64| [-1, 0, 1].map(|n| hour * 1_800_000_000_000 + n))
                .collect();
            let at = near(period, as_of, &hours);
            let held = vec![false; at.len()];
            check_unit::<TimestampNanosecondType>(&rule, as_of, &at, 1, &held);
            check_unit::<TimestampSecondType>(&rule, as_of, &at, 1_000_000_000, &held);
        }
    }
}

#[test]
fn anchors_beyond_every_calendar_are_decided() {
    let as_of: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let rule = rule("P1Y", "UTC", Some("UTC"));
    let seconds = timestamps::<TimestampSecondType>(
        &[Some(i64::MIN), Some(i64::MAX), Some(-62_135_596_801), Some(-62_135_596_800)],
        true,
    );
    let judge = Judge::new(&rule, as_of, Anchor::Null, seconds.data_type()).unwrap();
    let expected = [
        Verdict::UnreadableAnchor,
        Verdict::FutureAnchor,
        Verdict::UnreadableAnchor,
        Verdict::Expired,
    ];
    assert_eq!(judge.verdicts(&seconds, None).unwrap(), expected);
    // A wall on the first day, east of Greenwich: the instant lies in the year before.
    let mut east = rule.clone();
    east.assume_zone = Some(Zone::named("Pacific/Apia").unwrap());
    let walls = timestamps::<TimestampSecondType>(&[Some(-62_135_596_800)], false);
    let wall = Anchor::read(Some("0001-01-01T00:00:00"));
    check(&east, "0003-01-01T00:00:00Z".parse().unwrap(), &walls, &[wall], &[false]);
    let days = Date32Array::from(vec![i32::MIN, i32::MAX, -719_163, -719_162]);
    let judge = Judge::new(&rule, as_of, Anchor::Null, days.data_type()).unwrap();
    assert_eq!(judge.verdicts(&days, None).unwrap(), expected);
    assert_eq!(judge.count(&days, None).unwrap().of(Verdict::UnreadableAnchor), 2);
}

#[test]
fn suspicious_anchors_are_counted_beside_their_verdict() {
    let rule = rule("P200Y", "UTC", None);
    let as_of = "2026-01-01T00:00:00Z".parse().unwrap();
    // 1899-12-31, 1900-01-01, 1970-01-01 and its neighbours, null.
    let days =
        Date32Array::from(vec![Some(-25_568), Some(-25_567), Some(0), Some(-1), Some(1), None]);
    let judge = Judge::new(&rule, as_of, Anchor::Null, days.data_type()).unwrap();
    let counts = judge.count(&days, None).unwrap();
    assert_eq!((counts.suspicious, counts.of(Verdict::Retain), counts.rows()), (2, 5, 6));
    let texts = StringArray::from(vec!["1970-01-01", "1970-01-01T00:00:00Z", "1899-12-31"]);
    let judge = Judge::new(&rule, as_of, Anchor::Null, texts.data_type()).unwrap();
    assert_eq!(judge.count(&texts, None).unwrap().suspicious, 3);
}

#[test]
fn the_anchor_of_the_data_set_stands_in_where_the_rule_says_so() {
    let as_of = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut rule = rule("P1Y", "UTC", None);
    rule.on_null_anchor = OnNullAnchor::DatasetAnchor;
    let days = Date32Array::from(vec![None, Some(20_400)]);
    for (dataset, verdict) in [
        (Anchor::read(Some("2020-01-01")), Verdict::Expired),
        (Anchor::read(Some("2025-06-01")), Verdict::Retain),
        (Anchor::Null, Verdict::NullAnchor),
        (Anchor::Unreadable, Verdict::UnreadableAnchor),
    ] {
        let judge = Judge::new(&rule, as_of, dataset, days.data_type()).unwrap();
        assert_eq!(judge.verdicts(&days, None).unwrap(), [verdict, Verdict::Retain]);
    }
    rule.on_null_anchor = OnNullAnchor::Expire;
    let judge = Judge::new(&rule, as_of, Anchor::Null, days.data_type()).unwrap();
    assert_eq!(judge.verdicts(&days, None).unwrap(), [Verdict::Expired, Verdict::Retain]);
    let held = BooleanBuffer::from(vec![true, true]);
    assert_eq!(
        judge.verdicts(&days, Some(&held)).unwrap(),
        [Verdict::ExpiredOnHold, Verdict::Hold]
    );
}

#[test]
fn blocks_and_single_rows_add_up() {
    let rule = rule("P5Y", "Europe/Berlin", None);
    let as_of: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let day = 86_400_000_000_i64;
    // Three blocks: plain, with one null, with one anchor in the future; and a rest.
    let values: Vec<Option<i64>> = (0..7_000)
        .map(|row| match row {
            3_000 => None,
            5_000 => Some(i64::MAX),
            row => Some((14_000 + row) * day),
        })
        .collect();
    let anchors: Vec<Anchor> = values
        .iter()
        .map(|value| match value {
            None => Anchor::Null,
            Some(i64::MAX) => Anchor::Instant(Timestamp::MAX),
            Some(value) => Anchor::Instant(Timestamp::from_microsecond(*value).unwrap()),
        })
        .collect();
    let column = timestamps::<TimestampMicrosecondType>(&values, true);
    let held: Vec<bool> = (0..7_000).map(|row| row > 6_000).collect();
    check(&rule, as_of, &column, &anchors, &held);
    let judge = Judge::new(&rule, as_of, Anchor::Null, column.data_type()).unwrap();
    let whole = judge.count(&column, None).unwrap();
    let mut parts = Counts::default();
    for first in (0..7_000).step_by(999) {
        let part = column.slice(first, 999.min(7_000 - first));
        parts.add(&judge.count(&part, None).unwrap());
    }
    assert_eq!(parts, whole);
    assert_eq!(judge.count(&column.slice(0, 0), None).unwrap(), Counts::default());
}

#[test]
fn only_anchors_are_anchors() {
    let rule = rule("P1Y", "UTC", None);
    let as_of = "2026-01-01T00:00:00Z".parse().unwrap();
    let others: [Arc<dyn Array>; 3] = [
        Arc::new(Int64Array::from(vec![1_i64])),
        Arc::new(Float64Array::from(vec![1.0])),
        Arc::new(BooleanArray::from(vec![true])),
    ];
    for other in others {
        let error = Judge::new(&rule, as_of, Anchor::Null, other.data_type()).unwrap_err();
        assert!(error.to_string().contains("is no anchor"), "{error}");
        let judge = Judge::new(&rule, as_of, Anchor::Null, &DataType::Date32).unwrap();
        assert!(judge.count(other.as_ref(), None).is_err());
        assert!(judge.verdicts(other.as_ref(), None).is_err());
    }
}

#[test]
fn of_two_rules_the_earlier_expiry_counts() {
    let as_of: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let rule =
        |years: &str| Rule::new(Term::new(years.parse().unwrap(), None).unwrap(), Zone::utc());
    let of = |years: &str, anchor: &str, held: bool| {
        Ruling::of(&rule(years), Anchor::read(Some(anchor)), held, as_of)
    };
    let (kept, due) = (of("P9Y", "2020-06-01", false), of("P5Y", "2020-06-01", false));
    assert_eq!((kept.verdict, due.verdict), (Verdict::Retain, Verdict::Expired));
    assert_eq!(kept.or_earlier(due), due);
    assert_eq!(due.or_earlier(kept), due);
    let held = of("P9Y", "2020-06-01", true).or_earlier(of("P5Y", "2020-06-01", true));
    assert_eq!(held.verdict, Verdict::ExpiredOnHold);
    // Soon by one of them is soon.
    let soon = of("P5Y", "2021-01-15", false);
    assert!(soon.soon && !kept.soon && kept.or_earlier(soon).soon);
    // The first is right about what is no anchor, unless the other is past its date.
    let none = Ruling::of(&rule("P5Y"), Anchor::Null, false, as_of);
    assert_eq!(none.verdict, Verdict::NullAnchor);
    assert_eq!(none.or_earlier(kept).verdict, Verdict::NullAnchor);
    assert_eq!(none.or_earlier(due).verdict, Verdict::Expired);
    assert_eq!(kept.or_earlier(none).verdict, Verdict::Retain);
}

/// What an engine is asked with these ranges is what a verdict says, at the ends of months too.
#[test]
fn ranges_of_expired_anchors_are_those_of_the_verdicts() {
    let rule = Rule::new(Term::new("P1M".parse().unwrap(), None).unwrap(), Zone::utc());
    let as_of: Timestamp = "2023-02-28T12:00:00Z".parse().unwrap();
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let judge = Judge::new(&rule, as_of, Anchor::Null, &utc).unwrap();
    let ranges = judge.expired_ranges().unwrap();
    assert_eq!(ranges.len(), 4, "{ranges:?}");
    let hour = 3_600_000_000_i64;
    let end = as_of.as_microsecond();
    let anchors: Vec<i64> = (0..1_500)
        .flat_map(|n| [-1, 0, 1].map(|by| end - n * hour + by))
        .chain(ranges.iter().flat_map(|(from, to)| [from.unwrap_or(0), *to, to - 1]))
        .collect();
    let column = TimestampMicrosecondArray::from(anchors.clone()).with_timezone("UTC");
    let verdicts = judge.verdicts(&column, None).unwrap();
    let mut both = [false; 2];
    for (anchor, verdict) in anchors.into_iter().zip(verdicts) {
        let within = |(from, to): &(Option<i64>, i64)| {
            from.is_none_or(|from| from <= anchor) && anchor < *to
        };
        let expired = verdict == Verdict::Expired;
        assert_eq!(ranges.iter().any(within), expired, "{anchor}");
        both[usize::from(expired)] = true;
    }
    assert_eq!(both, [true, true]);
    assert!(!judge.nulls_expire());
    let text = Judge::new(&rule, as_of, Anchor::Null, &DataType::Utf8).unwrap();
    assert_eq!(text.expired_ranges(), None);
}
