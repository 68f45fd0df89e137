//! The fixed set of attacks that a verdict looks at.

use crate::gaussian::{Lira, LiraMode, TLira, Variance, offset};
use crate::rmia::{Population, Rmia};
use crate::scores::{AttackError, Mode, Scores};
use crate::signals::{References, Series};
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
}

impl Signals<'_> {
    /// Scores the target by every attack of the set, by name; the names depend on nothing but
    /// whether there is a population.
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
