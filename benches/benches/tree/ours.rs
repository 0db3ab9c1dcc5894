//! The crate `merkle`.

use merkle::{
    CompactRange, Hash, LeafIndex, MemoryTree, TileNodes, TreeSize, TreeView, leaf_hash, leaf_hashes,
    prove_consistency, prove_inclusion, verify_consistency, verify_inclusion,
};

use crate::tiles::Rows;
use crate::{Entry, Prover, Subject};

pub(crate) struct Ours {
    pub(crate) tree: MemoryTree,
}

impl Ours {
    pub(crate) fn root_at(&self, size: u64) -> [u8; 32] {
        *self.tree.at(TreeSize::new(size)).expect("a size of the past").root().as_bytes()
    }
}

impl Subject for Ours {
    const NAME: &str = "merkle";
    type Prover<'a> = TreeView<'a>;

    fn build(entries: &[Entry]) -> Self {
        let mut tree = MemoryTree::new();
        for some in entries.chunks(BATCH) {
            tree.append_batch(&leaf_hashes(some));
        }
        Self { tree }
    }

    fn prover(&self) -> TreeView<'_> {
        self.tree.latest()
    }
}

impl Prover for TreeView<'_> {
    type Inclusion = Vec<Hash>;
    type Consistency = Vec<Hash>;
    type Root = Hash;

    fn root(&self) -> [u8; 32] {
        *self.root().as_bytes()
    }

    fn inclusion(&self, index: u64) -> Vec<Hash> {
        self.prove_inclusion(LeafIndex::new(index)).expect("a leaf of the tree")
    }

    fn inclusion_holds(&self, index: u64, entry: &Entry, proof: &Vec<Hash>) -> bool {
        verify_inclusion(&leaf_hash(entry), LeafIndex::new(index), self.size(), proof, &self.root()).is_ok()
    }

    fn consistency(&self, from: u64) -> Vec<Hash> {
        self.prove_consistency(TreeSize::new(from)).expect("a size of the past")
    }

    fn old_root(&self, _: u64, root: [u8; 32]) -> Hash {
        Hash::from(root)
    }

    fn consistency_holds(&self, from: u64, old: &Hash, proof: &Vec<Hash>) -> bool {
        verify_consistency(TreeSize::new(from), self.size(), old, &self.root(), proof).is_ok()
    }
}

/// As many as stay in the fastest cache with their entries.
const BATCH: usize = 256;

pub(crate) fn root_by_batches(entries: &[Entry]) -> Hash {
    let mut range = CompactRange::new();
    for some in entries.chunks(BATCH) {
        range.append_batch(&leaf_hashes(some));
    }
    range.root()
}

/// As for a log that stores its nodes.
pub(crate) fn root_reported(leaves: &[Hash], batch: usize) -> (Hash, Hash) {
    let (mut range, mut last) = (CompactRange::new(), merkle::EMPTY_ROOT);
    for some in leaves.chunks(batch) {
        range.append_batch_with(some, |_, hash| last = std::hint::black_box(hash));
    }
    (range.root(), last)
}

pub(crate) fn root_of_leaf_hashes(leaves: &[Hash], batch: usize) -> Hash {
    let mut range = CompactRange::new();
    for some in leaves.chunks(batch) {
        range.append_batch(some);
    }
    range.root()
}

pub(crate) fn root_one_by_one(leaves: &[Hash]) -> Hash {
    let mut range = CompactRange::new();
    for leaf in leaves {
        range.append(*leaf);
    }
    range.root()
}

pub(crate) fn inclusion_from_tiles(index: u64, size: usize, rows: &Rows) -> Vec<Hash> {
    let size = TreeSize::new(size as u64);
    prove_inclusion(LeafIndex::new(index), size, &TileNodes { size, reader: rows }).expect("a leaf of the tree")
}

pub(crate) fn consistency_from_tiles(from: u64, size: usize, rows: &Rows) -> Vec<Hash> {
    let size = TreeSize::new(size as u64);
    prove_consistency(TreeSize::new(from), size, &TileNodes { size, reader: rows }).expect("a size of the past")
}
