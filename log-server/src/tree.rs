//! The Merkle tree in the store and its right edge in memory: what a batch of entries changes, and whether what was stored
//! is what was meant.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use merkle::{CompactRange, Hash, LeafIndex, Node, Tile, TileNodes, TileReader, TreeSize};
use verifier::bundle;

use crate::keyspace;
use crate::store::{Batch, Store, StoreError};

/// Hashes in a full tile.
const WIDTH: u64 = Tile::WIDTH as u64;

/// A tree head: how many entries, and the root hash over them. Unsigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// How many entries.
    pub size: TreeSize,
    /// The root hash.
    pub root: Hash,
}

impl TreeHead {
    /// The head of the empty tree.
    pub const EMPTY: Self = Self { size: TreeSize::ZERO, root: merkle::EMPTY_ROOT };

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [self.size.get().to_be_bytes().as_slice(), self.root.as_bytes()].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        let damaged = || StoreError("the stored tree head is damaged".to_owned());
        let (size, root) = bytes.split_first_chunk::<8>().ok_or_else(damaged)?;
        let root = Hash::try_from(root).map_err(|_| damaged())?;
        Ok(Self { size: TreeSize::new(u64::from_be_bytes(*size)), root })
    }
}

/// The tree's hashes as they are stored: one value for each tile, as many hashes as there are.
pub struct StoredTiles<'a>(pub &'a dyn Store);

/// Why a tile could not be read.
pub type TreeError = merkle::TileError<StoreError>;

impl TileReader for StoredTiles<'_> {
    type Error = StoreError;

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<Hash>>, StoreError> {
        let read = |tile: &Tile| {
            let bytes = self.0.get(&keyspace::tile(tile.level, tile.index))?.unwrap_or_default();
            bundle::decode_tile(&bytes).map_err(|error| StoreError(format!("tile {}: {error}", tile.path())))
        };
        tiles.iter().map(read).collect()
    }
}

/// The nodes of the tree of a given size, read from stored tiles.
pub fn nodes(store: &dyn Store, size: TreeSize) -> TileNodes<StoredTiles<'_>> {
    TileNodes { size, reader: StoredTiles(store) }
}

/// The root of the tree of a given size, computed from stored tiles.
pub fn stored_root(store: &dyn Store, size: TreeSize) -> Result<Hash, StoreError> {
    stored_roots(store, [size]).map(|[root]| root)
}

/// The roots of the tree at several sizes, the largest last, computed from stored tiles. Each tile is read once, and what the
/// trees have in common is computed once.
pub fn stored_roots<const N: usize>(store: &dyn Store, sizes: [TreeSize; N]) -> Result<[Hash; N], StoreError> {
    use merkle::NodeReader as _;
    let failed = |error: &dyn std::fmt::Display| StoreError(format!("the stored tree: {error}"));
    let of_each = sizes.map(CompactRange::nodes);
    let mut all = of_each.concat();
    all.sort_unstable();
    all.dedup();
    let largest = sizes.last().copied().unwrap_or(TreeSize::ZERO);
    let hashes = nodes(store, largest).read_nodes(&all).map_err(|error| failed(&error))?;
    let hashes: HashMap<Node, Hash> = all.into_iter().zip(hashes).collect();
    let mut roots = [merkle::EMPTY_ROOT; N];
    for ((root, size), nodes) in roots.iter_mut().zip(sizes).zip(of_each) {
        let range = CompactRange::from_hashes(size, nodes.iter().map(|node| hashes[node]).collect());
        *root = range.map_err(|error| failed(&error))?.root();
    }
    Ok(roots)
}

/// An entry's bytes. Absence is an error: the caller knows that the tree has it.
pub fn stored_entry(store: &dyn Store, index: LeafIndex) -> Result<Vec<u8>, StoreError> {
    store.get(&keyspace::entry(index))?.ok_or_else(|| StoreError(format!("the entry {index} is missing")))
}

/// The bytes of the entries of a range, in one read. Absence is an error here too.
pub fn stored_entries(store: &dyn Store, range: Range<u64>) -> Result<Vec<Vec<u8>>, StoreError> {
    let key = |index| keyspace::entry(LeafIndex::new(index));
    let count = range.end - range.start;
    let pairs = store.scan(&key(range.start), &key(range.end), usize::try_from(count).unwrap_or(usize::MAX))?;
    if pairs.len() as u64 == count {
        Ok(pairs.into_iter().map(|(_, entry)| entry).collect())
    } else {
        Err(StoreError(format!("{} of the entries {range:?} are missing", count - pairs.len() as u64)))
    }
}

/// The right edge of the tree in memory: enough to append without reading.
#[derive(Debug, Clone)]
pub struct Edge {
    range: CompactRange,
    /// For each level the hashes of its last tile, if that is not full.
    partial: BTreeMap<u8, Vec<Hash>>,
}

impl Edge {
    /// Reads the edge of the tree of a given size.
    pub fn load(store: &dyn Store, size: TreeSize) -> Result<Self, StoreError> {
        use merkle::NodeReader as _;
        let failed = |error: TreeError| StoreError(format!("the stored tree: {error}"));
        let hashes = nodes(store, size).read_nodes(&CompactRange::nodes(size)).map_err(failed)?;
        let range = CompactRange::from_hashes(size, hashes).map_err(|error| StoreError(error.to_string()))?;
        let mut partial = BTreeMap::new();
        for level in 0..8 {
            let hashes_at_level = size.get() >> (8 * u32::from(level));
            let Some(tile) = Tile::at(level, hashes_at_level / WIDTH, size) else { continue };
            let mut hashes = StoredTiles(store).read_tiles(&[tile])?.remove(0);
            // A crash cannot leave more than the committed head says, but a longer tile would be a prefix anyway.
            hashes.truncate(usize::from(tile.width));
            partial.insert(level, hashes);
        }
        Ok(Self { range, partial })
    }

    /// The head of the tree that this is the edge of.
    pub fn head(&self) -> TreeHead {
        TreeHead { size: self.range.size(), root: self.range.root() }
    }

    /// Appends leaves: the new edge, and the tiles that changed, in full. Pure.
    #[must_use]
    pub fn append(&self, leaves: &[Hash]) -> (Self, BTreeMap<(u8, u64), Vec<Hash>>) {
        let mut next = self.clone();
        let mut tiles = BTreeMap::new();
        let mut touched = BTreeSet::new();
        let first = next.range.size().get();
        let mut stored: Vec<_> = leaves.iter().zip(first..).map(|(leaf, index)| (0, index, *leaf)).collect();
        next.range.append_batch_with(leaves, |node, hash| {
            if node.level % Tile::HEIGHT == 0 {
                stored.push((node.level / Tile::HEIGHT, node.index, hash));
            }
        });
        for (level, index, hash) in stored {
            touched.insert(level);
            if let Some(full) = next.push(level, index, hash) {
                tiles.insert((level, index / WIDTH), full);
            }
        }
        for level in touched {
            if let Some(hashes) = next.partial.get(&level) {
                tiles.insert((level, (next.range.size().get() >> (8 * u32::from(level))) / WIDTH), hashes.clone());
            }
        }
        (next, tiles)
    }

    /// Adds a hash to the last tile of a level; returns the tile if that made it full.
    fn push(&mut self, level: u8, index: u64, hash: Hash) -> Option<Vec<Hash>> {
        let hashes = self.partial.entry(level).or_default();
        assert!(hashes.len() as u64 == index % WIDTH, "hashes of a tile come in order");
        hashes.push(hash);
        if hashes.len() as u64 == WIDTH { self.partial.remove(&level) } else { None }
    }
}

/// Writes changed tiles into a batch.
pub(crate) fn put_tiles(batch: &mut Batch, tiles: &BTreeMap<(u8, u64), Vec<Hash>>) {
    for ((level, index), hashes) in tiles {
        let bytes = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        batch.put(keyspace::tile(*level, *index), bytes);
    }
}

/// Hashes the stored entries of a range again, compares them with the stored leaf hashes, and shows each to the caller.
pub fn check_entries<E: From<StoreError>>(
    store: &dyn Store,
    range: Range<u64>,
    mut each: impl FnMut(LeafIndex, &[u8], Hash) -> Result<(), E>,
) -> Result<(), E> {
    for index in range.start / WIDTH..range.end.div_ceil(WIDTH) {
        let first = range.start.max(index * WIDTH);
        let last = range.end.min((index + 1) * WIDTH);
        let hashes = StoredTiles(store).read_tiles(&[Tile { level: 0, index, width: Tile::WIDTH }])?.remove(0);
        let entries = stored_entries(store, first..last)?;
        for ((index, entry), position) in (first..last).zip(entries).zip((first % WIDTH) as usize..) {
            let hash = merkle::leaf_hash(&entry);
            if hashes.get(position) != Some(&hash) {
                return Err(StoreError(format!("the entry {index} does not have the leaf hash in its tile")).into());
            }
            each(LeafIndex::new(index), &entry, hash)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::store::memory::MemoryStore;

    fn leaf(i: u64) -> Hash {
        merkle::leaf_hash(&i.to_be_bytes())
    }

    #[test]
    fn batches_of_any_size_give_the_tree_of_the_rfc() {
        let store = MemoryStore::default();
        let mut edge = Edge::load(&store, TreeSize::ZERO).unwrap();
        let mut leaves = Vec::new();
        for size in [1, 2, 253, 1, 255, 256, 257, 700, 64_000, 65_536, 3] {
            let from = leaves.len() as u64;
            leaves.extend((from..from + size).map(leaf));
            let (next, tiles) = edge.append(&leaves[usize::try_from(from).unwrap()..]);
            let mut batch = Batch::default();
            put_tiles(&mut batch, &tiles);
            store.commit(&batch).unwrap();
            let head = next.head();
            assert_eq!(head.root, merkle::root(&leaves), "{}", head.size);
            assert_eq!(stored_root(&store, head.size).unwrap(), head.root);
            assert_eq!(Edge::load(&store, head.size).unwrap().partial, next.partial);
            edge = next;
        }
    }

    #[test]
    fn a_changed_entry_is_found() {
        let store = MemoryStore::default();
        let (_, tiles) = Edge::load(&store, TreeSize::ZERO).unwrap().append(&(0..300).map(leaf).collect::<Vec<_>>());
        let mut batch = Batch::default();
        put_tiles(&mut batch, &tiles);
        (0..300u64).for_each(|i| batch.put(keyspace::entry(LeafIndex::new(i)), i.to_be_bytes().to_vec()));
        store.commit(&batch).unwrap();
        let check = |range| check_entries(&store, range, |_, _, _| Ok::<_, StoreError>(()));
        assert!(check(0..300).is_ok());
        for i in [0u64, 7, 255, 256, 299] {
            let mut change = Batch::default();
            change.put(keyspace::entry(LeafIndex::new(i)), b"other".to_vec());
            store.commit(&change).unwrap();
            assert!(check(0..300).is_err(), "{i}");
            assert!(check(i..i + 1).is_err(), "{i}");
            let mut back = Batch::default();
            back.put(keyspace::entry(LeafIndex::new(i)), i.to_be_bytes().to_vec());
            store.commit(&back).unwrap();
        }
    }
}
