//! The scrub of a start: what was written last is read and computed again.

use merkle::TreeSize;
use verifier::encoding;
use verifier::entry::{Authorisation, CredentialEntry, CredentialHash, DecisionEntry, Entry};
use verifier::webauthn::{ClientData, PublicKey, verify_assertion, verify_signature};

use super::{Settings, StartError};
use crate::approvals::CredentialRecord;
use crate::keyspace;
use crate::store::StoreError;
use crate::tree::{self, TreeHead};
use crate::writer::record_from;

/// How many entries a start hashes again. What lies before them is scrubbed by an audit.
const SCRUBBED: u64 = 65_536;

/// Reads what was written last and computes it again: the last entries, the root, and the signatures of the decisions
/// and enrolments that nobody was told of yet.
pub(super) fn scrub(settings: &Settings, anchored: TreeSize, head: TreeHead) -> Result<(), StartError> {
    let store = &*settings.store;
    let root = tree::stored_root(store, head.size)?;
    if root != head.root {
        return Err(
            StoreError(format!("the stored tiles have the root {root}, the stored tree head {}", head.root)).into()
        );
    }
    let first = head.size.get().saturating_sub(SCRUBBED).min(anchored.get());
    tree::check_entries(store, first..head.size.get(), |index, bytes, _| {
        if index.get() < anchored.get() {
            return Ok(());
        }
        check_signature(settings, bytes)
            .map_err(|why| StoreError(format!("the signature in the entry {index} does not verify: {why}")))
    })
    .map_err(StartError::Store)
}

/// A decision by its own signature; an enrolment that an earlier key allowed by that key's, over exactly this new key.
fn check_signature(settings: &Settings, bytes: &[u8]) -> Result<(), String> {
    match Entry::parse(bytes) {
        Ok(Entry::Decision(entry)) => check_decision(settings, &entry),
        Ok(Entry::Credential(entry)) => check_authorisation(settings, &entry),
        _ => Ok(()),
    }
}

fn check_decision(settings: &Settings, entry: &DecisionEntry) -> Result<(), String> {
    let signed = &entry.assertion;
    verify_signature(
        &enrolled_key(settings, &entry.credential)?,
        &signed.authenticator_data,
        &signed.client_data_json,
        &signed.signature,
        &*settings.primitive,
    )
    .map_err(|error| error.to_string())
}

fn check_authorisation(settings: &Settings, entry: &CredentialEntry) -> Result<(), String> {
    let Authorisation::Credential { credential, assertion } = &entry.authorised_by else { return Ok(()) };
    let client_data = ClientData::decode(&assertion.client_data_json).map_err(|error| error.to_string())?;
    // Only the nonce is taken from what was signed; the rest of the challenge is made of the entry.
    let nonce = client_data.challenge.first_chunk().ok_or("its challenge is too short")?;
    let identity = &settings.identity;
    let challenge = entry.enrolment_challenge(&identity.log_origin, nonce);
    let key = enrolled_key(settings, credential)?;
    verify_assertion(assertion, &challenge, &identity.relying_party, &key, &*settings.primitive)
        .map(drop)
        .map_err(|error| error.to_string())
}

fn enrolled_key(settings: &Settings, credential: &CredentialHash) -> Result<PublicKey, String> {
    let key = keyspace::credential(credential);
    let stored = settings.store.get(&key).map_err(|error| error.to_string())?.ok_or("its key is not enrolled")?;
    let stored: CredentialRecord = record_from(&key, &stored).map_err(|error| error.to_string())?;
    let spki = encoding::from_base64url(&stored.public_key).map_err(|error| error.to_string())?;
    PublicKey::from_spki_der(&spki).map_err(|error| error.to_string())
}
