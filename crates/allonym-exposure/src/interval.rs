//! Exact intervals for shares.

use crate::special::{Tail, beta_quantile, normal_quantile, real};

/// An estimate with the ends of its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// The same with all three numbers multiplied.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Interval {
        Interval { value: self.value * factor, low: self.low * factor, high: self.high * factor }
    }
}

/// Two-sided exact interval for a share, `hits` of `trials` at a `confidence` such as 0.95: it
/// covers the true share at least that often, whatever it is. Of no trials it is `[0, 1]`, and the
/// value is NaN.
///
/// Clopper and Pearson (1934), as quantiles of beta laws.
#[must_use]
pub fn clopper_pearson(hits: u64, trials: u64, confidence: f64) -> Interval {
    let tail = (1.0 - confidence) / 2.0;
    let value = real(hits) / real(trials);
    Interval { value, low: share_low(hits, trials, tail), high: share_high(hits, trials, tail) }
}

/// [`clopper_pearson`] for a share of things that come in clusters and so say less than as many that
/// are independent: `trials` is the number of independent ones that would say as much. Of less than
/// one it is `[0, 1]`.
///
/// Korn and Graubard, "Confidence intervals for proportions with small expected number of positive
/// counts estimated from survey data" (1998).
#[must_use]
pub fn korn_graubard(share: f64, trials: f64, confidence: f64) -> Interval {
    if trials.is_nan() || trials < 1.0 || share.is_nan() {
        return Interval { value: share, low: 0.0, high: 1.0 };
    }
    let tail = (1.0 - confidence) / 2.0;
    let hits = share * trials;
    let low =
        if hits > 0.0 { beta_quantile(Tail::Lower, tail, hits, trials - hits + 1.0) } else { 0.0 };
    let high = if hits < trials {
        beta_quantile(Tail::Upper, tail, hits + 1.0, trials - hits)
    } else {
        1.0
    };
    Interval { value: share, low, high }
}

/// Two-sided interval for a share by Wilson's score (1927): shorter than the exact one, and right
/// only on average. For comparison with tools that print it.
#[must_use]
pub fn wilson(hits: u64, trials: u64, confidence: f64) -> Interval {
    let (n, z) = (real(trials), normal_quantile(0.5 + confidence / 2.0));
    let value = real(hits) / n;
    let middle = (value + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (value * (1.0 - value) / n + z * z / (4.0 * n * n)).sqrt();
    // At the ends the two terms are equal but for their rounding.
    let low = if hits == 0 { 0.0 } else { middle - half };
    let high = if hits == trials { 1.0 } else { middle + half };
    Interval { value, low, high }
}

/// Exact lower bound of a share that fails in at most the share `alpha` of cases.
pub(crate) fn share_low(hits: u64, trials: u64, alpha: f64) -> f64 {
    if hits == 0 {
        return 0.0;
    }
    beta_quantile(Tail::Lower, alpha, real(hits), real(trials - hits + 1))
}

/// Exact upper bound of a share that fails in at most the share `alpha` of cases.
pub(crate) fn share_high(hits: u64, trials: u64, alpha: f64) -> f64 {
    if hits == trials {
        return 1.0;
    }
    beta_quantile(Tail::Upper, alpha, real(hits + 1), real(trials - hits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clustered_shares() {
        let exact = clopper_pearson(3, 10, 0.95);
        assert_eq!(korn_graubard(0.3, 10.0, 0.95), exact);
        let wider = korn_graubard(0.3, 4.5, 0.95);
        assert!(wider.low < exact.low && wider.high > exact.high, "{wider:?}");
        let none = korn_graubard(0.0, 2.5, 0.95);
        assert_eq!((none.value, none.low), (0.0, 0.0));
        assert!((none.high - (1.0 - 0.025_f64.powf(1.0 / 2.5))).abs() < 1e-12, "{none:?}");
        assert_eq!(korn_graubard(1.0, 7.0, 0.95).high, 1.0);
        let unknown = korn_graubard(0.0, 0.0, 0.95);
        assert_eq!((unknown.low, unknown.high), (0.0, 1.0));
    }

    /// No hits and only hits have closed forms; 3 of 10 is in Clopper and Pearson's chart and many
    /// textbooks (0.0667, 0.6525).
    #[test]
    fn published_intervals() {
        let none = clopper_pearson(0, 10, 0.95);
        assert_eq!((none.value, none.low), (0.0, 0.0));
        assert!((none.high - (1.0 - 0.025_f64.powf(0.1))).abs() < 1e-14);
        let all = clopper_pearson(10, 10, 0.95);
        assert!((all.low - 0.025_f64.powf(0.1)).abs() < 1e-14);
        assert_eq!(all.high, 1.0);
        let some = clopper_pearson(3, 10, 0.95);
        assert!((some.low - 0.066_739_511_177_73).abs() < 1e-12);
        assert!((some.high - 0.652_452_850_060_01).abs() < 1e-12);
        let wilson = wilson(3, 10, 0.95);
        assert!((wilson.low - 0.107_791_267_406_3).abs() < 1e-12);
        let nothing = clopper_pearson(0, 0, 0.95);
        assert_eq!((nothing.low, nothing.high), (0.0, 1.0));
        assert!(nothing.value.is_nan());
    }
}
