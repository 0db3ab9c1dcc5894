//! Every tree up to 130 leaves, with every leaf and every pair of sizes; and every way to spoil the proofs of trees up
//! to 40 leaves.

use merkle::{
    CompactRange, Hash, LeafIndex, ProofError, TreeSize, prove_consistency, prove_inclusion, root, root_at,
    root_from_inclusion, verify_consistency, verify_inclusion,
};

use crate::reference::{self, leaves, mth};

/// Past 128, so that trees of every shape with up to seven full rows are there.
const ALL: usize = 130;
const SPOILED: usize = 40;

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
    let leaves = leaves(SPOILED);
    for n in 1..=SPOILED {
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
    let leaves = leaves(SPOILED);
    let roots = roots(&leaves);
    for n in 0..=SPOILED {
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

/// One hash fewer and one more, at each end; and far too many.
fn of_another_length(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let extra = [Hash::from_bytes([0; Hash::LEN])];
    let mut spoiled = vec![[proof, &extra].concat(), [&extra, proof].concat(), [proof, &extra.repeat(100)].concat()];
    if let [without_last @ .., _] = proof {
        spoiled.push(without_last.to_vec());
    }
    if let [_, without_first @ ..] = proof {
        spoiled.push(without_first.to_vec());
        spoiled.push(Vec::new());
    }
    spoiled
}

fn is_wrong_root(error: ProofError) -> bool {
    matches!(error, ProofError::WrongRoot { computed, expected, .. } if computed != expected)
}

fn is_wrong_length(error: ProofError) -> bool {
    matches!(error, ProofError::WrongLength { given, needed } if given != needed)
}
