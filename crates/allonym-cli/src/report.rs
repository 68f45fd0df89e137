//! `allonym report`: evidence, rendered.

use crate::arguments::{OutputFormat, ReportArguments};
use crate::session::Session;
use allonym::{CheckEvidence, Failure, Result, RiskEvidence, report, write_whole};
use std::path::Path;

pub(crate) fn run(arguments: &ReportArguments, session: &mut Session) -> Result<u8> {
    let path = &arguments.evidence;
    let text = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("cannot read `{}`: {}", path.display(), error.kind());
        Failure::new("ALO-D007", 3, message)
    })?;
    let evidence = read(&text, path)?;
    let format = match (session.format, &arguments.to) {
        (OutputFormat::Human, Some(to)) => of_name(to)?,
        (OutputFormat::Human, None) => OutputFormat::Html,
        (format, _) => format,
    };
    let rendered = match &evidence {
        Evidence::Check(evidence) => render(evidence, format)?,
        Evidence::Risk(evidence) => render_risk(evidence, format)?.into_bytes(),
    };
    match &arguments.to {
        Some(to) => {
            write_whole(to, &rendered, arguments.force)?;
            session.say(&format!("report: {}", to.display()));
        }
        None => session.data(&rendered)?,
    }
    Ok(0)
}

enum Evidence {
    Check(Box<CheckEvidence>),
    Risk(Box<RiskEvidence>),
}

fn read(text: &str, path: &Path) -> Result<Evidence> {
    let unread = |code, error: &dyn std::fmt::Display| {
        Failure::new(code, 3, format!("{}: {error}", path.display()))
    };
    if report::is_risk(text) {
        let evidence = report::read_risk(text).map_err(|error| unread("ALO-U069", &error))?;
        return Ok(Evidence::Risk(Box::new(evidence)));
    }
    let evidence = report::read(text).map_err(|error| unread("ALO-D007", &error))?;
    Ok(Evidence::Check(Box::new(evidence)))
}

/// The format that a name asks for.
pub(crate) fn of_name(path: &Path) -> Result<OutputFormat> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let of_two = |(ending, _): &&(&str, OutputFormat)| name.ends_with(ending);
    if let Some((_, format)) = TWO_ENDINGS.iter().find(of_two) {
        return Ok(*format);
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    Ok(match ending.as_deref() {
        Some("html" | "htm") => OutputFormat::Html,
        Some("md" | "markdown") => OutputFormat::Md,
        Some("csv") => OutputFormat::Csv,
        Some("sarif") => OutputFormat::Sarif,
        Some("json") => OutputFormat::Json,
        Some("xlsx") => OutputFormat::Xlsx,
        _ => {
            return Err(Failure::new(
                "ALO-U013",
                2,
                format!("`{}` does not say which format it has", path.display()),
            )
            .hint(
                "name it .html, .md, .csv, .sarif, .json, .xlsx, .ropa.csv, .odcs.yaml, \
                 .croissant.json or .openlineage.jsonl, or give --format",
            ));
        }
    })
}

pub(crate) fn render(evidence: &CheckEvidence, format: OutputFormat) -> Result<Vec<u8>> {
    let text = match format {
        OutputFormat::Human | OutputFormat::Html => report::html(evidence),
        OutputFormat::Md => report::markdown(evidence),
        OutputFormat::Csv => report::csv(evidence),
        OutputFormat::Sarif => report::sarif(evidence),
        OutputFormat::Json | OutputFormat::Jsonl => evidence.to_json(),
        OutputFormat::Ropa => report::ropa(evidence),
        OutputFormat::Odcs => report::odcs(evidence),
        OutputFormat::Croissant => report::croissant(evidence),
        OutputFormat::Openlineage => report::openlineage(evidence),
        OutputFormat::Xlsx => {
            return report::xlsx(evidence)
                .map_err(|error| Failure::new("ALO-U073", 2, error.to_string()));
        }
    };
    Ok(text.into_bytes())
}

/// Names whose last ending says less than both.
const TWO_ENDINGS: &[(&str, OutputFormat)] = &[
    (".ropa.csv", OutputFormat::Ropa),
    (".odcs.yaml", OutputFormat::Odcs),
    (".odcs.yml", OutputFormat::Odcs),
    (".croissant.json", OutputFormat::Croissant),
    (".openlineage.jsonl", OutputFormat::Openlineage),
    (".openlineage.ndjson", OutputFormat::Openlineage),
];
fn render_risk(evidence: &RiskEvidence, format: OutputFormat) -> Result<String> {
    Ok(match format {
        OutputFormat::Human | OutputFormat::Html => report::risk_html(evidence),
        OutputFormat::Md => report::risk_markdown(evidence),
        OutputFormat::Csv => report::risk_csv(evidence),
        OutputFormat::Json | OutputFormat::Jsonl => evidence.to_json(),
        OutputFormat::Sarif
        | OutputFormat::Ropa
        | OutputFormat::Odcs
        | OutputFormat::Croissant
        | OutputFormat::Openlineage
        | OutputFormat::Xlsx => {
            let message = "evidence of risk is rendered as html, md, csv or json; the other views are of a check";
            return Err(Failure::new("ALO-U013", 2, message).hint("take html, md, csv or json"));
        }
    })
}
