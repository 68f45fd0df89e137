//! String columns and others into CSV, untouched cells as they were.

use super::dialect::line_end;
use super::{CsvDress, CsvShape};
use crate::cells::{Cells, FORMLESS, in_utc};
use crate::columns::NO_COLUMN;
use crate::error::{IoError, counted};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use memchr::memchr3;

/// Formats rows; the caller puts the bytes where they go.
#[derive(Debug)]
pub(crate) struct CsvWriter {
    path: String,
    shape: CsvShape,
    untouched: Vec<Option<usize>>,
    /// The row before ended without a line end, as the last row of a file may.
    open_line: bool,
    rows: u64,
}

impl CsvWriter {
    /// Writes the header to `out`.
    pub(crate) fn create(
        path: &str,
        shape: &CsvShape,
        schema: &SchemaRef,
        untouched: &[Option<usize>],
        out: &mut Vec<u8>,
    ) -> Result<CsvWriter, IoError> {
        for field in schema.fields() {
            if !Cells::prints(field.data_type()) {
                return Err(IoError::usage(
                    path,
                    format!(
                        "column `{}` is nested, which CSV cannot hold; write Parquet or JSON Lines",
                        field.name()
                    ),
                ));
            }
        }
        if schema.fields().is_empty() {
            return Err(IoError::usage(path, NO_COLUMN));
        }
        let mut writer = CsvWriter {
            path: path.to_owned(),
            shape: shape.clone(),
            untouched: untouched.to_vec(),
            open_line: false,
            rows: 0,
        };
        out.extend_from_slice(&shape.lead);
        if let Some(header) = &shape.header {
            for (at, field) in schema.fields().iter().enumerate() {
                if at > 0 {
                    out.push(shape.delimiter);
                }
                match header.cells.iter().find(|(name, _)| name == field.name()) {
                    Some((_, written)) => out.extend_from_slice(written),
                    None => writer.put(field.name().as_bytes(), out),
                }
            }
            out.extend_from_slice(&header.end);
            writer.open_line = header.end.is_empty();
        }
        Ok(writer)
    }

    /// Appends rows to `out`.
    pub(crate) fn write(
        &mut self,
        records: &RecordBatch,
        dress: Option<&CsvDress>,
        out: &mut Vec<u8>,
    ) -> Result<(), IoError> {
        let rows = records.num_rows();
        if let Some(dress) = dress
            && dress.ends.len() != rows
        {
            let (found, expected) = (counted(rows as u64), counted(dress.ends.len() as u64));
            let message = format!("{found} rows were written for {expected} rows read");
            return Err(IoError::usage(&self.path, message));
        }
        let columns = in_utc(records).map_err(|_| IoError::usage(&self.path, FORMLESS))?;
        let columns: Vec<Cells<'_>> = columns
            .iter()
            .map(Cells::of)
            .collect::<Result<_, _>>()
            .map_err(|what| IoError::usage(&self.path, what))?;
        let same_dialect = dress.is_some_and(|dress| {
            dress.delimiter == self.shape.delimiter && dress.quote == self.shape.quote
        });
        // How each column was quoted, if the cells are as they were.
        let quoted: Vec<_> =
            (0..columns.len()).map(|at| dress?.quoted.get((*self.untouched.get(at)?)?)).collect();
        let edited = dress.is_some_and(|dress| dress.edited);
        let single = columns.len() == 1;
        let mut scratch = String::new();
        for row in 0..rows {
            if self.open_line {
                out.extend_from_slice(self.shape.line_end);
            }
            let start = out.len();
            for (at, (column, quoted)) in columns.iter().zip(&quoted).enumerate() {
                if at > 0 {
                    out.push(self.shape.delimiter);
                }
                let cell = column.cell(row, &mut scratch).map_err(|()| self.formless(at, row))?;
                let Some(cell) = cell else { continue };
                match quoted.map(|quoted| quoted.of(row)) {
                    Some(true) => self.put_quoted(cell.as_bytes(), out),
                    Some(false) if same_dialect && !(edited && self.needs_quotes(cell)) => {
                        out.extend_from_slice(cell.as_bytes());
                    }
                    _ => self.put(cell.as_bytes(), out),
                }
            }
            let mut end = dress.map_or(self.shape.line_end, |dress| dress.ends.of(row));
            if single {
                // An empty line is a row of a single column: none may appear, none may vanish.
                end = &end[..line_end(end, false)];
                if end.is_empty() && out.len() == start {
                    end = self.shape.line_end;
                }
            }
            out.extend_from_slice(end);
            self.open_line = end.is_empty();
        }
        self.rows += rows as u64;
        Ok(())
    }

    fn formless(&self, column: usize, row: usize) -> IoError {
        let row = counted(self.rows + row as u64 + 1);
        IoError::bad(&self.path, format!("row {row}, column {}: {FORMLESS}", column + 1))
    }

    /// Whether a cell that stands without quotes would be read as another one. A quote inside of it
    /// would not: such a cell was read without quotes before.
    fn needs_quotes(&self, cell: &str) -> bool {
        cell.is_empty()
            || memchr3(b'\n', b'\r', self.shape.delimiter, cell.as_bytes()).is_some()
            || cell.as_bytes().first() == Some(&self.shape.quote)
    }

    /// A cell, in quotes where it needs them. The empty text is `""`; nothing at all is null.
    fn put(&self, cell: &[u8], out: &mut Vec<u8>) {
        let plain = memchr3(b'\n', b'\r', self.shape.quote, cell).is_none()
            && memchr::memchr(self.shape.delimiter, cell).is_none();
        if plain && !cell.is_empty() {
            out.extend_from_slice(cell);
        } else {
            self.put_quoted(cell, out);
        }
    }

    fn put_quoted(&self, cell: &[u8], out: &mut Vec<u8>) {
        let quote = self.shape.quote;
        out.push(quote);
        let mut rest = cell;
        while let Some(at) = memchr::memchr(quote, rest) {
            out.extend_from_slice(&rest[..=at]);
            out.push(quote);
            rest = &rest[at + 1..];
        }
        out.extend_from_slice(rest);
        out.push(quote);
    }
}
