//! The step about whose key it is, and who allowed it.

use verifier::entry::{Authorisation, CredentialEntry};
use verifier::verify::Step;

use super::{assert_fail, changed, none, replace};
use crate::made::{self, ALEX, ALEX_NEW, Changes, Enrolment, LOG, SAM, Story, approves, core, invited, name};

#[test]
fn enrolment() {
    let entry = |enrolment| changed(Changes { enrolment, ..none() });
    let text = |enrolment_text| changed(Changes { enrolment_text, ..none() });
    let enrolled = |enrolments| Story { enrolments, ..Story::one() };
    let (alex, sam) = (invited("alex", ALEX), invited("sam", SAM));
    let mut shared = Story { votes: vec![approves("alex", ALEX, 10), approves("sam", ALEX, 20)], ..Story::one() };
    shared.core = core(&["alex", "sam"], 2);
    assert_fail(
        Step::Enrolment,
        vec![
            ("for another person", entry(|it| CredentialEntry { approver: name("sam").label(LOG), ..it })),
            ("for another site", entry(|it| CredentialEntry { rp_id: "example.com".into(), ..it })),
            ("of another algorithm", entry(|it| CredentialEntry { alg: "RS256".into(), ..it })),
            ("a key with a byte more", entry(|mut it| (it.public_key.push(0), it).1)),
            ("a key that is no point", entry(|mut it| (it.public_key[60] ^= 1, it).1)),
            ("an unknown field", text(|text| replace(&text, "{\"alg\"", "{\"a\":1,\"alg\""))),
            ("not canonical", text(|text| text + "\n")),
            ("a decision", text(|_| Story::one().receipt().decisions[0].logged.entry.clone())),
            ("after the decision", Story { enrolled_late: true, ..Story::one() }),
            ("of another key", enrolled(vec![invited("alex", ALEX_NEW)])),
            ("of a key that did not sign", enrolled(vec![alex, sam])),
            ("of one key twice", enrolled(vec![alex, alex])),
            ("of one key for two people", enrolled(vec![alex, invited("sam", ALEX)])),
            ("one key for two decisions of two people", shared),
        ],
    );
}

#[test]
fn enrolment_authorised_by_a_key() {
    let new = |by| Enrolment { approver: "alex", key: ALEX_NEW, by: Some(by) };
    let (alex, sam) = (invited("alex", ALEX), invited("sam", SAM));
    let enrolled = |enrolments| Story { enrolments, ..Story::second_key() };
    let entry = |enrolment| Story::second_key().with(Changes { enrolment, ..none() });
    assert_fail(
        Step::Enrolment,
        vec![
            ("by a key that is not in the receipt", enrolled(vec![new(ALEX)])),
            ("by a key that was enrolled later", enrolled(vec![new(ALEX), alex])),
            ("by itself", enrolled(vec![new(ALEX_NEW)])),
            ("by another person's key", enrolled(vec![sam, new(SAM)])),
            ("for another key", entry(|it| authorised(it, |key, it| it.public_key = key.public_key.clone()))),
            ("for another site", entry(|it| authorised(it, |_, it| it.rp_id = "example.com".into()))),
            ("for another person", entry(|it| authorised(it, |_, it| it.approver = name("sam").label(LOG)))),
            ("with a signature that fails", entry(spoil_authorisation)),
        ],
    );
}

/// Takes the authorisation of another enrolment, one that would be good there.
fn authorised(mut new: CredentialEntry, other: fn(&CredentialEntry, &mut CredentialEntry)) -> CredentialEntry {
    let Authorisation::Credential { .. } = &new.authorised_by else { return new };
    let invited = CredentialEntry { public_key: SAM.spki_der(), ..new.clone() };
    let mut elsewhere = new.clone();
    other(&invited, &mut elsewhere);
    let assertion = ALEX.assert(&made::enrolment_challenge(&elsewhere));
    new.authorised_by = Authorisation::Credential { credential: ALEX.credential(), assertion };
    new
}

fn spoil_authorisation(mut new: CredentialEntry) -> CredentialEntry {
    if let Authorisation::Credential { assertion, .. } = &mut new.authorised_by {
        assertion.authenticator_data[36] ^= 1;
    }
    new
}
