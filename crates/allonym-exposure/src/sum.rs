//! A sum that does not depend on the order of its terms.

/// Exact running sum of finite doubles: the total is the rounded true sum, in whatever order and
/// grouping the terms came.
///
/// Non-overlapping partial sums after Shewchuk, "Adaptive precision floating-point arithmetic"
/// (1997).
#[derive(Clone, Debug, Default)]
pub(crate) struct ExactSum {
    /// From the smallest to the largest, no two with overlapping digits.
    partials: Vec<f64>,
}

impl ExactSum {
    pub(crate) fn add(&mut self, term: f64) {
        let mut carried = term;
        let mut kept = 0;
        for at in 0..self.partials.len() {
            let partial = self.partials[at];
            let (large, small) =
                if carried.abs() < partial.abs() { (partial, carried) } else { (carried, partial) };
            carried = large + small;
            let lost = small - (carried - large);
            if lost != 0.0 {
                self.partials[kept] = lost;
                kept += 1;
            }
        }
        self.partials.truncate(kept);
        self.partials.push(carried);
    }

    pub(crate) fn merge(&mut self, other: &ExactSum) {
        for &partial in &other.partials {
            self.add(partial);
        }
    }

    pub(crate) fn total(&self) -> f64 {
        let mut rest = self.partials.iter().rev().copied();
        let Some(mut total) = rest.next() else { return 0.0 };
        for partial in rest.by_ref() {
            let rounded = total + partial;
            let lost = partial - (rounded - total);
            total = rounded;
            if lost == 0.0 {
                continue;
            }
            // A half that was rounded to even goes the other way if what follows has its sign.
            if let Some(next) = rest.next()
                && (next > 0.0) == (lost > 0.0)
                && next != 0.0
            {
                let up = total + 2.0 * lost;
                if up - total == 2.0 * lost {
                    total = up;
                }
            }
            break;
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(terms: &[f64]) -> f64 {
        let mut sum = ExactSum::default();
        terms.iter().for_each(|&term| sum.add(term));
        sum.total()
    }

    #[test]
    fn what_plain_addition_loses_is_kept() {
        assert_eq!(sum(&[]), 0.0);
        assert_eq!(sum(&[1e100, 1.0, -1e100]), 1.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        // Half a unit in the last place, and a trifle more: it must round up.
        assert_eq!(sum(&[1.0, f64::EPSILON / 2.0, 1e-40]), 1.0 + f64::EPSILON);
        assert_eq!(sum(&[1.0, f64::EPSILON / 2.0]), 1.0);
    }

    proptest! {
        #[test]
        fn order_and_grouping_do_not_matter(
            mut terms in proptest::collection::vec(-1e12..1e12_f64, 0..40),
            cut in 0..40_usize,
        ) {
            let forward = sum(&terms);
            let cut = cut.min(terms.len());
            let (mut left, mut right) = (ExactSum::default(), ExactSum::default());
            terms[..cut].iter().for_each(|&term| left.add(term));
            terms[cut..].iter().for_each(|&term| right.add(term));
            left.merge(&right);
            prop_assert_eq!(left.total(), forward);
            terms.reverse();
            prop_assert_eq!(sum(&terms), forward);
        }
    }
}
