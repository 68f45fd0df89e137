//! Bytes of an input: hashed as stored, decompressed, and brought to valid UTF-8.

use crate::error::{IoError, counted};
use crate::format::{Compression, TextEncoding};
use encoding_rs::{DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};
use flate2::bufread::MultiGzDecoder;
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

/// Where rows come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl Input {
    /// The name for messages; `-` for standard input.
    pub(crate) fn name(&self) -> String {
        match self {
            Input::File(path) => path.display().to_string(),
            Input::Stdin => "-".to_owned(),
        }
    }
}

/// The stored bytes of an input, hashed as they pass.
pub(crate) struct Stored {
    bytes: Box<dyn Read + Send>,
    hash: Sha256,
    consumed: u64,
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.consumed += read as u64;
        Ok(read)
    }
}

/// The content of an input, decompressed.
pub(crate) struct Source {
    path: String,
    size: Option<u64>,
    content: Content,
}

enum Content {
    Plain(BufReader<Stored>),
    Gzip(Box<MultiGzDecoder<BufReader<Stored>>>),
    Zstd(zstd::Decoder<'static, BufReader<Stored>>),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Source {
    /// Opens and settles the outer compression: what is declared, else what the first bytes show.
    pub(crate) fn open(
        input: &Input,
        declared: Option<Compression>,
    ) -> Result<(Source, Compression), IoError> {
        let path = input.name();
        let (bytes, size): (Box<dyn Read + Send>, _) = match input {
            Input::Stdin => (Box::new(io::stdin()), None),
            Input::File(file) => {
                let (file, size) = open_file(file, &path)?;
                (Box::new(file), size)
            }
        };
        let named = match input {
            Input::File(file) => Compression::of_path(file),
            Input::Stdin => Compression::Plain,
        };
        Source::of(path, bytes, size, named, declared)
    }

    /// `named`: the compression its name shows.
    pub(crate) fn of(
        path: String,
        bytes: Box<dyn Read + Send>,
        size: Option<u64>,
        named: Compression,
        declared: Option<Compression>,
    ) -> Result<(Source, Compression), IoError> {
        let stored = Stored { bytes, hash: Sha256::new(), consumed: 0 };
        let mut stored = BufReader::with_capacity(BLOCK_BYTES, stored);
        let head = stored.fill_buf().map_err(|error| IoError::reading(&path, &error))?;
        if head.is_empty() {
            return Err(IoError::bad(&path, "the input is empty (0 bytes)"));
        }
        let shown = Compression::of_magic(head);
        let compression = match declared {
            Some(declared) => declared,
            None if named != Compression::Plain && named != shown => {
                return Err(IoError::bad(
                    &path,
                    "the content is not compressed as the name says; it is truncated or misnamed",
                ));
            }
            None => shown,
        };
        let content = match compression {
            Compression::Plain => Content::Plain(stored),
            Compression::Gzip => Content::Gzip(Box::new(MultiGzDecoder::new(stored))),
            Compression::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(stored)
                    .map_err(|error| IoError::reading(&path, &error))?;
                decoder
                    .window_log_max(ZSTD_WINDOW_LOG_MAX)
                    .map_err(|error| IoError::reading(&path, &error))?;
                Content::Zstd(decoder)
            }
        };
        Ok((Source { path, size, content }, compression))
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Content bytes; 0 at the end only.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, IoError> {
        loop {
            let read = match &mut self.content {
                Content::Plain(stored) => stored.read(buffer),
                Content::Gzip(decoder) => decoder.read(buffer),
                Content::Zstd(decoder) => decoder.read(buffer),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.rewrite(&error)),
                Ok(read) => return Ok(read),
            }
        }
    }

    /// Reads until `buffer` is full or the content ends; how much was read.
    pub(crate) fn read_full(&mut self, buffer: &mut [u8]) -> Result<usize, IoError> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read(&mut buffer[filled..])? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }

    /// Bytes of the file taken so far, as stored, and its size where known.
    pub(crate) fn progress(&self) -> (u64, Option<u64>) {
        let stored = match &self.content {
            Content::Plain(stored) => stored,
            Content::Gzip(decoder) => decoder.get_ref(),
            Content::Zstd(decoder) => decoder.get_ref(),
        };
        (stored.get_ref().consumed - stored.buffer().len() as u64, self.size)
    }

    /// SHA-256 of all stored bytes, those behind the content too.
    pub(crate) fn sha256(&mut self) -> Result<String, IoError> {
        let mut block = vec![0; BLOCK_BYTES];
        while self.read(&mut block)? > 0 {}
        let stored = match &mut self.content {
            Content::Plain(stored) => stored,
            Content::Gzip(decoder) => decoder.get_mut(),
            Content::Zstd(decoder) => decoder.get_mut(),
        };
        loop {
            match stored.read(&mut block) {
                Ok(0) => break,
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    return Err(IoError::reading(&self.path, &error));
                }
                _ => {}
            }
        }
        Ok(hex(&stored.get_ref().hash.clone().finalize()))
    }

    /// Decoders report corrupt data as input or output errors of their own; an error the
    /// operating system gave keeps its meaning.
    fn rewrite(&self, error: &io::Error) -> IoError {
        let name = match self.content {
            Content::Plain(_) => return IoError::reading(&self.path, error),
            Content::Gzip(_) => "gzip",
            Content::Zstd(_) => "zstd",
        };
        if error.raw_os_error().is_some() {
            return IoError::reading(&self.path, error);
        }
        let what = match error.kind() {
            io::ErrorKind::UnexpectedEof => "ends too early; the file is truncated",
            _ => "is corrupt",
        };
        let at = counted(self.progress().0);
        IoError::bad(&self.path, format!("the {name} data {what} (near byte {at} of the file)"))
    }
}

/// Opens a file for reading; its size where it has one.
pub(crate) fn open_file(
    file: &std::path::Path,
    path: &str,
) -> Result<(File, Option<u64>), IoError> {
    let reading = |error| IoError::reading(path, &error);
    let opened = File::open(file).map_err(reading)?;
    let metadata = opened.metadata().map_err(reading)?;
    if metadata.is_dir() {
        return Err(IoError::bad(path, "this is a folder, not a file"));
    }
    Ok((opened, metadata.is_file().then_some(metadata.len())))
}

/// Text of an input as UTF-8: valid, without byte order mark, without NUL.
pub(crate) struct TextSource {
    source: Source,
    encoding: TextEncoding,
    bom: bool,
    decoder: Option<encoding_rs::Decoder>,
    /// Text stands in `start..end`; `end..raw_end` is the start of a character that is not
    /// complete yet.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    raw_end: usize,
    /// Content not yet decoded, when the encoding is not UTF-8; before that, the head of the content.
    undecoded: Vec<u8>,
    /// Content bytes before `end` (of the buffer, or of `undecoded`).
    offset: u64,
    ended: bool,
    broken: Option<String>,
}

/// Why no more text comes.
#[derive(Debug)]
pub(crate) enum TextError {
    /// Reading failed.
    Io(IoError),
    /// The bytes here are no text; the caller knows the row.
    Broken(String),
}

impl TextError {
    /// An error at a place such as `row 7`.
    pub(crate) fn at(self, path: &str, place: impl fmt::Display) -> IoError {
        match self {
            TextError::Io(error) => error,
            TextError::Broken(what) => IoError::bad(path, format!("{place}: {what}")),
        }
    }
}

impl fmt::Debug for TextSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextSource")
            .field("source", &self.source)
            .field("encoding", &self.encoding)
            .field("bom", &self.bom)
            .finish_non_exhaustive()
    }
}

impl TextSource {
    /// Settles the encoding: what is declared, else the byte order mark, else UTF-8, else
    /// Windows-1252 for a first megabyte that no reading as UTF-8 explains. `head` is the content
    /// read from `source` so far.
    pub(crate) fn new(
        mut source: Source,
        mut head: Vec<u8>,
        declared: Option<TextEncoding>,
    ) -> Result<TextSource, IoError> {
        let had = head.len();
        head.resize(had.max(HEAD_BYTES), 0);
        let read = source.read_full(&mut head[had..])?;
        head.truncate(had + read);
        if head.is_empty() {
            return Err(IoError::bad(source.path(), "the input is empty (0 bytes)"));
        }
        let (encoding, bom) = match declared {
            Some(encoding) => (encoding, head.starts_with(mark_of(encoding)).then_some(encoding)),
            None => settle_encoding(&head, source.path())?,
        };
        let mark = bom.map(mark_of).unwrap_or_default().len();
        let decoder = match encoding {
            TextEncoding::Utf8 => None,
            TextEncoding::Utf16Le => Some(UTF_16LE),
            TextEncoding::Utf16Be => Some(UTF_16BE),
            TextEncoding::Windows1252 => Some(WINDOWS_1252),
        };
        Ok(TextSource {
            source,
            encoding,
            bom: mark > 0,
            decoder: decoder.map(|encoding| encoding.new_decoder_without_bom_handling()),
            buffer: Vec::new(),
            start: 0,
            end: 0,
            raw_end: 0,
            undecoded: head.split_off(mark),
            offset: mark as u64,
            ended: false,
            broken: None,
        })
    }

    pub(crate) fn encoding(&self) -> TextEncoding {
        self.encoding
    }

    /// Whether the text began with a byte order mark.
    pub(crate) fn bom(&self) -> bool {
        self.bom
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    pub(crate) fn source_mut(&mut self) -> &mut Source {
        &mut self.source
    }

    /// Text read but not yet consumed. Valid UTF-8.
    pub(crate) fn text(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Whether [`TextSource::text`] is all that is left.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Drops the first `bytes` of the text; they must end a character.
    pub(crate) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        debug_assert!(self.start <= self.end);
    }

    /// Makes the text longer, or learns that it ends.
    pub(crate) fn more(&mut self) -> Result<(), TextError> {
        let before = self.end - self.start;
        while !self.ended && self.end - self.start == before {
            if let Some(what) = &self.broken {
                return Err(TextError::Broken(what.clone()));
            }
            self.make_room();
            match self.encoding {
                TextEncoding::Utf8 => self.read_utf8()?,
                _ => self.decode()?,
            }
        }
        Ok(())
    }

    /// Consumed text gives way; a buffer still more than half full doubles.
    fn make_room(&mut self) {
        self.buffer.copy_within(self.start..self.raw_end, 0);
        self.end -= self.start;
        self.raw_end -= self.start;
        self.start = 0;
        if self.raw_end * 2 >= self.buffer.len() {
            self.buffer.resize((self.raw_end * 2).max(BLOCK_BYTES), 0);
        }
    }

    fn read_utf8(&mut self) -> Result<(), TextError> {
        let room = &mut self.buffer[self.raw_end..];
        let read = if self.undecoded.is_empty() {
            self.source.read(room).map_err(TextError::Io)?
        } else {
            let head = self.undecoded.len().min(room.len());
            room[..head].copy_from_slice(&self.undecoded[..head]);
            self.undecoded.drain(..head);
            head
        };
        self.raw_end += read;
        self.ended = read == 0;
        let fresh = &self.buffer[self.end..self.raw_end];
        let valid = match std::str::from_utf8(fresh) {
            Ok(_) => fresh.len(),
            Err(error) => {
                // A character cut off by the end of the block is completed by the next one.
                if error.error_len().is_some() || self.ended {
                    let at = counted(self.offset + error.valid_up_to() as u64);
                    self.broken = Some(format!(
                        "the content is not UTF-8 at byte offset {at}; if the text is in another \
                         encoding, declare it"
                    ));
                    self.ended = false;
                }
                error.valid_up_to()
            }
        };
        self.accept(valid);
        Ok(())
    }

    fn decode(&mut self) -> Result<(), TextError> {
        if self.undecoded.len() < BLOCK_BYTES {
            let had = self.undecoded.len();
            self.undecoded.resize(had + BLOCK_BYTES, 0);
            let read = self.source.read(&mut self.undecoded[had..]).map_err(TextError::Io)?;
            self.undecoded.truncate(had + read);
            self.ended = read == 0;
        }
        let decoder = self.decoder.as_mut().expect("every encoding but UTF-8 has a decoder");
        let room = &mut self.buffer[self.end..];
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(&self.undecoded, room, self.ended);
        self.undecoded.drain(..read);
        match result {
            DecoderResult::InputEmpty => {}
            // The room was too small; what is left comes next time.
            DecoderResult::OutputFull => self.ended = false,
            DecoderResult::Malformed(bad, after) => {
                let at = self.offset + read as u64 - u64::from(bad) - u64::from(after);
                self.broken =
                    Some(format!("the content is not UTF-16 at byte offset {}", counted(at)));
                self.ended = false;
            }
        }
        let offset = self.offset + read as u64;
        self.raw_end = self.end + written;
        self.accept(written);
        self.offset = offset;
        Ok(())
    }

    /// Takes `bytes` more of the buffer as text, up to a NUL.
    fn accept(&mut self, bytes: usize) {
        let fresh = &self.buffer[self.end..self.end + bytes];
        let clean = match memchr::memchr(0, fresh) {
            None => bytes,
            Some(at) => {
                let what = match self.encoding {
                    TextEncoding::Utf8 => "; if the text is UTF-16, declare it",
                    _ => "",
                };
                self.broken = Some(format!("the text holds a NUL byte{what}"));
                self.ended = false;
                at
            }
        };
        self.end += clean;
        self.offset += clean as u64;
    }
}

/// Text in no known encoding is told by its first megabyte.
fn settle_encoding(
    head: &[u8],
    path: &str,
) -> Result<(TextEncoding, Option<TextEncoding>), IoError> {
    use TextEncoding::{Utf8, Utf16Be, Utf16Le, Windows1252};
    for encoding in [Utf8, Utf16Le, Utf16Be] {
        if head.starts_with(mark_of(encoding)) {
            return Ok((encoding, Some(encoding)));
        }
    }
    let cut_off = head.len() >= HEAD_BYTES;
    match std::str::from_utf8(head) {
        Ok(_) => Ok((Utf8, None)),
        Err(error) if error.error_len().is_none() && cut_off => Ok((Utf8, None)),
        Err(error) => {
            // Umlauts that are right in one place and wrong in another are damage, not an
            // encoding: read as Windows-1252 the right ones would turn into something else.
            if head.utf8_chunks().any(|chunk| !chunk.valid().is_ascii()) {
                let at = error.valid_up_to();
                let line = 1 + memchr::memchr_iter(b'\n', &head[..at]).count() as u64;
                return Err(IoError::bad(
                    path,
                    format!(
                        "line {}: the content is not UTF-8 at byte offset {}, while other \
                         characters are; repair it or declare the encoding",
                        counted(line),
                        counted(at as u64)
                    ),
                ));
            }
            Ok((Windows1252, None))
        }
    }
}

/// The byte order mark of an encoding.
pub(crate) fn mark_of(encoding: TextEncoding) -> &'static [u8] {
    match encoding {
        TextEncoding::Utf8 => b"\xEF\xBB\xBF",
        TextEncoding::Utf16Le => b"\xFF\xFE",
        TextEncoding::Utf16Be => b"\xFE\xFF",
        TextEncoding::Windows1252 => b"",
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).expect("a nibble is below 16"));
        }
    }
    text
}

/// Bytes read at a time.
const BLOCK_BYTES: usize = 256 << 10;
/// Content looked at to settle an encoding.
pub(crate) const HEAD_BYTES: usize = 1 << 20;
/// Zstandard windows up to 128 MiB, the limit of the command line tool without `--long`.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;
