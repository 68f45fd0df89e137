//! Outputs of any format, chunk by chunk.

use crate::csv::CsvShape;
use crate::csv::write::CsvWriter;
use crate::error::IoError;
use crate::format::{Format, TextEncoding};
use crate::ipc::IpcShape;
use crate::ipc::write::IpcWriter;
use crate::json::write::JsonWriter;
use crate::output::{Finished, Output, Sink, same_file};
use crate::packed::{Packed, TextSink};
use crate::parquet_file::write::ParquetWriter;
use crate::read::{Dress, Outfit};
use crate::shape::{Details, Shape};
use crate::text;
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
    Text(Box<TextWriter>),
    Parquet(Box<ParquetWriter>),
    Ipc(Box<IpcWriter>),
}

#[derive(Debug)]
struct TextWriter {
    form: Form,
    out: Vec<u8>,
    sink: TextSink,
}

#[derive(Debug)]
enum Form {
    Csv(CsvWriter),
    Json(JsonWriter),
    Text,
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
        let mut out = Vec::new();
        let form = match shape.format {
            Format::Csv => {
                let csv = match &shape.details {
                    Details::Csv(csv) => csv.clone(),
                    _ => CsvShape::fresh(b','),
                };
                Form::Csv(CsvWriter::create(&path, &csv, schema, untouched, &mut out)?)
            }
            Format::JsonLines => {
                let json = match &shape.details {
                    Details::Json(json) => Some(json),
                    _ => None,
                };
                let ascii = shape.encoding == TextEncoding::Windows1252;
                let writer = JsonWriter::create(&path, json, schema, untouched, ascii, &mut out)?;
                Form::Json(writer)
            }
            Format::Text => {
                text::check_schema(&path, schema)?;
                Form::Text
            }
            Format::Parquet => {
                let parquet = match &shape.details {
                    Details::Parquet(parquet) => Some(parquet.as_ref()),
                    _ => None,
                };
                let writer = ParquetWriter::create(&path, sink, parquet, schema, untouched)?;
                return Ok(Writer { path, rows: 0, kind: Kind::Parquet(Box::new(writer)) });
            }
            Format::Ipc => {
                let ipc = match &shape.details {
                    Details::Ipc(ipc) => ipc.clone(),
                    _ => IpcShape::fresh(),
                };
                let copied: Vec<bool> = (0..schema.fields().len())
                    .map(|at| ipc.from_arrow && matches!(untouched.get(at), Some(Some(_))))
                    .collect();
                let packed = Packed::create(&path, sink, shape.compression)?;
                let writer = IpcWriter::create(&path, packed, &ipc, schema, &copied)?;
                return Ok(Writer { path, rows: 0, kind: Kind::Ipc(Box::new(writer)) });
            }
        };
        let sink = TextSink::create(&path, sink, shape)?;
        let writer = TextWriter { form, out, sink };
        Ok(Writer { path, rows: 0, kind: Kind::Text(Box::new(writer)) })
    }

    /// Appends rows, in order. Bytes do not depend on how rows are cut into calls.
    ///
    /// # Errors
    /// The disk is full, or a value has no form in the format or encoding.
    pub fn write(&mut self, records: &RecordBatch, dress: &Dress) -> Result<(), IoError> {
        match &mut self.kind {
            Kind::Text(writer) => {
                let TextWriter { form, out, sink } = writer.as_mut();
                match (form, &dress.0) {
                    (Form::Csv(writer), Outfit::Csv(dress)) => {
                        writer.write(records, Some(dress), out)?;
                    }
                    (Form::Csv(writer), _) => writer.write(records, None, out)?,
                    (Form::Json(writer), Outfit::Json(dress)) => {
                        writer.write(records, Some(dress), out)?;
                    }
                    (Form::Json(writer), _) => writer.write(records, None, out)?,
                    (Form::Text, dress) => {
                        text::write(records, !matches!(dress, Outfit::Text), out);
                    }
                }
                sink.write(out)?;
                out.clear();
            }
            Kind::Parquet(writer) => writer.write(records)?,
            Kind::Ipc(writer) => writer.write(records)?,
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
            Kind::Text(writer) => {
                let TextWriter { out, mut sink, .. } = *writer;
                // Without a single row, the head is still to be written.
                sink.write(&out)?;
                sink.finish()?
            }
            Kind::Parquet(writer) => writer.finish()?,
            Kind::Ipc(writer) => {
                let packed = writer.finish()?;
                packed.finish().map_err(|error| IoError::writing(&self.path, &error))?
            }
        };
        sink.finish(&self.path, self.rows)
    }
}
