//! The `allonym` command, as the Python package installs it.

use crate::environment::environment;
use crate::failure::silence_panics;
use pyo3::prelude::*;
use std::ffi::OsString;

/// Runs the command line and returns its exit code.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    let environment = environment(py, None)?;
    let exit = py.detach(|| allonym_cli::main_with(arguments, environment));
    // The command line has its own way with panics.
    silence_panics();
    Ok(exit)
}
