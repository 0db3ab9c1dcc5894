//! What bounds the log: RocksDB alone with its own defaults, writing what the log writes, synced; and an axum handler that
//! reads a body and gives a fixed answer.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use rocksdb::{DB, Options, WaitForCompactOptions, WriteBatch, WriteOptions};

use crate::entry;

/// Hashes in a full tile.
const WIDTH: u64 = 256;
const HASH: usize = 32;

/// RocksDB without anything of ours.
pub(crate) struct RocksAlone {
    db: DB,
    sync: WriteOptions,
    size: u64,
}

impl RocksAlone {
    pub(crate) fn open(path: &Path) -> Self {
        let mut options = Options::default();
        options.create_if_missing(true);
        let mut sync = WriteOptions::default();
        sync.set_sync(true);
        Self { db: DB::open(&options, path).expect("a database"), sync, size: 0 }
    }

    /// Entries written in a second, in batches of one size. What is written is made before the clock runs.
    pub(crate) fn entries_per_second(&mut self, batch: u64, time: Duration) -> f64 {
        let (mut spent, mut written) = (Duration::ZERO, 0);
        while spent < time {
            let changes = self.changes(batch);
            let begun = Instant::now();
            let mut writes = WriteBatch::default();
            for (key, value) in &changes {
                writes.put(key, value);
            }
            self.db.write_opt(writes, &self.sync).expect("a write");
            spent += begun.elapsed();
            written += batch;
        }
        // Its buffers are large, so most of what it writes out it would write while the other side is measured.
        self.db.wait_for_compact(&WaitForCompactOptions::default()).expect("an idle database");
        written as f64 / spent.as_secs_f64()
    }

    /// What the log writes for a batch: entries, the leaf index, the tiles that changed, the tree head and the time.
    fn changes(&mut self, batch: u64) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut changes = Vec::new();
        let end = self.size + batch;
        for index in self.size..end {
            let bytes = entry(index);
            let hash = merkle::leaf_hash(&bytes);
            changes.push(([b"h", &hash.as_bytes()[..8]].concat(), index.to_be_bytes()[5..].to_vec()));
            changes.push(([b"e", index.to_be_bytes().as_slice()].concat(), bytes));
        }
        for level in 0..3_u8 {
            let (from, to) = (self.size >> (8 * level), end >> (8 * level));
            if from == to {
                break;
            }
            for tile in from / WIDTH..=to / WIDTH {
                let width = usize::try_from(to - tile * WIDTH).unwrap_or(usize::MAX).min(256);
                let key = [b"t", [level].as_slice(), &tile.to_be_bytes()].concat();
                changes.push((key, (0..width * HASH).map(|i| i.to_le_bytes()[0]).collect()));
            }
        }
        changes.push((b"!head".to_vec(), vec![7; 8 + HASH]));
        changes.push((b"!time".to_vec(), vec![7; 8]));
        self.size = end;
        changes
    }
}

/// Serves a fixed answer: to a POST with any body, and to a GET.
pub(crate) async fn bare_handler(answer: Bytes) -> SocketAddr {
    let (posted, got) = (answer.clone(), answer);
    let routes = Router::new()
        .route(
            "/log/entries",
            post(async move |body: Bytes| if body.is_empty() { Bytes::new() } else { posted.clone() }),
        )
        .route("/static", get(async move || got.clone()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}
