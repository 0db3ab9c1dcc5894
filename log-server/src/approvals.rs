//! The approval engine: a thin module that writes decisions into the log.
//!
//! Each file is one thing that people or programs do: its command runs in the writer, what goes before (parsing, hashing,
//! verifying signatures, making ids) runs in the caller's task. Nothing here knows HTTP.

mod add_passkey;
mod approvers;
mod assertion;
mod cancel;
mod ceremonies;
mod change_contact;
mod confirmation;
mod consume;
mod contacts;
mod cool_down;
mod create;
mod decide;
mod endings;
mod enrol;
mod invites;
mod keys;
mod link_chat;
mod list;
mod made;
mod new_key;
mod notify;
mod outbox;
mod own;
mod pending;
mod precedents;
mod receipts;
mod records;
mod remove_passkey;
mod revoke;
mod revoke_key;
mod sessions;
mod sign_in;
mod webhooks;

use std::sync::Arc;

use verifier::names::{Label, Username};
use verifier::time::Timestamp;
use verifier::webauthn::SignaturePrimitive;

use crate::by_key::ByKey;
use crate::clock::Timekeeper;
use crate::identity::Identity;
use crate::limits::Limits;
use crate::notifications::{Couriers, WebhookRoot};
use crate::problem::Problem;
use crate::random::Random;
use crate::store::{Store, StoreError};
use crate::waiters::Waiters;
use crate::writer::{Command, Writer};

pub use ceremonies::Ceremonies;
#[cfg(test)]
pub(crate) use ceremonies::{CEREMONY, MAX_CEREMONIES};
pub use confirmation::view;
pub use create::IdempotencyKey;
pub(crate) use keys::key_record;
pub use list::ListQuery;
pub use made::MadeReceipts;
pub(crate) use outbox::{NotificationRecord, Outcome, SentTo, Settle, outbox_news};
pub(crate) use records::CredentialRecord;
pub use records::{ApproverSlot, ConfirmationRecord, ConsumedRecord, DecisionRecord, RawJson};
pub(crate) use sessions::LIFE as SESSION_LIFE;
pub use sessions::{Sessions, SignedIn};

/// What every use of the approval engine needs.
pub struct Approvals {
    /// The store, for reading.
    pub store: Arc<dyn Store>,
    /// The writer, for every lasting change.
    pub writer: Writer,
    /// The time.
    pub time: Arc<Timekeeper>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Who waits for what.
    pub waiters: Arc<Waiters>,
    /// The names of log and site.
    pub identity: Identity,
    /// Checks signatures.
    pub primitive: Arc<dyn SignaturePrimitive + Send + Sync>,
    /// The challenges of ceremonies under way.
    pub ceremonies: Ceremonies,
    /// Who is signed in on their own page.
    pub sessions: Sessions,
    /// Receipts made a moment ago.
    pub made: MadeReceipts,
    /// What one caller may take.
    pub limits: Limits,
    /// How approvers and requesters can be told.
    pub couriers: Couriers,
    /// What webhooks are signed with.
    pub webhook_root: WebhookRoot,
}

impl Approvals {
    /// Runs a command that is given with an API key, if that is still good when its turn comes.
    async fn submit_by<C: Command<Refusal = Problem>>(&self, key_id: &str, command: C) -> Result<C::Answer, Problem> {
        Ok(self.writer.submit(ByKey { key_id: key_id.to_owned(), command }).await?)
    }

    /// A record as it is committed.
    fn record<T: serde::de::DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.store.get(key)?.as_deref().map(|bytes| crate::writer::record_from(key, bytes)).transpose()
    }

    /// All records of a kind.
    fn records<T: serde::de::DeserializeOwned>(&self, kind: crate::keyspace::Kind) -> Result<Vec<T>, StoreError> {
        let (from, to) = crate::keyspace::all(kind);
        let pairs = self.store.scan(&from, &to, usize::MAX)?;
        pairs.iter().map(|(key, value)| crate::writer::record_from(key, value)).collect()
    }

    fn label(&self, username: &Username) -> Label {
        username.label(&self.identity.log_origin)
    }
}

fn time_text(seconds: u64) -> String {
    Timestamp::from_unix(seconds).to_string()
}

fn username(field: &str, text: &str) -> Result<Username, Problem> {
    Username::new(text).map_err(|error| Problem::invalid(field, error))
}

/// A text that people will read, by one of the rules for such texts.
fn shown(field: &str, text: &str, check: fn(&str) -> Result<(), verifier::names::NameError>) -> Result<(), Problem> {
    check(text).map_err(|error| Problem::invalid(field, error))
}

/// A number of seconds between bounds, or a default.
fn seconds(
    field: &str,
    given: Option<u64>,
    allowed: std::ops::RangeInclusive<u64>,
    default: u64,
) -> Result<u64, Problem> {
    let seconds = given.unwrap_or(default);
    if allowed.contains(&seconds) {
        Ok(seconds)
    } else {
        let (least, most) = (allowed.start(), allowed.end());
        Err(Problem::invalid(field, format!("{seconds} seconds, {least} to {most} are allowed")))
    }
}
