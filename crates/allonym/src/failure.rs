//! One failure for both faces: a stable code, what is wrong, what to do, and the exit code.

use arrow_schema::ArrowError;
use std::fmt;

/// Result of the facade.
pub type Result<T> = std::result::Result<T, Failure>;

/// Why something could not be done.
///
/// Messages name file, column, row, rule or key; they never hold cell contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Stable code, `ALO-P003`; `allonym explain CODE` tells more.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do, where something can be said.
    pub hint: Option<String>,
    /// Exit code of the command line.
    pub exit: u8,
}

impl Failure {
    /// A failure without a hint.
    #[must_use]
    pub fn new(code: &'static str, exit: u8, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), hint: None, exit }
    }

    /// The same with a hint that names the fix.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// The run was asked to stop; progress that can be kept is kept.
    #[must_use]
    pub fn interrupted() -> Failure {
        Failure::new("ALO-X130", 130, "interrupted; no output was made visible")
    }

    /// The more severe of two failures, by the order of the exit codes (5, 6, 4, 2, 3, 75, 1, 7).
    #[must_use]
    pub fn worse(self, other: Failure) -> Failure {
        let rank = |exit| SEVERITY.iter().position(|&code| code == exit).unwrap_or(SEVERITY.len());
        if rank(other.exit) < rank(self.exit) { other } else { self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<allonym_io::IoError> for Failure {
    fn from(error: allonym_io::IoError) -> Failure {
        use allonym_io::IoErrorKind as Kind;
        let (code, exit) = match error.kind {
            Kind::BadInput => ("ALO-D001", 3),
            Kind::NewField => ("ALO-P003", 1),
            Kind::Permission => ("ALO-D004", 4),
            Kind::Usage => ("ALO-U001", 2),
            Kind::Storage => ("ALO-S001", 75),
            _ => ("ALO-X005", 5),
        };
        Failure::new(code, exit, error.to_string())
    }
}

/// A producer's own error text can quote cells, so only its kind is told. A failure of ours that
/// went through Arrow comes out as it went in.
impl From<ArrowError> for Failure {
    fn from(error: ArrowError) -> Failure {
        let kind = match &error {
            ArrowError::ExternalError(inner) => match inner.downcast_ref::<Failure>() {
                Some(failure) => return failure.clone(),
                None => "the producer of the Arrow stream failed",
            },
            ArrowError::CDataInterface(_) => "the producer of the Arrow stream failed",
            ArrowError::MemoryError(_) => "not enough memory",
            ArrowError::SchemaError(_) => "a batch does not have the declared schema",
            ArrowError::IoError(_, _) => "reading failed",
            _ => "the Arrow data is not valid",
        };
        Failure::new("ALO-D001", 3, kind)
    }
}

impl From<allonym_core::PolicyError> for Failure {
    fn from(error: allonym_core::PolicyError) -> Failure {
        Failure { code: error.code, message: error.to_string(), hint: error.hint, exit: 2 }
    }
}

impl From<allonym_core::PlanError> for Failure {
    fn from(error: allonym_core::PlanError) -> Failure {
        Failure { code: error.code, message: error.message, hint: error.hint, exit: error.exit }
    }
}

impl From<allonym_core::ApplyError> for Failure {
    fn from(error: allonym_core::ApplyError) -> Failure {
        Failure::new("ALO-D002", 3, error.to_string())
    }
}

impl From<allonym_keys::KeyError> for Failure {
    fn from(error: allonym_keys::KeyError) -> Failure {
        let hint = error.hint();
        Failure { code: error.code(), exit: error.exit(), message: error.to_string(), hint }
    }
}

impl From<allonym_recognize::RuleError> for Failure {
    fn from(error: allonym_recognize::RuleError) -> Failure {
        Failure::new("ALO-L001", 2, error.to_string()).hint("run: allonym rules check FOLDER")
    }
}

/// Most severe first.
const SEVERITY: [u8; 8] = [5, 6, 4, 2, 3, 75, 1, 7];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_arrow_are_told_by_kind_and_ours_come_through() {
        let quoting = ArrowError::ParseError("cannot parse zoe@example.org".to_owned());
        assert_eq!(Failure::from(quoting).message, "the Arrow data is not valid");
        let ours = Failure::new("ALO-K001", 4, "key");
        let wrapped = ArrowError::ExternalError(Box::new(ours.clone()));
        assert_eq!(Failure::from(wrapped), ours);
    }

    #[test]
    fn the_most_severe_exit_wins() {
        let key = Failure::new("ALO-K001", 4, "key");
        let gate = Failure::new("ALO-P003", 1, "gate");
        let bug = Failure::new("ALO-X005", 5, "bug");
        assert_eq!(gate.clone().worse(key.clone()).exit, 4);
        assert_eq!(key.clone().worse(gate).exit, 4);
        assert_eq!(key.worse(bug).exit, 5);
    }
}
