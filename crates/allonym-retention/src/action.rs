//! What happens at expiry, and how several clocks are one.

use jiff::Timestamp;

/// What happens to what has expired, mildest last.
///
/// Where several rules ask for something on the same row the first of them wins: the row goes, is
/// set aside, its key goes, its cell is emptied, becomes random, becomes coarser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnExpiry {
    /// The row is deleted.
    DropRow,
    /// The row is moved out of the data set, for somebody to decide.
    Quarantine,
    /// The key that links tokens back is destroyed; the row stays.
    ShredEpoch,
    /// The cell becomes null.
    Null,
    /// The token is replaced by a random one.
    RetokenizeRandom,
    /// The cell becomes coarser.
    Generalize,
}

impl OnExpiry {
    /// All, strongest first.
    pub const ALL: &'static [OnExpiry] = &[
        OnExpiry::DropRow,
        OnExpiry::Quarantine,
        OnExpiry::ShredEpoch,
        OnExpiry::Null,
        OnExpiry::RetokenizeRandom,
        OnExpiry::Generalize,
    ];

    /// Its word in a policy.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            OnExpiry::DropRow => "drop_row",
            OnExpiry::Quarantine => "quarantine",
            OnExpiry::ShredEpoch => "shred_epoch",
            OnExpiry::Null => "null",
            OnExpiry::RetokenizeRandom => "retokenize_random",
            OnExpiry::Generalize => "generalize",
        }
    }

    /// The one that wins; `None` for no action at all.
    #[must_use]
    pub fn prevailing(actions: impl IntoIterator<Item = OnExpiry>) -> Option<OnExpiry> {
        actions.into_iter().min()
    }
}

/// When a row of several purposes is deleted: when the last of them ends. A view for one purpose
/// stops at its own end. `None` when the end of any is not known, or there is none.
#[must_use]
pub fn deletion_due(ends: impl IntoIterator<Item = Option<Timestamp>>) -> Option<Timestamp> {
    ends.into_iter().reduce(|one, other| Some(one?.max(other?))).flatten()
}

/// When what was made of several inputs expires: with the first of them. `None` when the expiry of
/// any is not known (it could be the first), or there is none.
#[must_use]
pub fn inherited_expiry(inputs: impl IntoIterator<Item = Option<Timestamp>>) -> Option<Timestamp> {
    inputs.into_iter().reduce(|one, other| Some(one?.min(other?))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_action_prevails() {
        use OnExpiry::{DropRow, Generalize, Null, RetokenizeRandom};
        assert_eq!(OnExpiry::prevailing([Null, DropRow, Generalize]), Some(DropRow));
        assert_eq!(OnExpiry::prevailing([Generalize, Null]), Some(Null));
        assert_eq!(OnExpiry::prevailing([Generalize, RetokenizeRandom]), Some(RetokenizeRandom));
        assert_eq!(OnExpiry::prevailing([]), None);
        assert!(OnExpiry::ALL.is_sorted());
    }

    #[test]
    fn purposes_end_last_and_inputs_end_first() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        assert_eq!(deletion_due([at(1), at(3), at(2)]), at(3));
        assert_eq!(inherited_expiry([at(2), at(1), at(3)]), at(1));
        assert_eq!(deletion_due([at(1), None]), None);
        assert_eq!(inherited_expiry([None, at(1)]), None);
        assert_eq!(deletion_due([]), None);
        assert_eq!(inherited_expiry([]), None);
    }
}
