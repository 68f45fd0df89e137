//! Rules as data: parsing, selecting, describing.

use crate::canonical;
use crate::context::Context;
use crate::format::{ExampleFormat, FileFormat, NearMissFormat, PatternFormat};
use crate::header::HeaderPhrase;
use crate::nearest::hint;
use crate::parallel;
use crate::pattern::Pattern;
use crate::validate::{self, Check, Measure};
use crate::{EntityId, RuleId};
use regex_automata::meta;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

/// Most rules of one set.
pub const RULES_MAX: usize = 4096;
/// Most patterns of one entity.
pub const PATTERNS_MAX: usize = 256;

/// A rule file's path (for messages only) and its TOML text.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// Where it came from, as messages should name it.
    pub path: String,
    /// TOML.
    pub text: String,
}

/// How identifying an entity is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Normalisation profile of tokens: `exact`, `casefold`, `iban`, `e164`.
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
    /// ISO 3166-1 alpha-2; rules without a country always stay, and telephone numbers count in the
    /// national forms of these.
    pub countries: Vec<String>,
    /// ISO 639-1; narrows context phrases only when they declare a language.
    pub languages: Vec<String>,
}

/// A rule, a set or a selection that cannot be used. Messages name file, rule, key and position.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{path}: {message}")]
pub struct RuleError {
    /// File of the mistake.
    pub path: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A set of rules that belong together. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// By name; an [`EntityId`] is an index.
    entities: Vec<Entity>,
    /// Parallel to `entities`.
    definitions: Vec<Arc<Definition>>,
    /// By id; a [`RuleId`] is an index.
    rules: Vec<Rule>,
    /// Sorted.
    headers: Vec<HeaderPhrase>,
}

impl RuleSet {
    /// The rules this version ships.
    ///
    /// # Panics
    /// Never in a released version: a test parses what is shipped.
    #[must_use]
    pub fn builtin() -> &'static RuleSet {
        static BUILTIN: LazyLock<RuleSet> = LazyLock::new(|| {
            let files: Vec<RuleFile> = shipped::RULES
                .iter()
                .map(|(path, text)| RuleFile {
                    path: format!("recognizers/{path}"),
                    text: (*text).to_owned(),
                })
                .collect();
            RuleSet::parse(&files).unwrap_or_else(|error| panic_on_shipped(&error))
        });
        &BUILTIN
    }

    /// Parses rule files; no files make the empty set.
    ///
    /// # Errors
    /// The first mistake: not TOML, an unknown key, a regex or a check that does not exist, a
    /// score outside [0, 1], one entity in two files, a limit exceeded.
    pub fn parse(files: &[RuleFile]) -> Result<RuleSet, RuleError> {
        let definitions = parallel::map(files, Definition::parse).into_iter();
        RuleSet::assemble(
            definitions.map(|parsed| parsed.map(Kept::whole)).collect::<Result<_, _>>()?,
        )
    }

    /// These rules and more.
    ///
    /// # Errors
    /// An entity that stands in both, or more rules than [`RULES_MAX`].
    pub fn with(&self, more: &RuleSet) -> Result<RuleSet, RuleError> {
        RuleSet::assemble(self.kept().chain(more.kept()).collect())
    }

    /// The rules a selection leaves.
    ///
    /// # Errors
    /// An unknown set or entity (with the nearest that exists), a country or language that is not
    /// an ISO code.
    pub fn select(&self, selection: &Selection) -> Result<RuleSet, RuleError> {
        let fail = |message: String| RuleError { path: "selection".to_owned(), message };
        let set =
            SetFormat::by_name(selection.set.as_deref().unwrap_or("default")).map_err(fail)?;
        for name in &selection.entities {
            if self.entity_by_name(name).is_none() {
                let known = self.entities.iter().map(|entity| entity.name.as_str());
                return Err(fail(format!("no entity `{name}`{}", hint(name, known))));
            }
        }
        let countries =
            codes(&selection.countries, "country", char::to_ascii_uppercase).map_err(fail)?;
        let languages =
            codes(&selection.languages, "language", char::to_ascii_lowercase).map_err(fail)?;
        let kept = self.kept().filter_map(|mut kept| {
            let entity = &kept.definition.entity;
            let of_country = |countries: &[String]| {
                countries.is_empty()
                    || entity.countries.is_empty()
                    || entity.countries.iter().any(|country| countries.contains(country))
            };
            let asked_for = selection.entities.contains(&entity.name);
            let stays = (selection.entities.is_empty() || asked_for)
                && of_country(&countries)
                && of_country(&set.countries)
                && !set.leave_out.contains(&entity.name);
            if !stays {
                return None;
            }
            let had = kept.patterns.len();
            let definition = Arc::clone(&kept.definition);
            kept.patterns.retain(|pattern| {
                let pattern = &definition.patterns[*pattern];
                f64::from(pattern.score_best()) >= set.score_best_min - 1e-6
                    && !(pattern.needs_country() && countries.is_empty())
                    && !set.leave_out.contains(&definition.rule_id(pattern))
            });
            if had > 0 && kept.patterns.is_empty() {
                return None;
            }
            if !languages.is_empty() {
                kept.definition = Arc::new(definition.of_languages(&languages));
            }
            if !countries.is_empty() && definition.patterns.iter().any(|p| p.measure.is_some()) {
                kept.definition = Arc::new(kept.definition.of_countries(&countries));
            }
            Some(kept)
        });
        RuleSet::assemble(kept.collect())
    }

    /// Entities, by name.
    #[must_use]
    pub fn entities(&self) -> &[Entity] {
        &self.entities
    }

    /// One entity.
    ///
    /// # Panics
    /// If the id came from another, larger set.
    #[must_use]
    pub fn entity(&self, id: EntityId) -> &Entity {
        &self.entities[usize::from(id.0)]
    }

    /// An entity by its name.
    #[must_use]
    pub fn entity_by_name(&self, name: &str) -> Option<EntityId> {
        let found = self.entities.binary_search_by(|entity| entity.name.as_str().cmp(name));
        found.ok().map(entity_id)
    }

    /// Id of a rule.
    ///
    /// # Panics
    /// If the id came from another, larger set.
    #[must_use]
    pub fn rule_name(&self, id: RuleId) -> &str {
        &self.rules[usize::from(id.0)].id
    }

    /// A context phrase of a rule, as its file spells it.
    ///
    /// # Panics
    /// If rule or phrase came from another set.
    #[must_use]
    pub fn phrase(&self, rule: RuleId, phrase: u16) -> &str {
        let entity = self.rules[usize::from(rule.0)].entity;
        &self.definition(entity).context.near[usize::from(phrase)].text
    }

    /// All rules, sorted by id.
    #[must_use]
    pub fn summaries(&self) -> Vec<RuleSummary> {
        let summary = |rule: &Rule| {
            let definition = self.definition(rule.entity);
            let entity = &definition.entity;
            let checks = &definition.patterns[rule.pattern].checks;
            RuleSummary {
                id: rule.id.clone(),
                entity: entity.name.clone(),
                title: entity.title.clone(),
                group: entity.group,
                category: entity.category.clone(),
                countries: entity.countries.clone(),
                checks: checks.iter().map(|check| check.name.to_owned()).collect(),
                source: entity.source.clone(),
                path: definition.path.clone(),
            }
        };
        self.rules.iter().map(summary).collect()
    }

    /// The TOML that a rule (`ENTITY/id`) or an entity (`ENTITY`) was written in.
    #[must_use]
    pub fn source_of(&self, id: &str) -> Option<&str> {
        let name = id.split_once('/').map_or(id, |(entity, _)| entity);
        let entity = self.entity_by_name(name)?;
        let known = id == name || self.rules.iter().any(|rule| rule.id == id);
        known.then(|| self.definition(entity).text.as_str())
    }

    /// SHA-256 of the canonical JSON (RFC 8785) of the rules, sorted by id; lower-case hex.
    ///
    /// Changes with everything that changes what is found or how it is named; not with examples,
    /// paths or the order of files.
    #[must_use]
    pub fn digest(&self) -> String {
        let spoken = self.rules.iter().map(|rule| {
            let definition = self.definition(rule.entity);
            definition.canonical(&rule.id, Some(&definition.patterns[rule.pattern]))
        });
        let silent = (0..self.entities.len())
            .filter(|index| !self.rules.iter().any(|rule| usize::from(rule.entity.0) == *index))
            .map(|index| self.definitions[index].canonical(&self.entities[index].name, None));
        let mut all: Vec<_> = spoken.chain(silent).collect();
        all.sort_by(|left, right| left["id"].as_str().cmp(&right["id"].as_str()));
        canonical::digest(&json!({ "schema": "allonym.rules/1", "rules": all }))
    }

    /// Whether the whole of `value` is a valid `entity`, by form and check digit.
    ///
    /// White space around the value does not count, nor do case and separators of a number of a
    /// country that has a check digit: how it is written says nothing then. A `country` (ISO 3166-1
    /// alpha-2) that the entity does not belong to makes it invalid; entities without countries
    /// belong everywhere.
    /// Telephone numbers in national form are held against the numbering plan of the country.
    /// `None` when no rule of this set knows the entity.
    #[must_use]
    pub fn validate(&self, entity: &str, value: &str, country: Option<&str>) -> Option<bool> {
        let id = self.entity_by_name(entity)?;
        let mut rules = self.rules.iter().filter(|rule| rule.entity == id).peekable();
        rules.peek()?;
        let definition = self.definition(id);
        let countries = &definition.entity.countries;
        let elsewhere = country.is_some_and(|country| {
            !countries.is_empty() && !countries.iter().any(|of| of.eq_ignore_ascii_case(country))
        });
        let value = value.trim();
        let country: Vec<String> = country.map(str::to_ascii_uppercase).into_iter().collect();
        // Where rules know what numbers a country has, shapes do not count beside them.
        let known = !country.is_empty()
            && definition.patterns.iter().any(|pattern| pattern.needs_country());
        let joined: String = value.chars().filter(|character| !is_separator(*character)).collect();
        let joined = joined.to_uppercase();
        let is_closed =
            value.starts_with(char::is_alphanumeric) && value.ends_with(char::is_alphanumeric);
        let grouped = !countries.is_empty() && joined != value && is_closed;
        let is_valid = |pattern: &RulePattern| {
            // A pattern for mistyped numbers finds just those that are not valid.
            let mistyped = pattern.id.as_deref().is_some_and(|id| id.contains("mistyped"));
            let joins = || grouped && pattern.chance() <= CHANCE_OF_CHECK_DIGIT_MAX;
            let whole = |value: &str| pattern.is_whole_in(value, &country);
            !mistyped
                && (!known || pattern.measure.is_some())
                && (whole(value) || joins() && whole(&joined))
        };
        Some(!elsewhere && rules.any(|rule| is_valid(&definition.patterns[rule.pattern])))
    }

    /// Probability that a random text of the right form passes the checks of an entity's weakest
    /// checked rule; `None` where no rule of it has a check.
    ///
    /// # Panics
    /// If the id came from another, larger set.
    #[must_use]
    pub fn chance(&self, entity: EntityId) -> Option<f64> {
        let definition = self.definition(entity);
        self.rules
            .iter()
            .filter(|rule| rule.entity == entity)
            .map(|rule| &definition.patterns[rule.pattern])
            .filter(|pattern| !pattern.checks.is_empty())
            .map(RulePattern::chance)
            .max_by(f64::total_cmp)
    }

    pub(crate) fn definition(&self, id: EntityId) -> &Definition {
        &self.definitions[usize::from(id.0)]
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(crate) fn header_lists(&self) -> impl Iterator<Item = (EntityId, &[String])> {
        self.definitions
            .iter()
            .enumerate()
            .map(|(index, definition)| (entity_id(index), definition.context.header.as_slice()))
    }

    /// Header phrases whose joined tokens are `joined`.
    pub(crate) fn header_phrases(&self, joined: &str) -> impl Iterator<Item = &HeaderPhrase> {
        let first = self.headers.partition_point(|phrase| phrase.joined.as_str() < joined);
        self.headers[first..].iter().take_while(move |phrase| phrase.joined == joined)
    }

    /// These rules and, per entity, a rule `ENTITY/deny` for each listed pattern.
    pub(crate) fn with_listed(
        &self,
        listed: BTreeMap<String, Vec<RulePattern>>,
    ) -> Result<RuleSet, RuleError> {
        let mut all: BTreeMap<String, Kept> =
            self.kept().map(|kept| (kept.definition.entity.name.clone(), kept)).collect();
        for (name, patterns) in listed {
            let kept = match all.remove(&name) {
                Some(kept) => kept,
                None => Kept::whole(Definition::listed(&name)?),
            };
            let mut definition = Definition::clone(&kept.definition);
            let first = definition.patterns.len();
            definition.patterns.extend(patterns);
            let added = first..definition.patterns.len();
            let patterns = kept.patterns.into_iter().chain(added).collect();
            all.insert(name, Kept { definition: Arc::new(definition), patterns });
        }
        RuleSet::assemble(all.into_values().collect())
    }

    fn kept(&self) -> impl Iterator<Item = Kept> {
        self.definitions.iter().enumerate().map(|(index, definition)| {
            let of_entity = self.rules.iter().filter(move |rule| rule.entity == entity_id(index));
            Kept {
                definition: Arc::clone(definition),
                patterns: of_entity.map(|rule| rule.pattern).collect(),
            }
        })
    }

    fn assemble(mut all: Vec<Kept>) -> Result<RuleSet, RuleError> {
        all.sort_by(|left, right| left.definition.entity.name.cmp(&right.definition.entity.name));
        for pair in all.windows(2) {
            let (left, right) = (&pair[0].definition, &pair[1].definition);
            if left.entity.name == right.entity.name {
                return Err(RuleError {
                    path: right.path.clone(),
                    message: format!(
                        "entity `{}` already stands in `{}`; an entity has one file",
                        right.entity.name, left.path
                    ),
                });
            }
        }
        let mut rules: Vec<Rule> = Vec::new();
        let mut headers = Vec::new();
        for (index, kept) in all.iter().enumerate() {
            let entity = entity_id(index);
            rules.extend(kept.patterns.iter().map(|pattern| Rule {
                id: kept.definition.rule_id(&kept.definition.patterns[*pattern]),
                entity,
                pattern: *pattern,
            }));
            let phrases = kept.definition.context.header.iter();
            headers.extend(phrases.filter_map(|phrase| HeaderPhrase::new(phrase, entity)));
        }
        if rules.len() > RULES_MAX || all.len() > RULES_MAX {
            return Err(RuleError {
                path: "rules".to_owned(),
                message: format!(
                    "{} rules of {} entities; {RULES_MAX} of each are allowed",
                    rules.len(),
                    all.len()
                ),
            });
        }
        rules.sort_by(|left, right| left.id.cmp(&right.id));
        headers.sort_unstable();
        headers.dedup();
        Ok(RuleSet {
            entities: all.iter().map(|kept| kept.definition.entity.clone()).collect(),
            definitions: all.into_iter().map(|kept| kept.definition).collect(),
            rules,
            headers,
        })
    }
}

/// A rule: one pattern of one entity.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) entity: EntityId,
    /// Index in its definition's patterns.
    pub(crate) pattern: usize,
}

/// A parsed rule file.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) entity: Entity,
    pub(crate) path: String,
    text: String,
    pub(crate) patterns: Vec<RulePattern>,
    pub(crate) context: Context,
    pub(crate) examples: Vec<ExampleFormat>,
    pub(crate) near_misses: Vec<NearMissFormat>,
}

impl Definition {
    /// Parses one rule file.
    pub(crate) fn parse(file: &RuleFile) -> Result<Definition, RuleError> {
        let format = FileFormat::parse(file)?;
        Definition::from_format(format, file)
            .map_err(|message| RuleError { path: file.path.clone(), message })
    }

    fn from_format(format: FileFormat, file: &RuleFile) -> Result<Definition, String> {
        let name = format.entity;
        if !is_entity_name(&name) {
            return Err(format!(
                "entity `{name}`: a name is upper-case letters, digits and `_`, a letter first"
            ));
        }
        let label = format.label.unwrap_or_else(|| name.clone());
        if !is_entity_name(&label) {
            return Err(format!(
                "{name}: label `{label}`: a label is upper-case letters, digits and `_`, a letter first"
            ));
        }
        let given = [("name", &format.name), ("source", &format.source)];
        if let Some((key, _)) = given.iter().find(|(_, text)| text.trim().is_empty()) {
            return Err(format!("{name}: `{key}` is empty"));
        }
        if !is_category(&format.category) {
            return Err(format!(
                "{name}: category `{}` is not fideslang: words of a-z and `_` joined by dots, \
                 such as `user.contact.email`",
                format.category
            ));
        }
        let countries = codes(&format.countries, "country", |code| *code)
            .map_err(|message| format!("{name}: {message}"))?;
        if let Some(code) =
            countries.iter().find(|code| code.bytes().any(|b| !b.is_ascii_uppercase()))
        {
            return Err(format!("{name}: country `{code}` is not in capitals"));
        }
        if format.pattern.len() > PATTERNS_MAX {
            return Err(format!(
                "{name}: {} patterns; {PATTERNS_MAX} are allowed",
                format.pattern.len()
            ));
        }
        let several = format.pattern.len() > 1;
        let mut patterns: Vec<RulePattern> = Vec::new();
        for (index, pattern) in format.pattern.into_iter().enumerate() {
            if several && pattern.id.is_none() {
                return Err(format!("{name}: pattern[{index}] needs an `id`: there are several"));
            }
            let pattern = RulePattern::from_format(pattern).map_err(|(id, message)| {
                id.map_or_else(
                    || format!("{name}: {message}"),
                    |id| format!("{name}/{id}: {message}"),
                )
            })?;
            if patterns.iter().any(|other| other.id == pattern.id) {
                let id = pattern.id.as_deref().unwrap_or_default();
                return Err(format!("{name}/{id}: the id stands twice"));
            }
            patterns.push(pattern);
        }
        let context = match format.context {
            None => Context::default(),
            Some(context) => {
                Context::from_format(context).map_err(|message| format!("{name}: {message}"))?
            }
        };
        Ok(Definition {
            entity: Entity {
                name,
                title: format.name,
                group: format.group,
                category: format.category,
                countries,
                label,
                profile: format!("{:?}", format.profile).to_lowercase(),
                treatment: format!("{:?}", format.treatment).to_lowercase(),
                source: format.source,
            },
            path: file.path.clone(),
            text: file.text.clone(),
            patterns,
            context,
            examples: format.example,
            near_misses: format.near_miss,
        })
    }

    /// An entity that only a deny list knows.
    fn listed(name: &str) -> Result<Definition, RuleError> {
        if !is_entity_name(name) {
            return Err(RuleError {
                path: "deny".to_owned(),
                message: format!(
                    "entity `{name}`: a name is upper-case letters, digits and `_`, a letter first"
                ),
            });
        }
        Ok(Definition {
            entity: Entity {
                name: name.to_owned(),
                title: format!("{name}, as listed"),
                group: Group::Direct,
                category: "user".to_owned(),
                countries: Vec::new(),
                label: name.to_owned(),
                profile: "exact".to_owned(),
                treatment: "pseudonymize".to_owned(),
                source: "deny list".to_owned(),
            },
            path: "deny".to_owned(),
            text: String::new(),
            patterns: Vec::new(),
            context: Context::default(),
            examples: Vec::new(),
            near_misses: Vec::new(),
        })
    }

    pub(crate) fn rule_id(&self, pattern: &RulePattern) -> String {
        match &pattern.id {
            None => self.entity.name.clone(),
            Some(id) => format!("{}/{id}", self.entity.name),
        }
    }

    /// With the phrases of these languages and those of none.
    fn of_languages(&self, languages: &[String]) -> Definition {
        let mut definition = self.clone();
        definition.context.keep_languages(languages);
        definition
    }

    /// With the national forms of these countries.
    fn of_countries(&self, countries: &[String]) -> Definition {
        let mut definition = self.clone();
        for pattern in &mut definition.patterns {
            if pattern.measure.is_some() {
                pattern.countries = countries.into();
            }
        }
        definition
    }

    fn canonical(&self, id: &str, pattern: Option<&RulePattern>) -> serde_json::Value {
        let entity = &self.entity;
        json!({
            "id": id,
            "entity": entity.name,
            "group": entity.group,
            "category": entity.category,
            "countries": entity.countries,
            "label": entity.label,
            "profile": entity.profile,
            "treatment": entity.treatment,
            "pattern": pattern.map(|pattern| json!({
                "regex": pattern.regex,
                "listed": pattern.listed,
                "validate": pattern.checks.iter().map(|check| check.name).collect::<Vec<_>>(),
                "score": [pattern.score.0, pattern.score.1],
                "countries": pattern.countries.as_ref(),
            })),
            "context": self.context.canonical(),
        })
    }
}

/// One pattern of a rule file.
#[derive(Clone, Debug)]
pub(crate) struct RulePattern {
    pub(crate) id: Option<String>,
    pub(crate) regex: String,
    pub(crate) pattern: Pattern,
    /// That of its measure among them.
    pub(crate) checks: Vec<&'static Check>,
    /// Tells how much of a match holds; stands alone.
    measure: Option<&'static Measure>,
    /// Countries whose national forms count.
    countries: Arc<[String]>,
    /// Score without and with context.
    score: (f64, f64),
    /// A deny list's: always a finding.
    pub(crate) listed: bool,
    /// Matches whole values; built when first asked for. `Err` where it exceeds the limits.
    whole: Arc<OnceLock<Option<meta::Regex>>>,
}

impl RulePattern {
    fn from_format(format: PatternFormat) -> Result<RulePattern, (Option<String>, String)> {
        let PatternFormat { id, regex, validate, score } = format;
        if let Some(id) = id.as_deref().filter(|id| !is_pattern_id(id)) {
            return Err((
                None,
                format!(
                    "pattern id `{id}`: an id is lower-case letters, digits, `-` and `_`; `deny` is taken"
                ),
            ));
        }
        let fail = |message: String| (id.clone(), message);
        let pattern = Pattern::parse(&regex).map_err(fail)?;
        let mut checks = Vec::new();
        for name in validate.names() {
            let known = validate::names();
            checks.push(validate::by_name(name).ok_or_else(|| {
                fail(format!("no check `{name}`{}", hint(name, known.iter().copied())))
            })?);
        }
        let measure = validate.names().iter().find_map(|name| validate::measure_by_name(name));
        if measure.is_some() && checks.len() > 1 {
            return Err(fail("a check that measures a match stands alone".to_owned()));
        }
        let score =
            match (checks.is_empty(), score.bare, score.context, score.validated, score.both) {
                (true, Some(bare), context, None, None) => (bare, context.unwrap_or(bare)),
                (false, None, None, Some(validated), both) => {
                    (validated, both.unwrap_or(validated))
                }
                (true, ..) => {
                    return Err(fail(
                        "a pattern without `validate` has `score = { bare = ..., context = ... }`"
                            .to_owned(),
                    ));
                }
                (false, ..) => {
                    return Err(fail(
                        "a pattern with `validate` has `score = { validated = ..., both = ... }`"
                            .to_owned(),
                    ));
                }
            };
        let in_range = |score: f64| (0.0..=1.0).contains(&score);
        if !in_range(score.0) || !in_range(score.1) || score.1 < score.0 {
            return Err(fail(
                "scores are probabilities between 0 and 1, and context does not lower them"
                    .to_owned(),
            ));
        }
        let (countries, whole) = Default::default();
        let listed = false;
        Ok(RulePattern { id, regex, pattern, checks, measure, countries, score, listed, whole })
    }

    /// A pattern of a deny list.
    pub(crate) fn listed(regex: String, pattern: Pattern, place: usize) -> RulePattern {
        let id = if place == 0 { "deny".to_owned() } else { format!("deny-{}", place + 1) };
        RulePattern {
            id: Some(id),
            regex,
            pattern,
            checks: Vec::new(),
            measure: None,
            countries: Arc::default(),
            score: (1.0, 1.0),
            listed: true,
            whole: Arc::default(),
        }
    }

    /// Score of a match that passed the checks, if any.
    pub(crate) fn score_plain(&self) -> f32 {
        narrow(self.score.0)
    }

    /// The same with context; the best it can reach.
    pub(crate) fn score_best(&self) -> f32 {
        narrow(self.score.1)
    }

    /// Whether it finds nothing where no country is known.
    pub(crate) fn needs_country(&self) -> bool {
        self.measure.is_some_and(|measure| measure.needs_country)
    }

    /// Bytes of the matched text that pass all checks.
    pub(crate) fn holds(&self, text: &str) -> Option<usize> {
        self.holds_in(text, &self.countries)
    }

    fn holds_in(&self, text: &str, countries: &[String]) -> Option<usize> {
        match self.measure {
            Some(measure) => (measure.run)(text, countries),
            None => self.checks.iter().all(|check| (check.run)(text)).then_some(text.len()),
        }
    }

    /// Probability that a random text of the form passes all checks; 1 without checks.
    fn chance(&self) -> f64 {
        self.checks.iter().map(|check| check.chance).product()
    }

    /// Whether the whole text is a match that passes all checks.
    pub(crate) fn is_whole(&self, text: &str) -> bool {
        self.is_whole_in(text, &self.countries)
    }

    fn is_whole_in(&self, text: &str, countries: &[String]) -> bool {
        let regex = self.whole.get_or_init(|| self.pattern.whole().ok());
        regex.as_ref().is_some_and(|regex| regex.is_match(text))
            && self.holds_in(text, countries) == Some(text.len())
    }
}

/// A definition and which of its patterns are on.
#[derive(Debug)]
struct Kept {
    definition: Arc<Definition>,
    patterns: Vec<usize>,
}

impl Kept {
    fn whole(definition: Definition) -> Kept {
        let patterns = (0..definition.patterns.len()).collect();
        Kept { definition: Arc::new(definition), patterns }
    }
}

/// Which rules are on.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetFormat {
    /// As `--set` names it.
    pub(crate) name: String,
    /// What it is for.
    #[serde(rename = "title")]
    _title: String,
    /// Only rules of these countries, and those of none; left out: all.
    #[serde(default)]
    countries: Vec<String>,
    /// Rules that cannot reach this score, even with context, are off.
    #[serde(default)]
    score_best_min: f64,
    /// Entities and rules that are off.
    #[serde(default)]
    pub(crate) leave_out: Vec<String>,
}

impl SetFormat {
    /// The shipped sets.
    pub(crate) fn shipped() -> Result<Vec<SetFormat>, String> {
        shipped::SETS
            .iter()
            .map(|(path, text)| {
                toml::from_str(text).map_err(|error: toml::de::Error| {
                    format!("recognizers/{path}: {}", error.message())
                })
            })
            .collect()
    }

    fn by_name(name: &str) -> Result<SetFormat, String> {
        let sets = SetFormat::shipped()?;
        let known: Vec<String> = sets.iter().map(|set| set.name.clone()).collect();
        sets.into_iter().find(|set| set.name == name).ok_or_else(|| {
            let hint = hint(name, known.iter().map(String::as_str));
            format!("no rule set `{name}`{hint}; known are {}", known.join(", "))
        })
    }
}

mod shipped {
    include!(concat!(env!("OUT_DIR"), "/shipped.rs"));
}

#[expect(clippy::panic, reason = "a test parses what is shipped; nothing can be found without it")]
fn panic_on_shipped(error: &RuleError) -> ! {
    panic!("the shipped rules do not parse: {error}")
}

fn entity_id(index: usize) -> EntityId {
    EntityId(u16::try_from(index).expect("RULES_MAX bounds the number of entities"))
}

#[expect(clippy::cast_possible_truncation, reason = "a score needs no more digits")]
fn narrow(score: f64) -> f32 {
    score as f32
}

fn is_entity_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && name.len() <= NAME_BYTES_MAX
}

/// Checks that more random texts pass have no check digit.
const CHANCE_OF_CHECK_DIGIT_MAX: f64 = 0.13;

/// What stands between the groups of a number.
fn is_separator(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '-' | '.' | ',' | ':' | '\u{ad}' | '\u{2010}'..='\u{2015}')
}

/// Longest name of an entity or a pattern, in bytes.
const NAME_BYTES_MAX: usize = 64;

fn is_pattern_id(id: &str) -> bool {
    id.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
        && id.len() <= NAME_BYTES_MAX
        && id != "deny"
        && !id.starts_with("deny-")
}

fn is_category(category: &str) -> bool {
    category.split('.').all(|word| {
        !word.is_empty()
            && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    })
}

/// Two-letter codes in the case that `case` makes.
fn codes(
    codes: &[String],
    what: &str,
    case: impl Fn(&char) -> char,
) -> Result<Vec<String>, String> {
    codes
        .iter()
        .map(|code| {
            if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                Ok(code.chars().map(|letter| case(&letter)).collect())
            } else {
                Err(format!("{what} `{code}` is not a code of two letters"))
            }
        })
        .collect()
}
