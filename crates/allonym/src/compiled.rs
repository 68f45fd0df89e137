//! Compiled rules, kept for the next call with the same ones.

use crate::Result;
use allonym_recognize::{Recognizer, RuleSet, Scratch, Tuning};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// A recognizer for these rules and this tuning. Compiling all rules takes longer than looking
/// through a small table, and a notebook scans, drafts and applies one after the other.
///
/// # Errors
/// Rules that do not compile.
pub(crate) fn recognizer(rules: &RuleSet, tuning: &Tuning) -> Result<Arc<Recognizer>> {
    let key = format!("{} {tuning:?}", rules.digest());
    let lock = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, kept)) = lock().iter().find(|(known, _)| *known == key) {
        return Ok(Arc::clone(kept));
    }
    let compiled = Arc::new(Recognizer::compile(rules, tuning)?);
    let mut kept = lock();
    kept.truncate(KEPT_MAX - 1);
    kept.insert(0, (key, Arc::clone(&compiled)));
    Ok(compiled)
}

/// Warm working memory, lent to one thread at a time: warming it up takes longer than looking
/// through a short text.
#[derive(Default)]
pub(crate) struct Scratches(Mutex<Vec<Scratch>>);

impl Scratches {
    pub(crate) fn lend<T>(&self, work: impl FnOnce(&mut Scratch) -> T) -> T {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut scratch = lock().pop().unwrap_or_default();
        let done = work(&mut scratch);
        lock().push(scratch);
        done
    }
}

/// Working memory has held texts.
impl fmt::Debug for Scratches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scratches(..)")
    }
}

static KEPT: Mutex<Vec<(String, Arc<Recognizer>)>> = Mutex::new(Vec::new());

/// Most recognizers kept; each holds some megabytes.
const KEPT_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use allonym_recognize::Selection;

    #[test]
    fn the_same_question_is_compiled_once_and_another_one_anew() {
        let only = |entity: &str| {
            let entities = vec![entity.to_owned()];
            let selection = Selection { entities, ..Selection::default() };
            RuleSet::builtin().select(&selection).unwrap()
        };
        let tuning = Tuning::default();
        let first = recognizer(&only("IBAN_CODE"), &tuning).unwrap();
        assert!(Arc::ptr_eq(&first, &recognizer(&only("IBAN_CODE"), &tuning).unwrap()));
        let other = recognizer(&only("CREDIT_CARD"), &tuning).unwrap();
        assert_eq!(other.rules().digest(), only("CREDIT_CARD").digest());
        let weak = Tuning { min_score: 0.0, ..Tuning::default() };
        assert!(!Arc::ptr_eq(&first, &recognizer(&only("IBAN_CODE"), &weak).unwrap()));
    }
}
