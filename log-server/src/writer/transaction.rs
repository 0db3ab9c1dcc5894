//! What a command sees and changes: the store with everything that earlier commands of the batch did laid over it.

use std::collections::{BTreeMap, HashMap};

use merkle::{Hash, LeafIndex, TreeSize};
use serde::Serialize;
use serde::de::DeserializeOwned;
use verifier::entry::Entry;
use verifier::time::Timestamp;

use super::recent::Recent;
use crate::keyspace::{self, Kind};
use crate::leaf_index::{self, Found};
use crate::store::{Batch, Store, StoreError};

/// An entry to append, with what was known of it before it was stored: the check compares with that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// The exact bytes.
    pub bytes: Vec<u8>,
    /// Their leaf hash, taken when they were built.
    pub leaf_hash: Hash,
    /// For a decision, or an enrolment that a key authorised: the digest of its assertion, taken when it was verified.
    pub assertion_digest: Option<[u8; 32]>,
}

impl NewEntry {
    /// An entry of ours.
    pub fn of(entry: &Entry) -> Self {
        let bytes = entry.to_bytes();
        Self { leaf_hash: merkle::leaf_hash(&bytes), bytes, assertion_digest: None }
    }
}

/// Why a command did nothing.
#[derive(Debug)]
pub enum Failed<R> {
    /// Its own rules.
    Refused(R),
    /// The store failed, which stops the writer.
    Store(StoreError),
}

impl<R> From<StoreError> for Failed<R> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A batch in the making.
pub struct Transaction<'a> {
    store: &'a dyn Store,
    recent: &'a Recent,
    now: Timestamp,
    size: TreeSize,
    /// What commands that went through have changed.
    pub(super) done: Changes,
    /// What the running command has changed.
    current: Changes,
}

/// What stays of an entry beside its bytes, which are in the batch: what the check compares with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Appended {
    pub(super) leaf_hash: Hash,
    /// Whether the leaf hash of an earlier batch begins like this one, if that is known.
    pub(super) alike: Option<bool>,
    pub(super) assertion_digest: Option<[u8; 32]>,
}

#[derive(Default)]
pub(super) struct Changes {
    pub(super) batch: Batch,
    pub(super) entries: Vec<Appended>,
    /// Where the first entry of each leaf hash is.
    places: HashMap<Hash, LeafIndex>,
    pub(super) wake: Vec<String>,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(store: &'a dyn Store, recent: &'a Recent, now: Timestamp, size: TreeSize) -> Self {
        Self { store, recent, now, size, done: Changes::default(), current: Changes::default() }
    }

    /// The batch's stamp: the time of everything in it.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// A record, as the commands before this one left it.
    pub fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.get_bytes(key)?.as_deref().map(|bytes| record_from(key, bytes)).transpose()
    }

    /// A raw value, as the commands before this one left it.
    pub fn get_bytes(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.current.batch.change(key).or_else(|| self.done.batch.change(key)) {
            Some(value) => Ok(value.map(<[u8]>::to_vec)),
            None => self.store.get(key),
        }
    }

    /// Writes a record.
    pub fn put<T: Serialize>(&mut self, key: Vec<u8>, record: &T) {
        self.put_bytes(key, record_to(record));
    }

    /// Writes a raw value.
    pub fn put_bytes(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.current.batch.put(key, value);
    }

    /// Removes a value.
    pub fn delete(&mut self, key: Vec<u8>) {
        self.current.batch.delete(key);
    }

    /// All records of a kind, as the commands before this one left them. For what is few.
    pub(crate) fn all<T: DeserializeOwned>(&self, kind: Kind) -> Result<Vec<T>, StoreError> {
        let (from, to) = keyspace::all(kind);
        self.scan(&from, &to)?.iter().map(|(key, value)| record_from(key, value)).collect()
    }

    /// All values with `from <= key < to`, as the commands before this one left them. For what is few.
    pub fn scan(&self, from: &[u8], to: &[u8]) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, StoreError> {
        let mut pairs: BTreeMap<_, _> = self.store.scan(from, to, usize::MAX)?.into_iter().collect();
        for batch in [&self.done.batch, &self.current.batch] {
            for (key, value) in batch.changes_in(from, to) {
                match value {
                    Some(value) => _ = pairs.insert(key.to_vec(), value.to_vec()),
                    None => _ = pairs.remove(key),
                }
            }
        }
        Ok(pairs)
    }

    /// Appends an entry to the log. Not for bytes that may come twice.
    pub fn append(&mut self, entry: NewEntry) -> LeafIndex {
        self.append_as(entry, None)
    }

    /// Appends an entry to the log, unless it is there. The caller has looked in the tree of the size `looked_in`, at
    /// least, which leaves little to read.
    pub(crate) fn append_once(
        &mut self,
        entry: NewEntry,
        looked_in: TreeSize,
        found: Found,
    ) -> Result<LeafIndex, StoreError> {
        match self.find_since(looked_in, found, &entry.leaf_hash)? {
            Found::At(index) => Ok(index),
            found => Ok(self.append_as(entry, Some(found == Found::Alike))),
        }
    }

    fn append_as(&mut self, entry: NewEntry, alike: Option<bool>) -> LeafIndex {
        let index = LeafIndex::new(self.size.get() + (self.done.entries.len() + self.current.entries.len()) as u64);
        let NewEntry { bytes, leaf_hash, assertion_digest } = entry;
        self.current.batch.put(keyspace::entry(index), bytes);
        self.current.entries.push(Appended { leaf_hash, alike, assertion_digest });
        self.current.places.entry(leaf_hash).or_insert(index);
        index
    }

    /// What there is now of what was looked for in the tree of a size, this batch included.
    fn find_since(&self, looked_in: TreeSize, found: Found, leaf_hash: &Hash) -> Result<Found, StoreError> {
        let in_batch = self.done.places.get(leaf_hash).or_else(|| self.current.places.get(leaf_hash));
        match (found.index().or(in_batch.copied()), found) {
            (Some(index), _) => Ok(Found::At(index)),
            // Nothing began like this then, so if something does now, its first is among the recent ones.
            (None, Found::Nothing) if self.recent.covers(looked_in) => match self.recent.find(leaf_hash) {
                Some(first) => leaf_index::confirm(self.store, first, leaf_hash),
                None => Ok(Found::Nothing),
            },
            _ => leaf_index::find(self.store, leaf_hash),
        }
    }

    /// Wakes who waits for a confirmation, once this is published.
    pub fn wake(&mut self, id: &str) {
        self.current.wake.push(id.to_owned());
    }

    /// Ends a command: its changes stay, or are dropped.
    pub(super) fn end_command(&mut self, keep: bool) {
        let current = std::mem::take(&mut self.current);
        if keep {
            self.done.batch.extend(current.batch);
            self.done.entries.extend(current.entries);
            for (leaf_hash, index) in current.places {
                self.done.places.entry(leaf_hash).or_insert(index);
            }
            self.done.wake.extend(current.wake);
        }
    }
}

/// Reads a record of ours.
pub(crate) fn record_from<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes)
        .map_err(|error| StoreError(format!("the record {} is damaged: {error}", key.escape_ascii())))
}

/// Writes a record of ours.
pub(crate) fn record_to<T: Serialize>(record: &T) -> Vec<u8> {
    match serde_json::to_vec(record) {
        Ok(bytes) => bytes,
        Err(error) => unreachable!("our records are plain structures: {error}"),
    }
}
