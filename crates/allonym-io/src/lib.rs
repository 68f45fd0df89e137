//! Record batches from and to files. Knows no policy.
//!
//! CSV, JSON Lines, plain text, Parquet and Arrow IPC come in as chunks of Arrow columns, in
//! order and in bounded memory, and go out again. What nobody touches comes out as it came in:
//! text formats byte for byte (encoding, byte order mark, quoting, line ends, number spelling,
//! unknown fields), Parquet and Arrow with their types, metadata, row groups and codecs.
//!
//! ```
//! use allonym_io::{Input, Output, ReadOptions, Reader, Writer};
//!
//! let folder = tempfile::tempdir()?;
//! let (from, to) = (folder.path().join("in.csv"), folder.path().join("out.csv"));
//! std::fs::write(&from, "id,note\r\n007,\"\"\r\n")?;
//!
//! let mut reader = Reader::open(&Input::File(from.clone()), &ReadOptions::default())?;
//! let shape = reader.shape().for_output(Some(&to), None);
//! let untouched = vec![Some(0), Some(1)];
//! let output = Output::File(to.clone());
//! let mut writer = Writer::create(&output, &shape, reader.schema(), &untouched, false)?;
//! while let Some(chunk) = reader.next_chunk()? {
//!     writer.write(&chunk.records, &chunk.dress)?;
//! }
//! writer.finish()?.commit()?;
//! assert_eq!(std::fs::read(to)?, std::fs::read(from)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What it holds
//!
//! - An output is written aside, synced and renamed: it appears whole or not at all, and never
//!   over the input.
//! - Output bytes depend on the rows, not on how they are cut into chunks or on threads.
//! - No error quotes a cell, and none keeps the words of another library, which might.
//! - Corrupt, truncated, ragged or wrongly encoded input is an error that names the place; a
//!   panic in a decoder is one too.
//!
//! # Limits
//!
//! - A cell or line: 16 MiB unless declared; a CSV row eight such cells; 10,000 columns or JSON
//!   fields; objects 128 deep.
//! - A chunk: 8,192 rows unless declared, or 64 MiB of text. A Parquet page and an Arrow batch
//!   are unpacked as large as their writers made them, an Arrow buffer up to 4 GiB.
//! - A row group out: the rows of the input's, at most 1,048,576 rows or about 128 MiB encoded.
//! - Parquet `INT96` times come out as `INT64`; LZ4 in the old framing as `LZ4_RAW`; sort orders
//!   are not repeated, since a treated column has lost its own.
//! - JSON Lines from a file are read twice, for all fields are columns before the first row; a
//!   stream has the fields of its first 10,000 lines or 8 MiB, and a later one is an error.
//! - Parquet and Arrow files need a file that can be sought in; Arrow streams do not.
//!
//! # What it does not protect against
//!
//! Footer key-values, field metadata and column names are copied: a name or note that is itself
//! personal stays. Plain text is cut at line breaks behind each megabyte; whatever spans such a
//! break is seen in two parts.

mod avro;
mod cells;
mod columns;
mod csv;
mod error;
mod format;
mod guard;
mod ipc;
mod json;
mod output;
mod packed;
mod parquet_file;
mod read;
mod shape;
mod slices;
mod source;
mod text;
mod walk;
mod write;

pub use avro::read_avro;
pub use error::{IoError, IoErrorKind};
pub use format::{Compression, Format, ReadOptions, TextEncoding};
pub use output::{Finished, Output, Written, make_folder_of, same_file, sha256_file, write_whole};
pub use parquet_file::groups::{Bounds, RowGroups, RowGroupsWriter};
pub use read::{Chunk, Dress, Reader};
pub use shape::Shape;
pub use source::Input;
pub use walk::{Expanded, Found, TableFormat, expand, expand_with_tables};
pub use write::{Untouched, Writer};
