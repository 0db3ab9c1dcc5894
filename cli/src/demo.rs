//! `countersign demo`: one approval, end to end, on a temporary server with a software authenticator.

mod agent;
mod alex;
mod audit;
mod authenticator;
mod evidence;
mod stage;
mod story;
mod voice;

use std::io;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::serve::{ServeError, shell_quoted};
use stage::Stage;
use voice::Voice;

/// Show one approval, end to end, on a temporary server. A demo: its passkey is software.
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Leave the server running until Ctrl-C.
    #[arg(long)]
    keep: bool,
}

/// Why the demo did not show what it says.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// The server did not start, or stopped.
    #[error("the demo's server: {0}")]
    Server(#[from] ServeError),
    /// The operating system refuses something.
    #[error("the demo cannot run: {0}")]
    Setup(#[from] io::Error),
    /// A step did not do what it says.
    #[error("the demo failed at step {step}: {reason}")]
    Step {
        /// The step's number and title.
        step: String,
        /// What happened instead.
        reason: String,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

pub(crate) fn run(args: &DemoArgs) -> Result<(), DemoError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(perform(args.keep))
}

/// Tells the story and cleans up, however it ends. Only the folder with the receipt stays, and only after a whole story.
async fn perform(keep: bool) -> Result<(), DemoError> {
    let mut voice = Voice::new();
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    };
    tokio::pin!(stop);
    let stage = Stage::open()?;
    let told = tokio::select! {
        told = story::tell(&stage, &mut voice) => told.map_err(|wrong| DemoError::Step {
            step: voice.step_name(),
            reason: wrong.0,
        }),
        () = &mut stop => Err(DemoError::Interrupted),
    };
    if keep && told.is_ok() {
        say_where(&stage, &mut voice)?;
        stop.await;
    }
    let closed = stage.close().await;
    told.and(closed.map_err(DemoError::from))
}

fn say_where(stage: &Stage, voice: &mut Voice) -> io::Result<()> {
    voice.line(
        "The demo's server keeps running until Ctrl-C; then its data is deleted. Still a demo, not for real use.",
    )?;
    voice.field("server", stage.url())?;
    voice.field("admin key", &shell_quoted(&stage.place().admin_key()))?;
    voice.field("data", &shell_quoted(stage.place().data_dir()))
}

/// A step did not do what it says, and what happened instead.
#[derive(Debug)]
struct Wrong(String);

impl<E: std::error::Error> From<E> for Wrong {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Fails with these words unless it holds.
fn require(holds: bool, otherwise: &str) -> Result<(), Wrong> {
    if holds { Ok(()) } else { Err(Wrong(otherwise.to_owned())) }
}
