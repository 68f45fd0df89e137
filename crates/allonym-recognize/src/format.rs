//! The rule file as it is written.

use crate::nearest::hint;
use crate::{Group, RuleError, RuleFile};
use schemars::JsonSchema;
use serde::Deserialize;

/// Largest rule file, in bytes.
pub const FILE_BYTES_MAX: usize = 256 * 1024;

/// One entity: what it is, how it looks, and texts that do and do not hold it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileFormat {
    /// Name of the entity: `[A-Z][A-Z0-9_]*`, prefixed by the country where it has one.
    #[schemars(regex(pattern = "^[A-Z][A-Z0-9_]*$"))]
    pub(crate) entity: String,
    /// What it is, in words.
    pub(crate) name: String,
    /// How identifying it is.
    pub(crate) group: Group,
    /// Category of the fideslang taxonomy, such as `user.contact.email`.
    pub(crate) category: String,
    /// ISO 3166-1 alpha-2 codes; left out: everywhere.
    #[serde(default)]
    pub(crate) countries: Vec<String>,
    /// Short label of text tokens; left out: the entity's name.
    pub(crate) label: Option<String>,
    /// How values are normalised before they become tokens; left out: `exact`.
    #[serde(default)]
    pub(crate) profile: ProfileFormat,
    /// What a drafted policy proposes.
    pub(crate) treatment: TreatmentFormat,
    /// Official source of the form and of the check digit.
    pub(crate) source: String,
    /// How it looks; may be left out for an entity known by the column's header only.
    #[serde(default)]
    pub(crate) pattern: Vec<PatternFormat>,
    /// Words that stand near it.
    pub(crate) context: Option<ContextFormat>,
    /// Texts that hold it: at least three.
    #[serde(default)]
    pub(crate) example: Vec<ExampleFormat>,
    /// Texts that look like it and are not: at least two.
    #[serde(default)]
    pub(crate) near_miss: Vec<NearMissFormat>,
}

/// Normalisation profile of tokens.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProfileFormat {
    /// As it stands.
    #[default]
    Exact,
    /// Case and compatibility forms do not matter.
    Casefold,
    /// Spaces and case do not matter.
    Iban,
    /// Of a telephone number, `+` and digits matter.
    E164,
}

/// What a drafted policy proposes.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TreatmentFormat {
    /// Replace by a keyed token.
    Pseudonymize,
    /// Remove the value.
    Redact,
    /// Make it coarser.
    Generalize,
    /// Show a few characters.
    Mask,
    /// Leave it as it is.
    Keep,
    /// Remove the column.
    Drop,
}

/// One way the entity looks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PatternFormat {
    /// Name of the pattern; needed when there are several.
    #[schemars(regex(pattern = "^[a-z0-9][a-z0-9_-]*$"))]
    pub(crate) id: Option<String>,
    /// Regular expression: linear time, `\d \w \s \b` are ASCII; a group `(?P<value>...)` is what
    /// is reported.
    pub(crate) regex: String,
    /// Checks the matched text has to pass, all of them.
    #[serde(default)]
    pub(crate) validate: ValidateFormat,
    /// Probability of a match to be right.
    pub(crate) score: ScoreFormat,
}

/// Names of checks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "the name of a check, or a list of names")]
pub(crate) enum ValidateFormat {
    /// One check.
    One(String),
    /// All of these.
    All(Vec<String>),
}

impl Default for ValidateFormat {
    fn default() -> Self {
        ValidateFormat::All(Vec::new())
    }
}

impl ValidateFormat {
    /// The names.
    pub(crate) fn names(&self) -> &[String] {
        match self {
            ValidateFormat::One(name) => std::slice::from_ref(name),
            ValidateFormat::All(names) => names,
        }
    }
}

/// Probability of a match to be right, by what speaks for it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScoreFormat {
    /// No check, no context; for patterns without `validate`.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) bare: Option<f64>,
    /// No check, context; for patterns without `validate`; left out: `bare`.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) context: Option<f64>,
    /// Checks passed, no context; for patterns with `validate`.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) validated: Option<f64>,
    /// Checks passed and context; for patterns with `validate`; left out: `validated`.
    #[schemars(range(min = 0, max = 1))]
    pub(crate) both: Option<f64>,
}

/// Words that stand near the entity.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContextFormat {
    /// Phrases that speak for it: whole words; case, accents, hyphens and spaces do not matter.
    #[serde(default)]
    pub(crate) near: Vec<PhraseFormat>,
    /// Phrases that speak against it.
    #[serde(default)]
    pub(crate) not_near: Vec<PhraseFormat>,
    /// Characters between phrase and entity, at most.
    #[serde(default = "within_default")]
    #[schemars(range(min = 1, max = 500))]
    pub(crate) within: u32,
    /// On which side of the entity the phrase stands.
    #[serde(default)]
    pub(crate) side: Side,
    /// Words of column headers; `=word` only as the whole header.
    #[serde(default)]
    pub(crate) header: Vec<String>,
}

fn within_default() -> u32 {
    60
}

/// A phrase, or a phrase of one language.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a phrase, or a table with `phrase` and `language`")]
pub(crate) enum PhraseFormat {
    /// Of any language.
    Any(String),
    /// Of one language.
    Of(PhraseOfFormat),
}

/// A phrase of one language.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PhraseOfFormat {
    /// The phrase.
    pub(crate) phrase: String,
    /// ISO 639-1 code.
    #[schemars(regex(pattern = "^[a-z]{2}$"))]
    pub(crate) language: String,
}

impl PhraseFormat {
    /// The phrase and its language.
    pub(crate) fn parts(&self) -> (&str, Option<&str>) {
        match self {
            PhraseFormat::Any(phrase) => (phrase, None),
            PhraseFormat::Of(of) => (&of.phrase, Some(&of.language)),
        }
    }
}

/// On which side of the entity a phrase stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    /// Before or after.
    #[default]
    Either,
    /// Before.
    Left,
    /// After.
    Right,
}

/// A text or a header that holds the entity.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExampleFormat {
    /// The text.
    pub(crate) text: Option<String>,
    /// What is found in it, exactly.
    pub(crate) find: Option<String>,
    /// A column header that points to the entity alone.
    pub(crate) header: Option<String>,
}

/// A text or a header that does not hold the entity.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NearMissFormat {
    /// The text.
    pub(crate) text: Option<String>,
    /// A column header.
    pub(crate) header: Option<String>,
    /// Why it is none.
    pub(crate) why: String,
}

impl FileFormat {
    /// Reads one rule file.
    pub(crate) fn parse(file: &RuleFile) -> Result<FileFormat, RuleError> {
        let fail = |message: String| RuleError { path: file.path.clone(), message };
        if file.text.len() > FILE_BYTES_MAX {
            return Err(fail(format!(
                "the file is {} bytes long; {FILE_BYTES_MAX} are allowed",
                file.text.len()
            )));
        }
        let at = |error: &toml::de::Error| {
            let line = error.span().map_or(1, |span| {
                1 + file.text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
            });
            format!("line {line}: {}", error.message().trim_end().replace('\n', "; "))
        };
        let table: toml::Table = toml::from_str(&file.text).map_err(|error| fail(at(&error)))?;
        known_keys(&table).map_err(fail)?;
        toml::from_str(&file.text).map_err(|error| fail(at(&error)))
    }
}

/// Refuses the first key that no struct above knows, with the nearest that one does.
fn known_keys(table: &toml::Table) -> Result<(), String> {
    let check = |table: &toml::Table, place: &str, known: &[&str]| match table
        .keys()
        .find(|key| !known.contains(&key.as_str()))
    {
        None => Ok(()),
        Some(key) => Err(format!(
            "unknown key `{place}{key}`{}; known are {}",
            hint(key, known.iter().copied()),
            known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", "),
        )),
    };
    check(table, "", FILE_KEYS)?;
    for (name, known) in
        [("pattern", PATTERN_KEYS), ("example", EXAMPLE_KEYS), ("near_miss", NEAR_MISS_KEYS)]
    {
        let items = table.get(name).and_then(toml::Value::as_array).into_iter().flatten();
        for (index, item) in items.enumerate().filter_map(|(i, item)| Some((i, item.as_table()?))) {
            let place = format!("{name}[{index}].");
            check(item, &place, known)?;
            if let Some(score) = item.get("score").and_then(toml::Value::as_table) {
                check(score, &format!("{place}score."), SCORE_KEYS)?;
            }
        }
    }
    if let Some(context) = table.get("context").and_then(toml::Value::as_table) {
        check(context, "context.", CONTEXT_KEYS)?;
        for list in ["near", "not_near"] {
            let items = context.get(list).and_then(toml::Value::as_array).into_iter().flatten();
            for item in items.filter_map(toml::Value::as_table) {
                check(item, &format!("context.{list}."), PHRASE_KEYS)?;
            }
        }
    }
    Ok(())
}

const FILE_KEYS: &[&str] = &[
    "entity",
    "name",
    "group",
    "category",
    "countries",
    "label",
    "profile",
    "treatment",
    "source",
    "pattern",
    "context",
    "example",
    "near_miss",
];
const PATTERN_KEYS: &[&str] = &["id", "regex", "validate", "score"];
const SCORE_KEYS: &[&str] = &["bare", "context", "validated", "both"];
const CONTEXT_KEYS: &[&str] = &["near", "not_near", "within", "side", "header"];
const PHRASE_KEYS: &[&str] = &["phrase", "language"];
const EXAMPLE_KEYS: &[&str] = &["text", "find", "header"];
const NEAR_MISS_KEYS: &[&str] = &["text", "header", "why"];

/// The JSON Schema (draft 2020-12) of a rule file.
#[must_use]
pub fn rule_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(FileFormat).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".to_owned(), "Allonym rule file".into());
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_lists_are_those_of_the_schema() {
        let schema = rule_schema();
        let keys = |pointer: &str| -> Vec<String> {
            let properties = schema.pointer(pointer).and_then(|value| value.as_object());
            let mut keys: Vec<_> = properties.expect(pointer).keys().cloned().collect();
            keys.sort();
            keys
        };
        for (pointer, known) in [
            ("/properties", FILE_KEYS),
            ("/$defs/PatternFormat/properties", PATTERN_KEYS),
            ("/$defs/ScoreFormat/properties", SCORE_KEYS),
            ("/$defs/ContextFormat/properties", CONTEXT_KEYS),
            ("/$defs/PhraseOfFormat/properties", PHRASE_KEYS),
            ("/$defs/ExampleFormat/properties", EXAMPLE_KEYS),
            ("/$defs/NearMissFormat/properties", NEAR_MISS_KEYS),
        ] {
            let mut known: Vec<_> = known.iter().map(ToString::to_string).collect();
            known.sort();
            assert_eq!(keys(pointer), known, "{pointer}");
        }
    }
}
