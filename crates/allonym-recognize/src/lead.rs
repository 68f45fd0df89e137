//! What stands at the start of the matches of a pattern, and where a byte of some set stands first.

use crate::bytes::ByteSet;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// How a pattern's matches lead up to their first byte of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lead {
    /// What stands before it: no byte of the set.
    pub(crate) run: Run,
    /// Bytes of the set that may be the first.
    pub(crate) first: ByteSet,
}

/// A stretch of a match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// Fewest bytes.
    pub(crate) min: usize,
    /// Most bytes; `usize::MAX` where there is no bound.
    pub(crate) max: usize,
    /// Which bytes.
    pub(crate) bytes: ByteSet,
    /// Which may be the last, where there is one.
    pub(crate) last: ByteSet,
}

/// The lead to the first byte of `set`; `None` where a match can do without one.
///
/// Of the bytes outside ASCII, all or none may be in `set`. The answer may allow more than the
/// pattern does, never less.
pub(crate) fn lead(hir: &Hir, set: ByteSet) -> Option<Lead> {
    let paths = paths(hir, set);
    if paths.without.is_some() { None } else { paths.with }
}

/// All that the expression matches, as one stretch.
pub(crate) fn run(hir: &Hir) -> Run {
    // No byte is in the empty set, so every way through meets none.
    paths(hir, ByteSet::default()).without.unwrap_or_default()
}

/// Fewest bytes of `set` that all matches begin with.
pub(crate) fn run_min(hir: &Hir, set: ByteSet) -> usize {
    // Whatever leads up to another byte is of the set.
    let paths = paths(hir, set.complement());
    let runs = [paths.with.map(|lead| lead.run), paths.without];
    runs.into_iter().flatten().map(|run| run.min).min().unwrap_or_default()
}

/// Bytes that matches can begin with.
pub(crate) fn first_bytes(hir: &Hir) -> ByteSet {
    // With every byte in the set, nothing leads up to it.
    paths(hir, ByteSet::default().complement())
        .with
        .map_or_else(ByteSet::default, |lead| lead.first)
}

/// For each of the first bytes of a match, which it may be; all where a match may have ended.
pub(crate) fn opening(hir: &Hir) -> [ByteSet; OPENING_BYTES] {
    let mut sets = [ByteSet::default(); OPENING_BYTES];
    let ends = open(hir, 1, &mut sets);
    for (place, set) in sets.iter_mut().enumerate() {
        // Some match ends at or before this place.
        if ends & ((2 << place) - 1) != 0 {
            *set = ByteSet::default().complement();
        }
    }
    sets
}

/// Bytes at the start of a match that are told apart.
pub(crate) const OPENING_BYTES: usize = 12;

/// Adds what the expression may have at each place when it begins at one of `places` (a bit each);
/// the places where it may end.
fn open(hir: &Hir, places: u32, sets: &mut [ByteSet; OPENING_BYTES]) -> u32 {
    let all = (1 << OPENING_BYTES) - 1;
    let mut add = |places: u32, bytes: ByteSet| {
        for (place, set) in sets.iter_mut().enumerate() {
            if places >> place & 1 == 1 {
                *set = set.union(bytes);
            }
        }
        places << 1 & all
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => places,
        HirKind::Literal(literal) => {
            literal.0.iter().fold(places, |places, byte| add(places, ByteSet::single(*byte)))
        }
        HirKind::Class(class) => {
            let Paths { with, without } = class_paths(class, ByteSet::NOT_ASCII);
            let mut after = without.map_or(0, |ascii| add(places, ascii.bytes));
            if with.is_some() {
                let mut places = places;
                for width in 1..=4 {
                    places = add(places, ByteSet::NOT_ASCII);
                    after |= if width > 1 { places } else { 0 };
                }
            }
            after
        }
        HirKind::Capture(capture) => open(&capture.sub, places, sets),
        HirKind::Repetition(repetition) => {
            let mut here = places;
            let mut out = if repetition.min == 0 { places } else { 0 };
            for round in 1..=repetition.max.unwrap_or(u32::MAX) {
                here = open(&repetition.sub, here, sets);
                if here == 0 {
                    break;
                }
                if round >= repetition.min {
                    if out | here == out {
                        break;
                    }
                    out |= here;
                }
            }
            out
        }
        HirKind::Concat(parts) => {
            parts.iter().fold(places, |places, part| open(part, places, sets))
        }
        HirKind::Alternation(parts) => {
            parts.iter().fold(0, |out, part| out | open(part, places, sets))
        }
    }
}

/// Bytes that a match can begin with inside a word, where nothing asks for the edge of one.
/// `guarded`: what stands before the expression does.
pub(crate) fn loose_bytes(hir: &Hir, guarded: bool) -> ByteSet {
    loose(hir, guarded).0
}

/// Whether what follows the expression begins at the edge of a word wherever the expression matches
/// the empty text.
pub(crate) fn leaves_edge(hir: &Hir) -> bool {
    loose(hir, false).1.unwrap_or(true)
}

/// Bytes that begin a way into the expression that does not ask for an edge; and, where it can
/// match the empty text, whether the way out is guarded.
fn loose(hir: &Hir, guarded: bool) -> (ByteSet, Option<bool>) {
    let both =
        |one: Option<bool>, other: Option<bool>| either(one, other, |one, other| one && other);
    let none = ByteSet::default();
    match hir.kind() {
        HirKind::Empty => (none, Some(guarded)),
        // Nothing of a word stands before the start of a text.
        HirKind::Look(Look::WordAscii | Look::WordStartAscii | Look::StartLF) => (none, Some(true)),
        HirKind::Look(_) => (none, Some(guarded)),
        HirKind::Literal(_) | HirKind::Class(_) => {
            (if guarded { none } else { first_bytes(hir) }, None)
        }
        HirKind::Capture(capture) => loose(&capture.sub, guarded),
        HirKind::Repetition(repetition) => {
            let (bytes, out) = loose(&repetition.sub, guarded);
            (bytes, both(out, (repetition.min == 0).then_some(guarded)))
        }
        HirKind::Concat(parts) => {
            let (mut bytes, mut guarded) = (none, guarded);
            for part in parts {
                let (more, out) = loose(part, guarded);
                bytes = bytes.union(more);
                match out {
                    Some(out) => guarded = out,
                    None => return (bytes, None),
                }
            }
            (bytes, Some(guarded))
        }
        HirKind::Alternation(parts) => {
            let parts = parts.iter().map(|part| loose(part, guarded));
            parts.fold((none, None), |all, part| (all.0.union(part.0), both(all.1, part.1)))
        }
    }
}

/// The ways through an expression.
#[derive(Clone, Copy, Debug)]
struct Paths {
    /// Those that meet a byte of the set, up to there.
    with: Option<Lead>,
    /// Those that meet none.
    without: Option<Run>,
}

impl Run {
    pub(crate) fn then(self, next: Run) -> Run {
        Run {
            min: self.min.saturating_add(next.min),
            max: self.max.saturating_add(next.max),
            bytes: self.bytes.union(next.bytes),
            last: if next.min > 0 { next.last } else { self.last.union(next.last) },
        }
    }

    /// One or the other.
    pub(crate) fn or(self, other: Run) -> Run {
        Run {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            bytes: self.bytes.union(other.bytes),
            last: self.last.union(other.last),
        }
    }

    /// A character of `min` to `max` bytes.
    fn character(bytes: ByteSet, min: usize, max: usize) -> Run {
        Run { min, max, bytes, last: bytes }
    }

    fn literal(bytes: &[u8]) -> Run {
        Run {
            min: bytes.len(),
            max: bytes.len(),
            bytes: ByteSet::from_slice(bytes),
            last: bytes.last().map_or_else(ByteSet::default, |byte| ByteSet::single(*byte)),
        }
    }

    fn times(self, min: usize, max: usize) -> Run {
        if max == 0 || self.max == 0 {
            return Run::default();
        }
        Run { min: self.min.saturating_mul(min), max: self.max.saturating_mul(max), ..self }
    }
}

impl Lead {
    fn after(self, run: Run) -> Lead {
        Lead { run: run.then(self.run), first: self.first }
    }

    fn or(self, other: Lead) -> Lead {
        Lead { run: self.run.or(other.run), first: self.first.union(other.first) }
    }
}

/// One or the other, where there are both.
fn either<T>(left: Option<T>, right: Option<T>, both: impl Fn(T, T) -> T) -> Option<T> {
    match (left, right) {
        (Some(left), Some(right)) => Some(both(left, right)),
        (one, other) => one.or(other),
    }
}

fn paths(hir: &Hir, set: ByteSet) -> Paths {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Paths { with: None, without: Some(Run::default()) },
        HirKind::Literal(literal) => match literal.0.iter().position(|byte| set.contains(*byte)) {
            Some(place) => {
                let (run, rest) = literal.0.split_at(place);
                let first = ByteSet::single(rest[0]);
                Paths { with: Some(Lead { run: Run::literal(run), first }), without: None }
            }
            None => Paths { with: None, without: Some(Run::literal(&literal.0)) },
        },
        HirKind::Class(class) => class_paths(class, set),
        HirKind::Capture(capture) => paths(&capture.sub, set),
        HirKind::Repetition(repetition) => {
            let once = paths(&repetition.sub, set);
            let count = |times: u32| usize::try_from(times).unwrap_or(usize::MAX);
            let (min, max) = (count(repetition.min), repetition.max.map_or(usize::MAX, count));
            let with = once.with.filter(|_| max > 0).map(|lead| match once.without {
                Some(run) => lead.after(run.times(0, max - 1)),
                None => lead,
            });
            let without = match once.without {
                Some(run) => Some(run.times(min, max)),
                None => (min == 0).then(Run::default),
            };
            Paths { with, without }
        }
        HirKind::Concat(parts) => {
            let mut all = Paths { with: None, without: Some(Run::default()) };
            for part in parts {
                let Some(run) = all.without else { break };
                let part = paths(part, set);
                all.with = either(all.with, part.with.map(|lead| lead.after(run)), Lead::or);
                all.without = part.without.map(|next| run.then(next));
            }
            all
        }
        HirKind::Alternation(parts) => parts.iter().map(|part| paths(part, set)).fold(
            Paths { with: None, without: None },
            |all, part| Paths {
                with: either(all.with, part.with, Lead::or),
                without: either(all.without, part.without, Run::or),
            },
        ),
    }
}

fn class_paths(class: &Class, set: ByteSet) -> Paths {
    let mut bytes = ByteSet::default();
    let mut wide: Option<Run> = None;
    let not_ascii = ByteSet::NOT_ASCII;
    match class {
        Class::Unicode(class) => {
            for range in class.ranges() {
                if let Ok(start) = u8::try_from(range.start())
                    && start.is_ascii()
                {
                    let end = u8::try_from(range.end()).unwrap_or(u8::MAX);
                    bytes = bytes.union(ByteSet::range(start, end.min(0x7f)));
                }
                if !range.end().is_ascii() {
                    let least = range.start().max('\u{80}').len_utf8();
                    let run = Run::character(not_ascii, least, range.end().len_utf8());
                    wide = either(wide, Some(run), Run::or);
                }
            }
        }
        Class::Bytes(class) => {
            for range in class.ranges() {
                bytes = bytes.union(ByteSet::range(range.start(), range.end()));
            }
        }
    }
    let mut first = bytes.intersection(set);
    let others = bytes.intersection(set.complement());
    let mut without = (!others.is_empty()).then(|| Run::character(others, 1, 1));
    if wide.is_some() && !set.intersection(not_ascii).is_empty() {
        first = first.union(not_ascii);
    } else {
        without = either(without, wide, Run::or);
    }
    let with = (!first.is_empty()).then(|| Lead { run: Run::default(), first });
    Paths { with, without }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Pattern;

    fn digits() -> ByteSet {
        set("0123456789")
    }

    fn set(bytes: &str) -> ByteSet {
        ByteSet::from_slice(bytes.as_bytes())
    }

    fn hir(regex: &str) -> Hir {
        Pattern::parse(regex).expect(regex).hir
    }

    #[test]
    fn leads_are_measured() {
        for (regex, bounds) in [
            (r"\b\d{9}\b", Some((0, 0))),
            (r"[A-Z]{2}\d{2}", Some((2, 2))),
            (r"[A-Z]{1,2} ?\d", Some((1, 3))),
            (r"[A-Z]?\d", Some((0, 1))),
            (r"(?:ab|c)+\d", Some((1, usize::MAX))),
            (r"(?:no|nr\.?) \d", Some((3, 4))),
            (r"[A-Z0-9]{8}", None),
            (r"[a-z]+", None),
            (r"é{1,3}\d", Some((2, 6))),
            (r"[^x]{2}7", Some((0, 8))),
        ] {
            let lead = lead(&hir(regex), digits());
            assert_eq!(lead.map(|lead| (lead.run.min, lead.run.max)), bounds, "{regex}");
        }
    }

    #[test]
    fn leads_know_their_bytes() {
        let first = lead(&hir(r"[a-c](?:-|x1|5)"), digits());
        assert_eq!(first, None, "the hyphen can do without a digit");
        let first = lead(&hir(r"[a-c](?:-2|x1|5)"), digits()).expect("there is a digit");
        assert_eq!((first.first, first.run.bytes), (set("125"), set("abcx-")));
        assert_eq!(first.run.last, set("abcx-"));
        let first = lead(&hir(r"[a-c](?:no\.)? ?7"), digits()).expect("there is a digit");
        assert_eq!(first.run.last, set("abc. "));
    }

    #[test]
    fn whole_runs_are_measured() {
        let run = run(&hir(r"(?:\b|_)[ab]{2,3}(?:c\d)?"));
        assert_eq!((run.min, run.max), (2, 6));
        assert_eq!((run.bytes, run.last), (set("_abc0123456789"), set("ab0123456789")));
    }

    #[test]
    fn edges_are_asked_for() {
        for (regex, loose) in [
            (r"\ba", ""),
            (r"(?:\b[1-9]|\()\d", "("),
            (r"(?:\b|_)a", "_"),
            (r"a?\bb", "a"),
            (r"(?:\b-)?a", "a"),
            (r"[-+]?\ba", "-+"),
            (r"(?:^|[-+])a", "-+"),
            (r"(?:x|\by)a", "x"),
            (r"a", "a"),
        ] {
            assert_eq!(loose_bytes(&hir(regex), false), set(loose), "{regex}");
        }
        assert_eq!(loose_bytes(&hir("a"), true), set(""));
        let optional = |regex: &str| {
            let parts = vec![Hir::look(Look::StartLF), hir(regex)];
            Hir::alternation(parts)
        };
        assert!(leaves_edge(&optional("-")) && leaves_edge(&hir("a")));
        assert!(!leaves_edge(&Hir::alternation(vec![Hir::empty(), hir("-")])));
    }

    #[test]
    fn starting_runs_are_measured() {
        let word = ByteSet::of(|byte| byte.is_ascii_alphanumeric());
        for (regex, run) in [
            (r"\b[A-Z0-9]{8}\b", 8),
            (r"AKIA[A-Z0-9]{16}", 20),
            (r"[a-z]{4}(?:-|[a-z]{3})x", 4),
            (r"[a-z]{2,}", 2),
            (r"[a-zé]{9}", 0),
            (r"[a-z]{7}(?:é|$)", 7),
            (r"[a-z]{7}(?:[^a-z]|$)", 7),
            (r"[a-z]{7}(?:[a-zé]|$)", 7),
            (r"-[a-z]{9}", 0),
            (r"(?:[a-z]{3}|[0-9]{2}-)", 2),
        ] {
            assert_eq!(run_min(&hir(regex), word), run, "{regex}");
        }
    }

    #[test]
    fn openings_are_known() {
        let of = |regex: &str| opening(&hir(regex));
        let all = ByteSet::default().complement();
        let found = of(r"(?:ab|c)\d{2,3}-x");
        assert_eq!(found[0], set("ac"));
        assert_eq!(found[1], set("b0123456789"));
        assert_eq!(found[3], set("-0123456789"));
        assert_eq!(found[4], set("-x0123456789"));
        assert_eq!(found[5], all, "the shortest match has five bytes");
        let with_wide = |bytes: &str| set(bytes).union(ByteSet::NOT_ASCII);
        assert_eq!(of("a[bé]cd")[1..3], [with_wide("b"), with_wide("c")]);
        assert_eq!(of("a+")[1], all);
        assert_eq!(of("[ab]{20}"), [set("ab"); OPENING_BYTES]);
        assert_eq!(of("(?:ab)*c")[1], all);
        assert_eq!(of("(?:ab)*cd")[1], set("bd"));
    }

    #[test]
    fn first_bytes_are_found() {
        for (regex, bytes) in
            [(r"\b[ab]c", "ab"), (r"x?y", "xy"), (r"(?:foo|\d)", "f0123456789"), (r"(?i)k", "kK")]
        {
            assert_eq!(first_bytes(&hir(regex)), set(bytes), "{regex}");
        }
        let wide = first_bytes(&hir("é1"));
        assert!(wide.contains(0xc3) && !wide.contains(b'1'));
        let wide = first_bytes(&hir("é?1"));
        assert!(wide.contains(0xc3) && wide.contains(b'1'));
    }
}
