//! Weighing headers, values and neighbours.

use super::cell::Trait;
use super::form::Form;
use super::sketch::{SHAPES_SHOWN_MAX, shape_shown};
use super::{
    ColumnKind, ColumnProfile, Coverage, EntityCount, Judgement, SCORE_UNITS, TableColumn, Tally,
    number, ratio,
};
use crate::header::tokens;
use crate::{EntityId, Group, RuleId, RuleSet};
use std::collections::BTreeMap;

/// Judges all columns of a table together (neighbours inform each other).
///
/// `rules` must be the ones the profiles were observed with
/// ([`Recognizer::rules`](crate::Recognizer::rules)). One judgement per column, in order; a column
/// without cells is judged by its header.
#[must_use]
pub fn judge(rules: &RuleSet, columns: &[TableColumn<'_>]) -> Vec<Judgement> {
    let sights: Vec<Sight<'_>> = columns.iter().map(|column| Sight::of(rules, column)).collect();
    let alone: Vec<Vec<Candidate>> =
        sights.iter().map(|sight| candidates(rules, sight, Neighbours::default())).collect();
    let people: Vec<bool> = alone.iter().map(|of| about_people(rules, of)).collect();
    let names: Vec<bool> = alone.iter().map(|of| is_name(rules, of)).collect();
    sights
        .iter()
        .enumerate()
        .map(|(index, sight)| {
            let others =
                people.iter().enumerate().filter(|&(other, &about)| other != index && about);
            let beside = |offset: Option<usize>| {
                offset.and_then(|other| names.get(other)).copied().unwrap_or(false)
            };
            let neighbours = Neighbours {
                people: others.count(),
                name_beside: beside(index.checked_sub(1)) || beside(index.checked_add(1)),
            };
            conclude(rules, sight, candidates(rules, sight, neighbours))
        })
        .collect()
}

/// A column as the judge sees it.
pub(super) struct Sight<'a> {
    pub(super) profile: &'a ColumnProfile,
    kind: ColumnKind,
    name: Option<&'a str>,
    /// Words of the header.
    words: Vec<String>,
    /// What the header points to, with its strength.
    hits: BTreeMap<EntityId, f64>,
    pub(super) distinct: u64,
    /// Whole numbers that are all different and close together: row ids.
    pub(super) counter: bool,
    /// The header ends in an amount, a code, a state of affairs: what stands before is not its value.
    trap_end: bool,
    /// The header begins like a flag or a count.
    trap_start: bool,
}

impl<'a> Sight<'a> {
    fn of(rules: &RuleSet, column: &TableColumn<'a>) -> Sight<'a> {
        let profile = column.profile;
        let words = column.name.map(tokens).unwrap_or_default();
        let mut hits: BTreeMap<EntityId, f64> = column
            .name
            .map(|name| rules.header_hits(name))
            .unwrap_or_default()
            .into_iter()
            .map(|(entity, strength)| (entity, f64::from(strength)))
            .collect();
        if let Some(person) = rules.entity_by_name(PERSON).filter(|_| names_person(&words)) {
            hits.entry(person).or_insert(HEADER_COMPOSED);
        }
        let distinct = profile.distinct.estimate();
        let trap_end = words.last().is_some_and(|word| TRAP_ENDS.contains(&word.as_str()));
        let trap_start = words.first().is_some_and(|word| TRAP_STARTS.contains(&word.as_str()));
        let mut sight = Sight {
            profile,
            kind: column.kind,
            name: column.name,
            words,
            hits,
            distinct,
            counter: false,
            trap_end,
            trap_start,
        };
        sight.counter = sight.is_counter();
        sight
    }

    /// Numbers with fractions, declared or in writing.
    fn float(&self) -> bool {
        self.kind == ColumnKind::Float
            || self.profile.share(Trait::Fraction) > 0.1
                && self.profile.share(Trait::Fraction) + self.profile.share(Trait::Integer) > 0.95
    }

    /// Whole numbers, declared or in writing.
    fn integer(&self) -> bool {
        self.kind == ColumnKind::Integer
            || self.profile.share(Trait::Integer) > 0.98
                && self.profile.share(Trait::LeadingZero) == 0.0
    }

    /// 1 for a column of a date type with cells, else 0.
    pub(super) fn typed_date(&self) -> f64 {
        let typed = matches!(self.kind, ColumnKind::Date | ColumnKind::Timestamp);
        f64::from(u8::from(typed && self.profile.filled() > 0))
    }

    pub(super) fn distinct_share(&self) -> f64 {
        ratio(self.distinct, self.profile.cells).min(1.0)
    }

    /// Whether all whole numbers lie in a range.
    pub(super) fn integers_within(&self, low: i128, high: i128) -> bool {
        self.profile.integers.range.is_some_and(|(min, max)| low <= min && max <= high)
    }

    /// Share of cells that are bare years of a range.
    pub(super) fn years_within(&self, low: u64, high: u64) -> f64 {
        let years = self.integers_within(low.into(), high.into())
            || self.integers_within((low * 10_000).into(), (high * 10_000 + 1_231).into());
        if years { self.profile.share(Trait::Integer) } else { 0.0 }
    }

    fn is_counter(&self) -> bool {
        let cells = self.profile.filled();
        let Some((min, max)) = self.profile.integers.range else { return false };
        let spread = max.saturating_sub(min).saturating_add(1);
        let dense = spread <= i128::from(self.distinct).saturating_mul(COUNTER_GAPS_MAX);
        self.profile.share(Trait::Integer) > 0.98
            && cells >= COUNTER_CELLS_MIN
            && ratio(self.distinct, cells) > 0.9
            && dense
    }

    /// A few labels that repeat.
    fn labels(&self) -> bool {
        self.distinct <= LABELS_MAX && ratio(self.distinct, self.profile.filled()) < 0.05
    }

    /// Whether the header speaks of a property of what a phrase of this strength names: the phrase
    /// of `phone_type` leaves out the word that counts, that of `passport_number` does not.
    fn trap(&self, strength: f64) -> bool {
        self.trap_end && strength < HEADER_ENDS || self.trap_start && strength < HEADER_WHOLE
    }

    fn word_is(&self, list: &[&str]) -> bool {
        self.words.iter().any(|word| list.contains(&word.as_str()))
    }
}

/// Whether a header composes a word for people and one for names: `tenant_name`, `name_of_driver`.
/// Other composed names (`branch_name`) are left to their values.
fn names_person(words: &[String]) -> bool {
    let any = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    any(NAME_ALONE) && any(PEOPLE) && !any(THINGS)
}

/// What the other columns say.
#[derive(Clone, Copy, Default)]
struct Neighbours {
    /// Other columns that are about people.
    people: usize,
    /// A column of names stands on either side.
    name_beside: bool,
}

/// An entity a column may be.
struct Candidate {
    entity: EntityId,
    probability: f64,
    /// Filled cells that look so.
    support: u64,
    reasons: Vec<String>,
}

/// Everything the column may be, most probable first.
fn candidates(rules: &RuleSet, sight: &Sight<'_>, neighbours: Neighbours) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    if sight.kind == ColumnKind::Boolean {
        return found;
    }
    for index in 0..rules.entities().len() {
        let Ok(index) = u16::try_from(index) else { break };
        let entity = EntityId(index);
        if let Some(candidate) = weigh(rules, sight, entity, neighbours) {
            found.push(candidate);
        }
    }
    found.sort_by(|a, b| {
        b.probability
            .total_cmp(&a.probability)
            .then_with(|| rules.entity(a.entity).group.cmp(&rules.entity(b.entity).group))
            .then_with(|| rules.entity(a.entity).name.cmp(&rules.entity(b.entity).name))
    });
    found
}

fn weigh(
    rules: &RuleSet,
    sight: &Sight<'_>,
    id: EntityId,
    neighbours: Neighbours,
) -> Option<Candidate> {
    let entity = rules.entity(id);
    let form = Form::of(entity);
    if sight.float() && !form.takes_fractions() {
        return None;
    }
    let tally = sight.profile.tallies.get(&id).copied().unwrap_or_default();
    let header = weigh_header(sight, id, form, entity.group, &tally, neighbours);
    let values = if form.by_values() && !sight.float() {
        weigh_values(rules, sight, id, form, &tally, neighbours)
    } else {
        Weight::default()
    };
    let probability = 1.0 - (1.0 - header.probability) * (1.0 - values.probability);
    if probability < PROBABILITY_MIN {
        return None;
    }
    let support = header.support.max(values.support);
    let mut reasons = header.reasons;
    reasons.extend(values.reasons);
    Some(Candidate { entity: id, probability, support, reasons })
}

/// Half of the evidence for an entity.
#[derive(Default)]
struct Weight {
    probability: f64,
    support: u64,
    reasons: Vec<String>,
}

fn weigh_header(
    sight: &Sight<'_>,
    id: EntityId,
    form: Form,
    group: Group,
    tally: &Tally,
    neighbours: Neighbours,
) -> Weight {
    let Some(&strength) = sight.hits.get(&id) else { return Weight::default() };
    let name = sight.name.unwrap_or_default();
    let filled = sight.profile.filled();
    let mut reasons = vec![format!("header `{}`", header_shown(name))];
    if filled == 0 {
        reasons.push("no value to judge by".to_owned());
        let vetoed = form == Form::Name && sight.word_is(THINGS) || sight.trap(strength);
        let probability = if vetoed { 0.2 } else { strength * 0.75 };
        return Weight { probability, support: 0, reasons };
    }
    let (mut plausible, mut like) = form.plausibility(sight, group);
    let matched = ratio(tally.whole, filled);
    if matched > like {
        like = matched;
    }
    plausible = plausible.max(matched.sqrt());
    let mut ceiling = HEADER_PROBABILITY;
    if form == Form::Name {
        ceiling *= name_doubt(sight, neighbours, &mut reasons);
    }
    // `phone_type` and `address_id` speak of the thing, and are not it.
    if sight.trap(strength) && matched < 0.5 {
        plausible *= 0.3;
    }
    // When a row was written is nothing about a person.
    if form == Form::Date && sight.word_is(BOOKKEEPING) {
        plausible *= 0.3;
    }
    let support = cells_of(like, filled);
    if plausible > 0.2 {
        if form == Form::Pattern && matched < 0.05 {
            reasons.push("cells could be identifiers but do not have the known form".to_owned());
        } else {
            reasons.push(format!("{} of {} cells look so", percent(like), thousands(filled)));
        }
    }
    Weight { probability: strength_weight(strength) * ceiling * plausible, support, reasons }
}

/// How far a header such as `name` is to be trusted to mean a person.
fn name_doubt(sight: &Sight<'_>, neighbours: Neighbours, reasons: &mut Vec<String>) -> f64 {
    if sight.word_is(THINGS) && !sight.word_is(PEOPLE) {
        return 0.1;
    }
    let common = sight.profile.share(Trait::GivenName).max(sight.profile.share(Trait::Surname));
    let bare = sight.words.len() == 1
        && sight.words.iter().all(|word| NAME_ALONE.contains(&word.as_str()));
    let qualified = sight.words.len() > 1
        && sight.words.last().is_some_and(|word| NAME_ALONE.contains(&word.as_str()))
        && !sight.word_is(PEOPLE);
    if !(bare || qualified) {
        return 1.0;
    }
    if common >= NAMES_COMMON_MIN {
        reasons.push(format!("{} hold a common name", percent(common)));
        return 1.0;
    }
    if neighbours.people > 0 {
        reasons.push("beside other columns about people".to_owned());
        return 0.85;
    }
    let full = sight.profile.share(Trait::NameFull).min(sight.profile.share(Trait::NameCased));
    if full >= 0.6 && sight.distinct_share() > 0.5 && sight.profile.share(Trait::LegalForm) < 0.1 {
        return 0.6;
    }
    0.3
}

fn weigh_values(
    rules: &RuleSet,
    sight: &Sight<'_>,
    id: EntityId,
    form: Form,
    tally: &Tally,
    neighbours: Neighbours,
) -> Weight {
    let filled = sight.profile.filled();
    if filled == 0 || sight.typed_date() > 0.0 {
        return Weight::default();
    }
    let mut weight = match form {
        Form::Name => names_alone(sight, neighbours),
        Form::Address => addresses_alone(sight),
        Form::Phone => phones_alone(sight, tally),
        _ => Weight::default(),
    };
    let matched = weigh_matches(rules, sight, id, form, tally);
    if matched.probability > weight.probability {
        weight = matched;
    }
    // A header that speaks of something else speaks against what only the form suggests.
    let elsewhere = sight.hits.keys().any(|other| *other != id) && !sight.hits.contains_key(&id);
    let weak = matches!(form, Form::Name | Form::Address | Form::Phone);
    if weak && (elsewhere || sight.word_is(THINGS) || sight.trap(0.0)) {
        weight.probability *= 0.5;
    }
    weight
}

/// Evidence of the rules' patterns and checks.
fn weigh_matches(
    rules: &RuleSet,
    sight: &Sight<'_>,
    id: EntityId,
    form: Form,
    tally: &Tally,
) -> Weight {
    let filled = sight.profile.filled();
    if sight.profile.share(Trait::Date) > 0.5 {
        return Weight::default();
    }
    let mut reasons = Vec::new();
    let mut probability = 0.0;
    let mut support = Coverage::of(tally.whole, filled);
    let checked = weigh_checks(rules, sight, id);
    if let Some((by_check, passed, chance)) = checked {
        probability = by_check;
        if passed.share > support.share {
            support = passed;
        }
        reasons.push(format!(
            "{} of {} distinct cells pass the check ({} would by chance)",
            percent(passed.share),
            sight.profile.witnesses.len(),
            percent(chance),
        ));
    }
    if tally.whole == 0 && probability == 0.0 {
        return Weight::default();
    }
    let score = (wide(tally.score) / SCORE_UNITS / number(tally.whole.max(1))).clamp(0.0, 1.0);
    let share = ratio(tally.whole, filled);
    let dominance = ((share - DOMINANCE_MIN) / (DOMINANCE_FULL - DOMINANCE_MIN)).clamp(0.0, 1.0);
    let by_form = if score >= f64::from(super::SCORE_COUNTED) {
        dominance * (1.0 - (1.0 - score) * (1.0 - score))
    } else {
        dominance * score * 0.5
    };
    if by_form > probability {
        probability = by_form;
        reasons = vec![format!("{} of {} cells have the form", percent(share), thousands(filled))];
    }
    let says = sight.hits.contains_key(&id);
    if !says && (sight.integer() && form == Form::Phone || sight.counter) {
        probability *= 0.1;
    } else if !says && (sight.trap(0.0) || sight.word_is(GOODS)) && score < 0.9 {
        probability *= 0.5;
    }
    Weight { probability, support: cells_of(support.share, filled), reasons }
}

/// What passing the checks of an entity's rules says: the probability, the share of distinct cells
/// that pass, and the share that would by chance.
fn weigh_checks(rules: &RuleSet, sight: &Sight<'_>, id: EntityId) -> Option<(f64, Coverage, f64)> {
    let witnesses = &sight.profile.witnesses;
    let of_entity = |rule: &&RuleId| rules.rules()[usize::from(rule.0)].entity == id;
    let (mut passed, mut chance, mut score) = (0u64, 0f64, 0f64);
    for satisfied in witnesses.values() {
        let mut any = false;
        for rule in satisfied.iter().filter(of_entity) {
            let rule = &rules.rules()[usize::from(rule.0)];
            let pattern = &rules.definition(rule.entity).patterns[rule.pattern];
            chance = chance.max(super::chance(pattern));
            score = score.max(pattern.score_plain().into());
            any = true;
        }
        passed += u64::from(any);
    }
    if passed == 0 {
        return None;
    }
    let chance = chance.clamp(CHANCE_MIN, 1.0 - CHANCE_MIN);
    let n = number(u64::try_from(witnesses.len()).unwrap_or(u64::MAX));
    let coverage = Coverage::of(passed, u64::try_from(witnesses.len()).unwrap_or(u64::MAX));
    let share = coverage.share.min(1.0 - CHANCE_MIN);
    if share <= chance {
        return Some((0.0, coverage, chance));
    }
    // Chernoff's bound on the chance of so many passes, against as many tries as there are rules.
    let divergence =
        share * (share / chance).ln() + (1.0 - share) * ((1.0 - share) / (1.0 - chance)).ln();
    let surprise = (n * divergence / CHECK_NATS_FULL).min(1.0).powi(2);
    // A check that one text in two passes says little, however many pass it.
    let bits = (-chance.log2() / CHECK_BITS_FULL).min(1.0);
    let excess = ((share - chance) / (1.0 - chance) / CHECK_EXCESS_FULL).min(1.0);
    // Of entities with the same check the one of better form is likelier.
    let form = 0.9 + 0.1 * score;
    Some((CHECK_PROBABILITY * form * surprise * bits * excess, coverage, chance))
}

/// Names without a header that says so.
fn names_alone(sight: &Sight<'_>, neighbours: Neighbours) -> Weight {
    let profile = sight.profile;
    let filled = profile.filled();
    let (given, surname) = (profile.share(Trait::GivenName), profile.share(Trait::Surname));
    let shaped = profile.share(Trait::NameLoose) > 0.9
        && profile.share(Trait::NameCased) > 0.6
        && profile.share(Trait::LegalForm) < 0.2
        && profile.words.mean() < 6.5
        && !sight.labels()
        && sight.distinct >= 3;
    if !shaped {
        return Weight::default();
    }
    let mut probability = 0.0;
    let mut reasons = Vec::new();
    if given >= NAMES_SEEN_MIN {
        probability = (0.5 + (given - NAMES_SEEN_MIN)).min(0.9);
        reasons.push(format!(
            "{} of {} cells hold a common given name",
            percent(given),
            thousands(filled)
        ));
    }
    let alone = surname.max(given);
    let various = sight.distinct >= 8 || sight.distinct_share() > 0.3;
    if neighbours.people >= 2 && alone >= NAMES_AMONG_PEOPLE_MIN && various && probability < 0.6 {
        probability = 0.6;
        reasons = vec![format!(
            "{} of {} cells hold a common name, among columns about people",
            percent(alone),
            thousands(filled)
        )];
    }
    if neighbours.name_beside && alone >= SURNAMES_BESIDE_MIN && various {
        let beside = (0.6 + alone).min(0.85);
        if beside > probability {
            probability = beside;
            reasons = vec![format!(
                "{} of {} cells hold a common name, beside a column of names",
                percent(alone),
                thousands(filled)
            )];
        }
    }
    Weight { probability, support: cells_of(profile.share(Trait::NameLoose), filled), reasons }
}

/// Street addresses without a header that says so.
fn addresses_alone(sight: &Sight<'_>) -> Weight {
    let share = sight.profile.share(Trait::StreetNumber);
    if share < 0.5 || sight.labels() {
        return Weight::default();
    }
    let filled = sight.profile.filled();
    let reasons = vec![format!(
        "{} of {} cells have a street and a number",
        percent(share),
        thousands(filled)
    )];
    Weight { probability: 0.9 * share, support: cells_of(share, filled), reasons }
}

/// Telephone numbers of countries no rule knows, without a header that says so.
fn phones_alone(sight: &Sight<'_>, tally: &Tally) -> Weight {
    let profile = sight.profile;
    let filled = profile.filled();
    let share = profile.share(Trait::PhonePunctuated);
    let known = ratio(tally.whole, filled).min(ratio(tally.cells, filled));
    let marked = profile.share(Trait::PhoneMarked).max(known);
    let others = profile.tallies.values().any(|other| other != tally && other.whole * 2 > filled);
    let plain = share >= 0.9
        && marked >= PHONES_MARKED_MIN
        && profile.chars.mean() >= 8.0
        && sight.distinct_share() > 0.3
        && !others;
    if !plain {
        return Weight::default();
    }
    let reasons = vec![format!(
        "{} of {} cells are punctuated like telephone numbers",
        percent(share),
        thousands(filled)
    )];
    Weight { probability: (0.5 + 0.4 * marked) * share, support: cells_of(share, filled), reasons }
}

fn conclude(rules: &RuleSet, sight: &Sight<'_>, candidates: Vec<Candidate>) -> Judgement {
    let profile = sight.profile;
    let filled = profile.filled();
    let entities = findings(rules, sight);
    let mut candidates = candidates.into_iter();
    let mut best = candidates.next();
    let mut second = candidates.next();
    if best.as_ref().is_some_and(|candidate| candidate.probability < DECISION) {
        second = best.take();
    }
    let named = |candidate: &Candidate| {
        (rules.entity(candidate.entity).name.clone(), probability_shown(candidate.probability))
    };
    let free_text = best.is_none() && is_free_text(rules, sight);
    let shape = profile
        .shapes
        .most_common(SHAPES_SHOWN_MAX)
        .filter(|&(_, cells)| cells >= SHAPE_CELLS_MIN)
        .and_then(|(shape, _)| shape_shown(shape));
    let found_cells = inside(rules, profile).max().unwrap_or(0);
    let reason = match &best {
        Some(candidate) => candidate.reasons.join("; "),
        None if free_text && found_cells > 0 => format!(
            "free text with findings in at least {} of {} cells",
            percent(ratio(found_cells, filled)),
            thousands(filled)
        ),
        None if free_text => format!("free text, {} cells", thousands(filled)),
        None if filled == 0 => {
            "no value to judge by and no header that names personal data".to_owned()
        }
        None if sight.counter => "whole numbers that count rows".to_owned(),
        None => "neither header nor values point to personal data".to_owned(),
    };
    Judgement {
        group: best.as_ref().map(|candidate| rules.entity(candidate.entity).group),
        confidence: best.as_ref().map_or(0.0, |candidate| named(candidate).1),
        coverage: Coverage::of(
            match &best {
                Some(candidate) => candidate.support,
                None => found_cells,
            },
            filled,
        ),
        entity: best.as_ref().map(|candidate| named(candidate).0),
        runner_up: second.as_ref().map(named),
        reason,
        free_text,
        entities,
        shape,
        cells: profile.cells,
        nulls: profile.nulls,
        distinct: sight.distinct,
    }
}

/// Texts whose findings are to be treated where they stand.
fn is_free_text(rules: &RuleSet, sight: &Sight<'_>) -> bool {
    let profile = sight.profile;
    let filled = profile.filled();
    if sight.kind != ColumnKind::Text || filled == 0 || sight.float() {
        return false;
    }
    let found = inside(rules, profile).max().unwrap_or(0);
    if profile.words.mean() >= TEXT_WORDS_MEAN_MIN {
        return found > 0 || !sight.labels();
    }
    if profile.words.mean() >= TEXT_WORDS_INSIDE_MIN && found > 0 {
        return true;
    }
    let found = ratio(found, filled);
    // Codes look like telephone numbers now and then; what is sure or frequent counts.
    let codes = profile.share(Trait::HasDigit) > 0.8;
    let sure = profile.tallies.values().any(|tally| {
        tally.whole > 0 && wide(tally.score) / SCORE_UNITS / number(tally.whole) >= SCORE_SURE
    });
    let least = if codes && !sure { TEXT_FOUND_CODES_MIN } else { TEXT_FOUND_MIN };
    found >= least && !sight.integer()
}

/// Cells with findings of each entity that would have to be treated in a text.
fn inside<'a>(rules: &'a RuleSet, profile: &'a ColumnProfile) -> impl Iterator<Item = u64> + 'a {
    profile
        .tallies
        .iter()
        .filter(|(id, _)| {
            let entity = rules.entity(**id);
            Form::of(entity).by_values() && entity.group != Group::Quasi
        })
        .map(|(_, tally)| tally.cells)
}

/// Findings inside cells, most frequent first.
fn findings(rules: &RuleSet, sight: &Sight<'_>) -> Vec<EntityCount> {
    if !matches!(sight.kind, ColumnKind::Text | ColumnKind::Other) {
        return Vec::new();
    }
    let mut found: Vec<EntityCount> = sight
        .profile
        .tallies
        .iter()
        .filter(|(_, tally)| tally.cells > 0)
        .map(|(id, tally)| EntityCount {
            entity: rules.entity(*id).name.clone(),
            cells: tally.cells,
            spans: tally.spans,
        })
        .collect();
    found.sort_by(|a, b| b.cells.cmp(&a.cells).then_with(|| a.entity.cmp(&b.entity)));
    found
}

fn about_people(rules: &RuleSet, candidates: &[Candidate]) -> bool {
    candidates.first().is_some_and(|best| {
        let entity = rules.entity(best.entity);
        let personal = matches!(Form::of(entity), Form::BirthDate | Form::Age)
            || ["GENDER", "SEX"].contains(&entity.name.as_str());
        best.probability >= 0.6 && (entity.group == Group::Direct || personal)
    })
}

fn is_name(rules: &RuleSet, candidates: &[Candidate]) -> bool {
    candidates.first().is_some_and(|best| {
        best.probability >= DECISION && Form::of(rules.entity(best.entity)) == Form::Name
    })
}

/// Strength of a header phrase as the weight of its evidence: whole headers and endings count in
/// full, words elsewhere about half.
fn strength_weight(strength: f64) -> f64 {
    if strength >= HEADER_ENDS {
        0.85 + 0.15 * (strength - HEADER_ENDS) / (1.0 - HEADER_ENDS)
    } else {
        strength
    }
}

/// A header for a message: at most [`HEADER_CHARS_MAX`] characters, none of them a control.
fn header_shown(name: &str) -> String {
    let plain = |c: char| if c.is_control() || c == '`' { ' ' } else { c };
    let mut shown: String = name.chars().take(HEADER_CHARS_MAX).map(plain).collect();
    if name.chars().nth(HEADER_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

/// `97 %`; between 0 and 1 %, and between 99 and 100 %, with as many digits as it takes.
fn percent(share: f64) -> String {
    let value = share.clamp(0.0, 1.0) * 100.0;
    if value > 0.0 && value < 0.05 {
        "under 0.1 %".to_owned()
    } else if value > 0.0 && value < 1.0 || value > 99.0 && value < 100.0 {
        format!("{:.1} %", value.min(99.9))
    } else {
        format!("{value:.0} %")
    }
}

/// `1,204,318`.
fn thousands(n: u64) -> String {
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

#[expect(clippy::cast_possible_truncation, reason = "a probability needs no more than 24 bits")]
fn probability_shown(probability: f64) -> f32 {
    probability.clamp(0.0, 1.0) as f32
}

#[expect(clippy::cast_precision_loss, reason = "a mean score needs no more than 53 bits")]
fn wide(n: u128) -> f64 {
    n as f64
}

/// A column is what is at least as probable as not.
const DECISION: f64 = 0.5;
/// Candidates below are not named as runner-up.
const PROBABILITY_MIN: f64 = 0.05;
/// A header that says so and values that go with it.
const HEADER_PROBABILITY: f64 = 0.93;
/// The entity of names.
const PERSON: &str = "PERSON";
/// Strength of a header such as `tenant_name`.
const HEADER_COMPOSED: f64 = 0.85;
/// Strength of a phrase that is the whole header, of one that the header ends with.
const HEADER_WHOLE: f64 = 0.9;
const HEADER_ENDS: f64 = 0.7;
const HEADER_CHARS_MAX: usize = 64;
/// All cells pass a check that would be rare by chance.
const CHECK_PROBABILITY: f64 = 0.97;
/// One column in ten thousand of numbers that are no identifiers, against two hundred rules.
const CHECK_NATS_FULL: f64 = 9.9;
const CHANCE_MIN: f64 = 1e-9;
/// A decimal check digit has 3.3 bits.
const CHECK_BITS_FULL: f64 = 3.0;
/// Passing so much more often than by chance is as good as always: real columns hold errors.
const CHECK_EXCESS_FULL: f64 = 0.6;
/// Share of cells that have a form, from which it may be the column's, and from which it is.
const DOMINANCE_MIN: f64 = 0.3;
const DOMINANCE_FULL: f64 = 0.85;
const SHAPE_CELLS_MIN: u64 = 10;
/// Numbers of a counter lie at most so far apart on average.
const COUNTER_GAPS_MAX: i128 = 8;
const COUNTER_CELLS_MIN: u64 = 5;
/// Labels of a category, at most.
const LABELS_MAX: u64 = 60;
/// Share of cells with a common given name that makes names of a column without a header.
const NAMES_SEEN_MIN: f64 = 0.3;
/// The same in a table with two more columns about people.
const NAMES_AMONG_PEOPLE_MIN: f64 = 0.12;
/// The same under the header `name`.
const NAMES_COMMON_MIN: f64 = 0.15;
/// Share of common names that makes surnames of a column beside a column of names.
const SURNAMES_BESIDE_MIN: f64 = 0.08;
/// Share of cells that begin with `+` or `(`, or are of a known form, from which digits with
/// punctuation are telephone numbers.
const PHONES_MARKED_MIN: f64 = 0.3;
const TEXT_WORDS_MEAN_MIN: f64 = 5.0;
/// Words on average from which any finding is treated in place.
const TEXT_WORDS_INSIDE_MIN: f64 = 2.5;
/// Share of cells with findings from which shorter texts are treated in place; the same for codes.
const TEXT_FOUND_MIN: f64 = 0.01;
const TEXT_FOUND_CODES_MIN: f64 = 0.2;
const SCORE_SURE: f64 = 0.85;

/// Words that mean a name, of a person or anything else.
const NAME_ALONE: &[&str] = &[
    "name",
    "names",
    "nom",
    "noms",
    "nombre",
    "nombres",
    "naam",
    "nome",
    "namn",
    "navn",
    "nimi",
    "nazwa",
    "jmeno",
    "nev",
    "title",
    "label",
    "bezeichnung",
];

/// Words that make a name a person's.
const PEOPLE: &[&str] = &[
    "person",
    "people",
    "customer",
    "client",
    "contact",
    "patient",
    "employee",
    "staff",
    "member",
    "passenger",
    "driver",
    "owner",
    "holder",
    "applicant",
    "student",
    "teacher",
    "tenant",
    "guest",
    "doctor",
    "physician",
    "author",
    "user",
    "buyer",
    "seller",
    "payer",
    "payee",
    "beneficiary",
    "insured",
    "policyholder",
    "cardholder",
    "accountholder",
    "recipient",
    "sender",
    "spouse",
    "child",
    "mother",
    "father",
    "parent",
    "maiden",
    "birth",
    "given",
    "family",
    "first",
    "last",
    "middle",
    "full",
    "sur",
    "legal",
    "preferred",
    "nick",
    "fore",
    "kunde",
    "kunden",
    "kontakt",
    "mitarbeiter",
    "versicherter",
    "inhaber",
    "empfanger",
    "absender",
    "fahrer",
    "patienten",
    "client",
    "salarie",
    "assure",
    "titulaire",
    "cliente",
    "empleado",
    "paciente",
    "titular",
    "asegurado",
    "klant",
    "medewerker",
    "verzekerde",
    "houder",
    "dipendente",
    "paziente",
    "intestatario",
    "agent",
    "manager",
    "broker",
    "director",
    "artist",
    "actor",
    "player",
    "candidate",
    "donor",
    "witness",
    "claimant",
];

/// Words that make a name a thing's.
const THINGS: &[&str] = &[
    "file",
    "filename",
    "product",
    "host",
    "hostname",
    "domain",
    "table",
    "column",
    "field",
    "app",
    "application",
    "event",
    "brand",
    "model",
    "project",
    "package",
    "service",
    "server",
    "device",
    "bucket",
    "category",
    "class",
    "school",
    "bank",
    "branch",
    "street",
    "city",
    "town",
    "country",
    "county",
    "state",
    "region",
    "color",
    "colour",
    "metric",
    "dir",
    "directory",
    "folder",
    "path",
    "plan",
    "role",
    "group",
    "team",
    "dataset",
    "database",
    "schema",
    "variable",
    "function",
    "method",
    "module",
    "store",
    "shop",
    "hotel",
    "restaurant",
    "item",
    "article",
    "book",
    "song",
    "album",
    "track",
    "genre",
    "species",
    "drug",
    "medication",
    "disease",
    "job",
    "task",
    "queue",
    "topic",
    "process",
    "image",
    "font",
    "theme",
    "currency",
    "unit",
    "type",
    "status",
    "company",
    "firm",
    "business",
    "organization",
    "organisation",
    "department",
    "station",
    "airport",
    "port",
    "ship",
    "vessel",
    "building",
    "site",
    "zone",
    "layer",
    "node",
    "cluster",
    "feature",
    "tag",
    "menu",
    "page",
    "section",
    "course",
    "subject",
    "campaign",
    "list",
    "set",
    "key",
    "parameter",
    "property",
    "option",
    "account",
    "index",
    "environment",
    "cell",
    "test",
    "stage",
    "step",
    "rule",
    "policy",
    "code",
    "datei",
    "produkt",
    "firma",
    "firmen",
    "artikel",
    "marke",
    "ort",
    "land",
    "strasse",
    "abteilung",
    "fichier",
    "produit",
    "entreprise",
    "societe",
    "marque",
    "ville",
    "pays",
    "rue",
    "archivo",
    "producto",
    "empresa",
    "marca",
    "ciudad",
    "pais",
    "calle",
    "bestand",
    "bedrijf",
    "merk",
    "plaats",
    "straat",
    "prodotto",
    "azienda",
    "citta",
    "paese",
    "via",
];

/// Last words of headers that make a code, an amount or a state of affairs of what stands before.
const TRAP_ENDS: &[&str] = &[
    "id",
    "ids",
    "key",
    "count",
    "cnt",
    "total",
    "sum",
    "amount",
    "amt",
    "price",
    "cost",
    "fee",
    "rate",
    "ratio",
    "score",
    "pct",
    "percent",
    "flag",
    "type",
    "kind",
    "status",
    "state",
    "date",
    "time",
    "timestamp",
    "ts",
    "at",
    "version",
    "length",
    "len",
    "size",
    "bytes",
    "index",
    "idx",
    "seq",
    "sequence",
    "rank",
    "order",
    "level",
    "verified",
    "valid",
    "confirmed",
    "enabled",
    "active",
    "quantity",
    "qty",
    "hash",
    "checksum",
    "duration",
    "distance",
    "weight",
    "height",
    "lat",
    "lon",
    "latitude",
    "longitude",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "number",
    "code",
    "sku",
    "ean",
    "isbn",
    "invoice",
    "ticket",
    "betrag",
    "anzahl",
    "menge",
    "preis",
    "datum",
    "typ",
    "montant",
    "prix",
    "quantite",
    "importe",
    "precio",
    "cantidad",
    "fecha",
    "bedrag",
    "aantal",
    "prijs",
];

/// First words of headers of flags and counts.
const TRAP_STARTS: &[&str] = &[
    "is", "has", "n", "num", "nb", "count", "total", "max", "min", "avg", "years", "months",
    "days", "hours",
];

/// Words of headers that say when a row was written.
const BOOKKEEPING: &[&str] = &[
    "created",
    "updated",
    "modified",
    "inserted",
    "loaded",
    "processed",
    "exported",
    "imported",
    "synced",
    "changed",
    "create",
    "update",
    "creation",
    "modification",
    "added",
    "timestamp",
    "ts",
    "erstellt",
    "geandert",
    "aangemaakt",
    "gewijzigd",
    "cree",
    "modifie",
    "creado",
    "modificado",
];

/// Words of headers of numbers that are nobody's.
const GOODS: &[&str] = &[
    "order",
    "invoice",
    "product",
    "item",
    "sku",
    "row",
    "line",
    "batch",
    "lot",
    "serial",
    "part",
    "article",
    "artikel",
    "bestellung",
    "rechnung",
    "commande",
    "facture",
    "pedido",
    "factura",
];
