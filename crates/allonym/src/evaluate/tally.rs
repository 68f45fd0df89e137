//! Counting what was marked against what was found, a document at a time.

use super::labels::Labels;
use crate::Finding;
use std::collections::{BTreeMap, BTreeSet};

/// A marked span; `class` of the labels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marked {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) class: usize,
}

/// What stands behind a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Grounds {
    pub(super) validated: bool,
    pub(super) context: bool,
}

/// Findings that are alike in all that is reported of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) entity: String,
    pub(super) rule: String,
    pub(super) grounds: Grounds,
    /// Tenth of the score, 0 to 9.
    pub(super) tenth: u8,
    /// Class of the marked span it overlaps and is right for.
    pub(super) right: Option<usize>,
    /// It is that span to the character.
    pub(super) exact: bool,
    /// It overlaps no marked span at all.
    pub(super) alone: bool,
}

/// Findings of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    pub(super) count: u64,
    pub(super) score_sum: f64,
}

/// What became of the marked spans of one class.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fate {
    pub(super) marked: u64,
    /// Overlapped by a finding that is right.
    pub(super) met: u64,
    /// Found to the character.
    pub(super) exact: u64,
    pub(super) characters: Characters,
}

/// Marked characters, and those that no finding of whatever kind covers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Characters {
    pub(super) marked: u64,
    pub(super) leaked: u64,
    /// Sum over documents of the square of the marked ones: characters of one document leak
    /// together, so that they say less than as many from different ones.
    pub(super) squares: f64,
}

/// Documents of one source in one language.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) documents: u64,
    pub(super) bytes: u64,
    pub(super) fates: BTreeMap<usize, Fate>,
    pub(super) all: Characters,
    pub(super) found: BTreeMap<Kind, Found>,
    /// For each marked span its class and the entity of the first finding on it.
    pub(super) confusion: BTreeMap<(usize, Option<String>), u64>,
}

impl Tally {
    /// Adds one document. `spans` are disjoint and in order; they and `marked` count code points.
    pub(super) fn add(
        &mut self,
        bytes: usize,
        marked: &[Marked],
        spans: &[Finding],
        labels: &Labels,
    ) {
        self.documents += 1;
        self.bytes += bytes as u64;
        for span in spans {
            let overlaps = |mark: &&Marked| mark.start < span.end && span.start < mark.end;
            let is_right = |mark: &&Marked| labels.is_right(mark.class, &span.entity);
            let on = || marked.iter().filter(overlaps).filter(is_right);
            let exact = on().find(|mark| (mark.start, mark.end) == (span.start, span.end));
            let kind = Kind {
                entity: span.entity.clone(),
                rule: span.rule.clone(),
                grounds: Grounds { validated: span.validated, context: span.phrase.is_some() },
                tenth: tenth(span.score),
                right: exact.or_else(|| on().next()).map(|mark| mark.class),
                exact: exact.is_some(),
                alone: !marked.iter().any(|mark| overlaps(&mark)),
            };
            let one = Found { count: 1, score_sum: span.score.into() };
            self.found.entry(kind).or_default().add(one);
        }
        let mut in_document: BTreeMap<Option<usize>, (u64, u64)> = BTreeMap::new();
        for mark in marked {
            let on = spans.partition_point(|span| span.end <= mark.start);
            let on = || spans[on..].iter().take_while(|span| span.start < mark.end);
            let right = || on().filter(|span| labels.is_right(mark.class, &span.entity));
            let fate = self.fates.entry(mark.class).or_default();
            fate.marked += 1;
            fate.met += u64::from(right().next().is_some());
            fate.exact +=
                u64::from(right().any(|span| (span.start, span.end) == (mark.start, mark.end)));
            let covered: usize =
                on().map(|span| span.end.min(mark.end) - span.start.max(mark.start)).sum();
            let length = mark.end - mark.start;
            for class in [None, Some(mark.class)] {
                let (marked, leaked) = in_document.entry(class).or_default();
                *marked += length as u64;
                *leaked += (length - covered) as u64;
            }
            let said = right().next().or_else(|| on().next()).map(|span| span.entity.clone());
            *self.confusion.entry((mark.class, said)).or_default() += 1;
        }
        for (class, (marked, leaked)) in in_document {
            let characters = match class {
                Some(class) => &mut self.fates.entry(class).or_default().characters,
                None => &mut self.all,
            };
            characters.add(Characters { marked, leaked, squares: real(marked).powi(2) });
        }
    }

    /// Adds the counts of other documents.
    pub(super) fn merge(&mut self, other: &Tally) {
        self.documents += other.documents;
        self.bytes += other.bytes;
        self.all.add(other.all);
        for (class, fate) in &other.fates {
            let mine = self.fates.entry(*class).or_default();
            mine.marked += fate.marked;
            mine.met += fate.met;
            mine.exact += fate.exact;
            mine.characters.add(fate.characters);
        }
        for (kind, found) in &other.found {
            self.found.entry(kind.clone()).or_default().add(*found);
        }
        for (pair, count) in &other.confusion {
            *self.confusion.entry(pair.clone()).or_default() += count;
        }
    }

    pub(super) fn classes(&self) -> BTreeSet<usize> {
        self.fates.keys().copied().collect()
    }
}

impl Found {
    pub(super) fn add(&mut self, other: Found) {
        self.count += other.count;
        self.score_sum += other.score_sum;
    }
}

impl Characters {
    fn add(&mut self, other: Characters) {
        self.marked += other.marked;
        self.leaked += other.leaked;
        self.squares += other.squares;
    }

    /// How many independent characters say as much (Kish, "Survey Sampling", 1965).
    pub(super) fn effective(&self) -> f64 {
        if self.squares > 0.0 { real(self.marked).powi(2) / self.squares } else { 0.0 }
    }
}

/// Tenth of [0, 1] that a score is in; 1 is in the last. Scores are written in hundredths.
fn tenth(score: f32) -> u8 {
    let hundredths = (score * 100.0).round();
    (0..9).find(|tenth| hundredths < f32::from(tenth * 10 + 10)).unwrap_or(9)
}

#[expect(clippy::cast_precision_loss, reason = "2^53 characters are more than anybody has marked")]
pub(super) fn real(count: u64) -> f64 {
    count as f64
}
