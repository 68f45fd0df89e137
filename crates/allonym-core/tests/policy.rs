//! The policy file: cases as data, its digest, its schema, and what is written of it.

#![expect(clippy::unwrap_used, reason = "what a test's helpers do is the test's")]

use allonym_core::{AnchorSource, Policy, RequireTags, TagMatch};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Good {
    case: Vec<GoodCase>,
}

#[derive(Deserialize)]
struct GoodCase {
    name: String,
    toml: String,
    same_as: Option<String>,
}

#[derive(Deserialize)]
struct Bad {
    case: Vec<BadCase>,
}

#[derive(Deserialize)]
struct BadCase {
    name: String,
    toml: String,
    at: String,
    code: String,
    says: Vec<String>,
    #[serde(default)]
    says_not: Vec<String>,
    hint: Option<String>,
    #[serde(default)]
    no_hint: bool,
}

fn good() -> Vec<GoodCase> {
    toml::from_str::<Good>(include_str!("data/policy_good.toml")).unwrap().case
}

fn bad() -> Vec<BadCase> {
    toml::from_str::<Bad>(include_str!("data/policy_bad.toml")).unwrap().case
}

#[test]
fn good_policies_are_read_and_come_back_the_same() {
    let mut digests: BTreeMap<String, String> = BTreeMap::new();
    for case in good() {
        let policy = Policy::parse(&case.toml, "allonym.toml")
            .unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let written = policy.to_toml();
        let again = Policy::parse(&written, "written")
            .unwrap_or_else(|error| panic!("{}: {error}\n{written}", case.name));
        assert_eq!(again.digest(), policy.digest(), "{}\n{written}", case.name);
        assert_eq!(again.to_toml(), written, "{}", case.name);
        match case.same_as {
            Some(other) => assert_eq!(digests[&other], policy.digest(), "{}", case.name),
            None => {
                assert!(!digests.values().any(|known| *known == policy.digest()), "{}", case.name);
            }
        }
        digests.insert(case.name, policy.digest());
    }
    assert!(digests.len() >= 6);
}

#[test]
fn bad_policies_are_refused_where_the_mistake_is() {
    let cases = bad();
    assert!(cases.len() > 80);
    for case in cases {
        let Err(error) = Policy::parse(&case.toml, "allonym.toml") else {
            panic!("{}: was read", case.name);
        };
        let told = error.to_string();
        assert_eq!(format!("{}:{}", error.line, error.column), case.at, "{}: {told}", case.name);
        assert_eq!(error.code, case.code, "{}: {told}", case.name);
        assert!(told.starts_with(&format!("allonym.toml:{}: ", case.at)), "{}: {told}", case.name);
        assert!(error.width >= 1, "{}", case.name);
        for part in &case.says {
            assert!(error.message.contains(part), "{}: {told}", case.name);
        }
        for part in &case.says_not {
            assert!(!format!("{error:?} {told}").contains(part), "{}: {told}", case.name);
        }
        let hint = error.hint.unwrap_or_default();
        assert!(hint.contains(&case.hint.unwrap_or_default()), "{}: hint {hint:?}", case.name);
        assert!(!case.no_hint || hint.is_empty(), "{}: hint {hint:?}", case.name);
        assert!(!error.message.ends_with('.') && !hint.ends_with('.'), "{}: {told}", case.name);
        assert!(allonym_core::explain(error.code).is_some(), "{}", case.name);
    }
}

/// The digest stands in every receipt: a change of it makes finished work look unfinished. The
/// values were made from the canonical JSON by Python's `json` and `hashlib`.
#[test]
fn digests_are_pinned() {
    let pinned = [
        ("the least", "845cbe0b881e2a3c1c2b09afe3168dbc4cb5e1815935ea97b1058628fd0092c9"),
        ("everything", "0368bd6ed6cf82414151518f96fe04dc432e6dcb348b581c584dbcc63b40ceba"),
    ];
    for (name, expected) in pinned {
        let case = good().into_iter().find(|case| case.name == name).unwrap();
        assert_eq!(Policy::parse(&case.toml, "p").unwrap().digest(), expected, "{name}");
    }
}

#[test]
fn retention_is_told_as_it_was_written() {
    let case = good().into_iter().find(|case| case.name == "retention").unwrap();
    let policy = Policy::parse(&case.toml, "p").unwrap();
    let retention = policy.retention().unwrap();
    assert_eq!(retention.zone.name(), "Europe/Berlin");
    assert_eq!(retention.require_tags, RequireTags::All);
    let (of, tag) = &retention.columns[0];
    assert_eq!(*of, TagMatch::Name("iban".to_owned()));
    assert_eq!(tag.anchor, AnchorSource::Column("contract_end_at".to_owned()));
    assert_eq!(tag.purpose, ["credit_scoring.model_training", "fraud.model_training"]);
    assert_eq!(tag.rule.term.duration().to_string(), "P5Y");
    assert_eq!(tag.rule.term.retain_at_least().unwrap().to_string(), "P5Y");
    assert_eq!(tag.rule.zone.name(), "Europe/Berlin");
    assert_eq!(tag.rule.assume_zone.as_ref().unwrap().name(), "Europe/Berlin");
    let (of, tag) = &retention.columns[1];
    assert_eq!(*of, TagMatch::Glob("*_note".to_owned()));
    assert_eq!(tag.anchor, AnchorSource::Event("relationship_end".to_owned()));
    let dataset = retention.dataset.as_ref().unwrap();
    assert_eq!(dataset.anchor, AnchorSource::CollectedAt);
    let [hold, other] = retention.holds.as_slice() else { panic!("two holds") };
    assert_eq!(hold.dataset.as_deref(), Some("claims_*"));
    assert_eq!(hold.review_by.to_string(), "2027-03-01");
    assert_eq!((&other.dataset, &other.subject_tokens_file), (&None, &None));
    assert!(Policy::parse("version = 1", "p").unwrap().retention().is_none());
}

#[test]
fn a_policy_of_eight_mebibytes_is_read_and_no_larger_one() {
    let mut text = String::from("version = 1\n#");
    text.push_str(&"x".repeat((8 << 20) - text.len()));
    Policy::parse(&text, "p").unwrap();
    text.push('x');
    let error = Policy::parse(&text, "p").unwrap_err();
    assert_eq!(error.code, "ALO-P001");
    assert!(error.message.contains("8 MiB"), "{error}");
}

#[test]
fn files_from_other_systems_are_read_and_updated() {
    let unix = "version = 1\n# note\n[columns.fax]\ntreat = \"redact\"\n";
    let windows = format!("\u{feff}{}", unix.replace('\n', "\r\n"));
    let digest = |text: &str| Policy::parse(text, "p").unwrap().digest();
    assert_eq!(digest(&windows), digest(unix));
    let error = Policy::parse(&windows.replace("redact", "redcat"), "p").unwrap_err();
    assert_eq!((error.line, error.column, error.width), (4, 9, 8));
    let draft = Policy::parse("version = 1\n[columns.a]\ntreat = \"drop\"\n", "p").unwrap();
    let updated = Policy::update_toml(&windows, &draft).unwrap();
    let listed = Policy::parse(&updated, "p").unwrap();
    assert_eq!(listed.columns().map(|(name, _)| name).collect::<Vec<_>>(), ["fax", "a"]);
}

#[test]
fn pyproject_holds_a_policy_of_its_own() {
    let text = "[project]\nname = \"x\"\n\n[tool.allonym]\nversion = 1\n[tool.allonym.columns.fax]\ntreat = \"redact\"\n";
    let found = Policy::parse_pyproject(text, "pyproject.toml").unwrap().unwrap();
    let alone = Policy::parse("version = 1\n[columns.fax]\ntreat = \"redact\"\n", "p").unwrap();
    assert_eq!(found.digest(), alone.digest());
    assert!(Policy::parse_pyproject("[tool.other]\nx = 1\n", "p").unwrap().is_none());
    assert!(Policy::parse_pyproject("", "p").unwrap().is_none());
    let wrong = text.replace("redact", "redcat");
    let error = Policy::parse_pyproject(&wrong, "pyproject.toml").unwrap_err();
    assert!(error.to_string().starts_with("pyproject.toml:7:9: `redcat`"), "{error}");
    let error = Policy::parse_pyproject("[tool.allonym]\nname = 1\n", "p").unwrap_err();
    assert_eq!((error.line, error.code), (1, "ALO-P006"));
}

#[test]
fn kept_columns_replace_what_was_said_before() {
    let policy = Policy::parse("version = 1\n[columns.a]\ntreat = \"drop\"\n", "p").unwrap();
    let kept = policy.keep(&["a", "b"], "reviewed");
    let listed: Vec<_> = kept.columns().collect();
    assert_eq!(listed, [("a", "keep"), ("b", "keep")]);
    assert!(kept.to_toml().contains("reason = \"reviewed\""));
    assert_eq!(policy.columns().collect::<Vec<_>>(), [("a", "drop")]);
    assert_ne!(policy.digest(), kept.digest());
}

#[test]
fn a_policy_knows_what_it_needs() {
    let needs = |text: &str| {
        let policy = Policy::parse(&format!("version = 1\n{text}"), "p").unwrap();
        (policy.needs_keys(), policy.needs_recognizer(), policy.matches_by_entity())
    };
    assert_eq!(needs("[columns.a]\ntreat = \"mask\""), (false, false, false));
    assert_eq!(needs("[columns.a]\ntreat = \"pseudonymize\""), (true, false, false));
    assert_eq!(needs("[columns.a]\ntreat = \"text\""), (true, true, false));
    assert_eq!(needs("[columns.a]\ntreat = \"text\"\nwith = \"label\""), (false, true, false));
    assert_eq!(needs("[[match]]\nentity = \"AGE\"\ntreat = \"drop\""), (false, true, true));
    assert_eq!(needs("[[match]]\nglob = \"*\"\ntreat = \"pseudonymize\""), (true, false, false));
}

#[test]
fn find_reaches_the_recognizer() {
    let everything = good().into_iter().find(|case| case.name == "everything").unwrap();
    let policy = Policy::parse(&everything.toml, "p").unwrap();
    let selection = policy.selection();
    assert_eq!(selection.set.as_deref(), Some("strict"));
    assert_eq!(selection.countries, ["DE", "NL"]);
    assert_eq!(selection.languages, ["de", "nl", "en"]);
    assert!(selection.entities.is_empty());
    let tuning = policy.tuning();
    assert_eq!(tuning.min_score, 0.5);
    assert_eq!(tuning.entity_min_score["PHONE_NUMBER"], 0.7);
    assert_eq!(tuning.allow["PHONE_NUMBER"], ["112", "/^0800/"]);
    assert_eq!(tuning.deny["CUSTOMER_NO"], ["/^K-\\d{8}$/"]);
    assert!(!tuning.allow.contains_key("CUSTOMER_NO"));
    assert_eq!(policy.rule_folders(), ["rules/"]);
    assert_eq!(policy.names(), "balanced");
    assert_eq!(policy.keys().key.as_deref(), Some("prod-2026"));
    assert_eq!(policy.keys().domain, "claims-training");
}

#[test]
fn the_schema_accepts_what_is_read() {
    let schema = Policy::json_schema();
    for case in good() {
        let value = json(&toml::from_str(&case.toml).unwrap());
        check_schema(&schema, &value).unwrap_or_else(|why| panic!("{}: {why}", case.name));
    }
}

/// What only the reader can tell: syntax, positions of ascent, regular expressions, pairs of keys.
const BEYOND_A_SCHEMA: &[&str] = &[
    "unlisted kept without a reason",
    "a reason for nothing",
    "a sentinel with space around it",
    "not a regular expression",
    "an expression without end",
    "bands that do not ascend",
    "a floor above the period",
    "a floor that February breaks",
    "a period beyond reason",
    "no such zone",
    "no such assumed zone",
    "a hold that is reviewed before it begins",
    "a day that does not exist",
    "a hold twice",
    "groups have a rate and no area of their own",
];

#[test]
fn the_schema_refuses_what_is_refused() {
    let schema = Policy::json_schema();
    for case in bad() {
        let Ok(value) = toml::from_str::<toml::Value>(&case.toml) else { continue };
        let value = json(&value);
        let beyond = BEYOND_A_SCHEMA.contains(&case.name.as_str());
        assert_eq!(check_schema(&schema, &value).is_ok(), beyond, "{}", case.name);
    }
}

#[test]
fn the_schema_and_the_reader_know_the_same_keys() {
    let schema = Policy::json_schema();
    let told = |text: &str| Policy::parse(text, "p").unwrap_err().message;
    for (place, text) in [
        ("", "version = 1\n[zzz]\n"),
        ("/properties/policy", "version = 1\n[policy]\nzzz = 1\n"),
        ("/properties/keys", "version = 1\n[keys]\nzzz = 1\n"),
        ("/properties/find", "version = 1\n[find]\nzzz = 1\n"),
        (
            "/properties/find/properties/entities/additionalProperties",
            "version = 1\n[find.entities.AGE]\nzzz = 1\n",
        ),
        ("/properties/retention", "version = 1\n[retention]\nzzz = 1\n"),
        ("/properties/gates", "version = 1\n[gates]\nzzz = 1\n"),
        ("/properties/gates/properties/exposure", "version = 1\n[gates.exposure]\nzzz = 1\n"),
        ("/properties/retention/properties/dataset", "version = 1\n[retention.dataset]\nzzz = 1\n"),
        (
            "/properties/retention/properties/columns/items",
            "version = 1\n[[retention.columns]]\nzzz = 1\n",
        ),
        (
            "/properties/retention/properties/columns/items/properties/match",
            "version = 1\n[[retention.columns]]\nmatch = { zzz = 1 }\n",
        ),
        (
            "/properties/retention/properties/holds/items",
            "version = 1\n[[retention.holds]]\nzzz = 1\n",
        ),
        (
            "/properties/retention/properties/holds/items/properties/scope",
            "version = 1\n[[retention.holds]]\nscope = { zzz = 1 }\n",
        ),
    ] {
        let properties =
            schema.pointer(&format!("{place}/properties")).unwrap().as_object().unwrap();
        let message = told(text);
        let known = message.split_once("known are ").unwrap().1;
        let mut read: Vec<&str> = known.split(", ").collect();
        let mut published: Vec<&str> = properties.keys().map(String::as_str).collect();
        read.sort_unstable();
        published.sort_unstable();
        assert_eq!(read, published, "{place}");
    }
    let treatments = schema.pointer("/properties/columns/additionalProperties/oneOf").unwrap();
    for treatment in treatments.as_array().unwrap() {
        let treat = treatment.pointer("/properties/treat/const").unwrap().as_str().unwrap();
        let options = treatment.pointer("/properties").unwrap().as_object().unwrap();
        for option in options.keys().filter(|option| *option != "treat") {
            let text = format!("version = 1\n[columns.a]\ntreat = \"{treat}\"\n{option} = {{}}\n");
            assert!(told(&text).contains("not an inline table"), "{treat} {option}");
        }
    }
}

/// A date is a string in JSON, and a number that is none, or endless, is null.
fn json(value: &toml::Value) -> Value {
    match value {
        toml::Value::Datetime(date) => Value::String(date.to_string()),
        toml::Value::Array(items) => items.iter().map(json).collect(),
        toml::Value::Table(table) => {
            table.iter().map(|(key, value)| (key.clone(), json(value))).collect()
        }
        scalar => serde_json::to_value(scalar).unwrap(),
    }
}

/// The part of JSON Schema 2020-12 that the policy's schema uses; a keyword it does not know is a
/// failure, so that nothing is passed over.
fn check_schema(schema: &Value, value: &Value) -> Result<(), String> {
    let Value::Object(schema) = schema else { return Err("schema is no object".into()) };
    for (keyword, rule) in schema {
        let holds = match keyword.as_str() {
            "$schema" | "title" | "description" | "default" => true,
            "type" => match rule.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_i64() || value.is_u64(),
                "number" => value.is_number(),
                other => return Err(format!("type {other}")),
            },
            "const" => rule == value,
            "enum" => rule.as_array().unwrap().contains(value),
            "not" => check_schema(rule, value).is_err(),
            "oneOf" => {
                let fits =
                    rule.as_array().unwrap().iter().filter(|s| check_schema(s, value).is_ok());
                fits.count() == 1
            }
            "required" => value.as_object().is_none_or(|object| {
                rule.as_array()
                    .unwrap()
                    .iter()
                    .all(|key| object.contains_key(key.as_str().unwrap()))
            }),
            "properties" => {
                for (key, value) in value.as_object().into_iter().flatten() {
                    if let Some(rule) = rule.get(key) {
                        check_schema(rule, value).map_err(|why| format!("{key}: {why}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                for (key, value) in value.as_object().into_iter().flatten() {
                    if known.is_some_and(|known| known.contains_key(key)) {
                        continue;
                    }
                    match rule {
                        Value::Bool(allowed) if !allowed => {
                            return Err(format!("{key} is not known"));
                        }
                        rule => check_schema(rule, value).map_err(|why| format!("{key}: {why}"))?,
                    }
                }
                true
            }
            "propertyNames" => value.as_object().is_none_or(|object| {
                object.keys().all(|key| check_schema(rule, &Value::String(key.clone())).is_ok())
            }),
            "dependentSchemas" => {
                for (key, rule) in rule.as_object().unwrap() {
                    if value.get(key).is_some() {
                        check_schema(rule, value)?;
                    }
                }
                true
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    check_schema(rule, item)?;
                }
                true
            }
            "minProperties" => {
                value.as_object().is_none_or(|o| o.len() as u64 >= rule.as_u64().unwrap())
            }
            "maxProperties" => {
                value.as_object().is_none_or(|o| o.len() as u64 <= rule.as_u64().unwrap())
            }
            "minItems" => value.as_array().is_none_or(|a| a.len() as u64 >= rule.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|a| a.len() as u64 <= rule.as_u64().unwrap()),
            "uniqueItems" => value.as_array().is_none_or(|array| {
                array.iter().enumerate().all(|(n, item)| !array[..n].contains(item))
            }),
            "minLength" => {
                value.as_str().is_none_or(|s| s.chars().count() as u64 >= rule.as_u64().unwrap())
            }
            "maxLength" => {
                value.as_str().is_none_or(|s| s.chars().count() as u64 <= rule.as_u64().unwrap())
            }
            "pattern" => value
                .as_str()
                .is_none_or(|s| regex::Regex::new(rule.as_str().unwrap()).unwrap().is_match(s)),
            "minimum" => value.as_f64().is_none_or(|n| n >= rule.as_f64().unwrap()),
            "maximum" => match (value.as_i64(), rule.as_i64()) {
                (Some(value), Some(most)) => value <= most,
                _ => value.as_f64().is_none_or(|n| n <= rule.as_f64().unwrap()),
            },
            "exclusiveMinimum" => value.as_f64().is_none_or(|n| n > rule.as_f64().unwrap()),
            other => return Err(format!("unknown keyword {other}")),
        };
        if !holds {
            return Err(format!("{keyword} does not hold"));
        }
    }
    Ok(())
}
