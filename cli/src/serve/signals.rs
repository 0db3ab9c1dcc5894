//! SIGTERM and SIGINT: the first one ends the server gracefully, the second one at once.

use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::last_words;

/// The signals since the start.
pub(super) struct Signals(watch::Receiver<bool>);

impl Signals {
    /// Starts to watch. Must be called within a runtime.
    pub(super) fn watch() -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (seen, receiver) = watch::channel(false);
        tokio::spawn(async move {
            for count in 1.. {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                if count > 1 {
                    let words = "error: stopped at once by a second signal; the next start looks what was written";
                    last_words::say(words.to_owned());
                    std::process::exit(1);
                }
                tracing::info!("stopping; a second signal stops at once");
                seen.send_replace(true);
            }
        });
        Ok(Self(receiver))
    }

    /// Ends at the first signal.
    pub(super) fn first(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut seen = self.0.clone();
        async move {
            if seen.wait_for(|seen| *seen).await.is_err() {
                // The watcher is gone with its runtime: there is nobody left to stop.
                std::future::pending::<()>().await;
            }
        }
    }
}
