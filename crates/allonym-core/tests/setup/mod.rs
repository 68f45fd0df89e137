//! Keyrings, rules and columns that the tests share.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::allow_attributes,
    reason = "each test binary uses another part of this module"
)]

use allonym_core::{ColumnCounts, Plan, PlanError, Policy, Position};
use allonym_keys::{Keyring, Unlock};
use allonym_recognize::{Recognizer, RuleFile, RuleSet};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

pub const DOCUMENT: Position<'static> = Position { document: "people.csv", first_row: 0 };

/// A keyring; each number is another.
pub fn ring(number: usize) -> &'static Keyring {
    static RINGS: [OnceLock<Keyring>; 2] = [const { OnceLock::new() }; 2];
    RINGS[number].get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.keyring");
        Keyring::create(&path, &Unlock::LocalFile, "test", "default", "2026-01-05T09:00:00Z")
            .unwrap()
    })
}

/// Rules of three kinds that are easy to read: `a@b.example`, `K-123456` and names of two.
pub fn recognizer() -> Arc<Recognizer> {
    static RECOGNIZER: OnceLock<Arc<Recognizer>> = OnceLock::new();
    Arc::clone(RECOGNIZER.get_or_init(|| {
        let file = |entity: &str, label: &str, profile: &str, regex: &str| RuleFile {
            path: format!("{entity}.toml"),
            text: format!(
                "entity = \"{entity}\"\nname = \"test\"\ngroup = \"direct\"\ncategory = \"user\"\n\
                 label = \"{label}\"\nprofile = \"{profile}\"\ntreatment = \"pseudonymize\"\n\
                 source = \"test\"\n[[pattern]]\nregex = '''{regex}'''\nscore = {{ bare = 0.9, context = 0.95 }}\n"
            ),
        };
        let rules = RuleSet::parse(&[
            file("EMAIL_ADDRESS", "EMAIL", "casefold", r"[a-zA-Z.]{1,20}@[a-zA-Z]{1,20}\.example"),
            file("CUSTOMER_NO", "CUSTOMER", "exact", r"K-\d{6}"),
            file("PERSON", "PERSON", "casefold", r"(?:Ada|Zoë) [A-Z][a-z]{1,15}"),
        ])
        .unwrap();
        Arc::new(Recognizer::compile(&rules, &Default::default()).unwrap())
    }))
}

pub fn policy(columns: &str) -> Policy {
    Policy::parse(&format!("version = 1\n{columns}"), "test.toml")
        .unwrap_or_else(|error| panic!("{error}\n{columns}"))
}

pub fn texts(cells: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(cells.to_vec()))
}

pub fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap()
}

pub fn compile(policy: &Policy, batch: &RecordBatch) -> Result<Plan, PlanError> {
    compile_judged(policy, batch, &[])
}

pub fn compile_judged(
    policy: &Policy,
    batch: &RecordBatch,
    judged: &[(&str, &str)],
) -> Result<Plan, PlanError> {
    let judged: BTreeMap<String, String> =
        judged.iter().map(|(path, entity)| ((*path).to_owned(), (*entity).to_owned())).collect();
    Plan::compile(policy, batch.schema_ref(), Some(ring(0)), Some(recognizer()), &judged)
}

/// Treats one column named `x` by the options after `[columns.x]`.
pub fn treat(options: &str, column: ArrayRef) -> (ArrayRef, ColumnCounts) {
    treat_with("", options, column)
}

/// The same, with more of the policy before the column.
pub fn treat_with(before: &str, options: &str, column: ArrayRef) -> (ArrayRef, ColumnCounts) {
    let batch = batch(vec![("x", column)]);
    let plan = compile(&policy(&format!("{before}\n[columns.x]\n{options}")), &batch)
        .unwrap_or_else(|error| panic!("{options}: {error}"));
    let treated = plan.apply(&batch, DOCUMENT).unwrap();
    (Arc::clone(treated.records().column(0)), treated.counts()[0].clone())
}

/// Cells of a column of strings of any layout.
pub fn cells(column: &dyn Array) -> Vec<Option<String>> {
    let own = |cell: Option<&str>| cell.map(str::to_owned);
    if let Some(array) = column.as_string_opt::<i32>() {
        array.iter().map(own).collect()
    } else if let Some(array) = column.as_string_opt::<i64>() {
        array.iter().map(own).collect()
    } else if let Some(array) = column.as_string_view_opt() {
        array.iter().map(own).collect()
    } else {
        let dictionary = column.as_any_dictionary();
        let plain = arrow_select::take::take(dictionary.values(), dictionary.keys(), None).unwrap();
        cells(&plain)
    }
}
