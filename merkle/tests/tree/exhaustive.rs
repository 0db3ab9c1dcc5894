//! Every tree up to 130 leaves, with every leaf and every pair of sizes, and their proofs spoiled: every hash, every length.

use merkle::{
    CompactRange, Hash, LeafIndex, ProofError, TreeSize, prove_consistency, prove_inclusion, root, root_at,
    root_from_inclusion, verify_consistency, verify_inclusion,
};

use crate::reference::{self, leaves, mth};

/// Past 128, so that trees of every shape with up to seven full rows are there.
const ALL: usize = 130;

fn index(n: usize) -> LeafIndex {
    LeafIndex::new(n as u64)
}

fn size(n: usize) -> TreeSize {
    TreeSize::new(n as u64)
}

/// The roots of the trees of 0 to `ALL` leaves.
fn roots(leaves: &[Hash]) -> Vec<Hash> {
    (0..=leaves.len()).map(|n| mth(&leaves[..n])).collect()
}

#[test]
fn every_root() {
    let leaves = leaves(ALL);
    let mut range = CompactRange::new();
    for (n, expected) in roots(&leaves).into_iter().enumerate() {
        assert_eq!(range.size(), size(n));
        assert_eq!(range.root(), expected, "compact range of {n}");
        assert_eq!(root(&leaves[..n]), expected, "batch root of {n}");
        assert_eq!(root_at(size(n), leaves.as_slice()), Ok(expected), "root at {n}");
        range.extend(leaves.get(n).copied());
    }
}

/// From every size to every other, one by one and as a batch.
#[test]
fn every_batch_with_its_nodes() {
    let leaves = leaves(ALL);
    for from in 0..=ALL {
        let before: CompactRange = leaves[..from].iter().copied().collect();
        let (mut one_by_one, mut reported) = (before.clone(), Vec::new());
        for to in from..=ALL {
            let (mut batch, mut of_batch) = (before.clone(), Vec::new());
            batch.append_batch_with(&leaves[from..to], |node, hash| of_batch.push((node, hash)));
            assert_eq!(batch, one_by_one, "{from} to {to}");
            let mut expected = reported.clone();
            expected.sort();
            assert_eq!(of_batch, expected, "{from} to {to}");
            if let Some(leaf) = leaves.get(to) {
                one_by_one.append_with(*leaf, |node, hash| reported.push((node, hash)));
            }
        }
    }
}

#[test]
fn every_inclusion_proof() {
    let leaves = leaves(ALL);
    let roots = roots(&leaves);
    for n in 1..=ALL {
        for m in 0..n {
            let proof = prove_inclusion(index(m), size(n), leaves.as_slice()).unwrap();
            assert_eq!(proof, reference::path(m, &leaves[..n]), "leaf {m} of {n}");
            assert_eq!(root_from_inclusion(&leaves[m], index(m), size(n), &proof), Ok(roots[n]));
            assert_eq!(verify_inclusion(&leaves[m], index(m), size(n), &proof, &roots[n]), Ok(()));
        }
    }
}

#[test]
fn every_consistency_proof() {
    let leaves = leaves(ALL);
    let roots = roots(&leaves);
    for n in 0..=ALL {
        for m in 0..=n {
            let proof = prove_consistency(size(m), size(n), leaves.as_slice()).unwrap();
            let expected = if m == 0 || m == n { Vec::new() } else { reference::proof(m, &leaves[..n]) };
            assert_eq!(proof, expected, "{m} to {n}");
            assert_eq!(verify_consistency(size(m), size(n), &roots[m], &roots[n], &proof), Ok(()), "{m} to {n}");
        }
    }
}

#[test]
fn no_spoiled_inclusion_proof_passes() {
    let leaves = leaves(ALL);
    for n in 1..=ALL {
        let root = mth(&leaves[..n]);
        for m in 0..n {
            let proof = prove_inclusion(index(m), size(n), leaves.as_slice()).unwrap();
            let verify = |m: usize, leaf: &Hash, proof: &[Hash], root: &Hash| {
                verify_inclusion(leaf, index(m), size(n), proof, root).unwrap_err()
            };
            for spoiled in with_one_bit_flipped(&proof) {
                assert!(is_wrong_root(verify(m, &leaves[m], &spoiled, &root)), "leaf {m} of {n}");
            }
            for spoiled in of_another_length(&proof) {
                assert!(is_wrong_length(verify(m, &leaves[m], &spoiled, &root)), "leaf {m} of {n}");
            }
            assert!(is_wrong_root(verify(m, &flipped(leaves[m], m), &proof, &root)));
            assert!(is_wrong_root(verify(m, &leaves[m], &proof, &flipped(root, n))));
            for other in (0..n).filter(|&other| other != m) {
                verify(other, &leaves[m], &proof, &root);
            }
        }
    }
}

#[test]
fn no_spoiled_consistency_proof_passes() {
    let leaves = leaves(ALL);
    let roots = roots(&leaves);
    for n in 0..=ALL {
        for m in 0..=n {
            let proof = prove_consistency(size(m), size(n), leaves.as_slice()).unwrap();
            let verify = |old: &Hash, new: &Hash, proof: &[Hash]| {
                verify_consistency(size(m), size(n), old, new, proof).unwrap_err()
            };
            for spoiled in with_one_bit_flipped(&proof) {
                assert!(is_wrong_root(verify(&roots[m], &roots[n], &spoiled)), "{m} to {n}");
            }
            for spoiled in of_another_length(&proof) {
                assert!(is_wrong_length(verify(&roots[m], &roots[n], &spoiled)), "{m} to {n}");
            }
            assert!(is_wrong_root(verify(&flipped(roots[m], m), &roots[n], &proof)), "{m} to {n}");
            // Every tree extends the empty one, so only there a new root cannot be wrong.
            if m > 0 || n == 0 {
                assert!(is_wrong_root(verify(&roots[m], &flipped(roots[n], n), &proof)), "{m} to {n}");
            }
            if m < n {
                let swapped = verify_consistency(size(n), size(m), &roots[n], &roots[m], &proof);
                assert_eq!(swapped, Err(ProofError::SizesOutOfOrder { from: size(n), to: size(m) }));
            }
        }
    }
}

/// One copy for each hash of the proof, with another bit flipped each time.
fn with_one_bit_flipped(proof: &[Hash]) -> impl Iterator<Item = Vec<Hash>> {
    (0..proof.len()).map(|at| {
        let mut spoiled = proof.to_vec();
        spoiled[at] = flipped(proof[at], at * 37);
        spoiled
    })
}

fn flipped(hash: Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8 % Hash::LEN] ^= 1 << (bit % 8);
    Hash::from_bytes(bytes)
}

/// Every other length up to far too many: cut off or filled up, at each end.
fn of_another_length(proof: &[Hash]) -> impl Iterator<Item = Vec<Hash>> {
    let extra = [Hash::from_bytes([0; Hash::LEN])].repeat(70);
    let [behind, before] = [[proof, &extra].concat(), [&extra, proof].concat()];
    let lengths = (0..=extra.len()).filter(|&length| length != proof.len());
    lengths.flat_map(move |length| [behind[..length].to_vec(), before[before.len() - length..].to_vec()])
}

fn is_wrong_root(error: ProofError) -> bool {
    matches!(error, ProofError::WrongRoot { computed, expected, .. } if computed != expected)
}

fn is_wrong_length(error: ProofError) -> bool {
    matches!(error, ProofError::WrongLength { given, needed } if given != needed)
}
