//! Durable appends through the writer, without HTTP, beside RocksDB alone in batches of as many entries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use benches::Running;
use log_server::log::Log;
use store_rocksdb::RocksStore;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::bounds::RocksAlone;
use crate::table::{Aim, Table};
use crate::{Rounds, entry, per_second};

/// The most commands that the writer takes into one batch.
const FULL: u64 = 1024;

/// One full batch is being published and one committed while the next one queues up: with fewer callers than this the writer
/// never finds a full one.
const CALLERS_OF_FULL_BATCHES: u64 = 3 * FULL;

pub(crate) fn measure(runtime: &Runtime, rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = RocksStore::open(&folder.path().join("db")).expect("a store");
    let running = Running::start(Arc::new(store), &folder.path().join("anchor")).expect("a log");
    let mut alone = RocksAlone::open(&folder.path().join("alone"));
    let next = Arc::new(AtomicU64::new(0));
    for (callers, batch) in [(1, 1), (16, 16), (256, 256), (CALLERS_OF_FULL_BATCHES, FULL)] {
        let append = || runtime.block_on(appends_per_second(&running.app.log, &next, callers, rounds.time));
        let (ours, bound) = rounds.medians(append, || alone.entries_per_second(batch, rounds.time));
        let aim = if batch == FULL { Aim::AtLeast(0.7) } else { Aim::None };
        let what = format!("durable appends in process, {callers} callers");
        table.rate(&what, ours, &format!("RocksDB alone, batches of {batch}"), bound, aim);
    }
    running.stop();
}

/// Entries appended in a second by callers that each append one after the other.
async fn appends_per_second(log: &Log, next: &Arc<AtomicU64>, callers: u64, time: Duration) -> f64 {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (log, next) = (log.clone(), next.clone());
        tasks.spawn(async move {
            let mut appended = 0;
            while begun.elapsed() < time {
                let entry = entry(next.fetch_add(1, Ordering::Relaxed));
                log.append(vec![entry]).await.expect("an append");
                appended += 1;
            }
            appended
        });
    }
    let appended = tasks.join_all().await.into_iter().sum();
    per_second(appended, begun)
}
