//! A software passkey for the benchmarks, and for nothing real: its key lies in this process's memory, and it claims user
//! verification although nobody touches anything.
//!
//! WebAuthn Level 3: ES256, attestation `none`. Signed by AWS-LC, because signing shares the machine with what is measured.

use api::{Assertion, AssertionResponse, Registration, RegistrationResponse};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use sha2::{Digest as _, Sha256};
use verifier::encoding::base64url;

/// User present, user verified (§6.1).
const UP_UV: u8 = 0x05;
/// Attested credential data included.
const AT: u8 = 0x40;
/// The attestation object up to its authenticator data: `{"fmt": "none", "attStmt": {}, "authData": bytes of one length
/// byte}` (RFC 8949 §3).
const OBJECT: &[u8] = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58";
/// The COSE key up to its x and between x and y: `{1: 2, 3: -7, -1: 1, -2: x, -3: y}` (RFC 9053 §7.1.1).
const COSE: [&[u8]; 2] = [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32], &[0x22, 0x58, 32]];

/// One passkey for one site.
pub struct Passkey {
    key: EcdsaKeyPair,
    random: SystemRandom,
    credential_id: [u8; 16],
    rp_id: String,
    web_origin: String,
}

/// AWS-LC could not make a key or a signature.
#[derive(Debug, thiserror::Error)]
#[error("AWS-LC refused: {0}")]
pub struct PasskeyError(#[from] Unspecified);

impl Passkey {
    /// Makes a passkey for a site.
    pub fn new(rp_id: &str, web_origin: &str) -> Result<Self, PasskeyError> {
        let mut credential_id = [0; 16];
        aws_lc_rs::rand::fill(&mut credential_id)?;
        Ok(Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?,
            random: SystemRandom::new(),
            credential_id,
            rp_id: rp_id.to_owned(),
            web_origin: web_origin.to_owned(),
        })
    }

    /// `navigator.credentials.create`: the public key for the server.
    pub fn register(&self, challenge: &[u8]) -> Registration {
        let id = base64url(&self.credential_id);
        // AAGUID (zero), the length of the credential id, the id, the key.
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        let credential = [&[0; 16], [0, 16].as_slice(), &self.credential_id, COSE[0], x, COSE[1], y].concat();
        let auth_data = [self.header(UP_UV | AT), credential].concat();
        let Ok(length) = u8::try_from(auth_data.len()) else { unreachable!("the parts have fixed lengths") };
        let object = [OBJECT, &[length], &auth_data].concat();
        Registration {
            id: id.clone(),
            raw_id: id,
            kind: "public-key".to_owned(),
            response: RegistrationResponse {
                attestation_object: base64url(&object),
                client_data_json: base64url(self.client_data("webauthn.create", challenge).as_bytes()),
                transports: vec!["internal".to_owned()],
            },
        }
    }

    /// `navigator.credentials.get`: the signature over the challenge.
    pub fn sign(&self, challenge: &[u8]) -> Result<Assertion, PasskeyError> {
        let id = base64url(&self.credential_id);
        let auth_data = self.header(UP_UV);
        let client_data = self.client_data("webauthn.get", challenge);
        let message = [auth_data.as_slice(), &Sha256::digest(&client_data)].concat();
        let signature = self.key.sign(&self.random, &message)?;
        Ok(Assertion {
            id: id.clone(),
            raw_id: id,
            kind: "public-key".to_owned(),
            response: AssertionResponse {
                authenticator_data: base64url(&auth_data),
                client_data_json: base64url(client_data.as_bytes()),
                signature: base64url(signature.as_ref()),
                user_handle: None,
            },
        })
    }

    /// rpIdHash ‖ flags ‖ counter, which stays 0 as with every synced passkey.
    fn header(&self, flags: u8) -> Vec<u8> {
        [Sha256::digest(&self.rp_id).as_slice(), &[flags, 0, 0, 0, 0]].concat()
    }

    fn client_data(&self, kind: &str, challenge: &[u8]) -> String {
        let challenge = base64url(challenge);
        let origin = &self.web_origin;
        format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use verifier::encoding::from_base64url;
    use verifier::webauthn::{PureRust, RelyingParty, verify_assertion, verify_registration};

    use super::*;

    #[test]
    fn the_verifier_takes_what_it_makes() {
        let web_origin = "http://localhost:8080".to_owned();
        let relying_party = RelyingParty { rp_id: "localhost".to_owned(), web_origins: vec![web_origin.clone()] };
        let passkey = Passkey::new("localhost", &web_origin).unwrap();
        let made = passkey.register(&[1; 32]).response;
        let object = from_base64url(&made.attestation_object).unwrap();
        let client_data = from_base64url(&made.client_data_json).unwrap();
        let registered = verify_registration(&object, &client_data, &[1; 32], &relying_party, &PureRust).unwrap();
        let signed = passkey.sign(&[2; 64]).unwrap().response;
        let assertion = verifier::webauthn::Assertion {
            authenticator_data: from_base64url(&signed.authenticator_data).unwrap(),
            client_data_json: from_base64url(&signed.client_data_json).unwrap(),
            signature: from_base64url(&signed.signature).unwrap(),
        };
        verify_assertion(&assertion, &[2; 64], &relying_party, &registered.public_key, &PureRust).unwrap();
    }
}
