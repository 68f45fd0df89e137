//! Signals in tables: Parquet and Arrow IPC files with a row for each record and, in lists, a number for
//! each model.
//!
//! Attacks go over the records several times and in blocks, which a table does not give; so its lists are
//! written as plain arrays into a temporary folder as they stream by. They are confidences and masks, and
//! nothing of a record.

use crate::{Failure, Result};
use allonym_exposure::NpyArray;
use allonym_io::{Format, Input, ReadOptions, Reader};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The arrays of a table, records x models, in files that go with this value.
#[derive(Debug)]
pub(super) struct Tables {
    pub(super) conf: Option<NpyArray>,
    pub(super) logit: Option<NpyArray>,
    pub(super) members: Option<NpyArray>,
    pub(super) population: Option<NpyArray>,
    pub(super) population_logit: Option<NpyArray>,
    pub(super) gap: Option<NpyArray>,
    pub(super) entropy: Option<NpyArray>,
    pub(super) features: Option<NpyArray>,
    pub(super) population_features: Option<NpyArray>,
    pub(super) subjects: Option<Vec<u64>>,
    _folder: tempfile::TempDir,
}

/// Whether a path is a table of signals, or a folder with a table `records`.
pub(super) fn is_table(path: &Path) -> bool {
    if path.is_dir() { named(path, "records").is_some() } else { format_of(path) }
}

impl Tables {
    pub(super) fn open(path: &Path) -> Result<Tables> {
        let folder = tempfile::tempdir().map_err(|error| storage(&error))?;
        let (records, population) = match path.is_dir() {
            true => (named(path, "records").unwrap_or_default(), named(path, "population")),
            false => (path.to_owned(), None),
        };
        let place = folder.path();
        let wanted = ["conf", "logit", "members", "member", "gap", "entropy", "features"];
        let mut arrays = Arrays::read(&records, place, "", &wanted)?;
        let subjects = arrays.subjects.take();
        let mut tables = Tables {
            conf: arrays.open("conf")?,
            logit: arrays.open("logit")?,
            members: arrays.open("members")?.or(arrays.open("member")?),
            population: None,
            population_logit: None,
            gap: arrays.open("gap")?,
            entropy: arrays.open("entropy")?,
            features: arrays.open("features")?,
            population_features: None,
            subjects,
            _folder: folder,
        };
        if let Some(population) = population {
            let wanted = [
                "conf",
                "logit",
                "pop_conf",
                "pop_logit",
                "population",
                "features",
                "pop_features",
            ];
            let arrays = Arrays::read(&population, tables._folder.path(), "z_", &wanted)?;
            tables.population =
                arrays.open("conf")?.or(arrays.open("pop_conf")?).or(arrays.open("population")?);
            tables.population_features = arrays.open("features")?.or(arrays.open("pop_features")?);
            tables.population_logit = arrays.open("logit")?.or(arrays.open("pop_logit")?);
        }
        Ok(tables)
    }
}

/// The lists of one table as they are written.
struct Arrays {
    written: Vec<(&'static str, PathBuf)>,
    subjects: Option<Vec<u64>>,
}

impl Arrays {
    fn read(path: &Path, folder: &Path, prefix: &str, wanted: &[&'static str]) -> Result<Arrays> {
        let input = Input::File(path.to_owned());
        let mut reader = Reader::open(&input, &ReadOptions::default())?;
        let schema = reader.schema();
        let place = |name: &str| schema.fields().iter().position(|field| field.name() == name);
        let mut lists: Vec<List> = Vec::new();
        for &name in wanted {
            if let Some(at) = place(name) {
                lists.push(List::create(name, at, folder.join(format!("{prefix}{name}.npy")))?);
            }
        }
        let subject = place("subject").or_else(|| place("subjects"));
        let mut subjects = subject.map(|_| Vec::new());
        while let Some(chunk) = reader.next_chunk()? {
            for list in &mut lists {
                list.add(chunk.records.column(list.column), path)?;
            }
            if let (Some(at), Some(subjects)) = (subject, &mut subjects) {
                add_subjects(chunk.records.column(at), subjects, path)?;
            }
        }
        let written: Result<Vec<_>> = lists.into_iter().map(|list| list.finish(path)).collect();
        Ok(Arrays { written: written?, subjects })
    }

    fn open(&self, name: &str) -> Result<Option<NpyArray>> {
        let found = self.written.iter().find(|(known, _)| *known == name);
        Ok(found.map(|(_, path)| NpyArray::open(path)).transpose()?)
    }
}

/// One column of lists on its way into a file.
struct List {
    name: &'static str,
    column: usize,
    path: PathBuf,
    out: BufWriter<File>,
    kind: Option<&'static str>,
    /// Models, known from the first row.
    width: Option<usize>,
    rows: usize,
}

impl List {
    fn create(name: &'static str, column: usize, path: PathBuf) -> Result<List> {
        let mut out = BufWriter::new(File::create(&path).map_err(|error| storage(&error))?);
        // The shape is known at the end; its place is kept.
        out.write_all(&[0; HEADER_BYTES]).map_err(|error| storage(&error))?;
        Ok(List { name, column, path, out, kind: None, width: None, rows: 0 })
    }

    fn add(&mut self, column: &ArrayRef, path: &Path) -> Result<()> {
        for row in 0..column.len() {
            let cell = match column.data_type() {
                _ if column.is_null(row) => None,
                DataType::List(_) => Some(column.as_list::<i32>().value(row)),
                DataType::LargeList(_) => Some(column.as_list::<i64>().value(row)),
                DataType::FixedSizeList(_, _) => Some(column.as_fixed_size_list().value(row)),
                _ => return Err(self.unfit(path, "must hold lists, one number for each model")),
            };
            let Some(cell) = cell else {
                return Err(self.unfit(path, &format!("has no list in row {}", self.rows)));
            };
            let width = self.width.unwrap_or_else(|| cell.len());
            self.width = Some(width);
            if cell.len() != width || width == 0 {
                let what = format!(
                    "has {} numbers in row {} and {width} before; one for each model is needed",
                    cell.len(),
                    self.rows
                );
                return Err(self.unfit(path, &what));
            }
            self.add_row(&cell, path)?;
            self.rows += 1;
        }
        Ok(())
    }

    fn add_row(&mut self, cell: &ArrayRef, path: &Path) -> Result<()> {
        let is_mask = self.name.starts_with("member");
        let (kind, bytes): (_, Vec<u8>) = match cell.data_type() {
            DataType::Boolean if is_mask => {
                if cell.null_count() > 0 {
                    let what = format!("lacks a truth value in row {}", self.rows);
                    return Err(self.unfit(path, &what));
                }
                ("|b1", cell.as_boolean().values().iter().map(u8::from).collect())
            }
            // What a model did not say is no number, and its record is dropped and counted.
            DataType::Float32 if !is_mask => {
                let values = cell.as_primitive::<Float32Type>().iter();
                let bytes = values.flat_map(|value| value.unwrap_or(f32::NAN).to_le_bytes());
                ("<f4", bytes.collect())
            }
            DataType::Float64 if !is_mask => {
                let values = cell.as_primitive::<Float64Type>().iter();
                let bytes = values.flat_map(|value| value.unwrap_or(f64::NAN).to_le_bytes());
                ("<f8", bytes.collect())
            }
            _ if is_mask => return Err(self.unfit(path, "must hold lists of truth values")),
            _ => return Err(self.unfit(path, "must hold lists of floating-point numbers")),
        };
        self.kind = Some(kind);
        self.out.write_all(&bytes).map_err(|error| storage(&error))
    }

    /// NumPy's format, version 1.0.
    fn finish(mut self, path: &Path) -> Result<(&'static str, PathBuf)> {
        let (Some(kind), Some(width)) = (self.kind, self.width) else {
            return Err(self.unfit(path, "has no row"));
        };
        let shape = format!("({}, {width})", self.rows);
        let told = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
        let mut header = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        header.extend(told.as_bytes());
        header.resize(HEADER_BYTES - 1, b' ');
        header.push(b'\n');
        let written = self.out.seek(SeekFrom::Start(0));
        let written = written.and_then(|_| self.out.write_all(&header));
        written.and_then(|()| self.out.flush()).map_err(|error| storage(&error))?;
        Ok((self.name, self.path))
    }

    fn unfit(&self, path: &Path, what: &str) -> Failure {
        Failure::new("ALO-D006", 3, format!("{}: column `{}` {what}", path.display(), self.name))
    }
}

/// Whole numbers, as bits; what is negative is as good a name as any.
fn add_subjects(column: &ArrayRef, subjects: &mut Vec<u64>, path: &Path) -> Result<()> {
    let unfit = || {
        let message = "`subject` must hold one whole number for each record";
        Failure::new("ALO-D006", 3, format!("{}: {message}", path.display()))
    };
    if !column.data_type().is_integer() || column.null_count() > 0 {
        return Err(unfit());
    }
    let whole = arrow_cast::cast(column, &DataType::Int64).map_err(|_| unfit())?;
    let whole = whole.as_primitive::<Int64Type>();
    if whole.null_count() > 0 {
        return Err(unfit());
    }
    subjects.extend(whole.values().iter().map(|number| number.cast_unsigned()));
    Ok(())
}

fn named(folder: &Path, name: &str) -> Option<PathBuf> {
    let endings = ["parquet", "arrow", "feather", "ipc"].into_iter();
    endings.map(|ending| folder.join(format!("{name}.{ending}"))).find(|path| path.is_file())
}

fn format_of(path: &Path) -> bool {
    matches!(Format::of_path(path), Some(Format::Parquet | Format::Ipc))
}

fn storage(error: &std::io::Error) -> Failure {
    let message = format!("signals cannot be written into a temporary folder: {}", error.kind());
    Failure::new("ALO-S001", 75, message)
}

const HEADER_BYTES: usize = 128;
