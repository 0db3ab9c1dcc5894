//! Proofs that must fail, each with the reason: genuine ones told about another question, and forged ones that a careless
//! verifier takes.

use merkle::{
    Hash, LeafIndex, ProofError, TreeSize, leaf_hash, node_hash, prove_consistency, prove_inclusion, root,
    root_from_inclusion, verify_consistency, verify_inclusion,
};

use crate::reference::leaves;

fn size(n: u64) -> TreeSize {
    TreeSize::new(n)
}

fn index(n: u64) -> LeafIndex {
    LeafIndex::new(n)
}

/// Without the byte in front, an inner node would be the leaf of its two children's bytes.
#[test]
fn an_inner_node_is_not_a_leaf() {
    let leaves = leaves(4);
    let inner = node_hash(&leaves[0], &leaves[1]);
    let right = node_hash(&leaves[2], &leaves[3]);
    let root = root(&leaves);
    let claimed = leaf_hash(&[*leaves[0].as_bytes(), *leaves[1].as_bytes()].concat());
    assert!(matches!(
        verify_inclusion(&claimed, index(0), size(2), &[right], &root),
        Err(ProofError::WrongRoot { expected, .. }) if expected == root
    ));
    // The hash of the node itself fits, at a size that the root is not of: the size must come with the root.
    assert_eq!(verify_inclusion(&inner, index(0), size(2), &[right], &root), Ok(()));
    let short = ProofError::WrongLength { given: 1, needed: 2 };
    assert_eq!(verify_inclusion(&inner, index(0), size(4), &[right], &root), Err(short));
}

#[test]
fn a_tree_with_its_last_leaf_twice_has_another_root() {
    let leaves = leaves(3);
    let doubled = [&leaves[..], &leaves[2..]].concat();
    assert_ne!(root(&leaves), root(&doubled));
    let proof = prove_inclusion(index(3), size(4), doubled.as_slice()).unwrap();
    assert!(verify_inclusion(&leaves[2], index(3), size(4), &proof, &root(&leaves)).is_err());
}

/// Why the size must come with the root, signed: of the first leaf the way up is the same in trees of many sizes.
#[test]
fn a_proof_does_not_tell_the_size() {
    let leaves = leaves(7);
    let root = root(&leaves);
    let proof = prove_inclusion(index(0), size(7), leaves.as_slice()).unwrap();
    for other in [5, 6, 8] {
        assert_eq!(verify_inclusion(&leaves[0], index(0), size(other), &proof, &root), Ok(()), "size {other}");
    }
    for other in [1, 2, 3, 4, 9, 16] {
        assert!(verify_inclusion(&leaves[0], index(0), size(other), &proof, &root).is_err(), "size {other}");
    }
}

#[test]
fn a_proof_is_about_one_index() {
    let leaves = leaves(7);
    let root = root(&leaves);
    let proof = prove_inclusion(index(5), size(7), leaves.as_slice()).unwrap();
    for other in [0, 1, 2, 3, 4] {
        let refused = verify_inclusion(&leaves[5], index(other), size(7), &proof, &root);
        assert!(matches!(refused, Err(ProofError::WrongRoot { .. })), "leaf {other}: {refused:?}");
    }
    let short = ProofError::WrongLength { given: 3, needed: 2 };
    assert_eq!(verify_inclusion(&leaves[5], index(6), size(7), &proof, &root), Err(short));
}

#[test]
fn the_error_carries_what_was_computed() {
    let leaves = leaves(7);
    let proof = prove_inclusion(index(5), size(7), leaves.as_slice()).unwrap();
    let computed = root_from_inclusion(&leaves[4], index(5), size(7), &proof).unwrap();
    let expected = root(&leaves);
    let wrong = ProofError::WrongRoot { size: size(7), computed, expected };
    assert_eq!(verify_inclusion(&leaves[4], index(5), size(7), &proof, &expected), Err(wrong));
    assert_eq!(wrong.to_string(), format!("the proof gives the root {computed} at size 7, not {expected}"));
}

/// From a size that is not a power of two the first hash of the proof stands for the old tree's last subtree, so it must
/// lead to the old root too.
#[test]
fn a_consistency_proof_leads_to_both_roots() {
    let leaves = leaves(7);
    let (old, new) = (root(&leaves[..6]), root(&leaves));
    let proof = prove_consistency(size(6), size(7), leaves.as_slice()).unwrap();
    let other = leaf_hash(b"another history");
    let wrong_old = ProofError::WrongRoot { size: size(6), computed: old, expected: other };
    assert_eq!(verify_consistency(size(6), size(7), &other, &new, &proof), Err(wrong_old));
    let wrong_new = ProofError::WrongRoot { size: size(7), computed: new, expected: other };
    assert_eq!(verify_consistency(size(6), size(7), &old, &other, &proof), Err(wrong_new));
}

#[test]
fn a_complete_old_tree_is_not_repeated_in_the_proof() {
    let leaves = leaves(7);
    let (old, new) = (root(&leaves[..4]), root(&leaves));
    let proof = prove_consistency(size(4), size(7), leaves.as_slice()).unwrap();
    assert_eq!(verify_consistency(size(4), size(7), &old, &new, &proof), Ok(()));
    let long = ProofError::WrongLength { given: 2, needed: 1 };
    assert_eq!(verify_consistency(size(4), size(7), &old, &new, &[&[old], &proof[..]].concat()), Err(long));
}

/// Lengths that no tree has, at sizes that no log reaches.
#[test]
fn the_longest_proof_has_64_hashes() {
    let hash = Hash::from_bytes([7; 32]);
    for given in [0, 1, 62, 63, 65, 1000] {
        let refused = root_from_inclusion(&hash, index(0), size(u64::MAX), &vec![hash; given]);
        assert_eq!(refused, Err(ProofError::WrongLength { given, needed: 64 }));
    }
    assert!(root_from_inclusion(&hash, index(0), size(u64::MAX), &[hash; 64]).is_ok());
    assert!(root_from_inclusion(&hash, index(u64::MAX - 1), size(u64::MAX), &[hash; 63]).is_ok());
    let refused = verify_consistency(size(3), size(u64::MAX), &hash, &hash, &[hash; 66]);
    assert_eq!(refused, Err(ProofError::WrongLength { given: 66, needed: 65 }));
}

#[test]
fn errors_say_whose_fault_it_is() {
    let outside = ProofError::IndexOutsideTree { index: index(7), size: size(7) };
    assert_eq!(outside.to_string(), "a tree of size 7 has no leaf 7");
    let order = ProofError::SizesOutOfOrder { from: size(8), to: size(7) };
    assert_eq!(order.to_string(), "the old tree of size 8 is larger than the new one of size 7");
    let length = ProofError::WrongLength { given: 3, needed: 2 };
    assert_eq!(length.to_string(), "the proof has 3 hashes where 2 are needed");
}
