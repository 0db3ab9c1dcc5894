//! What a hostile operator, who has the log's key, makes of a genuine receipt, and of a use that was not.

use api::{ConsistencyProof, Consumed, InclusionProof};
use merkle::{Hash, LeafIndex, TreeSize, leaf_hash, prove_consistency, prove_inclusion, root};
use verifier::checkpoint::Checkpoint;
use verifier::encoding::{base64, base64url};
use verifier::entry::{ConsumptionEntry, DecisionEntry, Entry};
use verifier::note::SignerKey;
use verifier::receipt::{LoggedEntry, Receipt};

/// The receipt with its decisions changed, in a log of its own: its enrolments, its decisions, and so many other entries
/// after them. All hashes, proofs and the checkpoint's signature are right.
pub(crate) fn in_own_log(
    receipt: &str,
    key: &SignerKey,
    others: usize,
    change: impl Fn(DecisionEntry) -> DecisionEntry,
) -> String {
    let mut receipt = Receipt::parse(receipt.as_bytes()).unwrap();
    for part in &mut receipt.decisions {
        part.logged.entry = changed(&part.logged.entry, &change);
    }
    let enrolments = receipt.enrolments.iter_mut();
    let mut parts: Vec<&mut LoggedEntry> =
        enrolments.chain(receipt.decisions.iter_mut().map(|part| &mut part.logged)).collect();
    let mut leaves: Vec<Hash> = parts.iter().map(|part| leaf_hash(part.entry.as_bytes())).collect();
    leaves.extend((0..others).map(|n| leaf_hash(&n.to_be_bytes())));
    let size = TreeSize::new(leaves.len() as u64);
    for (index, part) in (0..).map(LeafIndex::new).zip(&mut parts) {
        part.index = index;
        part.hashes = prove_inclusion(index, size, leaves.as_slice()).unwrap();
    }
    let head = Checkpoint { log_origin: key.verifier_key().name().to_owned(), size, root: root(&leaves) };
    receipt.checkpoint = head.sign(key);
    receipt.to_canonical()
}

/// The receipt with one bit of each signature changed, and nothing else.
pub(crate) fn with_flipped_signatures(receipt: &str) -> String {
    let mut receipt = Receipt::parse(receipt.as_bytes()).unwrap();
    for part in &mut receipt.decisions {
        part.logged.entry = changed(&part.logged.entry, |mut decision| {
            *decision.assertion.signature.last_mut().unwrap() ^= 1;
            decision
        });
    }
    receipt.to_canonical()
}

/// The receipt with its first decision alone, and the enrolment of the key that made it.
pub(crate) fn with_one_decision(receipt: &str) -> String {
    let mut receipt = Receipt::parse(receipt.as_bytes()).unwrap();
    receipt.decisions.truncate(1);
    let Ok(Entry::Decision(kept)) = Entry::parse(receipt.decisions[0].logged.entry.as_bytes()) else {
        panic!("a decision's entry is another one")
    };
    receipt.enrolments.retain(|part| match Entry::parse(part.entry.as_bytes()) {
        Ok(Entry::Credential(enrolled)) => enrolled.approver == kept.approver,
        _ => false,
    });
    receipt.to_canonical()
}

/// A log with a use as its last entry. Its hashes, proofs and signatures are right.
pub(crate) struct MadeUpLog(Vec<Hash>);

impl MadeUpLog {
    pub(crate) fn ending_with(mut leaves: Vec<Hash>, entry: &ConsumptionEntry) -> Self {
        leaves.push(leaf_hash(&Entry::Consumption(entry.clone()).to_bytes()));
        Self(leaves)
    }

    pub(crate) fn size(&self) -> TreeSize {
        TreeSize::new(self.0.len() as u64)
    }

    /// The answer to the use.
    pub(crate) fn consumed(&self, entry: &ConsumptionEntry, key: &SignerKey) -> Consumed {
        let index = LeafIndex::new(self.size().get() - 1);
        let hashes = prove_inclusion(index, self.size(), self.0.as_slice()).unwrap();
        let log_origin = key.verifier_key().name().to_owned();
        let head = Checkpoint { log_origin, size: self.size(), root: root(&self.0) };
        let proof = InclusionProof {
            hashes: hashes.iter().map(|hash| base64url(hash.as_bytes())).collect(),
            size: self.size().get(),
            checkpoint: head.sign(key),
        };
        Consumed { consumed_at: entry.consumed_at.to_string(), log_index: index.get(), proof }
    }

    /// That it only grew since it had so many entries.
    pub(crate) fn consistency(&self, from: u64) -> ConsistencyProof {
        let hashes = prove_consistency(TreeSize::new(from), self.size(), self.0.as_slice()).unwrap();
        let hashes = hashes.iter().map(|hash| base64(hash.as_bytes())).collect();
        ConsistencyProof { from, to: self.size().get(), hashes }
    }
}

/// More entries than any log of the tests has, and none of theirs.
pub(crate) fn other_leaves() -> Vec<Hash> {
    (0..10_000_u32).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

fn changed(entry: &str, change: impl Fn(DecisionEntry) -> DecisionEntry) -> String {
    let Entry::Decision(decision) = Entry::parse(entry.as_bytes()).unwrap() else {
        panic!("a decision's entry is another one")
    };
    String::from_utf8(Entry::Decision(change(decision)).to_bytes()).unwrap()
}
