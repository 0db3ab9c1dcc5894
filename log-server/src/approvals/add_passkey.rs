//! A further passkey of a person, authorised by an earlier one (docs/protocol.md section 9).
//!
//! ```text
//! options        → a challenge of 32 bytes for the new passkey
//! authorisation  the registration over it → the enrolment document and a fresh nonce
//! add            the registration again, with the earlier key's signature over nonce ‖ SHA-256(document)
//! ```
//!
//! Between the steps nothing is kept but challenges: the registration is verified each time that it comes.

use api::{AddPasskeyRequest, AuthorisationOptions, AuthorisationOptionsRequest, Enrolled, PasskeyOptions};
use verifier::encoding::base64url;
use verifier::entry::{Authorisation, CredentialHash};
use verifier::names::{Label, Username};
use verifier::time::Timestamp;
use verifier::webauthn::{Assertion, verify_assertion};

use super::new_key::{AllowedBy, NewKey};
use super::records::{ApproverRecord, CredentialRecord};
use super::sessions::SignedIn;
use super::{Approvals, assertion, new_key};
use crate::keyspace;
use crate::problem::Problem;
use crate::random::bytes32;
use crate::writer::{Command, Failed, Transaction};

/// The most keys from one that signs back to one that an invite enrolled, both counted (docs/protocol.md section 9).
const MAX_CHAIN: usize = 8;
/// The most passkeys of one person that are active at a time: each is offered to the browser whenever one is asked for.
const MAX_ACTIVE: usize = 16;

/// An addition under way.
#[derive(Debug)]
pub(super) struct Addition {
    username: Username,
    /// The challenge of the registration, once it was answered; before that the addition is known by it.
    registered: Option<Vec<u8>>,
}

/// A verified registration with its verified authorisation, on its way into the log.
struct AddPasskey {
    username: Username,
    label: Label,
    key: NewKey,
    by: CredentialHash,
    assertion: Assertion,
}

impl Approvals {
    /// What the authenticator needs to make a further passkey; it refuses if it holds one already.
    pub fn passkey_options(&self, signed_in: &SignedIn) -> Result<PasskeyOptions, Problem> {
        let username = &signed_in.username;
        let person = self.person(username)?;
        let challenge = bytes32(&*self.random);
        let active = self.descriptors(username.as_str())?;
        let public_key = self.registration_options(&challenge, &person.user_handle, username, active);
        let addition = Addition { username: username.clone(), registered: None };
        self.ceremonies.additions.put(&challenge, addition, self.time.now());
        Ok(PasskeyOptions { public_key })
    }

    /// What an earlier key must sign to allow the new one.
    pub fn authorisation_options(
        &self,
        signed_in: &SignedIn,
        request: AuthorisationOptionsRequest,
    ) -> Result<AuthorisationOptions, Problem> {
        let registered = new_key::claimed_challenge(&request.credential)?;
        let addition = self.addition(signed_in, &registered, |addition| addition.registered.is_none())?;
        let key = self.verified_registration(request.credential, &registered)?;
        let (document, nonce) = (self.document(&addition.username, &key), bytes32(&*self.random));
        let challenge = self.challenge(&addition.username, &key, &nonce);
        let addition = Addition { registered: Some(registered), ..addition };
        self.ceremonies.additions.put(&challenge, addition, self.time.now());
        Ok(AuthorisationOptions {
            document,
            nonce: base64url(&nonce),
            rp_id: self.identity.relying_party.rp_id.clone(),
            credentials: self.descriptors(signed_in.username.as_str())?,
        })
    }

    /// Enrols a further passkey: verifies both signatures and writes it into the log.
    pub async fn add_passkey(&self, signed_in: &SignedIn, request: AddPasskeyRequest) -> Result<Enrolled, Problem> {
        let command = self.check_addition(signed_in, request)?;
        Ok(self.writer.submit(command).await?)
    }

    fn check_addition(&self, signed_in: &SignedIn, request: AddPasskeyRequest) -> Result<AddPasskey, Problem> {
        let assertion = assertion::read("assertion", &request.assertion)?;
        let signed = assertion::claimed_challenge("assertion", &assertion)?;
        let addition = self.addition(signed_in, &signed, |addition| addition.registered.is_some())?;
        let registered = addition.registered.unwrap_or_default();
        let key = self.verified_registration(request.credential, &registered)?;
        let username = addition.username;
        // Computed again over the key that came: the nonce alone is taken from what was signed.
        let Some(nonce) = signed.first_chunk() else { return Err(begin_again()) };
        let challenge = self.challenge(&username, &key, nonce);
        let (record, earlier) = self.key_of(&username, &request.assertion)?;
        verify_assertion(&assertion, &challenge, &self.identity.relying_party, &earlier, &*self.primitive).map_err(
            |error| {
                tracing::warn!(check = error.code(), %error, "the authorisation of an enrolment was refused");
                Problem::invalid("assertion", error)
            },
        )?;
        Ok(AddPasskey { label: self.label(&username), username, key, by: record.hash()?, assertion })
    }

    /// The addition of this person that a challenge was made for.
    fn addition(
        &self,
        signed_in: &SignedIn,
        challenge: &[u8],
        right_step: impl Fn(&Addition) -> bool,
    ) -> Result<Addition, Problem> {
        let addition = self.ceremonies.additions.take(challenge, self.time.now());
        let of_this_person = |addition: &Addition| addition.username == signed_in.username && right_step(addition);
        addition.filter(of_this_person).ok_or_else(begin_again)
    }

    fn document(&self, username: &Username, key: &NewKey) -> String {
        self.unsigned(username, key).enrolment_document(&self.identity.log_origin)
    }

    fn challenge(&self, username: &Username, key: &NewKey, nonce: &[u8; 32]) -> [u8; 64] {
        self.unsigned(username, key).enrolment_challenge(&self.identity.log_origin, nonce)
    }

    /// The entry as far as its document needs it, in which neither time nor authorisation stand.
    fn unsigned(&self, username: &Username, key: &NewKey) -> verifier::entry::CredentialEntry {
        key.entry(self.label(username), Timestamp::from_unix(0), Authorisation::Invite([0; 32]))
    }
}

fn begin_again() -> Problem {
    Problem::Conflict("adding this passkey took too long or was begun elsewhere; begin again".to_owned())
}

impl Command for AddPasskey {
    type Answer = Enrolled;
    type Refusal = Problem;

    fn run(self, tx: &mut Transaction<'_>) -> Result<Enrolled, Failed<Problem>> {
        let refused = |words: String| Err(Failed::Refused(Problem::Conflict(words)));
        let Some(person) = tx.get::<ApproverRecord>(&keyspace::approver(self.username.as_str()))? else {
            return Err(Failed::Refused(Problem::NotFound));
        };
        let by_key = keyspace::credential(&self.by);
        let Some(mut by) = tx.get::<CredentialRecord>(&by_key)?.filter(|by| by.username == person.username) else {
            return Err(Failed::Refused(Problem::NotFound));
        };
        if !by.is_active() {
            return refused("the passkey that was to allow the new one was revoked".to_owned());
        }
        if chain(tx, &by)? >= MAX_CHAIN {
            return refused(format!(
                "{MAX_CHAIN} passkeys have allowed one another already; use an earlier one to allow this"
            ));
        }
        if person.active_keys(tx)? >= MAX_ACTIVE {
            return refused(format!("{MAX_ACTIVE} passkeys are active already; remove one first"));
        }
        by.last_signed_at = Some(tx.now().unix());
        tx.put(by_key, &by);
        let allowed_by = AllowedBy::Key { credential: self.by, assertion: self.assertion };
        self.key.enrol(tx, person, self.label, allowed_by)
    }
}

/// How many keys lead from this one back to an invite, both counted; [`MAX_CHAIN`] at most are looked at.
fn chain(tx: &Transaction<'_>, key: &CredentialRecord) -> Result<usize, Failed<Problem>> {
    let mut keys = 1;
    let mut earlier = key.earlier()?;
    while let Some(hash) = earlier.filter(|_| keys < MAX_CHAIN) {
        keys += 1;
        let record: Option<CredentialRecord> = tx.get(&keyspace::credential(&hash))?;
        earlier = record.map(|record| record.earlier()).transpose()?.flatten();
    }
    Ok(keys)
}
