//! Documents that break a rule of the input: a hostile server may sign up to any of them.

use verifier::document::Core;
use verifier::verify::Step;

use super::genuine::{with_core, with_payload};
use super::{Case, edited, nested};
use crate::made::{Stage, Story, name};

pub(super) fn cases() -> Vec<Case> {
    [form(), encodings(), times(), names(), hidden(), rules()].into_iter().flatten().collect()
}

fn form() -> Vec<Case> {
    edited(
        Step::Document,
        Stage::Document,
        &[
            ("a space", "\"action\":", "\"action\": "),
            ("a newline at the end", "Z\"}", "Z\"}\n"),
            ("a byte order mark", "{\"action\"", "\u{feff}{\"action\""),
            ("an unknown field", "{\"action\"", "{\"a\":1,\"action\""),
            ("an unknown field proto", "{\"action\"", "{\"__proto__\":{},\"action\""),
            ("a repeated field", "{\"action\"", "{\"action\":\"\",\"action\""),
            (
                "fields in another order",
                "\"approver\":\"alex\",\"approvers\":[\"alex\"]",
                "\"approvers\":[\"alex\"],\"approver\":\"alex\"",
            ),
            ("another type", "document/v1", "document/v2"),
            ("the type of an enrolment's document", "countersign/document/v1", "countersign/enrolment/v1"),
            ("another decision", "\"decision\":\"approve\"", "\"decision\":\"abstain\""),
            ("a decision with a capital", "\"decision\":\"approve\"", "\"decision\":\"Approve\""),
            ("approved", "\"decision\":\"approve\"", "\"decision\":\"approved\""),
            ("reveal as a text", "\"reveal\":false", "\"reveal\":\"false\""),
            ("reveal as a number", "\"reveal\":false", "\"reveal\":0"),
            ("a quorum as a text", "\"quorum\":1", "\"quorum\":\"1\""),
            ("a fraction of a quorum", "\"quorum\":1", "\"quorum\":0.5"),
            ("a negative quorum", "\"quorum\":1", "\"quorum\":-1"),
            ("a quorum of 2 to the 32 and 1", "\"quorum\":1", "\"quorum\":4294967297"),
            ("approvers as a text", "\"approvers\":[\"alex\"]", "\"approvers\":\"alex\""),
            ("no approvers", "\"approvers\":[\"alex\"]", "\"approvers\":[]"),
            ("an approver who is null", "\"approvers\":[\"alex\"]", "\"approvers\":[\"alex\",null]"),
            ("another log", "approvals.example.com/log", "other.example.com/log"),
            ("the log with a slash", "approvals.example.com/log", "approvals.example.com/log/"),
            ("an empty log", "approvals.example.com/log", ""),
        ],
    )
}

fn encodings() -> Vec<Case> {
    let nonce = verifier::encoding::base64url(&[0x0a; 32]);
    let salt = verifier::encoding::base64url(&[0x50; 32]);
    let cut = |text: &str| text[..text.len() - 1].to_owned();
    let rows = [
        ("a nonce with padding", &nonce, format!("{nonce}=")),
        ("a nonce with spare bits", &nonce, cut(&nonce) + "p"),
        ("a nonce of 31 bytes", &nonce, cut(&nonce)),
        ("a nonce of 33 bytes", &nonce, format!("{nonce}A")),
        ("a nonce in the alphabet of base64", &nonce, nonce.replacen("CgoK", "Cg+/", 1)),
        ("a nonce with a newline", &nonce, nonce.replacen("CgoK", "CgoK\\n", 1)),
        ("a nonce in hexadecimal", &nonce, "0a".repeat(32)),
        ("an empty nonce", &nonce, String::new()),
        ("a salt with padding", &salt, format!("{salt}=")),
        ("a salt with spare bits", &salt, cut(&salt) + "B"),
        ("a salt of 29 bytes", &salt, salt[4..].to_owned()),
        ("a salt of 35 bytes", &salt, format!("{salt}UFBQ")),
        ("an id with a capital", &"cnf_4k2m".to_owned(), "cnf_4K2m".to_owned()),
        ("an id with a digit of no base32", &"cnf_4k2m".to_owned(), "cnf_1k2m".to_owned()),
        ("an id that is too short", &"cnf_4k2m".to_owned(), "cnf_4k2".to_owned()),
        ("an id that is too long", &"cnf_4k2m".to_owned(), "cnf_4k2mm".to_owned()),
        ("an id of something else", &"cnf_4k2m".to_owned(), "inv_4k2m".to_owned()),
        ("an id with a newline at the end", &"g7h2j\"".to_owned(), "g7h2j\\n\"".to_owned()),
    ];
    rows.iter().flat_map(|(name, from, to)| edited(Step::Document, Stage::Document, &[(name, from, to)])).collect()
}

/// The times of entries and enrolments are tested with some of them.
pub(super) const TIMES: [(&str, &str); 21] = [
    ("with a fraction", "2026-03-01T12:00:00.0Z"),
    ("with an offset", "2026-03-01T12:00:00+00:00"),
    ("without its zone", "2026-03-01T12:00:00"),
    ("of another zone", "2026-03-01T13:00:00+01:00"),
    ("in small letters", "2026-03-01t12:00:00z"),
    ("with a space", "2026-03-01 12:00:00Z"),
    ("with a space at the end", "2026-03-01T12:00:00Z "),
    ("with a newline at the end", "2026-03-01T12:00:00Z\\n"),
    ("without seconds", "2026-03-01T12:00Z"),
    ("without a time", "2026-03-01"),
    ("with a leap second", "2026-03-01T11:59:60Z"),
    ("of a minute 60", "2026-03-01T11:60:00Z"),
    ("of an hour 36", "2026-02-28T36:00:00Z"),
    ("of a 29th of February in no leap year", "2026-02-29T12:00:00Z"),
    ("of a day 0", "2026-03-00T12:00:00Z"),
    ("of a month 15", "2025-15-01T12:00:00Z"),
    ("with one digit", "2026-3-1T12:00:00Z"),
    ("of a year of six digits", "+002026-03-01T12:00:00Z"),
    ("in digits of another script", "２０２６-03-01T12:00:00Z"),
    ("in the basic form", "20260301T120000Z"),
    ("in seconds of 1970", "1772366400"),
];

fn times() -> Vec<Case> {
    let at = |(name, time): (&str, &str)| {
        let to = format!("\"issued_at\":\"{time}\"");
        edited(
            Step::Document,
            Stage::Document,
            &[(&format!("a time {name}"), "\"issued_at\":\"2026-03-01T12:00:00Z\"", &to)],
        )
    };
    let mut cases: Vec<_> = TIMES.into_iter().flat_map(at).collect();
    cases.extend(edited(
        Step::Document,
        Stage::Document,
        &[
            ("a time as a number", "\"issued_at\":\"2026-03-01T12:00:00Z\"", "\"issued_at\":1772366400"),
            ("expires_at of a 31st of April", "\"2026-03-01T12:05:00Z\"", "\"2026-04-31T12:05:00Z\""),
            ("use_by with a fraction", "\"2026-03-01T13:05:00Z\"", "\"2026-03-01T13:05:00.000Z\""),
        ],
    ));
    cases
}

fn names() -> Vec<Case> {
    let username = |words: &str, text: &str| {
        let from = "\"approver\":\"alex\",\"approvers\":[\"alex\"]";
        let to = format!("\"approver\":\"{text}\",\"approvers\":[\"{text}\"]");
        edited(Step::Document, Stage::Document, &[(words, from, &to)])
    };
    let long = "x".repeat(65);
    [
        ("a username with a capital", "Alex"),
        ("a username with a space", "alex "),
        ("a username with an umlaut", "älex"),
        ("a username with a Cyrillic letter", "аlex"),
        ("a username with a slash", "al/ex"),
        ("a username with a newline", "alex\\n"),
        ("an empty username", ""),
        ("a username of 65 characters", &long),
    ]
    .into_iter()
    .flat_map(|(words, text)| username(words, text))
    .collect()
}

/// One character of each kind that does not look like what it is.
fn hidden() -> Vec<Case> {
    [
        ("a tab", '\t'),
        ("a newline", '\n'),
        ("delete", '\u{7f}'),
        ("a soft hyphen", '\u{ad}'),
        ("a Hangul filler", '\u{3164}'),
        ("a zero width space", '\u{200b}'),
        ("a line separator", '\u{2028}'),
        ("an override from right to left", '\u{202e}'),
        ("a word joiner", '\u{2060}'),
        ("an isolate", '\u{2066}'),
        ("a Braille blank", '\u{2800}'),
        ("a variation selector", '\u{fe0f}'),
        ("a byte order mark inside", '\u{feff}'),
        ("a joiner of hieroglyphs", '\u{13430}'),
        ("a tag letter", '\u{e0041}'),
        ("a noncharacter", '\u{fdd0}'),
        ("the last character of a plane", '\u{ffff}'),
        ("the last character of all", '\u{10ffff}'),
    ]
    .into_iter()
    .map(|(words, hidden)| {
        Case::fails(Step::Document, &format!("a title with {words}"), &with_core(|core| core.action.insert(6, hidden)))
    })
    .collect()
}

fn rules() -> Vec<Case> {
    let rule = |name, change: &dyn Fn(&mut Core)| Case::fails(Step::Document, name, &with_core(change));
    let many = || (1..33).map(|n| name(&format!("b{n:02}")));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(256 * 1024 - 8));
    vec![
        rule("an empty title", &|core| core.action.clear()),
        rule("a title of spaces", &|core| core.action = "   ".into()),
        rule("a title of spaces of every width", &|core| {
            core.action = " \u{a0}\u{1680}\u{2003}\u{202f}\u{3000}".into();
        }),
        rule("a requester of spaces", &|core| core.requester = "\u{3000}".into()),
        rule("a title of 301 characters", &|core| core.action = "x".repeat(301)),
        rule("a title of 301 characters beyond the basic plane", &|core| core.action = "💶".repeat(301)),
        rule("an empty requester", &|core| core.requester.clear()),
        rule("a requester of 65 characters", &|core| core.requester = "x".repeat(65)),
        rule("a hidden character in the requester", &|core| core.requester.push('\u{200b}')),
        rule("an approver who was not asked", &|core| core.approvers = vec![name("sam")]),
        rule("approvers out of order", &|core| core.approvers = vec![name("sam"), name("alex")]),
        rule("a repeated approver", &|core| core.approvers = vec![name("alex"), name("alex")]),
        rule("33 approvers", &|core| core.approvers = [name("alex")].into_iter().chain(many()).collect()),
        rule("a quorum of nobody", &|core| core.quorum = 0),
        rule("a quorum of more than were asked", &|core| core.quorum = 2),
        rule("expired before it was asked", &|core| core.issued_at = core.expires_at.plus(1)),
        rule("expired when it was asked", &|core| core.issued_at = core.expires_at),
        rule("a window of 4 seconds", &|core| core.expires_at = core.issued_at.plus(4)),
        rule("a window of more than 72 hours", &|core| {
            core.expires_at = core.issued_at.plus(259_201);
            core.use_by = core.expires_at.plus(60);
        }),
        rule("used before it expires", &|core| core.use_by = core.issued_at.plus(10)),
        rule("used when it expires", &|core| core.use_by = core.expires_at),
        rule("used within 4 seconds", &|core| core.use_by = core.expires_at.plus(4)),
        rule("used within more than 72 hours", &|core| core.use_by = core.expires_at.plus(259_201)),
        // Only the text is larger or deeper than a payload may be: the rest is as it was.
        Case::fails(
            Step::Document,
            "a payload of 256 KiB and a byte",
            &with_payload(&large).edit(Stage::Document, "\"a\":\"x", "\"a\":\"xx"),
        ),
        Case::fails(
            Step::Document,
            "a payload of 33 levels",
            &with_payload(&nested(32)).edit(Stage::Document, "{\"a\":0}", "{\"a\":{\"a\":0}}"),
        ),
        Case::fails(
            Step::Document,
            "a payload of 4000 levels",
            &Story::one().edit(
                Stage::Document,
                "\"replicas\":3",
                &format!("\"replicas\":{}{}", "[".repeat(4_000), "]".repeat(4_000)),
            ),
        ),
    ]
}
