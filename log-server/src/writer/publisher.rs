//! The second half of a batch, on a thread of its own: check, sign, anchor, publish, answer.
//!
//! While an anchor is on its way to the disk the sequencer runs and commits what comes next, so what waits here may be
//! several batches. They are published together: their entries are checked, the last head is signed and anchored, and then
//! all of them are answered, in the order in which they ran. The heads between are never signed.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use merkle::{Hash, LeafIndex, TreeSize};
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use verifier::checkpoint::Checkpoint;
use verifier::entry::{Authorisation, CredentialEntry, Entry};
use verifier::note::SignerKey;
use verifier::webauthn::Assertion;

use super::queue::Finish;
use super::{Fatal, Moment, Observers, Published};
use crate::anchor::{Anchor, AnchorFolder};
use crate::clock::Timekeeper;
use crate::store::{Store, StoreError};
use crate::tree::{self, TreeHead};
use crate::waiters::Waiters;

/// A batch that is committed, and of which nobody has heard yet.
pub(super) struct Committed {
    /// The head of the tree with this batch.
    pub(super) head: TreeHead,
    /// What it appended.
    pub(super) entries: Vec<Expected>,
    /// The confirmations whose waiters are to be woken.
    pub(super) wake: Vec<String>,
    /// Tell the callers.
    pub(super) finishes: Vec<Finish>,
}

/// What an entry must be when it is read back.
pub(super) struct Expected {
    pub(super) index: LeafIndex,
    pub(super) leaf_hash: Hash,
    pub(super) assertion_digest: Option<[u8; 32]>,
}

/// Takes what was committed to its answers.
pub(super) struct Publisher {
    pub(super) store: Arc<dyn Store>,
    pub(super) anchor: AnchorFolder,
    pub(super) key: SignerKey,
    pub(super) time: Arc<Timekeeper>,
    pub(super) waiters: Arc<Waiters>,
    pub(super) observers: Observers,
    /// What is published is what is anchored: both change together.
    pub(super) published: watch::Sender<Published>,
}

impl Publisher {
    /// Works until the sequencer has ended.
    pub(super) fn work(mut self, committed: &Receiver<Committed>) -> Result<(), Fatal> {
        while let Ok(first) = committed.recv() {
            let mut batches = vec![first];
            batches.extend(committed.try_iter());
            self.finish(batches)?;
        }
        Ok(())
    }

    /// The store is ahead of the anchor after a crash between commit and anchor: check, sign, anchor, publish.
    pub(super) fn recover(&mut self, head: TreeHead) -> Result<(), Fatal> {
        let anchored = self.published.borrow().head;
        if anchored == head {
            return Ok(());
        }
        tracing::info!(from = %anchored.size, to = %head.size, "publishing what was committed before the last stop");
        let entries = expected_from_store(&*self.store, anchored.size, head.size)?;
        self.publish(head, &entries)
    }

    /// Publishes batches, if they have entries, and answers them in their order.
    fn finish(&mut self, mut batches: Vec<Committed>) -> Result<(), Fatal> {
        let entries: Vec<Expected> = batches.iter_mut().flat_map(|batch| batch.entries.drain(..)).collect();
        if let (false, Some(last)) = (entries.is_empty(), batches.last()) {
            self.publish(last.head, &entries)?;
        }
        for batch in batches {
            self.time.end_batch();
            for id in &batch.wake {
                self.waiters.wake(id);
            }
            for finish in batch.finishes {
                finish();
            }
        }
        if !entries.is_empty() {
            self.observers.reached(Moment::Answered);
        }
        Ok(())
    }

    /// From a committed head to a published checkpoint; the end of a batch, and of a recovery.
    fn publish(&mut self, head: TreeHead, entries: &[Expected]) -> Result<(), Fatal> {
        let anchored = self.published.borrow().head;
        check(&*self.store, anchored, head, entries)?;
        self.observers.reached(Moment::Checked);

        let published = signed(&self.key, head);
        self.observers.reached(Moment::Signed);

        // No signature leaves the process before this: whoever starts from here finds at least this head anchored.
        let key = self.key.verifier_key();
        self.anchor.replace(Anchor { log_origin: key.name().to_owned(), key_id: key.id(), head })?;
        self.observers.reached(Moment::Anchored);

        self.published.send_replace(published);
        self.observers.reached(Moment::Published);
        Ok(())
    }
}

/// Signs a head. Nothing but a head that was checked, or one that is anchored, comes here.
pub(super) fn signed(key: &SignerKey, head: TreeHead) -> Published {
    let log_origin = key.verifier_key().name().to_owned();
    let checkpoint = Checkpoint { log_origin, size: head.size, root: head.root }.sign(key);
    Published { head, checkpoint: checkpoint.into() }
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
    let roots = tree::stored_roots(store, [anchored.size, head.size])?;
    for ((name, expected), root) in [("anchored", anchored), ("new", head)].into_iter().zip(roots) {
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
fn expected_from_store(store: &dyn Store, from: TreeSize, to: TreeSize) -> Result<Vec<Expected>, StoreError> {
    let read = |index: u64| {
        let index = LeafIndex::new(index);
        let leaf_hash = merkle::leaf_hash(&tree::stored_entry(store, index)?);
        Ok(Expected { index, leaf_hash, assertion_digest: None })
    };
    (from.get()..to.get()).map(read).collect()
}
