//! A marker in every cell, every error path driven, the marker in no message.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test's helpers do is the test's")]

mod setup;

use allonym_core::{Policy, Position};
use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::*;
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field};
use setup::*;
use std::fmt::Debug;
use std::sync::Arc;

const MARKER: &str = "CANARY-7f3a@b.example";

fn holds_marker(value: &dyn Debug) -> bool {
    let told = format!("{value:?} {value:#?}");
    told.contains("CANARY") || told.contains("7f3a")
}

fn columns() -> Vec<ArrayRef> {
    let dictionary: DictionaryArray<Int8Type> = [MARKER, MARKER].into_iter().collect();
    let list = ListArray::new(
        Arc::new(Field::new("item", DataType::Utf8, true)),
        OffsetBuffer::from_lengths([1, 1]),
        texts(&[Some(MARKER), Some(MARKER)]),
        None,
    );
    vec![
        texts(&[Some(MARKER), Some(MARKER)]),
        Arc::new(StringViewArray::from(vec![MARKER, MARKER])),
        Arc::new(BinaryArray::from(vec![MARKER.as_bytes(), MARKER.as_bytes()])),
        Arc::new(dictionary),
        Arc::new(list),
        Arc::new(Int64Array::from(vec![7, 8])),
        Arc::new(Float64Array::from(vec![1.5, 2.5])),
    ]
}

const OPTIONS: &[&str] = &[
    "treat = \"keep\"",
    "treat = \"drop\"",
    "treat = \"redact\"",
    "treat = \"redact\"\nwith = \"x\"",
    "treat = \"mask\"",
    "treat = \"pseudonymize\"",
    "treat = \"pseudonymize\"\nformat = \"binary\"\nconsistency = \"none\"",
    "treat = \"generalize\"\nto = \"year\"",
    "treat = \"generalize\"\nstep = 10",
    "treat = \"generalize\"\nbands = [1]",
    "treat = \"generalize\"\nbits = 24",
    "treat = \"text\"",
    "treat = \"text\"\nconsistency = \"none\"",
];

#[test]
fn no_error_and_no_debug_output_holds_a_cell() {
    let mut errors = 0;
    for column in columns() {
        let batch = batch(vec![("x", Arc::clone(&column))]);
        for options in OPTIONS {
            let policy = policy(&format!("[columns.x]\n{options}"));
            let plan = match compile(&policy, &batch) {
                Ok(plan) => plan,
                Err(error) => {
                    errors += 1;
                    assert!(!holds_marker(&error) && !error.to_string().contains("CANARY"));
                    continue;
                }
            };
            let treated = plan.apply(&batch, DOCUMENT).unwrap();
            // The plan keeps treated dictionaries and working memory; it shows neither.
            assert!(!holds_marker(&plan), "{options} {}", column.data_type());
            assert!(!holds_marker(&treated), "{options} {}", column.data_type());
            for other in columns() {
                let other = setup::batch(vec![("x", other)]);
                if let Err(error) = plan.apply(&other, DOCUMENT) {
                    errors += 1;
                    assert!(!holds_marker(&error) && !error.to_string().contains("CANARY"));
                }
            }
        }
    }
    assert!(errors > 100, "{errors}");
}

#[test]
fn a_plan_that_keeps_a_treated_dictionary_shows_nothing_of_it() {
    let keys = Int32Array::from(vec![Some(0), None]);
    let column = DictionaryArray::<Int32Type>::new(keys, texts(&[Some(MARKER)]));
    let batch = batch(vec![("x", Arc::new(column))]);
    let plan = compile(&policy("[columns.x]\ntreat = \"pseudonymize\""), &batch).unwrap();
    let treated = plan.apply(&batch, DOCUMENT).unwrap();
    assert_eq!((treated.counts()[0].treated, treated.counts()[0].nulls), (1, 1));
    assert!(!holds_marker(&plan));
}

#[test]
fn nothing_raw_stays_under_null_rows() {
    // A null row may still have bytes beneath it; a writer of buffers would write them.
    let mask = arrow_buffer::NullBuffer::from(vec![false, true]);
    let (offsets, values, _) = StringArray::from(vec![MARKER, "b"]).into_parts();
    let column: ArrayRef = Arc::new(StringArray::new(offsets, values, Some(mask)));
    for options in
        OPTIONS.iter().filter(|options| !options.contains("keep") && !options.contains("drop"))
    {
        let (treated, _) = treat(options, Arc::clone(&column));
        let data = treated.to_data();
        for buffer in data.buffers() {
            let held = buffer.as_slice().windows(6).any(|run| run == b"CANARY");
            assert!(!held, "{options}");
        }
    }
}

#[test]
fn policy_errors_show_the_policy_and_no_key() {
    let error =
        Policy::parse(&format!("version = 1\n[keys]\nring = \"{MARKER}\"\n"), "p").unwrap_err();
    assert!(!holds_marker(&error));
    let at = Position { document: "d", first_row: 0 };
    assert!(format!("{at:?}").contains("first_row"));
}
