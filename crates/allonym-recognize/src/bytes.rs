//! Sets of bytes.

/// A set of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ByteSet([u64; 4]);

impl ByteSet {
    /// The bytes for which `holds`.
    pub(crate) fn of(holds: impl Fn(u8) -> bool) -> ByteSet {
        let mut set = ByteSet::default();
        (0..=u8::MAX).filter(|byte| holds(*byte)).for_each(|byte| set.insert(byte));
        set
    }

    /// The bytes of a slice.
    pub(crate) fn from_slice(bytes: &[u8]) -> ByteSet {
        let mut set = ByteSet::default();
        bytes.iter().for_each(|byte| set.insert(*byte));
        set
    }

    /// All bytes outside ASCII.
    pub(crate) const NOT_ASCII: ByteSet = ByteSet([0, 0, u64::MAX, u64::MAX]);

    /// ASCII letters, digits and `_`: what `\b` takes for words.
    pub(crate) const WORD: ByteSet = ByteSet([0x03ff_0000_0000_0000, 0x07ff_fffe_87ff_fffe, 0, 0]);

    pub(crate) fn single(byte: u8) -> ByteSet {
        let mut set = ByteSet::default();
        set.insert(byte);
        set
    }

    /// The bytes from `first` to `last`, both included.
    pub(crate) fn range(first: u8, last: u8) -> ByteSet {
        let up_to = |end: u16| {
            let mut word = 0;
            [(); 4].map(|()| {
                let bits = end.saturating_sub(word * 64).min(64);
                word += 1;
                if bits == 64 { u64::MAX } else { (1 << bits) - 1 }
            })
        };
        let (below, all) = (up_to(u16::from(first)), up_to(u16::from(last) + 1));
        ByteSet(all).intersection(ByteSet(below).complement())
    }

    pub(crate) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    #[inline]
    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    pub(crate) fn union(mut self, other: ByteSet) -> ByteSet {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word |= other);
        self
    }

    pub(crate) fn intersection(mut self, other: ByteSet) -> ByteSet {
        self.0.iter_mut().zip(other.0).for_each(|(word, other)| *word &= other);
        self
    }

    pub(crate) fn complement(mut self) -> ByteSet {
        self.0.iter_mut().for_each(|word| *word = !*word);
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |byte| self.contains(*byte))
    }
}

/// A set of pairs of neighbouring bytes.
#[derive(Clone, Debug)]
pub(crate) struct PairSet(Box<[ByteSet; 256]>);

impl Default for PairSet {
    fn default() -> Self {
        PairSet(Box::new([ByteSet::default(); 256]))
    }
}

impl PairSet {
    /// Adds all pairs of the two sets.
    pub(crate) fn insert_all(&mut self, first: ByteSet, second: ByteSet) {
        for first in first.iter() {
            let row = &mut self.0[usize::from(first)];
            *row = row.union(second);
        }
    }

    /// Adds the pairs of another set.
    pub(crate) fn extend(&mut self, other: &PairSet) {
        self.0.iter_mut().zip(other.0.iter()).for_each(|(row, more)| *row = row.union(*more));
    }

    #[inline]
    pub(crate) fn contains(&self, first: u8, second: u8) -> bool {
        self.0[usize::from(first)].contains(second)
    }
}

/// Whether `\b` takes the byte for part of a word.
pub(crate) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn constants_are_what_they_say() {
        assert_eq!(ByteSet::WORD, ByteSet::of(is_word_byte));
        assert_eq!(ByteSet::NOT_ASCII, ByteSet::of(|byte| !byte.is_ascii()));
    }

    proptest! {
        #[test]
        fn ranges_hold_what_is_between(first: u8, last: u8) {
            let between = ByteSet::of(|byte| (first..=last).contains(&byte));
            prop_assert_eq!(ByteSet::range(first, last), between);
        }

        #[test]
        fn sets_are_sets(left: Vec<u8>, right: Vec<u8>, byte: u8) {
            let set = ByteSet::from_slice;
            let (a, b) = (set(&left), set(&right));
            let (in_left, in_right) = (left.contains(&byte), right.contains(&byte));
            prop_assert_eq!(a.contains(byte), in_left);
            prop_assert_eq!(a.union(b).contains(byte), in_left || in_right);
            prop_assert_eq!(a.intersection(b).contains(byte), in_left && in_right);
            prop_assert_eq!(a.complement().contains(byte), !in_left);
            prop_assert_eq!(a.is_empty(), left.is_empty());
            prop_assert_eq!(a.iter().count(), left.iter().collect::<std::collections::BTreeSet<_>>().len());
            let mut pairs = PairSet::default();
            pairs.insert_all(a, b);
            pairs.insert_all(ByteSet::single(7), ByteSet::single(8));
            prop_assert_eq!(pairs.contains(byte, 9), in_left && right.contains(&9));
            prop_assert!(pairs.contains(7, 8));
            let mut more = PairSet::default();
            more.extend(&pairs);
            prop_assert!(more.contains(7, 8));
        }
    }
}
