//! M4 to M6: lower bounds on the privacy loss that an attack proves.
//!
//! A bound above zero says that the training leaks at least so much; a bound of zero says nothing.

use crate::interval::{share_high, share_low};
use crate::roc::{Roc, RocError};
use crate::signals::Series;
use crate::special::{
    binomial_at_least, binomial_density, normal_cdf, normal_ln_cdf, normal_quantile, real,
};

/// Smallest epsilon of `(epsilon, delta)` differential privacy that allows both error rates of a
/// test: `max(0, ln((1 - delta - fnr) / fpr), ln((1 - delta - fpr) / fnr))`.
///
/// With upper bounds of the two rates it is a lower bound of epsilon.
///
/// Kairouz, Oh and Viswanath, arXiv 1311.0776.
#[must_use]
pub fn dp_epsilon(fpr: f64, fnr: f64, delta: f64) -> f64 {
    let side = |hit: f64, error: f64| if hit > error { (hit / error).ln() } else { 0.0 };
    side(1.0 - delta - fnr, fpr).max(side(1.0 - delta - fpr, fnr))
}

/// Smallest mu of Gaussian differential privacy that allows both error rates of a test (M6), at
/// least zero.
///
/// Nasr et al., arXiv 2302.07956. Only across independent training runs.
#[must_use]
pub fn gdp_mu(fpr: f64, fnr: f64) -> f64 {
    (-normal_quantile(fpr) - normal_quantile(fnr)).max(0.0)
}

/// The epsilon that Gaussian differential privacy with `mu` has at `delta`: the root of
/// `delta = cdf(-eps/mu + mu/2) - e^eps cdf(-eps/mu - mu/2)`; infinite at a `delta` of zero, zero
/// at a `mu` of zero.
///
/// Dong, Roth and Su, arXiv 1905.02383, corollary 2.13.
#[must_use]
pub fn gdp_epsilon(mu: f64, delta: f64) -> f64 {
    if mu <= 0.0 {
        return 0.0;
    }
    if delta <= 0.0 {
        return f64::INFINITY;
    }
    let delta_at = |epsilon: f64| {
        let second = (epsilon + normal_ln_cdf(-epsilon / mu - mu / 2.0)).exp();
        normal_cdf(-epsilon / mu + mu / 2.0) - second
    };
    lowest_root(|epsilon| delta_at(epsilon) <= delta)
}

/// M4: what one threshold proves, chosen on one half of the records and measured on the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThresholdEpsilon {
    /// Lower bound of epsilon; indicative, for one training run has no independent records.
    pub epsilon: f64,
    /// Records with at least this score were guessed to be members.
    pub threshold: f64,
    /// Members and non-members it was measured on.
    pub measured: (u64, u64),
}

/// M4, indicative: the threshold that promises most on one half of the records, measured on the
/// other with exact bounds, a quarter of `alpha` for each of the four rates.
///
/// `ids` name the records (the same person the same number) and, with `seed`, say which half each
/// is in, so neither the order of records nor who else is there matters.
///
/// # Errors
/// Lengths that do not fit, infinite scores, a half without members or non-members.
pub fn threshold_epsilon<'a>(
    scores: impl Into<Series<'a>>,
    members: &[bool],
    ids: &[u64],
    seed: u64,
    delta: f64,
    alpha: f64,
) -> Result<ThresholdEpsilon, RocError> {
    let scores = scores.into();
    if ids.len() != members.len() || scores.len() != members.len() {
        return Err(RocError::Length {
            scores: scores.len(),
            members: members.len().min(ids.len()),
        });
    }
    let half = |wanted: bool| {
        let (scores, members): (Vec<f64>, Vec<bool>) = (0..ids.len())
            .filter(|&record| (mixed(ids[record], seed) & 1 == 1) == wanted)
            .map(|record| (scores.at(record), members[record]))
            .unzip();
        Roc::new(&scores, &members)
    };
    let (choosing, measuring) = (half(false)?, half(true)?);
    let threshold = most_promising(&choosing);
    let (tp, fp) = measuring
        .steps()
        .take_while(|(score, _, _)| *score >= threshold)
        .last()
        .map_or((0, 0), |(_, tp, fp)| (tp, fp));
    let (n_in, n_out) = (measuring.n_members(), measuring.n_non_members());
    let each = alpha / 4.0;
    let side = |hits: u64, of: u64, errors: u64, among: u64| {
        let (hit, error) = (share_low(hits, of, each) - delta, share_high(errors, among, each));
        if hit > error { (hit / error).ln() } else { 0.0 }
    };
    let epsilon = side(tp, n_in, fp, n_out).max(side(n_out - fp, n_out, n_in - tp, n_in));
    Ok(ThresholdEpsilon { epsilon, threshold, measured: (n_in, n_out) })
}

/// M5: the largest epsilon that one training run with `m` records, each included by a fair coin of
/// its own, refutes at level `alpha`, when `correct` of `guesses` guessed coins are right.
///
/// The number of guesses must be fixed beforehand; see [`one_run_audit`] for choosing among some.
///
/// # Errors
/// [`OneRunError`] for counts that do not fit or rates outside of their range.
///
/// Steinke, Nasr and Jagielski, arXiv 2305.08846, theorem 5.2.
pub fn one_run_epsilon(
    m: u64,
    guesses: u64,
    correct: u64,
    delta: f64,
    alpha: f64,
) -> Result<f64, OneRunError> {
    check_one_run(m, guesses, correct, delta)?;
    if !(alpha > 0.0 && alpha < 1.0) {
        return Err(OneRunError::Rate { what: "alpha" });
    }
    let refuted = |epsilon: f64| p_value(m, guesses, correct, epsilon, delta) < alpha;
    Ok(if refuted(0.0) { lowest_root(|epsilon| !refuted(epsilon)) } else { 0.0 })
}

/// Probability, at most, of so many correct guesses under `(epsilon, delta)` differential privacy.
///
/// # Errors
/// As [`one_run_epsilon`].
pub fn one_run_p_value(
    m: u64,
    guesses: u64,
    correct: u64,
    epsilon: f64,
    delta: f64,
) -> Result<f64, OneRunError> {
    check_one_run(m, guesses, correct, delta)?;
    if epsilon.is_nan() || epsilon < 0.0 {
        return Err(OneRunError::Rate { what: "epsilon" });
    }
    Ok(p_value(m, guesses, correct, epsilon, delta))
}

/// What one run proves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OneRun {
    /// Lower bound of epsilon.
    pub epsilon: f64,
    /// Number of guesses that proved it.
    pub guesses: u64,
    /// How many of them were right.
    pub correct: u64,
    /// Level of each of the bounds tried.
    pub alpha_each: f64,
}

/// M5 from scores: the records with the highest scores are guessed in and as many with the lowest
/// out, for each number of guesses of `grid`; the best bound counts, each at `alpha` divided by
/// their number.
///
/// `coins` are the fair, independent coins that decided who was in; with memberships chosen in any
/// other way the bound proves nothing. A record without a score (NaN) is never guessed but counts
/// as a coin. Records that tie are taken in the worst order.
///
/// # Errors
/// Lengths that do not fit, an empty grid, or more guesses than scored records.
pub fn one_run_audit<'a>(
    scores: impl Into<Series<'a>>,
    coins: &[bool],
    grid: &[u64],
    delta: f64,
    alpha: f64,
) -> Result<OneRun, OneRunError> {
    let scores = scores.into();
    if scores.len() != coins.len() {
        return Err(OneRunError::Length { scores: scores.len(), coins: coins.len() });
    }
    let mut ranked: Vec<(f64, bool)> = (0..coins.len())
        .map(|record| (scores.at(record), coins[record]))
        .filter(|(score, _)| !score.is_nan())
        .collect();
    // At the upper end the worst order of ties is OUT first, at the lower end IN first: the same
    // order read from both ends would help one of them, so each has its own.
    ranked.sort_unstable_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
    let upper: Vec<bool> = ranked.iter().map(|(_, coin)| *coin).collect();
    ranked.sort_unstable_by(|left, right| left.0.total_cmp(&right.0).then(right.1.cmp(&left.1)));
    let lower: Vec<bool> = ranked.iter().map(|(_, coin)| *coin).collect();
    let alpha_each = alpha / crate::special::size(grid.len());
    let mut best: Option<OneRun> = None;
    for &guesses in grid {
        let count = usize::try_from(guesses).unwrap_or(usize::MAX);
        if count > ranked.len() {
            return Err(OneRunError::Counts { m: coins.len() as u64, guesses, correct: 0 });
        }
        let guessed_in = count.div_ceil(2);
        let right =
            |coins: &[bool], wanted: bool| coins.iter().filter(|&&coin| coin == wanted).count();
        let correct =
            (right(&upper[..guessed_in], true) + right(&lower[..count - guessed_in], false)) as u64;
        let epsilon = one_run_epsilon(coins.len() as u64, guesses, correct, delta, alpha_each)?;
        if best.is_none_or(|best| epsilon > best.epsilon) {
            best = Some(OneRun { epsilon, guesses, correct, alpha_each });
        }
    }
    best.ok_or(OneRunError::Rate { what: "the grid of guesses" })
}

/// Why a one-run bound cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OneRunError {
    /// One coin is needed for each score.
    #[error("there are {scores} scores and {coins} coins")]
    Length {
        /// Number of scores.
        scores: usize,
        /// Number of coins.
        coins: usize,
    },
    /// More right than guessed, or more guessed than there are.
    #[error("{correct} correct of {guesses} guesses of {m} records: each must be at most the next")]
    Counts {
        /// Number of records.
        m: u64,
        /// Number of guesses.
        guesses: u64,
        /// Number of correct ones.
        correct: u64,
    },
    /// A parameter outside of its range.
    #[error("{what} is outside of its range")]
    Rate {
        /// Which one.
        what: &'static str,
    },
}

fn check_one_run(m: u64, guesses: u64, correct: u64, delta: f64) -> Result<(), OneRunError> {
    if correct > guesses || guesses > m {
        return Err(OneRunError::Counts { m, guesses, correct });
    }
    if !(0.0..=1.0).contains(&delta) {
        return Err(OneRunError::Rate { what: "delta" });
    }
    Ok(())
}

/// `P[Bin >= v] + 2 m delta max over i of P[v > Bin >= v - i] / i`, with `Bin` of `guesses` trials
/// that succeed with probability `e^eps / (1 + e^eps)`.
fn p_value(m: u64, guesses: u64, correct: u64, epsilon: f64, delta: f64) -> f64 {
    let success = 1.0 / (1.0 + (-epsilon).exp());
    let at_least = binomial_at_least(correct, guesses, success);
    if delta == 0.0 || correct == 0 {
        return at_least.min(1.0);
    }
    let near = largest_mean_below(correct, guesses, success);
    (at_least + 2.0 * real(m) * delta * near).min(1.0)
}

/// Largest mean of the densities at `correct - 1, ..., correct - i` over all `i`.
///
/// The density rises towards its mode and falls after it, so the mean falls for good once a term
/// is below it.
fn largest_mean_below(correct: u64, guesses: u64, success: f64) -> f64 {
    let density = |k: u64| binomial_density(k, guesses, success);
    // Far above the mode densities vanish in a double; the first that does not is looked for
    // between the mode and here. What is skipped adds nothing to the sum.
    let mut at = correct - 1;
    if density(at) < f64::MIN_POSITIVE {
        let (mut seen, mut unseen) = (0, at);
        while unseen - seen > 1 {
            let middle = seen + (unseen - seen) / 2;
            let vanished =
                density(middle) < f64::MIN_POSITIVE && real(middle) > success * real(guesses);
            if vanished { unseen = middle } else { seen = middle }
        }
        at = seen;
    }
    let (mut term, mut sum, mut best) = (density(at), 0.0, 0.0);
    loop {
        sum += term;
        let mean = sum / real(correct - at);
        if mean > best {
            best = mean;
        } else if term < best {
            return best;
        }
        if at == 0 {
            return best;
        }
        // P[k - 1] / P[k] = k (1 - p) / ((n - k + 1) p).
        term *= real(at) * (1.0 - success) / (real(guesses - at + 1) * success);
        at -= 1;
    }
}

/// The score whose step has the largest ratio of rates, less its standard error (Katz et al. 1978,
/// with halves added), on either side.
fn most_promising(roc: &Roc) -> f64 {
    let (n_in, n_out) = (real(roc.n_members()), real(roc.n_non_members()));
    let promise = |hits: f64, of: f64, errors: f64, among: f64| {
        let (hits, of, errors, among) = (hits + 0.5, of + 1.0, errors + 0.5, among + 1.0);
        let variance = 1.0 / hits - 1.0 / of + 1.0 / errors - 1.0 / among;
        (hits / of / errors * among).ln() - 2.0 * variance.max(0.0).sqrt()
    };
    let mut best = (f64::NEG_INFINITY, f64::INFINITY);
    for (score, tp, fp) in roc.steps() {
        let (tp, fp) = (real(tp), real(fp));
        let here = promise(tp, n_in, fp, n_out).max(promise(n_out - fp, n_out, n_in - tp, n_in));
        if here > best.0 {
            best = (here, score);
        }
    }
    best.1
}

/// The largest number found, from zero upwards, at which `reached` still fails, for a condition
/// that holds from some number on.
fn lowest_root(reached: impl Fn(f64) -> bool) -> f64 {
    let mut high = 1.0;
    while !reached(high) && high < EPSILON_MAX {
        high *= 2.0;
    }
    let mut low = 0.0;
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if reached(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    low
}

/// Mixes an id with a seed so that every bit depends on every bit.
fn mixed(id: u64, seed: u64) -> u64 {
    finish(id ^ finish(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// The finisher of SplitMix64 (Steele, Lea and Flood 2014).
pub(crate) fn finish(mut mixed: u64) -> u64 {
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// No audit of fewer than 10^300 records proves more.
const EPSILON_MAX: f64 = 1024.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Closed form: all of `r` guesses right refutes every epsilon with `q^r < alpha`.
    #[test]
    fn perfect_guesses_have_a_closed_form() {
        for (r, alpha) in [(10_u64, 0.05), (50, 0.05), (50, 0.01), (1000, 0.05)] {
            let q = f64::powf(alpha, 1.0 / real(r));
            let expected = (q / (1.0 - q)).ln();
            let found = one_run_epsilon(r, r, r, 0.0, alpha).unwrap();
            assert!((found - expected).abs() < 1e-9, "{r}: {found} is not {expected}");
        }
        assert_eq!(one_run_epsilon(4, 4, 4, 0.0, 0.05).unwrap(), 0.0);
        assert_eq!(one_run_epsilon(100, 100, 50, 1e-5, 0.05).unwrap(), 0.0);
        assert_eq!(one_run_epsilon(100, 0, 0, 0.0, 0.05).unwrap(), 0.0);
    }

    /// The running mean against the definition, also where the first densities vanish.
    #[test]
    fn largest_mean_equals_the_slow_definition() {
        for (r, v, q) in
            [(20, 12, 0.5), (100, 98, 0.73), (1000, 600, 0.5), (3000, 2990, 0.5), (500, 1, 0.9)]
        {
            let (mut sum, mut best) = (0.0, 0.0_f64);
            for i in 1..=v {
                sum += binomial_density(v - i, r, q);
                best = best.max(sum / real(i));
            }
            let found = largest_mean_below(v, r, q);
            assert!((found - best).abs() <= 1e-9 * best, "{r} {v}: {found:e} is not {best:e}");
        }
    }

    #[test]
    fn counts_that_do_not_fit_are_refused() {
        assert!(one_run_epsilon(10, 11, 5, 0.0, 0.05).is_err());
        assert!(one_run_epsilon(10, 5, 6, 0.0, 0.05).is_err());
        assert!(one_run_epsilon(10, 5, 5, -0.1, 0.05).is_err());
        assert!(one_run_epsilon(10, 5, 5, 0.0, 0.0).is_err());
        assert!(one_run_p_value(10, 5, 5, f64::NAN, 0.0).is_err());
        let scores = [0.0, 1.0];
        assert!(one_run_audit(&scores[..], &[true], &[1], 0.0, 0.05).is_err());
        assert!(one_run_audit(&scores[..], &[true, false], &[], 0.0, 0.05).is_err());
        assert!(one_run_audit(&scores[..], &[true, false], &[3], 0.0, 0.05).is_err());
    }

    #[test]
    fn an_audit_takes_ties_in_the_worst_order_and_pays_for_its_grid() {
        let coins: Vec<bool> = (0..200).map(|at| at % 2 == 0).collect();
        let flat = vec![0.5; 200];
        assert_eq!(one_run_audit(&flat, &coins, &[100], 0.0, 0.05).unwrap().correct, 0);
        let told: Vec<f64> = coins.iter().map(|&coin| f64::from(u8::from(coin))).collect();
        let one = one_run_audit(&told, &coins, &[200], 0.0, 0.05).unwrap();
        let two = one_run_audit(&told, &coins, &[200, 100], 0.0, 0.05).unwrap();
        assert_eq!((one.correct, two.correct, two.guesses), (200, 200, 200));
        assert!(two.epsilon < one.epsilon && two.alpha_each == 0.025);
    }

    #[test]
    fn gaussian_privacy_of_known_points() {
        assert_eq!(gdp_mu(0.5, 0.5), 0.0);
        assert!((gdp_mu(0.025, 0.025) - 2.0 * 1.959_963_984_540_054).abs() < 1e-12);
        assert_eq!(gdp_epsilon(0.0, 1e-5), 0.0);
        assert_eq!(gdp_epsilon(1.0, 0.0), f64::INFINITY);
        // Dong, Roth and Su, section 2.3: delta of 1-GDP at epsilon 1 is 0.1269.
        assert!((gdp_epsilon(1.0, 0.126_936_737_507) - 1.0).abs() < 1e-6);
        assert!((dp_epsilon(0.1, 0.1, 0.0) - 9.0_f64.ln()).abs() < 1e-12);
        assert_eq!(dp_epsilon(0.5, 0.6, 0.0), 0.0);
    }

    #[test]
    fn a_threshold_is_measured_where_it_was_not_chosen() {
        let ids: Vec<u64> = (0..4000).collect();
        let members: Vec<bool> = ids.iter().map(|id| id % 2 == 0).collect();
        // One member in five stands out.
        let scores: Vec<f64> = ids.iter().map(|id| if id % 10 == 0 { 1.0 } else { 0.0 }).collect();
        let found = threshold_epsilon(&scores, &members, &ids, 7, 0.0, 0.05).unwrap();
        assert!(found.epsilon > 3.0 && found.threshold == 1.0, "{found:?}");
        let mut order = ids.clone();
        order.reverse();
        let pick = |id: &u64| usize::try_from(*id).unwrap();
        let reversed: Vec<f64> = order.iter().map(|id| scores[pick(id)]).collect();
        let members: Vec<bool> = order.iter().map(|id| members[pick(id)]).collect();
        let again = threshold_epsilon(&reversed, &members, &order, 7, 0.0, 0.05).unwrap();
        assert_eq!(again, found);
        assert!(threshold_epsilon(&scores, &members, &ids[..9], 7, 0.0, 0.05).is_err());
    }
}
