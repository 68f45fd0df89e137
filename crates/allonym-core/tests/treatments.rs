//! What each treatment makes of each type.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test's helpers do is the test's")]

mod setup;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::*;
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use setup::*;
use std::sync::Arc;

fn some(cells: &[&str]) -> ArrayRef {
    texts(&cells.iter().map(|cell| Some(*cell)).collect::<Vec<_>>())
}

fn shown(column: &dyn Array) -> Vec<String> {
    cells(column).into_iter().map(|cell| cell.unwrap_or_else(|| "null".to_owned())).collect()
}

#[test]
fn kept_columns_are_the_same_memory() {
    let column = texts(&[Some("a"), None]);
    let (treated, counts) = treat("treat = \"keep\"", Arc::clone(&column));
    assert!(treated.to_data().ptr_eq(&column.to_data()));
    assert_eq!((counts.treated, counts.nulls), (0, 1));
}

#[test]
fn redacted_cells_are_null_or_a_constant() {
    let (treated, counts) = treat("treat = \"redact\"", texts(&[Some("a"), None]));
    assert_eq!(shown(&treated), ["null", "null"]);
    assert_eq!((counts.treated, counts.nulls), (1, 1));
    let (treated, _) = treat("treat = \"redact\"\nwith = \"[GONE]\"", texts(&[Some("a"), None]));
    assert_eq!(shown(&treated), ["[GONE]", "null"]);
    for column in [
        Arc::new(Int64Array::from(vec![1])) as ArrayRef,
        Arc::new(BinaryArray::from(vec![b"a".as_slice()])),
        Arc::new(BooleanArray::from(vec![true])),
        Arc::new(Float32Array::from(vec![1.5])),
        Arc::new(["a"].into_iter().collect::<DictionaryArray<Int8Type>>()),
    ] {
        let data_type = column.data_type().clone();
        let (treated, _) = treat("treat = \"redact\"", column);
        assert_eq!((treated.data_type(), treated.logical_null_count()), (&data_type, 1));
    }
}

#[test]
fn redaction_makes_a_required_column_nullable() {
    let field = Field::new("x", DataType::Utf8, false)
        .with_metadata([("note".to_owned(), "kept".to_owned())].into());
    let schema = Arc::new(Schema::new(vec![field]));
    let batch = RecordBatch::try_new(schema, vec![some(&["a"])]).unwrap();
    let nullable = |options: &str| {
        let plan = compile(&policy(&format!("[columns.x]\n{options}")), &batch).unwrap();
        plan.apply(&batch, DOCUMENT).unwrap();
        let field = plan.output_schema().field(0).clone();
        assert_eq!(field.metadata()["note"], "kept");
        field.is_nullable()
    };
    assert!(nullable("treat = \"redact\""));
    assert!(nullable("treat = \"generalize\"\nprefix = 1"));
    assert!(!nullable("treat = \"redact\"\nwith = \"x\""));
    assert!(!nullable("treat = \"pseudonymize\""));
    assert!(!nullable("treat = \"mask\""));
    assert!(!nullable("treat = \"keep\""));
}

#[test]
fn extension_types_end_with_the_cells_they_describe() {
    let field = Field::new("x", DataType::Utf8, true)
        .with_metadata([("ARROW:extension:name".to_owned(), "arrow.json".to_owned())].into());
    let batch =
        RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![some(&["{}"])]).unwrap();
    let metadata = |options: &str| {
        let plan = compile(&policy(&format!("[columns.x]\n{options}")), &batch).unwrap();
        plan.output_schema().field(0).metadata().len()
    };
    assert_eq!(metadata("treat = \"pseudonymize\""), 0);
    assert_eq!(metadata("treat = \"keep\""), 1);
}

#[test]
fn masks_hide_text_and_integers() {
    let (treated, counts) =
        treat("treat = \"mask\"\nkeep_last = 3", texts(&[Some("+49 30 123456"), None, Some("12")]));
    assert_eq!(shown(&treated), ["**********456", "null", "**"]);
    assert_eq!((counts.treated, counts.nulls), (2, 1));
    let (treated, _) = treat(
        "treat = \"mask\"\nkeep_first = 2\nchar = \"x\"",
        Arc::new(Int32Array::from(vec![-1234])),
    );
    assert_eq!(shown(&treated), ["-1xxx"]);
}

#[test]
fn tokens_are_pinned_to_the_key_derivation() {
    let (treated, _) = treat("treat = \"pseudonymize\"\njoin = \"account\"", some(&["A-1"]));
    let ring = ring(0);
    let key = ring.key(None, "default").unwrap();
    let tokenizer = key.tokenizer("default", "account", allonym_keys::Profile::Exact).unwrap();
    let mut expected = String::new();
    tokenizer
        .mac(allonym_keys::Scope::Dataset, "A-1", &mut String::new())
        .push_column_token(allonym_keys::TokenFormat::Base62, &mut expected);
    assert_eq!(shown(&treated), [expected]);
}

#[test]
fn tokens_keep_the_layout_of_text() {
    let cells = vec![Some("a"), None, Some("ü")];
    let (expected, _) = treat("treat = \"pseudonymize\"", texts(&cells));
    for column in [
        Arc::new(LargeStringArray::from(cells.clone())) as ArrayRef,
        Arc::new(StringViewArray::from(cells.clone())),
        Arc::new(cells.iter().copied().collect::<DictionaryArray<Int8Type>>()),
        Arc::new(cells.iter().copied().collect::<DictionaryArray<UInt64Type>>()),
    ] {
        let data_type = column.data_type().clone();
        let (treated, counts) = treat("treat = \"pseudonymize\"", column);
        assert_eq!(treated.data_type(), &data_type);
        assert_eq!(shown(&treated), shown(&expected));
        assert_eq!((counts.treated, counts.nulls), (2, 1), "{data_type}");
    }
}

#[test]
fn formats_have_their_lengths() {
    for (format, length) in [("base62", 22), ("hex", 32), ("crockford", 26)] {
        let (treated, _) =
            treat(&format!("treat = \"pseudonymize\"\nformat = \"{format}\""), some(&["a"]));
        assert_eq!(shown(&treated)[0].len(), length);
    }
    let binary = "treat = \"pseudonymize\"\nformat = \"binary\"";
    let hex = "treat = \"pseudonymize\"\nformat = \"hex\"";
    let cells = vec![Some("a"), None, Some("b"), Some("a")];
    let (spelt, _) = treat(hex, texts(&cells));
    for column in [
        texts(&cells),
        Arc::new(cells.iter().copied().collect::<DictionaryArray<Int32Type>>()) as ArrayRef,
    ] {
        let (treated, counts) = treat(binary, column);
        assert_eq!(treated.data_type(), &DataType::FixedSizeBinary(16));
        let bytes = treated.as_fixed_size_binary();
        let as_hex: Vec<String> = (0..4)
            .map(|row| match bytes.is_null(row) {
                true => "null".to_owned(),
                false => bytes.value(row).iter().map(|byte| format!("{byte:02x}")).collect(),
            })
            .collect();
        assert_eq!(as_hex, shown(&spelt));
        assert_eq!((counts.treated, counts.nulls), (3, 1));
    }
}

#[test]
fn integers_are_their_decimal_text_in_every_width() {
    let (expected, _) = treat("treat = \"pseudonymize\"\njoin = \"id\"", some(&["42"]));
    for column in [
        Arc::new(Int8Array::from(vec![42])) as ArrayRef,
        Arc::new(Int16Array::from(vec![42])),
        Arc::new(Int32Array::from(vec![42])),
        Arc::new(Int64Array::from(vec![42])),
        Arc::new(UInt8Array::from(vec![42])),
        Arc::new(UInt16Array::from(vec![42])),
        Arc::new(UInt32Array::from(vec![42])),
        Arc::new(UInt64Array::from(vec![42])),
        Arc::new(Decimal128Array::from(vec![42]).with_precision_and_scale(10, 0).unwrap()),
        Arc::new(
            Decimal256Array::from(vec![arrow_buffer::i256::from_i128(42)])
                .with_precision_and_scale(40, 0)
                .unwrap(),
        ),
    ] {
        let (treated, _) = treat("treat = \"pseudonymize\"\njoin = \"id\"", Arc::clone(&column));
        assert_eq!(treated.data_type(), &DataType::Utf8, "{}", column.data_type());
        assert_eq!(shown(&treated), shown(&expected), "{}", column.data_type());
    }
    let dictionary: DictionaryArray<Int8Type> =
        DictionaryArray::new(Int8Array::from(vec![0, 0]), Arc::new(Int64Array::from(vec![42])));
    let (treated, _) = treat("treat = \"pseudonymize\"\njoin = \"id\"", Arc::new(dictionary));
    assert_eq!(shown(&treated), [shown(&expected), shown(&expected)].concat());
}

#[test]
fn dates_and_times_are_their_iso_text_in_every_unit() {
    let token =
        |text: &str| shown(&treat("treat = \"pseudonymize\"\njoin = \"d\"", some(&[text])).0);
    let nanos = 326_020_245_120_000_000_i64;
    let (date, naive, instant, time) = (
        token("1980-05-01"),
        token("1980-05-01T09:10:45.12"),
        token("1980-05-01T09:10:45.12Z"),
        token("09:10:45.12"),
    );
    for (column, expected) in [
        (Arc::new(Date32Array::from(vec![3_773])) as ArrayRef, &date),
        (Arc::new(Date64Array::from(vec![3_773 * 86_400_000])), &date),
        (Arc::new(TimestampNanosecondArray::from(vec![nanos])), &naive),
        (Arc::new(TimestampMicrosecondArray::from(vec![nanos / 1_000])), &naive),
        (Arc::new(TimestampMillisecondArray::from(vec![nanos / 1_000_000])), &naive),
        (
            Arc::new(
                TimestampMillisecondArray::from(vec![nanos / 1_000_000])
                    .with_timezone("Europe/Paris"),
            ),
            &instant,
        ),
        (Arc::new(Time32MillisecondArray::from(vec![33_045_120])), &time),
        (Arc::new(Time64NanosecondArray::from(vec![33_045_120_000_000])), &time),
    ] {
        let (treated, _) = treat("treat = \"pseudonymize\"\njoin = \"d\"", Arc::clone(&column));
        assert_eq!(&shown(&treated), expected, "{}", column.data_type());
    }
    let seconds = Arc::new(TimestampSecondArray::from(vec![-1]));
    let (treated, _) = treat("treat = \"pseudonymize\"\njoin = \"d\"", seconds);
    assert_eq!(shown(&treated), token("1969-12-31T23:59:59"));
}

#[test]
fn sentinels_become_null_and_are_counted() {
    let before = "[policy]\nsentinels = [\"N/A\", \"0\", \"\"]";
    let column =
        texts(&[Some("N/A"), Some(" N/A "), Some("n/a"), Some("  "), None, Some("0"), Some("00")]);
    for (options, others) in [
        ("treat = \"pseudonymize\"", 2),
        ("treat = \"mask\"", 2),
        ("treat = \"generalize\"\nprefix = 2", 0),
        ("treat = \"redact\"\nwith = \"x\"", 2),
        ("treat = \"text\"", 0),
    ] {
        let (treated, counts) = treat_with(before, options, Arc::clone(&column));
        let nulls: Vec<bool> = (0..7).map(|row| treated.is_null(row)).collect();
        assert_eq!(nulls, [true, true, false, true, true, true, false], "{options}");
        assert_eq!((counts.sentinels, counts.nulls), (4, 1), "{options}");
        assert!(counts.treated >= others, "{options}");
    }
    let (kept, counts) = treat_with(before, "treat = \"keep\"", Arc::clone(&column));
    assert_eq!((kept.null_count(), counts.sentinels), (1, 0));
    let numbers = Int32Array::from(vec![Some(0), Some(17), None]);
    let (treated, counts) =
        treat_with(before, "treat = \"generalize\"\nstep = 10", Arc::new(numbers.clone()));
    assert_eq!(
        treated.as_primitive::<Int32Type>().iter().collect::<Vec<_>>(),
        [None, Some(10), None]
    );
    assert_eq!((counts.sentinels, counts.nulls, counts.treated), (1, 1, 1));
    let (treated, counts) = treat_with(before, "treat = \"pseudonymize\"", Arc::new(numbers));
    assert_eq!((treated.null_count(), counts.sentinels), (2, 1));
    let dictionary = Arc::new(
        vec![Some("N/A"), Some("b"), None, Some("N/A")]
            .into_iter()
            .collect::<DictionaryArray<Int8Type>>(),
    );
    let (treated, counts) = treat_with(before, "treat = \"pseudonymize\"", dictionary);
    assert_eq!(
        (treated.null_count(), counts.sentinels, counts.nulls, counts.treated),
        (3, 2, 1, 1)
    );
}

#[test]
fn dates_become_coarser_in_their_own_type() {
    let days = Date32Array::from(vec![Some(3_789), None, Some(-1)]);
    for (to, expected) in [
        ("day", [Some(3_789), None, Some(-1)]),
        ("month", [Some(3_773), None, Some(-31)]),
        ("quarter", [Some(3_743), None, Some(-92)]),
        ("year", [Some(3_652), None, Some(-365)]),
    ] {
        let (treated, counts) =
            treat(&format!("treat = \"generalize\"\nto = \"{to}\""), Arc::new(days.clone()));
        assert_eq!(
            treated.as_primitive::<Date32Type>().iter().collect::<Vec<_>>(),
            expected,
            "{to}"
        );
        assert_eq!(counts.treated, if to == "day" { 0 } else { 2 });
    }
    let millis = Arc::new(Date64Array::from(vec![3_789 * 86_400_000 + 5]));
    let (treated, _) = treat("treat = \"generalize\"\nto = \"day\"", millis);
    assert_eq!(treated.as_primitive::<Date64Type>().value(0), 3_789 * 86_400_000);
    let instants = TimestampMicrosecondArray::from(vec![315_531_000_000_001])
        .with_timezone("Europe/Amsterdam");
    let (treated, _) = treat("treat = \"generalize\"\nto = \"year\"", Arc::new(instants));
    assert_eq!(
        treated.data_type(),
        &DataType::Timestamp(TimeUnit::Microsecond, Some("Europe/Amsterdam".into()))
    );
    assert_eq!(treated.as_primitive::<TimestampMicrosecondType>().value(0), 315_529_200_000_000);
    let extreme = TimestampNanosecondArray::from(vec![i64::MIN, i64::MAX]);
    let (treated, counts) = treat("treat = \"generalize\"\nto = \"year\"", Arc::new(extreme));
    assert_eq!((treated.null_count(), counts.unparseable, counts.treated), (1, 1, 1));
}

#[test]
fn written_dates_and_numbers_that_cannot_be_read_become_null() {
    let (treated, counts) = treat(
        "treat = \"generalize\"\nto = \"year\"",
        texts(&[Some("1980-05-17"), Some("17.05.1980"), Some("Ada Testperson"), None]),
    );
    assert_eq!(shown(&treated), ["1980", "1980", "null", "null"]);
    assert_eq!((counts.treated, counts.unparseable, counts.nulls), (2, 1, 1));
    let (treated, counts) =
        treat("treat = \"generalize\"\nstep = 10", some(&["37", "-3", "30", "37.5", "1,5", "x"]));
    assert_eq!(shown(&treated), ["30", "-10", "30", "30", "null", "null"]);
    assert_eq!((counts.treated, counts.unparseable), (3, 2));
}

#[test]
fn numbers_step_down_in_their_own_type() {
    let step = "treat = \"generalize\"\nstep = 10";
    let (treated, counts) =
        treat(step, Arc::new(Int8Array::from(vec![Some(37), Some(-3), Some(i8::MIN), None])));
    assert_eq!(
        treated.as_primitive::<Int8Type>().iter().collect::<Vec<_>>(),
        [Some(30), Some(-10), None, None]
    );
    assert_eq!((counts.treated, counts.unparseable, counts.nulls), (2, 1, 1));
    let (treated, _) = treat(step, Arc::new(UInt64Array::from(vec![u64::MAX])));
    assert_eq!(treated.as_primitive::<UInt64Type>().value(0), u64::MAX - 5);
    let (treated, counts) = treat(
        "treat = \"generalize\"\nstep = 0.1",
        Arc::new(Float64Array::from(vec![0.3, 0.39, f64::NAN, f64::INFINITY, -0.05])),
    );
    let floats: Vec<_> = treated.as_primitive::<Float64Type>().iter().collect();
    assert_eq!(floats, [Some(0.3), Some(0.3), None, None, Some(-0.1)]);
    assert_eq!((counts.treated, counts.unparseable), (2, 2));
    let money = Decimal128Array::from(vec![12_345]).with_precision_and_scale(9, 2).unwrap();
    let (treated, _) = treat(step, Arc::new(money));
    assert_eq!(treated.data_type(), &DataType::Decimal128(9, 2));
    assert_eq!(treated.as_primitive::<Decimal128Type>().value(0), 12_000);
}

#[test]
fn bands_prefixes_and_networks_make_text() {
    let bands = "treat = \"generalize\"\nbands = [18, 30]";
    let expected = ["<18", "18-29", "30+"];
    assert_eq!(shown(&treat(bands, Arc::new(UInt8Array::from(vec![17, 29, 30]))).0), expected);
    assert_eq!(
        shown(&treat(bands, Arc::new(Float64Array::from(vec![17.9, 18.0, 1e9]))).0),
        expected
    );
    assert_eq!(shown(&treat(bands, some(&["0", "18", "99"])).0), expected);
    assert_eq!(
        shown(
            &treat("treat = \"generalize\"\nprefix = 2", Arc::new(Int32Array::from(vec![10_115])))
                .0
        ),
        ["10"]
    );
    let (treated, counts) =
        treat("treat = \"generalize\"\nbits = 16", some(&["192.0.2.77", "localhost"]));
    assert_eq!(shown(&treated), ["192.0.0.0/16", "null"]);
    assert_eq!(counts.unparseable, 1);
}

#[test]
fn dictionaries_stay_short_and_never_repeat_a_value() {
    let column: DictionaryArray<Int8Type> =
        ["1980-05-17", "1980-01-01", "1981-01-01", "1980-05-17"].into_iter().collect();
    let (treated, _) = treat("treat = \"generalize\"\nto = \"year\"", Arc::new(column));
    assert_eq!(shown(&treated), ["1980", "1980", "1981", "1980"]);
    assert_eq!(shown(treated.as_dictionary::<Int8Type>().values()), ["1980", "1981"]);
}

#[test]
fn a_dictionary_is_the_same_in_every_batch_and_holds_no_raw_value() {
    let column: DictionaryArray<Int32Type> = ["Ada", "Zoe", "Ada", "Eve"].into_iter().collect();
    let whole = batch(vec![("x", Arc::new(column))]);
    let plan = compile(&policy("[columns.x]\ntreat = \"pseudonymize\""), &whole).unwrap();
    let values = |from: usize, rows: usize| {
        let treated = plan.apply(&whole.slice(from, rows), DOCUMENT).unwrap();
        shown(treated.records().column(0).as_any_dictionary().values())
    };
    assert_eq!(values(0, 2), values(2, 2));
    assert!(values(0, 1).iter().all(|value| value.len() == 22));
}

#[test]
fn every_row_has_its_own_token_when_nothing_is_consistent() {
    let options = "treat = \"pseudonymize\"\nconsistency = \"none\"";
    let column = vec![Some("a"); 300];
    let (treated, counts) = treat(options, texts(&column));
    let mut tokens = shown(&treated);
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 300);
    assert_eq!(counts.distinct(), None);
    // A dictionary of one value would overflow its keys.
    let column: DictionaryArray<Int8Type> = column.into_iter().collect();
    let (treated_again, _) = treat(options, Arc::new(column));
    assert_eq!(treated_again.data_type(), &DataType::Utf8);
    assert_eq!(shown(&treated_again), shown(&treated));
}

#[test]
fn documents_do_not_join_when_consistency_ends_with_them() {
    for column in [
        some(&["a", "a"]),
        Arc::new(["a", "a"].into_iter().collect::<DictionaryArray<Int8Type>>()) as ArrayRef,
    ] {
        let batch = batch(vec![("x", column)]);
        let policy = policy("[columns.x]\ntreat = \"pseudonymize\"\nconsistency = \"document\"");
        let plan = compile(&policy, &batch).unwrap();
        let tokens = |document| {
            let at = allonym_core::Position { document, first_row: 7 };
            shown(plan.apply(&batch, at).unwrap().records().column(0))
        };
        let (first, second) = (tokens("a.csv"), tokens("b.csv"));
        assert_eq!(first[0], first[1]);
        assert_ne!(first[0], second[0]);
        assert_eq!(first, tokens("a.csv"));
    }
}

#[test]
fn few_distinct_values_are_told_after_the_run() {
    let column: Vec<Option<&str>> =
        (0..10_001).map(|n| Some(if n % 2 == 0 { "f" } else { "m" })).collect();
    for column in [
        texts(&column),
        Arc::new(column.iter().copied().collect::<DictionaryArray<Int8Type>>()) as ArrayRef,
    ] {
        let batch = batch(vec![("sex", column)]);
        let plan = compile(&policy("[columns.sex]\ntreat = \"pseudonymize\""), &batch).unwrap();
        let treated = plan.apply(&batch, DOCUMENT).unwrap();
        assert_eq!(treated.counts()[0].distinct(), Some(2));
        let warning = treated.counts()[0].warning(&plan.columns()[0]).unwrap();
        assert!(warning.contains("column `sex`: about 2 distinct values"), "{warning}");
    }
    let many: Vec<String> = (0..10_001).map(|n| format!("id-{n}")).collect();
    let many: Vec<Option<&str>> = many.iter().map(|cell| Some(cell.as_str())).collect();
    let (_, counts) = treat("treat = \"pseudonymize\"", texts(&many));
    assert!(counts.distinct().unwrap().abs_diff(10_001) < 1_000);
}

#[test]
fn columns_that_are_null_throughout_stay_so() {
    for options in [
        "treat = \"pseudonymize\"",
        "treat = \"mask\"",
        "treat = \"generalize\"\nstep = 1",
        "treat = \"text\"",
        "treat = \"redact\"",
    ] {
        let (treated, counts) = treat(options, Arc::new(NullArray::new(3)));
        assert_eq!((treated.data_type(), counts.nulls, counts.treated), (&DataType::Null, 3, 0));
    }
}

#[test]
fn when_all_columns_are_dropped_the_rows_are_still_counted() {
    let batch = batch(vec![("x", texts(&[Some("a"), None]))]);
    let plan = compile(&policy("[columns.x]\ntreat = \"drop\""), &batch).unwrap();
    let treated = plan.apply(&batch, DOCUMENT).unwrap();
    assert_eq!((treated.records().num_columns(), treated.records().num_rows()), (0, 2));
    assert_eq!((treated.counts()[0].treated, treated.counts()[0].nulls), (1, 1));
    assert!(plan.untouched().is_empty());
}
