//! `allonym expire`: what is past its date goes, the rest stays as it is stored, and nothing else
//! happens. Cells that go hold the canary.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod command;

use allonym_io::{Input, ReadOptions, Reader};
use arrow_array::types::Int32Type;
use arrow_array::{
    Array as _, ArrayRef, DictionaryArray, Int64Array, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use command::{Ended, Place, contents};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy, ParquetMetaDataReader};
use parquet::file::properties::WriterProperties;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

const CANARY: &str = "kanarienvogel.4711@example.org";
const HEAD: &str = "version = 1\n[policy]\nname = \"claims\"\nunlisted = \"keep\"\nunlisted_reason = \"test\"\n[keys]\ndomain = \"claims\"\n[retention]\nrequire_tags = \"none\"\n";
const DROP: &str =
    "[retention.dataset]\nanchor = \"closed\"\nduration = \"P5Y\"\non_expiry = \"drop_row\"\n";

fn column(name: &str, on_expiry: &str) -> String {
    format!(
        "[[retention.columns]]\nmatch = {{ name = \"{name}\" }}\nanchor = \"closed\"\nduration = \"P1Y\"\non_expiry = {on_expiry}\n"
    )
}

fn place(retention: &str) -> Place {
    let place = Place::fresh();
    place.write("allonym.toml", format!("{HEAD}{retention}"));
    place
}

/// A run that ends with this code and sings no canary, in no log line either.
fn run(place: &Place, arguments: &[&str], exit: i32) -> Ended {
    place.run(&[&["expire", "-vv"], arguments].concat()).expect(exit).silent()
}

#[test]
fn a_plan_tells_and_does_nothing() {
    let place = place(DROP);
    place.write("in.csv", format!("id,closed\n{CANARY},2019-01-01\n2,2025-01-01\n"));
    let before = contents(&place.path(""));
    let ended = run(&place, &["in.csv"], 1);
    assert!(ended.out.starts_with("DUE  as of 2026-01-01T00:00:00Z\n"), "{}", ended.out);
    assert!(ended.out.contains("1 rows would be removed"), "{}", ended.out);
    let json = run(&place, &["in.csv", "--dry-run", "--format", "json"], 1).json();
    assert_eq!(json["schema"], "allonym.expire/1");
    assert_eq!(json["files"][0]["tags"][0]["rows"]["expired"], 1);
    assert_eq!(json["files"][0]["tags"][0]["rows"]["retain"], 1);
    assert_eq!(json["files"][0]["rows_dropped"], 1);
    assert_eq!(json["applied"], false);
    assert_eq!(contents(&place.path("")), before);
    run(&place, &["in.csv", "--exit-zero"], 0);
}

#[test]
fn text_formats_keep_what_stays_byte_for_byte() {
    let retention = [
        DROP,
        &column("note", "\"null\""),
        &column("age", "\"generalize\"\ngeneralize = { bands = [18, 30, 65] }"),
    ]
    .concat();
    let place = place(&retention);
    place.write(
        "data/a.csv",
        format!(
            "\u{feff}id;closed;note;age\r\n\"001\";2019-01-01;{CANARY};17\r\n007;\"2023-05-05\";\"{CANARY}\";44\r\n\"3\";2025-12-01;\"a;b\";\"33\"\r\n\r\n4;2024-06-01;\"\";70"
        ),
    );
    place.write(
        "data/b.jsonl",
        format!(
            "{{\"id\": 1,  \"closed\":\"2019-01-01\",\"note\":\"{CANARY}\",\"age\":17}}\n{{\"id\": 1.50,\"closed\":\"2023-05-05\",\"note\":\"{CANARY}\",\"age\":44, \"x\":[1, 2]}}\n{{ \"note\":\"n\\u00e9\",\"age\":20,\"closed\":\"2025-12-31\" }}\n"
        ),
    );
    place.write("data/c.tsv", format!("closed\tnote\tage\n2018-01-01\t{CANARY}\t5\n"));
    fs::set_permissions(place.path("data/a.csv"), fs::Permissions::from_mode(0o640)).unwrap();
    let ended = run(&place, &["data", "--yes", "--format", "json"], 0);
    assert_eq!(ended.json()["verdict"], "done");
    assert_eq!(
        place.read("data/a.csv"),
        "\u{feff}id;closed;note;age\r\n007;\"2023-05-05\";;30-64\r\n\"3\";2025-12-01;\"a;b\";\"33\"\r\n\r\n4;2024-06-01;;65+"
    );
    assert_eq!(
        place.read("data/b.jsonl"),
        "{\"id\": 1.50,\"closed\":\"2023-05-05\",\"note\":null,\"age\":\"30-64\", \"x\":[1, 2]}\n{ \"note\":\"n\\u00e9\",\"age\":20,\"closed\":\"2025-12-31\" }\n"
    );
    assert_eq!(place.read("data/c.tsv"), "closed\tnote\tage\n");
    let mode = fs::metadata(place.path("data/a.csv")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    for (path, bytes) in contents(&place.path("data")) {
        assert!(!String::from_utf8_lossy(&bytes).contains("kanarienvogel"), "{path}");
        assert!(!path.contains(".allonym-job"), "{path}");
    }

    // Run again: nothing is due, nothing changes.
    let before = contents(&place.path("data"));
    let again = run(&place, &["data", "--yes", "--format", "json"], 0);
    assert_eq!(again.json()["verdict"], "nothing due");
    assert_eq!(contents(&place.path("data")), before);
}

#[test]
fn evidence_names_digests_before_and_after_and_an_earlier_one_stays() {
    let place = place(DROP);
    assert_eq!(place.run(&["key", "new"]).exit, 0);
    place.write("in.csv", "closed\n2019-01-01\n2020-06-01\n2025-01-01\n");
    let first = run(&place, &["in.csv", "--yes", "--format", "json"], 0);
    let json = first.json();
    let file = &json["files"][0];
    assert_eq!((&file["before"]["rows"], &file["after"]["rows"]), (&3.into(), &1.into()));
    let name = "in.csv.expired-20260101T000000Z.allonym.json";
    assert_eq!(place.names(), ["allonym.toml", "in.csv", name]);
    let kept: serde_json::Value = serde_json::from_str(&place.read(name)).unwrap();
    assert_eq!(kept, json);
    place.run(&["verify", name]).expect(0);
    place.write("in.csv", "closed\n2018-01-01\n");
    run(&place, &["in.csv", "--yes"], 0);
    assert!(place.names().contains(&"in.csv.expired-20260101T000000Z-2.allonym.json".to_owned()));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&place.read(name)).unwrap(), json);
    assert_eq!(place.read("in.csv"), "closed\n");
}

/// Nine row groups of a thousand rows, sorted by an anchor of microseconds; the oldest group has
/// expired and half of the second.
fn sorted_parquet(path: &Path) {
    let rows = 9_000_i64;
    let start = 1_546_300_800_000_000_i64; // 2019-01-01
    let anchors: Vec<i64> = (0..rows)
        .map(|row| if row < 1_500 { start + row } else { start + 200_000_000_000_000 + row })
        .collect();
    let ids: Int64Array = (0..rows).map(Some).collect();
    let notes: StringArray = (0..rows)
        .map(|row| Some(if row < 1_500 { format!("{CANARY}{row}") } else { format!("note {row}") }))
        .collect();
    let kinds: DictionaryArray<Int32Type> =
        (0..rows).map(|row| Some(if row % 2 == 0 { "even" } else { "odd" })).collect();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(ids)),
        ("closed", Arc::new(TimestampMicrosecondArray::from(anchors).with_timezone("UTC"))),
        ("note", Arc::new(notes)),
        ("kind", Arc::new(kinds)),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(1_000))
        .set_bloom_filter_enabled(true)
        .build();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn read(path: &Path) -> RecordBatch {
    let input = Input::File(path.to_owned());
    let mut reader = Reader::open(&input, &ReadOptions::default()).unwrap();
    let schema = Arc::clone(reader.schema());
    let mut batches = Vec::new();
    while let Some(chunk) = reader.next_chunk().unwrap() {
        batches.push(chunk.records);
    }
    arrow_select::concat::concat_batches(&schema, &batches).unwrap()
}

#[test]
fn parquet_row_groups_without_anything_due_are_copied_as_they_are_stored() {
    let place = place(DROP);
    let path = place.path("in.parquet");
    sorted_parquet(&path);
    let (old, old_bytes) = (read(&path), fs::read(&path).unwrap());
    let ended = run(&place, &["in.parquet", "--yes", "--format", "json"], 0);
    let json = ended.json();
    let groups = &json["files"][0]["row_groups"];
    assert_eq!(groups["all"], 9);
    assert_eq!(groups["gone"], 1);
    assert_eq!(groups["rewritten"], 1);
    assert_eq!(groups["untouched"], 7);
    assert_eq!(groups["judged_by_statistics"], 8);
    assert_eq!(json["files"][0]["rows_dropped"], 1_500);
    let new = read(&path);
    assert_eq!(new, old.slice(1_500, 7_500));

    let new_bytes = fs::read(&path).unwrap();
    assert!(!String::from_utf8_lossy(&new_bytes).contains("kanarienvogel"));
    let metadata = |path: &Path| {
        ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .parse_and_finish(&File::open(path).unwrap())
            .unwrap()
    };
    let (old, new) = (metadata(&place.write("old.parquet", &old_bytes)), metadata(&path));
    assert_eq!(new.num_row_groups(), 8);
    for group in 1..8 {
        for (old, new) in
            old.row_group(group + 1).columns().iter().zip(new.row_group(group).columns())
        {
            let chunk = |bytes: &[u8], column: &ColumnChunkMetaData| {
                let (start, length) = column.byte_range();
                let start = usize::try_from(start).unwrap();
                bytes[start..start + usize::try_from(length).unwrap()].to_vec()
            };
            assert_eq!(chunk(&old_bytes, old), chunk(&new_bytes, new));
            assert_eq!(old.statistics(), new.statistics());
            assert_eq!(old.bloom_filter_offset().is_some(), new.bloom_filter_offset().is_some());
        }
    }
    let anchors = new.offset_index().is_some_and(|index| index.len() == 8);
    assert!(anchors, "the page index came along");
}

#[test]
fn a_cell_action_on_parquet_rewrites_only_the_groups_it_touches() {
    let place = place(&column("note", "\"null\""));
    let path = place.path("data/in.parquet");
    sorted_parquet(&path);
    let old = read(&path);
    let json = run(&place, &["data", "--yes", "--format", "json"], 0).json();
    assert_eq!(json["files"][0]["cells"]["note"], 1_500);
    assert_eq!(json["files"][0]["row_groups"]["rewritten"], 2);
    let new = read(&path);
    assert_eq!(new.num_rows(), 9_000);
    assert_eq!(new.column(2).null_count(), 1_500);
    assert_eq!(
        new.column(2).slice(1_500, 7_500).to_data(),
        old.column(2).slice(1_500, 7_500).to_data()
    );
    assert_eq!(new.column(0), old.column(0));
    let json = run(&place, &["data", "--yes", "--format", "json"], 0).json();
    assert_eq!(json["verdict"], "nothing due");
}

#[test]
fn arrow_files_are_written_again() {
    let place = place(&[DROP, &column("note", "\"null\"")].concat());
    place.write(
        "in.csv",
        format!("id,closed,note\n1,2019-01-01,{CANARY}\n2,2024-01-01,{CANARY}\n3,2025-12-01,x\n"),
    );
    place.write(
        "keep.toml",
        "version = 1\n[policy]\nunlisted = \"keep\"\nunlisted_reason = \"test\"\n",
    );
    for name in ["out.arrow", "out.arrows"] {
        place.run(&["apply", "in.csv", "--to", name, "--policy", "keep.toml"]).expect(0);
        run(&place, &[name, "--yes"], 0);
        let rows = read(&place.path(name));
        assert_eq!((rows.num_rows(), rows.column(2).null_count()), (2, 1), "{name}");
        assert!(!String::from_utf8_lossy(&place.bytes(name)).contains("kanarienvogel"));
    }
}

#[test]
fn holds_keep_rows_and_a_late_review_is_against_policy() {
    let hold = |more: &str| {
        format!(
            "{DROP}[[retention.holds]]\nid = \"LH-1\"\nauthority = \"a court\"\nfrom = 2025-01-01\n{more}"
        )
    };
    let csv = "token,closed\nPERSON_1,2019-01-01\nB,2019-01-01\nC,2025-01-01\n";

    let whole = place(&hold("review_by = 2027-01-01\nscope = { dataset = \"claims_*\" }\n"));
    whole.write("claims_2019.csv", csv);
    whole.write("other.csv", csv);
    let json = run(&whole, &["*.csv", "--yes", "--format", "json"], 0).json();
    assert_eq!(json["files"][0]["tags"][0]["rows"]["expired_on_hold"], 2);
    assert_eq!(json["files"][0]["tags"][0]["rows"]["hold"], 1);
    assert_eq!(whole.read("claims_2019.csv"), csv);
    assert_eq!(whole.read("other.csv"), "token,closed\nC,2025-01-01\n");

    let late = place(&hold("review_by = 2025-06-01\n"));
    late.write("a.csv", csv);
    run(&late, &["a.csv", "--yes"], 1);
    assert_eq!(late.read("a.csv"), csv);

    let by_token =
        place(&hold("review_by = 2027-01-01\nscope = { subject_tokens_file = \"lh.tokens\" }\n"));
    by_token.write("a.csv", csv);
    run(&by_token, &["a.csv", "--yes"], 3).says(&["LH-1", "lh.tokens"]);
    for broken in [b"".as_slice(), b"# nobody\n", b"a b\n", b"\xff\xfe\n"] {
        by_token.write("lh.tokens", broken);
        run(&by_token, &["a.csv", "--yes"], 3).says(&["LH-1", "lh.tokens"]);
    }
    by_token.write("lh.tokens", "# held\nB\n");
    run(&by_token, &["a.csv", "--yes"], 0);
    assert_eq!(by_token.read("a.csv"), "token,closed\nB,2019-01-01\nC,2025-01-01\n");
    // The hold is lifted: the row is due at once.
    by_token.write("allonym.toml", format!("{HEAD}{DROP}"));
    run(&by_token, &["a.csv", "--yes"], 0);
    assert_eq!(by_token.read("a.csv"), "token,closed\nC,2025-01-01\n");
}

#[test]
fn rows_are_set_aside_outside_of_the_data() {
    let place = place(
        "[retention.dataset]\nanchor = \"closed\"\nduration = \"P5Y\"\non_expiry = \"quarantine\"\non_null_anchor = \"quarantine\"\n",
    );
    place.write("data/a.csv", "id,closed\n1,2019-01-01\n2,2025-01-01\n\"3\",\n");
    run(&place, &["data", "--yes"], 2).says(&["--quarantine"]);
    run(&place, &["data", "--yes", "--quarantine", "data/aside"], 2).says(&["inside the data"]);
    let ended = run(&place, &["data", "--yes", "--quarantine", "aside", "--format", "json"], 0);
    assert_eq!(place.read("data/a.csv"), "id,closed\n2,2025-01-01\n");
    assert_eq!(place.read("aside/20260101T000000Z.a.csv"), "id,closed\n1,2019-01-01\n\"3\",\n");
    let json = ended.json();
    assert_eq!(json["files"][0]["rows_quarantined"], 2);
    assert!(json["files"][0]["quarantine"]["sha256"].is_string());
}

#[test]
fn random_tokens_replace_expired_ones_once() {
    let place = place(&column("mail", "\"retokenize_random\""));
    assert_eq!(place.run(&["key", "new"]).exit, 0);
    let policy = place.read("allonym.toml");
    place.write("allonym.toml", format!("{policy}[columns.mail]\ntreat = \"pseudonymize\"\n"));
    place.write("in.csv", format!("mail,closed\n{CANARY},2019-01-01\nx@example.org,2025-12-01\n{CANARY},2020-01-01\n,2019-01-01\n"));
    place.run(&["apply", "in.csv", "--to", "out.csv"]).expect(0);
    let before: Vec<String> = place.read("out.csv").lines().map(str::to_owned).collect();
    let ended = run(&place, &["out.csv", "--yes", "--format", "json"], 0);
    assert_eq!(ended.json()["files"][0]["cells"]["mail"], 2);
    let after: Vec<String> = place.read("out.csv").lines().map(str::to_owned).collect();
    let token = |line: &str| line.split(',').next().unwrap().to_owned();
    let tokens: BTreeSet<String> =
        [&before[1], &after[1], &after[3]].iter().map(|line| token(line)).collect();
    assert_eq!(tokens.len(), 3, "equal people are no longer equal, nor what they were");
    assert!(tokens.iter().all(|token| token.len() == 22));
    assert_eq!((&before[2], &before[4]), (&after[2], &after[4]));
    run(&place, &["out.csv", "--yes"], 0);
    assert_eq!(place.read("out.csv").lines().collect::<Vec<_>>(), after);
    let keyless = place.run_with(&["expire", "out.csv"], |command| {
        command.env("ALLONYM_KEYS", "file:/nowhere/ring");
    });
    assert_eq!(keyless.exit, 4, "{}", keyless.err);
}

#[test]
fn what_was_made_of_expired_data_is_listed() {
    let place = place(DROP);
    place.write(
        "keep.toml",
        "version = 1\n[policy]\nunlisted = \"keep\"\nunlisted_reason = \"test\"\n",
    );
    place.write("raw/in.csv", "id,closed\n1,2019-01-01\n2,2025-01-01\n");
    place.run(&["apply", "raw/in.csv", "--to", "ml/train.csv", "--policy", "keep.toml"]).expect(0);
    let json = run(&place, &["raw", "--receipts", "ml", "--format", "json"], 1).json();
    assert_eq!(json["derived"][0]["input"], "in.csv");
    assert_eq!(json["derived"][0]["outputs"][0], "train.csv");
}

#[test]
fn what_cannot_be_verified_is_said_and_nothing_fails_open() {
    let anchored = |cell: &str| format!("id,closed\n{CANARY},{cell}\n");
    for (cell, exit, word) in [
        ("2024-01-01T10:00:00", 3, "time without a zone"),
        ("yesterday .4711", 3, "no date"),
        ("", 1, "no anchor"),
        ("2206-01-01", 1, "ahead"),
    ] {
        let place = place(DROP);
        place.write("in.csv", anchored(cell));
        let before = place.read("in.csv");
        let ended = run(&place, &["in.csv", "--yes"], exit);
        assert!(ended.out.contains(word), "{cell}: {}", ended.out);
        assert_eq!(place.read("in.csv"), before);
    }
    for (csv, fragments) in [
        (format!("id,ended\n{CANARY},2019-01-01\n"), ["`closed`", "in.csv"]),
        (String::new(), ["empty", "in.csv"]),
        (format!("id,closed\n{CANARY}\n"), ["row 1", "in.csv"]),
    ] {
        let place = place(DROP);
        place.write("in.csv", csv);
        run(&place, &["in.csv", "--yes"], 3).says(&fragments);
    }
    // A file that is wrong stops the job before the first one changes.
    let two = place(DROP);
    two.write("data/a.csv", "closed\n2019-01-01\n");
    two.write("data/b.csv", "ended\n2019-01-01\n");
    run(&two, &["data", "--yes"], 3).says(&["b.csv", "`closed`"]);
    assert_eq!(two.read("data/a.csv"), "closed\n2019-01-01\n");

    let nothing = Place::fresh();
    nothing.write("in.csv", "closed\n2019-01-01\n");
    run(&nothing, &["in.csv"], 2).says(&["ALO-R001"]);
    nothing.write("allonym.toml", "version = 1\n");
    run(&nothing, &["in.csv"], 2).says(&["ALO-R001"]);

    let cells = place(
        "[retention.dataset]\nanchor = \"closed\"\nduration = \"P5Y\"\non_expiry = \"null\"\n",
    );
    cells.write("in.csv", "closed\n2019-01-01\n");
    run(&cells, &["in.csv"], 2).says(&["ALO-R003", "whole rows"]);
    let clash = place(
        "[[retention.columns]]\nmatch = { glob = \"n*\" }\nanchor = \"closed\"\nduration = \"P1Y\"\non_expiry = \"null\"\n[[retention.columns]]\nmatch = { glob = \"*e\" }\nanchor = \"closed\"\nduration = \"P1Y\"\non_expiry = \"null\"\n",
    );
    clash.write("in.csv", "note,closed\nx,2019-01-01\n");
    run(&clash, &["in.csv"], 2).says(&["ALO-R003", "`note`"]);
}

#[test]
fn columns_without_a_tag_and_anchors_that_nobody_told() {
    let tags = "[retention.dataset]\nanchor = \"dataset.collected_at\"\nduration = \"P5Y\"\non_expiry = \"drop_row\"\n";
    let collected = place(tags);
    collected.write("in.csv", "id\n1\n");
    run(&collected, &["in.csv"], 3).says(&["--collected-at"]);
    run(&collected, &["in.csv", "--collected-at", "soon"], 2).says(&["ALO-U005"]);
    run(&collected, &["in.csv", "--collected-at", "2024-01-01"], 0);
    run(&collected, &["in.csv", "--collected-at", "2019-01-01", "--yes"], 0);
    assert_eq!(collected.read("in.csv"), "id\n");

    let event = place(
        "[[retention.columns]]\nmatch = { name = \"id\" }\nanchor = \"event:contract_end\"\nduration = \"P1Y\"\non_expiry = \"null\"\n",
    );
    event.write("in.csv", "id\n1\n");
    run(&event, &["in.csv"], 3).says(&["event:contract_end", "--event"]);
    run(&event, &["in.csv", "--event", "contract_end=2024-01-01", "--yes"], 0);

    let untagged = Place::fresh();
    let head = HEAD.replace("require_tags = \"none\"\n", "");
    untagged.write("allonym.toml", format!("{head}{}", column("note", "\"null\"")));
    untagged.write("in.csv", "note,closed\nx,2025-12-01\n");
    let ended = run(&untagged, &["in.csv"], 1);
    assert!(ended.out.contains("columns without a tag: `closed`"), "{}", ended.out);
}

#[test]
fn a_tag_for_a_part_of_a_column_is_not_passed_over() {
    let file = |place: &Place| {
        let mail: ArrayRef = Arc::new(StringArray::from(vec![CANARY, CANARY]));
        let closed: ArrayRef = Arc::new(StringArray::from(vec!["2019-01-01", "2025-12-01"]));
        let person: ArrayRef = Arc::new(StructArray::try_from(vec![("mail", mail)]).unwrap());
        let batch = RecordBatch::try_from_iter([("closed", closed), ("p", person)]).unwrap();
        let file = File::create(place.path("in.parquet")).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    };
    let rows = place(&column("p.mail", "\"drop_row\""));
    file(&rows);
    let json = run(&rows, &["in.parquet", "--format", "json"], 1).json();
    assert_eq!(json["files"][0]["rows_dropped"], 1);
    assert_eq!(json["files"][0]["tags"][0]["of"], "p.mail");
    run(&rows, &["in.parquet", "--yes"], 0);
    assert_eq!(read(&rows.path("in.parquet")).num_rows(), 1);
    // Its cells cannot be emptied alone: that is said, and nothing is taken for done.
    let cells = place(&column("p.mail", "\"null\""));
    file(&cells);
    run(&cells, &["in.parquet"], 2).says(&["ALO-R003", "`p.mail` is part of a column"]);
    // One tag for the whole column holds for its parts.
    let whole = place(&column("*", "\"null\"").replace("name", "glob").replace("\"*\"", "\"p*\""));
    file(&whole);
    run(&whole, &["in.parquet", "--yes"], 0);
    let person = Arc::clone(read(&whole.path("in.parquet")).column(1));
    assert_eq!((person.is_null(0), person.is_null(1)), (true, false));
}

#[test]
fn clocks_do_not_go_back_and_data_does_not_go_early() {
    let place = place(DROP);
    place.write(
        "keep.toml",
        "version = 1\n[policy]\nunlisted = \"keep\"\nunlisted_reason = \"test\"\n",
    );
    place.write("raw.csv", "closed\n2019-01-01\n");
    place.run(&["apply", "raw.csv", "--to", "in.csv", "--policy", "keep.toml"]).expect(0);
    run(&place, &["in.csv", "--as-of", "2023-01-01T00:00:00Z", "--yes"], 3).says(&["ALO-R005"]);
    run(&place, &["in.csv", "--as-of", "2025-12-31T23:56:00Z"], 1);
    run(&place, &["in.csv", "--as-of", "2999-01-01T00:00:00Z", "--yes"], 2).says(&["ALO-R007"]);
    run(&place, &["in.csv", "--as-of", "tomorrow"], 2);
    assert_eq!(place.read("in.csv"), "closed\n2019-01-01\n");
}

#[test]
fn two_jobs_at_once() {
    let place = place(DROP);
    place.write("data/in.csv", "closed\n2019-01-01\n");
    place.write("data/.allonym-job/lock", "");
    let lock = File::open(place.path("data/.allonym-job/lock")).unwrap();
    lock.lock().unwrap();
    run(&place, &["data", "--yes"], 75).says(&["ALO-S003"]);
    assert_eq!(place.read("data/in.csv"), "closed\n2019-01-01\n");
    run(&place, &["data"], 1);
    drop(lock);
    run(&place, &["data", "--yes"], 0);
    assert_eq!(place.read("data/in.csv"), "closed\n");
}

#[test]
fn an_interrupted_job_is_ended_by_the_same_command_and_by_no_other() {
    let place = place(DROP);
    place.write("data/a.csv", "closed\n2019-01-01\n");
    place.write("data/b/c.csv", "closed\n2019-01-01\n");
    let policy = place.read("allonym.toml");
    // As a kill leaves it between two files: begun, nothing done, a beginning of a new file.
    place.write(
        "data/.allonym-job/journal.jsonl",
        "{\"kind\":\"expire\",\"as_of\":\"2025-01-01T00:00:00Z\",\"digest\":\"other\",\"files\":[\"a.csv\",\"b/c.csv\"]}\n",
    );
    place.write(
        "data/b/.allonym-job/job",
        place.path("data").canonicalize().unwrap().display().to_string(),
    );
    run(&place, &["data", "--yes"], 2).says(&["ALO-R010", "unfinished `expire`"]);
    run(&place, &["data/b", "--yes"], 2).says(&["ALO-R010"]);
    assert_eq!(place.read("data/a.csv"), "closed\n2019-01-01\n");
    // Without its journal the rest is swept away.
    fs::remove_file(place.path("data/.allonym-job/journal.jsonl")).unwrap();
    place.write("data/.allonym-job/.new.a.csv.allonym-xyz.tmp", CANARY);
    run(&place, &["data", "--yes"], 0);
    assert_eq!(place.read("allonym.toml"), policy);
    let left: Vec<String> =
        contents(&place.path("data")).into_iter().map(|(path, _)| path).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}
