//! One pass over text.

use crate::{RuleError, RuleSet, Span};
use std::collections::BTreeMap;

/// What a policy adjusts.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// Findings below are not reported; 0 reports weak shapes too.
    pub min_score: f32,
    /// The same, per entity.
    pub entity_min_score: BTreeMap<String, f32>,
    /// Never a finding, per entity: exact text, or `/regex/`.
    pub allow: BTreeMap<String, Vec<String>>,
    /// Always a finding, per entity: exact text, or `/regex/`. The entity may be new.
    pub deny: BTreeMap<String, Vec<String>>,
}

impl Default for Tuning {
    fn default() -> Self {
        Tuning { min_score: 0.5, entity_min_score: BTreeMap::new(), allow: BTreeMap::new(), deny: BTreeMap::new() }
    }
}

/// Compiled rules.
#[derive(Debug)]
pub struct Recognizer {}

/// Caller's working memory; one per thread, reused.
#[derive(Debug, Default)]
pub struct Scratch {}

impl Recognizer {
    /// Compiles; limits (pattern size, match length, number of rules) are enforced here.
    pub fn compile(_rules: &RuleSet, _tuning: &Tuning) -> Result<Recognizer, RuleError> {
        todo!()
    }
    /// The rules it was compiled from (with the entities that deny lists added).
    pub fn rules(&self) -> &RuleSet {
        todo!()
    }
    /// Disjoint findings of one text, in order. Clears `out` first. Cannot fail.
    pub fn scan(&self, _text: &str, _scratch: &mut Scratch, _out: &mut Vec<Span>) {
        todo!()
    }
    /// Findings of many short texts at once: the same spans as [`scan`](Self::scan) on each,
    /// offsets relative to the text. Clears `out` first.
    pub fn scan_many<'a>(
        &self,
        _texts: &mut dyn Iterator<Item = &'a str>,
        _scratch: &mut Scratch,
        _out: &mut Vec<(usize, Span)>,
    ) {
        todo!()
    }
}
