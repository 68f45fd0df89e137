//! Arrow IPC: files and streams, their dictionaries, and what a corrupt one may do.

#![expect(clippy::unwrap_used, clippy::clone_on_ref_ptr, reason = "a test that cannot go on ends")]

mod files;

use allonym_io::{Format, IoErrorKind, ReadOptions};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int8Type, Int32Type};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int8Array, Int64Array, ListArray, RecordBatch, StringArray,
};
use arrow_buffer::OffsetBuffer;
use arrow_ipc::CompressionType;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_ipc::writer::{DictionaryHandling, FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field, Schema};
use files::{CANARY, Desk, check_refused, cut, open, pass, read_all, read_whole, rows_of, write};
use std::collections::HashMap;
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

fn table(rows: usize) -> RecordBatch {
    let names: StringArray =
        (0..rows).map(|row| (row % 7 != 0).then(|| format!("name {row}"))).collect();
    let values: ArrayRef = Arc::new(StringArray::from(vec!["unused", "b", "a", "c"]));
    let keys: Int8Array = (0..rows).map(|row| [Some(1), Some(2), None, Some(3)][row % 4]).collect();
    let kinds: ArrayRef = Arc::new(DictionaryArray::<Int8Type>::new(keys, values));
    let item = Arc::new(Field::new("item", kinds.data_type().clone(), true));
    let lists =
        ListArray::new(item, OffsetBuffer::from_lengths(vec![1; rows]), Arc::clone(&kinds), None);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values((0..).take(rows)))),
        ("name", Arc::new(names)),
        ("kind", kinds),
        ("kinds", Arc::new(lists)),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, column)| {
            let note = HashMap::from([("note".to_owned(), format!("of {name}"))]);
            Field::new(*name, column.data_type().clone(), true).with_metadata(note)
        })
        .collect();
    let metadata = HashMap::from([("origin".to_owned(), "invented".to_owned())]);
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    RecordBatch::try_new(schema, columns.into_iter().map(|(_, column)| column).collect()).unwrap()
}

fn file_of(batches: &[RecordBatch], codec: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default()
        .with_dictionary_handling(DictionaryHandling::Delta)
        .try_with_compression(codec)
        .unwrap();
    let mut writer =
        FileWriter::try_new_with_options(Vec::new(), &batches[0].schema(), options).unwrap();
    writer.write_metadata("team", "pricing");
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

fn stream_of(batches: &[RecordBatch], codec: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(codec).unwrap();
    let mut writer =
        StreamWriter::try_new_with_options(Vec::new(), &batches[0].schema(), options).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

#[test]
fn files_and_streams_keep_rows_metadata_and_codec() {
    let batch = table(2_500);
    let parts = cut(&batch, 1_000);
    for codec in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        for stream in [false, true] {
            let desk = Desk::new();
            let bytes = if stream { stream_of(&parts, codec) } else { file_of(&parts, codec) };
            let from = desk.put("a.arrow", bytes);
            let to = desk.path(if stream { "b.arrows" } else { "b.arrow" });
            pass(&from, &to, &rows_of(300)).unwrap();
            assert_eq!(read_whole(&to, &ReadOptions::default()), batch);
            let reader = open(&to, &ReadOptions::default()).unwrap();
            assert_eq!(reader.schema(), &batch.schema());
            let bytes = fs::read(&to).unwrap();
            assert_eq!(bytes.starts_with(b"ARROW1"), !stream);
            // An implementation that is not ours reads it the same.
            let read: Vec<RecordBatch> = if stream {
                StreamReader::try_new(Cursor::new(&bytes), None)
                    .unwrap()
                    .map(Result::unwrap)
                    .collect()
            } else {
                let reader = FileReader::try_new(Cursor::new(&bytes), None).unwrap();
                assert_eq!(reader.custom_metadata()["team"], "pricing");
                reader.map(Result::unwrap).collect()
            };
            assert_eq!(read, std::slice::from_ref(&batch));
            let packed = bytes.len() < file_of(std::slice::from_ref(&batch), None).len() * 9 / 10;
            assert_eq!(packed, codec.is_some());
            // A copied dictionary keeps its order and the category that no row uses.
            let values = read[0].column(2).as_any_dictionary().values();
            assert_eq!(
                values.as_string::<i32>().iter().collect::<Vec<_>>(),
                [Some("unused"), Some("b"), Some("a"), Some("c")]
            );
        }
    }
}

#[test]
fn bytes_do_not_depend_on_cuts() {
    let desk = Desk::new();
    let batch = table(70_000);
    let from = desk.put("a.arrow", file_of(&cut(&batch, 30_000), None));
    for name in ["b.arrow", "b.arrows", "b.arrows.gz", "b.arrows.zst"] {
        let outputs: Vec<Vec<u8>> = [7, 1_000, 8_192, 1_000_000]
            .into_iter()
            .map(|rows| pass(&from, &desk.path(name), &rows_of(rows)).unwrap())
            .collect();
        assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]), "{name}");
        assert_eq!(read_whole(&desk.path(name), &ReadOptions::default()), batch);
    }
}

#[test]
fn dictionaries_that_change_become_one_that_grows() {
    let desk = Desk::new();
    let batch_of = |words: Vec<&str>| {
        let words: DictionaryArray<Int32Type> = words.into_iter().collect();
        RecordBatch::try_from_iter([("w", Arc::new(words) as ArrayRef)]).unwrap()
    };
    let batches = [batch_of(vec!["x", "y"]), batch_of(vec!["z", "x"]), batch_of(vec!["y"])];
    let from = desk.put("a.arrows", stream_of(&batches, None));
    let plain = |path: &Path| -> Vec<String> {
        let whole = read_whole(path, &ReadOptions::default());
        let words = arrow_cast::cast(whole.column(0), &DataType::Utf8).unwrap();
        words.as_string::<i32>().iter().map(|word| word.unwrap().to_owned()).collect()
    };
    let mut outputs = Vec::new();
    for rows in [1, 2, 100] {
        outputs.push(pass(&from, &desk.path("b.arrow"), &rows_of(rows)).unwrap());
        assert_eq!(plain(&desk.path("b.arrow")), ["x", "y", "z", "x", "y"]);
    }
    assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]));

    // Treated columns: values in the order rows use them, whatever dictionary a batch brings.
    let whole = read_whole(&desk.path("b.arrow"), &ReadOptions::default());
    let words: StringArray = (0..200_000).map(|row| Some(format!("w{}", row / 1_000))).collect();
    let words = arrow_cast::cast(&words, whole.column(0).data_type()).unwrap();
    let many = RecordBatch::try_from_iter([("w", words)]).unwrap();
    let outputs: Vec<Vec<u8>> = [999, 8_192, 50_000]
        .into_iter()
        .map(|rows| {
            // Each cut with a dictionary of its own.
            let plain = arrow_cast::cast(many.column(0), &DataType::Utf8).unwrap();
            let parts: Vec<RecordBatch> =
                cut(&RecordBatch::try_from_iter([("w", plain)]).unwrap(), rows)
                    .iter()
                    .map(|part| {
                        let words =
                            arrow_cast::cast(part.column(0), many.column(0).data_type()).unwrap();
                        RecordBatch::try_from_iter([("w", words)]).unwrap()
                    })
                    .collect();
            write(&desk.path("c.arrow"), Format::Ipc, &parts).unwrap()
        })
        .collect();
    assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]));
    let read = read_whole(&desk.path("c.arrow"), &ReadOptions::default());
    assert_eq!(
        &arrow_cast::cast(read.column(0), &DataType::Utf8).unwrap(),
        &arrow_cast::cast(many.column(0), &DataType::Utf8).unwrap()
    );
    assert_eq!(read.column(0).as_any_dictionary().values().len(), 200);
}

#[test]
fn empty_tables_stay_empty_tables() {
    for stream in [false, true] {
        let desk = Desk::new();
        let batch = table(0);
        let bytes = if stream {
            stream_of(std::slice::from_ref(&batch), None)
        } else {
            file_of(std::slice::from_ref(&batch), None)
        };
        let from = desk.put("a.arrow", bytes);
        pass(&from, &desk.path("b.arrow"), &ReadOptions::default()).unwrap();
        assert_eq!(read_all(&desk.path("b.arrow"), &ReadOptions::default()).unwrap(), []);
        assert_eq!(
            open(&desk.path("b.arrow"), &ReadOptions::default()).unwrap().schema(),
            &batch.schema()
        );
    }
}

#[test]
fn truncated_files_are_refused_wherever_they_end() {
    let desk = Desk::new();
    let parts = cut(&table(3_000), 1_000);
    for codec in [None, Some(CompressionType::ZSTD)] {
        for bytes in [file_of(&parts, codec), stream_of(&parts, codec)] {
            for part in 1..20 {
                let path = desk.put("b.arrow", &bytes[..bytes.len() * part / 20]);
                check_refused(
                    &path,
                    &ReadOptions::default(),
                    IoErrorKind::BadInput,
                    &["b.arrow: "],
                );
            }
            // Without its end mark a stream may have lost its last batch.
            let path = desk.put("b.arrow", &bytes[..bytes.len() - 8]);
            check_refused(&path, &ReadOptions::default(), IoErrorKind::BadInput, &["truncated"]);
        }
    }
    let mut longer = stream_of(&parts, None);
    longer.push(0);
    let path = desk.put("b.arrow", longer);
    check_refused(&path, &ReadOptions::default(), IoErrorKind::BadInput, &["bytes follow the end"]);
}

#[test]
fn flipped_bits_are_errors_not_panics() {
    let desk = Desk::new();
    let names: ArrayRef =
        Arc::new((0..300).map(|row| Some(format!("{CANARY} {row}"))).collect::<StringArray>());
    let table = table(300);
    let batch = RecordBatch::try_from_iter([
        ("n", names),
        ("k", table.column(2).clone()),
        ("l", table.column(3).clone()),
    ])
    .unwrap();
    let mut refused = 0;
    for codec in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
        for bytes in [
            file_of(std::slice::from_ref(&batch), codec),
            stream_of(std::slice::from_ref(&batch), codec),
        ] {
            for step in 0..300 {
                let mut flipped = bytes.clone();
                // Every second flip meets the first kilobytes, where the lengths stand.
                let range = if step % 2 == 0 { bytes.len() } else { bytes.len().min(2_000) };
                let at = (step * 7_919) % range;
                flipped[at] ^= 1 << (step % 8);
                let path = desk.put("b.arrow", &flipped);
                if let Err(error) = read_all(&path, &ReadOptions::default()) {
                    refused += 1;
                    assert!(matches!(error.kind, IoErrorKind::BadInput), "byte {at}: {error}");
                    assert!(!format!("{error:?}").contains("Xanthippe"), "{error}");
                }
            }
        }
    }
    assert!(refused > 300, "{refused}");
}

#[test]
fn promised_lengths_are_not_believed() {
    let desk = Desk::new();
    let batch = table(100);
    let bytes = stream_of(&[batch], Some(CompressionType::ZSTD));
    // The length of a message: four bytes behind the first continuation marker.
    let mut long = bytes.clone();
    long[4..8].copy_from_slice(&i32::MAX.to_le_bytes());
    let path = desk.put("a.arrow", long);
    check_refused(
        &path,
        &ReadOptions::default(),
        IoErrorKind::BadInput,
        &["corrupt after batch 0"],
    );
    // The unpacked length of a buffer: the eight bytes before the magic of Zstandard.
    let magic = bytes.windows(4).position(|window| window == [0x28, 0xB5, 0x2F, 0xFD]).unwrap();
    let mut large = bytes;
    large[magic - 8..magic].copy_from_slice(&(1_i64 << 50).to_le_bytes());
    let path = desk.put("b.arrow", large);
    check_refused(&path, &ReadOptions::default(), IoErrorKind::BadInput, &["cannot be decoded"]);
}

#[test]
fn what_is_no_arrow_is_refused() {
    let desk = Desk::new();
    let check = |bytes: &[u8], words: &[&str]| {
        let path = desk.put("a.arrow", bytes);
        check_refused(&path, &ReadOptions::default(), IoErrorKind::BadInput, words);
    };
    check(b"", &["the input is empty (0 bytes)"]);
    check(b"ARROW1\0\0", &["truncated: no footer"]);
    check(b"FEA1....", &["Feather version 1"]);
    check(CANARY.as_bytes(), &["a.arrow: "]);
    check(b"\xFF\xFF\xFF\xFF\0\0\0\0", &["holds no schema"]);
    let options = ReadOptions { cell_bytes_max: Some(5), ..ReadOptions::default() };
    let path = desk.put("a.arrow", stream_of(&[table(3)], None));
    check_refused(
        &path,
        &options,
        IoErrorKind::BadInput,
        &["batch 1, column `name`: a cell has 6 bytes"],
    );
}
