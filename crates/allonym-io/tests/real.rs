//! Real files, where there are any: all pass through untouched.

#![expect(clippy::unwrap_used, clippy::clone_on_ref_ptr, reason = "a test that cannot go on ends")]

mod files;

use files::{Desk, pass, read_all, rows_of};
use std::path::{Path, PathBuf};
use std::{env, fs};

#[expect(clippy::print_stdout, reason = "a test that is left out says so")]
fn data(folder: &str) -> Vec<PathBuf> {
    let Some(root) = env::var_os("ALLONYM_DATA") else {
        println!("left out: ALLONYM_DATA names no data");
        return Vec::new();
    };
    let entries = fs::read_dir(Path::new(&root).join(folder)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn real_tables_pass_identically() {
    for from in data("tabular").iter().filter(|path| path.extension().unwrap() == "csv") {
        let desk = Desk::new();
        for rows in [100, 8_192] {
            let out = pass(from, &desk.path("out.csv"), &rows_of(rows)).unwrap();
            assert!(out == fs::read(from).unwrap(), "{}", from.display());
        }
    }
}

#[test]
fn real_corpora_pass_identically() {
    for from in data("peers") {
        let desk = Desk::new();
        let out = pass(&from, &desk.path("out.jsonl"), &rows_of(1_000)).unwrap();
        let mut content = Vec::new();
        let packed = fs::read(&from).unwrap();
        let mut unpacked = flate2::read::MultiGzDecoder::new(packed.as_slice());
        std::io::Read::read_to_end(&mut unpacked, &mut content).unwrap();
        assert!(out == content, "{}", from.display());
    }
}

#[test]
fn real_parquet_passes() {
    for from in data("exposure").iter().filter(|path| path.extension().unwrap() == "parquet") {
        let desk = Desk::new();
        let to = desk.path("out.parquet");
        pass(from, &to, &rows_of(1_000)).unwrap();
        let rows = |path: &Path| read_all(path, &rows_of(100_000)).unwrap();
        assert_eq!(rows(&to), rows(from), "{}", from.display());
    }
}
