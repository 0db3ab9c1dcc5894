//! The entries of one run, made from a number so that they need not be kept, and those that the log has acknowledged.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use merkle::{Hash, LeafIndex};

/// How many acknowledged entries are remembered; later ones take the place of earlier ones.
const REMEMBERED: usize = 1 << 16;

pub(super) struct Entries {
    /// Tells the entries of this run from those of every other.
    run: [u8; 16],
    size: usize,
    next: AtomicU64,
    acknowledged: Mutex<Vec<Acknowledged>>,
}

/// An entry that the log has said to have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acknowledged {
    pub(super) number: u64,
    pub(super) index: LeafIndex,
}

impl Entries {
    pub(super) fn new(size: usize) -> Result<Self, getrandom::Error> {
        let mut run = [0; 16];
        getrandom::fill(&mut run)?;
        Ok(Self { run, size, next: AtomicU64::new(0), acknowledged: Mutex::default() })
    }

    /// The number of an entry that no request had yet.
    pub(super) fn next(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// The entry of a number.
    pub(super) fn bytes(&self, number: u64) -> Vec<u8> {
        let mut bytes = vec![b'.'; self.size];
        let head = [self.run.as_slice(), &number.to_be_bytes()].concat();
        bytes[..head.len()].copy_from_slice(&head);
        bytes
    }

    /// Its leaf hash, as we compute it: the server's word for it counts nothing.
    pub(super) fn leaf_hash(&self, number: u64) -> Hash {
        merkle::leaf_hash(&self.bytes(number))
    }

    pub(super) fn acknowledge(&self, entry: Acknowledged) {
        let mut acknowledged = self.lock();
        if acknowledged.len() < REMEMBERED {
            acknowledged.push(entry);
        } else {
            let place = super::chosen(entry.number, REMEMBERED);
            acknowledged[place] = entry;
        }
    }

    /// One of the acknowledged entries, if there is any.
    pub(super) fn any_acknowledged(&self, choice: u64) -> Option<Acknowledged> {
        let acknowledged = self.lock();
        let place = super::chosen(choice, acknowledged.len());
        acknowledged.get(place).copied()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Acknowledged>> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
