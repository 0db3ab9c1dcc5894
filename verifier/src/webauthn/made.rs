//! Test material made by hand: one fixed key of each algorithm, and the byte forms around them that a library would not
//! write.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPrivateKey};
use sha2::{Digest, Sha256};

use super::{PublicKey, RelyingParty};
use crate::encoding;

#[path = "../../tests/made/rsa_primes.rs"]
#[allow(dead_code)] // the other tests use the other keys
mod rsa_primes;

pub(super) const AAGUID: [u8; 16] = [0xaa; 16];
pub(super) const CREDENTIAL_ID: &[u8] = &[0xc1; 16];

pub(super) fn relying_party() -> RelyingParty {
    RelyingParty {
        rp_id: "approve.example.com".into(),
        web_origins: vec!["https://approve.example.com".into(), "http://localhost:8080".into()],
    }
}

pub(super) fn sign(message: &[u8]) -> Vec<u8> {
    let signature: Signature = signing_key().sign(message);
    signature.to_der().as_bytes().to_vec()
}

pub(super) fn public_key() -> PublicKey {
    PublicKey::from_cose(&cose_map(&cose_parameters())).unwrap()
}

pub(super) fn rsa_key() -> RsaPrivateKey {
    let prime = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16).unwrap();
    let rsa_primes::Primes { p, q } = rsa_primes::RSA_2048;
    RsaPrivateKey::from_p_q(prime(p), prime(q), BigUint::from(65_537_u32)).unwrap()
}

/// kty, alg, n, e with their encoded values.
pub(super) fn rsa_cose_parameters() -> Vec<(i64, Vec<u8>)> {
    vec![
        (1, cbor_int(3)),
        (3, cbor_int(-257)),
        (-1, cbor_bytes(&rsa_key().n().to_bytes_be())),
        (-2, cbor_bytes(&[1, 0, 1])),
    ]
}

/// kty, alg, crv, x, y with their encoded values.
pub(super) fn cose_parameters() -> Vec<(i64, Vec<u8>)> {
    let point = signing_key().verifying_key().to_sec1_point(false);
    vec![
        (1, cbor_int(2)),
        (3, cbor_int(-7)),
        (-1, cbor_int(1)),
        (-2, cbor_bytes(&point.as_bytes()[1..33])),
        (-3, cbor_bytes(&point.as_bytes()[33..])),
    ]
}

pub(super) fn cose_map(parameters: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let entries: Vec<_> = parameters.iter().map(|(key, value)| [cbor_int(*key), value.clone()].concat()).collect();
    cbor_map(&entries)
}

pub(super) fn cbor_int(value: i64) -> Vec<u8> {
    if value < 0 { cbor_head(1, (-1 - value).unsigned_abs()) } else { cbor_head(0, value.unsigned_abs()) }
}

pub(super) fn cbor_bytes(bytes: &[u8]) -> Vec<u8> {
    [cbor_head(2, bytes.len() as u64), bytes.to_vec()].concat()
}

pub(super) fn cbor_text(text: &str) -> Vec<u8> {
    [cbor_head(3, text.len() as u64), text.as_bytes().to_vec()].concat()
}

/// A map of entries that are encoded already, key and value one after the other.
pub(super) fn cbor_map(entries: &[Vec<u8>]) -> Vec<u8> {
    [cbor_head(5, entries.len() as u64), entries.concat()].concat()
}

/// Authenticator data of a registration with our key.
pub(super) fn registration_data(flags: u8, extensions: &[u8]) -> Vec<u8> {
    registration_data_with_key(flags, &cose_map(&cose_parameters()), extensions)
}

pub(super) fn registration_data_with_key(flags: u8, cose_key: &[u8], extensions: &[u8]) -> Vec<u8> {
    let header = [&Sha256::digest("approve.example.com")[..], &[flags, 0, 0, 0, 0]].concat();
    [&header[..], &AAGUID, &[0, 16], CREDENTIAL_ID, cose_key, extensions].concat()
}

pub(super) fn assertion_data(flags: u8) -> Vec<u8> {
    [&Sha256::digest("approve.example.com")[..], &[flags, 0, 0, 0, 7]].concat()
}

pub(super) fn client_data(ceremony_type: &str, challenge: &[u8]) -> String {
    let challenge = encoding::base64url(challenge);
    format!(
        r#"{{"type":"{ceremony_type}","challenge":"{challenge}","origin":"https://approve.example.com","crossOrigin":false}}"#
    )
}

fn signing_key() -> SigningKey {
    SigningKey::from_slice(&[0x11; 32]).unwrap()
}

fn cbor_head(major: u8, argument: u64) -> Vec<u8> {
    let bytes = argument.to_be_bytes();
    let (low, width) = match argument {
        0..=23 => (bytes[7], 0),
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        _ => (27, 8),
    };
    [&[major << 5 | low], &bytes[8 - width..]].concat()
}
