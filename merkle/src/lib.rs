//! The append-only Merkle tree of RFC 6962 §2 (the same tree as RFC 9162 §2.1): hashes, the right edge of a growing
//! tree, inclusion and consistency proofs, and the tiles of C2SP tlog-tiles in which a log stores and serves it.
//!
//! Out of scope: entries and their encoding, signed checkpoints, storage. The crate does no I/O; it asks for stored
//! hashes through one small trait, [`NodeReader`] (or [`TileReader`], for a log that keeps tiles).
//!
//! # The tree
//!
//! A tree is named by its size. This one has seven leaves:
//!
//! ```text
//! level 3                    root
//!                        ___/    \___
//!                       /            \
//! level 2             2,0             r
//!                    /   \           / \
//! level 1         1,0     1,1     1,2   \
//!                /  \    /  \    /  \    \
//! level 0      0,0 0,1 0,2 0,3 0,4 0,5  0,6
//! ```
//!
//! A leaf is [`leaf_hash`] of its entry and everything above is [`node_hash`] of two children. `level,index` is a
//! [`Node`]: the root of a complete subtree. Once its leaves exist its hash never changes, so it can be stored. The
//! node `r` and the root are not complete: they lie on the right edge and change while the tree grows, so they are
//! never stored. They are computed from the complete subtrees that make up the tree, here `2,0`, `1,2` and `0,6`: one
//! for each set bit of the size 7, and together they are the [`CompactRange`] of the tree.
//!
//! # A worked proof
//!
//! To show that leaf 5 is in the tree, give every sibling on its way up: `0,4`, then `0,6`, then `2,0`. To show that
//! the tree of the first three leaves is a prefix of this one, start at the last complete subtree of the old tree,
//! leaf 2, and give it and its siblings: `0,2`, `0,3`, `1,0`, and `r`, which the prover joins from `1,2` and `0,6`.
//! From the first and the third follows the old root, from all four the new root. The checker hashes its way up, with `H` for
//! [`node_hash`]:
//!
//! ```text
//! inclusion    root     = H(2,0  H(H(0,4  leaf 5)  0,6))
//! consistency  old root = H(1,0  0,2)
//!              new root = H(H(1,0  H(0,2  0,3))  r)
//! ```
//!
//! A leaf is hashed behind a byte 0 and a node behind a byte 1, so that no entry can be written whose leaf hash is a node of the
//! tree.
//!
//! ```
//! use merkle::{
//!     Hash, LeafIndex, TreeSize, leaf_hash, prove_consistency, prove_inclusion, root, verify_consistency, verify_inclusion,
//! };
//!
//! let leaves: Vec<Hash> = [b"a", b"b", b"c", b"d", b"e", b"f", b"g"].iter().map(|entry| leaf_hash(*entry)).collect();
//! let size = TreeSize::new(7);
//! let index = LeafIndex::new(5);
//!
//! // A slice of leaf hashes is a reader, if a slow one.
//! let proof = prove_inclusion(index, size, leaves.as_slice())?;
//! assert_eq!(proof, [leaves[4], leaves[6], root(&leaves[..4])]);
//! verify_inclusion(&leaves[5], index, size, &proof, &root(&leaves))?;
//!
//! let old = TreeSize::new(3);
//! let proof = prove_consistency(old, size, leaves.as_slice())?;
//! assert_eq!(proof, [leaves[2], leaves[3], root(&leaves[..2]), root(&leaves[4..])]);
//! verify_consistency(old, size, &root(&leaves[..3]), &root(&leaves), &proof)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What to take
//!
//! | you have | you take |
//! |---|---|
//! | a proof and a root that you trust | [`verify_inclusion`], [`verify_consistency`] |
//! | many entries | [`leaf_hashes`] |
//! | a list of leaf hashes | [`root`] |
//! | a tree that grows, and you want its root | [`CompactRange`]; [`LeafRange`] for a part of it hashed apart |
//! | a tree that grows, and you store its tiles | [`CompactRange::append_batch_with`] and [`tiles_changed`] |
//! | a tree that fits into memory, and you want proofs | [`MemoryTree`] |
//! | a log that keeps tiles, and you want proofs | [`TileReader`] and [`TileNodes`], then [`prove_inclusion`] |
//! | nodes kept in some other way | [`NodeReader`], then [`prove_inclusion`]; or a [`Plan`] alone, to read elsewhere |
//!
//! # How a proof is made
//!
//! The provers over a reader work in three steps: a [`Plan`] lists the nodes that it needs, one call of the reader gets them all,
//! and the plan folds them into the proof. The verifier shares no code with the plan: the prover splits the tree from
//! the top as the RFC does, the verifier climbs from the leaf, and the tests hold one against the other. A
//! [`MemoryTree`] has every node at hand and climbs too.
//!
//! Sizes go up to 2^64 - 1. Nothing that comes from outside panics, neither coordinates nor proofs nor paths: whatever
//! the input of a verify function, it returns, allocates nothing, and hashes no more than 128 times. What panics says so:
//! appending to a tree that is full, and the path of entries for a tile that has none.
//!
//! # How it is fast
//!
//! Hashing is nearly all of the work, so a node is hashed with the compression function alone, over two blocks whose
//! padding is prepared. A batch is hashed row by row in 8 KiB: each hash is written once, into the message of the node
//! above. `README.md` has figures beside the bare hashes. Hash entries with [`leaf_hashes`], add them with
//! [`CompactRange::append_batch`] (`append_batch_with` where nodes are stored) or [`MemoryTree::append_batch`], some hundred at
//! a time.

#![no_std]

extern crate alloc;

mod compact_range;
mod hash;
mod index;
mod leaf_range;
mod memory_tree;
mod node;
mod plan;
mod prove;
mod reader;
mod sha256;
mod tile;
mod verify;

pub use compact_range::{CompactRange, WrongHashCount};
pub use hash::{EMPTY_ROOT, Hash, WrongHashLength, leaf_hash, leaf_hashes, node_hash, root};
pub use index::{LeafIndex, TreeSize};
pub use leaf_range::{LeafRange, NotAdjacent};
pub use memory_tree::{MemoryTree, TreeView};
pub use node::Node;
pub use plan::{Plan, PlanError};
pub use prove::{ProveError, prove_consistency, prove_inclusion, root_at};
pub use reader::{MissingNode, NodeReader};
pub use tile::{Tile, TileError, TileNodes, TilePath, TileReader, tiles_changed};
pub use verify::{ProofError, Side, inclusion_sides, root_from_inclusion, verify_consistency, verify_inclusion};

/// The examples of the README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
