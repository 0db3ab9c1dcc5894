//! Sizes up to 2^64 - 1. No one can hold such a tree, but one whose leaves are all equal has one hash for each row,
//! so its proofs can be made and checked for real.

use std::convert::Infallible;

use merkle::{
    CompactRange, Hash, LeafIndex, Node, NodeReader, Tile, TileNodes, TileReader, TreeSize, leaf_hash, node_hash,
    prove_consistency, prove_inclusion, root_at, tiles_changed, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;

/// The hash of every node, by level.
struct Uniform([Hash; 64]);

impl Uniform {
    fn new() -> Uniform {
        let mut levels = [leaf_hash(b"the same entry again"); 64];
        for level in 1..levels.len() {
            levels[level] = node_hash(&levels[level - 1], &levels[level - 1]);
        }
        Uniform(levels)
    }
}

impl NodeReader for Uniform {
    type Error = Infallible;

    fn read_nodes(&self, nodes: &[Node]) -> Result<Vec<Hash>, Infallible> {
        Ok(nodes.iter().map(|node| self.0[usize::from(node.level)]).collect())
    }
}

impl TileReader for Uniform {
    type Error = Infallible;

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<Hash>>, Infallible> {
        let read = |tile: &Tile| vec![self.0[usize::from(tile.level * Tile::HEIGHT)]; usize::from(tile.width)];
        Ok(tiles.iter().map(read).collect())
    }
}

/// Any number, often one next to a power of two or to the end.
fn number() -> impl Strategy<Value = u64> {
    let near_power = (0u32..64, 0u64..6).prop_map(|(bit, off)| (1u64 << bit).saturating_add(off).saturating_sub(3));
    prop_oneof![any::<u64>(), near_power, (0u64..4).prop_map(|below| u64::MAX - below)]
}

fn check_proofs(tree: &Uniform, from: u64, to: u64, index: u64) {
    let (from, size, index) = (TreeSize::new(from), TreeSize::new(to), LeafIndex::new(index));
    let nodes = TileNodes { size, reader: tree };
    let root = root_at(size, tree).unwrap();
    let range = CompactRange::from_hashes(size, tree.read_nodes(&CompactRange::nodes(size)).unwrap()).unwrap();
    assert_eq!(range.root(), root);
    assert_eq!(root_at(size, &nodes).unwrap(), root);

    let inclusion = prove_inclusion(index, size, tree).unwrap();
    assert_eq!(prove_inclusion(index, size, &nodes).unwrap(), inclusion);
    assert_eq!(verify_inclusion(&tree.0[0], index, size, &inclusion, &root), Ok(()));

    let old_root = root_at(from, tree).unwrap();
    let consistency = prove_consistency(from, size, tree).unwrap();
    assert_eq!(prove_consistency(from, size, &nodes).unwrap(), consistency);
    assert_eq!(verify_consistency(from, size, &old_root, &root, &consistency), Ok(()));
}

#[test]
fn the_largest_trees() {
    let tree = Uniform::new();
    let half = 1u64 << 63;
    for size in [u64::MAX, u64::MAX - 1, half + 1, half, half - 1] {
        for index in [0, 1, half - 2, half - 1, half, half + 1, size - 2, size - 1] {
            if index < size {
                check_proofs(&tree, index, size, index);
                check_proofs(&tree, index + 1, size, index);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn proofs_of_any_size(a in number(), b in number(), index in number()) {
        let (from, to) = (a.min(b), a.max(b));
        if to > 0 {
            check_proofs(&Uniform::new(), from, to, index % to);
        }
    }

    #[test]
    fn nothing_panics(a in number(), b in number(), length in 0usize..70, level in any::<u8>(), width in any::<u16>()) {
        let hash = leaf_hash(b"");
        let proof = vec![hash; length];
        let (size, other) = (TreeSize::new(a), TreeSize::new(b));
        let tree = Uniform::new();
        let _ = verify_inclusion(&hash, LeafIndex::new(b), size, &proof, &hash);
        let _ = verify_consistency(size, other, &hash, &hash, &proof);
        let _ = prove_inclusion(LeafIndex::new(b), size, &tree);
        let _ = prove_consistency(size, other, &tree);

        let node = Node { level, index: b };
        let _ = TileNodes { size, reader: &tree }.read_nodes(&[node]);
        let _ = [hash].as_slice().read_nodes(&[node]);
        let tile = Tile { level, index: b, width };
        let _ = (tile.start(), tile.end(), tile.path(), Tile::at(level, b, size));
        prop_assert!(tiles_changed(size, other).take(1000).all(|tile| tile.width > 0 && tile.level < 8));
    }
}
