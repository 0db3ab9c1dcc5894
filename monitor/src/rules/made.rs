//! Entries made by hand from fixed keys: a software authenticator, and the few entries that a test is about.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test material that cannot be made stops the test")]

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use sha2::{Digest as _, Sha256};
use verifier::document::Decision;
use verifier::encoding::base64url;
use verifier::entry::{
    Authorisation, ConsumptionEntry, CredentialEntry, CredentialHash, DecisionEntry, Entry, RevocationEntry,
    RevocationReason,
};
use verifier::names::{Label, Username};
use verifier::note::SignerKey;
use verifier::time::Timestamp;
use verifier::trust::Trust;
use verifier::webauthn::{Assertion, RelyingParty, signed_message};

pub(crate) const LOG: &str = "approvals.example.com/log";
pub(crate) const RP_ID: &str = "approvals.example.com";
const WEB_ORIGIN: &str = "https://approvals.example.com";

/// SubjectPublicKeyInfo of an uncompressed P-256 point, up to the point (RFC 5480 §2).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A person with a passkey: the name, and the byte that the secret scalar repeats.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passkey(pub(crate) &'static str, pub(crate) u8);

impl Passkey {
    pub(crate) fn label(self) -> Label {
        Username::new(self.0).unwrap().label(LOG)
    }

    pub(crate) fn spki_der(self) -> Vec<u8> {
        [&SPKI, self.key().verifying_key().to_sec1_point(false).as_bytes()].concat()
    }

    pub(crate) fn credential(self) -> CredentialHash {
        Sha256::digest(self.spki_der()).into()
    }

    pub(crate) fn assert(self, challenge: &[u8]) -> Assertion {
        let challenge = base64url(challenge);
        let client_data_json = format!(
            r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{WEB_ORIGIN}","crossOrigin":false}}"#
        );
        self.assert_over(client_data_json.into_bytes())
    }

    pub(crate) fn assert_over(self, client_data_json: Vec<u8>) -> Assertion {
        let authenticator_data = [&Sha256::digest(RP_ID)[..], &[0x05, 0, 0, 0, 1]].concat();
        let signature: Signature = self.key().sign(&signed_message(&authenticator_data, &client_data_json));
        Assertion { authenticator_data, client_data_json, signature: signature.to_der().as_bytes().to_vec() }
    }

    /// An enrolment by an invite; the invite is one of this key alone.
    pub(crate) fn enrolled(self, at: u64) -> CredentialEntry {
        CredentialEntry {
            approver: self.label(),
            alg: "ES256".into(),
            public_key: self.spki_der(),
            rp_id: RP_ID.into(),
            backup_eligible: true,
            enrolled_at: time(at),
            authorised_by: Authorisation::Invite([self.1; 32]),
        }
    }

    /// An enrolment that an earlier key allows.
    pub(crate) fn enrolled_by(self, earlier: Self, at: u64) -> CredentialEntry {
        let entry = self.enrolled(at);
        let assertion = earlier.assert(&entry.enrolment_challenge(LOG, &[0x0e; 32]));
        let authorised_by = Authorisation::Credential { credential: earlier.credential(), assertion };
        CredentialEntry { authorised_by, ..entry }
    }

    pub(crate) fn revoked(self, at: u64) -> RevocationEntry {
        RevocationEntry {
            approver: self.label(),
            credential: self.credential(),
            reason: RevocationReason::Lost,
            revoked_at: time(at),
        }
    }

    pub(crate) fn approved(self, nonce: u8, at: u64) -> DecisionEntry {
        self.decided(Decision::Approve, nonce, at)
    }

    pub(crate) fn rejected(self, nonce: u8, at: u64) -> DecisionEntry {
        self.decided(Decision::Reject, nonce, at)
    }

    fn decided(self, decision: Decision, nonce: u8, at: u64) -> DecisionEntry {
        let document = Sha256::digest(format!("{} {decision} {nonce}", self.0));
        DecisionEntry {
            approver: self.label(),
            credential: self.credential(),
            decision,
            decided_at: time(at),
            assertion: self.assert(&[&[nonce; 32][..], &document].concat()),
        }
    }

    fn key(self) -> SigningKey {
        SigningKey::from_slice(&[self.1; 32]).unwrap()
    }
}

pub(crate) fn consumed(nonce: u8, at: u64) -> ConsumptionEntry {
    ConsumptionEntry { nonce: [nonce; 32], consumed_at: time(at) }
}

pub(crate) fn time(at: u64) -> Timestamp {
    Timestamp::from_unix(1_800_000_000 + at)
}

/// Pins the log's key and the site, but no people.
pub(crate) fn trust() -> Trust {
    let relying_party = RelyingParty { rp_id: RP_ID.into(), web_origins: vec![WEB_ORIGIN.into()] };
    Trust::of_server(SignerKey::from_seed(LOG, &[1; 32]).unwrap().verifier_key(), relying_party)
}

/// What can stand in a log, as bytes.
pub(crate) trait Logged {
    fn logged(self) -> Vec<u8>;
}

impl Logged for &str {
    fn logged(self) -> Vec<u8> {
        self.into()
    }
}

impl Logged for CredentialEntry {
    fn logged(self) -> Vec<u8> {
        Entry::Credential(self).to_bytes()
    }
}

impl Logged for RevocationEntry {
    fn logged(self) -> Vec<u8> {
        Entry::Revocation(self).to_bytes()
    }
}

impl Logged for DecisionEntry {
    fn logged(self) -> Vec<u8> {
        Entry::Decision(self).to_bytes()
    }
}

impl Logged for ConsumptionEntry {
    fn logged(self) -> Vec<u8> {
        Entry::Consumption(self).to_bytes()
    }
}
