//! Random batches, reopenings and scans, against a map in memory.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use log_server::store::{Batch, Store};
use proptest::collection::vec;
use proptest::prelude::*;
use store_rocksdb::RocksStore;
use tempfile::TempDir;

/// A key above all that are used here.
const PAST_ALL: [u8; 9] = [0xff; 9];

/// One thing done to a store.
#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<(Vec<u8>, Option<Vec<u8>>)>),
    Scan(Vec<u8>, Vec<u8>, usize),
    Reopen,
}

proptest! {
    // A commit waits for the disk and a reopening takes tens of milliseconds, so few cases with many steps.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_behaves_as_a_map(steps in vec(step(), 1..40)) {
        let dir = TempDir::new().unwrap();
        let mut store = RocksStore::open(dir.path()).unwrap();
        let mut model = BTreeMap::new();
        for step in steps {
            match step {
                Step::Commit(changes) => commit(&store, &mut model, changes),
                Step::Scan(from, to, limit) => {
                    prop_assert_eq!(store.scan(&from, &to, limit).unwrap(), scan(&model, &from, &to, limit));
                }
                Step::Reopen => {
                    drop(store);
                    store = RocksStore::open_existing(dir.path()).unwrap();
                }
            }
            prop_assert_eq!(store.scan(b"", &PAST_ALL, usize::MAX).unwrap(), scan(&model, b"", &PAST_ALL, usize::MAX));
        }
        for (key, value) in &model {
            prop_assert_eq!(store.get(key).unwrap(), Some(value.clone()));
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => vec((key(), proptest::option::weighted(0.7, vec(any::<u8>(), 0..50))), 0..8).prop_map(Step::Commit),
        3 => (key(), key(), 0..10usize).prop_map(|(from, to, limit)| Step::Scan(from, to, limit)),
        1 => Just(Step::Reopen),
    ]
}

/// Few different bytes, so that keys meet again, among them the lowest and the highest, and those where the column family
/// changes.
fn key() -> impl Strategy<Value = Vec<u8>> {
    vec(prop::sample::select(vec![0x00, 0x01, b'e', b'f', 0x7f, 0xff]), 0..4)
}

fn commit(store: &RocksStore, model: &mut BTreeMap<Vec<u8>, Vec<u8>>, changes: Vec<(Vec<u8>, Option<Vec<u8>>)>) {
    let mut batch = Batch::default();
    for (key, value) in changes {
        if let Some(value) = value {
            batch.put(key.clone(), value.clone());
            model.insert(key, value);
        } else {
            batch.delete(key.clone());
            model.remove(&key);
        }
    }
    store.commit(&batch).unwrap();
}

fn scan(model: &BTreeMap<Vec<u8>, Vec<u8>>, from: &[u8], to: &[u8], limit: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let within = model.iter().filter(|(key, _)| from <= key.as_slice() && key.as_slice() < to);
    within.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect()
}
