//! Laws that hold for every tree, tried on random ones.

use std::sync::LazyLock;

use merkle::{
    CompactRange, Hash, LeafIndex, NodeReader, TileNodes, TreeSize, prove_consistency, prove_inclusion, root, root_at,
    verify_consistency, verify_inclusion,
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
