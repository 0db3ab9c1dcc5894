//! The first half of a batch: sequence, integrate, commit. What was committed goes on to the publisher.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use merkle::{Hash, LeafIndex, TreeSize};

use super::publisher::{Committed, Expected};
use super::queue::{Finish, Job, Queue};
use super::recent::Recent;
use super::transaction::{Appended, Changes, Transaction};
use super::{Fatal, Moment, Observers};
use crate::clock::Timekeeper;
use crate::keyspace;
use crate::leaf_index::{self, Found};
use crate::store::{Batch, Store, StoreError};
use crate::tree::{self, Edge};

/// Runs commands and commits them, on the writer's thread.
pub(super) struct Sequencer {
    pub(super) store: Arc<dyn Store>,
    pub(super) time: Arc<Timekeeper>,
    pub(super) observers: Observers,
    pub(super) edge: Edge,
    pub(super) recent: Recent,
    /// Takes what was committed to its publication.
    pub(super) committed: SyncSender<Committed>,
}

impl Sequencer {
    /// Works until the queue is closed and empty, or the publisher is gone.
    pub(super) fn work(mut self, queue: &Queue) -> Result<(), Fatal> {
        while let Some(jobs) = queue.take() {
            let batch = self.batch(jobs)?;
            if self.committed.send(batch).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn batch(&mut self, jobs: Vec<Job>) -> Result<Committed, Fatal> {
        let now = self.time.begin_batch();
        let store = self.store.clone();
        let mut tx = Transaction::new(&*store, &self.recent, now, self.edge.head().size);
        let finishes = sequence(&mut tx, jobs)?;
        let Changes { mut batch, entries, wake, .. } = tx.done;
        if !batch.is_empty() {
            batch.put(keyspace::TIME.to_vec(), now.unix().to_be_bytes().to_vec());
            if entries.is_empty() {
                self.store.commit(&batch)?;
            } else {
                self.log(batch, &entries)?;
            }
        }
        let head = self.edge.head();
        let from = head.size.get() - entries.len() as u64;
        let entries = entries.iter().zip(from..).map(|(entry, index)| Expected {
            index: LeafIndex::new(index),
            leaf_hash: entry.leaf_hash,
            assertion_digest: entry.assertion_digest,
        });
        Ok(Committed { head, entries: entries.collect(), wake, finishes })
    }

    /// Integrates and commits a batch with entries.
    fn log(&mut self, mut batch: Batch, entries: &[Appended]) -> Result<(), Fatal> {
        self.observers.reached(Moment::Sequenced);
        let leaves: Vec<Hash> = entries.iter().map(|entry| entry.leaf_hash).collect();
        let from = self.edge.head().size;
        let (edge, tiles) = self.edge.append(&leaves);
        add_to_leaf_index(&*self.store, &mut batch, from, entries)?;
        self.observers.reached(Moment::Integrated);

        // The durable step. Before it nothing has happened; after it everything has, and a crash from here on is what
        // a recovery finishes. The head is committed unsigned, so no signature can exist that this write does not back.
        tree::put_tiles(&mut batch, &tiles);
        batch.put(keyspace::HEAD.to_vec(), edge.head().to_bytes());
        self.store.commit(&batch)?;
        self.observers.reached(Moment::Committed);

        self.edge = edge;
        for (leaf, index) in leaves.iter().zip(from.get()..) {
            self.recent.add(leaf, LeafIndex::new(index));
        }
        Ok(())
    }
}

/// Runs the commands in order; what a refused one changed is dropped.
fn sequence(tx: &mut Transaction<'_>, jobs: Vec<Job>) -> Result<Vec<Finish>, StoreError> {
    let mut finishes = Vec::with_capacity(jobs.len());
    for Job { run, .. } in jobs {
        let (keep, finish) = run(tx)?;
        tx.end_command(keep);
        finishes.push(finish);
    }
    Ok(finishes)
}

/// Adds the entries of a batch to the leaf index. The writer alone commits, so what the store does not have is new.
fn add_to_leaf_index(
    store: &dyn Store,
    batch: &mut Batch,
    from: TreeSize,
    entries: &[Appended],
) -> Result<(), StoreError> {
    for (entry, index) in entries.iter().zip(from.get()..) {
        let alike = match entry.alike {
            Some(alike) => alike,
            None => leaf_index::find(store, &entry.leaf_hash)? != Found::Nothing,
        };
        leaf_index::put(batch, &entry.leaf_hash, LeafIndex::new(index), alike);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::collections::HashMap;

    use verifier::time::Timestamp;

    use super::*;
    use crate::store::memory::MemoryStore;
    use crate::writer::NewEntry;
    use crate::writer::recent::Recent;

    fn entry(i: u64) -> NewEntry {
        let bytes = i.to_be_bytes().to_vec();
        NewEntry { leaf_hash: merkle::leaf_hash(&bytes), bytes, assertion_digest: None }
    }

    /// Here leaf hashes begin alike all the time (the leaf index holds one byte of them). What was looked up long before
    /// its turn, what comes twice in a batch and what comes unasked: each entry keeps its first place, and is found there. What
    /// a refused command appended has no place.
    #[test]
    fn bytes_that_come_again_keep_their_first_place() {
        let store = MemoryStore::default();
        let mut recent = Recent::after(TreeSize::ZERO);
        let (mut size, mut first_places) = (0, HashMap::new());
        let mut looked_up = (TreeSize::ZERO, Vec::new());
        for round in 0..60_u64 {
            let asked: Vec<u64> = (0..20).map(|i| (round * 7 + i * i * 31) % 400).collect();
            let look = |i: &u64| (*i, leaf_index::find(&store, &entry(*i).leaf_hash).unwrap());
            let looked = (TreeSize::new(size), asked.iter().map(look).collect::<Vec<_>>());
            // What the round before looked up and this one: the first saw an older store.
            let mut tx = Transaction::new(&store, &recent, Timestamp::from_unix(0), TreeSize::new(size));
            for (looked_in, found) in [&looked_up, &looked] {
                for (i, found) in found {
                    let index = tx.append_once(entry(*i), *looked_in, *found).unwrap().get();
                    assert_eq!(index, *first_places.entry(*i).or_insert(index), "{i} in round {round}");
                }
                tx.end_command(true);
                for i in [*asked.last().unwrap(), 10_000, 10_000, 400 + round] {
                    tx.append_once(entry(i), looked.0, Found::Nothing).unwrap();
                    tx.append(entry(i));
                }
                tx.end_command(false);
            }
            let unasked = 1_000 + round;
            first_places.insert(unasked, tx.append(entry(unasked)).get());
            tx.end_command(true);
            let Changes { mut batch, entries, .. } = tx.done;
            add_to_leaf_index(&store, &mut batch, TreeSize::new(size), &entries).unwrap();
            store.commit(&batch).unwrap();
            for entry in &entries {
                recent.add(&entry.leaf_hash, LeafIndex::new(size));
                size += 1;
            }
            looked_up = looked;
            for (i, place) in &first_places {
                assert_eq!(
                    leaf_index::find(&store, &entry(*i).leaf_hash).unwrap().index(),
                    Some(LeafIndex::new(*place))
                );
            }
        }
        assert_eq!(size, first_places.len() as u64);
    }
}
