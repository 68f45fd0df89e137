//! Parquet: types, metadata, row groups and codecs stay; whatever describes values is computed
//! again.

mod footer;
pub(crate) mod groups;
pub(crate) mod read;
pub(crate) mod write;

use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::file::metadata::ParquetMetaData;
use parquet::schema::types::SchemaDescPtr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a writer needs to write like the input.
///
/// Statistics, page indexes and bloom filters are not in here: they hold raw values.
#[derive(Clone, Debug)]
pub(crate) struct ParquetShape {
    /// Rows of each row group.
    pub(crate) row_groups: Arc<[u64]>,
    /// Footer key-values in order, without the Arrow schema, which is written anew.
    pub(crate) key_values: Arc<[(String, Option<String>)]>,
    /// Codec of each leaf, by path.
    pub(crate) codecs: Arc<BTreeMap<String, Compression>>,
    /// Leaves that have a bloom filter, by path.
    pub(crate) blooms: Arc<BTreeSet<String>>,
    /// Parquet types, which know more than Arrow's: UUID, ENUM, names of list items.
    pub(crate) schema: SchemaDescPtr,
    /// Whether an index of pages is written, for all row groups or for none.
    pub(crate) page_index: bool,
}

impl ParquetShape {
    fn of(metadata: &ParquetMetaData) -> Option<ParquetShape> {
        let rows = |group: &parquet::file::metadata::RowGroupMetaData| {
            u64::try_from(group.num_rows()).ok()
        };
        let file = metadata.file_metadata();
        let key_values = file.key_value_metadata().into_iter().flatten();
        let mut codecs = BTreeMap::new();
        let mut blooms = BTreeSet::new();
        for column in metadata.row_groups().iter().flat_map(|group| group.columns()) {
            let path = column.column_path().string();
            if column.bloom_filter_offset().is_some() {
                blooms.insert(path.clone());
            }
            codecs.entry(path).or_insert_with(|| writable(column.compression()));
        }
        Some(ParquetShape {
            row_groups: metadata.row_groups().iter().map(rows).collect::<Option<_>>()?,
            key_values: key_values
                .filter(|entry| entry.key != ARROW_SCHEMA_KEY)
                .map(|entry| (entry.key.clone(), entry.value.clone()))
                .collect(),
            codecs: Arc::new(codecs),
            blooms: Arc::new(blooms),
            schema: file.schema_descr_ptr(),
            page_index: true,
        })
    }
}

/// The footer names a codec without its level, and one codec is no longer written.
fn writable(codec: Compression) -> Compression {
    match codec {
        Compression::ZSTD(_) => default_codec(),
        Compression::GZIP(_) => Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(_) => Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4 => Compression::LZ4_RAW,
        other => other,
    }
}

/// Codec of files that come from no Parquet.
pub(crate) fn default_codec() -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).unwrap_or_default())
}

/// Key under which the footer keeps the Arrow schema.
pub(crate) const ARROW_SCHEMA_KEY: &str = "ARROW:schema";
const ZSTD_LEVEL: i32 = 3;
