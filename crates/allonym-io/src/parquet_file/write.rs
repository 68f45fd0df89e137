//! Batches into Parquet, columns encoded side by side.

use super::{ARROW_SCHEMA_KEY, ParquetShape, default_codec};
use crate::columns::NO_COLUMN;
use crate::error::IoError;
use crate::format::BATCH_ROWS;
use crate::guard::{Guarded, guard};
use crate::output::Sink;
use crate::slices::Slices;
use arrow_array::{RecordBatch, new_null_array};
use arrow_schema::{Field, Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, ArrowWriter,
    ArrowWriterOptions, compute_leaves,
};
use parquet::basic::Type as Physical;
use parquet::bloom_filter::Sbbf;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor, Type, TypePtr};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// Writes batches; made by [`ParquetWriter::create`].
///
/// Bytes do not depend on how rows are cut into calls: rows are encoded in slices of 8,192 rows
/// counted from the start of their row group, and a row group ends where the input's did, or
/// where at the end of a slice its limits are reached.
pub(crate) struct ParquetWriter {
    path: String,
    writer: SerializedFileWriter<Sink>,
    factory: ArrowRowGroupWriterFactory,
    schema: SchemaRef,
    slices: Slices,
    /// Rows that the input's row groups still hold, the current one first.
    planned: std::vec::IntoIter<u64>,
    /// Rows until the current row group must end.
    group_left: u64,
    group_rows: u64,
    /// Writers of the leaves of each column.
    columns: Option<Vec<Vec<ArrowColumnWriter>>>,
    groups: usize,
    /// Encoded bytes after which a row group ends.
    group_bytes_max: usize,
    page_index: bool,
}

impl std::fmt::Debug for ParquetWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetWriter").field("path", &self.path).finish_non_exhaustive()
    }
}

impl ParquetWriter {
    pub(crate) fn create(
        path: &str,
        sink: Sink,
        shape: Option<&ParquetShape>,
        schema: &SchemaRef,
        untouched: &[Option<usize>],
    ) -> Result<ParquetWriter, IoError> {
        if schema.fields().is_empty() {
            return Err(IoError::usage(path, NO_COLUMN));
        }
        let descriptor = descriptor(path, shape, schema, untouched)?;
        let properties = properties(shape, schema, &descriptor);
        let options =
            ArrowWriterOptions::new().with_properties(properties).with_parquet_schema(descriptor);
        let (writer, factory) =
            ArrowWriter::try_new_with_options(sink, Arc::clone(schema), options)
                .and_then(ArrowWriter::into_serialized_writer)
                .map_err(|error| rewrite(path, &error))?;
        let planned = shape.map(|shape| shape.row_groups.to_vec()).unwrap_or_default();
        let mut writer = ParquetWriter {
            path: path.to_owned(),
            writer,
            factory,
            schema: Arc::clone(schema),
            slices: Slices::new(schema),
            planned: planned.into_iter(),
            group_left: 0,
            group_rows: 0,
            columns: None,
            groups: 0,
            group_bytes_max: GROUP_BYTES_MAX,
            page_index: shape.is_none_or(|shape| shape.page_index),
        };
        writer.plan_group();
        Ok(writer)
    }

    pub(crate) fn write(&mut self, records: &RecordBatch) -> Result<(), IoError> {
        self.slices.push(records);
        while self.slices.rows() >= self.slice_rows() {
            self.encode_slice(self.slice_rows())?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Sink, IoError> {
        while self.slices.rows() > 0 {
            self.encode_slice(self.slice_rows().min(self.slices.rows()))?;
        }
        self.end_group()?;
        let path = self.path;
        self.writer.into_inner().map_err(|error| rewrite(&path, &error))
    }

    /// The next rows are a row group of their own, of at most so many rows.
    pub(crate) fn begin_group(&mut self, rows: u64) {
        self.group_left = rows.max(1);
    }

    /// Ends the row group that [`ParquetWriter::begin_group`] began, however many rows came.
    pub(crate) fn end_own_group(&mut self) -> Result<(), IoError> {
        while self.slices.rows() > 0 {
            self.encode_slice(self.slice_rows().min(self.slices.rows()))?;
        }
        self.end_group()
    }

    /// Whether row groups of a file with these columns can be taken over as they are stored.
    pub(crate) fn stores_as(&self, source: &SchemaDescriptor) -> bool {
        self.writer.schema_descr().columns() == source.columns()
    }

    /// Takes over a row group as it is stored: no page is decoded. Its statistics, indexes and bloom
    /// filters describe the very rows and come along.
    pub(crate) fn copy_group(
        &mut self,
        source: &File,
        metadata: &ParquetMetaData,
        group: usize,
    ) -> Result<(), IoError> {
        let path = &self.path;
        let rewrite = |error: ParquetError| rewrite(path, &error);
        let stored = metadata.row_group(group);
        let column_index = metadata.column_index().filter(|_| self.page_index);
        let column_index = column_index.and_then(|index| index.get(group));
        let offset_index = metadata.offset_index().filter(|_| self.page_index);
        let offset_index = offset_index.and_then(|index| index.get(group));
        let mut writer = self.writer.next_row_group().map_err(rewrite)?;
        for (at, column) in stored.columns().iter().enumerate() {
            let bloom_filter = Sbbf::read_from_column_chunk(column, source).map_err(rewrite)?;
            let close = ColumnCloseResult {
                bytes_written: u64::try_from(column.compressed_size()).unwrap_or(0),
                rows_written: u64::try_from(stored.num_rows()).unwrap_or(0),
                metadata: column.clone(),
                bloom_filter,
                column_index: column_index.and_then(|index| index.get(at)).cloned(),
                offset_index: offset_index.and_then(|index| index.get(at)).cloned(),
            };
            writer.append_column(source, close).map_err(rewrite)?;
        }
        writer.close().map_err(rewrite)?;
        self.groups += 1;
        Ok(())
    }

    fn slice_rows(&self) -> usize {
        usize::try_from(self.group_left).unwrap_or(usize::MAX).min(BATCH_ROWS)
    }

    /// How many rows the next row group of the input holds; the usual number behind its last.
    fn plan_group(&mut self) {
        let rows = self.planned.find(|rows| *rows > 0);
        self.group_left = rows.unwrap_or(GROUP_ROWS);
    }

    fn encode_slice(&mut self, rows: usize) -> Result<(), IoError> {
        let slice = self.slices.take(rows).map_err(|error| rewrite(&self.path, &error.into()))?;
        let mut columns = match self.columns.take() {
            Some(columns) => columns,
            None => self.column_writers()?,
        };
        let encoded: Vec<Result<(), ParquetError>> = columns
            .par_iter_mut()
            .zip(self.schema.fields().par_iter())
            .zip(slice.columns().par_iter())
            .map(|((writers, field), column)| {
                for (leaf, writer) in compute_leaves(field, column)?.iter().zip(writers) {
                    writer.write(leaf)?;
                }
                Ok(())
            })
            .collect();
        for encoded in encoded {
            encoded.map_err(|error| rewrite(&self.path, &error))?;
        }
        let bytes: usize =
            columns.iter().flatten().map(ArrowColumnWriter::get_estimated_total_bytes).sum();
        self.columns = Some(columns);
        self.group_left -= rows as u64;
        self.group_rows += rows as u64;
        if self.group_left == 0 {
            self.end_group()?;
            self.plan_group();
        } else if self.group_rows >= GROUP_ROWS_MAX || bytes >= self.group_bytes_max {
            self.end_group()?;
        }
        Ok(())
    }

    fn column_writers(&mut self) -> Result<Vec<Vec<ArrowColumnWriter>>, IoError> {
        let writers = self.factory.create_column_writers(self.groups);
        let mut writers = writers.map_err(|error| rewrite(&self.path, &error))?.into_iter();
        let descriptor = self.writer.schema_descr();
        let mut leaves = vec![0; self.schema.fields().len()];
        for leaf in 0..descriptor.num_columns() {
            leaves[descriptor.get_column_root_idx(leaf)] += 1;
        }
        Ok(leaves.into_iter().map(|count| writers.by_ref().take(count).collect()).collect())
    }

    fn end_group(&mut self) -> Result<(), IoError> {
        let Some(columns) = self.columns.take() else { return Ok(()) };
        let chunks: Vec<Result<ArrowColumnChunk, ParquetError>> =
            columns.into_par_iter().flatten().map(ArrowColumnWriter::close).collect();
        let path = &self.path;
        let rewrite = |error: ParquetError| rewrite(path, &error);
        let mut group = self.writer.next_row_group().map_err(rewrite)?;
        for chunk in chunks {
            chunk.and_then(|chunk| chunk.append_to_row_group(&mut group)).map_err(rewrite)?;
        }
        group.close().map_err(rewrite)?;
        self.groups += 1;
        self.group_rows = 0;
        Ok(())
    }
}

/// Parquet types: the input's own for columns that are copied, where they store the same way.
fn descriptor(
    path: &str,
    shape: Option<&ParquetShape>,
    schema: &SchemaRef,
    untouched: &[Option<usize>],
) -> Result<SchemaDescriptor, IoError> {
    if let Some(field) = schema.fields().iter().find(|field| !has_form(field)) {
        let (name, data_type) = (field.name(), field.data_type());
        let message = format!("column `{name}` of type {data_type} has no form in Parquet");
        return Err(IoError::usage(path, message));
    }
    let usual =
        ArrowSchemaConverter::new().convert(schema).map_err(|error| rewrite(path, &error))?;
    let Some(shape) = shape else { return Ok(usual) };
    let mut fields: Vec<TypePtr> = Vec::new();
    for (at, field) in usual.root_schema().get_fields().iter().enumerate() {
        let copied = untouched.get(at).copied().flatten();
        let stored = copied.and_then(|from| shape.schema.root_schema().get_fields().get(from));
        fields.push(match stored {
            Some(stored) if stored.name() == field.name() && stores_alike(stored, field) => {
                Arc::clone(stored)
            }
            _ => Arc::clone(field),
        });
    }
    let root = Type::group_type_builder(shape.schema.root_schema().name())
        .with_fields(fields)
        .build()
        .map_err(|error| rewrite(path, &error))?;
    Ok(SchemaDescriptor::new(Arc::new(root)))
}

/// Whether a column can be encoded; some types fail only when a value comes.
fn has_form(field: &Field) -> bool {
    let field = Arc::new(field.clone().with_nullable(true));
    let null = new_null_array(field.data_type(), 1);
    let schema = Arc::new(Schema::new(vec![Arc::clone(&field)]));
    let encoded = || -> Result<(), ParquetError> {
        let writer = ArrowWriter::try_new(io::sink(), schema, None)?;
        let (_, factory) = writer.into_serialized_writer()?;
        let mut writers = factory.create_column_writers(0)?;
        for (leaf, writer) in compute_leaves(&field, &null)?.iter().zip(&mut writers) {
            writer.write(leaf)?;
        }
        Ok(())
    };
    matches!(guard(encoded), Guarded::Done(Ok(())))
}

/// Same leaves, levels and physical types: the encoder cannot tell the two apart.
fn stores_alike(stored: &TypePtr, usual: &TypePtr) -> bool {
    let leaves = |column: &TypePtr| -> Vec<ColumnDescPtr> {
        let root = Type::group_type_builder("root").with_fields(vec![Arc::clone(column)]).build();
        root.map(|root| SchemaDescriptor::new(Arc::new(root)).columns().to_vec())
            .unwrap_or_default()
    };
    let (stored, usual) = (leaves(stored), leaves(usual));
    stored.len() == usual.len()
        && stored.iter().zip(&usual).all(|(stored, usual)| {
            stored.max_def_level() == usual.max_def_level()
                && stored.max_rep_level() == usual.max_rep_level()
                && stored.physical_type() == usual.physical_type()
                && (stored.physical_type() != Physical::FIXED_LEN_BYTE_ARRAY
                    || stored.type_length() == usual.type_length())
                && stored.type_precision() == usual.type_precision()
                && stored.type_scale() == usual.type_scale()
        })
}

fn properties(
    shape: Option<&ParquetShape>,
    schema: &SchemaRef,
    descriptor: &SchemaDescriptor,
) -> WriterProperties {
    // Where a new leaf belongs to no column of the input, it takes the codec most of them have.
    let mut counts: BTreeMap<String, (usize, parquet::basic::Compression)> = BTreeMap::new();
    for codec in shape.iter().flat_map(|shape| shape.codecs.values()) {
        counts.entry(format!("{codec:?}")).or_insert((0, *codec)).0 += 1;
    }
    let common = counts.into_values().max_by_key(|(count, _)| *count).map(|(_, codec)| codec);
    let mut properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(common.unwrap_or_else(default_codec))
        .set_key_value_metadata(key_values(shape, schema));
    if shape.is_some_and(|shape| !shape.page_index) {
        properties = properties
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true);
    }
    for leaf in descriptor.columns().iter() {
        let Some(shape) = shape else { break };
        let path = leaf.path().string();
        if let Some(codec) = shape.codecs.get(&path) {
            properties = properties.set_column_compression(leaf.path().clone(), *codec);
        }
        if shape.blooms.contains(&path) {
            properties = properties.set_column_bloom_filter_enabled(leaf.path().clone(), true);
        }
    }
    properties.build()
}

/// The input's entries in their order, then what the schema adds, sorted.
fn key_values(shape: Option<&ParquetShape>, schema: &SchemaRef) -> Option<Vec<KeyValue>> {
    let mut entries: Vec<(String, Option<String>)> =
        shape.map(|shape| shape.key_values.to_vec()).unwrap_or_default();
    let sorted: BTreeMap<&String, &String> = schema.metadata().iter().collect();
    for (key, value) in sorted {
        if key == ARROW_SCHEMA_KEY {
            continue;
        }
        match entries.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => *known = Some(value.clone()),
            None => entries.push((key.clone(), Some(value.clone()))),
        }
    }
    let entries: Vec<KeyValue> =
        entries.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
    (!entries.is_empty()).then_some(entries)
}

/// The encoder's words are not passed on, for they may quote a value.
fn rewrite(path: &str, error: &ParquetError) -> IoError {
    if let ParquetError::External(source) = error
        && let Some(source) = source.downcast_ref::<io::Error>()
    {
        return IoError::writing(path, source);
    }
    match error {
        ParquetError::NYI(_) => IoError::usage(path, "a column type has no form in Parquet"),
        _ => IoError::usage(path, "the rows cannot be encoded as Parquet"),
    }
}

const CREATED_BY: &str = "allonym";
/// Rows of a row group where no input says otherwise.
const GROUP_ROWS: u64 = 131_072;
/// Rows of a row group at most.
const GROUP_ROWS_MAX: u64 = 1_048_576;
/// Encoded bytes after which a row group ends.
const GROUP_BYTES_MAX: usize = 128 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Output;
    use arrow_array::{ArrayRef, StringArray};
    use parquet::file::reader::{FileReader, SerializedFileReader};

    #[test]
    fn a_row_group_ends_at_a_slice_when_it_is_large() {
        let folder = tempfile::tempdir().unwrap();
        // Values that no encoding makes small.
        let value = |row: u32| {
            let mixed = row.wrapping_mul(0x9E37_79B9);
            Some(format!("{mixed:x}{row:x}").repeat(8))
        };
        let column: ArrayRef = Arc::new((0..40_000).map(value).collect::<StringArray>());
        let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
        let mut outputs = Vec::new();
        for rows in [7_000, 8_192, 40_000] {
            let path = folder.path().join(format!("{rows}.parquet"));
            let sink = Sink::create(&Output::File(path.clone()), false).unwrap();
            let schema = batch.schema();
            let mut writer = ParquetWriter::create("a", sink, None, &schema, &[None]).unwrap();
            writer.group_bytes_max = 150_000;
            for start in (0..batch.num_rows()).step_by(rows) {
                writer.write(&batch.slice(start, rows.min(batch.num_rows() - start))).unwrap();
            }
            writer.finish().unwrap().finish("a", 0).unwrap().commit().unwrap();
            let file = File::open(&path).unwrap();
            let reader = SerializedFileReader::new(file).unwrap();
            let groups = reader.metadata().row_groups().iter();
            let groups: Vec<i64> = groups.map(|group| group.num_rows()).collect();
            assert!(groups.len() > 1, "{groups:?}");
            let (last, whole) = groups.split_last().unwrap();
            assert!(whole.iter().all(|rows| rows % 8_192 == 0), "{groups:?}");
            assert_eq!(whole.iter().sum::<i64>() + last, 40_000);
            outputs.push(std::fs::read(path).unwrap());
        }
        assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]));
    }
}
