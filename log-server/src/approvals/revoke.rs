//! Revoking a passkey: from its entry on, nothing that it signs is accepted.

use api::Revoked;
use verifier::encoding;
use verifier::entry::{CredentialHash, Entry, RevocationEntry, RevocationReason};
use verifier::names::{Label, Username};

use super::records::{CredentialRecord, RevokedRecord};
use super::{Approvals, time_text};
use crate::keyspace;
use crate::problem::Problem;
use crate::store::StoreError;
use crate::writer::{Command, Failed, NewEntry, Priority, Transaction};

struct Revoke {
    credential: CredentialHash,
    approver: Label,
    reason: RevocationReason,
}

impl Approvals {
    /// Revokes a passkey by its name in the log.
    pub async fn revoke(&self, credential: &str, reason: &str) -> Result<Revoked, Problem> {
        let hash = encoding::array_from_base64url(credential).map_err(|_| Problem::NotFound)?;
        let reason = reason.parse().map_err(|error| Problem::invalid("reason", error))?;
        let record: CredentialRecord = self.record(&keyspace::credential(&hash))?.ok_or(Problem::NotFound)?;
        let username = Username::new(&record.username)
            .map_err(|_| StoreError(format!("the credential record {credential} is damaged")))?;
        let command = Revoke { credential: hash, approver: self.label(&username), reason };
        let RevokedRecord { at, index } = self.writer.submit(command).await?;
        Ok(Revoked { credential: credential.to_owned(), revoked_at: time_text(at), log_index: index })
    }
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
        let entry = RevocationEntry {
            approver: self.approver,
            credential: self.credential,
            reason: self.reason,
            revoked_at: tx.now(),
        };
        let index = tx.append(NewEntry::of(&Entry::Revocation(entry))).get();
        let revoked = RevokedRecord { at: tx.now().unix(), index };
        record.revoked = Some(revoked.clone());
        tracing::info!(event = "revocation", credential = record.credential, index);
        tx.put(key, &record);
        Ok(revoked)
    }
}
