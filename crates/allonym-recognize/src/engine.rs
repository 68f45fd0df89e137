//! Finds the matches of all rules in one pass.
//!
//! Each pattern is filed under something rare that every match has: the first digit, the first
//! `@`, a literal text, a long run of letters and digits. One loop over the text stops at these; from
//! there the starts that are possible are tried by an automaton that holds all patterns filed
//! alike, or only one. Patterns whose matches have no bound are searched for one by one.
//!
//! The result is that of searching the text for each pattern alone, whatever the filing.

use crate::bytes::{ByteSet, PairSet, is_word_byte};
use crate::file::{BLOCK, Filed, Filing, RunKind, file, marks};
use crate::fold::joins_words;
use crate::lead;
use crate::parallel;
use crate::pattern::{MATCH_BYTES_MAX, PROGRAM_BYTES_MAX, Pattern, SEPARATOR};
use crate::set::{Rule, RulePattern};
use crate::texts::{Texts, hash_packed};
use crate::{RuleError, RuleSet};
use regex_automata::hybrid::dfa::{self, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::captures::Captures;
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
    /// Texts at which groups look.
    texts: Texts,
    /// Kinds of runs, and the groups that look at them.
    runs: [(RunKind, Vec<u16>); 3],
    /// By byte: a bit for each kind of run it can be in.
    run_bits: [u8; 256],
    /// Rules that are searched for on their own.
    slow: Vec<usize>,
}

/// Working memory of an [`Engine`].
#[derive(Debug)]
pub(crate) struct Caches {
    /// By group; made when first needed.
    groups: Vec<Option<Walks>>,
    /// By rule; made when first needed.
    rules: Vec<Option<(meta::Cache, Captures)>>,
    progress: Vec<Progress>,
    /// By group of literals: starts below were tried.
    tried: Vec<usize>,
    /// Rules that match where the automaton looks.
    matched: Vec<usize>,
}

/// Working memory of one group.
#[derive(Debug)]
struct Walks {
    cache: dfa::Cache,
    /// Openings from which no match begins, as [`opening_at`] packs them, each at a place that it
    /// alone decides: a text that repeats itself is walked once.
    vain: Box<[u64; VAIN]>,
}

/// How far a rule has come.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// End of its last finding: the next match begins here or later.
    cursor: usize,
    /// Starts below were tried, where the rule has characters in front of its `value`.
    tried: usize,
    /// End of its match from where the automaton looks; 0 for none.
    end: usize,
    /// There are several ends, of which `end` is the last.
    several: bool,
}

/// A rule as it is searched for.
#[derive(Debug)]
struct Searched {
    pattern: RulePattern,
    /// Bytes of a match in front of what its automaton finds, at most.
    behind: usize,
    /// For what the automaton cannot tell; built when first needed.
    regex: OnceLock<meta::Regex>,
}

/// What is looked for of a rule.
#[derive(Debug)]
struct Member {
    rule: usize,
    hir: Hir,
    /// Bytes with which it can begin inside a word.
    loose: ByteSet,
    /// Bytes that may stand before it.
    prior: ByteSet,
}

/// Patterns that are tried together.
#[derive(Debug)]
struct Group {
    /// Rules by their index in the automaton.
    rules: Vec<usize>,
    automaton: DFA,
    /// Bytes that a match can begin with.
    first: ByteSet,
    /// Those of them that may stand inside a word.
    loose: ByteSet,
    /// Bytes that may stand before a match.
    prior: ByteSet,
    /// Bytes that stand some way behind the start of every match.
    marks: Vec<(usize, ByteSet)>,
    /// Bytes that can stand in a match before what it is filed under.
    before: ByteSet,
    /// Fewest and most of them.
    distance: (usize, usize),
    /// Fewest bytes of a run, where it is filed under runs.
    run: usize,
}

impl Engine {
    /// Files and compiles all rules.
    pub(crate) fn compile(rules: &RuleSet) -> Result<Engine, RuleError> {
        let pattern = |rule: &Rule| &rules.definition(rule.entity).patterns[rule.pattern];
        let places = parallel::map(rules.rules(), |rule| {
            let pattern = &pattern(rule).pattern;
            let bounded = pattern.length_max.is_some_and(|length| length <= MATCH_BYTES_MAX);
            bounded.then(|| file(pattern))
        });
        let mut searched = Vec::new();
        let mut filed: BTreeMap<Filing, Vec<Member>> = BTreeMap::new();
        let mut slow = Vec::new();
        for (index, place) in places.into_iter().enumerate() {
            let mut behind = 0;
            match place {
                Some(Filed { filing, hir, loose, behind: bytes, prior }) => {
                    behind = bytes;
                    let member = Member { rule: index, hir, loose, prior };
                    filed.entry(filing).or_default().push(member);
                }
                None => slow.push(index),
            }
            let pattern = pattern(&rules.rules()[index]).clone();
            searched.push(Searched { pattern, behind, regex: OnceLock::new() });
        }
        let mut engine = Engine {
            groups: Vec::new(),
            stops: PairSet::default(),
            by_byte: vec![Vec::new(); 256],
            texts: Texts::default(),
            runs: RunKind::ALL.map(|kind| (kind, Vec::new())),
            run_bits: [0; 256],
            slow,
            rules: searched,
        };
        let mut texts: Vec<(u16, &[Vec<u8>])> = Vec::new();
        let filed: Vec<(Filing, Vec<Member>)> = filed.into_iter().collect();
        let groups = parallel::map(&filed, |(_, members)| Group::compile(members, rules));
        for ((filing, members), group) in filed.iter().zip(groups) {
            engine.add(filing, members, group?, &mut texts);
        }
        engine.texts = Texts::new(&texts);
        engine.stops.extend(engine.texts.pairs());
        for index in &engine.slow {
            let rule = &rules.rules()[*index];
            let regex = engine.rules[*index].compile(true).map_err(|message| RuleError {
                path: rules.definition(rule.entity).path.clone(),
                message: format!("{}: {message}", rule.id),
            })?;
            engine.rules[*index].regex = OnceLock::from(regex);
        }
        Ok(engine)
    }

    /// Adds a group of rules that are filed alike.
    fn add<'a>(
        &mut self,
        filing: &'a Filing,
        members: &[Member],
        mut group: Group,
        texts: &mut Vec<(u16, &'a [Vec<u8>])>,
    ) {
        let place = u16::try_from(self.groups.len()).expect("there are no more groups than rules");
        match filing {
            Filing::Start { .. } => {
                self.stop_at(place, group.first, ByteSet::default(), Some(group.loose));
            }
            Filing::Byte { set, .. } => {
                group.distance = (usize::MAX, 0);
                for Member { hir, loose, .. } in members {
                    let lead = lead::lead(hir, *set).expect("that is why it is filed here");
                    let run = lead.run;
                    group.before = group.before.union(run.bytes);
                    let (min, max) = group.distance;
                    group.distance = (min.min(run.min), max.max(run.max));
                    let first = (run.min == 0).then_some(*loose);
                    let last = if run.max > 0 { run.last } else { ByteSet::default() };
                    self.stop_at(place, lead.first, last, first);
                }
            }
            Filing::Literals(literals) => {
                group.before = literals.before;
                group.distance = (literals.min, literals.max);
                texts.push((place, &literals.texts));
            }
            Filing::Run { kind, .. } => {
                let runs = members.iter().map(|member| lead::run_min(&member.hir, kind.set()));
                group.run = runs.min().unwrap_or_default();
                for (bit, (of, groups)) in self.runs.iter_mut().enumerate() {
                    if of == kind {
                        groups.push(place);
                        kind.set().iter().for_each(|byte| {
                            self.run_bits[usize::from(byte)] |= 1 << bit;
                        });
                    }
                }
            }
        }
        self.groups.push(group);
    }

    /// Makes the scan stop for a group at `bytes`: behind one of `previous`, and, where a match can
    /// begin there, behind any that makes an edge or, with a byte of `starts`, behind any at all.
    fn stop_at(&mut self, group: u16, bytes: ByteSet, previous: ByteSet, starts: Option<ByteSet>) {
        for byte in bytes.iter() {
            let behind = match starts {
                None => ByteSet::default(),
                Some(loose) if ByteSet::WORD.contains(byte) && !loose.contains(byte) => {
                    ByteSet::WORD.complement()
                }
                Some(_) => ByteSet::default().complement(),
            };
            self.stops.insert_all(previous.union(behind), ByteSet::single(byte));
            let groups = &mut self.by_byte[usize::from(byte)];
            if groups.last() != Some(&group) {
                groups.push(group);
            }
        }
    }

    pub(crate) fn caches(&self) -> Caches {
        Caches {
            groups: self.groups.iter().map(|_| None).collect(),
            rules: self.rules.iter().map(|_| None).collect(),
            progress: vec![Progress::default(); self.rules.len()],
            tried: vec![0; self.groups.len()],
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
    /// The search for a pattern goes on behind what was reported of a match. A match that fails a
    /// check hides no other: the search goes on one character after its start. (Where matches have
    /// no bound, after its end.)
    pub(crate) fn find(
        &self,
        text: &str,
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        caches.progress.fill(Progress::default());
        caches.tried.fill(0);
        self.find_filed(text, caches, found);
        self.find_runs(text, caches, found);
        for rule in &self.slow {
            self.find_slow(text, *rule, caches, found);
        }
    }

    /// Stops at every byte and every text that patterns are filed under.
    fn find_filed(
        &self,
        text: &str,
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        let bytes = text.as_bytes();
        // Around the text as at a separator: it is in no word and in no match.
        let mut previous = SEPARATOR;
        let mut three = u32::from_be_bytes([0, SEPARATOR, SEPARATOR, SEPARATOR]);
        for (place, &byte) in bytes.iter().chain([&SEPARATOR]).enumerate() {
            three = (three << 8 | u32::from(byte.to_ascii_lowercase())) & 0xff_ffff;
            let hash = hash_packed(three);
            if self.texts.may_know(hash) {
                self.texts.at(bytes, hash, place, |group, start| {
                    self.look_around(text, start, group, caches, found);
                });
            }
            if self.stops.contains(previous, byte) {
                self.texts.at_pair(bytes, place, |group, start| {
                    self.look_around(text, start, group, caches, found);
                });
                for group in &self.by_byte[usize::from(byte)] {
                    self.look_back(text, place, usize::from(*group), caches, found);
                }
            }
            previous = byte;
        }
    }

    /// Looks for matches of a group whose text begins at `place`.
    fn look_around(
        &self,
        text: &str,
        place: usize,
        index: usize,
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        let group = &self.groups[index];
        let (min, max) = group.distance;
        let Some(last) = place.checked_sub(min) else { return };
        let least = caches.tried[index].max(place.saturating_sub(max));
        caches.tried[index] = last + 1;
        let start = group.walk_back(text.as_bytes(), place, least);
        self.look_between(text, start.max(least), last, index, caches, found);
    }

    /// Looks for matches of a group whose first byte of some set stands at `place`.
    fn look_back(
        &self,
        text: &str,
        place: usize,
        index: usize,
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        let group = &self.groups[index];
        let (min, max) = group.distance;
        let Some(last) = place.checked_sub(min) else { return };
        // INVARIANT: what stands before holds no byte of the set, so no start is tried twice.
        let start = group.walk_back(text.as_bytes(), place, place.saturating_sub(max));
        self.look_between(text, start, last, index, caches, found);
    }

    /// Stops at long runs.
    fn find_runs(
        &self,
        text: &str,
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        let bytes = text.as_bytes();
        let mut before = 0;
        let mut ends = [0; 3];
        for (index, block) in bytes.chunks_exact(BLOCK).enumerate() {
            let bits =
                block.iter().fold(u8::MAX, |bits, byte| bits & self.run_bits[usize::from(*byte)]);
            if bits != 0 {
                let place = index * BLOCK;
                for (bit, (kind, groups)) in self.runs.iter().enumerate() {
                    // Two blocks make one of codes.
                    let codes = *kind == RunKind::Codes;
                    let whole = match (codes, index % 2) {
                        (true, 0) => 0,
                        (true, _) => before & bits,
                        (false, _) => bits,
                    };
                    if whole >> bit & 1 == 1 && ends[bit] <= place {
                        ends[bit] = self.look_at_run(text, place, bit, groups, caches, found);
                    }
                }
            }
            before = bits;
        }
    }

    /// Looks for matches that begin with the run around `place`; where it ends.
    fn look_at_run(
        &self,
        text: &str,
        place: usize,
        bit: usize,
        groups: &[u16],
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) -> usize {
        let bytes = text.as_bytes();
        let in_set = |byte: &&u8| self.run_bits[usize::from(**byte)] >> bit & 1 == 1;
        let start = place - bytes[..place].iter().rev().take_while(in_set).count();
        let end = place + bytes[place..].iter().take_while(in_set).count();
        for group in groups.iter().map(|group| usize::from(*group)) {
            if let Some(last) = end.checked_sub(self.groups[group].run) {
                self.look_between(text, start, last, group, caches, found);
            }
        }
        end
    }

    /// Looks for matches of a group that begin at `first` to `last`, both included.
    fn look_between(
        &self,
        text: &str,
        first: usize,
        last: usize,
        index: usize,
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        let bytes = text.as_bytes();
        let group = &self.groups[index];
        for start in first..=last {
            let Some(byte) = bytes.get(start) else { break };
            let previous = start.checked_sub(1).map_or(SEPARATOR, |place| bytes[place]);
            let inside = || is_word_byte(*byte) && is_word_byte(previous);
            let marked = |(place, set): &(usize, ByteSet)| {
                bytes.get(start + place).is_some_and(|byte| set.contains(*byte))
            };
            if group.first.contains(*byte)
                && group.prior.contains(previous)
                && (group.loose.contains(*byte) || !inside())
                && group.marks.iter().all(marked)
                && !caches.groups[index].as_ref().is_some_and(|walks| walks.is_vain(bytes, start))
            {
                self.look(text, start, index, caches, found);
            }
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
        let Caches { groups, progress, matched, .. } = &mut *caches;
        if let [rule] = group.rules[..]
            && progress[rule].cursor > start
        {
            return;
        }
        let walks = groups[index].get_or_insert_with(|| Walks {
            cache: group.automaton.create_cache(),
            vain: Box::new([u64::MAX; VAIN]),
        });
        group.ends(text.as_bytes(), start, walks, |rule, end| {
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
        if matched.is_empty() {
            return;
        }
        let mut matched = std::mem::take(matched);
        for rule in matched.drain(..) {
            let Progress { end, several, .. } = caches.progress[rule];
            caches.progress[rule].end = 0;
            if self.rules[rule].behind > 0 {
                self.look_behind(text, start, rule, caches, found);
                continue;
            }
            let end = if several { self.first_end(text, start, end, rule, caches) } else { end };
            if let Some((from, to)) = self.accept(text, start, end, rule, caches) {
                caches.progress[rule].cursor = to;
                found(rule, from, to);
            }
        }
        caches.matched = matched;
    }

    /// Reports the matches of a rule whose `value` may begin at `place`: they begin a few characters
    /// before.
    fn look_behind(
        &self,
        text: &str,
        place: usize,
        rule: usize,
        caches: &mut Caches,
        found: &mut impl FnMut(usize, usize, usize),
    ) {
        let Searched { pattern, behind, .. } = &self.rules[rule];
        let Progress { cursor, tried, .. } = caches.progress[rule];
        let mut start = place.saturating_sub(*behind).max(cursor).max(tried);
        while start <= place {
            if text.is_char_boundary(start) {
                let longest = pattern.pattern.length_max.unwrap_or(text.len());
                let end = text.len().min(start + longest);
                let input = Input::new(text).span(start..end).anchored(Anchored::Yes);
                let (regex, (cache, _)) = self.regex(rule, caches);
                if let Some(half) = regex.search_half_with(cache, &input)
                    && let Some((from, to)) = self.accept(text, start, half.offset(), rule, caches)
                {
                    found(rule, from, to);
                    caches.progress[rule].cursor = to;
                    start = start.max(to - 1);
                }
            }
            start += 1;
        }
        caches.progress[rule].tried = place + 1;
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
        let (regex, (cache, _)) = self.regex(rule, caches);
        let matched = regex.search_half_with(cache, &input);
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
        let length = pattern.holds(text.get(from..to)?)?;
        Some((from, from + length))
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
                at = to;
            }
        }
    }

    /// A search for one rule, and memory for it.
    fn regex<'a>(
        &self,
        rule: usize,
        caches: &'a mut Caches,
    ) -> (&meta::Regex, &'a mut (meta::Cache, Captures)) {
        let regex = self.rules[rule].regex.get_or_init(|| {
            let regex = self.rules[rule].compile(false);
            regex.expect("its program was within the limit when the rules were compiled")
        });
        let cache = &mut caches.rules[rule];
        (regex, cache.get_or_insert_with(|| (regex.create_cache(), regex.create_captures())))
    }
}

impl Searched {
    /// A search for the pattern, in all of a text or from where it is known to match.
    fn compile(&self, anywhere: bool) -> Result<meta::Regex, String> {
        let config = meta::Config::new()
            .hybrid_cache_capacity(RULE_CACHE_BYTES_MAX)
            .dfa(anywhere)
            .auto_prefilter(anywhere);
        self.pattern.pattern.regex(config)
    }
}

impl Group {
    /// The program of all members together, each of which stays within the limit of one.
    fn program(members: &[Member], rules: &RuleSet) -> Result<thompson::NFA, RuleError> {
        let hirs: Vec<&Hir> = members.iter().map(|member| &member.hir).collect();
        // Together within the limit of one, as nearly always, none can be beyond it.
        if let Ok(program) = program(&hirs, PROGRAM_BYTES_MAX) {
            return Ok(program);
        }
        for (member, hir) in members.iter().zip(&hirs) {
            let rule = &rules.rules()[member.rule];
            program(&[hir], PROGRAM_BYTES_MAX).map_err(|message| RuleError {
                path: rules.definition(rule.entity).path.clone(),
                message: format!("{}: {message}", rule.id),
            })?;
        }
        program(&hirs, PROGRAM_BYTES_MAX * PROGRAMS_MAX)
            .map_err(|message| RuleError { path: "rules".to_owned(), message })
    }

    fn compile(members: &[Member], rules: &RuleSet) -> Result<Group, RuleError> {
        let program = Group::program(members, rules)?;
        let hirs: Vec<&Hir> = members.iter().map(|member| &member.hir).collect();
        let config = dfa::Config::new()
            .match_kind(MatchKind::All)
            .cache_capacity(CACHE_BYTES_MAX)
            .skip_cache_capacity_check(true);
        let automaton =
            dfa::Builder::new().configure(config).build_from_nfa(program).map_err(|error| {
                RuleError {
                    path: "rules".to_owned(),
                    message: format!("they do not compile together: {error}"),
                }
            })?;
        let first = hirs.iter().map(|hir| lead::first_bytes(hir));
        Ok(Group {
            rules: members.iter().map(|member| member.rule).collect(),
            automaton,
            first: first.fold(ByteSet::default(), ByteSet::union),
            loose: members.iter().fold(ByteSet::default(), |all, member| all.union(member.loose)),
            prior: members.iter().fold(ByteSet::default(), |all, member| all.union(member.prior)),
            marks: marks(&hirs),
            before: ByteSet::default(),
            distance: (0, 0),
            run: 0,
        })
    }

    /// The first place, not before `least`, from where only bytes that can stand before lead to
    /// `place`.
    fn walk_back(&self, bytes: &[u8], place: usize, least: usize) -> usize {
        let mut start = place;
        while start > least && self.before.contains(bytes[start - 1]) {
            start -= 1;
        }
        start
    }

    /// Calls `matched` with rule and end of every match that begins at `start`, by end.
    fn ends(
        &self,
        bytes: &[u8],
        start: usize,
        walks: &mut Walks,
        mut matched: impl FnMut(usize, usize),
    ) {
        const NEVER: &str = "no byte makes it quit, and its cache may be cleared at any time";
        let dfa = &self.automaton;
        let cache = &mut walks.cache;
        let look_behind = start.checked_sub(1).map(|place| bytes[place]);
        let config = start::Config::new().anchored(Anchored::Yes).look_behind(look_behind);
        let mut state = dfa.start_state(cache, &config).expect(NEVER);
        let mut in_vain = true;
        for (place, byte) in bytes.iter().enumerate().skip(start) {
            state = dfa.next_state(cache, state, *byte).expect(NEVER);
            if state.is_tagged() {
                if state.is_dead() {
                    if in_vain && place < start + OPENING {
                        walks.remember(bytes, start);
                    }
                    return;
                }
                if state.is_match() {
                    in_vain = false;
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

impl Walks {
    /// Whether a walk from `start` is known to lead nowhere.
    fn is_vain(&self, bytes: &[u8], start: usize) -> bool {
        opening_at(bytes, start).is_some_and(|opening| self.vain[place_of(opening)] == opening)
    }

    fn remember(&mut self, bytes: &[u8], start: usize) {
        if let Some(opening) = opening_at(bytes, start) {
            self.vain[place_of(opening)] = opening;
        }
    }
}

/// The place of an opening among [`VAIN`].
fn place_of(opening: u64) -> usize {
    usize::from(opening.wrapping_mul(SPREAD).to_be_bytes()[0])
}

/// The byte before `start` and [`OPENING`] bytes from there, where there are as many: all that a walk
/// that ends among them depends on. Never `u64::MAX`, as no text has a byte 0xff.
fn opening_at(bytes: &[u8], start: usize) -> Option<u64> {
    let opening = bytes.get(start.checked_sub(1)?..start + OPENING)?;
    opening.try_into().ok().map(u64::from_ne_bytes)
}

/// Bytes of an opening, one before it aside.
const OPENING: usize = 7;

/// Openings that are remembered of a group.
const VAIN: usize = 256;

/// 2^64 over the golden ratio: spreads openings over their places (Knuth, TAOCP 3, 6.4).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Largest cache of one group's automaton, in bytes. It grows as texts ask for it, to some 15 MB
/// on columns of digits with all rules; one that is too small is built again and again, ten times
/// as slow.
const CACHE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The same for a rule on its own.
const RULE_CACHE_BYTES_MAX: usize = 512 * 1024;

/// Programs of the largest size that one group may add up to.
const PROGRAMS_MAX: usize = 64;

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
    let broken_start = pattern.edge_start && is_word_byte(bytes[start]) && joins(before());
    let broken_end = || pattern.edge_end && is_word_byte(bytes[end - 1]) && joins(after());
    !broken_start && !broken_end()
}
