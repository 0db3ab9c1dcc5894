//! What the trust file pins about people and their keys.

use verifier::encoding::base64url;
use verifier::json::{Object, Value};
use verifier::verify::Step;

use super::Case;
use super::genuine::later;
use crate::made::{ALEX, ALEX_NEW, KIM, Key, SAM, Story};

pub(super) fn cases() -> Vec<Case> {
    [people(), revoked()].into_iter().flatten().collect()
}

fn pinned(people: &[(&str, &[Key])]) -> [(&'static str, Value); 1] {
    let keys = |keys: &[Key]| keys.iter().map(|key| base64url(&key.credential()).into()).collect();
    [("approvers", Object::new(people.iter().map(|(name, of)| (*name, keys(of)))).into())]
}

fn people() -> Vec<Case> {
    let good = |name, story: &Story, people: &[(&str, &[Key])]| Case::genuine(name, story).trusting(pinned(people));
    let bad = |name, story: &Story, people: &[(&str, &[Key])]| {
        Case::fails(Step::Enrolment, name, story).trusting(pinned(people))
    };
    let (two, second) = (Story::two_of_three(), Story::second_key());
    vec![
        good("pinned: both people", &two, &[("alex", &[ALEX]), ("sam", &[SAM])]),
        good(
            "pinned: both among others and their keys",
            &two,
            &[("alex", &[KIM, ALEX]), ("kim", &[KIM]), ("sam", &[SAM, ALEX])],
        ),
        good("pinned: the new key, its authorising key is gone", &second, &[("alex", &[ALEX_NEW])]),
        bad("pinned: nobody", &two, &[]),
        bad("pinned: one of them", &two, &[("alex", &[ALEX])]),
        bad("pinned: another key", &two, &[("alex", &[ALEX]), ("sam", &[KIM])]),
        bad("pinned: no key", &two, &[("alex", &[ALEX]), ("sam", &[])]),
        bad("pinned: keys swapped", &two, &[("alex", &[SAM]), ("sam", &[ALEX])]),
        bad("pinned: the old key that allowed the new one", &second, &[("alex", &[ALEX])]),
    ]
}

/// Alex enrols at index 0 and decides at index 1; with a second key, that is enrolled at 1 and decides at 2.
fn revoked() -> Vec<Case> {
    let from = |key: Key, index: u32| [("revoked", Object::new([(base64url(&key.credential()), index.into())]).into())];
    let bad = |name, story: &Story, revoked| Case::fails(Step::Enrolment, name, story).trusting(revoked);
    let (one, second) = (Story::one(), Story::second_key());
    vec![
        Case::genuine("revoked: after the decision", &one).trusting(from(ALEX, 2)),
        // The index that counts is the decision's: a later checkpoint does not bring a revocation nearer.
        Case::genuine("revoked: after the decision, under a later checkpoint", &later()).trusting(from(ALEX, 2)),
        Case::genuine("revoked: another key", &one).trusting(from(SAM, 0)),
        Case::genuine("revoked: the authorising key, after it allowed", &second).trusting(from(ALEX, 2)),
        bad("revoked: at the decision", &one, from(ALEX, 1)),
        bad("revoked: before the decision", &one, from(ALEX, 0)),
        bad("revoked: one of two people", &Story::two_of_three(), from(SAM, 6)),
        bad("revoked: the authorising key, when it allowed", &second, from(ALEX, 1)),
        bad("revoked: the authorising key, before it allowed", &second, from(ALEX, 0)),
        bad("revoked: the new key", &second, from(ALEX_NEW, 2)),
    ]
}
