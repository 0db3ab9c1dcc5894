//! Deciding: what the approve page needs, and the signed decision.

use api::{
    ApproveOptions, ApproveOptionsRequest, CredentialDescriptor, Decided, DecisionMade, DecisionRequest,
    DecisionSummary, Documents, Status,
};
use sha2::{Digest as _, Sha256};
use verifier::document::{Core, Decision, Document};
use verifier::encoding::{self, base64url};
use verifier::entry::{CredentialHash, DecisionEntry, Entry};
use verifier::names::{Label, Username};
use verifier::webauthn::{Assertion, PublicKey, verify_assertion};

use super::confirmation::{Current, require_pending};
use super::precedents::Traces;
use super::records::{ApproverRecord, ApproverSlot, ConfirmationRecord, CredentialRecord, DecisionRecord};
use super::{Approvals, assertion, endings, own, pending, time_text, username};
use crate::by_key;
use crate::keyspace;
use crate::problem::Problem;
use crate::store::StoreError;
use crate::writer::{Command, Failed, NewEntry, Priority, Transaction, assertion_digest};

/// The most characters of a note on a rejection.
const MAX_NOTE: usize = 1000;

/// A verified decision on its way into the log.
struct Decide {
    id: String,
    approver: Username,
    label: Label,
    decision: Decision,
    credential: CredentialHash,
    assertion: Assertion,
    digest: [u8; 32],
    sign_count: u32,
    backed_up: bool,
    user_handle: Option<String>,
    note: Option<String>,
    traces: Traces,
}

struct Recorded {
    index: u64,
    decided_at: u64,
}

impl Approvals {
    /// What an approver may sign, and what they should know before. Without a name, when several are asked: who is asked,
    /// and no documents.
    pub fn approve_options(&self, id: &str, asked: &ApproveOptionsRequest) -> Result<ApproveOptions, Problem> {
        let approver = asked.approver.as_deref();
        let current = self.current(id)?;
        let Current { record, status, published } = &current;
        let core = record.parsed_core()?;
        let slot = match (approver, &record.approvers[..]) {
            (Some(name), _) => Some(record.slot(name).ok_or(Problem::NotFound)?),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        let decided = slot.and_then(|slot| slot.decision.as_ref());
        let signable = slot.filter(|slot| *status == Status::Pending && slot.decision.is_none());
        let (last_approved, rejected_before, rejected_title) = match signable.map(|slot| slot.username.as_str()) {
            Some(name) => (
                self.last_approved(&core, name)?,
                self.rejected_before(&current, &core, name)?,
                self.rejected_title(&record.key_id, &core, name)?,
            ),
            None => (None, None, None),
        };
        // The salt is in the documents alone, so whoever sends it has seen what the receipt shows.
        let may_have_receipt = matches!(status, Status::Approved | Status::Rejected)
            && slot.is_some_and(|slot| asked.salt.as_ref().is_some_and(|salt| same(salt, &slot.salt)));
        Ok(ApproveOptions {
            id: record.id.clone(),
            status: *status,
            approvers: record.approvers.iter().map(|slot| slot.username.clone()).collect(),
            quorum: record.quorum,
            approver: slot.map(|slot| slot.username.clone()),
            compare_code: core.compare_code(),
            rp_id: self.identity.relying_party.rp_id.clone(),
            documents: signable.map(|slot| documents(record, slot, &core)).transpose()?,
            credentials: match signable {
                Some(slot) => self.descriptors(&slot.username)?,
                None => Vec::new(),
            },
            decided: decided.filter(|decision| decision.index < published.head.size.get()).map(|decision| Decided {
                decision: decision.decision().as_str().to_owned(),
                decided_at: time_text(decision.decided_at),
                log_index: decision.index,
            }),
            decisions: summaries(record, published.head.size.get()),
            last_approved,
            rejected_before,
            rejected_title,
            receipt: may_have_receipt.then(|| self.receipt(record, published)).transpose()?,
        })
    }

    /// Records a decision. The signature is verified here, over the stored document, by the code that verifies receipts.
    pub async fn decide(&self, id: &str, request: DecisionRequest) -> Result<DecisionMade, Problem> {
        let command = self.check_decision(id, request)?;
        let decision = command.decision;
        let Recorded { index, decided_at } = self.writer.submit(command).await?;
        let current = self.current(id)?;
        let ended = matches!(current.status, Status::Approved | Status::Rejected);
        Ok(DecisionMade {
            id: id.to_owned(),
            status: current.status,
            decision: decision.as_str().to_owned(),
            decided_at: time_text(decided_at),
            log_index: index,
            receipt: ended.then(|| self.receipt(&current.record, &current.published)).transpose()?,
        })
    }

    fn check_decision(&self, id: &str, request: DecisionRequest) -> Result<Decide, Problem> {
        let approver = username("approver", &request.approver)?;
        let decision: Decision = request.decision.parse().map_err(|error| Problem::invalid("decision", error))?;
        let Current { record, status, .. } = self.current(id)?;
        let slot = record.slot(approver.as_str()).ok_or(Problem::NotFound)?;
        check_note(request.note.as_deref(), decision)?;
        // What is committed and not published yet is for the writer to find, so that nobody hears of it early.
        require_pending(status)?;

        let sent = request.assertion;
        let (record_of_key, key) = self.key_of(&approver, &sent)?;
        let assertion = assertion::read("assertion", &sent)?;
        let document = record.document(slot, decision)?;
        let challenge = document.challenge();
        let data = verify_assertion(&assertion, &challenge, &self.identity.relying_party, &key, &*self.primitive)
            .map_err(|error| {
                tracing::warn!(confirmation = id, check = error.code(), %error, "a decision was refused");
                Problem::invalid("assertion", error)
            })?;
        Ok(Decide {
            id: id.to_owned(),
            label: self.label(&approver),
            approver,
            decision,
            credential: record_of_key.hash()?,
            digest: assertion_digest(&assertion),
            assertion,
            sign_count: data.sign_count,
            backed_up: data.flags.backed_up(),
            user_handle: sent.response.user_handle.filter(|handle| !handle.is_empty()),
            note: request.note.filter(|note| !note.is_empty()),
            traces: Traces::of(&document.core),
        })
    }

    /// The approver's active key with the id that the assertion names. The key comes from the enrolment alone.
    pub(super) fn key_of(
        &self,
        approver: &Username,
        sent: &api::Assertion,
    ) -> Result<(CredentialRecord, PublicKey), Problem> {
        assertion::check_ids("assertion", sent)?;
        let person: ApproverRecord = self.record(&keyspace::approver(approver.as_str()))?.ok_or(Problem::NotFound)?;
        if let Some(handle) = sent.response.user_handle.as_deref().filter(|handle| !handle.is_empty())
            && handle != person.user_handle
        {
            return Err(Problem::invalid("assertion.response.userHandle", "is another person's"));
        }
        let credentials = self.credentials(&person)?;
        let found = credentials.into_iter().find(|record| record.is_active() && record.credential_id == sent.id);
        let record =
            found.ok_or_else(|| Problem::invalid("assertion.id", format!("is not an active passkey of {approver}")))?;
        let key = record.key()?;
        Ok((record, key))
    }

    /// All keys ever enrolled for somebody.
    pub(super) fn credentials(&self, person: &ApproverRecord) -> Result<Vec<CredentialRecord>, StoreError> {
        let mut all = Vec::new();
        for hash in person.credential_hashes()? {
            let missing = || StoreError(format!("a credential of {} is missing", person.username));
            all.push(self.record(&keyspace::credential(&hash))?.ok_or_else(missing)?);
        }
        Ok(all)
    }

    pub(super) fn descriptors(&self, username: &str) -> Result<Vec<CredentialDescriptor>, StoreError> {
        let Some(person) = self.record::<ApproverRecord>(&keyspace::approver(username))? else { return Ok(Vec::new()) };
        let active = self.credentials(&person)?.into_iter().filter(CredentialRecord::is_active);
        Ok(active
            .map(|record| CredentialDescriptor { id: record.credential_id, transports: record.transports })
            .collect())
    }
}

fn documents(record: &ConfirmationRecord, slot: &ApproverSlot, core: &Core) -> Result<Documents, StoreError> {
    let approve = record.document_of(core.clone(), slot, Decision::Approve)?;
    let reject = Document { decision: Decision::Reject, ..approve.clone() };
    Ok(Documents { approve: approve.to_canonical(), reject: reject.to_canonical() })
}

/// The published decisions, in the order of the log.
fn summaries(record: &ConfirmationRecord, size: u64) -> Vec<DecisionSummary> {
    let decided = record.approvers.iter().filter_map(|slot| Some((slot, slot.decision.as_ref()?)));
    let mut published: Vec<_> = decided.filter(|(_, decision)| decision.index < size).collect();
    published.sort_by_key(|(_, decision)| decision.index);
    let summary = |(slot, decision): (&ApproverSlot, &DecisionRecord)| DecisionSummary {
        approver: slot.username.clone(),
        decision: decision.decision().as_str().to_owned(),
        decided_at: time_text(decision.decided_at),
        revoked_at: decision.revoked_at.map(time_text),
    };
    published.into_iter().map(summary).collect()
}

/// Compares secrets by their hashes, so that the time it takes tells nothing about where they differ.
fn same(one: &str, other: &str) -> bool {
    Sha256::digest(one) == Sha256::digest(other)
}

fn check_note(note: Option<&str>, decision: Decision) -> Result<(), Problem> {
    match note {
        Some(_) if decision == Decision::Approve => Err(Problem::invalid("note", "goes with a rejection only")),
        Some(note) if note.chars().count() > MAX_NOTE => {
            Err(Problem::invalid("note", format!("more than {MAX_NOTE} characters")))
        }
        _ => Ok(()),
    }
}

pub(super) fn bytes(field: &str, text: &str) -> Result<Vec<u8>, Problem> {
    encoding::from_base64url(text).map_err(|error| Problem::invalid(field, error))
}

impl Command for Decide {
    type Answer = Recorded;
    type Refusal = Problem;
    const PRIORITY: Priority = Priority::Ends;

    fn run(self, tx: &mut Transaction<'_>) -> Result<Recorded, Failed<Problem>> {
        let refused = |problem| Err(Failed::Refused(problem));
        let key = keyspace::confirmation(&self.id);
        let Some(mut record) = tx.get::<ConfirmationRecord>(&key)? else { return refused(Problem::NotFound) };
        require_pending(record.status_in_writer(tx.now())).map_err(Failed::Refused)?;
        if !by_key::is_good(tx, &record.key_id)? {
            let words = "this confirmation is cancelled already: its API key was revoked";
            return refused(Problem::Conflict(words.to_owned()));
        }
        let credential_key = keyspace::credential(&self.credential);
        let Some(mut credential) = tx.get::<CredentialRecord>(&credential_key)? else {
            return refused(Problem::NotFound);
        };
        if !credential.is_active() {
            return refused(Problem::Conflict("this passkey was revoked".to_owned()));
        }
        let Some(slot) = record.approvers.iter_mut().find(|slot| slot.username == self.approver.as_str()) else {
            return refused(Problem::NotFound);
        };
        if slot.decision.is_some() {
            return refused(Problem::Conflict(format!("{} has decided already", self.approver)));
        }

        let decided_at = tx.now();
        let entry = Entry::Decision(DecisionEntry {
            approver: self.label,
            credential: self.credential,
            decision: self.decision,
            decided_at,
            assertion: self.assertion,
        });
        let entry = NewEntry { assertion_digest: Some(self.digest), ..NewEntry::of(&entry) };
        let index = tx.append(entry).get();

        // Both zero is a synced passkey that does not count; otherwise a counter that does not rise hints at a copy.
        let counts = self.sign_count != 0 || credential.sign_count != 0;
        let counter_regression = counts && self.sign_count <= credential.sign_count;
        if counter_regression {
            tracing::warn!(confirmation = self.id, "the signature counter of a passkey did not rise");
        }
        slot.decision = Some(DecisionRecord {
            approves: self.decision == Decision::Approve,
            index,
            decided_at: decided_at.unix(),
            credential_id: credential.credential_id.clone(),
            enrolled_index: credential.index,
            user_handle: self.user_handle,
            note: self.note,
            counter_regression,
            revoked_at: None,
        });
        credential.sign_count = credential.sign_count.max(self.sign_count);
        credential.backed_up = self.backed_up;
        credential.last_signed_at = Some(decided_at.unix());
        tx.put(credential_key, &credential);
        let status = record.status_in_writer(decided_at);
        if status != Status::Pending {
            pending::close(tx, &record)?;
            endings::tell(tx, &record)?;
            self.traces.remember(tx, &record, status)?;
        }
        own::decided(tx, &self.approver, index, &self.id);
        tx.put(key, &record);
        tx.wake(&self.id);
        tracing::info!(
            event = "decision",
            confirmation = self.id,
            credential = base64url(&self.credential),
            decision = self.decision.as_str(),
            index
        );
        Ok(Recorded { index, decided_at: decided_at.unix() })
    }
}
