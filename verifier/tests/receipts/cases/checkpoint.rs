//! Checkpoints that the trust file does not cover, or that are not in the one form.

use verifier::checkpoint::Checkpoint;
use verifier::encoding::{base64, from_base64};
use verifier::verify::Step;

use super::{Case, changed, edited, none, replace};
use crate::made::{Changes, LOG, Stage, Story, log};

pub(super) fn cases() -> Vec<Case> {
    [keys(), texts(), notes(), signatures()].into_iter().flatten().collect()
}

fn fails(name: &str, changes: Changes) -> Case {
    Case::fails(Step::Checkpoint, name, &changed(changes))
}

fn keys() -> Vec<Case> {
    let other_log = |checkpoint| Checkpoint { log_origin: "other.example.com/log".into(), ..checkpoint };
    let capitals = |checkpoint| Checkpoint { log_origin: "Approvals.example.com/log".into(), ..checkpoint };
    let trusting = |name, key: verifier::note::SignerKey| {
        let logs = [key.verifier_key().to_string().into()].into_iter().collect();
        Case::fails(Step::Checkpoint, name, &Story::one()).trusting([("logs", logs)])
    };
    vec![
        fails("another key of the log's name", Changes { log_seed: 0x11, ..none() }),
        fails("an unknown log", Changes { checkpoint: other_log, ..none() }),
        fails("the log's name with a capital", Changes { checkpoint: capitals, ..none() }),
        trusting("trusted: another key of the log's name", log::log_key(LOG, 0x71)),
        trusting(
            "trusted: the same key under another name",
            log::log_key("other.example.com/log", crate::made::LOG_SEED),
        ),
    ]
}

fn texts() -> Vec<Case> {
    let text = |name, checkpoint_text| fails(name, Changes { checkpoint_text, ..none() });
    let mut cases = edited(
        Step::Checkpoint,
        Stage::Checkpoint,
        &[
            ("a size with a zero before it", "\n2\n", "\n02\n"),
            ("a size with a plus", "\n2\n", "\n+2\n"),
            ("a size with a space", "\n2\n", "\n 2\n"),
            ("a size with an exponent", "\n2\n", "\n2e0\n"),
            ("a negative size", "\n2\n", "\n-2\n"),
            ("no size", "\n2\n", "\n\n"),
            ("a size of no entries", "\n2\n", "\n0\n"),
            ("a size of 2 to the 64 and 2", "\n2\n", "\n18446744073709551618\n"),
            ("a root hash without padding", "=\n", "\n"),
            ("a root hash with padding twice", "=\n", "==\n"),
            ("a root hash that is empty", "\n2\n", "\n2\n\n"),
            ("an extension line", "=\n", "=\nextension\n"),
            ("an empty line in the text", "=\n", "=\n\n"),
            ("a space after the log's name", "/log\n", "/log \n"),
            ("a carriage return", "\n2\n", "\r\n2\n"),
        ],
    );
    cases.extend([
        text("a root hash in the alphabet of base64url", |text| {
            let start = text.len() - 45;
            format!("{}-_{}", &text[..start], &text[start + 2..])
        }),
        text("a root hash with spare bits", |text| {
            let at = text.len() - 3;
            format!("{}{}=\n", &text[..at], char::from(text.as_bytes()[at] + 1))
        }),
        text("a root hash of 31 bytes", |text| {
            let (head, root) = text.trim_end().rsplit_once('\n').unwrap();
            format!("{head}\n{}\n", base64(&from_base64(root).unwrap()[..31]))
        }),
    ]);
    cases
}

fn notes() -> Vec<Case> {
    let note = |name, note| fails(name, Changes { note, ..none() });
    vec![
        note("no note", |_| String::new()),
        note("no signature", |note| note[..=note.find("\n\n").unwrap()].to_owned()),
        note("no signature after the empty line", |note| note[..note.find("\n\n").unwrap() + 2].to_owned()),
        note("no empty line", |note| replace(&note, "\n\n", "\n")),
        note("no newline at the end", |note| note.trim_end().to_owned()),
        note("an empty line at the end", |note| note + "\n"),
        note("carriage returns", |note| note.replace('\n', "\r\n")),
        note("a hyphen for the dash", |note| replace(&note, "— ", "- ")),
        note("a short dash", |note| replace(&note, "— ", "– ")),
        note("two spaces after the name", |note| replace(&note, "/log ", "/log  ")),
        note("a control character", |note| note + "— a\u{1} AAAAAAA=\n"),
        note("a line that is no signature", |note| note + "hello\n"),
        note("a line whose signature is not base64", |note| note + "— u c29tZSBieXRlcw\n"),
        note("a line of a key id alone", |note| note + "— u AAAAAA==\n"),
        note("a line of a name with a plus", |note| note + "— u+1 c29tZSBieXRlcw==\n"),
        note("65 lines", |note| note + &"— u c29tZSBieXRlcw==\n".repeat(64)),
    ]
}

fn signatures() -> Vec<Case> {
    let note = |name, note| fails(name, Changes { note, ..none() });
    vec![
        note("a signature of nobody known", |note| replace(&note, "— approvals", "— other")),
        note("another text under the signature", |note| replace(&note, "\n2\n", "\n3\n")),
        note("another log under the signature", |note| {
            replace(&note, "approvals.example.com/log\n2", "approvals.example.com/log2\n2")
        }),
        note("a second signature that fails", |note| {
            let line = note.rsplit_once("\n\n").unwrap().1.to_owned();
            note + &with_signature(&line, |it| it[20] ^= 1)
        }),
        note("one bit off", |note| with_signature(&note, |it| it[4] ^= 1)),
        note("another key id", |note| with_signature(&note, |it| it[0] ^= 1)),
        note("a signature of 63 bytes", |note| with_signature(&note, |it| _ = it.pop())),
        note("a signature of 65 bytes", |note| with_signature(&note, |it| it.push(0))),
        note("s and the order of the group", |note| with_signature(&note, |it| add_the_order(&mut it[36..]))),
        note("a signature of zeros", |note| with_signature(&note, |it| it[4..].fill(0))),
        note("a signature over the hash of the text", |note| {
            use sha2::Digest as _;
            let (text, _) = note.split_once("\n\n").unwrap();
            let hash = base64(&sha2::Sha256::digest(format!("{text}\n")));
            let other = log::log_key(LOG, crate::made::LOG_SEED).sign(&format!("{hash}\n"));
            format!("{text}\n\n{}", other.split_once("\n\n").unwrap().1)
        }),
    ]
}

/// The note with the bytes of its last line changed: key id and signature.
fn with_signature(note: &str, change: impl Fn(&mut Vec<u8>)) -> String {
    let (head, line) = note.trim_end().rsplit_once(' ').unwrap();
    let mut bytes = from_base64(line).unwrap();
    change(&mut bytes);
    format!("{head} {}\n", base64(&bytes))
}

/// s + L is another form of the same number, which RFC 8032 §5.1.7 refuses.
fn add_the_order(s: &mut [u8]) {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (byte, order) in s.iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
}
