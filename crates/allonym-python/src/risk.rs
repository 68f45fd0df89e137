//! Linkage risk, from Python.

use crate::environment::{environment, now};
use crate::failure::{raise, usage};
use crate::stream::table;
use crate::work::interruptible;
use allonym::{
    Cancel, Failure, RiskEvidence, RiskGates, RiskOptions, RiskRole, RiskTable, expand,
    measure_risk, report,
};
use pyo3::prelude::*;

/// Measures tables, each a path or an Arrow object; gives the evidence.
#[pyfunction]
#[pyo3(name = "measure_risk")]
#[pyo3(signature = (data, *, source, original, control, population, as_of, options))]
pub(crate) fn measure(
    data: &Bound<'_, PyAny>,
    source: &str,
    original: Option<&Bound<'_, PyAny>>,
    control: Option<&Bound<'_, PyAny>>,
    population: Option<&Bound<'_, PyAny>>,
    as_of: Option<&str>,
    options: Options,
) -> PyResult<String> {
    let py = data.py();
    let as_of = match as_of {
        Some(as_of) => as_of.to_owned(),
        None => now(&environment(py, None)?)?,
    };
    let mut tables = Vec::new();
    for (role, object) in [
        (RiskRole::Data, Some(data)),
        (RiskRole::Original, original),
        (RiskRole::Control, control),
        (RiskRole::Population, population),
    ] {
        if let Some(object) = object {
            tables.push((role, taken(object)?));
        }
    }
    let cancel = Cancel::default();
    let options = RiskOptions::from(options);
    interruptible(py, &cancel, || {
        let told = measure_risk(source, &as_of, tables, &options, &cancel, &|_, _, _| {})?;
        Ok(told.to_json())
    })
}

/// Evidence as `html`, `fragment`, `markdown`, `text` or `csv`.
#[pyfunction]
pub(crate) fn render_risk(json: &str, form: &str) -> PyResult<String> {
    let evidence = read(json)?;
    Ok(match form {
        "html" => report::risk_html(&evidence),
        "fragment" => report::risk_fragment(&evidence),
        "markdown" => report::risk_markdown(&evidence),
        "text" => report::risk_text(&evidence),
        "csv" => report::risk_csv(&evidence),
        _ => {
            return Err(raise(&usage("risk is rendered as html, fragment, markdown, text or csv")));
        }
    })
}

/// Judges evidence by limits: the gates as JSON, and the exit code of the command.
#[pyfunction]
pub(crate) fn gate_risk(json: &str, limits: Limits) -> PyResult<(String, u8)> {
    let evidence = read(json)?;
    let gates = RiskGates::from(limits).judge(&evidence);
    let (gates, exit) = gates.map_err(|failure| raise(&failure))?;
    let gates = serde_json::to_string(&gates).map_err(|_| raise(&usage("a gate is not JSON")))?;
    Ok((gates, exit))
}

/// Options by name.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    quasi: Vec<String>,
    sensitive: Vec<String>,
    population_size: Option<u64>,
    population_count: Option<String>,
    target_k: Option<u64>,
    leave_out: f64,
    unique_share: f64,
    sets_max: Option<u64>,
    link: Vec<String>,
    attempts: usize,
    seed: u64,
    confidence: f64,
}

/// Limits by name.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Limits {
    min_k: Option<u64>,
    max_unique: Option<f64>,
    min_l: Option<u64>,
    max_t: Option<f64>,
    max_population_unique: Option<f64>,
    max_attack: Option<f64>,
}

impl From<Limits> for RiskGates {
    fn from(limits: Limits) -> RiskGates {
        RiskGates {
            min_k: limits.min_k,
            max_unique: limits.max_unique,
            min_l: limits.min_l,
            max_t: limits.max_t,
            max_population_unique: limits.max_population_unique,
            max_attack: limits.max_attack,
        }
    }
}

impl From<Options> for RiskOptions {
    fn from(options: Options) -> RiskOptions {
        RiskOptions {
            quasi: options.quasi,
            sensitive: options.sensitive,
            population_size: options.population_size,
            population_count: options.population_count,
            target_k: options.target_k,
            left_out_max: options.leave_out,
            unique_share: options.unique_share,
            sets_max: options.sets_max,
            link: options.link,
            attempts: options.attempts,
            seed: options.seed,
            confidence: options.confidence,
            gates: RiskGates::default(),
        }
    }
}

fn taken(object: &Bound<'_, PyAny>) -> PyResult<RiskTable> {
    match object.extract::<String>() {
        Ok(path) => {
            let found = expand(&[path]).map_err(|error| raise(&Failure::from(error)))?.found;
            Ok(RiskTable::Files(found, Box::default()))
        }
        Err(_) => {
            let (schema, batches) = table(object)?;
            Ok(RiskTable::Batches(schema, batches))
        }
    }
}

fn read(json: &str) -> PyResult<RiskEvidence> {
    report::read_risk(json).map_err(|error| raise(&Failure::new("ALO-U069", 3, error.to_string())))
}
