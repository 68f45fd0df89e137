//! The people who asked to be erased, and where they can be found.

use crate::tags::holds_tokens;
use crate::{Failure, Result};
use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use allonym_core::{Holding, Reach, Spelling};
use allonym_io::{Format, Input, ReadOptions, Reader};
use allonym_keys::{Keyring, Profile, Scope, TokenFormat, find_text_tokens};
use arrow_array::cast::AsArray;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::Path;
use zeroize::Zeroizing;

/// Identifiers of the people who asked, read once.
pub(crate) struct Subjects {
    pub(crate) identifiers: Vec<Identifier>,
    /// Ids of their requests, where the file has them.
    pub(crate) requests: BTreeSet<String>,
    /// Rows of the file.
    pub(crate) people: u64,
}

/// One identifier of one person.
pub(crate) struct Identifier {
    /// The join field, entity or column it is of; any when it is not said.
    pub(crate) of: Option<String>,
    pub(crate) value: Zeroizing<String>,
}

/// Identifiers are nobody's to print.
impl fmt::Debug for Subjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subjects").field("people", &self.people).finish_non_exhaustive()
    }
}

impl Subjects {
    /// Adds the other spelling of identifiers that have one, as `apply` may have hashed it.
    pub(crate) fn spell(&mut self, spelling: &Spelling) {
        let mut buffer = Zeroizing::new(String::new());
        let mut others = Vec::new();
        for Identifier { of, value } in &self.identifiers {
            let spelt = spelling.spell(value, &mut buffer);
            if spelt != value.as_str() {
                others.push(Identifier { of: of.clone(), value: Zeroizing::new(spelt.to_owned()) });
            }
        }
        self.identifiers.append(&mut others);
    }

    /// Reads a file of requests: plain text with one identifier a line, or a table whose columns are
    /// named by join field, entity or column of the policy, one person a row; its column `request`
    /// holds the id of the request. Empty cells are passed over.
    ///
    /// # Errors
    /// A file that cannot be read or holds nobody.
    pub(crate) fn read(path: &Path) -> Result<Subjects> {
        let mut subjects =
            Subjects { identifiers: Vec::new(), requests: BTreeSet::new(), people: 0 };
        let broken = |what: &str| {
            Failure::new("ALO-E001", 3, format!("the subjects `{}` {what}", path.display()))
                .hint("one identifier a line, or a table with a column for each kind of identifier")
        };
        if Format::of_path(path).is_none_or(|format| format == Format::Text) {
            let bytes = Zeroizing::new(
                fs::read(path)
                    .map_err(|error| broken(&format!("cannot be read: {}", error.kind())))?,
            );
            let text = std::str::from_utf8(&bytes).map_err(|_| broken("are no UTF-8 text"))?;
            for line in text.trim_start_matches('\u{feff}').lines() {
                let value = line.trim();
                if !value.is_empty() {
                    subjects.people += 1;
                    let value = Zeroizing::new(value.to_owned());
                    subjects.identifiers.push(Identifier { of: None, value });
                }
            }
        } else {
            let mut reader = Reader::open(&Input::File(path.to_owned()), &ReadOptions::default())?;
            while let Some(chunk) = reader.next_chunk()? {
                subjects.people += chunk.records.num_rows() as u64;
                let schema = chunk.records.schema();
                for (field, column) in schema.fields().iter().zip(chunk.records.columns()) {
                    let texts = arrow_cast::cast(column, &arrow_schema::DataType::Utf8)
                        .map_err(|_| broken("hold a column that is no text"))?;
                    for cell in texts.as_string::<i32>().iter().flatten() {
                        let value = cell.trim();
                        if value.is_empty() {
                            continue;
                        }
                        if field.name() == REQUEST {
                            subjects.requests.insert(value.to_owned());
                            continue;
                        }
                        let value = Zeroizing::new(value.to_owned());
                        let of = Some(field.name().clone());
                        subjects.identifiers.push(Identifier { of, value });
                    }
                }
            }
        }
        if subjects.identifiers.is_empty() {
            return Err(broken("hold no identifier"));
        }
        Ok(subjects)
    }
}

/// What one column of a file may hold of people.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) name: String,
    pub(crate) entity: Option<String>,
    pub(crate) holding: Holding,
}

impl Spot {
    /// Whether an identifier of a kind may be a whole cell here.
    fn answers_to(&self, kind: Option<&str>) -> bool {
        let Some(kind) = kind else { return true };
        let field = match &self.holding {
            Holding::Tokens { field, .. } => Some(field.as_str()),
            _ => None,
        };
        [Some(self.name.as_str()), self.entity.as_deref(), field].contains(&Some(kind))
    }

    /// Why tokens of people cannot be looked up here, where they cannot.
    pub(crate) fn unsearchable(&self) -> Option<&'static str> {
        match self.holding {
            Holding::Tokens { reach: Reach::Place, .. } => Some(
                "its tokens depend on where a value stood (`consistency`), so none can be computed",
            ),
            Holding::Text { reach: Reach::Place, .. } => Some(
                "tokens in its text depend on where a value stood (`consistency`); only identifiers in clear were looked for",
            ),
            Holding::Lossy => {
                Some("it was masked, redacted or made coarser, so nobody can be looked up in it")
            }
            _ => None,
        }
    }
}

/// Everything a person can be found by.
pub(crate) struct Search {
    /// First 16 bytes of tokens, by join field.
    tokens: BTreeMap<String, HashSet<[u8; 16]>>,
    /// Text tokens without their label.
    text_tokens: HashSet<String>,
    /// Identifiers in clear, by column.
    clear: BTreeMap<String, HashSet<String>>,
    in_text: Option<AhoCorasick>,
    /// Keys that tokens were computed with.
    pub(crate) keys: Vec<(String, u32)>,
    /// Identifiers too short to be looked for inside of text.
    pub(crate) too_short: u64,
}

impl fmt::Debug for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Search").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl Search {
    /// Computes the tokens of all subjects over every key of the tenant and every profile, for the
    /// columns of all files.
    ///
    /// # Errors
    /// A kind of identifier that no column answers to; keys that cannot be used.
    pub(crate) fn new(
        subjects: &Subjects,
        spots: &[Spot],
        ring: Option<&Keyring>,
        tenant: &str,
        domain: &str,
    ) -> Result<Search> {
        let mut kinds: BTreeSet<&str> = BTreeSet::new();
        for of in subjects.identifiers.iter().filter_map(|identifier| identifier.of.as_deref()) {
            let known = spots.iter().any(|spot| {
                spot.answers_to(Some(of))
                    || matches!(&spot.holding, Holding::Text { fields, .. } if fields.iter().any(|(name, _)| name == of))
            });
            if !known {
                kinds.insert(of);
            }
        }
        if let Some(kind) = kinds.first() {
            let names: BTreeSet<&str> = spots.iter().map(|spot| spot.name.as_str()).collect();
            let names = names.into_iter().collect::<Vec<_>>().join(", ");
            let message = format!(
                "the subjects have a column `{kind}`, which is no column, join field or entity of the data"
            );
            return Err(Failure::new("ALO-E002", 2, message)
                .hint(format!("name it after what it identifies: {names}")));
        }
        let mut search = Search {
            tokens: BTreeMap::new(),
            text_tokens: HashSet::new(),
            clear: BTreeMap::new(),
            in_text: None,
            keys: Vec::new(),
            too_short: 0,
        };
        let mut fields: BTreeMap<&str, Vec<&Spot>> = BTreeMap::new();
        let mut entities: BTreeSet<&str> = BTreeSet::new();
        for spot in spots {
            match &spot.holding {
                Holding::Tokens { field, .. } => fields.entry(field).or_default().push(spot),
                Holding::Text { fields, .. } => {
                    entities.extend(fields.iter().map(|(name, _)| name.as_str()));
                }
                Holding::Raw | Holding::Lossy => {}
            }
        }
        if let Some(ring) = ring {
            let mut scratch = Zeroizing::new(String::new());
            for info in ring.keys().iter().filter(|key| key.tenant == tenant) {
                let key = ring.key(Some(&info.id), tenant)?;
                search.keys.push((info.id.clone(), info.epoch));
                for profile in Profile::ALL {
                    for (field, spots) in &fields {
                        let tokenizer = key.tokenizer(domain, field, profile)?;
                        for identifier in &subjects.identifiers {
                            let kind = identifier.of.as_deref();
                            if spots.iter().any(|spot| spot.answers_to(kind)) {
                                let mac =
                                    tokenizer.mac(Scope::Dataset, &identifier.value, &mut scratch);
                                let known = search.tokens.entry((*field).to_owned()).or_default();
                                known.insert(mac.bytes16());
                            }
                        }
                    }
                    for entity in &entities {
                        let tokenizer = key.tokenizer(domain, entity, profile)?;
                        for identifier in &subjects.identifiers {
                            let mac =
                                tokenizer.mac(Scope::Dataset, &identifier.value, &mut scratch);
                            let mut token = String::new();
                            mac.push_text_token(LABEL, &mut token);
                            search.text_tokens.insert(tail(&token).to_owned());
                        }
                    }
                }
            }
        }
        search.add_clear(subjects, spots)?;
        Ok(search)
    }

    fn add_clear(&mut self, subjects: &Subjects, spots: &[Spot]) -> Result<()> {
        let mut patterns: BTreeSet<String> = BTreeSet::new();
        let mut scratch = Zeroizing::new(String::new());
        for identifier in &subjects.identifiers {
            let value = identifier.value.as_str();
            for spot in spots {
                let raw = matches!(spot.holding, Holding::Raw | Holding::Text { .. });
                if raw && spot.answers_to(identifier.of.as_deref()) {
                    let known = self.clear.entry(spot.name.clone()).or_default();
                    for profile in Profile::ALL {
                        known.insert(profile.normalise(value, &mut scratch).to_owned());
                    }
                }
            }
            if value.chars().count() < IN_TEXT_CHARS_MIN {
                self.too_short += 1;
                continue;
            }
            patterns.insert(value.to_owned());
            patterns.insert(value.to_lowercase());
            patterns.insert(value.to_uppercase());
            let compact = Profile::Iban.normalise(value, &mut scratch).to_owned();
            if is_like_iban(&compact) {
                let chars: Vec<char> = compact.chars().collect();
                let groups: Vec<String> =
                    chars.chunks(4).map(|four| four.iter().collect()).collect();
                patterns.insert(groups.join(" "));
                patterns.insert(compact);
            }
        }
        if !patterns.is_empty() {
            let automaton = AhoCorasickBuilder::new()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::LeftmostLongest)
                .build(patterns.iter().map(|pattern| pattern.as_bytes()));
            // The builder's error tells sizes.
            self.in_text = Some(automaton.map_err(|_| {
                Failure::new(
                    "ALO-E001",
                    3,
                    "there are more subjects than can be looked for at once",
                )
                .hint("split the file of subjects")
            })?);
        }
        Ok(())
    }

    /// Whether a whole cell is a subject's.
    pub(crate) fn is_cell(&self, spot: &Spot, cell: &str, scratch: &mut String) -> bool {
        match &spot.holding {
            Holding::Tokens { field, reach: Reach::Domain, .. } => {
                let Some(known) = self.tokens.get(field) else { return false };
                let token = cell.trim();
                FORMATS
                    .iter()
                    .any(|format| format.read(token).is_some_and(|token| known.contains(&token)))
            }
            Holding::Raw | Holding::Text { .. } => {
                let Some(known) = self.clear.get(&spot.name) else { return false };
                Profile::ALL.iter().any(|profile| known.contains(profile.normalise(cell, scratch)))
            }
            Holding::Tokens { .. } | Holding::Lossy => false,
        }
    }

    /// Where a text mentions a subject, by token or in clear: disjoint and in order.
    pub(crate) fn mentions(&self, text: &str, out: &mut Vec<Range<usize>>) {
        out.clear();
        if text.contains('_') {
            find_text_tokens(text, out);
            out.retain(|token| {
                text.get(token.clone()).is_some_and(|token| self.text_tokens.contains(tail(token)))
            });
        }
        let Some(in_text) = &self.in_text else { return };
        for found in in_text.find_iter(text) {
            let word = |c: char| c.is_alphanumeric();
            let before = text.get(..found.start()).and_then(|before| before.chars().next_back());
            let behind = text.get(found.end()..).and_then(|behind| behind.chars().next());
            if !before.is_some_and(word) && !behind.is_some_and(word) {
                out.push(found.range());
            }
        }
        out.sort_by_key(|range| range.start);
        out.dedup_by(|later, earlier| {
            let overlap = later.start < earlier.end;
            if overlap {
                earlier.end = earlier.end.max(later.end);
            }
            overlap
        });
    }
}

/// A text token without its label, which may differ from rule to rule.
fn tail(token: &str) -> &str {
    token.len().checked_sub(TAIL_CHARS).and_then(|at| token.get(at..)).unwrap_or(token)
}

/// Two letters, two digits and so many more of both: written in groups of four.
fn is_like_iban(compact: &str) -> bool {
    let bytes = compact.as_bytes();
    (15..=34).contains(&bytes.len())
        && bytes.iter().all(u8::is_ascii_alphanumeric)
        && bytes.iter().take(2).all(u8::is_ascii_uppercase)
        && bytes.iter().skip(2).take(2).all(u8::is_ascii_digit)
}

/// Whether a column is one whose cells are looked at.
pub(crate) fn is_looked_at(data_type: &arrow_schema::DataType) -> bool {
    holds_tokens(data_type) || data_type.is_integer() || data_type.is_nested()
}

const FORMATS: [TokenFormat; 3] = [TokenFormat::Base62, TokenFormat::Hex, TokenFormat::Crockford];
/// Column of the subjects that holds ids of requests.
const REQUEST: &str = "request";
const LABEL: &str = "TEXT";
const TAIL_CHARS: usize = 17;
/// Shorter identifiers would be found in the text of others.
const IN_TEXT_CHARS_MIN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn search(values: &[(Option<&str>, &str)], spots: &[Spot]) -> Search {
        let subjects = Subjects {
            identifiers: values
                .iter()
                .map(|(of, value)| Identifier {
                    of: of.map(str::to_owned),
                    value: Zeroizing::new((*value).to_owned()),
                })
                .collect(),
            requests: BTreeSet::new(),
            people: 1,
        };
        Search::new(&subjects, spots, None, "default", "default").unwrap()
    }

    fn spot(name: &str, holding: Holding) -> Spot {
        Spot { name: name.to_owned(), entity: None, holding }
    }

    #[test]
    fn people_are_mentioned_by_whole_words() {
        let search = search(&[(None, "Zoë Muster"), (None, "DE89370400440532013000")], &[]);
        let mut found = Vec::new();
        for (text, expected) in [
            ("call Zoë Muster today", vec!["Zoë Muster"]),
            ("ZOË MUSTER, zoë muster", vec!["ZOË MUSTER", "zoë muster"]),
            ("Zoë Musterfrau", vec![]),
            ("pay to DE89 3704 0044 0532 0130 00!", vec!["DE89 3704 0044 0532 0130 00"]),
            ("nobody", vec![]),
        ] {
            search.mentions(text, &mut found);
            let words: Vec<&str> =
                found.iter().map(|range| text.get(range.clone()).unwrap()).collect();
            assert_eq!(words, expected, "{text}");
        }
    }

    #[test]
    fn cells_in_clear_are_compared_by_every_profile() {
        let spots = [spot("mail", Holding::Raw), spot("zip", Holding::Raw)];
        let search = search(&[(Some("mail"), "Zoe@Example.org")], &spots);
        let mut scratch = String::new();
        assert!(search.is_cell(&spots[0], " zoe@example.ORG ", &mut scratch));
        assert!(!search.is_cell(&spots[0], "zoe@example.com", &mut scratch));
        assert!(!search.is_cell(&spots[1], "zoe@example.org", &mut scratch), "another kind");
    }

    #[test]
    fn a_kind_that_nothing_answers_to_is_refused() {
        let subjects = Subjects {
            identifiers: vec![Identifier {
                of: Some("maill".to_owned()),
                value: Zeroizing::new("zoe@example.org".to_owned()),
            }],
            requests: BTreeSet::new(),
            people: 1,
        };
        let spots = [spot("mail", Holding::Raw)];
        let failure = Search::new(&subjects, &spots, None, "default", "default").unwrap_err();
        assert_eq!((failure.code, failure.exit), ("ALO-E002", 2));
        assert!(failure.message.contains("`maill`") && !failure.message.contains("zoe"));
    }
}
