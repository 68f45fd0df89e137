//! The policy file: what shall happen to each column, who says so, and why.

mod canonical;
mod draft;
mod gates;
mod read;
mod retention;
mod schema;
mod write;

pub use draft::suggested_treatment;
pub use gates::{ExposureGate, ExposureMetric, Gates};
pub use retention::{
    AnchorSource, Coarser, ROW_EXPIRY, RequireTags, Retention, Tag, TagClash, TagMatch, UnfitTag,
};

use crate::decimal::Decimal;
use crate::plan::{glob_matches, is_inside};
use crate::treat::Coarseness;
use allonym_keys::{Profile, TokenFormat};
use allonym_recognize::{Selection, Tuning};
use std::collections::BTreeMap;
use std::ops::Range;

/// A parsed `allonym.toml` with defaults filled in.
///
/// ```
/// use allonym_core::Policy;
/// let policy = Policy::parse("version = 1\n[columns.fax]\ntreat = \"redact\"\n", "allonym.toml")?;
/// assert!(!policy.needs_keys());
/// let wrong = Policy::parse("version = 1\n[columns.fax]\ntreat = \"redcat\"\n", "allonym.toml").unwrap_err();
/// assert!(wrong.to_string().starts_with("allonym.toml:3:9: "));
/// # Ok::<(), allonym_core::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) name: Option<String>,
    pub(crate) purpose: Option<String>,
    pub(crate) owner: Option<String>,
    pub(crate) unlisted: Unlisted,
    pub(crate) expected_distinct: u64,
    pub(crate) sentinels: Vec<String>,
    pub(crate) keys: KeyReference,
    pub(crate) find: Find,
    pub(crate) columns: Vec<Listed>,
    pub(crate) matches: Vec<Matched>,
    pub(crate) retention: Option<Retention>,
    pub(crate) gates: Option<Gates>,
}

impl Policy {
    /// Parses TOML; `origin` is named in errors.
    ///
    /// # Errors
    /// The first mistake, with its position: not TOML, an unknown key (with the nearest spelling), a
    /// wrong type, an option that does not belong to its treatment, a missing reason.
    pub fn parse(toml: &str, origin: &str) -> Result<Policy, PolicyError> {
        read::policy(toml, origin)
    }

    /// Parses `[tool.allonym]` of a `pyproject.toml`; `None` when it has no such table.
    ///
    /// # Errors
    /// Those of [`Policy::parse`].
    pub fn parse_pyproject(toml: &str, origin: &str) -> Result<Option<Policy>, PolicyError> {
        read::pyproject(toml, origin)
    }

    /// A policy that does nothing yet: unlisted columns are an error.
    #[must_use]
    pub fn empty(name: &str, purpose: &str) -> Policy {
        let filled = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        Policy {
            name: filled(name),
            purpose: filled(purpose),
            owner: None,
            unlisted: Unlisted::Error,
            expected_distinct: EXPECTED_DISTINCT,
            sentinels: Vec::new(),
            keys: KeyReference::default(),
            find: Find::default(),
            columns: Vec::new(),
            matches: Vec::new(),
            retention: None,
            gates: None,
        }
    }

    /// A new policy that keeps the columns as they are, whatever it said of them before. An empty
    /// reason is none: a plan then refuses columns judged personal.
    #[must_use]
    pub fn keep(&self, columns: &[&str], reason: &str) -> Policy {
        let mut policy = self.clone();
        let reason = Some(reason.trim()).filter(|reason| !reason.is_empty());
        for name in columns {
            let treatment = Treatment::Keep { reason: reason.map(str::to_owned) };
            match policy.columns.iter_mut().find(|listed| listed.name == *name) {
                Some(listed) => listed.treatment = treatment,
                None => policy.columns.push(Listed {
                    name: (*name).to_owned(),
                    treatment,
                    note: None,
                    line: None,
                }),
            }
        }
        policy
    }

    /// SHA-256 of the RFC 8785 JSON with defaults filled in, lower-case hex.
    #[must_use]
    pub fn digest(&self) -> String {
        canonical::digest(&self.canonical())
    }

    /// `[policy] name`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// `[policy] purpose`.
    #[must_use]
    pub fn purpose(&self) -> Option<&str> {
        self.purpose.as_deref()
    }

    /// `[policy] owner`.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// `[keys]`.
    #[must_use]
    pub fn keys(&self) -> &KeyReference {
        &self.keys
    }

    /// `[gates]`, where the policy has them.
    #[must_use]
    pub fn gates(&self) -> Option<&Gates> {
        self.gates.as_ref()
    }

    /// `[retention]`, where the policy has it.
    #[must_use]
    pub fn retention(&self) -> Option<&Retention> {
        self.retention.as_ref()
    }

    /// Names and treatments of `[columns]`, in the order of the file.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.columns.iter().map(|listed| (listed.name.as_str(), listed.treatment.name()))
    }

    /// What the policy does to a column of this path, of this entity where that is known: by its
    /// name, a glob, its entity, else what it says of unlisted ones. `None` when it does not list
    /// the column and that is an error, or when two matches tie.
    #[must_use]
    pub fn promise(&self, path: &str, entity: Option<&str>) -> Option<Promise> {
        if path == ROW_EXPIRY && self.retention.as_ref().is_some_and(|told| told.row_column) {
            let reason = Some("says when the row expires".to_owned());
            return Some(Promise::of(&Treatment::Keep { reason }, true));
        }
        let inside = |listed: &&Listed| listed.name == path || is_inside(path, &listed.name);
        // A leaf below a column that is listed whole has what that says.
        let exact = self.columns.iter().find(|listed| listed.name == path);
        if let Some(listed) = exact.or_else(|| self.columns.iter().find(inside)) {
            return Some(Promise::of(&listed.treatment, true));
        }
        let by = |claims: &dyn Fn(&Pattern) -> bool| {
            let mut claims = self.matches.iter().filter(|matched| claims(&matched.pattern));
            claims.next().map(|first| (first, claims.next().is_some()))
        };
        let glob = by(&|of| matches!(of, Pattern::Glob(glob) if glob_matches(glob, path)));
        let judged =
            || by(&|of| matches!(of, Pattern::Entity(name) if Some(name.as_str()) == entity));
        if let Some((matched, tie)) = glob.or_else(judged) {
            return (!tie).then(|| Promise::of(&matched.treatment, true));
        }
        match &self.unlisted {
            Unlisted::Error => None,
            Unlisted::Drop => Some(Promise::of(&Treatment::Drop, false)),
            Unlisted::Keep { reason } => {
                let keep = Treatment::Keep { reason: Some(reason.clone()) };
                Some(Promise::of(&keep, false))
            }
        }
    }

    /// `[find]` as the recognizer wants it.
    #[must_use]
    pub fn selection(&self) -> Selection {
        Selection {
            set: self.find.set.clone(),
            entities: Vec::new(),
            countries: self.find.countries.clone(),
            languages: self.find.languages.clone(),
        }
    }

    /// `[find]` scores, allow and deny lists.
    #[must_use]
    pub fn tuning(&self) -> Tuning {
        let mut tuning = Tuning { min_score: score(self.find.min_score), ..Tuning::default() };
        for (entity, find) in &self.find.entities {
            if let Some(least) = find.min_score {
                tuning.entity_min_score.insert(entity.clone(), score(least));
            }
            if !find.allow.is_empty() {
                tuning.allow.insert(entity.clone(), find.allow.clone());
            }
            if !find.deny.is_empty() {
                tuning.deny.insert(entity.clone(), find.deny.clone());
            }
        }
        tuning
    }

    /// `[find] names`: how eagerly names are looked for (`recall`, `balanced`, `precision`, `off`).
    #[must_use]
    pub fn names(&self) -> &'static str {
        self.find.names.word()
    }

    /// `[find] rules`: folders with more rules, relative to the policy file.
    #[must_use]
    pub fn rule_folders(&self) -> &[String] {
        &self.find.rules
    }

    /// Whether any column may need a key.
    #[must_use]
    pub fn needs_keys(&self) -> bool {
        self.treatments().any(Treatment::needs_key)
    }

    /// Whether any column may need detection: text treatments, and matches by entity (which need
    /// the columns judged first).
    #[must_use]
    pub fn needs_recognizer(&self) -> bool {
        self.matches_by_entity() || self.treatments().any(|t| matches!(t, Treatment::Text(_)))
    }

    /// Whether any match is by entity, so that a plan needs the columns judged.
    #[must_use]
    pub fn matches_by_entity(&self) -> bool {
        self.matches.iter().any(|matched| matches!(matched.pattern, Pattern::Entity(_)))
    }

    /// JSON Schema (2020-12) of the policy file.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schema::policy()
    }

    fn treatments(&self) -> impl Iterator<Item = &Treatment> {
        let listed = self.columns.iter().map(|listed| &listed.treatment);
        listed.chain(self.matches.iter().map(|matched| &matched.treatment))
    }
}

/// What a policy does to a column, as whoever looks at the output needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// `keep`, `drop`, `redact`, `mask`, `pseudonymize`, `generalize` or `text`.
    pub treatment: &'static str,
    /// Why it is kept.
    pub reason: Option<String>,
    /// The form of its tokens.
    pub tokens: Option<TokenFormat>,
    /// What stands in the place of every cell; `None` within is null.
    pub redacted: Option<Option<String>>,
    /// What coarser cells look like.
    pub coarse: Option<Coarseness>,
    /// The sign that masks, and how many characters of a cell may be others.
    pub mask: Option<(char, usize)>,
    /// Entities that are replaced in text; empty is all.
    pub entities: Vec<String>,
    /// Whether the policy names the column, or what it says of unlisted ones is meant.
    pub listed: bool,
}

impl Promise {
    fn of(treatment: &Treatment, listed: bool) -> Promise {
        let mut promise = Promise {
            treatment: treatment.name(),
            reason: None,
            tokens: None,
            redacted: None,
            coarse: None,
            mask: None,
            entities: Vec::new(),
            listed,
        };
        match treatment {
            Treatment::Keep { reason } => promise.reason.clone_from(reason),
            Treatment::Redact { with } => promise.redacted = Some(with.clone()),
            Treatment::Pseudonymize(how) => promise.tokens = Some(how.format),
            Treatment::Text(how) => promise.entities.clone_from(&how.entities),
            Treatment::Generalize(way) => promise.coarse = Some(Coarseness::of(way)),
            Treatment::Mask(how) => {
                let kept = how.keep_first.saturating_add(how.keep_last);
                promise.mask = Some((how.char, kept));
            }
            Treatment::Drop => {}
        }
        promise
    }
}

/// `[keys]`: references only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReference {
    /// `file:...` or `env:...`; `None`: the user's default ring.
    pub ring: Option<String>,
    /// Folder of the ledger, from the policy's own folder; `None`: beside the ring.
    pub ledger: Option<String>,
    /// Id or label; `None`: the active key.
    pub key: Option<String>,
    /// Tenant.
    pub tenant: String,
    /// Domain.
    pub domain: String,
}

impl Default for KeyReference {
    fn default() -> Self {
        KeyReference {
            ring: None,
            ledger: None,
            key: None,
            tenant: "default".to_owned(),
            domain: "default".to_owned(),
        }
    }
}

/// A policy that cannot be used: exit 2. Positions are 1-based, in characters, and point into the
/// TOML text.
#[derive(Debug, thiserror::Error)]
#[error("{origin}:{line}:{column}: {message}")]
pub struct PolicyError {
    /// File name as given.
    pub origin: String,
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
    /// Characters of that line that are meant; at least one.
    pub width: usize,
    /// What is wrong, what was expected.
    pub message: String,
    /// What to do, where something can be said.
    pub hint: Option<String>,
    /// Stable code, `ALO-P001` ...
    pub code: &'static str,
}

/// What happens to a column the policy does not list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unlisted {
    Error,
    Drop,
    Keep { reason: String },
}

/// `[find]`.
#[derive(Clone, Debug)]
pub(crate) struct Find {
    pub(crate) set: Option<String>,
    pub(crate) countries: Vec<String>,
    pub(crate) languages: Vec<String>,
    pub(crate) min_score: f64,
    pub(crate) names: Names,
    pub(crate) rules: Vec<String>,
    pub(crate) entities: BTreeMap<String, FindEntity>,
}

impl Default for Find {
    fn default() -> Self {
        Find {
            set: None,
            countries: Vec::new(),
            languages: Vec::new(),
            min_score: MIN_SCORE,
            names: Names::Balanced,
            rules: Vec::new(),
            entities: BTreeMap::new(),
        }
    }
}

/// `[find.entities.X]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct FindEntity {
    pub(crate) min_score: Option<f64>,
    pub(crate) allow: Vec<String>,
    pub(crate) deny: Vec<String>,
}

/// `[columns.X]`.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) treatment: Treatment,
    /// What a draft has to say about it, as a comment.
    pub(crate) note: Option<Note>,
    /// Line of its name, for messages of the plan; `None` when no text was read.
    pub(crate) line: Option<usize>,
}

/// Why a draft chose what it chose; written as a comment.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) entity: Option<String>,
    pub(crate) lines: Vec<String>,
}

/// `[[match]]`.
#[derive(Clone, Debug)]
pub(crate) struct Matched {
    pub(crate) pattern: Pattern,
    pub(crate) treatment: Treatment,
}

/// What a match looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    Glob(String),
    Entity(String),
}

/// What happens to the cells of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    Keep { reason: Option<String> },
    Drop,
    Redact { with: Option<String> },
    Mask(Mask),
    Pseudonymize(Pseudonymize),
    Generalize(Generalize),
    Text(Text),
}

impl Treatment {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Treatment::Keep { .. } => "keep",
            Treatment::Drop => "drop",
            Treatment::Redact { .. } => "redact",
            Treatment::Mask(_) => "mask",
            Treatment::Pseudonymize(_) => "pseudonymize",
            Treatment::Generalize(_) => "generalize",
            Treatment::Text(_) => "text",
        }
    }

    pub(crate) fn needs_key(&self) -> bool {
        match self {
            Treatment::Pseudonymize(_) => true,
            Treatment::Text(text) => text.with == Replacement::Token,
            _ => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mask {
    pub(crate) keep_first: usize,
    pub(crate) keep_last: usize,
    pub(crate) char: char,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pseudonymize {
    pub(crate) join: Option<String>,
    pub(crate) profile: Option<Profile>,
    pub(crate) format: TokenFormat,
    pub(crate) consistency: Consistency,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Generalize {
    To(DatePart),
    Step(Decimal),
    Prefix(usize),
    Bits(u8),
    Bands(Vec<i64>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) with: Replacement,
    /// Empty: all that is found.
    pub(crate) entities: Vec<String>,
    pub(crate) consistency: Consistency,
}

/// Declares a closed set of words of the policy, so that the reader, the writer and the schema
/// cannot disagree.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum $name { $($variant),+ }

        impl $name {
            pub(crate) const ALL: &'static [$name] = &[$($name::$variant),+];

            pub(crate) fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }
    };
}

words! {
    /// `consistency`.
    Consistency { Dataset = "dataset", Document = "document", None = "none" }
}
words! {
    /// `with` of a text treatment.
    Replacement { Token = "token", Label = "label", Redact = "redact" }
}
words! {
    /// `to` of a generalization.
    DatePart { Day = "day", Month = "month", Quarter = "quarter", Year = "year" }
}
words! {
    /// `[find] names`.
    Names { Recall = "recall", Balanced = "balanced", Precision = "precision", Off = "off" }
}

/// The words of `format`, in the order they are offered.
pub(crate) const FORMATS: &[(&str, TokenFormat)] = &[
    ("base62", TokenFormat::Base62),
    ("hex", TokenFormat::Hex),
    ("crockford", TokenFormat::Crockford),
    ("binary", TokenFormat::Binary),
];

/// The words of `profile`.
pub(crate) const PROFILES: &[(&str, Profile)] = &[
    ("exact", Profile::Exact),
    ("casefold", Profile::Casefold),
    ("iban", Profile::Iban),
    ("e164", Profile::E164),
];

/// Each treatment and the options that belong to it.
pub(crate) const TREATMENTS: &[(&str, &[&str])] = &[
    ("keep", &["reason"]),
    ("drop", &[]),
    ("redact", &["with"]),
    ("mask", &["keep_first", "keep_last", "char"]),
    ("pseudonymize", &["join", "profile", "format", "consistency"]),
    ("generalize", &["to", "step", "prefix", "bits", "bands"]),
    ("text", &["with", "entities", "consistency"]),
];

pub(crate) fn format_word(format: TokenFormat) -> &'static str {
    FORMATS.iter().find(|(_, known)| *known == format).map_or("base62", |(word, _)| word)
}

/// Scores are declared as TOML floats and used as `f32`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a score in [0, 1] loses only digits nobody set"
)]
fn score(value: f64) -> f32 {
    value as f32
}

/// Findings below are not reported, unless the policy says otherwise.
pub(crate) const MIN_SCORE: f64 = 0.5;
/// Distinct values a column may hold, for the collision bound, unless the policy says otherwise.
pub(crate) const EXPECTED_DISTINCT: u64 = 1_000_000_000;
/// Largest integer that JSON readers keep exactly.
pub(crate) const EXPECTED_DISTINCT_MAX: u64 = 1 << 53;
/// Longest policy text.
pub(crate) const POLICY_BYTES_MAX: usize = 8 << 20;
/// Most sentinels.
pub(crate) const SENTINELS_MAX: usize = 10_000;
/// Most cut points of one column.
pub(crate) const BANDS_MAX: usize = 1_000;
/// Most characters a mask or a prefix keeps.
pub(crate) const KEPT_CHARS_MAX: usize = 1_000;
/// Longest glob, in characters.
pub(crate) const GLOB_CHARS_MAX: usize = 1_000;
/// Longest constant that replaces a cell, in bytes.
pub(crate) const WITH_BYTES_MAX: usize = 1_000;
/// Longest tenant, domain or join name, in bytes; key derivation writes lengths in two bytes.
pub(crate) const FIELD_BYTES_MAX: usize = 1_000;

/// A span of bytes of the policy text.
pub(crate) type Bytes = Range<usize>;
