//! The verification of a receipt beside its signature checks alone, by each signature primitive. The difference is the
//! price of parsing, hashing and proofs. One line for each: case, primitive, and the two medians in µs;
//! `benches/languages/table.mjs` prints them as a table, with the other languages.
//!
//! The two kinds of work take turns and every single one is timed, so that a busy machine disturbs both alike, and a
//! median of short times hardly at all: only the ratio is of interest.

#![allow(clippy::expect_used, reason = "a benchmark that cannot begin must stop")]

use std::time::{Duration, Instant};

use verifier::entry::{DecisionEntry, Entry};
use verifier::json::{Limits, Numbers, Value, parse};
use verifier::note::Note;
use verifier::receipt::Receipt;
use verifier::trust::Trust;
use verifier::verify::{Expectation, verify};
use verifier::webauthn::{AwsLc, PublicKey, PureRust, SignaturePrimitive, verify_signature};

/// Receipts without an authorised enrolment: each has one signature for each decision and the checkpoint's.
const CASES: [(&str, &str); 3] = [
    ("es256", include_str!("../../testdata/receipts/genuine/approved.json")),
    ("rs256", include_str!("../../testdata/receipts/genuine/rs256-of-2048-bits.json")),
    ("three-es256", include_str!("../../testdata/receipts/genuine/approved-3-of-3-where-2-are-needed.json")),
];

const PRIMITIVES: [(&str, &dyn SignaturePrimitive); 2] = [("rust", &PureRust), ("aws-lc", &AwsLc)];

const WARM_UP: usize = 200;
const ROUNDS: usize = 3000;

/// A receipt with what its signature checks need, parsed.
struct Case {
    receipt: String,
    trust: Trust,
    note: Note,
    decisions: Vec<(DecisionEntry, Vec<u8>)>,
}

fn main() {
    for (name, text) in CASES {
        let case = Case::parse(text);
        for (primitive_name, primitive) in PRIMITIVES {
            let receipt = || assert!(case.verify(primitive), "the receipt is genuine");
            let signatures = || assert!(case.signatures(primitive), "the signatures are good");
            let [receipt, signatures] = medians([&receipt, &signatures]);
            println!("{name} {primitive_name} {receipt:.1} {signatures:.1}");
        }
    }
}

/// What each of two kinds of work takes, in µs.
fn medians(work: [&dyn Fn(); 2]) -> [f64; 2] {
    let mut taken = [Vec::new(), Vec::new()];
    for round in 0..WARM_UP + ROUNDS {
        for (work, taken) in work.iter().zip(&mut taken) {
            let start = Instant::now();
            work();
            let time = start.elapsed();
            if round >= WARM_UP {
                taken.push(time);
            }
        }
    }
    taken.map(|mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e6
    })
}

impl Case {
    fn parse(text: &str) -> Self {
        let limits = Limits { max_bytes: 1 << 20, max_depth: 8, numbers: Numbers::Exact };
        let case = parse(text.as_bytes(), limits).expect("a case");
        let field = |name| case.as_object().and_then(|case| case.get(name)).and_then(Value::as_str).expect("a text");
        let receipt = Receipt::parse(field("receipt").as_bytes()).expect("a receipt");
        let enrolments: Vec<_> = receipt
            .enrolments
            .iter()
            .map(|part| match Entry::parse(part.entry.as_bytes()) {
                Ok(Entry::Credential(entry)) => entry,
                other => panic!("{other:?} is not an enrolment"),
            })
            .collect();
        let decisions = receipt.decisions.iter().map(|part| match Entry::parse(part.logged.entry.as_bytes()) {
            Ok(Entry::Decision(entry)) => {
                let enrolment = enrolments.iter().find(|enrolment| enrolment.approver == entry.approver);
                let key = enrolment.expect("an enrolment").public_key.clone();
                (entry, key)
            }
            other => panic!("{other:?} is not a decision"),
        });
        Self {
            receipt: field("receipt").to_owned(),
            trust: Trust::parse(field("trust").as_bytes()).expect("a trust file"),
            note: Note::parse(receipt.checkpoint.as_bytes()).expect("a note"),
            decisions: decisions.collect(),
        }
    }

    fn verify(&self, primitive: &dyn SignaturePrimitive) -> bool {
        verify(self.receipt.as_bytes(), &self.trust, &Expectation::default(), primitive).as_expected
    }

    /// What no verifier can do without: each key is parsed, each signature checked.
    fn signatures(&self, primitive: &dyn SignaturePrimitive) -> bool {
        let decisions = self.decisions.iter().all(|(entry, key)| {
            let signed = &entry.assertion;
            let (data, client_data) = (&signed.authenticator_data, &signed.client_data_json);
            PublicKey::from_spki_der(key)
                .is_ok_and(|key| verify_signature(&key, data, client_data, &signed.signature, primitive).is_ok())
        });
        decisions && self.note.verify(&self.trust.logs[0]).is_ok()
    }
}
