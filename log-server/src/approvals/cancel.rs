//! Taking a request back.

use super::confirmation::require_pending;
use super::records::ConfirmationRecord;
use super::{Approvals, endings, pending};
use crate::keyspace;
use crate::problem::Problem;
use crate::store::StoreError;
use crate::writer::{Command, Failed, Priority, Transaction};

struct Cancel {
    id: String,
    key_id: String,
}

impl Approvals {
    /// Ends a pending confirmation. One that is decided stays as it is.
    pub async fn cancel(&self, key_id: &str, id: &str) -> Result<api::Confirmation, Problem> {
        self.submit_by(key_id, Cancel { id: id.to_owned(), key_id: key_id.to_owned() }).await?;
        self.confirmation(key_id, id)
    }
}

impl Command for Cancel {
    type Answer = ();
    type Refusal = Problem;
    const PRIORITY: Priority = Priority::Ends;

    fn run(self, tx: &mut Transaction<'_>) -> Result<(), Failed<Problem>> {
        let key = keyspace::confirmation(&self.id);
        let record = tx.get::<ConfirmationRecord>(&key)?.filter(|record| record.key_id == self.key_id);
        let Some(mut record) = record else { return Err(Failed::Refused(Problem::NotFound)) };
        // Cancelling twice is cancelling once: a client that lost the first answer asks again.
        let status = record.status_in_writer(tx.now());
        if status == api::Status::Cancelled {
            return Ok(());
        }
        require_pending(status).map_err(Failed::Refused)?;
        Ok(end(tx, &mut record)?)
    }
}

/// Ends a pending confirmation as cancelled. The log has no entry for it: what was never approved needs no evidence.
pub(super) fn end(tx: &mut Transaction<'_>, record: &mut ConfirmationRecord) -> Result<(), StoreError> {
    record.cancelled_at = Some(tx.now().unix());
    pending::close(tx, record)?;
    endings::tell(tx, record)?;
    tx.put(keyspace::confirmation(&record.id), record);
    tx.wake(&record.id);
    Ok(())
}
