//! Evidence for one entity: what the header says, what the values say.

use super::cell::Trait;
use super::form::Form;
use super::heading::{STRENGTH_ENDS, STRENGTH_WHOLE};
use super::sight::Sight;
use super::{SCORE_COUNTED, SCORE_UNITS, Tally, number, ratio};
use crate::{EntityId, Group, RuleSet};

/// Evidence for an entity, from one side.
#[derive(Default)]
pub(super) struct Weight {
    pub(super) probability: f64,
    /// Filled cells that look so.
    pub(super) support: u64,
    pub(super) reasons: Vec<String>,
    /// Only a check digit speaks for it.
    pub(super) by_check: bool,
}

impl Weight {
    fn new(probability: f64, support: u64, reason: String) -> Weight {
        Weight { probability, support, reasons: vec![reason], by_check: false }
    }

    /// The stronger of two.
    fn or(self, other: Weight) -> Weight {
        if other.probability > self.probability { other } else { self }
    }
}

/// What the other columns say.
#[derive(Clone, Copy, Default)]
pub(super) struct Neighbours {
    /// Other columns that are about people.
    pub(super) people: usize,
    /// A column of names stands on either side.
    pub(super) name_beside: bool,
}

/// What the header says, and how the values go with it.
pub(super) fn weigh_header(
    rules: &RuleSet,
    sight: &Sight<'_>,
    id: EntityId,
    neighbours: Neighbours,
) -> Weight {
    let Some(strength) = sight.heading.strength(id) else { return Weight::default() };
    let entity = rules.entity(id);
    let form = Form::of(entity);
    let filled = sight.profile.filled();
    let mut reasons = vec![format!("header `{}`", sight.heading.shown())];
    let doubtful = sight.heading.of_property(strength)
        || form == Form::Date && sight.heading.of_bookkeeping()
        || form == Form::Name && sight.heading.of_thing();
    if filled == 0 {
        reasons.push("no value to judge by".to_owned());
        let probability = if doubtful { HEADER_DOUBTFUL } else { strength * HEADER_ALONE };
        return Weight { probability, reasons, ..Weight::default() };
    }
    let tally = sight.profile.tally(id);
    let matched = ratio(tally.whole, filled);
    let (plausible, like) = form.plausibility(sight, entity.group);
    let like = like.max(matched);
    // Row ids have the form of many numbers.
    let sure = mean_score(&tally) >= f64::from(SCORE_COUNTED);
    let by_form = if sure || !sight.counter { matched.sqrt() } else { 0.0 };
    let mut probability = HEADER_PROBABILITY * strength_weight(strength) * plausible.max(by_form);
    if form == Form::Name {
        probability *= name_doubt(sight, neighbours, &mut reasons);
    }
    if doubtful && (matched < 0.5 || !sure || form == Form::Date) {
        probability *= 0.3;
    }
    // An address on the web has its form or is none; a passport number may have one of a country
    // that no rule knows.
    let decided = form == Form::Pattern && entity.group == Group::Quasi && form_decides(rules, id);
    if matched < 0.05 && decided {
        probability *= 0.4;
    }
    if probability > 0.2 {
        reasons.push(if form == Form::Pattern && matched < 0.05 {
            "cells could be identifiers and have no form that is known".to_owned()
        } else {
            format!("{} of {} cells look so", percent(like), thousands(filled))
        });
    }
    Weight { probability, support: cells_of(like, filled), reasons, by_check: false }
}

/// What the values say without the header.
///
/// `rival` is the probability, by the header, of the likeliest other entity: it speaks against what
/// only looks suggest.
pub(super) fn weigh_values(
    rules: &RuleSet,
    sight: &Sight<'_>,
    id: EntityId,
    neighbours: Neighbours,
    rival: f64,
) -> Weight {
    let form = Form::of(rules.entity(id));
    let nothing =
        sight.profile.filled() == 0 || sight.typed_date() > 0.0 || sight.float || !form.by_values();
    if nothing {
        return Weight::default();
    }
    let mut looks = match form {
        Form::Name => names_alone(sight, neighbours),
        Form::Address => addresses_alone(sight),
        Form::Phone => phones_alone(sight, &sight.profile.tally(id)),
        _ => Weight::default(),
    };
    looks.probability *= 1.0 - 0.6 * rival;
    if sight.heading.of_thing() || sight.heading.of_property(0.0) {
        looks.probability *= 0.5;
    }
    looks.or(weigh_matches(rules, sight, id, form))
}

/// Evidence of the rules' patterns and checks.
fn weigh_matches(rules: &RuleSet, sight: &Sight<'_>, id: EntityId, form: Form) -> Weight {
    if sight.profile.share(Trait::Date) > 0.5 {
        return Weight::default();
    }
    let tally = sight.profile.tally(id);
    let mut weight = weigh_form(sight, &tally);
    // Checks of passwords tell chosen from random characters, not one identifier from another.
    if form != Form::Handle {
        weight = weight.or(weigh_checks(rules, sight, id));
    }
    weight.support = weight.support.max(tally.whole);
    if sight.heading.strength(id).is_some() {
        return weight;
    }
    if sight.integer && form == Form::Phone || sight.counter {
        weight.probability *= 0.1;
    } else if (sight.heading.of_property(0.0) || sight.heading.of_goods())
        && mean_score(&tally) < 0.9
    {
        weight.probability *= 0.5;
    }
    weight
}

/// What cells that have the form of an entity's rules say.
fn weigh_form(sight: &Sight<'_>, tally: &Tally) -> Weight {
    let filled = sight.profile.filled();
    let score = mean_score(tally);
    let share = ratio(tally.whole, filled);
    let dominance = ((share - DOMINANCE_MIN) / (DOMINANCE_FULL - DOMINANCE_MIN)).clamp(0.0, 1.0);
    let one = if score >= f64::from(SCORE_COUNTED) {
        // Two cells that agree are surer than one; more are not independent.
        1.0 - (1.0 - score) * (1.0 - score)
    } else {
        score * 0.5
    };
    let reason = format!("{} of {} cells have the form", percent(share), thousands(filled));
    Weight::new(dominance * one, tally.whole, reason)
}

/// What passing the checks of an entity's rules says, of the distinct cells that were held against
/// all rules.
fn weigh_checks(rules: &RuleSet, sight: &Sight<'_>, id: EntityId) -> Weight {
    let witnesses = &sight.profile.witnesses;
    let (mut passed, mut chance, mut score) = (0u64, 0f64, 0f64);
    for satisfied in witnesses.values() {
        let mut any = false;
        for rule in satisfied {
            let rule = &rules.rules()[usize::from(rule.0)];
            if rule.entity == id {
                let pattern = &rules.definition(id).patterns[rule.pattern];
                chance = chance.max(super::chance(pattern));
                score = score.max(pattern.score_plain().into());
                any = true;
            }
        }
        passed += u64::from(any);
    }
    if passed == 0 {
        return Weight::default();
    }
    let seen = u64::try_from(witnesses.len()).unwrap_or(u64::MAX);
    let chance = chance.clamp(CHANCE_MIN, 1.0 - CHANCE_MIN);
    let share = ratio(passed, seen).min(1.0 - CHANCE_MIN);
    if share <= chance {
        return Weight::default();
    }
    // Chernoff's bound on the chance of so many passes, against as many tries as there are rules.
    let divergence =
        share * (share / chance).ln() + (1.0 - share) * ((1.0 - share) / (1.0 - chance)).ln();
    let surprise = (number(seen) * divergence / CHECK_NATS_FULL).min(1.0).powi(2);
    // A check that one text in two passes says little, however many pass it.
    let bits = -chance.log2();
    let telling = (bits / CHECK_BITS_FULL).min(1.0);
    let excess = ((share - chance) / (1.0 - chance) / CHECK_EXCESS_FULL).min(1.0).powi(2);
    // Of entities whose checks all pass, the one of surer form and rarer check is likelier.
    let form = 0.85 + 0.1 * score + 0.05 * (bits / CHECK_BITS_SURE).min(1.0);
    let reason = format!(
        "{} of {} distinct cells pass the check ({} would by chance)",
        percent(ratio(passed, seen)),
        thousands(seen),
        percent(chance),
    );
    let probability = CHECK_PROBABILITY * form * surprise * telling * excess;
    let support = cells_of(share, sight.profile.filled());
    Weight { by_check: true, ..Weight::new(probability, support, reason) }
}

/// Names without a header that says so.
fn names_alone(sight: &Sight<'_>, neighbours: Neighbours) -> Weight {
    let profile = sight.profile;
    let filled = profile.filled();
    let (given, surname) = (profile.share(Trait::GivenName), profile.share(Trait::Surname));
    let shaped = profile.share(Trait::NameLoose) > 0.9
        && profile.share(Trait::NameCased) > 0.6
        && profile.share(Trait::LegalForm) < 0.2
        && profile.words.mean() < NAME_WORDS_MEAN_MAX
        && !sight.labels
        && sight.distinct >= 3;
    if !shaped {
        return Weight::default();
    }
    let support = cells_of(profile.share(Trait::NameLoose), filled);
    let hold = |share: f64, what: &str| {
        format!("{} of {} cells hold a common {what}", percent(share), thousands(filled))
    };
    let mut weight = Weight::default();
    if given >= NAMES_SEEN_MIN {
        let probability = (0.5 + (given - NAMES_SEEN_MIN)).min(0.9);
        weight = Weight::new(probability, support, hold(given, "given name"));
    }
    let common = surname.max(given);
    let various = sight.distinct >= 8 || sight.distinct_share() > 0.3;
    if neighbours.people >= 2 && common >= NAMES_AMONG_PEOPLE_MIN && various {
        let reason = hold(common, "name, among columns about people");
        weight = weight.or(Weight::new(0.6, support, reason));
    }
    if neighbours.name_beside && common >= NAMES_BESIDE_MIN && various {
        let reason = hold(common, "name, beside a column of names");
        weight = weight.or(Weight::new((0.6 + common).min(0.85), support, reason));
    }
    weight
}

/// Street addresses without a header that says so.
fn addresses_alone(sight: &Sight<'_>) -> Weight {
    let share = sight.profile.share(Trait::StreetNumber);
    let numbered = sight.profile.share(Trait::AddressLike);
    if share < 0.3 || share + numbered < 1.0 || sight.labels {
        return Weight::default();
    }
    let filled = sight.profile.filled();
    let reason =
        format!("{} of {} cells have a street and a number", percent(share), thousands(filled));
    Weight::new(0.9 * share.max(0.6), cells_of(share, filled), reason)
}

/// Telephone numbers of countries no rule knows, without a header that says so.
fn phones_alone(sight: &Sight<'_>, tally: &Tally) -> Weight {
    let profile = sight.profile;
    let filled = profile.filled();
    let share = profile.share(Trait::PhonePunctuated);
    let known = ratio(tally.whole.min(tally.cells), filled);
    let marked = profile.share(Trait::PhoneMarked).max(known);
    let others = profile.tallies.values().any(|other| other != tally && other.whole * 2 > filled);
    let plain = share >= 0.9
        && marked >= PHONES_MARKED_MIN
        && profile.chars.mean() >= PHONE_CHARS_MEAN_MIN
        && sight.distinct_share() > 0.3
        && !others;
    if !plain {
        return Weight::default();
    }
    let reason = format!(
        "{} of {} cells are punctuated like telephone numbers",
        percent(share),
        thousands(filled)
    );
    Weight::new((0.5 + 0.4 * marked) * share, cells_of(share, filled), reason)
}

/// How far a header that ends with `name` is to be trusted to mean a person.
fn name_doubt(sight: &Sight<'_>, neighbours: Neighbours, reasons: &mut Vec<String>) -> f64 {
    if !sight.heading.leaves_open_whose_name() {
        return 1.0;
    }
    let profile = sight.profile;
    let common = profile.share(Trait::GivenName).max(profile.share(Trait::Surname));
    if common >= NAMES_COMMON_MIN {
        reasons.push(format!("{} hold a common name", percent(common)));
        return 1.0;
    }
    if neighbours.people > 0 {
        reasons.push("beside other columns about people".to_owned());
        return 0.85;
    }
    let full = profile.share(Trait::NameFull).min(profile.share(Trait::NameCased));
    if full >= 0.6 && sight.distinct_share() > 0.5 && profile.share(Trait::LegalForm) < 0.1 {
        return 0.6;
    }
    0.3
}

/// Whether one of the entity's rules is sure of a cell by its form alone.
fn form_decides(rules: &RuleSet, id: EntityId) -> bool {
    rules
        .definition(id)
        .patterns
        .iter()
        .any(|pattern| pattern.pattern.value.is_none() && pattern.score_plain() >= SCORE_DECIDES)
}

/// Mean score of the findings that cover a cell; 0 where there is none.
pub(super) fn mean_score(tally: &Tally) -> f64 {
    if tally.whole == 0 {
        return 0.0;
    }
    (wide(tally.score) / SCORE_UNITS / number(tally.whole)).clamp(0.0, 1.0)
}

/// Strength of a header phrase as the weight of its evidence: whole headers and endings count
/// nearly in full, words elsewhere about half.
fn strength_weight(strength: f64) -> f64 {
    if strength >= STRENGTH_WHOLE {
        1.0
    } else if strength >= STRENGTH_ENDS {
        0.85 + 0.15 * (strength - STRENGTH_ENDS) / (STRENGTH_WHOLE - STRENGTH_ENDS)
    } else {
        strength
    }
}

/// `97 %`; between 0 and 1 %, and between 99 and 100 %, with a decimal.
pub(super) fn percent(share: f64) -> String {
    let value = share.clamp(0.0, 1.0) * 100.0;
    if value > 0.0 && value < 0.1 {
        "under 0.1 %".to_owned()
    } else if value > 0.0 && value < 1.0 {
        format!("{value:.1} %")
    } else if value > 99.0 && value < 100.0 {
        format!("{:.1} %", value.min(99.9))
    } else {
        format!("{value:.0} %")
    }
}

/// `1,204,318`.
pub(super) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share in [0, 1] of a count is at most the count"
)]
fn cells_of(share: f64, filled: u64) -> u64 {
    ((share.clamp(0.0, 1.0) * number(filled)).round() as u64).min(filled)
}

#[expect(clippy::cast_precision_loss, reason = "a mean score needs no more than 53 bits")]
fn wide(n: u128) -> f64 {
    n as f64
}

// The probabilities below are estimates, set on the public tables the tests name.

/// A header that says so and values that go with it.
const HEADER_PROBABILITY: f64 = 0.93;
/// A header that says so and no value.
const HEADER_ALONE: f64 = 0.75;
const HEADER_DOUBTFUL: f64 = 0.2;
/// All cells pass a check that would be rare by chance.
const CHECK_PROBABILITY: f64 = 0.97;
/// One column in ten thousand of numbers that are no identifiers, against two hundred rules.
const CHECK_NATS_FULL: f64 = 9.9;
const CHANCE_MIN: f64 = 1e-9;
/// A decimal check digit has 3.3 bits; an IBAN's form and check have more than these.
const CHECK_BITS_FULL: f64 = 3.0;
const CHECK_BITS_SURE: f64 = 14.0;
/// Passing so much more often than by chance is as good as always: real columns hold errors.
const CHECK_EXCESS_FULL: f64 = 0.85;
/// Share of cells that have a form, from which it may be the column's, and from which it is.
const DOMINANCE_MIN: f64 = 0.3;
const DOMINANCE_FULL: f64 = 0.85;
const SCORE_DECIDES: f32 = 0.8;
pub(super) const NAME_WORDS_MEAN_MAX: f64 = 6.5;
/// Share of cells with a common given name that makes names of a column without a header.
const NAMES_SEEN_MIN: f64 = 0.3;
/// Share with a common name in a table with two more columns about people.
const NAMES_AMONG_PEOPLE_MIN: f64 = 0.12;
/// Share with a common name beside a column of names.
const NAMES_BESIDE_MIN: f64 = 0.08;
/// Share with a common name under the header `name`.
const NAMES_COMMON_MIN: f64 = 0.15;
/// Share of cells that begin with `+` or `(`, or are of a known form, from which digits with
/// punctuation are telephone numbers.
const PHONES_MARKED_MIN: f64 = 0.3;
const PHONE_CHARS_MEAN_MIN: f64 = 8.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_said_in_words() {
        for (share, words) in [
            (0.0, "0 %"),
            (0.0001, "under 0.1 %"),
            (0.004, "0.4 %"),
            (0.5, "50 %"),
            (0.9949, "99.5 %"),
            (0.999_99, "99.9 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(percent(share), words);
        }
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_204_318), "1,204,318");
    }

    #[test]
    fn stronger_headers_weigh_more() {
        let weights: Vec<f64> = [0.4, 0.6, 0.7, 0.89, 0.9, 1.0].map(strength_weight).to_vec();
        assert!(weights.is_sorted(), "{weights:?}");
        assert!((weights[5] - 1.0).abs() < 1e-9 && weights[0] < 0.5);
    }

    #[test]
    fn cells_of_a_share_are_at_most_all() {
        assert_eq!(cells_of(1.5, 10), 10);
        assert_eq!(cells_of(0.25, 10), 3);
        assert_eq!(cells_of(0.0, u64::MAX), 0);
    }
}
