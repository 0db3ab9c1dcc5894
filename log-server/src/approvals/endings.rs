//! Messages that say how a request ended, in the place of what they said before: where a channel can change a message.
//!
//! The change is written down when the message is sent, due just after the request expires, because expiry itself writes
//! nothing. Whatever ends the request earlier brings it forward, in the same batch.

use super::outbox::{self, About, Draft, NotificationRecord, SentTo};
use super::records::ConfirmationRecord;
use super::webhooks;
use crate::keyspace;
use crate::notifications::Channel;
use crate::store::StoreError;
use crate::writer::Transaction;

/// How long it is tried after the request could have been decided, in seconds.
const TRY: u64 = 24 * 3600;
/// The channels that can change a message.
const CHANGEABLE: [Channel; 1] = [Channel::Telegram];

/// Writes the change of a message that was sent.
pub(super) fn prepare(
    tx: &mut Transaction<'_>,
    sent: &NotificationRecord,
    to: Option<SentTo>,
) -> Result<(), StoreError> {
    let (About::Confirmation { id }, Some(to)) = (&sent.about, to) else { return Ok(()) };
    let Some(record) = tx.get::<ConfirmationRecord>(&keyspace::confirmation(id))? else { return Ok(()) };
    let pending = record.status_in_writer(tx.now()) == api::Status::Pending;
    let draft = Draft {
        id: id_for(&sent.id),
        channel: sent.channel,
        username: &sent.username,
        about: About::Ended { id: id.clone(), address: to.address, reference: to.reference },
        expires_at: record.expires_at + TRY,
        due: pending.then_some(record.expires_at + 1),
        otherwise: None,
    };
    outbox::write_draft(tx, draft);
    Ok(())
}

/// Brings the changes forward: the request has ended.
pub(super) fn tell(tx: &mut Transaction<'_>, record: &ConfirmationRecord) -> Result<(), StoreError> {
    if !record.told {
        return Ok(());
    }
    outbox::bring_forward(tx, &webhooks::id_for(&record.id))?;
    for slot in &record.approvers {
        for channel in CHANGEABLE {
            outbox::bring_forward(tx, &id_for(&outbox::id_for(&record.id, channel, &slot.username)))?;
        }
    }
    Ok(())
}

/// No confirmation's messages begin like this.
fn id_for(message: &str) -> String {
    format!("ended.{message}")
}
