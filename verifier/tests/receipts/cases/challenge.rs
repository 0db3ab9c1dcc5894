//! Client data that is not strict JSON, and challenges that are not nonce and document.

use sha2::{Digest as _, Sha256};
use verifier::verify::Step;

use super::{Case, changed, edited, none};
use crate::made::{Changes, Stage};

pub(super) fn cases() -> Vec<Case> {
    [challenges(), json(), bytes()].into_iter().flatten().collect()
}

fn challenges() -> Vec<Case> {
    let challenge = |name, challenge| Case::fails(Step::Challenge, name, &changed(Changes { challenge, ..none() }));
    let text = |name, client_data| Case::fails(Step::Challenge, name, &changed(Changes { client_data, ..none() }));
    vec![
        challenge("another nonce", |mut it| (it[0] ^= 1, it).1),
        challenge("another document", |mut it| (it[63] ^= 1, it).1),
        challenge("halves swapped", |it| [&it[32..], &it[..32]].concat()),
        challenge("the hash alone", |it| it[32..].to_vec()),
        challenge("the nonce alone", |it| it[..32].to_vec()),
        challenge("the nonce twice", |it| [&it[..32], &it[..32]].concat()),
        challenge("the hash of the hash", |it| [&it[..32], &Sha256::digest(&it[32..])].concat()),
        challenge("the hash of both", |it| Sha256::digest(&it).to_vec()),
        challenge("a byte more", |it| [it, vec![0]].concat()),
        challenge("nothing", |_| Vec::new()),
        text("a challenge in the alphabet of base64", |text| with_challenge(&text, |it| format!("+/{}", &it[2..]))),
        text("a challenge with spare bits", |text| {
            with_challenge(&text, |it| format!("{}{}", &it[..85], char::from(it.as_bytes()[85] + 1)))
        }),
        text("a challenge with a newline", |text| with_challenge(&text, |it| format!("{}\\n{}", &it[..40], &it[40..]))),
        text("a challenge in hexadecimal", |text| with_challenge(&text, |_| "0a".repeat(64))),
    ]
}

fn with_challenge(text: &str, change: fn(&str) -> String) -> String {
    let (head, rest) = text.split_once("\"challenge\":\"").unwrap();
    let (challenge, tail) = rest.split_once('"').unwrap();
    format!("{head}\"challenge\":\"{}\"{tail}", change(challenge))
}

fn json() -> Vec<Case> {
    const END: &str = "\"crossOrigin\":false}";
    edited(
        Step::Challenge,
        Stage::ClientData,
        &[
            ("not JSON", "false}", "false}x"),
            ("two objects", "false}", "false}{}"),
            ("an array", "{\"type\"", "[{\"type\""),
            ("no end", "false}", "false"),
            ("a byte order mark", "{\"type\"", "\u{feff}{\"type\""),
            ("a comma at the end", "false}", "false,}"),
            ("a comment", "{\"type\"", "{/**/\"type\""),
            ("single quotes", "\"webauthn.get\"", "'webauthn.get'"),
            ("a control character as it is", END, "\"x\":\"\t\"}"),
            ("a no-break space between", "{\"type\"", "{\u{a0}\"type\""),
            ("NaN under a junk key", END, "\"x\":NaN}"),
            ("a number with a zero before it under a junk key", END, "\"x\":01}"),
            ("a lone surrogate under a junk key", END, "\"x\":\"\\ud800\"}"),
            ("a lone surrogate in a junk key", END, "\"\\udc00\":1}"),
            ("nine levels", END, "\"x\":[[[[[[[[]]]]]]]]}"),
            ("a repeated challenge", "{\"type\"", "{\"challenge\":\"\",\"type\""),
            ("a challenge repeated by an escape", "false}", "false,\"chall\\u0065nge\":\"\"}"),
            ("a repeated type", "false}", "false,\"type\":\"webauthn.get\"}"),
            ("a repeated web origin", "false}", "false,\"origin\":\"https://approvals.example.com\"}"),
            ("a repeated crossOrigin", "false}", "false,\"crossOrigin\":false}"),
            ("a repeated junk key", "false}", "false,\"x\":1,\"x\":1}"),
            ("a repeated key deep inside", "false}", "false,\"x\":[{\"a\":1,\"\\u0061\":1}]}"),
            ("no challenge", "\"challenge\"", "\"Challenge\""),
            ("a challenge that is null", "\"challenge\":\"", "\"challenge\":null,\"c\":\""),
            ("a challenge in an array", "\"challenge\":\"", "\"challenge\":[],\"c\":\""),
            ("a challenge with padding", "\",\"origin", "==\",\"origin"),
            ("no type", "\"type\":\"webauthn.get\",", ""),
            ("a type that is null", "\"webauthn.get\"", "null"),
            ("no web origin", "\"origin\":\"https://approvals.example.com\",", ""),
            ("a web origin in an array", "\"https://approvals.example.com\"", "[\"https://approvals.example.com\"]"),
            (
                "a web origin in a prototype",
                "\"origin\":\"https://approvals.example.com\"",
                "\"__proto__\":{\"origin\":\"https://approvals.example.com\"}",
            ),
            ("crossOrigin that is null", "\"crossOrigin\":false", "\"crossOrigin\":null"),
            ("crossOrigin as a text", "\"crossOrigin\":false", "\"crossOrigin\":\"false\""),
            ("crossOrigin as a number", "\"crossOrigin\":false", "\"crossOrigin\":0"),
        ],
    )
}

fn bytes() -> Vec<Case> {
    let bytes =
        |name, client_data_bytes| Case::fails(Step::Challenge, name, &changed(Changes { client_data_bytes, ..none() }));
    vec![
        bytes("4097 bytes", |it| [&it[..], &vec![b' '; 4097 - it.len()]].concat()),
        bytes("no client data", |_| Vec::new()),
        bytes("a zero byte at the end", |it| [it, vec![0]].concat()),
        bytes("a byte that is not UTF-8 under a junk key", |it| with_junk(&it, b"\xff")),
        bytes("an overlong letter under a junk key", |it| with_junk(&it, b"\xc1\xa1")),
        bytes("a surrogate in UTF-8 under a junk key", |it| with_junk(&it, b"\xed\xa0\x80")),
        bytes("a letter beyond Unicode under a junk key", |it| with_junk(&it, b"\xf4\x90\x80\x80")),
        bytes("UTF-16", |it| it.into_iter().flat_map(|byte| [byte, 0]).collect()),
    ]
}

fn with_junk(client_data: &[u8], junk: &[u8]) -> Vec<u8> {
    [&client_data[..client_data.len() - 1], b",\"x\":\"", junk, b"\"}"].concat()
}
