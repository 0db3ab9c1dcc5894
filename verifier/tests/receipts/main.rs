//! Black-box tests of the offline verification (docs/protocol.md), one idea a file: every receipt of
//! the list in cases.rs, what genuine receipts prove, changed bytes, parts of several receipts, trust files, what the
//! caller expects.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../made/mod.rs"]
mod made;

mod arbitrary_bytes;
mod cases;
mod changed_bytes;
mod every_case;
mod expectations;
mod explained;
mod genuine;
mod mixed_parts;
mod testdata;
mod trust_files;

use made::Story;
use verifier::trust::Trust;
use verifier::verify::{Expectation, Outcome, Report, Step, Verdict, verify};
use verifier::webauthn::PureRust;

/// Verifies under the usual trust file and the default expectation.
fn check(receipt: &str) -> Report {
    check_with(receipt, &Story::trust(), &Expectation::default())
}

fn check_with(receipt: &str, trust: &Trust, expectation: &Expectation) -> Report {
    verify(receipt.as_bytes(), trust, expectation, &PureRust)
}

fn assert_all_passed(name: &str, report: &Report) {
    assert_eq!(report.failure(), None, "{name}");
    let steps: Vec<Step> = report.steps.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, Step::ALL, "{name}");
    assert!(report.steps.iter().all(|(_, outcome)| matches!(outcome, Outcome::Passed(_))), "{name}: {report:?}");
    assert!(report.as_expected && report.facts.is_some() && report.verdict != Verdict::NotVerified, "{name}");
}

/// The steps before passed, the steps after were not reached, and nothing is verified.
fn assert_first_failure(name: &str, report: &Report, expected: Step) {
    let failure = report.failure().unwrap_or_else(|| panic!("{name}: every step passed"));
    assert_eq!(failure.0, expected, "{name}: {}", failure.1);
    assert!(!failure.1.is_empty(), "{name}: no reason");
    let mut after = false;
    for (step, outcome) in &report.steps {
        match outcome {
            Outcome::Passed(_) => assert!(!after, "{name}: {step:?} passed after a failure"),
            Outcome::Failed(_) => after = true,
            Outcome::NotReached => assert!(after, "{name}: {step:?} was left out"),
        }
    }
    assert_eq!(report.verdict, Verdict::NotVerified, "{name}");
    assert!(!report.as_expected, "{name}");
    assert_eq!(report.facts.is_some(), expected == Step::Expectation, "{name}: facts only from verified steps");
}
