//! An approver's own page: what waits for them, what they decided, their passkeys. It reads; each change on it takes a
//! signature of its own.

use api::{MyDecision, MyPage, MyPageRequest, MyPasskey, MyReceipt, MyWaiting, Status};
use merkle::TreeSize;
use verifier::encoding::base64url;
use verifier::names::Username;

use super::confirmation::{Current, view};
use super::records::{ConfirmationRecord, CredentialRecord};
use super::sessions::SignedIn;
use super::{Approvals, pending, time_text};
use crate::keyspace;
use crate::problem::Problem;
use crate::store::StoreError;
use crate::writer::Transaction;

/// How many decisions one page shows.
const PAGE: usize = 50;
/// How many confirmations that still can be decided are looked at for what waits, soonest to expire first.
const MAX_LOOK: usize = 2000;

/// Notes a decision, so that it is found on its approver's page.
pub(super) fn decided(tx: &mut Transaction<'_>, approver: &Username, index: u64, id: &str) {
    tx.put_bytes(keyspace::decided(approver.as_str(), index), id.as_bytes().to_vec());
}

impl Approvals {
    /// What the page shows to the person who is signed in.
    pub fn my_page(&self, signed_in: &SignedIn, request: &MyPageRequest) -> Result<MyPage, Problem> {
        let SignedIn { username, credential } = signed_in;
        // Whatever is decided meanwhile is in neither list or in both; the size is read before the records.
        let published = self.writer.published().head.size;
        let waiting = self.waiting(username, published)?;
        let (decided, next_cursor) = self.decided(username, request.cursor.as_deref(), published)?;
        let passkeys = self.credentials(&self.person(username)?)?.into_iter();
        Ok(MyPage {
            username: username.to_string(),
            approver: base64url(&self.label(username).0),
            waiting,
            decided,
            next_cursor,
            passkeys: passkeys
                .filter(|record| record.index < published.get())
                .map(|record| passkey(record, &base64url(credential)))
                .collect(),
            contacts: self.contacts(username.as_str())?,
            channels: self.couriers.channels().map(|channel| channel.as_str().to_owned()).collect(),
        })
    }

    /// The receipt of a confirmation that this person decided, once it is decided as a whole. Everything else does not exist.
    pub fn my_receipt(&self, signed_in: &SignedIn, id: &str) -> Result<MyReceipt, Problem> {
        let Current { record, status, published } = self.current(id)?;
        let decision = record.slot(signed_in.username.as_str()).and_then(|slot| slot.decision.as_ref());
        let mine = decision.is_some_and(|decision| decision.index < published.head.size.get());
        if mine && has_receipt(status) {
            return Ok(MyReceipt { receipt: self.receipt(&record, &published)? });
        }
        Err(Problem::NotFound)
    }

    /// What can still be decided by this person, soonest to expire first.
    fn waiting(&self, username: &Username, published: TreeSize) -> Result<Vec<MyWaiting>, StoreError> {
        let now = self.time.now();
        let mut waiting = Vec::new();
        for id in pending::asking_from(&*self.store, username, now, MAX_LOOK)? {
            let Some(record) = self.record::<ConfirmationRecord>(&keyspace::confirmation(&id))? else { continue };
            let undecided = record.slot(username.as_str()).is_some_and(|slot| slot.decision.is_none());
            if undecided && view(&record, published, now) == Status::Pending {
                waiting.push(waiting_for(&record, published)?);
            }
        }
        Ok(waiting)
    }

    /// A page of what this person decided, newest first, and where the next page begins.
    fn decided(
        &self,
        username: &Username,
        cursor: Option<&str>,
        published: TreeSize,
    ) -> Result<(Vec<MyDecision>, Option<String>), Problem> {
        let name = username.as_str();
        let prefix = keyspace::decided_prefix(name);
        let from = match cursor.map(str::parse) {
            None => prefix.clone(),
            Some(Ok(index)) => [keyspace::decided(name, index), vec![0]].concat(),
            Some(Err(_)) => return Err(Problem::invalid("cursor", "is not one of ours")),
        };
        let now = self.time.now();
        let mut page: Vec<MyDecision> = Vec::new();
        // Some of the newest may not be published yet; they are left out, and the next look has them.
        for (_, id) in self.store.scan(&from, &keyspace::after(&prefix), PAGE + 1)? {
            if page.len() == PAGE {
                let cursor = page.last().map(|last| last.log_index.to_string());
                return Ok((page, cursor));
            }
            let id = String::from_utf8_lossy(&id).into_owned();
            let Some(record) = self.record::<ConfirmationRecord>(&keyspace::confirmation(&id))? else { continue };
            page.extend(decision_of(&record, name, view(&record, published, now), published)?);
        }
        Ok((page, None))
    }
}

fn has_receipt(status: Status) -> bool {
    matches!(status, Status::Approved | Status::Rejected)
}

fn waiting_for(record: &ConfirmationRecord, published: TreeSize) -> Result<MyWaiting, StoreError> {
    let core = record.parsed_core()?;
    let approvals = record.counted().filter(|decision| decision.index < published.get()).count();
    Ok(MyWaiting {
        id: record.id.clone(),
        action: core.action,
        requester: core.requester,
        created_at: core.issued_at.to_string(),
        expires_at: core.expires_at.to_string(),
        approvers: record.approvers.iter().map(|slot| slot.username.clone()).collect(),
        quorum: record.quorum,
        approvals: u32::try_from(approvals).unwrap_or(u32::MAX),
    })
}

fn decision_of(
    record: &ConfirmationRecord,
    name: &str,
    status: Status,
    published: TreeSize,
) -> Result<Option<MyDecision>, StoreError> {
    let decision = record.slot(name).and_then(|slot| slot.decision.as_ref());
    let Some(decision) = decision.filter(|decision| decision.index < published.get()) else { return Ok(None) };
    let core = record.parsed_core()?;
    Ok(Some(MyDecision {
        id: record.id.clone(),
        action: core.action,
        requester: core.requester,
        decision: decision.decision().as_str().to_owned(),
        decided_at: time_text(decision.decided_at),
        log_index: decision.index,
        status,
        has_receipt: has_receipt(status),
        revoked_at: decision.revoked_at.map(time_text),
    }))
}

fn passkey(record: CredentialRecord, signed_in: &str) -> MyPasskey {
    MyPasskey {
        signed_in: record.credential == signed_in,
        credential: record.credential,
        alg: record.alg,
        enrolled_at: time_text(record.enrolled_at),
        log_index: record.index,
        authorised_by: record.authorised_by,
        backup_eligible: record.backup_eligible,
        backed_up: record.backed_up,
        last_signed_at: record.last_signed_at.map(time_text),
        revoked_at: record.revoked.map(|revoked| time_text(revoked.at)),
    }
}
