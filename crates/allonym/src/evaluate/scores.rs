//! Rates and their intervals from counts.

use super::labels::Labels;
use super::tally::{Found, Grounds, Kind, Tally, real};
use super::{Confusion, Rates, Reliability, Scored, Value, Which};
use allonym_exposure::{Interval, clopper_pearson, korn_graubard};
use std::collections::{BTreeMap, BTreeSet};

/// A tally whose findings are each ascribed to a class.
#[derive(Debug, Default)]
pub(super) struct Scores {
    tally: Tally,
    /// By kind and class.
    found: BTreeMap<(Kind, usize), Found>,
}

impl Scores {
    /// Findings of entities that are right for none of the `marked` classes go to `left_out`.
    pub(super) fn of(
        tally: &Tally,
        marked: &BTreeSet<usize>,
        labels: &Labels,
        left_out: &mut BTreeMap<String, u64>,
    ) -> Scores {
        let mut scores = Scores { tally: tally.clone(), found: BTreeMap::new() };
        for (kind, found) in std::mem::take(&mut scores.tally.found) {
            let may_be = || marked.iter().find(|class| labels.is_right(**class, &kind.entity));
            match kind.right.or_else(|| may_be().copied()) {
                Some(class) => scores.add(kind, class, found),
                None => *left_out.entry(kind.entity).or_default() += found.count,
            }
        }
        scores
    }

    fn add(&mut self, kind: Kind, class: usize, found: Found) {
        self.found.entry((kind, class)).or_default().add(found);
    }

    pub(super) fn merge(&mut self, other: &Scores) {
        self.tally.merge(&other.tally);
        for ((kind, class), found) in &other.found {
            self.add(kind.clone(), *class, *found);
        }
    }

    pub(super) fn documents(&self) -> u64 {
        self.tally.documents
    }

    pub(super) fn bytes(&self) -> u64 {
        self.tally.bytes
    }

    pub(super) fn classes(&self) -> BTreeSet<usize> {
        self.tally.classes()
    }

    /// What became of one class; of all together when `None`.
    pub(super) fn scored(&self, class: Option<usize>) -> Scored {
        let of_class = |known: usize| class.is_none_or(|class| class == known);
        let count = |wanted: fn(&Kind) -> bool| -> u64 {
            let kinds =
                self.found.iter().filter(|((kind, known), _)| of_class(*known) && wanted(kind));
            kinds.map(|(_, found)| found.count).sum()
        };
        let fates = || self.tally.fates.iter().filter(|(known, _)| of_class(**known));
        let marked: u64 = fates().map(|(_, fate)| fate.marked).sum();
        let (met, exact) =
            fates().fold((0, 0), |(met, exact), (_, fate)| (met + fate.met, exact + fate.exact));
        let found = count(|_| true);
        let right = count(|kind| kind.right.is_some());
        let characters = match class {
            Some(class) => {
                self.tally.fates.get(&class).map(|fate| fate.characters).unwrap_or_default()
            }
            None => self.tally.all,
        };
        let leaked = real(characters.leaked) / real(characters.marked);
        let alarms = clopper_pearson(found - right, self.tally.bytes, CONFIDENCE);
        Scored {
            gold: marked,
            found,
            strict: rates([count(|kind| kind.exact), found], [exact, marked]),
            overlap: rates([right, found], [met, marked]),
            leak_rate: value(korn_graubard(leaked, characters.effective(), CONFIDENCE)),
            false_alarms_per_mb: value(alarms.scaled(1e6)),
        }
    }

    /// Scores against the share that was right.
    pub(super) fn by_tenth(&self) -> Vec<Reliability> {
        self.reliability(|kind| kind.tenth)
            .into_iter()
            .map(|(tenth, counts)| {
                let end = |tenth: u8| f64::from(tenth) / 10.0;
                counts.reliability(Which::Scores { from: end(tenth), to: end(tenth + 1) })
            })
            .collect()
    }

    /// The same by rule and grounds.
    pub(super) fn by_rule(&self) -> Vec<Reliability> {
        self.reliability(|kind| (kind.rule.clone(), kind.grounds))
            .into_iter()
            .map(|((rule, grounds), counts)| {
                counts.reliability(Which::Rule { rule, grounds: grounds.name().to_owned() })
            })
            .collect()
    }

    fn reliability<K: Ord>(&self, key: impl Fn(&Kind) -> K) -> BTreeMap<K, Counts> {
        let mut counts: BTreeMap<K, Counts> = BTreeMap::new();
        for ((kind, _), found) in &self.found {
            let counts = counts.entry(key(kind)).or_default();
            counts.found.add(*found);
            counts.right += if kind.right.is_some() { found.count } else { 0 };
        }
        counts
    }

    /// What was taken for what, most often first.
    pub(super) fn confusion(&self, name: impl Fn(usize) -> String) -> Vec<Confusion> {
        let mut pairs: BTreeMap<(Option<String>, Option<String>), u64> = BTreeMap::new();
        for ((class, said), count) in &self.tally.confusion {
            *pairs.entry((Some(name(*class)), said.clone())).or_default() += count;
        }
        for ((kind, _), found) in self.found.iter().filter(|((kind, _), _)| kind.alone) {
            *pairs.entry((None, Some(kind.entity.clone()))).or_default() += found.count;
        }
        let mut confusion: Vec<Confusion> = pairs
            .into_iter()
            .map(|((gold, found), count)| Confusion { gold, found, count })
            .collect();
        confusion.sort_by_key(|pair| std::cmp::Reverse(pair.count));
        confusion
    }
}

#[derive(Default)]
struct Counts {
    found: Found,
    right: u64,
}

impl Counts {
    fn reliability(self, which: Which) -> Reliability {
        let Found { count, score_sum } = self.found;
        let precision = value(clopper_pearson(self.right, count, CONFIDENCE));
        Reliability { which, findings: count, score: rounded(score_sum / real(count)), precision }
    }
}

impl Grounds {
    /// As in the `score` table of a rule file.
    fn name(self) -> &'static str {
        match (self.validated, self.context) {
            (false, false) => "bare",
            (false, true) => "context",
            (true, false) => "validated",
            (true, true) => "both",
        }
    }
}

/// Hits and all, for precision and for recall.
fn rates(precision: [u64; 2], recall: [u64; 2]) -> Rates {
    let share = |[hits, all]: [u64; 2], confidence| clopper_pearson(hits, all, confidence);
    let mean = |beta: f64| {
        // Both at 97.5 % hold together at 95 %, however they depend on each other.
        let wide = 1.0 - (1.0 - CONFIDENCE) / 2.0;
        let (precision, recall) = (share(precision, wide), share(recall, wide));
        Interval {
            value: f_measure(beta, precision.value, recall.value),
            low: f_measure(beta, precision.low, recall.low),
            high: f_measure(beta, precision.high, recall.high),
        }
    };
    Rates {
        precision: value(share(precision, CONFIDENCE)),
        recall: value(share(recall, CONFIDENCE)),
        f1: value(mean(1.0)),
        f2: value(mean(2.0)),
    }
}

/// Rijsbergen, "Information Retrieval" (1979): recall weighs `beta` times as much as precision. Zero
/// where nothing was found of what was marked; NaN where nothing was marked and nothing found.
fn f_measure(beta: f64, precision: f64, recall: f64) -> f64 {
    match (precision.is_nan(), recall.is_nan()) {
        (true, true) => f64::NAN,
        (true, false) | (false, true) => 0.0,
        (false, false) if precision == 0.0 && recall == 0.0 => 0.0,
        (false, false) => {
            let weight = beta * beta;
            (1.0 + weight) * precision * recall / (weight * precision + recall)
        }
    }
}

/// JSON has no NaN.
fn value(Interval { value, low, high }: Interval) -> Value {
    let shown = (!value.is_nan()).then(|| rounded(value));
    Value { value: shown, low: rounded(low), high: rounded(high) }
}

/// To a millionth: beyond it are only the rounding errors of the machine.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

const CONFIDENCE: f64 = 0.95;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f_measures() {
        assert!((f_measure(1.0, 0.5, 1.0) - 2.0 / 3.0).abs() < 1e-15);
        // van Rijsbergen's F2 of P = 1/2 and R = 1: 5 · 0.5 / (4 · 0.5 + 1).
        assert!((f_measure(2.0, 0.5, 1.0) - 2.5 / 3.0).abs() < 1e-15);
        assert_eq!(f_measure(1.0, f64::NAN, 0.0), 0.0);
        assert_eq!(f_measure(1.0, 0.0, 0.0), 0.0);
        assert!(f_measure(1.0, f64::NAN, f64::NAN).is_nan());
    }

    #[test]
    fn rates_have_intervals_that_hold_them() {
        let rates = rates([8, 10], [8, 16]);
        assert_eq!((rates.precision.value, rates.recall.value), (Some(0.8), Some(0.5)));
        assert_eq!(rates.f1.value, Some(rounded(16.0 / 26.0)));
        for value in [rates.precision, rates.recall, rates.f1, rates.f2] {
            let middle = value.value.unwrap();
            assert!(value.low < middle && middle < value.high, "{value:?}");
        }
    }
}
