//! Where the first byte of some set stands in the matches of a pattern.

use crate::bytes::ByteSet;
use regex_syntax::hir::{Class, Hir, HirKind};

/// How a pattern's matches lead up to their first byte of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lead {
    /// Fewest bytes before it.
    pub(crate) min: usize,
    /// Most bytes before it; `usize::MAX` where there is no bound.
    pub(crate) max: usize,
    /// Bytes that may stand before it; none of the set.
    pub(crate) before: ByteSet,
    /// Bytes of the set that may be the first.
    pub(crate) first: ByteSet,
}

/// The lead to the first byte of `set`; `None` where a match can do without one.
///
/// Only ASCII bytes may be in `set`. The answer may allow more than the pattern does, never less.
pub(crate) fn lead(hir: &Hir, set: ByteSet) -> Option<Lead> {
    let paths = paths(hir, set);
    if paths.without.is_some() { None } else { paths.with }
}

/// Fewest bytes of `set` that all matches begin with.
pub(crate) fn run_min(hir: &Hir, set: ByteSet) -> usize {
    let others = set.complement().intersection(ByteSet::of(|byte| byte.is_ascii()));
    let paths = paths(hir, others);
    let with = paths.with.map_or(usize::MAX, |lead| lead.min);
    match paths.without {
        // Bytes outside ASCII are neither in `set` nor among the others.
        Some(run) if run.bytes.intersection(set.complement()).is_empty() => with.min(run.min),
        Some(_) => 0,
        None => match paths.with {
            Some(lead) if lead.before.intersection(set.complement()).is_empty() => with,
            _ => 0,
        },
    }
}

/// Bytes that matches can begin with.
pub(crate) fn first_bytes(hir: &Hir) -> ByteSet {
    // With every ASCII byte in the set, what leads up to it is not ASCII.
    let paths = paths(hir, ByteSet::of(|byte| byte.is_ascii()));
    let ascii = paths.with.filter(|lead| lead.min == 0).map(|lead| lead.first);
    let wide = paths
        .with
        .filter(|lead| lead.max > 0)
        .map(|lead| lead.before)
        .into_iter()
        .chain(paths.without.map(|run| run.bytes));
    wide.fold(ascii.unwrap_or_default(), ByteSet::union)
}

#[derive(Clone, Copy, Debug)]
struct Paths {
    /// Ways through the expression that meet a byte of the set.
    with: Option<Lead>,
    /// Ways through it that meet none.
    without: Option<Run>,
}

/// A stretch of bytes without one of the set.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    min: usize,
    max: usize,
    bytes: ByteSet,
}

impl Run {
    fn then(self, next: Run) -> Run {
        Run {
            min: self.min.saturating_add(next.min),
            max: self.max.saturating_add(next.max),
            bytes: self.bytes.union(next.bytes),
        }
    }

    fn then_lead(self, lead: Lead) -> Lead {
        Lead {
            min: self.min.saturating_add(lead.min),
            max: self.max.saturating_add(lead.max),
            before: self.bytes.union(lead.before),
            first: lead.first,
        }
    }
}

fn either_lead(left: Option<Lead>, right: Option<Lead>) -> Option<Lead> {
    match (left, right) {
        (Some(left), Some(right)) => Some(Lead {
            min: left.min.min(right.min),
            max: left.max.max(right.max),
            before: left.before.union(right.before),
            first: left.first.union(right.first),
        }),
        (one, other) => one.or(other),
    }
}

fn either_run(left: Option<Run>, right: Option<Run>) -> Option<Run> {
    match (left, right) {
        (Some(left), Some(right)) => Some(Run {
            min: left.min.min(right.min),
            max: left.max.max(right.max),
            bytes: left.bytes.union(right.bytes),
        }),
        (one, other) => one.or(other),
    }
}

fn paths(hir: &Hir, set: ByteSet) -> Paths {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Paths { with: None, without: Some(Run::default()) },
        HirKind::Literal(literal) => match literal.0.iter().position(|byte| set.contains(*byte)) {
            Some(place) => Paths {
                with: Some(Lead {
                    min: place,
                    max: place,
                    before: ByteSet::of(|byte| literal.0[..place].contains(&byte)),
                    first: ByteSet::single(literal.0[place]),
                }),
                without: None,
            },
            None => {
                let length = literal.0.len();
                let bytes = ByteSet::of(|byte| literal.0.contains(&byte));
                Paths { with: None, without: Some(Run { min: length, max: length, bytes }) }
            }
        },
        HirKind::Class(class) => class_paths(class, set),
        HirKind::Capture(capture) => paths(&capture.sub, set),
        HirKind::Repetition(repetition) => {
            let once = paths(&repetition.sub, set);
            let min = usize::try_from(repetition.min).unwrap_or(usize::MAX);
            let max =
                repetition.max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
            let times = |count: usize, run: Run| Run {
                min: 0,
                max: run.max.saturating_mul(count),
                bytes: if count == 0 { ByteSet::default() } else { run.bytes },
            };
            let with = once.with.filter(|_| max > 0).map(|lead| match once.without {
                Some(run) => times(max - 1, run).then_lead(lead),
                None => lead,
            });
            let without = match once.without {
                Some(run) => Some(Run { min: run.min.saturating_mul(min), ..times(max, run) }),
                None => (min == 0).then(Run::default),
            };
            Paths { with, without }
        }
        HirKind::Concat(parts) => {
            let mut all = Paths { with: None, without: Some(Run::default()) };
            for part in parts {
                let Some(run) = all.without else { break };
                let part = paths(part, set);
                all.with = either_lead(all.with, part.with.map(|lead| run.then_lead(lead)));
                all.without = part.without.map(|next| run.then(next));
            }
            all
        }
        HirKind::Alternation(parts) => parts.iter().map(|part| paths(part, set)).fold(
            Paths { with: None, without: None },
            |all, part| Paths {
                with: either_lead(all.with, part.with),
                without: either_run(all.without, part.without),
            },
        ),
    }
}

fn class_paths(class: &Class, set: ByteSet) -> Paths {
    let mut first = ByteSet::default();
    let mut without: Option<Run> = None;
    let mut add = |byte: u8| {
        if set.contains(byte) {
            first.insert(byte);
        } else {
            without =
                either_run(without, Some(Run { min: 1, max: 1, bytes: ByteSet::single(byte) }));
        }
    };
    let mut wide = None;
    match class {
        Class::Unicode(class) => {
            for range in class.ranges() {
                (range.start()..=range.end()).take_while(char::is_ascii).for_each(|character| {
                    add(u8::try_from(character).expect("it is ASCII"));
                });
                if !range.end().is_ascii() {
                    let least = range.start().max('\u{80}').len_utf8();
                    let run = Run {
                        min: least,
                        max: range.end().len_utf8(),
                        bytes: ByteSet::of(|byte| !byte.is_ascii()),
                    };
                    wide = either_run(wide, Some(run));
                }
            }
        }
        Class::Bytes(class) => {
            class.ranges().iter().flat_map(|range| range.start()..=range.end()).for_each(add);
        }
    }
    let with =
        (!first.is_empty()).then_some(Lead { min: 0, max: 0, before: ByteSet::default(), first });
    Paths { with, without: either_run(without, wide) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Pattern;

    fn digits() -> ByteSet {
        ByteSet::of(|byte| byte.is_ascii_digit())
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
            assert_eq!(lead.map(|lead| (lead.min, lead.max)), bounds, "{regex}");
        }
    }

    #[test]
    fn leads_know_their_bytes() {
        let lead = lead(&hir(r"[a-c](?:x1|5)"), digits()).expect("every match has a digit");
        assert_eq!(lead.first, ByteSet::of(|byte| b"15".contains(&byte)));
        assert_eq!(lead.before, ByteSet::of(|byte| b"abcx".contains(&byte)));
    }

    #[test]
    fn runs_are_measured() {
        let word = ByteSet::of(|byte| byte.is_ascii_alphanumeric());
        for (regex, run) in [
            (r"\b[A-Z0-9]{8}\b", 8),
            (r"AKIA[A-Z0-9]{16}", 20),
            (r"[a-z]{4}(?:-|[a-z]{3})x", 4),
            (r"[a-z]{2,}", 2),
            (r"[a-zé]{9}", 0),
            (r"-[a-z]{9}", 0),
            (r"(?:[a-z]{3}|[0-9]{2}-)", 2),
        ] {
            assert_eq!(run_min(&hir(regex), word), run, "{regex}");
        }
    }

    #[test]
    fn first_bytes_are_found() {
        for (regex, bytes) in
            [(r"\b[ab]c", "ab"), (r"x?y", "xy"), (r"(?:foo|\d)", "f0123456789"), (r"(?i)k", "kK")]
        {
            let expected = ByteSet::of(|byte| bytes.as_bytes().contains(&byte));
            assert_eq!(first_bytes(&hir(regex)), expected, "{regex}");
        }
        let wide = first_bytes(&hir("é1"));
        assert!("é1".as_bytes().first().is_some_and(|byte| wide.contains(*byte)));
        assert!(!wide.contains(b'1'));
    }
}
