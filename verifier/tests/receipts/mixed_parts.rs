//! A receipt made of valid parts of several fails, even when they are of one log and one person.

use verifier::document::Decision;
use verifier::receipt::Receipt;
use verifier::verify::{Expectation, Step, Verdict};

use super::made::{ALEX, Changes, Log, SAM, Story, approves, invited};
use super::{assert_all_passed, assert_first_failure, check, check_with};

/// Another confirmation of the same requester: another nonce, another payload.
fn another(mut story: Story) -> Story {
    story.core.nonce = [0x0b; 32];
    story.core.id = "cnf_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse().unwrap();
    story.core.payload = verifier::document::parse_payload(br#"{"env":"staging"}"#).unwrap();
    story
}

/// The parts of a receipt with one decision and one enrolment.
const PARTS: [fn(&mut Receipt, &Receipt); 8] = [
    |to, from| to.checkpoint.clone_from(&from.checkpoint),
    |to, from| to.decisions[0].document.clone_from(&from.decisions[0].document),
    |to, from| to.decisions[0].logged.entry.clone_from(&from.decisions[0].logged.entry),
    |to, from| to.decisions[0].logged.hashes.clone_from(&from.decisions[0].logged.hashes),
    |to, from| to.decisions[0].logged.index = from.decisions[0].logged.index,
    |to, from| to.enrolments[0].entry.clone_from(&from.enrolments[0].entry),
    |to, from| to.enrolments[0].hashes.clone_from(&from.enrolments[0].hashes),
    |to, from| to.enrolments[0].index = from.enrolments[0].index,
];

#[test]
fn every_mix_of_two_receipts_fails() {
    let first = Story { foreign: vec![b"other".to_vec()], ..Story::one() };
    let mut second = another(first.clone());
    second.core.approvers = vec![super::made::name("sam")];
    second.enrolments = vec![invited("sam", SAM)];
    second.votes = vec![approves("sam", SAM, 20)];

    let mut log = Log::default();
    let written = first.write(&mut log);
    let a = first.receipt_from(&log, &written);
    let written = second.write(&mut log);
    let b = second.receipt_from(&log, &written);
    assert_all_passed("the first", &check(&a.to_canonical()));
    assert_all_passed("the second", &check(&b.to_canonical()));

    for mix in 1..(1u32 << PARTS.len()) - 1 {
        let mut mixed = a.clone();
        for (n, take) in PARTS.iter().enumerate() {
            if mix >> n & 1 == 1 {
                let before = mixed.clone();
                take(&mut mixed, &b);
                assert_ne!(mixed, before, "part {n} is the same in both");
            }
        }
        assert_eq!(check(&mixed.to_canonical()).verdict, Verdict::NotVerified, "mix {mix:#010b}");
    }
}

#[test]
fn decisions_of_two_confirmations_do_not_add_up() {
    let (first, second) = (Story::two_of_three(), another(Story::two_of_three()));
    let second = Story { enrolments: Vec::new(), ..second };
    let mut log = Log::default();
    let (a, b) = (first.write(&mut log), second.write(&mut log));
    let (a, b) = (first.receipt_from(&log, &a), second.receipt_from(&log, &b));
    // Sam's of the first and alex's of the second, each with its good proof under one checkpoint.
    let mixed = Receipt { decisions: vec![a.decisions[0].clone(), b.decisions[1].clone()], ..a.clone() };
    assert_first_failure("two confirmations", &check(&mixed.to_canonical()), Step::Quorum);
    let swapped = Receipt { decisions: b.decisions, ..a };
    assert_all_passed("the second with enrolments of the first", &check(&swapped.to_canonical()));
}

#[test]
fn a_rejection_and_an_approval_of_one_person_do_not_mix() {
    let story = Story::one();
    let reject = Story { enrolments: Vec::new(), ..Story::rejected() };
    let mut log = Log::default();
    let (a, b) = (story.write(&mut log), reject.write(&mut log));
    let (a, b) = (story.receipt_from(&log, &a), reject.receipt_from(&log, &b));
    let both = Receipt { decisions: [a.decisions.clone(), b.decisions.clone()].concat(), ..a.clone() };
    assert_first_failure("both decisions", &check(&both.to_canonical()), Step::Quorum);
    let mut document = a.clone();
    document.decisions[0].document.clone_from(&b.decisions[0].document);
    assert_first_failure("the other document", &check(&document.to_canonical()), Step::Entry);
    let mut entry = a;
    entry.decisions[0].logged = b.decisions[0].logged.clone();
    let rejection = Expectation { decision: Some(Decision::Reject), ..Expectation::default() };
    let report = check_with(&entry.to_canonical(), &Story::trust(), &rejection);
    assert_first_failure("the other entry", &report, Step::Entry);
}

#[test]
fn an_entry_of_another_log_fails() {
    let receipt = Story::one().receipt();
    let mut elsewhere = Story::one();
    elsewhere.foreign = vec![b"a longer log".to_vec()];
    let elsewhere = elsewhere.receipt();
    let mixed = Receipt { decisions: elsewhere.decisions.clone(), ..receipt.clone() };
    assert_first_failure("a decision of another log", &check(&mixed.to_canonical()), Step::Inclusion);
    let mixed = Receipt { checkpoint: elsewhere.checkpoint, ..receipt };
    assert_first_failure("a checkpoint of another log", &check(&mixed.to_canonical()), Step::Inclusion);
}

/// A signature over the same document with the key of another person is not theirs.
#[test]
fn an_assertion_cannot_move_to_another_person() {
    let story = Story {
        enrolments: vec![invited("alex", ALEX), invited("sam", SAM)],
        changes: Changes {
            decision: |it| verifier::entry::DecisionEntry { credential: SAM.credential(), ..it },
            ..Changes::default()
        },
        ..Story::one()
    };
    assert_eq!(check(&story.text()).failure().unwrap().0, Step::Enrolment);
}
