//! Arrow IPC into batches.
//!
//! The frame around messages is read here, so that no length in a corrupt file is believed
//! before it is compared with what is there; messages are decoded by `arrow-ipc`.

use super::IpcShape;
use crate::columns::check_names;
use crate::error::{IoError, counted};
use crate::format::{IPC_CONTINUATION, IPC_FILE_MAGIC, ReadOptions};
use crate::guard::{Guarded, guard, largest_cell};
use crate::source::{Source, open_file};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{Block, Message, MessageHeader, MetadataVersion, root_as_footer, root_as_message};
use arrow_schema::{ArrowError, Schema, SchemaRef};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads batches; made by [`IpcReader::open_file`] or [`IpcReader::open_stream`].
pub(crate) struct IpcReader {
    path: String,
    frames: Frames,
    schema: SchemaRef,
    shape: IpcShape,
    dictionaries: HashMap<i64, ArrayRef>,
    batch_rows: usize,
    cell_bytes_max: usize,
    /// What is left of the batch read last. A batch is as large as its writer chose.
    batch: Option<RecordBatch>,
    batches: u64,
    next_row: u64,
}

enum Frames {
    File { file: File, name: PathBuf, size: u64, blocks: VecDeque<Block>, at: u64 },
    Stream { source: Box<Source>, head: Vec<u8>, ended: bool },
}

/// A message and its body.
struct Frame {
    metadata: Vec<u8>,
    body: Buffer,
}

impl std::fmt::Debug for IpcReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IpcReader")
            .field("path", &self.path)
            .field("next_row", &self.next_row)
            .finish_non_exhaustive()
    }
}

impl IpcReader {
    /// Opens a file with a footer.
    pub(crate) fn open_file(name: &Path, options: &ReadOptions) -> Result<IpcReader, IoError> {
        let path = name.display().to_string();
        let (mut file, size) = open_file(name, &path)?;
        let Some(size) = size else {
            return Err(IoError::usage(
                &path,
                "an Arrow file is not read from a pipe; use a stream",
            ));
        };
        let footer = read_footer(&mut file, size, &path)?;
        let bad = || IoError::bad(&path, FOOTER_CORRUPT);
        let Guarded::Done(Some(parsed)) = guard(|| parse_footer(&footer, size)) else {
            return Err(bad());
        };
        let (schema, dictionaries, blocks, key_values) = parsed;
        let mut reader = IpcReader {
            path: path.clone(),
            frames: Frames::File { file, name: name.to_owned(), size, blocks: dictionaries, at: 0 },
            schema: Arc::new(schema),
            shape: IpcShape {
                stream: false,
                codec: None,
                footer: key_values.into(),
                from_arrow: true,
            },
            dictionaries: HashMap::new(),
            batch_rows: options.batch_rows(),
            cell_bytes_max: options.cell_bytes_max(),
            batch: None,
            batches: 0,
            next_row: 0,
        };
        while let Some(frame) = reader.next_frame()? {
            if !reader.take_dictionary(&frame)? {
                return Err(bad());
            }
        }
        if let Frames::File { blocks: waiting, .. } = &mut reader.frames {
            *waiting = blocks;
        }
        reader.settle()
    }

    /// Opens a stream whose first bytes are in `head`.
    pub(crate) fn open_stream(
        source: Source,
        head: Vec<u8>,
        options: &ReadOptions,
    ) -> Result<IpcReader, IoError> {
        let path = source.path().to_owned();
        let mut reader = IpcReader {
            path,
            frames: Frames::Stream { source: Box::new(source), head, ended: false },
            schema: Arc::new(Schema::empty()),
            shape: IpcShape { stream: true, from_arrow: true, ..IpcShape::fresh() },
            dictionaries: HashMap::new(),
            batch_rows: options.batch_rows(),
            cell_bytes_max: options.cell_bytes_max(),
            batch: None,
            batches: 0,
            next_row: 0,
        };
        let Some(frame) = reader.next_frame()? else {
            return Err(IoError::bad(&reader.path, "the Arrow stream holds no schema"));
        };
        let schema = guard(|| {
            let message = root_as_message(&frame.metadata).ok()?;
            let schema = message.header_as_schema()?;
            schema.endianness().equals_to_target_endianness().then(|| fb_to_schema(schema))
        });
        let Guarded::Done(Some(schema)) = schema else {
            return Err(IoError::bad(
                &reader.path,
                "the Arrow stream begins with no usable schema",
            ));
        };
        reader.schema = Arc::new(schema);
        reader.settle()
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(crate) fn shape(&self) -> &IpcShape {
        &self.shape
    }

    pub(crate) fn progress(&self) -> (u64, Option<u64>) {
        match &self.frames {
            Frames::File { at, size, .. } => (*at, Some(*size)),
            Frames::Stream { source, .. } => source.progress(),
        }
    }

    pub(crate) fn sha256(&mut self) -> Result<String, IoError> {
        match &mut self.frames {
            Frames::File { name, .. } => crate::output::sha256_file(name),
            Frames::Stream { source, .. } => source.sha256(),
        }
    }

    /// The next rows and the number of the first. A chunk does not reach from one batch of the
    /// input into the next.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<(RecordBatch, u64)>, IoError> {
        let batch = match self.batch.take() {
            Some(batch) => batch,
            None => match self.next_batch()? {
                Some(batch) => batch,
                None => return Ok(None),
            },
        };
        let rows = batch.num_rows().min(self.batch_rows);
        if rows < batch.num_rows() {
            self.batch = Some(batch.slice(rows, batch.num_rows() - rows));
        }
        let first_row = self.next_row;
        self.next_row += rows as u64;
        Ok(Some((batch.slice(0, rows), first_row)))
    }

    /// Checks names, and reads the first batch, which tells the codec.
    fn settle(mut self) -> Result<IpcReader, IoError> {
        if self.schema.fields().is_empty() {
            return Err(IoError::bad(&self.path, "the Arrow schema has no columns"));
        }
        let names: Vec<String> =
            self.schema.fields().iter().map(|field| field.name().clone()).collect();
        check_names(&self.path, &names)?;
        self.batch = self.next_batch()?;
        Ok(self)
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, IoError> {
        loop {
            let Some(frame) = self.next_frame()? else { return Ok(None) };
            if self.take_dictionary(&frame)? {
                continue;
            }
            self.batches += 1;
            let decoded = guard(|| {
                let message = root_as_message(&frame.metadata).ok()?;
                let batch = message.header_as_record_batch()?;
                check_lengths(&batch, &frame.body)?;
                let codec = batch.compression().map(|compression| compression.codec());
                let records = read_record_batch(
                    &frame.body,
                    batch,
                    Arc::clone(&self.schema),
                    &self.dictionaries,
                    None,
                    &message.version(),
                );
                Some((records.ok()?, codec))
            });
            let Guarded::Done(Some((records, codec))) = decoded else { return Err(self.corrupt()) };
            self.shape.codec = self.shape.codec.or(codec);
            self.check_cells(&records)?;
            if records.num_rows() > 0 {
                return Ok(Some(records));
            }
        }
    }

    /// Whether the message was a dictionary.
    fn take_dictionary(&mut self, frame: &Frame) -> Result<bool, IoError> {
        let taken = guard(|| {
            let message = root_as_message(&frame.metadata).ok()?;
            if message.header_type() != MessageHeader::DictionaryBatch {
                return Some(false);
            }
            let dictionary = message.header_as_dictionary_batch()?;
            check_lengths(&dictionary.data()?, &frame.body)?;
            let read: Result<(), ArrowError> = read_dictionary(
                &frame.body,
                dictionary,
                &self.schema,
                &mut self.dictionaries,
                &message.version(),
            );
            read.ok().map(|()| true)
        });
        match taken {
            Guarded::Done(Some(taken)) => Ok(taken),
            _ => Err(self.corrupt()),
        }
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, IoError> {
        let path = &self.path;
        match &mut self.frames {
            Frames::File { file, blocks, at, .. } => {
                let Some(block) = blocks.pop_front() else { return Ok(None) };
                let frame = read_block(file, &block, path)?;
                // INVARIANT: `parse_footer` has compared the block with the size of the file.
                *at = block.offset().unsigned_abs()
                    + u64::from(block.metaDataLength().unsigned_abs())
                    + block.bodyLength().unsigned_abs();
                frame.map(Some).ok_or_else(|| corrupt(path, self.batches, self.next_row))
            }
            Frames::Stream { source, head, ended } => {
                if *ended {
                    return Ok(None);
                }
                let mut bytes = HeadThen { head, source };
                let frame = next_message(&mut bytes, path, self.batches)?;
                if frame.is_none() {
                    *ended = true;
                    if !bytes.take(1)?.is_empty() {
                        return Err(IoError::bad(path, "bytes follow the end of the Arrow stream"));
                    }
                }
                Ok(frame)
            }
        }
    }

    fn check_cells(&self, records: &RecordBatch) -> Result<(), IoError> {
        for (field, column) in self.schema.fields().iter().zip(records.columns()) {
            let largest = largest_cell(column);
            if largest > self.cell_bytes_max {
                return Err(IoError::bad(
                    &self.path,
                    format!(
                        "batch {}, column `{}`: a cell has {} bytes; the limit is {} \
                         (cell_bytes_max)",
                        counted(self.batches),
                        field.name(),
                        counted(largest as u64),
                        counted(self.cell_bytes_max as u64)
                    ),
                ));
            }
        }
        Ok(())
    }

    fn corrupt(&self) -> IoError {
        corrupt(&self.path, self.batches, self.next_row)
    }
}

fn corrupt(path: &str, batches: u64, next_row: u64) -> IoError {
    let (batch, row) = (counted(batches), counted(next_row + 1));
    let message = format!("batch {batch} (rows from {row}) cannot be decoded; the file is corrupt");
    IoError::bad(path, message)
}

/// What was read to tell the format, then the rest.
struct HeadThen<'a> {
    head: &'a mut Vec<u8>,
    source: &'a mut Source,
}

impl HeadThen<'_> {
    /// Up to `length` bytes; fewer at the end. Memory grows with what is there, not with what
    /// was promised.
    fn take(&mut self, length: usize) -> Result<Vec<u8>, IoError> {
        let from_head = length.min(self.head.len());
        let mut taken: Vec<u8> = self.head.drain(..from_head).collect();
        while taken.len() < length {
            let had = taken.len();
            taken.resize(length.min(had + STEP_BYTES), 0);
            let read = self.source.read_full(&mut taken[had..])?;
            if read < taken.len() - had {
                taken.truncate(had + read);
                break;
            }
        }
        Ok(taken)
    }
}

/// The next message of a stream; `None` at its end mark.
fn next_message(
    bytes: &mut HeadThen<'_>,
    path: &str,
    batches: u64,
) -> Result<Option<Frame>, IoError> {
    let truncated = || {
        let batch = counted(batches);
        IoError::bad(path, format!("the Arrow stream is truncated after batch {batch}"))
    };
    let corrupt = || {
        let batch = counted(batches);
        IoError::bad(path, format!("the Arrow stream is corrupt after batch {batch}"))
    };
    let four = |bytes: &mut HeadThen<'_>| -> Result<[u8; 4], IoError> {
        bytes.take(4)?.try_into().map_err(|_| truncated())
    };
    let mut length = four(bytes)?;
    // Before version 0.15 messages had no continuation marker.
    if length == IPC_CONTINUATION {
        length = four(bytes)?;
    }
    let length = usize::try_from(i32::from_le_bytes(length)).map_err(|_| corrupt())?;
    if length == 0 {
        return Ok(None);
    }
    if length > METADATA_BYTES_MAX {
        return Err(corrupt());
    }
    let metadata = bytes.take(length)?;
    if metadata.len() < length {
        return Err(truncated());
    }
    let body =
        guard(|| root_as_message(&metadata).ok().map(|message: Message<'_>| message.bodyLength()));
    let Guarded::Done(Some(body)) = body else { return Err(corrupt()) };
    let length = usize::try_from(body).map_err(|_| corrupt())?;
    let body = bytes.take(length)?;
    if body.len() < length {
        return Err(truncated());
    }
    Ok(Some(Frame { metadata, body: Buffer::from_vec(body) }))
}

fn read_block(file: &mut File, block: &Block, path: &str) -> Result<Option<Frame>, IoError> {
    let reading = |error| IoError::reading(path, &error);
    let whole = |bytes: i64| usize::try_from(bytes).unwrap_or(0);
    file.seek(SeekFrom::Start(block.offset().unsigned_abs())).map_err(reading)?;
    let mut metadata = vec![0; whole(block.metaDataLength().into())];
    file.read_exact(&mut metadata).map_err(reading)?;
    let mut body = vec![0; whole(block.bodyLength())];
    file.read_exact(&mut body).map_err(reading)?;
    // Marker and length, or before version 0.15 the length alone, stand before the message.
    let prefix = if metadata.starts_with(&IPC_CONTINUATION) { 8 } else { 4 };
    if metadata.len() < prefix {
        return Ok(None);
    }
    metadata.drain(..prefix);
    Ok(Some(Frame { metadata, body: Buffer::from_vec(body) }))
}

fn read_footer(file: &mut File, size: u64, path: &str) -> Result<Vec<u8>, IoError> {
    let reading = |error| IoError::reading(path, &error);
    let truncated = || IoError::bad(path, "the Arrow file is truncated: no footer");
    let mut magic = [0; IPC_FILE_MAGIC.len()];
    if size < FRAME_BYTES {
        return Err(truncated());
    }
    file.read_exact(&mut magic).map_err(reading)?;
    if magic != IPC_FILE_MAGIC {
        return Err(IoError::bad(path, "no Arrow file"));
    }
    let mut tail = [0; 10];
    file.seek(SeekFrom::Start(size - 10)).map_err(reading)?;
    file.read_exact(&mut tail).map_err(reading)?;
    let (length, magic) = tail.split_at(4);
    if magic != IPC_FILE_MAGIC {
        return Err(truncated());
    }
    let length = i32::from_le_bytes(length.try_into().expect("cut to four bytes"));
    let length = u64::try_from(length).ok().filter(|length| *length <= size - FRAME_BYTES);
    let Some(length) = length else { return Err(IoError::bad(path, FOOTER_CORRUPT)) };
    file.seek(SeekFrom::Start(size - 10 - length)).map_err(reading)?;
    let mut footer = vec![0; usize::try_from(length).map_err(|_| truncated())?];
    file.read_exact(&mut footer).map_err(reading)?;
    Ok(footer)
}

type Footer = (Schema, VecDeque<Block>, VecDeque<Block>, Vec<(String, String)>);

/// `None` for anything but a footer that fits its file.
fn parse_footer(footer: &[u8], size: u64) -> Option<Footer> {
    let footer = root_as_footer(footer).ok()?;
    let schema = footer.schema()?;
    if !schema.endianness().equals_to_target_endianness() || footer.version() < MetadataVersion::V4
    {
        return None;
    }
    let fits = |block: &Block| {
        let metadata = u64::try_from(block.metaDataLength()).ok()?;
        let body = u64::try_from(block.bodyLength()).ok()?;
        let end = u64::try_from(block.offset()).ok()?.checked_add(metadata)?.checked_add(body)?;
        (end <= size && metadata <= METADATA_BYTES_MAX as u64).then_some(*block)
    };
    let dictionaries = footer.dictionaries().into_iter().flatten().map(fits);
    let batches = footer.recordBatches()?.iter().map(fits);
    let mut key_values = BTreeMap::new();
    for entry in footer.custom_metadata().into_iter().flatten() {
        key_values.insert(entry.key()?.to_owned(), entry.value().unwrap_or_default().to_owned());
    }
    Some((
        fb_to_schema(schema),
        dictionaries.collect::<Option<_>>()?,
        batches.collect::<Option<_>>()?,
        key_values.into_iter().collect(),
    ))
}

/// Lengths that the decoder would allocate before it looks.
fn check_lengths(batch: &arrow_ipc::RecordBatch<'_>, body: &Buffer) -> Option<()> {
    if !(0..=ROWS_MAX).contains(&batch.length()) {
        return None;
    }
    for buffer in batch.buffers()? {
        let start = usize::try_from(buffer.offset()).ok()?;
        let length = usize::try_from(buffer.length()).ok()?;
        let bytes = body.get(start..start.checked_add(length)?)?;
        if batch.compression().is_none() || bytes.is_empty() {
            continue;
        }
        let promised = i64::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
        let possible = (length as u64).saturating_mul(RATIO_MAX).min(BUFFER_BYTES_MAX);
        if promised < -1 || u64::try_from(promised).is_ok_and(|promised| promised > possible) {
            return None;
        }
    }
    Some(())
}

const FOOTER_CORRUPT: &str = "the Arrow footer cannot be read; the file is truncated or corrupt";
/// Magic and padding before, footer length and magic behind.
const FRAME_BYTES: u64 = 18;
/// Bytes of one message without its body.
const METADATA_BYTES_MAX: usize = 64 << 20;
/// Rows of one batch.
const ROWS_MAX: i64 = 1 << 31;
/// Bytes of one buffer, unpacked.
const BUFFER_BYTES_MAX: u64 = 4 << 30;
/// What Zstandard can make of a byte at best, roughly: 128 KiB out of 4 bytes.
const RATIO_MAX: u64 = 1 << 15;
/// Bytes read at a time into a body.
const STEP_BYTES: usize = 16 << 20;
