//! How well the detector does on labelled text.

use crate::failure::raise;
use crate::text::options;
use crate::work::interruptible;
use allonym::{Cancel, EvaluateOptions, Evaluation, Evaluator, ReadOptions, Result, expand};
use pyo3::prelude::*;

/// Evaluates the files at the path `data`, or documents that are JSON each; gives the contract's JSON.
#[pyfunction]
#[pyo3(signature = (data, *, labels, entities, countries, languages, min_score, text_field, baseline))]
pub(crate) fn evaluate(
    data: &Bound<'_, PyAny>,
    labels: Option<String>,
    entities: Option<Vec<String>>,
    countries: Option<Vec<String>>,
    languages: Option<Vec<String>>,
    min_score: Option<f64>,
    text_field: String,
    baseline: Option<String>,
) -> PyResult<String> {
    let find = options(entities, countries, languages, min_score, "balanced")?;
    let cancel = Cancel::default();
    let options = EvaluateOptions { find, labels, text_field, cancel: cancel.clone() };
    let (path, lines): (Option<String>, Vec<String>) = match data.extract() {
        Ok(path) => (Some(path), Vec::new()),
        Err(_) => (None, data.extract()?),
    };
    let baseline = baseline.map(|json| Evaluation::parse(&json, "the baseline")).transpose();
    let baseline = baseline.map_err(|failure| raise(&failure))?;
    interruptible(data.py(), &cancel, || {
        let evaluation = evaluated(path.as_deref(), &lines, &options)?;
        Ok(match &baseline {
            Some(baseline) => evaluation.since(baseline).to_json(),
            None => evaluation.to_json(),
        })
    })
}

fn evaluated(
    path: Option<&str>,
    lines: &[String],
    options: &EvaluateOptions,
) -> Result<Evaluation> {
    let mut evaluator = Evaluator::new(options)?;
    if let Some(path) = path {
        for found in expand(&[path.to_owned()])?.found {
            evaluator.add_file(&found.input, &found.relative, &ReadOptions::default())?;
        }
    }
    evaluator.add_lines(lines, "documents", 0)?;
    Ok(evaluator.finish())
}
