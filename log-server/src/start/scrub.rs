//! The scrub of a start: what was written last is read and computed again.

use merkle::TreeSize;
use verifier::encoding;
use verifier::entry::Entry;
use verifier::webauthn::{PublicKey, verify_signature};

use super::{Settings, StartError};
use crate::approvals::CredentialRecord;
use crate::keyspace;
use crate::store::StoreError;
use crate::tree::{self, TreeHead};
use crate::writer::record_from;

/// How many entries a start hashes again. What lies before them is scrubbed by an audit.
const SCRUBBED: u64 = 65_536;

/// Reads what was written last and computes it again: the last entries, the root, and the signatures of the decisions that
/// nobody was told of yet.
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
            .map_err(|why| StoreError(format!("the decision at index {index} does not verify: {why}")))
    })
    .map_err(StartError::Store)
}

fn check_signature(settings: &Settings, bytes: &[u8]) -> Result<(), String> {
    let Ok(Entry::Decision(entry)) = Entry::parse(bytes) else { return Ok(()) };
    let key = keyspace::credential(&entry.credential);
    let stored = settings.store.get(&key).map_err(|error| error.to_string())?.ok_or("its key is not enrolled")?;
    let stored: CredentialRecord = record_from(&key, &stored).map_err(|error| error.to_string())?;
    let spki = encoding::from_base64url(&stored.public_key).map_err(|error| error.to_string())?;
    let public_key = PublicKey::from_spki_der(&spki).map_err(|error| error.to_string())?;
    let signed = &entry.assertion;
    verify_signature(
        &public_key,
        &signed.authenticator_data,
        &signed.client_data_json,
        &signed.signature,
        &*settings.primitive,
    )
    .map_err(|error| error.to_string())
}
