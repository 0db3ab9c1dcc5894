//! Where a leaf is and how many there are: two numbers that a caller could swap, so each has its own
//! type.

use core::fmt;

/// The position of a leaf, counted from 0.
///
/// ```
/// let index = merkle::LeafIndex::new(5);
/// assert_eq!((index.get(), index.to_string()), (5, "5".to_owned()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafIndex(u64);

/// How many leaves a tree has. The size names the tree: an append-only log has one tree of each size.
///
/// ```
/// let size = merkle::TreeSize::new(7);
/// assert!(merkle::TreeSize::ZERO < size);
/// assert_eq!((size.get(), size.to_string()), (7, "7".to_owned()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeSize(u64);

impl LeafIndex {
    /// The leaf at this position.
    ///
    /// ```
    /// assert!(merkle::LeafIndex::new(5) < merkle::LeafIndex::new(6));
    /// ```
    pub const fn new(index: u64) -> LeafIndex {
        LeafIndex(index)
    }

    /// The position as a number.
    ///
    /// ```
    /// assert_eq!(merkle::LeafIndex::new(5).get(), 5);
    /// ```
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TreeSize {
    /// The tree without leaves.
    ///
    /// ```
    /// assert_eq!(merkle::TreeSize::ZERO, merkle::CompactRange::new().size());
    /// ```
    pub const ZERO: TreeSize = TreeSize(0);

    /// The tree with this many leaves.
    ///
    /// ```
    /// const LARGEST: merkle::TreeSize = merkle::TreeSize::new(u64::MAX);
    /// assert!(merkle::TreeSize::ZERO < LARGEST);
    /// ```
    pub const fn new(size: u64) -> TreeSize {
        TreeSize(size)
    }

    /// The number of leaves.
    ///
    /// ```
    /// assert_eq!(merkle::TreeSize::new(7).get(), 7);
    /// ```
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
