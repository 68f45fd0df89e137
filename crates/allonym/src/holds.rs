//! Legal holds: whose rows must stay.

use crate::tags::{each_cell, holds_word, sha256_hex};
use crate::{Failure, Result};
use allonym_core::{Retention, glob_matches};
use allonym_retention::Hold;
use arrow_array::RecordBatch;
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A hold on a date, with the tokens of its subjects.
#[derive(Clone)]
pub(crate) struct KnownHold {
    pub(crate) hold: Hold,
    pub(crate) in_force: bool,
    pub(crate) overdue: bool,
    /// All subjects when there are none.
    tokens: Option<BTreeSet<String>>,
    pub(crate) digest: Option<String>,
}

impl KnownHold {
    /// Every hold of a policy as it is on a date. A file of subjects that cannot be read covers nobody,
    /// and why stands beside the hold.
    pub(crate) fn every(
        retention: &Retention,
        folder: &Path,
        as_of: Timestamp,
    ) -> Vec<(KnownHold, Option<String>)> {
        let known = |hold: &Hold| {
            let (tokens, digest, why) = match &hold.subject_tokens_file {
                None => (None, None, None),
                Some(file) => match subject_tokens(&folder.join(file)) {
                    Ok((tokens, digest)) => (Some(tokens), Some(digest), None),
                    Err(why) => (Some(BTreeSet::new()), None, Some(why)),
                },
            };
            let known = KnownHold {
                hold: hold.clone(),
                in_force: hold.in_force(&retention.zone, as_of),
                overdue: hold.review_overdue(&retention.zone, as_of),
                tokens,
                digest,
            };
            (known, why)
        };
        retention.holds.iter().map(known).collect()
    }

    /// The holds that are in force on a date.
    ///
    /// # Errors
    /// A file of subject tokens that is missing, empty, or holds something else.
    pub(crate) fn in_force(
        retention: &Retention,
        folder: &Path,
        as_of: Timestamp,
    ) -> Result<Vec<KnownHold>> {
        let every = KnownHold::every(retention, folder, as_of).into_iter();
        every
            .filter(|(known, _)| known.in_force)
            .map(|(known, why)| match why {
                None => Ok(known),
                Some(why) => {
                    let message = format!("hold `{}`: its subject tokens {why}", known.hold.id);
                    Err(Failure::new("ALO-R004", 3, message).hint(
                        "one token a line; without the file nobody knows whose rows must stay, so \
                         nothing is removed",
                    ))
                }
            })
            .collect()
    }

    /// Whether it is for a data set of one of these names.
    pub(crate) fn is_for(&self, names: &[String]) -> bool {
        match &self.hold.dataset {
            None => true,
            Some(glob) => names.iter().any(|name| glob_matches(glob, name)),
        }
    }

    /// Whether it is for every row.
    pub(crate) fn is_whole(&self) -> bool {
        self.tokens.is_none()
    }
}

/// Which rows are on hold: those with a cell that is the token of a subject or a text that holds one, in
/// structs and lists too; `None` for none.
pub(crate) fn held_rows(holds: &[&KnownHold], records: &RecordBatch) -> Option<BooleanBuffer> {
    if holds.is_empty() {
        return None;
    }
    let rows = records.num_rows();
    if holds.iter().any(|hold| hold.is_whole()) {
        return Some(BooleanBuffer::new_set(rows));
    }
    let mut held = BooleanBufferBuilder::new(rows);
    held.append_n(rows, false);
    let names = |token: &str| {
        holds.iter().any(|hold| hold.tokens.as_ref().is_some_and(|tokens| tokens.contains(token)))
    };
    for column in records.columns() {
        each_cell(column, "", &mut |_, row, text| {
            if !held.get_bit(row) && (names(text.trim()) || holds_word(text, &names)) {
                held.set_bit(row, true);
            }
        });
    }
    Some(held.finish())
}

/// The tokens of a file, one a line, and its digest; or why there are none.
fn subject_tokens(path: &Path) -> std::result::Result<(BTreeSet<String>, String), String> {
    let broken = |what: &str| format!("`{}` {what}", path.display());
    let bytes =
        fs::read(path).map_err(|error| broken(&format!("cannot be read: {}", error.kind())))?;
    let text = String::from_utf8(bytes).map_err(|_| broken("are no UTF-8 text"))?;
    let mut tokens = BTreeSet::new();
    for (n, line) in text.lines().enumerate() {
        let token = line.trim().trim_start_matches('\u{feff}');
        if token.is_empty() || token.starts_with('#') {
            continue;
        }
        let is_token = token.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_token || token.len() > TOKEN_BYTES_MAX {
            return Err(broken(&format!("hold no token in line {}", n + 1)));
        }
        tokens.insert(token.to_owned());
    }
    if tokens.is_empty() {
        return Err(broken("hold no token"));
    }
    Ok((tokens, sha256_hex(text.as_bytes())))
}

const TOKEN_BYTES_MAX: usize = 256;
