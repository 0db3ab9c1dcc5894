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

use core::slice;

use sha2::block_api::compress256;

const BLOCK: usize = 64;

/// The state before the first block.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The message of a node. No block of it lies in two lines of the cache.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct NodeMessage([u8; 2 * BLOCK]);

/// What is the same in every node: the byte in front, the padding and the length.
const NODE: NodeMessage = {
    let mut message = [0; 2 * BLOCK];
    let [high, low] = (65u16 * 8).to_be_bytes();
    message[0] = 0x01;
    message[65] = 0x80;
    message[126] = high;
    message[127] = low;
    NodeMessage(message)
};

impl NodeMessage {
    fn put_left(&mut self, left: &[u8; 32]) {
        self.0[1..33].copy_from_slice(left);
    }

    fn put_right(&mut self, right: &[u8; 32]) {
        self.0[33..65].copy_from_slice(right);
    }

    fn hash(&self) -> [u8; 32] {
        let mut state = INITIAL;
        compress256(&mut state, self.0.as_chunks::<BLOCK>().0);
        bytes(state)
    }
}

/// `SHA-256(0x01 ‖ left ‖ right)`.
pub(crate) fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut message = NODE;
    message.put_left(left);
    message.put_right(right);
    message.hash()
}

/// The messages of some independent nodes, all written before the first is hashed.
///
/// A message that is hashed as soon as it is written is still on its way to the cache, and the processor waits for it.
/// Written ahead, the hashing of one node overlaps with that of the next: a third less time for each.
pub(crate) struct Nodes<const SLOTS: usize>([NodeMessage; SLOTS]);

impl<const SLOTS: usize> Nodes<SLOTS> {
    pub(crate) const fn new() -> Nodes<SLOTS> {
        Nodes([NODE; SLOTS])
    }

    pub(crate) fn put(&mut self, slot: usize, left: &[u8; 32], right: &[u8; 32]) {
        self.0[slot].put_left(left);
        self.0[slot].put_right(right);
    }

    pub(crate) fn hash(&self, slot: usize) -> [u8; 32] {
        self.0[slot].hash()
    }

    /// Takes the first slots, a power of two of them, for a row of the tree, and hashes up to the one node above. Each
    /// hash is written at once to where the row above needs it, into a slot that has been hashed already.
    pub(crate) fn hash_up(&mut self, slots: usize) -> [u8; 32] {
        for level in (0..slots.ilog2()).rev() {
            for parent in 0..1 << level {
                let left = self.hash(2 * parent);
                self.0[parent].put_left(&left);
                let right = self.hash(2 * parent + 1);
                self.0[parent].put_right(&right);
            }
        }
        self.hash(0)
    }
}

/// The messages of some leaves, written ahead like those of [`Nodes`].
pub(crate) struct Leaves([LeafMessage; Leaves::MOST]);

/// The message of a leaf that fits one block.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct LeafMessage([u8; BLOCK]);

impl Leaves {
    /// How many leaves it holds.
    pub(crate) const MOST: usize = 16;
    /// The longest entry that fits, beside the byte in front, the end mark and the length.
    const LONGEST: usize = BLOCK - 1 - 1 - 8;

    pub(crate) const fn new() -> Leaves {
        Leaves([LeafMessage([0; BLOCK]); Leaves::MOST])
    }

    /// Writes the message of a short entry. A long one is left to [`Leaves::hash`]: it has blocks that need no writing.
    #[inline]
    pub(crate) fn put(&mut self, slot: usize, entry: &[u8]) {
        let message = &mut self.0[slot].0;
        *message = [0; BLOCK];
        if let Some(place) = message[1..=Leaves::LONGEST].get_mut(..entry.len()) {
            place.copy_from_slice(entry);
            message[1 + entry.len()] = 0x80;
            message[BLOCK - 8..].copy_from_slice(&bits(entry).to_be_bytes());
        }
    }

    /// The hash of the entry that was put there.
    #[inline]
    pub(crate) fn hash(&self, slot: usize, entry: &[u8]) -> [u8; 32] {
        if entry.len() > Leaves::LONGEST {
            return leaf(entry);
        }
        let mut state = INITIAL;
        compress256(&mut state, slice::from_ref(&self.0[slot].0));
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
    last[padded - 8..padded].copy_from_slice(&bits(entry).to_be_bytes());
    compress256(&mut state, last[..padded].as_chunks::<BLOCK>().0);
    bytes(state)
}

/// The length of a leaf's message in bits.
fn bits(entry: &[u8]) -> u64 {
    (1 + entry.len() as u64) * 8
}

/// The words in one row. Taken two at a time they go through the integer registers, and leave the vector unit, which four
/// at a time would take, to the hashing.
fn bytes(state: [u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (eight, [high, low]) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(state.as_chunks::<2>().0) {
        *eight = ((u64::from(*high) << 32) + u64::from(*low)).to_be_bytes();
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

            let mut leaves = Leaves::new();
            // What was in the slot before leaves nothing behind.
            leaves.put(1, &[0xff; Leaves::LONGEST]);
            leaves.put(1, &message[..length]);
            assert_eq!(leaves.hash(1, &message[..length]), expected, "{length} bytes");
        }
    }

    #[test]
    fn nodes_are_what_the_general_hasher_says() {
        for n in 0..=255 {
            let (left, right) = (leaf(&[n]), leaf(&[n, n]));
            let expected: [u8; 32] = Sha256::digest([&[0x01][..], &left, &right].concat()).into();
            assert_eq!(node(&left, &right), expected);

            let mut nodes = Nodes::<2>::new();
            nodes.put(1, &left, &right);
            assert_eq!(nodes.hash(1), expected);
        }
    }
}
