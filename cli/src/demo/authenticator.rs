//! A software authenticator for the demo, and for nothing real: its key lies in this process's memory, and it claims user
//! verification although nobody touches anything.
//!
//! WebAuthn Level 3: ES256, attestation `none`, resident by having one key alone. Written by hand because it is so little.

use api::{Assertion, AssertionResponse, Registration, RegistrationResponse};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use p256::elliptic_curve::Generate;
use sha2::{Digest as _, Sha256};
use verifier::encoding::base64url;
use verifier::webauthn::Ceremony;

/// User present, user verified (§6.1).
const UP_UV: u8 = 0x05;
/// RFC 8949 §3: the argument does not fit into the first byte.
const ONE_BYTE_FOLLOWS: u8 = 24;
/// Attested credential data included.
const AT: u8 = 0x40;

/// One passkey for one site.
pub(super) struct Authenticator {
    key: SigningKey,
    credential_id: [u8; 16],
    rp_id: String,
    web_origin: String,
}

impl Authenticator {
    /// Makes a passkey for a site. Browsers would check that the web origin may use the relying party id.
    pub(super) fn new(rp_id: &str, web_origin: &str) -> Self {
        Self {
            key: SigningKey::generate(),
            credential_id: Generate::generate(),
            rp_id: rp_id.to_owned(),
            web_origin: web_origin.to_owned(),
        }
    }

    /// `navigator.credentials.create`: the public key for the server.
    pub(super) fn register(&self, challenge: &[u8]) -> Registration {
        let id = base64url(&self.credential_id);
        let auth_data = [self.header(UP_UV | AT).as_slice(), &self.attested_credential()].concat();
        let object = cbor_map(&[
            (cbor_text("fmt"), cbor_text("none")),
            (cbor_text("attStmt"), cbor_map(&[])),
            (cbor_text("authData"), cbor_bytes(&auth_data)),
        ]);
        Registration {
            id: id.clone(),
            raw_id: id,
            kind: "public-key".to_owned(),
            response: RegistrationResponse {
                attestation_object: base64url(&object),
                client_data_json: base64url(self.client_data(Ceremony::Create, challenge).as_bytes()),
                transports: vec!["internal".to_owned()],
            },
        }
    }

    /// `navigator.credentials.get`: the signature over the challenge.
    pub(super) fn sign(&self, challenge: &[u8]) -> Assertion {
        let id = base64url(&self.credential_id);
        let auth_data = self.header(UP_UV);
        let client_data = self.client_data(Ceremony::Get, challenge);
        let message = [auth_data.as_slice(), &Sha256::digest(&client_data)].concat();
        let signature: Signature = self.key.sign(&message);
        Assertion {
            id: id.clone(),
            raw_id: id,
            kind: "public-key".to_owned(),
            response: AssertionResponse {
                authenticator_data: base64url(&auth_data),
                client_data_json: base64url(client_data.as_bytes()),
                signature: base64url(signature.to_der().as_bytes()),
                user_handle: None,
            },
        }
    }

    /// rpIdHash ‖ flags ‖ counter, which stays 0 as with every synced passkey.
    fn header(&self, flags: u8) -> Vec<u8> {
        [Sha256::digest(&self.rp_id).as_slice(), &[flags, 0, 0, 0, 0]].concat()
    }

    /// AAGUID (zero) ‖ length ‖ credential id ‖ COSE key (RFC 9053 §7.1.1).
    fn attested_credential(&self) -> Vec<u8> {
        let point = self.key.verifying_key().to_sec1_point(false);
        let (x, y) = point.as_bytes()[1..].split_at(32);
        let cose = cbor_map(&[
            (cbor_int(1), cbor_int(2)),
            (cbor_int(3), cbor_int(-7)),
            (cbor_int(-1), cbor_int(1)),
            (cbor_int(-2), cbor_bytes(x)),
            (cbor_int(-3), cbor_bytes(y)),
        ]);
        [&[0; 16], [0, 16].as_slice(), &self.credential_id, &cose].concat()
    }

    fn client_data(&self, ceremony: Ceremony, challenge: &[u8]) -> String {
        serde_json::json!({
            "type": ceremony.client_data_type(),
            "challenge": base64url(challenge),
            "origin": self.web_origin,
            "crossOrigin": false,
        })
        .to_string()
    }
}

/// A map of encoded keys and values, in this order.
fn cbor_map(members: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = cbor_head(5, members.len());
    for (key, value) in members {
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value);
    }
    bytes
}

fn cbor_int(value: i8) -> Vec<u8> {
    if value < 0 {
        cbor_head(1, usize::from((-1 - value).unsigned_abs()))
    } else {
        cbor_head(0, usize::from(value.unsigned_abs()))
    }
}

fn cbor_bytes(bytes: &[u8]) -> Vec<u8> {
    [cbor_head(2, bytes.len()), bytes.to_vec()].concat()
}

fn cbor_text(text: &str) -> Vec<u8> {
    [cbor_head(3, text.len()), text.as_bytes().to_vec()].concat()
}

/// RFC 8949 §3, for the small items that an authenticator writes.
fn cbor_head(major: u8, argument: usize) -> Vec<u8> {
    let Ok(argument) = u8::try_from(argument) else {
        panic!("an authenticator of the demo writes no item of {argument} bytes");
    };
    let major = major << 5;
    if argument < ONE_BYTE_FOLLOWS { vec![major | argument] } else { vec![major | ONE_BYTE_FOLLOWS, argument] }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use verifier::encoding::from_base64url;
    use verifier::webauthn::{PureRust, RelyingParty, verify_assertion, verify_registration};

    use super::*;

    #[test]
    fn the_verifier_takes_what_it_makes() {
        let web_origin = "http://localhost:8080".to_owned();
        let relying_party = RelyingParty { rp_id: "localhost".to_owned(), web_origins: vec![web_origin.clone()] };
        let authenticator = Authenticator::new("localhost", &web_origin);
        let made = authenticator.register(&[1; 32]).response;
        let object = from_base64url(&made.attestation_object).unwrap();
        let client_data = from_base64url(&made.client_data_json).unwrap();
        let registered = verify_registration(&object, &client_data, &[1; 32], &relying_party, &PureRust).unwrap();
        let signed = authenticator.sign(&[2; 64]).response;
        let assertion = verifier::webauthn::Assertion {
            authenticator_data: from_base64url(&signed.authenticator_data).unwrap(),
            client_data_json: from_base64url(&signed.client_data_json).unwrap(),
            signature: from_base64url(&signed.signature).unwrap(),
        };
        verify_assertion(&assertion, &[2; 64], &relying_party, &registered.public_key, &PureRust).unwrap();
    }
}
