//! A software authenticator with fixed keys, and the browser around it (WebAuthn Level 3 §6.1 and §5.8.1).

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey};
use sha2::{Digest as _, Sha256};
use verifier::encoding::base64url;
use verifier::entry::CredentialHash;
use verifier::webauthn::{Assertion, signed_message};

use super::rsa_primes::Primes;
use super::{RP_ID, WEB_ORIGIN, der};

/// A key of which nothing is random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// P-256, with the secret scalar of this byte, 32 times.
    P256(u8),
    /// P-256, with a secret scalar that ends in this number: where more keys are needed than a byte has.
    P256Of(u16),
    /// RSA, of these primes and this public exponent.
    Rsa(Primes, u32),
}

/// SubjectPublicKeyInfo of an uncompressed P-256 point, up to the point (RFC 5480 §2).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// `DigestInfo` of SHA-256 up to the hash (RFC 8017 §9.2).
pub(crate) const DIGEST_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

impl Key {
    /// `alg` of its enrolment.
    pub(crate) fn alg(self) -> &'static str {
        match self {
            Self::P256(_) | Self::P256Of(_) => "ES256",
            Self::Rsa(..) => "RS256",
        }
    }

    pub(crate) fn spki_der(self) -> Vec<u8> {
        match self {
            Self::P256(_) | Self::P256Of(_) => {
                [&SPKI, self.p256().verifying_key().to_sec1_point(false).as_bytes()].concat()
            }
            Self::Rsa(primes, exponent) => {
                der::rsa_spki(&der::unsigned(&rsa_key(primes, exponent).n().to_bytes_be()), exponent)
            }
        }
    }

    pub(crate) fn credential(self) -> CredentialHash {
        Sha256::digest(self.spki_der()).into()
    }

    /// Signs without randomness (ECDSA with the nonce of RFC 6979), so that the same story gives the same receipt.
    pub(crate) fn sign(self, authenticator_data: &[u8], client_data: &[u8]) -> Vec<u8> {
        self.sign_message(&signed_message(authenticator_data, client_data))
    }

    /// Signs any bytes.
    pub(crate) fn sign_message(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(_) | Self::P256Of(_) => {
                let signature: Signature = self.p256().sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Self::Rsa(primes, exponent) => {
                let scheme = Pkcs1v15Sign { hash_len: Some(32), prefix: DIGEST_INFO.into() };
                rsa_key(primes, exponent).sign(scheme, &Sha256::digest(message)).unwrap()
            }
        }
    }

    /// RSA: what a signature opens to is changed, and signed again.
    pub(crate) fn sign_again(self, signature: &[u8], change: fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
        self.sign_raw(&change(self.open(signature)))
    }

    /// RSA: the public operation, from a signature to the padded hash.
    pub(crate) fn open(self, signature: &[u8]) -> Vec<u8> {
        let key = self.rsa();
        filled(&key, &BigUint::from_bytes_be(signature).modpow(key.e(), key.n()))
    }

    /// RSA: the private operation on any number.
    pub(crate) fn sign_raw(self, encoded: &[u8]) -> Vec<u8> {
        let key = self.rsa();
        filled(&key, &BigUint::from_bytes_be(encoded).modpow(key.d(), key.n()))
    }

    fn rsa(self) -> RsaPrivateKey {
        let Self::Rsa(primes, exponent) = self else { panic!("a key of P-256") };
        rsa_key(primes, exponent)
    }

    fn p256(self) -> SigningKey {
        let mut scalar = [0x77; 32];
        match self {
            Self::P256(byte) => scalar = [byte; 32],
            Self::P256Of(number) => scalar[30..].copy_from_slice(&number.to_be_bytes()),
            Self::Rsa(..) => panic!("an RSA key"),
        }
        SigningKey::from_slice(&scalar).unwrap()
    }

    pub(crate) fn assert(self, challenge: &[u8]) -> Assertion {
        self.assert_over(authenticator_data(), client_data(challenge).into_bytes())
    }

    pub(crate) fn assert_over(self, authenticator_data: Vec<u8>, client_data_json: Vec<u8>) -> Assertion {
        let signature = self.sign(&authenticator_data, &client_data_json);
        Assertion { authenticator_data, client_data_json, signature }
    }
}

fn rsa_key(primes: Primes, exponent: u32) -> RsaPrivateKey {
    let prime = |hex: &str| BigUint::parse_bytes(hex.as_bytes(), 16).unwrap();
    RsaPrivateKey::from_p_q(prime(primes.p), prime(primes.q), BigUint::from(exponent)).unwrap()
}

/// A number in as many bytes as the modulus.
fn filled(key: &RsaPrivateKey, number: &BigUint) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    [vec![0; key.size() - bytes.len()], bytes].concat()
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
