//! Which stored nodes a proof needs, and how they make it: RFC 6962 §2.1.1 (PATH) and §2.1.2 (SUBPROOF), walked from
//! the root down. No reading here, and no comparing.

use alloc::vec::Vec;
use core::{fmt, ops::Range};

use crate::{Hash, LeafIndex, Node, TreeSize, hash::join, node::cover};

/// The nodes to read for a proof, and what to make of their hashes.
///
/// Each hash of a proof is the root of a range of leaves. Most of these subtrees are complete, so that they are one
/// stored node. The one that reaches the right edge of the tree may not be: it is joined from a run of nodes.
///
/// ```
/// use merkle::{LeafIndex, Node, Plan, TreeSize, leaf_hash, node_hash};
///
/// // Leaf 1 of 7. The last of its three siblings is the root over leaves 4, 5 and 6.
/// let plan = Plan::inclusion(LeafIndex::new(1), TreeSize::new(7))?;
/// let node = |level, index| Node { level, index };
/// assert_eq!(plan.nodes(), [node(0, 0), node(1, 1), node(1, 2), node(0, 6)]);
///
/// let read = [leaf_hash(b"0,0"), leaf_hash(b"1,1"), leaf_hash(b"1,2"), leaf_hash(b"0,6")];
/// assert_eq!(plan.fold(&read), Some(vec![read[0], read[1], node_hash(&read[2], &read[3])]));
/// # Ok::<(), merkle::PlanError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    nodes: Vec<Node>,
    /// How many of the nodes make each hash, in order. No run is empty; together they are all nodes.
    runs: Vec<usize>,
}

impl Plan {
    /// The plan of the inclusion proof of a leaf in the tree of that size.
    ///
    /// ```
    /// use merkle::{LeafIndex, Node, Plan, TreeSize};
    ///
    /// let plan = Plan::inclusion(LeafIndex::new(5), TreeSize::new(7))?;
    /// let node = |level, index| Node { level, index };
    /// assert_eq!(plan.nodes(), [node(0, 4), node(0, 6), node(2, 0)]);
    /// # Ok::<(), merkle::PlanError>(())
    /// ```
    pub fn inclusion(index: LeafIndex, size: TreeSize) -> Result<Plan, PlanError> {
        if index.get() >= size.get() {
            return Err(PlanError::IndexOutsideTree { index, size });
        }
        let mut siblings = Vec::new();
        let Range { mut start, mut end } = 0..size.get();
        while end - start > 1 {
            let middle = split(start..end);
            if index.get() < middle {
                siblings.push(middle..end);
                end = middle;
            } else {
                siblings.push(start..middle);
                start = middle;
            }
        }
        Ok(Plan::bottom_up(siblings))
    }

    /// The plan of the consistency proof between the trees of two sizes. Nothing is needed if they are equal, or if
    /// the old tree is empty.
    ///
    /// ```
    /// use merkle::{Node, Plan, TreeSize};
    ///
    /// let plan = Plan::consistency(TreeSize::new(4), TreeSize::new(7))?;
    /// assert_eq!(plan.nodes(), [Node { level: 1, index: 2 }, Node { level: 0, index: 6 }]);
    /// # Ok::<(), merkle::PlanError>(())
    /// ```
    pub fn consistency(from: TreeSize, to: TreeSize) -> Result<Plan, PlanError> {
        if from > to {
            return Err(PlanError::SizesOutOfOrder { from, to });
        }
        let mut siblings = Vec::new();
        if from == TreeSize::ZERO {
            return Ok(Plan::bottom_up(siblings));
        }
        let Range { mut start, mut end } = 0..to.get();
        while end != from.get() {
            let middle = split(start..end);
            if from.get() <= middle {
                siblings.push(middle..end);
                end = middle;
            } else {
                siblings.push(start..middle);
                start = middle;
            }
        }
        // The old tree ends where this subtree ends. If it also starts there, the verifier has its hash: the old root.
        if start > 0 {
            siblings.push(start..end);
        }
        Ok(Plan::bottom_up(siblings))
    }

    /// The plan of the root of the tree of that size. It folds to one hash, or to none if the tree is empty.
    ///
    /// ```
    /// use merkle::{Plan, TreeSize, leaf_hash, node_hash};
    ///
    /// let plan = Plan::root(TreeSize::new(3));
    /// let read = [leaf_hash(b"1,0"), leaf_hash(b"0,2")];
    /// assert_eq!(plan.fold(&read), Some(vec![node_hash(&read[0], &read[1])]));
    /// ```
    pub fn root(size: TreeSize) -> Plan {
        let whole = 0..size.get();
        Plan::bottom_up(if whole.is_empty() { Vec::new() } else { Vec::from([whole]) })
    }

    /// The nodes to read.
    ///
    /// ```
    /// use merkle::{Node, Plan, TreeSize};
    ///
    /// assert_eq!(Plan::root(TreeSize::new(8)).nodes(), [Node { level: 3, index: 0 }]);
    /// ```
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Makes the proof from the hashes of [`Plan::nodes`], in the same order. `None` if they are not as many.
    ///
    /// ```
    /// use merkle::{Plan, TreeSize, leaf_hash};
    ///
    /// let plan = Plan::root(TreeSize::new(8));
    /// assert_eq!(plan.fold(&[leaf_hash(b"3,0")]), Some(vec![leaf_hash(b"3,0")]));
    /// assert_eq!(plan.fold(&[]), None);
    /// ```
    pub fn fold(&self, hashes: &[Hash]) -> Option<Vec<Hash>> {
        if hashes.len() != self.nodes.len() {
            return None;
        }
        let mut rest = hashes;
        let folded = self.runs.iter().map(|&run| {
            let (run, after) = rest.split_at(run);
            rest = after;
            join(run)
        });
        folded.collect()
    }

    /// A proof lists the lowest sibling first; the walk from the root met it last.
    fn bottom_up(subtrees: Vec<Range<u64>>) -> Plan {
        let mut plan = Plan { nodes: Vec::new(), runs: Vec::new() };
        for leaves in subtrees.into_iter().rev() {
            let before = plan.nodes.len();
            plan.nodes.extend(cover(leaves));
            plan.runs.push(plan.nodes.len() - before);
        }
        plan
    }
}

/// Where RFC 6962 splits a tree of two or more leaves: its left part is the largest power of two that is smaller than
/// the whole.
fn split(leaves: Range<u64>) -> u64 {
    leaves.start + (1 << (leaves.end - leaves.start - 1).ilog2())
}

/// There is no such proof. The fault is the caller's.
///
/// ```
/// use merkle::{LeafIndex, Plan, PlanError, TreeSize};
///
/// let (index, size) = (LeafIndex::new(7), TreeSize::new(7));
/// assert_eq!(Plan::inclusion(index, size), Err(PlanError::IndexOutsideTree { index, size }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanError {
    /// The tree has no such leaf.
    IndexOutsideTree {
        /// The leaf asked for.
        index: LeafIndex,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The old tree is larger than the new one.
    SizesOutOfOrder {
        /// The size of the old tree.
        from: TreeSize,
        /// The size of the new tree.
        to: TreeSize,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::IndexOutsideTree { index, size } => write!(f, "a tree of size {size} has no leaf {index}"),
            PlanError::SizesOutOfOrder { from, to } => {
                write!(f, "the old tree of size {from} is larger than the new one of size {to}")
            }
        }
    }
}

impl core::error::Error for PlanError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn node(level: u8, index: u64) -> Node {
        Node { level, index }
    }

    #[test]
    fn splits_at_the_power_of_two_below() {
        for (end, middle) in [(2, 1), (3, 2), (4, 2), (5, 4), (8, 4), (9, 8), (u64::MAX, 1 << 63)] {
            assert_eq!(split(0..end), middle, "0..{end}");
        }
        assert_eq!(split(4..7), 6);
    }

    /// The example of RFC 6962 §2.1.3, by its letters: PROOF(3, D[7]) is c, d, g, l and PROOF(4, D[7]) is l.
    #[test]
    fn plans_the_example_of_the_rfc() {
        let plan = |from| Plan::consistency(TreeSize::new(from), TreeSize::new(7)).unwrap();
        assert_eq!(plan(3).nodes(), [node(0, 2), node(0, 3), node(1, 0), node(1, 2), node(0, 6)]);
        assert_eq!(plan(3).runs, [1, 1, 1, 2]);
        assert_eq!(plan(4).nodes(), [node(1, 2), node(0, 6)]);
        assert_eq!(plan(4).runs, [2]);
        assert_eq!(plan(6).nodes(), [node(1, 2), node(0, 6), node(2, 0)]);
        assert_eq!(plan(6).runs, [1, 1, 1]);
    }

    #[test]
    fn nothing_to_read_where_nothing_is_to_prove() {
        let plan = |from, to| Plan::consistency(TreeSize::new(from), TreeSize::new(to)).unwrap();
        for (from, to) in [(0, 0), (0, 9), (9, 9), (u64::MAX, u64::MAX)] {
            assert_eq!(plan(from, to).nodes(), []);
            assert_eq!(plan(from, to).fold(&[]), Some(Vec::new()));
        }
    }

    #[test]
    fn refuses_what_is_not_there() {
        let (index, size) = (LeafIndex::new(7), TreeSize::new(7));
        assert_eq!(Plan::inclusion(index, size), Err(PlanError::IndexOutsideTree { index, size }));
        let (from, to) = (TreeSize::new(8), TreeSize::new(7));
        assert_eq!(Plan::consistency(from, to), Err(PlanError::SizesOutOfOrder { from, to }));
    }
}
