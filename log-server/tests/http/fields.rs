//! The values of a request, at their limits and one beyond: what is refused names its field and leaves no trace.

use serde_json::{Value, json};

use crate::people::request;
use crate::server::Server;

/// The most bytes of a canonical payload.
const PAYLOAD: usize = 256 * 1024;

/// Sends requests to a server with one approver, and compares the store around those that must be refused.
struct Bench {
    server: Server,
    key: String,
}

impl Bench {
    async fn new() -> Self {
        let server = Server::new().await;
        let (_, key) = (server.enrol("alex").await, server.requester().await);
        Self { server, key }
    }

    async fn accepted(&self, changes: Value) {
        self.server.try_ask(&self.key, &request("alex", &changes)).await.expect(201);
    }

    /// The detail of the refusal, which must name the field.
    async fn refused(&self, field: &str, changes: Value) -> String {
        self.refused_text(field, &request("alex", &changes).to_string()).await
    }

    async fn refused_text(&self, field: &str, body: &str) -> String {
        let before = (self.server.stored(), self.server.log_size().await);
        let problem = self.server.post("/api/confirmations").key(&self.key).text(body.to_owned()).send().await;
        let problem = problem.refused(422);
        assert_eq!(problem.field.as_deref(), Some(field), "{}", problem.detail);
        assert!((self.server.stored(), self.server.log_size().await) == before, "a refusal left a trace");
        problem.detail
    }
}

fn with_payload(payload: &str) -> String {
    request("alex", &json!({"payload": "PAYLOAD"})).to_string().replace("\"PAYLOAD\"", payload)
}

#[tokio::test]
async fn payload_size_and_depth() {
    let bench = Bench::new().await;
    let sized = |bytes: usize| json!({"payload": {"a": "x".repeat(bytes - r#"{"a":""}"#.len())}});
    bench.accepted(sized(PAYLOAD)).await;
    assert!(bench.refused("/payload", sized(PAYLOAD + 1)).await.contains("262144"));
    let nested = |depth: usize| (1..depth).fold(json!({}), |inner, _| json!({"a": inner}));
    bench.accepted(json!({"payload": nested(32)})).await;
    let too_deep = bench.refused(&format!("/payload{}", "/a".repeat(32)), json!({"payload": nested(33)})).await;
    assert!(too_deep.contains("32"), "{too_deep}");
    let key = &bench.key;
    let white = with_payload(&format!("{{{}}}", " ".repeat(PAYLOAD * 2)));
    bench.server.post("/api/confirmations").key(key).text(white).send().await.expect(201);
    for other in ["[]", "\"a\"", "7", "null", "true"] {
        bench.refused_text("/payload", &with_payload(other)).await;
    }
}

#[tokio::test]
async fn a_payload_has_one_meaning() {
    let bench = Bench::new().await;
    for (payload, path) in [
        (r#"{"a":1,"a":1}"#, "/payload"),
        (r#"{"a":{"b":1,"\u0062":2}}"#, "/payload/a"),
        (r#"{"a":"\ud800"}"#, "/payload/a"),
        (r#"{"a":["ok","\udc00\ud800"]}"#, "/payload/a/1"),
        (r#"{"a":[1,9007199254740993]}"#, "/payload/a/1"),
        (r#"{"a":1e400}"#, "/payload/a"),
        (r#"{"a~/b":{"c":0.1234567890123456789}}"#, "/payload/a~0~1b/c"),
        (r#"{"a":10000000000000000000000000000000000000000000000000000000000000000}"#, "/payload/a"),
    ] {
        let detail = bench.refused_text(path, &with_payload(payload)).await;
        assert!(detail.contains(path), "{detail}");
    }
    for payload in [r#"{"a":[1.0,12.50,-0,1e2]}"#, r#"{"é":"\ud83d\udcb6"}"#, r#"{"":{"":[]}}"#, "{}"] {
        let sent = bench.server.post("/api/confirmations").key(&bench.key).text(with_payload(payload)).send().await;
        sent.expect(201);
    }
}

#[tokio::test]
async fn action() {
    let bench = Bench::new().await;
    for accepted in ["a".to_owned(), "é".repeat(300), "Überweise 5 € 💶".to_owned()] {
        bench.accepted(json!({"action": accepted})).await;
    }
    assert!(bench.refused("action", json!({"action": "é".repeat(301)})).await.contains("300"));
    bench.refused("action", json!({"action": ""})).await;
    for hidden in ["\0", "\n", "\u{7f}", "\u{202e}", "\u{2066}", "\u{200b}", "\u{feff}", "\u{e0041}", "\u{ad}"] {
        let detail = bench.refused("action", json!({"action": format!("Deploy{hidden}")})).await;
        assert!(detail.contains("U+"), "{detail}");
    }
}

#[tokio::test]
async fn usernames_and_approvers() {
    let bench = Bench::new().await;
    let long = "x".repeat(64);
    let unknown = bench.refused("approvers", json!({"username": long})).await;
    assert!(unknown.contains("not enrolled"), "a good name that nobody has: {unknown}");
    for bad in ["", "Alex", "al ex", "älex", "a/b", "a\n", &"x".repeat(65)] {
        bench.refused("username", json!({"username": bad})).await;
        bench.refused("approvers", json!({"username": null, "approvers": ["alex", bad]})).await;
    }
    bench.refused("approvers", json!({"username": null, "approvers": []})).await;
    bench.refused("approvers", json!({"username": null, "approvers": ["alex", "alex"]})).await;
    bench.refused("username", json!({"approvers": ["alex"]})).await;
    bench.refused("username", json!({"username": null})).await;

    let mut names = vec!["alex".to_owned()];
    for i in 1..33 {
        names.push(bench.server.enrol(&format!("approver-{i}")).await.name);
    }
    let asked = |count: usize, quorum: u32| json!({"username": null, "approvers": names[..count], "quorum": quorum});
    bench.accepted(asked(32, 1)).await;
    bench.accepted(asked(32, 32)).await;
    bench.accepted(asked(1, 1)).await;
    assert!(bench.refused("approvers", asked(33, 1)).await.contains("32"));
    bench.refused("quorum", asked(32, 0)).await;
    bench.refused("quorum", asked(32, 33)).await;
    bench.refused("quorum", asked(1, 2)).await;
}

#[tokio::test]
async fn windows() {
    let bench = Bench::new().await;
    for field in ["expiresIn", "useWithin"] {
        for accepted in [5, 259_200] {
            bench.accepted(json!({field: accepted})).await;
        }
        for refused in [0, 4, 259_201, u64::MAX] {
            let detail = bench.refused(field, json!({field: refused})).await;
            assert!(detail.contains("5 to 259200"), "{detail}");
        }
    }
}

#[tokio::test]
async fn notify_and_metadata() {
    let bench = Bench::new().await;
    bench.accepted(json!({"notify": "none"})).await;
    for channel in ["email", "telegram", "pigeon", ""] {
        bench.refused("notify", json!({"notify": channel})).await;
    }
    bench.accepted(json!({"metadata": {"a": [1, null]}})).await;
    bench.accepted(json!({"metadata": "x".repeat(64 * 1024 - 2)})).await;
    bench.refused("/metadata", json!({"metadata": "x".repeat(64 * 1024 - 1)})).await;
    let repeated = request("alex", &json!({"metadata": 7})).to_string().replace(":7", r#":{"a":1,"a":2}"#);
    bench.refused_text("/metadata", &repeated).await;
}

#[tokio::test]
async fn waiting_times() {
    let bench = Bench::new().await;
    let id = bench.server.ask(&bench.key, &request("alex", &json!({}))).await.id;
    for wait in ["61", "-1", "x", "", "1.5"] {
        let refused = bench.server.get(&format!("/api/confirmations/{id}?wait={wait}")).key(&bench.key).send().await;
        assert_eq!(refused.refused_field(422), "wait", "{wait:?}");
    }
    bench.server.get(&format!("/api/confirmations/{id}?wiat=1")).key(&bench.key).send().await.refused(400);
    bench.server.get(&format!("/api/confirmations/{id}?wait=0")).key(&bench.key).send().await.expect(200);
}
