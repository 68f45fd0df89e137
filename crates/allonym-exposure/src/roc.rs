//! M1 to M3: the ROC as exact steps, its area, and the true-positive rate at few false alarms.

use crate::interval::{Interval, clopper_pearson, share_high, share_low};
use crate::signals::Series;
use crate::special::{normal_quantile, real, size};

/// The receiver operating characteristic of scores against who was a member: exact steps, records
/// with the same score in one step, nothing interpolated.
#[derive(Clone, Debug, PartialEq)]
pub struct Roc {
    /// By falling score.
    groups: Vec<Group>,
    n_members: u64,
    n_non_members: u64,
    dropped: usize,
}

/// Records with one score.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Group {
    score: f64,
    members: u64,
    non_members: u64,
}

/// A point of the ROC.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Records with at least this score are guessed to be members.
    pub threshold: f64,
    /// Share of the non-members guessed to be members.
    pub fpr: f64,
    /// Share of the members guessed to be members.
    pub tpr: f64,
}

/// How many members are recognised at so few false alarms (M2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TprAt {
    /// The limit of the false-positive rate that was asked for.
    pub fpr_limit: f64,
    /// Share of the members recognised at the threshold below, with its exact interval. The
    /// threshold depends on the non-members alone, so choosing it costs nothing.
    pub tpr: Interval,
    /// The same share with an interval for the threshold at which the *true* false-positive rate is
    /// the limit, not the sample's: wider, and what a claim or a gate must use.
    pub band: Interval,
    /// Share of the non-members flagged at that threshold, with its exact interval.
    pub fpr: Interval,
    /// Records with at least this score are flagged; infinite where none are.
    pub threshold: f64,
    /// Whether there are enough non-members to see a rate so small. Where not, the numbers above
    /// are those of the sample and must not be printed.
    pub resolvable: bool,
    /// Non-members it takes; none where no number of them is enough (a limit of zero).
    pub non_members_needed: Option<u64>,
    /// Members recognised.
    pub true_positives: u64,
    /// Non-members flagged.
    pub false_positives: u64,
    n_members: u64,
    n_non_members: u64,
    confidence: f64,
}

impl TprAt {
    /// How many times more often a member is flagged than the limit of false alarms; the interval
    /// is that of the band.
    #[must_use]
    pub fn lift(&self) -> Interval {
        self.band.scaled(1.0 / self.fpr_limit)
    }

    /// Of all flagged people, the share that are members, if `prior` of those tested are.
    ///
    /// Jayaraman et al., arXiv 2005.10881. Each of the two rates takes half of the interval's
    /// error.
    #[must_use]
    pub fn precision(&self, prior: f64) -> Interval {
        let precision = |tpr: f64, fpr: f64| {
            let (hit, alarm) = (prior * tpr, (1.0 - prior) * fpr);
            if hit + alarm > 0.0 { hit / (hit + alarm) } else { prior }
        };
        let confidence = 0.5 + self.confidence / 2.0;
        let tpr = clopper_pearson(self.true_positives, self.n_members, confidence);
        let fpr = clopper_pearson(self.false_positives, self.n_non_members, confidence);
        Interval {
            value: precision(tpr.value, fpr.value),
            low: precision(tpr.low, fpr.high),
            high: precision(tpr.high, fpr.low),
        }
    }
}

impl Roc {
    /// Ranks the scores; a score of NaN drops its record, which is counted.
    ///
    /// # Errors
    /// Lengths that do not fit, an infinite score, no scored member or no scored non-member.
    pub fn new<'a>(scores: impl Into<Series<'a>>, members: &[bool]) -> Result<Roc, RocError> {
        let scores = scores.into();
        if scores.len() != members.len() {
            return Err(RocError::Length { scores: scores.len(), members: members.len() });
        }
        let mut ranked = Vec::with_capacity(members.len());
        for (record, &member) in members.iter().enumerate() {
            let score = scores.at(record);
            if score.is_infinite() {
                return Err(RocError::Infinite { record });
            }
            if !score.is_nan() {
                ranked.push((score, member));
            }
        }
        let dropped = members.len() - ranked.len();
        rayon::slice::ParallelSliceMut::par_sort_unstable_by(&mut ranked[..], |left, right| {
            right.0.total_cmp(&left.0)
        });
        let mut groups: Vec<Group> = Vec::new();
        for (score, member) in ranked {
            // Plain equality: the two zeros are one score.
            if groups.last().is_none_or(|group| group.score != score) {
                groups.push(Group { score, members: 0, non_members: 0 });
            }
            let group = groups.last_mut().expect("one was just pushed");
            if member {
                group.members += 1;
            } else {
                group.non_members += 1;
            }
        }
        let n_members = groups.iter().map(|group| group.members).sum();
        let n_non_members = groups.iter().map(|group| group.non_members).sum();
        if n_members == 0 {
            return Err(RocError::NoMembers);
        }
        if n_non_members == 0 {
            return Err(RocError::NoNonMembers);
        }
        Ok(Roc { groups, n_members, n_non_members, dropped })
    }

    /// Scored members.
    #[must_use]
    pub fn n_members(&self) -> u64 {
        self.n_members
    }

    /// Scored non-members.
    #[must_use]
    pub fn n_non_members(&self) -> u64 {
        self.n_non_members
    }

    /// Records without a score.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// The corners of the curve from (0, 0) to (1, 1), one for each distinct score.
    #[must_use]
    pub fn points(&self) -> Vec<Point> {
        let (n_members, n_non_members) = (real(self.n_members), real(self.n_non_members));
        let start = Point { threshold: f64::INFINITY, fpr: 0.0, tpr: 0.0 };
        let steps = self.steps().map(|(threshold, tp, fp)| Point {
            threshold,
            fpr: real(fp) / n_non_members,
            tpr: real(tp) / n_members,
        });
        std::iter::once(start).chain(steps).collect()
    }

    /// Probability that a member scores above a non-member, ties counting half (Mann-Whitney).
    #[must_use]
    pub fn auc(&self) -> f64 {
        let mut members_above = 0;
        let mut half_wins: u128 = 0;
        for group in &self.groups {
            let wins = 2 * members_above + group.members;
            half_wins += u128::from(wins) * u128::from(group.non_members);
            members_above += group.members;
        }
        // Halves are counted, so the quotient is rounded once.
        let pairs = u128::from(self.n_members) * u128::from(self.n_non_members);
        real128(half_wins) / (2.0 * real128(pairs))
    }

    /// Standard error of the area (DeLong, DeLong and Clarke-Pearson 1988, by midranks as Sun and
    /// Xu 2014); NaN with a single member or non-member.
    #[must_use]
    pub fn auc_standard_error(&self) -> f64 {
        let auc = self.auc();
        let (n_members, n_non_members) = (real(self.n_members), real(self.n_non_members));
        let (mut members_above, mut non_members_above) = (0.0, 0.0);
        let (mut of_members, mut of_non_members) = (0.0, 0.0);
        for group in &self.groups {
            let (members, non_members) = (real(group.members), real(group.non_members));
            let below = n_non_members - non_members_above - 0.5 * non_members;
            of_members += members * (below / n_non_members - auc).powi(2);
            let above = members_above + 0.5 * members;
            of_non_members += non_members * (above / n_members - auc).powi(2);
            members_above += members;
            non_members_above += non_members;
        }
        (of_members / (n_members - 1.0) / n_members
            + of_non_members / (n_non_members - 1.0) / n_non_members)
            .sqrt()
    }

    /// The area with an interval on the logit scale; where the sample has no spread (all ties, or
    /// all members above all non-members), an exact one from as many independent pairs as there
    /// are.
    #[must_use]
    pub fn auc_interval(&self, confidence: f64) -> Interval {
        let pairs = self.n_members.min(self.n_non_members);
        auc_interval(self.auc(), self.auc_standard_error(), pairs, confidence)
    }

    /// Counts of false and true positives at the corners of the curve, rising from (0, 0): every
    /// corner with at most `exact` false positives, and of the others those nearest above about
    /// `beyond` evenly spread numbers of them, and the last.
    #[must_use]
    pub fn corners(&self, exact: u64, beyond: u64) -> Vec<(u64, u64)> {
        let mut corners = vec![(0, 0)];
        let stride = (self.n_non_members.saturating_sub(exact) / beyond.max(1)).max(1);
        let mut next = exact;
        for (_, true_positives, false_positives) in self.steps() {
            let last = false_positives == self.n_non_members && true_positives == self.n_members;
            if false_positives > exact && false_positives < next && !last {
                continue;
            }
            if false_positives > exact {
                next = false_positives + stride;
            }
            // On the way up only the two ends matter.
            if let [.., (before, _), (at, high)] = &mut corners[..]
                && *before == false_positives
                && *at == false_positives
            {
                *high = true_positives;
            } else {
                corners.push((false_positives, true_positives));
            }
        }
        corners
    }

    /// The curve of [`Roc::corners`]. Rates within the exact part are those of the whole curve,
    /// others are bounded more widely; the area is not that of the whole curve.
    ///
    /// # Errors
    /// [`RocError::Corners`] of corners that fall, [`RocError::NoMembers`] and
    /// [`RocError::NoNonMembers`] of a curve that ends at zero.
    pub fn from_corners(corners: &[(u64, u64)]) -> Result<Roc, RocError> {
        let (mut groups, mut last) = (Vec::new(), (0, 0));
        for (at, &(false_positives, true_positives)) in corners.iter().enumerate() {
            let steps = (false_positives.checked_sub(last.0), true_positives.checked_sub(last.1));
            let (Some(non_members), Some(members)) = steps else {
                return Err(RocError::Corners);
            };
            if (members, non_members) != (0, 0) {
                groups.push(Group { score: -size(at), members, non_members });
            }
            last = (false_positives, true_positives);
        }
        let (n_non_members, n_members) = last;
        match (n_members, n_non_members) {
            (0, _) => Err(RocError::NoMembers),
            (_, 0) => Err(RocError::NoNonMembers),
            _ => Ok(Roc { groups, n_members, n_non_members, dropped: 0 }),
        }
    }

    /// The true-positive rate where at most `fpr` of the non-members are flagged: at the last step
    /// within the limit, nothing interpolated.
    ///
    /// # Errors
    /// [`RocError::Rate`] for an `fpr` outside of `[0, 1]` or a confidence outside of `(0, 1)`.
    pub fn tpr_at(&self, fpr: f64, confidence: f64) -> Result<TprAt, RocError> {
        if !(0.0..=1.0).contains(&fpr) {
            return Err(RocError::Rate { what: "the false-positive rate" });
        }
        if !(confidence > 0.0 && confidence < 1.0) {
            return Err(RocError::Rate { what: "the confidence" });
        }
        let n_non_members = usize::try_from(self.n_non_members).expect("they are in memory");
        let allowed = count_within(fpr, n_non_members) as u64;
        let (threshold, true_positives, false_positives) = self
            .steps()
            .take_while(|(_, _, false_positives)| *false_positives <= allowed)
            .last()
            .unwrap_or((f64::INFINITY, 0, 0));
        let tpr = clopper_pearson(true_positives, self.n_members, confidence);
        Ok(TprAt {
            fpr_limit: fpr,
            tpr,
            band: Interval { value: tpr.value, ..self.band(fpr, (1.0 - confidence) / 4.0) },
            fpr: clopper_pearson(false_positives, self.n_non_members, confidence),
            threshold,
            resolvable: allowed > 0,
            non_members_needed: (fpr > 0.0).then(|| needed(fpr)),
            true_positives,
            false_positives,
            n_members: self.n_members,
            n_non_members: self.n_non_members,
            confidence,
        })
    }

    /// Largest difference of the two rates (Yeom et al., arXiv 1709.01604). The interval allows for
    /// the choice of the threshold: it is that of Dvoretzky, Kiefer and Wolfowitz with Massart's
    /// constant (1990), a quarter of the error for each rate and end.
    #[must_use]
    pub fn advantage(&self, confidence: f64) -> Interval {
        let value = self.points().iter().map(|point| point.tpr - point.fpr).fold(0.0, f64::max);
        let logarithm = (4.0 / (1.0 - confidence)).ln();
        let half: f64 = [self.n_members, self.n_non_members]
            .map(|count| (logarithm / (2.0 * real(count))).sqrt())
            .iter()
            .sum();
        Interval { value, low: (value - half).max(0.0), high: (value + half).min(1.0) }
    }

    /// Ends of an interval for the true-positive rate where the true false-positive rate is `fpr`:
    /// the rate's exact bounds at the last step that surely flags no more non-members, and at the
    /// first that surely flags as many. Each of the four bounds fails in at most the share `tail`.
    fn band(&self, fpr: f64, tail: f64) -> Interval {
        let n = self.n_non_members;
        let surely_within = first(0..n + 1, |fp| share_high(fp, n, tail) > fpr);
        let surely_reached = first(0..n + 1, |fp| share_low(fp, n, tail) >= fpr);
        let low = self.steps().take_while(|(_, _, fp)| *fp < surely_within).last();
        let high = self.steps().find(|(_, _, fp)| *fp >= surely_reached);
        Interval {
            value: f64::NAN,
            low: low.map_or(0.0, |(_, tp, _)| share_low(tp, self.n_members, tail)),
            high: high.map_or(1.0, |(_, tp, _)| share_high(tp, self.n_members, tail)),
        }
    }

    /// Score, true positives and false positives after each distinct score.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (f64, u64, u64)> {
        self.groups.iter().scan((0, 0), |(members, non_members), group| {
            *members += group.members;
            *non_members += group.non_members;
            Some((group.score, *members, *non_members))
        })
    }
}

/// Interval of an area with its standard error, from the smaller number of members and non-members:
/// on the logit scale, or exact where the sample has no spread.
#[must_use]
pub fn auc_interval(value: f64, error: f64, pairs: u64, confidence: f64) -> Interval {
    if error > 0.0 && value > 0.0 && value < 1.0 {
        let z = normal_quantile(0.5 + confidence / 2.0);
        let (logit, half) = ((value / (1.0 - value)).ln(), z * error / (value * (1.0 - value)));
        let probability = |logit: f64| 1.0 / (1.0 + (-logit).exp());
        return Interval { value, low: probability(logit - half), high: probability(logit + half) };
    }
    let tail = (1.0 - confidence) / 2.0;
    let (fewer, more) = (share_of(value, pairs, f64::floor), share_of(value, pairs, f64::ceil));
    Interval { value, low: share_low(fewer, pairs, tail), high: share_high(more, pairs, tail) }
}

/// Why there is no curve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RocError {
    /// One truth value is needed for each score.
    #[error("`members` has {members} records, `scores` has {scores}")]
    Length {
        /// Number of scores.
        scores: usize,
        /// Number of truth values.
        members: usize,
    },
    /// An infinite score has no place.
    #[error("record {record}: the score is infinite; clamp it, or make it NaN to drop the record")]
    Infinite {
        /// Position of the first such record.
        record: usize,
    },
    /// No scored record was a member.
    #[error("no scored record is a member; both members and non-members are needed")]
    NoMembers,
    /// No scored record was not a member: there is no holdout.
    #[error("no scored record is a non-member; a holdout is needed")]
    NoNonMembers,
    /// Corners that do not rise.
    #[error("the corners of the curve must rise")]
    Corners,
    /// A rate that is none.
    #[error("{what} must lie between 0 and 1")]
    Rate {
        /// Which one.
        what: &'static str,
    },
}

/// The first number of the range for which a condition holds that holds from then on; its end if
/// none does.
fn first(range: std::ops::Range<u64>, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

/// The largest count whose share of `total` is at most `rate`, as doubles compare.
pub(crate) fn count_within(rate: f64, total: usize) -> usize {
    let near = share_of(rate, total as u64, f64::round);
    let mut count = usize::try_from(near).expect("a share of a length").min(total);
    while count > 0 && size(count) / size(total) > rate {
        count -= 1;
    }
    while count < total && size(count + 1) / size(total) <= rate {
        count += 1;
    }
    count
}

/// The smallest number of non-members of which one is at most the share `fpr`.
pub(crate) fn needed(fpr: f64) -> u64 {
    let mut count = whole((1.0 / fpr).round()).max(1);
    while count > 1 && 1.0 / real(count - 1) <= fpr {
        count -= 1;
    }
    while 1.0 / real(count) > fpr {
        count += 1;
    }
    count
}

/// A share of a count, rounded as told.
fn share_of(share: f64, count: u64, round: fn(f64) -> f64) -> u64 {
    whole(round(share * real(count)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "callers pass rounded numbers that are not negative; a float saturates"
)]
pub(crate) fn whole(number: f64) -> u64 {
    number as u64
}

#[expect(clippy::cast_precision_loss, reason = "the quotient is rounded in any case")]
fn real128(count: u128) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Members 0.9, 0.6, 0.6, 0.2; non-members 0.8, 0.6, 0.1, 0.1, 0.0.
    fn small() -> Roc {
        let scores = [0.9, 0.6, 0.6, 0.2, 0.8, 0.6, 0.1, 0.1, 0.0, f64::NAN];
        let members = [true, true, true, true, false, false, false, false, false, true];
        Roc::new(&scores[..], &members).unwrap()
    }

    #[test]
    fn a_curve_worked_by_hand() {
        let roc = small();
        assert_eq!((roc.n_members(), roc.n_non_members(), roc.dropped()), (4, 5, 1));
        // Wins: 5 + 3.5 + 3.5 + 3 of 20.
        assert_eq!(roc.auc(), 0.75);
        let points: Vec<(f64, f64)> = roc.points().iter().map(|at| (at.fpr, at.tpr)).collect();
        let expected =
            [(0.0, 0.0), (0.0, 0.25), (0.2, 0.25), (0.4, 0.75), (0.4, 1.0), (0.8, 1.0), (1.0, 1.0)];
        assert_eq!(points, expected);
        let at = roc.tpr_at(0.2, 0.95).unwrap();
        assert_eq!((at.tpr.value, at.fpr.value, at.threshold), (0.25, 0.2, 0.8));
        assert_eq!((at.resolvable, at.non_members_needed), (true, Some(5)));
        let at = roc.tpr_at(0.19, 0.95).unwrap();
        assert_eq!((at.tpr.value, at.resolvable, at.non_members_needed), (0.25, false, Some(6)));
        let at = roc.tpr_at(0.0, 0.95).unwrap();
        assert_eq!((at.tpr.value, at.resolvable, at.non_members_needed), (0.25, false, None));
        assert_eq!(roc.advantage(0.95).value, 0.6);
        assert_eq!(roc.advantage(0.95).low, 0.0);
    }

    #[test]
    fn ties_are_one_step_and_none_are_flagged_beyond_the_limit() {
        let roc = Roc::new(&[1.0, 1.0, 1.0, 1.0][..], &[true, true, false, false]).unwrap();
        let at = roc.tpr_at(0.5, 0.95).unwrap();
        assert_eq!((at.tpr.value, at.threshold), (0.0, f64::INFINITY));
        assert_eq!(roc.auc(), 0.5);
        let interval = roc.auc_interval(0.95);
        assert!(interval.low < 0.1 && interval.high > 0.9);
        let apart = Roc::new(&[3.0, 2.0, 1.0, 0.0][..], &[true, true, false, false]).unwrap();
        let interval = apart.auc_interval(0.95);
        assert_eq!((interval.value, interval.high), (1.0, 1.0));
        assert!((interval.low - 0.025_f64.sqrt()).abs() < 1e-12);
        let zeros = Roc::new(&[0.0, -0.0][..], &[true, false]).unwrap();
        assert_eq!(zeros.auc(), 0.5);
    }

    #[test]
    fn what_has_no_curve_is_refused() {
        let roc = |scores: &[f64], members: &[bool]| Roc::new(scores, members).unwrap_err();
        assert_eq!(roc(&[1.0], &[true]), RocError::NoNonMembers);
        assert_eq!(roc(&[1.0], &[false]), RocError::NoMembers);
        assert_eq!(roc(&[1.0, f64::NAN], &[true, false]), RocError::NoNonMembers);
        assert_eq!(roc(&[1.0], &[]), RocError::Length { scores: 1, members: 0 });
        let infinite = roc(&[1.0, f64::INFINITY], &[true, false]);
        assert_eq!(infinite, RocError::Infinite { record: 1 });
        assert!(small().tpr_at(1.5, 0.95).is_err());
        assert!(small().tpr_at(f64::NAN, 0.95).is_err());
        assert!(small().tpr_at(0.1, 1.0).is_err());
    }

    #[test]
    fn corners_keep_the_rates_and_bound_the_rest() {
        let noise = |record: u32| f64::from(record * 193 % 4001);
        let member = |record: u32| record.is_multiple_of(2);
        let scores: Vec<f64> =
            (0..4000).map(|r| noise(r) + if member(r) { 700.0 } else { 0.0 }).collect();
        let members: Vec<bool> = (0..4000).map(member).collect();
        let roc = Roc::new(&scores, &members).unwrap();
        let corners = roc.corners(300, 50);
        assert!(corners.len() < 2 * 301 + 2 * 60, "{}", corners.len());
        assert_eq!((corners[0], corners.last().unwrap()), ((0, 0), &(2000, 2000)));
        let thin = Roc::from_corners(&corners).unwrap();
        for fpr in [0.001, 0.01, 0.1] {
            let (whole, thin) = (roc.tpr_at(fpr, 0.95).unwrap(), thin.tpr_at(fpr, 0.95).unwrap());
            assert_eq!((whole.tpr, whole.fpr, whole.band), (thin.tpr, thin.fpr, thin.band));
        }
        let (whole, thin) = (roc.tpr_at(0.5, 0.95).unwrap(), thin.tpr_at(0.5, 0.95).unwrap());
        assert!(thin.band.low <= whole.band.low && thin.band.high >= whole.band.high);
        assert_eq!(Roc::from_corners(&[(0, 0), (3, 2), (2, 4)]), Err(RocError::Corners));
        assert_eq!(Roc::from_corners(&[(0, 0), (3, 0)]), Err(RocError::NoMembers));
        assert_eq!(Roc::from_corners(&[(0, 3)]), Err(RocError::NoNonMembers));
    }

    #[test]
    fn precision_follows_the_prior() {
        let at = small().tpr_at(0.4, 0.95).unwrap();
        let half = at.precision(0.5);
        assert!((half.value - 1.0 / 1.4).abs() < 1e-12);
        assert!(half.low < half.value && half.value < half.high);
        assert!(at.precision(0.01).value < 0.03);
        assert!((at.lift().value - 2.5).abs() < 1e-12);
        assert!(at.band.low <= at.tpr.low && at.band.high >= at.tpr.high);
    }

    #[test]
    fn counts_within_a_rate_are_those_that_doubles_compare() {
        assert_eq!(count_within(0.1, 600), 60);
        assert_eq!(count_within(0.001, 600), 0);
        assert_eq!(count_within(0.001, 1000), 1);
        assert_eq!(count_within(1.0, 7), 7);
        assert_eq!(count_within(0.0, 7), 0);
        assert_eq!(needed(0.001), 1000);
        assert_eq!(needed(0.3), 4);
    }

    proptest! {
        #[test]
        fn area_and_error_equal_the_slow_definition(
            records in proptest::collection::vec((0..12_u8, any::<bool>()), 4..40),
        ) {
            let scores: Vec<f64> = records.iter().map(|(score, _)| f64::from(*score)).collect();
            let members: Vec<bool> = records.iter().map(|(_, member)| *member).collect();
            let pick = |wanted: bool| -> Vec<f64> {
                records.iter().filter(|(_, member)| *member == wanted)
                    .map(|(score, _)| f64::from(*score)).collect()
            };
            let (inside, outside) = (pick(true), pick(false));
            prop_assume!(inside.len() > 1 && outside.len() > 1);
            let win = |a: f64, b: f64| if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
            let of = |a: f64, others: &[f64], flip: bool| {
                let wins = others.iter().map(|&b| if flip { win(b, a) } else { win(a, b) });
                wins.sum::<f64>() / size(others.len())
            };
            let first: Vec<f64> = inside.iter().map(|&a| of(a, &outside, false)).collect();
            let second: Vec<f64> = outside.iter().map(|&b| of(b, &inside, true)).collect();
            let mean = |values: &[f64]| values.iter().sum::<f64>() / size(values.len());
            let variance = |values: &[f64]| {
                let middle = mean(values);
                values.iter().map(|value| (value - middle).powi(2)).sum::<f64>()
                    / size(values.len() - 1)
            };
            let error = (variance(&first) / size(first.len())
                + variance(&second) / size(second.len())).sqrt();
            let roc = Roc::new(&scores, &members).unwrap();
            prop_assert!((roc.auc() - mean(&first)).abs() < 1e-12);
            prop_assert!((roc.auc_standard_error() - error).abs() < 1e-12);
        }
    }
}
