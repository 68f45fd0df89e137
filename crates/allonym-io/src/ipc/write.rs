//! Batches into Arrow IPC.

use super::IpcShape;
use super::keys::Dictionaries;
use crate::columns::NO_COLUMN;
use crate::error::IoError;
use crate::format::{BATCH_ROWS, CHUNK_BYTES};
use crate::guard::text_bytes;
use crate::packed::Packed;
use crate::slices::Slices;
use arrow_array::RecordBatch;
use arrow_ipc::writer::{DictionaryHandling, FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{ArrowError, SchemaRef};

/// Writes batches; made by [`IpcWriter::create`].
///
/// Bytes do not depend on how rows are cut into calls: a batch holds 65,536 rows, or fewer where
/// after a multiple of 8,192 its text is large.
#[derive(Debug)]
pub(crate) struct IpcWriter {
    path: String,
    out: Out,
    slices: Slices,
    dictionaries: Dictionaries,
    text_bytes: usize,
}

enum Out {
    File(FileWriter<Packed>),
    Stream(StreamWriter<Packed>),
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Out")
    }
}

impl IpcWriter {
    /// `copied`: which columns come from an Arrow file untouched.
    pub(crate) fn create(
        path: &str,
        packed: Packed,
        shape: &IpcShape,
        schema: &SchemaRef,
        copied: &[bool],
    ) -> Result<IpcWriter, IoError> {
        if schema.fields().is_empty() {
            return Err(IoError::usage(path, NO_COLUMN));
        }
        let options = IpcWriteOptions::default()
            .with_dictionary_handling(DictionaryHandling::Delta)
            .try_with_compression(shape.codec)
            .map_err(|error| rewrite(path, &error))?;
        let out = if shape.stream {
            let writer = StreamWriter::try_new_with_options(packed, schema, options);
            Out::Stream(writer.map_err(|error| rewrite(path, &error))?)
        } else {
            let writer = FileWriter::try_new_with_options(packed, schema, options);
            let mut writer = writer.map_err(|error| rewrite(path, &error))?;
            for (key, value) in shape.footer.iter() {
                writer.write_metadata(key, value);
            }
            Out::File(writer)
        };
        let dictionaries = Dictionaries::new(schema, copied);
        let slices = Slices::new(dictionaries.keyed_schema());
        Ok(IpcWriter { path: path.to_owned(), out, slices, dictionaries, text_bytes: 0 })
    }

    pub(crate) fn write(&mut self, records: &RecordBatch) -> Result<(), IoError> {
        let mut start = 0;
        while start < records.num_rows() {
            let to_boundary = BATCH_ROWS - self.slices.rows() % BATCH_ROWS;
            let rows = to_boundary.min(records.num_rows() - start);
            // Nothing behind the boundary may be seen before the batch is out, or its
            // dictionaries would hold values of later rows.
            let part = records.slice(start, rows);
            let keyed = self.dictionaries.take_apart(&part);
            self.slices.push(&keyed.map_err(|error| rewrite(&self.path, &error))?);
            self.text_bytes += part.columns().iter().map(text_bytes).sum::<usize>();
            start += rows;
            let waiting = self.slices.rows();
            if waiting == WRITTEN_ROWS
                || (waiting.is_multiple_of(BATCH_ROWS) && self.text_bytes >= CHUNK_BYTES)
            {
                self.write_batch()?;
            }
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Packed, IoError> {
        if self.slices.rows() > 0 {
            self.write_batch()?;
        }
        let packed = match &mut self.out {
            Out::File(writer) => writer.finish(),
            Out::Stream(writer) => writer.finish(),
        };
        packed.map_err(|error| rewrite(&self.path, &error))?;
        let packed = match self.out {
            Out::File(writer) => writer.into_inner(),
            Out::Stream(writer) => writer.into_inner(),
        };
        packed.map_err(|error| rewrite(&self.path, &error))
    }

    fn write_batch(&mut self) -> Result<(), IoError> {
        let rewrite = |error: ArrowError| rewrite(&self.path, &error);
        let keyed = self.slices.take(WRITTEN_ROWS).map_err(rewrite)?;
        let batch = self.dictionaries.put_together(&keyed).map_err(rewrite)?;
        self.text_bytes = 0;
        match &mut self.out {
            Out::File(writer) => writer.write(&batch),
            Out::Stream(writer) => writer.write(&batch),
        }
        .map_err(rewrite)
    }
}

/// The encoder's words are not passed on, for they may quote a value.
fn rewrite(path: &str, error: &ArrowError) -> IoError {
    match error {
        ArrowError::IoError(_, source) => IoError::writing(path, source),
        ArrowError::CastError(_) | ArrowError::DictionaryKeyOverflowError => IoError::usage(
            path,
            "a dictionary column has more distinct values than its keys can count; write Parquet",
        ),
        ArrowError::NotYetImplemented(_) => {
            IoError::usage(path, "a column type has no form in Arrow IPC")
        }
        _ => IoError::usage(path, "the rows cannot be encoded as Arrow IPC"),
    }
}

/// Rows of a batch.
const WRITTEN_ROWS: usize = 65_536;
const _: () = assert!(WRITTEN_ROWS.is_multiple_of(BATCH_ROWS));
