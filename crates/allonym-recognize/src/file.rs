//! Under what a pattern is filed.

use crate::bytes::ByteSet;
use crate::lead::{Lead, Run, first_bytes, lead, leaves_edge, loose_bytes, opening, run, run_min};
use crate::pattern::{Pattern, SEPARATOR};
use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{
    Capture, Class, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look,
    Repetition,
};

/// How a pattern is found.
#[derive(Debug)]
pub(crate) struct Filed {
    /// What the scan stops at to look for it.
    pub(crate) filing: Filing,
    /// What is looked for there: the pattern, or what follows its first characters.
    pub(crate) hir: Hir,
    /// Bytes with which that can begin inside a word.
    pub(crate) loose: ByteSet,
    /// Most bytes of those first characters.
    pub(crate) behind: usize,
    /// Bytes that may stand before it; a separator stands before the start of a text.
    pub(crate) prior: ByteSet,
}

/// What the scan stops at to look for a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Filing {
    /// The first byte of the set in a match.
    Byte {
        /// The set.
        set: ByteSet,
        /// A match begins at the edge of a word, if with one.
        edge: bool,
        /// How far from the start it may stand.
        reach: Reach,
        /// What may stand between, where that may be much.
        between: ByteSet,
    },
    /// A long run at the start of a match.
    Run {
        /// Of what.
        kind: RunKind,
        /// A match begins at the edge of a word, if with one.
        edge: bool,
    },
    /// One of some texts.
    Literals(Literals),
    /// The first byte of a match, whatever it is.
    Start {
        /// A match begins at the edge of a word, if with one.
        edge: bool,
    },
}

/// How far something stands from the start of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// At the start.
    Here,
    /// A few bytes behind it.
    Near,
    /// Anywhere.
    Far,
}

/// Texts of which every match has one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Literals {
    /// The texts, in lower case; two bytes or more. Case does not matter.
    pub(crate) texts: Vec<Vec<u8>>,
    /// Fewest bytes of a match before the text.
    pub(crate) min: usize,
    /// Most bytes of a match before the text.
    pub(crate) max: usize,
    /// Which bytes.
    pub(crate) before: ByteSet,
}

/// Bytes that seldom stand together in great number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RunKind {
    /// Capital letters and digits.
    Capitals,
    /// Digits, and letters but vowels.
    Consonants,
    /// Characters of base64, hex and the like.
    Codes,
}

impl RunKind {
    /// Its bytes.
    pub(crate) fn set(self) -> ByteSet {
        match self {
            RunKind::Capitals => {
                ByteSet::of(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
            }
            RunKind::Consonants => ByteSet::of(|byte| {
                byte.is_ascii_alphanumeric() && !b"aeiou".contains(&byte.to_ascii_lowercase())
            }),
            RunKind::Codes => {
                ByteSet::of(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte))
            }
        }
    }

    /// Bytes that are looked at together: a run has twice as many, less one.
    fn block(self) -> usize {
        match self {
            RunKind::Capitals | RunKind::Consonants => BLOCK,
            RunKind::Codes => 2 * BLOCK,
        }
    }

    /// Fewest bytes of a run.
    pub(crate) fn min(self) -> usize {
        2 * self.block() - 1
    }

    /// All kinds.
    pub(crate) const ALL: [RunKind; 3] = [RunKind::Capitals, RunKind::Consonants, RunKind::Codes];
}

/// Bytes that are looked at together to find a run. A run of any kind holds a whole block of its
/// kind at a multiple of the block's length.
pub(crate) const BLOCK: usize = 4;

/// Files a pattern whose matches have a bound where the fewest stops are expected in prose.
pub(crate) fn file(pattern: &Pattern) -> Filed {
    let Behind { hir, bytes: behind, guarded, prior } = behind(&pattern.hir);
    let starts = Starts::of(&hir, guarded);
    let edge = starts.loose.intersection(ByteSet::WORD).is_empty();
    let first = starts.first;
    let mut best = (8.0 * starts.rate(first) + 5.0, Filing::Start { edge });
    let mut consider = |cost: f64, filing: Filing| {
        if cost < best.0 {
            best = (cost, filing);
        }
    };
    let bytes = run(&hir).bytes;
    for set in candidates().filter(|set| !set.intersection(bytes).is_empty()) {
        let Some(lead) = lead(&hir, set) else { continue };
        if lead.run.max <= DISTANCE_MAX {
            let reach = match lead.run.max {
                0 => Reach::Here,
                1..=NEAR_MAX => Reach::Near,
                _ => Reach::Far,
            };
            // Far starts are tried for those only for which they are possible.
            let far = reach == Reach::Far;
            let between = if far { lead.run.bytes } else { ByteSet::default() };
            consider(
                byte_stops(&lead, &starts) * starts.cost(lead.run),
                Filing::Byte { set, edge, reach, between },
            );
        }
    }
    for (kind, stops) in
        [(RunKind::Capitals, 2.0), (RunKind::Consonants, 3.0), (RunKind::Codes, 4.0)]
    {
        if run_min(&hir, kind.set()) >= kind.min() {
            consider(stops, Filing::Run { kind, edge });
        }
    }
    // What stands before a text is walked over anyway, so nothing is left out.
    let starts_whole = Starts::of(&pattern.hir, false);
    match literals(&pattern.hir, &starts_whole).filter(|(cost, _)| *cost < best.0) {
        Some((_, literals)) => Filed {
            filing: Filing::Literals(literals),
            hir: pattern.hir.clone(),
            loose: starts_whole.loose,
            behind: 0,
            prior: ByteSet::default().complement(),
        },
        None => Filed { filing: best.1, hir, loose: starts.loose, behind, prior },
    }
}

/// Places near the start of all matches whose bytes rule most starts out: how far from it, and what
/// may stand there.
pub(crate) fn marks(hirs: &[&Hir]) -> Vec<(usize, ByteSet)> {
    let all = hirs.iter().map(|hir| opening(hir)).reduce(|mut all, next| {
        all.iter_mut().zip(next).for_each(|(set, more)| *set = set.union(more));
        all
    });
    let sets = all.unwrap_or_default();
    let mut marks: Vec<(usize, ByteSet)> = sets.into_iter().enumerate().skip(1).collect();
    marks.sort_by(|left, right| rate_of(left.1).total_cmp(&rate_of(right.1)));
    marks.retain(|(_, set)| rate_of(*set) < MARK_RATE_MAX);
    marks.truncate(MARKS_MAX);
    marks
}

/// Most places that are looked at.
const MARKS_MAX: usize = 4;
/// Most bytes of a thousand that may stand at such a place.
const MARK_RATE_MAX: f64 = 900.0;

/// Where matches can begin.
#[derive(Debug)]
struct Starts {
    /// Bytes with which they begin.
    first: ByteSet,
    /// Those of them that may stand inside a word.
    loose: ByteSet,
}

impl Starts {
    fn of(hir: &Hir, guarded: bool) -> Starts {
        Starts { first: first_bytes(hir), loose: loose_bytes(hir, guarded) }
    }

    /// How often a match could begin with one of `bytes`, in a thousand bytes of prose.
    fn rate(&self, bytes: ByteSet) -> f64 {
        let inside = bytes.intersection(ByteSet::WORD).intersection(self.loose.complement());
        // One character in five begins a word.
        rate_of(bytes.intersection(inside.complement())) + 0.2 * rate_of(inside)
    }

    /// What a stop costs where `run` leads up to it.
    fn cost(&self, run: Run) -> f64 {
        let share = (rate_of(run.bytes) / 1000.0).min(0.99);
        // Steps back until a byte that cannot stand there, on average.
        let back = (1.0 / (1.0 - share)).min(f64::from(u16::try_from(run.max).unwrap_or(u16::MAX)));
        1.0 + back * (0.05 + self.rate(self.first) / 1000.0)
    }
}

/// How often the scan stops at the byte that a lead leads to, in a thousand bytes of prose.
fn byte_stops(lead: &Lead, starts: &Starts) -> f64 {
    let here = if lead.run.min == 0 { starts.rate(lead.first) } else { 0.0 };
    // Digits stand beside each other and beside symbols.
    let led = (rate_of(lead.run.last) / 1000.0).clamp(0.1, 1.0);
    here + if lead.run.max > 0 { rate_of(lead.first) * led } else { 0.0 }
}

/// What follows the characters that a pattern with a `value` group has in front of the group, as
/// in `(?:^|[^\w.])(?P<value>...)`.
///
/// All of the pattern and no bytes where there are no such characters, or many.
struct Behind {
    hir: Hir,
    /// Most bytes of those characters.
    bytes: usize,
    /// No word goes on there.
    guarded: bool,
    /// Which byte may be the last of them; a separator for the start of a text.
    prior: ByteSet,
}

fn behind(hir: &Hir) -> Behind {
    let all = ByteSet::default().complement();
    let whole = || Behind { hir: hir.clone(), bytes: 0, guarded: false, prior: all };
    let HirKind::Concat(parts) = hir.kind() else { return whole() };
    let is_group = |part: &Hir| matches!(part.kind(), HirKind::Capture(_));
    let Some(place) = parts.iter().position(is_group).filter(|place| *place > 0) else {
        return whole();
    };
    let (before, rest) = parts.split_at(place);
    let before = Hir::concat(before.to_vec());
    let front = run(&before);
    if front.max == 0 || front.max > BEHIND_MAX {
        return whole();
    }
    let guarded = front.last.intersection(ByteSet::WORD).is_empty() && leaves_edge(&before);
    let prior = match empty_inside(&before) {
        true => all,
        false => front.last.union(ByteSet::single(SEPARATOR)),
    };
    Behind { hir: Hir::concat(rest.to_vec()), bytes: front.max, guarded, prior }
}

/// Whether the expression can match the empty text elsewhere than at the start of a text.
fn empty_inside(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Look(look) => *look != Look::StartLF,
        HirKind::Literal(_) | HirKind::Class(_) => false,
        HirKind::Capture(capture) => empty_inside(&capture.sub),
        HirKind::Repetition(repetition) => repetition.min == 0 || empty_inside(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().all(empty_inside),
        HirKind::Alternation(parts) => parts.iter().any(empty_inside),
    }
}

/// The cheapest texts of which every match has one, and the expected cost.
fn literals(hir: &Hir, starts: &Starts) -> Option<(f64, Literals)> {
    let found = required(&fold(hir), Run::default(), starts)?;
    let Required { cost, texts, before } = found;
    // What was folded stands for both cases.
    let bytes = ByteSet::of(|byte| before.bytes.contains(byte.to_ascii_lowercase()));
    Some((cost, Literals { texts, min: before.min, max: before.max, before: bytes }))
}

/// Texts of which every match has one.
struct Required {
    cost: f64,
    texts: Vec<Vec<u8>>,
    /// What stands before the text in a match.
    before: Run,
}

/// The cheapest texts of which every match of `hir` has one, where `before` stands before it.
fn required(hir: &Hir, before: Run, starts: &Starts) -> Option<Required> {
    if before.max > DISTANCE_MAX {
        return None;
    }
    match hir.kind() {
        HirKind::Capture(capture) => required(&capture.sub, before, starts),
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            required(&repetition.sub, before, starts)
        }
        HirKind::Concat(_) => {
            let mut parts = Vec::new();
            flatten(hir, &mut parts);
            let mut before = before;
            let mut best: Option<Required> = None;
            for (place, part) in parts.iter().enumerate() {
                let here = || {
                    let follow = &parts[place..parts.len().min(place + PARTS_MAX)];
                    prefix(&Hir::concat(follow.to_vec()), before, starts)
                };
                let here = if begins_with_many(part) { None } else { here() };
                let inside = match part.kind() {
                    HirKind::Literal(_) | HirKind::Class(_) => None,
                    _ => required(part, before, starts),
                };
                best = best.into_iter().chain(here).chain(inside).min_by(cheaper);
                before = before.then(run(part));
            }
            best
        }
        HirKind::Alternation(branches) => {
            let whole = prefix(hir, before, starts);
            let each = branches.iter().map(|branch| required(branch, before, starts));
            let each = each.reduce(|all, next| {
                let (mut all, next) = (all?, next?);
                all.cost += next.cost;
                all.texts.extend(next.texts);
                all.before = all.before.or(next.before);
                Some(all)
            });
            whole.into_iter().chain(each.flatten()).min_by(cheaper)
        }
        _ => prefix(hir, before, starts),
    }
}

fn cheaper(left: &Required, right: &Required) -> std::cmp::Ordering {
    left.cost.total_cmp(&right.cost)
}

/// The texts that all matches of `hir` begin with.
fn prefix(hir: &Hir, before: Run, starts: &Starts) -> Option<Required> {
    let texts = texts(hir)?;
    let rate: f64 = texts.iter().map(|text| text_rate(text)).sum();
    Some(Required { cost: rate * starts.cost(before), texts, before })
}

/// Whether matches begin with so many different characters that there are no texts to ask for.
fn begins_with_many(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Class(class) => {
            let ranges = match class {
                Class::Unicode(class) => class.ranges().iter().map(ClassUnicodeRange::len).sum(),
                Class::Bytes(class) => class.ranges().iter().map(ClassBytesRange::len).sum(),
            };
            let characters: usize = ranges;
            characters > CLASS_MAX
        }
        HirKind::Capture(capture) => begins_with_many(&capture.sub),
        HirKind::Repetition(repetition) => begins_with_many(&repetition.sub),
        HirKind::Concat(parts) => parts.first().is_some_and(begins_with_many),
        _ => false,
    }
}

/// The texts that all matches begin with, as long as they may be without being many; `None` where
/// they are many or too short.
fn texts(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    [TEXT_BYTES_MAX, 5, 4, 3].into_iter().find_map(|bytes_max| {
        let mut extractor = Extractor::new();
        extractor
            .kind(ExtractKind::Prefix)
            .limit_class(CLASS_MAX)
            .limit_repeat(4)
            .limit_literal_len(bytes_max)
            .limit_total(TEXTS_MAX);
        let sequence = extractor.extract(hir);
        let literals = sequence.literals()?.iter();
        let mut texts: Vec<Vec<u8>> = literals.map(|literal| literal.as_bytes().to_vec()).collect();
        texts.sort_unstable();
        // A text that begins with another is found with it.
        texts.dedup_by(|next, text| next.starts_with(text));
        let long = texts.iter().all(|text| text.len() >= TEXT_BYTES_MIN);
        (long && !texts.is_empty()).then_some(texts)
    })
}

/// The expression in lower case: it matches, in lower case, what the expression matches.
fn fold(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Look(look) => Hir::look(*look),
        HirKind::Literal(literal) => Hir::literal(literal.0.to_ascii_lowercase()),
        HirKind::Class(Class::Unicode(class)) => {
            let mut lower = ClassUnicode::empty();
            for range in class.ranges() {
                lower.push(*range);
                let start = range.start().max('A');
                let end = range.end().min('Z');
                if start <= end {
                    let (start, end) = (start.to_ascii_lowercase(), end.to_ascii_lowercase());
                    lower.push(ClassUnicodeRange::new(start, end));
                }
            }
            lower.difference(&ClassUnicode::new([ClassUnicodeRange::new('A', 'Z')]));
            Hir::class(Class::Unicode(lower))
        }
        HirKind::Class(class) => Hir::class(class.clone()),
        HirKind::Repetition(repetition) => {
            let sub = Box::new(fold(&repetition.sub));
            Hir::repetition(Repetition { sub, ..repetition.clone() })
        }
        HirKind::Capture(capture) => {
            let sub = Box::new(fold(&capture.sub));
            Hir::capture(Capture { sub, ..capture.clone() })
        }
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(fold).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(fold).collect()),
    }
}

/// The parts that follow each other, groups dissolved.
fn flatten(hir: &Hir, parts: &mut Vec<Hir>) {
    match hir.kind() {
        HirKind::Concat(inner) => inner.iter().for_each(|part| flatten(part, parts)),
        HirKind::Capture(capture) => flatten(&capture.sub, parts),
        _ => parts.push(hir.clone()),
    }
}

/// Most bytes between the start of a match and what it is filed under.
const DISTANCE_MAX: usize = 1024;
/// The same for patterns that are looked for together near their start.
const NEAR_MAX: usize = 12;
/// Most bytes in front of a `value` group that are left out at first.
const BEHIND_MAX: usize = 12;
/// Most texts of one pattern.
const TEXTS_MAX: usize = 512;
/// Fewest and most bytes of a text that are asked for.
const TEXT_BYTES_MIN: usize = 2;
const TEXT_BYTES_MAX: usize = 8;
/// Largest class whose characters are spelt out.
const CLASS_MAX: usize = 6;
/// Parts that texts may span.
const PARTS_MAX: usize = 4;

/// Sets that patterns are filed under.
fn candidates() -> impl Iterator<Item = ByteSet> {
    let of = ByteSet::from_slice;
    let symbols = ByteSet::of(|byte| byte.is_ascii_punctuation());
    let digits = of(b"0123456789");
    let sets = [digits, of(b":="), of(b":-"), of(b"+(0123456789"), digits.union(symbols)];
    symbols.iter().map(ByteSet::single).chain(sets)
}

/// How often a text stands in a thousand bytes of prose, roughly.
fn text_rate(text: &[u8]) -> f64 {
    // Neither letters nor digits follow each other by chance.
    let follows = |byte: &u8| match byte {
        b'0'..=b'9' => 0.1,
        _ => (rate(*byte) / 1000.0).max(0.02),
    };
    let first = text.first().map_or(1000.0, |byte| rate(*byte));
    first * text.iter().skip(1).take(3).map(follows).product::<f64>() + 0.01
}

/// How often bytes of the set stand in a thousand bytes of prose, roughly.
fn rate_of(set: ByteSet) -> f64 {
    set.iter().map(rate).sum()
}

/// How often a byte stands in a thousand bytes of business prose and tables, roughly. Decides
/// where a pattern is filed, so speed only.
fn rate(byte: u8) -> f64 {
    match byte {
        b' ' => 150.0,
        b'e' => 100.0,
        b'a' | b'i' | b'n' | b'o' | b'r' | b's' | b't' => 60.0,
        b'd' | b'h' | b'l' | b'u' => 35.0,
        b'b' | b'c' | b'f' | b'g' | b'k' | b'm' | b'p' | b'v' | b'w' | b'y' | b'z' => 15.0,
        b'a'..=b'z' => 1.5,
        b'.' | b',' | b'\n' => 10.0,
        b'-' => 5.0,
        b'"' | b'\'' | b':' => 3.0,
        b'0'..=b'9' => 2.5,
        b'A'..=b'Z' => 1.5,
        b'/' | b'(' | b')' | b'_' | b'=' => 1.0,
        b'@' => 0.3,
        0x80..=0xff => 0.3,
        _ => 0.2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filed(regex: &str) -> Filed {
        file(&Pattern::parse(regex).expect(regex))
    }

    /// The filing in short.
    fn under(regex: &str) -> String {
        let filed = filed(regex);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match filed.filing {
            Filing::Byte { set, edge, reach, .. } => {
                let set: Vec<u8> = set.iter().collect();
                format!("{} {edge} {reach:?} {}", text(&set), filed.behind)
            }
            Filing::Run { kind, edge } => format!("{kind:?} {edge}"),
            Filing::Literals(literals) => {
                let texts: Vec<String> = literals.texts.iter().map(|text_| text(text_)).collect();
                format!("{} {}-{}", texts.join("|"), literals.min, literals.max)
            }
            Filing::Start { edge } => format!("start {edge}"),
        }
    }

    #[test]
    fn patterns_are_filed_under_something_rare() {
        for (regex, filing) in [
            (r"\b\d{3}-\d{2}-\d{4}\b", "- true Near 0"),
            (r"\d{3}-\d{4}", "- false Near 0"),
            (r"\b[A-Z]{2} ?\d{7}\b", "0123456789 true Near 0"),
            (r"\b\d{2}[ .-]\d{3}\b", "0123456789 true Here 0"),
            (r"\b\d{11}\b", "Capitals true"),
            (r"\b[a-z0-9]{32}\b", "Codes true"),
            (r"[\w.+-]{1,64}@[\w.-]{1,99}", "@ false Far 0"),
            (r"(?:^|[^\w.])(?P<value>(?:\d{1,3}\.){3}\d{1,3})", ". true Near 4"),
            (r"\bghp_[A-Za-z0-9]{36}\b", "ghp_ 0-0"),
            (r"(?i)\b(?:pass|pwd)[:=]", "pass:|pass=|pwd:|pwd= 0-0"),
            (r"[A-Z][a-z]{1,20}(?:straße|weg) \d", "straße |weg  2-21"),
            (r"(?i)a{3}|\bb-c", "aaa|b-c 0-0"),
            (r"(?i)\b[a-z_.-]{0,9}(?:api_?key|[a-z]{2,5}-token)=", "api_key|apikey|-token 0-14"),
            (r"\b[a-z]{3}\b", "start true"),
        ] {
            assert_eq!(under(regex), filing, "{regex}");
        }
    }

    #[test]
    fn folding_matches_what_was_matched() {
        let literals = |regex: &str| match filed(regex).filing {
            Filing::Literals(literals) => literals,
            filing => panic!("{regex} is filed under {filing:?}"),
        };
        let found = literals("[A-Z]{1,3}Straße");
        assert!(found.before.contains(b'Q') && found.before.contains(b'q'));
        assert!(!found.before.contains(b'1'));
        assert_eq!(found.texts, [b"stra\xc3\x9fe".to_vec()]);
    }
}
