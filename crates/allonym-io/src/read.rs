//! Inputs of any format, chunk by chunk.

use crate::csv::CsvDress;
use crate::csv::read::CsvReader;
use crate::error::IoError;
use crate::format::{Compression, Format, IPC_FILE_MAGIC, ReadOptions, delimiter_of_path};
use crate::ipc::read::IpcReader;
use crate::json::JsonDress;
use crate::json::read::JsonReader;
use crate::output::sha256_file;
use crate::parquet_file::read::ParquetReader;
use crate::shape::{Details, Shape};
use crate::source::{HEAD_BYTES, Input, Source, TextSource};
use crate::text::TextReader;
use arrow_array::RecordBatch;
use arrow_buffer::BooleanBuffer;
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

impl Chunk {
    /// The objects of JSON Lines, one a row, as they stood, white space around them left out;
    /// nothing for other formats.
    pub fn json_lines(&self) -> impl Iterator<Item = &[u8]> {
        let dress = match &self.dress.0 {
            Outfit::Json(dress) => Some(dress),
            _ => None,
        };
        dress.into_iter().flat_map(|dress| dress.objects())
    }
}

/// Opaque; made by a reader, read by a writer of the same format.
#[derive(Clone, Debug, Default)]
pub struct Dress(pub(crate) Outfit);

impl Dress {
    /// The dress of the rows that stay of a chunk, of which nothing else is known yet.
    ///
    /// # Panics
    /// When `keep` is not as long as the chunk.
    #[must_use]
    pub fn kept(&self, keep: &BooleanBuffer) -> Dress {
        Dress(match &self.0 {
            Outfit::Csv(dress) => Outfit::Csv(Arc::new(dress.kept(keep))),
            Outfit::Json(dress) => Outfit::Json(Arc::new(dress.kept(keep))),
            Outfit::None => Outfit::None,
            Outfit::Text => Outfit::Text,
        })
    }

    /// The dress of the rows that stay of a chunk, where cells of some rows were changed. Columns
    /// keep their places. `touched` has a bit for each row of the chunk, as `keep` has; rows that it
    /// leaves out are written as they stood, whatever their columns hold now.
    ///
    /// # Panics
    /// When `keep` or `touched` is not as long as the chunk.
    #[must_use]
    pub fn edited(&self, keep: &BooleanBuffer, touched: &BooleanBuffer) -> Dress {
        assert_eq!(keep.len(), touched.len(), "one bit for each row");
        Dress(match &self.0 {
            Outfit::Csv(dress) => Outfit::Csv(Arc::new(dress.edited(keep))),
            Outfit::Json(dress) => Outfit::Json(Arc::new(dress.edited(keep, touched))),
            Outfit::None => Outfit::None,
            Outfit::Text => Outfit::Text,
        })
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) enum Outfit {
    #[default]
    None,
    Csv(Arc<CsvDress>),
    Json(Arc<JsonDress>),
    /// Pieces of a document, which are no lines.
    Text,
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
    Json(Box<JsonReader>),
    Text(Box<TextReader>),
    Parquet(Box<ParquetReader>),
    Ipc(Box<IpcReader>),
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
        let format = match format {
            Some(format) => format,
            None if head.trim_ascii_start().starts_with(b"[") => {
                return Err(IoError::bad(
                    source.path(),
                    "this looks like a JSON array; write JSON Lines, one object a line, or \
                     declare the format",
                ));
            }
            None => Format::of_content(&head),
        };
        match format {
            Format::Parquet => match file {
                Some(file) if compression == Compression::Plain => {
                    Reader::open_parquet(file, options)
                }
                _ => Err(IoError::usage(
                    source.path(),
                    "Parquet is read from an uncompressed file; unpack it or save it first",
                )),
            },
            Format::Ipc => Reader::open_ipc(source, head, compression, file, options),
            Format::Csv | Format::JsonLines | Format::Text => {
                let text = TextSource::new(source, head, options.encoding)?;
                let mut shape = Shape {
                    compression,
                    encoding: text.encoding(),
                    bom: text.bom(),
                    source: file.map(Path::to_owned),
                    ..Shape::plain(format)
                };
                let kind = match format {
                    Format::Csv => {
                        let delimiter = file.and_then(delimiter_of_path);
                        let reader = CsvReader::open(text, options, delimiter)?;
                        shape.details = Details::Csv(reader.shape().clone());
                        Kind::Csv(Box::new(reader))
                    }
                    Format::JsonLines => {
                        let first_pass = match file {
                            Some(_) => {
                                let (source, _) = Source::open(input, Some(compression))?;
                                let encoding = Some(text.encoding());
                                Some(TextSource::new(source, Vec::new(), encoding)?)
                            }
                            None => None,
                        };
                        let reader = JsonReader::open(text, first_pass, options)?;
                        shape.details = Details::Json(reader.shape().clone());
                        Kind::Json(Box::new(reader))
                    }
                    _ => {
                        shape.details = Details::Text;
                        Kind::Text(Box::new(TextReader::open(text, options)))
                    }
                };
                Ok(Reader::new(kind, shape))
            }
        }
    }

    /// Columns. Duplicate names are an error of `open`.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        match &self.kind {
            Kind::Csv(reader) => reader.schema(),
            Kind::Json(reader) => reader.schema(),
            Kind::Text(reader) => reader.schema(),
            Kind::Ipc(reader) => reader.schema(),
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
            Kind::Json(reader) => reader.text().source().progress(),
            Kind::Text(reader) => reader.text().source().progress(),
            Kind::Ipc(reader) => reader.progress(),
            Kind::Parquet(reader) => reader.progress(),
        }
    }

    /// Rows in the file, where its footer says so.
    #[must_use]
    pub fn rows_hint(&self) -> Option<u64> {
        match &self.kind {
            Kind::Parquet(reader) => Some(reader.rows()),
            _ => None,
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
            Kind::Json(reader) => reader.text_mut().source_mut().sha256(),
            Kind::Text(reader) => reader.text_mut().source_mut().sha256(),
            Kind::Ipc(reader) => reader.sha256(),
            Kind::Parquet(reader) => sha256_file(reader.file()),
        }
    }

    fn open_parquet(file: &Path, options: &ReadOptions) -> Result<Reader, IoError> {
        let reader = ParquetReader::open(file, options)?;
        let shape = Shape {
            details: Details::Parquet(Box::new(reader.shape().clone())),
            source: Some(file.to_owned()),
            ..Shape::plain(Format::Parquet)
        };
        Ok(Reader::new(Kind::Parquet(Box::new(reader)), shape))
    }

    /// Arrow files and streams share their extensions; the first bytes tell them apart.
    fn open_ipc(
        source: Source,
        head: Vec<u8>,
        compression: Compression,
        file: Option<&Path>,
        options: &ReadOptions,
    ) -> Result<Reader, IoError> {
        if head.starts_with(b"FEA1") {
            let message = "Feather version 1 is not supported; write version 2";
            return Err(IoError::bad(source.path(), message));
        }
        let reader = match file {
            _ if !head.starts_with(IPC_FILE_MAGIC) => {
                IpcReader::open_stream(source, head, options)?
            }
            Some(file) if compression == Compression::Plain => IpcReader::open_file(file, options)?,
            _ => {
                return Err(IoError::usage(
                    source.path(),
                    "an Arrow file is read from an uncompressed file; unpack it, save it or \
                     send a stream",
                ));
            }
        };
        let shape = Shape {
            compression,
            details: Details::Ipc(reader.shape().clone()),
            source: file.map(Path::to_owned),
            ..Shape::plain(Format::Ipc)
        };
        Ok(Reader::new(Kind::Ipc(Box::new(reader)), shape))
    }

    fn new(kind: Kind, shape: Shape) -> Reader {
        Reader { kind, shape, failed: None }
    }

    fn read_chunk(&mut self) -> Result<Option<Chunk>, IoError> {
        let chunk = match &mut self.kind {
            Kind::Csv(reader) => reader.next_chunk()?.map(|(records, first_row, dress)| {
                (records, first_row, Outfit::Csv(Arc::new(dress)))
            }),
            Kind::Json(reader) => reader.next_chunk()?.map(|(records, first_row, dress)| {
                (records, first_row, Outfit::Json(Arc::new(dress)))
            }),
            Kind::Text(reader) => {
                reader.next_chunk()?.map(|(records, first_row)| (records, first_row, Outfit::Text))
            }
            Kind::Parquet(reader) => {
                reader.next_chunk()?.map(|(records, first_row)| (records, first_row, Outfit::None))
            }
            Kind::Ipc(reader) => {
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

#[expect(dead_code, reason = "holds that a reader can be driven by a thread of its own")]
fn readers_are_send(reader: Reader) -> impl Send {
    reader
}
