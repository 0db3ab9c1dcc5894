//! Proofs and tiles served in a second, beside a handler that gives a fixed answer of the same length.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use benches::Running;
use benches::connection::{Call, Connection};
use hyper::body::Bytes;
use store_rocksdb::RocksStore;
use tokio::task::JoinSet;

use crate::bounds::bare_handler;
use crate::over_http::server;
use crate::table::{Aim, Table};
use crate::{Rounds, entry, median, per_second};

const CLIENTS: usize = 16;
const ENTRIES: u64 = 100_000;

/// The path of the n-th request.
type PathOf = fn(u64) -> String;

const READS: [(&str, PathOf); 5] = [
    ("inclusion proofs", |n| format!("/log/proof/inclusion?index={}", scattered(n, ENTRIES))),
    ("consistency proofs", |n| format!("/log/proof/consistency?from={}", 1 + scattered(n, ENTRIES))),
    ("full tiles", |n| format!("/log/tile/0/{}", tile_number(scattered(n, ENTRIES / 256)))),
    ("entry bundles", |n| format!("/log/tile/entries/{}", tile_number(scattered(n, ENTRIES / 256)))),
    ("checkpoints", |_| "/log/checkpoint".to_owned()),
];

pub(crate) async fn measure(rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = RocksStore::open(&folder.path().join("db")).expect("a store");
    let running = Running::start(Arc::new(store), &folder.path().join("anchor")).expect("a log");
    fill(&running, ENTRIES).await;
    let ours = running.listen().await.expect("a port");
    for (name, path_of) in READS {
        let answer = get(&mut Connection::new(server(ours)), &path_of(1)).await;
        let bare = bare_handler(answer).await;
        let (mut our_rates, mut bare_rates) = (Vec::new(), Vec::new());
        for _ in 0..rounds.count {
            our_rates.push(rate(ours, path_of, rounds.time).await);
            bare_rates.push(rate(bare, |_| "/static".to_owned(), rounds.time).await);
        }
        let what = format!("{name} over HTTP, {CLIENTS} clients");
        let (ours, bare) = (median(our_rates.into_iter()), median(bare_rates.into_iter()));
        table.rate(&what, ours, "a handler that does nothing", bare, Aim::None);
    }
    running.stop();
}

/// Appends entries, in lists.
pub(crate) async fn fill(running: &Running, entries: u64) {
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (log, next) = (running.app.log.clone(), next.clone());
        tasks.spawn(async move {
            loop {
                let from = next.fetch_add(256, Ordering::Relaxed);
                if from >= entries {
                    break;
                }
                let list = (from..entries.min(from + 256)).map(entry).collect();
                log.append(list).await.expect("an append");
            }
        });
    }
    tasks.join_all().await;
}

async fn rate(address: SocketAddr, path_of: PathOf, time: Duration) -> f64 {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for client in 0..CLIENTS as u64 {
        tasks.spawn(async move {
            let mut connection = Connection::new(server(address));
            let mut done = 0;
            while begun.elapsed() < time {
                get(&mut connection, &path_of(client << 32 | done)).await;
                done += 1;
            }
            done
        });
    }
    let done = tasks.join_all().await.into_iter().sum();
    per_second(done, begun)
}

async fn get(connection: &mut Connection, path: &str) -> Bytes {
    let reply = connection.send(&Call::get(path)).await.expect("an answer");
    assert_eq!(reply.status, 200, "{path}: {:?}", reply.body);
    reply.body
}

/// A number below a bound that jumps about with n, always in the same way.
fn scattered(n: u64, below: u64) -> u64 {
    (n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % below
}

/// A tile's number below a million, as paths write it.
fn tile_number(number: u64) -> String {
    if number < 1000 { format!("{number:03}") } else { format!("x{:03}/{:03}", number / 1000, number % 1000) }
}
