//! `countersign gate`: in no case does the command run unless it was approved, and each end has its code, its words and its
//! status file.

use std::io::Write as _;
use std::process::{Command, Stdio};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::process::Signal;

use crate::process::{DEADLINE, Ended, Folder};
use crate::servers::{Held, for_each_case, servers};

/// A gate before a command, with the status in a file.
fn gate(folder: &Folder, url: &str, options: &[&str], command: &[&str]) -> Command {
    let mut gate = folder.countersign(url);
    gate.args(["gate", "--action", "Apply the plan", "--status-file", "status.json"])
        .args(options)
        .arg("--")
        .args(command);
    gate
}

/// The same with alex as the approver, run to its end.
fn alex(folder: &Folder, case: &str, options: &[&str], command: &[&str]) -> Ended {
    let options = [&["--approver", "alex"], options].concat();
    folder.run(&mut gate(folder, &servers().url(case), &options, command), b"")
}

fn exit_code(code: Option<&str>) -> i32 {
    match code {
        None => 0,
        Some("rejected") => 77,
        Some("expired" | "timed_out") => 124,
        Some(_) => 125,
    }
}

const MARK: [&str; 3] = ["sh", "-c", "echo ran >> marker"];

#[test]
fn a_command_runs_only_when_it_was_approved() {
    for_each_case(|case| {
        let name = &case.name;
        let folder = Folder::new();
        if case.after_approval {
            assert_eq!(alex(&folder, "approves", &[], &["true"]).code, Some(0), "{name}");
        }
        let options = case.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let ended = folder.run(&mut gate(&folder, &servers().url(name), &options, &MARK), b"");
        assert_eq!(folder.read("marker").is_some(), case.runs, "{name}: {ended:?}");
        assert_eq!(ended.code, Some(exit_code(case.code.as_deref())), "{name}: {ended:?}");
        let status = folder.json("status.json");
        assert_eq!(status["reason"].as_str(), case.code.as_deref(), "{name}: {status}");
        assert_eq!(status["verdict"], if case.runs { "approved" } else { "denied" }, "{name}");
        if let Some(code) = &case.code {
            let words = format!("error: {code}: ");
            assert!(ended.stderr.lines().last().unwrap().starts_with(&words), "{name}: {}", ended.stderr);
            assert_eq!(status["exit_code"], exit_code(Some(code)), "{name}");
            assert!(status["receipt"].is_null() && status["consumed_at"].is_null(), "{name}: claims too much");
        }
        assert!(!format!("{ended:?}{status}").contains(&servers().api_key), "{name}: the API key is shown");
    });
}

#[test]
fn the_command_has_its_arguments_its_input_its_folder_and_its_exit_code() {
    let folder = Folder::new();
    let script = "cat; printf '<%s>' \"$0\" \"$@\"; pwd; exit 7";
    let mut gate =
        gate(&folder, &servers().url("approves"), &["--approver", "alex"], &["sh", "-c", script, "a b", "", "$HOME *"]);
    let ended = folder.run(&mut gate, b"typed");
    let here = folder.path("").canonicalize().unwrap();
    assert_eq!(
        (ended.code, ended.stdout),
        (Some(7), format!("typed<a b><><$HOME *>{}\n", here.display())),
        "{}",
        ended.stderr
    );
    let status = folder.json("status.json");
    assert_eq!((&status["verdict"], &status["exit_code"]), (&"approved".into(), &serde_json::Value::Null));
    assert!(status["receipt"].as_str().unwrap().contains("countersign/receipt/v1"));
    // The receipt is evidence for others.
    folder.write("wire.receipt.json", status["receipt"].as_str().unwrap());
    let trust = servers().trust_file.to_str().unwrap();
    let verify = ["verify", "wire.receipt.json", "--trust", trust, "--action", "Apply the plan"];
    assert_eq!(folder.run(folder.countersign("").args(verify), b"").code, Some(0));

    let killed = alex(&folder, "approves", &[], &["sh", "-c", "kill -TERM $$"]);
    assert_eq!((killed.code, killed.signal), (None, Some(15)), "the command's end is the gate's");
}

#[test]
fn what_cannot_be_started_ends_as_in_a_shell() {
    let folder = Folder::new();
    folder.write("plain", "not a program");
    for (command, code) in [("./plain", 126), ("./missing", 127), ("countersign-no-such-command", 127)] {
        let ended = alex(&folder, "approves", &[], &[command]);
        assert_eq!(ended.code, Some(code), "{command}: {}", ended.stderr);
        let status = folder.json("status.json");
        assert_eq!((&status["verdict"], &status["reason"]), (&"denied".into(), &"not_started".into()));
        assert_eq!(status["exit_code"], code);
        assert!(status["consumed_at"].is_string(), "the approval was used, and the file says so");
    }
}

#[test]
fn a_wrong_call_is_not_taken_for_the_command_s_own_end() {
    let folder = Folder::new();
    let url = servers().url("approves");
    let trusting = |options: &[&str]| folder.run(&mut gate(&folder, &url, options, &MARK), b"");
    folder.write("list.json", "[]");
    for options in [
        &[][..],
        &["--approver", "not a name"],
        &["--approver", "alex", "--what"],
        &["--approver", "alex", "--payload", "list.json"],
        &["--approver", "alex", "--bind", "missing"],
    ] {
        assert_eq!(trusting(options).code, Some(125), "{options:?}");
    }
    let mut no_status = folder.countersign(&url);
    no_status.args(["gate", "--approver", "alex", "--action", "A", "--status-file", "no/such", "--"]).args(MARK);
    assert_eq!(folder.run(&mut no_status, b"").code, Some(125));
    let mut no_trust = gate(&folder, &url, &["--approver", "alex"], &MARK);
    let ended = folder.run(no_trust.env_remove("COUNTERSIGN_TRUST"), b"");
    assert_eq!(ended.code, Some(125));
    assert!(ended.stderr.contains("--trust-on-first-use"), "{}", ended.stderr);
    assert_eq!(folder.json("status.json")["reason"], "wrong_call");
    assert!(folder.read("marker").is_none());
    assert_eq!(folder.run(folder.countersign(&url).args(["gate", "--help"]), b"").code, Some(0));

    let mut trusting = gate(&folder, &url, &["--approver", "alex", "--trust-on-first-use"], &MARK);
    assert_eq!(folder.run(trusting.env_remove("COUNTERSIGN_TRUST"), b"").code, Some(0));
}

#[test]
fn a_file_that_changes_while_somebody_decides_stops_the_command() {
    for (text, code) in [("rm -rf build", 0), ("rm -rf /", 125)] {
        let folder = Folder::new();
        folder.write("script", "rm -rf build");
        let held = Held::before(&servers().url("approves"), b"GET /api/confirmations/");
        let options = ["--approver", "alex", "--bind", "script"];
        let mut running = folder.start(&mut gate(&folder, &held.url, &options, &MARK), b"");
        running.says("compare code");
        folder.write("script", text);
        held.let_pass();
        let ended = running.ended();
        assert_eq!((ended.code, folder.read("marker").is_some()), (Some(code), code == 0), "{}", ended.stderr);
        if code != 0 {
            assert!(ended.stderr.contains("is not what was approved any more"), "{}", ended.stderr);
            assert_eq!(folder.json("status.json")["reason"], "changed");
        }
    }
}

#[test]
fn a_request_that_cannot_be_written_down_is_taken_back() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("written")).unwrap();
    let (url, key) = (servers().url("never"), "job-unwritten");
    let held = Held::before(&url, b"POST /api/confirmations ");
    let options = ["--approver", "alex", "--idempotency-key", key, "--status-file", "written/status.json"];
    let mut command = folder.countersign(&held.url);
    command.args(["gate", "--action", "Apply the plan"]).args(options).arg("--").args(MARK);
    let running = folder.start(&mut command, b"");
    // Begun, and nobody is asked yet; then there is no place for the file any more.
    let since = std::time::Instant::now();
    while !folder.path("written/status.json").exists() {
        assert!(since.elapsed() < DEADLINE, "no status file");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    std::fs::remove_dir_all(folder.path("written")).unwrap();
    held.let_pass();
    let ended = running.ended();
    assert_eq!((ended.code, folder.read("marker")), (Some(125), None), "{}", ended.stderr);
    let words = "the status file cannot be written, so the command does not run and the request is cancelled: ";
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    // The same key finds it, and it is over.
    let again = alex(&folder, "never", &["--idempotency-key", key], &MARK);
    assert_eq!((again.code, &folder.json("status.json")["reason"]), (Some(125), &"cancelled".into()));
}

#[test]
fn a_signal_while_somebody_decides_takes_the_request_back() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let folder = Folder::new();
        let key = format!("job-{}", signal.as_raw());
        // What runs the tests may ignore a signal (nohup does), and gate would go on ignoring it.
        let mut command = folder.program("env", &servers().url("never"));
        command.args([
            "--default-signal",
            "countersign",
            "gate",
            "--action",
            "Apply the plan",
            "--status-file",
            "status.json",
        ]);
        command.args(["--approver", "alex", "--idempotency-key", &key, "--"]).args(MARK);
        let mut running = folder.start(&mut command, b"");
        running.says("compare code");
        assert_eq!(folder.json("status.json")["verdict"], "pending");
        running.signal(signal);
        let ended = running.ended();
        assert_eq!((ended.code, ended.signal), (Some(125), None), "{}", ended.stderr);
        assert_eq!(folder.json("status.json")["reason"], "aborted");
        let again = alex(&folder, "never", &["--idempotency-key", &key], &MARK);
        assert_eq!((again.code, &folder.json("status.json")["reason"]), (Some(125), &"cancelled".into()));
        assert!(folder.read("marker").is_none());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_is_ignored_stays_ignored_for_gate_and_command() {
    let folder = Folder::new();
    let held = Held::before(&servers().url("approves"), b"GET /api/confirmations/");
    let mut nohup = folder.program("sh", &held.url);
    let gate = "trap '' HUP; exec countersign gate --approver alex --action 'Apply the plan' -- sh -c 'kill -HUP $$; echo ran'";
    let mut running = folder.start(nohup.args(["-c", gate]), b"");
    running.says("compare code");
    running.signal(Signal::HUP);
    held.let_pass();
    let ended = running.ended();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "ran\n"), "{}", ended.stderr);
}

#[test]
fn words_that_nobody_reads_do_not_hold_the_gate() {
    let folder = Folder::new();
    let (_reader, mut writer) = std::io::pipe().unwrap();
    fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
    for size in [4096, 1] {
        while writer.write(&vec![b'x'; size]).is_ok() {}
    }
    fcntl_setfl(&writer, OFlags::empty()).unwrap();
    let mut command = gate(&folder, &servers().url("approves"), &["--approver", "alex"], &MARK);
    let mut child = command.stdin(Stdio::null()).stderr(writer).spawn().unwrap();
    drop(command);
    let since = std::time::Instant::now();
    while child.try_wait().unwrap().is_none() && since.elapsed() < DEADLINE {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // Ended already, unless the test fails.
    _ = child.kill();
    assert_eq!((child.wait().unwrap().code(), folder.read("marker").as_deref()), (Some(0), Some("ran\n")));
}

#[test]
fn a_gate_that_was_killed_finds_its_request_and_runs_its_command_once() {
    let folder = Folder::new();
    let options = ["--approver", "alex", "--idempotency-key", "job-kill"];
    let url = servers().url("never");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut running = folder.start(&mut gate(&folder, &url, &options, &MARK), b"");
        running.says("compare code");
        running.signal(Signal::KILL);
        assert_eq!(running.ended().signal, Some(9));
        let status = folder.json("status.json");
        assert_eq!(status["verdict"], "pending", "a killed gate claims nothing");
        ids.push(status["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    // Killed after the approval was used, as far as the next process can know: it must not act again.
    let run = || alex(&folder, "approves", &["--idempotency-key", "job-used"], &MARK);
    assert_eq!(run().code, Some(0));
    let again = run();
    assert_eq!((again.code, &folder.json("status.json")["reason"]), (Some(125), &"already_consumed".into()));
    assert_eq!(folder.read("marker").unwrap(), "ran\n");
}

#[test]
fn the_link_is_shown_as_a_code_too() {
    let folder = Folder::new();
    let ended = alex(&folder, "approves", &["--qr"], &["true"]);
    let rows: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with('█')).collect();
    assert!(
        rows.len() > 12 && rows.iter().all(|row| row.chars().count() == rows[0].chars().count()),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("decide here   http"), "{}", ended.stderr);
    let plain = alex(&folder, "approves", &[], &["echo", "again"]);
    assert!(!plain.stderr.contains('█'));
}
