//! Bytes from outside never panic, whatever they are, and prove nothing.

use proptest::collection::vec;
use proptest::prelude::*;
use verifier::trust::Trust;
use verifier::verify::{Expectation, Outcome, Report, Step, Verdict, explain, verify};
use verifier::webauthn::PureRust;

use super::made::{Changes, Story};

fn verdict(bytes: &[u8]) -> Verdict {
    let (trust, expectation) = (Story::trust(), Expectation::default());
    let report = verify(bytes, &trust, &expectation, &PureRust);
    // The values of every step, as if it had been reached.
    let steps = Step::ALL.map(|step| (step, Outcome::Passed(String::new()))).to_vec();
    assert_eq!(explain(bytes, &trust, &expectation, &Report { steps, ..report.clone() }).len(), 12);
    report.verdict
}

/// Pieces of JSON, of notes and of entries, so that a random text gets beyond the first byte.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\\u",
        "d83d",
        "0",
        "-",
        "1e400",
        "null",
        "\n",
        "\n\n",
        "— ",
        "=",
        "\"checkpoint\":",
        "\"decisions\":",
        "\"document\":",
        "\"entry\":",
        "\"hashes\":",
        "\"index\":",
        "\"enrolments\":",
        "\"type\":",
        "\"countersign/receipt/v1\"",
        "countersign/decision/v1",
        "approvals.example.com/log",
        "\u{202e}",
        "é",
    ]);
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..2000)) {
        prop_assert_eq!(verdict(&bytes), Verdict::NotVerified);
        prop_assert!(Trust::parse(&bytes).is_err());
    }

    #[test]
    fn random_pieces(text in pieces()) {
        prop_assert_eq!(verdict(text.as_bytes()), Verdict::NotVerified);
        prop_assert!(Trust::parse(text.as_bytes()).is_err());
    }

    /// A receipt's frame around random parts.
    #[test]
    fn random_parts(note in pieces(), document in pieces(), entry in pieces(), index in 0u64..1 << 53) {
        let mut receipt = Story::one().receipt();
        receipt.enrolments[0].entry.clone_from(&entry);
        prop_assert_eq!(verdict(receipt.to_canonical().as_bytes()), Verdict::NotVerified);
        receipt.decisions[0].logged.index = merkle::LeafIndex::new(index);
        receipt.decisions[0].logged.entry = entry;
        prop_assert_eq!(verdict(receipt.to_canonical().as_bytes()), Verdict::NotVerified);
        receipt.decisions[0].document = document;
        prop_assert_eq!(verdict(receipt.to_canonical().as_bytes()), Verdict::NotVerified);
        receipt.checkpoint = note;
        prop_assert_eq!(verdict(receipt.to_canonical().as_bytes()), Verdict::NotVerified);
    }

    /// A genuine receipt with a range of its bytes replaced.
    #[test]
    fn a_spliced_receipt(at in any::<prop::sample::Index>(), cut in 0usize..40, put in vec(any::<u8>(), 0..40)) {
        let text = Story::two_of_three().text().into_bytes();
        let start = at.index(text.len());
        let end = (start + cut).min(text.len());
        let spliced = [&text[..start], &put, &text[end..]].concat();
        if spliced != text {
            prop_assert_eq!(verdict(&spliced), Verdict::NotVerified);
        }
    }

    /// What an authenticator and a browser sent, random but signed and logged as it is.
    #[test]
    fn random_ceremonies(n in 0usize..4, bytes in vec(any::<u8>(), 0..200)) {
        let mut receipt = Story::one().receipt();
        let entry = verifier::entry::Entry::parse(receipt.decisions[0].logged.entry.as_bytes()).unwrap();
        let verifier::entry::Entry::Decision(mut entry) = entry else { panic!("the entry of a decision") };
        match n {
            0 => entry.assertion.authenticator_data = bytes,
            1 => entry.assertion.client_data_json = bytes,
            2 => entry.assertion.signature = bytes,
            _ => entry.assertion.authenticator_data.extend(bytes),
        }
        let changed = String::from_utf8(verifier::entry::Entry::Decision(entry).to_bytes()).unwrap();
        if changed != receipt.decisions[0].logged.entry {
            receipt.decisions[0].logged.entry = changed;
            prop_assert_eq!(verdict(receipt.to_canonical().as_bytes()), Verdict::NotVerified);
        }
    }
}

/// The deepest nesting and the largest sizes that are refused must not take the stack or the memory with them.
#[test]
fn deep_and_large_texts() {
    for text in ["[".repeat(1 << 20), "{\"a\":".repeat(1 << 18), "\"".to_owned() + &"\\u0000".repeat(1 << 18)] {
        assert_eq!(verdict(text.as_bytes()), Verdict::NotVerified);
        assert!(Trust::parse(text.as_bytes()).is_err());
    }
    let document = |document: fn(String) -> String| Story::one().with(Changes { document, ..Changes::default() });
    assert_eq!(verdict(document(|_| "[".repeat(1 << 20)).text().as_bytes()), Verdict::NotVerified);
    assert_eq!(verdict(document(|_| "9".repeat(1 << 20)).text().as_bytes()), Verdict::NotVerified);
}
