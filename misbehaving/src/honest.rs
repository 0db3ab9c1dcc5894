//! The real server, its store in memory, with two approvers who have software passkeys. Called without a network.

use std::sync::Arc;

use api::{
    ApproveOptions, Confirmation, ConfirmationList, ConfirmationSummary, Created, DecisionRequest, EnrolOptions,
    EnrolRequest, InviteCreated, KeyCreated, LogEntryList,
};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, header};
use http_body_util::BodyExt as _;
use log_server::api_keys::ApiKey;
use log_server::clock::Clock;
use log_server::http::router;
use log_server::identity::Identity;
use log_server::limits::Limits;
use log_server::random::OsRandom;
use log_server::start::{Settings, start};
use log_server::store::memory::MemoryStore;
use merkle::Hash;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;
use verifier::document::Document;
use verifier::encoding::{array_from_base64, from_base64url};
use verifier::note::SignerKey;
use verifier::trust::Trust;
use verifier::webauthn::PureRust;

use crate::authenticator::Authenticator;

/// Who approves.
pub const ALEX: &str = "alex";
/// Who approves too, where two must.
const KIM: &str = "kim";
/// The name of the API key.
pub const REQUESTER: &str = "deploy-bot";
/// The site; the port that a case listens on is another one, which only a browser would mind.
const WEB_ORIGIN: &str = "http://localhost:8080";
const LOG_ORIGIN: &str = "localhost:8080/log";

/// A server and its people.
pub struct Honest {
    router: Router,
    admin: ApiKey,
    /// The requester's API key.
    pub key: String,
    people: Vec<(&'static str, Authenticator)>,
    _anchor: TempDir,
}

impl Honest {
    /// A server with this clock and this log key.
    pub async fn start(clock: Arc<dyn Clock>, log_key: &SignerKey) -> Self {
        let anchor = tempfile::tempdir().unwrap();
        let admin = ApiKey::generate(&OsRandom);
        let started = start(Settings {
            identity: Identity::from_public_url(WEB_ORIGIN).unwrap(),
            key: SignerKey::from_secret_text(&log_key.to_secret_text()).unwrap(),
            admin_key: admin.clone(),
            anchor: anchor.path().to_owned(),
            store: Arc::new(MemoryStore::default()),
            clock,
            random: Arc::new(OsRandom),
            primitive: Arc::new(PureRust),
            // The same is asked again and again here, by every door.
            limits: Limits {
                cool_down_seconds: 0,
                pending_per_approver: 10_000,
                pending_per_key_and_approver: 10_000,
                ..Limits::default()
            },
            couriers: log_server::notifications::Couriers::default(),
            free_disk: Arc::new(|| None),
            backup: None,
            observer: Box::new(|_| {}),
            banner: Some("for tests".to_owned()),
        })
        .unwrap();
        let mut server =
            Self { router: router(started.app), admin, key: String::new(), people: Vec::new(), _anchor: anchor };
        for name in [ALEX, KIM] {
            server.enrol(name).await;
        }
        let key = json!({"name": REQUESTER, "scopes": ["request", "append"]});
        server.key = server.as_admin::<KeyCreated>("/api/keys", &key).await.key;
        server
    }

    /// The log's key, which every case has, as a hostile operator has it.
    pub fn log_key() -> SignerKey {
        SignerKey::from_seed(LOG_ORIGIN, &[7; 32]).unwrap()
    }

    /// A key that nobody trusts.
    pub fn other_log_key() -> SignerKey {
        SignerKey::from_seed(LOG_ORIGIN, &[8; 32]).unwrap()
    }

    /// What a client pins who trusts a log key.
    pub fn trust_in(log_key: &SignerKey) -> Trust {
        let site = Identity::from_public_url(WEB_ORIGIN).unwrap().relying_party;
        Trust::of_server(log_key.verifier_key(), site)
    }

    /// The answer to any request.
    pub async fn call(&self, request: Request<Body>) -> Response<Body> {
        let answer: Result<_, std::convert::Infallible> = self.router.clone().oneshot(request).await;
        let Ok(answer) = answer;
        answer
    }

    /// Asks for something, as the requester.
    pub async fn ask(&self, request: &Value) -> String {
        self.json::<Created>("POST", "/api/confirmations", &self.key, request).await.id
    }

    /// The confirmation as it is.
    pub async fn confirmation(&self, id: &str) -> Confirmation {
        self.json("GET", &format!("/api/confirmations/{id}"), &self.key, &Value::Null).await
    }

    /// The newest of what waits for somebody.
    pub async fn pending(&self, approver: &str) -> Vec<ConfirmationSummary> {
        let path = format!("/api/confirmations?status=pending&approver={approver}&limit=100");
        self.json::<ConfirmationList>("GET", &path, &self.key, &Value::Null).await.confirmations
    }

    /// Cancels it, as the requester.
    pub async fn cancel(&self, id: &str) {
        _ = self.json::<Confirmation>("POST", &format!("/api/confirmations/{id}/cancel"), &self.key, &json!({})).await;
    }

    /// Uses it, as the requester in another place, which gets this answer.
    pub async fn consume(&self, id: &str) -> Value {
        self.json("POST", &format!("/api/confirmations/{id}/consume"), &self.key, &Value::Null).await
    }

    /// The leaf hashes of its log.
    pub async fn leaves(&self) -> Vec<Hash> {
        let mut leaves = Vec::new();
        loop {
            let path = format!("/log/entries?start={}", leaves.len());
            let found: LogEntryList = self.json("GET", &path, "", &Value::Null).await;
            if found.entries.is_empty() {
                return leaves;
            }
            let hashes = found.entries.iter().map(|entry| array_from_base64(&entry.leaf_hash).unwrap());
            leaves.extend(hashes.map(Hash::from_bytes));
        }
    }

    /// Everybody who is asked decides, until it is decided.
    pub async fn decide(&self, id: &str, decision: &str) {
        let asked = self.confirmation(id).await.approvers;
        for (name, passkey) in self.people.iter().filter(|(name, _)| asked.iter().any(|asked| asked == name)) {
            let asked = json!({"approver": name});
            let path = format!("/approve/{id}/options");
            let options: ApproveOptions = self.json("POST", &path, "", &asked).await;
            let Some(documents) = options.documents else { continue };
            let document = if decision == "approve" { documents.approve } else { documents.reject };
            let assertion = passkey.sign(&Document::parse(&document).unwrap().challenge());
            let note = (decision == "reject").then(|| "not on a \u{202e}Friday".to_owned());
            let signed =
                DecisionRequest { approver: (*name).to_owned(), decision: decision.to_owned(), assertion, note };
            let path = format!("/approve/{id}/decision");
            let body = serde_json::to_value(&signed).unwrap();
            _ = self.json::<api::DecisionMade>("POST", &path, "", &body).await;
        }
    }

    async fn enrol(&mut self, name: &'static str) {
        let invite = json!({"note": "for tests", "username": name});
        let code = self.as_admin::<InviteCreated>("/api/invites", &invite).await.code;
        let asked = json!({"username": name});
        let options: EnrolOptions = self.json("POST", &format!("/enrol/{code}/options"), "", &asked).await;
        let challenge = options.public_key.unwrap()["challenge"].as_str().unwrap().to_owned();
        let passkey = Authenticator::new("localhost", WEB_ORIGIN);
        let credential = passkey.register(&from_base64url(&challenge).unwrap());
        let body = serde_json::to_value(EnrolRequest { credential }).unwrap();
        _ = self.json::<api::Enrolled>("POST", &format!("/enrol/{code}"), "", &body).await;
        self.people.push((name, passkey));
    }

    async fn as_admin<T: DeserializeOwned>(&self, path: &str, body: &Value) -> T {
        self.json("POST", path, self.admin.reveal(), body).await
    }

    async fn json<T: DeserializeOwned>(&self, method: &str, path: &str, key: &str, body: &Value) -> T {
        let mut request = Request::builder().method(method).uri(path);
        if !key.is_empty() {
            request = request.header("x-api-key", key);
        }
        if path.ends_with("/consume") {
            request = request.header("idempotency-key", "somebody-else");
        }
        let body = if body.is_null() {
            Body::empty()
        } else {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        };
        let answer = self.call(request.body(body).unwrap()).await;
        let status = answer.status();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(status.is_success(), "{method} {path}: {status}: {}", String::from_utf8_lossy(&bytes));
        serde_json::from_slice(&bytes).unwrap()
    }
}
