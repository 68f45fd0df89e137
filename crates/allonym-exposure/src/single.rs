//! Attacks that need no reference models: loss, population, gap, modified entropy.
//!
//! They are weak: what they do not find may still be there.

use crate::scores::{AttackError, Flags, Scores, confidences, out_of_range, same_length};
use crate::signals::{Matrix, Series, block_records};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// A1: the logarithm of the target's confidence in the true class.
///
/// A confidence of zero is raised to the smallest single-precision number and flagged; one that is
/// not finite drops the record.
///
/// # Errors
/// Confidences outside of `[0, 1]`.
///
/// Yeom et al., arXiv 1709.01604.
pub fn loss<'a>(conf: impl Into<Series<'a>>) -> Result<Scores, AttackError> {
    let conf = conf.into();
    confidences("`conf`", conf)?;
    Ok(Scores::from_each(conf.len(), |record| ln_floored(conf.at(record))))
}

/// Groups of the records and of the population, for thresholds of their own.
#[derive(Clone, Copy, Debug)]
pub struct Groups<'a> {
    /// Group of each record.
    pub records: &'a [u32],
    /// Group of each population record.
    pub population: &'a [u32],
}

/// A2: the share of population records (of the same group) whose confidence is lower; one minus
/// the score is a p-value.
///
/// A record whose group has no population record is not scored and is flagged. Population records
/// that are not finite are left out.
///
/// # Errors
/// Lengths that do not fit, confidences outside of `[0, 1]`, no usable population record.
///
/// Ye et al., arXiv 2111.09679.
pub fn population<'a>(
    conf: impl Into<Series<'a>>,
    population: impl Into<Series<'a>>,
    groups: Option<Groups<'_>>,
) -> Result<Scores, AttackError> {
    let (conf, population) = (conf.into(), population.into());
    confidences("`conf`", conf)?;
    confidences("`population`", population)?;
    if let Some(Groups { records, population: of_population }) = groups {
        same_length("the groups", records.len(), conf.len())?;
        same_length("the groups of the population", of_population.len(), population.len())?;
    }
    let mut by_group: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for record in 0..population.len() {
        let (value, group) =
            (population.at(record), groups.map_or(0, |groups| groups.population[record]));
        if value.is_finite() {
            by_group.entry(group).or_default().push(value);
        }
    }
    if by_group.is_empty() {
        return Err(AttackError::Empty { what: "the population" });
    }
    by_group.values_mut().for_each(|values| values.sort_unstable_by(f64::total_cmp));
    Ok(Scores::from_each(conf.len(), |record| {
        let value = conf.at(record);
        if !value.is_finite() {
            return (f64::NAN, Flags::NOT_FINITE);
        }
        match by_group.get(&groups.map_or(0, |groups| groups.records[record])) {
            None => (f64::NAN, Flags::NO_GROUP),
            Some(others) => {
                let lower = others.partition_point(|&other| other < value);
                (crate::special::size(lower) / crate::special::size(others.len()), Flags::default())
            }
        }
    }))
}

/// A8: whether the target's most likely class is the true one, as 1 or 0; the first of several
/// equally likely classes counts.
///
/// `probabilities` has classes in the place of references.
///
/// # Errors
/// Lengths that do not fit, probabilities outside of `[0, 1]`, a label that is no class, unreadable
/// files.
///
/// Yeom et al., arXiv 1709.01604.
pub fn gap(probabilities: &Matrix<'_>, labels: &[u32]) -> Result<Scores, AttackError> {
    by_class(probabilities, labels, |classes, label| {
        let mut best = 0;
        for (class, probability) in classes.iter().enumerate() {
            if *probability > classes[best] {
                best = class;
            }
        }
        (f64::from(u8::from(best == label)), Flags::default())
    })
}

/// A8: the modified entropy, negated: `(1 - p_y) log p_y + sum over the other classes of
/// p_c log(1 - p_c)`.
///
/// `probabilities` has classes in the place of references. A logarithm of zero is taken at the
/// smallest single-precision number and flagged where it counts.
///
/// # Errors
/// As [`gap`].
///
/// Song and Mittal, arXiv 2003.10595.
pub fn modified_entropy(probabilities: &Matrix<'_>, labels: &[u32]) -> Result<Scores, AttackError> {
    by_class(probabilities, labels, |classes, label| {
        let mut flags = Flags::default();
        let mut score = 0.0;
        for (class, &probability) in classes.iter().enumerate() {
            let (weight, inner) = if class == label {
                (1.0 - probability, probability)
            } else {
                (probability, 1.0 - probability)
            };
            if weight > 0.0 {
                let (logarithm, clamped) = ln_floored(inner);
                score += weight * logarithm;
                flags |= clamped;
            }
        }
        (score, flags)
    })
}

fn by_class(
    probabilities: &Matrix<'_>,
    labels: &[u32],
    score: impl Fn(&[f64], usize) -> (f64, Flags) + Sync,
) -> Result<Scores, AttackError> {
    let (records, classes) = (probabilities.records(), probabilities.references());
    same_length("`labels`", labels.len(), records)?;
    let class_of = |label: u32| usize::try_from(label).unwrap_or(usize::MAX);
    if let Some(record) = labels.iter().position(|&label| class_of(label) >= classes) {
        return Err(AttackError::Label { record, classes });
    }
    let width = block_records(classes);
    let blocks = (0..records.div_ceil(width)).into_par_iter().map(|at| {
        let start = at * width;
        let width = width.min(records - start);
        let mut block = Vec::new();
        probabilities.fill_block(start..start + width, &mut block)?;
        if let Some(at) = block.iter().position(|&value| out_of_range(value)) {
            let (what, record) = ("`probs`", start + at % width);
            return Err(AttackError::NoConfidence { what, record });
        }
        let mut row = vec![0.0; classes];
        Ok((0..width)
            .map(|column| {
                let values = block[column..].iter().step_by(width);
                row.iter_mut().zip(values).for_each(|(to, from)| *to = *from);
                if row.iter().all(|value| value.is_finite()) {
                    score(&row, class_of(labels[start + column]))
                } else {
                    (f64::NAN, Flags::NOT_FINITE)
                }
            })
            .collect())
    });
    let blocks: Vec<Vec<(f64, Flags)>> = blocks.collect::<Result<_, AttackError>>()?;
    let (values, flags) = blocks.into_iter().flatten().unzip();
    Ok(Scores { values, flags })
}

fn ln_floored(probability: f64) -> (f64, Flags) {
    if probability.is_finite() {
        (probability.max(SMALLEST).ln(), Flags::CLAMPED.when(probability < SMALLEST))
    } else {
        (f64::NAN, Flags::NOT_FINITE)
    }
}

/// The smallest positive single-precision number.
const SMALLEST: f64 = 1.401_298_464_324_817e-45;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::Layout;

    #[test]
    fn loss_is_a_logarithm() {
        let scores = loss(&[1.0_f32, 0.5, 0.0, f32::NAN][..]).unwrap();
        assert_eq!(scores.values[..2], [0.0, 0.5_f64.ln()]);
        assert!((scores.values[2] - 1.401_298_464_324_817e-45_f64.ln()).abs() < 1e-9);
        assert_eq!(scores.flags[2], Flags::CLAMPED);
        assert_eq!(scores.flags[3], Flags::NOT_FINITE);
        assert!(loss(&[1.0, -0.1][..]).unwrap_err().to_string().contains("record 1"));
    }

    #[test]
    fn population_compares_within_the_group() {
        let others = [0.1, 0.5, 0.5, 0.9, f64::NAN];
        let conf = [0.5, 0.95, 0.05, f64::NAN];
        let scores = population(&conf[..], &others[..], None).unwrap();
        assert_eq!(scores.values[..3], [0.25, 1.0, 0.0]);
        assert_eq!(scores.flags[3], Flags::NOT_FINITE);
        let groups = Groups { records: &[7, 8, 9, 7], population: &[7, 7, 8, 8, 7] };
        let scores = population(&conf[..], &others[..], Some(groups)).unwrap();
        assert_eq!(scores.values[..2], [0.5, 1.0]);
        assert_eq!(scores.flags[2], Flags::NO_GROUP);
        assert!(population(&conf[..], &[f64::NAN][..], None).is_err());
        assert!(population(&conf[..], &others[..4], Some(groups)).is_err());
    }

    #[test]
    fn classes_worked_by_hand() {
        // Three records of two classes.
        let probabilities = [0.75, 0.25, 0.5, 0.5, 0.0, 1.0];
        let matrix = Matrix::new(&probabilities[..], Layout::ByRecord, 2, 3).unwrap();
        assert_eq!(gap(&matrix, &[0, 1, 1]).unwrap().values, [1.0, 0.0, 1.0]);
        let entropy = modified_entropy(&matrix, &[0, 1, 1]).unwrap();
        assert!((entropy.values[0] - 0.5 * 0.75_f64.ln()).abs() < 1e-15);
        assert!((entropy.values[1] - 0.5_f64.ln()).abs() < 1e-15);
        assert_eq!(entropy.values[2], 0.0);
        assert!(entropy.flags.iter().all(|flags| flags.is_empty()));
        let wrong = modified_entropy(&matrix, &[0, 1, 0]).unwrap();
        assert_eq!(wrong.flags[2], Flags::CLAMPED);
        assert!(wrong.values[2] < -200.0);
        assert!(gap(&matrix, &[0, 1, 2]).unwrap_err().to_string().contains("record 2"));
        assert!(gap(&matrix, &[0, 1]).is_err());
    }
}
