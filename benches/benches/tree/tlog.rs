//! `tlog_tiles`, which follows Go's sumdb. Its reader of tiles also checks the tiles that it reads against the root.

use tlog_tiles::{
    Error, Hash, HashReader, RecordProof, Tile, TileHashReader, TileReader, TreeProof, check_record, check_tree,
    prove_record, prove_tree, record_hash, stored_hashes, tree_hash,
};

use crate::tiles::Rows;
use crate::{Entry, Prover, Subject};

/// All stored hashes in its order.
struct Stored(Vec<Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let read = |&index: &u64| usize::try_from(index).ok().and_then(|index| self.0.get(index)).copied();
        indexes.iter().map(read).collect::<Option<_>>().ok_or(Error::IndexesNotInTree)
    }
}

pub(crate) struct TlogTiles {
    stored: Stored,
    size: u64,
}

impl Subject for TlogTiles {
    const NAME: &str = "tlog_tiles";
    type Prover<'a> = Of<'a>;

    fn build(entries: &[Entry]) -> Self {
        let mut stored = Stored(Vec::new());
        for (n, entry) in (0..).zip(entries) {
            let new = stored_hashes(n, entry, &stored).expect("the hashes before are stored");
            stored.0.extend(new);
        }
        Self { stored, size: entries.len() as u64 }
    }

    fn prover(&self) -> Of<'_> {
        let root = tree_hash(self.size, &self.stored).expect("all hashes are stored");
        Of { tree: self, root }
    }
}

pub(crate) struct Of<'a> {
    tree: &'a TlogTiles,
    root: Hash,
}

impl Prover for Of<'_> {
    type Inclusion = RecordProof;
    type Consistency = TreeProof;
    type Root = Hash;

    fn root(&self) -> [u8; 32] {
        self.root.0
    }

    fn inclusion(&self, index: u64) -> RecordProof {
        prove_record(self.tree.size, index, &self.tree.stored).expect("a leaf of the tree")
    }

    fn inclusion_holds(&self, index: u64, entry: &Entry, proof: &RecordProof) -> bool {
        check_record(proof, self.tree.size, self.root, index, record_hash(entry)).is_ok()
    }

    fn consistency(&self, from: u64) -> TreeProof {
        prove_tree(self.tree.size, from, &self.tree.stored).expect("a size of the past")
    }

    fn old_root(&self, _: u64, root: [u8; 32]) -> Hash {
        Hash(root)
    }

    fn consistency_holds(&self, from: u64, old: &Hash, proof: &TreeProof) -> bool {
        check_tree(proof, self.tree.size, self.root, from, *old).is_ok()
    }
}

impl TileReader for Rows {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &Tile| {
            let hashes = self.cut(tile.level(), tile.level_index(), tile.width() as usize);
            hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

pub(crate) fn inclusion_from_tiles(index: u64, size: usize, root: [u8; 32], rows: &Rows) -> RecordProof {
    let reader = TileHashReader::new(size as u64, Hash(root), rows);
    prove_record(size as u64, index, &reader).expect("a leaf of the tree")
}

pub(crate) fn consistency_from_tiles(from: u64, size: usize, root: [u8; 32], rows: &Rows) -> TreeProof {
    let reader = TileHashReader::new(size as u64, Hash(root), rows);
    prove_tree(size as u64, from, &reader).expect("a size of the past")
}
