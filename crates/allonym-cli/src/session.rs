//! One run of the command: where output goes and how it ends.

use crate::arguments::{Color, Global, LogFormat, OutputFormat};
use crate::signals::Signals;
use allonym::{Cancel, Environment, Failure, Result};
use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use std::io::{self, IsTerminal, Write};
use tracing::level_filters::LevelFilter;

pub(crate) struct Session {
    pub(crate) environment: Environment,
    pub(crate) format: OutputFormat,
    pub(crate) cancel: Cancel,
    quiet: bool,
    exit_zero: bool,
    progress: bool,
    signals: Signals,
    stdout: anstream::AutoStream<io::Stdout>,
    stderr: anstream::AutoStream<io::Stderr>,
}

impl Session {
    pub(crate) fn new(global: &Global, environment: Environment) -> Session {
        let choice = match global.color {
            Color::Auto if environment.variable("NO_COLOR").is_some() => ColorChoice::Never,
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        start_logging(global);
        let cancel = Cancel::default();
        Session {
            environment,
            format: global.format,
            signals: Signals::watch(&cancel),
            cancel,
            quiet: global.quiet,
            exit_zero: global.exit_zero,
            progress: !global.quiet && !global.no_progress,
            stdout: anstream::AutoStream::new(io::stdout(), choice),
            stderr: anstream::AutoStream::new(io::stderr(), choice),
        }
    }

    /// Writes results. A closed pipe ends the command quietly: the reader has seen enough.
    pub(crate) fn data(&mut self, bytes: &[u8]) -> Result<()> {
        self.stdout.write_all(bytes).and_then(|()| self.stdout.flush()).map_err(|error| {
            if error.kind() == io::ErrorKind::BrokenPipe {
                Failure::new(CLOSED_PIPE, 0, "")
            } else {
                Failure::new(
                    "ALO-S001",
                    75,
                    format!("cannot write to standard output: {}", error.kind()),
                )
            }
        })
    }

    pub(crate) fn data_line(&mut self, line: &str) -> Result<()> {
        self.data(format!("{line}\n").as_bytes())
    }

    /// A JSON of ours on one line.
    pub(crate) fn data_compact(&mut self, json: &str) -> Result<()> {
        let value: serde_json::Value = serde_json::from_str(json)
            .map_err(|_| Failure::new("ALO-X005", 5, "internal error: what is told is not JSON"))?;
        self.data_line(&value.to_string())
    }

    /// Tells people something; not with `--quiet`.
    pub(crate) fn say(&mut self, line: &str) {
        if !self.quiet {
            // The terminal may be gone; the run's result does not depend on it.
            drop(writeln!(self.stderr, "{line}"));
        }
    }

    pub(crate) fn note(&mut self, line: &str) {
        let style = Style::new().fg_color(Some(AnsiColor::Yellow.into())).bold();
        self.say(&format!("{style}note{style:#}: {line}"));
    }

    pub(crate) fn hint(&mut self, line: &str) {
        let style = Style::new().fg_color(Some(AnsiColor::Cyan.into())).bold();
        self.say(&format!("{style}next{style:#}: {line}"));
    }

    /// Whether progress is shown, and whether as a bar.
    pub(crate) fn progress_kind(&self) -> Option<bool> {
        self.progress.then(|| io::stderr().is_terminal())
    }

    /// The clock of receipts: `--as-of`, else `SOURCE_DATE_EPOCH`, else now.
    pub(crate) fn clock(&self, as_of: Option<&str>) -> Result<Box<dyn Fn() -> String + Sync>> {
        let wrong = |what: &str| {
            Failure::new("ALO-U005", 2, format!("{what} is no RFC 3339 time"))
                .hint("write it as 2026-11-21T00:00:00Z")
        };
        if let Some(as_of) = as_of {
            let time: jiff::Timestamp = as_of.parse().map_err(|_| wrong("--as-of"))?;
            return Ok(Box::new(move || time.to_string()));
        }
        if let Some(epoch) = self.environment.variable("SOURCE_DATE_EPOCH") {
            let time = epoch
                .parse()
                .ok()
                .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
                .ok_or_else(|| {
                    Failure::new("ALO-U005", 2, "SOURCE_DATE_EPOCH is no number of seconds")
                })?;
            return Ok(Box::new(move || time.to_string()));
        }
        Ok(Box::new(clock_of_machine))
    }

    /// Prints the failure, if any, and gives the exit code.
    pub(crate) fn end(mut self, result: Result<u8>) -> u8 {
        let failure = match result {
            Ok(1) if self.exit_zero => return 0,
            Ok(exit) => return exit,
            Err(failure) => failure,
        };
        if failure.code == CLOSED_PIPE {
            return 0;
        }
        let exit = match (failure.exit, self.signals.caught()) {
            (130, Some(signal)) => signal,
            (exit, _) => exit,
        };
        self.print_failure(&failure);
        if exit == 1 && self.exit_zero { 0 } else { exit }
    }

    fn print_failure(&mut self, failure: &Failure) {
        let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
        let dim = Style::new().dimmed();
        let Failure { code, message, hint, .. } = failure;
        let mut text = format!("{red}error[{code}]{red:#}: {message}\n");
        if let Some(hint) = hint {
            text.push_str(&format!("  {dim}fix:{dim:#}  {hint}\n"));
        }
        if crate::codes::explain(code).is_some() {
            text.push_str(&format!("  {dim}more:{dim:#} allonym explain {code}\n"));
        }
        // The terminal may be gone; the exit code still tells.
        drop(self.stderr.write_all(text.as_bytes()));
    }
}

/// The clock of the ledger, which no flag and no variable turns back.
#[must_use]
pub fn clock_of_machine() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}

fn start_logging(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, 2) => LevelFilter::DEBUG,
        (false, _) => LevelFilter::TRACE,
    };
    let builder =
        tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).with_target(false);
    // A second command in one process (the Python entry point) keeps the first one's logger.
    drop(match global.log_format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    });
}

const CLOSED_PIPE: &str = "closed pipe";
