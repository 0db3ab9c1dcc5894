//! Reads nodes out of tiles: which tiles hold them, one read of those, and hashing up inside each.

use alloc::vec::Vec;
use core::fmt;

use super::Tile;
use crate::{Hash, Node, NodeReader, TreeSize, root};

/// Gets the hashes of tiles from wherever they are kept. They are believed: what comes from a log that is not trusted must
/// be checked by what is made of it, a proof with [`verify_inclusion`](crate::verify_inclusion) or
/// [`verify_consistency`](crate::verify_consistency) against a signed root.
///
/// ```
/// use std::{collections::BTreeMap, io};
///
/// use merkle::{Hash, Tile, TileReader, leaf_hash};
///
/// /// Hashes by tile level and index.
/// struct Stored(BTreeMap<(u8, u64), Vec<Hash>>);
///
/// impl TileReader for Stored {
///     type Error = io::Error;
///
///     fn read_tiles(&self, tiles: &[Tile]) -> io::Result<Vec<Vec<Hash>>> {
///         let missing = |tile: &Tile| io::Error::new(io::ErrorKind::NotFound, tile.path());
///         tiles.iter().map(|tile| self.0.get(&(tile.level, tile.index)).cloned().ok_or_else(|| missing(tile))).collect()
///     }
/// }
///
/// let stored = Stored(BTreeMap::from([((0, 0), vec![leaf_hash(b"a")])]));
/// let missing = Tile { level: 0, index: 1, width: 7 };
/// let error = stored.read_tiles(&[missing]).map_err(|error| error.to_string());
/// assert_eq!(error, Err("0/001.p/7".to_owned()));
/// ```
pub trait TileReader {
    /// What can go wrong while reading.
    type Error;

    /// The hashes of these tiles: as many, in the same order. A tile may come with more hashes than its width, as it
    /// does if a fuller one is stored by now; those beyond are not looked at.
    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<Hash>>, Self::Error>;
}

impl<R: TileReader + ?Sized> TileReader for &R {
    type Error = R::Error;

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<Hash>>, R::Error> {
        (**self).read_tiles(tiles)
    }
}

/// The nodes of the tree of that size, by way of its tiles. Each read asks for every tile that it needs once, in
/// ascending order, and for no other. Nothing is checked but that each tile is wide enough.
///
/// ```
/// use merkle::{Hash, LeafIndex, Tile, TileNodes, TileReader, TreeSize, leaf_hash, prove_inclusion, root};
///
/// /// A log of fewer than 256 entries has one tile.
/// struct OneTile(Vec<Hash>);
///
/// impl TileReader for OneTile {
///     type Error = std::convert::Infallible;
///
///     fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<Hash>>, Self::Error> {
///         Ok(tiles.iter().map(|_| self.0.clone()).collect())
///     }
/// }
///
/// let tile = OneTile((0..7).map(|n| leaf_hash(&[n])).collect());
/// let size = TreeSize::new(7);
/// let proof = prove_inclusion(LeafIndex::new(5), size, &TileNodes { size, reader: &tile })?;
/// assert_eq!(proof, [tile.0[4], tile.0[6], root(&tile.0[..4])]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TileNodes<R> {
    /// The size of the tree whose tiles are read: that of the proof, or a later one.
    pub size: TreeSize,
    /// Where the tiles are.
    pub reader: R,
}

impl<R: TileReader> NodeReader for TileNodes<R> {
    type Error = TileError<R::Error>;

    fn read_nodes(&self, nodes: &[Node]) -> Result<Vec<Hash>, TileError<R::Error>> {
        let find = |&node| Tile::containing(node, self.size).ok_or(TileError::NotInTree { node, size: self.size });
        let places = nodes.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let mut tiles: Vec<Tile> = places.iter().map(|(tile, _)| *tile).collect();
        tiles.sort_unstable();
        tiles.dedup();

        let read = self.read_checked(&tiles)?;
        let node_in_tile = |(tile, slots)| {
            let hashes = tiles.binary_search(&tile).ok().and_then(|found| read.get(found)?.get(slots));
            let Some(hashes) = hashes else { unreachable!("every tile was read and has its width") };
            root(hashes)
        };
        Ok(places.into_iter().map(node_in_tile).collect())
    }
}

impl<R: TileReader> TileNodes<R> {
    /// As many tiles as asked for, each at least as wide.
    fn read_checked(&self, tiles: &[Tile]) -> Result<Vec<Vec<Hash>>, TileError<R::Error>> {
        let read = self.reader.read_tiles(tiles).map_err(TileError::Reader)?;
        if read.len() != tiles.len() {
            return Err(TileError::WrongCount { asked: tiles.len(), got: read.len() });
        }
        for (&tile, hashes) in tiles.iter().zip(&read) {
            if hashes.len() < usize::from(tile.width) {
                return Err(TileError::TooNarrow { tile, got: hashes.len() });
            }
        }
        Ok(read)
    }
}

/// Why nodes could not be read out of tiles.
///
/// ```
/// use merkle::{Tile, TileError};
///
/// let tile = Tile { level: 0, index: 0, width: 256 };
/// let error = TileError::<std::io::Error>::TooNarrow { tile, got: 255 };
/// assert_eq!(error.to_string(), "tile 0/000 should have 256 hashes and has 255");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TileError<E> {
    /// The caller asked for a node that this tree does not have.
    NotInTree {
        /// The node.
        node: Node,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The reader failed.
    Reader(E),
    /// The reader broke its promise to return each tile.
    WrongCount {
        /// How many tiles it was asked for.
        asked: usize,
        /// How many it returned.
        got: usize,
    },
    /// The reader returned a tile with too few hashes.
    TooNarrow {
        /// The tile as it was asked for.
        tile: Tile,
        /// How many hashes it came with.
        got: usize,
    },
}

impl<E: fmt::Display> fmt::Display for TileError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TileError::NotInTree { node: Node { level, index }, size } => {
                write!(f, "a tree of size {size} has no complete node of level {level} at index {index}")
            }
            TileError::Reader(error) => write!(f, "cannot read the tiles: {error}"),
            TileError::WrongCount { asked, got } => {
                write!(f, "the reader was asked for {asked} tiles and returned {got}")
            }
            TileError::TooNarrow { tile, got } => {
                write!(f, "tile {} should have {} hashes and has {got}", tile.path(), tile.width)
            }
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for TileError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            // Its own words stand in ours already.
            TileError::Reader(error) => error.source(),
            TileError::NotInTree { .. } | TileError::WrongCount { .. } | TileError::TooNarrow { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{string::ToString, vec};
    use core::convert::Infallible;

    use super::*;
    use crate::EMPTY_ROOT;

    /// Returns so many tiles, each with so many hashes, whatever it is asked for.
    struct Fixed(usize, usize);

    impl TileReader for Fixed {
        type Error = Infallible;

        fn read_tiles(&self, _: &[Tile]) -> Result<Vec<Vec<Hash>>, Infallible> {
            Ok(vec![vec![EMPTY_ROOT; self.1]; self.0])
        }
    }

    fn read(reader: Fixed) -> Result<Vec<Hash>, TileError<Infallible>> {
        let nodes = [Node { level: 0, index: 256 }, Node { level: 3, index: 0 }, Node { level: 0, index: 257 }];
        TileNodes { size: TreeSize::new(260), reader }.read_nodes(&nodes)
    }

    #[test]
    fn a_reader_must_return_every_tile_in_full() {
        let first = Tile { level: 0, index: 0, width: 256 };
        assert_eq!(read(Fixed(2, 256)).map(|hashes| hashes.len()), Ok(3), "two tiles hold the three nodes");
        assert_eq!(read(Fixed(1, 256)), Err(TileError::WrongCount { asked: 2, got: 1 }));
        assert_eq!(read(Fixed(3, 256)), Err(TileError::WrongCount { asked: 2, got: 3 }));
        assert_eq!(read(Fixed(2, 255)), Err(TileError::TooNarrow { tile: first, got: 255 }));
        assert_eq!(read(Fixed(2, 0)), Err(TileError::TooNarrow { tile: first, got: 0 }));
        let error = TileError::<Infallible>::TooNarrow { tile: first, got: 255 };
        assert_eq!(error.to_string(), "tile 0/000 should have 256 hashes and has 255");
    }

    #[test]
    fn a_node_outside_the_tree_is_not_asked_for() {
        let (node, size) = (Node { level: 1, index: 130 }, TreeSize::new(261));
        let nodes = TileNodes { size, reader: Fixed(0, 0) };
        assert_eq!(nodes.read_nodes(&[node]), Err(TileError::NotInTree { node, size }));
    }
}
