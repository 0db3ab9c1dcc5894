//! A log as static files after C2SP tlog-tiles: `checkpoint`, `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use log_server::contents;
use log_server::store::Store;
use merkle::{TreeSize, tiles_changed};
use verifier::checkpoint::Checkpoint;

use crate::backup::BackupError;

/// Writes the log at a checkpoint's size, partial tiles included. What cannot be finished is taken away again.
pub(super) fn write(store: &dyn Store, at: &Checkpoint, note: &str, folder: &Path) -> Result<(), BackupError> {
    let existed = folder.is_dir();
    let written = write_all(store, at, note, folder);
    if written.is_err() {
        // It was empty or absent before.
        _ = fs::remove_file(folder.join("checkpoint"));
        _ = fs::remove_dir_all(folder.join("tile"));
        if !existed {
            _ = fs::remove_dir(folder);
        }
    }
    written
}

fn write_all(store: &dyn Store, at: &Checkpoint, note: &str, folder: &Path) -> Result<(), BackupError> {
    fs::create_dir_all(folder).map_err(|error| BackupError::io(folder, error))?;
    let tiles = folder.join("tile");
    for tile in tiles_changed(TreeSize::ZERO, at.size) {
        put(&tiles.join(tile.path()), &contents::tile(store, tile)?)?;
        if tile.level == 0 {
            put(&tiles.join(tile.entries_path()), &contents::entry_bundle(store, tile)?)?;
        }
    }
    // One call for thousands of files. The checkpoint comes last: where it is, everything is.
    rustix::fs::sync();
    let checkpoint = folder.join("checkpoint");
    put(&checkpoint, note.as_bytes())?;
    let synced = File::open(&checkpoint).and_then(|file| file.sync_all()).and_then(|()| File::open(folder)?.sync_all());
    synced.map_err(|error| BackupError::io(&checkpoint, error))
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), BackupError> {
    let written = || -> io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        File::create_new(path)?.write_all(bytes)
    };
    written().map_err(|error| BackupError::Io { path: PathBuf::from(path), error })
}
