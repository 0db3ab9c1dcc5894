//! Damaged files: a store must say so, and may forget nothing but a torn tail.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use log_server::store::{Batch, Store};
use store_rocksdb::{OpenError, RocksStore};
use tempfile::TempDir;

/// How many keys a test writes, each in a commit of its own.
const KEYS: u8 = 10;

#[test]
fn a_flipped_byte_in_a_table_is_an_error_when_read() {
    let dir = TempDir::new().unwrap();
    write_keys(dir.path());
    // Opening replays the write-ahead log into a table.
    drop(RocksStore::open(dir.path()).unwrap());
    flip_byte_of(&only_file(dir.path(), "sst"), &value(5));

    let store = RocksStore::open(dir.path()).expect("opening does not read the values");
    let by_get = store.get(&key(5)).unwrap_err();
    assert!(by_get.0.contains("checksum mismatch"), "{by_get}");
    let by_scan = store.scan(&key(0), &key(KEYS), usize::MAX).unwrap_err();
    assert!(by_scan.0.contains("checksum mismatch"), "{by_scan}");
}

#[test]
fn a_missing_or_cut_table_does_not_open() {
    for damage in [|path: &Path| fs::remove_file(path).unwrap(), |path: &Path| cut(path, 20)] {
        let dir = TempDir::new().unwrap();
        write_keys(dir.path());
        drop(RocksStore::open(dir.path()).unwrap());
        damage(&only_file(dir.path(), "sst"));
        assert_unreadable(dir.path());
    }
}

#[test]
fn a_torn_tail_of_the_write_ahead_log_loses_only_the_tail() {
    let dir = TempDir::new().unwrap();
    write_keys(dir.path());
    cut(&only_file(dir.path(), "log"), 7);

    let store = RocksStore::open(dir.path()).unwrap();
    for n in 0..KEYS - 1 {
        assert_eq!(store.get(&key(n)).unwrap(), Some(value(n)), "{n}");
    }
    assert_eq!(store.get(&key(KEYS - 1)).unwrap(), None, "half a record was taken");
    store.commit(&put(KEYS - 1)).unwrap();
    drop(store);
    assert_eq!(RocksStore::open(dir.path()).unwrap().get(&key(KEYS - 1)).unwrap(), Some(value(KEYS - 1)));
}

#[test]
fn a_torn_batch_is_lost_as_a_whole() {
    let dir = TempDir::new().unwrap();
    let store = RocksStore::open(dir.path()).unwrap();
    store.commit(&put(0)).unwrap();
    let mut batch = Batch::default();
    (1..KEYS).for_each(|n| batch.extend(put(n)));
    store.commit(&batch).unwrap();
    drop(store);
    cut(&only_file(dir.path(), "log"), 7);

    let store = RocksStore::open(dir.path()).unwrap();
    let left = store.scan(&key(0), &key(KEYS), usize::MAX).unwrap();
    assert_eq!(left, [(key(0), value(0))]);
}

#[test]
fn a_flipped_byte_in_the_middle_of_the_write_ahead_log_does_not_open() {
    let dir = TempDir::new().unwrap();
    write_keys(dir.path());
    flip_byte_of(&only_file(dir.path(), "log"), &value(3));
    assert_unreadable(dir.path());
}

#[test]
fn a_lost_current_file_does_not_become_an_empty_store() {
    for reopened in [false, true] {
        let dir = TempDir::new().unwrap();
        write_keys(dir.path());
        if reopened {
            drop(RocksStore::open(dir.path()).unwrap());
        }
        let current = dir.path().join("CURRENT");
        let lost = fs::read(&current).unwrap();
        fs::remove_file(&current).unwrap();
        // Twice, because a server is started again.
        assert_unreadable(dir.path());
        assert_unreadable(dir.path());
        fs::write(&current, lost).unwrap();
        assert_eq!(RocksStore::open(dir.path()).unwrap().get(&key(0)).unwrap(), Some(value(0)));
    }
}

#[test]
fn a_first_start_that_was_killed_early_can_be_repeated() {
    let dir = TempDir::new().unwrap();
    for name in ["LOCK", "LOG", "IDENTITY", "MANIFEST-000001"] {
        fs::write(dir.path().join(name), "").unwrap();
    }
    write_keys(dir.path());
}

#[test]
fn a_flipped_byte_in_the_manifest_does_not_open() {
    let dir = TempDir::new().unwrap();
    write_keys(dir.path());
    let current = fs::read_to_string(dir.path().join("CURRENT")).unwrap();
    let manifest = dir.path().join(current.trim());
    let mut bytes = fs::read(&manifest).unwrap();
    bytes[20] ^= 1;
    fs::write(&manifest, bytes).unwrap();
    assert_unreadable(dir.path());
}

fn key(n: u8) -> Vec<u8> {
    vec![b'k', n]
}

fn value(n: u8) -> Vec<u8> {
    format!("the value of key {n:03}, long enough to be found in a file").into_bytes()
}

fn put(n: u8) -> Batch {
    let mut batch = Batch::default();
    batch.put(key(n), value(n));
    batch
}

/// Leaves all keys in the write-ahead log: RocksDB does not write its buffers out when it closes.
fn write_keys(dir: &Path) {
    let store = RocksStore::open(dir).unwrap();
    (0..KEYS).for_each(|n| store.commit(&put(n)).unwrap());
}

/// The one file of the store with this ending that holds anything.
fn only_file(dir: &Path, ending: &str) -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|e| e == ending) && path.metadata().unwrap().len() > 0);
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn flip_byte_of(path: &Path, needle: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.windows(needle.len()).position(|window| window == needle).expect("the value is in the file");
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, by: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(file.metadata().unwrap().len() - by).unwrap();
}

fn assert_unreadable(dir: &Path) {
    let error = RocksStore::open(dir).unwrap_err();
    assert!(matches!(&error, OpenError::Unreadable { path, .. } if path == dir), "{error}");
    println!("refused: {error}");
}
