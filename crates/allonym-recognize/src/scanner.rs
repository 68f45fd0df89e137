//! One pass over text.

use crate::context::{AGAINST, Hits, Phrases};
use crate::engine::{Caches, Engine};
use crate::nearest::hint;
use crate::overlap::resolve;
use crate::pattern::{Pattern, SEPARATOR};
use crate::set::RulePattern;
use crate::{EntityId, Evidence, RuleError, RuleId, RuleSet, Span};
use regex_automata::meta;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Most entries of one allow or deny list.
pub const LIST_MAX: usize = 1000;

/// What a policy adjusts.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// Findings below are not reported; 0 reports weak shapes too.
    pub min_score: f32,
    /// The same, per entity.
    pub entity_min_score: BTreeMap<String, f32>,
    /// Never a finding, per entity: exact text, or `/regex/`; of the whole finding.
    pub allow: BTreeMap<String, Vec<String>>,
    /// Always a finding, per entity: exact text, or `/regex/`, wherever it does not stand inside a
    /// longer word; `^` and `$` of a regex are the edges of a word. The entity may be new. What
    /// is listed is reported even where an allow list names it.
    pub deny: BTreeMap<String, Vec<String>>,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning {
            min_score: 0.5,
            entity_min_score: BTreeMap::new(),
            allow: BTreeMap::new(),
            deny: BTreeMap::new(),
        }
    }
}

/// Compiled rules.
#[derive(Debug)]
pub struct Recognizer {
    rules: RuleSet,
    /// Parallel to the rules.
    scoring: Vec<Scoring>,
    engine: Engine,
    phrases: Phrases,
    /// By entity.
    allow: Vec<Allow>,
    /// Tells this recognizer's scratch from another's.
    identity: Arc<()>,
}

/// Caller's working memory; one per thread, reused. May be used with several recognizers, at the
/// cost of warming up again.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Of the recognizer it was last used with.
    warm: Option<Warm>,
    candidates: Vec<Candidate>,
    hits: Hits,
    /// Short texts, joined.
    joined: String,
    /// Index of each joined text and where it ends in `joined`.
    joints: Vec<(usize, usize)>,
    spans: Vec<Span>,
}

impl Recognizer {
    /// Compiles; limits (pattern size, match length, number of rules) are enforced here.
    ///
    /// # Errors
    /// A pattern that compiles to more than [`PROGRAM_BYTES_MAX`](crate::PROGRAM_BYTES_MAX), a
    /// list entry that is not a regular expression or too long, an entity that the rules do not
    /// know (a deny list may name a new one), a threshold outside [0, 1].
    pub fn compile(rules: &RuleSet, tuning: &Tuning) -> Result<Recognizer, RuleError> {
        let rules = with_deny(rules, &tuning.deny)?;
        let tuned = tuning.entity_min_score.keys().chain(tuning.allow.keys());
        for name in tuned {
            if rules.entity_by_name(name).is_none() {
                let known = rules.entities().iter().map(|entity| entity.name.as_str());
                return Err(tuning_error(format!("no entity `{name}`{}", hint(name, known))));
            }
        }
        let thresholds = tuning.entity_min_score.values().chain([&tuning.min_score]);
        if let Some(wrong) = thresholds.copied().find(|score| !(0.0..=1.0).contains(score)) {
            return Err(tuning_error(format!("min_score {wrong} is not between 0 and 1")));
        }
        let phrases = Phrases::compile(&rules)
            .map_err(|message| RuleError { path: "rules".to_owned(), message })?;
        let engine = Engine::compile(&rules)?;
        let scoring = rules.rules().iter().map(|rule| {
            let pattern = &rules.definition(rule.entity).patterns[rule.pattern];
            let name = &rules.entity(rule.entity).name;
            Scoring {
                entity: rule.entity,
                checked: !pattern.checks.is_empty(),
                listed: pattern.listed,
                plain: pattern.score_plain(),
                best: pattern.score_best(),
                min: *tuning.entity_min_score.get(name).unwrap_or(&tuning.min_score),
                context: !pattern.listed && phrases.matter_to(rule.entity),
            }
        });
        let scoring = scoring.collect();
        let allow = rules
            .entities()
            .iter()
            .map(|entity| Allow::compile(&entity.name, tuning.allow.get(&entity.name)))
            .collect::<Result<_, _>>()?;
        Ok(Recognizer { rules, scoring, engine, phrases, allow, identity: Arc::new(()) })
    }

    /// The rules it was compiled from (with the entities that deny lists added).
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Ids of the rules that cannot be scanned for together with all others, sorted.
    pub(crate) fn slow(&self) -> Vec<String> {
        let slow = self.engine.slow();
        slow.map(|rule| self.rules.rules()[rule].id.clone()).collect()
    }

    /// Disjoint findings of one text, in order. Clears `out` first. Cannot fail.
    ///
    /// U+001E ends a text: nothing is found across it.
    pub fn scan(&self, text: &str, scratch: &mut Scratch, out: &mut Vec<Span>) {
        let mut warm = self.warm(scratch);
        self.scan_with(text, &mut warm, scratch, out);
        scratch.warm = Some(warm);
    }

    /// Findings of many short texts at once: the same spans as [`scan`](Self::scan) on each,
    /// offsets relative to the text. Clears `out` first.
    pub fn scan_many(
        &self,
        texts: &mut dyn Iterator<Item = &str>,
        scratch: &mut Scratch,
        out: &mut Vec<(usize, Span)>,
    ) {
        out.clear();
        let mut warm = self.warm(scratch);
        let mut joined = std::mem::take(&mut scratch.joined);
        let mut joints = std::mem::take(&mut scratch.joints);
        let mut spans = std::mem::take(&mut scratch.spans);
        for (index, text) in texts.enumerate() {
            if joined.len() + text.len() > JOINED_BYTES_MAX && !joined.is_empty() {
                self.scan_with(&joined, &mut warm, scratch, &mut spans);
                hand_out(&spans, &mut joints, out);
                joined.clear();
            }
            joined.push_str(text);
            joints.push((index, joined.len()));
            joined.push(char::from(SEPARATOR));
        }
        self.scan_with(&joined, &mut warm, scratch, &mut spans);
        hand_out(&spans, &mut joints, out);
        joined.clear();
        joined.shrink_to(JOINED_BYTES_MAX * 2);
        scratch.joined = joined;
        scratch.joints = joints;
        scratch.spans = spans;
        scratch.warm = Some(warm);
    }

    fn warm(&self, scratch: &mut Scratch) -> Warm {
        match scratch.warm.take() {
            Some(warm) if Arc::ptr_eq(&warm.identity, &self.identity) => warm,
            _ => Warm { identity: Arc::clone(&self.identity), caches: self.engine.caches() },
        }
    }

    fn scan_with(&self, text: &str, warm: &mut Warm, scratch: &mut Scratch, out: &mut Vec<Span>) {
        out.clear();
        let Scratch { candidates, hits, .. } = scratch;
        candidates.clear();
        self.engine.find(text, &mut warm.caches, &mut |rule, start, end| {
            let scoring = &self.scoring[rule];
            // Allowed and weak matches still are matches: the search goes on behind them.
            let allow = &self.allow[usize::from(scoring.entity.0)];
            if scoring.listed || (scoring.best >= scoring.min && !allow.contains(text, start, end))
            {
                candidates.push(Candidate { start, end, rule });
            }
        });
        candidates.sort_unstable();
        let mut next = 0;
        // Up to where the last region was looked at for phrases, and where it began.
        let mut region = (0, 0);
        while next < candidates.len() {
            let candidate = candidates[next];
            let scoring = &self.scoring[candidate.rule];
            if scoring.context {
                let (from, to) = self.phrases.region(text, candidate.start, candidate.end);
                if from < region.0 || to > region.1 {
                    region = (from, self.region_end(text, &candidates[next..], to));
                    self.phrases.find(text, region.0, region.1, hits);
                }
            }
            if let Some(span) = self.score(text, candidate, scoring, hits) {
                out.push(span);
            }
            next += 1;
        }
        resolve(out);
    }

    /// Extends a region of phrases over the candidates that follow closely.
    fn region_end(&self, text: &str, candidates: &[Candidate], to: usize) -> usize {
        let mut end = to;
        for candidate in candidates {
            if candidate.start > end || end - to > REGION_BYTES_MAX {
                break;
            }
            if self.scoring[candidate.rule].context {
                end = end.max(self.phrases.region(text, candidate.start, candidate.end).1);
            }
        }
        end
    }

    fn score(
        &self,
        text: &str,
        candidate: Candidate,
        scoring: &Scoring,
        hits: &Hits,
    ) -> Option<Span> {
        let Candidate { start, end, rule } = candidate;
        let nearby = if scoring.context {
            self.phrases.nearby(text, scoring.entity, (start, end), hits)
        } else {
            Default::default()
        };
        let score = match (nearby.against, nearby.phrase) {
            (true, _) => scoring.plain * AGAINST,
            (false, Some(_)) => scoring.best,
            (false, None) => scoring.plain,
        };
        (scoring.listed || score >= scoring.min).then(|| Span {
            start,
            end,
            entity: scoring.entity,
            rule: RuleId(u16::try_from(rule).expect("RULES_MAX bounds the number of rules")),
            score,
            evidence: Evidence {
                validated: scoring.checked,
                phrase: nearby.phrase,
                listed: scoring.listed,
            },
        })
    }
}

/// Bytes of short texts that are scanned at once.
const JOINED_BYTES_MAX: usize = 64 * 1024;

/// Bytes by which a region of phrases grows beyond its first candidate.
const REGION_BYTES_MAX: usize = 16 * 1024;

/// What becomes of a match of a rule.
#[derive(Debug)]
struct Scoring {
    entity: EntityId,
    checked: bool,
    listed: bool,
    plain: f32,
    best: f32,
    /// Threshold.
    min: f32,
    /// Phrases matter.
    context: bool,
}

/// Memory that belongs to one recognizer.
#[derive(Debug)]
struct Warm {
    identity: Arc<()>,
    caches: Caches,
}

/// A match that passed its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    start: usize,
    end: usize,
    rule: usize,
}

/// What is never a finding of an entity.
#[derive(Debug, Default)]
struct Allow {
    exact: Vec<String>,
    regexes: Vec<meta::Regex>,
}

impl Allow {
    fn compile(entity: &str, list: Option<&Vec<String>>) -> Result<Allow, RuleError> {
        let mut allow = Allow::default();
        for (place, entry) in list.into_iter().flatten().enumerate() {
            match as_regex(entry) {
                None => allow.exact.push(entry.clone()),
                Some(regex) => {
                    let regex = Pattern::parse(regex).and_then(|pattern| pattern.whole());
                    allow.regexes.push(regex.map_err(|message| {
                        tuning_error(format!("{entity}.allow[{place}]: {message}"))
                    })?);
                }
            }
        }
        if allow.exact.len() + allow.regexes.len() > LIST_MAX {
            return Err(tuning_error(format!(
                "{entity}.allow has more than {LIST_MAX} entries; write a regex"
            )));
        }
        allow.exact.sort_unstable();
        Ok(allow)
    }

    fn contains(&self, text: &str, start: usize, end: usize) -> bool {
        if self.exact.is_empty() && self.regexes.is_empty() {
            return false;
        }
        let Some(finding) = text.get(start..end) else { return false };
        self.exact.binary_search_by(|entry| entry.as_str().cmp(finding)).is_ok()
            || self.regexes.iter().any(|regex| regex.is_match(finding))
    }
}

/// The rules and those of the deny lists.
fn with_deny(rules: &RuleSet, deny: &BTreeMap<String, Vec<String>>) -> Result<RuleSet, RuleError> {
    let mut listed = BTreeMap::new();
    for (entity, list) in deny {
        if list.len() > LIST_MAX {
            return Err(tuning_error(format!(
                "{entity}.deny has more than {LIST_MAX} entries; write a regex"
            )));
        }
        let patterns = list.iter().enumerate().map(|(place, entry)| {
            let pattern = match as_regex(entry) {
                None => Pattern::literal(entry),
                Some(regex) => Pattern::parse_listed(regex),
            };
            pattern
                .map(|pattern| RulePattern::listed(entry.clone(), pattern, place))
                .map_err(|message| tuning_error(format!("{entity}.deny[{place}]: {message}")))
        });
        listed.insert(entity.clone(), patterns.collect::<Result<Vec<_>, _>>()?);
    }
    rules.with_listed(listed)
}

/// The expression of a list entry written `/regex/`.
fn as_regex(entry: &str) -> Option<&str> {
    entry.strip_prefix('/')?.strip_suffix('/')
}

fn tuning_error(message: String) -> RuleError {
    RuleError { path: "find".to_owned(), message }
}

/// Gives the findings of joined texts back to their texts.
fn hand_out(spans: &[Span], joints: &mut Vec<(usize, usize)>, out: &mut Vec<(usize, Span)>) {
    let mut rest = spans;
    let mut start = 0;
    for (index, end) in joints.drain(..) {
        while let Some((span, others)) = rest.split_first().filter(|(span, _)| span.end <= end) {
            let span = Span { start: span.start - start, end: span.end - start, ..*span };
            out.push((index, span));
            rest = others;
        }
        start = end + 1;
    }
}
