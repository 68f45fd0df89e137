//! One record at a time, and which delimiter a file uses.

use crate::error::counted;
use memchr::{memchr, memchr3};

/// Delimiter and quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quote: u8,
}

/// A cell of a record: where its content stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) quoted: bool,
    /// The content holds doubled quotes.
    pub(crate) doubled: bool,
}

/// What stands at the start of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// A record; its line end (with blank lines behind it) stands in `end..next`.
    Whole { end: usize, next: usize },
    /// The text ends before the record does.
    Open { in_quotes: bool, cell_start: usize },
    /// No CSV.
    Broken(String),
}

impl Dialect {
    /// Splits the record at the start of `text` into `cells`. `ended`: the text is all there is.
    /// With `blank_lines`, empty lines behind the record belong to its end.
    pub(crate) fn split(
        self,
        text: &[u8],
        ended: bool,
        blank_lines: bool,
        cells: &mut Vec<Cell>,
    ) -> Record {
        cells.clear();
        let mut at = 0;
        loop {
            let start = at;
            let cell = if text.get(at) == Some(&self.quote) {
                match self.quoted(text, at, ended) {
                    Ok(cell) => cell,
                    Err(record) => {
                        return match record {
                            Record::Broken(what) => {
                                Record::Broken(format!("column {}: {what}", cells.len() + 1))
                            }
                            open => open,
                        };
                    }
                }
            } else {
                let rest = &text[at..];
                match memchr3(self.delimiter, b'\n', b'\r', rest) {
                    Some(length) => Cell { start, end: at + length, quoted: false, doubled: false },
                    None if ended => Cell { start, end: text.len(), quoted: false, doubled: false },
                    None => return Record::Open { in_quotes: false, cell_start: start },
                }
            };
            at = cell.end + usize::from(cell.quoted);
            cells.push(cell);
            if text.get(at) != Some(&self.delimiter) {
                break;
            }
            at += 1;
        }
        let next = at + line_end(&text[at..], blank_lines);
        // Another line end could follow a text that is cut off here.
        let unsure = blank_lines || text[at..next].ends_with(b"\r") || next == at;
        if next == text.len() && !ended && unsure {
            return Record::Open { in_quotes: false, cell_start: at };
        }
        Record::Whole { end: at, next }
    }

    fn quoted(self, text: &[u8], open: usize, ended: bool) -> Result<Cell, Record> {
        let start = open + 1;
        let mut at = start;
        let mut doubled = false;
        loop {
            let Some(length) = memchr(self.quote, &text[at..]) else {
                return Err(match ended {
                    true => Record::Broken("a quote is opened and never closed".to_owned()),
                    false => Record::Open { in_quotes: true, cell_start: start },
                });
            };
            let end = at + length;
            match text.get(end + 1) {
                Some(next) if *next == self.quote => {
                    doubled = true;
                    at = end + 2;
                }
                Some(b'\n' | b'\r') => return Ok(Cell { start, end, quoted: true, doubled }),
                Some(next) if *next == self.delimiter => {
                    return Ok(Cell { start, end, quoted: true, doubled });
                }
                Some(_) => {
                    let at = counted((end - start) as u64);
                    return Err(Record::Broken(format!(
                        "text follows a closing quote, {at} bytes into the cell; a quote inside \
                         quotes must be doubled"
                    )));
                }
                None if ended => return Ok(Cell { start, end, quoted: true, doubled }),
                None => return Err(Record::Open { in_quotes: true, cell_start: start }),
            }
        }
    }
}

/// The delimiter that splits all records of a sample alike; `,` for a single column.
pub(crate) fn detect(sample: &[u8], ended: bool, quote: u8) -> u8 {
    let mut best = (0, 0, b',');
    for delimiter in CANDIDATES {
        let dialect = Dialect { delimiter, quote };
        let (mut cells, mut rest) = (Vec::new(), sample);
        let (mut columns, mut alike, mut records) = (0, 0_usize, 0_usize);
        while !rest.is_empty() {
            let Record::Whole { next, .. } = dialect.split(rest, ended, true, &mut cells) else {
                break;
            };
            if records == 0 {
                columns = cells.len();
            }
            alike += usize::from(cells.len() == columns);
            records += 1;
            rest = &rest[next..];
        }
        if columns > 1 {
            let share = alike * 1_000 / records;
            if (share, columns) > (best.0, best.1) {
                best = (share, columns, delimiter);
            }
        }
    }
    best.2
}

/// Bytes of the line end at the start of `text`.
pub(crate) fn line_end(text: &[u8], blank_lines: bool) -> usize {
    let mut at = 0;
    while let Some(b'\n' | b'\r') = text.get(at) {
        at += if text[at..].starts_with(b"\r\n") { 2 } else { 1 };
        if !blank_lines {
            break;
        }
    }
    at
}

const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Dialect = Dialect { delimiter: b',', quote: b'"' };

    fn contents(text: &str) -> Vec<(String, bool)> {
        let mut cells = Vec::new();
        let Record::Whole { .. } = COMMA.split(text.as_bytes(), true, true, &mut cells) else {
            panic!("no record");
        };
        let content = |cell: &Cell| text.get(cell.start..cell.end).unwrap().to_owned();
        cells.iter().map(|cell| (content(cell), cell.quoted)).collect()
    }

    #[test]
    fn records_split() {
        let check = |text, expected: &[(&str, bool)]| {
            let expected: Vec<_> =
                expected.iter().map(|(cell, quoted)| ((*cell).to_owned(), *quoted)).collect();
            assert_eq!(contents(text), expected, "{text:?}");
        };
        check("a,b\n", &[("a", false), ("b", false)]);
        check("a,b", &[("a", false), ("b", false)]);
        check(",\r\n", &[("", false), ("", false)]);
        check("\"\",\n", &[("", true), ("", false)]);
        check("\"a,\nb\",c\n", &[("a,\nb", true), ("c", false)]);
        check("\"a\"\"b\"\n", &[("a\"\"b", true)]);
        check("\"\"\"\"\n", &[("\"\"", true)]);
        check("a\"b,c\n", &[("a\"b", false), ("c", false)]);
        check(" \"a\"\n", &[(" \"a\"", false)]);
        check("a,b\rc", &[("a", false), ("b", false)]);
    }

    #[test]
    fn an_open_record_asks_for_more() {
        let check = |text: &str, in_quotes, cell_start| {
            let mut cells = Vec::new();
            let record = COMMA.split(text.as_bytes(), false, true, &mut cells);
            assert_eq!(record, Record::Open { in_quotes, cell_start }, "{text:?}");
        };
        check("a,b", false, 2);
        check("a,\"b", true, 3);
        check("a,\"b\"", true, 3);
        check("a,b\n", false, 3);
        check("a,b\r", false, 3);
        check("", false, 0);
    }

    #[test]
    fn what_is_no_csv_is_broken() {
        let check = |text: &str, what: &str| {
            let mut cells = Vec::new();
            match COMMA.split(text.as_bytes(), true, true, &mut cells) {
                Record::Broken(message) => assert!(message.contains(what), "{message}"),
                other => panic!("{other:?}"),
            }
        };
        check("a,\"b", "column 2: a quote is opened and never closed");
        check("\"a\"b,c\n", "column 1: text follows a closing quote, 1 bytes");
        check("\"a\" ,c\n", "text follows");
    }

    #[test]
    fn delimiters_are_detected() {
        let check = |sample: &str, delimiter: u8| {
            assert_eq!(char::from(detect(sample.as_bytes(), true, b'"')), char::from(delimiter));
        };
        check("a,b\n1,2\n", b',');
        check("a;b\n1,5;2,5\n", b';');
        check("a\tb, c\n1\t2\n", b'\t');
        check("a|b\n1|2\n", b'|');
        check("name\nLovelace, Ada\n", b',');
        check("\"a;b\",c\n\"d;e\",f\n", b',');
        check("a;b;c\n1;\"x,y\";3\n\n", b';');
        check("single\n", b',');
    }
}
