//! Inputs of any format, chunk by chunk.

use crate::csv::CsvDress;
use crate::csv::read::CsvReader;
use crate::error::IoError;
use crate::format::{Compression, Format, ReadOptions, delimiter_of_path};
use crate::output::sha256_file;
use crate::parquet_file::read::ParquetReader;
use crate::shape::Shape;
use crate::source::{HEAD_BYTES, Input, Source, TextSource};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::path::Path;
use std::sync::Arc;

/// Rows, and what the writer needs to give untouched cells back as they were
/// (CSV quoting, JSON lines). Cheap to clone.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The rows.
    pub records: RecordBatch,
    /// Number of the first row, from 0.
    pub first_row: u64,
    /// How the text looked; opaque.
    pub dress: Dress,
}

/// Opaque; made by a reader, read by a writer of the same format.
#[derive(Clone, Debug, Default)]
pub struct Dress(pub(crate) Outfit);

#[derive(Clone, Debug, Default)]
pub(crate) enum Outfit {
    #[default]
    None,
    Csv(Arc<CsvDress>),
}

/// An open input.
#[derive(Debug)]
pub struct Reader {
    kind: Kind,
    shape: Shape,
    /// After trouble nothing more is read: what follows could be anything.
    failed: Option<IoError>,
}

#[derive(Debug)]
enum Kind {
    Csv(Box<CsvReader>),
    Parquet(Box<ParquetReader>),
}

impl Reader {
    /// Opens and reads the schema; all text columns of CSV and JSON Lines are `Utf8`
    /// (`List<Utf8>` for JSON paths through arrays, named `items[].name`).
    ///
    /// # Errors
    /// The input is missing, empty, not permitted, of another format, or its head is corrupt.
    pub fn open(input: &Input, options: &ReadOptions) -> Result<Reader, IoError> {
        let file = match input {
            Input::File(path) => Some(path.as_path()),
            Input::Stdin => None,
        };
        let format = options.format.or_else(|| file.and_then(Format::of_path));
        if let (Some(Format::Parquet), Some(file)) = (format, file) {
            return Reader::open_parquet(file, options);
        }
        let (mut source, compression) = Source::open(input, options.compression)?;
        let mut head = vec![0; HEAD_BYTES];
        let read = source.read_full(&mut head)?;
        head.truncate(read);
        let format = format.unwrap_or_else(|| Format::of_content(&head));
        match (format, file) {
            (Format::Parquet, Some(file)) if compression == Compression::Plain => {
                Reader::open_parquet(file, options)
            }
            (Format::Parquet, _) => Err(IoError::usage(
                source.path(),
                "Parquet is read from an uncompressed file; unpack it or save it first",
            )),
            (Format::Csv, _) => {
                let text = TextSource::new(source, head, options.encoding)?;
                let shape = text_shape(format, compression, &text, file);
                let delimiter = file.and_then(delimiter_of_path);
                let reader = CsvReader::open(text, options, delimiter)?;
                let csv = Some(reader.shape().clone());
                Ok(Reader::new(Kind::Csv(Box::new(reader)), Shape { csv, ..shape }))
            }
            (format, _) => {
                let message = format!("{format:?} is not supported");
                Err(IoError::usage(source.path(), message))
            }
        }
    }

    /// Columns. Duplicate names are an error of `open`.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        match &self.kind {
            Kind::Csv(reader) => reader.schema(),
            Kind::Parquet(reader) => reader.schema(),
        }
    }

    /// Settled format and friends: what a writer needs to write alike.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Next rows in order; `None` at the end.
    ///
    /// # Errors
    /// Corrupt, truncated, ragged or oversized rows. After an error the same error is returned
    /// again.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, IoError> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        let chunk = self.read_chunk();
        if let Err(error) = &chunk {
            self.failed = Some(error.clone());
        }
        chunk
    }

    /// Bytes of the file consumed so far, and its size where known (for progress).
    #[must_use]
    pub fn progress(&self) -> (u64, Option<u64>) {
        match &self.kind {
            Kind::Csv(reader) => reader.text().source().progress(),
            Kind::Parquet(reader) => reader.progress(),
        }
    }

    /// Rows in the file, where its footer says so.
    #[must_use]
    pub fn rows_hint(&self) -> Option<u64> {
        match &self.kind {
            Kind::Parquet(reader) => Some(reader.rows()),
            Kind::Csv(_) => None,
        }
    }

    /// SHA-256 of the file's bytes as stored, lower-case hex; after the last chunk.
    /// Streams compute it while reading; seekable formats read the file once more.
    ///
    /// # Errors
    /// The rest of the input cannot be read.
    pub fn sha256(&mut self) -> Result<String, IoError> {
        match &mut self.kind {
            Kind::Csv(reader) => reader.text_mut().source_mut().sha256(),
            Kind::Parquet(reader) => sha256_file(reader.file()),
        }
    }

    fn open_parquet(file: &Path, options: &ReadOptions) -> Result<Reader, IoError> {
        let reader = ParquetReader::open(file, options)?;
        let shape = Shape {
            parquet: Some(reader.shape().clone()),
            source: Some(file.to_owned()),
            ..Shape::plain(Format::Parquet)
        };
        Ok(Reader::new(Kind::Parquet(Box::new(reader)), shape))
    }

    fn new(kind: Kind, shape: Shape) -> Reader {
        Reader { kind, shape, failed: None }
    }

    fn read_chunk(&mut self) -> Result<Option<Chunk>, IoError> {
        let chunk = match &mut self.kind {
            Kind::Csv(reader) => reader.next_chunk()?.map(|(records, first_row, dress)| {
                (records, first_row, Outfit::Csv(Arc::new(dress)))
            }),
            Kind::Parquet(reader) => {
                reader.next_chunk()?.map(|(records, first_row)| (records, first_row, Outfit::None))
            }
        };
        Ok(chunk.map(|(records, first_row, outfit)| Chunk {
            records,
            first_row,
            dress: Dress(outfit),
        }))
    }
}

fn text_shape(
    format: Format,
    compression: Compression,
    text: &TextSource,
    file: Option<&Path>,
) -> Shape {
    Shape {
        compression,
        encoding: text.encoding(),
        bom: text.bom(),
        source: file.map(Path::to_owned),
        ..Shape::plain(format)
    }
}

#[expect(dead_code, reason = "holds that a reader can be driven by a thread of its own")]
fn readers_are_send(reader: Reader) -> impl Send {
    reader
}
