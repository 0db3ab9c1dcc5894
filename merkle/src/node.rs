//! Coordinates of complete subtrees, the only nodes that a log ever stores.

use core::{iter, ops::Range};

use crate::{LeafIndex, TreeSize};

/// The root of the complete subtree over the leaves `index << level .. (index + 1) << level`. Level 0 is the leaves.
///
/// Any two numbers make a node; [`Node::is_complete_at`] says whether a tree has it.
///
/// ```
/// use merkle::{CompactRange, Node, TreeSize};
///
/// let nodes = CompactRange::nodes(TreeSize::new(7));
/// assert_eq!(nodes, [Node { level: 2, index: 0 }, Node { level: 1, index: 2 }, Node { level: 0, index: 6 }]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The height above the leaves.
    pub level: u8,
    /// The position in the row of that level, counted from 0.
    pub index: u64,
}

impl Node {
    /// The node that is a leaf.
    ///
    /// ```
    /// use merkle::{LeafIndex, Node};
    ///
    /// assert_eq!(Node::leaf(LeafIndex::new(6)), Node { level: 0, index: 6 });
    /// ```
    pub const fn leaf(index: LeafIndex) -> Node {
        Node { level: 0, index: index.get() }
    }

    /// Whether all leaves below this node are in the tree of that size, so that its hash is final.
    ///
    /// ```
    /// use merkle::{Node, TreeSize};
    ///
    /// let node = Node { level: 2, index: 1 }; // leaves 4 to 7
    /// assert!(!node.is_complete_at(TreeSize::new(7)));
    /// assert!(node.is_complete_at(TreeSize::new(8)));
    /// ```
    pub fn is_complete_at(self, size: TreeSize) -> bool {
        self.index < complete_nodes(u32::from(self.level), size)
    }
}

/// How many complete nodes the row of a level has. None from level 64 on, whatever the size.
pub(crate) fn complete_nodes(level: u32, size: TreeSize) -> u64 {
    size.get().checked_shr(level).unwrap_or(0)
}

/// The complete subtrees that make up a range of leaves, from left to right, as few as can be. From leaf 0 on they are
/// largest first, one for each set bit of the length; so they are for every subtree that the recursion of RFC 6962 §2.1
/// meets. A range that starts elsewhere rises to its largest first.
pub(crate) fn cover(leaves: Range<u64>) -> impl Iterator<Item = Node> {
    /// On the way up and on the way down, one of each level but the 64th, which is a tree of its own. The end says this too;
    /// the limit is for a mistake in it, which would fill the memory.
    const MOST: usize = 126;
    let Range { mut start, end } = leaves;
    let nodes = iter::from_fn(move || {
        let node = largest_from(start, end - start)?;
        start += 1 << node.level;
        Some(node)
    });
    nodes.take(MOST)
}

/// The largest complete subtree that starts at this leaf and has at most so many leaves. `None` if none are left.
pub(crate) fn largest_from(start: u64, leaves: u64) -> Option<Node> {
    let level = leaves.checked_ilog2()?.min(start.trailing_zeros());
    #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a u64 is at most 63")]
    Some(Node { level: level as u8, index: start >> level })
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn cover_has_a_node_for_each_bit() {
        let node = |level, index| Node { level, index };
        assert_eq!(cover(0..0).collect::<Vec<_>>(), []);
        assert_eq!(cover(0..7).collect::<Vec<_>>(), [node(2, 0), node(1, 2), node(0, 6)]);
        assert_eq!(cover(4..7).collect::<Vec<_>>(), [node(1, 2), node(0, 6)]);
        assert_eq!(cover(0..u64::MAX).count(), 64);
    }

    #[test]
    fn a_cover_may_start_anywhere() {
        let node = |level, index| Node { level, index };
        assert_eq!(cover(1..1).collect::<Vec<_>>(), []);
        assert_eq!(cover(1..8).collect::<Vec<_>>(), [node(0, 1), node(1, 1), node(2, 1)]);
        assert_eq!(cover(3..10).collect::<Vec<_>>(), [node(0, 3), node(2, 1), node(1, 4)]);
        assert_eq!(cover(1..u64::MAX).count(), 126);
        assert_eq!(cover(1 << 63..u64::MAX).count(), 63);
    }

    #[test]
    fn no_level_is_too_high_to_ask_for() {
        let largest = TreeSize::new(u64::MAX);
        assert!(Node { level: 63, index: 0 }.is_complete_at(largest));
        assert!(!Node { level: 63, index: 1 }.is_complete_at(largest));
        assert!(!Node { level: 0, index: u64::MAX }.is_complete_at(largest));
        assert!(!Node { level: 64, index: 0 }.is_complete_at(largest));
        assert!(!Node { level: 255, index: u64::MAX }.is_complete_at(largest));
    }
}
