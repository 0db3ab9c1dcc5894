//! The bounded queue to the writer. It keeps room for commands that end things, so that a flood of requests cannot block a
//! "no".

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::Transaction;
use crate::store::StoreError;

/// How many commands may wait.
const CAPACITY: usize = 4096;
/// How many of them only [`Priority::Ends`] may be.
const RESERVED: usize = 512;
/// How many bytes may wait, beyond which only [`Priority::Ends`] is taken.
const CAPACITY_BYTES: usize = 64 * 1024 * 1024;
/// How many commands are taken into one batch.
const MAX_BATCH: usize = 1024;
/// After how many bytes a batch takes no more commands.
const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Whether a command may use the reserved room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A new request.
    Normal,
    /// A decision or a cancel.
    Ends,
}

/// Tells the caller; called when what the command did is published.
pub(super) type Finish = Box<dyn FnOnce() + Send>;

type Run = dyn FnOnce(&mut Transaction<'_>) -> Result<(bool, Finish), StoreError> + Send;

/// A command with its caller.
pub(super) struct Job {
    /// Runs the command; says whether its changes stay, and how to tell the caller.
    pub(super) run: Box<Run>,
    /// About how many bytes it holds.
    pub(super) weight: usize,
}

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    bytes: usize,
    closed: bool,
}

impl Queue {
    /// Adds a command; false if there is no room for it.
    pub(super) fn push(&self, job: Job, priority: Priority) -> bool {
        let mut waiting = self.lock();
        let room = match priority {
            Priority::Normal => waiting.jobs.len() < CAPACITY - RESERVED && waiting.bytes < CAPACITY_BYTES,
            Priority::Ends => waiting.jobs.len() < CAPACITY,
        };
        if !room && !waiting.closed {
            return false;
        }
        // A closed queue drops the job, which tells its caller that the outcome is unknown.
        if !waiting.closed {
            // The one writer waits for nothing but an empty queue, so nobody else needs a call of the kernel.
            let was_empty = waiting.jobs.is_empty();
            waiting.bytes += job.weight;
            waiting.jobs.push_back(job);
            drop(waiting);
            if was_empty {
                self.changed.notify_one();
            }
        }
        true
    }

    /// Waits for commands and takes what has queued up; none when the queue is closed and empty.
    pub(super) fn take(&self) -> Option<Vec<Job>> {
        let mut waiting = self.lock();
        while waiting.jobs.is_empty() && !waiting.closed {
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let mut taken = Vec::new();
        let mut bytes = 0;
        while taken.len() < MAX_BATCH && bytes < MAX_BATCH_BYTES {
            let Some(job) = waiting.jobs.pop_front() else { break };
            bytes += job.weight;
            taken.push(job);
        }
        waiting.bytes -= bytes;
        (!taken.is_empty()).then_some(taken)
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// Closes the queue and drops what waits in it, whose callers are told that the outcome is unknown.
    pub(super) fn stop(&self) {
        self.close();
        self.lock().jobs.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        weighing(1)
    }

    fn weighing(weight: usize) -> Job {
        Job { run: Box::new(|_| Ok((false, Box::new(|| ()) as Finish))), weight }
    }

    #[test]
    fn a_flood_leaves_room_for_what_ends_things() {
        let queue = Queue::default();
        let taken = (0..CAPACITY).take_while(|_| queue.push(job(), Priority::Normal)).count();
        assert_eq!(taken, CAPACITY - RESERVED);
        let ends = (0..CAPACITY).take_while(|_| queue.push(job(), Priority::Ends)).count();
        assert_eq!(ends, RESERVED);
        assert_eq!(queue.take().map(|jobs| jobs.len()), Some(MAX_BATCH));
    }

    #[test]
    fn bytes_are_bounded_too() {
        let queue = Queue::default();
        let taken = (0..CAPACITY).take_while(|_| queue.push(weighing(1 << 20), Priority::Normal)).count();
        assert_eq!(taken, 64);
        assert!(queue.push(weighing(1 << 20), Priority::Ends));
        assert_eq!(queue.take().map(|jobs| jobs.len()), Some(8));
        assert!(queue.push(weighing(1), Priority::Normal));
    }

    #[test]
    fn a_closed_queue_is_drained_and_then_ends() {
        let queue = Queue::default();
        assert!(queue.push(job(), Priority::Normal));
        queue.close();
        assert!(queue.push(job(), Priority::Normal), "dropped, not refused as full");
        assert_eq!(queue.take().map(|jobs| jobs.len()), Some(1));
        assert!(queue.take().is_none());
    }
}
