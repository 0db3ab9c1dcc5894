//! The one writer: a thread that takes commands from a bounded queue, runs them in order, and commits many of them with one
//! synced write.
//!
//! A batch with entries goes through eight steps, in this order; nobody hears of it before the last:
//!
//! ```text
//! sequence → integrate → commit → check → sign → anchor → publish → answer
//! ```
//!
//! A start that finds the store ahead of the anchor (a crash between commit and anchor) goes through the same code from
//! `check` on. Any error of the store or the anchor means "unknown": the writer stops for good, nobody is answered, and the
//! process must end; a restart looks at what is there.

mod batch;
mod queue;
mod recent;
mod transaction;

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::{oneshot, watch};
use verifier::checkpoint::Checkpoint;
use verifier::note::SignerKey;

use crate::anchor::{Anchor, AnchorError, AnchorFolder};
use crate::clock::Timekeeper;
use crate::store::{Store, StoreError};
use crate::tree::{Edge, TreeHead};
use crate::waiters::Waiters;
use queue::{Finish, Job, Queue};
use recent::Recent;

pub(crate) use batch::assertion_digest;
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

/// A handle to the writer, for any number of callers.
#[derive(Clone)]
pub struct Writer {
    queue: Arc<Queue>,
    published: watch::Receiver<Published>,
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
        let queue = Arc::new(Queue::default());
        let mut state = State { parts, edge, recent: Recent::after(head.size), publish };
        state.recover()?;
        let handle = Self { queue: queue.clone(), published };
        let thread = thread::Builder::new().name("writer".to_owned()).spawn(move || state.work(&queue));
        let thread = thread.map_err(|error| StoreError(format!("cannot start the writer's thread: {error}")))?;
        Ok((handle, thread))
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
        receiver.await.unwrap_or(Err(SubmitError::Unknown))
    }

    /// What readers may see now.
    pub fn published(&self) -> Published {
        self.published.borrow().clone()
    }

    /// How many commands wait in the queue.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Lets the writer finish what is queued and end.
    pub fn close(&self) {
        self.queue.close();
    }
}

/// Signs a head. Nothing but a head that was checked, or one that is anchored, comes here.
fn signed(key: &SignerKey, head: TreeHead) -> Published {
    let log_origin = key.verifier_key().name().to_owned();
    let checkpoint = Checkpoint { log_origin, size: head.size, root: head.root }.sign(key);
    Published { head, checkpoint: checkpoint.into() }
}

fn answered<T: Send + 'static>(sender: oneshot::Sender<T>, answer: T) -> Finish {
    // The caller may have gone; its change is made all the same.
    Box::new(move || _ = sender.send(answer))
}

/// The writer's own state, on its own thread.
struct State {
    parts: Parts,
    edge: Edge,
    recent: Recent,
    publish: watch::Sender<Published>,
}

impl State {
    fn work(mut self, queue: &Queue) -> Result<(), Fatal> {
        // A panic here is a broken invariant with locks held and callers waiting: the process must not go on.
        let bomb = AbortOnPanic;
        let result = self.serve(queue);
        std::mem::forget(bomb);
        queue.close();
        queue.clear();
        if let Err(error) = &result {
            tracing::error!(%error, "the writer stopped for good");
        }
        result
    }

    fn serve(&mut self, queue: &Queue) -> Result<(), Fatal> {
        while let Some(jobs) = queue.take() {
            self.batch(jobs)?;
        }
        Ok(())
    }

    /// The store is ahead of the anchor after a crash between commit and anchor: check, sign, anchor, publish.
    fn recover(&mut self) -> Result<(), Fatal> {
        let head = self.edge.head();
        let anchored = self.publish.borrow().head;
        if anchored == head {
            return Ok(());
        }
        tracing::info!(from = %anchored.size, to = %head.size, "publishing what was committed before the last stop");
        let entries = batch::expected_from_store(&*self.parts.store, anchored.size, head.size)?;
        self.publish(head, &entries)
    }

    fn anchor_of(&self, head: TreeHead) -> Anchor {
        let key = self.parts.key.verifier_key();
        Anchor { log_origin: key.name().to_owned(), key_id: key.id(), head }
    }
}

struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        std::process::abort();
    }
}
