use std::io;
use std::path::PathBuf;

/// What went wrong with keys.
///
/// Messages name files, key ids, labels and lengths; never a secret, and never a byte of a file
/// that was taken for a ring by mistake.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No file where the ring should be.
    #[error("no keyring at `{}`", path.display())]
    NoRing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Neither id nor label of a key of the tenant.
    #[error("no key `{wanted}` for tenant `{tenant}` in the keyring; {}", listed(available))]
    UnknownKey {
        /// The id or label asked for.
        wanted: String,
        /// The tenant it was asked for.
        tenant: String,
        /// `ID (label)` of each key that the tenant has, in order of age.
        available: Vec<String>,
    },
    /// The tenant has no active key.
    #[error("tenant `{tenant}` has no key in the keyring; it has keys of {}", quoted(tenants))]
    UnknownTenant {
        /// The tenant asked for.
        tenant: String,
        /// Tenants that have one, sorted.
        tenants: Vec<String>,
    },
    /// The passphrase is wrong, or the ring's header was changed: the two look the same.
    #[error("the passphrase does not open keyring `{}`", path.display())]
    WrongPassphrase {
        /// The ring.
        path: PathBuf,
    },
    /// The local key file is another ring's, or the ring's header was changed.
    #[error("the local key file does not open keyring `{}`", path.display())]
    WrongLocalKey {
        /// The ring.
        path: PathBuf,
    },
    /// Others than the owner may read or change a secret file.
    #[error("others than its owner have access to `{}` (mode {mode:04o}); run `chmod 600`", path.display())]
    OpenToOthers {
        /// The ring or key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// No local key file beside a ring that is locked by one.
    #[error("no local key file at `{}`", path.display())]
    NoLocalKey {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Not a ring or key file, or a damaged one.
    #[error("`{}` is not a well-formed {what}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// `keyring` or `local key file`.
        what: &'static str,
        /// What was expected; never quotes the file.
        reason: String,
    },
    /// A ring of a format that this version does not know.
    #[error("keyring `{}` has a format that this version does not know; it reads `{}`", path.display(), crate::file::FORMAT)]
    UnknownFormat {
        /// The ring.
        path: PathBuf,
    },
    /// Passphrase hashing weaker than is ever written, or so strong that it would stop the machine.
    #[error("keyring `{}` asks for Argon2id with {parameter} = {found}, outside {least} to {most}", path.display())]
    KdfOutOfRange {
        /// The ring.
        path: PathBuf,
        /// `m_kib`, `t` or `p`.
        parameter: &'static str,
        /// What the ring says.
        found: u32,
        /// The least accepted.
        least: u32,
        /// The most accepted.
        most: u32,
    },
    /// The ring opened but its content is not what was sealed.
    #[error("keyring `{}` was changed after it was sealed", path.display())]
    Tampered {
        /// The ring.
        path: PathBuf,
    },
    /// The ring is locked in another way.
    #[error("keyring `{}` is not locked by a {asked} but by a {locked_by}", path.display())]
    OtherLock {
        /// The ring.
        path: PathBuf,
        /// The way that was tried: `passphrase` or `local key file`.
        asked: &'static str,
        /// The way that would open it.
        locked_by: &'static str,
    },
    /// An empty passphrase.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// A ring or key file is there already; it is never written over.
    #[error("`{}` exists already and is not written over", path.display())]
    Exists {
        /// The file in the way.
        path: PathBuf,
    },
    /// A name too long for key derivation, or too many bytes asked for.
    #[error("{what} of {bytes} bytes is too long")]
    TooLong {
        /// Which name.
        what: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// A name that cannot stand in a ring.
    #[error("{what} of {bytes} bytes is not 1 to {most} bytes without control characters")]
    BadName {
        /// `label` or `tenant`.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        most: usize,
    },
    /// A label that cannot stand before a text token.
    #[error("label of {bytes} bytes is not of the form `[A-Z][A-Z0-9_]*`")]
    BadLabel {
        /// Its length.
        bytes: usize,
    },
    /// A label that already names a key of the tenant.
    #[error("tenant `{tenant}` already has a key `{label}`")]
    LabelTaken {
        /// The label.
        label: String,
        /// The tenant.
        tenant: String,
    },
    /// A time that is not RFC 3339.
    #[error("time of {bytes} bytes is not of the form `2026-01-31T09:00:00Z`")]
    BadTime {
        /// Its length.
        bytes: usize,
    },
    /// No way to open a ring, or more than its format has room for.
    #[error(
        "{locks} locks for one keyring; it takes 1 to {most}, at most one local key file among them"
    )]
    BadLocks {
        /// How many were asked for.
        locks: usize,
        /// The most there can be.
        most: usize,
    },
    /// Another process is writing the ring.
    #[error("keyring `{}` is being written by another process", path.display())]
    Busy {
        /// The ring.
        path: PathBuf,
    },
    /// The ring changed under an open one and is another ring now.
    #[error("keyring `{}` was replaced by another ring since it was opened", path.display())]
    Replaced {
        /// The ring.
        path: PathBuf,
    },
    /// The passphrase needs more memory than there is.
    #[error("hashing the passphrase needs {m_kib} KiB of memory, which are not to be had")]
    NoMemory {
        /// Memory in KiB.
        m_kib: u32,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness,
    /// The file system said no.
    #[error("cannot {action} `{}`: {}", path.display(), source.kind())]
    Io {
        /// What was tried: `read`, `write` ...
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl KeyError {
    /// Exit code of the command line: 4, but 2 for wrong usage and 75
    /// for storage trouble that may pass.
    #[must_use]
    pub fn exit(&self) -> u8 {
        match self {
            KeyError::Exists { .. }
            | KeyError::TooLong { .. }
            | KeyError::BadName { .. }
            | KeyError::BadLabel { .. }
            | KeyError::LabelTaken { .. }
            | KeyError::BadLocks { .. }
            | KeyError::BadTime { .. } => 2,
            KeyError::Busy { .. } | KeyError::NoMemory { .. } | KeyError::NoRandomness => 75,
            KeyError::Io { source, .. } if may_pass(source.kind()) => 75,
            _ => 4,
        }
    }

    /// Stable code, `ALO-K001`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            KeyError::NoRing { .. } => "ALO-K001",
            KeyError::UnknownKey { .. } => "ALO-K002",
            KeyError::UnknownTenant { .. } => "ALO-K003",
            KeyError::WrongPassphrase { .. } => "ALO-K004",
            KeyError::WrongLocalKey { .. } => "ALO-K005",
            KeyError::OpenToOthers { .. } => "ALO-K006",
            KeyError::NoLocalKey { .. } => "ALO-K007",
            KeyError::Malformed { .. } => "ALO-K008",
            KeyError::UnknownFormat { .. } => "ALO-K009",
            // 010 to 019 belong to the faces: where rings and passphrases are looked for.
            KeyError::KdfOutOfRange { .. } => "ALO-K020",
            KeyError::Tampered { .. } => "ALO-K021",
            KeyError::OtherLock { .. } => "ALO-K022",
            KeyError::EmptyPassphrase => "ALO-K023",
            KeyError::Exists { .. } => "ALO-K024",
            KeyError::TooLong { .. } => "ALO-K025",
            KeyError::BadName { .. } => "ALO-K026",
            KeyError::BadLabel { .. } => "ALO-K027",
            KeyError::LabelTaken { .. } => "ALO-K028",
            KeyError::BadTime { .. } => "ALO-K029",
            KeyError::Busy { .. } => "ALO-K030",
            KeyError::Replaced { .. } => "ALO-K031",
            KeyError::NoMemory { .. } => "ALO-K032",
            KeyError::NoRandomness => "ALO-K033",
            KeyError::Io { .. } => "ALO-K034",
            KeyError::BadLocks { .. } => "ALO-K035",
        }
    }

    /// What to do, where something can be said.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            KeyError::NoRing { .. } => "make one: allonym key new",
            KeyError::UnknownKey { .. } => {
                "name one of these, or give this keyring's place: another keyring makes other tokens"
            }
            KeyError::UnknownTenant { .. } => "name one of these, or make a key: allonym key new",
            KeyError::OpenToOthers { path, .. } => {
                return Some(format!("run: chmod 600 '{}'", path.display()));
            }
            KeyError::NoLocalKey { .. } => {
                "bring back the key file that was made with the ring; without it the ring stays shut"
            }
            KeyError::WrongLocalKey { .. } => {
                "bring back the key file that was made with this ring, or the ring from its backup"
            }
            KeyError::Malformed { .. } | KeyError::Tampered { .. } => {
                "bring the file back from its backup; do not make a new one, its tokens would differ"
            }
            KeyError::UnknownFormat { .. } => {
                "use the version of allonym that wrote it, or a newer one"
            }
            KeyError::KdfOutOfRange { .. } => {
                "bring the ring back from its backup: it was not written like this"
            }
            KeyError::OtherLock { locked_by: crate::kek::PASSPHRASE, .. } => {
                "give the passphrase: ALLONYM_KEYRING_PASSPHRASE_FILE"
            }
            KeyError::OtherLock { .. } => "open it without a passphrase",
            KeyError::EmptyPassphrase => "put the passphrase on the first line of its file",
            KeyError::Exists { .. } => {
                "choose another path; to add a key to a ring that opens: allonym key new"
            }
            KeyError::LabelTaken { .. } => "choose another: allonym key new --label LABEL",
            KeyError::Busy { .. } => "try again when it is done",
            KeyError::Replaced { .. } => "open the ring again",
            _ => return None,
        };
        Some(text.to_owned())
    }
}

/// Trouble of the storage rather than of the request: worth another try.
fn may_pass(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as Kind;
    !matches!(
        kind,
        Kind::PermissionDenied
            | Kind::NotFound
            | Kind::AlreadyExists
            | Kind::NotADirectory
            | Kind::IsADirectory
            | Kind::ReadOnlyFilesystem
            | Kind::InvalidInput
            | Kind::InvalidFilename
            | Kind::Unsupported
    )
}

fn listed(available: &[String]) -> String {
    match available {
        [] => "the tenant has none".into(),
        keys => format!("it has {}", keys.join(", ")),
    }
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn storage_trouble_may_pass_and_wrong_requests_do_not() {
        let error = |kind: io::ErrorKind| KeyError::Io {
            action: "write",
            path: "a.keyring".into(),
            source: io::Error::new(kind, "zoe.invented@example.org"),
        };
        for (kind, exit) in [
            (io::ErrorKind::StorageFull, 75),
            (io::ErrorKind::QuotaExceeded, 75),
            (io::ErrorKind::TimedOut, 75),
            (io::ErrorKind::Other, 75),
            (io::ErrorKind::PermissionDenied, 4),
            (io::ErrorKind::ReadOnlyFilesystem, 4),
            (io::ErrorKind::NotADirectory, 4),
        ] {
            assert_eq!(error(kind).exit(), exit, "{kind}");
        }
        assert_eq!(
            error(io::ErrorKind::StorageFull).to_string(),
            "cannot write `a.keyring`: no storage space"
        );
    }
}
