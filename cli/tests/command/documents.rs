//! docs/monitor.md and docs/audit.md: every command in them is run as it stands, against a server of this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::person::enrol_alex;
use super::refusals::append;
use super::runbook::{blocks, runs, shell};
use super::running::Folder;

/// The server of the documents.
const SERVER: &str = "https://approvals.example.com";

#[tokio::test]
async fn the_commands_of_the_audit_s_document() {
    let folder = Folder::new();
    let _server = folder.started().await;
    enrol_alex(&folder).await;
    let document = document("audit.md", &folder);
    let [block] = &blocks(&document)[..] else { panic!("the document has other blocks than this test knows") };
    let printed = runs(&folder, &[], block);
    assert!(printed.contains("\nPASSED: "), "{printed}");
    // The example shows the lines that are printed.
    let example = document.split("```text\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let first_words = |text: &str| text.lines().map(|line| line[..11].to_owned()).collect::<Vec<_>>();
    let head = printed.split("\n\n").next().unwrap();
    assert_eq!(first_words(head), first_words(example), "{printed}");
}

#[tokio::test]
async fn the_commands_of_the_monitor_s_document() {
    let folder = Folder::new();
    let _server = folder.started().await;
    enrol_alex(&folder).await;
    let document = document("monitor.md", &folder);
    let [follow, with_a_hook] = &blocks(&document)[..] else {
        panic!("the document has other blocks than this test knows")
    };
    // Neither the receiver of the hook nor curl need be there: both commands are ours and keep what they got.
    let settings = [("PATH", path(&folder))];
    script(&folder, "curl", "echo \"$@\" > asked\ncat > posted");
    script(&folder, "tell-alex", "cat > told");
    let text = |name: &str| fs::read_to_string(folder.path(name)).unwrap();

    runs_until_its_end(&folder, &settings, follow);
    begin_anew(&folder);
    runs_until_its_end(&folder, &settings, with_a_hook);
    assert_eq!(text("asked"), "-sf --data-binary @- https://hooks.example.com/countersign\n");
    assert!(text("posted").contains("\"event\":\"enrolment\""), "{}", text("posted"));

    runs_until_its_end(&folder, &settings, &exec_start(&document, &folder));
    assert!(text("told").contains("\"event\":\"enrolment\""), "{}", text("told"));

    begin_anew(&folder);
    let cron = document.lines().find_map(|line| line.strip_prefix("*/5 * * * * ")).unwrap();
    assert!(runs(&folder, &settings, cron).contains("entry 0: alex"), "a first look reports everything");
    assert_eq!(runs(&folder, &settings, cron), "", "a quiet log prints nothing");
    append(&folder, "something new").await;
    assert!(runs(&folder, &settings, cron).starts_with("checkpoint of size 2 is consistent, 1 new entries"));
}

/// As on another machine: the next look begins with the first entry.
fn begin_anew(folder: &Folder) {
    for file in ["alex.state", "alex.state.facts"] {
        fs::remove_file(folder.path(file)).unwrap();
    }
}

/// Runs a block whose last command follows the log, until it has seen all of it; a signal ends it.
fn runs_until_its_end(folder: &Folder, settings: &[(&str, String)], block: &str) {
    // In place of the shell, so that the signal reaches it.
    let block = block.replace("countersign monitor", "exec countersign monitor");
    let mut running = folder.start(&mut shell(folder, settings, &block));
    let printed = running.prints("checkpoint of size 1 is consistent");
    assert!(printed.contains("entry 0: alex"), "{printed}");
    assert_eq!(running.terminated().code, Some(0));
}

/// The command of the unit, with its files in this folder.
fn exec_start(document: &str, folder: &Folder) -> String {
    let command = document.split("ExecStart=").nth(1).unwrap().split("\nRestart=").next().unwrap();
    let here = |command: String, away: &str| {
        assert!(command.contains(away), "no {away} in {command}");
        command.replace(away, &format!("{}/", folder.path("").display()))
    };
    let command = command.replace("/usr/local/bin/countersign ", "countersign ");
    ["/etc/countersign/", "/var/lib/countersign-monitor/", "/usr/local/bin/"].into_iter().fold(command, here)
}

/// A document that speaks of this folder's server.
fn document(name: &str, folder: &Folder) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    fs::read_to_string(path).unwrap().replace(SERVER, &folder.url())
}

/// A script that can be run by its name in this folder.
pub(crate) fn script(folder: &Folder, name: &str, text: &str) {
    fs::write(folder.path(name), format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(folder.path(name), fs::Permissions::from_mode(0o755)).unwrap();
}

/// The scripts of the folder first, then the command of this build.
fn path(folder: &Folder) -> String {
    let built = Path::new(env!("CARGO_BIN_EXE_countersign")).parent().unwrap();
    format!("{}:{}:{}", folder.path("").display(), built.display(), std::env::var("PATH").unwrap())
}
