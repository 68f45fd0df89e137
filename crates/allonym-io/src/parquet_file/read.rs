//! Parquet into batches, groups of columns side by side.

use super::ParquetShape;
use super::footer::is_sound;
use crate::columns::check_names;
use crate::error::{IoError, counted};
use crate::format::{CHUNK_BYTES, PARQUET_MAGIC, ReadOptions};
use crate::guard::{Guarded, guard, largest_cell};
use crate::source::open_file;
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaData;
use rayon::prelude::*;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Reads batches; made by [`ParquetReader::open`].
pub(crate) struct ParquetReader {
    path: String,
    file: PathBuf,
    size: u64,
    metadata: ArrowReaderMetadata,
    shape: ParquetShape,
    batch_rows: usize,
    cell_bytes_max: usize,
    lanes: Vec<Lane>,
    rows: u64,
    next_row: u64,
}

/// Columns decoded together, on one thread, from a file handle of their own: handles that are
/// cloned share their position.
struct Lane {
    columns: Vec<usize>,
    reader: ParquetRecordBatchReader,
}

impl std::fmt::Debug for ParquetReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetReader")
            .field("path", &self.path)
            .field("next_row", &self.next_row)
            .finish_non_exhaustive()
    }
}

impl ParquetReader {
    pub(crate) fn open(file: &Path, options: &ReadOptions) -> Result<ParquetReader, IoError> {
        let path = file.display().to_string();
        let (mut opened, size) = open_file(file, &path)?;
        let Some(size) = size else {
            return Err(IoError::usage(&path, "Parquet is read from a file, not from a pipe"));
        };
        refuse_other_formats(&mut opened, size, &path)?;
        let corrupt = || IoError::bad(&path, FOOTER_CORRUPT);
        let loaded = guard(|| ArrowReaderMetadata::load(&opened, ArrowReaderOptions::new()));
        let Guarded::Done(Ok(metadata)) = loaded else { return Err(corrupt()) };
        let shape = ParquetShape::of(metadata.metadata()).ok_or_else(corrupt)?;
        let names: Vec<String> =
            metadata.schema().fields().iter().map(|field| field.name().clone()).collect();
        check_names(&path, &names)?;
        let mut rows: u64 = 0;
        for group in shape.row_groups.iter() {
            rows = rows.checked_add(*group).ok_or_else(corrupt)?;
        }

        let batch_rows = batch_rows(metadata.metadata(), options.batch_rows());
        let mut reader = ParquetReader {
            path,
            file: file.to_owned(),
            size,
            metadata,
            shape,
            batch_rows,
            cell_bytes_max: options.cell_bytes_max(),
            lanes: Vec::new(),
            rows,
            next_row: 0,
        };
        reader.lanes = reader.open_lanes()?;
        Ok(reader)
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    pub(crate) fn shape(&self) -> &ParquetShape {
        &self.shape
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The share of rows read stands for the share of bytes.
    pub(crate) fn progress(&self) -> (u64, Option<u64>) {
        let done = u128::from(self.size) * u128::from(self.next_row);
        let done = done.checked_div(u128::from(self.rows)).unwrap_or_else(|| self.size.into());
        (u64::try_from(done).unwrap_or(self.size), Some(self.size))
    }

    /// The next rows and the number of the first.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<(RecordBatch, u64)>, IoError> {
        let left = self.rows - self.next_row;
        if left == 0 {
            return Ok(None);
        }
        let width = self.schema().fields().len();
        let mut columns: Vec<Option<ArrayRef>> = vec![None; width];
        let mut rows = None;
        let decoded: Vec<Option<RecordBatch>> =
            self.lanes.par_iter_mut().map(|lane| decode(&mut lane.reader)).collect();
        for (lane, batch) in self.lanes.iter().zip(decoded) {
            let Some(batch) = batch else { return Err(self.corrupt()) };
            if rows.is_some_and(|rows| rows != batch.num_rows()) || batch.num_rows() == 0 {
                return Err(self.corrupt());
            }
            rows = Some(batch.num_rows());
            for (at, column) in lane.columns.iter().zip(batch.columns()) {
                columns[*at] = Some(Arc::clone(column));
            }
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX);
        let rows = rows.unwrap_or_else(|| most.min(self.batch_rows));
        let columns: Option<Vec<ArrayRef>> = columns.into_iter().collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let records = columns.and_then(|columns| {
            RecordBatch::try_new_with_options(Arc::clone(self.schema()), columns, &options).ok()
        });
        let Some(records) = records.filter(|_| rows <= most) else { return Err(self.corrupt()) };
        for (field, column) in records.schema_ref().fields().iter().zip(records.columns()) {
            let largest = largest_cell(column);
            if largest > self.cell_bytes_max {
                return Err(IoError::bad(
                    &self.path,
                    format!(
                        "rows {} to {}, column `{}`: a cell has {} bytes; the limit is {} \
                         (cell_bytes_max)",
                        counted(self.next_row + 1),
                        counted(self.next_row + rows as u64),
                        field.name(),
                        counted(largest as u64),
                        counted(self.cell_bytes_max as u64)
                    ),
                ));
            }
        }
        let first_row = self.next_row;
        self.next_row += rows as u64;
        Ok(Some((records, first_row)))
    }

    fn open_lanes(&self) -> Result<Vec<Lane>, IoError> {
        let width = self.schema().fields().len();
        let descriptor = self.metadata.metadata().file_metadata().schema_descr();
        let mut weights = vec![0_u64; width];
        for group in self.metadata.metadata().row_groups() {
            for (leaf, column) in group.columns().iter().enumerate() {
                let weight = u64::try_from(column.uncompressed_size()).unwrap_or(0);
                let root = &mut weights[descriptor.get_column_root_idx(leaf)];
                *root = root.saturating_add(weight);
            }
        }
        // The heaviest column goes to the lightest lane, and so on.
        let lanes = rayon::current_num_threads().clamp(1, LANES_MAX).min(width);
        let mut shares = vec![(0_u64, Vec::new()); lanes];
        let mut by_weight: Vec<usize> = (0..width).collect();
        by_weight.sort_by_key(|column| std::cmp::Reverse(weights[*column]));
        for column in by_weight {
            let share = shares.iter_mut().min_by_key(|(weight, columns)| (*weight, columns.len()));
            let (weight, columns) = share.expect("there is a lane for every file with columns");
            *weight = weight.saturating_add(weights[column]);
            columns.push(column);
        }
        shares
            .into_iter()
            .map(|(_, mut columns)| {
                columns.sort_unstable();
                let reader = self.reader(&columns, None)?.ok_or_else(|| self.corrupt())?;
                Ok(Lane { columns, reader })
            })
            .collect()
    }

    /// What the footer says.
    pub(crate) fn metadata(&self) -> &ParquetMetaData {
        self.metadata.metadata()
    }

    /// Some columns of one row group, batch by batch: the rows in order, as many as the group has.
    pub(crate) fn read_group(
        &self,
        group: usize,
        columns: &[usize],
        take: &mut dyn FnMut(RecordBatch) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        let rows = self.shape.row_groups.get(group).copied().unwrap_or(0);
        let corrupt = || {
            let of = self.shape.row_groups.len();
            let message =
                format!("row group {} of {of} cannot be decoded; the file is corrupt", group + 1);
            IoError::bad(&self.path, message)
        };
        let mut reader = self.reader(columns, Some(group))?.ok_or_else(corrupt)?;
        let mut read = 0;
        while read < rows {
            let batch = decode(&mut reader).ok_or_else(corrupt)?;
            read += batch.num_rows() as u64;
            if batch.num_rows() == 0 || read > rows {
                return Err(corrupt());
            }
            for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
                let largest = largest_cell(column);
                if largest > self.cell_bytes_max {
                    let message = format!(
                        "row group {}, column `{}`: a cell has {} bytes; the limit is {} \
                         (cell_bytes_max)",
                        group + 1,
                        field.name(),
                        counted(largest as u64),
                        counted(self.cell_bytes_max as u64)
                    );
                    return Err(IoError::bad(&self.path, message));
                }
            }
            take(batch)?;
        }
        Ok(())
    }

    /// A reader of some columns, of all row groups or of one.
    fn reader(
        &self,
        columns: &[usize],
        row_group: Option<usize>,
    ) -> Result<Option<ParquetRecordBatchReader>, IoError> {
        let (file, _) = open_file(&self.file, &self.path)?;
        let descriptor = self.metadata.metadata().file_metadata().schema_descr();
        let projection = ProjectionMask::roots(descriptor, columns.iter().copied());
        let built = guard(|| {
            let mut builder =
                ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
                    .with_batch_size(self.batch_rows)
                    .with_projection(projection);
            if let Some(row_group) = row_group {
                builder = builder.with_row_groups(vec![row_group]);
            }
            builder.build()
        });
        match built {
            Guarded::Done(Ok(reader)) => Ok(Some(reader)),
            _ => Ok(None),
        }
    }

    /// What the decoder says quotes data; where it stumbles is found by decoding the row group
    /// column by column.
    fn corrupt(&self) -> IoError {
        let (mut first, mut at) = (0, 0);
        for (group, rows) in self.shape.row_groups.iter().enumerate() {
            (first, at) =
                (first + if group > 0 { self.shape.row_groups[group - 1] } else { 0 }, group);
            if self.next_row < first + rows {
                break;
            }
        }
        // A chunk may reach into the next row group.
        for group in [at, at + 1] {
            let Some(rows) = self.shape.row_groups.get(group) else { break };
            for (column, field) in self.schema().fields().iter().enumerate() {
                if self.decodes(column, group, *rows) {
                    continue;
                }
                return IoError::bad(
                    &self.path,
                    format!(
                        "row group {} of {}, column `{}` cannot be decoded; the file is corrupt",
                        group + 1,
                        self.shape.row_groups.len(),
                        field.name()
                    ),
                );
            }
        }
        let row = counted(self.next_row + 1);
        IoError::bad(&self.path, format!("rows from {row} cannot be decoded; the file is corrupt"))
    }

    fn decodes(&self, column: usize, group: usize, rows: u64) -> bool {
        let Ok(Some(mut reader)) = self.reader(&[column], Some(group)) else { return false };
        let mut decoded = 0;
        while decoded < rows {
            match decode(&mut reader) {
                Some(batch) if batch.num_rows() > 0 => decoded += batch.num_rows() as u64,
                _ => return false,
            }
        }
        decoded == rows
    }
}

fn decode(reader: &mut ParquetRecordBatchReader) -> Option<RecordBatch> {
    match guard(|| reader.next()) {
        Guarded::Done(Some(Ok(batch))) => Some(batch),
        _ => None,
    }
}

fn refuse_other_formats(file: &mut File, size: u64, path: &str) -> Result<(), IoError> {
    let reading = |error| IoError::reading(path, &error);
    if size == 0 {
        return Err(IoError::bad(path, "the input is empty (0 bytes)"));
    }
    let mut magic = [0; PARQUET_MAGIC.len()];
    let head = size.min(magic.len() as u64);
    let head = &mut magic[..usize::try_from(head).unwrap_or(0)];
    file.read_exact(head).map_err(reading)?;
    let begins = head == PARQUET_MAGIC;
    if head == b"PARE" {
        return Err(IoError::bad(path, "encrypted Parquet is not supported; decrypt it first"));
    }
    if size < FOOTER_BYTES_MIN {
        return Err(IoError::bad(path, "no Parquet file, or truncated"));
    }
    file.seek(SeekFrom::Start(size - TAIL_BYTES)).map_err(reading)?;
    let mut length = [0; 4];
    file.read_exact(&mut length).map_err(reading)?;
    file.read_exact(&mut magic).map_err(reading)?;
    match (begins, magic == PARQUET_MAGIC) {
        (true, true) => read_footer(file, size, u32::from_le_bytes(length), path),
        (true, false) => Err(IoError::bad(path, "the Parquet file is truncated: no footer")),
        (false, _) => Err(IoError::bad(path, "no Parquet file")),
    }
}

fn read_footer(file: &mut File, size: u64, length: u32, path: &str) -> Result<(), IoError> {
    let reading = |error| IoError::reading(path, &error);
    let length = u64::from(length);
    if length > size - FOOTER_BYTES_MIN {
        return Err(IoError::bad(path, FOOTER_CORRUPT));
    }
    file.seek(SeekFrom::Start(size - TAIL_BYTES - length)).map_err(reading)?;
    let mut footer = Vec::new();
    file.take(length).read_to_end(&mut footer).map_err(reading)?;
    if is_sound(&footer) { Ok(()) } else { Err(IoError::bad(path, FOOTER_CORRUPT)) }
}

/// Fewer rows at a time when the footer announces fat ones.
fn batch_rows(metadata: &ParquetMetaData, wanted: usize) -> usize {
    let mut rows = wanted;
    for group in metadata.row_groups() {
        let plain: i64 = group.columns().iter().fold(0_i64, |sum, column| {
            let text = column.unencoded_byte_array_data_bytes().unwrap_or(0);
            sum.saturating_add(column.uncompressed_size().max(text))
        });
        let (plain, count) = (plain.max(1), group.num_rows().max(1));
        let row_bytes = usize::try_from(plain / count).unwrap_or(usize::MAX).max(1);
        rows = rows.min((CHUNK_BYTES / row_bytes).max(1));
    }
    rows
}

/// Column groups decoded side by side.
const LANES_MAX: usize = 16;
const FOOTER_CORRUPT: &str = "the Parquet footer cannot be read; the file is truncated or corrupt";
/// The footer's length and the magic behind it.
const TAIL_BYTES: u64 = 8;
/// Magic, an empty footer's length, magic.
const FOOTER_BYTES_MIN: u64 = 12;
