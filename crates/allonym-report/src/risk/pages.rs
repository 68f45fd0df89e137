//! Linkage risk for people, and one line a number for spreadsheets.

use super::{Estimate, GateDecision, RiskAttackEvidence, RiskEvidence, SuggestionEvidence};
use crate::document::{Document, Section, State};
use crate::words::{csv_cell, number};

/// Linkage risk as one HTML page that opens offline, in light and dark, on paper and on a phone.
#[must_use]
pub fn risk_html(evidence: &RiskEvidence) -> String {
    document(evidence).html()
}

/// The same as a part of a notebook, its style with it.
#[must_use]
pub fn risk_fragment(evidence: &RiskEvidence) -> String {
    document(evidence).fragment()
}

/// Linkage risk as Markdown (GitHub's tables). Names of strangers are escaped.
#[must_use]
pub fn risk_markdown(evidence: &RiskEvidence) -> String {
    document(evidence).markdown()
}

/// The summary that a terminal shows.
#[must_use]
pub fn risk_text(evidence: &RiskEvidence) -> String {
    document(evidence).text()
}

fn document(evidence: &RiskEvidence) -> Document {
    Document {
        kind: "Linkage risk",
        of: evidence.source.clone(),
        state: match evidence.exit() {
            1 => State::Bad,
            0 if !evidence.gates.is_empty() => State::Good,
            _ => State::Open,
        },
        word: verdict(evidence).to_owned(),
        sentence: evidence.sentence.clone(),
        facts: vec![
            ("Rows", number(evidence.rows)),
            ("Measured", evidence.measured_at.clone()),
            ("Tool", evidence.tool.clone()),
        ],
        limits: evidence.limits.clone(),
        sections: sections(evidence),
    }
}

/// Every number on a line of its own, as CSV (RFC 4180): `what,of,value,low,high`.
///
/// A cell that a spreadsheet would take for a formula gets an apostrophe before it.
#[must_use]
pub fn risk_csv(evidence: &RiskEvidence) -> String {
    let mut text = String::from("what,of,value,low,high\r\n");
    let mut line = |what: &str, of: &str, estimate: Estimate| {
        let number = |number: Option<f64>| number.map_or_else(String::new, |n| n.to_string());
        let cells = [what, of].map(csv_cell);
        let numbers = [estimate.value, estimate.low, estimate.high].map(number);
        text.push_str(&format!("{},{}\r\n", cells.join(","), numbers.join(",")));
    };
    let whole = |count: u64| exact(real(count));
    let classes = &evidence.classes;
    for (what, count) in [
        ("rows", evidence.rows),
        ("classes", classes.count),
        ("k", classes.k),
        ("uniques", classes.uniques),
    ] {
        line(what, "", whole(count));
    }
    line("unique_share", "", exact(classes.unique_share));
    line("highest_risk", "", exact(classes.highest_risk));
    line("average_risk", "", exact(classes.average_risk));
    for column in &evidence.quasi {
        line("distinct", &column.name, whole(column.distinct));
        line("uniques_alone", &column.name, whole(column.uniques_alone));
        if let Some(without) = column.uniques_without {
            line("uniques_without", &column.name, whole(without));
        }
    }
    for column in &evidence.sensitive {
        line("distinct_l", &column.name, whole(column.distinct_l));
        for (what, value) in [
            ("entropy_l", Some(column.entropy_l)),
            ("recursive_c", column.recursive_c),
            ("t_equal", Some(column.t_equal)),
            ("t_ordered", column.t_ordered),
            ("alpha", Some(column.alpha)),
            ("beta", Some(column.beta)),
            ("enhanced_beta", Some(column.enhanced_beta)),
            ("delta", Some(column.delta)),
        ] {
            if let Some(value) = value {
                line(what, &column.name, exact(value));
            }
        }
        line("certain_rows", &column.name, whole(column.certain_rows));
    }
    if let Some(sample) = &evidence.sample {
        line("right_matches", "", sample.right_matches);
        line("population_uniques", "", sample.population_uniques);
        line("population_unique_share", "", sample.population_unique_share);
        line("expected_hits", "", exact(sample.expected_hits));
        line("likely_k", "", sample.likely_k);
    }
    if let Some(population) = &evidence.population {
        if let Some(k) = population.k {
            line("k_map", "", whole(k));
        }
        line("presence_low", "", exact(population.presence_low));
        line("presence_high", "", exact(population.presence_high));
    }
    for set in evidence.unique_sets.iter().flat_map(|sets| &sets.sets) {
        line("unique_set", &set.columns.join(" + "), exact(set.share));
    }
    for attack in &evidence.attacks {
        line(
            &format!("attack_{}", attack.attack),
            attack.secret.as_deref().unwrap_or(""),
            attack.risk,
        );
    }
    for gate in &evidence.gates {
        let what = format!("gate_{}_{}", gate.gate, gate.decision.word());
        line(&what, gate.of.as_deref().unwrap_or(""), gate.found);
    }
    text
}

fn verdict(evidence: &RiskEvidence) -> &'static str {
    match evidence.exit() {
        1 => "A LIMIT IS BROKEN",
        7 => "UNDECIDED",
        _ if evidence.gates.is_empty() => "MEASURED",
        _ => "LIMITS HOLD",
    }
}

fn sections(evidence: &RiskEvidence) -> Vec<Section> {
    let mut all = Vec::new();
    if !evidence.warnings.is_empty() {
        let notes = evidence.warnings.clone();
        all.push(Section { notes, ..Section::new("warnings", "To know", &[], Vec::new()) });
    }
    if !evidence.gates.is_empty() {
        let rows = evidence.gates.iter().map(|gate| {
            let sign = match gate.decision {
                GateDecision::Pass => "\u{2714}",
                GateDecision::Fail => "\u{2716}",
                GateDecision::Undecided => "?",
            };
            vec![
                gate.gate.replace('_', " "),
                gate.of.clone().unwrap_or_else(|| "–".to_owned()),
                short(gate.limit),
                estimated(gate.found, short),
                format!("{sign} {}", gate.decision.word()),
            ]
        });
        let header = ["limit", "of", "is", "found", "and so"];
        all.push(Section::new("gates", "Limits", &header, rows.collect()));
    }
    all.push(alike(evidence));
    let rows = evidence.quasi.iter().map(|column| {
        vec![
            column.name.clone(),
            column.kind.clone(),
            number(column.distinct),
            number(column.nulls),
            share_of(column.uniques_alone, evidence.rows),
            column.uniques_without.map_or_else(|| "–".to_owned(), |n| share_of(n, evidence.rows)),
        ]
    });
    let header = ["column", "kind", "distinct", "nulls", "alone by it", "alone without it"];
    all.push(Section::new(
        "quasi",
        "Columns an outsider is taken to know",
        &header,
        rows.collect(),
    ));
    if !evidence.sensitive.is_empty() {
        all.push(sensitive(evidence));
    }
    all.extend(sample(evidence));
    all.extend(population(evidence));
    if let Some(sets) = &evidence.unique_sets {
        let rows = sets
            .sets
            .iter()
            .map(|set| vec![set.columns.join(", "), number(set.uniques), percent(set.share)]);
        let mut section = Section::new(
            "sets",
            "Smallest sets of columns that single people out",
            &["columns", "rows alone", "share"],
            rows.collect(),
        );
        section.notes.push(format!(
            "Sets that leave at least {} of the rows alone; {} sets were measured, all of up to {} \
             columns that hold none of those found.",
            percent(sets.share),
            number(sets.measured),
            sets.complete_to
        ));
        all.push(section);
    }
    if !evidence.attacks.is_empty() {
        all.push(attacks(evidence));
    }
    if let Some(suggestion) = &evidence.suggestion {
        all.push(suggested(suggestion));
    }
    all
}

fn alike(evidence: &RiskEvidence) -> Section {
    let classes = &evidence.classes;
    let rows = classes.sizes.iter().filter(|size| size.classes > 0).map(|size| {
        let what = match size.to {
            Some(to) if to == size.from => number(to),
            Some(to) => format!("{} to {}", number(size.from), number(to)),
            None => format!("{} or more", number(size.from)),
        };
        vec![what, number(size.classes), number(size.rows), share_of(size.rows, evidence.rows)]
    });
    Section {
        notes: vec![format!(
            "{} classes; the smallest has {} rows (k). Whoever links a row by guessing among those \
             alike is right in {} of all cases, in {} at the worst.",
            number(classes.count),
            number(classes.k),
            percent(classes.average_risk),
            percent(classes.highest_risk)
        )],
        ..Section::new(
            "alike",
            "Rows that are alike",
            &["rows alike", "classes", "rows", "share of rows"],
            rows.collect(),
        )
    }
}

fn sensitive(evidence: &RiskEvidence) -> Section {
    let rows = evidence.sensitive.iter().map(|column| {
        vec![
            column.name.clone(),
            number(column.distinct_l),
            short(column.entropy_l),
            column.recursive_c.map_or_else(|| "–".to_owned(), short),
            short(column.t_equal),
            column.t_ordered.map_or_else(|| "–".to_owned(), short),
            short(column.alpha),
            short(column.beta),
            short(column.enhanced_beta),
            short(column.delta),
            share_of(column.certain_rows, evidence.rows),
        ]
    });
    Section {
        notes: vec![
            "The worst class counts. Rows certain: everybody alike has the same value, so that \
             belonging gives it away."
                .to_owned(),
        ],
        ..Section::new(
            "sensitive",
            "What a class gives away",
            &[
                "column",
                "l",
                "entropy l",
                "c",
                "t equal",
                "t ordered",
                "alpha",
                "beta",
                "enhanced beta",
                "delta",
                "rows certain",
            ],
            rows.collect(),
        )
    }
}

fn sample(evidence: &RiskEvidence) -> Option<Section> {
    let sample = evidence.sample.as_ref()?;
    let rows = vec![
        vec![
            "chance that the match of a single row is right".to_owned(),
            estimated(sample.right_matches, percent),
        ],
        vec![
            "rows that are alone in the population".to_owned(),
            estimated(sample.population_uniques, |n| format!("{n:.0}")),
        ],
        vec![
            "their share of all rows".to_owned(),
            estimated(sample.population_unique_share, percent),
        ],
        vec!["expected share of right guesses".to_owned(), percent(sample.expected_hits)],
        vec![
            "people who are like a single row".to_owned(),
            estimated(sample.likely_k, |n| format!("{n:.0}")),
        ],
    ];
    Some(Section {
        notes: vec![format!(
            "If the rows were drawn at random from {} people ({} of them). Right matches: Skinner and \
             Elliot (2002). Population uniques: Pitman's law, fitted (Hoshino, 2001); they hold where \
             classes grow as that law has it. Right guesses and people alike: Benedetti and Franconi \
             (1998).",
            number(sample.population),
            percent(sample.fraction)
        )],
        ..Section::new("sample", "As a sample of a population", &["what", "estimate"], rows)
    })
}

fn population(evidence: &RiskEvidence) -> Option<Section> {
    let told = evidence.population.as_ref()?;
    let k = told.k.map_or_else(|| "–".to_owned(), number);
    let between = |low, high| format!("{} to {}", percent(low), percent(high));
    let rows = vec![
        vec!["people".to_owned(), number(told.people)],
        vec!["fewest people a row is like (k-map)".to_owned(), k],
        vec!["rows that one person is like".to_owned(), number(told.rows_of_one)],
        vec!["rows that nobody is like".to_owned(), number(told.rows_absent)],
        vec!["rows in classes with more rows than people".to_owned(), number(told.rows_over)],
        vec!["expected share of right guesses".to_owned(), percent(told.expected_hits)],
        vec![
            "part of a class of people that is in the data (delta-presence)".to_owned(),
            between(told.presence_low, told.presence_high),
        ],
    ];
    Some(Section::new("population", "Against the population", &["what", "found"], rows))
}

fn attacks(evidence: &RiskEvidence) -> Section {
    let rows = evidence.attacks.iter().map(|attack| {
        vec![
            attack_words(attack),
            number(attack.attempts),
            estimated(attack.success, percent),
            estimated(attack.control, percent),
            estimated(attack.baseline, percent),
            estimated(attack.risk, percent),
        ]
    });
    Section { notes: vec![
            "Risk is what the table adds: how much more often an attack is right on people it was \
             made from than on people it was not, of what could be added. Its interval is that of two \
             exact ones that hold together. Where an attack is not better than guessing, it says \
             nothing."
                .to_owned(),
        ], ..Section::new("attacks", "Attacks", &["attack", "attempts", "right", "on strangers", "by guessing", "risk"], rows.collect()) }
}

/// What was attempted, in words.
fn attack_words(attack: &RiskAttackEvidence) -> String {
    match (attack.attack.as_str(), &attack.secret) {
        ("single_out", _) => format!("singling out by {}", attack.known.join(", ")),
        ("link", _) => {
            format!("linking {} with {}", attack.known.join(", "), attack.other.join(", "))
        }
        (_, Some(secret)) => format!("guessing {secret}"),
        (other, None) => other.to_owned(),
    }
}

fn suggested(suggestion: &SuggestionEvidence) -> Section {
    let rows = suggestion
        .columns
        .iter()
        .map(|column| vec![column.name.clone(), column.change.clone(), percent(column.loss)]);
    let note = if suggestion.reached {
        format!(
            "Every row that stays has at least {} others like it (k = {}). {} rows have to be left \
             out; {} of the information goes. {} ways were looked at; another may lose less.",
            number(suggestion.k.saturating_sub(1)),
            number(suggestion.k),
            number(suggestion.rows_left_out),
            percent(suggestion.loss),
            number(suggestion.looked_at)
        )
    } else {
        format!("There are fewer rows than {}: nothing reaches it.", number(suggestion.target_k))
    };
    Section {
        notes: vec![note],
        code: suggestion.reached.then(|| suggestion.policy.clone()),
        ..Section::new(
            "suggestion",
            "A way to the target",
            &["column", "change", "of its information goes"],
            rows.collect(),
        )
    }
}

fn exact(value: f64) -> Estimate {
    Estimate { value: Some(value), low: None, high: None }
}

fn estimated(estimate: Estimate, form: impl Fn(f64) -> String) -> String {
    match (estimate.value, estimate.low, estimate.high) {
        (Some(value), Some(low), Some(high)) => {
            format!("{} ({} to {})", form(value), form(low), form(high))
        }
        (Some(value), _, _) => form(value),
        (None, Some(low), Some(high)) => format!("{} to {}", form(low), form(high)),
        _ => "–".to_owned(),
    }
}

fn share_of(part: u64, whole: u64) -> String {
    format!("{} ({})", number(part), percent(real(part) / real(whole.max(1))))
}

/// A share in percent, with two digits that count.
fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent.abs() {
        0.0 => "0 %".to_owned(),
        tiny if tiny < 0.001 => "< 0.001 %".to_owned(),
        small if small < 0.1 => format!("{percent:.3} %"),
        small if small < 10.0 => format!("{percent:.2} %"),
        _ => format!("{percent:.1} %"),
    }
}

fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows stay below 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_keep_the_digits_that_count() {
        for (share, told) in [
            (0.0, "0 %"),
            (0.000_001, "< 0.001 %"),
            (0.000_5, "0.050 %"),
            (0.012_34, "1.23 %"),
            (0.5, "50.0 %"),
            (1.0, "100.0 %"),
        ] {
            assert_eq!(percent(share), told);
        }
        assert_eq!(short(0.25), "0.25");
        assert_eq!(short(5.0), "5");
        let half = Estimate { value: Some(0.5), low: Some(0.4), high: Some(0.6) };
        assert_eq!(estimated(half, short), "0.5 (0.4 to 0.6)");
        assert_eq!(estimated(Estimate::default(), short), "–");
    }
}
