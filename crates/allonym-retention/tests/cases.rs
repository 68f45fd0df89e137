//! The cases that define what retention means, at every type an anchor can have.
//!
//! Those of the project stand in `tests/data/cases`; more are read from the folder that
//! `ALLONYM_DATA` names.

#![expect(clippy::unwrap_used, reason = "what a test's helpers do is the test's")]

use allonym_retention::{Anchor, Judge, Period, Rule, Term, Verdict, Zone};
use arrow_array::types::{
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use arrow_array::{Array, Date32Array, Date64Array, PrimitiveArray, StringArray, StringViewArray};
use arrow_buffer::BooleanBuffer;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

#[test]
fn the_cases_of_the_project_hold() {
    let (decided, columns) = check(&read(&own()));
    assert_eq!((decided, columns), (26, 88));
}

#[test]
fn all_published_cases_hold() {
    let Some(data) = std::env::var_os("ALLONYM_DATA") else {
        eprintln!("left out: ALLONYM_DATA names no folder");
        return;
    };
    let cases = read(&Path::new(&data).join("retention_cases/cases.json"));
    assert!(cases.len() >= 33);
    let (decided, columns) = check(&cases);
    assert_eq!(decided, cases.len());
    assert!(columns > 2 * decided);
}

/// Checks each case by the function and by a column of each type that can hold its anchor; gives
/// how many cases and columns were looked at.
fn check(cases: &[Value]) -> (usize, usize) {
    let mut columns = 0;
    for case in cases {
        let text = |field: &str| case.get(field).and_then(Value::as_str);
        let id = &case["id"];
        let expires_at = text("expires_at").map(|at| at.parse::<Timestamp>().unwrap());
        let as_of: Timestamp = text("now").unwrap().parse().unwrap();
        let held = text("hold").is_some();
        let rule = match rule(case) {
            Ok(rule) => rule,
            // The policy is refused, and what expires by its duration can still be said.
            Err(without_floor) => {
                assert_eq!(text("verdict"), Some("policy_error"), "case {id}");
                let anchor = Anchor::read(text("anchor"));
                let told = without_floor.and_then(|rule| rule.expires_at(anchor));
                assert_eq!(told, expires_at, "case {id}");
                continue;
            }
        };
        let decision = rule.decide(Anchor::read(text("anchor")), held, as_of);
        let told = (decision.expires_at, Some(decision.verdict.word()));
        assert_eq!(told, (expires_at, text("verdict")), "case {id}");
        for column in types(text("anchor"), text("anchor_type").unwrap()) {
            let judge = Judge::new(&rule, as_of, Anchor::Null, column.data_type()).unwrap();
            let held = BooleanBuffer::from(vec![held]);
            let told = judge.verdicts(&column, Some(&held)).unwrap();
            assert_eq!(told, [decision.verdict], "case {id} as {}", column.data_type());
            let counts = judge.count(&column, Some(&held)).unwrap();
            let counted = Verdict::ALL.iter().filter(|verdict| counts.of(**verdict) > 0);
            assert_eq!(counted.collect::<Vec<_>>(), [&decision.verdict], "case {id}");
            columns += 1;
        }
    }
    (cases.len(), columns)
}

/// The rule of a case, or, where it is a mistake, the rule without its floor if there is one.
fn rule(case: &Value) -> Result<Rule, Option<Rule>> {
    let text = |field: &str| case.get(field).and_then(Value::as_str);
    let period = |field: &str| text(field).map(str::parse::<Period>).transpose().ok();
    let zone = |field: &str| text(field).map(Zone::named).transpose().ok();
    let duration = period("duration").flatten().ok_or(None)?;
    let floor = period("retain_at_least").ok_or(None)?;
    let policy_zone = zone("policy_tz").flatten().ok_or(None)?;
    let mut rule = Rule::new(Term::new(duration, None).unwrap(), policy_zone);
    rule.assume_zone = zone("assume_tz").ok_or(None)?;
    match Term::new(duration, floor) {
        Ok(term) => Ok(Rule { term, ..rule }),
        Err(_) => Err(Some(rule)),
    }
}

/// A column of one row in each type that holds the anchor exactly.
fn types(anchor: Option<&str>, kind: &str) -> Vec<Arc<dyn Array>> {
    let mut columns: Vec<Arc<dyn Array>> = vec![
        Arc::new(StringArray::from(vec![anchor])),
        Arc::new(StringViewArray::from(vec![anchor])),
    ];
    let nanoseconds = |text: &str| match kind {
        "timestamp_tz" => text.parse::<Timestamp>().unwrap().as_nanosecond(),
        _ => TimeZone::UTC.to_timestamp(text.parse().unwrap()).unwrap().as_nanosecond(),
    };
    match kind {
        "date" => {
            let days = anchor.map(|text| {
                let date: Date = text.parse().unwrap();
                Date::constant(1970, 1, 1).until(date).unwrap().get_days()
            });
            columns.push(Arc::new(Date32Array::from(vec![days])));
            let milliseconds = days.map(|days| i64::from(days) * 86_400_000);
            columns.push(Arc::new(Date64Array::from(vec![milliseconds])));
        }
        "timestamp_tz" | "timestamp_naive" => {
            let zone = (kind == "timestamp_tz").then_some("UTC");
            let at = anchor.map(nanoseconds);
            let unit = |unit: i128| vec![at.map(|at| i64::try_from(at / unit).unwrap())];
            assert!(at.is_none_or(|at| at % 1_000_000_000 == 0), "cases have whole seconds");
            columns.push(Arc::new(
                PrimitiveArray::<TimestampSecondType>::from(unit(1_000_000_000))
                    .with_timezone_opt(zone),
            ));
            columns.push(Arc::new(
                PrimitiveArray::<TimestampMillisecondType>::from(unit(1_000_000))
                    .with_timezone_opt(zone),
            ));
            columns.push(Arc::new(
                PrimitiveArray::<TimestampMicrosecondType>::from(unit(1_000))
                    .with_timezone_opt(zone),
            ));
            columns.push(Arc::new(
                PrimitiveArray::<TimestampNanosecondType>::from(unit(1)).with_timezone_opt(zone),
            ));
        }
        _ => {}
    }
    columns
}

fn own() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/cases/retention.json")
}

fn read(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let whole: Value = serde_json::from_str(&text).unwrap();
    whole["cases"].as_array().unwrap().clone()
}
