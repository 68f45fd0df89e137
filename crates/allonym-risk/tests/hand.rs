//! Tables small enough to be counted by hand.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use allonym_risk::{
    AttackKind, Attacks, Change, Encoded, Kind, RiskError, Role, Tables, attack, classes, coarser,
    disclosure,
};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    Float64Array, Int32Array, Int64Array, LargeStringArray, NullArray, RecordBatch, StringArray,
    StringViewArray, TimestampMillisecondArray, UInt8Array,
};
use std::sync::Arc;

fn rows(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    )
    .unwrap()
}

fn taken(batches: &[(Role, RecordBatch)]) -> Result<Encoded, RiskError> {
    let names: Vec<String> =
        batches[0].1.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut tables = Tables::new(&names)?;
    let all: Vec<usize> = (0..names.len()).collect();
    for (role, batch) in batches {
        tables.begin(*role, &batch.schema(), &all)?;
        tables.push(batch)?;
    }
    tables.finish()
}

fn data(columns: Vec<(&str, ArrayRef)>) -> Encoded {
    taken(&[(Role::Data, rows(columns))]).unwrap()
}

fn strings(cells: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(cells.to_vec()))
}

/// The nine patients of Li, Li and Venkatasubramanian (2007), tables 1 and 2: three classes of three,
/// salaries 3K to 11K.
fn patients() -> Encoded {
    let salaries: ArrayRef = Arc::new(Int64Array::from(vec![3, 4, 5, 6, 11, 8, 7, 9, 10]));
    let ills = [
        "gastric ulcer",
        "gastritis",
        "stomach cancer",
        "gastritis",
        "flu",
        "bronchitis",
        "bronchitis",
        "pneumonia",
        "stomach cancer",
    ];
    data(vec![
        ("zip", strings(&["476", "476", "476", "4790", "4790", "4790", "47", "47", "47"])),
        ("salary", salaries),
        ("ill", strings(&ills)),
    ])
}

#[test]
fn distances_are_those_of_the_paper() {
    let tables = patients();
    let groups = classes(&[tables.keyed(Role::Data, 0)]);
    assert_eq!((groups.k(), groups.sizes().len()), (3, 3));
    let salary = disclosure(&groups, &tables.keyed(Role::Data, 1), tables.column(1).order());
    // The paper: D[P1, Q] = 0.375 for 3K, 4K, 5K, and 0.167 for 6K, 8K, 11K.
    assert!((salary.t_ordered.unwrap() - 0.375).abs() < 1e-12, "{salary:?}");
    assert_eq!((salary.distinct_l, salary.certain_rows), (3, 0));
    assert!((salary.entropy_l - 3.0).abs() < 1e-12);
    assert!((salary.alpha - 1.0 / 3.0).abs() < 1e-15);
    // Each value has 1/9 of the whole and 1/3 of its class.
    assert!((salary.beta - 2.0).abs() < 1e-12);
    assert!((salary.enhanced_beta - 2.0).abs() < 1e-12);
    assert!((salary.delta - 3_f64.ln()).abs() < 1e-12);
    assert!((salary.t_equal - 2.0 / 3.0).abs() < 1e-12);
    // (c, 3): the largest value, of the last one: 1 / 1.
    assert_eq!(salary.recursive_c, Some(1.0));
    let ill = disclosure(&groups, &tables.keyed(Role::Data, 2), None);
    assert_eq!(ill.t_ordered, None);
    // Of gastric ulcer (1/9), gastritis and stomach cancer (2/9 each) a third each: 2/9 + 1/9 + 1/9;
    // of flu (1/9), gastritis and bronchitis (2/9) the same.
    assert!((ill.t_equal - 4.0 / 9.0).abs() < 1e-12);
}

#[test]
fn the_second_class_of_the_paper_is_nearer() {
    let tables = patients();
    // Only 6K, 8K, 11K apart, the rest together: 0.167 and its counterpart of the others.
    let of: ArrayRef = Arc::new(BooleanArray::from(vec![
        false, false, false, true, true, true, false, false, false,
    ]));
    let two = data(vec![("class", of)]);
    let groups = classes(&[two.keyed(Role::Data, 0)]);
    let salary = disclosure(&groups, &tables.keyed(Role::Data, 1), tables.column(1).order());
    assert!((salary.t_ordered.unwrap() - 1.0 / 6.0).abs() < 1e-12, "{salary:?}");
}

#[test]
fn recursive_diversity_takes_the_counts_from_the_largest() {
    // One class of 5, 3, 2 and one of 4, 1: l = 2, c = max(5 / (3 + 2), 4 / 1).
    let class = ["a"; 10].into_iter().chain(["b"; 5]).collect::<Vec<_>>();
    let value = ["x"; 5].into_iter().chain(["y"; 3]).chain(["z"; 2]).chain(["x"; 4]).chain(["y"]);
    let tables = data(vec![("q", strings(&class)), ("s", strings(&value.collect::<Vec<_>>()))]);
    let groups = classes(&[tables.keyed(Role::Data, 0)]);
    let told = disclosure(&groups, &tables.keyed(Role::Data, 1), None);
    assert_eq!((told.distinct_l, told.recursive_c), (2, Some(4.0)));
    let (low, high) = (0.2_f64, 0.8_f64);
    let entropy = -low * low.ln() - high * high.ln();
    assert!((told.entropy_l - entropy.exp()).abs() < 1e-12);
}

#[test]
fn a_class_of_one_value_gives_its_rows_away() {
    let tables =
        data(vec![("q", strings(&["a", "a", "b", "b"])), ("s", strings(&["x", "x", "x", "y"]))]);
    let groups = classes(&[tables.keyed(Role::Data, 0)]);
    let told = disclosure(&groups, &tables.keyed(Role::Data, 1), None);
    assert_eq!((told.distinct_l, told.certain_rows, told.recursive_c), (1, 2, None));
    assert_eq!((told.alpha, told.entropy_l), (1.0, 1.0));
}

#[test]
fn nulls_are_a_value_of_their_own() {
    let age: ArrayRef = Arc::new(Int64Array::from(vec![None, None, Some(1), Some(2), Some(2)]));
    let tables = data(vec![("age", age)]);
    let groups = classes(&[tables.keyed(Role::Data, 0)]);
    assert_eq!((groups.sizes().len(), groups.uniques()), (3, 1));
    assert_eq!(tables.nulls(Role::Data, 0), 2);
}

#[test]
fn equal_cells_are_equal_whatever_array_they_are_in() {
    let cells = ["a", "b", "a"];
    let keys = Int32Array::from(vec![Some(0), Some(1), Some(0)]);
    let dictionary = DictionaryArray::new(keys, strings(&["a", "b"]));
    let arrays: [ArrayRef; 4] = [
        strings(&cells),
        Arc::new(LargeStringArray::from(cells.to_vec())),
        Arc::new(StringViewArray::from(cells.to_vec())),
        Arc::new(dictionary),
    ];
    let mut tables = Tables::new(&["c".to_owned()]).unwrap();
    for array in arrays {
        let batch = rows(vec![("c", array)]);
        tables.begin(Role::Data, &batch.schema(), &[0]).unwrap();
        tables.push(&batch).unwrap();
    }
    let tables = tables.finish().unwrap();
    let groups = classes(&[tables.keyed(Role::Data, 0)]);
    let mut sizes = groups.sizes().to_vec();
    sizes.sort_unstable();
    assert_eq!((sizes.as_slice(), tables.column(0).kind()), ([4, 8].as_slice(), Kind::Text));

    let whole: [ArrayRef; 3] = [
        Arc::new(Int64Array::from(vec![1, 2])),
        Arc::new(UInt8Array::from(vec![1, 2])),
        Arc::new(Float64Array::from(vec![1.0, 2.0])),
    ];
    let mut tables = Tables::new(&["c".to_owned()]).unwrap();
    for array in whole {
        let batch = rows(vec![("c", array)]);
        tables.begin(Role::Data, &batch.schema(), &[0]).unwrap();
        tables.push(&batch).unwrap();
    }
    let tables = tables.finish().unwrap();
    assert_eq!(classes(&[tables.keyed(Role::Data, 0)]).sizes(), [3, 3]);
}

#[test]
fn decimals_and_text_of_numbers_have_an_order() {
    let amount = Decimal128Array::from(vec![150, 1000, 150]).with_precision_and_scale(10, 2);
    let tables = data(vec![
        ("amount", Arc::new(amount.unwrap()) as ArrayRef),
        ("text", strings(&["10", "9", "-3.5"])),
        ("day", strings(&["2026-01-02", "2026-01-01", "2025-12-31"])),
        ("code", strings(&["01", "02", "3"])),
    ]);
    assert_eq!(tables.column(0).order().unwrap()[1..], [1.5, 10.0]);
    assert_eq!(tables.column(1).order().unwrap()[1..], [10.0, 9.0, -3.5]);
    assert_eq!(tables.column(2).kind(), Kind::Date);
    assert_eq!((tables.column(3).kind(), tables.column(3).order()), (Kind::Text, None));
}

#[test]
fn bad_tables_are_told_without_a_cell() {
    let one = |column: ArrayRef| taken(&[(Role::Data, rows(vec![("c", column)]))]).unwrap_err();
    let nan = one(Arc::new(Float64Array::from(vec![1.0, f64::NAN])));
    assert_eq!(nan, RiskError::NotANumber { column: "c".into(), table: Role::Data, row: 1 });
    let empty = Float64Array::from(Vec::<f64>::new());
    assert_eq!(one(Arc::new(empty)), RiskError::TooFew { table: Role::Data, rows: 0 });
    assert!(one(strings(&["a"])).to_string().contains("1 rows"));
    let nulls = StringArray::from(vec![None::<&str>, None]);
    assert!(matches!(one(Arc::new(nulls)), RiskError::AllNull { .. }));
    assert!(matches!(one(Arc::new(NullArray::new(3))), RiskError::AllNull { .. }));
    let binary = one(Arc::new(BinaryArray::from(vec![b"a".as_slice(), b"b"])));
    assert!(binary.to_string().contains("of type binary"), "{binary}");

    assert_eq!(Tables::new(&[]).unwrap_err(), RiskError::Columns { given: 0 });
    let many: Vec<String> = (0..65).map(|n| format!("c{n}")).collect();
    assert!(Tables::new(&many).unwrap_err().to_string().contains("from 1 to 64"));
    let twice = Tables::new(&["a".to_owned(), "a".to_owned()]).unwrap_err();
    assert!(twice.to_string().contains("named twice"));

    let batch = rows(vec![("a", strings(&["x", "y"]))]);
    let mut tables = Tables::new(&["nmae".to_owned()]).unwrap();
    let missing = tables.begin(Role::Control, &batch.schema(), &[0]).unwrap_err();
    assert_eq!(missing.to_string(), "no column `nmae` in the control; it has a");
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let two = [(Role::Data, batch.clone()), (Role::Control, rows(vec![("a", numbers)]))];
    let kinds = taken(&two).unwrap_err().to_string();
    assert_eq!(kinds, "column `a` holds numbers in the control and text elsewhere");
    let doubled = RecordBatch::try_new(
        Arc::new(arrow_schema::Schema::new(vec![
            batch.schema().field(0).clone(),
            batch.schema().field(0).clone(),
        ])),
        vec![Arc::clone(batch.column(0)), Arc::clone(batch.column(0))],
    )
    .unwrap();
    let mut tables = Tables::new(&["a".to_owned()]).unwrap();
    let doubled = tables.begin(Role::Data, &doubled.schema(), &[0]).unwrap_err();
    assert_eq!(doubled.to_string(), "the data has two columns `a`");
}

#[test]
fn the_least_loss_reaches_the_target() {
    // 24 birthdays in two years, one a month, and a column that says nothing: years are enough for 12.
    let day = |month: i32| 19_727 + 31 * month;
    let days: ArrayRef = Arc::new(Date32Array::from((0..24).map(day).collect::<Vec<_>>()));
    let same = strings(&["x"; 24]);
    let tables = data(vec![("born", days), ("same", same)]);
    let told = coarser(&tables, &[0, 1], 5, 0.0, &|| false).unwrap().unwrap();
    assert_eq!(told.columns[0].change, Change::To("year"));
    assert_eq!(told.columns[1].change, Change::Keep);
    assert!(told.k >= 5 && told.rows_left_out == 0 && told.loss < 0.5, "{told:?}");
    assert_eq!(coarser(&tables, &[0, 1], 25, 0.0, &|| false).unwrap(), None);
    let stopped = coarser(&tables, &[0, 1], 5, 0.0, &|| true);
    assert_eq!(stopped, Err(RiskError::Stopped));
}

#[test]
fn numbers_codes_and_moments_are_cut_as_a_policy_cuts_them() {
    let ages: ArrayRef = Arc::new(Int64Array::from((0..100).collect::<Vec<_>>()));
    let told = coarser(&data(vec![("age", ages)]), &[0], 10, 0.0, &|| false).unwrap().unwrap();
    assert_eq!((told.columns[0].change, told.k), (Change::Step(10), 10));

    let codes: Vec<String> = (0..100).map(|n| format!("{:05}", 10_000 + n * 7)).collect();
    let codes = strings(&codes.iter().map(String::as_str).collect::<Vec<_>>());
    let told = coarser(&data(vec![("plz", codes)]), &[0], 5, 0.2, &|| false).unwrap().unwrap();
    assert_eq!(told.columns[0].change, Change::Prefix(3));

    let hours: Vec<i64> = (0..96).map(|n| 1_767_225_600_000 + n * 3_600_000).collect();
    let times: ArrayRef = Arc::new(TimestampMillisecondArray::from(hours));
    let told = coarser(&data(vec![("at", times)]), &[0], 24, 0.0, &|| false).unwrap().unwrap();
    assert_eq!((told.columns[0].change, told.k), (Change::To("day"), 24));
    assert!((told.loss - (1.0 - 4_f64.ln() / 96_f64.ln())).abs() < 1e-12);

    // A single odd row is left out rather than blurring a hundred.
    let odd: Vec<i64> = [7; 100].into_iter().chain([1_000_000]).collect();
    let odd: ArrayRef = Arc::new(Int64Array::from(odd));
    let told = coarser(&data(vec![("n", odd)]), &[0], 5, 0.01, &|| false).unwrap().unwrap();
    assert_eq!((told.columns[0].change, told.rows_left_out, told.k), (Change::Keep, 1, 100));
}

/// People with three columns of many values, and a secret that a hidden coin decides.
fn people(from: u64, count: usize) -> RecordBatch {
    let mut state = from;
    let mut draw = move |n: i64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::from(u32::try_from(state >> 33).unwrap() >> 8) % n
    };
    let mut column = |n: i64| -> ArrayRef {
        Arc::new(Int64Array::from((0..count).map(|_| draw(n)).collect::<Vec<_>>()))
    };
    rows(vec![("a", column(1000)), ("b", column(1000)), ("c", column(1000)), ("s", column(2))])
}

#[test]
fn a_copy_gives_everybody_away_and_strangers_nothing() {
    let (original, control) = (people(1, 300), people(2, 300));
    let attacked = |released: RecordBatch, kind: &AttackKind| {
        let tables = taken(&[
            (Role::Data, released),
            (Role::Original, original.clone()),
            (Role::Control, control.clone()),
        ]);
        let options = Attacks { attempts: 200, ..Attacks::default() };
        attack(&tables.unwrap(), kind, &[0, 1, 2], &options, &|| false).unwrap().unwrap()
    };
    let (link, infer) = (AttackKind::Link { left: vec![0] }, AttackKind::Infer { secret: 3 });
    for kind in [&AttackKind::SingleOut, &link, &infer] {
        let copied = attacked(original.clone(), kind);
        assert!(copied.hits * 10 >= copied.attempts * 8, "{kind:?} {copied:?}");
        assert!(copied.control_hits * 10 <= copied.control_attempts * 7, "{kind:?} {copied:?}");
        assert_eq!(attacked(original.clone(), kind), copied, "the same seed draws the same");
        // Rows of other people say as little of the one side as of the other.
        let fresh = attacked(people(3, 300), kind);
        let difference = fresh.hits.abs_diff(fresh.control_hits);
        assert!(difference * 100 <= fresh.attempts * 15, "{kind:?} {fresh:?}");
    }
}
