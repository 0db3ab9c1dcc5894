//! `ct-merkle`, whose tree keeps the entries too. It has no tiles.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use sha2::Sha256;

use crate::{Entry, Prover, Subject};

pub(crate) struct CtMerkle(MemoryBackedTree<Sha256, Entry>);

impl Subject for CtMerkle {
    const NAME: &str = "ct-merkle";
    type Prover<'a> = Of<'a>;

    fn build(entries: &[Entry]) -> Self {
        let mut tree = MemoryBackedTree::new();
        for entry in entries {
            tree.push(*entry);
        }
        Self(tree)
    }

    fn prover(&self) -> Of<'_> {
        Of { tree: &self.0, root: self.0.root() }
    }
}

pub(crate) struct Of<'a> {
    tree: &'a MemoryBackedTree<Sha256, Entry>,
    root: RootHash<Sha256>,
}

impl Prover for Of<'_> {
    type Inclusion = InclusionProof<Sha256>;
    type Consistency = ConsistencyProof<Sha256>;
    type Root = RootHash<Sha256>;

    fn root(&self) -> [u8; 32] {
        (*self.root.as_bytes()).into()
    }

    fn inclusion(&self, index: u64) -> Self::Inclusion {
        self.tree.prove_inclusion(usize::try_from(index).expect("an index of a slice"))
    }

    fn inclusion_holds(&self, index: u64, entry: &Entry, proof: &Self::Inclusion) -> bool {
        self.root.verify_inclusion(entry, index, proof).is_ok()
    }

    fn consistency(&self, from: u64) -> Self::Consistency {
        self.tree.prove_consistency(usize::try_from(self.tree.len() - from).expect("a number of leaves"))
    }

    fn old_root(&self, from: u64, root: [u8; 32]) -> Self::Root {
        RootHash::new(root.into(), from)
    }

    fn consistency_holds(&self, _: u64, old: &Self::Root, proof: &Self::Consistency) -> bool {
        self.root.verify_consistency(old, proof).is_ok()
    }
}
