//! A software authenticator with a fixed P-256 key, and the browser around it (WebAuthn Level 3 §6.1 and §5.8.1).

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use sha2::{Digest as _, Sha256};
use verifier::encoding::base64url;
use verifier::entry::CredentialHash;
use verifier::webauthn::{Assertion, signed_message};

use super::{RP_ID, WEB_ORIGIN};

/// A key whose secret scalar is this byte, 32 times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) u8);

/// SubjectPublicKeyInfo of an uncompressed P-256 point, up to the point (RFC 5480 §2).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

impl Key {
    pub(crate) fn spki_der(self) -> Vec<u8> {
        let point = self.secret().verifying_key().to_sec1_point(false);
        [&SPKI, point.as_bytes()].concat()
    }

    pub(crate) fn credential(self) -> CredentialHash {
        Sha256::digest(self.spki_der()).into()
    }

    /// Signs with the nonce of RFC 6979, so that the same story gives the same receipt.
    pub(crate) fn sign(self, authenticator_data: &[u8], client_data: &str) -> Vec<u8> {
        let signature: Signature = self.secret().sign(&signed_message(authenticator_data, client_data.as_bytes()));
        signature.to_der().as_bytes().to_vec()
    }

    pub(crate) fn assert(self, challenge: &[u8]) -> Assertion {
        let (authenticator_data, client_data) = (authenticator_data(), client_data(challenge));
        let signature = self.sign(&authenticator_data, &client_data);
        Assertion { authenticator_data, client_data_json: client_data.into_bytes(), signature }
    }

    fn secret(self) -> SigningKey {
        SigningKey::from_slice(&[self.0; 32]).unwrap()
    }
}

/// rpIdHash, the flags UP and UV, a counter.
pub(crate) fn authenticator_data() -> Vec<u8> {
    [&Sha256::digest(RP_ID)[..], &[0x05, 0, 0, 0, 1]].concat()
}

/// As Chromium writes it.
pub(crate) fn client_data(challenge: &[u8]) -> String {
    let challenge = base64url(challenge);
    format!(r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{WEB_ORIGIN}","crossOrigin":false}}"#)
}
