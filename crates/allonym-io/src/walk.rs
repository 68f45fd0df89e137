//! Files, patterns and folders into a list of inputs.

use crate::error::{IoError, IoErrorKind};
use crate::format::Format;
use crate::source::Input;
use glob::MatchOptions;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// One input of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub input: Input,
    /// Path to mirror below the output folder, `/`-separated.
    pub relative: String,
}

/// What arguments name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    /// Inputs: in the order of the arguments, sorted within each, none twice.
    pub found: Vec<Found>,
    /// Files met in folders and patterns that are of no known format, and links to folders:
    /// whoever asked should hear that nobody looked at them.
    pub skipped: Vec<String>,
}

/// Expands files, globs and folders into inputs with their path relative to the argument, sorted;
/// a folder is walked (hidden files, receipts `*.allonym.json`, policies, keyrings and
/// ledgers left out).
/// `-` is standard input. A name that is a file is never read as a pattern.
///
/// # Errors
/// A file is missing, a pattern matches nothing, a folder holds nothing to read or is a table
/// with a log of its own ([`TableFormat`]), whose live files only the log knows.
pub fn expand(arguments: &[String]) -> Result<Expanded, IoError> {
    expand_as(arguments, Tables::Refused)
}

/// As [`expand`], for whoever looks at everything there is: a folder that is a table with a log of its
/// own is one input, its folder, under its own name where it is the argument itself; a folder within that
/// may not be read is one, too, which does not open.
///
/// # Errors
/// As [`expand`], but for tables.
pub fn expand_with_tables(arguments: &[String]) -> Result<Expanded, IoError> {
    expand_as(arguments, Tables::Taken)
}

/// Which kind of table with a log of its own a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// Delta Lake: `_delta_log`.
    Delta,
    /// Apache Iceberg: `metadata` with `*.metadata.json`.
    Iceberg,
}

impl TableFormat {
    /// What the folder is; `None` for one of plain files.
    #[must_use]
    pub fn of_folder(folder: &Path) -> Option<TableFormat> {
        if folder.join("_delta_log").is_dir() {
            return Some(TableFormat::Delta);
        }
        // One that is there and cannot be listed is met again by whoever walks the folder, as an error.
        let entries = fs::read_dir(folder.join("metadata")).ok()?;
        let told = |name: &str| name.ends_with(".metadata.json") || name == "version-hint.text";
        let mut names = entries.flatten().map(|entry| file_name(&entry.path()));
        names.any(|name| told(&name)).then_some(TableFormat::Iceberg)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            TableFormat::Delta => "Delta",
            TableFormat::Iceberg => "Iceberg",
        }
    }
}

/// What becomes of tables on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tables {
    Refused,
    Taken,
}

fn expand_as(arguments: &[String], tables: Tables) -> Result<Expanded, IoError> {
    let mut expanded = Expanded::default();
    for argument in arguments {
        let path = Path::new(argument);
        if argument == "-" {
            expanded.found.push(Found { input: Input::Stdin, relative: "stdin".to_owned() });
        } else if path.is_dir() {
            walk_argument(path, tables, &mut expanded)?;
        } else if path.symlink_metadata().is_ok() {
            expanded.found.push(found(path, path.parent()));
        } else if argument.contains(['*', '?', '[']) {
            match_pattern(argument, &mut expanded)?;
        } else {
            let error = path.metadata().err().map(|error| IoError::reading(argument, &error));
            return Err(error.unwrap_or_else(|| IoError::bad(argument, "no such file")));
        }
    }
    drop_repeated(&mut expanded.found);
    tell_apart(&mut expanded.found);
    Ok(expanded)
}

fn walk_argument(folder: &Path, tables: Tables, expanded: &mut Expanded) -> Result<(), IoError> {
    let before = expanded.found.len();
    walk(folder, folder, tables, expanded, 0)?;
    if expanded.found.len() == before {
        let name = folder.display().to_string();
        return Err(IoError::bad(&name, format!("the folder holds no file of {KNOWN}")));
    }
    Ok(())
}

fn walk(
    folder: &Path,
    root: &Path,
    tables: Tables,
    expanded: &mut Expanded,
    depth: usize,
) -> Result<(), IoError> {
    let name = folder.display().to_string();
    let reading = |error: std::io::Error| IoError::reading(&name, &error);
    if depth > DEPTH_MAX {
        return Err(IoError::bad(&name, format!("folders nest deeper than {DEPTH_MAX}")));
    }
    match (TableFormat::of_folder(folder), tables) {
        (None, _) => {}
        (Some(_), Tables::Taken) => {
            expanded.found.push(found_table(folder, root));
            return Ok(());
        }
        (Some(format), Tables::Refused) => {
            let article = if format == TableFormat::Delta { "a" } else { "an" };
            let message = format!(
                "this is {article} {} table; its folder holds files that are no longer part of it, \
                 so name the live files or export them",
                format.name()
            );
            return Err(IoError::new(IoErrorKind::Usage, &name, message));
        }
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(reading)? {
        entries.push(entry.map_err(reading)?.path());
    }
    entries.sort();
    for path in entries {
        let kind = fs::symlink_metadata(&path).map_err(reading)?;
        if is_hidden(&path) || is_ledger(&path) {
            continue;
        }
        if kind.is_dir() {
            match walk(&path, root, tables, expanded, depth + 1) {
                // Who looks at everything is told of it like of a file that does not open.
                Err(error) if tables == Tables::Taken && error.kind == IoErrorKind::Permission => {
                    expanded.found.push(found(&path, Some(root)));
                }
                walked => walked?,
            }
        } else if kind.is_symlink() && path.is_dir() {
            expanded.skipped.push(path.display().to_string());
        } else {
            offer(&path, Some(root), expanded);
        }
    }
    Ok(())
}

fn match_pattern(pattern: &str, expanded: &mut Expanded) -> Result<(), IoError> {
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let matches = glob::glob_with(pattern, options).map_err(|error| {
        IoError::usage(pattern, format!("not a pattern, from character {}", error.pos + 1))
    })?;
    let base: PathBuf = Path::new(pattern)
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']))
        .collect();
    let before = (expanded.found.len(), expanded.skipped.len());
    for path in matches {
        let path = path.map_err(|error| {
            IoError::reading(&error.path().display().to_string(), error.error())
        })?;
        if !path.is_dir() && !is_hidden(&path) {
            offer(&path, Some(&base), expanded);
        }
    }
    if expanded.found.len() == before.0 {
        let message = match expanded.skipped.len() - before.1 {
            0 => "the pattern matches no file".to_owned(),
            _ => format!("the pattern matches no file of {KNOWN}"),
        };
        return Err(IoError::bad(pattern, message));
    }
    Ok(())
}

/// A file met on the way, not named: taken if it is of a known format.
fn offer(path: &Path, base: Option<&Path>, expanded: &mut Expanded) {
    if is_our_own(path) {
        return;
    }
    match Format::of_path(path) {
        Some(_) => expanded.found.push(found(path, base)),
        None => expanded.skipped.push(path.display().to_string()),
    }
}

fn found(path: &Path, base: Option<&Path>) -> Found {
    let relative = base.and_then(|base| path.strip_prefix(base).ok()).unwrap_or(path);
    Found { input: Input::File(path.to_owned()), relative: slashed(relative) }
}

/// A table that is the argument itself has the name of its folder.
fn found_table(folder: &Path, root: &Path) -> Found {
    let relative = match folder.strip_prefix(root) {
        Ok(inside) if inside.components().next().is_some() => slashed(inside),
        _ => match folder.canonicalize().ok().as_deref().and_then(Path::file_name) {
            Some(name) => name.to_string_lossy().into_owned(),
            None => slashed(folder),
        },
    };
    Found { input: Input::File(folder.to_owned()), relative }
}

/// A path below an output folder: no root, no way up.
fn slashed(path: &Path) -> String {
    let parts: Vec<String> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect();
    parts.join("/")
}

/// Hidden by custom: `.name`, and `_name` as tables in folders keep beside their data.
fn is_hidden(path: &Path) -> bool {
    file_name(path).starts_with(['.', '_'])
}

/// What this project writes beside data.
fn is_our_own(path: &Path) -> bool {
    let name = file_name(path);
    name.ends_with(".allonym.json")
        || name == "allonym.receipt.json"
        || name.ends_with(".policy.toml")
        || name == "allonym.toml"
        || name.contains(".keyring")
}

/// The folder of a ledger, whose entries are lines of JSON and no data.
fn is_ledger(path: &Path) -> bool {
    path.join("ledger.json").is_file() && path.join("segments").is_dir()
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A file that two arguments name is one input.
fn drop_repeated(inputs: &mut Vec<Found>) {
    let mut seen = std::collections::BTreeSet::new();
    inputs.retain(|found| match &found.input {
        Input::Stdin => seen.insert(PathBuf::from("-")),
        Input::File(path) => {
            seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
        }
    });
}

/// Two files must not mirror to one path: those that would keep their whole path.
fn tell_apart(inputs: &mut [Found]) {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for found in inputs.iter() {
        *count.entry(found.relative.clone()).or_default() += 1;
    }
    for found in inputs.iter_mut() {
        if let Input::File(path) = &found.input
            && count[&found.relative] > 1
        {
            found.relative = slashed(path);
        }
    }
}

const KNOWN: &str = "a known format (csv, tsv, jsonl, parquet, arrow, txt and others)";
/// Folders in folders.
const DEPTH_MAX: usize = 64;
