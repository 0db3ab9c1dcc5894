//! A stretch of new entries: fetched, hashed, shown to be in the signed tree, and only then held against the rules.
//!
//! A first run over a large log must be able to stop and go on, so a stretch is a few bundles and not all that is new. Its
//! entries are under the signed root all the same before anybody hears of them: the tree up to the end of the stretch is
//! computed from the entries themselves, and a consistency proof from the log's tiles leads from it to the root.

use std::thread::{available_parallelism, scope};

use merkle::{CompactRange, Tile, TileNodes, TreeSize, prove_consistency, verify_consistency};
use verifier::checkpoint::Checkpoint;
use verifier::webauthn::SignaturePrimitive;

use super::error::FollowError;
use crate::reader::{LogReader, ReadError, Tiles, bundles, read_entries};
use crate::rules::{Applied, Finding, Pins, Prepared, SignatureJob, State, prepare};

/// How many bundles are fetched at a time. Each may have 16 MiB.
const BUNDLES: u64 = 8;

/// The end of the stretch that begins at the cursor: the end of a bundle, or of the tree.
pub(super) fn end(cursor: TreeSize, tree: TreeSize) -> TreeSize {
    let length = BUNDLES * u64::from(Tile::WIDTH);
    let end = (cursor.get() / length).checked_add(1).and_then(|next| next.checked_mul(length));
    end.map_or(tree, |end| TreeSize::new(end).min(tree))
}

/// The entries behind `range` up to `to`, shown to be in the tree of the checkpoint.
pub(super) fn read(
    range: &CompactRange,
    to: TreeSize,
    checkpoint: &Checkpoint,
    reader: &dyn LogReader,
) -> Result<Vec<Prepared>, FollowError> {
    let from = range.size();
    let entries = fetch(from, to, reader)?;
    let mut grown = range.clone();
    grown.extend(entries.iter().map(Prepared::leaf_hash));
    let nodes = TileNodes { size: checkpoint.size, reader: Tiles(reader) };
    let proof = prove_consistency(to, checkpoint.size, &nodes).map_err(FollowError::tiles)?;
    match verify_consistency(to, checkpoint.size, &grown.root(), &checkpoint.root, &proof) {
        Ok(()) => Ok(entries),
        Err(error) => Err(FollowError::WrongEntries { from, to, size: checkpoint.size, reason: error.to_string() }),
    }
}

/// Fetches the bundles side by side, because a log is far away more often than it is slow.
fn fetch(from: TreeSize, to: TreeSize, reader: &dyn LogReader) -> Result<Vec<Prepared>, ReadError> {
    let tiles: Vec<Tile> = bundles(from, to).collect();
    let read = |tile: Tile| {
        let entries = read_entries(reader, tile)?;
        Ok(entries.iter().map(|entry| prepare(entry)).collect::<Vec<Prepared>>())
    };
    let answers: Vec<Result<Vec<Prepared>, ReadError>> = scope(|threads| {
        let started: Vec<_> = tiles.iter().map(|tile| threads.spawn(move || read(*tile))).collect();
        started
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let mut entries = Vec::new();
    for answer in answers {
        entries.extend(answer?);
    }
    // The first bundle may begin before the cursor.
    let before = usize::try_from(from.get() % u64::from(Tile::WIDTH)).unwrap_or(0);
    Ok(entries.split_off(before.min(entries.len())))
}

/// Holds entries against the rules, in order, and adds the signatures that do not verify to their findings.
pub(super) fn judge(
    state: &mut State,
    entries: Vec<Prepared>,
    primitive: &(dyn SignaturePrimitive + Sync),
) -> Vec<Applied> {
    let mut applied: Vec<Applied> = entries.into_iter().map(|entry| state.apply(entry)).collect();
    let jobs: Vec<(usize, SignatureJob)> =
        (0..).zip(&mut applied).filter_map(|(place, one)| one.signature.take().map(|job| (place, job))).collect();
    for (place, finding) in check_all(&jobs, state.pins(), primitive) {
        applied[place].findings.push(finding);
    }
    applied
}

fn check_all(
    jobs: &[(usize, SignatureJob)],
    pins: &Pins,
    primitive: &(dyn SignaturePrimitive + Sync),
) -> Vec<(usize, Finding)> {
    let threads = available_parallelism().map_or(1, usize::from);
    let each = jobs.len().div_ceil(threads).max(1);
    let check = |jobs: &[(usize, SignatureJob)]| {
        let found = |(place, job): &(usize, SignatureJob)| Some((*place, job.check(pins, primitive).err()?));
        jobs.iter().filter_map(found).collect::<Vec<_>>()
    };
    scope(|threads| {
        let started: Vec<_> = jobs.chunks(each).map(|jobs| threads.spawn(move || check(jobs))).collect();
        let ended = started.into_iter();
        ended.flat_map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    })
}
