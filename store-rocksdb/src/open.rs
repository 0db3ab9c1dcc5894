//! Opening a store, and the two ways to fail that ask for different deeds: another process has it, or it is unreadable.

use std::error::Error;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rocksdb::DB;

use crate::{RocksStore, families, settings};

/// The file by which RocksDB knows a directory as a database.
const CURRENT: &str = "CURRENT";

/// Why a store could not be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenError {
    /// The directory is held by another process, or a second time by this one.
    Locked {
        /// The directory of the store.
        path: PathBuf,
        /// What RocksDB said.
        words: String,
    },
    /// There is no store, and none was to be made.
    Missing {
        /// The directory of the store.
        path: PathBuf,
    },
    /// There is no room on the disk to open it: what is needed may come with the next try.
    DiskFull {
        /// The directory of the store.
        path: PathBuf,
        /// What RocksDB or the operating system said.
        words: String,
    },
    /// The file system takes no writes: the kernel makes it so after an error of the disk, or it was mounted so.
    ReadOnly {
        /// The directory of the store.
        path: PathBuf,
        /// What RocksDB or the operating system said.
        words: String,
    },
    /// The files are damaged, cannot be read or written, or are not a store.
    Unreadable {
        /// The directory of the store.
        path: PathBuf,
        /// What RocksDB or the operating system said.
        words: String,
    },
}

impl RocksStore {
    /// Opens the store in a directory, and makes the directory and an empty store if there is none.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let of_system = |error: io::Error| OpenError::unreadable(path, error.to_string());
        create_durably(path).map_err(of_system)?;
        // Without CURRENT RocksDB refuses too, but only after it has written a new one that names an empty store: the
        // next start would succeed and lose the data.
        if !is_store(path).map_err(of_system)? && holds_data(path).map_err(of_system)? {
            return Err(OpenError::unreadable(
                path,
                format!("there are data files, but the file {CURRENT} is missing"),
            ));
        }
        Self::open_with(path, true)
    }

    /// Opens the store in a directory, and leaves the disk as it is if there is none.
    pub fn open_existing(path: &Path) -> Result<Self, OpenError> {
        // RocksDB would make the directory and a few files in it before it refuses.
        match is_store(path) {
            Ok(true) => Self::open_with(path, false),
            Ok(false) => Err(OpenError::Missing { path: path.to_owned() }),
            Err(error) => Err(OpenError::unreadable(path, error.to_string())),
        }
    }

    fn open_with(path: &Path, create_if_missing: bool) -> Result<Self, OpenError> {
        let opened = DB::open_cf_descriptors(&settings::database(create_if_missing), path, families::all());
        let db = opened.map_err(|error| OpenError::of_rocksdb(path, error.into_string()))?;
        Ok(Self { db, reads: settings::reads(), writes: settings::writes() })
    }
}

impl OpenError {
    /// RocksDB gives both kinds as "IO error", so only its words tell a lock from everything else.
    pub(crate) fn of_rocksdb(path: &Path, words: String) -> Self {
        let held_here = words.starts_with("IO error: lock hold by current process");
        // The same sentence with another ending is a file system that cannot lock. POSIX leaves open which of the two
        // endings a conflict has.
        let held_elsewhere = words.starts_with("IO error: While lock file: ")
            && (words.ends_with("Resource temporarily unavailable") || words.ends_with("Permission denied"));
        if held_here || held_elsewhere {
            return Self::Locked { path: path.to_owned(), words };
        }
        Self::unreadable(path, words)
    }

    /// Words of the operating system, which RocksDB hands on.
    pub(crate) fn unreadable(path: &Path, words: String) -> Self {
        if words.contains("No space left on device") {
            return Self::DiskFull { path: path.to_owned(), words };
        }
        if words.contains("Read-only file system") {
            return Self::ReadOnly { path: path.to_owned(), words };
        }
        Self::Unreadable { path: path.to_owned(), words }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { path, words } => write!(
                f,
                "the store in {} is open already ({words}); stop the process that holds it, or use another directory",
                path.display()
            ),
            Self::Missing { path } => write!(
                f,
                "there is no store in {}; check the path, or start the server there once to make one",
                path.display()
            ),
            Self::DiskFull { path, words } => write!(
                f,
                "the store in {} cannot be opened for want of room ({words}); free some space and start again, nothing is \
                 lost",
                path.display()
            ),
            Self::ReadOnly { path, words } => write!(
                f,
                "the store in {} cannot be opened because its file system is read-only ({words}); see in the kernel's log \
                 whether the disk failed, check the file system, mount it writable and start again",
                path.display()
            ),
            Self::Unreadable { path, words } => write!(
                f,
                "the store in {} is damaged or unreadable ({words}); check that this user may read and write it; if \
                 so, leave it untouched, copy it before any repair, and restore a backup",
                path.display()
            ),
        }
    }
}

impl Error for OpenError {}

/// Whether RocksDB knows the directory as a database.
pub(crate) fn is_store(path: &Path) -> io::Result<bool> {
    path.join(CURRENT).try_exists()
}

/// Whether there are tables or write-ahead logs: a number with an ending. A first start that was killed before it wrote
/// CURRENT leaves neither.
fn holds_data(path: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(path)? {
        let name = PathBuf::from(entry?.file_name());
        let is_data = name.extension().is_some_and(|ending| ending == "sst" || ending == "log");
        let is_numbered = name.file_stem().is_some_and(|stem| stem.as_encoded_bytes().iter().all(u8::is_ascii_digit));
        if is_data && is_numbered {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Makes a directory and those above it so that they survive a loss of power: RocksDB syncs what is inside its
/// directory, but not the names that lead to it.
fn create_durably(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    create_durably(above)?;
    fs::create_dir(path)?;
    File::open(above)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::OpenError;
    use std::path::Path;

    fn is_locked(words: &str) -> bool {
        matches!(OpenError::of_rocksdb(Path::new("d"), words.to_owned()), OpenError::Locked { .. })
    }

    /// A supervisor tries again after the one and not after the other.
    #[test]
    fn a_full_disk_and_one_that_takes_no_writes_are_told_from_damage() {
        let of = |words: &str| OpenError::of_rocksdb(Path::new("d"), words.to_owned());
        let full =
            of("IO error: No space left on device: While appending to file: d/000008.sst: No space left on device");
        assert!(matches!(full, OpenError::DiskFull { .. }));
        let read_only = of("IO error: While open a file for appending: d/000012.log: Read-only file system");
        assert!(matches!(read_only, OpenError::ReadOnly { .. }));
        assert!(matches!(of("Corruption: checksum mismatch"), OpenError::Unreadable { .. }));
    }

    #[test]
    fn only_a_conflict_over_the_lock_is_called_locked() {
        assert!(is_locked("IO error: While lock file: d/LOCK: Resource temporarily unavailable"));
        assert!(is_locked("IO error: While lock file: d/LOCK: Permission denied"));
        assert!(is_locked(
            "IO error: lock hold by current process, acquire time 1 acquiring thread 2: d/LOCK: \
                           No locks available"
        ));
        assert!(!is_locked("IO error: While lock file: d/LOCK: No locks available"));
        assert!(!is_locked("IO error: while open a file for lock: d/LOCK: Permission denied"));
        assert!(!is_locked("Corruption: While lock file: Resource temporarily unavailable"));
    }
}
