//! Revoking an API key: from its turn in the writer on the key does nothing, and what it asked is cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::{ConfirmationList, Created, KeyCreated, KeyList, Status};
use log_server::limits::Limits;
use log_server::store::memory::MemoryStore;
use log_server::store::{Batch, Pair, Store, StoreError};
use log_server::writer::Moment;
use reqwest::Method;
use serde_json::{Value, json};

use crate::call::{Call, Reply};
use crate::people::request;
use crate::server::{Server, Setup};

impl Server {
    async fn full_requester(&self) -> KeyCreated {
        self.make_key(&json!({"name": "deploy-bot", "scopes": ["request"]})).await
    }

    fn revocation(&self, key: &KeyCreated) -> Call {
        self.delete(&format!("/api/keys/{}", key.record.id)).key(self.admin())
    }

    async fn status(&self, id: &str) -> Status {
        let list: ConfirmationList =
            self.get("/api/confirmations?limit=100").key(self.admin()).send().await.expect(200).json();
        list.confirmations.iter().find(|one| one.id == id).unwrap().status
    }

    /// What is answered to a call whose key is revoked while the call waits in the queue: it was good when the call came.
    async fn overtaken_by_revocation(&self, key: &KeyCreated, call: Call) -> Reply {
        let appender = self.appender().await;
        let mut held = self.setup.pause.at(Moment::Sequenced);
        let appended = tokio::spawn(self.append_call(&appender, &key.record.id).send());
        held.reached().await;
        let revoked = tokio::spawn(self.revocation(key).send());
        self.until_waiting(2).await;
        let called = tokio::spawn(call.send());
        self.until_waiting(3).await;
        drop(held);
        appended.await.unwrap().expect(200);
        revoked.await.unwrap().expect(204);
        called.await.unwrap()
    }

    fn append_call(&self, appender: &str, entry: &str) -> Call {
        self.post("/log/entries").key(appender).body("text/plain", entry.to_owned())
    }
}

#[tokio::test]
async fn a_key_that_is_revoked_between_request_and_writer_does_nothing() {
    let server = Server::new().await;
    let alex = server.enrol("alex").await;
    let asked = request("alex", &json!({}));
    let none = server.get("/api/confirmations").send().await.expect(401);
    for what in ["create", "repeat", "cancel", "consume"] {
        let key = server.full_requester().await;
        let named =
            |key: &str| server.post("/api/confirmations").key(key).header("idempotency-key", "one").json(&asked);
        let id = named(&key.key).send().await.expect(201).json::<Created>().id;
        if what == "consume" {
            alex.approve(&server, &id).await;
        }
        let on_it = |what| server.post(&format!("/api/confirmations/{id}/{what}")).key(&key.key);
        let call = match what {
            "create" => server.post("/api/confirmations").key(&key.key).json(&asked),
            "repeat" => named(&key.key),
            _ => on_it(what),
        };
        let before = (count(&server).await, server.log_size().await);
        let reply = server.overtaken_by_revocation(&key, call).await.expect(401);
        assert_eq!((&reply.body, reply.header("www-authenticate")), (&none.body, Some("Bearer")), "{what}");
        // The entry that held the writer, and nothing else.
        assert_eq!((count(&server).await, server.log_size().await), (before.0, before.1 + 1), "{what}");
        let fate = if what == "consume" { Status::Approved } else { Status::Cancelled };
        assert_eq!(server.status(&id).await, fate, "{what}");
    }
}

/// Whoever holds a stolen admin key makes no second one with a call that was on its way.
#[tokio::test]
async fn an_admin_key_that_is_revoked_between_request_and_writer_leaves_nothing_behind() {
    let server = Server::new().await;
    let alex = server.enrol("alex").await;
    let invite = server.invite(&json!({"note": "join us"})).await;
    let other = server.full_requester().await;
    let calls: [(Method, String, Value); 5] = [
        (Method::POST, "/api/keys".to_owned(), json!({"name": "mine", "scopes": ["admin"]})),
        (Method::POST, "/api/invites".to_owned(), json!({"note": "join me"})),
        (Method::DELETE, format!("/api/invites/{}", invite.id), Value::Null),
        (Method::DELETE, format!("/api/keys/{}", other.record.id), Value::Null),
        (Method::DELETE, format!("/api/credentials/{}?reason=lost", alex.enrolled.credential), Value::Null),
    ];
    for (method, path, body) in calls {
        let stolen = server.make_key(&json!({"name": "admin", "scopes": ["admin"]})).await;
        let seen = administered(&server).await;
        let call = server.call(method, &path).key(&stolen.key).json(&body);
        server.overtaken_by_revocation(&stolen, call).await.expect(401);
        let (before, after) = (seen, administered(&server).await);
        assert_eq!(before.1, after.1, "{path}");
        let good = |keys: &[api::Key]| -> Vec<String> {
            let good = keys.iter().filter(|key| !key.revoked && key.id != stolen.record.id);
            good.filter(|key| key.name != "appender").map(|key| key.id.clone()).collect()
        };
        assert_eq!(good(&before.0.keys), good(&after.0.keys), "{path}");
    }
}

#[tokio::test]
async fn an_append_whose_key_is_revoked_meanwhile_leaves_no_entry() {
    let server = Server::new().await;
    for body in ["one entry", "[\"AAAA\"]"] {
        let key = server.make_key(&json!({"name": "appender", "scopes": ["append"]})).await;
        let before = server.log_size().await;
        let media = if body.starts_with('[') { "application/json" } else { "text/plain" };
        let call = server.post("/log/entries").key(&key.key).body(media, body);
        server.overtaken_by_revocation(&key, call).await.expect(401);
        assert_eq!(server.log_size().await, before + 1, "the entry that held the writer, and nothing else");
    }
}

/// The API keys; the invites and the passkeys as they are told.
async fn administered(server: &Server) -> (KeyList, [Value; 2]) {
    let get = async |path| server.get(path).key(server.admin()).send().await.expect(200);
    let others = [get("/api/invites").await.json(), get("/api/approvers").await.json()];
    (get("/api/keys").await.json(), others)
}

/// The decision is signed and waits in the queue behind the revocation, before anything is cancelled.
#[tokio::test]
async fn nobody_decides_what_a_revoked_key_asked() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.full_requester().await);
    for decision in ["approve", "reject"] {
        let key = if decision == "reject" { server.full_requester().await } else { key.clone() };
        let id = server.ask(&key.key, &request("alex", &json!({}))).await.id;
        let signed = alex.sign(&server, &id, decision).await;
        let call = server.post(&format!("/approve/{id}/decision")).json(&signed);
        let words = server.overtaken_by_revocation(&key, call).await.refusal(409);
        assert!(words.contains("its API key was revoked"), "{words}");
        assert_eq!(server.status(&id).await, Status::Cancelled);
        let later = server.send_decision(&id, &signed).await.refusal(409);
        assert!(later.contains("cancelled already"), "{later}");
    }
}

#[tokio::test]
async fn what_a_revoked_key_asked_is_cancelled_and_what_was_approved_is_used_by_nobody() {
    let limits = Limits { pending_per_approver: 4, ..Limits::default() };
    let server = Setup { limits, ..Setup::new() }.long_polls(1).start().await;
    let (alex, sam) = (server.enrol("alex").await, server.enrol("sam").await);
    let (key, other) = (server.full_requester().await, server.requester().await);
    let both = request("", &json!({"username": null, "approvers": ["alex", "sam"], "quorum": 2}));
    let approved = server.ask(&key.key, &request("alex", &json!({}))).await.id;
    alex.approve(&server, &approved).await;
    let (pending, half) =
        (server.ask(&key.key, &request("alex", &json!({}))).await.id, server.ask(&key.key, &both).await.id);
    sam.approve(&server, &half).await;
    let foreign = server.ask(&other, &request("alex", &json!({}))).await.id;
    let waits = server.get(&format!("/api/confirmations/{pending}?wait=60")).key(&key.key);
    let waits = tokio::spawn(waits.send());
    server.until_all_polls_wait().await;

    let log = server.log_size().await;
    server.revocation(&key).send().await.expect(204);
    assert_eq!(waits.await.unwrap().expect(200).json::<api::Confirmation>().status, Status::Cancelled);
    for (id, status) in [
        (&approved, Status::Approved),
        (&pending, Status::Cancelled),
        (&half, Status::Cancelled),
        (&foreign, Status::Pending),
    ] {
        assert_eq!(server.status(id).await, status);
    }
    assert_eq!(server.approve_options(&half, "alex").await.documents, None);
    server.consume(&key.key, &approved, "use").await.expect(401);
    server.cancel(&key.key, &pending).await.expect(401);
    assert_eq!(server.log_size().await, log, "a cancel has no entry, and nothing was used");
    server.revocation(&key).send().await.expect(204);
    alex.approve(&server, &foreign).await;
    // Their places are free again.
    for _ in 0..4 {
        server.ask(&other, &request("alex", &json!({}))).await;
    }
}

#[tokio::test]
async fn thousands_are_cancelled_in_pieces() {
    let store = Arc::new(Measured::default());
    let many = 300;
    let limits = Limits {
        pending_per_approver: many,
        pending_per_key_and_approver: many,
        requests_per_minute_per_approver: 2 * many,
        ..Limits::default()
    };
    let server = Setup { limits, store: store.clone(), ..Setup::new() }.start().await;
    server.enrol("alex").await;
    let key = server.full_requester().await;
    let small = json!({});
    let large = json!({"payload": {"text": "x".repeat(200 * 1024)}});
    for i in 0..many {
        server.ask(&key.key, &request("alex", if i % 10 == 0 { &large } else { &small })).await;
    }
    store.largest.store(0, Ordering::SeqCst);
    store.most_changes.store(0, Ordering::SeqCst);
    server.revocation(&key).send().await.expect(204);
    let (changes, bytes) = (store.most_changes.load(Ordering::SeqCst), store.largest.load(Ordering::SeqCst));
    assert!(changes < 1024 && bytes < 3 * 1024 * 1024, "{changes} changes, {bytes} bytes in one batch");

    let pending = "/api/confirmations?status=pending&approver=alex";
    let left: ConfirmationList = server.get(pending).key(server.admin()).send().await.expect(200).json();
    assert!(left.confirmations.is_empty());
    let other = server.requester().await;
    for _ in 0..3 {
        server.ask(&other, &request("alex", &json!({}))).await;
    }
}

async fn count(server: &Server) -> usize {
    let list: Value =
        server.call(Method::GET, "/api/confirmations?limit=100").key(server.admin()).send().await.expect(200).json();
    list["confirmations"].as_array().unwrap().len()
}

/// A store that knows how much was written at once.
#[derive(Default)]
struct Measured {
    store: MemoryStore,
    largest: AtomicUsize,
    most_changes: AtomicUsize,
}

impl Store for Measured {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(key)
    }

    fn scan(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<Pair>, StoreError> {
        self.store.scan(from, to, limit)
    }

    fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        let bytes = batch.changes().map(|(key, value)| key.len() + value.map_or(0, <[u8]>::len)).sum();
        self.largest.fetch_max(bytes, Ordering::SeqCst);
        self.most_changes.fetch_max(batch.changes().count(), Ordering::SeqCst);
        self.store.commit(batch)
    }
}
