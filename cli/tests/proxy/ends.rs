//! How a proxy ends, and what it does not start with.

use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::held::{confirmation, status};
use crate::host::{Folder, Host, code};

#[test]
fn the_end_of_the_host_cancels_what_waits() {
    for by_signal in [false, true] {
        let folder = Folder::new();
        let mut host = folder.start("never", &["--approver", "alex"]);
        host.call(1, "note", &json!({"by_signal": by_signal}));
        let id = confirmation(&host.next());
        if by_signal {
            let pid = Pid::from_raw(i32::try_from(host.id()).unwrap()).unwrap();
            kill_process(pid, Signal::TERM).unwrap();
        } else {
            host.hang_up();
        }
        assert_eq!(host.ended().0, Some(0), "by signal: {by_signal}");
        assert_eq!((status(&id).as_str(), folder.calls().len()), ("cancelled", 0), "by signal: {by_signal}");
    }
}

#[test]
fn the_end_of_the_server_ends_the_proxy_with_its_code() {
    let folder = Folder::new();
    let mut host = folder.start("never", &["--approver", "alex", "--tool", "note"]);
    host.call(1, "note", &json!({}));
    let id = confirmation(&host.next());
    host.call(2, "end", &json!({}));
    let answer = host.answer();
    assert_eq!((&answer["id"], code(&answer)), (&json!(1), Some("aborted")));
    let (ended, said) = host.ended();
    assert_eq!(ended, Some(7), "{said}");
    assert!(said.contains("error: the server ended: exit status: 7"), "{said}");
    assert_eq!(status(&id), "cancelled");
}

#[test]
fn a_server_that_ends_without_a_code_is_a_failure_too() {
    for (program, words) in [("true", "the server ended"), ("/nowhere/to/be/found", "cannot start the server")] {
        let host = Host::start(Folder::new().command("never", &["--approver", "alex"]).args(["--", program]));
        let (code, said) = host.ended();
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_wrong_call_starts_nothing() {
    let folder = Folder::new();
    let rules = |name: &str, text: &str| folder.rules(name, text);
    let twice = rules("twice.json", r#"{"approver":"alex","approver":"kim"}"#);
    let unknown = rules("unknown.toml", "aprover = \"alex\"\n");
    let nobody = rules("nobody.toml", "[tools.note]\nallow = true\n");
    for (arguments, words) in [
        (vec!["--approver", "alex", "--timeout", "0"], "0"),
        (vec![], "nobody is named who approves"),
        (vec!["--approver", "alex", "--tool", "del*"], "\"del*\" is not the name of a tool"),
        (vec!["--approver", "alex", "--tool", ""], "is not the name of a tool"),
        (vec!["--rules", &twice], "stands twice"),
        (vec!["--rules", &unknown], "unknown field"),
        (vec!["--rules", &nobody], "nobody is named who approves"),
        (vec!["--rules", "none.toml"], "cannot read the rules"),
        (vec!["--rules", &nobody, "--tool", "note"], "cannot be used with"),
    ] {
        let mut command = folder.command("never", &arguments);
        command.args(["--", "touch", "started"]);
        let (code, said) = Host::start(&mut command).ended();
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert!(!folder.path("started").exists(), "{arguments:?}");
    }
}

#[test]
fn nobody_is_trusted_at_first_sight_unless_told_to() {
    let folder = Folder::new();
    let without_trust = |arguments: &[&str]| -> Command {
        let mut command = folder.command("approves", arguments);
        command.env_remove("COUNTERSIGN_TRUST");
        command.args(["--", "touch", "started"]);
        command
    };
    let (code, said) = Host::start(&mut without_trust(&["--approver", "alex"])).ended();
    assert_eq!((code, folder.path("started").exists()), (Some(2), false), "{said}");
    assert!(said.contains("--trust-on-first-use"), "{said}");
    let (code, _) = Host::start(&mut without_trust(&["--approver", "alex", "--trust-on-first-use"])).ended();
    assert_eq!((code, folder.path("started").exists()), (Some(1), true), "this server serves nothing and ends");
}
