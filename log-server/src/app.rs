//! What the requests need, in one place.

use verifier::note::VerifierKey;
use verifier::trust::Trust;

use crate::approvals::Approvals;
use crate::backup::Backups;
use crate::limits::{Gate, Limits};
use crate::log::Log;
use crate::problem::Problem;
use crate::start::FreeDisk;

/// New work is refused when less than this is free, so that what is under way can end.
pub const DISK_RESERVE: u64 = 256 * 1024 * 1024;

/// A running server, without its listener.
pub struct App {
    /// The public log.
    pub log: Log,
    /// The approval engine.
    pub approvals: Approvals,
    /// Counts what callers take.
    pub gate: Gate,
    /// The limits it was started with.
    pub limits: Limits,
    /// The log's public key.
    pub log_key: VerifierKey,
    /// How much room there is.
    pub free_disk: FreeDisk,
    /// Makes backups, if it can.
    pub backups: Option<Backups>,
    /// A word that every page shows.
    pub banner: Option<String>,
    /// Becomes true when the server stops: long-polls answer then.
    pub stopping: tokio::sync::watch::Sender<bool>,
}

impl App {
    /// The trust file of this server, which pins no people.
    pub fn trust(&self) -> Trust {
        Trust::of_server(self.log_key.clone(), self.approvals.identity.relying_party.clone())
    }

    /// Whether there is room for something new. What ends things is never refused for this.
    pub fn require_room(&self) -> Result<(), Problem> {
        match (self.free_disk)() {
            Some(free) if free < DISK_RESERVE => Err(Problem::DiskFull),
            _ => Ok(()),
        }
    }

    /// Ends when the server stops.
    pub async fn stopping(&self) {
        let mut stopping = self.stopping.subscribe();
        // An error means that the sender is gone, which is a stop too.
        _ = stopping.wait_for(|stopping| *stopping).await;
    }
}
