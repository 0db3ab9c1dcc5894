//! A writer: appends, appends again, and sends what must be refused.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use merkle::{Hash, LeafIndex};
use verifier::encoding::base64;

use super::entries::Acknowledged;
use super::refusals::{self, refused};
use super::report::{Kind, Tally};
use super::{Shared, Trouble, chosen, json, patience, scattered};
use crate::connection::{Call, Connection};

const APPEND: &str = "/log/entries";

/// What the log said of the entries of one request.
struct Told {
    /// Index and leaf hash of each, in the order in which they were sent.
    places: Vec<(LeafIndex, String)>,
    checkpoint: String,
}

pub(super) async fn write(shared: Arc<Shared>, writer: u64) -> Tally {
    let keys = &shared.options.keys;
    let key = &keys[chosen(writer, keys.len())];
    let refusals = refusals::of_appends(key);
    let mut connection = Connection::new(shared.options.server.clone());
    let mut tally = Tally::default();
    let mut turn = 0;
    while shared.writer_goes_on(turn) {
        // Writers begin at different places of the ten, so that they do not all do the same at a time.
        let choice = scattered((writer << 32) | turn);
        let (kind, done) = match ((turn + writer) % 10, shared.entries.any_acknowledged(choice)) {
            (3, _) => {
                let refusal = &refusals[chosen(choice, refusals.len())];
                (Kind::Malformed, tally.timed(refused(&mut connection, refusal)).await)
            }
            (7, Some(known)) => (Kind::Duplicate, tally.timed(again(&shared, &mut connection, key, known)).await),
            _ => (Kind::Append, tally.timed(append(&shared, &mut connection, key)).await),
        };
        if let Some(trouble) = tally.record(kind, done) {
            patience(&trouble, &shared).await;
        }
        shared.pause().await;
        turn += 1;
    }
    shared.writing.fetch_sub(1, Ordering::Relaxed);
    tally
}

/// Appends new entries.
async fn append(shared: &Shared, connection: &mut Connection, key: &str) -> Result<(), Trouble> {
    let numbers: Vec<u64> = (0..shared.options.batch).map(|_| shared.entries.next()).collect();
    for (number, index) in numbers.iter().zip(send(shared, connection, key, &numbers).await?) {
        shared.entries.acknowledge(Acknowledged { number: *number, index });
    }
    Ok(())
}

/// Appends an entry that is there already: it must keep its place.
async fn again(shared: &Shared, connection: &mut Connection, key: &str, known: Acknowledged) -> Result<(), Trouble> {
    let index = send(shared, connection, key, &[known.number]).await?[0];
    if index == known.index {
        return Ok(());
    }
    Err(Trouble::wrong(format!("an entry was first at {} and is now at {index}", known.index)))
}

/// Appends entries and checks everything in the answer that can be checked without a proof.
async fn send(
    shared: &Shared,
    connection: &mut Connection,
    key: &str,
    numbers: &[u64],
) -> Result<Vec<LeafIndex>, Trouble> {
    let entries: Vec<Vec<u8>> = numbers.iter().map(|number| shared.entries.bytes(*number)).collect();
    let hashes: Vec<Hash> = entries.iter().map(|bytes| merkle::leaf_hash(bytes)).collect();
    let told = post(connection, key, entries).await?;
    let checkpoint = shared.followed.open(&told.checkpoint)?;
    if told.places.len() != hashes.len() {
        return Err(Trouble::wrong(format!("{} entries were sent, {} acknowledged", hashes.len(), told.places.len())));
    }
    for ((index, leaf_hash), ours) in told.places.iter().zip(&hashes) {
        if *leaf_hash != base64(ours.as_bytes()) {
            return Err(Trouble::wrong(format!("the entry {index} was sent with another leaf hash than {leaf_hash}")));
        }
        if index.get() >= checkpoint.size.get() {
            let size = checkpoint.size;
            return Err(Trouble::wrong(format!("the checkpoint of {size} entries does not cover the entry {index}")));
        }
    }
    Ok(told.places.into_iter().map(|(index, _)| index).collect())
}

/// One entry goes as it is, more as a list.
async fn post(connection: &mut Connection, key: &str, mut entries: Vec<Vec<u8>>) -> Result<Told, Trouble> {
    if entries.len() == 1 {
        let reply = connection.send(&Call::post(APPEND, key, "application/octet-stream", entries.remove(0))).await?;
        let told: api::Appended = json("an append", &reply)?;
        return Ok(Told { places: vec![(LeafIndex::new(told.index), told.leaf_hash)], checkpoint: told.checkpoint });
    }
    let texts: Vec<String> = entries.iter().map(|bytes| format!("\"{}\"", base64(bytes))).collect();
    let list = format!("[{}]", texts.join(","));
    let told: api::AppendedList =
        json("an append of a list", &connection.send(&Call::post(APPEND, key, "application/json", list)).await?)?;
    let places = told.entries.into_iter().map(|entry| (LeafIndex::new(entry.index), entry.leaf_hash));
    Ok(Told { places: places.collect(), checkpoint: told.checkpoint })
}
