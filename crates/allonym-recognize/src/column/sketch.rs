//! Order-independent summaries of bounded size: distinct cells, shapes, lengths.
//!
//! Each holds no text of a cell, and merging two of them gives exactly what observing all their
//! cells at once, in any order, would have given.

use std::collections::{BTreeMap, BTreeSet};

/// Estimates the number of distinct cells from the smallest hashes seen (k minimum values).
///
/// Exact up to [`HASHES_MAX`] distinct cells; beyond, the standard error is about
/// `1 / sqrt(HASHES_MAX)`, 2.2 %. Bar-Yossef et al., "Counting Distinct Elements in a Data Stream"
/// (2002), algorithm 1, with the unbiased `(k - 1) / v_k` of Beyer et al. (2007).
#[derive(Clone, Default)]
pub(super) struct Distinct {
    smallest: BTreeSet<u64>,
}

impl Distinct {
    /// Adds the hash of one cell.
    pub(super) fn observe(&mut self, hash: u64) {
        if self.smallest.len() >= HASHES_MAX {
            let last = self.smallest.last().copied().unwrap_or(u64::MAX);
            if hash >= last || !self.smallest.insert(hash) {
                return;
            }
            self.smallest.pop_last();
        } else {
            self.smallest.insert(hash);
        }
    }

    pub(super) fn merge(&mut self, other: &Distinct) {
        for &hash in &other.smallest {
            self.observe(hash);
        }
    }

    /// Distinct cells; exact below [`HASHES_MAX`].
    pub(super) fn estimate(&self) -> u64 {
        let kept = u64::try_from(self.smallest.len()).unwrap_or(u64::MAX);
        match self.smallest.last() {
            Some(&last) if self.smallest.len() >= HASHES_MAX => {
                // (k - 1) / (v_k / 2^64), in integers so that every machine agrees.
                let scaled = u128::from(kept - 1) << 64;
                u64::try_from(scaled / (u128::from(last) + 1)).unwrap_or(u64::MAX).max(kept)
            }
            _ => kept,
        }
    }
}

/// What is known of the distinct cells of smallest hash, [`WITNESSES_MAX`] at most: an even sample of
/// the distinct cells, the same for any order and cut.
#[derive(Clone)]
pub(super) struct Witnesses<T> {
    seen: BTreeMap<u64, T>,
}

impl<T> Default for Witnesses<T> {
    fn default() -> Self {
        Witnesses { seen: BTreeMap::new() }
    }
}

impl<T> Witnesses<T> {
    /// Adds a distinct cell by its hash; `look` is asked only where the cell is new and kept.
    pub(super) fn observe(&mut self, hash: u64, look: impl FnOnce() -> T) {
        let full = self.seen.len() >= WITNESSES_MAX;
        let beyond = full && self.seen.last_key_value().is_some_and(|(&last, _)| hash > last);
        if beyond || self.seen.contains_key(&hash) {
            return;
        }
        if full {
            self.seen.pop_last();
        }
        self.seen.insert(hash, look());
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.seen.values()
    }

    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }
}

impl<T: Clone> Witnesses<T> {
    pub(super) fn merge(&mut self, other: &Witnesses<T>) {
        for (&hash, value) in &other.seen {
            self.observe(hash, || value.clone());
        }
    }
}

/// Counts cells by shape: the [`SHAPES_MAX`] shapes of smallest hash, each with its exact count.
///
/// A shape that ends among the smallest was among the smallest of every shard that saw it, so it
/// was never dropped and its count is exact whatever the order.
#[derive(Clone, Default)]
pub(super) struct Shapes {
    counts: BTreeMap<(u64, String), u64>,
    dropped: bool,
}

impl Shapes {
    /// Adds one shape, as [`shape_of`] wrote it.
    pub(super) fn observe(&mut self, shape: &str) {
        self.add((hash(shape.as_bytes()), shape), 1);
    }

    pub(super) fn merge(&mut self, other: &Shapes) {
        for ((hash, shape), &cells) in &other.counts {
            self.add((*hash, shape), cells);
        }
        self.dropped |= other.dropped;
    }

    /// The most common shape and its number of cells, where all shapes are known and there are at
    /// most `distinct_max` of them. Ties go to the shape that sorts first.
    pub(super) fn most_common(&self, distinct_max: usize) -> Option<(&str, u64)> {
        if self.dropped || self.counts.len() > distinct_max {
            return None;
        }
        self.counts
            .iter()
            .map(|((_, shape), &cells)| (shape.as_str(), cells))
            .min_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)))
    }

    fn add(&mut self, (hash, shape): (u64, &str), cells: u64) {
        // The map is keyed by owned strings; a range from the bare hash finds the entry without one.
        let known = self
            .counts
            .range_mut((hash, String::new())..)
            .take_while(|((other, _), _)| *other == hash)
            .find(|((_, other), _)| other == shape);
        if let Some((_, count)) = known {
            *count += cells;
            return;
        }
        self.counts.insert((hash, shape.to_owned()), cells);
        if self.counts.len() > SHAPES_MAX {
            self.counts.pop_last();
            self.dropped = true;
        }
    }
}

/// Sum, sum of squares, least and greatest of whole numbers; merging is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moments {
    pub(super) n: u64,
    sum: u128,
    squares: u128,
    pub(super) min: u64,
    pub(super) max: u64,
}

impl Default for Moments {
    fn default() -> Self {
        Moments { n: 0, sum: 0, squares: 0, min: u64::MAX, max: 0 }
    }
}

impl Moments {
    pub(super) fn observe(&mut self, value: u64) {
        self.n += 1;
        self.sum += u128::from(value);
        self.squares = self.squares.saturating_add(u128::from(value) * u128::from(value));
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    pub(super) fn merge(&mut self, other: &Moments) {
        self.n += other.n;
        self.sum += other.sum;
        self.squares = self.squares.saturating_add(other.squares);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Mean; 0 where nothing was seen.
    pub(super) fn mean(&self) -> f64 {
        if self.n == 0 { 0.0 } else { wide(self.sum) / wide(self.n.into()) }
    }

    /// Standard deviation of the population; 0 where nothing was seen.
    pub(super) fn deviation(&self) -> f64 {
        if self.n == 0 {
            return 0.0;
        }
        let mean = self.mean();
        (wide(self.squares) / wide(self.n.into()) - mean * mean).max(0.0).sqrt()
    }
}

/// Writes the shape of a cell into `out`: letters as `A` and `a`, digits as `9`, white space as a
/// space, the punctuation of [`SEPARATORS`] as itself, anything else as [`OTHER`].
///
/// Runs of capital letters are cut to [`UPPER_RUN_MAX`] and of other letters to [`LOWER_RUN_MAX`]
/// so that names of any length share a shape; digits are kept one for one. Ends with `…` where it
/// would pass [`SHAPE_CHARS_MAX`].
pub(super) fn shape_of(cell: &str, out: &mut String) {
    out.clear();
    let (mut previous, mut run, mut written) = ('\0', 0usize, 0usize);
    for character in cell.chars() {
        let class = class_of(character);
        run = if class == previous { run + 1 } else { 1 };
        previous = class;
        let cut = match class {
            'A' => run > UPPER_RUN_MAX,
            'a' => run > LOWER_RUN_MAX,
            _ => false,
        };
        if cut {
            continue;
        }
        if written == SHAPE_CHARS_MAX {
            out.push(ELLIPSIS);
            return;
        }
        out.push(class);
        written += 1;
    }
}

/// A shape as people may see it: `AA99…9999` where it is long; `None` where it holds anything but
/// letters, digits and separators.
pub(super) fn shape_shown(shape: &str) -> Option<String> {
    if shape.is_empty() || shape.contains(OTHER) || !shape.contains(['A', 'a', '9']) {
        return None;
    }
    let n = shape.chars().count();
    if n <= SHAPE_SHOWN_MAX {
        return Some(shape.to_owned());
    }
    let head = shape.chars().take(SHAPE_SHOWN_END);
    if shape.ends_with(ELLIPSIS) {
        return Some(head.chain([ELLIPSIS]).collect());
    }
    Some(head.chain([ELLIPSIS]).chain(shape.chars().skip(n - SHAPE_SHOWN_END)).collect())
}

/// A fixed 64-bit hash: eight bytes at a time, each folded in by a 64 x 64 -> 128 bit multiplication
/// whose halves are xored. It spreads well and is the same on every machine and in every run; it is
/// no protection of what was hashed and never leaves the process.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut state = HASH_SEED ^ u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = fold(state ^ u64::from_le_bytes(word), HASH_MULTIPLIER);
    }
    fold(state, HASH_SEED)
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a ^ HASH_INCREMENT) * u128::from(b);
    let low = u64::try_from(product & u128::from(u64::MAX)).expect("the mask leaves 64 bits");
    let high = u64::try_from(product >> 64).expect("the shift leaves 64 bits");
    (low ^ high).wrapping_add(HASH_INCREMENT)
}

fn class_of(character: char) -> char {
    match character {
        'A'..='Z' => 'A',
        'a'..='z' => 'a',
        '0'..='9' => '9',
        _ if SEPARATORS.contains(character) => character,
        _ if character.is_whitespace() => ' ',
        _ if character.is_uppercase() => 'A',
        _ if character.is_alphabetic() => 'a',
        _ if character.is_numeric() => '9',
        _ => OTHER,
    }
}

#[expect(clippy::cast_precision_loss, reason = "statistics need no more than 53 bits")]
fn wide(n: u128) -> f64 {
    n as f64
}

/// Hashes kept per column (16 KiB).
pub(super) const HASHES_MAX: usize = 2048;
/// Distinct cells of a column that are held against every rule.
pub(super) const WITNESSES_MAX: usize = 128;
/// Shapes kept per column.
pub(super) const SHAPES_MAX: usize = 256;
/// A column of more shapes than this shows none.
pub(super) const SHAPES_SHOWN_MAX: usize = 8;
/// Characters of a shape kept: the longest IBAN in groups of four has 42.
const SHAPE_CHARS_MAX: usize = 48;
/// Characters of a shape shown in full.
const SHAPE_SHOWN_MAX: usize = 20;
/// Characters shown at either end of a longer one.
const SHAPE_SHOWN_END: usize = 4;
const UPPER_RUN_MAX: usize = 4;
const LOWER_RUN_MAX: usize = 3;
const SEPARATORS: &str = " -./:,_+()@#'&";
const OTHER: char = '?';
const ELLIPSIS: char = '…';

// The fractional parts of the square roots of 2 and 3, and of the golden ratio, made odd: numbers
// with nothing up their sleeve.
const HASH_SEED: u64 = 0x6a09_e667_f3bc_c909;
const HASH_MULTIPLIER: u64 = 0xbb67_ae85_84ca_a73b;
const HASH_INCREMENT: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(cell: &str) -> String {
        let mut out = String::new();
        shape_of(cell, &mut out);
        out
    }

    #[test]
    fn distinct_is_exact_while_hashes_fit_and_close_beyond() {
        let mut distinct = Distinct::default();
        assert_eq!(distinct.estimate(), 0);
        for i in 0..2_000u64 {
            distinct.observe(hash(&i.to_le_bytes()));
            distinct.observe(hash(&i.to_le_bytes()));
        }
        assert_eq!(distinct.estimate(), 2_000);
        for i in 0..200_000u64 {
            distinct.observe(hash(format!("row {i}").as_bytes()));
        }
        let estimate = distinct.estimate();
        assert!((188_000..216_000).contains(&estimate), "{estimate}");
        assert_eq!(distinct.smallest.len(), HASHES_MAX);
    }

    #[test]
    fn hash_tells_padding_and_length_apart() {
        assert_ne!(hash(b""), hash(b"\0"));
        assert_ne!(hash(b"a"), hash(b"a\0"));
        assert_ne!(hash(b"12345678"), hash(b"1234567812345678"));
        assert_eq!(hash(b"Ada Example"), hash(b"Ada Example"));
    }

    #[test]
    fn shapes_are_counted_exactly_in_any_order() {
        let shapes: Vec<String> =
            (0..1_000).map(|i| "9".repeat(1 + i % 40) + &"-9".repeat(i % 23)).collect();
        let mut forward = Shapes::default();
        let mut backward = Shapes::default();
        shapes.iter().for_each(|shape| forward.observe(shape));
        shapes.iter().rev().for_each(|shape| backward.observe(shape));
        assert_eq!(forward.counts, backward.counts);
        assert_eq!(forward.counts.len(), SHAPES_MAX);
        assert_eq!(forward.most_common(1_000), None, "an incomplete count names no winner");
    }

    #[test]
    fn shapes_forget_letters_and_the_length_of_words() {
        assert_eq!(shape("Ada Example"), "Aaaa Aaaa");
        assert_eq!(shape("Zoë Ünlü-Żak"), "Aaa Aaaa-Aaa");
        assert_eq!(shape("DE89 3704 0044"), "AA99 9999 9999");
        assert_eq!(shape("SCHMIDT"), "AAAA");
        assert_eq!(shape("€ 5\t"), "? 9 ");
        assert_eq!(shape(&"9".repeat(60)).chars().count(), SHAPE_CHARS_MAX + 1);
    }

    #[test]
    fn shapes_shown_are_short_and_hold_only_separators() {
        assert_eq!(shape_shown("AA99 9999 9999 9999 9999 99").as_deref(), Some("AA99…9 99"));
        assert_eq!(shape_shown("Aaaa Aaaa").as_deref(), Some("Aaaa Aaaa"));
        assert_eq!(shape_shown(&shape(&"9".repeat(60))).as_deref(), Some("9999…"));
        assert_eq!(shape_shown("? 9"), None);
        assert_eq!(shape_shown("--"), None);
        assert_eq!(shape_shown(""), None);
    }

    #[test]
    fn moments_merge_exactly() {
        let (mut whole, mut left, mut right) =
            (Moments::default(), Moments::default(), Moments::default());
        for value in [3, 5, 8, u64::from(u32::MAX)] {
            whole.observe(value);
            if value < 6 { left.observe(value) } else { right.observe(value) }
        }
        right.merge(&left);
        assert_eq!(whole, right);
        assert_eq!((whole.min, whole.max, whole.n), (3, u64::from(u32::MAX), 4));
        assert_eq!(Moments::default().mean(), 0.0);
        let mut two = Moments::default();
        two.observe(2);
        two.observe(4);
        assert_eq!((two.mean(), two.deviation()), (3.0, 1.0));
    }
}
