//! What is not production grade about a ring, told without opening it.

use crate::file::{self, RingFile};
use crate::ring::{KeyInfo, KeyState, LEDGER_TENANT, day_number};
use crate::{KeyError, Keyring};
use std::fmt;
use std::path::Path;

/// One thing to mend about a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable code, `ALO-K101`; that of the [`KeyError`] where opening would fail.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is so.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl Finding {
    /// Whether the ring cannot be used until this is mended.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    fn new(code: &'static str, severity: Severity, message: String, fix: &str) -> Finding {
        Finding { code, severity, message, fix: fix.to_owned() }
    }

    fn of_error(error: &KeyError, severity: Severity) -> Finding {
        let fix = error.hint().unwrap_or_else(|| "see to it that the file can be read".into());
        Finding { code: error.code(), severity, message: error.to_string(), fix }
    }
}

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Works, and is not fit for production.
    Warning,
    /// The ring does not open like this.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// Looks at the ring at `path` and its surroundings, without opening it: gravest first.
///
/// `now` (RFC 3339) is for the age of keys; without it no age is judged. An empty answer means
/// that nothing was found of what is looked for, not that the ring is safe: whether its secrets
/// are intact is known only when it is opened.
#[must_use]
pub fn doctor(path: &Path, now: Option<&str>) -> Vec<Finding> {
    let mut findings = match RingFile::read(path) {
        Ok((ring, keys)) => {
            let mut findings = Vec::new();
            locks(path, &ring, &mut findings);
            surroundings(path, &mut findings);
            if let Some(now) = now {
                let in_use =
                    |key: &&KeyInfo| key.state == KeyState::Active && key.tenant != LEDGER_TENANT;
                for key in keys.iter().filter(in_use) {
                    findings.extend(age(&key.id, &key.created, now));
                }
            }
            findings
        }
        Err(error) => vec![Finding::of_error(&error, Severity::Error)],
    };
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

fn locks(path: &Path, ring: &RingFile, findings: &mut Vec<Finding>) {
    let has_local = ring.wraps.iter().any(|wrap| wrap.kdf.is_none());
    let key_path = Keyring::local_key_path(path);
    if has_local {
        match file::read_local_key(&key_path) {
            Ok(_) => findings.push(Finding::new(
                "ALO-K101",
                Severity::Warning,
                format!("the key file `{}` beside the ring opens it: whoever copies the folder has both", key_path.display()),
                "lock the ring by a passphrase kept elsewhere",
            )),
            Err(error) => {
                let other_way = ring.wraps.len() > 1;
                let severity = if other_way { Severity::Warning } else { Severity::Error };
                findings.push(Finding::of_error(&error, severity));
            }
        }
    } else if file::is_there(&key_path) {
        findings.push(Finding::new(
            "ALO-K102",
            Severity::Warning,
            format!(
                "the key file `{}` does not open the ring, but may open older copies of it",
                key_path.display()
            ),
            "keep it only as long, and as safe, as backups of the ring that it opens",
        ));
    }
    if ring.wraps.len() == 1 {
        let only = if has_local { crate::kek::LOCAL_KEY_FILE } else { crate::kek::PASSPHRASE };
        findings.push(Finding::new(
            "ALO-K103",
            Severity::Warning,
            format!(
                "the {only} is the only way to open the ring: once lost, no token can be made again"
            ),
            "keep a copy of the ring, and of what opens it, with a second custodian",
        ));
    }
    if ring.wraps.iter().filter_map(|wrap| wrap.kdf.as_ref()).any(file::Kdf::at_floor) {
        findings.push(Finding::new(
            "ALO-K104",
            Severity::Note,
            "the passphrase is hashed with the least memory and passes that are accepted".into(),
            "use a passphrase of at least six random words; hashing cannot save a short one",
        ));
    }
}

fn surroundings(path: &Path, findings: &mut Vec<Finding>) {
    // The ring was read a moment ago; where its real folder cannot be told, the named one is.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let Some(folder) = real.parent() else { return };
    if others_may_write(folder) {
        findings.push(Finding::new(
            "ALO-K105",
            Severity::Warning,
            format!(
                "others than its owner may put files into the ring's folder `{}`",
                folder.display()
            ),
            "close it: chmod 700 on the folder, or move the ring",
        ));
    }
    if folder.ancestors().any(|folder| file::is_there(&folder.join(".git"))) {
        findings.push(Finding::new(
            "ALO-K106",
            Severity::Warning,
            format!("the ring's folder `{}` is under version control", folder.display()),
            "move the ring out of it: what was committed once stays in the history",
        ));
    }
}

#[cfg(unix)]
fn others_may_write(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    folder.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o022 != 0)
}

#[cfg(not(unix))]
fn others_may_write(_: &Path) -> bool {
    false
}

fn age(id: &str, created: &str, now: &str) -> Option<Finding> {
    let (Some(made), Some(today)) = (day_number(created), day_number(now)) else {
        return Some(Finding::new(
            "ALO-K107",
            Severity::Note,
            format!("the age of key {id} cannot be told: the time given for now is not RFC 3339"),
            "give a time of the form 2026-01-31T09:00:00Z",
        ));
    };
    let days = today - made;
    // Offsets may put the same moment on neighbouring days.
    if days < -1 {
        return Some(Finding::new(
            "ALO-K108",
            Severity::Warning,
            format!("key {id} was made {} days after now", -days),
            "set the clock right; times in receipts depend on it",
        ));
    }
    (days > DAYS_IN_USE_MAX).then(|| {
        Finding::new(
            "ALO-K109",
            Severity::Warning,
            format!("key {id} has been in use for {days} days, more than {DAYS_IN_USE_MAX}"),
            "make its successor for new data sets: allonym key new",
        )
    })
}

/// NIST SP 800-57 part 1, 5.3.6: a symmetric authentication key is used for two years at most.
const DAYS_IN_USE_MAX: i64 = 730;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let code = |created, now| age("K7Q2Z", created, now).map(|finding| finding.code);
        assert_eq!(code("2024-01-31T09:00:00Z", "2026-01-30"), None);
        assert_eq!(code("2024-01-31T09:00:00Z", "2026-01-31T00:00:00Z"), Some("ALO-K109"));
        assert_eq!(code("2026-01-31", "2026-01-31T09:00:00Z"), None);
        assert_eq!(code("2026-01-31", "2026-01-30T23:59:00-05:00"), None);
        assert_eq!(code("2026-01-31", "2026-01-29"), Some("ALO-K108"));
        assert_eq!(code("2026-01-31", "yesterday"), Some("ALO-K107"));
    }
}
