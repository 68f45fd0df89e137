//! The Merkle tree of RFC 6962, section 2.1: roots, and proofs of inclusion and consistency.

use sha2::{Digest, Sha256};
use std::fmt;

/// A SHA-256 hash: of a leaf, of a node, of a whole tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash of a leaf: `SHA-256(0x00 || bytes)`.
    #[must_use]
    pub fn leaf(bytes: &[u8]) -> Hash {
        Hash(Sha256::new().chain_update([0]).chain_update(bytes).finalize().into())
    }

    /// The hash of an inner node: `SHA-256(0x01 || left || right)`.
    #[must_use]
    pub fn node(left: Hash, right: Hash) -> Hash {
        Hash(
            Sha256::new()
                .chain_update([1])
                .chain_update(left.0)
                .chain_update(right.0)
                .finalize()
                .into(),
        )
    }

    /// The hash of an empty tree.
    #[must_use]
    pub fn empty() -> Hash {
        Hash(Sha256::digest([]).into())
    }

    /// Reads 64 digits of lower-case hexadecimal.
    #[must_use]
    pub fn parse(text: &str) -> Option<Hash> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let mut hash = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Hash(hash))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The root of a tree over leaf hashes.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::empty(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            Hash::node(root(left), root(right))
        }
    }
}

/// The proof that a leaf is in the tree (2.1.1): hashes from the leaf's level up. `None` when there
/// is no such leaf.
#[must_use]
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let mut proof = Vec::new();
    path(leaves, index, &mut proof);
    Some(proof)
}

/// Whether the proof shows that the leaf is number `index` of the tree of `size` leaves that has
/// this root (RFC 9162, 2.1.3.2).
#[must_use]
pub fn is_included(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for step in proof {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            hash = Hash::node(*step, hash);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            hash = Hash::node(hash, *step);
        }
        node /= 2;
        last /= 2;
    }
    last == 0 && hash == root
}

/// The proof that the tree of the first `old` leaves is the beginning of this one (2.1.2). `None`
/// when `old` is none of its sizes, or 0, of which nothing can be shown.
#[must_use]
pub fn consistency_proof(leaves: &[Hash], old: usize) -> Option<Vec<Hash>> {
    if old == 0 || old > leaves.len() {
        return None;
    }
    let mut proof = Vec::new();
    subproof(leaves, old, true, &mut proof);
    Some(proof)
}

/// Whether the proof shows that the tree of `old_size` leaves and this root is the beginning of the
/// tree of `size` leaves and that root (RFC 9162, 2.1.4.2).
#[must_use]
pub fn is_consistent(
    old_size: u64,
    size: u64,
    proof: &[Hash],
    old_root: Hash,
    new_root: Hash,
) -> bool {
    if old_size == 0 || old_size > size {
        return false;
    }
    if old_size == size {
        return proof.is_empty() && old_root == new_root;
    }
    // A complete subtree is its own first step.
    let mut steps = proof.iter().copied();
    let first = if old_size.is_power_of_two() { Some(old_root) } else { steps.next() };
    let Some(first) = first else { return false };
    let (mut node, mut last) = (old_size - 1, size - 1);
    while node % 2 == 1 {
        node /= 2;
        last /= 2;
    }
    let (mut old, mut new) = (first, first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            old = Hash::node(step, old);
            new = Hash::node(step, new);
            while node.is_multiple_of(2) && node != 0 {
                node /= 2;
                last /= 2;
            }
        } else {
            new = Hash::node(new, step);
        }
        node /= 2;
        last /= 2;
    }
    last == 0 && old == old_root && new == new_root
}

/// The right edge of a growing tree: one hash for each complete subtree, largest first. It is all
/// that is needed to add leaves and to tell the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) size: u64,
    pub(crate) subtrees: Vec<Hash>,
}

impl Edge {
    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Two subtrees of one size become one, as a binary counter carries.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.subtrees.pop() {
                hash = Hash::node(left, hash);
            }
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    pub(crate) fn root(&self) -> Hash {
        let right_to_left = self.subtrees.iter().rev().copied();
        right_to_left.reduce(|right, left| Hash::node(left, right)).unwrap_or_else(Hash::empty)
    }
}

/// The largest power of two below `n`, for `n` from 2 on.
fn split(n: usize) -> usize {
    1 << (n - 1).ilog2()
}

fn path(leaves: &[Hash], index: usize, proof: &mut Vec<Hash>) {
    if leaves.len() < 2 {
        return;
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    if index < k {
        path(left, index, proof);
        proof.push(root(right));
    } else {
        path(right, index - k, proof);
        proof.push(root(left));
    }
}

fn subproof(leaves: &[Hash], old: usize, known: bool, proof: &mut Vec<Hash>) {
    if old == leaves.len() {
        if !known {
            proof.push(root(leaves));
        }
        return;
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    if old <= k {
        subproof(left, old, known, proof);
        proof.push(root(right));
    } else {
        subproof(right, old - k, false, proof);
        proof.push(root(left));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The eight leaves and the roots of the reference tests of Certificate Transparency.
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn hash(text: &str) -> Hash {
        Hash::parse(text).unwrap()
    }

    fn leaves() -> Vec<Hash> {
        LEAVES.map(Hash::leaf).to_vec()
    }

    #[test]
    fn roots_are_those_of_the_reference() {
        let leaves = leaves();
        let mut edge = Edge::default();
        for (size, expected) in ROOTS.iter().enumerate() {
            assert_eq!(root(&leaves[..size]), hash(expected), "{size}");
            assert_eq!(edge.root(), hash(expected), "{size}");
            if let Some(leaf) = leaves.get(size) {
                edge.push(*leaf);
            }
        }
    }

    #[test]
    fn inclusion_proofs_are_those_of_the_reference() {
        let l1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
        let l23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
        let l47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
        let l4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
        let l67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
        for (index, size, expected) in [
            (0, 1, vec![]),
            (0, 8, vec![l1, l23, l47]),
            (5, 8, vec![l4, l67, ROOTS[4]]),
            (2, 3, vec![ROOTS[2]]),
            (1, 5, vec![ROOTS[1], l23, l4]),
        ] {
            let proof = inclusion_proof(&leaves()[..size], index).unwrap();
            let expected: Vec<Hash> = expected.into_iter().map(hash).collect();
            assert_eq!(proof, expected, "{index} of {size}");
        }
    }

    #[test]
    fn consistency_proofs_are_those_of_the_reference() {
        let l1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
        let l23 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
        let l45 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";
        let l47 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
        let l4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
        let l67 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
        for (old, size, expected) in [
            (1, 1, vec![]),
            (1, 8, vec![l1, l23, l47]),
            (6, 8, vec![l45, l67, ROOTS[4]]),
            (2, 5, vec![l23, l4]),
        ] {
            let proof = consistency_proof(&leaves()[..size], old).unwrap();
            let expected: Vec<Hash> = expected.into_iter().map(hash).collect();
            assert_eq!(proof, expected, "{old} in {size}");
        }
        assert!(consistency_proof(&leaves(), 0).is_none());
        assert!(consistency_proof(&leaves(), 9).is_none());
        assert!(inclusion_proof(&leaves(), 8).is_none());
    }

    #[test]
    fn every_proof_of_small_trees_holds_and_no_changed_one_does() {
        let leaves: Vec<Hash> = (0..20_u8).map(|n| Hash::leaf(&[n])).collect();
        for size in 1..=leaves.len() {
            let tree = &leaves[..size];
            let all = root(tree);
            for index in 0..size {
                let proof = inclusion_proof(tree, index).unwrap();
                let (at, of) = (index as u64, size as u64);
                assert!(is_included(tree[index], at, of, &proof, all));
                assert!(!is_included(Hash::empty(), at, of, &proof, all));
                assert!(!is_included(tree[index], at, of, &proof, Hash::empty()));
                assert!(!is_included(tree[index], of, of, &proof, all));
                assert!(!is_included(tree[index], at, of, &[&proof[..], &[all]].concat(), all));
                for cut in 0..proof.len() {
                    assert!(!is_included(tree[index], at, of, &proof[..cut], all));
                    let mut changed = proof.clone();
                    changed[cut].0[0] ^= 1;
                    assert!(!is_included(tree[index], at, of, &changed, all));
                }
            }
            for old in 1..=size {
                let proof = consistency_proof(tree, old).unwrap();
                let (from, to, before) = (old as u64, size as u64, root(&leaves[..old]));
                assert!(is_consistent(from, to, &proof, before, all));
                assert!(!is_consistent(from, to, &proof, Hash::empty(), all));
                assert!(!is_consistent(from, to, &proof, before, Hash::empty()));
                assert!(!is_consistent(to + 1, to, &proof, before, all));
                assert!(!is_consistent(0, to, &proof, before, all));
                assert!(!is_consistent(from, to, &[&proof[..], &[all]].concat(), before, all));
                for cut in 0..proof.len() {
                    assert!(!is_consistent(from, to, &proof[..cut], before, all));
                    let mut changed = proof.clone();
                    changed[cut].0[0] ^= 1;
                    assert!(!is_consistent(from, to, &changed, before, all));
                }
            }
        }
    }

    #[test]
    fn hashes_have_one_spelling() {
        assert_eq!(hash(ROOTS[3]).to_string(), ROOTS[3]);
        for wrong in ["", "00", &ROOTS[3].to_uppercase(), &format!("{}0", ROOTS[3])] {
            assert!(Hash::parse(wrong).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn the_edge_knows_the_root(n in 0_u16..700) {
            let leaves: Vec<Hash> = (0..n).map(|n| Hash::leaf(&n.to_be_bytes())).collect();
            let mut edge = Edge::default();
            leaves.iter().for_each(|leaf| edge.push(*leaf));
            prop_assert_eq!(edge.root(), root(&leaves));
            prop_assert_eq!(edge.subtrees.len(), n.count_ones() as usize);
        }
    }
}
