//! The right edge of a growing tree: all that is needed to append leaves and to know the root.

use alloc::vec::Vec;
use core::fmt;

use crate::{EMPTY_ROOT, Hash, LeafIndex, Node, TreeSize, hash::join, node::cover, node_hash};

/// The complete subtrees that make up a tree, largest first: one for each set bit of its size, so at most 64 hashes.
///
/// ```text
/// size 6 = 0b110      hashes [2,0  1,2]      root = node_hash(2,0  1,2)
/// size 7 = 0b111      hashes [2,0  1,2  0,6] root = node_hash(2,0  node_hash(1,2  0,6))
/// size 8 = 0b1000     hashes [3,0]           root = 3,0
/// ```
///
/// ```
/// use merkle::{CompactRange, leaf_hash, root};
///
/// let leaves = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
/// let mut range = CompactRange::new();
/// for leaf in leaves {
///     range.append(leaf);
/// }
/// assert_eq!(range.size().get(), 3);
/// assert_eq!(range.root(), root(&leaves));
///
/// // What was stored is enough to go on.
/// let stored = CompactRange::from_hashes(range.size(), range.hashes().to_vec())?;
/// assert_eq!(stored, range);
/// # Ok::<(), merkle::WrongHashCount>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompactRange {
    /// As many leaves as `hashes` covers: `hashes.len()` is the number of its set bits.
    size: u64,
    hashes: Vec<Hash>,
}

impl CompactRange {
    /// The range of the empty tree.
    pub const fn new() -> CompactRange {
        CompactRange { size: 0, hashes: Vec::new() }
    }

    /// Takes up a tree where it was left: the hashes of [`CompactRange::nodes`], in that order.
    pub fn from_hashes(size: TreeSize, hashes: Vec<Hash>) -> Result<CompactRange, WrongHashCount> {
        let needed = size.get().count_ones() as usize;
        if hashes.len() != needed {
            return Err(WrongHashCount { size, given: hashes.len(), needed });
        }
        Ok(CompactRange { size: size.get(), hashes })
    }

    /// The nodes whose hashes the range of a tree of this size holds, largest first.
    pub fn nodes(size: TreeSize) -> Vec<Node> {
        cover(0..size.get()).collect()
    }

    /// Adds a leaf at the end.
    ///
    /// # Panics
    ///
    /// If the tree has 2^64 - 1 leaves already, which no log reaches by appending.
    pub fn append(&mut self, leaf: Hash) {
        self.append_with(leaf, |_, _| {});
    }

    /// Adds a leaf at the end and reports every inner node that it completes, from the bottom up. A log stores those;
    /// the leaf itself is not reported.
    ///
    /// ```
    /// use merkle::{CompactRange, leaf_hash};
    ///
    /// let mut range: CompactRange = (0..7).map(|n| leaf_hash(&[n])).collect();
    /// let mut completed = Vec::new();
    /// range.append_with(leaf_hash(&[7]), |node, _hash| completed.push((node.level, node.index)));
    /// assert_eq!(completed, [(1, 3), (2, 1), (3, 0)]);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`CompactRange::append`] does.
    pub fn append_with(&mut self, leaf: Hash, mut completed: impl FnMut(Node, Hash)) {
        assert!(self.size < u64::MAX, "a tree has at most 2^64 - 1 leaves");
        let mut node = Node::leaf(LeafIndex::new(self.size));
        let mut hash = leaf;
        // An odd node is a right child. Its left sibling is complete and is the last hash that we hold.
        while node.index % 2 == 1 {
            let Some(left) = self.hashes.pop() else { unreachable!("there is a hash for each set bit of the size") };
            hash = node_hash(&left, &hash);
            node = Node { level: node.level + 1, index: node.index / 2 };
            completed(node, hash);
        }
        self.hashes.push(hash);
        self.size += 1;
    }

    /// How many leaves the tree has.
    pub const fn size(&self) -> TreeSize {
        TreeSize::new(self.size)
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        join(&self.hashes).unwrap_or(EMPTY_ROOT)
    }

    /// The hashes to store, in the order of [`CompactRange::nodes`].
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }
}

impl Extend<Hash> for CompactRange {
    fn extend<I: IntoIterator<Item = Hash>>(&mut self, leaves: I) {
        leaves.into_iter().for_each(|leaf| self.append(leaf));
    }
}

impl FromIterator<Hash> for CompactRange {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> CompactRange {
        let mut range = CompactRange::new();
        range.extend(leaves);
        range
    }
}

/// The hashes given for a [`CompactRange`] are not as many as its size has set bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongHashCount {
    /// The size of the tree.
    pub size: TreeSize,
    /// How many hashes were given.
    pub given: usize,
    /// How many the size needs.
    pub needed: usize,
}

impl fmt::Display for WrongHashCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WrongHashCount { size, given, needed } = self;
        write!(f, "the compact range of a tree of size {size} has {needed} hashes, not {given}")
    }
}

impl core::error::Error for WrongHashCount {}

#[cfg(test)]
mod tests {
    use alloc::{string::ToString, vec};

    use super::*;
    use crate::leaf_hash;

    #[test]
    fn the_number_of_hashes_must_fit_the_size() {
        for (size, needed) in [(0, 0), (1, 1), (7, 3), (8, 1), (u64::MAX, 64)] {
            let size = TreeSize::new(size);
            assert_eq!(CompactRange::nodes(size).len(), needed);
            for given in [needed + 1, needed.saturating_sub(1)] {
                let made = CompactRange::from_hashes(size, vec![EMPTY_ROOT; given]);
                assert_eq!(made.is_ok(), given == needed);
            }
        }
        let error = WrongHashCount { size: TreeSize::new(7), given: 2, needed: 3 };
        assert_eq!(error.to_string(), "the compact range of a tree of size 7 has 3 hashes, not 2");
    }

    #[test]
    fn every_inner_node_is_reported_once() {
        let mut range = CompactRange::new();
        let mut completed = Vec::new();
        for n in 0..100 {
            range.append_with(leaf_hash(&[n]), |node, _| completed.push(node));
        }
        completed.sort_unstable();
        let all: Vec<Node> =
            (1..=6).flat_map(|level| (0..100 >> level).map(move |index| Node { level, index })).collect();
        assert_eq!(completed, all);
    }

    #[test]
    #[should_panic(expected = "at most 2^64 - 1 leaves")]
    fn the_largest_tree_is_full() {
        let mut range = CompactRange { size: u64::MAX, hashes: vec![EMPTY_ROOT; 64] };
        range.append(EMPTY_ROOT);
    }
}
