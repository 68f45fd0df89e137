//! M9: before and after, on the same records.

use crate::interval::{Interval, share_high, share_low};
use crate::roc::{Roc, RocError, TprAt};
use crate::signals::Series;
use crate::special::{binomial_at_least, normal_cdf, normal_quantile, real, size};
use crate::sum::ExactSum;

/// How two models, or two treatments of the data, differ in what they give away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Areas before and after.
    pub auc: [Interval; 2],
    /// After less before, with its interval: negative where less is given away.
    pub auc_difference: Interval,
    /// Of no difference of the areas (DeLong's paired test, two-sided).
    pub auc_p_value: f64,
    /// True-positive rates before and after, each at its own threshold.
    pub tpr: [TprAt; 2],
    /// After less before; half of the interval's error goes to either kind of change.
    pub tpr_difference: Interval,
    /// Of no difference of the rates (McNemar's exact test, two-sided).
    pub tpr_p_value: f64,
    /// Records that have a score on one side only, or on none: left out of both.
    pub dropped: usize,
}

/// Compares two scores of the same records. Retrained references must have seen the same masks.
///
/// # Errors
/// As [`Roc::new`] and [`Roc::tpr_at`].
///
/// DeLong, DeLong and Clarke-Pearson (1988); McNemar (1947) with the binomial law.
pub fn compare<'a>(
    before: impl Into<Series<'a>>,
    after: impl Into<Series<'a>>,
    members: &[bool],
    fpr: f64,
    confidence: f64,
) -> Result<Comparison, RocError> {
    let sides = [before.into(), after.into()];
    for scores in sides {
        if scores.len() != members.len() {
            return Err(RocError::Length { scores: scores.len(), members: members.len() });
        }
    }
    let both: Vec<usize> = (0..members.len())
        .filter(|&record| sides.iter().all(|scores| !scores.at(record).is_nan()))
        .collect();
    let members_both: Vec<bool> = both.iter().map(|&record| members[record]).collect();
    let pick =
        |scores: Series<'_>| -> Vec<f64> { both.iter().map(|&record| scores.at(record)).collect() };
    let scores = sides.map(pick);
    let [before, after] =
        [Roc::new(&scores[0], &members_both)?, Roc::new(&scores[1], &members_both)?];
    let tpr = [before.tpr_at(fpr, confidence)?, after.tpr_at(fpr, confidence)?];
    let difference = after.auc() - before.auc();
    let error = paired_error([&before, &after], &scores, &members_both);
    let half = normal_quantile(0.5 + confidence / 2.0) * error;
    let auc_p_value = if error > 0.0 {
        2.0 * normal_cdf(-(difference / error).abs())
    } else {
        f64::from(u8::from(difference == 0.0))
    };
    let flagged = |side: usize, at: usize| scores[side][at] >= tpr[side].threshold;
    let changed = |from: bool| {
        let member = (0..both.len()).filter(|&at| members_both[at]);
        member.filter(|&at| flagged(0, at) == from && flagged(1, at) != from).count() as u64
    };
    let (lost, won) = (changed(true), changed(false));
    let n_members = before.n_members();
    let tail = (1.0 - confidence) / 4.0;
    let share = |count: u64, bound: fn(u64, u64, f64) -> f64| bound(count, n_members, tail);
    Ok(Comparison {
        auc: [before.auc_interval(confidence), after.auc_interval(confidence)],
        auc_difference: Interval {
            value: difference,
            low: (difference - half).max(-1.0),
            high: (difference + half).min(1.0),
        },
        auc_p_value,
        tpr,
        tpr_difference: Interval {
            value: (real(won) - real(lost)) / real(n_members),
            low: share(won, share_low) - share(lost, share_high),
            high: share(won, share_high) - share(lost, share_low),
        },
        tpr_p_value: mcnemar(lost, won),
        dropped: members.len() - both.len(),
    })
}

/// Standard error of the difference of two areas over the same records.
fn paired_error(rocs: [&Roc; 2], scores: &[Vec<f64>; 2], members: &[bool]) -> f64 {
    let placements = [0, 1].map(|side| placements(&scores[side], members));
    let n_members = rocs[0].n_members();
    let n_non_members = rocs[0].n_non_members();
    let mean = rocs[1].auc() - rocs[0].auc();
    // Exact sums, so that the order of records does not matter.
    let mut squares = [ExactSum::default(), ExactSum::default()];
    for (record, &member) in members.iter().enumerate() {
        let difference = placements[1][record] - placements[0][record];
        squares[usize::from(member)].add((difference - mean).powi(2));
    }
    let [outside, inside] = squares.map(|sum| sum.total());
    (inside / real(n_members.saturating_sub(1)) / real(n_members)
        + outside / real(n_non_members.saturating_sub(1)) / real(n_non_members))
    .sqrt()
}

/// For a member the share of the non-members it beats, for a non-member the share of the members
/// that beat it; ties count half.
fn placements(scores: &[f64], members: &[bool]) -> Vec<f64> {
    let sorted = |wanted: bool| {
        let mut side: Vec<f64> =
            scores.iter().zip(members).filter(|(_, is)| **is == wanted).map(|(s, _)| *s).collect();
        side.sort_unstable_by(f64::total_cmp);
        side
    };
    let (inside, outside) = (sorted(true), sorted(false));
    let below = |others: &[f64], score: f64| {
        let less = others.partition_point(|other| *other < score);
        let ties = others[less..].partition_point(|other| *other <= score);
        (size(less) + 0.5 * size(ties)) / size(others.len())
    };
    let place = |(score, member): (&f64, &bool)| {
        if *member { below(&outside, *score) } else { 1.0 - below(&inside, *score) }
    };
    scores.iter().zip(members).map(place).collect()
}

/// Exact two-sided McNemar test of changes in either direction.
fn mcnemar(lost: u64, won: u64) -> f64 {
    let changes = lost + won;
    (2.0 * binomial_at_least(lost.max(won), changes, 0.5)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_changes() {
        assert_eq!(mcnemar(0, 0), 1.0);
        assert_eq!(mcnemar(3, 3), 1.0);
        assert!((mcnemar(0, 6) - 2.0 / 64.0).abs() < 1e-12);
        assert!((mcnemar(9, 1) - 22.0 / 1024.0).abs() < 1e-12);
    }

    fn invented(shift: f64) -> (Vec<f64>, Vec<bool>) {
        let records = 0..300_u32;
        let noise = |record: u32| f64::from(record * 193 % 307) / 307.0;
        let member = |record: u32| record.is_multiple_of(2);
        let score = |record| noise(record) + if member(record) { shift } else { 0.0 };
        (records.clone().map(score).collect(), records.map(member).collect())
    }

    #[test]
    fn less_leak_is_a_negative_difference() {
        let ((before, members), (after, _)) = (invented(0.5), invented(0.1));
        let told = compare(&before, &after, &members, 0.1, 0.95).unwrap();
        assert!(told.auc_difference.high < 0.0 && told.auc_p_value < 1e-6);
        assert!(told.tpr_difference.high < 0.0 && told.tpr_p_value < 1e-6);
        let same = compare(&before, &before, &members, 0.1, 0.95).unwrap();
        assert_eq!((same.auc_difference.value, same.auc_p_value), (0.0, 1.0));
        assert_eq!((same.tpr_difference.value, same.tpr_p_value), (0.0, 1.0));
        assert!(compare(&before[1..].to_vec(), &after, &members, 0.1, 0.95).is_err());
    }

    /// The variance of the difference of two areas that do not share records' noise is the sum of
    /// the two variances less twice the covariance; of one score with itself negated, four times.
    #[test]
    fn paired_error_of_a_score_and_its_mirror() {
        let (scores, members) = invented(0.2);
        let mirrored: Vec<f64> = scores.iter().map(|score| -score).collect();
        let roc = Roc::new(&scores, &members).unwrap();
        let told = compare(&scores, &mirrored, &members, 0.1, 0.95).unwrap();
        let half = told.auc_difference.high - told.auc_difference.value;
        let expected = 2.0 * roc.auc_standard_error() * 1.959_963_984_540_054;
        assert!((half - expected).abs() < 1e-12);
    }

    #[test]
    fn records_scored_on_one_side_are_dropped() {
        let ((mut before, members), (after, _)) = (invented(0.5), invented(0.1));
        before[3] = f64::NAN;
        assert_eq!(compare(&before, &after, &members, 0.1, 0.95).unwrap().dropped, 1);
    }
}
