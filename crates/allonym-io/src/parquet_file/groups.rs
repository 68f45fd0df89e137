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
        let (file, _) = open_file(source.reader.file(), &path)?;
        let stored = source.reader.metadata().file_metadata().schema_descr();
        let load = || {
            let mut reader =
                ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional);
            reader.try_parse(&file).ok().and_then(|()| reader.finish().ok())
        };
        let metadata = match guard(load) {
            Guarded::Done(metadata) => metadata,
            Guarded::Panicked => None,
        };
        // Many writers index no pages. A file has the index for every column of every group or for
        // none, so groups that are written anew go without where those that are copied have none.
        let page_index = metadata.as_ref().is_none_or(has_page_index);
        // Groups are announced one by one, so the source's own plan of them is left out.
        let shape =
            ParquetShape { row_groups: Arc::from([]), page_index, ..source.reader.shape().clone() };
        let untouched: Vec<Option<usize>> = (0..schema.fields().len()).map(Some).collect();
        let writer = ParquetWriter::create(&path, sink, Some(&shape), schema, &untouched)?;
        let metadata = metadata.filter(|_| writer.stores_as(stored));
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

/// Whether every column of every group has the places of its pages.
fn has_page_index(metadata: &ParquetMetaData) -> bool {
    let columns = metadata.row_groups().iter().flat_map(|group| group.columns());
    let mut columns = columns.peekable();
    columns.peek().is_none() || columns.all(|column| column.offset_index_offset().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, Int64Array};
    use parquet::arrow::ArrowWriter;
    use parquet::file::properties::{EnabledStatistics, WriterProperties};
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    /// Three groups of ten rows.
    fn written(path: &Path, page_index: bool) -> RecordBatch {
        let level = if page_index { EnabledStatistics::Page } else { EnabledStatistics::Chunk };
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(10))
            .set_statistics_enabled(level)
            .set_offset_index_disabled(!page_index)
            .build();
        let column: ArrayRef = Arc::new((0..30).collect::<Int64Array>());
        let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
        let file = File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        batch
    }

    #[test]
    fn groups_are_copied_beside_new_ones_with_an_index_of_pages_or_without() {
        let folder = tempfile::tempdir().unwrap();
        for page_index in [true, false] {
            let (from, to) = (folder.path().join("from"), folder.path().join("to"));
            let batch = written(&from, page_index);
            let source = RowGroups::open(&from, &ReadOptions::default()).unwrap();
            let mut writer = RowGroupsWriter::create(&to, &source, &batch.schema(), true).unwrap();
            writer.begin(4);
            writer.write(&batch.slice(6, 4)).unwrap();
            writer.end().unwrap();
            writer.copy(1).unwrap();
            writer.copy(2).unwrap();
            writer.finish().unwrap().commit().unwrap();
            let stored = |path: &Path| {
                let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
                reader.metadata().clone()
            };
            let (before, after) = (stored(&from), stored(&to));
            let bytes = |path: &Path, column: &parquet::file::metadata::ColumnChunkMetaData| {
                let (start, length) = column.byte_range();
                let range =
                    usize::try_from(start).unwrap()..usize::try_from(start + length).unwrap();
                std::fs::read(path).unwrap()[range].to_vec()
            };
            for group in [1, 2] {
                let (old, new) =
                    (before.row_group(group).column(0), after.row_group(group).column(0));
                assert_eq!(bytes(&from, old), bytes(&to, new));
                assert_eq!(old.statistics(), new.statistics());
                assert_eq!(new.offset_index_offset().is_some(), page_index);
            }
            assert_eq!(after.row_group(0).num_rows(), 4);
            let again = RowGroups::open(&to, &ReadOptions::default()).unwrap();
            let mut values = Vec::new();
            for group in 0..3 {
                let take = &mut |records: RecordBatch| {
                    let column = records.column(0).as_any().downcast_ref::<Int64Array>();
                    values.extend(column.unwrap().values().to_vec());
                    Ok(())
                };
                again.read(group, &[0], take).unwrap();
            }
            assert_eq!(values, (6..30).collect::<Vec<i64>>());
        }
    }
}
