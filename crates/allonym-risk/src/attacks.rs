//! What an attacker with a released table does to people whose rows it was made from, beside what the same
//! attack does to people whose rows it was not made from.
//!
//! The design is that of Giomi, Boenisch, Wehmeyer and Tasnádi, "A unified framework for quantifying privacy
//! risk in synthetic data" (2023): what works on strangers too is knowledge of the world, not of the table.

use crate::columns::{Encoded, NULL, Role};
use crate::math::{Choices, long, mixed};
use crate::{Kind, RiskError};
use rayon::prelude::*;

/// How to attack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attacks {
    /// Attempts.
    pub attempts: usize,
    /// Rows of a table that the attacker goes through; more are drawn from.
    pub rows_max: usize,
    /// Relative error at which a guessed number is right.
    pub tolerance: f64,
    /// Seed of everything that is drawn.
    pub seed: u64,
}

impl Default for Attacks {
    fn default() -> Attacks {
        Attacks { attempts: 500, rows_max: 50_000, tolerance: 0.05, seed: 0 }
    }
}

/// What is attempted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttackKind {
    /// A description, made from a row that is alone in the released table, fits exactly one person.
    SingleOut,
    /// Two sources that share no column are known to speak of one person: the released row nearest to
    /// each is the same.
    Link {
        /// Columns of one source; those of the other are the rest.
        left: Vec<usize>,
    },
    /// A column is guessed from the released row that is nearest in the others.
    Infer {
        /// The column.
        secret: usize,
    },
}

/// How often it worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttackOutcome {
    /// Attempts on the original.
    pub attempts: u64,
    /// Of them right.
    pub hits: u64,
    /// Attempts on the control.
    pub control_attempts: u64,
    /// Of them right.
    pub control_hits: u64,
    /// Right among as many guesses made without the released rows, on the original.
    pub baseline_hits: u64,
}

/// Attacks the original and the control by way of the data; needs all three. None where no attempt can be
/// made: no row of the data is alone, or a source has no column.
///
/// # Errors
/// The caller asked to stop.
pub fn attack(
    tables: &Encoded,
    kind: &AttackKind,
    columns: &[usize],
    options: &Attacks,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Option<AttackOutcome>, RiskError> {
    if stop() {
        return Err(RiskError::Stopped);
    }
    let view = View::new(tables, options);
    let told = match kind {
        AttackKind::SingleOut => view.single_out(columns),
        AttackKind::Link { left } => {
            let right: Vec<usize> =
                columns.iter().copied().filter(|column| !left.contains(column)).collect();
            (!left.is_empty() && !right.is_empty()).then(|| view.link(left, &right))
        }
        AttackKind::Infer { secret } => {
            let known: Vec<usize> =
                columns.iter().copied().filter(|column| column != secret).collect();
            (!known.is_empty()).then(|| view.infer(&known, *secret))
        }
    };
    Ok(told)
}

/// The rows that are gone through.
struct View<'t> {
    tables: &'t Encoded,
    options: &'t Attacks,
    data: Vec<usize>,
    original: Vec<usize>,
    control: Vec<usize>,
}

/// A description of a person: what has to hold of columns.
#[derive(Clone, Copy)]
enum Trait {
    Is(u32),
    AtLeast(f64),
    AtMost(f64),
}

impl<'t> View<'t> {
    fn new(tables: &'t Encoded, options: &'t Attacks) -> View<'t> {
        let rows = |role| usize::try_from(tables.rows(role)).unwrap_or(usize::MAX);
        let drawn =
            |role, most: usize, purpose| Choices::new(options.seed, purpose).rows(most, rows(role));
        // One out of many is rarer to be hit than one out of few: both sides have as many rows.
        let people = rows(Role::Original).min(rows(Role::Control)).min(options.rows_max);
        View {
            tables,
            options,
            data: drawn(Role::Data, options.rows_max, 1),
            original: drawn(Role::Original, people, 2),
            control: drawn(Role::Control, people, 3),
        }
    }

    fn codes(&self, role: Role, column: usize, rows: &[usize]) -> Vec<u32> {
        let all = self.tables.keyed(role, column).codes[0];
        rows.iter().map(|&row| all[row]).collect()
    }

    fn rows(&self, role: Role) -> &[usize] {
        match role {
            Role::Original => &self.original,
            Role::Control => &self.control,
            _ => &self.data,
        }
    }

    fn single_out(&self, columns: &[usize]) -> Option<AttackOutcome> {
        let cells = |role| -> Vec<Vec<u32>> {
            columns.iter().map(|&column| self.codes(role, column, self.rows(role))).collect()
        };
        let (data, original, control) =
            (cells(Role::Data), cells(Role::Original), cells(Role::Control));
        let orders: Vec<Option<&[f64]>> =
            columns.iter().map(|&column| self.tables.column(column).order()).collect();
        let middles: Vec<f64> =
            orders.iter().zip(&data).map(|(order, codes)| middle(*order, codes)).collect();
        let fits = |guess: &[(usize, Trait)], cells: &[Vec<u32>]| -> usize {
            let holds = |row: usize| {
                guess.iter().all(|&(at, wanted)| {
                    let code = cells[at][row];
                    let place = || orders[at].map_or(f64::NAN, |order| order[long(code)]);
                    match wanted {
                        Trait::Is(value) => code == value,
                        Trait::AtLeast(value) => place() >= value,
                        Trait::AtMost(value) => place() <= value,
                    }
                })
            };
            // Two are enough to know that it is not one.
            (0..cells[0].len()).filter(|&row| holds(row)).take(2).count()
        };
        let describe = |choices: &mut Choices, code_of: &dyn Fn(&mut Choices, usize) -> u32| {
            let few = columns.len().min(2);
            let chosen =
                choices.rows(few + choices.clone().below(columns.len() - few + 1), columns.len());
            let described = chosen.into_iter().map(|at| {
                let code = code_of(choices, at);
                let place = orders[at].map(|order| order[long(code)]);
                // Half of the numbers are known to the digit, half as being this high or low.
                match place.filter(|place| !place.is_nan()) {
                    Some(place) if choices.below(2) == 0 && place >= middles[at] => {
                        (at, Trait::AtLeast(place))
                    }
                    Some(place) if choices.below(2) == 0 && place < middles[at] => {
                        (at, Trait::AtMost(place))
                    }
                    _ => (at, Trait::Is(code)),
                }
            });
            described.collect::<Vec<_>>()
        };
        let tries = u64::try_from(self.options.attempts * TRIES).unwrap_or(u64::MAX);
        let guesses: Vec<Vec<(usize, Trait)>> = (0..tries)
            .into_par_iter()
            .filter_map(|attempt| {
                let mut choices = Choices::new(self.options.seed ^ mixed(attempt + 1), 4);
                let row = choices.below(self.data.len());
                let guess = describe(&mut choices, &|_, at| data[at][row]);
                (fits(&guess, &data) == 1).then_some(guess)
            })
            .collect();
        let guesses = &guesses[..guesses.len().min(self.options.attempts)];
        if guesses.is_empty() {
            return None;
        }
        let hits = |cells: &[Vec<u32>]| -> u64 {
            guesses.par_iter().filter(|guess| fits(guess, cells) == 1).count() as u64
        };
        let blind = (0..guesses.len() as u64).into_par_iter().filter(|&attempt| {
            let mut choices = Choices::new(self.options.seed ^ mixed(attempt + 1), 5);
            // Each trait of somebody else: what is known of columns, but not of rows.
            let guess =
                describe(&mut choices, &|choices, at| data[at][choices.below(self.data.len())]);
            fits(&guess, &original) == 1
        });
        let attempts = guesses.len() as u64;
        Some(AttackOutcome {
            attempts,
            hits: hits(&original),
            control_attempts: attempts,
            control_hits: hits(&control),
            baseline_hits: blind.count() as u64,
        })
    }

    fn link(&self, left: &[usize], right: &[usize]) -> AttackOutcome {
        let (left, right) = (Space::new(self, left), Space::new(self, right));
        let count = |role| {
            let targets = self.targets(role);
            let hits = targets.par_iter().filter(|&&row| {
                left.nearest(role, row, self.options.seed ^ 6)
                    == right.nearest(role, row, self.options.seed ^ 7)
            });
            (targets.len() as u64, hits.count() as u64)
        };
        let ((attempts, hits), (control_attempts, control_hits)) =
            (count(Role::Original), count(Role::Control));
        let mut choices = Choices::new(self.options.seed, 8);
        let blind = (0..attempts)
            .filter(|_| choices.below(self.data.len()) == choices.below(self.data.len()));
        let baseline_hits = blind.count() as u64;
        AttackOutcome { attempts, hits, control_attempts, control_hits, baseline_hits }
    }

    fn infer(&self, known: &[usize], secret: usize) -> AttackOutcome {
        let space = Space::new(self, known);
        let guesses = self.codes(Role::Data, secret, &self.data);
        let order = self.tables.column(secret).order();
        let right = |role, row: usize, guess: u32| {
            let truth = self.tables.keyed(role, secret).codes[0][row];
            if truth == guess {
                return true;
            }
            let Some(order) = order.filter(|_| truth != NULL && guess != NULL) else {
                return false;
            };
            let near = matches!(self.tables.column(secret).kind(), Kind::Number);
            let (truth, guess) = (order[long(truth)], order[long(guess)]);
            near && (truth - guess).abs() <= self.options.tolerance * truth.abs()
        };
        let count = |role| {
            let targets = self.targets(role);
            let hits = targets.par_iter().filter(|&&row| {
                right(role, row, guesses[space.nearest(role, row, self.options.seed ^ 9)])
            });
            (targets.len() as u64, hits.count() as u64)
        };
        let ((attempts, hits), (control_attempts, control_hits)) =
            (count(Role::Original), count(Role::Control));
        let mut choices = Choices::new(self.options.seed, 10);
        let blind = self
            .targets(Role::Original)
            .into_iter()
            .filter(|&row| right(Role::Original, row, guesses[choices.below(guesses.len())]));
        let baseline_hits = blind.count() as u64;
        AttackOutcome { attempts, hits, control_attempts, control_hits, baseline_hits }
    }

    /// Rows of people who are attacked.
    fn targets(&self, role: Role) -> Vec<usize> {
        let rows = self.rows(role);
        let mut choices = Choices::new(self.options.seed, 11);
        choices.rows(self.options.attempts, rows.len()).into_iter().map(|at| rows[at]).collect()
    }
}

/// The data in some columns, as an attacker measures how near rows are (Gower, 1971): a difference is 1
/// between names, and between numbers their distance in units of the range.
struct Space<'v, 't> {
    view: &'v View<'t>,
    axes: Vec<Axis>,
}

struct Axis {
    column: usize,
    codes: Vec<u32>,
    /// Places by number, in units of the range.
    places: Option<Vec<f32>>,
}

impl<'v, 't> Space<'v, 't> {
    fn new(view: &'v View<'t>, columns: &[usize]) -> Space<'v, 't> {
        let axis = |&column: &usize| {
            let codes = view.codes(Role::Data, column, &view.data);
            let order = view.tables.column(column).order();
            let places = order.and_then(|order| {
                let known = codes.iter().map(|&code| order[long(code)]);
                let known = known.filter(|place| place.is_finite());
                let (low, high) = known.fold((f64::INFINITY, f64::NEG_INFINITY), |ends, place| {
                    (ends.0.min(place), ends.1.max(place))
                });
                let range = high - low;
                #[expect(clippy::cast_possible_truncation, reason = "a distance, not a value")]
                let scaled = |&place: &f64| ((place - low) / range) as f32;
                (range > 0.0).then(|| order.iter().map(scaled).collect())
            });
            Axis { column, codes, places }
        };
        Space { view, axes: columns.iter().map(axis).collect() }
    }

    /// The nearest row of the data, by its place in the view; among equals one by lot.
    fn nearest(&self, role: Role, row: usize, lot: u64) -> usize {
        let target: Vec<u32> = self
            .axes
            .iter()
            .map(|axis| self.view.tables.keyed(role, axis.column).codes[0][row])
            .collect();
        let lot = mixed(lot ^ mixed(row as u64));
        let (mut best, mut least, mut ticket) = (0, f32::INFINITY, u64::MAX);
        for at in 0..self.view.data.len() {
            let mut far = 0.0;
            for (axis, &code) in self.axes.iter().zip(&target) {
                far += axis.distance(axis.codes[at], code);
                if far > least {
                    break;
                }
            }
            if far > least {
                continue;
            }
            let drawn = mixed(lot ^ at as u64);
            if far < least || drawn < ticket {
                (best, least, ticket) = (at, far, drawn);
            }
        }
        best
    }
}

impl Axis {
    fn distance(&self, a: u32, b: u32) -> f32 {
        if a == b {
            return 0.0;
        }
        match &self.places {
            Some(places) if a != NULL && b != NULL => {
                (places[long(a)] - places[long(b)]).abs().min(1.0)
            }
            _ => 1.0,
        }
    }
}

/// The middle of the values in use, NaN where they have no order.
fn middle(order: Option<&[f64]>, codes: &[u32]) -> f64 {
    let Some(order) = order else { return f64::NAN };
    let mut places: Vec<f64> =
        codes.iter().map(|&code| order[long(code)]).filter(|place| !place.is_nan()).collect();
    places.sort_unstable_by(f64::total_cmp);
    places.get(places.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Descriptions that are tried for each that is wanted.
const TRIES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_leaves_out_what_is_not_there() {
        assert_eq!(middle(Some(&[f64::NAN, 1.0, 5.0, 9.0]), &[0, 3, 1, 2, 0]), 5.0);
        assert!(middle(None, &[1]).is_nan());
    }
}
