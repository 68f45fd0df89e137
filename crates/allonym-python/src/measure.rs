//! Measured exposure: signals in, evidence and further questions out.

use crate::exposure::{Array, AttackScores, Curve, masks, matrix};
use crate::failure::{raise, usage};
use crate::work::interruptible;
use allonym::exposure::{
    Context, Evidence, Gate, Layout, Matrix, MeasureOptions, Measured, Models, SignalFile,
    compare_measured, ensemble_limit, measure,
};
use allonym::{Cancel, Failure};
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A measurement; `allonym.Exposure` is thin over it.
#[pyclass(frozen, module = "allonym._allonym", name = "ExposureCore")]
pub(crate) struct ExposureCore {
    measured: Mutex<Measured>,
}

#[pymethods]
impl ExposureCore {
    fn to_json(&self) -> String {
        self.lock().evidence.to_json()
    }

    fn scores(&self) -> AttackScores {
        AttackScores::of(self.lock().scores.clone())
    }

    fn roc(&self) -> PyResult<Curve> {
        let measured = self.lock();
        let roc = measured.roc().map_err(|failure| raise(&failure))?;
        Ok(Curve { roc, confidence: measured.evidence.method.confidence })
    }

    /// Compares groups; `of` gives each record's position in `names`.
    fn by(&self, py: Python<'_>, column: &str, of: Vec<u32>, names: Vec<String>) -> PyResult<()> {
        interruptible(py, &Cancel::default(), move || {
            self.lock().by(column, &of, &names)?;
            Ok(())
        })
    }

    fn compare(&self, py: Python<'_>, after: &ExposureCore) -> PyResult<(String, String)> {
        // Two statements, so that a measurement may be compared with itself: a lock ends with its own.
        let first = self.lock().clone();
        let second = after.lock().clone();
        let compared = interruptible(py, &Cancel::default(), || compare_measured(&first, &second))?;
        Ok((compared.to_json(), compared.to_text()))
    }
}

impl ExposureCore {
    fn lock(&self) -> MutexGuard<'_, Measured> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Measures signals in memory: models x records, the target among the models.
#[pyfunction]
#[pyo3(signature = (conf, logit, members, population, looks, *, target, context, options))]
pub(crate) fn measure_signals(
    py: Python<'_>,
    conf: Option<Array>,
    logit: Option<Array>,
    members: Array,
    population: Option<Array>,
    looks: LooksGiven,
    target: usize,
    context: &str,
    options: Options,
) -> PyResult<ExposureCore> {
    let (context, cancel) = (read_context(context)?, Cancel::default());
    let (options, asked) = (MeasureOptions::from(options), cancel.clone());
    let measured = interruptible(py, &cancel, move || {
        let (conf, logit) = match (open("conf", &conf)?, open("logit", &logit)?) {
            (Some(conf), Some(logit)) => (conf, logit),
            (Some(conf), None) => (conf, conf.as_logits()),
            (None, Some(logit)) => (logit.as_confidences(), logit),
            (None, None) => {
                return Err(Failure::new(
                    "ALO-U010",
                    2,
                    "neither confidences nor logits are given",
                ));
            }
        };
        let (masks, shape) = masks(&members)?;
        let &[models, records] = shape else {
            return Err(Failure::new("ALO-D006", 3, "`members` must be of models x records"));
        };
        let members = Matrix::new(&masks[..], Layout::ByReference, models, records)?;
        let population = open("population", &population)?;
        let (gap, entropy) = (open("gap", &looks.gap)?, open("entropy", &looks.entropy)?);
        let features = by_record("features", &looks.features)?;
        let features = features.zip(by_record("population_features", &looks.population_features)?);
        let models = Models { conf, logit, members, population, gap, entropy, features, target };
        measure(&models, context, &options, &asked)
    })?;
    Ok(ExposureCore { measured: Mutex::new(measured) })
}

/// Measures signals in a file, as `allonym exposure score` does.
#[pyfunction]
#[pyo3(signature = (path, *, target, context, options))]
pub(crate) fn measure_file(
    py: Python<'_>,
    path: PathBuf,
    target: usize,
    context: &str,
    options: Options,
) -> PyResult<ExposureCore> {
    let (context, cancel) = (read_context(context)?, Cancel::default());
    let (mut options, asked) = (MeasureOptions::from(options), cancel.clone());
    let measured = interruptible(py, &cancel, move || {
        let file = SignalFile::open(&path)?;
        if options.subjects.is_none() {
            options.subjects = file.subjects()?;
            options.unit = if options.subjects.is_some() { "people" } else { "records" }.to_owned();
        }
        measure(&file.models(target)?, context, &options, &asked)
    })?;
    Ok(ExposureCore { measured: Mutex::new(measured) })
}

/// What evidence says, in a form: `text`, `html` (a page) or `fragment` (a part of one).
#[pyfunction]
pub(crate) fn render_exposure(json: &str, form: &str) -> PyResult<String> {
    let rendered = Evidence::from_json(json).and_then(|evidence| match form {
        "html" => evidence.document().map(|page| page.html()),
        "fragment" => evidence.document().map(|page| page.fragment()),
        _ => Ok(evidence.to_text()),
    });
    rendered.map_err(|failure| raise(&failure))
}

/// Judges evidence by limits; gives JSON.
#[pyfunction]
pub(crate) fn gate_exposure(
    json: &str,
    auc: Option<f64>,
    tpr_at: Vec<(f64, f64)>,
) -> PyResult<(String, u8, String, Option<u64>)> {
    let judged = Evidence::from_json(json).and_then(|told| told.gate(&Gate { auc, tpr_at }));
    let judged = judged.map_err(|failure| raise(&failure))?;
    Ok((judged.decision, judged.exit, judged.sentence, judged.records_factor))
}

/// The logit of the most and least certain vote of so many trees.
#[pyfunction]
pub(crate) fn logit_limit(trees: usize) -> f64 {
    ensemble_limit(trees)
}

/// What more is known of the models, by name.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct LooksGiven {
    gap: Option<Array>,
    entropy: Option<Array>,
    features: Option<Array>,
    population_features: Option<Array>,
}

/// Options by name.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct Options {
    fpr: f64,
    confidence: f64,
    prior: f64,
    logit_limit: Option<f64>,
    subjects: Option<Vec<u64>>,
    unit: String,
    coins: bool,
    rows: Option<Vec<u64>>,
    worst_records: usize,
    delta: f64,
    seed: u64,
}

impl From<Options> for MeasureOptions {
    fn from(options: Options) -> MeasureOptions {
        let Options { fpr, confidence, prior, logit_limit, subjects, coins, rows, .. } = options;
        let Options { unit, worst_records, delta, seed, .. } = options;
        MeasureOptions {
            fpr,
            confidence,
            prior,
            logit_limit,
            subjects,
            unit,
            coins,
            rows,
            worst_records,
            delta,
            seed,
        }
    }
}

fn open<'a>(name: &'static str, array: &'a Option<Array>) -> allonym::Result<Option<Matrix<'a>>> {
    array.as_ref().map(|array| matrix(name, array, Layout::ByReference)).transpose()
}

fn by_record<'a>(
    name: &'static str,
    array: &'a Option<Array>,
) -> allonym::Result<Option<Matrix<'a>>> {
    array.as_ref().map(|array| matrix(name, array, Layout::ByRecord)).transpose()
}

fn read_context(context: &str) -> PyResult<Context> {
    serde_json::from_str(context)
        .map_err(|_| raise(&usage("the context is not what `allonym.exposure` makes")))
}
