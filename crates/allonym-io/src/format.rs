//! What a file is: by its name, else by its first bytes.

use std::path::Path;

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

impl Format {
    /// The format a file name asks for; `.gz` and `.zst` behind the extension are skipped.
    /// `None` for names that say nothing.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Format> {
        let format = match extension(&bare_name(path))? {
            "parquet" | "pq" => Format::Parquet,
            "csv" | "tsv" | "tab" | "psv" => Format::Csv,
            "jsonl" | "ndjson" | "jsonlines" => Format::JsonLines,
            "arrow" | "arrows" | "feather" | "ipc" => Format::Ipc,
            "txt" | "text" | "md" | "log" => Format::Text,
            _ => return None,
        };
        Some(format)
    }

    /// The format the first bytes of the (decompressed) content show. Text that begins with an
    /// object is JSON Lines; other text is CSV.
    pub(crate) fn of_content(head: &[u8]) -> Format {
        if head.starts_with(PARQUET_MAGIC) || head.starts_with(b"PARE") {
            return Format::Parquet;
        }
        // An IPC stream begins with a continuation marker.
        if head.starts_with(IPC_FILE_MAGIC) || head.starts_with(&IPC_CONTINUATION) {
            return Format::Ipc;
        }
        let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
        match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => Format::JsonLines,
            _ => Format::Csv,
        }
    }
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

impl Compression {
    /// The compression a file name asks for; `Plain` for names without one.
    #[must_use]
    pub fn of_path(path: &Path) -> Compression {
        let extension = path.extension().map(|extension| extension.to_string_lossy());
        match extension.map(|extension| extension.to_lowercase()).as_deref() {
            Some("gz" | "gzip") => Compression::Gzip,
            Some("zst" | "zstd") => Compression::Zstd,
            _ => Compression::Plain,
        }
    }

    pub(crate) fn of_magic(head: &[u8]) -> Compression {
        if head.starts_with(&GZIP_MAGIC) {
            Compression::Gzip
        } else if head.starts_with(&ZSTD_MAGIC) {
            Compression::Zstd
        } else {
            Compression::Plain
        }
    }
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
    /// Largest cell or line in bytes; 16 MiB unless said, at most 1 GiB.
    pub cell_bytes_max: Option<usize>,
}

impl ReadOptions {
    pub(crate) fn batch_rows(&self) -> usize {
        self.batch_rows.unwrap_or(BATCH_ROWS).max(1)
    }

    pub(crate) fn cell_bytes_max(&self) -> usize {
        self.cell_bytes_max.unwrap_or(CELL_BYTES_MAX).min(CELL_BYTES_LIMIT)
    }
}

/// Whether a file name asks for tabs or pipes between cells.
pub(crate) fn delimiter_of_path(path: &Path) -> Option<u8> {
    match extension(&bare_name(path))? {
        "tsv" | "tab" => Some(b'\t'),
        "psv" => Some(b'|'),
        _ => None,
    }
}

/// File name in lower case without the extension of an outer compression.
fn bare_name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase());
    let name = name.unwrap_or_default();
    for outer in [".gz", ".gzip", ".zst", ".zstd"] {
        if let Some(bare) = name.strip_suffix(outer) {
            return bare.to_owned();
        }
    }
    name
}

fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, extension)| extension)
}

/// Rows of a chunk; also the slices in which columns are encoded.
pub(crate) const BATCH_ROWS: usize = 8_192;
/// Largest cell or line, in bytes.
pub(crate) const CELL_BYTES_MAX: usize = 16 << 20;
/// No declaration goes beyond: offsets have 32 bits.
const CELL_BYTES_LIMIT: usize = 1 << 30;
/// Text of a chunk after which it ends early, in bytes: bounds memory and keeps 32-bit offsets far.
pub(crate) const CHUNK_BYTES: usize = 64 << 20;

pub(crate) const PARQUET_MAGIC: &[u8] = b"PAR1";
pub(crate) const IPC_FILE_MAGIC: &[u8] = b"ARROW1";
pub(crate) const IPC_CONTINUATION: [u8; 4] = [0xFF; 4];
const GZIP_MAGIC: [u8; 3] = [0x1F, 0x8B, 0x08];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_show_formats() {
        let check = |name: &str, format, compression| {
            assert_eq!(Format::of_path(Path::new(name)), format, "{name}");
            assert_eq!(Compression::of_path(Path::new(name)), compression, "{name}");
        };
        use Compression::{Gzip, Plain, Zstd};
        check("a.csv", Some(Format::Csv), Plain);
        check("A.CSV", Some(Format::Csv), Plain);
        check("a.tsv.gz", Some(Format::Csv), Gzip);
        check("a.jsonl.zst", Some(Format::JsonLines), Zstd);
        check("x/y.z/a.ndjson", Some(Format::JsonLines), Plain);
        check("a.parquet", Some(Format::Parquet), Plain);
        check("a.arrows", Some(Format::Ipc), Plain);
        check("a.log", Some(Format::Text), Plain);
        check("a.json", None, Plain);
        check("csv", None, Plain);
        check("a.csv.bak", None, Plain);
        check("a.gz", None, Gzip);
        check("A.TSV.GZ", Some(Format::Csv), Gzip);
        check("", None, Plain);
    }

    #[test]
    fn content_shows_formats() {
        let check = |head: &[u8], format| assert_eq!(Format::of_content(head), format);
        check(b"PAR1....", Format::Parquet);
        check(b"ARROW1\0\0", Format::Ipc);
        check(b"\xFF\xFF\xFF\xFF\x10\0\0\0", Format::Ipc);
        check(b" \n{\"a\":1}\n", Format::JsonLines);
        check(b"\xEF\xBB\xBF{\"a\":1}\n", Format::JsonLines);
        check(b"a,b\n1,2\n", Format::Csv);
        check(b"[1]", Format::Csv);
        check(b"PAR", Format::Csv);
    }
}
