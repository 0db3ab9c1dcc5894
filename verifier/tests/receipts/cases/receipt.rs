//! Receipts that are not in the one form: their JSON, their fields, their counts.

use merkle::LeafIndex;
use verifier::receipt::{DecisionPart, LoggedEntry, Receipt};
use verifier::verify::Step;

use super::{Bytes, Case, changed, edited, none};
use crate::made::{Changes, Stage, Story};

pub(super) fn cases() -> Vec<Case> {
    [json(), fields(), ends(), parts(), large()].into_iter().flatten().collect()
}

fn json() -> Vec<Case> {
    let mut cases = edited(
        Step::Receipt,
        Stage::Receipt,
        &[
            ("a space", ",\"type\"", ", \"type\""),
            ("a newline before it", "{\"checkpoint\"", "\n{\"checkpoint\""),
            ("a byte order mark", "{\"checkpoint\"", "\u{feff}{\"checkpoint\""),
            ("an escape that is not needed", "receipt/v1", "\\u0072eceipt/v1"),
            ("an escaped slash", "countersign/receipt/v1", "countersign\\/receipt/v1"),
            ("an escape with capitals", "\\n{\\\"approver", "\\u000A{\\\"approver"),
            ("a newline as it is", "\\n{\\\"approver", "\n{\\\"approver"),
            ("a lone surrogate", "Deploy api", "\\ud800Deploy api"),
            ("a repeated field", ",\"type\"", ",\"type\":\"\",\"type\""),
            ("a field repeated by an escape", ",\"type\"", ",\"typ\\u0065\":\"\",\"type\""),
            ("an unknown field", "{\"checkpoint\"", "{\"c\":1,\"checkpoint\""),
            ("an unknown field proto", "{\"checkpoint\"", "{\"__proto__\":{},\"checkpoint\""),
            ("an unknown field of a decision", "{\"document\"", "{\"d\":1,\"document\""),
            ("an unknown field of an enrolment", "\"enrolments\":[{\"entry\"", "\"enrolments\":[{\"e\":null,\"entry\""),
            ("a comma at the end", "/v1\"}", "/v1\",}"),
            ("a comment", "{\"checkpoint\"", "{/**/\"checkpoint\""),
            ("another type", "receipt/v1", "receipt/v2"),
            ("the type of a trust file", "receipt/v1", "trust/v1"),
        ],
    );
    let order = |text: String| {
        let (start, end) = text.rsplit_once(',').unwrap();
        format!("{{{},{}", &end[..end.len() - 1], &start[1..]) + "}"
    };
    cases.push(Case::fails(Step::Receipt, "fields in another order", &changed(Changes { text: order, ..none() })));
    cases
}

fn fields() -> Vec<Case> {
    edited(
        Step::Receipt,
        Stage::Receipt,
        &[
            ("an index as a text", "\"index\":1", "\"index\":\"1\""),
            ("a fraction of an index", "\"index\":1", "\"index\":1.5"),
            ("an index with a fraction of zero", "\"index\":1", "\"index\":1.0"),
            ("an index with an exponent", "\"index\":1", "\"index\":1e0"),
            ("a negative index", "\"index\":1", "\"index\":-1"),
            ("an index of minus zero", "\"index\":0", "\"index\":-0"),
            ("an index with a zero before it", "\"index\":1", "\"index\":01"),
            ("an index above 2 to the 53", "\"index\":1", "\"index\":9007199254740994"),
            ("an index of 2 to the 64 and 1", "\"index\":1", "\"index\":18446744073709551617"),
            ("an index of 1e400", "\"index\":1", "\"index\":1e400"),
            ("hashes that are a text", "\"hashes\":[", "\"hashes\":\"\",\"h\":["),
            ("a hash that is a number", "\"hashes\":[", "\"hashes\":[0,"),
            ("an empty hash", "\"hashes\":[", "\"hashes\":[\"\","),
            ("a hash with its padding", "\"],\"index\"", "=\"],\"index\""),
            ("a hash of 33 bytes", "\"],\"index\"", "A\"],\"index\""),
            ("a hash with a space", "\"],\"index\"", " \"],\"index\""),
        ],
    )
}

/// The hash's last symbol has two spare bits; its alphabet is that of base64url.
fn ends() -> Vec<Case> {
    let text = |name, text| Case::fails(Step::Receipt, name, &changed(Changes { text, ..none() }));
    let raw = |name, change: fn(Vec<u8>) -> Vec<u8>| {
        Case::refused(Step::Receipt, name, Bytes::Raw(change(Story::one().text().into_bytes())))
    };
    vec![
        text("a hash with spare bits", |text| {
            let end = text.find("\"],\"index\"").unwrap();
            let last = char::from(text.as_bytes()[end - 1] + 1);
            format!("{}{last}{}", &text[..end - 1], &text[end..])
        }),
        text("a hash in the alphabet of base64", |text| {
            let end = text.find("\"],\"index\"").unwrap();
            format!("{}+/{}", &text[..end - 43], &text[end - 41..])
        }),
        text("nothing", |_| String::new()),
        text("an array", |text| format!("[{text}]")),
        text("a text", |_| "\"countersign/receipt/v1\"".to_owned()),
        text("cut in the middle", |text| text[..text.len() / 2].to_owned()),
        text("cut before its last byte", |text| text[..text.len() - 1].to_owned()),
        text("cut after its first byte", |text| text[..1].to_owned()),
        text("two newlines at the end", |text| text + "\n\n"),
        text("a carriage return and a newline at the end", |text| text + "\r\n"),
        text("a space at the end", |text| text + " "),
        text("a zero byte at the end", |text| text + "\0"),
        text("a closing brace at the end", |text| text + "}"),
        text("twice", |text| format!("{text}{text}")),
        text("two lines", |text| format!("{text}\n{text}\n")),
        raw("a byte that is not UTF-8", |text| [text, vec![0xff]].concat()),
        raw("an overlong slash", |text| {
            String::from_utf8(text)
                .unwrap()
                .split("receipt/v1")
                .map(str::as_bytes)
                .collect::<Vec<_>>()
                .join(&b"receipt\xc0\xafv1"[..])
        }),
        raw("a surrogate in UTF-8", |text| {
            String::from_utf8(text)
                .unwrap()
                .split("Deploy")
                .map(str::as_bytes)
                .collect::<Vec<_>>()
                .join(&b"Deploy\xed\xa0\x80"[..])
        }),
        raw("UTF-16", |text| [0xff, 0xfe].into_iter().chain(text.into_iter().flat_map(|byte| [byte, 0])).collect()),
        raw("base64 of a receipt", |text| verifier::encoding::base64(&text).into_bytes()),
    ]
}

fn parts() -> Vec<Case> {
    let one = |name, receipt| Case::fails(Step::Receipt, name, &changed(Changes { receipt, ..none() }));
    let two =
        |name, receipt| Case::fails(Step::Receipt, name, &Story::two_of_three().with(Changes { receipt, ..none() }));
    vec![
        one("no decision", |mut it| (it.decisions.clear(), it).1),
        one("no enrolment", |mut it| (it.enrolments.clear(), it).1),
        one("33 decisions", |it| with_decisions(it, 33)),
        one("64 hashes", |mut it| (it.enrolments[0].hashes.resize(64, merkle::EMPTY_ROOT), it).1),
        one("a large checkpoint", |mut it| (it.checkpoint = "x".repeat(16 * 1024 + 1), it).1),
        one("one enrolment twice", |mut it| (it.enrolments.push(it.enrolments[0].clone()), it).1),
        two("decisions out of order", |mut it| (it.decisions.reverse(), it).1),
        two("enrolments out of order", |mut it| (it.enrolments.reverse(), it).1),
        two("one decision twice", |mut it| (it.decisions[1] = it.decisions[0].clone(), it).1),
    ]
}

/// The decision, and others behind it that are never read.
fn with_decisions(mut receipt: Receipt, count: u64) -> Receipt {
    for index in 2..=count {
        let index = LeafIndex::new(index);
        let logged = LoggedEntry { entry: String::new(), hashes: Vec::new(), index };
        receipt.decisions.push(DecisionPart { document: String::new(), logged });
    }
    receipt
}

fn large() -> Vec<Case> {
    let repeated = |name, text, times| Case::refused(Step::Receipt, name, Bytes::Repeated { text, times });
    vec![
        repeated("over 32 MiB of spaces", " ", (32 << 20) + 1),
        repeated("over 32 MiB of receipts", "{\"type\":\"countersign/receipt/v1\"}", 1 << 20),
        repeated("an endless array", "[", 200_000),
        repeated("an endless object", "{\"a\":", 100_000),
    ]
}
