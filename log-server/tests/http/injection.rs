//! What callers write stays where it belongs: in bodies, never in headers or in the server's log.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span;

use crate::people::request;
use crate::server::Server;

/// Everything that any server of this process writes into its log, as one text.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<String>>);

impl tracing::Subscriber for Recorder {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        if event.metadata().target().starts_with("log_server") {
            event.record(&mut Fields(&mut self.0.lock().unwrap()));
        }
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, "{field}={value} ").unwrap();
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

#[tokio::test]
async fn what_callers_write_reaches_neither_headers_nor_the_servers_log() {
    let log = Recorder::default();
    // For the writer's thread too; there is one test of this kind in the process.
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    let server = Server::new().await;
    let canary = "canary-7f3a";
    let hostile = format!("{canary}\r\nset-cookie: a=b\r\n\n{{\"level\":\"info\"}}\u{1b}[2J");
    let (alex, key) = (server.enrol("alex").await, server.requester().await);

    let changes = json!({"action": canary, "payload": {hostile.clone(): hostile}, "metadata": {"a": hostile}});
    let asked = server.try_ask(&key, &request("alex", &changes)).await.expect(201);
    let id = asked.json::<api::Created>().id;
    let mut rejection = alex.sign(&server, &id, "reject").await;
    rejection.note = Some(hostile.clone());
    let mut wrong = rejection.clone();
    wrong.assertion.response.signature = "AAAA".to_owned();
    let mut replies = vec![asked, server.send_decision(&id, &wrong).await.expect(422)];
    replies.push(server.send_decision(&id, &rejection).await.expect(200));
    replies.push(server.get(&format!("/api/confirmations/{id}")).key(&key).send().await.expect(200));
    replies.push(server.try_ask(&key, &request("alex", &json!({"action": hostile}))).await.expect(422));
    replies.push(server.try_ask(&key, &request(&hostile, &json!({}))).await.expect(422));
    let odd = format!("/approve/{canary}%0d%0aset-cookie:%20a=b/options");
    replies.push(server.post(&odd).json(&json!({})).send().await.expect(404));
    let invited = server.post("/api/invites").key(server.admin()).json(&json!({"note": hostile})).send().await;
    replies.push(invited);
    for reply in &replies {
        let headers = format!("{:?}", reply.headers);
        assert!(!headers.contains(canary) && reply.header("set-cookie").is_none(), "{headers}");
    }

    let log = log.0.lock().unwrap();
    assert!(log.contains("event=decision") && log.contains(&id), "the log is recorded: {log}");
    assert!(!log.contains(canary) && !log.contains('\u{1b}'), "{log}");
    assert!(!log.contains(&key) && !log.contains(server.admin()), "no API key in the log");
}
