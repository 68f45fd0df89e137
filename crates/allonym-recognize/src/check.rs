//! `allonym rules check`.

use crate::set::Definition;
use crate::{Recognizer, RuleFile, RuleSet, Scratch, Span, Tuning};

/// Fewest examples of a rule file.
pub const EXAMPLES_MIN: usize = 3;
/// Fewest near-misses of a rule file.
pub const NEAR_MISSES_MIN: usize = 2;

/// One thing wrong with a rule file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// File.
    pub path: String,
    /// Rule, where known.
    pub rule: Option<String>,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Result of checking rule files.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct CheckReport {
    /// Files read.
    pub files: usize,
    /// Rules in them.
    pub rules: usize,
    /// Entities in them.
    pub entities: usize,
    /// Examples run.
    pub examples: usize,
    /// Near-misses run.
    pub near_misses: usize,
    /// Rules that fall to the slow lane.
    pub slow: Vec<String>,
    /// Examples that another rule wins when all of these rules are on: `ENTITY: example[0] goes to
    /// OTHER`. No mistake, but worth a look.
    pub contested: Vec<String>,
    /// What is wrong; empty when all is well.
    pub problems: Vec<Problem>,
}

/// Checks rule files as `rules check` does: each parses, has a source, enough examples and
/// near-misses, finds its examples exactly and its near-misses not (with its own rules alone and
/// the default threshold), and all compile together under unique ids.
#[must_use]
pub fn check(files: &[RuleFile]) -> CheckReport {
    let mut report = CheckReport { files: files.len(), ..CheckReport::default() };
    let mut sound = Vec::new();
    for file in files {
        match Checked::new(file) {
            Err(message) => report.problem(&file.path, None, message),
            Ok(checked) => {
                checked.run(&mut report);
                sound.push(checked);
            }
        }
    }
    let files: Vec<RuleFile> = sound.iter().map(|checked| checked.file.clone()).collect();
    let together =
        RuleSet::parse(&files).and_then(|rules| Recognizer::compile(&rules, &Tuning::default()));
    match together {
        Err(error) => report.problem(&error.path, None, error.message),
        Ok(recognizer) => {
            report.rules = recognizer.rules().summaries().len();
            report.entities = recognizer.rules().entities().len();
            report.slow = recognizer.slow();
            for checked in &sound {
                checked.contest(&recognizer, &mut report);
            }
        }
    }
    report
}

impl CheckReport {
    fn problem(&mut self, path: &str, rule: Option<&str>, message: String) {
        let rule = rule.map(str::to_owned);
        self.problems.push(Problem { path: path.to_owned(), rule, message });
    }
}

/// A file whose rules compile.
struct Checked {
    file: RuleFile,
    definition: Definition,
    recognizer: Recognizer,
}

impl Checked {
    fn new(file: &RuleFile) -> Result<Checked, String> {
        let definition = Definition::parse(file).map_err(|error| error.message)?;
        let rules = RuleSet::parse(std::slice::from_ref(file)).map_err(|error| error.message)?;
        let recognizer =
            Recognizer::compile(&rules, &Tuning::default()).map_err(|error| error.message)?;
        Ok(Checked { file: file.clone(), definition, recognizer })
    }

    fn run(&self, report: &mut CheckReport) {
        let definition = &self.definition;
        let name = definition.entity.name.as_str();
        let mut problem = |message: String| report.problem(&self.file.path, Some(name), message);
        for (what, count, min) in [
            ("examples", definition.examples.len(), EXAMPLES_MIN),
            ("near-misses", definition.near_misses.len(), NEAR_MISSES_MIN),
        ] {
            if count < min {
                problem(format!("{count} {what}; at least {min} are needed"));
            }
        }
        let context = &definition.context;
        let no_words = context.near.is_empty() && context.not_near.is_empty();
        if context.written && no_words && context.header.is_empty() {
            problem("`[context]` is empty; add phrases or leave it out".to_owned());
        }
        if definition.patterns.is_empty() && context.header.is_empty() {
            problem("neither a pattern nor a header: nothing can be found".to_owned());
        }
        for pattern in &definition.patterns {
            let id = definition.rule_id(pattern);
            if pattern.score_best() > pattern.score_plain() && context.near.is_empty() {
                problem(format!("{id} scores context, but `context.near` is empty"));
            }
            if pattern.score_best() < Tuning::default().min_score {
                problem(format!("{id} never reaches the default threshold"));
            }
        }
        let mut scratch = Scratch::default();
        for (place, example) in definition.examples.iter().enumerate() {
            report.examples += 1;
            let result = match (&example.text, &example.find, &example.header) {
                (Some(text), Some(find), None) => self.finds(text, find, &mut scratch),
                (None, None, Some(header)) => match self.header_strength(header) {
                    None => Err(format!("header `{header}` does not point to {name}")),
                    Some(_) => Ok(()),
                },
                _ => Err("an example has `text` and `find`, or `header`".to_owned()),
            };
            if let Err(message) = result {
                let message = format!("example[{place}]: {message}");
                report.problem(&self.file.path, Some(name), message);
            }
        }
        for (place, miss) in definition.near_misses.iter().enumerate() {
            report.near_misses += 1;
            let result = match (&miss.text, &miss.header) {
                (Some(text), None) => match self.spans(text, &mut scratch).first() {
                    None => Ok(()),
                    Some(span) => Err(format!(
                        "`{}` is found in `{text}` by {}",
                        text.get(span.start..span.end).unwrap_or_default(),
                        self.recognizer.rules().rule_name(span.rule),
                    )),
                },
                (None, Some(header)) => match self.header_strength(header) {
                    None => Ok(()),
                    Some(_) => Err(format!("header `{header}` points to {name}")),
                },
                _ => Err("a near-miss has `text` or `header`".to_owned()),
            };
            let result = match result {
                Ok(()) if miss.why.trim().is_empty() => Err("`why` is empty".to_owned()),
                result => result,
            };
            if let Err(message) = result {
                let message = format!("near_miss[{place}]: {message}");
                report.problem(&self.file.path, Some(name), message);
            }
        }
    }

    /// Whether exactly `find` is found in `text`.
    fn finds(&self, text: &str, find: &str, scratch: &mut Scratch) -> Result<(), String> {
        if find.is_empty() || !text.contains(find) {
            return Err(format!("`{find}` does not stand in `{text}`"));
        }
        let spans = self.spans(text, scratch);
        if spans.iter().any(|span| text.get(span.start..span.end) == Some(find)) {
            return Ok(());
        }
        let found: Vec<String> = spans
            .iter()
            .map(|span| format!("`{}`", text.get(span.start..span.end).unwrap_or_default()))
            .collect();
        let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
        Err(format!("`{find}` is not found in `{text}`, but {found}"))
    }

    fn spans(&self, text: &str, scratch: &mut Scratch) -> Vec<Span> {
        let mut spans = Vec::new();
        self.recognizer.scan(text, scratch, &mut spans);
        spans
    }

    fn header_strength(&self, header: &str) -> Option<f32> {
        self.recognizer.rules().header_hits(header).first().map(|(_, strength)| *strength)
    }

    /// Names the examples that go to another entity when all rules are on.
    fn contest(&self, all: &Recognizer, report: &mut CheckReport) {
        let name = self.definition.entity.name.as_str();
        let (mut scratch, mut spans) = (Scratch::default(), Vec::new());
        for (place, example) in self.definition.examples.iter().enumerate() {
            let (Some(text), Some(find)) = (&example.text, &example.find) else { continue };
            all.scan(text, &mut scratch, &mut spans);
            let entity = |span: &Span| all.rules().entity(span.entity).name.as_str();
            let own =
                |span: &Span| entity(span) == name && text.get(span.start..span.end) == Some(find);
            if spans.iter().any(own) {
                continue;
            }
            let Some(at) = text.find(find.as_str()) else { continue };
            let winner = spans.iter().find(|span| span.start < at + find.len() && span.end > at);
            if let Some(winner) = winner {
                report
                    .contested
                    .push(format!("{name}: example[{place}] goes to {}", entity(winner)));
            }
        }
    }
}
