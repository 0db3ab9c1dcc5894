//! `countersign restore`: a backup becomes a data directory again, if the anchor accepts it; or its log becomes static
//! files that any web server can serve. docs/backup.md is the runbook.

mod check;
mod tiles;

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use log_server::anchor::{self, Anchor, AnchorError, AnchorFolder};
use log_server::contents;
use log_server::start::StartError;
use store_rocksdb::RocksStore;

use crate::backup::{BackupError, Description};
use crate::serve::{Place, beside, shell_quoted};

/// Restore a backup beside the anchor of its log, or write its log as static files.
#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct RestoreArgs {
    /// The backup's folder, with `db` and `backup.json`.
    backup: PathBuf,
    /// The data directory to make; it must not exist, or be empty.
    #[arg(long, value_name = "DIR", required_unless_present = "tiles", conflicts_with = "tiles")]
    data_dir: Option<PathBuf>,
    /// The anchor folder of this log, as the server left it. Default: the data directory and `.anchor`
    #[arg(long, value_name = "DIR", requires = "data_dir")]
    anchor: Option<PathBuf>,
    /// Write the log of the backup as static C2SP tlog-tiles files into this folder; it must not exist, or be empty.
    #[arg(long, value_name = "DIR")]
    tiles: Option<PathBuf>,
}

const HELP: &str = "\
Everything that is restored is checked first: each file, each entry, each tile. A backup that is behind the anchor is
refused, because the log has signed more since; the way on is a new log, and --tiles keeps the old one readable.

Examples:
  countersign restore 20260102T030405Z-1234 --data-dir countersign-data
  countersign restore 20260102T030405Z-1234 --tiles old-log

Exit codes: 0 restored, 78 refused, 2 a wrong call, 1 anything else.";

pub(crate) fn run(args: &RestoreArgs) -> Result<(), BackupError> {
    let said = Description::read(&args.backup).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => BackupError::damaged(&args.backup, "it has no backup.json"),
        _ => BackupError::io(&args.backup, error),
    })?;
    let said = said.ok_or_else(|| BackupError::damaged(&args.backup, "its backup.json is not as it was written"))?;
    if let Some(tiles) = &args.tiles {
        return export(&args.backup, &said, tiles);
    }
    let Some(data_dir) = &args.data_dir else { unreachable!("the parser requires one of both") };
    let anchor = args.anchor.clone().unwrap_or_else(|| beside(data_dir, ".anchor"));
    restore(&args.backup, &said, &Place::new(data_dir, &anchor)?)
}

/// The backup becomes the database of a data directory.
fn restore(backup: &Path, said: &Description, place: &Place) -> Result<(), BackupError> {
    require_empty(place.data_dir())?;
    let Some(_) = anchor::read(place.anchor())? else { return Err(no_anchor(said, place)) };
    let locked = match AnchorFolder::open(place.anchor()) {
        Err(AnchorError::Locked(anchor)) => return Err(BackupError::RestoreOverRunning(anchor)),
        locked => locked?,
    };
    let Some(anchored) = locked.anchor() else { return Err(no_anchor(said, place)) };
    // What is refused anyway is refused before anything is copied; the copy itself is asked again below.
    require_same_log(said, anchored)?;
    contents::require_not_behind(said.head, anchored.head).map_err(refused)?;

    let mut made = Made::default();
    made.data_dir(place)?;
    let failed = |error| BackupError::io(place.data_dir(), error);
    let private = Permissions::from_mode(0o700);
    let working = tempfile::Builder::new().prefix(".restoring-").permissions(private).tempdir_in(place.data_dir());
    let working = working.map_err(failed)?;
    copy(&backup.join("db"), working.path())?;
    check::files(backup, working.path(), said)?;
    let store = RocksStore::open_copy(working.path()).map_err(|error| BackupError::damaged(backup, error))?;
    let head = check::check_restored(backup, &store, said)?;
    contents::require_anchored(&store, head, anchored.head).map_err(refused)?;
    drop(store);
    fs::rename(working.path(), place.database()).map_err(failed)?;
    _ = working.keep();
    File::open(place.data_dir()).and_then(|folder| folder.sync_all()).map_err(failed)?;
    made.stays();
    say_next(said, place, anchored);
    Ok(())
}

fn export(backup: &Path, said: &Description, folder: &Path) -> Result<(), BackupError> {
    require_empty(folder)?;
    let database = backup.join("db");
    check::files(backup, &database, said)?;
    let store = RocksStore::open_copy(&database).map_err(|error| BackupError::damaged(backup, error))?;
    check::check_restored(backup, &store, said)?;
    let checkpoint = check::checkpoint(backup, said)?;
    tiles::write(&store, &checkpoint, &said.checkpoint, folder)?;
    println!(
        "The log {} with {} entries is in {} as static files.\n\nIts key: {}\n\nNext:\n  serve the folder with any web \
         server; its clients read URL/checkpoint and URL/tile/...",
        said.log_origin(),
        checkpoint.size,
        folder.display(),
        said.log_key
    );
    Ok(())
}

fn require_same_log(said: &Description, anchored: &Anchor) -> Result<(), BackupError> {
    if (anchored.log_origin.as_str(), anchored.key_id) == (said.log_key.name(), said.log_key.id()) {
        return Ok(());
    }
    Err(BackupError::OtherLog {
        anchor: format!("{} with the key id {:08x}", anchored.log_origin, anchored.key_id),
        other: format!("the backup is of {} with {:08x}, and was not restored", said.log_origin(), said.log_key.id()),
    })
}

fn no_anchor(said: &Description, place: &Place) -> BackupError {
    BackupError::Refused(format!(
        "the backup has {} entries, but there is no anchor in {}; bring back the anchor folder, because without it nobody \
         knows whether more was signed",
        said.head.size,
        place.anchor().display()
    ))
}

fn refused(error: StartError) -> BackupError {
    match error {
        StartError::Refused(words) => BackupError::Refused(words),
        other => BackupError::Start(other),
    }
}

fn require_empty(folder: &Path) -> Result<(), BackupError> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(BackupError::io(folder, error)),
        Ok(mut entries) => {
            if entries.next().is_some() {
                Err(BackupError::NotEmpty(folder.to_owned()))
            } else {
                Ok(())
            }
        }
    }
}

/// Copies the files of a folder, durably. Where the file system can, they share their blocks.
fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let entries = fs::read_dir(from).map_err(|error| BackupError::io(from, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| BackupError::io(from, error))?;
        let target = to.join(entry.file_name());
        let copied = fs::copy(entry.path(), &target).and_then(|_| File::open(&target)?.sync_all());
        copied.map_err(|error| BackupError::io(&target, error))?;
    }
    File::open(to).and_then(|folder| folder.sync_all()).map_err(|error| BackupError::io(to, error))
}

/// The directories that a restore made, which go again if it fails.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Made {
    fn data_dir(&mut self, place: &Place) -> Result<(), BackupError> {
        self.0 = place.data_dir().ancestors().take_while(|path| !path.exists()).map(Path::to_owned).collect();
        Ok(place.make_data_dir()?)
    }

    fn stays(mut self) {
        self.0.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for path in &self.0 {
            // One that somebody else has put something into meanwhile stays.
            _ = fs::remove_dir(path);
        }
    }
}

fn say_next(said: &Description, place: &Place, anchored: &Anchor) {
    println!(
        "\
Restored {log}: {size} entries, backed up at {made_at}, into {data}.
The anchor says that {anchored} entries were signed, and the backup holds them.

Next:
  put the log key back, which no backup holds
    install -m 600 KEPT/log.key {key}
  start the server
    countersign serve --data-dir {quoted_data} --anchor {quoted_anchor} --public-url {url}",
        log = said.log_origin(),
        size = said.head.size,
        made_at = said.made_at,
        data = place.data_dir().display(),
        anchored = anchored.head.size,
        key = shell_quoted(&place.log_key()),
        quoted_data = shell_quoted(place.data_dir()),
        quoted_anchor = shell_quoted(place.anchor()),
        url = said.public_url,
    );
}
