//! The load generator: writers that append, readers that check what the log says against one checkpoint that only grows, and
//! among both requests that must be refused. Every answer is verified; a wrong one is a finding, and a finding is a failure.
//!
//! Of ten requests of a writer or a reader one is malformed, and of ten of a writer one more appends something again, which
//! must keep its place.
//!
//! Out of scope: TLS, and how a server behaves without load.

mod entries;
mod followed;
mod reader;
mod refusals;
mod report;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use verifier::note::VerifierKey;

use crate::connection::{Connection, ConnectionError, Reply, Server};
use entries::Entries;
use followed::Followed;
use report::Tally;

pub use report::{Kind, Report};

/// What to do, and to whom.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server.
    pub server: Server,
    /// API keys with the scope `append`; writers take turns with them.
    pub keys: Vec<String>,
    /// The log's key, pinned.
    pub log_key: VerifierKey,
    /// How many clients append.
    pub writers: usize,
    /// How many clients read.
    pub readers: usize,
    /// How many entries one request appends: one goes as raw bytes, more as a list.
    pub batch: usize,
    /// How long an entry is.
    pub size: usize,
    /// For how long.
    pub time: Duration,
    /// How many requests one writer makes at most. Readers go on until the writers have ended.
    pub requests: u64,
    /// How long each client waits between two requests.
    pub pause: Duration,
}

/// What all clients share.
struct Shared {
    options: Options,
    entries: Entries,
    followed: Followed,
    deadline: Instant,
    /// How many writers have not ended.
    writing: AtomicUsize,
}

/// Why a request brought nothing that counts.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// The server said something that is not true, or refused what it must take, or took what it must refuse.
    #[error("{0}")]
    Wrong(String),
    /// The server asked for patience (429, 503, 507), which it may.
    #[error("status {status}")]
    Busy { status: u16, seconds: u64 },
    /// No answer.
    #[error("{0}")]
    NoAnswer(#[from] ConnectionError),
}

/// Runs the load to its end. Fails only where it cannot begin; everything else is in the report.
pub async fn run(options: Options) -> Result<Report, String> {
    let mut connection = Connection::new(options.server.clone());
    let followed = Followed::begin(&options.log_key, &mut connection).await.map_err(|trouble| trouble.to_string())?;
    let entries = Entries::new(options.size).map_err(|error| error.to_string())?;
    let (writers, readers) = (options.writers, options.readers);
    let begun = Instant::now();
    let deadline = begun + options.time;
    let shared = Arc::new(Shared { options, entries, followed, deadline, writing: AtomicUsize::new(writers) });
    let mut tasks = JoinSet::new();
    for number in 0..writers {
        tasks.spawn(writer::write(shared.clone(), number as u64));
    }
    for number in 0..readers {
        tasks.spawn(reader::read(shared.clone(), number as u64));
    }
    let mut tally = Tally::default();
    for of_client in tasks.join_all().await {
        tally.add(of_client);
    }
    Ok(Report { tally, elapsed: begun.elapsed(), size: shared.followed.size().await })
}

impl Shared {
    /// Whether a writer that made so many requests makes another.
    fn writer_goes_on(&self, requests: u64) -> bool {
        requests < self.options.requests && Instant::now() < self.deadline
    }

    /// The time between two requests of a client.
    async fn pause(&self) {
        if !self.options.pause.is_zero() {
            tokio::time::sleep(self.options.pause).await;
        }
    }

    /// Whether a reader that made so many requests makes another.
    fn reader_goes_on(&self, requests: u64) -> bool {
        let writers_go_on = self.writing.load(Ordering::Relaxed) > 0;
        let alone = self.options.writers == 0 && requests < self.options.requests;
        (writers_go_on || alone) && Instant::now() < self.deadline
    }
}

impl Trouble {
    fn wrong(words: impl Into<String>) -> Self {
        Self::Wrong(words.into())
    }
}

/// An answer that must be 200, and JSON of one type.
fn json<T: serde::de::DeserializeOwned>(what: &str, reply: &Reply) -> Result<T, Trouble> {
    let body = ok(what, reply)?;
    serde_json::from_slice(body)
        .map_err(|error| Trouble::wrong(format!("{what}: the answer is not what it should be: {error}")))
}

/// The body of an answer that must be 200.
fn ok<'a>(what: &str, reply: &'a Reply) -> Result<&'a [u8], Trouble> {
    match reply.status.as_u16() {
        200 => Ok(&reply.body),
        status @ (429 | 503 | 507) => Err(Trouble::Busy { status, seconds: reply.retry_after.unwrap_or(1) }),
        status => Err(Trouble::wrong(format!("{what}: status {status}: {}", String::from_utf8_lossy(&reply.body)))),
    }
}

/// Waits as long as a busy server asked for, or a moment after a broken connection, but not beyond the end.
async fn patience(trouble: &Trouble, shared: &Shared) {
    let pause = match trouble {
        Trouble::Wrong(_) => return,
        Trouble::Busy { seconds, .. } => Duration::from_secs(*seconds),
        Trouble::NoAnswer(_) => Duration::from_millis(100),
    };
    let rest = shared.deadline.saturating_duration_since(Instant::now());
    tokio::time::sleep(pause.min(rest)).await;
}

/// A number that jumps about with n, always in the same way (the finaliser of `SplitMix64`).
fn scattered(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// One of so many, by a number.
fn chosen(n: u64, among: usize) -> usize {
    usize::try_from(scattered(n) % among.max(1) as u64).unwrap_or_default()
}
