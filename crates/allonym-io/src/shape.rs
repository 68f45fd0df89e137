//! What an input looked like: enough for a writer to write alike.

use crate::csv::CsvShape;
use crate::format::{Compression, Format, TextEncoding, delimiter_of_path};
use crate::ipc::IpcShape;
use crate::json::JsonShape;
use crate::parquet_file::ParquetShape;
use std::path::{Path, PathBuf};

/// Format, compression, dialect, encoding and (Parquet) row-group layout, codec and file metadata of an input.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Format.
    pub format: Format,
    /// Outer compression.
    pub compression: Compression,
    pub(crate) encoding: TextEncoding,
    pub(crate) bom: bool,
    /// What the format itself adds; `None` for rows of another format.
    pub(crate) details: Details,
    /// Where the input is, so that no writer is pointed at it.
    pub(crate) source: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub(crate) enum Details {
    None,
    Csv(CsvShape),
    Json(JsonShape),
    Parquet(Box<ParquetShape>),
    Ipc(IpcShape),
    /// Pieces of a document.
    Text,
}

impl Shape {
    /// A shape for rows that come from no file: UTF-8, no compression, the usual dialect.
    #[must_use]
    pub fn plain(format: Format) -> Shape {
        Shape {
            format,
            compression: Compression::Plain,
            encoding: TextEncoding::Utf8,
            bom: false,
            details: Details::None,
            source: None,
        }
    }

    /// The shape of an output made from this input: format, compression and delimiter as its
    /// name asks, as the input where the name says nothing. A declared `format` wins over the
    /// name; without a path (standard output) all stays as it is, and Arrow is a stream.
    #[must_use]
    pub fn for_output(&self, path: Option<&Path>, format: Option<Format>) -> Shape {
        let named = path.and_then(Format::of_path);
        let format = format.or(named).unwrap_or(self.format);
        let mut shape = if format == self.format {
            self.clone()
        } else {
            Shape { source: self.source.clone(), ..Shape::plain(format) }
        };
        if let Some(path) = path {
            shape.compression = Compression::of_path(path);
        }
        if format == Format::Parquet {
            shape.compression = Compression::Plain;
        }
        match (&mut shape.details, path) {
            (Details::Csv(csv), Some(path)) => {
                let source = self.source.as_deref().and_then(delimiter_of_path);
                match (delimiter_of_path(path), source) {
                    (Some(delimiter), _) => csv.delimiter = delimiter,
                    (None, Some(_)) if named.is_some() => csv.delimiter = b',',
                    _ => {}
                }
            }
            (Details::None, Some(path)) if format == Format::Csv => {
                let delimiter = delimiter_of_path(path).unwrap_or(b',');
                shape.details = Details::Csv(CsvShape::fresh(delimiter));
            }
            (Details::Ipc(_) | Details::None, _) if format == Format::Ipc => {
                let stream = match path {
                    None => Some(true),
                    Some(path) => named_stream(path),
                };
                let known = match &shape.details {
                    Details::Ipc(known) => known.clone(),
                    _ => IpcShape::fresh(),
                };
                let stream = stream.unwrap_or(known.stream);
                shape.details = Details::Ipc(IpcShape { stream, ..known });
            }
            _ => {}
        }
        shape
    }

    /// Text encoding of the input; UTF-8 for formats that have none.
    #[must_use]
    pub fn encoding(&self) -> TextEncoding {
        self.encoding
    }

    /// The same in another text encoding, without byte order mark.
    #[must_use]
    pub fn with_encoding(mut self, encoding: TextEncoding) -> Shape {
        self.bom &= self.encoding == encoding;
        self.encoding = encoding;
        self
    }

    /// Delimiter between the cells of a CSV; `None` for other formats.
    #[must_use]
    pub fn delimiter(&self) -> Option<u8> {
        match &self.details {
            Details::Csv(csv) => Some(csv.delimiter),
            _ => None,
        }
    }
}

/// Whether a name asks for an Arrow stream or a file; `None` where it says neither.
fn named_stream(path: &Path) -> Option<bool> {
    let name = path.file_name()?.to_string_lossy().to_lowercase();
    let packed = Compression::of_path(path) != Compression::Plain;
    // Whatever is packed as a whole cannot be sought in.
    if packed || name.ends_with(".arrows") {
        return Some(true);
    }
    [".arrow", ".feather", ".ipc"].iter().any(|end| name.ends_with(end)).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_follow_their_names() {
        let csv = Shape {
            compression: Compression::Gzip,
            encoding: TextEncoding::Windows1252,
            details: Details::Csv(CsvShape::fresh(b';')),
            source: Some(PathBuf::from("in.csv.gz")),
            ..Shape::plain(Format::Csv)
        };
        let to = |name: &str| csv.for_output(Some(Path::new(name)), None);
        let same = to("out.csv");
        assert_eq!((same.format, same.compression), (Format::Csv, Compression::Plain));
        assert_eq!((same.delimiter(), same.encoding), (Some(b';'), TextEncoding::Windows1252));
        assert_eq!(to("out.tsv.zst").delimiter(), Some(b'\t'));
        assert_eq!(to("out.tsv.zst").compression, Compression::Zstd);
        assert_eq!(to("out").format, Format::Csv);
        assert_eq!(to("out.parquet").format, Format::Parquet);
        assert_eq!(to("out.parquet").encoding, TextEncoding::Utf8);
        let stdout = csv.for_output(None, None);
        assert_eq!((stdout.format, stdout.compression), (Format::Csv, Compression::Gzip));
        let forced = csv.for_output(Some(Path::new("out.csv")), Some(Format::JsonLines));
        assert_eq!(forced.format, Format::JsonLines);
    }

    #[test]
    fn arrow_is_a_stream_where_nothing_can_be_sought() {
        let plain = Shape::plain(Format::Ipc);
        let check = |name: Option<&str>, stream| match plain
            .for_output(name.map(Path::new), None)
            .details
        {
            Details::Ipc(ipc) => assert_eq!(ipc.stream, stream, "{name:?}"),
            other => panic!("{other:?}"),
        };
        check(None, true);
        check(Some("a.arrow"), false);
        check(Some("a.feather"), false);
        check(Some("a.arrows"), true);
        check(Some("a.arrow.gz"), true);
    }
}
