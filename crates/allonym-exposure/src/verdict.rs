//! From many attacks to one verdict, and from a verdict to a gate.

use crate::interval::Interval;
use crate::roc::{Roc, RocError, TprAt};
use crate::scores::Scores;

/// The scores of one attack, with its parameters in the name, on a left-out reference and on the
/// target.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Attack and parameters, as the report shall call it.
    pub name: String,
    /// Scores of the left-out reference, taken as the target.
    pub left_out: Scores,
    /// Scores of the true target.
    pub target: Scores,
}

/// What one attack finds in the target.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The attack.
    pub name: String,
    /// Area under its curve.
    pub auc: Interval,
    /// Members recognised at the stated false-positive rate.
    pub tpr: TprAt,
    /// Records it could not score.
    pub dropped: usize,
}

/// The verdict on a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The attack that did best on the left-out reference, evaluated once on the target: its
    /// interval needs no correction.
    pub chosen: Finding,
    /// Every attack on the target, each interval at the error divided by their number: they hold
    /// all at once, so the worst of them may be quoted.
    pub all: Vec<Finding>,
    /// Position in `all` of the attack with the highest lower end of the true-positive rate, or of
    /// the area where the rate is not resolvable.
    pub worst: usize,
}

/// Chooses an attack on a left-out reference and evaluates it on the target; gives all of them with
/// Bonferroni's correction beside it.
///
/// What counts is the true-positive rate at `fpr`, where the left-out reference has enough
/// non-members to see it, then the area; of equals the first is taken. Choosing on the target
/// itself would make the best of many numbers look like a leak.
///
/// # Errors
/// As [`Roc::new`] and [`Roc::tpr_at`]; [`RocError::NoMembers`] of no candidates.
pub fn verdict(
    candidates: &[Candidate],
    left_out_members: &[bool],
    target_members: &[bool],
    fpr: f64,
    confidence: f64,
) -> Result<Verdict, RocError> {
    let finding = |candidate: &Candidate, confidence: f64| {
        let roc = Roc::new(&candidate.target.values, target_members)?;
        Finding::new(&candidate.name, &roc, fpr, confidence)
    };
    let mut trials = Trials::default();
    for candidate in candidates {
        let roc = Roc::new(&candidate.left_out.values, left_out_members)?;
        trials.add(&candidate.name, &roc, fpr)?;
    }
    let best = trials.best().and_then(|at| candidates.get(at)).ok_or(RocError::NoMembers)?;
    let chosen = finding(best, confidence)?;
    let each = 1.0 - (1.0 - confidence) / crate::special::size(candidates.len());
    let all: Vec<Finding> = candidates
        .iter()
        .map(|candidate| finding(candidate, each))
        .collect::<Result<_, RocError>>()?;
    let worst = worst(&all);
    Ok(Verdict { chosen, all, worst })
}

impl Finding {
    /// What a curve of an attack's scores shows.
    ///
    /// # Errors
    /// As [`Roc::tpr_at`].
    pub fn new(name: &str, roc: &Roc, fpr: f64, confidence: f64) -> Result<Finding, RocError> {
        let tpr = roc.tpr_at(fpr, confidence)?;
        let (name, auc) = (name.to_owned(), roc.auc_interval(confidence));
        Ok(Finding { name, auc, tpr, dropped: roc.dropped() })
    }
}

/// Position of the attack with the highest lower end of the true-positive rate, or of the area
/// where the rate is not resolvable; of equals the first, and 0 of none.
#[must_use]
pub fn worst(findings: &[Finding]) -> usize {
    let lower = |finding: &Finding| {
        (if finding.tpr.resolvable { finding.tpr.band.low } else { 0.0 }, finding.auc.low)
    };
    let mut worst = 0;
    for (at, finding) in findings.iter().enumerate() {
        if lower(finding) > lower(&findings[worst]) {
            worst = at;
        }
    }
    worst
}

/// How attacks do on left-out references, one or several, each taken as the target.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trials {
    /// Name, sum of rates, sum of areas, curves.
    attacks: Vec<(String, f64, f64, f64)>,
}

impl Trials {
    /// Adds an attack's curve on one left-out reference. Rates that it cannot resolve count as
    /// zero.
    ///
    /// # Errors
    /// As [`Roc::tpr_at`].
    pub fn add(&mut self, name: &str, roc: &Roc, fpr: f64) -> Result<(), RocError> {
        let at = roc.tpr_at(fpr, 0.5)?;
        let rate = if at.resolvable { at.tpr.value } else { 0.0 };
        match self.attacks.iter_mut().find(|(known, ..)| known == name) {
            Some((_, rates, areas, curves)) => {
                *rates += rate;
                *areas += roc.auc();
                *curves += 1.0;
            }
            None => self.attacks.push((name.to_owned(), rate, roc.auc(), 1.0)),
        }
        Ok(())
    }

    /// Position, in the order in which they came, of the attack with the highest mean rate, then
    /// area; of equals the first. None of none.
    #[must_use]
    pub fn best(&self) -> Option<usize> {
        let means = self.attacks.iter().map(|(_, rates, areas, n)| (rates / n, areas / n));
        let mut best: Option<(usize, (f64, f64))> = None;
        for (at, mean) in means.enumerate() {
            if best.is_none_or(|(_, most)| mean > most) {
                best = Some((at, mean));
            }
        }
        best.map(|(at, _)| at)
    }

    /// Names of the attacks, in the order in which they came.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.attacks.iter().map(|(name, ..)| name.as_str())
    }
}

/// Limits that a model must keep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gate {
    /// Highest area under the curve.
    pub auc: Option<f64>,
    /// Highest true-positive rates, each at a false-positive rate: `(fpr, limit)`.
    pub tpr_at: Vec<(f64, f64)>,
}

/// What a gate says. Undecided is not a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Every interval lies under its limit.
    Pass,
    /// An interval lies above its limit.
    Fail,
    /// An interval spans its limit, or the rate cannot be seen with so few non-members.
    Undecided {
        /// About how many times as many records would decide it, if more of them gave the same
        /// numbers; none where no number would.
        records_factor: Option<u64>,
    },
}

impl Gate {
    /// Judges a curve. The error of the `confidence` is shared among the limits, so that a model
    /// that keeps all of them fails in at most that share of cases.
    ///
    /// # Errors
    /// As [`Roc::tpr_at`].
    pub fn decide(&self, roc: &Roc, confidence: f64) -> Result<Decision, RocError> {
        self.decide_by(|each| roc.auc_interval(each), roc, confidence)
    }

    /// As [`Gate::decide`], with an area that is known from elsewhere: of a curve that was thinned
    /// out ([`Roc::from_corners`]), whose own area is not exact.
    ///
    /// # Errors
    /// As [`Roc::tpr_at`].
    pub fn decide_by(
        &self,
        auc: impl Fn(f64) -> Interval,
        roc: &Roc,
        confidence: f64,
    ) -> Result<Decision, RocError> {
        let limits = self.tpr_at.len() + usize::from(self.auc.is_some());
        let each = 1.0 - (1.0 - confidence) / crate::special::size(limits.max(1));
        let mut decision = Decision::Pass;
        if let Some(limit) = self.auc {
            decision = decision.worse(judge(auc(each), limit, true));
        }
        for &(fpr, limit) in &self.tpr_at {
            let at = roc.tpr_at(fpr, each)?;
            let mut judged = judge(at.band, limit, at.resolvable);
            if let (Decision::Undecided { records_factor }, false) = (&mut judged, at.resolvable) {
                *records_factor =
                    at.non_members_needed.map(|needed| needed.div_ceil(roc.n_non_members()));
            }
            decision = decision.worse(judged);
        }
        Ok(decision)
    }
}

impl Decision {
    fn worse(self, other: Decision) -> Decision {
        match (self, other) {
            (Decision::Fail, _) | (_, Decision::Fail) => Decision::Fail,
            (Decision::Pass, decided) | (decided, Decision::Pass) => decided,
            (
                Decision::Undecided { records_factor: left },
                Decision::Undecided { records_factor: right },
            ) => {
                let factor = left.zip(right).map(|(left, right)| left.max(right));
                Decision::Undecided { records_factor: factor }
            }
        }
    }
}

/// A rate that cannot be resolved may still prove a leak, but never its absence.
fn judge(interval: Interval, limit: f64, resolvable: bool) -> Decision {
    if interval.low > limit {
        return Decision::Fail;
    }
    if interval.high <= limit && resolvable {
        return Decision::Pass;
    }
    // Widths shrink with the square root of the number of records.
    let (distance, width) = ((interval.value - limit).abs(), interval.high - interval.low);
    let factor = (width / distance).powi(2);
    let known = resolvable && factor.is_finite() && factor < FACTOR_MAX;
    Decision::Undecided { records_factor: known.then(|| crate::roc::whole(factor.ceil()).max(2)) }
}

/// Nobody collects a million times as many records.
const FACTOR_MAX: f64 = 1e6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scores::Flags;

    fn scores(values: Vec<f64>) -> Scores {
        Scores { flags: vec![Flags::default(); values.len()], values }
    }

    fn members() -> Vec<bool> {
        (0..400_u32).map(|record| record.is_multiple_of(2)).collect()
    }

    fn leak(strength: f64) -> Scores {
        let noise = |record: u32| f64::from(record * 193 % 401) / 401.0;
        let jump = |record: u32| if record.is_multiple_of(2) { strength } else { 0.0 };
        scores((0..400).map(|record| noise(record) + jump(record)).collect())
    }

    #[test]
    fn the_attack_is_chosen_where_it_is_not_evaluated() {
        let candidate = |name: &str, left_out: f64, target: f64| Candidate {
            name: name.to_owned(),
            left_out: leak(left_out),
            target: leak(target),
        };
        let candidates = [candidate("weak", 0.0, 0.9), candidate("strong", 0.5, 0.3)];
        let told = verdict(&candidates, &members(), &members(), 0.05, 0.95).unwrap();
        assert_eq!(told.chosen.name, "strong");
        assert_eq!(told.all[told.worst].name, "weak");
        // The correction widens.
        assert!(told.all[1].auc.low < told.chosen.auc.low);
        assert!(verdict(&[], &members(), &members(), 0.05, 0.95).is_err());
    }

    #[test]
    fn a_gate_has_three_answers() {
        let roc = |strength: f64| Roc::new(&leak(strength).values, &members()).unwrap();
        let gate = |auc: f64| Gate { auc: Some(auc), tpr_at: Vec::new() };
        let decide = |gate: &Gate, strength: f64| gate.decide(&roc(strength), 0.95).unwrap();
        assert_eq!(decide(&gate(0.6), 0.0), Decision::Pass);
        assert_eq!(decide(&gate(0.6), 0.5), Decision::Fail);
        let undecided = decide(&gate(0.52), 0.0);
        assert!(matches!(undecided, Decision::Undecided { records_factor: Some(2..) }));
        // One in a thousand cannot be seen among 200, whatever the limit.
        let fine = Gate { auc: None, tpr_at: vec![(0.001, 0.5)] };
        assert_eq!(decide(&fine, 0.0), Decision::Undecided { records_factor: Some(5) });
        assert_eq!(decide(&Gate { auc: Some(0.4), ..fine }, 0.5), Decision::Fail);
        assert_eq!(decide(&Gate::default(), 0.5), Decision::Pass);
    }
}
