//! Outputs of any format, chunk by chunk.

use crate::csv::CsvShape;
use crate::csv::write::CsvWriter;
use crate::error::IoError;
use crate::format::Format;
use crate::output::{Finished, Output, Sink, same_file};
use crate::packed::TextSink;
use crate::parquet_file::write::ParquetWriter;
use crate::read::{Dress, Outfit};
use crate::shape::Shape;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

/// For each output column, the input column it is copied from untouched, if it is.
pub type Untouched = Vec<Option<usize>>;

/// An open output. Dropping it without `commit` leaves nothing behind.
#[derive(Debug)]
pub struct Writer {
    path: String,
    rows: u64,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Csv { writer: CsvWriter, out: Vec<u8>, sink: TextSink },
    Parquet(Box<ParquetWriter>),
}

impl Writer {
    /// Opens. `shape` is the input's, with the format the output path asks for
    /// (CSV in, Parquet out is fine; JSON Lines out of another format writes flat objects).
    /// `force` allows replacing an existing file.
    ///
    /// # Errors
    /// The output exists and `force` is not given, is the input itself, or cannot be created;
    /// a column has no form in the format.
    pub fn create(
        output: &Output,
        shape: &Shape,
        schema: &SchemaRef,
        untouched: &Untouched,
        force: bool,
    ) -> Result<Writer, IoError> {
        let path = output.name();
        if let (Output::File(target), Some(source)) = (output, &shape.source)
            && same_file(target, source)
        {
            return Err(IoError::usage(&path, "the output is the input; choose another name"));
        }
        let sink = Sink::create(output, force)?;
        let kind = match shape.format {
            Format::Csv => {
                let csv = shape.csv.clone().unwrap_or_else(|| CsvShape::fresh(b','));
                let mut out = Vec::new();
                let writer = CsvWriter::create(&path, &csv, schema, untouched, &mut out)?;
                Kind::Csv { writer, out, sink: TextSink::create(&path, sink, shape)? }
            }
            Format::Parquet => {
                let parquet = shape.parquet.as_ref();
                let writer = ParquetWriter::create(&path, sink, parquet, schema, untouched)?;
                Kind::Parquet(Box::new(writer))
            }
            format => {
                return Err(IoError::usage(&path, format!("{format:?} is not supported")));
            }
        };
        Ok(Writer { path, rows: 0, kind })
    }

    /// Appends rows, in order. Bytes do not depend on how rows are cut into calls.
    ///
    /// # Errors
    /// The disk is full, or a value has no form in the format or encoding.
    pub fn write(&mut self, records: &RecordBatch, dress: &Dress) -> Result<(), IoError> {
        match &mut self.kind {
            Kind::Csv { writer, out, sink } => {
                let dress = match &dress.0 {
                    Outfit::Csv(dress) => Some(dress.as_ref()),
                    Outfit::None => None,
                };
                writer.write(records, dress, out)?;
                sink.write(out)?;
                out.clear();
            }
            Kind::Parquet(writer) => writer.write(records)?,
        }
        self.rows += records.num_rows() as u64;
        Ok(())
    }

    /// Ends the file: flushed and fsynced beside its final name, not yet visible.
    ///
    /// # Errors
    /// The disk is full or failing.
    pub fn finish(self) -> Result<Finished, IoError> {
        let sink = match self.kind {
            Kind::Csv { out, mut sink, .. } => {
                sink.write(&out)?;
                sink.finish()?
            }
            Kind::Parquet(writer) => writer.finish()?,
        };
        sink.finish(&self.path, self.rows)
    }
}
