//! Whatever it is given, `root_from_inclusion` returns, and `verify_inclusion` accepts the root that it gives and no other.
#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use merkle::{Hash, LeafIndex, ProofError, TreeSize, root_from_inclusion, verify_inclusion};

#[derive(Arbitrary, Debug)]
struct Input {
    leaf: [u8; 32],
    index: u64,
    size: u64,
    proof: Vec<[u8; 32]>,
    other: [u8; 32],
}

fuzz_target!(|input: Input| {
    let (leaf, expected) = (Hash::from(input.leaf), Hash::from(input.other));
    let proof: Vec<Hash> = input.proof.into_iter().map(Hash::from).collect();
    let (index, size) = (LeafIndex::new(input.index), TreeSize::new(input.size));
    match root_from_inclusion(&leaf, index, size, &proof) {
        Ok(computed) => {
            assert_eq!(verify_inclusion(&leaf, index, size, &proof, &computed), Ok(()));
            if computed != expected {
                let wrong = ProofError::WrongRoot { size, computed, expected };
                assert_eq!(verify_inclusion(&leaf, index, size, &proof, &expected), Err(wrong));
            }
        }
        Err(error) => assert_eq!(verify_inclusion(&leaf, index, size, &proof, &expected), Err(error)),
    }
});
