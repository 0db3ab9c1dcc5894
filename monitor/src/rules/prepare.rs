//! What can be done for an entry without knowing any other: parse it and hash it.

use merkle::{Hash, leaf_hash};
use verifier::document::Decision;
use verifier::entry::{
    Authorisation, ConsumptionEntry, CredentialEntry, CredentialHash, DecisionEntry, Entry, PREFIX, RevocationEntry,
};
use verifier::names::Label;
use verifier::time::Timestamp;
use verifier::webauthn::{Assertion, ClientData, PublicKey};

use super::finding::Rule;

/// An entry that was parsed and hashed, ready for [`State::apply`](super::State::apply).
#[derive(Debug, Clone)]
pub struct Prepared {
    leaf_hash: Hash,
    pub(super) content: Content,
}

impl Prepared {
    /// The entry's leaf hash.
    pub fn leaf_hash(&self) -> Hash {
        self.leaf_hash
    }
}

/// What an entry is, with the expensive parts of parsing done.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// Another service's.
    Raw,
    /// None of ours, though it claims to be.
    Broken(Rule),
    Credential(Box<Enrolment>),
    Revocation(RevocationEntry),
    Decision(Box<Verdict>),
    Consumption(ConsumptionEntry),
}

#[derive(Debug, Clone)]
pub(super) struct Enrolment {
    pub(super) entry: CredentialEntry,
    pub(super) key: Result<PublicKey, Rule>,
    pub(super) authorisation: Authorised,
}

#[derive(Debug, Clone)]
pub(super) enum Authorised {
    Invite([u8; 32]),
    Credential { by: CredentialHash, assertion: Assertion, challenge: Result<Challenge, Rule> },
}

#[derive(Debug, Clone)]
pub(super) struct Verdict {
    pub(super) label: Label,
    pub(super) credential: CredentialHash,
    pub(super) decision: Decision,
    pub(super) decided_at: Timestamp,
    pub(super) assertion: Assertion,
    pub(super) challenge: Result<Challenge, Rule>,
}

/// A nonce and the hash of what was signed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Challenge(pub(super) [u8; 64]);

impl Challenge {
    pub(super) fn nonce(&self) -> [u8; 32] {
        let mut nonce = [0; 32];
        nonce.copy_from_slice(&self.0[..32]);
        nonce
    }
}

/// Parses and hashes an entry. Any bytes will do.
pub fn prepare(bytes: &[u8]) -> Prepared {
    let content = if bytes.starts_with(PREFIX.as_bytes()) { parse(bytes) } else { Content::Raw };
    Prepared { leaf_hash: leaf_hash(bytes), content }
}

fn parse(bytes: &[u8]) -> Content {
    match Entry::parse(bytes) {
        Err(error) => Content::Broken(Rule::Malformed(error)),
        Ok(Entry::Credential(entry)) => Content::Credential(Box::new(enrolment(entry))),
        Ok(Entry::Revocation(entry)) => Content::Revocation(entry),
        Ok(Entry::Decision(entry)) => Content::Decision(Box::new(verdict(entry))),
        Ok(Entry::Consumption(entry)) => Content::Consumption(entry),
    }
}

fn enrolment(entry: CredentialEntry) -> Enrolment {
    let authorisation = match &entry.authorised_by {
        Authorisation::Invite(hash) => Authorised::Invite(*hash),
        Authorisation::Credential { credential, assertion } => Authorised::Credential {
            by: *credential,
            assertion: assertion.clone(),
            challenge: challenge(assertion, Rule::AuthorisationClientData),
        },
    };
    let key = PublicKey::from_spki_der(&entry.public_key).map_err(Rule::UnacceptableKey);
    Enrolment { entry, key, authorisation }
}

fn verdict(entry: DecisionEntry) -> Verdict {
    let DecisionEntry { approver, credential, decision, decided_at, assertion } = entry;
    let challenge = challenge(&assertion, Rule::ClientData);
    Verdict { label: approver, credential, decision, decided_at, assertion, challenge }
}

fn challenge(
    assertion: &Assertion,
    unreadable: fn(verifier::webauthn::ClientDataError) -> Rule,
) -> Result<Challenge, Rule> {
    let client_data = ClientData::decode(&assertion.client_data_json).map_err(unreadable)?;
    let length = client_data.challenge.len();
    client_data.challenge.try_into().map(Challenge).map_err(|_| Rule::ChallengeLength(length))
}
