//! `[retention]`: how long what is kept may be kept, why, and what happens then.

use super::canonical::coarser as canonical_way;
use super::read::{Section, generalize};
use super::schema::{self, table, text as text_schema, words};
use super::write::{Lines, always, way_table};
use super::{GLOB_CHARS_MAX, Generalize, PolicyError, Treatment};
use crate::codes;
use crate::counts::ColumnCounts;
use crate::plan::glob_matches;
use crate::treat::{Coarseness, Kernel, Rows, Treat, Typed, fits};
use crate::wording::quoted;
use allonym_retention::{Hold, OnExpiry, OnNullAnchor, Period, Rule, Term, Zone};
use arrow_array::ArrayRef;
use arrow_schema::DataType;
use jiff::civil::Date;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use toml_edit::InlineTable;

/// `[retention]` of a policy.
#[derive(Clone, Debug)]
pub struct Retention {
    /// Where days begin and end.
    pub zone: Zone,
    /// Whether every column must have a tag.
    pub require_tags: RequireTags,
    /// The tag of whole rows.
    pub dataset: Option<Tag>,
    /// Tags of columns, in the order of the file.
    pub columns: Vec<(TagMatch, Tag)>,
    /// Legal holds.
    pub holds: Vec<Hold>,
    /// Whether when a row expires is written beside it, in the column [`ROW_EXPIRY`].
    pub row_column: bool,
}

/// Which columns must have a tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequireTags {
    /// All.
    #[default]
    All,
    /// None.
    None,
}

/// Which columns a tag is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagMatch {
    /// The column of this name.
    Name(String),
    /// Columns whose names match.
    Glob(String),
    /// Columns judged to be of this entity.
    Entity(String),
}

/// What is said of data that is kept for a time.
#[derive(Clone, Debug)]
pub struct Tag {
    /// What it is, as fideslang or the Data Privacy Vocabulary names it.
    pub category: Option<String>,
    /// What it is kept for.
    pub purpose: Vec<String>,
    /// On what legal basis.
    pub legal_basis: Option<String>,
    /// Whose law: a country, or a part of one (ISO 3166).
    pub jurisdiction: Option<String>,
    /// What the period is counted from.
    pub anchor: AnchorSource,
    /// The period and its calendar.
    pub rule: Rule,
    /// What happens when it is over.
    pub on_expiry: OnExpiry,
    pub(crate) generalize: Option<Generalize>,
}

impl Tag {
    /// What `on_expiry = "generalize"` does to the cells of a column; `None` where the tag says
    /// something else.
    ///
    /// # Errors
    /// A way that does not fit the type, or would change it: the cells that have not expired stay
    /// as they are, so the type does too.
    pub fn coarser(&self, data_type: &DataType) -> Result<Option<Coarser>, UnfitTag> {
        let Some(way) = &self.generalize else { return Ok(None) };
        let message = match fits(&Treatment::Generalize(way.clone()), data_type) {
            Ok(shape) if shape.data_type == *data_type => {
                let cells = match data_type {
                    DataType::Dictionary(_, value) => value,
                    other => other,
                };
                let kernel = match Typed::of(way, cells) {
                    Some(typed) => Kernel::Typed(typed),
                    None => Kernel::CoarserOnce(Coarseness::of(way)),
                };
                return Ok(Some(Coarser(Treat::new(kernel, shape, Arc::default()))));
            }
            Ok(shape) => format!(
                "makes {} of {data_type}, and the cells that have not expired stay as they are",
                shape.data_type
            ),
            Err(unfit) => unfit.message,
        };
        Err(UnfitTag { message })
    }
}

/// How cells become coarser at expiry, for columns of one type.
#[derive(Debug)]
pub struct Coarser(Treat);

impl Coarser {
    /// The coarser cells of a column, in order; those that are not understood become null.
    ///
    /// # Errors
    /// A column of another type than this was made for.
    pub fn apply(&self, cells: &ArrayRef) -> Result<ArrayRef, UnfitTag> {
        let rows = Rows { document: "", first_row: 0, nested: None };
        let unfit = || UnfitTag { message: "the column has another type now".to_owned() };
        let made = self.0.apply(cells, &rows, &mut ColumnCounts::default()).map_err(|_| unfit())?;
        if made.data_type() == cells.data_type() { Ok(made) } else { Err(unfit()) }
    }
}

/// A way of becoming coarser that does not fit a column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`generalize` {message}")]
pub struct UnfitTag {
    message: String,
}

/// Two tags that claim one column, neither more exact than the other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {} is claimed by two tags: {first} and {second}", quoted(.column))]
pub struct TagClash {
    column: String,
    first: String,
    second: String,
}

/// What a period is counted from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnchorSource {
    /// A column of the data.
    Column(String),
    /// When the data set was collected, as its manifest says.
    CollectedAt,
    /// Something that happened to the person or the contract, told apart from the data.
    Event(String),
}

impl AnchorSource {
    fn parse(text: &str) -> Option<AnchorSource> {
        match (text, text.split_once(':')) {
            (COLLECTED_AT, _) => Some(AnchorSource::CollectedAt),
            (_, Some(("event", ""))) => None,
            (_, Some(("event", name))) => Some(AnchorSource::Event(name.to_owned())),
            _ => Some(AnchorSource::Column(text.to_owned())),
        }
    }
}

impl fmt::Display for AnchorSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnchorSource::Column(name) => f.write_str(name),
            AnchorSource::CollectedAt => f.write_str(COLLECTED_AT),
            AnchorSource::Event(name) => write!(f, "event:{name}"),
        }
    }
}

impl RequireTags {
    const ALL: &'static [RequireTags] = &[RequireTags::All, RequireTags::None];

    fn word(self) -> &'static str {
        match self {
            RequireTags::All => "all",
            RequireTags::None => "none",
        }
    }
}

impl TagMatch {
    fn parts(&self) -> (&'static str, &str) {
        match self {
            TagMatch::Name(name) => ("name", name),
            TagMatch::Glob(glob) => ("glob", glob),
            TagMatch::Entity(entity) => ("entity", entity),
        }
    }
}

impl Retention {
    /// The tag of a column: an exact name before a glob, a glob before an entity, as treatments are
    /// chosen. `None` where no tag matches.
    ///
    /// # Errors
    /// Two globs, or two entities, that both claim the column.
    pub fn tag_of(&self, column: &str, entity: Option<&str>) -> Result<Option<&Tag>, TagClash> {
        let by = |claims: &dyn Fn(&TagMatch) -> bool| {
            let mut tags = self.columns.iter().filter(|(of, _)| claims(of));
            let (Some((first, tag)), second) = (tags.next(), tags.next()) else { return Ok(None) };
            match second {
                None => Ok(Some(tag)),
                Some((second, _)) => {
                    let [first, second] = [first, second].map(|of| {
                        let (key, pattern) = of.parts();
                        format!("{key} = {}", quoted(pattern))
                    });
                    Err(TagClash { column: column.to_owned(), first, second })
                }
            }
        };
        let exact = by(&|of| matches!(of, TagMatch::Name(name) if name == column))?;
        let glob = || by(&|of| matches!(of, TagMatch::Glob(glob) if glob_matches(glob, column)));
        let judged =
            || by(&|of| matches!(of, TagMatch::Entity(name) if Some(name.as_str()) == entity));
        Ok(match exact {
            Some(tag) => Some(tag),
            None => match glob()? {
                Some(tag) => Some(tag),
                None => judged()?,
            },
        })
    }

    /// The section as JSON, in the words of the policy, with defaults filled in: what a manifest
    /// holds.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.canonical()
    }

    pub(super) fn read(section: &Section<'_>) -> Result<Retention, PolicyError> {
        section.known(&[
            "policy_tz",
            "require_tags",
            "dataset",
            "columns",
            "holds",
            "row_column",
        ])?;
        let zone = zone(section, "policy_tz")?.unwrap_or_else(Zone::utc);
        let require_tags =
            section.word("require_tags", RequireTags::ALL, RequireTags::word)?.unwrap_or_default();
        let dataset = match section.section("dataset")? {
            Some(table) => {
                table.known(TAG)?;
                Some(tag(&table, &zone)?)
            }
            None => None,
        };
        let mut columns = Vec::new();
        for table in section.sections("columns")? {
            table.known(&[&["match"], TAG].concat())?;
            columns.push((tag_match(&table)?, tag(&table, &zone)?));
        }
        let mut holds: Vec<Hold> = Vec::new();
        for table in section.sections("holds")? {
            let hold = hold(&table)?;
            if holds.iter().any(|known| known.id == hold.id) {
                return Err(table.wrong(
                    table.at_of("id"),
                    format!("{} is the id of two holds", quoted(&hold.id)),
                ));
            }
            holds.push(hold);
        }
        let row_column = match section.inner.get("row_column") {
            None => false,
            Some(item) => item
                .as_bool()
                .ok_or_else(|| section.mistyped("row_column", item, "true or false"))?,
        };
        Ok(Retention { zone, require_tags, dataset, columns, holds, row_column })
    }

    pub(super) fn canonical(&self) -> Value {
        let columns: Vec<Value> = self
            .columns
            .iter()
            .map(|(of, tag)| {
                let mut value = tag.canonical();
                let (key, pattern) = of.parts();
                value["match"] = json!({key: pattern});
                value
            })
            .collect();
        let holds: Vec<Value> = self
            .holds
            .iter()
            .map(|hold| {
                json!({
                    "id": hold.id,
                    "scope": {
                        "dataset": hold.dataset,
                        "subject_tokens_file": hold.subject_tokens_file,
                    },
                    "authority": hold.authority,
                    "from": hold.from.to_string(),
                    "review_by": hold.review_by.to_string(),
                })
            })
            .collect();
        let mut canonical = json!({
            "policy_tz": self.zone.name(),
            "require_tags": self.require_tags.word(),
            "dataset": self.dataset.as_ref().map(Tag::canonical),
            "columns": columns,
            "holds": holds,
        });
        // Policies from before the column was thought of keep their digests.
        if self.row_column {
            canonical["row_column"] = true.into();
        }
        canonical
    }

    pub(super) fn write(&self, out: &mut String) {
        let mut lines = Lines::default();
        lines.put_some("policy_tz", Some(self.zone.name()).filter(|name| *name != "UTC"));
        if self.require_tags != RequireTags::default() {
            lines.put("require_tags", self.require_tags.word());
        }
        if self.row_column {
            lines.put("row_column", true);
        }
        always(out, "[retention]", &lines);
        if let Some(tag) = &self.dataset {
            always(out, "[retention.dataset]", &tag.lines());
        }
        for (of, tag) in &self.columns {
            let mut lines = Lines::default();
            let (key, pattern) = of.parts();
            lines.put("match", InlineTable::from_iter([(key, pattern)]));
            lines.append(&tag.lines());
            always(out, "[[retention.columns]]", &lines);
        }
        for hold in &self.holds {
            let mut lines = Lines::default();
            lines.put("id", hold.id.as_str());
            let scope =
                [("dataset", &hold.dataset), ("subject_tokens_file", &hold.subject_tokens_file)];
            let scope: InlineTable = scope
                .into_iter()
                .filter_map(|(key, value)| value.as_deref().map(|value| (key, value)))
                .collect();
            if !scope.is_empty() {
                lines.put("scope", scope);
            }
            lines.put("authority", hold.authority.as_str());
            lines.put("from", hold.from.to_string());
            lines.put("review_by", hold.review_by.to_string());
            always(out, "[[retention.holds]]", &lines);
        }
    }

    pub(super) fn schema() -> Value {
        let of = json!({
            "description": "Which columns the tag is for: one of the three.",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false,
            "properties": {
                "name": text_schema("The column of this name."),
                "glob": schema::pattern("glob"),
                "entity": schema::pattern("entity"),
            },
        });
        let mut column = tag_schema();
        column["properties"]["match"] = of;
        column["required"] = json!(["match", "anchor", "duration", "on_expiry"]);
        let date = |description: &str| json!({"description": description, "type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}$"});
        let mut hold = table(&json!({
            "id": text_schema("Name of the hold."),
            "scope": table(&json!({
                "dataset": text_schema("Data sets it covers, * and ? allowed; all when left out."),
                "subject_tokens_file": text_schema("File of subject tokens, relative to this file; all subjects when left out."),
            })),
            "authority": text_schema("On whose word."),
            "from": date("First day."),
            "review_by": date("Last day before which somebody must look at it again."),
        }));
        hold["required"] = json!(["id", "authority", "from", "review_by"]);
        let mut schema = table(&json!({
            "policy_tz": zone_schema("Zone in which days begin and periods are added."),
            "require_tags": {
                "description": "Which columns must have a tag.",
                "enum": words(RequireTags::ALL, RequireTags::word),
                "default": RequireTags::default().word(),
            },
            "row_column": {
                "description": "Whether when a row expires is written beside it, as _allonym_expires_at.",
                "type": "boolean",
                "default": false,
            },
            "dataset": tag_schema(),
            "columns": {
                "description": "Tags of columns.",
                "type": "array",
                "items": column,
            },
            "holds": {"description": "Legal holds.", "type": "array", "items": hold},
        }));
        schema["description"] = json!("How long what is kept may be kept, why, and what then.");
        schema
    }
}

impl Tag {
    /// The tag as JSON, in the words of the policy, with defaults filled in.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.canonical()
    }

    fn canonical(&self) -> Value {
        json!({
            "category": self.category,
            "purpose": self.purpose,
            "legal_basis": self.legal_basis,
            "jurisdiction": self.jurisdiction,
            "anchor": self.anchor.to_string(),
            "duration": self.rule.term.duration().to_string(),
            "retain_at_least": self.rule.term.retain_at_least().map(|floor| floor.to_string()),
            "on_expiry": self.on_expiry.word(),
            "generalize": self.generalize.as_ref().map(canonical_way),
            "on_null_anchor": self.rule.on_null_anchor.word(),
            "assume_tz": self.rule.assume_zone.as_ref().map(Zone::name),
        })
    }

    fn lines(&self) -> Lines {
        let mut lines = Lines::default();
        lines.put_some("category", self.category.as_deref());
        lines.put_all("purpose", &self.purpose);
        lines.put_some("legal_basis", self.legal_basis.as_deref());
        lines.put_some("jurisdiction", self.jurisdiction.as_deref());
        lines.put("anchor", self.anchor.to_string());
        lines.put("duration", self.rule.term.duration().to_string());
        let floor = self.rule.term.retain_at_least().map(|floor| floor.to_string());
        lines.put_some("retain_at_least", floor.as_deref());
        lines.put("on_expiry", self.on_expiry.word());
        if let Some(way) = &self.generalize {
            lines.put("generalize", way_table(way));
        }
        if self.rule.on_null_anchor != OnNullAnchor::default() {
            lines.put("on_null_anchor", self.rule.on_null_anchor.word());
        }
        lines.put_some("assume_tz", self.rule.assume_zone.as_ref().map(Zone::name));
        lines
    }
}

fn tag_match(table: &Section<'_>) -> Result<TagMatch, PolicyError> {
    let of = table.section("match")?.ok_or_else(|| missing(table, "match"))?;
    of.known(&["name", "glob", "entity"])?;
    let one = "`match` has one of `name`, `glob`, `entity`";
    match (of.text("name")?, of.text("glob")?, of.text("entity")?) {
        (Some(name), None, None) => Ok(TagMatch::Name(name)),
        (None, Some(glob), None) if glob.chars().count() > GLOB_CHARS_MAX => Err(of
            .wrong(of.at_of("glob"), format!("a glob is longer than {GLOB_CHARS_MAX} characters"))),
        (None, Some(glob), None) => Ok(TagMatch::Glob(glob)),
        (None, None, Some(entity)) => {
            super::read::check_entity(&of, &entity, of.at_of("entity"))?;
            Ok(TagMatch::Entity(entity))
        }
        (None, None, None) => Err(of.source.error(codes::MISSING, table.key_at("match"), one)),
        _ => Err(of.wrong(table.key_at("match"), one)),
    }
}

fn tag(table: &Section<'_>, policy_zone: &Zone) -> Result<Tag, PolicyError> {
    let anchor = table.text("anchor")?.ok_or_else(|| missing(table, "anchor"))?;
    let anchor = AnchorSource::parse(&anchor).ok_or_else(|| {
        table.wrong(
            table.at_of("anchor"),
            format!("{} names no event, as in event:relationship_end", table.named("anchor")),
        )
    })?;
    let duration = period(table, "duration")?.ok_or_else(|| missing(table, "duration"))?;
    let floor = period(table, "retain_at_least")?;
    let term = Term::new(duration, floor).map_err(|why| {
        let mut error =
            table.source.error(codes::FLOOR, table.at_of("retain_at_least"), why.to_string());
        error.hint = Some("what must be kept cannot expire before; lengthen `duration`".to_owned());
        error
    })?;
    let on_expiry = table
        .word("on_expiry", OnExpiry::ALL, OnExpiry::word)?
        .ok_or_else(|| missing(table, "on_expiry"))?;
    let way = match table.section("generalize")? {
        None if on_expiry == OnExpiry::Generalize => {
            return Err(table.source.error(
                codes::MISSING,
                table.at_of("on_expiry"),
                "`on_expiry = \"generalize\"` needs `generalize`, as in { to = \"year\" }",
            ));
        }
        None => None,
        Some(_) if on_expiry != OnExpiry::Generalize => {
            return Err(table.source.error(
                codes::FOREIGN_OPTION,
                table.key_at("generalize"),
                "`generalize` belongs to on_expiry = \"generalize\"",
            ));
        }
        Some(way) => {
            way.known(&["to", "step", "prefix", "bits", "bands"])?;
            match generalize(&way)? {
                Treatment::Generalize(way) => Some(way),
                _ => return Err(table.lost("generalize")),
            }
        }
    };
    let on_null_anchor = table.word("on_null_anchor", OnNullAnchor::ALL, OnNullAnchor::word)?;
    let mut purpose: Vec<String> = Vec::new();
    for (name, at) in table.texts("purpose")? {
        if name.trim().is_empty() || purpose.contains(&name) {
            let what = if name.trim().is_empty() { "is empty" } else { "is listed twice" };
            return Err(table.wrong(at, format!("a purpose {what}")));
        }
        purpose.push(name);
    }
    Ok(Tag {
        category: table.text("category")?,
        purpose,
        legal_basis: table.text("legal_basis")?,
        jurisdiction: jurisdiction(table)?,
        anchor,
        rule: Rule {
            term,
            zone: policy_zone.clone(),
            assume_zone: zone(table, "assume_tz")?,
            on_null_anchor: on_null_anchor.unwrap_or_default(),
        },
        on_expiry,
        generalize: way,
    })
}

fn hold(table: &Section<'_>) -> Result<Hold, PolicyError> {
    table.known(&["id", "scope", "authority", "from", "review_by"])?;
    let needed = |key: &str| table.text(key)?.ok_or_else(|| missing(table, key));
    let scope = table.section("scope")?;
    if let Some(scope) = &scope {
        scope.known(&["dataset", "subject_tokens_file"])?;
    }
    let of = |key: &str| scope.as_ref().map_or(Ok(None), |scope| scope.text(key));
    let hold = Hold {
        id: needed("id")?,
        dataset: of("dataset")?,
        subject_tokens_file: of("subject_tokens_file")?,
        authority: needed("authority")?,
        from: date(table, "from")?,
        review_by: date(table, "review_by")?,
    };
    if hold.review_by < hold.from {
        return Err(table.wrong(
            table.at_of("review_by"),
            format!("{} is before `from`", table.named("review_by")),
        ));
    }
    Ok(hold)
}

pub(super) fn missing(table: &Section<'_>, key: &str) -> PolicyError {
    let message = format!("{} needs `{key}`", table.whole());
    table.source.error(codes::MISSING, table.at.clone(), message)
}

fn period(table: &Section<'_>, key: &str) -> Result<Option<Period>, PolicyError> {
    let Some(text) = table.string(key)? else { return Ok(None) };
    let period = text.parse::<Period>().map_err(|why| {
        let message = format!("{} cannot be {}: {why}", table.named(key), quoted(text));
        table.wrong(table.at_of(key), message)
    })?;
    Ok(Some(period))
}

fn zone(table: &Section<'_>, key: &str) -> Result<Option<Zone>, PolicyError> {
    let Some(name) = table.string(key)? else { return Ok(None) };
    let zone = Zone::named(name).map_err(|_| {
        let message = format!("{} cannot be {}; no such time zone", table.named(key), quoted(name));
        let mut error = table.wrong(table.at_of(key), message);
        error.hint = Some("zones are named as in Europe/Berlin or UTC".to_owned());
        error
    })?;
    Ok(Some(zone))
}

/// A day, as a TOML date or as a string.
fn date(table: &Section<'_>, key: &str) -> Result<Date, PolicyError> {
    let item = table.inner.get(key).ok_or_else(|| missing(table, key))?;
    let written = match (item.as_datetime(), item.as_str()) {
        (Some(day), _) => day.to_string(),
        (None, Some(text)) => text.to_owned(),
        (None, None) => return Err(table.mistyped(key, item, "a date, as in 2027-03-01")),
    };
    let is_day = written.len() == "2027-03-01".len();
    written.parse().ok().filter(|_| is_day).ok_or_else(|| {
        let message = format!("{} must be a date, as in 2027-03-01", table.named(key));
        table.wrong(table.value_at(key, item), message)
    })
}

fn jurisdiction(table: &Section<'_>) -> Result<Option<String>, PolicyError> {
    let Some(code) = table.text("jurisdiction")? else { return Ok(None) };
    let (country, part) = code.split_once('-').unwrap_or((&code, "X"));
    let country_fits = country.len() == 2 && country.bytes().all(|c| c.is_ascii_uppercase());
    let part_fits = (1..=3).contains(&part.len())
        && part.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    if country_fits && part_fits {
        return Ok(Some(code));
    }
    let message = format!(
        "{} is no jurisdiction; they are written as ISO 3166 has them, DE or DE-BY",
        quoted(&code)
    );
    Err(table.wrong(table.at_of("jurisdiction"), message))
}

fn tag_schema() -> Value {
    let period = |description: &str| {
        json!({
            "description": description,
            "type": "string",
            "pattern": "^P(?:\\d+Y)?(?:\\d+M)?(?:\\d+W)?(?:\\d+D)?$",
            "minLength": 3,
        })
    };
    let mut schema = table(&json!({
        "category": text_schema("What it is: a fideslang key or an IRI of the Data Privacy Vocabulary."),
        "purpose": {
            "description": "What it is kept for.",
            "type": "array",
            "items": {"type": "string", "pattern": "\\S"},
            "uniqueItems": true,
        },
        "legal_basis": text_schema("On what legal basis."),
        "jurisdiction": {
            "description": "Whose law (ISO 3166).",
            "type": "string",
            "pattern": "^\\s*[A-Z]{2}(-[A-Z0-9]{1,3})?\\s*$",
        },
        "anchor": {
            "description": "What the period is counted from: a column, dataset.collected_at, or event:NAME.",
            "type": "string",
            "pattern": "\\S",
            "not": {"pattern": "^\\s*event:\\s*$"},
        },
        "duration": period("How long it is kept (ISO 8601, years to days)."),
        "retain_at_least": period("How long it must be kept: the statutory floor."),
        "on_expiry": {
            "description": "What happens then.",
            "enum": words(OnExpiry::ALL, OnExpiry::word),
        },
        "generalize": {
            "description": "How it becomes coarser, with on_expiry = \"generalize\".",
            "oneOf": schema::ways(),
        },
        "on_null_anchor": {
            "description": "What a missing anchor means.",
            "enum": words(OnNullAnchor::ALL, OnNullAnchor::word),
            "default": OnNullAnchor::default().word(),
        },
        "assume_tz": zone_schema("Zone of timestamps without one."),
    }));
    schema["required"] = json!(["anchor", "duration", "on_expiry"]);
    // A way stands exactly where something becomes coarser.
    schema["oneOf"] = json!([
        {"required": ["generalize"]},
        {"properties": {"on_expiry": {"not": {"const": OnExpiry::Generalize.word()}}}},
    ]);
    schema
}

fn zone_schema(description: &str) -> Value {
    json!({"description": format!("{description} As in Europe/Berlin."), "type": "string", "pattern": "^[A-Za-z]"})
}

/// What may be said of a tag.
const TAG: &[&str] = &[
    "category",
    "purpose",
    "legal_basis",
    "jurisdiction",
    "anchor",
    "duration",
    "retain_at_least",
    "on_expiry",
    "generalize",
    "on_null_anchor",
    "assume_tz",
];

/// The column in which a row says when it expires: timestamp[us, UTC], null where it never does or
/// nobody knows.
pub const ROW_EXPIRY: &str = "_allonym_expires_at";
const COLLECTED_AT: &str = "dataset.collected_at";
