//! Revoking an API key: from then on it does nothing, what it asked is decided by nobody, and what was approved for it is used
//! by nobody.
//!
//! One small command revokes the key, and that alone makes all of this true: the writer reads the key again in each command
//! that is given with it (`crate::by_key`) and in each decision. Then what it asked and is still pending is cancelled, as its
//! requester could have done. That may be thousands of requests, so it is done in pieces: each is one command, bounded in
//! requests and in bytes, and decisions of others run in between. Nothing is added meanwhile, because the key asks for nothing
//! more. What a crash leaves pending cannot be decided and expires; revoking again cancels it at once.

use api::Status;

use super::records::ConfirmationRecord;
use super::{Approvals, cancel, pending};
use crate::api_keys::{KeyRecord, Scope};
use crate::keyspace::{self, Kind};
use crate::problem::Problem;
use crate::writer::{Command, Failed, Priority, Transaction};

/// How many requests one command cancels at most.
const PIECE: usize = 128;
/// After how many bytes of records it cancels no more: a request can be a third of a MiB.
const PIECE_BYTES: usize = 2 * 1024 * 1024;

struct Revoke(String);

/// Cancels what of these is pending, in their order, until it has written enough. The answer is how many it looked at.
struct CancelPiece(Vec<String>);

impl Approvals {
    /// Revokes an API key, asked with the key that has the id `by`, and cancels what it asked. Revoking twice is revoking once.
    pub async fn revoke_key(&self, by: &str, id: &str) -> Result<(), Problem> {
        self.submit_by(by, Revoke(id.to_owned())).await?;
        let mut from = pending::first_of_key(id, self.time.now());
        loop {
            // Read here, because the writer has no time to read. What has ended since is for the command to find.
            let (ids, next) = pending::of_key_from(&*self.store, id, &from, PIECE)?;
            let Some(next) = next else { return Ok(()) };
            from = next;
            let mut left = ids;
            while !left.is_empty() {
                let looked_at = self.writer.submit(CancelPiece(left.clone())).await?;
                left.drain(..looked_at);
            }
        }
    }
}

impl Command for Revoke {
    type Answer = ();
    type Refusal = Problem;
    const PRIORITY: Priority = Priority::Ends;

    fn run(self, tx: &mut Transaction<'_>) -> Result<(), Failed<Problem>> {
        let key = keyspace::api_key(&self.0);
        let Some(record) = tx.get::<KeyRecord>(&key)? else { return Err(Failed::Refused(Problem::NotFound)) };
        let others = tx.all::<KeyRecord>(Kind::ApiKey)?;
        let mut others = others.iter().filter(|other| other.id != record.id && other.revoked_at.is_none());
        if record.scopes.contains(&Scope::Admin) && !others.any(|other| other.scopes.contains(&Scope::Admin)) {
            let words = "this is the last API key with the scope admin; make another before you revoke it";
            return Err(Failed::Refused(Problem::Conflict(words.to_owned())));
        }
        tx.delete(keyspace::webhook(&self.0));
        tx.put(key, &KeyRecord { revoked_at: record.revoked_at.or(Some(tx.now().unix())), ..record });
        tracing::info!(event = "key revoked", id = self.0);
        Ok(())
    }
}

impl Command for CancelPiece {
    type Answer = usize;
    type Refusal = Problem;
    const PRIORITY: Priority = Priority::Ends;

    /// What it may write, so that a batch takes few of them.
    fn weight(&self) -> usize {
        PIECE_BYTES
    }

    fn run(self, tx: &mut Transaction<'_>) -> Result<usize, Failed<Problem>> {
        let (mut looked_at, mut written) = (0, 0);
        for id in self.0 {
            looked_at += 1;
            let Some(mut record) = tx.get::<ConfirmationRecord>(&keyspace::confirmation(&id))? else { continue };
            if record.status_in_writer(tx.now()) != Status::Pending {
                continue;
            }
            cancel::end(tx, &mut record)?;
            tracing::info!(event = "cancelled with its key", confirmation = id);
            written += record.size();
            if written >= PIECE_BYTES {
                break;
            }
        }
        Ok(looked_at)
    }
}
