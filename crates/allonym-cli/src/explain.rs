//! `allonym explain`.

use crate::arguments::{ExplainArguments, OutputFormat};
use crate::codes;
use crate::scan::group_name;
use crate::session::Session;
use allonym::{Failure, Input, Result, ScanColumn, ScanOptions, scan_path};
use std::path::PathBuf;

pub(crate) fn run(arguments: &ExplainArguments, session: &mut Session) -> Result<u8> {
    let subject = &arguments.subject;
    if subject.starts_with("ALO-") {
        let text = codes::explain(subject).ok_or_else(|| {
            Failure::new("ALO-U007", 2, format!("no code `{subject}`"))
                .hint("codes look like ALO-P003; an error prints its own")
        })?;
        return explain_code(subject, text, session);
    }
    let Some((path, column)) = split(subject) else {
        return Err(Failure::new("ALO-U007", 2, "expected a code (ALO-P003) or PATH:COLUMN"));
    };
    let options = ScanOptions {
        full: arguments.full,
        cancel: session.cancel.clone(),
        ..ScanOptions::default()
    };
    let input = Input::File(PathBuf::from(path));
    let scan = scan_path(&input, path, &arguments.read.options(), &options, &|_, _| {})?;
    let Some(found) = scan.columns.iter().find(|known| known.name == column) else {
        let names: Vec<&str> = scan.columns.iter().map(|column| column.name.as_str()).collect();
        return Err(Failure::new(
            "ALO-U007",
            2,
            format!("no column `{column}`; `{path}` has {}", names.join(", ")),
        ));
    };
    if session.format == OutputFormat::Human {
        session.data(human(found).as_bytes())?;
    } else {
        let json = serde_json::to_string(found)
            .map_err(|_| Failure::new("ALO-X005", 5, "internal error: a column is not JSON"))?;
        session.data_line(&json)?;
    }
    Ok(0)
}

fn explain_code(code: &str, text: &str, session: &mut Session) -> Result<u8> {
    if session.format == OutputFormat::Human {
        session.data_line(&format!("{code}: {text}"))?;
    } else {
        session.data_line(&serde_json::json!({ "code": code, "what": text }).to_string())?;
    }
    Ok(0)
}

/// The last colon parts path and column, so that `C:\data\a.csv:iban` works.
fn split(subject: &str) -> Option<(&str, &str)> {
    subject.rsplit_once(':').filter(|(path, column)| !path.is_empty() && !column.is_empty())
}

fn human(column: &ScanColumn) -> String {
    let judged = match (&column.entity, column.group) {
        (Some(entity), Some(group)) => {
            format!("{entity} ({}), confidence {:.2}", group_name(group), column.confidence)
        }
        _ if column.free_text => "free text".to_owned(),
        _ => "nothing personal found".to_owned(),
    };
    let mut text = format!("{}: {judged}\n", column.name);
    text.push_str(&format!("  because     {}\n", column.reason));
    text.push_str(&format!(
        "  coverage    {:.1} % of cells (95 %: {:.1}–{:.1})\n",
        100.0 * column.coverage.share,
        100.0 * column.coverage.low,
        100.0 * column.coverage.high
    ));
    text.push_str(&format!(
        "  cells       {} seen, {} null, about {} distinct, type {}\n",
        column.cells, column.nulls, column.distinct, column.type_name
    ));
    if let Some(runner_up) = &column.runner_up {
        text.push_str(&format!(
            "  runner-up   {} ({:.2})\n",
            runner_up.entity, runner_up.confidence
        ));
    }
    for found in &column.entities {
        text.push_str(&format!(
            "  inside      {}: {} spans in {} cells\n",
            found.entity, found.spans, found.cells
        ));
    }
    text.push_str(&format!("  suggestion  {}\n", column.suggestion));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_colon_parts_path_and_column() {
        assert_eq!(split("a.csv:iban"), Some(("a.csv", "iban")));
        assert_eq!(split("C:\\a.csv:iban"), Some(("C:\\a.csv", "iban")));
        assert_eq!(split("a.csv:"), None);
        assert_eq!(split("iban"), None);
    }
}
