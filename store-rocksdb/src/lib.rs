//! The store of a log on an embedded RocksDB.
//!
//! A commit is one synced write batch: it is in the write-ahead log, and that log on the disk, when `commit` returns.
//! Everything read from disk is checked against its checksum.
//!
//! What is appended has a column family of its own. Its tables never overlap, so they are moved from level to level and not
//! written again; among the other keys, which come in any order, each compaction would rewrite them. One write-ahead log
//! serves both families, so a batch that changes both is still there as a whole or not at all.
//!
//! What RocksDB cannot notice is a live write-ahead log that was deleted or cut short: such a store opens with older
//! contents and without an error. The log notices, because its anchor is ahead of the store.
#![forbid(unsafe_code)]

mod copy;
mod families;
mod open;
mod settings;

use std::fmt;

use log_server::store::{Batch, Pair, Store, StoreError};
use rocksdb::{DB, ReadOptions, WriteBatch, WriteOptions};

pub use open::OpenError;

/// A store on RocksDB. One process at a time can hold a directory; dropping the store releases it.
///
/// The hold is a POSIX lock on the file LOCK in the directory. Closing any descriptor of that file in this process
/// gives the lock up, so code that copies the directory must leave LOCK out.
pub struct RocksStore {
    db: DB,
    reads: ReadOptions,
    writes: WriteOptions,
}

impl Store for RocksStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db.get_cf_opt(families::of(&self.db, key)?, key, &self.reads).map_err(failed)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        let mut pairs = Vec::new();
        for (from, to) in families::parts(from, to) {
            self.scan_part(from, to, limit, &mut pairs)?;
        }
        Ok(pairs)
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut changes = WriteBatch::default();
        for (key, value) in batch.changes() {
            match value {
                Some(value) => changes.put_cf(families::of(&self.db, key)?, key, value),
                None => changes.delete_cf(families::of(&self.db, key)?, key),
            }
        }
        // Before this line nothing is on the disk. A crash inside it leaves all of the batch or none. An error of it
        // means "unknown": a batch whose sync failed may be there after a restart.
        self.db.write_opt(changes, &self.writes).map_err(failed)
    }
}

impl RocksStore {
    /// Adds the pairs of a range that lies in one family, until there are `limit`.
    fn scan_part(&self, from: &[u8], to: &[u8], limit: usize, pairs: &mut Vec<Pair>) -> Result<(), StoreError> {
        if pairs.len() >= limit {
            return Ok(());
        }
        let mut reads = settings::reads();
        reads.set_iterate_upper_bound(to);
        let mut at = self.db.raw_iterator_cf_opt(families::of(&self.db, from)?, reads);
        at.seek(from);
        while let Some((key, value)) = at.item() {
            pairs.push((key.to_vec(), value.to_vec()));
            if pairs.len() == limit {
                return Ok(());
            }
            at.next();
        }
        // An iterator ends at the upper bound and at damage alike; only its status tells them apart.
        at.status().map_err(failed)
    }
}

impl fmt::Debug for RocksStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RocksStore").field(&self.db.path()).finish()
    }
}

/// RocksDB's own words: they name the file and the damage.
fn failed(error: rocksdb::Error) -> StoreError {
    StoreError(error.into_string())
}
