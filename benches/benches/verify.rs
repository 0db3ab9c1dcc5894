//! The verification of a receipt beside its signature checks alone, by each signature primitive. The difference is the
//! price of parsing, hashing and proofs; `benches/languages/table.mjs` prints it as a table, with the other languages.

#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark that cannot begin must stop; criterion's macros make items"
)]

use criterion::{Criterion, criterion_group, criterion_main};
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

/// A receipt with what its signature checks need, parsed.
struct Case {
    receipt: String,
    trust: Trust,
    note: Note,
    decisions: Vec<(DecisionEntry, Vec<u8>)>,
}

fn receipts(criterion: &mut Criterion) {
    for (name, text) in CASES {
        let case = Case::parse(text);
        for (primitive_name, primitive) in PRIMITIVES {
            let mut group = criterion.benchmark_group(format!("verify-{name}-{primitive_name}"));
            group.bench_function("receipt", |bencher| {
                bencher.iter(|| assert!(case.verify(primitive), "the receipt is genuine"));
            });
            group.bench_function("signatures", |bencher| {
                bencher.iter(|| assert!(case.signatures(primitive), "the signatures are good"));
            });
            group.finish();
        }
    }
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

criterion_group!(benches, receipts);
criterion_main!(benches);
