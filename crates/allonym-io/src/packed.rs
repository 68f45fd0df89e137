//! Text on its way out: encoded, then compressed.

use crate::error::IoError;
use crate::format::{Compression, TextEncoding};
use crate::output::Sink;
use crate::shape::Shape;
use crate::source::mark_of;
use encoding_rs::{EncoderResult, WINDOWS_1252};
use flate2::GzBuilder;
use flate2::write::GzEncoder;
use std::fmt;
use std::io::{self, Write};

/// Takes UTF-8, gives the file's bytes.
#[derive(Debug)]
pub(crate) struct TextSink {
    path: String,
    encoding: TextEncoding,
    encoded: Vec<u8>,
    packed: Packed,
}

impl TextSink {
    /// Writes the byte order mark if the input had one.
    pub(crate) fn create(path: &str, sink: Sink, shape: &Shape) -> Result<TextSink, IoError> {
        let mut packed = Packed::create(path, sink, shape.compression)?;
        if shape.bom {
            let mark = mark_of(shape.encoding);
            packed.write_all(mark).map_err(|error| IoError::writing(path, &error))?;
        }
        let (path, encoded) = (path.to_owned(), Vec::new());
        Ok(TextSink { path, encoding: shape.encoding, encoded, packed })
    }

    /// Appends valid UTF-8.
    pub(crate) fn write(&mut self, text: &[u8]) -> Result<(), IoError> {
        let bytes = match self.encoding {
            TextEncoding::Utf8 => text,
            encoding => {
                self.encoded.clear();
                let text = std::str::from_utf8(text).expect("writers format valid text");
                if let Err(Unmappable) = encode(text, encoding, &mut self.encoded) {
                    return Err(IoError::usage(
                        &self.path,
                        "the rows hold a character that Windows-1252 has no byte for; \
                         treat the column so that it stays plain, or convert the input to UTF-8",
                    ));
                }
                &self.encoded
            }
        };
        self.packed.write_all(bytes).map_err(|error| IoError::writing(&self.path, &error))
    }

    pub(crate) fn finish(self) -> Result<Sink, IoError> {
        self.packed.finish().map_err(|error| IoError::writing(&self.path, &error))
    }
}

/// Bytes on their way into an outer compression.
///
/// What an encoder makes of bytes depends on how they are cut into calls, so it always gets
/// blocks of one size.
pub(crate) struct Packed {
    encoder: Encoder,
    block: Vec<u8>,
}

enum Encoder {
    Plain(Sink),
    Gzip(GzEncoder<Sink>),
    Zstd(zstd::Encoder<'static, Sink>),
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packed").finish_non_exhaustive()
    }
}

impl Packed {
    pub(crate) fn create(
        path: &str,
        sink: Sink,
        compression: Compression,
    ) -> Result<Packed, IoError> {
        let encoder = match compression {
            Compression::Plain => Encoder::Plain(sink),
            Compression::Gzip => {
                // No time and no name in the header: the same rows give the same bytes.
                let level = flate2::Compression::new(GZIP_LEVEL);
                Encoder::Gzip(GzBuilder::new().mtime(0).write(sink, level))
            }
            Compression::Zstd => {
                let writing = |error: io::Error| IoError::writing(path, &error);
                let mut encoder = zstd::Encoder::new(sink, ZSTD_LEVEL).map_err(writing)?;
                encoder.include_checksum(true).map_err(writing)?;
                Encoder::Zstd(encoder)
            }
        };
        Ok(Packed { encoder, block: Vec::new() })
    }

    pub(crate) fn finish(mut self) -> io::Result<Sink> {
        self.encoder.write_all(&self.block)?;
        match self.encoder {
            Encoder::Plain(sink) => Ok(sink),
            Encoder::Gzip(encoder) => encoder.finish(),
            Encoder::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Encoder::Plain(sink) = &mut self.encoder {
            return sink.write(bytes);
        }
        let taken = bytes.len().min(BLOCK_BYTES - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == BLOCK_BYTES {
            self.encoder.write_all(&self.block)?;
            self.block.clear();
        }
        Ok(taken)
    }

    /// An encoder is not flushed in the middle: that would show in its bytes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Encoder {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Encoder::Plain(sink) => sink.write_all(bytes),
            Encoder::Gzip(encoder) => encoder.write_all(bytes),
            Encoder::Zstd(encoder) => encoder.write_all(bytes),
        }
    }
}

/// A character the encoding has no bytes for.
#[derive(Debug, PartialEq, Eq)]
struct Unmappable;

fn encode(text: &str, encoding: TextEncoding, out: &mut Vec<u8>) -> Result<(), Unmappable> {
    match encoding {
        TextEncoding::Utf8 => out.extend_from_slice(text.as_bytes()),
        TextEncoding::Utf16Le => {
            text.encode_utf16().for_each(|unit| out.extend_from_slice(&unit.to_le_bytes()));
        }
        TextEncoding::Utf16Be => {
            text.encode_utf16().for_each(|unit| out.extend_from_slice(&unit.to_be_bytes()));
        }
        TextEncoding::Windows1252 => {
            let start = out.len();
            // One byte a character, and never more bytes than UTF-8 takes.
            out.resize(start + text.len(), 0);
            let mut encoder = WINDOWS_1252.new_encoder();
            let (result, _, written) =
                encoder.encode_from_utf8_without_replacement(text, &mut out[start..], true);
            out.truncate(start + written);
            if let EncoderResult::Unmappable(_) = result {
                return Err(Unmappable);
            }
        }
    }
    Ok(())
}

/// Bytes an encoder gets at a time.
const BLOCK_BYTES: usize = 128 << 10;
const GZIP_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_encoded() {
        let check = |encoding, expected: &[u8]| {
            let mut out = Vec::new();
            assert_eq!(encode("aß€", encoding, &mut out), Ok(()));
            assert_eq!(out, expected);
        };
        check(TextEncoding::Utf8, b"a\xC3\x9F\xE2\x82\xAC");
        check(TextEncoding::Utf16Le, b"a\0\xDF\0\xAC\x20");
        check(TextEncoding::Utf16Be, b"\0a\0\xDF\x20\xAC");
        check(TextEncoding::Windows1252, b"a\xDF\x80");
    }

    #[test]
    fn every_windows_1252_byte_comes_back() {
        let bytes: Vec<u8> = (1..=255).collect();
        let (text, _, _) = WINDOWS_1252.decode(&bytes);
        let mut out = Vec::new();
        assert_eq!(encode(&text, TextEncoding::Windows1252, &mut out), Ok(()));
        assert_eq!(out, bytes);
    }

    #[test]
    fn a_character_without_a_byte_is_refused_not_replaced() {
        let mut out = Vec::new();
        assert_eq!(encode("Ł", TextEncoding::Windows1252, &mut out), Err(Unmappable));
    }
}
