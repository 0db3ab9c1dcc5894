//! Whatever it is given, `verify_consistency` returns. A genuine proof passes, and with a byte of it changed it does not.
#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use merkle::{Hash, MemoryTree, TreeSize, leaf_hash, verify_consistency};

#[derive(Arbitrary, Debug)]
struct Input {
    from: u64,
    to: u64,
    roots: [[u8; 32]; 2],
    proof: Vec<[u8; 32]>,
    /// In which hash and byte of it a genuine proof is changed, and how.
    flip: (u8, u8, u8),
}

fuzz_target!(|input: Input| {
    let [old, new] = input.roots.map(Hash::from);
    let proof: Vec<Hash> = input.proof.into_iter().map(Hash::from).collect();
    // Nothing is claimed of the verdict: whoever chooses the roots too can make any proof pass.
    let _ = verify_consistency(TreeSize::new(input.from), TreeSize::new(input.to), &old, &new, &proof);

    let to = 1 + input.to % 50;
    let mut tree = MemoryTree::new();
    for n in 0..to {
        tree.append(leaf_hash(&n.to_be_bytes()));
    }
    let (new, Some(old)) = (tree.latest(), tree.at(TreeSize::new(input.from % (to + 1)))) else {
        unreachable!("the old size is at most the new one")
    };
    let mut proof = new.prove_consistency(old.size()).expect("an older size");
    assert_eq!(verify_consistency(old.size(), new.size(), &old.root(), &new.root(), &proof), Ok(()));
    if !proof.is_empty() && input.flip.2 != 0 {
        let hash = usize::from(input.flip.0) % proof.len();
        let mut bytes = *proof[hash].as_bytes();
        bytes[usize::from(input.flip.1) % 32] ^= input.flip.2;
        proof[hash] = Hash::from(bytes);
        assert!(verify_consistency(old.size(), new.size(), &old.root(), &new.root(), &proof).is_err());
    }
});
