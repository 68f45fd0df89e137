//! `pseudonymize`: keyed tokens in place of cells.

use super::cells::{Cells, Kind, Written, WrittenBytes};
use super::{Rows, Sentinels};
use crate::counts::Sketch;
use crate::plan::Spelling;
use crate::policy::Consistency;
use allonym_keys::{Mac, Scope, TokenFormat, Tokenizer};
use std::fmt::Write as _;
use zeroize::Zeroizing;

/// One join field's tokenizer, how its tokens are spelt and which cells get equal ones.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) tokenizer: Tokenizer,
    pub(crate) spelling: Spelling,
    pub(crate) format: TokenFormat,
    pub(crate) consistency: Consistency,
}

impl Tokens {
    pub(super) fn spelt(
        &self,
        cells: Cells<'_>,
        rows: &Rows<'_>,
        sentinels: &Sentinels,
        seen: &mut Sketch,
    ) -> Written {
        let mut written = Written::with_capacity(cells.len());
        self.each(cells, rows, sentinels, seen, |mac| {
            written.push(|out| match mac {
                Ok(mac) => {
                    mac.push_column_token(self.format, out);
                    Kind::Treated
                }
                Err(kind) => kind,
            });
        });
        written
    }

    pub(super) fn bytes(
        &self,
        cells: Cells<'_>,
        rows: &Rows<'_>,
        sentinels: &Sentinels,
        seen: &mut Sketch,
    ) -> WrittenBytes {
        let mut written = WrittenBytes::with_capacity(cells.len());
        self.each(cells, rows, sentinels, seen, |mac| written.push(mac.map(|mac| mac.bytes16())));
        written
    }

    fn each(
        &self,
        cells: Cells<'_>,
        rows: &Rows<'_>,
        sentinels: &Sentinels,
        seen: &mut Sketch,
        mut emit: impl FnMut(Result<&Mac, Kind>),
    ) {
        let mut scratch = Zeroizing::new(String::with_capacity(SCRATCH_BYTES));
        let mut spelt = Zeroizing::new(String::new());
        let mut place = String::new();
        for n in 0..cells.len() {
            let Some(text) = cells.get(n) else {
                emit(Err(Kind::Null));
                continue;
            };
            if sentinels.holds(text) {
                emit(Err(Kind::Sentinel));
                continue;
            }
            let scope = match self.consistency {
                Consistency::Dataset => Scope::Dataset,
                Consistency::Document => Scope::Document(rows.document),
                Consistency::None => match rows.place(n) {
                    (row, None) => Scope::Row(rows.document, row),
                    (row, Some(item)) => {
                        place.clear();
                        // Writing to a string cannot fail.
                        let _ = write!(place, "{}#{row}", rows.document);
                        Scope::Row(&place, item)
                    }
                },
            };
            let text = self.spelling.spell(text, &mut spelt);
            let mac = self.tokenizer.mac(scope, text, &mut scratch);
            if self.consistency == Consistency::Dataset {
                seen.add(&mac.bytes16());
            }
            emit(Ok(&mac));
        }
    }
}

/// Room for most normalised cells, so that the buffer need not grow and leave copies behind.
const SCRATCH_BYTES: usize = 1_024;
