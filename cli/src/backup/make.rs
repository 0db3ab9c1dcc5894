//! Making a backup: copy, look at the copy, describe it, and only then give it its name.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log_server::backup::MakeBackup;
use log_server::contents::{self, Owner};
use log_server::tree;
use store_rocksdb::RocksStore;
use tempfile::TempDir;
use verifier::checkpoint::Checkpoint;
use verifier::encoding;
use verifier::note::VerifierKey;
use verifier::time::Timestamp;

use super::description::{Description, FILE, hash_files};
use super::error::BackupError;

/// Backups of one second with one size: more than anybody needs.
const SAME_NAME: u32 = 100;

/// What is backed up.
pub(crate) struct Source<'a> {
    /// The store, in use or not.
    pub(crate) store: &'a RocksStore,
    /// The log's key.
    pub(crate) log_key: &'a VerifierKey,
    /// A signed checkpoint of the log that is not ahead of the store.
    pub(crate) checkpoint: &'a str,
}

/// The hook of a running server.
pub(crate) fn hook(store: Arc<RocksStore>, log_key: VerifierKey, folder: PathBuf) -> MakeBackup {
    Arc::new(move |published| {
        let source = Source { store: &store, log_key: &log_key, checkpoint: &published.checkpoint };
        make(&source, &folder).map_err(|error| error.to_string())
    })
}

/// Makes a backup in a folder. What cannot be finished is taken away again.
pub(crate) fn make(source: &Source<'_>, folder: &Path) -> Result<api::BackupMade, BackupError> {
    make_private(folder).map_err(|error| BackupError::io(folder, error))?;
    let failed = |error| BackupError::io(folder, error);
    let only_ours = Permissions::from_mode(0o700);
    let working = tempfile::Builder::new().prefix(".making-").permissions(only_ours).tempdir_in(folder);
    let working = working.map_err(failed)?;
    let database = working.path().join("db");
    source
        .store
        .copy_to(&database)
        .map_err(|error| BackupError::Copy { folder: folder.to_owned(), reason: error.0 })?;
    let description = describe(source, &database)?;
    write_synced(&working.path().join(FILE), description.to_text().as_bytes()).map_err(failed)?;
    File::open(working.path()).and_then(|working| working.sync_all()).map_err(failed)?;
    let path = name(working, folder, &description).map_err(failed)?;
    let path = std::path::absolute(&path).map_err(failed)?;
    Ok(api::BackupMade {
        path: path.display().to_string(),
        log_origin: description.log_origin().to_owned(),
        size: description.head.size.get(),
        root: encoding::base64url(description.head.root.as_bytes()),
        made_at: description.made_at.to_string(),
    })
}

/// Opens the copy and looks: what it says of itself is what is in it, not what the server believes.
fn describe(source: &Source<'_>, database: &Path) -> Result<Description, BackupError> {
    let made_at = crate::now();
    let copy = RocksStore::open_copy(database).map_err(|error| BackupError::damaged(database, error))?;
    let damaged = |reason: &str| BackupError::damaged(database, reason);
    let owner = Owner::read(&copy)?.ok_or_else(|| damaged("it holds no log"))?;
    if (owner.log_origin.as_str(), owner.key_id) != (source.log_key.name(), source.log_key.id()) {
        return Err(damaged("it is another log's"));
    }
    let head = contents::head(&copy)?;
    let checkpoint = Checkpoint::open(source.checkpoint.as_bytes(), source.log_key)
        .map_err(|error| BackupError::damaged(database, error))?;
    if checkpoint.size > head.size || tree::stored_root(&copy, checkpoint.size)? != checkpoint.root {
        return Err(damaged("it does not hold what was published"));
    }
    drop(copy);
    Ok(Description {
        log_key: source.log_key.clone(),
        public_url: owner.public_url,
        schema: owner.schema,
        head,
        checkpoint: source.checkpoint.to_owned(),
        made_at,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        files: hash_files(database).map_err(|error| BackupError::io(database, error))?,
    })
}

/// Gives the finished backup its name, durably.
fn name(working: TempDir, folder: &Path, description: &Description) -> io::Result<PathBuf> {
    let name = format!("{}-{}", compact(description.made_at), description.head.size);
    for number in 1..=SAME_NAME {
        let path = folder.join(if number == 1 { name.clone() } else { format!("{name}-{number}") });
        match fs::rename(working.path(), &path) {
            Ok(()) => {
                // It is no temporary folder any more.
                _ = working.keep();
                File::open(folder)?.sync_all()?;
                return Ok(path);
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(format!("there are {SAME_NAME} backups named {name} already")))
}

/// A time as a file name: `20260102T030405Z`.
fn compact(time: Timestamp) -> String {
    time.to_string().replace(['-', ':'], "")
}

/// Makes the folder for its user alone. One that is there already is its owner's affair; what is made in it is closed.
fn make_private(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().mode(0o700).create(folder)?;
    File::open(above)?.sync_all()
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
