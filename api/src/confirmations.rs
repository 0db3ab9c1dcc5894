//! Confirmations: asking, waiting, cancelling, using.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Assertion;

/// `POST /api/confirmations`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateConfirmation {
    /// The one approver; or `approvers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Who is asked, 1 to 32; or `username`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvers: Option<Vec<String>>,
    /// How many of `approvers` must approve; 1 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<u32>,
    /// The title, 1 to 300 characters.
    pub action: String,
    /// The exact payload, an object of at most 256 KiB.
    pub payload: Box<RawValue>,
    /// How the approvers are told; `none` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<String>,
    /// Seconds for the decision, 5 to 259200; 300 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// Seconds after that for using an approval, 5 to 259200; 3600 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_within: Option<u64>,
    /// Whether anyone may fetch the receipt; no if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reveal: Option<bool>,
    /// Given back to the requester, shown to nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Box<RawValue>>,
}

/// The fate of a confirmation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not decided yet.
    Pending,
    /// Approved: the only status on which the action may run.
    Approved,
    /// Rejected.
    Rejected,
    /// Nobody decided in time.
    Expired,
    /// The requester took it back.
    Cancelled,
}

impl Status {
    /// The status as it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The answer to [`CreateConfirmation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    /// The confirmation's id.
    pub id: String,
    /// Where the approver decides.
    pub url: String,
    /// `pending`
    pub status: Status,
    /// The exact text that all documents of this confirmation share.
    pub core: String,
    /// SHA-256 of the canonical payload.
    pub payload_hash: String,
    /// The code that the approver sees too.
    pub compare_code: String,
    /// The last moment for a decision.
    pub expires_at: String,
    /// The last moment for using an approval.
    pub use_by: String,
}

/// `GET /api/confirmations/{id}`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Confirmation {
    /// The confirmation's id.
    pub id: String,
    /// Its fate so far.
    pub status: Status,
    /// Where the approver decides.
    pub url: String,
    /// The title.
    pub action: String,
    /// The exact payload.
    pub payload: Box<RawValue>,
    /// SHA-256 of the canonical payload.
    pub payload_hash: String,
    /// The exact text that all documents share.
    pub core: String,
    /// The code that the approver sees too.
    pub compare_code: String,
    /// Who is asked.
    pub approvers: Vec<String>,
    /// How many of them must approve.
    pub quorum: u32,
    /// When it was asked.
    pub created_at: String,
    /// The last moment for a decision.
    pub expires_at: String,
    /// The last moment for using an approval.
    pub use_by: String,
    /// When it was decided in the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<String>,
    /// When the approval was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumed_at: Option<String>,
    /// The decisions so far, in the order of the log.
    pub decisions: Vec<Decision>,
    /// The assertion, when one decision ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_assertion: Option<Assertion>,
    /// The receipt's exact text, once it is approved or rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
    /// Who was told of it and how, if the request asked for that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notified: Vec<crate::Notified>,
    /// What the requester gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Box<RawValue>>,
}

/// One approver's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// Who.
    pub approver: String,
    /// `approve` or `reject`
    pub decision: String,
    /// When.
    pub decided_at: String,
    /// Where in the log.
    pub log_index: u64,
    /// The WebAuthn assertion.
    pub raw_assertion: Assertion,
    /// The approver's note on a rejection; not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When its passkey was revoked while others had still to decide: it does not count, and is not in the receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

/// `GET /api/confirmations`: newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmationList {
    /// This page.
    pub confirmations: Vec<ConfirmationSummary>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A confirmation in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmationSummary {
    /// The confirmation's id.
    pub id: String,
    /// Its fate so far.
    pub status: Status,
    /// The title.
    pub action: String,
    /// Who asked.
    pub requester: String,
    /// Who is asked.
    pub approvers: Vec<String>,
    /// When it was asked.
    pub created_at: String,
    /// The last moment for a decision.
    pub expires_at: String,
}

/// `POST /api/confirmations/{id}/consume`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Consumed {
    /// When the approval was used.
    pub consumed_at: String,
    /// Where in the log.
    pub log_index: u64,
    /// That it is there.
    pub proof: InclusionProof,
}

/// An inclusion proof in the encodings of the approval API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InclusionProof {
    /// The hashes from the leaf's sibling up.
    pub hashes: Vec<String>,
    /// The tree size that the proof is for.
    pub size: u64,
    /// The signed checkpoint of that size.
    pub checkpoint: String,
}
