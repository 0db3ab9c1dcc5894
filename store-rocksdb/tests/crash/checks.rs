//! What must be true of a server that came up: it agrees with everything that anybody was ever told of it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;

use log_server::app::App;
use merkle::{CompactRange, Hash, LeafIndex, TreeSize, verify_consistency, verify_inclusion};
use verifier::checkpoint::Checkpoint;

use crate::journal::Event;
use crate::server::Place;

/// How many of the last answers and checkpoints are also proven, each with a proof of its own.
const PROVEN: usize = 50;

/// Everything that was told, in the order of telling.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// How many servers came up before.
    pub(crate) runs: u32,
    /// Requests that nobody heard the end of.
    pub(crate) unanswered: BTreeSet<Vec<Vec<u8>>>,
    /// Entries that a caller knows the place of.
    answered: BTreeMap<u64, Vec<u8>>,
    /// All entries that anybody asked for.
    tried: HashSet<Vec<u8>>,
    /// The checkpoint of each size.
    checkpoints: BTreeMap<TreeSize, (Checkpoint, String)>,
    /// What was told of confirmations.
    pub(crate) confirmations: Vec<Event>,
}

impl From<Vec<Event>> for Told {
    fn from(events: Vec<Event>) -> Self {
        let mut told = Self::default();
        for event in events {
            told.take(event);
        }
        told
    }
}

impl Told {
    fn take(&mut self, event: Event) {
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
                    assert!(other.is_none_or(|other| other == entry), "two entries were answered with {index}");
                }
            }
            Event::Checkpoint(text) => self.take_checkpoint(&text),
            Event::Fatal(_) | Event::Done => {}
            other => self.confirmations.push(other),
        }
    }

    fn take_checkpoint(&mut self, text: &str) {
        let key = crate::server::log_key().verifier_key();
        let checkpoint = Checkpoint::open(text.as_bytes(), &key).unwrap();
        assert!(checkpoint.size.get() >= self.largest(), "the log became smaller: {checkpoint:?}");
        let (_, same) = self.checkpoints.entry(checkpoint.size).or_insert_with(|| (checkpoint, text.to_owned()));
        assert_eq!(*same, text, "one size was signed twice with different bytes");
    }

    fn largest(&self) -> u64 {
        self.checkpoints.last_key_value().map_or(0, |(size, _)| size.get())
    }
}

/// Checks a server that has just come up, before anybody else asks it.
pub(crate) fn check(place: &Place, app: &App, told: &Told) {
    let head = app.log.published().head;
    assert!(head.size.get() >= told.largest(), "{} entries were signed, {} are there", told.largest(), head.size);
    check_anchor(place, head.size);

    let entries: Vec<Vec<u8>> =
        app.log.entries(0..head.size.get()).unwrap().into_iter().map(|entry| entry.bytes).collect();
    check_roots(&entries, told, head.root);
    check_answers(&entries, told);
    check_unanswered(app, told);
    check_proofs(app, told);
}

/// What is published is anchored, and nothing else.
pub(crate) fn check_anchor(place: &Place, published: TreeSize) {
    let anchor = fs::read_to_string(place.anchor().join("anchor.json")).unwrap();
    assert!(anchor.contains(&format!("\"size\":\"{published}\"")), "the anchor says {anchor}, not {published}");
}

/// All checkpoints ever published are of this one sequence of entries, and so consistent with each other.
fn check_roots(entries: &[Vec<u8>], told: &Told, published: Hash) {
    let mut range = CompactRange::default();
    let mut compared = 0;
    for size in 0..=entries.len() {
        if let Some((checkpoint, _)) = told.checkpoints.get(&TreeSize::new(size as u64)) {
            assert_eq!(range.root(), checkpoint.root, "the checkpoint of {size} entries is of another log");
            compared += 1;
        }
        if let Some(entry) = entries.get(size) {
            range.append(merkle::leaf_hash(entry));
        }
    }
    assert_eq!(range.root(), published);
    assert_eq!(compared, told.checkpoints.len());
}

/// Every answer is true, nothing is there that nobody asked for, and nothing is there twice.
fn check_answers(entries: &[Vec<u8>], told: &Told) {
    for (index, entry) in &told.answered {
        assert_eq!(entries.get(usize::try_from(*index).unwrap()), Some(entry), "the answered entry {index}");
    }
    let ours = entries.iter().filter(|entry| !entry.starts_with(b"countersign/"));
    assert!(ours.clone().all(|entry| told.tried.contains(entry)), "an entry that nobody asked for");
    assert_eq!(ours.clone().collect::<HashSet<_>>().len(), ours.count(), "an entry stands twice");
}

/// What was not answered is there as a whole or not at all.
fn check_unanswered(app: &App, told: &Told) {
    for entries in &told.unanswered {
        let found = entries.iter().filter(|entry| app.log.find(&merkle::leaf_hash(entry)).unwrap().is_some()).count();
        assert!(found == 0 || found == entries.len(), "{found} of the {} entries of one request", entries.len());
    }
}

/// The proofs that the log gives for what it told last.
fn check_proofs(app: &App, told: &Told) {
    let head = app.log.published().head;
    for (index, entry) in told.answered.iter().rev().take(PROVEN) {
        let (index, leaf) = (LeafIndex::new(*index), merkle::leaf_hash(entry));
        let (stored, proof) = app.log.inclusion(index, head.size).unwrap();
        assert_eq!(stored, leaf);
        verify_inclusion(&leaf, index, head.size, &proof, &head.root).unwrap();
        assert_eq!(app.log.find(&leaf).unwrap(), Some(index));
    }
    for (size, (checkpoint, _)) in told.checkpoints.iter().rev().take(PROVEN) {
        let proof = app.log.consistency(*size, head.size).unwrap();
        verify_consistency(*size, head.size, &checkpoint.root, &head.root, &proof).unwrap();
    }
}
