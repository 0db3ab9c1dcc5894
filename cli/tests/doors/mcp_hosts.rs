//! docs/mcp.md: every configuration of a host starts or reaches the tools as it stands. The hosts themselves are not here; what
//! they do with their configuration is done in their place, and for Claude Code by a script of the name.

use std::process::Command;

use serde_json::Value;

use crate::blocks::blocks;
use crate::mcp::{again, ask_by, call};
use crate::process::Folder;
use crate::servers::servers;

const SERVER: &str = "https://approvals.example.com";

#[test]
fn claude_code() {
    let [block] = &blocks("docs/mcp.md", "sh", file!())[..] else { panic!("the table says one") };
    for (case, approved) in [("approves", true), ("rejects", false)] {
        let (folder, script) = (furnished(), at(block, case));
        folder.write_program("claude", include_str!("../pages/claude.sh"));
        let ask = || {
            let mut shell = only_documented(&folder, "sh");
            ask_by(shell.env("KEY", &servers().api_key).args(["-euc", &script]), &call("claude", "alex", 45))
        };
        let (answer, printed) = again(ask, |(answer, _)| answer.to_string());
        assert_eq!(answer["structuredContent"]["approved"], approved, "{answer}");
        // The second command is about the server's own tools.
        let [url, header] = &printed[..] else { panic!("not a URL and a header: {printed:?}") };
        let (name, key) = header.split_once(": ").unwrap();
        assert_eq!(reached(url, name, key)["structuredContent"]["approvers"][0], "alex");
    }
}

#[test]
fn hosts_with_json() {
    let [stdio, http] = &blocks("docs/mcp.md", "json", file!())[..] else { panic!("the table says two") };
    let server = |block: &str, case: &str| {
        let config: Value = serde_json::from_str(&at(block, case)).unwrap();
        config["mcpServers"]["countersign"].clone()
    };
    for (case, approved) in [("approves", true), ("rejects", false)] {
        starts(&server(stdio, case), approved);
    }
    let http = server(http, "approves");
    let [(name, value)] = &http["headers"].as_object().unwrap().iter().collect::<Vec<_>>()[..] else {
        panic!("{http}")
    };
    // A variable, as the host fills it in.
    assert_eq!(*value, "${env:COUNTERSIGN_API_KEY}");
    let answer = reached(http["url"].as_str().unwrap(), name, &servers().api_key);
    assert_eq!(answer["structuredContent"]["approvers"][0], "alex", "{answer}");
}

#[test]
fn codex() {
    let [block] = &blocks("docs/mcp.md", "toml", file!())[..] else { panic!("the table says one") };
    for (case, approved) in [("approves", true), ("rejects", false)] {
        let config: toml::Value = toml::from_str(&at(block, case)).unwrap();
        let server = serde_json::to_value(&config["mcp_servers"]["countersign"]).unwrap();
        assert!(server["tool_timeout_sec"].as_u64().unwrap() > 50, "longer than a call of ours takes");
        starts(&server, approved);
    }
}

/// Starts a server over stdio by its command, arguments and environment, and nothing else, and asks.
fn starts(server: &Value, approved: bool) {
    let folder = furnished();
    let ask = || {
        let mut command = only_documented(&folder, server["command"].as_str().unwrap());
        command.args(server["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()));
        for (name, value) in server["env"].as_object().unwrap() {
            command.env(name, value.as_str().unwrap().replace("/home/alex", folder.path("").to_str().unwrap()));
        }
        ask_by(&mut command, &call("a host", "alex", 45))
    };
    let (answer, _) = again(ask, |(answer, _)| answer.to_string());
    assert_eq!(answer["structuredContent"]["approved"], approved, "{answer}");
}

/// Calls the tool over HTTP, as `curl` sends it.
fn reached(url: &str, name: &str, key: &str) -> Value {
    let folder = Folder::new();
    let body = call("over HTTP", "alex", 0).to_string();
    let header = format!("{name}: {key}");
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--fail-with-body", url, "-H", &header, "-H", "Content-Type: application/json"]);
    curl.args(["-H", "Accept: application/json, text/event-stream", "-d", &body]);
    let ended = folder.run(&mut curl, b"");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // Plain JSON, or one event that carries it.
    let line = ended.stdout.lines().map(|line| line.trim_start_matches("data: ")).find(|line| line.starts_with('{'));
    serde_json::from_str::<Value>(line.unwrap_or_else(|| panic!("{ended:?}"))).unwrap()["result"].clone()
}

/// A block that speaks of a server of ours.
fn at(block: &str, case: &str) -> String {
    assert!(block.contains(SERVER), "{block}");
    block.replace(SERVER, &servers().url(case))
}

/// A home with the two files that the page speaks of.
fn furnished() -> Folder {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path(".config/countersign")).unwrap();
    folder.write(".config/countersign/key", &servers().api_key);
    std::fs::copy(&servers().trust_file, folder.path(".config/countersign/trust.json")).unwrap();
    folder
}

/// A program that finds no setting but those of the page.
fn only_documented(folder: &Folder, program: &str) -> Command {
    let mut command = folder.program(program, "");
    for name in ["COUNTERSIGN_URL", "COUNTERSIGN_API_KEY", "COUNTERSIGN_TRUST", "COUNTERSIGN_MEMORY"] {
        command.env_remove(name);
    }
    command
}
