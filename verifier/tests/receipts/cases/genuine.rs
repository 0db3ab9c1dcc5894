//! Approvals and rejections as they come, and everything that a verifier must let pass.

use verifier::document::parse_payload;
use verifier::verify::Verdict;

use super::{Case, none};
use crate::made::{
    ALEX, ALEX_NEW, Changes, Enrolment, KIM, Log, SAM, Stage, Story, TPM, approves, core, invited, log, rejects,
};

pub(super) fn cases() -> Vec<Case> {
    [decisions(), limits(), logs()].into_iter().flatten().collect()
}

const REJECT: &str = r#"{"decision":"reject"}"#;

fn decisions() -> Vec<Case> {
    let mut three = Story::two_of_three();
    three.enrolments.push(invited("kim", KIM));
    let outweighed = vec![approves("alex", ALEX, 10), rejects("kim", KIM, 20), approves("sam", SAM, 30)];
    let outweighed = Story { votes: outweighed, ..three.clone() };
    three.votes.push(approves("kim", KIM, 60));
    let mut both = Story::second_key();
    both.core = core(&["alex", "sam"], 1);
    both.enrolments.push(invited("sam", SAM));
    both.votes.push(approves("sam", SAM, 40));
    let mut alone = Story::two_of_three();
    alone.votes = vec![rejects("sam", SAM, 5)];
    alone.enrolments = vec![invited("sam", SAM)];
    let chain = |key, by| Enrolment { approver: "alex", key, by: Some(by) };
    let chain = Story {
        enrolments: vec![invited("alex", ALEX), chain(ALEX_NEW, ALEX), chain(TPM, ALEX_NEW)],
        votes: vec![approves("alex", TPM, 30)],
        ..Story::one()
    };
    let rejected = |name, story| Case::genuine(name, story).expecting(REJECT).with_verdict(Verdict::Rejected);
    let high_s = Changes { signature: |it| other_form(&it), ..none() };
    vec![
        Case::genuine("approved", &Story::one()).expecting(r#"{"decision":"approve"}"#),
        Case::genuine("approved, 2 of 3", &Story::two_of_three()).expecting(r#"{"decision":"approve"}"#),
        Case::genuine("approved, second key", &Story::second_key()).expecting(r#"{"decision":"approve"}"#),
        Case::genuine("approved, third key that the second allowed", &chain),
        Case::genuine("approved, nothing expected", &Story::one()),
        Case::genuine("approved, 3 of 3 where 2 are needed", &three),
        Case::genuine("the authorising key and another person decide", &both),
        rejected("rejected as expected", &Story::rejected()),
        rejected("one rejection outweighs two approvals", &outweighed),
        rejected("one rejection of three who were asked", &alone),
        Case::genuine("the other form of an ECDSA signature", &Story::one().with(high_s)),
        Case::genuine("one newline at the end", &Story::one().with(Changes { text: |text| text + "\n", ..none() })),
        Case::genuine("revealed", &with_core(|core| core.reveal = true)),
    ]
}

/// The same signature with n - s in place of s: one of the two is high-S, and both are good.
fn other_form(signature: &[u8]) -> Vec<u8> {
    let (r, s) = p256::ecdsa::Signature::from_der(signature).unwrap().split_scalars();
    p256::ecdsa::Signature::from_scalars(r, -s).unwrap().to_der().as_bytes().to_vec()
}

fn limits() -> Vec<Case> {
    let voted = |after| Story { votes: vec![approves("alex", ALEX, after)], ..Story::one() };
    let many: Vec<String> = (1..32).map(|n| format!("b{n:02}")).collect();
    let many: Vec<&str> = ["alex"].into_iter().chain(many.iter().map(String::as_str)).collect();
    let long = "a.b_c-d@".repeat(8);
    let long_name: &'static str = Box::leak(long.into_boxed_str());
    let long = Story {
        core: core(&[long_name], 1),
        enrolments: vec![invited(long_name, ALEX)],
        votes: vec![approves(long_name, ALEX, 30)],
        ..Story::one()
    };
    let times = |issued: &str, expires: &str, use_by: &str| {
        let mut story = Story::one();
        let core = &mut story.core;
        core.issued_at = issued.parse().unwrap();
        core.expires_at = expires.parse().unwrap();
        core.use_by = use_by.parse().unwrap();
        story.votes[0].after = 5;
        story
    };
    vec![
        Case::genuine("decided in the first second", &voted(0)),
        Case::genuine("decided in the last second", &voted(300)),
        Case::genuine(
            "the shortest windows",
            &times("2026-03-01T12:00:00Z", "2026-03-01T12:00:05Z", "2026-03-01T12:00:10Z"),
        ),
        Case::genuine(
            "the longest windows",
            &times("2026-03-01T12:00:00Z", "2026-03-04T12:00:00Z", "2026-03-07T12:00:00Z"),
        ),
        Case::genuine(
            "a leap day and a new year",
            &times("2028-02-29T23:59:57Z", "2028-03-01T00:00:03Z", "2028-03-02T00:00:00Z"),
        ),
        Case::genuine("the last year", &times("9999-12-31T23:59:48Z", "9999-12-31T23:59:53Z", "9999-12-31T23:59:59Z")),
        Case::genuine("32 approvers", &Story { core: core(&many, 1), ..Story::one() }),
        Case::genuine("a username of 64 characters of every kind", &long),
        Case::genuine(
            "a title of 300 characters beyond the basic plane",
            &with_core(|core| core.action = "💶".repeat(300)),
        ),
        Case::genuine(
            "a title in several scripts",
            &with_core(|core| core.action = "Überweise 5 € 💶 an „Ω“ שלום 你好".into()),
        ),
        Case::genuine(
            "a requester of 64 characters beyond the basic plane",
            &with_core(|core| core.requester = "🤖".repeat(64)),
        ),
        Case::genuine("a payload of 32 levels", &with_payload(&super::nested(32))),
        Case::genuine("a payload of 256 KiB", &with_payload(&format!("{{\"a\":\"{}\"}}", "x".repeat(256 * 1024 - 8)))),
        Case::genuine("an empty payload", &with_payload("{}")),
    ]
}

fn logs() -> Vec<Case> {
    let rejection = Story::rejected().receipt();
    let foreign = vec![
        rejection.decisions[0].logged.entry.clone().into_bytes(),
        rejection.enrolments[0].entry.clone().into_bytes(),
        b"countersign/revocation/v1\n{}".to_vec(),
        b"countersign/consumption/v1\n{\"consumed_at\":\"2026-03-01T12:01:00Z\",\"nonce\":\"\"}".to_vec(),
        Vec::new(),
        vec![0; 300],
    ];
    let note = |note| Story::one().with(Changes { note, ..none() });
    let log_key = |name: &str, seed| log::log_key(name, seed).verifier_key().to_string();
    let own = || log_key(crate::made::LOG, crate::made::LOG_SEED);
    let trusting = |name, key| {
        Case::genuine(name, &Story::one()).trusting([("logs", [key, own()].map(Into::into).into_iter().collect())])
    };
    let origins = ["https://a.approvals.example.com:8443", crate::made::WEB_ORIGIN];
    vec![
        Case::genuine("entries of others that look like ours", &Story { foreign, ..Story::one() }),
        Case::genuine("a later checkpoint of a larger log", &later()),
        Case::genuine("a line of an unknown key", &note(|note| note + "— unknown.example/w c29tZSBieXRlcw==\n")),
        Case::genuine(
            "a line of an unknown key of the log's name",
            &note(|note| note + "— approvals.example.com/log c29tZSBieXRlcw==\n"),
        ),
        Case::genuine(
            "a line of an unknown key before the log's",
            &note(|note| note.replacen("\n\n", "\n\n— u c29tZSBieXRlcw==\n", 1)),
        ),
        Case::genuine("the log's line twice", &note(|note| twice(&note))),
        Case::genuine("63 lines of unknown keys", &note(|note| note + &"— u c29tZSBieXRlcw==\n".repeat(63))),
        trusting("another log is trusted too", log_key("other.example.com/log", 0x70)),
        // Only the keys of the log's own name are asked about its checkpoint.
        Case::genuine(
            "a line that fails of another log that is trusted too",
            &note(|note| note + other_log().sign("other\n").split_once("\n\n").unwrap().1),
        )
        .trusting([("logs", [other_log().verifier_key().to_string(), own()].map(Into::into).into_iter().collect())]),
        trusting("an old key of the log is trusted too", log_key(crate::made::LOG, 0x71)),
        Case::genuine("two web origins", &Story::one())
            .trusting([("web_origins", origins.map(Into::into).into_iter().collect())]),
    ]
}

fn other_log() -> verifier::note::SignerKey {
    log::log_key("other.example.com/log", 0x70)
}

fn twice(note: &str) -> String {
    let line = note.split_once("\n\n").unwrap().1;
    format!("{note}{line}")
}

/// The same entries under a checkpoint that covers many later ones.
pub(super) fn later() -> Story {
    let receipt = |_| {
        let story = Story::one();
        let mut log = Log::default();
        let written = story.write(&mut log);
        for _ in 0..700 {
            log.append(b"later".to_vec());
        }
        story.receipt_from(&log, &written)
    };
    Story::one().with(Changes { receipt, ..none() })
}

pub(super) fn with_core(change: impl Fn(&mut verifier::document::Core)) -> Story {
    let mut story = Story::one();
    change(&mut story.core);
    story
}

pub(super) fn with_payload(json: &str) -> Story {
    with_core(|core| core.payload = parse_payload(json.as_bytes()).unwrap())
}

/// The genuine receipt with a text of it replaced, for what must pass.
pub(super) fn edited(stage: Stage, rows: &[(&str, &str, &str)]) -> Vec<Case> {
    rows.iter().map(|(name, from, to)| Case::genuine(name, &Story::one().edit(stage, from, to))).collect()
}
