//! Policies, and plans bound to a schema.

use crate::enforce::UNRECORDED;
use crate::environment::{environment, now};
use crate::keys::Keyring;
use crate::scan::Scan;
use crate::stream::{Batches, Stream, schema, table};
use crate::work::{brief, interruptible};
use allonym::ledger::{Scribe, asked_place};
use allonym::{
    BoundPolicy, Cancel, FrameCounts, Guard, Plan, Policy, ScanOptions, TableContract, draft,
    load_rules, open_ring, rule_folders, scan_batches, treat_stream,
};
use allonym_cli::clock_of_machine;
use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyType};
use pyo3_arrow::ffi::to_schema_pycapsule;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A parsed policy and the folder its relative paths start from.
#[pyclass(frozen, module = "allonym")]
pub(crate) struct PolicyCore {
    pub(crate) bound: Arc<BoundPolicy>,
    pub(crate) folder: PathBuf,
}

impl PolicyCore {
    fn new(policy: Policy, folder: PathBuf) -> allonym::Result<PolicyCore> {
        Ok(PolicyCore { bound: Arc::new(BoundPolicy::new(policy, &folder)?), folder })
    }

    pub(crate) fn rule_folders(&self) -> Vec<String> {
        rule_folders(self.policy(), &self.folder)
    }

    /// The folder that relative paths of the policy start from.
    pub(crate) fn place(&self) -> &Path {
        &self.folder
    }

    fn policy(&self) -> &Policy {
        self.bound.policy()
    }
}

#[pymethods]
impl PolicyCore {
    #[classmethod]
    fn parse(
        class: &Bound<'_, PyType>,
        text: &str,
        origin: &str,
        folder: PathBuf,
    ) -> PyResult<PolicyCore> {
        brief(class.py(), || PolicyCore::new(Policy::parse(text, origin)?, folder))
    }

    /// The policy of `[tool.allonym]`, if there is that table.
    #[classmethod]
    fn parse_pyproject(
        class: &Bound<'_, PyType>,
        text: &str,
        origin: &str,
        folder: PathBuf,
    ) -> PyResult<Option<PolicyCore>> {
        brief(class.py(), || match Policy::parse_pyproject(text, origin)? {
            Some(policy) => PolicyCore::new(policy, folder).map(Some),
            None => Ok(None),
        })
    }

    #[classmethod]
    fn draft(
        class: &Bound<'_, PyType>,
        scan: &Scan,
        name: &str,
        purpose: &str,
    ) -> PyResult<PolicyCore> {
        brief(class.py(), || {
            PolicyCore::new(draft(&scan.0, &load_rules(&[])?, name, purpose), PathBuf::new())
        })
    }

    /// A policy from the text of a data contract alone.
    #[classmethod]
    #[pyo3(signature = (text, origin, folder, *, table, purpose))]
    fn of_contract(
        class: &Bound<'_, PyType>,
        text: &str,
        origin: &str,
        folder: PathBuf,
        table: Option<&str>,
        purpose: &str,
    ) -> PyResult<PolicyCore> {
        brief(class.py(), || {
            let contract = TableContract::read(text, origin, table)?;
            PolicyCore::new(contract.draft(purpose)?, folder)
        })
    }

    #[expect(clippy::needless_pass_by_value, reason = "Python's list is taken out whole")]
    fn keep(&self, py: Python<'_>, columns: Vec<String>, reason: &str) -> PyResult<PolicyCore> {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        brief(py, || PolicyCore::new(self.policy().keep(&columns, reason), self.folder.clone()))
    }

    fn to_toml(&self, py: Python<'_>) -> PyResult<String> {
        brief(py, || Ok(self.policy().to_toml()))
    }

    #[getter]
    fn folder(&self) -> String {
        self.folder.display().to_string()
    }

    #[getter]
    fn digest(&self) -> String {
        self.policy().digest()
    }

    #[getter]
    fn name(&self) -> Option<&str> {
        self.policy().name()
    }

    #[getter]
    fn purpose(&self) -> Option<&str> {
        self.policy().purpose()
    }

    #[getter]
    fn columns(&self) -> Vec<(String, &'static str)> {
        self.policy().columns().map(|(name, treatment)| (name.to_owned(), treatment)).collect()
    }

    #[getter]
    fn needs_keys(&self) -> bool {
        self.policy().needs_keys()
    }

    #[getter]
    fn reads_twice(&self) -> bool {
        self.policy().matches_by_entity()
    }

    #[getter]
    fn tenant(&self) -> &str {
        &self.policy().keys().tenant
    }

    #[getter]
    fn ring(&self) -> Option<&str> {
        self.policy().keys().ring.as_deref()
    }

    /// The ring that `reference`, environment, policy or default name, in this order.
    #[pyo3(signature = (reference))]
    fn keyring(&self, py: Python<'_>, reference: Option<&str>) -> PyResult<Keyring> {
        let environment = environment(py, None)?;
        interruptible(py, &Cancel::default(), || {
            let named = Some((self.policy().keys(), self.folder.as_path()));
            Ok(Keyring { ring: Arc::new(open_ring(reference, named, &environment)?) })
        })
    }

    /// A plan for tables of the schema of `data`. A policy that matches columns by entity looks
    /// at the rows first, so that `data` must be readable twice.
    #[pyo3(signature = (data, *, keys, may_read))]
    fn plan(
        &self,
        data: &Bound<'_, PyAny>,
        keys: Option<&Keyring>,
        may_read: bool,
    ) -> PyResult<PlanCore> {
        let py = data.py();
        let cancel = Cancel::default();
        let ring = keys.map(|keys| keys.ring.as_ref());
        let bound = &self.bound;
        let (plan, guard) = if self.policy().matches_by_entity() && may_read {
            let (schema, batches) = table(data)?;
            interruptible(py, &cancel, || {
                let options =
                    ScanOptions { full: true, cancel: cancel.clone(), ..ScanOptions::default() };
                let scan = scan_batches("", &schema, batches, &options)?;
                Ok((bound.plan(&schema, ring, Some(&scan))?, bound.guard(&schema, ring)?))
            })?
        } else {
            let schema = schema(data)?;
            interruptible(py, &cancel, || {
                Ok((bound.plan(&schema, ring, None)?, bound.guard(&schema, ring)?))
            })?
        };
        let guard = guard.map(|guard| Arc::new(Mutex::new(guard)));
        Ok(PlanCore {
            bound: Arc::clone(bound),
            folder: self.folder.clone(),
            plan: Arc::new(plan),
            ring: keys.map(|keys| Arc::clone(&keys.ring)),
            guard,
        })
    }
}

/// A policy bound to a schema and keys.
#[pyclass(frozen, module = "allonym")]
pub(crate) struct PlanCore {
    bound: Arc<BoundPolicy>,
    folder: PathBuf,
    plan: Arc<Plan>,
    ring: Option<Arc<allonym::Keyring>>,
    /// Keeps out who was erased.
    guard: Option<Arc<Mutex<Guard>>>,
}

impl PlanCore {
    /// Rows that were kept out so far.
    fn blocked(&self) -> u64 {
        let guard = self.guard.as_ref();
        guard.map_or(0, |guard| guard.lock().unwrap_or_else(PoisonError::into_inner).blocked())
    }

    /// The rows of a table without those of people who were erased.
    fn admitted(&self, batches: Batches) -> Batches {
        let Some(guard) = self.guard.clone() else { return batches };
        Box::new(batches.map(move |batch| {
            let mut guard = guard.lock().unwrap_or_else(PoisonError::into_inner);
            guard
                .pass_batch(&batch?)
                .map_err(|failure| ArrowError::ExternalError(Box::new(failure)))
        }))
    }
}

#[pymethods]
impl PlanCore {
    /// Name, treatment, detail and entity of every column of the input.
    #[getter]
    fn columns(&self) -> Vec<(String, &'static str, String, Option<String>)> {
        let columns = self.plan.columns().iter().cloned();
        columns.map(|c| (c.name, c.treatment, c.detail, c.entity)).collect()
    }

    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.plan.warnings().to_vec()
    }

    /// For each column that comes out, the input column it is copied from, if it is.
    #[getter]
    fn untouched(&self) -> Vec<Option<usize>> {
        self.plan.untouched().to_vec()
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(to_schema_pycapsule(py, self.plan.output_schema().as_ref())?)
    }

    /// No rows of what comes out.
    fn no_rows(&self) -> Stream {
        Stream::held(Arc::clone(self.plan.output_schema()), Vec::new())
    }

    /// Treats all rows now; with `record`, the receipt is signed and stands in the ledger before the
    /// rows are handed out.
    #[pyo3(signature = (data, *, record))]
    fn treat(&self, data: &Bound<'_, PyAny>, record: bool) -> PyResult<TreatedTable> {
        let py = data.py();
        let environment = environment(py, None)?;
        let started = now(&environment)?;
        let (_, batches) = table(data)?;
        let blocked_before = self.blocked();
        let batches = self.admitted(batches);
        let cancel = Cancel::default();
        let (batches, counts) = interruptible(py, &cancel, || {
            let mut counts = FrameCounts::default();
            let mut out: Vec<RecordBatch> = Vec::new();
            for treated in treat_stream(batches, Arc::clone(&self.plan), cancel.clone()) {
                let treated = treated?;
                counts.add(&treated);
                out.push(treated.records().clone());
            }
            Ok((out, counts))
        })?;
        let mut receipt = self.bound.receipt(&self.plan, &counts, [started, now(&environment)?]);
        let blocked = self.blocked() - blocked_before;
        if blocked > 0 {
            let left_out = "rows are of people who were erased; they were left out";
            receipt.warnings.push(format!("{blocked} {left_out}"));
        }
        let mut warnings = receipt.warnings.clone();
        let receipt = if record {
            let keys = self.bound.policy().keys();
            let place = asked_place(None, Some((keys, &self.folder)), &environment);
            let scribe = Scribe {
                place: place.as_deref(),
                actor: environment.actor(),
                clock: &clock_of_machine,
            };
            let (json, unrecorded) = interruptible(py, &cancel, || {
                let ring = self.ring.as_deref();
                self.bound.record(&mut receipt, &self.folder, ring, &environment, scribe)
            })?;
            // Without keys nobody expects a signature.
            let why = unrecorded.filter(|_| self.ring.is_some());
            warnings.extend(why.map(|why| format!("{UNRECORDED}: {why}")));
            json
        } else {
            receipt.to_json()
        };
        let stream = Stream::held(Arc::clone(self.plan.output_schema()), batches);
        Ok(TreatedTable { stream: Py::new(py, stream)?, receipt, warnings })
    }

    /// Treats rows as they are read.
    fn stream(&self, data: &Bound<'_, PyAny>) -> PyResult<Stream> {
        let (_, batches) = table(data)?;
        let batches = self.admitted(batches);
        let cancel = Cancel::default();
        let schema = Arc::clone(self.plan.output_schema());
        let treated = treat_stream(batches, Arc::clone(&self.plan), cancel.clone())
            .map(|treated| Ok(treated?.records().clone()));
        Ok(Stream::once(schema, cancel, treated))
    }
}

/// Treated rows and what is to be said of them.
#[pyclass(frozen, module = "allonym")]
pub(crate) struct TreatedTable {
    #[pyo3(get)]
    stream: Py<Stream>,
    #[pyo3(get)]
    receipt: String,
    #[pyo3(get)]
    warnings: Vec<String>,
}
