//! What holds for the columns of every format.

use crate::error::{IoError, counted};
use std::collections::BTreeSet;

/// Columns are not too many, and every name stands once.
pub(crate) fn check_names(path: &str, names: &[String]) -> Result<(), IoError> {
    if names.len() > COLUMNS_MAX {
        let (found, most) = (counted(names.len() as u64), counted(COLUMNS_MAX as u64));
        return Err(IoError::bad(path, format!("{found} columns; the limit is {most}")));
    }
    let mut seen = BTreeSet::new();
    let mut twice: Vec<&str> = Vec::new();
    for name in names {
        if !seen.insert(name) && !twice.contains(&name.as_str()) {
            twice.push(name);
        }
    }
    if twice.is_empty() {
        return Ok(());
    }
    let named = twice.len().min(NAMED_MAX);
    let mut message = format!("duplicate column names `{}`", twice[..named].join("`, `"));
    if twice.len() > named {
        let more = counted((twice.len() - named) as u64);
        message.push_str(&format!(" and {more} more"));
    }
    Err(IoError::bad(path, format!("{message}; rename them")))
}

/// A table without columns has no form in any format but JSON Lines.
pub(crate) const NO_COLUMN: &str = "no column is left to write";
/// Columns or field paths of a file.
pub(crate) const COLUMNS_MAX: usize = 10_000;
/// Names in one message.
const NAMED_MAX: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_once_and_are_not_too_many() {
        let check = |names: Vec<String>, expected: Option<&str>| {
            let message = check_names("f", &names).err().map(|error| error.message);
            assert_eq!(message.as_deref(), expected);
        };
        let numbered = |count: usize| (0..count).map(|at| at.to_string()).collect::<Vec<_>>();
        check(vec![], None);
        check(numbered(COLUMNS_MAX), None);
        check(numbered(COLUMNS_MAX + 1), Some("10,001 columns; the limit is 10,000"));
        let twice = ["a", "b", "a", "A", "b", "a"].map(str::to_owned).to_vec();
        check(twice, Some("duplicate column names `a`, `b`; rename them"));
        let many = [numbered(12), numbered(12)].concat();
        let message = check_names("f", &many).unwrap_err().message;
        assert!(message.ends_with("`9` and 2 more; rename them"), "{message}");
    }
}
