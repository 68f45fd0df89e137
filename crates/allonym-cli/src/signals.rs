//! SIGINT and SIGTERM ask the run to stop between batches; a second one ends it at once.

use allonym::Cancel;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) struct Signals {
    caught: Arc<AtomicUsize>,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn watch(cancel: &Cancel) -> Signals {
        use signal_hook::consts::{SIGINT, SIGTERM};
        let caught = Arc::new(AtomicUsize::new(0));
        for (signal, exit) in [(SIGINT, 130_u8), (SIGTERM, 143)] {
            // The order matters: the shutdown looks at the flag before this signal sets it.
            // Where signals cannot be watched, the default (ending at once) stays.
            let registered = signal_hook::flag::register_conditional_shutdown(
                signal,
                i32::from(exit),
                cancel.flag(),
            )
            .and_then(|_| {
                signal_hook::flag::register_usize(signal, Arc::clone(&caught), usize::from(exit))
            })
            .and_then(|_| signal_hook::flag::register(signal, cancel.flag()));
            drop(registered);
        }
        Signals { caught }
    }

    #[cfg(not(unix))]
    pub(crate) fn watch(cancel: &Cancel) -> Signals {
        drop(signal_hook::flag::register(signal_hook::consts::SIGINT, cancel.flag()));
        Signals { caught: Arc::new(AtomicUsize::new(0)) }
    }

    /// Exit code of the signal that came, if one did.
    pub(crate) fn caught(&self) -> Option<u8> {
        u8::try_from(self.caught.load(Ordering::Relaxed)).ok().filter(|&exit| exit != 0)
    }
}
