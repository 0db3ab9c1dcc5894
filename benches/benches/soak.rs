//! Appends for as long as asked and prints what the process holds in memory: it must not grow with the log.
//!
//! `make soak APPENDS=10000000`; each line is one tenth of the way.

#![allow(clippy::expect_used, clippy::cast_precision_loss, reason = "a benchmark that cannot begin must stop")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use benches::Running;
use clap::Parser;
use store_rocksdb::RocksStore;
use tokio::task::JoinSet;

const CALLERS: u64 = 8;
const LIST: u64 = 256;
const LINES: u64 = 10;

/// Appends and watches the memory.
#[derive(Parser)]
struct Arguments {
    /// How many entries to append.
    #[arg(long, default_value_t = 1_000_000)]
    appends: u64,
    /// The size of an entry in bytes.
    #[arg(long, default_value_t = 600)]
    size: usize,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let Arguments { appends, size, .. } = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let store = RocksStore::open(&folder.path().join("db")).expect("a store");
    let running = Running::start(Arc::new(store), &folder.path().join("anchor")).expect("a log");
    println!("| entries | appends/s | resident MiB |\n|---|---|---|");
    println!("| 0 | | {:.1} |", resident_mib());
    let next = Arc::new(AtomicU64::new(0));
    for line in 1..=LINES {
        let (begun, before) = (Instant::now(), running.app.log.published().head.size.get());
        runtime.block_on(append_until(&running, &next, appends * line / LINES, size));
        let entries = running.app.log.published().head.size.get();
        let rate = (entries - before) as f64 / begun.elapsed().as_secs_f64();
        println!("| {entries} | {rate:.0} | {:.1} |", resident_mib());
    }
    running.stop();
}

/// Appends lists of entries until the log has about so many.
async fn append_until(running: &Running, next: &Arc<AtomicU64>, entries: u64, size: usize) {
    let mut tasks = JoinSet::new();
    for _ in 0..CALLERS {
        let (log, next) = (running.app.log.clone(), next.clone());
        tasks.spawn(async move {
            while next.load(Ordering::Relaxed) < entries {
                let from = next.fetch_add(LIST, Ordering::Relaxed);
                let list = (from..from + LIST).map(|number| entry(number, size)).collect();
                log.append(list).await.expect("an append");
            }
        });
    }
    tasks.join_all().await;
}

fn entry(number: u64, size: usize) -> Vec<u8> {
    let mut bytes = vec![b'.'; size.max(8)];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// What the process holds in memory, files that are mapped included.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells a process its memory");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the resident size");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib / 1024.0
}
