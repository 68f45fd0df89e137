//! Rule folders on disk.

use crate::{Failure, Policy, Result};
use allonym_recognize::{RuleFile, RuleSet};
use std::fs;
use std::path::Path;

/// The shipped rules and those of further folders.
///
/// # Errors
/// A folder that cannot be read, a rule that does not compile, an id that is taken.
pub fn load_rules(folders: &[String]) -> Result<RuleSet> {
    let mut rules = RuleSet::builtin().clone();
    for folder in folders {
        let files = read_rule_files(Path::new(folder))?;
        rules = rules.with(&RuleSet::parse(&files)?)?;
    }
    Ok(rules)
}

/// Folders with the policy's own rules; relative ones start from `folder`, where the policy lies.
#[must_use]
pub fn rule_folders(policy: &Policy, folder: &Path) -> Vec<String> {
    let folders = policy.rule_folders().iter();
    folders.map(|rules| folder.join(rules).display().to_string()).collect()
}

/// The rule files this version ships.
#[must_use]
pub fn builtin_rule_files() -> Vec<RuleFile> {
    let rules = RuleSet::builtin();
    let texts = rules.entities().iter().filter_map(|entity| {
        let text = rules.source_of(&entity.name)?.to_owned();
        Some(RuleFile { path: entity.name.clone(), text })
    });
    texts.collect()
}

/// Reads every `*.toml` below a folder (or one file), sorted by path; the format's own
/// `sets/` are left out.
///
/// # Errors
/// A folder that cannot be read or holds no rule.
pub fn read_rule_files(folder: &Path) -> Result<Vec<RuleFile>> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    if files.is_empty() {
        return Err(Failure::new(
            "ALO-L002",
            2,
            format!("no rule files (*.toml) in `{}`", folder.display()),
        ));
    }
    Ok(files)
}

fn collect(path: &Path, files: &mut Vec<RuleFile>) -> Result<()> {
    let unreadable = |error: std::io::Error| {
        Failure::new(
            "ALO-L002",
            2,
            format!("cannot read rules from `{}`: {}", path.display(), error.kind()),
        )
    };
    if path.is_dir() {
        if path.file_name().is_some_and(|name| name == "sets") {
            return Ok(());
        }
        for entry in fs::read_dir(path).map_err(unreadable)? {
            collect(&entry.map_err(unreadable)?.path(), files)?;
        }
    } else if path.extension().is_some_and(|extension| extension == "toml") {
        let text = fs::read_to_string(path).map_err(unreadable)?;
        files.push(RuleFile { path: path.display().to_string(), text });
    } else if !path.exists() {
        return Err(Failure::new("ALO-L002", 2, format!("no rules at `{}`", path.display())));
    }
    Ok(())
}
