//! How much of what people marked is found, and how often what is found is right.
//!
//! A corpus marks only what its scheme knows: findings of other entities are no false alarms in it
//! and are not scored.

mod labels;
mod scores;
mod tally;

use crate::{Cancel, Failure, FindOptions, Finder, Result, load_rules};
use allonym_io::{Format, Input, ReadOptions, Reader};
use labels::Labels;
use rayon::prelude::*;
use scores::Scores;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tally::{Marked, Tally};

/// How to evaluate.
#[derive(Clone, Debug)]
pub struct EvaluateOptions {
    /// What to look for.
    pub find: FindOptions,
    /// What the corpus calls things, in TOML (see `allonym eval --help`), over the built-in labels.
    pub labels: Option<String>,
    /// Field that holds the text.
    pub text_field: String,
    /// Asked between batches.
    pub cancel: Cancel,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        EvaluateOptions {
            find: FindOptions::default(),
            labels: None,
            text_field: "text".to_owned(),
            cancel: Cancel::default(),
        }
    }
}

/// A number with the ends of its 95 % interval, to a millionth; without a value where there is nothing
/// to divide.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// The number.
    pub value: Option<f64>,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Precision, recall and what is made of them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Right findings of all findings; exact interval (Clopper and Pearson).
    pub precision: Value,
    /// Marked spans that were found, of all; exact interval.
    pub recall: Value,
    /// Harmonic mean. Its interval is that of the worst and best of both rates, each at 97.5 %.
    pub f1: Value,
    /// The same with recall weighing twice as much.
    pub f2: Value,
}

/// What became of one entity, or of all.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Marked spans.
    pub gold: u64,
    /// Findings.
    pub found: u64,
    /// Right to the character.
    pub strict: Rates,
    /// Right where it overlaps.
    pub overlap: Rates,
    /// Share of marked characters that no finding covers, of whatever entity: what would be
    /// disclosed. Interval by effective number of characters (Korn and Graubard), since those of one
    /// document leak together.
    pub leak_rate: Value,
    /// Findings on nothing that was marked so, per million bytes of text.
    pub false_alarms_per_mb: Value,
}

/// Findings with scores in one tenth of [0, 1], or of one rule on the same grounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Which.
    #[serde(flatten)]
    pub which: Which,
    /// Findings.
    pub findings: u64,
    /// Mean of their scores.
    pub score: f64,
    /// Share that overlaps a span marked as such.
    pub precision: Value,
}

/// What findings of a [`Reliability`] have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Which {
    /// Scores from `from` up to `to`.
    Scores {
        /// Lower end.
        from: f64,
        /// Upper end.
        to: f64,
    },
    /// A rule and why it was believed.
    Rule {
        /// Rule id.
        rule: String,
        /// `bare`, `context`, `validated` or `both`.
        grounds: String,
    },
}

/// How often something marked was called something; no `found` is missed, no `gold` a false alarm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Confusion {
    /// What was marked.
    pub gold: Option<String>,
    /// The entity of the first finding on it, one that is right before others.
    pub found: Option<String>,
    /// How often.
    pub count: u64,
}

/// What is not scored: labels that stand for nothing that is looked for, entities that the corpus does
/// not mark.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NotScored {
    /// Marked spans by label.
    pub labels: BTreeMap<String, u64>,
    /// Findings by entity.
    pub entities: BTreeMap<String, u64>,
}

/// How well the detector did: counts and rates, never a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// `allonym.eval/1`.
    pub schema: String,
    /// Digest of the rules in use.
    pub rules: String,
    /// Findings below were left out.
    pub min_score: f64,
    /// Texts.
    pub documents: u64,
    /// Their length in bytes of UTF-8.
    pub bytes: u64,
    /// By entity, or by the corpus' label where it stands for several.
    pub entities: BTreeMap<String, Scored>,
    /// All together.
    pub overall: Scored,
    /// All together, by the field `lang` of the documents.
    pub languages: BTreeMap<String, Scored>,
    /// Scores against the share that was right, by tenths.
    pub reliability: Vec<Reliability>,
    /// The same by rule and grounds.
    pub by_rule: Vec<Reliability>,
    /// What was taken for what, most often first.
    pub confusion: Vec<Confusion>,
    /// What was left out of all the above.
    pub not_scored: NotScored,
    /// What changed since the evaluation it was compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Changes>,
}

/// What changed between two evaluations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// By entity that both have.
    pub entities: BTreeMap<String, Change>,
    /// All together.
    pub overall: Change,
}

/// Differences of values, later minus earlier; none where one has no value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Of the strict F1.
    pub strict_f1: Option<f64>,
    /// Of the overlap precision.
    pub overlap_precision: Option<f64>,
    /// Of the overlap recall.
    pub overlap_recall: Option<f64>,
    /// Of the leak rate.
    pub leak_rate: Option<f64>,
}

/// Documents go in, an [`Evaluation`] comes out.
#[derive(Debug)]
pub struct Evaluator {
    finder: Finder,
    labels: Labels,
    options: EvaluateOptions,
    /// By source and language.
    tallies: BTreeMap<(String, String), Tally>,
    unscored: BTreeMap<String, u64>,
}

/// A labelled document.
#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    lang: Option<String>,
    #[serde(default)]
    source: Option<String>,
    spans: Vec<Gold>,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Gold {
    start: usize,
    end: usize,
    #[serde(alias = "entity")]
    label: String,
}

/// What one document adds.
struct Added {
    place: (String, String),
    tally: Tally,
    unscored: Vec<String>,
}

impl Evaluator {
    /// Compiles rules and labels.
    ///
    /// # Errors
    /// Unknown entity names, labels that are no TOML of the expected form.
    pub fn new(options: &EvaluateOptions) -> Result<Evaluator> {
        let finder = Finder::new(&options.find)?;
        let all = load_rules(&options.find.rule_folders)?;
        let labels = Labels::new(options.labels.as_deref(), finder.rules(), &all)?;
        Ok(Evaluator {
            finder,
            labels,
            options: options.clone(),
            tallies: BTreeMap::new(),
            unscored: BTreeMap::new(),
        })
    }

    /// Adds a JSON Lines file: a line holds the text, `spans` with `start`, `end` (code points) and
    /// `label` (or `entity`), and, where known, `lang` and `source`.
    ///
    /// # Errors
    /// Input that cannot be read, lines of another form, spans outside their text.
    pub fn add_file(&mut self, input: &Input, name: &str, read: &ReadOptions) -> Result<()> {
        let mut reader = Reader::open(input, read)?;
        if reader.shape().format != Format::JsonLines {
            let message = format!("{name}: labelled text is JSON Lines");
            return Err(Failure::new("ALO-U003", 2, message).hint(FORM));
        }
        let mut first = 0;
        while let Some(chunk) = reader.next_chunk()? {
            let lines: Vec<&[u8]> = chunk.json_lines().collect();
            first = self.add_lines(&lines, name, first)?;
        }
        Ok(())
    }

    /// Adds labelled documents, each JSON as in [`add_file`](Self::add_file); `first` is the number of
    /// the first, from 0. Gives the number of the next.
    ///
    /// # Errors
    /// As [`add_file`](Self::add_file).
    pub fn add_lines<L: AsRef<[u8]> + Sync>(
        &mut self,
        lines: &[L],
        name: &str,
        first: u64,
    ) -> Result<u64> {
        self.options.cancel.check()?;
        let added: Vec<Result<Added>> = lines
            .par_iter()
            .enumerate()
            .map(|(at, line)| {
                self.document(line.as_ref()).map_err(|what| {
                    let line = first + at as u64 + 1;
                    Failure::new("ALO-D001", 3, format!("{name}: line {line}: {what}")).hint(FORM)
                })
            })
            .collect();
        for added in added {
            let Added { place, tally, unscored } = added?;
            self.tallies.entry(place).or_default().merge(&tally);
            for label in unscored {
                *self.unscored.entry(label).or_default() += 1;
            }
        }
        Ok(first + lines.len() as u64)
    }

    fn document(&self, line: &[u8]) -> std::result::Result<Added, String> {
        // What the parser says would quote the line.
        let document: Document = serde_json::from_slice(line)
            .map_err(|_| "no labelled document: an object with `spans` is expected".to_owned())?;
        let field = &self.options.text_field;
        let Some(serde_json::Value::String(text)) = document.rest.get(field) else {
            return Err(format!("no field `{field}` that is a string"));
        };
        let length = text.chars().count();
        let (mut marked, mut unscored) = (Vec::new(), Vec::new());
        for (at, gold) in document.spans.into_iter().enumerate() {
            if gold.start >= gold.end || gold.end > length {
                return Err(format!("span {} is empty or outside its text", at + 1));
            }
            match self.labels.class(&gold.label) {
                Some(class) => marked.push(Marked { start: gold.start, end: gold.end, class }),
                None => unscored.push(gold.label),
            }
        }
        let mut tally = Tally::default();
        tally.add(text.len(), &marked, &self.finder.find(text), &self.labels);
        let place = (document.source.unwrap_or_default(), document.lang.unwrap_or_default());
        Ok(Added { place, tally, unscored })
    }

    /// What all documents together say.
    #[must_use]
    pub fn finish(self) -> Evaluation {
        // What a source marks in any of its texts, it would mark in all.
        let mut marks: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for ((source, _), tally) in &self.tallies {
            marks.entry(source).or_default().extend(tally.classes());
        }
        let (mut all, mut languages) = (Scores::default(), BTreeMap::<&str, Scores>::new());
        let mut entities = BTreeMap::new();
        for ((source, language), tally) in &self.tallies {
            let scores = Scores::of(tally, &marks[source.as_str()], &self.labels, &mut entities);
            all.merge(&scores);
            if !language.is_empty() {
                languages.entry(language).or_default().merge(&scores);
            }
        }
        let name = |class: usize| self.labels.name(class).to_owned();
        let by_class = all.classes().into_iter();
        Evaluation {
            schema: SCHEMA.to_owned(),
            rules: self.finder.rules().digest(),
            min_score: f64::from(self.options.find.threshold()),
            documents: all.documents(),
            bytes: all.bytes(),
            entities: by_class.map(|class| (name(class), all.scored(Some(class)))).collect(),
            overall: all.scored(None),
            languages: languages
                .into_iter()
                .map(|(language, scores)| (language.to_owned(), scores.scored(None)))
                .collect(),
            reliability: all.by_tenth(),
            by_rule: all.by_rule(),
            confusion: all.confusion(name),
            not_scored: NotScored { labels: self.unscored.clone(), entities },
            baseline: None,
        }
    }
}

impl Evaluation {
    /// The contract's JSON, one line, without a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an evaluation holds strings, finite numbers and lists")
    }

    /// An evaluation that was written as JSON.
    ///
    /// # Errors
    /// Text that is none.
    pub fn parse(json: &str, name: &str) -> Result<Evaluation> {
        let parsed: Option<Evaluation> = serde_json::from_str(json).ok();
        parsed.filter(|parsed| parsed.schema == SCHEMA).ok_or_else(|| {
            Failure::new("ALO-D001", 3, format!("{name}: no evaluation of the form {SCHEMA}"))
                .hint("write one with: allonym eval FILE --format json")
        })
    }

    /// The same with what changed since an earlier evaluation.
    #[must_use]
    pub fn since(self, earlier: &Evaluation) -> Evaluation {
        let both = self.entities.iter().filter_map(|(name, now)| {
            Some((name.clone(), Change::between(earlier.entities.get(name)?, now)))
        });
        let overall = Change::between(&earlier.overall, &self.overall);
        Evaluation { baseline: Some(Changes { entities: both.collect(), overall }), ..self }
    }
}

impl Change {
    fn between(then: &Scored, now: &Scored) -> Change {
        let change = |of: fn(&Scored) -> Value| Some(of(now).value? - of(then).value?);
        Change {
            strict_f1: change(|scored| scored.strict.f1),
            overlap_precision: change(|scored| scored.overlap.precision),
            overlap_recall: change(|scored| scored.overlap.recall),
            leak_rate: change(|scored| scored.leak_rate),
        }
    }
}

const SCHEMA: &str = "allonym.eval/1";
const FORM: &str =
    "a line is {\"text\": …, \"spans\": [{\"start\": 0, \"end\": 5, \"label\": \"PERSON\"}]}";
