//! Attacks and metrics over arrays: bytes of C-ordered numbers in, scores and curves out.
//!
//! `allonym.attacks` turns whatever holds numbers into such bytes.

use crate::failure::{raise, usage};
use crate::work::interruptible;
use allonym::exposure::{
    self, Flags, Groups, Interval, Kind, Layout, Lira, LiraMode, Matrix, Mode, Population,
    References, Rmia, Roc, Scores, Series, Store, TLira, Variance,
};
use allonym::{Cancel, Failure};
use arrow_array::{ArrayRef, Float64Array};
use arrow_schema::{DataType, Field};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyTuple};
use pyo3_arrow::ffi::{to_array_pycapsules, to_schema_pycapsule};
use std::sync::Arc;

/// Numbers of one array: their bytes, NumPy's name of their kind, and the lengths of its axes.
pub(crate) type Array = (PyBackedBytes, String, Vec<usize>);

/// One score for each record.
#[pyclass(frozen, module = "allonym.attacks", name = "Scores")]
pub(crate) struct AttackScores {
    values: Vec<f64>,
    flags: Vec<Flags>,
    ratio: Option<Py<AttackScores>>,
    population_dropped: usize,
}

#[pymethods]
impl AttackScores {
    /// Number of records without a score.
    #[getter]
    fn dropped(&self) -> usize {
        self.values.iter().filter(|value| value.is_nan()).count()
    }

    /// How many records carry each flag that any carries.
    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        for (name, flag) in Flags::NAMED {
            let count = self.flags.iter().filter(|flags| flags.contains(flag)).count();
            if count > 0 {
                counts.set_item(name, count)?;
            }
        }
        Ok(counts)
    }

    #[getter]
    fn population_dropped(&self) -> usize {
        self.population_dropped
    }

    #[getter]
    fn ratio(&self, py: Python<'_>) -> Option<Py<AttackScores>> {
        self.ratio.as_ref().map(|ratio| ratio.clone_ref(py))
    }

    /// Names of a record's flags.
    fn flags(&self, record: isize) -> PyResult<Vec<&'static str>> {
        let flags = self.flags[self.place(record)?];
        let held = Flags::NAMED.into_iter().filter(|(_, flag)| flags.contains(*flag));
        Ok(held.map(|(name, _)| name).collect())
    }

    /// Positions of the records that carry a flag.
    fn flagged(&self, flag: &str) -> PyResult<Vec<usize>> {
        let Some((_, wanted)) = Flags::NAMED.into_iter().find(|(name, _)| *name == flag) else {
            let names = Flags::NAMED.map(|(name, _)| name).join(", ");
            return Err(raise(&usage(format!("no flag has this name; there are {names}"))));
        };
        let records = self.flags.iter().enumerate();
        Ok(records.filter(|(_, flags)| flags.contains(wanted)).map(|(record, _)| record).collect())
    }

    fn tolist(&self) -> Vec<f64> {
        self.values.clone()
    }

    /// NumPy's way of reading another's memory; the bytes are a copy of the scores.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", (self.values.len(),))?;
        interface.set_item("typestr", "<f8")?;
        interface.set_item("data", self.bytes(py))?;
        Ok(interface)
    }

    /// The scores as little-endian doubles.
    fn tobytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.bytes(py)
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, DataType::Float64)?)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let array: ArrayRef = Arc::new(Float64Array::from(self.values.clone()));
        let field = Arc::new(Field::new("score", DataType::Float64, false));
        Ok(to_array_pycapsules(py, field, &array, requested_schema)?)
    }

    fn __len__(&self) -> usize {
        self.values.len()
    }

    fn __getitem__(&self, record: isize) -> PyResult<f64> {
        Ok(self.values[self.place(record)?])
    }

    fn __repr__(&self) -> String {
        format!("Scores({} records, {} dropped)", self.values.len(), self.dropped())
    }
}

impl AttackScores {
    pub(crate) fn of(scores: Scores) -> AttackScores {
        let Scores { values, flags } = scores;
        AttackScores { values, flags, ratio: None, population_dropped: 0 }
    }

    fn bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes: Vec<u8> = self.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        PyBytes::new(py, &bytes)
    }

    fn place(&self, record: isize) -> PyResult<usize> {
        let count = self.values.len();
        let place = match usize::try_from(record) {
            Ok(place) => Some(place),
            Err(_) => count.checked_sub(record.unsigned_abs()),
        };
        place
            .filter(|place| *place < count)
            .ok_or_else(|| PyIndexError::new_err("there is no record at this position"))
    }
}

/// A curve of scores against who was a member.
#[pyclass(frozen, module = "allonym.metrics", name = "Roc")]
pub(crate) struct Curve {
    pub(crate) roc: Roc,
    pub(crate) confidence: f64,
}

#[pymethods]
impl Curve {
    #[getter]
    fn auc(&self) -> f64 {
        self.roc.auc()
    }

    #[getter]
    fn auc_interval<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        ends(py, self.roc.auc_interval(self.confidence))
    }

    #[getter]
    fn auc_standard_error(&self) -> f64 {
        self.roc.auc_standard_error()
    }

    #[getter]
    fn n_members(&self) -> u64 {
        self.roc.n_members()
    }

    #[getter]
    fn n_non_members(&self) -> u64 {
        self.roc.n_non_members()
    }

    #[getter]
    fn dropped(&self) -> usize {
        self.roc.dropped()
    }

    #[getter]
    fn confidence(&self) -> f64 {
        self.confidence
    }

    fn tpr_at(&self, fpr: f64) -> PyResult<TprAt> {
        let at = self.roc.tpr_at(fpr, self.confidence).map_err(|error| raise(&error.into()))?;
        Ok(TprAt { at })
    }

    #[getter]
    fn advantage<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        estimate(py, self.roc.advantage(self.confidence))
    }

    /// Threshold, false-positive rate and true-positive rate of each corner.
    fn points(&self) -> Vec<(f64, f64, f64)> {
        let points = self.roc.points().into_iter();
        points.map(|point| (point.threshold, point.fpr, point.tpr)).collect()
    }

    fn __repr__(&self) -> String {
        let Interval { value, low, high } = self.roc.auc_interval(self.confidence);
        format!("Roc(auc={value:.4} [{low:.4}, {high:.4}])")
    }
}

/// The true-positive rate at few false alarms.
#[pyclass(frozen, module = "allonym.metrics")]
pub(crate) struct TprAt {
    at: exposure::TprAt,
}

#[pymethods]
impl TprAt {
    #[getter]
    fn value(&self) -> f64 {
        self.at.tpr.value
    }

    #[getter]
    fn low(&self) -> f64 {
        self.at.tpr.low
    }

    #[getter]
    fn high(&self) -> f64 {
        self.at.tpr.high
    }

    #[getter]
    fn band<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        ends(py, self.at.band)
    }

    #[getter]
    fn fpr<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        estimate(py, self.at.fpr)
    }

    #[getter]
    fn lift<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        estimate(py, self.at.lift())
    }

    fn precision<'py>(&self, py: Python<'py>, prior: f64) -> PyResult<Bound<'py, PyAny>> {
        if !(prior > 0.0 && prior < 1.0) {
            return Err(raise(&usage("`prior` must lie between 0 and 1")));
        }
        estimate(py, self.at.precision(prior))
    }

    #[getter]
    fn fpr_limit(&self) -> f64 {
        self.at.fpr_limit
    }

    #[getter]
    fn threshold(&self) -> f64 {
        self.at.threshold
    }

    #[getter]
    fn resolvable(&self) -> bool {
        self.at.resolvable
    }

    #[getter]
    fn non_members_needed(&self) -> Option<u64> {
        self.at.non_members_needed
    }

    fn __repr__(&self) -> String {
        let exposure::TprAt { tpr, fpr_limit, resolvable, non_members_needed, .. } = self.at;
        if resolvable {
            let Interval { value, low, high } = tpr;
            return format!("TprAt(fpr<={fpr_limit}: {value:.4} [{low:.4}, {high:.4}])");
        }
        let needed = non_members_needed
            .map_or_else(String::new, |needed| format!(": needs {needed} non-members"));
        format!("TprAt(fpr<={fpr_limit}: not resolvable{needed})")
    }
}

#[pyfunction]
pub(crate) fn attack_loss(py: Python<'_>, conf: Array) -> PyResult<AttackScores> {
    attack(py, move || Ok(exposure::loss(&series("conf", &conf)?)?))
}

#[pyfunction]
pub(crate) fn attack_population(
    py: Python<'_>,
    conf: Array,
    population: Array,
    groups: Option<(Vec<u32>, Vec<u32>)>,
) -> PyResult<AttackScores> {
    attack(py, move || {
        let groups = groups.as_ref().map(|(records, population)| Groups { records, population });
        let (conf, population) = (series("conf", &conf)?, series("population", &population)?);
        Ok(exposure::population(&conf, &population, groups)?)
    })
}

#[pyfunction]
pub(crate) fn attack_offset(
    py: Python<'_>,
    logit: Array,
    references: Array,
    members: Array,
    mode: &str,
) -> PyResult<AttackScores> {
    let mode = match mode {
        "both" => Mode::Online,
        "out" => Mode::Offline,
        mode => online_or_offline(mode)?,
    };
    attack(py, move || {
        let masks = masks(&members)?;
        let references = join(&references, &masks)?;
        Ok(exposure::offset(&series("logit", &logit)?, &references, mode)?)
    })
}

#[pyfunction]
pub(crate) fn attack_lira(
    py: Python<'_>,
    logit: Array,
    references: Array,
    members: Array,
    mode: &str,
    variance: &str,
) -> PyResult<AttackScores> {
    let modes = [
        ("online", LiraMode::Online),
        ("offline", LiraMode::Offline),
        ("offline_density", LiraMode::OfflineDensity),
    ];
    let variances = [
        ("per_record", Variance::PerRecord),
        ("fixed", Variance::Fixed),
        ("authors_fixed", Variance::AuthorsFixed),
    ];
    let mode = named("mode", mode, &modes)?;
    let variance = named("variance", variance, &variances)?;
    attack(py, move || {
        let masks = masks(&members)?;
        let references = join(&references, &masks)?;
        let lira = Lira { mode, variance, ..Lira::default() };
        Ok(lira.score(&series("logit", &logit)?, &references)?)
    })
}

#[pyfunction]
pub(crate) fn attack_t_lira(
    py: Python<'_>,
    logit: Array,
    references: Array,
    members: Array,
    mode: &str,
    nu0: f64,
) -> PyResult<AttackScores> {
    let mode = online_or_offline(mode)?;
    attack(py, move || {
        let masks = masks(&members)?;
        let references = join(&references, &masks)?;
        Ok(TLira { mode, nu0 }.score(&series("logit", &logit)?, &references)?)
    })
}

#[pyfunction]
pub(crate) fn attack_rmia(
    py: Python<'_>,
    conf: Array,
    references: Array,
    members: Array,
    population: Array,
    population_references: Array,
    mode: &str,
    gamma: f64,
    a: f64,
) -> PyResult<AttackScores> {
    let mode = online_or_offline(mode)?;
    let scores = interruptible(py, &Cancel::default(), move || {
        let masks = masks(&members)?;
        let references = join(&references, &masks)?;
        let target = series("population", &population)?;
        let others = matrix("population_references", &population_references, Layout::ByReference)?;
        let others = Population { target: Series::F64(&target), references: others };
        Ok(Rmia { mode, gamma, a }.score(&series("conf", &conf)?, &references, &others)?)
    })?;
    Ok(AttackScores {
        ratio: Some(Py::new(py, AttackScores::of(scores.ratio))?),
        population_dropped: scores.population_dropped,
        ..AttackScores::of(scores.share)
    })
}

#[pyfunction]
pub(crate) fn attack_qmia(
    py: Python<'_>,
    logit: Array,
    features: Array,
    population: Array,
    population_features: Array,
    fpr: f64,
) -> PyResult<AttackScores> {
    attack(py, move || {
        let features = matrix("features", &features, Layout::ByRecord)?;
        let others = matrix("population_features", &population_features, Layout::ByRecord)?;
        let population = series("population", &population)?;
        Ok(exposure::qmia(&series("logit", &logit)?, &features, &population, &others, fpr)?)
    })
}

#[pyfunction]
pub(crate) fn attack_gap(py: Python<'_>, probs: Array, labels: Array) -> PyResult<AttackScores> {
    attack(py, move || {
        let probs = matrix("probs", &probs, Layout::ByRecord)?;
        Ok(exposure::gap(&probs, &classes(&labels)?)?)
    })
}

#[pyfunction]
pub(crate) fn attack_modified_entropy(
    py: Python<'_>,
    probs: Array,
    labels: Array,
) -> PyResult<AttackScores> {
    attack(py, move || {
        let probs = matrix("probs", &probs, Layout::ByRecord)?;
        Ok(exposure::modified_entropy(&probs, &classes(&labels)?)?)
    })
}

/// Scores of texts from the log-probabilities of their tokens; `share` of the lowest, all at 1.
#[pyfunction]
pub(crate) fn attack_text(
    py: Python<'_>,
    log_probabilities: Vec<Vec<f64>>,
    share: f64,
) -> PyResult<AttackScores> {
    if !(share > 0.0 && share <= 1.0) {
        return Err(raise(&usage("`k` must be above 0 and at most 1")));
    }
    attack(py, move || {
        let score = |tokens: &Vec<f64>| {
            // Of no tokens, or of a token that is no number, nothing can be said.
            let usable = !tokens.is_empty() && tokens.iter().all(|token| token.is_finite());
            if usable { exposure::min_k(tokens, share) } else { f64::NAN }
        };
        let values: Vec<f64> = log_probabilities.iter().map(score).collect();
        let flag = |value: &f64| if value.is_nan() { Flags::NOT_FINITE } else { Flags::default() };
        Ok(Scores { flags: values.iter().map(flag).collect(), values })
    })
}

#[pyfunction]
pub(crate) fn roc(
    py: Python<'_>,
    scores: Array,
    members: Array,
    confidence: f64,
) -> PyResult<Curve> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(raise(&usage("`confidence` must lie between 0 and 1")));
    }
    let roc = interruptible(py, &Cancel::default(), move || {
        let scores = series("scores", &scores)?;
        let (members, shape) = masks(&members)?;
        if shape.len() != 1 {
            return Err(axes("members", shape, 1));
        }
        Ok(Roc::new(&scores, &members)?)
    })?;
    Ok(Curve { roc, confidence })
}

fn attack(
    py: Python<'_>,
    work: impl FnOnce() -> allonym::Result<Scores> + Send,
) -> PyResult<AttackScores> {
    interruptible(py, &Cancel::default(), work).map(AttackScores::of)
}

fn online_or_offline(mode: &str) -> PyResult<Mode> {
    named("mode", mode, &[("online", Mode::Online), ("offline", Mode::Offline)])
}

/// One of the values of an argument, by its name.
fn named<T: Copy>(argument: &str, name: &str, values: &[(&str, T)]) -> PyResult<T> {
    if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
        return Ok(*value);
    }
    let known: Vec<String> = values.iter().map(|(known, _)| format!("\"{known}\"")).collect();
    Err(raise(&usage(format!("`{argument}` must be one of {}", known.join(", ")))))
}

fn kind((_, kind, _): &Array) -> allonym::Result<Kind> {
    Kind::parse(kind).ok_or_else(|| {
        unfit(format!("numbers of kind `{kind}` are not read; pass float32, float64 or bool"))
    })
}

/// One number for each record.
fn series(name: &'static str, array: &Array) -> allonym::Result<Vec<f64>> {
    let (bytes, _, shape) = array;
    let kind = kind(array)?;
    let &[records] = &shape[..] else {
        return Err(axes(name, shape, 1));
    };
    let matrix = Matrix::new(Store::Bytes(bytes, kind), Layout::ByReference, 1, records)?;
    Ok(matrix.reference(0)?)
}

pub(crate) fn matrix<'a>(
    name: &'static str,
    array: &'a Array,
    layout: Layout,
) -> allonym::Result<Matrix<'a>> {
    let (bytes, _, shape) = array;
    let &[first, second] = &shape[..] else {
        return Err(axes(name, shape, 2));
    };
    let (references, records) = match layout {
        Layout::ByReference => (first, second),
        Layout::ByRecord => (second, first),
    };
    Ok(Matrix::new(Store::Bytes(bytes, kind(array)?), layout, references, records)?)
}

/// Truth values, or whole numbers that are all 0 or 1, and the lengths of their axes.
pub(crate) fn masks(array: &Array) -> allonym::Result<(Vec<bool>, &[usize])> {
    let (bytes, _, shape) = array;
    let kind = kind(array)?;
    let no_mask = || unfit("`members` must hold truth values (or 0 and 1) and nothing else".into());
    if matches!(kind, Kind::F32 | Kind::F64) && !bytes.is_empty() {
        return Err(no_mask());
    }
    let count = bytes.len() / kind.bytes();
    let whole = Matrix::new(Store::Bytes(bytes, kind), Layout::ByReference, 1, count)?;
    let values = whole.reference(0)?;
    if values.iter().any(|value| *value != 0.0 && *value != 1.0) {
        return Err(no_mask());
    }
    Ok((values.iter().map(|value| *value != 0.0).collect(), shape))
}

fn join<'a>(
    signals: &'a Array,
    (members, shape): &'a (Vec<bool>, &[usize]),
) -> allonym::Result<References<'a>> {
    let signals = matrix("references", signals, Layout::ByReference)?;
    let &[references, records] = *shape else {
        return Err(axes("members", shape, 2));
    };
    let members = Matrix::new(&members[..], Layout::ByReference, references, records)?;
    Ok(References::new(signals, members)?)
}

/// Classes by number; what is missing or no whole number gets a number that no class has.
fn classes(array: &Array) -> allonym::Result<Vec<u32>> {
    let exact = |class: &f64| {
        let known = class.fract() == 0.0 && (0.0..f64::from(u32::MAX)).contains(class);
        if known { whole(*class) } else { u32::MAX }
    };
    Ok(series("labels", array)?.iter().map(exact).collect())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the caller has looked at the range and at the fraction"
)]
fn whole(class: f64) -> u32 {
    class as u32
}

fn ends(py: Python<'_>, interval: Interval) -> PyResult<Bound<'_, PyAny>> {
    let class = py.import("allonym.metrics")?.getattr("Interval")?;
    class.call1((interval.low, interval.high))
}

fn estimate(py: Python<'_>, interval: Interval) -> PyResult<Bound<'_, PyAny>> {
    let class = py.import("allonym.metrics")?.getattr("Estimate")?;
    class.call1((interval.value, interval.low, interval.high))
}

fn axes(name: &str, shape: &[usize], wanted: usize) -> Failure {
    unfit(format!("`{name}` has {} axes; it must have {wanted}", shape.len()))
}

fn unfit(message: String) -> Failure {
    Failure::new("ALO-D006", 3, message)
}
