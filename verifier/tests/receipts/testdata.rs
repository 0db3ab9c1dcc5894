//! The files in testdata/: one case each, for verifiers in every language. They are made from fixed keys, so that making
//! them again gives the same bytes; `UPDATE_GOLDEN=1` writes them.

use std::fs;
use std::path::Path;

use verifier::document::Decision;
use verifier::json::{Object, Value};
use verifier::verify::{Expectation, Verdict};

use super::check_with;
use super::made::{Changes, Story};

struct Case {
    name: &'static str,
    story: Story,
    /// The expected decision; everything else is left open.
    expected: Decision,
    verdict: Verdict,
    failed_step: Option<&'static str>,
}

fn cases() -> Vec<Case> {
    let good = |name, story, expected, verdict| Case { name, story, expected, verdict, failed_step: None };
    let more_replicas = |text: String| text.replacen("\\\"replicas\\\":3", "\\\"replicas\\\":4", 1);
    let other_payload = Changes { text: more_replicas, ..Changes::default() };
    vec![
        good("approved", Story::one(), Decision::Approve, Verdict::Approved),
        good("approved-2-of-3", Story::two_of_three(), Decision::Approve, Verdict::Approved),
        good("approved-second-key", Story::second_key(), Decision::Approve, Verdict::Approved),
        good("rejected-as-expected", Story::rejected(), Decision::Reject, Verdict::Rejected),
        Case {
            name: "rejected",
            story: Story::rejected(),
            expected: Decision::Approve,
            verdict: Verdict::Rejected,
            failed_step: Some("expectation"),
        },
        Case {
            name: "payload-changed",
            story: Story::one().with(other_payload),
            expected: Decision::Approve,
            verdict: Verdict::NotVerified,
            failed_step: Some("challenge"),
        },
    ]
}

#[test]
fn every_file_is_what_its_case_makes_and_is_verified_as_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata");
    for case in cases() {
        let (receipt, trust) = (case.story.text(), Story::trust());
        let expectation = Expectation { decision: Some(case.expected), ..Expectation::default() };
        let report = check_with(&receipt, &trust, &expectation);
        assert_eq!(report.verdict, case.verdict, "{}", case.name);
        assert_eq!(report.failure().map(|(step, _)| step.id()), case.failed_step, "{}", case.name);

        let text = Value::from(Object::new([
            ("expectation", Object::new([("decision", case.expected.as_str().into())]).into()),
            ("failed_step", case.failed_step.map_or(Value::Null, Value::from)),
            ("receipt", receipt.into()),
            ("trust", trust.to_json().into()),
            ("verdict", case.verdict.as_str().into()),
        ]))
        .to_canonical()
            + "\n";
        let file = folder.join(format!("{}.json", case.name));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&file, &text).unwrap();
        }
        let found = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(found == text, "{} is out of date; UPDATE_GOLDEN=1 writes it", file.display());
    }
}
