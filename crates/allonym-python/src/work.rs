//! Long work off the interpreter lock, with an ear for Ctrl-C.

use crate::failure::{caught, raise};
use allonym::{Cancel, Failure, Result};
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Runs `work` on its own thread while the calling one listens for signals without the
/// interpreter lock, so that producers written in Python can take it.
///
/// A signal handler that raises (Ctrl-C does) sets `cancel`; what it raised is returned once the
/// work has ended.
pub(crate) fn interruptible<T: Send>(
    py: Python<'_>,
    cancel: &Cancel,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    let (signal, outcome) = py.detach(|| {
        std::thread::scope(|scope| {
            let (working, finished) = channel::<()>();
            let worker = scope.spawn(move || {
                let outcome = caught(|| on_pool(work));
                drop(working);
                outcome
            });
            let mut signal = None;
            while finished.recv_timeout(LISTEN) == Err(RecvTimeoutError::Timeout) {
                if signal.is_none()
                    && let Err(error) = Python::attach(|py| py.check_signals())
                {
                    cancel.cancel();
                    signal = Some(error);
                }
            }
            let outcome = worker.join().unwrap_or_else(|_| {
                Err(Failure::new("ALO-X005", 5, "internal error; the output was withheld"))
            });
            (signal, outcome)
        })
    });
    match signal {
        Some(signal) => Err(signal),
        None => outcome.map_err(|failure| raise(&failure)),
    }
}

/// Runs short work without the interpreter lock.
pub(crate) fn brief<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    py.detach(|| caught(|| on_pool(work))).map_err(|failure| raise(&failure))
}

/// Runs `work` where rayon has threads: a forked child has inherited the pool of its parent but
/// none of its threads, and would wait for them forever.
pub(crate) fn on_pool<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let process = std::process::id();
    if *FIRST_PROCESS.get_or_init(|| process) == process {
        return work();
    }
    let pool = {
        let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
        match pools.get(&process) {
            Some(pool) => Arc::clone(pool),
            None => {
                let pool = rayon::ThreadPoolBuilder::new().build().map_err(|_| {
                    Failure::new("ALO-S002", 75, "the system gave no threads to work with")
                })?;
                // Pools of the processes before are kept: dropping one would wait for its threads.
                Arc::clone(pools.entry(process).or_insert_with(|| Arc::new(pool)))
            }
        }
    };
    pool.install(work)
}

/// Remembers which process loaded the module.
pub(crate) fn remember_process() {
    FIRST_PROCESS.get_or_init(std::process::id);
}

static FIRST_PROCESS: OnceLock<u32> = OnceLock::new();
static POOLS: Mutex<BTreeMap<u32, Arc<rayon::ThreadPool>>> = Mutex::new(BTreeMap::new());

/// How long Ctrl-C may go unheard.
const LISTEN: Duration = Duration::from_millis(50);
