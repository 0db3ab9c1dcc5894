//! The end of a monitor: the first SIGTERM or SIGINT lets it finish what it is at, and some seconds later it is over.

use std::io;
use std::process::exit;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use crate::last_words;

/// How long a stretch, a slow log or a slow command may go on after the signal. Whatever is cut off is done again by the
/// next run, because the state file is replaced whole.
const GRACE: Duration = Duration::from_secs(10);

/// Whether the process is to end.
#[derive(Clone)]
pub(super) struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Starts to watch for signals. A process that looks once has not done its work when it is cut off.
    pub(super) fn watch(once: bool) -> io::Result<Self> {
        let stop = Self(Arc::new((Mutex::new(false), Condvar::new())));
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (mut terminate, mut interrupt) = {
            let _inside = runtime.enter();
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
        };
        let seen = stop.clone();
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                seen.want();
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                    () = tokio::time::sleep(GRACE) => {}
                }
            });
            last_words::say("ended in the middle of something; the next run does it again".to_owned());
            exit(i32::from(once));
        });
        Ok(stop)
    }

    /// Whether a signal came.
    pub(super) fn is_wanted(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, or until a signal comes; says whether one came.
    pub(super) fn wait(&self, time: Duration) -> bool {
        let (wanted, changed) = &*self.0;
        let wanted = wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(wanted, time, |wanted| !*wanted);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn want(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }
}
