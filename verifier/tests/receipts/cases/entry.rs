//! Entries that are not the decision that the document speaks of.

use verifier::document::Decision;
use verifier::entry::DecisionEntry;
use verifier::verify::Step;

use super::document::TIMES;
use super::{Case, changed, edited, none};
use crate::made::{ALEX, Changes, LOG, Stage, Story, approves, name};

pub(super) fn cases() -> Vec<Case> {
    [meaning(), form(), look_alikes(), times()].into_iter().flatten().collect()
}

fn meaning() -> Vec<Case> {
    let entry = |name, decision| Case::fails(Step::Entry, name, &changed(Changes { decision, ..none() }));
    let voted = |after| Story { votes: vec![approves("alex", ALEX, after)], ..Story::one() };
    vec![
        Case::fails(Step::Entry, "decided one second too late", &voted(301)),
        Case::fails(Step::Entry, "decided a year too late", &voted(31_536_000)),
        entry("decided one second too early", |it| DecisionEntry {
            decided_at: "2026-03-01T11:59:59Z".parse().unwrap(),
            ..it
        }),
        entry("another's label", |it| DecisionEntry { approver: name("sam").label(LOG), ..it }),
        entry("a label of another log", |it| DecisionEntry { approver: name("alex").label("other/log"), ..it }),
        entry("the other decision", |it| DecisionEntry { decision: Decision::Reject, ..it }),
        entry("over 65535 bytes", |mut it| (it.assertion.client_data_json.extend([b' '; 50_000]), it).1),
    ]
}

fn form() -> Vec<Case> {
    let decision = Story::one().receipt().decisions[0].logged.entry.clone();
    let credential = verifier::encoding::base64url(&ALEX.credential());
    let cut = &credential[..42];
    let spare = format!("{cut}{}", char::from(credential.as_bytes()[42] + 1));
    let padded = format!("{credential}=");
    let mut cases = edited(
        Step::Entry,
        Stage::Decision,
        &[
            ("another version", "decision/v1\n", "decision/v2\n"),
            ("a type line with a capital", "countersign/", "Countersign/"),
            ("a type line with a space at the end", "/v1\n", "/v1 \n"),
            ("a type line with a carriage return", "/v1\n", "/v1\r\n"),
            ("a type line of another service", "countersign/", "raw/"),
            ("a space before it", "countersign/", " countersign/"),
            ("a byte order mark", "countersign/", "\u{feff}countersign/"),
            ("no type line", "countersign/decision/v1\n", ""),
            ("no newline after the type line", "/v1\n", "/v1"),
            ("two newlines after the type line", "/v1\n", "/v1\n\n"),
            ("a newline at the end", "\"}", "\"}\n"),
            ("an unknown field", "{\"approver\"", "{\"a\":1,\"approver\""),
            ("a repeated field", "{\"approver\"", "{\"approver\":\"\",\"approver\""),
            ("not canonical", "\n{", "\n{ "),
            ("an escape that is not needed", "\"approve\"", "\"\\u0061pprove\""),
            ("a decision with a capital", "\"approve\"", "\"Approve\""),
            ("another decision", "\"approve\"", "\"approved\""),
            ("a credential with padding", &credential, &padded),
            ("a credential with spare bits", &credential, &spare),
            ("a credential of 31 bytes", &credential, cut),
            ("an empty credential", &credential, ""),
            ("a signature with padding", "\"signature\":\"MEQ", "\"signature\":\"MEQ="),
            ("a signature in the alphabet of base64", "\"signature\":\"MEQ", "\"signature\":\"M+/"),
            ("an array", &decision, "countersign/decision/v1\n[]"),
            ("nothing", &decision, ""),
        ],
    );
    let order = |text: String| {
        let (line, json) = text.split_once("\n{").unwrap();
        let (first, rest) = json.trim_end_matches('}').split_once(',').unwrap();
        format!("{line}\n{{{rest},{first}}}")
    };
    cases.push(Case::fails(
        Step::Entry,
        "fields in another order",
        &changed(Changes { decision_text: order, ..none() }),
    ));
    cases
}

/// What others put into the log, and the other entries of ours.
fn look_alikes() -> Vec<Case> {
    let text = |name, decision_text| Case::fails(Step::Entry, name, &changed(Changes { decision_text, ..none() }));
    vec![
        text("an enrolment", |_| Story::one().receipt().enrolments[0].entry.clone()),
        text("the type line of an enrolment", |text| text.replace("decision/v1", "credential/v1")),
        text("the type line of a revocation", |text| text.replace("decision/v1", "revocation/v1")),
        text("a consumption", |_| {
            let nonce = verifier::encoding::base64url(&[0x0a; 32]);
            format!("countersign/consumption/v1\n{{\"consumed_at\":\"2026-03-01T12:01:00Z\",\"nonce\":\"{nonce}\"}}")
        }),
        text("a raw entry that holds a decision", |text| format!("note\n{text}")),
        text("a raw entry that holds a decision after its length", |text| format!("\u{1}\u{2}{text}")),
        text("two entries", |text| format!("{text}\n{text}")),
        text("the JSON alone", |text| text.split_once('\n').unwrap().1.to_owned()),
        text("the base64 of an entry", |text| verifier::encoding::base64(text.as_bytes())),
    ]
}

fn times() -> Vec<Case> {
    let of = |(name, time): (&str, &str)| {
        let to = format!("\"decided_at\":\"{time}\"");
        edited(
            Step::Entry,
            Stage::Decision,
            &[(&format!("a time {name}"), "\"decided_at\":\"2026-03-01T12:00:30Z\"", &to)],
        )
    };
    TIMES.into_iter().step_by(4).flat_map(of).collect()
}
