//! Record batches from and to files. Knows no policy.

mod cells;
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

pub use error::{IoError, IoErrorKind};
pub use format::{Compression, Format, ReadOptions, TextEncoding};
pub use output::{Finished, Output, Written, same_file, sha256_file, write_whole};
pub use read::{Chunk, Dress, Reader};
pub use shape::Shape;
pub use source::Input;
pub use walk::{Expanded, Found, expand};
pub use write::{Untouched, Writer};
