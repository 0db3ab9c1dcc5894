//! A large log: how long its restart takes, and what it takes on the disk beyond the entries themselves.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use benches::Running;
use store_rocksdb::RocksStore;
use tokio::runtime::Runtime;

use crate::ENTRY;
use crate::reads::fill;
use crate::table::{Aim, Table};

pub(crate) fn measure(runtime: &Runtime, entries: u64, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let (db, anchor) = (folder.path().join("db"), folder.path().join("anchor"));
    let running = Running::start(Arc::new(RocksStore::open(&db).expect("a store")), &anchor).expect("a log");
    runtime.block_on(fill(&running, entries));
    running.stop();

    // First the restart, which reads the write-ahead log: who opens the database after it finds that done.
    let begun = Instant::now();
    let running = Running::start(Arc::new(RocksStore::open(&db).expect("a store")), &anchor).expect("a log");
    let restart = begun.elapsed();
    assert_eq!(running.app.log.published().head.size.get(), entries, "the log after its restart");
    running.stop();
    let begun = Instant::now();
    drop(RocksStore::open(&db).expect("a store"));
    let bound = begun.elapsed();
    let what = format!("restart with {entries} entries");
    let (ours, bound) = (restart.as_micros() as f64, bound.as_micros() as f64);
    table.compared_latency(&what, ours, "opening RocksDB alone", bound, Aim::Below(Duration::from_secs(2)));

    let bytes = bytes_on_disk(&db) as f64 / entries as f64 - ENTRY as f64;
    table.bytes(&format!("bytes on disk for each of {entries} entries, beyond it"), bytes, Aim::AtMost(90.0));
}

/// What the files of a folder take on the disk, which is not what they say they are long.
fn bytes_on_disk(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file"));
    files.map(|file| file.metadata().expect("a file").blocks() * 512).sum()
}
