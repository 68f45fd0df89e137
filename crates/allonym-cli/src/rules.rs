//! `allonym rules`.

use crate::arguments::{OutputFormat, RulesAction, RulesArguments};
use crate::scan::{csv_field, group_name};
use crate::session::Session;
use crate::table;
use allonym::{Failure, Result, builtin_rule_files, check_rules, load_rules, read_rule_files};
use std::path::Path;

pub(crate) fn run(arguments: &RulesArguments, session: &mut Session) -> Result<u8> {
    match &arguments.action {
        RulesAction::List => list(arguments, session),
        RulesAction::Show { id } => show(id, arguments, session),
        RulesAction::Check { folder } => check(folder.as_deref(), session),
    }
}

fn list(arguments: &RulesArguments, session: &mut Session) -> Result<u8> {
    let rules = load_rules(&arguments.rules)?;
    let summaries = rules.summaries();
    match session.format {
        OutputFormat::Human => {
            let rows: Vec<Vec<String>> = summaries
                .iter()
                .map(|rule| {
                    vec![
                        rule.id.clone(),
                        group_name(rule.group).to_owned(),
                        rule.countries.join(" "),
                        rule.checks.join(" "),
                        rule.title.clone(),
                    ]
                })
                .collect();
            let header = ["rule", "group", "countries", "check", "what"];
            session.data(table::render(&header, &rows).as_bytes())?;
            session.say(&format!(
                "{} rules for {} entities",
                summaries.len(),
                rules.entities().len()
            ));
        }
        OutputFormat::Jsonl => {
            for rule in &summaries {
                session.data_line(&json(rule)?)?;
            }
        }
        OutputFormat::Csv => {
            let mut csv = String::from("rule,entity,group,category,countries,checks,source\n");
            for rule in &summaries {
                let fields = [
                    rule.id.clone(),
                    rule.entity.clone(),
                    group_name(rule.group).to_owned(),
                    rule.category.clone(),
                    rule.countries.join(" "),
                    rule.checks.join(" "),
                    rule.source.clone(),
                ];
                let fields: Vec<String> = fields.iter().map(|field| csv_field(field)).collect();
                csv.push_str(&fields.join(","));
                csv.push('\n');
            }
            session.data(csv.as_bytes())?;
        }
        _ => {
            let entities: Vec<serde_json::Value> = rules
                .entities()
                .iter()
                .map(|entity| {
                    serde_json::json!({
                        "name": entity.name, "title": entity.title,
                        "group": entity.group, "category": entity.category,
                        "countries": entity.countries, "label": entity.label,
                        "profile": entity.profile, "treatment": entity.treatment,
                        "source": entity.source,
                    })
                })
                .collect();
            let countries: std::collections::BTreeSet<&String> =
                summaries.iter().flat_map(|rule| &rule.countries).collect();
            let list = serde_json::json!({
                "schema": "allonym.rules/1",
                "digest": rules.digest(),
                "countries": countries,
                "entities": entities,
                "rules": summaries,
            });
            session.data_line(&list.to_string())?;
        }
    }
    Ok(0)
}

fn show(id: &str, arguments: &RulesArguments, session: &mut Session) -> Result<u8> {
    let rules = load_rules(&arguments.rules)?;
    match rules.source_of(id) {
        Some(source) => {
            session.data(source.as_bytes())?;
            Ok(0)
        }
        None => Err(Failure::new("ALO-L003", 2, format!("no rule or entity `{id}`"))
            .hint("see: allonym rules list")),
    }
}

fn check(folder: Option<&Path>, session: &mut Session) -> Result<u8> {
    let files = match folder {
        Some(folder) => read_rule_files(folder)?,
        None => builtin_rule_files(),
    };
    let report = check_rules(&files);
    match session.format {
        OutputFormat::Human => {
            for problem in &report.problems {
                let rule = problem.rule.as_deref().map(|rule| format!(" {rule}:"));
                let rule = rule.unwrap_or_default();
                session.data_line(&format!("{}:{rule} {}", problem.path, problem.message))?;
            }
            session.say(&format!(
                "{} files, {} rules, {} entities, {} examples, {} near-misses: {}",
                report.files,
                report.rules,
                report.entities,
                report.examples,
                report.near_misses,
                match report.problems.len() {
                    0 => "all is well".to_owned(),
                    n => format!("{n} problems"),
                }
            ));
            if !report.slow.is_empty() {
                session.note(&format!("in the slow lane: {}", report.slow.join(", ")));
            }
        }
        _ => session.data_line(&json(&report)?)?,
    }
    Ok(if report.problems.is_empty() { 0 } else { 2 })
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|_| Failure::new("ALO-X005", 5, "internal error: a report is not JSON"))
}
