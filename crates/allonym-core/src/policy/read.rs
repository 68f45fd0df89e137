//! TOML to policy, with a position for every complaint.

use super::{
    BANDS_MAX, Bytes, Consistency, DatePart, EXPECTED_DISTINCT, EXPECTED_DISTINCT_MAX,
    FIELD_BYTES_MAX, FORMATS, Find, FindEntity, GLOB_CHARS_MAX, Gates, Generalize, KEPT_CHARS_MAX,
    KeyReference, Listed, Mask, Matched, Names, POLICY_BYTES_MAX, PROFILES, Pattern, Policy,
    PolicyError, Pseudonymize, Replacement, Retention, SENTINELS_MAX, TREATMENTS, Text, Treatment,
    Unlisted, WITH_BYTES_MAX,
};
use crate::codes;
use crate::decimal::Decimal;
use crate::wording::{nearest, quoted};
use allonym_keys::{Profile, TokenFormat};
use toml_edit::{Array, Document, Item, TableLike, Value};

pub(super) fn policy(text: &str, origin: &str) -> Result<Policy, PolicyError> {
    let source = Source { text, origin };
    let document = source.document()?;
    read(&Section::root(&source, document.as_table()))
}

pub(super) fn pyproject(text: &str, origin: &str) -> Result<Option<Policy>, PolicyError> {
    let source = Source { text, origin };
    let document = source.document()?;
    let root = Section::root(&source, document.as_table());
    let Some(tool) = root.section("tool")? else { return Ok(None) };
    let Some(mut ours) = tool.section("allonym")? else { return Ok(None) };
    // Complaints name keys as the policy file does.
    ours.path.clear();
    read(&ours).map(Some)
}

fn read(root: &Section<'_>) -> Result<Policy, PolicyError> {
    version(root)?;
    root.known(&["version", "policy", "keys", "find", "columns", "match", "retention", "gates"])?;
    let mut policy = Policy::empty("", "");
    if let Some(table) = root.section("policy")? {
        heading(&table, &mut policy)?;
    }
    if let Some(table) = root.section("keys")? {
        policy.keys = keys(&table)?;
    }
    if let Some(table) = root.section("find")? {
        policy.find = find(&table)?;
    }
    if let Some(columns) = root.section("columns")? {
        for (name, at) in columns.keys() {
            if name.is_empty() {
                return Err(
                    columns.wrong(at, "a column name is empty; name the column as in the data")
                );
            }
            let table = columns.section(name)?.ok_or_else(|| columns.lost(name))?;
            policy.columns.push(Listed {
                name: name.to_owned(),
                treatment: treatment(&table, &[])?,
                note: None,
                line: Some(columns.source.position(at.start).0),
            });
        }
    }
    for table in root.sections("match")? {
        policy.matches.push(matched(&table)?);
    }
    if let Some(table) = root.section("retention")? {
        policy.retention = Some(Retention::read(&table)?);
    }
    if let Some(table) = root.section("gates")? {
        policy.gates = Some(Gates::read(&table)?);
    }
    Ok(policy)
}

fn version(root: &Section<'_>) -> Result<(), PolicyError> {
    let Some(item) = root.inner.get("version") else {
        let nearest = nearest("version", root.keys().into_iter().map(|(name, _)| name));
        let at = nearest.map_or_else(|| root.at.clone(), |name| root.key_at(name));
        let mut error = root.source.error(
            codes::VERSION,
            at,
            "`version` is missing; this program reads version 1",
        );
        error.hint = Some("begin the file with `version = 1`".to_owned());
        return Err(error);
    };
    if item.as_integer() == Some(1) {
        return Ok(());
    }
    let at = root.value_at("version", item);
    Err(match item.as_integer() {
        Some(other) => root.source.error(
            codes::VERSION,
            at,
            format!("`version` is {other}; this program reads version 1"),
        ),
        None => root.mistyped("version", item, "the integer 1"),
    })
}

fn heading(table: &Section<'_>, policy: &mut Policy) -> Result<(), PolicyError> {
    table.known(&[
        "name",
        "purpose",
        "owner",
        "unlisted",
        "unlisted_reason",
        "expected_distinct",
        "sentinels",
    ])?;
    policy.name = table.text("name")?;
    policy.purpose = table.text("purpose")?;
    policy.owner = table.text("owner")?;
    let reason = table.text("unlisted_reason")?;
    policy.unlisted = match (
        table.one_of("unlisted", &["error", "drop", "keep"])?.unwrap_or("error"),
        reason,
    ) {
        ("keep", Some(reason)) => Unlisted::Keep { reason },
        ("keep", None) => {
            let mut error = table.source.error(
                codes::MISSING,
                table.at_of("unlisted"),
                "`unlisted = \"keep\"` needs `unlisted_reason`: columns nobody looked at are released",
            );
            error.hint =
                Some("say why in `unlisted_reason`, or use \"error\" or \"drop\"".to_owned());
            return Err(error);
        }
        (_, Some(_)) => {
            return Err(table.source.error(
                codes::FOREIGN_OPTION,
                table.key_at("unlisted_reason"),
                "`unlisted_reason` belongs to unlisted = \"keep\"",
            ));
        }
        ("drop", None) => Unlisted::Drop,
        (_, None) => Unlisted::Error,
    };
    policy.expected_distinct = table
        .integer("expected_distinct", 1, i64::try_from(EXPECTED_DISTINCT_MAX).unwrap_or(i64::MAX))?
        .and_then(|n| u64::try_from(n).ok())
        .unwrap_or(EXPECTED_DISTINCT);
    for (sentinel, at) in table.texts("sentinels")? {
        if sentinel.trim() != sentinel {
            return Err(table.wrong(
                at,
                "a sentinel has white space around it; cells are trimmed before they are compared",
            ));
        }
        if policy.sentinels.contains(&sentinel) {
            return Err(table.wrong(at, "a sentinel is listed twice"));
        }
        if policy.sentinels.len() == SENTINELS_MAX {
            return Err(table.wrong(at, format!("more than {SENTINELS_MAX} sentinels")));
        }
        policy.sentinels.push(sentinel);
    }
    Ok(())
}

fn keys(table: &Section<'_>) -> Result<KeyReference, PolicyError> {
    table.known(&["ring", "ledger", "key", "tenant", "domain"])?;
    let ring = table.text("ring")?;
    // The value is not quoted: somebody may have put a secret there.
    if ring.as_deref().is_some_and(|ring| !is_ring_reference(ring)) {
        let mut error = table.source.error(
            codes::VALUE,
            table.at_of("ring"),
            "`keys.ring` is a reference: \"file:PATH\" or \"env:NAME\"",
        );
        error.hint = Some("a policy holds no key; write where the keyring is".to_owned());
        return Err(error);
    }
    let ledger = table.text("ledger")?;
    if ledger.as_ref().is_some_and(|ledger| ledger.trim().is_empty()) {
        return Err(table.wrong(table.at_of("ledger"), "`keys.ledger` is the path of a folder"));
    }
    let named = |key: &str| -> Result<Option<String>, PolicyError> {
        let name = table.text(key)?;
        if name.as_ref().is_some_and(|name| name.len() > FIELD_BYTES_MAX) {
            return Err(table.wrong(
                table.at_of(key),
                format!("{} is longer than {FIELD_BYTES_MAX} bytes", table.named(key)),
            ));
        }
        Ok(name)
    };
    let default = KeyReference::default();
    Ok(KeyReference {
        ring,
        ledger,
        key: named("key")?,
        tenant: named("tenant")?.unwrap_or(default.tenant),
        domain: named("domain")?.unwrap_or(default.domain),
    })
}

fn is_ring_reference(ring: &str) -> bool {
    let path = ring.strip_prefix("file:").is_some_and(|path| !path.is_empty());
    let variable = ring.strip_prefix("env:").is_some_and(|name| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    path || variable
}

fn find(table: &Section<'_>) -> Result<Find, PolicyError> {
    table.known(&["countries", "languages", "min_score", "names", "rules", "set", "entities"])?;
    let mut find = Find {
        countries: table.codes(
            "countries",
            char::is_ascii_uppercase,
            "two capital letters (ISO 3166-1), as in \"DE\"",
        )?,
        languages: table.codes(
            "languages",
            char::is_ascii_lowercase,
            "two small letters (ISO 639-1), as in \"de\"",
        )?,
        set: table.text("set")?,
        ..Find::default()
    };
    if let Some(least) = table.fraction("min_score")? {
        find.min_score = least;
    }
    if let Some(names) = table.word("names", Names::ALL, Names::word)? {
        find.names = names;
    }
    for (folder, at) in table.texts("rules")? {
        if folder.is_empty() {
            return Err(table.wrong(at, "a rule folder is empty; name a folder"));
        }
        find.rules.push(folder);
    }
    if let Some(entities) = table.section("entities")? {
        for (name, at) in entities.keys() {
            check_entity(&entities, name, at)?;
            let one = entities.section(name)?.ok_or_else(|| entities.lost(name))?;
            one.known(&["min_score", "allow", "deny"])?;
            let found = FindEntity {
                min_score: one.fraction("min_score")?,
                allow: patterns(&one, "allow")?,
                deny: patterns(&one, "deny")?,
            };
            find.entities.insert(name.to_owned(), found);
        }
    }
    Ok(find)
}

pub(super) fn check_entity(table: &Section<'_>, name: &str, at: Bytes) -> Result<(), PolicyError> {
    let begins = name.starts_with(|c: char| c.is_ascii_uppercase());
    if begins && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_') {
        return Ok(());
    }
    let mut error = table.wrong(
        at,
        format!("{} is no entity name; they are written like `EMAIL_ADDRESS`", quoted(name)),
    );
    error.hint = Some("allonym rules list".to_owned());
    Err(error)
}

fn patterns(table: &Section<'_>, key: &str) -> Result<Vec<String>, PolicyError> {
    let mut patterns = Vec::new();
    for (pattern, at) in table.texts(key)? {
        if pattern.is_empty() || pattern == "//" {
            return Err(table.wrong(at, format!("an entry of {} is empty", table.named(key))));
        }
        if let Some(inner) = pattern.strip_prefix('/').and_then(|p| p.strip_suffix('/')) {
            // The expression is the policy's own text, never data.
            if let Err(error) =
                regex::RegexBuilder::new(inner).size_limit(PATTERN_BYTES_MAX).build()
            {
                let why = match error {
                    regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
                    other => last_line(&other.to_string()),
                };
                return Err(table
                    .wrong(at, format!("{} is no regular expression: {why}", quoted(&pattern))));
            }
        }
        patterns.push(pattern);
    }
    Ok(patterns)
}

fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

fn matched(table: &Section<'_>) -> Result<Matched, PolicyError> {
    let pattern = match (table.text("glob")?, table.text("entity")?) {
        (Some(glob), None) => {
            if glob.chars().count() > GLOB_CHARS_MAX {
                return Err(table.wrong(
                    table.at_of("glob"),
                    format!("a glob is longer than {GLOB_CHARS_MAX} characters"),
                ));
            }
            Pattern::Glob(glob)
        }
        (None, Some(entity)) => {
            check_entity(table, &entity, table.at_of("entity"))?;
            Pattern::Entity(entity)
        }
        (Some(_), Some(_)) => {
            return Err(table.wrong(
                table.key_at("entity"),
                "a [[match]] has both `glob` and `entity`; write two",
            ));
        }
        (None, None) => {
            return Err(table.source.error(
                codes::MISSING,
                table.at.clone(),
                "a [[match]] needs `glob` or `entity`",
            ));
        }
    };
    Ok(Matched { pattern, treatment: treatment(table, &["glob", "entity"])? })
}

/// Reads `treat` and its options; `besides` are the keys of a match.
fn treatment(table: &Section<'_>, besides: &[&str]) -> Result<Treatment, PolicyError> {
    let names = || TREATMENTS.iter().map(|(name, _)| *name);
    let Some(item) = table.inner.get("treat") else {
        let misspelt = table.keys().into_iter().find(|(key, _)| {
            !is_option(key) && !besides.contains(key) && nearest(key, ["treat"]).is_some()
        });
        if let Some((key, at)) = misspelt {
            return Err(table.unknown(key, at, &["treat"]));
        }
        let mut error = table.source.error(
            codes::MISSING,
            table.at.clone(),
            format!("{} needs `treat`", table.whole()),
        );
        error.hint = Some(format!("one of {}", names().collect::<Vec<_>>().join(", ")));
        return Err(error);
    };
    let Some(word) = item.as_str() else { return Err(table.mistyped("treat", item, "a string")) };
    let Some((treat, options)) = TREATMENTS.iter().find(|(name, _)| *name == word) else {
        let meant = nearest(word, names())
            .or_else(|| SYNONYMS.iter().find(|(w, _)| *w == word).map(|(_, t)| *t));
        let mut error = table.source.error(
            codes::TREATMENT,
            table.value_at("treat", item),
            format!(
                "{} is no treatment; there are {}",
                quoted(word),
                names().collect::<Vec<_>>().join(", ")
            ),
        );
        error.hint = meant.map(|meant| format!("did you mean treat = \"{meant}\"?"));
        return Err(error);
    };
    for (key, at) in table.keys() {
        if key == "treat" || besides.contains(&key) || options.contains(&key) {
            continue;
        }
        let owners: Vec<&str> =
            TREATMENTS.iter().filter(|(_, o)| o.contains(&key)).map(|(name, _)| *name).collect();
        if owners.is_empty() {
            let known: Vec<&str> =
                ["treat"].iter().chain(*options).chain(besides).copied().collect();
            return Err(table.unknown(key, at, &known));
        }
        let owners: Vec<String> =
            owners.iter().map(|owner| format!("treat = \"{owner}\"")).collect();
        return Err(table.source.error(
            codes::FOREIGN_OPTION,
            at,
            format!("`{key}` belongs to {}, not to treat = \"{treat}\"", owners.join(" or ")),
        ));
    }
    match *treat {
        "keep" => Ok(Treatment::Keep { reason: table.text("reason")? }),
        "drop" => Ok(Treatment::Drop),
        "redact" => redact(table),
        "mask" => mask(table),
        "pseudonymize" => pseudonymize(table),
        "generalize" => generalize(table),
        _ => text(table),
    }
}

fn is_option(key: &str) -> bool {
    TREATMENTS.iter().any(|(_, options)| options.contains(&key))
}

fn redact(table: &Section<'_>) -> Result<Treatment, PolicyError> {
    let with = table.string("with")?.map(str::to_owned);
    if with.as_ref().is_some_and(|with| with.len() > WITH_BYTES_MAX) {
        return Err(table.wrong(
            table.at_of("with"),
            format!("{} is longer than {WITH_BYTES_MAX} bytes", table.named("with")),
        ));
    }
    Ok(Treatment::Redact { with })
}

fn mask(table: &Section<'_>) -> Result<Treatment, PolicyError> {
    let kept = |key| -> Result<usize, PolicyError> {
        let most = i64::try_from(KEPT_CHARS_MAX).unwrap_or(i64::MAX);
        Ok(table.integer(key, 0, most)?.and_then(|n| usize::try_from(n).ok()).unwrap_or(0))
    };
    let char = match table.string("char")? {
        None => '*',
        Some(text) => {
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) if !c.is_control() => c,
                _ => {
                    return Err(table.wrong(
                        table.at_of("char"),
                        format!("{} must be one visible character", table.named("char")),
                    ));
                }
            }
        }
    };
    Ok(Treatment::Mask(Mask {
        keep_first: kept("keep_first")?,
        keep_last: kept("keep_last")?,
        char,
    }))
}

fn pseudonymize(table: &Section<'_>) -> Result<Treatment, PolicyError> {
    let join = table.text("join")?;
    if join.as_ref().is_some_and(|join| join.len() > FIELD_BYTES_MAX) {
        return Err(table.wrong(
            table.at_of("join"),
            format!("{} is longer than {FIELD_BYTES_MAX} bytes", table.named("join")),
        ));
    }
    let profile: Option<Profile> = table.one_of_pairs("profile", PROFILES)?;
    let format: Option<TokenFormat> = table.one_of_pairs("format", FORMATS)?;
    let consistency = table.word("consistency", Consistency::ALL, Consistency::word)?;
    Ok(Treatment::Pseudonymize(Pseudonymize {
        join,
        profile,
        format: format.unwrap_or(TokenFormat::Base62),
        consistency: consistency.unwrap_or(Consistency::Dataset),
    }))
}

pub(super) fn generalize(table: &Section<'_>) -> Result<Treatment, PolicyError> {
    const WAYS: [&str; 5] = ["to", "step", "prefix", "bits", "bands"];
    let given: Vec<(&str, Bytes)> =
        table.keys().into_iter().filter(|(key, _)| WAYS.contains(key)).collect();
    let (way, at) = match given.as_slice() {
        [one] => one.clone(),
        [] => {
            return Err(table.source.error(
                codes::MISSING,
                table.at_of("treat"),
                "treat = \"generalize\" needs one of `to`, `step`, `prefix`, `bits`, `bands`",
            ));
        }
        [(first, _), (second, at), ..] => {
            return Err(table.wrong(
                at.clone(),
                format!("`{first}` and `{second}` stand together; a column is generalized one way"),
            ));
        }
    };
    Ok(Treatment::Generalize(match way {
        "to" => {
            let part = table.word("to", DatePart::ALL, DatePart::word)?;
            Generalize::To(part.ok_or_else(|| table.lost("to"))?)
        }
        "step" => Generalize::Step(step(table)?),
        "prefix" => {
            let most = i64::try_from(KEPT_CHARS_MAX).unwrap_or(i64::MAX);
            let n = table.integer("prefix", 1, most)?.and_then(|n| usize::try_from(n).ok());
            Generalize::Prefix(n.ok_or_else(|| table.lost("prefix"))?)
        }
        "bits" => {
            let bits = table.integer("bits", 1, 127)?.and_then(|n| u8::try_from(n).ok());
            match bits.ok_or_else(|| table.lost("bits"))? {
                32 => return Err(table.wrong(at, "`bits = 32` keeps whole IPv4 addresses; use 31 or less for them, 33 or more for IPv6")),
                bits => Generalize::Bits(bits),
            }
        }
        _ => Generalize::Bands(bands(table)?),
    }))
}

fn step(table: &Section<'_>) -> Result<Decimal, PolicyError> {
    let item = table.inner.get("step").ok_or_else(|| table.lost("step"))?;
    let at = table.value_at("step", item);
    let step = match item.as_value() {
        Some(Value::Integer(n)) => Some(Decimal::integer(i128::from(*n.value()))),
        Some(Value::Float(_)) => {
            // The digits as written: 0.1 has no exact binary form.
            let written = table.source.text.get(at.clone()).unwrap_or_default().replace('_', "");
            Decimal::parse(&written).map(Decimal::shortest)
        }
        _ => return Err(table.mistyped("step", item, "a number above 0, as in 10 or 0.5")),
    };
    match step {
        Some(step)
            if step.unscaled > 0
                && step.unscaled <= STEP_UNSCALED_MAX
                && step.scale <= STEP_SCALE_MAX =>
        {
            Ok(step)
        }
        _ => Err(table.wrong(
            at,
            format!(
                "{} must be above 0, with 15 digits at most, as in 10 or 0.5",
                table.named("step")
            ),
        )),
    }
}

fn bands(table: &Section<'_>) -> Result<Vec<i64>, PolicyError> {
    let mut bands: Vec<i64> = Vec::new();
    for (value, at) in table.array("bands")? {
        let Some(cut) = value.as_integer() else {
            return Err(table.wrong(
                at,
                format!("{} holds something other than an integer", table.named("bands")),
            ));
        };
        if bands.last().is_some_and(|last| cut <= *last) {
            return Err(table.wrong(
                at,
                format!("{} must ascend, each above the one before", table.named("bands")),
            ));
        }
        if bands.len() == BANDS_MAX {
            return Err(table.wrong(
                at,
                format!("{} has more than {BANDS_MAX} cut points", table.named("bands")),
            ));
        }
        bands.push(cut);
    }
    if bands.is_empty() {
        return Err(table.wrong(
            table.at_of("bands"),
            format!("{} is empty; as in [18, 30, 45]", table.named("bands")),
        ));
    }
    Ok(bands)
}

fn text(table: &Section<'_>) -> Result<Treatment, PolicyError> {
    let with =
        table.word("with", Replacement::ALL, Replacement::word)?.unwrap_or(Replacement::Token);
    let consistency = table.word("consistency", Consistency::ALL, Consistency::word)?;
    if consistency.is_some() && with != Replacement::Token {
        return Err(table.source.error(
            codes::FOREIGN_OPTION,
            table.key_at("consistency"),
            "`consistency` belongs to with = \"token\"",
        ));
    }
    let mut entities: Vec<String> = Vec::new();
    for (name, at) in table.texts("entities")? {
        check_entity(table, &name, at.clone())?;
        if entities.contains(&name) {
            return Err(table.wrong(at, format!("{} is listed twice", quoted(&name))));
        }
        entities.push(name);
    }
    if entities.is_empty() && table.inner.contains_key("entities") {
        let mut error = table
            .wrong(table.at_of("entities"), "`entities` is empty: nothing would be looked for");
        error.hint = Some("leave it out for everything that [find] finds".to_owned());
        return Err(error);
    }
    Ok(Treatment::Text(Text {
        with,
        entities,
        consistency: consistency.unwrap_or(Consistency::Dataset),
    }))
}

/// The text being read.
#[derive(Clone, Copy)]
pub(super) struct Source<'t> {
    text: &'t str,
    origin: &'t str,
}

impl<'t> Source<'t> {
    fn document(&self) -> Result<Document<&'t str>, PolicyError> {
        if self.text.len() > POLICY_BYTES_MAX {
            return Err(self.error(
                codes::SYNTAX,
                0..0,
                format!("the policy is larger than {} MiB", POLICY_BYTES_MAX >> 20),
            ));
        }
        Document::parse(self.text).map_err(|error| {
            let at = error.span().unwrap_or(0..0);
            self.error(
                codes::SYNTAX,
                at,
                format!("not TOML: {}", error.message().replace('\n', ", ")),
            )
        })
    }

    fn position(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte.min(self.text.len())).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let in_line = before.get(line_start..).unwrap_or_default();
        (before.matches('\n').count() + 1, in_line.chars().count() + 1)
    }

    pub(super) fn error(
        &self,
        code: &'static str,
        at: Bytes,
        message: impl Into<String>,
    ) -> PolicyError {
        let (line, column) = self.position(at.start);
        let meant = self.text.get(at).unwrap_or_default();
        let width = meant.lines().next().unwrap_or_default().chars().count().max(1);
        PolicyError {
            origin: self.origin.to_owned(),
            line,
            column,
            width,
            message: message.into(),
            hint: None,
            code,
        }
    }
}

/// A table of the document and where it stands.
pub(super) struct Section<'d> {
    pub(super) source: &'d Source<'d>,
    /// Dotted name, empty for the root.
    path: String,
    pub(super) at: Bytes,
    pub(super) inner: &'d dyn TableLike,
}

impl<'d> Section<'d> {
    fn root(source: &'d Source<'d>, inner: &'d dyn TableLike) -> Section<'d> {
        Section { source, path: String::new(), at: 0..0, inner }
    }

    /// Keys with their places, in the order of the text.
    fn keys(&self) -> Vec<(&'d str, Bytes)> {
        let mut keys: Vec<(&str, Bytes)> =
            self.inner.iter().map(|(name, _)| (name, self.key_at(name))).collect();
        keys.sort_by_key(|(_, at)| at.start);
        keys
    }

    pub(super) fn known(&self, known: &[&str]) -> Result<(), PolicyError> {
        for (key, at) in self.keys() {
            if !known.contains(&key) {
                return Err(self.unknown(key, at, known));
            }
        }
        Ok(())
    }

    pub(super) fn section(&self, key: &str) -> Result<Option<Section<'d>>, PolicyError> {
        let Some(item) = self.inner.get(key) else { return Ok(None) };
        let Some(inner) = item.as_table_like() else {
            return Err(self.mistyped(key, item, "a table"));
        };
        Ok(Some(Section {
            source: self.source,
            path: self.path_of(key),
            at: self.key_at(key),
            inner,
        }))
    }

    /// An array of tables.
    pub(super) fn sections(&self, key: &str) -> Result<Vec<Section<'d>>, PolicyError> {
        let Some(item) = self.inner.get(key) else { return Ok(Vec::new()) };
        let section = |inner: &'d dyn TableLike, at: Option<Bytes>| Section {
            source: self.source,
            path: self.path_of(key),
            at: at.unwrap_or_else(|| self.key_at(key)),
            inner,
        };
        if let Some(tables) = item.as_array_of_tables() {
            return Ok(tables.iter().map(|table| section(table, table.span())).collect());
        }
        if let Some(array) = item.as_array() {
            let inline =
                array.iter().map(|value| value.as_inline_table().map(|t| section(t, value.span())));
            if let Some(sections) = inline.collect::<Option<Vec<_>>>() {
                return Ok(sections);
            }
        }
        let mut error = self.mistyped(key, item, "an array of tables");
        error.hint = Some(format!("write [[{}]] above each entry", self.path_of(key)));
        Err(error)
    }

    pub(super) fn string(&self, key: &str) -> Result<Option<&'d str>, PolicyError> {
        let Some(item) = self.inner.get(key) else { return Ok(None) };
        item.as_str().map(Some).ok_or_else(|| self.mistyped(key, item, "a string"))
    }

    /// A string that says something, trimmed.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, PolicyError> {
        match self.string(key)?.map(str::trim) {
            Some("") => Err(self.wrong(self.at_of(key), format!("{} is empty", self.named(key)))),
            text => Ok(text.map(str::to_owned)),
        }
    }

    pub(super) fn integer(
        &self,
        key: &str,
        least: i64,
        most: i64,
    ) -> Result<Option<i64>, PolicyError> {
        let Some(item) = self.inner.get(key) else { return Ok(None) };
        let Some(n) = item.as_integer() else { return Err(self.mistyped(key, item, "an integer")) };
        if (least..=most).contains(&n) {
            return Ok(Some(n));
        }
        Err(self.wrong(
            self.value_at(key, item),
            format!("{} must be from {least} to {most}", self.named(key)),
        ))
    }

    fn fraction(&self, key: &str) -> Result<Option<f64>, PolicyError> {
        let Some(item) = self.inner.get(key) else { return Ok(None) };
        let value = match item.as_integer() {
            Some(0) => Some(0.0),
            Some(1) => Some(1.0),
            _ => item.as_float(),
        };
        match value {
            // Adding zero turns a negative zero into zero.
            Some(value) if (0.0..=1.0).contains(&value) => Ok(Some(value + 0.0)),
            Some(_) => Err(self.wrong(
                self.value_at(key, item),
                format!("{} must be from 0 to 1", self.named(key)),
            )),
            None if item.is_integer() => Err(self.wrong(
                self.value_at(key, item),
                format!("{} must be from 0 to 1", self.named(key)),
            )),
            None => Err(self.mistyped(key, item, "a number from 0 to 1")),
        }
    }

    /// A share as a number from 0 to 1, or as a text in per cent (`"0.1%"`).
    pub(super) fn share(&self, key: &str) -> Result<Option<f64>, PolicyError> {
        let Some(text) = self.inner.get(key).and_then(Item::as_str) else {
            return self.fraction(key);
        };
        // Moved by two places in decimal, so that 0.1 % is the number 0.001.
        let number = text.trim().strip_suffix('%').map(str::trim_end);
        let digits = |n: &&str| n.chars().all(|c| c.is_ascii_digit() || c == '.');
        let share = number.filter(digits).and_then(|n| format!("{n}e-2").parse::<f64>().ok());
        match share.filter(|share| (0.0..=1.0).contains(share)) {
            Some(share) => Ok(Some(share)),
            None => {
                let what = format!("{} must be from 0 to 1, or as in \"0.1%\"", self.named(key));
                Err(self.wrong(self.at_of(key), what))
            }
        }
    }

    fn array(&self, key: &str) -> Result<Vec<(&'d Value, Bytes)>, PolicyError> {
        let Some(item) = self.inner.get(key) else { return Ok(Vec::new()) };
        let Some(array) = item.as_array() else { return Err(self.mistyped(key, item, "an array")) };
        let at = |value: &Value| value.span().unwrap_or_else(|| self.value_at(key, item));
        Ok(Array::iter(array).map(|value| (value, at(value))).collect())
    }

    pub(super) fn texts(&self, key: &str) -> Result<Vec<(String, Bytes)>, PolicyError> {
        let mut texts = Vec::new();
        for (value, at) in self.array(key)? {
            let Some(text) = value.as_str() else {
                return Err(self.source.error(
                    codes::TYPE,
                    at,
                    format!(
                        "{} holds {} where a string is expected",
                        self.named(key),
                        kind(value.type_name())
                    ),
                ));
            };
            texts.push((text.to_owned(), at));
        }
        Ok(texts)
    }

    /// Two-letter codes.
    fn codes(
        &self,
        key: &str,
        is_letter: fn(&char) -> bool,
        form: &str,
    ) -> Result<Vec<String>, PolicyError> {
        let mut codes: Vec<String> = Vec::new();
        for (code, at) in self.texts(key)? {
            if code.chars().count() != 2 || !code.chars().all(|c| is_letter(&c)) {
                return Err(self.wrong(
                    at,
                    format!("{} is no code; {} holds {form}", quoted(&code), self.named(key)),
                ));
            }
            if codes.contains(&code) {
                return Err(self.wrong(at, format!("{} is listed twice", quoted(&code))));
            }
            codes.push(code);
        }
        Ok(codes)
    }

    fn one_of<'k>(&self, key: &str, known: &[&'k str]) -> Result<Option<&'k str>, PolicyError> {
        let Some(word) = self.string(key)? else { return Ok(None) };
        if let Some(found) = known.iter().find(|k| **k == word) {
            return Ok(Some(*found));
        }
        let mut error = self.wrong(
            self.at_of(key),
            format!(
                "{} cannot be {}; it is one of {}",
                self.named(key),
                quoted(word),
                known.join(", ")
            ),
        );
        error.hint =
            nearest(word, known.iter().copied()).map(|meant| format!("did you mean \"{meant}\"?"));
        Err(error)
    }

    fn one_of_pairs<T: Copy>(
        &self,
        key: &str,
        pairs: &[(&str, T)],
    ) -> Result<Option<T>, PolicyError> {
        let words: Vec<&str> = pairs.iter().map(|(word, _)| *word).collect();
        let word = self.one_of(key, &words)?;
        Ok(word
            .and_then(|word| pairs.iter().find(|(known, _)| *known == word))
            .map(|(_, value)| *value))
    }

    pub(super) fn word<T: Copy>(
        &self,
        key: &str,
        all: &[T],
        word: fn(T) -> &'static str,
    ) -> Result<Option<T>, PolicyError> {
        let pairs: Vec<(&str, T)> = all.iter().map(|value| (word(*value), *value)).collect();
        self.one_of_pairs(key, &pairs)
    }

    pub(super) fn unknown(&self, key: &str, at: Bytes, known: &[&str]) -> PolicyError {
        let place =
            if self.path.is_empty() { "here".to_owned() } else { format!("in {}", self.whole()) };
        let mut error = self.source.error(
            codes::UNKNOWN_KEY,
            at,
            format!("unknown key {} {place}; known are {}", quoted(key), known.join(", ")),
        );
        error.hint =
            nearest(key, known.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
        error
    }

    pub(super) fn mistyped(&self, key: &str, item: &Item, expected: &str) -> PolicyError {
        self.source.error(
            codes::TYPE,
            self.value_at(key, item),
            format!("{} must be {expected}, not {}", self.named(key), kind(item.type_name())),
        )
    }

    pub(super) fn wrong(&self, at: Bytes, message: impl Into<String>) -> PolicyError {
        self.source.error(codes::VALUE, at, message)
    }

    /// A key that was there a moment ago; kept as an error so that nothing can panic.
    pub(super) fn lost(&self, key: &str) -> PolicyError {
        self.wrong(self.at.clone(), format!("{} cannot be read", self.named(key)))
    }

    pub(super) fn key_at(&self, key: &str) -> Bytes {
        self.inner.key(key).and_then(toml_edit::Key::span).unwrap_or_else(|| self.at.clone())
    }

    pub(super) fn value_at(&self, key: &str, item: &Item) -> Bytes {
        // A table's span may be its header or nothing; its key is a better place to point at.
        if item.is_value() {
            item.span().unwrap_or_else(|| self.key_at(key))
        } else {
            self.key_at(key)
        }
    }

    pub(super) fn at_of(&self, key: &str) -> Bytes {
        self.inner.get(key).map_or_else(|| self.at.clone(), |item| self.value_at(key, item))
    }

    fn path_of(&self, key: &str) -> String {
        let key = toml_edit::Key::new(key).display_repr().into_owned();
        if self.path.is_empty() { key } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn named(&self, key: &str) -> String {
        quoted(&self.path_of(key))
    }

    pub(super) fn whole(&self) -> String {
        quoted(&self.path)
    }
}

fn kind(type_name: &str) -> String {
    match type_name {
        "integer" | "array" | "array of tables" | "inline table" => format!("an {type_name}"),
        "datetime" => "a date or time".to_owned(),
        other => format!("a {other}"),
    }
}

/// Words people know from other tools.
const SYNONYMS: &[(&str, &str)] = &[
    ("anonymize", "pseudonymize"),
    ("encrypt", "pseudonymize"),
    ("hash", "pseudonymize"),
    ("token", "pseudonymize"),
    ("tokenize", "pseudonymize"),
    ("null", "redact"),
    ("remove", "drop"),
    ("delete", "drop"),
    ("bucket", "generalize"),
    ("round", "generalize"),
    ("truncate", "generalize"),
    ("none", "keep"),
    ("replace", "redact"),
];

/// Memory a compiled allow or deny expression may take.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Fifteen digits are exact in a binary float too.
const STEP_UNSCALED_MAX: i128 = 999_999_999_999_999;
const STEP_SCALE_MAX: u32 = 15;
