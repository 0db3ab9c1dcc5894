//! Public keys in another encoding than the one, weak keys, and what is no key.

use verifier::entry::CredentialEntry;
use verifier::verify::Step;

use super::rs256::by;
use super::{Case, changed, none};
use crate::made::der::{RSA_ENCRYPTION, element, modulus_of, rsa_spki, spki, unsigned};
use crate::made::rsa_primes::{RSA_1024, RSA_2048};
use crate::made::{ALEX, Changes, Key, TPM};

pub(super) fn cases() -> Vec<Case> {
    [p256(), rsa(), rsa_forms()].into_iter().flatten().collect()
}

/// The 91 bytes of ES256: 26 of prefix, then 04, x and y.
fn p256() -> Vec<Case> {
    let key = |words: &str, enrolment| {
        Case::fails(Step::Enrolment, &format!("key: {words}"), &changed(Changes { enrolment, ..none() }))
    };
    vec![
        key("nothing", |it| with(it, |_| Vec::new())),
        key("a byte more", |it| with(it, |it| [it, vec![0]].concat())),
        key("a byte less", |it| with(it, |mut it| (it.pop(), it).1)),
        key("no point", |it| with(it, |mut it| (it[60] ^= 1, it).1)),
        key("a point of zeros", |it| with(it, |it| [&it[..27], &[0; 64]].concat())),
        key("a coordinate that is not reduced", |it| with(it, |it| [&it[..27], &[0xff; 32], &it[59..]].concat())),
        key("the point at infinity", |it| with(it, |it| [&[0x30, 0x19], &it[2..23], &[3, 2, 0, 0]].concat())),
        key("a compressed point", |it| {
            with(it, |it| {
                let tag = 2 + (it[90] & 1);
                [&[0x30, 0x39], &it[2..23], &[3, 0x22, 0, tag], &it[27..59]].concat()
            })
        }),
        key("a hybrid point", |it| with(it, |mut it| (it[26] = 6 + (it[90] & 1), it).1)),
        key("the point alone", |it| with(it, |it| it[26..].to_vec())),
        key("the coordinates alone", |it| with(it, |it| it[27..].to_vec())),
        key("a long length", |it| with(it, |it| [&[0x30, 0x81], &it[1..]].concat())),
        key("an indefinite length", |it| with(it, |it| [&[0x30, 0x80], &it[2..], &[0, 0]].concat())),
        key("another curve", |it| with(it, |mut it| (it[22] = 0x01, it).1)),
        key("another algorithm", |it| with(it, |mut it| (it[12] = 0x02, it).1)),
        key("a COSE key", |it| {
            with(it, |it| {
                [b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20", &it[27..59], b"\x22\x58\x20", &it[59..]].concat()
            })
        }),
        key("PEM", |it| {
            with(it, |it| {
                format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", verifier::encoding::base64(&it))
                    .into_bytes()
            })
        }),
    ]
}

fn with(entry: CredentialEntry, change: fn(Vec<u8>) -> Vec<u8>) -> CredentialEntry {
    CredentialEntry { public_key: change(entry.public_key.clone()), ..entry }
}

fn rsa() -> Vec<Case> {
    let weak = |words: &str, key| Case::fails(Step::Enrolment, &format!("key: {words}"), &by(key));
    let alg = |words: &str, name, enrolment: fn(CredentialEntry) -> CredentialEntry| {
        Case::fails(Step::Enrolment, &format!("key: {words}"), &by(name).with(Changes { enrolment, ..none() }))
    };
    vec![
        weak("RSA of 1024 bits", Key::Rsa(RSA_1024, 65_537)),
        weak("RSA with the exponent 3", Key::Rsa(RSA_2048, 3)),
        alg("RSA as ES256", TPM, |it| CredentialEntry { alg: "ES256".into(), ..it }),
        alg("RSA as PS256", TPM, |it| CredentialEntry { alg: "PS256".into(), ..it }),
        alg("RSA in the place of a key of P-256", ALEX, |it| CredentialEntry { public_key: TPM.spki_der(), ..it }),
        alg("P-256 in the place of an RSA key", TPM, |it| CredentialEntry { public_key: ALEX.spki_der(), ..it }),
    ]
}

/// The same RSA key, written otherwise: its credential would be another one.
fn rsa_forms() -> Vec<Case> {
    let form = |words: &str, enrolment| {
        Case::fails(Step::Enrolment, &format!("key: RSA {words}"), &by(TPM).with(Changes { enrolment, ..none() }))
    };
    vec![
        form("without NULL", |it| with(it, |it| spki(&element(0x30, &RSA_ENCRYPTION[2..13]), &it[24..]))),
        form("with a byte more in its identifier", |it| {
            with(it, |it| spki(&element(0x30, &[&RSA_ENCRYPTION[2..], &[5, 0]].concat()), &it[24..]))
        }),
        form("for PSS", |it| with(it, |it| spki(&[&RSA_ENCRYPTION[..12], &[0x0a, 5, 0]].concat(), &it[24..]))),
        form("for SHA-256", |it| with(it, |it| spki(&[&RSA_ENCRYPTION[..12], &[0x0b, 5, 0]].concat(), &it[24..]))),
        form("without its SPKI", |it| with(it, |it| it[24..].to_vec())),
        form("with a byte at the end", |it| with(it, |it| [it, vec![0]].concat())),
        form("with a byte after the key", |it| with(it, |it| spki(&RSA_ENCRYPTION, &[&it[24..], &[0]].concat()))),
        form("with unused bits", |it| with(it, |mut it| (it[23] = 1, it).1)),
        form("with a padded modulus", |it| {
            with(it, |it| rsa_spki(&element(2, &[&[0], &modulus_of(&it)[4..]].concat()), 65_537))
        }),
        form("with a negative modulus", |it| with(it, |it| rsa_spki(&element(2, &modulus_of(&it)[5..]), 65_537))),
        form("with an even modulus", |it| {
            with(it, |it| {
                let mut n = modulus_of(&it)[5..].to_vec();
                n[255] &= 0xfe;
                rsa_spki(&unsigned(&n), 65_537)
            })
        }),
        form("with a modulus of 2047 bits", |it| {
            with(it, |it| {
                let mut n = modulus_of(&it)[5..].to_vec();
                n[0] &= 0x7f;
                rsa_spki(&unsigned(&n), 65_537)
            })
        }),
        form("with a modulus of 4097 bits", |it| {
            with(it, |_| rsa_spki(&unsigned(&[&[1], &[0xff; 512][..]].concat()), 65_537))
        }),
        form("with a modulus of 8192 bits", |it| with(it, |_| rsa_spki(&unsigned(&[0xff; 1024]), 65_537))),
        form("with the modulus 0", |it| with(it, |_| rsa_spki(&element(2, &[0; 257]), 65_537))),
        form("with the exponent 1", |it| with(it, |it| rsa_spki(modulus_of(&it), 1))),
        form("with the exponent 65539", |it| with(it, |it| rsa_spki(modulus_of(&it), 65_539))),
        form("with a padded exponent", |it| {
            with(it, |it| spki(&RSA_ENCRYPTION, &element(0x30, &[modulus_of(&it), &[2, 4, 0, 1, 0, 1]].concat())))
        }),
        form("with modulus and exponent swapped", |it| {
            with(it, |it| spki(&RSA_ENCRYPTION, &element(0x30, &[&[2, 3, 1, 0, 1], modulus_of(&it)].concat())))
        }),
        form("with a long length", |it| with(it, |it| [&[0x30, 0x83, 0], &it[2..]].concat())),
        form("with an indefinite length", |it| with(it, |it| [&[0x30, 0x80], &it[4..], &[0, 0]].concat())),
    ]
}
