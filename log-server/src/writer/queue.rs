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
/// How many commands are taken into one batch. A batch's size in bytes is bounded by this and the largest command.
const MAX_BATCH: usize = 1024;

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

/// A command with its caller: runs, says whether its changes stay, and how to tell the caller.
pub(super) struct Job(pub(super) Box<Run>);

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Queue {
    /// Adds a command; false if there is no room for it.
    pub(super) fn push(&self, job: Job, priority: Priority) -> bool {
        let mut waiting = self.lock();
        let room = match priority {
            Priority::Normal => CAPACITY - RESERVED,
            Priority::Ends => CAPACITY,
        };
        if waiting.jobs.len() >= room && !waiting.closed {
            return false;
        }
        // A closed queue drops the job, which tells its caller that the outcome is unknown.
        if !waiting.closed {
            waiting.jobs.push_back(job);
            self.changed.notify_one();
        }
        true
    }

    /// Waits for commands and takes what has queued up; none when the queue is closed and empty.
    pub(super) fn take(&self) -> Option<Vec<Job>> {
        let mut waiting = self.lock();
        while waiting.jobs.is_empty() && !waiting.closed {
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let count = waiting.jobs.len().min(MAX_BATCH);
        let jobs: Vec<Job> = waiting.jobs.drain(..count).collect();
        (!jobs.is_empty()).then_some(jobs)
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    pub(super) fn clear(&self) {
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
        Job(Box::new(|_| Ok((false, Box::new(|| ()) as Finish))))
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
    fn a_closed_queue_is_drained_and_then_ends() {
        let queue = Queue::default();
        assert!(queue.push(job(), Priority::Normal));
        queue.close();
        assert!(queue.push(job(), Priority::Normal), "dropped, not refused as full");
        assert_eq!(queue.take().map(|jobs| jobs.len()), Some(1));
        assert!(queue.take().is_none());
    }
}
