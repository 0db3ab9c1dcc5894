//! The one narrow door between the maths and whatever keeps the hashes.

use alloc::vec::Vec;
use core::fmt;

use crate::{Hash, Node, TreeSize, root};

/// Gets the hashes of complete subtrees from wherever they are kept.
///
/// A prover calls it once with everything that it needs, so that a store can answer from one snapshot and in one
/// batch. A log that keeps tiles implements [`TileReader`](crate::TileReader) and wraps it in
/// [`TileNodes`](crate::TileNodes) instead. A slice of leaf hashes is a reader too, and so is a
/// [`MemoryTree`](crate::MemoryTree).
///
/// ```
/// use std::collections::BTreeMap;
///
/// use merkle::{CompactRange, Hash, LeafIndex, MissingNode, Node, NodeReader, TreeSize, leaf_hash, root, root_at};
///
/// struct Stored(BTreeMap<Node, Hash>);
///
/// impl NodeReader for Stored {
///     type Error = MissingNode;
///
///     fn read_nodes(&self, nodes: &[Node]) -> Result<Vec<Hash>, MissingNode> {
///         nodes.iter().map(|node| self.0.get(node).copied().ok_or(MissingNode(*node))).collect()
///     }
/// }
///
/// let leaves: Vec<Hash> = (0..10).map(|n| leaf_hash(&[n])).collect();
/// let mut stored = Stored(BTreeMap::new());
/// let mut range = CompactRange::new();
/// for leaf in &leaves {
///     stored.0.insert(Node::leaf(LeafIndex::new(range.size().get())), *leaf);
///     range.append_with(*leaf, |node, hash| _ = stored.0.insert(node, hash));
/// }
/// assert_eq!(root_at(TreeSize::new(7), &stored)?, root(&leaves[..7]));
/// # Ok::<(), merkle::ProveError<MissingNode>>(())
/// ```
pub trait NodeReader {
    /// What can go wrong while reading.
    type Error;

    /// The hashes of these nodes: as many, in the same order.
    fn read_nodes(&self, nodes: &[Node]) -> Result<Vec<Hash>, Self::Error>;
}

/// All leaf hashes of a tree, from the first on. Computes each node anew: for small trees and for tests.
impl NodeReader for [Hash] {
    type Error = MissingNode;

    fn read_nodes(&self, nodes: &[Node]) -> Result<Vec<Hash>, MissingNode> {
        nodes.iter().map(|&node| leaves_below(self, node).map(root).ok_or(MissingNode(node))).collect()
    }
}

fn leaves_below(leaves: &[Hash], node: Node) -> Option<&[Hash]> {
    if !node.is_complete_at(TreeSize::new(leaves.len() as u64)) {
        return None;
    }
    let start = usize::try_from(node.index << node.level).ok()?;
    leaves.get(start..start + (1 << node.level))
}

/// A reader of leaf hashes or nodes has too few of them to have this node.
///
/// ```
/// use merkle::{Hash, MissingNode, Node, NodeReader, leaf_hash};
///
/// let leaves: &[Hash] = &[leaf_hash(b"a")];
/// let node = Node { level: 1, index: 0 };
/// assert_eq!(leaves.read_nodes(&[node]), Err(MissingNode(node)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingNode(pub Node);

impl fmt::Display for MissingNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not enough leaves for the node of level {} at index {}", self.0.level, self.0.index)
    }
}

impl core::error::Error for MissingNode {}
