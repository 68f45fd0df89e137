//! M7: exposure of each record, every reference taken as the target in turn.

use crate::gaussian::{mean_and_squares, pooled};
use crate::interval::{Interval, clopper_pearson};
use crate::roc::count_within;
use crate::scores::{AttackError, Block, Flags, fold_blocks, score_blocks_with};
use crate::signals::References;
use crate::special::{size, student_ln_factor};
use rayon::slice::ParallelSliceMut as _;
use std::collections::BTreeMap;

/// How exposed one record is, whichever model of this kind is trained on it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordExposure {
    /// References trained on the record.
    pub n_in: usize,
    /// References not trained on it.
    pub n_out: usize,
    /// Mean, over the models trained on it, of the logarithm of the likelihood ratio that the
    /// other models give; NaN where none can be given.
    pub likelihood_ratio: f64,
    /// Distance of the two sides' means in units of their spread (d').
    pub separation: f64,
    /// Probability of membership that the mean ratio gives an attacker with the stated prior.
    pub posterior: f64,
    /// Models trained on it whose ratio the other models give.
    pub runs: u64,
    /// In how many of them it is flagged at the stated false-positive rate.
    pub flagged_runs: u64,
    /// Share of them, with its exact interval.
    pub flagged: Interval,
    /// Share of the scored records with a lower mean ratio, ties counting half.
    pub percentile: f64,
    /// Whether there are 16 references on each side, below which records cannot be ranked.
    pub ranked: bool,
    /// What a reader must know.
    pub flags: Flags,
}

/// What [`records`] needs to know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecordOptions {
    /// Share of members among those an attacker tests.
    pub prior: f64,
    /// False-positive rate at which a record counts as flagged.
    pub fpr: f64,
    /// Of the intervals.
    pub confidence: f64,
    /// How many observations the pooled variance counts for, as in [`crate::TLira`].
    pub nu0: f64,
}

impl Default for RecordOptions {
    fn default() -> RecordOptions {
        RecordOptions { prior: 0.5, fpr: 0.01, confidence: 0.95, nu0: 4.0 }
    }
}

/// Takes each reference as the target in turn and scores every record by the others, with the laws
/// of [`crate::TLira`].
///
/// A run whose own record has nothing left on its side is not counted. A record with a signal that
/// is not finite has only its flag.
///
/// # Errors
/// A prior, rate or confidence outside of `(0, 1)`, a `nu0` that is not positive, unreadable files.
pub fn records(
    references: &References<'_>,
    options: &RecordOptions,
) -> Result<Vec<RecordExposure>, AttackError> {
    for (what, rate) in [
        ("the prior", options.prior),
        ("the false-positive rate", options.fpr),
        ("the confidence", options.confidence),
    ] {
        if !(rate > 0.0 && rate < 1.0) {
            return Err(AttackError::Parameter { what, expected: "between 0 and 1" });
        }
    }
    if !(options.nu0.is_finite() && options.nu0 > 0.0) {
        return Err(AttackError::Parameter { what: "`nu0`", expected: "positive" });
    }
    let laws = Laws::new(references, options.nu0)?;
    let thresholds = laws.thresholds(references, options.fpr)?;
    let mut exposures = score_blocks_with(references, |block, column| {
        laws.exposure(block, column, &thresholds, options)
    })?;
    let mut ranked: Vec<f64> = exposures
        .iter()
        .map(|exposure| exposure.likelihood_ratio)
        .filter(|ratio| !ratio.is_nan())
        .collect();
    ranked.par_sort_unstable_by(f64::total_cmp);
    // Many records share few pairs of counts, and an exact interval costs more than a record.
    let mut intervals = BTreeMap::new();
    for exposure in &mut exposures {
        let RecordExposure { flagged_runs, runs, .. } = *exposure;
        exposure.flagged = *intervals
            .entry((flagged_runs, runs))
            .or_insert_with(|| clopper_pearson(flagged_runs, runs, options.confidence));
        let ratio = exposure.likelihood_ratio;
        let below = ranked.partition_point(|other| *other < ratio);
        let ties = ranked[below..].partition_point(|other| *other <= ratio);
        if !ratio.is_nan() {
            exposure.percentile = (size(below) + 0.5 * size(ties)) / size(ranked.len());
        }
    }
    Ok(exposures)
}

/// What the laws of all records share.
struct Laws {
    nu0: f64,
    /// Pooled variance of IN and OUT.
    variances: [f64; 2],
    /// By number of observations.
    ln_factors: Vec<f64>,
}

impl Laws {
    fn new(references: &References<'_>, nu0: f64) -> Result<Laws, AttackError> {
        let variances = pooled(references)?;
        let ln_factors =
            (0..=references.references()).map(|count| student_ln_factor(nu0 + size(count)));
        Ok(Laws { nu0, variances, ln_factors: ln_factors.collect() })
    }

    /// The likelihood ratio of each run, by the record's other signals: none where its own side
    /// (or the other) has nothing left, or nothing is finite.
    fn ratios(&self, block: &Block, column: usize, mut each: impl FnMut(usize, bool, Option<f64>)) {
        let signals = || block.signals[column..].iter().step_by(block.width).copied();
        let members = || block.members[column..].iter().step_by(block.width).map(|&m| m != 0.0);
        let side = |wanted: bool| {
            mean_and_squares(
                signals().zip(members()).filter(move |(_, m)| *m == wanted).map(|(s, _)| s),
            )
        };
        let sides = [side(true), side(false)];
        let largest = signals().fold(0.0, |largest: f64, signal| largest.max(signal.abs()));
        let smallest = crate::gaussian::RESOLUTION * if largest > 0.0 { largest } else { 1.0 };
        for (run, (signal, member)) in signals().zip(members()).enumerate() {
            let density = |at: usize| {
                let (mut count, mut mean, mut squares) = sides[at];
                if (at == 0) == member {
                    // Takes the run's own signal out of its side (Welford's update, backwards).
                    let rest = count - 1;
                    if rest > 0 {
                        let distance = signal - mean;
                        squares =
                            (squares - distance * distance * size(count) / size(rest)).max(0.0);
                        mean -= distance / size(rest);
                    }
                    count = rest;
                }
                if count == 0 {
                    return None;
                }
                let (n, nu) = (size(count), self.nu0 + size(count));
                let variance = (self.nu0 * self.variances[at] + squares) / nu * (1.0 + 1.0 / n);
                let scale = variance.sqrt().max(smallest);
                let t = (signal - mean) / scale;
                Some(self.ln_factors[count] - scale.ln() - 0.5 * (nu + 1.0) * (t * t / nu).ln_1p())
            };
            let ratio = density(0).zip(density(1)).map(|(with, without)| with - without);
            each(run, member, ratio.filter(|ratio| ratio.is_finite()));
        }
    }

    /// For each reference, the ratio that at most the share `fpr` of the records it was not
    /// trained on exceeds.
    fn thresholds(&self, references: &References<'_>, fpr: f64) -> Result<Vec<f64>, AttackError> {
        let most = count_within(fpr, references.records()) + 1;
        let tops = fold_blocks(
            references,
            |block, tops: &mut Vec<Top>| {
                tops.resize_with(references.references(), Top::default);
                for column in 0..block.width {
                    self.ratios(block, column, |run, member, ratio| {
                        if let Some(ratio) = ratio.filter(|_| !member) {
                            tops[run].push(ratio, most);
                        }
                    });
                }
            },
            |mut left, right| {
                if left.is_empty() {
                    return right;
                }
                for (left, right) in left.iter_mut().zip(right) {
                    left.count += right.count;
                    left.largest.extend(right.largest);
                    left.shrink(most);
                }
                left
            },
        )?;
        Ok(tops.into_iter().map(|top| top.threshold(fpr)).collect())
    }

    fn exposure(
        &self,
        block: &Block,
        column: usize,
        thresholds: &[f64],
        options: &RecordOptions,
    ) -> RecordExposure {
        let members = block.members[column..].iter().step_by(block.width);
        let n_in = members.filter(|&&member| member != 0.0).count();
        let n_out = thresholds.len() - n_in;
        let (mut runs, mut flagged, mut sum) = (0_u64, 0_u64, 0.0);
        self.ratios(block, column, |run, member, ratio| {
            if let Some(ratio) = ratio.filter(|_| member) {
                runs += 1;
                flagged += u64::from(ratio > thresholds[run]);
                sum += ratio;
            }
        });
        let signals = || block.signals[column..].iter().step_by(block.width);
        let finite = signals().all(|signal| signal.is_finite());
        let likelihood_ratio = sum / crate::special::real(runs);
        let prior = (options.prior / (1.0 - options.prior)).ln();
        RecordExposure {
            n_in,
            n_out,
            likelihood_ratio,
            separation: if finite { self.separation(block, column) } else { f64::NAN },
            posterior: 1.0 / (1.0 + (-likelihood_ratio - prior).exp()),
            runs,
            flagged_runs: flagged,
            flagged: Interval { value: f64::NAN, low: 0.0, high: 1.0 },
            percentile: f64::NAN,
            ranked: n_in.min(n_out) >= RANKED_FROM && finite,
            flags: Flags::NOT_FINITE.when(!finite)
                | Flags::NEVER_IN.when(n_in == 0)
                | Flags::NEVER_OUT.when(n_out == 0)
                | Flags::NO_SPREAD
                    .when(finite && signals().all(|signal| *signal == block.signals[column])),
        }
    }

    /// d' with the spread of both sides, shrunken as the laws are.
    fn separation(&self, block: &Block, column: usize) -> f64 {
        let side = |wanted: bool| {
            let signals = block.signals[column..].iter().step_by(block.width);
            let members = block.members[column..].iter().step_by(block.width);
            let signals = signals.zip(members).filter(move |(_, m)| (**m != 0.0) == wanted);
            mean_and_squares(signals.map(|(signal, _)| *signal))
        };
        let ((n_in, with, squares_in), (n_out, without, squares_out)) = (side(true), side(false));
        if n_in == 0 || n_out == 0 {
            return f64::NAN;
        }
        let prior = self.nu0 * (self.variances[0] + self.variances[1]);
        let variance =
            (prior + squares_in + squares_out) / (2.0 * self.nu0 + size(n_in) + size(n_out));
        let distance = with - without;
        if distance == 0.0 { 0.0 } else { distance / variance.sqrt() }
    }
}

/// The largest ratios of one reference's non-members.
#[derive(Default)]
struct Top {
    count: usize,
    largest: Vec<f64>,
}

impl Top {
    fn push(&mut self, ratio: f64, most: usize) {
        self.count += 1;
        self.largest.push(ratio);
        if self.largest.len() >= 2 * most + 64 {
            self.shrink(most);
        }
    }

    fn shrink(&mut self, most: usize) {
        if self.largest.len() > most {
            self.largest.select_nth_unstable_by(most - 1, |left, right| right.total_cmp(left));
            self.largest.truncate(most);
        }
    }

    fn threshold(mut self, fpr: f64) -> f64 {
        let allowed = count_within(fpr, self.count);
        if self.largest.is_empty() {
            // No non-member, no false alarm, and nothing that could be claimed.
            return f64::INFINITY;
        }
        let at = allowed.min(self.largest.len() - 1);
        *self.largest.select_nth_unstable_by(at, |left, right| right.total_cmp(left)).1
    }
}

/// References on each side below which records are not ranked.
const RANKED_FROM: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::{Layout, Matrix};

    /// Twenty records over forty references; record 0 jumps by five when it is in, the others do
    /// not care.
    fn invented() -> (Vec<f64>, Vec<bool>) {
        let (mut signals, mut members) = (Vec::new(), Vec::new());
        let mut state = 1_u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            crate::special::real(state >> 40) / 16_777_216.0 - 0.5
        };
        for reference in 0..40 {
            for record in 0..20 {
                let member = (reference + record) % 2 == 0;
                members.push(member);
                let jump = if record == 0 && member { 5.0 } else { 0.0 };
                signals.push(noise() + jump);
            }
        }
        (signals, members)
    }

    #[test]
    fn the_record_that_jumps_is_found() {
        let (mut signals, members) = invented();
        signals[19] = f64::NAN;
        let matrix = Matrix::new(&signals[..], Layout::ByReference, 40, 20).unwrap();
        let masks = Matrix::new(&members[..], Layout::ByReference, 40, 20).unwrap();
        let references = References::new(matrix, masks).unwrap();
        let options = RecordOptions { fpr: 0.1, ..RecordOptions::default() };
        let exposures = records(&references, &options).unwrap();
        let worst = exposures[0];
        assert_eq!((worst.n_in, worst.n_out, worst.ranked), (20, 20, true));
        assert!(worst.likelihood_ratio > 3.0 && worst.separation > 5.0);
        assert!(worst.posterior > 0.95 && worst.flagged.value == 1.0);
        assert!(worst.flagged.low > 0.8 && worst.percentile > 0.9);
        assert!(exposures[1..19].iter().all(|other| other.separation.abs() < 2.0));
        assert_eq!(exposures[19].flags, Flags::NOT_FINITE);
        assert!(exposures[19].likelihood_ratio.is_nan() && exposures[19].percentile.is_nan());
        let prior = RecordOptions { prior: 1.0, ..options };
        assert!(records(&references, &prior).is_err());
    }

    /// Leaving one out by hand must give what the running update gives.
    #[test]
    fn leaving_a_run_out_equals_fitting_without_it() {
        let signals = [1.0, 2.5, 4.0, -1.0, 0.5, -3.0];
        let members = [true, true, true, false, false, false];
        let matrix = Matrix::new(&signals[..], Layout::ByReference, 6, 1).unwrap();
        let masks = Matrix::new(&members[..], Layout::ByReference, 6, 1).unwrap();
        let references = References::new(matrix, masks).unwrap();
        let laws = Laws::new(&references, 4.0).unwrap();
        let law = |side: &[f64], x: f64, at: usize| {
            let (count, mean, squares) = mean_and_squares(side.iter().copied());
            let nu = 4.0 + size(count);
            let variance = (4.0 * laws.variances[at] + squares) / nu * (1.0 + 1.0 / size(count));
            let t2 = (x - mean).powi(2) / variance;
            student_ln_factor(nu) - 0.5 * variance.ln() - 0.5 * (nu + 1.0) * (t2 / nu).ln_1p()
        };
        let expected = [
            law(&[2.5, 4.0], 1.0, 0) - law(&signals[3..], 1.0, 1),
            law(&[1.0, 4.0], 2.5, 0) - law(&signals[3..], 2.5, 1),
            law(&[1.0, 2.5], 4.0, 0) - law(&signals[3..], 4.0, 1),
        ];
        let found = records(&references, &RecordOptions::default()).unwrap()[0].likelihood_ratio;
        assert!((found - expected.iter().sum::<f64>() / 3.0).abs() < 1e-12);
    }
}
