//! ES256 signatures over something else, by somebody else, or in another encoding.

use sha2::{Digest as _, Sha256};
use verifier::entry::DecisionEntry;
use verifier::verify::Step;

use super::{Case, changed, none};
use crate::made::der::{element, unsigned};
use crate::made::{ALEX, Changes, MALLORY, Story, approves};

pub(super) fn cases() -> Vec<Case> {
    [meaning(), encoding(), numbers()].into_iter().flatten().collect()
}

fn meaning() -> Vec<Case> {
    let decision = |name, decision| Case::fails(Step::Signature, name, &changed(Changes { decision, ..none() }));
    let by_mallory = Story {
        votes: vec![approves("alex", MALLORY, 30)],
        changes: Changes { decision: |it| DecisionEntry { credential: ALEX.credential(), ..it }, ..none() },
        ..Story::one()
    };
    vec![
        Case::fails(Step::Signature, "by another key", &by_mallory),
        decision("over another counter", |mut it| (it.assertion.authenticator_data[36] ^= 1, it).1),
        decision("over other flags", |mut it| (it.assertion.authenticator_data[32] = 0x0d, it).1),
        decision("over other client data", |mut it| (it.assertion.client_data_json.push(b' '), it).1),
        decision("over the client data alone", |it| over(it, |_, client| client.to_vec())),
        decision("over the hash of the client data alone", |it| over(it, |_, client| Sha256::digest(client).to_vec())),
        decision("over the authenticator data alone", |it| over(it, |data, _| data.to_vec())),
        decision("over the client data in full", |it| over(it, |data, client| [data, client].concat())),
        decision("over the hash of what is signed", |it| {
            over(it, |data, client| Sha256::digest([data, &Sha256::digest(client)].concat()).to_vec())
        }),
        decision("over both the other way round", |it| {
            over(it, |data, client| [&Sha256::digest(client), data].concat())
        }),
    ]
}

/// Alex's signature over other bytes than those of an assertion.
fn over(mut entry: DecisionEntry, message: fn(&[u8], &[u8]) -> Vec<u8>) -> DecisionEntry {
    let it = &mut entry.assertion;
    it.signature = ALEX.sign_message(&message(&it.authenticator_data, &it.client_data_json));
    entry
}

fn signed(name: &str, signature: fn(Vec<u8>) -> Vec<u8>) -> Case {
    Case::fails(Step::Signature, name, &changed(Changes { signature, ..none() }))
}

fn encoding() -> Vec<Case> {
    vec![
        signed("nothing", |_| Vec::new()),
        signed("one bit off", |mut it| (*it.last_mut().unwrap() ^= 1, it).1),
        signed("a byte behind it", |it| [it, vec![0]].concat()),
        signed("a byte short", |mut it| (it.pop(), it).1),
        signed("not in DER", |it| p256::ecdsa::Signature::from_der(&it).unwrap().to_bytes().to_vec()),
        signed("a long length", |it| [&[0x30, 0x81], &it[1..]].concat()),
        signed("a longer length", |it| [&[0x30, 0x82, 0], &it[1..]].concat()),
        signed("an indefinite length", |it| [&[0x30, 0x80], &it[2..], &[0, 0]].concat()),
        signed("a length too large", |mut it| (it[1] += 1, it).1),
        signed("a set", |mut it| (it[0] = 0x31, it).1),
        signed("an octet string for r", |mut it| (it[2] = 0x04, it).1),
        signed("a third number", |it| [&[0x30, it[1] + 3], &it[2..], &[2, 1, 1]].concat()),
        signed("one number", |it| element(0x30, &it[2..4 + usize::from(it[3])])),
        signed("a sequence around it", |it| element(0x30, &it)),
        signed("in hexadecimal", |it| it.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()),
        signed("a padded r", |it| numbered(&it, |r| element(2, &[&[0], &minimal(r)[2..]].concat()), unsigned_of)),
        signed("a padded s", |it| numbered(&it, unsigned_of, |s| element(2, &[&[0], &minimal(s)[2..]].concat()))),
        signed("a long length of r", |it| numbered(&it, |r| [&[2, 0x81], &minimal(r)[1..]].concat(), unsigned_of)),
        signed("an empty s", |it| numbered(&it, unsigned_of, |_| vec![2, 0])),
    ]
}

/// The order of the group of P-256.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

fn numbers() -> Vec<Case> {
    vec![
        signed("zeros", |_| vec![0x30, 6, 2, 1, 0, 2, 1, 0]),
        signed("ones", |_| vec![0x30, 6, 2, 1, 1, 2, 1, 1]),
        signed("r is 0", |it| numbered(&it, |_| vec![2, 1, 0], unsigned_of)),
        signed("s is 0", |it| numbered(&it, unsigned_of, |_| vec![2, 1, 0])),
        signed("r is the order", |it| numbered(&it, |_| unsigned(&ORDER), unsigned_of)),
        signed("s is the order", |it| numbered(&it, unsigned_of, |_| unsigned(&ORDER))),
        signed("r and the order", |it| numbered(&it, plus_the_order, unsigned_of)),
        signed("s and the order", |it| numbered(&it, unsigned_of, plus_the_order)),
        signed("a negative r", |it| numbered(&it, |r| element(2, &[&[0x80 | r[0]], &r[1..]].concat()), unsigned_of)),
        signed("r and s swapped", |it| {
            let signature = p256::ecdsa::Signature::from_der(&it).unwrap();
            let (r, s) = signature.split_bytes();
            element(0x30, &[minimal(&s), minimal(&r)].concat())
        }),
        signed("numbers of 40 bytes", |_| element(0x30, &[element(2, &[1; 40]), element(2, &[1; 40])].concat())),
    ]
}

/// r and s of a signature, each of 32 bytes, each encoded in its way.
fn numbered(signature: &[u8], r: fn(&[u8]) -> Vec<u8>, s: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let (of_r, of_s) = p256::ecdsa::Signature::from_der(signature).unwrap().split_bytes();
    element(0x30, &[r(&of_r), s(&of_s)].concat())
}

fn unsigned_of(number: &[u8]) -> Vec<u8> {
    minimal(number)
}

fn minimal(number: &[u8]) -> Vec<u8> {
    unsigned(&number[number.iter().take_while(|byte| **byte == 0).count()..])
}

fn plus_the_order(number: &[u8]) -> Vec<u8> {
    let mut sum = [0; 33];
    let mut carry = 0;
    for at in (0..32).rev() {
        let digit = u16::from(number[at]) + u16::from(ORDER[at]) + carry;
        sum[at + 1] = digit.to_be_bytes()[1];
        carry = digit >> 8;
    }
    sum[0] = carry.to_be_bytes()[1];
    minimal(&sum)
}
