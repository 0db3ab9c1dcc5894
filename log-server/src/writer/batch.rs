//! One batch through the eight steps.

use merkle::{Hash, LeafIndex, TreeSize};
use sha2::{Digest as _, Sha256};
use verifier::entry::{Authorisation, CredentialEntry, Entry};
use verifier::webauthn::Assertion;

use super::queue::{Finish, Job};
use super::transaction::{Appended, Changes, Transaction};
use super::{Fatal, Moment, State, signed};
use crate::keyspace;
use crate::leaf_index::{self, Found};
use crate::store::{Batch, Store, StoreError};
use crate::tree::{self, TreeHead};

/// What an entry must be when it is read back.
pub(super) struct Expected {
    index: LeafIndex,
    leaf_hash: Hash,
    assertion_digest: Option<[u8; 32]>,
}

/// The digest by which an assertion is known from the moment that it was verified.
pub(crate) fn assertion_digest(assertion: &Assertion) -> [u8; 32] {
    // The client data is hashed first, so that the parts cannot be shifted against each other.
    Sha256::new()
        .chain_update(Sha256::digest(&assertion.client_data_json))
        .chain_update(Sha256::digest(&assertion.authenticator_data))
        .chain_update(&assertion.signature)
        .finalize()
        .into()
}

impl State {
    pub(super) fn batch(&mut self, jobs: Vec<Job>) -> Result<(), Fatal> {
        let now = self.parts.time.begin_batch();
        let store = self.parts.store.clone();
        let mut tx = Transaction::new(&*store, &self.recent, now, self.edge.head().size);
        let finishes = sequence(&mut tx, jobs)?;
        let Changes { mut batch, entries, wake, .. } = tx.done;
        if !batch.is_empty() {
            batch.put(keyspace::TIME.to_vec(), now.unix().to_be_bytes().to_vec());
            if entries.is_empty() {
                self.parts.store.commit(&batch)?;
            } else {
                self.log(batch, &entries)?;
            }
        }
        self.parts.time.end_batch();
        for id in &wake {
            self.parts.waiters.wake(id);
        }
        for finish in finishes {
            finish();
        }
        if !entries.is_empty() {
            self.reached(Moment::Answered);
        }
        Ok(())
    }

    /// Integrates and commits a batch with entries, and takes it to publication.
    fn log(&mut self, mut batch: Batch, entries: &[Appended]) -> Result<(), Fatal> {
        self.reached(Moment::Sequenced);
        let leaves: Vec<Hash> = entries.iter().map(|entry| entry.leaf_hash).collect();
        let from = self.edge.head().size;
        let (edge, tiles) = self.edge.append(&leaves);
        let head = edge.head();
        add_to_leaf_index(&*self.parts.store, &mut batch, from, entries)?;
        self.reached(Moment::Integrated);

        // The durable step. Before it nothing has happened; after it everything has, and a crash from here on is what
        // `recover` finishes. The head is committed unsigned, so no signature can exist that this write does not back.
        tree::put_tiles(&mut batch, &tiles);
        batch.put(keyspace::HEAD.to_vec(), head.to_bytes());
        self.parts.store.commit(&batch)?;
        self.reached(Moment::Committed);

        self.edge = edge;
        for (leaf, index) in leaves.iter().zip(from.get()..) {
            self.recent.add(leaf, LeafIndex::new(index));
        }
        let expected = entries.iter().zip(from.get()..).map(|(entry, index)| Expected {
            index: LeafIndex::new(index),
            leaf_hash: entry.leaf_hash,
            assertion_digest: entry.assertion_digest,
        });
        self.publish(head, &expected.collect::<Vec<_>>())
    }

    /// From a committed head to a published checkpoint; the end of a batch, and of a recovery.
    pub(super) fn publish(&mut self, head: TreeHead, entries: &[Expected]) -> Result<(), Fatal> {
        let store = self.parts.store.clone();
        // What is published is what is anchored: both change together, here.
        let anchored = self.publish.borrow().head;
        check(&*store, anchored, head, entries)?;
        self.reached(Moment::Checked);

        let published = signed(&self.parts.key, head);
        self.reached(Moment::Signed);

        // No signature leaves the process before this: whoever starts from here finds at least this head anchored.
        let anchor = self.anchor_of(head);
        self.parts.anchor.replace(anchor)?;
        self.reached(Moment::Anchored);

        self.publish.send_replace(published);
        self.reached(Moment::Published);
        Ok(())
    }

    fn reached(&mut self, moment: Moment) {
        (self.parts.observer)(moment);
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

/// Reads back what was written and computes it again, before it is signed.
///
/// Entries are compared with the leaf hash taken when they were built and with the tile they are in, a decision's
/// assertion with the digest taken when it was verified, and the anchored and the new root with those of the stored tiles.
fn check(store: &dyn Store, anchored: TreeHead, head: TreeHead, entries: &[Expected]) -> Result<(), Fatal> {
    if head.size < anchored.size {
        return Err(Fatal::Check(format!(
            "the tree of {} entries is smaller than the anchored {}",
            head.size, anchored.size
        )));
    }
    let mut expected = entries.iter();
    tree::check_entries(store, anchored.size.get()..head.size.get(), |index, bytes, leaf_hash| {
        let Some(expected) = expected.next() else {
            return Err(Fatal::Check(format!("the entry {index} is in the tree and was not written")));
        };
        check_entry(expected, index, bytes, leaf_hash)
    })?;
    for (name, expected) in [("anchored", anchored), ("new", head)] {
        let root = tree::stored_root(store, expected.size)?;
        if root != expected.root {
            let size = expected.size;
            return Err(Fatal::Check(format!(
                "the stored tiles give the {name} tree of {size} entries the root {root}, not {}",
                expected.root
            )));
        }
    }
    Ok(())
}

fn check_entry(expected: &Expected, index: LeafIndex, bytes: &[u8], leaf_hash: Hash) -> Result<(), Fatal> {
    if index != expected.index || leaf_hash != expected.leaf_hash {
        return Err(Fatal::Check(format!("the entry {index} was stored with other bytes")));
    }
    let Some(digest) = expected.assertion_digest else { return Ok(()) };
    let assertion = match Entry::parse(bytes) {
        Ok(Entry::Decision(decision)) => Some(decision.assertion),
        Ok(Entry::Credential(CredentialEntry {
            authorised_by: Authorisation::Credential { assertion, .. }, ..
        })) => Some(assertion),
        _ => None,
    };
    match assertion {
        Some(assertion) if assertion_digest(&assertion) == digest => Ok(()),
        _ => Err(Fatal::Check(format!("the entry {index} does not hold the assertion that was verified"))),
    }
}

/// What the entries of an interrupted batch must be. Their handlers are gone, so the start has verified the signatures of
/// these decisions itself.
pub(super) fn expected_from_store(
    store: &dyn Store,
    from: TreeSize,
    to: TreeSize,
) -> Result<Vec<Expected>, StoreError> {
    let read = |index: u64| {
        let index = LeafIndex::new(index);
        let leaf_hash = merkle::leaf_hash(&tree::stored_entry(store, index)?);
        Ok(Expected { index, leaf_hash, assertion_digest: None })
    };
    (from.get()..to.get()).map(read).collect()
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
    /// its turn, what comes twice in a batch and what comes unasked: each entry keeps its first place, and is found there.
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
