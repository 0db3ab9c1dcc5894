//! Batches, ranges that start anywhere, and the tree in memory: each against the reference, for every tree up to 130
//! leaves and every place to cut it.

use merkle::{CompactRange, Hash, LeafIndex, LeafRange, MemoryTree, NotAdjacent, PlanError, TreeSize, root_at};

use crate::reference::{self, leaves, mth};

const ALL: usize = 130;

fn range(leaves: &[Hash], start: usize, end: usize) -> LeafRange {
    let mut range = LeafRange::starting_at(LeafIndex::new(start as u64));
    range.append_batch(&leaves[start..end]);
    range
}

fn at(n: u64) -> usize {
    usize::try_from(n).unwrap()
}

fn size(n: usize) -> TreeSize {
    TreeSize::new(n as u64)
}

#[test]
fn every_range_covers_its_leaves() {
    let leaves = leaves(ALL);
    for start in 0..=ALL {
        let mut one_by_one = range(&leaves, start, start);
        for end in start..=ALL {
            let range = range(&leaves, start, end);
            assert_eq!(range, one_by_one, "{start}..{end}");
            let mut next = start;
            for (node, hash) in range.nodes().into_iter().zip(range.hashes()) {
                let (first, last) = (at(node.index << node.level), at((node.index + 1) << node.level));
                assert_eq!(first, next, "{start}..{end}: no gap and no overlap");
                assert_eq!(*hash, mth(&leaves[first..last]), "{start}..{end}: {node:?}");
                next = last;
            }
            assert_eq!((next, range.nodes().len()), (end, range.hashes().len()));
            one_by_one.append(*leaves.get(end).unwrap_or(&leaves[0]));
        }
    }
}

#[test]
fn every_cut_of_a_tree_merges_to_it() {
    let leaves = leaves(ALL);
    for end in 0..=ALL {
        let whole: CompactRange = leaves[..end].iter().copied().collect();
        assert_eq!(whole.root(), mth(&leaves[..end]));
        for cut in 0..=end {
            let mut merged: CompactRange = leaves[..cut].iter().copied().collect();
            assert_eq!(merged.merge(&range(&leaves, cut, end)), Ok(()));
            assert_eq!(merged, whole, "{end} cut at {cut}");

            let mut batch: CompactRange = leaves[..cut].iter().copied().collect();
            batch.append_batch(&leaves[cut..end]);
            assert_eq!(batch, whole, "{end} in batches cut at {cut}");
        }
    }
}

#[test]
fn ranges_apart_or_over_each_other_are_not_merged() {
    let leaves = leaves(20);
    for (end, start) in [(7, 8), (7, 6), (0, 1), (20, 0)] {
        let mut left: CompactRange = leaves[..end].iter().copied().collect();
        let before = left.clone();
        let refused = left.merge(&range(&leaves, start, 20));
        assert_eq!(refused, Err(NotAdjacent { end: size(end), start: LeafIndex::new(start as u64) }));
        assert_eq!(left, before, "what was refused changes nothing");
    }
}

#[test]
fn a_tree_in_memory_proves_at_every_size() {
    let leaves = leaves(ALL);
    let mut tree = MemoryTree::new();
    tree.append_batch(&leaves);
    assert_eq!(tree.size(), size(ALL));
    for n in 0..=ALL {
        let view = tree.at(size(n)).unwrap();
        assert_eq!((view.size(), view.root()), (size(n), mth(&leaves[..n])));
        assert_eq!(root_at(size(n), &tree), Ok(view.root()));
        for m in 0..n {
            let index = LeafIndex::new(m as u64);
            assert_eq!(view.prove_inclusion(index), Ok(reference::path(m, &leaves[..n])), "leaf {m} of {n}");
            let expected = if m == 0 { Vec::new() } else { reference::proof(m, &leaves[..n]) };
            assert_eq!(view.prove_consistency(size(m)), Ok(expected), "{m} to {n}");
        }
        assert_eq!(view.prove_consistency(size(n)), Ok(Vec::new()));
        let (index, from) = (LeafIndex::new(n as u64), size(n + 1));
        assert_eq!(view.prove_inclusion(index), Err(PlanError::IndexOutsideTree { index, size: size(n) }));
        assert_eq!(view.prove_consistency(from), Err(PlanError::SizesOutOfOrder { from, to: size(n) }));
    }
    assert!(tree.at(size(ALL + 1)).is_none());
}

#[test]
fn a_tree_in_memory_grows_by_any_batches() {
    let leaves = leaves(ALL);
    let mut whole = MemoryTree::new();
    whole.append_batch(&leaves);
    for cut in 0..=ALL {
        let mut grown = MemoryTree::new();
        for leaf in &leaves[..cut] {
            grown.append(*leaf);
        }
        assert_eq!(grown.latest().root(), mth(&leaves[..cut]));
        grown.append_batch(&leaves[cut..]);
        assert_eq!(grown, whole, "cut at {cut}");
    }
}
