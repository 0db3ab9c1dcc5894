//! Receipts in which exactly one thing is wrong and everything that depends on it was made anew, so that the step which
//! looks at that thing is the first to fail, and the only one that could.

mod ceremony;
mod enrolment;

use verifier::checkpoint::Checkpoint;
use verifier::document::Decision;
use verifier::encoding::{base64, from_base64};
use verifier::entry::DecisionEntry;
use verifier::verify::{Expectation, Step};

use super::made::{ALEX, ALEX_NEW, Changes, LOG, Story, Witness, approves, core, invited, name};
use super::{assert_first_failure, check_with};

/// A receipt's name, and how it is made.
type Case = (&'static str, Story);

fn assert_fail(step: Step, cases: Vec<Case>) {
    assert!(cases.len() >= 2, "two receipts for each step");
    for (name, story) in cases {
        assert_first_failure(name, &check_with(&story.text(), &Story::trust(), &Expectation::default()), step);
    }
}

fn changed(changes: Changes) -> Story {
    Story::one().with(changes)
}

fn none() -> Changes {
    Changes::default()
}

/// Replaces what must be there, so that no case tests nothing.
fn replace(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replacen(from, to, 1)
}

#[test]
fn receipt() {
    let text = |text| changed(Changes { text, ..none() });
    let receipt = |receipt| changed(Changes { receipt, ..none() });
    let unordered = |receipt| Story::two_of_three().with(Changes { receipt, ..none() });
    assert_fail(
        Step::Receipt,
        vec![
            ("empty", text(|_| String::new())),
            ("a space", text(|text| replace(&text, ",\"type\"", ", \"type\""))),
            ("an unknown field", text(|text| replace(&text, "{\"checkpoint\"", "{\"c\":1,\"checkpoint\""))),
            ("a missing field", text(|text| replace(&text, ",\"type\":\"countersign/receipt/v1\"", ""))),
            ("another type", text(|text| replace(&text, "receipt/v1", "receipt/v2"))),
            ("a repeated field", text(|text| replace(&text, ",\"type\"", ",\"type\":\"\",\"type\""))),
            ("an index as a text", text(|text| replace(&text, "\"index\":1", "\"index\":\"1\""))),
            ("a fraction of an index", text(|text| replace(&text, "\"index\":1", "\"index\":1.5"))),
            ("an index that is too large", text(|text| replace(&text, "\"index\":1", "\"index\":9007199254740994"))),
            ("a byte order mark", text(|text| format!("\u{feff}{text}"))),
            ("over 32 MiB", text(|text| text + &" ".repeat(32 << 20))),
            ("no decision", receipt(|mut it| (it.decisions.clear(), it).1)),
            ("no enrolment", receipt(|mut it| (it.enrolments.clear(), it).1)),
            (
                "33 decisions",
                receipt(|mut it| (it.decisions = (0..33).map(|_| it.decisions[0].clone()).collect(), it).1),
            ),
            ("64 hashes", receipt(|mut it| (it.enrolments[0].hashes.resize(64, merkle::EMPTY_ROOT), it).1)),
            ("a large checkpoint", receipt(|mut it| (it.checkpoint = "x".repeat(16 * 1024 + 1), it).1)),
            ("one enrolment twice", receipt(|mut it| (it.enrolments.push(it.enrolments[0].clone()), it).1)),
            ("decisions out of order", unordered(|mut it| (it.decisions.reverse(), it).1)),
            ("enrolments out of order", unordered(|mut it| (it.enrolments.reverse(), it).1)),
            ("one decision twice", unordered(|mut it| (it.decisions[1] = it.decisions[0].clone(), it).1)),
        ],
    );
}

#[test]
fn checkpoint() {
    let text = |checkpoint_text| changed(Changes { checkpoint_text, ..none() });
    let note = |note| changed(Changes { note, ..none() });
    let other_log = |checkpoint| Checkpoint { log_origin: "other.example.com/log".into(), ..checkpoint };
    assert_fail(
        Step::Checkpoint,
        vec![
            ("another key of the log's name", changed(Changes { log_seed: 0x11, ..none() })),
            ("an unknown log", changed(Changes { checkpoint: other_log, ..none() })),
            ("an extension line", text(|text| text + "extension\n")),
            ("a size with a zero before it", text(|text| replace(&text, "\n2\n", "\n02\n"))),
            ("a size of no entries", text(|text| replace(&text, "\n2\n", "\n0\n"))),
            ("no note", note(|_| String::new())),
            ("no signature", note(|note| note[..=note.find("\n\n").unwrap()].to_owned())),
            ("a signature of nobody known", note(|note| replace(&note, "— approvals", "— other"))),
            ("another text under the signature", note(|note| replace(&note, "\n2\n", "\n3\n"))),
            ("a second signature that fails", note(|note| with_a_spoiled_line(&note))),
            ("a control character", note(|note| note + "— a\u{1} AAAAAAA=\n")),
        ],
    );
}

/// Adds the log's own line again with another signature: of a known key every line must verify.
fn with_a_spoiled_line(note: &str) -> String {
    let (name, signature) = note.trim_end().rsplit_once(' ').unwrap();
    let mut bytes = from_base64(signature).unwrap();
    bytes[20] ^= 1;
    let line = name.rsplit_once('\n').unwrap().1;
    format!("{note}{line} {}\n", base64(&bytes))
}

#[test]
fn checkpoint_with_witnesses() {
    let [a, b] = [("a.example/w", 0x31), ("b.example/w", 0x32)].map(|(name, seed)| Witness { name, seed });
    // The key of the first under a second name.
    let again = Witness { name: "again.example/w", ..a };
    let unknown = Witness { name: "unknown.example/w", seed: 0x34 };
    let spoil: fn(String) -> String = |note| {
        let (text, _) = note.split_once("\n\n").unwrap();
        let other = Witness { name: "a.example/w", seed: 0x31 }.line(&format!("{text} \n"), 1);
        note + &other
    };
    let cases = [
        ("none of two", vec![], none()),
        ("one of two", vec![a], none()),
        ("one of two twice", vec![a, a], none()),
        ("one key under two names", vec![a, again], none()),
        ("one and an unknown one", vec![a, unknown], none()),
        ("two and a line that fails", vec![a, b], Changes { note: spoil, ..none() }),
    ];
    let mut trust = Story::trust();
    trust.witnesses = [a, b, again].map(Witness::key).to_vec();
    trust.witness_quorum = 2;
    for (name, witnesses, changes) in cases {
        let story = Story { witnesses, changes, ..Story::one() };
        assert_first_failure(name, &check_with(&story.text(), &trust, &Expectation::default()), Step::Checkpoint);
    }
}

#[test]
fn document() {
    let text = |document| changed(Changes { document, ..none() });
    let core_with = |change: fn(&mut verifier::document::Core)| {
        let mut story = Story::one();
        change(&mut story.core);
        story
    };
    let payload = |text: String| verifier::json::parse(text.as_bytes(), LARGE).unwrap().as_object().unwrap().clone();
    let mut large = Story::one();
    large.core.payload = payload(format!("{{\"a\":\"{}\"}}", "x".repeat(256 * 1024)));
    let mut deep = Story::one();
    deep.core.payload = payload(format!("{}0{}", "{\"a\":".repeat(33), "}".repeat(33)));
    assert_fail(
        Step::Document,
        vec![
            ("not canonical", text(|text| replace(&text, ":", ": "))),
            ("an unknown field", text(|text| replace(&text, "{\"action\"", "{\"a\":1,\"action\""))),
            ("a missing field", text(|text| replace(&text, ",\"reveal\":false", ""))),
            ("another type", text(|text| replace(&text, "document/v1", "document/v2"))),
            ("an inexact number", text(|text| replace(&text, ":3,", ":9007199254740993,"))),
            (
                "a payload that is an array",
                text(|text| replace(&text, "\"payload\":{", "\"payload\":[{").replace("},", "}],")),
            ),
            ("a short salt", text(|text| replace(&text, "UFBQ", ""))),
            ("a payload that is too large", large),
            ("a payload that is too deep", deep),
            ("another log", core_with(|core| core.log = "other.example.com/log".into())),
            ("a hidden character in the title", core_with(|core| core.action.push('\u{202e}'))),
            ("a hidden character in the requester", core_with(|core| core.requester.push('\u{200b}'))),
            ("an empty title", core_with(|core| core.action.clear())),
            ("a long title", core_with(|core| core.action = "x".repeat(301))),
            ("an approver who was not asked", core_with(|core| core.approvers = vec![name("sam")])),
            ("approvers out of order", core_with(|core| core.approvers = vec![name("sam"), name("alex")])),
            ("a repeated approver", core_with(|core| core.approvers = vec![name("alex"), name("alex")])),
            ("a quorum of nobody", core_with(|core| core.quorum = 0)),
            ("a quorum of more than were asked", core_with(|core| core.quorum = 2)),
            ("expired before it was asked", core_with(|core| core.issued_at = core.expires_at.plus(1))),
            ("a window of more than 72 hours", core_with(|core| core.expires_at = core.issued_at.plus(259_201))),
            ("used before it expires", core_with(|core| core.use_by = core.expires_at)),
        ],
    );
}

const LARGE: verifier::json::Limits =
    verifier::json::Limits { max_bytes: 1 << 20, max_depth: 64, numbers: verifier::json::Numbers::Exact };

#[test]
fn entry() {
    let entry = |decision| changed(Changes { decision, ..none() });
    let text = |decision_text| changed(Changes { decision_text, ..none() });
    let voted = |after| Story { votes: vec![approves("alex", ALEX, after)], ..Story::one() };
    assert_fail(
        Step::Entry,
        vec![
            ("decided one second too late", voted(301)),
            (
                "decided one second too early",
                entry(|it| DecisionEntry { decided_at: "2026-03-01T11:59:59Z".parse().unwrap(), ..it }),
            ),
            ("another's label", entry(|it| DecisionEntry { approver: name("sam").label(LOG), ..it })),
            ("a label of another log", entry(|it| DecisionEntry { approver: name("alex").label("other/log"), ..it })),
            ("the other decision", entry(|it| DecisionEntry { decision: Decision::Reject, ..it })),
            ("another type line", text(|text| replace(&text, "decision/v1", "decision/v2"))),
            ("the type line of an enrolment", text(|text| replace(&text, "decision/v1", "credential/v1"))),
            ("an unknown field", text(|text| replace(&text, "{\"approver\"", "{\"a\":1,\"approver\""))),
            ("not canonical", text(|text| replace(&text, "\n{", "\n{ "))),
            ("an enrolment", text(|_| Story::one().receipt().enrolments[0].entry.clone())),
        ],
    );
}

#[test]
fn times_at_the_limits() {
    for after in [0, 300] {
        let story = Story { votes: vec![approves("alex", ALEX, after)], ..Story::one() };
        super::assert_all_passed("at the limit", &super::check(&story.text()));
    }
}

#[test]
fn inclusion() {
    let receipt = |receipt| Story::two_of_three().with(Changes { receipt, ..none() });
    let checkpoint = |checkpoint| Story::two_of_three().with(Changes { checkpoint, ..none() });
    assert_fail(
        Step::Inclusion,
        vec![
            (
                "another hash in a decision's proof",
                receipt(|mut it| (it.decisions[1].logged.hashes[0] = merkle::EMPTY_ROOT, it).1),
            ),
            (
                "another hash in an enrolment's proof",
                receipt(|mut it| (it.enrolments[0].hashes[2] = merkle::EMPTY_ROOT, it).1),
            ),
            ("a hash short", receipt(|mut it| (it.enrolments[0].hashes.pop(), it).1)),
            ("a hash more", receipt(|mut it| (it.decisions[0].logged.hashes.push(merkle::EMPTY_ROOT), it).1)),
            ("another index", receipt(|mut it| (it.decisions[1].logged.index = merkle::LeafIndex::new(8), it).1)),
            (
                "an index outside of the tree",
                receipt(|mut it| (it.decisions[1].logged.index = merkle::LeafIndex::new(10), it).1),
            ),
            (
                "an entry that was not logged",
                receipt(|mut it| {
                    (it.enrolments[1].entry = replace(&it.enrolments[1].entry, "2026-01-01", "2026-01-02"), it).1
                }),
            ),
            (
                "a decision that was not logged",
                receipt(|mut it| {
                    (it.decisions[0].logged.entry = replace(&it.decisions[0].logged.entry, "12:00:40", "12:00:41"), it)
                        .1
                }),
            ),
            ("another root", checkpoint(|it| Checkpoint { root: merkle::EMPTY_ROOT, ..it })),
            ("another size", checkpoint(|it| Checkpoint { size: merkle::TreeSize::new(8), ..it })),
        ],
    );
}

#[test]
fn quorum() {
    let two = Story::two_of_three;
    let mut one_of_two = two();
    one_of_two.enrolments.truncate(1);
    one_of_two.votes.remove(0);
    let twice = |second, enrolments| Story {
        core: core(&["alex", "sam"], 2),
        enrolments,
        votes: vec![approves("alex", ALEX, 10), approves("alex", second, 20)],
        ..Story::one()
    };
    let of_sam = |document| two().with(Changes { document, ..none() });
    assert_fail(
        Step::Quorum,
        vec![
            ("one of two", one_of_two),
            ("one person with two keys", twice(ALEX_NEW, vec![invited("alex", ALEX), invited("alex", ALEX_NEW)])),
            ("one person with one key", twice(ALEX, vec![invited("alex", ALEX)])),
            ("another title", of_sam(|text| for_sam(text, "Deploy api", "Deploy the api"))),
            (
                "another payload",
                of_sam(|text| for_sam(text, "production\",\"replicas\":3", "production\",\"replicas\":4")),
            ),
            ("another quorum", of_sam(|text| for_sam(text, "\"quorum\":2", "\"quorum\":1"))),
            ("another time", of_sam(|text| for_sam(text, "T13:05:00Z", "T13:05:01Z"))),
            ("another id", of_sam(|text| for_sam(text, "cnf_4", "cnf_5"))),
        ],
    );
}

fn for_sam(text: String, from: &str, to: &str) -> String {
    if text.contains("\"approver\":\"sam\"") { replace(&text, from, to) } else { text }
}

#[test]
fn expectation() {
    let other_title = Expectation { action: Some("Deploy api-gateway to staging".into()), ..Expectation::default() };
    let other_requester = Expectation { requester: Some("other-bot".into()), ..Expectation::default() };
    for expectation in [other_title, other_requester] {
        let report = check_with(&Story::one().text(), &Story::trust(), &expectation);
        assert_first_failure("expectation", &report, Step::Expectation);
    }
}
