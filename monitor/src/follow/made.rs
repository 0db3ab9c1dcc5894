//! A log in memory that grows and lies, a receiver that fails, and a state that cannot be written at a chosen moment.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test material that cannot be made stops the test")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use merkle::{Hash, TreeSize, leaf_hash, root};
use tempfile::TempDir;
use verifier::bundle::encode_bundle;
use verifier::checkpoint::Checkpoint;
use verifier::note::SignerKey;
use verifier::trust::Trust;
use verifier::webauthn::PureRust;

use super::*;
use crate::reader::ReadError;
use crate::rules::made::{LOG, trust};

/// A log: its entries, and what it answers instead of the truth.
#[derive(Clone, Default)]
pub(super) struct Log {
    pub(super) entries: Vec<Vec<u8>>,
    pub(super) lies: HashMap<Resource, Result<Vec<u8>, ReadError>>,
}

impl Log {
    pub(super) fn of(entries: &[Vec<u8>]) -> Self {
        Self { entries: entries.to_vec(), lies: HashMap::new() }
    }

    /// The same with an answer that is not true.
    pub(super) fn lying(mut self, resource: Resource, answer: Result<Vec<u8>, ReadError>) -> Self {
        self.lies.insert(resource, answer);
        self
    }

    pub(super) fn size(&self) -> TreeSize {
        TreeSize::new(self.entries.len() as u64)
    }

    pub(super) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { log_origin: LOG.into(), size: self.size(), root: root(&self.leaves()) }
    }

    pub(super) fn note(&self) -> Vec<u8> {
        self.checkpoint().sign(&key()).into_bytes()
    }

    fn leaves(&self) -> Vec<Hash> {
        self.entries.iter().map(|entry| leaf_hash(entry)).collect()
    }
}

impl LogReader for Log {
    fn read(&self, resource: Resource) -> Result<Vec<u8>, ReadError> {
        if let Some(lie) = self.lies.get(&resource) {
            return lie.clone();
        }
        match resource {
            Resource::Checkpoint => Ok(self.note()),
            Resource::Hashes(tile) | Resource::Entries(tile) if tile.end().is_none_or(|end| end > self.size()) => {
                Err(ReadError::NotFound(resource))
            }
            Resource::Hashes(tile) => {
                let each = 256_usize.pow(u32::from(tile.level));
                let first = usize::try_from(tile.index).unwrap() * 256;
                let leaves = self.leaves();
                let hashes = leaves.chunks(each).skip(first).take(usize::from(tile.width)).map(root);
                Ok(hashes.flat_map(|hash| *hash.as_bytes()).collect())
            }
            Resource::Entries(tile) => {
                let first = usize::try_from(tile.index).unwrap() * 256;
                Ok(encode_bundle(&self.entries[first..first + usize::from(tile.width)]).unwrap())
            }
        }
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}

/// A log that another one takes the place of.
pub(super) struct Growing<'a>(pub(super) &'a Mutex<&'a Log>);

impl LogReader for Growing<'_> {
    fn read(&self, resource: Resource) -> Result<Vec<u8>, ReadError> {
        self.0.lock().unwrap().read(resource)
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}

/// The key that the trust file of the rules' tests pins.
pub(super) fn key() -> SignerKey {
    SignerKey::from_seed(LOG, &[1; 32]).unwrap()
}

/// Keeps what it gets, and fails or wants an end when told to.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) reports: Vec<Report>,
    /// How many reports it takes before it fails.
    pub(super) takes: Option<usize>,
    /// After how many reports it wants an end.
    pub(super) enough: Option<usize>,
}

impl Receiver for Seen {
    fn deliver(&mut self, report: &Report) -> Result<(), String> {
        if self.takes.is_some_and(|takes| self.reports.len() >= takes) {
            return Err("the receiver is full".to_owned());
        }
        self.reports.push(report.clone());
        Ok(())
    }

    fn wants_end(&self) -> bool {
        self.enough.is_some_and(|enough| self.reports.len() >= enough)
    }
}

impl Seen {
    /// What was told of entries: the kinds with their indexes.
    pub(super) fn told(&self) -> Vec<(String, u64)> {
        let of_entry = |report: &Report| Some((report.event.clone(), report.members.get("index")?.as_u64()?));
        self.reports.iter().filter_map(of_entry).collect()
    }

    pub(super) fn ids(&self) -> Vec<&str> {
        let of_entries = self.reports.iter().filter(|report| !report.is_checkpoint());
        of_entries.map(|report| report.id.as_str()).collect()
    }
}

/// Files that cannot be written from some moment on, as if the process had been killed before.
pub(super) struct Dying {
    files: StateFiles,
    saves_left: usize,
}

impl Keeper for Dying {
    fn load(&mut self) -> Result<Option<(Kept, Vec<u8>)>, KeepError> {
        self.files.load()
    }

    fn save(&mut self, kept: &Kept, facts: &[u8]) -> Result<(), KeepError> {
        let Some(left) = self.saves_left.checked_sub(1) else {
            return Err(KeepError::Io { path: "state".into(), error: std::io::Error::other("killed") });
        };
        self.saves_left = left;
        self.files.save(kept, facts)
    }

    fn evidence(&self) -> Result<Option<(String, Report)>, KeepError> {
        self.files.evidence()
    }

    fn accuse(&mut self, evidence: &Evidence, report: &Report) -> Result<String, KeepError> {
        self.files.accuse(evidence, report)
    }
}

/// A monitor as it is started again and again on one folder.
pub(super) struct Monitor {
    pub(super) folder: TempDir,
    pub(super) trust: Trust,
    pub(super) watches: Vec<Watch>,
}

impl Monitor {
    pub(super) fn new(watches: &[Watch]) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), trust: trust(), watches: watches.to_vec() }
    }

    pub(super) fn path(&self, ending: &str) -> std::path::PathBuf {
        self.folder.path().join(format!("state{ending}"))
    }

    pub(super) fn files(&self) -> StateFiles {
        StateFiles::open(Path::new(&self.path(""))).unwrap()
    }

    /// One start and one round.
    pub(super) fn run(&self, log: &Log, seen: &mut Seen) -> Result<Round, FollowError> {
        self.run_until(log, seen, usize::MAX)
    }

    /// The same, killed after so many writes of the state.
    pub(super) fn run_until(&self, log: &Log, seen: &mut Seen, saves: usize) -> Result<Round, FollowError> {
        let mut keeper = Dying { files: self.files(), saves_left: saves };
        Follower::new(self.setup(log), &mut keeper)?.round(seen)
    }

    pub(super) fn setup<'a>(&'a self, log: &'a Log) -> Setup<'a> {
        Setup { reader: log, trust: &self.trust, primitive: &PureRust, watches: &self.watches }
    }

    /// A run that must succeed, and what it told.
    #[track_caller]
    pub(super) fn tells(&self, log: &Log) -> Vec<(String, u64)> {
        let mut seen = Seen::default();
        self.run(log, &mut seen).unwrap();
        seen.told()
    }
}
