//! A Parquet file row group by row group: those that nothing happens to are taken over as stored.

use super::ParquetShape;
use super::read::ParquetReader;
use super::write::ParquetWriter;
use crate::error::IoError;
use crate::format::ReadOptions;
use crate::guard::{Guarded, guard};
use crate::output::{Finished, Output, Sink};
use crate::source::open_file;
use arrow_array::{Array, ArrayRef, RecordBatch, UInt64Array};
use arrow_schema::SchemaRef;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// An open Parquet file, group by group.
#[derive(Debug)]
pub struct RowGroups {
    reader: ParquetReader,
}

/// What the footer says of one column: one value for each row group, null where it says nothing.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// No value of the group is less.
    pub least: ArrayRef,
    /// No value of the group is greater.
    pub greatest: ArrayRef,
    /// Null cells.
    pub nulls: UInt64Array,
}

impl RowGroups {
    /// Opens and reads the footer.
    ///
    /// # Errors
    /// Missing, empty, no Parquet, not permitted, or with a footer that is corrupt.
    pub fn open(file: &Path, options: &ReadOptions) -> Result<RowGroups, IoError> {
        Ok(RowGroups { reader: ParquetReader::open(file, options)? })
    }

    /// Columns.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        self.reader.schema()
    }

    /// Rows of each group, in order.
    #[must_use]
    pub fn rows(&self) -> &[u64] {
        &self.reader.shape().row_groups
    }

    /// Bounds of a column that is not nested; `None` when the footer has none that can be read.
    /// Bounds of text may be cut short by the writer; those of numbers and times are exact.
    #[must_use]
    pub fn bounds(&self, column: usize) -> Option<Bounds> {
        let metadata = self.reader.metadata();
        let name = self.schema().fields().get(column)?.name();
        let read = || {
            let schema = metadata.file_metadata().schema_descr();
            // A writer that counts no nulls does not say that there are none.
            let statistics = StatisticsConverter::try_new(name, self.schema(), schema)
                .ok()?
                .with_missing_null_counts_as_zero(false);
            let groups = metadata.row_groups();
            Some(Bounds {
                least: statistics.row_group_mins(groups).ok()?,
                greatest: statistics.row_group_maxes(groups).ok()?,
                nulls: statistics.row_group_null_counts(groups).ok()?,
            })
        };
        let bounds = match guard(read) {
            Guarded::Done(bounds) => bounds?,
            Guarded::Panicked => return None,
        };
        let groups = self.rows().len();
        let whole = [bounds.least.len(), bounds.greatest.len(), bounds.nulls.len()];
        whole.iter().all(|length| *length == groups).then_some(bounds)
    }

    /// Some columns of one group, batch by batch, in order.
    ///
    /// # Errors
    /// What cannot be decoded, a cell over the limit, and what `take` says.
    pub fn read(
        &self,
        group: usize,
        columns: &[usize],
        take: &mut dyn FnMut(RecordBatch) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        self.reader.read_group(group, columns, take)
    }
}

/// Writes the groups of a file again: as stored, or with other rows. Dropped without `finish`, it
/// leaves nothing behind.
#[derive(Debug)]
pub struct RowGroupsWriter {
    writer: ParquetWriter,
    file: File,
    /// With the page indexes, which readers pass over.
    metadata: Option<ParquetMetaData>,
    path: String,
    rows: u64,
}

impl RowGroupsWriter {
    /// A file like `source`, with the columns of `schema`, which are those of `source` in the same
    /// places; some may have become nullable.
    ///
    /// # Errors
    /// The file cannot be created or `source` is gone.
    pub fn create(
        target: &Path,
        source: &RowGroups,
        schema: &SchemaRef,
        force: bool,
    ) -> Result<RowGroupsWriter, IoError> {
        let path = target.display().to_string();
        let sink = Sink::create(&Output::File(target.to_owned()), force)?;
        // Groups are announced one by one, so the source's own plan of them is left out.
        let shape = ParquetShape { row_groups: Arc::from([]), ..source.reader.shape().clone() };
        let untouched: Vec<Option<usize>> = (0..schema.fields().len()).map(Some).collect();
        let writer = ParquetWriter::create(&path, sink, Some(&shape), schema, &untouched)?;
        let (file, _) = open_file(source.reader.file(), &path)?;
        let stored = source.reader.metadata().file_metadata().schema_descr();
        let load = || {
            let mut reader =
                ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional);
            reader.try_parse(&file).ok().and_then(|()| reader.finish().ok())
        };
        let metadata = match guard(load) {
            Guarded::Done(Some(metadata)) if writer.stores_as(stored) => Some(metadata),
            _ => None,
        };
        Ok(RowGroupsWriter { writer, file, metadata, path, rows: 0 })
    }

    /// Whether groups can be taken over as stored: not where a column is stored in another way now.
    #[must_use]
    pub fn copies(&self) -> bool {
        self.metadata.is_some()
    }

    /// Takes over a group as it is stored. No page is decoded.
    ///
    /// # Errors
    /// The source is cut short, the disk is full, or [`RowGroupsWriter::copies`] is false.
    pub fn copy(&mut self, group: usize) -> Result<(), IoError> {
        let Some(metadata) = &self.metadata else {
            return Err(IoError::usage(&self.path, "the columns are stored in another way now"));
        };
        self.writer.copy_group(&self.file, metadata, group)?;
        self.rows += u64::try_from(metadata.row_group(group).num_rows()).unwrap_or(0);
        Ok(())
    }

    /// Begins a group of at most so many rows.
    pub fn begin(&mut self, rows: u64) {
        self.writer.begin_group(rows);
    }

    /// Appends rows to the group that was begun.
    ///
    /// # Errors
    /// The disk is full, or a value has no form.
    pub fn write(&mut self, records: &RecordBatch) -> Result<(), IoError> {
        self.rows += records.num_rows() as u64;
        self.writer.write(records)
    }

    /// Ends the group that was begun. A group without rows is none.
    ///
    /// # Errors
    /// The disk is full, or a value has no form.
    pub fn end(&mut self) -> Result<(), IoError> {
        self.writer.end_own_group()
    }

    /// Ends the file: flushed and fsynced beside its final name, not yet visible.
    ///
    /// # Errors
    /// The disk is full or failing.
    pub fn finish(self) -> Result<Finished, IoError> {
        self.writer.finish()?.finish(&self.path, self.rows)
    }
}
