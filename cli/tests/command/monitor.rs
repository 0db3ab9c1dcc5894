//! `countersign monitor`: on a real server, and on one made by hand that forks, vanishes and talks nonsense.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use super::made_log::{MadeLog, trust};
use super::person::enrol_alex;
use super::running::{Folder, countersign, web};

/// A monitor's folder: state, trust file, scripts.
struct Watcher(Folder);

impl Watcher {
    fn of(trust: &str) -> Self {
        let folder = Folder::new();
        fs::write(folder.path("trust.json"), trust).unwrap();
        Self(folder)
    }

    /// Of a server that runs.
    fn of_server(url: &str) -> Self {
        let trust = countersign().args(["trust", "--url", url]).output().unwrap();
        Self::of(&String::from_utf8(trust.stdout).unwrap())
    }

    fn command(&self, url: &str, arguments: &[&str]) -> Command {
        let mut command = countersign();
        command.current_dir(self.0.path("")).args([
            "monitor",
            "--url",
            url,
            "--trust",
            "trust.json",
            "--state",
            "state",
        ]);
        command.args(arguments);
        command
    }

    fn once(&self, url: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } = self.command(url, arguments).arg("--once").output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    /// A script for --exec.
    fn script(&self, text: &str) -> String {
        let path = self.0.path("script");
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.0.path(name)).unwrap_or_default()
    }

    /// Waits until a file has a text.
    fn wait_for(&self, name: &str, text: &str) {
        let since = Instant::now();
        while !self.text(name).contains(text) {
            assert!(since.elapsed() < Duration::from_secs(60), "no {text:?} in {name}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[tokio::test]
async fn a_person_is_watched_and_no_report_is_lost_because_a_command_failed() {
    let folder = Folder::new();
    let _server = folder.started().await;
    let watcher = Watcher::of_server(&folder.url());
    let (code, stdout, stderr) = watcher.once(&folder.url(), &[]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert!(stdout.starts_with("checkpoint of size 0 is consistent"), "{stdout}");

    let alex = enrol_alex(&folder).await;
    let script = watcher.script("echo try >> tries\n[ $(wc -l < tries) -gt 2 ] || exit 3\ncat >> got; echo $COUNTERSIGN_EVENT $COUNTERSIGN_ALARM >> events\necho to nobody");
    let exec = ["--watch", "approver=alex", "--exec", &script];
    let (code, stdout, stderr) = watcher.once(&folder.url(), &exec);
    assert_eq!((code, stdout.lines().count()), (Some(0), 2), "{stdout} {stderr}");
    assert!(stdout.starts_with("entry 0: alex (key "), "{stdout}");
    assert_eq!(stderr.matches("failed with exit status: 3").count(), 2, "{stderr}");
    assert_eq!((watcher.text("events").as_str(), watcher.text("got").lines().count()), ("enrolment false\n", 1));
    let report: Value = serde_json::from_str(&watcher.text("got")).unwrap();
    assert_eq!((report["name"].as_str(), report["authorised_by"].as_str()), (Some("alex"), Some("invite")));
    assert_eq!(watcher.once(&folder.url(), &exec), (Some(0), String::new(), String::new()));

    // A lost passkey and a new one by an invite, which none of alex's keys authorised.
    revoke(&folder, &alex.credential).await;
    enrol_alex(&folder).await;
    let (code, stdout, _) = watcher.once(&folder.url(), &[&exec[..], &["--json"]].concat());
    let reports: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<_> = reports.iter().map(|report| (report["event"].as_str().unwrap(), &report["alarm"])).collect();
    let (no, yes) = (Value::from(false), Value::from(true));
    assert_eq!((code, said), (Some(1), vec![("revocation", &no), ("enrolment", &yes), ("checkpoint", &no)]));
    assert_eq!((reports[0]["reason"].as_str(), reports[2]["size"].as_u64()), (Some("lost"), Some(3)));
    assert_eq!(watcher.text("events"), "enrolment false\nrevocation false\nenrolment true\n");
    assert_eq!(watcher.once(&folder.url(), &[]).0, Some(0));
}

async fn revoke(folder: &Folder, credential: &str) {
    let url = format!("{}/api/credentials/{credential}?reason=lost", folder.url());
    let answer = web().delete(url).header("X-Api-Key", folder.admin_key()).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
}

/// Pins the log made by hand.
fn pinned() -> Watcher {
    Watcher::of(&trust().to_json())
}

#[test]
fn a_fork_is_loud_kept_and_never_forgotten() {
    let (fake, watcher) = (MadeLog::start(), pinned());
    fake.show(&["a", "b", "c"]);
    assert_eq!(watcher.once(&fake.url, &[]).0, Some(0));
    fake.show(&["a", "other", "c", "d"]);
    let script = watcher.script("cat >> got; echo $COUNTERSIGN_EVENT $COUNTERSIGN_ALARM >> events");
    let (code, stdout, stderr) = watcher.once(&fake.url, &["--exec", &script]);
    assert_eq!(code, Some(1));
    assert!(stdout.starts_with("ALARM: THE LOG SHOWS TWO HISTORIES: it signed a tree of size 4"), "{stdout}");
    assert!(stderr.contains("until state.evidence is moved away"), "{stderr}");
    assert_eq!(watcher.text("events"), "inconsistency true\n");

    // The honest log again, and a monitor that would run on: it stays failed.
    fake.show(&["a", "b", "c"]);
    let ended = watcher.0.start(&mut watcher.command(&fake.url, &[])).ended();
    assert_eq!((ended.code, &ended.stdout), (Some(1), &stdout));
    fs::rename(watcher.0.path("state.evidence"), watcher.0.path("kept")).unwrap();
    assert_eq!(watcher.once(&fake.url, &[]), (Some(0), String::new(), String::new()));
    assert!(watcher.text("kept/shown.checkpoint").starts_with("localhost:8080/log\n4\n"));
}

#[test]
fn a_monitor_runs_through_an_outage_and_ends_with_a_signal() {
    let (fake, watcher) = (MadeLog::start(), pinned());
    fake.show(&["a"]);
    let mut running = watcher.0.start(&mut watcher.command(&fake.url, &["--interval", "1"]));
    running.prints("checkpoint of size 1 ");
    let second = watcher.command(&fake.url, &["--once"]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8(second.stderr).unwrap().contains("another monitor uses this state"));

    let down = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    fake.put_raw("/log/checkpoint", down);
    running.says("does not answer: checkpoint: the server answered 503");
    fake.put("/log/checkpoint", b"<html>".to_vec());
    running.says("SERVES SOMETHING WRONG: malformed note");
    fake.show(&["a", "countersign/nonsense"]);
    let printed = running.prints("checkpoint of size 2 ");
    assert!(printed.contains("ALARM: entry 1 breaks a rule"), "{printed}");
    let ended = running.terminated();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn one_look_at_a_log_that_is_down_or_talks_nonsense_is_no_success() {
    let watcher = pinned();
    let nobody = Folder::new().url();
    let (code, stdout, stderr) = watcher.once(&nobody, &[]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.starts_with(&format!("error: {nobody}/log does not answer")), "{stderr}");

    let fake = MadeLog::start();
    let away = "HTTP/1.1 302 Found\r\nLocation: http://localhost:1/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let huge = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "x".repeat(100_000));
    let missing = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    for (answer, words) in [(away, "302 Found"), (&huge, "more than 16384 bytes"), (missing, "does not have it")] {
        fake.put_raw("/log/checkpoint", answer);
        let (code, stdout, stderr) = watcher.once(&fake.url, &[]);
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
        assert!(stderr.contains("SERVES SOMETHING WRONG") && stderr.contains(words), "{stderr}");
    }
    fake.show(&["a"]);
    assert_eq!(watcher.once(&fake.url, &[]).0, Some(0));
}

#[test]
fn killed_between_report_and_state_the_report_comes_again() {
    let (fake, watcher) = (MadeLog::start(), pinned());
    fake.show(&["countersign/1", "countersign/2"]);
    let script = watcher.script("cat >> got\n[ -e fast ] || { echo started >> events; exec sleep 60; }");
    let exec = ["--exec", &script, "--exec-timeout", "3600"];
    let mut running = watcher.0.start(&mut watcher.command(&fake.url, &exec));
    running.prints("entry 0 ");
    watcher.wait_for("events", "started");
    running.signal(Signal::KILL);
    assert_eq!(running.ended().code, None);
    fs::write(watcher.0.path("fast"), "").unwrap();
    assert_eq!(watcher.once(&fake.url, &exec).0, Some(1));
    let got = watcher.text("got");
    let ids: Vec<Value> = got.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].clone()).collect();
    assert_eq!((ids.len(), ids[0] == ids[1], ids[1] == ids[2]), (3, true, false), "{got}");
}

#[test]
fn a_command_that_takes_too_long_is_killed_and_one_that_never_succeeds_holds_the_cursor() {
    let (fake, watcher) = (MadeLog::start(), pinned());
    fake.show(&["countersign/1"]);
    let slow = watcher.script("[ -e tried ] || { touch tried; sleep 60 & wait; }");
    let (code, stdout, stderr) = watcher.once(&fake.url, &["--exec", &slow, "--exec-timeout", "1"]);
    assert_eq!((code, stdout.lines().count()), (Some(1), 2), "{stderr}");
    assert!(stderr.contains("took more than 1 s and was killed"), "{stderr}");

    fake.show(&["countersign/1", "countersign/2"]);
    let (code, stdout, stderr) = watcher.once(&fake.url, &["--exec", "exit 4"]);
    assert_eq!((code, stdout.lines().count()), (Some(1), 1), "{stdout}");
    assert!(stderr.contains("error: the command of --exec failed with exit status: 4, 5 times in a row"), "{stderr}");
    let (code, stdout, _) = watcher.once(&fake.url, &[]);
    assert_eq!(code, Some(1));
    assert!(stdout.starts_with("ALARM: entry 1 breaks a rule"), "{stdout}");
}

#[test]
fn a_wrong_call_is_told_apart() {
    let watcher = pinned();
    let url = "http://localhost:1";
    for (url, arguments) in [
        (url, &["--watch", "alex"][..]),
        (url, &["--interval", "0"]),
        (url, &["--exec-timeout", "never"]),
        ("localhost:8080", &[]),
    ] {
        assert_eq!(watcher.once(url, arguments).0, Some(2), "{arguments:?}");
    }
    let missing = watcher.0.path("none.json");
    let call = ["monitor", "--once", "--state", "state", "--url", url, "--trust"];
    assert_eq!(countersign().args(call).arg(missing).output().unwrap().status.code(), Some(2));
}
