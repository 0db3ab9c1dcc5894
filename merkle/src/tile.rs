//! Tiles: how a log cuts the stored nodes into files, C2SP tlog-tiles.

mod nodes;
mod path;

use core::ops::Range;

pub use self::{
    nodes::{TileError, TileNodes, TileReader},
    path::TilePath,
};
use crate::{LeafIndex, Node, TreeSize, node::complete_nodes};

/// A tile of hashes, or at level 0 the bundle of the entries below it (C2SP tlog-tiles).
///
/// A full tile is 256 neighbouring nodes of one row. Only every eighth row of the tree is stored, rows 0, 8, 16 and so
/// on; tile level 0 is the leaves, tile level 1 is row 8. A reader gets the rows between by hashing inside a tile:
///
/// ```text
/// row 8   tile level 1       [ 0 ]                     one node of tile 1/000
///                              |   = the root of
///         . . . . . . .  rows 1 to 7: not stored
///                              |
/// row 0   tile level 0       [ 0 | 1 | 2 | ... | 255 ] all of tile 0/000
/// ```
///
/// The last tile of a row may be partial. It never counts for the row above, and a tile without hashes does not exist.
///
/// Its hash number `i` is the root of the complete subtree over the `256^level` leaves from
/// `(index * 256 + i) * 256^level` on.
///
/// ```
/// use merkle::Tile;
///
/// let tile = Tile { level: 0, index: 1, width: 4 };
/// assert_eq!((tile.path(), tile.is_full()), ("0/001.p/4".to_owned(), false));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// The tile level: its hashes are the nodes of row `8 * level`.
    pub level: u8,
    /// The position among the tiles of its level, counted from 0.
    pub index: u64,
    /// How many hashes it has, 1 to 256. 256 is a full tile.
    pub width: u16,
}

impl Tile {
    /// How many rows of the tree a tile stands for.
    ///
    /// ```
    /// assert_eq!(1 << merkle::Tile::HEIGHT, merkle::Tile::WIDTH);
    /// ```
    pub const HEIGHT: u8 = 8;
    /// How many hashes a full tile has.
    ///
    /// ```
    /// assert_eq!(merkle::Tile::WIDTH, 256);
    /// ```
    pub const WIDTH: u16 = 256;

    /// The tile of these coordinates as it stands in the tree of that size. `None` if it has no hash there.
    ///
    /// ```
    /// use merkle::{Tile, TreeSize};
    ///
    /// let size = TreeSize::new(70_000);
    /// assert_eq!(Tile::at(0, 272, size), Some(Tile { level: 0, index: 272, width: 256 }));
    /// assert_eq!(Tile::at(0, 273, size), Some(Tile { level: 0, index: 273, width: 112 }));
    /// assert_eq!(Tile::at(0, 274, size), None);
    /// ```
    pub fn at(level: u8, index: u64, size: TreeSize) -> Option<Tile> {
        let first = index.checked_mul(u64::from(Tile::WIDTH))?;
        let following = row_length(level, size).checked_sub(first)?;
        let width = u16::try_from(following).map_or(Tile::WIDTH, |following| following.min(Tile::WIDTH));
        (width > 0).then_some(Tile { level, index, width })
    }

    /// The tile that holds this node in the tree of that size, and which of its hashes combine to the node: one hash
    /// for the rows that tiles store, up to 128 for those between. `None` if the node is not complete.
    ///
    /// ```
    /// use merkle::{Node, Tile, TreeSize};
    ///
    /// let found = Tile::containing(Node { level: 2, index: 65 }, TreeSize::new(70_000));
    /// assert_eq!(found, Some((Tile { level: 0, index: 1, width: 256 }, 4..8)));
    /// ```
    pub fn containing(node: Node, size: TreeSize) -> Option<(Tile, Range<usize>)> {
        if !node.is_complete_at(size) {
            return None;
        }
        let rows_up = node.level % Tile::HEIGHT;
        let first = node.index << rows_up;
        let tile = Tile::at(node.level / Tile::HEIGHT, first / u64::from(Tile::WIDTH), size)?;
        let slot = usize::try_from(first % u64::from(Tile::WIDTH)).ok()?;
        Some((tile, slot..slot + (1 << rows_up)))
    }

    /// Whether the tile has all its 256 hashes, so that it never changes again.
    ///
    /// ```
    /// use merkle::Tile;
    ///
    /// assert!(Tile { level: 0, index: 0, width: 256 }.is_full());
    /// assert!(!Tile { level: 0, index: 1, width: 4 }.is_full());
    /// ```
    pub const fn is_full(self) -> bool {
        self.width == Tile::WIDTH
    }

    /// The first leaf below this tile. `None` if that is beyond every tree.
    ///
    /// ```
    /// use merkle::{LeafIndex, Tile};
    ///
    /// assert_eq!(Tile { level: 1, index: 1, width: 17 }.start(), Some(LeafIndex::new(65_536)));
    /// assert_eq!(Tile { level: 9, index: 1, width: 1 }.start(), None);
    /// ```
    pub fn start(&self) -> Option<LeafIndex> {
        self.leaves_before(0).map(LeafIndex::new)
    }

    /// The leaf after the last one below this tile, which is also the smallest tree that has the tile. `None` if that
    /// is beyond every tree.
    ///
    /// ```
    /// use merkle::{LeafIndex, Tile, TreeSize};
    ///
    /// let tile = Tile { level: 1, index: 1, width: 17 };
    /// assert_eq!(tile.start(), Some(LeafIndex::new(65_536)));
    /// assert_eq!(tile.end(), Some(TreeSize::new(65_536 + 17 * 256)));
    /// ```
    pub fn end(&self) -> Option<TreeSize> {
        self.leaves_before(self.width).map(TreeSize::new)
    }

    /// How many leaves are left of a slot of this tile.
    fn leaves_before(&self, slot: u16) -> Option<u64> {
        let nodes = self.index.checked_mul(u64::from(Tile::WIDTH))?.checked_add(u64::from(slot))?;
        let leaves_each = u64::from(Tile::WIDTH).checked_pow(u32::from(self.level));
        if nodes == 0 { Some(0) } else { nodes.checked_mul(leaves_each?) }
    }
}

/// The tiles that get new hashes when a tree grows, of all levels, lowest level first, each as it stands at `to`.
/// A log writes exactly these. There are none if the tree does not grow.
///
/// ```
/// use merkle::{Tile, TreeSize, tiles_changed};
///
/// let written: Vec<Tile> = tiles_changed(TreeSize::new(250), TreeSize::new(260)).collect();
/// assert_eq!(written, [
///     Tile { level: 0, index: 0, width: 256 },
///     Tile { level: 0, index: 1, width: 4 },
///     Tile { level: 1, index: 0, width: 1 },
/// ]);
/// ```
pub fn tiles_changed(from: TreeSize, to: TreeSize) -> impl Iterator<Item = Tile> {
    let width = u64::from(Tile::WIDTH);
    let levels = (0u8..).take_while(move |&level| row_length(level, to) > 0);
    levels.flat_map(move |level| {
        let (old, new) = (row_length(level, from), row_length(level, to));
        // New hashes start in the tile of slot `old`, whether that one has some already or not.
        let indexes = if old < new { old / width..new.div_ceil(width) } else { 0..0 };
        indexes.filter_map(move |index| Tile::at(level, index, to))
    })
}

/// How many hashes all tiles of a level have together.
fn row_length(level: u8, size: TreeSize) -> u64 {
    complete_nodes(u32::from(level) * u32::from(Tile::HEIGHT), size)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn tile(level: u8, index: u64, width: u16) -> Tile {
        Tile { level, index, width }
    }

    #[test]
    fn a_tile_without_hashes_does_not_exist() {
        let size = |n| TreeSize::new(n);
        assert_eq!(Tile::at(0, 0, size(0)), None);
        assert_eq!(Tile::at(0, 0, size(1)), Some(tile(0, 0, 1)));
        assert_eq!(Tile::at(1, 0, size(255)), None);
        assert_eq!(Tile::at(0, 1, size(256)), None);
        assert_eq!(Tile::at(1, 0, size(256)), Some(tile(1, 0, 1)));
    }

    #[test]
    fn the_largest_tree_has_eight_levels() {
        let largest = TreeSize::new(u64::MAX);
        assert_eq!(Tile::at(0, u64::MAX >> 8, largest), Some(tile(0, u64::MAX >> 8, 255)));
        assert_eq!(Tile::at(7, 0, largest), Some(tile(7, 0, 255)));
        assert_eq!(Tile::at(8, 0, largest), None);
        assert_eq!(Tile::at(255, 0, largest), None);
        assert_eq!(Tile::at(0, u64::MAX, largest), None);
        let last: Vec<Tile> = tiles_changed(TreeSize::new(u64::MAX - 1), largest).collect();
        assert_eq!(last, [tile(0, u64::MAX >> 8, 255)]);
    }

    #[test]
    fn leaf_ranges_that_do_not_fit_are_none() {
        assert_eq!(tile(0, 0, 256).end(), Some(TreeSize::new(256)));
        assert_eq!(tile(7, 0, 255).end(), Some(TreeSize::new(255 << 56)));
        assert_eq!(tile(7, 0, 256).end(), None);
        assert_eq!(tile(63, 0, 1).start(), Some(LeafIndex::new(0)));
        assert_eq!(tile(63, 0, 1).end(), None);
        assert_eq!(tile(0, u64::MAX, 1).start(), None);
        assert_eq!(tile(255, u64::MAX, u16::MAX).end(), None);
    }

    #[test]
    fn nodes_lie_where_their_row_says() {
        let size = TreeSize::new(70_000);
        let find = |level, index| Tile::containing(Node { level, index }, size);
        assert_eq!(find(0, 69_999), Some((tile(0, 273, 112), 111..112)));
        assert_eq!(find(7, 1), Some((tile(0, 0, 256), 128..256)));
        assert_eq!(find(8, 272), Some((tile(1, 1, 17), 16..17)));
        assert_eq!(find(12, 16), Some((tile(1, 1, 17), 0..16)));
        assert_eq!(find(16, 0), Some((tile(2, 0, 1), 0..1)));
        assert_eq!(find(0, 70_000), None);
        assert_eq!(find(12, 17), None);
        assert_eq!(find(255, u64::MAX), None);
    }

    #[test]
    fn nothing_changes_in_a_tree_that_does_not_grow() {
        let size = TreeSize::new(300);
        assert_eq!(tiles_changed(size, size).count(), 0);
        assert_eq!(tiles_changed(size, TreeSize::new(299)).count(), 0);
        assert_eq!(tiles_changed(TreeSize::new(u64::MAX), TreeSize::ZERO).count(), 0);
    }
}
