//! A check as one page: static markup and inline SVG, no script, no request.

use crate::clauses::clause_of;
use crate::words::{
    expired_words, number, sentence, severity, sign, table_facts, tame, verdict, version_words,
};
use crate::{CheckEvidence, ColumnEvidence, Finding, TagEvidence};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A check as one HTML page that opens offline, in light and dark, on paper and on a phone.
#[must_use]
pub fn html(evidence: &CheckEvidence) -> String {
    let mut page = Page::new();
    page.head(evidence);
    page.verdict(evidence);
    page.counts(evidence);
    page.findings(evidence);
    page.columns(evidence);
    page.residual(evidence);
    page.retention(evidence);
    page.tables(evidence);
    page.minimization(evidence);
    page.keys(evidence);
    page.clauses(evidence);
    page.proof(evidence);
    page.foot();
    page.finish()
}

/// Markup under way.
pub(crate) struct Page(String);

impl Page {
    pub(crate) fn new() -> Page {
        Page(String::with_capacity(64 << 10))
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }

    pub(crate) fn put(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    /// A text as text.
    pub(crate) fn text(&mut self, text: &str) {
        escape(text, &mut self.0);
    }

    pub(crate) fn element(&mut self, tag: &str, text: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "<{tag}>");
        self.text(text);
        let name = tag.split(' ').next().unwrap_or(tag);
        let _ = write!(self.0, "</{name}>");
    }

    pub(crate) fn section(&mut self, id: &str, title: &str) {
        let _ = write!(self.0, "<section aria-labelledby=\"{id}\"><h2 id=\"{id}\">");
        self.text(title);
        self.put("</h2>");
    }

    pub(crate) fn end(&mut self) {
        self.put("</section>\n");
    }

    pub(crate) fn facts(&mut self, facts: &[(&str, String)]) {
        self.put("<dl>");
        for (what, said) in facts {
            self.element("dt", what);
            self.element("dd", said);
        }
        self.put("</dl>");
    }

    pub(crate) fn table(
        &mut self,
        class: &str,
        caption: &str,
        header: &[&str],
        rows: &[Vec<String>],
    ) {
        let _ = write!(self.0, "<table class=\"{class}\">");
        self.element("caption", caption);
        self.put("<thead><tr>");
        for title in header {
            self.element("th scope=\"col\"", title);
        }
        self.put("</tr></thead><tbody>");
        for row in rows {
            self.put("<tr>");
            for (at, cell) in row.iter().enumerate() {
                self.element(if at == 0 { "th scope=\"row\"" } else { "td" }, cell);
            }
            self.put("</tr>\n");
        }
        self.put("</tbody></table>");
    }

    fn head(&mut self, evidence: &CheckEvidence) {
        self.begin(&format!("{}: {}", verdict(evidence.verdict), evidence.source));
    }

    /// Everything up to what the page says.
    pub(crate) fn begin(&mut self, title: &str) {
        self.put("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
        self.put("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
        self.put("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
        self.put("style-src 'unsafe-inline'; img-src data:\">");
        self.put("<meta name=\"color-scheme\" content=\"light dark\"><link rel=\"icon\" href=\"data:,\">");
        self.element("title", title);
        self.put("<style>");
        self.put(STYLE);
        self.put("</style></head><body><main>\n");
    }

    fn verdict(&mut self, evidence: &CheckEvidence) {
        let class = match evidence.verdict {
            crate::Verdict::Ready => "good",
            crate::Verdict::NotReady => "bad",
            crate::Verdict::Unverified => "open",
        };
        let _ = write!(self.0, "<header class=\"{class}\">");
        self.element("p class=\"word\"", verdict(evidence.verdict));
        self.element("h1", &evidence.source);
        self.element("p", &sentence(evidence));
        self.put("</header>");
        let named = |text: &Option<String>| text.clone().unwrap_or_else(|| "not stated".to_owned());
        self.facts(&[
            ("As of", evidence.as_of.clone()),
            ("Checked by", evidence.actor.clone()),
            ("Policy", format!("{}, {}", named(&evidence.policy.name), evidence.policy.sha256)),
            ("Purpose", named(&evidence.policy.purpose)),
            ("Answers for it", named(&evidence.policy.owner)),
            ("Tool", evidence.tool.clone()),
        ]);
        self.section("limits", "What this does not prove");
        self.list(evidence.limits.iter().map(String::as_str));
        self.end();
    }

    pub(crate) fn list<'t>(&mut self, items: impl Iterator<Item = &'t str>) {
        self.put("<ul>");
        for item in items {
            self.element("li", item);
        }
        self.put("</ul>");
    }

    fn counts(&mut self, evidence: &CheckEvidence) {
        self.section("counts", "What was looked at");
        let searched = match evidence.rows_read < evidence.rows {
            true => format!("a sample of {} (seed {})", number(evidence.rows_read), evidence.seed),
            false => "every row".to_owned(),
        };
        let narrowed = |list: &[String]| match list {
            [] => "all that are known".to_owned(),
            list => list.join(", "),
        };
        let looked = &evidence.looked_for;
        self.facts(&[
            ("Files", number(evidence.files.len() as u64)),
            ("Rows", number(evidence.rows)),
            ("Searched for identifiers", searched),
            ("Columns", number(evidence.columns.len() as u64)),
            ("Kinds looked for", number(looked.entities.len() as u64)),
            ("Countries", narrowed(&looked.countries)),
            ("Languages", narrowed(&looked.languages)),
            ("Rules", looked.rules_sha256.clone()),
        ]);
        self.put("<details><summary>All kinds looked for</summary>");
        self.element("p", &looked.entities.join(", "));
        self.put("</details>");
        self.end();
    }

    fn findings(&mut self, evidence: &CheckEvidence) {
        self.section("findings", "Findings");
        if evidence.findings.is_empty() {
            self.element("p", "None.");
        } else {
            let several = evidence.files.len() > 1;
            let rows: Vec<Vec<String>> =
                evidence.findings.iter().map(|finding| finding_row(finding, several)).collect();
            let header = ["Code", "What", "Finding", "What to do"];
            self.table("findings", "Gravest first", &header, &rows);
        }
        self.end();
    }

    fn columns(&mut self, evidence: &CheckEvidence) {
        self.section("columns", "Columns");
        let rows: Vec<Vec<String>> = evidence.columns.iter().map(column_row).collect();
        let header = ["Column", "Type", "Looks like", "Treatment", "Purpose", "Retention", "Left"];
        self.table("columns", "Names are as in the data", &header, &rows);
        self.end();
    }

    fn residual(&mut self, evidence: &CheckEvidence) {
        let residual = &evidence.residual;
        self.section("residual", "Identifiers left in the output");
        self.element("p", &residual.statement);
        let recall = match &residual.recall {
            Some(recall) => format!(
                "{:.1} % ({:.1} % at least), measured on {}",
                100.0 * recall.value,
                100.0 * recall.low,
                recall.measured_on
            ),
            None => "not given".to_owned(),
        };
        self.facts(&[
            ("Cells found", number(residual.found)),
            ("Rows searched", number(residual.rows_read)),
            ("Upper bound", format!("{:.6} of rows", residual.upper_bound)),
            ("Confidence", format!("{:.0} %", 100.0 * residual.confidence)),
            ("Recall of the detector", recall),
        ]);
        self.end();
    }

    fn retention(&mut self, evidence: &CheckEvidence) {
        self.section("retention", "Retention");
        let Some(retention) = &evidence.retention else {
            self.element("p", "Neither the policy nor a manifest has retention tags.");
            return self.end();
        };
        // Columns with one rule and one outcome are one line.
        let mut groups: Vec<(&TagEvidence, Vec<&str>)> = Vec::new();
        for tag in &retention.tags {
            let column = tag.column.as_deref().unwrap_or("whole rows");
            let alike = |(known, _): &&mut (&TagEvidence, Vec<&str>)| {
                known.anchor == tag.anchor
                    && known.duration == tag.duration
                    && known.on_expiry == tag.on_expiry
                    && known.counts == tag.counts
            };
            match groups.iter_mut().find(alike) {
                Some((_, columns)) => columns.push(column),
                None => groups.push((tag, vec![column])),
            }
        }
        for (n, (tag, _)) in groups.iter().enumerate() {
            self.chart(n, tag);
        }
        let rows: Vec<Vec<String>> = groups
            .iter()
            .map(|(tag, columns)| {
                let counts: Vec<String> = tag
                    .counts
                    .iter()
                    .map(|(word, rows)| format!("{} {}", number(*rows), word.replace('_', " ")))
                    .collect();
                vec![rule(tag), columns.join(", "), counts.join(", "), number(tag.expiring)]
            })
            .collect();
        let header = ["Rule", "Columns", "Rows by verdict", "Due within 30 days"];
        self.table("tags", &format!("Days begin in {}", retention.zone), &header, &rows);
        if !retention.holds.is_empty() {
            let rows: Vec<Vec<String>> = retention
                .holds
                .iter()
                .map(|hold| {
                    let state = match (hold.in_force, hold.overdue) {
                        (_, true) => "review overdue",
                        (true, false) => "in force",
                        (false, false) => "not yet in force",
                    };
                    vec![
                        hold.id.clone(),
                        hold.authority.clone(),
                        format!("{} to review by {}", hold.from, hold.review_by),
                        state.to_owned(),
                    ]
                })
                .collect();
            self.table("holds", "Legal holds", &["Hold", "Authority", "Days", "State"], &rows);
        }
        self.end();
    }

    /// What folders of tables hold besides the files that count now.
    fn tables(&mut self, evidence: &CheckEvidence) {
        if evidence.tables.is_empty() {
            return;
        }
        self.section("tables", "Tables with versions");
        for told in &evidence.tables {
            let facts: Vec<(&str, String)> = table_facts(told);
            self.element("h3", &told.path);
            self.facts(&facts);
            if told.old_versions.is_empty() {
                continue;
            }
            let rows: Vec<Vec<String>> = told
                .old_versions
                .iter()
                .take(OLD_VERSIONS_MAX)
                .map(|old| {
                    vec![
                        version_words(old.version, old.snapshot.as_deref()),
                        old.committed.clone().unwrap_or_else(|| "not said".to_owned()),
                        expired_words(old),
                    ]
                })
                .collect();
            let all = told.old_versions.len();
            let caption = match all > OLD_VERSIONS_MAX {
                true => format!(
                    "The oldest {OLD_VERSIONS_MAX} of {} older versions that can still be read; the \
                     evidence has all",
                    number(all as u64)
                ),
                false => "Older versions that can still be read".to_owned(),
            };
            self.table("versions", &caption, &["Version", "Written", "Expired rows"], &rows);
        }
        self.end();
    }

    /// Shares of rows by verdict. The table below it has the numbers, and each part its word.
    fn chart(&mut self, n: usize, tag: &TagEvidence) {
        let all: u64 = tag.counts.values().sum();
        if all == 0 {
            return;
        }
        let _ = write!(
            self.0,
            "<svg role=\"img\" viewBox=\"0 0 300 34\" aria-labelledby=\"t{n} d{n}\"><title id=\"t{n}\">"
        );
        self.text(&rule(tag));
        let _ = write!(self.0, "</title><desc id=\"d{n}\">");
        let told: Vec<String> =
            tag.counts.iter().map(|(word, rows)| format!("{word} {rows}")).collect();
        self.text(&told.join(", "));
        self.put("</desc>");
        let mut at = 0.0;
        for (word, rows) in &tag.counts {
            let width = 300.0 * share(*rows, all);
            let class = match word.as_str() {
                "retain" => "keep",
                "hold" | "expired_on_hold" => "held",
                "expired" => "due",
                _ => "open",
            };
            let _ = write!(
                self.0,
                "<rect class=\"{class}\" x=\"{at:.2}\" y=\"0\" width=\"{width:.2}\" height=\"16\"/>"
            );
            if width > LABEL_WIDTH_MIN {
                let _ = write!(self.0, "<text x=\"{at:.2}\" y=\"30\">");
                self.text(&word.replace('_', " "));
                self.put("</text>");
            }
            at += width;
        }
        self.put("</svg>");
    }

    fn minimization(&mut self, evidence: &CheckEvidence) {
        self.section("minimization", "Minimization");
        let without: Vec<&str> = evidence
            .columns
            .iter()
            .filter(|column| column.purpose.is_empty())
            .map(|column| column.name.as_str())
            .collect();
        match without.as_slice() {
            [] => self.element("p", "Every column has a purpose in the policy."),
            names => {
                let n = number(names.len() as u64);
                self.element("p", &format!("Without a purpose in the policy: {n} columns."));
                self.element("p", &names.join(", "));
            }
        }
        self.element(
            "p",
            "How many rows columns single out together, and what a trained model gives away about \
             who was in its data, is measured apart (allonym risk, allonym exposure) and not part of this evidence.",
        );
        self.end();
    }

    fn keys(&mut self, evidence: &CheckEvidence) {
        self.section("keys", "Keys and reversibility");
        if evidence.keys.is_empty() {
            self.element("p", "No manifest names a key that made tokens.");
        } else {
            let rows: Vec<Vec<String>> = evidence
                .keys
                .iter()
                .map(|key| vec![key.id.clone(), key.epoch.to_string(), key.domain.clone()])
                .collect();
            self.table("keys", "Keys that made tokens", &["Key", "Epoch", "Domain"], &rows);
        }
        self.element(
            "p",
            "Whoever holds these keys can compute the token of a known value. The data is \
             pseudonymous, and still personal data where somebody can link it.",
        );
        self.end();
    }

    fn clauses(&mut self, evidence: &CheckEvidence) {
        let mut touched: BTreeMap<&str, (String, usize)> = BTreeMap::new();
        for finding in &evidence.findings {
            if let Some(clause) = clause_of(&finding.code) {
                let entry = (clause.clauses.join("; "), 0);
                touched.entry(&clause.topic).or_insert(entry).1 += 1;
            }
        }
        if touched.is_empty() {
            return;
        }
        self.section("clauses", "Clauses that findings touch");
        let rows: Vec<Vec<String>> = touched
            .into_iter()
            .map(|(topic, (clauses, n))| vec![topic.to_owned(), number(n as u64), clauses])
            .collect();
        let header = ["Topic", "Findings", "Clauses"];
        self.table("clauses", "For whoever answers for them; no judgement of law", &header, &rows);
        self.end();
    }

    fn proof(&mut self, evidence: &CheckEvidence) {
        self.section("proof", "Proof");
        let rows: Vec<Vec<String>> = evidence
            .files
            .iter()
            .map(|file| {
                let manifest = match (&file.manifest, file.unchanged) {
                    (None, _) => "no manifest".to_owned(),
                    (Some(_), Some(true)) => "is what its manifest says".to_owned(),
                    _ if file.changed_by.is_empty() => "is not what its manifest says".to_owned(),
                    _ => format!(
                        "is what its manifest says, but for what {} did since, as signed",
                        file.changed_by.join(", ")
                    ),
                };
                let signature = file.signature.clone().unwrap_or_else(|| "none".to_owned());
                let digest = file.sha256.clone().unwrap_or_else(|| "not read".to_owned());
                vec![file.path.clone(), manifest, signature, digest]
            })
            .collect();
        let header = ["File", "Manifest", "Signature of the manifest", "SHA-256"];
        self.table("files", "Files", &header, &rows);
        let signed = evidence.signature.as_ref().and_then(|signature| signature["key"].as_str());
        self.facts(&[(
            "This evidence",
            signed
                .map_or_else(|| "is not signed".to_owned(), |key| format!("is signed with {key}")),
        )]);
        self.element(
            "p",
            "Anybody can check a file again with its receipt: allonym verify RECEIPT --data PATH.",
        );
        self.end();
        self.section("signoff", "Sign-off");
        self.put("<table class=\"sign\"><caption>To be filled in by hand</caption><tbody>");
        for role in ["Name", "Role", "Decision", "Date and signature"] {
            self.put("<tr>");
            self.element("th scope=\"row\"", role);
            self.put("<td>\u{a0}</td></tr>");
        }
        self.put("</tbody></table>");
        self.end();
        self.section("glossary", "Words");
        self.facts(&[
            ("Manifest", "the signed receipt that was written with a file".to_owned()),
            ("Anchor", "what a retention period is counted from".to_owned()),
            ("Token", "a keyed pseudonym: equal values have equal tokens".to_owned()),
            ("Residual", "what should not be in the output any more, and is".to_owned()),
        ]);
        self.end();
    }

    pub(crate) fn foot(&mut self) {
        self.put("</main></body></html>\n");
    }
}

fn finding_row(finding: &Finding, several: bool) -> Vec<String> {
    let file = match &finding.file {
        Some(file) if several => format!("{file}: "),
        _ => String::new(),
    };
    vec![
        finding.code.clone(),
        format!("{} {}", sign(finding.severity), severity(finding.severity)),
        format!("{file}{}", finding.message),
        finding.next.clone().unwrap_or_default(),
    ]
}

fn column_row(column: &ColumnEvidence) -> Vec<String> {
    let looks = match (&column.entity, column.share) {
        (Some(entity), Some(share)) => format!("{entity}, {:.1} %", 100.0 * share),
        (Some(entity), None) => entity.clone(),
        _ => String::new(),
    };
    let treatment = match (&column.treatment, &column.reason) {
        (Some(treatment), Some(reason)) => format!("{treatment}: {reason}"),
        (Some(treatment), None) => treatment.clone(),
        (None, _) => "not listed".to_owned(),
    };
    vec![
        column.name.clone(),
        column.type_name.clone(),
        looks,
        treatment,
        column.purpose.join(", "),
        column.retention.clone().unwrap_or_default(),
        number(column.residual),
    ]
}

fn rule(tag: &TagEvidence) -> String {
    format!("{} + {}, then {}", tag.anchor, tag.duration, tag.on_expiry.replace('_', " "))
}

#[expect(clippy::cast_precision_loss, reason = "a share for a picture")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// A text that is text in markup, too.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    escape(text, &mut out);
    out
}

fn escape(text: &str, out: &mut String) {
    for c in tame(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
}

/// Tables of a busy pipeline have hundreds.
const OLD_VERSIONS_MAX: usize = 50;
/// Narrower parts of a bar have no room for their word; the table has it.
const LABEL_WIDTH_MIN: f64 = 60.0;
const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1a1a1a;--paper:#fff;--soft:#595959;--line:#c8c8c8;\
--good:#0b5d2e;--bad:#9b1c1c;--open:#7a4b00}\
@media (prefers-color-scheme:dark){:root{--ink:#ececec;--paper:#161616;--soft:#b4b4b4;\
--line:#4a4a4a;--good:#7ddba0;--bad:#ff9d96;--open:#f0c070}}\
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);\
font:16px/1.5 system-ui,sans-serif}main{max-width:62rem;margin:0 auto;padding:1rem}\
header{border-left:.5rem solid;padding:.2rem 1rem;margin-bottom:1rem}\
.good{border-color:var(--good)}.bad{border-color:var(--bad)}.open{border-color:var(--open)}\
.word{font-size:1.6rem;font-weight:700;margin:0}.good .word{color:var(--good)}\
.bad .word{color:var(--bad)}.open .word{color:var(--open)}\
h1{font-size:1.2rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}\
h3{font-size:1rem;margin:1rem 0 .3rem}h1,h3,dd,td,th,p,li{overflow-wrap:anywhere}dl{display:grid;grid-template-columns:12rem 1fr;gap:.2rem 1rem;margin:0}\
dt{color:var(--soft)}dd{margin:0}table{border-collapse:collapse;width:100%;margin:.4rem 0}\
caption{text-align:left;color:var(--soft)}th,td{text-align:left;vertical-align:top;\
padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line);font-weight:400}\
thead th{color:var(--soft)}tbody th{font-weight:600}.sign td{width:70%;height:2.4rem}\
pre{overflow-x:auto;border:1px solid var(--line);padding:.5rem}\
svg{display:block;width:100%;max-width:40rem;margin:.6rem 0}svg text{font-size:9px;fill:var(--ink)}\
.keep{fill:#4c8f6b}.held{fill:#7a7fb5}.due{fill:#c25450}svg .open{fill:#c0913f}\
rect{stroke:var(--paper);stroke-width:1}.roc path{fill:none}.grid{stroke:var(--line)}\
.curve{stroke:#2f7fc2;stroke-width:2}.band{fill:#2f7fc2;opacity:.25}\
.chance{stroke:var(--soft);stroke-dasharray:5 4}\
@media (max-width:40rem){dl{grid-template-columns:1fr}thead{position:absolute;clip-path:inset(50%);\
width:1px;height:1px;overflow:hidden}table,tbody,tr,th,td{display:block;border:0;padding:0}\
tr{border-bottom:1px solid var(--line);padding:.4rem 0}.sign td{width:100%}}\
@media print{:root{--ink:#000;--paper:#fff;--soft:#333;--line:#999}main{max-width:none;padding:0}\
section,tr{break-inside:avoid}details>*{display:block}}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text() {
        let mut out = String::new();
        escape("<script>'\"&\u{202e}", &mut out);
        assert_eq!(out, "&lt;script&gt;&#39;&quot;&amp;\u{fffd}");
    }
}
