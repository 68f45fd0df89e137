//! CSV as it comes: what nobody touches comes out byte for byte.

#![expect(clippy::unwrap_used, clippy::clone_on_ref_ptr, reason = "a test that cannot go on ends")]

mod files;

use allonym_io::{IoErrorKind, Output, ReadOptions, TextEncoding, Writer};
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow_buffer::BooleanBuffer;
use files::{CANARY, Desk, check_refused, open, pass, read_all, read_whole, rows_of};
use proptest::prelude::*;
use std::fs;
use std::sync::Arc;

fn check_identical(name: &str, bytes: &[u8], options: &ReadOptions) {
    let desk = Desk::new();
    let from = desk.put(name, bytes);
    for rows in [1, 7, 1_000, 1_000_000] {
        let options = ReadOptions { batch_rows: Some(rows), ..options.clone() };
        let to = desk.path(&format!("out-{name}"));
        let out = pass(&from, &to, &options).unwrap();
        assert!(
            out == bytes,
            "{:?} became {:?}",
            String::from_utf8_lossy(bytes),
            String::from_utf8_lossy(&out)
        );
        fs::remove_file(to).unwrap();
    }
}

#[test]
fn untouched_files_are_identical() {
    let check = |text: &str| check_identical("a.csv", text.as_bytes(), &ReadOptions::default());
    check("a,b\n1,2\n");
    check("a,b\n1,2");
    check("a,b\r\n1,2\r\n");
    check("a,b\r1,2\r");
    check("a,b\n1,2\r\n3,4\n");
    check("a,b\n");
    check("a,b");
    check("a\n1\n\n2\n");
    check("a\n");
    check("a\n\"\"\n\n\"x\"\n");
    check("a,b\n\n1,2\n\n\n3,4\n\n");
    check("\n\na,b\n1,2\n");
    check("sep=;\na;b\n1;2\n");
    check("a,b\n\"\",\n,\"\"\n");
    check("\"a\",b\n\"1\",2\n1,\"2\"\n");
    check("a,b\n\"x\"\"y\",\"l1\nl2\"\n\"x,y\",\"l1\r\nl2\"\n");
    check("a,b\nx\"y, \"z\"\n");
    check("a,b\n 1 , 2 \n");
    check("a,,c\n1,2,3\n");
    check("\"\",b\n1,2\n");
    check("ä;ö\n007;+49 30\n");
    check("a\tb\n1\t2,5\n");
    check("a|b\n1|2\n");
    check("\u{feff}a,b\n1,2\n");
    check("a,b\n\"\u{1f600}\",é\n");
}

#[test]
fn every_encoding_is_kept() {
    let text = "name;ort\r\nJürgen;Köln\r\n\"a;b\";\"\"\r\n";
    let units = |big: bool| -> Vec<u8> {
        let mark = std::iter::once(0xFEFF_u16).chain(text.encode_utf16());
        mark.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    check_identical("a.csv", &units(false), &ReadOptions::default());
    check_identical("a.csv", &units(true), &ReadOptions::default());
    let options = ReadOptions { encoding: Some(TextEncoding::Utf16Be), ..ReadOptions::default() };
    check_identical("a.csv", &units(true)[2..], &options);
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(letter).unwrap()).collect();
    check_identical("a.csv", &latin, &ReadOptions::default());
    let desk = Desk::new();
    let path = desk.put("a.csv", &latin);
    assert_eq!(
        open(&path, &ReadOptions::default()).unwrap().shape().encoding(),
        TextEncoding::Windows1252
    );
    assert_eq!(
        read_whole(&path, &ReadOptions::default()).column(0).as_string::<i32>().value(0),
        "Jürgen"
    );
}

#[test]
fn cells_are_what_they_are() {
    let desk = Desk::new();
    let path = desk.put("a.csv", "id,v\n007,\n\"\",\"\"\n\"a\"\"b\", x\n");
    let rows = read_whole(&path, &ReadOptions::default());
    let ids: Vec<_> = rows.column(0).as_string::<i32>().iter().collect();
    let values: Vec<_> = rows.column(1).as_string::<i32>().iter().collect();
    assert_eq!(ids, [Some("007"), Some(""), Some("a\"b")]);
    assert_eq!(values, [None, Some(""), Some(" x")]);
}

#[test]
fn bad_files_say_where_and_quote_nothing() {
    let check = |text: &[u8], words: &[&str]| {
        let desk = Desk::new();
        let path = desk.put("a.csv", text);
        check_refused(&path, &rows_of(2), IoErrorKind::BadInput, words);
    };
    let c = CANARY;
    check(b"", &["a.csv: the input is empty (0 bytes)"]);
    check(b"\n\n", &["no header line"]);
    check(format!("a,b\n1,2\n{c},2,3\n").as_bytes(), &["row 2 has 3 fields, the header has 2"]);
    check(format!("a,b\n{c}\n").as_bytes(), &["row 1 has 1 field, the header has 2"]);
    check(
        format!("a,b\n1,2\n3,\"{c}\n4,5\n").as_bytes(),
        &["row 2: column 2: a quote is opened and never closed"],
    );
    check(
        format!("a,b\n1,\"{c}\"{c}\n").as_bytes(),
        &["row 1: column 2: text follows a closing quote"],
    );
    check(format!("a,b\n1,2\n{c}\0,2\n").as_bytes(), &["row 2: the text holds a NUL byte"]);
    let damaged = [format!("a,b\nü,{c}\nx,").as_bytes(), b"\xff\n"].concat();
    check(&damaged, &["line 3: the content is not UTF-8 at byte offset 31, while other"]);
    let half = [&b"\xFF\xFE"[..], &[b'a', 0, b'\n', 0, 0x3D, 0xD8, b'x', 0]].concat();
    check(&half, &["row 1: the content is not UTF-16 at byte offset 6"]);
    check(b"a\0b\0\n\0", &["header: the text holds a NUL byte; if the text is UTF-16, declare it"]);
    let late = [format!("a,b\n{}ü,", "x,y\n".repeat(300_000)).as_bytes(), b"\xff\n"].concat();
    check(&late, &["row 300,001: the content is not UTF-8 at byte offset 1,200,007"]);
}

/// Writes some columns of a file, those of `treated` with `<` and `>` round each cell.
fn treat(text: &str, columns: &[&str], treated: &[&str]) -> String {
    let mut outputs = Vec::new();
    for rows in [1, 2, 1_000] {
        let desk = Desk::new();
        let from = desk.put("a.csv", text);
        let mut reader = open(&from, &rows_of(rows)).unwrap();
        let places: Vec<usize> =
            columns.iter().map(|name| reader.schema().index_of(name).unwrap()).collect();
        let schema = Arc::new(reader.schema().project(&places).unwrap());
        let untouched = columns
            .iter()
            .zip(&places)
            .map(|(name, place)| (!treated.contains(name)).then_some(*place))
            .collect();
        let to = desk.path("b.csv");
        let output = Output::File(to.clone());
        let mut writer =
            Writer::create(&output, reader.shape(), &schema, &untouched, false).unwrap();
        while let Some(chunk) = reader.next_chunk().unwrap() {
            let cells = |(name, place): (&&str, &usize)| -> ArrayRef {
                let column = chunk.records.column(*place);
                if !treated.contains(name) {
                    return column.clone();
                }
                let mark = |cell: Option<&str>| cell.map(|cell| format!("<{cell}>"));
                Arc::new(column.as_string::<i32>().iter().map(mark).collect::<StringArray>())
            };
            let cells = columns.iter().zip(&places).map(cells).collect();
            let records = RecordBatch::try_new(schema.clone(), cells).unwrap();
            writer.write(&records, &chunk.dress).unwrap();
        }
        writer.finish().unwrap().commit().unwrap();
        outputs.push(fs::read_to_string(to).unwrap());
    }
    assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]));
    outputs.remove(0)
}

#[test]
fn treated_cells_stand_among_untouched_ones() {
    let text = "id,\"name\",note\r\n\"007\",Ada,\"a,\"\"b\"\"\"\r\n8,,\"\"\r\n\r\n,\"x,y\",z";
    let check = |columns: &[&str], treated: &[&str], expected: &str| {
        assert_eq!(treat(text, columns, treated), expected);
    };
    check(&["id", "name", "note"], &[], text);
    check(
        &["id", "name", "note"],
        &["name"],
        "id,\"name\",note\r\n\"007\",<Ada>,\"a,\"\"b\"\"\"\r\n8,,\"\"\r\n\r\n,\"<x,y>\",z",
    );
    check(&["note", "id"], &["note"], "note,id\r\n\"<a,\"\"b\"\">\",\"007\"\r\n<>,8\r\n\r\n<z>,");
    // A blank line would be a row of a single column, and nothing at the end would be none.
    check(&["name"], &[], "\"name\"\r\nAda\r\n\r\n\"x,y\"");
    assert_eq!(treat("a,b\n1,2\n\n3,", &["b"], &["b"]), "b\n<2>\n\n");
    assert_eq!(treat("a\n\n\"\"\nx", &["a"], &["a"]), "a\n\n<>\n<x>");
}

#[test]
fn rows_and_lines_must_be_as_many() {
    let desk = Desk::new();
    let from = desk.put("a.csv", "a\n1\n2\n");
    let mut reader = open(&from, &ReadOptions::default()).unwrap();
    let chunk = reader.next_chunk().unwrap().unwrap();
    let output = Output::File(desk.path("b.csv"));
    let untouched = vec![Some(0)];
    let mut writer =
        Writer::create(&output, reader.shape(), reader.schema(), &untouched, false).unwrap();
    let error = writer.write(&chunk.records.slice(0, 1), &chunk.dress).unwrap_err();
    assert_eq!(error.message, "1 rows were written for 2 rows read");
}

#[test]
fn an_error_is_told_again() {
    let desk = Desk::new();
    let path = desk.put("a.csv", "a,b\n1\n2,3\n");
    let mut reader = open(&path, &rows_of(1)).unwrap();
    let first = reader.next_chunk().unwrap_err();
    assert_eq!(reader.next_chunk().unwrap_err(), first);
}

#[test]
fn a_character_without_a_byte_stays_out_of_windows_1252() {
    let desk = Desk::new();
    let path = desk.put("a.csv", b"a\nJ\xFCrgen\n");
    let reader = open(&path, &ReadOptions::default()).unwrap();
    let rows = read_whole(&path, &ReadOptions::default());
    let column: ArrayRef = Arc::new(StringArray::from(vec!["Łukasz"]));
    let treated = RecordBatch::try_new(rows.schema(), vec![column]).unwrap();
    let to = desk.path("b.csv");
    let shape = reader.shape().for_output(Some(&to), None);
    let error = files::write_like(&to, &shape, &rows.schema(), &[treated]).unwrap_err();
    assert_eq!(error.kind, IoErrorKind::Usage);
    assert!(error.message.contains("Windows-1252") && !error.message.contains("ukasz"));
    assert_eq!(desk.names(), ["a.csv"]);
}

#[test]
fn dialects_are_declared_or_named() {
    let desk = Desk::new();
    let columns = |name: &str, text: &str, options: &ReadOptions| {
        read_whole(&desk.put(name, text), options).num_columns()
    };
    let default = ReadOptions::default();
    assert_eq!(columns("a.tsv", "a,b\tc\n1,2\t3\n", &default), 2);
    let semicolon = ReadOptions { delimiter: Some(b';'), ..ReadOptions::default() };
    assert_eq!(columns("a.csv", "a,b;c\n1,2;3\n", &semicolon), 2);
    let single = ReadOptions { quote: Some(b'\''), ..ReadOptions::default() };
    assert_eq!(columns("a.csv", "a,b\n'1,2',3\n", &single), 2);
    check_identical("a.csv", b"a,b\n'1,''2',3\n", &single);
    let same = ReadOptions { quote: Some(b','), delimiter: Some(b','), ..default };
    check_refused(&desk.put("a.csv", "a,b\n"), &same, IoErrorKind::Usage, &["two different bytes"]);
}

/// Cells as `csv-core` reads them: an implementation by others.
fn cells_by_csv_core(text: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv_core::Reader::new();
    let (mut output, mut ends) = (vec![0; 1 << 16], vec![0; 64]);
    let (mut rows, mut rest) = (Vec::new(), text);
    loop {
        let (result, read, _, count) = reader.read_record(rest, &mut output, &mut ends);
        rest = &rest[read..];
        match result {
            csv_core::ReadRecordResult::Record => {
                let starts = std::iter::once(0).chain(ends[..count].iter().copied());
                let cell = |(start, end): (usize, usize)| {
                    String::from_utf8(output[start..end].to_vec()).unwrap()
                };
                rows.push(starts.zip(ends[..count].iter().copied()).map(cell).collect());
            }
            csv_core::ReadRecordResult::End => return rows,
            csv_core::ReadRecordResult::InputEmpty => {}
            other => unreachable!("{other:?}"),
        }
    }
}

#[test]
fn a_header_stands_for_itself() {
    let desk = Desk::new();
    let path = desk.put("a.csv", "a,b,a,c,b\n1,2,3,4,5\n");
    check_refused(
        &path,
        &ReadOptions::default(),
        IoErrorKind::BadInput,
        &["duplicate column names `a`, `b`"],
    );
    let path = desk.put("b.csv", "1,2\n3,4\n");
    let options = ReadOptions { header: Some(false), ..ReadOptions::default() };
    let rows = read_whole(&path, &options);
    assert_eq!(rows.num_rows(), 2);
    assert_eq!(rows.schema().field(1).name(), "column_2");
    check_identical("b.csv", b"1,2\n3,4\n", &options);
    let path = desk.put("c.csv", "a,,\n1,2,3\n");
    let schema = read_whole(&path, &ReadOptions::default()).schema();
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["a", "column_2", "column_3"]);
}

#[test]
fn a_cell_may_be_as_large_as_the_limit() {
    let desk = Desk::new();
    let options = ReadOptions { cell_bytes_max: Some(1_000), ..ReadOptions::default() };
    for quote in ["", "\""] {
        let fits = desk.put("a.csv", format!("a,b\n1,{quote}{}{quote}\n", "x".repeat(1_000)));
        assert_eq!(read_all(&fits, &options).unwrap()[0].num_rows(), 1);
        let large = desk.put("a.csv", format!("a,b\n1,{quote}{}{quote}\n", "x".repeat(1_001)));
        let words = ["row 1: column `b`: the cell has 1,001 bytes; the limit is 1,000"];
        check_refused(&large, &options, IoErrorKind::BadInput, &words);
    }
    // A quote that is never closed is not read to the end of a large file.
    let endless = desk.put("a.csv", format!("a,b\n1,\"{}", "x\n".repeat(1_000_000)));
    let words = ["row 1: column `b`: the cell is larger than 1,000 bytes", "ever closed"];
    check_refused(&endless, &options, IoErrorKind::BadInput, &words);
}

#[test]
fn a_row_is_not_longer_than_memory_should_hold() {
    let desk = Desk::new();
    let cell = "x".repeat(15 << 20);
    let names: Vec<String> = (0..9).map(|at| format!("c{at}")).collect();
    let row = |cells: usize| {
        let cells: Vec<&str> =
            (0..9).map(|at| if at < cells { cell.as_str() } else { "" }).collect();
        format!("{}\n{}\n", names.join(","), cells.join(","))
    };
    let path = desk.put("a.csv", row(8));
    assert_eq!(read_all(&path, &ReadOptions::default()).unwrap()[0].num_rows(), 1);
    let path = desk.put("a.csv", row(9));
    let words = ["row 1: the row is longer than 134,217,728 bytes"];
    check_refused(&path, &ReadOptions::default(), IoErrorKind::BadInput, &words);
}

#[test]
fn a_large_chunk_ends_early() {
    let desk = Desk::new();
    let line = format!("1,{}\n", "x".repeat(1 << 20));
    let path = desk.put("a.csv", format!("a,b\n{}", line.repeat(100)));
    let batches = read_all(&path, &ReadOptions::default()).unwrap();
    let rows: Vec<usize> = batches.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows, [64, 36]);
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("\"\"".to_owned()),
        "[a-zäß€ 0-9'.]{1,8}",
        "[a-z]{1,3}\"[a-z\"]{0,3}",
        r#"("([a-z,;\t|\r\n ]|"")*")"#,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_file_passes_identically(
        width in 1_usize..5,
        delimiter in prop_oneof![Just(','), Just(';'), Just('\t'), Just('|')],
        end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
        last in any::<bool>(),
        cells in proptest::collection::vec(cell(), 0..40),
        rows in 1_usize..9,
    ) {
        let header: Vec<String> = (0..width).map(|at| format!("c{at}")).collect();
        let mut lines = vec![header.join(&delimiter.to_string())];
        for row in cells.chunks_exact(width) {
            lines.push(row.join(&delimiter.to_string()));
        }
        let mut text = lines.join(end);
        if last {
            text.push_str(end);
        }
        let desk = Desk::new();
        let path = desk.put("a.csv", &text);
        let options = ReadOptions { delimiter: Some(delimiter as u8), ..rows_of(rows) };
        match pass(&path, &desk.path("b.csv"), &options) {
            Ok(out) => {
                prop_assert_eq!(std::str::from_utf8(&out).unwrap(), &text);
                // `csv-core` takes a lone delimiter at the very end for a line of one cell.
                if delimiter == ',' && width > 1 && last {
                    let read = read_whole(&path, &options);
                    let rows: Vec<Vec<String>> = (0..read.num_rows())
                        .map(|row| {
                            let cell = |column: &ArrayRef| {
                                column.as_string::<i32>().value(row).to_owned()
                            };
                            read.columns().iter().map(cell).collect()
                        })
                        .collect();
                    prop_assert_eq!(&rows, &cells_by_csv_core(text.as_bytes())[1..]);
                }
            }
            // An unquoted cell may hold the delimiter or a line break by chance.
            Err(error) => prop_assert!(error.message.contains("field"), "{}", error),
        }
    }
}

/// Rows go and cells change: a changed cell is quoted where it must be, all others stay as they stood.
#[test]
fn cells_that_change_are_quoted_where_they_must_be() {
    let desk = Desk::new();
    let path = desk.put("in.csv", "a,b\n\"007\",x\r\ngone,y\nz,\"w\"\n\n\"\",v");
    let mut reader = open(&path, &ReadOptions::default()).unwrap();
    let shape = reader.shape().clone();
    let chunk = reader.next_chunk().unwrap().unwrap();
    let keep = BooleanBuffer::from(vec![true, false, true, true]);
    let dress = chunk.dress.edited(&keep, &BooleanBuffer::new_set(4));
    let new = Arc::new(StringArray::from(vec![Some("p,q"), None, Some("a\"b"), Some("")]));
    let columns = vec![Arc::clone(chunk.records.column(0)), new as _];
    let records = RecordBatch::try_new(chunk.records.schema(), columns).unwrap();
    let mask = BooleanArray::new(keep, None);
    let records = arrow_select::filter::filter_record_batch(&records, &mask).unwrap();
    let output = Output::File(desk.path("out.csv"));
    let untouched = vec![Some(0), Some(1)];
    let mut writer = Writer::create(&output, &shape, reader.schema(), &untouched, true).unwrap();
    writer.write(&records, &dress).unwrap();
    writer.finish().unwrap().commit().unwrap();
    let written = fs::read_to_string(desk.path("out.csv")).unwrap();
    assert_eq!(written, "a,b\n\"007\",\"p,q\"\r\nz,\"a\"\"b\"\n\n\"\",\"\"");
}
