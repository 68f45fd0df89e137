//! Lower bounds of the ratio of two rates, for comparison with tools that print them.

use crate::interval::{share_high, share_low};
use crate::special::{normal_quantile, real};

/// How the ratio of two shares is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatioBound {
    /// Normal law of the logarithm (Katz et al. 1978); counts at an end are moved by a half.
    KatzLog,
    /// The same with halves added to all counts (Walter 1975).
    AdjustedLog,
    /// Normal law of the cube root (Bailey 1987).
    Bailey,
    /// The logarithm with an inverse hyperbolic sine (Newcombe 2001).
    InverseSinh,
    /// Exact bounds of both shares, half of `alpha` each: the only one that holds for few counts.
    ClopperPearson,
}

/// Lower bound of the ratio of true-positive to false-positive rate at one threshold *fixed
/// beforehand*, wrong in about the share `alpha` of cases.
///
/// Its logarithm is no bound of epsilon where the threshold was chosen on the same records: without
/// any leak the best of many thresholds is positive in most runs. [`crate::threshold_epsilon`]
/// and [`crate::one_run_epsilon`] are.
#[must_use]
pub fn ratio_bound(
    bound: RatioBound,
    (true_positives, n_members): (u64, u64),
    (false_positives, n_non_members): (u64, u64),
    alpha: f64,
) -> f64 {
    if bound == RatioBound::ClopperPearson {
        return share_low(true_positives, n_members, alpha / 2.0)
            / share_high(false_positives, n_non_members, alpha / 2.0);
    }
    let z = normal_quantile(1.0 - alpha);
    let below_all = |count: u64, of: u64| if count == of { real(of) - 0.5 } else { real(count) };
    let (mut hits, of) = (below_all(true_positives, n_members), real(n_members));
    let (mut alarms, among) = (below_all(false_positives, n_non_members), real(n_non_members));
    if bound == RatioBound::AdjustedLog {
        (hits, alarms) = (hits + 0.5, alarms + 0.5);
        let error = 1.0 / hits - 1.0 / (of + 0.5) + 1.0 / alarms - 1.0 / (among + 0.5);
        return hits / (of + 0.5) / alarms * (among + 0.5) * (-z * error.sqrt()).exp();
    }
    if true_positives == 0 {
        return 0.0;
    }
    if false_positives == 0 {
        alarms = if bound == RatioBound::InverseSinh { z * z } else { 0.5 };
    }
    let (misses, passes) = (1.0 - hits / of, 1.0 - alarms / among);
    let (of_hits, of_alarms) = (misses / hits, passes / alarms);
    let ratio = hits / of / alarms * among;
    match bound {
        RatioBound::Bailey => {
            let error = of_hits + of_alarms - z * z * of_hits * of_alarms / 9.0;
            ratio * ((1.0 - z / 3.0 * error.sqrt()) / (1.0 - z * z * of_alarms / 9.0)).powi(3)
        }
        RatioBound::InverseSinh => {
            ratio * (-2.0 * (z / 2.0 * (of_hits + of_alarms).sqrt()).asinh()).exp()
        }
        _ => ratio * (-z * (of_hits + of_alarms).sqrt()).exp(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Katz et al. worked by hand: ln 10 less 1.645 sqrt(1/50 - 1/100 + 1/5 - 1/100).
    #[test]
    fn a_ratio_worked_by_hand() {
        let found = ratio_bound(RatioBound::KatzLog, (50, 100), (5, 100), 0.05);
        assert!((found - 10.0 * (-1.644_853_627 * 0.2_f64.sqrt()).exp()).abs() < 1e-7);
        let exact = ratio_bound(RatioBound::ClopperPearson, (50, 100), (5, 100), 0.05);
        assert!(exact < found && exact > 3.0);
        assert_eq!(ratio_bound(RatioBound::Bailey, (0, 10), (1, 10), 0.05), 0.0);
        assert_eq!(ratio_bound(RatioBound::ClopperPearson, (0, 10), (10, 10), 0.05), 0.0);
    }
}
