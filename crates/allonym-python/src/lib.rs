//! The extension module `allonym._allonym`: Arrow objects in, Arrow objects out.
//!
//! Thin over the facade. `python/allonym` is thin over this and gives callers back the type they
//! came with. Every failure is one of the classes of `allonym.exceptions`; none holds a cell.

mod canary;
mod check;
mod command;
mod enforce;
mod environment;
mod evaluate;
mod exposure;
mod failure;
mod keys;
mod measure;
mod policy;
mod retention;
mod risk;
mod scan;
mod stream;
mod text;
mod work;

use pyo3::prelude::*;

#[pymodule]
fn _allonym(module: &Bound<'_, PyModule>) -> PyResult<()> {
    failure::silence_panics();
    work::remember_process();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<exposure::AttackScores>()?;
    module.add_class::<exposure::Curve>()?;
    module.add_class::<exposure::TprAt>()?;
    module.add_class::<keys::KeyInfo>()?;
    module.add_class::<keys::Keyring>()?;
    module.add_class::<measure::ExposureCore>()?;
    module.add_class::<policy::PlanCore>()?;
    module.add_class::<policy::PolicyCore>()?;
    module.add_class::<policy::TreatedTable>()?;
    module.add_class::<scan::Scan>()?;
    module.add_class::<stream::Batch>()?;
    module.add_class::<stream::Chunks>()?;
    module.add_class::<stream::Stream>()?;
    module.add_class::<text::Span>()?;
    module.add_class::<text::Spans>()?;
    module.add_function(wrap_pyfunction!(canary::list_canaries, module)?)?;
    module.add_function(wrap_pyfunction!(canary::score_canaries_of, module)?)?;
    module.add_function(wrap_pyfunction!(check::check, module)?)?;
    module.add_function(wrap_pyfunction!(command::main, module)?)?;
    module.add_function(wrap_pyfunction!(evaluate::evaluate, module)?)?;
    module.add_function(wrap_pyfunction!(enforce::erase_people, module)?)?;
    module.add_function(wrap_pyfunction!(enforce::expire_files, module)?)?;
    module.add_function(wrap_pyfunction!(exposure::attack_gap, module)?)?;
    module.add_function(wrap_pyfunction!(exposure::attack_lira, module)?)?;
    module.add_function(wrap_pyfunction!(exposure::attack_loss, module)?)?;
    module.add_function(wrap_pyfunction!(exposure::attack_modified_entropy, module)?)?;
    module.add_function(wrap_pyfunction!(exposure::attack_offset, module)?)?;
    module.add_function(wrap_pyfunction!(exposure::attack_population, module)?)?;
    module.add_function(wrap_pyfunction!(exposure::attack_qmia, module)?)?;
    module.add_function(wrap_pyfunction!(exposure::attack_rmia, module)?)?;
    module.add_function(wrap_pyfunction!(exposure::attack_t_lira, module)?)?;
    module.add_function(wrap_pyfunction!(exposure::attack_text, module)?)?;
    module.add_function(wrap_pyfunction!(exposure::roc, module)?)?;
    module.add_function(wrap_pyfunction!(keys::default_keyring, module)?)?;
    module.add_function(wrap_pyfunction!(keys::derive_token, module)?)?;
    module.add_function(wrap_pyfunction!(keys::tokenize, module)?)?;
    module.add_function(wrap_pyfunction!(measure::gate_exposure, module)?)?;
    module.add_function(wrap_pyfunction!(measure::logit_limit, module)?)?;
    module.add_function(wrap_pyfunction!(measure::measure_file, module)?)?;
    module.add_function(wrap_pyfunction!(measure::measure_signals, module)?)?;
    module.add_function(wrap_pyfunction!(measure::render_exposure, module)?)?;
    module.add_function(wrap_pyfunction!(retention::decide, module)?)?;
    module.add_function(wrap_pyfunction!(risk::gate_risk, module)?)?;
    module.add_function(wrap_pyfunction!(risk::measure, module)?)?;
    module.add_function(wrap_pyfunction!(risk::render_risk, module)?)?;
    module.add_function(wrap_pyfunction!(scan::scan, module)?)?;
    module.add_function(wrap_pyfunction!(text::find, module)?)?;
    module.add_function(wrap_pyfunction!(text::find_batch, module)?)?;
    module.add_function(wrap_pyfunction!(text::redact, module)?)?;
    module.add_function(wrap_pyfunction!(text::rules, module)?)?;
    module.add_function(wrap_pyfunction!(text::validate, module)?)?;
    #[cfg(debug_assertions)]
    module.add_function(wrap_pyfunction!(failure::panic_with, module)?)?;
    Ok(())
}
