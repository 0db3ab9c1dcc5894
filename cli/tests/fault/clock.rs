//! The machine's clock set back and forward between starts and while the server runs, by libfaketime.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use verifier::entry::Entry;
use verifier::time::Timestamp;

use crate::log::{Log, Outcome};
use crate::people::People;
use crate::report::Row;
use crate::running::{Folder, Running};

/// What the clock is set to, one start after the other, and whether what was asked before is expired then.
const STARTS: [(&str, bool); 7] = [
    ("-1s", false),
    ("-1h", false),
    ("-10y", false),
    ("+0", false),
    ("+2h", true),
    // Behind the last batch from here on: the log's time stands still, or goes on from there.
    ("-1d", true),
    ("@2038-01-19 03:14:07", true),
];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs libfaketime: make fault"]
async fn the_clock_jumps_between_starts() {
    let mut row = Row::new("clock set back and forward, by starts");
    let folder = Folder::new();
    let server = start(&folder, "+0").await;
    let log = Log::new(folder).await;
    let people = People::enrol(&log).await;
    let early = people.ask("Asked before all jumps", 3600).await.unwrap();
    let signed = people.sign(&early).await;
    assert_eq!(server.terminated().code, Some(0));
    for (time, expired) in STARTS {
        let server = start(&log.folder, time).await;
        assert_eq!(people.status(&early).await, if expired { "expired" } else { "pending" }, "at {time}");
        assert_eq!(log.appender.append(format!("at {time}").into_bytes()).await, Outcome::Told);
        let id = people.ask(&format!("Deploy at {time}"), 300).await.unwrap();
        assert_eq!(people.approve(&id).await, Some(200), "at {time}");
        if expired {
            let late = people.decide(&early, &signed).await;
            assert_eq!(late, Some(409), "a decision that came too late was taken at {time}");
            row.refusals += 1;
        }
        row.runs += 1;
        row.checked(log.check().await);
        require_ordered_times(&log, row.runs).await;
        assert_eq!(server.terminated().code, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs libfaketime: make fault"]
async fn the_clock_jumps_under_a_running_server() {
    let mut row = Row::new("clock set back and forward, while running");
    let folder = Folder::new();
    set(&folder, "+0");
    let mut command = faked(&folder);
    command.env("FAKETIME_TIMESTAMP_FILE", folder.path("clock")).env("FAKETIME_NO_CACHE", "1");
    let mut server = folder.start(&mut command);
    server.ready(&folder.url()).await;
    let log = Log::new(folder).await;
    let people = People::enrol(&log).await;
    let early = people.ask("Asked before all jumps", 3600).await.unwrap();
    for (time, expired) in [("-1h", false), ("+0", false), ("+2h", true), ("-10y", true), ("+3h", true)] {
        set(&log.folder, time);
        // Back in time the server goes on at the pace of the monotonic clock, and a past it has told stays told.
        while expired && people.status(&early).await == "pending" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(people.status(&early).await, if expired { "expired" } else { "pending" }, "at {time}");
        let id = people.ask(&format!("Deploy at {time}"), 300).await.unwrap();
        assert_eq!(people.approve(&id).await, Some(200), "at {time}");
        assert_eq!(log.appender.append(format!("at {time}").into_bytes()).await, Outcome::Told);
        row.runs += 1;
        row.checked(log.check().await);
        require_ordered_times(&log, row.runs).await;
    }
    assert_eq!(server.terminated().code, Some(0));
}

/// The times of the decisions never go back along the log.
async fn require_ordered_times(log: &Log, decisions: usize) {
    let mut times = Vec::new();
    for bytes in log.entries(log.size().await).await {
        if let Ok(Entry::Decision(decision)) = Entry::parse(&bytes) {
            times.push(decision.decided_at);
        }
    }
    assert_eq!(times.len(), decisions);
    let shown = || times.iter().map(Timestamp::to_string).collect::<Vec<_>>();
    assert!(times.is_sorted(), "time went back: {:?}", shown());
}

async fn start(folder: &Folder, time: &str) -> Running {
    let mut server = folder.start(faked(folder).env("FAKETIME", time));
    server.ready(&folder.url()).await;
    server
}

/// `serve`, with a wall clock of its own; the monotonic clock stays as it is.
fn faked(folder: &Folder) -> Command {
    let mut command = folder.serve();
    command.env("LD_PRELOAD", library()).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

fn set(folder: &Folder, time: &str) {
    // In one step, so that nobody reads half a time.
    fs::write(folder.path("clock.new"), time).unwrap();
    fs::rename(folder.path("clock.new"), folder.path("clock")).unwrap();
}

/// libfaketime for programs with threads, where Debian and others put it.
fn library() -> PathBuf {
    let lib = fs::read_dir("/usr/lib").unwrap().map(|entry| entry.unwrap().path());
    let found = lib.chain(["/usr/lib".into(), "/usr/lib64".into(), "/usr/local/lib".into()]);
    let mut found = found.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    found.find(|path| path.exists()).expect("libfaketime is missing: scripts/setup.sh --fault installs it")
}
