//! Enrolments that an earlier key is said to have allowed.

use verifier::entry::{Authorisation, CredentialEntry};
use verifier::verify::Step;

use super::{Case, none};
use crate::made::authenticator::{authenticator_data, client_data};
use crate::made::{
    self, ALEX, ALEX_NEW, Changes, Enrolment, LOG, SAM, Story, approves, core, enrolment_challenge, invited, name,
};

pub(super) fn cases() -> Vec<Case> {
    [keys(), moved(), ceremonies()].into_iter().flatten().collect()
}

fn keys() -> Vec<Case> {
    let new = |by| Enrolment { approver: "alex", key: ALEX_NEW, by: Some(by) };
    let (alex, sam) = (invited("alex", ALEX), invited("sam", SAM));
    let enrolled = |words: &str, enrolments| {
        Case::fails(Step::Enrolment, &format!("allowed {words}"), &Story { enrolments, ..Story::second_key() })
    };
    let mut both = Story::second_key();
    both.core = core(&["alex", "sam"], 2);
    both.enrolments = vec![sam, new(SAM)];
    both.votes.push(approves("sam", SAM, 40));
    vec![
        enrolled("by a key that is not in the receipt", vec![new(ALEX)]),
        enrolled("by a key that was enrolled later", vec![new(ALEX), alex]),
        enrolled("by itself", vec![new(ALEX_NEW)]),
        enrolled("by another person's key", vec![sam, new(SAM)]),
        enrolled("by each other", vec![Enrolment { approver: "alex", key: ALEX, by: Some(ALEX_NEW) }, new(ALEX)]),
        Case::fails(Step::Enrolment, "allowed by the key of another approver who decides", &both),
    ]
}

fn moved() -> Vec<Case> {
    let entry = |words: &str, enrolment| {
        let story = Story::second_key().with(Changes { enrolment, ..none() });
        Case::fails(Step::Enrolment, &format!("allowed {words}"), &story)
    };
    vec![
        entry("for another key", |it| allowed_elsewhere(it, |it| it.public_key = SAM.spki_der())),
        entry("for another site", |it| allowed_elsewhere(it, |it| it.rp_id = "example.com".into())),
        entry("for another person", |it| allowed_elsewhere(it, |it| it.approver = name("sam").label(LOG))),
        entry("for a person of another log", |it| {
            allowed_elsewhere(it, |it| it.approver = name("alex").label("other/log"))
        }),
        entry("with another counter", |it| spoiled(it, |it| it.authenticator_data[36] ^= 1)),
        entry("with a signature that fails", |it| spoiled(it, |it| *it.signature.last_mut().unwrap() ^= 1)),
        entry("with a signature and a byte", |it| spoiled(it, |it| it.signature.push(0))),
        entry("with client data and a space", |it| spoiled(it, |it| it.client_data_json.push(b' '))),
        entry("with the challenge of a decision", |it| {
            let decision = Story::one().receipt().decisions[0].logged.entry.clone();
            let Ok(verifier::entry::Entry::Decision(decision)) = verifier::entry::Entry::parse(decision.as_bytes())
            else {
                panic!("a decision")
            };
            with(it, |_| decision.assertion.clone())
        }),
    ]
}

fn ceremonies() -> Vec<Case> {
    let entry = |words: &str, enrolment| {
        let story = Story::second_key().with(Changes { enrolment, ..none() });
        Case::fails(Step::Enrolment, &format!("allowed {words}"), &story)
    };
    vec![
        entry("on another site", |it| signed(it, |text| text.replace("//approvals", "//evil"), |it| it)),
        entry("in a registration", |it| signed(it, |text| text.replace("webauthn.get", "webauthn.create"), |it| it)),
        entry("in a frame", |it| signed(it, |text| text.replace("false", "true"), |it| it)),
        entry("under a top origin", |it| {
            signed(it, |text| text.replace("\"crossOrigin\":false", "\"topOrigin\":null"), |it| it)
        }),
        entry("with a repeated key", |it| signed(it, |text| text.replace("false}", "false,\"x\":1,\"x\":1}"), |it| it)),
        entry("without user presence", |it| signed(it, |text| text, |mut it| (it[32] = 0x04, it).1)),
        entry("without user verification", |it| signed(it, |text| text, |mut it| (it[32] = 0x01, it).1)),
        entry("for another relying party", |it| signed(it, |text| text, |mut it| (it[0] ^= 1, it).1)),
        entry("with a trailing byte", |it| signed(it, |text| text, |it| [it, vec![0]].concat())),
        entry("with a challenge of 32 bytes", |it| with(it, |it| ALEX.assert(&enrolment_challenge(it)[32..]))),
        entry("with the hash before the nonce", |it| {
            with(it, |it| {
                let challenge = enrolment_challenge(it);
                ALEX.assert(&[&challenge[32..], &challenge[..32]].concat())
            })
        }),
    ]
}

/// The entry with another assertion, if a key allowed it.
fn with(
    mut entry: CredentialEntry,
    assertion: impl Fn(&CredentialEntry) -> verifier::webauthn::Assertion,
) -> CredentialEntry {
    if let Authorisation::Credential { credential, .. } = entry.authorised_by {
        entry.authorised_by = Authorisation::Credential { credential, assertion: assertion(&entry) };
    }
    entry
}

/// An assertion that would be good for another enrolment.
fn allowed_elsewhere(entry: CredentialEntry, change: fn(&mut CredentialEntry)) -> CredentialEntry {
    with(entry, |entry| {
        let mut elsewhere = entry.clone();
        change(&mut elsewhere);
        ALEX.assert(&made::enrolment_challenge(&elsewhere))
    })
}

/// The assertion that it has, changed after it was signed.
fn spoiled(entry: CredentialEntry, change: fn(&mut verifier::webauthn::Assertion)) -> CredentialEntry {
    with(entry, |entry| {
        let Authorisation::Credential { assertion, .. } = &entry.authorised_by else { panic!("an assertion") };
        let mut assertion = assertion.clone();
        change(&mut assertion);
        assertion
    })
}

/// An assertion whose parts are changed before they are signed.
fn signed(entry: CredentialEntry, client: fn(String) -> String, data: fn(Vec<u8>) -> Vec<u8>) -> CredentialEntry {
    with(entry, |entry| {
        let client_data = client(client_data(&enrolment_challenge(entry)));
        ALEX.assert_over(data(authenticator_data()), client_data.into_bytes())
    })
}
