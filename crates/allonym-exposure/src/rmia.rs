//! A5, the robust membership-inference attack: ratios of likelihood ratios.

use crate::scores::{
    AttackError, Flags, Mode, Scores, confidences, out_of_range, refuse_one_sided, same_length,
};
use crate::signals::{Matrix, References, Series, SignalError, Singles};
use crate::special::size;
use rayon::prelude::*;
use std::ops::Range;

/// How much more the target likes a record than the references do, compared with records that
/// nobody was trained on.
///
/// `Pr(x)` is the references' mean confidence (online: mean of the IN and OUT means; offline:
/// `((1 + a) mean_out + 1 - a) / 2`), `L(x) = p(x) / Pr(x)`, and the score is the share of
/// population records `z` with `L(x) / L(z) >= gamma`. The population is common to all records, so
/// the score is a step function of `L(x)`: one sort and a binary search for each record.
///
/// Zarifzadeh et al., arXiv 2312.03262. The mean over the references *without* the record is the
/// paper's; implementations that keep the largest half of them saturate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rmia {
    /// Which references are used.
    pub mode: Mode,
    /// How far the ratio must lie above one.
    pub gamma: f64,
    /// Offline: how far the mean without the record stands for that with it; tuned on a left-out
    /// reference, never on the target.
    pub a: f64,
}

impl Default for Rmia {
    fn default() -> Rmia {
        Rmia { mode: Mode::Online, gamma: 1.0, a: 0.3 }
    }
}

/// Population records: no model of the comparison was trained on them.
#[derive(Clone, Copy, Debug)]
pub struct Population<'a> {
    /// The target's confidences.
    pub target: Series<'a>,
    /// Those of the same references.
    pub references: Matrix<'a>,
}

/// Both faces of an RMIA score.
#[derive(Clone, Debug, PartialEq)]
pub struct RmiaScores {
    /// The score as published: a share of the population, in `[0, 1]`, with many ties.
    pub share: Scores,
    /// `L(x)`, which ranks as the share does but without its ties: for the ROC.
    pub ratio: Scores,
    /// Population records that a signal which is not finite made useless.
    pub population_dropped: usize,
}

impl Rmia {
    /// Scores every record of the target's confidences `conf` against the references'.
    ///
    /// A record with a confidence that is not finite, or that lacks a side, is not scored and is
    /// flagged; a mean confidence of zero is raised to the smallest single-precision number and
    /// flagged.
    ///
    /// # Errors
    /// Lengths that do not fit, confidences outside of `[0, 1]`, masks that are all in or (online)
    /// all out, no usable population record, a `gamma` that is not positive or an `a` outside of
    /// `[0, 1]`, unreadable files.
    pub fn score<'a>(
        &self,
        conf: impl Into<Series<'a>>,
        references: &References<'_>,
        population: &Population<'_>,
    ) -> Result<RmiaScores, AttackError> {
        let conf = conf.into();
        same_length("the references' signals", references.records(), conf.len())?;
        confidences("`conf`", conf)?;
        if !(self.gamma.is_finite() && self.gamma > 0.0) {
            return Err(AttackError::Parameter { what: "`gamma`", expected: "positive" });
        }
        if !(0.0..=1.0).contains(&self.a) {
            return Err(AttackError::Parameter { what: "`a`", expected: "in [0, 1]" });
        }
        // Side by side, so that no core waits for the last records while the population is there.
        let (ratio, others) = rayon::join(
            || self.ratios(conf, references),
            || self.population_ratios(population, references),
        );
        let ratio = ratio?;
        refuse_one_sided(&ratio, self.mode)?;
        let (mut sorted, population_dropped) = others?;
        if sorted.is_empty() {
            return Err(AttackError::Empty { what: "the population" });
        }
        sorted.par_sort_unstable_by(f64::total_cmp);
        let count = size(sorted.len());
        let share = Scores::from_each(ratio.len(), |record| {
            let (ratio, flags) = (ratio.values[record], ratio.flags[record]);
            if ratio.is_nan() {
                return (f64::NAN, flags);
            }
            (size(reached(&sorted, ratio, self.gamma)) / count, flags)
        });
        Ok(RmiaScores { share, ratio, population_dropped })
    }

    /// `L(x)` of every record.
    fn ratios(&self, conf: Series<'_>, references: &References<'_>) -> Result<Scores, AttackError> {
        let count = references.references();
        let mut scores = Scores {
            values: vec![f64::NAN; conf.len()],
            flags: vec![Flags::default(); conf.len()],
        };
        // Only sums are kept of each record, so a long row of each reference is added at a time.
        // As many blocks as two, four or eight cores can share evenly.
        let blocks = conf.len().div_ceil(ROW_RECORDS).next_multiple_of(8);
        let block = conf.len().div_ceil(blocks.max(1)).max(1);
        let values = scores.values.par_chunks_mut(block);
        values.zip(scores.flags.par_chunks_mut(block)).enumerate().try_for_each(
            |(at, (values, flags))| {
                let start = at * block;
                let records = start..start + values.len();
                let Sides { with, without, inside } = Sides::of(references, records)?;
                for column in 0..values.len() {
                    let sums = Sums {
                        with: with[column],
                        without: without[column],
                        inside: f64::from(inside[column]),
                        references: size(count),
                    };
                    let confidence = conf.at(start + column);
                    (values[column], flags[column]) = self.ratio(confidence, &sums);
                }
                Ok::<(), AttackError>(())
            },
        )?;
        Ok(scores)
    }

    /// `L(x)` of one record, from the sums of its references' confidences.
    fn ratio(&self, confidence: f64, sums: &Sums) -> (f64, Flags) {
        let Sums { with, without, inside, references } = *sums;
        // A reference that is not finite made its sums so.
        if !(confidence.is_finite() && with.is_finite() && without.is_finite()) {
            return (f64::NAN, Flags::NOT_FINITE);
        }
        let outside = references - inside;
        let flags = Flags::NEVER_IN.when(inside == 0.0) | Flags::NEVER_OUT.when(outside == 0.0);
        let expected = match self.mode {
            Mode::Online => (with / inside + without / outside) / 2.0,
            Mode::Offline => self.offline(without / outside),
        };
        if expected.is_nan() {
            return (f64::NAN, flags);
        }
        let flags = flags | Flags::CLAMPED.when(expected < SMALLEST);
        (confidence / expected.max(SMALLEST), flags)
    }

    /// `L(z)` of the usable population records, and how many were not.
    fn population_ratios(
        &self,
        population: &Population<'_>,
        references: &References<'_>,
    ) -> Result<(Vec<f64>, usize), AttackError> {
        let Population { target, references: signals } = population;
        if signals.references() != references.references() {
            return Err(AttackError::Signals(SignalError::Shape {
                what: "the references' signals of the population",
                expected: format!("{} references", references.references()),
                found: format!("{}", signals.references()),
            }));
        }
        same_length("the references' signals of the population", signals.records(), target.len())?;
        confidences("`population`", *target)?;
        let records = target.len();
        let blocks = (0..records.div_ceil(POPULATION_RECORDS)).into_par_iter().map(|at| {
            let start = at * POPULATION_RECORDS;
            let width = POPULATION_RECORDS.min(records - start);
            let mut rows = signals.rows(start..start + width)?;
            let mut sums = vec![0.0; width];
            for reference in 0..signals.references() {
                let row = rows.row(reference)?;
                check_row("`population_references`", start, row)?;
                sums.iter_mut().zip(row).for_each(|(sum, signal)| *sum += signal);
            }
            let mut ratios = Vec::new();
            for (column, sum) in sums.into_iter().enumerate() {
                let mean = sum / size(signals.references());
                let expected = match self.mode {
                    Mode::Online => mean,
                    Mode::Offline => self.offline(mean),
                };
                let ratio = target.at(start + column) / expected.max(SMALLEST);
                // A maximum drops NaN, so the mean is asked itself. A ratio of zero would divide
                // zero by zero where the record's is zero too.
                if ratio.is_finite() && mean.is_finite() {
                    ratios.push(ratio.max(SMALLEST));
                }
            }
            Ok(ratios)
        });
        let blocks: Vec<Vec<f64>> = blocks.collect::<Result<_, AttackError>>()?;
        let ratios = blocks.concat();
        let dropped = records - ratios.len();
        Ok((ratios, dropped))
    }

    fn offline(&self, mean_without: f64) -> f64 {
        ((1.0 + self.a) * mean_without + 1.0 - self.a) / 2.0
    }
}

/// How many of the sorted ratios `z` have `ratio / z >= gamma`.
fn reached(sorted: &[f64], ratio: f64, gamma: f64) -> usize {
    let reaches = |other: &f64| ratio / other >= gamma;
    // A division takes ten times as long as a comparison: the place is looked up by comparing, and
    // found by dividing next to it, where rounding decides.
    let bound = ratio / gamma;
    let mut at = sorted.partition_point(|other| *other <= bound);
    while at > 0 && !reaches(&sorted[at - 1]) {
        at -= 1;
    }
    while sorted.get(at).is_some_and(reaches) {
        at += 1;
    }
    at
}

/// Sums over a record's references.
struct Sums {
    with: f64,
    without: f64,
    /// How many were trained on it.
    inside: f64,
    /// How many there are.
    references: f64,
}

/// Sums of the references' confidences of some records, by whether they were trained on them.
struct Sides {
    with: Vec<f64>,
    without: Vec<f64>,
    inside: Vec<u32>,
}

impl Sides {
    fn of(references: &References<'_>, records: Range<usize>) -> Result<Sides, AttackError> {
        let (start, width) = (records.start, records.len());
        let mut sides =
            Sides { with: vec![0.0; width], without: vec![0.0; width], inside: vec![0; width] };
        let mut rows = None;
        for reference in 0..references.references() {
            let signals = references.signals.singles(reference, records.clone());
            let members = references.members.truths(reference, records.clone());
            match signals.zip(members) {
                Some((Singles::Values(row), members)) => {
                    sides.add_singles(start, row.iter().copied(), members)?;
                }
                Some((Singles::Bytes(row), members)) => {
                    sides.add_singles(
                        start,
                        row.iter().map(|b| f32::from_le_bytes(*b)),
                        members,
                    )?;
                }
                // From a file, or in another layout: through a buffer of doubles.
                None => {
                    if rows.is_none() {
                        let signals = references.signals.rows(records.clone())?;
                        rows = Some((signals, references.members.rows(records.clone())?));
                    }
                    let (signals, members) = rows.as_mut().expect("it was just opened");
                    sides.add(start, signals.row(reference)?, members.row(reference)?)?;
                }
            }
        }
        Ok(sides)
    }

    fn add(&mut self, start: usize, row: &[f64], members: &[f64]) -> Result<(), AttackError> {
        check_row("`references`", start, row)?;
        let sums = self.with.iter_mut().zip(&mut self.without).zip(&mut self.inside);
        for (((with, without), inside), (signal, member)) in sums.zip(row.iter().zip(members)) {
            *with += member * signal;
            *without += (1.0 - member) * signal;
            *inside += u32::from(*member != 0.0);
        }
        Ok(())
    }

    /// The same sums from single precision, many records at a time: a mask of bits keeps a signal
    /// on its side.
    fn add_singles(
        &mut self,
        start: usize,
        row: impl Iterator<Item = f32> + Clone,
        members: &[bool],
    ) -> Result<(), AttackError> {
        let outside = row
            .clone()
            .fold(0, |outside, signal| outside | u32::from(signal < 0.0) | u32::from(signal > 1.0));
        if outside != 0 {
            let row: Vec<f64> = row.clone().map(f64::from).collect();
            check_row("`references`", start, &row)?;
        }
        let sums = self.with.iter_mut().zip(&mut self.without);
        for ((with, without), (signal, member)) in sums.zip(row.zip(members)) {
            let all = signal.to_bits();
            let inside = all & 0_u32.wrapping_sub(u32::from(*member));
            *with += f64::from(f32::from_bits(inside));
            *without += f64::from(f32::from_bits(all ^ inside));
        }
        self.inside.iter_mut().zip(members).for_each(|(inside, member)| {
            *inside += u32::from(*member);
        });
        Ok(())
    }
}

/// Refuses a reference's signals that are no confidences. Those that are not finite pass.
fn check_row(what: &'static str, start: usize, row: &[f64]) -> Result<(), AttackError> {
    // Counted and not searched, which is many at a time.
    let outside = |signal: &f64| usize::from(*signal < 0.0) + usize::from(*signal > 1.0);
    if row.iter().map(outside).sum::<usize>() == 0 {
        return Ok(());
    }
    match row.iter().position(|signal| out_of_range(*signal)) {
        Some(column) => Err(AttackError::NoConfidence { what, record: start + column }),
        None => Ok(()),
    }
}

/// Most records whose sums are made together: they stay in a core's own cache, and rows are long enough to be
/// read ahead.
const ROW_RECORDS: usize = 2048;
/// The same of the population, which is small and still to be shared among cores.
const POPULATION_RECORDS: usize = 256;
/// The smallest positive single-precision number: what a confidence of zero is taken for where it
/// divides.
const SMALLEST: f64 = 1.401_298_464_324_817e-45;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::npy::Kind;
    use crate::signals::{Layout, Store};

    /// Looking up by comparison gives what dividing through would, ties and roundings included.
    #[test]
    fn the_place_in_the_population_is_the_same() {
        let noise = |at: u32| f64::from(at.wrapping_mul(2_654_435_761) >> 8) / 9e6 + 1e-3;
        let mut sorted: Vec<f64> = (0..500).map(|at| noise(at % 400)).collect();
        sorted.extend([SMALLEST, SMALLEST, 1e300]);
        sorted.sort_unstable_by(f64::total_cmp);
        for gamma in [0.1, 1.0, 1.1, 2.0, 3.0] {
            let ratios = (0..400).map(|at| noise(at) * gamma).chain([0.0, SMALLEST, 1e308]);
            for ratio in ratios {
                let expected = sorted.partition_point(|other| ratio / other >= gamma);
                assert_eq!(reached(&sorted, ratio, gamma), expected, "{ratio} {gamma}");
            }
        }
    }

    /// Single precision in memory goes its own way; it must give the bits of the general one.
    #[test]
    fn single_precision_gives_the_same_bits() {
        let (references, records) = (6, 1500);
        let noise = |at: usize| f32::from(u16::try_from(at * 40_503 % 65_536).unwrap()) / 65_536.0;
        let mut signals: Vec<f32> = (0..references * records).map(noise).collect();
        signals[7] = f32::NAN;
        signals[1024] = f32::INFINITY;
        let members: Vec<bool> = (0..signals.len()).map(|at| at * 31 % 7 < 3).collect();
        let doubles: Vec<f64> = signals.iter().map(|signal| f64::from(*signal)).collect();
        let bytes: Vec<u8> = signals.iter().flat_map(|signal| signal.to_le_bytes()).collect();
        let target: Vec<f64> = (0..records).map(|at| f64::from(noise(at + 3))).collect();
        let others = Population {
            target: Series::F64(&target[..50]),
            references: Matrix::new(&doubles[..300], Layout::ByReference, 6, 50).unwrap(),
        };
        let masks = Matrix::new(&members[..], Layout::ByReference, references, records).unwrap();
        let score = |store: Store<'_>| {
            let signals = Matrix::new(store, Layout::ByReference, references, records).unwrap();
            let all = References::new(signals, masks).unwrap();
            let ratio = |of: &References<'_>, others: &Population<'_>| {
                let scores = Rmia::default().score(&target, of, others).unwrap().ratio;
                (scores.values.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), scores.flags)
            };
            let rest = Population { references: others.references.without(2).unwrap(), ..others };
            (ratio(&all, &others), ratio(&all.without(2).unwrap(), &rest))
        };
        let general = score(Store::F64(&doubles));
        assert_eq!(score(Store::F32(&signals)), general);
        assert_eq!(score(Store::Bytes(&bytes, Kind::F32)), general);
        assert_eq!(general.0.1.iter().filter(|flags| !flags.is_empty()).count(), 2);
        signals[9] = 1.5;
        let wrong = Matrix::new(&signals[..], Layout::ByReference, references, records).unwrap();
        let wrong = References::new(wrong, masks).unwrap();
        let refused = Rmia::default().score(&target, &wrong, &others).unwrap_err();
        assert!(refused.to_string().contains("record 9"), "{refused}");
    }

    fn references<'a>(signals: &'a [f64], members: &'a [bool]) -> References<'a> {
        let records = signals.len() / 2;
        let signals = Matrix::new(signals, Layout::ByReference, 2, records).unwrap();
        let members = Matrix::new(members, Layout::ByReference, 2, records).unwrap();
        References::new(signals, members).unwrap()
    }

    fn population<'a>(target: &'a [f64], signals: &'a [f64]) -> Population<'a> {
        let references = Matrix::new(signals, Layout::ByReference, 2, target.len()).unwrap();
        Population { target: Series::F64(target), references }
    }

    /// Worked by hand: Pr(x) = (0.8 + 0.4)/2 = 0.6, L(x) = 1.5; L(z) = 2, 1, 1.6, 0.25.
    #[test]
    fn share_of_a_record_worked_by_hand() {
        let refs = references(&[0.8, 0.4], &[true, false]);
        let target = [0.8, 0.5, 0.64, 0.1];
        let population = population(&target, &[0.4, 0.6, 0.4, 0.2, 0.4, 0.4, 0.4, 0.6]);
        let scores = Rmia::default().score(&[0.9][..], &refs, &population).unwrap();
        assert!((scores.ratio.values[0] - 1.5).abs() < 1e-12);
        assert_eq!(scores.share.values, [0.5]);
        let double = Rmia { gamma: 2.0, ..Rmia::default() };
        assert_eq!(double.score(&[0.9][..], &refs, &population).unwrap().share.values, [0.25]);
        // Offline with a = 0.5: Pr(x) = (1.5 * 0.4 + 0.5) / 2 = 0.55.
        let offline = Rmia { mode: Mode::Offline, a: 0.5, ..Rmia::default() };
        let offline = offline.score(&[0.9][..], &refs, &population).unwrap();
        assert!((offline.ratio.values[0] - 0.9 / 0.55).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_scored_is_flagged_and_what_is_no_confidence_refused() {
        let signals = [0.5, f64::NAN, 0.5, 0.5, 0.0, 0.5, 0.5, 0.5, 0.5, 0.0];
        let members = [true, true, true, false, true, false, false, true, false, false];
        let refs = references(&signals, &members);
        let target = [0.5, f64::NAN];
        let population = population(&target, &[0.5; 4]);
        let conf = [0.5, 0.5, 0.5, 0.5, 0.5];
        let scores = Rmia::default().score(&conf[..], &refs, &population).unwrap();
        assert_eq!(scores.population_dropped, 1);
        let flags = &scores.share.flags;
        assert_eq!(flags[0], Flags::default());
        assert_eq!(flags[1], Flags::NOT_FINITE);
        assert_eq!(flags[2], Flags::NEVER_OUT);
        assert_eq!(flags[3], Flags::NEVER_IN);
        assert_eq!(flags[4], Flags::CLAMPED);
        assert!(scores.share.values[1..4].iter().all(|score| score.is_nan()));
        let refused = |conf: [f64; 5]| Rmia::default().score(&conf[..], &refs, &population);
        let told = refused([0.5, 0.5, 1.5, 0.5, 0.5]).unwrap_err().to_string();
        assert!(told.contains("record 2") && !told.contains("1.5"), "{told}");
        let logits = [0.5, 0.5, 0.5, 0.5, -4.0, 0.5, 0.5, 0.5, 0.5, 0.0];
        let refs = references(&logits, &members);
        let told = Rmia::default().score(&conf[..], &refs, &population).unwrap_err().to_string();
        assert!(told.contains("record 4") && told.contains("references"), "{told}");
    }

    #[test]
    fn senseless_parameters_and_useless_populations_are_refused() {
        let refs = references(&[0.8, 0.4], &[true, false]);
        let target = [f64::NAN];
        let useless = population(&target, &[0.5; 2]);
        let score = |rmia: Rmia| rmia.score(&[0.9][..], &refs, &useless);
        assert!(matches!(score(Rmia::default()), Err(AttackError::Empty { .. })));
        assert!(score(Rmia { gamma: 0.0, ..Rmia::default() }).is_err());
        assert!(score(Rmia { gamma: f64::NAN, ..Rmia::default() }).is_err());
        assert!(score(Rmia { a: 1.5, ..Rmia::default() }).is_err());
    }
}
