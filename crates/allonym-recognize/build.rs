//! Embeds the rule files and the sets of `recognizers/` in the library.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let root = manifest.join("../../recognizers");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let mut files = Vec::new();
    collect(&root, &root, &mut files)?;
    files.sort();
    let mut code = String::new();
    for (name, of_sets) in [("RULES", false), ("SETS", true)] {
        writeln!(code, "pub(crate) const {name}: &[(&str, &str)] = &[").expect("strings take all");
        for path in files.iter().filter(|path| path.starts_with("sets/") == of_sets) {
            let full = root.join(path).canonicalize()?;
            writeln!(code, "    ({path:?}, include_str!({full:?})),").expect("strings take all");
        }
        writeln!(code, "];").expect("strings take all");
    }
    fs::write(out.join("shipped.rs"), code)
}

/// Adds the rule files below `folder`, as paths from `root` with `/`.
fn collect(root: &Path, folder: &Path, files: &mut Vec<String>) -> io::Result<()> {
    rerun_if_changed(folder);
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            rerun_if_changed(&path);
            let relative = path.strip_prefix(root).expect("it was found below the root");
            let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
            files.push(parts.join("/"));
        }
    }
    Ok(())
}

fn rerun_if_changed(path: &Path) {
    println!("cargo::rerun-if-changed={}", path.display());
}
