//! Finds many short texts at once, whatever their case.

use crate::bytes::{ByteSet, PairSet};
use std::collections::BTreeMap;

/// Texts to look for.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    entries: Vec<Entry>,
    /// Whether a hash of three bytes is one that a text is known by.
    filter: Filter,
    /// Whether, of three bytes that pass, this hash with the byte that follows does too.
    second: Filter,
    /// By hash: the first of its entries in `order`, for hashes that the filter knows.
    firsts: Vec<u16>,
    /// Hashes and the entries known by them, sorted.
    order: Vec<(u16, u16)>,
    /// Pairs of bytes that a text is known by.
    pair_filter: PairSet,
    /// The same in lower case and the entries known by them, sorted.
    pairs: Vec<([u8; 2], u16)>,
}

#[derive(Debug)]
struct Entry {
    /// In lower case.
    text: Vec<u8>,
    /// Where the bytes that it is known by stand in it.
    place: usize,
    /// Who asked for it.
    askers: Vec<u16>,
}

/// A bit for each hash.
#[derive(Debug)]
struct Filter(Box<[u64; 1024]>);

impl Filter {
    fn insert(&mut self, hash: u16) {
        self.0[usize::from(hash >> 6)] |= 1 << (hash & 63);
    }

    #[inline]
    fn contains(&self, hash: u16) -> bool {
        self.0[usize::from(hash >> 6)] >> (hash & 63) & 1 == 1
    }
}

impl Default for Filter {
    fn default() -> Self {
        Filter(Box::new([0; 1024]))
    }
}

impl Texts {
    /// Compiles what each asker asks for: texts in lower case, of two bytes or more.
    ///
    /// An asker hears of its texts in the order in which they begin: all are known by bytes at the
    /// same place. Those of two bytes are known by a pair, which is told one byte earlier than
    /// three bytes are, but behind them.
    pub(crate) fn new(asked: &[(u16, &[Vec<u8>])]) -> Texts {
        let mut known: BTreeMap<(&[u8], usize), Vec<u16>> = BTreeMap::new();
        for (asker, texts) in asked {
            let place = rarest(texts);
            for text in *texts {
                known.entry((text, place)).or_default().push(*asker);
            }
        }
        let mut all = Texts::default();
        for ((text, place), askers) in known {
            let entry = u16::try_from(all.entries.len()).expect("rules bound the number of texts");
            match *text.get(place..).unwrap_or_default() {
                [one, two, three, ref rest @ ..] => {
                    let hash = hash([one, two, three]);
                    all.filter.insert(hash);
                    all.order.push((hash, entry));
                    match rest.first() {
                        Some(fourth) => all.second.insert(follow(hash, *fourth)),
                        None => {
                            (0..=u8::MAX).for_each(|fourth| all.second.insert(follow(hash, fourth)))
                        }
                    }
                }
                [one, two] => {
                    let both = |byte: u8| ByteSet::from_slice(&[byte, byte.to_ascii_uppercase()]);
                    all.pair_filter.insert_all(both(one), both(two));
                    all.pairs.push(([one, two], entry));
                }
                _ => {}
            }
            all.entries.push(Entry { text: text.to_vec(), place, askers });
        }
        all.pairs.sort_unstable();
        all.order.sort_unstable();
        all.firsts = vec![0; 1 << 16];
        for (place, (hash, _)) in all.order.iter().enumerate().rev() {
            all.firsts[usize::from(*hash)] = u16::try_from(place).expect("as many as entries");
        }
        all
    }

    /// Pairs of bytes that texts are known by, in any case.
    pub(crate) fn pairs(&self) -> &PairSet {
        &self.pair_filter
    }

    /// Whether a text may be known by the hash of three bytes in lower case.
    #[inline]
    pub(crate) fn may_know(&self, hash: u16) -> bool {
        self.filter.contains(hash)
    }

    /// Calls `found` with asker and first byte of each text known by `hash`, the hash of the three
    /// bytes of which the last stands at `last`.
    pub(crate) fn at(
        &self,
        bytes: &[u8],
        hash: u16,
        last: usize,
        mut found: impl FnMut(usize, usize),
    ) {
        // At the end of the text no byte follows; any will do.
        let fourth = bytes.get(last + 1).map_or(0, u8::to_ascii_lowercase);
        if !self.second.contains(follow(hash, fourth)) {
            return;
        }
        let first = usize::from(self.firsts[usize::from(hash)]);
        for (_, entry) in self.order[first..].iter().take_while(|(known, _)| *known == hash) {
            let entry = &self.entries[usize::from(*entry)];
            entry.tell(bytes, last.checked_sub(2 + entry.place), &mut found);
        }
    }

    /// The same for texts known by the pair of bytes of which the second stands at `second`.
    pub(crate) fn at_pair(&self, bytes: &[u8], second: usize, mut found: impl FnMut(usize, usize)) {
        let Some(first) = second.checked_sub(1) else { return };
        let Some([one, two]) = bytes.get(first..=second) else { return };
        if !self.pair_filter.contains(*one, *two) {
            return;
        }
        let pair = [one.to_ascii_lowercase(), two.to_ascii_lowercase()];
        let from = self.pairs.partition_point(|(known, _)| *known < pair);
        for (_, entry) in self.pairs[from..].iter().take_while(|(known, _)| *known == pair) {
            let entry = &self.entries[usize::from(*entry)];
            entry.tell(bytes, first.checked_sub(entry.place), &mut found);
        }
    }
}

impl Entry {
    /// Tells the askers if the text stands at `start`.
    fn tell(&self, bytes: &[u8], start: Option<usize>, found: &mut impl FnMut(usize, usize)) {
        let Some(start) = start else { return };
        let there = bytes.get(start..start + self.text.len());
        if there.is_some_and(|there| there.eq_ignore_ascii_case(&self.text)) {
            self.askers.iter().for_each(|asker| found(usize::from(*asker), start));
        }
    }
}

/// Hash of three bytes in lower case.
#[inline]
pub(crate) fn hash([one, two, three]: [u8; 3]) -> u16 {
    hash_packed(u32::from(one) << 16 | u32::from(two) << 8 | u32::from(three))
}

/// The same of three bytes in one number, the last lowest.
#[inline]
pub(crate) fn hash_packed(three: u32) -> u16 {
    // Fibonacci hashing: the odd number nearest to 2^32 / golden ratio.
    let spread = three.wrapping_mul(0x9e37_79b1) >> 16;
    u16::try_from(spread).expect("16 bits are left")
}

/// Hash of three bytes, by theirs, and the one that follows.
fn follow(hash: u16, fourth: u8) -> u16 {
    hash ^ u16::from(fourth).wrapping_mul(0x9e35)
}

/// Where, in all of the texts alike, rare bytes stand.
fn rarest(texts: &[Vec<u8>]) -> usize {
    let common = |byte: u8| match byte {
        b' ' | b'e' => 6,
        b'a' | b'i' | b'n' | b'o' | b'r' | b's' | b't' => 5,
        b'd' | b'h' | b'l' | b'u' | b'c' | b'm' => 4,
        b'a'..=b'z' => 3,
        b'0'..=b'9' => 2,
        _ => 1,
    };
    let shortest = texts.iter().map(Vec::len).min().unwrap_or_default();
    let three = |place: usize, text: &Vec<u8>| {
        text.iter().skip(place).take(3).fold(1_u64, |chance, byte| chance * common(*byte))
    };
    let cost = |place: &usize| texts.iter().map(|text| three(*place, text)).sum::<u64>();
    (0..=shortest.saturating_sub(3)).min_by_key(cost).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Askers and places, as the scan would find them.
    fn find(texts: &Texts, bytes: &[u8]) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut packed = 0x1e_1e1e;
        for last in 0..=bytes.len() {
            let byte = bytes.get(last).map_or(0x1e, u8::to_ascii_lowercase);
            packed = (packed << 8 | u32::from(byte)) & 0xff_ffff;
            let hash = hash_packed(packed);
            if texts.may_know(hash) {
                texts.at(bytes, hash, last, |asker, start| found.push((start, asker)));
            }
            texts.at_pair(bytes, last, |asker, start| found.push((start, asker)));
        }
        found.sort_unstable();
        found
    }

    #[test]
    fn texts_are_found_in_any_case_and_at_the_edges() {
        let texts: [&[Vec<u8>]; 3] = [
            &[b"ey".to_vec()],
            &[b"password".to_vec(), b"passwd".to_vec()],
            &["straße".as_bytes().to_vec(), b"password".to_vec()],
        ];
        let texts = Texts::new(&[(0, texts[0]), (1, texts[1]), (2, texts[2])]);
        assert_eq!(find(&texts, b"ey"), [(0, 0)]);
        assert_eq!(find(&texts, b"They EY"), [(2, 0), (5, 0)]);
        assert_eq!(find(&texts, b"passPassWord"), [(4, 1), (4, 2)]);
        assert_eq!(find(&texts, b"passwd"), [(0, 1)]);
        assert_eq!(find(&texts, "HauptSTRAßE".as_bytes()), [(5, 2)]);
        assert_eq!(find(&texts, b"passwor e y"), []);
    }

    proptest! {
        #[test]
        fn the_filter_loses_nothing(
            texts in prop::collection::btree_set("[a-c]{2,5}", 1..8),
            text in "[a-cA-C]{0,40}",
        ) {
            let alone: Vec<Vec<Vec<u8>>> =
                texts.iter().map(|text| vec![text.clone().into_bytes()]).collect();
            let asked: Vec<(u16, &[Vec<u8>])> =
                (0..).zip(&alone).map(|(asker, texts)| (asker, texts.as_slice())).collect();
            let found = find(&Texts::new(&asked), text.as_bytes());
            let lower = text.to_ascii_lowercase().into_bytes();
            let plain: Vec<(usize, usize)> = (0..lower.len())
                .flat_map(|start| {
                    let rest = &lower[start..];
                    let here = texts.iter().enumerate().filter(|(_, text)| rest.starts_with(text.as_bytes()));
                    here.map(move |(asker, _)| (start, asker)).collect::<Vec<_>>()
                })
                .collect();
            prop_assert_eq!(found, plain);
        }

        #[test]
        fn texts_are_heard_of_in_order(
            texts in prop::collection::btree_set("[a-c]{2,5}", 1..8),
            text in "[a-c]{0,40}",
        ) {
            let texts: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
            let texts = Texts::new(&[(0, &texts)]);
            let mut heard = Vec::new();
            let mut packed = 0x1e_1e1e;
            for (last, byte) in text.bytes().chain([0x1e]).enumerate() {
                packed = (packed << 8 | u32::from(byte)) & 0xff_ffff;
                let hash = hash_packed(packed);
                if texts.may_know(hash) {
                    texts.at(text.as_bytes(), hash, last, |_, start| heard.push(start));
                }
                texts.at_pair(text.as_bytes(), last, |_, start| heard.push(start));
            }
            prop_assert!(heard.is_sorted());
        }
    }
}
