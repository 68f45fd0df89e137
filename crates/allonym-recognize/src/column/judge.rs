//! Which entity a column is, of all it may be.

use super::cell::Trait;
use super::evidence::{Neighbours, mean_score, percent, thousands, weigh_header, weigh_values};
use super::form::Form;
use super::sight::Sight;
use super::sketch::shape_shown;
use super::{
    ColumnKind, ColumnProfile, Coverage, EntityCount, Judgement, TableColumn, chance, number, ratio,
};
use crate::{EntityId, Group, RuleSet};
use std::cmp::Ordering;

/// Judges all columns of a table together (neighbours inform each other).
///
/// `rules` must be the ones the profiles were observed with
/// ([`Recognizer::rules`](crate::Recognizer::rules)). One judgement per column, in order; a column
/// without cells is judged by its header.
///
/// # Panics
/// If a profile counts findings of an entity that `rules` does not have.
#[must_use]
pub fn judge(rules: &RuleSet, columns: &[TableColumn<'_>]) -> Vec<Judgement> {
    let sights: Vec<Sight<'_>> = columns.iter().map(|column| Sight::of(rules, column)).collect();
    let alone: Vec<Vec<Candidate>> =
        sights.iter().map(|sight| candidates(rules, sight, Neighbours::default())).collect();
    let people: Vec<bool> = alone.iter().map(|of| is_about_people(rules, of)).collect();
    let names: Vec<bool> = alone.iter().map(|of| is_name(rules, of)).collect();
    let name_at = |index: Option<usize>| index.and_then(|i| names.get(i)).is_some_and(|name| *name);
    sights
        .iter()
        .enumerate()
        .map(|(index, sight)| {
            let others =
                people.iter().enumerate().filter(|&(other, about)| other != index && *about);
            let neighbours = Neighbours {
                people: others.count(),
                name_beside: name_at(index.checked_sub(1)) || name_at(index.checked_add(1)),
            };
            conclude(rules, sight, candidates(rules, sight, neighbours))
        })
        .collect()
}

/// An entity a column may be.
struct Candidate {
    entity: EntityId,
    probability: f64,
    /// Filled cells that look so.
    support: u64,
    reasons: Vec<String>,
    /// Only a check digit speaks for it.
    by_check: bool,
}

/// Everything the column may be, most probable first.
fn candidates(rules: &RuleSet, sight: &Sight<'_>, neighbours: Neighbours) -> Vec<Candidate> {
    if sight.kind == ColumnKind::Boolean {
        return Vec::new();
    }
    let ids = (0..=u16::MAX).map(EntityId).take(rules.entities().len());
    let possible = ids.filter(|id| !sight.float || Form::of(rules.entity(*id)).takes_fractions());
    let by_header: Vec<_> =
        possible.map(|id| (id, weigh_header(rules, sight, id, neighbours))).collect();
    let mut found = Vec::new();
    for (id, header) in &by_header {
        let others = by_header.iter().filter(|(other, _)| other != id);
        let rival = others.map(|(_, weight)| weight.probability).fold(0.0, f64::max);
        let values = weigh_values(rules, sight, *id, neighbours, rival);
        let probability = 1.0 - (1.0 - header.probability) * (1.0 - values.probability);
        if probability >= PROBABILITY_MIN {
            found.push(Candidate {
                entity: *id,
                probability,
                support: header.support.max(values.support),
                reasons: header.reasons.iter().chain(&values.reasons).cloned().collect(),
                by_check: values.by_check && header.probability < PROBABILITY_MIN,
            });
        }
    }
    share_among_equals(&mut found);
    found.sort_by(|a, b| by_probability(rules, a, b));
    found
}

/// Most probable first; of equals the more identifying, then the one of no country, then by name.
fn by_probability(rules: &RuleSet, a: &Candidate, b: &Candidate) -> Ordering {
    let (left, right) = (rules.entity(a.entity), rules.entity(b.entity));
    b.probability
        .total_cmp(&a.probability)
        .then_with(|| left.group.cmp(&right.group))
        .then_with(|| right.countries.is_empty().cmp(&left.countries.is_empty()))
        .then_with(|| left.name.cmp(&right.name))
}

/// Entities with the same check cannot be told apart by it: the more there are, the less sure is
/// each that only values speak for.
fn share_among_equals(found: &mut [Candidate]) {
    let best = found.iter().map(|candidate| candidate.probability).fold(0.0, f64::max);
    let equal =
        |candidate: &Candidate| candidate.by_check && candidate.probability >= best - EQUALS_WITHIN;
    let equals = found.iter().filter(|candidate| equal(candidate)).count();
    if equals < 2 {
        return;
    }
    let factor = 0.6 + 0.4 / number(u64::try_from(equals).unwrap_or(u64::MAX));
    for candidate in found.iter_mut().filter(|candidate| equal(candidate)) {
        candidate.probability *= factor;
    }
}

fn conclude(rules: &RuleSet, sight: &Sight<'_>, candidates: Vec<Candidate>) -> Judgement {
    let profile = sight.profile;
    let filled = profile.filled();
    let mut candidates = candidates.into_iter().peekable();
    let best = candidates.next_if(|candidate| candidate.probability >= DECISION);
    let second = candidates.next();
    let named = |candidate: &Candidate| {
        (rules.entity(candidate.entity).name.clone(), shown(candidate.probability))
    };
    let free_text = best.is_none() && is_free_text(rules, sight);
    let found = cells_found(rules, profile);
    let reason = match &best {
        Some(candidate) => candidate.reasons.join("; "),
        None if free_text && found > 0 => format!(
            "free text with findings in at least {} of {} cells",
            percent(ratio(found, filled)),
            thousands(filled)
        ),
        None if free_text => format!("free text, {} cells", thousands(filled)),
        None if filled == 0 => {
            "no value to judge by and no header that names personal data".to_owned()
        }
        None if sight.counter => "whole numbers that count rows".to_owned(),
        None => "neither header nor values point to personal data".to_owned(),
    };
    let shape = profile
        .shapes
        .most_common()
        .filter(|&(_, cells)| cells >= SHAPE_CELLS_MIN)
        .and_then(|(shape, _)| shape_shown(shape));
    Judgement {
        group: best.as_ref().map(|candidate| rules.entity(candidate.entity).group),
        confidence: best.as_ref().map_or(0.0, |candidate| shown(candidate.probability)),
        coverage: Coverage::of(best.as_ref().map_or(found, |candidate| candidate.support), filled),
        entity: best.as_ref().map(|candidate| named(candidate).0),
        runner_up: second.as_ref().map(named),
        reason,
        free_text,
        entities: findings(rules, sight),
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
    if sight.kind != ColumnKind::Text || filled == 0 || sight.float {
        return false;
    }
    let found = cells_found(rules, profile);
    if profile.words.mean() >= TEXT_WORDS_MEAN_MIN {
        return found > 0 || !sight.labels;
    }
    let codes = profile.share(Trait::HasDigit) > 0.8
        && (profile.share(Trait::HasLetter) < 0.3 || profile.words.mean() < CODE_WORDS_MEAN_MAX);
    if codes {
        return ratio(found, filled) >= TEXT_FOUND_CODES_MIN && !sight.integer
            || has_sure_findings(rules, profile);
    }
    profile.words.mean() >= TEXT_WORDS_INSIDE_MIN && found > 0
        || ratio(found, filled) >= TEXT_FOUND_MIN
}

/// Findings among codes that no code is taken for by accident: codes look like telephone numbers
/// now and then, and one in ten has somebody's check digit.
fn has_sure_findings(rules: &RuleSet, profile: &ColumnProfile) -> bool {
    profile.tallies.iter().any(|(id, tally)| {
        let patterns = rules.definition(*id).patterns.iter();
        let accident = patterns.map(chance).filter(|chance| *chance < 0.5).fold(0.0, f64::max);
        mean_score(tally) >= TEXT_SCORE_SURE
            && rules.entity(*id).group != Group::Quasi
            && ratio(tally.cells, profile.filled()) >= (3.0 * accident).max(TEXT_FOUND_MIN)
    })
}

/// Cells with findings that would have to be treated in a text, of the most frequent entity.
fn cells_found(rules: &RuleSet, profile: &ColumnProfile) -> u64 {
    let treated = |id: EntityId| {
        let entity = rules.entity(id);
        Form::of(entity).by_values() && entity.group != Group::Quasi
    };
    let found =
        profile.tallies.iter().filter(|(id, _)| treated(**id)).map(|(_, tally)| tally.cells);
    found.max().unwrap_or(0)
}

/// Findings inside cells, most frequent first.
fn findings(rules: &RuleSet, sight: &Sight<'_>) -> Vec<EntityCount> {
    if !matches!(sight.kind, ColumnKind::Text | ColumnKind::Other) {
        return Vec::new();
    }
    let counted = sight.profile.tallies.iter().filter(|(_, tally)| tally.cells > 0);
    let mut found: Vec<EntityCount> = counted
        .map(|(id, tally)| EntityCount {
            entity: rules.entity(*id).name.clone(),
            cells: tally.cells,
            spans: tally.spans,
        })
        .collect();
    found.sort_by(|a, b| b.cells.cmp(&a.cells).then_with(|| a.entity.cmp(&b.entity)));
    found
}

fn is_about_people(rules: &RuleSet, candidates: &[Candidate]) -> bool {
    candidates.first().is_some_and(|best| {
        let entity = rules.entity(best.entity);
        let form = Form::of(entity);
        let personal = matches!(form, Form::BirthDate | Form::Age) || entity.name == "GENDER";
        best.probability >= 0.6 && (entity.group == Group::Direct || personal)
    })
}

fn is_name(rules: &RuleSet, candidates: &[Candidate]) -> bool {
    candidates.first().is_some_and(|best| {
        best.probability >= DECISION && Form::of(rules.entity(best.entity)) == Form::Name
    })
}

#[expect(clippy::cast_possible_truncation, reason = "a probability needs no more than 24 bits")]
fn shown(probability: f64) -> f32 {
    probability.clamp(0.0, 1.0) as f32
}

/// A column is what is at least as probable as not.
const DECISION: f64 = 0.5;
/// Candidates below are not named as runner-up.
const PROBABILITY_MIN: f64 = 0.05;
/// Probabilities that close are equal.
const EQUALS_WITHIN: f64 = 0.05;
/// Fewer equal shapes could describe a single person.
const SHAPE_CELLS_MIN: u64 = 10;
/// Words on average that make a text.
const TEXT_WORDS_MEAN_MIN: f64 = 5.0;
/// Words on average from which any finding is treated in place.
const TEXT_WORDS_INSIDE_MIN: f64 = 2.5;
/// Words on average of codes.
const CODE_WORDS_MEAN_MAX: f64 = 1.5;
/// Share of cells with findings from which shorter texts are treated in place; the same for codes.
const TEXT_FOUND_MIN: f64 = 0.01;
const TEXT_FOUND_CODES_MIN: f64 = 0.2;
/// Mean score of findings that a code is not taken for by accident.
const TEXT_SCORE_SURE: f64 = 0.85;
