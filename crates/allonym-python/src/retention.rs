//! `allonym.retention`.

use crate::failure::raise;
use allonym::retention::{Question, decide as answer};
use pyo3::prelude::*;

#[pyfunction]
#[pyo3(signature = (
    anchor, anchor_type, duration, policy_tz, now, *, assume_tz=None, hold=None, retain_at_least=None
))]
pub(crate) fn decide(
    anchor: Option<&str>,
    anchor_type: &str,
    duration: &str,
    policy_tz: &str,
    now: &str,
    assume_tz: Option<&str>,
    hold: Option<&str>,
    retain_at_least: Option<&str>,
) -> PyResult<(Option<String>, &'static str)> {
    let question = Question {
        anchor,
        anchor_type,
        duration,
        policy_tz,
        now,
        assume_tz,
        hold,
        retain_at_least,
    };
    answer(&question).map_err(|failure| raise(&failure))
}
