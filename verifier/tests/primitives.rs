//! Both signature primitives give one verdict: the server (AWS-LC) and an offline verifier (pure Rust) must not disagree
//! about any key, message and signature. Runs with the feature `aws-lc`, which the whole workspace turns on.
//!
//! The same is tested on Wycheproof's cases (webauthn_vectors.rs) and on every receipt of testdata (receipts/).

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[allow(dead_code, reason = "these tests need its keys and its DER, not its receipts")]
mod made;

use made::der;
use made::rsa_primes::{RSA_2048, RSA_2051, RSA_4096};
use made::{ALEX, Key, SAM, TPM};
use p256::elliptic_curve::PrimeField as _;
use p256::elliptic_curve::ops::Reduce as _;
use p256::{FieldBytes, Scalar};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use verifier::webauthn::{AwsLc, PublicKey, PureRust, SignaturePrimitive as _, signed_message, verify_signature};

const DATA: &[u8] = b"authenticator data";

/// The order of P-256's group.
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
/// The prime of its field, which is greater.
const FIELD: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";

fn public_key(key: Key) -> PublicKey {
    PublicKey::from_spki_der(&key.spki_der()).unwrap()
}

/// The verdict on a signature over the client data, which both primitives must give: each by itself, and after the check
/// of the encoding.
fn verdict(key: &PublicKey, client_data: &[u8], signature: &[u8]) -> bool {
    let message = signed_message(DATA, client_data);
    let bare = [PureRust.verify(key, &message, signature), AwsLc.verify(key, &message, signature)];
    let whole = [
        verify_signature(key, DATA, client_data, signature, &PureRust),
        verify_signature(key, DATA, client_data, signature, &AwsLc),
    ];
    assert_eq!(bare[0], bare[1], "{key:02x?} {client_data:02x?} {signature:02x?}");
    assert_eq!(whole[0], whole[1], "{key:02x?} {client_data:02x?} {signature:02x?}");
    assert_eq!(bare[0], whole[0].is_ok(), "the encoding decides: {signature:02x?}");
    bare[0]
}

#[test]
fn good_signatures_of_every_kind_of_key() {
    let keys = [ALEX, SAM, TPM, Key::Rsa(RSA_2051, 65_537), Key::Rsa(RSA_4096, 65_537)];
    for key in keys {
        for client_data in [&b""[..], b"{}", &[0; 4096]] {
            let signature = key.sign(DATA, client_data);
            assert!(verdict(&public_key(key), client_data, &signature), "{key:?}");
            assert!(!verdict(&public_key(key), b"other", &signature), "{key:?}");
            for other in keys.into_iter().filter(|other| *other != key) {
                assert!(!verdict(&public_key(other), client_data, &signature), "{key:?} for {other:?}");
            }
        }
    }
}

#[test]
fn both_forms_of_an_ecdsa_signature_are_good() {
    let signature = p256::ecdsa::Signature::from_der(&ALEX.sign(DATA, b"{}")).unwrap();
    let other = p256::ecdsa::Signature::from_scalars(signature.r().to_bytes(), (-*signature.s()).to_bytes()).unwrap();
    assert_ne!(signature.normalize_s() == signature, other.normalize_s() == other, "one of them is the high one");
    for form in [signature, other] {
        assert!(verdict(&public_key(ALEX), b"{}", form.to_der().as_bytes()));
    }
}

#[test]
fn numbers_at_the_edges_of_p256() {
    let [order, field] = [ORDER, FIELD].map(number);
    let edges = [
        vec![0],
        vec![1],
        vec![2],
        plus(&order, -2),
        plus(&order, -1),
        order.clone(),
        plus(&order, 1),
        plus(&field, -1),
        field,
        vec![0xff; 32],
        [&[1][..], &[0; 32]].concat(),
        vec![0xff; 33],
    ];
    // 1 and n - 1 make the generator and its negative.
    let generators = [vec![1], plus(&order, -1)].map(|scalar| spki_of_scalar(&scalar));
    let keys = generators.into_iter().chain([public_key(ALEX)]);
    for key in keys {
        for r in &edges {
            for s in &edges {
                let signature = der::element(0x30, &[der::unsigned(r), der::unsigned(s)].concat());
                assert!(!verdict(&key, b"{}", &signature), "{r:02x?} {s:02x?}");
            }
        }
    }
}

/// With r = -hash / secret the sum that is to have the x coordinate r is the point at infinity, whatever s is.
#[test]
fn a_signature_that_leads_to_infinity() {
    let secret = Scalar::from_repr(FieldBytes::from([0x21; 32])).unwrap();
    let hash = Scalar::reduce(&FieldBytes::from(<[u8; 32]>::from(Sha256::digest(signed_message(DATA, b"{}")))));
    let r = -(hash * secret.invert().unwrap());
    for s in [Scalar::ONE, Scalar::from(7_u64), -Scalar::ONE, r] {
        let signature = p256::ecdsa::Signature::from_scalars(r.to_bytes(), s.to_bytes()).unwrap();
        assert!(!verdict(&public_key(ALEX), b"{}", signature.to_der().as_bytes()));
    }
}

#[test]
fn numbers_at_the_edges_of_rsa() {
    for primes in [RSA_2048, RSA_2051, RSA_4096] {
        let key = Key::Rsa(primes, 65_537);
        let public = public_key(key);
        let spki = key.spki_der();
        let modulus = der::modulus_of(&spki);
        let modulus = &modulus[4..][usize::from(modulus[4] == 0)..];
        let good = key.sign(DATA, b"{}");
        let small = |number: u8| [vec![0; modulus.len() - 1], vec![number]].concat();
        let signatures = [
            small(0),
            small(1),
            small(2),
            plus(modulus, -1),
            modulus.to_vec(),
            plus(modulus, 1),
            vec![0xff; modulus.len()],
            good[1..].to_vec(),
            [&[0], &good[..]].concat(),
            [&good[..], &[0]].concat(),
            Vec::new(),
        ];
        assert!(verdict(&public, b"{}", &good));
        for signature in signatures {
            assert!(!verdict(&public, b"{}", &signature), "{signature:02x?}");
        }
    }
}

/// What was done to a good signature.
#[derive(Debug, Clone)]
enum Change {
    Nothing,
    Xor(usize, u8),
    Cut(usize),
    Insert(usize, u8),
    Swap(usize, usize),
    Numbers(Vec<u8>, Vec<u8>),
    Bytes(Vec<u8>),
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        let at = 0..256_usize;
        let bytes = |most: usize| proptest::collection::vec(any::<u8>(), 1..=most);
        prop_oneof![
            1 => Just(Self::Nothing),
            // The first bytes of DER are where the form is.
            3 => (0..8_usize, any::<u8>()).prop_map(|(at, by)| Self::Xor(at, by)),
            3 => (at.clone(), any::<u8>()).prop_map(|(at, by)| Self::Xor(at, by)),
            1 => at.clone().prop_map(Self::Cut),
            2 => (at.clone(), any::<u8>()).prop_map(|(at, byte)| Self::Insert(at, byte)),
            1 => (at.clone(), at).prop_map(|(a, b)| Self::Swap(a, b)),
            2 => (bytes(34), bytes(34)).prop_map(|(r, s)| Self::Numbers(r, s)),
            1 => bytes(300).prop_map(Self::Bytes),
        ]
    }

    fn of(&self, signature: &[u8]) -> Vec<u8> {
        let mut changed = signature.to_vec();
        let length = changed.len();
        match self {
            Self::Nothing => {}
            Self::Xor(at, by) => changed[at % length] ^= by,
            Self::Cut(at) => changed.truncate(at % length),
            Self::Insert(at, byte) => changed.insert(at % length, *byte),
            Self::Swap(a, b) => changed.swap(a % length, b % length),
            Self::Numbers(r, s) => {
                return der::element(0x30, &[der::element(2, r), der::element(2, s)].concat());
            }
            Self::Bytes(bytes) => return bytes.clone(),
        }
        changed
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn changed_signatures_of_p256(scalar in 1_u8..=254, client_data: Vec<u8>, change in Change::any()) {
        let key = Key::P256(scalar);
        let signature = key.sign(DATA, &client_data);
        let changed = change.of(&signature);
        let good = verdict(&public_key(key), &client_data, &changed);
        prop_assert!(good == (changed == signature));
    }
}

proptest! {
    // RSA takes its time: each case signs once and verifies eight times.
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Any odd number of an accepted length may be a modulus, also one that is no product of two primes.
    #[test]
    fn changed_keys_and_signatures_of_rsa(
        client_data: Vec<u8>, change in Change::any(), at in 0..256_usize, by: u8, cut in 0..4_usize,
    ) {
        let signature = TPM.sign(DATA, &client_data);
        let changed = change.of(&signature);
        prop_assert!(verdict(&public_key(TPM), &client_data, &changed) == (changed == signature));

        let spki = Key::Rsa(RSA_4096, 65_537).spki_der();
        let mut modulus = der::modulus_of(&spki)[5 + 64 * cut..].to_vec();
        let last = modulus.len() - 1;
        modulus[at] ^= by;
        modulus[0] |= 0x80;
        modulus[last] |= 1;
        let other = PublicKey::from_spki_der(&der::rsa_spki(&der::unsigned(&modulus), 65_537)).unwrap();
        let filled = [vec![0; modulus.len() - 256], signature].concat();
        prop_assert!(!verdict(&other, &client_data, &change.of(&filled)));
    }
}

fn number(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// A number, big-endian, with a little added to its last byte, where it fits.
fn plus(number: &[u8], little: i8) -> Vec<u8> {
    let (last, rest) = number.split_last().unwrap();
    [rest, &[last.checked_add_signed(little).unwrap()]].concat()
}

fn spki_of_scalar(scalar: &[u8]) -> PublicKey {
    let scalar = [vec![0; 32 - scalar.len()], scalar.to_vec()].concat();
    let key = p256::ecdsa::SigningKey::from_slice(&scalar).unwrap();
    let spki = ALEX.spki_der();
    PublicKey::from_spki_der(&[&spki[..26], key.verifying_key().to_sec1_point(false).as_bytes()].concat()).unwrap()
}
