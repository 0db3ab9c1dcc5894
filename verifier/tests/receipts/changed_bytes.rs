//! Changing any bit of a receipt makes it fail, except in signature lines of keys that the trust file does not know.

use std::ops::Range;

use verifier::verify::{Expectation, Verdict, verify};
use verifier::webauthn::PureRust;

use super::made::{Changes, Story};
use super::{assert_all_passed, check};

/// Which bits are changed in each byte: single ones, and those that move a letter to its neighbour, its other case or out
/// of ASCII.
const XORS: [u8; 6] = [0x01, 0x02, 0x03, 0x10, 0x20, 0x80];

fn verdict(bytes: &[u8]) -> Verdict {
    verify(bytes, &Story::trust(), &Expectation::default(), &PureRust).verdict
}

/// The places where some change of one byte leaves the receipt verified.
fn tolerated(text: &str) -> Vec<usize> {
    let mut bytes = text.as_bytes().to_vec();
    let mut places = Vec::new();
    for at in 0..bytes.len() {
        for xor in XORS {
            bytes[at] ^= xor;
            if verdict(&bytes) != Verdict::NotVerified {
                places.push(at);
            }
            bytes[at] ^= xor;
        }
    }
    assert_eq!(bytes, text.as_bytes(), "every change was taken back");
    places
}

#[test]
fn no_byte_of_a_receipt_can_be_changed() {
    let text = Story::one().text();
    assert_all_passed("unchanged", &check(&text));
    assert_eq!(tolerated(&text), []);
}

#[test]
fn no_byte_of_a_rejection_with_an_authorised_key_can_be_changed() {
    let mut story = Story::second_key();
    story.votes[0].decision = verifier::document::Decision::Reject;
    let text = story.text();
    assert_eq!(check(&text).verdict, Verdict::Rejected);
    assert_eq!(tolerated(&text), []);
}

#[test]
fn only_lines_of_unknown_keys_can_be_changed() {
    const UNKNOWN: &str = "— unknown.example/w c29tZSBieXRlcw==";
    let note = |note: String| note + UNKNOWN + "\n";
    let text = Story::one().with(Changes { note, ..Changes::default() }).text();
    assert_all_passed("with an unknown line", &check(&text));
    let start = text.find(UNKNOWN).unwrap();
    let line: Range<usize> = start..start + UNKNOWN.len();
    let places = tolerated(&text);
    assert!(!places.is_empty(), "the name and the bytes of an unknown key are nobody's business");
    assert!(places.iter().all(|place| line.contains(place)), "{places:?} not all within {line:?}");
}

#[test]
fn no_receipt_can_be_cut_or_extended() {
    let text = Story::two_of_three().text();
    for end in 0..text.len() {
        assert_eq!(verdict(&text.as_bytes()[..end]), Verdict::NotVerified, "cut at {end}");
    }
    for start in 1..text.len() {
        assert_eq!(verdict(&text.as_bytes()[start..]), Verdict::NotVerified, "cut before {start}");
    }
    for extension in [" ", "\n\n", "\r\n", "\0", "{}", &text] {
        assert_eq!(check(&format!("{text}{extension}")).verdict, Verdict::NotVerified, "{extension:?}");
    }
}

#[test]
fn no_byte_can_be_taken_out_or_doubled() {
    let text = Story::one().text().into_bytes();
    for at in 0..text.len() {
        let without = [&text[..at], &text[at + 1..]].concat();
        assert_eq!(verdict(&without), Verdict::NotVerified, "without byte {at}");
        let doubled = [&text[..=at], &text[at..]].concat();
        assert_eq!(verdict(&doubled), Verdict::NotVerified, "byte {at} twice");
    }
}
