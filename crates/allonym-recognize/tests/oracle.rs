//! The scanner against a plain one: each pattern with its own `regex`, one after the other, and
//! everything after that written out the slow way.
#![expect(clippy::string_slice, reason = "places come from matches in the same text")]

use allonym_recognize::{Recognizer, RuleFile, RuleSet, Scratch, Span, Tuning, validate};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

const MIN_SCORE: f32 = 0.0;

/// Everything the tests share.
struct World {
    recognizer: Recognizer,
    plain: Vec<PlainRule>,
    /// Texts of the examples and near-misses, and the phrases.
    words: Vec<String>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let files = rule_files();
    let rules = RuleSet::parse(&files).expect("the shipped rules parse");
    let tuning = Tuning { min_score: MIN_SCORE, ..Tuning::default() };
    let recognizer = Recognizer::compile(&rules, &tuning).expect("the shipped rules compile");
    let tables: Vec<toml::Table> =
        files.iter().map(|file| file.text.parse().expect("the shipped rules are TOML")).collect();
    let mut plain: Vec<PlainRule> = tables.iter().flat_map(PlainRule::all).collect();
    plain.sort_by(|left, right| left.id.cmp(&right.id));
    let words = tables.iter().flat_map(words_of).collect();
    World { recognizer, plain, words }
});

/// A rule, read from its file without the crate under test.
struct PlainRule {
    id: String,
    regex: regex::Regex,
    edges: (bool, bool),
    bounded: bool,
    checks: Vec<fn(&str) -> bool>,
    measure: Option<validate::Measure>,
    score: (f32, f32),
    near: Vec<Vec<char>>,
    not_near: Vec<Vec<char>>,
    within: usize,
    side: String,
}

impl PlainRule {
    fn all(table: &toml::Table) -> Vec<PlainRule> {
        let empty = toml::Table::new();
        let context = table.get("context").and_then(toml::Value::as_table).unwrap_or(&empty);
        let phrases = |key: &str| -> Vec<Vec<char>> {
            let list = context.get(key).and_then(toml::Value::as_array).into_iter().flatten();
            list.map(|phrase| {
                let text = phrase.as_str().or_else(|| phrase["phrase"].as_str());
                text.expect("phrases are text")
                    .chars()
                    .filter(|character| !is_joiner(*character))
                    .flat_map(folded)
                    .collect()
            })
            .collect()
        };
        let patterns = table.get("pattern").and_then(toml::Value::as_array).into_iter().flatten();
        patterns
            .map(|pattern| {
                let entity = table["entity"].as_str().expect("an entity has a name");
                let id = match pattern.get("id") {
                    None => entity.to_owned(),
                    Some(id) => format!("{entity}/{}", id.as_str().expect("ids are text")),
                };
                let source = pattern["regex"].as_str().expect("a regex is text");
                let looks = regex_syntax::parse(source).expect(source);
                let looks = looks.properties();
                let validate = match pattern.get("validate") {
                    None => Vec::new(),
                    Some(toml::Value::Array(names)) => names.clone(),
                    Some(name) => vec![name.clone()],
                };
                let check = |name: &toml::Value| {
                    let name = name.as_str().expect("names are text");
                    validate::by_name(name).expect(name).run
                };
                let score = |keys: [&str; 2]| {
                    let table = pattern["score"].as_table().expect("scores are a table");
                    let get = |key| table.get(key).map(number);
                    let plain = get(keys[0]).expect("there is a score");
                    (plain, get(keys[1]).unwrap_or(plain))
                };
                PlainRule {
                    regex: compile(source),
                    edges: (
                        looks.look_set_prefix_any().contains_word(),
                        looks.look_set_suffix_any().contains_word(),
                    ),
                    bounded: looks.maximum_len().is_some_and(|length| length <= 4096),
                    score: if validate.is_empty() {
                        score(["bare", "context"])
                    } else {
                        score(["validated", "both"])
                    },
                    checks: validate.iter().map(check).collect(),
                    measure: validate.iter().find_map(|name| {
                        validate::measure_by_name(name.as_str().expect("names are text")).copied()
                    }),
                    near: phrases("near"),
                    not_near: phrases("not_near"),
                    within: context.get("within").map_or(60, |within| {
                        usize::try_from(within.as_integer().expect("a number")).expect("small")
                    }),
                    side: context
                        .get("side")
                        .map_or("either", |side| side.as_str().expect("text"))
                        .to_owned(),
                    id,
                }
            })
            .collect()
    }

    /// Matches that pass the checks, in one text without a separator.
    fn matches(&self, text: &str) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(captures) = self.regex.captures_at(text, at) {
            let whole = captures.get(0).expect("a match has a whole");
            let reported = captures.name("value").unwrap_or(whole);
            let before = text[..whole.start()].chars().next_back();
            let after = text[whole.end()..].chars().next();
            let ascii_word = |character: Option<char>| {
                character.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
            };
            let cut = (self.edges.0
                && ascii_word(whole.as_str().chars().next())
                && before.is_some_and(goes_on))
                || (self.edges.1
                    && ascii_word(whole.as_str().chars().next_back())
                    && after.is_some_and(goes_on));
            let holds = match self.measure {
                Some(measure) => (measure.run)(reported.as_str(), &[]),
                None => self
                    .checks
                    .iter()
                    .all(|check| check(reported.as_str()))
                    .then_some(reported.as_str().len()),
            };
            if let Some(length) = holds.filter(|_| !cut) {
                found.push((reported.start(), reported.start() + length));
                at = reported.start() + length;
            } else if self.bounded {
                at = whole.start() + text[whole.start()..].chars().next().map_or(1, char::len_utf8);
            } else {
                at = whole.end();
            }
            if at >= text.len() {
                break;
            }
        }
        found
    }

    /// The nearest phrase, and whether one speaks against it.
    fn context(
        &self,
        text: &str,
        start: usize,
        end: usize,
        places: &mut Places,
    ) -> (Option<usize>, bool) {
        let mut distance = |phrase: &[char]| {
            let places = places.entry(phrase.to_vec()).or_insert_with(|| occurrences(text, phrase));
            places
                .iter()
                .filter_map(|&(from, to)| {
                    let (gap, side) = if to <= start {
                        (&text[to..start], "left")
                    } else if from >= end {
                        (&text[end..from], "right")
                    } else {
                        return None;
                    };
                    (self.side == "either" || self.side == side).then(|| gap.chars().count())
                })
                .filter(|distance| *distance <= self.within)
                .min()
        };
        let against = self.not_near.iter().any(|phrase| distance(phrase).is_some());
        let near = self.near.iter().enumerate();
        let near = near.filter_map(|(place, phrase)| Some((distance(phrase)?, place))).min();
        (near.map(|(_, place)| place).filter(|_| !against), against)
    }
}

/// Where each phrase stands, once it was looked for.
type Places = BTreeMap<Vec<char>, Vec<(usize, usize)>>;

/// What the scanner should find in `text`: start, end, rule, score, validated, phrase.
type Found = (usize, usize, String, f32, bool, Option<usize>);

fn plain_scan(text: &str) -> Vec<Found> {
    let mut all = Vec::new();
    let mut offset = 0;
    for segment in text.split('\u{1e}') {
        let mut candidates: Vec<(usize, Found)> = Vec::new();
        let mut places = Places::new();
        for (order, rule) in WORLD.plain.iter().enumerate() {
            for (start, end) in rule.matches(segment) {
                let (phrase, against) = rule.context(segment, start, end, &mut places);
                let score = match (against, phrase) {
                    (true, _) => rule.score.0 * 0.3,
                    (false, Some(_)) => rule.score.1,
                    (false, None) => rule.score.0,
                };
                if score >= MIN_SCORE {
                    let validated = !rule.checks.is_empty();
                    let found = (start, end, rule.id.clone(), score, validated, phrase);
                    candidates.push((order, found));
                }
            }
        }
        let mut chosen: Vec<Found> = Vec::new();
        while !candidates.is_empty() {
            let best = (0..candidates.len())
                .min_by_key(|index| {
                    let (order, (start, end, _, _, validated, phrase)) = &candidates[*index];
                    (!validated, phrase.is_none(), usize::MAX - (end - start), *start, *order)
                })
                .expect("there is one");
            let (_, best) = candidates.swap_remove(best);
            candidates.retain(|(_, other)| other.1 <= best.0 || other.0 >= best.1);
            chosen.push(best);
        }
        chosen.sort_by_key(|found| found.0);
        all.extend(chosen.into_iter().map(|(start, end, rule, score, validated, phrase)| {
            (start + offset, end + offset, rule, score, validated, phrase)
        }));
        offset += segment.len() + 1;
    }
    all
}

fn fast_scan(text: &str, scratch: &mut Scratch) -> Vec<Found> {
    let mut spans = Vec::new();
    WORLD.recognizer.scan(text, scratch, &mut spans);
    spans.iter().map(|span| describe(span, 0)).collect()
}

fn describe(span: &Span, offset: usize) -> Found {
    let rule = WORLD.recognizer.rules().rule_name(span.rule).to_owned();
    let phrase = span.evidence.phrase.map(usize::from);
    (span.start + offset, span.end + offset, rule, span.score, span.evidence.validated, phrase)
}

/// Places of a folded phrase: whole words, at most eight characters longer than it.
fn occurrences(text: &str, phrase: &[char]) -> Vec<(usize, usize)> {
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let mut found = Vec::new();
    for first in 0..characters.len() {
        if folds_away(characters[first].1) {
            continue;
        }
        let mut rest = phrase;
        let mut after = first;
        while !rest.is_empty() && after < characters.len() {
            let character = characters[after].1;
            if !folds_away(character) {
                let folded: Vec<char> = folded(character).collect();
                match rest.strip_prefix(folded.as_slice()) {
                    Some(others) => rest = others,
                    None => break,
                }
            }
            after += 1;
        }
        while after < characters.len() && is_mark(characters[after].1) {
            after += 1;
        }
        if !rest.is_empty() || after - first > phrase.len() + 8 {
            continue;
        }
        let character = |place: usize| characters.get(place).map(|(_, character)| *character);
        let joined = |left: Option<char>, right: Option<char>| match (left, right) {
            (Some(left), Some(right)) => {
                let word = |c: char| c.is_ascii_alphanumeric() || goes_on(c);
                word(left)
                    && word(right)
                    && left.is_numeric() == right.is_numeric()
                    && !(left.is_lowercase() && right.is_uppercase())
            }
            _ => false,
        };
        let before = first.checked_sub(1).and_then(character);
        if !joined(before, character(first)) && !joined(character(after - 1), character(after)) {
            let end = characters.get(after).map_or(text.len(), |(place, _)| *place);
            found.push((characters[first].0, end));
        }
    }
    found
}

fn folds_away(character: char) -> bool {
    is_joiner(character) || is_mark(character)
}

fn is_joiner(character: char) -> bool {
    "-_./'’\u{ad}\u{2010}\u{2011}\u{2012}\u{2013}\u{2014}\u{2015}".contains(character)
        || character.is_whitespace()
}

fn is_mark(character: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&character)
}

fn folded(character: char) -> impl Iterator<Item = char> {
    let spelt = character.to_lowercase().collect::<String>();
    let pairs = [("ß", "ss"), ("æ", "ae"), ("œ", "oe"), ("ø", "o"), ("ł", "l"), ("đ", "d")];
    let pairs = pairs.into_iter().chain([("ð", "d"), ("þ", "th"), ("ı", "i")]);
    let spelt = pairs.fold(spelt, |spelt, (from, to)| spelt.replace(from, to));
    spelt.nfd().filter(|part| !is_mark(*part)).collect::<Vec<_>>().into_iter()
}

/// Whether a word goes on at this character, which is not ASCII.
fn goes_on(character: char) -> bool {
    let unspaced = [
        0xe00..=0xeff,
        0x1000..=0x109f,
        0x1100..=0x11ff,
        0x1780..=0x17ff,
        0x2e80..=0xa4cf,
        0xa960..=0xa97f,
        0xac00..=0xd7ff,
        0xf900..=0xfaff,
        0xff66..=0xffdc,
        0x20000..=0x3ffff,
    ];
    !character.is_ascii()
        && !"ªº".contains(character)
        && !unspaced.iter().any(|range| range.contains(&u32::from(character)))
        && (character.is_alphabetic() || is_mark(character))
}

/// The rules' dialect for the `regex` crate: ASCII `\d \w \s \b`, a dot that stops at line ends.
fn compile(source: &str) -> regex::Regex {
    let mut out = String::new();
    let mut characters = source.chars();
    let mut in_class = 0;
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next().expect("a backslash escapes something") {
                'd' => out.push_str("[0-9]"),
                'D' => out.push_str("[^0-9]"),
                'w' => out.push_str("[0-9A-Za-z_]"),
                'W' => out.push_str("[^0-9A-Za-z_]"),
                's' => out.push_str("[\\t\\n\\x0b\\x0c\\r\\x20]"),
                'S' => out.push_str("[^\\t\\n\\x0b\\x0c\\r\\x20]"),
                'b' => out.push_str("(?-u:\\b)"),
                'B' => out.push_str("(?-u:\\B)"),
                other => out.extend(['\\', other]),
            },
            '[' => {
                in_class += 1;
                out.push('[');
            }
            ']' => {
                in_class -= 1;
                out.push(']');
            }
            '.' if in_class == 0 => out.push_str("[^\\n]"),
            other => out.push(other),
        }
    }
    regex::RegexBuilder::new(&out).size_limit(100 << 20).build().expect(source)
}

#[expect(clippy::cast_possible_truncation, reason = "scores have few digits")]
fn number(value: &toml::Value) -> f32 {
    value.as_float().expect("a score is a number") as f32
}

/// Texts that the rules care for.
fn words_of(table: &toml::Table) -> Vec<String> {
    let list = |key: &str| table.get(key).and_then(toml::Value::as_array).into_iter().flatten();
    let texts = list("example").chain(list("near_miss"));
    let texts = texts.flat_map(|item| [item.get("text"), item.get("find")]).flatten();
    let texts = texts.filter_map(toml::Value::as_str).map(str::to_owned);
    let context = table.get("context").and_then(toml::Value::as_table);
    let phrases = ["near", "not_near"].into_iter().filter_map(|key| context?.get(key)?.as_array());
    let phrases = phrases.flatten().filter_map(toml::Value::as_str).map(str::to_owned);
    texts.chain(phrases).collect()
}

fn rule_files() -> Vec<RuleFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recognizers");
    let mut folders = vec![root];
    let mut paths: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder of rules can be read") {
            let path = entry.expect("the folder of rules can be read").path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "sets") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    let file = |path: &PathBuf| RuleFile {
        path: path.display().to_string(),
        text: std::fs::read_to_string(path).expect("rules are UTF-8"),
    };
    paths.iter().map(file).collect()
}

/// Text rich in what rules look for, whole and broken.
fn rich_text() -> impl Strategy<Value = String> {
    let word = || any::<prop::sample::Index>().prop_map(|index| index.get(&WORLD.words).clone());
    let piece = || {
        (word(), any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(
            |(word, from, to)| {
                let characters: Vec<char> = word.chars().collect();
                let (from, to) = (from.index(characters.len() + 1), to.index(characters.len() + 1));
                characters[from.min(to)..from.max(to)].iter().collect()
            },
        )
    };
    let part = prop_oneof![
        3 => word(),
        3 => piece(),
        2 => "[0-9]{1,12}",
        2 => "[0-9A-Za-z]{1,10}",
        2 => "[ .,:;/@+()_=#-]{1,3}",
        1 => "[éßÄñŁжΩº号입\u{301}\u{a0}\u{2011}\u{1e}\n]{1,2}",
        1 => "[a-z]{1,9} ",
        3 => Just(" ".to_owned()),
    ];
    prop::collection::vec(part, 0..14).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn the_scanner_finds_what_each_pattern_alone_finds(text in rich_text()) {
        let mut scratch = Scratch::default();
        prop_assert_eq!(fast_scan(&text, &mut scratch), plain_scan(&text));
    }

    #[test]
    fn many_texts_at_once_are_each_text_alone(texts in prop::collection::vec(rich_text(), 0..12)) {
        let mut scratch = Scratch::default();
        let mut found = Vec::new();
        let mut each = texts.iter().map(String::as_str);
        WORLD.recognizer.scan_many(&mut each, &mut scratch, &mut found);
        let found: Vec<_> = found.iter().map(|(text, span)| (*text, describe(span, 0))).collect();
        let alone = texts.iter().enumerate().flat_map(|(index, text)| {
            fast_scan(text, &mut Scratch::default()).into_iter().map(move |found| (index, found))
        });
        prop_assert_eq!(found, alone.collect::<Vec<_>>());
    }
}

/// A page of invented letters, tickets and table rows.
fn prose(seed: u64, length: usize) -> String {
    let mut state = seed;
    let mut next = |bound: usize| {
        // Knuth's MMIX generator; the high half is random enough.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits fit") % bound
    };
    let common = [
        "the",
        "claim",
        "was",
        "received",
        "on",
        "Monday",
        "and",
        "der",
        "Vertrag",
        "wurde",
        "mit",
        "Straße",
        "contact",
        "us",
        "at",
        "please",
        "number",
        "de",
        "la",
        "société",
        "Müller",
        "12",
        "2024-03-01",
        "10:45",
        "€ 1.250,00",
        "A-1",
        "(see",
        "below)",
        "invoice",
        "http",
        "x@y",
        "www",
    ];
    let mut text = String::new();
    while text.len() < length {
        match next(12) {
            0 => text.push_str(&WORLD.words[next(WORLD.words.len())]),
            1 => {
                for _ in 0..next(12) {
                    text.push(char::from(b"0123456789 -./"[next(14)]));
                }
            }
            2 => text.push_str([". ", ", ", "\n", "; ", ": ", "\t"][next(6)]),
            _ => text.push_str(common[next(common.len())]),
        }
        if next(9) > 0 {
            text.push(' ');
        }
    }
    text
}

#[test]
fn long_texts_are_no_different() {
    let mut scratch = Scratch::default();
    for seed in 0..4 {
        let text = prose(seed, 12_000);
        assert_eq!(fast_scan(&text, &mut scratch), plain_scan(&text), "seed {seed}");
    }
}

#[test]
fn texts_beyond_one_buffer_are_given_back_to_their_owners() {
    let texts: Vec<String> = (0..40).map(|seed| prose(seed, 100 + 300 * 17)).collect();
    let long = prose(99, 90_000);
    let texts: Vec<&str> =
        texts.iter().map(String::as_str).chain([long.as_str(), "", "x"]).collect();
    let mut scratch = Scratch::default();
    let mut found = Vec::new();
    WORLD.recognizer.scan_many(&mut texts.iter().copied(), &mut scratch, &mut found);
    let mut by_text: BTreeMap<usize, Vec<Found>> = BTreeMap::new();
    for (text, span) in &found {
        by_text.entry(*text).or_default().push(describe(span, 0));
    }
    for (index, text) in texts.iter().enumerate() {
        let alone = fast_scan(text, &mut scratch);
        assert_eq!(by_text.remove(&index).unwrap_or_default(), alone, "text {index}");
    }
    assert!(found.len() > 500, "{} findings are too few to tell", found.len());
}

#[test]
fn nothing_hostile_is_different() {
    let mut scratch = Scratch::default();
    for unit in ["1", "1-", "a.", "ab:", "a@", "1 ", "A1", "-----BEGIN ", "0-0 ", "+", "é1", "eyJ"]
    {
        let text = unit.repeat(300);
        assert_eq!(fast_scan(&text, &mut scratch), plain_scan(&text), "{unit}");
    }
}
