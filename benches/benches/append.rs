//! Raw appends through the writer: on RocksDB beside the same in memory, by how many callers append at a time. The
//! difference is the price of durability; the rise with the callers is group commit.

#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a benchmark that cannot begin must stop; criterion's macros make items"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use benches::Running;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use log_server::log::Log;
use log_server::store::Store;
use log_server::store::memory::MemoryStore;
use store_rocksdb::RocksStore;
use tokio::task::JoinSet;

/// An entry is about as large as a decision.
const ENTRY: usize = 600;

static NEXT: AtomicU64 = AtomicU64::new(0);

fn appends(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let mut group = criterion.benchmark_group("append");
    for name in ["memory", "rocksdb"] {
        let folder = tempfile::tempdir().expect("a folder");
        let store: Arc<dyn Store> = match name {
            "memory" => Arc::new(MemoryStore::default()),
            _ => Arc::new(RocksStore::open(&folder.path().join("db")).expect("a store")),
        };
        let running = Running::start(store, &folder.path().join("anchor")).expect("a log");
        for callers in [1, 16, 256] {
            group.throughput(Throughput::Elements(callers));
            group.bench_function(BenchmarkId::new(name, callers), |bencher| {
                bencher.iter(|| runtime.block_on(append_together(&running.app.log, callers)));
            });
        }
        running.stop();
    }
    group.finish();
}

async fn append_together(log: &Log, callers: u64) {
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let log = log.clone();
        let mut entry = vec![0; ENTRY];
        entry[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        tasks.spawn(async move { log.append(vec![entry]).await.expect("an append") });
    }
    tasks.join_all().await;
}

criterion_group!(benches, appends);
criterion_main!(benches);
