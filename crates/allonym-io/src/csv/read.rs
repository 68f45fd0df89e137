//! CSV into string columns, straight into Arrow buffers.

use super::dialect::{Cell, Dialect, Record, detect, line_end};
use super::{CsvDress, CsvShape, Header, LineEnds, Quoted};
use crate::columns::check_names;
use crate::error::{IoError, counted};
use crate::format::{BATCH_ROWS, CHUNK_BYTES, ReadOptions};
use crate::source::TextSource;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow_buffer::{Buffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

/// Reads records; made by [`CsvReader::open`].
#[derive(Debug)]
pub(crate) struct CsvReader {
    text: TextSource,
    dialect: Dialect,
    schema: SchemaRef,
    shape: CsvShape,
    batch_rows: usize,
    cell_bytes_max: usize,
    next_row: u64,
    cells: Vec<Cell>,
}

impl CsvReader {
    /// Settles the dialect and reads the header.
    pub(crate) fn open(
        mut text: TextSource,
        options: &ReadOptions,
        named_delimiter: Option<u8>,
    ) -> Result<CsvReader, IoError> {
        let path = text.source().path().to_owned();
        let quote = options.quote.unwrap_or(b'"');
        while text.text().len() < SAMPLE_BYTES && !text.ended() {
            if text.more().is_err() {
                // What is there may be enough for a header; the trouble is told in its row.
                break;
            }
        }
        let mut lead = line_end(text.text(), true);
        let mut declared = options.delimiter.or(named_delimiter);
        if let Some((delimiter, length)) = separator_line(&text.text()[lead..]) {
            declared = declared.or(Some(delimiter));
            lead += length;
        }
        let lead: Arc<[u8]> = Arc::from(&text.text()[..lead]);
        text.consume(lead.len());
        let sample = &text.text()[..text.text().len().min(SAMPLE_BYTES)];
        let whole = text.ended() && sample.len() == text.text().len();
        let delimiter = declared.unwrap_or_else(|| detect(sample, whole, quote));
        let dialect = Dialect { delimiter, quote };
        if delimiter == quote || [delimiter, quote].iter().any(|byte| b"\r\n\0".contains(byte)) {
            return Err(IoError::usage(&path, "delimiter and quote must be two different bytes"));
        }

        let mut reader = CsvReader {
            text,
            dialect,
            schema: Arc::new(Schema::empty()),
            shape: CsvShape { delimiter, quote, header: None, lead, line_end: b"\n" },
            batch_rows: options.batch_rows(),
            cell_bytes_max: options.cell_bytes_max(),
            next_row: 0,
            cells: Vec::new(),
        };
        reader.open_header(options.header != Some(false))?;
        Ok(reader)
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn shape(&self) -> &CsvShape {
        &self.shape
    }

    pub(crate) fn text(&self) -> &TextSource {
        &self.text
    }

    pub(crate) fn text_mut(&mut self) -> &mut TextSource {
        &mut self.text
    }

    /// The next rows, with how they were written and the number of the first.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<(RecordBatch, u64, CsvDress)>, IoError> {
        let width = self.schema.fields().len();
        let rows = self.batch_rows.min(BATCH_ROWS).min(CELLS_RESERVED / width);
        let mut columns: Vec<Column> = (0..width).map(|_| Column::with_rows(rows)).collect();
        let mut ends = LineEnds::default();
        let first_row = self.next_row;
        let mut bytes = 0;
        let blank_lines = width > 1;
        while ends.len() < self.batch_rows && bytes < CHUNK_BYTES {
            let Some((end, next)) = self.split(blank_lines)? else { break };
            if self.cells.len() != width {
                return Err(self.ragged(width));
            }
            let text = self.text.text();
            for (column, cell) in columns.iter_mut().zip(&self.cells) {
                if cell.end - cell.start > self.cell_bytes_max {
                    return Err(self.oversized());
                }
                column.push(text, *cell, self.dialect.quote);
            }
            ends.push(&text[end..next]);
            bytes += next;
            self.text.consume(next);
            self.next_row += 1;
        }
        if ends.len() == 0 {
            return Ok(None);
        }
        let rows = ends.len();
        let mut quoted = Vec::with_capacity(width);
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(width);
        for mut column in columns {
            quoted.push(column.quoted);
            arrays.push(Arc::new(
                StringArray::try_new(
                    OffsetBuffer::new(ScalarBuffer::from(column.offsets)),
                    Buffer::from_vec(column.values),
                    column.nulls.finish(),
                )
                .expect("cells are cut from valid text at delimiters, which are characters"),
            ));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let records = RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .expect("every column has one cell for each row");
        let dress = CsvDress {
            delimiter: self.dialect.delimiter,
            quote: self.dialect.quote,
            quoted,
            ends,
            edited: false,
        };
        Ok(Some((records, first_row, dress)))
    }

    fn open_header(&mut self, named: bool) -> Result<(), IoError> {
        let path = self.path();
        let Some((mut end, mut next)) = self.split(false)? else {
            return Err(IoError::bad(&path, "there is no header line, only blank lines"));
        };
        if named && self.cells.len() > 1 {
            // Blank lines are rows of a single column, and nothing elsewhere.
            (end, next) = self.split(true)?.expect("the record was there a moment ago");
        }
        let text = self.text.text();
        self.shape.line_end = match &text[end..next] {
            [b'\r', b'\n', ..] => b"\r\n",
            [b'\r', ..] => b"\r",
            _ => b"\n",
        };
        let mut names = Vec::with_capacity(self.cells.len());
        for (at, cell) in self.cells.iter().enumerate() {
            let mut name = Vec::new();
            if named {
                unescape(&text[cell.start..cell.end], self.dialect.quote, &mut name);
            }
            if name.is_empty() {
                name = format!("column_{}", at + 1).into_bytes();
            }
            names.push(String::from_utf8(name).expect("a name is cut from valid text"));
        }
        check_names(&path, &names)?;
        if named {
            let written = |cell: &Cell| match cell.quoted {
                true => &text[cell.start - 1..=cell.end],
                false => &text[cell.start..cell.end],
            };
            let cells: Vec<(String, Box<[u8]>)> = names
                .iter()
                .zip(&self.cells)
                .map(|(name, cell)| (name.clone(), written(cell).into()))
                .collect();
            let end = Arc::from(&text[end..next]);
            self.shape.header = Some(Header { cells: cells.into(), end });
            self.text.consume(next);
        }
        let fields: Vec<Field> =
            names.into_iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
        self.schema = Arc::new(Schema::new(fields));
        Ok(())
    }

    /// Splits the next record into `cells`; where its line end stands. `None` at the end.
    fn split(&mut self, blank_lines: bool) -> Result<Option<(usize, usize)>, IoError> {
        loop {
            let (text, ended) = (self.text.text(), self.text.ended());
            if text.is_empty() && ended {
                return Ok(None);
            }
            match self.dialect.split(text, ended, blank_lines, &mut self.cells) {
                Record::Whole { next, .. } if next > self.row_bytes_max() => {
                    return Err(self.long_row());
                }
                Record::Whole { end, next } => return Ok(Some((end, next))),
                Record::Broken(what) => return Err(self.bad(&what)),
                Record::Open { in_quotes, cell_start } => {
                    let length = text.len() - cell_start;
                    let row = text.len();
                    if length > self.cell_bytes_max.saturating_add(1) {
                        return Err(self.endless(in_quotes));
                    }
                    if row > self.row_bytes_max() {
                        return Err(self.long_row());
                    }
                    if let Err(error) = self.text.more() {
                        return Err(error.at(&self.path(), self.place()));
                    }
                }
            }
        }
    }

    fn row_bytes_max(&self) -> usize {
        self.cell_bytes_max.saturating_mul(ROW_CELLS_MAX).max(ROW_BYTES)
    }

    fn long_row(&self) -> IoError {
        let most = counted(self.row_bytes_max() as u64);
        self.bad(&format!("the row is longer than {most} bytes"))
    }

    fn ragged(&self, width: usize) -> IoError {
        let fields = |count: usize| match count {
            1 => "1 field".to_owned(),
            count => format!("{} fields", counted(count as u64)),
        };
        let reference = match &self.shape.header {
            Some(_) => "the header",
            None => "the first row",
        };
        let (found, expected) = (fields(self.cells.len()), counted(width as u64));
        self.bad_row(&format!(
            "has {found}, {reference} has {expected}; cells with `{}` or line breaks need quotes",
            char::from(self.dialect.delimiter).escape_default()
        ))
    }

    fn oversized(&self) -> IoError {
        let (at, cell) = self
            .cells
            .iter()
            .enumerate()
            .find(|(_, cell)| cell.end - cell.start > self.cell_bytes_max)
            .expect("called for a row with such a cell");
        self.bad(&format!(
            "column `{}`: the cell has {} bytes; the limit is {} (cell_bytes_max)",
            self.schema.field(at).name(),
            counted((cell.end - cell.start) as u64),
            counted(self.cell_bytes_max as u64)
        ))
    }

    fn endless(&self, in_quotes: bool) -> IoError {
        let at = self.cells.len();
        let column = match self.schema.fields().get(at) {
            Some(field) => format!("column `{}`", field.name()),
            None => format!("column {}", at + 1),
        };
        let guess = if in_quotes { "; is the quote it opens with ever closed?" } else { "" };
        self.bad(&format!(
            "{column}: the cell is larger than {} bytes (cell_bytes_max){guess}",
            counted(self.cell_bytes_max as u64)
        ))
    }

    fn bad(&self, what: &str) -> IoError {
        IoError::bad(&self.path(), format!("{}: {what}", self.place()))
    }

    fn bad_row(&self, what: &str) -> IoError {
        IoError::bad(&self.path(), format!("{} {what}", self.place()))
    }

    fn place(&self) -> String {
        match self.schema.fields().is_empty() {
            true => "header".to_owned(),
            false => format!("row {}", counted(self.next_row + 1)),
        }
    }

    fn path(&self) -> String {
        self.text.source().path().to_owned()
    }
}

/// Buffers of one column.
#[derive(Debug)]
struct Column {
    offsets: Vec<i32>,
    values: Vec<u8>,
    nulls: NullBufferBuilder,
    quoted: Quoted,
}

impl Column {
    fn with_rows(rows: usize) -> Column {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Column {
            offsets,
            values: Vec::with_capacity(rows * 8),
            nulls: NullBufferBuilder::new(rows),
            quoted: Quoted::default(),
        }
    }

    fn push(&mut self, text: &[u8], cell: Cell, quote: u8) {
        let content = &text[cell.start..cell.end];
        if cell.doubled {
            unescape(content, quote, &mut self.values);
        } else {
            self.values.extend_from_slice(content);
        }
        // INVARIANT: a chunk ends after CHUNK_BYTES and one more row.
        let end = i32::try_from(self.values.len()).expect("a chunk is far below 2 GiB");
        self.offsets.push(end);
        if content.is_empty() && !cell.quoted {
            self.nulls.append_null();
        } else {
            self.nulls.append_non_null();
        }
        self.quoted.push(cell.quoted);
    }
}

/// Takes doubled quotes apart.
fn unescape(content: &[u8], quote: u8, into: &mut Vec<u8>) {
    let mut rest = content;
    while let Some(at) = memchr::memchr(quote, rest) {
        into.extend_from_slice(&rest[..=at]);
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    into.extend_from_slice(rest);
}

/// The line `sep=;` with which a spreadsheet names its delimiter.
fn separator_line(text: &[u8]) -> Option<(u8, usize)> {
    let rest = text.strip_prefix(b"sep=")?;
    let delimiter = *rest.first()?;
    let end = line_end(&rest[1..], false);
    (end > 0 && delimiter.is_ascii()).then_some((delimiter, b"sep=;".len() + end))
}

/// Text looked at to detect the delimiter.
const SAMPLE_BYTES: usize = 64 << 10;
/// A row may be as long as this many cells of the largest size, and always this long.
const ROW_CELLS_MAX: usize = 8;
const ROW_BYTES: usize = 128 << 20;
/// Cells for which a chunk reserves room.
const CELLS_RESERVED: usize = 1 << 20;
