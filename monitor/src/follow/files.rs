//! A monitor's state as files.
//!
//! ```text
//! STATE            JSON, replaced whole: the last checkpoint, how far the entries are done, where the facts end
//! STATE.facts      what those entries say, appended only; what stands behind the recorded end is of a run that was killed
//! STATE.evidence/  two checkpoints that contradict each other; while it is there the monitor does nothing
//! STATE.lock       held while a monitor runs
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use merkle::{CompactRange, Hash, TreeSize};
use serde::{Deserialize, Serialize};
use verifier::checkpoint::Checkpoint;
use verifier::encoding::{array_from_base64, base64};
use verifier::note::Note;

use super::evidence::Evidence;
use super::keep::{FactsMark, KeepError, Keeper, Kept};
use super::report::Report;
use crate::signed::SignedHead;

const TYPE: &str = "countersign/monitor-state/v1";

/// The largest state file: a checkpoint, 64 hashes and the rest.
const MAX_STATE: u64 = 64 * 1024;

/// A state file and what stands beside it, locked until dropped.
#[derive(Debug)]
pub struct StateFiles {
    state: PathBuf,
    /// Held until this is dropped, or the process ends however it may.
    _lock: File,
}

/// The JSON of a state file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "type")]
    kind: String,
    log: String,
    checkpoint: String,
    cursor: u64,
    range: Vec<String>,
    facts_length: u64,
    facts_digest: String,
}

impl StateFiles {
    /// Locks the state with this name, whether or not it is there yet. Its folder must be.
    pub fn open(state: &Path) -> Result<Self, KeepError> {
        let path = beside(state, "lock");
        let failed = |error| io_error(&path, error);
        let lock = OpenOptions::new().create(true).write(true).truncate(false).open(&path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { state: state.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(KeepError::Locked(path.display().to_string())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    fn facts_path(&self) -> PathBuf {
        beside(&self.state, "facts")
    }

    fn evidence_path(&self) -> PathBuf {
        beside(&self.state, "evidence")
    }

    fn damaged(&self, reason: &impl ToString) -> KeepError {
        KeepError::Damaged { path: self.state.display().to_string(), reason: reason.to_string() }
    }

    fn parse(&self, bytes: &[u8]) -> Result<Kept, KeepError> {
        #[derive(Deserialize)]
        struct Typed {
            #[serde(rename = "type")]
            kind: String,
        }
        let typed: Typed = serde_json::from_slice(bytes).map_err(|error| self.damaged(&error))?;
        if typed.kind != TYPE {
            return Err(KeepError::Version { path: self.state.display().to_string(), given: typed.kind });
        }
        let written: Written = serde_json::from_slice(bytes).map_err(|error| self.damaged(&error))?;
        let note = Note::parse(written.checkpoint.as_bytes()).map_err(|error| self.damaged(&error))?;
        let checkpoint = Checkpoint::from_text(note.text()).map_err(|error| self.damaged(&error))?;
        let hash = |text: &String| array_from_base64(text).map(Hash::from_bytes);
        let hashes = written.range.iter().map(hash).collect::<Result<_, _>>().map_err(|error| self.damaged(&error))?;
        let range = CompactRange::from_hashes(TreeSize::new(written.cursor), hashes);
        let range = range.map_err(|error| self.damaged(&error))?;
        if checkpoint.log_origin != written.log || range.size() > checkpoint.size {
            return Err(self.damaged(&"its members contradict each other"));
        }
        if range.size() == checkpoint.size && range.root() != checkpoint.root {
            return Err(self.damaged(&"its range is not of its checkpoint's tree"));
        }
        let digest = array_from_base64(&written.facts_digest).map_err(|error| self.damaged(&error))?;
        Ok(Kept {
            head: SignedHead { checkpoint, note: written.checkpoint },
            range,
            facts: FactsMark { length: written.facts_length, digest },
        })
    }

    /// The facts up to the recorded end. What stands behind it was never part of a state.
    fn read_facts(&self, length: u64) -> Result<Vec<u8>, KeepError> {
        let path = self.facts_path();
        let mut bytes = Vec::new();
        match File::open(&path) {
            Ok(file) => _ = file.take(length).read_to_end(&mut bytes).map_err(|error| io_error(&path, error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error(&path, error)),
        }
        if bytes.len() as u64 == length {
            return Ok(bytes);
        }
        let reason = format!("{} bytes where the state says {length}", bytes.len());
        Err(KeepError::Damaged { path: path.display().to_string(), reason })
    }

    fn append_facts(&self, at: u64, facts: &[u8]) -> Result<(), KeepError> {
        let path = self.facts_path();
        let append = || {
            let mut file = OpenOptions::new().create(true).write(true).truncate(false).open(&path)?;
            file.set_len(at)?;
            file.seek(SeekFrom::Start(at))?;
            file.write_all(facts)?;
            file.sync_all()
        };
        append().map_err(|error| io_error(&path, error))
    }
}

impl Keeper for StateFiles {
    fn load(&mut self) -> Result<Option<(Kept, Vec<u8>)>, KeepError> {
        let mut bytes = Vec::new();
        match File::open(&self.state) {
            Ok(file) => {
                file.take(MAX_STATE + 1).read_to_end(&mut bytes).map_err(|error| io_error(&self.state, error))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return match self.facts_path().try_exists() {
                    Ok(false) => Ok(None),
                    Ok(true) => Err(KeepError::Half {
                        state: self.state.display().to_string(),
                        facts: self.facts_path().display().to_string(),
                    }),
                    Err(error) => Err(io_error(&self.facts_path(), error)),
                };
            }
            Err(error) => return Err(io_error(&self.state, error)),
        }
        if bytes.len() as u64 > MAX_STATE {
            return Err(self.damaged(&format!("more than {MAX_STATE} bytes")));
        }
        let kept = self.parse(&bytes)?;
        let facts = self.read_facts(kept.facts.length)?;
        Ok(Some((kept, facts)))
    }

    /// The facts are on the disk before the state that counts them; a crash between the two leaves facts behind the
    /// recorded end, and the next append overwrites them.
    fn save(&mut self, kept: &Kept, facts: &[u8]) -> Result<(), KeepError> {
        let Some(at) = kept.facts.length.checked_sub(facts.len() as u64) else {
            unreachable!("the length counts the facts that are new")
        };
        if !facts.is_empty() {
            self.append_facts(at, facts)?;
        }
        let written = Written {
            kind: TYPE.to_owned(),
            log: kept.head.checkpoint.log_origin.clone(),
            checkpoint: kept.head.note.clone(),
            cursor: kept.range.size().get(),
            range: kept.range.hashes().iter().map(|hash| base64(hash.as_bytes())).collect(),
            facts_length: kept.facts.length,
            facts_digest: base64(&kept.facts.digest),
        };
        let text = serde_json::to_string_pretty(&written).map_err(|error| io_error(&self.state, error.into()))?;
        replace(&self.state, &text)
    }

    fn evidence(&self) -> Result<Option<(String, Report)>, KeepError> {
        let folder = self.evidence_path();
        match folder.try_exists() {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            Err(error) => return Err(io_error(&folder, error)),
        }
        let path = folder.join("report.json");
        let bytes = fs::read(&path).map_err(|error| io_error(&path, error))?;
        let report = serde_json::from_slice(&bytes)
            .map_err(|error| KeepError::Damaged { path: path.display().to_string(), reason: error.to_string() })?;
        Ok(Some((folder.display().to_string(), report)))
    }

    fn accuse(&mut self, evidence: &Evidence, report: &Report) -> Result<String, KeepError> {
        let (folder, making) = (self.evidence_path(), beside(&self.state, "evidence.tmp"));
        let make = || {
            // Left by a run that was killed while it wrote; what was in it is made again here.
            if making.try_exists()? {
                fs::remove_dir_all(&making)?;
            }
            fs::create_dir(&making)?;
            for (name, text) in [
                ("known.checkpoint", evidence.known.note.as_str()),
                ("shown.checkpoint", evidence.shown.note.as_str()),
                ("report.json", &format!("{}\n", report.to_json())),
            ] {
                let mut file = File::create_new(making.join(name))?;
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
            }
            File::open(&making)?.sync_all()?;
            fs::rename(&making, &folder)?;
            sync_folder_of(&folder)
        };
        make().map_err(|error| io_error(&folder, error))?;
        Ok(folder.display().to_string())
    }
}

/// Writes a file whole or not at all: a temporary file, synced, renamed, and then its folder synced.
fn replace(path: &Path, text: &str) -> Result<(), KeepError> {
    // One name is enough, because the lock is held.
    let temporary = beside(path, "tmp");
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_folder_of(path)
    };
    write().map_err(|error| io_error(path, error))
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

fn io_error(path: &Path, error: io::Error) -> KeepError {
    KeepError::Io { path: path.display().to_string(), error }
}
