//! `[gates]`: limits that what is measured of the data, and of models trained on it, must keep.

use super::PolicyError;
use super::read::Section;
use super::retention::missing;
use super::schema::{name_list, share, table};
use super::write::{Lines, always};
use serde_json::{Map, Value, json};
use toml_edit::{Array, InlineTable};

/// `[gates]` of a policy. What is left out does not limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gates {
    /// Least rows that are alike in what outsiders know.
    pub min_k: Option<u64>,
    /// Largest share of rows that are alone.
    pub max_unique_rows: Option<f64>,
    /// Least distinct values of a sensitive column among rows that are alike.
    pub min_l: Option<u64>,
    /// Largest t-closeness.
    pub max_t: Option<f64>,
    /// Largest share of rows that are alone in the population.
    pub max_population_unique: Option<f64>,
    /// Largest risk of an attack on the table.
    pub max_attack: Option<f64>,
    /// What a model trained on the data may give away.
    pub exposure: Option<ExposureGate>,
}

/// What a model may give away about who was in its training data.
#[derive(Clone, Debug, PartialEq)]
pub struct ExposureGate {
    /// What is limited.
    pub metric: ExposureMetric,
    /// What the upper end of its interval may be.
    pub max_upper: f64,
    /// Groupings, each group of which must keep the limit too.
    pub by: Vec<String>,
}

/// What of a model's exposure is limited.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ExposureMetric {
    /// Area under the curve.
    Auc,
    /// Share of members recognised at this rate of false alarms.
    TprAt(f64),
}

impl Gates {
    pub(super) fn read(table: &Section<'_>) -> Result<Gates, PolicyError> {
        table.known(&KEYS)?;
        let least = |key: &str| -> Result<Option<u64>, PolicyError> {
            Ok(table.integer(key, 1, LEAST_MAX)?.and_then(|n| u64::try_from(n).ok()))
        };
        Ok(Gates {
            min_k: least("min_k")?,
            max_unique_rows: table.share("max_unique_rows")?,
            min_l: least("min_l")?,
            max_t: table.share("max_t")?,
            max_population_unique: table.share("max_population_unique")?,
            max_attack: table.share("max_attack")?,
            exposure: table
                .section("exposure")?
                .map(|gate| ExposureGate::read(&gate))
                .transpose()?,
        })
    }

    pub(super) fn canonical(&self) -> Value {
        let mut canonical = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            canonical.extend(value.map(|value| (key.to_owned(), value)));
        };
        put("min_k", self.min_k.map(|k| json!(k)));
        put("min_l", self.min_l.map(|l| json!(l)));
        for (key, limit) in self.shares() {
            put(key, limit.map(|limit| json!(limit)));
        }
        put("exposure", self.exposure.as_ref().map(ExposureGate::canonical));
        Value::Object(canonical)
    }

    pub(super) fn write(&self, out: &mut String) {
        let mut lines = Lines::default();
        let whole = |n: u64| i64::try_from(n).unwrap_or(LEAST_MAX);
        for (key, least) in [("min_k", self.min_k), ("min_l", self.min_l)] {
            if let Some(least) = least {
                lines.put(key, whole(least));
            }
        }
        for (key, limit) in self.shares() {
            if let Some(limit) = limit {
                lines.put(key, limit);
            }
        }
        if let Some(gate) = &self.exposure {
            let mut told = InlineTable::new();
            told.insert("metric", gate.metric.word().into());
            told.insert("max_upper", gate.max_upper.into());
            if !gate.by.is_empty() {
                told.insert("by", gate.by.iter().collect::<Array>().into());
            }
            lines.put("exposure", told);
        }
        always(out, "[gates]", &lines);
    }

    pub(super) fn schema() -> Value {
        let least = |description: &str| json!({"description": description, "type": "integer", "minimum": 1, "maximum": LEAST_MAX});
        let mut exposure = table(&json!({
            "metric": {
                "description": "The area under the curve, or members recognised at a rate of false alarms.",
                "type": "string",
                "pattern": "^(auc|tpr@fpr=0?\\.[0-9]+)$",
                "default": "auc",
            },
            "max_upper": share("What the upper end of its interval may be."),
            "by": name_list("Groupings, each group of which must keep the limit too."),
        }));
        exposure["description"] = json!("What a model trained on the data may give away.");
        exposure["required"] = json!(["max_upper"]);
        let mut told = table(&json!({
            "min_k": least("Least rows that are alike in what outsiders know."),
            "max_unique_rows": share("Largest share of rows that are alone."),
            "min_l": least("Least distinct values of a sensitive column among rows that are alike."),
            "max_t": share("Largest t-closeness of a sensitive column."),
            "max_population_unique": share("Largest share of rows that are alone in the population."),
            "max_attack": share("Largest risk of an attack on the table."),
            "exposure": exposure,
        }));
        told["description"] = json!("Limits that measurements must keep.");
        told
    }

    fn shares(&self) -> [(&'static str, Option<f64>); 4] {
        [
            ("max_unique_rows", self.max_unique_rows),
            ("max_t", self.max_t),
            ("max_population_unique", self.max_population_unique),
            ("max_attack", self.max_attack),
        ]
    }
}

impl ExposureGate {
    fn read(table: &Section<'_>) -> Result<ExposureGate, PolicyError> {
        table.known(&["metric", "max_upper", "by"])?;
        let metric = match table.text("metric")? {
            None => ExposureMetric::Auc,
            Some(word) => ExposureMetric::of_word(&word).ok_or_else(|| {
                let mut error = table.wrong(
                    table.at_of("metric"),
                    format!("{} is \"auc\" or \"tpr@fpr=RATE\"", table.named("metric")),
                );
                error.hint = Some("as in metric = \"tpr@fpr=0.001\"".to_owned());
                error
            })?,
        };
        let Some(max_upper) = table.share("max_upper")? else {
            return Err(missing(table, "max_upper"));
        };
        if metric == ExposureMetric::Auc && table.inner.contains_key("by") {
            let mut error = table
                .wrong(table.key_at("by"), "`by` goes with a rate: groups are judged by theirs");
            error.hint = Some("as in metric = \"tpr@fpr=0.01\"".to_owned());
            return Err(error);
        }
        let mut by = Vec::new();
        for (name, at) in table.texts("by")? {
            if name.trim().is_empty() || by.contains(&name) {
                return Err(table.wrong(at, "a grouping is empty or listed twice"));
            }
            by.push(name);
        }
        Ok(ExposureGate { metric, max_upper, by })
    }

    fn canonical(&self) -> Value {
        json!({"metric": self.metric.word(), "max_upper": self.max_upper, "by": self.by})
    }
}

impl ExposureMetric {
    fn of_word(word: &str) -> Option<ExposureMetric> {
        if word == "auc" {
            return Some(ExposureMetric::Auc);
        }
        let rate: f64 = word.strip_prefix("tpr@fpr=")?.parse().ok()?;
        (rate > 0.0 && rate < 1.0).then_some(ExposureMetric::TprAt(rate))
    }

    /// As the policy writes it.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            ExposureMetric::Auc => "auc".to_owned(),
            ExposureMetric::TprAt(rate) => format!("tpr@fpr={rate}"),
        }
    }
}

const KEYS: [&str; 7] = [
    "min_k",
    "max_unique_rows",
    "min_l",
    "max_t",
    "max_population_unique",
    "max_attack",
    "exposure",
];
const LEAST_MAX: i64 = 1_000_000_000;
