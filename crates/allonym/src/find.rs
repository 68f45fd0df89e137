//! Findings in text, in code points: what leaves Rust.

use crate::compiled::Scratches;
use crate::{Result, compiled, load_rules};
use allonym_recognize::{Recognizer, RuleSet, Selection, Span, Tuning};
use std::sync::Arc;

/// What to look for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FindOptions {
    /// Entities by name; empty is all.
    pub entities: Vec<String>,
    /// ISO 3166-1 alpha-2; empty is all.
    pub countries: Vec<String>,
    /// ISO 639-1; empty is all.
    pub languages: Vec<String>,
    /// Findings below are left out; `None` is 0.5, and 0 reports weak shapes too.
    pub min_score: Option<f32>,
    /// Folders with more rules.
    pub rule_folders: Vec<String>,
}

impl FindOptions {
    /// The score below which findings are left out.
    #[must_use]
    pub fn threshold(&self) -> f32 {
        self.min_score.unwrap_or_else(|| Tuning::default().min_score)
    }
}

/// One finding; `start` and `end` count code points, `byte_start` and `byte_end` bytes of UTF-8.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// First code point.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// First byte.
    pub byte_start: usize,
    /// One past the last byte.
    pub byte_end: usize,
    /// Entity name.
    pub entity: String,
    /// Probability in `[0, 1]`.
    pub score: f32,
    /// Rule id.
    pub rule: String,
    /// The rule has a check and the text passed it.
    pub validated: bool,
    /// The context phrase of the rule that stood near.
    pub phrase: Option<String>,
}

/// Compiled options; shared by threads.
#[derive(Debug)]
pub struct Finder {
    recognizer: Arc<Recognizer>,
    scratches: Scratches,
}

impl Finder {
    /// Compiles.
    ///
    /// # Errors
    /// Unknown entity or country names and rule folders that cannot be read.
    pub fn new(options: &FindOptions) -> Result<Finder> {
        let selection = Selection {
            set: None,
            entities: options.entities.clone(),
            countries: options.countries.clone(),
            languages: options.languages.clone(),
        };
        let rules = load_rules(&options.rule_folders)?.select(&selection)?;
        let tuning = Tuning { min_score: options.threshold(), ..Tuning::default() };
        Ok(Finder::from_recognizer(compiled::recognizer(&rules, &tuning)?))
    }

    /// A finder over an already compiled recognizer.
    #[must_use]
    pub fn from_recognizer(recognizer: Arc<Recognizer>) -> Finder {
        Finder { recognizer, scratches: Scratches::default() }
    }

    /// The rules it looks with.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        self.recognizer.rules()
    }

    /// The recognizer, for treatments.
    #[must_use]
    pub fn recognizer(&self) -> &Arc<Recognizer> {
        &self.recognizer
    }

    /// Findings of one text, disjoint and in order.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<Finding> {
        let mut spans = Vec::new();
        self.scratches.lend(|scratch| self.recognizer.scan(text, scratch, &mut spans));
        self.describe(text, &spans)
    }

    /// Findings of many texts with their index, in order.
    #[must_use]
    pub fn find_many(&self, texts: &[Option<&str>]) -> Vec<(usize, Finding)> {
        let each = texts.iter().enumerate().filter_map(|(row, text)| Some((row, (*text)?)));
        each.flat_map(|(row, text)| self.find(text).into_iter().map(move |found| (row, found)))
            .collect()
    }

    /// Replaces each finding by `<LABEL>`.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let mut redacted = String::with_capacity(text.len());
        let mut spans = Vec::new();
        self.scratches.lend(|scratch| self.recognizer.scan(text, scratch, &mut spans));
        let mut from = 0;
        for span in &spans {
            redacted.push_str(between(text, from, span.start));
            redacted.push('<');
            redacted.push_str(&self.rules().entity(span.entity).label);
            redacted.push('>');
            from = span.end;
        }
        redacted.push_str(between(text, from, text.len()));
        redacted
    }

    fn describe(&self, text: &str, spans: &[Span]) -> Vec<Finding> {
        let rules = self.rules();
        let (mut byte, mut point) = (0, 0);
        let mut point_at = |target: usize| {
            point += between(text, byte, target).chars().count();
            byte = target;
            point
        };
        spans
            .iter()
            .map(|span| Finding {
                start: point_at(span.start),
                end: point_at(span.end),
                byte_start: span.start,
                byte_end: span.end,
                entity: rules.entity(span.entity).name.clone(),
                score: span.score,
                rule: rules.rule_name(span.rule).to_owned(),
                validated: span.evidence.validated,
                phrase: span.evidence.phrase.map(|at| rules.phrase(span.rule, at).to_owned()),
            })
            .collect()
    }
}

fn between(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).expect("spans are disjoint, in order and on character boundaries")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finder() -> Finder {
        Finder::new(&FindOptions { entities: vec!["EMAIL_ADDRESS".into()], ..Default::default() })
            .unwrap()
    }

    #[test]
    fn offsets_count_code_points() {
        let text = "Grüße 😀 an zoe.muster@example.org, danke";
        let found = finder().find(text);
        assert_eq!(found.len(), 1);
        let slice: String =
            text.chars().skip(found[0].start).take(found[0].end - found[0].start).collect();
        assert_eq!(slice, "zoe.muster@example.org");
        let bytes = text.get(found[0].byte_start..found[0].byte_end);
        assert_eq!(bytes, Some(slice.as_str()));
    }

    #[test]
    fn redaction_leaves_the_rest_alone() {
        assert_eq!(
            finder().redact("Grüße an zoe.muster@example.org, danke"),
            "Grüße an <EMAIL>, danke"
        );
    }

    #[test]
    fn an_unknown_entity_is_refused() {
        let options = FindOptions { entities: vec!["EMAIL_ADRESS".into()], ..Default::default() };
        let failure = Finder::new(&options).unwrap_err();
        assert_eq!(failure.exit, 2);
        assert!(failure.message.contains("EMAIL_ADDRESS"), "{}", failure.message);
    }
}
