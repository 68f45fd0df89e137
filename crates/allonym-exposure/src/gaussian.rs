//! Attacks that fit a law to each record's reference signals: offset, LiRA, shrunken t-LiRA.

use crate::scores::{
    AttackError, Block, Flags, Mode, Scores, Sides, fold_blocks, refuse_one_sided, same_length,
    score_blocks,
};
use crate::signals::{References, Series};
use crate::special::{normal_ln_cdf, normal_ln_density, size, student_ln_cdf, student_ln_factor};
use crate::sum::ExactSum;

/// A3, difference calibration: how far the target's signal lies above the references'.
///
/// Offline, the signal less the median of the references without the record; online, less the mean
/// of the two sides' medians. `signal` is a logit, loss or any score that grows with membership.
/// Records with a signal that is not finite, and those that lack a side, are not scored and are
/// flagged.
///
/// # Errors
/// Lengths that do not fit, masks that are all in or (online) all out, unreadable files.
///
/// Watson et al., arXiv 2111.08440; Sablayrolles et al., arXiv 1908.11229.
pub fn offset<'a>(
    signal: impl Into<Series<'a>>,
    references: &References<'_>,
    mode: Mode,
) -> Result<Scores, AttackError> {
    let scores = each_record(signal.into(), references, mode, |signal, inside, outside| {
        let without = median(outside);
        let centre = match mode {
            Mode::Offline => without,
            Mode::Online => (median(inside) + without) / 2.0,
        };
        (signal - centre, Flags::default())
    })?;
    refuse_one_sided(&scores, mode)?;
    Ok(scores)
}

/// A4, the likelihood-ratio attack: normal laws fitted to each record's reference logits.
///
/// The defaults are the paper's; the fields say what else there is.
///
/// Carlini et al., arXiv 2112.03570.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lira {
    /// Which references are used, and how offline is scored.
    pub mode: LiraMode,
    /// Where the spread of the laws comes from.
    pub variance: Variance,
    /// Where the laws are centred.
    pub centre: Centre,
    /// Logits are moved into `[-limit, limit]` and flagged; see [`ensemble_limit`].
    pub logit_limit: Option<f64>,
}

/// How a record is scored from its laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiraMode {
    /// Logarithm of the density with the record over the density without it.
    Online,
    /// Logarithm of the probability of a lower signal without the record: the paper's one-sided
    /// test.
    Offline,
    /// Minus the logarithm of the density without the record, as the authors' script scores: it
    /// ranks signals that are unusually low as members too. For comparison only.
    OfflineDensity,
}

/// Where the spread of the laws comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variance {
    /// From the record's own references, around their mean (dividing by their number).
    PerRecord,
    /// One for each side, of all records' distances from their centres: steadier with few
    /// references.
    Fixed,
    /// One for both sides, of all signals of the IN side (offline: of the OUT side), not centred
    /// by record, as the authors' script has it. For comparison only.
    AuthorsFixed,
}

/// Where a law is centred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Centre {
    /// At the median, as the authors' script does.
    Median,
    /// At the mean.
    Mean,
}

impl Default for Lira {
    fn default() -> Lira {
        Lira {
            mode: LiraMode::Online,
            variance: Variance::PerRecord,
            centre: Centre::Median,
            logit_limit: None,
        }
    }
}

impl Lira {
    /// Scores every record of the target's `logit` against the references'.
    ///
    /// A logit is `log p - log(sum of the other classes)`. A side without spread gets the smallest
    /// that single precision resolves and is flagged; records with a signal that is not finite,
    /// and those that lack a side, are not scored and are flagged.
    ///
    /// # Errors
    /// Lengths that do not fit, masks that are all in or (online) all out, a limit that is not
    /// positive, unreadable files.
    pub fn score<'a>(
        &self,
        logit: impl Into<Series<'a>>,
        references: &References<'_>,
    ) -> Result<Scores, AttackError> {
        let mode = match self.mode {
            LiraMode::Online => Mode::Online,
            LiraMode::Offline | LiraMode::OfflineDensity => Mode::Offline,
        };
        let limit = self.logit_limit.unwrap_or(f64::INFINITY);
        if limit.is_nan() || limit <= 0.0 {
            return Err(AttackError::Parameter {
                what: "the limit of logits",
                expected: "positive",
            });
        }
        let logit = logit.into();
        let shared = match self.variance {
            Variance::PerRecord => None,
            Variance::Fixed => Some(self.pool(logit, references, limit, true)?),
            Variance::AuthorsFixed => {
                let [inside, outside] = self.pool(logit, references, limit, false)?;
                Some(if mode == Mode::Online { [inside; 2] } else { [outside; 2] })
            }
        };
        let scores = each_record(logit, references, mode, |signal, inside, outside| {
            let mut flags = clamp(limit, inside) | clamp(limit, outside);
            let clamped = signal.clamp(-limit, limit);
            flags |= Flags::CLAMPED.when(clamped != signal);
            let resolved = resolution(clamped, inside, outside);
            let mut law = |side: &mut [f64], at: usize| {
                let centre = self.centre_of(side);
                let spread = shared.map_or_else(|| spread(side), |shared| shared[at]);
                flags |= Flags::NO_SPREAD.when(spread < resolved);
                let spread = spread.max(resolved);
                ((clamped - centre) / spread, spread.ln())
            };
            let (distance, ln_spread) = law(outside, 1);
            let score = match self.mode {
                LiraMode::Online => {
                    let (with, ln_spread_with) = law(inside, 0);
                    (normal_ln_density(with) - ln_spread_with)
                        - (normal_ln_density(distance) - ln_spread)
                }
                LiraMode::Offline => normal_ln_cdf(distance),
                LiraMode::OfflineDensity => ln_spread - normal_ln_density(distance),
            };
            (score, flags)
        })?;
        refuse_one_sided(&scores, mode)?;
        Ok(scores)
    }

    fn centre_of(&self, side: &mut [f64]) -> f64 {
        match self.centre {
            Centre::Median => median(side),
            Centre::Mean => mean(side),
        }
    }

    /// Spread of all signals of each side, IN then OUT: around each record's centre, or around
    /// their common mean.
    fn pool(
        &self,
        logit: Series<'_>,
        references: &References<'_>,
        limit: f64,
        by_record: bool,
    ) -> Result<[f64; 2], AttackError> {
        let pools = pool(logit, references, |side| {
            clamp(limit, side);
            if by_record { self.centre_of(side) } else { 0.0 }
        })?;
        Ok(pools.map(|pool| pool.spread()))
    }
}

/// A6, LiRA with Student's t laws whose variances are drawn towards the pooled one: never clearly
/// below LiRA, and far better with few references.
///
/// Per side, `s2 = (nu0 s2_pool + n s2_i) / (nu0 + n)`, and the score is the logarithm of the t
/// density with `nu0 + n` degrees of freedom, centre the mean and scale `s2 (1 + 1/n)`, IN less
/// OUT; offline, the logarithm of the probability of a lower signal without the record. A record
/// that lacks a side is scored with that side's pooled mean and spread, and flagged.
///
/// After the shrinkage of arXiv 2603.11799, with a pooled prior instead of that paper's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TLira {
    /// Which references are used.
    pub mode: Mode,
    /// How many observations the pooled variance counts for.
    pub nu0: f64,
}

impl Default for TLira {
    fn default() -> TLira {
        TLira { mode: Mode::Online, nu0: 4.0 }
    }
}

impl TLira {
    /// Scores every record of the target's `logit` against the references'.
    ///
    /// # Errors
    /// Lengths that do not fit, masks that are all in or (online) all out, a `nu0` that is not
    /// positive, unreadable files.
    pub fn score<'a>(
        &self,
        logit: impl Into<Series<'a>>,
        references: &References<'_>,
    ) -> Result<Scores, AttackError> {
        if !(self.nu0.is_finite() && self.nu0 > 0.0) {
            return Err(AttackError::Parameter { what: "`nu0`", expected: "positive" });
        }
        let logit = logit.into();
        let pools = pool(logit, references, |side| mean(side))?;
        if pools[1].count == 0 && pools[0].count > 0 {
            return Err(AttackError::AllIn);
        }
        if self.mode == Mode::Online && pools[0].count == 0 && pools[1].count > 0 {
            return Err(AttackError::AllOut);
        }
        let counts = 0..=references.references();
        let ln_factors: Vec<f64> =
            counts.map(|count| student_ln_factor(self.nu0 + size(count))).collect();
        each_record_or_side(logit, references, |signal, inside, outside| {
            let mut flags =
                Flags::NEVER_IN.when(inside.is_empty()) | Flags::NEVER_OUT.when(outside.is_empty());
            let resolved = resolution(signal, inside, outside);
            let mut law = |side: &[f64], at: usize| {
                let count = size(side.len());
                let nu = self.nu0 + count;
                let centre = if side.is_empty() { pools[at].mean() } else { mean(side) };
                let pooled = pools[at].spread().powi(2);
                let own = if side.is_empty() { 0.0 } else { spread(side).powi(2) };
                let variance =
                    (self.nu0 * pooled + count * own) / nu * (1.0 + 1.0 / count.max(1.0));
                flags |= Flags::NO_SPREAD.when(variance.sqrt() < resolved);
                let scale = variance.sqrt().max(resolved);
                ((signal - centre) / scale, scale, nu)
            };
            let (t, scale, nu) = law(outside, 1);
            let score = match self.mode {
                Mode::Offline => student_ln_cdf(t, nu),
                Mode::Online => {
                    let density = |t: f64, scale: f64, nu: f64, count: usize| {
                        ln_factors[count] - scale.ln() - 0.5 * (nu + 1.0) * (t * t / nu).ln_1p()
                    };
                    let without = density(t, scale, nu, outside.len());
                    let (t, scale, nu) = law(inside, 0);
                    density(t, scale, nu, inside.len()) - without
                }
            };
            (score, flags)
        })
    }
}

/// The logit at which an ensemble of so many trees stops telling apart: that of `1 - 1/(2 trees)`.
///
/// A forest's probabilities are multiples of `1 / trees`, and 0 and 1 have no logit; the attacks
/// that fit normal laws clamp there, and the report says so.
#[must_use]
pub fn ensemble_limit(trees: usize) -> f64 {
    (2.0 * size(trees) - 1.0).max(1.0).ln()
}

/// Scores records that have both sides (offline: an OUT side); flags the others.
fn each_record(
    signal: Series<'_>,
    references: &References<'_>,
    mode: Mode,
    score: impl Fn(f64, &mut [f64], &mut [f64]) -> (f64, Flags) + Sync,
) -> Result<Scores, AttackError> {
    each_record_or_side(signal, references, |signal, inside, outside| {
        let flags =
            Flags::NEVER_IN.when(inside.is_empty()) | Flags::NEVER_OUT.when(outside.is_empty());
        if outside.is_empty() || (mode == Mode::Online && inside.is_empty()) {
            return (f64::NAN, flags);
        }
        let (score, more) = score(signal, inside, outside);
        (score, flags | more)
    })
}

fn each_record_or_side(
    signal: Series<'_>,
    references: &References<'_>,
    score: impl Fn(f64, &mut [f64], &mut [f64]) -> (f64, Flags) + Sync,
) -> Result<Scores, AttackError> {
    same_length("the references' signals", references.records(), signal.len())?;
    score_blocks(references, |block, values, flags| {
        let mut sides = Sides::new(references.references());
        for column in 0..block.width {
            let signal = signal.at(block.start + column);
            (values[column], flags[column]) = match usable(signal, block, column, &mut sides) {
                Some([inside, outside]) => match score(signal, inside, outside) {
                    // Signals so large that their squares are beyond all numbers.
                    (score, flags) if !score.is_finite() && !flags.is_one_sided() => {
                        (f64::NAN, flags | Flags::NOT_FINITE)
                    }
                    scored => scored,
                },
                None => (f64::NAN, Flags::NOT_FINITE),
            };
        }
        Ok(())
    })
}

/// The two sides of a record whose every signal is finite.
fn usable<'a>(
    signal: f64,
    block: &Block,
    column: usize,
    sides: &'a mut Sides,
) -> Option<[&'a mut [f64]; 2]> {
    let [inside, outside] = block.split(column, sides);
    let finite = |side: &[f64]| side.iter().all(|signal| signal.is_finite());
    (signal.is_finite() && finite(inside) && finite(outside)).then_some([inside, outside])
}

/// Sums over all records of one side, exact so that the order of records does not matter.
#[derive(Default)]
struct Pool {
    count: usize,
    /// Of each signal's centre.
    centres: ExactSum,
    /// Of the distances from the centres.
    sum: ExactSum,
    squares: ExactSum,
}

impl Pool {
    fn add(&mut self, side: &[f64], centre: f64) {
        self.count += side.len();
        self.centres.add(centre * size(side.len()));
        self.sum.add(side.iter().map(|signal| signal - centre).sum());
        self.squares.add(side.iter().map(|signal| (signal - centre).powi(2)).sum());
    }

    fn merge(mut self, other: &Pool) -> Pool {
        self.count += other.count;
        self.centres.merge(&other.centres);
        self.sum.merge(&other.sum);
        self.squares.merge(&other.squares);
        self
    }

    /// Of the signals.
    fn mean(&self) -> f64 {
        (self.centres.total() + self.sum.total()) / size(self.count.max(1))
    }

    /// Of the distances from the centres, around their mean.
    fn spread(&self) -> f64 {
        let count = size(self.count.max(1));
        let offset = self.sum.total() / count;
        (self.squares.total() / count - offset * offset).max(0.0).sqrt()
    }
}

/// Pools the usable records' distances from the centre that `centre` gives each side, IN then OUT.
fn pool(
    signal: Series<'_>,
    references: &References<'_>,
    centre: impl Fn(&mut [f64]) -> f64 + Sync,
) -> Result<[Pool; 2], AttackError> {
    same_length("the references' signals", references.records(), signal.len())?;
    fold_blocks(
        references,
        |block, pools: &mut [Pool; 2]| {
            let mut sides = Sides::new(references.references());
            for column in 0..block.width {
                let signal = signal.at(block.start + column);
                let Some(sides) = usable(signal, block, column, &mut sides) else { continue };
                for (side, pool) in sides.into_iter().zip(pools.iter_mut()) {
                    if !side.is_empty() {
                        let centre = centre(side);
                        pool.add(side, centre);
                    }
                }
            }
        },
        |[inside, outside], [more_inside, more_outside]| {
            [inside.merge(&more_inside), outside.merge(&more_outside)]
        },
    )
}

/// Pooled variance of each side around the records' means, IN then OUT.
pub(crate) fn pooled(references: &References<'_>) -> Result<[f64; 2], AttackError> {
    // The target's own signal does not count; any finite one lets every record through.
    let zeros = vec![0.0; references.records()];
    let pools = pool(Series::F64(&zeros), references, |side| mean(side))?;
    Ok(pools.map(|pool| pool.spread().powi(2)))
}

/// Number, mean and sum of squared distances from the mean.
pub(crate) fn mean_and_squares(side: impl Iterator<Item = f64> + Clone) -> (usize, f64, f64) {
    let count = side.clone().count();
    let mean = side.clone().sum::<f64>() / size(count.max(1));
    (count, mean, side.map(|signal| (signal - mean).powi(2)).sum())
}

fn clamp(limit: f64, side: &mut [f64]) -> Flags {
    let mut flags = Flags::default();
    if limit.is_finite() {
        for signal in side {
            let clamped = signal.clamp(-limit, limit);
            flags |= Flags::CLAMPED.when(clamped != *signal);
            *signal = clamped;
        }
    }
    flags
}

/// The smallest spread that signals of this size can show in single precision.
fn resolution(signal: f64, inside: &[f64], outside: &[f64]) -> f64 {
    let largest = inside
        .iter()
        .chain(outside)
        .fold(signal.abs(), |largest: f64, signal| largest.max(signal.abs()));
    RESOLUTION * if largest > 0.0 { largest } else { 1.0 }
}

/// Median of a side that is not empty; the mean of the middle two where there are two.
fn median(side: &mut [f64]) -> f64 {
    let middle = side.len() / 2;
    let even = side.len().is_multiple_of(2);
    let (lower, upper, _) = side.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if even {
        let lower = lower.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (lower + upper) / 2.0
    } else {
        upper
    }
}

fn mean(side: &[f64]) -> f64 {
    side.iter().sum::<f64>() / size(side.len())
}

/// Standard deviation around the mean, dividing by the number of signals.
fn spread(side: &[f64]) -> f64 {
    let mean = mean(side);
    let squares: f64 = side.iter().map(|signal| (signal - mean).powi(2)).sum();
    (squares / size(side.len())).sqrt()
}

/// Eight times the spacing of single-precision numbers near one, as a share of the number.
pub(crate) const RESOLUTION: f64 = 1.0 / 1_048_576.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::{Layout, Matrix};

    const MASK: [bool; 12] =
        [true, true, false, true, false, true, false, true, true, false, false, true];

    fn references<'a>(signals: &'a [f64], members: &'a [bool]) -> References<'a> {
        let records = signals.len() / 4;
        let signals = Matrix::new(signals, Layout::ByReference, 4, records).unwrap();
        let members = Matrix::new(members, Layout::ByReference, 4, records).unwrap();
        References::new(signals, members).unwrap()
    }

    /// Worked by hand: IN {1, 3}, OUT {-2, 0}; both spreads are 1.
    #[test]
    fn likelihood_ratio_of_a_record_worked_by_hand() {
        let members = [true, false, true, false];
        let signals = [1.0, -2.0, 3.0, 0.0];
        let refs = references(&signals, &members);
        let target = [1.5];
        let online = Lira::default().score(&target[..], &refs).unwrap();
        // -(0.5^2)/2 + (2.5^2)/2
        assert!((online.values[0] - 3.0).abs() < 1e-12);
        let offline = Lira { mode: LiraMode::Offline, ..Lira::default() };
        let offline = offline.score(&target[..], &refs).unwrap();
        assert!((offline.values[0] - 0.993_790_334_674_223_8_f64.ln()).abs() < 1e-14);
        assert_eq!(offset(&target[..], &refs, Mode::Online).unwrap().values, [1.0]);
        assert_eq!(offset(&target[..], &refs, Mode::Offline).unwrap().values, [2.5]);
        let shrunken = TLira::default().score(&target[..], &refs).unwrap();
        // Both scales are 1.5, six degrees of freedom: 3.5 ln((1 + 6.25/9) / (1 + 0.25/9)).
        let expected = 3.5 * ((1.0_f64 + 6.25 / 9.0) / (1.0 + 0.25 / 9.0)).ln();
        assert!((shrunken.values[0] - expected).abs() < 1e-12);
        assert!(online.flags[0].is_empty());
    }

    #[test]
    fn what_cannot_be_scored_is_flagged_and_never_a_number() {
        // Records: sound, NaN in a reference, NaN in the target, never IN, never OUT, constant.
        let column = [
            [1.0, 2.0, -1.0, -2.0],
            [1.0, f64::NAN, 0.0, 0.0],
            [1.0, 2.0, 0.0, 0.5],
            [1.0, 2.0, 0.0, 0.5],
            [1.0, 2.0, 0.0, 0.5],
            [7.0, 7.0, 7.0, 7.0],
        ];
        let mut signals = Vec::new();
        let mut members = Vec::new();
        for reference in 0..4 {
            for (record, values) in column.iter().enumerate() {
                signals.push(values[reference]);
                members.push(match record {
                    3 => false,
                    4 => true,
                    _ => reference < 2,
                });
            }
        }
        let refs = references(&signals, &members);
        let target = [1.0, 1.0, f64::INFINITY, 1.0, 1.0, 7.0];
        let scores = Lira::default().score(&target[..], &refs).unwrap();
        assert_eq!(scores.dropped(), 4);
        assert_eq!(scores.flags[0], Flags::default());
        assert_eq!(scores.flags[1], Flags::NOT_FINITE);
        assert_eq!(scores.flags[2], Flags::NOT_FINITE);
        assert_eq!(scores.flags[3], Flags::NEVER_IN);
        assert_eq!(scores.flags[4], Flags::NEVER_OUT);
        assert_eq!(scores.flags[5], Flags::NO_SPREAD);
        assert_eq!(scores.values[5], 0.0);
        let offline = Lira { mode: LiraMode::Offline, ..Lira::default() };
        let offline = offline.score(&target[..], &refs).unwrap();
        assert!(offline.values[3].is_finite() && offline.values[4].is_nan());
        let shrunken = TLira::default().score(&target[..], &refs).unwrap();
        assert!(shrunken.values[3].is_finite() && shrunken.values[4].is_finite());
        assert_eq!(shrunken.flags[3], Flags::NEVER_IN);
        assert_eq!(shrunken.flags[4], Flags::NEVER_OUT);
    }

    #[test]
    fn masks_on_one_side_are_refused() {
        let signals = [0.0; 8];
        let refs = references(&signals, &[true; 8]);
        let target = [0.0; 2];
        let score = |lira: Lira, refs: &References<'_>| lira.score(&target[..], refs);
        assert!(matches!(score(Lira::default(), &refs), Err(AttackError::AllIn)));
        assert!(matches!(TLira::default().score(&target[..], &refs), Err(AttackError::AllIn)));
        let refs = references(&signals, &[false; 8]);
        assert!(matches!(score(Lira::default(), &refs), Err(AttackError::AllOut)));
        assert!(matches!(TLira::default().score(&target[..], &refs), Err(AttackError::AllOut)));
        assert!(score(Lira { mode: LiraMode::Offline, ..Lira::default() }, &refs).is_ok());
        assert!(offset(&target[..1], &refs, Mode::Offline).is_err());
    }

    #[test]
    fn trees_limit_logits() {
        assert!((ensemble_limit(50) - (0.99_f64 / 0.01).ln()).abs() < 1e-12);
        let signals = [1.0, -9.0, 3.0, 9.0, -2.0, 0.0, 5.0, 1.0, 0.0, 1.0, 0.5, 0.25];
        let refs = references(&signals, &MASK);
        let clamped = Lira { logit_limit: Some(4.0), ..Lira::default() };
        let scores = clamped.score(&[0.0, 0.0, 6.0][..], &refs).unwrap();
        assert!(scores.flags.iter().all(|flags| flags.contains(Flags::CLAMPED)));
        assert!(Lira { logit_limit: Some(0.0), ..clamped }.score(&[0.0; 3][..], &refs).is_err());
    }

    #[test]
    fn medians() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), 2.5);
        assert_eq!(median(&mut [5.0]), 5.0);
    }
}
