//! `countersign mcp`: the tools verify what a server says, and no answer calls anything approved that is not. They do not
//! consume, so what lies about the use alone is no lie to them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;

use serde_json::{Value, json};

use crate::process::{DEADLINE, Folder};
use crate::servers::{Case, for_each_case, servers};

/// The approval is genuine: only who uses it can be lied to. And what is pending may be of any time.
const GENUINE: [&str; 5] = ["old_consumption", "forked_consumption", "consume_500", "consume_hangs", "old_request"];

#[test]
fn no_answer_approves_what_is_not() {
    for_each_case(|case| {
        // The tools ask one person, and leave the time for the use to the server.
        if case.asks("approvers") || case.asks("useWithin") {
            return;
        }
        let folder = Folder::new();
        if case.after_approval {
            for n in 0..2 {
                let answer = ask(&folder, "approves", &format!("alex, the {n}th time"), "alex");
                assert_eq!(answer["structuredContent"]["approved"], true, "{answer}");
            }
        }
        let name = &case.name;
        let (approved, reason) = expected(case);
        let approver = if case.asks("username") { "nobody" } else { "alex" };
        let ask = || ask(&folder, name, "alex", approver);
        let answer = if reason == Some("unreachable") { ask() } else { again(ask, Value::to_string) };
        assert_eq!(answer["structuredContent"]["approved"] == true, approved, "{name}: {answer}");
        let Some(reason) = reason else { return };
        let text = answer["content"][0]["text"].as_str().unwrap();
        let said = answer["structuredContent"]["reason"] == reason || text.contains(&format!("({reason})"));
        assert!(said, "{name}: {reason}: {answer}");
        assert!(text.to_lowercase().contains("do not act"), "{name}: {text}");
        assert!(!text.contains(&servers().api_key), "{name}: the API key is shown");
    });
}

/// Whether an answer says approved, and what it gives as the reason if not.
fn expected(case: &Case) -> (bool, Option<&str>) {
    match (case.name.as_str(), case.code.as_deref()) {
        (name, _) if GENUINE.contains(&name) => (true, None),
        // The server's own word for it.
        ("refuses", _) => (false, Some("invalid")),
        // The waiting ends, the request does not.
        (_, Some("timed_out")) => (false, None),
        (_, code) => (case.runs, code),
    }
}

/// The tools have four seconds for one answer, which a busy machine may take for nothing: then a host asks again.
pub(crate) fn again<T>(ask: impl Fn() -> T, text: impl Fn(&T) -> String) -> T {
    let is_one = |answer: &T| !text(answer).contains("(unreachable)");
    (0..5).map(|_| ask()).find(is_one).unwrap_or_else(&ask)
}

/// One call of the tool, by a host that speaks in lines, and its result.
fn ask(folder: &Folder, case: &str, payload: &str, approver: &str) -> Value {
    ask_by(folder.countersign(&servers().url(case)).arg("mcp"), &call(payload, approver, 3)).0
}

/// The same of a server that is started like this, and what it printed after the host had hung up.
pub(crate) fn ask_by(command: &mut Command, call: &Value) -> (Value, Vec<String>) {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = command.spawn().unwrap();
    let (mut stdin, stdout) = (server.stdin.take().unwrap(), server.stdout.take().unwrap());
    let (to_lines, lines) = channel();
    thread::spawn(move || {
        BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| to_lines.send(line))
    });
    let info = json!({"name": "a host", "version": "1"});
    for message in [
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info}}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        call.clone(),
    ] {
        writeln!(stdin, "{message}").unwrap();
    }
    let answer = loop {
        let line = lines.recv_timeout(DEADLINE).expect("an answer");
        let message: Value = serde_json::from_str(&line).unwrap();
        if message["id"] == 1 {
            break message["result"].clone();
        }
    };
    drop(stdin);
    server.wait().unwrap();
    (answer, lines.iter().collect())
}

/// The message that calls the tool, with the id 1, and waits so many seconds.
pub(crate) fn call(payload: &str, approver: &str, wait: u64) -> Value {
    let arguments = json!({
        "action": "Apply the plan", "approver_username": approver, "payload": {"of": payload},
        "wait_seconds": wait, "expires_in_seconds": 300,
    });
    json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "request_human_approval", "arguments": arguments}})
}
