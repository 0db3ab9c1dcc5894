//! Enrolments of somebody else, of another site, out of form, or at the wrong place.

use verifier::entry::CredentialEntry;
use verifier::verify::Step;

use super::document::TIMES;
use super::{Case, changed, edited, none};
use crate::made::{ALEX, ALEX_NEW, Changes, LOG, MALLORY, SAM, Stage, Story, approves, core, invited, name};

pub(super) fn cases() -> Vec<Case> {
    [meaning(), places(), form(), times()].into_iter().flatten().collect()
}

fn meaning() -> Vec<Case> {
    let entry = |name, enrolment| Case::fails(Step::Enrolment, name, &changed(Changes { enrolment, ..none() }));
    vec![
        entry("for another person", |it| CredentialEntry { approver: name("sam").label(LOG), ..it }),
        entry("for a person of another log", |it| CredentialEntry { approver: name("alex").label("other/log"), ..it }),
        entry("for another site", |it| CredentialEntry { rp_id: "example.com".into(), ..it }),
        entry("for the site with a capital", |it| CredentialEntry { rp_id: "Approvals.example.com".into(), ..it }),
        entry("for no site", |it| CredentialEntry { rp_id: String::new(), ..it }),
        entry("of RS256 with a key of P-256", |it| CredentialEntry { alg: "RS256".into(), ..it }),
        entry("of es256", |it| CredentialEntry { alg: "es256".into(), ..it }),
        entry("of ES384", |it| CredentialEntry { alg: "ES384".into(), ..it }),
        entry("of the number of ES256", |it| CredentialEntry { alg: "-7".into(), ..it }),
        entry("of no algorithm", |it| CredentialEntry { alg: "none".into(), ..it }),
    ]
}

fn places() -> Vec<Case> {
    let enrolled = |name, enrolments| Case::fails(Step::Enrolment, name, &Story { enrolments, ..Story::one() });
    let (alex, sam) = (invited("alex", ALEX), invited("sam", SAM));
    let mut shared = Story { votes: vec![approves("alex", ALEX, 10), approves("sam", ALEX, 20)], ..Story::one() };
    shared.core = core(&["alex", "sam"], 2);
    let by_mallory = Story { votes: vec![approves("alex", MALLORY, 30)], ..Story::one() };
    let mut missing = Story::two_of_three();
    missing.enrolments.truncate(1);
    vec![
        Case::fails(Step::Enrolment, "after the decision", &Story { enrolled_late: true, ..Story::one() }),
        Case::fails(Step::Enrolment, "of none of the keys that signed", &by_mallory),
        Case::fails(Step::Enrolment, "of one of the two keys that signed", &missing),
        Case::fails(Step::Enrolment, "one key for two decisions of two people", &shared),
        enrolled("of another key", vec![invited("alex", ALEX_NEW)]),
        enrolled("of a key that did not sign", vec![alex, sam]),
        enrolled("of another key of the same person too", vec![alex, invited("alex", ALEX_NEW)]),
        enrolled("of one key twice", vec![alex, alex]),
        enrolled("of one key for two people", vec![alex, invited("sam", ALEX)]),
    ]
}

fn form() -> Vec<Case> {
    let text =
        |name, enrolment_text| Case::fails(Step::Enrolment, name, &changed(Changes { enrolment_text, ..none() }));
    let invite = verifier::encoding::base64url(&[0x1b; 32]);
    let padded = format!("{invite}=");
    let with_both = format!("{{\"credential\":\"{invite}\",\"invite\"");
    let mut cases = edited(
        Step::Enrolment,
        Stage::Enrolment,
        &[
            ("another version", "credential/v1\n", "credential/v2\n"),
            ("an unknown field", "{\"alg\"", "{\"a\":1,\"alg\""),
            ("a repeated field", "{\"alg\"", "{\"alg\":\"\",\"alg\""),
            ("not canonical", "\n{", "\n{ "),
            ("a newline at the end", "com\"}", "com\"}\n"),
            ("backup_eligible as a text", "\"backup_eligible\":true", "\"backup_eligible\":\"true\""),
            ("backup_eligible as a number", "\"backup_eligible\":true", "\"backup_eligible\":1"),
            ("an invite with padding", &invite, &padded),
            ("an invite of 31 bytes", &invite, &invite[..42]),
            ("an invite and a credential", "{\"invite\"", &with_both),
            ("an unknown authorisation", "{\"invite\"", "{\"admin\""),
            ("no authorisation", "{\"invite\":", "{},\"b\":{\"invite\":"),
            ("an invite that is null", &format!("\"{invite}\""), "null"),
            ("a public key with padding", "\"public_key\":\"MFkw", "\"public_key\":\"MFkw="),
            ("a public key in the alphabet of base64", "\"public_key\":\"MFkw", "\"public_key\":\"M+/w"),
        ],
    );
    cases.extend([
        text("a decision", |_| Story::one().receipt().decisions[0].logged.entry.clone()),
        text("a revocation", |text| text.replace("credential/v1", "revocation/v1")),
        text("a raw entry that holds an enrolment", |text| format!("note\n{text}")),
    ]);
    cases
}

fn times() -> Vec<Case> {
    let of = |(name, time): (&str, &str)| {
        let to = format!("\"enrolled_at\":\"{time}\"");
        edited(
            Step::Enrolment,
            Stage::Enrolment,
            &[(&format!("a time {name}"), "\"enrolled_at\":\"2026-01-01T09:00:00Z\"", &to)],
        )
    };
    TIMES.into_iter().skip(1).step_by(4).flat_map(of).collect()
}
