//! Signing in to one's own page with a passkey.
//!
//! No name is asked for: the authenticator says whose passkey it is. So nobody learns here who is enrolled.

use api::{SessionRequest, SignInOptions};
use sha2::{Digest as _, Sha256};
use verifier::encoding::{self, base64url};
use verifier::entry::CredentialHash;
use verifier::names::Username;
use verifier::webauthn::verify_assertion;

use super::assertion;
use super::records::{ApproverRecord, CredentialRecord};
use super::sessions::SignedIn;
use super::{Approvals, username};
use crate::keyspace;
use crate::problem::Problem;
use crate::random::bytes32;
use crate::store::StoreError;

/// A sign-in under way: nothing is known of it but its challenge.
#[derive(Debug)]
pub(super) struct SignIn;

impl Approvals {
    /// A challenge to sign in with: 32 bytes, so that it can be no decision's and no enrolment's.
    pub fn sign_in_options(&self) -> SignInOptions {
        let challenge = bytes32(&*self.random);
        self.ceremonies.sign_ins.put(&challenge, SignIn, self.time.now());
        SignInOptions { challenge: base64url(&challenge), rp_id: self.identity.relying_party.rp_id.clone() }
    }

    /// Begins a session and says its token, which is told this once.
    pub fn sign_in(&self, request: &SessionRequest) -> Result<String, Problem> {
        let sent = &request.assertion;
        let signed = assertion::read("assertion", sent)?;
        let challenge = assertion::claimed_challenge("assertion", &signed)?;
        let now = self.time.now();
        if self.ceremonies.sign_ins.take(&challenge, now).is_none() {
            return Err(Problem::Conflict("this sign-in took too long or was used before; begin again".to_owned()));
        }
        let (person, record) = self.owner_of(sent)?;
        let key = record.key()?;
        verify_assertion(&signed, &challenge, &self.identity.relying_party, &key, &*self.primitive).map_err(
            |error| {
                tracing::warn!(check = error.code(), %error, "a sign-in was refused");
                Problem::invalid("assertion", error)
            },
        )?;
        let token = base64url(&bytes32(&*self.random));
        let signed_in = SignedIn { username: username("username", &person.username)?, credential: record.hash()? };
        self.sessions.begin(&token, signed_in, now);
        Ok(token)
    }

    /// Ends a session, if there is one.
    pub fn sign_out(&self, token: &str) {
        self.sessions.end(token);
    }

    /// Who is signed in under a token: as long as the passkey that signed in is active.
    pub fn signed_in(&self, token: &str) -> Result<SignedIn, Problem> {
        let signed_in = self.sessions.using(token, self.time.now()).ok_or(Problem::NoSession)?;
        let record: Option<CredentialRecord> = self.record(&keyspace::credential(&signed_in.credential))?;
        if record.is_some_and(|record| record.is_active()) {
            return Ok(signed_in);
        }
        self.sessions.end(token);
        Err(Problem::NoSession)
    }

    /// The active passkey that an assertion names, and its owner, whom the user handle must name too.
    fn owner_of(&self, sent: &api::Assertion) -> Result<(ApproverRecord, CredentialRecord), Problem> {
        assertion::check_ids("assertion", sent)?;
        let unknown = || Problem::invalid("assertion.id", "is not an active passkey of this server");
        let id = encoding::from_base64url(&sent.id).map_err(|_| unknown())?;
        let hash = self.store.get(&keyspace::credential_id(&Sha256::digest(&id).into()))?.ok_or_else(unknown)?;
        let damaged = || StoreError("the record of a credential id is damaged".to_owned());
        let hash: CredentialHash = hash.try_into().map_err(|_| damaged())?;
        let record: CredentialRecord = self.record(&keyspace::credential(&hash))?.ok_or_else(damaged)?;
        if !record.is_active() {
            return Err(unknown());
        }
        let person: ApproverRecord = self.record(&keyspace::approver(&record.username))?.ok_or_else(damaged)?;
        // The one ceremony in which nobody has said before who they are: the authenticator must say it.
        if sent.response.user_handle.as_deref() != Some(&person.user_handle) {
            return Err(Problem::invalid("assertion.response.userHandle", "is not the one of this passkey"));
        }
        Ok((person, record))
    }

    /// The person who is signed in, with the record.
    pub(super) fn person(&self, name: &Username) -> Result<ApproverRecord, Problem> {
        self.record(&keyspace::approver(name.as_str()))?.ok_or(Problem::NotFound)
    }
}
