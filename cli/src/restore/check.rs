//! Whether a copy is what its backup says, and whole.

use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use log_server::contents::{self, Owner};
use log_server::tree::{self, TreeHead};
use store_rocksdb::RocksStore;
use verifier::checkpoint::Checkpoint;

use crate::backup::{BackupError, Description, hash_files};

/// Compares the files of a database with those that were backed up. Any changed, missing or further byte shows here.
pub(super) fn files(database: &Path, said: &Description) -> Result<(), BackupError> {
    let found = hash_files(database).map_err(|error| BackupError::damaged(database, error))?;
    for (name, hash) in &said.files {
        match found.get(name) {
            None => return Err(BackupError::damaged(database, format!("the file {name} is missing"))),
            Some(found) if found != hash => {
                return Err(BackupError::damaged(database, format!("the file {name} is not as it was written")));
            }
            Some(_) => {}
        }
    }
    match found.keys().find(|name| !said.files.contains_key(*name)) {
        Some(name) => Err(BackupError::damaged(database, format!("the file {name} is none of it"))),
        None => Ok(()),
    }
}

/// Checks everything that was restored, and returns its tree head: whose it is, every entry, every tile, the head that the
/// backup names, and the checkpoint that was published.
pub(super) fn check_restored(backup: &Path, store: &RocksStore, said: &Description) -> Result<TreeHead, BackupError> {
    let damaged = |reason: String| BackupError::damaged(backup, reason);
    let owner = Owner::read(store)?.ok_or_else(|| damaged("it holds no log".to_owned()))?;
    owner.require_known_schema()?;
    let named = Owner {
        schema: said.schema,
        log_origin: said.log_origin().to_owned(),
        public_url: said.public_url.clone(),
        key_id: said.log_key.id(),
    };
    if owner != named {
        return Err(damaged(format!("it is of {} and says {}", owner.log_origin, named.log_origin)));
    }
    let bar = ProgressBar::new(said.head.size.get());
    if let Ok(style) = ProgressStyle::with_template("checking {bar:40} {pos}/{len} entries, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    let head = contents::check_all(store, |done| bar.set_position(done));
    bar.finish_and_clear();
    let head = head.map_err(|error| damaged(error.0))?;
    if head != said.head {
        return Err(damaged(format!(
            "it has {} entries with the root {}, its backup.json says {} with {}",
            head.size, head.root, said.head.size, said.head.root
        )));
    }
    let checkpoint = checkpoint(backup, said)?;
    if checkpoint.size > head.size || tree::stored_root(store, checkpoint.size)? != checkpoint.root {
        return Err(damaged("its checkpoint is not of this tree".to_owned()));
    }
    Ok(head)
}

/// The checkpoint that was published when the backup was made, its signature verified.
pub(super) fn checkpoint(backup: &Path, said: &Description) -> Result<Checkpoint, BackupError> {
    Checkpoint::open(said.checkpoint.as_bytes(), &said.log_key).map_err(|error| BackupError::damaged(backup, error))
}
