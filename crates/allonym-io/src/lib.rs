//! Record batches from and to files. Knows no policy.
//!
//! API (the contract other crates compile against).

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::path::{Path, PathBuf};

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// CSV, TSV and other delimited text.
    Csv,
    /// JSON Lines.
    JsonLines,
    /// Arrow IPC file or stream.
    Ipc,
    /// Plain text: one column, `text`.
    Text,
}

/// Compression of the whole file (Parquet and IPC compress inside and have none).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// None.
    Plain,
    /// `.gz`
    Gzip,
    /// `.zst`
    Zstd,
}

/// Text encoding of CSV, JSON Lines and plain text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextEncoding {
    /// UTF-8, with or without byte order mark.
    Utf8,
    /// UTF-16 little endian.
    Utf16Le,
    /// UTF-16 big endian.
    Utf16Be,
    /// Windows-1252.
    Windows1252,
}

/// What the user declared; `None` is detected.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Format; else by extension, else by content.
    pub format: Option<Format>,
    /// Compression; else by extension and magic bytes.
    pub compression: Option<Compression>,
    /// CSV delimiter; else detected among `,` `;` tab `|`.
    pub delimiter: Option<u8>,
    /// CSV quote; `"` unless said.
    pub quote: Option<u8>,
    /// First line is a header. `None`: yes. `Some(false)`: columns are `column_1`, `column_2` ...
    pub header: Option<bool>,
    /// Encoding; else byte order mark, else UTF-8. Windows-1252 is detected only for input that is not UTF-8.
    pub encoding: Option<TextEncoding>,
    /// Rows in a chunk; 8,192 unless said.
    pub batch_rows: Option<usize>,
    /// Largest cell or line in bytes; 16 MiB unless said.
    pub cell_bytes_max: Option<usize>,
}

/// Input trouble. Never quotes a cell: file, column, row number, byte lengths.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {message}")]
pub struct IoError {
    /// File as the user named it (`-` for stdin).
    pub path: String,
    /// What is wrong, where, and what to do.
    pub message: String,
    /// Which kind.
    pub kind: IoErrorKind,
}

/// Kinds of trouble; the faces turn them into exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IoErrorKind {
    /// Missing, empty, truncated, corrupt, ragged, wrongly encoded, oversized, duplicate columns. Exit 3.
    BadInput,
    /// A field that was not in the schema at the start (stdin JSON Lines). Exit 1.
    NewField,
    /// Not permitted by the operating system. Exit 4.
    Permission,
    /// Output exists, output = input, unsupported combination. Exit 2.
    Usage,
    /// Disk full, device error. Exit 75.
    Storage,
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

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
pub struct Dress {}

/// An open input.
#[derive(Debug)]
pub struct Reader {}

impl Reader {
    /// Opens and reads the schema; all text columns of CSV and JSON Lines are `Utf8`
    /// (`List<Utf8>` for JSON paths through arrays, named `items[].name`).
    pub fn open(_input: &Input, _options: &ReadOptions) -> Result<Reader, IoError> {
        todo!()
    }
    /// Columns. Duplicate names are an error of `open`.
    pub fn schema(&self) -> &SchemaRef {
        todo!()
    }
    /// Settled format and friends: what a writer needs to write alike.
    pub fn shape(&self) -> &Shape {
        todo!()
    }
    /// Next rows in order; `None` at the end.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, IoError> {
        todo!()
    }
    /// Bytes of the file consumed so far, and its size where known (for progress).
    pub fn progress(&self) -> (u64, Option<u64>) {
        todo!()
    }
    /// Rows in the file, where its footer says so.
    pub fn rows_hint(&self) -> Option<u64> {
        todo!()
    }
    /// SHA-256 of the file's bytes as stored, lower-case hex; after the last chunk.
    /// Streams compute it while reading; seekable formats read the file once more.
    pub fn sha256(&mut self) -> Result<String, IoError> {
        todo!()
    }
}

/// Format, compression, dialect, encoding and (Parquet) row-group layout, codec and file metadata of an input.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Format.
    pub format: Format,
    /// Outer compression.
    pub compression: Compression,
}

/// For each output column, the input column it is copied from untouched, if it is.
pub type Untouched = Vec<Option<usize>>;

/// Where rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A file, written aside and renamed by `commit`.
    File(PathBuf),
    /// Standard output, streamed.
    Stdout,
}

/// An open output. Dropping it without `commit` leaves nothing behind.
#[derive(Debug)]
pub struct Writer {}

/// What was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Writer {
    /// Opens. `shape` is the input's, with the format the output path asks for
    /// (CSV in, Parquet out is fine; JSON Lines out of another format writes flat objects).
    /// `force` allows replacing an existing file.
    pub fn create(_output: &Output, _shape: &Shape, _schema: &SchemaRef, _untouched: &Untouched, _force: bool) -> Result<Writer, IoError> {
        todo!()
    }
    /// Appends rows, in order. Bytes do not depend on how rows are cut into calls.
    pub fn write(&mut self, _records: &RecordBatch, _dress: &Dress) -> Result<(), IoError> {
        todo!()
    }
    /// Ends the file: flushed and fsynced beside its final name, not yet visible.
    pub fn finish(self) -> Result<Finished, IoError> {
        todo!()
    }
}

/// A complete file that waits to become visible.
#[derive(Debug)]
pub struct Finished {}

impl Finished {
    /// What was written.
    pub fn written(&self) -> &Written {
        todo!()
    }
    /// Renames into place (atomic); refuses when the target appeared meanwhile and `force` was not given.
    pub fn commit(self) -> Result<Written, IoError> {
        todo!()
    }
}

/// Writes a small file (receipt, policy) whole or not at all.
pub fn write_whole(_path: &Path, _bytes: &[u8], _force: bool) -> Result<(), IoError> {
    todo!()
}

/// Expands files, globs and folders into inputs with their path relative to the argument, sorted;
/// a folder is walked (hidden files, receipts `*.allonym.json` and policies left out).
pub fn expand(_arguments: &[String]) -> Result<Vec<Found>, IoError> {
    todo!()
}

/// One input of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub input: Input,
    /// Path to mirror below the output folder, `/`-separated.
    pub relative: String,
}

/// SHA-256 of a file's bytes, lower-case hex.
pub fn sha256_file(_path: &Path) -> Result<String, IoError> {
    todo!()
}
