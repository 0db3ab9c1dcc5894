//! Logs of many more entries than a test can write: the proofs are made from two leaves and made-up subtrees. Indexes
//! of more than 32 bits show where a language's integers end.

use merkle::{Hash, LeafIndex, TreeSize, leaf_hash, root_from_inclusion};
use verifier::checkpoint::Checkpoint;
use verifier::receipt::Receipt;
use verifier::verify::Step;

use super::{Bytes, Case};
use crate::made::{LOG, LOG_SEED, Log, Story, log};

pub(super) fn cases() -> Vec<Case> {
    let genuine =
        |name, first, size, hashes| Case::of("genuine", name, Bytes::Text(receipt(first, size, hashes).to_canonical()));
    let bad = |name, change: fn(&mut Receipt)| {
        let mut receipt = receipt(0x2_5555_5554, 1 << 34, 34);
        change(&mut receipt);
        Case::refused(Step::Inclusion, name, Bytes::Text(receipt.to_canonical()))
    };
    vec![
        genuine("a log of 2 to the 34 entries", 0x2_5555_5554, 1 << 34, 34),
        genuine("the last two of 2 to the 33 and 2 entries", 1 << 33, (1 << 33) + 2, 2),
        genuine("a log of 2 to the 53 entries", (1 << 53) - 2, 1 << 53, 53),
        genuine("a log of 2 to the 62 entries", (1 << 53) - 2, 1 << 62, 62),
        genuine("the first two of 2 to the 31 and 1 entries", 0, (1 << 31) + 1, 32),
        bad("an index of 34 bits without its highest", |it| it.enrolments[0].index = LeafIndex::new(0x5555_5554)),
        bad("an index of 34 bits with another one", |it| it.decisions[0].logged.index = LeafIndex::new(0x3_5555_5555)),
    ]
}

/// The enrolment stands at this even index, the decision beside it.
fn receipt(first: u64, size: u64, hashes: u8) -> Receipt {
    let story = Story::one();
    let mut log = Log::default();
    let written = story.write(&mut log);
    let mut receipt = story.receipt_from(&log, &written);
    let (enrolment, decision) = (leaf_hash(&log.0[0]), leaf_hash(&log.0[1]));
    let above = |sibling: Hash| -> Vec<Hash> {
        [sibling].into_iter().chain((1..hashes).map(|level| Hash::from_bytes([level; 32]))).collect()
    };
    receipt.enrolments[0].hashes = above(decision);
    receipt.enrolments[0].index = LeafIndex::new(first);
    receipt.decisions[0].logged.hashes = above(enrolment);
    receipt.decisions[0].logged.index = LeafIndex::new(first + 1);
    let size = TreeSize::new(size);
    let root = root_from_inclusion(&enrolment, LeafIndex::new(first), size, &above(decision)).unwrap();
    let checkpoint = Checkpoint { log_origin: LOG.to_owned(), size, root };
    receipt.checkpoint = checkpoint.sign(&log::log_key(LOG, LOG_SEED));
    receipt
}
