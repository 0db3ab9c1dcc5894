//! Nobody hears of anything before it is in a published checkpoint. The writer is stopped between commit and publication,
//! and everything that can be read is read.

use api::{Confirmation, Status};
use log_server::writer::Moment;
use serde_json::json;
use verifier::document::Decision;

use crate::flows::verify_receipt;
use crate::people::request;
use crate::server::{Server, Setup};

/// The moments at which the entry is in the store, and nobody may know.
const UNPUBLISHED: [Moment; 4] = [Moment::Committed, Moment::Checked, Moment::Signed, Moment::Anchored];

#[tokio::test]
async fn a_committed_decision_is_pending_until_it_is_published() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    for moment in UNPUBLISHED {
        let id = server.ask(&key, &request("alex", &json!({"reveal": true}))).await.id;
        let (approve, reject) = (alex.sign(&server, &id, "approve").await, alex.sign(&server, &id, "reject").await);
        let before = server.checkpoint().await;
        let size = before.size.get();

        let mut held = server.setup.pause.at(moment);
        let decided = tokio::spawn(server.post(&format!("/approve/{id}/decision")).json(&approve).send());
        held.reached().await;
        let entry = [b"e".as_slice(), &size.to_be_bytes()].concat();
        assert!(server.setup.store.get(&entry).unwrap().is_some(), "the entry is in the store");

        let seen = server.confirmation(&key, &id).await;
        assert_eq!((seen.status, seen.decisions.len(), seen.receipt), (Status::Pending, 0, None), "{moment:?}");
        let listed = server.get("/api/confirmations?status=approved").key(&key).send().await.expect(200);
        assert!(!listed.text().contains(&id));
        let page = server.approve_options(&id, "alex").await;
        assert_eq!((page.status, page.decided), (Status::Pending, None));
        server.get(&format!("/public/log/entries/{id}/verification")).send().await.refused(404);
        nothing_of_the_entry_is_public(&server, size).await;
        assert_eq!(server.checkpoint().await, before);

        // Somebody else's decision, too, hears of it only then.
        let second = tokio::spawn(server.post(&format!("/approve/{id}/decision")).json(&reject).send());
        server.until_waiting(2).await;
        assert!(!decided.is_finished() && !second.is_finished());
        drop(held);
        let decided: api::DecisionMade = decided.await.unwrap().expect(200).json();
        assert_eq!((decided.status, decided.log_index), (Status::Approved, size));
        assert!(second.await.unwrap().refusal(409).contains("approved"));
        let approved = server.confirmation(&key, &id).await;
        assert!(verify_receipt(&server, &approved, Decision::Approve).await.as_expected);
        server.get(&format!("/log/entries/{size}")).send().await.expect(200);
    }
}

async fn nothing_of_the_entry_is_public(server: &Server, size: u64) {
    for path in [
        format!("/log/entries/{size}"),
        format!("/log/tile/0/000.p/{}", size + 1),
        format!("/log/tile/entries/000.p/{}", size + 1),
    ] {
        server.get(&path).send().await.refused(404);
    }
    for (query, field) in [
        (format!("inclusion?index={size}"), "index"),
        (format!("inclusion?index=0&size={}", size + 1), "size"),
        (format!("consistency?from=0&to={}", size + 1), "to"),
    ] {
        assert_eq!(server.get(&format!("/log/proof/{query}")).send().await.refused_field(422), field);
    }
    let head: api::TreeHead = server.get("/log/tree-head").send().await.expect(200).json();
    assert_eq!(head.size, size);
    let list: api::LogEntryList = server.get("/log/entries?start=0").send().await.expect(200).json();
    assert_eq!(list.entries.len() as u64, size);
}

#[tokio::test]
async fn a_decision_on_its_way_never_expires() {
    let (setup, clock) = Setup::with_manual_clock();
    let server = setup.long_polls(1).start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let id = server.ask(&key, &request("alex", &json!({"expiresIn": 10}))).await.id;
    let approve = alex.sign(&server, &id, "approve").await;
    let waiting = tokio::spawn(server.get(&format!("/api/confirmations/{id}?wait=60")).key(&key).send());
    server.until_all_polls_wait().await;

    let mut held = server.setup.pause.at(Moment::Committed);
    let decided = tokio::spawn(server.post(&format!("/approve/{id}/decision")).json(&approve).send());
    held.reached().await;
    clock.advance(1000);
    for _ in 0..3 {
        assert_eq!(server.confirmation(&key, &id).await.status, Status::Pending);
        assert_eq!(server.approve_options(&id, "alex").await.status, Status::Pending);
    }
    assert!(!waiting.is_finished());
    drop(held);
    assert_eq!(decided.await.unwrap().expect(200).json::<api::DecisionMade>().status, Status::Approved);
    assert_eq!(waiting.await.unwrap().expect(200).json::<Confirmation>().status, Status::Approved);
    assert_eq!(server.confirmation(&key, &id).await.status, Status::Approved);
}

#[tokio::test]
async fn a_consumption_counts_once_it_is_published() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let id = server.ask(&key, &request("alex", &json!({}))).await.id;
    alex.approve(&server, &id).await;
    let mut held = server.setup.pause.at(Moment::Committed);
    let call = server.post(&format!("/api/confirmations/{id}/consume")).key(&key);
    let consumed = tokio::spawn(call.header("idempotency-key", "a").send());
    held.reached().await;
    assert_eq!(server.confirmation(&key, &id).await.consumed_at, None);
    assert!(!consumed.is_finished());
    drop(held);
    consumed.await.unwrap().expect(200);
    assert!(server.confirmation(&key, &id).await.consumed_at.is_some());
}

#[tokio::test]
async fn an_append_is_answered_once_it_is_published() {
    let server = Server::new().await;
    let key = server.appender().await;
    server.append(&key, b"first").await.expect(200);
    for moment in UNPUBLISHED {
        let size = server.log_size().await;
        let mut held = server.setup.pause.at(moment);
        let body = format!("{moment:?}");
        let appended = tokio::spawn(server.post("/log/entries").key(&key).body("text/plain", body.clone()).send());
        held.reached().await;
        nothing_of_the_entry_is_public(&server, size).await;
        let hash = verifier::encoding::base64(merkle::leaf_hash(body.as_bytes()).as_bytes());
        let hash = hash.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        server.get(&format!("/log/proof/inclusion?leaf_hash={hash}")).send().await.refused(404);
        assert!(!appended.is_finished());
        drop(held);
        assert_eq!(appended.await.unwrap().expect(200).json::<api::Appended>().index, size);
        server.get(&format!("/log/proof/inclusion?leaf_hash={hash}")).send().await.expect(200);
    }
}
