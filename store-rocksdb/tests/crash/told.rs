//! Everything that callers were told of a log, and whether the log as it is now agrees with it.
//!
//! Nothing here asks a server, so that it serves for one in this process and for one behind HTTP alike.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use merkle::{CompactRange, Hash, TreeSize};
use verifier::checkpoint::Checkpoint;
use verifier::note::VerifierKey;

use crate::journal::Event;

/// Everything that was told, in the order of telling.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// How many servers came up before.
    pub(crate) runs: u32,
    /// Requests that nobody heard the end of.
    pub(crate) unanswered: BTreeSet<Vec<Vec<u8>>>,
    /// Entries that a caller knows the place of.
    pub(crate) answered: BTreeMap<u64, Vec<u8>>,
    /// All entries that anybody asked for.
    tried: HashSet<Vec<u8>>,
    /// The checkpoint of each size.
    pub(crate) checkpoints: BTreeMap<TreeSize, (Checkpoint, String)>,
    /// How often a checkpoint contradicted another of its size, or an answer contradicted another of its index.
    contradictions: usize,
    /// What was told of confirmations.
    pub(crate) confirmations: Vec<Event>,
}

/// What a comparison found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Checked {
    /// Acknowledged entries that were compared, and how many of them are not where they were said to be.
    pub(crate) answers: usize,
    pub(crate) lost: usize,
    /// Signed checkpoints that were compared, and how many of them are of another log.
    pub(crate) checkpoints: usize,
    pub(crate) inconsistent: usize,
}

impl Checked {
    /// Fails the test if anything is lost or inconsistent.
    pub(crate) fn require_clean(self) {
        assert!(self.lost == 0 && self.inconsistent == 0, "the log does not keep what it promised: {self:?}");
    }
}

impl Told {
    /// Puts together what a journal says of the log with this key.
    pub(crate) fn new(events: Vec<Event>, key: &VerifierKey) -> Self {
        let mut told = Self::default();
        for event in events {
            told.take(event, key);
        }
        told
    }

    fn take(&mut self, event: Event, key: &VerifierKey) {
        match event {
            Event::Ready => self.runs += 1,
            Event::Try(entries) => {
                self.tried.extend(entries.iter().cloned());
                self.unanswered.insert(entries);
            }
            Event::Answer(places) => {
                let entries: Vec<Vec<u8>> = places.iter().map(|(_, entry)| entry.clone()).collect();
                self.unanswered.remove(&entries);
                for (index, entry) in places {
                    assert!(self.largest() > index, "the answer {index} came before a checkpoint that covers it");
                    let other = self.answered.insert(index, entry.clone());
                    self.contradictions += usize::from(other.is_some_and(|other| other != entry));
                }
            }
            Event::Checkpoint(text) => {
                let checkpoint = Checkpoint::open(text.as_bytes(), key).unwrap();
                let (_, same) = self.checkpoints.entry(checkpoint.size).or_insert_with(|| (checkpoint, text.clone()));
                // A size has one root, and as signatures carry no time, one text.
                self.contradictions += usize::from(*same != text);
            }
            Event::Fatal(_) | Event::Done | Event::Checked(_) => {}
            other => self.confirmations.push(other),
        }
    }

    /// The largest size that was ever signed.
    pub(crate) fn largest(&self) -> u64 {
        self.checkpoints.last_key_value().map_or(0, |(size, _)| size.get())
    }

    /// Compares everything with all entries of the log and the root of its published head. What is neither lost nor
    /// inconsistent but wrong all the same fails the test here.
    pub(crate) fn compare(&self, entries: &[Vec<u8>], published: Hash) -> Checked {
        let lost = |(index, entry): &(&u64, &Vec<u8>)| entries.get(usize::try_from(**index).unwrap()) != Some(*entry);
        self.check_unanswered(entries);
        self.check_asked_for(entries);
        Checked {
            answers: self.answered.len(),
            lost: self.answered.iter().filter(lost).count(),
            checkpoints: self.checkpoints.len(),
            inconsistent: self.contradictions + self.count_inconsistent(entries, published),
        }
    }

    /// How many of the checkpoints ever published are not of this one sequence of entries.
    fn count_inconsistent(&self, entries: &[Vec<u8>], published: Hash) -> usize {
        let mut range = CompactRange::default();
        let mut consistent = 0;
        for size in 0..=entries.len() {
            if let Some((checkpoint, _)) = self.checkpoints.get(&TreeSize::new(size as u64)) {
                consistent += usize::from(range.root() == checkpoint.root);
            }
            if let Some(entry) = entries.get(size) {
                range.append(merkle::leaf_hash(entry));
            }
        }
        assert_eq!(range.root(), published, "the entries are not those of the published head");
        self.checkpoints.len() - consistent
    }

    /// Nothing is there that nobody asked for, and nothing is there twice.
    fn check_asked_for(&self, entries: &[Vec<u8>]) {
        let ours = entries.iter().filter(|entry| !entry.starts_with(b"countersign/"));
        assert!(ours.clone().all(|entry| self.tried.contains(entry)), "an entry that nobody asked for");
        assert_eq!(ours.clone().collect::<HashSet<_>>().len(), ours.count(), "an entry stands twice");
    }

    /// What was not answered is there as a whole or not at all.
    fn check_unanswered(&self, entries: &[Vec<u8>]) {
        let there: HashSet<&Vec<u8>> = entries.iter().collect();
        for request in &self.unanswered {
            let found = request.iter().filter(|entry| there.contains(entry)).count();
            assert!(found == 0 || found == request.len(), "{found} of the {} entries of one request", request.len());
        }
    }
}
