//! What a measurement found, as data: the JSON that every report is a view of.
//!
//! Counts, rates and positions; never a record, never a score that could be looked up.

use crate::{Failure, Result};
use allonym_core::{ExposureGate, ExposureMetric};
use allonym_exposure::{
    Comparison, Decision, Gate, Interval, Roc, TprAt, auc_interval, clopper_pearson,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `allonym.exposure/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// `allonym.exposure/1`.
    pub schema: String,
    /// Version of the tool.
    pub tool: String,
    /// What the caller said of model and data.
    pub context: Context,
    /// The answer.
    pub told: Told,
    /// Every attack tried; their intervals hold all at once.
    pub attacks: Vec<AttackEvidence>,
    /// The chosen attack's curve.
    pub curve: CurveEvidence,
    /// Who is most exposed; none where it was not measured.
    pub records: Option<RecordsEvidence>,
    /// Groups that were asked for.
    pub groups: Vec<GroupsEvidence>,
    /// Lower bound of epsilon.
    pub epsilon: Option<EpsilonEvidence>,
    /// How it was measured.
    pub method: Method,
}

/// What the caller knows and the measurement cannot: free of data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Context {
    /// The kind of model, such as a class name.
    pub model: Option<String>,
    /// When, RFC 3339.
    pub measured_at: Option<String>,
    /// Seed of masks and models.
    pub seed: Option<u64>,
    /// How it was decided which reference is trained on which record.
    pub masks: Option<String>,
    /// Rows of the training data, of which the scored members may be a part.
    pub train_rows: Option<u64>,
    /// Rows of the holdout.
    pub holdout_rows: Option<u64>,
    /// Rows that were not scored, by reason.
    pub set_aside: BTreeMap<String, u64>,
    /// How well the model does its work.
    pub utility: Option<Utility>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// How well models do their work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Utility {
    /// What the numbers are: accuracy, or mean squared error.
    pub metric: String,
    /// The target on its training data.
    pub train: Option<f64>,
    /// The target on the holdout.
    pub holdout: Option<f64>,
    /// The references on what they were not trained on.
    pub references_out: Option<f64>,
}

/// The answer in words and numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// `leak`, `none_found` or `not_resolvable`.
    pub found: String,
    /// One sentence, numbers and interval inside.
    pub sentence: String,
    /// The attack that was chosen on left-out references (or beforehand).
    pub attack: String,
    /// Area under its curve.
    pub auc: Number,
    /// Members recognised at few false alarms.
    pub rates: Vec<RateEvidence>,
    /// Who is assumed to attack.
    pub attacker: String,
    /// What was not tested.
    pub not_tested: Vec<String>,
}

/// An estimate with its interval; null where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Number {
    /// The estimate.
    pub value: Option<f64>,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

impl Number {
    pub(crate) const NONE: Number = Number { value: None, low: None, high: None };
}

impl From<Interval> for Number {
    fn from(interval: Interval) -> Number {
        let finite = |number: f64| number.is_finite().then_some(number);
        let Interval { value, low, high } = interval;
        Number { value: finite(value), low: finite(low), high: finite(high) }
    }
}

/// Members recognised where at most `fpr` of the non-members are flagged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RateEvidence {
    /// Limit of false alarms.
    pub fpr: f64,
    /// Whether there are enough non-members to see it; where not, there are no numbers.
    pub resolvable: bool,
    /// Share of the members recognised, with the interval of a claim about the model.
    pub tpr: Number,
    /// How many times more often than guessing.
    pub lift: Number,
    /// Of all flagged, the share that are members, at the declared prior.
    pub precision: Number,
    /// Non-members it takes to see the rate.
    pub non_members_needed: Option<u64>,
}

impl RateEvidence {
    pub(crate) fn new(at: &TprAt, prior: f64) -> RateEvidence {
        let told = |interval: Interval| {
            if at.resolvable { interval.into() } else { Number::NONE }
        };
        RateEvidence {
            fpr: at.fpr_limit,
            resolvable: at.resolvable,
            tpr: told(at.band),
            lift: told(at.lift()),
            precision: told(at.precision(prior)),
            non_members_needed: at.non_members_needed.filter(|_| !at.resolvable),
        }
    }
}

/// One attack on the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AttackEvidence {
    /// Attack and parameters.
    pub name: String,
    /// Whether it is the chosen one.
    pub chosen: bool,
    /// Whether it does best on the target, all intervals corrected for their number.
    pub worst: bool,
    /// Area, corrected.
    pub auc: Number,
    /// Rates, corrected.
    pub rates: Vec<RateEvidence>,
    /// Records it could not score.
    pub dropped: u64,
    /// Records by what must be known of them.
    pub flags: BTreeMap<String, u64>,
}

/// The chosen attack's curve, as counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CurveEvidence {
    /// Scored members.
    pub n_members: u64,
    /// Scored non-members.
    pub n_non_members: u64,
    /// Area of the whole curve.
    pub auc: f64,
    /// Its standard error.
    pub auc_standard_error: f64,
    /// False and true positives at its corners, rising; thinned out beyond `exact` false positives.
    pub corners: Vec<(u64, u64)>,
    /// Up to so many false positives nothing is thinned out.
    pub exact: u64,
}

impl CurveEvidence {
    pub(crate) fn new(roc: &Roc) -> CurveEvidence {
        CurveEvidence {
            n_members: roc.n_members(),
            n_non_members: roc.n_non_members(),
            auc: roc.auc(),
            auc_standard_error: roc.auc_standard_error(),
            corners: roc.corners(EXACT_CORNERS, THINNED_CORNERS),
            exact: EXACT_CORNERS,
        }
    }

    pub(crate) fn roc(&self) -> Result<Roc> {
        Ok(Roc::from_corners(&self.corners)?)
    }
}

/// Who is most exposed, whichever model of this kind is trained on them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordsEvidence {
    /// Members with a measure.
    pub measured: u64,
    /// Whether there are enough references to rank single records (16 on each side).
    pub ranked: bool,
    /// False-positive rate at which a record counts as recognised.
    pub fpr: f64,
    /// The most exposed members, by falling exposure.
    pub worst: Vec<RecordEvidence>,
}

/// One record, by its position: whoever has the table can look it up, nobody else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordEvidence {
    /// Row of the training data, from 0.
    pub row: u64,
    /// References trained on it.
    pub n_in: u64,
    /// References not trained on it.
    pub n_out: u64,
    /// Mean logarithm of the likelihood ratio.
    pub likelihood_ratio: Option<f64>,
    /// Distance of the two sides' means in units of their spread.
    pub separation: Option<f64>,
    /// Probability of membership for an attacker with the declared prior.
    pub posterior: Option<f64>,
    /// Share of the models trained on it that give it away.
    pub recognised: Number,
    /// Share of the records that are less exposed.
    pub percentile: Option<f64>,
    /// What must be known of it.
    pub flags: Vec<String>,
}

/// Groups of one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupsEvidence {
    /// What the records were grouped by.
    pub by: String,
    /// Members or non-members below which a group is not told.
    pub cell_min: u64,
    /// Common limit of false alarms.
    pub fpr: f64,
    /// The groups that are large enough, most exposed first.
    pub groups: Vec<GroupEvidence>,
    /// How many were too small.
    pub suppressed: u64,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroupEvidence {
    /// Its name.
    pub name: String,
    /// Scored members.
    pub n_members: u64,
    /// Scored non-members.
    pub n_non_members: u64,
    /// Area within the group.
    pub auc: Number,
    /// Share of its members recognised at the common threshold.
    pub tpr: Number,
    /// The same of all other members.
    pub tpr_rest: Number,
    /// Probability of such a difference by chance, corrected for the number of groups.
    pub p_corrected: f64,
}

/// Lower bound of epsilon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EpsilonEvidence {
    /// `one_run` where fair coins decided who was in, else `threshold`, which is indicative.
    pub method: String,
    /// The bound; zero proves nothing.
    pub at_least: f64,
    /// The delta it holds for.
    pub delta: f64,
    /// Probability of a bound that is too high.
    pub alpha: f64,
    /// Whether it may be quoted as a bound.
    pub proves: bool,
}

/// How it was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Method {
    /// Reference models.
    pub references: u64,
    /// Records given.
    pub records: u64,
    /// Of them members of the target.
    pub members: u64,
    /// What the intervals are of: records, or people.
    pub unit: String,
    /// Population records.
    pub population: u64,
    /// Left-out references that the attack was chosen on.
    pub left_out: u64,
    /// Confidence of all intervals.
    pub confidence: f64,
    /// False-positive rate of the verdict.
    pub fpr: f64,
    /// Declared share of members among those an attacker tests.
    pub prior: f64,
    /// Logits were kept within this.
    pub logit_limit: Option<f64>,
}

/// One limit of a gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limit {
    /// `auc`, or the false-positive rate.
    pub of: String,
    /// The limit.
    pub at_most: f64,
}

/// What a gate said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateEvidence {
    /// `pass`, `fail` or `undecided`.
    pub decision: String,
    /// 0, 1 or 7.
    pub exit: u8,
    /// One sentence.
    pub sentence: String,
    /// About how many times as many records would decide it.
    pub records_factor: Option<u64>,
    /// The limits.
    pub limits: Vec<Limit>,
}

/// `allonym.exposure-comparison/1`: two measurements of the same records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonEvidence {
    /// `allonym.exposure-comparison/1`.
    pub schema: String,
    /// Version of the tool.
    pub tool: String,
    /// The answer in one sentence.
    pub sentence: String,
    /// `less`, `more` or `undecided`.
    pub found: String,
    /// Limit of false alarms.
    pub fpr: f64,
    /// Of all intervals.
    pub confidence: f64,
    /// Areas before and after, each of its own chosen attack.
    pub auc: [Number; 2],
    /// After less before.
    pub auc_difference: Number,
    /// Probability of such a difference by chance.
    pub auc_p_value: f64,
    /// Members recognised, before and after.
    pub tpr: [RateEvidence; 2],
    /// After less before; null where the rate is not resolvable.
    pub tpr_difference: Number,
    /// Probability of such a difference by chance; null where it is not resolvable.
    pub tpr_p_value: Option<f64>,
    /// Records without a score on either side.
    pub dropped: u64,
    /// How well the models do their work, before and after.
    pub utility: [Option<Utility>; 2],
}

impl ComparisonEvidence {
    pub(crate) fn new(
        compared: &Comparison,
        contexts: [&Context; 2],
        (fpr, confidence, prior): (f64, f64, f64),
    ) -> ComparisonEvidence {
        let Comparison { auc_difference, tpr_difference, .. } = *compared;
        let resolvable = compared.tpr.iter().all(|at| at.resolvable);
        // Two questions are asked, so each has half of the error.
        let alpha = (1.0 - confidence) / 2.0;
        let sure = |p: f64, difference: Interval| match () {
            () if p >= alpha => 0,
            () if difference.value < 0.0 => -1,
            () => 1,
        };
        let area = sure(compared.auc_p_value, auc_difference);
        let rate = if resolvable { sure(compared.tpr_p_value, tpr_difference) } else { 0 };
        let found = match (area, rate) {
            (0, 0) => "undecided",
            (area, rate) if area <= 0 && rate <= 0 => "less",
            (area, rate) if area >= 0 && rate >= 0 => "more",
            _ => "undecided",
        };
        ComparisonEvidence {
            schema: COMPARISON_SCHEMA.to_owned(),
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            sentence: super::words::comparison(found, compared, fpr, resolvable),
            found: found.to_owned(),
            fpr,
            confidence,
            auc: compared.auc.map(Number::from),
            auc_difference: auc_difference.into(),
            auc_p_value: compared.auc_p_value,
            tpr: [0, 1].map(|side| RateEvidence::new(&compared.tpr[side], prior)),
            tpr_difference: if resolvable { tpr_difference.into() } else { Number::NONE },
            tpr_p_value: resolvable.then_some(compared.tpr_p_value),
            dropped: compared.dropped as u64,
            utility: contexts.map(|context| context.utility.clone()),
        }
    }

    /// The JSON, indented.
    ///
    /// # Panics
    /// Never: nothing in it can fail to be written.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data")
    }
}

impl Evidence {
    /// Schema name of version 1.
    pub const SCHEMA: &str = "allonym.exposure/1";

    /// The JSON, indented.
    ///
    /// # Panics
    /// Never: nothing in it can fail to be written.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data")
    }

    /// JSON Schema of it.
    #[must_use]
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(Evidence).to_value()
    }

    /// Reads what [`Evidence::to_json`] wrote.
    ///
    /// # Errors
    /// What is no evidence of this version.
    pub fn from_json(json: &str) -> Result<Evidence> {
        // serde's own message may quote what stands there.
        let unread = || Failure::new(NO_EVIDENCE, 3, "this is no evidence of a measured exposure");
        let hint = "it is what `allonym exposure score --format json` prints";
        let value: serde_json::Value =
            serde_json::from_str(json).map_err(|_| unread().hint(hint))?;
        if value["schema"] != Evidence::SCHEMA {
            return Err(unread().hint(hint));
        }
        serde_json::from_value(value).map_err(|_| unread().hint(hint))
    }

    /// Judges the chosen attack by limits. Undecided is not a pass.
    ///
    /// # Errors
    /// Rates outside of `[0, 1]`, no limit at all.
    pub fn gate(&self, gate: &Gate) -> Result<GateEvidence> {
        if gate.auc.is_none() && gate.tpr_at.is_empty() {
            let failure = Failure::new("ALO-U050", 2, "a gate needs a limit");
            return Err(failure.hint("as in auc = 0.6, or tpr at 0.001 of at most 0.01"));
        }
        let shares = gate.auc.iter().chain(gate.tpr_at.iter().map(|(_, limit)| limit));
        if shares.clone().any(|share| !(0.0..=1.0).contains(share)) {
            return Err(Failure::new("ALO-U050", 2, "a limit must lie between 0 and 1"));
        }
        let decision = self.decide(gate, self.method.confidence)?;
        let CurveEvidence { n_members, n_non_members, .. } = self.curve;
        let sentence = super::words::gate(decision, n_members + n_non_members);
        Ok(GateEvidence::new(decision, sentence, gate))
    }

    /// Judges as `[gates]` of a policy asks: the chosen attack, and every group of the groupings that
    /// are named there, at the error divided by their number. A grouping that the evidence does not
    /// tell of leaves the gate undecided.
    ///
    /// # Errors
    /// Those of [`Evidence::gate`].
    pub fn gate_by_policy(&self, asked: &ExposureGate) -> Result<GateEvidence> {
        let (auc, tpr_at) = match asked.metric {
            ExposureMetric::Auc => (Some(asked.max_upper), Vec::new()),
            ExposureMetric::TprAt(fpr) => (None, vec![(fpr, asked.max_upper)]),
        };
        let gate = Gate { auc, tpr_at };
        if asked.by.is_empty() {
            return self.gate(&gate);
        }
        let told = |by: &&String| {
            let rate = gate.tpr_at.first().map(|(fpr, _)| *fpr);
            self.groups.iter().any(|of| of.by == **by && Some(of.fpr) == rate)
        };
        let unknown: Vec<&String> = asked.by.iter().filter(|by| !told(by)).collect();
        let groups: Vec<(&String, &GroupEvidence)> = self
            .groups
            .iter()
            .filter(|of| asked.by.contains(&of.by))
            .flat_map(|of| of.groups.iter().map(|group| (&of.by, group)))
            .collect();
        let limits = super::words::real(groups.len() as u64 + 1);
        let each = 1.0 - (1.0 - self.method.confidence) / limits;
        let whole = self.decide(&gate, each)?;
        let mut open = None;
        for (by, group) in groups {
            let share = group.tpr.value.unwrap_or(0.0);
            let hits = super::words::whole((share * super::words::real(group.n_members)).round());
            let interval = clopper_pearson(hits, group.n_members, each);
            if interval.low > asked.max_upper {
                let sentence = format!("fail: a group of `{by}` lies above its limit");
                return Ok(GateEvidence::new(Decision::Fail, sentence, &gate));
            }
            if interval.high > asked.max_upper {
                open =
                    Some(format!("undecided: the interval of a group of `{by}` spans its limit"));
            }
        }
        let unknown = unknown
            .first()
            .map(|by| format!("undecided: the evidence tells of no groups by `{by}` at this rate"));
        if let (Decision::Pass, Some(sentence)) = (whole, unknown.or(open)) {
            let decision = Decision::Undecided { records_factor: None };
            return Ok(GateEvidence::new(decision, sentence, &gate));
        }
        let CurveEvidence { n_members, n_non_members, .. } = self.curve;
        let sentence = super::words::gate(whole, n_members + n_non_members);
        Ok(GateEvidence::new(whole, sentence, &gate))
    }

    fn decide(&self, gate: &Gate, confidence: f64) -> Result<Decision> {
        let CurveEvidence { auc, auc_standard_error, n_members, n_non_members, .. } = self.curve;
        let area = |confidence: f64| {
            auc_interval(auc, auc_standard_error, n_members.min(n_non_members), confidence)
        };
        Ok(gate.decide_by(area, &self.curve.roc()?, confidence)?)
    }
}

impl GateEvidence {
    fn new(decision: Decision, sentence: String, gate: &Gate) -> GateEvidence {
        let (word, exit, records_factor) = match decision {
            Decision::Pass => ("pass", 0, None),
            Decision::Fail => ("fail", 1, None),
            Decision::Undecided { records_factor } => ("undecided", 7, records_factor),
        };
        let limits = gate.auc.iter().map(|limit| ("auc".to_owned(), *limit));
        let limits = limits.chain(gate.tpr_at.iter().map(|(fpr, limit)| (fpr.to_string(), *limit)));
        let limits = limits.map(|(of, at_most)| Limit { of, at_most }).collect();
        GateEvidence { decision: word.to_owned(), exit, sentence, records_factor, limits }
    }
}

const COMPARISON_SCHEMA: &str = "allonym.exposure-comparison/1";
const NO_EVIDENCE: &str = "ALO-D050";

/// Gates look at rates of one in a hundred and below; this many false positives show them exactly
/// among 50,000 non-members, and the JSON stays small.
const EXACT_CORNERS: u64 = 1_000;
const THINNED_CORNERS: u64 = 200;
