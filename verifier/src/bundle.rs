//! Entry bundles and hash tiles as bytes (C2SP tlog-tiles): `u16 length ‖ entry`, repeated; hashes end to end.

use merkle::{Hash, Tile};

/// The largest entry that a bundle can hold, in bytes.
pub const MAX_ENTRY: usize = 65_535;

/// Why bytes are not the tile or bundle that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// An entry that no bundle can hold.
    #[error("an entry of {0} bytes, at most {MAX_ENTRY} are allowed")]
    EntryTooLarge(usize),
    /// The bytes end inside an entry.
    #[error("the bundle ends inside entry {0}")]
    Truncated(usize),
    /// More or fewer items than the tile's width.
    #[error("{given} items where the width is {needed}")]
    Width {
        /// How many there are.
        given: usize,
        /// How many there must be.
        needed: usize,
    },
    /// A tile's bytes are not whole hashes.
    #[error("{0} bytes are not a number of whole hashes")]
    NotHashes(usize),
}

/// Writes an entry bundle.
pub fn encode_bundle<E: AsRef<[u8]>>(entries: impl IntoIterator<Item = E>) -> Result<Vec<u8>, BundleError> {
    let mut bytes = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        let length = u16::try_from(entry.len()).map_err(|_| BundleError::EntryTooLarge(entry.len()))?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// Reads an entry bundle of exactly `width` entries.
pub fn decode_bundle(mut bytes: &[u8], width: usize) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::with_capacity(width.min(usize::from(Tile::WIDTH)));
    while !bytes.is_empty() {
        let truncated = BundleError::Truncated(entries.len());
        let (length, rest) = bytes.split_first_chunk::<2>().ok_or_else(|| truncated.clone())?;
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or(truncated)?;
        entries.push(entry);
        bytes = rest;
    }
    if entries.len() == width { Ok(entries) } else { Err(BundleError::Width { given: entries.len(), needed: width }) }
}

/// Reads the hashes of a tile, all that there are.
pub fn decode_tile(bytes: &[u8]) -> Result<Vec<Hash>, BundleError> {
    let (hashes, rest) = bytes.as_chunks::<{ Hash::LEN }>();
    if rest.is_empty() {
        Ok(hashes.iter().copied().map(Hash::from_bytes).collect())
    } else {
        Err(BundleError::NotHashes(bytes.len()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bundles_round_trip_with_empty_and_largest_entries() {
        let entries = [vec![], vec![1], vec![2; MAX_ENTRY]];
        let bytes = encode_bundle(&entries).unwrap();
        assert_eq!(decode_bundle(&bytes, 3).unwrap(), entries);
        assert_eq!(encode_bundle([vec![0; MAX_ENTRY + 1]]), Err(BundleError::EntryTooLarge(65_536)));
    }

    #[test]
    fn every_truncation_and_every_other_width_is_refused() {
        let bytes = encode_bundle(["ab", "", "c"]).unwrap();
        for end in 0..bytes.len() {
            assert!(decode_bundle(&bytes[..end], 3).is_err(), "{end}");
        }
        assert_eq!(decode_bundle(&bytes, 2), Err(BundleError::Width { given: 3, needed: 2 }));
        assert_eq!(decode_bundle(&[bytes, vec![0]].concat(), 3), Err(BundleError::Truncated(3)));
        assert_eq!(decode_tile(&[0; 33]), Err(BundleError::NotHashes(33)));
        assert_eq!(decode_tile(&[0; 64]).unwrap().len(), 2);
    }
}
