//! The long test of single system calls, which `make fault` runs: strace kills the server in each one, or lets it fail.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::child::{NOT_STARTED, STOPPED};
use crate::journal::{self, Event};
use crate::parent::{AS_CHILD, Work, finish, orders, was_killed};
use crate::report::Row;
use crate::server::Place;
use crate::trial::{Trial, setting};

const LOOK: Work = Work::Append { callers: 0, appends: 0 };
const SHORT: Work = Work::Append { callers: 2, appends: 2 };

/// The system calls of the write path, each with the words of its row. The journal is written with another one (writev), so that a fault in these is a
/// fault of the server. A question mark allows that a machine does not have the call.
const CALLS: [(&str, &str); 6] = [
    ("openat", "openat"),
    ("write,pwrite64", "write"),
    ("fdatasync", "fdatasync"),
    ("fsync", "fsync"),
    ("?rename,renameat,?renameat2", "rename"),
    ("ftruncate,fallocate", "ftruncate"),
];

/// What may become of one.
const FAULTS: [(&str, &str); 3] = [("signal=KILL", "SIGKILL"), ("error=EIO", "EIO"), ("error=ENOSPC", "ENOSPC")];

/// What became of the server.
#[derive(Debug, Default)]
struct Outcomes {
    killed: u32,
    not_started: u32,
    stopped: u32,
    /// The call was not one that promises anything, such as those for RocksDB's own notes.
    went_on: u32,
    /// The program failed before there was a server, in its loader or in the test frame.
    elsewhere: u32,
}

/// A fault in each single call, counted in each thread, from the start to the end of a little work; then a restart, which
/// finds every answer true.
#[test]
#[ignore = "long: make fault"]
fn a_fault_in_every_single_system_call_of_the_write_path() {
    require_strace();
    println!(
        "\n {:<28} {:<12} {:>6} {:>11} {:>7} {:>7} {:>9}",
        "call", "fault", "killed", "not started", "stopped", "went on", "elsewhere"
    );
    for (call, call_words) in CALLS {
        for (fault, fault_words) in FAULTS {
            let mut row = Row::new(format!("{fault_words} in each {call_words}"));
            let outcomes = inject_everywhere(call, fault, &mut row);
            let Outcomes { killed, not_started, stopped, went_on, elsewhere } = outcomes;
            println!(" {call:<28} {fault:<12} {killed:>6} {not_started:>11} {stopped:>7} {went_on:>7} {elsewhere:>9}");
        }
    }
}

fn inject_everywhere(call: &str, fault: &str, row: &mut Row) -> Outcomes {
    let mut outcomes = Outcomes::default();
    let every = setting("COUNTERSIGN_FAULT_EVERY", 1) as usize;
    for n in (1..).step_by(every) {
        let trial = Trial::new(row);
        let place = &trial.place;
        finish(place, SHORT);
        let before = journal::read(&place.folder).len();
        let Some(status) = inject(place, call, fault, n) else { break };
        let told = &journal::read(&place.folder)[before..];
        match status.code() {
            None => outcomes.killed += u32::from(was_killed(status)),
            Some(NOT_STARTED) => outcomes.not_started += 1,
            Some(STOPPED) => outcomes.stopped += 1,
            Some(0) => outcomes.went_on += 1,
            Some(_) => outcomes.elsewhere += 1,
        }
        trial.row.runs += 1;
        trial.row.refusals += usize::from(matches!(status.code(), Some(NOT_STARTED | STOPPED)));
        check_end(call, fault, told, status);
        finish(place, LOOK);
        finish(place, SHORT);
    }
    outcomes
}

/// A sync that failed while the server worked stops it, because nobody knows what is on the disk.
fn check_end(call: &str, fault: &str, told: &[Event], status: ExitStatus) {
    let worked = told.contains(&Event::Ready);
    if worked && fault.starts_with("error") && call.contains("sync") {
        assert_eq!(status.code(), Some(STOPPED), "the server went on after a failed {call}: {told:?}");
        assert!(matches!(told.last(), Some(Event::Fatal(_))), "somebody was answered after a failed {call}: {told:?}");
    }
}

/// Runs a child with a fault in the n-th call; none if there is no n-th call.
fn inject(place: &Place, call: &str, fault: &str, n: usize) -> Option<ExitStatus> {
    let trace = place.folder.join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(&trace);
    strace.args(["-e", &format!("trace={call}"), "-e", &format!("inject={call}:{fault}:when={n}")]);
    strace.arg(env::current_exe().unwrap()).args(AS_CHILD);
    strace.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    orders(&mut strace, place, SHORT, None);
    let status = strace.status().unwrap();
    (was_killed(status) || is_injected(&trace)).then_some(status)
}

fn is_injected(trace: &Path) -> bool {
    fs::read_to_string(trace).unwrap().contains("(INJECTED)")
}

pub(crate) fn require_strace() {
    let found = Command::new("strace").arg("--version").output();
    let found = found.is_ok_and(|output| output.status.success());
    assert!(found, "strace is missing: scripts/setup.sh --fault installs it");
}
