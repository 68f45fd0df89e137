//! Rows that are alike: groups by any number of columns.

use crate::math::{long, mixed, real, short};
use rayon::prelude::*;

/// A column to be grouped by: the numbers of its cells, below `cardinality`, in one or more pieces.
#[derive(Clone, Debug)]
pub struct Keyed<'a> {
    /// Numbers of cells.
    pub codes: Vec<&'a [u32]>,
    /// Every number is below.
    pub cardinality: u32,
}

impl Keyed<'_> {
    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.codes.iter().map(|piece| piece.len()).sum()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.codes.iter().flat_map(|piece| piece.iter().copied())
    }
}

/// Which rows are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    of: Vec<u32>,
    sizes: Vec<u32>,
}

/// Classes of some sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeBin {
    /// Smallest size.
    pub from: u64,
    /// Largest size; none where there is no end.
    pub to: Option<u64>,
    /// Classes.
    pub classes: u64,
    /// Rows in them.
    pub rows: u64,
}

impl Classes {
    /// The class of each row.
    #[must_use]
    pub fn of(&self) -> &[u32] {
        &self.of
    }

    /// Rows of each class.
    #[must_use]
    pub fn sizes(&self) -> &[u32] {
        &self.sizes
    }

    /// Rows of the smallest class (Samarati and Sweeney, 1998); 0 without rows.
    #[must_use]
    pub fn k(&self) -> u64 {
        u64::from(self.sizes.par_iter().copied().min().unwrap_or(0))
    }

    /// Rows that are alone.
    #[must_use]
    pub fn uniques(&self) -> u64 {
        self.of_size(1)
    }

    /// Classes of one size.
    #[must_use]
    pub fn of_size(&self, size: u32) -> u64 {
        self.sizes.par_iter().filter(|&&known| known == size).count() as u64
    }

    /// Rows in classes smaller than `k`.
    #[must_use]
    pub fn rows_below(&self, k: u64) -> u64 {
        self.sizes.par_iter().map(|&size| u64::from(size)).filter(|&size| size < k).sum()
    }

    /// How many classes are how large.
    #[must_use]
    pub fn histogram(&self) -> Vec<SizeBin> {
        let mut bins: Vec<SizeBin> = BIN_STARTS
            .iter()
            .enumerate()
            .map(|(at, &from)| {
                let to = BIN_STARTS.get(at + 1).map(|next| next - 1);
                SizeBin { from, to, classes: 0, rows: 0 }
            })
            .collect();
        for &size in &self.sizes {
            let size = u64::from(size);
            let at = BIN_STARTS.partition_point(|&from| from <= size) - 1;
            bins[at].classes += 1;
            bins[at].rows += size;
        }
        bins
    }

    /// How many classes have each size that occurs, by rising size.
    pub(crate) fn sizes_of_sizes(&self) -> Vec<(u64, u64)> {
        let mut sizes: Vec<u32> = self.sizes.clone();
        sizes.par_sort_unstable();
        let runs = sizes.chunk_by(|a, b| a == b);
        runs.map(|run| (u64::from(run[0]), run.len() as u64)).collect()
    }

    /// The average chance of whoever links a row to one of its class by guessing: classes of rows.
    #[must_use]
    pub fn average_risk(&self) -> f64 {
        real(self.sizes.len() as u64) / real(self.of.len() as u64)
    }
}

/// Groups rows by the columns. The numbers of classes mean nothing.
///
/// # Panics
/// When columns differ in length, or without a column.
#[must_use]
pub fn classes(columns: &[Keyed<'_>]) -> Classes {
    let rows = columns.first().expect("rows are grouped by at least one column").len();
    let mut keys: Vec<u64> = vec![0; rows];
    // Columns are written into one number, like digits, as long as it holds them; where it would not,
    // the number so far is replaced by that of its class, of which there are at most as many as rows.
    let mut radix: u64 = 1;
    for column in columns {
        assert_eq!(column.len(), rows, "columns have one cell for each row");
        let digits = u64::from(column.cardinality.max(1));
        if radix.checked_mul(digits).is_none() {
            let classes = dense(&keys, radix);
            radix = classes.sizes.len() as u64;
            keys.par_iter_mut().zip(&classes.of).for_each(|(key, &class)| *key = u64::from(class));
        }
        let mut rest = keys.as_mut_slice();
        for piece in &column.codes {
            let (here, behind) = rest.split_at_mut(piece.len());
            let digit = |(key, &code): (&mut u64, &u32)| *key = *key * digits + u64::from(code);
            here.par_iter_mut().zip(piece.par_iter()).with_min_len(GRAIN).for_each(digit);
            rest = behind;
        }
        radix *= digits;
    }
    dense(&keys, radix)
}

/// Equal keys get one number; keys are below `radix`.
fn dense(keys: &[u64], radix: u64) -> Classes {
    let direct = usize::try_from(radix).ok();
    match direct.filter(|&radix| radix <= (2 * keys.len()).max(GRAIN)) {
        Some(radix) => by_table(keys, radix),
        None if keys.len() <= GRAIN => by_hash(keys),
        None => by_parts(keys),
    }
}

fn by_table(keys: &[u64], radix: usize) -> Classes {
    let mut counts = vec![0_u32; radix];
    let place = |key: u64| usize::try_from(key).expect("keys are below the radix, a length");
    for &key in keys {
        counts[place(key)] += 1;
    }
    let mut sizes = Vec::new();
    for count in counts.iter_mut().filter(|count| **count > 0) {
        sizes.push(*count);
        *count = short(sizes.len() - 1);
    }
    let of = keys.par_iter().with_min_len(GRAIN).map(|&key| counts[place(key)]).collect();
    Classes { of, sizes }
}

fn by_hash(keys: &[u64]) -> Classes {
    let mut of = vec![0; keys.len()];
    let sizes = numbered(keys, &mut of);
    Classes { of, sizes }
}

/// Keys are dealt out by their hash, so that each part fits into a cache and parts can be worked on at
/// once. The number of parts is fixed, and with it every class number.
fn by_parts(keys: &[u64]) -> Classes {
    let part = |key: u64| {
        usize::try_from(mixed(key) >> (64 - PARTS.ilog2())).expect("a number below PARTS")
    };
    let mut ends = vec![0_usize; PARTS];
    for &key in keys {
        ends[part(key)] += 1;
    }
    let mut next = 0;
    let mut starts = Vec::with_capacity(PARTS);
    for end in &mut ends {
        starts.push(next);
        next += *end;
        *end = next;
    }
    let mut cursor = starts.clone();
    let (mut dealt, mut rows) = (vec![0_u64; keys.len()], vec![0_u32; keys.len()]);
    for (row, &key) in keys.iter().enumerate() {
        let at = &mut cursor[part(key)];
        dealt[*at] = key;
        rows[*at] = short(row);
        *at += 1;
    }
    let mut classes = vec![0_u32; keys.len()];
    let mut pieces = Vec::with_capacity(PARTS);
    let mut rest = classes.as_mut_slice();
    for (&start, &end) in starts.iter().zip(&ends) {
        let (here, behind) = rest.split_at_mut(end - start);
        pieces.push((&dealt[start..end], here));
        rest = behind;
    }
    let parts: Vec<Vec<u32>> =
        pieces.into_par_iter().map(|(keys, of)| numbered(keys, of)).collect();
    drop(dealt);
    let mut of = vec![0_u32; keys.len()];
    let mut first = 0_u32;
    for ((&start, &end), sizes) in starts.iter().zip(&ends).zip(&parts) {
        for (&row, &class) in rows[start..end].iter().zip(&classes[start..end]) {
            of[long(row)] = first + class;
        }
        first += short(sizes.len());
    }
    Classes { of, sizes: parts.concat() }
}

/// Numbers keys in the order they come, by open addressing; gives how often each came.
fn numbered(keys: &[u64], of: &mut [u32]) -> Vec<u32> {
    let slots = (2 * keys.len()).next_power_of_two().max(2);
    let mask = slots as u64 - 1;
    // The class behind a slot, from 1; 0 is free.
    let mut table = vec![0_u32; slots];
    let (mut known, mut sizes) = (Vec::new(), Vec::new());
    for (&key, of) in keys.iter().zip(of) {
        let mut slot = usize::try_from(mixed(key) & mask).expect("below the number of slots");
        *of = loop {
            match table[slot] {
                0 => {
                    known.push(key);
                    sizes.push(1);
                    table[slot] = short(known.len());
                    break short(known.len() - 1);
                }
                class if known[long(class) - 1] == key => {
                    sizes[long(class) - 1] += 1;
                    break class - 1;
                }
                _ => slot = (slot + 1) & (slots - 1),
            }
        };
    }
    sizes
}

const BIN_STARTS: [u64; 9] = [1, 2, 3, 4, 5, 10, 20, 50, 100];
const PARTS: usize = 256;
const GRAIN: usize = 1 << 15;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Choices;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// The same by the plainest means: rows by their cells.
    fn plainly(columns: &[Vec<u32>]) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<Vec<u32>, Vec<usize>> = BTreeMap::new();
        for row in 0..columns[0].len() {
            groups.entry(columns.iter().map(|column| column[row]).collect()).or_default().push(row);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort();
        groups
    }

    fn rows_of(classes: &Classes) -> Vec<Vec<usize>> {
        let mut groups = vec![Vec::new(); classes.sizes().len()];
        for (row, &class) in classes.of().iter().enumerate() {
            groups[long(class)].push(row);
        }
        for (group, &size) in groups.iter().zip(classes.sizes()) {
            assert_eq!(group.len(), long(size));
        }
        groups.sort();
        groups
    }

    fn grouped(columns: &[Vec<u32>], cardinality: u32) -> Classes {
        let keyed = |column| Keyed { codes: vec![column], cardinality };
        classes(&columns.iter().map(|column| keyed(column.as_slice())).collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn rows_are_grouped_as_by_the_plainest_means(
            columns in prop::collection::vec(prop::collection::vec(0_u32..4, 12), 1..5),
            cardinality in prop::sample::select(vec![4_u32, 100_000, u32::MAX]),
        ) {
            prop_assert_eq!(rows_of(&grouped(&columns, cardinality)), plainly(&columns));
        }
    }

    #[test]
    fn many_rows_are_grouped_alike_by_table_hash_and_parts() {
        let mut choices = Choices::new(7, 0);
        let rows = 3 * GRAIN;
        let column =
            |choices: &mut Choices| (0..rows).map(|_| short(choices.below(60))).collect::<Vec<_>>();
        let columns = [column(&mut choices), column(&mut choices), column(&mut choices)];
        let expected = plainly(&columns);
        // Small enough for a table, then too large for one, then too large for one number.
        for cardinality in [60, 1 << 20, u32::MAX] {
            let made = grouped(&columns, cardinality);
            assert_eq!(rows_of(&made), expected);
        }
        let keys: Vec<u64> = columns[0].iter().map(|&code| u64::from(code)).collect();
        let [parts, hash] = [by_parts(&keys), by_hash(&keys)];
        assert_eq!(rows_of(&parts), rows_of(&hash));
    }

    #[test]
    fn sizes_are_told() {
        let made = grouped(&[vec![0, 0, 0, 1, 1, 2]], 3);
        assert_eq!((made.k(), made.uniques(), made.of_size(2)), (1, 1, 1));
        assert_eq!(made.rows_below(3), 3);
        assert_eq!(made.average_risk(), 0.5);
        assert_eq!(made.sizes_of_sizes(), [(1, 1), (2, 1), (3, 1)]);
        let bins = made.histogram();
        assert_eq!(bins[2], SizeBin { from: 3, to: Some(3), classes: 1, rows: 3 });
        assert_eq!(bins[8], SizeBin { from: 100, to: None, classes: 0, rows: 0 });
    }

    #[test]
    fn pieces_of_a_column_are_one_column() {
        let whole = Keyed { codes: vec![&[1, 2, 1]], cardinality: 3 };
        let pieces = Keyed { codes: vec![&[1], &[2, 1]], cardinality: 3 };
        assert_eq!(classes(&[whole]), classes(&[pieces]));
    }
}
