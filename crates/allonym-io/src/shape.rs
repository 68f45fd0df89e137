//! What an input looked like: enough for a writer to write alike.

use crate::csv::CsvShape;
use crate::format::{Compression, Format, TextEncoding, delimiter_of_path};
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
    pub(crate) csv: Option<CsvShape>,
    pub(crate) parquet: Option<ParquetShape>,
    /// Where the input is, so that no writer is pointed at it.
    pub(crate) source: Option<PathBuf>,
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
            csv: None,
            parquet: None,
            source: None,
        }
    }

    /// The shape of an output made from this input: format, compression and delimiter as its
    /// name asks, as the input where the name says nothing. A declared `format` wins over the
    /// name; without a path (standard output) all stays as it is.
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
            if let Some(csv) = &mut shape.csv {
                let source = self.source.as_deref().and_then(delimiter_of_path);
                match (delimiter_of_path(path), source) {
                    (Some(delimiter), _) => csv.delimiter = delimiter,
                    (None, Some(_)) if named.is_some() => csv.delimiter = b',',
                    _ => {}
                }
            } else if let (Format::Csv, Some(delimiter)) = (format, delimiter_of_path(path)) {
                shape.csv = Some(CsvShape::fresh(delimiter));
            }
        }
        if format == Format::Parquet {
            shape.compression = Compression::Plain;
        }
        shape
    }

    /// Text encoding of the input; UTF-8 for formats that have none.
    #[must_use]
    pub fn encoding(&self) -> TextEncoding {
        self.encoding
    }

    /// The same in another text encoding.
    #[must_use]
    pub fn with_encoding(mut self, encoding: TextEncoding) -> Shape {
        if self.encoding != encoding {
            self.bom = false;
        }
        self.encoding = encoding;
        self
    }

    /// Delimiter between the cells of a CSV; `None` for other formats.
    #[must_use]
    pub fn delimiter(&self) -> Option<u8> {
        self.csv.as_ref().map(|csv| csv.delimiter)
    }
}
