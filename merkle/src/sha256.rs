//! SHA-256 of the two messages of a tree, straight on the compression function: FIPS 180-4 §5 and §6.2 for the padding
//! and the first state, RFC 6962 §2.1 for the byte in front.
//!
//! The general hasher of `sha2` copies every message through a buffer and counts its bytes. A node is always 65 bytes:
//!
//! ```text
//! block 1   01 | left, 32 bytes | the first 31 bytes of right
//! block 2   the last byte of right | 80 | zeros | 02 08, which is the length in bits
//! ```
//!
//! so all but 64 bytes of it are constant. A leaf's entry of up to 54 bytes fits one block, and of a longer one the
//! whole blocks are hashed where they lie.

use sha2::block_api::compress256;

const BLOCK: usize = 64;

/// The state before the first block.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// What is the same in every node: the byte in front, the padding and the length.
const NODE: [u8; 2 * BLOCK] = {
    let mut message = [0; 2 * BLOCK];
    let [high, low] = (65u16 * 8).to_be_bytes();
    message[0] = 0x01;
    message[65] = 0x80;
    message[126] = high;
    message[127] = low;
    message
};

/// `SHA-256(0x01 ‖ left ‖ right)`.
pub(crate) fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut message = NODE;
    message[1..33].copy_from_slice(left);
    message[33..65].copy_from_slice(right);
    let mut state = INITIAL;
    compress256(&mut state, message.as_chunks::<BLOCK>().0);
    bytes(state)
}

/// The messages of some independent nodes, all written before the first is hashed.
///
/// A message that is hashed as soon as it is written is still on its way to the cache, and the processor waits for it.
/// Written ahead, the hashing of one node overlaps with that of the next: a third less time for each.
pub(crate) struct Nodes([[u8; 2 * BLOCK]; Nodes::MOST]);

impl Nodes {
    /// How many nodes it holds.
    pub(crate) const MOST: usize = 16;

    pub(crate) const fn new() -> Nodes {
        Nodes([NODE; Nodes::MOST])
    }

    pub(crate) fn put(&mut self, slot: usize, left: &[u8; 32], right: &[u8; 32]) {
        self.0[slot][1..33].copy_from_slice(left);
        self.0[slot][33..65].copy_from_slice(right);
    }

    pub(crate) fn hash(&self, slot: usize) -> [u8; 32] {
        let mut state = INITIAL;
        compress256(&mut state, self.0[slot].as_chunks::<BLOCK>().0);
        bytes(state)
    }
}

/// `SHA-256(0x00 ‖ entry)`.
pub(crate) fn leaf(entry: &[u8]) -> [u8; 32] {
    let mut state = INITIAL;
    // What is left of the message, with the padding: one block or two. Its first byte is the 0x00 already.
    let mut last = [0; 2 * BLOCK];
    let left = if let Some((first, rest)) = entry.split_first_chunk::<{ BLOCK - 1 }>() {
        let mut block = [0; BLOCK];
        block[1..].copy_from_slice(first);
        compress256(&mut state, &[block]);
        let (whole, rest) = rest.as_chunks::<BLOCK>();
        compress256(&mut state, whole);
        last[..rest.len()].copy_from_slice(rest);
        rest.len()
    } else {
        last[1..=entry.len()].copy_from_slice(entry);
        1 + entry.len()
    };
    last[left] = 0x80;
    let padded = if left < BLOCK - 8 { BLOCK } else { 2 * BLOCK };
    let bits = (1 + entry.len() as u64) * 8;
    last[padded - 8..padded].copy_from_slice(&bits.to_be_bytes());
    compress256(&mut state, last[..padded].as_chunks::<BLOCK>().0);
    bytes(state)
}

fn bytes(state: [u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (four, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *four = word.to_be_bytes();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use sha2::{Digest, Sha256};

    use super::*;

    /// Past two blocks, so that every place of the padding is there.
    #[test]
    fn leaves_of_every_length_are_what_the_general_hasher_says() {
        let message: Vec<u8> = (0..=300u32).map(|n| (n * n % 251) as u8).collect();
        for length in 0..message.len() {
            let expected: [u8; 32] = Sha256::digest([&[0x00], &message[..length]].concat()).into();
            assert_eq!(leaf(&message[..length]), expected, "{length} bytes");
        }
    }

    #[test]
    fn nodes_are_what_the_general_hasher_says() {
        for n in 0..=255 {
            let (left, right) = (leaf(&[n]), leaf(&[n, n]));
            let expected: [u8; 32] = Sha256::digest([&[0x01][..], &left, &right].concat()).into();
            assert_eq!(node(&left, &right), expected);
        }
    }
}
