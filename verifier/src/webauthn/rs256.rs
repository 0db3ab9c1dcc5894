//! RS256, which is RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2.2): the one encoding of a key and the strict check of
//! a signature. Public keys only; nothing here ever holds a secret.
//!
//! ```text
//! 30 82 LL LL  30 0d  06 09 rsaEncryption  05 00  03 82 LL LL 00  30 82 LL LL  02 82 LL LL n  02 03 01 00 01
//!                                                                 └ RSAPublicKey, RFC 8017 A.1.1
//! ```
//!
//! n is minimal, with a zero byte before it when its first bit is set. Every length that n can have takes two bytes, so
//! the places are fixed and nothing has to be parsed: n is cut out, the key is built again and compared.

use std::ops::RangeInclusive;

use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use sha2::{Digest, Sha256};

use super::public_key::PublicKeyError;

/// Accepted lengths of a modulus, in bits. Authenticators make 2048; larger ones would not fit into an entry.
pub(super) const MODULUS_BITS: RangeInclusive<usize> = 2048..=4096;

/// The public exponent 65537, big-endian.
pub(super) const EXPONENT: &[u8] = &[0x01, 0x00, 0x01];

/// The lengths of SPKI DER that moduli of these lengths lead to.
pub(super) const SPKI_LENGTHS: RangeInclusive<usize> =
    MODULUS_AT + 257 + EXPONENT_DER.len()..=MODULUS_AT + 513 + EXPONENT_DER.len();

/// Where `RSAPublicKey` begins in the SPKI: after its header, the algorithm's identifier and the BIT STRING's header.
pub(super) const RSA_PUBLIC_KEY_AT: usize = 4 + RSA_ENCRYPTION.len() + 5;

/// Whether a modulus, big-endian, is one that we accept.
pub(super) fn check_modulus(modulus: &[u8]) -> Result<(), PublicKeyError> {
    let significant = without_zeros(modulus);
    let bits = significant.first().map_or(0, |first| significant.len() * 8 - first.leading_zeros() as usize);
    if significant.len() != modulus.len() || !MODULUS_BITS.contains(&bits) {
        return Err(PublicKeyError::RsaModulus { found: bits, bytes: modulus.len() });
    }
    if modulus.last().is_some_and(|last| last % 2 == 1) { Ok(()) } else { Err(PublicKeyError::RsaModulusEven) }
}

/// The one encoding of the key with this modulus.
pub(super) fn spki_of_modulus(modulus: &[u8]) -> Vec<u8> {
    let sign = if modulus.first().is_some_and(|first| first & 0x80 != 0) { &[0][..] } else { &[] };
    let key = tagged(SEQUENCE, &[&tagged(INTEGER, &[sign, modulus].concat()), EXPONENT_DER].concat());
    tagged(SEQUENCE, &[RSA_ENCRYPTION, &tagged(BIT_STRING, &[&[0], &key[..]].concat())].concat())
}

/// The modulus of a key in the one encoding. Its value is not checked.
pub(super) fn modulus_of_spki(spki_der: &[u8]) -> Result<&[u8], PublicKeyError> {
    let end = spki_der.len().saturating_sub(EXPONENT_DER.len());
    let modulus = spki_der.get(MODULUS_AT..end).map(without_zeros).ok_or(PublicKeyError::RsaEncoding)?;
    if spki_of_modulus(modulus) == spki_der { Ok(modulus) } else { Err(PublicKeyError::RsaEncoding) }
}

/// Whether a signature is as long as the modulus and, as a number, smaller. `rsa_public_key` is the DER of a checked
/// key, as in the functions below.
pub(super) fn is_strict(rsa_public_key: &[u8], signature: &[u8]) -> bool {
    let modulus = modulus(rsa_public_key);
    // Of two numbers of one length the bytes compare as the numbers do.
    signature.len() == modulus.len() && signature < modulus
}

/// Checks a signature. The library builds no structure from what the signature opens to: it compares every byte with
/// what must be there, the padding, SHA-256's `DigestInfo` and the hash.
pub(super) fn verify(rsa_public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let exponent = BigUint::from_bytes_be(EXPONENT);
    let Ok(key) = RsaPublicKey::new(BigUint::from_bytes_be(modulus(rsa_public_key)), exponent) else { return false };
    let scheme = Pkcs1v15Sign { hash_len: Some(32), prefix: SHA256_DIGEST_INFO.into() };
    is_strict(rsa_public_key, signature) && key.verify(scheme, &Sha256::digest(message), signature).is_ok()
}

fn modulus(rsa_public_key: &[u8]) -> &[u8] {
    without_zeros(&rsa_public_key[MODULUS_AT - RSA_PUBLIC_KEY_AT..rsa_public_key.len() - EXPONENT_DER.len()])
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

/// DER with a length of two bytes, which is minimal for 256 to 65,535 bytes of content. Shorter content comes only from
/// keys that are refused, and then the result equals none of their encodings.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[tag, 0x82], &length[..], content].concat()
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;

/// `AlgorithmIdentifier`: 1.2.840.113549.1.1.1 with NULL as its parameters.
const RSA_ENCRYPTION: &[u8] =
    &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];

/// 65537 as an INTEGER.
const EXPONENT_DER: &[u8] = &[0x02, 0x03, 0x01, 0x00, 0x01];

/// Where the modulus begins in the SPKI, with its zero byte if it has one.
const MODULUS_AT: usize = RSA_PUBLIC_KEY_AT + 4 + 4;

/// `DigestInfo` of SHA-256 (RFC 8017 §9.2, note 1), up to the 32 bytes of the hash.
const SHA256_DIGEST_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::super::{Algorithm, PublicKey, PureRust, SignatureError, made, signed_message, verify_signature};
    use super::*;
    use proptest::prelude::*;
    use rsa::traits::{PrivateKeyParts, PublicKeyParts};

    fn key() -> PublicKey {
        PublicKey::from_cose(&made::cose_map(&made::rsa_cose_parameters())).unwrap()
    }

    fn cose(at: usize, value: &[u8]) -> Result<PublicKey, PublicKeyError> {
        let mut parameters = made::rsa_cose_parameters();
        parameters[at].1 = made::cbor_bytes(value);
        PublicKey::from_cose(&made::cose_map(&parameters))
    }

    fn check(signature: &[u8]) -> Result<(), SignatureError> {
        verify_signature(&key(), b"authenticator", b"client", signature, &PureRust)
    }

    /// The private operation on whatever is to stand under the signature.
    fn open_to(encoded: &[u8]) -> Vec<u8> {
        let key = made::rsa_key();
        let signature = BigUint::from_bytes_be(encoded).modpow(key.d(), key.n()).to_bytes_be();
        [vec![0; 256 - signature.len()], signature].concat()
    }

    fn digest() -> Vec<u8> {
        Sha256::digest(signed_message(b"authenticator", b"client")).to_vec()
    }

    /// 00 01 FF .. FF 00, then the given end.
    fn padded(end: &[u8]) -> Vec<u8> {
        [&[0, 1], &vec![0xff; 256 - 3 - end.len()][..], &[0], end].concat()
    }

    fn good_encoding() -> Vec<u8> {
        padded(&[&SHA256_DIGEST_INFO[..], &digest()].concat())
    }

    const MISMATCH: SignatureError = SignatureError::Mismatch { algorithm: Algorithm::Rs256 };

    fn encoding(length: usize) -> SignatureError {
        SignatureError::Encoding { algorithm: Algorithm::Rs256, length }
    }

    #[test]
    fn cose_and_spki_give_the_same_key() {
        let key = key();
        assert_eq!(key.algorithm(), Algorithm::Rs256);
        assert_eq!(key.spki_der().len(), 294);
        assert_eq!(PublicKey::from_spki_der(key.spki_der()), Ok(key.clone()));
        assert_eq!(key.raw().len(), 270);
        assert_eq!(modulus(key.raw()), made::rsa_key().n().to_bytes_be());
        assert_eq!(key.credential(), <[u8; 32]>::from(Sha256::digest(key.spki_der())));
    }

    #[test]
    fn moduli_of_every_accepted_length_round_trip() {
        for bits in MODULUS_BITS {
            let modulus = modulus_of(bits);
            assert_eq!(check_modulus(&modulus), Ok(()), "{bits}");
            let spki_der = spki_of_modulus(&modulus);
            assert!(SPKI_LENGTHS.contains(&spki_der.len()), "{bits}");
            let key = PublicKey::from_spki_der(&spki_der).unwrap();
            assert_eq!((key.spki_der(), super::modulus(key.raw())), (&spki_der[..], &modulus[..]), "{bits}");
        }
    }

    /// An odd number of this length.
    fn modulus_of(bits: usize) -> Vec<u8> {
        let mut bytes = vec![0xff; bits.div_ceil(8)];
        bytes[0] >>= bytes.len() * 8 - bits;
        bytes
    }

    #[test]
    fn refuses_every_other_cose_key() {
        use PublicKeyError::{ParameterType, RsaExponent, RsaModulus, RsaModulusEven};
        let n = made::rsa_key().n().to_bytes_be();
        let even = [&n[..255], &[n[255] & 0xfe]].concat();
        assert_eq!(cose(2, &even), Err(RsaModulusEven));
        assert_eq!(cose(2, &[&[0], &n[..]].concat()), Err(RsaModulus { found: 2048, bytes: 257 }));
        assert_eq!(cose(2, &modulus_of(2047)), Err(RsaModulus { found: 2047, bytes: 256 }));
        assert_eq!(cose(2, &modulus_of(4097)), Err(RsaModulus { found: 4097, bytes: 513 }));
        assert_eq!(cose(2, &vec![0xff; 60_000]), Err(RsaModulus { found: 480_000, bytes: 60_000 }));
        assert_eq!(cose(2, &[]), Err(RsaModulus { found: 0, bytes: 0 }));
        assert_eq!(cose(2, &[0; 256]), Err(RsaModulus { found: 0, bytes: 256 }));
        for exponent in [&[3][..], &[0, 1, 0, 1], &[1, 0, 0], &[1, 0, 2], &[1, 0, 1, 0], &[]] {
            assert_eq!(cose(3, exponent), Err(RsaExponent), "{exponent:?}");
        }
        let mut parameters = made::rsa_cose_parameters();
        parameters[3].1 = made::cbor_int(65_537);
        let error = ParameterType { name: "e", expected: "a byte string" };
        assert_eq!(PublicKey::from_cose(&made::cose_map(&parameters)), Err(error));
    }

    #[test]
    fn refuses_every_other_spki_of_the_same_key() {
        let good = key().spki_der().to_vec();
        for at in (0..MODULUS_AT).chain(289..294) {
            for xor in [0x01, 0x02, 0x04, 0x80] {
                let mut bytes = good.clone();
                bytes[at] ^= xor;
                assert_eq!(
                    PublicKey::from_spki_der(&bytes),
                    Err(PublicKeyError::RsaEncoding),
                    "byte {at} xor {xor:#x}"
                );
            }
        }
        let n = [&[0], &made::rsa_key().n().to_bytes_be()[..]].concat();
        let integer = |content: &[u8]| tagged(INTEGER, content);
        let spki = |algorithm: &[u8], unused: u8, key: &[u8]| {
            tagged(SEQUENCE, &[algorithm, &tagged(BIT_STRING, &[&[unused], key].concat())].concat())
        };
        let pair = |n: &[u8], e: &[u8]| tagged(SEQUENCE, &[n, e].concat());
        let good_pair = pair(&integer(&n), EXPONENT_DER);
        assert_eq!(spki(RSA_ENCRYPTION, 0, &good_pair), good);
        let long_length = [&[INTEGER, 0x83, 0, 1, 1], &n[..]].concat();
        let cases = [
            ("no NULL", spki(&[&[0x30, 0x0b], &RSA_ENCRYPTION[2..13]].concat(), 0, &good_pair)),
            ("a NULL more", spki(&[&[0x30, 0x0f], &RSA_ENCRYPTION[2..], &[5, 0]].concat(), 0, &good_pair)),
            ("RSASSA-PSS", spki(&[&RSA_ENCRYPTION[..12], &[0x0a, 5, 0]].concat(), 0, &good_pair)),
            ("unused bits", spki(RSA_ENCRYPTION, 1, &good_pair)),
            ("a zero byte more", spki(RSA_ENCRYPTION, 0, &pair(&integer(&[&[0], &n[..]].concat()), EXPONENT_DER))),
            ("a negative modulus", spki(RSA_ENCRYPTION, 0, &pair(&integer(&n[1..]), EXPONENT_DER))),
            ("a long length", spki(RSA_ENCRYPTION, 0, &pair(&long_length, EXPONENT_DER))),
            ("a padded exponent", spki(RSA_ENCRYPTION, 0, &pair(&integer(&n), &[2, 4, 0, 1, 0, 1]))),
            ("the exponent 3", spki(RSA_ENCRYPTION, 0, &pair(&integer(&n), &[2, 1, 3]))),
            ("the exponent 65539", spki(RSA_ENCRYPTION, 0, &pair(&integer(&n), &[2, 3, 1, 0, 3]))),
            ("exponent and modulus swapped", spki(RSA_ENCRYPTION, 0, &pair(EXPONENT_DER, &integer(&n)))),
            ("a byte after the key", spki(RSA_ENCRYPTION, 0, &[&good_pair[..], &[0]].concat())),
            ("a byte at the end", [&good[..], &[0]].concat()),
            ("the key alone", good_pair),
            ("an indefinite length", [&[0x30, 0x80], &good[4..], &[0, 0]].concat()),
            ("a byte short", good[..293].to_vec()),
        ];
        for (name, bytes) in cases {
            assert!(PublicKey::from_spki_der(&bytes).is_err(), "{name}");
        }
        let long = spki_of_modulus(&modulus_of(4097));
        assert_eq!(PublicKey::from_spki_der(&long), Err(PublicKeyError::RsaModulus { found: 4097, bytes: 513 }));
        let even = spki_of_modulus(&[&modulus_of(2048)[..255], &[0xfe]].concat());
        assert_eq!(PublicKey::from_spki_der(&even), Err(PublicKeyError::RsaModulusEven));
    }

    #[test]
    fn accepts_one_encoding_under_the_signature() {
        let scheme = Pkcs1v15Sign { hash_len: Some(32), prefix: SHA256_DIGEST_INFO.into() };
        let signature = made::rsa_key().sign(scheme, &digest()).unwrap();
        assert_eq!(signature, open_to(&good_encoding()));
        assert_eq!(check(&signature), Ok(()));
        let without_null = [&[0x30, 0x2f, 0x30, 0x0b], &SHA256_DIGEST_INFO[4..15], &[4, 32]].concat();
        let info = [&SHA256_DIGEST_INFO[..], &digest()].concat();
        let mut short_padding = vec![0; 256];
        short_padding[..11].copy_from_slice(&[0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 0]);
        short_padding[11..62].copy_from_slice(&info);
        let mut hole = good_encoding();
        hole[100] = 0;
        let cases = [
            ("without NULL", padded(&[&without_null[..], &digest()].concat())),
            ("no DigestInfo", padded(&digest())),
            ("bytes after the hash", padded(&[&info[..], &[0; 8]].concat())),
            ("short padding and garbage", short_padding),
            ("a hole in the padding", hole),
            ("for encryption", [&[0, 2], &good_encoding()[2..]].concat()),
            ("a byte before", [&[1], &good_encoding()[1..]].concat()),
            (
                "no separator",
                good_encoding().iter().enumerate().map(|(n, b)| if n == 204 { 0xff } else { *b }).collect(),
            ),
            ("another hash", padded(&[&SHA256_DIGEST_INFO[..], &[0; 32]].concat())),
            ("SHA-512's name", padded(&[&SHA256_DIGEST_INFO[..14], &[3, 5, 0, 4, 32], &digest()].concat())),
        ];
        for (name, encoded) in cases {
            assert_eq!(check(&open_to(&encoded)), Err(MISMATCH), "{name}");
        }
    }

    #[test]
    fn refuses_signatures_of_another_length_or_size() {
        let good = open_to(&good_encoding());
        assert_eq!(check(&[]), Err(encoding(0)));
        assert_eq!(check(&good[..255]), Err(encoding(255)));
        assert_eq!(check(&[&good[..], &[0]].concat()), Err(encoding(257)));
        assert_eq!(check(&[&[0], &good[..]].concat()), Err(encoding(257)));
        assert_eq!(check(&made::sign(b"an ES256 signature")).unwrap_err().code(), "A16");
        let n = made::rsa_key().n().clone();
        assert_eq!(check(&n.to_bytes_be()), Err(encoding(256)), "s = n");
        assert_eq!(check(&[0xff; 256]), Err(encoding(256)));
        assert_eq!(check(&(n - 1_u32).to_bytes_be()), Err(MISMATCH), "s = n - 1");
        assert_eq!(check(&[0; 256]), Err(MISMATCH));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 250..600), head in 0usize..40) {
            prop_assert!(PublicKey::from_spki_der(&bytes).is_err());
            let good = key().spki_der().to_vec();
            let _ = PublicKey::from_spki_der(&[&good[..head], &bytes].concat());
            prop_assert!(check(&bytes[..250]).is_err());
        }
    }
}
