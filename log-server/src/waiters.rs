//! Who waits for a confirmation to be decided: they are woken when something about it is published.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The waiters by confirmation id.
#[derive(Default)]
pub struct Waiters(Mutex<HashMap<String, Arc<Notify>>>);

/// One waiter. Make it, enable its notice, look at the record, then wait: nothing is missed in between.
pub struct Waiter {
    waiters: Arc<Waiters>,
    id: String,
    notify: Arc<Notify>,
}

impl Waiters {
    /// Registers interest in a confirmation.
    pub fn register(self: &Arc<Self>, id: &str) -> Waiter {
        let notify = self.lock().entry(id.to_owned()).or_default().clone();
        Waiter { waiters: self.clone(), id: id.to_owned(), notify }
    }

    /// Wakes everybody who waits for a confirmation.
    pub fn wake(&self, id: &str) {
        if let Some(notify) = self.lock().get(id) {
            notify.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter {
    /// The next notice.
    pub fn notified(&self) -> tokio::sync::futures::Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiters = self.waiters.lock();
        // The map's own and ours: the last waiter takes the place away, so the map is as large as what is waited for.
        if Arc::strong_count(&self.notify) <= 2 {
            waiters.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_notice_between_registering_and_waiting_is_not_missed() {
        let waiters = Arc::new(Waiters::default());
        let (first, second) = (waiters.register("a"), waiters.register("a"));
        {
            let notices = (first.notified(), second.notified());
            waiters.wake("b");
            waiters.wake("a");
            notices.0.await;
            notices.1.await;
        }
        drop((first, second));
        assert!(waiters.lock().is_empty());
    }
}
