//! Decisions that must not count: over another challenge, by another's passkey, without user verification, twice, too late.

use api::{DecisionRequest, Status};
use log_server::writer::Moment;
use serde_json::json;
use verifier::document::Document;
use verifier::encoding::base64url;

use crate::authenticator::Device;
use crate::people::{Person, request};
use crate::server::Server;

/// A server with a pending confirmation for alex, and sam beside.
struct Scene {
    server: Server,
    key: String,
    alex: Person,
    sam: Person,
    id: String,
}

impl Scene {
    async fn new() -> Self {
        let server = Server::new().await;
        let (alex, sam, key) = (server.enrol("alex").await, server.enrol("sam").await, server.requester().await);
        let id = server.ask(&key, &request("alex", &json!({}))).await.id;
        Self { server, key, alex, sam, id }
    }

    /// Sends a decision that must be refused and leave no trace.
    async fn refused(&self, status: u16, decision: &DecisionRequest) -> api::Problem {
        let before = (self.server.stored(), self.server.log_size().await);
        let problem = self.server.send_decision(&self.id, decision).await.refused(status);
        assert!((self.server.stored(), self.server.log_size().await) == before, "a refusal left a trace");
        assert_eq!(self.server.confirmation(&self.key, &self.id).await.status, Status::Pending);
        problem
    }

    async fn refused_assertion(&self, decision: &DecisionRequest) {
        assert_eq!(self.refused(422, decision).await.field.as_deref(), Some("assertion"));
    }

    async fn approved_in_the_end(&self) {
        assert_eq!(self.alex.approve(&self.server, &self.id).await.status, Status::Approved);
    }

    async fn challenge(&self) -> [u8; 64] {
        let documents = self.server.approve_options(&self.id, "alex").await.documents.unwrap();
        Document::parse(&documents.approve).unwrap().challenge()
    }
}

fn approval(approver: &str, assertion: api::Assertion) -> DecisionRequest {
    DecisionRequest { approver: approver.to_owned(), decision: "approve".to_owned(), assertion, note: None }
}

#[tokio::test]
async fn another_challenge() {
    let scene = Scene::new().await;
    let good = scene.challenge().await;
    let mut one_bit = good;
    one_bit[63] ^= 1;
    let mut other_nonce = good;
    other_nonce[0] ^= 1;
    for challenge in [vec![0; 64], one_bit.to_vec(), other_nonce.to_vec(), good[32..].to_vec(), Vec::new()] {
        scene.refused_assertion(&approval("alex", scene.alex.device.sign(&challenge).await)).await;
    }
    scene.approved_in_the_end().await;
}

#[tokio::test]
async fn the_other_document() {
    let scene = Scene::new().await;
    for (signed, claimed) in [("approve", "reject"), ("reject", "approve")] {
        let decision = scene.alex.sign(&scene.server, &scene.id, signed).await;
        scene.refused_assertion(&DecisionRequest { decision: claimed.to_owned(), ..decision }).await;
    }
    let odd = scene.alex.sign(&scene.server, &scene.id, "approve").await;
    for decision in ["", "Approve", "maybe"] {
        let problem = scene.refused(422, &DecisionRequest { decision: decision.to_owned(), ..odd.clone() }).await;
        assert_eq!(problem.field.as_deref(), Some("decision"));
    }
    scene.approved_in_the_end().await;
}

#[tokio::test]
async fn another_persons_passkey() {
    let scene = Scene::new().await;
    let challenge = scene.challenge().await;
    let by_sam = scene.sam.device.sign(&challenge).await;
    let foreign_id = scene.refused(422, &approval("alex", by_sam.clone())).await;
    assert_eq!(foreign_id.field.as_deref(), Some("assertion.response.userHandle"));
    let mut claimed = by_sam;
    claimed.response.user_handle = None;
    assert_eq!(scene.refused(422, &approval("alex", claimed.clone())).await.field.as_deref(), Some("assertion.id"));
    let id = base64url(&scene.alex.device.passkey.as_ref().unwrap().credential_id);
    claimed.raw_id.clone_from(&id);
    let unequal = scene.refused(422, &approval("alex", claimed.clone())).await;
    assert_eq!(unequal.field.as_deref(), Some("assertion.rawId"));
    claimed.id = id;
    scene.refused_assertion(&approval("alex", claimed)).await;
    let not_asked = scene.sam.device.sign(&challenge).await;
    scene.refused(404, &approval("sam", not_asked)).await;
    let unknown = scene.alex.device.sign(&challenge).await;
    scene.refused(404, &approval("nobody", unknown)).await;
    scene.approved_in_the_end().await;
}

#[tokio::test]
async fn an_assertion_for_another_confirmation() {
    let scene = Scene::new().await;
    let twin = scene.server.ask(&scene.key, &request("alex", &json!({}))).await.id;
    let replayed = scene.alex.sign(&scene.server, &twin, "approve").await;
    scene.server.send_decision(&twin, &replayed).await.expect(200);
    scene.refused_assertion(&replayed).await;
    scene.approved_in_the_end().await;
}

#[tokio::test]
async fn without_user_verification() {
    let scene = Scene::new().await;
    let thief = Device { verifies: false, ..scene.alex.device.clone() };
    let assertion = thief.sign(&scene.challenge().await).await;
    let detail = scene.refused(422, &approval("alex", assertion)).await.detail;
    assert!(detail.contains("verif"), "{detail}");
    scene.approved_in_the_end().await;
}

#[tokio::test]
async fn on_another_page() {
    let scene = Scene::new().await;
    let challenge = scene.challenge().await;
    for web_origin in ["http://localhost:8081", "http://localhost", "https://localhost:8080"] {
        let phished = Device { web_origin: web_origin.to_owned(), ..scene.alex.device.clone() };
        scene.refused_assertion(&approval("alex", phished.sign(&challenge).await)).await;
    }
    scene.approved_in_the_end().await;
}

#[tokio::test]
async fn changed_or_broken_assertions() {
    let scene = Scene::new().await;
    let good = approval("alex", scene.alex.device.sign(&scene.challenge().await).await);
    let parts: [fn(&mut api::AssertionResponse) -> &mut String; 3] =
        [|r| &mut r.authenticator_data, |r| &mut r.client_data_json, |r| &mut r.signature];
    for part in parts {
        for broken in ["", "AAAA", "AB", "!", "AA==", &"A".repeat(100_000)] {
            let mut bad = good.clone();
            *part(&mut bad.assertion.response) = broken.to_owned();
            scene.refused(422, &bad).await;
        }
        let mut flipped = good.clone();
        let text = part(&mut flipped.assertion.response);
        let middle = text.len() / 2;
        let other = if &text[middle..=middle] == "A" { "B" } else { "A" };
        text.replace_range(middle..=middle, other);
        scene.refused(422, &flipped).await;
    }
    let mut kind = good.clone();
    kind.assertion.kind = "password".to_owned();
    scene.refused(422, &kind).await;
    let noted = DecisionRequest { note: Some("a note".to_owned()), ..good.clone() };
    assert_eq!(scene.refused(422, &noted).await.field.as_deref(), Some("note"));
    scene.server.send_decision(&scene.id, &good).await.expect(200);
}

#[tokio::test]
async fn a_note_has_1000_characters() {
    let scene = Scene::new().await;
    let signed = scene.alex.sign(&scene.server, &scene.id, "reject").await;
    let noted = |length: usize| DecisionRequest { note: Some("é".repeat(length)), ..signed.clone() };
    assert_eq!(scene.refused(422, &noted(1001)).await.field.as_deref(), Some("note"));
    scene.server.send_decision(&scene.id, &noted(1000)).await.expect(200);
}

#[tokio::test]
async fn a_revoked_passkey() {
    let scene = Scene::new().await;
    let signed = scene.alex.sign(&scene.server, &scene.id, "approve").await;
    let revoke = format!("/api/credentials/{}?reason=stolen", scene.alex.enrolled.credential);
    scene.server.delete(&revoke).key(scene.server.admin()).send().await.expect(200);
    assert_eq!(scene.refused(422, &signed).await.field.as_deref(), Some("assertion.id"));
    let shown = scene.server.approve_options(&scene.id, "alex").await;
    assert!(shown.credentials.is_empty());
    let asked = scene.server.try_ask(&scene.key, &request("alex", &json!({}))).await;
    assert!(asked.refusal(422).contains("not enrolled"));
}

/// The decision is verified, then waits in the queue behind the revocation.
#[tokio::test]
async fn a_passkey_that_is_revoked_between_signature_and_writer() {
    let scene = Scene::new().await;
    let server = &scene.server;
    let appender = server.appender().await;
    let signed = scene.alex.sign(server, &scene.id, "approve").await;
    let revoke = format!("/api/credentials/{}?reason=stolen", scene.alex.enrolled.credential);
    let mut held = server.setup.pause.at(Moment::Sequenced);
    let appended = tokio::spawn(server.post("/log/entries").key(&appender).body("text/plain", "entry").send());
    held.reached().await;
    let revoked = tokio::spawn(server.delete(&revoke).key(server.admin()).send());
    server.until_waiting(2).await;
    let decided = tokio::spawn(server.post(&format!("/approve/{}/decision", scene.id)).json(&signed).send());
    server.until_waiting(3).await;
    drop(held);
    appended.await.unwrap().expect(200);
    revoked.await.unwrap().expect(200);
    assert!(decided.await.unwrap().refusal(409).contains("revoked"));
    assert_eq!(server.confirmation(&scene.key, &scene.id).await.status, Status::Pending);
}

#[tokio::test]
async fn decided_twice() {
    let scene = Scene::new().await;
    let server = &scene.server;
    let both = json!({"username": null, "approvers": ["alex", "sam"], "quorum": 2});
    let id = server.ask(&scene.key, &request("", &both)).await.id;
    let (approve, reject) =
        (scene.alex.sign(server, &id, "approve").await, scene.alex.sign(server, &id, "reject").await);
    server.send_decision(&id, &approve).await.expect(200);
    let size = server.log_size().await;
    assert!(server.send_decision(&id, &approve).await.refusal(409).contains("decided already"));
    assert!(server.send_decision(&id, &reject).await.refusal(409).contains("decided already"));
    let shown = server.approve_options(&id, "alex").await;
    assert_eq!((shown.documents, shown.decided.unwrap().decision), (None, "approve".to_owned()));
    scene.sam.approve(server, &id).await;
    assert!(server.send_decision(&id, &reject).await.refusal(409).contains("approved already"));
    assert_eq!(server.log_size().await, size + 1);

    let (approve, reject) =
        (scene.alex.sign(server, &scene.id, "approve").await, scene.alex.sign(server, &scene.id, "reject").await);
    let (one, two) = tokio::join!(server.send_decision(&scene.id, &approve), server.send_decision(&scene.id, &reject));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "of two at once one counts");
}
