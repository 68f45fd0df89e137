//! How little has to be made coarser for every row to have enough others like it.

use crate::classes::{Classes, Keyed, classes};
use crate::columns::{Encoded, Kind, NULL, Role};
use crate::math::{long, real, short};
use crate::{Column, RiskError};
use std::collections::BTreeMap;

/// What happens to a column, in the words of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It stays as it is.
    Keep,
    /// Dates become `month`, `quarter` or `year`.
    To(&'static str),
    /// Numbers are cut to multiples.
    Step(u64),
    /// Text is cut to its first characters.
    Prefix(usize),
    /// It goes.
    Drop,
}

/// One column of a suggestion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CoarserColumn {
    /// Position among the columns.
    pub column: usize,
    /// What happens to it.
    pub change: Change,
    /// Share of its entropy that goes with it.
    pub loss: f64,
}

/// A way to reach the target.
#[derive(Clone, Debug, PartialEq)]
pub struct Coarser {
    /// Every column, in order.
    pub columns: Vec<CoarserColumn>,
    /// Rows of the smallest class, of those that stay.
    pub k: u64,
    /// Rows in smaller classes, which have to be left out.
    pub rows_left_out: u64,
    /// Share of the information that goes: one minus the mean share of entropy that columns keep, times
    /// the share of rows that stay (after Gionis and Tassa, 2009).
    pub loss: f64,
    /// Ways that were looked at.
    pub looked_at: u64,
}

/// Looks for a small loss at which every row that stays has `k - 1` others like it, and at most the share
/// `left_out_max` of the rows is left out.
///
/// A greedy walk: of the next steps of all columns, the one that saves the most rows for its loss; at the
/// end every column goes back as far as it can. The result is a way, not always the least. None when there
/// are fewer than `k` rows.
///
/// # Errors
/// The caller asked to stop.
pub fn coarser(
    tables: &Encoded,
    columns: &[usize],
    k: u64,
    left_out_max: f64,
    stop: &dyn Fn() -> bool,
) -> Result<Option<Coarser>, RiskError> {
    let keyed: Vec<Keyed<'_>> = columns.iter().map(|&at| tables.keyed(Role::Data, at)).collect();
    let rows = tables.rows(Role::Data);
    if rows < k {
        return Ok(None);
    }
    let ladders: Vec<Vec<Level>> =
        columns.iter().zip(&keyed).map(|(&at, keyed)| ladder(tables.column(at), keyed)).collect();
    let mut search =
        Search { items: Items::of_rows(&classes(&keyed), &keyed), ladders, k, looked_at: 0, stop };
    let allowed = left_out_max * real(rows);
    let mut levels = vec![0; columns.len()];
    let whole = search.items.clone();
    let mut below = search.below(&levels)?;
    while real(below) > allowed {
        let mut best: Option<(f64, f64, usize, u64)> = None;
        for column in 0..levels.len() {
            let Some(next) = search.ladders[column].get(levels[column] + 1) else { continue };
            let more = next.loss - search.ladders[column][levels[column]].loss;
            let mut tried = levels.clone();
            tried[column] += 1;
            let then = search.below(&tried)?;
            let saved = real(below.saturating_sub(then)) / more.max(1e-12);
            let better = best
                .is_none_or(|(known, loss, _, _)| saved > known || (saved >= known && more < loss));
            if better {
                best = Some((saved, more, column, then));
            }
        }
        let Some((_, _, column, then)) = best else { break };
        levels[column] += 1;
        below = then;
        // Ladders are nested, so what is alike now stays so: the walk goes on with fewer, larger items.
        search.items = search.items.merged(&search.ladders, &levels);
    }
    search.items = whole;
    let mut order: Vec<usize> = (0..levels.len()).collect();
    order.sort_by(|&a, &b| {
        let loss = |at: usize| search.ladders[at][levels[at]].loss;
        loss(b).total_cmp(&loss(a)).then(a.cmp(&b))
    });
    for column in order {
        for lower in 0..levels[column] {
            let mut tried = levels.clone();
            tried[column] = lower;
            if real(search.below(&tried)?) <= allowed {
                levels = tried;
                break;
            }
        }
    }
    let sums = search.sums(&levels)?;
    let rows_left_out: u64 = sums.iter().filter(|&&sum| sum < k).sum();
    let told: Vec<CoarserColumn> = columns
        .iter()
        .enumerate()
        .map(|(at, &column)| {
            let Level { change, loss, .. } = search.ladders[at][levels[at]];
            CoarserColumn { column, change, loss }
        })
        .collect();
    let mean = told.iter().map(|column| column.loss).sum::<f64>() / real(told.len() as u64);
    let stay = 1.0 - real(rows_left_out) / real(rows);
    Ok(Some(Coarser {
        columns: told,
        k: sums.iter().copied().filter(|&sum| sum >= k).min().unwrap_or(0),
        rows_left_out,
        loss: 1.0 - (1.0 - mean) * stay,
        looked_at: search.looked_at,
    }))
}

struct Search<'s> {
    items: Items,
    ladders: Vec<Vec<Level>>,
    k: u64,
    looked_at: u64,
    stop: &'s dyn Fn() -> bool,
}

impl Search<'_> {
    /// Rows in classes that are too small.
    fn below(&mut self, levels: &[usize]) -> Result<u64, RiskError> {
        let k = self.k;
        Ok(self.sums(levels)?.into_iter().filter(|&sum| sum < k).sum())
    }

    fn sums(&mut self, levels: &[usize]) -> Result<Vec<u64>, RiskError> {
        if (self.stop)() {
            return Err(RiskError::Stopped);
        }
        self.looked_at += 1;
        Ok(self.items.sums(&self.items.grouped(&self.ladders, levels)))
    }
}

/// Rows that are alike in every column, as one.
#[derive(Clone)]
struct Items {
    /// Cells by column.
    codes: Vec<Vec<u32>>,
    rows: Vec<u64>,
}

impl Items {
    fn of_rows(groups: &Classes, columns: &[Keyed<'_>]) -> Items {
        let mut first = vec![u32::MAX; groups.sizes().len()];
        for (row, &class) in groups.of().iter().enumerate() {
            let first = &mut first[long(class)];
            if *first == u32::MAX {
                *first = short(row);
            }
        }
        let codes = columns
            .iter()
            .map(|column| {
                let mut codes = vec![NULL; first.len()];
                for (row, code) in column.iter().enumerate() {
                    let class = long(groups.of()[row]);
                    if first[class] == short(row) {
                        codes[class] = code;
                    }
                }
                codes
            })
            .collect();
        Items { codes, rows: groups.sizes().iter().map(|&size| u64::from(size)).collect() }
    }

    fn grouped(&self, ladders: &[Vec<Level>], levels: &[usize]) -> Classes {
        let coarse: Vec<Vec<u32>> = self
            .codes
            .iter()
            .enumerate()
            .map(|(at, codes)| {
                let map = &ladders[at][levels[at]].map;
                codes.iter().map(|&code| map[long(code)]).collect()
            })
            .collect();
        let keyed: Vec<Keyed<'_>> = coarse
            .iter()
            .zip(ladders.iter().zip(levels))
            .map(|(codes, (ladder, &level))| Keyed {
                codes: vec![codes],
                cardinality: ladder[level].cardinality,
            })
            .collect();
        classes(&keyed)
    }

    fn sums(&self, groups: &Classes) -> Vec<u64> {
        let mut sums = vec![0; groups.sizes().len()];
        for (&class, rows) in groups.of().iter().zip(&self.rows) {
            sums[long(class)] += rows;
        }
        sums
    }

    fn merged(&self, ladders: &[Vec<Level>], levels: &[usize]) -> Items {
        let groups = self.grouped(ladders, levels);
        let keyed: Vec<Keyed<'_>> = self
            .codes
            .iter()
            .map(|codes| Keyed { codes: vec![codes], cardinality: u32::MAX })
            .collect();
        Items { rows: self.sums(&groups), codes: Items::of_rows(&groups, &keyed).codes }
    }
}

/// One step of a ladder: each is a coarser cut of the one before.
struct Level {
    change: Change,
    /// The coarse number of every cell.
    map: Vec<u32>,
    cardinality: u32,
    loss: f64,
}

/// From the column as it is to none at all.
fn ladder(column: &Column, keyed: &Keyed<'_>) -> Vec<Level> {
    let mut counts = vec![0_u64; long(column.cardinality())];
    for code in keyed.iter() {
        counts[long(code)] += 1;
    }
    let whole = entropy(&counts);
    let mut levels = vec![Level {
        change: Change::Keep,
        map: (0..column.cardinality()).collect(),
        cardinality: column.cardinality(),
        loss: 0.0,
    }];
    for (change, map) in cuts(column) {
        let cardinality = map.iter().max().map_or(1, |&most| most + 1);
        let mut coarse = vec![0_u64; long(cardinality)];
        for (&code, count) in map.iter().zip(&counts) {
            coarse[long(code)] += count;
        }
        let loss = if whole > 0.0 { (1.0 - entropy(&coarse) / whole).max(0.0) } else { 0.0 };
        let values = |counts: &[u64]| counts.iter().filter(|&&count| count > 0).count();
        // A cut that joins nothing, or everything, is no step of its own.
        let before = levels.last().map_or(0.0, |level: &Level| level.loss);
        if loss > before && values(&coarse) > 1 {
            levels.push(Level { change, map, cardinality, loss });
        }
    }
    levels.push(Level {
        change: Change::Drop,
        map: vec![NULL; long(column.cardinality())],
        cardinality: 1,
        loss: 1.0,
    });
    levels
}

/// Cuts that a policy knows, from fine to coarse, each within the next.
fn cuts(column: &Column) -> Vec<(Change, Vec<u32>)> {
    let codes = 1..column.cardinality();
    let lengths: Option<Vec<usize>> =
        codes.map(|code| column.text(code).map(|text| text.chars().count())).collect();
    let length = lengths.and_then(|lengths| {
        let first = *lengths.first()?;
        lengths.iter().all(|&length| length == first).then_some(first)
    });
    match (column.kind(), column.order(), length) {
        (Kind::Date, Some(days), _) => dates(days, 86_400_000_000_000.0),
        (Kind::Time, Some(moments), _) => dates(moments, 1.0),
        (Kind::Number, _, Some(length)) if length >= CODE_LENGTH_MIN => prefixes(column, length),
        (Kind::Number, Some(numbers), _) => steps(numbers),
        (Kind::Text, _, Some(length)) if length > 1 => prefixes(column, length),
        _ => Vec::new(),
    }
}

fn dates(places: &[f64], nanoseconds: f64) -> Vec<(Change, Vec<u32>)> {
    #[expect(clippy::cast_possible_truncation, reason = "a day of the calendar, in seconds")]
    let date = |place: f64| {
        let seconds = (place * nanoseconds / 1e9).floor() as i64;
        let time = jiff::Timestamp::from_second(seconds).ok()?;
        Some(time.to_zoned(jiff::tz::TimeZone::UTC).date())
    };
    let dates: Vec<Option<jiff::civil::Date>> = places.iter().map(|&place| date(place)).collect();
    let cut =
        |part: fn(jiff::civil::Date) -> i64| numbered(dates.iter().map(|date| date.map(part)));
    vec![
        (Change::To("day"), cut(|d| i64::from(d.year()) * 400 + i64::from(d.day_of_year()))),
        (Change::To("month"), cut(|d| i64::from(d.year()) * 12 + i64::from(d.month()) - 1)),
        (Change::To("quarter"), cut(|d| i64::from(d.year()) * 4 + (i64::from(d.month()) - 1) / 3)),
        (Change::To("year"), cut(|d| i64::from(d.year()))),
    ]
}

/// 5, 10, 50, 100 and so on, so that each step is a multiple of the one before.
fn steps(places: &[f64]) -> Vec<(Change, Vec<u32>)> {
    let known = places.iter().copied().filter(|place| place.is_finite());
    let (low, high) = known.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), place| {
        (low.min(place), high.max(place))
    });
    let mut cuts = Vec::new();
    let (mut step, mut five) = (5_u64, true);
    while real(step) <= (high - low).max(0.0) && cuts.len() < STEPS_MAX {
        let width = real(step);
        // A remainder is exact where a quotient would be rounded.
        let cut = |place: f64| Some(((place - place.rem_euclid(width)) / width).to_bits());
        let cells = places.iter().map(|&place| if place.is_nan() { None } else { cut(place) });
        cuts.push((Change::Step(step), numbered(cells)));
        step *= if five { 2 } else { 5 };
        five = !five;
    }
    cuts
}

fn prefixes(column: &Column, length: usize) -> Vec<(Change, Vec<u32>)> {
    let cut = |prefix: usize| {
        let cells = (0..column.cardinality()).map(|code| {
            column.text(code).map(|text| text.chars().take(prefix).collect::<String>())
        });
        (Change::Prefix(prefix), numbered(cells))
    };
    (1..length).rev().map(cut).take(PREFIXES_MAX).collect()
}

/// Numbers what is equal from 1; what is not there is 0.
fn numbered<T: Ord>(cells: impl Iterator<Item = Option<T>>) -> Vec<u32> {
    let mut known = BTreeMap::new();
    cells
        .map(|cell| match cell {
            None => NULL,
            Some(cell) => {
                let next = short(known.len() + 1);
                *known.entry(cell).or_insert(next)
            }
        })
        .collect()
}

fn entropy(counts: &[u64]) -> f64 {
    let sum = real(counts.iter().sum());
    let shares = counts.iter().filter(|&&count| count > 0).map(|&count| real(count) / sum);
    shares.map(|share| -share * share.ln()).sum()
}

const STEPS_MAX: usize = 16;
const PREFIXES_MAX: usize = 8;
/// Digits of one length are names of places rather than amounts.
const CODE_LENGTH_MIN: usize = 4;
