//! A bar on a terminal, one line every thirty seconds elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Mutex;
use std::time::{Duration, Instant};

pub(crate) struct Meter {
    bar: Option<ProgressBar>,
    line: Option<Mutex<Instant>>,
}

impl Meter {
    /// `kind` is `None` for silence, `Some(true)` for a terminal.
    pub(crate) fn new(kind: Option<bool>) -> Meter {
        match kind {
            None => Meter { bar: None, line: None },
            Some(true) => {
                let bar = ProgressBar::new(0);
                bar.set_style(
                    ProgressStyle::with_template(
                        "{prefix} [{bar:30}] {bytes}/{total_bytes} · {bytes_per_sec} · {eta} left",
                    )
                    .expect("the template is well formed")
                    .progress_chars("━╸ "),
                );
                Meter { bar: Some(bar), line: None }
            }
            Some(false) => Meter { bar: None, line: Some(Mutex::new(Instant::now())) },
        }
    }

    pub(crate) fn tell(&self, phase: &str, file: &str, bytes: u64, size: Option<u64>) {
        if let Some(bar) = &self.bar {
            if let Some(size) = size {
                bar.set_length(size);
            }
            if bar.prefix() != format!("{phase} {file}") {
                bar.reset();
                bar.set_prefix(format!("{phase} {file}"));
            }
            bar.set_position(bytes);
        }
        if let Some(last) = &self.line {
            let mut last = last.lock().expect("nobody panics while holding the time");
            if last.elapsed() >= LINE_EVERY {
                *last = Instant::now();
                let share = size.filter(|&size| size > 0).map_or_else(String::new, |size| {
                    format!(" ({} %)", bytes.saturating_mul(100) / size)
                });
                let line = format!("{phase} {file}: {} MB{share}\n", bytes >> 20);
                // The terminal may be gone; the run's result does not depend on it.
                drop(std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()));
            }
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

const LINE_EVERY: Duration = Duration::from_secs(30);
