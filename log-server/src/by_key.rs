//! A command that somebody gives with an API key. The key was good when the request came; it may have been revoked since, while
//! the body was on its way or the command in the queue. So the writer reads it again, here, for all commands of this kind.

use crate::api_keys::KeyRecord;
use crate::keyspace;
use crate::problem::Problem;
use crate::store::StoreError;
use crate::writer::{Command, Failed, Priority, Transaction};

/// Runs a command if this API key is still good when its turn comes. Otherwise the answer is that of a revoked key, whatever
/// the command would have said: also where it would only repeat an earlier answer.
pub(crate) struct ByKey<C> {
    pub(crate) key_id: String,
    pub(crate) command: C,
}

/// Whether an API key is known and not revoked, as the commands before this one left it.
pub(crate) fn is_good(tx: &Transaction<'_>, key_id: &str) -> Result<bool, StoreError> {
    let record = tx.get::<KeyRecord>(&keyspace::api_key(key_id))?;
    Ok(record.is_some_and(|record| record.revoked_at.is_none()))
}

impl<C: Command<Refusal = Problem>> Command for ByKey<C> {
    type Answer = C::Answer;
    type Refusal = Problem;
    const PRIORITY: Priority = C::PRIORITY;

    fn weight(&self) -> usize {
        self.command.weight()
    }

    fn run(self, tx: &mut Transaction<'_>) -> Result<C::Answer, Failed<Problem>> {
        if !is_good(tx, &self.key_id)? {
            return Err(Failed::Refused(Problem::NoKey));
        }
        self.command.run(tx)
    }
}
