//! The same request twice is one confirmation, if it carries the same `Idempotency-Key`.

use api::{ConfirmationList, Created};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::call::{Call, Reply};
use crate::people::request;
use crate::server::{Server, Setup};

#[tokio::test]
async fn the_same_request_gets_the_same_answer() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let request = request("alex", &json!({"metadata": {"a": 1}}));
    let first: Created = ask(&server, &key, "k", &request).await.expect(201).json();
    assert_eq!(ask(&server, &key, "k", &request).await.expect(201).json::<Created>(), first);
    alex.approve(&server, &first.id).await;
    assert_eq!(ask(&server, &key, "k", &request).await.expect(201).json::<Created>(), first, "also once it is decided");

    let respelt = r#"{"payload": {"service":"api-gateway",  "env":"production","commit":"a1b2c3\u0064"},
        "username": "alex", "action": "Deploy api-gateway to production", "metadata": {"a":1}, "expiresIn": 300}"#;
    let again = call(&server, &key, "k").text(respelt).send().await.expect(201);
    assert_eq!(again.json::<Created>(), first, "what counts is what was asked, not how it was spelt");
    assert_eq!(count(&server, &key).await, 1);
}

#[tokio::test]
async fn another_request_with_the_same_key_is_refused() {
    let server = Server::new().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    ask(&server, &key, "k", &request("alex", &json!({}))).await.expect(201);
    let changes = [
        json!({"action": "Deploy web to production"}),
        json!({"payload": {"commit": "ffffffff"}}),
        json!({"expiresIn": 301}),
        json!({"useWithin": 3601}),
        json!({"reveal": true}),
        json!({"metadata": {}}),
    ];
    for change in changes {
        let refused = ask(&server, &key, "k", &request("alex", &change)).await;
        assert_eq!(refused.refused_field(422), "Idempotency-Key", "{change}");
    }
    assert_eq!(count(&server, &key).await, 1);
}

#[tokio::test]
async fn keys_of_two_requesters_are_two_keys() {
    let server = Server::new().await;
    let (_, one, two) = (server.enrol("alex").await, server.requester().await, server.requester().await);
    let request = request("alex", &json!({}));
    let first: Created = ask(&server, &one, "k", &request).await.expect(201).json();
    let second: Created = ask(&server, &two, "k", &request).await.expect(201).json();
    assert_ne!(first.id, second.id);
}

#[tokio::test]
async fn fifty_in_parallel_are_one() {
    let server = Server::new().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    let request = request("alex", &json!({}));
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        calls.spawn(call(&server, &key, "k").json(&request).send());
    }
    let answers: Vec<Created> = calls.join_all().await.into_iter().map(|reply| reply.expect(201).json()).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(count(&server, &key).await, 1);
}

#[tokio::test]
async fn a_key_is_remembered_for_72_hours_and_as_long_as_the_approval_can_be_used() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.start().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    let (short, long) = (request("alex", &json!({})), request("alex", &json!({"useWithin": 259_200})));
    let first: Created = ask(&server, &key, "short", &short).await.expect(201).json();
    let usable: Created = ask(&server, &key, "long", &long).await.expect(201).json();
    clock.advance(72 * 3600);
    assert_eq!(ask(&server, &key, "short", &short).await.expect(201).json::<Created>(), first);
    clock.advance(300);
    assert_eq!(ask(&server, &key, "long", &long).await.expect(201).json::<Created>(), usable);
    assert_ne!(ask(&server, &key, "short", &short).await.expect(201).json::<Created>(), first);
}

#[tokio::test]
async fn a_key_is_1_to_255_visible_characters() {
    let server = Server::new().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    let request = request("alex", &json!({}));
    ask(&server, &key, &"k".repeat(255), &request).await.expect(201);
    for bad in ["", " ", "a b", &"k".repeat(256)] {
        assert!(ask(&server, &key, bad, &request).await.refusal(400).contains("Idempotency-Key"), "{bad:?}");
    }
    assert_eq!(count(&server, &key).await, 1);
}

fn call(server: &Server, key: &str, idempotency: &str) -> Call {
    server.post("/api/confirmations").key(key).header("idempotency-key", idempotency)
}

async fn ask(server: &Server, key: &str, idempotency: &str, request: &Value) -> Reply {
    call(server, key, idempotency).json(request).send().await
}

async fn count(server: &Server, key: &str) -> usize {
    let list: ConfirmationList = server.get("/api/confirmations").key(key).send().await.expect(200).json();
    list.confirmations.len()
}
