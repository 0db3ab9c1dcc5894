//! The one door to a log: its resources as bytes (C2SP tlog-tiles), and the steps from there to hashes and entries.
//!
//! A reader fetches and knows nothing of what the bytes mean; it keeps the cap of each resource. What comes out of it is
//! a claim of whoever keeps the log, until it is hashed.

use std::fmt;

use merkle::{Hash, Tile, TileReader, TreeSize};
use verifier::bundle::{self, MAX_ENTRY};

/// The largest checkpoint that is read, in bytes.
pub const MAX_CHECKPOINT: usize = 16 * 1024;
/// The size of a full tile of hashes, in bytes.
pub const MAX_TILE: usize = Tile::WIDTH as usize * Hash::LEN;
/// The largest entry bundle there can be, in bytes.
pub const MAX_BUNDLE: usize = Tile::WIDTH as usize * (2 + MAX_ENTRY);

/// Fetches the resources of one log.
///
/// Many threads read at the same time, and a call blocks until it has an answer: call it from threads that may wait, not
/// from an executor's.
pub trait LogReader: Send + Sync {
    /// The bytes of a resource, at most [`Resource::limit`] of them, as they are kept.
    fn read(&self, resource: Resource) -> Result<Vec<u8>, ReadError>;

    /// Where the log is, for people: an address or a folder.
    fn place(&self) -> String;
}

/// What a log has to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// The newest signed checkpoint.
    Checkpoint,
    /// A tile of hashes.
    Hashes(Tile),
    /// The entries below a tile of level 0.
    Entries(Tile),
}

impl Resource {
    /// How many bytes a reader takes at most.
    pub fn limit(self) -> usize {
        match self {
            Self::Checkpoint => MAX_CHECKPOINT,
            Self::Hashes(_) => MAX_TILE,
            Self::Entries(_) => MAX_BUNDLE,
        }
    }

    /// The error for an answer over the limit.
    pub fn too_large(self) -> ReadError {
        ReadError::TooLarge { resource: self, limit: self.limit() }
    }

    /// The full tile or bundle that has a partial one's content at its beginning.
    fn fuller(self) -> Option<Self> {
        let full = |tile: Tile| (!tile.is_full()).then_some(Tile { width: Tile::WIDTH, ..tile });
        match self {
            Self::Checkpoint => None,
            Self::Hashes(tile) => full(tile).map(Self::Hashes),
            Self::Entries(tile) => full(tile).map(Self::Entries),
        }
    }
}

/// The path below the log's prefix.
impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Hashes(tile) => write!(f, "tile/{}", tile.path()),
            Self::Entries(tile) => write!(f, "tile/{}", tile.entries_path()),
        }
    }
}

/// Why a resource could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The log says that it does not have it. A log must have all tiles of every checkpoint that it published.
    #[error("{0}: the log does not have it")]
    NotFound(Resource),
    /// No answer, a slow one, or a server that is busy: another try may help.
    #[error("{resource}: {reason}")]
    Unavailable {
        /// What was asked for.
        resource: Resource,
        /// Why it failed, the last time it was tried.
        reason: String,
    },
    /// The server does not want to: another try does not help.
    #[error("{resource}: refused, {reason}")]
    Refused {
        /// What was asked for.
        resource: Resource,
        /// What the server answered.
        reason: String,
    },
    /// The answer is larger than the resource can be.
    #[error("{resource}: more than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        resource: Resource,
        /// How many bytes it may have.
        limit: usize,
    },
    /// The bytes are not what was asked for.
    #[error("{resource}: {reason}")]
    Malformed {
        /// What was asked for.
        resource: Resource,
        /// What is wrong with the bytes.
        reason: String,
    },
    /// The store below a directory broke.
    #[error("{resource}: the store failed: {reason}")]
    Store {
        /// What was asked for.
        resource: Resource,
        /// The store's words.
        reason: String,
    },
}

impl ReadError {
    /// What was asked for.
    pub fn resource(&self) -> Resource {
        match self {
            Self::NotFound(resource)
            | Self::Unavailable { resource, .. }
            | Self::Refused { resource, .. }
            | Self::TooLarge { resource, .. }
            | Self::Malformed { resource, .. }
            | Self::Store { resource, .. } => *resource,
        }
    }

    /// Whether the same question may be answered later on. All else is something that the log did wrong.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// Reads a partial resource, or the full one if the log keeps only that by now.
pub(crate) fn read_or_fuller(reader: &dyn LogReader, resource: Resource) -> Result<(Resource, Vec<u8>), ReadError> {
    match (reader.read(resource), resource.fuller()) {
        (Err(ReadError::NotFound(_)), Some(fuller)) => match reader.read(fuller) {
            Ok(bytes) => Ok((fuller, bytes)),
            // What was asked for is what is missing.
            Err(ReadError::NotFound(_)) => Err(ReadError::NotFound(resource)),
            Err(error) => Err(error),
        },
        (answer, _) => answer.map(|bytes| (resource, bytes)),
    }
}

/// The hashes of a tile, exactly as many as its width.
pub fn read_hashes(reader: &dyn LogReader, tile: Tile) -> Result<Vec<Hash>, ReadError> {
    let (resource, bytes) = read_or_fuller(reader, Resource::Hashes(tile))?;
    let malformed = |reason: String| ReadError::Malformed { resource, reason };
    let mut hashes = bundle::decode_tile(&bytes).map_err(|error| malformed(error.to_string()))?;
    if hashes.len() != width_of(resource) {
        return Err(malformed(format!("{} hashes where the width is {}", hashes.len(), width_of(resource))));
    }
    hashes.truncate(usize::from(tile.width));
    Ok(hashes)
}

/// The entries below a tile, exactly as many as its width.
pub fn read_entries(reader: &dyn LogReader, tile: Tile) -> Result<Vec<Vec<u8>>, ReadError> {
    let (resource, bytes) = read_or_fuller(reader, Resource::Entries(tile))?;
    let entries = bundle::decode_bundle(&bytes, width_of(resource))
        .map_err(|error| ReadError::Malformed { resource, reason: error.to_string() })?;
    Ok(entries.into_iter().take(usize::from(tile.width)).map(<[u8]>::to_vec).collect())
}

pub(crate) fn width_of(resource: Resource) -> usize {
    match resource {
        Resource::Checkpoint => 0,
        Resource::Hashes(tile) | Resource::Entries(tile) => usize::from(tile.width),
    }
}

/// The bundles of the entries from `from` up to the tree of size `to`, in order. The first may begin before `from`.
pub fn bundles(from: TreeSize, to: TreeSize) -> impl Iterator<Item = Tile> {
    let width = u64::from(Tile::WIDTH);
    let indexes = if from < to { from.get() / width..to.get().div_ceil(width) } else { 0..0 };
    indexes.filter_map(move |index| Tile::at(0, index, to))
}

/// The tiles of a log for the proofs of `merkle`, as `TileNodes { size, reader: Tiles(reader) }`.
#[derive(Clone, Copy)]
pub struct Tiles<'a>(pub &'a dyn LogReader);

impl TileReader for Tiles<'_> {
    type Error = ReadError;

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<Hash>>, ReadError> {
        tiles.iter().map(|tile| read_hashes(self.0, *tile)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on stops")]

    use std::collections::HashMap;

    use merkle::{TileNodes, leaf_hash, root, root_at};
    use verifier::bundle::encode_bundle;

    use super::*;

    /// Some resources of a log; the others are not there.
    #[derive(Default)]
    struct Kept(HashMap<Resource, Vec<u8>>);

    impl LogReader for Kept {
        fn read(&self, resource: Resource) -> Result<Vec<u8>, ReadError> {
            self.0.get(&resource).cloned().ok_or(ReadError::NotFound(resource))
        }

        fn place(&self) -> String {
            "memory".to_owned()
        }
    }

    fn tile(width: u16) -> Tile {
        Tile { level: 0, index: 0, width }
    }

    fn hashes(count: u16) -> Vec<Hash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    fn bytes(hashes: &[Hash]) -> Vec<u8> {
        hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
    }

    #[test]
    fn a_partial_tile_may_be_replaced_by_the_full_one() {
        let reader = Kept(HashMap::from([(Resource::Hashes(tile(256)), bytes(&hashes(256)))]));
        assert_eq!(read_hashes(&reader, tile(3)), Ok(hashes(3)));
        let entries: Vec<Vec<u8>> = (0..256_u16).map(|n| n.to_be_bytes().to_vec()).collect();
        let bundle = encode_bundle(&entries).unwrap();
        let reader = Kept(HashMap::from([(Resource::Entries(tile(256)), bundle)]));
        assert_eq!(read_entries(&reader, tile(3)), Ok(entries[..3].to_vec()));
        assert_eq!(read_hashes(&reader, tile(3)), Err(ReadError::NotFound(Resource::Hashes(tile(3)))));
    }

    #[test]
    fn other_widths_and_broken_bytes_are_malformed() {
        for wrong in [bytes(&hashes(2)), bytes(&hashes(4)), vec![0; 95], Vec::new()] {
            let reader = Kept(HashMap::from([(Resource::Hashes(tile(3)), wrong)]));
            assert!(matches!(read_hashes(&reader, tile(3)), Err(ReadError::Malformed { .. })));
        }
        for wrong in [encode_bundle(["a", "b"]).unwrap(), vec![0, 1, b'a', 0], vec![0xff; 100]] {
            let reader = Kept(HashMap::from([(Resource::Entries(tile(3)), wrong)]));
            assert!(matches!(read_entries(&reader, tile(3)), Err(ReadError::Malformed { .. })));
        }
    }

    #[test]
    fn bundles_cover_what_is_new() {
        let covered = |from, to| bundles(TreeSize::new(from), TreeSize::new(to)).collect::<Vec<_>>();
        assert_eq!(covered(0, 0), []);
        assert_eq!(covered(7, 7), []);
        assert_eq!(covered(9, 7), []);
        assert_eq!(covered(0, 3), [tile(3)]);
        assert_eq!(covered(255, 257), [tile(256), Tile { index: 1, ..tile(1) }]);
        assert_eq!(covered(256, 257), [Tile { index: 1, ..tile(1) }]);
        assert_eq!(covered(u64::MAX - 1, u64::MAX).len(), 1);
    }

    #[test]
    fn roots_are_computed_from_what_a_reader_gives() {
        let leaves = hashes(7);
        let reader = Kept(HashMap::from([(Resource::Hashes(tile(7)), bytes(&leaves))]));
        let size = TreeSize::new(7);
        assert_eq!(root_at(size, &TileNodes { size, reader: Tiles(&reader) }).unwrap(), root(&leaves));
    }

    #[test]
    fn paths_are_those_of_tlog_tiles() {
        assert_eq!(Resource::Checkpoint.to_string(), "checkpoint");
        assert_eq!(Resource::Hashes(tile(7)).to_string(), "tile/0/000.p/7");
        assert_eq!(Resource::Entries(tile(256)).to_string(), "tile/entries/000");
        assert_eq!(MAX_BUNDLE, 256 * (2 + 65_535));
    }
}
