//! Files made for a test: written, passed through untouched, read back.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part of this")]

use allonym_io::{
    Dress, Format, Input, IoError, IoErrorKind, Output, ReadOptions, Reader, Shape, Writer,
};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder that goes away with the test.
pub struct Desk {
    folder: TempDir,
}

impl Desk {
    pub fn new() -> Desk {
        Desk { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub fn open(path: &Path, options: &ReadOptions) -> Result<Reader, IoError> {
    Reader::open(&Input::File(path.to_owned()), options)
}

/// All batches, or the first error.
pub fn read_all(path: &Path, options: &ReadOptions) -> Result<Vec<RecordBatch>, IoError> {
    let mut reader = open(path, options)?;
    let mut batches = Vec::new();
    let mut rows = 0;
    while let Some(chunk) = reader.next_chunk()? {
        assert_eq!(chunk.first_row, rows);
        rows += chunk.records.num_rows() as u64;
        batches.push(chunk.records);
    }
    Ok(batches)
}

/// One batch of all rows.
pub fn read_whole(path: &Path, options: &ReadOptions) -> RecordBatch {
    let schema = open(path, options).unwrap().schema().clone();
    let batches = read_all(path, options).unwrap();
    arrow_select::concat::concat_batches(&schema, &batches).unwrap()
}

/// Copies a file without touching a column.
pub fn pass(from: &Path, to: &Path, options: &ReadOptions) -> Result<Vec<u8>, IoError> {
    let mut reader = open(from, options)?;
    let schema = reader.schema().clone();
    let untouched = (0..schema.fields().len()).map(Some).collect();
    let shape = reader.shape().for_output(Some(to), None);
    let output = Output::File(to.to_owned());
    let mut writer = Writer::create(&output, &shape, &schema, &untouched, true)?;
    while let Some(chunk) = reader.next_chunk()? {
        writer.write(&chunk.records, &chunk.dress)?;
    }
    let written = writer.finish()?.commit()?;
    let bytes = fs::read(to).unwrap();
    assert_eq!(written.bytes, bytes.len() as u64);
    assert_eq!(written.sha256, allonym_io::sha256_file(to).unwrap());
    assert_eq!(reader.sha256().unwrap(), allonym_io::sha256_file(from).unwrap());
    Ok(bytes)
}

/// Writes batches that come from no file.
pub fn write(to: &Path, format: Format, batches: &[RecordBatch]) -> Result<Vec<u8>, IoError> {
    let schema = batches[0].schema();
    write_like(to, &Shape::plain(format).for_output(Some(to), None), &schema, batches)
}

pub fn write_like(
    to: &Path,
    shape: &Shape,
    schema: &SchemaRef,
    batches: &[RecordBatch],
) -> Result<Vec<u8>, IoError> {
    let output = Output::File(to.to_owned());
    let untouched = vec![None; schema.fields().len()];
    let mut writer = Writer::create(&output, shape, schema, &untouched, true)?;
    for batch in batches {
        writer.write(batch, &Dress::default())?;
    }
    writer.finish()?.commit()?;
    Ok(fs::read(to).unwrap())
}

/// The same rows in batches of `rows`.
pub fn cut(batch: &RecordBatch, rows: usize) -> Vec<RecordBatch> {
    let starts = (0..batch.num_rows()).step_by(rows);
    starts.map(|start| batch.slice(start, rows.min(batch.num_rows() - start))).collect()
}

/// The error of reading a file to its end: kind, words it must have, and no canary in it.
pub fn check_refused(path: &Path, options: &ReadOptions, kind: IoErrorKind, words: &[&str]) {
    let error = read_all(path, options).expect_err("the file must be refused");
    let told = format!("{error} {error:?}");
    for word in words {
        assert!(told.contains(word), "no {word:?} in {told}");
    }
    assert!(!told.contains(CANARY), "the canary sings in {told}");
    assert!(std::error::Error::source(&error).is_none());
    assert_eq!(error.kind, kind, "{told}");
}

pub fn rows_of(rows: usize) -> ReadOptions {
    ReadOptions { batch_rows: Some(rows), ..ReadOptions::default() }
}

/// A value no message may hold.
pub const CANARY: &str = "Xanthippe-Canary-4711";
