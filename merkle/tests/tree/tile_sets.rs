//! Which tiles a tree has, what is in them, and which of them a growing tree writes.

use std::collections::BTreeSet;

use merkle::{Tile, TreeSize, root, tiles_changed};
use proptest::prelude::*;

use crate::{reference::leaves, stored_tiles::StoredTiles};

fn tile(level: u8, index: u64, width: u16) -> Tile {
    Tile { level, index, width }
}

fn all_tiles(size: u64) -> Vec<Tile> {
    tiles_changed(TreeSize::ZERO, TreeSize::new(size)).collect()
}

#[test]
fn the_tiles_of_small_trees() {
    assert_eq!(all_tiles(0), []);
    assert_eq!(all_tiles(1), [tile(0, 0, 1)]);
    assert_eq!(all_tiles(255), [tile(0, 0, 255)]);
    assert_eq!(all_tiles(256), [tile(0, 0, 256), tile(1, 0, 1)]);
    assert_eq!(all_tiles(257), [tile(0, 0, 256), tile(0, 1, 1), tile(1, 0, 1)]);
}

/// The example of C2SP tlog-tiles.
#[test]
fn the_tiles_of_70_000_leaves() {
    let mut expected: Vec<Tile> = (0..273).map(|index| tile(0, index, 256)).collect();
    expected.extend([tile(0, 273, 112), tile(1, 0, 256), tile(1, 1, 17), tile(2, 0, 1)]);
    assert_eq!(all_tiles(70_000), expected);
}

#[test]
fn each_hash_of_a_tile_is_the_root_of_its_leaves() {
    let leaves = leaves(70_000);
    let stored = StoredTiles::write(&leaves);
    let tiles = all_tiles(70_000);
    assert_eq!(stored.all().len(), tiles.len());
    for tile in tiles {
        let hashes = &stored.all()[&(tile.level, tile.index)];
        assert_eq!(hashes.len(), usize::from(tile.width));
        let start = usize::try_from(tile.start().unwrap().get()).unwrap();
        let end = usize::try_from(tile.end().unwrap().get()).unwrap();
        let each = 256usize.pow(u32::from(tile.level));
        let computed: Vec<_> = leaves[start..end].chunks(each).map(root).collect();
        assert_eq!(hashes, &computed, "tile {}", tile.path());
    }
}

/// Every coordinate that a tree of up to a million leaves may have, looked up one by one.
fn differing(from: TreeSize, to: TreeSize) -> BTreeSet<Tile> {
    let coordinates = (0..4u8).flat_map(|level| (0..=to.get() >> (8 * level + 8)).map(move |index| (level, index)));
    coordinates
        .filter(|&(level, index)| Tile::at(level, index, from) != Tile::at(level, index, to))
        .filter_map(|(level, index)| Tile::at(level, index, to))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_growing_tree_writes_the_tiles_that_differ(
        from in prop_oneof![0u64..1000, 65_000u64..67_000],
        growth in prop_oneof![0u64..600, 0u64..200_000],
    ) {
        let (from, to) = (TreeSize::new(from), TreeSize::new(from + growth));
        let changed: Vec<Tile> = tiles_changed(from, to).collect();
        prop_assert!(changed.is_sorted_by(|a, b| a < b), "each once, lowest level first");
        prop_assert_eq!(changed.into_iter().collect::<BTreeSet<_>>(), differing(from, to));
    }

    #[test]
    fn a_tile_stands_from_its_end_on(size in 1u64..1_000_000, pick in any::<prop::sample::Index>()) {
        let tiles = all_tiles(size);
        let tile = tiles[pick.index(tiles.len())];
        let end = tile.end().unwrap();
        prop_assert!(end.get() <= size);
        prop_assert_eq!(Tile::at(tile.level, tile.index, end), Some(tile));
        let before = Tile::at(tile.level, tile.index, TreeSize::new(end.get() - 1));
        prop_assert!(before.is_none_or(|before| before.width + 1 == tile.width));
    }
}
