//! NumPy's array files: `.npy`, and `.npz` archives of them.
//!
//! An array that stands uncompressed in its file is read piece by piece, where it is needed, so
//! that signals larger than memory can be scored; a compressed one is unpacked into memory.
//!
//! Formats: NumPy enhancement proposal 1 (versions 1 to 3 of the header), PKWARE's APPNOTE 6.3.10
//! (stored and deflated entries, zip64).

use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the elements of an array are; all little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// `<f4`
    F32,
    /// `<f8`
    F64,
    /// `|b1`
    Bool,
    /// `|i1`
    I8,
    /// `|u1`
    U8,
    /// `<i2`
    I16,
    /// `<u2`
    U16,
    /// `<i4`
    I32,
    /// `<u4`
    U32,
    /// `<i8`
    I64,
}

impl Kind {
    /// The kind of NumPy's type string, such as `<f4`; none for what is not read here.
    #[must_use]
    pub fn parse(descriptor: &str) -> Option<Kind> {
        KINDS.iter().find(|(name, _)| *name == descriptor).map(|(_, kind)| *kind)
    }

    /// Bytes of one element.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Kind::Bool | Kind::I8 | Kind::U8 => 1,
            Kind::I16 | Kind::U16 => 2,
            Kind::F32 | Kind::I32 | Kind::U32 => 4,
            Kind::F64 | Kind::I64 => 8,
        }
    }

    /// Decodes whole elements into `out`; a 64-bit integer beyond 2^53 is rounded.
    pub(crate) fn decode(self, bytes: &[u8], out: &mut [f64]) {
        fn each<const N: usize>(bytes: &[u8], out: &mut [f64], decode: impl Fn([u8; N]) -> f64) {
            for (element, value) in bytes.as_chunks::<N>().0.iter().zip(out) {
                *value = decode(*element);
            }
        }
        match self {
            Kind::F32 => each(bytes, out, |bytes| f64::from(f32::from_le_bytes(bytes))),
            Kind::F64 => each(bytes, out, f64::from_le_bytes),
            Kind::Bool | Kind::U8 => each(bytes, out, |[byte]| f64::from(byte)),
            Kind::I8 => each(bytes, out, |bytes| f64::from(i8::from_le_bytes(bytes))),
            Kind::I16 => each(bytes, out, |bytes| f64::from(i16::from_le_bytes(bytes))),
            Kind::U16 => each(bytes, out, |bytes| f64::from(u16::from_le_bytes(bytes))),
            Kind::I32 => each(bytes, out, |bytes| f64::from(i32::from_le_bytes(bytes))),
            Kind::U32 => each(bytes, out, |bytes| f64::from(u32::from_le_bytes(bytes))),
            Kind::I64 => each(bytes, out, |bytes| rounded(i64::from_le_bytes(bytes))),
        }
    }
}

/// One array of a file.
#[derive(Debug)]
pub struct NpyArray {
    body: Body,
    kind: Kind,
    shape: Vec<usize>,
    column_major: bool,
}

impl NpyArray {
    /// Opens a `.npy` file; its elements are read when they are asked for.
    ///
    /// # Errors
    /// A file that cannot be read, is no such file, is shorter than its header says, or holds
    /// elements that are not numbers.
    pub fn open(path: impl AsRef<Path>) -> Result<NpyArray, NpyError> {
        let place = Place { path: path.as_ref().to_owned(), entry: None };
        let file = File::open(path.as_ref()).map_err(|source| place.io(source))?;
        let bytes = file.metadata().map_err(|source| place.io(source))?.len();
        NpyArray::in_file(Arc::new(file), 0..bytes, place)
    }

    /// What its elements are.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Lengths of its axes.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Whether the first axis varies fastest in the file (`fortran_order`).
    #[must_use]
    pub fn column_major(&self) -> bool {
        self.column_major
    }

    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All elements in the order of the file.
    ///
    /// # Errors
    /// A file that cannot be read or was cut after it was opened.
    pub fn to_vec(&self) -> Result<Vec<f64>, NpyError> {
        let mut values = vec![0.0; self.len()];
        self.fill(0, &mut values)?;
        Ok(values)
    }

    /// The elements from `start` on, as many as `out` holds, in the order of the file.
    pub(crate) fn fill(&self, start: usize, out: &mut [f64]) -> Result<(), NpyError> {
        let (from, bytes) = (start * self.kind.bytes(), out.len() * self.kind.bytes());
        match &self.body {
            Body::Memory(whole) => self.kind.decode(&whole[from..from + bytes], out),
            Body::File { file, offset, place } => {
                let mut read = vec![0; bytes];
                read_exact_at(file, &mut read, offset + from as u64)
                    .map_err(|source| place.io(source))?;
                self.kind.decode(&read, out);
            }
        }
        Ok(())
    }

    fn in_file(file: Arc<File>, bytes: Range<u64>, place: Place) -> Result<NpyArray, NpyError> {
        let start = (bytes.end - bytes.start).min(HEADER_BYTES_MAX + 12);
        let mut head = vec![0; usize::try_from(start).expect("a header is short")];
        read_exact_at(&file, &mut head, bytes.start).map_err(|source| place.io(source))?;
        let header = Header::parse(&head).map_err(|what| place.format(what))?;
        let held = bytes.end - bytes.start - header.bytes as u64;
        header.check(held).map_err(|what| place.format(what))?;
        let offset = bytes.start + header.bytes as u64;
        let Header { kind, shape, column_major, .. } = header;
        Ok(NpyArray { body: Body::File { file, offset, place }, kind, shape, column_major })
    }

    fn in_memory(mut whole: Vec<u8>, place: &Place) -> Result<NpyArray, NpyError> {
        let header = Header::parse(&whole).map_err(|what| place.format(what))?;
        let held = (whole.len() - header.bytes) as u64;
        header.check(held).map_err(|what| place.format(what))?;
        whole.drain(..header.bytes);
        let Header { kind, shape, column_major, .. } = header;
        Ok(NpyArray { body: Body::Memory(whole), kind, shape, column_major })
    }
}

/// An archive of named arrays, as `numpy.savez` writes it.
#[derive(Debug)]
pub struct Npz {
    file: Arc<File>,
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Npz {
    /// Reads the directory of an archive.
    ///
    /// # Errors
    /// A file that cannot be read or is no zip archive.
    pub fn open(path: impl AsRef<Path>) -> Result<Npz, NpyError> {
        let path = path.as_ref().to_owned();
        let place = Place { path: path.clone(), entry: None };
        let mut file = File::open(&path).map_err(|source| place.io(source))?;
        let entries = directory(&mut file, &place)?;
        Ok(Npz { file: Arc::new(file), path, entries })
    }

    /// Names of its arrays, in the order of the archive.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.strip_suffix(".npy").unwrap_or(&entry.name))
    }

    /// The array of a name: left in the file where it is stored plainly, unpacked and checked
    /// (CRC-32) where it is compressed.
    ///
    /// # Errors
    /// No such array, or one that [`NpyArray::open`] would refuse.
    pub fn array(&self, name: &str) -> Result<NpyArray, NpyError> {
        let at = self.names().position(|known| known == name);
        let Some(entry) = at.map(|at| &self.entries[at]) else {
            let known = self.names().collect::<Vec<_>>().join(", ");
            let path = self.path.clone();
            return Err(NpyError::Missing { path, name: name.to_owned(), known });
        };
        let place = Place { path: self.path.clone(), entry: Some(name.to_owned()) };
        // The local header repeats name and extra field with lengths of its own.
        let mut local = [0; 30];
        read_exact_at(&self.file, &mut local, entry.header).map_err(|source| place.io(source))?;
        if local[..4] != *b"PK\x03\x04" {
            return Err(place.format("an entry of the archive is not where its directory says"));
        }
        let start =
            entry.header + 30 + u64::from(u16_at(&local, 26)) + u64::from(u16_at(&local, 28));
        match entry.method {
            0 => NpyArray::in_file(Arc::clone(&self.file), start..start + entry.bytes, place),
            8 if entry.bytes > UNPACKED_BYTES_MAX => {
                Err(place.format("the compressed array is too large; save it with numpy.savez"))
            }
            8 => {
                let whole = self.unpack(entry, start).map_err(|source| place.io(source))?;
                let mut crc = Crc::new();
                crc.update(&whole);
                if crc.sum() != entry.crc || whole.len() as u64 != entry.bytes {
                    return Err(place.format("the checksum of the archive does not fit"));
                }
                NpyArray::in_memory(whole, &place)
            }
            _ => Err(place.format("the archive is packed in a way that NumPy does not write")),
        }
    }

    fn unpack(&self, entry: &Entry, start: u64) -> std::io::Result<Vec<u8>> {
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(start))?;
        let packed = BufReader::new(file.take(entry.packed));
        let mut whole = Vec::new();
        // One byte more than promised is enough to know that the promise is broken.
        DeflateDecoder::new(packed).take(entry.bytes + 1).read_to_end(&mut whole)?;
        Ok(whole)
    }
}

/// Why an array file cannot be used; no element is ever quoted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpyError {
    /// Reading failed.
    #[error("{place}: reading failed")]
    Io {
        /// File and array.
        place: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not the format, or not a part of it that is read here.
    #[error("{place}: {what}")]
    Format {
        /// File and array.
        place: String,
        /// What is wrong.
        what: String,
    },
    /// The archive has no array of that name.
    #[error("{}: no array `{name}`; the archive has {known}", path.display())]
    Missing {
        /// The archive.
        path: PathBuf,
        /// The name asked for.
        name: String,
        /// The names that are there.
        known: String,
    },
}

#[derive(Debug)]
enum Body {
    Memory(Vec<u8>),
    File { file: Arc<File>, offset: u64, place: Place },
}

/// Where something was read.
#[derive(Clone, Debug)]
struct Place {
    path: PathBuf,
    entry: Option<String>,
}

impl Place {
    fn io(&self, source: std::io::Error) -> NpyError {
        NpyError::Io { place: self.to_string(), source }
    }

    fn format(&self, what: impl Into<String>) -> NpyError {
        NpyError::Format { place: self.to_string(), what: what.into() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.entry.iter().try_for_each(|entry| write!(f, ", array `{entry}`"))
    }
}

struct Header {
    kind: Kind,
    shape: Vec<usize>,
    column_major: bool,
    /// Of magic, version, length and text.
    bytes: usize,
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Header, String> {
        let no_array = || "this is not an array as NumPy saves it".to_owned();
        let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or_else(no_array)?;
        let (length, from) = match *rest {
            [1, _, low, high, ..] => (usize::from(u16::from_le_bytes([low, high])), 10),
            [2 | 3, _, a, b, c, d, ..] => {
                let length = u32::from_le_bytes([a, b, c, d]);
                (usize::try_from(length).map_err(|_| no_array())?, 12)
            }
            _ => return Err(no_array()),
        };
        let text = bytes.get(from..from + length).ok_or("the header of the array is cut short")?;
        let text = std::str::from_utf8(text).map_err(|_| no_array())?;
        let descriptor = value_of(text, "'descr':").ok_or_else(no_array)?;
        let quoted = descriptor.strip_prefix('\'').and_then(|rest| rest.split_once('\''));
        let descriptor = quoted.map_or(descriptor, |(name, _)| name);
        let kind = Kind::parse(descriptor).ok_or_else(|| {
            let name: String = descriptor.chars().take(16).collect();
            format!("elements of type `{name}` are not read; save them as <f4, <f8 or |b1")
        })?;
        let order = value_of(text, "'fortran_order':").ok_or_else(no_array)?;
        let shape = value_of(text, "'shape':").and_then(|rest| rest.strip_prefix('('));
        let shape = shape.and_then(|rest| rest.split_once(')')).ok_or_else(no_array)?.0;
        let shape = shape
            .split(',')
            .map(str::trim)
            .filter(|axis| !axis.is_empty())
            .map(|axis| axis.parse::<usize>().map_err(|_| no_array()))
            .collect::<Result<Vec<usize>, String>>()?;
        Ok(Header { kind, shape, column_major: order.starts_with("True"), bytes: from + length })
    }

    /// Refuses a shape that the `held` bytes behind the header cannot fill.
    fn check(&self, held: u64) -> Result<(), String> {
        let needed = self
            .shape
            .iter()
            .try_fold(self.kind.bytes(), |bytes, &axis| bytes.checked_mul(axis))
            .ok_or("the shape of the array is beyond all memory")? as u64;
        if held < needed {
            return Err(format!("the array is cut short: {held} of {needed} bytes are there"));
        }
        Ok(())
    }
}

/// What follows a key of the header's dictionary.
fn value_of<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.split_once(key).map(|(_, rest)| rest.trim_start())
}

/// One entry of a zip archive's directory.
#[derive(Debug)]
struct Entry {
    name: String,
    method: u16,
    crc: u32,
    packed: u64,
    bytes: u64,
    /// Where its local header stands.
    header: u64,
}

fn directory(file: &mut File, place: &Place) -> Result<Vec<Entry>, NpyError> {
    let no_archive = || place.format("this is not an archive as NumPy saves it");
    let length = file.metadata().map_err(|source| place.io(source))?.len();
    // The end record is 22 bytes and a comment of at most 65,535.
    let from = length.saturating_sub(22 + 65_535);
    let mut tail = vec![0; usize::try_from(length - from).expect("at most 65,557 bytes")];
    read_exact_at(file, &mut tail, from).map_err(|source| place.io(source))?;
    let end = tail.windows(4).rposition(|mark| mark == b"PK\x05\x06").ok_or_else(no_archive)?;
    let record = tail.get(end..end + 22).ok_or_else(no_archive)?;
    let (mut entries, mut bytes, mut start) = (
        u64::from(u16_at(record, 10)),
        u64::from(u32_at(record, 12)),
        u64::from(u32_at(record, 16)),
    );
    let locator = end.checked_sub(20).map(|at| &tail[at..end]);
    if let Some(locator) = locator.filter(|locator| locator.starts_with(b"PK\x06\x07")) {
        let mut record = [0; 56];
        read_exact_at(file, &mut record, u64_at(locator, 8)).map_err(|_| no_archive())?;
        (entries, bytes, start) = (u64_at(&record, 32), u64_at(&record, 40), u64_at(&record, 48));
    }
    if bytes > DIRECTORY_BYTES_MAX || start.checked_add(bytes).is_none_or(|end| end > length) {
        return Err(no_archive());
    }
    let mut listing = vec![0; usize::try_from(bytes).expect("the limit was checked")];
    read_exact_at(file, &mut listing, start).map_err(|source| place.io(source))?;
    let mut rest = &listing[..];
    let mut found = Vec::new();
    for _ in 0..entries {
        let (entry, after) = entry(rest).ok_or_else(no_archive)?;
        if entry.header.checked_add(entry.packed).is_none_or(|end| end > length) {
            return Err(no_archive());
        }
        found.push(entry);
        rest = after;
    }
    Ok(found)
}

/// The first entry of a directory, and what follows it.
fn entry(listing: &[u8]) -> Option<(Entry, &[u8])> {
    let fixed = listing.get(..46).filter(|fixed| fixed.starts_with(b"PK\x01\x02"))?;
    let lengths = [28, 30, 32].map(|at| usize::from(u16_at(fixed, at)));
    let name = listing.get(46..46 + lengths[0])?;
    let extra = listing.get(46 + lengths[0]..46 + lengths[0] + lengths[1])?;
    let rest = listing.get(46 + lengths.iter().sum::<usize>()..)?;
    let mut wide = zip64(extra);
    let mut field = |at: usize| match u32_at(fixed, at) {
        u32::MAX => {
            let (first, after) = wide.split_at_checked(8)?;
            wide = after;
            Some(u64_at(first, 0))
        }
        narrow => Some(u64::from(narrow)),
    };
    // The order of APPNOTE 4.5.3: original size, packed size, place.
    let (bytes, packed, header) = (field(24)?, field(20)?, field(42)?);
    let name = String::from_utf8_lossy(name).into_owned();
    let (method, crc) = (u16_at(fixed, 10), u32_at(fixed, 16));
    Some((Entry { name, method, crc, packed, bytes, header }, rest))
}

/// The 64-bit fields among the extra fields of an entry.
fn zip64(mut extra: &[u8]) -> &[u8] {
    while let Some((head, rest)) = extra.split_at_checked(4) {
        let length = usize::from(u16_at(head, 2)).min(rest.len());
        if u16_at(head, 0) == 1 {
            return &rest[..length];
        }
        extra = &rest[length..];
    }
    &[]
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[expect(clippy::cast_precision_loss, reason = "documented at `decode`")]
fn rounded(integer: i64) -> f64 {
    integer as f64
}

/// Reads at a place without moving the file's own, so that threads may share it.
#[cfg(unix)]
fn read_exact_at(file: &File, out: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
}

/// Reads at a place; every call says where, so threads may share the file.
#[cfg(windows)]
fn read_exact_at(file: &File, mut out: &mut [u8], mut offset: u64) -> std::io::Result<()> {
    while !out.is_empty() {
        let read = std::os::windows::fs::FileExt::seek_read(file, out, offset)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        out = &mut out[read..];
        offset += read as u64;
    }
    Ok(())
}

const KINDS: &[(&str, Kind)] = &[
    ("<f4", Kind::F32),
    ("<f8", Kind::F64),
    ("|b1", Kind::Bool),
    ("|i1", Kind::I8),
    ("|u1", Kind::U8),
    ("<i2", Kind::I16),
    ("<u2", Kind::U16),
    ("<i4", Kind::I32),
    ("<u4", Kind::U32),
    ("<i8", Kind::I64),
];

/// NumPy's own header of numbers takes about a hundred bytes.
const HEADER_BYTES_MAX: u64 = 1 << 16;
/// A directory of a hundred thousand arrays takes about 10 MB.
const DIRECTORY_BYTES_MAX: u64 = 1 << 26;
/// What a compressed array may become in memory.
const UNPACKED_BYTES_MAX: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn header(version: u8, text: &str) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        let length = u16::try_from(text.len()).unwrap();
        bytes.extend(length.to_le_bytes());
        if version > 1 {
            bytes.extend([0, 0]);
        }
        bytes.extend(text.as_bytes());
        bytes
    }

    fn written(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("array.npy");
        File::create(&path).unwrap().write_all(bytes).unwrap();
        (folder, path)
    }

    fn open(bytes: &[u8]) -> Result<NpyArray, NpyError> {
        let (_folder, path) = written(bytes);
        NpyArray::open(path)
    }

    #[test]
    fn arrays_of_every_version_and_kind_are_read() {
        for version in 1..=3 {
            let mut bytes =
                header(version, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n");
            (0..6_u8).for_each(|n| bytes.extend(f32::from(n).to_le_bytes()));
            let (_folder, path) = written(&bytes);
            let array = NpyArray::open(path).unwrap();
            assert_eq!((array.shape(), array.kind()), (&[2, 3][..], Kind::F32));
            assert!(!array.column_major());
            assert_eq!(array.to_vec().unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
            let mut part = [0.0; 2];
            array.fill(3, &mut part).unwrap();
            assert_eq!(part, [3.0, 4.0]);
        }
        let mut bytes = header(1, "{'descr': '<i2', 'fortran_order': True, 'shape': (2,), }\n");
        bytes.extend([0xff, 0xff, 0x07, 0x00]);
        let array = open(&bytes).unwrap();
        assert!(array.column_major());
        let (_folder, path) = written(&bytes);
        assert_eq!(NpyArray::open(path).unwrap().to_vec().unwrap(), [-1.0, 7.0]);
        let scalar = header(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }\n");
        assert!(open(&scalar).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_array_of_numbers_is_refused() {
        let told = |bytes: &[u8]| open(bytes).unwrap_err().to_string();
        assert!(told(b"").contains("not an array"));
        assert!(told(b"\x93NUMPY\x01\x00\xff\xff{}").contains("cut short"));
        let big = header(1, "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }");
        assert!(told(&big).contains("`>f4`"));
        let objects = header(1, "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }");
        assert!(told(&objects).contains("`|O`"));
        let cut = header(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }");
        assert!(told(&cut).contains("0 of 16 bytes"));
        let huge = "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }";
        assert!(told(&header(1, huge)).contains("beyond all memory"));
        assert!(Npz::open(written(b"PK").1).is_err());
    }

    /// The layout that `numpy.savez` writes: sizes of the local header in a zip64 field.
    fn archive(method: u16, body: &[u8], packed: &[u8]) -> Vec<u8> {
        let mut crc = Crc::new();
        crc.update(body);
        let sizes = [packed.len(), body.len()].map(|n| u32::try_from(n).unwrap().to_le_bytes());
        let mut bytes = b"PK\x03\x04\x2d\0\0\0".to_vec();
        bytes.extend(method.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(crc.sum().to_le_bytes());
        bytes.extend([0xff; 8]);
        bytes.extend([5, 0, 20, 0]);
        bytes.extend(b"a.npy");
        bytes.extend([0; 20]);
        bytes.extend(packed);
        let start = u32::try_from(bytes.len()).unwrap();
        bytes.extend(b"PK\x01\x02\x2d\0\x2d\0\0\0");
        bytes.extend(method.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(crc.sum().to_le_bytes());
        sizes.iter().for_each(|size| bytes.extend(size));
        bytes.extend([5, 0]);
        bytes.extend([0; 16]);
        bytes.extend(b"a.npy");
        let length = u32::try_from(bytes.len()).unwrap() - start;
        bytes.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        bytes.extend(length.to_le_bytes());
        bytes.extend(start.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }

    #[test]
    fn archives_are_read_stored_and_deflated() {
        let mut body = header(1, "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }\n");
        body.extend([1, 0, 1]);
        let mut deflate =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        deflate.write_all(&body).unwrap();
        let deflated = deflate.finish().unwrap();
        for (method, packed) in [(0, &body), (8, &deflated)] {
            let bytes = archive(method, &body, packed);
            let (_folder, path) = written(&bytes);
            let archive = Npz::open(path).unwrap();
            assert_eq!(archive.names().collect::<Vec<_>>(), ["a"]);
            assert_eq!(archive.array("a").unwrap().to_vec().unwrap(), [1.0, 0.0, 1.0]);
            assert!(archive.array("b").unwrap_err().to_string().contains("has a"));
        }
        let mut broken = archive(8, &body, &deflated);
        let crc = 14 + broken.windows(4).position(|mark| mark == b"PK\x01\x02").unwrap() + 2;
        broken[crc] ^= 1;
        let (_folder, path) = written(&broken);
        let told = Npz::open(path).unwrap().array("a").unwrap_err().to_string();
        assert!(told.contains("checksum"), "{told}");
    }
}
