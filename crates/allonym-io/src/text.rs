//! Plain text: one column, `text`. A document is one row, a large one a row for each megabyte.

use crate::error::{IoError, counted};
use crate::format::{CHUNK_BYTES, ReadOptions};
use crate::source::TextSource;
use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

/// Reads pieces; made by [`TextReader::open`].
#[derive(Debug)]
pub(crate) struct TextReader {
    text: TextSource,
    schema: SchemaRef,
    batch_rows: usize,
    piece_bytes_max: usize,
    next_row: u64,
    /// Lines before the text.
    lines: u64,
}

impl TextReader {
    pub(crate) fn open(text: TextSource, options: &ReadOptions) -> TextReader {
        TextReader {
            text,
            schema: Arc::new(Schema::new(vec![Field::new(COLUMN, DataType::Utf8, true)])),
            batch_rows: options.batch_rows(),
            piece_bytes_max: options.cell_bytes_max().max(PIECE_BYTES),
            next_row: 0,
            lines: 0,
        }
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn text(&self) -> &TextSource {
        &self.text
    }

    pub(crate) fn text_mut(&mut self) -> &mut TextSource {
        &mut self.text
    }

    /// The next pieces and the number of the first.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<(RecordBatch, u64)>, IoError> {
        let (mut pieces, mut bytes) = (Vec::new(), 0);
        while pieces.len() < self.batch_rows && bytes < CHUNK_BYTES {
            let Some(length) = self.piece()? else { break };
            let piece = self.text.text()[..length].to_vec();
            self.lines += memchr::memchr_iter(b'\n', &piece).count() as u64;
            self.text.consume(length);
            bytes += length;
            pieces.push(String::from_utf8(piece).expect("pieces end behind line breaks"));
        }
        if pieces.is_empty() {
            return Ok(None);
        }
        let first_row = self.next_row;
        self.next_row += pieces.len() as u64;
        let column = Arc::new(StringArray::from(pieces));
        let records = RecordBatch::try_new(Arc::clone(&self.schema), vec![column]);
        Ok(Some((records.expect("one column of text, as the schema says"), first_row)))
    }

    /// Length of the piece at the start of the text: up to the first line break behind its first
    /// megabyte, so that cuts depend on the content alone and no name is cut in two.
    fn piece(&mut self) -> Result<Option<usize>, IoError> {
        let mut searched = PIECE_BYTES;
        loop {
            let text = self.text.text();
            if text.len() > searched {
                if let Some(at) = memchr::memchr(b'\n', &text[searched..]) {
                    return Ok(Some(searched + at + 1));
                }
                searched = text.len();
            }
            if text.len() > self.piece_bytes_max {
                let most = counted(self.piece_bytes_max as u64);
                let message = format!(
                    "line {}: no line break within {most} bytes (cell_bytes_max)",
                    counted(self.lines + 1)
                );
                return Err(IoError::bad(self.text.source().path(), message));
            }
            if self.text.ended() {
                return Ok((!text.is_empty()).then_some(text.len()));
            }
            if let Err(error) = self.text.more() {
                let lines = memchr::memchr_iter(b'\n', self.text.text()).count() as u64;
                let place = format!("line {}", counted(self.lines + lines + 1));
                return Err(error.at(self.text.source().path(), place));
            }
        }
    }
}

/// Checks that rows can become plain text.
pub(crate) fn check_schema(path: &str, schema: &SchemaRef) -> Result<(), IoError> {
    match schema.fields().as_ref() {
        [field] if field.name() == COLUMN && *field.data_type() == DataType::Utf8 => Ok(()),
        _ => Err(IoError::usage(
            path,
            format!("plain text takes one column `{COLUMN}` of strings; write CSV or JSON Lines"),
        )),
    }
}

/// Appends rows to `out`: pieces of a document as they are, rows of a table a line each.
pub(crate) fn write(records: &RecordBatch, lines: bool, out: &mut Vec<u8>) {
    let column = records.column(0).as_string::<i32>();
    for row in 0..column.len() {
        if column.is_valid(row) {
            out.extend_from_slice(column.value(row).as_bytes());
        }
        if lines {
            out.push(b'\n');
        }
    }
}

const COLUMN: &str = "text";
/// Text behind which a piece ends at the next line break, in bytes.
const PIECE_BYTES: usize = 1 << 20;
