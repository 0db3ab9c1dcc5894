//! Laws that hold for every tree, tried on random ones.

use std::sync::LazyLock;

use merkle::{
    CompactRange, Hash, LeafIndex, LeafRange, MemoryTree, NodeReader, TileNodes, TreeSize, prove_consistency,
    prove_inclusion, root, root_at, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;

use crate::{reference::leaves, stored_tiles::StoredTiles};

/// Enough for a second tile of level 1 and a first of level 2.
static LEAVES: LazyLock<Vec<Hash>> = LazyLock::new(|| leaves(66_000));

fn range_of(leaves: &[Hash]) -> CompactRange {
    leaves.iter().copied().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn appending_one_by_one_gives_the_batch_root(size in 0usize..3000) {
        prop_assert_eq!(range_of(&LEAVES[..size]).root(), root(&LEAVES[..size]));
    }

    #[test]
    fn batches_give_what_one_by_one_gives(start in 0usize..700, batches in prop::collection::vec(0usize..600, 0..8)) {
        let mut one_by_one = LeafRange::starting_at(LeafIndex::new(start as u64));
        let (mut batched, mut merged) = (one_by_one.clone(), one_by_one.clone());
        let mut at = start;
        for batch in batches {
            let leaves = &LEAVES[at..at + batch];
            for leaf in leaves {
                one_by_one.append(*leaf);
            }
            batched.append_batch(leaves);
            let mut part = LeafRange::starting_at(LeafIndex::new(at as u64));
            part.append_batch(leaves);
            prop_assert_eq!(merged.merge(&part), Ok(()));
            at += batch;
        }
        prop_assert_eq!(&batched, &one_by_one);
        prop_assert_eq!(&merged, &one_by_one);
    }

    /// It does not matter which of three neighbours are merged first.
    #[test]
    fn merging_is_associative(start in 0usize..300, a in 0usize..300, b in 0usize..300, c in 0usize..300) {
        let range = |from: usize, length: usize| {
            let mut range = LeafRange::starting_at(LeafIndex::new(from as u64));
            range.append_batch(&LEAVES[from..from + length]);
            range
        };
        let [first, second, third] = [range(start, a), range(start + a, b), range(start + a + b, c)];
        let merged = |left: &LeafRange, right: &LeafRange| {
            let mut left = left.clone();
            left.merge(right).map(|()| left)
        };
        let left_first = merged(&merged(&first, &second).unwrap(), &third).unwrap();
        let right_first = merged(&first, &merged(&second, &third).unwrap()).unwrap();
        prop_assert_eq!(&left_first, &right_first);
        prop_assert_eq!(&left_first, &range(start, a + b + c));
    }

    /// Proofs about proofs: what is consistent step by step is consistent at once; and a leaf of the old tree is in the
    /// new one, whose proof of the old tree's last leaf ends with the hashes of the consistency proof.
    #[test]
    fn proofs_agree_with_each_other(sizes in prop::collection::vec(1usize..900, 3), leaf in any::<prop::sample::Index>()) {
        let mut sizes = sizes;
        sizes.sort_unstable();
        let mut tree = MemoryTree::new();
        tree.append_batch(&LEAVES[..sizes[2]]);
        let views: Vec<_> = sizes.iter().map(|&size| tree.at(TreeSize::new(size as u64)).unwrap()).collect();
        for (old, new) in [(0, 1), (1, 2), (0, 2)] {
            let (old, new) = (&views[old], &views[new]);
            let proof = new.prove_consistency(old.size()).unwrap();
            prop_assert_eq!(verify_consistency(old.size(), new.size(), &old.root(), &new.root(), &proof), Ok(()));

            let index = leaf.index(usize::try_from(old.size().get()).unwrap());
            let in_new = new.prove_inclusion(LeafIndex::new(index as u64)).unwrap();
            let verified = verify_inclusion(&LEAVES[index], LeafIndex::new(index as u64), new.size(), &in_new, &new.root());
            prop_assert_eq!(verified, Ok(()));

            let last = new.prove_inclusion(LeafIndex::new(old.size().get() - 1)).unwrap();
            if old.size() < new.size() {
                let below = old.size().get().trailing_zeros() as usize;
                let first = usize::from(!old.size().get().is_power_of_two());
                prop_assert_eq!(&last[below..], &proof[first..]);
            }
        }
    }

    #[test]
    fn a_stored_range_goes_on_like_one_that_never_stopped(size in 0usize..3000, more in 0usize..300) {
        let size_then = TreeSize::new(size as u64);
        let mut never_stopped = range_of(&LEAVES[..size]);
        let stored = LEAVES.read_nodes(&CompactRange::nodes(size_then)).unwrap();
        let mut resumed = CompactRange::from_hashes(size_then, stored).unwrap();
        prop_assert_eq!(&resumed, &never_stopped);

        let mut reported = (Vec::new(), Vec::new());
        for &leaf in &LEAVES[size..size + more] {
            never_stopped.append_with(leaf, |node, hash| reported.0.push((node, hash)));
            resumed.append_with(leaf, |node, hash| reported.1.push((node, hash)));
        }
        prop_assert_eq!(reported.0, reported.1);
        prop_assert_eq!(&resumed, &never_stopped);
        prop_assert_eq!(resumed.root(), root(&LEAVES[..size + more]));
    }

    #[test]
    fn a_batch_reports_the_nodes_that_its_leaves_report(size in 0usize..3000, more in 0usize..700) {
        let mut one_by_one = range_of(&LEAVES[..size]);
        let mut batch = one_by_one.clone();
        let mut reported = (Vec::new(), Vec::new());
        for &leaf in &LEAVES[size..size + more] {
            one_by_one.append_with(leaf, |node, hash| reported.0.push((node, hash)));
        }
        batch.append_batch_with(&LEAVES[size..size + more], |node, hash| reported.1.push((node, hash)));
        prop_assert_eq!(batch, one_by_one);
        prop_assert!(reported.1.is_sorted_by_key(|(node, _)| *node), "row by row");
        reported.0.sort_by_key(|(node, _)| *node);
        prop_assert_eq!(reported.0, reported.1);
    }

    #[test]
    fn a_prefix_is_consistent_and_a_changed_one_is_not(to in 2usize..600, a in any::<usize>(), b in any::<usize>()) {
        let from = 1 + a % (to - 1);
        let (old, new) = (TreeSize::new(from as u64), TreeSize::new(to as u64));
        let mut history = LEAVES[..to].to_vec();
        let old_root = root(&history[..from]);
        let proof = prove_consistency(old, new, history.as_slice()).unwrap();
        prop_assert_eq!(verify_consistency(old, new, &old_root, &root(&history), &proof), Ok(()));

        history[b % from] = Hash::from_bytes([0; Hash::LEN]);
        let forged = prove_consistency(old, new, history.as_slice()).unwrap();
        prop_assert!(verify_consistency(old, new, &old_root, &root(&history), &forged).is_err());
    }
}

/// The tiles of a tree of 66,000 leaves.
static TILES: LazyLock<std::sync::Mutex<StoredTiles>> =
    LazyLock::new(|| std::sync::Mutex::new(StoredTiles::write(&LEAVES)));

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// The flat reader computes every node from the leaves, so this compares all of it: where the nodes lie, the
    /// hashing inside tiles, and trees whose tiles have grown since.
    #[test]
    fn tiles_give_the_same_proofs_as_leaves(
        stored in prop_oneof![1usize..3000, 65_000usize..=66_000],
        a in any::<usize>(),
        b in any::<usize>(),
    ) {
        let size = 1 + a % stored;
        let (index, from) = (LeafIndex::new((b % size) as u64), TreeSize::new((b % (size + 1)) as u64));
        let (size, stored) = (TreeSize::new(size as u64), TreeSize::new(stored as u64));
        let flat = LEAVES.as_slice();
        let tiles = TILES.lock().unwrap();
        let nodes = TileNodes { size: stored, reader: &*tiles };
        tiles.reads.borrow_mut().clear();

        let proof = prove_inclusion(index, size, &nodes).unwrap();
        prop_assert_eq!(&proof, &prove_inclusion(index, size, flat).unwrap());
        let whole = root_at(size, &nodes).unwrap();
        prop_assert_eq!(whole, root_at(size, flat).unwrap());
        let leaf = LEAVES[usize::try_from(index.get()).unwrap()];
        prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &whole), Ok(()));
        prop_assert_eq!(
            prove_consistency(from, size, &nodes).unwrap(),
            prove_consistency(from, size, flat).unwrap()
        );

        let reads = tiles.reads.borrow();
        prop_assert!(reads.len() <= 3, "one read for each of the three");
        for read in reads.iter() {
            prop_assert!(read.is_sorted_by(|a, b| a < b), "each tile once");
        }
    }
}
