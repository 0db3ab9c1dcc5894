//! How approvers are reached, and what became of each message to them and to requesters.

use serde::{Deserialize, Serialize};

use crate::{Assertion, CredentialDescriptor};

/// A message about a confirmation, as its requester sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notified {
    /// Which approver is told; none where the requester is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// `email`, `telegram` or `webhook`
    pub channel: String,
    /// Since when it is in this state.
    pub at: String,
    /// `queued`, `sent`, `failed` or `unneeded`
    pub state: String,
}

/// A message as an admin sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Its id.
    pub id: String,
    /// To which approver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// To the requester of which API key, for `webhook`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `email`, `telegram` or `webhook`
    pub channel: String,
    /// What it says: `confirmation`, `verification`, `change`, `linked`, `ended`, or `result` to a requester
    pub about: String,
    /// The confirmation that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<String>,
    /// `queued`, `sent`, `failed` or `unneeded`
    pub state: String,
    /// Since when.
    pub at: String,
    /// When it was written down.
    pub created_at: String,
    /// After this it is not sent any more.
    pub expires_at: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, while it is queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<String>,
    /// What went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// `GET /api/notifications?state=`: failed ones newest first, queued ones in the order in which they are tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationList {
    /// This page.
    pub notifications: Vec<Notification>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// How somebody is reached on one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// `email` or `telegram`
    pub channel: String,
    /// Where messages go; none before the first address is confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The address that waits for its owner to confirm it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<String>,
    /// Only in the answer to a change that links a chat: where to open that chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// The answer to `POST /contact/{token}/options`: what the page with the button shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactProposal {
    /// Whose contact it would be.
    pub username: String,
    /// `email`
    pub channel: String,
    /// The address.
    pub address: String,
}

/// `POST /me/contacts/{channel}/options`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactChangeRequest {
    /// The new address; none to remove what is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Whether a chat is to be linked, for `telegram`.
    #[serde(default)]
    pub link: bool,
}

/// The answer to [`ContactChangeRequest`]: what to sign for exactly this change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContactChangeOptions {
    /// 32 bytes.
    pub challenge: String,
    /// The relying party id for the authenticator.
    pub rp_id: String,
    /// The passkeys that may sign.
    pub credentials: Vec<CredentialDescriptor>,
}

/// `POST /me/contacts/{channel}`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactChange {
    /// The signature over the challenge, by any active passkey of this person.
    pub assertion: Assertion,
}
