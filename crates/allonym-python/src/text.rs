//! Findings in text: one text, many texts, and texts with their findings taken out.

use crate::failure::{raise, usage};
use crate::stream::{Chunks, chunks};
use crate::work::{brief, interruptible};
use allonym::{Cancel, Failure, FindOptions, Finder, Finding, Result, RuleSet};
use arrow_array::builder::{LargeStringBuilder, StringBuilder, StringViewBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, LargeStringArray, RecordBatch, StringArray,
    StructArray,
};
use arrow_schema::{DataType, Field, Schema};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyList, PyString, PyTuple};
use pyo3_arrow::ffi::{ArrayIterator, to_schema_pycapsule, to_stream_pycapsule};
use rayon::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};

/// One finding; the positions count code points.
#[pyclass(frozen, eq, hash, module = "allonym", skip_from_py_object)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Span {
    #[pyo3(get)]
    start: usize,
    #[pyo3(get)]
    end: usize,
    #[pyo3(get)]
    entity: String,
    ten_thousandths: u32,
    #[pyo3(get)]
    rule: String,
}

#[pymethods]
impl Span {
    #[new]
    fn new(start: usize, end: usize, entity: String, score: f64, rule: String) -> Span {
        Span { start, end, entity, ten_thousandths: ten_thousandths(score), rule }
    }

    #[getter]
    fn score(&self) -> f64 {
        f64::from(self.ten_thousandths) / 10_000.0
    }

    fn __reduce__<'py>(this: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, SpanParts)> {
        let span = this.get();
        let parts = (span.start, span.end, span.entity.clone(), span.score(), span.rule.clone());
        Ok((this.get_type().into_any(), parts))
    }

    fn __repr__(&self) -> String {
        let Span { start, end, entity, rule, .. } = self;
        let score = self.score();
        format!("Span(start={start}, end={end}, entity={entity:?}, score={score}, rule={rule:?})")
    }
}

impl From<Finding> for Span {
    fn from(finding: Finding) -> Span {
        let Finding { start, end, entity, score, rule, .. } = finding;
        Span { start, end, entity, ten_thousandths: ten_thousandths(score.into()), rule }
    }
}

/// Start, end, entity, score, rule.
type SpanParts = (usize, usize, String, f64, String);

/// Findings of many texts.
#[pyclass(frozen, module = "allonym")]
pub(crate) struct Spans {
    documents: usize,
    found: Vec<(usize, Span)>,
}

#[pymethods]
impl Spans {
    #[getter]
    fn documents(&self) -> usize {
        self.documents
    }

    fn by_document(&self) -> Vec<Vec<Span>> {
        let mut documents = vec![Vec::new(); self.documents];
        for (document, span) in &self.found {
            documents[*document].push(span.clone());
        }
        documents
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, spans_schema())?)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let batch: ArrayRef = Arc::new(StructArray::from(self.batch()));
        let field = Field::new_struct("", spans_schema().fields().clone(), false);
        let arrays = Box::new(ArrayIterator::new([Ok(batch)], Arc::new(field)));
        Ok(to_stream_pycapsule(py, arrays, requested_schema)?)
    }

    fn __len__(&self) -> usize {
        self.found.len()
    }

    fn __repr__(&self) -> String {
        format!("Spans({} in {} documents)", self.found.len(), self.documents)
    }
}

impl Spans {
    fn batch(&self) -> RecordBatch {
        let numbers = |of: fn(&(usize, Span)) -> usize| -> ArrayRef {
            let number = |n| i64::try_from(n).expect("memory holds fewer than 2^63 characters");
            Arc::new(self.found.iter().map(|row| number(of(row))).collect::<Int64Array>())
        };
        let words = |of: fn(&Span) -> &str| -> ArrayRef {
            Arc::new(self.found.iter().map(|(_, span)| Some(of(span))).collect::<StringArray>())
        };
        let scores: Float64Array = self.found.iter().map(|(_, span)| span.score()).collect();
        let columns = vec![
            numbers(|(document, _)| *document),
            numbers(|(_, span)| span.start),
            numbers(|(_, span)| span.end),
            words(|span| &span.entity),
            Arc::new(scores),
            words(|span| &span.rule),
        ];
        RecordBatch::try_new(Arc::new(spans_schema()), columns)
            .expect("the columns are made to the schema")
    }
}

/// Findings of one text.
#[pyfunction]
#[pyo3(signature = (text, *, entities=None, countries=None, languages=None, min_score=None, names="balanced"))]
pub(crate) fn find(
    text: &Bound<'_, PyAny>,
    entities: Option<Vec<String>>,
    countries: Option<Vec<String>>,
    languages: Option<Vec<String>>,
    min_score: Option<f64>,
    names: &str,
) -> PyResult<Vec<Span>> {
    let py = text.py();
    let text = text_of(text, None)?;
    let options = options(entities, countries, languages, min_score, names)?;
    let found = if text.len() <= BRIEF_BYTES_MAX {
        brief(py, || Ok(finder(&options)?.find(&text)))?
    } else {
        interruptible(py, &Cancel::default(), || Ok(finder(&options)?.find(&text)))?
    };
    Ok(found.into_iter().map(Span::from).collect())
}

/// Findings of many texts: a list of strings, or an Arrow array of them.
#[pyfunction]
#[pyo3(signature = (texts, *, entities=None, countries=None, languages=None, min_score=None, names="balanced"))]
pub(crate) fn find_batch(
    texts: &Bound<'_, PyAny>,
    entities: Option<Vec<String>>,
    countries: Option<Vec<String>>,
    languages: Option<Vec<String>>,
    min_score: Option<f64>,
    names: &str,
) -> PyResult<Spans> {
    let py = texts.py();
    let options = options(entities, countries, languages, min_score, names)?;
    let texts = Texts::of(texts)?;
    let cancel = Cancel::default();
    interruptible(py, &cancel, || {
        let finder = finder(&options)?;
        let mut spans = Spans { documents: 0, found: Vec::new() };
        for chunk in &texts.chunks {
            let plain = plain(chunk)?;
            let cells = cells(&plain);
            let found = each(&cells, &cancel, |cell| {
                finder.find(cell).into_iter().map(Span::from).collect::<Vec<_>>()
            })?;
            for (at, found) in found.into_iter().enumerate() {
                let document = spans.documents + at;
                spans.found.extend(found.into_iter().flatten().map(|span| (document, span)));
            }
            spans.documents += cells.len();
        }
        Ok(spans)
    })
}

/// Text with each finding replaced by its label: a string gives a string, a list a list, an Arrow
/// array a column of the same type.
#[pyfunction]
#[pyo3(signature = (texts, *, entities=None, countries=None, languages=None, min_score=None, names="balanced"))]
pub(crate) fn redact<'py>(
    texts: &Bound<'py, PyAny>,
    entities: Option<Vec<String>>,
    countries: Option<Vec<String>>,
    languages: Option<Vec<String>>,
    min_score: Option<f64>,
    names: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let py = texts.py();
    let options = options(entities, countries, languages, min_score, names)?;
    if texts.is_instance_of::<PyString>() {
        let text = text_of(texts, None)?;
        let cancel = Cancel::default();
        let redacted = interruptible(py, &cancel, || Ok(finder(&options)?.redact(&text)))?;
        return Ok(PyString::new(py, &redacted).into_any());
    }
    let Texts { field, chunks, is_list } = Texts::of(texts)?;
    let cancel = Cancel::default();
    let redacted = interruptible(py, &cancel, || {
        let finder = finder(&options)?;
        chunks
            .iter()
            .map(|chunk| {
                let plain = plain(chunk)?;
                let redacted = each(&cells(&plain), &cancel, |cell| finder.redact(cell))?;
                like(redacted, chunk.data_type())
            })
            .collect::<Result<Vec<ArrayRef>>>()
    })?;
    if is_list {
        Ok(list(py, &redacted)?.into_any())
    } else {
        Ok(Bound::new(py, Chunks::new(field, redacted))?.into_any())
    }
}

/// Whether the whole of `value` is an `entity`, by form and check digit.
#[pyfunction]
#[pyo3(signature = (entity, value, *, country=None))]
pub(crate) fn validate(
    entity: &str,
    value: &Bound<'_, PyAny>,
    country: Option<&str>,
) -> PyResult<bool> {
    let py = value.py();
    let value = text_of(value, None)?;
    brief(py, || match RuleSet::builtin().validate(entity, &value, country) {
        Some(valid) => Ok(valid),
        None => {
            // Asking for it alone says which known name is nearest.
            let entities = vec![entity.to_owned()];
            Finder::new(&FindOptions { entities, ..FindOptions::default() })?;
            Ok(false)
        }
    })
}

/// The rules that find things, as JSON.
#[pyfunction]
pub(crate) fn rules(py: Python<'_>) -> PyResult<String> {
    brief(py, || {
        Ok(serde_json::to_string(&RuleSet::builtin().summaries())
            .expect("a rule's summary holds only strings and lists"))
    })
}

/// Texts in memory, as arrays.
pub(crate) struct Texts {
    pub(crate) field: arrow_schema::FieldRef,
    pub(crate) chunks: Vec<ArrayRef>,
    pub(crate) is_list: bool,
}

impl Texts {
    pub(crate) fn of(object: &Bound<'_, PyAny>) -> PyResult<Texts> {
        let is_list = object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>();
        if !is_list {
            let (field, chunks) = chunks(object)?;
            return Ok(Texts { field, chunks, is_list });
        }
        let mut cells = Vec::new();
        for (row, cell) in object.try_iter()?.enumerate() {
            let cell = cell?;
            if cell.is_none() {
                cells.push(None);
            } else {
                cells.push(Some(text_of(&cell, Some(row))?));
            }
        }
        let array: LargeStringArray = cells.iter().map(Option::as_deref).collect();
        let field = Arc::new(Field::new("", DataType::LargeUtf8, true));
        Ok(Texts { field, chunks: vec![Arc::new(array)], is_list })
    }
}

/// The text of a Python string, which may hold what UTF-8 cannot; `row` is told when it does.
pub(crate) fn text_of(object: &Bound<'_, PyAny>, row: Option<usize>) -> PyResult<String> {
    let place = row.map(|row| format!("item {row}: ")).unwrap_or_default();
    let Ok(text) = object.cast::<PyString>() else {
        let type_name = object.get_type().name()?.to_string();
        return Err(PyTypeError::new_err(format!("{place}expected a string, not `{type_name}`")));
    };
    // Python's own error holds the whole text.
    text.to_str().map(str::to_owned).map_err(|_| {
        let message = format!("{place}the text holds a lone surrogate, which is no character");
        raise(
            &Failure::new("ALO-D001", 3, message)
                .hint("mend it first: text.encode('utf-8', 'replace').decode()"),
        )
    })
}

/// An array of text without its dictionary.
fn plain(array: &ArrayRef) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
            Ok(Arc::clone(array))
        }
        DataType::Dictionary(_, value) if is_text(value) => {
            arrow_cast::cast(array, value).map_err(|_| not_text(array.data_type()))
        }
        other => Err(not_text(other)),
    }
}

/// Cells of a plain array of text.
fn cells(array: &ArrayRef) -> Vec<Option<&str>> {
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().collect(),
        DataType::Utf8View => array.as_string_view().iter().collect(),
        _ => vec![None; array.len()],
    }
}

/// Strings in the type they came in.
fn like(cells: Vec<Option<String>>, data_type: &DataType) -> Result<ArrayRef> {
    let bytes = cells.iter().flatten().map(String::len).sum();
    Ok(match data_type {
        DataType::Utf8 => {
            if i32::try_from(bytes).is_err() {
                return Err(Failure::new(
                    "ALO-D002",
                    3,
                    "the result has more than 2 GiB in one chunk",
                )
                .hint("cut the column into smaller chunks, or take the type large_string"));
            }
            let mut builder = StringBuilder::with_capacity(cells.len(), bytes);
            builder.extend(cells);
            Arc::new(builder.finish())
        }
        DataType::LargeUtf8 => {
            let mut builder = LargeStringBuilder::with_capacity(cells.len(), bytes);
            builder.extend(cells);
            Arc::new(builder.finish())
        }
        DataType::Utf8View => {
            let mut builder = StringViewBuilder::with_capacity(cells.len());
            builder.extend(cells);
            Arc::new(builder.finish())
        }
        DataType::Dictionary(_, value) => {
            let plain = like(cells, value)?;
            arrow_cast::cast(&plain, data_type).map_err(|_| not_text(data_type))?
        }
        _ => arrow_array::new_null_array(data_type, cells.len()),
    })
}

/// A Python list of the strings of text chunks.
pub(crate) fn list<'py>(py: Python<'py>, chunks: &[ArrayRef]) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for chunk in chunks {
        let plain = plain(chunk).map_err(|failure| raise(&failure))?;
        for cell in cells(&plain) {
            list.append(cell)?;
        }
    }
    Ok(list)
}

/// Runs `work` on every filled cell, several at a time, in order.
fn each<T: Send>(
    cells: &[Option<&str>],
    cancel: &Cancel,
    work: impl Fn(&str) -> T + Sync,
) -> Result<Vec<Option<T>>> {
    cells
        .par_iter()
        .with_min_len(16)
        .map(|cell| {
            cancel.check()?;
            Ok(cell.map(&work))
        })
        .collect()
}

/// What to look for, from the arguments.
pub(crate) fn options(
    entities: Option<Vec<String>>,
    countries: Option<Vec<String>>,
    languages: Option<Vec<String>>,
    min_score: Option<f64>,
    names: &str,
) -> PyResult<FindOptions> {
    if let Some(score) = min_score
        && !(0.0..=1.0).contains(&score)
    {
        let failure = usage(format!("min_score is {score}; it is a probability in [0, 1]"));
        return Err(raise(&failure));
    }
    if !NAMES.contains(&names) {
        let failure = usage(format!("names is `{names}`; known are {}", NAMES.join(", ")));
        return Err(raise(&failure));
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked to be in [0, 1]")]
    let min_score = min_score.map(|score| score as f32);
    Ok(FindOptions {
        entities: entities.unwrap_or_default(),
        countries: countries.unwrap_or_default(),
        languages: languages.unwrap_or_default(),
        min_score,
        ..FindOptions::default()
    })
}

/// Compiled options of the last calls: compiling takes far longer than a short text.
fn finder(options: &FindOptions) -> Result<Arc<Finder>> {
    let lock = || FINDERS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, finder)) = lock().iter().find(|(known, _)| known == options) {
        return Ok(Arc::clone(finder));
    }
    let finder = Arc::new(Finder::new(options)?);
    let mut finders = lock();
    finders.truncate(FINDERS_MAX - 1);
    finders.insert(0, (options.clone(), Arc::clone(&finder)));
    Ok(finder)
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

fn not_text(data_type: &DataType) -> Failure {
    Failure::new("ALO-D005", 3, format!("expected text, not an Arrow array of {data_type}"))
}

fn spans_schema() -> Schema {
    Schema::new(vec![
        Field::new("doc", DataType::Int64, false),
        Field::new("start", DataType::Int64, false),
        Field::new("end", DataType::Int64, false),
        Field::new("entity", DataType::Utf8, false),
        Field::new("score", DataType::Float64, false),
        Field::new("rule", DataType::Utf8, false),
    ])
}

/// Scores are kept to four digits, as the command line prints them.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to [0, 10,000] first"
)]
fn ten_thousandths(score: f64) -> u32 {
    (score * 10_000.0).round().clamp(0.0, 10_000.0) as u32
}

static FINDERS: Mutex<Vec<(FindOptions, Arc<Finder>)>> = Mutex::new(Vec::new());

const FINDERS_MAX: usize = 16;
/// Longest text that is looked through without an ear for Ctrl-C.
const BRIEF_BYTES_MAX: usize = 64 << 10;
const NAMES: [&str; 4] = ["recall", "balanced", "precision", "off"];
