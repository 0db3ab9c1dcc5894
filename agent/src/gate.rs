//! A command behind the door: a person approves one exact command line, in one folder, with the files that it is bound to;
//! then it runs, once (docs/gate.md).
//!
//! What is asked is in [`plan`], what is written down in [`status`], what people see in [`show`]. Here is the order of
//! things. Starting the command is the caller's part: only a [`Cleared`] may be started.

pub mod plan;
pub mod show;
pub mod status;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::sleep;

use crate::approval::{Asked, Remembered};
use crate::client::{Approved, Client, Pending, TakenBack, Used};
use crate::clock::{Clock, Moment, Seen};
use crate::outcome::{Code, Denied};

pub use plan::{Plan, PlanError};
pub use status::{Reason, StatusFile};

/// A person said no (EX_NOPERM of sysexits.h).
pub const EXIT_REJECTED: u8 = 77;
/// Nobody decided in time, as `timeout` says it.
pub const EXIT_TIMED_OUT: u8 = 124;
/// Anything else kept the command from running.
pub const EXIT_GATE: u8 = 125;
/// The command is there and cannot be run, as a shell says it.
pub const EXIT_NOT_EXECUTABLE: u8 = 126;
/// There is no such command, as a shell says it.
pub const EXIT_NOT_FOUND: u8 = 127;

/// Long enough for a signal that is there already to be noticed.
const A_MOMENT: Duration = Duration::from_millis(1);

/// A command line and how approval for it is asked.
#[derive(Debug, Clone)]
pub struct Gate {
    /// What runs.
    pub plan: Plan,
    /// What is asked, with the plan's payload.
    pub asked: Asked,
    /// The caller's own key, by which a gate that was killed finds its request again.
    pub idempotency_key: Option<String>,
    /// How long all of it may take, until the command starts; until the request expires if left out, and what its use takes.
    pub timeout: Option<Duration>,
}

/// The command may run now, once.
#[derive(Debug)]
pub struct Cleared {
    /// The proof, used up for this run.
    pub used: Used,
    /// The confirmation's id.
    pub id: String,
    last: Last,
}

/// The last moments for the start: the caller's, and the approval's.
#[derive(Debug)]
struct Last {
    clock: Clock,
    until: Option<Moment>,
    remembered: Remembered,
    answered: Seen,
}

/// Why the command does not run.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The door stays closed.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// What was approved is not what would run.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Nobody would know of the request.
    #[error("the status file cannot be written, so the command does not run and {request}: {error}")]
    Untold {
        /// Why.
        error: io::Error,
        /// What became of the request.
        request: TakenBack,
    },
}

/// Told to stop: by a signal, for a command.
pub type Stop<'a> = Pin<&'a mut (dyn Future<Output = ()> + 'a)>;

impl Gate {
    /// Asks, waits, verifies, looks again at what is bound, and uses the approval. `pending` is told of the request as soon
    /// as it is made, and its failure ends the gate and takes the request back: it says where the decision is made.
    pub async fn pass(
        &self,
        client: &Client,
        mut stop: Stop<'_>,
        pending: impl FnOnce(&Pending) -> io::Result<()>,
    ) -> Result<Cleared, Refusal> {
        let clock = client.clock();
        let until = self.timeout.map(|timeout| clock.moment() + timeout);
        let key = self.idempotency_key.as_deref();
        let asked = client.ask_unless(&self.asked, key, self.timeout, stop.as_mut()).await?;
        if let Err(error) = pending(&asked) {
            return Err(Refusal::Untold { error, request: asked.take_back().await });
        }
        let left = || until.map(|until| clock.left(until));
        let approved = asked.decision(left(), stop.as_mut()).await?;
        let (remembered, answered) = (asked.remembered().clone(), approved.answered());
        let (used, id) = self.take(approved, left(), &mut stop).await?;
        Ok(Cleared { used, id, last: Last { clock: clock.clone(), until, remembered, answered } })
    }

    /// Between the approval and the run: first what may be wrong without using the approval up, then the use.
    async fn take(
        &self,
        approved: Approved,
        left: Option<Duration>,
        stop: &mut Stop<'_>,
    ) -> Result<(Used, String), Refusal> {
        let id = approved.pending().id().to_owned();
        self.plan.check_again()?;
        let used = unless(stop, approved.consume(left)).await?;
        // The use took a while: what is bound may have changed meanwhile.
        self.plan.check_again()?;
        Ok((used, id))
    }
}

impl Cleared {
    /// Whether the command may still start, asked right before it does: what is done between the approval and the start,
    /// such as telling people, takes time too.
    pub async fn last_look(&self, mut stop: Stop<'_>) -> Result<(), Refusal> {
        let Last { clock, until, remembered, answered } = &self.last;
        unless(&mut stop, async {
            sleep(A_MOMENT).await;
            Ok(())
        })
        .await?;
        remembered.check_usable(clock.wall_since(*answered))?;
        if until.is_some_and(|until| clock.is_over(until)) {
            let detail = "the time that the caller gives is over; the approval was used, and the command does not run";
            return Err(Denied::new(Code::Unreachable, detail).into());
        }
        Ok(())
    }
}

/// Something that takes time, given up when the caller is told to stop.
async fn unless<T>(stop: &mut Stop<'_>, work: impl Future<Output = Result<T, Denied>>) -> Result<T, Refusal> {
    tokio::select! {
        biased;
        () = stop.as_mut() => Err(Denied::new(Code::Aborted, "told to stop; the command does not run").into()),
        done = work => Ok(done?),
    }
}

impl Refusal {
    /// The exit code of a gate that did not run its command.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Denied(denied) => match denied.code {
                Code::Rejected => EXIT_REJECTED,
                Code::Expired | Code::TimedOut => EXIT_TIMED_OUT,
                _ => EXIT_GATE,
            },
            Self::Plan(_) | Self::Untold { .. } => EXIT_GATE,
        }
    }

    /// The reason as the status file has it.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Denied(denied) => Reason::Denied(denied.code),
            Self::Plan(_) => Reason::Changed,
            Self::Untold { .. } => Reason::WrongCall,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_exit_code() {
        let exit = |code| Refusal::from(Denied::new(code, "")).exit_code();
        assert_eq!(exit(Code::Rejected), 77);
        assert_eq!((exit(Code::Expired), exit(Code::TimedOut)), (124, 124));
        for code in [
            Code::Cancelled,
            Code::Aborted,
            Code::Unreachable,
            Code::Refused,
            Code::Mismatch,
            Code::NotVerified,
            Code::RolledBack,
            Code::AlreadyConsumed,
            Code::TooLate,
        ] {
            assert_eq!(exit(code), 125, "{code}");
        }
    }
}
