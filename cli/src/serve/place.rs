//! Where a server keeps what: the data directory, which only its user can read, and the anchor folder outside it.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use log_server::anchor;

use super::ServeError;

/// The permission bits of everybody but the owner.
const OTHERS: u32 = 0o077;
/// With fewer inodes than this a disk counts as full.
const INODE_RESERVE: u64 = 64;

/// `DATA.anchor` and its like, also for a path that ends in a slash.
pub(crate) fn beside(data_dir: &Path, ending: &str) -> PathBuf {
    let mut name: std::ffi::OsString = data_dir.components().as_path().into();
    name.push(ending);
    name.into()
}

/// The folders of a server.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    data_dir: PathBuf,
    anchor: PathBuf,
    backups: PathBuf,
}

impl Place {
    /// Makes both paths absolute. Nothing is made on disk.
    pub(crate) fn new(data_dir: &Path, anchor: &Path) -> Result<Self, ServeError> {
        let absolute =
            |path: &Path| std::path::absolute(path).map_err(|error| ServeError::Io { path: path.to_owned(), error });
        let backups = absolute(&beside(data_dir, ".backups"))?;
        let place = Self { data_dir: absolute(data_dir)?, anchor: absolute(anchor)?, backups };
        if place.anchor.starts_with(&place.data_dir) {
            return Err(ServeError::AnchorInside(place.anchor));
        }
        Ok(place)
    }

    /// The same with another folder for backups.
    pub(super) fn with_backups(self, backups: &Path) -> Result<Self, ServeError> {
        let absolute = std::path::absolute(backups);
        let backups = absolute.map_err(|error| ServeError::Io { path: backups.to_owned(), error })?;
        Ok(Self { backups, ..self })
    }

    /// The data directory.
    pub(crate) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The anchor folder.
    pub(crate) fn anchor(&self) -> &Path {
        &self.anchor
    }

    /// Where backups are made.
    pub(crate) fn backups(&self) -> &Path {
        &self.backups
    }

    /// The log's private key.
    pub(crate) fn log_key(&self) -> PathBuf {
        self.data_dir.join("log.key")
    }

    /// The API key of the first administrator.
    pub(crate) fn admin_key(&self) -> PathBuf {
        self.data_dir.join("admin.key")
    }

    /// The database.
    pub(crate) fn database(&self) -> PathBuf {
        self.data_dir.join("db")
    }

    /// What was there before this start: the database, or else the anchor. None at a first start, also after one that was
    /// cut short before it made either.
    pub(super) fn earlier_data(&self) -> Result<Option<PathBuf>, ServeError> {
        for path in [self.database(), self.anchor.join(anchor::FILE)] {
            if path.try_exists().map_err(|error| ServeError::Io { path: path.clone(), error })? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Makes the data directory for its user alone. One that is there already is closed if it is empty, such as a fresh
    /// volume; with other files in it, that is for its owner to do.
    pub(crate) fn make_data_dir(&self) -> Result<(), ServeError> {
        let failed = |error: io::Error| ServeError::Io { path: self.data_dir.clone(), error };
        if !self.data_dir.is_dir() {
            if let Some(above) = self.data_dir.parent() {
                fs::create_dir_all(above).map_err(failed)?;
            }
            DirBuilder::new().mode(0o700).create(&self.data_dir).map_err(failed)?;
            return self.data_dir.parent().map_or(Ok(()), |above| {
                // The name must survive a crash too, or the keys in it would not.
                fs::File::open(above).and_then(|above| above.sync_all()).map_err(failed)
            });
        }
        let mode = self.mode()?;
        if mode & OTHERS == 0 {
            return Ok(());
        }
        if fs::read_dir(&self.data_dir).map_err(failed)?.next().is_some() {
            return Err(ServeError::DataDirOpen { path: self.data_dir.clone(), mode });
        }
        fs::set_permissions(&self.data_dir, Permissions::from_mode(0o700)).map_err(failed)
    }

    /// Refuses a data directory that others can look into: salts and payloads are in it.
    pub(super) fn require_private(&self) -> Result<(), ServeError> {
        match self.mode() {
            Ok(mode) if mode & OTHERS != 0 => Err(ServeError::DataDirOpen { path: self.data_dir.clone(), mode }),
            // A data directory that is gone is another refusal's business.
            _ => Ok(()),
        }
    }

    fn mode(&self) -> Result<u32, ServeError> {
        let failed = |error: io::Error| ServeError::Io { path: self.data_dir.clone(), error };
        Ok(fs::metadata(&self.data_dir).map_err(failed)?.permissions().mode() & 0o7777)
    }

    /// How many bytes are free where the data is. Where hardly a file can be made none are, because the database makes one
    /// now and then and the anchor one at every batch.
    pub(super) fn free_disk(&self) -> Option<u64> {
        let disk = rustix::fs::statvfs(&self.data_dir).ok()?;
        // Some file systems have no fixed number of inodes, and say 0.
        if disk.f_files > 0 && disk.f_favail < INODE_RESERVE {
            return Some(0);
        }
        disk.f_bavail.checked_mul(disk.f_frsize)
    }
}
