//! Two thousand audits of models that leak nothing: no bound may cry wolf more often than it says.
#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]
#![expect(clippy::print_stdout, reason = "the counts are what a reader wants to see")]

use allonym_exposure::{
    Candidate, Decision, Features, Gate, Interval, Layout, Looks, Matrix, Population, References,
    Roc, Series, Signals, candidates, clopper_pearson, compare, dp_epsilon, gdp_mu, groups,
    one_run_audit, threshold_epsilon, verdict,
};
use rayon::prelude::*;
use std::collections::BTreeMap;

const RUNS: u64 = 2_000;
const ALPHA: f64 = 0.05;
const CONFIDENCE: f64 = 1.0 - ALPHA;

/// Attacks on simulated signals: each record has a level of its own, every model adds noise, and
/// nobody's training changes anything.
#[test]
fn attacks_on_models_without_leak() {
    let wrong = count(|run, wrong| {
        let mut noise = Noise(run);
        let simulated = Simulated::draw(&mut noise);
        let found = simulated.candidates();
        let (left_out, members) = (simulated.members(1), simulated.members(0));
        let told = verdict(&found, &left_out, &members, 0.05, CONFIDENCE).unwrap();
        wrong("chosen area", told.chosen.auc.low > 0.5);
        wrong("chosen area covered", !covers(told.chosen.auc, 0.5));
        wrong("chosen lift", told.chosen.tpr.lift().low > 1.0);
        wrong("any area", told.all.iter().any(|finding| finding.auc.low > 0.5));
        wrong("any lift", told.all.iter().any(|finding| finding.tpr.lift().low > 1.0));
        let scores = &found.iter().find(|attack| attack.name == "t-LiRA online").unwrap().target;
        let roc = Roc::new(&scores.values, &members).unwrap();
        wrong("advantage", roc.advantage(CONFIDENCE).low > 0.0);
        let at = roc.tpr_at(0.1, CONFIDENCE).unwrap();
        wrong("precision", at.precision(0.5).low > 0.5);
        let gate = Gate { auc: Some(0.5), tpr_at: vec![(0.05, 0.05), (0.1, 0.1)] };
        wrong("gate", gate.decide(&roc, CONFIDENCE).unwrap() == Decision::Fail);
        let ids: Vec<u64> = (0..members.len() as u64).collect();
        let split = threshold_epsilon(&scores.values, &members, &ids, run, 1e-5, ALPHA);
        wrong("threshold epsilon", split.unwrap().epsilon > 0.0);
        let of: Vec<u32> = (0..members.len()).map(|record| u32::from(record % 3 == 0)).collect();
        let of_groups = groups(&scores.values, &members, &of, 0.1, 5, CONFIDENCE).unwrap();
        let cells = of_groups.iter().filter_map(|group| group.cells);
        wrong("groups", cells.map(|cells| cells.p_corrected).any(|p| p < ALPHA));
    });
    check(
        &wrong,
        &[
            "advantage",
            "any area",
            "any lift",
            "chosen area",
            "chosen area covered",
            "chosen lift",
            "gate",
            "groups",
            "precision",
            "threshold epsilon",
        ],
    );
}

/// Scores of a known law, so that every true rate is known: uniform, members or not.
#[test]
fn intervals_cover_known_rates() {
    let wrong = count(|run, wrong| {
        let mut noise = Noise(run ^ 0x5eed_0000);
        let members: Vec<bool> = (0..500).map(|_| noise.uniform() < 0.5).collect();
        let draw =
            |noise: &mut Noise| -> Vec<f64> { members.iter().map(|_| noise.uniform()).collect() };
        let (scores, other) = (draw(&mut noise), draw(&mut noise));
        let roc = Roc::new(&scores, &members).unwrap();
        wrong("area", !covers(roc.auc_interval(CONFIDENCE), 0.5));
        for (name_tpr, name_fpr, name_band, fpr) in [
            ("tpr at 1 %", "fpr at 1 %", "band at 1 %", 0.01),
            ("tpr at 10 %", "fpr at 10 %", "band at 10 %", 0.1),
        ] {
            let at = roc.tpr_at(fpr, CONFIDENCE).unwrap();
            // Beyond the highest score nobody is flagged.
            let truth = (1.0 - at.threshold).max(0.0);
            wrong(name_tpr, !covers(at.tpr, truth));
            wrong(name_band, !covers(at.band, fpr));
            // The threshold is the lowest score flagged: exact bounds hold for it from above, and
            // from below for the sample's own count.
            wrong(name_fpr, truth > at.fpr.high);
        }
        let told = compare(&scores, &other, &members, 0.1, CONFIDENCE).unwrap();
        wrong("difference of areas", !covers(told.auc_difference, 0.0));
        wrong("test of areas", told.auc_p_value < ALPHA);
        let audit = one_run_audit(&scores, &members, &[20, 100, 400], 1e-5, ALPHA).unwrap();
        wrong("one-run epsilon", audit.epsilon > 0.0);
        let fixed = |wanted: bool| {
            let side = scores.iter().zip(&members).filter(|(_, is)| **is == wanted);
            let (hits, of) = side.fold((0, 0), |(hits, of), (score, _)| {
                (hits + u64::from((*score > 0.7) != wanted), of + 1)
            });
            clopper_pearson(hits, of, CONFIDENCE).high
        };
        let (fpr, fnr) = (fixed(false), fixed(true));
        wrong("Gaussian mu", gdp_mu(fpr, fnr) > 0.0);
        wrong("epsilon at a fixed threshold", dp_epsilon(fpr, fnr, 0.0) > 0.0);
        let trials = 30;
        let hits = (0..trials).filter(|_| noise.uniform() < 0.07).count() as u64;
        wrong("share", !covers(clopper_pearson(hits, trials, CONFIDENCE), 0.07));
    });
    check(
        &wrong,
        &[
            "Gaussian mu",
            "area",
            "band at 1 %",
            "band at 10 %",
            "difference of areas",
            "epsilon at a fixed threshold",
            "fpr at 1 %",
            "fpr at 10 %",
            "one-run epsilon",
            "share",
            "test of areas",
            "tpr at 1 %",
            "tpr at 10 %",
        ],
    );
}

/// A model that tells everything must be found by the same bounds, or they prove nothing.
#[test]
fn a_leak_is_found() {
    let mut noise = Noise(7);
    let mut simulated = Simulated::draw(&mut noise);
    simulated.leak(2.0);
    let (left_out, members) = (simulated.members(1), simulated.members(0));
    let told = verdict(&simulated.candidates(), &left_out, &members, 0.05, CONFIDENCE).unwrap();
    assert!(told.chosen.auc.low > 0.7, "{:?}", told.chosen);
    assert!(told.chosen.tpr.lift().low > 2.0, "{:?}", told.chosen);
    assert!(told.all[told.worst].auc.low > 0.7);
}

/// How often each thing went wrong.
type Wrong = BTreeMap<&'static str, u64>;

fn count(run: impl Fn(u64, &mut dyn FnMut(&'static str, bool)) + Sync) -> Wrong {
    let runs = (0..RUNS).into_par_iter().map(|seed| {
        let mut wrong = Wrong::new();
        run(seed, &mut |what, is_wrong| *wrong.entry(what).or_default() += u64::from(is_wrong));
        wrong
    });
    runs.reduce(Wrong::new, |mut left, right| {
        right.into_iter().for_each(|(what, count)| *left.entry(what).or_default() += count);
        left
    })
}

/// Fails where the true rate of mistakes is above alpha, at a level of one in a thousand.
fn check(wrong: &Wrong, expected: &[&str]) {
    for (what, count) in wrong {
        println!("{what}: {count} of {RUNS}");
        let rate = clopper_pearson(*count, RUNS, 0.998);
        assert!(rate.low <= ALPHA, "{what}: wrong in {count} of {RUNS} runs");
    }
    assert_eq!(wrong.keys().copied().collect::<Vec<_>>(), expected);
}

fn covers(interval: Interval, truth: f64) -> bool {
    interval.low <= truth && truth <= interval.high
}

/// Ten models over 240 records and 120 population records: target, left out, eight references.
struct Simulated {
    logits: Vec<f64>,
    members: Vec<bool>,
    population: Vec<f64>,
    /// What each record looks like: its level, not quite.
    features: Vec<f64>,
    population_features: Vec<f64>,
}

impl Simulated {
    const MODELS: usize = 10;
    const RECORDS: usize = 240;
    const POPULATION: usize = 120;

    fn draw(noise: &mut Noise) -> Simulated {
        let table = |noise: &mut Noise, records: usize| -> (Vec<f64>, Vec<f64>) {
            let levels: Vec<f64> = (0..records).map(|_| 1.0 + 2.0 * noise.normal()).collect();
            let models = 0..Self::MODELS;
            let logits = models
                .flat_map(|_| levels.iter().map(|level| level + noise.normal()).collect::<Vec<_>>())
                .collect();
            (logits, levels)
        };
        let (logits, levels) = table(noise, Self::RECORDS);
        let (population, of_population) = table(noise, Self::POPULATION);
        let members = logits.iter().map(|_| noise.uniform() < 0.5).collect();
        let mut blurred = |levels: Vec<f64>| -> Vec<f64> {
            levels.into_iter().map(|level| level + noise.normal()).collect()
        };
        let (features, population_features) = (blurred(levels), blurred(of_population));
        Simulated { logits, members, population, features, population_features }
    }

    fn leak(&mut self, strength: f64) {
        for (logit, member) in self.logits.iter_mut().zip(&self.members) {
            *logit += if *member { strength } else { 0.0 };
        }
    }

    fn members(&self, model: usize) -> Vec<bool> {
        self.members[model * Self::RECORDS..][..Self::RECORDS].to_vec()
    }

    fn candidates(&self) -> Vec<Candidate> {
        let conf = |logits: &[f64]| -> Vec<f64> {
            logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect()
        };
        let (confidences, population) = (conf(&self.logits), conf(&self.population));
        let from = 2 * Self::RECORDS;
        let (eight, records) = (Self::MODELS - 2, Self::RECORDS);
        let members =
            Matrix::new(&self.members[from..], Layout::ByReference, eight, records).unwrap();
        let references = |signals| {
            let signals = Matrix::new(signals, Layout::ByReference, eight, records).unwrap();
            References::new(signals, members).unwrap()
        };
        let of_population = &population[2 * Self::POPULATION..];
        let of_population =
            Matrix::new(of_population, Layout::ByReference, eight, Self::POPULATION).unwrap();
        let score = |model: usize| {
            let row =
                |table: &'_ [f64], records: usize| table[model * records..][..records].to_vec();
            let (conf, logit) = (row(&confidences, records), row(&self.logits, records));
            let others = row(&population, Self::POPULATION);
            let others_logit = row(&self.population, Self::POPULATION);
            // Of two classes.
            let gap: Vec<f64> = logit.iter().map(|logit| f64::from(*logit > 0.0)).collect();
            let entropy: Vec<f64> = conf.iter().map(|p| 2.0 * (1.0 - p) * p.ln()).collect();
            let signals = Signals {
                conf: Series::from(&conf),
                logit: Series::from(&logit),
                conf_references: references(&confidences[from..]),
                logit_references: references(&self.logits[from..]),
                population: Some(Population {
                    target: Series::from(&others),
                    references: of_population,
                }),
                logit_limit: None,
                looks: Looks {
                    gap: Some(Series::from(&gap)),
                    entropy: Some(Series::from(&entropy)),
                    features: Some(Features {
                        records: one_feature(&self.features),
                        population: one_feature(&self.population_features),
                        population_logit: Series::from(&others_logit),
                        fpr: 0.05,
                    }),
                },
            };
            signals.score_all().unwrap()
        };
        candidates(score(1), score(0))
    }
}

fn one_feature(of: &[f64]) -> Matrix<'_> {
    Matrix::new(of, Layout::ByRecord, 1, of.len()).unwrap()
}

/// SplitMix64 (Steele, Lea and Flood 2014), and normal deviates by Box and Muller (1958).
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let high = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap();
        (f64::from(high) + 0.5) / 4_294_967_296.0
    }

    fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}
