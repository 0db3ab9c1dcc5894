//! Where a receipt can be made to differ from a genuine one.

use verifier::checkpoint::Checkpoint;
use verifier::entry::{CredentialEntry, DecisionEntry};
use verifier::receipt::Receipt;

/// A text, and what stands in its place.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    pub(crate) stage: Stage,
    pub(crate) from: String,
    pub(crate) to: String,
}

/// The texts that an [`Edit`] can change: those of [`Changes`], with which edits are applied one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Document,
    ClientData,
    Decision,
    Enrolment,
    Checkpoint,
    Note,
    Receipt,
}

impl Edit {
    /// Replaces the first place, which must be there, so that no case tests nothing.
    pub(crate) fn apply(&self, text: &str) -> String {
        assert!(text.contains(&self.from), "{:?} is not in {text}", self.from);
        text.replacen(&self.from, &self.to, 1)
    }
}

/// One function for each stage of making a receipt. Each is applied before what depends on it is hashed and signed, so
/// that a change shows in one place alone. The default changes nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changes {
    /// The document's text, before it is hashed into the challenge.
    pub(crate) document: fn(String) -> String,
    /// The 64 bytes of nonce and document hash.
    pub(crate) challenge: fn(Vec<u8>) -> Vec<u8>,
    /// The client data, before it is signed.
    pub(crate) client_data: fn(String) -> String,
    /// The same as bytes.
    pub(crate) client_data_bytes: fn(Vec<u8>) -> Vec<u8>,
    /// The authenticator data, before it is signed.
    pub(crate) authenticator_data: fn(Vec<u8>) -> Vec<u8>,
    /// The approver's signature, before it is logged.
    pub(crate) signature: fn(Vec<u8>) -> Vec<u8>,
    /// The decision's entry, before it is logged.
    pub(crate) decision: fn(DecisionEntry) -> DecisionEntry,
    /// The same as text.
    pub(crate) decision_text: fn(String) -> String,
    /// Each enrolment's entry, before it is logged.
    pub(crate) enrolment: fn(CredentialEntry) -> CredentialEntry,
    /// The same as text.
    pub(crate) enrolment_text: fn(String) -> String,
    /// The tree head, before it is signed with the log's key of its log origin.
    pub(crate) checkpoint: fn(Checkpoint) -> Checkpoint,
    /// The same as text.
    pub(crate) checkpoint_text: fn(String) -> String,
    /// The seed of the log's key.
    pub(crate) log_seed: u8,
    /// The signed note.
    pub(crate) note: fn(String) -> String,
    /// The finished receipt.
    pub(crate) receipt: fn(Receipt) -> Receipt,
    /// The same as text.
    pub(crate) text: fn(String) -> String,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            document: |same| same,
            challenge: |same| same,
            client_data: |same| same,
            client_data_bytes: |same| same,
            authenticator_data: |same| same,
            signature: |same| same,
            decision: |same| same,
            decision_text: |same| same,
            enrolment: |same| same,
            enrolment_text: |same| same,
            checkpoint: |same| same,
            checkpoint_text: |same| same,
            log_seed: super::LOG_SEED,
            note: |same| same,
            receipt: |same| same,
            text: |same| same,
        }
    }
}
