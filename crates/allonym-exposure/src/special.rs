//! Special functions of the metrics, to nearly full double precision.

/// Natural logarithm of the gamma function, for `x > 0`.
///
/// Recurrence up to 15, then Stirling's series (DLMF 5.11.1).
pub(crate) fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0);
    while x < STIRLING_FROM {
        product *= x;
        x += 1.0;
    }
    // ln gamma(x) = ln gamma(x + 1) - ln x.
    (x - 0.5) * x.ln() - x + HALF_LN_TAU + stirling_series(x) - product.ln()
}

/// Regularised incomplete beta function and its complement, `(I_x(a, b), 1 - I_x(a, b))`; both are
/// accurate where they are small. Needs `a > 0`, `b > 0`, `0 <= x <= 1`.
///
/// Continued fraction DLMF 8.17.22, prefactor by Loader's saddle-point expansion (2000).
pub(crate) fn beta_both(a: f64, b: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x >= 1.0 {
        return (1.0, 0.0);
    }
    let y = 1.0 - x;
    // x^a y^b / B(a, b), the shared factor of both tails.
    let factor = a * b / (a + b) * binomial_density_real(a, a + b, x, y);
    if x <= (a + 1.0) / (a + b + 2.0) {
        let below = (factor / a * beta_fraction(a, b, x)).min(1.0);
        (below, 1.0 - below)
    } else {
        let above = (factor / b * beta_fraction(b, a, y)).min(1.0);
        (1.0 - above, above)
    }
}

/// Which tail of a distribution holds the probability asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tail {
    Lower,
    Upper,
}

/// The point of a beta distribution that leaves `probability` in the `tail`.
pub(crate) fn beta_quantile(tail: Tail, probability: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    let mut x = a / (a + b);
    for _ in 0..QUANTILE_STEPS_MAX {
        let (below, above) = beta_both(a, b, x);
        let error = match tail {
            Tail::Lower => below - probability,
            Tail::Upper => probability - above,
        };
        if error > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let density = a * b / (a + b) * binomial_density_real(a, a + b, x, 1.0 - x) / x / (1.0 - x);
        let newton = x - error / density;
        let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
        if (next - x).abs() <= f64::EPSILON * x {
            return next;
        }
        x = next;
    }
    x
}

/// `P[Bin(n, p) = k]`, Loader's saddle-point expansion (2000).
pub(crate) fn binomial_density(k: u64, n: u64, p: f64) -> f64 {
    binomial_density_real(real(k), real(n), p, 1.0 - p)
}

/// `P[Bin(n, p) >= k]`.
pub(crate) fn binomial_at_least(k: u64, n: u64, p: f64) -> f64 {
    match k {
        0 => 1.0,
        k if k > n => 0.0,
        k => beta_both(real(k), real(n - k + 1), p).0,
    }
}

/// Distribution function of the standard normal law.
pub(crate) fn normal_cdf(x: f64) -> f64 {
    if x.abs() < NORMAL_TAIL_FROM {
        0.5 + normal_density(x) * odd_series(x)
    } else if x < 0.0 {
        normal_density(x) * mills(-x)
    } else {
        1.0 - normal_density(x) * mills(x)
    }
}

/// Natural logarithm of [`normal_cdf`], finite far into the lower tail.
pub(crate) fn normal_ln_cdf(x: f64) -> f64 {
    if x > -NORMAL_TAIL_FROM {
        let above = normal_cdf(-x);
        if above < 0.5 { (-above).ln_1p() } else { normal_cdf(x).ln() }
    } else {
        -0.5 * x * x - HALF_LN_TAU + mills(-x).ln()
    }
}

/// The point below which the standard normal law has probability `p`.
///
/// Starts from Abramowitz and Stegun 26.2.23 and takes Newton steps on the logarithm of the tail.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    if p == 0.5 {
        return 0.0;
    }
    let tail = p.min(1.0 - p);
    let t = (-2.0 * tail.ln()).sqrt();
    let above = t
        - ((0.010_328 * t + 0.802_853) * t + 2.515_517)
            / (((0.001_308 * t + 0.189_269) * t + 1.432_788) * t + 1.0);
    let mut x = -above;
    for _ in 0..4 {
        let ln_cdf = normal_ln_cdf(x);
        let slope = (-0.5 * x * x - HALF_LN_TAU - ln_cdf).exp();
        x -= (ln_cdf - tail.ln()) / slope;
    }
    if p < 0.5 { x } else { -x }
}

/// Natural logarithm of the density of the standard normal law.
pub(crate) fn normal_ln_density(x: f64) -> f64 {
    -0.5 * x * x - HALF_LN_TAU
}

/// Natural logarithm of the part of the density of Student's t law with `nu` degrees of freedom
/// that does not depend on the point.
pub(crate) fn student_ln_factor(nu: f64) -> f64 {
    ln_gamma(0.5 * (nu + 1.0)) - ln_gamma(0.5 * nu) - 0.5 * (nu * std::f64::consts::PI).ln()
}

/// Natural logarithm of the distribution function of Student's t law (DLMF 8.17 with its relation
/// to the incomplete beta function).
pub(crate) fn student_ln_cdf(t: f64, nu: f64) -> f64 {
    let square = t * t;
    // The smaller of the two arguments of the beta function is computed, never subtracted.
    let tail = if square < nu {
        0.5 * beta_both(0.5, 0.5 * nu, square / (nu + square)).1
    } else {
        0.5 * beta_both(0.5 * nu, 0.5, nu / (nu + square)).0
    };
    if t <= 0.0 { tail.ln() } else { (-tail).ln_1p() }
}

/// A count as a number; counts of records lie far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "no count of records in memory reaches 2^53")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}

/// A length as a number.
pub(crate) fn size(length: usize) -> f64 {
    real(length as u64)
}

fn normal_density(x: f64) -> f64 {
    normal_ln_density(x).exp()
}

/// `(cdf(x) - 1/2) / density(x)`, a series of positive terms (DLMF 7.6.2 in other letters).
fn odd_series(x: f64) -> f64 {
    let square = x * x;
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    loop {
        odd += 2.0;
        term *= square / odd;
        let next = sum + term;
        if next == sum {
            return sum;
        }
        sum = next;
    }
}

/// Mills' ratio, upper tail over density, for `x >= 2`: Laplace's continued fraction (DLMF 7.9.2),
/// from the inside out.
fn mills(x: f64) -> f64 {
    let depth = if x > 6.0 { 30 } else { 120 };
    let inner = (1..=depth).rev().fold(x, |inner, k| x + f64::from(k) / inner);
    1.0 / inner
}

/// Lentz's evaluation of the continued fraction of the incomplete beta function.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let guard = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut numerator = 1.0;
    let mut denominator = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut value = denominator;
    let mut m = 0.0;
    loop {
        m += 1.0;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for coefficient in [even, odd] {
            denominator = 1.0 / guard(1.0 + coefficient * denominator);
            numerator = guard(1.0 + coefficient / numerator);
            change = denominator * numerator;
            value *= change;
        }
        if (change - 1.0).abs() <= f64::EPSILON || m > FRACTION_STEPS_MAX {
            return value;
        }
    }
}

/// Binomial density with real arguments, `gamma(n+1) / gamma(k+1) / gamma(n-k+1) p^k q^(n-k)`.
fn binomial_density_real(k: f64, n: f64, p: f64, q: f64) -> f64 {
    if p <= 0.0 {
        return if k == 0.0 { 1.0 } else { 0.0 };
    }
    if q <= 0.0 {
        return if k == n { 1.0 } else { 0.0 };
    }
    if k == 0.0 {
        return (n * if p < 0.5 { (-p).ln_1p() } else { q.ln() }).exp();
    }
    if k == n {
        return (n * if q < 0.5 { (-q).ln_1p() } else { p.ln() }).exp();
    }
    let rest = n - k;
    let corrections = stirling_error(n) - stirling_error(k) - stirling_error(rest);
    let exponent = corrections - deviance(k, n * p) - deviance(rest, n * q);
    exponent.exp() * (n / (std::f64::consts::TAU * k * rest)).sqrt()
}

/// `ln gamma(x + 1)` less Stirling's formula for it.
fn stirling_error(x: f64) -> f64 {
    if x < STIRLING_FROM {
        ln_gamma(x + 1.0) - (x + 0.5) * x.ln() + x - HALF_LN_TAU
    } else {
        stirling_series(x)
    }
}

fn stirling_series(x: f64) -> f64 {
    let inverse = 1.0 / (x * x);
    let series = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0];
    series.iter().rev().fold(0.0, |sum, term| sum * inverse + term) / x
}

/// `x ln(x / mean) + mean - x` without cancellation where the two are near (Loader 2000).
fn deviance(x: f64, mean: f64) -> f64 {
    let difference = x - mean;
    if difference.abs() >= 0.1 * (x + mean) {
        return x * (x / mean).ln() - difference;
    }
    let ratio = difference / (x + mean);
    let mut sum = difference * ratio;
    let mut power = 2.0 * x * ratio;
    let mut odd = 1.0;
    loop {
        power *= ratio * ratio;
        odd += 2.0;
        let next = sum + power / odd;
        if next == sum {
            return sum;
        }
        sum = next;
    }
}

/// `ln sqrt(2 pi)`.
const HALF_LN_TAU: f64 = 0.918_938_533_204_672_8;
/// From here on five terms of Stirling's series are exact to double precision.
const STIRLING_FROM: f64 = 15.0;
/// Beyond it the continued fraction is used, below it the series.
const NORMAL_TAIL_FROM: f64 = 2.0;
/// Keeps Lentz's method off zero.
const TINY: f64 = 1e-300;
/// The fraction needs about the square root of the larger argument in steps.
const FRACTION_STEPS_MAX: f64 = 100_000.0;
/// Bisection alone ends within 1,100 halvings of a double; Newton within ten.
const QUANTILE_STEPS_MAX: usize = 1_200;

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, relative: f64) {
        let error = (found - expected).abs();
        assert!(
            error <= relative * expected.abs() + f64::MIN_POSITIVE,
            "{found:e} is not {expected:e}"
        );
    }

    #[test]
    fn gamma_of_known_points() {
        close(ln_gamma(0.5), 0.5 * std::f64::consts::PI.ln(), 1e-14);
        assert!(ln_gamma(1.0).abs() < 1e-14);
        close(ln_gamma(11.0), 3_628_800_f64.ln(), 1e-14);
        // 100! of its decimal expansion, 9.332621544394415e157.
        close(ln_gamma(101.0), 9.332_621_544_394_415_f64.ln() + 157.0 * 10_f64.ln(), 1e-14);
    }

    /// Percentage points of the normal law (Abramowitz and Stegun, table 26.5, and its tails by
    /// the asymptotic series 26.2.12).
    #[test]
    fn normal_law_of_known_points() {
        close(normal_quantile(0.975), 1.959_963_984_540_054, 1e-14);
        close(normal_quantile(0.95), 1.644_853_626_951_472_2, 1e-14);
        close(normal_quantile(1e-10), -6.361_340_902_404_056, 1e-13);
        close(normal_cdf(-1.0), 0.158_655_253_931_457_05, 1e-14);
        close(normal_cdf(2.5), 0.993_790_334_674_223_8, 1e-14);
        close(normal_cdf(-6.0), 9.865_876_450_377e-10, 1e-12);
        close(normal_ln_cdf(-40.0), -804.608_442_013_753_7, 1e-13);
        close(normal_ln_cdf(3.0), -0.001_350_809_964_748_202_2, 1e-12);
        assert!(normal_ln_cdf(40.0).abs() < 1e-300);
    }

    #[test]
    fn quantile_and_distribution_undo_each_other() {
        for p in [1e-300, 1e-12, 0.001, 0.2, 0.499, 0.5, 0.7, 0.999_999] {
            close(normal_cdf(normal_quantile(p)), p, 1e-11);
        }
        for (a, b) in [(1.0, 1.0), (0.5, 3.0), (17.0, 984.0), (90_000.0, 10_001.0), (3.0, 1e6)] {
            for p in [0.001, 0.025, 0.5, 0.975] {
                close(beta_both(a, b, beta_quantile(Tail::Lower, p, a, b)).0, p, 1e-9);
                close(beta_both(a, b, beta_quantile(Tail::Upper, p, a, b)).1, p, 1e-9);
            }
        }
    }

    #[test]
    fn binomial_tails_are_sums_of_the_density() {
        for (n, p) in [(1_u64, 0.5), (12, 0.3), (60, 0.93), (400, 0.01)] {
            let density: Vec<f64> = (0..=n).map(|k| binomial_density(k, n, p)).collect();
            close(density.iter().sum(), 1.0, 1e-13);
            for k in 0..=n {
                let at_least: f64 = density.iter().rev().take(usize_of(n - k) + 1).rev().sum();
                close(binomial_at_least(k, n, p), at_least, 1e-11);
            }
        }
        close(binomial_density(5, 10, 0.5), 252.0 / 1024.0, 1e-14);
    }

    /// Closed forms for one, two and three degrees of freedom.
    #[test]
    fn student_of_closed_forms() {
        let pi = std::f64::consts::PI;
        for t in [-30.0_f64, -2.0, -0.5, 0.0, 0.3, 1.0, 7.0] {
            close(student_ln_cdf(t, 1.0).exp(), 0.5 + t.atan() / pi, 1e-12);
            close(student_ln_cdf(t, 2.0).exp(), 0.5 + 0.5 * t / (2.0 + t * t).sqrt(), 1e-11);
            let density = (student_ln_factor(1.0) - (t * t).ln_1p()).exp();
            close(density, 1.0 / (pi * (1.0 + t * t)), 1e-13);
        }
    }

    fn usize_of(n: u64) -> usize {
        usize::try_from(n).unwrap()
    }
}
