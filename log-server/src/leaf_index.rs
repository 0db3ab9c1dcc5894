//! The leaf index: where the entry with a leaf hash is.
//!
//! Most of what the log writes beyond an entry would be this, so it holds the first bytes of a leaf hash and an index as short
//! as it can be:
//!
//! ```text
//! h ++ first 8 bytes of the leaf hash  =>  the index of the first entry whose leaf hash begins so
//! H ++ the whole leaf hash             =>  the index of another entry that begins so
//! ```
//!
//! What the first bytes find is compared with the whole leaf hash of the entry there, so two entries that begin alike are
//! never taken for one another. Anybody can make such a pair who appends entries; all that it costs is a longer key and a
//! second look.

use merkle::{Hash, LeafIndex};

use crate::keyspace;
use crate::store::{Batch, Store, StoreError};
use crate::tree;

/// How many bytes of a leaf hash the short key has. Among a thousand million entries a pair that begins alike by chance is
/// there in one log of forty.
#[cfg(not(test))]
const START: usize = 8;

/// In the unit tests all the time.
#[cfg(test)]
const START: usize = 1;

/// The first bytes of a leaf hash.
pub(crate) type LeafStart = [u8; START];

/// The first bytes of a leaf hash.
pub(crate) fn start_of(leaf_hash: &Hash) -> LeafStart {
    std::array::from_fn(|i| leaf_hash.as_bytes()[i])
}

/// What is known of a leaf hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// The entry is here.
    At(LeafIndex),
    /// There is no such entry, but one whose leaf hash begins in the same way.
    Alike,
    /// There is not even one that begins in the same way.
    Nothing,
}

impl Found {
    /// Where the entry is.
    pub(crate) fn index(self) -> Option<LeafIndex> {
        if let Self::At(index) = self { Some(index) } else { None }
    }
}

/// Looks for the first entry with a leaf hash.
pub(crate) fn find(store: &dyn Store, leaf_hash: &Hash) -> Result<Found, StoreError> {
    let Some(index) = store.get(&keyspace::leaf(start_of(leaf_hash)))? else { return Ok(Found::Nothing) };
    confirm(store, index_from(&index)?, leaf_hash)
}

/// Looks for the entry with a leaf hash, knowing the first entry whose leaf hash begins in the same way.
pub(crate) fn confirm(store: &dyn Store, first: LeafIndex, leaf_hash: &Hash) -> Result<Found, StoreError> {
    if merkle::leaf_hash(&tree::stored_entry(store, first)?) == *leaf_hash {
        return Ok(Found::At(first));
    }
    let index = store.get(&keyspace::whole_leaf(leaf_hash))?;
    Ok(index.as_deref().map(index_from).transpose()?.map_or(Found::Alike, Found::At))
}

/// Adds an entry. The caller knows that it is not there, and whether a leaf hash begins in the same way: those of this
/// batch are looked at here.
pub(crate) fn put(batch: &mut Batch, leaf_hash: &Hash, index: LeafIndex, alike: bool) {
    let short = keyspace::leaf(start_of(leaf_hash));
    let taken = alike || batch.change(&short).is_some();
    batch.put(if taken { keyspace::whole_leaf(leaf_hash) } else { short }, index_to(index));
}

/// An index without the zeros before it, but one byte at least.
fn index_to(index: LeafIndex) -> Vec<u8> {
    let bytes = index.get().to_be_bytes();
    let zeros = (index.get().leading_zeros() / 8).min(7) as usize;
    bytes[zeros..].to_vec()
}

/// Reads what [`index_to`] wrote, and nothing else.
fn index_from(bytes: &[u8]) -> Result<LeafIndex, StoreError> {
    let damaged = || StoreError("an index in the leaf index is damaged".to_owned());
    if bytes.is_empty() || bytes.len() > 8 || (bytes.len() > 1 && bytes[0] == 0) {
        return Err(damaged());
    }
    Ok(LeafIndex::new(bytes.iter().fold(0, |index, byte| index << 8 | u64::from(*byte))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::store::memory::MemoryStore;

    fn bytes(i: u64) -> Vec<u8> {
        format!("entry {i}").into_bytes()
    }

    /// With one byte of each hash there are many that begin alike, in one batch and across batches.
    #[test]
    fn entries_that_begin_alike_are_all_found_and_no_other() {
        let store = MemoryStore::default();
        for first in (0..2_000).step_by(100) {
            let mut batch = Batch::default();
            for i in first..first + 100 {
                let hash = merkle::leaf_hash(&bytes(i));
                let found = find(&store, &hash).unwrap();
                assert_eq!(found.index(), None, "{i}");
                batch.put(keyspace::entry(LeafIndex::new(i)), bytes(i));
                put(&mut batch, &hash, LeafIndex::new(i), found == Found::Alike);
            }
            store.commit(&batch).unwrap();
            for i in 0..first + 100 {
                assert_eq!(find(&store, &merkle::leaf_hash(&bytes(i))).unwrap(), Found::At(LeafIndex::new(i)));
            }
        }
        for i in 2_000..4_000 {
            assert_eq!(find(&store, &merkle::leaf_hash(&bytes(i))).unwrap(), Found::Alike, "{i}");
        }
    }

    #[test]
    fn an_index_is_as_short_as_it_can_be_and_has_one_form() {
        for (index, length) in [(0, 1), (255, 1), (256, 2), (0xff_ffff, 3), (u64::MAX >> 8, 7), (u64::MAX, 8)] {
            let bytes = index_to(LeafIndex::new(index));
            assert_eq!((bytes.len(), index_from(&bytes).unwrap().get()), (length, index));
        }
        for bad in [&[][..], &[0, 1], &[0, 0], &[1; 9]] {
            assert!(index_from(bad).is_err(), "{bad:?}");
        }
    }
}
