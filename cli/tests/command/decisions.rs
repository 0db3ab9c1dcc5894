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
    user_handle: String,
}

impl<'a> Deciding<'a> {
    /// Enrols alex.
    pub(crate) async fn enrol(folder: &'a Folder) -> Self {
        Self::enrol_with(folder, None).await
    }

    /// Enrols alex with an invite that brings this address.
    pub(crate) async fn enrol_with(folder: &'a Folder, email: Option<&str>) -> Self {
        let (url, admin) = (folder.url(), folder.admin_key());
        let invite = CreateInvite {
            note: "alex".into(),
            max_uses: None,
            username: Some("alex".into()),
            email: email.map(str::to_owned),
            expires_in: None,
        };
        let invite: InviteCreated = post(&format!("{url}/api/invites"), &admin, &invite).await;
        Self::enrol_at(folder, invite.register_url).await
    }

    /// Enrols alex with an invite that was made already: the answer to it.
    pub(crate) async fn enrol_by(folder: &'a Folder, invite: &str) -> Self {
        let invite: InviteCreated = serde_json::from_str(invite).unwrap();
        Self::enrol_at(folder, invite.register_url).await
    }

    /// Enrols alex on the page of an invite.
    pub(crate) async fn enrol_at(folder: &'a Folder, page: String) -> Self {
        let url = folder.url();
        let options: Value = post(&format!("{page}/options"), "", &json!({})).await;
        let challenge = from_base64url(options["publicKey"]["challenge"].as_str().unwrap()).unwrap();
        let (attestation_object, client_data) = register(&challenge, &url);
        let id = base64url(&CREDENTIAL_ID);
        let credential = json!({"id": id, "rawId": id, "type": "public-key", "response": {
            "attestationObject": base64url(&attestation_object), "clientDataJSON": base64url(&client_data),
            "transports": []}});
        let _: Value = post(&page, "", &json!({"credential": credential})).await;
        let user_handle = options["publicKey"]["user"]["id"].as_str().unwrap().to_owned();
        Self { folder, requester: api_key(folder, "request").await, user_handle }
    }

    /// What the passkey calls its owner.
    pub(crate) fn user_handle(&self) -> &str {
        &self.user_handle
    }

    /// The requester's API key.
    pub(crate) fn requester(&self) -> &str {
        &self.requester
    }

    /// Asks alex and decides: `approve` or `reject`. Returns the confirmation's id.
    pub(crate) async fn decide(&self, action: &str, decision: &str) -> String {
        let id = self.ask(action, "none").await;
        self.decide_on(&format!("{}/approve/{id}", self.folder.url()), decision).await;
        id
    }

    /// Asks alex, who is told like this. Returns the confirmation's id.
    pub(crate) async fn ask(&self, action: &str, notify: &str) -> String {
        let url = self.folder.url();
        let asked = json!({"username": "alex", "action": action, "payload": {"secret": "PAYLOAD"}, "expiresIn": 300,
            "notify": notify});
        let asked: Value = post(&format!("{url}/api/confirmations"), &self.requester, &asked).await;
        asked["id"].as_str().unwrap().to_owned()
    }

    /// What the requester sees.
    pub(crate) async fn confirmation(&self, id: &str) -> Value {
        let url = format!("{}/api/confirmations/{id}", self.folder.url());
        let answer = super::running::web().get(url).header("X-Api-Key", &self.requester).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// Decides on the page of a request.
    pub(crate) async fn decide_on(&self, page: &str, decision: &str) {
        let url = self.folder.url();
        let options: Value = post(&format!("{page}/options"), "", &json!({"approver": "alex"})).await;
        let document = Document::parse(options["documents"][decision].as_str().unwrap()).unwrap();
        let (data, client_data, signature) = sign(&document.challenge(), &url);
        let credential = base64url(&CREDENTIAL_ID);
        let assertion = json!({"id": credential, "rawId": credential, "type": "public-key", "response": {
            "authenticatorData": base64url(&data), "clientDataJSON": base64url(&client_data),
            "signature": base64url(&signature)}});
        let signed = json!({"approver": "alex", "decision": decision, "assertion": assertion});
        let _: Value = post(&format!("{page}/decision"), "", &signed).await;
    }

    /// Uses an approval.
    pub(crate) async fn consume(&self, id: &str) {
        let url = format!("{}/api/confirmations/{id}/consume", self.folder.url());
        let request = super::running::web().post(url).header("X-Api-Key", &self.requester);
        let answer = request.header("Idempotency-Key", id).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }
}
