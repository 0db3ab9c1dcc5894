//! Every rule broken alone, and found at the right entry; and logs that break none.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on stops")]
#![allow(clippy::needless_pass_by_value, clippy::useless_vec, reason = "a log is a list, and is read once")]

use std::collections::BTreeMap;

use merkle::TreeSize;
use verifier::entry::{Authorisation, CredentialEntry, DecisionEntry, EntryError, RevocationEntry};
use verifier::names::Username;
use verifier::trust::Trust;
use verifier::webauthn::{Assertion, AssertionError, PureRust, SignaturePrimitive};

use super::finding::Key;
use super::made::{LOG, Logged as _, Passkey, consumed, time, trust};
use super::{Authoriser, Event, Fact, FactError, Finding, Pins, Rule, State, Subject, prepare};

const ALEX: Passkey = Passkey("alex", 0x21);
const ALEX_NEW: Passkey = Passkey("alex", 0x24);
const SAM: Passkey = Passkey("sam", 0x22);

macro_rules! log {
    ($($entry:expr),* $(,)?) => { Vec::from([$($entry.logged()),*]) };
}

/// What comes out of a log that is read entry by entry.
#[derive(Default)]
struct Read {
    findings: Vec<Finding>,
    events: Vec<Event>,
    facts: Vec<u8>,
}

fn read_on(state: &mut State, entries: &[Vec<u8>]) -> Read {
    let mut read = Read::default();
    for bytes in entries {
        let applied = state.apply(prepare(bytes));
        assert_eq!(applied.leaf_hash, merkle::leaf_hash(bytes));
        read.findings.extend(applied.findings);
        read.events.extend(applied.event);
        if let Some(job) = applied.signature {
            read.findings.extend(job.check(state.pins(), &PureRust).err());
        }
        applied.fact.inspect(|fact| fact.encode(&mut read.facts));
    }
    read
}

fn read_with(trust: &Trust, entries: &[Vec<u8>]) -> Read {
    read_on(&mut State::new(Pins::new(trust, LOG)), entries)
}

fn read(entries: &[Vec<u8>]) -> Read {
    read_with(&trust(), entries)
}

/// The one finding of a log, and where it is.
#[track_caller]
fn found(entries: &[Vec<u8>]) -> (u64, Rule) {
    one(&read(entries))
}

#[track_caller]
fn one(read: &Read) -> (u64, Rule) {
    let [finding] = &read.findings[..] else { panic!("not one finding: {:?}", read.findings) };
    (finding.index.get(), finding.rule.clone())
}

fn subject(key: Passkey) -> Subject {
    Subject { label: key.label(), credential: key.credential() }
}

/// A log in which everything happens that may.
fn story() -> Vec<Vec<u8>> {
    log![
        "a raw entry of another service",
        ALEX.enrolled(1),
        SAM.enrolled(1),
        ALEX.approved(1, 2),
        SAM.approved(1, 2),
        consumed(1, 3),
        ALEX.approved(2, 4),
        SAM.rejected(2, 4),
        ALEX_NEW.enrolled_by(ALEX, 5),
        ALEX.revoked(6),
        ALEX_NEW.approved(3, 7),
        "",
        "countersig",
        consumed(3, 8),
    ]
}

#[test]
fn a_log_in_order_breaks_no_rule_and_tells_what_happened() {
    let Read { findings, events, .. } = read(&story());
    assert_eq!(findings, []);
    let indexes: Vec<u64> = events.iter().map(|event| event.index().get()).collect();
    assert_eq!(indexes, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13]);
    assert_eq!(events[4].subjects(), [subject(ALEX), subject(SAM)]);
    assert_eq!(events[10].subjects(), [subject(ALEX_NEW)]);
    let Event::Enrolled { authorised, earlier_keys, at, subject: whose, .. } = &events[7] else { panic!("{events:?}") };
    assert_eq!((*authorised, *earlier_keys, *at), (Authoriser::Credential(ALEX.credential()), 1, time(5)));
    assert_eq!(*whose, subject(ALEX_NEW));
    assert!(!events.iter().any(Event::is_alarm));
}

#[test]
fn a_further_key_that_no_earlier_one_authorised_is_an_alarm() {
    let Read { findings, events, .. } = read(&log![ALEX.enrolled(1), SAM.enrolled(2), ALEX_NEW.enrolled(3)]);
    assert_eq!(findings, []);
    assert_eq!(events.iter().map(Event::is_alarm).collect::<Vec<_>>(), [false, false, true]);
}

#[test]
fn entries_that_claim_to_be_ours_must_be() {
    for (bytes, why) in [
        ("countersign/", EntryError::UnknownType),
        ("countersign/decision/v2\n{}", EntryError::UnknownType),
        ("countersign/decision/v1\r\n{}", EntryError::UnknownType),
    ] {
        assert_eq!(found(&log!["raw", bytes]), (1, Rule::Malformed(why)));
    }
    for bytes in ["countersign/decision/v1\n{}", "countersign/consumption/v1\n{", "countersign/revocation/v1\n{} "] {
        let (index, rule) = found(&log!["raw", bytes]);
        assert!(index == 1 && matches!(rule, Rule::Malformed(_)), "{bytes}: {rule}");
    }
}

#[test]
fn times_never_go_back() {
    let back = |given| Rule::TimeGoesBack { given: time(given), earlier: time(5) };
    assert_eq!(found(&log![ALEX.enrolled(5), SAM.enrolled(4)]), (1, back(4)));
    assert_eq!(found(&log![ALEX.enrolled(5), "raw", ALEX.approved(1, 3)]), (2, back(3)));
    assert_eq!(found(&log![ALEX.enrolled(5), ALEX.revoked(0)]), (1, back(0)));
    assert_eq!(found(&log![ALEX.enrolled(1), ALEX.approved(1, 5), consumed(1, 4)]), (2, back(4)));
}

#[test]
fn an_enrolled_key_is_acceptable_and_what_its_entry_says() {
    let mut bad_point = ALEX.enrolled(1);
    bad_point.public_key[90] ^= 1;
    let (index, rule) = found(&log!["raw", bad_point]);
    assert!(index == 1 && matches!(rule, Rule::UnacceptableKey(_)), "{rule}");
    let wrong_alg = CredentialEntry { alg: "RS256".into(), ..ALEX.enrolled(1) };
    assert_eq!(found(&log![wrong_alg]), (0, Rule::Algorithm { given: "RS256".into(), actual: "ES256" }));
    let elsewhere = CredentialEntry { rp_id: "example.org".into(), ..ALEX.enrolled(1) };
    let (index, rule) = found(&log!["raw", "raw", elsewhere]);
    assert!(index == 2 && matches!(rule, Rule::RelyingParty { .. }), "{rule}");
}

#[test]
fn no_key_is_enrolled_twice_under_any_name() {
    let again = |approver: Passkey| CredentialEntry {
        approver: approver.label(),
        authorised_by: Authorisation::Invite([0x77; 32]),
        ..ALEX.enrolled(2)
    };
    let rule = || Rule::EnrolledBefore { credential: Key(ALEX.credential()), earlier: index(1) };
    assert_eq!(found(&log!["raw", ALEX.enrolled(1), again(ALEX)]), (2, rule()));
    assert_eq!(found(&log!["raw", ALEX.enrolled(1), again(SAM)]), (2, rule()));
    // Revoked is not forgotten.
    assert_eq!(found(&log!["raw", ALEX.enrolled(1), ALEX.revoked(2), again(ALEX)]), (3, rule()));
}

#[test]
fn an_invite_serves_once() {
    let same = CredentialEntry { authorised_by: ALEX.enrolled(1).authorised_by, ..SAM.enrolled(1) };
    assert_eq!(found(&log!["raw", ALEX.enrolled(1), same]), (2, Rule::InviteUsed { earlier: index(1) }));
}

#[test]
fn an_authorising_key_is_earlier_active_and_of_the_same_approver() {
    let new = || ALEX_NEW.enrolled_by(ALEX, 3);
    let alex = Key(ALEX.credential());
    assert_eq!(found(&log!["raw", new()]), (1, Rule::AuthoriserNotEnrolled(alex)));
    let itself = ALEX.enrolled_by(ALEX, 3);
    assert_eq!(found(&log![itself]), (0, Rule::AuthoriserNotEnrolled(alex)));
    let revoked = Rule::AuthoriserRevoked { credential: alex, revoked: index(1) };
    assert_eq!(found(&log![ALEX.enrolled(1), ALEX.revoked(2), new()]), (2, revoked));
    let other = Rule::AuthoriserOfAnother(Key(SAM.credential()));
    assert_eq!(found(&log![SAM.enrolled(1), ALEX_NEW.enrolled_by(SAM, 3)]), (1, other));
}

#[test]
fn an_authorising_key_signed_this_enrolment() {
    let with = |change: fn(&mut Assertion)| {
        let mut entry = ALEX_NEW.enrolled_by(ALEX, 3);
        let Authorisation::Credential { assertion, .. } = &mut entry.authorised_by else { panic!("by a key") };
        change(assertion);
        found(&log![ALEX.enrolled(1), entry])
    };
    let (index, rule) = with(|assertion| *assertion = SAM.assert(&[7; 64]));
    assert!(index == 1 && matches!(rule, Rule::Authorisation(AssertionError::Challenge(_))), "{rule}");
    let (index, rule) = with(|assertion| assertion.authenticator_data[36] ^= 1);
    assert!(index == 1 && matches!(rule, Rule::Authorisation(AssertionError::Signature(_))), "{rule}");
    assert_eq!(with(|assertion| *assertion = ALEX.assert(&[7; 32])), (1, Rule::ChallengeLength(32)));
    let (index, rule) = with(|assertion| assertion.client_data_json.clear());
    assert!(index == 1 && matches!(rule, Rule::AuthorisationClientData(_)), "{rule}");
    // The signature of a decision allows no key.
    let (index, rule) = with(|assertion| *assertion = ALEX.approved(1, 1).assertion);
    assert!(index == 1 && matches!(rule, Rule::Authorisation(AssertionError::Challenge(_))), "{rule}");
}

#[test]
fn a_revocation_is_of_an_active_key_of_that_label() {
    let alex = Key(ALEX.credential());
    assert_eq!(found(&log![SAM.enrolled(1), ALEX.revoked(2)]), (1, Rule::RevokesNotEnrolled(alex)));
    let twice = Rule::RevokedBefore { credential: alex, earlier: index(1) };
    assert_eq!(found(&log![ALEX.enrolled(1), ALEX.revoked(2), ALEX.revoked(2)]), (2, twice));
    let of_another = RevocationEntry { approver: SAM.label(), ..ALEX.revoked(2) };
    assert_eq!(found(&log![ALEX.enrolled(1), of_another]), (1, Rule::RevokesOfAnother(alex)));
}

#[test]
fn a_decision_is_by_an_active_key_of_that_label() {
    let alex = Key(ALEX.credential());
    assert_eq!(found(&log![ALEX.approved(1, 1)]), (0, Rule::NotEnrolled(alex)));
    assert_eq!(found(&log![ALEX.approved(1, 1), ALEX.enrolled(2)]), (0, Rule::NotEnrolled(alex)));
    let revoked = Rule::Revoked { credential: alex, revoked: index(1) };
    assert_eq!(found(&log![ALEX.enrolled(1), ALEX.revoked(2), ALEX.approved(1, 3)]), (2, revoked));
    let of_another = DecisionEntry { approver: SAM.label(), ..ALEX.approved(1, 2) };
    assert_eq!(found(&log![ALEX.enrolled(1), SAM.enrolled(1), of_another]), (2, Rule::KeyOfAnother(alex)));
}

#[test]
fn a_decision_is_signed_by_its_key_for_this_site() {
    let with = |change: fn(&mut Assertion)| {
        let mut entry = ALEX.approved(1, 2);
        change(&mut entry.assertion);
        found(&log![ALEX.enrolled(1), "raw", entry])
    };
    let (index, rule) = with(|assertion| assertion.authenticator_data[36] ^= 1);
    assert!(index == 2 && matches!(rule, Rule::Assertion(AssertionError::Signature(_))), "{rule}");
    let (index, rule) = with(|assertion| assertion.authenticator_data[0] ^= 1);
    assert!(index == 2 && matches!(rule, Rule::Assertion(AssertionError::AuthenticatorData(_))), "{rule}");
    let (index, rule) = with(|assertion| assertion.signature = SAM.approved(1, 2).assertion.signature);
    assert!(index == 2 && matches!(rule, Rule::Assertion(AssertionError::Signature(_))), "{rule}");
    let (index, rule) = with(|assertion| {
        let text = String::from_utf8(assertion.client_data_json.clone()).unwrap();
        *assertion = ALEX.assert_over(text.replace("approvals.example", "approvals.evil").into_bytes());
    });
    assert!(index == 2 && matches!(rule, Rule::Assertion(AssertionError::ClientData(_))), "{rule}");
    assert_eq!(with(|assertion| *assertion = ALEX.assert(&[7; 32])), (2, Rule::ChallengeLength(32)));
    let (index, rule) = with(|assertion| assertion.client_data_json.push(b'}'));
    assert!(index == 2 && matches!(rule, Rule::ClientData(_)), "{rule}");
}

#[test]
fn a_confirmation_is_decided_once_by_each_and_not_after_its_end() {
    let people = || log![ALEX.enrolled(1), SAM.enrolled(1), ALEX_NEW.enrolled_by(ALEX, 1)];
    let with = |entries: Vec<Vec<u8>>| found(&[people(), entries].concat());
    assert_eq!(with(log![ALEX.approved(1, 2), ALEX.approved(1, 2)]), (4, Rule::DecidedBefore));
    assert_eq!(with(log![ALEX.approved(1, 2), ALEX.rejected(1, 2)]), (4, Rule::DecidedBefore));
    // Another key of the same person is the same person; so is one who decided second.
    assert_eq!(with(log![ALEX.approved(1, 2), ALEX_NEW.approved(1, 2)]), (4, Rule::DecidedBefore));
    assert_eq!(with(log![SAM.approved(1, 2), ALEX.approved(1, 2), ALEX_NEW.approved(1, 2)]), (5, Rule::DecidedBefore));
    assert_eq!(with(log![SAM.rejected(1, 2), ALEX.approved(1, 2)]), (4, Rule::DecidedAfterRejection));
    let late = log![SAM.approved(1, 2), consumed(1, 3), ALEX.approved(1, 3)];
    assert_eq!(with(late), (5, Rule::DecidedAfterConsumption));
}

#[test]
fn no_more_people_decide_than_can_be_asked() {
    const NAMES: &str = "abcdefghijklmnopqrstuvwxyz0123456";
    let people: Vec<Passkey> = (0..33).map(|n| Passkey(&NAMES[n..=n], u8::try_from(n).unwrap() + 1)).collect();
    let enrolled = people.iter().map(|person| person.enrolled(1).logged());
    let decided = people.iter().map(|person| person.approved(1, 2).logged());
    let entries: Vec<_> = enrolled.chain(decided).chain([people[32].approved(1, 3).logged()]).collect();
    assert_eq!(read(&entries[..65]).findings, []);
    let findings = read(&entries).findings;
    assert_eq!(findings.iter().map(|found| found.index.get()).collect::<Vec<_>>(), [65, 66]);
    assert_eq!(findings[0].rule, Rule::TooManyDeciders);
}

#[test]
fn an_approval_is_used_once() {
    let with = |entries: Vec<Vec<u8>>| found(&[log![ALEX.enrolled(1), SAM.enrolled(1)], entries].concat());
    assert_eq!(with(log![consumed(1, 2)]), (2, Rule::NotApproved));
    assert_eq!(with(log![ALEX.approved(2, 2), consumed(1, 2)]), (3, Rule::NotApproved));
    assert_eq!(with(log![ALEX.rejected(1, 2), consumed(1, 2)]), (3, Rule::Rejected));
    assert_eq!(with(log![ALEX.approved(1, 2), SAM.rejected(1, 2), consumed(1, 2)]), (4, Rule::Rejected));
    assert_eq!(with(log![ALEX.approved(1, 2), consumed(1, 2), consumed(1, 3)]), (4, Rule::ConsumedBefore));
}

#[test]
fn pinned_people_are_complete_and_pinned_revocations_count() {
    let log = log![ALEX.enrolled(1), SAM.enrolled(1), ALEX.approved(1, 2), ALEX_NEW.enrolled_by(ALEX, 3)];
    let pin = |key: Passkey| BTreeMap::from([(Username::new("alex").unwrap(), vec![key.credential()])]);
    let pinned = |key| Trust { approvers: Some(pin(key)), ..trust() };
    assert_eq!(read_with(&pinned(ALEX), &log).findings, []);
    let alex = Key(ALEX.credential());
    assert_eq!(one(&read_with(&pinned(SAM), &log)), (2, Rule::NotPinned(alex)));

    let revoked = |from| Trust { revoked: BTreeMap::from([(ALEX.credential(), from)]), ..trust() };
    assert_eq!(read_with(&revoked(4), &log).findings, []);
    let rule = |from| Rule::RevokedByTrust { credential: alex, from };
    assert_eq!(one(&read_with(&revoked(3), &log)), (3, rule(3)));
    let both: Vec<_> = read_with(&revoked(2), &log).findings.iter().map(|finding| finding.index.get()).collect();
    assert_eq!(both, [2, 3]);
}

#[test]
fn a_wrong_entry_is_not_found_again_in_those_after_it() {
    let mut forged = ALEX.approved(1, 2);
    forged.assertion.signature = SAM.approved(1, 2).assertion.signature;
    let (index, _) = found(&log![ALEX.enrolled(1), forged, consumed(1, 3)]);
    assert_eq!(index, 1);
    let elsewhere = CredentialEntry { rp_id: "example.org".into(), ..ALEX.enrolled(1) };
    let (index, _) = found(&log![elsewhere, ALEX.approved(1, 2), ALEX.revoked(3)]);
    assert_eq!(index, 0);
}

#[test]
fn a_state_restored_from_its_facts_goes_on_as_the_first_one() {
    let story = story();
    for cut in 0..=story.len() {
        let mut first = State::new(Pins::new(&trust(), LOG));
        let kept = read_on(&mut first, &story[..cut]).facts;
        let size = TreeSize::new(cut as u64);
        let mut restored = State::restore(Pins::new(&trust(), LOG), size, Fact::decode_all(&kept)).unwrap();
        assert_eq!(restored.size(), size);
        // What comes next, and everything once more, which breaks rules of all kinds.
        let next = [&story[cut..], &story[..]].concat();
        let (expected, got) = (read_on(&mut first, &next), read_on(&mut restored, &next));
        assert_eq!(got.findings, expected.findings, "cut at {cut}");
        assert!(got.findings.len() > 8, "cut at {cut}");
        assert_eq!((got.events, got.facts), (expected.events, expected.facts), "cut at {cut}");
    }
}

#[test]
fn facts_out_of_order_are_refused() {
    let facts = read(&log!["raw", ALEX.enrolled(1)]).facts;
    let restore = |size, facts: &[u8]| {
        State::restore(Pins::new(&trust(), LOG), TreeSize::new(size), Fact::decode_all(facts)).map(|_| ())
    };
    assert_eq!(restore(2, &facts), Ok(()));
    assert_eq!(restore(1, &facts), Err(FactError::Order { index: index(1) }));
    assert_eq!(restore(2, &facts.repeat(2)), Err(FactError::Order { index: index(1) }));
    assert_eq!(restore(2, &facts[..facts.len() - 1]), Err(FactError::Truncated));
}

#[test]
fn no_changed_byte_of_a_log_panics() {
    /// A primitive that believes everything, so that the rest is reached.
    struct Credulous;
    impl SignaturePrimitive for Credulous {
        fn verify(&self, _: &verifier::webauthn::PublicKey, _: &[u8], _: &[u8]) -> bool {
            true
        }
    }
    let story = story();
    for (n, entry) in story.iter().enumerate() {
        for at in 0..entry.len() {
            let mut changed = story.clone();
            changed[n][at] ^= 1;
            let mut state = State::new(Pins::new(&trust(), LOG));
            for bytes in &changed {
                let applied = state.apply(prepare(bytes));
                let _ = applied.signature.map(|job| job.check(state.pins(), &Credulous));
            }
        }
    }
}

#[test]
fn words_name_the_entry_and_the_values() {
    let read = read(&log!["raw", consumed(1, 1)]);
    assert_eq!(
        read.findings[0].to_string(),
        "entry 1: uses an approval, and no earlier entry approves that confirmation"
    );
    let read = self::read(&log![ALEX.enrolled(5), SAM.enrolled(4)]);
    assert_eq!(
        read.findings[0].to_string(),
        "entry 1: is of 2027-01-15T08:00:04Z, and an earlier entry is of 2027-01-15T08:00:05Z"
    );
}

fn index(n: u64) -> merkle::LeafIndex {
    merkle::LeafIndex::new(n)
}
