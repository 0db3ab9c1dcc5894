//! The log of the server on standard error: for eyes on a terminal, one JSON object a line otherwise.
//!
//! Nobody may be reading the other end. A thread of its own writes, from a bounded queue, so that a full pipe stops neither
//! the writer nor a request; what finds no room is lost, and the count of it is the first line that finds room again.

use std::io::{self, IsTerminal as _, Write as _, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tracing_subscriber::EnvFilter;

use super::ServeError;

/// How many lines may wait.
const WAITING: usize = 1024;
/// How long an end waits for somebody to read the last of them.
const LAST_LINES: Duration = Duration::from_secs(1);

/// The started log. Dropped, it waits a little for the lines that are not written yet.
pub(super) struct Log(Queue);

/// The way to the thread that writes.
#[derive(Clone)]
struct Queue {
    to_thread: SyncSender<Order>,
    lost: Arc<AtomicU64>,
}

enum Order {
    Line(Vec<u8>),
    /// Everything before is written once this is dropped.
    Reached(#[allow(dead_code, reason = "dropping it is the message")] SyncSender<()>),
}

/// Starts logging.
pub(super) fn start() -> Result<Log, ServeError> {
    let filter = match std::env::var("COUNTERSIGN_LOG") {
        Ok(text) if !text.is_empty() => {
            EnvFilter::try_new(&text).map_err(|error| ServeError::LogFilter(error.to_string()))?
        }
        _ => EnvFilter::new("info"),
    };
    let queue = Queue::start().map_err(ServeError::Runtime)?;
    let lines = queue.clone();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || lines.clone());
    if stderr().is_terminal() {
        let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        builder.with_ansi(colour).init();
    } else {
        builder.json().flatten_event(true).init();
    }
    Ok(Log(queue))
}

impl Queue {
    fn start() -> io::Result<Self> {
        let (to_thread, orders) = sync_channel(WAITING);
        let queue = Self { to_thread, lost: Arc::default() };
        let lost = queue.lost.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || write_lines(&orders, &lost))?;
        Ok(queue)
    }
}

/// An event comes as one call, with all of its line.
impl io::Write for Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.to_thread.try_send(Order::Line(line.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_lines(orders: &Receiver<Order>, lost: &AtomicU64) {
    for order in orders {
        if let Order::Line(line) = order {
            // A closed standard error is no reason to stop a server.
            _ = stderr().write_all(&line);
        }
        let lines = lost.swap(0, Ordering::Relaxed);
        if lines > 0 {
            tracing::warn!(lines, "lines of this log were lost, because nobody read them in time");
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let deadline = Instant::now() + LAST_LINES;
        let (reached, written) = sync_channel(1);
        let mut order = Order::Reached(reached);
        while let Err(TrySendError::Full(back)) = self.0.to_thread.try_send(order) {
            if Instant::now() >= deadline {
                return;
            }
            order = back;
            thread::sleep(Duration::from_millis(5));
        }
        // An error either way: the thread has come to the end, or nobody reads.
        _ = written.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}
