//! What the caller expects: what the verdict is when the decision is another one, and what was not stated. Each
//! expectation met and not met is in cases/expectation.rs.

use verifier::document::{Decision, parse_payload};
use verifier::time::Timestamp;
use verifier::verify::{Expectation, Step, Verdict};

use super::made::Story;
use super::{assert_first_failure, check_with};

fn payload(text: &str) -> Expectation {
    Expectation { payload: Some(parse_payload(text.as_bytes()).unwrap()), ..Expectation::default() }
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

#[test]
fn a_rejection_stays_a_rejection_for_whoever_hoped_for_an_approval() {
    let text = Story::rejected().text();
    for hoped in [None, Some(Decision::Approve)] {
        let report = check_with(&text, &Story::trust(), &Expectation { decision: hoped, ..Expectation::default() });
        assert_eq!(report.verdict, Verdict::Rejected);
        assert_eq!(report.failure().map(|(step, _)| step), Some(Step::Expectation));
        assert!(!report.as_expected);
        assert_eq!(report.facts.unwrap().decision, Decision::Reject);
    }
}

#[test]
fn an_approval_stays_an_approval_for_whoever_expected_a_rejection() {
    let expectation = Expectation { decision: Some(Decision::Reject), ..Expectation::default() };
    let report = check_with(&Story::one().text(), &Story::trust(), &expectation);
    assert_eq!(report.verdict, Verdict::Approved);
    assert_eq!(report.failure().map(|(step, _)| step), Some(Step::Expectation));
    assert!(!report.as_expected);
}

#[test]
fn a_rejection_of_something_else_is_not_verified() {
    for decision in [None, Some(Decision::Reject)] {
        let expectation = Expectation { decision, ..payload("{}") };
        let report = check_with(&Story::rejected().text(), &Story::trust(), &expectation);
        assert_first_failure("a rejection of something else", &report, Step::Expectation);
    }
}

#[test]
fn what_was_not_stated_is_listed() {
    let all = ["payload", "action", "approvers", "id", "core", "requester", "age", "use_by"];
    assert_eq!(Expectation::default().not_stated(), all);
    let stated = Expectation { usable_at: Some(at("2026-03-01T12:01:00Z")), ..payload("{}") };
    assert_eq!(stated.not_stated(), ["action", "approvers", "id", "core", "requester", "age"]);
}
