//! `allonym report`: evidence, rendered.

use crate::arguments::{OutputFormat, ReportArguments};
use crate::session::Session;
use allonym::report::Document;
use allonym::{
    Certificate, CheckEvidence, ExpireEvidence, Failure, Result, RiskEvidence, exposure, report,
    write_whole,
};
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
        Evidence::Risk(evidence) => {
            let views = [report::risk_html, report::risk_markdown, report::risk_csv];
            render_few(views.map(|view| move || view(evidence)), &|| evidence.to_json(), format)?
        }
        Evidence::Other(document) => {
            let views = [Document::html, Document::markdown, Document::csv];
            render_few(views.map(|view| move || view(document)), &|| text.clone(), format)?
        }
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
    /// Of an expiry, an erasure or an exposure.
    Other(Box<Document>),
}

fn read(text: &str, path: &Path) -> Result<Evidence> {
    let unread = |code, error: &dyn std::fmt::Display| {
        Failure::new(code, 3, format!("{}: {error}", path.display()))
    };
    let told: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let schema = told.as_ref().and_then(|told| told["schema"].as_str()).unwrap_or_default();
    // serde's own message may quote what stands there.
    let unlike = |_| unread("ALO-D007", &format_args!("it is not what `{schema}` says"));
    Ok(match schema {
        RiskEvidence::SCHEMA => {
            let evidence = report::read_risk(text).map_err(|error| unread("ALO-U069", &error))?;
            Evidence::Risk(Box::new(evidence))
        }
        exposure::Evidence::SCHEMA => {
            Evidence::Other(Box::new(exposure::Evidence::from_json(text)?.document()?))
        }
        ExpireEvidence::SCHEMA => {
            let evidence: ExpireEvidence = serde_json::from_str(text).map_err(unlike)?;
            Evidence::Other(Box::new(evidence.document()))
        }
        Certificate::SCHEMA => {
            let certificate: Certificate = serde_json::from_str(text).map_err(unlike)?;
            Evidence::Other(Box::new(certificate.document()))
        }
        _ => {
            let evidence = report::read(text).map_err(|error| unread("ALO-D007", &error))?;
            Evidence::Check(Box::new(evidence))
        }
    })
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

/// Evidence that is not of a check: as a page, as Markdown, as CSV, or as it is.
fn render_few(
    [html, markdown, csv]: [impl Fn() -> String; 3],
    json: &dyn Fn() -> String,
    format: OutputFormat,
) -> Result<Vec<u8>> {
    let text = match format {
        OutputFormat::Human | OutputFormat::Html => html(),
        OutputFormat::Md => markdown(),
        OutputFormat::Csv => csv(),
        OutputFormat::Json | OutputFormat::Jsonl => json(),
        OutputFormat::Sarif
        | OutputFormat::Ropa
        | OutputFormat::Odcs
        | OutputFormat::Croissant
        | OutputFormat::Openlineage
        | OutputFormat::Xlsx => {
            let message = "this evidence is rendered as html, md, csv or json; the other views are of a check";
            return Err(Failure::new("ALO-U013", 2, message).hint("take html, md, csv or json"));
        }
    };
    Ok(text.into_bytes())
}
