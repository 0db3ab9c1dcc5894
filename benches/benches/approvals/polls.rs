//! Programs that wait, ten thousand of them, a tenth for each of ten confirmations: what that holds in the server's memory,
//! and how long it takes to tell them all.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::{Confirmation, Created, Status};
use benches::connection::Connection;
use hyper::body::Bytes;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};

use crate::client::{self, Person};
use crate::decision::{approve, ask};
use crate::evidence::{Evidence, Receipts};
use crate::process::Process;
use crate::server::Server;
use crate::table::{Aim, Table};

/// How many clients connect at a time: less than a listener's queue holds.
const CONNECTING: usize = 100;
/// Files that a process has open beside its connections.
const OTHER_FILES: usize = 500;

/// A confirmation that many wait for.
struct Awaited {
    person: Person,
    created: Created,
    polls: Vec<JoinHandle<Result<(Instant, Bytes), String>>>,
}

pub(crate) async fn measure(server: &Server, polls: usize, table: &mut Table, evidence: &mut Evidence) {
    let (allowed, wanted) = (server.process.open_files(), polls + OTHER_FILES);
    assert!(allowed >= wanted, "{allowed} open files are allowed, {wanted} are needed: ulimit -n {wanted}");
    let before = server.process.resident_mib();
    let connecting = Arc::new(Semaphore::new(CONNECTING));
    let mut all = Vec::new();
    for (number, key) in server.keys.iter().enumerate() {
        let person = Person::enrol(server, format!("awaited-{number}")).await.expect("an enrolment");
        let mut connection = Connection::new(server.place.clone());
        let created = ask(&mut connection, key, &person.name, number as u64).await.expect("a confirmation");
        let path: Arc<str> = format!("/api/confirmations/{}?wait=60", created.id).into();
        let poll = |_| tokio::spawn(poll(server.place.clone(), key.clone(), path.clone(), connecting.clone()));
        all.push(Awaited { person, created, polls: (0..polls / server.keys.len()).map(poll).collect() });
    }
    until_all_wait(server, &all).await;
    let what = format!("memory of the server with {polls} long-polls");
    table.add("memory of the server at its start", before, "MiB", Aim::None);
    table.add(&what, server.process.resident_mib(), "MiB", Aim::Below(300.0));

    let own = Process::own();
    let used = (server.process.processor_time(), own.processor_time());
    let begun = Instant::now();
    let told = wake(server, all).await;
    let (used, by_us) =
        (server.process.processor_time().saturating_sub(used.0), own.processor_time().saturating_sub(used.1));
    let last = told.iter().flat_map(|(_, answers)| answers).filter_map(|answer| answer.as_ref().ok()).map(|one| one.0);
    let last = last.max().map_or(f64::NAN, |last| (last - begun).as_secs_f64());
    table.add("  ten decisions sent, and all are told after", last, "s", Aim::Below(2.0));
    table.add("  processor time of the server for all", used.as_secs_f64(), "s", Aim::None);
    table.add("  processor time of the load generator for all", by_us.as_secs_f64(), "s", Aim::None);
    for (created, answers) in told {
        let mut receipts = Receipts { core: created.core, receipts: Vec::new() };
        for answer in answers {
            match answer.and_then(|(_, body)| receipt(&body)) {
                Ok(receipt) => receipts.receipts.push(receipt),
                Err(words) => evidence.fail(words),
            }
        }
        evidence.add(&server.trust, receipts);
    }
}

/// Decides all of them at once, and collects what everybody is told.
async fn wake(server: &Server, all: Vec<Awaited>) -> Vec<(Created, Vec<Result<(Instant, Bytes), String>>)> {
    let mut tasks = JoinSet::new();
    for Awaited { person, created, polls } in all {
        let mut connection = Connection::new(server.place.clone());
        tasks.spawn(async move {
            approve(&mut connection, &person, &created.id).await.expect("a decision");
            let mut answers = Vec::new();
            for poll in polls {
                answers.push(poll.await.expect("a task"));
            }
            (created, answers)
        });
    }
    tasks.join_all().await
}

/// Waits until it is told, and says when that was.
async fn poll(
    place: benches::connection::Server,
    key: Arc<str>,
    path: Arc<str>,
    connecting: Arc<Semaphore>,
) -> Result<(Instant, Bytes), String> {
    let mut connection = Connection::new(place);
    let turn = connecting.acquire().await.map_err(|error| error.to_string())?;
    connection.open_now().await.map_err(|error| error.to_string())?;
    drop(turn);
    let body = client::get(&mut connection, &path, &key).await?;
    Ok((Instant::now(), body))
}

/// Until all connections are there, and then until the server has had nothing to do for half a second: all requests have
/// come to where they wait.
async fn until_all_wait(server: &Server, all: &[Awaited]) {
    let polls: usize = all.iter().map(|one| one.polls.len()).sum();
    let (mut used, mut quiet) = (server.process.processor_time(), 0);
    while quiet < 2 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let ended = all.iter().flat_map(|one| &one.polls).any(JoinHandle::is_finished);
        assert!(!ended, "a long-poll ended before all were open: with --polls fewer can be asked for");
        let now = server.process.processor_time();
        let idle = server.process.files() >= polls && now.saturating_sub(used) < Duration::from_millis(10);
        quiet = if idle { quiet + 1 } else { 0 };
        used = now;
    }
}

fn receipt(body: &[u8]) -> Result<String, String> {
    let confirmation: Confirmation = client::parsed("a long-poll", body)?;
    match (confirmation.status, confirmation.receipt) {
        (Status::Approved, Some(receipt)) => Ok(receipt),
        (status, _) => Err(format!("a long-poll ended with the status {}", status.as_str())),
    }
}
