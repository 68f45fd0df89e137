//! `text`: findings inside free text replaced in place.

use super::cells::{Cells, Kind, Written};
use super::{Rows, Sentinels};
use crate::counts::ColumnCounts;
use crate::plan::Spelling;
use crate::policy::{Consistency, Replacement};
use allonym_keys::{Scope, Tokenizer, find_text_tokens};
use allonym_recognize::{EntityId, Recognizer, Scratch, Span};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// Text treatment of one column.
pub(crate) struct InText {
    pub(crate) recognizer: Arc<Recognizer>,
    pub(crate) with: Replacement,
    pub(crate) consistency: Consistency,
    /// What is replaced; other findings stay.
    pub(crate) wanted: BTreeMap<EntityId, Wanted>,
    /// For well-formed tokens that the input already held; there when tokens are made.
    pub(crate) planted: Option<Tokenizer>,
    /// One for each thread that is at work.
    pub(crate) pool: Mutex<Vec<Working>>,
}

/// One entity to replace.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) label: String,
    /// There when tokens are made.
    pub(crate) tokenizer: Option<Tokenizer>,
    pub(crate) spelling: Spelling,
}

/// Memory of one thread, reused.
#[derive(Default)]
pub(crate) struct Working {
    scratch: Scratch,
    found: Vec<(usize, Span)>,
    tokens: Vec<Range<usize>>,
    normal: Zeroizing<String>,
    spelt: Zeroizing<String>,
    place: String,
    /// Where the cell being written begins.
    start: usize,
    /// Tokens made in it.
    ours: Vec<Range<usize>>,
}

/// A stretch of text to replace: a finding, or (without one) a planted token.
struct Region {
    bytes: Range<usize>,
    entity: Option<(EntityId, usize)>,
}

impl InText {
    pub(super) fn written(
        &self,
        cells: Cells<'_>,
        rows: &Rows<'_>,
        sentinels: &Sentinels,
        counts: &mut ColumnCounts,
    ) -> Written {
        let mut working =
            self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        // Null cells and sentinels are scanned as empty text, so that positions stay those of cells.
        let kept = |n: usize| cells.get(n).filter(|text| !sentinels.holds(text));
        let mut texts = (0..cells.len()).map(|n| kept(n).unwrap_or_default());
        self.recognizer.scan_many(&mut texts, &mut working.scratch, &mut working.found);
        let mut found = std::mem::take(&mut working.found);
        found.retain(|(_, span)| self.wanted.contains_key(&span.entity));
        found.sort_by_key(|(n, span)| (*n, span.start, span.end));

        let mut written = Written::with_capacity(cells.len());
        let mut spans = found.as_slice();
        for n in 0..cells.len() {
            let mine = spans.partition_point(|(cell, _)| *cell == n);
            let (here, rest) = spans.split_at(mine);
            spans = rest;
            match (cells.get(n), kept(n)) {
                (None, _) => written.push(|_| Kind::Null),
                (Some(_), None) => written.push(|_| Kind::Sentinel),
                (Some(_), Some(text)) => written.push(|out| {
                    let changed = self.replace(
                        text,
                        here,
                        n,
                        rows,
                        &mut working,
                        cells.weight(n),
                        counts,
                        out,
                    );
                    if changed { Kind::Treated } else { Kind::Unchanged }
                }),
            }
        }
        working.found = found;
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(working);
        written
    }

    /// Appends the text with its findings replaced; whether anything was.
    fn replace(
        &self,
        text: &str,
        spans: &[(usize, Span)],
        n: usize,
        rows: &Rows<'_>,
        working: &mut Working,
        weight: u64,
        counts: &mut ColumnCounts,
        out: &mut String,
    ) -> bool {
        working.tokens.clear();
        // Every token has an underscore; most text has none.
        if text.contains('_') {
            find_text_tokens(text, &mut working.tokens);
        }
        let regions = regions(spans, &working.tokens);
        if regions.is_empty() {
            out.push_str(text);
            return false;
        }
        for (_, span) in spans {
            if let Some(wanted) = self.wanted.get(&span.entity) {
                match counts.findings.get_mut(&wanted.name) {
                    Some(known) => *known += weight,
                    None => {
                        counts.findings.insert(wanted.name.clone(), weight);
                    }
                }
            }
        }
        working.place.clear();
        if self.consistency != Consistency::Dataset {
            let _ = match rows.place(n) {
                (row, None) => write!(working.place, "{}#{row}", rows.document),
                (row, Some(item)) => write!(working.place, "{}#{row}.{item}", rows.document),
            };
        }
        working.ours.clear();
        working.start = out.len();
        let (mut copied, mut ordinal) = (0, 0);
        for region in &regions {
            out.push_str(text.get(copied..region.bytes.start).unwrap_or_default());
            copied = region.bytes.end;
            let value = text.get(region.bytes.clone()).unwrap_or_default();
            let wanted = region.entity.and_then(|(entity, _)| self.wanted.get(&entity));
            if wanted.is_none() {
                counts.lookalikes += weight;
            }
            self.put(wanted, value, ordinal, working, out);
            // A token is only found again as a whole word.
            let glued = text.get(copied..).is_some_and(|rest| rest.starts_with(is_word));
            if self.with == Replacement::Token && glued {
                out.push(' ');
            }
            ordinal += 1;
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        self.replace_uncovered(ordinal, working, weight, counts, out);
        true
    }

    /// What stood next to a finding can have become a well-formed token when the finding went.
    fn replace_uncovered(
        &self,
        ordinal: u64,
        working: &mut Working,
        weight: u64,
        counts: &mut ColumnCounts,
        out: &mut String,
    ) {
        let start = working.start;
        let cell = out.get(start..).unwrap_or_default();
        working.tokens.clear();
        find_text_tokens(cell, &mut working.tokens);
        let ours =
            |token: &Range<usize>| working.ours.contains(&(token.start + start..token.end + start));
        let uncovered: Vec<Range<usize>> =
            working.tokens.iter().filter(|token| !ours(token)).cloned().collect();
        if uncovered.is_empty() {
            return;
        }
        let cell = out.split_off(start);
        let mut copied = 0;
        for (n, token) in (ordinal..).zip(uncovered) {
            out.push_str(cell.get(copied..token.start).unwrap_or_default());
            counts.lookalikes += weight;
            self.put(None, cell.get(token.clone()).unwrap_or_default(), n, working, out);
            copied = token.end;
        }
        out.push_str(cell.get(copied..).unwrap_or_default());
    }

    /// Appends what stands for a finding, or for a planted token.
    fn put(
        &self,
        wanted: Option<&Wanted>,
        value: &str,
        ordinal: u64,
        working: &mut Working,
        out: &mut String,
    ) {
        let label = wanted.map_or(PLANTED_LABEL, |wanted| &wanted.label);
        let tokenizer = wanted.map_or(self.planted.as_ref(), |wanted| wanted.tokenizer.as_ref());
        match (self.with, tokenizer) {
            (Replacement::Token, Some(tokenizer)) => {
                let scope = match self.consistency {
                    Consistency::Dataset => Scope::Dataset,
                    Consistency::Document => Scope::Document(&working.place),
                    Consistency::None => Scope::Row(&working.place, ordinal),
                };
                if out.get(working.start..).is_some_and(|cell| cell.ends_with(is_word)) {
                    out.push(' ');
                }
                let start = out.len();
                let value =
                    wanted.map_or(value, |wanted| wanted.spelling.spell(value, &mut working.spelt));
                tokenizer.mac(scope, value, &mut working.normal).push_text_token(label, out);
                working.ours.push(start..out.len());
            }
            (Replacement::Label, _) => {
                out.push('<');
                out.push_str(label);
                out.push('>');
            }
            // Without a key nothing but this is left; the plan refuses it before.
            (Replacement::Redact | Replacement::Token, _) => out.push_str(REDACTED),
        }
    }
}

impl fmt::Debug for InText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InText")
            .field("with", &self.with)
            .field("consistency", &self.consistency)
            .field("wanted", &self.wanted.values().map(|wanted| &wanted.name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Working {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Working(..)")
    }
}

/// Findings and planted tokens as disjoint stretches in order. What overlaps is replaced together,
/// so that no end of a finding is left standing; the longest finding gives the entity, and a token
/// that holds all of it stays a planted token.
fn regions(spans: &[(usize, Span)], tokens: &[Range<usize>]) -> Vec<Region> {
    let found = spans.iter().map(|(_, span)| Region {
        bytes: span.start..span.end,
        entity: Some((span.entity, span.end - span.start)),
    });
    let planted = tokens.iter().map(|token| Region { bytes: token.clone(), entity: None });
    let mut all: Vec<Region> = planted.chain(found).collect();
    all.sort_by_key(|region| (region.bytes.start, region.entity.is_some()));
    let mut merged: Vec<Region> = Vec::with_capacity(all.len());
    for region in all {
        match merged.last_mut() {
            Some(last) if region.bytes.start < last.bytes.end => {
                let within = last.entity.is_none() && region.bytes.end <= last.bytes.end;
                if !within
                    && region.entity.map(|(_, length)| length)
                        > last.entity.map(|(_, length)| length)
                {
                    last.entity = region.entity;
                }
                last.bytes.end = last.bytes.end.max(region.bytes.end);
            }
            _ => merged.push(region),
        }
    }
    merged
}

/// What a text token is made of.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Label and join field of tokens that the input already held.
pub(crate) const PLANTED_LABEL: &str = "TOKEN";
const REDACTED: &str = "[REDACTED]";
