//! One held call: asks, waits, verifies, consumes, in one fixed time. A host gives a call up after a time of its own, often
//! without a word, so a call that was held longer must never run.
//!
//! ```text
//! 0                                  9/10                 timeout
//! ├─ ask, then the person has time ────┼─ verify, consume ──┤  after this nothing runs
//!                                      └─ or cancel, and deny ──>
//! ```
//!
//! Each call makes a request of its own, and none finds one of another call: an approval is for one run of one call, and a
//! call that timed out has cancelled its request before the host can call again.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, interval_at};
use verifier::json::{Object, Value};

use crate::approval::Asked;
use crate::client::{Client, Pending, Used};
use crate::outcome::{Code, Denied};

/// How often a host hears that its call still waits.
const TELL_EVERY: Duration = Duration::from_secs(15);

/// How much later a denial may be: the last question may be on its way, and then the request is cancelled.
const LATE: Duration = Duration::from_secs(10);

/// A payload that was approved, and whose approval is used up for this one call.
#[derive(Debug)]
pub(crate) struct Cleared {
    payload: Object,
}

/// Tells a call to stop: when it is told, and when whoever could tell it is gone.
pub(crate) type Stop = watch::Receiver<bool>;

/// Holds a call. `tell` hears where the person decides, and then from time to time that it still waits.
pub(crate) async fn hold(
    client: Client,
    asked: Asked,
    timeout: Duration,
    stop: Stop,
    tell: impl Fn(String),
) -> Result<Cleared, Denied> {
    let clock = client.clock().clone();
    let began = clock.moment();
    let (person_until, ends) = (began + timeout * 9 / 10, began + timeout);
    let asking = client.ask(&asked, None, Some(timeout * 9 / 10));
    let pending = tokio::select! {
        biased;
        () = stopped(stop.clone()) => return Err(Denied::new(Code::Aborted, "the call was given up")),
        asked = tokio::time::timeout(clock.left(ends), asking) => asked.unwrap_or_else(|_| Err(unreachable("it was not asked")))?,
    };
    let left = clock.left(person_until);
    let deciding = telling(&pending, tell, pending.decision(Some(left), stopped(stop)));
    let late = |_| Err(Denied::new(Code::TimedOut, "the server did not say in time whether somebody decided"));
    let approved = tokio::time::timeout(clock.left(ends) + LATE, deciding).await.unwrap_or_else(late)?;
    let payload = approved.pending().remembered().core.payload.clone();
    let used = approved.consume(Some(clock.left(ends))).await?;
    if clock.is_over(ends) {
        return Err(Denied::new(Code::TimedOut, "the approval came after the time that a call may take"));
    }
    Ok(Cleared::new(&used, payload))
}

async fn telling<T>(pending: &Pending, tell: impl Fn(String), work: impl Future<Output = T>) -> T {
    let core = &pending.remembered().core;
    let approvers = core.approvers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let words = format!("waiting for {approvers} at {} (compare code {})", pending.url(), pending.compare_code());
    tell(words.clone());
    let mut ticks = interval_at(Instant::now() + TELL_EVERY, TELL_EVERY);
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            _ = ticks.tick() => tell(words.clone()),
        }
    }
}

async fn stopped(mut stop: Stop) {
    _ = stop.wait_for(|stop| *stop).await;
}

fn unreachable(what: &str) -> Denied {
    Denied::new(Code::Unreachable, format!("the server gave no answer in the time that a call may take; {what}"))
}

impl Cleared {
    /// Only a used approval makes one.
    fn new(_used: &Used, payload: Object) -> Self {
        Self { payload }
    }

    /// One that nobody approved.
    #[cfg(test)]
    pub(crate) fn made(payload: Object) -> Self {
        Self { payload }
    }

    /// The arguments that were approved.
    pub(crate) fn arguments(self) -> Result<Object, Denied> {
        match self.payload.get("arguments") {
            Some(Value::Object(arguments)) => Ok(arguments.clone()),
            _ => Err(Denied::new(Code::Mismatch, "what was approved has no arguments")),
        }
    }
}
