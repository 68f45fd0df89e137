//! The report as one static page: no script, no request, every name escaped, light and dark.

use super::evidence::{Evidence, Method, Number, RateEvidence};
use super::words::{
    alarms, count, epsilon_words, percent_interval, plain, real, share, tame, utility_words,
};
use crate::Result;
use allonym_exposure::Roc;
use std::fmt::Write as _;

impl Evidence {
    /// A page of its own, for a file.
    ///
    /// # Errors
    /// Evidence whose curve is none.
    pub fn to_html(&self) -> Result<String> {
        let body = self.to_fragment()?;
        Ok(format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta \
             name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Membership \
             exposure</title></head><body style=\"margin:0\"><main>{body}</main></body></html>\n"
        ))
    }

    /// The same as a part of a notebook.
    ///
    /// # Errors
    /// Evidence whose curve is none.
    pub fn to_fragment(&self) -> Result<String> {
        let roc = self.curve.roc()?;
        let mut page = Page { html: String::new(), method: &self.method };
        page.html.push_str(&format!(
            "<section class=\"allonym-exposure\"><style>{STYLE}</style><h1>{}</h1>",
            escaped(&self.heading())
        ));
        page.verdict(self);
        page.attacks(self);
        page.chart(self, &roc)?;
        page.records(self);
        page.groups(self);
        page.epsilon(self);
        page.method(self);
        page.html.push_str("</section>");
        Ok(page.html)
    }
}

struct Page<'a> {
    html: String,
    method: &'a Method,
}

impl Page<'_> {
    fn verdict(&mut self, evidence: &Evidence) {
        let told = &evidence.told;
        let sign = match told.found.as_str() {
            "leak" => "▲",
            "none_found" => "●",
            _ => "?",
        };
        self.add(&format!(
            "<p class=\"verdict\"><strong aria-hidden=\"true\">{sign}</strong> \
             {}</p><p>Attacker assumed: {}</p>",
            escaped(&told.sentence),
            escaped(&told.attacker)
        ));
        self.list("What was not tested", &told.not_tested);
        let warnings = evidence.warnings();
        if !warnings.is_empty() {
            self.list("What to know", &warnings);
        }
    }

    fn attacks(&mut self, evidence: &Evidence) {
        let confidence = self.method.confidence;
        self.add("<h2>Attacks</h2>");
        let fprs: Vec<f64> = evidence.told.rates.iter().map(|rate| rate.fpr).collect();
        let mut header = vec!["attack".to_owned(), "AUC".to_owned()];
        header.extend(fprs.iter().map(|fpr| format!("recognised {}", alarms(*fpr))));
        header.push("lift".to_owned());
        let row = |name: String, auc: Number, rates: &[RateEvidence]| {
            let mut cells = vec![name, plain(auc, confidence)];
            cells.extend(rates.iter().map(|rate| rate_cell(rate, confidence)));
            let lift = rates.iter().find(|rate| rate.fpr.to_bits() == self.method.fpr.to_bits());
            let lift = lift.and_then(|rate| rate.lift.value);
            cells.push(lift.map_or_else(|| "–".to_owned(), |lift| format!("{lift:.1}")));
            cells
        };
        let told = &evidence.told;
        let mut rows = vec![row(format!("{} (chosen)", told.attack), told.auc, &told.rates)];
        rows.extend(evidence.attacks.iter().map(|attack| {
            let mark = if attack.worst { " (best in hindsight)" } else { "" };
            row(format!("{}{mark}", attack.name), attack.auc, &attack.rates)
        }));
        self.table(&header, &rows);
        self.add(&format!(
            "<p class=\"small\">The first line counts: its attack was {}, so its intervals are \
             those of one look. Below it are all {} attacks, their intervals widened so that all \
             hold at once.</p>",
            if self.method.left_out == 0 { "decided beforehand" } else { "chosen on references" },
            evidence.attacks.len()
        ));
    }

    fn chart(&mut self, evidence: &Evidence, roc: &Roc) -> Result<()> {
        self.add("<h2>Curve</h2>");
        let svg = svg(evidence, roc)?;
        self.add(&svg);
        let header = ["rate of false alarms", "members recognised"].map(str::to_owned);
        let confidence = self.method.confidence;
        let rows: Vec<Vec<String>> = evidence
            .told
            .rates
            .iter()
            .map(|rate| vec![share(Some(rate.fpr)), rate_cell(rate, confidence)])
            .collect();
        self.table(&header, &rows);
        if let Some(rate) = evidence.told.rates.iter().rev().find(|rate| rate.resolvable) {
            let n = evidence.curve.n_members;
            let people = |share: Option<f64>| {
                share.map_or_else(|| "–".to_owned(), |share| format!("{:.0}", share * real(n)))
            };
            self.add(&format!(
                "<p>Of the {} scored members, about {} ({} to {}) can be recognised {}. Of those \
                 flagged, {} are members, if {} of the people tested are (declared).</p>",
                count(n),
                people(rate.tpr.value),
                people(rate.tpr.low),
                people(rate.tpr.high),
                alarms(rate.fpr),
                percent_interval(rate.precision, confidence),
                share(Some(self.method.prior))
            ));
        }
        Ok(())
    }

    fn records(&mut self, evidence: &Evidence) {
        let Some(records) = &evidence.records else { return };
        self.add("<h2>Most exposed records</h2>");
        self.add(&format!(
            "<p class=\"small\">By row of the training data: whoever holds the table can look them \
             up, nobody else. {} members were measured.{} Removing the most exposed exposes the \
             next.</p>",
            count(records.measured),
            if records.ranked {
                ""
            } else {
                " There are too few references to rank single records: read the order as a hint."
            }
        ));
        let header =
            ["row", "with / without", "likelihood ratio", "d′", "posterior", "given away", "notes"]
                .map(str::to_owned);
        let number = |number: Option<f64>| {
            number.map_or_else(|| "–".to_owned(), |number| format!("{number:.2}"))
        };
        let rows: Vec<Vec<String>> = records
            .worst
            .iter()
            .take(ROWS_MAX)
            .map(|record| {
                vec![
                    count(record.row),
                    format!("{} / {}", record.n_in, record.n_out),
                    number(record.likelihood_ratio),
                    number(record.separation),
                    number(record.posterior),
                    percent_interval(record.recognised, self.method.confidence),
                    record.flags.join(", "),
                ]
            })
            .collect();
        self.table(&header, &rows);
    }

    fn groups(&mut self, evidence: &Evidence) {
        for groups in &evidence.groups {
            self.add(&format!("<h2>Groups by {}</h2>", escaped(&groups.by)));
            let header = ["group", "in / out", "AUC", "recognised", "others", "p, corrected"]
                .map(str::to_owned);
            let rows: Vec<Vec<String>> = groups
                .groups
                .iter()
                .take(ROWS_MAX)
                .map(|group| {
                    vec![
                        group.name.clone(),
                        format!("{} / {}", count(group.n_members), count(group.n_non_members)),
                        plain(group.auc, self.method.confidence),
                        percent_interval(group.tpr, self.method.confidence),
                        share(group.tpr_rest.value),
                        format!("{:.3}", group.p_corrected),
                    ]
                })
                .collect();
            self.table(&header, &rows);
            self.add(&format!(
                "<p class=\"small\">{}, at one threshold for all. {} groups with fewer than {} \
                 members or non-members are not told.</p>",
                escaped(&alarms(groups.fpr)),
                groups.suppressed,
                groups.cell_min
            ));
        }
    }

    fn epsilon(&mut self, evidence: &Evidence) {
        let Some(epsilon) = &evidence.epsilon else { return };
        self.add(&format!("<h2>Epsilon</h2><p>{}.</p>", escaped(&epsilon_words(epsilon))));
    }

    fn method(&mut self, evidence: &Evidence) {
        self.add("<h2>Method</h2>");
        let Method { references, records, members, population, left_out, .. } = *self.method;
        let context = &evidence.context;
        let mut rows = vec![
            ("Allonym", evidence.tool.clone()),
            ("records", format!("{}, {} of them members", count(records), count(members))),
            ("unit of the intervals", self.method.unit.clone()),
            ("references", format!("{references}, the attack chosen on {left_out} of them")),
            ("population", count(population)),
            ("confidence", share(Some(self.method.confidence))),
            ("declared prior", share(Some(self.method.prior))),
        ];
        let known = |words: &Option<String>| words.clone();
        rows.extend(known(&context.masks).map(|masks| ("masks", masks)));
        rows.extend(context.seed.map(|seed| ("seed", seed.to_string())));
        rows.extend(known(&context.measured_at).map(|at| ("measured", at)));
        if let Some(utility) = &context.utility {
            rows.push(("utility", format!("{}: {}", utility.metric, utility_words(utility))));
        }
        let rows: Vec<Vec<String>> =
            rows.into_iter().map(|(what, said)| vec![what.to_owned(), said]).collect();
        self.table(&[String::new(), String::new()], &rows);
        self.add(
            "<p class=\"small\">AUC: probability that a random member scores above a random \
             non-member. Lift: how many times more often than guessing. Measured are the rates; \
             declared is the prior; posterior and share of members among the flagged combine \
             both.</p>",
        );
    }

    fn list(&mut self, title: &str, items: &[String]) {
        let items: String =
            items.iter().map(|item| format!("<li>{}</li>", escaped(item))).collect();
        self.add(&format!("<h2>{}</h2><ul>{items}</ul>", escaped(title)));
    }

    fn table(&mut self, header: &[String], rows: &[Vec<String>]) {
        let cells = |tag: &str, cells: &[String]| -> String {
            cells
                .iter()
                .map(|cell| format!("<{tag}>{}</{}>", escaped(cell), closing(tag)))
                .collect()
        };
        self.add("<div class=\"wide\"><table>");
        if header.iter().any(|title| !title.is_empty()) {
            self.add(&format!("<thead><tr>{}</tr></thead>", cells("th scope=\"col\"", header)));
        }
        self.add("<tbody>");
        for row in rows {
            self.add(&format!("<tr>{}</tr>", cells("td", row)));
        }
        self.add("</tbody></table></div>");
    }

    fn add(&mut self, html: &str) {
        self.html.push_str(html);
    }
}

/// The curve on two logarithmic axes, its band, and what guessing would do.
fn svg(evidence: &Evidence, roc: &Roc) -> Result<String> {
    let n = evidence.curve.n_non_members.max(1);
    // From the decade of one false alarm among all non-members to one.
    let whole = (n - 1).checked_ilog10().map_or(1, |decades| decades + 1).clamp(1, 7);
    let decades = f64::from(whole);
    let least = 10_f64.powf(-decades);
    let x = |fpr: f64| LEFT + WIDTH * (1.0 + fpr.max(least).log10() / decades);
    let y = |tpr: f64| TOP - HEIGHT * tpr.max(least).log10() / decades;
    let mut path = String::new();
    let mut last = (least, least);
    for point in roc.points() {
        let (fpr, tpr) = (point.fpr.max(least), point.tpr.max(least));
        if path.is_empty() {
            let _ = write!(path, "M{:.1} {:.1}", x(fpr), y(tpr));
        } else if (x(fpr) - x(last.0)).abs() + (y(tpr) - y(last.1)).abs() >= 0.5 {
            let _ = write!(path, "H{:.1}V{:.1}", x(fpr), y(tpr));
        } else {
            continue;
        }
        last = (fpr, tpr);
    }
    let (mut upper, mut lower) = (Vec::new(), Vec::new());
    for step in 0..=BAND_STEPS {
        let fpr = 10_f64.powf(-decades * (1.0 - real(step) / real(BAND_STEPS))).min(1.0);
        let at = roc.tpr_at(fpr, evidence.method.confidence)?;
        if at.resolvable {
            upper.push((fpr, at.band.high));
            lower.push((fpr, at.band.low));
        }
    }
    lower.reverse();
    let band: Vec<String> =
        upper.iter().chain(&lower).map(|(f, t)| format!("{:.1},{:.1}", x(*f), y(*t))).collect();
    let mut ticks = String::new();
    for decade in 0..=whole {
        let rate = 10_f64.powf(-f64::from(decade));
        let (across, down) = (x(rate), y(rate));
        let label = escaped(&share(Some(rate)));
        let _ = write!(
            ticks,
            "<path class=\"grid\" d=\"M{across:.1} {TOP}V{:.1}M{LEFT} {down:.1}H{:.1}\"/><text \
             x=\"{across:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text><text \
             x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            TOP + HEIGHT,
            LEFT + WIDTH,
            TOP + HEIGHT + 16.0,
            LEFT - 6.0,
            down + 4.0
        );
    }
    let told = &evidence.told;
    let description = format!(
        "Share of members recognised against share of false alarms, both axes logarithmic, for {}. \
         The area under the curve is {:.3}. The band is the {} interval; the dashed line is \
         guessing. The table below has the numbers.",
        told.attack,
        evidence.curve.auc,
        share(Some(evidence.method.confidence))
    );
    Ok(format!(
        "<svg role=\"img\" viewBox=\"0 0 {:.0} {:.0}\" width=\"100%\" \
         style=\"max-width:{:.0}px\"><title>Members recognised at few false \
         alarms</title><desc>{}</desc>{ticks}<polygon class=\"band\" points=\"{}\"/><path \
         class=\"chance\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/><path class=\"curve\" \
         d=\"{path}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">false \
         alarms</text><text x=\"{LEFT}\" y=\"{:.1}\">members recognised</text></svg>",
        LEFT + WIDTH + 30.0,
        TOP + HEIGHT + 40.0,
        LEFT + WIDTH + 30.0,
        escaped(&description),
        band.join(" "),
        x(least),
        y(least),
        x(1.0),
        y(1.0),
        LEFT + WIDTH / 2.0,
        TOP + HEIGHT + 34.0,
        TOP - 8.0
    ))
}

fn rate_cell(rate: &RateEvidence, confidence: f64) -> String {
    match (rate.resolvable, rate.non_members_needed) {
        (true, _) => percent_interval(rate.tpr, confidence),
        (false, Some(needed)) => format!("needs {} non-members", count(needed)),
        (false, None) => "not resolvable".to_owned(),
    }
}

/// The name of an element, without its attributes.
fn closing(tag: &str) -> &str {
    tag.split(' ').next().unwrap_or(tag)
}

/// Makes text inert in markup.
fn escaped(text: &str) -> String {
    let mut safe = String::new();
    for character in tame(text).chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

const LEFT: f64 = 62.0;
const TOP: f64 = 28.0;
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 300.0;
const BAND_STEPS: u64 = 60;
/// The JSON has all of them.
const ROWS_MAX: usize = 50;

const STYLE: &str = "\
.allonym-exposure{font:14px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;padding:1em;\
max-width:60em;margin:0 auto}\
.allonym-exposure h1{font-size:1.15em;margin:.2em 0}\
.allonym-exposure h2{font-size:1em;margin:1.2em 0 .3em}\
.allonym-exposure .verdict{font-size:1.1em;border-left:4px solid #767676;padding-left:.7em}\
.allonym-exposure .small{font-size:.9em;color:#555}\
.allonym-exposure .wide{overflow-x:auto}\
.allonym-exposure table{border-collapse:collapse}\
.allonym-exposure th,.allonym-exposure td{text-align:left;padding:.2em .9em .2em 0;\
border-bottom:1px solid #ddd;vertical-align:top}\
.allonym-exposure th{font-weight:600;color:#555}\
.allonym-exposure svg{display:block;margin:.4em 0}\
.allonym-exposure svg text{font:11px system-ui,sans-serif;fill:#333}\
.allonym-exposure .grid{stroke:#ddd;fill:none}\
.allonym-exposure .band{fill:#1f6fb2;opacity:.2}\
.allonym-exposure .curve{stroke:#1f6fb2;stroke-width:2;fill:none}\
.allonym-exposure .chance{stroke:#767676;stroke-dasharray:5 4;fill:none}\
@media (prefers-color-scheme:dark){.allonym-exposure{color:#e6e6e6;background:#1b1b1b}\
.allonym-exposure th,.allonym-exposure .small{color:#aaa}\
.allonym-exposure th,.allonym-exposure td{border-color:#444}\
.allonym-exposure svg text{fill:#ccc}.allonym-exposure .grid{stroke:#3a3a3a}\
.allonym-exposure .curve{stroke:#6fb1e8}.allonym-exposure .band{fill:#6fb1e8}\
.allonym-exposure .chance{stroke:#999}}";
