//! How a file came to be another one than its receipt tells of: by expiries and erasures whose signed
//! evidence names the digests on both sides.

use crate::verify::{SignatureState, signature_of};
use crate::{Certificate, ExpireEvidence, Version};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

/// Steps from one digest to the next, of all evidence that was met.
#[derive(Default)]
pub(crate) struct Succession {
    read: BTreeSet<PathBuf>,
    steps: BTreeMap<String, Vec<(String, Step)>>,
}

/// One piece of evidence.
#[derive(Clone, Debug)]
struct Step {
    name: String,
    is_known: bool,
}

/// How one digest became another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Succeeded {
    /// The names of the evidence, in order.
    pub(crate) by: Vec<String>,
    /// Whether each is signed with a key that is known.
    pub(crate) is_known: bool,
}

impl Succession {
    /// How the file at `path` came from one digest to the other: evidence beside it and in the folders
    /// above it is looked at. `None` where nothing tells. Evidence whose signature is broken tells
    /// nothing, and a way on which all of it is known comes before a shorter one.
    pub(crate) fn of(
        &mut self,
        path: &Path,
        from: &str,
        to: &str,
        known: &[String],
    ) -> Option<Succeeded> {
        let real = path.canonicalize().ok()?;
        let name = real.file_name()?.to_string_lossy().into_owned();
        for folder in real.ancestors().skip(1).take(FOLDERS_UP_MAX) {
            self.look_in(folder, &name, known);
        }
        self.way(from, to, true).or_else(|| self.way(from, to, false))
    }

    fn look_in(&mut self, folder: &Path, file: &str, known: &[String]) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let own = name.strip_prefix(file).and_then(|rest| rest.strip_prefix('.'));
            let begins = |name: &str| name.starts_with("expired-") || name.starts_with("erased-");
            let is_evidence = begins(&name) || own.is_some_and(begins);
            if is_evidence && name.ends_with(".allonym.json") && self.read.insert(entry.path()) {
                self.add(&entry.path(), &name, known);
            }
        }
    }

    fn add(&mut self, path: &Path, name: &str, known: &[String]) {
        let Ok(text) = fs::read_to_string(path) else { return };
        let (schema, versions) = match serde_json::from_str::<ExpireEvidence>(&text) {
            Ok(told) => {
                let files = told.files.into_iter().map(|file| (file.before, file.after));
                (ExpireEvidence::SCHEMA, files.collect::<Vec<(Version, Option<Version>)>>())
            }
            Err(_) => match serde_json::from_str::<Certificate>(&text) {
                Ok(told) => {
                    let files = told.files.into_iter().map(|file| (file.before, file.after));
                    (Certificate::SCHEMA, files.collect())
                }
                Err(_) => return,
            },
        };
        let is_known = match signature_of(&text, schema, known).0 {
            SignatureState::Known => true,
            SignatureState::Unknown | SignatureState::Unsigned => false,
            SignatureState::Broken => return,
        };
        for (before, after) in versions {
            let Some(after) = after.filter(|after| after.sha256 != before.sha256) else { continue };
            let step = Step { name: name.to_owned(), is_known };
            self.steps.entry(before.sha256).or_default().push((after.sha256, step));
        }
    }

    /// The shortest way, by known evidence alone or by any.
    fn way(&self, from: &str, to: &str, known_only: bool) -> Option<Succeeded> {
        let mut ways: VecDeque<(&str, Vec<&Step>)> = VecDeque::from([(from, Vec::new())]);
        let mut met: BTreeSet<&str> = BTreeSet::from([from]);
        while let Some((at, way)) = ways.pop_front() {
            for (next, step) in self.steps.get(at).into_iter().flatten() {
                if known_only && !step.is_known || !met.insert(next) {
                    continue;
                }
                let mut way = way.clone();
                way.push(step);
                if next == to {
                    return Some(Succeeded {
                        by: way.iter().map(|step| step.name.clone()).collect(),
                        is_known: way.iter().all(|step| step.is_known),
                    });
                }
                ways.push_back((next, way));
            }
        }
        None
    }
}

const FOLDERS_UP_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_followed_from_step_to_step_and_known_ones_come_first() {
        let mut all = Succession::default();
        for (from, to, name, is_known) in [
            ("a", "b", "one", true),
            ("b", "c", "two", true),
            ("a", "c", "short", false),
            ("c", "a", "back", true),
            ("c", "d", "open", false),
        ] {
            let step = Step { name: name.to_owned(), is_known };
            all.steps.entry(from.to_owned()).or_default().push((to.to_owned(), step));
        }
        let way = |from: &str, to: &str| {
            let found = all.way(from, to, true).or_else(|| all.way(from, to, false))?;
            Some((found.by.join(" "), found.is_known))
        };
        assert_eq!(way("a", "b"), Some(("one".to_owned(), true)));
        assert_eq!(way("a", "c"), Some(("one two".to_owned(), true)));
        assert_eq!(way("a", "d"), Some(("short open".to_owned(), false)));
        assert_eq!(way("d", "a"), None);
    }
}
