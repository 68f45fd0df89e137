//! The fixed set of attacks that a verdict looks at.

use crate::gaussian::{Lira, LiraMode, TLira, Variance, offset};
use crate::qmia::qmia;
use crate::rmia::{Population, Rmia};
use crate::scores::{AttackError, Flags, Mode, Scores, same_length};
use crate::signals::{Matrix, References, Series};
use crate::single::{loss, population};
use crate::verdict::Candidate;

/// Signals of a target and its references: what all attacks of the set need.
#[derive(Clone, Copy, Debug)]
pub struct Signals<'a> {
    /// The target's confidence in the true class.
    pub conf: Series<'a>,
    /// The target's logit of it.
    pub logit: Series<'a>,
    /// The references' confidences.
    pub conf_references: References<'a>,
    /// The references' logits.
    pub logit_references: References<'a>,
    /// Confidences in records that no model was trained on.
    pub population: Option<Population<'a>>,
    /// Logits are kept within this for the attacks that fit laws: [`crate::ensemble_limit`].
    pub logit_limit: Option<f64>,
    /// What more is known of the target alone.
    pub looks: Looks<'a>,
}

/// What attacks that need no references look at, beyond the target's confidences. What is not there
/// leaves its attack out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looks<'a> {
    /// A8: [`crate::gap`] of each record.
    pub gap: Option<Series<'a>>,
    /// A8: [`crate::modified_entropy`] of each record.
    pub entropy: Option<Series<'a>>,
    /// A7: what the records look like.
    pub features: Option<Features<'a>>,
}

/// What records look like, for [`crate::qmia`]: features in the place of references.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    /// Of the records.
    pub records: Matrix<'a>,
    /// Of the population.
    pub population: Matrix<'a>,
    /// The target's logits of the population.
    pub population_logit: Series<'a>,
    /// Rate of false alarms that the quantile is of.
    pub fpr: f64,
}

impl Looks<'_> {
    /// Scores the target by those of the attacks that something is known for. A population that is
    /// too small for the quantile leaves quantile regression out.
    ///
    /// # Errors
    /// What any of the attacks or `each` refuses.
    pub fn score_each<E: From<AttackError>>(
        &self,
        logit: Series<'_>,
        mut each: impl FnMut(&str, Scores) -> Result<(), E>,
    ) -> Result<(), E> {
        for (name, series) in [("gap", self.gap), ("modified entropy", self.entropy)] {
            let Some(series) = series else { continue };
            same_length("the signals of one attack", series.len(), logit.len())?;
            let scores = Scores::from_each(series.len(), |record| match series.at(record) {
                score if score.is_finite() => (score, Flags::default()),
                _ => (f64::NAN, Flags::NOT_FINITE),
            });
            each(name, scores)?;
        }
        if let Some(Features { records, population, population_logit, fpr }) = &self.features {
            match qmia(logit, records, *population_logit, population, *fpr) {
                Ok(scores) => each("quantile regression", scores)?,
                Err(AttackError::TooFew { .. }) => {}
                Err(refused) => return Err(refused.into()),
            }
        }
        Ok(())
    }
}

impl Signals<'_> {
    /// Scores the target by every attack of the set, by name; the names depend on nothing but
    /// whether there is a population and what more is known of the target.
    ///
    /// RMIA counts by its ratio, which ranks without ties.
    ///
    /// # Errors
    /// What any of the attacks refuses.
    pub fn score_all(&self) -> Result<Vec<(String, Scores)>, AttackError> {
        let mut all = Vec::new();
        self.score_each(|name, scores| {
            all.push((name.to_owned(), scores));
            Ok::<(), AttackError>(())
        })?;
        Ok(all)
    }

    /// As [`Signals::score_all`], one attack at a time, so that the scores of only one need to be
    /// in memory.
    ///
    /// # Errors
    /// What any of the attacks or `each` refuses.
    pub fn score_each<E: From<AttackError>>(
        &self,
        mut each: impl FnMut(&str, Scores) -> Result<(), E>,
    ) -> Result<(), E> {
        each("loss", loss(self.conf)?)?;
        self.looks.score_each(self.logit, &mut each)?;
        for mode in [Mode::Online, Mode::Offline] {
            let word = if mode == Mode::Online { "online" } else { "offline" };
            let scores = offset(self.logit, &self.logit_references, mode)?;
            each(&format!("offset {word}"), scores)?;
            for (variance, spread) in
                [(Variance::PerRecord, "own variance"), (Variance::Fixed, "fixed variance")]
            {
                let mode = if mode == Mode::Online { LiraMode::Online } else { LiraMode::Offline };
                let logit_limit = self.logit_limit;
                let lira = Lira { mode, variance, logit_limit, ..Lira::default() };
                let scores = lira.score(self.logit, &self.logit_references)?;
                each(&format!("LiRA {word}, {spread}"), scores)?;
            }
            let scores = TLira { mode, ..TLira::default() };
            let scores = scores.score(self.logit, &self.logit_references)?;
            each(&format!("t-LiRA {word}"), scores)?;
        }
        if let Some(others) = &self.population {
            each("population", population(self.conf, others.target, None)?)?;
            let rmia = |rmia: Rmia| rmia.score(self.conf, &self.conf_references, others);
            each("RMIA online", rmia(Rmia::default())?.ratio)?;
            for a in RMIA_OFFLINE_GRID {
                let scores = rmia(Rmia { mode: Mode::Offline, a, ..Rmia::default() })?.ratio;
                each(&format!("RMIA offline, a = {a}"), scores)?;
            }
        }
        Ok(())
    }
}

/// Pairs the attacks' scores of a left-out reference with those of the target, for
/// [`crate::verdict()`]. Attacks that only one of them has are left out.
#[must_use]
pub fn candidates(
    left_out: Vec<(String, Scores)>,
    target: Vec<(String, Scores)>,
) -> Vec<Candidate> {
    let mut left_out: Vec<_> =
        left_out.into_iter().map(|(name, scores)| (name, Some(scores))).collect();
    let pair = |(name, target): (String, Scores)| {
        let same = left_out.iter_mut().find(|(other, _)| *other == name)?;
        Some(Candidate { name, left_out: same.1.take()?, target })
    };
    target.into_iter().filter_map(pair).collect()
}

/// The values of `a` that arXiv 2312.03262 tunes among.
const RMIA_OFFLINE_GRID: [f64; 4] = [0.0, 0.3, 0.7, 1.0];
