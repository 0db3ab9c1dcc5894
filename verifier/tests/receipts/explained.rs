//! The values behind the steps, of every receipt in the list: none for steps that were not reached, and where two values
//! have to be equal for a step to pass, they are.

use std::collections::BTreeSet;

use verifier::trust::Trust;
use verifier::verify::{Line, Outcome, Step, explain, verify};
use verifier::webauthn::PureRust;

use super::cases;
use super::every_case::expectation;

#[test]
fn only_what_was_reached_is_explained() {
    for case in cases::all() {
        let (bytes, trust) = (case.bytes(), Trust::parse(case.trust.as_bytes()).unwrap());
        let expectation = expectation(&case.expectation);
        let report = verify(&bytes, &trust, &expectation, &PureRust);
        let reached = report.steps.iter().filter(|(_, outcome)| *outcome != Outcome::NotReached).map(|(step, _)| *step);
        let explained = explain(&bytes, &trust, &expectation, &report);
        let words = format!("{}/{}", case.folder, case.name);
        assert!(explained.iter().map(|(step, _)| *step).eq(reached), "{words}");
        for (step, lines) in &explained {
            assert!(!lines.is_empty(), "{words}: nothing of the step {}", step.id());
            let names: BTreeSet<_> = lines.iter().map(|line| (&line.part, &line.name)).collect();
            let repeated = lines.len() - names.len();
            let nodes = lines.iter().filter(|line| line.name == "node above").count();
            assert!(repeated <= nodes, "{words}: two values of one name in the step {}", step.id());
        }
        if case.failed_step.is_none() {
            assert_agreement(&words, &explained);
        }
    }
}

/// The values say themselves that a genuine receipt is one.
fn assert_agreement(words: &str, explained: &[(Step, Vec<Line>)]) {
    let all = |step: Step, name: &str| -> Vec<&str> {
        let lines = explained.iter().filter(|(of, _)| *of == step).flat_map(|(_, lines)| lines);
        lines.filter(|line| line.name == name).map(|line| line.value.as_str()).collect()
    };
    let [root] = all(Step::Checkpoint, "root hash")[..] else { panic!("{words}: no root") };
    assert_eq!(all(Step::Inclusion, "expected root"), [root], "{words}");
    assert!(all(Step::Inclusion, "computed root").iter().all(|computed| *computed == root), "{words}");
    assert_eq!(all(Step::Document, "label"), all(Step::Entry, "label"), "{words}");
    let enrolled = all(Step::Enrolment, "credential");
    assert!(all(Step::Entry, "credential").iter().all(|credential| enrolled.contains(credential)), "{words}");
    let challenges = all(Step::Challenge, "nonce").into_iter().zip(all(Step::Document, "document hash"));
    let challenges: Vec<_> = challenges.map(|(nonce, hash)| format!("{nonce}{hash}")).collect();
    assert_eq!(all(Step::Challenge, "challenge as signed"), challenges, "{words}");
    let [rp_id_hash] = all(Step::AuthenticatorData, "its hash")[..] else { panic!("{words}: no rp_id") };
    assert!(all(Step::AuthenticatorData, "rpIdHash").iter().all(|hash| *hash == rp_id_hash), "{words}");
    let cores: BTreeSet<_> = all(Step::Quorum, "core hash").into_iter().collect();
    assert_eq!(cores.len(), 1, "{words}");
}
