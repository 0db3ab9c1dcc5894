//! What was decided before about the same thing: rejections, which the next approver hears of and which cool a requester down
//! (`cool_down.rs`), and the last approval, which the next request is compared with.
//!
//! The same question is the same action and payload of the same API key, whatever the times, the quorum or who else is
//! asked: none of these makes it another question for the person who said no.

use api::{EarlierRejection, LastApproved, RejectedBefore, Status};
use sha2::{Digest as _, Sha256};
use verifier::document::Core;
use verifier::json::{Object, Value};

use super::confirmation::Current;
use super::cool_down::Rows;
use super::records::{ConfirmationRecord, RejectedRecord, RejectionRecord};
use super::{Approvals, time_text};
use crate::keyspace;
use crate::problem::Problem;
use crate::store::StoreError;
use crate::writer::Transaction;

/// How many rejections of one question are kept.
const MAX_KEPT: usize = 32;
/// How many of them a reader is told.
const MAX_TOLD: usize = 5;

/// What a confirmation is remembered by. Hashed before the writer is asked, so that the writer parses nothing.
pub(super) struct Traces {
    question: [u8; 32],
    /// One for each approver, in their order.
    titles: Vec<[u8; 32]>,
    rows: Rows,
}

impl Traces {
    pub(super) fn of(core: &Core) -> Self {
        let titles = core.approvers.iter().map(|approver| title(core, approver.as_str()));
        Self { question: question(core), titles: titles.collect(), rows: Rows::of(core) }
    }

    /// Remembers how a confirmation ended, if by a decision.
    pub(super) fn remember(
        &self,
        tx: &mut Transaction<'_>,
        record: &ConfirmationRecord,
        status: Status,
    ) -> Result<(), StoreError> {
        self.rows.count(tx, record, status)?;
        match status {
            Status::Approved => {
                for title in &self.titles {
                    tx.put_bytes(keyspace::last_approved(title), record.id.clone().into_bytes());
                }
                Ok(())
            }
            Status::Rejected => self.remember_rejection(tx, record),
            _ => Ok(()),
        }
    }

    fn remember_rejection(&self, tx: &mut Transaction<'_>, record: &ConfirmationRecord) -> Result<(), StoreError> {
        let key = keyspace::rejected(&record.key_id, &self.question);
        let mut before: RejectedRecord = tx.get(&key)?.unwrap_or_default();
        for slot in &record.approvers {
            let Some(decision) = slot.decision.as_ref().filter(|decision| !decision.approves) else { continue };
            before.times = before.times.saturating_add(1);
            before.last.push(RejectionRecord {
                at: decision.decided_at,
                by: slot.username.clone(),
                asked: record.approvers.iter().map(|slot| slot.username.clone()).collect(),
                index: decision.index,
            });
        }
        let surplus = before.last.len().saturating_sub(MAX_KEPT);
        before.last.drain(..surplus);
        tx.put(key, &before);
        Ok(())
    }
}

/// The hash of what is asked.
fn question(core: &Core) -> [u8; 32] {
    hash(Object::new([("action", core.action.as_str().into()), ("payload", core.payload.clone().into())]))
}

impl Approvals {
    /// What was approved last under the title and the requester of a confirmation, if this approver was asked then too.
    pub(super) fn last_approved(&self, core: &Core, approver: &str) -> Result<Option<LastApproved>, Problem> {
        let Some(id) = self.store.get(&keyspace::last_approved(&title(core, approver)))? else { return Ok(None) };
        let Current { record, status, .. } = self.current(&String::from_utf8_lossy(&id))?;
        // Approved and not published yet: nobody hears of it.
        if status != Status::Approved || record.slot(approver).is_none() {
            return Ok(None);
        }
        let decided_at = record.counted().map(|decision| decision.decided_at).max().unwrap_or_default();
        let payload = Value::from(record.parsed_core()?.payload).to_canonical();
        Ok(Some(LastApproved { id: record.id, decided_at: time_text(decided_at), payload }))
    }

    /// Earlier rejections of what a confirmation asks, as this approver may know of them.
    pub(super) fn rejected_before(
        &self,
        current: &Current,
        core: &Core,
        approver: &str,
    ) -> Result<Option<RejectedBefore>, Problem> {
        let key = keyspace::rejected(&current.record.key_id, &question(core));
        let Some(before) = self.record::<RejectedRecord>(&key)? else { return Ok(None) };
        let size = current.published.head.size.get();
        let (published, hidden): (Vec<_>, Vec<_>) = before.last.into_iter().partition(|one| one.index < size);
        if published.is_empty() {
            return Ok(None);
        }
        let told = published.into_iter().rev().take(MAX_TOLD).map(|one| EarlierRejection {
            at: time_text(one.at),
            by: one.asked.iter().any(|name| name == approver).then_some(one.by),
        });
        let times = before.times.saturating_sub(u32::try_from(hidden.len()).unwrap_or(u32::MAX));
        Ok(Some(RejectedBefore { times, last: told.collect() }))
    }
}

fn title(core: &Core, approver: &str) -> [u8; 32] {
    hash(Object::new([
        ("action", core.action.as_str().into()),
        ("approver", approver.into()),
        ("requester", core.requester.as_str().into()),
    ]))
}

pub(super) fn hash(object: Object) -> [u8; 32] {
    Sha256::digest(Value::from(object).to_canonical()).into()
}
