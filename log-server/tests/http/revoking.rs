//! Revoking a passkey ends its part in what is pending, and in nothing else.

use api::{ApproveOptions, Confirmation, Status};
use serde_json::json;
use verifier::document::Decision;
use verifier::receipt::Receipt;
use verifier::verify::Verdict;

use crate::flows::verify_receipt;
use crate::people::{Person, request};
use crate::server::Server;

/// Three who are asked, of whom two must approve.
struct Scene {
    server: Server,
    key: String,
    alex: Person,
    kim: Person,
    sam: Person,
    id: String,
}

impl Scene {
    async fn new() -> Self {
        let server = Server::new().await;
        let (alex, kim, sam) = (server.enrol("alex").await, server.enrol("kim").await, server.enrol("sam").await);
        let key = server.requester().await;
        let three = json!({"username": null, "approvers": ["alex", "kim", "sam"], "quorum": 2});
        let id = server.ask(&key, &request("", &three)).await.id;
        Self { server, key, alex, kim, sam, id }
    }

    async fn revoke(&self, person: &Person) -> api::Revoked {
        let path = format!("/api/credentials/{}?reason=stolen", person.enrolled.credential);
        self.server.delete(&path).key(self.server.admin()).send().await.expect(200).json()
    }

    async fn confirmation(&self) -> Confirmation {
        self.server.confirmation(&self.key, &self.id).await
    }
}

#[tokio::test]
async fn an_approval_made_before_counts_no_more_where_others_have_still_to_decide() {
    let scene = Scene::new().await;
    scene.alex.approve(&scene.server, &scene.id).await;
    let revoked = scene.revoke(&scene.alex).await;
    assert_eq!(scene.kim.approve(&scene.server, &scene.id).await.status, Status::Pending, "one of two counts");
    let pending = scene.confirmation().await;
    assert_eq!((pending.status, pending.receipt), (Status::Pending, None));
    let marks: Vec<_> = pending.decisions.iter().map(|one| (&*one.approver, one.revoked_at.clone())).collect();
    assert_eq!(marks, [("alex", Some(revoked.revoked_at)), ("kim", None)]);
    let told: ApproveOptions = scene.server.approve_options(&scene.id, "sam").await;
    assert_eq!(told.decisions.iter().map(|one| one.revoked_at.is_some()).collect::<Vec<_>>(), [true, false]);

    assert_eq!(scene.sam.approve(&scene.server, &scene.id).await.status, Status::Approved);
    let approved = scene.confirmation().await;
    let report = verify_receipt(&scene.server, &approved, Decision::Approve).await;
    assert!(report.as_expected, "{:?}", report.failure());
    let receipt = Receipt::parse(approved.receipt.unwrap().as_bytes()).unwrap();
    assert_eq!(receipt.decisions.len(), 2, "what does not count is not in the receipt");
}

/// One person decides once for each request: a new passkey is for what is asked next.
#[tokio::test]
async fn nobody_decides_a_second_time_with_another_passkey() {
    let scene = Scene::new().await;
    let documents = scene.server.approve_options(&scene.id, "alex").await.documents.unwrap();
    scene.alex.approve(&scene.server, &scene.id).await;
    scene.revoke(&scene.alex).await;
    let again = scene.server.enrol("alex").await;
    assert_eq!(scene.server.approve_options(&scene.id, "alex").await.documents, None);
    let challenge = verifier::document::Document::parse(&documents.approve).unwrap().challenge();
    let assertion = again.device.sign(&challenge).await;
    let approver = "alex".to_owned();
    let decision = api::DecisionRequest { approver, decision: "approve".to_owned(), assertion, note: None };
    assert!(scene.server.send_decision(&scene.id, &decision).await.refusal(409).contains("decided already"));
    assert_eq!(scene.confirmation().await.status, Status::Pending);
}

#[tokio::test]
async fn what_has_ended_stays_as_it_is() {
    let scene = Scene::new().await;
    scene.alex.approve(&scene.server, &scene.id).await;
    scene.sam.approve(&scene.server, &scene.id).await;
    scene.revoke(&scene.alex).await;
    let approved = scene.confirmation().await;
    assert_eq!(approved.status, Status::Approved);
    assert!(approved.decisions.iter().all(|one| one.revoked_at.is_none()));
    assert_eq!(verify_receipt(&scene.server, &approved, Decision::Approve).await.verdict, Verdict::Approved);
}

#[tokio::test]
async fn without_enough_others_it_expires_or_one_rejects() {
    let scene = Scene::new().await;
    scene.alex.approve(&scene.server, &scene.id).await;
    scene.revoke(&scene.alex).await;
    assert_eq!(scene.sam.decide(&scene.server, &scene.id, "reject").await.status, Status::Rejected);
    let rejected = scene.confirmation().await;
    assert_eq!(rejected.raw_assertion.as_ref(), Some(&rejected.decisions[1].raw_assertion), "the one that counts");
    assert_eq!(verify_receipt(&scene.server, &rejected, Decision::Reject).await.verdict, Verdict::Rejected);
}

/// The receipt after the decision, for whoever holds the documents.
#[tokio::test]
async fn the_receipt_goes_to_whom_has_the_salt() {
    let scene = Scene::new().await;
    let documents = scene.server.approve_options(&scene.id, "alex").await.documents.unwrap();
    let document = verifier::document::Document::parse(&documents.approve).unwrap();
    let salt = verifier::encoding::base64url(&document.salt);
    let path = format!("/approve/{}/options", scene.id);
    let ask =
        async |body| scene.server.post(&path).json(&body).send().await.expect(200).json::<ApproveOptions>().receipt;
    let with = json!({"approver": "alex", "salt": salt});
    assert_eq!(ask(with.clone()).await, None, "nothing is decided");
    scene.alex.approve(&scene.server, &scene.id).await;
    assert_eq!(ask(with.clone()).await, None, "others have to decide");
    scene.sam.approve(&scene.server, &scene.id).await;
    assert_eq!(ask(with).await, scene.confirmation().await.receipt);
    for without in [json!({"approver": "alex"}), json!({"approver": "kim", "salt": salt}), json!({"salt": salt})] {
        assert_eq!(ask(without).await, None);
    }
}
