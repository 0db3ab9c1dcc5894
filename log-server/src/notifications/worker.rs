//! The worker: takes what is due out of the outbox, a few messages at a time, and says what became of each.
//!
//! Each channel has a worker of its own. It reads the store beside the writer, and a command of its own says the outcome, so nothing here is waited for by
//! anybody who asks or decides. Between "the server took it over" and that command being committed lies the one moment in
//! which a crash sends a message twice.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError, JoinSet};
use verifier::time::Timestamp;

use super::{Channel, Courier, NotTaken, Undelivered};
use crate::app::App;
use crate::approvals::{NotificationRecord, Outcome, SentTo, Settle, outbox_news};
use crate::random::Random;
use crate::store::StoreError;
use crate::writer::SubmitError;

/// The longest time between two tries is twice this at first, and doubles, in seconds.
const FIRST_WAIT: u64 = 2;
/// Up to this.
const LONGEST_WAIT: u64 = 60;
/// And up to this for webhooks.
const LONGEST_WAIT_OF_WEBHOOKS: u64 = 3600;
/// How long messages under way may take once the server stops. What is cut off then is sent by the next run.
const STOP_DEADLINE: Duration = Duration::from_secs(5);
/// How long the worker waits when the writer's queue is full or the store cannot be read.
const PAUSE: Duration = Duration::from_secs(1);

/// Sends what is in the outbox of a channel until the server stops.
pub(crate) async fn work(app: Arc<App>, channel: Channel) {
    let courier = app.approvals.couriers.of(channel).map(|way| way.courier);
    let at_a_time = app.approvals.couriers.at_a_time(channel);
    let waiter = app.approvals.waiters.register(&outbox_news(channel));
    let mut worker = Worker {
        courier,
        at_a_time,
        under_way: JoinSet::new(),
        ids: HashMap::new(),
        broken: HashSet::new(),
        quiet_until: None,
        channel,
        app,
    };
    let app = worker.app.clone();
    let mut stopping = std::pin::pin!(app.stopping());
    loop {
        // Before the look, so that nothing written meanwhile is missed.
        let news = waiter.notified();
        let next = match worker.begin_what_is_due() {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "the outbox cannot be read");
                Some(app.approvals.time.now().plus(PAUSE.as_secs()))
            }
        };
        let free = worker.free() > 0;
        let due = async {
            match next {
                Some(time) => app.approvals.time.wait_past(Timestamp::from_unix(time.unix().saturating_sub(1))).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = &mut stopping => break,
            () = news, if free => {}
            () = due, if free => {}
            Some(ended) = worker.under_way.join_next_with_id() => worker.ended(ended),
        }
    }
    let rest = async { while worker.under_way.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_DEADLINE, rest).await.is_err() {
        tracing::info!("some messages took too long and are sent by the next run");
    }
}

struct Worker {
    app: Arc<App>,
    channel: Channel,
    /// None if the operator has taken the channel away: its messages wait.
    courier: Option<Arc<dyn Courier>>,
    at_a_time: usize,
    under_way: JoinSet<Tried>,
    /// What is under way: the message, and whom it is for.
    ids: HashMap<Id, (String, String)>,
    /// Not tried again in this run: what made us panic, and what was sent and could not be written down as sent.
    broken: HashSet<String>,
    /// Nothing is begun before: the other side asked for that.
    quiet_until: Option<Timestamp>,
}

/// The end of one try.
struct Tried {
    /// Whether its outcome is written down.
    settled: bool,
    /// How long the other side wants nothing at all.
    quiet: Option<u64>,
}

impl Worker {
    fn free(&self) -> usize {
        self.at_a_time.saturating_sub(self.under_way.len())
    }

    /// Begins what is due, as far as there is room, and says when to look again.
    fn begin_what_is_due(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let free = self.free();
        if free == 0 {
            return Ok(None);
        }
        let now = self.app.approvals.time.now();
        if let Some(until) = self.quiet_until.filter(|until| now < *until) {
            return Ok(Some(until));
        }
        // What is under way stands in front: it was due before.
        let mut most = self.ids.len() + self.broken.len() + free + 1;
        loop {
            let queued = self.app.approvals.outbox(self.channel, most)?;
            // Beyond these there may be more that is due, of requesters who have room.
            let is_all = queued.len() < most || queued.last().is_none_or(|record| record.due > now.unix());
            let next = self.begin_of(queued, now);
            if is_all || self.free() == 0 || self.channel != Channel::Webhook {
                return Ok(next);
            }
            most *= 4;
        }
    }

    /// Begins what is due of these, as far as there is room, and says when the first of the others is.
    fn begin_of(&mut self, queued: Vec<NotificationRecord>, now: Timestamp) -> Option<Timestamp> {
        let taken: HashSet<&String> = self.ids.values().map(|(id, _)| id).chain(&self.broken).collect();
        let waiting: Vec<_> = queued.into_iter().filter(|record| !taken.contains(&record.id)).collect();
        for record in waiting.iter().filter(|record| record.due <= now.unix()) {
            if self.free() == 0 {
                break;
            }
            if self.has_its_share(&record.username) {
                continue;
            }
            let (id, whose) = (record.id.clone(), record.username.clone());
            let task = self.under_way.spawn(attempt(self.app.clone(), self.courier.clone(), record.clone()));
            self.ids.insert(task.id(), (id, whose));
        }
        waiting.iter().map(|record| Timestamp::from_unix(record.due)).find(|due| *due > now)
    }

    /// One requester's receiver that stalls leaves room for the others.
    fn has_its_share(&self, whose: &str) -> bool {
        let its = self.ids.values().filter(|(_, other)| other == whose).count();
        self.channel == Channel::Webhook && its >= (self.at_a_time / 2).max(1)
    }

    fn ended(&mut self, ended: Result<(Id, Tried), JoinError>) {
        match ended {
            Ok((id, Tried { settled, quiet })) => {
                let name = self.ids.remove(&id);
                self.broken.extend(name.filter(|_| !settled).map(|(id, _)| id));
                if let Some(seconds) = quiet {
                    self.quiet_until = Some(self.app.approvals.time.now().plus(seconds));
                }
            }
            Err(error) => {
                tracing::error!(%error, "sending a message failed by a bug; it waits for the next start");
                self.broken.extend(self.ids.remove(&error.id()).map(|(id, _)| id));
            }
        }
    }
}

/// Tries once, and writes down what became of it.
async fn attempt(app: Arc<App>, courier: Option<Arc<dyn Courier>>, record: NotificationRecord) -> Tried {
    let (outcome, quiet) = tried(&app, courier.as_deref(), &record).await;
    tracing::debug!(id = record.id, ?outcome, "a notification was tried");
    loop {
        let settle = Settle { id: record.id.clone(), outcome: outcome.clone() };
        match app.approvals.writer.submit(settle).await {
            Err(SubmitError::Full) => tokio::time::sleep(PAUSE).await,
            Ok(()) | Err(SubmitError::Refused(_)) => return Tried { settled: true, quiet },
            // The writer stopped, so the process ends. The next run sends it again; this one must not.
            Err(SubmitError::Unknown) => return Tried { settled: false, quiet },
        }
    }
}

async fn tried(app: &App, courier: Option<&dyn Courier>, record: &NotificationRecord) -> (Outcome, Option<u64>) {
    let later = |error: String| {
        let after = wait(record.attempts, longest_wait(record.channel), &*app.approvals.random);
        Outcome::Later { error, after }
    };
    if record.channel == Channel::Webhook {
        return (call(app, record, later).await, None);
    }
    let message = match app.approvals.message(record) {
        Ok(Some(message)) => message,
        Ok(None) if record.error.is_some() && app.approvals.time.now().unix() > record.expires_at => {
            return (Outcome::Failed { error: record.error.clone().unwrap_or_default() }, None);
        }
        Ok(None) => return (Outcome::Unneeded, None),
        Err(problem) => return (later(problem.to_string()), None),
    };
    let Some(courier) = courier else {
        return (later(format!("this server has no channel {} now", record.channel.as_str())), None);
    };
    match courier.deliver(&message).await {
        Ok(reference) => {
            let to = message.to;
            (Outcome::Sent(reference.map(|reference| SentTo { address: to, reference })), None)
        }
        Err(Undelivered::Later(error)) => (later(error), None),
        Err(Undelivered::After { error, seconds }) => (Outcome::Later { error, after: seconds }, Some(seconds)),
        Err(Undelivered::Never(error)) => (Outcome::Failed { error }, None),
    }
}

/// Tries a webhook once.
async fn call(app: &App, record: &NotificationRecord, later: impl Fn(String) -> Outcome) -> Outcome {
    let event = match app.approvals.event(record) {
        Ok(Some(event)) => event,
        Ok(None) if record.error.is_some() => {
            return Outcome::Failed { error: record.error.clone().unwrap_or_default() };
        }
        Ok(None) => return Outcome::Unneeded,
        Err(problem) => return later(problem.to_string()),
    };
    let Some(webhooks) = app.approvals.couriers.webhooks() else {
        return later("this server sends no webhooks now".to_owned());
    };
    match webhooks.call(&event).await {
        Ok(()) => Outcome::Sent(None),
        Err(NotTaken::Later(error)) => later(error),
        Err(NotTaken::Gone) => {
            let error = "the receiver answered 410: its webhook is switched off".to_owned();
            match app.approvals.switch_webhook_off(&record.username, &event.salt, &error).await {
                Ok(()) => Outcome::Failed { error },
                Err(problem) => later(problem.to_string()),
            }
        }
    }
}

/// A receiver may be away for a day, a channel to a person only for minutes.
fn longest_wait(channel: Channel) -> u64 {
    match channel {
        Channel::Email | Channel::Telegram => LONGEST_WAIT,
        Channel::Webhook => LONGEST_WAIT_OF_WEBHOOKS,
    }
}

/// Exponential back-off with full jitter: a random time up to twice as long as before, so that what failed together does
/// not come back together.
fn wait(attempts: u32, longest: u64, random: &dyn Random) -> u64 {
    let most = FIRST_WAIT.checked_shl(attempts.min(16)).unwrap_or(longest).min(longest);
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    1 + u64::from_be_bytes(bytes) % most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn waits_are_spread_and_grow_up_to_a_minute() {
        for (attempts, most) in [(0, 2), (1, 4), (2, 8), (4, 32), (5, 60), (60, 60), (u32::MAX, 60)] {
            let waits: Vec<u64> = (0..2_000).map(|_| wait(attempts, LONGEST_WAIT, &OsRandom)).collect();
            assert_eq!(waits.iter().min(), Some(&1), "{attempts}");
            assert_eq!(waits.iter().max(), Some(&most), "{attempts}");
        }
    }
}
