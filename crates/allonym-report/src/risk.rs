//! What a measurement of linkage risk found, as it is written down and sent, and its views.

mod pages;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use pages::{risk_csv, risk_fragment, risk_html, risk_markdown, risk_text};

/// How far rows can be told apart: `allonym.risk/1`. Names of columns, counts and shares; never a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskEvidence {
    /// `allonym.risk/1`.
    pub schema: String,
    /// Name and version of the program.
    pub tool: String,
    /// When, RFC 3339.
    pub measured_at: String,
    /// What was measured, as it was named.
    pub source: String,
    /// The answer in one sentence.
    pub sentence: String,
    /// Rows.
    pub rows: u64,
    /// Confidence of every interval.
    pub confidence: f64,
    /// Columns an outsider is taken to know.
    pub quasi: Vec<QuasiEvidence>,
    /// Rows that are alike in all of them.
    pub classes: ClassesEvidence,
    /// What a class gives away of columns that nobody should learn.
    pub sensitive: Vec<SensitiveEvidence>,
    /// What follows where the rows are a sample; null where nobody said of how many.
    pub sample: Option<SampleEvidence>,
    /// Where the rows stand in a table of everybody; null without one.
    pub population: Option<PopulationEvidence>,
    /// The smallest sets of columns that single people out; null where it was not looked for.
    pub unique_sets: Option<UniqueSetsEvidence>,
    /// Attacks, beside the same on people who are not in the data.
    pub attacks: Vec<RiskAttackEvidence>,
    /// A way to reach a target; null where none was asked for.
    pub suggestion: Option<SuggestionEvidence>,
    /// Limits that were set, and whether they hold.
    pub gates: Vec<RiskGateEvidence>,
    /// What a reader must know.
    pub warnings: Vec<String>,
    /// What this does not prove.
    pub limits: Vec<String>,
}

impl RiskEvidence {
    /// Schema name of version 1.
    pub const SCHEMA: &'static str = "allonym.risk/1";

    /// JSON Schema of the evidence.
    #[must_use]
    pub fn json_schema() -> Value {
        schemars::schema_for!(RiskEvidence).to_value()
    }

    /// The JSON, with a final newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self)
            .expect("evidence holds only strings, finite numbers and lists");
        json.push('\n');
        json
    }

    /// Exit code of the gates: 1 where a limit is broken, 7 where the evidence does not decide, else 0.
    #[must_use]
    pub fn exit(&self) -> u8 {
        let any = |wanted| self.gates.iter().any(|gate| gate.decision == wanted);
        match (any(GateDecision::Fail), any(GateDecision::Undecided)) {
            (true, _) => 1,
            (false, true) => 7,
            (false, false) => 0,
        }
    }
}

/// An estimate with its interval; null where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Estimate {
    /// The estimate.
    pub value: Option<f64>,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// One column that an outsider is taken to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuasiEvidence {
    /// Its name.
    pub name: String,
    /// `numbers`, `text`, `dates`, `timestamps` or `truth values`.
    pub kind: String,
    /// Distinct values, null among them.
    pub distinct: u64,
    /// Rows without a value; nulls are alike.
    pub nulls: u64,
    /// Rows that are alone by this column.
    pub uniques_alone: u64,
    /// Rows that would be alone without it.
    pub uniques_without: Option<u64>,
}

/// Rows that are alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassesEvidence {
    /// Classes.
    pub count: u64,
    /// Rows of the smallest: k-anonymity.
    pub k: u64,
    /// Rows that are alone.
    pub uniques: u64,
    /// Their share.
    pub unique_share: f64,
    /// The chance of a right guess for a row of the smallest class, `1 / k`.
    pub highest_risk: f64,
    /// The mean chance over all rows: classes of rows.
    pub average_risk: f64,
    /// Classes by their size.
    pub sizes: Vec<SizeEvidence>,
}

/// Classes of some sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SizeEvidence {
    /// Smallest size.
    pub from: u64,
    /// Largest size; null without end.
    pub to: Option<u64>,
    /// Classes.
    pub classes: u64,
    /// Rows in them.
    pub rows: u64,
}

/// What classes give away of one column: the worst class counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SensitiveEvidence {
    /// Its name.
    pub name: String,
    /// `numbers`, `text`, `dates`, `timestamps` or `truth values`.
    pub kind: String,
    /// Distinct values, null among them.
    pub distinct: u64,
    /// Least number of distinct values in a class.
    pub distinct_l: u64,
    /// Exponential of the least entropy of a class.
    pub entropy_l: f64,
    /// With `l = distinct_l`: recursive (c, l)-diversity holds for every `c` above; null where `l` is 1.
    pub recursive_c: Option<f64>,
    /// t-closeness with all values equally far apart.
    pub t_equal: f64,
    /// t-closeness with values in their order; null for columns without one.
    pub t_ordered: Option<f64>,
    /// Largest share of one value in a class: (alpha, k)-anonymity.
    pub alpha: f64,
    /// Largest relative gain: basic beta-likeness.
    pub beta: f64,
    /// Enhanced beta-likeness.
    pub enhanced_beta: f64,
    /// delta-disclosure.
    pub delta: f64,
    /// Rows in classes of one value: whoever is known to be in one is given away.
    pub certain_rows: u64,
}

/// What follows where the rows are a random sample of a population.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleEvidence {
    /// People in the population.
    pub population: u64,
    /// Part of it that is in the data.
    pub fraction: f64,
    /// Chance that the match of a single row is right (Skinner and Elliot, 2002).
    pub right_matches: Estimate,
    /// Single rows that are alone in the population, by Pitman's law (Hoshino, 2001).
    pub population_uniques: Estimate,
    /// The same as a share of all rows.
    pub population_unique_share: Estimate,
    /// Expected share of right guesses over all rows (Benedetti and Franconi, 1998).
    pub expected_hits: f64,
    /// People who are like a single row: k of a k-map, as it is likely to be.
    pub likely_k: Estimate,
}

/// Where the rows stand in a table of everybody.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PopulationEvidence {
    /// People.
    pub people: u64,
    /// k of the k-map: people in the smallest class that a row is in.
    pub k: Option<u64>,
    /// Rows that only one person is like.
    pub rows_of_one: u64,
    /// Rows that nobody is like.
    pub rows_absent: u64,
    /// Rows in classes with more rows than people.
    pub rows_over: u64,
    /// Expected share of right guesses, of the rows that somebody is like.
    pub expected_hits: f64,
    /// delta-presence: least share of a class of the population that is in the data.
    pub presence_low: f64,
    /// delta-presence: largest.
    pub presence_high: f64,
}

/// The smallest sets of columns that single people out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UniqueSetsEvidence {
    /// Share of rows from which a set counts.
    pub share: f64,
    /// The sets, smallest first.
    pub sets: Vec<UniqueSetEvidence>,
    /// Sets that were measured.
    pub measured: u64,
    /// Sets of up to so many columns were all looked at.
    pub complete_to: u64,
}

/// One set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UniqueSetEvidence {
    /// Its columns.
    pub columns: Vec<String>,
    /// Rows that are alone by them.
    pub uniques: u64,
    /// Their share.
    pub share: f64,
}

/// One attack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskAttackEvidence {
    /// `single_out`, `link` or `infer`.
    pub attack: String,
    /// What the attacker knows; for `link`, of one source.
    pub known: Vec<String>,
    /// What the attacker knows of the other source.
    pub other: Vec<String>,
    /// The column that is guessed.
    pub secret: Option<String>,
    /// Attempts on the original.
    pub attempts: u64,
    /// Share that was right, on the original.
    pub success: Estimate,
    /// Share that was right, on the control.
    pub control: Estimate,
    /// Share that was right without the released rows.
    pub baseline: Estimate,
    /// What the table adds: (success - control) / (1 - control), not below 0.
    pub risk: Estimate,
}

/// A way to reach a target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuggestionEvidence {
    /// The k that was asked for.
    pub target_k: u64,
    /// Whether a way was found.
    pub reached: bool,
    /// Rows of the smallest class then.
    pub k: u64,
    /// Rows that have to be left out.
    pub rows_left_out: u64,
    /// Share of the information that goes.
    pub loss: f64,
    /// What happens to each column.
    pub columns: Vec<SuggestedColumn>,
    /// The same as a part of a policy.
    pub policy: String,
    /// Ways that were looked at.
    pub looked_at: u64,
}

/// What happens to one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuggestedColumn {
    /// Its name.
    pub name: String,
    /// In words of a policy: `keep`, `drop`, `to = "month"`, `step = 10`, `prefix = 2`.
    pub change: String,
    /// Share of its entropy that goes.
    pub loss: f64,
}

/// One limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskGateEvidence {
    /// What is limited: `min_k`, `max_unique`, `min_l`, `max_t`, `max_population_unique`, `max_attack`.
    pub gate: String,
    /// The column or attack, where it is of one.
    pub of: Option<String>,
    /// The limit.
    pub limit: f64,
    /// What was found.
    pub found: Estimate,
    /// Whether it holds.
    pub decision: GateDecision,
}

/// Whether a limit holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateDecision {
    /// The whole interval lies on the right side.
    Pass,
    /// The whole interval lies on the wrong side.
    Fail,
    /// The interval spans the limit, or there is no number.
    Undecided,
}

impl GateDecision {
    /// In a word, for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            GateDecision::Pass => "holds",
            GateDecision::Fail => "broken",
            GateDecision::Undecided => "undecided",
        }
    }
}
