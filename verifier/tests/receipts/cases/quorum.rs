//! Decisions that do not add up.

use verifier::receipt::Receipt;
use verifier::verify::Step;

use super::{Bytes, Case, none, replace};
use crate::made::{ALEX, ALEX_NEW, Changes, KIM, Log, SAM, Story, approves, core, invited, rejects};

pub(super) fn cases() -> Vec<Case> {
    [counts(), other_cores(), two_confirmations()].into_iter().flatten().collect()
}

fn counts() -> Vec<Case> {
    let fails = |name, story: &Story| Case::fails(Step::Quorum, name, story);
    let mut one_of_two = Story::two_of_three();
    one_of_two.enrolments.truncate(1);
    one_of_two.votes.remove(0);
    let of_three = Story { core: core(&["alex", "kim", "sam"], 3), ..Story::two_of_three() };
    let twice = |second, enrolments| Story {
        core: core(&["alex", "sam"], 2),
        enrolments,
        votes: vec![approves("alex", ALEX, 10), approves("alex", second, 20)],
        ..Story::one()
    };
    let mut third_twice = twice(ALEX_NEW, vec![invited("alex", ALEX), invited("alex", ALEX_NEW), invited("kim", KIM)]);
    third_twice.core = core(&["alex", "kim", "sam"], 3);
    third_twice.votes.push(approves("kim", KIM, 30));
    let changed_mind = Story { votes: vec![rejects("alex", ALEX, 10), approves("alex", ALEX, 20)], ..Story::one() };
    vec![
        fails("one of two", &one_of_two),
        fails("two of three", &of_three),
        fails("one person with one key", &twice(ALEX, vec![invited("alex", ALEX)])),
        fails("one person with two keys", &twice(ALEX_NEW, vec![invited("alex", ALEX), invited("alex", ALEX_NEW)])),
        fails("one person with two keys and another", &third_twice),
        fails("one person rejects and approves", &changed_mind),
    ]
}

/// Sam's document is of another confirmation.
fn other_cores() -> Vec<Case> {
    let of_sam =
        |name, document| Case::fails(Step::Quorum, name, &Story::two_of_three().with(Changes { document, ..none() }));
    vec![
        of_sam("another title", |text| for_sam(text, "Deploy api", "Deploy the api")),
        of_sam("another payload", |text| for_sam(text, "\"replicas\":3", "\"replicas\":4")),
        of_sam("another member of the payload", |text| for_sam(text, "{\"env\"", "{\"__proto__\":{},\"env\"")),
        of_sam("another quorum", |text| for_sam(text, "\"quorum\":2", "\"quorum\":1")),
        of_sam("other approvers", |text| for_sam(text, "[\"alex\",\"kim\",\"sam\"]", "[\"alex\",\"sam\"]")),
        of_sam("another time", |text| for_sam(text, "T13:05:00Z", "T13:05:01Z")),
        of_sam("another expiry", |text| for_sam(text, "T12:05:00Z", "T12:05:01Z")),
        of_sam("another start", |text| for_sam(text, "T12:00:00Z", "T12:00:01Z")),
        of_sam("another id", |text| for_sam(text, "cnf_4", "cnf_5")),
        of_sam("another requester", |text| for_sam(text, "deploy-bot", "deploy-bat")),
        of_sam("another reveal", |text| for_sam(text, "\"reveal\":false", "\"reveal\":true")),
    ]
}

fn for_sam(text: String, from: &str, to: &str) -> String {
    if text.contains("\"approver\":\"sam\"") { replace(&text, from, to) } else { text }
}

/// Decisions of two confirmations in one log, each with its good proof under one checkpoint.
fn two_confirmations() -> Vec<Case> {
    let mix = |name, other: Story, enrolments: Vec<_>, pick: fn(&Receipt, &Receipt) -> Receipt| {
        let first = Story { enrolments, ..Story::two_of_three() };
        let other = Story { enrolments: Vec::new(), ..other };
        let mut log = Log::default();
        let (a, b) = (first.write(&mut log), other.write(&mut log));
        let receipt = pick(&first.receipt_from(&log, &a), &other.receipt_from(&log, &b));
        Case::refused(Step::Quorum, name, Bytes::Text(receipt.to_canonical()))
    };
    let both = || vec![invited("alex", ALEX), invited("sam", SAM)];
    let mut nonce = Story::two_of_three();
    nonce.core.nonce = [0x0b; 32];
    let mut later = Story::two_of_three();
    for vote in &mut later.votes {
        vote.after += 20;
    }
    let sam_of_first = |a: &Receipt, b: &Receipt| Receipt {
        decisions: vec![a.decisions[0].clone(), b.decisions[1].clone()],
        ..a.clone()
    };
    let all = |a: &Receipt, b: &Receipt| Receipt {
        decisions: [a.decisions.clone(), b.decisions.clone()].concat(),
        ..a.clone()
    };
    vec![
        mix("one approval each of two confirmations", nonce.clone(), both(), sam_of_first),
        mix("all approvals of two confirmations", nonce, both(), all),
        mix("the same confirmation decided twice", later, both(), all),
    ]
}
