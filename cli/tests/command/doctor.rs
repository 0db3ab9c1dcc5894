//! `doctor`: what it says of a healthy server, running and stopped, and of everything that can be wrong.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use merkle::TreeSize;
use serde::Deserialize;

use super::anchors;
use super::refusals::append;
use super::running::{Folder, countersign};

#[derive(Deserialize)]
struct Report {
    healthy: bool,
    checks: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    check: String,
    level: String,
    words: String,
}

/// The level and the words of each check.
type Checks = BTreeMap<String, (String, String)>;

#[tokio::test]
async fn a_healthy_server_running_and_stopped() {
    let folder = Folder::new();
    let server = folder.started().await;
    append(&folder, "an entry").await;
    let url = folder.url();
    let (healthy, checks) = examined(&folder, &["--url", &url]);
    assert!(healthy, "{checks:?}");
    assert!(checks["server"].1.contains("running"), "{checks:?}");
    assert!(checks["checkpoint"].1.contains("1 entries, as the anchor says"), "{checks:?}");
    for check in ["URL", "address", "server's clock", "data directory", "log key", "admin key", "anchor", "store"] {
        assert_eq!(checks[check].0, "ok", "{check}: {}", checks[check].1);
    }
    assert_eq!(server.terminated().code, Some(0));

    let (healthy, checks) = examined(&folder, &[]);
    assert!(healthy, "{checks:?}");
    assert!(checks["server"].1.contains("not running"), "{checks:?}");
    for check in ["schema", "public URL", "store", "clock", "disk of data", "disk of anchor", "open files"] {
        assert!(["ok", "warning"].contains(&checks[check].0.as_str()), "{check}: {}", checks[check].1);
    }
    // It has changed nothing and let the lock go.
    drop(folder.started().await);

    // For eyes: a line each.
    let output = countersign()
        .args(["doctor", "--data-dir"])
        .arg(folder.path("data"))
        .args(["--anchor"])
        .arg(folder.path("anchor"))
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), lines.lines().count()), (Some(0), checks.len()), "{lines}");
    assert!(lines.lines().all(|line| line.starts_with("ok ") || line.starts_with("warning ")), "{lines}");
    assert_eq!(countersign().args(["doctor", "--nonsense"]).output().unwrap().status.code(), Some(2));
}

#[tokio::test]
async fn what_is_wrong_is_named_with_what_to_do() {
    let folder = Folder::new();
    let server = folder.started().await;
    append(&folder, "one").await;
    assert_eq!(server.terminated().code, Some(0));
    let mode = |name: &str, mode| fs::set_permissions(folder.path(name), fs::Permissions::from_mode(mode)).unwrap();

    mode("data", 0o755);
    mode("data/log.key", 0o644);
    mode("data/admin.key", 0o640);
    problems(&folder, &[("data directory", "chmod 700"), ("log key", "chmod 600"), ("admin key", "chmod 600")]);
    mode("data", 0o700);
    mode("data/admin.key", 0o600);
    mode("data/log.key", 0o600);

    let key = fs::read_to_string(folder.path("data/log.key")).unwrap();
    fs::remove_file(folder.path("data/log.key")).unwrap();
    problems(&folder, &[("log key", "is missing")]);
    let made = countersign()
        .args(["keygen", &format!("localhost:{}/log", folder.port), "--out"])
        .arg(folder.path("data/log.key"))
        .output();
    assert!(made.unwrap().status.success());
    problems(&folder, &[("anchor", "the log key is of"), ("store", "bring back the log key")]);
    fs::write(folder.path("data/log.key"), key).unwrap();

    let anchor = folder.path("anchor/anchor.jsonl");
    let whole = fs::read(&anchor).unwrap();
    anchors::change(&folder.path("anchor"), |anchor| anchor.head.size = TreeSize::new(9));
    problems(&folder, &[("store", "1 entries, but 9 were signed")]);
    fs::write(&anchor, "nonsense").unwrap();
    problems(&folder, &[("anchor", "is not an anchor file")]);
    fs::remove_file(&anchor).unwrap();
    problems(&folder, &[("anchor", "there is none")]);
    fs::write(&anchor, whole).unwrap();

    fs::rename(folder.path("data/db"), folder.path("taken")).unwrap();
    problems(&folder, &[("store", "there is no store")]);
    fs::rename(folder.path("taken"), folder.path("data/db")).unwrap();
    let (healthy, checks) = examined(&folder, &[]);
    assert!(healthy, "{checks:?}");

    let (healthy, checks) = examined(&folder, &["--url", &folder.url()]);
    assert!(!healthy && checks["address"].1.contains("does not answer"), "{checks:?}");
    let (healthy, checks) = examined(&folder, &["--url", "https://192.0.2.7:1"]);
    assert!(!healthy && checks["URL"].1.contains("not an IP address"), "{checks:?}");
}

#[tokio::test]
async fn a_server_of_another_log_and_a_server_alone() {
    let (folder, other) = (Folder::new(), Folder::new());
    drop(folder.started().await);
    let _other = other.started().await;
    let (healthy, checks) = examined(&folder, &["--url", &other.url()]);
    assert!(!healthy && checks["checkpoint"].1.contains("not by the log key"), "{checks:?}");

    let output = countersign().args(["doctor", "--json", "--url", &other.url()]).current_dir(folder.path("")).output();
    let report: Report = serde_json::from_slice(&output.unwrap().stdout).unwrap();
    let checks: Vec<&str> = report.checks.iter().map(|finding| finding.check.as_str()).collect();
    assert_eq!((report.healthy, checks), (true, vec!["URL", "address", "server's clock", "checkpoint"]));
}

/// These checks, and no others, are problems, with these words.
fn problems(folder: &Folder, expected: &[(&str, &str)]) {
    let (healthy, checks) = examined(folder, &[]);
    assert!(!healthy, "{checks:?}");
    let found: Vec<&str> =
        checks.iter().filter(|(_, (level, _))| level == "problem").map(|(check, _)| check.as_str()).collect();
    let mut named: Vec<&str> = expected.iter().map(|(check, _)| *check).collect();
    named.sort_unstable();
    assert_eq!(found, named, "{checks:?}");
    for (check, words) in expected {
        assert!(checks[*check].1.contains(words), "no {words:?} in: {}", checks[*check].1);
    }
}

fn examined(folder: &Folder, more: &[&str]) -> (bool, Checks) {
    let mut command: Command = countersign();
    command
        .current_dir(folder.path(""))
        .args(["doctor", "--json", "--data-dir", "data", "--anchor", "anchor"])
        .args(more);
    let output = command.output().unwrap();
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!report.healthy)));
    let checks = report.checks.into_iter().map(|finding| (finding.check, (finding.level, finding.words)));
    (report.healthy, checks.collect())
}
