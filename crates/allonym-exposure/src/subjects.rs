//! People, not rows: one person may have several records.

use crate::interval::Interval;
use crate::roc::{Roc, RocError};
use crate::signals::Series;
use crate::special::size;
use std::collections::BTreeMap;

/// One score for each person, for all metrics that take records.
#[derive(Clone, Debug, PartialEq)]
pub struct SubjectScores {
    /// The people, in the order of their numbers.
    pub subjects: Vec<u64>,
    /// Mean score of each one's scored records; NaN where there is none.
    pub scores: Vec<f64>,
    /// Whether each one is a member.
    pub members: Vec<bool>,
}

/// Scores people by the mean of their records. An interval over rows would be too narrow where one
/// person's rows resemble each other.
///
/// # Errors
/// [`SubjectError::Length`] for lengths that do not fit, [`SubjectError::BothSides`] for people
/// with member and non-member records: they are on neither side, and the split must be mended.
pub fn by_subject<'a>(
    scores: impl Into<Series<'a>>,
    members: &[bool],
    subjects: &[u64],
) -> Result<SubjectScores, SubjectError> {
    let scores = scores.into();
    if scores.len() != subjects.len() || members.len() != subjects.len() {
        return Err(SubjectError::Length { subjects: subjects.len(), records: members.len() });
    }
    let mut people: BTreeMap<u64, (Vec<f64>, bool)> = BTreeMap::new();
    let mut both = std::collections::BTreeSet::new();
    for record in 0..subjects.len() {
        let person = people.entry(subjects[record]).or_insert((Vec::new(), members[record]));
        if person.1 != members[record] {
            both.insert(subjects[record]);
        }
        if !scores.at(record).is_nan() {
            person.0.push(scores.at(record));
        }
    }
    if !both.is_empty() {
        return Err(SubjectError::BothSides { count: both.len(), of: people.len() });
    }
    let mut told = SubjectScores { subjects: vec![], scores: vec![], members: vec![] };
    for (subject, (mut records, member)) in people {
        // In their own order, so that the order of rows does not reach the last digit.
        records.sort_unstable_by(f64::total_cmp);
        told.subjects.push(subject);
        told.scores.push(records.iter().sum::<f64>() / size(records.len()));
        told.members.push(member);
    }
    Ok(told)
}

/// The area over rows, with an interval that draws whole people (percentiles of the cluster
/// bootstrap, Davison and Hinkley 1997, section 3.8): `draws` samples of as many members and
/// non-members as there are, from generator SplitMix64 seeded with `seed`.
///
/// # Errors
/// As [`by_subject`] and [`Roc::new`].
pub fn auc_by_subject<'a>(
    scores: impl Into<Series<'a>>,
    members: &[bool],
    subjects: &[u64],
    confidence: f64,
    draws: usize,
    seed: u64,
) -> Result<Interval, SubjectError> {
    let scores = scores.into();
    by_subject(scores, members, subjects)?;
    let value = Roc::new(scores, members)?.auc();
    let mut people: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (record, subject) in subjects.iter().enumerate() {
        if !scores.at(record).is_nan() {
            people.entry(*subject).or_default().push(record);
        }
    }
    for records in people.values_mut() {
        records.sort_by(|left, right| scores.at(*left).total_cmp(&scores.at(*right)));
    }
    let side = |wanted: bool| -> Vec<&Vec<usize>> {
        people.values().filter(|records| members[records[0]] == wanted).collect()
    };
    let sides = [side(true), side(false)];
    let mut state = seed;
    let mut areas: Vec<f64> = (0..draws)
        .map(|_| {
            let (mut drawn, mut is_member) = (Vec::new(), Vec::new());
            for (people, member) in sides.iter().zip([true, false]) {
                for _ in 0..people.len() {
                    let person = below(&mut state, people.len());
                    for &record in people[person] {
                        drawn.push(scores.at(record));
                        is_member.push(member);
                    }
                }
            }
            Roc::new(&drawn, &is_member).map(|roc| roc.auc())
        })
        .collect::<Result<_, RocError>>()?;
    areas.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    let cut = crate::roc::count_within(tail, areas.len());
    let last = areas.len().saturating_sub(1);
    let at = |place: usize| areas.get(place.min(last)).copied().unwrap_or(f64::NAN);
    Ok(Interval { value, low: at(cut), high: at(last.saturating_sub(cut)) })
}

/// Why people cannot be scored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubjectError {
    /// One person is needed for each record.
    #[error("there are {subjects} subjects for {records} records")]
    Length {
        /// Number of subjects given.
        subjects: usize,
        /// Number of records.
        records: usize,
    },
    /// A person's records stand on both sides.
    #[error("{count} of {of} subjects have member and non-member records; split by subject")]
    BothSides {
        /// How many people.
        count: usize,
        /// Of how many.
        of: usize,
    },
    /// There is no curve.
    #[error(transparent)]
    Roc(#[from] RocError),
}

/// A number below `end`, each equally likely but for one part in 2^64 (Lemire 2019, without the
/// rejection).
fn below(state: &mut u64, end: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let wide = u128::from(crate::epsilon::finish(*state)) * end as u128;
    usize::try_from(wide >> 64).expect("it is below a length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_scored_by_their_mean() {
        let scores = [1.0, 3.0, 5.0, f64::NAN, 0.5];
        let members = [true, true, false, false, false];
        let told = by_subject(&scores[..], &members, &[7, 7, 3, 9, 3]).unwrap();
        assert_eq!(told.subjects, [3, 7, 9]);
        assert_eq!(told.scores[..2], [2.75, 2.0]);
        assert!(told.scores[2].is_nan());
        assert_eq!(told.members, [false, true, false]);
        let both = by_subject(&scores[..], &members, &[7, 7, 7, 9, 3]).unwrap_err();
        assert_eq!(both, SubjectError::BothSides { count: 1, of: 3 });
        assert!(by_subject(&scores[..], &members, &[1]).is_err());
    }

    /// Every person's record ten times over: rows would promise an interval a third as wide.
    #[test]
    fn repeated_rows_do_not_narrow_the_interval() {
        let (mut scores, mut members, mut subjects) = (Vec::new(), Vec::new(), Vec::new());
        for person in 0..60_u32 {
            for _ in 0..10 {
                scores.push(f64::from(person * 37 % 61) + if person % 2 == 0 { 8.0 } else { 0.0 });
                members.push(person % 2 == 0);
                subjects.push(u64::from(person));
            }
        }
        let rows = Roc::new(&scores, &members).unwrap().auc_interval(0.95);
        let people = auc_by_subject(&scores, &members, &subjects, 0.95, 400, 1).unwrap();
        assert_eq!(people.value, rows.value);
        assert!(people.high - people.low > 2.0 * (rows.high - rows.low));
        let again = auc_by_subject(&scores, &members, &subjects, 0.95, 400, 1).unwrap();
        assert_eq!(again, people);
    }
}
