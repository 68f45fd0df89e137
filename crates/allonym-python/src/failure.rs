//! Every failure becomes a Python exception of its kind; a panic tells its place and nothing else.

use allonym::Failure;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

/// The exception of a failure. The classes live in `allonym.exceptions`.
pub(crate) fn raise(failure: &Failure) -> PyErr {
    Python::attach(|py| match class(py, failure) {
        Ok(class) => {
            let Failure { code, message, hint, exit } = failure;
            PyErr::from_type(class, (message.clone(), *code, hint.clone(), *exit))
        }
        Err(error) => error,
    })
}

/// Runs `work`; a panic in it, or in any thread it waits for, is an internal error.
pub(crate) fn caught<T>(work: impl FnOnce() -> allonym::Result<T>) -> allonym::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_payload| {
        // The payload may quote data and is dropped unread.
        let place = last_place().take().unwrap_or_else(|| "an unknown place".to_owned());
        let message = format!("internal error at {place}; the output was withheld");
        Err(Failure::new("ALO-X005", 5, message)
            .hint("report the place and what was asked for; neither holds data"))
    })
}

/// Keeps panics from printing their text, which may quote a cell.
pub(crate) fn silence_panics() {
    std::panic::set_hook(Box::new(|panic| {
        *last_place() = panic.location().map(|place| format!("{}:{}", place.file(), place.line()));
    }));
}

/// A wrong argument of the Python face.
pub(crate) fn usage(message: impl Into<String>) -> Failure {
    Failure::new("ALO-U010", 2, message)
}

/// Panics on a worker with a text that must not be seen; only tests' builds have it.
#[cfg(debug_assertions)]
#[pyfunction]
#[expect(clippy::panic, reason = "it is there to panic")]
pub(crate) fn panic_with(py: Python<'_>, text: &str) -> PyResult<()> {
    crate::work::interruptible(py, &allonym::Cancel::default(), || panic!("{text}"))
}

fn class<'py>(py: Python<'py>, failure: &Failure) -> PyResult<Bound<'py, PyType>> {
    let name = match failure.code.as_bytes().get(4) {
        _ if failure.exit == 75 => "StorageError",
        Some(b'D') => "DataError",
        // Tables whose risk cannot be measured.
        Some(b'U') if failure.exit == 3 => "DataError",
        Some(b'K') => "KeyStoreError",
        Some(b'L') => "RuleError",
        Some(b'P') => "PolicyError",
        Some(b'R' | b'E') => match (failure.code, failure.exit) {
            ("ALO-R001" | "ALO-R003", _) => "PolicyError",
            (_, 2) => "UsageError",
            (_, 4) => "KeyStoreError",
            _ => "DataError",
        },
        Some(b'S') => "StorageError",
        Some(b'U') => "UsageError",
        _ => "InternalError",
    };
    let class = py.import("allonym.exceptions")?.getattr(name)?;
    Ok(class.cast_into::<PyType>()?)
}

fn last_place() -> std::sync::MutexGuard<'static, Option<String>> {
    LAST_PLACE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread that panics is often not the one that asked.
static LAST_PLACE: Mutex<Option<String>> = Mutex::new(None);
