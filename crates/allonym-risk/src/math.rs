//! A few functions and a source of choices that is a function of its seed.

/// Natural logarithm of the gamma function, for `x > 0`: recurrence up to 15, then Stirling's series
/// (DLMF 5.11.1).
pub(crate) fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0);
    while x < 15.0 {
        product *= x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = (1.0 / 12.0
        - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0))))
        / x;
    (x - 0.5) * x.ln() - x + HALF_LN_TAU + series - product.ln()
}

/// A count as a float; exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts of rows stay below 2^53")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}

/// A length as a float.
pub(crate) fn size(length: usize) -> f64 {
    real(length as u64)
}

/// An index as what rows and classes are numbered by.
pub(crate) fn short(index: usize) -> u32 {
    u32::try_from(index).expect("tables have fewer than 2^32 rows")
}

/// An index back.
pub(crate) fn long(index: u32) -> usize {
    usize::try_from(index).expect("32 bits fit into a length")
}

/// A bijection of 64 bits that leaves no pattern (the finalizer of `MurmurHash3`).
pub(crate) fn mixed(mut x: u64) -> u64 {
    x ^= x >> 33;
    x = x.wrapping_mul(0xff51_afd7_ed55_8ccd);
    x ^= x >> 33;
    x = x.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    x ^ (x >> 33)
}

/// Choices that are a function of a seed (`SplitMix64`).
#[derive(Clone, Debug)]
pub(crate) struct Choices(u64);

impl Choices {
    pub(crate) fn new(seed: u64, purpose: u64) -> Choices {
        Choices(mixed(seed) ^ mixed(purpose.wrapping_add(0x9e37_79b9_7f4a_7c15)))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// One of `n`, all alike but for a bias below `n / 2^64`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let product = u128::from(self.next()) * (n as u128);
        usize::try_from(product >> 64).expect("a number below a length")
    }

    /// Some of `n` rows, in order (Floyd's method).
    pub(crate) fn rows(&mut self, count: usize, n: usize) -> Vec<usize> {
        let count = count.min(n);
        let mut chosen = std::collections::BTreeSet::new();
        for last in n - count..n {
            let row = self.below(last + 1);
            if !chosen.insert(row) {
                chosen.insert(last);
            }
        }
        chosen.into_iter().collect()
    }
}

const HALF_LN_TAU: f64 = 0.918_938_533_204_672_7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_of_known_points() {
        assert!((ln_gamma(1.0)).abs() < 1e-13);
        assert!((ln_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-13);
        assert!((ln_gamma(11.0) - 3_628_800_f64.ln()).abs() < 1e-12);
        assert!((ln_gamma(100.5) - 361.435_540_467_777_2).abs() < 1e-10);
    }

    #[test]
    fn rows_are_chosen_once_each() {
        let mut choices = Choices::new(1, 2);
        let rows = choices.rows(50, 60);
        assert_eq!(rows.len(), 50);
        assert!(rows.windows(2).all(|pair| pair[0] < pair[1]) && rows[49] < 60);
        assert_eq!(choices.rows(9, 3), [0, 1, 2]);
        assert!((0..1000).all(|_| choices.below(7) < 7));
    }
}
