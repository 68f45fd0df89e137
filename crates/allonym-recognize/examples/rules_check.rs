//! Checks the rule files of a folder: `rules_check FOLDER`.

use allonym_recognize::{RuleFile, check};
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "an example talks")]
fn main() -> io::Result<ExitCode> {
    let Some(folder) = env::args_os().nth(1) else {
        eprintln!("usage: rules_check FOLDER");
        return Ok(ExitCode::from(2));
    };
    let mut files = Vec::new();
    collect(Path::new(&folder), &mut files)?;
    files.sort_by(|left, right| left.path.cmp(&right.path));
    let report = check(&files);
    for problem in &report.problems {
        let rule = problem.rule.as_deref().unwrap_or("-");
        println!("{}: {rule}: {}", problem.path, problem.message);
    }
    for contested in &report.contested {
        println!("contested: {contested}");
    }
    for slow in &report.slow {
        println!("slow: {slow}");
    }
    println!(
        "{} files, {} entities, {} rules, {} examples, {} near-misses, {} problems",
        report.files,
        report.entities,
        report.rules,
        report.examples,
        report.near_misses,
        report.problems.len(),
    );
    Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn collect(folder: &Path, files: &mut Vec<RuleFile>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "sets") {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(RuleFile {
                path: path.display().to_string(),
                text: fs::read_to_string(&path)?,
            });
        }
    }
    Ok(())
}
