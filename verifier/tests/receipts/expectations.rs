//! What the caller expects: each expectation met and not met, and what the verdict is then.

use verifier::document::{Decision, parse_payload};
use verifier::time::Timestamp;
use verifier::verify::{Approvers, Expectation, Step, Verdict};

use super::made::{Story, name};
use super::{assert_all_passed, assert_first_failure, check_with};

fn payload(text: &str) -> Expectation {
    Expectation { payload: Some(parse_payload(text.as_bytes()).unwrap()), ..Expectation::default() }
}

fn action(text: &str) -> Expectation {
    Expectation { action: Some(text.to_owned()), ..Expectation::default() }
}

fn approvers(names: &[&str], quorum: u32) -> Expectation {
    let names = names.iter().map(|text| name(text)).collect();
    Expectation { approvers: Some(Approvers { names, quorum }), ..Expectation::default() }
}

fn id(text: &str) -> Expectation {
    Expectation { id: Some(text.to_owned()), ..Expectation::default() }
}

fn requester(text: &str) -> Expectation {
    Expectation { requester: Some(text.to_owned()), ..Expectation::default() }
}

fn core(text: String) -> Expectation {
    Expectation { core: Some(text), ..Expectation::default() }
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn max_age(now: &str, seconds: u64) -> Expectation {
    Expectation { max_age: Some((at(now), seconds)), ..Expectation::default() }
}

fn usable(now: &str) -> Expectation {
    Expectation { usable_at: Some(at(now)), ..Expectation::default() }
}

/// The last of the two decisions was made at 12:00:50; it can be used until 13:05:00.
#[test]
fn expectations_that_are_met() {
    let story = Story::two_of_three();
    for (name, expectation) in [
        ("nothing", Expectation::default()),
        ("the decision", Expectation { decision: Some(Decision::Approve), ..Expectation::default() }),
        ("the payload", payload(r#"{"env":"production","replicas":3,"service":"api-gateway"}"#)),
        (
            "the payload in another layout",
            payload("{ \"service\":\"api-gatew\\u0061y\",\n\"env\":\"production\", \"replicas\":3.0}"),
        ),
        ("the title", action("Deploy api-gateway to production")),
        ("the approvers", approvers(&["alex", "kim", "sam"], 2)),
        ("the approvers in another order", approvers(&["sam", "alex", "kim"], 2)),
        ("the id", id("cnf_4k2m6p3q7a5b2c4d6e3f5g7h2j")),
        ("the requester", requester("deploy-bot")),
        ("the core", core(story.core.to_canonical())),
        ("the greatest age", max_age("2026-03-01T12:01:50Z", 60)),
        ("no age", max_age("2026-03-01T12:00:50Z", 0)),
        ("a clock that is behind", max_age("2026-03-01T11:00:00Z", 0)),
        ("usable until now", usable("2026-03-01T13:05:00Z")),
        ("usable", usable("2026-03-01T12:00:51Z")),
    ] {
        let report = check_with(&story.text(), &Story::trust(), &expectation);
        assert_all_passed(name, &report);
        assert_eq!(report.verdict, Verdict::Approved, "{name}");
    }
}

#[test]
fn expectations_that_are_not_met() {
    let story = Story::two_of_three();
    let mut other_core = story.core.clone();
    other_core.nonce[0] ^= 1;
    for (name, expectation) in [
        ("another value", payload(r#"{"env":"staging","replicas":3,"service":"api-gateway"}"#)),
        ("a member less", payload(r#"{"env":"production","service":"api-gateway"}"#)),
        ("a member more", payload(r#"{"dry":true,"env":"production","replicas":3,"service":"api-gateway"}"#)),
        ("a text for a number", payload(r#"{"env":"production","replicas":"3","service":"api-gateway"}"#)),
        ("an empty payload", payload("{}")),
        ("another title", action("Deploy api-gateway to production ")),
        ("an empty title", action("")),
        ("fewer approvers", approvers(&["alex", "sam"], 2)),
        ("more approvers", approvers(&["alex", "kim", "mo", "sam"], 2)),
        ("a repeated approver", approvers(&["alex", "alex", "kim", "sam"], 2)),
        ("a smaller quorum", approvers(&["alex", "kim", "sam"], 1)),
        ("a larger quorum", approvers(&["alex", "kim", "sam"], 3)),
        ("another id", id("cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa")),
        ("another requester", requester("Deploy-bot")),
        ("another core", core(other_core.to_canonical())),
        ("the core in another layout", core(story.core.to_canonical() + "\n")),
        ("one second too old", max_age("2026-03-01T12:01:51Z", 60)),
        ("one second too late to use", usable("2026-03-01T13:05:01Z")),
    ] {
        let report = check_with(&story.text(), &Story::trust(), &expectation);
        assert_first_failure(name, &report, Step::Expectation);
    }
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
