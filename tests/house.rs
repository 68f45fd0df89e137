//! The house: who may import whom, which licences and versions come in, what is absent.
#![expect(clippy::string_slice, reason = "places come from the same text")]
#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Edges between our crates, as ARCHITECTURE.md draws them. Anything else is a wall broken.
const ALLOWED: &[(&str, &[&str])] = &[
    ("allonym-recognize", &[]),
    ("allonym-exposure", &[]),
    ("allonym-keys", &[]),
    ("allonym-io", &[]),
    ("allonym-report", &[]),
    ("allonym-retention", &[]),
    ("allonym-risk", &[]),
    ("allonym-ledger", &["allonym-keys"]),
    ("allonym-core", &["allonym-keys", "allonym-recognize", "allonym-retention"]),
    (
        "allonym",
        &[
            "allonym-core",
            "allonym-exposure",
            "allonym-io",
            "allonym-keys",
            "allonym-ledger",
            "allonym-recognize",
            "allonym-report",
            "allonym-retention",
            "allonym-risk",
        ],
    ),
    ("allonym-cli", &["allonym"]),
    ("allonym-python", &["allonym", "allonym-cli"]),
    ("allonym-benches", &["allonym", "allonym-io", "allonym-keys", "allonym-recognize"]),
];

/// Crates that a room must not know, directly.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("allonym-recognize", &["arrow-array", "arrow-schema", "parquet", "pyo3", "clap"]),
    ("allonym-keys", &["arrow-array", "arrow-schema", "jiff", "chrono", "clap"]),
    (
        "allonym-exposure",
        &["arrow-array", "arrow-schema", "clap", "getrandom", "jiff", "pyo3", "rand"],
    ),
    ("allonym-core", &["parquet", "pyo3", "clap", "getrandom", "rand", "tempfile"]),
    ("allonym-io", &["clap", "pyo3", "hmac", "toml"]),
    ("allonym-ledger", &["arrow-array", "arrow-schema", "pyo3", "clap", "getrandom", "rand"]),
    ("allonym-retention", &["parquet", "pyo3", "clap", "getrandom", "rand", "tempfile", "chrono"]),
    ("allonym-risk", &["arrow-cast", "parquet", "pyo3", "clap", "getrandom", "rand", "serde"]),
    (
        "allonym-report",
        &["arrow-array", "arrow-schema", "clap", "getrandom", "jiff", "parquet", "pyo3", "rand"],
    ),
    ("allonym-python", &["clap", "parquet"]),
];

#[test]
fn crates_know_only_whom_they_may() {
    let metadata = metadata();
    let ours: BTreeMap<&str, BTreeSet<&str>> = packages(&metadata)
        .filter(|package| package["source"].is_null())
        .map(|package| (text(&package["name"]), direct(package)))
        .collect();
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ALLOWED.iter().map(|(name, edges)| (*name, edges.iter().copied().collect())).collect();
    assert_eq!(
        ours.keys().collect::<Vec<_>>(),
        allowed.keys().collect::<Vec<_>>(),
        "a crate came or went: draw it in ARCHITECTURE.md and here"
    );
    for (name, dependencies) in &ours {
        let known: BTreeSet<&str> =
            dependencies.iter().copied().filter(|other| ours.contains_key(other)).collect();
        let extra: Vec<_> = known.difference(&allowed[name]).collect();
        assert!(extra.is_empty(), "{name} must not know {extra:?}");
    }
    for (name, forbidden) in FORBIDDEN {
        let broken: Vec<_> = forbidden.iter().filter(|other| ours[name].contains(*other)).collect();
        assert!(broken.is_empty(), "{name} must not know {broken:?}");
    }
}

#[test]
fn no_dependency_is_banned_or_doubled_where_it_must_not_be() {
    let metadata = metadata();
    let deny = deny();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages(&metadata) {
        versions.entry(text(&package["name"])).or_default().insert(text(&package["version"]));
    }
    for ban in deny["bans"]["deny"].as_array().unwrap() {
        let name = ban["crate"].as_str().unwrap();
        let found = versions.get(name).map_or(0, BTreeSet::len);
        let most = usize::from(ban.get("deny-multiple-versions").is_some());
        assert!(found <= most, "{name} comes in {found} versions, {most} allowed");
    }
    assert_eq!(versions["arrow-array"].len(), 1);
}

#[test]
fn every_licence_is_listed_and_every_source_is_the_registry() {
    let metadata = metadata();
    let deny = deny();
    let allowed: BTreeSet<&str> = deny["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .map(|licence| licence.as_str().unwrap())
        .collect();
    for package in packages(&metadata) {
        let name = text(&package["name"]);
        if package["source"].is_null() {
            assert_eq!(text(&package["license"]), "MIT OR Apache-2.0", "{name}");
            continue;
        }
        assert!(text(&package["source"]).starts_with("registry+"), "{name} is not of a registry");
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(admits(licence, &allowed), "{name} comes under `{licence}`");
    }
}

#[test]
fn licence_expressions_are_read_as_spdx_reads_them() {
    let allowed = BTreeSet::from(["MIT", "Apache-2.0 WITH LLVM-exception"]);
    assert!(admits("MIT", &allowed));
    assert!(admits("GPL-3.0 OR MIT", &allowed));
    assert!(admits("Apache-2.0 WITH LLVM-exception OR GPL-2.0", &allowed));
    assert!(admits("(MIT OR GPL-3.0) AND MIT", &allowed));
    assert!(!admits("MIT AND GPL-3.0", &allowed));
    assert!(!admits("(GPL-2.0 OR GPL-3.0) AND MIT", &allowed));
    assert!(!admits("none", &allowed));
}

/// Only the command prints; only the faces read environment and clock. The lints hold the calls;
/// this holds the exceptions to the lints.
#[test]
fn exceptions_to_the_lints_stand_only_in_the_faces() {
    let quiet = ["print_stdout", "print_stderr", "disallowed_methods"];
    for (path, source) in sources() {
        let face = path.contains("allonym-cli") || path.contains("allonym-python");
        let quiet_by_nature = ["/examples/", "/benches/", "/tests/", "/build.rs"];
        let face = face || quiet_by_nature.iter().any(|place| path.contains(place));
        let place = source.lines().position(|line| {
            let exception = line.contains("#[expect(") || line.contains("#[allow(");
            exception && quiet.iter().any(|lint| line.contains(lint))
        });
        assert!(face || place.is_none(), "{path}:{}", place.unwrap_or(0) + 1);
    }
}

#[test]
fn nothing_is_left_unfinished() {
    let marks =
        ["todo!(", "unimplemented!(", concat!("TO", "DO"), concat!("FIX", "ME"), "#[ignore"];
    for (path, source) in sources() {
        if path.ends_with("tests/house.rs") {
            continue;
        }
        for mark in marks {
            assert!(!source.contains(mark), "{path} holds `{mark}`");
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_in_every_crate() {
    let root = root();
    for entry in fs::read_dir(root.join("crates")).unwrap() {
        let manifest = entry.unwrap().path().join("Cargo.toml");
        let manifest: toml::Table = fs::read_to_string(&manifest).unwrap().parse().unwrap();
        assert_eq!(manifest["lints"]["workspace"].as_bool(), Some(true), "{manifest:?}");
    }
    let workspace: toml::Table =
        fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    let lint = &workspace["workspace"]["lints"]["rust"]["unsafe_code"];
    assert_eq!(lint.as_str(), Some("forbid"));
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().unwrap().iter()
}

fn direct(package: &Value) -> BTreeSet<&str> {
    package["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|dependency| dependency["kind"].is_null())
        .map(|dependency| text(&dependency["name"]))
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn deny() -> toml::Table {
    fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap()
}

/// `OR` needs one side, `AND` both; `/` is the old spelling of `OR`.
fn admits(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let expression = expression.replace('/', " OR ");
    let expression = expression.trim();
    // OR binds weaker than AND, so it is split first; parentheses hide what is inside.
    let either = split_outside(expression, " OR ");
    if either.len() > 1 {
        return either.iter().any(|part| admits(part, allowed));
    }
    let both = split_outside(expression, " AND ");
    if both.len() > 1 {
        return both.iter().all(|part| admits(part, allowed));
    }
    match expression.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => admits(inner, allowed),
        None => allowed.contains(expression),
    }
}

fn split_outside<'a>(expression: &'a str, operator: &str) -> Vec<&'a str> {
    let (mut parts, mut depth, mut from) = (Vec::new(), 0_i32, 0);
    for (at, character) in expression.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 && expression[at..].starts_with(operator) {
            parts.push(expression[from..at].trim());
            from = at + operator.len();
        }
    }
    parts.push(expression[from..].trim());
    parts
}

/// Every Rust source of ours, with its path from the root.
fn sources() -> Vec<(String, String)> {
    let root = root();
    let mut found = Vec::new();
    let mut folders = vec![root.join("crates"), root.join("tests"), root.join("benches")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 30, "the sources were not found");
    found
}
