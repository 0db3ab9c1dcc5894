//! Genuine receipts of every kind have their verdict, with all steps passed.

use verifier::document::Decision;
use verifier::verify::{Expectation, Report, Verdict};

use super::made::{ALEX, ALEX_NEW, Changes, KIM, SAM, Story, Witness, approves, core, invited, rejects};
use super::{assert_all_passed, check, check_with};

fn rejection() -> Expectation {
    Expectation { decision: Some(Decision::Reject), ..Expectation::default() }
}

fn decided_by(report: &Report) -> Vec<&str> {
    report.facts.as_ref().unwrap().decisions.iter().map(|decision| decision.approver.as_str()).collect()
}

#[test]
fn one_approver() {
    let report = check(&Story::one().text());
    assert_all_passed("one", &report);
    assert_eq!(report.verdict, Verdict::Approved);
    let facts = report.facts.unwrap();
    assert_eq!(facts.core, core(&["alex"], 1));
    let decision = &facts.decisions[0];
    assert_eq!(decision.approver.as_str(), "alex");
    assert_eq!(decision.decided_at.to_string(), "2026-03-01T12:00:30Z");
    assert_eq!((decision.index.get(), decision.credential), (1, ALEX.credential()));
    assert_eq!(facts.decided_at(), decision.decided_at);
    assert!(!facts.pinned);
}

#[test]
fn one_newline_may_follow() {
    let text = Story::one().text();
    assert_all_passed("newline", &check(&format!("{text}\n")));
    assert_eq!(check(&format!("{text}\n\n")).verdict, Verdict::NotVerified);
}

#[test]
fn two_of_three_among_entries_of_others() {
    let report = check(&Story::two_of_three().text());
    assert_all_passed("two of three", &report);
    assert_eq!(report.verdict, Verdict::Approved);
    assert_eq!(decided_by(&report), ["sam", "alex"], "in the order of the log");
    let facts = report.facts.unwrap();
    assert_eq!(facts.decided_at().to_string(), "2026-03-01T12:00:50Z", "the last of the decisions");
    assert_eq!(facts.decision, Decision::Approve);
}

#[test]
fn more_than_the_quorum() {
    let mut story = Story::two_of_three();
    story.enrolments.push(invited("kim", KIM));
    story.votes.push(approves("kim", KIM, 60));
    let report = check(&story.text());
    assert_all_passed("three of two", &report);
    assert_eq!(decided_by(&report).len(), 3);
}

#[test]
fn a_rejection() {
    let report = check_with(&Story::rejected().text(), &Story::trust(), &rejection());
    assert_all_passed("rejected", &report);
    assert_eq!(report.verdict, Verdict::Rejected);
}

#[test]
fn one_rejection_outweighs_the_approvals() {
    let mut story = Story::two_of_three();
    story.enrolments.push(invited("kim", KIM));
    story.votes = vec![approves("alex", ALEX, 10), rejects("kim", KIM, 20), approves("sam", SAM, 30)];
    let report = check_with(&story.text(), &Story::trust(), &rejection());
    assert_all_passed("one rejects", &report);
    assert_eq!((report.verdict, report.facts.unwrap().decision), (Verdict::Rejected, Decision::Reject));
}

#[test]
fn a_key_that_an_earlier_key_authorised() {
    let report = check(&Story::second_key().text());
    assert_all_passed("second key", &report);
    assert_eq!(report.facts.unwrap().decisions[0].credential, ALEX_NEW.credential());
}

#[test]
fn an_authorising_key_may_have_decided_too() {
    let mut story = Story::second_key();
    story.core = core(&["alex", "sam"], 1);
    story.enrolments.push(invited("sam", SAM));
    story.votes.push(approves("sam", SAM, 40));
    assert_all_passed("second key and sam", &check(&story.text()));
}

#[test]
fn pinned_people() {
    let mut trust = Story::trust();
    let keys = [("alex", ALEX), ("sam", SAM)];
    let keys = keys.map(|(approver, key)| (super::made::name(approver), vec![KIM.credential(), key.credential()]));
    trust.approvers = Some(keys.into());
    let report = check_with(&Story::two_of_three().text(), &trust, &Expectation::default());
    assert_all_passed("pinned", &report);
    assert!(report.facts.unwrap().pinned);
}

#[test]
fn witnesses() {
    let witnesses = [("a.example/w", 0x31), ("b.example/w", 0x32), ("c.example/w", 0x33)];
    let witnesses = witnesses.map(|(name, seed)| Witness { name, seed });
    let mut trust = Story::trust();
    trust.witnesses = witnesses.map(Witness::key).to_vec();
    trust.witness_quorum = 2;
    let story = Story { witnesses: vec![witnesses[2], witnesses[0]], ..Story::one() };
    assert_all_passed("two of three witnesses", &check_with(&story.text(), &trust, &Expectation::default()));
    assert_all_passed("unknown witnesses", &check(&story.text()));
}

/// About half of what authenticators sign is high-S.
#[test]
fn the_other_form_of_an_ecdsa_signature() {
    fn other(signature: &[u8]) -> Vec<u8> {
        let (r, s) = p256::ecdsa::Signature::from_der(signature).unwrap().split_scalars();
        p256::ecdsa::Signature::from_scalars(r, -s).unwrap().to_der().as_bytes().to_vec()
    }
    let story = Story::one().with(Changes { signature: |it| other(&it), ..Changes::default() });
    assert_ne!(story.text(), Story::one().text());
    assert_all_passed("other form", &check(&story.text()));
}

/// Nobody but the log reads entries of others: they prove nothing and refute nothing, whatever they look like.
#[test]
fn entries_of_others_that_look_like_ours_are_irrelevant() {
    let rejection = Story::rejected().receipt();
    let foreign = vec![
        rejection.decisions[0].logged.entry.clone().into_bytes(),
        rejection.enrolments[0].entry.clone().into_bytes(),
        b"countersign/revocation/v1\n{}".to_vec(),
        b"countersign/consumption/v1\n{\"consumed_at\":\"2026-03-01T12:01:00Z\",\"nonce\":\"\"}".to_vec(),
    ];
    let report = check(&Story { foreign, ..Story::one() }.text());
    assert_all_passed("look-alikes", &report);
    assert_eq!(report.verdict, Verdict::Approved);
}

#[test]
fn payloads_and_titles_of_any_language() {
    let mut story = Story::one();
    story.core.action = "Überweise 5 € 💶 an „Ω“".into();
    let payload = r#"{"":null,"\u001b[31m":"\u202e","numbers":[0,-1.5,1e+21,5e-324],"€":{"\ud83d\ude00":[]}}"#;
    story.core.payload = verifier::document::parse_payload(payload.as_bytes()).unwrap();
    assert_all_passed("languages", &check(&story.text()));
}
