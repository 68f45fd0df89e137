//! Finds the matches of all rules.

use crate::fold::joins_words;
use crate::pattern::{MATCH_BYTES_MAX, Pattern};
use crate::set::RulePattern;
use crate::{RuleError, RuleSet};
use regex_automata::{Input, meta};

/// Searches for all rules.
#[derive(Debug)]
pub(crate) struct Engine {
    rules: Vec<Searched>,
}

/// Working memory of an [`Engine`].
#[derive(Debug)]
pub(crate) struct Caches {
    rules: Vec<meta::Cache>,
}

#[derive(Debug)]
struct Searched {
    regex: meta::Regex,
    pattern: RulePattern,
    slow: bool,
}

impl Engine {
    pub(crate) fn compile(rules: &RuleSet) -> Result<Engine, RuleError> {
        let rules = rules.rules().iter().map(|rule| {
            let definition = rules.definition(rule.entity);
            let pattern = definition.patterns[rule.pattern].clone();
            let regex =
                pattern.pattern.regex(meta::Config::new()).map_err(|message| RuleError {
                    path: definition.path.clone(),
                    message: format!("{}: {message}", rule.id),
                })?;
            let slow = pattern.pattern.length_max.is_none_or(|length| length > MATCH_BYTES_MAX);
            Ok(Searched { regex, pattern, slow })
        });
        Ok(Engine { rules: rules.collect::<Result<_, _>>()? })
    }

    pub(crate) fn caches(&self) -> Caches {
        Caches { rules: self.rules.iter().map(|rule| rule.regex.create_cache()).collect() }
    }

    /// Rules that are searched for on their own.
    pub(crate) fn slow(&self) -> impl Iterator<Item = usize> {
        (0..self.rules.len()).filter(|rule| self.rules[*rule].slow)
    }

    /// Calls `found` with rule, start and end of each match that passes the rule's checks, each
    /// rule's in order.
    pub(crate) fn find(
        &self,
        text: &str,
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        for (index, (rule, cache)) in self.rules.iter().zip(&mut caches.rules).enumerate() {
            let mut at = 0;
            while at < text.len() {
                let input = Input::new(text).span(at..text.len());
                let Some(matched) = rule.regex.search_with(cache, &input) else { break };
                let (start, end) = (matched.start(), matched.end());
                match accept(rule, text, start, end) {
                    Some((start, end)) => found(index, start, end),
                    None if rule.slow => {}
                    None => {
                        at = next_character(text, start);
                        continue;
                    }
                }
                at = end;
            }
        }
    }
}

/// What a match reports, if it passes.
fn accept(rule: &Searched, text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    if !edges_hold(&rule.pattern.pattern, text, start, end) {
        return None;
    }
    let (mut from, mut to) = (start, end);
    if rule.pattern.pattern.value.is_some() {
        let mut captures = rule.regex.create_captures();
        let input = Input::new(text).span(start..end).anchored(regex_automata::Anchored::Yes);
        rule.regex.search_captures(&input, &mut captures);
        if let Some(value) = captures.get_group_by_name("value") {
            (from, to) = (value.start, value.end);
        }
    }
    rule.pattern.passes(text.get(from..to)?).then_some((from, to))
}

/// Whether a match is no part of a word that goes on outside ASCII, where its pattern asks for the
/// edge of a word.
fn edges_hold(pattern: &Pattern, text: &str, start: usize, end: usize) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = text.as_bytes();
    let joins = |character: Option<char>| character.is_some_and(joins_words);
    let before = || text.get(..start).and_then(|before| before.chars().next_back());
    let after = || text.get(end..).and_then(|after| after.chars().next());
    !(pattern.edge_start && is_word(bytes[start]) && joins(before()))
        && !(pattern.edge_end && is_word(bytes[end - 1]) && joins(after()))
}

/// Start of the character after the one at `place`.
fn next_character(text: &str, place: usize) -> usize {
    let mut next = place + 1;
    while !text.is_char_boundary(next) {
        next += 1;
    }
    next
}
