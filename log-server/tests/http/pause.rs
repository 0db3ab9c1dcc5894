//! Stops the writer in a moment of a batch, until the test lets it go on. Channels on both sides: nobody sleeps.

use std::sync::{Arc, Mutex, mpsc};

use log_server::writer::{Moment, Observer};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::server::soon;

/// Where the writer is to stop next, if anywhere.
#[derive(Clone, Default)]
pub(crate) struct Pause(Arc<Mutex<Option<Armed>>>);

struct Armed {
    moment: Moment,
    reached: UnboundedSender<()>,
    release: mpsc::Receiver<()>,
}

/// The writer stops, or will. Dropped, it goes on.
pub(crate) struct Held {
    reached: UnboundedReceiver<()>,
    _release: mpsc::Sender<()>,
}

impl Pause {
    /// Stops the writer when it comes to this moment, once.
    pub(crate) fn at(&self, moment: Moment) -> Held {
        let (reached, wait) = unbounded_channel();
        let (go_on, release) = mpsc::channel();
        *self.0.lock().unwrap() = Some(Armed { moment, reached, release });
        Held { reached: wait, _release: go_on }
    }

    pub(crate) fn observer(&self) -> Observer {
        let armed = self.0.clone();
        Box::new(move |moment| {
            let taken = armed.lock().unwrap().take_if(|armed| armed.moment == moment);
            if let Some(Armed { reached, release, .. }) = taken {
                _ = reached.send(());
                // An error means that the other end is gone, which is how the writer is released.
                _ = release.recv();
            }
        })
    }
}

impl Held {
    /// Ends when the writer stands still.
    pub(crate) async fn reached(&mut self) {
        soon(self.reached.recv()).await.expect("the writer holds the other end until it is here");
    }
}
