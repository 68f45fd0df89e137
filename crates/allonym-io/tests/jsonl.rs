//! JSON Lines: untouched lines are identical, treated leaves are spliced in.

#![expect(clippy::unwrap_used, clippy::clone_on_ref_ptr, reason = "a test that cannot go on ends")]

mod files;

use allonym_io::{IoErrorKind, Output, ReadOptions, TextEncoding, Writer};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array, ListArray, RecordBatch, StringArray};
use arrow_buffer::{BooleanBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Schema};
use files::{CANARY, Desk, check_refused, open, pass, read_whole, rows_of};
use proptest::prelude::*;
use std::fs;
use std::sync::Arc;

fn check_identical(name: &str, bytes: &[u8]) {
    let desk = Desk::new();
    let from = desk.put(name, bytes);
    for rows in [1, 7, 1_000, 1_000_000] {
        let to = desk.path(&format!("out-{name}"));
        let out = pass(&from, &to, &rows_of(rows)).unwrap();
        assert!(
            out == bytes,
            "{:?} became {:?}",
            String::from_utf8_lossy(bytes),
            String::from_utf8_lossy(&out)
        );
    }
}

/// What a column becomes: the same, something of the old value, or nothing.
type Treat<'a> = &'a dyn Fn(&str, Option<&str>) -> Option<Option<String>>;

/// Treats the leaves of a file: `keep` names columns left alone, `drop` those that go.
fn splice(text: &str, keep: &[&str], drop: &[&str], treat: Treat<'_>) -> String {
    let mut outputs = Vec::new();
    for rows in [1, 3, 1_000] {
        let desk = Desk::new();
        let from = desk.put("a.jsonl", text);
        let mut reader = open(&from, &rows_of(rows)).unwrap();
        let schema = reader.schema().clone();
        let kept: Vec<usize> = (0..schema.fields().len())
            .filter(|at| !drop.contains(&schema.field(*at).name().as_str()))
            .collect();
        let untouched: Vec<Option<usize>> = kept
            .iter()
            .map(|at| keep.contains(&schema.field(*at).name().as_str()).then_some(*at))
            .collect();
        let output_schema = Arc::new(schema.project(&kept).unwrap());
        let to = desk.path("b.jsonl");
        let shape = reader.shape().for_output(Some(&to), None);
        let output = Output::File(to.clone());
        let mut writer =
            Writer::create(&output, &shape, &output_schema, &untouched, false).unwrap();
        while let Some(chunk) = reader.next_chunk().unwrap() {
            let columns = kept.iter().zip(&untouched).map(|(at, untouched)| {
                let (column, name) = (chunk.records.column(*at), schema.field(*at).name());
                if untouched.is_some() {
                    return Arc::clone(column);
                }
                treated(column, &|cell| {
                    treat(name, cell).unwrap_or_else(|| cell.map(str::to_owned))
                })
            });
            let columns = columns.collect();
            let options = arrow_array::RecordBatchOptions::new()
                .with_row_count(Some(chunk.records.num_rows()));
            let records =
                RecordBatch::try_new_with_options(output_schema.clone(), columns, &options);
            writer.write(&records.unwrap(), &chunk.dress).unwrap();
        }
        writer.finish().unwrap().commit().unwrap();
        outputs.push(fs::read_to_string(to).unwrap());
    }
    assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]));
    outputs.remove(0)
}

fn treated(column: &ArrayRef, treat: &dyn Fn(Option<&str>) -> Option<String>) -> ArrayRef {
    let cells = |column: &ArrayRef| -> ArrayRef {
        Arc::new(column.as_string::<i32>().iter().map(treat).collect::<StringArray>())
    };
    match column.data_type() {
        DataType::List(item) => {
            let lists = column.as_list::<i32>();
            let items = cells(lists.values());
            Arc::new(ListArray::new(
                Arc::clone(item),
                lists.offsets().clone(),
                items,
                lists.nulls().cloned(),
            ))
        }
        _ => cells(column),
    }
}

#[test]
fn untouched_files_are_identical() {
    let check = |text: &str| check_identical("a.jsonl", text.as_bytes());
    check("{\"a\":1}\n");
    check("{\"a\":1}");
    check("{\"a\":1}\r\n{\"a\":2}\r\n");
    check("\n \n{\"a\":1}\n\n\t\n  {\"a\":2}  \n\n");
    check("{ \"b\" : 1.50 , \"a\" : [ ] }\n{\"a\":[1,[2,\"x\"]],\"b\":-0}\n");
    check("{\"n\":1e400,\"m\":123456789012345678901234567890,\"z\":-0.0}\n");
    check("{\"u\":\"\\u00e4\\ud83d\\ude00\\/\",\"ä\":\"ä\"}\n");
    check("{}\n{}\n");
    check("\n\n");
    check("\u{feff}{\"a\":1}\n");
    let text = "{\"name\":\"Jürgen\"}\n";
    let units: Vec<u8> =
        std::iter::once(0xFEFF_u16).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    check_identical("a.jsonl", &units);
    let latin: Vec<u8> = text.chars().map(|letter| u8::try_from(letter).unwrap()).collect();
    check_identical("a.jsonl", &latin);
}

#[test]
fn leaves_are_columns() {
    let desk = Desk::new();
    let text = concat!(
        "{\"id\":007e0,\"a\":{\"b\":\"x\\ny\",\"c\":null},\"tags\":[\"p\",null,[true]]}\n",
        "{\"a\":{\"c\":1.0},\"id\":-0,\"items\":[{\"name\":\"q\"},{\"no\":1,\"name\":\"r\"}],\"a.b\":\"dot\"}\n",
        "{\"tags\":[],\"id\":\"\"}\n",
    );
    let path = desk.put("a.jsonl", text.replace("007e0", "7e0"));
    let rows = read_whole(&path, &ReadOptions::default());
    let names: Vec<String> =
        rows.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["id", "a.b", "a.c", "tags[]", "items[].name", "items[].no", "\"a.b\""]);
    let cells = |name: &str| -> Vec<Option<String>> {
        let column = rows.column_by_name(name).unwrap().as_string::<i32>();
        column.iter().map(|cell| cell.map(str::to_owned)).collect()
    };
    let some = |cell: &str| Some(cell.to_owned());
    assert_eq!(cells("id"), [some("7e0"), some("-0"), some("")]);
    assert_eq!(cells("a.b"), [some("x\ny"), None, None]);
    assert_eq!(cells("a.c"), [None, some("1.0"), None]);
    assert_eq!(cells("\"a.b\""), [None, some("dot"), None]);
    let lists = |name: &str| -> Vec<Option<Vec<Option<String>>>> {
        let column = rows.column_by_name(name).unwrap().as_list::<i32>();
        column
            .iter()
            .map(|list| {
                Some(list?.as_string::<i32>().iter().map(|cell| cell.map(str::to_owned)).collect())
            })
            .collect()
    };
    assert_eq!(lists("tags[]"), [Some(vec![some("p"), None, some("true")]), None, None]);
    assert_eq!(lists("items[].name"), [None, Some(vec![some("q"), some("r")]), None]);
}

#[test]
fn treated_leaves_are_spliced_in() {
    let mark: Treat<'_> = &|_, cell| Some(cell.map(|cell| format!("<{cell}>")));
    let check = |text: &str, keep: &[&str], expected: &str| {
        assert_eq!(splice(text, keep, &[], mark), expected);
    };
    check("{ \"a\" : \"x\" , \"b\":1.50 }\n", &["b"], "{ \"a\" : \"<x>\" , \"b\":1.50 }\n");
    check("{\"a\":null,\"b\":\"y\"}", &["b"], "{\"a\":null,\"b\":\"y\"}");
    check("{\"a\":12,\"b\":true}\n", &[], "{\"a\":\"<12>\",\"b\":\"<true>\"}\n");
    check("{\"t\":[\"x\",[\"y\",null],{}]}\n", &[], "{\"t\":[\"<x>\",[\"<y>\",null],{}]}\n");
    check(
        "{\"i\":[{\"n\":\"p\",\"k\":[]},{\"m\":0},{\"n\":\"q\"}]}\n",
        &["i[].m"],
        "{\"i\":[{\"n\":\"<p>\",\"k\":[]},{\"m\":0},{\"n\":\"<q>\"}]}\n",
    );
    check("{\"a\":\"\\u0022\\\\\\ud83d\\ude00\"}\n", &[], "{\"a\":\"<\\\"\\\\😀>\"}\n");
    check("\n{\"b\":1}\n\n{\"a\":\"x\"}\n", &["b"], "\n{\"b\":1}\n\n{\"a\":\"<x>\"}\n");
    check(
        "{\"ä.x\":\"y\",\"a\":{\"b\":\"z\"}}\n",
        &["a.b"],
        "{\"ä.x\":\"<y>\",\"a\":{\"b\":\"z\"}}\n",
    );
}

#[test]
fn spelling_follows_what_stood_there() {
    let check = |text: &str, to: Option<&str>, expected: &str| {
        let to = to.map(str::to_owned);
        assert_eq!(splice(text, &[], &[], &|_, _| Some(to.clone())), expected);
    };
    check("{\"a\":12}", Some("10"), "{\"a\":10}");
    check("{\"a\":12}", Some("-1.5e3"), "{\"a\":-1.5e3}");
    check("{\"a\":12}", Some("010"), "{\"a\":\"010\"}");
    check("{\"a\":12}", Some("true"), "{\"a\":\"true\"}");
    check("{\"a\":12}", None, "{\"a\":null}");
    check("{\"a\":true}", Some("false"), "{\"a\":false}");
    check("{\"a\":true}", Some("1"), "{\"a\":\"1\"}");
    check("{\"a\":\"12\"}", Some("10"), "{\"a\":\"10\"}");
    check("{\"a\":\"x\"}", Some("\u{1}\"\n"), "{\"a\":\"\\u0001\\\"\\n\"}");
    check("{\"a\":\"x\"}", None, "{\"a\":null}");
    check("{\"a\":[1,\"x\"]}", None, "{\"a\":[null,null]}");
}

#[test]
fn dropped_columns_go_with_their_commas() {
    let same: Treat<'_> = &|_, _| None;
    let all = ["a", "b", "c", "d.e", "d.f", "t[]", "i[].n", "i[].m"];
    let check = |text: &str, drop: &[&str], expected: &str| {
        assert_eq!(splice(text, &all, drop, same), expected, "{text} without {drop:?}");
        let keep_none = splice(text, &[], drop, same);
        assert_eq!(keep_none.replace(' ', ""), expected.replace(' ', ""));
    };
    check("{\"a\":1,\"b\":2,\"c\":3}\n", &["a"], "{\"b\":2,\"c\":3}\n");
    check("{\"a\":1,\"b\":2,\"c\":3}\n", &["b"], "{\"a\":1,\"c\":3}\n");
    check("{\"a\":1,\"b\":2,\"c\":3}\n", &["c"], "{\"a\":1,\"b\":2}\n");
    check("{\"a\":1,\"b\":2,\"c\":3}\n", &["a", "c"], "{\"b\":2}\n");
    check("{\"a\":1,\"b\":2}\n", &["a", "b"], "{}\n");
    check("{ \"a\": 1, \"b\": 2, \"c\": 3 }\n", &["a"], "{ \"b\": 2, \"c\": 3 }\n");
    check("{ \"a\": 1, \"b\": 2, \"c\": 3 }\n", &["c"], "{ \"a\": 1, \"b\": 2 }\n");
    check("{\"d\":{\"e\":1,\"f\":2},\"a\":0}\n", &["d.e"], "{\"d\":{\"f\":2},\"a\":0}\n");
    check("{\"d\":{\"e\":1,\"f\":2},\"a\":0}\n", &["d.e", "d.f"], "{\"a\":0}\n");
    check(
        "{\"d\":{\"e\":1},\"a\":0}\n{\"d\":null,\"a\":1}\n{\"d\":{},\"a\":2}\n",
        &["d.e"],
        "{\"a\":0}\n{\"a\":1}\n{\"a\":2}\n",
    );
    check("{\"t\":[1,2],\"a\":0}\n{\"t\":[]}\n", &["t[]"], "{\"a\":0}\n{}\n");
    check("{\"i\":[{\"n\":1,\"m\":2},{\"n\":3}]}\n", &["i[].n"], "{\"i\":[{\"m\":2},{}]}\n");
    check(
        "{\"t\":[1,{\"x\":2},[3]]}\n".replace('x', "y").as_str(),
        &["t[]"],
        "{\"t\":[{\"y\":2},[]]}\n",
    );
    check("{\"a\":1}\n{\"a\":{\"z\":2}}\n", &["a"], "{}\n{\"a\":{\"z\":2}}\n");
}

#[test]
fn windows_1252_lines_take_any_character_escaped() {
    let desk = Desk::new();
    let from = desk.put("a.jsonl", b"{\"n\":\"J\xFCrgen\",\"o\":\"K\xF6ln\"}\n");
    let mut reader = open(&from, &ReadOptions::default()).unwrap();
    assert_eq!(reader.shape().encoding(), TextEncoding::Windows1252);
    let chunk = reader.next_chunk().unwrap().unwrap();
    let name: ArrayRef = Arc::new(StringArray::from(vec!["Łü"]));
    let records =
        RecordBatch::try_new(chunk.records.schema(), vec![name, chunk.records.column(1).clone()])
            .unwrap();
    let to = desk.path("b.jsonl");
    let mut writer = Writer::create(
        &Output::File(to.clone()),
        reader.shape(),
        &records.schema(),
        &vec![None, Some(1)],
        false,
    )
    .unwrap();
    writer.write(&records, &chunk.dress).unwrap();
    writer.finish().unwrap().commit().unwrap();
    assert_eq!(fs::read(to).unwrap(), b"{\"n\":\"\\u0141\\u00fc\",\"o\":\"K\xF6ln\"}\n");
}

#[test]
fn typed_and_added_columns_are_written() {
    let desk = Desk::new();
    let from = desk.put("a.jsonl", "{\"year\":\"1990-01-02\",\"n\":[1]}\n{}\n");
    let mut reader = open(&from, &ReadOptions::default()).unwrap();
    let chunk = reader.next_chunk().unwrap().unwrap();
    let fields = vec![
        Field::new("year", DataType::Int64, true),
        chunk.records.schema().field(1).clone(),
        Field::new("extra", DataType::Utf8, true),
    ];
    let schema = Arc::new(Schema::new(fields));
    let years: ArrayRef = Arc::new(Int64Array::from(vec![Some(1990), None]));
    let extra: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None]));
    let records =
        RecordBatch::try_new(schema.clone(), vec![years, chunk.records.column(1).clone(), extra])
            .unwrap();
    let to = desk.path("b.jsonl");
    let mut writer = Writer::create(
        &Output::File(to.clone()),
        reader.shape(),
        &schema,
        &vec![None, Some(1), None],
        false,
    )
    .unwrap();
    writer.write(&records, &chunk.dress).unwrap();
    writer.finish().unwrap().commit().unwrap();
    assert_eq!(
        fs::read_to_string(to).unwrap(),
        "{\"year\":1990,\"n\":[1],\"extra\":\"x\"}\n{\"extra\":null}\n"
    );
}

#[test]
fn a_treated_list_has_as_many_items_as_before() {
    let desk = Desk::new();
    let from = desk.put("a.jsonl", format!("{{\"t\":[\"{CANARY}\",\"y\"]}}\n"));
    let mut reader = open(&from, &ReadOptions::default()).unwrap();
    let chunk = reader.next_chunk().unwrap().unwrap();
    let write = |length: usize, list: bool| {
        let items: ArrayRef = Arc::new(StringArray::from(vec!["z"; length]));
        let item = Arc::new(Field::new("item", DataType::Utf8, true));
        let column: ArrayRef = match list {
            true => {
                Arc::new(ListArray::new(item, OffsetBuffer::from_lengths([length]), items, None))
            }
            false => Arc::new(StringArray::from(vec!["z"])),
        };
        let schema =
            Arc::new(Schema::new(vec![Field::new("t[]", column.data_type().clone(), true)]));
        let output = Output::File(desk.path("b.jsonl"));
        let mut writer = Writer::create(&output, reader.shape(), &schema, &vec![None], false)?;
        writer.write(&RecordBatch::try_new(schema, vec![column]).unwrap(), &chunk.dress)
    };
    assert!(write(2, true).is_ok());
    for (length, list, words) in [
        (1, true, "row 1: a treated list"),
        (3, true, "row 1: a treated list"),
        (1, false, "must stay a list"),
    ] {
        let error = write(length, list).unwrap_err();
        assert!(error.message.contains(words) && error.kind == IoErrorKind::Usage, "{error}");
        assert!(!format!("{error:?}").contains(CANARY));
    }
    assert_eq!(desk.names(), ["a.jsonl"]);
}

#[test]
fn bad_lines_say_where_and_quote_nothing() {
    let c = CANARY;
    let check = |text: String, words: &[&str]| {
        let desk = Desk::new();
        let path = desk.put("a.jsonl", text);
        check_refused(&path, &rows_of(2), IoErrorKind::BadInput, words);
    };
    check(String::new(), &["the input is empty (0 bytes)"]);
    check(
        format!("{{\"a\":\"{c}\"}}\n\n[\"{c}\"]\n"),
        &["a.jsonl: line 3, byte 1: not a JSON object"],
    );
    check(format!("{{\"a\":\"{c}\"\n"), &["line 1", "the object does not end on its line"]);
    check(format!("{{\"a\":\"{c}}}\n"), &["line 1, byte 6: a string does not end"]);
    check(
        format!("{{\"a\":1}}\n{{\"{c}\":1,\"{c}\":2}}\n"),
        &["line 2, byte 28: a key stands twice"],
    );
    check(format!("{{\"a\":\"{c}\"}} {{}}\n"), &["text follows the object"]);
    check(format!("{{\"a\":\"{c}\\ud800\"}}\n"), &["half of a surrogate pair"]);
    check(format!("{{\"a\":\"{c}\0\"}}\n"), &["line 1: the text holds a NUL byte"]);
    check(format!("{{\"a\":{}1{}}}\n", "[".repeat(128), "]".repeat(128)), &["deeper than 128"]);
    check(format!("{{\"a\":{c}}}\n"), &["line 1, byte 6: not valid JSON"]);
    let wide: Vec<String> = (0..=10_000).map(|key| format!("{{\"{c}{key}\":1}}\n")).collect();
    check(wide.concat(), &["line 10,001: more than 10,000 fields"]);
}

#[test]
fn a_line_may_be_as_long_as_the_limit() {
    let desk = Desk::new();
    let options = ReadOptions { cell_bytes_max: Some(1_000), ..ReadOptions::default() };
    let line = |bytes: usize| format!("{{\"a\":\"{}\"}}\n", "x".repeat(bytes - 8));
    let path = desk.put("a.jsonl", line(1_000));
    assert_eq!(read_whole(&path, &options).num_rows(), 1);
    let path = desk.put("a.jsonl", line(1_003));
    check_refused(&path, &options, IoErrorKind::BadInput, &["line 1: longer than 1,000 bytes"]);
    let path = desk.put("a.jsonl", "x".repeat(3_000_000));
    check_refused(&path, &options, IoErrorKind::BadInput, &["line 1: longer than 1,000 bytes"]);
}

#[test]
fn every_field_of_the_file_is_a_column() {
    let desk = Desk::new();
    let mut text = "{\"a\":1}\n".repeat(20_000);
    text.push_str("{\"late\":\"x\"}\n");
    let path = desk.put("a.jsonl", text);
    let schema = open(&path, &ReadOptions::default()).unwrap().schema().clone();
    assert_eq!(schema.field(1).name(), "late");
}

#[test]
fn large_chunks_hold_the_same_rows_as_small_ones() {
    let desk = Desk::new();
    let mut text = String::new();
    for row in 0..5_000 {
        let note = if row < 4_000 { "null".to_owned() } else { format!("{{\"x\":{row}}}") };
        let tags = ["[]", "[\"p\",null]", "[\"q\",[\"ä\"]]", "null"][row % 4];
        let late = if row == 3_333 { ",\"late\":[{\"k\":true}]" } else { "" };
        text.push_str(&format!("{{\"id\":{row},\"note\":{note},\"tags\":{tags}{late}}}\n"));
        if row % 1_000 == 0 {
            text.push_str("\n \n");
        }
    }
    let path = desk.put("a.jsonl", &text);
    let whole = read_whole(&path, &rows_of(100_000));
    let names: Vec<String> =
        whole.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["id", "tags[]", "late[].k", "note.x"]);
    for rows in [1_024, 4_096, 7] {
        assert_eq!(read_whole(&path, &rows_of(rows)), whole);
    }
    let ids = whole.column(0).as_string::<i32>();
    assert!((0..5_000).all(|row| ids.value(row) == row.to_string()));
    check_identical("a.jsonl", text.as_bytes());
    // The first of two wrong lines is told, with its number in the file.
    let wrong =
        text.replace("{\"id\":2500,", "{\"id\":2500,,").replace("{\"id\":4500,", "{\"id\":,");
    let path = desk.put("b.jsonl", wrong);
    check_refused(&path, &rows_of(100), IoErrorKind::BadInput, &["line 2,507, byte 12: not valid"]);
}

#[test]
fn lines_are_given_as_they_stood() {
    let desk = Desk::new();
    let path = desk.put("a.jsonl", "\n {\"a\" : 1} \r\n\n{\"b\":[]}");
    let mut reader = open(&path, &ReadOptions::default()).unwrap();
    let chunk = reader.next_chunk().unwrap().unwrap();
    let lines: Vec<&[u8]> = chunk.json_lines().collect();
    assert_eq!(lines, [&b"{\"a\" : 1}"[..], b"{\"b\":[]}"]);
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        "[a-zä\"\\\\\n😀]{0,6}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            proptest::collection::btree_map("[a-c.\\[]{0,2}", inner, 0..3)
                .prop_map(|members| { serde_json::Value::Object(members.into_iter().collect()) }),
        ]
    })
}

/// The same document with every scalar but null replaced by one text, by another way.
fn replaced(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Null => Value::Null,
        Value::Array(items) => Value::Array(items.iter().map(replaced).collect()),
        Value::Object(members) => Value::Object(
            members.iter().map(|(key, value)| (key.clone(), replaced(value))).collect(),
        ),
        _ => Value::from("§"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn any_lines_pass_identically_and_are_treated_everywhere(
        members in proptest::collection::vec(proptest::collection::btree_map("[a-c]", json(), 0..4), 1..6),
        pretty in any::<bool>(),
    ) {
        let documents: Vec<serde_json::Value> = members
            .into_iter()
            .map(|members| serde_json::Value::Object(members.into_iter().collect()))
            .collect();
        let lines: Vec<String> = documents
            .iter()
            .map(|document| match pretty {
                true => serde_json::to_string_pretty(document).unwrap().replace('\n', " "),
                false => document.to_string(),
            })
            .collect();
        let text = lines.join("\n");
        let desk = Desk::new();
        let from = desk.put("a.jsonl", &text);
        let out = pass(&from, &desk.path("b.jsonl"), &rows_of(2)).unwrap();
        prop_assert_eq!(std::str::from_utf8(&out).unwrap(), &text);
        let out = splice(&text, &[], &[], &|_, cell| Some(cell.map(|_| "§".to_owned())));
        for (line, document) in out.lines().zip(&documents) {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            prop_assert_eq!(line, replaced(document));
        }
    }
}

/// Rows go, some of those that stay have another cell: these are spliced, the others stay as they
/// stood. Without word of which were changed, all are spliced.
#[test]
fn lines_of_rows_that_stay_are_spliced_where_they_were_changed() {
    let desk = Desk::new();
    let text =
        "{\"a\": \"x\",  \"n\": 1.50}\n\n{\"a\":\"y\",\"n\":2}\n{\"a\" : \"\\u00e9\", \"n\":3}";
    let path = desk.put("in.jsonl", text);
    for (touched, expected) in [
        (Some([false, false, true]), "{\"a\": \"x\",  \"n\": 1.50}\n\n{\"a\" : \"new\", \"n\":3}"),
        (
            Some([true, true, false]),
            "{\"a\": \"new\",  \"n\": 1.50}\n\n{\"a\" : \"\\u00e9\", \"n\":3}",
        ),
        (None, "{\"a\": \"new\",  \"n\": 1.50}\n\n{\"a\" : \"new\", \"n\":3}"),
    ] {
        let mut reader = open(&path, &ReadOptions::default()).unwrap();
        let shape = reader.shape().clone();
        let chunk = reader.next_chunk().unwrap().unwrap();
        let keep = BooleanBuffer::from(vec![true, false, true]);
        let dress = match touched {
            Some(touched) => chunk.dress.edited(&keep, &BooleanBuffer::from(touched.to_vec())),
            None => chunk.dress.kept(&keep),
        };
        let new = Arc::new(StringArray::from(vec!["new"; 3]));
        let columns = vec![new as _, Arc::clone(chunk.records.column(1))];
        let records = RecordBatch::try_new(chunk.records.schema(), columns).unwrap();
        let mask = BooleanArray::new(keep, None);
        let records = arrow_select::filter::filter_record_batch(&records, &mask).unwrap();
        let output = Output::File(desk.path("out.jsonl"));
        let untouched = vec![None, Some(1)];
        let mut writer =
            Writer::create(&output, &shape, reader.schema(), &untouched, true).unwrap();
        writer.write(&records, &dress).unwrap();
        writer.finish().unwrap().commit().unwrap();
        assert_eq!(fs::read_to_string(desk.path("out.jsonl")).unwrap(), expected);
    }
}
