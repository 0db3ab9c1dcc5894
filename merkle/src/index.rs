//! Where a leaf is and how many there are: two numbers that a caller could swap, so each has its own
//! type.

use core::fmt;

/// The position of a leaf, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafIndex(u64);

/// How many leaves a tree has. The size names the tree: an append-only log has one tree of each size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeSize(u64);

impl LeafIndex {
    /// The leaf at this position.
    pub const fn new(index: u64) -> LeafIndex {
        LeafIndex(index)
    }

    /// The position as a number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TreeSize {
    /// The tree without leaves.
    pub const ZERO: TreeSize = TreeSize(0);

    /// The tree with this many leaves.
    pub const fn new(size: u64) -> TreeSize {
        TreeSize(size)
    }

    /// The number of leaves.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for TreeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
