//! Laws that hold for every treatment, over random columns.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test's helpers do is the test's")]

mod setup;

use allonym_core::{ColumnCounts, Plan, Policy, Position, Treated};
use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::*;
use arrow_schema::{DataType, TimeUnit};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use setup::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Options after `treat`, and whether the result depends on a key.
const TREATMENTS: &[(&str, bool)] = &[
    ("treat = \"keep\"", false),
    ("treat = \"redact\"", false),
    ("treat = \"redact\"\nwith = \"[X]\"", false),
    ("treat = \"mask\"\nkeep_last = 2", false),
    ("treat = \"mask\"\nkeep_first = 1\nchar = \"█\"", false),
    ("treat = \"pseudonymize\"", true),
    ("treat = \"pseudonymize\"\nprofile = \"casefold\"\nformat = \"hex\"", true),
    ("treat = \"pseudonymize\"\nprofile = \"iban\"\nformat = \"crockford\"", true),
    ("treat = \"pseudonymize\"\nformat = \"binary\"", true),
    ("treat = \"pseudonymize\"\nconsistency = \"document\"", true),
    ("treat = \"pseudonymize\"\nconsistency = \"none\"", true),
    ("treat = \"generalize\"\nto = \"year\"", false),
    ("treat = \"generalize\"\nto = \"month\"", false),
    ("treat = \"generalize\"\nstep = 10", false),
    ("treat = \"generalize\"\nbands = [0, 18, 30, 90]", false),
    ("treat = \"generalize\"\nprefix = 3", false),
    ("treat = \"generalize\"\nbits = 24", false),
    ("treat = \"text\"", false),
    ("treat = \"text\"\nconsistency = \"document\"", false),
    ("treat = \"text\"\nconsistency = \"none\"", false),
    ("treat = \"text\"\nwith = \"label\"\nentities = [\"EMAIL_ADDRESS\"]", false),
];

/// Cells of all sorts: what treatments read, and what they cannot.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Zäöüß ]{0,12}",
        "\\PC{0,20}",
        "[0-9]{1,9}",
        (1900..2030, 1..13, 1..29).prop_map(|(y, m, d)| format!("{y}-{m:02}-{d:02}")),
        "[a-z]{1,8}@[a-z]{1,8}\\.example",
        "K-[0-9]{6}",
        "Ada [A-Z][a-z]{1,8}, [a-z]{1,5}@b\\.example",
        Just("192.0.2.77".to_owned()),
        Just("N/A".to_owned()),
        Just(String::new()),
    ]
}

/// Columns with repeats, so that equal cells meet.
fn texts_with_repeats() -> impl Strategy<Value = Vec<Option<String>>> {
    (vec(cell(), 1..12), vec((any::<prop::sample::Index>(), 0..10_u8), 0..150)).prop_map(
        |(pool, rows)| {
            rows.into_iter().map(|(at, null)| (null > 0).then(|| at.get(&pool).clone())).collect()
        },
    )
}

fn column() -> impl Strategy<Value = ArrayRef> {
    let nullable = |range| vec(prop::option::weighted(0.9, range), 0..100);
    let text = (texts_with_repeats(), 0..5).prop_map(|(cells, layout)| -> ArrayRef {
        let cells: Vec<Option<&str>> = cells.iter().map(Option::as_deref).collect();
        match layout {
            0 => Arc::new(LargeStringArray::from(cells)),
            1 => Arc::new(StringViewArray::from(cells)),
            2 => Arc::new(cells.into_iter().collect::<DictionaryArray<Int8Type>>()),
            3 => Arc::new(cells.into_iter().collect::<DictionaryArray<UInt32Type>>()),
            _ => Arc::new(StringArray::from(cells)),
        }
    });
    let wide = || any::<i64>();
    prop_oneof![
        6 => text,
        1 => nullable(wide()).prop_map(|c| Arc::new(Int64Array::from(c)) as ArrayRef),
        1 => vec(prop::option::weighted(0.9, any::<i8>()), 0..100).prop_map(|c| {
            Arc::new(c.into_iter().collect::<Int8Array>()) as ArrayRef
        }),
        1 => nullable(wide()).prop_map(|c| {
            Arc::new(c.into_iter().map(|v| v.map(i64::cast_unsigned)).collect::<UInt64Array>()) as ArrayRef
        }),
        1 => nullable(wide()).prop_map(|c| {
            let cells = c.into_iter().map(|v| v.map(i128::from)).collect::<Decimal128Array>();
            Arc::new(cells.with_precision_and_scale(20, 0).unwrap()) as ArrayRef
        }),
        1 => vec(prop::option::weighted(0.9, any::<i32>()), 0..100).prop_map(|c| {
            Arc::new(c.into_iter().collect::<Date32Array>()) as ArrayRef
        }),
        1 => nullable(wide()).prop_map(|c| Arc::new(TimestampNanosecondArray::from(c)) as ArrayRef),
        1 => nullable(wide()).prop_map(|c| {
            let seconds = c.into_iter().map(|v| v.map(|v| v % 100_000_000_000)).collect::<TimestampSecondArray>();
            Arc::new(seconds.with_timezone("America/New_York")) as ArrayRef
        }),
        1 => vec(prop::option::of(any::<f64>()), 0..100).prop_map(|c| Arc::new(Float64Array::from(c)) as ArrayRef),
        1 => vec(prop::option::of(any::<bool>()), 0..100).prop_map(|c| Arc::new(BooleanArray::from(c)) as ArrayRef),
    ]
}

fn whole_policy(options: &str) -> Policy {
    policy(&format!("[policy]\nsentinels = [\"N/A\"]\n[columns.x]\n{options}"))
}

/// `None` where the treatment does not fit the type.
fn plan_with(ring_number: usize, options: &str, batch: &RecordBatch) -> Option<Plan> {
    let policy = whole_policy(options);
    match Plan::compile(
        &policy,
        batch.schema_ref(),
        Some(ring(ring_number)),
        Some(recognizer()),
        &BTreeMap::new(),
    ) {
        Ok(plan) => Some(plan),
        Err(error) => {
            assert_eq!((error.exit, error.code), (2, "ALO-P012"), "{options}: {error}");
            None
        }
    }
}

/// Cells as comparable text, whatever the type.
fn readable(array: &ArrayRef) -> Vec<Option<String>> {
    let plain = match array.as_any_dictionary_opt() {
        Some(dictionary) => {
            arrow_select::take::take(dictionary.values(), dictionary.keys(), None).unwrap()
        }
        None => Arc::clone(array),
    };
    let shown = |row: usize| match plain.data_type() {
        DataType::FixedSizeBinary(_) => format!("{:?}", plain.as_fixed_size_binary().value(row)),
        DataType::Utf8 => plain.as_string::<i32>().value(row).to_owned(),
        DataType::LargeUtf8 => plain.as_string::<i64>().value(row).to_owned(),
        DataType::Utf8View => plain.as_string_view().value(row).to_owned(),
        DataType::Boolean => plain.as_boolean().value(row).to_string(),
        DataType::Float64 => {
            format!("{:?}", plain.as_primitive::<Float64Type>().value(row).to_bits())
        }
        DataType::Int64 => plain.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Int8 => plain.as_primitive::<Int8Type>().value(row).to_string(),
        DataType::UInt64 => plain.as_primitive::<UInt64Type>().value(row).to_string(),
        DataType::Decimal128(_, _) => plain.as_primitive::<Decimal128Type>().value(row).to_string(),
        DataType::Date32 => plain.as_primitive::<Date32Type>().value(row).to_string(),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            plain.as_primitive::<TimestampNanosecondType>().value(row).to_string()
        }
        DataType::Timestamp(_, _) => {
            plain.as_primitive::<TimestampSecondType>().value(row).to_string()
        }
        other => panic!("{other}"),
    };
    let nulls = plain.logical_nulls();
    (0..plain.len())
        .map(|row| nulls.as_ref().is_none_or(|n| n.is_valid(row)).then(|| shown(row)))
        .collect()
}

fn sum(all: &[Treated]) -> ColumnCounts {
    let mut counts = ColumnCounts::default();
    all.iter().for_each(|treated| counts.add(&treated.counts()[0]));
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_treatment_keeps_the_laws(column in column(), cuts in vec(any::<prop::sample::Index>(), 0..4)) {
        let batch = batch(vec![("x", column)]);
        let rows = batch.num_rows();
        let before = readable(batch.column(0));
        for (options, keyed) in TREATMENTS {
            let Some(plan) = plan_with(0, options, &batch) else { continue };
            let at = |first_row: usize| Position { document: "d", first_row: first_row as u64 };
            let treated = plan.apply(&batch, at(0)).unwrap();
            let records = treated.records();

            // Rows stay, and the declared type is kept.
            prop_assert_eq!(records.num_rows(), rows);
            prop_assert_eq!(records.schema_ref(), plan.output_schema());
            prop_assert_eq!(records.column(0).data_type(), plan.output_schema().field(0).data_type());
            let after = readable(records.column(0));
            records.column(0).to_data().validate_full().unwrap();

            // Nulls stay, and every cell is accounted for.
            for (before, after) in before.iter().zip(&after) {
                prop_assert!(before.is_some() || after.is_none(), "{}", options);
            }
            let counts = &treated.counts()[0];
            let nulls = before.iter().filter(|cell| cell.is_none()).count();
            prop_assert_eq!(counts.nulls, nulls as u64);
            let lost = after.iter().filter(|cell| cell.is_none()).count() - nulls;
            if *options == "treat = \"redact\"" {
                prop_assert_eq!(counts.treated, lost as u64);
            } else {
                prop_assert_eq!(counts.sentinels + counts.unparseable, lost as u64, "{}", options);
            }

            // However the rows are cut, the same comes out.
            let mut ends: Vec<usize> = cuts.iter().map(|cut| if rows == 0 { 0 } else { cut.index(rows) }).collect();
            ends.extend([0, rows]);
            ends.sort_unstable();
            let parts: Vec<Treated> = ends
                .windows(2)
                .map(|pair| plan.apply(&batch.slice(pair[0], pair[1] - pair[0]), at(pair[0])).unwrap())
                .collect();
            let apart: Vec<Option<String>> =
                parts.iter().flat_map(|part| readable(part.records().column(0))).collect();
            prop_assert_eq!(&apart, &after, "{}", options);
            let mut together = counts.clone();
            let mut summed = sum(&parts);
            if batch.column(0).as_any_dictionary_opt().is_some() {
                // Distinct values of a dictionary are those it holds, used or not.
                (together, summed) = (without_distinct(&together), without_distinct(&summed));
            }
            prop_assert_eq!(summed, together, "{}", options);

            // An empty batch works.
            prop_assert_eq!(plan.apply(&batch.slice(0, 0), at(0)).unwrap().records().num_rows(), 0);

            // The same key agrees with itself, two keys agree in nothing.
            let again = plan_with(0, options, &batch).unwrap().apply(&batch, at(0)).unwrap();
            prop_assert_eq!(&readable(again.records().column(0)), &after);
            if *keyed {
                let other = plan_with(1, options, &batch).unwrap().apply(&batch, at(0)).unwrap();
                for (one, other) in after.iter().zip(readable(other.records().column(0))) {
                    prop_assert!(one.is_none() || *one != other);
                }
            }

            // No run of four bytes of a cell is left where the cell is to be hidden. Runs that a token
            // could hold by chance say nothing.
            if *keyed || options.contains("redact") {
                for (before, after) in before.iter().zip(&after) {
                    let (Some(before), Some(after)) = (before, after) else { continue };
                    let survives = before.as_bytes().windows(4).any(|run| {
                        !run.iter().all(u8::is_ascii_alphanumeric)
                            && after.as_bytes().windows(4).any(|other| other == run)
                    });
                    prop_assert!(!survives, "{}", options);
                }
            }
        }
    }

    #[test]
    fn equal_values_have_equal_tokens_and_others_other_ones(cells in texts_with_repeats()) {
        let cells: Vec<Option<&str>> = cells.iter().map(Option::as_deref).collect();
        let (treated, counts) = treat("treat = \"pseudonymize\"", texts(&cells));
        let mut tokens: BTreeMap<String, String> = BTreeMap::new();
        for (cell, token) in cells.iter().zip(readable(&treated)) {
            let (Some(cell), Some(token)) = (cell, token) else { continue };
            let known = tokens.entry(token.clone()).or_insert_with(|| (*cell).to_owned());
            // Two cells with one token differ at most in white space around them and in Unicode form.
            if known != cell {
                prop_assert_eq!(known.trim().is_ascii() && cell.trim().is_ascii() && known.trim() != cell.trim(), false);
            }
        }
        if !tokens.is_empty() {
            prop_assert!(counts.distinct().unwrap().abs_diff(tokens.len() as u64) <= 1);
        }
    }

    #[test]
    fn layouts_of_text_agree(cells in texts_with_repeats(), treatment in select(TREATMENTS)) {
        let (options, _) = treatment;
        let cells: Vec<Option<&str>> = cells.iter().map(Option::as_deref).collect();
        let (plain, counts) = treat(options, texts(&cells));
        let layouts: [ArrayRef; 3] = [
            Arc::new(LargeStringArray::from(cells.clone())),
            Arc::new(StringViewArray::from(cells.clone())),
            Arc::new(cells.iter().copied().collect::<DictionaryArray<Int16Type>>()),
        ];
        for layout in layouts {
            let (treated, again) = treat(options, layout);
            prop_assert_eq!(readable(&treated), readable(&plain), "{}", options);
            prop_assert_eq!(again, counts.clone(), "{}", options);
        }
    }

    #[test]
    fn generalized_text_is_left_alone_the_second_time(cells in texts_with_repeats(), way in select(vec!["to = \"year\"", "to = \"quarter\"", "to = \"month\"", "step = 10", "prefix = 3"])) {
        let options = format!("treat = \"generalize\"\n{way}");
        let cells: Vec<Option<&str>> = cells.iter().map(Option::as_deref).collect();
        let (once, _) = treat(&options, texts(&cells));
        let (twice, counts) = treat(&options, Arc::clone(&once));
        prop_assert_eq!(readable(&twice), readable(&once));
        prop_assert_eq!((counts.treated, counts.unparseable), (0, 0));
    }
}

fn without_distinct(counts: &ColumnCounts) -> ColumnCounts {
    let mut bare = ColumnCounts::default();
    bare.treated = counts.treated;
    bare.nulls = counts.nulls;
    bare.sentinels = counts.sentinels;
    bare.unparseable = counts.unparseable;
    bare.lookalikes = counts.lookalikes;
    bare.findings.clone_from(&counts.findings);
    bare
}

/// Enough rows for equal cells to be looked for inside a batch, and for that to be given up again.
#[test]
fn looking_for_equal_cells_changes_nothing() {
    let few: Vec<String> = (0..9_000).map(|n| format!("value {}", n % 7)).collect();
    let many: Vec<String> = (0..9_000).map(|n| format!("value {n}")).collect();
    // Few values at first, many after the rows that are looked at.
    let turning: Vec<String> = (0..9_000)
        .map(|n| if n < 5_000 { "same".to_owned() } else { format!("value {n}") })
        .collect();
    for rows in [few, many, turning] {
        let cells: Vec<Option<&str>> =
            rows.iter().enumerate().map(|(n, row)| (n % 11 > 0).then_some(row.as_str())).collect();
        let whole = batch(vec![("x", texts(&cells))]);
        for (options, _) in TREATMENTS {
            let plan = plan_with(0, options, &whole).unwrap();
            let together = plan.apply(&whole, DOCUMENT).unwrap();
            let apart: Vec<Treated> = (0..whole.num_rows())
                .step_by(50)
                .map(|row| {
                    let at = Position { document: DOCUMENT.document, first_row: row as u64 };
                    plan.apply(&whole.slice(row, 50), at).unwrap()
                })
                .collect();
            let cells: Vec<_> =
                apart.iter().flat_map(|part| readable(part.records().column(0))).collect();
            assert_eq!(cells, readable(together.records().column(0)), "{options}");
            assert_eq!(sum(&apart), together.counts()[0], "{options}");
        }
    }
}
