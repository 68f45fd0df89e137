//! JSON Schema of the policy file, built from the same tables the reader reads by.

use super::{
    BANDS_MAX, Consistency, DatePart, EXPECTED_DISTINCT, EXPECTED_DISTINCT_MAX, FIELD_BYTES_MAX,
    FORMATS, GLOB_CHARS_MAX, Gates, KEPT_CHARS_MAX, MIN_SCORE, Names, PROFILES, Replacement,
    Retention, SENTINELS_MAX, TREATMENTS, WITH_BYTES_MAX,
};
use serde_json::{Map, Value, json};

/// JSON Schema, draft 2020-12. It says what an editor can say while somebody types; what needs
/// more than one place to decide (a reason for what is kept, keys that exist) is the reader's and
/// the plan's.
pub(super) fn policy() -> Value {
    let matches = [treatments(&["glob"]), treatments(&["entity"])].concat();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Allonym policy",
        "description": "What shall happen to each column, who says so, and why.",
        "type": "object",
        "required": ["version"],
        "additionalProperties": false,
        "properties": {
            "version": {"const": 1},
            "policy": heading(),
            "keys": keys(),
            "find": find(),
            "columns": {
                "description": "Treatments by the exact name of a column; parts of nested columns by their path.",
                "type": "object",
                "propertyNames": {"minLength": 1},
                "additionalProperties": {"oneOf": treatments(&[])},
            },
            "match": {
                "description": "Treatments of many columns. An exact name wins, then a glob, then an entity.",
                "type": "array",
                "items": {"oneOf": matches},
            },
            "retention": Retention::schema(),
            "gates": Gates::schema(),
        },
    })
}

fn heading() -> Value {
    table(&json!({
        "name": text("Shown in reports."),
        "purpose": text("What the data is for; shown in reports."),
        "owner": text("Who answers for it; shown in reports."),
        "unlisted": {
            "description": "What happens to a column that is not listed.",
            "enum": ["error", "drop", "keep"],
            "default": "error",
        },
        "unlisted_reason": text("Why unlisted columns may be kept."),
        "expected_distinct": {
            "description": "Distinct values a column may hold, for the collision bound.",
            "type": "integer",
            "minimum": 1,
            "maximum": EXPECTED_DISTINCT_MAX,
            "default": EXPECTED_DISTINCT,
        },
        "sentinels": {
            "description": "Cells that mean that nothing is known; they become null.",
            "type": "array",
            "items": {"type": "string"},
            "uniqueItems": true,
            "maxItems": SENTINELS_MAX,
        },
    }))
}

fn keys() -> Value {
    table(&json!({
        "ring": {
            "description": "Where the keyring is; never a key.",
            "type": "string",
            "pattern": "^\\s*(file:.+|env:[A-Za-z0-9_]+)\\s*$",
        },
        "ledger": {
            "description": "Folder of the ledger, from the folder of the policy; beside the keyring when left out.",
            "type": "string",
            "pattern": "\\S",
        },
        "key": name("Id or label; the active key when left out."),
        "tenant": name("Whose keys."),
        "domain": name("Tables whose tokens join."),
    }))
}

fn find() -> Value {
    table(&json!({
        "countries": codes("Narrows rules to these countries (ISO 3166-1).", "^[A-Z]{2}$"),
        "languages": codes("Narrows context words to these languages (ISO 639-1).", "^[a-z]{2}$"),
        "min_score": score("Findings below are not reported.", Some(MIN_SCORE)),
        "names": {
            "description": "How eagerly names are looked for.",
            "enum": words(Names::ALL, Names::word),
            "default": Names::Balanced.word(),
        },
        "rules": {
            "description": "Folders with more rules, relative to this file.",
            "type": "array",
            "items": {"type": "string", "minLength": 1},
        },
        "set": text("Rule set to start from."),
        "entities": {
            "description": "Adjustments by entity.",
            "type": "object",
            "propertyNames": {"pattern": ENTITY},
            "additionalProperties": table(&json!({
                "min_score": score("Findings below are not reported.", None),
                "allow": patterns("Never a finding: exact text, or /regex/."),
                "deny": patterns("Always a finding: exact text, or /regex/."),
            })),
        },
    }))
}

/// One schema for each treatment (for each way, where one of several options must stand).
fn treatments(besides: &[&str]) -> Vec<Value> {
    let mut schemas = Vec::new();
    for (treat, options) in TREATMENTS {
        let mut properties = Map::new();
        properties.insert("treat".to_owned(), json!({"const": treat}));
        for key in besides {
            properties.insert((*key).to_owned(), pattern(key));
        }
        let required: Vec<&str> = ["treat"].iter().chain(besides).copied().collect();
        if *treat == "generalize" {
            for way in *options {
                let mut properties = properties.clone();
                properties.insert((*way).to_owned(), option(treat, way));
                let required: Vec<&str> = required.iter().chain([way]).copied().collect();
                schemas.push(object(&properties, &required));
            }
            continue;
        }
        for key in *options {
            properties.insert((*key).to_owned(), option(treat, key));
        }
        let mut schema = object(&properties, &required);
        if *treat == "text" {
            schema["dependentSchemas"] = json!({"consistency": {"properties": {"with": {"const": Replacement::Token.word()}}}});
        }
        schemas.push(schema);
    }
    schemas
}

/// The ways to make something coarser, without a treatment around them.
pub(super) fn ways() -> Vec<Value> {
    let (treat, ways) =
        TREATMENTS.iter().find(|(treat, _)| *treat == "generalize").copied().unwrap_or_default();
    let way = |way: &&str| {
        let properties = Map::from_iter([((*way).to_owned(), option(treat, way))]);
        object(&properties, &[way])
    };
    ways.iter().map(way).collect()
}

fn object(properties: &Map<String, Value>, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "required": required,
        "additionalProperties": false,
        "properties": properties,
    })
}

pub(super) fn pattern(key: &str) -> Value {
    match key {
        "glob" => json!({
            "description": "Column names: * is any run of characters, ? is one.",
            "type": "string",
            "pattern": "\\S",
            "maxLength": GLOB_CHARS_MAX,
        }),
        _ => json!({
            "description": "Columns judged to be of this entity.",
            "type": "string",
            "pattern": ENTITY,
        }),
    }
}

fn option(treat: &str, key: &str) -> Value {
    match (treat, key) {
        (_, "reason") => text("Why it is kept; required for what is judged personal."),
        ("redact", "with") => json!({
            "description": "Text in place of the cell; null when left out.",
            "type": "string",
            "maxLength": WITH_BYTES_MAX,
        }),
        (_, "keep_first" | "keep_last") => json!({
            "description": "Characters that stay.",
            "type": "integer",
            "minimum": 0,
            "maximum": KEPT_CHARS_MAX,
            "default": 0,
        }),
        (_, "char") => json!({
            "description": "Sign in place of the others.",
            "type": "string",
            "minLength": 1,
            "maxLength": 1,
            "default": "*",
        }),
        (_, "join") => name("Same join, same token, in every file of the domain."),
        (_, "profile") => json!({
            "description": "Normalisation before hashing; by the entity when left out.",
            "enum": PROFILES.iter().map(|(word, _)| *word).collect::<Vec<_>>(),
        }),
        (_, "format") => json!({
            "description": "How tokens are spelt.",
            "enum": FORMATS.iter().map(|(word, _)| *word).collect::<Vec<_>>(),
            "default": "base62",
        }),
        (_, "consistency") => json!({
            "description": "Which equal values get equal tokens.",
            "enum": words(Consistency::ALL, Consistency::word),
            "default": Consistency::Dataset.word(),
        }),
        (_, "to") => json!({
            "description": "Part of a date that stays.",
            "enum": words(DatePart::ALL, DatePart::word),
        }),
        (_, "step") => json!({
            "description": "Numbers become the multiple at or below.",
            "type": "number",
            "exclusiveMinimum": 0,
        }),
        (_, "prefix") => json!({
            "description": "First characters that stay.",
            "type": "integer",
            "minimum": 1,
            "maximum": KEPT_CHARS_MAX,
        }),
        (_, "bits") => json!({
            "description": "Bits of an IP address that stay; up to 31 those of IPv4, above those of IPv6.",
            "type": "integer",
            "minimum": 1,
            "maximum": 127,
            "not": {"const": 32},
        }),
        (_, "bands") => json!({
            "description": "Ascending cut points.",
            "type": "array",
            "items": {"type": "integer"},
            "minItems": 1,
            "maxItems": BANDS_MAX,
            "uniqueItems": true,
        }),
        (_, "with") => json!({
            "description": "What stands in place of a finding.",
            "enum": words(Replacement::ALL, Replacement::word),
            "default": Replacement::Token.word(),
        }),
        _ => json!({
            "description": "Entities that are replaced; all when left out.",
            "type": "array",
            "items": {"type": "string", "pattern": ENTITY},
            "minItems": 1,
            "uniqueItems": true,
        }),
    }
}

pub(super) fn table(properties: &Value) -> Value {
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

pub(super) fn text(description: &str) -> Value {
    json!({"description": description, "type": "string", "pattern": "\\S"})
}

/// A share: a number, or a text in per cent.
pub(super) fn share(description: &str) -> Value {
    json!({
        "description": description,
        "oneOf": [
            {"type": "number", "minimum": 0, "maximum": 1},
            {"type": "string", "pattern": "^\\s*(100|[0-9]?[0-9](\\.[0-9]+)?)\\s*%\\s*$"},
        ],
    })
}

pub(super) fn name_list(description: &str) -> Value {
    json!({
        "description": description,
        "type": "array",
        "items": {"type": "string", "pattern": "\\S"},
        "uniqueItems": true,
    })
}

fn name(description: &str) -> Value {
    json!({"description": description, "type": "string", "pattern": "\\S", "maxLength": FIELD_BYTES_MAX})
}

fn codes(description: &str, pattern: &str) -> Value {
    json!({
        "description": description,
        "type": "array",
        "items": {"type": "string", "pattern": pattern},
        "uniqueItems": true,
    })
}

fn patterns(description: &str) -> Value {
    json!({"description": description, "type": "array", "items": {"type": "string", "minLength": 1}})
}

fn score(description: &str, default: Option<f64>) -> Value {
    let mut schema =
        json!({"description": description, "type": "number", "minimum": 0, "maximum": 1});
    if let Some(default) = default {
        schema["default"] = json!(default);
    }
    schema
}

pub(super) fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> Vec<&'static str> {
    all.iter().map(|value| word(*value)).collect()
}

const ENTITY: &str = "^[A-Z][A-Z0-9_]*$";
