//! What the trust file pins decides: logs, site, people, revoked keys.

use verifier::trust::Trust;
use verifier::verify::{Expectation, Report, Step};

use super::made::{ALEX, ALEX_NEW, KIM, Key, LOG, Log, SAM, Story, log, name};
use super::{assert_all_passed, assert_first_failure, check_with};

fn check(story: &Story, change: impl Fn(&mut Trust)) -> Report {
    let mut trust = Story::trust();
    change(&mut trust);
    check_with(&story.text(), &trust, &Expectation::default())
}

fn pinned(people: &[(&str, &[Key])]) -> impl Fn(&mut Trust) {
    let keys = |keys: &[Key]| keys.iter().map(|key| key.credential()).collect::<Vec<_>>();
    let approvers = people.iter().map(|(approver, of)| (name(approver), keys(of))).collect();
    move |trust| trust.approvers = Some(Clone::clone(&approvers))
}

#[test]
fn people_that_are_not_listed_fail() {
    let both = Story::two_of_three();
    assert_all_passed("both listed", &check(&both, pinned(&[("alex", &[ALEX]), ("sam", &[SAM])])));
    for (name, people) in [
        ("nobody", &[][..]),
        ("one of them", &[("alex", &[ALEX][..])]),
        ("another key", &[("alex", &[ALEX]), ("sam", &[KIM])]),
        ("no key", &[("alex", &[ALEX]), ("sam", &[])]),
        ("keys swapped", &[("alex", &[SAM]), ("sam", &[ALEX])]),
    ] {
        assert_first_failure(name, &check(&both, pinned(people)), Step::Enrolment);
    }
}

/// The pins are about who decided; the key that once allowed a pinned key may be gone.
#[test]
fn an_authorising_key_need_not_be_listed() {
    let story = Story::second_key();
    assert_all_passed("the new key", &check(&story, pinned(&[("alex", &[ALEX_NEW])])));
    assert_first_failure("the old key", &check(&story, pinned(&[("alex", &[ALEX])])), Step::Enrolment);
}

#[test]
fn a_key_is_believed_up_to_its_revocation() {
    // Alex decided at index 1.
    let revoked = |key: Key, from| check(&Story::one(), move |trust| _ = trust.revoked.insert(key.credential(), from));
    assert_all_passed("revoked after", &revoked(ALEX, 2));
    assert_all_passed("another key", &revoked(SAM, 0));
    for from in [1, 0] {
        assert_first_failure("revoked at or before", &revoked(ALEX, from), Step::Enrolment);
    }
}

#[test]
fn any_pinned_log_and_web_origin_will_do() {
    let other = || log::log_key("other.example.com/log", 0x70).verifier_key();
    assert_all_passed("a log more", &check(&Story::one(), |trust| trust.logs.insert(0, other())));
    // A log that changes its key has two keys under one name.
    let old = || log::log_key(LOG, 0x71).verifier_key();
    assert_all_passed("a key more", &check(&Story::one(), |trust| trust.logs.insert(0, old())));
    let origins =
        |trust: &mut Trust| trust.relying_party.web_origins.insert(0, "https://a.approvals.example.com".into());
    assert_all_passed("a web origin more", &check(&Story::one(), origins));
}

#[test]
fn another_log_or_site_fails_at_its_step() {
    type Case = (Step, fn(&mut Trust));
    let cases: [Case; 4] = [
        (Step::Checkpoint, |trust| trust.logs = vec![log::log_key("other.example.com/log", 0x10).verifier_key()]),
        (Step::Checkpoint, |trust| trust.logs = vec![log::log_key(LOG, 0x71).verifier_key()]),
        (Step::ClientData, |trust| trust.relying_party.web_origins = vec!["https://example.com".into()]),
        (Step::AuthenticatorData, |trust| trust.relying_party.rp_id = "example.com".into()),
    ];
    for (step, change) in cases {
        assert_first_failure(step.id(), &check(&Story::one(), change), step);
    }
}

/// The index that counts is the decision's, not the checkpoint's: a later checkpoint does not bring a revocation nearer.
#[test]
fn a_receipt_can_be_made_again_under_a_later_checkpoint() {
    let story = Story::one();
    let mut log = Log::default();
    let written = story.write(&mut log);
    for _ in 0..300 {
        log.append(b"later".to_vec());
    }
    let mut trust = Story::trust();
    trust.revoked.insert(ALEX.credential(), 2);
    let text = story.receipt_from(&log, &written).to_canonical();
    assert_all_passed("a later checkpoint", &check_with(&text, &trust, &Expectation::default()));
}
