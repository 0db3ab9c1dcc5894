//! The bound: the compressions of SHA-256 that the work needs, on blocks that lie ready, and nothing else. A leaf of 32
//! bytes is one compression, a node two.

use std::hint::black_box;

use sha2::block_api::compress256;

const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// So many leaves, each independent of the one before.
pub(crate) fn leaves(count: usize) -> u32 {
    let block = black_box([[0x5a; 64]]);
    let hash = |_| {
        let mut state = INITIAL;
        compress256(&mut state, &block);
        state[0]
    };
    (0..count).map(hash).fold(0, |all, one| all ^ one)
}

/// So many nodes, each independent of the one before.
pub(crate) fn nodes(count: usize) -> u32 {
    let blocks = black_box([[0x5a; 64]; 2]);
    let hash = |_| {
        let mut state = INITIAL;
        compress256(&mut state, &blocks);
        state[0]
    };
    (0..count).map(hash).fold(0, |all, one| all ^ one)
}

/// How many nodes a check hashes one after the other: towards the new root, and towards the old one.
#[derive(Clone, Copy)]
pub(crate) struct Links {
    new: usize,
    old: usize,
}

pub(crate) fn inclusion_links(index: u64, size: u64) -> Links {
    Links { new: siblings(index, size - 1).count(), old: 0 }
}

pub(crate) fn consistency_links(from: u64, to: u64) -> Links {
    let level = from.trailing_zeros();
    let siblings = siblings((from - 1) >> level, (to - 1) >> level);
    Links { new: siblings.clone().count(), old: siblings.filter(|&left| left).count() }
}

/// For each sibling on the way up, whether it stands on the left.
fn siblings(index: u64, last: u64) -> impl Iterator<Item = bool> + Clone {
    (0..u64::BITS).map(move |row| (index >> row, last >> row)).take_while(|(_, last)| *last > 0).filter_map(
        |(index, last)| match index % 2 {
            1 => Some(true),
            _ => (index < last).then_some(false),
        },
    )
}

/// Hashes each of which needs the one before: its bytes are the left part of the next message. The two chains of a
/// consistency proof are independent, so they run side by side while both last.
pub(crate) fn chains(links: Links) -> u32 {
    let mut new = black_box([0x5a; 128]);
    let mut old = new;
    for link in 0..links.new {
        next(&mut new);
        if link < links.old {
            next(&mut old);
        }
    }
    u32::from(new[1]) ^ u32::from(old[1])
}

fn next(message: &mut [u8; 128]) {
    let mut state = INITIAL;
    compress256(&mut state, message.as_chunks::<64>().0);
    for (bytes, word) in message[1..33].as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
}
