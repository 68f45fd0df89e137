//! Arrow in and out through the capsule interface, without a Python library in between.

use crate::failure::{caught, raise, usage};
use crate::work::{interruptible, on_pool};
use allonym::{Cancel, Failure, Result};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchReader, StructArray};
use arrow_schema::{ArrowError, Field, FieldRef, SchemaRef};
use pyo3::exceptions::{PyException, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use pyo3_arrow::PySchema;
use pyo3_arrow::ffi::{
    ArrayIterator, to_array_pycapsules, to_schema_pycapsule, to_stream_pycapsule,
};
use pyo3_arrow::input::{AnyArray, AnyRecordBatch};
use std::sync::{Arc, Mutex, PoisonError};

/// Batches of a table that somebody else holds or makes, checked as they come.
pub(crate) type Batches =
    Box<dyn Iterator<Item = std::result::Result<RecordBatch, ArrowError>> + Send>;

/// The table in a Python object: its schema and its batches.
pub(crate) fn table(object: &Bound<'_, PyAny>) -> PyResult<(SchemaRef, Batches)> {
    let reader: Box<dyn RecordBatchReader + Send> = imported(object, "table", || {
        object.extract::<AnyRecordBatch>().and_then(AnyRecordBatch::into_reader)
    })?;
    let schema = reader.schema();
    Ok((schema, Box::new(reader.map(|batch| batch.and_then(sound_batch)))))
}

/// The schema of a Python object that has one.
pub(crate) fn schema(object: &Bound<'_, PyAny>) -> PyResult<SchemaRef> {
    let has_schema = object.hasattr("__arrow_c_schema__")?;
    if !has_schema {
        return table(object).map(|(schema, _)| schema);
    }
    imported(object, "schema", || object.extract::<PySchema>().map(PySchema::into_inner))
}

/// The array or chunked array in a Python object.
pub(crate) fn chunks(object: &Bound<'_, PyAny>) -> PyResult<(FieldRef, Vec<ArrayRef>)> {
    let reader =
        imported(object, "array", || object.extract::<AnyArray>().and_then(AnyArray::into_reader))?;
    let field = reader.field();
    let py = object.py();
    let cancel = Cancel::default();
    let chunks = interruptible(py, &cancel, || {
        reader
            .map(|chunk| {
                cancel.check()?;
                Ok(chunk.and_then(sound)?)
            })
            .collect::<Result<Vec<ArrayRef>>>()
    })?;
    Ok((field, chunks))
}

/// Columns that came out: an Arrow stream for whoever takes one.
#[pyclass(frozen, module = "allonym", name = "Stream")]
pub(crate) struct Stream {
    schema: SchemaRef,
    cancel: Cancel,
    source: Arc<Mutex<Source>>,
}

enum Source {
    /// Treated and held: can be read as often as one likes.
    Held(Vec<RecordBatch>),
    /// Treated as it is read, once.
    Once(Option<Box<dyn Iterator<Item = Result<RecordBatch>> + Send>>),
}

impl Stream {
    /// Batches that are there.
    pub(crate) fn held(schema: SchemaRef, batches: Vec<RecordBatch>) -> Stream {
        Stream {
            schema,
            cancel: Cancel::default(),
            source: Arc::new(Mutex::new(Source::Held(batches))),
        }
    }

    /// Batches that are made when somebody asks for them; `cancel` ends them.
    pub(crate) fn once(
        schema: SchemaRef,
        cancel: Cancel,
        batches: impl Iterator<Item = Result<RecordBatch>> + Send + 'static,
    ) -> Stream {
        let source = Source::Once(Some(Box::new(batches)));
        Stream { schema, cancel, source: Arc::new(Mutex::new(source)) }
    }
}

#[pymethods]
impl Stream {
    /// Takes an Arrow object in without reading it; it may be one that can be read once only.
    #[new]
    fn new(data: &Bound<'_, PyAny>) -> PyResult<Stream> {
        let (schema, batches) = table(data)?;
        let batches = batches.map(|batch| Ok(batch?));
        Ok(Stream::once(schema, Cancel::default(), batches))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, self.schema.as_ref())?)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let batches: Box<dyn Iterator<Item = Result<RecordBatch>> + Send> = {
            let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *source {
                Source::Held(batches) => Box::new(batches.clone().into_iter().map(Ok)),
                Source::Once(batches) => batches.take().ok_or_else(|| raise(&spent()))?,
            }
        };
        let field = Field::new_struct("", self.schema.fields().clone(), false)
            .with_metadata(self.schema.metadata().clone());
        let arrays = Guarded(batches).map(|batch| {
            batch.map(|batch| Arc::new(StructArray::from(batch)) as ArrayRef).map_err(told)
        });
        let arrays = Box::new(ArrayIterator::new(arrays, Arc::new(field)));
        Ok(to_stream_pycapsule(py, arrays, requested_schema)?)
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Batch>> {
        let source = Arc::clone(&self.source);
        let next = interruptible(py, &self.cancel, move || {
            let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
            if let Source::Held(batches) = &mut *source {
                // Iterating reads a held stream once, like every iterator.
                let batches = std::mem::take(batches);
                *source = Source::Once(Some(Box::new(batches.into_iter().map(Ok))));
            }
            let Source::Once(batches) = &mut *source else { return Ok(None) };
            match batches.as_mut().ok_or_else(spent)?.next() {
                None => Ok(None),
                Some(Ok(batch)) => Ok(Some(batch)),
                Some(Err(failure)) => {
                    *batches = None;
                    Err(failure)
                }
            }
        })?;
        Ok(next.map(Batch))
    }

    fn __repr__(&self) -> String {
        format!("Stream({})", described(&self.schema))
    }
}

/// Some rows of a stream, as an Arrow struct array.
#[pyclass(frozen, module = "allonym")]
pub(crate) struct Batch(RecordBatch);

#[pymethods]
impl Batch {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, self.0.schema_ref().as_ref())?)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let schema = self.0.schema_ref();
        let field = Field::new_struct("", schema.fields().clone(), false)
            .with_metadata(schema.metadata().clone());
        let array = StructArray::from(self.0.clone());
        Ok(to_array_pycapsules(py, Arc::new(field), &array, requested_schema)?)
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }

    fn __repr__(&self) -> String {
        format!("Batch({} rows, {})", self.0.num_rows(), described(self.0.schema_ref()))
    }
}

/// One column that came out.
#[pyclass(frozen, module = "allonym")]
pub(crate) struct Chunks {
    field: FieldRef,
    chunks: Vec<ArrayRef>,
}

impl Chunks {
    pub(crate) fn new(field: FieldRef, chunks: Vec<ArrayRef>) -> Chunks {
        Chunks { field, chunks }
    }
}

#[pymethods]
impl Chunks {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, self.field.as_ref())?)
    }

    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let arrays = self.chunks.clone().into_iter().map(Ok);
        let arrays = Box::new(ArrayIterator::new(arrays, Arc::clone(&self.field)));
        Ok(to_stream_pycapsule(py, arrays, requested_schema)?)
    }

    fn __len__(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.len()).sum()
    }

    fn __repr__(&self) -> String {
        format!("Chunks({} cells of {})", self.__len__(), self.field.data_type())
    }
}

/// An iterator that a foreign caller may poll: no panic gets out, and none starts twice.
struct Guarded(Box<dyn Iterator<Item = Result<RecordBatch>> + Send>);

impl Iterator for Guarded {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        match caught(|| on_pool(|| Ok(self.0.next()))) {
            Ok(next) => next,
            Err(failure) => {
                self.0 = Box::new(std::iter::empty());
                Some(Err(failure))
            }
        }
    }
}

/// Takes an object in. What its producer raises may quote cells: only the type is named.
fn imported<T>(
    object: &Bound<'_, PyAny>,
    what: &str,
    import: impl FnOnce() -> PyResult<T>,
) -> PyResult<T> {
    let py = object.py();
    let type_name = object.get_type().name()?.to_string();
    if !object.hasattr("__arrow_c_stream__")?
        && !object.hasattr("__arrow_c_array__")?
        && !object.hasattr("__arrow_c_schema__")?
    {
        return Err(PyTypeError::new_err(format!(
            "expected a {what} with the Arrow capsule interface, not `{type_name}`"
        )));
    }
    import().map_err(|error| {
        if error.is_instance_of::<PyException>(py) {
            let message = format!("`{type_name}` could not be read as an Arrow {what}");
            raise(&Failure::new("ALO-D001", 3, message))
        } else {
            error
        }
    })
}

/// Foreign memory is taken on trust by the capsule interface, and a string that is not UTF-8
/// would be undefined behaviour further on.
fn sound_batch(batch: RecordBatch) -> std::result::Result<RecordBatch, ArrowError> {
    for column in batch.columns() {
        sound(Arc::clone(column))?;
    }
    Ok(batch)
}

fn sound(array: ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
    match array.to_data().validate_full() {
        Ok(()) => Ok(array),
        Err(_) => {
            let message = "the Arrow data breaks its own format (text that is not UTF-8, or \
                           offsets that point outside)";
            Err(ArrowError::ExternalError(Box::new(Failure::new("ALO-D001", 3, message))))
        }
    }
}

/// A failure as the C stream interface can say it: one text, without the zero byte that would cut
/// it.
fn told(failure: Failure) -> ArrowError {
    let Failure { code, message, hint, .. } = failure;
    let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
    let text = format!("{message}{hint} [{code}]").replace('\0', "\u{fffd}");
    ArrowError::ExternalError(text.into())
}

fn spent() -> Failure {
    usage("this stream was read already").hint("apply the policy again, or keep what was read")
}

fn described(schema: &SchemaRef) -> String {
    let fields: Vec<String> = schema
        .fields()
        .iter()
        .map(|field| format!("{:?}: {}", field.name(), field.data_type()))
        .collect();
    fields.join(", ")
}
