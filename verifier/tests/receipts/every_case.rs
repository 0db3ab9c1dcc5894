//! Every case has its verdict: in the genuine ones all steps pass, and in each other one the named step is the first to
//! fail.

use verifier::json::{Object, Value};
use verifier::time::Timestamp;
use verifier::trust::Trust;
use verifier::verify::{Approvers, Expectation, Report, Step, verify};
#[cfg(feature = "aws-lc")]
use verifier::webauthn::AwsLc;
use verifier::webauthn::{PureRust, SignaturePrimitive};

use super::cases::{self, Case};
use super::made::name;
use super::{assert_all_passed, assert_first_failure};

#[test]
fn every_case_has_its_verdict() {
    let mut wrong = Vec::new();
    for case in cases::all() {
        let report = report(case, &PureRust);
        let failed = report.failure().map(|(step, _)| step);
        if (report.verdict, failed) != (case.verdict, case.failed_step) {
            wrong.push(format!("{}/{}: {} {:?}", case.folder, case.name, report.verdict.as_str(), report.failure()));
            continue;
        }
        let words = format!("{}/{}", case.folder, case.name);
        match case.failed_step {
            None => assert_all_passed(&words, &report),
            // A genuine decision of the other kind stays what it is.
            Some(Step::Expectation) => assert!(!report.as_expected && report.facts.is_some(), "{words}"),
            Some(step) => assert_first_failure(&words, &report, step),
        }
    }
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// The whole report, so also each reason. The test is there with the feature `aws-lc`, which the whole workspace turns on.
#[cfg(feature = "aws-lc")]
#[test]
fn every_case_has_the_same_report_by_aws_lc() {
    for case in cases::all() {
        assert_eq!(report(case, &AwsLc), report(case, &PureRust), "{}/{}", case.folder, case.name);
    }
}

#[test]
fn every_step_fails_in_many_cases() {
    let all = cases::all();
    for step in Step::ALL {
        let count = all.iter().filter(|case| case.failed_step == Some(step)).count();
        assert!(count >= 10, "{} fails in {count} cases", step.id());
    }
    let genuine = all.iter().filter(|case| case.failed_step.is_none()).count();
    assert!(genuine * 2 < all.len(), "{genuine} of {} are genuine: most should be refused", all.len());
}

fn report(case: &Case, primitive: &dyn SignaturePrimitive) -> Report {
    let trust = Trust::parse(case.trust.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    verify(&case.bytes(), &trust, &expectation(&case.expectation), primitive)
}

/// What the caller expects, from the form that it has in the files.
pub(super) fn expectation(members: &Object) -> Expectation {
    let mut expectation = Expectation::default();
    let now = || -> Timestamp { members.get("now").and_then(Value::as_str).unwrap().parse().unwrap() };
    for (field, value) in members.iter() {
        let text = || value.as_str().unwrap().to_owned();
        match field {
            "action" => expectation.action = Some(text()),
            "approvers" => expectation.approvers = Some(approvers(members)),
            "core" => expectation.core = Some(text()),
            "decision" => expectation.decision = Some(text().parse().unwrap()),
            "id" => expectation.id = Some(text()),
            "max_age" => expectation.max_age = Some((now(), value.as_u64().unwrap())),
            "payload" => expectation.payload = Some(value.as_object().unwrap().clone()),
            "requester" => expectation.requester = Some(text()),
            "usable" => expectation.usable_at = value.as_bool().unwrap().then(now),
            "now" | "quorum" => {}
            _ => panic!("the expectation {field} is not in testdata/README.md"),
        }
    }
    expectation
}

fn approvers(members: &Object) -> Approvers {
    let names = members.get("approvers").and_then(Value::as_array).unwrap();
    let quorum = members.get("quorum").and_then(Value::as_u64).unwrap();
    Approvers {
        names: names.iter().map(|text| name(text.as_str().unwrap())).collect(),
        quorum: u32::try_from(quorum).unwrap(),
    }
}
