//! Plain text: pieces that depend on the content alone.

#![expect(clippy::unwrap_used, clippy::clone_on_ref_ptr, reason = "a test that cannot go on ends")]

mod files;

use allonym_io::{IoErrorKind, ReadOptions};
use arrow_array::Array;
use arrow_array::cast::AsArray;
use files::{CANARY, Desk, check_refused, pass, read_all, read_whole, rows_of};

const PIECE: usize = 1 << 20;

fn pieces(bytes: &[u8]) -> Vec<usize> {
    let desk = Desk::new();
    let from = desk.put("a.txt", bytes);
    let mut cuts = Vec::new();
    for rows in [1, 2, 1_000] {
        let out = pass(&from, &desk.path("b.txt"), &rows_of(rows)).unwrap();
        assert!(out == bytes);
        let column = read_whole(&from, &rows_of(rows)).column(0).clone();
        let column = column.as_string::<i32>();
        cuts.push((0..column.len()).map(|row| column.value(row).len()).collect::<Vec<_>>());
    }
    assert!(cuts.windows(2).all(|pair| pair[0] == pair[1]));
    cuts.remove(0)
}

#[test]
fn documents_are_cut_at_line_breaks_behind_megabytes() {
    assert_eq!(pieces(b"one line"), [8]);
    assert_eq!(pieces(b"\r\n\r\n"), [4]);
    assert_eq!(pieces("x".repeat(PIECE).as_bytes()), [PIECE]);
    assert_eq!(pieces("x".repeat(PIECE + 5).as_bytes()), [PIECE + 5]);
    let long = format!("{}\n{}", "x".repeat(PIECE), "y".repeat(10));
    assert_eq!(pieces(long.as_bytes()), [PIECE + 1, 10]);
    let lines = "0123456789abcde\n".repeat(200_000);
    assert_eq!(
        pieces(lines.as_bytes()),
        [PIECE + 16, PIECE + 16, PIECE + 16, 200_000 * 16 - 3 * (PIECE + 16)]
    );
    let accents = "äöü€\n".repeat(250_000);
    assert_eq!(pieces(accents.as_bytes()).iter().sum::<usize>(), accents.len());
}

#[test]
fn encodings_and_marks_stay() {
    let text = "Jürgen\nwohnt in Köln\r\n";
    for big in [false, true] {
        let units = std::iter::once(0xFEFF_u16).chain(text.encode_utf16());
        let bytes: Vec<u8> = units
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect();
        assert_eq!(pieces(&bytes), [text.len()]);
    }
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(letter).unwrap()).collect();
    assert_eq!(pieces(&latin), [text.len()]);
    assert_eq!(pieces(format!("\u{feff}{text}").as_bytes()), [text.len()]);
    // Characters of two and three bytes over the end of every block that is read.
    let mixed = "aä€\n".repeat(300_000);
    let units: Vec<u8> = std::iter::once(0xFEFF_u16)
        .chain(mixed.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(pieces(&units).iter().sum::<usize>(), mixed.len());
}

#[test]
fn bad_text_says_where_and_quotes_nothing() {
    let desk = Desk::new();
    let check = |bytes: Vec<u8>, words: &[&str]| {
        let path = desk.put("a.txt", bytes);
        check_refused(&path, &ReadOptions::default(), IoErrorKind::BadInput, words);
    };
    check(Vec::new(), &["the input is empty (0 bytes)"]);
    check(format!("a\n{CANARY}\0").into_bytes(), &["line 2: the text holds a NUL byte"]);
    let large = format!("{CANARY}{}", "x".repeat(17 << 20));
    check(large.into_bytes(), &["line 1: no line break within 16,777,216 bytes"]);
    let mut late = "text\n".repeat(300_000).into_bytes();
    late.extend_from_slice(b"\xE4 is no character\n");
    check(late, &["line 300,001: the content is not UTF-8 at byte offset 1,500,000"]);
    let path = desk.put("b.md", "x");
    assert_eq!(read_all(&path, &ReadOptions::default()).unwrap()[0].num_rows(), 1);
}
