//! A clock that is behind by a fixed time.

use std::future::Future;
use std::pin::Pin;

use log_server::clock::{Clock, SystemClock};
use verifier::time::Timestamp;

/// The machine's clock, so many seconds ago.
pub(crate) struct Behind {
    system: SystemClock,
    seconds: u64,
}

impl Behind {
    pub(crate) fn by(seconds: u64) -> Self {
        Self { system: SystemClock::start(), seconds }
    }
}

impl Clock for Behind {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.system.now().unix() - self.seconds)
    }

    fn wait_until(&self, time: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.system.wait_until(time.plus(self.seconds))
    }
}
