//! The threads that do what can be done in any order: read, hash, compare, verify.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use merkle::{Hash, Tile};

use super::Audit;
use super::bundle::Bundle;
use super::finding::{Finding, What};
use super::tree::Expected;
use crate::reader::{ReadError, read_hashes};
use crate::rules::SignatureJob;

/// Something to do on any thread.
pub(super) enum Task {
    /// A bundle of entries.
    Bundle(Tile),
    /// A tile of level 1 or higher, with what the entries give and what the tiles of level 0 give.
    Compare(Expected, Vec<Hash>),
    /// Signatures to verify.
    Signatures(Vec<SignatureJob>),
}

/// What a task came to.
pub(super) enum Done {
    Bundle(Bundle),
    Compared {
        finding: Option<Finding>,
        bytes: u64,
    },
    /// The log does not answer any more.
    Unavailable(ReadError),
    Signatures {
        findings: Vec<Finding>,
        count: u64,
    },
    /// Skipped, because the audit ends.
    Skipped,
    /// The thread broke down, and its panic is on the way.
    Died,
}

/// Does one task after the other until there are no more.
pub(super) fn work(audit: &Audit<'_>, tasks: &Mutex<Receiver<Task>>, done: &Sender<Done>, stop: &AtomicBool) {
    let _alarm = Alarm(done);
    loop {
        let task = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(task) = task else { return };
        let result = if stop.load(Ordering::Relaxed) { Done::Skipped } else { perform(audit, task) };
        if done.send(result).is_err() {
            return;
        }
    }
}

fn perform(audit: &Audit<'_>, task: Task) -> Done {
    match task {
        Task::Bundle(tile) => Done::Bundle(Bundle::read(audit.reader, tile)),
        Task::Compare(by_entries, by_tiles) => match read_hashes(audit.reader, by_entries.tile) {
            Ok(stored) => Done::Compared {
                finding: compare(&by_entries, &by_tiles, &stored),
                bytes: stored.len() as u64 * Hash::LEN as u64,
            },
            Err(error) if error.is_retryable() => Done::Unavailable(error),
            Err(error) => {
                let start = start_of(by_entries.tile, 0);
                let what = What::Unreadable { start, error };
                Done::Compared { finding: Some(Finding { index: start, what }), bytes: 0 }
            }
        },
        Task::Signatures(jobs) => {
            let checked = jobs.iter().filter_map(|job| job.check(&audit.pins, audit.primitive).err());
            Done::Signatures { findings: checked.map(Finding::from).collect(), count: jobs.len() as u64 }
        }
    }
}

/// The first hash that is neither what the entries give nor what the tiles below give.
fn compare(by_entries: &Expected, by_tiles: &[Hash], stored: &[Hash]) -> Option<Finding> {
    let Expected { tile, hashes } = by_entries;
    let all = hashes.iter().zip(by_tiles).zip(stored).enumerate();
    let mut differing = all.filter(|(_, ((computed, below), stored))| stored != computed && stored != below);
    let (slot, ((computed, _), stored)) = differing.next()?;
    let (start, further) = (start_of(*tile, slot), differing.count());
    let what = What::TileHash { tile: *tile, slot, start, computed: *computed, stored: *stored, further };
    Some(Finding { index: start, what })
}

/// The first entry below a hash of a tile.
fn start_of(tile: Tile, slot: usize) -> u64 {
    (tile.index * u64::from(Tile::WIDTH) + slot as u64) << (u32::from(tile.level) * u32::from(Tile::HEIGHT))
}

/// Says when its thread breaks down, so that nobody waits for what will not come.
struct Alarm<'a>(&'a Sender<Done>);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            _ = self.0.send(Done::Died);
        }
    }
}
