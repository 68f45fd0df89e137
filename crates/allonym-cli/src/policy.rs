//! Which policy a run goes by.

use allonym::{Environment, Failure, Policy, PolicySource, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// `--policy`, else `ALLONYM_POLICY`, else the nearest `allonym.toml` upward from the working
/// folder, else `[tool.allonym]` of the nearest `pyproject.toml`. The first found counts whole.
pub(crate) fn find(flag: Option<&Path>, environment: &Environment) -> Result<PolicySource> {
    if let Some(path) = flag {
        return load(path);
    }
    if let Some(path) = environment.variable("ALLONYM_POLICY") {
        return load(Path::new(path));
    }
    let Ok(here) = std::env::current_dir() else { return Ok(PolicySource::Draft) };
    for folder in here.ancestors() {
        let path = folder.join("allonym.toml");
        if path.is_file() {
            return load(&path);
        }
        if let Some(policy) = from_pyproject(&folder.join("pyproject.toml"))? {
            return Ok(policy);
        }
    }
    Ok(PolicySource::Draft)
}

fn load(path: &Path) -> Result<PolicySource> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::new(
            "ALO-P022",
            2,
            format!("cannot read policy `{}`: {}", path.display(), error.kind()),
        )
        .hint("draft one with: allonym init FILE")
    })?;
    let policy = Policy::parse(&text, &path.display().to_string())?;
    Ok(PolicySource::Given { policy: Box::new(policy), folder: folder_of(path) })
}

fn from_pyproject(path: &Path) -> Result<Option<PolicySource>> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(None) };
    // A pyproject.toml that is not TOML is another tool's complaint.
    let Ok(document) = text.parse::<toml::Table>() else { return Ok(None) };
    let Some(table) = document.get("tool").and_then(|tool| tool.get("allonym")) else {
        return Ok(None);
    };
    let Some(table) = table.as_table() else { return Ok(None) };
    let origin = format!("{} [tool.allonym]", path.display());
    let policy = Policy::parse(&table.to_string(), &origin)?;
    Ok(Some(PolicySource::Given { policy: Box::new(policy), folder: folder_of(path) }))
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().map(Path::to_path_buf).unwrap_or_default()
}
