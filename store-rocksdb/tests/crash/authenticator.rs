//! A software authenticator with one fixed P-256 key, which is the same in every process, and the browser around it
//! (WebAuthn Level 3 §6.1, §6.5 and §5.8.1).

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use sha2::{Digest as _, Sha256};
use verifier::encoding::base64url;
use verifier::webauthn::signed_message;

/// The WebAuthn credential id.
pub(crate) const CREDENTIAL_ID: [u8; 16] = *b"the only passkey";

/// What it is bound to: the host of the public URL.
const RP_ID: &str = "localhost";

/// User present and verified; and with it, attested credential data.
const PRESENT_AND_VERIFIED: u8 = 0x05;
const ATTESTED: u8 = 0x40;

/// Makes the passkey on a site's page: attestation object and client data.
pub(crate) fn register(challenge: &[u8], site: &str) -> (Vec<u8>, Vec<u8>) {
    let point = key().verifying_key().to_sec1_point(false);
    let (x, y) = point.as_bytes()[1..].split_at(32);
    // {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
    let cose = [&[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32][..], x, &[0x22, 0x58, 32], y].concat();
    let id_length = u16::try_from(CREDENTIAL_ID.len()).unwrap().to_be_bytes();
    let data = [&authenticator_data(PRESENT_AND_VERIFIED | ATTESTED)[..], &[0; 16], &id_length, &CREDENTIAL_ID, &cose]
        .concat();
    // {"fmt": "none", "attStmt": {}, "authData": data}
    let object =
        [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58", &[u8::try_from(data.len()).unwrap()][..], &data];
    (object.concat(), client_data("webauthn.create", challenge, site))
}

/// Signs a challenge on a site's page: authenticator data, client data and signature.
pub(crate) fn sign(challenge: &[u8], site: &str) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let (data, client_data) = (authenticator_data(PRESENT_AND_VERIFIED), client_data("webauthn.get", challenge, site));
    let signature: Signature = key().sign(&signed_message(&data, &client_data));
    (data, client_data, signature.to_der().as_bytes().to_vec())
}

fn key() -> SigningKey {
    SigningKey::from_slice(&[3; 32]).unwrap()
}

/// rpIdHash, flags, a counter that does not count.
fn authenticator_data(flags: u8) -> Vec<u8> {
    [&Sha256::digest(RP_ID)[..], &[flags, 0, 0, 0, 0]].concat()
}

fn client_data(kind: &str, challenge: &[u8], site: &str) -> Vec<u8> {
    let challenge = base64url(challenge);
    format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{site}","crossOrigin":false}}"#).into_bytes()
}
