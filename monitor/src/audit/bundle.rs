//! The work on one bundle, on any thread: read it and the tile of level 0 above it, hash, parse, compare.

use merkle::{CompactRange, Hash, LeafIndex, Tile};
use verifier::bundle::{self, BundleError};

use super::finding::{Finding, What};
use crate::reader::{LogReader, ReadError, Resource, read_hashes, read_or_fuller, width_of};
use crate::rules::{Prepared, prepare};

/// What became of one bundle.
pub(super) struct Bundle {
    pub(super) tile: Tile,
    /// Its entries; none if they could not be read.
    pub(super) entries: Option<Vec<Prepared>>,
    /// The subtree that the entries give.
    pub(super) by_entries: Option<CompactRange>,
    /// The subtree that the tile of level 0 gives.
    pub(super) by_tile: Option<CompactRange>,
    pub(super) findings: Vec<Finding>,
    /// Bytes of both.
    pub(super) bytes: u64,
    /// The log does not answer any more.
    pub(super) unavailable: Option<ReadError>,
}

impl Bundle {
    /// Reads the bundle of a tile of level 0.
    pub(super) fn read(reader: &dyn LogReader, tile: Tile) -> Self {
        let mut bundle = Self {
            tile,
            entries: None,
            by_entries: None,
            by_tile: None,
            findings: Vec::new(),
            bytes: 0,
            unavailable: None,
        };
        bundle.read_entries(reader);
        let leaves = bundle.entries.as_ref().map(|entries| entries.iter().map(Prepared::leaf_hash).collect::<Vec<_>>());
        let stored = read_hashes(reader, tile).map_err(|error| bundle.unreadable(error)).ok();
        bundle.bytes += stored.as_ref().map_or(0, |stored| stored.len() as u64 * Hash::LEN as u64);
        if let (Some(leaves), Some(stored)) = (&leaves, &stored) {
            bundle.compare(leaves, stored);
        }
        // Where both agree, which is everywhere in a good log, the subtree is hashed once.
        bundle.by_tile = stored.as_ref().filter(|stored| leaves.as_ref() != Some(stored)).map(|hashes| range(hashes));
        bundle.by_entries = leaves.map(|hashes| range(&hashes));
        if stored.is_some() && bundle.by_tile.is_none() {
            bundle.by_tile.clone_from(&bundle.by_entries);
        }
        bundle
    }

    fn start(&self) -> u64 {
        self.tile.index * u64::from(Tile::WIDTH)
    }

    fn read_entries(&mut self, reader: &dyn LogReader) {
        let (resource, bytes) = match read_or_fuller(reader, Resource::Entries(self.tile)) {
            Ok(read) => read,
            Err(error) => return self.unreadable(error),
        };
        self.bytes += bytes.len() as u64;
        match bundle::decode_bundle(&bytes, width_of(resource)) {
            Ok(entries) => {
                let entries = entries.into_iter().take(usize::from(self.tile.width));
                self.entries = Some(entries.map(prepare).collect());
            }
            Err(error) => self.broken(resource, &error),
        }
    }

    fn broken(&mut self, resource: Resource, error: &BundleError) {
        let at = match error {
            BundleError::Truncated(at) => *at,
            BundleError::Width { given, needed } => *given.min(needed),
            BundleError::EntryTooLarge(_) | BundleError::NotHashes(_) => 0,
        };
        let index = self.start() + at as u64;
        let what = What::Bundle { index: LeafIndex::new(index), resource, reason: error.to_string() };
        self.findings.push(Finding { index, what });
    }

    fn unreadable(&mut self, error: ReadError) {
        if error.is_retryable() {
            self.unavailable = Some(error);
            return;
        }
        let start = self.start();
        self.findings.push(Finding { index: start, what: What::Unreadable { start, error } });
    }

    fn compare(&mut self, leaves: &[Hash], stored: &[Hash]) {
        let pairs = (self.start()..).zip(leaves.iter().zip(stored));
        let mut differing = pairs.filter(|(_, (computed, stored))| computed != stored);
        let Some((index, (computed, stored))) = differing.next() else { return };
        let (tile, further) = (self.tile, differing.count());
        let what = What::LeafHash { index: LeafIndex::new(index), tile, computed: *computed, stored: *stored, further };
        self.findings.push(Finding { index, what });
    }
}

fn range(hashes: &[Hash]) -> CompactRange {
    hashes.iter().copied().collect()
}
