//! Identifiers that are left in the output, column by column.
//!
//! Where the policy promises tokens, coarser, masked or constant cells, every cell that is none counts;
//! where it promises treated text, every cell in which the detector still finds something; every other
//! column is judged anew, as a scan does.

use super::{CheckJob, blank_columns, finding};
use crate::cells::{leaf_texts, leaves};
use crate::compiled::Scratches;
use crate::scan::{Evidence, Looker, Sample, ScanColumn, ScanOptions};
use crate::{Cancel, FindOptions, Policy, Result, compiled};
use allonym_core::{Coarseness, Promise};
use allonym_keys::{TokenFormat, find_text_tokens};
use allonym_recognize::{Group, Recognizer, RuleSet};
use allonym_report::{ColumnEvidence, Finding, Recall, Severity};
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::{Schema, SchemaRef};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What looks for identifiers.
pub(super) struct Residue<'a> {
    policy: &'a Policy,
    recognizer: Arc<Recognizer>,
    scratches: Scratches,
    looker: Looker,
    options: ScanOptions,
}

impl<'a> Residue<'a> {
    pub(super) fn new(
        job: &CheckJob<'_>,
        policy: &'a Policy,
        rules: &RuleSet,
        rule_folders: Vec<String>,
    ) -> Result<Residue<'a>> {
        let selection = policy.selection();
        let find = FindOptions {
            countries: selection.countries,
            languages: selection.languages,
            rule_folders,
            ..FindOptions::default()
        };
        let options = ScanOptions {
            find,
            full: job.full,
            rows: job.rows,
            seed: job.seed,
            cancel: job.cancel.clone(),
        };
        let looker = Looker::new(&options.find)?;
        // Compiling all rules takes longer than searching a small file: a second time only for text,
        // which the policy tunes.
        let recognizer = match policy.needs_recognizer() {
            true => compiled::recognizer(rules, &policy.tuning())?,
            false => Arc::clone(&looker.recognizer),
        };
        let scratches = Scratches::default();
        Ok(Residue { policy, recognizer, scratches, looker, options })
    }

    /// Begins with a table; `entities` are what its columns were judged to be when treated.
    pub(super) fn begin(
        &self,
        schema: &SchemaRef,
        entities: &BTreeMap<String, String>,
    ) -> Pass<'_> {
        let mut looks = Vec::new();
        let mut judged = Vec::new();
        for (at, field) in schema.fields().iter().enumerate() {
            let one = Schema::new(vec![Arc::clone(field)]);
            for leaf in leaves(&one) {
                let entity = entities.get(&leaf.path).map(String::as_str);
                let look = Look::of(self.policy.promise(&leaf.path, entity).as_ref());
                if matches!(look, Look::Judge { .. }) && judged.last() != Some(&at) {
                    judged.push(at);
                }
                looks.push(look);
            }
        }
        let counts = vec![Count::default(); looks.len()];
        let part = schema.project(&judged).unwrap_or_else(|_| Schema::empty());
        Pass {
            sample: Sample::new(&self.options),
            columns: blank_columns(schema),
            eyes: Eyes {
                residue: self,
                looks,
                counts,
                judged,
                evidence: Evidence::new(&part),
                rows: 0,
            },
        }
    }
}

/// One table at work.
pub(super) struct Pass<'r> {
    sample: Sample,
    columns: Vec<ColumnEvidence>,
    eyes: Eyes<'r>,
}

/// How a column is looked at.
enum Look {
    /// Cells are tokens.
    Tokens(TokenFormat),
    /// Cells are null or this text.
    Redacted(Option<String>),
    /// Cells are as coarse as this.
    Coarse(Coarseness),
    /// Cells are this sign, but for so many characters.
    Masked(char, usize),
    /// Text in which these entities were replaced; empty is all.
    Text(Vec<String>),
    /// Anything else, and whether somebody said why it may stay as it is.
    Judge { excused: bool },
}

impl Look {
    fn of(promise: Option<&Promise>) -> Look {
        let Some(promise) = promise else { return Look::Judge { excused: false } };
        match (promise.tokens, &promise.redacted, &promise.coarse, promise.mask) {
            (Some(format), ..) => Look::Tokens(format),
            (None, Some(with), ..) => Look::Redacted(with.clone()),
            (None, None, Some(coarse), _) => Look::Coarse(coarse.clone()),
            (None, None, None, Some((sign, kept))) => Look::Masked(sign, kept),
            _ if promise.treatment == "text" => Look::Text(promise.entities.clone()),
            _ => Look::Judge { excused: promise.reason.is_some() },
        }
    }
}

#[derive(Clone, Default)]
struct Count {
    cells: u64,
    hits: u64,
    kinds: BTreeMap<String, u64>,
}

impl Count {
    /// Cells, and those that are not what they should be.
    fn strange(&mut self, texts: &StringArray, fits: impl Fn(&str) -> bool) {
        self.cells += (texts.len() - texts.null_count()) as u64;
        self.hits += texts.iter().flatten().filter(|text| !fits(text)).count() as u64;
    }
}

struct Eyes<'r> {
    residue: &'r Residue<'r>,
    /// One for each leaf, as are the counts.
    looks: Vec<Look>,
    counts: Vec<Count>,
    /// Columns that are judged.
    judged: Vec<usize>,
    evidence: Evidence,
    rows: u64,
}

impl Pass<'_> {
    pub(super) fn offer(&mut self, records: &RecordBatch, cancel: &Cancel) {
        let eyes = &mut self.eyes;
        self.sample.offer(records, &mut |ready| eyes.look(ready, cancel));
    }

    /// The columns, what is wrong with them, and how many rows were searched.
    pub(super) fn finish(
        mut self,
        file: &str,
        cancel: &Cancel,
    ) -> Result<(Vec<ColumnEvidence>, Vec<Finding>, u64)> {
        let eyes = &mut self.eyes;
        self.sample.finish(&mut |ready| eyes.look(ready, cancel));
        cancel.check()?;
        let Eyes { residue, looks, counts, evidence, rows, .. } = self.eyes;
        let scan = residue.looker.scan(file, &evidence, &residue.options);
        let mut findings = Vec::new();
        for ((column, look), count) in self.columns.iter_mut().zip(&looks).zip(counts) {
            column.cells = count.cells;
            column.residual = count.hits;
            let told = |code: &str, message: String, count: u64| Finding {
                file: Some(file.to_owned()),
                column: Some(column.name.clone()),
                count: Some(count),
                next: Some("treat the source again; what was released is out".to_owned()),
                ..finding(code, Severity::Breach, &message)
            };
            let name = &column.name;
            match look {
                Look::Tokens(_) | Look::Redacted(_) | Look::Coarse(_) | Look::Masked(..)
                    if count.hits > 0 =>
                {
                    let what = match look {
                        Look::Tokens(_) => "no tokens, as the policy promises",
                        Look::Coarse(_) => "not as coarse as the policy promises",
                        Look::Masked(..) => "not masked as the policy promises",
                        _ => "not what the policy puts in their place",
                    };
                    let message = format!("{} cells of column `{name}` are {what}", count.hits);
                    findings.push(told("ALO-I102", message, count.hits));
                }
                Look::Text(_) if count.hits > 0 => {
                    let kinds: Vec<String> =
                        count.kinds.iter().map(|(kind, n)| format!("{kind} in {n}")).collect();
                    let message = format!(
                        "{} cells of column `{name}` still hold identifiers: {}",
                        count.hits,
                        kinds.join(", ")
                    );
                    findings.push(told("ALO-I101", message, count.hits));
                }
                Look::Judge { excused } => {
                    let Some(found) = scan.columns.iter().find(|found| found.name == *name) else {
                        continue;
                    };
                    let left = left_in(found, residue.looker.rules());
                    if let (false, Some((what, hits))) = (excused, left) {
                        let message = format!("column `{name}` holds {what}");
                        findings.push(told("ALO-I101", message, hits));
                        column.residual = hits;
                    }
                    column.cells = found.cells;
                    column.entity.clone_from(&found.entity);
                    column.group = found.group.map(|group| group_word(group).to_owned());
                    column.share = found.entity.as_ref().map(|_| found.coverage.share);
                    column.confidence = found.entity.as_ref().map(|_| f64::from(found.confidence));
                }
                _ => {}
            }
        }
        Ok((self.columns, findings, rows))
    }
}

impl Eyes<'_> {
    fn look(&mut self, batches: &[RecordBatch], cancel: &Cancel) {
        for batch in batches {
            self.rows += batch.num_rows() as u64;
            let texts = leaf_texts(batch);
            let residue = self.residue;
            self.counts.par_iter_mut().zip(&self.looks).zip(&texts).for_each(
                |((count, look), texts)| {
                    if let Some(texts) = texts.as_ref().filter(|_| !cancel.is_cancelled()) {
                        residue.count(look, texts, count);
                    }
                },
            );
        }
        let parts: Vec<RecordBatch> =
            batches.iter().filter_map(|batch| batch.project(&self.judged).ok()).collect();
        if !self.judged.is_empty() {
            self.evidence.observe(&parts, &self.residue.looker, cancel);
        }
        self.evidence.rows = self.rows;
    }
}

impl Residue<'_> {
    fn count(&self, look: &Look, texts: &StringArray, count: &mut Count) {
        match look {
            Look::Judge { .. } => {}
            Look::Tokens(format) => count.strange(texts, |text| is_token(*format, text)),
            Look::Redacted(with) => count.strange(texts, |text| with.as_deref() == Some(text)),
            Look::Coarse(coarse) => count.strange(texts, |text| coarse.holds(text)),
            Look::Masked(sign, kept) => {
                count.strange(texts, |text| text.chars().filter(|c| c != sign).count() <= *kept)
            }
            Look::Text(entities) => self.scratches.lend(|scratch| {
                let rules = self.recognizer.rules();
                let (mut spans, mut tokens) = (Vec::new(), Vec::new());
                for text in texts.iter().flatten() {
                    count.cells += 1;
                    spans.clear();
                    tokens.clear();
                    self.recognizer.scan(text, scratch, &mut spans);
                    if spans.is_empty() {
                        continue;
                    }
                    // What stands in the place of a finding is none.
                    find_text_tokens(text, &mut tokens);
                    let mut kinds: Vec<&str> = spans
                        .iter()
                        .filter(|span| {
                            !tokens.iter().any(|t| t.start < span.end && span.start < t.end)
                        })
                        .map(|span| rules.entity(span.entity).name.as_str())
                        .filter(|name| entities.is_empty() || entities.iter().any(|e| e == name))
                        .collect();
                    kinds.sort_unstable();
                    kinds.dedup();
                    count.hits += u64::from(!kinds.is_empty());
                    for kind in kinds {
                        *count.kinds.entry(kind.to_owned()).or_default() += 1;
                    }
                }
            }),
        }
    }
}

/// What is left in a column that nobody excused: the column as a whole names people, or its free
/// text does in places.
fn left_in(found: &ScanColumn, rules: &RuleSet) -> Option<(String, u64)> {
    let harmful = |group| group != Group::Quasi;
    if let (Some(entity), Some(group)) = (&found.entity, found.group)
        && harmful(group)
    {
        let hits = share_of(found.coverage.share, found.cells);
        let share = 100.0 * found.coverage.share;
        return Some((format!("{entity} ({share:.1} % of its cells)"), hits.max(1)));
    }
    let inside = found.entities.iter().filter(|inside| {
        let known = rules.entity_by_name(&inside.entity);
        found.free_text && known.is_some_and(|id| harmful(rules.entity(id).group))
    });
    let most = inside.max_by_key(|inside| inside.cells).filter(|inside| inside.cells > 0)?;
    Some((format!("{} in {} texts", most.entity, most.cells), most.cells))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a count for people, of a share in [0, 1]"
)]
fn share_of(share: f64, cells: u64) -> u64 {
    (share * cells as f64).round() as u64
}

/// Whether a cell has the form of a token.
fn is_token(format: TokenFormat, text: &str) -> bool {
    let (chars, fits): (usize, fn(u8) -> bool) = match format {
        TokenFormat::Base62 => (22, |c| c.is_ascii_alphanumeric()),
        TokenFormat::Hex => (32, |c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c)),
        TokenFormat::Crockford => (26, |c| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&c)),
        // Text formats write bytes in hexadecimal.
        TokenFormat::Binary => (32, |c| c.is_ascii_hexdigit()),
    };
    text.len() == chars && text.bytes().all(fits)
}

fn group_word(group: Group) -> &'static str {
    match group {
        Group::Direct => "direct",
        Group::Quasi => "quasi",
        Group::Sensitive => "sensitive",
        Group::Secret => "secret",
    }
}

/// The bound in words.
pub(super) fn statement(found: u64, rows: u64, upper: f64, recall: Option<&Recall>) -> String {
    if rows == 0 {
        return "no row was there to be searched".to_owned();
    }
    let found = match found {
        0 => "none found".to_owned(),
        n => format!("{n} cells found"),
    };
    let detector = match recall {
        Some(recall) => format!(
            "; the bound counts with a detector that finds {:.1} % of them at least (measured on {})",
            100.0 * recall.low,
            recall.measured_on
        ),
        None => {
            "; what the detector misses is not in the bound, because nobody said how much that \
                 is (--recall)"
                .to_owned()
        }
    };
    format!(
        "{found} in {rows} rows searched; with 95 % confidence not more than {} hold one of the \
         kinds looked for{detector}",
        share_in_words(upper)
    )
}

/// `1 row in 400` where that says more than per cent.
fn share_in_words(share: f64) -> String {
    if share > SHARE_IN_WORDS_MAX {
        return format!("{:.1} % of rows", (1_000.0 * share).ceil() / 10.0);
    }
    // Rounded so that the bound stays one.
    format!("1 row in {:.0}", (1.0 / share).floor())
}

const SHARE_IN_WORDS_MAX: f64 = 0.01;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_told_in_words() {
        let of = |upper| share_in_words(upper);
        assert_eq!(of(0.000_002_487), "1 row in 402090");
        assert_eq!(of(0.01), "1 row in 100");
        assert_eq!(of(0.012_51), "1.3 % of rows");
        assert_eq!(of(1.0), "100.0 % of rows");
        let recall = Recall { value: 0.97, low: 0.941, measured_on: "claims.jsonl".to_owned() };
        let told = statement(0, 1_000, 0.003, Some(&recall));
        assert!(told.contains("none found in 1000 rows") && told.contains("94.1 %"), "{told}");
        assert!(statement(3, 1_000, 0.1, None).contains("--recall"));
        assert_eq!(statement(0, 0, 1.0, None), "no row was there to be searched");
    }

    #[test]
    fn tokens_have_a_form() {
        let good = "0123456789abcdefghIJKL";
        assert!(is_token(TokenFormat::Base62, good));
        for wrong in ["", "0123456789abcdefghIJK", "0123456789abcdefghIJK-", "zora@example.org"] {
            assert!(!is_token(TokenFormat::Base62, wrong), "{wrong}");
        }
        assert!(is_token(TokenFormat::Hex, &"0a".repeat(16)));
        assert!(!is_token(TokenFormat::Hex, &"0A".repeat(16)));
        assert!(is_token(TokenFormat::Crockford, &"Z".repeat(26)));
        assert!(!is_token(TokenFormat::Crockford, &"U".repeat(26)));
    }
}
