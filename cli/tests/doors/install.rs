//! `countersign hook claude-code install`: what it writes is what the host runs, and nothing else in the file changes.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::{Value, json};

use crate::hook::{call, verdict};
use crate::process::Folder;
use crate::servers::servers;

/// The host's program, as far as it is asked for its version.
fn claude(folder: &Folder, version: &str) {
    folder.write_program("claude", &format!("#!/bin/sh\necho '{version} (Claude Code)'\n"));
}

fn install(folder: &Folder, options: &[&str]) -> Command {
    let mut command = folder.countersign(&servers().url("approves"));
    command.args(["hook", "claude-code", "install", "--approver", "alex"]).args(options);
    if !options.contains(&"--claude") {
        command.args(["--claude", "./claude"]);
    }
    command
}

fn handler(settings: &Value, group: usize) -> Value {
    settings["hooks"]["PreToolUse"][group]["hooks"][0].clone()
}

#[test]
fn the_installed_hook_is_what_the_host_runs() {
    let folder = Folder::new();
    claude(&folder, "2.1.295");
    let ended = folder.run(&mut install(&folder, &["--timeout", "100"]), b"");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let settings = folder.json(".claude/settings.json");
    assert_eq!(settings["hooks"]["PreToolUse"][0]["matcher"], "*");
    let handler = handler(&settings, 0);
    assert_eq!((&handler["type"], &handler["onFailure"]), (&json!("command"), &json!("block")));
    assert_eq!(handler["timeout"], 160, "the host waits longer than the hook");
    let command = handler["command"].as_str().unwrap();
    let mut host = folder.program("sh", &servers().url("approves"));
    let input = call("toolu_installed").to_string();
    assert!(verdict(&folder.run(host.args(["-c", command]), input.as_bytes())).0);

    let before = folder.read(".claude/settings.json");
    let again = folder.run(&mut install(&folder, &["--timeout", "100"]), b"");
    assert!(again.stdout.ends_with("has the hook already\n"), "{}", again.stdout);
    assert_eq!(folder.read(".claude/settings.json"), before);
}

#[test]
fn what_others_wrote_stays() {
    let folder = Folder::new();
    claude(&folder, "2.2.0");
    let before = "{\n    \"unknown\": [1.0, {\"b\": 1, \"a\": 2}],\n    \"hooks\": {\"Stop\": [{\"hooks\": []}]}\n}\n";
    let file = folder.write("settings.json", before);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let options =
        ["--settings", "settings.json", "--matcher", "Bash|Write", "--tools", "Bash", "--trust", "trust.json"];
    let printed = folder.run(install(&folder, &options).arg("--print"), b"");
    assert_eq!(folder.read("settings.json").unwrap(), before, "--print writes nothing");
    assert!(printed.stderr.contains("would deny every call"), "there is no trust.json: {}", printed.stderr);
    assert_eq!(folder.run(&mut install(&folder, &options), b"").code, Some(0));
    let after = folder.read("settings.json").unwrap();
    assert_eq!(after, printed.stdout);
    assert!(
        after.contains("\"unknown\": [1.0, {\"b\": 1, \"a\": 2}]") && after.contains("[{\"hooks\": []}]"),
        "{after}"
    );
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let settings = folder.json("settings.json");
    assert_eq!(settings["hooks"]["PreToolUse"][0]["matcher"], "Bash|Write");
    let handler = handler(&settings, 0);
    let command = handler["command"].as_str().unwrap();
    let trust = folder.path("").canonicalize().unwrap().join("trust.json");
    assert!(command.contains(&format!("--tools Bash --timeout 540 --trust {}", trust.display())), "{command}");
    assert_eq!(handler["timeout"], 600);
}

#[test]
fn settings_that_are_not_understood_are_refused() {
    let folder = Folder::new();
    claude(&folder, "2.1.295");
    for text in ["{", "[]", "{\"hooks\": {\"PreToolUse\": 1}}", "// mine\n{}"] {
        folder.write("settings.json", text);
        let ended = folder.run(&mut install(&folder, &["--settings", "settings.json"]), b"");
        assert_eq!(ended.code, Some(2), "{text}");
        assert!(ended.stderr.contains("stay as they are"), "{}", ended.stderr);
        assert_eq!(folder.read("settings.json").unwrap(), text);
    }
}

#[test]
fn a_host_that_runs_no_hooks_and_hooks_that_ask_nobody_or_twice_are_named() {
    let folder = Folder::new();
    claude(&folder, "2.1.295");
    let off = folder.write("off.json", "{\"disableAllHooks\": true}");
    let ended = folder.run(&mut install(&folder, &["--settings", "off.json"]), b"");
    assert!(ended.code == Some(2) && ended.stderr.contains("disableAllHooks is true"), "{ended:?}");
    assert_eq!(std::fs::read_to_string(off).unwrap(), "{\"disableAllHooks\": true}");

    let install_for = |matcher: &str, tools: &str| {
        let options = ["--settings", "settings.json", "--matcher", matcher, "--tools", tools];
        let ended = folder.run(&mut install(&folder, &options), b"");
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        ended.stderr
    };
    assert!(install_for("Bash", "Write").contains("would ask nobody"));
    assert_eq!(install_for("Edit", "Edit"), "");
    let said = install_for("*", "all");
    assert_eq!(said.matches("another hook of ours stands there").count(), 2, "{said}");
}

#[test]
fn a_time_that_nothing_can_wait_is_refused() {
    let folder = Folder::new();
    claude(&folder, "2.1.295");
    for timeout in ["0", "259201", "18446744073709551615"] {
        let ended = folder.run(&mut install(&folder, &["--timeout", timeout]), b"");
        assert_eq!((ended.code, folder.read(".claude/settings.json")), (Some(2), None), "{timeout}");
    }
}

#[test]
fn a_host_that_does_not_block_is_named() {
    let folder = Folder::new();
    claude(&folder, "2.1.294");
    let ended = folder.run(&mut install(&folder, &["--print"]), b"");
    assert!(ended.stderr.contains("this is Claude Code 2.1.294; before 2.1.295"), "{}", ended.stderr);
    let ended = folder.run(&mut install(&folder, &["--print", "--claude", "./missing"]), b"");
    assert!(ended.stderr.contains("does not say its version"), "{}", ended.stderr);
    assert!(folder.read(".claude/settings.json").is_none());
}
