//! The anchor: the last tree head that may have been signed, in a folder of its own outside the data directory.
//!
//! It is what tells a restored, copied or foreign data directory from the one that this log's last signature was made for.
//! The folder also holds the lock: a file that is never replaced, held for the life of the process, so that two servers on
//! two copies of the data cannot both sign.
//!
//! ```json
//! {"key_id":"530d903a","log_origin":"example.com/log","root":"<base64url>","size":"7","type":"countersign/anchor/v1"}
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use merkle::{Hash, TreeSize};
use verifier::encoding;
use verifier::json::{self, Limits, Numbers, Object, Value};

use crate::tree::TreeHead;

/// What the anchor file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The log's name.
    pub log_origin: String,
    /// The id of the log's key.
    pub key_id: u32,
    /// The last head that may have been signed.
    pub head: TreeHead,
}

/// The locked anchor folder.
#[derive(Debug)]
pub struct AnchorFolder {
    path: PathBuf,
    /// Held open for the whole life: closing it would drop the lock.
    _lock: File,
    /// What this process last read or wrote.
    last: Option<Anchor>,
}

/// Why the anchor folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    /// Another server holds the lock.
    #[error("another server is running with the anchor folder {0}; stop it first")]
    Locked(PathBuf),
    /// The file is there and is not an anchor.
    #[error("{0} is not an anchor file; restore it from where it was kept, or start a new log")]
    Damaged(PathBuf),
    /// Somebody else wrote the file.
    #[error("{path} was changed by somebody else: it says {found}, this server wrote {written}")]
    Changed {
        /// The file.
        path: PathBuf,
        /// What it says now.
        found: String,
        /// What this server wrote last.
        written: String,
    },
    /// The file system failed.
    #[error("the anchor folder {path}: {error}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

const TYPE: &str = "countersign/anchor/v1";

impl AnchorFolder {
    /// Makes the folder if it is not there, takes the lock and reads the anchor.
    pub fn open(path: &Path) -> Result<Self, AnchorError> {
        let io = |error| AnchorError::Io { path: path.to_owned(), error };
        make_folder(path).map_err(io)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path.join("lock")).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(AnchorError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        let mut folder = Self { path: path.to_owned(), _lock: lock, last: None };
        folder.last = folder.read()?;
        Ok(folder)
    }

    /// What the anchor says; none before the first start.
    pub fn anchor(&self) -> Option<&Anchor> {
        self.last.as_ref()
    }

    /// Replaces the anchor, durably. Before that it is read again: anything but what this process last saw stops it.
    pub fn replace(&mut self, next: Anchor) -> Result<(), AnchorError> {
        let found = self.read()?;
        if found != self.last {
            let words = |anchor: &Option<Anchor>| anchor.as_ref().map_or("nothing".to_owned(), Anchor::to_text);
            let (found, written) = (words(&found), words(&self.last));
            return Err(AnchorError::Changed { path: self.file(), found, written });
        }
        let io = |error| AnchorError::Io { path: self.path.clone(), error };
        replace_file(&self.file(), next.to_text().as_bytes()).map_err(io)?;
        self.last = Some(next);
        Ok(())
    }

    fn read(&self) -> Result<Option<Anchor>, AnchorError> {
        read(&self.path)
    }

    fn file(&self) -> PathBuf {
        file(&self.path)
    }
}

/// What the anchor in a folder says, without the lock: for those who only look.
pub fn read(folder: &Path) -> Result<Option<Anchor>, AnchorError> {
    let file = file(folder);
    match fs::read(&file) {
        Ok(bytes) => Anchor::parse(&bytes).map(Some).ok_or(AnchorError::Damaged(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(AnchorError::Io { path: file, error }),
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("anchor.json")
}

/// Makes a folder whose name survives a loss of power: otherwise a store could be left whose anchor is gone.
fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path)?;
    sync_parent(path)
}

fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

/// Writes a file so that after a crash it holds the old or the new bytes and nothing else.
///
/// The temporary file is synced before it takes the name, and the folder after it, because a rename without either may be
/// undone or become an empty file by a loss of power.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_parent(path)
}

impl Anchor {
    fn to_text(&self) -> String {
        let object = Object::new([
            ("key_id", format!("{:08x}", self.key_id).into()),
            ("log_origin", self.log_origin.as_str().into()),
            ("root", encoding::base64url(self.head.root.as_bytes()).into()),
            ("size", self.head.size.to_string().into()),
            ("type", TYPE.into()),
        ]);
        Value::from(object).to_canonical() + "\n"
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let limits = Limits { max_bytes: 4096, max_depth: 1, numbers: Numbers::Exact };
        let value = json::parse(bytes, limits).ok()?;
        let text = |field: &str| value.as_object()?.get(field)?.as_str();
        let anchor = Self {
            log_origin: text("log_origin")?.to_owned(),
            key_id: u32::from_str_radix(text("key_id")?, 16).ok()?,
            head: TreeHead {
                size: TreeSize::new(text("size")?.parse().ok()?),
                root: Hash::from_bytes(encoding::array_from_base64url(text("root")?).ok()?),
            },
        };
        // One form only: an edited file is not ours.
        (anchor.to_text().as_bytes() == bytes).then_some(anchor)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn anchor(size: u64) -> Anchor {
        let root = merkle::leaf_hash(&size.to_be_bytes());
        Anchor { log_origin: "a/log".into(), key_id: 7, head: TreeHead { size: TreeSize::new(size), root } }
    }

    #[test]
    fn what_was_written_is_read_by_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = AnchorFolder::open(folder.path()).unwrap();
        assert_eq!(first.anchor(), None);
        first.replace(anchor(1)).unwrap();
        first.replace(anchor(2)).unwrap();
        assert!(matches!(AnchorFolder::open(folder.path()), Err(AnchorError::Locked(_))));
        drop(first);
        assert_eq!(AnchorFolder::open(folder.path()).unwrap().anchor(), Some(&anchor(2)));
    }

    #[test]
    fn a_change_by_somebody_else_stops_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut ours = AnchorFolder::open(folder.path()).unwrap();
        ours.replace(anchor(1)).unwrap();
        fs::write(folder.path().join("anchor.json"), anchor(5).to_text()).unwrap();
        assert!(matches!(ours.replace(anchor(2)), Err(AnchorError::Changed { .. })));
        fs::remove_file(folder.path().join("anchor.json")).unwrap();
        assert!(matches!(ours.replace(anchor(2)), Err(AnchorError::Changed { .. })));
    }

    #[test]
    fn every_changed_byte_is_refused_or_another_anchor() {
        let text = anchor(3).to_text();
        for i in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[i] ^= 1;
            assert_ne!(Anchor::parse(&bytes), Some(anchor(3)), "byte {i}");
        }
    }
}
