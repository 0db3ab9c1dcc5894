//! RS256: keys of every accepted length, and signatures that open to something else than the one encoding.

use sha2::{Digest as _, Sha256};
use verifier::entry::DecisionEntry;
use verifier::verify::Step;

use super::{Case, none};
use crate::made::authenticator::DIGEST_INFO;
use crate::made::rsa_primes::{RSA_2051, RSA_3072, RSA_4096};
use crate::made::{ALEX, Changes, Enrolment, Key, SAM, Story, TPM, approves, invited};

pub(super) fn cases() -> Vec<Case> {
    [genuine(), signatures()].into_iter().flatten().collect()
}

/// Alex decides with this key.
pub(super) fn by(key: Key) -> Story {
    Story { enrolments: vec![invited("alex", key)], votes: vec![approves("alex", key, 30)], ..Story::one() }
}

fn genuine() -> Vec<Case> {
    let key = |primes| by(Key::Rsa(primes, 65_537));
    let allowed = |key, by| Story {
        enrolments: vec![invited("alex", by), Enrolment { approver: "alex", key, by: Some(by) }],
        votes: vec![approves("alex", key, 30)],
        ..Story::one()
    };
    let mixed = Story {
        enrolments: vec![invited("alex", TPM), invited("sam", SAM)],
        votes: vec![approves("alex", TPM, 40), approves("sam", SAM, 50)],
        ..Story::two_of_three()
    };
    vec![
        Case::genuine("RS256 of 2048 bits", &by(TPM)),
        Case::genuine("RS256 of 2051 bits", &key(RSA_2051)),
        Case::genuine("RS256 of 3072 bits", &key(RSA_3072)),
        Case::genuine("RS256 of 4096 bits", &key(RSA_4096)),
        Case::genuine("RS256 allowed by ES256", &allowed(TPM, ALEX)),
        Case::genuine("ES256 allowed by RS256", &allowed(ALEX, TPM)),
        Case::genuine("RS256 and ES256 approve", &mixed),
    ]
}

fn signatures() -> Vec<Case> {
    let signed = |name, signature| Case::fails(Step::Signature, name, &by(TPM).with(Changes { signature, ..none() }));
    let logged = |name, decision| Case::fails(Step::Signature, name, &by(TPM).with(Changes { decision, ..none() }));
    let es256 = Changes { decision: |it| resigned(it, ALEX), ..none() };
    vec![
        signed("RS256: nothing", |_| Vec::new()),
        signed("RS256: one bit off", |mut it| (it[200] ^= 1, it).1),
        signed("RS256: a byte short", |mut it| (it.pop(), it).1),
        signed("RS256: a zero byte behind it", |it| [it, vec![0]].concat()),
        signed("RS256: the modulus", |_| modulus()),
        signed("RS256: the modulus less 1", |_| {
            (0..256).zip(modulus()).map(|(n, it)| it - u8::from(n == 255)).collect()
        }),
        signed("RS256: the largest number", |_| vec![0xff; 256]),
        signed("RS256: zero", |_| vec![0; 256]),
        signed("RS256: the encoding itself, unsigned", |it| opened(&it)),
        signed("RS256: DigestInfo without NULL", |it| {
            with_end(&it, |hash| [&[0x30, 0x2f, 0x30, 0x0b], &DIGEST_INFO[4..15], &[4, 32], hash].concat())
        }),
        signed("RS256: no DigestInfo", |it| with_end(&it, <[u8]>::to_vec)),
        signed("RS256: another hash", |it| with_end(&it, |_| [&DIGEST_INFO[..], &[7; 32]].concat())),
        signed("RS256: the hash of the hash", |it| {
            with_end(&it, |hash| [&DIGEST_INFO[..], &Sha256::digest(hash)].concat())
        }),
        signed("RS256: the name of SHA-384", |it| {
            with_end(&it, |hash| [&DIGEST_INFO[..14], &[2], &DIGEST_INFO[15..], hash].concat())
        }),
        signed("RS256: a long length in DigestInfo", |it| {
            with_end(&it, |hash| [&[0x30, 0x81], &DIGEST_INFO[1..], hash].concat())
        }),
        signed("RS256: bytes after the hash", |it| with_end(&it, |hash| [&DIGEST_INFO[..], hash, &[0; 16]].concat())),
        signed("RS256: short padding and any bytes", |it| {
            TPM.sign_again(&it, |it| {
                let info = &it[256 - 51..];
                [&[0, 1], &[0xff; 8][..], &[0], info, &[0x5a; 256 - 62]].concat()
            })
        }),
        signed("RS256: a hole in the padding", |it| TPM.sign_again(&it, |mut it| (it[100] = 0xfe, it).1)),
        signed("RS256: no separator", |it| TPM.sign_again(&it, |mut it| (it[204] = 0xff, it).1)),
        signed("RS256: padding of an encryption", |it| TPM.sign_again(&it, |mut it| (it[1] = 2, it).1)),
        logged("RS256: by another RSA key", |it| resigned(it, Key::Rsa(RSA_2051, 65_537))),
        logged("RS256: over another counter", |mut it| (it.assertion.authenticator_data[36] ^= 1, it).1),
        Case::fails(Step::Signature, "RS256: a signature of ES256", &by(TPM).with(es256)),
        Case::fails(
            Step::Signature,
            "ES256: a signature of RS256",
            &Story::one().with(Changes { decision: |it| resigned(it, TPM), ..none() }),
        ),
    ]
}

fn resigned(mut entry: DecisionEntry, key: Key) -> DecisionEntry {
    let it = &mut entry.assertion;
    it.signature = key.sign(&it.authenticator_data, &it.client_data_json);
    entry
}

fn modulus() -> Vec<u8> {
    let spki = TPM.spki_der();
    crate::made::der::modulus_of(&spki)[5..].to_vec()
}

/// What the signature opens to.
fn opened(signature: &[u8]) -> Vec<u8> {
    TPM.open(signature)
}

/// The padding, then another end than `DigestInfo` and hash.
fn with_end(signature: &[u8], end: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let hash = opened(signature)[256 - 32..].to_vec();
    let end = end(&hash);
    TPM.sign_raw(&[&[0, 1], &vec![0xff; 256 - 3 - end.len()][..], &[0], &end].concat())
}
