//! Black-box tests of the tree, one idea a file: against RFC 6962 read aloud, by law, at the edges of 64 bits, and
//! against what other people computed.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod ct_roots;
mod errors;
mod exhaustive;
mod extremes;
mod laws;
mod negative;
mod ranges;
mod reference;
mod stored_tiles;
mod tile_paths;
mod tile_sets;
