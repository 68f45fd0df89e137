//! CSV (RFC 4180) and its relatives, cell by cell as they are: no type guessing, `""` and an
//! unquoted empty cell stay apart, and what nobody touches is written back byte for byte.

pub(crate) mod dialect;
pub(crate) mod read;
pub(crate) mod write;

use arrow_buffer::BooleanBuffer;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a CSV file is written.
#[derive(Clone, Debug)]
pub(crate) struct CsvShape {
    pub(crate) delimiter: u8,
    pub(crate) quote: u8,
    /// The header as it stood; `None` for a file without one.
    pub(crate) header: Option<Header>,
    /// What stood before the first record: blank lines, a `sep=;` line.
    pub(crate) lead: Arc<[u8]>,
    /// Line end of rows that have none of their own.
    pub(crate) line_end: &'static [u8],
}

/// A header line as it stood.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    /// Name and cell as written, quotes included.
    pub(crate) cells: Arc<[(String, Box<[u8]>)]>,
    pub(crate) end: Arc<[u8]>,
}

impl CsvShape {
    /// For rows that come from no CSV.
    pub(crate) fn fresh(delimiter: u8) -> CsvShape {
        CsvShape {
            delimiter,
            quote: b'"',
            header: Some(Header { cells: Arc::from([]), end: Arc::from(&b"\n"[..]) }),
            lead: Arc::from([]),
            line_end: b"\n",
        }
    }
}

/// How the cells of a chunk were written.
#[derive(Debug)]
pub(crate) struct CsvDress {
    pub(crate) delimiter: u8,
    pub(crate) quote: u8,
    /// For each column, the rows whose cell stood in quotes.
    pub(crate) quoted: Vec<Quoted>,
    pub(crate) ends: LineEnds,
    /// Cells may have been changed after they were read: one that stood without quotes may need
    /// them now.
    pub(crate) edited: bool,
}

impl CsvDress {
    /// The dress of the rows that stay, whose cells may have changed.
    pub(crate) fn edited(&self, keep: &BooleanBuffer) -> CsvDress {
        CsvDress { edited: true, ..self.kept(keep) }
    }

    /// The dress of the rows that stay.
    pub(crate) fn kept(&self, keep: &BooleanBuffer) -> CsvDress {
        let mut ends = LineEnds::default();
        let mut quoted = vec![Quoted::default(); self.quoted.len()];
        for row in keep.set_indices() {
            ends.push(self.ends.of(row));
            for (kept, column) in quoted.iter_mut().zip(&self.quoted) {
                kept.push(column.of(row));
            }
        }
        CsvDress { delimiter: self.delimiter, quote: self.quote, quoted, ends, edited: self.edited }
    }
}

/// Which cells of a column stood in quotes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quoted {
    rows: usize,
    /// One bit a row, from the first row that differs from those before it.
    bits: Vec<u64>,
    /// What all rows are while `bits` is empty.
    all: bool,
}

impl Quoted {
    pub(crate) fn push(&mut self, quoted: bool) {
        if self.rows == 0 {
            self.all = quoted;
        }
        if self.bits.is_empty() {
            if quoted == self.all {
                self.rows += 1;
                return;
            }
            self.bits = vec![if self.all { u64::MAX } else { 0 }; self.rows / 64 + 1];
        }
        if self.rows / 64 == self.bits.len() {
            self.bits.push(0);
        }
        let (word, bit) = (self.rows / 64, 1_u64 << (self.rows % 64));
        if quoted {
            self.bits[word] |= bit;
        } else {
            self.bits[word] &= !bit;
        }
        self.rows += 1;
    }

    pub(crate) fn of(&self, row: usize) -> bool {
        match self.bits.get(row / 64) {
            Some(word) => word >> (row % 64) & 1 == 1,
            None => self.all,
        }
    }
}

/// What stood behind each row: a line end, with blank lines after it, or nothing.
#[derive(Debug, Default)]
pub(crate) struct LineEnds {
    codes: Vec<u8>,
    odd: BTreeMap<usize, Box<[u8]>>,
}

impl LineEnds {
    pub(crate) fn push(&mut self, end: &[u8]) {
        let code = COMMON_ENDS.iter().position(|common| *common == end);
        let code = code.unwrap_or_else(|| {
            self.odd.insert(self.codes.len(), end.into());
            COMMON_ENDS.len()
        });
        self.codes.push(u8::try_from(code).expect("there are four common line ends"));
    }

    pub(crate) fn of(&self, row: usize) -> &[u8] {
        match COMMON_ENDS.get(usize::from(self.codes[row])) {
            Some(common) => common,
            None => &self.odd[&row],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }
}

const COMMON_ENDS: [&[u8]; 4] = [b"\n", b"\r\n", b"\r", b""];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quoted_remembers_every_row(rows in proptest::collection::vec(any::<bool>(), 0..300)) {
            let mut quoted = Quoted::default();
            rows.iter().for_each(|row| quoted.push(*row));
            let kept: Vec<bool> = (0..rows.len()).map(|row| quoted.of(row)).collect();
            prop_assert_eq!(kept, rows);
        }

        #[test]
        fn line_ends_remember_every_row(ends in proptest::collection::vec("[\r\n]{0,3}", 0..50)) {
            let mut kept = LineEnds::default();
            ends.iter().for_each(|end| kept.push(end.as_bytes()));
            for (row, end) in ends.iter().enumerate() {
                prop_assert_eq!(kept.of(row), end.as_bytes());
            }
        }
    }
}
