//! Revoking a passkey: from its entry on, nothing that it signs is accepted, and what it approved counts no more where the
//! quorum is not reached yet.

use api::{Revoked, Status};
use verifier::encoding;
use verifier::entry::{CredentialHash, Entry, RevocationEntry, RevocationReason};
use verifier::names::{Label, Username};

use super::records::{ApproverRecord, ConfirmationRecord, CredentialRecord, RevokedRecord};
use super::{Approvals, pending, time_text};
use crate::keyspace;
use crate::problem::Problem;
use crate::store::StoreError;
use crate::writer::{Command, Failed, NewEntry, Priority, Transaction};

pub(super) struct Revoke {
    pub(super) credential: CredentialHash,
    pub(super) username: Username,
    pub(super) approver: Label,
    pub(super) reason: RevocationReason,
    /// The owner's key that signed for it, if it is the owner who revokes, and not an admin.
    pub(super) by_owner: Option<CredentialHash>,
}

impl Approvals {
    /// Revokes a passkey by its name in the log, asked with the API key that has the id `by`.
    pub async fn revoke(&self, by: &str, credential: &str, reason: &str) -> Result<Revoked, Problem> {
        let hash = encoding::array_from_base64url(credential).map_err(|_| Problem::NotFound)?;
        let reason = reason.parse().map_err(|error| Problem::invalid("reason", error))?;
        let record: CredentialRecord = self.record(&keyspace::credential(&hash))?.ok_or(Problem::NotFound)?;
        let username = Username::new(&record.username)
            .map_err(|_| StoreError(format!("the credential record {credential} is damaged")))?;
        let command = Revoke { credential: hash, approver: self.label(&username), username, reason, by_owner: None };
        let RevokedRecord { at, index } = self.submit_by(by, command).await?;
        Ok(Revoked { credential: credential.to_owned(), revoked_at: time_text(at), log_index: index })
    }
}

/// An owner revokes with a key that is still active, and keeps one: without any only an admin could let them in again.
fn may_revoke_own(
    tx: &Transaction<'_>,
    record: &CredentialRecord,
    signer: &CredentialHash,
) -> Result<(), Failed<Problem>> {
    let refused = |words: &str| Err(Failed::Refused(Problem::Conflict(words.to_owned())));
    if !tx.get::<CredentialRecord>(&keyspace::credential(signer))?.is_some_and(|signer| signer.is_active()) {
        return refused("the passkey that signed for this was revoked");
    }
    let person = tx.get::<ApproverRecord>(&keyspace::approver(&record.username))?;
    if person.map_or(Ok(0), |person| person.active_keys(tx))? < 2 {
        return refused("this is your last active passkey; add another one before you remove it");
    }
    Ok(())
}

impl Command for Revoke {
    type Answer = RevokedRecord;
    type Refusal = Problem;
    const PRIORITY: Priority = Priority::Ends;

    fn run(self, tx: &mut Transaction<'_>) -> Result<RevokedRecord, Failed<Problem>> {
        let key = keyspace::credential(&self.credential);
        let Some(mut record) = tx.get::<CredentialRecord>(&key)? else {
            return Err(Failed::Refused(Problem::NotFound));
        };
        // Revoking twice is revoking once.
        if let Some(earlier) = record.revoked {
            return Ok(earlier);
        }
        if let Some(signer) = &self.by_owner {
            may_revoke_own(tx, &record, signer)?;
        }
        let entry = RevocationEntry {
            approver: self.approver,
            credential: self.credential,
            reason: self.reason,
            revoked_at: tx.now(),
        };
        let index = tx.append(NewEntry::of(&Entry::Revocation(entry))).get();
        let revoked = RevokedRecord { at: tx.now().unix(), index };
        record.revoked = Some(revoked.clone());
        self.end_its_part(tx, &record.credential_id)?;
        tracing::info!(event = "revocation", credential = record.credential, index);
        tx.put(key, &record);
        Ok(revoked)
    }
}

impl Revoke {
    /// What this key approved counts no more where others have still to decide. What has ended stays as it is: the log
    /// says that it was approved while the key was good.
    fn end_its_part(&self, tx: &mut Transaction<'_>, credential_id: &str) -> Result<(), StoreError> {
        let now = tx.now();
        for id in pending::asking(tx, &self.username)? {
            let key = keyspace::confirmation(&id);
            let Some(mut record) = tx.get::<ConfirmationRecord>(&key)? else { continue };
            if record.status_in_writer(now) != Status::Pending {
                continue;
            }
            let slots = record.approvers.iter_mut().filter(|slot| slot.username == self.username.as_str());
            let decisions = slots.filter_map(|slot| slot.decision.as_mut());
            let Some(decision) = decisions.into_iter().find(|decision| decision.credential_id == credential_id) else {
                continue;
            };
            decision.revoked_at = Some(now.unix());
            tracing::info!(event = "decision ended by revocation", confirmation = id, index = decision.index);
            tx.put(key, &record);
        }
        Ok(())
    }
}
