//! Whether a copy is what its backup says, and whole.

use std::path::Path;

use log_server::contents::{self, Owner};
use log_server::identity::Identity;
use log_server::tree::{self, TreeHead};
use monitor::audit::Report;
use monitor::rules::Pins;
use store_rocksdb::RocksStore;
use verifier::checkpoint::Checkpoint;
use verifier::trust::Trust;

use crate::audit::{audit_store, check_records};
use crate::backup::{BackupError, Description, hash_files};
use crate::client::visible;

/// Compares the files of a database, that of a backup or a copy of it, with those that were backed up. Any changed, missing or
/// further byte shows here.
pub(super) fn files(backup: &Path, database: &Path, said: &Description) -> Result<(), BackupError> {
    let damaged = |reason: String| BackupError::damaged(backup, reason);
    let found = hash_files(database).map_err(|error| damaged(error.to_string()))?;
    for (name, hash) in &said.files {
        match found.get(name) {
            None => return Err(damaged(format!("the file {name} is missing"))),
            Some(found) if found != hash => return Err(damaged(format!("the file {name} is not as it was written"))),
            Some(_) => {}
        }
    }
    match found.keys().find(|name| !said.files.contains_key(*name)) {
        Some(name) => Err(damaged(format!("the file {name} is none of it"))),
        None => Ok(()),
    }
}

/// Checks everything that was restored, and returns its tree head: whose it is, every record, entry and tile, the head that
/// the backup names, and the checkpoint that was published.
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
    let head = contents::head(store)?;
    check_records(store, head).map_err(|error| damaged(error.0))?;
    let relying_party = Identity::from_public_url(&owner.public_url).map_err(|error| damaged(error.to_string()))?;
    let trust = Trust::of_server(said.log_key.clone(), relying_party.relying_party);
    let report = audit_store(store, head, Pins::new(&trust, &owner.log_origin), None);
    if !report.tree_is_whole() {
        return Err(damaged(first_words(&report)));
    }
    warn_of_rules(&report);
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

/// The first thing that is wrong with the tree.
fn first_words(report: &Report) -> String {
    let first = report.findings.iter().find(|finding| !finding.is_rule()).map(ToString::to_string);
    let stopped = || report.stopped.as_ref().map(ToString::to_string);
    let first = first.or_else(stopped).unwrap_or_else(|| "its tree is not whole".to_owned());
    if report.tree_findings > 1 { format!("{first} (and {} more)", report.tree_findings - 1) } else { first }
}

/// An entry that breaks a rule is what the log signed: it was not damaged, and a restore cannot mend it.
fn warn_of_rules(report: &Report) {
    const SHOWN: usize = 10;
    for finding in report.findings.iter().take(SHOWN) {
        eprintln!("warning: {}", visible(&finding.to_string()));
    }
    let count = report.findings.len() as u64 + report.more_findings;
    if count > 0 {
        eprintln!("warning: {count} findings about what entries say; they are restored as the log signed them");
    }
}

/// The checkpoint that was published when the backup was made, its signature verified.
pub(super) fn checkpoint(backup: &Path, said: &Description) -> Result<Checkpoint, BackupError> {
    Checkpoint::open(said.checkpoint.as_bytes(), &said.log_key).map_err(|error| BackupError::damaged(backup, error))
}
