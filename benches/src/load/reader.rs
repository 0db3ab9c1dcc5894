//! A reader: lets the shared checkpoint grow, checks in it what the log has acknowledged, and sends what must be refused.

use std::sync::Arc;

use merkle::{Hash, LeafIndex};
use verifier::checkpoint::Checkpoint;
use verifier::encoding;

use super::followed::hashes;
use super::refusals::{self, refused};
use super::report::{Kind, Tally};
use super::{Shared, Trouble, chosen, json, patience, scattered};
use crate::connection::{Call, Connection};

pub(super) async fn read(shared: Arc<Shared>, reader: u64) -> Tally {
    let refusals = refusals::of_reads();
    let mut connection = Connection::new(shared.options.server.clone());
    let mut tally = Tally::default();
    let mut turn = 0;
    while shared.reader_goes_on(turn) {
        // Other choices than those of the writers.
        let choice = scattered((1 << 63) | (reader << 32) | turn);
        let (kind, done) = match (turn + reader) % 10 {
            0 | 5 => (Kind::Consistency, tally.timed(shared.followed.grow(&mut connection)).await),
            3 => {
                let refusal = &refusals[chosen(choice, refusals.len())];
                (Kind::Malformed, tally.timed(refused(&mut connection, refusal)).await)
            }
            _ => (Kind::Inclusion, tally.timed(inclusion(&shared, &mut connection, choice)).await),
        };
        if let Some(trouble) = tally.record(kind, done) {
            patience(&trouble, &shared).await;
        }
        shared.pause().await;
        turn += 1;
    }
    tally
}

/// Checks an acknowledged entry, or any entry while there is none, in the shared checkpoint.
async fn inclusion(shared: &Shared, connection: &mut Connection, choice: u64) -> Result<(), Trouble> {
    let newest = shared.followed.newest().await;
    if let Some(known) = shared.entries.any_acknowledged(choice) {
        let newest = if known.index.get() < newest.size.get() {
            newest
        } else {
            shared.followed.grow(connection).await?;
            shared.followed.newest().await
        };
        return included(connection, known.index, shared.entries.leaf_hash(known.number), &newest).await;
    }
    if newest.size.get() == 0 {
        return shared.followed.grow(connection).await;
    }
    let index = LeafIndex::new(choice % newest.size.get());
    let path = format!("/log/entries/{index}");
    let entry: api::LogEntry = json(&path, &connection.send(&Call::get(&path)).await?)?;
    let bytes = encoding::from_base64(&entry.entry).map_err(|error| Trouble::wrong(format!("{path}: {error}")))?;
    included(connection, index, merkle::leaf_hash(&bytes), &newest).await
}

async fn included(
    connection: &mut Connection,
    index: LeafIndex,
    leaf_hash: Hash,
    newest: &Checkpoint,
) -> Result<(), Trouble> {
    let size = newest.size;
    if index.get() >= size.get() {
        return Err(Trouble::wrong(format!("the entry {index} was acknowledged, and the log shows {size} entries")));
    }
    let path = format!("/log/proof/inclusion?index={index}&size={size}");
    let proof: api::LogInclusionProof = json(&path, &connection.send(&Call::get(&path)).await?)?;
    merkle::verify_inclusion(&leaf_hash, index, size, &hashes(&path, &proof.hashes)?, &newest.root)
        .map_err(|error| Trouble::wrong(format!("the entry {index} is not in the tree of {size} entries: {error}")))
}
