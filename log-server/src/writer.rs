//! The one writer: a thread that takes commands from a bounded queue, runs them in order, and commits many of them with one
//! synced write; and a thread behind it that publishes what was committed and answers.
//!
//! A batch with entries goes through eight steps, in this order; nobody hears of it before the last:
//!
//! ```text
//! sequence → integrate → commit  |  check → sign → anchor → publish → answer
//! ```
//!
//! The second half of one batch and the first of the next go on at the same time, because most of both is waiting for the
//! disk. Commands see what is committed, published or not, as they see what ran before them in their own batch; every answer
//! waits its turn behind those of earlier batches, a refusal too, so nobody is told what depends on what may not have been.
//!
//! A start that finds the store ahead of the anchor (a crash between commit and anchor) goes through the same code from
//! `check` on. Any error of the store or the anchor means "unknown": the writer stops for good, nobody is answered, and the
//! process must end; a restart looks at what is there.

mod batch;
mod publisher;
mod queue;
mod recent;
mod transaction;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};

use tokio::sync::{oneshot, watch};
use verifier::note::SignerKey;

use crate::anchor::{AnchorError, AnchorFolder};
use crate::clock::Timekeeper;
use crate::store::{Store, StoreError};
use crate::tree::{Edge, TreeHead};
use crate::waiters::Waiters;
use batch::Sequencer;
use publisher::{Publisher, signed};
use queue::{Finish, Job, Queue};
use recent::Recent;

pub(crate) use publisher::assertion_digest;
pub use queue::Priority;
pub use transaction::{Failed, NewEntry, Transaction};
pub(crate) use transaction::{record_from, record_to};

/// A lasting change. It checks its preconditions, writes records and appends entries, all in one batch or not at all.
pub trait Command: Send + 'static {
    /// What the caller is told once the change is published.
    type Answer: Send + 'static;

    /// Why the change is not made.
    type Refusal: Send + 'static;

    /// Whether the command may use the room that the queue keeps free for those that end things.
    const PRIORITY: Priority = Priority::Normal;

    /// About how many bytes the command holds, so that queue and batches are bounded in memory too.
    fn weight(&self) -> usize {
        4096
    }

    /// Runs inside the writer. What a refused command changed is dropped.
    fn run(self, tx: &mut Transaction<'_>) -> Result<Self::Answer, Failed<Self::Refusal>>;
}

/// What readers may see: the signed tree head and nothing beyond it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The tree head.
    pub head: TreeHead,
    /// The signed checkpoint.
    pub checkpoint: Arc<str>,
}

/// The moments of a batch. Tests stop the process in them; nothing else listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the eight steps of the module's page")]
pub enum Moment {
    Sequenced,
    Integrated,
    Committed,
    Checked,
    Signed,
    Anchored,
    Published,
    Answered,
}

/// Called at every [`Moment`] of a batch with entries.
pub type Observer = Box<dyn FnMut(Moment) + Send>;

/// Why a change was not made, or why nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError<R> {
    /// The command's own refusal.
    #[error("refused")]
    Refused(R),
    /// The queue is full.
    #[error("the queue to the writer is full")]
    Full,
    /// The writer stopped before it answered: the change may have been made or not.
    #[error("the server is stopping; whether the change was made is unknown")]
    Unknown,
}

/// Why the writer stopped for good.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// The store failed, or does not hold what was written to it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The anchor could not be replaced.
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    /// What was stored is not what was meant.
    #[error("refusing to sign: {0}")]
    Check(String),
}

/// Everything that the writer needs.
pub struct Parts {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The locked anchor folder, which holds an anchor.
    pub anchor: AnchorFolder,
    /// The log's key.
    pub key: SignerKey,
    /// The time.
    pub time: Arc<Timekeeper>,
    /// Whom to wake when something is published.
    pub waiters: Arc<Waiters>,
    /// Listens to the moments of a batch.
    pub observer: Observer,
}

/// How many committed batches may wait for their publication, beside the one that is being published.
const AHEAD: usize = 1;

/// A handle to the writer, for any number of callers.
#[derive(Clone)]
pub struct Writer {
    queue: Arc<Queue>,
    published: watch::Receiver<Published>,
    callers: Arc<AtomicUsize>,
}

impl Writer {
    /// Recovers what an earlier run committed and did not publish, publishes it, and starts the thread.
    ///
    /// The thread ends after [`Writer::close`], or with the error that stopped it.
    pub fn start(parts: Parts, head: TreeHead) -> Result<(Self, JoinHandle<Result<(), Fatal>>), Fatal> {
        let edge = Edge::load(&*parts.store, head.size)?;
        if edge.head() != head {
            return Err(Fatal::Check("the stored tiles do not have the root of the stored tree head".to_owned()));
        }
        let Some(anchored) = parts.anchor.anchor().map(|anchor| anchor.head) else {
            unreachable!("the start writes an anchor before the writer starts")
        };
        // What is anchored was checked and signed before; signing it again gives the same bytes.
        let (publish, published) = watch::channel(signed(&parts.key, anchored));
        let Parts { store, anchor, key, time, waiters, observer } = parts;
        let observers = Observers(Arc::new(Mutex::new(observer)));
        let mut publisher = Publisher {
            store: store.clone(),
            anchor,
            key,
            time: time.clone(),
            waiters,
            observers: observers.clone(),
            published: publish,
        };
        publisher.recover(head)?;
        let (committed, to_publish) = mpsc::sync_channel(AHEAD);
        let sequencer = Sequencer { store, time, observers, edge, recent: Recent::after(head.size), committed };
        let queue = Arc::new(Queue::default());
        let publisher = thread_of("publisher", &queue, move |_| publisher.work(&to_publish))?;
        let writer = thread_of("writer", &queue, move |queue| {
            let worked = sequencer.work(queue);
            // The sequencer is gone, so this ends with what was handed over. If both failed, the publisher was first.
            let Ok(published) = publisher.join() else { unreachable!("a panic there ends the process") };
            let result = published.and(worked);
            if let Err(error) = &result {
                tracing::error!(%error, "the writer stopped for good");
            }
            result
        })?;
        Ok((Self { queue, published, callers: Arc::default() }, writer))
    }

    /// Runs a command and answers once its effect is published.
    pub async fn submit<C: Command>(&self, command: C) -> Result<C::Answer, SubmitError<C::Refusal>> {
        let (sender, receiver) = oneshot::channel();
        let weight = command.weight();
        let run = move |tx: &mut Transaction<'_>| match command.run(tx) {
            Ok(answer) => Ok((true, answered(sender, Ok(answer)))),
            Err(Failed::Refused(refusal)) => Ok((false, answered(sender, Err(SubmitError::Refused(refusal))))),
            Err(Failed::Store(error)) => Err(error),
        };
        if !self.queue.push(Job { run: Box::new(run), weight }, C::PRIORITY) {
            return Err(SubmitError::Full);
        }
        let _waits = Waits::begin(&self.callers);
        receiver.await.unwrap_or(Err(SubmitError::Unknown))
    }

    /// What readers may see now.
    pub fn published(&self) -> Published {
        self.published.borrow().clone()
    }

    /// How many callers wait for an answer.
    pub fn waiting(&self) -> usize {
        self.callers.load(Ordering::Relaxed)
    }

    /// Lets the writer finish what is queued and end.
    pub fn close(&self) {
        self.queue.close();
    }
}

/// A caller who waits, until it has its answer or goes away.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn begin(callers: &'a AtomicUsize) -> Self {
        callers.fetch_add(1, Ordering::Relaxed);
        Self(callers)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn answered<T: Send + 'static>(sender: oneshot::Sender<T>, answer: T) -> Finish {
    // The caller may have gone; its change is made all the same.
    Box::new(move || _ = sender.send(answer))
}

/// Starts a thread of the writer. If it fails nothing more is taken from the queue, and the other thread ends too.
fn thread_of(
    name: &str,
    queue: &Arc<Queue>,
    work: impl FnOnce(&Queue) -> Result<(), Fatal> + Send + 'static,
) -> Result<JoinHandle<Result<(), Fatal>>, StoreError> {
    let queue = queue.clone();
    let run = move || {
        // A panic here is a broken invariant with locks held and callers waiting: the process must not go on.
        let bomb = AbortOnPanic;
        let result = work(&queue);
        std::mem::forget(bomb);
        if result.is_err() {
            queue.stop();
        }
        result
    };
    let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
    thread.map_err(|error| StoreError(format!("cannot start the thread {name}: {error}")))
}

/// The one observer, for both threads.
#[derive(Clone)]
struct Observers(Arc<Mutex<Observer>>);

impl Observers {
    fn reached(&self, moment: Moment) {
        let mut observer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (*observer)(moment);
    }
}

struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        std::process::abort();
    }
}
