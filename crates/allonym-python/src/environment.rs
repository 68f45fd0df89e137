//! The process around a call: variables and the clock, read once and handed on.

use crate::failure::{raise, usage};
use allonym::{Environment, Failure};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

/// `os.environ` as Python has it now. Variables that are not Unicode name nothing of ours.
pub(crate) fn environment(
    py: Python<'_>,
    passphrase_file: Option<PathBuf>,
) -> PyResult<Environment> {
    let variables = py.import("os")?.getattr("environ")?.call_method0("copy")?;
    let variables = variables.cast_into::<PyDict>()?;
    let text = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        Some((name.extract::<String>().ok()?, value.extract::<String>().ok()?))
    };
    Ok(Environment::new(variables.iter().filter_map(text)).with_passphrase_file(passphrase_file))
}

/// RFC 3339, to the second: `SOURCE_DATE_EPOCH`, else now.
pub(crate) fn now(environment: &Environment) -> PyResult<String> {
    clock(environment).map_err(|failure| raise(&failure))
}

fn clock(environment: &Environment) -> Result<String, Failure> {
    if let Some(epoch) = environment.variable("SOURCE_DATE_EPOCH") {
        let time = epoch.parse().ok().and_then(|epoch| jiff::Timestamp::from_second(epoch).ok());
        return time
            .map(|time| time.to_string())
            .ok_or_else(|| usage("SOURCE_DATE_EPOCH is no number of seconds"));
    }
    Ok(allonym_cli::clock_of_machine())
}
