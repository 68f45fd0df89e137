//! Trouble with files, told without quoting them.

use std::fmt;
use std::io;

/// Input or output trouble. Never quotes a cell: file, column, row number, byte lengths.
///
/// The errors of the Arrow, Parquet and compression libraries quote data, so none of them is
/// kept as a source: each is rewritten to what went wrong and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct IoError {
    /// File as the user named it (`-` for stdin or stdout).
    pub path: String,
    /// What is wrong, where, and what to do.
    pub message: String,
    /// Which kind.
    pub kind: IoErrorKind,
}

/// Kinds of trouble; the faces turn them into exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IoErrorKind {
    /// Missing, empty, truncated, corrupt, ragged, wrongly encoded, oversized, duplicate columns. Exit 3.
    BadInput,
    /// A field that was not in the schema at the start (stdin JSON Lines). Exit 1.
    NewField,
    /// Not permitted by the operating system. Exit 4.
    Permission,
    /// Output exists, output = input, unsupported combination. Exit 2.
    Usage,
    /// Disk full, device error. Exit 75.
    Storage,
}

impl IoError {
    pub(crate) fn bad(path: &str, message: impl fmt::Display) -> IoError {
        IoError::new(IoErrorKind::BadInput, path, message)
    }

    pub(crate) fn usage(path: &str, message: impl fmt::Display) -> IoError {
        IoError::new(IoErrorKind::Usage, path, message)
    }

    pub(crate) fn new(kind: IoErrorKind, path: &str, message: impl fmt::Display) -> IoError {
        IoError { path: path.to_owned(), message: message.to_string(), kind }
    }

    /// The operating system refused to open or read an input.
    pub(crate) fn reading(path: &str, error: &io::Error) -> IoError {
        use io::ErrorKind as K;
        let bad = |message| IoError::bad(path, message);
        match error.kind() {
            K::NotFound => bad("no such file"),
            K::IsADirectory => bad("this is a folder, not a file"),
            K::PermissionDenied => IoError::new(IoErrorKind::Permission, path, "not readable"),
            K::UnexpectedEof => bad("the file ends too early; it is truncated"),
            K::InvalidData | K::InvalidInput => bad("the file is corrupt"),
            kind => IoError::new(IoErrorKind::Storage, path, format!("cannot be read: {kind}")),
        }
    }

    /// The operating system refused to create, write or rename an output.
    pub(crate) fn writing(path: &str, error: &io::Error) -> IoError {
        use io::ErrorKind as K;
        match error.kind() {
            K::NotFound => {
                IoError::usage(path, "the folder it should stand in does not exist; create it")
            }
            K::NotADirectory => IoError::usage(path, "a part of the path is a file, not a folder"),
            K::IsADirectory => IoError::usage(path, "this is a folder; name a file in it"),
            K::PermissionDenied | K::ReadOnlyFilesystem => {
                IoError::new(IoErrorKind::Permission, path, "not writable")
            }
            kind => IoError::new(IoErrorKind::Storage, path, format!("cannot be written: {kind}")),
        }
    }
}

/// Rows are counted for people from 1, with thousands marked.
pub(crate) fn counted(number: u64) -> String {
    let digits = number.to_string();
    let mut counted = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            counted.push(',');
        }
        counted.push(digit);
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_marked() {
        let check = |number, expected: &str| assert_eq!(counted(number), expected);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(1_234_567, "1,234,567");
    }

    #[test]
    fn system_errors_have_kinds() {
        let check = |kind, reading, writing| {
            let error = io::Error::from(kind);
            assert_eq!(IoError::reading("f", &error).kind, reading);
            assert_eq!(IoError::writing("f", &error).kind, writing);
        };
        use IoErrorKind::{BadInput, Permission, Storage, Usage};
        check(io::ErrorKind::NotFound, BadInput, Usage);
        check(io::ErrorKind::PermissionDenied, Permission, Permission);
        check(io::ErrorKind::StorageFull, Storage, Storage);
        check(io::ErrorKind::QuotaExceeded, Storage, Storage);
        check(io::ErrorKind::IsADirectory, BadInput, Usage);
        check(io::ErrorKind::UnexpectedEof, BadInput, Storage);
    }

    #[test]
    fn a_source_is_never_kept() {
        let quoted = io::Error::other("Ada Canary");
        let error = IoError::reading("f", &quoted);
        assert!(std::error::Error::source(&error).is_none());
        assert!(!format!("{error} {error:?}").contains("Canary"));
    }
}
