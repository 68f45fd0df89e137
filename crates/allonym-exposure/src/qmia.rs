//! A7, quantile regression: a threshold for each record from what it looks like.

use crate::scores::{AttackError, Flags, Scores, same_length};
use crate::signals::{Matrix, Series, SignalError};
use crate::special::size;

/// How far the target's logit lies above what one in `1 / fpr` non-members with the same features
/// reaches: `phi - q(features)`. Members are guessed where it is positive.
///
/// `q` is a linear quantile regression of the population's logits on its features at `1 - fpr`
/// (pinball loss), shifted so that at most the share `fpr` of the population lies above it.
/// `features` and `population_features` have features in the place of references. Records and
/// population records with a value that is not finite are left out, the former flagged.
///
/// The fit does not depend on the order of the population.
///
/// # Errors
/// Lengths that do not fit, an `fpr` outside of `(0, 1)`, fewer usable population records than
/// `1 / fpr` or than features, unreadable files.
///
/// Bertran et al., arXiv 2307.03694; the fit is the majorize-minimize algorithm of Hunter and Lange
/// (2000).
pub fn qmia<'a>(
    logit: impl Into<Series<'a>>,
    features: &Matrix<'_>,
    population: impl Into<Series<'a>>,
    population_features: &Matrix<'_>,
    fpr: f64,
) -> Result<Scores, AttackError> {
    let (logit, population) = (logit.into(), population.into());
    same_length("`features`", features.records(), logit.len())?;
    same_length("`population_features`", population_features.records(), population.len())?;
    if features.references() != population_features.references() {
        return Err(AttackError::Signals(SignalError::Shape {
            what: "`population_features`",
            expected: format!("{} features", features.references()),
            found: format!("{}", population_features.references()),
        }));
    }
    if !(fpr > 0.0 && fpr < 1.0) {
        return Err(AttackError::Parameter { what: "`fpr`", expected: "between 0 and 1" });
    }
    let mut usable: Vec<Row> =
        rows(population, population_features)?.into_iter().flatten().collect();
    let needed = crate::roc::needed(fpr).max(features.references() as u64 + 2);
    if (usable.len() as u64) < needed {
        let needed = usize::try_from(needed).unwrap_or(usize::MAX);
        return Err(AttackError::TooFew { found: usable.len(), needed });
    }
    // Sums of floating-point numbers depend on their order; this one is the data's own.
    usable.sort_unstable_by(|left, right| {
        left.iter()
            .zip(right)
            .map(|(a, b)| a.total_cmp(b))
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let line = Line::fit(&usable, fpr);
    let (values, flags) = rows(logit, features)?
        .into_iter()
        .map(|row| match row {
            Some(row) => (row[0] - line.at(&row[1..]), Flags::default()),
            None => (f64::NAN, Flags::NOT_FINITE),
        })
        .unzip();
    Ok(Scores { values, flags })
}

/// A logit followed by the record's features.
type Row = Vec<f64>;

/// The rows whose every number is finite, none for the others.
fn rows(logit: Series<'_>, features: &Matrix<'_>) -> Result<Vec<Option<Row>>, AttackError> {
    let (records, width) = (logit.len(), crate::signals::block_records(features.references()));
    let mut rows = Vec::with_capacity(records);
    let mut block = Vec::new();
    let mut start = 0;
    while start < records {
        let width = width.min(records - start);
        features.fill_block(start..start + width, &mut block)?;
        for column in 0..width {
            let row: Row = std::iter::once(logit.at(start + column))
                .chain(block[column..].iter().step_by(width).copied())
                .collect();
            rows.push(row.iter().all(|value| value.is_finite()).then_some(row));
        }
        start += width;
    }
    Ok(rows)
}

/// A quantile that is linear in standardised features.
struct Line {
    centres: Vec<f64>,
    scales: Vec<f64>,
    /// The constant first.
    weights: Vec<f64>,
}

impl Line {
    fn fit(rows: &[Row], fpr: f64) -> Line {
        let count = size(rows.len());
        let n_features = rows[0].len() - 1;
        let moments = |at: usize| {
            let mean = rows.iter().map(|row| row[at]).sum::<f64>() / count;
            let square = rows.iter().map(|row| (row[at] - mean).powi(2)).sum::<f64>() / count;
            (mean, square.sqrt())
        };
        let (centres, scales): (Vec<f64>, Vec<f64>) = (1..=n_features)
            .map(moments)
            // A feature that does not vary says nothing.
            .map(|(mean, spread)| (mean, if spread > 0.0 { spread } else { f64::INFINITY }))
            .unzip();
        let mut line = Line { centres, scales, weights: vec![0.0; n_features + 1] };
        let spread = moments(0).1;
        line.weights[0] = moments(0).0;
        let design: Vec<Row> = rows.iter().map(|row| line.design(&row[1..])).collect();
        for _ in 0..STEPS_MAX {
            let next = line.step(rows, &design, 1.0 - fpr, spread);
            let moved = next
                .iter()
                .zip(&line.weights)
                .map(|(new, old)| (new - old).abs())
                .fold(0.0, f64::max);
            line.weights = next;
            if moved <= CHANGE_MIN * spread {
                break;
            }
        }
        line.shift(rows, fpr);
        line
    }

    fn at(&self, features: &[f64]) -> f64 {
        dot(&self.design(features), &self.weights)
    }

    fn design(&self, features: &[f64]) -> Row {
        let standard = features
            .iter()
            .zip(self.centres.iter().zip(&self.scales))
            .map(|(feature, (centre, scale))| (feature - centre) / scale);
        std::iter::once(1.0).chain(standard).collect()
    }

    /// Minimiser of the quadratic that lies above the pinball loss and touches it here.
    fn step(&self, rows: &[Row], design: &[Row], quantile: f64, spread: f64) -> Vec<f64> {
        let width = self.weights.len();
        let mut matrix = vec![vec![0.0; width]; width];
        let mut right = vec![0.0; width];
        for (row, terms) in rows.iter().zip(design) {
            let residual = (row[0] - dot(terms, &self.weights)).abs();
            let weight = 1.0 / (residual + RESIDUAL_MIN * spread.max(f64::MIN_POSITIVE));
            for (at, term) in terms.iter().enumerate() {
                right[at] += term * (weight * row[0] + 2.0 * quantile - 1.0);
                for (to, other) in terms.iter().enumerate().take(at + 1) {
                    matrix[at][to] += weight * term * other;
                }
            }
        }
        solve(matrix, right)
    }

    /// Moves the constant so that at most the share `fpr` of the rows lies above.
    fn shift(&mut self, rows: &[Row], fpr: f64) {
        let mut residuals: Vec<f64> = rows.iter().map(|row| row[0] - self.at(&row[1..])).collect();
        residuals.sort_unstable_by(|left, right| right.total_cmp(left));
        let above = crate::roc::count_within(fpr, residuals.len());
        self.weights[0] += residuals[above.min(residuals.len() - 1)];
    }
}

/// Solves a symmetric positive system given by its lower triangle (Cholesky); a ridge of rounding
/// size keeps features that repeat one another apart.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let width = right.len();
    for at in 0..width {
        let ridge = RIDGE * matrix[at][at] + f64::MIN_POSITIVE;
        matrix[at][at] += ridge;
        for to in 0..=at {
            let known = dot(&matrix[at][..to], &matrix[to][..to]);
            let rest = matrix[at][to] - known;
            matrix[at][to] = if at == to { rest.max(ridge).sqrt() } else { rest / matrix[to][to] };
        }
        let known = dot(&matrix[at][..at], &right[..at]);
        right[at] = (right[at] - known) / matrix[at][at];
    }
    for at in (0..width).rev() {
        let known: f64 = (at + 1..width).map(|below| matrix[below][at] * right[below]).sum();
        right[at] = (right[at] - known) / matrix[at][at];
    }
    right
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

const STEPS_MAX: usize = 500;
/// In spreads of the logits.
const CHANGE_MIN: f64 = 1e-9;
/// In spreads of the logits: the loss is smooth within it.
const RESIDUAL_MIN: f64 = 1e-6;
const RIDGE: f64 = 1e-12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::Layout;

    fn features(values: &[f64]) -> Matrix<'_> {
        Matrix::new(values, Layout::ByRecord, 1, values.len()).unwrap()
    }

    /// Logits 2 x + k / 100 for k in 0..100 at each of five x: the quantile lines are parallel.
    #[test]
    fn parallel_lines_are_found() {
        let (mut x, mut logit) = (Vec::new(), Vec::new());
        for step in 0..5_u32 {
            for k in 0..100_u32 {
                x.push(f64::from(step));
                logit.push(2.0 * f64::from(step) + f64::from(k) / 100.0);
            }
        }
        let scores = qmia(&logit, &features(&x), &logit, &features(&x), 0.1).unwrap();
        assert!(scores.values.iter().filter(|&&score| score > 0.0).count() <= 50);
        let x_all = x.clone();
        let at = |x: f64| {
            let here = [x];
            let scores = qmia(&[0.0][..], &features(&here), &logit, &features(&x_all), 0.1);
            -scores.unwrap().values[0]
        };
        assert!((at(2.0) - 4.895).abs() < 0.02, "{}", at(2.0));
        assert!((at(10.0) - 20.895).abs() < 0.05, "{}", at(10.0));
    }

    #[test]
    fn order_constants_and_gaps_do_not_matter() {
        let (mut x, mut logit): (Vec<f64>, Vec<f64>) =
            (0..200_u32).map(|k| (f64::from(k % 7), f64::from(k * k % 31))).unzip();
        let target = [3.0, 9.0];
        let forward = qmia(&target[..], &features(&[1.0, 2.0]), &logit, &features(&x), 0.05);
        x.reverse();
        logit.reverse();
        let backward = qmia(&target[..], &features(&[1.0, 2.0]), &logit, &features(&x), 0.05);
        assert_eq!(forward.unwrap(), backward.unwrap());
        let flat = vec![4.0; 200];
        let scores = qmia(&target[..], &features(&[4.0, 4.0]), &logit, &features(&flat), 0.05);
        assert!(scores.unwrap().values.iter().all(|score| score.is_finite()));
        logit[3] = f64::NAN;
        let gaps = qmia(&target[..], &features(&[f64::NAN, 2.0]), &logit, &features(&x), 0.05);
        let gaps = gaps.unwrap();
        assert_eq!(gaps.flags, [Flags::NOT_FINITE, Flags::default()]);
        assert!(qmia(&target[..], &features(&[1.0, 2.0]), &logit, &features(&x), 0.001).is_err());
        assert!(qmia(&target[..], &features(&[1.0, 2.0]), &logit, &features(&x), 1.0).is_err());
    }
}
