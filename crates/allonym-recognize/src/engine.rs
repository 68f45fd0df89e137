//! Finds the matches of all rules in one pass.
//!
//! Each pattern is filed under something rare that every match has near its start: the first
//! digit, the first `@`, three literal bytes, a long run of letters and digits. One loop over the
//! text stops at these, and an automaton of all patterns filed there says which of them match from
//! where. Patterns whose matches have no bound are searched for one by one.
//!
//! The result is that of searching the text for each pattern alone, whatever the filing.

use crate::bytes::{ByteSet, PairSet, is_word_byte};
use crate::file::{Filing, file};
use crate::fold::joins_words;
use crate::pattern::{MATCH_BYTES_MAX, PROGRAM_BYTES_MAX, Pattern, SEPARATOR};
use crate::set::RulePattern;
use crate::{RuleError, RuleSet};
use regex_automata::hybrid::dfa::{self, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::look::LookMatcher;
use regex_automata::util::start;
use regex_automata::{Anchored, Input, MatchKind, meta};
use regex_syntax::hir::Hir;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Searches for all rules.
#[derive(Debug)]
pub(crate) struct Engine {
    rules: Vec<Searched>,
    groups: Vec<Group>,
    /// Pairs of neighbouring bytes at whose second byte a group may have to look.
    stops: PairSet,
    /// By byte: groups that look at it.
    by_byte: Vec<Vec<u16>>,
    /// Groups that look at long runs.
    runs: Vec<u16>,
    /// Rules that are searched for on their own.
    slow: Vec<usize>,
}

/// Working memory of an [`Engine`].
#[derive(Debug)]
pub(crate) struct Caches {
    groups: Vec<dfa::Cache>,
    /// By rule; made when first needed.
    rules: Vec<Option<(meta::Cache, regex_automata::util::captures::Captures)>>,
    progress: Vec<Progress>,
    /// Rules that match where the automaton looks.
    matched: Vec<usize>,
}

/// How far a rule has come.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// End of its last match: the next begins here or later.
    cursor: usize,
    /// End of its match from where the automaton looks; 0 for none.
    end: usize,
    /// There are several ends, of which `end` is the last.
    several: bool,
}

/// A rule as it is searched for.
#[derive(Debug)]
struct Searched {
    pattern: RulePattern,
    /// For what the automaton cannot tell; built when first needed.
    regex: OnceLock<meta::Regex>,
}

/// Patterns filed under the same thing.
#[derive(Debug)]
struct Group {
    filing: Filing,
    /// Rules by their index in the automaton.
    rules: Vec<usize>,
    automaton: DFA,
    /// Bytes that a match can begin with.
    first: ByteSet,
    /// Bytes that a match can be filed under.
    stops: ByteSet,
    /// Bytes between the start of a match and the byte it is filed under.
    before: ByteSet,
    /// Fewest and most of them.
    distance: (usize, usize),
    /// Three bytes that a match can begin with, where it is filed under literals.
    prefixes: Prefixes,
    /// Fewest bytes of a run, where it is filed under runs.
    run: usize,
}

impl Engine {
    /// Files and compiles all rules.
    pub(crate) fn compile(rules: &RuleSet) -> Result<Engine, RuleError> {
        let mut searched = Vec::new();
        let mut filed: BTreeMap<Filing, Vec<usize>> = BTreeMap::new();
        let mut slow = Vec::new();
        for (index, rule) in rules.rules().iter().enumerate() {
            let definition = rules.definition(rule.entity);
            let pattern = definition.patterns[rule.pattern].clone();
            program(&[&pattern.pattern.hir], PROGRAM_BYTES_MAX).map_err(|message| RuleError {
                path: definition.path.clone(),
                message: format!("{}: {message}", rule.id),
            })?;
            if pattern.pattern.length_max.is_none_or(|length| length > MATCH_BYTES_MAX) {
                slow.push(index);
            } else {
                filed.entry(file(&pattern.pattern)).or_default().push(index);
            }
            searched.push(Searched { pattern, regex: OnceLock::new() });
        }
        let mut engine = Engine {
            groups: Vec::new(),
            stops: PairSet::default(),
            by_byte: vec![Vec::new(); 256],
            runs: Vec::new(),
            slow,
            rules: searched,
        };
        for (filing, members) in filed {
            let patterns: Vec<&Pattern> =
                members.iter().map(|rule| &engine.rules[*rule].pattern.pattern).collect();
            let group = Group::compile(filing, members.clone(), &patterns)
                .map_err(|message| RuleError { path: "rules".to_owned(), message })?;
            engine.add(group);
        }
        Ok(engine)
    }

    fn add(&mut self, group: Group) {
        let place = u16::try_from(self.groups.len()).expect("there are no more groups than rules");
        let word = ByteSet::of(is_word_byte);
        match group.filing {
            Filing::Run { .. } => self.runs.push(place),
            Filing::Literal { .. } => {
                for [first, second, _] in group.prefixes.all() {
                    self.stops.insert(first, second);
                    let groups = &mut self.by_byte[usize::from(second)];
                    if groups.last() != Some(&place) {
                        groups.push(place);
                    }
                }
            }
            Filing::Byte { boundary, .. } | Filing::Start { boundary } => {
                for byte in group.stops.iter() {
                    self.by_byte[usize::from(byte)].push(place);
                    let mut previous = ByteSet::default();
                    if group.distance.1 > 0 {
                        previous = group.before;
                    }
                    if group.distance.0 == 0 {
                        let others = if word.contains(byte) { word.complement() } else { word };
                        let any = if boundary { others } else { ByteSet::default().complement() };
                        previous = previous.union(any);
                    }
                    self.stops.insert_all(previous, ByteSet::single(byte));
                }
            }
        }
        self.groups.push(group);
    }

    pub(crate) fn caches(&self) -> Caches {
        Caches {
            groups: self.groups.iter().map(|group| group.automaton.create_cache()).collect(),
            rules: self.rules.iter().map(|_| None).collect(),
            progress: vec![Progress::default(); self.rules.len()],
            matched: Vec::new(),
        }
    }

    /// Rules that are searched for on their own.
    pub(crate) fn slow(&self) -> impl Iterator<Item = usize> {
        self.slow.iter().copied()
    }

    /// Calls `found` with rule, start and end of each match that passes the rule's checks, each
    /// rule's in order.
    ///
    /// A match that fails a check hides no other: the search for the pattern goes on one character
    /// after its start. (Where matches have no bound, after its end.)
    pub(crate) fn find(
        &self,
        text: &str,
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        caches.progress.fill(Progress::default());
        self.find_filed(text, caches, found);
        for group in &self.runs {
            self.find_runs(text, usize::from(*group), caches, found);
        }
        for rule in &self.slow {
            self.find_slow(text, *rule, caches, found);
        }
    }

    /// Stops at every byte that patterns are filed under.
    fn find_filed(
        &self,
        text: &str,
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        let bytes = text.as_bytes();
        // Before the text as at a separator: neither is in a word or in a match.
        let mut previous = SEPARATOR;
        for (place, &byte) in bytes.iter().enumerate() {
            if self.stops.contains(previous, byte) {
                for group in &self.by_byte[usize::from(byte)] {
                    self.look_back(text, place, usize::from(*group), caches, found);
                }
            }
            previous = byte;
        }
    }

    /// Looks for matches of a group whose filed byte stands at `place`.
    fn look_back(
        &self,
        text: &str,
        place: usize,
        index: usize,
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        let group = &self.groups[index];
        let bytes = text.as_bytes();
        let (min, max) = group.distance;
        match group.filing {
            Filing::Literal { boundary } => {
                // A stop at the text's first byte has no byte before it.
                let Some(start) = place.checked_sub(1) else { return };
                if let Some(third) = bytes.get(place + 1)
                    && group.prefixes.contains([bytes[start], bytes[place], *third])
                    && (!boundary || is_boundary(bytes, start))
                {
                    self.look(text, start, index, caches, found);
                }
            }
            Filing::Byte { boundary, .. } | Filing::Start { boundary } => {
                let least = place.saturating_sub(max);
                let mut start = place;
                while start > least && group.before.contains(bytes[start - 1]) {
                    start -= 1;
                }
                while start + min <= place {
                    if group.first.contains(bytes[start])
                        && (!boundary || is_boundary(bytes, start))
                    {
                        self.look(text, start, index, caches, found);
                    }
                    start += 1;
                }
            }
            Filing::Run { .. } => {}
        }
    }

    /// Looks for matches of a group that begin with a long run.
    fn find_runs(
        &self,
        text: &str,
        index: usize,
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        let group = &self.groups[index];
        let Filing::Run { kind, boundary } = group.filing else { return };
        let bytes = text.as_bytes();
        let (set, block) = (kind.set(), kind.block());
        let in_set = |byte: &u8| set.contains(*byte);
        let mut place = 0;
        while place + block <= bytes.len() {
            // INVARIANT: a run of `2 * block - 1` bytes holds a whole block at a multiple of it.
            if !bytes[place..place + block].iter().all(in_set) {
                place += block;
                continue;
            }
            let start = place - bytes[..place].iter().rev().take_while(|byte| in_set(byte)).count();
            let end = place + bytes[place..].iter().take_while(|byte| in_set(byte)).count();
            for start in start..(end + 1).saturating_sub(group.run) {
                if group.first.contains(bytes[start]) && (!boundary || is_boundary(bytes, start)) {
                    self.look(text, start, index, caches, found);
                }
            }
            place = end.next_multiple_of(block);
        }
    }

    /// Reports the matches of a group that begin at `start`.
    ///
    /// Called at most once per group and start, in increasing order of starts.
    fn look(
        &self,
        text: &str,
        start: usize,
        index: usize,
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        let group = &self.groups[index];
        let mut matched = std::mem::take(&mut caches.matched);
        let Caches { groups, progress, .. } = &mut *caches;
        group.ends(text.as_bytes(), start, &mut groups[index], |rule, end| {
            let progress = &mut progress[rule];
            if progress.cursor > start {
                return;
            }
            if progress.end == 0 {
                matched.push(rule);
            }
            progress.several = progress.end != 0;
            progress.end = end;
        });
        for rule in matched.drain(..) {
            let Progress { end, several, .. } = caches.progress[rule];
            caches.progress[rule].end = 0;
            let end = if several { self.first_end(text, start, end, rule, caches) } else { end };
            if let Some((from, to)) = self.accept(text, start, end, rule, caches) {
                caches.progress[rule].cursor = end;
                found(rule, from, to);
            }
        }
        caches.matched = matched;
    }

    /// The end that the pattern prefers, of those up to `last`.
    fn first_end(
        &self,
        text: &str,
        start: usize,
        last: usize,
        rule: usize,
        caches: &mut Caches,
    ) -> usize {
        let input = Input::new(text).span(start..last).anchored(Anchored::Yes);
        let (regex, cache) = self.regex(rule, caches);
        let matched = regex.search_half_with(&mut cache.0, &input);
        matched.expect("the automaton found this pattern here").offset()
    }

    /// What a match reports, if it holds: its `value` group where it has one.
    fn accept(
        &self,
        text: &str,
        start: usize,
        end: usize,
        rule: usize,
        caches: &mut Caches,
    ) -> Option<(usize, usize)> {
        let pattern = &self.rules[rule].pattern;
        if !edges_hold(&pattern.pattern, text, start, end) {
            return None;
        }
        let (mut from, mut to) = (start, end);
        if pattern.pattern.value.is_some() {
            let input = Input::new(text).span(start..end).anchored(Anchored::Yes);
            let (regex, (cache, captures)) = self.regex(rule, caches);
            regex.search_captures_with(cache, &input, captures);
            if let Some(value) = captures.get_group(1) {
                (from, to) = (value.start, value.end);
            }
        }
        pattern.passes(text.get(from..to)?).then_some((from, to))
    }

    /// Searches for a rule whose matches have no bound.
    fn find_slow(
        &self,
        text: &str,
        rule: usize,
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        let mut at = 0;
        while at < text.len() {
            let (regex, (cache, _)) = self.regex(rule, caches);
            let input = Input::new(text).span(at..text.len());
            let Some(matched) = regex.search_with(cache, &input) else { break };
            at = matched.end();
            if let Some((from, to)) = self.accept(text, matched.start(), at, rule, caches) {
                found(rule, from, to);
            }
        }
    }

    /// A search for one rule, and memory for it.
    fn regex<'a>(
        &self,
        rule: usize,
        caches: &'a mut Caches,
    ) -> (&meta::Regex, &'a mut (meta::Cache, regex_automata::util::captures::Captures)) {
        let searched = &self.rules[rule];
        let regex = searched.regex.get_or_init(|| {
            let filed = !self.slow.contains(&rule);
            // Filed patterns are only tried where they are known to match.
            let config = meta::Config::new().hybrid(!filed).dfa(!filed).auto_prefilter(!filed);
            let regex = searched.pattern.pattern.regex(config);
            regex.expect("its program was within the limit when the rules were compiled")
        });
        let cache = &mut caches.rules[rule];
        (regex, cache.get_or_insert_with(|| (regex.create_cache(), regex.create_captures())))
    }
}

impl Group {
    fn compile(filing: Filing, rules: Vec<usize>, patterns: &[&Pattern]) -> Result<Group, String> {
        let hirs: Vec<&Hir> = patterns.iter().map(|pattern| &pattern.hir).collect();
        let program = program(&hirs, PROGRAM_BYTES_MAX * RULES_PER_PROGRAM)?;
        let config = dfa::Config::new()
            .match_kind(MatchKind::All)
            .cache_capacity(CACHE_BYTES_MAX)
            .skip_cache_capacity_check(true);
        let automaton = dfa::Builder::new()
            .configure(config)
            .build_from_nfa(program)
            .map_err(|error| format!("the rules do not compile together: {error}"))?;
        let mut group = Group {
            rules,
            automaton,
            first: ByteSet::default(),
            stops: ByteSet::default(),
            before: ByteSet::default(),
            distance: (usize::MAX, 0),
            prefixes: Prefixes::default(),
            run: usize::MAX,
            filing,
        };
        for hir in hirs {
            group.first = group.first.union(crate::lead::first_bytes(hir));
            match filing {
                Filing::Start { .. } => {
                    group.stops = group.first;
                    group.distance = (0, 0);
                }
                Filing::Byte { set, .. } => {
                    let lead = crate::lead::lead(hir, set).expect("that is why it is filed here");
                    group.stops = group.stops.union(lead.first);
                    group.before = group.before.union(lead.before);
                    let (min, max) = group.distance;
                    group.distance = (min.min(lead.min), max.max(lead.max));
                }
                Filing::Literal { .. } => {
                    let prefixes =
                        crate::file::prefixes(hir).expect("that is why it is filed here");
                    prefixes.iter().for_each(|prefix| group.prefixes.insert(*prefix));
                }
                Filing::Run { kind, .. } => {
                    group.run = group.run.min(crate::lead::run_min(hir, kind.set()));
                }
            }
        }
        Ok(group)
    }

    /// Calls `matched` with rule and end of every match that begins at `start`, by end.
    fn ends(
        &self,
        bytes: &[u8],
        start: usize,
        cache: &mut dfa::Cache,
        mut matched: impl FnMut(usize, usize),
    ) {
        const NEVER: &str = "no byte makes it quit, and its cache may be cleared at any time";
        let dfa = &self.automaton;
        let look_behind = start.checked_sub(1).map(|place| bytes[place]);
        let config = start::Config::new().anchored(Anchored::Yes).look_behind(look_behind);
        let mut state = dfa.start_state(cache, &config).expect(NEVER);
        for (place, byte) in bytes.iter().enumerate().skip(start) {
            state = dfa.next_state(cache, state, *byte).expect(NEVER);
            if state.is_tagged() {
                if state.is_dead() {
                    return;
                }
                if state.is_match() {
                    for index in 0..dfa.match_len(cache, state) {
                        let pattern = dfa.match_pattern(cache, state, index);
                        matched(self.rules[pattern.as_usize()], place);
                    }
                }
            }
        }
        state = dfa.next_eoi_state(cache, state).expect(NEVER);
        if state.is_match() {
            for index in 0..dfa.match_len(cache, state) {
                let pattern = dfa.match_pattern(cache, state, index);
                matched(self.rules[pattern.as_usize()], bytes.len());
            }
        }
    }
}

/// Largest cache of one group's automaton, in bytes.
const CACHE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Programs of the largest size that one group may add up to.
const RULES_PER_PROGRAM: usize = 64;

/// Sets of three bytes, with false alarms.
#[derive(Clone, Debug, Default)]
struct Prefixes {
    exact: Vec<[u8; 3]>,
}

impl Prefixes {
    fn insert(&mut self, prefix: [u8; 3]) {
        if let Err(place) = self.exact.binary_search(&prefix) {
            self.exact.insert(place, prefix);
        }
    }

    fn all(&self) -> impl Iterator<Item = [u8; 3]> {
        self.exact.iter().copied()
    }

    fn contains(&self, prefix: [u8; 3]) -> bool {
        self.exact.binary_search(&prefix).is_ok()
    }
}

/// Whether a word begins or ends at `place`.
fn is_boundary(bytes: &[u8], place: usize) -> bool {
    let before = place > 0 && is_word_byte(bytes[place - 1]);
    before != bytes.get(place).is_some_and(|byte| is_word_byte(*byte))
}

/// The program of some patterns together, for automata without captures.
fn program(hirs: &[&Hir], bytes_max: usize) -> Result<thompson::NFA, String> {
    let mut look = LookMatcher::new();
    look.set_line_terminator(SEPARATOR);
    let config = thompson::Config::new()
        .which_captures(thompson::WhichCaptures::None)
        .look_matcher(look)
        .nfa_size_limit(Some(bytes_max));
    thompson::Compiler::new().configure(config).build_many_from_hir(hirs).map_err(|error| {
        match error.size_limit() {
            Some(limit) => {
                format!("compiles to more than {limit} bytes; repeat fewer characters")
            }
            None => format!("does not compile: {error}"),
        }
    })
}

/// Whether a match is no part of a word that goes on outside ASCII, where its pattern asks for the
/// edge of a word.
fn edges_hold(pattern: &Pattern, text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let joins = |character: Option<char>| character.is_some_and(joins_words);
    let before = || text.get(..start).and_then(|before| before.chars().next_back());
    let after = || text.get(end..).and_then(|after| after.chars().next());
    let cut_before = pattern.edge_start && is_word_byte(bytes[start]) && joins(before());
    let cut_after = pattern.edge_end && is_word_byte(bytes[end - 1]) && joins(after());
    !cut_before && !cut_after
}
