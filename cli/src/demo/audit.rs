//! What an auditor does with the public log: rebuild the root from the tiles, and prove that nothing signed was taken back.

use api::ConsistencyProof;
use merkle::{Hash, Tile, TreeSize, leaf_hash, root, verify_consistency};
use verifier::bundle::{decode_bundle, decode_tile};
use verifier::checkpoint::Checkpoint;
use verifier::encoding;
use verifier::note::VerifierKey;

use super::{Wrong, require};
use crate::client::Client;

/// The newest checkpoint, its signature verified.
pub(super) async fn checkpoint(client: &Client, key: &VerifierKey) -> Result<Checkpoint, Wrong> {
    Ok(Checkpoint::open(&client.bytes("/log/checkpoint").await?, key)?)
}

/// Fetches every entry and every tile of leaf hashes, hashes the entries, and compares with the tiles and with the
/// checkpoint's root.
pub(super) async fn rebuild(client: &Client, head: &Checkpoint) -> Result<(), Wrong> {
    let mut leaves: Vec<Hash> = Vec::new();
    for tile in (0..).map_while(|index| Tile::at(0, index, head.size)) {
        let bundle = client.bytes(&format!("/log/tile/{}", tile.entries_path())).await?;
        let entries = decode_bundle(&bundle, usize::from(tile.width))?;
        let hashes: Vec<Hash> = entries.into_iter().map(leaf_hash).collect();
        let stored = decode_tile(&client.bytes(&format!("/log/tile/{}", tile.path())).await?)?;
        require(stored == hashes, "a tile does not hold the hashes of its entries")?;
        leaves.extend(hashes);
    }
    require(root(&leaves) == head.root, "the entries give another root than the checkpoint")
}

/// Verifies that the newer tree is the older one with entries added at the end.
pub(super) async fn extends(client: &Client, old: &Checkpoint, new: &Checkpoint) -> Result<(), Wrong> {
    let path = format!("/log/proof/consistency?from={}&to={}", old.size, new.size);
    let proof: ConsistencyProof = client.json(&path).await?;
    let same = TreeSize::new(proof.from) == old.size && TreeSize::new(proof.to) == new.size;
    require(same, "the proof is for other sizes")?;
    let hash = |text: &String| encoding::array_from_base64(text).map(Hash::from_bytes);
    let hashes = proof.hashes.iter().map(hash).collect::<Result<Vec<_>, _>>()?;
    Ok(verify_consistency(old.size, new.size, &old.root, &new.root, &hashes)?)
}
