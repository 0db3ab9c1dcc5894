//! Who uses the server: admins, requesters and approvers, each through the routes that they have.

use api::{
    ApproveOptions, Confirmation, Created, DecisionMade, DecisionRequest, EnrolOptions, Enrolled, InviteCreated,
    KeyCreated,
};
use serde_json::{Value, json};
use verifier::document::Document;

use crate::authenticator::Device;
use crate::call::Reply;
use crate::server::Server;

/// An approver with a passkey.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) device: Device,
    pub(crate) enrolled: Enrolled,
}

/// A request to deploy something, which `changes` are laid over.
pub(crate) fn request(approver: &str, changes: &Value) -> Value {
    let mut request = json!({
        "username": approver,
        "action": "Deploy api-gateway to production",
        "payload": {"commit": "a1b2c3d", "env": "production", "service": "api-gateway"},
    });
    for (field, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => _ = request.as_object_mut().unwrap().remove(field),
            value => request[field] = value.clone(),
        }
    }
    request
}

impl Server {
    pub(crate) async fn invite(&self, invite: &Value) -> InviteCreated {
        self.post("/api/invites").key(self.admin()).json(invite).send().await.expect(201).json()
    }

    /// What the enrol page gets to make a passkey with.
    pub(crate) async fn enrol_options(&self, code: &str, name: &str) -> Value {
        let asked = self.post(&format!("/enrol/{code}/options")).json(&json!({"username": name})).send().await;
        asked.expect(200).json::<EnrolOptions>().public_key.unwrap()
    }

    pub(crate) async fn send_registration(&self, code: &str, credential: &api::Registration) -> Reply {
        self.post(&format!("/enrol/{code}")).json(&json!({"credential": credential})).send().await
    }

    /// Invites somebody, who enrols.
    pub(crate) async fn enrol(&self, name: &str) -> Person {
        self.enrol_with(name, &json!({})).await
    }

    /// Invites somebody with more in the invite, who enrols.
    pub(crate) async fn enrol_with(&self, name: &str, more: &Value) -> Person {
        let mut invite = json!({"note": "join us", "username": name});
        invite.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let code = self.invite(&invite).await.code;
        let mut device = Device::new();
        let options = self.enrol_options(&code, name).await;
        let registration = device.register(&options).await;
        let enrolled = self.send_registration(&code, &registration).await.expect(201).json();
        Person { name: name.to_owned(), device, enrolled }
    }

    pub(crate) async fn make_key(&self, key: &Value) -> KeyCreated {
        self.post("/api/keys").key(self.admin()).json(key).send().await.expect(201).json()
    }

    /// The API key of a new requester.
    pub(crate) async fn requester(&self) -> String {
        self.make_key(&json!({"name": "deploy-bot", "scopes": ["request"]})).await.key
    }

    /// An API key that may append.
    pub(crate) async fn appender(&self) -> String {
        self.make_key(&json!({"name": "appender", "scopes": ["append"]})).await.key
    }

    pub(crate) async fn try_ask(&self, key: &str, request: &Value) -> Reply {
        self.post("/api/confirmations").key(key).json(request).send().await
    }

    pub(crate) async fn ask(&self, key: &str, request: &Value) -> Created {
        self.try_ask(key, request).await.expect(201).json()
    }

    pub(crate) async fn confirmation(&self, key: &str, id: &str) -> Confirmation {
        self.get(&format!("/api/confirmations/{id}")).key(key).send().await.expect(200).json()
    }

    pub(crate) async fn cancel(&self, key: &str, id: &str) -> Reply {
        self.post(&format!("/api/confirmations/{id}/cancel")).key(key).send().await
    }

    pub(crate) async fn consume(&self, key: &str, id: &str, idempotency: &str) -> Reply {
        let call = self.post(&format!("/api/confirmations/{id}/consume")).key(key);
        call.header("idempotency-key", idempotency).send().await
    }

    /// What the approve page shows to an approver.
    pub(crate) async fn approve_options(&self, id: &str, approver: &str) -> ApproveOptions {
        let asked = self.post(&format!("/approve/{id}/options")).json(&json!({"approver": approver})).send().await;
        asked.expect(200).json()
    }

    pub(crate) async fn send_decision(&self, id: &str, decision: &DecisionRequest) -> Reply {
        self.post(&format!("/approve/{id}/decision")).json(decision).send().await
    }

    pub(crate) async fn append(&self, key: &str, entry: &[u8]) -> Reply {
        self.post("/log/entries").key(key).body("application/octet-stream", entry.to_vec()).send().await
    }
}

impl Person {
    /// Signs the document that the page shows.
    pub(crate) async fn sign(&self, server: &Server, id: &str, decision: &str) -> DecisionRequest {
        let documents = server.approve_options(id, &self.name).await.documents.expect("this can be decided");
        let document = if decision == "approve" { documents.approve } else { documents.reject };
        let assertion = self.device.sign(&Document::parse(&document).unwrap().challenge()).await;
        DecisionRequest { approver: self.name.clone(), decision: decision.to_owned(), assertion, note: None }
    }

    pub(crate) async fn try_decide(&self, server: &Server, id: &str, decision: &str) -> Reply {
        let signed = self.sign(server, id, decision).await;
        server.send_decision(id, &signed).await
    }

    pub(crate) async fn decide(&self, server: &Server, id: &str, decision: &str) -> DecisionMade {
        self.try_decide(server, id, decision).await.expect(200).json()
    }

    pub(crate) async fn approve(&self, server: &Server, id: &str) -> DecisionMade {
        self.decide(server, id, "approve").await
    }
}
