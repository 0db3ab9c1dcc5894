//! Copies of a store: made while it is in use, and read without being changed.
//!
//! A copy is a RocksDB checkpoint: tables never change, so they are linked where source and copy share a file system, and
//! copied otherwise. Writing goes on meanwhile; it waits no longer than for the switch to a new write buffer.

use std::fs::File;
use std::io;
use std::path::Path;

use log_server::store::StoreError;
use rocksdb::DB;
use rocksdb::checkpoint::Checkpoint;

use crate::open::{OpenError, is_store};
use crate::{RocksStore, failed, families, settings};

impl RocksStore {
    /// Copies the store into a folder that does not exist yet, as it is at one moment: everything that was committed
    /// before the call is in the copy. The copy survives a loss of power when this returns.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        let checkpoint = Checkpoint::new(&self.db).map_err(failed)?;
        checkpoint.create_checkpoint(path).map_err(failed)?;
        // RocksDB promises this for its tables alone, and a copy of a few files costs little to sync.
        sync_all(path).map_err(|error| StoreError(format!("{}: {error}", path.display())))
    }

    /// Opens a copy that no process writes to, and leaves every byte of it as it is. A commit to it fails.
    ///
    /// Not for a store in use: RocksDB leaves open what it reads then.
    pub fn open_copy(path: &Path) -> Result<Self, OpenError> {
        match is_store(path) {
            Ok(true) => {}
            Ok(false) => return Err(OpenError::Missing { path: path.to_owned() }),
            Err(error) => return Err(OpenError::unreadable(path, error.to_string())),
        }
        let opened = DB::open_cf_descriptors_read_only(&settings::database(false), path, families::all(), false);
        let db = opened.map_err(|error| OpenError::of_rocksdb(path, error.into_string()))?;
        Ok(Self { db, reads: settings::reads(), writes: settings::writes() })
    }
}

fn sync_all(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        File::open(entry?.path())?.sync_all()?;
    }
    File::open(folder)?.sync_all()
}
