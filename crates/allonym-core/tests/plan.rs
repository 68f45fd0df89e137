//! A plan finds every mistake before row one, and says what it will do.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test's helpers do is the test's")]

mod setup;

use allonym_core::{Plan, Policy, Position};
use allonym_keys::{Keyring, Unlock};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use serde::Deserialize;
use serde_json::json;
use setup::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    columns: Vec<String>,
    policy: String,
    #[serde(default)]
    judged: BTreeMap<String, String>,
    ring: Option<bool>,
    exit: u8,
    code: String,
    says: Vec<String>,
    #[serde(default)]
    says_not: Vec<String>,
    hint: Option<String>,
}

/// A ring whose tenant `rotated` has an old key, `old`, and an active one.
fn rotated_ring() -> &'static Keyring {
    static RING: OnceLock<Keyring> = OnceLock::new();
    RING.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.keyring");
        let unlock = Unlock::LocalFile;
        let mut ring =
            Keyring::create(&path, &unlock, "test", "default", "2026-01-05T09:00:00Z").unwrap();
        ring.add_key(&unlock, "old", "rotated", "2026-01-05T09:00:00Z").unwrap();
        ring.add_key(&unlock, "new", "rotated", "2026-02-05T09:00:00Z").unwrap();
        ring
    })
}

fn schema(columns: &[String]) -> SchemaRef {
    let item = || Arc::new(Field::new("item", DataType::Utf8, true));
    let fields: Vec<Field> = columns
        .iter()
        .map(|column| {
            let (name, data_type) = column.rsplit_once(": ").unwrap();
            let data_type = match data_type {
                "text" => DataType::Utf8,
                "integer" => DataType::Int64,
                "float" => DataType::Float64,
                "decimal" => DataType::Decimal128(9, 2),
                "boolean" => DataType::Boolean,
                "binary" => DataType::Binary,
                "date" => DataType::Date32,
                "nowhere" => DataType::Timestamp(TimeUnit::Second, Some("Europe/Nowhere".into())),
                "list" => DataType::List(item()),
                "struct" => DataType::Struct(Fields::from(vec![
                    Field::new("name", DataType::Utf8, true),
                    Field::new("iban", DataType::Utf8, true),
                ])),
                other => panic!("{other}"),
            };
            Field::new(name, data_type, true)
        })
        .collect();
    Arc::new(Schema::new(fields))
}

#[test]
fn what_does_not_go_together_is_told_before_row_one() {
    let cases: Cases = toml::from_str(include_str!("data/plan_bad.toml")).unwrap();
    assert!(cases.case.len() > 40);
    for case in cases.case {
        let ring = (case.ring != Some(false)).then(rotated_ring);
        let plan = Plan::compile(
            &policy(&case.policy),
            &schema(&case.columns),
            ring,
            Some(recognizer()),
            &case.judged,
        );
        let Err(error) = plan else { panic!("{}: a plan was made", case.name) };
        let told = error.to_string();
        assert_eq!(
            (error.exit, error.code),
            (case.exit, case.code.as_str()),
            "{}: {told}",
            case.name
        );
        for part in &case.says {
            assert!(told.contains(part), "{}: {told}", case.name);
        }
        for part in &case.says_not {
            assert!(!told.contains(part), "{}: {told}", case.name);
        }
        let hint = error.hint.unwrap_or_default();
        assert!(hint.contains(&case.hint.unwrap_or_default()), "{}: hint {hint:?}", case.name);
        assert!(!told.ends_with('.') && !hint.ends_with('.'), "{}: {told}", case.name);
    }
}

#[test]
fn ten_mistakes_are_told_and_the_rest_counted() {
    let columns: Vec<String> = (0..25).map(|n| format!("c{n}: float")).collect();
    let matching = policy("[[match]]\nglob = \"*\"\ntreat = \"pseudonymize\"");
    let error = Plan::compile(&matching, &schema(&columns), Some(ring(0)), None, &BTreeMap::new())
        .unwrap_err();
    assert!(error.message.starts_with("25 things are wrong: "), "{error}");
    assert!(error.message.contains("`c9`") && !error.message.contains("`c10`"), "{error}");
    assert!(error.message.ends_with("; and 15 more"), "{error}");
    let error =
        Plan::compile(&policy(""), &schema(&columns), None, None, &BTreeMap::new()).unwrap_err();
    assert!(error.message.ends_with("`c9` and 15 more"), "{error}");
}

fn planned(policy: &Policy, columns: &[&str], judged: &[(&str, &str)]) -> Plan {
    let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
    let judged = judged.iter().map(|(p, e)| ((*p).to_owned(), (*e).to_owned())).collect();
    Plan::compile(policy, &schema(&columns), Some(ring(0)), Some(recognizer()), &judged)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn treatments(plan: &Plan) -> Vec<(&str, &str)> {
    plan.columns().iter().map(|column| (column.name.as_str(), column.treatment)).collect()
}

#[test]
fn an_exact_name_wins_then_a_glob_then_an_entity_then_unlisted() {
    let policy = policy(
        "[policy]\nunlisted = \"drop\"\n[columns.a_email]\ntreat = \"mask\"\n\
         [[match]]\nglob = \"*_email\"\ntreat = \"redact\"\n\
         [[match]]\nentity = \"EMAIL_ADDRESS\"\ntreat = \"pseudonymize\"",
    );
    let judged =
        [("a_email", "EMAIL_ADDRESS"), ("b_email", "EMAIL_ADDRESS"), ("c", "EMAIL_ADDRESS")];
    let plan = planned(&policy, &["a_email: text", "b_email: text", "c: text", "d: text"], &judged);
    assert_eq!(
        treatments(&plan),
        [("a_email", "mask"), ("b_email", "redact"), ("c", "pseudonymize"), ("d", "drop")]
    );
    assert_eq!(plan.columns()[2].entity.as_deref(), Some("EMAIL_ADDRESS"));
    assert_eq!(plan.columns()[3].entity, None);
}

#[test]
fn unlisted_columns_are_kept_for_the_reason_given() {
    let policy = policy("[policy]\nunlisted = \"keep\"\nunlisted_reason = \"reviewed\"");
    let plan = planned(&policy, &["zip: text", "person: struct"], &[("zip", "POSTAL_CODE")]);
    assert_eq!(
        treatments(&plan),
        [("zip", "keep"), ("person.name", "keep"), ("person.iban", "keep")]
    );
    assert_eq!(plan.columns()[0].detail, "reviewed");
    assert_eq!(plan.untouched(), [Some(0), Some(1)]);
}

#[test]
fn output_columns_know_the_input_they_are_copied_from() {
    let policy = policy(
        "[columns.a]\ntreat = \"drop\"\n[columns.b]\ntreat = \"keep\"\n[columns.c]\ntreat = \"mask\"\n[columns.d]\ntreat = \"keep\"",
    );
    let plan = planned(&policy, &["a: text", "b: text", "c: text", "d: text"], &[]);
    assert_eq!(plan.untouched(), [Some(1), None, Some(3)]);
    let names: Vec<_> =
        plan.output_schema().fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["b", "c", "d"]);
}

#[test]
fn the_key_is_named_when_it_is_used_and_only_then() {
    let plan = planned(
        &policy("[keys]\ndomain = \"claims\"\n[columns.a]\ntreat = \"pseudonymize\""),
        &["a: text"],
        &[],
    );
    let id = ring(0).keys()[0].id.clone();
    assert_eq!(plan.keys(), [(id.clone(), 1, "claims".to_owned())]);
    assert_eq!(
        plan.columns()[0].detail,
        format!("join \"a\", profile exact, format base62, consistency dataset, key {id}")
    );
    let plan = planned(
        &policy(
            "[columns.a]\ntreat = \"mask\"\n[[match]]\nglob = \"z*\"\ntreat = \"pseudonymize\"",
        ),
        &["a: text"],
        &[],
    );
    assert!(plan.keys().is_empty());
}

fn tokens_of(policy: &str, columns: &[(&str, &str)], judged: &[(&str, &str)]) -> Vec<String> {
    let batch = batch(columns.iter().map(|(name, cell)| (*name, texts(&[Some(*cell)]))).collect());
    let plan = compile_judged(&setup::policy(policy), &batch, judged)
        .unwrap_or_else(|error| panic!("{error}"));
    let treated = plan.apply(&batch, DOCUMENT).unwrap();
    treated.records().columns().iter().map(|column| cells(column)[0].clone().unwrap()).collect()
}

#[test]
fn the_join_field_is_the_join_then_the_entity_then_the_last_part_of_the_name() {
    let all = "[[match]]\nglob = \"*\"\ntreat = \"pseudonymize\"";
    let tokens = tokens_of(
        all,
        &[("iban", "X1"), ("other", "X1"), ("person.iban", "X1"), ("items[].iban[]", "X1")],
        &[],
    );
    assert_ne!(tokens[0], tokens[1]);
    assert_eq!(tokens[0], tokens[2]);
    assert_eq!(tokens[0], tokens[3]);
    let judged = [("mail", "EMAIL_ADDRESS"), ("contact", "EMAIL_ADDRESS")];
    let tokens =
        tokens_of(all, &[("mail", "Ada@b.example"), ("contact", "ada@B.EXAMPLE")], &judged);
    assert_eq!(tokens[0], tokens[1], "one field, and the profile of the entity");
    let named = "[columns.contact]\ntreat = \"pseudonymize\"\njoin = \"EMAIL_ADDRESS\"\nprofile = \"casefold\"";
    assert_eq!(tokens_of(named, &[("contact", "ada@b.example")], &[]), tokens[..1]);
}

#[test]
fn domains_and_tenants_and_keys_do_not_join() {
    let token = |before: &str| {
        tokens_of(&format!("{before}\n[columns.a]\ntreat = \"pseudonymize\""), &[("a", "1")], &[])
    };
    assert_ne!(token(""), token("[keys]\ndomain = \"other\""));
    assert_eq!(token(""), token("[keys]\ndomain = \"default\"\nkey = \"test\""));
}

#[test]
fn profiles_hold_for_the_entities_of_the_contract() {
    let all = "[[match]]\nglob = \"*\"\ntreat = \"pseudonymize\"";
    let equal = |entity: &str, one: &str, other: &str| {
        let judged = [("a", entity), ("b", entity)];
        let tokens = tokens_of(all, &[("a", one), ("b", other)], &judged);
        tokens[0] == tokens[1]
    };
    assert!(equal("PERSON", "Zoë STRASSE", "zoë straße"));
    assert!(equal("IBAN_CODE", "DE00 1234", "de001234"));
    assert!(!equal("CUSTOMER_NO", "K-1a", "K-1A"));
    assert!(!equal("SOMETHING_ELSE", "a", "A"));
}

#[test]
fn tokens_in_text_warn_of_collisions_and_of_rules_that_find_nothing() {
    let notes = |before: &str, options: &str| {
        let policy = policy(&format!("{before}\n[columns.notes]\ntreat = \"text\"\n{options}"));
        planned(&policy, &["notes: text"], &[]).warnings().join("\n")
    };
    let many = "[policy]\nexpected_distinct = 10_000_000_000";
    assert!(notes(many, "").contains("80 bits: of 10,000,000,000 distinct values"));
    assert_eq!(notes(many, "with = \"label\""), "");
    assert_eq!(notes("", ""), "");
    let idle = notes("", "with = \"label\"\nentities = [\"PERSON\", \"IBAN_CODE\"]");
    assert_eq!(idle, "column `notes`: [find] leaves no rule that finds `IBAN_CODE`");
}

#[test]
fn text_needs_a_recognizer() {
    let schema = schema(&["notes: text".to_owned()]);
    let policy = policy("[columns.notes]\ntreat = \"text\"\nwith = \"label\"");
    let error = Plan::compile(&policy, &schema, None, None, &BTreeMap::new()).unwrap_err();
    assert_eq!((error.exit, error.code), (2, "ALO-P009"));
    Plan::compile(&policy, &schema, None, Some(recognizer()), &BTreeMap::new()).unwrap();
}

#[test]
fn files_of_one_run_may_lack_columns_that_others_have() {
    let policy = policy(
        "[columns.a]\ntreat = \"drop\"\n[columns.b]\ntreat = \"drop\"\n[columns.gone]\ntreat = \"drop\"\n[columns.\"p.q\"]\ntreat = \"drop\"",
    );
    assert!(policy.lists("a") && !policy.lists("c"));
    let present: BTreeSet<String> = ["a", "b", "p.q.r"].map(str::to_owned).into();
    let first = schema(&["a: text".to_owned()]);
    let one = policy.for_one_of_many(&first, &present);
    assert_eq!(one.columns().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "gone"]);
}

#[test]
fn a_batch_of_another_schema_is_refused() {
    let planned_for = batch(vec![("a", texts(&[Some("x")])), ("b", texts(&[Some("x")]))]);
    let plan = compile(&policy("[[match]]\nglob = \"*\"\ntreat = \"keep\""), &planned_for).unwrap();
    let refused = |columns: Vec<(&str, ArrayRef)>| {
        plan.apply(&batch(columns), DOCUMENT).unwrap_err().to_string()
    };
    assert!(refused(vec![("a", texts(&[]))]).contains("1 columns where the plan has 2"));
    assert!(refused(vec![("b", texts(&[])), ("a", texts(&[]))]).contains("the plan has `a`"));
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let told = refused(vec![("a", texts(&[Some("x")])), ("b", floats)]);
    assert_eq!(told, "column `b`, row 0: type Float64 where the plan has Utf8");
}

#[test]
fn the_class_names_of_a_treated_column_go() {
    let noted = json!({"info": {"description": "all about zora", "features": {
        "who": {"names": ["zora", "tansy"], "_type": "ClassLabel"},
        "kind": {"names": ["hail", "theft"], "_type": "ClassLabel"},
    }}, "fingerprint": "12ab"});
    let schema_noting = |note: &str| -> SchemaRef {
        let fields = ["who", "kind"].map(|name| Field::new(name, DataType::Int64, true));
        let notes = [("huggingface".to_owned(), note.to_owned())];
        Schema::new_with_metadata(fields.to_vec(), notes.into()).into()
    };
    let note_with = |treatment: &str, note: &str| {
        let text =
            format!("[columns.who]\n{treatment}\n[columns.kind]\ntreat = \"keep\"\nreason = \"x\"");
        let empty = RecordBatch::new_empty(schema_noting(note));
        let plan = compile(&policy(&text), &empty).unwrap();
        plan.output_schema().metadata().get("huggingface").cloned()
    };
    let kept = json!({"info": {"features": {"kind": noted["info"]["features"]["kind"]}}});
    for treatment in ["treat = \"pseudonymize\"", "treat = \"redact\"", "treat = \"drop\""] {
        assert_eq!(note_with(treatment, &noted.to_string()), Some(kept.to_string()), "{treatment}");
        assert_eq!(note_with(treatment, "zora"), None);
    }
    let keep = "treat = \"keep\"\nreason = \"x\"";
    assert_eq!(note_with(keep, &noted.to_string()), Some(noted.to_string()));
}

#[test]
fn metadata_of_the_schema_stays() {
    let schema = Schema::new_with_metadata(
        vec![Field::new("a", DataType::Int64, false)],
        [("owner".to_owned(), "claims".to_owned())].into(),
    );
    let batch =
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from(vec![1]))]).unwrap();
    let plan = compile(&policy("[columns.a]\ntreat = \"pseudonymize\""), &batch).unwrap();
    assert_eq!(plan.output_schema().metadata()["owner"], "claims");
    let treated = plan.apply(&batch, Position { document: "d", first_row: 0 }).unwrap();
    assert_eq!(treated.records().schema_ref(), plan.output_schema());
}
