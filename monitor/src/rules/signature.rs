//! The signatures that entries claim, verified from the challenge to the key: nearly all of the work of an audit.

use std::sync::Arc;

use merkle::LeafIndex;
use verifier::webauthn::{Assertion, AssertionError, PublicKey, SignaturePrimitive, verify_assertion};

use super::finding::{Finding, Rule};
use super::pins::Pins;

/// One signature to verify. It holds all that it needs, so that any thread can do it at any time.
#[derive(Debug, Clone)]
pub struct SignatureJob {
    pub(super) index: LeafIndex,
    pub(super) key: Arc<PublicKey>,
    pub(super) assertion: Assertion,
    pub(super) challenge: [u8; 64],
    pub(super) broken: fn(AssertionError) -> Rule,
}

impl SignatureJob {
    /// The entry that claims it.
    pub fn index(&self) -> LeafIndex {
        self.index
    }

    /// Verifies the assertion for this site: client data, authenticator data, signature.
    pub fn check(&self, pins: &Pins, primitive: &dyn SignaturePrimitive) -> Result<(), Finding> {
        match verify_assertion(&self.assertion, &self.challenge, &pins.relying_party, &self.key, primitive) {
            Ok(_data) => Ok(()),
            Err(error) => Err(Finding { index: self.index, rule: (self.broken)(error) }),
        }
    }
}
