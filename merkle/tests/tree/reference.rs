//! RFC 6962 §2.1 read aloud: slow, recursive, and with no line shared with the crate but the two hash functions.

use merkle::{Hash, leaf_hash, node_hash};
use sha2::{Digest, Sha256};

/// Leaf hashes that differ from each other.
pub(crate) fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(format!("entry {n}").as_bytes())).collect()
}

/// MTH(D[n]).
pub(crate) fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::from_bytes(Sha256::digest([]).into()),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(largest_power_of_two_below(leaves.len()));
            node_hash(&mth(left), &mth(right))
        }
    }
}

/// PATH(m, D[n]).
pub(crate) fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = largest_power_of_two_below(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if m < k { (path(m, left), right) } else { (path(m - k, right), left) };
    path.push(mth(sibling));
    path
}

/// PROOF(m, D[n]), for 0 < m < n.
pub(crate) fn proof(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    subproof(m, leaves, true)
}

fn subproof(m: usize, leaves: &[Hash], whole_old_tree: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if whole_old_tree { Vec::new() } else { vec![mth(leaves)] };
    }
    let k = largest_power_of_two_below(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, sibling) =
        if m <= k { (subproof(m, left, whole_old_tree), right) } else { (subproof(m - k, right, false), left) };
    proof.push(mth(sibling));
    proof
}

fn largest_power_of_two_below(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}
