//! The signature of an assertion: what is signed (WebAuthn Level 3 §6.3.3), its accepted encoding, and the primitive
//! that checks it, which comes in as a value so that a server may use another library than an offline verifier.

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use super::public_key::{Algorithm, PublicKey};
use super::rs256;

/// Checks one signature with one key; the hash of the algorithm is taken inside.
pub trait SignaturePrimitive {
    /// Whether `signature` is the key's signature over `message`. High-S signatures are valid: about half of all
    /// authenticators' signatures are.
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool;
}

/// The primitive in pure Rust, without a C compiler.
#[derive(Debug, Clone, Copy, Default)]
pub struct PureRust;

impl SignaturePrimitive for PureRust {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        match key.algorithm() {
            Algorithm::Es256 => verify_es256(key, message, signature),
            Algorithm::Rs256 => rs256::verify(key.raw(), message, signature),
        }
    }
}

/// The signed bytes: authenticator data, then SHA-256 of the client data as received.
pub fn signed_message(authenticator_data: &[u8], client_data_json: &[u8]) -> Vec<u8> {
    [authenticator_data, &Sha256::digest(client_data_json)].concat()
}

/// Checks encoding and signature of one assertion. The encoding is checked here, before the primitive, so that every
/// primitive accepts the same signatures.
pub fn verify_signature(
    key: &PublicKey,
    authenticator_data: &[u8],
    client_data_json: &[u8],
    signature: &[u8],
    primitive: &dyn SignaturePrimitive,
) -> Result<(), SignatureError> {
    let strict = match key.algorithm() {
        Algorithm::Es256 => parse_es256(signature).is_some(),
        Algorithm::Rs256 => rs256::is_strict(key.raw(), signature),
    };
    if !strict {
        return Err(SignatureError::Encoding { algorithm: key.algorithm(), length: signature.len() });
    }
    if primitive.verify(key, &signed_message(authenticator_data, client_data_json), signature) {
        Ok(())
    } else {
        Err(SignatureError::Mismatch { algorithm: key.algorithm() })
    }
}

/// Why a signature is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not in the one accepted encoding (A16).
    #[error("signature of {length} bytes is not in the strict encoding of {algorithm}")]
    Encoding {
        /// The key's algorithm.
        algorithm: Algorithm,
        /// The signature's length.
        length: usize,
    },
    /// Well formed, but not this key's signature over these bytes (A15).
    #[error("signature is not the enrolled {algorithm} key's over authenticator data and client data")]
    Mismatch {
        /// The key's algorithm.
        algorithm: Algorithm,
    },
}

impl SignatureError {
    /// The id of the check, for logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Encoding { .. } => "A16",
            Self::Mismatch { .. } => "A15",
        }
    }
}

/// The two numbers r and s of an ES256 signature, 32 bytes each; none if it is not in the strict encoding.
pub(crate) fn es256_numbers(signature: &[u8]) -> Option<([u8; 32], [u8; 32])> {
    let (r, s) = parse_es256(signature)?.split_bytes();
    Some((r.into(), s.into()))
}

fn verify_es256(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let Some(signature) = parse_es256(signature) else { return false };
    VerifyingKey::from_sec1_bytes(key.raw()).is_ok_and(|key| key.verify(message, &signature).is_ok())
}

/// Strict DER, consumed to its end, with 1 <= r, s < n. The shortest has two one-byte integers, the longest two
/// integers of 32 bytes with a leading zero each.
fn parse_es256(signature: &[u8]) -> Option<Signature> {
    if !(8..=72).contains(&signature.len()) {
        return None;
    }
    Signature::from_der(signature).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::made;
    use super::*;
    use proptest::prelude::*;

    fn check(signature: &[u8]) -> Result<(), SignatureError> {
        verify_signature(&made::public_key(), b"authenticator", b"client", signature, &PureRust)
    }

    fn encoding(length: usize) -> Result<(), SignatureError> {
        Err(SignatureError::Encoding { algorithm: Algorithm::Es256, length })
    }

    #[test]
    fn accepts_both_halves_of_s() {
        let signature = made::sign(&signed_message(b"authenticator", b"client"));
        let low = Signature::from_der(&signature).unwrap().normalize_s();
        let high = Signature::from_scalars(low.r().to_bytes(), (-*low.s()).to_bytes()).unwrap();
        assert_ne!(low, high);
        assert_eq!(check(low.to_der().as_bytes()), Ok(()));
        assert_eq!(check(high.to_der().as_bytes()), Ok(()));
    }

    #[test]
    fn refuses_lax_encodings() {
        let good = made::sign(&signed_message(b"authenticator", b"client"));
        assert_eq!(check(&good), Ok(()));
        let trailing = [&good[..], &[0]].concat();
        assert_eq!(check(&trailing), encoding(trailing.len()));
        assert_eq!(check(&[]), encoding(0));
        assert_eq!(check(&[0x30, 0x05, 0x02, 0x01, 0x01, 0x02, 0x00]), encoding(7));
        assert_eq!(check(&[0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x01]), encoding(8), "r is 0");
        assert_eq!(check(&[0x30, 0x81, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01]), encoding(9), "long form of length");
        assert_eq!(check(&[0x30, 0x80, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0, 0]), encoding(10), "indefinite length");
        assert_eq!(check(&[0x30, 0x06, 0x02, 0x01, 0x81, 0x02, 0x01, 0x01]), encoding(8), "r is negative");
        assert_eq!(check(&[0x30, 0x07, 0x02, 0x02, 0x00, 0x01, 0x02, 0x01, 0x01]), encoding(9), "r is padded");
        let raw = Signature::from_der(&good).unwrap().to_bytes();
        assert_eq!(check(&raw), encoding(64));
    }

    #[test]
    fn refuses_other_bytes_and_other_keys() {
        let mismatch = Err(SignatureError::Mismatch { algorithm: Algorithm::Es256 });
        assert_eq!(check(&made::sign(b"something else")), mismatch);
        assert_eq!(check(&[0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01]), mismatch);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(check(&bytes).is_err());
        }
    }
}
