//! The nodes of tiles of which proofs were asked, kept in memory.
//!
//! Tiles hold every eighth row of the tree, so the rows between are computed from the hashes of a tile, some 250 for each;
//! that is most of what a proof costs. A tile of one width never changes, so what was computed once stays right.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use merkle::{Hash, Node, NodeReader, Tile, TileReader as _, TreeSize};

use crate::store::{Store, StoreError};
use crate::tree::StoredTiles;

/// How many tiles are kept before the older ones are forgotten. One takes 16 KiB, and there are two generations.
const GENERATION: usize = 256;

/// The nodes of stored tiles, for any number of threads.
pub(crate) struct TileCache {
    store: Arc<dyn Store>,
    kept: Mutex<Kept>,
}

/// Two generations; when the younger is full, the older is forgotten. What is asked for again becomes young again.
#[derive(Default)]
struct Kept {
    older: HashMap<Tile, Arc<Rows>>,
    younger: HashMap<Tile, Arc<Rows>>,
}

/// The complete nodes of a tile by row, from its hashes upwards.
struct Rows(Vec<Vec<Hash>>);

/// The nodes of the tree of one size.
pub(crate) struct CachedNodes<'a> {
    cache: &'a TileCache,
    size: TreeSize,
}

impl TileCache {
    /// Keeps nothing yet.
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, kept: Mutex::default() }
    }

    /// The nodes of the tree of a size, which the store has.
    pub(crate) fn nodes(&self, size: TreeSize) -> CachedNodes<'_> {
        CachedNodes { cache: self, size }
    }

    fn rows(&self, tile: Tile) -> Result<Arc<Rows>, StoreError> {
        if let Some(rows) = self.with_kept(|kept| kept.find(tile)) {
            return Ok(rows);
        }
        // Read and computed without the lock: two threads may do it at the same time, and come to the same.
        let hashes = StoredTiles(&*self.store).read_tiles(&[tile])?.remove(0);
        let hashes = hashes.get(..usize::from(tile.width));
        let hashes = hashes.ok_or_else(|| StoreError(format!("the tile {} is too short", tile.path())))?;
        let rows = Arc::new(Rows::above(hashes));
        self.with_kept(|kept| kept.add(tile, rows.clone()));
        Ok(rows)
    }

    fn with_kept<T>(&self, f: impl FnOnce(&mut Kept) -> T) -> T {
        f(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl NodeReader for CachedNodes<'_> {
    type Error = StoreError;

    fn read_nodes(&self, nodes: &[Node]) -> Result<Vec<Hash>, StoreError> {
        let read = |&node: &Node| {
            let missing = || StoreError(format!("a tree of size {} has no complete node {node:?}", self.size));
            let (tile, below) = Tile::containing(node, self.size).ok_or_else(missing)?;
            let row = below.len().trailing_zeros() as usize;
            let rows = self.cache.rows(tile)?;
            rows.0.get(row).and_then(|nodes| nodes.get(below.start >> row)).copied().ok_or_else(missing)
        };
        nodes.iter().map(read).collect()
    }
}

impl Rows {
    fn above(hashes: &[Hash]) -> Self {
        let mut rows = vec![hashes.to_vec()];
        // The row of one node above a full tile is a hash of the next tile.
        while let Some(last) = rows.last().filter(|row| row.len() > 1) {
            let (pairs, _) = last.as_chunks::<2>();
            let next = pairs.iter().map(|[left, right]| merkle::node_hash(left, right)).collect();
            rows.push(next);
        }
        Self(rows)
    }
}

impl Kept {
    fn find(&mut self, tile: Tile) -> Option<Arc<Rows>> {
        if let Some(rows) = self.younger.get(&tile) {
            return Some(rows.clone());
        }
        let rows = self.older.remove(&tile)?;
        self.add(tile, rows.clone());
        Some(rows)
    }

    fn add(&mut self, tile: Tile, rows: Arc<Rows>) {
        if self.younger.len() == GENERATION {
            self.older = mem::take(&mut self.younger);
        }
        self.younger.insert(tile, rows);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use merkle::{LeafIndex, prove_consistency, prove_inclusion};

    use super::*;
    use crate::store::Batch;
    use crate::store::memory::MemoryStore;
    use crate::tree::{self, Edge};

    fn store_of(leaves: &[Hash]) -> Arc<MemoryStore> {
        let store = MemoryStore::default();
        let (_, tiles) = Edge::load(&store, TreeSize::ZERO).unwrap().append(leaves);
        let mut batch = Batch::default();
        tree::put_tiles(&mut batch, &tiles);
        store.commit(&batch).unwrap();
        Arc::new(store)
    }

    /// At sizes on both sides of where rows and tiles end, asked twice, and of trees older than the store's.
    #[test]
    fn every_proof_is_that_of_the_leaves() {
        let leaves: Vec<Hash> = (0..70_000u64).map(|i| merkle::leaf_hash(&i.to_be_bytes())).collect();
        let cache = TileCache::new(store_of(&leaves));
        for size in [1, 2, 255, 256, 257, 511, 513, 1_000, 65_535, 65_536, 65_537, 70_000] {
            let tree = TreeSize::new(size);
            let slow = &leaves[..usize::try_from(size).unwrap()];
            for index in [0, size / 3, size / 2, size - 1] {
                let expected = prove_inclusion(LeafIndex::new(index), tree, slow).unwrap();
                for _ in 0..2 {
                    assert_eq!(prove_inclusion(LeafIndex::new(index), tree, &cache.nodes(tree)).unwrap(), expected);
                }
                let from = TreeSize::new(index + 1);
                let expected = prove_consistency(from, tree, slow).unwrap();
                assert_eq!(prove_consistency(from, tree, &cache.nodes(tree)).unwrap(), expected, "{from} {size}");
            }
        }
    }

    #[test]
    fn it_forgets_what_was_not_asked_for_again() {
        let leaves: Vec<Hash> = (0..1_000u64).map(|i| merkle::leaf_hash(&i.to_be_bytes())).collect();
        let cache = TileCache::new(store_of(&leaves));
        for size in 1..=1_000 {
            let size = TreeSize::new(size);
            assert!(merkle::root_at(size, &cache.nodes(size)).is_ok());
            // The first tile is asked for all the time, as soon as it is full.
            let half = cache.nodes(size).read_nodes(&[Node { level: 7, index: 0 }]);
            assert_eq!(half.is_ok(), size.get() >= 128, "{size}");
            let (first, kept) = (Tile { level: 0, index: 0, width: Tile::WIDTH }, cache.kept.lock().unwrap());
            assert!(kept.older.len() <= GENERATION && kept.younger.len() <= GENERATION);
            let known = kept.older.contains_key(&first) || kept.younger.contains_key(&first);
            assert!(known || size.get() < 256, "{size}");
        }
    }

    #[test]
    fn a_tile_that_is_missing_is_an_error() {
        let cache = TileCache::new(Arc::new(MemoryStore::default()));
        let size = TreeSize::new(3);
        assert!(merkle::root_at(size, &cache.nodes(size)).is_err());
    }
}
