//! `countersign hook claude-code`, fed with the host's documented input: a call is allowed only when it was approved, and
//! everything else is an explicit no.

use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::process::{Ended, Folder};
use crate::servers::{for_each_case, servers};

/// What the host writes before it runs a tool. Each call has a session of its own, because what an approver rejected may not
/// be asked again for a while.
pub(crate) fn call(id: &str) -> Value {
    json!({
        "session_id": format!("session-of-{id}"),
        "transcript_path": "/home/alex/.claude/projects/api/session.jsonl",
        "cwd": "/home/alex/api",
        "permission_mode": "default",
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": "terraform apply plan.out", "description": "Apply the plan"},
        "tool_use_id": id,
    })
}

fn hook(folder: &Folder, url: &str, options: &[&str]) -> Command {
    let mut hook = folder.countersign(url);
    hook.args(["hook", "claude-code"]).args(options);
    hook
}

/// Whether the call runs, as the host understands the answer, and the reason that it gives.
pub(crate) fn verdict(ended: &Ended) -> (bool, String) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
    let output = &answer["hookSpecificOutput"];
    assert_eq!(output["hookEventName"], "PreToolUse");
    let allowed = match output["permissionDecision"].as_str() {
        Some("allow") => true,
        Some("deny") => false,
        other => panic!("neither allowed nor denied: {other:?}"),
    };
    (allowed, output["permissionDecisionReason"].as_str().unwrap().to_owned())
}

#[test]
fn a_call_is_allowed_only_when_it_was_approved() {
    for_each_case(|case| {
        let name = &case.name;
        let folder = Folder::new();
        let run = |server: &str, options: &[&str]| {
            let input = call(&format!("toolu_{name}_{server}")).to_string();
            folder.run(&mut hook(&folder, &servers().url(server), options), input.as_bytes())
        };
        if case.after_approval {
            assert!(verdict(&run("approves", &["--approver", "alex"])).0, "{name}");
        }
        let options = case.options();
        let ended = run(name, &options.iter().map(String::as_str).collect::<Vec<_>>());
        let (allowed, reason) = verdict(&ended);
        assert_eq!(allowed, case.runs, "{name}: {ended:?}");
        if let Some(code) = &case.code {
            assert!(reason.contains(&format!(": {code}: ")), "{name}: {reason}");
        }
        assert!(!format!("{ended:?}").contains(&servers().api_key), "{name}: the API key is shown");
    });
}

#[test]
fn a_hook_that_was_killed_does_not_allow_the_same_call_twice() {
    let folder = Folder::new();
    let input = call("toolu_twice").to_string();
    let run = || folder.run(&mut hook(&folder, &servers().url("approves"), &["--approver", "alex"]), input.as_bytes());
    assert!(verdict(&run()).0);
    let (allowed, reason) = verdict(&run());
    assert!(!allowed && reason.contains("already_consumed"), "{reason}");
}

#[test]
fn input_that_is_no_call_is_denied() {
    let folder = Folder::new();
    let mut event = call("toolu_bad");
    event["hook_event_name"] = json!("PostToolUse");
    let mut nobody = call("toolu_bad");
    nobody.as_object_mut().unwrap().remove("tool_use_id");
    let large = call(&"x".repeat(5 << 20)).to_string();
    for input in ["", "{", "null", "[]", "{}", "\u{feff}{}", &event.to_string(), &nobody.to_string(), &large] {
        let ended =
            folder.run(&mut hook(&folder, &servers().url("approves"), &["--approver", "alex"]), input.as_bytes());
        assert!(!verdict(&ended).0, "{ended:?}");
    }
}

#[test]
fn without_settings_every_call_is_denied() {
    let folder = Folder::new();
    let input = call("toolu_settings").to_string();
    for missing in ["COUNTERSIGN_URL", "COUNTERSIGN_API_KEY", "COUNTERSIGN_TRUST"] {
        let mut hook = hook(&folder, &servers().url("approves"), &["--approver", "alex"]);
        let (allowed, reason) = verdict(&folder.run(hook.env_remove(missing), input.as_bytes()));
        assert!(!allowed && reason.contains(missing), "{reason}");
    }
}

#[test]
fn a_wrong_call_and_an_answer_that_nobody_gets_end_with_the_code_that_blocks() {
    let folder = Folder::new();
    let url = servers().url("approves");
    for options in [&[][..], &["--approver", "alex", "--what"], &["--approver", "alex", "--tools", "Bash|Write"]] {
        assert_eq!(folder.run(&mut hook(&folder, &url, options), b"").code, Some(2), "{options:?}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut hook = hook(&folder, &url, &["--approver", "alex"]);
    let output = hook.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output();
    assert_eq!(output.unwrap().status.code(), Some(2));
}

#[test]
fn other_tools_are_left_to_the_host() {
    let folder = Folder::new();
    let input = call("toolu_other").to_string();
    let run = |tools: &str| {
        let options = ["--approver", "alex", "--tools", tools];
        folder.run(&mut hook(&folder, &servers().url("rejects"), &options), input.as_bytes())
    };
    let ended = run("Write,mcp__github__*");
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""), "{}", ended.stderr);
    for tools in ["all", "Write, Bash", "Ba*"] {
        assert!(!verdict(&run(tools)).0, "{tools}");
    }
}

#[test]
fn a_host_that_gives_up_gets_its_no_and_the_request_is_taken_back() {
    let folder = Folder::new();
    let input = call("toolu_signal").to_string();
    let mut hook = hook(&folder, &servers().url("never"), &["--approver", "alex"]);
    let mut running = folder.start(&mut hook, input.as_bytes());
    running.says("compare code");
    running.signal(Signal::TERM);
    let (allowed, reason) = verdict(&running.ended());
    assert!(!allowed && reason.contains("aborted"), "{reason}");
    let (allowed, reason) = verdict(&folder.run(&mut hook, input.as_bytes()));
    assert!(!allowed && reason.contains("cancelled"), "{reason}");
}
