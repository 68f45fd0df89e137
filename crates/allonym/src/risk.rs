//! How far the rows of a table can be told apart, and so be linked to people, for the faces: tables in,
//! evidence out.

use crate::exposure::words::count;
use crate::{Cancel, Failure, Result};
use allonym_core::Gates;
use allonym_exposure::{clopper_pearson, wilson};
use allonym_io::{Found, ReadOptions, Reader};
use allonym_report::{
    ClassesEvidence, Estimate, GateDecision, PopulationEvidence, QuasiEvidence, RiskAttackEvidence,
    RiskEvidence, RiskGateEvidence, SampleEvidence, SensitiveEvidence, SizeEvidence,
    SuggestedColumn, SuggestionEvidence, UniqueSetEvidence, UniqueSetsEvidence,
};
use allonym_risk::{
    AttackKind, Attacks, Change, Classes, Encoded, Keyed, RiskError, Tables, attack, classes,
    coarser, disclosure, expected_hit, k_map, likely_size, pitman, unique_match_share, unique_sets,
};
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};

pub use allonym_risk::Role as RiskRole;

/// What to measure.
#[derive(Clone, Debug)]
pub struct RiskOptions {
    /// Columns an outsider is taken to know.
    pub quasi: Vec<String>,
    /// Columns nobody should learn.
    pub sensitive: Vec<String>,
    /// People in the population that the rows are a random sample of.
    pub population_size: Option<u64>,
    /// Column of the population that tells how many people a row stands for.
    pub population_count: Option<String>,
    /// The k to suggest a way to.
    pub target_k: Option<u64>,
    /// Share of the rows that a suggestion may leave out.
    pub left_out_max: f64,
    /// Share of rows alone from which a set of columns is told.
    pub unique_share: f64,
    /// Most sets of columns that are measured, none at 0; so many that 200 million rows are gone through
    /// when left out.
    pub sets_max: Option<u64>,
    /// Columns of one of the two sources that are linked; the first half of all when empty.
    pub link: Vec<String>,
    /// Attempts of each attack.
    pub attempts: usize,
    /// Seed of what attacks draw.
    pub seed: u64,
    /// Confidence of every interval.
    pub confidence: f64,
    /// Limits.
    pub gates: RiskGates,
}

impl Default for RiskOptions {
    fn default() -> RiskOptions {
        RiskOptions {
            quasi: Vec::new(),
            sensitive: Vec::new(),
            population_size: None,
            population_count: None,
            target_k: None,
            left_out_max: 0.01,
            unique_share: 0.05,
            sets_max: None,
            link: Vec::new(),
            attempts: 500,
            seed: 0,
            confidence: 0.95,
            gates: RiskGates::default(),
        }
    }
}

/// Limits of a gate; what is left out does not limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RiskGates {
    /// Least rows of a class.
    pub min_k: Option<u64>,
    /// Largest share of rows that are alone.
    pub max_unique: Option<f64>,
    /// Least distinct values of a sensitive column in a class.
    pub min_l: Option<u64>,
    /// Largest t-closeness, in order where a column has one.
    pub max_t: Option<f64>,
    /// Largest share of rows that are alone in the population.
    pub max_population_unique: Option<f64>,
    /// Largest risk of an attack.
    pub max_attack: Option<f64>,
}

/// Where the rows of a table come from.
pub enum RiskTable {
    /// Files, one behind the other.
    Files(Vec<Found>, Box<ReadOptions>),
    /// Batches of one schema.
    Batches(
        SchemaRef,
        Box<dyn Iterator<Item = std::result::Result<RecordBatch, ArrowError>> + Send>,
    ),
}

impl std::fmt::Debug for RiskTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            RiskTable::Files(..) => "RiskTable::Files",
            RiskTable::Batches(..) => "RiskTable::Batches",
        })
    }
}

/// Measures tables: the data first, then whichever others there are.
///
/// # Errors
/// Tables that cannot be read or do not fit, options that ask for what is not there.
pub fn measure_risk(
    source: &str,
    measured_at: &str,
    tables: Vec<(RiskRole, RiskTable)>,
    options: &RiskOptions,
    cancel: &Cancel,
    progress: &dyn Fn(&str, u64, Option<u64>),
) -> Result<RiskEvidence> {
    let has = |role| tables.iter().any(|(known, _)| *known == role);
    let attacked = options.sound(has)?;
    let counted = options.population_count.is_some() && has(RiskRole::Population);
    let mut names = [options.quasi.as_slice(), options.sensitive.as_slice()].concat();
    let (quasi, known) = (options.quasi.len(), names.len());
    if counted {
        names.extend(options.population_count.clone());
    }
    let mut taken = Tables::new(&names)?;
    for (role, table) in tables {
        let mut wanted: Vec<usize> = (0..known).collect();
        if role == RiskRole::Population {
            wanted.truncate(quasi);
            wanted.extend(counted.then_some(known));
        }
        take(&mut taken, role, table, &wanted, cancel, progress)?;
    }
    let tables = taken.finish()?;
    let keyed: Vec<Keyed<'_>> = (0..quasi).map(|at| tables.keyed(RiskRole::Data, at)).collect();
    cancel.check()?;
    let groups = classes(&keyed);
    let measure = Measure { tables: &tables, groups: &groups, keyed: &keyed, options, cancel };
    let mut evidence = RiskEvidence {
        schema: RiskEvidence::SCHEMA.to_owned(),
        tool: concat!("allonym ", env!("CARGO_PKG_VERSION")).to_owned(),
        measured_at: measured_at.to_owned(),
        source: source.to_owned(),
        sentence: String::new(),
        rows: tables.rows(RiskRole::Data),
        confidence: options.confidence,
        quasi: measure.quasi()?,
        classes: measure.classes(),
        sensitive: measure.sensitive()?,
        sample: options.population_size.map(|people| measure.sample(people)).transpose()?,
        population: measure.population(counted.then_some(known))?,
        unique_sets: measure.unique_sets()?,
        attacks: if attacked { measure.attacks()? } else { Vec::new() },
        suggestion: options.target_k.map(|k| measure.suggestion(k)).transpose()?,
        gates: Vec::new(),
        warnings: Vec::new(),
        limits: LIMITS.iter().map(|limit| (*limit).to_owned()).collect(),
    };
    evidence.gates = options.gates.judged(&evidence);
    evidence.warnings = warnings(&evidence);
    evidence.sentence = sentence(&evidence);
    Ok(evidence)
}

impl RiskOptions {
    /// Finds what cannot be asked for before anything is read; tells whether attacks are to be made.
    fn sound(&self, has: impl Fn(RiskRole) -> bool) -> Result<bool> {
        let wrong = |message: &str| Err(Failure::new(UNASKABLE, 2, message));
        let share = |share: f64| share > 0.0 && share < 1.0;
        if self.quasi.is_empty() {
            return Err(Failure::new(COLUMNS, 2, "no column that an outsider knows was named")
                .hint("name them: --quasi birth_date,postcode,sex"));
        }
        if !share(self.confidence) || self.attempts == 0 {
            return wrong("a confidence lies between 0 and 1, and an attack takes an attempt");
        }
        if !(0.0..1.0).contains(&self.left_out_max) || !share(self.unique_share) {
            return wrong("shares of rows lie between 0 and 1");
        }
        if self.target_k.is_some_and(|k| k < 2) {
            return wrong("a k to reach is at least 2");
        }
        if !self.gates.in_range() {
            return wrong("limits of shares lie between 0 and 1, and a k to keep is at least 1");
        }
        let attacked = has(RiskRole::Original) && has(RiskRole::Control);
        if has(RiskRole::Original) != has(RiskRole::Control) {
            return Err(Failure::new(
                UNFIT,
                3,
                "an attack needs both the original and a control: what works on strangers too is no \
                 fault of the table",
            )
            .hint("hold back rows from the start, and name them as the control"));
        }
        let gates = &self.gates;
        if gates.max_attack.is_some() && !attacked {
            return wrong("a limit of attacks needs an original and a control");
        }
        if (gates.min_l.is_some() || gates.max_t.is_some()) && self.sensitive.is_empty() {
            return wrong("limits of l and t need a sensitive column");
        }
        if gates.max_population_unique.is_some() && self.population_size.is_none() {
            return wrong("a limit of population uniques needs the number of people");
        }
        if self.population_count.is_some() && !has(RiskRole::Population) {
            return wrong("a column of counts needs a population");
        }
        if let Some(name) = self.link.iter().find(|name| !self.quasi.contains(name)) {
            return Err(Failure::new(
                COLUMNS,
                2,
                format!("`{name}` is linked by, and is no column that an outsider knows"),
            ));
        }
        if !self.link.is_empty() && self.link.len() >= self.quasi.len() {
            return wrong("of the columns that are linked by, the other source needs some");
        }
        Ok(attacked)
    }
}

impl RiskGates {
    /// These limits, and those of a policy where these say nothing.
    #[must_use]
    pub fn or_policy(self, policy: Option<&Gates>) -> RiskGates {
        let Some(gates) = policy else { return self };
        RiskGates {
            min_k: self.min_k.or(gates.min_k),
            max_unique: self.max_unique.or(gates.max_unique_rows),
            min_l: self.min_l.or(gates.min_l),
            max_t: self.max_t.or(gates.max_t),
            max_population_unique: self.max_population_unique.or(gates.max_population_unique),
            max_attack: self.max_attack.or(gates.max_attack),
        }
    }

    /// Judges evidence by the limits: the gates and the exit code of the command.
    ///
    /// # Errors
    /// No limit, a limit out of its range, or one for what the evidence does not tell.
    pub fn judge(&self, evidence: &RiskEvidence) -> Result<(Vec<RiskGateEvidence>, u8)> {
        let wrong = |message: &str| Err(Failure::new(UNASKABLE, 2, message));
        if *self == RiskGates::default() {
            return wrong("a gate needs a limit");
        }
        if !self.in_range() {
            return wrong("limits of shares lie between 0 and 1, and a k to keep is at least 1");
        }
        if (self.min_l.is_some() || self.max_t.is_some()) && evidence.sensitive.is_empty() {
            return wrong("limits of l and t need a sensitive column");
        }
        if self.max_population_unique.is_some() && evidence.sample.is_none() {
            return wrong("a limit of population uniques needs the number of people");
        }
        if self.max_attack.is_some() && evidence.attacks.is_empty() {
            return wrong("a limit of attacks needs an original and a control");
        }
        let told = RiskEvidence { gates: self.judged(evidence), ..evidence.clone() };
        let exit = told.exit();
        Ok((told.gates, exit))
    }

    fn in_range(&self) -> bool {
        let shares = [self.max_unique, self.max_t, self.max_attack, self.max_population_unique];
        let in_range = |limit: f64| (0.0..=1.0).contains(&limit);
        shares.into_iter().flatten().all(in_range) && self.min_k.is_none_or(|k| k >= 1)
    }

    fn judged(&self, evidence: &RiskEvidence) -> Vec<RiskGateEvidence> {
        let mut gates = Vec::new();
        let mut judge =
            |gate: &str, of: Option<String>, limit: f64, found: Estimate, above: bool| {
                // Exact numbers are their own interval.
                let ends = [found.low.or(found.value), found.high.or(found.value)];
                let decision = match (ends, above) {
                    ([Some(low), _], true) if low >= limit => GateDecision::Pass,
                    ([_, Some(high)], true) if high < limit => GateDecision::Fail,
                    ([_, Some(high)], false) if high <= limit => GateDecision::Pass,
                    ([Some(low), _], false) if low > limit => GateDecision::Fail,
                    _ => GateDecision::Undecided,
                };
                gates.push(RiskGateEvidence { gate: gate.to_owned(), of, limit, found, decision });
            };
        if let Some(k) = self.min_k {
            judge("min_k", None, real(k), exact(real(evidence.classes.k)), true);
        }
        if let Some(limit) = self.max_unique {
            judge("max_unique", None, limit, exact(evidence.classes.unique_share), false);
        }
        for column in &evidence.sensitive {
            let of = || Some(column.name.clone());
            if let Some(l) = self.min_l {
                judge("min_l", of(), real(l), exact(real(column.distinct_l)), true);
            }
            if let Some(limit) = self.max_t {
                let t = column.t_ordered.unwrap_or(column.t_equal);
                judge("max_t", of(), limit, exact(t), false);
            }
        }
        if let (Some(limit), Some(sample)) = (self.max_population_unique, &evidence.sample) {
            judge("max_population_unique", None, limit, sample.population_unique_share, false);
        }
        if let Some(limit) = self.max_attack {
            for attack in &evidence.attacks {
                let of = attack.secret.clone().map_or_else(
                    || attack.attack.clone(),
                    |secret| format!("{} {secret}", attack.attack),
                );
                judge("max_attack", Some(of), limit, attack.risk, false);
            }
            if evidence.attacks.is_empty() {
                judge("max_attack", None, limit, Estimate::default(), false);
            }
        }
        gates
    }
}

struct Measure<'m> {
    tables: &'m Encoded,
    groups: &'m Classes,
    keyed: &'m [Keyed<'m>],
    options: &'m RiskOptions,
    cancel: &'m Cancel,
}

impl Measure<'_> {
    fn rows(&self) -> u64 {
        self.tables.rows(RiskRole::Data)
    }

    fn name(&self, at: usize) -> String {
        self.tables.column(at).name().to_owned()
    }

    fn quasi(&self) -> Result<Vec<QuasiEvidence>> {
        let columns = 0..self.keyed.len();
        columns
            .map(|at| {
                self.cancel.check()?;
                let column = self.tables.column(at);
                let alone = classes(&self.keyed[at..=at]);
                let mut without = self.keyed.to_vec();
                without.remove(at);
                let without = (!without.is_empty()).then(|| classes(&without).uniques());
                Ok(QuasiEvidence {
                    name: self.name(at),
                    kind: column.kind().words().to_owned(),
                    distinct: alone.sizes().len() as u64,
                    nulls: self.tables.nulls(RiskRole::Data, at),
                    uniques_alone: alone.uniques(),
                    uniques_without: without,
                })
            })
            .collect()
    }

    fn classes(&self) -> ClassesEvidence {
        let (k, uniques) = (self.groups.k(), self.groups.uniques());
        let sizes = self.groups.histogram().into_iter().map(|bin| SizeEvidence {
            from: bin.from,
            to: bin.to,
            classes: bin.classes,
            rows: bin.rows,
        });
        ClassesEvidence {
            count: self.groups.sizes().len() as u64,
            k,
            uniques,
            unique_share: real(uniques) / real(self.rows()),
            highest_risk: 1.0 / real(k),
            average_risk: self.groups.average_risk(),
            sizes: sizes.collect(),
        }
    }

    fn sensitive(&self) -> Result<Vec<SensitiveEvidence>> {
        let first = self.keyed.len();
        let columns = first..first + self.options.sensitive.len();
        columns
            .map(|at| {
                self.cancel.check()?;
                let column = self.tables.column(at);
                let keyed = self.tables.keyed(RiskRole::Data, at);
                let told = disclosure(self.groups, &keyed, column.order());
                Ok(SensitiveEvidence {
                    name: self.name(at),
                    kind: column.kind().words().to_owned(),
                    distinct: classes(&[keyed]).sizes().len() as u64,
                    distinct_l: told.distinct_l,
                    entropy_l: told.entropy_l,
                    recursive_c: told.recursive_c,
                    t_equal: told.t_equal,
                    t_ordered: told.t_ordered,
                    alpha: told.alpha,
                    beta: told.beta,
                    enhanced_beta: told.enhanced_beta,
                    delta: told.delta,
                    certain_rows: told.certain_rows,
                })
            })
            .collect()
    }

    fn sample(&self, people: u64) -> Result<SampleEvidence> {
        let (rows, confidence) = (self.rows(), self.options.confidence);
        if people < rows {
            let message = format!("a population of {people} cannot have {rows} rows as its sample");
            return Err(Failure::new(UNASKABLE, 2, message));
        }
        let fraction = real(rows) / real(people);
        let (singles, pairs) = (self.groups.uniques(), self.groups.of_size(2));
        let matched = |share: f64| unique_match_share(share, fraction);
        let right_matches = if singles + pairs == 0 {
            Estimate::default()
        } else {
            // Given both together, the singles are binomial, and what is asked for rises with their share.
            let share = clopper_pearson(singles, singles + pairs, confidence);
            estimate([matched(share.value), matched(share.low), matched(share.high)])
        };
        let fit = pitman(self.groups, people);
        let population_uniques = match fit {
            _ if people == rows || singles == 0 => exact(real(singles)),
            None => Estimate::default(),
            Some(fit) => {
                let chance = fit.stays_unique;
                // The law's own uncertainty, and that of drawing from it.
                let noise = 1.0 / (real(singles) * chance * (1.0 - chance));
                let half = quantile(confidence) * (fit.log_odds_error.powi(2) + noise).sqrt();
                let odds = (chance / (1.0 - chance)).ln();
                let at = |by: f64| real(singles) / (1.0 + (-odds - by).exp());
                estimate([at(0.0), at(-half), at(half)])
            }
        };
        let mut sizes = self.groups.sizes().to_vec();
        sizes.sort_unstable();
        let hits: f64 = sizes
            .chunk_by(|a, b| a == b)
            .map(|run| {
                let size = u64::from(run[0]);
                real(run.len() as u64) * real(size) * expected_hit(size, fraction)
            })
            .sum();
        let (low, high) = likely_size(fraction, confidence);
        let of_rows = |number: Option<f64>| number.map(|number| number / real(rows));
        Ok(SampleEvidence {
            population: people,
            fraction,
            right_matches,
            population_uniques,
            population_unique_share: Estimate {
                value: of_rows(population_uniques.value),
                low: of_rows(population_uniques.low),
                high: of_rows(population_uniques.high),
            },
            expected_hits: hits / real(rows),
            likely_k: Estimate {
                value: Some((1.0 / fraction).round()),
                low: Some(low),
                high: Some(high),
            },
        })
    }

    fn population(&self, count: Option<usize>) -> Result<Option<PopulationEvidence>> {
        if self.tables.rows(RiskRole::Population) == 0 {
            return Ok(None);
        }
        self.cancel.check()?;
        let counts = count.map(|at| self.counts(at)).transpose()?;
        let both = [RiskRole::Data, RiskRole::Population];
        let columns: Vec<Keyed<'_>> =
            (0..self.keyed.len()).map(|at| self.tables.keyed_together(&both, at)).collect();
        let told = k_map(&columns, self.keyed[0].len(), counts.as_deref())?;
        Ok(Some(PopulationEvidence {
            people: told.people,
            k: told.k,
            rows_of_one: told.rows_of_one,
            rows_absent: told.rows_absent,
            rows_over: told.rows_over,
            expected_hits: told.expected_hits,
            presence_low: told.presence.0,
            presence_high: told.presence.1,
        }))
    }

    /// How many people each row of the population stands for.
    fn counts(&self, at: usize) -> Result<Vec<u64>> {
        let order = self.tables.column(at).order();
        let keyed = self.tables.keyed(RiskRole::Population, at);
        let codes = keyed.codes.iter().flat_map(|piece| piece.iter());
        codes
            .enumerate()
            .map(|(row, &code)| {
                let place = usize::try_from(code).ok().and_then(|at| order?.get(at).copied());
                place.and_then(whole).filter(|&count| count >= 1).ok_or_else(|| {
                    let column = self.name(at);
                    RiskError::Count { column, row: row as u64 }.into()
                })
            })
            .collect()
    }

    fn unique_sets(&self) -> Result<Option<UniqueSetsEvidence>> {
        let stop = || self.cancel.is_cancelled();
        // So many rows are looked at altogether, whatever the table; small tables are searched whole.
        let fitting = (ROWS_SEARCHED / self.rows()).clamp(self.keyed.len() as u64, SETS_MAX);
        let sets_max = self.options.sets_max.unwrap_or(fitting);
        if sets_max == 0 {
            return Ok(None);
        }
        let share = self.options.unique_share;
        let found = unique_sets(self.keyed, share, self.keyed.len(), sets_max, &stop)?;
        let sets = found.sets.into_iter().map(|set| UniqueSetEvidence {
            columns: set.columns.iter().map(|&at| self.name(at)).collect(),
            uniques: set.uniques,
            share: real(set.uniques) / real(self.rows()),
        });
        Ok(Some(UniqueSetsEvidence {
            share,
            sets: sets.take(SETS_TOLD).collect(),
            measured: found.measured,
            complete_to: found.complete_to as u64,
        }))
    }

    fn attacks(&self) -> Result<Vec<RiskAttackEvidence>> {
        let columns: Vec<usize> = (0..self.keyed.len()).collect();
        let link = &self.options.link;
        let left: Vec<usize> = match link.is_empty() {
            true => columns[..columns.len() / 2].to_vec(),
            false => columns.iter().copied().filter(|&at| link.contains(&self.name(at))).collect(),
        };
        let first = self.keyed.len();
        let secrets = first..first + self.options.sensitive.len();
        let kinds = [AttackKind::SingleOut, AttackKind::Link { left }]
            .into_iter()
            .chain(secrets.map(|secret| AttackKind::Infer { secret }));
        let how = Attacks {
            attempts: self.options.attempts,
            seed: self.options.seed,
            ..Attacks::default()
        };
        let stop = || self.cancel.is_cancelled();
        let mut told = Vec::new();
        for kind in kinds {
            let Some(outcome) = attack(self.tables, &kind, &columns, &how, &stop)? else {
                continue;
            };
            let names = |of: &[usize]| of.iter().map(|&at| self.name(at)).collect::<Vec<_>>();
            let (word, known, other, secret) = match &kind {
                AttackKind::SingleOut => ("single_out", names(&columns), Vec::new(), None),
                AttackKind::Link { left } => {
                    let right: Vec<usize> =
                        columns.iter().copied().filter(|at| !left.contains(at)).collect();
                    ("link", names(left), names(&right), None)
                }
                AttackKind::Infer { secret } => {
                    ("infer", names(&columns), Vec::new(), Some(self.name(*secret)))
                }
            };
            let share = |hits, of, confidence| {
                let share = clopper_pearson(hits, of, confidence);
                estimate([share.value, share.low, share.high])
            };
            let confidence = self.options.confidence;
            let (hits, of) = (outcome.hits, outcome.attempts);
            let (strange_hits, strange) = (outcome.control_hits, outcome.control_attempts);
            // Two intervals that hold together with the confidence asked for.
            let together = f64::midpoint(1.0, confidence);
            let right = clopper_pearson(hits, of, together);
            let anyway = clopper_pearson(strange_hits, strange, together);
            let risk = |right: f64, anyway: f64| {
                if anyway < 1.0 { ((right - anyway) / (1.0 - anyway)).max(0.0) } else { 0.0 }
            };
            told.push(RiskAttackEvidence {
                attack: word.to_owned(),
                known,
                other,
                secret,
                attempts: of,
                success: share(hits, of, confidence),
                control: share(strange_hits, strange, confidence),
                baseline: share(outcome.baseline_hits, of, confidence),
                risk: estimate([
                    risk(right.value, anyway.value),
                    risk(right.low, anyway.high),
                    risk(right.high, anyway.low),
                ]),
            });
        }
        Ok(told)
    }

    fn suggestion(&self, k: u64) -> Result<SuggestionEvidence> {
        let columns: Vec<usize> = (0..self.keyed.len()).collect();
        let stop = || self.cancel.is_cancelled();
        let found = coarser(self.tables, &columns, k, self.options.left_out_max, &stop)?;
        let Some(found) = found else {
            return Ok(SuggestionEvidence {
                target_k: k,
                reached: false,
                k: 0,
                rows_left_out: 0,
                loss: 0.0,
                columns: Vec::new(),
                policy: String::new(),
                looked_at: 0,
            });
        };
        let mut policy = String::new();
        let mut told = Vec::new();
        for column in &found.columns {
            let name = self.name(column.column);
            let change = match column.change {
                Change::Keep => "keep".to_owned(),
                Change::To(part) => format!("to = \"{part}\""),
                Change::Step(step) => format!("step = {step}"),
                Change::Prefix(length) => format!("prefix = {length}"),
                Change::Drop => "drop".to_owned(),
            };
            let quoted = toml::Value::String(name.clone());
            match column.change {
                Change::Keep => {}
                Change::Drop => {
                    policy.push_str(&format!("[columns.{quoted}]\ntreat = \"drop\"\n"));
                }
                _ => policy
                    .push_str(&format!("[columns.{quoted}]\ntreat = \"generalize\"\n{change}\n")),
            }
            told.push(SuggestedColumn { name, change, loss: column.loss });
        }
        Ok(SuggestionEvidence {
            target_k: k,
            reached: true,
            k: found.k,
            rows_left_out: found.rows_left_out,
            loss: found.loss,
            columns: told,
            policy,
            looked_at: found.looked_at,
        })
    }
}

fn take(
    tables: &mut Tables,
    role: RiskRole,
    table: RiskTable,
    wanted: &[usize],
    cancel: &Cancel,
    progress: &dyn Fn(&str, u64, Option<u64>),
) -> Result<()> {
    match table {
        RiskTable::Files(found, read) => {
            if found.is_empty() {
                return Err(Failure::new("ALO-D001", 3, format!("no file of {}", role.words())));
            }
            for found in found {
                let mut reader = Reader::open(&found.input, &read)?;
                tables.begin(role, reader.schema(), wanted)?;
                while let Some(chunk) = reader.next_chunk()? {
                    cancel.check()?;
                    tables.push(&chunk.records)?;
                    let (bytes, size) = reader.progress();
                    progress(&found.relative, bytes, size);
                }
            }
        }
        RiskTable::Batches(schema, batches) => {
            tables.begin(role, &schema, wanted)?;
            for batch in batches {
                cancel.check()?;
                tables.push(&batch?)?;
            }
        }
    }
    Ok(())
}

fn sentence(evidence: &RiskEvidence) -> String {
    let classes = &evidence.classes;
    let columns = match evidence.quasi.len() {
        1 => "one column".to_owned(),
        n => format!("{n} columns together"),
    };
    let mut text = format!(
        "By {columns}, {} of {} rows ({}) are alone, and the smallest group of rows that are alike has \
         {}.",
        count(classes.uniques),
        count(evidence.rows),
        percent(classes.unique_share),
        count(classes.k)
    );
    let certain = evidence.sensitive.iter().max_by_key(|column| column.certain_rows);
    if let Some(column) = certain.filter(|column| column.certain_rows > 0) {
        text.push_str(&format!(
            " For {} rows ({}), belonging to a group gives `{}` away.",
            count(column.certain_rows),
            percent(real(column.certain_rows) / real(evidence.rows)),
            column.name
        ));
    }
    let value = |attack: &RiskAttackEvidence| attack.risk.value.unwrap_or(0.0);
    let worst = evidence.attacks.iter().max_by(|a, b| value(a).total_cmp(&value(b)));
    if let Some(RiskAttackEvidence { risk: Estimate { value, low, high }, .. }) = worst {
        let told = |number: &Option<f64>| percent(number.unwrap_or(0.0));
        text.push_str(&format!(
            " The strongest attack adds a risk of {} ({} to {}).",
            told(value),
            told(low),
            told(high)
        ));
    }
    text
}

fn warnings(evidence: &RiskEvidence) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(population) = &evidence.population {
        if population.rows_absent > 0 {
            warnings.push(format!(
                "{} rows are like nobody of the population: it is not everybody, or not written alike",
                count(population.rows_absent)
            ));
        }
        if population.rows_over > 0 {
            warnings.push(format!(
                "{} rows are in classes with more rows than people: people stand in several rows, or \
                 the population is not everybody",
                count(population.rows_over)
            ));
        }
    }
    if let Some(sample) = &evidence.sample
        && sample.population_uniques.value.is_none()
    {
        warnings.push(
            "population uniques cannot be estimated: no law fits rows that are all alone"
                .to_owned(),
        );
    }
    for attack in &evidence.attacks {
        let (right, blind) = (attack.success.value, attack.baseline.value);
        if right <= blind && attack.attack != "link" {
            let of = attack.secret.as_ref().map(|secret| format!(" of `{secret}`"));
            warnings.push(format!(
                "the attack `{}`{} is no better than guessing, so a low risk says nothing of a better \
                 one",
                attack.attack,
                of.unwrap_or_default()
            ));
        }
    }
    if evidence.classes.k == 1 && !evidence.sensitive.is_empty() {
        warnings.push(
            "rows are alone, so l is 1 and t is large whatever the sensitive columns hold"
                .to_owned(),
        );
    }
    if evidence.suggestion.as_ref().is_some_and(|told| told.rows_left_out > 0) {
        warnings.push(
            "a policy cannot leave out rows for being rare: leave out the rest of the way's rows \
             before release, and measure again"
                .to_owned(),
        );
    }
    warnings
}

/// The two-sided quantile of the normal law, from Wilson's interval of no hit in one: its upper end is
/// `z^2 / (1 + z^2)`.
fn quantile(confidence: f64) -> f64 {
    let high = wilson(0, 1, confidence).high;
    (high / (1.0 - high)).sqrt()
}

fn exact(value: f64) -> Estimate {
    Estimate { value: Some(value), low: None, high: None }
}

fn estimate([value, low, high]: [f64; 3]) -> Estimate {
    let finite = |number: f64| number.is_finite().then_some(number);
    Estimate { value: finite(value), low: finite(low), high: finite(high) }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole, from 0 to 2^53"
)]
fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && (0.0..9_007_199_254_740_992.0).contains(&number))
        .then_some(number as u64)
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows stay below 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}

fn percent(share: f64) -> String {
    match 100.0 * share {
        0.0 => "0 %".to_owned(),
        percent if percent < 0.1 => "< 0.1 %".to_owned(),
        percent => format!("{percent:.1} %"),
    }
}

impl From<RiskError> for Failure {
    fn from(error: RiskError) -> Failure {
        let (code, exit) = match &error {
            RiskError::Missing { .. } => ("ALO-U060", 3),
            RiskError::Twice { .. } => (COLUMNS, 2),
            RiskError::Duplicate { .. } => (COLUMNS, 3),
            RiskError::TooFew { .. } | RiskError::TooMany { .. } => ("ALO-U062", 3),
            RiskError::AllNull { .. } => ("ALO-U063", 3),
            RiskError::NotANumber { .. } => ("ALO-U064", 3),
            RiskError::Columns { .. } => ("ALO-U065", 2),
            RiskError::Type { .. } => ("ALO-U066", 3),
            RiskError::Kinds { .. } | RiskError::Count { .. } => (UNFIT, 3),
            RiskError::Stopped => return Failure::interrupted(),
            _ => ("ALO-X005", 5),
        };
        Failure::new(code, exit, error.to_string())
    }
}

const COLUMNS: &str = "ALO-U061";
const UNFIT: &str = "ALO-U067";
const UNASKABLE: &str = "ALO-U068";
const SETS_MAX: u64 = 2_000;
const SETS_TOLD: usize = 50;
const ROWS_SEARCHED: u64 = 200_000_000;
const LIMITS: &[&str] = &[
    "Which columns an outsider knows is an assumption; whoever knows another tells more rows apart.",
    "Rows that are alike hide nobody where they also share a sensitive value, or where the outsider \
     knows a second table.",
    "Counts take every row for a person of its own; where one person has several rows, the groups are \
     smaller than they look.",
    "Attacks are those that were tried; a better one may do better.",
];
