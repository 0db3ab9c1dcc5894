//! Listing people and their passkeys.

use api::{ApproverList, ApproverSummary, CredentialSummary};
use verifier::encoding::base64url;
use verifier::names::Username;

use super::records::{ApproverRecord, CredentialRecord};
use super::{Approvals, time_text};
use crate::keyspace::Kind;
use crate::problem::Problem;
use crate::store::StoreError;

impl Approvals {
    /// All approvers with every passkey ever enrolled.
    pub fn approvers(&self) -> Result<ApproverList, Problem> {
        let mut approvers = Vec::new();
        for person in self.records::<ApproverRecord>(Kind::Approver)? {
            let name = Username::new(&person.username)
                .map_err(|_| StoreError(format!("the record of {} is damaged", person.username)))?;
            approvers.push(ApproverSummary {
                approver: base64url(&self.label(&name).0),
                credentials: self.credentials(&person)?.into_iter().map(describe).collect(),
                contacts: self.contacts(&person.username)?,
                username: person.username,
            });
        }
        Ok(ApproverList { approvers })
    }
}

fn describe(record: CredentialRecord) -> CredentialSummary {
    CredentialSummary {
        credential: record.credential,
        alg: record.alg,
        backup_eligible: record.backup_eligible,
        enrolled_at: time_text(record.enrolled_at),
        log_index: record.index,
        revoked_at: record.revoked.map(|revoked| time_text(revoked.at)),
    }
}
