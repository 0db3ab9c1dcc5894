//! The store: everything that must survive a crash, behind three calls.
//!
//! Narrow and synchronous on purpose. The writer is the only one that commits; a commit is atomic and durable when it
//! returns. Readers see committed data and bound themselves by the published size, so no snapshot is needed: entries and
//! full tiles never change, and a record is one value.
//!
//! Any error means "unknown", never "did not happen": the writer stops and a restart looks.

pub mod memory;

use std::collections::BTreeMap;
use std::ops::Bound;

/// A key-value store with ordered keys.
pub trait Store: Send + Sync + 'static {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` pairs with `from <= key < to`, ascending.
    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError>;

    /// Writes all changes of a batch or none, and returns when they would survive a loss of power.
    fn commit(&self, batch: &Batch) -> Result<(), StoreError>;
}

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Changes that are written together. A later change of a key replaces an earlier one.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Batch(BTreeMap<Vec<u8>, Option<Vec<u8>>>);

/// The store failed; what it was asked to do may have happened or not.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the store failed: {0}")]
pub struct StoreError(pub String);

impl Batch {
    /// Sets a key.
    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.0.insert(key, Some(value));
    }

    /// Removes a key.
    pub fn delete(&mut self, key: Vec<u8>) {
        self.0.insert(key, None);
    }

    /// The changes by key, ascending; `None` removes.
    pub fn changes(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.0.iter().map(|(key, value)| (key.as_slice(), value.as_deref()))
    }

    /// The changes with `from <= key < to`, ascending; `None` removes.
    pub fn changes_in(&self, from: &[u8], to: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let range = (Bound::Included(from), Bound::Excluded(to));
        self.0.range::<[u8], _>(range).map(|(key, value)| (key.as_slice(), value.as_deref()))
    }

    /// What this batch does to a key: nothing, remove it (`Some(None)`), or set it.
    pub fn change(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.0.get(key).map(Option::as_deref)
    }

    /// Whether nothing would be changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the changes of another batch, which win.
    pub fn extend(&mut self, later: Self) {
        self.0.extend(later.0);
    }
}
