//! Check digits and other rules a shape alone cannot hold: named, pure, one implementation each.
//!
//! Rule files name a check by its registry name; every check documents the official source of its
//! algorithm.

mod arithmetic;
mod calendar;
mod general;
mod national;

/// A named check of a matched text.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// As rule files name it.
    pub name: &'static str,
    /// Whether the matched text (separators included) passes.
    pub run: fn(&str) -> bool,
    /// Probability that a random text of the right shape passes (1/10 for one decimal check digit).
    pub chance: f64,
}

/// A check by its name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Check> {
    general::CHECKS.iter().chain(national::CHECKS).find(|check| check.name == name)
}

/// Names of all checks, sorted.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> =
        general::CHECKS.iter().chain(national::CHECKS).map(|check| check.name).collect();
    names.sort_unstable();
    names
}
