//! Policy to TOML, and additions to a TOML somebody wrote.

use super::{
    Consistency, EXPECTED_DISTINCT, Generalize, KeyReference, Listed, MIN_SCORE, Names, Note,
    PROFILES, Pattern, Policy, PolicyError, Replacement, Treatment, Unlisted, format_word,
};
use crate::codes;
use crate::plan::{glob_matches, is_inside};
use allonym_keys::TokenFormat;
use std::fmt::Write as _;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Key, Table, Value};

impl Policy {
    /// The TOML of this policy, commented for people when drafted. Defaults are left out; parsing
    /// it gives the same policy and the same digest.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        if self.columns.iter().any(|listed| listed.note.is_some()) {
            out.push_str("# Drafted from a scan. Read each column before you rely on it.\n");
        }
        out.push_str("version = 1\n");
        section(&mut out, "policy", &self.heading());
        section(&mut out, "keys", &self.key_lines());
        section(&mut out, "find", &self.find_lines());
        for (name, find) in &self.find.entities {
            let mut lines = Lines::default();
            if let Some(least) = find.min_score {
                lines.put("min_score", least);
            }
            lines.put_all("allow", &find.allow);
            lines.put_all("deny", &find.deny);
            always(&mut out, &format!("[find.entities.{}]", key(name)), &lines);
        }
        for listed in &self.columns {
            out.push('\n');
            for line in comment(listed.note.as_ref()) {
                let _ = writeln!(out, "{line}");
            }
            let _ = writeln!(out, "[columns.{}]", key(&listed.name));
            out.push_str(&options(&listed.treatment).0);
        }
        for matched in &self.matches {
            let mut lines = Lines::default();
            match &matched.pattern {
                Pattern::Glob(glob) => lines.put("glob", glob.as_str()),
                Pattern::Entity(entity) => lines.put("entity", entity.as_str()),
            }
            lines.0.push_str(&options(&matched.treatment).0);
            always(&mut out, "[[match]]", &lines);
        }
        if let Some(retention) = &self.retention {
            retention.write(&mut out);
        }
        if let Some(gates) = &self.gates {
            gates.write(&mut out);
        }
        out
    }

    /// Adds columns of a newer draft that this text lacks, keeping comments and order
    /// (`init --update`). A column counts as there when it is listed, when a glob or an entity of a
    /// `[[match]]` covers it, or when the nested column around it is listed.
    ///
    /// # Errors
    /// Those of [`Policy::parse`] for the existing text; its columns written as one inline table.
    pub fn update_toml(existing: &str, draft: &Policy) -> Result<String, PolicyError> {
        let origin = ORIGIN;
        let policy = Policy::parse(existing, origin)?;
        let missing: Vec<&Listed> =
            draft.columns.iter().filter(|listed| !policy.covers(listed)).collect();
        if missing.is_empty() {
            return Ok(existing.to_owned());
        }
        let unreadable = |message: String| PolicyError {
            origin: origin.to_owned(),
            line: 1,
            column: 1,
            width: 1,
            message,
            hint: None,
            code: codes::SYNTAX,
        };
        let mut document: DocumentMut = existing
            .parse()
            .map_err(|error: toml_edit::TomlError| unreadable(error.message().to_owned()))?;
        if !document.contains_key("columns") {
            let mut columns = Table::new();
            columns.set_implicit(true);
            document.insert("columns", Item::Table(columns));
        }
        let Some(columns) = document.get_mut("columns").and_then(Item::as_table_mut) else {
            let mut error =
                unreadable("`columns` is an inline table; nothing can be added to it".to_owned());
            error.hint = Some("write each column as [columns.NAME]".to_owned());
            return Err(error);
        };
        // Behind the last table of the columns, wherever that stands.
        let last =
            columns.iter().filter_map(|(_, item)| item.as_table().and_then(Table::position)).max();
        for listed in missing {
            let mut table = lines_table(&listed.treatment);
            let mut above = String::from("\n");
            for line in comment(listed.note.as_ref()) {
                let _ = writeln!(above, "{line}");
            }
            table.decor_mut().set_prefix(above);
            table.set_position(last);
            columns.insert(&listed.name, Item::Table(table));
        }
        let updated = document.to_string();
        Policy::parse(&updated, origin)?;
        Ok(updated)
    }

    fn covers(&self, wanted: &Listed) -> bool {
        let entity = wanted.note.as_ref().and_then(|note| note.entity.as_deref());
        let listed = self
            .columns
            .iter()
            .any(|listed| listed.name == wanted.name || is_inside(&wanted.name, &listed.name));
        listed
            || self.matches.iter().any(|matched| match &matched.pattern {
                Pattern::Glob(glob) => glob_matches(glob, &wanted.name),
                Pattern::Entity(name) => Some(name.as_str()) == entity,
            })
    }

    fn heading(&self) -> Lines {
        let mut lines = Lines::default();
        lines.put_some("name", self.name.as_deref());
        lines.put_some("purpose", self.purpose.as_deref());
        lines.put_some("owner", self.owner.as_deref());
        match &self.unlisted {
            Unlisted::Error => {}
            Unlisted::Drop => lines.put("unlisted", "drop"),
            Unlisted::Keep { reason } => {
                lines.put("unlisted", "keep");
                lines.put("unlisted_reason", reason.as_str());
            }
        }
        if self.expected_distinct != EXPECTED_DISTINCT {
            lines.put(
                "expected_distinct",
                i64::try_from(self.expected_distinct).unwrap_or(i64::MAX),
            );
        }
        lines.put_all("sentinels", &self.sentinels);
        lines
    }

    fn key_lines(&self) -> Lines {
        let default = KeyReference::default();
        let mut lines = Lines::default();
        lines.put_some("ring", self.keys.ring.as_deref());
        lines.put_some("ledger", self.keys.ledger.as_deref());
        lines.put_some("key", self.keys.key.as_deref());
        lines.put_some(
            "tenant",
            Some(self.keys.tenant.as_str()).filter(|name| *name != default.tenant),
        );
        lines.put_some(
            "domain",
            Some(self.keys.domain.as_str()).filter(|name| *name != default.domain),
        );
        lines
    }

    fn find_lines(&self) -> Lines {
        let mut lines = Lines::default();
        lines.put_some("set", self.find.set.as_deref());
        lines.put_all("countries", &self.find.countries);
        lines.put_all("languages", &self.find.languages);
        if self.find.min_score != MIN_SCORE {
            lines.put("min_score", self.find.min_score);
        }
        if self.find.names != Names::Balanced {
            lines.put("names", self.find.names.word());
        }
        lines.put_all("rules", &self.find.rules);
        lines
    }
}

/// Lines of `key = value`.
#[derive(Default)]
pub(super) struct Lines(String);

impl Lines {
    pub(super) fn put(&mut self, name: &str, value: impl Into<Value>) {
        let _ = writeln!(self.0, "{name} = {}", value.into());
    }

    pub(super) fn put_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    pub(super) fn append(&mut self, other: &Lines) {
        self.0.push_str(&other.0);
    }

    /// Nothing for an empty list.
    pub(super) fn put_all(&mut self, name: &str, values: &[String]) {
        if !values.is_empty() {
            self.put(name, values.iter().map(String::as_str).collect::<Array>());
        }
    }
}

fn options(treatment: &Treatment) -> Lines {
    let mut lines = Lines::default();
    lines.put("treat", treatment.name());
    match treatment {
        Treatment::Keep { reason } => lines.put_some("reason", reason.as_deref()),
        Treatment::Drop => {}
        Treatment::Redact { with } => lines.put_some("with", with.as_deref()),
        Treatment::Mask(mask) => {
            for (name, n) in [("keep_first", mask.keep_first), ("keep_last", mask.keep_last)] {
                if n > 0 {
                    lines.put(name, i64::try_from(n).unwrap_or(i64::MAX));
                }
            }
            if mask.char != '*' {
                lines.put("char", mask.char.to_string());
            }
        }
        Treatment::Pseudonymize(p) => {
            lines.put_some("join", p.join.as_deref());
            let named = PROFILES.iter().find(|(_, known)| Some(*known) == p.profile);
            lines.put_some("profile", named.map(|(word, _)| *word));
            if p.format != TokenFormat::Base62 {
                lines.put("format", format_word(p.format));
            }
            if p.consistency != Consistency::Dataset {
                lines.put("consistency", p.consistency.word());
            }
        }
        Treatment::Generalize(way) => match way {
            Generalize::To(part) => lines.put("to", part.word()),
            Generalize::Step(step) => {
                let _ = writeln!(lines.0, "step = {step}");
            }
            Generalize::Prefix(n) => lines.put("prefix", i64::try_from(*n).unwrap_or(i64::MAX)),
            Generalize::Bits(bits) => lines.put("bits", i64::from(*bits)),
            Generalize::Bands(bands) => {
                lines.put("bands", bands.iter().copied().collect::<Array>())
            }
        },
        Treatment::Text(text) => {
            if text.with != Replacement::Token {
                lines.put("with", text.with.word());
            }
            lines.put_all("entities", &text.entities);
            if text.consistency != Consistency::Dataset {
                lines.put("consistency", text.consistency.word());
            }
        }
    }
    lines
}

/// The options as a table of their own.
fn lines_table(treatment: &Treatment) -> Table {
    let lines = options(treatment).0;
    let document: DocumentMut = lines.parse().expect("the options were just written as TOML");
    document.as_table().clone()
}

/// How something becomes coarser, as an inline table.
pub(super) fn way_table(way: &Generalize) -> InlineTable {
    let mut table = lines_table(&Treatment::Generalize(way.clone()));
    table.remove("treat");
    let mut inline = table.into_inline_table();
    inline.fmt();
    inline
}

fn comment(note: Option<&Note>) -> Vec<String> {
    note.map_or_else(Vec::new, |note| {
        note.lines.iter().map(|line| format!("# {}", one_line(line))).collect()
    })
}

/// TOML comments hold no control characters but tab.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn key(name: &str) -> String {
    Key::new(name).display_repr().into_owned()
}

fn section(out: &mut String, name: &str, lines: &Lines) {
    if !lines.0.is_empty() {
        always(out, &format!("[{name}]"), lines);
    }
}

pub(super) fn always(out: &mut String, header: &str, lines: &Lines) {
    let _ = write!(out, "\n{header}\n{}", lines.0);
}

/// What errors call the existing text.
const ORIGIN: &str = "allonym.toml";
