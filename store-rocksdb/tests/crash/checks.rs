//! What must be true of a server that came up: it agrees with everything that anybody was ever told of it.

use log_server::anchor;
use log_server::app::App;
use merkle::{LeafIndex, TreeSize, verify_consistency, verify_inclusion};

use crate::server::Place;
use crate::told::{Checked, Told};

/// How many of the last answers and checkpoints are also proven, each with a proof of its own.
const PROVEN: usize = 50;

/// Compares a server that has just come up with what was told, before anybody else asks it.
pub(crate) fn compare(app: &App, told: &Told) -> Checked {
    let head = app.log.published().head;
    let entries: Vec<Vec<u8>> =
        app.log.entries(0..head.size.get()).unwrap().into_iter().map(|entry| entry.bytes).collect();
    told.compare(&entries, head.root)
}

/// What the counts of a comparison do not say: the log is anchored, not smaller, and proves what it told.
pub(crate) fn check(place: &Place, app: &App, told: &Told) {
    let head = app.log.published().head;
    assert!(head.size.get() >= told.largest(), "{} entries were signed, {} are there", told.largest(), head.size);
    check_anchor(place, head.size);
    check_proofs(app, told);
}

/// What is published is anchored, and nothing else.
pub(crate) fn check_anchor(place: &Place, published: TreeSize) {
    let anchor = anchor::read(&place.anchor()).unwrap().unwrap();
    assert_eq!(anchor.head.size, published);
}

/// The proofs that the log gives for what it told last.
fn check_proofs(app: &App, told: &Told) {
    let head = app.log.published().head;
    for (index, entry) in told.answered.iter().rev().take(PROVEN) {
        let (index, leaf) = (LeafIndex::new(*index), merkle::leaf_hash(entry));
        let (stored, proof) = app.log.inclusion(index, head.size).unwrap();
        assert_eq!(stored, leaf);
        verify_inclusion(&leaf, index, head.size, &proof, &head.root).unwrap();
        assert_eq!(app.log.find(&leaf).unwrap(), Some(index));
    }
    for (size, (checkpoint, _)) in told.checkpoints.iter().rev().take(PROVEN) {
        let proof = app.log.consistency(*size, head.size).unwrap();
        verify_consistency(*size, head.size, &checkpoint.root, &head.root, &proof).unwrap();
    }
}
