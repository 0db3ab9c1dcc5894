//! Time as the server tells it: never backwards, and one answer for everybody while a batch is being written.
//!
//! Whether a confirmation has expired is a question to the clock, not to the store. So that no reader sees "expired" and
//! a moment later "approved", the writer and the readers ask the same [`Timekeeper`]: while batches are in flight the stamp of
//! the oldest is the time for all readers, and no later stamp is smaller than what any reader has seen.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::Notify;
use verifier::time::Timestamp;

/// Where time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Ends when [`Clock::now`] is at least this time.
    fn wait_until(&self, time: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// The machine's clock. Set back while the server runs, it goes on at the pace of the monotonic clock, so that nothing
/// lives longer for it.
#[derive(Debug)]
pub struct SystemClock {
    started: Timestamp,
    monotonic: Instant,
}

impl SystemClock {
    /// Starts the clock.
    pub fn start() -> Self {
        Self { started: wall_clock(), monotonic: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        wall_clock().max(self.started.plus(self.monotonic.elapsed().as_secs()))
    }

    fn wait_until(&self, time: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            while self.now() < time {
                // Short naps, because the clock may be set forward meanwhile.
                let left = time.unix().saturating_sub(self.now().unix()).clamp(1, 5);
                let nap = Duration::from_secs(left).min(Duration::from_millis(500 * left));
                tokio::time::sleep(nap).await;
            }
        })
    }
}

fn wall_clock() -> Timestamp {
    Timestamp::from_unix(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// A clock that tests set.
#[derive(Debug)]
pub struct ManualClock(tokio::sync::watch::Sender<Timestamp>);

impl ManualClock {
    /// A clock that stands at this time.
    pub fn at(time: Timestamp) -> Self {
        Self(tokio::sync::watch::Sender::new(time))
    }

    /// Lets this many seconds pass.
    pub fn advance(&self, seconds: u64) {
        self.0.send_modify(|time| *time = time.plus(seconds));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.borrow()
    }

    fn wait_until(&self, time: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut receiver = self.0.subscribe();
        Box::pin(async move {
            let reached = receiver.wait_for(|now| *now >= time).await;
            debug_assert!(reached.is_ok(), "the sender lives as long as self");
        })
    }
}

/// The one source of time for writer and readers.
pub struct Timekeeper {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    batch_ended: Notify,
}

struct State {
    /// The latest time that anybody was told.
    latest: Timestamp,
    /// The stamps of the batches that are being written, the oldest in front.
    in_flight: VecDeque<Timestamp>,
}

impl Timekeeper {
    /// Keeps time from a clock, never before `last`: the stamp of the last batch of an earlier run.
    pub fn new(clock: Arc<dyn Clock>, last: Timestamp) -> Self {
        Self {
            clock,
            state: Mutex::new(State { latest: last, in_flight: VecDeque::new() }),
            batch_ended: Notify::new(),
        }
    }

    /// The time for a reader.
    pub fn now(&self) -> Timestamp {
        let mut state = self.lock();
        match state.in_flight.front() {
            Some(stamp) => *stamp,
            None => state.advance(self.clock.now()),
        }
    }

    /// The stamp of a new batch, which is the time for every reader until the batches before it and it itself are through
    /// [`Timekeeper::end_batch`].
    pub fn begin_batch(&self) -> Timestamp {
        let mut state = self.lock();
        let stamp = state.advance(self.clock.now());
        state.in_flight.push_back(stamp);
        stamp
    }

    /// The oldest batch in flight is visible: time goes on.
    pub fn end_batch(&self) {
        self.lock().in_flight.pop_front();
        self.batch_ended.notify_waiters();
    }

    /// Ends when the time for readers has passed this time, the moment itself not included.
    pub async fn wait_past(&self, time: Timestamp) {
        self.clock.wait_until(time.plus(1)).await;
        // The clock may be ahead: while a batch is in flight, its stamp is the time for all.
        loop {
            let ended = self.batch_ended.notified();
            if self.now() > time {
                return;
            }
            ended.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn advance(&mut self, now: Timestamp) -> Timestamp {
        self.latest = self.latest.max(now);
        self.latest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_while_a_batch_is_in_flight_and_never_goes_back() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(100)));
        let keeper = Timekeeper::new(clock.clone(), Timestamp::from_unix(90));
        assert_eq!(keeper.begin_batch().unix(), 100);
        clock.advance(50);
        assert_eq!(keeper.now().unix(), 100);
        keeper.end_batch();
        assert_eq!(keeper.now().unix(), 150);
        let behind = Timekeeper::new(clock, Timestamp::from_unix(1_000));
        assert_eq!((behind.now().unix(), behind.begin_batch().unix()), (1_000, 1_000));
    }

    #[tokio::test]
    async fn waiting_ends_after_the_moment() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix(100)));
        let keeper = Arc::new(Timekeeper::new(clock.clone(), Timestamp::from_unix(0)));
        let waiter = tokio::spawn({
            let keeper = keeper.clone();
            async move { keeper.wait_past(Timestamp::from_unix(110)).await }
        });
        clock.advance(10);
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        keeper.begin_batch();
        clock.advance(1);
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished(), "the batch's stamp is the time for all");
        keeper.end_batch();
        assert!(waiter.await.is_ok());
    }
}
