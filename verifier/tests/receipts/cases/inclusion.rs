//! Proofs that do not lead to the checkpoint's root, and entries that are not in its log.

use merkle::{EMPTY_ROOT, LeafIndex, TreeSize, leaf_hash, node_hash};
use verifier::checkpoint::Checkpoint;
use verifier::verify::Step;

use super::{Case, none, replace};
use crate::made::{Changes, Log, Story};

pub(super) fn cases() -> Vec<Case> {
    [proofs(), entries(), heads()].into_iter().flatten().collect()
}

/// In the story of two of three, enrolments stand at 2 and 3, decisions at 6 and 7, of 10 entries.
fn receipt(name: &str, receipt: fn(verifier::receipt::Receipt) -> verifier::receipt::Receipt) -> Case {
    Case::fails(Step::Inclusion, name, &Story::two_of_three().with(Changes { receipt, ..none() }))
}

fn proofs() -> Vec<Case> {
    vec![
        receipt("another hash in a decision's proof", |mut it| (it.decisions[1].logged.hashes[0] = EMPTY_ROOT, it).1),
        receipt("another hash in an enrolment's proof", |mut it| (it.enrolments[0].hashes[2] = EMPTY_ROOT, it).1),
        receipt("a hash short", |mut it| (it.enrolments[0].hashes.pop(), it).1),
        receipt("no hashes", |mut it| (it.decisions[0].logged.hashes.clear(), it).1),
        receipt("a hash more", |mut it| (it.decisions[0].logged.hashes.push(EMPTY_ROOT), it).1),
        receipt("hashes in the other order", |mut it| (it.decisions[0].logged.hashes.reverse(), it).1),
        receipt("the first hash twice", |mut it| {
            let first = it.decisions[0].logged.hashes[0];
            it.decisions[0].logged.hashes.insert(0, first);
            it
        }),
        receipt("the proof of the other decision", |mut it| {
            let other = it.decisions[1].logged.hashes.clone();
            it.decisions[0].logged.hashes = other;
            it
        }),
        receipt("the proof of an enrolment", |mut it| {
            it.decisions[0].logged.hashes.clone_from(&it.enrolments[0].hashes);
            it
        }),
        receipt("the entry's own hash before its proof", |mut it| {
            let leaf = leaf_hash(it.decisions[0].logged.entry.as_bytes());
            it.decisions[0].logged.hashes.insert(0, leaf);
            it
        }),
        receipt("another index", |mut it| (it.decisions[1].logged.index = LeafIndex::new(8), it).1),
        receipt("the index of the sibling", |mut it| (it.enrolments[1].index = LeafIndex::new(4), it).1),
        receipt("an index outside of the tree", |mut it| (it.decisions[1].logged.index = LeafIndex::new(10), it).1),
        receipt("the index and 2 to the 32", |mut it| {
            it.decisions[1].logged.index = LeafIndex::new(7 + (1 << 32));
            it
        }),
        receipt("the largest index", |mut it| (it.decisions[1].logged.index = LeafIndex::new(1 << 53), it).1),
    ]
}

fn entries() -> Vec<Case> {
    vec![
        receipt("an enrolment that was not logged", |mut it| {
            (it.enrolments[1].entry = replace(&it.enrolments[1].entry, "2026-01-01", "2026-01-02"), it).1
        }),
        receipt("a decision that was not logged", |mut it| {
            (it.decisions[0].logged.entry = replace(&it.decisions[0].logged.entry, "12:00:40", "12:00:41"), it).1
        }),
        receipt("an enrolment of a key that may not be synced", |mut it| {
            (it.enrolments[0].entry = replace(&it.enrolments[0].entry, "true", "false"), it).1
        }),
    ]
}

fn heads() -> Vec<Case> {
    let two = |name, checkpoint| {
        Case::fails(Step::Inclusion, name, &Story::two_of_three().with(Changes { checkpoint, ..none() }))
    };
    let one =
        |name, checkpoint| Case::fails(Step::Inclusion, name, &Story::one().with(Changes { checkpoint, ..none() }));
    vec![
        two("another root", |it| Checkpoint { root: EMPTY_ROOT, ..it }),
        two("another size", |it| Checkpoint { size: TreeSize::new(8), ..it }),
        two("a size before the decision", |it| Checkpoint { size: TreeSize::new(6), ..it }),
        two("the largest size", |it| Checkpoint { size: TreeSize::new(u64::MAX), ..it }),
        one("a log of one entry", |it| Checkpoint { size: TreeSize::new(1), ..it }),
        one("a checkpoint of a fork of the log", |it| Checkpoint { root: fork(false).root, ..it }),
        one("a checkpoint of a longer fork of the log", |_| fork(true)),
        one("a root over the leaves the other way round", |it| {
            let receipt = Story::one().receipt();
            let leaf = |entry: &str| leaf_hash(entry.as_bytes());
            let root = node_hash(&leaf(&receipt.decisions[0].logged.entry), &leaf(&receipt.enrolments[0].entry));
            Checkpoint { root, ..it }
        }),
        one("a root of leaves as nodes", |it| {
            let receipt = Story::one().receipt();
            let bytes = [receipt.enrolments[0].entry.as_bytes(), receipt.decisions[0].logged.entry.as_bytes()].concat();
            Checkpoint { root: leaf_hash(&bytes), ..it }
        }),
        one("the entry's own hash as the root", |it| {
            let root = leaf_hash(Story::one().receipt().decisions[0].logged.entry.as_bytes());
            Checkpoint { root, ..it }
        }),
    ]
}

/// The log as it stands for others: the same enrolment, then a rejection.
fn fork(longer: bool) -> Checkpoint {
    let mut log = Log::default();
    let _ = Story::rejected().write(&mut log);
    if longer {
        log.append(b"later".to_vec());
    }
    log.checkpoint(crate::made::LOG)
}
