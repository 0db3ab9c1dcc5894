//! `/mcp` as its callers find it: who gets in, and that it is the same engine. The protocol is tested with the official
//! clients in mcp/clients.

use serde_json::{Value, json};

use crate::server::Server;

fn call(tool: &str, arguments: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

async fn answer(server: &Server, key: &str, tool: &str, arguments: &Value) -> Value {
    let sent = server.post("/mcp").key(key).header("accept", "application/json, text/event-stream");
    sent.json(&call(tool, arguments)).send().await.expect(200).json::<Value>()["result"].clone()
}

#[tokio::test]
async fn only_requesters_get_in_and_each_sees_its_own() {
    let server = Server::new().await;
    server.enrol("alex").await;
    let asking = json!({"action": "Pay", "approver_username": "alex", "payload": {}, "wait_seconds": 0});
    let body = call("request_human_approval", &asking);
    server.post("/mcp").json(&body).send().await.expect(401);
    server.post("/mcp").key(&server.appender().await).json(&body).send().await.expect(403);

    let (one, other) = (server.requester().await, server.requester().await);
    let asked = answer(&server, &one, "request_human_approval", &asking).await;
    let id = asked["structuredContent"]["id"].as_str().unwrap().to_owned();
    assert_eq!(server.confirmation(&one, &id).await.action, "Pay");
    let foreign = answer(&server, &other, "get_approval", &json!({"id": id})).await;
    assert_eq!(foreign["isError"], true);
    let cancelled = answer(&server, &one, "cancel_approval", &json!({"id": id})).await;
    assert_eq!(cancelled["structuredContent"]["status"], "cancelled");
}

#[tokio::test]
async fn an_approval_is_approved_until_it_is_used() {
    let server = Server::new().await;
    let alex = server.enrol("alex").await;
    let key = server.requester().await;
    let asking = json!({"action": "Pay", "approver_username": "alex", "payload": {"amount": "1"}, "wait_seconds": 0});
    let asked = answer(&server, &key, "request_human_approval", &asking).await;
    let id = asked["structuredContent"]["id"].as_str().unwrap().to_owned();
    assert_eq!(asked["structuredContent"]["approved"], false);
    alex.approve(&server, &id).await;
    let approved = answer(&server, &key, "wait_for_approval", &json!({"id": id})).await;
    assert_eq!(approved["structuredContent"]["approved"], true);
    server.consume(&key, &id, "job-1").await.expect(200);
    let used = &answer(&server, &key, "get_approval", &json!({"id": id})).await["structuredContent"];
    assert_eq!((&used["approved"], &used["reason"]), (&json!(false), &json!("already_consumed")));
}
