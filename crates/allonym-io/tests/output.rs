//! Outputs appear whole or not at all; inputs are found and told apart.

#![expect(clippy::unwrap_used, clippy::clone_on_ref_ptr, reason = "a test that cannot go on ends")]

mod files;

use allonym_io::{
    Dress, Format, Found, Input, IoErrorKind, Output, ReadOptions, Shape, TableFormat, Writer,
    expand, expand_with_tables, make_folder_of, same_file, sha256_file, write_whole,
};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use files::{Desk, open, pass};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn batch() -> RecordBatch {
    let column: ArrayRef = Arc::new(StringArray::from(vec!["x", "y"]));
    RecordBatch::try_from_iter([("a", column)]).unwrap()
}

fn create(path: &Path, force: bool) -> Result<Writer, allonym_io::IoError> {
    let output = Output::File(path.to_owned());
    let format = Format::of_path(path).unwrap();
    Writer::create(&output, &Shape::plain(format), &batch().schema(), &vec![None], force)
}

#[test]
fn nothing_is_left_of_an_output_that_is_dropped() {
    for name in ["a.csv", "a.jsonl", "a.parquet", "a.arrow"] {
        let desk = Desk::new();
        let path = desk.path(name);
        let mut writer = create(&path, false).unwrap();
        writer.write(&batch(), &Dress::default()).unwrap();
        let aside = desk.names();
        assert_eq!(aside.len(), 1);
        assert!(aside[0].starts_with(&format!(".{name}.allonym-")) && aside[0].ends_with(".tmp"));
        drop(writer);
        assert_eq!(desk.names(), Vec::<String>::new());

        let mut writer = create(&path, false).unwrap();
        writer.write(&batch(), &Dress::default()).unwrap();
        let finished = writer.finish().unwrap();
        assert!(!path.exists());
        assert_eq!(finished.written().rows, 2);
        drop(finished);
        assert_eq!(desk.names(), Vec::<String>::new());

        let mut writer = create(&path, false).unwrap();
        writer.write(&batch(), &Dress::default()).unwrap();
        let written = writer.finish().unwrap().commit().unwrap();
        assert_eq!(desk.names(), [name]);
        assert_eq!(written.sha256, sha256_file(&path).unwrap());
        assert_eq!(written.bytes, fs::metadata(&path).unwrap().len());
    }
}

#[test]
fn an_existing_output_is_replaced_only_by_force() {
    let desk = Desk::new();
    let path = desk.put("a.csv", "old\n");
    let error = create(&path, false).unwrap_err();
    assert_eq!(error.kind, IoErrorKind::Usage);
    assert!(error.message.contains("`--force`"), "{error}");
    drop(create(&path, true).unwrap());
    assert_eq!(fs::read(&path).unwrap(), b"old\n");
    create(&path, true).unwrap().finish().unwrap().commit().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"a\n");

    // One that appears while the other is written.
    let path = desk.path("b.csv");
    let finished = create(&path, false).unwrap().finish().unwrap();
    fs::write(&path, "first\n").unwrap();
    assert_eq!(finished.commit().unwrap_err().kind, IoErrorKind::Usage);
    assert_eq!(fs::read(&path).unwrap(), b"first\n");
    assert_eq!(desk.names(), ["a.csv", "b.csv"]);
}

#[test]
fn the_output_is_never_the_input() {
    let desk = Desk::new();
    let path = desk.put("a.csv", "a\n1\n");
    let link = desk.path("link.csv");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let hard = desk.path("hard.csv");
    fs::hard_link(&path, &hard).unwrap();
    fs::create_dir(desk.path("sub")).unwrap();
    let round = desk.path("sub/../a.csv");
    for to in [&path, &link, &hard, &round] {
        let error = pass(&path, to, &ReadOptions::default()).unwrap_err();
        assert_eq!(error.kind, IoErrorKind::Usage);
        assert!(error.message.contains("the output is the input"), "{error}");
        assert!(same_file(&path, to));
    }
    assert_eq!(fs::read(&path).unwrap(), b"a\n1\n");
    assert!(!same_file(&path, &desk.path("other.csv")));
    assert!(same_file(&desk.path("new.csv"), &desk.path("sub/../new.csv")));
    assert!(!same_file(&desk.path("new.csv"), &desk.path("sub/new.csv")));
}

#[test]
fn places_that_hold_no_file_are_wrong_usage() {
    let desk = Desk::new();
    let check = |path: PathBuf, words: &str| {
        let error = create(&path, true).unwrap_err();
        assert_eq!(error.kind, IoErrorKind::Usage, "{error}");
        assert!(error.message.contains(words), "{error}");
    };
    fs::create_dir(desk.path("folder.csv")).unwrap();
    check(desk.path("folder.csv"), "this is a folder");
    check(desk.path("missing/a.csv"), "does not exist; create it");
    desk.put("file", "");
    check(desk.path("file/a.csv"), "a file, not a folder");
    for path in [desk.path("file/a.csv"), desk.path("file/down/a.csv")] {
        let error = make_folder_of(&path).unwrap_err();
        assert_eq!(error.kind, IoErrorKind::Usage, "{error}");
        assert!(error.message.contains("a file, not a folder"), "{error}");
    }
    make_folder_of(&desk.path("made/down/a.csv")).unwrap();
    assert!(desk.path("made/down").is_dir());
    make_folder_of(Path::new("a.csv")).unwrap();
    #[cfg(unix)]
    {
        let link = desk.path("null.csv");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        check(link, "not a regular file");
    }
}

#[cfg(unix)]
#[test]
fn files_have_the_usual_mode_and_links_stay_links() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let desk = Desk::new();
    let usual = desk.put("usual", "");
    let path = desk.path("a.csv");
    let writer = create(&path, false).unwrap();
    let aside = desk.names().into_iter().find(|name| name.ends_with(".tmp")).unwrap();
    assert_eq!(mode(&desk.path(&aside)), 0o600);
    writer.finish().unwrap().commit().unwrap();
    assert_eq!(mode(&path), mode(&usual) & 0o644);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let link = desk.path("link.csv");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    create(&link, true).unwrap().finish().unwrap().commit().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(mode(&path), 0o640);
}

#[test]
fn small_files_are_written_whole() {
    let desk = Desk::new();
    let path = desk.path("receipt.json");
    write_whole(&path, b"{}", false).unwrap();
    assert_eq!(write_whole(&path, b"[]", false).unwrap_err().kind, IoErrorKind::Usage);
    assert_eq!(fs::read(&path).unwrap(), b"{}");
    write_whole(&path, b"[]", true).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"[]");
    assert_eq!(desk.names(), ["receipt.json"]);
    assert_eq!(
        sha256_file(&path).unwrap(),
        "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
    );
    let error = sha256_file(&desk.path("missing")).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (IoErrorKind::BadInput, "no such file"));
}

fn relative(desk: &Desk, arguments: &[&str]) -> Vec<String> {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| match *argument {
            "-" => "-".to_owned(),
            argument => desk.path(argument).display().to_string(),
        })
        .collect();
    expand(&arguments).unwrap().found.into_iter().map(|found| found.relative).collect()
}

#[test]
fn arguments_become_inputs() {
    let desk = Desk::new();
    for name in [
        "data/b.csv",
        "data/a.csv",
        "data/sub/c.parquet",
        "data/sub/deep/d.jsonl.gz",
        "data/.hidden/e.csv",
        "data/.f.csv",
        "data/_SUCCESS",
        "data/a.csv.allonym.json",
        "data/allonym.receipt.json",
        "data/allonym.toml",
        "data/out.policy.toml",
        "data/prod.keyring",
        "data/picture.png",
        "other/a.csv",
        "we[i]rd*.csv",
    ] {
        desk.put(name, "x\n");
    }
    let all = ["a.csv", "b.csv", "sub/c.parquet", "sub/deep/d.jsonl.gz"];
    assert_eq!(relative(&desk, &["data"]), all);
    assert_eq!(relative(&desk, &["data/"]), all);
    assert_eq!(relative(&desk, &["data/*.csv"]), ["a.csv", "b.csv"]);
    assert_eq!(relative(&desk, &["data/**/*.parquet"]), ["sub/c.parquet"]);
    assert_eq!(relative(&desk, &["data/b.csv", "-", "data/a.csv"]), ["b.csv", "stdin", "a.csv"]);
    assert_eq!(relative(&desk, &["data/a.csv", "data", "data/?.csv"]), all);
    assert_eq!(relative(&desk, &["we[i]rd*.csv"]), ["we[i]rd*.csv"]);
    let apart = relative(&desk, &["data/a.csv", "other/a.csv"]);
    assert!(apart[0].ends_with("/data/a.csv") && apart[1].ends_with("/other/a.csv"), "{apart:?}");
    assert!(!apart[0].starts_with('/'));
    let expanded = expand(&[desk.path("data").display().to_string()]).unwrap();
    assert_eq!(expanded.skipped, [desk.path("data/picture.png").display().to_string()]);
    assert_eq!(expanded.found[0].input, Input::File(desk.path("data/a.csv")));
    // What is named is taken, whatever it is called.
    assert_eq!(relative(&desk, &["data/picture.png"]), ["picture.png"]);
}

#[test]
fn arguments_that_name_nothing_are_refused() {
    let desk = Desk::new();
    desk.put("empty/readme.pdf", "x");
    fs::create_dir_all(desk.path("delta/_delta_log")).unwrap();
    desk.put("delta/part-0.parquet", "x");
    desk.put("ice/metadata/v1.metadata.json", "{}");
    desk.put("ice/data/part-0.parquet", "x");
    let check = |argument: &str, kind, words: &str| {
        let error = expand(&[desk.path(argument).display().to_string()]).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(words), "{error}");
    };
    check("missing.csv", IoErrorKind::BadInput, "no such file");
    check("missing/*.csv", IoErrorKind::BadInput, "the pattern matches no file");
    check("empty/*", IoErrorKind::BadInput, "the pattern matches no file of a known format");
    check("empty", IoErrorKind::BadInput, "the folder holds no file of a known format");
    check("a[.csv", IoErrorKind::Usage, "not a pattern");
    check("delta", IoErrorKind::Usage, "Delta table");
    check("ice", IoErrorKind::Usage, "an Iceberg table");
}

#[test]
fn tables_are_one_input_where_they_are_asked_for() {
    let desk = Desk::new();
    desk.put("lake/plain/a.csv", "x\n");
    desk.put("lake/ice/metadata/v1.metadata.json", "{}");
    desk.put("lake/ice/data/part-0.parquet", "x");
    desk.put("lake/delta/_delta_log/0.json", "{}");
    desk.put("lake/delta/part-0.parquet", "x");
    let found = |argument: &str| {
        let argument = desk.path(argument).display().to_string();
        expand_with_tables(&[argument]).unwrap().found
    };
    let names = |found: &[Found]| -> Vec<String> {
        found.iter().map(|found| found.relative.clone()).collect()
    };
    assert_eq!(names(&found("lake")), ["delta", "ice", "plain/a.csv"]);
    let table = found("lake/ice");
    assert_eq!(names(&table), ["ice"]);
    assert_eq!(table[0].input, Input::File(desk.path("lake/ice")));
    assert_eq!(TableFormat::of_folder(&desk.path("lake/ice")), Some(TableFormat::Iceberg));
    assert_eq!(TableFormat::of_folder(&desk.path("lake/plain")), None);
}

#[cfg(unix)]
#[test]
fn links_in_folders_do_not_loop() {
    let desk = Desk::new();
    desk.put("data/a.csv", "x\n");
    std::os::unix::fs::symlink(desk.path("data"), desk.path("data/loop")).unwrap();
    std::os::unix::fs::symlink(desk.path("data/a.csv"), desk.path("data/b.csv")).unwrap();
    let expanded = expand(&[desk.path("data").display().to_string()]).unwrap();
    assert_eq!(expanded.skipped, [desk.path("data/loop").display().to_string()]);
    // The link and the file are one input.
    assert_eq!(expanded.found.len(), 1);
}

#[test]
fn readers_tell_progress() {
    let desk = Desk::new();
    let text = format!("a,b\n{}", "1,2\n".repeat(500_000));
    let path = desk.put("a.csv", &text);
    let mut reader = open(&path, &ReadOptions::default()).unwrap();
    let size = Some(text.len() as u64);
    let mut last = 0;
    while reader.next_chunk().unwrap().is_some() {
        let (read, of) = reader.progress();
        assert!(read >= last && of == size);
        last = read;
    }
    assert_eq!(last, text.len() as u64);
    assert_eq!(reader.rows_hint(), None);
}
