//! A crash in every moment of a batch, and a restart from what was on the disk then.

use std::sync::Arc;

use api::Status;
use log_server::anchor::FILE;
use log_server::store::Batch;
use log_server::writer::{Fatal, Moment};
use serde_json::json;
use verifier::document::Decision;

use crate::flows::verify_receipt;
use crate::me::challenge;
use crate::people::request;
use crate::server::{Setup, soon};
use crate::starting::copy;

const MOMENTS: [Moment; 8] = [
    Moment::Sequenced,
    Moment::Integrated,
    Moment::Committed,
    Moment::Checked,
    Moment::Signed,
    Moment::Anchored,
    Moment::Published,
    Moment::Answered,
];

/// Store and anchor as they are now, as the next process would find them.
fn as_after_a_crash(setup: &Setup) -> Setup {
    let anchor = tempfile::tempdir().unwrap();
    std::fs::copy(setup.anchor.path().join(FILE), anchor.path().join(FILE)).unwrap();
    Setup { store: copy(&*setup.store), anchor: Arc::new(anchor), ..setup.clone() }
}

#[tokio::test]
async fn a_decision_is_lost_or_made_whole() {
    for moment in MOMENTS {
        let server = Setup::new().start().await;
        let (alex, key) = (server.enrol("alex").await, server.requester().await);
        let id = server.ask(&key, &request("alex", &json!({}))).await.id;
        let signed = alex.sign(&server, &id, "approve").await;
        let before = server.get("/log/checkpoint").send().await.body;
        let mut held = server.setup.pause.at(moment);
        let decided = tokio::spawn(server.post(&format!("/approve/{id}/decision")).json(&signed).send());
        held.reached().await;
        let crashed = as_after_a_crash(&server.setup);
        drop(held);
        decided.await.unwrap().expect(200);
        let after = server.get("/log/checkpoint").send().await.body;

        let server = crashed.start().await;
        let status = server.confirmation(&key, &id).await.status;
        let checkpoint = server.get("/log/checkpoint").send().await.body;
        if matches!(moment, Moment::Sequenced | Moment::Integrated) {
            assert_eq!((status, checkpoint), (Status::Pending, before), "{moment:?}: nothing has happened");
            server.send_decision(&id, &signed).await.expect(200);
        } else {
            assert_eq!((status, checkpoint), (Status::Approved, after), "{moment:?}: everything has happened");
            server.send_decision(&id, &signed).await.refused(409);
        }
        let confirmation = server.confirmation(&key, &id).await;
        assert!(verify_receipt(&server, &confirmation, Decision::Approve).await.as_expected, "{moment:?}");
    }
}

#[tokio::test]
async fn what_was_committed_is_verified_again_before_it_is_signed() {
    let server = Setup::new().start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let id = server.ask(&key, &request("alex", &json!({}))).await.id;
    let signed = alex.sign(&server, &id, "approve").await;
    let mut held = server.setup.pause.at(Moment::Committed);
    let decided = tokio::spawn(server.post(&format!("/approve/{id}/decision")).json(&signed).send());
    held.reached().await;
    let crashed = as_after_a_crash(&server.setup);
    drop(held);
    decided.await.unwrap().expect(200);

    refuses_with_another(&crashed, 1, "signature");
}

#[tokio::test]
async fn an_enrolment_that_another_key_allowed_is_verified_again_before_it_is_signed() {
    let server = Setup::new().start().await;
    let alex = server.enrol("alex").await;
    let me = server.sign_in(&alex.device).await;
    let (_, registration) = me.register().await;
    let assertion = alex.device.sign(&challenge(&me.authorisation(&registration).await)).await;
    let mut held = server.setup.pause.at(Moment::Committed);
    let sent = json!({"credential": registration, "assertion": assertion});
    let added = tokio::spawn(me.post("/me/passkeys").json(&sent).send());
    held.reached().await;
    let crashed = as_after_a_crash(&server.setup);
    drop(held);
    added.await.unwrap().expect(201);

    let as_it_was = as_after_a_crash(&crashed).start().await;
    assert_eq!(as_it_was.log_size().await, 2);
    // Another person's name under the same signature, and another signature.
    refuses_with_another(&as_after_a_crash(&crashed), 1, "approver");
    refuses_with_another(&crashed, 1, "signature");
}

/// One character of a member of an entry is another one, with the tree over it: only the signature itself can tell.
#[track_caller]
fn refuses_with_another(crashed: &Setup, index: u64, member: &str) {
    let entry = |index: u64| [b"e".as_slice(), &index.to_be_bytes()].concat();
    let stored = |index| crashed.store.get(&entry(index)).unwrap().unwrap();
    let text = String::from_utf8(stored(index)).unwrap();
    let at = text.find(&format!("\"{member}\":\"")).unwrap() + 40;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    let forged = format!("{}{other}{}", &text[..at], &text[at + 1..]);
    let mut leaves: Vec<_> = (0..index).map(|index| merkle::leaf_hash(&stored(index))).collect();
    leaves.push(merkle::leaf_hash(forged.as_bytes()));
    let mut batch = Batch::default();
    batch.put(entry(index), forged.into_bytes());
    batch.put([b"t".as_slice(), &[0; 9]].concat(), leaves.iter().flat_map(|leaf| *leaf.as_bytes()).collect());
    let size = leaves.len() as u64;
    batch.put(b"!head".to_vec(), [&size.to_be_bytes()[..], merkle::root(&leaves).as_bytes()].concat());
    crashed.store.commit(&batch).unwrap();
    let Err(error) = crashed.try_start() else { panic!("it signed what nobody did") };
    let words = error.to_string();
    assert!(error.is_permanent() && words.contains(&format!("the entry {index} does not verify")), "{words}");
}

#[tokio::test]
async fn a_writer_whose_anchor_was_changed_stops_without_an_answer() {
    let server = Setup::new().start().await;
    let key = server.appender().await;
    server.append(&key, b"first").await.expect(200);
    let before = server.checkpoint().await;
    std::fs::write(server.setup.anchor.path().join(FILE), "{}").unwrap();
    let unknown = server.append(&key, b"second").await;
    assert_eq!(unknown.header("retry-after"), Some("1"));
    assert_eq!(unknown.refused(503).kind, "urn:countersign:problem:unknown");
    assert_eq!(server.checkpoint().await, before, "nothing was published");
    server.append(&key, b"third").await.refused(503);
    let (_, ended) = soon(server.stop()).await;
    assert!(matches!(ended, Err(Fatal::Anchor(_))), "{ended:?}");
}
