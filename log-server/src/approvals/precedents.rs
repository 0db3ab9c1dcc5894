//! What was decided before about the same thing: rejections, which cool a requester down, and the last approval, which the
//! next request is compared with.
//!
//! The same question is the same action and payload of the same API key, whatever the times, the quorum or who else is
//! asked: none of these makes it another question for the person who said no.

use api::{EarlierRejection, LastApproved, RejectedBefore, Status};
use sha2::{Digest as _, Sha256};
use verifier::document::Core;
use verifier::json::{Object, Value};

use super::confirmation::Current;
use super::records::{ConfirmationRecord, RejectedRecord, RejectionRecord};
use super::{Approvals, time_text};
use crate::keyspace;
use crate::problem::Problem;
use crate::store::StoreError;
use crate::writer::{Failed, Transaction};

/// How many rejections of one question are kept.
const MAX_KEPT: usize = 32;
/// How many of them a reader is told.
const MAX_TOLD: usize = 5;

/// What a confirmation is remembered by. Hashed before the writer is asked, so that the writer parses nothing.
pub(super) struct Traces {
    question: [u8; 32],
    /// One for each approver, in their order.
    titles: Vec<[u8; 32]>,
}

impl Traces {
    pub(super) fn of(core: &Core) -> Self {
        let titles = core.approvers.iter().map(|approver| title(core, approver.as_str()));
        Self { question: question(core), titles: titles.collect() }
    }

    /// Remembers how a confirmation ended, if by a decision.
    pub(super) fn remember(
        &self,
        tx: &mut Transaction<'_>,
        record: &ConfirmationRecord,
        status: Status,
    ) -> Result<(), StoreError> {
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

/// Refuses to ask somebody at once for what they have just rejected.
pub(super) fn check_cool_down(
    tx: &Transaction<'_>,
    key_id: &str,
    core: &Core,
    question: &[u8; 32],
    seconds: u32,
) -> Result<(), Failed<Problem>> {
    let Some(before) = tx.get::<RejectedRecord>(&keyspace::rejected(key_id, question))? else { return Ok(()) };
    let asked = |name: &str| core.approvers.iter().any(|approver| approver.as_str() == name);
    let now = tx.now().unix();
    for rejection in before.last.iter().rev() {
        let cool_at = rejection.at.saturating_add(u64::from(seconds));
        if cool_at > now && asked(&rejection.by) {
            let RejectionRecord { by, at, .. } = rejection;
            let reason = format!(
                "{by} rejected the same action and payload at {}; it can be asked again {seconds} seconds later",
                time_text(*at)
            );
            return Err(Failed::Refused(Problem::TooMany { reason, retry_after: cool_at - now }));
        }
    }
    Ok(())
}

/// The hash of what is asked.
pub(super) fn question(core: &Core) -> [u8; 32] {
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

fn hash(object: Object) -> [u8; 32] {
    Sha256::digest(Value::from(object).to_canonical()).into()
}
