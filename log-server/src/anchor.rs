//! The anchor: the last tree head that may have been signed, in a folder of its own outside the data directory.
//!
//! It is what tells a restored, copied or foreign data directory from the one that this log's last signature was made for.
//! The folder also holds the lock: a file that is never replaced, held for the life of the process, so that two servers on
//! two copies of the data cannot both sign.
//!
//! The file is two slots of a page each, and each slot a line of JSON:
//!
//! ```json
//! {"check":"<base64url>","key_id":"530d903a","log_origin":"example.com/log","root":"<base64url>","size":"7","turn":"12","type":"countersign/anchor/v2"}
//! ```
//!
//! An anchor is written over the older of the two, in place, so one sync of its bytes makes it durable: a new file under the old
//! name would take one of the file, one of the folder, and the file system's journal for both. What a loss of power tears is the slot that
//! was being written, whose head nobody has a signature of; the other one still says the head before, and a start that finds the
//! store ahead of that goes on from there. `check` (of the SHA-256 of the line without it, eight bytes) tells a torn line from a whole one,
//! and the higher `turn` is the newer. The two lie in pages of their own, because a disk may write no less than that.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use merkle::{Hash, TreeSize};
use sha2::{Digest as _, Sha256};
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
    last: Option<Slot>,
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

/// The name of the file in the folder.
pub const FILE: &str = "anchor.jsonl";

const TYPE: &str = "countersign/anchor/v2";

/// How long a slot is, in bytes.
const SLOT: usize = 4096;
/// How many bytes of the hash a line carries: enough against a torn write, and nobody who can write the file needs to forge it.
const CHECK: usize = 8;

/// An anchor with its turn: how many were written before it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slot {
    turn: u64,
    anchor: Anchor,
}

/// The two slots of a file; none where a slot is empty or torn.
struct Slots([Option<Slot>; 2]);

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
        folder.last = Slots::read(&file(path))?.and_then(|slots| slots.newest().cloned());
        Ok(folder)
    }

    /// What the anchor says; none before the first start.
    pub fn anchor(&self) -> Option<&Anchor> {
        self.last.as_ref().map(|slot| &slot.anchor)
    }

    /// Replaces the anchor, durably. Before that it is read again: anything but what this process last saw stops it.
    pub fn replace(&mut self, next: Anchor) -> Result<(), AnchorError> {
        let path = file(&self.path);
        let slots = Slots::read(&path)?;
        let found = slots.as_ref().and_then(Slots::newest);
        if found != self.last.as_ref() {
            let words = |slot: Option<&Slot>| slot.map_or("nothing".to_owned(), Slot::to_line);
            let (found, written) = (words(found), words(self.last.as_ref()));
            return Err(AnchorError::Changed { path, found, written });
        }
        let next = Slot { turn: self.last.as_ref().map_or(1, |last| last.turn + 1), anchor: next };
        let written = match slots {
            Some(slots) => overwrite(&path, slots.older(), &next.to_bytes()),
            None => replace_file(&path, &[next.to_bytes(), [b' '; SLOT]].concat()),
        };
        written.map_err(|error| AnchorError::Io { path, error })?;
        self.last = Some(next);
        Ok(())
    }
}

/// What the anchor in a folder says, without the lock: for those who only look.
pub fn read(folder: &Path) -> Result<Option<Anchor>, AnchorError> {
    let slots = Slots::read(&file(folder))?;
    Ok(slots.and_then(|slots| slots.newest().map(|slot| slot.anchor.clone())))
}

fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Writes a slot and waits until it is on the disk. The file keeps its size, so nothing but its bytes has to get there.
fn overwrite(path: &Path, slot: usize, bytes: &[u8; SLOT]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.seek(SeekFrom::Start((slot * SLOT) as u64))?;
    file.write_all(bytes)?;
    file.sync_data()
}

impl Slots {
    /// Both slots of a file; none if there is no file. One of them at least must hold an anchor.
    fn read(path: &Path) -> Result<Option<Self>, AnchorError> {
        let io = |error| AnchorError::Io { path: path.to_owned(), error };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        let mut bytes = Vec::with_capacity(2 * SLOT + 1);
        file.take(2 * SLOT as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
        let slots = Self::parse(&bytes).filter(|slots| slots.newest().is_some());
        slots.map(Some).ok_or_else(|| AnchorError::Damaged(path.to_owned()))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (slots, []) = bytes.as_chunks::<SLOT>() else { return None };
        let [first, second] = slots else { return None };
        Some(Self([Slot::parse(first), Slot::parse(second)]))
    }

    fn newest(&self) -> Option<&Slot> {
        self.0.iter().flatten().max_by_key(|slot| slot.turn)
    }

    /// The number of the slot that the next anchor is written over.
    fn older(&self) -> usize {
        match &self.0 {
            [Some(first), Some(second)] => usize::from(second.turn < first.turn),
            [Some(_), None] => 1,
            [None, _] => 0,
        }
    }
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
fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_parent(path)
}

impl Slot {
    fn to_bytes(&self) -> [u8; SLOT] {
        let line = self.to_line() + "\n";
        assert!(line.len() <= SLOT, "a log origin has at most 255 bytes");
        let mut bytes = [b' '; SLOT];
        bytes[..line.len()].copy_from_slice(line.as_bytes());
        bytes
    }

    fn to_line(&self) -> String {
        let Anchor { log_origin, key_id, head } = &self.anchor;
        let fields = [
            ("key_id", format!("{key_id:08x}").into()),
            ("log_origin", log_origin.as_str().into()),
            ("root", encoding::base64url(head.root.as_bytes()).into()),
            ("size", head.size.to_string().into()),
            ("turn", self.turn.to_string().into()),
            ("type", TYPE.into()),
        ];
        let unchecked = Value::from(Object::new(fields.clone())).to_canonical();
        let check = encoding::base64url(&Sha256::digest(unchecked)[..CHECK]);
        Value::from(Object::new([("check", check.into())].into_iter().chain(fields))).to_canonical()
    }

    fn parse(bytes: &[u8; SLOT]) -> Option<Self> {
        let line = bytes.split(|byte| *byte == b'\n').next()?;
        let limits = Limits { max_bytes: SLOT, max_depth: 1, numbers: Numbers::Exact };
        let value = json::parse(line, limits).ok()?;
        let text = |field: &str| value.as_object()?.get(field)?.as_str();
        let head = TreeHead {
            size: TreeSize::new(text("size")?.parse().ok()?),
            root: Hash::from_bytes(encoding::array_from_base64url(text("root")?).ok()?),
        };
        let key_id = u32::from_str_radix(text("key_id")?, 16).ok()?;
        let slot = Self {
            turn: text("turn")?.parse().ok()?,
            anchor: Anchor { log_origin: text("log_origin")?.to_owned(), key_id, head },
        };
        // One form only, so the check is compared too: a torn or an edited slot is not ours.
        (slot.to_bytes() == *bytes).then_some(slot)
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

    fn bytes(folder: &Path) -> Vec<u8> {
        fs::read(folder.join(FILE)).unwrap()
    }

    /// A folder where so many anchors were written, one after the other.
    fn folder_after(turns: u64) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut ours = AnchorFolder::open(folder.path()).unwrap();
        (1..=turns).for_each(|size| ours.replace(anchor(size)).unwrap());
        folder
    }

    #[test]
    fn what_was_written_is_read_by_the_next_process() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = AnchorFolder::open(folder.path()).unwrap();
        assert_eq!(first.anchor(), None);
        for size in 1..6 {
            first.replace(anchor(size)).unwrap();
            assert_eq!(read(folder.path()).unwrap(), Some(anchor(size)));
            assert_eq!(bytes(folder.path()).len(), 2 * SLOT);
        }
        assert!(matches!(AnchorFolder::open(folder.path()), Err(AnchorError::Locked(_))));
        drop(first);
        let mut second = AnchorFolder::open(folder.path()).unwrap();
        assert_eq!(second.anchor(), Some(&anchor(5)));
        second.replace(anchor(6)).unwrap();
        assert_eq!(read(folder.path()).unwrap(), Some(anchor(6)));
    }

    #[test]
    fn a_change_by_somebody_else_stops_it() {
        let foreign = bytes(folder_after(5).path());
        let folder = tempfile::tempdir().unwrap();
        let mut ours = AnchorFolder::open(folder.path()).unwrap();
        ours.replace(anchor(1)).unwrap();
        fs::write(folder.path().join(FILE), foreign).unwrap();
        assert!(matches!(ours.replace(anchor(2)), Err(AnchorError::Changed { .. })));
        fs::remove_file(folder.path().join(FILE)).unwrap();
        assert!(matches!(ours.replace(anchor(2)), Err(AnchorError::Changed { .. })));
    }

    /// However much of a slot got to the disk, the file says the anchor before or the new one, and is written on.
    #[test]
    fn a_torn_slot_leaves_the_anchor_before() {
        let (before, after) = (bytes(folder_after(4).path()), bytes(folder_after(5).path()));
        for at in (0..300).step_by(9).chain((0..=SLOT).step_by(512)) {
            let torn = [&after[..at], &before[at..]].concat();
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join(FILE), &torn).unwrap();
            let mut ours = AnchorFolder::open(folder.path()).unwrap();
            assert_eq!(ours.anchor(), Some(&anchor(if torn == after { 5 } else { 4 })), "torn at {at}");
            ours.replace(anchor(6)).unwrap();
            assert_eq!(read(folder.path()).unwrap(), Some(anchor(6)), "torn at {at}");
        }
    }

    #[test]
    fn every_changed_byte_of_a_slot_makes_it_nobody_s() {
        let whole = Slot { turn: 12, anchor: anchor(3) }.to_bytes();
        assert_eq!(Slot::parse(&whole).unwrap().anchor, anchor(3));
        for i in 0..SLOT {
            let mut changed = whole;
            changed[i] ^= 1;
            assert_eq!(Slot::parse(&changed), None, "byte {i}");
        }
    }

    #[test]
    fn a_file_without_a_whole_slot_or_of_another_length_is_damaged() {
        let folder = folder_after(1);
        let whole = bytes(folder.path());
        let torn = [b"#", &whole[1..]].concat();
        let longer = [whole.as_slice(), b" "].concat();
        for damaged in [&[], &whole[..1], &whole[..SLOT], &whole[..2 * SLOT - 1], &torn, &longer] {
            fs::write(folder.path().join(FILE), damaged).unwrap();
            let read = read(folder.path());
            assert!(matches!(read, Err(AnchorError::Damaged(_))), "{} bytes: {read:?}", damaged.len());
        }
    }
}
