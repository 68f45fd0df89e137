//! `allonym eval`.

use crate::arguments::{EvalArguments, OutputFormat};
use crate::scan::source_name;
use crate::session::Session;
use crate::table;
use allonym::{
    Change, EvaluateOptions, Evaluation, Evaluator, Failure, Rates, Reliability, Result, Scored,
    Value, Which, expand,
};
use std::collections::BTreeMap;
use std::path::Path;

pub(crate) fn run(arguments: &EvalArguments, session: &mut Session) -> Result<u8> {
    let options = EvaluateOptions {
        find: arguments.find.options(),
        labels: arguments.labels.as_deref().map(text_of).transpose()?,
        text_field: arguments.text_field.clone(),
        cancel: session.cancel.clone(),
    };
    let baseline = match &arguments.baseline {
        Some(path) => Some(Evaluation::parse(&text_of(path)?, &path.display().to_string())?),
        None => None,
    };
    let mut evaluator = Evaluator::new(&options)?;
    for found in expand(&arguments.paths)?.found {
        evaluator.add_file(&found.input, &source_name(&found), &arguments.read.options())?;
    }
    let evaluation = match &baseline {
        Some(baseline) => evaluator.finish().since(baseline),
        None => evaluator.finish(),
    };
    match session.format {
        OutputFormat::Human => session.data(human(&evaluation).as_bytes())?,
        OutputFormat::Json | OutputFormat::Jsonl => session.data_line(&evaluation.to_json())?,
        _ => {
            let message = "an evaluation is printed for people or as JSON";
            return Err(Failure::new("ALO-U003", 2, message).hint("take --format json"));
        }
    }
    Ok(0)
}

fn text_of(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| {
        let what = format!("cannot read `{}`: {}", path.display(), error.kind());
        Failure::new("ALO-D001", 3, what)
    })
}

fn human(evaluation: &Evaluation) -> String {
    let Evaluation { documents, bytes, min_score, baseline, .. } = evaluation;
    let mut text = format!(
        "{} documents · {} bytes · findings from a score of {min_score}\n",
        table::count(*documents),
        table::count(*bytes),
    );
    let mut header =
        vec!["entity", "marked", "found", "precision", "recall", "F1", "F2", "strict F1", "leaked"];
    if baseline.is_some() {
        header.push("since baseline");
    }
    let changes = baseline.as_ref();
    let mut rows: Vec<Vec<String>> = evaluation
        .entities
        .iter()
        .map(|(name, scored)| row(name, scored, changes.map(|changes| changes.entities.get(name))))
        .collect();
    rows.push(row("all", &evaluation.overall, changes.map(|changes| Some(&changes.overall))));
    text.push_str(&table::render(&header, &rows));
    if evaluation.languages.len() > 1 {
        let rows = evaluation.languages.iter().map(|(name, scored)| row(name, scored, None));
        header.truncate(9);
        header[0] = "language";
        text.push('\n');
        text.push_str(&table::render(&header, &rows.collect::<Vec<_>>()));
    }
    if !evaluation.reliability.is_empty() {
        let rows = evaluation.reliability.iter().map(reliability);
        text.push('\n');
        text.push_str(&table::render(
            &["score", "findings", "mean score", "right"],
            &rows.collect::<Vec<_>>(),
        ));
    }
    let wrong = evaluation.confusion.iter().filter(|pair| pair.gold != pair.found);
    let rows: Vec<Vec<String>> = wrong
        .take(CONFUSION_ROWS)
        .map(|pair| {
            let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "–".to_owned());
            vec![name(&pair.gold), name(&pair.found), table::count(pair.count)]
        })
        .collect();
    if !rows.is_empty() {
        text.push('\n');
        text.push_str(&table::render(&["marked", "taken for", "times"], &rows));
    }
    let left_out = |counts: &BTreeMap<String, u64>| {
        let names = counts.iter().map(|(name, count)| format!("{name} {}", table::count(*count)));
        names.collect::<Vec<_>>().join(", ")
    };
    for (what, counts) in [
        ("marked, but nothing of the kind is looked for", &evaluation.not_scored.labels),
        ("found, but not marked in these texts", &evaluation.not_scored.entities),
    ] {
        if !counts.is_empty() {
            text.push_str(&format!("\nnot scored ({what}): {}\n", left_out(counts)));
        }
    }
    text
}

fn row(name: &str, scored: &Scored, change: Option<Option<&Change>>) -> Vec<String> {
    let Rates { precision, recall, f1, f2 } = scored.overlap;
    let mut row = vec![
        name.to_owned(),
        table::count(scored.gold),
        table::count(scored.found),
        with_interval(precision),
        with_interval(recall),
        share(f1.value),
        share(f2.value),
        share(scored.strict.f1.value),
        with_interval(scored.leak_rate),
    ];
    if let Some(change) = change {
        row.push(change.map_or_else(|| "new".to_owned(), changed));
    }
    row
}

fn changed(change: &Change) -> String {
    let signed = |what: &str, by: Option<f64>| {
        by.filter(|by| by.abs() >= 0.000_5).map(|by| format!("{what} {by:+.3}"))
    };
    let parts = [
        signed("precision", change.overlap_precision),
        signed("recall", change.overlap_recall),
        signed("leaked", change.leak_rate),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "same".to_owned() } else { parts.join(", ") }
}

fn reliability(row: &Reliability) -> Vec<String> {
    let which = match &row.which {
        Which::Scores { from, to } => format!("{from:.1}–{to:.1}"),
        Which::Rule { rule, grounds } => format!("{rule} {grounds}"),
    };
    let score = format!("{:.3}", row.score);
    vec![which, table::count(row.findings), score, with_interval(row.precision)]
}

fn with_interval(value: Value) -> String {
    match value.value {
        Some(_) => format!("{} ({:.3}–{:.3})", share(value.value), value.low, value.high),
        None => share(None),
    }
}

fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

/// Mistakes that are printed for people; JSON has all.
const CONFUSION_ROWS: usize = 12;
