//! From one format to another, where both can hold the rows.

#![expect(clippy::unwrap_used, clippy::clone_on_ref_ptr, reason = "a test that cannot go on ends")]

mod files;

use allonym_io::{Format, IoErrorKind, ReadOptions};
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray,
    RecordBatch, StringArray, TimestampMillisecondArray,
};
use files::{Desk, cut, pass, read_whole, rows_of, write};
use std::fs;
use std::sync::Arc;

fn typed() -> RecordBatch {
    let decimal = Decimal128Array::from(vec![Some(12_345), None]).with_precision_and_scale(9, 2);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("int", Arc::new(Int64Array::from(vec![Some(-7), None]))),
        ("float", Arc::new(Float64Array::from(vec![Some(0.5), None]))),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("day", Arc::new(Date32Array::from(vec![Some(7_671), None]))),
        (
            "time",
            Arc::new(TimestampMillisecondArray::from(vec![Some(1_500), None]).with_timezone("UTC")),
        ),
        ("money", Arc::new(decimal.unwrap())),
        ("text", Arc::new(StringArray::from(vec![Some("a,\"b\"\n"), Some("")]))),
    ];
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    )
    .unwrap()
}

#[test]
fn typed_rows_become_text() {
    let desk = Desk::new();
    let from = desk.path("a.parquet");
    write(&from, Format::Parquet, &[typed()]).unwrap();
    let csv = pass(&from, &desk.path("b.csv"), &rows_of(1)).unwrap();
    assert_eq!(
        String::from_utf8(csv).unwrap(),
        "int,float,flag,day,time,money,text\n\
         -7,0.5,true,1991-01-02,1970-01-01T00:00:01.500Z,123.45,\"a,\"\"b\"\"\n\"\n\
         ,,,,,,\"\"\n"
    );
    let json = pass(&from, &desk.path("b.jsonl"), &rows_of(1)).unwrap();
    assert_eq!(
        String::from_utf8(json).unwrap(),
        "{\"int\":-7,\"float\":0.5,\"flag\":true,\"day\":\"1991-01-02\",\
         \"time\":\"1970-01-01T00:00:01.500Z\",\"money\":123.45,\"text\":\"a,\\\"b\\\"\\n\"}\n\
         {\"int\":null,\"float\":null,\"flag\":null,\"day\":null,\"time\":null,\"money\":null,\
         \"text\":\"\"}\n"
    );
    pass(&from, &desk.path("b.arrow"), &rows_of(1)).unwrap();
    assert_eq!(read_whole(&desk.path("b.arrow"), &ReadOptions::default()), typed());
}

#[test]
fn csv_goes_round_through_every_format() {
    let desk = Desk::new();
    let text = "id,v\n007,\n\"\",x\ny,\"a,\"\"b\"\"\"\n";
    let csv = desk.put("a.csv", text.replace('\n', "\r\n"));
    for name in ["b.parquet", "b.arrow", "b.arrows", "b.jsonl", "b.jsonl.gz", "b.tsv"] {
        let middle = desk.path(name);
        for rows in [1, 1_000] {
            pass(&csv, &middle, &rows_of(rows)).unwrap();
            let back = pass(&middle, &desk.path("c.csv"), &rows_of(rows)).unwrap();
            let back = String::from_utf8(back).unwrap();
            // The dialect is that of a CSV made anew; TSV is a CSV and keeps its own.
            assert_eq!(back.replace("\r\n", "\n"), text, "{name}");
            assert_eq!(back.contains('\r'), name == "b.tsv", "{name}");
        }
    }
}

#[test]
fn nested_columns_do_not_fit_a_table_of_text() {
    let desk = Desk::new();
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None])]);
    let batch = RecordBatch::try_from_iter([("l", Arc::new(lists) as ArrayRef)]).unwrap();
    let from = desk.path("a.parquet");
    write(&from, Format::Parquet, &[batch]).unwrap();
    let error = pass(&from, &desk.path("b.csv"), &ReadOptions::default()).unwrap_err();
    assert_eq!(error.kind, IoErrorKind::Usage);
    assert!(error.message.contains("column `l` is nested"), "{error}");
    let error = pass(&from, &desk.path("b.txt"), &ReadOptions::default()).unwrap_err();
    assert_eq!(error.kind, IoErrorKind::Usage);
    let json = pass(&from, &desk.path("b.jsonl"), &ReadOptions::default()).unwrap();
    assert_eq!(json, b"{\"l\":[1,null]}\n");
    assert_eq!(desk.names(), ["a.parquet", "b.jsonl"]);

    let json = desk.put("c.jsonl", "{\"t\":[1],\"o\":{\"p\":2}}\n");
    let error = pass(&json, &desk.path("c.csv"), &ReadOptions::default()).unwrap_err();
    assert!(error.message.contains("column `t[]` is nested"), "{error}");
    pass(&json, &desk.path("c.parquet"), &ReadOptions::default()).unwrap();
    let rows = read_whole(&desk.path("c.parquet"), &ReadOptions::default());
    assert_eq!(rows.column(1).as_string::<i32>().value(0), "2");
    assert_eq!(rows.schema().field(1).name(), "o.p");
}

#[test]
fn text_becomes_rows_and_rows_lines() {
    let desk = Desk::new();
    let text = desk.put("a.txt", "one\ntwo");
    let json = pass(&text, &desk.path("b.jsonl"), &ReadOptions::default()).unwrap();
    assert_eq!(json, b"{\"text\":\"one\\ntwo\"}\n");
    let csv = desk.put("c.csv", "text\none\ntwo\n");
    let plain = pass(&csv, &desk.path("d.txt"), &ReadOptions::default()).unwrap();
    assert_eq!(plain, b"one\ntwo\n");
    let csv = desk.put("e.csv", "text,more\none,1\n");
    let error = pass(&csv, &desk.path("f.txt"), &ReadOptions::default()).unwrap_err();
    assert!(error.message.contains("one column `text`"), "{error}");
}

#[test]
fn windows_1252_becomes_utf_8_in_another_format() {
    let desk = Desk::new();
    let csv = desk.put("a.csv", b"name\nJ\xFCrgen\n");
    let json = pass(&csv, &desk.path("b.jsonl"), &ReadOptions::default()).unwrap();
    assert_eq!(String::from_utf8(json).unwrap(), "{\"name\":\"Jürgen\"}\n");
}

#[test]
fn a_date_outside_the_calendar_is_an_error_not_a_cell() {
    let desk = Desk::new();
    let times: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![0, i64::MAX]));
    let batch = RecordBatch::try_from_iter([("t", times)]).unwrap();
    for name in ["a.csv", "a.jsonl"] {
        let format = Format::of_path(desk.path(name).as_path()).unwrap();
        let error = write(&desk.path(name), format, &cut(&batch, 1)).unwrap_err();
        assert!(error.message.starts_with("row 2"), "{error}");
        assert!(error.message.contains("out of the range"), "{error}");
        assert_eq!(error.kind, IoErrorKind::BadInput);
    }
    assert!(fs::read_dir(desk.path(".")).unwrap().next().is_none());
}
