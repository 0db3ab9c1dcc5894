//! What the caller expects, met and not met.

use verifier::json::Value;
use verifier::verify::{Step, Verdict};

use super::Case;
use super::genuine::with_payload;
use crate::made::Story;

pub(super) fn cases() -> Vec<Case> {
    [met(), not_met(), decisions(), payloads()].into_iter().flatten().collect()
}

/// The decision is of 12:00:30, and it can be used until 13:05:00.
fn core(change: fn(&str) -> String) -> String {
    let core = change(&Story::one().core.to_canonical());
    format!("{{\"core\":{}}}", Value::from(core).to_canonical())
}

/// Where approvers are expected, several were asked.
fn asked(expectation: &str) -> Story {
    if expectation.contains("kim") || expectation.contains("sam") { Story::two_of_three() } else { Story::one() }
}

fn met() -> Vec<Case> {
    let all = concat!(
        r#"{"action":"Deploy api-gateway to production","approvers":["alex"],"quorum":1,"decision":"approve","#,
        r#""id":"cnf_4k2m6p3q7a5b2c4d6e3f5g7h2j","max_age":60,"now":"2026-03-01T12:01:30Z","usable":true,"#,
        r#""payload":{"env":"production","replicas":3,"service":"api-gateway"},"requester":"deploy-bot"}"#,
    );
    let rows: [(&str, String); 13] = [
        ("everything", all.into()),
        ("the decision", r#"{"decision":"approve"}"#.into()),
        ("the payload", r#"{"payload":{"env":"production","replicas":3,"service":"api-gateway"}}"#.into()),
        (
            "the payload in another order",
            r#"{"payload":{"service":"api-gateway","replicas":3.0,"env":"production"}}"#.into(),
        ),
        ("the title", r#"{"action":"Deploy api-gateway to production"}"#.into()),
        ("the approvers", r#"{"approvers":["alex","kim","sam"],"quorum":2}"#.into()),
        ("the approvers in another order", r#"{"approvers":["sam","alex","kim"],"quorum":2}"#.into()),
        ("the id", r#"{"id":"cnf_4k2m6p3q7a5b2c4d6e3f5g7h2j"}"#.into()),
        ("the requester", r#"{"requester":"deploy-bot"}"#.into()),
        ("the core", core(str::to_owned)),
        ("the greatest age", r#"{"max_age":60,"now":"2026-03-01T12:01:30Z"}"#.into()),
        ("a clock that is behind", r#"{"max_age":0,"now":"2026-03-01T11:00:00Z"}"#.into()),
        ("usable until now", r#"{"now":"2026-03-01T13:05:00Z","usable":true}"#.into()),
    ];
    let of = |(name, json): &(&str, String)| Case::genuine(&format!("expected: {name}"), &asked(json)).expecting(json);
    rows.iter().map(of).collect()
}

fn not_met() -> Vec<Case> {
    let rows: [(&str, String); 27] = [
        ("another value", r#"{"payload":{"env":"staging","replicas":3,"service":"api-gateway"}}"#.into()),
        ("a member less", r#"{"payload":{"env":"production","service":"api-gateway"}}"#.into()),
        ("a member more", r#"{"payload":{"dry":true,"env":"production","replicas":3,"service":"api-gateway"}}"#.into()),
        (
            "a member proto more",
            r#"{"payload":{"__proto__":{},"env":"production","replicas":3,"service":"api-gateway"}}"#.into(),
        ),
        ("a text for a number", r#"{"payload":{"env":"production","replicas":"3","service":"api-gateway"}}"#.into()),
        (
            "a number beside it",
            r#"{"payload":{"env":"production","replicas":3.0000000000000004,"service":"api-gateway"}}"#.into(),
        ),
        ("true for a number", r#"{"payload":{"env":"production","replicas":true,"service":"api-gateway"}}"#.into()),
        ("an empty payload", r#"{"payload":{}}"#.into()),
        ("another title", r#"{"action":"Deploy api-gateway to production "}"#.into()),
        ("another case of the title", r#"{"action":"deploy api-gateway to production"}"#.into()),
        ("an empty title", r#"{"action":""}"#.into()),
        ("fewer approvers", r#"{"approvers":["alex","sam"],"quorum":2}"#.into()),
        ("more approvers", r#"{"approvers":["alex","kim","mo","sam"],"quorum":2}"#.into()),
        ("a repeated approver", r#"{"approvers":["alex","alex","kim","sam"],"quorum":2}"#.into()),
        ("a smaller quorum", r#"{"approvers":["alex","kim","sam"],"quorum":1}"#.into()),
        ("a larger quorum", r#"{"approvers":["alex","kim","sam"],"quorum":3}"#.into()),
        ("another id", r#"{"id":"cnf_aaaaaaaaaaaaaaaaaaaaaaaaaa"}"#.into()),
        ("an empty id", r#"{"id":""}"#.into()),
        ("another requester", r#"{"requester":"Deploy-bot"}"#.into()),
        ("an empty requester", r#"{"requester":""}"#.into()),
        ("another core", core(|it| it.replace("deploy-bot", "deploy-bat"))),
        ("the core in another layout", core(|it| format!("{it}\n"))),
        ("one second too old", r#"{"max_age":60,"now":"2026-03-01T12:01:31Z"}"#.into()),
        ("old at all", r#"{"max_age":0,"now":"2026-03-01T12:00:31Z"}"#.into()),
        ("one second too late to use", r#"{"now":"2026-03-01T13:05:01Z","usable":true}"#.into()),
        ("a year too late to use", r#"{"now":"2027-03-01T13:05:00Z","usable":true}"#.into()),
        (
            "all but one thing",
            r#"{"action":"Deploy api-gateway to production","decision":"approve","requester":"other"}"#.into(),
        ),
    ];
    let of = |(name, json): &(&str, String)| Case::fails(Step::Expectation, name, &asked(json)).expecting(json);
    rows.iter().map(of).collect()
}

/// A genuine decision that is not the expected one stays what it is; of something else, it is not verified.
fn decisions() -> Vec<Case> {
    let rejected = |name| Case::fails(Step::Expectation, name, &Story::rejected());
    let one = |name| Case::fails(Step::Expectation, name, &Story::one());
    vec![
        rejected("rejected").expecting(r#"{"decision":"approve"}"#).with_verdict(Verdict::Rejected),
        rejected("rejected, nothing expected").with_verdict(Verdict::Rejected),
        one("approved where a rejection is expected")
            .expecting(r#"{"decision":"reject"}"#)
            .with_verdict(Verdict::Approved),
        rejected("rejected something else").expecting(r#"{"decision":"reject","payload":{}}"#),
        rejected("rejected something else, nothing expected").expecting(r#"{"requester":"other"}"#),
        one("approved something else where a rejection is expected")
            .expecting(r#"{"action":"other","decision":"reject"}"#),
    ]
}

/// Payloads that a careless comparison takes for one another.
fn payloads() -> Vec<Case> {
    let rows: [(&str, &str, &str); 10] = [
        ("payload: proto is a member", r#"{"__proto__":{"a":1}}"#, r#"{"payload":{}}"#),
        ("payload: proto has members", r#"{"__proto__":{"a":1}}"#, r#"{"payload":{"__proto__":{"a":2}}}"#),
        ("payload: null and nothing", r#"{"a":null}"#, r#"{"payload":{}}"#),
        ("payload: false and null", r#"{"a":false}"#, r#"{"payload":{"a":null}}"#),
        ("payload: 0 and false", r#"{"a":0}"#, r#"{"payload":{"a":false}}"#),
        ("payload: 1 and true", r#"{"a":1}"#, r#"{"payload":{"a":true}}"#),
        ("payload: an empty array and an empty object", r#"{"a":[]}"#, r#"{"payload":{"a":{}}}"#),
        ("payload: an array in another order", r#"{"a":[1,2]}"#, r#"{"payload":{"a":[2,1]}}"#),
        ("payload: composed and decomposed", "{\"a\":\"\u{e9}\"}", "{\"payload\":{\"a\":\"e\u{301}\"}}"),
        (
            "payload: large numbers beside each other",
            r#"{"a":9007199254740992}"#,
            r#"{"payload":{"a":9007199254740994}}"#,
        ),
    ];
    let mut cases: Vec<_> = rows
        .iter()
        .map(|(name, payload, json)| Case::fails(Step::Expectation, name, &with_payload(payload)).expecting(json))
        .collect();
    let same = [
        ("numbers", r#"{"n":[1e21,1e-7,0,12.5,9007199254740992,5e-324]}"#),
        ("proto", r#"{"__proto__":{"a":1},"constructor":null}"#),
        ("keys beyond the basic plane", "{\"\u{e000}\":1,\"\u{10000}\":2}"),
    ];
    cases.extend(same.map(|(name, json)| {
        let case = Case::genuine(&format!("expected: the payload with {name}"), &with_payload(json));
        case.expecting(&format!("{{\"payload\":{json}}}"))
    }));
    cases
}
