//! Removing one of one's own passkeys: a revocation like an admin's, but never of the last active one.
//!
//! Being signed in is not enough. A session lives in a cookie for hours, and whoever finds a browser that is signed in could
//! lock its owner out, or end the owner's part in what is pending, for good. So an active passkey of the same person signs
//! a fresh challenge of 32 bytes that was made for this removal alone. It may be the one that is removed: an old phone can
//! be taken out of use with the phone itself.

use api::{RemovalOptions, RemovalRequest, Revoked};
use verifier::encoding::{self, base64url};
use verifier::entry::CredentialHash;
use verifier::webauthn::verify_assertion;

use super::records::{CredentialRecord, RevokedRecord};
use super::revoke::Revoke;
use super::sessions::SignedIn;
use super::{Approvals, assertion, time_text};
use crate::keyspace;
use crate::problem::Problem;
use crate::random::bytes32;

/// A removal under way.
#[derive(Debug)]
pub(super) struct Removal {
    signed_in: SignedIn,
    credential: CredentialHash,
}

impl Approvals {
    /// What a passkey must sign to remove this one.
    pub fn removal_options(&self, signed_in: &SignedIn, credential: &str) -> Result<RemovalOptions, Problem> {
        let record = self.own_passkey(signed_in, credential)?;
        let challenge = bytes32(&*self.random);
        let removal = Removal { signed_in: signed_in.clone(), credential: record.hash()? };
        self.ceremonies.removals.put(&challenge, removal, self.time.now());
        Ok(RemovalOptions {
            challenge: base64url(&challenge),
            rp_id: self.identity.relying_party.rp_id.clone(),
            credentials: self.descriptors(signed_in.username.as_str())?,
        })
    }

    /// Removes a passkey: verifies the signature and revokes it in the log.
    pub async fn remove_passkey(
        &self,
        signed_in: &SignedIn,
        credential: &str,
        request: &RemovalRequest,
    ) -> Result<Revoked, Problem> {
        let reason = request.reason.parse().map_err(|error| Problem::invalid("reason", error))?;
        let record = self.own_passkey(signed_in, credential)?;
        let signed = assertion::read("assertion", &request.assertion)?;
        let challenge = assertion::claimed_challenge("assertion", &signed)?;
        let removal = self.ceremonies.removals.take(&challenge, self.time.now());
        let hash = record.hash()?;
        let removal = removal.filter(|removal| removal.signed_in == *signed_in && removal.credential == hash);
        if removal.is_none() {
            return Err(Problem::Conflict("this removal took too long or was used before; begin again".to_owned()));
        }
        let (by, key) = self.key_of(&signed_in.username, &request.assertion)?;
        verify_assertion(&signed, &challenge, &self.identity.relying_party, &key, &*self.primitive).map_err(
            |error| {
                tracing::warn!(check = error.code(), %error, "a removal was refused");
                Problem::invalid("assertion", error)
            },
        )?;
        let username = signed_in.username.clone();
        let (approver, by_owner) = (self.label(&username), Some(by.hash()?));
        let command = Revoke { credential: hash, username, approver, reason, by_owner };
        let RevokedRecord { at, index } = self.writer.submit(command).await?;
        Ok(Revoked { credential: record.credential, revoked_at: time_text(at), log_index: index })
    }

    /// A passkey of this person. One of another person does not exist.
    fn own_passkey(&self, signed_in: &SignedIn, credential: &str) -> Result<CredentialRecord, Problem> {
        let hash = encoding::array_from_base64url(credential).map_err(|_| Problem::NotFound)?;
        let record: Option<CredentialRecord> = self.record(&keyspace::credential(&hash))?;
        record.filter(|record| record.username == signed_in.username.as_str()).ok_or(Problem::NotFound)
    }
}
