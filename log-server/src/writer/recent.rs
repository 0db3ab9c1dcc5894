//! The leaf index of the newest entries, in memory. Who looked a leaf hash up in the store before the queue leaves the
//! writer nothing to read unless it finds something: it asks here for what came since.

use std::collections::HashMap;
use std::mem;

use merkle::{Hash, LeafIndex, TreeSize};

use crate::leaf_index::{LeafStart, start_of};

/// How many are added before the older ones are forgotten: many times what can be under way between queue and look-up.
const GENERATION: u64 = 16_384;

/// Two generations; when the younger is full, the older is forgotten.
pub(super) struct Recent {
    older: HashMap<LeafStart, LeafIndex>,
    younger: HashMap<LeafStart, LeafIndex>,
    /// All entries from here on are in one of the two.
    older_from: TreeSize,
    /// All entries from here on are in the younger.
    younger_from: TreeSize,
}

impl Recent {
    /// Of a tree of which nothing is known yet.
    pub(super) fn after(size: TreeSize) -> Self {
        Self { older: HashMap::new(), younger: HashMap::new(), older_from: size, younger_from: size }
    }

    /// Adds the next entry of the tree.
    pub(super) fn add(&mut self, leaf_hash: &Hash, index: LeafIndex) {
        if index.get() - self.younger_from.get() == GENERATION {
            self.older = mem::take(&mut self.younger);
            self.older_from = self.younger_from;
            self.younger_from = TreeSize::new(index.get());
        }
        self.younger.entry(start_of(leaf_hash)).or_insert(index);
    }

    /// Whether every entry that a tree of this size does not have is here.
    pub(super) fn covers(&self, size: TreeSize) -> bool {
        size >= self.older_from
    }

    /// The first of these whose leaf hash begins like this one.
    pub(super) fn find(&self, leaf_hash: &Hash) -> Option<LeafIndex> {
        let start = start_of(leaf_hash);
        self.older.get(&start).or_else(|| self.younger.get(&start)).copied()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn leaf(i: u64) -> Hash {
        merkle::leaf_hash(&i.to_be_bytes())
    }

    /// Whatever it says it covers it has, at every size, and it forgets.
    #[test]
    fn what_is_covered_is_there() {
        let mut recent = Recent::after(TreeSize::new(7));
        assert!(!recent.covers(TreeSize::new(6)) && recent.covers(TreeSize::new(7)));
        for i in 7..7 + 4 * GENERATION {
            recent.add(&leaf(i), LeafIndex::new(i));
            let first = recent.older_from.get();
            assert_eq!(recent.find(&leaf(first)), Some(LeafIndex::new(first)));
            assert!(i - first <= 2 * GENERATION, "{i} {first}");
            if i >= 7 + 2 * GENERATION {
                assert!(!recent.covers(TreeSize::new(7)) && i - first >= GENERATION);
            }
        }
        let first = recent.older_from.get();
        for i in first..7 + 4 * GENERATION {
            let found = recent.find(&leaf(i)).unwrap().get();
            assert!((first..=i).contains(&found) && start_of(&leaf(found)) == start_of(&leaf(i)), "{i} {found}");
        }
    }
}
