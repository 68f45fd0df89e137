//! CSV as it comes: what nobody touches comes out byte for byte.

mod files;

use allonym_io::{IoErrorKind, ReadOptions, TextEncoding};
use arrow_array::cast::AsArray;
use files::{CANARY, Desk, check_refused, open, pass, read_all, read_whole, rows_of};
use proptest::prelude::*;
use std::fs;

fn check_identical(name: &str, bytes: &[u8], options: &ReadOptions) {
    let desk = Desk::new();
    let from = desk.put(name, bytes);
    for rows in [1, 7, 1_000, 1_000_000] {
        let options = ReadOptions { batch_rows: Some(rows), ..options.clone() };
        let to = desk.path(&format!("out-{name}"));
        let out = pass(&from, &to, &options).unwrap();
        assert!(out == bytes, "{:?} became {:?}", String::from_utf8_lossy(bytes), String::from_utf8_lossy(&out));
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
    let options =
        ReadOptions { encoding: Some(TextEncoding::Utf16Be), ..ReadOptions::default() };
    check_identical("a.csv", &units(true)[2..], &options);
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(letter).unwrap()).collect();
    check_identical("a.csv", &latin, &ReadOptions::default());
    let desk = Desk::new();
    let path = desk.put("a.csv", &latin);
    assert_eq!(open(&path, &ReadOptions::default()).unwrap().shape().encoding(), TextEncoding::Windows1252);
    assert_eq!(read_whole(&path, &ReadOptions::default()).column(0).as_string::<i32>().value(0), "Jürgen");
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
    check(format!("a,b\n1,2\n3,\"{c}\n4,5\n").as_bytes(), &["row 2: column 2: a quote is opened and never closed"]);
    check(format!("a,b\n1,\"{c}\"{c}\n").as_bytes(), &["row 1: column 2: text follows a closing quote"]);
    check(format!("a,b\n1,2\n{c}\0,2\n").as_bytes(), &["row 2: the text holds a NUL byte"]);
    let damaged = [format!("a,b\nü,{c}\nx,").as_bytes(), b"\xff\n"].concat();
    check(&damaged, &["line 3: byte 32 of the content is not UTF-8, while other characters are"]);
    let late = [format!("a,b\n{}ü,", "x,y\n".repeat(300_000)).as_bytes(), b"\xff\n"].concat();
    check(&late, &["row 300,001: byte 1,200,007 of the content is not UTF-8"]);
}

#[test]
fn a_header_stands_for_itself() {
    let desk = Desk::new();
    let path = desk.put("a.csv", "a,b,a,c,b\n1,2,3,4,5\n");
    check_refused(&path, &ReadOptions::default(), IoErrorKind::BadInput, &["duplicate column names `a`, `b`"]);
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
            Ok(out) => prop_assert_eq!(String::from_utf8(out).unwrap(), text),
            // An unquoted cell may hold the delimiter or a line break by chance.
            Err(error) => prop_assert!(error.message.contains("field"), "{}", error),
        }
    }
}
