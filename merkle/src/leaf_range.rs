//! A compact range that starts anywhere: what one worker makes of its part of a tree, to be merged with the part before.

use alloc::vec::Vec;
use core::fmt;

use crate::{
    Hash, LeafIndex, Node, TreeSize,
    hash::CompleteSubtrees,
    node::{cover, largest_from},
    node_hash,
};

/// The complete subtrees that make up a run of neighbouring leaves, as few as can be: at most 126 hashes.
///
/// It has no root, since it need not be a tree. A [`CompactRange`](crate::CompactRange) is the one that starts at leaf
/// 0, and takes up the others with [`CompactRange::merge`](crate::CompactRange::merge). So the parts of a tree can be
/// hashed apart, by many threads:
///
/// ```
/// use merkle::{CompactRange, Hash, LeafIndex, LeafRange, leaf_hash, root};
///
/// let leaves: Vec<Hash> = (0..100).map(|n| leaf_hash(&[n])).collect();
/// let mut tree: CompactRange = leaves[..30].iter().copied().collect();
/// let part = std::thread::scope(|scope| {
///     let part = || {
///         let mut part = LeafRange::starting_at(LeafIndex::new(30));
///         part.append_batch(&leaves[30..]);
///         part
///     };
///     scope.spawn(part).join()
/// });
/// tree.merge(&part.expect("the thread ends"))?;
/// assert_eq!(tree.root(), root(&leaves));
/// # Ok::<(), merkle::NotAdjacent>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeafRange {
    start: u64,
    /// `hashes` are those of `cover(start..end)`.
    end: u64,
    hashes: Vec<Hash>,
}

impl LeafRange {
    /// The range without leaves before this one.
    ///
    /// ```
    /// use merkle::{LeafIndex, LeafRange};
    ///
    /// let range = LeafRange::starting_at(LeafIndex::new(30));
    /// assert_eq!((range.start().get(), range.end().get()), (30, 30));
    /// ```
    pub const fn starting_at(start: LeafIndex) -> LeafRange {
        LeafRange { start: start.get(), end: start.get(), hashes: Vec::new() }
    }

    /// The tree of that size, whose hashes have been counted.
    pub(crate) const fn of_tree(size: TreeSize, hashes: Vec<Hash>) -> LeafRange {
        LeafRange { start: 0, end: size.get(), hashes }
    }

    /// The hashes, to make another range of.
    pub(crate) fn into_hashes(self) -> Vec<Hash> {
        self.hashes
    }

    /// The size of the tree with so many leaves more.
    pub(crate) fn size_with(&self, leaves: usize) -> TreeSize {
        self.assert_room(leaves as u64);
        TreeSize::new(self.end + leaves as u64)
    }

    /// The index of the first leaf, or of the one to come.
    ///
    /// ```
    /// use merkle::{LeafIndex, LeafRange};
    ///
    /// assert_eq!(LeafRange::starting_at(LeafIndex::new(30)).start(), LeafIndex::new(30));
    /// ```
    pub const fn start(&self) -> LeafIndex {
        LeafIndex::new(self.start)
    }

    /// The size of the smallest tree that has all of these leaves.
    ///
    /// ```
    /// use merkle::{LeafIndex, LeafRange, TreeSize, leaf_hash};
    ///
    /// let mut range = LeafRange::starting_at(LeafIndex::new(30));
    /// range.append(leaf_hash(b"entry 30"));
    /// assert_eq!(range.end(), TreeSize::new(31));
    /// ```
    pub const fn end(&self) -> TreeSize {
        TreeSize::new(self.end)
    }

    /// The nodes whose hashes these are, from left to right.
    ///
    /// ```
    /// use merkle::{LeafIndex, LeafRange, Node, leaf_hash};
    ///
    /// let mut range = LeafRange::starting_at(LeafIndex::new(3));
    /// range.append_batch(&[leaf_hash(b"3"), leaf_hash(b"4"), leaf_hash(b"5")]);
    /// assert_eq!(range.nodes(), [Node { level: 0, index: 3 }, Node { level: 1, index: 2 }]);
    /// ```
    pub fn nodes(&self) -> Vec<Node> {
        cover(self.start..self.end).collect()
    }

    /// The hashes of [`LeafRange::nodes`], in that order.
    ///
    /// ```
    /// use merkle::{LeafIndex, LeafRange, leaf_hash, node_hash};
    ///
    /// let [three, four, five] = [b"3", b"4", b"5"].map(|entry| leaf_hash(entry));
    /// let mut range = LeafRange::starting_at(LeafIndex::new(3));
    /// range.append_batch(&[three, four, five]);
    /// assert_eq!(range.hashes(), [three, node_hash(&four, &five)]);
    /// ```
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// Adds a leaf at the end.
    ///
    /// ```
    /// use merkle::{LeafIndex, LeafRange, leaf_hash};
    ///
    /// let mut range = LeafRange::starting_at(LeafIndex::new(3));
    /// range.append(leaf_hash(b"entry 3"));
    /// assert_eq!(range.hashes(), [leaf_hash(b"entry 3")]);
    /// ```
    ///
    /// # Panics
    ///
    /// If the tree would have more than 2^64 - 1 leaves.
    pub fn append(&mut self, leaf: Hash) {
        self.append_with(leaf, |_, _| {});
    }

    /// Adds a leaf, and reports every inner node that it completes, from the bottom up.
    pub(crate) fn append_with(&mut self, leaf: Hash, completed: impl FnMut(Node, Hash)) {
        self.assert_room(1);
        self.push(Node::leaf(LeafIndex::new(self.end)), leaf, completed);
    }

    /// Adds leaves at the end: the same as one by one, and faster.
    ///
    /// ```
    /// use merkle::{Hash, LeafIndex, LeafRange, leaf_hash};
    ///
    /// let leaves: Vec<Hash> = (0..100).map(|n| leaf_hash(&[n])).collect();
    /// let mut range = LeafRange::starting_at(LeafIndex::new(30));
    /// let mut one_by_one = range.clone();
    /// range.append_batch(&leaves);
    /// for leaf in &leaves {
    ///     one_by_one.append(*leaf);
    /// }
    /// assert_eq!(range, one_by_one);
    /// ```
    ///
    /// # Panics
    ///
    /// If the tree would have more than 2^64 - 1 leaves.
    pub fn append_batch(&mut self, leaves: &[Hash]) {
        /// So few are not worth the preparation.
        const FEW: usize = 8;
        self.assert_room(leaves.len() as u64);
        if leaves.len() < FEW {
            for leaf in leaves {
                self.append(*leaf);
            }
            return;
        }
        let mut subtrees = CompleteSubtrees::new();
        let mut rest = leaves;
        // The subtrees that the leaves complete among themselves, none larger than what is hashed in one place.
        while let Some(node) = largest_from(self.end, rest.len().min(CompleteSubtrees::LARGEST) as u64) {
            let (leaves, after) = rest.split_at(1 << node.level);
            self.push(node, subtrees.root(leaves), |_, _| {});
            rest = after;
        }
    }

    /// Adds the range that starts where this one ends.
    ///
    /// ```
    /// use merkle::{LeafIndex, LeafRange, NotAdjacent, leaf_hash};
    ///
    /// let mut range = LeafRange::starting_at(LeafIndex::new(3));
    /// let mut next = LeafRange::starting_at(LeafIndex::new(4));
    /// let (end, start) = (range.end(), next.start());
    /// assert_eq!(range.merge(&next), Err(NotAdjacent { end, start }));
    ///
    /// range.append(leaf_hash(b"entry 3"));
    /// next.append(leaf_hash(b"entry 4"));
    /// range.merge(&next)?;
    /// assert_eq!(range.hashes(), [leaf_hash(b"entry 3"), leaf_hash(b"entry 4")]);
    /// # Ok::<(), NotAdjacent>(())
    /// ```
    pub fn merge(&mut self, next: &LeafRange) -> Result<(), NotAdjacent> {
        if next.start != self.end {
            return Err(NotAdjacent { end: self.end(), start: next.start() });
        }
        for (node, &hash) in cover(next.start..next.end).zip(&next.hashes) {
            self.push(node, hash, |_, _| {});
        }
        Ok(())
    }

    /// Adds a complete subtree that starts at the end, and joins it with its left siblings as long as they are here.
    fn push(&mut self, node: Node, hash: Hash, mut completed: impl FnMut(Node, Hash)) {
        self.end += 1 << node.level;
        let (mut node, mut hash) = (node, hash);
        // An odd node is a right child. If its left sibling is in the range, it is the last that we hold.
        while node.index % 2 == 1 && (node.index - 1) << node.level >= self.start {
            let Some(left) = self.hashes.pop() else { unreachable!("the hashes cover the range") };
            hash = node_hash(&left, &hash);
            node = Node { level: node.level + 1, index: node.index / 2 };
            completed(node, hash);
        }
        self.hashes.push(hash);
    }

    fn assert_room(&self, leaves: u64) {
        assert!(leaves <= u64::MAX - self.end, "a tree has at most 2^64 - 1 leaves");
    }
}

/// Two ranges of leaves cannot be merged: the second does not start where the first ends.
///
/// ```
/// use merkle::{LeafIndex, NotAdjacent, TreeSize};
///
/// let error = NotAdjacent { end: TreeSize::new(3), start: LeafIndex::new(4) };
/// assert_eq!(error.to_string(), "the range ends before leaf 3 and the next one starts at leaf 4");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAdjacent {
    /// Where the first range ends.
    pub end: TreeSize,
    /// Where the second one starts.
    pub start: LeafIndex,
}

impl fmt::Display for NotAdjacent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the range ends before leaf {} and the next one starts at leaf {}", self.end, self.start)
    }
}

impl core::error::Error for NotAdjacent {}

#[cfg(test)]
mod tests {
    use alloc::{borrow::ToOwned, string::ToString};

    use super::*;
    use crate::EMPTY_ROOT;

    #[test]
    fn the_last_leaf_of_all_may_be_appended() {
        let mut range = LeafRange::starting_at(LeafIndex::new(u64::MAX - 3));
        range.append_batch(&[EMPTY_ROOT; 2]);
        range.append(EMPTY_ROOT);
        assert_eq!(range.end(), TreeSize::new(u64::MAX));
        assert_eq!(range.nodes().len(), range.hashes().len());
        range.append_batch(&[]);
    }

    #[test]
    fn a_gap_is_named() {
        let mut range = LeafRange::starting_at(LeafIndex::new(3));
        let refused = range.merge(&LeafRange::starting_at(LeafIndex::new(5)));
        let words = "the range ends before leaf 3 and the next one starts at leaf 5";
        assert_eq!(refused.map_err(|error| error.to_string()), Err(words.to_owned()));
    }

    #[test]
    #[should_panic(expected = "at most 2^64 - 1 leaves")]
    fn a_batch_beyond_the_largest_tree_is_refused() {
        LeafRange::starting_at(LeafIndex::new(u64::MAX - 3)).append_batch(&[EMPTY_ROOT; 4]);
    }

    #[test]
    #[should_panic(expected = "at most 2^64 - 1 leaves")]
    fn a_leaf_beyond_the_largest_tree_is_refused() {
        LeafRange::starting_at(LeafIndex::new(u64::MAX)).append(EMPTY_ROOT);
    }
}
