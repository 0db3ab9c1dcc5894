//! A requester and an approver over HTTP, with the software authenticator of the crash tests.

use std::fs;

use serde_json::{Value, json};
use verifier::document::Document;
use verifier::encoding::{base64url, from_base64url};

use crate::authenticator::{CREDENTIAL_ID, register, sign};
use crate::log::{Log, make_key};
use crate::running::{post, web};

/// One requester and the approver alex.
pub(crate) struct People {
    url: String,
    key: String,
}

impl People {
    /// Enrols alex and makes a key for the requester.
    pub(crate) async fn enrol(log: &Log) -> Self {
        let url = log.folder.url();
        let admin = [log.folder.path("data/admin.key"), log.folder.path("disk/data/admin.key")];
        let admin = admin.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap();
        let invite: Value =
            post(&format!("{url}/api/invites"), admin.trim_end(), &json!({"note": "faults", "username": "alex"})).await;
        let page = format!("{url}/enrol/{}", invite["code"].as_str().unwrap());
        let options: Value = post(&format!("{page}/options"), "", &json!({})).await;
        let challenge = from_base64url(options["publicKey"]["challenge"].as_str().unwrap()).unwrap();
        let (attestation_object, client_data) = register(&challenge, &url);
        let id = base64url(&CREDENTIAL_ID);
        let credential = json!({"id": id, "rawId": id, "type": "public-key", "response": {
            "attestationObject": base64url(&attestation_object), "clientDataJSON": base64url(&client_data),
            "transports": []}});
        let _: Value = post(&page, "", &json!({"credential": credential})).await;
        Self { key: make_key(&log.folder, "request").await, url }
    }

    /// Asks alex; an error is the status of a refusal.
    pub(crate) async fn ask(&self, action: &str, expires_in: u64) -> Result<String, u16> {
        let body = json!({"username": "alex", "action": action, "payload": {}, "expiresIn": expires_in});
        let request = web().post(format!("{}/api/confirmations", self.url)).header("X-Api-Key", &self.key);
        let answer = request.json(&body).send().await.unwrap();
        if !answer.status().is_success() {
            return Err(answer.status().as_u16());
        }
        let created: Value = answer.json().await.unwrap();
        Ok(created["id"].as_str().unwrap().to_owned())
    }

    /// How a confirmation stands.
    pub(crate) async fn status(&self, id: &str) -> String {
        let request = web().get(format!("{}/api/confirmations/{id}", self.url)).header("X-Api-Key", &self.key);
        let found: Value = request.send().await.unwrap().json().await.unwrap();
        found["status"].as_str().unwrap().to_owned()
    }

    /// Approves; none if there was no answer, else its status.
    pub(crate) async fn approve(&self, id: &str) -> Option<u16> {
        let signed = self.sign(id).await;
        self.decide(id, &signed).await
    }

    /// Signs the approval, and keeps it.
    pub(crate) async fn sign(&self, id: &str) -> Value {
        let page = format!("{}/approve/{id}", self.url);
        let options: Value = post(&format!("{page}/options"), "", &json!({"approver": "alex"})).await;
        let document = Document::parse(options["documents"]["approve"].as_str().unwrap()).unwrap();
        let (data, client_data, signature) = sign(&document.challenge(), &self.url);
        let credential = base64url(&CREDENTIAL_ID);
        let assertion = json!({"id": credential, "rawId": credential, "type": "public-key", "response": {
            "authenticatorData": base64url(&data), "clientDataJSON": base64url(&client_data),
            "signature": base64url(&signature)}});
        json!({"approver": "alex", "decision": "approve", "assertion": assertion})
    }

    /// Sends what was signed; none if there was no answer, else its status.
    pub(crate) async fn decide(&self, id: &str, signed: &Value) -> Option<u16> {
        let answer = web().post(format!("{}/approve/{id}/decision", self.url)).json(signed).send().await.ok()?;
        Some(answer.status().as_u16())
    }

    /// Cancels, and returns the status of the answer.
    pub(crate) async fn cancel(&self, id: &str) -> u16 {
        let request = web().post(format!("{}/api/confirmations/{id}/cancel", self.url));
        request.header("X-Api-Key", &self.key).send().await.unwrap().status().as_u16()
    }
}
