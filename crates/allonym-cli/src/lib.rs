//! The `allonym` command: arguments in, exit code out.
//!
//! A library so that the Python package's `allonym` entry point is the same code. Data and
//! results go to standard output, talk and progress to standard error. Everything clever lives in
//! the `allonym` crate.

mod apply;
mod arguments;
mod audit;
mod check;
mod codes;
mod erase;
mod eval;
mod expire;
mod explain;
mod exposure;
mod init;
mod key;
mod policy;
mod progress;
mod report;
mod risk;
mod rules;
mod sarif;
mod scan;
mod session;
mod signals;
mod table;
mod verify;
mod work;

use allonym::{Environment, Failure, Result};
use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser};
use session::Session;
pub use session::clock_of_machine;
use std::ffi::OsString;
use std::io::{self, Write};

/// Runs the command line; `arguments[0]` is the program's name. Returns the exit code of the
/// contract.
#[must_use]
pub fn main_with(arguments: Vec<OsString>, environment: Environment) -> u8 {
    silence_panics();
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let mut session = Session::new(&arguments.global, environment);
    // A panic is a bug of ours: its text may hold anything, so only its place is told.
    let run = std::panic::AssertUnwindSafe(|| run(arguments.command, &mut session));
    let result = std::panic::catch_unwind(run).unwrap_or_else(|_| {
        Err(Failure::new("ALO-X005", 5, "internal error; the output was withheld")
            .hint("report it with the command line and -v output, which hold no data"))
    });
    session.end(result)
}

fn run(command: Command, session: &mut Session) -> Result<u8> {
    if session.format.is_view() && !matches!(command, Command::Report(_) | Command::Check(_)) {
        return Err(no_view());
    }
    match command {
        Command::Scan(arguments) => scan::run(&arguments, session),
        Command::Init(arguments) => init::run(&arguments, session),
        Command::Apply(arguments) => apply::run(&arguments, session),
        Command::Expire(arguments) => expire::run(&arguments, session),
        Command::Erase(arguments) => erase::run(&arguments, session),
        Command::Rules(arguments) => rules::run(&arguments, session),
        Command::Key(arguments) => key::run(&arguments, session),
        Command::Eval(arguments) => eval::run(&arguments, session),
        Command::Exposure { action } => exposure::run(&action, session),
        Command::Risk(arguments) => risk::run(&arguments, session),
        Command::Check(arguments) => check::run(&arguments, session),
        Command::Report(arguments) => report::run(&arguments, session),
        Command::Verify(arguments) => verify::run(&arguments, session),
        Command::Audit(arguments) => audit::run(&arguments, session),
        Command::Explain(arguments) => explain::run(&arguments, session),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "allonym", &mut script);
            session.data(&script)?;
            Ok(0)
        }
        Command::Schema { what } => {
            let schema = match what {
                arguments::SchemaName::Policy => allonym::Policy::json_schema(),
                arguments::SchemaName::Check => allonym::CheckEvidence::json_schema(),
                arguments::SchemaName::Risk => allonym::RiskEvidence::json_schema(),
                arguments::SchemaName::Exposure => allonym::exposure::Evidence::json_schema(),
                arguments::SchemaName::Expire => allonym::ExpireEvidence::json_schema(),
                arguments::SchemaName::Certificate => allonym::Certificate::json_schema(),
                arguments::SchemaName::Receipt => allonym::Receipt::json_schema(),
            };
            session.data_line(&format!("{schema:#}"))?;
            Ok(0)
        }
    }
}

/// Pages are made of evidence.
pub(crate) fn no_view() -> Failure {
    Failure::new("ALO-U013", 2, "this is a format of check and report only")
        .hint("check writes evidence with --evidence FILE, and report renders it")
}

/// clap's own message; `--help` and `--version` are no errors.
fn usage(error: &clap::Error) -> u8 {
    // The terminal may be gone; there is nobody left to tell.
    drop(error.print());
    if error.use_stderr() { 2 } else { 0 }
}

fn silence_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|place| format!("{}:{}", place.file(), place.line()))
            .unwrap_or_default();
        // The payload may quote data; the terminal may be gone.
        drop(writeln!(io::stderr(), "internal error at {place}"));
    }));
}
