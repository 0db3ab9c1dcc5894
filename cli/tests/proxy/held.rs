//! What passes, what is held, and what of it runs.

use serde_json::{Value, json};

use crate::host::{Folder, code};
use crate::misbehaving;

#[test]
fn a_call_runs_with_exactly_what_was_approved_and_the_rest_passes() {
    let folder = Folder::new();
    let mut host = folder.start("approves", &["--approver", "alex"]);
    let params =
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    host.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}));
    assert_eq!(host.answer()["result"]["serverInfo"]["name"], "notes");
    host.send(&json!({"jsonrpc": "2.0", "id": "list", "method": "tools/list"}));
    assert_eq!(host.answer()["result"]["tools"].as_array().unwrap().len(), 4);

    let arguments = json!({"z": "é\u{2028}", "a": [1, 2.5, null], "amount": "12.50"});
    host.call("one", "note", &arguments);
    let told = host.next();
    assert_eq!((&told["method"], &told["params"]["progressToken"]), (&json!("notifications/progress"), &json!("one")));
    let words = told["params"]["message"].as_str().unwrap();
    assert!(words.starts_with("waiting for alex at http://localhost") && words.contains("compare code"), "{words}");
    let answer = host.answer();
    assert_eq!((&answer["id"], answer["result"].get("isError")), (&json!("one"), None));
    assert_eq!(folder.calls(), [json!({"name": "note", "arguments": arguments})]);
}

#[test]
fn calls_wait_independently_while_the_server_asks_the_host() {
    let folder = Folder::new();
    let mut host = folder.start("approves", &["--approver", "alex", "--tool", "note"]);
    for id in 0..3 {
        host.call(id, "note", &json!({"number": id}));
    }
    host.call(10, "roots", &json!({}));
    let mut answered = Vec::new();
    while answered.len() < 4 {
        let message = host.answer();
        if message["method"] == "roots/list" {
            host.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": {"roots": ["/srv"]}}));
        } else {
            assert_eq!(code(&message), None, "{message}");
            answered.push(message["id"].as_i64().unwrap());
        }
    }
    answered.sort_unstable();
    assert_eq!((answered, folder.calls().len()), (vec![0, 1, 2, 10], 4));
}

#[test]
fn rules_say_what_passes_and_an_approver_may_be_asked_for_the_rest() {
    let folder = Folder::new();
    let rules = "approver = \"alex\"\nallow_read_only = true\n\n[tools.note]\nallow = true\n";
    let rules = folder.rules("rules.toml", rules);
    let mut host = folder.start("rejects", &["--rules", &rules]);
    host.call(1, "note", &json!({}));
    assert_eq!(code(&host.answer()), None);
    host.call(2, "look", &json!({}));
    assert_eq!(code(&host.answer()), Some("rejected"), "nothing was listed, so no hint counts");
    host.send(&json!({"jsonrpc": "2.0", "id": 3, "method": "tools/list"}));
    host.answer();
    host.call(4, "look", &json!({}));
    assert_eq!(code(&host.answer()), None);
    host.call(5, "unknown", &json!({}));
    assert_eq!(code(&host.answer()), Some("rejected"), "what no rule names is held");
    let names: Vec<_> = folder.calls().iter().map(|call| call["name"].clone()).collect();
    assert_eq!(names, ["note", "look"]);
}

#[test]
fn a_call_that_the_host_gives_up_is_cancelled_and_never_runs() {
    let folder = Folder::new();
    let mut host = folder.start("never", &["--approver", "alex", "--tool", "note"]);
    host.call(1, "note", &json!({"text": "given up"}));
    let id = confirmation(&host.next());
    host.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}));
    // The next answer is that of another call: what was given up has none.
    host.call(2, "look", &json!({}));
    assert_eq!(host.answer()["id"], 2);
    host.hang_up();
    assert_eq!(host.ended().0, Some(0));
    assert_eq!(status(&id), "cancelled");
    assert_eq!(folder.calls().len(), 1);
}

#[test]
fn what_can_be_read_in_two_ways_reaches_nobody() {
    let folder = Folder::new();
    let mut host = folder.start("approves", &["--approver", "alex", "--tool", "note"]);
    for line in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"look","name":"note","arguments":{}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"note"}}"#,
        r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"note","arguments":{}}}]"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"look","Name":"note"}}"#,
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"note","arguments":{}}}"#,
    ] {
        host.send_text(line);
    }
    for code in [-32700, -32700, -32600, -32602] {
        assert_eq!(host.answer()["error"]["code"], code);
    }
    host.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}));
    assert_eq!(host.answer()["id"], 2, "and the next one passes");
    assert!(folder.calls().is_empty());
}

/// The confirmation's id, out of the words that say where it is decided.
pub(crate) fn confirmation(progress: &Value) -> String {
    let words = progress["params"]["message"].as_str().unwrap_or_else(|| panic!("no progress: {progress}"));
    let from = words.find("cnf_").unwrap();
    words[from..].chars().take_while(|character| character.is_ascii_alphanumeric() || *character == '_').collect()
}

/// A confirmation's status, as its server has it.
pub(crate) fn status(id: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        let url = format!("{}/api/confirmations/{id}", misbehaving::url("never"));
        let answer = client.get(url).header("X-Api-Key", misbehaving::api_key()).send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        answer["status"].as_str().unwrap().to_owned()
    })
}
