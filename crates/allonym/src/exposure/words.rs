//! Plain words for what was measured, for terminals and notebooks.

use super::evidence::{ComparisonEvidence, Context, Evidence, Method, Number, RateEvidence};
use allonym_exposure::{Comparison, Decision, Interval};
pub(crate) use allonym_report::number as count;

impl Evidence {
    /// The summary that a terminal shows.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = vec![self.heading(), format!("  {}", self.told.sentence)];
        let auc = self.told.auc;
        lines.push(format!(
            "  {:<30} AUC {}   chance would be 0.500",
            "attacker's edge, all records",
            plain(auc, self.method.confidence)
        ));
        for rate in &self.told.rates {
            lines.push(format!("  {:<30} {}", alarms(rate.fpr), rate_words(rate, &self.method)));
        }
        lines.push(format!("  {:<30} {}", "strongest attack", self.told.attack));
        if let Some(worst) = self.attacks.iter().find(|attack| attack.worst && !attack.chosen) {
            lines.push(format!(
                "  {:<30} {} (AUC {}, corrected for {} attacks)",
                "best in hindsight",
                worst.name,
                plain(worst.auc, self.method.confidence),
                self.attacks.len()
            ));
        }
        for groups in &self.groups {
            if let Some(group) = groups.groups.first() {
                lines.push(format!(
                    "  {:<30} {} (n = {}) {} of members, others {}",
                    format!("worst group by {}", tame(&groups.by)),
                    tame(&group.name),
                    count(group.n_members),
                    percent_interval(group.tpr, self.method.confidence),
                    share(group.tpr_rest.value)
                ));
            }
        }
        if let Some(epsilon) = &self.epsilon {
            lines.push(format!("  {:<30} {}", "epsilon", epsilon_words(epsilon)));
        }
        if let Some(utility) = &self.context.utility {
            lines.push(format!("  {:<30} {}", tame(&utility.metric), utility_words(utility)));
        }
        lines.extend(self.warnings().iter().map(|warning| format!("  note: {}", tame(warning))));
        lines.push(format!("Attacker assumed: {}", self.told.attacker));
        lines.push("Not tested:".to_owned());
        lines.extend(self.told.not_tested.iter().map(|line| format!("  - {line}")));
        lines.join("\n")
    }

    /// Name, counts and references in one line.
    pub(super) fn heading(&self) -> String {
        let model = self.context.model.as_deref().unwrap_or("model");
        let Method { records, members, references, .. } = self.method;
        format!(
            "Membership exposure · {} · {} in, {} out · {} reference models",
            tame(model),
            count(members),
            count(records - members),
            count(references)
        )
    }

    /// What a reader must know beside the numbers.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.context.warnings.clone();
        for (reason, rows) in &self.context.set_aside {
            warnings.push(format!("{} rows were set aside: {reason}", count(*rows)));
        }
        let chosen = self.attacks.iter().find(|attack| attack.chosen);
        if let Some(attack) = chosen.filter(|attack| attack.dropped > 0) {
            warnings.push(format!(
                "{} records could not be scored by the chosen attack and are in no number",
                count(attack.dropped)
            ));
        }
        let flags = chosen.map(|attack| &attack.flags);
        for (flag, words) in FLAGS {
            if let Some(n) = flags.and_then(|flags| flags.get(flag)) {
                warnings.push(format!("{} records {words}", count(*n)));
            }
        }
        if let Some(limit) = self.method.logit_limit {
            warnings.push(format!(
                "logits were kept within ±{limit:.2} for attacks that fit laws, since the model \
                 gives few distinct confidences"
            ));
        }
        warnings
    }
}

/// The verdict in one sentence.
pub(super) fn sentence(
    found: &str,
    auc: Interval,
    rates: &[RateEvidence],
    fpr: f64,
    n_members: u64,
    unit: &str,
) -> String {
    let at = rates.iter().find(|rate| rate.fpr.to_bits() == fpr.to_bits());
    let strictest = rates.iter().rev().find(|rate| {
        rate.resolvable && found == "leak" && rate.tpr.low.is_some_and(|low| low > rate.fpr)
    });
    let at = strictest.or(at);
    match (found, at) {
        ("leak", Some(rate)) if rate.resolvable => {
            let people = |share: Option<f64>| share.map_or(0, |share| of(share, n_members));
            format!(
                "Leak: {}, an attacker recognises {} of the training {unit} ({} to {}), that is \
                 about {} of {} ({} to {}); guessing would find {}.",
                alarms(rate.fpr),
                share(rate.tpr.value),
                share(rate.tpr.low),
                share(rate.tpr.high),
                count(people(rate.tpr.value)),
                count(n_members),
                count(people(rate.tpr.low)),
                count(people(rate.tpr.high)),
                share(Some(rate.fpr)),
            )
        }
        ("leak", _) => format!(
            "Leak: an attacker tells training {unit} from others better than by chance (AUC \
             {:.3}, {:.3} to {:.3}); there are too few non-members to say how many at few false \
             alarms.",
            auc.value, auc.low, auc.high
        ),
        ("none_found", Some(rate)) => format!(
            "No leak was found: {}, the strongest attack tried recognises {} of the training \
             {unit} ({} to {}), and guessing would find {}. This is no proof that there is none.",
            alarms(rate.fpr),
            share(rate.tpr.value),
            share(rate.tpr.low),
            share(rate.tpr.high),
            share(Some(rate.fpr)),
        ),
        _ => {
            let needed = at.and_then(|rate| rate.non_members_needed);
            let needed =
                needed.map_or_else(String::new, |needed| format!("; it takes {}", count(needed)));
            format!(
                "Not resolvable: there are too few non-members to say how many training {unit} \
                 are recognised {}{needed}. Over all records no leak was found (AUC {:.3}, {:.3} \
                 to {:.3}).",
                alarms(fpr),
                auc.value,
                auc.low,
                auc.high
            )
        }
    }
}

pub(super) fn attacker(method: &Method) -> String {
    let knows = match method.references {
        0 => "sees the model's confidences, and has nothing to compare them with".to_owned(),
        n => format!(
            "sees the model's confidences, and has trained {} models of the same kind on data \
             like this",
            count(n)
        ),
    };
    format!("somebody who has the records' inputs and labels, {knows}.")
}

pub(super) fn not_tested(method: &Method, context: &Context, coins: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if method.references == 0 {
        lines.push(
            "attacks with reference models, which are far stronger: what is found here is a lower \
             bound of weak attacks"
                .to_owned(),
        );
    } else if method.references < 16 {
        lines.push(format!(
            "attackers with more than {} reference models, who would do somewhat better",
            count(method.references)
        ));
    }
    if method.population == 0 && method.references > 0 {
        lines.push("attacks that compare with a population (RMIA): none was given".to_owned());
    }
    lines.push("attackers who see weights, gradients or several versions of the model".to_owned());
    lines.push("what the model says about people who are not in the training data".to_owned());
    if !coins {
        lines.push(
            "whether members and non-members differ by themselves (in date or source): a \
             difference would look like a leak"
                .to_owned(),
        );
    }
    lines.push("other training runs: one model is one sample of the training's chance".to_owned());
    let scored = context.train_rows.filter(|rows| *rows > method.members);
    if let Some(rows) = scored {
        lines.push(format!(
            "{} of the {} training rows: as many were scored as there are rows to compare with",
            count(rows - method.members),
            count(rows)
        ));
    }
    lines
}

/// Attacks that looked at nothing, for want of what they look at.
pub(super) fn left_out(alone: &[&str], ran: impl Fn(&str) -> bool) -> Option<String> {
    let missing: Vec<&str> = alone.iter().copied().filter(|name| !ran(name)).collect();
    let named = missing.iter().filter(|name| **name != "population").copied();
    let named: Vec<&str> = named.collect();
    (!named.is_empty())
        .then(|| format!("attacks whose signals were not there, or too few: {}", named.join(", ")))
}

impl ComparisonEvidence {
    /// The summary that a terminal shows.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut lines = vec!["Membership exposure, before and after".to_owned()];
        lines.push(format!("  {}", self.sentence));
        let sides = ["before", "after"].into_iter().zip(self.auc).zip(&self.tpr);
        for ((side, auc), rate) in sides {
            let rate = match rate.resolvable {
                true => percent_interval(rate.tpr, self.confidence),
                false => "not resolvable".to_owned(),
            };
            lines.push(format!(
                "  {side:<8} AUC {}   {} {rate}",
                plain(auc, self.confidence),
                alarms(self.fpr)
            ));
        }
        for (side, utility) in ["before", "after"].into_iter().zip(&self.utility) {
            if let Some(utility) = utility {
                let told = utility_words(utility);
                lines.push(format!("  {side:<8} {}: {told}", tame(&utility.metric)));
            }
        }
        lines.join("\n")
    }
}

pub(super) fn comparison(found: &str, compared: &Comparison, fpr: f64, resolvable: bool) -> String {
    let area = compared.auc_difference;
    let points = |share: f64| format!("{:+.1}", 100.0 * share);
    let rate = if resolvable {
        let rate = compared.tpr_difference;
        format!(
            ", and {} percentage points ({} to {}) in members recognised {}",
            points(rate.value),
            points(rate.low),
            points(rate.high),
            alarms(fpr)
        )
    } else {
        String::new()
    };
    let numbers =
        format!("{:+.3} ({:+.3} to {:+.3}) in AUC{rate}", area.value, area.low, area.high);
    match found {
        "less" => format!("Less is given away: {numbers}."),
        "more" => format!("More is given away: {numbers}."),
        _ => format!("Undecided: {numbers}; that may be chance."),
    }
}

pub(super) fn gate(decision: Decision, records: u64) -> String {
    match decision {
        Decision::Pass => "pass: every interval lies under its limit".to_owned(),
        Decision::Fail => "fail: an interval lies above its limit".to_owned(),
        Decision::Undecided { records_factor: Some(factor) } => format!(
            "undecided: an interval spans its limit; about {} records (now {}) would decide it",
            count(records.saturating_mul(factor)),
            count(records)
        ),
        Decision::Undecided { records_factor: None } => {
            "undecided: an interval spans its limit, and no number of records like these would \
             decide it"
                .to_owned()
        }
    }
}

/// "at 1 false alarm in 1,000"
pub(super) fn alarms(fpr: f64) -> String {
    let one_in = 1.0 / fpr;
    if fpr > 0.0 && (one_in - one_in.round()).abs() < 1e-6 {
        return format!("at 1 false alarm in {}", count(whole(one_in.round())));
    }
    format!("at {} false alarms", share(Some(fpr)))
}

pub(super) fn rate_words(rate: &RateEvidence, method: &Method) -> String {
    if !rate.resolvable {
        let needed = rate
            .non_members_needed
            .map_or_else(String::new, |needed| format!(" (needs {} non-members)", count(needed)));
        return format!("not resolvable{needed}");
    }
    format!(
        "finds {} of members   chance would be {}",
        percent_interval(rate.tpr, method.confidence),
        share(Some(rate.fpr))
    )
}

pub(super) fn epsilon_words(epsilon: &super::EpsilonEvidence) -> String {
    let bound = format!("at least {:.2} (delta {:e})", epsilon.at_least, epsilon.delta);
    match (epsilon.proves, epsilon.at_least > 0.0) {
        (true, true) => format!("{bound}, proven by one run with fair coins"),
        (true, false) => "no bound above zero is proven by this run".to_owned(),
        (false, true) => format!("{bound}, indicative only: no coins decided who was in"),
        (false, false) => "no bound above zero is indicated".to_owned(),
    }
}

pub(super) fn utility_words(utility: &super::Utility) -> String {
    let told = |what: &str, number: Option<f64>| number.map(|number| format!("{what} {number:.3}"));
    let parts = [
        told("training", utility.train),
        told("holdout", utility.holdout),
        told("references on what they had not seen", utility.references_out),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// "0.571 (95 %: 0.562 to 0.580)"
pub(super) fn plain(number: Number, confidence: f64) -> String {
    match (number.value, number.low, number.high) {
        (Some(value), Some(low), Some(high)) => {
            format!("{value:.3} ({}: {low:.3} to {high:.3})", level(confidence))
        }
        _ => "–".to_owned(),
    }
}

/// "0.9 % (95 %: 0.7 to 1.1)"
pub(super) fn percent_interval(number: Number, confidence: f64) -> String {
    match (number.low, number.high) {
        (Some(low), Some(high)) => format!(
            "{} ({}: {} to {})",
            share(number.value),
            level(confidence),
            share(Some(low)).trim_end_matches(" %"),
            share(Some(high)).trim_end_matches(" %")
        ),
        _ => "–".to_owned(),
    }
}

/// A share in percent, with digits that its size deserves.
pub(super) fn share(share: Option<f64>) -> String {
    let Some(share) = share else { return "–".to_owned() };
    let percent = 100.0 * share;
    match percent {
        _ if percent > 0.0 && percent < 0.1 => format!("{percent:.2} %"),
        _ if percent >= 99.95 => "100 %".to_owned(),
        _ => format!("{percent:.1} %"),
    }
}

/// Names come from data: control characters would move the cursor or turn the text.
pub(super) fn tame(name: &str) -> String {
    let wild = |c: char| {
        c.is_control()
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{feff}')
    };
    name.chars().map(|c| if wild(c) { '\u{fffd}' } else { c }).collect()
}

fn level(confidence: f64) -> String {
    let percent = 100.0 * confidence;
    if (percent - percent.round()).abs() < 1e-9 {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.2} %")
    }
}

fn of(share: f64, n: u64) -> u64 {
    whole((share * real(n)).round())
}

#[expect(clippy::cast_precision_loss, reason = "counts of people are below 2^53")]
pub(super) fn real(n: u64) -> f64 {
    n as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "callers pass rounded numbers that are not negative; a float saturates"
)]
pub(super) fn whole(number: f64) -> u64 {
    number as u64
}

const FLAGS: [(&str, &str); 5] = [
    ("not_finite", "have signals that are NaN or infinite and were dropped"),
    ("never_in", "were in no reference"),
    ("never_out", "were in every reference"),
    ("no_spread", "have signals without spread, which was set to what single precision shows"),
    ("no_group", "have no population of their group to compare with"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_words() {
        assert_eq!(alarms(0.001), "at 1 false alarm in 1,000");
        assert_eq!(alarms(0.015), "at 1.5 % false alarms");
        assert_eq!(
            [0.0, 0.0004, 0.128, 0.9999].map(|s| share(Some(s))).join(" "),
            "0.0 % 0.04 % 12.8 % 100 %"
        );
        let number = Number { value: Some(0.009), low: Some(0.007), high: Some(0.011) };
        assert_eq!(percent_interval(number, 0.95), "0.9 % (95 %: 0.7 to 1.1)");
        assert_eq!(plain(Number::NONE, 0.95), "–");
        assert_eq!(tame("a\x1b[2J\u{202e}b"), "a\u{fffd}[2J\u{fffd}b");
        assert_eq!(count(1_204_318), "1,204,318");
    }

    #[test]
    fn undecided_says_what_would_decide() {
        let told = gate(Decision::Undecided { records_factor: Some(4) }, 1_000);
        assert!(told.contains("4,000") && told.starts_with("undecided"));
        assert!(gate(Decision::Undecided { records_factor: None }, 9).contains("no number"));
    }
}
