//! The public log: what anyone may read, bounded by the published size, and raw appends.
//!
//! A read never waits for the writer: entries and full tiles do not change, and a partial tile is a prefix of what is
//! stored.

use std::ops::Range;
use std::sync::Arc;

use merkle::{Hash, LeafIndex, Node, NodeReader as _, Tile, TreeSize};
use verifier::bundle::MAX_ENTRY;
use verifier::entry::PREFIX;

use crate::by_key::ByKey;
use crate::contents;
use crate::leaf_index::{self, Found};
use crate::problem::Problem;
use crate::store::{Store, StoreError};
use crate::tiles::TileCache;
use crate::tree::stored_entries;
use crate::writer::{Command, Failed, NewEntry, Published, Transaction, Writer};

/// The most entries that one request may ask for, or append.
pub const MAX_ENTRIES: u64 = 256;

/// The readable log.
#[derive(Clone)]
pub struct Log {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The writer, which also knows what is published.
    pub writer: Writer,
    /// What proofs are made of.
    tiles: Arc<TileCache>,
}

/// An entry with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where in the log.
    pub index: LeafIndex,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its leaf hash.
    pub leaf_hash: Hash,
}

/// Raw entries to append: all of them or none.
struct Append {
    /// Each with what was found of it.
    entries: Vec<(NewEntry, Found)>,
    /// The size of the tree that was looked in for them, at least.
    looked_in: TreeSize,
}

impl Log {
    /// The log in a store.
    pub fn new(store: Arc<dyn Store>, writer: Writer) -> Self {
        Self { tiles: Arc::new(TileCache::new(store.clone())), store, writer }
    }

    /// What is published now.
    pub fn published(&self) -> Published {
        self.writer.published()
    }

    /// A tile's bytes; none unless the tile, at this width, is part of a published tree.
    pub fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
        if !self.is_published(tile) {
            return Ok(None);
        }
        contents::tile(&*self.store, tile).map(Some)
    }

    /// An entry bundle's bytes; none unless its entries, at this width, are published.
    pub fn bundle(&self, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
        if !self.is_published(tile) {
            return Ok(None);
        }
        contents::entry_bundle(&*self.store, tile).map(Some)
    }

    fn is_published(&self, tile: Tile) -> bool {
        tile.end().is_some_and(|end| end <= self.published().head.size)
    }

    /// Published entries of a range. Whatever lies beyond the published size does not exist.
    pub fn entries(&self, range: Range<u64>) -> Result<Vec<Entry>, StoreError> {
        let end = range.end.min(self.published().head.size.get());
        let start = range.start.min(end);
        let entries = stored_entries(&*self.store, start..end)?.into_iter().zip(start..);
        let described = entries.map(|(bytes, index)| Entry {
            index: LeafIndex::new(index),
            leaf_hash: merkle::leaf_hash(&bytes),
            bytes,
        });
        Ok(described.collect())
    }

    /// Where the entry with a leaf hash is, if it is published.
    pub fn find(&self, leaf_hash: &Hash) -> Result<Option<LeafIndex>, StoreError> {
        let index = leaf_index::find(&*self.store, leaf_hash)?.index();
        Ok(index.filter(|index| index.get() < self.published().head.size.get()))
    }

    /// The inclusion proof of an entry in the tree of a size, with its leaf hash. The caller has checked the bounds.
    pub fn inclusion(&self, index: LeafIndex, size: TreeSize) -> Result<(Hash, Vec<Hash>), StoreError> {
        let nodes = self.tiles.nodes(size);
        let proof = merkle::prove_inclusion(index, size, &nodes);
        let leaf_hash = nodes.read_nodes(&[Node { level: 0, index: index.get() }])?[0];
        Ok((leaf_hash, proof.map_err(|error| StoreError(format!("a proof of entry {index}: {error}")))?))
    }

    /// The consistency proof between two sizes. The caller has checked the bounds.
    pub fn consistency(&self, from: TreeSize, to: TreeSize) -> Result<Vec<Hash>, StoreError> {
        merkle::prove_consistency(from, to, &self.tiles.nodes(to))
            .map_err(|error| StoreError(format!("a consistency proof from {from} to {to}: {error}")))
    }

    /// Appends raw entries and answers once a published checkpoint covers them: where each is. An entry that is there
    /// already keeps its place.
    pub async fn append(&self, entries: Vec<Vec<u8>>) -> Result<Vec<(LeafIndex, Hash)>, Problem> {
        let (command, hashes) = self.check_entries(entries)?;
        let indexes = self.writer.submit(command).await?;
        Ok(indexes.into_iter().zip(hashes).collect())
    }

    /// The same, if the API key with this id is still good when the writer comes to it.
    pub async fn append_by(&self, key_id: &str, entries: Vec<Vec<u8>>) -> Result<Vec<(LeafIndex, Hash)>, Problem> {
        let (command, hashes) = self.check_entries(entries)?;
        let indexes = self.writer.submit(ByKey { key_id: key_id.to_owned(), command }).await?;
        Ok(indexes.into_iter().zip(hashes).collect())
    }

    fn check_entries(&self, entries: Vec<Vec<u8>>) -> Result<(Append, Vec<Hash>), Problem> {
        let entries = entries.into_iter().map(new_entry).collect::<Result<Vec<_>, _>>()?;
        let hashes: Vec<Hash> = entries.iter().map(|entry| entry.leaf_hash).collect();
        // Looked up here, because the writer has no time to read. The size first: what is published then is committed, and
        // so is found. What comes later the writer knows.
        let looked_in = self.published().head.size;
        let entries = entries.into_iter().map(|entry| {
            let found = leaf_index::find(&*self.store, &entry.leaf_hash)?;
            Ok((entry, found))
        });
        let entries = entries.collect::<Result<_, StoreError>>()?;
        Ok((Append { entries, looked_in }, hashes))
    }
}

/// Refuses bytes that are no raw entry; `field` is where they stand in the request.
pub(crate) fn check_raw(bytes: &[u8], field: impl Into<String>) -> Result<(), Problem> {
    if bytes.len() > MAX_ENTRY {
        return Err(Problem::TooLarge { what: "an entry", limit: MAX_ENTRY });
    }
    if bytes.starts_with(PREFIX.as_bytes()) {
        let reason = format!("only the approval engine writes entries that begin with {PREFIX}");
        return Err(Problem::invalid(field, reason));
    }
    Ok(())
}

fn new_entry(bytes: Vec<u8>) -> Result<NewEntry, Problem> {
    check_raw(&bytes, "entry")?;
    Ok(NewEntry { leaf_hash: merkle::leaf_hash(&bytes), bytes, assertion_digest: None })
}

impl Command for Append {
    type Answer = Vec<LeafIndex>;
    type Refusal = Problem;

    fn weight(&self) -> usize {
        self.entries.iter().map(|(entry, _)| entry.bytes.len()).sum()
    }

    fn run(self, tx: &mut Transaction<'_>) -> Result<Vec<LeafIndex>, Failed<Problem>> {
        let append = |(entry, found)| tx.append_once(entry, self.looked_in, found);
        Ok(self.entries.into_iter().map(append).collect::<Result<_, _>>()?)
    }
}
