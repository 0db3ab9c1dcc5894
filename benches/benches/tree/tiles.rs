//! The tiles of a tree in memory, for every crate that reads tiles: one row of hashes for each tile level, cut and copied
//! when asked.

use std::convert::Infallible;
use std::ops::Range;

use merkle::{Hash, MemoryTree, Node, NodeReader, Tile, TileReader};

pub(crate) struct Rows(Vec<Vec<Hash>>);

impl Rows {
    pub(crate) fn of(tree: &MemoryTree) -> Self {
        let size = tree.size().get();
        let rows = (0..8u8).map(|tile_level| tile_level * Tile::HEIGHT);
        let row = |level: u8| {
            let nodes: Vec<Node> = (0..size >> level).map(|index| Node { level, index }).collect();
            tree.read_nodes(&nodes).expect("the tree has its complete nodes")
        };
        Self(rows.map(row).collect())
    }

    pub(crate) fn cut(&self, level: u8, index: u64, width: usize) -> &[Hash] {
        let start = usize::try_from(index).expect("an index of a slice") * usize::from(Tile::WIDTH);
        let slots: Range<usize> = start..start + width;
        &self.0[usize::from(level)][slots]
    }
}

impl TileReader for Rows {
    type Error = Infallible;

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<Hash>>, Infallible> {
        Ok(tiles.iter().map(|tile| self.cut(tile.level, tile.index, usize::from(tile.width)).to_vec()).collect())
    }
}
