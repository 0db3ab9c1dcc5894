//! A disk that takes for ever: strace holds the writer in its next sync, for as long as the test wants.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use tokio::task::JoinSet;

use crate::log::{Log, Outcome};
use crate::people::People;
use crate::report::Row;
use crate::running::Running;

/// More commands than the queue to the writer takes, in requests at a time.
const FLOOD: u32 = 4_200;

/// The number of the system call, as the kernel shows it.
const FDATASYNC: u32 = if cfg!(target_arch = "x86_64") { 75 } else { 83 };

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs strace: make fault"]
async fn reads_do_not_wait_for_a_writer_that_waits_for_the_disk() {
    let mut row = Row::new("slow disk: writer held in fdatasync");
    let (log, server) = Log::started().await;
    let people = People::enrol(&log).await;
    let id = people.ask("Deploy", 3600).await.unwrap();
    assert_eq!(log.appender.append(b"first".to_vec()).await, Outcome::Told);
    let size = log.size().await;
    for round in 0..5 {
        let held = Held::new(&server);
        let appender = log.appender.clone();
        let append = tokio::spawn(async move { appender.append(format!("slow {round}").into_bytes()).await });
        held.until_held(&server).await;
        let reads = ["/healthz", "/readyz", "/log/checkpoint", "/log/tree-head", "/log/entries/0", "/trust.json"];
        for path in reads.into_iter().chain(["/log/proof/inclusion?index=0", "/log/entries?start=0&end=2"]) {
            log.get(path).await;
        }
        assert_eq!(people.status(&id).await, "pending");
        assert_eq!(log.size().await, size + round, "published before it was on the disk");
        assert!(held.holds(&server) && !append.is_finished(), "the reads may have waited for the writer");
        held.let_go();
        assert_eq!(append.await.unwrap(), Outcome::Told);
        row.runs += 1;
    }
    row.checked(log.check().await);
    assert_eq!(server.terminated().code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs strace: make fault"]
async fn a_full_queue_refuses_what_is_new_and_takes_a_decision() {
    let mut row = Row::new("slow disk: the queue is full");
    // Each request is a connection, of this process too.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let (log, server) = Log::started().await;
    let people = People::enrol(&log).await;
    let id = people.ask("Deploy", 3600).await.unwrap();
    let held = Held::new(&server);
    let mut flood = JoinSet::new();
    for n in 0..FLOOD {
        let appender = log.appender.clone();
        flood.spawn(async move { appender.append(format!("flood {n}").into_bytes()).await });
    }
    held.until_held(&server).await;
    // Only refusals come back while the writer is held.
    assert_eq!(flood.join_next().await.unwrap().unwrap(), Outcome::Refused(503, true));
    let people = std::sync::Arc::new(people);
    let decision = tokio::spawn({
        let (people, id) = (people.clone(), id.clone());
        async move { people.approve(&id).await }
    });
    assert_eq!(people.status(&id).await, "pending");
    log.get("/healthz").await;
    assert!(held.holds(&server), "the writer was let go too early");
    held.let_go();
    assert_eq!(decision.await.unwrap(), Some(200), "a flood kept a decision out");
    let mut told = 0;
    row.refusals += 1;
    while let Some(outcome) = flood.join_next().await {
        match outcome.unwrap() {
            Outcome::Told => told += 1,
            Outcome::Refused(503, true) => row.refusals += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(told >= 3_000, "only {told} of {FLOOD} were taken");
    row.runs += 1;
    row.checked(log.check().await);
    assert_eq!(server.terminated().code, Some(0));
}

/// strace, attached to a server. Its next sync is held for an hour, or until this is let go.
struct Held(Child);

impl Held {
    fn new(server: &Running) -> Self {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync"]);
        strace.args(["-e", "inject=fdatasync:delay_enter=3600s", "-p", &server.id().to_string()]);
        strace.stdin(Stdio::null()).stdout(Stdio::null());
        let strace = strace.spawn().expect("strace is missing: scripts/setup.sh --fault installs it");
        let held = Self(strace);
        while statuses(server).iter().any(|status| status.contains("TracerPid:\t0\n")) {
            std::thread::sleep(Duration::from_millis(5));
        }
        held
    }

    async fn until_held(&self, server: &Running) {
        while !self.holds(server) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Whether the writer stands in front of its sync: strace has stopped it.
    fn holds(&self, server: &Running) -> bool {
        assert!(self.0.id() > 0);
        let tasks = fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
        let mut tasks = tasks.map(|task| task.unwrap().path());
        let writer = tasks.find(|task| fs::read_to_string(task.join("comm")).is_ok_and(|name| name == "writer\n"));
        let call = fs::read_to_string(writer.expect("a thread is called writer").join("syscall")).unwrap();
        call.starts_with(&format!("{FDATASYNC} "))
    }

    /// strace ends and lets all threads go on.
    fn let_go(mut self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Gone already, unless the test fails.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// The status of each thread.
fn statuses(server: &Running) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
    tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap_or_default()).collect()
}
