//! The time of one client, by two clocks at once (docs/doors.md, "Clocks").
//!
//! The monotonic clock of a machine stands still while the machine sleeps, and its wall clock can be set back. So a time is over
//! as soon as one of the two says so: between two looks a [`Clock`] goes on by whichever went further, and never back.

use std::fmt;
use std::ops::Add;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use verifier::time::Timestamp;

/// A clock that is read by everything that one client does. Clones are the same clock.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    wall: Box<dyn Fn() -> SystemTime + Send + Sync>,
    last: Mutex<Look>,
}

/// The last look at both clocks, and how far they had come.
struct Look {
    monotonic: Instant,
    wall: SystemTime,
    gone: Duration,
}

/// A moment on one clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

/// When something was seen, in the world's time and on the clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    wall: Timestamp,
    at: Moment,
}

impl Clock {
    /// The machine's own.
    pub fn system() -> Self {
        Self::with_wall(SystemTime::now)
    }

    /// One whose wall clock is another one.
    pub fn with_wall(wall: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        let last = Look { monotonic: Instant::now(), wall: wall(), gone: Duration::ZERO };
        Self(Arc::new(Inner { wall: Box::new(wall), last: Mutex::new(last) }))
    }

    /// Now.
    pub fn moment(&self) -> Moment {
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (monotonic, wall) = (Instant::now(), (self.0.wall)());
        let awake = monotonic.saturating_duration_since(last.monotonic);
        let set = wall.duration_since(last.wall).unwrap_or_default();
        *last = Look { monotonic, wall, gone: last.gone.saturating_add(awake.max(set)) };
        Moment(last.gone)
    }

    /// How long it is until a moment; nothing if it is over.
    pub fn left(&self, until: Moment) -> Duration {
        until.since(self.moment())
    }

    /// Whether a moment has come.
    pub fn is_over(&self, until: Moment) -> bool {
        self.moment() >= until
    }

    /// The wall clock alone, which is what times of others are compared with.
    pub(crate) fn wall(&self) -> Timestamp {
        let since = (self.0.wall)().duration_since(SystemTime::UNIX_EPOCH);
        Timestamp::from_unix(since.map_or(0, |since| since.as_secs()))
    }

    /// Now, to be compared with later.
    pub(crate) fn see(&self) -> Seen {
        Seen { wall: self.wall(), at: self.moment() }
    }

    /// The wall clock, or what it would show had nobody set it back since something was seen.
    pub(crate) fn wall_since(&self, seen: Seen) -> Timestamp {
        self.wall().max(seen.wall.plus(self.moment().since(seen.at).as_secs()))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl Moment {
    /// How long after another moment this is; nothing if it was before.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// A wall clock that is set by hand; the other one goes on as always.
    fn clock() -> (Clock, Arc<AtomicU64>) {
        let hours = Arc::new(AtomicU64::new(100));
        let read = Arc::clone(&hours);
        let wall = move || SystemTime::UNIX_EPOCH + HOUR * u32::try_from(read.load(Ordering::Relaxed)).unwrap_or(0);
        (Clock::with_wall(wall), hours)
    }

    #[test]
    fn a_machine_that_slept_knows_how_late_it_is() {
        let (clock, hours) = clock();
        let until = clock.moment() + HOUR;
        assert!(!clock.is_over(until) && clock.left(until) > HOUR / 2);
        hours.store(101, Ordering::Relaxed);
        assert!(clock.is_over(until) && clock.left(until).is_zero());
    }

    #[test]
    fn a_clock_that_is_set_back_takes_nothing_back() {
        let (clock, hours) = clock();
        let (seen, until) = (clock.see(), clock.moment() + HOUR * 2);
        hours.store(101, Ordering::Relaxed);
        assert!(!clock.is_over(until));
        // Set back, and then the machine sleeps: the hour before counts still.
        hours.store(90, Ordering::Relaxed);
        assert!(!clock.is_over(until));
        assert_eq!(clock.wall_since(seen).unix(), 101 * 3600, "the time that was seen, and the hour since");
        hours.store(91, Ordering::Relaxed);
        assert!(clock.is_over(until));
        assert_eq!(clock.wall_since(seen).unix(), 102 * 3600);
        assert_eq!(clock.wall().unix(), 91 * 3600);
    }

    #[test]
    fn the_monotonic_clock_ends_it_where_the_other_stands_still() {
        let (clock, _) = clock();
        let before = clock.moment();
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(2) {
            std::hint::spin_loop();
        }
        assert!(clock.moment().since(before) >= Duration::from_millis(2));
    }
}
