//! Check digits and other rules a shape alone cannot hold: named, pure, one implementation each.
//!
//! Rule files name a check by its registry name; every check documents the official source of its
//! algorithm.

pub use general::e164;

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

/// A named check that tells how much of a matched text holds where a longer one does not: of a
/// telephone number and the house number behind it, the telephone number.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// What it comes to for a whole text where no country is known.
    pub check: Check,
    /// Bytes of the matched text that hold, if any do, where the national forms of some countries
    /// (ISO 3166-1 alpha-2, in capitals) count.
    pub run: fn(&str, &[String]) -> Option<usize>,
    /// Nothing holds where no country is known.
    pub needs_country: bool,
}

/// A check by its name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Check> {
    all().find(|check| check.name == name)
}

/// A measure by its name.
#[must_use]
pub fn measure_by_name(name: &str) -> Option<&'static Measure> {
    general::MEASURES.iter().find(|measure| measure.check.name == name)
}

/// Names of all checks, sorted.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = all().map(|check| check.name).collect();
    names.sort_unstable();
    names
}

fn all() -> impl Iterator<Item = &'static Check> {
    let measures = general::MEASURES.iter().map(|measure| &measure.check);
    general::CHECKS.iter().chain(national::CHECKS).chain(measures)
}
