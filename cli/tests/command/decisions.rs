//! Decisions on a running server, with the software authenticator of the crash tests.

use api::{CreateInvite, InviteCreated};
use serde_json::{Value, json};
use verifier::document::Document;
use verifier::encoding::{base64url, from_base64url};

use super::authenticator::{CREDENTIAL_ID, register, sign};
use super::person::api_key;
use super::running::{Folder, post};

/// alex, whose passkey lies in this process, and a requester.
pub(crate) struct Deciding<'a> {
    folder: &'a Folder,
    requester: String,
}

impl<'a> Deciding<'a> {
    /// Enrols alex.
    pub(crate) async fn enrol(folder: &'a Folder) -> Self {
        let (url, admin) = (folder.url(), folder.admin_key());
        let invite =
            CreateInvite { note: "alex".into(), max_uses: None, username: Some("alex".into()), expires_in: None };
        let invite: InviteCreated = post(&format!("{url}/api/invites"), &admin, &invite).await;
        let page = invite.register_url;
        let options: Value = post(&format!("{page}/options"), "", &json!({})).await;
        let challenge = from_base64url(options["publicKey"]["challenge"].as_str().unwrap()).unwrap();
        let (attestation_object, client_data) = register(&challenge, &url);
        let id = base64url(&CREDENTIAL_ID);
        let credential = json!({"id": id, "rawId": id, "type": "public-key", "response": {
            "attestationObject": base64url(&attestation_object), "clientDataJSON": base64url(&client_data),
            "transports": []}});
        let _: Value = post(&page, "", &json!({"credential": credential})).await;
        Self { folder, requester: api_key(folder, "request").await }
    }

    /// Asks alex and decides: `approve` or `reject`. Returns the confirmation's id.
    pub(crate) async fn decide(&self, action: &str, decision: &str) -> String {
        let url = self.folder.url();
        let asked = json!({"username": "alex", "action": action, "payload": {}, "expiresIn": 300});
        let asked: Value = post(&format!("{url}/api/confirmations"), &self.requester, &asked).await;
        let id = asked["id"].as_str().unwrap().to_owned();
        let page = format!("{url}/approve/{id}");
        let options: Value = post(&format!("{page}/options"), "", &json!({"approver": "alex"})).await;
        let document = Document::parse(options["documents"][decision].as_str().unwrap()).unwrap();
        let (data, client_data, signature) = sign(&document.challenge(), &url);
        let credential = base64url(&CREDENTIAL_ID);
        let assertion = json!({"id": credential, "rawId": credential, "type": "public-key", "response": {
            "authenticatorData": base64url(&data), "clientDataJSON": base64url(&client_data),
            "signature": base64url(&signature)}});
        let signed = json!({"approver": "alex", "decision": decision, "assertion": assertion});
        let _: Value = post(&format!("{page}/decision"), "", &signed).await;
        id
    }

    /// Uses an approval.
    pub(crate) async fn consume(&self, id: &str) {
        let url = format!("{}/api/confirmations/{id}/consume", self.folder.url());
        let request = super::running::web().post(url).header("X-Api-Key", &self.requester);
        let answer = request.header("Idempotency-Key", id).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }
}
