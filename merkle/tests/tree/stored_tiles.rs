//! The tiles of a log in memory, written as a log writes them: leaf by leaf, with what each leaf completes.

use std::{cell::RefCell, collections::BTreeMap};

use merkle::{CompactRange, Hash, LeafIndex, Node, Tile, TileReader};

pub(crate) struct StoredTiles {
    tiles: BTreeMap<(u8, u64), Vec<Hash>>,
    /// What was asked for, read by read.
    pub(crate) reads: RefCell<Vec<Vec<Tile>>>,
}

impl StoredTiles {
    pub(crate) fn write(leaves: &[Hash]) -> StoredTiles {
        let mut stored = StoredTiles { tiles: BTreeMap::new(), reads: RefCell::default() };
        let mut range = CompactRange::new();
        for &leaf in leaves {
            stored.put(Node::leaf(LeafIndex::new(range.size().get())), leaf);
            range.append_with(leaf, |node, hash| stored.put(node, hash));
        }
        stored
    }

    /// All hashes of all tiles, by tile level and index.
    pub(crate) fn all(&self) -> &BTreeMap<(u8, u64), Vec<Hash>> {
        &self.tiles
    }

    fn put(&mut self, node: Node, hash: Hash) {
        if node.level.is_multiple_of(Tile::HEIGHT) {
            let tile = self.tiles.entry((node.level / Tile::HEIGHT, node.index / 256)).or_default();
            assert_eq!(tile.len() as u64, node.index % 256, "nodes are completed in order");
            tile.push(hash);
        }
    }
}

impl TileReader for StoredTiles {
    type Error = Tile;

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<Hash>>, Tile> {
        self.reads.borrow_mut().push(tiles.to_vec());
        let read = |tile: &Tile| {
            let hashes = self.tiles.get(&(tile.level, tile.index)).ok_or(*tile)?;
            hashes.get(..usize::from(tile.width)).map(<[Hash]>::to_vec).ok_or(*tile)
        };
        tiles.iter().map(read).collect()
    }
}
