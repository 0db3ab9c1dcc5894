//! The hash function of the tree: RFC 6962 §2.1, SHA-256 with one leading byte that keeps leaves and nodes apart.

use alloc::vec::Vec;
use core::fmt;

use crate::{
    CompactRange,
    sha256::{self, Leaves, Nodes},
};

/// A SHA-256 value: a leaf, a node or a root. Prints as 64 lower-case hex digits.
///
/// ```
/// use merkle::{Hash, leaf_hash};
///
/// let hash = leaf_hash(b"entry");
/// let bytes: [u8; 32] = *hash.as_bytes();
/// assert_eq!(Hash::from(bytes), hash);
/// assert_eq!(hash.to_string().len(), 64);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; Hash::LEN]);

/// The root of the tree without leaves: SHA-256 of the empty string.
///
/// ```
/// assert_eq!(merkle::root(&[]), merkle::EMPTY_ROOT);
/// ```
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// The hash of a leaf: `SHA-256(0x00 ‖ entry)`.
///
/// ```
/// let hash = merkle::leaf_hash(b"");
/// assert_eq!(hash.to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
/// ```
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash(sha256::leaf(entry))
}

/// The hashes of many leaves, in order: the same as [`leaf_hash`] of each, and for short entries in little more than half
/// the time.
///
/// ```
/// use merkle::{leaf_hash, leaf_hashes};
///
/// assert_eq!(leaf_hashes(&["a", "b"]), [leaf_hash(b"a"), leaf_hash(b"b")]);
/// ```
pub fn leaf_hashes<E: AsRef<[u8]>>(entries: &[E]) -> Vec<Hash> {
    let mut hashes = Vec::with_capacity(entries.len());
    let mut leaves = Leaves::new();
    for entries in entries.chunks(Leaves::MOST) {
        for (slot, entry) in entries.iter().enumerate() {
            leaves.put(slot, entry.as_ref());
        }
        hashes.extend(entries.iter().enumerate().map(|(slot, entry)| Hash(leaves.hash(slot, entry.as_ref()))));
    }
    hashes
}

/// The hash of an inner node: `SHA-256(0x01 ‖ left ‖ right)`.
///
/// ```
/// use merkle::{leaf_hash, node_hash, root};
///
/// let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
/// assert_eq!(node_hash(&left, &right), root(&[left, right]));
/// assert_ne!(node_hash(&left, &right), node_hash(&right, &left));
/// ```
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash(sha256::node(&left.0, &right.0))
}

/// The root of the tree over these leaf hashes, all at once. A tree that grows keeps a
/// [`CompactRange`](crate::CompactRange) instead.
///
/// ```
/// use merkle::{EMPTY_ROOT, leaf_hash, node_hash, root};
///
/// let [a, b, c] = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
/// assert_eq!(root(&[]), EMPTY_ROOT);
/// assert_eq!(root(&[a]), a);
/// assert_eq!(root(&[a, b, c]), node_hash(&node_hash(&a, &b), &c));
/// ```
pub fn root(leaf_hashes: &[Hash]) -> Hash {
    let mut range = CompactRange::new();
    range.append_batch(leaf_hashes);
    range.root()
}

/// Where complete subtrees are hashed, one after another, in 8 KiB that stay in the fastest cache.
pub(crate) struct CompleteSubtrees(Nodes<64>);

impl CompleteSubtrees {
    /// How many leaves a subtree may have: twice as many as there are places for nodes.
    pub(crate) const LARGEST: usize = 128;

    pub(crate) const fn new() -> CompleteSubtrees {
        CompleteSubtrees(Nodes::new())
    }

    /// The root over a power of two of leaves.
    pub(crate) fn root(&mut self, leaf_hashes: &[Hash]) -> Hash {
        if let [leaf] = leaf_hashes {
            return *leaf;
        }
        let pairs = leaf_hashes.as_chunks::<2>().0;
        for (slot, [left, right]) in pairs.iter().enumerate() {
            self.0.put(slot, &left.0, &right.0);
        }
        Hash(self.0.hash_up(pairs.len()))
    }
}

/// The parents of these pairs, in order.
pub(crate) fn parents_of(pairs: &[[Hash; 2]], mut parent: impl FnMut(Hash)) {
    const AT_ONCE: usize = 16;
    /// So few are not worth the preparation.
    const FEW: usize = 4;
    if pairs.len() < FEW {
        for [left, right] in pairs {
            parent(node_hash(left, right));
        }
        return;
    }
    let mut nodes = Nodes::<AT_ONCE>::new();
    for pairs in pairs.chunks(AT_ONCE) {
        for (slot, [left, right]) in pairs.iter().enumerate() {
            nodes.put(slot, &left.0, &right.0);
        }
        for slot in 0..pairs.len() {
            parent(Hash(nodes.hash(slot)));
        }
    }
}

/// Joins the complete subtrees of a range, largest first, into the root of the range: the smallest two meet first.
/// `None` if there are none.
pub(crate) fn join(subtrees: &[Hash]) -> Option<Hash> {
    subtrees.iter().rev().copied().reduce(|right, left| node_hash(&left, &right))
}

impl Hash {
    /// How many bytes a hash has.
    ///
    /// ```
    /// assert_eq!(merkle::Hash::LEN, merkle::EMPTY_ROOT.as_bytes().len());
    /// ```
    pub const LEN: usize = 32;

    /// Wraps 32 bytes.
    ///
    /// ```
    /// const ZEROS: merkle::Hash = merkle::Hash::from_bytes([0; 32]);
    /// assert_eq!(ZEROS.to_string(), "0".repeat(64));
    /// ```
    pub const fn from_bytes(bytes: [u8; Hash::LEN]) -> Hash {
        Hash(bytes)
    }

    /// The 32 bytes.
    ///
    /// ```
    /// assert_eq!(merkle::EMPTY_ROOT.as_bytes()[..4], [0xe3, 0xb0, 0xc4, 0x42]);
    /// ```
    pub const fn as_bytes(&self) -> &[u8; Hash::LEN] {
        &self.0
    }
}

impl From<[u8; Hash::LEN]> for Hash {
    fn from(bytes: [u8; Hash::LEN]) -> Hash {
        Hash(bytes)
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = WrongHashLength;

    fn try_from(bytes: &[u8]) -> Result<Hash, WrongHashLength> {
        bytes.try_into().map(Hash).map_err(|_| WrongHashLength { given: bytes.len() })
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The bytes given for a [`struct@Hash`] are not 32.
///
/// ```
/// use merkle::{Hash, WrongHashLength};
///
/// assert_eq!(Hash::try_from([7; 31].as_slice()), Err(WrongHashLength { given: 31 }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongHashLength {
    /// How many bytes were given.
    pub given: usize,
}

impl fmt::Display for WrongHashLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a hash has {} bytes, not {}", Hash::LEN, self.given)
    }
}

impl core::error::Error for WrongHashLength {}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString, vec};

    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn empty_root_is_sha_256_of_nothing() {
        let digest: [u8; Hash::LEN] = Sha256::digest([]).into();
        assert_eq!(EMPTY_ROOT, Hash::from(digest));
        assert_eq!(root(&[]), EMPTY_ROOT);
    }

    #[test]
    fn leaves_and_nodes_have_different_prefixes() {
        let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
        let joined: Vec<u8> = [left.0, right.0].concat();
        assert_ne!(node_hash(&left, &right), leaf_hash(&joined));
        assert_ne!(node_hash(&left, &right), node_hash(&right, &left));
    }

    #[test]
    fn only_32_bytes_make_a_hash() {
        for given in [0, 31, 33, 64] {
            let bytes = vec![7; given];
            assert_eq!(Hash::try_from(bytes.as_slice()), Err(WrongHashLength { given }));
        }
        assert_eq!(Hash::try_from([7; 32].as_slice()), Ok(Hash::from_bytes([7; 32])));
        assert_eq!(Hash::from_bytes([7; 32]).as_ref(), [7; 32]);
        assert_eq!(WrongHashLength { given: 31 }.to_string(), "a hash has 32 bytes, not 31");
    }

    #[test]
    fn prints_lower_case_hex() {
        let hash = Hash::from_bytes([0xAB; 32]);
        assert_eq!(hash.to_string(), "ab".repeat(32));
        assert_eq!(format!("{hash:?}"), hash.to_string());
    }
}
