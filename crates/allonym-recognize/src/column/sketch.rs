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

/// Counts cells by shape while a column has at most [`SHAPES_MAX`] of them; a column of more has
/// none worth showing, and forgets them.
#[derive(Clone, Default)]
pub(super) struct Shapes {
    counts: BTreeMap<String, u64>,
    many: bool,
}

impl Shapes {
    /// Adds the shape of one cell, as [`shape_of`] writes it into `buffer`.
    pub(super) fn observe(&mut self, cell: &str, buffer: &mut String) {
        if !self.many {
            shape_of(cell, buffer);
            self.add(buffer, 1);
        }
    }

    pub(super) fn merge(&mut self, other: &Shapes) {
        if other.many {
            self.forget();
        }
        for (shape, &cells) in &other.counts {
            self.add(shape, cells);
        }
    }

    /// The most common shape and its number of cells; `None` where there are too many shapes. Of
    /// equally common ones the first in order.
    pub(super) fn most_common(&self) -> Option<(&str, u64)> {
        let counts = self.counts.iter().map(|(shape, &cells)| (shape.as_str(), cells));
        counts.min_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)))
    }

    fn add(&mut self, shape: &str, cells: u64) {
        if self.many {
            return;
        }
        if let Some(count) = self.counts.get_mut(shape) {
            *count += cells;
        } else if self.counts.len() < SHAPES_MAX {
            self.counts.insert(shape.to_owned(), cells);
        } else {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.many = true;
        self.counts.clear();
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
/// space, separators as themselves, anything else as [`OTHER`].
///
/// Runs of capital letters are cut to [`UPPER_RUN_MAX`] and of other letters to [`LOWER_RUN_MAX`]
/// so that names of any length share a shape; digits are kept one for one. Ends with `…` where it
/// would pass [`SHAPE_CHARS_MAX`].
fn shape_of(cell: &str, out: &mut String) {
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
        ' ' | '-' | '.' | '/' | ':' | ',' | '_' | '+' | '(' | ')' | '@' | '#' | '\'' | '&' => {
            character
        }
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
/// A column of more shapes than this shows none.
const SHAPES_MAX: usize = 8;
/// Characters of a shape kept: the longest IBAN in groups of four has 42.
const SHAPE_CHARS_MAX: usize = 48;
/// Characters of a shape shown in full.
const SHAPE_SHOWN_MAX: usize = 20;
/// Characters shown at either end of a longer one.
const SHAPE_SHOWN_END: usize = 4;
const UPPER_RUN_MAX: usize = 4;
const LOWER_RUN_MAX: usize = 3;
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
    fn shapes_are_counted_in_any_order_until_there_are_many() {
        let counted = |cells: &[&str]| {
            let mut shapes = Shapes::default();
            cells.iter().for_each(|cell| shapes.observe(cell, &mut String::new()));
            shapes
        };
        let few = ["9", "a9", "a8", "99", "b7", "98", "Q"];
        let mut merged = counted(&few[4..]);
        merged.merge(&counted(&few[..4]));
        assert_eq!(merged.counts, counted(&few).counts);
        assert_eq!(merged.most_common(), Some(("a9", 3)));
        let many: Vec<String> = (1..=SHAPES_MAX + 1).map(|n| "9".repeat(n)).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(counted(&many[1..]).most_common().map(|(_, cells)| cells), Some(1));
        assert_eq!(counted(&many).most_common(), None);
        let mut merged = counted(&many[..5]);
        merged.merge(&counted(&many[5..]));
        assert_eq!((merged.most_common(), merged.counts.len()), (None, 0));
    }

    #[test]
    fn shapes_forget_letters_and_the_length_of_words() {
        assert_eq!(shape("Anna Example"), "Aaaa Aaaa");
        assert_eq!(shape("Ada"), "Aaa", "short words keep their length");
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
