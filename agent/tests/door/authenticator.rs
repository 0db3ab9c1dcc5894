//! A software passkey with one fixed P-256 key, and the browser around it (WebAuthn Level 3 §6.1, §6.5 and §5.8.1).

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use verifier::encoding::base64url;
use verifier::webauthn::signed_message;

const CREDENTIAL_ID: [u8; 16] = *b"a door's passkey";
const RP_ID: &str = "localhost";
/// User present and verified; and with it, attested credential data.
const PRESENT_AND_VERIFIED: u8 = 0x05;
const ATTESTED: u8 = 0x40;

/// Makes the passkey: what the enrol page sends.
pub(crate) fn register(challenge: &[u8], web_origin: &str) -> Value {
    let point = key().verifying_key().to_sec1_point(false);
    let (x, y) = point.as_bytes()[1..].split_at(32);
    // {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
    let cose = [&[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32][..], x, &[0x22, 0x58, 32], y].concat();
    let length = u16::try_from(CREDENTIAL_ID.len()).unwrap().to_be_bytes();
    let header = authenticator_data(PRESENT_AND_VERIFIED | ATTESTED);
    let data = [&header[..], &[0; 16], &length, &CREDENTIAL_ID, &cose].concat();
    // {"fmt": "none", "attStmt": {}, "authData": data}
    let before = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58";
    let object = [&before[..], &[u8::try_from(data.len()).unwrap()], &data].concat();
    json!({"id": base64url(&CREDENTIAL_ID), "rawId": base64url(&CREDENTIAL_ID), "type": "public-key", "response": {
        "attestationObject": base64url(&object),
        "clientDataJSON": base64url(&client_data("webauthn.create", challenge, web_origin)),
        "transports": ["internal"],
    }})
}

/// Signs a challenge: what the approve page sends.
pub(crate) fn sign(challenge: &[u8], web_origin: &str) -> Value {
    let data = authenticator_data(PRESENT_AND_VERIFIED);
    let client_data = client_data("webauthn.get", challenge, web_origin);
    let signature: Signature = key().sign(&signed_message(&data, &client_data));
    json!({"id": base64url(&CREDENTIAL_ID), "rawId": base64url(&CREDENTIAL_ID), "type": "public-key", "response": {
        "authenticatorData": base64url(&data),
        "clientDataJSON": base64url(&client_data),
        "signature": base64url(signature.to_der().as_bytes()),
        "userHandle": null,
    }})
}

fn key() -> SigningKey {
    SigningKey::from_slice(&[3; 32]).unwrap()
}

fn authenticator_data(flags: u8) -> Vec<u8> {
    [&Sha256::digest(RP_ID)[..], &[flags, 0, 0, 0, 0]].concat()
}

fn client_data(kind: &str, challenge: &[u8], web_origin: &str) -> Vec<u8> {
    let challenge = base64url(challenge);
    format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{web_origin}","crossOrigin":false}}"#).into_bytes()
}
