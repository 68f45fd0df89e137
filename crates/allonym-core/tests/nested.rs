//! Structs and lists, by the paths of their leaves.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test's helpers do is the test's")]

mod setup;

use allonym_core::{Plan, Policy};
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, Int32Array, LargeListArray, ListArray, MapArray,
    RecordBatch, StringArray, StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields};
use setup::*;
use std::sync::Arc;

fn item() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Utf8, true))
}

fn list(lengths: &[usize], items: &[Option<&str>], valid: &[bool]) -> ArrayRef {
    Arc::new(ListArray::new(
        item(),
        OffsetBuffer::from_lengths(lengths.iter().copied()),
        texts(items),
        Some(NullBuffer::from(valid.to_vec())),
    ))
}

fn people() -> StructArray {
    let fields = Fields::from(vec![
        Field::new("name", DataType::Utf8, true),
        Field::new("age", DataType::Int32, false),
    ]);
    StructArray::new(
        fields,
        vec![
            texts(&[Some("Ada"), None, Some("Zoe"), Some("Eve")]),
            Arc::new(Int32Array::from(vec![36, 41, 52, 19])),
        ],
        Some(NullBuffer::from(vec![true, true, false, true])),
    )
}

fn apply(policy: &Policy, batch: &RecordBatch) -> (Plan, RecordBatch) {
    let plan = compile(policy, batch).unwrap_or_else(|error| panic!("{error}"));
    let treated = plan.apply(batch, DOCUMENT).unwrap().into_records();
    (plan, treated)
}

fn token(field: &str, value: &str) -> String {
    let options = format!("treat = \"pseudonymize\"\njoin = \"{field}\"");
    cells(&treat(&options, texts(&[Some(value)])).0)[0].clone().unwrap()
}

#[test]
fn children_of_a_struct_are_treated_apart() {
    let batch = batch(vec![("person", Arc::new(people()))]);
    let both = policy(
        "[columns.\"person.name\"]\ntreat = \"pseudonymize\"\n[columns.\"person.age\"]\ntreat = \"generalize\"\nstep = 10",
    );
    let (plan, treated) = apply(&both, &batch);
    let person = treated.column(0).as_struct();
    assert_eq!(person.nulls(), people().nulls());
    let names = cells(person.column(0));
    assert_eq!(names[0], Some(token("name", "Ada")));
    assert_eq!(names[1], None);
    let ages = person.column(1).as_primitive::<Int32Type>();
    assert_eq!(ages.values(), &[30, 40, 50, 10]);
    assert_eq!(plan.untouched(), [None]);
    assert_eq!(
        plan.columns().iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
        ["person.name", "person.age"]
    );
}

#[test]
fn children_are_dropped_kept_and_a_struct_without_children_goes() {
    let batch = batch(vec![("person", Arc::new(people())), ("id", texts(&[Some("1"); 4]))]);
    let some = policy(
        "[columns.\"person.name\"]\ntreat = \"drop\"\n[columns.\"person.age\"]\ntreat = \"keep\"\n[columns.id]\ntreat = \"keep\"",
    );
    let (plan, treated) = apply(&some, &batch);
    assert_eq!(treated.column(0).as_struct().column_names(), ["age"]);
    assert_eq!(plan.untouched(), [None, Some(1)]);
    let none = policy(
        "[columns.\"person.name\"]\ntreat = \"drop\"\n[columns.\"person.age\"]\ntreat = \"drop\"\n[columns.id]\ntreat = \"keep\"",
    );
    let (plan, treated) = apply(&none, &batch);
    assert_eq!(treated.schema().field(0).name(), "id");
    assert_eq!(plan.untouched(), [Some(1)]);
    let kept = policy(
        "[columns.\"person.name\"]\ntreat = \"keep\"\n[columns.\"person.age\"]\ntreat = \"keep\"\n[columns.id]\ntreat = \"keep\"",
    );
    assert_eq!(apply(&kept, &batch).0.untouched(), [Some(0), Some(1)]);
}

#[test]
fn a_nested_column_is_kept_dropped_or_made_null_whole() {
    let batch = batch(vec![("person", Arc::new(people()))]);
    let (plan, treated) = apply(&policy("[columns.person]\ntreat = \"keep\""), &batch);
    assert_eq!(plan.untouched(), [Some(0)]);
    assert_eq!(plan.columns().len(), 1);
    assert_eq!(treated.column(0).as_struct(), &people());
    let (_, treated) = apply(&policy("[columns.person]\ntreat = \"redact\""), &batch);
    assert_eq!(treated.column(0).data_type(), people().data_type());
    assert_eq!(treated.column(0).null_count(), 4);
    let (_, treated) = apply(&policy("[columns.person]\ntreat = \"drop\""), &batch);
    assert_eq!((treated.num_columns(), treated.num_rows()), (0, 4));
}

#[test]
fn items_of_a_list_are_treated_under_either_name() {
    let column =
        list(&[2, 0, 1, 1], &[Some("a"), None, Some("b"), Some("a")], &[true, true, false, true]);
    let batch = batch(vec![("tags", column)]);
    for name in ["tags", "tags[]"] {
        let (plan, treated) = apply(
            &policy(&format!("[columns.\"{name}\"]\ntreat = \"pseudonymize\"\njoin = \"t\"")),
            &batch,
        );
        let tags = treated.column(0).as_list::<i32>();
        assert_eq!(
            cells(tags.values()),
            [Some(token("t", "a")), None, Some(token("t", "b")), Some(token("t", "a"))]
        );
        assert_eq!(
            (0..4).map(|row| tags.is_null(row)).collect::<Vec<_>>(),
            [false, false, true, false]
        );
        assert_eq!(plan.columns()[0].name, "tags[]");
    }
}

#[test]
fn a_slice_of_lists_brings_no_other_items_along() {
    let column = list(
        &[2, 1, 3],
        &[Some("a"), Some("b"), Some("c"), Some("d"), Some("e"), Some("f")],
        &[true; 3],
    );
    let whole = batch(vec![("tags", column)]);
    let plan =
        compile(&policy("[columns.\"tags[]\"]\ntreat = \"mask\"\nkeep_first = 1"), &whole).unwrap();
    let treated = plan.apply(&whole.slice(1, 1), DOCUMENT).unwrap();
    let tags = treated.records().column(0).as_list::<i32>();
    assert_eq!((tags.values().len(), tags.value_length(0)), (1, 1));
    assert_eq!(treated.counts()[0].treated, 1);
}

#[test]
fn lists_are_redacted_whole_and_item_by_item() {
    let column = list(&[2, 1], &[Some("a"), Some("b"), Some("c")], &[true, true]);
    let whole = batch(vec![("tags", Arc::clone(&column))]);
    let (_, treated) = apply(&policy("[columns.tags]\ntreat = \"redact\""), &whole);
    assert_eq!(treated.column(0).null_count(), 2);
    let (_, treated) = apply(&policy("[columns.\"tags[]\"]\ntreat = \"redact\""), &whole);
    assert_eq!(treated.column(0).null_count(), 0);
    assert_eq!(treated.column(0).as_list::<i32>().values().null_count(), 3);
    // The flat column of a JSON Lines reader: its items are meant, their number stays.
    let flat = batch(vec![("items[].name", column)]);
    let (plan, treated) = apply(&policy("[columns.\"items[].name\"]\ntreat = \"redact\""), &flat);
    assert_eq!(treated.column(0).null_count(), 0);
    assert_eq!(treated.column(0).as_list::<i32>().values().null_count(), 3);
    assert_eq!(plan.columns()[0].name, "items[].name");
    let (plan, _) = apply(&policy("[columns.\"items[].name\"]\ntreat = \"keep\""), &flat);
    assert_eq!(plan.untouched(), [Some(0)]);
}

#[test]
fn structs_in_lists_and_lists_in_structs_have_paths() {
    let people: ArrayRef = Arc::new(people());
    let rows = LargeListArray::new(
        Arc::new(Field::new("item", people.data_type().clone(), true)),
        OffsetBuffer::from_lengths([1, 3]),
        people,
        None,
    );
    let batch = batch(vec![("rows", Arc::new(rows))]);
    let names = policy(
        "[columns.\"rows[].name\"]\ntreat = \"pseudonymize\"\n[columns.\"rows[].age\"]\ntreat = \"drop\"",
    );
    let (plan, treated) = apply(&names, &batch);
    let rows = treated.column(0).as_list::<i64>();
    assert_eq!(rows.value_length(1), 3);
    assert_eq!(cells(rows.values().as_struct().column(0))[0], Some(token("name", "Ada")));
    assert_eq!(plan.columns()[1].name, "rows[].age");
    let (_, treated) = apply(&policy("[columns.rows]\ntreat = \"redact\""), &batch);
    assert_eq!(treated.column(0).null_count(), 2);
}

#[test]
fn lists_of_fixed_length_keep_it() {
    let pairs =
        FixedSizeListArray::new(item(), 2, texts(&[Some("a"), Some("b"), None, Some("a")]), None);
    let whole = batch(vec![("pair", Arc::new(pairs))]);
    let plan =
        compile(&policy("[columns.\"pair[]\"]\ntreat = \"pseudonymize\"\njoin = \"t\""), &whole)
            .unwrap();
    let treated = plan.apply(&whole.slice(1, 1), DOCUMENT).unwrap();
    let pairs = treated.records().column(0).as_fixed_size_list();
    assert_eq!((pairs.value_length(), pairs.len()), (2, 1));
    assert_eq!(cells(&pairs.value(0)), [None, Some(token("t", "a"))]);
}

#[test]
fn items_of_one_row_have_their_own_tokens_when_nothing_is_consistent() {
    let column = list(&[2, 1], &[Some("a"), Some("a"), Some("a")], &[true, true]);
    let whole = batch(vec![("tags", column)]);
    for treatment in ["pseudonymize", "text"] {
        let policy =
            policy(&format!("[columns.tags]\ntreat = \"{treatment}\"\nconsistency = \"none\""));
        let plan = compile(&policy, &whole).unwrap();
        let at = |first_row| allonym_core::Position { document: "d", first_row };
        let items = |batch: &RecordBatch, row| {
            cells(plan.apply(batch, at(row)).unwrap().records().column(0).as_list::<i32>().values())
        };
        let mut all = items(&whole, 0);
        assert_eq!([items(&whole.slice(0, 1), 0), items(&whole.slice(1, 1), 1)].concat(), all);
        if treatment == "pseudonymize" {
            all.sort();
            all.dedup();
            assert_eq!(all.len(), 3);
        }
    }
}

#[test]
fn maps_are_treated_whole() {
    let entries = StructArray::from(vec![
        (
            Arc::new(Field::new("keys", DataType::Utf8, false)),
            Arc::new(StringArray::from(vec!["a"])) as ArrayRef,
        ),
        (Arc::new(Field::new("values", DataType::Utf8, true)), texts(&[Some("Ada")])),
    ]);
    let field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
    let map = MapArray::new(field, OffsetBuffer::from_lengths([1]), entries, None, false);
    let batch = batch(vec![("extra", Arc::new(map))]);
    let (_, treated) = apply(&policy("[columns.extra]\ntreat = \"redact\""), &batch);
    assert_eq!(treated.column(0).null_count(), 1);
    let error = compile(&policy("[columns.extra]\ntreat = \"text\""), &batch).unwrap_err();
    assert_eq!((error.exit, error.code), (2, "ALO-P012"));
}
