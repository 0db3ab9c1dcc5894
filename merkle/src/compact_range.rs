//! The right edge of a growing tree: all that is needed to append leaves and to know the root.

use alloc::vec::Vec;
use core::{fmt, iter, mem};

use crate::{
    EMPTY_ROOT, Hash, LeafIndex, LeafRange, Node, NotAdjacent, TreeSize,
    hash::{CompleteSubtrees, join, parents_of},
    node::cover,
};

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
pub struct CompactRange(LeafRange);

impl CompactRange {
    /// The range of the empty tree.
    ///
    /// ```
    /// assert_eq!(merkle::CompactRange::new().root(), merkle::EMPTY_ROOT);
    /// ```
    pub const fn new() -> CompactRange {
        CompactRange(LeafRange::starting_at(LeafIndex::new(0)))
    }

    /// Takes up a tree where it was left: the hashes of [`CompactRange::nodes`], in that order.
    ///
    /// ```
    /// use merkle::{CompactRange, TreeSize, leaf_hash, node_hash};
    ///
    /// let stored = [node_hash(&leaf_hash(b"a"), &leaf_hash(b"b")), leaf_hash(b"c")];
    /// let range = CompactRange::from_hashes(TreeSize::new(3), stored.to_vec())?;
    /// assert_eq!(range.root(), node_hash(&stored[0], &stored[1]));
    /// assert!(CompactRange::from_hashes(TreeSize::new(4), stored.to_vec()).is_err());
    /// # Ok::<(), merkle::WrongHashCount>(())
    /// ```
    pub fn from_hashes(size: TreeSize, hashes: Vec<Hash>) -> Result<CompactRange, WrongHashCount> {
        let needed = size.get().count_ones() as usize;
        if hashes.len() != needed {
            return Err(WrongHashCount { size, given: hashes.len(), needed });
        }
        Ok(CompactRange(LeafRange::of_tree(size, hashes)))
    }

    /// The nodes whose hashes the range of a tree of this size holds, largest first.
    ///
    /// ```
    /// use merkle::{CompactRange, Node, TreeSize};
    ///
    /// let nodes = CompactRange::nodes(TreeSize::new(6));
    /// assert_eq!(nodes, [Node { level: 2, index: 0 }, Node { level: 1, index: 2 }]);
    /// ```
    pub fn nodes(size: TreeSize) -> Vec<Node> {
        cover(0..size.get()).collect()
    }

    /// Adds a leaf at the end.
    ///
    /// ```
    /// use merkle::{CompactRange, leaf_hash};
    ///
    /// let mut range = CompactRange::new();
    /// range.append(leaf_hash(b"a"));
    /// assert_eq!(range.root(), leaf_hash(b"a"));
    /// ```
    ///
    /// # Panics
    ///
    /// If the tree has 2^64 - 1 leaves already, which no log reaches by appending.
    pub fn append(&mut self, leaf: Hash) {
        self.0.append(leaf);
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
    pub fn append_with(&mut self, leaf: Hash, completed: impl FnMut(Node, Hash)) {
        self.0.append_with(leaf, completed);
    }

    /// Adds leaves at the end: the same as one by one, and faster.
    ///
    /// ```
    /// use merkle::{CompactRange, Hash, leaf_hash, root};
    ///
    /// let leaves: Vec<Hash> = (0..100).map(|n| leaf_hash(&[n])).collect();
    /// let mut range = CompactRange::new();
    /// range.append_batch(&leaves[..60]);
    /// range.append_batch(&leaves[60..]);
    /// assert_eq!(range.root(), root(&leaves));
    /// ```
    ///
    /// # Panics
    ///
    /// If the tree would have more than 2^64 - 1 leaves.
    pub fn append_batch(&mut self, leaves: &[Hash]) {
        self.0.append_batch(leaves);
    }

    /// Adds leaves at the end and reports every inner node that they complete: row by row from the bottom up, each row from
    /// left to right. The same nodes as [`CompactRange::append_with`] of each, and faster.
    ///
    /// A log that keeps tiles stores the leaves, which are not reported, and every eighth row above them:
    ///
    /// ```
    /// use merkle::{CompactRange, Hash, Node, Tile, leaf_hash, root};
    ///
    /// let leaves: Vec<Hash> = (0..600_u16).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    /// let mut range = CompactRange::new();
    /// let mut level_1 = Vec::new(); // the tile 1/000.p/2: one hash for each full tile of leaves
    /// range.append_batch_with(&leaves, |Node { level, .. }, hash| {
    ///     if level == Tile::HEIGHT {
    ///         level_1.push(hash);
    ///     }
    /// });
    /// assert_eq!(level_1, [root(&leaves[..256]), root(&leaves[256..512])]);
    /// assert_eq!(range.root(), root(&leaves));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`CompactRange::append_batch`] does.
    pub fn append_batch_with(&mut self, leaves: &[Hash], mut completed: impl FnMut(Node, Hash)) {
        let size = self.0.size_with(leaves.len());
        let (mut first, mut held) = (self.size().get(), mem::take(&mut self.0).into_hashes());
        // What stays alone at the end of each row, and so is in the range of the new size, smallest first.
        let mut alone: Vec<Hash> = Vec::new();
        let mut row = Vec::with_capacity(leaves.len() + 1);
        row.extend(if first % 2 == 1 { held.pop() } else { None });
        row.extend_from_slice(leaves);
        let mut level = 0;
        while !row.is_empty() {
            let (pairs, last) = row.as_chunks::<2>();
            alone.extend(last);
            level += 1;
            first /= 2;
            // A node that is new and odd has its left sibling among those that the range held.
            let mut above = Vec::with_capacity(pairs.len() + 1);
            above.extend(if first % 2 == 1 && !pairs.is_empty() { held.pop() } else { None });
            let mut index = first;
            parents_of(pairs, |hash| {
                completed(Node { level, index }, hash);
                above.push(hash);
                index += 1;
            });
            row = above;
        }
        held.extend(alone.into_iter().rev());
        self.0 = LeafRange::of_tree(size, held);
    }

    /// Adds the range that starts where this tree ends, which may have been hashed elsewhere.
    ///
    /// ```
    /// use merkle::{CompactRange, LeafIndex, LeafRange, leaf_hash, node_hash};
    ///
    /// let mut tree = CompactRange::new();
    /// tree.append(leaf_hash(b"a"));
    /// let mut next = LeafRange::starting_at(LeafIndex::new(1));
    /// next.append(leaf_hash(b"b"));
    /// tree.merge(&next)?;
    /// assert_eq!(tree.root(), node_hash(&leaf_hash(b"a"), &leaf_hash(b"b")));
    /// assert!(tree.merge(&next).is_err(), "the tree ends at leaf 2 by now");
    /// # Ok::<(), merkle::NotAdjacent>(())
    /// ```
    pub fn merge(&mut self, next: &LeafRange) -> Result<(), NotAdjacent> {
        self.0.merge(next)
    }

    /// How many leaves the tree has.
    ///
    /// ```
    /// use merkle::{CompactRange, TreeSize, leaf_hash};
    ///
    /// let range: CompactRange = (0..7).map(|n| leaf_hash(&[n])).collect();
    /// assert_eq!(range.size(), TreeSize::new(7));
    /// ```
    pub const fn size(&self) -> TreeSize {
        self.0.end()
    }

    /// The root of the tree.
    ///
    /// ```
    /// use merkle::{CompactRange, leaf_hash, node_hash};
    ///
    /// let [a, b, c] = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
    /// let range: CompactRange = [a, b, c].into_iter().collect();
    /// assert_eq!(range.root(), node_hash(&node_hash(&a, &b), &c));
    /// ```
    pub fn root(&self) -> Hash {
        join(self.hashes()).unwrap_or(EMPTY_ROOT)
    }

    /// The hashes to store, in the order of [`CompactRange::nodes`].
    ///
    /// ```
    /// use merkle::{CompactRange, leaf_hash, node_hash};
    ///
    /// let [a, b, c] = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
    /// let range: CompactRange = [a, b, c].into_iter().collect();
    /// assert_eq!(range.hashes(), [node_hash(&a, &b), c]);
    /// ```
    pub fn hashes(&self) -> &[Hash] {
        self.0.hashes()
    }
}

impl Extend<Hash> for CompactRange {
    fn extend<I: IntoIterator<Item = Hash>>(&mut self, leaves: I) {
        let mut leaves = leaves.into_iter().fuse();
        let mut batch = Vec::with_capacity(leaves.size_hint().0.min(CompleteSubtrees::LARGEST));
        while let Some(leaf) = leaves.next() {
            batch.clear();
            batch.extend(iter::once(leaf).chain(leaves.by_ref()).take(CompleteSubtrees::LARGEST));
            self.append_batch(&batch);
        }
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
///
/// ```
/// use merkle::{CompactRange, TreeSize, WrongHashCount};
///
/// let size = TreeSize::new(7);
/// let refused = CompactRange::from_hashes(size, Vec::new());
/// assert_eq!(refused, Err(WrongHashCount { size, given: 0, needed: 3 }));
/// ```
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
    #![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

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
    fn a_batch_that_is_reported_needs_room_too() {
        let full = CompactRange::from_hashes(TreeSize::new(u64::MAX), vec![EMPTY_ROOT; 64]);
        full.unwrap().append_batch_with(&[EMPTY_ROOT], |_, _| {});
    }

    #[test]
    #[should_panic(expected = "at most 2^64 - 1 leaves")]
    fn the_largest_tree_is_full() {
        let full = CompactRange::from_hashes(TreeSize::new(u64::MAX), vec![EMPTY_ROOT; 64]);
        full.unwrap().append(EMPTY_ROOT);
    }
}
