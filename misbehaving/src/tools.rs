//! `misbehaving --tools FILE`: a small MCP server on standard input and output, for the tests of what stands before one. It
//! writes every call that reaches it into the file, one JSON text a line, so that a test sees what ran.
//!
//! Its tool `end` ends it with code 7; its tool `roots` asks the host for its roots and answers with what that says.

use std::fs::File;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;

use serde_json::{Value, json};

/// Serves until standard input ends.
pub(crate) fn serve(calls: &Path) {
    let mut calls = File::options().create(true).append(true).open(calls).unwrap();
    let mut asked_by = Value::Null;
    for line in io::stdin().lock().lines() {
        let message: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let id = &message["id"];
        match message["method"].as_str() {
            Some("initialize") => answer(id, &initialized(&message["params"]["protocolVersion"])),
            Some("server/discover") => answer(id, &discovered()),
            Some("tools/list") => {
                answer(id, &json!({"resultType": "complete", "tools": tools(), "ttlMs": 0, "cacheScope": "private"}));
            }
            Some("tools/call") => {
                let params = &message["params"];
                let call = json!({"name": params["name"], "arguments": params["arguments"]});
                writeln!(calls, "{call}").unwrap();
                calls.flush().unwrap();
                match params["name"].as_str() {
                    Some("end") => std::process::exit(7),
                    Some("roots") => {
                        asked_by = id.clone();
                        print(&json!({"jsonrpc": "2.0", "id": "roots", "method": "roots/list"}));
                    }
                    _ => answer(id, &text(&format!("done: {}", params["arguments"]))),
                }
            }
            Some(_) if !id.is_null() => answer(id, &json!({})),
            None if *id == json!("roots") => answer(&asked_by, &text(&message["result"].to_string())),
            _ => {}
        }
    }
}

fn initialized(version: &Value) -> Value {
    json!({"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "notes", "version": "1"}})
}

fn discovered() -> Value {
    let info = json!({"name": "notes", "version": "1"});
    json!({
        "resultType": "complete",
        "supportedVersions": ["2026-07-28"],
        "capabilities": {"tools": {}},
        "serverInfo": info,
        "_meta": {"io.modelcontextprotocol/serverInfo": info},
        "ttlMs": 0,
        "cacheScope": "private",
    })
}

fn tools() -> Vec<Value> {
    let names = [("note", false), ("look", true), ("end", false), ("roots", true)];
    let tool = |(name, reads): (&str, bool)| {
        json!({"name": name, "description": "A tool for tests.",
        "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": reads}})
    };
    names.map(tool).to_vec()
}

fn text(text: &str) -> Value {
    json!({"resultType": "complete", "content": [{"type": "text", "text": text}]})
}

fn answer(id: &Value, result: &Value) {
    print(&json!({"jsonrpc": "2.0", "id": id, "result": result}));
}

fn print(message: &Value) {
    println!("{message}");
    io::stdout().flush().unwrap();
}
