//! `countersign backup`: a copy of the database in a folder of its own, of a running server through its API, of a stopped
//! one directly. docs/backup.md is the runbook.

mod description;
mod error;
mod make;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use log_server::anchor::{self, AnchorError, AnchorFolder};
use log_server::contents;
use store_rocksdb::RocksStore;
use verifier::checkpoint::Checkpoint;
use verifier::note::SignerKey;

pub(crate) use description::{Description, hash_files};
pub(crate) use error::BackupError;
pub(crate) use make::{Source, hook, make};

use crate::client::Client;
use crate::secret_file;
use crate::serve::{Place, ServeError, beside};

/// Back up the database of a running server, or with --data-dir that of a stopped one. Prints the backup's folder.
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct BackupArgs {
    /// The server's public URL.
    #[arg(long, env = "COUNTERSIGN_URL", default_value = "http://localhost:8080")]
    url: String,
    /// The file with an API key of scope `admin`. COUNTERSIGN_API_KEY may hold the key itself.
    #[arg(long, env = "COUNTERSIGN_API_KEY_FILE", value_name = "FILE")]
    api_key_file: Option<PathBuf>,
    /// The data directory of a server that does not run.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Its anchor folder. Default: the data directory and `.anchor`
    #[arg(long, value_name = "DIR", requires = "data_dir")]
    anchor: Option<PathBuf>,
    /// Where the backup's folder is made. Default: the data directory and `.backups`
    #[arg(long, value_name = "DIR", requires = "data_dir")]
    to: Option<PathBuf>,
}

const HELP: &str = "\
The server makes its backups in its own folder (`serve --backups DIR`). A backup holds the database, and neither the log
key nor an API key in clear. Copy it to another machine: on the same disk it is no backup.

Examples:
  countersign backup --api-key-file countersign-data/admin.key
  countersign backup --data-dir countersign-data --to /mnt/backups";

pub(crate) fn run(args: &BackupArgs) -> Result<(), BackupError> {
    let made = match &args.data_dir {
        Some(data_dir) => stopped(data_dir, args)?,
        None => running(args)?,
    };
    let out = Path::new("standard output");
    writeln!(std::io::stdout().lock(), "{}", made.path).map_err(|error| BackupError::io(out, error))?;
    eprintln!("{} entries of {}, root {}, at {}", made.size, made.log_origin, made.root, made.made_at);
    Ok(())
}

/// Asks a running server.
fn running(args: &BackupArgs) -> Result<api::BackupMade, BackupError> {
    let key = match &args.api_key_file {
        Some(path) => secret_file::read(path)?.ok_or_else(|| BackupError::NoSuchKey(path.clone()))?,
        None => std::env::var("COUNTERSIGN_API_KEY").map_err(|_| BackupError::NoKey)?,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServeError::Runtime)?;
    let made: api::BackupMade =
        runtime.block_on(async { Client::new(&args.url)?.with_key(&key).post_slowly("/api/backups").await })?;
    let shown = crate::client::visible;
    Ok(api::BackupMade {
        path: shown(&made.path),
        log_origin: shown(&made.log_origin),
        root: shown(&made.root),
        made_at: shown(&made.made_at),
        ..made
    })
}

/// Copies the database of a stopped server, with its lock held.
fn stopped(data_dir: &Path, args: &BackupArgs) -> Result<api::BackupMade, BackupError> {
    let anchor = args.anchor.clone().unwrap_or_else(|| beside(data_dir, ".anchor"));
    let place = Place::new(data_dir, &anchor)?;
    if anchor::read(place.anchor())?.is_none() {
        return Err(BackupError::NoAnchor { anchor, data_dir: data_dir.to_owned() });
    }
    let locked = match AnchorFolder::open(place.anchor()) {
        Err(AnchorError::Locked(anchor)) => return Err(BackupError::Running { anchor }),
        locked => locked?,
    };
    let Some(anchored) = locked.anchor() else {
        return Err(BackupError::NoAnchor { anchor, data_dir: data_dir.to_owned() });
    };
    let key = log_key(&place)?;
    let store = RocksStore::open_existing(&place.database()).map_err(ServeError::from)?;
    let head = contents::head(&store)?;
    contents::require_anchored(&store, head, anchored.head)?;
    let log_key = key.verifier_key();
    if (anchored.log_origin.as_str(), anchored.key_id) != (log_key.name(), log_key.id()) {
        return Err(BackupError::OtherLog {
            anchor: format!("{} with the key id {:08x}", anchored.log_origin, anchored.key_id),
            other: format!("the log key is that of {} with {:08x}", log_key.name(), log_key.id()),
        });
    }
    // What is anchored was signed, or would be by the next start: signing it again gives the same bytes.
    let checkpoint =
        Checkpoint { log_origin: anchored.log_origin.clone(), size: anchored.head.size, root: anchored.head.root };
    let checkpoint = checkpoint.sign(&key);
    let to = args.to.clone().unwrap_or_else(|| place.backups().to_owned());
    make(&Source { store: &store, log_key: &log_key, checkpoint: &checkpoint }, &to)
}

fn log_key(place: &Place) -> Result<SignerKey, ServeError> {
    let missing = || ServeError::KeyMissing { key: place.log_key(), data: place.database() };
    let text = secret_file::read(&place.log_key())?.ok_or_else(missing)?;
    crate::serve::parse_log_key(place, &text)
}
