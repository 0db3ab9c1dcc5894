//! Faults around the process: signals under load, too few open files, a standard error that nobody reads.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Command;

use rustix::process::Signal;
use tokio::net::TcpStream;

use crate::log::{Log, Outcome};
use crate::people::People;
use crate::report::Row;
use crate::running::Folder;

/// How often a signal comes.
const ROUNDS: u32 = 3;
const CALLERS: u32 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_under_load() {
    let mut row = Row::new("SIGTERM under load");
    let (log, mut server) = Log::started().await;
    for round in 0..ROUNDS {
        let mut load = log.load(&format!("round {round}"), CALLERS);
        log.until(log.size().await + 50).await;
        let ended = server.terminated();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        while let Some(told) = load.join_next().await {
            told.unwrap();
        }
        server = log.folder.started().await;
        row.runs += 1;
    }
    row.checked(log.check().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigstop_and_sigcont_under_load() {
    let mut row = Row::new("SIGSTOP and SIGCONT under load");
    let (log, server) = Log::started().await;
    let mut load = log.load("paused", CALLERS);
    for _ in 0..ROUNDS {
        log.until(log.size().await + 50).await;
        server.signal(Signal::STOP);
        wait_for_state(server.id(), 'T');
        server.signal(Signal::CONT);
        log.until(log.size().await + 50).await;
        row.runs += 1;
    }
    assert_eq!(server.terminated().code, Some(0));
    while let Some(told) = load.join_next().await {
        told.unwrap();
    }
    let _server = log.folder.started().await;
    row.checked(log.check().await);
}

/// The server keeps files for its store: it serves again when the callers that took the others are gone.
#[tokio::test(flavor = "multi_thread")]
async fn no_open_files_are_left() {
    let mut row = Row::new("EMFILE: callers take all open files");
    let folder = Folder::new();
    let mut server = folder.start(&mut with_open_files(&folder, 320));
    server.ready(&folder.url()).await;
    let log = Log::new(folder).await;
    let mut load = log.load("few files", 4);
    log.until(log.size().await + 20).await;
    for _ in 0..ROUNDS {
        let mut idle = Vec::new();
        for _ in 0..400 {
            idle.push(TcpStream::connect(("127.0.0.1", log.folder.port)).await.unwrap());
        }
        // The load has its connections, and the writer its files.
        let entry = format!("beside {} idle callers, round {}", idle.len(), row.runs);
        drop(idle);
        assert_eq!(log.appender.append(entry.into_bytes()).await, Outcome::Told);
        row.runs += 1;
    }
    assert_eq!(server.terminated().code, Some(0));
    while let Some(told) = load.join_next().await {
        told.unwrap();
    }
    let _server = log.folder.started().await;
    row.checked(log.check().await);
}

/// Everything that the server says goes into a pipe that is full and that nobody reads. It works on, and ends when it is
/// told to.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_standard_error() {
    let mut row = Row::new("standard error blocked");
    let folder = Folder::new();
    // As a socket, because its two ends are made without unsafe code. It takes some 50 KiB and then blocks.
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut command = folder.serve();
    command.env("COUNTERSIGN_LOG", "trace");
    let mut server = folder.start_with_stderr(&mut command, OwnedFd::from(theirs).into());
    drop(command);
    server.ready(&folder.url()).await;
    let log = Log::new(folder).await;
    let people = People::enrol(&log).await;
    let id = people.ask("Deploy", 300).await.unwrap();
    let mut load = log.load("unheard", CALLERS);
    log.until(500).await;
    assert_eq!(people.approve(&id).await, Some(200));
    row.runs += 1;
    server.signal(Signal::TERM);
    while let Some(told) = load.join_next().await {
        told.unwrap();
    }
    // Still nobody has read a byte.
    assert_eq!(server.ended().code, Some(0));
    ours.set_nonblocking(true).unwrap();
    let mut said = String::new();
    // The other end is closed, so that this ends.
    (&ours).read_to_string(&mut said).unwrap();
    assert!(said.len() > 10_000, "the server said nothing: {said}");
    assert!(!said.contains("a second signal stops at once"), "the last line found room: the socket was not full");
    let _server = log.folder.started().await;
    row.checked(log.check().await);
}

/// `serve`, in a shell that sets both limits, so that the server cannot raise its own.
fn with_open_files(folder: &Folder, files: u32) -> Command {
    let serve = folder.serve();
    let mut shell = Command::new("sh");
    shell.current_dir(serve.get_current_dir().unwrap());
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.arg("-c").arg(format!("ulimit -n {files}; exec \"$0\" \"$@\"")).arg(serve.get_program());
    shell.args(serve.get_args());
    shell
}

fn wait_for_state(process: u32, state: char) {
    let mut stat = String::new();
    while !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(state)) {
        stat.clear();
        File::open(format!("/proc/{process}/stat")).unwrap().read_to_string(&mut stat).unwrap();
        std::thread::yield_now();
    }
    assert!(fs::exists(format!("/proc/{process}")).unwrap());
}
