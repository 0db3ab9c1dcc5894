//! Using an approval: once, in time, as an entry of the log.

use api::Consumed;
use merkle::{Hash, LeafIndex, leaf_hash};
use serde_json::json;
use tokio::task::JoinSet;
use verifier::checkpoint::Checkpoint;
use verifier::encoding::{array_from_base64url, from_base64};
use verifier::entry::Entry;

use crate::people::{Person, request};
use crate::server::{Server, Setup};

#[tokio::test]
async fn an_approval_is_used_once() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let id = approved(&server, &alex, &key).await;
    let first: Consumed = server.consume(&key, &id, "run-1").await.expect(200).json();
    let again: Consumed = server.consume(&key, &id, "run-1").await.expect(200).json();
    assert_eq!((&again.consumed_at, again.log_index), (&first.consumed_at, first.log_index));
    let size = server.log_size().await;

    assert!(server.consume(&key, &id, "run-2").await.refusal(409).contains(&first.consumed_at));
    server.post(&format!("/api/confirmations/{id}/consume")).key(&key).send().await.refused(409);
    assert_eq!(server.log_size().await, size, "a refused use leaves no entry");
    assert_eq!(server.confirmation(&key, &id).await.consumed_at, Some(first.consumed_at));
}

#[tokio::test]
async fn a_use_without_an_idempotency_key_cannot_be_repeated() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let id = approved(&server, &alex, &key).await;
    let path = format!("/api/confirmations/{id}/consume");
    server.post(&path).key(&key).send().await.expect(200);
    server.post(&path).key(&key).send().await.refused(409);
    server.consume(&key, &id, "run-1").await.refused(409);
}

#[tokio::test]
async fn the_consumption_is_in_the_log_and_its_proof_verifies() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let id = approved(&server, &alex, &key).await;
    let consumed: Consumed = server.consume(&key, &id, "run-1").await.expect(200).json();

    let entry: api::LogEntry = server.get(&format!("/log/entries/{}", consumed.log_index)).send().await.json();
    let bytes = from_base64(&entry.entry).unwrap();
    let Ok(Entry::Consumption(entry)) = Entry::parse(&bytes) else { panic!("{}", bytes.escape_ascii()) };
    let core = verifier::document::Core::parse(&server.confirmation(&key, &id).await.core).unwrap();
    assert_eq!((entry.nonce, entry.consumed_at.to_string()), (core.nonce, consumed.consumed_at));

    let log = &server.trust().await.logs[0];
    let checkpoint = Checkpoint::open(consumed.proof.checkpoint.as_bytes(), log).unwrap();
    assert_eq!(checkpoint.size.get(), consumed.proof.size);
    let hash = |text: &String| Hash::from_bytes(array_from_base64url(text).unwrap());
    let hashes: Vec<Hash> = consumed.proof.hashes.iter().map(hash).collect();
    let index = LeafIndex::new(consumed.log_index);
    merkle::verify_inclusion(&leaf_hash(&bytes), index, checkpoint.size, &hashes, &checkpoint.root).unwrap();
}

#[tokio::test]
async fn only_one_of_many_callers_uses_it() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let id = approved(&server, &alex, &key).await;
    let size = server.log_size().await;
    let mut calls = JoinSet::new();
    for i in 0..20 {
        let call = server.post(&format!("/api/confirmations/{id}/consume")).key(&key);
        calls.spawn(call.header("idempotency-key", &format!("run-{i}")).send());
    }
    let replies = calls.join_all().await;
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 19, "{statuses:?}");
    assert_eq!(server.log_size().await, size + 1);
}

#[tokio::test]
async fn use_by_is_the_last_moment() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let times = json!({"expiresIn": 10, "useWithin": 20});
    let (just, late) =
        (server.ask(&key, &request("alex", &times)).await.id, server.ask(&key, &request("alex", &times)).await.id);
    alex.approve(&server, &just).await;
    alex.approve(&server, &late).await;
    clock.advance(30);
    let used: Consumed = server.consume(&key, &just, "a").await.expect(200).json();
    clock.advance(1);
    assert!(server.consume(&key, &late, "a").await.refusal(409).contains("until"));
    let repeated: Consumed = server.consume(&key, &just, "a").await.expect(200).json();
    assert_eq!(repeated.consumed_at, used.consumed_at, "an answer that was lost is given again");
}

#[tokio::test]
async fn what_is_not_approved_cannot_be_used() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let ask = async || server.ask(&key, &request("alex", &json!({"expiresIn": 5}))).await.id;
    let (pending, rejected, cancelled, expired) = (ask().await, ask().await, ask().await, ask().await);
    assert!(server.consume(&key, &pending, "a").await.refusal(409).contains("pending"));
    alex.decide(&server, &rejected, "reject").await;
    assert!(server.consume(&key, &rejected, "a").await.refusal(409).contains("rejected"));
    server.cancel(&key, &cancelled).await.expect(200);
    assert!(server.consume(&key, &cancelled, "a").await.refusal(409).contains("cancelled"));
    clock.advance(6);
    assert!(server.consume(&key, &expired, "a").await.refusal(409).contains("expired"));
}

async fn approved(server: &Server, approver: &Person, key: &str) -> String {
    let id = server.ask(key, &request(&approver.name, &json!({}))).await.id;
    approver.approve(server, &id).await;
    id
}
