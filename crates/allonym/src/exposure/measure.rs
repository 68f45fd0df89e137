//! From the signals of a target and its references to evidence.

use super::evidence::{
    AttackEvidence, ComparisonEvidence, Context, CurveEvidence, EpsilonEvidence, Evidence,
    GroupEvidence, GroupsEvidence, Method, RateEvidence, RecordEvidence, RecordsEvidence, Told,
};
use super::words;
use crate::{Cancel, Failure, Result};
use allonym_exposure::{
    AttackError, Features, Finding, Flags, Looks, Matrix, Population, RecordOptions, References,
    Roc, Scores, Series, Signals, Trials, by_subject, compare, groups, loss, one_run_audit,
    population, records, threshold_epsilon, worst,
};
use std::collections::BTreeMap;

/// What the target and its references say of every record: matrices of models x records.
#[derive(Clone, Copy, Debug)]
pub struct Models<'a> {
    /// Confidences in the true class.
    pub conf: Matrix<'a>,
    /// Logits of it.
    pub logit: Matrix<'a>,
    /// Which model was trained on which record.
    pub members: Matrix<'a>,
    /// Confidences in records that no model was trained on.
    pub population: Option<Matrix<'a>>,
    /// Whether the model is right: 1 or 0 ([`allonym_exposure::gap`]).
    pub gap: Option<Matrix<'a>>,
    /// Modified entropy of what the model says ([`allonym_exposure::modified_entropy`]).
    pub entropy: Option<Matrix<'a>>,
    /// What records look like, features x records, and the population, features x population.
    pub features: Option<(Matrix<'a>, Matrix<'a>)>,
    /// Which of the models is the target; all others are references.
    pub target: usize,
}

/// How a measurement is made.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasureOptions {
    /// False-positive rate that the attack is chosen by and the verdict speaks of.
    pub fpr: f64,
    /// Of all intervals.
    pub confidence: f64,
    /// Declared share of members among those an attacker tests.
    pub prior: f64,
    /// Logits are kept within this for attacks that fit laws.
    pub logit_limit: Option<f64>,
    /// Whose each record is; a unit of the intervals is then a person.
    pub subjects: Option<Vec<u64>>,
    /// What the intervals are of, in words: records, people.
    pub unit: String,
    /// Whether fair, independent coins decided which records the target was trained on.
    pub coins: bool,
    /// Rows of the training data by record, where positions are not rows.
    pub rows: Option<Vec<u64>>,
    /// How many of the most exposed members are named.
    pub worst_records: usize,
    /// Delta of the epsilon bounds.
    pub delta: f64,
    /// Which half of the records chooses the indicative epsilon's threshold.
    pub seed: u64,
}

impl Default for MeasureOptions {
    fn default() -> MeasureOptions {
        MeasureOptions {
            fpr: 0.01,
            confidence: 0.95,
            prior: 0.5,
            logit_limit: None,
            subjects: None,
            unit: "records".to_owned(),
            coins: false,
            rows: None,
            worst_records: 50,
            delta: 1e-5,
            seed: 0,
        }
    }
}

/// A measurement: the evidence, and what further questions are asked of.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What was found.
    pub evidence: Evidence,
    /// The chosen attack's score of each record.
    pub scores: Scores,
    /// Who was a member of the target.
    pub members: Vec<bool>,
    options: MeasureOptions,
}

impl Measured {
    /// The chosen attack's curve, of people where there are subjects.
    ///
    /// # Errors
    /// As the measurement itself.
    pub fn roc(&self) -> Result<Roc> {
        curve(&self.scores, &self.members, &self.options)
    }

    /// Compares groups of records, and keeps the answer in the evidence under the name of what they
    /// were grouped by. `of` gives each record's group as a position in `names`; a record of none
    /// has a position beyond them.
    ///
    /// # Errors
    /// Groups that are not as many as the records.
    pub fn by(&mut self, by: &str, of: &[u32], names: &[String]) -> Result<GroupsEvidence> {
        let MeasureOptions { fpr, confidence, .. } = self.options;
        if of.len() != self.members.len() {
            let (found, expected) = (of.len(), self.members.len());
            return Err(AttackError::Length { what: "the groups", found, expected }.into());
        }
        let all = groups(&self.scores.values, &self.members, of, fpr, CELL_MIN, confidence)?;
        let named = |group: u32| usize::try_from(group).ok().and_then(|at| names.get(at));
        let mut told: Vec<GroupEvidence> = all
            .iter()
            .filter_map(|group| {
                let cells = group.cells?;
                Some(GroupEvidence {
                    name: named(group.group)?.clone(),
                    n_members: cells.n_members,
                    n_non_members: cells.n_non_members,
                    auc: cells.auc.into(),
                    tpr: cells.tpr.into(),
                    tpr_rest: cells.tpr_rest.into(),
                    p_corrected: cells.p_corrected,
                })
            })
            .collect();
        let suppressed = all.iter().filter(|group| group.cells.is_none()).count() as u64;
        let rate = |group: &GroupEvidence| group.tpr.value.unwrap_or(0.0);
        told.sort_by(|left, right| {
            rate(right).total_cmp(&rate(left)).then_with(|| left.name.cmp(&right.name))
        });
        let found =
            GroupsEvidence { by: by.to_owned(), cell_min: CELL_MIN, fpr, groups: told, suppressed };
        self.evidence.groups.retain(|known| known.by != by);
        self.evidence.groups.push(found.clone());
        Ok(found)
    }
}

/// Compares two measurements of the same records, each by its own chosen attack.
///
/// # Errors
/// Measurements of other records or other members.
pub fn compare_measured(before: &Measured, after: &Measured) -> Result<ComparisonEvidence> {
    let same = |one: &MeasureOptions, other: &MeasureOptions| {
        one.subjects == other.subjects && one.rows == other.rows && one.seed == other.seed
    };
    if before.members != after.members || !same(&before.options, &after.options) {
        let message = "the two measurements are not of the same records with the same members";
        return Err(Failure::new("ALO-D006", 3, message)
            .hint("measure both with the same data, seed and references"));
    }
    let MeasureOptions { fpr, confidence, prior, .. } = before.options;
    let (first, members) = units(&before.scores, &before.members, &before.options)?;
    let (second, _) = units(&after.scores, &after.members, &after.options)?;
    let compared = compare(&first, &second, &members, fpr, confidence)?;
    let contexts = [&before.evidence.context, &after.evidence.context];
    Ok(ComparisonEvidence::new(&compared, contexts, (fpr, confidence, prior)))
}

/// Measures what the target gives away.
///
/// With references an attack is chosen on some of them, each left out and taken as the target, and
/// evaluated once on the target. Where there are too few for that, RMIA (or, without a population,
/// t-LiRA) is taken, as was decided before anything was seen. Without any reference only attacks
/// are run that need none; what they find is a lower bound.
///
/// # Errors
/// Signals that do not fit, rates outside of their range, nobody on one side, files that cannot be
/// read, `cancel`.
pub fn measure(
    models: &Models<'_>,
    context: Context,
    options: &MeasureOptions,
    cancel: &Cancel,
) -> Result<Measured> {
    for (what, rate) in [
        ("the false-positive rate", options.fpr),
        ("the confidence", options.confidence),
        ("the prior", options.prior),
    ] {
        if !(rate > 0.0 && rate < 1.0) {
            return Err(AttackError::Parameter { what, expected: "between 0 and 1" }.into());
        }
    }
    models.check()?;
    let all: Vec<usize> = (0..models.conf.references()).filter(|at| *at != models.target).collect();
    let target = View::new(models, models.target, &[])?;
    let (choice, left_out) = choose(models, &target, &all, options, cancel)?;
    let mut found = Found::new(&target.members, options, choice);
    target.score_each(options, |name, scores| {
        cancel.check()?;
        found.add(name, scores)
    })?;
    if !all.is_empty() && !found.used_references {
        let message = "no attack with references could score members and non-members: the \
                       references' signals are not finite, or their masks leave one side out";
        return Err(Failure::new("ALO-D006", 3, message));
    }
    let (attacks, scores, chosen) = found.finish()?;
    let roc = curve(&scores, &target.members, options)?;
    let records = record_evidence(models, &target, options, cancel)?;
    let epsilon = epsilon(&scores, &target.members, options)?;
    let members = target.members.iter().filter(|member| **member).count() as u64;
    let method = Method {
        references: all.len() as u64,
        records: target.members.len() as u64,
        members,
        unit: options.unit.clone(),
        population: models.population.map_or(0, |others| others.records() as u64),
        left_out,
        confidence: options.confidence,
        fpr: options.fpr,
        prior: options.prior,
        logit_limit: options.logit_limit,
    };
    let mut told = told(&roc, &chosen, &method, &context, options)?;
    let ran = |name: &str| attacks.iter().any(|attack| attack.name == name);
    told.not_tested.extend(words::left_out(&ALONE, ran));
    let evidence = Evidence {
        schema: Evidence::SCHEMA.to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        context,
        told,
        attacks,
        curve: CurveEvidence::new(&roc),
        records,
        groups: Vec::new(),
        epsilon,
        method,
    };
    Ok(Measured { evidence, scores, members: target.members, options: options.clone() })
}

impl<'a> Models<'a> {
    fn check(&self) -> Result<()> {
        let (models, records) = (self.conf.references(), self.conf.records());
        let shape = |what: &str, matrix: &Matrix<'_>| {
            let found = (matrix.references(), matrix.records());
            if found == (models, records) {
                return Ok(());
            }
            let message = format!(
                "`{what}` is of {} models x {} records, `conf` of {models} x {records}",
                found.0, found.1
            );
            Err(Failure::new("ALO-D006", 3, message))
        };
        shape("logit", &self.logit)?;
        shape("members", &self.members)?;
        for (what, matrix) in [("gap", &self.gap), ("entropy", &self.entropy)] {
            matrix.as_ref().map_or(Ok(()), |matrix| shape(what, matrix))?;
        }
        if let Some(others) = self.population.filter(|others| others.references() != models) {
            let found = others.references();
            let message = format!("the population has signals of {found} models, not of {models}");
            return Err(Failure::new("ALO-D006", 3, message));
        }
        if self.target >= models {
            let message = format!("there is no model {}; there are {models}, from 0", self.target);
            return Err(Failure::new("ALO-U050", 2, message));
        }
        Ok(())
    }

    fn mask(&self, model: usize) -> Result<Vec<bool>> {
        Ok(self.members.reference(model)?.iter().map(|member| *member != 0.0).collect())
    }
}

/// One model as the target, seen by some of the others.
struct View<'a> {
    conf: Vec<f64>,
    logit: Vec<f64>,
    population: Option<Vec<f64>>,
    gap: Option<Vec<f64>>,
    entropy: Option<Vec<f64>>,
    /// Features of records and population, and the model's logits of the latter.
    features: Option<(Matrix<'a>, Matrix<'a>, Vec<f64>)>,
    members: Vec<bool>,
    /// None where there are no other models.
    references: Option<(References<'a>, References<'a>, Option<Matrix<'a>>)>,
}

impl<'a> View<'a> {
    /// `model` as the target; neither the true target nor the models of `without` are references.
    fn new(models: &Models<'a>, model: usize, without: &[usize]) -> Result<View<'a>> {
        let mut left: Vec<usize> = [&[model, models.target], without].concat();
        left.sort_unstable();
        left.dedup();
        let others = |matrix: Matrix<'a>| {
            left.iter().try_fold(matrix, |matrix, &model| matrix.without(model)).ok_or_else(|| {
                Failure::new("ALO-X005", 5, "internal error; too many models are left out")
            })
        };
        let references = if models.conf.references() > left.len() {
            let members = others(models.members)?;
            Some((
                References::new(others(models.conf)?, members)?,
                References::new(others(models.logit)?, members)?,
                models.population.map(others).transpose()?,
            ))
        } else {
            None
        };
        let row = |matrix: Option<Matrix<'a>>| matrix.map(|all| all.reference(model)).transpose();
        let population_logit = row(models.population.map(Matrix::as_logits))?;
        let features = models.features.zip(population_logit);
        Ok(View {
            conf: models.conf.reference(model)?,
            logit: models.logit.reference(model)?,
            population: row(models.population)?,
            gap: row(models.gap)?,
            entropy: row(models.entropy)?,
            features: features.map(|((records, others), logit)| (records, others, logit)),
            members: models.mask(model)?,
            references,
        })
    }

    fn score_each(
        &self,
        options: &MeasureOptions,
        mut each: impl FnMut(&str, Scores) -> Result<()>,
    ) -> Result<()> {
        let looks = Looks {
            gap: self.gap.as_deref().map(Series::F64),
            entropy: self.entropy.as_deref().map(Series::F64),
            features: self.features.as_ref().map(|(records, population, logit)| Features {
                records: *records,
                population: *population,
                population_logit: Series::F64(logit),
                fpr: options.fpr,
            }),
        };
        let Some((conf_references, logit_references, others)) = self.references else {
            each("loss", loss(&self.conf)?)?;
            looks.score_each(Series::from(&self.logit), &mut each)?;
            if let Some(others) = &self.population {
                each("population", population(&self.conf, others, None)?)?;
            }
            return Ok(());
        };
        let population = self.population.as_deref().zip(others);
        let signals = Signals {
            conf: Series::from(&self.conf),
            logit: Series::from(&self.logit),
            conf_references,
            logit_references,
            population: population
                .map(|(target, references)| Population { target: Series::F64(target), references }),
            logit_limit: options.logit_limit,
            looks,
        };
        signals.score_each(each)
    }
}

/// Which attack is used.
enum Choice {
    /// Chosen on left-out references, of so many attacks.
    Tried { name: String, of: usize },
    /// Decided beforehand.
    Fixed(&'static str),
}

/// Tries all attacks on some references, and says on how many.
fn choose(
    models: &Models<'_>,
    target: &View<'_>,
    references: &[usize],
    options: &MeasureOptions,
    cancel: &Cancel,
) -> Result<(Choice, u64)> {
    let fixed = match (&target.references, &target.population) {
        (None, Some(_)) => "population",
        (None, None) => "loss",
        (Some(_), Some(_)) => "RMIA online",
        (Some(_), None) => "t-LiRA online",
    };
    // The left-out one leaves, and two must stay.
    if references.len() < 3 {
        return Ok((Choice::Fixed(fixed), 0));
    }
    let small = target.members.len().saturating_mul(references.len()) < SMALL_AUDIT;
    let most = if small { LEFT_OUT_MAX } else { LEFT_OUT_LARGE };
    let stride = references.len().div_ceil(most).max(1);
    let mut trials = Trials::default();
    let mut tried = 0;
    for &model in references.iter().step_by(stride) {
        cancel.check()?;
        // A mask's complement would tell by the count of its sides who was in.
        let complement = complement(models, model, references)?;
        let without: Vec<usize> = complement.filter(|_| references.len() > 3).into_iter().collect();
        let view = View::new(models, model, &without)?;
        tried += 1;
        view.score_each(options, |name, scores| {
            cancel.check()?;
            // A reference that an attack cannot be judged on says nothing for or against it.
            if !has_both_sides(&scores, &view.members) {
                return Ok(());
            }
            Ok(trials.add(name, &curve(&scores, &view.members, options)?, options.fpr)?)
        })?;
    }
    let names: Vec<String> = trials.names().map(str::to_owned).collect();
    let choice = match trials.best() {
        Some(best) => Choice::Tried { name: names[best].clone(), of: names.len() },
        None => Choice::Fixed(fixed),
    };
    Ok((choice, tried))
}

/// The reference that was trained on exactly the records that `model` was not, judged by the first
/// few thousand.
fn complement(models: &Models<'_>, model: usize, references: &[usize]) -> Result<Option<usize>> {
    let mask = models.mask(model)?;
    for &other in references.iter().filter(|other| **other != model) {
        let opposite = models.mask(other)?;
        if mask.iter().zip(&opposite).take(COMPLEMENT_RECORDS).all(|(one, two)| one != two) {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// What the attacks find in the target, one after the other.
struct Found<'a> {
    members: &'a [bool],
    options: &'a MeasureOptions,
    choice: Choice,
    attacks: Vec<(Finding, Roc, BTreeMap<String, u64>)>,
    chosen: Option<Scores>,
    /// Whether an attack that needs references scored both sides.
    used_references: bool,
}

impl<'a> Found<'a> {
    fn new(members: &'a [bool], options: &'a MeasureOptions, choice: Choice) -> Found<'a> {
        let (attacks, chosen, used_references) = (Vec::new(), None, false);
        Found { members, options, choice, attacks, chosen, used_references }
    }

    fn name(&self) -> &str {
        match &self.choice {
            Choice::Tried { name, .. } => name,
            Choice::Fixed(name) => name,
        }
    }

    fn add(&mut self, name: &str, scores: Scores) -> Result<()> {
        // Masks may leave one attack without members or non-members to score; others go on.
        if name != self.name() && !has_both_sides(&scores, self.members) {
            return Ok(());
        }
        self.used_references |= !ALONE.contains(&name);
        let roc = curve(&scores, self.members, self.options)?;
        let finding = Finding::new(name, &roc, self.options.fpr, self.options.confidence)?;
        let counts = Flags::NAMED.into_iter().map(|(flag, wanted)| (flag, scores.count(wanted)));
        let counts = counts.filter(|(_, count)| *count > 0);
        let counts = counts.map(|(flag, count)| (flag.to_owned(), count as u64)).collect();
        self.attacks.push((Finding { dropped: scores.dropped(), ..finding }, roc, counts));
        if name == self.name() {
            self.chosen = Some(scores);
        }
        Ok(())
    }

    /// All attacks with corrected intervals, the scores of the chosen one, and its name.
    fn finish(self) -> Result<(Vec<AttackEvidence>, Scores, String)> {
        let name = self.name().to_owned();
        let of = match self.choice {
            Choice::Tried { of, .. } => of.max(self.attacks.len()),
            Choice::Fixed(_) => self.attacks.len(),
        };
        let MeasureOptions { fpr, confidence, prior, .. } = *self.options;
        let each = 1.0 - (1.0 - confidence) / words::real(of.max(1) as u64);
        let corrected: Vec<Finding> = self
            .attacks
            .iter()
            .map(|(finding, roc, _)| Ok(Finding::new(&finding.name, roc, fpr, each)?))
            .collect::<Result<_>>()?;
        let worst = worst(&corrected);
        let attacks = self.attacks.iter().enumerate().map(|(at, (finding, roc, counts))| {
            Ok(AttackEvidence {
                name: finding.name.clone(),
                chosen: finding.name == name,
                worst: at == worst,
                auc: roc.auc_interval(each).into(),
                rates: rates(roc, fpr, each, prior)?,
                dropped: finding.dropped as u64,
                flags: counts.clone(),
            })
        });
        let attacks = attacks.collect::<Result<Vec<_>>>()?;
        let scores = self.chosen.ok_or_else(|| {
            Failure::new("ALO-X005", 5, "internal error; the chosen attack was not run")
        })?;
        Ok((attacks, scores, name))
    }
}

/// Scores and membership by the unit of the intervals.
fn units(
    scores: &Scores,
    members: &[bool],
    options: &MeasureOptions,
) -> Result<(Vec<f64>, Vec<bool>)> {
    match &options.subjects {
        None => Ok((scores.values.clone(), members.to_vec())),
        Some(subjects) => {
            let told = by_subject(&scores.values, members, subjects)?;
            Ok((told.scores, told.members))
        }
    }
}

fn has_both_sides(scores: &Scores, members: &[bool]) -> bool {
    let scored = || scores.values.iter().zip(members).filter(|(score, _)| !score.is_nan());
    scored().any(|(_, member)| *member) && scored().any(|(_, member)| !*member)
}

fn curve(scores: &Scores, members: &[bool], options: &MeasureOptions) -> Result<Roc> {
    if options.subjects.is_none() {
        return Ok(Roc::new(&scores.values, members)?);
    }
    let (scores, members) = units(scores, members, options)?;
    Ok(Roc::new(&scores, &members)?)
}

fn rates(roc: &Roc, fpr: f64, confidence: f64, prior: f64) -> Result<Vec<RateEvidence>> {
    let mut limits = vec![0.1, 0.01, 0.001];
    if !limits.contains(&fpr) {
        limits.push(fpr);
        limits.sort_by(|left, right| right.total_cmp(left));
    }
    let rate = |fpr: f64| Ok(RateEvidence::new(&roc.tpr_at(fpr, confidence)?, prior));
    limits.into_iter().map(rate).collect()
}

fn told(
    roc: &Roc,
    attack: &str,
    method: &Method,
    context: &Context,
    options: &MeasureOptions,
) -> Result<Told> {
    let MeasureOptions { fpr, confidence, prior, .. } = *options;
    let rates = rates(roc, fpr, confidence, prior)?;
    // Two questions are asked, so each has half of the error.
    let each = 0.5 + confidence / 2.0;
    let at = roc.tpr_at(fpr, each)?;
    let leaks = roc.auc_interval(each).low > 0.5 || (at.resolvable && at.band.low > fpr);
    let found = match (leaks, at.resolvable) {
        (true, _) => "leak",
        (false, true) => "none_found",
        (false, false) => "not_resolvable",
    };
    let auc = roc.auc_interval(confidence);
    Ok(Told {
        found: found.to_owned(),
        sentence: words::sentence(found, auc, &rates, fpr, roc.n_members(), &method.unit),
        attack: attack.to_owned(),
        auc: auc.into(),
        rates,
        attacker: words::attacker(method),
        not_tested: words::not_tested(method, context, options.coins),
    })
}

/// The most exposed members, every reference taken as the target in turn.
fn record_evidence(
    models: &Models<'_>,
    target: &View<'_>,
    options: &MeasureOptions,
    cancel: &Cancel,
) -> Result<Option<RecordsEvidence>> {
    let Some((_, references, _)) = target.references else { return Ok(None) };
    let few = references.references() < 4;
    if few || options.worst_records == 0 || target.members.len() > RECORDS_MAX {
        return Ok(None);
    }
    cancel.check()?;
    let references = match options.logit_limit {
        None => references,
        Some(limit) => {
            let logit = models.logit.within(limit).without(models.target);
            let pair = logit.zip(models.members.without(models.target));
            let (logit, members) = pair.ok_or_else(|| {
                Failure::new("ALO-X005", 5, "internal error; the target is no model")
            })?;
            References::new(logit, members)?
        }
    };
    let MeasureOptions { fpr, confidence, prior, .. } = *options;
    let asked = RecordOptions { prior, fpr, confidence, ..RecordOptions::default() };
    let all = records(&references, &asked)?;
    let members = (0..all.len()).filter(|&at| target.members[at]);
    let mut ranked: Vec<usize> = members.filter(|&at| !all[at].likelihood_ratio.is_nan()).collect();
    let measured = ranked.len() as u64;
    // Of equals the first row, so that the answer does not depend on the sort.
    ranked.sort_by(|&left, &right| {
        let (one, two) = (all[left].likelihood_ratio, all[right].likelihood_ratio);
        two.total_cmp(&one).then(left.cmp(&right))
    });
    let number = |number: f64| number.is_finite().then_some(number);
    let worst = ranked.iter().take(options.worst_records).map(|&at| {
        let found = &all[at];
        let flags = Flags::NAMED.into_iter().filter(|(_, flag)| found.flags.contains(*flag));
        RecordEvidence {
            row: options.rows.as_ref().map_or(at as u64, |rows| rows[at]),
            n_in: found.n_in as u64,
            n_out: found.n_out as u64,
            likelihood_ratio: number(found.likelihood_ratio),
            separation: number(found.separation),
            posterior: number(found.posterior),
            recognised: found.flagged.into(),
            percentile: number(found.percentile),
            flags: flags.map(|(name, _)| name.to_owned()).collect(),
        }
    });
    Ok(Some(RecordsEvidence {
        measured,
        ranked: all.iter().all(|record| record.ranked || record.likelihood_ratio.is_nan()),
        fpr,
        worst: worst.collect(),
    }))
}

fn epsilon(
    scores: &Scores,
    members: &[bool],
    options: &MeasureOptions,
) -> Result<Option<EpsilonEvidence>> {
    let (scores, members) = units(scores, members, options)?;
    let (delta, alpha) = (options.delta, 1.0 - options.confidence);
    if options.coins {
        let scored = scores.iter().filter(|score| !score.is_nan()).count() as u64;
        let grid: Vec<u64> = ONE_RUN_SHARES.iter().map(|share| scored / share).collect();
        let grid: Vec<u64> = grid.into_iter().filter(|guesses| *guesses > 0).collect();
        let audit = one_run_audit(&scores, &members, &grid, delta, alpha)
            .map_err(|error| Failure::new("ALO-D006", 3, error.to_string()))?;
        return Ok(Some(EpsilonEvidence {
            method: "one_run".to_owned(),
            at_least: audit.epsilon,
            delta,
            alpha,
            proves: true,
        }));
    }
    let ids: Vec<u64> = (0..members.len() as u64).collect();
    // A half without members or non-members has no threshold to choose or to measure.
    let split = threshold_epsilon(&scores, &members, &ids, options.seed, delta, alpha).ok();
    Ok(split.map(|split| EpsilonEvidence {
        method: "threshold".to_owned(),
        at_least: split.epsilon,
        delta,
        alpha,
        proves: false,
    }))
}

/// Attacks that look at no reference.
const ALONE: [&str; 5] = ["gap", "loss", "modified entropy", "population", "quantile regression"];
/// Members or non-members below which a group is not told (design of the reports).
const CELL_MIN: u64 = 10;
/// Left-out references: many where that costs little.
const LEFT_OUT_MAX: usize = 8;
const LEFT_OUT_LARGE: usize = 2;
/// Records times references.
const SMALL_AUDIT: usize = 20_000_000;
/// Each record's exposure takes about 200 bytes.
const RECORDS_MAX: usize = 1_000_000;
const COMPLEMENT_RECORDS: usize = 4_096;
/// Guesses of the one-run bound, as parts of the coins.
const ONE_RUN_SHARES: [u64; 6] = [100, 30, 10, 5, 2, 1];
