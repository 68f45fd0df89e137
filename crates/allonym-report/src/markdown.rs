//! A check as Markdown, for pull requests and wikis.

use crate::CheckEvidence;
use crate::words::{number, sentence, severity, table_facts, tame, verdict};

/// A check as Markdown (GitHub's tables). Names of strangers are escaped.
#[must_use]
pub fn markdown(evidence: &CheckEvidence) -> String {
    let mut text = format!(
        "# {}: {}\n\n{}\n\n",
        verdict(evidence.verdict),
        inert(&evidence.source),
        sentence(evidence)
    );
    text.push_str(&format!(
        "{} rows, {} of them searched for identifiers; as of {}; policy `{}`; {}.\n\n",
        number(evidence.rows),
        number(evidence.rows_read),
        evidence.as_of,
        evidence.policy.sha256,
        evidence.tool,
    ));
    text.push_str(&format!("Residual identifiers: {}.\n", inert(&evidence.residual.statement)));
    if !evidence.findings.is_empty() {
        text.push_str(
            "\n| code | what | file | column | finding |\n| --- | --- | --- | --- | --- |\n",
        );
        for finding in &evidence.findings {
            let cells = [
                finding.code.as_str(),
                severity(finding.severity),
                finding.file.as_deref().unwrap_or_default(),
                finding.column.as_deref().unwrap_or_default(),
                &finding.message,
            ];
            let cells: Vec<String> = cells.iter().map(|cell| inert(cell)).collect();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }
    for told in &evidence.tables {
        text.push_str(&format!("\n## Table {}\n\n", inert(&told.path)));
        for (what, said) in table_facts(told) {
            text.push_str(&format!("- {what}: {}\n", inert(&said)));
        }
    }
    text.push_str("\n## What this does not prove\n\n");
    for limit in &evidence.limits {
        text.push_str(&format!("- {}\n", inert(limit)));
    }
    text
}

/// A text in which nothing is markup.
pub(crate) fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    for c in tame(text).chars() {
        match c {
            '<' => inert.push_str("&lt;"),
            '>' => inert.push_str("&gt;"),
            '&' => inert.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '|' | '!' | '~' | '@' => {
                inert.push('\\');
                inert.push(c);
            }
            _ => inert.push(c),
        }
    }
    // A bare address would become a link.
    inert.replace("://", ":\\//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(inert("a|b"), "a\\|b");
        assert_eq!(inert("![x](y)"), "\\!\\[x\\]\\(y\\)");
        assert_eq!(inert("<img src=x>"), "&lt;img src=x&gt;");
        assert!(!inert("https://example.org").contains("://"));
        assert_eq!(inert("a\nb"), "a\u{fffd}b");
    }
}
