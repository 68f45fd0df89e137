//! Tokens that lead nowhere, in place of those that expired.

use crate::tags::holds_tokens;
use crate::{Failure, Policy, Result};
use allonym_core::Holding;
use allonym_keys::{Keyring, Profile, Scope, TokenFormat, Tokenizer};
use allonym_recognize::RuleSet;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, FixedSizeBinaryArray, StringArray};
use arrow_buffer::BooleanBuffer;
use arrow_cast::cast;
use arrow_schema::DataType;
use arrow_select::zip::zip;
use std::sync::Arc;

/// Makes the tokens of one file. They depend on the file as it was and on the row, and on no value;
/// its name and its digest are in them, so that no other file and no later run makes the same ones.
pub(crate) struct RandomTokens {
    /// By column: the tokenizer that writes, those that wrote before, and the spelling.
    columns: Vec<(String, Vec<Tokenizer>, TokenFormat)>,
    document: String,
}

impl RandomTokens {
    /// For some columns of a file; `document` names the file and its contents.
    ///
    /// # Errors
    /// A tenant without a key; a column whose text holds tokens among other words.
    pub(crate) fn new(
        ring: &Keyring,
        policy: &Policy,
        rules: &RuleSet,
        columns: &[&str],
        document: String,
    ) -> Result<RandomTokens> {
        let reference = policy.keys();
        let active = ring.key(None, &reference.tenant)?;
        let before = ring.keys().iter().filter(|key| key.tenant == reference.tenant);
        let ids: Vec<&str> = std::iter::once(active.info().id.as_str())
            .chain(before.map(|key| key.id.as_str()).filter(|id| *id != active.info().id))
            .collect();
        let mut made = Vec::new();
        for column in columns {
            let format = match policy.holding(column, None, rules) {
                Some(Holding::Tokens { format, .. }) => format,
                Some(Holding::Text { .. }) => {
                    let message = format!(
                        "column `{column}`: `on_expiry = \"retokenize_random\"` is for cells that \
                         are tokens, and its text holds them among other words"
                    );
                    return Err(Failure::new("ALO-R003", 2, message).hint("use null or drop_row"));
                }
                _ => TokenFormat::Base62,
            };
            let tokenizers = ids.iter().map(|id| {
                let key = ring.key(Some(id), &reference.tenant)?;
                key.tokenizer(&reference.domain, column, Profile::Exact)
            });
            let tokenizers = tokenizers.collect::<std::result::Result<_, _>>()?;
            made.push(((*column).to_owned(), tokenizers, format));
        }
        Ok(RandomTokens { columns: made, document })
    }

    /// The cells of a column with fresh tokens where they are due, and which of them are other ones
    /// now. Null stays null; what was replaced by an earlier run stays.
    pub(crate) fn replace(
        &self,
        column: &str,
        old: &ArrayRef,
        due: &BooleanBuffer,
        first_row: u64,
    ) -> Result<(ArrayRef, BooleanBuffer)> {
        let lost = || Failure::new("ALO-X005", 5, format!("column `{column}` cannot be written"));
        let Some((_, tokenizers, format)) = self.columns.iter().find(|(name, ..)| name == column)
        else {
            return Err(lost());
        };
        if !holds_tokens(old.data_type()) {
            return Err(lost());
        }
        let binary = *old.data_type() == DataType::FixedSizeBinary(16);
        let texts = (!binary).then(|| cast(old, &DataType::Utf8)).transpose()?;
        let mut scratch = String::new();
        let mut fresh: Vec<Option<(String, [u8; 16])>> = vec![None; old.len()];
        for row in due.set_indices() {
            let token = match &texts {
                _ if old.is_null(row) => continue,
                Some(texts) if texts.is_null(row) => continue,
                Some(texts) => format.read(texts.as_string::<i32>().value(row)),
                None => old.as_fixed_size_binary().value(row).try_into().ok(),
            };
            let mut is_fresh = |token: &[u8; 16]| {
                tokenizers.iter().any(|tokenizer| tokenizer.is_unlinked(token, &mut scratch))
            };
            if token.is_some_and(|token| is_fresh(&token)) {
                continue;
            }
            let Some(writes) = tokenizers.first() else { return Err(lost()) };
            let place = Scope::Row(&self.document, first_row + row as u64);
            let mac = writes.unlinked(place, &mut scratch);
            let mut spelt = String::new();
            mac.push_column_token(*format, &mut spelt);
            fresh[row] = Some((spelt, mac.bytes16()));
        }
        let changed: BooleanBuffer = fresh.iter().map(Option::is_some).collect();
        if changed.count_set_bits() == 0 {
            return Ok((Arc::clone(old), changed));
        }
        let tokens: ArrayRef = if binary {
            let bytes = fresh.iter().map(|token| token.as_ref().map(|(_, bytes)| bytes));
            Arc::new(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size(bytes, 16)
                    .map_err(|_| lost())?,
            )
        } else {
            let spelt = fresh.iter().map(|token| token.as_ref().map(|(spelt, _)| spelt.as_str()));
            Arc::new(spelt.collect::<StringArray>())
        };
        let plain = match &texts {
            Some(texts) => Arc::clone(texts),
            None => Arc::clone(old),
        };
        let new = zip(&BooleanArray::new(changed.clone(), None), &tokens, &plain)?;
        let new = if new.data_type() == old.data_type() {
            new
        } else {
            cast(&new, old.data_type()).map_err(|_| lost())?
        };
        Ok((new, changed))
    }
}
