//! A whole tree in memory, every complete node of it: proofs are looked up, not computed.

use alloc::vec::Vec;
use core::slice;

use crate::{
    EMPTY_ROOT, Hash, LeafIndex, MissingNode, Node, NodeReader, PlanError, TreeSize, hash::parents_of, node_hash,
};

/// Every complete node of a tree, row by row: 64 bytes for each leaf, and room to grow.
///
/// Proofs come from [`MemoryTree::at`], which looks at the tree as it was at a size. It is also a [`NodeReader`].
///
/// ```
/// use merkle::{LeafIndex, MemoryTree, TreeSize, leaf_hash, verify_consistency, verify_inclusion};
///
/// let mut tree = MemoryTree::new();
/// for entry in [b"a", b"b", b"c", b"d", b"e", b"f", b"g"] {
///     tree.append(leaf_hash(entry));
/// }
/// let now = tree.latest();
/// let proof = now.prove_inclusion(LeafIndex::new(5))?;
/// assert_eq!(verify_inclusion(&leaf_hash(b"f"), LeafIndex::new(5), now.size(), &proof, &now.root()), Ok(()));
///
/// let Some(then) = tree.at(TreeSize::new(3)) else { unreachable!("it has seven leaves") };
/// let proof = now.prove_consistency(then.size())?;
/// assert_eq!(verify_consistency(then.size(), now.size(), &then.root(), &now.root(), &proof), Ok(()));
/// # Ok::<(), merkle::PlanError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemoryTree {
    /// The row of each level: of the leaves, half as many above, and so on while a row has any.
    rows: Vec<Vec<Hash>>,
}

impl MemoryTree {
    /// The empty tree.
    ///
    /// ```
    /// use merkle::{MemoryTree, TreeSize};
    ///
    /// assert_eq!(MemoryTree::new().size(), TreeSize::ZERO);
    /// ```
    pub const fn new() -> MemoryTree {
        MemoryTree { rows: Vec::new() }
    }

    /// How many leaves the tree has.
    ///
    /// ```
    /// use merkle::{MemoryTree, TreeSize, leaf_hash};
    ///
    /// let mut tree = MemoryTree::new();
    /// tree.append(leaf_hash(b"a"));
    /// assert_eq!(tree.size(), TreeSize::new(1));
    /// ```
    pub fn size(&self) -> TreeSize {
        TreeSize::new(self.rows.first().map_or(0, Vec::len) as u64)
    }

    /// Adds a leaf at the end.
    ///
    /// ```
    /// use merkle::{MemoryTree, leaf_hash};
    ///
    /// let mut tree = MemoryTree::new();
    /// tree.append(leaf_hash(b"a"));
    /// assert_eq!(tree.latest().root(), leaf_hash(b"a"));
    /// ```
    pub fn append(&mut self, leaf: Hash) {
        self.append_batch(slice::from_ref(&leaf));
    }

    /// Adds leaves at the end: the same as one by one, and faster.
    ///
    /// ```
    /// use merkle::{Hash, MemoryTree, leaf_hash, root};
    ///
    /// let leaves: Vec<Hash> = (0..100).map(|n| leaf_hash(&[n])).collect();
    /// let mut tree = MemoryTree::new();
    /// tree.append_batch(&leaves[..60]);
    /// tree.append_batch(&leaves[60..]);
    /// assert_eq!(tree.latest().root(), root(&leaves));
    /// ```
    pub fn append_batch(&mut self, leaves: &[Hash]) {
        if leaves.is_empty() {
            return;
        }
        if self.rows.is_empty() {
            self.rows.push(Vec::new());
        }
        self.rows[0].extend_from_slice(leaves);
        for level in 1.. {
            let (below, from_here) = self.rows.split_at_mut(level);
            let done = from_here.first().map_or(0, Vec::len);
            let new = below[level - 1][2 * done..].as_chunks::<2>().0;
            if new.is_empty() {
                return;
            }
            if let Some(row) = from_here.first_mut() {
                row.reserve(new.len());
                parents_of(new, |hash| row.push(hash));
            } else {
                let mut row = Vec::with_capacity(new.len());
                parents_of(new, |hash| row.push(hash));
                self.rows.push(row);
            }
        }
    }

    /// The tree as it was at that size, or `None` if it is not that large yet. Takes one hash at most for each level;
    /// the proofs after that take none.
    ///
    /// ```
    /// use merkle::{MemoryTree, TreeSize, leaf_hash};
    ///
    /// let mut tree = MemoryTree::new();
    /// tree.append_batch(&[leaf_hash(b"a"), leaf_hash(b"b")]);
    /// assert_eq!(tree.at(TreeSize::new(1)).map(|then| then.root()), Some(leaf_hash(b"a")));
    /// assert!(tree.at(TreeSize::new(3)).is_none());
    /// ```
    pub fn at(&self, size: TreeSize) -> Option<TreeView<'_>> {
        (size <= self.size()).then(|| TreeView::new(self, size))
    }

    /// The tree as it is now.
    ///
    /// ```
    /// use merkle::{EMPTY_ROOT, MemoryTree};
    ///
    /// assert_eq!(MemoryTree::new().latest().root(), EMPTY_ROOT);
    /// ```
    pub fn latest(&self) -> TreeView<'_> {
        TreeView::new(self, self.size())
    }

    fn node(&self, level: usize, index: u64) -> Option<&Hash> {
        self.rows.get(level)?.get(usize::try_from(index).ok()?)
    }
}

impl Extend<Hash> for MemoryTree {
    fn extend<I: IntoIterator<Item = Hash>>(&mut self, leaves: I) {
        self.append_batch(&leaves.into_iter().collect::<Vec<_>>());
    }
}

impl FromIterator<Hash> for MemoryTree {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> MemoryTree {
        let mut tree = MemoryTree::new();
        tree.extend(leaves);
        tree
    }
}

impl NodeReader for MemoryTree {
    type Error = MissingNode;

    fn read_nodes(&self, nodes: &[Node]) -> Result<Vec<Hash>, MissingNode> {
        let read = |&node: &Node| self.node(usize::from(node.level), node.index).copied().ok_or(MissingNode(node));
        nodes.iter().map(read).collect()
    }
}

/// A [`MemoryTree`] as it was at one size, with what is not complete at that size.
///
/// ```text
/// level 3         root           the rightmost node of each level, if it is not complete, is kept here: for 7 leaves
///               /      \         the root, r and r', which are joined once, each from its left child and the one
/// level 2     2,0        r       below it. A level whose left child is missing hands up the one below.
///            /   \      / \
/// level 1  1,0  1,1  1,2   r' = 0,6
/// ```
///
/// ```
/// use merkle::{LeafIndex, MemoryTree, leaf_hash};
///
/// let mut tree = MemoryTree::new();
/// tree.append_batch(&[leaf_hash(b"a"), leaf_hash(b"b")]);
/// let view = tree.latest();
/// assert_eq!(view.prove_inclusion(LeafIndex::new(0))?, [leaf_hash(b"b")]);
/// # Ok::<(), merkle::PlanError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TreeView<'a> {
    tree: &'a MemoryTree,
    size: u64,
    /// By level, the node on the right edge, where it is not complete; what stands for a complete one is not looked at, that of
    /// the leaves among them. The last is the root. There are as many as the tree has levels now: in the levels above those
    /// of this size the root is repeated.
    edge: Vec<Hash>,
}

impl<'a> TreeView<'a> {
    fn new(tree: &'a MemoryTree, size: TreeSize) -> TreeView<'a> {
        let size = size.get();
        let mut edge = Vec::from([EMPTY_ROOT]);
        edge.reserve(tree.rows.len());
        let mut below = None;
        for (level, row) in (0..).zip(&tree.rows) {
            if let Some(index) = last_left_child(size, level) {
                let left = &row[index];
                below = Some(below.map_or(*left, |right| node_hash(left, &right)));
            }
            edge.push(below.unwrap_or(EMPTY_ROOT));
        }
        TreeView { tree, size, edge }
    }

    /// The size that this is the tree of.
    ///
    /// ```
    /// use merkle::{MemoryTree, TreeSize};
    ///
    /// assert_eq!(MemoryTree::new().latest().size(), TreeSize::ZERO);
    /// ```
    pub const fn size(&self) -> TreeSize {
        TreeSize::new(self.size)
    }

    /// The root of the tree.
    ///
    /// ```
    /// use merkle::{MemoryTree, leaf_hash, node_hash};
    ///
    /// let mut tree = MemoryTree::new();
    /// tree.append_batch(&[leaf_hash(b"a"), leaf_hash(b"b")]);
    /// assert_eq!(tree.latest().root(), node_hash(&leaf_hash(b"a"), &leaf_hash(b"b")));
    /// ```
    pub fn root(&self) -> Hash {
        self.edge.last().copied().unwrap_or(EMPTY_ROOT)
    }

    /// The inclusion proof of a leaf, as [`prove_inclusion`](crate::prove_inclusion) makes it.
    ///
    /// ```
    /// use merkle::{LeafIndex, MemoryTree, PlanError, leaf_hash};
    ///
    /// let mut tree = MemoryTree::new();
    /// tree.append_batch(&[leaf_hash(b"a"), leaf_hash(b"b")]);
    /// let (view, index) = (tree.latest(), LeafIndex::new(2));
    /// assert_eq!(view.prove_inclusion(LeafIndex::new(1)), Ok(vec![leaf_hash(b"a")]));
    /// assert_eq!(view.prove_inclusion(index), Err(PlanError::IndexOutsideTree { index, size: view.size() }));
    /// ```
    pub fn prove_inclusion(&self, index: LeafIndex) -> Result<Vec<Hash>, PlanError> {
        if index.get() >= self.size {
            return Err(PlanError::IndexOutsideTree { index, size: self.size() });
        }
        let mut proof = Vec::with_capacity(self.edge.len());
        self.push_siblings(0, index.get(), &mut proof);
        Ok(proof)
    }

    /// The consistency proof from an older tree, as [`prove_consistency`](crate::prove_consistency) makes it.
    ///
    /// ```
    /// use merkle::{MemoryTree, PlanError, TreeSize, leaf_hash};
    ///
    /// let mut tree = MemoryTree::new();
    /// tree.append_batch(&[leaf_hash(b"a"), leaf_hash(b"b")]);
    /// let (view, larger) = (tree.latest(), TreeSize::new(3));
    /// assert_eq!(view.prove_consistency(TreeSize::new(1)), Ok(vec![leaf_hash(b"b")]));
    /// assert_eq!(
    ///     view.prove_consistency(larger),
    ///     Err(PlanError::SizesOutOfOrder { from: larger, to: view.size() })
    /// );
    /// ```
    pub fn prove_consistency(&self, from: TreeSize) -> Result<Vec<Hash>, PlanError> {
        if from > self.size() {
            return Err(PlanError::SizesOutOfOrder { from, to: self.size() });
        }
        if from == TreeSize::ZERO || from == self.size() {
            return Ok(Vec::new());
        }
        let mut proof = Vec::with_capacity(self.edge.len());
        // The last complete subtree of the old tree. If it is the old tree, the verifier has its hash.
        let level = from.get().trailing_zeros();
        let index = (from.get() - 1) >> level;
        if index > 0 {
            proof.extend(self.tree.node(level as usize, index));
        }
        self.push_siblings(level, index, &mut proof);
        Ok(proof)
    }

    /// The siblings on the way up from a complete node, as many as there are.
    fn push_siblings(&self, level: u32, index: u64, proof: &mut Vec<Hash>) {
        let levels = (level..).zip(&self.tree.rows[level as usize..]).zip(&self.edge[level as usize..]);
        for ((above, row), edge) in levels {
            let sibling = (index >> (above - level)) ^ 1;
            let complete = self.size >> above;
            if sibling < complete {
                let Some(hash) = usize::try_from(sibling).ok().and_then(|sibling| row.get(sibling)) else {
                    unreachable!("the tree has every complete node")
                };
                proof.push(*hash);
            } else if sibling == complete && self.size != complete << above {
                proof.push(*edge);
            }
        }
    }
}

/// The last complete node of a level if it is a left child, so that the node above it is not complete.
fn last_left_child(size: u64, level: u32) -> Option<usize> {
    let complete = size >> level;
    if complete % 2 == 1 { usize::try_from(complete - 1).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf_hash;

    #[test]
    fn an_empty_batch_changes_nothing() {
        let mut tree = MemoryTree::new();
        tree.append_batch(&[]);
        assert_eq!(tree, MemoryTree::new());
    }

    #[test]
    fn leaves_may_come_from_an_iterator() {
        let leaves = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
        let mut tree: MemoryTree = leaves[..1].iter().copied().collect();
        tree.extend(leaves[1..].iter().copied());
        assert_eq!(tree.latest().root(), crate::root(&leaves));
    }

    #[test]
    fn a_node_that_is_not_there_is_named() {
        let mut tree = MemoryTree::new();
        tree.append_batch(&[leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")]);
        for (level, index) in [(0, 3), (1, 1), (2, 0), (64, 0), (255, u64::MAX), (0, u64::MAX)] {
            let node = Node { level, index };
            assert_eq!(tree.read_nodes(&[node]), Err(MissingNode(node)));
        }
        assert_eq!(tree.read_nodes(&[Node { level: 0, index: 2 }]), Ok([leaf_hash(b"c")].to_vec()));
    }
}
