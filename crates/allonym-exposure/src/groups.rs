//! M8: who is more exposed than the rest.

use crate::interval::{Interval, clopper_pearson};
use crate::roc::{Roc, RocError};
use crate::signals::Series;
use crate::special::{ln_gamma, real};
use std::collections::BTreeMap;

/// Exposure of one group of records.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupExposure {
    /// The group's number.
    pub group: u32,
    /// Scored members; none where the group is too small to be told.
    pub cells: Option<GroupCells>,
}

/// The numbers of a group that is large enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupCells {
    /// Scored members of the group.
    pub n_members: u64,
    /// Scored non-members of the group.
    pub n_non_members: u64,
    /// Area under the curve within the group.
    pub auc: Interval,
    /// Share of the group's members recognised at the threshold common to all.
    pub tpr: Interval,
    /// The same of all other members.
    pub tpr_rest: Interval,
    /// Share of the group's non-members flagged at that threshold.
    pub fpr: Interval,
    /// Probability of a difference of the two `tpr` as unlikely as this or more, were there none
    /// (Fisher's exact test, two-sided).
    pub p_value: f64,
    /// The same, corrected for the number of groups told (Holm 1979).
    pub p_corrected: f64,
}

/// Compares the members of each group with all other members, at the common threshold that flags
/// at most `fpr` of all non-members.
///
/// Groups with fewer than `cell_min` scored members or non-members are named without numbers, so
/// that the report does not single out people, and are not counted in the correction. Groups come
/// in the order of their numbers.
///
/// # Errors
/// As [`Roc::new`] and [`Roc::tpr_at`], and groups that are not as many as the scores.
pub fn groups<'a>(
    scores: impl Into<Series<'a>>,
    members: &[bool],
    groups: &[u32],
    fpr: f64,
    cell_min: u64,
    confidence: f64,
) -> Result<Vec<GroupExposure>, RocError> {
    let scores = scores.into();
    if groups.len() != scores.len() {
        return Err(RocError::Length { scores: scores.len(), members: groups.len() });
    }
    let all = Roc::new(scores, members)?;
    let at = all.tpr_at(fpr, confidence)?;
    let mut by_group: BTreeMap<u32, (Vec<f64>, Vec<bool>)> = BTreeMap::new();
    for record in 0..groups.len() {
        let (of_group, is_member) = by_group.entry(groups[record]).or_default();
        of_group.push(scores.at(record));
        is_member.push(members[record]);
    }
    let mut exposures = Vec::new();
    for (group, (scores, members)) in by_group {
        let flagged = |member: bool| {
            let records = scores.iter().zip(&members).filter(|(_, is)| **is == member);
            records.filter(|(score, _)| **score >= at.threshold).count() as u64
        };
        let roc = Roc::new(&scores, &members).ok();
        let roc = roc.filter(|roc| roc.n_members().min(roc.n_non_members()) >= cell_min.max(1));
        let cells = roc.map(|roc| {
            let (hits, of) = (flagged(true), roc.n_members());
            let (hits_rest, of_rest) = (at.true_positives - hits, all.n_members() - of);
            GroupCells {
                n_members: of,
                n_non_members: roc.n_non_members(),
                auc: roc.auc_interval(confidence),
                tpr: clopper_pearson(hits, of, confidence),
                tpr_rest: clopper_pearson(hits_rest, of_rest, confidence),
                fpr: clopper_pearson(flagged(false), roc.n_non_members(), confidence),
                p_value: fisher(hits, of, hits_rest, of_rest),
                p_corrected: 1.0,
            }
        });
        exposures.push(GroupExposure { group, cells });
    }
    let mut told: Vec<&mut GroupCells> =
        exposures.iter_mut().filter_map(|exposure| exposure.cells.as_mut()).collect();
    let corrected = holm(&told.iter().map(|cells| cells.p_value).collect::<Vec<_>>());
    told.iter_mut().zip(corrected).for_each(|(cells, p)| cells.p_corrected = p);
    Ok(exposures)
}

/// Corrects probabilities for their number, in their own order (Holm 1979).
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|left, right| p_values[*left].total_cmp(&p_values[*right]));
    let mut corrected = vec![1.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (place, at) in order.into_iter().enumerate() {
        largest = largest.max(p_values[at] * crate::special::size(p_values.len() - place));
        corrected[at] = largest.min(1.0);
    }
    corrected
}

/// Fisher's exact test of two shares, two-sided: all tables as unlikely as this one or more.
fn fisher(hits: u64, of: u64, hits_rest: u64, of_rest: u64) -> f64 {
    let (all_hits, all) = (hits + hits_rest, of + of_rest);
    let ln_choose = |n: u64, k: u64| {
        ln_gamma(real(n) + 1.0) - ln_gamma(real(k) + 1.0) - ln_gamma(real(n - k) + 1.0)
    };
    let ln_density =
        |k: u64| ln_choose(of, k) + ln_choose(of_rest, all_hits - k) - ln_choose(all, all_hits);
    let here = ln_density(hits);
    let range = all_hits.saturating_sub(of_rest)..=all_hits.min(of);
    // Tables that are equally likely may differ in the last digits of their logarithms.
    let unlikely = range.map(ln_density).filter(|ln| *ln <= here + 1e-7);
    unlikely.map(f64::exp).sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fisher's tea test: 3 of 4 against 1 of 4 has 17/35 = 0.4857.
    #[test]
    fn published_tests() {
        assert!((fisher(3, 4, 1, 4) - 17.0 / 35.0).abs() < 1e-12);
        assert!((fisher(4, 4, 0, 4) - 2.0 / 70.0).abs() < 1e-12);
        assert!((fisher(0, 4, 0, 4) - 1.0).abs() < 1e-12);
        // Holm's procedure by hand.
        assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
        assert_eq!(holm(&[0.9, 0.6]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn an_exposed_group_stands_out_and_a_small_one_is_not_told() {
        let (mut scores, mut members, mut of) = (Vec::new(), Vec::new(), Vec::new());
        for record in 0..400_u32 {
            let (group, member) = (u32::from(record >= 200), record % 2 == 0);
            let noise = f64::from(record * 37 % 101) / 101.0;
            scores.push(noise + if group == 1 && member { 2.0 } else { 0.0 });
            members.push(member);
            of.push(group);
        }
        of[0] = 9;
        let found = groups(&scores, &members, &of, 0.05, 5, 0.95).unwrap();
        assert_eq!(found.iter().map(|group| group.group).collect::<Vec<_>>(), [0, 1, 9]);
        let exposed = found[1].cells.unwrap();
        assert_eq!((exposed.n_members, exposed.tpr.value, exposed.auc.value), (100, 1.0, 1.0));
        assert!(exposed.p_corrected < 1e-20 && exposed.p_corrected >= exposed.p_value);
        assert!(found[2].cells.is_none());
        assert!(groups(&scores, &members, &of[1..], 0.05, 5, 0.95).is_err());
    }
}
