//! What the rows of a sample say of the population they come from.

use crate::classes::Classes;
use crate::math::{ln_gamma, long, real};
use crate::{Keyed, RiskError, classes};

/// The chance that a match is right where a row that is alone in the sample matches one person: the
/// share is that of single rows among single rows and pairs, `fraction` the part of the population that
/// the sample is.
///
/// Skinner and Elliot, "A measure of disclosure risk for microdata" (2002): `f n1 / (f n1 + 2 (1 - f)
/// n2)`, which asks nothing of the population. It rises with the share, so that the ends of an interval
/// for the share are those of an interval for the chance.
#[must_use]
pub fn unique_match_share(singles_share: f64, fraction: f64) -> f64 {
    let right = fraction * singles_share;
    let wrong = 2.0 * (1.0 - fraction) * (1.0 - singles_share);
    if right + wrong > 0.0 { right / (right + wrong) } else { fraction }
}

/// Expected share of right guesses for a row of a sample class of `f` rows, when each person of the
/// population came into the sample with the chance `fraction`.
///
/// Benedetti and Franconi (1998): the size of the class in the population is negative binomial; its
/// inverse has the mean `integral of u^(f-1) p / (p + (1 - p) u)` over `[0, 1]`.
#[must_use]
pub fn expected_hit(f: u64, fraction: f64) -> f64 {
    let (p, q) = (fraction, 1.0 - fraction);
    if q <= 0.0 {
        return 1.0 / real(f);
    }
    if f > EXACT_SIZES {
        return p / real(f);
    }
    if p <= 0.5 {
        // Upward, errors shrink by p / q at each step.
        let mut mean = p / q * (1.0 / p).ln();
        for size in 1..f {
            mean = p / q * (1.0 / real(size) - mean);
        }
        mean
    } else {
        // Downward, by q / p; so far above, the beginning no longer matters.
        let mut mean = p / real(f + DOWNWARD);
        for size in (f..f + DOWNWARD).rev() {
            mean = 1.0 / real(size) - q / p * mean;
        }
        mean
    }
}

/// How many people of the population are likely to be like a row that is alone in the sample: the ends of
/// a two-sided interval, itself counted.
#[must_use]
pub fn likely_size(fraction: f64, confidence: f64) -> (f64, f64) {
    let tail = (1.0 - confidence) / 2.0;
    let miss = (1.0 - fraction).ln();
    if miss == f64::NEG_INFINITY {
        return (1.0, 1.0);
    }
    (((1.0 - tail).ln() / miss).ceil().max(1.0), (tail.ln() / miss).ceil().max(1.0))
}

/// A population of classes as Pitman's law has them, fitted to a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PitmanFit {
    /// First parameter, in (0, 1).
    pub alpha: f64,
    /// Second parameter, above `-alpha`.
    pub theta: f64,
    /// Chance that a row which is alone in the sample is alone in the population.
    pub stays_unique: f64,
    /// Standard error of the logarithm of that chance's odds, from the curvature of the likelihood.
    pub log_odds_error: f64,
}

/// Fits Pitman's law to the sizes of classes by maximum likelihood, and tells how likely a row that is
/// alone in the sample is alone among `population` people.
///
/// Hoshino, "Applying Pitman's sampling formula to microdata disclosure risk assessment" (2001); the
/// chance is that of the law's urn: each person who is drawn after the sample joins a single row with
/// `(1 - alpha) / (theta + drawn)`. None where there is nothing to fit: no single row, or only such.
#[must_use]
pub fn pitman(groups: &Classes, population: u64) -> Option<PitmanFit> {
    let sizes = groups.sizes_of_sizes();
    let singles = groups.uniques();
    let rows = groups.of().len() as u64;
    if singles == 0 || singles == rows || population <= rows {
        return None;
    }
    let likelihood =
        Likelihood { sizes, classes: real(groups.sizes().len() as u64), rows: real(rows) };
    let (mut alpha, mut depth) = (logit(0.5), 0.0);
    // The likelihood has one top; it is climbed along one axis, then the other.
    for _ in 0..CLIMBS {
        let before = likelihood.at(alpha, depth);
        alpha = top(alpha, |alpha| likelihood.at(alpha, depth));
        depth = top(depth, |depth| likelihood.at(alpha, depth));
        if (likelihood.at(alpha, depth) - before).abs() < 1e-9 {
            break;
        }
    }
    let (first, second) = parameters(alpha, depth);
    let stays = stays_unique(first, second, real(rows), real(population));
    let error = likelihood.error_of(alpha, depth, |alpha, depth| {
        let (first, second) = parameters(alpha, depth);
        logit(stays_unique(first, second, real(rows), real(population)))
    });
    let fit = PitmanFit { alpha: first, theta: second, stays_unique: stays, log_odds_error: error };
    let sound = fit.stays_unique.is_finite() && fit.log_odds_error.is_finite();
    sound.then_some(fit)
}

/// Where rows stand in a table of everybody.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KMap {
    /// People in the population's smallest class that a row is in (Sweeney, 2001); none when no row is in
    /// any.
    pub k: Option<u64>,
    /// Rows in classes of one person.
    pub rows_of_one: u64,
    /// Rows that are like nobody of the population: it is not all, or not alike.
    pub rows_absent: u64,
    /// Rows in classes that have more rows than people.
    pub rows_over: u64,
    /// Expected share of right guesses, of the rows that are like somebody.
    pub expected_hits: f64,
    /// Least and largest share of a class of the population that is in the data: delta-presence (Nergiz,
    /// Atzori and Clifton, 2007).
    pub presence: (f64, f64),
    /// People.
    pub people: u64,
}

/// Compares data with the population. Each column holds the data's cells and then the population's;
/// `counts` tells how many people a row of the population stands for, where not for one.
///
/// # Errors
/// More people than are counted.
///
/// # Panics
/// When `rows` is more than a column has.
pub fn k_map(
    columns: &[Keyed<'_>],
    rows: usize,
    counts: Option<&[u64]>,
) -> Result<KMap, RiskError> {
    let all = classes(columns);
    let (data, population) = all.of().split_at(rows);
    let mut in_data = vec![0_u64; all.sizes().len()];
    let mut people = in_data.clone();
    for &class in data {
        in_data[long(class)] += 1;
    }
    for (row, &class) in population.iter().enumerate() {
        let sum = &mut people[long(class)];
        *sum = sum
            .checked_add(counts.map_or(1, |counts| counts[row]))
            .ok_or(RiskError::TooMany { table: crate::Role::Population })?;
    }
    let mut told = KMap {
        k: None,
        rows_of_one: 0,
        rows_absent: 0,
        rows_over: 0,
        expected_hits: 0.0,
        presence: (1.0, 0.0),
        people: 0,
    };
    // By rising size, so that sums do not hang on how classes are numbered.
    let mut pairs: Vec<(u64, u64)> = in_data.into_iter().zip(people).collect();
    pairs.sort_unstable();
    let mut hits = 0.0;
    for (rows, people) in pairs {
        if people == 0 {
            told.rows_absent += rows;
            continue;
        }
        told.people = told
            .people
            .checked_add(people)
            .ok_or(RiskError::TooMany { table: crate::Role::Population })?;
        let share = (real(rows) / real(people)).min(1.0);
        told.presence = (told.presence.0.min(share), told.presence.1.max(share));
        if rows == 0 {
            continue;
        }
        told.k = Some(told.k.map_or(people, |k| k.min(people)));
        told.rows_of_one += if people == 1 { rows } else { 0 };
        told.rows_over += if rows > people { rows } else { 0 };
        hits += real(rows) / real(people.max(rows));
    }
    let known = rows as u64 - told.rows_absent;
    told.expected_hits = if known > 0 { hits / real(known) } else { 0.0 };
    Ok(told)
}

struct Likelihood {
    /// Sizes of classes and how many there are of each.
    sizes: Vec<(u64, u64)>,
    classes: f64,
    rows: f64,
}

impl Likelihood {
    /// Logarithm of Pitman's sampling formula, without what the parameters do not change.
    fn at(&self, alpha: f64, depth: f64) -> f64 {
        let (alpha, theta) = parameters(alpha, depth);
        let new = (self.classes - 1.0) * alpha.ln() + ln_gamma(theta / alpha + self.classes)
            - ln_gamma(theta / alpha + 1.0);
        let all = ln_gamma(theta + self.rows) - ln_gamma(theta + 1.0);
        let first = ln_gamma(1.0 - alpha);
        let grown: f64 = self
            .sizes
            .iter()
            .map(|&(size, count)| real(count) * (ln_gamma(real(size) - alpha) - first))
            .sum();
        new - all + grown
    }

    /// Standard error of a function of both parameters.
    fn error_of(&self, alpha: f64, depth: f64, of: impl Fn(f64, f64) -> f64) -> f64 {
        let step = 1e-2;
        let at = |x: f64, y: f64| self.at(alpha + x * step, depth + y * step);
        let square = step * step;
        let here = at(0.0, 0.0);
        let slope_d = (of(alpha, depth + step) - of(alpha, depth - step)) / (2.0 * step);
        let (first, _) = parameters(alpha, depth);
        if first <= 2.0 * ALPHA_MIN || first >= 1.0 - 2.0 * ALPHA_MIN {
            // At the edge only the other parameter is left to be uncertain about.
            let dd = -(at(0.0, 1.0) - 2.0 * here + at(0.0, -1.0)) / square;
            return slope_d.abs() / dd.sqrt();
        }
        let aa = -(at(1.0, 0.0) - 2.0 * here + at(-1.0, 0.0)) / square;
        let dd = -(at(0.0, 1.0) - 2.0 * here + at(0.0, -1.0)) / square;
        let ad = -(at(1.0, 1.0) - at(1.0, -1.0) - at(-1.0, 1.0) + at(-1.0, -1.0)) / (4.0 * square);
        let slope_a = (of(alpha + step, depth) - of(alpha - step, depth)) / (2.0 * step);
        let determinant = aa * dd - ad * ad;
        let variance = (slope_a * slope_a * dd - 2.0 * slope_a * slope_d * ad
            + slope_d * slope_d * aa)
            / determinant;
        variance.sqrt()
    }
}

/// Parameters from what is free to be any number: the odds of `alpha`, and how far `theta` is above
/// `-alpha`, both as logarithms.
fn parameters(alpha: f64, depth: f64) -> (f64, f64) {
    let alpha = (1.0 / (1.0 + (-alpha).exp())).clamp(ALPHA_MIN, 1.0 - ALPHA_MIN);
    (alpha, depth.exp() - alpha)
}

fn logit(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}

fn stays_unique(alpha: f64, theta: f64, rows: f64, population: f64) -> f64 {
    let from = ln_gamma(rows + theta) - ln_gamma(rows + theta - 1.0 + alpha);
    let to = ln_gamma(population + theta) - ln_gamma(population + theta - 1.0 + alpha);
    (from - to).exp()
}

/// The top of a hill, by the golden section around where one stands.
fn top(at: f64, height: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (at - REACH, at + REACH);
    let golden = (5_f64.sqrt() - 1.0) / 2.0;
    let (mut a, mut b) = (high - golden * (high - low), low + golden * (high - low));
    let (mut height_a, mut height_b) = (height(a), height(b));
    while high - low > 1e-7 {
        if height_a > height_b {
            (high, b, height_b) = (b, a, height_a);
            a = high - golden * (high - low);
            height_a = height(a);
        } else {
            (low, a, height_a) = (a, b, height_b);
            b = low + golden * (high - low);
            height_b = height(b);
        }
    }
    f64::midpoint(low, high)
}

const EXACT_SIZES: u64 = 10_000;
const DOWNWARD: u64 = 2_000;
/// Nearer to its ends the first parameter is not told from them.
const ALPHA_MIN: f64 = 1e-3;
const CLIMBS: usize = 200;
const REACH: f64 = 8.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Choices, short};

    #[test]
    fn a_sample_that_is_everybody_is_right() {
        assert_eq!(unique_match_share(0.7, 1.0), 1.0);
        assert_eq!(expected_hit(4, 1.0), 0.25);
        assert_eq!(likely_size(1.0, 0.95), (1.0, 1.0));
    }

    /// 30 single rows and 10 pairs in a sample of a tenth: 3 / (3 + 18).
    #[test]
    fn the_chance_of_a_right_match_is_the_papers() {
        assert!((unique_match_share(0.75, 0.1) - 3.0 / 21.0).abs() < 1e-15);
        assert_eq!(unique_match_share(1.0, 0.1), 1.0);
    }

    /// The mean of an inverse, summed from the law itself.
    #[test]
    fn expected_hits_are_the_mean_over_the_law() {
        for (f, p) in [(1_u64, 0.1_f64), (2, 0.1), (5, 0.3), (1, 0.5), (3, 0.9), (40, 0.2)] {
            let mut chance = p.powf(real(f));
            let mut mean = 0.0;
            for beyond in 0..5000_u64 {
                mean += chance / real(f + beyond);
                chance *= (1.0 - p) * real(f + beyond) / real(beyond + 1);
            }
            assert!((expected_hit(f, p) - mean).abs() < 1e-12, "{f} {p}");
        }
    }

    #[test]
    fn likely_sizes_are_quantiles_of_the_law() {
        // One in ten: 1 - 0.9^k reaches 2.5 % at 1 and 97.5 % at 36.
        assert_eq!(likely_size(0.1, 0.95), (1.0, 36.0));
    }

    /// Draws people by Pitman's urn; the first of them are a sample without replacement.
    fn people(alpha: f64, theta: f64, population: usize, choices: &mut Choices) -> Vec<u32> {
        let mut sizes: Vec<f64> = Vec::new();
        let mut of: Vec<u32> = Vec::new();
        for drawn in 0..population {
            let whole = 1_u64 << 53;
            let at = real(choices.next() >> 11) / real(whole) * (theta + real(drawn as u64));
            let new = theta + alpha * real(sizes.len() as u64);
            if drawn == 0 || at < new {
                of.push(short(sizes.len()));
                sizes.push(1.0);
                continue;
            }
            // An earlier person, kept with (size - alpha) / size: so classes are hit by size - alpha.
            loop {
                let class = of[choices.below(drawn)];
                let size = sizes[long(class)];
                if real(choices.next() >> 11) / real(whole) < (size - alpha) / size {
                    of.push(class);
                    sizes[long(class)] += 1.0;
                    break;
                }
            }
        }
        of
    }

    /// Two hundred populations: the interval of what stays unique holds the truth nearly as often as
    /// it says.
    #[test]
    fn population_uniques_lie_in_their_interval() {
        let mut choices = Choices::new(20, 26);
        let (population, rows, runs) = (5_000, 500, 200);
        let mut held = 0;
        for run in 0..runs {
            let (alpha, theta) = [(0.3, 50.0), (0.6, 20.0), (0.8, 5.0)][run % 3];
            let of = people(alpha, theta, population, &mut choices);
            let cardinality = of.iter().max().unwrap() + 1;
            let sample = classes(&[Keyed { codes: vec![&of[..rows]], cardinality }]);
            let mut sizes = vec![0_u32; long(cardinality)];
            of.iter().for_each(|&class| sizes[long(class)] += 1);
            let truth = of[..rows].iter().filter(|&&class| sizes[long(class)] == 1).count() as u64;
            let fit = pitman(&sample, population as u64).unwrap();
            let singles = real(sample.uniques());
            let noise = 1.0 / (singles * fit.stays_unique * (1.0 - fit.stays_unique));
            let half = 1.96 * (fit.log_odds_error.powi(2) + noise).sqrt();
            let at = |z: f64| singles / (1.0 + (-logit(fit.stays_unique) - z).exp());
            held += usize::from(at(-half) <= real(truth) && real(truth) <= at(half));
        }
        assert!(held * 100 >= runs * 92, "{held} of {runs}");
    }

    /// Cells that are all alike have no long tail: the law's first parameter goes to its end, and the
    /// estimate is there all the same.
    #[test]
    fn a_short_tail_is_fitted_too() {
        let mut choices = Choices::new(1, 1);
        let cells: Vec<u32> = (0..300).map(|_| short(choices.below(558))).collect();
        let sample = classes(&[Keyed { codes: vec![&cells], cardinality: 558 }]);
        let fit = pitman(&sample, 3000).unwrap();
        assert!(fit.alpha < 0.01 && fit.stays_unique > 0.0 && fit.stays_unique < 0.5, "{fit:?}");
        assert!(fit.log_odds_error > 0.0 && fit.log_odds_error < 2.0, "{fit:?}");
    }

    #[test]
    fn nothing_to_fit_is_told() {
        let pairs = classes(&[Keyed { codes: vec![&[0, 0, 1, 1]], cardinality: 2 }]);
        assert_eq!(pitman(&pairs, 100), None);
        let singles = classes(&[Keyed { codes: vec![&[0, 1, 2]], cardinality: 3 }]);
        assert_eq!(pitman(&singles, 100), None);
    }

    /// Data: a, a, b, d. Population: a four times, b once, c twice.
    #[test]
    fn a_small_table_of_everybody() {
        let cells = [1, 1, 2, 4, 1, 1, 1, 1, 2, 3, 3];
        let column = Keyed { codes: vec![&cells], cardinality: 5 };
        let told = k_map(&[column], 4, None).unwrap();
        assert_eq!((told.k, told.rows_of_one, told.rows_absent), (Some(1), 1, 1));
        assert_eq!((told.people, told.rows_over), (7, 0));
        // Two rows with 1/4 each and one that is certain, of three.
        assert!((told.expected_hits - 0.5).abs() < 1e-15);
        assert_eq!(told.presence, (0.0, 1.0));
        // The same with counts.
        let cells = [1, 1, 2, 4, 1, 2, 3];
        let column = Keyed { codes: vec![&cells], cardinality: 5 };
        assert_eq!(k_map(&[column], 4, Some(&[4, 1, 2])).unwrap(), told);
    }
}
