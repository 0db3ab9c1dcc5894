//! Webhooks: a requester's server is called when a request has ended, instead of asking. One for each API key, registered with
//! that key.
//!
//! The call is written down with the request, due just after it expires, because expiry itself writes nothing; whatever ends
//! the request earlier brings it forward (`endings.rs`). It carries what the requester would read, receipt included: the
//! signature says who calls, and only the receipt says what was decided.

use api::{Confirmation, SetWebhook, Status, Webhook, WebhookSet};
use serde::{Deserialize, Serialize};
use verifier::encoding::base64url;

use super::outbox::{self, About, Draft, NotificationRecord};
use super::records::ConfirmationRecord;
use super::{Approvals, time_text};
use crate::api_keys::KeyRecord;
use crate::keyspace;
use crate::notifications::{Channel, Event, WebhookKeys};
use crate::problem::Problem;
use crate::random::bytes32;
use crate::store::StoreError;
use crate::writer::{Command, Failed, Transaction, record_to};

/// How long it is tried after the end, in seconds.
const TRY: u64 = 72 * 3600;

/// Where a key's requester is called.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct WebhookRecord {
    url: String,
    /// What its keys are computed with, and the log's key: `notifications/webhook/signature.rs`.
    salt: String,
    created_at: u64,
    /// Why it is not called any more.
    off: Option<String>,
}

/// What is sent, in the form of the specification.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: String,
    timestamp: String,
    data: &'a Confirmation,
}

struct Set {
    key_id: String,
    url: String,
    salt: String,
}

struct SwitchOff {
    key_id: String,
    /// Which registration.
    salt: String,
    why: String,
}

struct Remove(String);

struct Again {
    key_id: String,
    confirmation: String,
}

impl Approvals {
    /// Registers an address, in the place of one before. Its secret is told this once.
    pub async fn set_webhook(&self, key: &KeyRecord, request: &SetWebhook) -> Result<WebhookSet, Problem> {
        let webhooks =
            self.couriers.webhooks().ok_or_else(|| Problem::invalid("url", "this server sends no webhooks"))?;
        let url = webhooks.checked(&request.url).map_err(|error| Problem::invalid("url", error))?.to_string();
        let salt = base64url(&bytes32(&*self.random));
        let keys = self.webhook_root.keys(&salt);
        let webhook = self.submit_by(&key.id, Set { key_id: key.id.clone(), url, salt }).await?;
        Ok(WebhookSet { webhook: webhook.describe(&keys), secret: keys.secret() })
    }

    /// Where this key's requester is called.
    pub fn webhook(&self, key_id: &str) -> Result<Webhook, Problem> {
        let record = self.record::<WebhookRecord>(&keyspace::webhook(key_id))?.ok_or(Problem::NotFound)?;
        Ok(record.describe(&self.webhook_root.keys(&record.salt)))
    }

    /// Removes it. What was not called yet is not called any more.
    pub async fn remove_webhook(&self, key_id: &str) -> Result<(), Problem> {
        self.submit_by(key_id, Remove(key_id.to_owned())).await
    }

    /// Calls again about a request that has ended.
    pub async fn call_again(&self, key_id: &str, confirmation: &str) -> Result<(), Problem> {
        let again = Again { key_id: key_id.to_owned(), confirmation: confirmation.to_owned() };
        self.submit_by(key_id, again).await
    }

    /// The receiver said that it is gone.
    pub(crate) async fn switch_webhook_off(&self, key_id: &str, salt: &str, why: &str) -> Result<(), Problem> {
        let off = SwitchOff { key_id: key_id.to_owned(), salt: salt.to_owned(), why: why.to_owned() };
        Ok(self.writer.submit(off).await?)
    }

    /// The call for a record; none if it is of no use any more.
    pub(crate) fn event(&self, record: &NotificationRecord) -> Result<Option<Event>, Problem> {
        let About::Result { id } = &record.about else { return Ok(None) };
        let now = self.time.now().unix();
        let key_id = record.username.as_str();
        let key: Option<KeyRecord> = self.record(&keyspace::api_key(key_id))?;
        let webhook: Option<WebhookRecord> = self.record(&keyspace::webhook(key_id))?;
        let alive = key.is_some_and(|key| key.revoked_at.is_none()) && now <= record.expires_at;
        let Some(webhook) = webhook.filter(|webhook| alive && webhook.off.is_none()) else { return Ok(None) };
        let mut confirmation = self.confirmation(key_id, id)?;
        if confirmation.status == Status::Pending {
            return Err(Problem::Busy("how it ended is not published yet"));
        }
        // Every try has the same body, also while messages to people are still on their way, and after a use.
        confirmation.notified.clear();
        confirmation.consumed_at = None;
        let cancelled = self.record::<ConfirmationRecord>(&keyspace::confirmation(id))?;
        let cancelled_at = cancelled.and_then(|record| record.cancelled_at).map(time_text);
        let body = Body {
            kind: format!("confirmation.{}", confirmation.status.as_str()),
            timestamp: confirmation.decided_at.clone().or(cancelled_at).unwrap_or(confirmation.expires_at.clone()),
            data: &confirmation,
        };
        let host = &self.identity.relying_party.rp_id;
        let message_id = record.message_id(host);
        let symbols = message_id.trim_start_matches('<').split('@').next().unwrap_or_default();
        Ok(Some(Event {
            id: format!("msg_{symbols}"),
            seconds: now,
            keys: self.webhook_root.keys(&webhook.salt),
            salt: webhook.salt,
            url: webhook.url,
            body: record_to(&body),
        }))
    }
}

/// Whether a key's requester is called.
pub(super) fn is_on(tx: &Transaction<'_>, key_id: &str) -> Result<bool, StoreError> {
    let record: Option<WebhookRecord> = tx.get(&keyspace::webhook(key_id))?;
    Ok(record.is_some_and(|record| record.off.is_none()))
}

/// Writes the call about a new request, for when it has ended.
pub(super) fn prepare(tx: &mut Transaction<'_>, record: &ConfirmationRecord) {
    write(tx, record, Some(record.expires_at + 1), record.expires_at + TRY);
}

fn write(tx: &mut Transaction<'_>, record: &ConfirmationRecord, due: Option<u64>, expires_at: u64) {
    let draft = Draft {
        id: id_for(&record.id),
        channel: Channel::Webhook,
        username: &record.key_id,
        about: About::Result { id: record.id.clone() },
        expires_at,
        due,
        otherwise: None,
    };
    outbox::write_draft(tx, draft);
}

/// No confirmation's messages begin like this.
pub(super) fn id_for(confirmation: &str) -> String {
    format!("webhook.{confirmation}")
}

impl WebhookRecord {
    fn describe(&self, keys: &WebhookKeys) -> Webhook {
        Webhook {
            url: self.url.clone(),
            public_key: keys.public_key(),
            created_at: time_text(self.created_at),
            off: self.off.clone(),
        }
    }
}

impl Command for Set {
    type Answer = WebhookRecord;
    type Refusal = Problem;

    fn run(self, tx: &mut Transaction<'_>) -> Result<WebhookRecord, Failed<Problem>> {
        let record = WebhookRecord { url: self.url, salt: self.salt, created_at: tx.now().unix(), off: None };
        tx.put(keyspace::webhook(&self.key_id), &record);
        tracing::info!(event = "webhook set", key = self.key_id);
        Ok(record)
    }
}

impl Command for SwitchOff {
    type Answer = ();
    type Refusal = Problem;

    fn run(self, tx: &mut Transaction<'_>) -> Result<(), Failed<Problem>> {
        let key = keyspace::webhook(&self.key_id);
        let record = tx.get::<WebhookRecord>(&key)?.filter(|record| record.salt == self.salt);
        if let Some(mut record) = record {
            record.off = Some(self.why);
            tx.put(key, &record);
            tracing::warn!(event = "webhook switched off", key = self.key_id);
        }
        Ok(())
    }
}

impl Command for Remove {
    type Answer = ();
    type Refusal = Problem;

    fn run(self, tx: &mut Transaction<'_>) -> Result<(), Failed<Problem>> {
        tx.delete(keyspace::webhook(&self.0));
        tracing::info!(event = "webhook removed", key = self.0);
        Ok(())
    }
}

impl Command for Again {
    type Answer = ();
    type Refusal = Problem;

    fn run(self, tx: &mut Transaction<'_>) -> Result<(), Failed<Problem>> {
        let record = tx.get::<ConfirmationRecord>(&keyspace::confirmation(&self.confirmation))?;
        let Some(record) = record.filter(|record| record.key_id == self.key_id) else {
            return Err(Failed::Refused(Problem::NotFound));
        };
        if record.status_in_writer(tx.now()) == Status::Pending {
            return Err(Failed::Refused(Problem::Conflict("this request has not ended".to_owned())));
        }
        if !is_on(tx, &self.key_id)? {
            return Err(Failed::Refused(Problem::Conflict("this API key has no webhook".to_owned())));
        }
        outbox::forget(tx, &id_for(&record.id))?;
        let expires_at = tx.now().plus(TRY).unix();
        write(tx, &record, None, expires_at);
        Ok(())
    }
}
