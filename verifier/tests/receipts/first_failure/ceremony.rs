//! The steps about what browser and authenticator made: challenge, client data, authenticator data, signature.

use verifier::entry::DecisionEntry;
use verifier::verify::Step;

use super::{assert_fail, changed, none, replace};
use crate::made::authenticator::authenticator_data;
use crate::made::{ALEX, Changes, MALLORY, Story, approves};

#[test]
fn challenge() {
    let challenge = |challenge| changed(Changes { challenge, ..none() });
    let client_data = |client_data| changed(Changes { client_data, ..none() });
    assert_fail(
        Step::Challenge,
        vec![
            ("another nonce", challenge(|mut it| (it[0] ^= 1, it).1)),
            ("another document", challenge(|mut it| (it[63] ^= 1, it).1)),
            ("halves swapped", challenge(|it| [&it[32..], &it[..32]].concat())),
            ("the hash alone", challenge(|it| it[32..].to_vec())),
            ("a byte more", challenge(|it| [it, vec![0]].concat())),
            ("not JSON", client_data(|text| text + "x")),
            ("a repeated key", client_data(|text| replace(&text, "{", "{\"challenge\":\"\","))),
            ("no challenge", client_data(|text| replace(&text, "challenge", "Challenge"))),
            ("a padded challenge", client_data(|text| replace(&text, "\",\"origin", "==\",\"origin"))),
            ("more than 4096 bytes", client_data(|text| text + &" ".repeat(4096))),
        ],
    );
}

#[test]
fn client_data() {
    let client_data = |client_data| changed(Changes { client_data, ..none() });
    assert_fail(
        Step::ClientData,
        vec![
            ("a registration", client_data(|text| replace(&text, "webauthn.get", "webauthn.create"))),
            ("another ceremony", client_data(|text| replace(&text, "webauthn.get", "payment.get"))),
            ("another site", client_data(|text| replace(&text, "//approvals", "//evil"))),
            ("another scheme", client_data(|text| replace(&text, "https:", "http:"))),
            ("another port", client_data(|text| replace(&text, ".com\"", ".com:8443\""))),
            ("a path", client_data(|text| replace(&text, ".com\"", ".com/\""))),
            ("framed by another site", client_data(|text| replace(&text, "false", "true"))),
            (
                "framed by itself",
                client_data(|text| replace(&text, "}", ",\"topOrigin\":\"https://approvals.example.com\"}")),
            ),
        ],
    );
}

#[test]
fn authenticator_data_flags_and_form() {
    let data = |authenticator_data| changed(Changes { authenticator_data, ..none() });
    assert_eq!(authenticator_data()[32], 0x05, "UP and UV");
    assert_fail(
        Step::AuthenticatorData,
        vec![
            ("another relying party", data(|mut it| (it[0] ^= 1, it).1)),
            ("no user presence", data(|mut it| (it[32] = 0x04, it).1)),
            ("no user verification", data(|mut it| (it[32] = 0x01, it).1)),
            ("backed up but not eligible", data(|mut it| (it[32] = 0x15, it).1)),
            ("a trailing byte", data(|it| [it, vec![0]].concat())),
            ("a byte short", data(|mut it| (it.pop(), it).1)),
            ("with the flag of a registration", data(|mut it| (it[32] |= 0x40, it).1)),
            ("extensions that are not there", data(|mut it| (it[32] |= 0x80, it).1)),
        ],
    );
}

#[test]
fn signature() {
    let signature = |signature| changed(Changes { signature, ..none() });
    let decision = |decision| changed(Changes { decision, ..none() });
    let by_mallory = Story {
        votes: vec![approves("alex", MALLORY, 30)],
        changes: Changes { decision: |it| DecisionEntry { credential: ALEX.credential(), ..it }, ..none() },
        ..Story::one()
    };
    assert_fail(
        Step::Signature,
        vec![
            ("by another key", by_mallory),
            ("over another counter", decision(|mut it| (it.assertion.authenticator_data[36] ^= 1, it).1)),
            ("over other client data", decision(|mut it| (it.assertion.client_data_json.push(b' '), it).1)),
            ("one bit off", signature(|mut it| (*it.last_mut().unwrap() ^= 1, it).1)),
            ("nothing", signature(|_| Vec::new())),
            ("a byte behind it", signature(|it| [it, vec![0]].concat())),
            ("not in DER", signature(|it| p256::ecdsa::Signature::from_der(&it).unwrap().to_bytes().to_vec())),
            ("zeros", signature(|_| vec![0x30, 6, 2, 1, 0, 2, 1, 0])),
        ],
    );
}
