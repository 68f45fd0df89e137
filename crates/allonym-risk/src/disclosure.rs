//! What somebody learns of a sensitive column who knows in which class a person is.

use crate::classes::{Classes, Keyed};
use crate::math::{long, real, short, size};
use rayon::prelude::*;

/// What classes give away of one sensitive column: the worst over all classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disclosure {
    /// Distinct values in the class that has the fewest (Machanavajjhala and others, 2007).
    pub distinct_l: u64,
    /// Exponential of the least entropy of a class: entropy l-diversity, in values.
    pub entropy_l: f64,
    /// With `l = distinct_l`: recursive (c, l)-diversity holds for every `c` above; none where `l` is
    /// 1, since it then holds for no `c`.
    pub recursive_c: Option<f64>,
    /// Largest distance of a class from the whole, all values equally far apart: t-closeness (Li, Li and
    /// Venkatasubramanian, 2007).
    pub t_equal: f64,
    /// The same for values on a line, neighbours equally far apart, the ends at distance 1; none for
    /// columns without an order and for a single value. Null is the first of all.
    pub t_ordered: Option<f64>,
    /// Largest share that one value has in a class: (alpha, k)-anonymity (Wong and others, 2006).
    pub alpha: f64,
    /// Largest relative gain of a value in a class: basic beta-likeness (Cao and Karras, 2012).
    pub beta: f64,
    /// The same, kept below minus the logarithm of the rarest value's share: enhanced beta-likeness.
    pub enhanced_beta: f64,
    /// Largest logarithm of a value's share in a class over that in the whole, where it is there at
    /// all: delta-disclosure (Brickell and Shmatikov, 2008).
    pub delta: f64,
    /// Rows in classes that hold one value only.
    pub certain_rows: u64,
}

/// Measures one sensitive column against the classes.
///
/// `order` gives the place of each value on a line, by its number.
///
/// # Panics
/// When classes and column differ in length, or there is no row.
#[must_use]
pub fn disclosure(classes: &Classes, column: &Keyed<'_>, order: Option<&[f64]>) -> Disclosure {
    assert_eq!(classes.of().len(), column.len(), "one cell for each row");
    let whole = Whole::new(column, order);
    let mut cells = sorted_by_class(classes, column);
    let mut pieces = Vec::new();
    let mut rest = cells.as_mut_slice();
    for sizes in classes.sizes().chunks(CLASSES_AT_ONCE) {
        let rows: usize = sizes.iter().map(|&size| long(size)).sum();
        let (here, behind) = rest.split_at_mut(rows);
        pieces.push((sizes, here));
        rest = behind;
    }
    let worst = pieces
        .into_par_iter()
        .map(|(sizes, mut cells)| {
            let mut worst = Worst::NONE;
            for &rows in sizes {
                let (class, behind) = cells.split_at_mut(long(rows));
                worst = worst.and(whole.of_class(class));
                cells = behind;
            }
            worst
        })
        .reduce(|| Worst::NONE, Worst::and);
    // Which sum recursive diversity divides by depends on the least l of all classes.
    let distinct_l = worst.distinct;
    let recursive_c = (distinct_l > 1).then(|| {
        let mut rest = cells.as_slice();
        let mut c = 0.0_f64;
        for &rows in classes.sizes() {
            let (class, behind) = rest.split_at(long(rows));
            let mut counts: Vec<usize> = runs(class).map(<[u32]>::len).collect();
            counts.sort_unstable_by(|a, b| b.cmp(a));
            let from = usize::try_from(distinct_l).expect("at most as many as rows") - 1;
            let behind_l: usize = counts[from..].iter().sum();
            c = c.max(size(counts[0]) / size(behind_l));
            rest = behind;
        }
        c
    });
    Disclosure {
        distinct_l,
        entropy_l: worst.entropy.exp(),
        recursive_c,
        t_equal: worst.t_equal,
        t_ordered: whole.line.as_ref().map(|_| worst.t_ordered),
        alpha: worst.alpha,
        beta: worst.beta,
        enhanced_beta: worst.beta.min(whole.rarest()),
        delta: worst.delta,
        certain_rows: worst.certain_rows,
    }
}

/// The column as a whole.
struct Whole {
    /// Share of each value, by number.
    shares: Vec<f64>,
    line: Option<Line>,
}

/// Values that occur, on a line.
struct Line {
    /// The place of a value among those that occur, by number.
    rank: Vec<u32>,
    /// Share of rows up to a place.
    below: Vec<f64>,
    /// Sums of `below` before a place.
    sums: Vec<f64>,
}

/// The worst of some classes.
#[derive(Clone, Copy)]
struct Worst {
    distinct: u64,
    entropy: f64,
    t_equal: f64,
    t_ordered: f64,
    alpha: f64,
    beta: f64,
    delta: f64,
    certain_rows: u64,
}

impl Worst {
    const NONE: Worst = Worst {
        distinct: u64::MAX,
        entropy: f64::INFINITY,
        t_equal: 0.0,
        t_ordered: 0.0,
        alpha: 0.0,
        beta: 0.0,
        delta: 0.0,
        certain_rows: 0,
    };

    fn and(self, other: Worst) -> Worst {
        Worst {
            distinct: self.distinct.min(other.distinct),
            entropy: self.entropy.min(other.entropy),
            t_equal: self.t_equal.max(other.t_equal),
            t_ordered: self.t_ordered.max(other.t_ordered),
            alpha: self.alpha.max(other.alpha),
            beta: self.beta.max(other.beta),
            delta: self.delta.max(other.delta),
            certain_rows: self.certain_rows + other.certain_rows,
        }
    }
}

impl Whole {
    fn new(column: &Keyed<'_>, order: Option<&[f64]>) -> Whole {
        let mut counts = vec![0_u64; long(column.cardinality)];
        for code in column.iter() {
            counts[long(code)] += 1;
        }
        let rows = size(column.len());
        let line = order.and_then(|order| Line::new(&counts, order, rows));
        Whole { shares: counts.into_iter().map(|count| real(count) / rows).collect(), line }
    }

    /// Sorts the cells of the class on the way.
    fn of_class(&self, class: &mut [u32]) -> Worst {
        class.sort_unstable();
        let rows = size(class.len());
        let mut found = Worst { distinct: 0, entropy: 0.0, ..Worst::NONE };
        for run in runs(class) {
            let (here, whole) = (size(run.len()) / rows, self.shares[long(run[0])]);
            found.distinct += 1;
            found.entropy -= here * here.ln();
            // Half the sum of all differences is the sum of those on one side.
            found.t_equal += (here - whole).max(0.0);
            found.alpha = found.alpha.max(here);
            found.beta = found.beta.max((here - whole) / whole);
            found.delta = found.delta.max((here / whole).ln().abs());
        }
        if found.distinct == 1 {
            found.certain_rows = class.len() as u64;
        }
        if let Some(line) = &self.line {
            found.t_ordered = line.distance(class);
        }
        found
    }

    fn rarest(&self) -> f64 {
        -self.shares.iter().copied().filter(|&share| share > 0.0).fold(1.0, f64::min).ln()
    }
}

impl Line {
    fn new(counts: &[u64], order: &[f64], rows: f64) -> Option<Line> {
        let mut codes: Vec<u32> =
            (0..counts.len()).filter(|&code| counts[code] > 0).map(short).collect();
        // Null has no place, and so the first.
        let place = |code: u32| Some(order[long(code)]).filter(|place| !place.is_nan());
        codes.sort_unstable_by(|&a, &b| match (place(a), place(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        });
        if codes.len() < 2 {
            return None;
        }
        let mut rank = vec![0; counts.len()];
        let (mut below, mut sums) = (Vec::new(), vec![0.0]);
        let (mut count, mut sum) = (0, 0.0);
        for (at, &code) in codes.iter().enumerate() {
            rank[long(code)] = short(at);
            count += counts[long(code)];
            below.push(real(count) / rows);
            sum += real(count) / rows;
            sums.push(sum);
        }
        Some(Line { rank, below, sums })
    }

    /// The earth mover's distance: areas between two rising staircases, over the length of the line.
    fn distance(&self, class: &[u32]) -> f64 {
        let mut ranks: Vec<u32> = class.iter().map(|&code| self.rank[long(code)]).collect();
        ranks.sort_unstable();
        let rows = size(ranks.len());
        let (mut from, mut count, mut area) = (0, 0, 0.0);
        for run in runs(&ranks) {
            area += self.area(from, long(run[0]), size(count) / rows);
            from = long(run[0]);
            count += run.len();
        }
        area += self.area(from, self.below.len(), 1.0);
        area / size(self.below.len() - 1)
    }

    /// Between the whole's staircase and a level, over the places `from..to`.
    fn area(&self, from: usize, to: usize, level: f64) -> f64 {
        let crossing = from + self.below[from..to].partition_point(|&below| below < level);
        let under = level * size(crossing - from) - (self.sums[crossing] - self.sums[from]);
        let over = (self.sums[to] - self.sums[crossing]) - level * size(to - crossing);
        under.max(0.0) + over.max(0.0)
    }
}

fn runs(sorted: &[u32]) -> impl Iterator<Item = &[u32]> {
    sorted.chunk_by(|a, b| a == b)
}

/// The column's cells, class by class.
fn sorted_by_class(classes: &Classes, column: &Keyed<'_>) -> Vec<u32> {
    let mut next = 0;
    let mut places: Vec<usize> = Vec::with_capacity(classes.sizes().len());
    for &size in classes.sizes() {
        places.push(next);
        next += long(size);
    }
    let mut cells = vec![0; column.len()];
    for (&class, code) in classes.of().iter().zip(column.iter()) {
        let place = &mut places[long(class)];
        cells[*place] = code;
        *place += 1;
    }
    cells
}

const CLASSES_AT_ONCE: usize = 1 << 12;
