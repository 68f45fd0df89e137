//! Files written again: some rows go, some cells change, and all else stays as it is stored.

use crate::{Cancel, Result};
use allonym_io::{
    Finished, Format, Input, Output, ReadOptions, Reader, RowGroups, RowGroupsWriter, Untouched,
    Writer,
};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, make_array};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, SchemaRef};
use arrow_select::filter::filter_record_batch;
use std::path::Path;
use std::sync::Arc;

/// Says what becomes of the rows of one file.
pub(crate) trait Edit {
    /// Columns as they are written: those of the file, some perhaps nullable now.
    fn schema(&self) -> &SchemaRef;

    /// Whether cells of a column may change.
    fn touches(&self, column: usize) -> bool;

    /// What becomes of a Parquet row group, as far as that is known without reading it.
    fn fate(&self, group: usize) -> Fate;

    /// What becomes of some rows.
    ///
    /// # Errors
    /// What cannot be read as the edit needs it.
    fn edit(&mut self, records: &RecordBatch, first_row: u64) -> Result<Edited>;
}

/// What becomes of a row group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nothing happens to it: it is taken over as stored.
    Stays,
    /// All of it goes.
    Goes,
    /// Its rows are looked at.
    Open,
}

/// Some rows, edited. Every mask has a bit for each row that came in.
pub(crate) struct Edited {
    /// All rows, with their cells changed.
    pub(crate) records: RecordBatch,
    /// Rows that stay.
    pub(crate) keep: BooleanBuffer,
    /// Rows that are set aside; they do not stay.
    pub(crate) aside: BooleanBuffer,
    /// Rows with a changed cell.
    pub(crate) touched: BooleanBuffer,
}

/// A file that was written again, and waits to take its place.
pub(crate) struct Rewritten {
    pub(crate) finished: Finished,
    /// Rows that were set aside, if there were any.
    pub(crate) aside: Option<Finished>,
}

/// Writes `source` again to `target`, and rows that are set aside to `aside`, in the format, codec,
/// dialect and order they have.
///
/// # Errors
/// What reading, editing and writing say; nothing is visible then.
pub(crate) fn rewrite(
    source: &Path,
    read: &ReadOptions,
    target: &Path,
    aside: Option<&Path>,
    edit: &mut dyn Edit,
    cancel: &Cancel,
    told: &dyn Fn(u64, Option<u64>),
) -> Result<Rewritten> {
    let mut reader = Reader::open(&Input::File(source.to_owned()), read)?;
    let mut set_aside = Aside { path: aside, writer: None };
    let finished = if reader.shape().format == Format::Parquet {
        regroup(source, read, target, edit, &mut set_aside, &reader, cancel, told)?
    } else {
        let untouched = untouched(&reader, edit);
        let output = Output::File(target.to_owned());
        let mut writer = Writer::create(&output, reader.shape(), edit.schema(), &untouched, true)?;
        while let Some(chunk) = reader.next_chunk()? {
            cancel.check()?;
            let edited = edit.edit(&chunk.records, chunk.first_row)?;
            set_aside.take(&reader, edit, &edited, &chunk)?;
            let dress = chunk.dress.edited(&edited.keep, &edited.touched);
            writer.write(&rows(&edited.records, &edited.keep)?, &dress)?;
            let (bytes, size) = reader.progress();
            told(bytes, size);
        }
        writer.finish()?
    };
    let aside = set_aside.writer.map(Writer::finish).transpose()?;
    Ok(Rewritten { finished, aside })
}

fn regroup(
    source: &Path,
    read: &ReadOptions,
    target: &Path,
    edit: &mut dyn Edit,
    set_aside: &mut Aside<'_>,
    reader: &Reader,
    cancel: &Cancel,
    told: &dyn Fn(u64, Option<u64>),
) -> Result<Finished> {
    let groups = RowGroups::open(source, read)?;
    let mut writer = RowGroupsWriter::create(target, &groups, edit.schema(), true)?;
    let columns: Vec<usize> = (0..groups.schema().fields().len()).collect();
    let all: u64 = groups.rows().iter().sum();
    let mut first_row = 0;
    for (group, &of_group) in groups.rows().iter().enumerate() {
        cancel.check()?;
        match edit.fate(group) {
            Fate::Goes => {}
            Fate::Stays if writer.copies() => writer.copy(group)?,
            Fate::Stays | Fate::Open => {
                writer.begin(of_group);
                let mut row = first_row;
                let mut failed = None;
                let read = groups.read(group, &columns, &mut |records| {
                    let mut one = || -> Result<()> {
                        cancel.check()?;
                        let edited = edit.edit(&records, row)?;
                        set_aside.take_rows(reader, edit, &edited)?;
                        writer.write(&rows(&edited.records, &edited.keep)?)?;
                        Ok(())
                    };
                    // After a failure the rest of the group is passed over.
                    if failed.is_none() {
                        failed = one().err();
                    }
                    row += records.num_rows() as u64;
                    Ok(())
                });
                if let Some(failure) = failed {
                    return Err(failure);
                }
                read?;
                writer.end()?;
            }
        }
        first_row += of_group;
        told(first_row, Some(all));
    }
    Ok(writer.finish()?)
}

/// Where rows go that are set aside; made when the first one comes.
struct Aside<'a> {
    path: Option<&'a Path>,
    writer: Option<Writer>,
}

impl Aside<'_> {
    fn take(
        &mut self,
        reader: &Reader,
        edit: &dyn Edit,
        edited: &Edited,
        chunk: &allonym_io::Chunk,
    ) -> Result<()> {
        if let Some(writer) = self.writer(reader, edit, edited)? {
            let dress = chunk.dress.edited(&edited.aside, &edited.touched);
            writer.write(&rows(&edited.records, &edited.aside)?, &dress)?;
        }
        Ok(())
    }

    fn take_rows(&mut self, reader: &Reader, edit: &dyn Edit, edited: &Edited) -> Result<()> {
        if let Some(writer) = self.writer(reader, edit, edited)? {
            let rows = rows(&edited.records, &edited.aside)?;
            writer.write(&rows, &allonym_io::Dress::default())?;
        }
        Ok(())
    }

    fn writer(
        &mut self,
        reader: &Reader,
        edit: &dyn Edit,
        edited: &Edited,
    ) -> Result<Option<&mut Writer>> {
        let (Some(path), true) = (self.path, edited.aside.count_set_bits() > 0) else {
            return Ok(None);
        };
        if self.writer.is_none() {
            let output = Output::File(path.to_owned());
            let untouched = untouched(reader, edit);
            let shape = reader.shape();
            self.writer = Some(Writer::create(&output, shape, edit.schema(), &untouched, true)?);
        }
        Ok(self.writer.as_mut())
    }
}

/// CSV remembers for every cell how it stood, and quotes a changed one where it must; lines of JSON
/// are taken apart for columns that may change. A dictionary in an Arrow file is made anew for every
/// column, or it would list values whose rows are gone.
fn untouched(reader: &Reader, edit: &dyn Edit) -> Untouched {
    let stays = |at: usize| match reader.shape().format {
        Format::Csv => true,
        Format::Ipc => false,
        _ => !edit.touches(at),
    };
    (0..edit.schema().fields().len()).map(|at| stays(at).then_some(at)).collect()
}

fn rows(records: &RecordBatch, keep: &BooleanBuffer) -> Result<RecordBatch> {
    let kept = if keep.count_set_bits() == keep.len() {
        records.clone()
    } else {
        filter_record_batch(records, &BooleanArray::new(keep.clone(), None))?
    };
    let columns = kept.columns().iter().map(compacted).collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(kept.num_rows()));
    Ok(RecordBatch::try_new_with_options(kept.schema(), columns, &options)?)
}

/// Views point into buffers that still hold the cells of rows that went, and Arrow files would be
/// written with all of them.
fn compacted(column: &ArrayRef) -> Result<ArrayRef> {
    Ok(match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()),
        DataType::BinaryView => Arc::new(column.as_binary_view().gc()),
        nested if nested.is_nested() && !matches!(nested, DataType::Union(..)) => {
            let data = column.to_data();
            let mut children = Vec::new();
            for child in data.child_data() {
                children.push(compacted(&make_array(child.clone()))?.to_data());
            }
            make_array(data.into_builder().child_data(children).build()?)
        }
        _ => Arc::clone(column),
    })
}
