//! Webhooks to requesters: registered with the key, called when a request has ended, signed, tried again, and never called
//! where an address or a name leads inside.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::{Status, Webhook, WebhookSet};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use log_server::notifications::{AllowedOrigins, Couriers, Lookup, Webhooks, system_lookup};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use verifier::verify::{Expectation, verify};

use crate::people::request;
use crate::server::{Server, Setup, soon};

/// What came in.
struct Call {
    headers: HeaderMap,
    body: Vec<u8>,
}

/// A server that keeps what it is called with, and answers what the test says.
struct Receiver {
    address: SocketAddr,
    calls: UnboundedReceiver<Call>,
    answers: Arc<Mutex<VecDeque<(u16, &'static str)>>>,
}

type Shared = (UnboundedSender<Call>, Arc<Mutex<VecDeque<(u16, &'static str)>>>);

impl Receiver {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, calls) = unbounded_channel();
        let answers = Arc::<Mutex<VecDeque<_>>>::default();
        let routes = Router::new().route("/hook", post(take)).with_state((sender, answers.clone()));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, calls, answers }
    }

    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    fn url(&self) -> String {
        format!("{}/hook", self.origin())
    }

    async fn next(&mut self) -> Call {
        soon(self.calls.recv()).await.unwrap()
    }

    fn answer(&self, status: u16, location: &'static str) {
        self.answers.lock().unwrap().push_back((status, location));
    }
}

async fn take(State((sender, answers)): State<Shared>, headers: HeaderMap, body: Bytes) -> (StatusCode, HeaderMap) {
    _ = sender.send(Call { headers, body: body.to_vec() });
    let (status, location) = answers.lock().unwrap().pop_front().unwrap_or((204, ""));
    let mut headers = HeaderMap::new();
    if !location.is_empty() {
        headers.insert("location", location.parse().unwrap());
    }
    (StatusCode::from_u16(status).unwrap(), headers)
}

impl Call {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Checks both signatures, as the specification says, and reads the body.
    fn verified(&self, set: &WebhookSet) -> Value {
        let (id, time) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let signed = [format!("{id}.{time}.").as_bytes(), &self.body].concat();
        let (hmac, signature) = self.header("webhook-signature").split_once(' ').unwrap();
        let key = |text: &str, prefix: &str| STANDARD.decode(text.strip_prefix(prefix).unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key(&set.secret, "whsec_")).unwrap();
        mac.update(&signed);
        mac.verify_slice(&key(hmac, "v1,")).unwrap();
        let public: [u8; 32] = key(&set.webhook.public_key, "whpk_").try_into().unwrap();
        let signature = Signature::from_slice(&key(signature, "v1a,")).unwrap();
        VerifyingKey::from_bytes(&public).unwrap().verify_strict(&signed, &signature).unwrap();
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn with_webhooks(setup: Setup, allowed: &[String], lookup: &Lookup) -> Setup {
    // Longer than any test waits, so that what passes does not pass because a call was given up.
    let allowed = AllowedOrigins::new(allowed).unwrap();
    let webhooks = Webhooks::new(allowed, lookup, Duration::from_secs(600)).unwrap();
    Setup { couriers: Couriers::default().with_webhooks(Arc::new(webhooks), 2), ..setup }
}

impl Server {
    async fn set_webhook(&self, key: &str, url: &str) -> WebhookSet {
        let call = self.call(reqwest::Method::PUT, "/api/webhook").key(key).json(&json!({"url": url}));
        call.send().await.expect(200).json()
    }
}

#[tokio::test]
async fn a_requester_is_called_when_it_is_decided_cancelled_or_expired_and_gets_the_receipt() {
    let (setup, clock) = Setup::with_manual_clock();
    let mut receiver = Receiver::start().await;
    let server = with_webhooks(setup, &[receiver.origin()], &system_lookup()).start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let set = server.set_webhook(&key, &receiver.url()).await;
    let seen: Webhook = server.get("/api/webhook").key(&key).send().await.expect(200).json();
    assert_eq!(seen, set.webhook);
    let other = server.requester().await;
    server.get("/api/webhook").key(&other).send().await.refused(404);

    let approved = server.ask(&key, &request("alex", &json!({"metadata": {"mine": 1.50}}))).await;
    server.ask(&other, &request("alex", &json!({}))).await;
    assert!(receiver.calls.is_empty(), "nothing is said before it has ended");
    alex.approve(&server, &approved.id).await;
    let call = receiver.next().await;
    let event = call.verified(&set);
    assert_eq!(event["type"], "confirmation.approved");
    assert_eq!((&event["data"]["id"], &event["data"]["core"]), (&json!(approved.id), &json!(approved.core)));
    let receipt = event["data"]["receipt"].as_str().unwrap();
    let report =
        verify(receipt.as_bytes(), &server.trust().await, &Expectation::default(), &verifier::webauthn::PureRust);
    assert!(format!("{report:?}").contains("Approved"), "{report:?}");
    assert!(call.header("webhook-id").starts_with("msg_") && !call.header("webhook-id").contains('.'));

    let rejected = server.ask(&key, &request("alex", &json!({"action": "Delete"}))).await;
    alex.decide(&server, &rejected.id, "reject").await;
    assert_eq!(receiver.next().await.verified(&set)["type"], "confirmation.rejected");
    let cancelled = server.ask(&key, &request("alex", &json!({"action": "Restart"}))).await;
    server.cancel(&key, &cancelled.id).await.expect(200);
    assert_eq!(receiver.next().await.verified(&set)["type"], "confirmation.cancelled");
    let expired = server.ask(&key, &request("alex", &json!({"action": "Scale"}))).await;
    clock.advance(301);
    let event = receiver.next().await.verified(&set);
    assert_eq!((&event["type"], &event["data"]["id"]), (&json!("confirmation.expired"), &json!(expired.id)));
    assert!(event["data"].get("receipt").is_none());

    let told = server.get(&format!("/api/confirmations/{}", approved.id)).key(&key).send().await.expect(200);
    let told: api::Confirmation = told.json();
    let [one] = &told.notified[..] else { panic!("{:?}", told.notified) };
    assert_eq!((one.approver.as_deref(), &*one.channel, &*one.state), (None, "webhook", "sent"));

    // Again, when the requester lost it: the same id.
    let path = format!("/api/confirmations/{}/webhook", approved.id);
    server.post(&path).key(&other).send().await.refused(404);
    server.post(&path).key(&key).send().await.expect(202);
    let again = receiver.next().await;
    again.verified(&set);
    assert_eq!(again.header("webhook-id"), call.header("webhook-id"));
    let pending = server.ask(&key, &request("alex", &json!({"action": "Wait"}))).await;
    server.post(&format!("/api/confirmations/{}/webhook", pending.id)).key(&key).send().await.refused(409);

    server.delete("/api/webhook").key(&key).send().await.expect(204);
    alex.approve(&server, &pending.id).await;
    server.notifications("queued", 0).await;
    assert!(receiver.calls.is_empty(), "it was removed");
}

#[tokio::test]
async fn what_was_not_taken_is_tried_again_redirects_are_not_followed_and_410_switches_off() {
    let (setup, clock) = Setup::with_manual_clock();
    let mut receiver = Receiver::start().await;
    let server = with_webhooks(setup, &[receiver.origin()], &system_lookup()).start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let set = server.set_webhook(&key, &receiver.url()).await;
    receiver.answer(500, "");
    receiver.answer(302, "/hook");
    let created = server.ask(&key, &request("alex", &json!({}))).await;
    assert_eq!(alex.approve(&server, &created.id).await.status, Status::Approved);
    let first = receiver.next().await;
    for (attempts, error) in [(1, "answered 500"), (2, "answered 302")] {
        let queued = soon(async {
            loop {
                let queued = server.notifications("queued", 1).await;
                if queued[0].attempts == attempts {
                    return queued;
                }
            }
        });
        let queued = queued.await;
        assert!(queued[0].error.as_ref().unwrap().contains(error), "{queued:?}");
        assert!(receiver.calls.is_empty());
        clock.advance(4);
        let again = receiver.next().await;
        again.verified(&set);
        assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
        assert_ne!(again.header("webhook-timestamp"), first.header("webhook-timestamp"));
        assert_eq!(again.body, first.body);
    }
    server.notifications("queued", 0).await;

    receiver.answer(410, "");
    let created = server.ask(&key, &request("alex", &json!({"action": "Restart"}))).await;
    alex.approve(&server, &created.id).await;
    receiver.next().await;
    assert!(server.notifications("failed", 1).await[0].error.as_ref().unwrap().contains("410"));
    let seen: Webhook = server.get("/api/webhook").key(&key).send().await.expect(200).json();
    assert!(seen.off.is_some());
    server.post(&format!("/api/confirmations/{}/webhook", created.id)).key(&key).send().await.refused(409);
}

#[tokio::test]
async fn an_address_that_leads_inside_is_refused_when_it_is_registered() {
    let server = with_webhooks(Setup::new(), &[], &system_lookup()).start().await;
    let key = server.requester().await;
    let before = server.stored();
    for url in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://169.254.169.254/",
        "https://[::1]/",
        "https://0x7f.1/",
        "https://a@example.com/",
        "x",
    ] {
        let call = server.call(reqwest::Method::PUT, "/api/webhook").key(&key).json(&json!({"url": url}));
        assert_eq!(call.send().await.refused_field(422), "url", "{url}");
    }
    let call = || server.call(reqwest::Method::PUT, "/api/webhook").json(&json!({"url": "https://example.com/"}));
    call().send().await.refused(401);
    call().key(server.admin()).send().await.refused(403);
    assert!(server.stored() == before);
    let without = Server::new().await;
    let key = without.requester().await;
    let call =
        without.call(reqwest::Method::PUT, "/api/webhook").key(&key).json(&json!({"url": "https://example.com/"}));
    assert_eq!(call.send().await.refused_field(422), "url");
}

/// A resolver of the test's: gives these answers, one for each time that it is asked, and the last one for ever.
fn stub(answers: &[&[IpAddr]]) -> (Lookup, Arc<AtomicUsize>) {
    let answers: Vec<Vec<IpAddr>> = answers.iter().map(|one| one.to_vec()).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let lookup: Lookup = Arc::new(move |_| {
        let number = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
        let answer: io::Result<Vec<IpAddr>> = Ok(answers[number].clone());
        Box::pin(async move { answer })
    });
    (lookup, asked)
}

/// A name that stands for something public when it is checked and for this machine a moment later: what was checked is
/// connected to, and whoever is asked again is checked again.
#[tokio::test]
async fn a_name_that_rebinds_leads_nowhere_but_where_it_was_checked() {
    let inside = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let public = IpAddr::V4(Ipv4Addr::new(192, 0, 1, 1));
    // A listener here would be reached by whoever looked the name up a second time, or not at all.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for answers in [[[inside].as_slice(), &[inside]], [&[public, inside], &[inside]]] {
        let (lookup, asked) = stub(&answers);
        let server = with_webhooks(Setup::new(), &[], &lookup).start().await;
        let (alex, key) = (server.enrol("alex").await, server.requester().await);
        server.set_webhook(&key, &format!("https://rebinding.example:{port}/hook")).await;
        let created = server.ask(&key, &request("alex", &json!({}))).await;
        alex.approve(&server, &created.id).await;
        let error = soon(async {
            loop {
                if let Some(error) = server.notifications("queued", 1).await.remove(0).error {
                    return error;
                }
            }
        });
        let error = error.await;
        assert!(error.contains("127.0.0.1 is this machine"), "{error}");
        assert!(asked.load(Ordering::SeqCst) >= 1);
        let connected = tokio::time::timeout(Duration::from_millis(1), listener.accept()).await;
        assert!(connected.is_err(), "it was connected to");
        server.stop().await.1.unwrap();
    }

    // One look for one connection, and the connection goes to its answer: the name stands for nothing anywhere else.
    let mut receiver = Receiver::start().await;
    let origin = format!("http://rebinding.example:{}", receiver.address.port());
    let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9));
    let (lookup, asked) = stub(&[&[inside], &[elsewhere]]);
    let server = with_webhooks(Setup::new(), std::slice::from_ref(&origin), &lookup).start().await;
    let (alex, key) = (server.enrol("alex").await, server.requester().await);
    let set = server.set_webhook(&key, &format!("{origin}/hook")).await;
    let created = server.ask(&key, &request("alex", &json!({}))).await;
    alex.approve(&server, &created.id).await;
    receiver.next().await.verified(&set);
    server.notifications("queued", 0).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_copy_of_the_store_holds_no_key_of_a_webhook() {
    let server = with_webhooks(Setup::new(), &[], &system_lookup()).start().await;
    let made = server.make_key(&json!({"name": "deploy-bot", "scopes": ["request"]})).await;
    let (key, id) = (made.key, made.record.id);
    let one = server.set_webhook(&key, "https://example.com/hook").await;
    let stored: Vec<u8> = server.stored().into_iter().flat_map(|(key, value)| [key, value].concat()).collect();
    let holds = |needle: &[u8]| stored.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"https://example.com/hook"), "this is where it would be");
    for text in [&one.secret, &one.webhook.public_key] {
        let encoded = text.split('_').nth(1).unwrap();
        let bytes = STANDARD.decode(encoded).unwrap();
        let url_safe = verifier::encoding::base64url(&bytes);
        assert!(!holds(encoded.as_bytes()) && !holds(url_safe.as_bytes()) && !holds(&bytes), "{text}");
    }
    // Once more is another pair, and told once.
    let two = server.set_webhook(&key, "https://example.com/hook").await;
    assert!(one.secret != two.secret && one.webhook.public_key != two.webhook.public_key);
    let seen = server.get("/api/webhook").key(&key).send().await.expect(200);
    assert!(!String::from_utf8_lossy(&seen.body).contains("whsec_"));

    server.delete(&format!("/api/keys/{id}")).key(server.admin()).send().await.expect(204);
    let stored: Vec<u8> = server.stored().into_iter().flat_map(|(key, value)| [key, value].concat()).collect();
    assert!(!stored.windows(24).any(|window| window == b"https://example.com/hook"), "it goes with its key");
}

#[tokio::test]
async fn what_is_never_taken_becomes_a_dead_letter_and_can_be_called_again() {
    let (setup, clock) = Setup::with_manual_clock();
    let mut receiver = Receiver::start().await;
    let server = with_webhooks(setup, &[receiver.origin()], &system_lookup()).start().await;
    let made = server.make_key(&json!({"name": "deploy-bot", "scopes": ["request"]})).await;
    let (alex, key) = (server.enrol("alex").await, made.key);
    let set = server.set_webhook(&key, &receiver.url()).await;
    receiver.answer(503, "");
    let created = server.ask(&key, &request("alex", &json!({}))).await;
    alex.approve(&server, &created.id).await;
    receiver.next().await;
    soon(async { while server.notifications("queued", 1).await[0].attempts == 0 {} }).await;
    clock.advance(73 * 3600);
    let dead = server.notifications("failed", 1).await.remove(0);
    assert_eq!((&*dead.about, &*dead.channel, dead.approver), ("result", "webhook", None));
    assert_eq!((dead.confirmation.as_ref(), dead.key), (Some(&created.id), Some(made.record.id)));
    assert!(dead.error.unwrap().contains("503") && receiver.calls.is_empty());
    server.post(&format!("/api/confirmations/{}/webhook", created.id)).key(&key).send().await.expect(202);
    assert_eq!(receiver.next().await.verified(&set)["type"], "confirmation.approved");
    server.notifications("failed", 0).await;
}

/// Two may be under way, and the receiver of one requester takes connections and never answers.
#[tokio::test]
async fn a_receiver_that_stalls_holds_no_other_requester() {
    let stalled = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stalled_at = format!("http://{}", stalled.local_addr().unwrap());
    let mut receiver = Receiver::start().await;
    let allowed = [stalled_at.clone(), receiver.origin()];
    let server = with_webhooks(Setup::new(), &allowed, &system_lookup()).start().await;
    let (alex, slow, key) = (server.enrol("alex").await, server.requester().await, server.requester().await);
    server.set_webhook(&slow, &format!("{stalled_at}/hook")).await;
    let set = server.set_webhook(&key, &receiver.url()).await;
    // Many more than are looked at first.
    for number in 0..280 {
        let created = server.ask(&slow, &request("alex", &json!({"action": format!("Slow {number}")}))).await;
        server.post(&format!("/api/confirmations/{}/cancel", created.id)).key(&slow).send().await.expect(200);
    }
    let created = server.ask(&key, &request("alex", &json!({}))).await;
    alex.approve(&server, &created.id).await;
    assert_eq!(receiver.next().await.verified(&set)["data"]["id"], json!(created.id));
}
