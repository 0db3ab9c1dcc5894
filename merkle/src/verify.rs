//! Checks proofs: RFC 9162 §2.1.3.2 (inclusion) and §2.1.4.2 (consistency), climbing from the leaf. First the root
//! that a proof implies is computed, then it is compared.

use core::fmt;

use crate::{EMPTY_ROOT, Hash, LeafIndex, TreeSize, node_hash};

/// The root that a leaf and its inclusion proof imply. Right only if the proof is; compare it with a root that you
/// trust, as [`verify_inclusion`] does. No input makes it panic.
///
/// ```
/// use merkle::{LeafIndex, TreeSize, leaf_hash, node_hash, root_from_inclusion};
///
/// let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
/// let computed = root_from_inclusion(&b, LeafIndex::new(1), TreeSize::new(2), &[a])?;
/// assert_eq!(computed, node_hash(&a, &b));
/// # Ok::<(), merkle::ProofError>(())
/// ```
pub fn root_from_inclusion(leaf: &Hash, index: LeafIndex, size: TreeSize, proof: &[Hash]) -> Result<Hash, ProofError> {
    let sides = inclusion_sides(index, size)?;
    check_length(proof, sides.clone().count())?;
    Ok(sides.zip(proof).fold(*leaf, |below, (side, sibling)| match side {
        Side::Left => node_hash(sibling, &below),
        Side::Right => node_hash(&below, sibling),
    }))
}

/// On which side each hash of an inclusion proof stands, from the leaf up: there are as many as the proof has hashes.
/// For whoever shows the way to the root and not only where it ends.
///
/// ```
/// use merkle::{LeafIndex, Side, TreeSize, inclusion_sides};
///
/// // The worked proof of the crate's page: leaf 5 of 7 meets leaf 4, then leaf 6, then the first four.
/// let sides: Vec<Side> = inclusion_sides(LeafIndex::new(5), TreeSize::new(7))?.collect();
/// assert_eq!(sides, [Side::Left, Side::Right, Side::Left]);
/// assert!(inclusion_sides(LeafIndex::new(7), TreeSize::new(7)).is_err());
/// # Ok::<(), merkle::ProofError>(())
/// ```
pub fn inclusion_sides(index: LeafIndex, size: TreeSize) -> Result<impl Iterator<Item = Side> + Clone, ProofError> {
    if index.get() >= size.get() {
        return Err(ProofError::IndexOutsideTree { index, size });
    }
    Ok(siblings(index.get(), size.get() - 1))
}

/// Checks that the tree of that size and root has this leaf hash at this index. No input makes it panic.
///
/// The size must come with the root, signed or else trusted: a proof alone does not tell the size of the tree.
///
/// ```
/// use merkle::{LeafIndex, ProofError, TreeSize, leaf_hash, node_hash, verify_inclusion};
///
/// let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
/// let (root, size) = (node_hash(&a, &b), TreeSize::new(2));
/// assert_eq!(verify_inclusion(&b, LeafIndex::new(1), size, &[a], &root), Ok(()));
///
/// let computed = node_hash(&b, &a);
/// let error = verify_inclusion(&b, LeafIndex::new(0), size, &[a], &root);
/// assert_eq!(error, Err(ProofError::WrongRoot { size, computed, expected: root }));
/// ```
pub fn verify_inclusion(
    leaf: &Hash,
    index: LeafIndex,
    size: TreeSize,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    check_root(size, &root_from_inclusion(leaf, index, size, proof)?, root)
}

/// Checks that the tree `from` is a prefix of the tree `to`. No input makes it panic.
///
/// Trees of one size must have one root. The empty tree is a prefix of every tree: its root must be [`EMPTY_ROOT`], and the
/// root of the larger one is not looked at, since nothing ties the two. In both cases the proof must be empty.
///
/// ```
/// use merkle::{EMPTY_ROOT, TreeSize, leaf_hash, node_hash, verify_consistency};
///
/// let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
/// let (one, two) = (TreeSize::new(1), TreeSize::new(2));
/// let root = node_hash(&a, &b);
/// assert!(verify_consistency(one, two, &a, &root, &[b]).is_ok());
/// assert!(verify_consistency(one, two, &b, &root, &[b]).is_err());
/// assert!(verify_consistency(TreeSize::ZERO, two, &EMPTY_ROOT, &root, &[]).is_ok());
/// ```
pub fn verify_consistency(
    from: TreeSize,
    to: TreeSize,
    from_root: &Hash,
    to_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if from > to {
        return Err(ProofError::SizesOutOfOrder { from, to });
    }
    if from == TreeSize::ZERO {
        check_length(proof, 0)?;
        check_root(from, &EMPTY_ROOT, from_root)?;
        return if to == from { check_root(to, &EMPTY_ROOT, to_root) } else { Ok(()) };
    }
    if from == to {
        check_length(proof, 0)?;
        return check_root(to, from_root, to_root);
    }
    let (old, new) = roots_from_consistency(from.get(), to.get(), from_root, proof)?;
    check_root(from, &old, from_root)?;
    check_root(to, &new, to_root)
}

/// The old and the new root that a consistency proof implies, for `0 < from < to`.
///
/// Both trees have the last complete subtree of the old one. The climb starts there. Every left sibling is in both
/// trees; a right sibling is newer than the old tree, so it counts for the new root only.
fn roots_from_consistency(from: u64, to: u64, from_root: &Hash, proof: &[Hash]) -> Result<(Hash, Hash), ProofError> {
    let level = from.trailing_zeros();
    let (index, last) = ((from - 1) >> level, (to - 1) >> level);
    let needed = siblings(index, last).count();

    // The old tree may be that subtree alone. Then its hash is the old root, and the proof leaves it out.
    let (start, rest) = if from.is_power_of_two() {
        check_length(proof, needed)?;
        (from_root, proof)
    } else {
        check_length(proof, needed + 1)?;
        let [start, rest @ ..] = proof else { unreachable!("the proof has at least one hash") };
        (start, rest)
    };
    Ok(siblings(index, last).zip(rest).fold((*start, *start), |(old, new), (side, sibling)| match side {
        Side::Left => (node_hash(sibling, &old), node_hash(sibling, &new)),
        Side::Right => (old, node_hash(&new, sibling)),
    }))
}

/// On which side of a node its sibling stands.
///
/// ```
/// use merkle::{LeafIndex, Side, TreeSize, inclusion_sides};
///
/// let mut sides = inclusion_sides(LeafIndex::new(1), TreeSize::new(2))?;
/// assert_eq!((sides.next(), sides.next()), (Some(Side::Left), None));
/// # Ok::<(), merkle::ProofError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Before it: `SHA-256(0x01 ‖ sibling ‖ node)`.
    Left,
    /// After it: `SHA-256(0x01 ‖ node ‖ sibling)`.
    Right,
}

/// The siblings on the way up from the node `index` of a row whose last node is `last`.
///
/// ```text
/// index odd             a right child: its sibling is on the left
/// index even, not last  a left child: its sibling is on the right
/// index even and last   no sibling in this row: it rises unchanged
/// ```
fn siblings(index: u64, last: u64) -> impl Iterator<Item = Side> + Clone {
    let rows_below_root = u64::BITS - last.leading_zeros();
    (0..rows_below_root).filter_map(move |row| {
        let (index, last) = (index >> row, last >> row);
        if index % 2 == 1 { Some(Side::Left) } else { (index < last).then_some(Side::Right) }
    })
}

fn check_length(proof: &[Hash], needed: usize) -> Result<(), ProofError> {
    if proof.len() == needed { Ok(()) } else { Err(ProofError::WrongLength { given: proof.len(), needed }) }
}

fn check_root(size: TreeSize, computed: &Hash, expected: &Hash) -> Result<(), ProofError> {
    if computed == expected {
        Ok(())
    } else {
        Err(ProofError::WrongRoot { size, computed: *computed, expected: *expected })
    }
}

/// Why a proof proves nothing. The first three say that the question or the proof is malformed; the last one that the
/// proof is about another tree, leaf or index.
///
/// ```
/// use merkle::{LeafIndex, ProofError, TreeSize, leaf_hash, verify_inclusion};
///
/// let (leaf, size) = (leaf_hash(b"a"), TreeSize::new(2));
/// let error = verify_inclusion(&leaf, LeafIndex::new(0), size, &[], &leaf);
/// assert_eq!(error, Err(ProofError::WrongLength { given: 0, needed: 1 }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofError {
    /// The tree has no such leaf.
    IndexOutsideTree {
        /// The leaf asked for.
        index: LeafIndex,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The old tree is larger than the new one.
    SizesOutOfOrder {
        /// The size of the old tree.
        from: TreeSize,
        /// The size of the new tree.
        to: TreeSize,
    },
    /// The proof has more or fewer hashes than its sizes and index need.
    WrongLength {
        /// How many hashes the proof has.
        given: usize,
        /// How many it needs.
        needed: usize,
    },
    /// The proof implies another root. For two trees of the same size: their roots differ.
    WrongRoot {
        /// The size of the tree whose root is wrong.
        size: TreeSize,
        /// The root that the proof implies.
        computed: Hash,
        /// The root that the caller gave.
        expected: Hash,
    },
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProofError::IndexOutsideTree { index, size } => write!(f, "a tree of size {size} has no leaf {index}"),
            ProofError::SizesOutOfOrder { from, to } => {
                write!(f, "the old tree of size {from} is larger than the new one of size {to}")
            }
            ProofError::WrongLength { given, needed } => {
                write!(f, "the proof has {given} hashes where {needed} are needed")
            }
            ProofError::WrongRoot { size, computed, expected } => {
                write!(f, "the proof gives the root {computed} at size {size}, not {expected}")
            }
        }
    }
}

impl core::error::Error for ProofError {}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::{leaf_hash, prove_inclusion, root};

    #[test]
    fn the_empty_tree_has_one_root() {
        let other = leaf_hash(b"");
        let (zero, one) = (TreeSize::ZERO, TreeSize::new(1));
        assert_eq!(verify_consistency(zero, zero, &EMPTY_ROOT, &EMPTY_ROOT, &[]), Ok(()));
        assert_eq!(verify_consistency(zero, one, &EMPTY_ROOT, &other, &[]), Ok(()));

        let wrong = ProofError::WrongRoot { size: zero, computed: EMPTY_ROOT, expected: other };
        assert_eq!(verify_consistency(zero, zero, &other, &other, &[]), Err(wrong));
        assert_eq!(verify_consistency(zero, zero, &EMPTY_ROOT, &other, &[]), Err(wrong));
        assert_eq!(verify_consistency(zero, one, &other, &other, &[]), Err(wrong));
        let long = ProofError::WrongLength { given: 1, needed: 0 };
        assert_eq!(verify_consistency(zero, one, &EMPTY_ROOT, &other, &[other]), Err(long));
    }

    #[test]
    fn the_sides_lead_from_every_leaf_to_the_root() {
        let leaves: Vec<_> = (0..9).map(|n: u8| leaf_hash(&[n])).collect();
        for size in 1..=leaves.len() {
            let (leaves, size) = (&leaves[..size], TreeSize::new(size as u64));
            for (index, leaf) in (0..).map(LeafIndex::new).zip(leaves) {
                let Ok(proof) = prove_inclusion(index, size, leaves) else { panic!("leaf {index} of {size}") };
                let Ok(sides) = inclusion_sides(index, size) else { panic!("leaf {index} of {size}") };
                let climbed = sides.zip(&proof).fold(*leaf, |node, (side, sibling)| match side {
                    Side::Left => node_hash(sibling, &node),
                    Side::Right => node_hash(&node, sibling),
                });
                assert_eq!(climbed, root(leaves), "leaf {index} of {size}");
            }
        }
    }

    #[test]
    fn two_roots_of_one_size_are_refused() {
        let (size, mine, theirs) = (TreeSize::new(5), leaf_hash(b"mine"), leaf_hash(b"theirs"));
        let wrong = ProofError::WrongRoot { size, computed: mine, expected: theirs };
        assert_eq!(verify_consistency(size, size, &mine, &mine, &[]), Ok(()));
        assert_eq!(verify_consistency(size, size, &mine, &theirs, &[]), Err(wrong));
        let long = ProofError::WrongLength { given: 1, needed: 0 };
        assert_eq!(verify_consistency(size, size, &mine, &mine, &[mine]), Err(long));
    }

    #[test]
    fn the_question_is_checked_first() {
        let hash = leaf_hash(b"");
        for (index, size) in [(0, 0), (7, 7), (u64::MAX, u64::MAX), (u64::MAX, 1)] {
            let (index, size) = (LeafIndex::new(index), TreeSize::new(size));
            let outside = ProofError::IndexOutsideTree { index, size };
            assert_eq!(verify_inclusion(&hash, index, size, &[], &hash), Err(outside));
        }
        let (from, to) = (TreeSize::new(u64::MAX), TreeSize::ZERO);
        let order = ProofError::SizesOutOfOrder { from, to };
        assert_eq!(verify_consistency(from, to, &hash, &hash, &[]), Err(order));
    }
}
