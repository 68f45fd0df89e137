//! How much a model gives away about its training data, for the faces: signals in, evidence out.

mod evidence;
mod files;
mod measure;
mod page;
mod tables;
pub(crate) mod words;

use crate::Failure;

pub use allonym_exposure::*;
pub use evidence::{
    AttackEvidence, ComparisonEvidence, Context, CurveEvidence, EpsilonEvidence, Evidence,
    GateEvidence, GroupEvidence, GroupsEvidence, Limit, Method, Number, RateEvidence,
    RecordEvidence, RecordsEvidence, Told, Utility,
};
pub use files::SignalFile;
pub use measure::{MeasureOptions, Measured, Models, compare_measured, measure};

impl From<AttackError> for Failure {
    fn from(error: AttackError) -> Failure {
        match error {
            AttackError::Parameter { .. } => Failure::new("ALO-U010", 2, error.to_string()),
            AttackError::Signals(error) => error.into(),
            _ => Failure::new(UNFIT, 3, error.to_string()),
        }
    }
}

impl From<SignalError> for Failure {
    fn from(error: SignalError) -> Failure {
        Failure::new(UNFIT, 3, error.to_string())
    }
}

impl From<NpyError> for Failure {
    fn from(error: NpyError) -> Failure {
        Failure::new(UNFIT, 3, error.to_string())
    }
}

impl From<RocError> for Failure {
    fn from(error: RocError) -> Failure {
        match error {
            RocError::Rate { .. } => Failure::new("ALO-U010", 2, error.to_string()),
            _ => Failure::new(UNFIT, 3, error.to_string()),
        }
    }
}

impl From<SubjectError> for Failure {
    fn from(error: SubjectError) -> Failure {
        match error {
            SubjectError::Roc(error) => error.into(),
            _ => Failure::new(UNFIT, 3, error.to_string()),
        }
    }
}

/// Signals, masks and labels that do not fit each other.
const UNFIT: &str = "ALO-D006";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_does_not_fit_and_senseless_parameters_are_told_apart() {
        let failure = Failure::from(AttackError::AllIn);
        assert_eq!((failure.code, failure.exit), ("ALO-D006", 3));
        let failure = Failure::from(AttackError::Signals(SignalError::TooFew { found: 1 }));
        assert_eq!((failure.code, failure.exit), ("ALO-D006", 3));
        let failure = Failure::from(RocError::Rate { what: "the confidence" });
        assert_eq!((failure.code, failure.exit), ("ALO-U010", 2));
        let failure = Failure::from(RocError::NoNonMembers);
        assert_eq!(failure.code, "ALO-D006");
        assert!(failure.message.contains("holdout"));
        let failure = Failure::from(SubjectError::BothSides { count: 1, of: 3 });
        assert_eq!((failure.code, failure.exit), ("ALO-D006", 3));
    }
}
