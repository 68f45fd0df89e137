//! The report as a document: a page that is static, Markdown, CSV.

use super::evidence::{Evidence, GroupsEvidence, Method, Number, RateEvidence, RecordsEvidence};
use super::words::{alarms, epsilon_words, percent_interval, plain, real, share, utility_words};
use crate::Result;
use allonym_exposure::Roc;
use allonym_report::{Document, Section, State, escaped, number};
use std::fmt::Write as _;

impl Evidence {
    /// The evidence as a page, a part of a notebook, Markdown or CSV.
    ///
    /// # Errors
    /// Evidence whose curve is none.
    pub fn document(&self) -> Result<Document> {
        let told = &self.told;
        let (state, word) = match told.found.as_str() {
            "leak" => (State::Bad, "LEAK"),
            "none_found" => (State::Good, "NONE FOUND"),
            _ => (State::Open, "NOT RESOLVABLE"),
        };
        let Method { references, records, members, .. } = self.method;
        let mut sections = Vec::new();
        let warnings = self.warnings();
        if !warnings.is_empty() {
            let notes = Section::new("warnings", "What to know", &[], Vec::new());
            sections.push(Section { notes: warnings, ..notes });
        }
        sections.push(self.attacks_section());
        sections.push(self.curve_section()?);
        sections.extend(self.records.as_ref().map(|records| worst(records, &self.method)));
        for (at, groups) in self.groups.iter().enumerate() {
            sections.push(grouped(at, groups, &self.method));
        }
        if let Some(epsilon) = &self.epsilon {
            let notes = vec![format!("{}.", epsilon_words(epsilon))];
            sections.push(Section { notes, ..Section::new("epsilon", "Epsilon", &[], Vec::new()) });
        }
        sections.push(self.method_section());
        Ok(Document {
            kind: "Membership exposure",
            of: self.context.model.clone().unwrap_or_else(|| "model".to_owned()),
            state,
            word: word.to_owned(),
            sentence: told.sentence.clone(),
            facts: vec![
                ("Records", format!("{} in, {} out", number(members), number(records - members))),
                ("Reference models", number(references)),
                ("Attacker assumed", told.attacker.clone()),
            ],
            limits: told.not_tested.clone(),
            sections,
        })
    }

    fn attacks_section(&self) -> Section {
        let confidence = self.method.confidence;
        let told = &self.told;
        let mut header = vec!["attack".to_owned(), "AUC".to_owned()];
        header.extend(told.rates.iter().map(|rate| format!("recognised {}", alarms(rate.fpr))));
        header.push("lift".to_owned());
        let row = |name: String, auc: Number, rates: &[RateEvidence]| {
            let mut cells = vec![name, plain(auc, confidence)];
            cells.extend(rates.iter().map(|rate| rate_cell(rate, confidence)));
            let lift = rates.iter().find(|rate| rate.fpr.to_bits() == self.method.fpr.to_bits());
            let lift = lift.and_then(|rate| rate.lift.value);
            cells.push(lift.map_or_else(|| "–".to_owned(), |lift| format!("{lift:.1}")));
            cells
        };
        let mut rows = vec![row(format!("{} (chosen)", told.attack), told.auc, &told.rates)];
        rows.extend(self.attacks.iter().map(|attack| {
            let mark = if attack.worst { " (best in hindsight)" } else { "" };
            row(format!("{}{mark}", attack.name), attack.auc, &attack.rates)
        }));
        let note = format!(
            "The first line counts: its attack was {}, so its intervals are those of one look. Below \
             it are all {} attacks, their intervals widened so that all hold at once.",
            if self.method.left_out == 0 { "decided beforehand" } else { "chosen on references" },
            self.attacks.len()
        );
        Section { header, notes: vec![note], ..Section::new("attacks", "Attacks", &[], rows) }
    }

    fn curve_section(&self) -> Result<Section> {
        let confidence = self.method.confidence;
        let rates = self.told.rates.iter();
        let rows = rates.map(|rate| vec![share(Some(rate.fpr)), rate_cell(rate, confidence)]);
        let header = ["rate of false alarms", "members recognised"];
        let mut section = Section::new("curve", "Curve", &header, rows.collect());
        section.figure = Some(svg(self, &self.curve.roc()?)?);
        if let Some(rate) = self.told.rates.iter().rev().find(|rate| rate.resolvable) {
            let n = self.curve.n_members;
            let people = |share: Option<f64>| {
                share.map_or_else(|| "–".to_owned(), |share| format!("{:.0}", share * real(n)))
            };
            section.notes.push(format!(
                "Of the {} scored members, about {} ({} to {}) can be recognised {}. Of those \
                 flagged, {} are members, if {} of the people tested are (declared).",
                number(n),
                people(rate.tpr.value),
                people(rate.tpr.low),
                people(rate.tpr.high),
                alarms(rate.fpr),
                percent_interval(rate.precision, confidence),
                share(Some(self.method.prior))
            ));
        }
        Ok(section)
    }

    fn method_section(&self) -> Section {
        let Method { references, records, members, population, left_out, .. } = self.method;
        let context = &self.context;
        let mut rows = vec![
            ("Allonym", self.tool.clone()),
            ("records", format!("{}, {} of them members", number(records), number(members))),
            ("unit of the intervals", self.method.unit.clone()),
            ("references", format!("{references}, the attack chosen on {left_out} of them")),
            ("population", number(population)),
            ("confidence", share(Some(self.method.confidence))),
            ("declared prior", share(Some(self.method.prior))),
        ];
        rows.extend(context.masks.clone().map(|masks| ("masks", masks)));
        rows.extend(context.seed.map(|seed| ("seed", seed.to_string())));
        rows.extend(context.measured_at.clone().map(|at| ("measured", at)));
        if let Some(utility) = &context.utility {
            rows.push(("utility", format!("{}: {}", utility.metric, utility_words(utility))));
        }
        let rows = rows.into_iter().map(|(what, said)| vec![what.to_owned(), said]).collect();
        let note = "AUC: probability that a random member scores above a random non-member. Lift: how \
                    many times more often than guessing. Measured are the rates; declared is the \
                    prior; posterior and share of members among the flagged combine both.";
        let section = Section::new("method", "Method", &["what", "is"], rows);
        Section { notes: vec![note.to_owned()], ..section }
    }
}

fn worst(records: &RecordsEvidence, method: &Method) -> Section {
    let told = |number: Option<f64>| {
        number.map_or_else(|| "–".to_owned(), |number| format!("{number:.2}"))
    };
    let rows = records.worst.iter().take(ROWS_MAX).map(|record| {
        vec![
            number(record.row),
            format!("{} / {}", record.n_in, record.n_out),
            told(record.likelihood_ratio),
            told(record.separation),
            told(record.posterior),
            percent_interval(record.recognised, method.confidence),
            record.flags.join(", "),
        ]
    });
    let header =
        ["row", "with / without", "likelihood ratio", "d′", "posterior", "given away", "notes"];
    let note = format!(
        "By row of the training data: whoever holds the table can look them up, nobody else. {} \
         members were measured.{} Removing the most exposed exposes the next.",
        number(records.measured),
        if records.ranked {
            ""
        } else {
            " There are too few references to rank single records: read the order as a hint."
        }
    );
    let section = Section::new("records", "Most exposed records", &header, rows.collect());
    Section { notes: vec![note], ..section }
}

fn grouped(at: usize, groups: &GroupsEvidence, method: &Method) -> Section {
    let rows = groups.groups.iter().take(ROWS_MAX).map(|group| {
        vec![
            group.name.clone(),
            format!("{} / {}", number(group.n_members), number(group.n_non_members)),
            plain(group.auc, method.confidence),
            percent_interval(group.tpr, method.confidence),
            share(group.tpr_rest.value),
            format!("{:.3}", group.p_corrected),
        ]
    });
    let header = ["group", "in / out", "AUC", "recognised", "others", "p, corrected"];
    let note = format!(
        "{}, at one threshold for all. {} groups with fewer than {} members or non-members are not \
         told.",
        alarms(groups.fpr),
        groups.suppressed,
        groups.cell_min
    );
    let section = Section::new("groups", "", &header, rows.collect());
    Section {
        id: format!("groups-{at}"),
        title: format!("Groups by {}", groups.by),
        notes: vec![note],
        ..section
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
        "<svg class=\"roc\" role=\"img\" viewBox=\"0 0 {:.0} {:.0}\"><title>Members recognised at few false \
         alarms</title><desc>{}</desc>{ticks}<polygon class=\"band\" points=\"{}\"/><path \
         class=\"chance\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/><path class=\"curve\" \
         d=\"{path}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">false \
         alarms</text><text x=\"{LEFT}\" y=\"{:.1}\">members recognised</text></svg>",
        LEFT + WIDTH + 30.0,
        TOP + HEIGHT + 40.0,
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
        (false, Some(needed)) => format!("needs {} non-members", number(needed)),
        (false, None) => "not resolvable".to_owned(),
    }
}

const LEFT: f64 = 62.0;
const TOP: f64 = 28.0;
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 300.0;
const BAND_STEPS: u64 = 60;
/// The JSON has all of them.
const ROWS_MAX: usize = 50;
