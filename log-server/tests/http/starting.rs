//! What a start refuses: a copied, restored, foreign or damaged data directory. Each refusal says what is wrong, and that
//! another try would not help.

use std::sync::Arc;

use log_server::anchor::FILE;
use log_server::store::memory::MemoryStore;
use log_server::store::{Batch, Store};
use serde_json::{Value, json};

use crate::server::{Setup, stored};

/// A server that ran, with so many entries, and stopped.
async fn stopped(entries: u32) -> Setup {
    let server = Setup::new().start().await;
    server.enrol("alex").await;
    for from in (1..entries).step_by(256) {
        let chunk = (from..entries.min(from + 256)).map(|i| i.to_be_bytes().to_vec()).collect();
        server.app.log.append(chunk).await.unwrap();
    }
    let (setup, ended) = server.stop().await;
    ended.unwrap();
    setup
}

pub(crate) fn copy(store: &dyn Store) -> Arc<dyn Store> {
    let copy = MemoryStore::default();
    let mut batch = Batch::default();
    for (key, value) in stored(store) {
        batch.put(key, value);
    }
    copy.commit(&batch).unwrap();
    Arc::new(copy)
}

/// The words of a refusal, which must be for good. Nothing in store and anchor may change by it.
#[track_caller]
fn refused(setup: &Setup) -> String {
    let before = stored(&*setup.store);
    let file = setup.anchor.path().join(FILE);
    let anchor = std::fs::read(&file).ok();
    let Err(error) = setup.try_start() else { panic!("it started") };
    assert!(error.is_permanent(), "{error}");
    assert!(stored(&*setup.store) == before, "a refused start wrote to the store");
    assert_eq!(std::fs::read(&file).ok(), anchor, "a refused start wrote to the anchor folder");
    error.to_string()
}

#[track_caller]
fn refused_with(setup: &Setup, words: &[&str]) {
    let sentence = refused(setup);
    for word in words {
        assert!(sentence.contains(word), "{word:?} is not in {sentence:?}");
    }
}

/// Starts it, looks at how, and stops it again.
#[track_caller]
fn starts(setup: &Setup) -> (bool, u64) {
    let started = setup.try_start().unwrap();
    let size = started.app.log.published().head.size.get();
    started.app.log.writer.close();
    started.writer.join().unwrap().unwrap();
    (started.first_start, size)
}

fn put(setup: &Setup, key: &[u8], value: Vec<u8>) {
    let mut batch = Batch::default();
    batch.put(key.to_vec(), value);
    setup.store.commit(&batch).unwrap();
}

#[tokio::test]
async fn a_second_start_goes_on() {
    let setup = stopped(300).await;
    let before = stored(&*setup.store);
    assert_eq!(starts(&setup), (false, 300));
    assert!(stored(&*setup.store) == before, "a start writes nothing");
    assert_eq!(starts(&Setup::new()), (true, 0));
}

#[tokio::test]
async fn a_held_lock() {
    let server = Setup::new().start().await;
    refused_with(&server.setup, &["another server is running"]);
    let other_data = Setup { store: Arc::new(MemoryStore::default()), ..server.setup.clone() };
    refused_with(&other_data, &["another server is running"]);
    let (setup, _) = server.stop().await;
    starts(&setup);
}

#[tokio::test]
async fn an_anchor_that_is_missing_changed_or_anothers() {
    let setup = stopped(3).await;
    let file = setup.anchor.path().join(FILE);
    let anchor = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    refused_with(&setup, &["3 entries", "anchor is missing"]);
    let page = anchor.len() / 2;
    for at in (0..page).step_by(97) {
        let mut changed = anchor.clone();
        changed[at] ^= 1;
        changed[page + at] ^= 1;
        std::fs::write(&file, changed).unwrap();
        refused_with(&setup, &["is not an anchor file"]);
    }
    std::fs::write(&file, &anchor[..anchor.len() - 1]).unwrap();
    refused_with(&setup, &["is not an anchor file"]);
    // One slot alone may be torn by a loss of power. The other is whole, and the store at it or ahead of it.
    for slot in [0, page] {
        let mut torn = anchor.clone();
        torn[slot + 40..slot + page].fill(0);
        std::fs::write(&file, torn).unwrap();
        starts(&setup);
    }

    let foreign = Setup { key_seed: [8; 32], ..Setup::new() };
    starts(&foreign);
    std::fs::copy(foreign.anchor.path().join(FILE), &file).unwrap();
    refused_with(&setup, &["the anchor belongs to the log localhost:8080/log", "key id"]);
    std::fs::write(&file, &anchor).unwrap();
    starts(&setup);
}

#[tokio::test]
async fn an_empty_store_with_an_anchor_that_promises_something() {
    let setup = stopped(3).await;
    let emptied = Setup { store: Arc::new(MemoryStore::default()), ..setup };
    refused_with(&emptied, &["the data directory is empty", "3 entries"]);
}

#[tokio::test]
async fn an_older_copy_and_a_fork() {
    let server = Setup::new().start().await;
    server.enrol("alex").await;
    let older = copy(&*server.setup.store);
    server.app.log.append(vec![b"newer".to_vec()]).await.unwrap();
    let (setup, _) = server.stop().await;
    refused_with(&Setup { store: older.clone(), ..setup.clone() }, &["has 1 entries", "2 were signed", "older copy"]);

    let elsewhere = Setup { store: older, anchor: Arc::new(tempfile::tempdir().unwrap()), ..setup.clone() };
    refused_with(&elsewhere, &["anchor is missing"]);
    let fork = stopped(2).await;
    refused_with(&Setup { store: copy(&*fork.store), ..setup.clone() }, &["root", "was signed", "another log's data"]);
    starts(&setup);
}

#[tokio::test]
async fn another_name_key_or_url() {
    let setup = stopped(3).await;
    let url = "http://localhost:9090".to_owned();
    let moved = Setup { public_url: url.clone(), key_name: "localhost:9090/log".to_owned(), ..setup.clone() };
    refused_with(&moved, &["http://localhost:8080", "http://localhost:9090", "passkey"]);
    refused_with(&Setup { public_url: url, ..setup.clone() }, &["localhost:8080/log", "localhost:9090/log"]);
    refused_with(&Setup { key_seed: [8; 32], ..setup.clone() }, &["log key", "id"]);
    starts(&setup);
}

#[tokio::test]
async fn a_newer_schema() {
    let setup = stopped(3).await;
    let mut identity: Value = serde_json::from_slice(&setup.store.get(b"!identity").unwrap().unwrap()).unwrap();
    let known = identity["schema"].as_u64().unwrap();
    identity["schema"] = json!(known + 1);
    put(&setup, b"!identity", identity.to_string().into_bytes());
    refused_with(&setup, &[&format!("schema {}", known + 1), "newer server"]);
}

/// Every value that the log stands on, with one bit changed, missing, or cut short.
#[tokio::test]
async fn a_damaged_entry_tile_or_head() {
    let setup = stopped(300).await;
    let whole = setup.store.clone();
    let mut tried = 0;
    for (key, value) in stored(&*whole) {
        let wanted = matches!(key[..], [b'e', .., 0 | 7 | 255] | [b't', ..]) || key == b"!head" || key == b"!identity";
        if !wanted {
            continue;
        }
        tried += 1;
        let damaged = Setup { store: copy(&*whole), ..setup.clone() };
        let mut flipped = value.clone();
        flipped[value.len() / 2] ^= 1;
        put(&damaged, &key, flipped);
        refused(&damaged);
        put(&damaged, &key, value[..value.len() - 1].to_vec());
        refused(&damaged);
        put(&damaged, &key, value);
        starts(&damaged);
        if key != b"!identity" {
            let damaged = Setup { store: copy(&*whole), ..setup.clone() };
            let mut batch = Batch::default();
            batch.delete(key);
            damaged.store.commit(&batch).unwrap();
            refused(&damaged);
        }
    }
    assert_eq!(tried, 5 + 3 + 2, "entries 0, 7, 255, 256 and 263; three tiles; head and identity");
}

#[tokio::test]
async fn a_failing_file_system_may_be_better_next_time() {
    let setup = Setup::new();
    let file = setup.anchor.path().join(FILE);
    std::fs::create_dir(&file).unwrap();
    let Err(error) = setup.try_start() else { panic!("it started") };
    assert!(!error.is_permanent(), "{error}");
}
