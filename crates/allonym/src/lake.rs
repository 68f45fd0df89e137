//! Tables with versions: a folder of Parquet files of which a log tells which ones count now, and which
//! ones an older version needs that anybody can still read.
//!
//! [`Lake`] is what the log of either format tells; what looks at rows goes by it alone.

mod delta;
mod iceberg;

use crate::expire::{ExpireJob, ExpireOutcome, plan};
use crate::holds::KnownHold;
use crate::jobs::JobFile;
use crate::{Failure, Result};
use allonym_io::{Input, ReadOptions, Reader, TableFormat};
use allonym_keys::Keyring;
use allonym_recognize::RuleSet;
use allonym_report::OldVersion;
use allonym_retention::Verdict;
use arrow_array::{ArrayRef, RecordBatch, UInt32Array, new_null_array};
use arrow_cast::{CastOptions, can_cast_types, cast_with_options};
use arrow_schema::{Field, Schema, SchemaRef};
use arrow_select::take::take;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What `expire` tells of a table besides its files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableEvidence {
    /// `delta` or `iceberg`.
    pub format: String,
    /// Version that was looked at; of Iceberg, the place of its snapshot in time, from 1.
    pub version_before: u64,
    /// Version that is current now.
    pub version_after: Option<u64>,
    /// The id of the snapshot, of formats that have such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// Older versions that can still be read, oldest first, with the expired rows each holds.
    pub old_versions: Vec<OldVersion>,
    /// Data files that no current row stands in, and that are still there.
    pub unreferenced_files: u64,
    /// Expired rows in those; null where that cannot be told.
    #[serde(default)]
    pub unreferenced_expired_rows: Option<u64>,
    /// Marks that delete rows of the current version, which are still in its files and are counted.
    #[serde(default)]
    pub deletion_marks: u64,
    /// Data files that were removed for good.
    pub purged_files: u64,
    /// Commits of the log that no longer tell least and greatest values of what was removed.
    pub scrubbed_commits: u64,
    /// What the engine that keeps the table has to do, where it alone can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EnginePlan>,
}

/// What an engine has to do, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnginePlan {
    /// Empty where nothing is left to do.
    pub steps: Vec<EngineStep>,
}

/// One thing that an engine has to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EngineStep {
    /// What it does, in words.
    pub what: String,
    /// How Spark is asked for it; the names of catalog and database stand before that of the table. Null
    /// where no statement can say it.
    pub sql: Option<String>,
    /// Rows of the current files that are due by it.
    pub rows: Option<u64>,
}

/// Whether a folder is a table with a log of its own that `expire` goes by.
#[must_use]
pub fn is_table(path: &Path) -> bool {
    TableFormat::of_folder(path).is_some()
}

/// Expires the rows of a Delta table: one commit removes and adds files. With `purge`, files that no
/// current version needs are removed as well, and the log forgets least and greatest values of what
/// they held. Of an Iceberg table it tells what its engine has to do.
///
/// # Errors
/// Those of [`crate::expire`]; a table that is not understood; a commit of somebody else in between; an
/// Iceberg table that is to be changed.
pub fn expire_table(table: &Path, purge: bool, job: &ExpireJob<'_>) -> Result<ExpireOutcome> {
    match TableFormat::of_folder(table) {
        Some(TableFormat::Iceberg) => iceberg::expire(table, job),
        _ => delta::expire(table, purge, job),
    }
}

/// Older versions with their expired rows, and the expired rows of all files that the current version
/// does not need; `None` where something of that cannot be told.
fn history(
    job: &ExpireJob<'_>,
    rules: &RuleSet,
    holds: &[KnownHold],
    ring: Option<&Keyring>,
    lake: &Lake,
) -> Result<(Vec<OldVersion>, Option<u64>)> {
    let live = lake.live.iter().map(|at| lake.files[*at].clone());
    let mut expired: BTreeMap<PathBuf, Option<u64>> = BTreeMap::new();
    let needed: BTreeSet<&PathBuf> =
        lake.old.iter().flat_map(|old| &old.files).map(|at| &lake.files[*at].path).collect();
    let left = lake.left();
    for file in live.filter(|file| needed.contains(&file.path)).chain(left.iter().cloned()) {
        job.work.cancel.check()?;
        let place = JobFile { path: file.path.clone(), name: file.shown.clone() };
        let told = plan(job, rules, &place, job.work.as_of, holds, ring);
        let rows = match told {
            Ok(found) => {
                let tags = found.evidence.tags.iter();
                Some(tags.map(|tag| tag.rows.rows(Verdict::Expired)).max().unwrap_or(0))
            }
            Err(failure) if failure.exit == 130 => return Err(failure),
            // Its columns are other ones, or it is no file of rows.
            Err(_) => None,
        };
        expired.insert(file.path, rows);
    }
    let rows_of = |path: &PathBuf| expired.get(path).copied().flatten();
    let old = lake.old.iter().map(|old| OldVersion {
        version: old.version,
        snapshot: old.snapshot.clone(),
        committed: old.committed.clone(),
        expired_rows: old.files.iter().map(|at| rows_of(&lake.files[*at].path)).sum(),
        at_most: old.marked,
    });
    Ok((old.collect(), left.iter().map(|file| rows_of(&file.path)).sum()))
}

/// A table as its log tells it.
pub(crate) struct Lake {
    pub(crate) folder: PathBuf,
    pub(crate) version: u64,
    /// The id of the current snapshot, of formats that have such.
    pub(crate) snapshot: Option<String>,
    /// When it was written, RFC 3339.
    pub(crate) committed: Option<String>,
    /// Whether its files can be read as rows of the table at all.
    pub(crate) is_readable: bool,
    /// Columns that rows are divided by.
    pub(crate) partition_by: Vec<String>,
    /// How columns of files that no version tells of are called.
    pub(crate) names: Names,
    /// Every file that a version needs which can be read, each once.
    pub(crate) files: Vec<LakeFile>,
    /// Those of the current version.
    pub(crate) live: Vec<usize>,
    /// Marks that delete rows of the current version: deletion vectors, files of deletes.
    pub(crate) marks: u64,
    /// Older versions of which every file is there, oldest first.
    pub(crate) old: Vec<OldTable>,
    /// Data files in the folder that the current version does not need.
    pub(crate) unreferenced: Vec<PathBuf>,
    /// Files that are gone and of which the log still tells values; lists of files that no version needs.
    pub(crate) told_values: u64,
    /// What is not understood, in words that follow the name of the table.
    pub(crate) untold: Vec<String>,
}

/// A version that is no longer the current one.
pub(crate) struct OldTable {
    pub(crate) version: u64,
    pub(crate) snapshot: Option<String>,
    /// When it was written, RFC 3339.
    pub(crate) committed: Option<String>,
    pub(crate) files: Vec<usize>,
    /// Rows of it are deleted by a mark, and still in its files.
    pub(crate) marked: bool,
}

/// A data file of a table.
#[derive(Clone)]
pub(crate) struct LakeFile {
    pub(crate) path: PathBuf,
    /// Its place in the table, without the values that folders are named by.
    pub(crate) shown: String,
    /// Columns that the log tells and the file lacks: one value each.
    pub(crate) constants: Vec<(String, ArrayRef)>,
    /// How its columns are called in the table.
    pub(crate) names: Names,
    /// Columns that only the log tells where the file lacks them, in a way that is not understood here.
    pub(crate) needed: Arc<Vec<String>>,
}

/// How columns of files are called in the table.
#[derive(Clone, Default)]
pub(crate) enum Names {
    /// As in the file.
    #[default]
    Stored,
    /// By their names in the file, where these differ.
    ByName(Arc<BTreeMap<String, String>>),
    /// By the id that the file gives them. One that the table no longer has keeps its name, with the id
    /// where another column is called so now.
    ById(Arc<BTreeMap<String, String>>),
}

impl Names {
    fn of(&self, field: &Field) -> String {
        let stored = field.name().clone();
        match self {
            Names::Stored => stored,
            Names::ByName(names) => names.get(&stored).cloned().unwrap_or(stored),
            Names::ById(names) => {
                let Some(id) = field.metadata().get(PARQUET_FIELD_ID) else { return stored };
                match names.get(id) {
                    Some(name) => name.clone(),
                    None if names.values().any(|name| *name == stored) => format!("{stored}#{id}"),
                    None => stored,
                }
            }
        }
    }
}

impl Lake {
    /// Reads the log of the table in a folder.
    ///
    /// # Errors
    /// No table, and a log that cannot be read. What is in it and not understood is told by the table.
    pub(crate) fn read(folder: &Path) -> Result<Lake> {
        match TableFormat::of_folder(folder) {
            Some(TableFormat::Delta) => delta::lake(folder),
            Some(TableFormat::Iceberg) => iceberg::lake(folder),
            None => {
                Err(Failure::new("ALO-R020", 3, "the folder is no table that is understood here"))
            }
        }
    }

    /// Data files in the folder that the current version does not need, as files: those of older
    /// versions as the log tells them, others as they are stored.
    pub(crate) fn left(&self) -> Vec<LakeFile> {
        let known: BTreeMap<&Path, &LakeFile> =
            self.files.iter().map(|file| (file.path.as_path(), file)).collect();
        let left = self.unreferenced.iter();
        left.map(|path| match known.get(path.as_path()) {
            Some(file) => LakeFile::clone(file),
            None => LakeFile {
                path: path.clone(),
                shown: shown(&path.strip_prefix(&self.folder).unwrap_or(path).to_string_lossy()),
                constants: Vec::new(),
                names: self.names.clone(),
                needed: Arc::default(),
            },
        })
        .collect()
    }
}

impl LakeFile {
    pub(crate) fn open(&self, options: &ReadOptions) -> Result<LakeRows<'_>> {
        let reader = Reader::open(&Input::File(self.path.clone()), options).map_err(|error| {
            // The path may name values.
            let failure = Failure::from(error);
            let message = match failure.exit {
                4 => "the file may not be read by this user",
                _ if !self.path.exists() => "the file is in the log and not in the folder",
                _ => "the file cannot be read as Parquet",
            };
            Failure { message: message.to_owned(), ..failure }
        })?;
        let mut fields: Vec<Field> = Vec::new();
        for field in reader.schema().fields() {
            fields.push(field.as_ref().clone().with_name(self.names.of(field)));
        }
        let lacks = |name: &&String| !fields.iter().any(|field| field.name() == *name);
        if let Some(name) = self.needed.iter().find(lacks) {
            let message =
                format!("the file lacks the column `{name}`, which the table divides rows by");
            return Err(Failure::new("ALO-D001", 3, message));
        }
        for (name, value) in &self.constants {
            if !fields.iter().any(|field| field.name() == name) {
                fields.push(Field::new(name, value.data_type().clone(), true));
            }
        }
        let stored = SchemaRef::clone(reader.schema());
        Ok(LakeRows { file: self, reader, stored, schema: Arc::new(Schema::new(fields)) })
    }
}

/// The rows of a file as the table has them.
pub(crate) struct LakeRows<'f> {
    file: &'f LakeFile,
    reader: Reader,
    /// Columns as they are stored.
    pub(crate) stored: SchemaRef,
    /// Columns as the table has them.
    pub(crate) schema: SchemaRef,
}

impl LakeRows<'_> {
    /// Some more rows, with the columns of `schema`: what a file lacks is null.
    pub(crate) fn next(&mut self, schema: &SchemaRef) -> Result<Option<RecordBatch>> {
        let unreadable = || Failure::new("ALO-D001", 3, "the file cannot be read to its end");
        let Some(chunk) = self.reader.next_chunk().map_err(|_| unreadable())? else {
            return Ok(None);
        };
        let stored = chunk.records;
        let rows = stored.num_rows();
        let mut columns = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let at = self.schema.index_of(field.name()).ok();
            let column = match at.and_then(|at| stored.columns().get(at)) {
                Some(column) => Arc::clone(column),
                None => match self.file.constants.iter().find(|(name, _)| name == field.name()) {
                    Some((_, value)) => repeated(value, rows)?,
                    None => new_null_array(field.data_type(), rows),
                },
            };
            columns.push(as_type(&column, field)?);
        }
        Ok(Some(RecordBatch::try_new(SchemaRef::clone(schema), columns)?))
    }
}

/// The columns of all files together; where types differ, that of the first file counts.
pub(crate) fn united<'s>(schemas: impl Iterator<Item = &'s SchemaRef>) -> SchemaRef {
    let mut fields: Vec<Field> = Vec::new();
    let mut known = BTreeSet::new();
    for field in schemas.flat_map(|schema| schema.fields()) {
        if known.insert(field.name().clone()) {
            fields.push(field.as_ref().clone().with_nullable(true));
        }
    }
    Arc::new(Schema::new(fields))
}

/// One value as often as there are rows.
fn repeated(value: &ArrayRef, rows: usize) -> Result<ArrayRef> {
    Ok(take(value.as_ref(), &UInt32Array::from(vec![0; rows]), None)?)
}

fn as_type(column: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    if column.data_type() == field.data_type() {
        return Ok(Arc::clone(column));
    }
    let unfit = || {
        let message = format!(
            "column `{}` is of type {} in one file and of type {} in another",
            field.name(),
            column.data_type(),
            field.data_type()
        );
        Failure::new("ALO-D001", 3, message).hint("write the table again with one type")
    };
    if !can_cast_types(column.data_type(), field.data_type()) {
        return Err(unfit());
    }
    // A cell that does not fit would be lost without a word.
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(column, field.data_type(), &options).map_err(|_| unfit())
}

/// A path in a table for people: folders that are named by a value, `mail=jane%40example.org`, without it.
pub(crate) fn shown(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.split_once('=') {
        Some((name, _)) => format!("{name}{SHOWN}"),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

const PARQUET_FIELD_ID: &str = "PARQUET:field_id";
/// What stands in the place of `=VALUE`.
pub(crate) const SHOWN: &str = "=*";

/// All files below a folder, sorted; folders of this name, and links to folders, are left out.
pub(crate) fn files_below(folder: &Path, without: &str) -> Result<Vec<PathBuf>> {
    let unreadable = |error: io::Error| {
        let message = format!("a folder of the table cannot be read: {}", error.kind());
        Failure::new("ALO-R020", 3, message)
    };
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if entry.file_type().map_err(unreadable)?.is_dir() {
                if entry.file_name() != without {
                    folders.push(entry.path());
                }
            } else if entry.path().is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{Int32Array, StringArray};
    use arrow_schema::DataType;

    #[test]
    fn values_in_paths_are_not_shown() {
        assert_eq!(
            shown("/t/day=2019-01-01/mail=zora@example.org/a.parquet"),
            "/t/day=*/mail=*/a.parquet"
        );
        assert_eq!(shown("data/a.parquet"), "data/a.parquet");
    }

    #[test]
    fn columns_of_several_files_are_one_table() {
        let one = Schema::new(vec![Field::new("id", DataType::Int64, false)]);
        let two = Schema::new(vec![
            Field::new("id", DataType::Int32, false),
            Field::new("note", DataType::Utf8, true),
        ]);
        let all = united([Arc::new(one), Arc::new(two)].iter());
        let types: Vec<_> =
            all.fields().iter().map(|f| (f.name().as_str(), f.data_type())).collect();
        assert_eq!(types, [("id", &DataType::Int64), ("note", &DataType::Utf8)]);
        let narrow: ArrayRef = Arc::new(Int32Array::from(vec![7]));
        assert_eq!(as_type(&narrow, all.field(0)).unwrap().data_type(), &DataType::Int64);
        let text: ArrayRef = Arc::new(StringArray::from(vec!["zora@example.org"]));
        let failure = as_type(&text, all.field(0)).unwrap_err();
        assert!(!failure.message.contains("zora"), "{failure}");
        assert_eq!(repeated(&text, 3).unwrap().len(), 3);
    }
}
