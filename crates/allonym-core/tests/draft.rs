//! Drafted policies: from judgements to a file that people edit, and updates of that file.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test's helpers do is the test's")]

use allonym_core::{Plan, Policy, suggested_treatment};
use allonym_recognize::{Coverage, EntityCount, Group, Judgement, RuleSet};
use arrow_schema::{DataType, Field, Fields, Schema};
use std::collections::BTreeMap;
use std::sync::Arc;

fn judged(entity: Option<&str>, group: Option<Group>) -> Judgement {
    Judgement {
        entity: entity.map(str::to_owned),
        group,
        confidence: 0.97,
        coverage: Coverage { share: 1.0, low: 0.9, high: 1.0 },
        runner_up: None,
        reason: "header, and 97 % of cells".to_owned(),
        free_text: false,
        entities: Vec::new(),
        shape: None,
        cells: 100,
        nulls: 0,
        distinct: 90,
    }
}

fn as_is(entity: &str) -> Judgement {
    let rules = RuleSet::builtin();
    let id = rules.entity_by_name(entity).unwrap_or_else(|| panic!("{entity}"));
    judged(Some(entity), Some(rules.entity(id).group))
}

fn free_text() -> Judgement {
    let inside = EntityCount { entity: "EMAIL_ADDRESS".to_owned(), cells: 3, spans: 4 };
    Judgement { free_text: true, entities: vec![inside], ..judged(None, None) }
}

fn draft(columns: &[(&str, Judgement)]) -> Policy {
    let columns: Vec<(String, Judgement)> =
        columns.iter().map(|(name, judgement)| ((*name).to_owned(), judgement.clone())).collect();
    Policy::draft(&columns, RuleSet::builtin(), "people", "a test")
}

/// What the draft says of one column, without comments.
fn options(judgement: Judgement) -> String {
    let toml = draft(&[("x", judgement)]).to_toml();
    toml.split_once("[columns.x]\n").unwrap().1.trim_end().replace('\n', "; ")
}

#[test]
fn each_kind_has_its_treatment() {
    for (judgement, expected) in [
        (
            as_is("EMAIL_ADDRESS"),
            "treat = \"pseudonymize\"; join = \"EMAIL_ADDRESS\"; profile = \"casefold\"",
        ),
        (as_is("PERSON"), "treat = \"pseudonymize\"; join = \"PERSON\"; profile = \"casefold\""),
        (as_is("IBAN_CODE"), "treat = \"pseudonymize\"; join = \"IBAN_CODE\"; profile = \"iban\""),
        (as_is("RELIGION"), "treat = \"redact\""),
        (as_is("DATE_OF_BIRTH"), "treat = \"generalize\"; to = \"year\""),
        (as_is("AGE"), "treat = \"generalize\"; bands = [18, 30, 45, 60, 75, 90]"),
        (as_is("POSTAL_CODE"), "treat = \"generalize\"; prefix = 2"),
        (as_is("COORDINATE"), "treat = \"generalize\"; step = 0.1"),
        (as_is("GENDER"), "treat = \"keep\"; reason = \"quasi-identifier: check with `risk`\""),
        (as_is("DATE_TIME"), "treat = \"generalize\"; to = \"month\""),
        (
            Judgement { shape: Some("99/99/9999".to_owned()), ..as_is("DATE_TIME") },
            "treat = \"generalize\"; to = \"year\"",
        ),
        (judged(Some("OUR_SECRET"), Some(Group::Secret)), "treat = \"redact\""),
        (
            judged(Some("OUR_NUMBER"), Some(Group::Direct)),
            "treat = \"pseudonymize\"; join = \"OUR_NUMBER\"",
        ),
        (judged(Some("OUR_NUMBER"), None), "treat = \"pseudonymize\"; join = \"OUR_NUMBER\""),
        (judged(None, None), "treat = \"keep\"; reason = \"nothing personal found\""),
        (Judgement { entities: free_text().entities, ..judged(None, None) }, "treat = \"text\""),
        (Judgement { entities: free_text().entities, ..as_is("GENDER") }, "treat = \"text\""),
        (
            Judgement {
                entities: vec![EntityCount { entity: "AGE".to_owned(), cells: 1, spans: 1 }],
                ..judged(None, None)
            },
            "treat = \"keep\"; reason = \"nothing personal found\"",
        ),
        (free_text(), "treat = \"text\""),
    ] {
        assert_eq!(options(judgement.clone()), expected, "{:?}", judgement.entity);
    }
}

#[test]
fn every_shipped_entity_gets_a_treatment_that_hides_it_or_says_why_not() {
    let rules = RuleSet::builtin();
    for entity in rules.entities() {
        let drafted = options(judged(Some(&entity.name), Some(entity.group)));
        let kept = drafted.contains("\"keep\"");
        assert!(!kept || entity.group == Group::Quasi, "{}: {drafted}", entity.name);
        assert!(!kept || drafted.contains("reason"), "{}: {drafted}", entity.name);
        let redacted = drafted == "treat = \"redact\"";
        assert!(redacted || entity.group != Group::Secret, "{}: {drafted}", entity.name);
    }
}

#[test]
fn evidence_becomes_comments_and_the_file_gives_the_same_policy() {
    let person =
        Judgement { runner_up: Some(("ORGANIZATION".to_owned(), 0.25)), ..as_is("PERSON") };
    let policy = draft(&[
        ("full name", person),
        ("notes", free_text()),
        ("n", judged(None, None)),
        ("n", as_is("AGE")),
        ("", as_is("AGE")),
    ]);
    let toml = policy.to_toml();
    assert_eq!(
        toml,
        "# Drafted from a scan. Read each column before you rely on it.\n\
         version = 1\n\n\
         [policy]\nname = \"people\"\npurpose = \"a test\"\n\n\
         # PERSON, confidence 0.97: header, and 97 % of cells\n\
         # second best: ORGANIZATION, 0.25\n\
         [columns.\"full name\"]\ntreat = \"pseudonymize\"\njoin = \"PERSON\"\nprofile = \"casefold\"\n\n\
         # free text: header, and 97 % of cells\n\
         # inside: EMAIL_ADDRESS\n\
         [columns.notes]\ntreat = \"text\"\n\n\
         # nothing personal found: header, and 97 % of cells\n\
         [columns.n]\ntreat = \"keep\"\nreason = \"nothing personal found\"\n"
    );
    let again = Policy::parse(&toml, "allonym.toml").unwrap();
    assert_eq!(again.digest(), policy.digest());
}

#[test]
fn no_evidence_can_leave_its_comment() {
    let odd = Judgement { reason: "a\nb = 1\r\u{1b}[0m".to_owned(), ..judged(None, None) };
    let policy = draft(&[("a\nb\"]\n[policy]", odd)]);
    let again = Policy::parse(&policy.to_toml(), "p").unwrap();
    assert_eq!(again.digest(), policy.digest());
    assert_eq!(again.columns().next().unwrap().0, "a\nb\"]\n[policy]");
}

#[test]
fn a_header_that_misleads_does_not_stop_a_later_run() {
    let policy = draft(&[("last_name", judged(None, None))]);
    let schema = Arc::new(Schema::new(vec![Field::new("last_name", DataType::Utf8, true)]));
    let by_header = BTreeMap::from([("last_name".to_owned(), "PERSON".to_owned())]);
    Plan::compile(&policy, &schema, None, None, &by_header).unwrap();
}

#[test]
fn what_cannot_be_scanned_is_not_kept_because_nothing_was_found() {
    let policy = draft(&[
        ("photo", judged(None, None)),
        ("score", free_text()),
        ("n", judged(None, None)),
        ("blob", free_text()),
    ]);
    let schema = Schema::new(vec![
        Field::new("photo", DataType::Binary, true),
        Field::new("score", DataType::Float64, true),
        Field::new("n", DataType::Int64, true),
        Field::new("blob", DataType::LargeBinary, true),
    ]);
    let fitted = policy.fitted(&schema);
    let treatments: Vec<_> = fitted.columns().map(|(_, treatment)| treatment).collect();
    assert_eq!(treatments, ["redact", "keep", "keep", "redact"]);
    assert!(fitted.to_toml().contains("# redacted: a column of type Binary cannot be scanned"));
    let written = Policy::parse("version = 1\n[columns.photo]\ntreat = \"keep\"\n", "p").unwrap();
    assert_eq!(
        written.fitted(&schema).columns().next().unwrap().1,
        "keep",
        "what people wrote stays"
    );
}

#[test]
fn suggestions_are_the_treatments_in_words() {
    let rules = RuleSet::builtin();
    assert_eq!(suggested_treatment("x", &as_is("DATE_OF_BIRTH"), rules), "generalize to year");
    assert_eq!(suggested_treatment("x", &as_is("EMAIL_ADDRESS"), rules), "pseudonymize");
    assert_eq!(suggested_treatment("x", &judged(None, None), rules), "keep");
}

#[test]
fn treatments_that_do_not_fit_the_type_become_redaction() {
    let policy = draft(&[
        ("id", as_is("IBAN_CODE")),
        ("smoker", as_is("PERSON")),
        ("born", as_is("DATE_OF_BIRTH")),
        ("age", as_is("AGE")),
        ("zip", as_is("POSTAL_CODE")),
        ("tags", as_is("EMAIL_ADDRESS")),
        ("person.iban", as_is("IBAN_CODE")),
        ("elsewhere", as_is("IBAN_CODE")),
    ]);
    let tags = DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)));
    let person = DataType::Struct(Fields::from(vec![Field::new("iban", DataType::Float32, true)]));
    let schema = Arc::new(Schema::new(vec![
        Field::new("id", DataType::Float64, true),
        Field::new("smoker", DataType::Boolean, true),
        Field::new("born", DataType::Date32, true),
        Field::new("age", DataType::Float64, true),
        Field::new("zip", DataType::Int32, true),
        Field::new("tags", tags, true),
        Field::new("person", person, true),
    ]));
    let fitted = policy.fitted(&schema);
    let treatments: Vec<_> = fitted.columns().map(|(_, treatment)| treatment).collect();
    assert_eq!(
        treatments,
        [
            "redact",
            "redact",
            "generalize",
            "generalize",
            "generalize",
            "pseudonymize",
            "redact",
            "pseudonymize"
        ]
    );
    assert!(
        fitted
            .to_toml()
            .contains("# redacted, not treated as pseudonymize: a column of type Float64")
    );
    let error = Plan::compile(&fitted, &schema, None, None, &BTreeMap::new()).unwrap_err();
    assert!(!error.message.contains("fit"), "{error}");
}

const EXISTING: &str = "\
# Our policy.
version = 1   # since June

[policy]
name = \"people\"

[columns.name]  # the full name
treat = \"pseudonymize\"
join = \"person\"

# Reviewed by Ada.
[columns.born]
treat = \"generalize\"
to = \"year\"

[[match]]
glob = \"*_email\"
treat = \"redact\"

[[match]]
entity = \"CREDIT_CARD\"
treat = \"drop\"

# The end.
";

#[test]
fn updates_add_what_is_missing_and_touch_nothing_else() {
    let newer = draft(&[
        ("name", as_is("PERSON")),
        ("work_email", as_is("EMAIL_ADDRESS")),
        ("card", as_is("CREDIT_CARD")),
        ("fax no", as_is("PHONE_NUMBER")),
        ("born", as_is("DATE_OF_BIRTH")),
        ("zip", as_is("POSTAL_CODE")),
    ]);
    let updated = Policy::update_toml(EXISTING, &newer).unwrap();
    let added = "
# PHONE_NUMBER, confidence 0.97: header, and 97 % of cells
[columns.\"fax no\"]
treat = \"pseudonymize\"
join = \"PHONE_NUMBER\"

# POSTAL_CODE, confidence 0.97: header, and 97 % of cells
[columns.zip]
treat = \"generalize\"
prefix = 2
";
    let (before, after) = EXISTING.split_once("\n[[match]]").unwrap();
    assert_eq!(updated, format!("{before}{added}\n[[match]]{after}"));
    assert_eq!(
        Policy::update_toml(&updated, &newer).unwrap(),
        updated,
        "a second time changes nothing"
    );
}

#[test]
fn updates_of_texts_without_columns_and_with_other_spellings() {
    let newer = draft(&[("a", as_is("AGE")), ("person.name", as_is("PERSON"))]);
    for (existing, listed) in [
        ("version = 1\n", vec!["a", "person.name"]),
        ("version = 1\n[policy]\nname = \"x\"\n", vec!["a", "person.name"]),
        ("version = 1\n[columns]\nb.treat = \"drop\"\n", vec!["b", "a", "person.name"]),
        ("version = 1\n[columns]\nb = { treat = \"drop\" }\n", vec!["b", "a", "person.name"]),
        ("version = 1\n[columns.person]\ntreat = \"drop\"\n", vec!["person", "a"]),
    ] {
        let updated = Policy::update_toml(existing, &newer).unwrap();
        let policy = Policy::parse(&updated, "p").unwrap();
        let mut names: Vec<_> = policy.columns().map(|(name, _)| name).collect();
        let mut expected = listed;
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected, "{existing}\n{updated}");
    }
}

#[test]
fn updates_of_what_cannot_be_read_say_where() {
    let newer = draft(&[("a", as_is("AGE"))]);
    let error =
        Policy::update_toml("version = 1\n[columns.b]\ntreat = \"hash\"\n", &newer).unwrap_err();
    assert_eq!((error.line, error.column), (3, 9));
    let error =
        Policy::update_toml("version = 1\ncolumns = { b = { treat = \"drop\" } }\n", &newer)
            .unwrap_err();
    assert!(error.message.contains("inline table"), "{error}");
    assert!(error.hint.unwrap().contains("[columns.NAME]"));
}
