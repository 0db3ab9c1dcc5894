//! What a store holds, read by somebody who is not its server: a backup, a restore, a look at a stopped server.
//!
//! Nothing here signs or writes. The rules of a start are those of [`crate::start`]; here is what they look at, and a
//! check of what no auditor can see: that everything can be read, and each entry found under its leaf hash.

use merkle::{Tile, TileReader as _, TreeSize};
use serde::{Deserialize, Serialize};
use verifier::bundle;
use verifier::time::Timestamp;

use crate::keyspace;
use crate::leaf_index;
use crate::start::StartError;
use crate::store::{Store, StoreError};
use crate::tree::{self, StoredTiles, TreeHead};
use crate::writer::record_from;

/// The form of the records. A store with a higher one was written by a newer server.
pub const SCHEMA: u32 = 1;

/// Entries that are read at once: a few bundles, so that memory stays small.
const STEP: u64 = 16 * Tile::WIDTH as u64;

/// Pairs that are read at once where everything is read.
const PAGE: usize = 4096;

/// Who a store belongs to; written at the first start and never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The form of the records.
    pub schema: u32,
    /// The log's name.
    pub log_origin: String,
    /// The public URL that it was made with.
    pub public_url: String,
    /// The id of the log's key.
    pub key_id: u32,
}

impl Owner {
    /// Reads who a store belongs to; none before the first start was through.
    pub fn read(store: &dyn Store) -> Result<Option<Self>, StoreError> {
        store.get(keyspace::IDENTITY)?.map(|owner| record_from(keyspace::IDENTITY, &owner)).transpose()
    }

    /// Refuses a store whose records a newer server wrote.
    pub fn require_known_schema(&self) -> Result<(), StartError> {
        if self.schema <= SCHEMA {
            return Ok(());
        }
        Err(StartError::Refused(format!(
            "the store has schema {}, this server knows up to {SCHEMA}; start the newer server that wrote it",
            self.schema
        )))
    }
}

/// The tree head of the last batch with entries.
pub fn head(store: &dyn Store) -> Result<TreeHead, StoreError> {
    let head = store.get(keyspace::HEAD)?;
    TreeHead::from_bytes(&head.ok_or_else(|| StoreError("the tree head is missing from the store".to_owned()))?)
}

/// The stamp of the last batch; none before the first.
pub fn last_stamp(store: &dyn Store) -> Result<Option<Timestamp>, StoreError> {
    let Some(stamp) = store.get(keyspace::TIME)? else { return Ok(None) };
    let stamp = stamp.try_into().map_err(|_| StoreError("the stored stamp is damaged".to_owned()))?;
    Ok(Some(Timestamp::from_unix(u64::from_be_bytes(stamp))))
}

/// Refuses a store that does not hold at least what was anchored.
pub fn require_not_behind(head: TreeHead, anchored: TreeHead) -> Result<(), StartError> {
    if head.size >= anchored.size {
        return Ok(());
    }
    Err(StartError::Refused(format!(
        "the store has {} entries, but {} were signed: this is an older copy of the data; bring back the newest one, \
         or go on with a new log",
        head.size, anchored.size
    )))
}

/// Refuses a store that does not hold at least what was anchored, and the same.
pub fn require_anchored(store: &dyn Store, head: TreeHead, anchored: TreeHead) -> Result<(), StartError> {
    require_not_behind(head, anchored)?;
    let root = tree::stored_root(store, anchored.size)?;
    if root != anchored.root {
        return Err(StartError::Refused(format!(
            "the first {} entries of the store have the root {root}, but {} was signed: this is another log's data; bring \
             back this log's own",
            anchored.size, anchored.root
        )));
    }
    Ok(())
}

/// A tile's bytes at its width. The caller knows that the tree has it.
pub fn tile(store: &dyn Store, tile: Tile) -> Result<Vec<u8>, StoreError> {
    let hashes = StoredTiles(store).read_tiles(&[tile])?.remove(0);
    let wanted = hashes.get(..usize::from(tile.width));
    let wanted = wanted.ok_or_else(|| StoreError(format!("the tile {} is too short", tile.path())))?;
    Ok(wanted.iter().flat_map(|hash| *hash.as_bytes()).collect())
}

/// The bytes of the bundle of a tile of level 0, at its width. The caller knows that the tree has it.
pub fn entry_bundle(store: &dyn Store, tile: Tile) -> Result<Vec<u8>, StoreError> {
    let (Some(start), Some(end)) = (tile.start(), tile.end()) else {
        return Err(StoreError(format!("the tile {} is beyond every tree", tile.path())));
    };
    let entries = tree::stored_entries(store, start.get()..end.get())?;
    bundle::encode_bundle(entries).map_err(|error| StoreError(error.to_string()))
}

/// Checks what only the store has: every pair is read, so that every checksum is, and every entry is found under its leaf
/// hash. The tree over them is an auditor's business.
pub fn check_records(store: &dyn Store, size: TreeSize, mut progress: impl FnMut(u64)) -> Result<(), StoreError> {
    read_everything(store)?;
    let mut done = 0;
    while done < size.get() {
        let end = size.get().min(done + STEP);
        for (index, entry) in (done..end).zip(tree::stored_entries(store, done..end)?) {
            let hash = merkle::leaf_hash(&entry);
            let found = leaf_index::find(store, &hash)?.index();
            // The same bytes may stand there twice, and are found at their first place.
            if found.is_none_or(|found| found.get() > index) {
                return Err(StoreError(format!("the entry {index} is not found under its leaf hash {hash}")));
            }
        }
        done = end;
        progress(done);
    }
    Ok(())
}

fn read_everything(store: &dyn Store) -> Result<(), StoreError> {
    let mut from = Vec::new();
    // Kinds are ASCII, so this lies behind every key.
    let end = [u8::MAX];
    loop {
        let page = store.scan(&from, &end, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        from = [last.as_slice(), &[0]].concat();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use merkle::{Hash, LeafIndex};

    use super::*;
    use crate::store::Batch;
    use crate::store::memory::MemoryStore;
    use crate::tree::Edge;

    fn store_of(size: u64) -> MemoryStore {
        let store = MemoryStore::default();
        let entries: Vec<Vec<u8>> = (0..size).map(|index| format!("entry {index}").into_bytes()).collect();
        let hashes: Vec<Hash> = entries.iter().map(|entry| merkle::leaf_hash(entry)).collect();
        let (edge, tiles) = Edge::load(&store, TreeSize::ZERO).unwrap().append(&hashes);
        let mut batch = Batch::default();
        for ((index, entry), hash) in (0u64..).zip(&entries).zip(&hashes) {
            batch.put(keyspace::entry(LeafIndex::new(index)), entry.clone());
            leaf_index::put(&mut batch, hash, LeafIndex::new(index), false);
        }
        tree::put_tiles(&mut batch, &tiles);
        batch.put(keyspace::HEAD.to_vec(), edge.head().to_bytes());
        store.commit(&batch).unwrap();
        store
    }

    #[test]
    fn a_whole_store_passes_and_every_changed_or_missing_entry_is_found() {
        let check = |store: &MemoryStore| check_records(store, head(store).unwrap().size, |_| ());
        for size in [0, 1, 256, 257] {
            assert!(check(&store_of(size)).is_ok());
        }
        let store = store_of(4_100);
        assert!(check(&store).is_ok());
        let pairs = store.scan(&[], &[u8::MAX], usize::MAX).unwrap();
        let records: Vec<_> = pairs.into_iter().filter(|(key, _)| b"ehH".contains(&key[0])).collect();
        assert_eq!(records.len(), 2 * 4_100);
        for (key, value) in records.iter().step_by(37) {
            let mut flipped = value.clone();
            // To bytes that no other entry has: the same bytes at an earlier place would be right.
            *flipped.last_mut().unwrap() ^= 0x80;
            for change in [Some(flipped), None] {
                let is_leaf = b"hH".contains(&key[0]);
                let mut batch = Batch::default();
                match change {
                    // An earlier place of the same bytes is possible; a later one, or none, is not.
                    Some(_) if is_leaf => batch.put(key.clone(), u64::MAX.to_be_bytes().to_vec()),
                    Some(value) => batch.put(key.clone(), value),
                    None => batch.delete(key.clone()),
                }
                store.commit(&batch).unwrap();
                assert!(check(&store).is_err(), "{}", key.escape_ascii());
                let mut back = Batch::default();
                back.put(key.clone(), value.clone());
                store.commit(&back).unwrap();
            }
        }
        assert!(check(&store).is_ok());
    }
}
