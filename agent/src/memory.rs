//! What a client remembers between runs: for each log the largest tree head that it verified, and for each server without a
//! pinned trust file what that server said about itself the first time.
//!
//! ```json
//! {"type": "countersign/memory/v1",
//!  "heads": {"<verifier key>": {"size": 7, "root": "<base64url>"}},
//!  "first_use": {"<url>": "<trust file>"}}
//! ```
//!
//! Several processes may share the file: it is replaced as a whole, under a lock beside it, and only by who read what it
//! replaces.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use merkle::{Hash, TreeSize};
use serde::{Deserialize, Serialize};
use verifier::checkpoint::Checkpoint;
use verifier::encoding::{array_from_base64url, base64url};

const TYPE: &str = "countersign/memory/v1";
/// The largest file that is read.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// A tree head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many entries.
    pub size: TreeSize,
    /// The root hash over them.
    pub root: Hash,
}

/// What is remembered, in a file or in this process alone.
#[derive(Debug)]
pub struct Memory {
    path: Option<PathBuf>,
    own: Mutex<Content>,
}

/// Why the memory cannot be used. Who cannot remember cannot notice a log that goes back.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The file cannot be read or replaced.
    #[error("the memory file {path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file is something else.
    #[error("the memory file {path} is not one of ours ({reason}); look at it before you remove it")]
    Content {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(rename = "type")]
    kind: String,
    heads: BTreeMap<String, StoredHead>,
    first_use: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredHead {
    size: u64,
    root: String,
}

impl From<&Checkpoint> for Head {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self { size: checkpoint.size, root: checkpoint.root }
    }
}

impl Memory {
    /// A memory in a file, or in this process alone.
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, own: Mutex::new(Content::empty()) }
    }

    /// The largest verified head of a log.
    pub fn head(&self, log: &str) -> Result<Option<Head>, MemoryError> {
        let content = self.read()?;
        content
            .heads
            .get(log)
            .map(|stored| stored.head().ok_or_else(|| self.damaged("a root that is none")))
            .transpose()
    }

    /// Remembers a head instead of another. Says no if somebody else remembered something meanwhile.
    pub fn replace(&self, log: &str, known: Option<Head>, head: Head) -> Result<bool, MemoryError> {
        self.change(|content| {
            let found = content.heads.get(log).and_then(StoredHead::head);
            if found != known {
                return false;
            }
            let stored = StoredHead { size: head.size.get(), root: base64url(head.root.as_bytes()) };
            content.heads.insert(log.to_owned(), stored);
            true
        })
    }

    /// What a server said about itself the first time.
    pub fn first_trust(&self, url: &str) -> Result<Option<String>, MemoryError> {
        Ok(self.read()?.first_use.get(url).cloned())
    }

    /// Remembers what a server said about itself, unless something is remembered already. Answers what is remembered then.
    pub fn remember_trust(&self, url: &str, trust: &str) -> Result<String, MemoryError> {
        self.change(|content| content.first_use.entry(url.to_owned()).or_insert_with(|| trust.to_owned()).clone())
    }

    fn read(&self) -> Result<Content, MemoryError> {
        match &self.path {
            None => Ok(self.own.lock().unwrap_or_else(PoisonError::into_inner).clone()),
            Some(path) => self.read_file(path),
        }
    }

    fn read_file(&self, path: &Path) -> Result<Content, MemoryError> {
        use io::Read as _;
        let mut text = String::new();
        let reading = File::open(path).and_then(|file| file.take(MAX_FILE).read_to_string(&mut text));
        match reading {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::empty()),
            Err(error) => return Err(self.failed(error)),
        }
        let content: Content = serde_json::from_str(&text).map_err(|error| self.damaged(&error.to_string()))?;
        if content.kind == TYPE { Ok(content) } else { Err(self.damaged("another type")) }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Content) -> T) -> Result<T, MemoryError> {
        let Some(path) = &self.path else {
            return Ok(change(&mut self.own.lock().unwrap_or_else(PoisonError::into_inner)));
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let failed = |error| self.failed(error);
        fs::create_dir_all(folder).map_err(failed)?;
        let lock = File::create(path.with_extension("lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let before = self.read_file(path)?;
        let mut content = before.clone();
        let answer = change(&mut content);
        if content != before {
            replace_file(folder, path, &content).map_err(failed)?;
        }
        Ok(answer)
    }

    fn failed(&self, error: io::Error) -> MemoryError {
        MemoryError::File { path: self.path.clone().unwrap_or_default(), error }
    }

    fn damaged(&self, reason: &str) -> MemoryError {
        MemoryError::Content { path: self.path.clone().unwrap_or_default(), reason: reason.to_owned() }
    }
}

impl Content {
    fn empty() -> Self {
        Self { kind: TYPE.to_owned(), heads: BTreeMap::new(), first_use: BTreeMap::new() }
    }
}

impl StoredHead {
    fn head(&self) -> Option<Head> {
        let root = array_from_base64url(&self.root).ok()?;
        Some(Head { size: TreeSize::new(self.size), root: Hash::from_bytes(root) })
    }
}

/// A crash leaves the old file or the new one.
fn replace_file(folder: &Path, path: &Path, content: &Content) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer_pretty(&mut file, content)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Where the memory is unless somebody says otherwise: `$XDG_STATE_HOME/countersign/memory.json`, or below `~/.local/state`,
/// or on Windows below `%LOCALAPPDATA%`.
pub fn default_path(environment: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let state = environment("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || environment("HOME").map(|home| PathBuf::from(home).join(".local").join("state"));
    let windows = || environment("LOCALAPPDATA").map(PathBuf::from);
    Some(state.or_else(home).or_else(windows)?.join("countersign").join("memory.json"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn head(size: u64) -> Head {
        Head { size: TreeSize::new(size), root: merkle::leaf_hash(&size.to_be_bytes()) }
    }

    #[test]
    fn a_head_is_replaced_only_by_who_knows_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("memory.json");
        for path in [None, Some(path)] {
            let memory = Memory::new(path.clone());
            assert_eq!(memory.head("log").unwrap(), None);
            assert!(memory.replace("log", None, head(5)).unwrap());
            assert!(!memory.replace("log", None, head(3)).unwrap());
            assert!(memory.replace("log", Some(head(5)), head(8)).unwrap());
            assert_eq!(memory.head("log").unwrap(), Some(head(8)));
            assert_eq!(memory.head("other").unwrap(), None);
            if path.is_some() {
                assert_eq!(Memory::new(path).head("log").unwrap(), Some(head(8)));
            }
        }
    }

    #[test]
    fn the_first_trust_stays() {
        let memory = Memory::new(None);
        assert_eq!(memory.first_trust("a").unwrap(), None);
        assert_eq!(memory.remember_trust("a", "one").unwrap(), "one");
        assert_eq!(memory.remember_trust("a", "two").unwrap(), "one");
        assert_eq!(memory.first_trust("a").unwrap(), Some("one".to_owned()));
    }

    #[test]
    fn a_file_of_something_else_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory.json");
        for text in ["", "{}", "{\"type\":\"x\",\"heads\":{},\"first_use\":{}}", "\u{0}"] {
            fs::write(&path, text).unwrap();
            let memory = Memory::new(Some(path.clone()));
            assert!(matches!(memory.head("log"), Err(MemoryError::Content { .. })), "{text:?}");
            assert!(memory.replace("log", None, head(1)).is_err());
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn where_it_is() {
        let at = |name: &'static str, value: &'static str| {
            default_path(move |asked| (asked == name).then(|| value.to_owned()))
        };
        assert_eq!(at("XDG_STATE_HOME", "/state").unwrap(), Path::new("/state/countersign/memory.json"));
        assert_eq!(at("HOME", "/home/a").unwrap(), Path::new("/home/a/.local/state/countersign/memory.json"));
        assert_eq!(at("XDG_STATE_HOME", "relative"), None);
    }
}
