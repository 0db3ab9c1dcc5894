//! The fate of a confirmation as anybody may see it: a pure function of its record, the published size and the time.

use api::Status;
use merkle::TreeSize;
use verifier::time::Timestamp;

use super::records::{ConfirmationRecord, DecisionRecord};
use super::{Approvals, time_text};
use crate::problem::Problem;
use crate::store::StoreError;
use crate::tree::stored_entry;
use crate::{keyspace, tree};
use merkle::LeafIndex;
use verifier::encoding::base64url;
use verifier::entry::Entry;

/// What the status is, seen from outside.
///
/// A decision counts once its entry is in a published checkpoint; until then the confirmation is pending, even if its time
/// is over meanwhile, so that nobody sees it expire and then approved. Expiry needs no write to be true.
pub fn view(record: &ConfirmationRecord, published: TreeSize, now: Timestamp) -> Status {
    match ended_by_decision(record, published) {
        Some(status) => status,
        None if ended_by_decision(record, TreeSize::new(u64::MAX)).is_some() => Status::Pending,
        None if record.cancelled_at.is_some() => Status::Cancelled,
        None if now.unix() > record.expires_at => Status::Expired,
        None => Status::Pending,
    }
}

/// Whether decisions below a size ended it: one rejection does, or as many approvals as the quorum.
fn ended_by_decision(record: &ConfirmationRecord, size: TreeSize) -> Option<Status> {
    let visible = || record.counted().filter(|decision| decision.index < size.get());
    if visible().any(|decision| !decision.approves) {
        Some(Status::Rejected)
    } else if visible().count() >= record.quorum as usize {
        Some(Status::Approved)
    } else {
        None
    }
}

impl ConfirmationRecord {
    /// The decisions made, in the order of the approvers.
    pub(crate) fn decisions(&self) -> impl Iterator<Item = &DecisionRecord> {
        self.approvers.iter().filter_map(|slot| slot.decision.as_ref())
    }

    /// The decisions that count: those whose key was not revoked while others had still to decide.
    pub(crate) fn counted(&self) -> impl Iterator<Item = &DecisionRecord> {
        self.decisions().filter(|decision| decision.revoked_at.is_none())
    }

    /// Whether somebody who is asked can still decide.
    pub(crate) fn waits_for(&self, username: &str, now: Timestamp) -> bool {
        let undecided = self.slot(username).is_some_and(|slot| slot.decision.is_none());
        undecided && self.status_in_writer(now) == Status::Pending
    }

    /// The status inside the writer, where everything committed before counts.
    pub(crate) fn status_in_writer(&self, now: Timestamp) -> Status {
        view(self, TreeSize::new(u64::MAX), now)
    }
}

/// Why nothing more can be decided, if so.
pub(crate) fn require_pending(status: Status) -> Result<(), Problem> {
    match status {
        Status::Pending => Ok(()),
        ended => Err(Problem::Conflict(format!("this confirmation is {} already", ended.as_str()))),
    }
}

/// A confirmation as it stands now: read in the order that makes the view true (time, published size, record).
pub(crate) struct Current {
    pub(crate) record: ConfirmationRecord,
    pub(crate) status: Status,
    pub(crate) published: crate::writer::Published,
}

impl Approvals {
    /// A confirmation as it stands now, whoever asks.
    pub(crate) fn current(&self, id: &str) -> Result<Current, Problem> {
        let now = self.time.now();
        let published = self.writer.published();
        let record: ConfirmationRecord = self.record(&keyspace::confirmation(id))?.ok_or(Problem::NotFound)?;
        Ok(Current { status: view(&record, published.head.size, now), record, published })
    }

    /// A confirmation as its requester sees it. One of another key does not exist.
    pub fn confirmation(&self, key_id: &str, id: &str) -> Result<api::Confirmation, Problem> {
        self.describe(&self.current_of(key_id, id)?)
    }

    /// The status alone, for a requester who is going to wait and needs no more yet.
    pub fn status(&self, key_id: &str, id: &str) -> Result<Status, Problem> {
        Ok(self.current_of(key_id, id)?.status)
    }

    fn current_of(&self, key_id: &str, id: &str) -> Result<Current, Problem> {
        let current = self.current(id)?;
        if current.record.key_id == key_id { Ok(current) } else { Err(Problem::NotFound) }
    }

    /// Waits until a confirmation is decided or its time is over, for as long as the future is polled.
    pub async fn until_decided(&self, id: &str) -> Result<(), Problem> {
        let waiter = self.waiters.register(id);
        loop {
            let notice = waiter.notified();
            let Current { record, status, .. } = self.current(id)?;
            if status != Status::Pending {
                return Ok(());
            }
            let expiry = self.time.wait_past(Timestamp::from_unix(record.expires_at));
            let undecided = ended_by_decision(&record, TreeSize::new(u64::MAX)).is_none();
            tokio::select! {
                () = notice => {}
                // A decision that is on its way to publication is told by a notice, not by the clock.
                () = expiry, if undecided => {}
            }
        }
    }

    pub(crate) fn describe(&self, current: &Current) -> Result<api::Confirmation, Problem> {
        let Current { record, status, published } = current;
        let core = record.parsed_core()?;
        let decisions = self.decisions(record, published.head.size)?;
        let decided = matches!(status, Status::Approved | Status::Rejected);
        let mut counted = decisions.iter().filter(|decision| decision.revoked_at.is_none());
        let raw_assertion = match (counted.next(), counted.next()) {
            (Some(only), None) if decided => Some(only.raw_assertion.clone()),
            _ => None,
        };
        let raw = |text: String| {
            serde_json::value::RawValue::from_string(text).map_err(|error| StoreError(error.to_string()))
        };
        Ok(api::Confirmation {
            id: record.id.clone(),
            status: *status,
            url: self.approve_url(&record.id),
            action: core.action.clone(),
            payload: raw(verifier::json::Value::from(core.payload.clone()).to_canonical())?,
            payload_hash: base64url(&core.payload_hash()),
            core: record.core.clone(),
            compare_code: core.compare_code(),
            approvers: record.approvers.iter().map(|slot| slot.username.clone()).collect(),
            quorum: record.quorum,
            created_at: core.issued_at.to_string(),
            expires_at: core.expires_at.to_string(),
            use_by: core.use_by.to_string(),
            decided_at: decided.then(|| decisions.last().map(|decision| decision.decided_at.clone())).flatten(),
            consumed_at: consumed_at(record, published.head.size),
            raw_assertion,
            receipt: decided.then(|| self.receipt(record, published)).transpose()?,
            notified: self.notified(&record.id)?,
            metadata: record.metadata.as_ref().map(|metadata| metadata.0.clone()),
            decisions,
        })
    }

    pub(crate) fn approve_url(&self, id: &str) -> String {
        format!("{}/approve/{id}", self.identity.public_url)
    }

    /// The published decisions, in the order of the log.
    fn decisions(&self, record: &ConfirmationRecord, published: TreeSize) -> Result<Vec<api::Decision>, StoreError> {
        let mut all = Vec::new();
        for slot in &record.approvers {
            let Some(decision) = slot.decision.as_ref().filter(|decision| decision.index < published.get()) else {
                continue;
            };
            all.push(api::Decision {
                approver: slot.username.clone(),
                decision: decision.decision().as_str().to_owned(),
                decided_at: time_text(decision.decided_at),
                log_index: decision.index,
                raw_assertion: self.raw_assertion(decision)?,
                note: decision.note.clone(),
                revoked_at: decision.revoked_at.map(time_text),
            });
        }
        all.sort_by_key(|decision| decision.log_index);
        Ok(all)
    }

    fn raw_assertion(&self, decision: &DecisionRecord) -> Result<api::Assertion, StoreError> {
        let bytes = stored_entry(&*self.store, LeafIndex::new(decision.index))?;
        let Ok(Entry::Decision(entry)) = Entry::parse(&bytes) else {
            return Err(StoreError(format!("the entry {} is not a decision", decision.index)));
        };
        Ok(api::Assertion {
            id: decision.credential_id.clone(),
            raw_id: decision.credential_id.clone(),
            kind: "public-key".to_owned(),
            response: api::AssertionResponse {
                authenticator_data: base64url(&entry.assertion.authenticator_data),
                client_data_json: base64url(&entry.assertion.client_data_json),
                signature: base64url(&entry.assertion.signature),
                user_handle: decision.user_handle.clone(),
            },
        })
    }

    /// The inclusion proof of an entry under the published checkpoint.
    pub(crate) fn inclusion(
        &self,
        index: LeafIndex,
        published: &crate::writer::Published,
    ) -> Result<Vec<merkle::Hash>, StoreError> {
        let nodes = tree::nodes(&*self.store, published.head.size);
        merkle::prove_inclusion(index, published.head.size, &nodes)
            .map_err(|error| StoreError(format!("the proof of entry {index}: {error}")))
    }
}

fn consumed_at(record: &ConfirmationRecord, published: TreeSize) -> Option<String> {
    let consumed = record.consumed.as_ref().filter(|consumed| consumed.index < published.get())?;
    Some(time_text(consumed.at))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::approvals::ApproverSlot;

    fn record(decisions: &[Option<(bool, u64)>], quorum: u32, cancelled: bool) -> ConfirmationRecord {
        let slot = |decision: &Option<(bool, u64)>| ApproverSlot {
            username: "a".into(),
            salt: String::new(),
            decision: decision.map(|(approves, index)| DecisionRecord {
                approves,
                index,
                decided_at: 0,
                credential_id: String::new(),
                enrolled_index: 0,
                user_handle: None,
                note: None,
                counter_regression: false,
                revoked_at: None,
            }),
        };
        ConfirmationRecord {
            id: String::new(),
            key_id: String::new(),
            core: String::new(),
            approvers: decisions.iter().map(slot).collect(),
            quorum,
            expires_at: 100,
            use_by: 200,
            cancelled_at: cancelled.then_some(1),
            consumed: None,
            metadata: None,
            told: false,
        }
    }

    #[test]
    fn the_status_is_a_function_of_record_published_size_and_time() {
        use Status::{Approved, Cancelled, Expired, Pending, Rejected};
        let (yes, no) = (|index| Some((true, index)), |index| Some((false, index)));
        for (decisions, quorum, cancelled, published, now, expected) in [
            (vec![None], 1, false, 9, 100, Pending),
            (vec![None], 1, false, 9, 101, Expired),
            (vec![None], 1, true, 9, 50, Cancelled),
            (vec![None], 1, true, 9, 500, Cancelled),
            (vec![yes(9)], 1, false, 9, 50, Pending),
            (vec![yes(9)], 1, false, 9, 500, Pending),
            (vec![yes(9)], 1, false, 10, 500, Approved),
            (vec![no(9)], 1, false, 10, 50, Rejected),
            (vec![no(9)], 1, false, 9, 500, Pending),
            (vec![yes(5), None, None], 2, false, 10, 50, Pending),
            (vec![yes(5), None, None], 2, false, 10, 101, Expired),
            (vec![yes(5), yes(9), None], 2, false, 9, 101, Pending),
            (vec![yes(5), yes(9), None], 2, false, 10, 101, Approved),
            (vec![yes(5), no(9), None], 2, false, 10, 50, Rejected),
        ] {
            let record = record(&decisions, quorum, cancelled);
            let status = view(&record, TreeSize::new(published), Timestamp::from_unix(now));
            assert_eq!(status, expected, "{decisions:?} {quorum} {cancelled} {published} {now}");
        }
    }

    #[test]
    fn an_approval_whose_key_was_revoked_in_time_does_not_count() {
        let mut record = record(&[Some((true, 5)), Some((true, 9)), None], 2, false);
        record.approvers[0].decision.as_mut().unwrap().revoked_at = Some(40);
        assert_eq!(view(&record, TreeSize::new(10), Timestamp::from_unix(50)), Status::Pending);
        assert_eq!(view(&record, TreeSize::new(10), Timestamp::from_unix(101)), Status::Expired);
    }
}
