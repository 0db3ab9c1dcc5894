//! Durable appends over HTTP, one entry in a request, beside a handler that reads the same body and does nothing. The
//! clients share the machine with what they measure, on both sides.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use benches::Running;
use benches::connection::{Call, Connection, Server};
use hdrhistogram::Histogram;
use hyper::body::Bytes;
use store_rocksdb::RocksStore;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::bounds::bare_handler;
use crate::table::{Aim, Table};
use crate::{Rounds, entry, median};

/// Who is called, and with which API key.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) key: Arc<str>,
}

/// What one round measured.
struct Round {
    per_second: f64,
    latencies: Histogram<u64>,
}

static NEXT: AtomicU64 = AtomicU64::new(0);

pub(crate) async fn measure(rounds: Rounds, table: &mut Table) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = RocksStore::open(&folder.path().join("db")).expect("a store");
    let running = Running::start(Arc::new(store), &folder.path().join("anchor")).expect("a log");
    let key: Arc<str> = running.append_key().await.expect("a key").into();
    let ours = Target { address: running.listen().await.expect("a port"), key: key.clone() };
    let bare = Target { address: bare_handler(an_answer(&ours).await).await, key };
    for clients in [1, 16, 256] {
        let (mut our_rounds, mut bare_rounds) = (Vec::new(), Vec::new());
        for _ in 0..rounds.count {
            our_rounds.push(round(&ours, clients, rounds.time).await);
            bare_rounds.push(round(&bare, clients, rounds.time).await);
        }
        let rate = |rounds: &[Round]| median(rounds.iter().map(|round| round.per_second));
        let at =
            |rounds: &[Round], quantile| median(rounds.iter().map(|r| r.latencies.value_at_quantile(quantile) as f64));
        let aim = if clients == 256 { Aim::AtLeast(0.6) } else { Aim::None };
        let what = format!("durable appends over HTTP, {clients} clients");
        table.rate(&what, rate(&our_rounds), "a handler that does nothing", rate(&bare_rounds), aim);
        for (name, quantile) in [("p50", 0.5), ("p99", 0.99)] {
            let aim = if clients == 1 && name == "p50" { Aim::Below(Duration::from_millis(2)) } else { Aim::None };
            let what = format!("  {name} of one append, {clients} clients");
            table.latency(&what, at(&our_rounds, quantile), at(&bare_rounds, quantile), aim);
        }
    }
    running.stop();
}

/// An answer of our server: the bare handler gives the same one, always.
async fn an_answer(ours: &Target) -> Bytes {
    let mut connection = Connection::new(server(ours.address));
    post(&mut connection, &ours.key).await
}

/// Each client appends one entry after the other.
async fn round(target: &Target, clients: u64, time: Duration) -> Round {
    let mut tasks = JoinSet::new();
    // Connecting is not measured: the clock starts when all clients have had an answer.
    let connected = Arc::new(Barrier::new(usize::try_from(clients).expect("a few clients")));
    for _ in 0..clients {
        let (target, connected) = (target.clone(), connected.clone());
        tasks.spawn(async move {
            let mut latencies = histogram();
            let mut connection = Connection::new(server(target.address));
            post(&mut connection, &target.key).await;
            connected.wait().await;
            let begun = Instant::now();
            while begun.elapsed() < time {
                let sent = Instant::now();
                post(&mut connection, &target.key).await;
                latencies.saturating_record(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            (latencies, begun.elapsed())
        });
    }
    let (mut latencies, mut longest) = (histogram(), Duration::ZERO);
    for (of_client, took) in tasks.join_all().await {
        latencies.add(of_client).expect("one kind of histogram");
        longest = longest.max(took);
    }
    Round { per_second: latencies.len() as f64 / longest.as_secs_f64(), latencies }
}

/// Three digits, from a microsecond to a minute.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("a histogram")
}

async fn post(connection: &mut Connection, key: &str) -> Bytes {
    let body = entry(NEXT.fetch_add(1, Ordering::Relaxed));
    let reply = connection.send(&Call::post("/log/entries", key, "application/octet-stream", body)).await;
    let reply = reply.expect("an answer");
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    reply.body
}

pub(crate) fn server(address: SocketAddr) -> Server {
    Server::parse(&format!("http://{address}")).expect("a server")
}
