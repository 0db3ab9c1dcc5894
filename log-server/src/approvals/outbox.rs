//! The outbox: what is to be sent to approvers and requesters, written down in the same batch as its cause.
//!
//! ```text
//! m ‖ id             the message's record
//! o ‖ due ‖ id       that it is to be sent by mail, the one that is due first in front; O: by Telegram, w: to a webhook
//! x ‖ !at ‖ id       that it could not be sent, newest first: the dead letters
//! ```
//!
//! A message is `queued` until the worker says what became of it, which is one more command. A crash in between leaves it
//! queued, so it is sent by the next run: at least once, and with the same Message-ID, so that whoever gets it twice can
//! tell. The record holds no address of a contact, only whose it is; what must be kept until it is sent (the secret of a
//! link, the address that is no contact any more) is forgotten then.
//!
//! A message with an alternative channel has half of the time; if it is not sent by then, or refused, the same is written
//! to the outbox of the other channel, in the batch that says so.

use api::{Notification, NotificationList, Notified};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use verifier::encoding;

use super::records::ConfirmationRecord;
use super::{Approvals, contacts, endings, time_text, webhooks};
use crate::keyspace::{self, Kind};
use crate::notifications::Channel;
use crate::problem::Problem;
use crate::store::StoreError;
use crate::writer::{Command, Failed, Transaction, record_from};

/// All outboxes, in the order of their keys.
const OUTBOXES: [Kind; 3] = [Kind::OutboxTelegram, Kind::Outbox, Kind::OutboxWebhooks];
/// How many one page lists.
const PAGE: usize = 100;

/// A message and its fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NotificationRecord {
    pub(crate) id: String,
    pub(crate) channel: Channel,
    /// Whom it is for: an approver, or the API key of a requester.
    pub(crate) username: String,
    pub(crate) about: About,
    pub(crate) created_at: u64,
    /// The last second in which it is of use.
    pub(crate) expires_at: u64,
    pub(crate) attempts: u32,
    pub(crate) state: State,
    /// Since when it is in this state.
    pub(crate) at: u64,
    /// When it is tried next.
    pub(crate) due: u64,
    pub(crate) error: Option<String>,
    /// The channel to try when this one fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) otherwise: Option<Channel>,
}

/// What it says, and what that needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum About {
    /// A request waits.
    Confirmation { id: String },
    /// An address is to be confirmed by a link with this token.
    Verification { address: String, token: String },
    /// Told to the address that was the contact, or to the one that was alone until now.
    Change {
        address: String,
        removed: bool,
        #[serde(default)]
        added: bool,
    },
    /// Told to the chat that is the contact now.
    Linked { address: String },
    /// A requester's server is told how a request ended.
    Result { id: String },
    /// A message about a request says from now on how that ended.
    Ended { id: String, address: String, reference: String },
}

/// What is known of a message that can be changed later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SentTo {
    /// The address that it went to.
    pub(crate) address: String,
    /// What the channel knows it by.
    pub(crate) reference: String,
}

/// How far it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// To be sent.
    Queued,
    /// The channel's server has taken it over.
    Sent,
    /// It could not be sent: a dead letter.
    Failed,
    /// It had not been sent when it was of no use any more.
    Unneeded,
}

/// What became of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The channel's server has taken it over.
    Sent(Option<SentTo>),
    /// Try again after so many seconds.
    Later { error: String, after: u64 },
    /// It cannot be sent.
    Failed { error: String },
    /// It is of no use any more.
    Unneeded,
}

/// A message before it is written down.
pub(super) struct Draft<'a> {
    pub(super) id: String,
    pub(super) channel: Channel,
    pub(super) username: &'a str,
    pub(super) about: About,
    pub(super) expires_at: u64,
    /// When it is to be sent, if not at once.
    pub(super) due: Option<u64>,
    pub(super) otherwise: Option<Channel>,
}

/// Writes a message down, to be sent at once.
pub(super) fn write(
    tx: &mut Transaction<'_>,
    id: String,
    channel: Channel,
    username: &str,
    about: About,
    expires_at: u64,
) {
    write_draft(tx, Draft { id, channel, username, about, expires_at, due: None, otherwise: None });
}

/// Writes a message down.
pub(super) fn write_draft(tx: &mut Transaction<'_>, draft: Draft<'_>) {
    let now = tx.now().unix();
    let record = NotificationRecord {
        id: draft.id,
        channel: draft.channel,
        username: draft.username.to_owned(),
        about: draft.about,
        created_at: now,
        expires_at: draft.expires_at,
        attempts: 0,
        state: State::Queued,
        at: now,
        due: draft.due.unwrap_or(now),
        error: None,
        otherwise: draft.otherwise,
    };
    tx.put_bytes(record.place(), Vec::new());
    tx.put(keyspace::notification(&record.id), &record);
    tx.wake(&outbox_news(record.channel));
}

/// Takes a message away, whatever became of it.
pub(super) fn forget(tx: &mut Transaction<'_>, id: &str) -> Result<(), StoreError> {
    let key = keyspace::notification(id);
    if let Some(record) = tx.get::<NotificationRecord>(&key)? {
        match record.state {
            State::Queued => tx.delete(record.place()),
            State::Failed => tx.delete(keyspace::dead_letter(record.at, id)),
            State::Sent | State::Unneeded => {}
        }
        tx.delete(key);
    }
    Ok(())
}

/// Sends a message that waits for its time at once.
pub(super) fn bring_forward(tx: &mut Transaction<'_>, id: &str) -> Result<(), StoreError> {
    let key = keyspace::notification(id);
    let record = tx.get::<NotificationRecord>(&key)?;
    let now = tx.now().unix();
    let Some(mut record) = record.filter(|record| record.state == State::Queued && record.due > now) else {
        return Ok(());
    };
    tx.delete(record.place());
    record.due = now;
    tx.put_bytes(record.place(), Vec::new());
    tx.put(key, &record);
    tx.wake(&outbox_news(record.channel));
    Ok(())
}

/// Who waits for this among the waiters hears of new messages. No confirmation has such an id.
pub(crate) fn outbox_news(channel: Channel) -> String {
    format!("outbox of {}", channel.as_str())
}

fn outbox_of(channel: Channel) -> Kind {
    match channel {
        Channel::Email => Kind::Outbox,
        Channel::Telegram => Kind::OutboxTelegram,
        Channel::Webhook => Kind::OutboxWebhooks,
    }
}

/// The id of the message that tells an approver of a confirmation: one for each channel, whoever counts.
pub(super) fn id_for(confirmation: &str, channel: Channel, username: &str) -> String {
    format!("{}{}.{username}", about_confirmation(confirmation), channel.as_str())
}

fn about_confirmation(id: &str) -> String {
    format!("{id}.")
}

/// Says what became of a try.
pub(crate) struct Settle {
    pub(crate) id: String,
    pub(crate) outcome: Outcome,
}

impl Command for Settle {
    type Answer = ();
    type Refusal = Problem;

    fn weight(&self) -> usize {
        1024
    }

    fn run(self, tx: &mut Transaction<'_>) -> Result<(), Failed<Problem>> {
        let key = keyspace::notification(&self.id);
        let record = tx.get::<NotificationRecord>(&key)?.filter(|record| record.state == State::Queued);
        let Some(mut record) = record else { return Ok(()) };
        let now = tx.now().unix();
        tx.delete(record.place());
        let tried = self.outcome != Outcome::Unneeded;
        record.attempts = record.attempts.saturating_add(u32::from(tried));
        (record.state, record.error) = match self.outcome {
            Outcome::Sent(sent) => {
                endings::prepare(tx, &record, sent)?;
                (State::Sent, None)
            }
            Outcome::Unneeded => (State::Unneeded, record.error),
            Outcome::Later { error, after } if now + after <= record.expires_at => {
                record.due = now + after;
                (State::Queued, Some(error))
            }
            // For good, or because there is no time for another try.
            Outcome::Failed { error } | Outcome::Later { error, .. } => (State::Failed, Some(error)),
        };
        if record.state == State::Queued {
            tx.put_bytes(record.place(), Vec::new());
        } else {
            record.at = now;
            record.about.forget();
        }
        if matches!(record.state, State::Failed | State::Unneeded) {
            record.try_otherwise(tx)?;
        }
        if record.state == State::Failed {
            tx.put_bytes(keyspace::dead_letter(now, &record.id), Vec::new());
            tracing::warn!(
                event = "notification failed",
                id = record.id,
                channel = record.channel.as_str(),
                attempts = record.attempts,
                error = record.error
            );
        }
        tx.put(key, &record);
        Ok(())
    }
}

impl About {
    fn forget(&mut self) {
        match self {
            Self::Confirmation { .. } | Self::Result { .. } => {}
            Self::Verification { address, token } => {
                address.clear();
                token.clear();
            }
            Self::Change { address, .. } | Self::Linked { address } => address.clear(),
            Self::Ended { address, reference, .. } => {
                address.clear();
                reference.clear();
            }
        }
    }

    fn as_str(&self) -> &'static str {
        match self {
            Self::Confirmation { .. } => "confirmation",
            Self::Verification { .. } => "verification",
            Self::Change { .. } => "change",
            Self::Linked { .. } => "linked",
            Self::Ended { .. } => "ended",
            Self::Result { .. } => "result",
        }
    }
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Unneeded => "unneeded",
        }
    }
}

impl NotificationRecord {
    fn place(&self) -> Vec<u8> {
        keyspace::outbox(outbox_of(self.channel), self.due, &self.id)
    }

    /// Writes the same to the alternative channel, if there is one and the approver can still decide.
    fn try_otherwise(&self, tx: &mut Transaction<'_>) -> Result<(), StoreError> {
        let (Some(channel), About::Confirmation { id }) = (self.otherwise, &self.about) else { return Ok(()) };
        let confirmation: Option<ConfirmationRecord> = tx.get(&keyspace::confirmation(id))?;
        let waits = confirmation.filter(|record| record.waits_for(&self.username, tx.now()));
        if let Some(confirmation) = waits
            && contacts::has_address(tx, &self.username, channel)?
        {
            let message = id_for(id, channel, &self.username);
            let about = About::Confirmation { id: id.clone() };
            write(tx, message, channel, &self.username, about, confirmation.expires_at);
        }
        Ok(())
    }

    /// The same for every try, and nothing that a stranger could use.
    pub(crate) fn message_id(&self, host: &str) -> String {
        let hash = Sha256::digest(format!("countersign/notification/v1\n{}", self.id));
        format!("<{}@{host}>", encoding::base32(&hash[..20]))
    }

    fn seen_by_requester(self) -> Notified {
        Notified {
            channel: self.channel.as_str().to_owned(),
            at: time_text(self.at),
            state: self.state.as_str().to_owned(),
            approver: self.whose().0,
        }
    }

    /// The approver who is told, or the API key whose requester is.
    fn whose(self) -> (Option<String>, Option<String>) {
        if self.channel == Channel::Webhook { (None, Some(self.username)) } else { (Some(self.username), None) }
    }

    fn describe(self) -> Notification {
        let queued = self.state == State::Queued;
        let (approver, key) = self.clone().whose();
        Notification {
            approver,
            key,
            channel: self.channel.as_str().to_owned(),
            about: self.about.as_str().to_owned(),
            confirmation: match self.about {
                About::Confirmation { id } | About::Ended { id, .. } | About::Result { id } => Some(id),
                _ => None,
            },
            state: self.state.as_str().to_owned(),
            at: time_text(self.at),
            created_at: time_text(self.created_at),
            expires_at: time_text(self.expires_at),
            attempts: self.attempts,
            next_attempt_at: queued.then(|| time_text(self.due)),
            error: self.error,
            id: self.id,
        }
    }
}

impl Approvals {
    /// The messages of a channel that are to be sent, the one that is due first in front.
    pub(crate) fn outbox(&self, channel: Channel, limit: usize) -> Result<Vec<NotificationRecord>, StoreError> {
        let (from, to) = keyspace::all(outbox_of(channel));
        Ok(self.indexed(&from, &to, limit)?.into_iter().map(|(_, record)| record).collect())
    }

    /// Who was told of a confirmation, and how; its requester last.
    pub(super) fn notified(&self, confirmation: &str) -> Result<Vec<Notified>, StoreError> {
        let prefix = keyspace::notification(&about_confirmation(confirmation));
        let pairs = self.store.scan(&prefix, &keyspace::after(&prefix), usize::MAX)?;
        let records = pairs.iter().map(|(key, value)| record_from::<NotificationRecord>(key, value));
        let mut records = records.collect::<Result<Vec<_>, _>>()?;
        records.extend(self.record::<NotificationRecord>(&keyspace::notification(&webhooks::id_for(confirmation)))?);
        Ok(records.into_iter().map(NotificationRecord::seen_by_requester).collect())
    }

    /// The messages in one state: `failed` ones newest first, `queued` ones channel by channel, in the order in which they
    /// are tried.
    pub fn notifications(&self, state: &str, cursor: Option<&str>) -> Result<NotificationList, Problem> {
        let kinds = match state {
            "failed" => [Kind::DeadLetter].as_slice(),
            "queued" => &OUTBOXES,
            _ => return Err(Problem::invalid("state", "failed or queued")),
        };
        let place = cursor.map(|cursor| encoding::from_base64url(cursor).unwrap_or_default());
        let begin = match &place {
            None => 0,
            Some(place) => {
                let kind = kinds.iter().position(|kind| place.first() == Some(&(*kind as u8)));
                kind.ok_or_else(|| Problem::invalid("cursor", "is not one of ours"))?
            }
        };
        let mut found = Vec::new();
        for (number, kind) in kinds.iter().enumerate().skip(begin) {
            let (mut from, to) = keyspace::all(*kind);
            if let Some(place) = place.as_ref().filter(|_| number == begin) {
                from = [place.as_slice(), &[0]].concat();
            }
            found.extend(self.indexed(&from, &to, PAGE + 1 - found.len())?);
        }
        let more = found.len() > PAGE;
        found.truncate(PAGE);
        let last = found.last().map(|(place, _)| encoding::base64url(place));
        Ok(NotificationList {
            notifications: found.into_iter().map(|(_, record)| record.describe()).collect(),
            next_cursor: last.filter(|_| more),
        })
    }

    /// The places of an index and the records that they name.
    fn indexed(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<(Vec<u8>, NotificationRecord)>, StoreError> {
        let mut found = Vec::new();
        for (place, _) in self.store.scan(from, to, limit)? {
            let id = keyspace::id_behind_number(&place);
            // Settled between the two reads, if it is not there.
            found.extend(self.record(&keyspace::notification(&id))?.map(|record| (place, record)));
        }
        Ok(found)
    }
}
