//! A log in a directory: of a server that does not run, of a backup, or a database alone. It is only read.

use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use log_server::anchor;
use log_server::contents::{self, Owner};
use log_server::store::StoreError;
use log_server::tree::{self, TreeHead};
use monitor::audit::{Audit, Head, Options, Report};
use monitor::rules::Pins;
use monitor::signed::SignedHead;
use monitor::{LogReader, ReadError, Resource};
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use store_rocksdb::RocksStore;
use verifier::trust::Trust;

use super::error::AuditError;
use super::output::{Audited, HeadIs};
use super::{Bar, cores};
use crate::backup::Description;
use crate::primitive;
use crate::serve::beside;

/// Audits the log in a directory.
pub(super) fn audit(
    folder: &Path,
    anchor: Option<&Path>,
    trust: &Trust,
    threads: Option<NonZeroUsize>,
) -> Result<Audited, AuditError> {
    let since = Instant::now();
    let found = Found::look(folder, anchor)?;
    let failed = |reason: String| AuditError::Store { path: found.database.clone(), reason };
    // Held until the end, so that no server changes what is being read.
    let _lock = hold(&found.database)?;
    let store = RocksStore::open_copy(&found.database).map_err(|error| failed(error.to_string()))?;
    let owner = Owner::read(&store).map_err(|error| failed(error.to_string()))?;
    let owner = owner.ok_or_else(|| failed("it holds no log".to_owned()))?;
    owner.require_known_schema().map_err(|error| failed(error.to_string()))?;
    require_pinned(&owner, trust, &found.database)?;
    let head = contents::head(&store).map_err(|error| failed(error.to_string()))?;

    let report = audit_store(&store, head, Pins::new(trust, &owner.log_origin), threads);
    let mut problems = Vec::new();
    // What is wrong with an entry the tree has said already.
    if report.tree_is_whole() {
        let unread = check_records(&store, head).err();
        problems.extend(unread.map(|error| format!("the records cannot be read: {error}")));
    }
    if let Some(anchor) = &found.anchor {
        problems.extend(beside_anchor(&store, head, &owner, anchor));
    }
    if let Some(said) = &found.said {
        problems.extend(as_described(&store, head, said, trust));
    }
    let place = found.database.display().to_string();
    Ok(Audited { place, head_is: HeadIs::Stored, report, problems, took: since.elapsed() })
}

/// Audits the log in an open store, with a bar.
pub(crate) fn audit_store(store: &RocksStore, head: TreeHead, pins: Pins, threads: Option<NonZeroUsize>) -> Report {
    let bar = Bar::new("auditing", head.size);
    let audit = Audit {
        reader: &StoreReader { store, head },
        head: Head { size: head.size, root: head.root },
        pins,
        primitive: primitive::FASTEST,
        options: Options::of(threads.unwrap_or_else(|| cores(1))),
    };
    let report = audit.run(|progress| bar.at(progress.entries));
    bar.end();
    report
}

/// Reads the rest of the store, which nobody sees who reads the log, with a bar: records, and the search for duplicates.
pub(crate) fn check_records(store: &RocksStore, head: TreeHead) -> Result<(), StoreError> {
    let bar = Bar::new("reading", head.size);
    let read = contents::check_records(store, head.size, |done| bar.at(done));
    bar.end();
    read
}

/// What is where.
struct Found {
    database: PathBuf,
    /// What a backup says about itself.
    said: Option<Description>,
    /// The anchor folder to compare with.
    anchor: Option<PathBuf>,
}

impl Found {
    fn look(folder: &Path, anchor: Option<&Path>) -> Result<Self, AuditError> {
        // Only one that was named must be there.
        if let Some(anchor) = anchor.filter(|anchor| !anchor.join(anchor::FILE).exists()) {
            return Err(AuditError::NoAnchor(anchor.to_owned()));
        }
        let anchor = anchor.map(Path::to_owned);
        let database = folder.join("db");
        match Description::read(folder) {
            Ok(Some(said)) => return Ok(Self { database, said: Some(said), anchor }),
            Ok(None) => {
                let reason = "its backup.json is not as it was written".to_owned();
                return Err(AuditError::Store { path: folder.to_owned(), reason });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(AuditError::Store { path: folder.to_owned(), reason: error.to_string() }),
        }
        if database.is_dir() {
            let usual = beside(folder, ".anchor");
            return Ok(Self { database, said: None, anchor: anchor.or_else(|| usual.is_dir().then_some(usual)) });
        }
        if folder.join("CURRENT").is_file() {
            return Ok(Self { database: folder.to_owned(), said: None, anchor });
        }
        Err(AuditError::NoStore(folder.to_owned()))
    }
}

/// Takes the store's lock for reading, which its server does not share. A copy that was never opened has none.
fn hold(database: &Path) -> Result<Option<File>, AuditError> {
    let failed = |error: io::Error| AuditError::Store { path: database.join("LOCK"), reason: error.to_string() };
    let lock = match File::open(database.join("LOCK")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    match fcntl_lock(&lock, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(Some(lock)),
        Err(Errno::AGAIN | Errno::ACCESS) => Err(AuditError::Live(database.to_owned())),
        Err(error) => Err(failed(error.into())),
    }
}

fn require_pinned(owner: &Owner, trust: &Trust, database: &Path) -> Result<(), AuditError> {
    let named = |log_origin: &str, key_id: u32| format!("{log_origin} with the key id {key_id:08x}");
    if trust.logs.iter().any(|key| (key.name(), key.id()) == (owner.log_origin.as_str(), owner.key_id)) {
        return Ok(());
    }
    let pinned = trust.logs.iter().map(|key| named(key.name(), key.id())).collect::<Vec<_>>().join(", ");
    Err(AuditError::OtherLog { path: database.to_owned(), given: named(&owner.log_origin, owner.key_id), pinned })
}

/// What the anchor has against the store.
fn beside_anchor(store: &RocksStore, head: TreeHead, owner: &Owner, folder: &Path) -> Option<String> {
    let shown = folder.display();
    let anchored = match anchor::read(folder) {
        Ok(Some(anchored)) => anchored,
        Ok(None) => return None,
        Err(error) => return Some(format!("anchor: {error}")),
    };
    if (anchored.log_origin.as_str(), anchored.key_id) != (owner.log_origin.as_str(), owner.key_id) {
        let (theirs, id) = (&anchored.log_origin, anchored.key_id);
        return Some(format!("anchor: {shown} is of the log {theirs} with the key id {id:08x}"));
    }
    let compared = contents::require_anchored(store, head, anchored.head);
    compared.err().map(|error| format!("anchor: {shown}: {error}"))
}

/// What a backup's description has against its store: another head, or a checkpoint that is not of this tree.
fn as_described(store: &RocksStore, head: TreeHead, said: &Description, trust: &Trust) -> Vec<String> {
    let mut problems = Vec::new();
    if said.head != head {
        let TreeHead { size, root } = said.head;
        problems.push(format!("backup.json: it names {size} entries with the root {root}"));
    }
    match SignedHead::open(said.checkpoint.as_bytes(), trust) {
        Err(error) => problems.push(format!("backup.json: {error}")),
        Ok(signed) => {
            let (size, root) = (signed.checkpoint.size, signed.checkpoint.root);
            match (size <= head.size).then(|| tree::stored_root(store, size)) {
                Some(Ok(stored)) if stored == root => {}
                Some(Err(error)) => problems.push(format!("backup.json: its checkpoint cannot be compared: {error}")),
                _ => problems.push(format!("backup.json: its checkpoint of {size} entries is not of this tree")),
            }
        }
    }
    problems
}

/// The resources of a log that a store holds up to a head.
struct StoreReader<'a> {
    store: &'a RocksStore,
    head: TreeHead,
}

impl LogReader for StoreReader<'_> {
    fn read(&self, resource: Resource) -> Result<Vec<u8>, ReadError> {
        let failed = |StoreError(reason)| ReadError::Store { resource, reason };
        let beyond = |tile: merkle::Tile| tile.end().is_none_or(|end| end > self.head.size);
        match resource {
            // A store holds no signature.
            Resource::Checkpoint => Err(ReadError::NotFound(resource)),
            Resource::Hashes(tile) | Resource::Entries(tile) if beyond(tile) => Err(ReadError::NotFound(resource)),
            Resource::Hashes(tile) => contents::tile(self.store, tile).map_err(failed),
            Resource::Entries(tile) => contents::entry_bundle(self.store, tile).map_err(failed),
        }
    }

    fn place(&self) -> String {
        format!("{:?}", self.store)
    }
}
