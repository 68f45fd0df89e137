//! Parquet: what is kept, what is computed again, and what a corrupt file may do.

#![expect(clippy::unwrap_used, clippy::clone_on_ref_ptr, reason = "a test that cannot go on ends")]

mod files;

use allonym_io::{Dress, Format, IoErrorKind, Output, ReadOptions, Shape, Writer};
use arrow_array::types::Int16Type;
use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, FixedSizeBinaryArray, Float64Array,
    Int64Array, ListArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema};
use files::{
    CANARY, Desk, check_refused, cut, open, pass, read_all, read_whole, rows_of, write, write_like,
};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, FixedLenByteArrayType, Int32Type};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn table(rows: usize) -> RecordBatch {
    let names: StringArray =
        (0..rows).map(|row| (row % 7 != 0).then(|| format!("name {}", row % 100))).collect();
    let kinds: DictionaryArray<Int16Type> =
        (0..rows).map(|row| ["a", "b", "c"][row % 3]).collect::<Vec<_>>().into_iter().collect();
    let lists = ListArray::from_iter_primitive::<arrow_array::types::Int32Type, _, _>(
        (0..rows).map(|row| (row % 5 != 0).then(|| vec![i32::try_from(row).ok(); row % 4])),
    );
    let inner: ArrayRef = Arc::new(Int64Array::from_iter_values((0..).take(rows)));
    let object =
        StructArray::from(vec![(Arc::new(Field::new("x", DataType::Int64, false)), inner)]);
    let decimals = Decimal128Array::from_iter_values((0..).take(rows))
        .with_precision_and_scale(12, 2)
        .unwrap();
    let times = TimestampMicrosecondArray::from_iter_values((0..).take(rows)).with_timezone("UTC");
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values((0..).take(rows)))),
        ("name", Arc::new(names)),
        ("kind", Arc::new(kinds)),
        ("list", Arc::new(lists)),
        ("object", Arc::new(object)),
        ("decimal", Arc::new(decimals)),
        ("time", Arc::new(times)),
        ("float", Arc::new(Float64Array::from_iter_values((0_i32..).take(rows).map(f64::from)))),
        ("flag", Arc::new((0..rows).map(|row| Some(row % 2 == 0)).collect::<BooleanArray>())),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| {
            let field = Field::new(*name, column.data_type().clone(), true);
            let note = HashMap::from([("note".to_owned(), format!("of {name}"))]);
            field.with_metadata(note)
        })
        .collect();
    let metadata = HashMap::from([("origin".to_owned(), "invented".to_owned())]);
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    RecordBatch::try_new(schema, columns.into_iter().map(|(_, column)| column).collect()).unwrap()
}

/// Row groups of 1,000 rows, then what is left.
fn put(path: &Path, batch: &RecordBatch, properties: WriterProperties) {
    let file = fs::File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    for part in cut(batch, 1_000) {
        writer.write(&part).unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
}

fn metadata(path: &Path) -> ParquetMetaData {
    SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap().metadata().clone()
}

fn group_rows(path: &Path) -> Vec<i64> {
    metadata(path).row_groups().iter().map(|group| group.num_rows()).collect()
}

#[test]
fn types_metadata_groups_and_codecs_stay() {
    let desk = Desk::new();
    let (from, to) = (desk.path("a.parquet"), desk.path("b.parquet"));
    let batch = table(2_500);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_column_compression(ColumnPath::from("name"), Compression::GZIP(Default::default()))
        .set_column_bloom_filter_enabled(ColumnPath::from("name"), true)
        .set_key_value_metadata(Some(vec![parquet::file::metadata::KeyValue::new(
            "team".to_owned(),
            "pricing".to_owned(),
        )]))
        .build();
    put(&from, &batch, properties);
    pass(&from, &to, &rows_of(700)).unwrap();

    assert_eq!(
        read_whole(&to, &ReadOptions::default()),
        read_whole(&from, &ReadOptions::default())
    );
    assert_eq!(
        open(&to, &ReadOptions::default()).unwrap().schema(),
        open(&from, &ReadOptions::default()).unwrap().schema()
    );
    assert_eq!(group_rows(&to), [1_000, 1_000, 500]);
    let (was, is) = (metadata(&from), metadata(&to));
    assert_eq!(is.file_metadata().schema(), was.file_metadata().schema());
    assert_eq!(is.file_metadata().created_by(), Some("allonym"));
    let keys = |metadata: &ParquetMetaData| -> Vec<String> {
        let entries = metadata.file_metadata().key_value_metadata().unwrap();
        let mut keys: Vec<_> = entries.iter().map(|entry| entry.key.clone()).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&is), ["ARROW:schema", "origin", "team"]);
    for (was, is) in was.row_group(0).columns().iter().zip(is.row_group(0).columns()) {
        assert_eq!(is.compression(), was.compression(), "{}", is.column_path());
        assert_eq!(is.bloom_filter_offset().is_some(), was.bloom_filter_offset().is_some());
    }
    let reader = open(&to, &ReadOptions::default()).unwrap();
    assert_eq!(reader.rows_hint(), Some(2_500));
    assert_eq!(reader.schema().field(1).metadata()["note"], "of name");
}

#[test]
fn bytes_do_not_depend_on_cuts() {
    let desk = Desk::new();
    let from = desk.path("a.parquet");
    let batch = table(20_000);
    put(&from, &batch, WriterProperties::builder().build());
    let mut outputs = Vec::new();
    for rows in [7, 1_000, 8_192, 1_000_000] {
        outputs.push(pass(&from, &desk.path("b.parquet"), &rows_of(rows)).unwrap());
    }
    assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]));

    // Without row groups to follow, and with dictionaries that differ from cut to cut.
    let mut outputs = Vec::new();
    for rows in [1, 999, 8_192, 20_000] {
        let batch = if rows == 1 { batch.slice(0, 9_000) } else { batch.clone() };
        let parts = cut(&batch, rows);
        outputs.push((
            batch.num_rows(),
            write(&desk.path("c.parquet"), Format::Parquet, &parts).unwrap(),
        ));
    }
    assert!(outputs[1..].windows(2).all(|pair| pair[0] == pair[1]));
    let whole = write(&desk.path("c.parquet"), Format::Parquet, &[batch.slice(0, 9_000)]).unwrap();
    assert!(outputs[0].1 == whole);
}

#[test]
fn row_groups_have_a_usual_size() {
    let desk = Desk::new();
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..300_000));
    let batch = RecordBatch::try_from_iter([("id", ids)]).unwrap();
    let path = desk.path("a.parquet");
    write(&path, Format::Parquet, &cut(&batch, 50_000)).unwrap();
    assert_eq!(group_rows(&path), [131_072, 131_072, 37_856]);
    let codec = metadata(&path).row_group(0).column(0).compression();
    assert!(matches!(codec, Compression::ZSTD(_)), "{codec:?}");
}

#[test]
fn a_row_group_too_large_for_memory_is_divided() {
    let desk = Desk::new();
    let from = desk.path("a.parquet");
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1_100_000));
    let batch = RecordBatch::try_from_iter([("id", ids)]).unwrap();
    let file = fs::File::create(&from).unwrap();
    let properties =
        WriterProperties::builder().set_max_row_group_row_count(Some(2_000_000)).build();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert_eq!(group_rows(&from), [1_100_000]);
    pass(&from, &desk.path("b.parquet"), &rows_of(100_000)).unwrap();
    assert_eq!(group_rows(&desk.path("b.parquet")), [1_048_576, 51_424]);
}

#[test]
fn types_that_arrow_does_not_know_stay() {
    let desk = Desk::new();
    let (from, to) = (desk.path("a.parquet"), desk.path("b.parquet"));
    let leaf = |name: &str, physical, logical, length| {
        let leaf = Type::primitive_type_builder(name, physical).with_logical_type(logical);
        Arc::new(
            leaf.with_repetition(Repetition::REQUIRED)
                .with_length(length)
                .with_id(Some(7))
                .build()
                .unwrap(),
        )
    };
    let schema = Type::group_type_builder("spark_schema")
        .with_fields(vec![
            leaf("uuid", Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid), 16),
            leaf("enum", Physical::BYTE_ARRAY, Some(LogicalType::Enum), 0),
            leaf("json", Physical::BYTE_ARRAY, Some(LogicalType::Json), 0),
            leaf("int", Physical::INT32, None, 0),
        ])
        .build()
        .unwrap();
    let properties = Arc::new(WriterProperties::builder().build());
    let file = fs::File::create(&from).unwrap();
    let mut writer = SerializedFileWriter::new(file, Arc::new(schema), properties).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column
        .typed::<FixedLenByteArrayType>()
        .write_batch(&[ByteArray::from(vec![1; 16]).into()], None, None)
        .unwrap();
    column.close().unwrap();
    for value in ["RED", "{}"] {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&[ByteArray::from(value)], None, None).unwrap();
        column.close().unwrap();
    }
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int32Type>().write_batch(&[5], None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();

    pass(&from, &to, &ReadOptions::default()).unwrap();
    let told = |path: &Path| -> Vec<_> {
        let schema = metadata(path).file_metadata().schema_descr().columns().to_vec();
        schema
            .iter()
            .map(|leaf| {
                (
                    leaf.logical_type_ref().cloned(),
                    leaf.converted_type(),
                    leaf.physical_type(),
                    leaf.self_type().get_basic_info().id(),
                )
            })
            .collect()
    };
    assert_eq!(told(&to), told(&from));
    assert_eq!(metadata(&to).file_metadata().schema().name(), "spark_schema");
    assert_eq!(
        read_whole(&to, &ReadOptions::default()).columns(),
        read_whole(&from, &ReadOptions::default()).columns()
    );
}

/// Statistics, page indexes and bloom filters describe the treated column, not the raw one.
#[test]
fn nothing_raw_is_left_of_a_treated_column() {
    let desk = Desk::new();
    let (from, to) = (desk.path("a.parquet"), desk.path("b.parquet"));
    let names: ArrayRef = Arc::new(StringArray::from(vec![CANARY, "zz"]));
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let batch = RecordBatch::try_from_iter([("name", names), ("id", ids)]).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_bloom_filter_enabled(true)
        .build();
    put(&from, &batch, properties);
    let contains = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
    };
    assert!(contains(&from));

    let reader = open(&from, &ReadOptions::default()).unwrap();
    let tokens: ArrayRef = Arc::new(StringArray::from(vec!["token-1", "token-2"]));
    let treated =
        RecordBatch::try_new(batch.schema(), vec![tokens, batch.column(1).clone()]).unwrap();
    let output = Output::File(to.clone());
    let untouched = vec![None, Some(1)];
    let mut writer =
        Writer::create(&output, reader.shape(), &treated.schema(), &untouched, false).unwrap();
    writer.write(&treated, &Dress::default()).unwrap();
    writer.finish().unwrap().commit().unwrap();
    assert!(!contains(&to));
    let builder = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(&to).unwrap()).unwrap();
    let filter = builder.get_row_group_column_bloom_filter(0, 0).unwrap().unwrap();
    assert!(filter.check(&"token-1") && !filter.check(&CANARY));
}

#[test]
fn empty_tables_stay_empty_tables() {
    let desk = Desk::new();
    let (from, to) = (desk.path("a.parquet"), desk.path("b.parquet"));
    put(&from, &table(0), WriterProperties::builder().build());
    pass(&from, &to, &ReadOptions::default()).unwrap();
    assert_eq!(read_all(&to, &ReadOptions::default()).unwrap().len(), 0);
    assert_eq!(open(&to, &ReadOptions::default()).unwrap().schema(), &table(0).schema());
}

#[test]
fn what_is_no_parquet_is_refused() {
    let desk = Desk::new();
    let check = |bytes: &[u8], words: &[&str]| {
        let path = desk.put("a.parquet", bytes);
        check_refused(&path, &ReadOptions::default(), IoErrorKind::BadInput, words);
    };
    check(b"", &["the input is empty (0 bytes)"]);
    check(b"PAR1", &["no Parquet file, or truncated"]);
    check(CANARY.repeat(3).as_bytes(), &["no Parquet file"]);
    check(format!("PAR1{CANARY}").as_bytes(), &["truncated: no footer"]);
    check(format!("PAR1{CANARY}\u{7f}\u{7f}\0\0PAR1").as_bytes(), &["footer cannot be read"]);
    check(b"PARE........PARE", &["encrypted"]);
    let folder = desk.path("b.parquet");
    fs::create_dir(&folder).unwrap();
    check_refused(&folder, &ReadOptions::default(), IoErrorKind::BadInput, &["a folder"]);
    check_refused(
        &desk.path("c.parquet"),
        &ReadOptions::default(),
        IoErrorKind::BadInput,
        &["no such file"],
    );
}

#[test]
fn a_truncated_file_is_refused_wherever_it_ends() {
    let desk = Desk::new();
    let from = desk.path("a.parquet");
    put(&from, &table(3_000), WriterProperties::builder().build());
    let bytes = fs::read(&from).unwrap();
    for part in 1..20 {
        let path = desk.put("b.parquet", &bytes[..bytes.len() * part / 20]);
        check_refused(&path, &ReadOptions::default(), IoErrorKind::BadInput, &["b.parquet: "]);
    }
}

#[test]
fn flipped_bits_are_errors_not_panics() {
    let desk = Desk::new();
    let from = desk.path("a.parquet");
    let names: StringArray = (0..500).map(|row| Some(format!("{CANARY} {row}"))).collect();
    let table = table(500);
    let names: ArrayRef = Arc::new(names);
    let columns =
        vec![names, table.column(3).clone(), table.column(2).clone(), table.column(0).clone()];
    let batch = RecordBatch::try_from_iter(["n", "l", "k", "i"].into_iter().zip(columns)).unwrap();
    put(&from, &batch, WriterProperties::builder().set_compression(Compression::SNAPPY).build());
    let bytes = fs::read(&from).unwrap();
    let mut refused = 0;
    // A fixed walk over the file, coprime steps so that all kinds of bytes are met.
    for step in 0..400 {
        let mut flipped = bytes.clone();
        let at = (step * 7_919) % bytes.len();
        flipped[at] ^= 1 << (step % 8);
        let path = desk.put("b.parquet", &flipped);
        if let Err(error) = read_all(&path, &ReadOptions::default()) {
            refused += 1;
            assert_eq!(error.kind, IoErrorKind::BadInput, "byte {at}: {error}");
            assert!(!format!("{error:?}").contains("Xanthippe"), "{error}");
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn a_corrupt_page_is_told_by_row_group_and_column() {
    let desk = Desk::new();
    let from = desk.path("a.parquet");
    put(
        &from,
        &table(2_500),
        WriterProperties::builder().set_compression(Compression::SNAPPY).build(),
    );
    let mut bytes = fs::read(&from).unwrap();
    let metadata = metadata(&from);
    let column = metadata.row_group(1).column(1);
    assert_eq!(column.column_path().string(), "name");
    let (start, length) = column.byte_range();
    let (start, length) = (usize::try_from(start).unwrap(), usize::try_from(length).unwrap());
    bytes[start + length / 2..start + length].fill(0xFF);
    let path = desk.put("b.parquet", bytes);
    let words = ["row group 2 of 3, column `name` cannot be decoded; the file is corrupt"];
    check_refused(&path, &ReadOptions::default(), IoErrorKind::BadInput, &words);
}

#[test]
fn a_cell_may_be_as_large_as_the_limit() {
    let desk = Desk::new();
    let path = desk.path("a.parquet");
    let options = ReadOptions { cell_bytes_max: Some(1_000), ..ReadOptions::default() };
    let put = |bytes: usize| {
        let names: ArrayRef = Arc::new(StringArray::from(vec!["x".repeat(bytes)]));
        let batch = RecordBatch::try_from_iter([("name", names)]).unwrap();
        write(&path, Format::Parquet, &[batch]).unwrap();
    };
    put(1_000);
    assert_eq!(read_whole(&path, &options).num_rows(), 1);
    put(1_001);
    let words = ["rows 1 to 1, column `name`: a cell has 1,001 bytes; the limit is 1,000"];
    check_refused(&path, &options, IoErrorKind::BadInput, &words);
}

#[test]
fn a_type_without_a_form_is_wrong_usage() {
    let desk = Desk::new();
    let interval: ArrayRef = Arc::new(arrow_array::IntervalMonthDayNanoArray::new_null(1));
    let batch = RecordBatch::try_from_iter([("interval", interval)]).unwrap();
    let error = write(&desk.path("a.parquet"), Format::Parquet, &[batch]).unwrap_err();
    assert_eq!(error.kind, IoErrorKind::Usage);
    assert!(error.message.contains("column `interval`"), "{error}");
    let empty = RecordBatch::new_empty(Arc::new(Schema::empty()));
    let shape = Shape::plain(Format::Parquet);
    let error = write_like(&desk.path("a.parquet"), &shape, &empty.schema(), &[]).unwrap_err();
    assert_eq!(error.message, "no column is left to write");
    assert_eq!(desk.names(), Vec::<String>::new());
    let bytes: ArrayRef =
        Arc::new(FixedSizeBinaryArray::try_from_iter([[1_u8; 16]].into_iter()).unwrap());
    let batch = RecordBatch::try_from_iter([("token", bytes)]).unwrap();
    write(&desk.path("a.parquet"), Format::Parquet, &[batch]).unwrap();
}
