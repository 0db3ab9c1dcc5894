//! The tree above the bundles, and the tiles of level 1 and higher that it must have.

use std::mem;

use merkle::{CompactRange, Hash, Node, Tile, TreeSize};

/// A tile of level 1 or higher, and what it must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) tile: Tile,
    pub(super) hashes: Vec<Hash>,
}

/// The tree over the bundles so far.
///
/// A full bundle is a complete subtree of 256 leaves, and counts as one leaf of a tree 8 rows lower.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    full: CompactRange,
    /// The last bundle, if it is partial.
    partial: CompactRange,
    /// The last tile of each level from 1 on, if it is not full, and its index.
    tiles: Vec<(u64, Vec<Hash>)>,
}

impl Tree {
    /// Adds a bundle by the subtree over its entries, and returns the tiles that became full.
    pub(super) fn add(&mut self, bundle: &CompactRange) -> Vec<Expected> {
        assert!(self.partial.size() == TreeSize::ZERO, "a partial bundle is the last one");
        if bundle.size().get() != u64::from(Tile::WIDTH) {
            self.partial = bundle.clone();
            return Vec::new();
        }
        let bundle = bundle.root();
        let mut stored = vec![(1, bundle)];
        self.full.append_with(bundle, |Node { level, .. }, hash| {
            if level % Tile::HEIGHT == 0 {
                stored.push((usize::from(level / Tile::HEIGHT) + 1, hash));
            }
        });
        stored.into_iter().filter_map(|(level, hash)| self.push(level, hash)).collect()
    }

    /// The partial tiles at the end.
    pub(super) fn last_tiles(&mut self) -> Vec<Expected> {
        let tiles = (1..).zip(mem::take(&mut self.tiles)).filter(|(_, (_, hashes))| !hashes.is_empty());
        tiles.map(|(level, (index, hashes))| expected(level, index, hashes)).collect()
    }

    /// The root over everything.
    pub(super) fn root(&self) -> Hash {
        let size = self.full.size().get() * u64::from(Tile::WIDTH) + self.partial.size().get();
        let hashes = [self.full.hashes(), self.partial.hashes()].concat();
        let range = CompactRange::from_hashes(TreeSize::new(size), hashes);
        let Ok(range) = range else {
            unreachable!("both have a hash for each of their set bits, which do not overlap")
        };
        range.root()
    }

    fn push(&mut self, level: usize, hash: Hash) -> Option<Expected> {
        if self.tiles.len() < level {
            self.tiles.resize_with(level, Default::default);
        }
        let (index, hashes) = &mut self.tiles[level - 1];
        hashes.push(hash);
        if hashes.len() < usize::from(Tile::WIDTH) {
            return None;
        }
        let full = expected(level, *index, mem::take(hashes));
        *index += 1;
        Some(full)
    }
}

fn expected(level: usize, index: u64, hashes: Vec<Hash>) -> Expected {
    let (Ok(level), Ok(width)) = (u8::try_from(level), u16::try_from(hashes.len())) else {
        unreachable!("a tree of fewer than 2^64 leaves has eight levels of tiles of 256 hashes")
    };
    Expected { tile: Tile { level, index, width }, hashes }
}

#[cfg(test)]
mod tests {
    use merkle::{leaf_hash, root, tiles_changed};

    use super::*;

    #[test]
    fn root_and_tiles_are_those_of_the_leaves() {
        for size in [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 131_073] {
            let leaves: Vec<Hash> = (0..size).map(|n: u64| leaf_hash(&n.to_be_bytes())).collect();
            let mut tree = Tree::default();
            let mut tiles = Vec::new();
            for bundle in leaves.chunks(256) {
                tiles.extend(tree.add(&bundle.iter().copied().collect()));
            }
            tiles.extend(tree.last_tiles());
            assert_eq!(tree.root(), root(&leaves), "{size}");
            tiles.sort_by_key(|expected| expected.tile);
            let all = tiles_changed(TreeSize::ZERO, TreeSize::new(size)).filter(|tile| tile.level > 0);
            assert_eq!(tiles.iter().map(|expected| expected.tile).collect::<Vec<_>>(), all.collect::<Vec<_>>());
            for Expected { tile, hashes } in tiles {
                let each = 256_usize.pow(u32::from(tile.level));
                let below = leaves.chunks(each).skip(usize::try_from(tile.index).unwrap_or(0) * 256);
                assert_eq!(hashes, below.take(hashes.len()).map(root).collect::<Vec<_>>(), "{size} {tile:?}");
            }
        }
    }
}
