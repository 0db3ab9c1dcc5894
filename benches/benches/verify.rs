//! The verification of a receipt, beside its two signature checks alone.

#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark that cannot begin must stop; criterion's macros make items"
)]

use criterion::{Criterion, criterion_group, criterion_main};
use verifier::checkpoint::Checkpoint;
use verifier::entry::Entry;
use verifier::json::{Limits, Numbers, Value, parse};
use verifier::receipt::Receipt;
use verifier::trust::Trust;
use verifier::verify::{Expectation, verify};
use verifier::webauthn::{PublicKey, PureRust, verify_signature};

const CASE: &str = include_str!("../../testdata/receipts/genuine/approved.json");

fn text(case: &Value, field: &str) -> String {
    case.as_object().and_then(|case| case.get(field)).and_then(Value::as_str).expect("a text").to_owned()
}

fn receipts(criterion: &mut Criterion) {
    let limits = Limits { max_bytes: 1 << 20, max_depth: 8, numbers: Numbers::Exact };
    let case = parse(CASE.as_bytes(), limits).expect("a case");
    let receipt = text(&case, "receipt");
    let trust = Trust::parse(text(&case, "trust").as_bytes()).expect("a trust file");
    let expectation = Expectation::default();
    let parsed = Receipt::parse(receipt.as_bytes()).expect("a receipt");
    let Ok(Entry::Decision(decision)) = Entry::parse(parsed.decisions[0].logged.entry.as_bytes()) else {
        panic!("a decision")
    };
    let Ok(Entry::Credential(enrolment)) = Entry::parse(parsed.enrolments[0].entry.as_bytes()) else {
        panic!("an enrolment")
    };

    let mut group = criterion.benchmark_group("receipt");
    group.bench_function("whole", |bencher| {
        bencher.iter(|| {
            let report = verify(receipt.as_bytes(), &trust, &expectation, &PureRust);
            assert!(report.as_expected);
        });
    });
    group.bench_function("signatures alone", |bencher| {
        bencher.iter(|| {
            let key = PublicKey::from_spki_der(&enrolment.public_key).expect("a key");
            let signed = &decision.assertion;
            let (data, client) = (&signed.authenticator_data, &signed.client_data_json);
            assert!(verify_signature(&key, data, client, &signed.signature, &PureRust).is_ok());
            assert!(Checkpoint::open(parsed.checkpoint.as_bytes(), &trust.logs[0]).is_ok());
        });
    });
    group.finish();
}

criterion_group!(benches, receipts);
criterion_main!(benches);
