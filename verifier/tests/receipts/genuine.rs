//! Genuine receipts of every kind have their verdict, with all steps passed.

use verifier::document::Decision;
use verifier::trust::Trust;
use verifier::verify::{Expectation, Outcome, Report, Step, Verdict};

use super::made::{
    ALEX, ALEX_NEW, Changes, Enrolment, KIM, Key, SAM, Story, Witness, approves, core, invited, rejects,
};
use super::{assert_all_passed, assert_first_failure, check, check_with};

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
    let witnesses = witnesses.map(|(name, seed)| Witness { name, seed, time: 5 });
    let mut trust = Story::trust();
    trust.witnesses = witnesses.map(Witness::key).to_vec();
    trust.witness_quorum = 2;
    let story = Story { witnesses: vec![witnesses[2], witnesses[0]], ..Story::one() };
    assert_all_passed("two of three witnesses", &check_with(&story.text(), &trust, &Expectation::default()));
    assert_all_passed("unknown witnesses", &check(&story.text()));
}

/// The time that counts is the one by which the last of the needed keys had cosigned. Alex decided at 12:00:30.
#[test]
fn witnesses_bound_the_time() {
    const A: Witness = Witness { name: "a.example/w", seed: 0x31, time: 0 };
    const B: Witness = Witness { name: "b.example/w", seed: 0x32, time: 0 };
    const AGAIN: Witness = Witness { name: "again.example/w", ..A };
    let told = |witnesses: &[Witness], quorum| {
        let trust = Trust { witnesses: vec![A.key(), B.key(), AGAIN.key()], witness_quorum: quorum, ..Story::trust() };
        let story = Story { witnesses: witnesses.to_vec(), ..Story::one() };
        let facts = check_with(&story.text(), &trust, &Expectation::default()).facts.unwrap();
        let limits = facts.limits();
        (facts.witnessed_at.map(|time| time.to_string()), limits[2..limits.len() - 1].join(" "))
    };
    let bound = |time: &str| {
        let words = "how long before that it was decided is the server's word.";
        (Some(time.to_owned()), format!("Witnesses saw it no later than {time}; {words}"))
    };
    for (witnesses, quorum, time) in [
        (vec![A.after(60), B.after(40)], 1, "2026-03-01T12:00:40Z"),
        (vec![A.after(60), B.after(40)], 2, "2026-03-01T12:01:00Z"),
        (vec![A.after(60), A.after(50), B.after(40)], 2, "2026-03-01T12:00:50Z"),
        (vec![A.after(60), AGAIN.after(45), B.after(40)], 2, "2026-03-01T12:00:45Z"),
        (vec![A.after(30)], 1, "2026-03-01T12:00:30Z"),
        (vec![Witness { time: (1 << 63) - 1, ..A }], 1, "9999-12-31T23:59:59Z"),
    ] {
        assert_eq!(told(&witnesses, quorum), bound(time), "{witnesses:?}");
    }
    let (time, mut words) = bound("2026-03-01T12:00:29Z");
    words +=
        " The server's word contradicts the witnesses: it says that it was decided at 2026-03-01T12:00:30Z, later.";
    assert_eq!(told(&[A.after(29)], 1), (time, words));
    assert_eq!(told(&[A.after(60)], 0), (None, "The time of the decision is the server's word.".to_owned()));
}

/// 32 people whose keys were each authorised by the one before, eight keys long: the most that a receipt may need.
#[test]
fn enrolments_up_to_256() {
    let key = |n: usize| Key::P256Of(u16::try_from(n).unwrap());
    let people: Vec<&'static str> = (0..32).map(|n| &*format!("p{n:02}").leak()).collect();
    let enrolment = |n: usize| Enrolment { approver: people[n % 32], key: key(n), by: (n >= 32).then(|| key(n - 32)) };
    let mut story = Story {
        core: core(&people, 32),
        enrolments: (0..256).map(enrolment).collect(),
        votes: (0..32).map(|n| approves(people[n], key(224 + n), 30)).collect(),
        ..Story::one()
    };
    let report = check(&story.text());
    assert_all_passed("256 enrolments", &report);
    assert_eq!(report.steps[7].1, Outcome::Passed("256 keys enrolled before the decision, logged, not pinned".into()));
    story.enrolments.push(enrolment(256));
    story.votes[0].key = key(256);
    assert_first_failure("257 enrolments", &check(&story.text()), Step::Receipt);
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
