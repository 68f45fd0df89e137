//! Under what a pattern is filed.

use crate::bytes::ByteSet;
use crate::lead::{first_bytes, lead, run_min};
use crate::pattern::Pattern;
use regex_syntax::hir::literal::{ExtractKind, Extractor};
use regex_syntax::hir::{Hir, Look};

/// What the scan stops at to look for a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Filing {
    /// The first byte of a match, whatever it is.
    Start {
        /// A match begins at the edge of a word.
        boundary: bool,
    },
    /// The first byte of the set in a match.
    Byte {
        /// The set.
        set: ByteSet,
        /// A match begins at the edge of a word.
        boundary: bool,
    },
    /// Three literal bytes at the start of a match.
    Literal {
        /// A match begins at the edge of a word.
        boundary: bool,
    },
    /// A long run at the start of a match.
    Run {
        /// Of what.
        kind: RunKind,
        /// A match begins at the edge of a word.
        boundary: bool,
    },
}

/// Bytes that seldom stand together in great number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RunKind {
    /// Capital letters and digits.
    Capitals,
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
            RunKind::Codes => {
                ByteSet::of(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte))
            }
        }
    }

    /// Bytes that are looked at together; a run has twice as many, less one.
    pub(crate) fn block(self) -> usize {
        match self {
            RunKind::Capitals => 4,
            RunKind::Codes => 8,
        }
    }
}

/// Files a pattern whose matches have a bound where the fewest stops are expected in prose.
pub(crate) fn file(pattern: &Pattern) -> Filing {
    let hir = &pattern.hir;
    let boundary = begins_at_boundary(hir);
    let mut best = (stops(first_bytes(hir), 1.0), Filing::Start { boundary });
    let mut consider = |cost: f64, filing: Filing| {
        if cost < best.0 {
            best = (cost, filing);
        }
    };
    for set in candidates() {
        let Some(lead) = lead(hir, set) else { continue };
        if lead.max > DISTANCE_MAX {
            continue;
        }
        let mut cost = stops(lead.first, if lead.min == 0 { 1.0 } else { share(lead.before) });
        // Each byte in between is a place to look from, if not a likely one.
        cost *= 1.0 + f64::from(u8::try_from(lead.max).unwrap_or(u8::MAX)) / 16.0;
        consider(cost, Filing::Byte { set, boundary });
    }
    if let Some(prefixes) = prefixes(hir) {
        let chance =
            |prefix: &[u8; 3]| prefix.iter().map(|byte| rate(*byte) / 1000.0).product::<f64>();
        consider(prefixes.iter().map(chance).sum::<f64>() * 1000.0, Filing::Literal { boundary });
    }
    for (kind, cost) in [(RunKind::Capitals, 2.0), (RunKind::Codes, 4.0)] {
        if run_min(hir, kind.set()) >= 2 * kind.block() - 1 {
            consider(cost, Filing::Run { kind, boundary });
        }
    }
    best.1
}

/// The first three bytes of all matches, where they are few; `None` otherwise.
pub(crate) fn prefixes(hir: &Hir) -> Option<Vec<[u8; 3]>> {
    let mut extractor = Extractor::new();
    extractor.kind(ExtractKind::Prefix).limit_literal_len(PREFIX_BYTES).limit_total(PREFIXES_MAX);
    let sequence = extractor.extract(hir);
    let prefixes: Option<Vec<[u8; 3]>> = sequence
        .literals()?
        .iter()
        .map(|literal| literal.as_bytes().get(..3)?.try_into().ok())
        .collect();
    prefixes.filter(|prefixes| !prefixes.is_empty())
}

/// Whether every match begins at the edge of a word.
fn begins_at_boundary(hir: &Hir) -> bool {
    let looks = hir.properties().look_set_prefix();
    looks.contains(Look::WordAscii) || looks.contains(Look::WordStartAscii)
}

/// Most bytes between the start of a match and what it is filed under.
const DISTANCE_MAX: usize = 96;
/// Most literals a pattern may begin with to be filed under them.
const PREFIXES_MAX: usize = 4096;
/// Bytes of a literal that are asked for.
const PREFIX_BYTES: usize = 3;

/// Sets that patterns are filed under.
fn candidates() -> impl Iterator<Item = ByteSet> {
    let of = |bytes: &'static [u8]| ByteSet::of(move |byte| bytes.contains(&byte));
    let symbols = ByteSet::of(|byte| byte.is_ascii_punctuation());
    let digits = ByteSet::of(|byte| byte.is_ascii_digit());
    let sets = [digits, symbols, digits.union(symbols), of(b":="), of(b":-"), of(b"+(0123456789")];
    symbols.iter().map(ByteSet::single).chain(sets)
}

/// Expected stops per thousand bytes of prose at bytes of `set` where a share of the bytes before
/// them counts.
fn stops(set: ByteSet, share: f64) -> f64 {
    set.iter().map(rate).sum::<f64>() * share
}

/// Share of prose that the set makes up.
fn share(set: ByteSet) -> f64 {
    (set.iter().map(rate).sum::<f64>() / 1000.0).min(1.0)
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
        b'.' | b',' => 10.0,
        b'-' => 5.0,
        b'"' | b'\'' | b':' => 3.0,
        b'0'..=b'9' => 2.5,
        b'A'..=b'Z' => 1.5,
        b'/' | b'(' | b')' | b'_' | b'=' => 1.0,
        b'@' => 0.3,
        b'\n' => 10.0,
        0x80..=0xff => 0.3,
        _ => 0.2,
    }
}
