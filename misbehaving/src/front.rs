//! What stands before the server: it passes requests on, makes the approvers decide, and lies about the answers.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect};
use axum::{Json, Router};
use http_body_util::BodyExt as _;
use log_server::clock::{Clock as _, SystemClock};
use merkle::Hash;
use misbehaving::honest::Honest;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use verifier::document::Core;
use verifier::entry::ConsumptionEntry;
use verifier::time::Timestamp;

use crate::clock::Behind;
use crate::evidence::{self, MadeUpLog};

/// What is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trick {
    /// Nothing: everybody approves.
    Approve,
    /// Nothing: the first approver rejects.
    Reject,
    /// Nothing: it is cancelled.
    Cancel,
    /// It is expired, whatever the time.
    Expire,
    /// Nobody does anything.
    Nothing,
    /// Everybody approves when the caller cancels.
    LateYes,
    /// To another server.
    Redirect,
    /// No status that there is.
    UnknownStatus,
    /// Another id.
    WrongId,
    /// Another action is asked for.
    WrongCore,
    /// The request is from a while ago.
    OldRequest,
    /// No receipt.
    NoReceipt,
    /// The receipt of a request for another payload.
    OtherPayload,
    /// The receipt of a request to another approver.
    OtherApprover,
    /// Decided in a log of another key.
    OtherLog,
    /// The receipt of an older request for the same.
    OlderReceipt,
    /// The receipt of a request in which one was enough.
    WeakerQuorum,
    /// The receipt without the second decision.
    OneOfTwo,
    /// Decided after the expiry.
    DecidedLate,
    /// A flipped bit.
    Tampered,
    /// A rejection that is called an approval.
    RejectionAsApproval,
    /// In a log that has nothing else.
    RolledBack,
    /// In a log that has many other entries.
    Forked,
    /// The answer comes when the approval may be used no more.
    UseByPassed,
    /// Used by somebody else.
    AlreadyConsumed,
    /// Used by somebody else, and whoever asks gets the answer to that.
    ReplayedConsumption,
    /// The use is in the log, and was a while ago.
    OldConsumption,
    /// The use is in the log, after the last moment for it.
    LateConsumption,
    /// The use is in a log of another history.
    ForkedConsumption,
    /// It cannot be used.
    Consume500,
    /// Whether it was used stays unknown.
    ConsumeHangs,
}

/// A confirmation's answers, as far as they are lies.
#[derive(Default, Clone)]
struct Lie {
    status: Option<&'static str>,
    receipt: Shown,
    id: Option<String>,
    /// The answer to every use.
    consumed: Option<Value>,
}

/// Which receipt is shown.
#[derive(Default, Clone)]
enum Shown {
    /// The genuine one.
    #[default]
    Genuine,
    /// None, where there is one.
    Nothing,
    /// This one.
    Other(String),
}

/// A server and what stands before it.
pub(crate) struct Front {
    trick: Trick,
    published_key: String,
    honest: Honest,
    approving: Option<u16>,
    lies: Mutex<HashMap<String, Lie>>,
    /// What was asked and has not happened yet, by its id.
    later: Mutex<HashMap<String, Value>>,
    /// The logs that were made up, by their sizes.
    made_up: Mutex<HashMap<u64, MadeUpLog>>,
}

/// How long before now a request was made that is answered in place of a new one, in seconds.
const OLD: u64 = 200;
/// With 5 seconds to decide and 5 to use, a clock that is so many seconds behind leaves one.
const NEARLY_OVER: u64 = 9;

/// Starts the server and what stands before it, and says on which port.
pub(crate) async fn listen(trick: Trick, published_key: &str, approving: Option<u16>) -> (u16, Arc<Front>) {
    let behind = match trick {
        Trick::OldRequest => OLD,
        Trick::UseByPassed => NEARLY_OVER,
        _ => 0,
    };
    let log_key = if trick == Trick::OtherLog { Honest::other_log_key() } else { Honest::log_key() };
    let honest = Honest::start(Arc::new(Behind::by(behind)), &log_key).await;
    let (lies, later, made_up) = Default::default();
    let published_key = published_key.to_owned();
    let front = Arc::new(Front { trick, published_key, honest, approving, lies, later, made_up });
    let router = Router::new().fallback(answer).with_state(front.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (port, front)
}

async fn answer(State(front): State<Arc<Front>>, mut request: Request<Body>) -> Response<Body> {
    front.exchange_key(&mut request);
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (method, parts.as_slice()) {
        (_, ["api", ..]) if front.trick == Trick::Redirect => front.redirect(&request),
        (Method::POST, ["api", "confirmations"]) => front.create(request).await,
        (Method::GET, ["api", "confirmations", id]) => front.get(request, id).await,
        (Method::POST, ["api", "confirmations", id, "cancel"]) => front.cancel(request, id).await,
        (Method::POST, ["api", "confirmations", id, "consume"]) => front.consume(request, id).await,
        (Method::GET, ["log", "proof", "consistency"]) => front.consistency(request).await,
        _ => front.honest.call(request).await,
    }
}

impl Front {
    /// The server.
    pub(crate) fn honest(&self) -> &Honest {
        &self.honest
    }

    /// All cases have one API key to the outside.
    fn exchange_key(&self, request: &mut Request<Body>) {
        let headers = request.headers_mut();
        let given = headers.get("x-api-key").or_else(|| headers.get(header::AUTHORIZATION));
        let given = given.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if given.trim_start_matches("Bearer ") == self.published_key {
            headers.remove(header::AUTHORIZATION);
            headers.insert("x-api-key", HeaderValue::from_str(&self.honest.key).unwrap());
        }
    }

    /// To the same path at a server that would approve.
    fn redirect(&self, request: &Request<Body>) -> Response<Body> {
        let port = self.approving.expect("the case `approves` comes first");
        Redirect::temporary(&format!("http://localhost:{port}{}", request.uri())).into_response()
    }

    /// Passes a request on and, if it is new, lets happen what happens to it before the caller hears of it. Only the tools of
    /// MCP take what has ended by then for an earlier request, so theirs wait until somebody waits for them.
    async fn create(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let key = parts.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
        let later = key.is_some_and(|key| key.starts_with("mcp-"));
        let mut body = body.collect().await.unwrap().to_bytes();
        let asked: Option<Value> = serde_json::from_slice(&body).ok();
        if let (Trick::WrongCore, Some(asked)) = (self.trick, &asked) {
            let other = changed(asked, "action", "Delete everything");
            body = Bytes::from(other.to_string());
        }
        let answer = self.honest.call(Request::from_parts(parts, Body::from(body))).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        if let (StatusCode::CREATED, Some(asked)) = (parts.status, asked) {
            let created: Value = serde_json::from_slice(&body).unwrap();
            let id = created["id"].as_str().unwrap();
            if later {
                self.later.lock().await.insert(id.to_owned(), asked);
            } else {
                self.happen(id, &asked).await;
            }
        }
        Response::from_parts(parts, Body::from(body))
    }

    async fn happen(&self, id: &str, asked: &Value) {
        let mut lies = self.lies.lock().await;
        if !lies.contains_key(id) {
            let lie = self.lie(id, asked).await;
            lies.insert(id.to_owned(), lie);
        }
    }

    /// What becomes of a new confirmation, and what is told of it.
    async fn lie(&self, id: &str, asked: &Value) -> Lie {
        match self.trick {
            Trick::Nothing | Trick::LateYes | Trick::Redirect => Lie::default(),
            Trick::Expire => Lie::status("expired"),
            Trick::UnknownStatus => Lie::status("approved, mostly"),
            Trick::Cancel => {
                self.honest.cancel(id).await;
                Lie::default()
            }
            Trick::Reject => {
                self.honest.decide(id, "reject").await;
                Lie::default()
            }
            Trick::RejectionAsApproval => {
                self.honest.decide(id, "reject").await;
                Lie::status("approved")
            }
            Trick::OtherPayload => {
                self.receipt_of(&changed(asked, "payload", Value::Object(serde_json::Map::new()))).await
            }
            Trick::OtherApprover => self.receipt_of(&of_kim(asked)).await,
            Trick::OlderReceipt => self.receipt_of(asked).await,
            Trick::WeakerQuorum => self.receipt_of(&changed(asked, "quorum", 1)).await,
            _ => {
                self.honest.decide(id, "approve").await;
                self.lie_of_approval(id).await
            }
        }
    }

    /// The receipt of another request, which is approved.
    async fn receipt_of(&self, asked: &Value) -> Lie {
        let id = self.honest.ask(asked).await;
        self.honest.decide(&id, "approve").await;
        Lie { receipt: Shown::Other(self.honest.confirmation(&id).await.receipt.unwrap()), ..Lie::status("approved") }
    }

    async fn lie_of_approval(&self, id: &str) -> Lie {
        let genuine = self.honest.confirmation(id).await.receipt.unwrap();
        let key = Honest::log_key();
        let receipt = |receipt: String| Lie { receipt: Shown::Other(receipt), ..Lie::default() };
        match self.trick {
            Trick::NoReceipt => Lie { receipt: Shown::Nothing, ..Lie::default() },
            Trick::WrongId => Lie { id: Some(format!("cnf_{}", "a".repeat(26))), ..Lie::default() },
            Trick::Tampered => receipt(evidence::with_flipped_signatures(&genuine)),
            Trick::OneOfTwo => receipt(evidence::with_one_decision(&genuine)),
            Trick::RolledBack => receipt(evidence::in_own_log(&genuine, &key, 0, |decision| decision)),
            Trick::Forked => receipt(evidence::in_own_log(&genuine, &key, 10_000, |decision| decision)),
            Trick::DecidedLate => receipt(evidence::in_own_log(&genuine, &key, 0, |mut decision| {
                decision.decided_at = decision.decided_at.plus(3 * 24 * 3600);
                decision
            })),
            Trick::AlreadyConsumed => {
                _ = self.honest.consume(id).await;
                Lie::default()
            }
            Trick::ReplayedConsumption => Lie { consumed: Some(self.honest.consume(id).await), ..Lie::default() },
            _ => Lie::default(),
        }
    }

    async fn get(&self, mut request: Request<Body>, id: &str) -> Response<Body> {
        if request.uri().query().is_some_and(|query| query.contains("wait=")) {
            let asked = self.later.lock().await.remove(id);
            if let Some(asked) = asked {
                self.happen(id, &asked).await;
            }
        }
        if self.trick == Trick::UseByPassed {
            // The one case in which time itself has to pass, and two seconds are what is left and a little.
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        let lie = self.lies.lock().await.get(id).cloned().unwrap_or_default();
        if lie.status.is_some() {
            // What is told has happened already, so nobody need wait for what has not.
            *request.uri_mut() = request.uri().path().parse().unwrap();
        }
        let answer = self.honest.call(request).await;
        let (mut parts, body) = answer.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let Ok(mut confirmation) = serde_json::from_slice::<Value>(&body) else {
            return Response::from_parts(parts, Body::from(body));
        };
        lie.tell(&mut confirmation);
        parts.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(parts, Body::from(confirmation.to_string()))
    }

    async fn cancel(&self, request: Request<Body>, id: &str) -> Response<Body> {
        if self.trick == Trick::LateYes {
            self.honest.decide(id, "approve").await;
        }
        self.honest.call(request).await
    }

    async fn consume(&self, request: Request<Body>, id: &str) -> Response<Body> {
        let now = SystemClock::start().now();
        match self.trick {
            Trick::Consume500 => (StatusCode::INTERNAL_SERVER_ERROR, "sorry").into_response(),
            Trick::ConsumeHangs => std::future::pending().await,
            Trick::ReplayedConsumption => match self.lies.lock().await.get(id).and_then(|lie| lie.consumed.clone()) {
                Some(consumed) => Json(consumed).into_response(),
                None => self.honest.call(request).await,
            },
            Trick::OldConsumption => {
                self.made_up(id, self.honest.leaves().await, |_| Timestamp::from_unix(now.unix() - OLD)).await
            }
            Trick::LateConsumption => self.made_up(id, self.honest.leaves().await, |core| core.use_by.plus(1)).await,
            Trick::ForkedConsumption => self.made_up(id, evidence::other_leaves(), |_| now).await,
            _ => self.honest.call(request).await,
        }
    }

    /// The use of a request, at a time, as the last entry of a log that has these before it.
    async fn made_up(
        &self,
        id: &str,
        leaves: Vec<Hash>,
        consumed_at: impl FnOnce(&Core) -> Timestamp,
    ) -> Response<Body> {
        let core = Core::parse(&self.honest.confirmation(id).await.core).unwrap();
        let entry = ConsumptionEntry { nonce: core.nonce, consumed_at: consumed_at(&core) };
        let log = MadeUpLog::ending_with(leaves, &entry);
        let answer = log.consumed(&entry, &Honest::log_key());
        self.made_up.lock().await.insert(log.size().get(), log);
        Json(answer).into_response()
    }

    /// That a log only grew, as the server proves it; and for a log that was made up, as far as that can be proved.
    async fn consistency(&self, request: Request<Body>) -> Response<Body> {
        let numbers = request.uri().query().unwrap_or_default().split('&').filter_map(|pair| {
            let (name, number) = pair.split_once('=')?;
            Some((name.to_owned(), number.parse::<u64>().ok()?))
        });
        let numbers: HashMap<_, _> = numbers.collect();
        if let (Some(&from), Some(&to)) = (numbers.get("from"), numbers.get("to"))
            && let Some(log) = self.made_up.lock().await.get(&to)
            && from <= to
        {
            return Json(log.consistency(from)).into_response();
        }
        self.honest.call(request).await
    }
}

impl Lie {
    fn status(status: &'static str) -> Self {
        Self { status: Some(status), ..Self::default() }
    }

    fn tell(self, confirmation: &mut Value) {
        if let Some(status) = self.status {
            confirmation["status"] = status.into();
        }
        if let Some(id) = self.id {
            confirmation["id"] = id.into();
        }
        match self.receipt {
            Shown::Other(receipt) => confirmation["receipt"] = receipt.into(),
            Shown::Nothing => _ = confirmation.as_object_mut().unwrap().remove("receipt"),
            Shown::Genuine => {}
        }
    }
}

/// The same asked of another approver, however the first one was named.
fn of_kim(asked: &Value) -> Value {
    let mut other = asked.clone();
    let fields = other.as_object_mut().unwrap();
    fields.remove("approvers");
    fields.remove("quorum");
    fields.insert("username".to_owned(), Value::from("kim"));
    other
}

fn changed(asked: &Value, field: &str, value: impl Into<Value>) -> Value {
    let mut asked = asked.clone();
    asked[field] = value.into();
    asked
}
