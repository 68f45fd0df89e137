//! Rules as data: parsing, selecting, describing.

use crate::{EntityId, RuleId};

/// A rule file's path (for messages only) and its TOML text.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// Where it came from, as messages should name it.
    pub path: String,
    /// TOML.
    pub text: String,
}

/// How identifying an entity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Names or numbers one person.
    Direct,
    /// Narrows down who it may be.
    Quasi,
    /// Special category (GDPR article 9) or otherwise harmful to disclose.
    Sensitive,
    /// A credential.
    Secret,
}

/// One kind of personal data.
#[derive(Clone, Debug)]
pub struct Entity {
    /// `EMAIL_ADDRESS`.
    pub name: String,
    /// In words: `e-mail address`.
    pub title: String,
    /// How identifying.
    pub group: Group,
    /// fideslang category.
    pub category: String,
    /// ISO 3166-1 alpha-2; empty is everywhere.
    pub countries: Vec<String>,
    /// Short label of text tokens: `EMAIL`.
    pub label: String,
    /// Normalisation profile of tokens: `exact`, `casefold`, `iban`.
    pub profile: String,
    /// Treatment a drafted policy proposes: `pseudonymize`, `redact`, `generalize`, `keep` ...
    pub treatment: String,
    /// Official source of the form and the check.
    pub source: String,
}

/// What `allonym rules list` says of a rule.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RuleSummary {
    /// `DE_TAX_ID`, or `DE_TAX_ID/spaced` where an entity has several rules.
    pub id: String,
    /// Entity it reports.
    pub entity: String,
    /// In words.
    pub title: String,
    /// How identifying.
    pub group: Group,
    /// fideslang category.
    pub category: String,
    /// ISO 3166-1 alpha-2; empty is everywhere.
    pub countries: Vec<String>,
    /// Names of its checks.
    pub checks: Vec<String>,
    /// Official source.
    pub source: String,
    /// File it stands in.
    pub path: String,
}

/// Narrows a rule set. Empty lists do not narrow.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `default`, `strict`, `eu-finance`; `None` is `default`.
    pub set: Option<String>,
    /// Entities by name.
    pub entities: Vec<String>,
    /// ISO 3166-1 alpha-2; rules without a country always stay.
    pub countries: Vec<String>,
    /// ISO 639-1; narrows context phrases only when they declare a language.
    pub languages: Vec<String>,
}

/// A rule, a set or a selection that cannot be used. Messages name file, rule, key and position.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {message}")]
pub struct RuleError {
    /// File of the mistake.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A set of rules that belong together.
#[derive(Clone, Debug)]
pub struct RuleSet {}

impl RuleSet {
    /// The rules this version ships.
    pub fn builtin() -> &'static RuleSet {
        todo!()
    }
    /// Parses rule files.
    pub fn parse(_files: &[RuleFile]) -> Result<RuleSet, RuleError> {
        todo!()
    }
    /// These rules and more; an id that stands in both is an error.
    pub fn with(&self, _more: &RuleSet) -> Result<RuleSet, RuleError> {
        todo!()
    }
    /// The rules a selection leaves; an unknown name is an error that lists the nearest.
    pub fn select(&self, _selection: &Selection) -> Result<RuleSet, RuleError> {
        todo!()
    }
    /// Entities, by name.
    pub fn entities(&self) -> &[Entity] {
        todo!()
    }
    /// One entity.
    pub fn entity(&self, _id: EntityId) -> &Entity {
        todo!()
    }
    /// An entity by its name.
    pub fn entity_by_name(&self, _name: &str) -> Option<EntityId> {
        todo!()
    }
    /// Id of a rule.
    pub fn rule_name(&self, _id: RuleId) -> &str {
        todo!()
    }
    /// A context phrase of a rule.
    pub fn phrase(&self, _rule: RuleId, _phrase: u16) -> &str {
        todo!()
    }
    /// All rules, sorted by id.
    pub fn summaries(&self) -> Vec<RuleSummary> {
        todo!()
    }
    /// The TOML a rule was written in, for `rules show`.
    pub fn source_of(&self, _id: &str) -> Option<&str> {
        todo!()
    }
    /// SHA-256 of the canonical JSON (RFC 8785) of the rules, sorted by id; lower-case hex.
    pub fn digest(&self) -> String {
        todo!()
    }
    /// Whether the whole of `value` is a valid `entity`, by form and check digit.
    /// `None` when no rule of this set knows the entity.
    pub fn validate(&self, _entity: &str, _value: &str, _country: Option<&str>) -> Option<bool> {
        todo!()
    }
}
