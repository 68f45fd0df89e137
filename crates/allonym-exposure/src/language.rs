//! A9 and A10: scores of texts from a language model's log-probabilities.
//!
//! They prove membership only where it was decided by chance: members and non-members that differ
//! in date or topic are told apart without any leak (Duan et al., arXiv 2402.07841).

use crate::special::size;

/// Mean log-probability of a text's tokens; NaN of none. Larger means more likely a member, as with
/// all scores here.
#[must_use]
pub fn mean_log_probability(log_probabilities: &[f64]) -> f64 {
    log_probabilities.iter().sum::<f64>() / size(log_probabilities.len())
}

/// The mean log-probability for each byte that zlib needs for the text, so that texts that are easy
/// for anybody do not pass for known ones.
///
/// Carlini et al., arXiv 2012.07805. Implementations of zlib differ by a few `bytes`: take all lengths of
/// a comparison from one.
#[must_use]
pub fn zlib_ratio(mean_log_probability: f64, bytes: usize) -> f64 {
    mean_log_probability / size(bytes)
}

/// How much more likely the text becomes with a prefix of non-members, as the ratio of the two mean
/// log-probabilities (`ReCaLL`, Xie et al., arXiv 2406.15968).
#[must_use]
pub fn recall(conditional_mean: f64, mean: f64) -> f64 {
    conditional_mean / mean
}

/// Mean of the lowest `share` of a text's token scores, at least one; NaN of none.
///
/// Of log-probabilities it is Min-K% (Shi et al., arXiv 2310.16789), of
/// [`standardised`] ones Min-K%++ (Zhang et al., arXiv 2404.02936).
#[must_use]
pub fn min_k(token_scores: &[f64], share: f64) -> f64 {
    let mut sorted = token_scores.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let count = crate::roc::whole((share * size(sorted.len())).floor());
    let count = usize::try_from(count).unwrap_or(usize::MAX).clamp(1, sorted.len().max(1));
    mean_log_probability(&sorted[..count.min(sorted.len())])
}

/// A token's log-probability in units of the spread of the whole vocabulary's at its place,
/// from the log-probabilities of every token of the vocabulary; NaN for a token that is not in it.
///
/// Zhang et al., arXiv 2404.02936.
#[must_use]
pub fn standardised(vocabulary: &[f64], token: usize) -> f64 {
    let mean_of = |power: i32| {
        // A token of probability zero adds nothing to a mean.
        let finite = vocabulary.iter().filter(|log| log.is_finite());
        finite.map(|log| log.exp() * log.powi(power)).sum::<f64>()
    };
    let mean = mean_of(1);
    let spread = (mean_of(2) - mean * mean).max(0.0).sqrt();
    vocabulary.get(token).map_or(f64::NAN, |log| (log - mean) / spread)
}

/// Exposure of a planted canary, in bits: `log2` of the number of references that could have been
/// planted in its place, less `log2` of its rank among them by perplexity, lowest first; references
/// that tie go first. NaN without references.
///
/// Carlini et al., arXiv 1802.08232.
#[must_use]
pub fn canary_exposure(perplexity: f64, references: &[f64]) -> f64 {
    if references.is_empty() {
        return f64::NAN;
    }
    let before = references.iter().filter(|reference| **reference <= perplexity).count();
    // Ahead of all references it ranks first; behind all, it ranks with the last.
    let rank = (before + 1).min(references.len());
    size(references.len()).log2() - size(rank).log2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_worked_by_hand() {
        let tokens = [-1.0, -4.0, -2.0, -3.0];
        assert_eq!(mean_log_probability(&tokens), -2.5);
        assert_eq!(min_k(&tokens, 0.5), -3.5);
        assert_eq!(min_k(&tokens, 0.1), -4.0);
        assert_eq!(min_k(&tokens, 1.0), -2.5);
        assert!(min_k(&[], 0.5).is_nan());
        // Two tokens, 3/4 and 1/4: mean and spread of their logarithms by hand.
        let vocabulary = [0.75_f64.ln(), 0.25_f64.ln()];
        let spread = 3_f64.ln() * (0.75_f64 * 0.25).sqrt();
        assert!((standardised(&vocabulary, 0) - 0.25 * 3_f64.ln() / spread).abs() < 1e-12);
        assert!(standardised(&vocabulary, 2).is_nan());
        assert!((recall(-2.0, -4.0) - 0.5).abs() < 1e-15);
        assert_eq!(zlib_ratio(-3.0, 12), -0.25);
    }

    #[test]
    fn exposure_counts_bits() {
        let references = [10.0, 20.0, 30.0, 40.0];
        assert_eq!(canary_exposure(5.0, &references), 2.0);
        assert_eq!(canary_exposure(10.0, &references), 1.0);
        assert_eq!(canary_exposure(99.0, &references), 0.0);
        assert!(canary_exposure(1.0, &[]).is_nan());
    }
}
