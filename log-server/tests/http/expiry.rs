//! Time passing: a confirmation expires without a write, and whoever waits for it hears of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::{Confirmation, ConfirmationList, Status};
use log_server::store::memory::MemoryStore;
use log_server::store::{Batch, Pair, Store, StoreError};
use log_server::writer::Moment;
use serde_json::json;

use crate::people::request;
use crate::server::{Server, Setup};

#[tokio::test]
async fn a_waiter_is_woken_by_expiry() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.long_polls(1).start().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    let id = server.ask(&key, &request("alex", &json!({"expiresIn": 60}))).await.id;
    let stored = server.stored();
    let waiting = server.get(&format!("/api/confirmations/{id}?wait=60")).key(&key).send();
    let (waited, ()) = tokio::join!(waiting, async {
        server.until_all_polls_wait().await;
        clock.advance(61);
    });
    assert_eq!(waited.expect(200).json::<Confirmation>().status, Status::Expired);
    assert_eq!(server.stored(), stored, "expiry needs no write to be true");
    assert_eq!(statuses(&server, &key).await, [Status::Expired]);
}

#[tokio::test]
async fn the_last_second_counts() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let ask = async || server.ask(&key, &request("alex", &json!({"expiresIn": 60}))).await.id;
    let (just, late) = (ask().await, ask().await);
    let signed_late = alex.sign(&server, &late, "approve").await;
    clock.advance(60);
    assert_eq!(server.confirmation(&key, &late).await.status, Status::Pending);
    assert_eq!(alex.approve(&server, &just).await.status, Status::Approved);
    clock.advance(1);
    assert_eq!(server.confirmation(&key, &late).await.status, Status::Expired);
    let size = server.log_size().await;
    assert!(server.send_decision(&late, &signed_late).await.refusal(409).contains("expired"));
    assert!(server.cancel(&key, &late).await.refusal(409).contains("expired"));
    assert_eq!(server.log_size().await, size);
    let shown = server.approve_options(&late, "alex").await;
    assert_eq!((shown.status, shown.documents), (Status::Expired, None));
    assert_eq!(server.confirmation(&key, &just).await.status, Status::Approved);
}

/// The writer stands still with another batch, whose stamp is the time for all: the waiter must neither hear of an expiry
/// that is not true yet nor take the server's only thread.
#[tokio::test]
async fn expiry_while_another_batch_is_written_waits_for_its_end() {
    let (setup, clock) = Setup::with_manual_clock();
    let store = Arc::new(Counted::default());
    let server = Setup { store: store.clone(), ..setup }.long_polls(1).start().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    let appender = server.appender().await;
    let id = server.ask(&key, &request("alex", &json!({"expiresIn": 60}))).await.id;
    let waiting = server.get(&format!("/api/confirmations/{id}?wait=60")).key(&key).send();
    let mut held = server.setup.pause.at(Moment::Committed);
    let (waited, appended, ()) = tokio::join!(waiting, server.append(&appender, b"entry"), async {
        server.until_all_polls_wait().await;
        held.reached().await;
        clock.advance(61);
        let before = store.reads.load(Ordering::SeqCst);
        for _ in 0..10 {
            assert_eq!(server.confirmation(&key, &id).await.status, Status::Pending);
        }
        let reads = store.reads.load(Ordering::SeqCst) - before;
        assert!(reads <= 50, "{reads} reads: the waiter looks again and again");
        drop(held);
    });
    appended.expect(200);
    assert_eq!(waited.expect(200).json::<Confirmation>().status, Status::Expired);
}

/// A store that counts how often it is read.
#[derive(Default)]
struct Counted {
    store: MemoryStore,
    reads: AtomicUsize,
}

impl Store for Counted {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.store.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        self.store.scan(from, to, limit)
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        self.store.commit(batch)
    }
}

async fn statuses(server: &Server, key: &str) -> Vec<Status> {
    let list: ConfirmationList = server.get("/api/confirmations").key(key).send().await.expect(200).json();
    list.confirmations.into_iter().map(|summary| summary.status).collect()
}
