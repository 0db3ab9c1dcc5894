//! Receipts: everything that a stranger needs to check what was decided, under one checkpoint.

use std::collections::BTreeSet;

use api::Status;
use merkle::LeafIndex;
use verifier::entry::{Authorisation, Entry};
use verifier::receipt::{DecisionPart, LoggedEntry, Receipt};

use super::Approvals;
use super::confirmation::Current;
use super::records::{ConfirmationRecord, CredentialRecord};
use crate::keyspace;
use crate::problem::Problem;
use crate::store::StoreError;
use crate::tree::stored_entry;
use crate::writer::Published;

impl Approvals {
    /// The receipt of a decided confirmation whose documents say that it may be public. Everything else does not exist.
    pub fn public_receipt(&self, id: &str) -> Result<String, Problem> {
        let Current { record, status, published } = self.current(id)?;
        let decided = matches!(status, Status::Approved | Status::Rejected);
        if decided && record.parsed_core()?.reveal {
            Ok(self.receipt(&record, &published)?)
        } else {
            Err(Problem::NotFound)
        }
    }

    /// The receipt's exact text, under this checkpoint or a later one. Only for what this checkpoint shows to be decided:
    /// nothing else in the receipt changes any more then.
    pub(crate) fn receipt(&self, record: &ConfirmationRecord, published: &Published) -> Result<String, StoreError> {
        let make = || self.make_receipt(record, published);
        Ok(self.made.get_or_make(&record.id, published.head.size, make)?.to_string())
    }

    fn make_receipt(&self, record: &ConfirmationRecord, published: &Published) -> Result<String, StoreError> {
        let mut decisions = Vec::new();
        let mut enrolled = BTreeSet::new();
        for slot in &record.approvers {
            // What was revoked before the quorum was reached is no part of it; a verifier could not tell.
            let counted = slot.decision.as_ref().filter(|decision| decision.revoked_at.is_none());
            let Some(decision) = counted else { continue };
            if decision.index < published.head.size.get() {
                let document = record.document(slot, decision.decision())?.to_canonical();
                decisions.push(DecisionPart { document, logged: self.logged(decision.index, published)? });
                enrolled.insert(decision.enrolled_index);
            }
        }
        decisions.sort_by_key(|part| part.logged.index);
        let enrolments = self.with_authorising(enrolled)?.into_iter().map(|index| self.logged(index, published));
        let receipt = Receipt {
            checkpoint: published.checkpoint.to_string(),
            decisions,
            enrolments: enrolments.collect::<Result<_, _>>()?,
        };
        Ok(receipt.to_canonical())
    }

    /// The enrolments of keys that signed, those of the keys that authorised them, and so on back to an invite: exactly what
    /// a verifier asks for (docs/protocol.md section 11), ascending.
    fn with_authorising(&self, signed: BTreeSet<u64>) -> Result<BTreeSet<u64>, StoreError> {
        let mut open: Vec<u64> = signed.into_iter().collect();
        let mut all = BTreeSet::new();
        while let Some(index) = open.pop() {
            if all.insert(index) {
                open.extend(self.authorising(index)?);
            }
        }
        Ok(all)
    }

    /// Where the key was enrolled that authorised the enrolment at an index; none if an invite did.
    fn authorising(&self, index: u64) -> Result<Option<u64>, StoreError> {
        let bytes = stored_entry(&*self.store, LeafIndex::new(index))?;
        let Ok(Entry::Credential(entry)) = Entry::parse(&bytes) else {
            return Err(StoreError(format!("the entry {index} is not an enrolment")));
        };
        let Authorisation::Credential { credential, .. } = entry.authorised_by else { return Ok(None) };
        let earlier: Option<CredentialRecord> = self.record(&keyspace::credential(&credential))?;
        let missing = || StoreError(format!("the key that authorised the enrolment at {index} is missing"));
        earlier.map(|record| Some(record.index)).ok_or_else(missing)
    }

    fn logged(&self, index: u64, published: &Published) -> Result<LoggedEntry, StoreError> {
        let index = LeafIndex::new(index);
        let entry = String::from_utf8(stored_entry(&*self.store, index)?)
            .map_err(|_| StoreError(format!("the entry {index} is not text")))?;
        Ok(LoggedEntry { entry, hashes: self.inclusion(index, published)?, index })
    }
}
