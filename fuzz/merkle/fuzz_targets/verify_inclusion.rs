//! Whatever it is given, `verify_inclusion` returns. A genuine proof passes, and with a byte of it changed it does not.
#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use merkle::{Hash, LeafIndex, MemoryTree, TreeSize, leaf_hash, verify_inclusion};

#[derive(Arbitrary, Debug)]
struct Input {
    leaf: [u8; 32],
    index: u64,
    size: u64,
    proof: Vec<[u8; 32]>,
    root: [u8; 32],
    /// In which hash and byte of it a genuine proof is changed, and how.
    flip: (u8, u8, u8),
}

fuzz_target!(|input: Input| {
    let (leaf, root) = (Hash::from(input.leaf), Hash::from(input.root));
    let proof: Vec<Hash> = input.proof.into_iter().map(Hash::from).collect();
    let (index, size) = (LeafIndex::new(input.index), TreeSize::new(input.size));
    // Nothing is claimed of the verdict: whoever chooses the root too can make any proof pass.
    let _ = verify_inclusion(&leaf, index, size, &proof, &root);

    let leaves: Vec<Hash> = (0..1 + input.size % 50).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    let mut tree = MemoryTree::new();
    tree.append_batch(&leaves);
    let (view, at) = (tree.latest(), (input.index % leaves.len() as u64) as usize);
    let index = LeafIndex::new(at as u64);
    let mut proof = view.prove_inclusion(index).expect("a leaf of the tree");
    assert_eq!(verify_inclusion(&leaves[at], index, view.size(), &proof, &view.root()), Ok(()));
    if !proof.is_empty() && input.flip.2 != 0 {
        let hash = usize::from(input.flip.0) % proof.len();
        let mut bytes = *proof[hash].as_bytes();
        bytes[usize::from(input.flip.1) % 32] ^= input.flip.2;
        proof[hash] = Hash::from(bytes);
        assert!(verify_inclusion(&leaves[at], index, view.size(), &proof, &view.root()).is_err());
    }
});
