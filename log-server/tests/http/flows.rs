//! Asking, waiting, deciding: from the first request to a receipt that a stranger verifies.

use api::{Confirmation, Status};
use serde_json::json;
use tokio::task::JoinSet;
use verifier::document::{Decision, parse_payload};
use verifier::names::Username;
use verifier::verify::{Approvers, Expectation, Report, Verdict, verify};
use verifier::webauthn::PureRust;

use crate::people::request;
use crate::server::{Server, Setup, soon};

/// Verifies a confirmation's receipt offline, with everything that its requester knows.
pub(crate) async fn verify_receipt(server: &Server, confirmation: &Confirmation, decision: Decision) -> Report {
    let now = server.setup.clock.now();
    let names = confirmation.approvers.iter().map(|name| Username::new(name).unwrap());
    let expectation = Expectation {
        payload: Some(parse_payload(confirmation.payload.get().as_bytes()).unwrap()),
        action: Some(confirmation.action.clone()),
        approvers: Some(Approvers { names: names.collect(), quorum: confirmation.quorum }),
        decision: Some(decision),
        id: Some(confirmation.id.clone()),
        core: Some(confirmation.core.clone()),
        requester: Some("deploy-bot".to_owned()),
        max_age: Some((now, 3600)),
        usable_at: Some(now),
    };
    assert!(expectation.not_stated().is_empty());
    let receipt = confirmation.receipt.as_ref().expect("a decided confirmation has a receipt");
    verify(receipt.as_bytes(), &server.trust().await, &expectation, &PureRust)
}

#[tokio::test]
async fn an_approval_wakes_its_requester_and_its_receipt_verifies() {
    let server = Setup::new().long_polls(1).start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let asked = server.ask(&key, &request("alex", &json!({}))).await;
    assert_eq!(asked.status, Status::Pending);
    assert_eq!(asked.url, format!("http://localhost:8080/approve/{}", asked.id));

    let waiting = server.get(&format!("/api/confirmations/{}?wait=60", asked.id)).key(&key).send();
    let (waited, made) = tokio::join!(waiting, async {
        server.until_all_polls_wait().await;
        alex.approve(&server, &asked.id).await
    });
    let waited: Confirmation = waited.expect(200).json();
    assert_eq!((waited.status, made.status), (Status::Approved, Status::Approved));
    assert_eq!(waited.decisions[0].log_index, made.log_index);
    assert_eq!(waited.decided_at.as_deref(), Some(&*made.decided_at));
    assert_eq!(waited.core, asked.core);
    assert_eq!(waited.raw_assertion.as_ref(), Some(&waited.decisions[0].raw_assertion));

    let report = verify_receipt(&server, &waited, Decision::Approve).await;
    assert!(report.as_expected, "{:?}", report.failure());
    assert_eq!(report.verdict, Verdict::Approved);
    let of_approver = Confirmation { receipt: made.receipt, ..waited.clone() };
    assert!(verify_receipt(&server, &of_approver, Decision::Approve).await.as_expected);
    let other = Confirmation { action: "Delete production".to_owned(), ..waited };
    assert_eq!(verify_receipt(&server, &other, Decision::Approve).await.verdict, Verdict::NotVerified);
}

#[tokio::test]
async fn page_and_requester_see_the_same_request() {
    let server = Server::new().await;
    let (_, key) = (server.enrol("alex").await, server.requester().await);
    let asked = server.ask(&key, &request("alex", &json!({"metadata": {"ticket": "OPS-7"}}))).await;
    let shown = server.approve_options(&asked.id, "alex").await;
    let documents = shown.documents.unwrap();
    let document = verifier::document::Document::parse(&documents.approve).unwrap();
    assert_eq!(document.core.to_canonical(), asked.core);
    assert_eq!(shown.compare_code, asked.compare_code);
    assert_eq!(document.core.compare_code(), asked.compare_code);
    assert_eq!(verifier::encoding::base64url(&document.core.payload_hash()), asked.payload_hash);
    assert_eq!(documents.reject, documents.approve.replace("\"decision\":\"approve\"", "\"decision\":\"reject\""));

    let got = server.confirmation(&key, &asked.id).await;
    assert_eq!(got.metadata.unwrap().get(), r#"{"ticket":"OPS-7"}"#);
    let page = server.post(&format!("/approve/{}/options", asked.id)).json(&json!({})).send().await.expect(200);
    assert!(!page.text().contains("OPS-7"), "an approver never sees the metadata");
}

#[tokio::test]
async fn a_rejection_is_signed_and_logged_too() {
    let server = Server::new().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let id = server.ask(&key, &request("alex", &json!({}))).await.id;
    let mut signed = alex.sign(&server, &id, "reject").await;
    signed.note = Some("not on a Friday".to_owned());
    let made: api::DecisionMade = server.send_decision(&id, &signed).await.expect(200).json();
    assert_eq!(made.status, Status::Rejected);

    let rejected = server.confirmation(&key, &id).await;
    assert_eq!(rejected.status, Status::Rejected);
    assert_eq!(rejected.decisions[0].note.as_deref(), Some("not on a Friday"));
    let report = verify_receipt(&server, &rejected, Decision::Reject).await;
    assert_eq!((report.verdict, report.as_expected), (Verdict::Rejected, true));
    let hoped = verify_receipt(&server, &rejected, Decision::Approve).await;
    assert_eq!((hoped.verdict, hoped.as_expected), (Verdict::Rejected, false));
}

#[tokio::test]
async fn two_of_three_approve() {
    let server = Server::new().await;
    let key = server.requester().await;
    let mut people = Vec::new();
    for name in ["alex", "kim", "sam"] {
        people.push(server.enrol(name).await);
    }
    let several = json!({"username": null, "approvers": ["sam", "alex", "kim"], "quorum": 2});
    let id = server.ask(&key, &request("", &several)).await.id;
    let unnamed = server.post(&format!("/approve/{id}/options")).json(&json!({})).send().await.expect(200);
    let unnamed: api::ApproveOptions = unnamed.json();
    assert_eq!((unnamed.documents, unnamed.approvers.len(), unnamed.quorum), (None, 3, 2));

    let first = people[2].approve(&server, &id).await;
    assert_eq!((first.status, first.receipt), (Status::Pending, None));
    let one = server.confirmation(&key, &id).await;
    assert_eq!((one.status, one.decisions.len(), one.receipt), (Status::Pending, 1, None));
    assert_eq!(people[0].approve(&server, &id).await.status, Status::Approved);
    let both = server.confirmation(&key, &id).await;
    assert_eq!(both.decisions.iter().map(|decision| &*decision.approver).collect::<Vec<_>>(), ["sam", "alex"]);
    assert_eq!(both.raw_assertion, None, "no single assertion ended it");
    assert!(verify_receipt(&server, &both, Decision::Approve).await.as_expected);

    let late = server.approve_options(&id, "kim").await;
    assert_eq!((late.status, late.documents), (Status::Approved, None));
}

#[tokio::test]
async fn one_rejection_ends_it() {
    let server = Server::new().await;
    let key = server.requester().await;
    let (alex, sam) = (server.enrol("alex").await, server.enrol("sam").await);
    let both = json!({"username": null, "approvers": ["alex", "sam"], "quorum": 2});
    let id = server.ask(&key, &request("", &both)).await.id;
    let late = sam.sign(&server, &id, "approve").await;
    assert_eq!(alex.decide(&server, &id, "reject").await.status, Status::Rejected);
    server.send_decision(&id, &late).await.refused(409);
    let ended = server.confirmation(&key, &id).await;
    assert_eq!((ended.status, ended.decisions.len()), (Status::Rejected, 1));
    assert_eq!(verify_receipt(&server, &ended, Decision::Reject).await.verdict, Verdict::Rejected);
}

#[tokio::test]
async fn a_cancelled_confirmation_cannot_be_decided_and_a_decided_one_not_cancelled() {
    let server = Setup::new().long_polls(1).start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let id = server.ask(&key, &request("alex", &json!({}))).await.id;
    let late = alex.sign(&server, &id, "approve").await;
    let waiting = server.get(&format!("/api/confirmations/{id}?wait=60")).key(&key).send();
    let (waited, cancelled) = tokio::join!(waiting, async {
        server.until_all_polls_wait().await;
        server.cancel(&key, &id).await
    });
    for reply in [waited, cancelled, server.cancel(&key, &id).await] {
        assert_eq!(reply.expect(200).json::<Confirmation>().status, Status::Cancelled);
    }
    let size = server.log_size().await;
    server.send_decision(&id, &late).await.refused(409);
    assert_eq!(server.log_size().await, size);

    let decided = server.ask(&key, &request("alex", &json!({}))).await.id;
    alex.approve(&server, &decided).await;
    assert!(server.cancel(&key, &decided).await.refusal(409).contains("approved"));
    assert_eq!(server.confirmation(&key, &decided).await.status, Status::Approved);
}

#[tokio::test]
async fn a_stopping_server_answers_its_long_polls_and_comes_back_with_everything() {
    let server = Setup::new().long_polls(1).start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let id = server.ask(&key, &request("alex", &json!({}))).await.id;
    let mut polls = JoinSet::new();
    polls.spawn(server.get(&format!("/api/confirmations/{id}?wait=60")).key(&key).send());
    server.until_all_polls_wait().await;
    let checkpoint = server.get("/log/checkpoint").send().await.body;
    let (setup, ended) = server.stop().await;
    assert!(ended.is_ok());
    let reply = soon(polls.join_next()).await.unwrap().unwrap();
    assert_eq!(reply.expect(200).json::<Confirmation>().status, Status::Pending);

    let server = setup.start().await;
    assert_eq!(server.get("/log/checkpoint").send().await.body, checkpoint);
    alex.approve(&server, &id).await;
    let approved = server.confirmation(&key, &id).await;
    assert!(verify_receipt(&server, &approved, Decision::Approve).await.as_expected);
}
