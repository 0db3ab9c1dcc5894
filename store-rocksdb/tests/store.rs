//! The store from outside: the rules of every store, one holder at a time, and what is kept over a reopening.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod conformance;

use std::env;
use std::fs;
use std::process::Command;
use std::time::Duration;

use conformance::{all, puts};
use log_server::store::memory::MemoryStore;
use log_server::store::{Batch, Store};
use store_rocksdb::{OpenError, RocksStore};
use tempfile::TempDir;

/// Tells a child process, which is this test again, which store to open.
const STORE_OF_PARENT: &str = "STORE_OF_PARENT";

#[test]
fn rocksdb_keeps_the_rules() {
    let dir = TempDir::new().unwrap();
    let mut made = 0;
    conformance::check(|| {
        made += 1;
        RocksStore::open(&dir.path().join(made.to_string())).unwrap()
    });
}

#[test]
fn memory_keeps_the_rules() {
    conformance::check(MemoryStore::default);
}

#[test]
fn reopening_keeps_everything() {
    let dir = TempDir::new().unwrap();
    let first = RocksStore::open(dir.path()).unwrap();
    first.commit(&puts(&[(b"a", b"1"), (b"b", b"2"), (b"c", b"3")])).unwrap();
    let mut batch = puts(&[(b"a", b"11"), (b"d", b"4")]);
    batch.delete(b"b".to_vec());
    first.commit(&batch).unwrap();
    let before = all(&first);
    assert_eq!(before.len(), 3);
    drop(first);
    for _ in 0..3 {
        let again = RocksStore::open_existing(dir.path()).unwrap();
        assert_eq!(all(&again), before);
        assert_eq!(again.get(b"b").unwrap(), None);
    }
}

#[test]
fn a_copy_is_of_one_moment_and_reading_it_changes_no_byte() {
    let dir = TempDir::new().unwrap();
    let store = RocksStore::open(&dir.path().join("store")).unwrap();
    store.commit(&puts(&[(b"a", b"1"), (b"b", b"2")])).unwrap();
    let copy = dir.path().join("copy");
    store.copy_to(&copy).unwrap();
    assert!(store.copy_to(&copy).is_err(), "a copy was overwritten");
    store.commit(&puts(&[(b"a", b"11"), (b"c", b"3")])).unwrap();
    let bytes = || {
        let files = fs::read_dir(&copy).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.map(|path| (fs::read(&path).unwrap(), path)).collect();
        files.sort();
        files
    };
    let before = bytes();
    let read = RocksStore::open_copy(&copy).unwrap();
    assert_eq!(all(&read), [(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), b"2".to_vec())]);
    assert!(read.commit(&puts(&[(b"d", b"4")])).is_err());
    drop(read);
    assert_eq!(bytes(), before);
    assert_eq!(all(&store).len(), 3);
    assert!(matches!(RocksStore::open_copy(&dir.path().join("none")), Err(OpenError::Missing { .. })));
    assert!(!dir.path().join("none").exists());
    // What was copied goes on as a store of its own.
    let own = RocksStore::open_existing(&copy).unwrap();
    own.commit(&puts(&[(b"e", b"5")])).unwrap();
    assert_eq!((all(&own).len(), all(&store).len()), (3, 3));
}

#[test]
fn data_beyond_the_write_buffers_reads_back() {
    let dir = TempDir::new().unwrap();
    let store = RocksStore::open(dir.path()).unwrap();
    let value = |n: u32| n.to_be_bytes().repeat(16 << 10);
    for batch_number in 0..10u32 {
        let mut batch = Batch::default();
        for n in batch_number * 50..(batch_number + 1) * 50 {
            batch.put(n.to_be_bytes().to_vec(), value(n));
        }
        store.commit(&batch).unwrap();
    }
    drop(store);
    let store = RocksStore::open(dir.path()).unwrap();
    for n in 0..500u32 {
        assert_eq!(store.get(&n.to_be_bytes()).unwrap(), Some(value(n)), "{n}");
    }
    assert_eq!(store.scan(&[0], &[1], usize::MAX).unwrap().len(), 500);
}

#[test]
fn a_second_opening_in_this_process_is_refused_as_locked() {
    let dir = TempDir::new().unwrap();
    let first = RocksStore::open(dir.path()).unwrap();
    let error = RocksStore::open(dir.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Locked { path, .. } if path == dir.path()), "{error}");
    assert!(error.to_string().contains(&dir.path().display().to_string()), "{error}");
    drop(first);
    RocksStore::open(dir.path()).unwrap();
}

#[test]
fn an_opening_in_another_process_is_refused_as_locked() {
    if let Some(path) = env::var_os(STORE_OF_PARENT) {
        let error = RocksStore::open(path.as_ref()).unwrap_err();
        assert!(matches!(error, OpenError::Locked { .. }), "{error}");
        println!("refused: {error}");
        return;
    }
    let dir = TempDir::new().unwrap();
    let store = RocksStore::open(dir.path()).unwrap();
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "an_opening_in_another_process_is_refused_as_locked", "--nocapture"])
        .env(STORE_OF_PARENT, dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("refused: "), "the child said {said}");
    store.commit(&puts(&[(b"k", b"still mine")])).unwrap();
}

#[test]
fn a_missing_store_is_made_only_when_asked() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("deep/down");
    let error = RocksStore::open_existing(&path).unwrap_err();
    assert_eq!(error, OpenError::Missing { path: path.clone() });
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "asking left something behind");
    drop(RocksStore::open(&path).unwrap());
    RocksStore::open_existing(&path).unwrap();
}

#[test]
fn a_file_in_place_of_the_directory_is_unreadable() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, "not a store").unwrap();
    for opened in [RocksStore::open(&path), RocksStore::open_existing(&path)] {
        let error = opened.unwrap_err();
        assert!(matches!(&error, OpenError::Unreadable { .. }), "{error}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
    assert_eq!(fs::read(&path).unwrap(), b"not a store");
}

#[test]
fn readers_never_see_a_part_of_a_batch() {
    let dir = TempDir::new().unwrap();
    let store = RocksStore::open(dir.path()).unwrap();
    let keys: Vec<Vec<u8>> = (0..20u8).map(|n| vec![n]).collect();
    let batch = |round: u32| {
        let mut batch = Batch::default();
        for key in &keys {
            batch.put(key.clone(), round.to_be_bytes().to_vec());
        }
        batch
    };
    store.commit(&batch(0)).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (1..=100).for_each(|round| store.commit(&batch(round)).unwrap()));
        while !writer.is_finished() {
            let seen = all(&store);
            assert_eq!(seen.len(), keys.len());
            assert!(seen.iter().all(|(_, value)| *value == seen[0].1), "{seen:?}");
            std::thread::sleep(Duration::from_micros(50));
        }
    });
}
