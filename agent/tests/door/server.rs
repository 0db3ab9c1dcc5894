//! A server in this process: the real one, and before it a front that decides at once and changes answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent::{ApiKey, Asked, Client, Denied, Patience, Settings, TrustSource, Used};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use log_server::api_keys::ApiKey as ServerKey;
use log_server::clock::{Clock, ManualClock};
use log_server::identity::Identity;
use log_server::limits::Limits;
use log_server::random::OsRandom;
use log_server::start::{Settings as ServerSettings, start};
use log_server::store::memory::MemoryStore;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tower::ServiceExt as _;
use verifier::document::{Document, parse_payload};
use verifier::names::Username;
use verifier::note::SignerKey;
use verifier::time::Timestamp;
use verifier::trust::Trust;
use verifier::webauthn::PureRust;

use crate::authenticator;

const WEB_ORIGIN: &str = "http://localhost:8080";
const LOG_ORIGIN: &str = "localhost:8080/log";

/// Changes an answer: method, path, and the answer's JSON.
pub(crate) type Tamper = Box<dyn Fn(&Method, &str, &mut Value) + Send + Sync>;

/// What stands between client and server.
#[derive(Default)]
pub(crate) struct Front {
    /// What the person does as soon as they are asked: `approve` or `reject`.
    pub(crate) person: Mutex<Option<&'static str>>,
    pub(crate) tamper: Mutex<Option<Tamper>>,
    /// Method and path of every question, in order.
    pub(crate) asked: Mutex<Vec<String>>,
    /// How many of the next questions are answered with 503.
    pub(crate) busy: Mutex<u32>,
    /// Keeps the answer to the next use.
    pub(crate) holds: Mutex<Option<Hold>>,
}

/// An answer that is there, and on its way until it is released.
pub(crate) struct Hold {
    pub(crate) there: oneshot::Sender<()>,
    pub(crate) released: oneshot::Receiver<()>,
}

/// A running server with one approver, alex, and the API key of one requester.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) front: Arc<Front>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) trust: Trust,
    _anchor: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_key_seed(7).await
    }

    /// The same server with another log key.
    pub(crate) async fn with_key_seed(seed: u8) -> Self {
        let anchor = tempfile::tempdir().unwrap();
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(since.as_secs())));
        let admin = ServerKey::generate(&OsRandom);
        let started = start(ServerSettings {
            identity: Identity::from_public_url(WEB_ORIGIN).unwrap(),
            key: SignerKey::from_seed(LOG_ORIGIN, &[seed; 32]).unwrap(),
            admin_key: admin.clone(),
            anchor: anchor.path().to_owned(),
            store: Arc::new(MemoryStore::default()),
            clock: clock.clone() as Arc<dyn Clock>,
            random: Arc::new(OsRandom),
            primitive: Arc::new(PureRust),
            limits: Limits { cool_down_seconds: 0, ..Limits::default() },
            couriers: log_server::notifications::Couriers::default(),
            free_disk: Arc::new(|| None),
            backup: None,
            observer: Box::new(drop),
            banner: None,
        })
        .unwrap();
        let router = log_server::http::router(started.app.clone());
        let (front, trust) = (Arc::new(Front::default()), started.app.trust());
        let url = listen(front.clone(), router.clone()).await;
        let mut world = Self { router, front, clock, url, key: String::new(), trust, _anchor: anchor };
        world.enrol(admin.reveal()).await;
        world
    }

    async fn enrol(&mut self, admin: &str) {
        let invite = json!({"note": "join us", "username": "alex"});
        let code = post(&self.router, "/api/invites", Some(admin), &invite).await["code"].as_str().unwrap().to_owned();
        let options = post(&self.router, &format!("/enrol/{code}/options"), None, &json!({"username": "alex"})).await;
        let challenge = options["publicKey"]["challenge"].as_str().unwrap();
        let challenge = verifier::encoding::from_base64url(challenge).unwrap();
        let credential = authenticator::register(&challenge, WEB_ORIGIN);
        post(&self.router, &format!("/enrol/{code}"), None, &json!({"credential": credential})).await;
        let key = json!({"name": "deploy-bot", "scopes": ["request"]});
        let made = post(&self.router, "/api/keys", Some(admin), &key).await;
        self.key.push_str(made["key"].as_str().unwrap());
    }

    /// What the person will do as soon as they are asked.
    pub(crate) fn person(&self, decision: &'static str) {
        *self.front.person.lock().unwrap() = Some(decision);
    }

    pub(crate) fn tamper(&self, tamper: impl Fn(&Method, &str, &mut Value) + Send + Sync + 'static) {
        *self.front.tamper.lock().unwrap() = Some(Box::new(tamper));
    }

    pub(crate) async fn decide(&self, id: &str, decision: &str) {
        decide(&self.router, id, decision).await;
    }

    pub(crate) fn settings(&self) -> Settings {
        let trust = TrustSource::Pinned(Box::new(self.trust.clone()));
        Settings { patience: patient(), ..Settings::new(&self.url, ApiKey::new(&self.key).unwrap(), trust) }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.settings()).unwrap()
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.front.asked.lock().unwrap().clone()
    }
}

/// A deployment, as the tests ask for it.
pub(crate) fn deployment() -> Asked {
    let payload = parse_payload(br#"{"commit":"a1b2c3d","env":"production"}"#).unwrap();
    Asked::of(Username::new("alex").unwrap(), "Deploy api-gateway", payload)
}

/// The whole door with nobody who stops it.
pub(crate) async fn ask_and_use(client: &Client, asked: &Asked) -> Result<Used, Denied> {
    let pending = client.ask(asked, None, None).await?;
    let approved = pending.decision(Some(Duration::from_secs(60)), std::future::pending()).await?;
    approved.consume(None).await
}

/// Much patience with a server that answers, however busy the machine is, and short pauses.
pub(crate) fn patient() -> Patience {
    Patience {
        one_try: Duration::from_secs(60),
        all_tries: Duration::from_secs(60),
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(50),
        long_poll: Duration::from_secs(5),
    }
}

/// Serves the router behind a front on a free port.
async fn listen(front: Arc<Front>, router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let service = Router::new().fallback(move |request: Request<Body>| through(front.clone(), router.clone(), request));
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    url
}

async fn through(front: Arc<Front>, router: Router, request: Request<Body>) -> Response<Body> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    front.asked.lock().unwrap().push(format!("{method} {path}"));
    if let Some(left) = { front.busy.lock().unwrap().checked_sub(1) } {
        *front.busy.lock().unwrap() = left;
        // One that is gone for good says so at once, and no test has to wait until patience ends.
        let retry_after = if left > 1000 { "3600" } else { "0" };
        let busy = Response::builder().status(StatusCode::SERVICE_UNAVAILABLE).header("retry-after", retry_after);
        return busy.body(Body::from("busy")).unwrap();
    }
    let (mut parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let Ok(mut answer) = serde_json::from_slice::<Value>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    if path.ends_with("/consume")
        && let Some(Hold { there, released }) = { front.holds.lock().unwrap().take() }
    {
        there.send(()).unwrap();
        released.await.unwrap();
    }
    let person = *front.person.lock().unwrap();
    if let (Some(decision), "POST /api/confirmations") = (person, format!("{method} {path}").as_str()) {
        decide(&router, answer["id"].as_str().unwrap(), decision).await;
    }
    if let Some(tamper) = &*front.tamper.lock().unwrap() {
        tamper(&method, &path, &mut answer);
        if !parts.status.is_success() && !answer["status"].is_number() {
            // What is no problem document, or no longer one, is a success.
            parts.status = StatusCode::OK;
        }
    }
    let mut response = Response::from_parts(parts, Body::from(answer.to_string()));
    response.headers_mut().remove("content-length");
    response
}

async fn decide(router: &Router, id: &str, decision: &str) {
    let options = post(router, &format!("/approve/{id}/options"), None, &json!({"approver": "alex"})).await;
    let Some(document) = options["documents"][decision].as_str() else { return };
    let challenge = Document::parse(document).unwrap().challenge();
    let assertion = authenticator::sign(&challenge, WEB_ORIGIN);
    let mut body = json!({"approver": "alex", "decision": decision, "assertion": assertion});
    if decision == "reject" {
        body["note"] = json!("not on a \u{202e}Friday");
    }
    post(router, &format!("/approve/{id}/decision"), None, &body).await;
}

async fn post(router: &Router, path: &str, key: Option<&str>, body: &Value) -> Value {
    let mut request = Request::post(path).header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("x-api-key", key);
    }
    let response = router.clone().oneshot(request.body(Body::from(body.to_string())).unwrap()).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    assert!(status.is_success(), "POST {path}: {status} {}", String::from_utf8_lossy(&bytes));
    serde_json::from_slice(&bytes).unwrap()
}
