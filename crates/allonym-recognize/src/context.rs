//! Phrases near a candidate.

use crate::fold::{fold_char, is_mark, is_word};
use crate::format::{ContextFormat, PhraseFormat, Side};
use crate::pattern::SEPARATOR;
use crate::{EntityId, RuleSet};
use aho_corasick::{AhoCorasick, MatchKind};
use serde_json::json;
use std::collections::BTreeMap;

/// Most phrases of one rule file, `near` and `not_near` each.
pub const PHRASES_MAX: usize = 256;
/// Longest phrase, in bytes.
pub const PHRASE_BYTES_MAX: usize = 96;
/// Farthest that a phrase counts, in characters.
pub const WITHIN_MAX: u32 = 500;

/// What a score is multiplied by where a phrase speaks against a match.
pub(crate) const AGAINST: f32 = 0.3;

/// The context part of a rule file.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    pub(crate) near: Vec<Phrase>,
    pub(crate) not_near: Vec<Phrase>,
    /// Characters between phrase and match, at most.
    pub(crate) within: usize,
    pub(crate) side: Side,
    /// Header phrases.
    pub(crate) header: Vec<String>,
    /// The file has a context table.
    pub(crate) written: bool,
}

/// A context phrase.
#[derive(Clone, Debug)]
pub(crate) struct Phrase {
    /// As the rule file spells it.
    pub(crate) text: String,
    /// Folded, without joiners.
    folded: String,
    language: Option<String>,
}

impl Default for Context {
    fn default() -> Self {
        Context {
            near: Vec::new(),
            not_near: Vec::new(),
            within: 60,
            side: Side::Either,
            header: Vec::new(),
            written: false,
        }
    }
}

impl Context {
    pub(crate) fn from_format(format: ContextFormat) -> Result<Context, String> {
        if format.within == 0 || format.within > WITHIN_MAX {
            return Err(format!(
                "context.within is {}; 1 to {WITHIN_MAX} are allowed",
                format.within
            ));
        }
        let phrases = |key: &str, list: &[PhraseFormat]| {
            if list.len() > PHRASES_MAX {
                return Err(format!(
                    "context.{key} has {} phrases; {PHRASES_MAX} are allowed",
                    list.len()
                ));
            }
            list.iter()
                .map(|phrase| Phrase::from_format(key, phrase))
                .collect::<Result<Vec<_>, _>>()
        };
        if format.header.len() > PHRASES_MAX {
            return Err(format!(
                "context.header has {} phrases; {PHRASES_MAX} are allowed",
                format.header.len()
            ));
        }
        if let Some(phrase) =
            format.header.iter().find(|phrase| crate::header::tokens(phrase).is_empty())
        {
            return Err(format!("context.header: `{phrase}` has no letter"));
        }
        Ok(Context {
            near: phrases("near", &format.near)?,
            not_near: phrases("not_near", &format.not_near)?,
            within: usize::try_from(format.within).expect("WITHIN_MAX fits"),
            side: format.side,
            header: format.header,
            written: true,
        })
    }

    /// Drops the phrases that declare another language.
    pub(crate) fn keep_languages(&mut self, languages: &[String]) {
        for list in [&mut self.near, &mut self.not_near] {
            list.retain(|phrase| {
                phrase.language.as_ref().is_none_or(|language| languages.contains(language))
            });
        }
    }

    pub(crate) fn canonical(&self) -> serde_json::Value {
        let phrases =
            |list: &[Phrase]| list.iter().map(|phrase| phrase.text.clone()).collect::<Vec<_>>();
        json!({
            "near": phrases(&self.near),
            "not_near": phrases(&self.not_near),
            "within": self.within,
            "side": format!("{:?}", self.side).to_lowercase(),
            "header": self.header,
        })
    }
}

impl Phrase {
    fn from_format(key: &str, format: &PhraseFormat) -> Result<Phrase, String> {
        let (text, language) = format.parts();
        if text.len() > PHRASE_BYTES_MAX {
            return Err(format!(
                "context.{key}: a phrase is {} bytes long; {PHRASE_BYTES_MAX} are allowed",
                text.len()
            ));
        }
        let mut folded = Folded::default();
        folded.push(text, 0, text.len());
        let folded = String::from_utf8(folded.bytes).expect("characters fold to characters");
        if !folded.chars().any(char::is_alphanumeric) {
            return Err(format!("context.{key}: `{text}` has no letter"));
        }
        if let Some(language) = language.filter(|language| {
            language.len() != 2 || !language.bytes().all(|byte| byte.is_ascii_lowercase())
        }) {
            return Err(format!(
                "context.{key}: language `{language}` is not an ISO 639-1 code in lower case"
            ));
        }
        Ok(Phrase { text: text.to_owned(), folded, language: language.map(str::to_owned) })
    }
}

/// All phrases of a rule set, ready to be looked for.
#[derive(Debug)]
pub(crate) struct Phrases {
    /// `None` where there is no phrase.
    automaton: Option<AhoCorasick>,
    /// Characters of each folded phrase.
    lengths: Vec<usize>,
    /// By entity: its phrases in order of their index in the automaton.
    users: Vec<User>,
    /// Characters around a match in which a phrase may begin or end.
    reach: usize,
}

/// What an entity asks of the phrases.
#[derive(Debug)]
struct User {
    within: usize,
    side: Side,
    /// Index in the automaton; index in `near`, or `None` for `not_near`. Sorted.
    phrases: Vec<(u32, Option<u16>)>,
}

/// What stands near a match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Nearby {
    /// The nearest phrase that speaks for it: index in `near`.
    pub(crate) phrase: Option<u16>,
    /// A phrase speaks against it.
    pub(crate) against: bool,
}

/// A phrase found, in bytes of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    start: usize,
    end: usize,
    phrase: u32,
}

/// Phrases found in one region of a text.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    folded: Folded,
    hits: Vec<Hit>,
}

impl Phrases {
    pub(crate) fn compile(rules: &RuleSet) -> Result<Phrases, String> {
        let mut index: BTreeMap<&str, u32> = BTreeMap::new();
        let ids = (0..rules.entities().len()).map(|id| EntityId(u16::try_from(id).expect("few")));
        let contexts: Vec<&Context> = ids.map(|id| &rules.definition(id).context).collect();
        for context in &contexts {
            for phrase in context.near.iter().chain(&context.not_near) {
                index.insert(&phrase.folded, 0);
            }
        }
        for (place, id) in index.values_mut().enumerate() {
            *id = u32::try_from(place).map_err(|_| "too many context phrases".to_owned())?;
        }
        let lengths: Vec<usize> = index.keys().map(|phrase| phrase.chars().count()).collect();
        let users: Vec<User> = contexts
            .iter()
            .map(|context| {
                let near = context.near.iter().zip(0_u16..);
                let near = near.map(|(phrase, place)| (index[phrase.folded.as_str()], Some(place)));
                let against = context.not_near.iter();
                let against = against.map(|phrase| (index[phrase.folded.as_str()], None));
                let mut phrases: Vec<_> = near.chain(against).collect();
                phrases.sort_unstable();
                User { within: context.within, side: context.side, phrases }
            })
            .collect();
        let within = users.iter().map(|user| user.within).max().unwrap_or_default();
        let longest = lengths.iter().max().copied().unwrap_or_default();
        let automaton = (!index.is_empty())
            .then(|| AhoCorasick::builder().match_kind(MatchKind::Standard).build(index.keys()))
            .transpose()
            .map_err(|error| format!("the context phrases do not compile: {error}"))?;
        Ok(Phrases { automaton, lengths, users, reach: within + longest + JOINERS_MAX })
    }

    /// Whether an entity has phrases at all.
    pub(crate) fn matter_to(&self, entity: EntityId) -> bool {
        !self.users[usize::from(entity.0)].phrases.is_empty()
    }

    /// Bytes of `text` in which phrases near `start..end` stand; on character boundaries.
    pub(crate) fn region(&self, text: &str, start: usize, end: usize) -> (usize, usize) {
        let bytes = text.as_bytes();
        let is_first = |place: usize| bytes[place] & 0xc0 != 0x80;
        let (mut from, mut left) = (start, self.reach);
        while from > 0 && left > 0 {
            from -= 1;
            left -= usize::from(is_first(from));
        }
        let (mut to, mut left) = (end, self.reach);
        while to < bytes.len() && left > 0 {
            to += 1;
            left -= usize::from(to == bytes.len() || is_first(to));
        }
        (from, to)
    }

    /// Finds all phrases in a region; replaces what `hits` held.
    pub(crate) fn find(&self, text: &str, from: usize, to: usize, hits: &mut Hits) {
        hits.hits.clear();
        hits.folded.clear();
        let Some(automaton) = &self.automaton else { return };
        hits.folded.push(text, from, to);
        let Hits { folded, hits } = hits;
        for found in automaton.find_overlapping_iter(&folded.bytes) {
            let Some((start, end)) = folded.original(text, found.start(), found.end()) else {
                continue;
            };
            let phrase = found.pattern().as_u32();
            let length_max = self.lengths[found.pattern().as_usize()] + JOINERS_MAX;
            let Some(spelt) = text.get(start..end) else { continue };
            if spelt.chars().count() <= length_max && stands_alone(text, start, end) {
                hits.push(Hit { start, end, phrase });
            }
        }
        hits.sort_unstable();
    }

    /// What stands near `start..end`, which lies in the region last looked at.
    pub(crate) fn nearby(
        &self,
        text: &str,
        entity: EntityId,
        (start, end): (usize, usize),
        hits: &Hits,
    ) -> Nearby {
        let user = &self.users[usize::from(entity.0)];
        let mut nearest: Option<(usize, u16)> = None;
        let mut against = false;
        // A character has at most four bytes.
        let first = start.saturating_sub(self.reach * 4);
        let first = hits.hits.partition_point(|hit| hit.start < first);
        for hit in &hits.hits[first..] {
            if hit.start > end + user.within * 4 {
                break;
            }
            let uses = user.phrases.partition_point(|(phrase, _)| *phrase < hit.phrase);
            let uses = user.phrases[uses..].iter().take_while(|(phrase, _)| *phrase == hit.phrase);
            let mut uses = uses.peekable();
            if uses.peek().is_none() {
                continue;
            }
            let (between, side) = if hit.end <= start {
                (hit.end..start, Side::Left)
            } else if hit.start >= end {
                (end..hit.start, Side::Right)
            } else {
                continue;
            };
            if user.side != Side::Either && user.side != side {
                continue;
            }
            let Some(between) = text.get(between) else { continue };
            let distance = between.chars().count();
            if distance > user.within || between.as_bytes().contains(&SEPARATOR) {
                continue;
            }
            for (_, place) in uses {
                match place {
                    None => against = true,
                    Some(place) => {
                        let candidate = (distance, *place);
                        nearest = Some(nearest.map_or(candidate, |best| best.min(candidate)));
                    }
                }
            }
        }
        let phrase = nearest.map(|(_, place)| place).filter(|_| !against);
        Nearby { phrase, against }
    }
}

/// Most characters that may stand inside a phrase without being part of it: `S.S.N.` is `ssn`.
const JOINERS_MAX: usize = 8;

/// Folded text without joiners, and where each byte came from.
#[derive(Debug, Default)]
struct Folded {
    bytes: Vec<u8>,
    /// Per folded byte: first byte of the character it came from.
    places: Vec<usize>,
}

impl Folded {
    fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
    }

    fn push(&mut self, text: &str, from: usize, to: usize) {
        let Folded { bytes, places } = self;
        for (offset, character) in text.get(from..to).unwrap_or_default().char_indices() {
            if is_joiner(character) {
                continue;
            }
            fold_char(character, |part| {
                let mut buffer = [0; 4];
                for byte in part.encode_utf8(&mut buffer).bytes() {
                    bytes.push(byte);
                    places.push(from + offset);
                }
            });
        }
    }

    /// Where a folded range stands in the text, with the marks on its last letter; `None` where it
    /// begins or ends inside a character that folds to several.
    fn original(&self, text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
        let cuts = |place: usize| {
            place > 0 && self.places.get(place).is_some_and(|here| *here == self.places[place - 1])
        };
        if cuts(start) || cuts(end) {
            return None;
        }
        let last = self.places[end - 1];
        let mut rest = text.get(last..)?.chars();
        let width = rest.next()?.len_utf8();
        let marks: usize = rest.take_while(|next| is_mark(*next)).map(char::len_utf8).sum();
        Some((self.places[start], last + width + marks))
    }
}

/// Characters that may stand between and inside words of a phrase.
fn is_joiner(character: char) -> bool {
    matches!(character, '-' | '_' | '.' | '/' | '\'' | '’' | '\u{2010}'..='\u{2015}' | '\u{ad}')
        || character.is_whitespace()
}

/// Whether a phrase at `start..end` is not part of a longer word. A word also begins and ends
/// where letters meet digits and where `camelCase` says so.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let parts = (text.get(..start), text.get(start..end), text.get(end..));
    let (Some(before), Some(phrase), Some(after)) = parts else { return false };
    let goes_on = |left: Option<char>, right: Option<char>| match (left, right) {
        (Some(left), Some(right)) => {
            is_word(left)
                && is_word(right)
                && left != '_'
                && right != '_'
                && left.is_numeric() == right.is_numeric()
                && !(left.is_lowercase() && right.is_uppercase())
        }
        _ => false,
    };
    !goes_on(before.chars().next_back(), phrase.chars().next())
        && !goes_on(phrase.chars().next_back(), after.chars().next())
}
