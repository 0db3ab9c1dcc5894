//! A server in this process: the honest one of `misbehaving`, and before it a front that decides at once and changes answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use agent::{ApiKey, Asked, Client, Denied, Patience, Settings, TrustSource, Used};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use log_server::clock::ManualClock;
use misbehaving::honest::Honest;
use serde_json::Value;
use tokio::sync::oneshot;
use verifier::document::parse_payload;
use verifier::names::Username;
use verifier::note::SignerKey;
use verifier::time::Timestamp;
use verifier::trust::Trust;

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

/// A running server with an approver, alex, and the API key of one requester.
pub(crate) struct World {
    pub(crate) honest: Arc<Honest>,
    pub(crate) front: Arc<Front>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) url: String,
    trust: Trust,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_log_key(&Honest::log_key()).await
    }

    /// The same server with another log key.
    pub(crate) async fn with_log_key(log_key: &SignerKey) -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(since.as_secs())));
        let honest = Arc::new(Honest::start(clock.clone(), log_key).await);
        let front = Arc::new(Front::default());
        let url = listen(front.clone(), honest.clone()).await;
        Self { honest, front, clock, url, trust: Honest::trust_in(log_key) }
    }

    /// What the person will do as soon as they are asked.
    pub(crate) fn person(&self, decision: &'static str) {
        *self.front.person.lock().unwrap() = Some(decision);
    }

    pub(crate) fn tamper(&self, tamper: impl Fn(&Method, &str, &mut Value) + Send + Sync + 'static) {
        *self.front.tamper.lock().unwrap() = Some(Box::new(tamper));
    }

    pub(crate) async fn decide(&self, id: &str, decision: &str) {
        self.honest.decide(id, decision).await;
    }

    pub(crate) fn settings(&self) -> Settings {
        let trust = TrustSource::Pinned(Box::new(self.trust.clone()));
        Settings { patience: patient(), ..Settings::new(&self.url, ApiKey::new(&self.honest.key).unwrap(), trust) }
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

/// Serves it behind a front on a free port.
async fn listen(front: Arc<Front>, honest: Arc<Honest>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let service = Router::new().fallback(move |request: Request<Body>| through(front.clone(), honest.clone(), request));
    tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    url
}

async fn through(front: Arc<Front>, honest: Arc<Honest>, request: Request<Body>) -> Response<Body> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    front.asked.lock().unwrap().push(format!("{method} {path}"));
    if let Some(left) = { front.busy.lock().unwrap().checked_sub(1) } {
        *front.busy.lock().unwrap() = left;
        // One that is gone for good says so at once, and no test has to wait until patience ends.
        let retry_after = if left > 1000 { "3600" } else { "0" };
        let busy = Response::builder().status(StatusCode::SERVICE_UNAVAILABLE).header("retry-after", retry_after);
        return busy.body(Body::from("busy")).unwrap();
    }
    let (mut parts, body) = honest.call(request).await.into_parts();
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
        honest.decide(answer["id"].as_str().unwrap(), decision).await;
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
