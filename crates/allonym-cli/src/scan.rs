//! `allonym scan`.

use crate::arguments::{OutputFormat, ScanArguments};
use crate::progress::Meter;
use crate::session::Session;
use crate::{sarif, table};
use allonym::{
    DocumentFindings, Failure, Finder, Found, Group, Result, RuleSet, Scan, ScanColumn,
    ScanOptions, expand, load_rules, scan_path, scan_spans,
};
use std::collections::BTreeMap;

pub(crate) fn run(arguments: &ScanArguments, session: &mut Session) -> Result<u8> {
    let wanted = Gate::parse(&arguments.fail_on, &load_rules(&arguments.find.rules)?)?;
    let inputs = expand(&arguments.paths)?;
    for skipped in &inputs.skipped {
        session.note(&format!("left out `{skipped}`: not a format that is read"));
    }
    let found_any = if arguments.spans {
        spans(arguments, &inputs.found, &wanted, session)?
    } else {
        columns(arguments, &inputs.found, &wanted, session)?
    };
    Ok(u8::from(found_any))
}

fn columns(
    arguments: &ScanArguments,
    inputs: &[Found],
    gate: &Gate,
    session: &mut Session,
) -> Result<bool> {
    let options = ScanOptions {
        find: arguments.find.options(),
        full: arguments.full,
        rows: usize::try_from(arguments.rows).unwrap_or(usize::MAX),
        seed: arguments.seed,
        cancel: session.cancel.clone(),
    };
    let mut scans = Vec::new();
    for found in inputs {
        let meter = Meter::new(session.progress_kind());
        let told = |bytes, size| meter.tell("scanning", &found.relative, bytes, size);
        let source = source_name(found);
        let scan = scan_path(&found.input, &source, &arguments.read.options(), &options, &told)?;
        drop(meter);
        match session.format {
            OutputFormat::Human => session.data(human(&scan).as_bytes())?,
            OutputFormat::Jsonl => session.data_line(&scan.to_json())?,
            _ => {}
        }
        scans.push(scan);
    }
    match session.format {
        OutputFormat::Human => {
            let path = arguments.paths.first().map_or("FILE", String::as_str);
            session.hint(&format!("allonym apply {path} --to OUT   or   allonym init {path}"));
        }
        OutputFormat::Jsonl => {}
        OutputFormat::Json => {
            let json: Vec<String> = scans.iter().map(Scan::to_json).collect();
            match json.as_slice() {
                [one] => session.data_line(one)?,
                many => session.data_line(&format!("[{}]", many.join(",")))?,
            }
        }
        OutputFormat::Csv => session.data(inventory(&scans).as_bytes())?,
        OutputFormat::Sarif => session.data_line(&sarif::render(&scans))?,
        _ => return Err(crate::no_view()),
    }
    Ok(scans.iter().flat_map(|scan| &scan.columns).any(|column| gate.stops_column(column)))
}

fn spans(
    arguments: &ScanArguments,
    inputs: &[Found],
    gate: &Gate,
    session: &mut Session,
) -> Result<bool> {
    let finder = Finder::new(&arguments.find.options())?;
    let cancel = session.cancel.clone();
    let mut stopped = false;
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut documents = 0_u64;
    for found in inputs {
        let mut emit = |document: DocumentFindings| -> Result<()> {
            documents += 1;
            for span in &document.spans {
                stopped |= gate.stops_entity(&span.entity, finder.rules());
                *counts.entry(span.entity.clone()).or_default() += 1;
            }
            match session.format {
                OutputFormat::Human => Ok(()),
                OutputFormat::Json | OutputFormat::Jsonl => {
                    session.data_line(&document_json(&document))
                }
                OutputFormat::Csv => session.data(document_csv(&document).as_bytes()),
                OutputFormat::Sarif => Err(Failure::new(
                    "ALO-U003",
                    2,
                    "--spans has no SARIF form; take --format jsonl",
                )),
                _ => Err(crate::no_view()),
            }
        };
        scan_spans(
            &found.input,
            &source_name(found),
            &arguments.read.options(),
            &arguments.text_field,
            &finder,
            &cancel,
            &mut emit,
        )?;
    }
    if session.format == OutputFormat::Human {
        let rows: Vec<Vec<String>> =
            counts.iter().map(|(name, &n)| vec![name.clone(), table::count(n)]).collect();
        let mut text = format!("{} documents\n", table::count(documents));
        if rows.is_empty() {
            text.push_str("nothing found\n");
        } else {
            text.push_str(&table::render(&["found", "spans"], &rows));
        }
        session.data(text.as_bytes())?;
        session.hint("add --format jsonl for every span's place");
    }
    Ok(stopped)
}

/// What `--fail-on` stops at.
struct Gate {
    any: bool,
    groups: Vec<Group>,
    entities: Vec<String>,
}

impl Gate {
    fn parse(words: &[String], rules: &RuleSet) -> Result<Gate> {
        let mut gate = Gate { any: false, groups: Vec::new(), entities: Vec::new() };
        for word in words {
            match word.as_str() {
                "any" => gate.any = true,
                "direct" => gate.groups.push(Group::Direct),
                "quasi" => gate.groups.push(Group::Quasi),
                "sensitive" => gate.groups.push(Group::Sensitive),
                "secret" => gate.groups.push(Group::Secret),
                entity if rules.entity_by_name(entity).is_some() => {
                    gate.entities.push(entity.to_owned());
                }
                other => {
                    return Err(Failure::new(
                        "ALO-U006",
                        2,
                        format!(
                            "--fail-on `{other}` is no group (direct, quasi, sensitive, secret, \
                             any) and no entity"
                        ),
                    )
                    .hint("see: allonym rules list"));
                }
            }
        }
        Ok(gate)
    }

    fn stops_entity(&self, entity: &str, rules: &RuleSet) -> bool {
        let group = rules.entity_by_name(entity).map(|id| rules.entity(id).group);
        self.any
            || group.is_some_and(|group| self.groups.contains(&group))
            || self.entities.iter().any(|wanted| wanted == entity)
    }

    fn stops_column(&self, column: &ScanColumn) -> bool {
        let rules = RuleSet::builtin();
        let whole = column.entity.iter().any(|entity| {
            self.any
                || column.group.is_some_and(|group| self.groups.contains(&group))
                || self.entities.contains(entity)
        });
        whole || column.entities.iter().any(|found| self.stops_entity(&found.entity, rules))
    }
}

pub(crate) fn source_name(found: &Found) -> String {
    match &found.input {
        allonym::Input::File(path) => path.display().to_string(),
        allonym::Input::Stdin => "-".to_owned(),
    }
}

pub(crate) fn human(scan: &Scan) -> String {
    let how = if scan.sampled {
        format!("sample {} rows, seed {}", table::count(scan.rows_read), scan.seed)
    } else {
        "every row read".to_owned()
    };
    let mut text = format!(
        "{} · {} rows × {} columns · {how}\n",
        scan.source,
        table::count(scan.rows),
        scan.columns.len(),
    );
    let (found, clear): (Vec<_>, Vec<_>) = scan
        .columns
        .iter()
        .partition(|column| column.entity.is_some() || !column.entities.is_empty());
    if !found.is_empty() {
        let rows: Vec<Vec<String>> = found.into_iter().map(row).collect();
        let header = ["column", "found", "in cells", "confidence", "shape", "suggestion"];
        text.push_str(&table::render(&header, &rows));
    }
    let clear = clear.len();
    text.push_str(&format!(
        "{} column{}: nothing found.",
        clear,
        if clear == 1 { "" } else { "s" }
    ));
    if scan.sampled {
        text.push_str(" Sampled: rare values can be missed. Use --full before release.");
    }
    for (narrowed, what) in [(&scan.countries, "countries"), (&scan.languages, "languages")] {
        if !narrowed.is_empty() {
            text.push_str(&format!(" Only {what} looked for: {}.", narrowed.join(", ")));
        }
    }
    text.push('\n');
    text
}

fn row(column: &ScanColumn) -> Vec<String> {
    let (found, share) = match &column.entity {
        Some(entity) => (entity.clone(), format!("{:.1} %", 100.0 * column.coverage.share)),
        None => {
            let names: Vec<&str> =
                column.entities.iter().map(|found| found.entity.as_str()).take(3).collect();
            let more = column.entities.len().saturating_sub(3);
            let more = if more > 0 { format!(" +{more}") } else { String::new() };
            let cells = column.entities.iter().map(|found| found.cells).max().unwrap_or(0);
            let share = format!("{} of {}", table::count(cells), table::count(column.cells));
            (format!("{}{more}", names.join(", ")), share)
        }
    };
    let shape = match &column.shape {
        Some(shape) => shape.clone(),
        None if column.free_text => "free text".to_owned(),
        None => "–".to_owned(),
    };
    let confidence = if column.entity.is_some() {
        words(column.confidence).to_owned()
    } else {
        "–".to_owned()
    };
    vec![column.name.clone(), found, share, confidence, shape, column.suggestion.clone()]
}

/// Confidence in words, for people only.
fn words(confidence: f32) -> &'static str {
    match confidence {
        c if c >= 0.95 => "very high",
        c if c >= 0.8 => "high",
        c if c >= 0.6 => "medium",
        _ => "low",
    }
}

/// A flat inventory with stable columns, as catalogue tools import it.
fn inventory(scans: &[Scan]) -> String {
    let mut csv = String::from(
        "source,column,type,entity,group,confidence,share,share_low,share_high,cells,nulls,\
         suggestion,reason\n",
    );
    for scan in scans {
        for column in &scan.columns {
            let group = column.group.map(group_name).unwrap_or_default();
            let fields = [
                scan.source.clone(),
                column.name.clone(),
                column.type_name.clone(),
                column.entity.clone().unwrap_or_default(),
                group.to_owned(),
                format!("{:.4}", column.confidence),
                format!("{:.4}", column.coverage.share),
                format!("{:.4}", column.coverage.low),
                format!("{:.4}", column.coverage.high),
                column.cells.to_string(),
                column.nulls.to_string(),
                column.suggestion.clone(),
                column.reason.clone(),
            ];
            let fields: Vec<String> = fields.iter().map(|field| csv_field(field)).collect();
            csv.push_str(&fields.join(","));
            csv.push('\n');
        }
    }
    csv
}

/// Quoted where RFC 4180 asks for it, and guarded against spreadsheets that run formulas.
pub(crate) fn csv_field(field: &str) -> String {
    let guarded = if field.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{field}")
    } else {
        field.to_owned()
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

pub(crate) fn group_name(group: Group) -> &'static str {
    match group {
        Group::Direct => "direct",
        Group::Quasi => "quasi",
        Group::Sensitive => "sensitive",
        Group::Secret => "secret",
    }
}

fn document_json(document: &DocumentFindings) -> String {
    let spans: Vec<serde_json::Value> = document
        .spans
        .iter()
        .map(|span| {
            serde_json::json!({
                "start": span.start,
                "end": span.end,
                "entity": span.entity,
                "score": short(span.score),
                "rule": span.rule,
            })
        })
        .collect();
    serde_json::json!({ "id": document.id, "spans": spans }).to_string()
}

fn document_csv(document: &DocumentFindings) -> String {
    let id = serde_json::to_value(&document.id).unwrap_or_default();
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let mut csv = String::new();
    for span in &document.spans {
        csv.push_str(&format!(
            "{},{},{},{},{},{}\n",
            csv_field(&id),
            span.start,
            span.end,
            span.entity,
            short(span.score),
            csv_field(&span.rule)
        ));
    }
    csv
}

/// `0.95`, not `0.949999988079071`: an `f32` has seven digits.
fn short(score: f32) -> f64 {
    (f64::from(score) * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreadsheet_formulas_are_guarded() {
        assert_eq!(csv_field("=1+1"), "'=1+1");
        assert_eq!(csv_field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(csv_field("plain"), "plain");
    }

    #[test]
    fn an_unknown_gate_word_is_refused() {
        let words = ["directs".to_owned()];
        let refused = Gate::parse(&words, RuleSet::builtin()).err().unwrap();
        assert_eq!(refused.exit, 2);
        assert!(Gate::parse(&["direct".to_owned()], RuleSet::builtin()).is_ok());
    }
}
