//! Backups of a running server: the hook by which the server has a copy of its store made, without knowing how.
//!
//! The store trait stays as narrow as it is. A copy is the affair of whoever opened the store: it hands the server a
//! closure, as it does for the free disk space. What a backup holds is said in docs/backup.md.

use std::sync::{Arc, Mutex, TryLockError};

use crate::problem::Problem;
use crate::writer::Published;

/// Makes one backup and says where it is. It is given what is published when it begins, so that the copy, taken later,
/// holds at least that.
pub type MakeBackup = Arc<dyn Fn(&Published) -> Result<api::BackupMade, String> + Send + Sync>;

/// The backups of a server, one at a time.
pub struct Backups {
    make: MakeBackup,
    /// Held while one is made: two at once would only take the disk from each other.
    one: Mutex<()>,
}

impl Backups {
    pub(crate) fn new(make: MakeBackup) -> Self {
        Self { make, one: Mutex::new(()) }
    }

    /// Makes a backup. Blocks for as long as it takes to copy and to look at the copy; writer and readers go on.
    pub(crate) fn make(&self, published: &Published) -> Result<api::BackupMade, Problem> {
        let _one = match self.one.try_lock() {
            Ok(one) => one,
            // A panic in an earlier one left nothing that this one would trip over.
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(Problem::Busy("another backup is being made; ask again later"));
            }
        };
        (self.make)(published).map_err(|reason| {
            tracing::error!(reason, "a backup failed");
            Problem::BackupFailed(reason)
        })
    }
}
