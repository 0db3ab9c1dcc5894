//! An approver's own page: signing in, what it shows, adding and removing passkeys.

use serde::{Deserialize, Serialize};

use crate::{Assertion, CredentialDescriptor, Registration, Status};

/// The answer to `POST /me/options`: what to sign in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignInOptions {
    /// 32 bytes to be signed by any passkey of this server.
    pub challenge: String,
    /// The relying party id for the authenticator.
    pub rp_id: String,
}

/// `POST /me/session`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionRequest {
    /// The signature over the challenge; it must have the user handle.
    pub assertion: Assertion,
}

/// `POST /me`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MyPageRequest {
    /// Where to go on with what was decided: the `nextCursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What an approver sees of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MyPage {
    /// Who is signed in.
    pub username: String,
    /// The name as it stands in the public log.
    pub approver: String,
    /// What they are asked and have not decided, soonest to expire first.
    pub waiting: Vec<MyWaiting>,
    /// What they decided, newest first.
    pub decided: Vec<MyDecision>,
    /// Where more of what they decided begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Every passkey ever enrolled for them.
    pub passkeys: Vec<MyPasskey>,
    /// How they are told of what waits.
    #[serde(default)]
    pub contacts: Vec<crate::Contact>,
    /// How this server can tell them.
    #[serde(default)]
    pub channels: Vec<String>,
}

/// A confirmation that waits for this approver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MyWaiting {
    /// Its id.
    pub id: String,
    /// What is to be done, in the requester's words.
    pub action: String,
    /// Who asks.
    pub requester: String,
    /// Since when.
    pub created_at: String,
    /// The last second for a decision.
    pub expires_at: String,
    /// Who is asked.
    pub approvers: Vec<String>,
    /// How many of them must approve.
    pub quorum: u32,
    /// How many of them have approved.
    pub approvals: u32,
}

/// A decision of this approver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MyDecision {
    /// The confirmation's id.
    pub id: String,
    /// What was to be done, in the requester's words.
    pub action: String,
    /// Who asked.
    pub requester: String,
    /// `approve` or `reject`
    pub decision: String,
    /// When.
    pub decided_at: String,
    /// Where in the log.
    pub log_index: u64,
    /// The confirmation's fate.
    pub status: Status,
    /// Whether there is a receipt to fetch.
    pub has_receipt: bool,
    /// When the passkey was revoked while others had still to decide: the decision does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

/// A passkey of this approver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MyPasskey {
    /// The key's name in the log: SHA-256 of its SPKI DER.
    pub credential: String,
    /// `ES256` or `RS256`
    pub alg: String,
    /// When it was enrolled.
    pub enrolled_at: String,
    /// Where in the log.
    pub log_index: u64,
    /// The earlier passkey that allowed it; absent if an invite did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorised_by: Option<String>,
    /// Whether it may be synced to other devices.
    pub backup_eligible: bool,
    /// Whether it was synced when it was last heard of.
    pub backed_up: bool,
    /// When it last signed a decision or allowed another passkey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_signed_at: Option<String>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
    /// Whether it is the one that signed in.
    pub signed_in: bool,
}

/// The answer to `POST /me/receipts/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MyReceipt {
    /// The receipt's exact text.
    pub receipt: String,
}

/// The answer to `POST /me/passkeys/options`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyOptions {
    /// `PublicKeyCredentialCreationOptionsJSON`
    pub public_key: serde_json::Value,
}

/// `POST /me/passkeys/authorisation`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorisationOptionsRequest {
    /// The new passkey.
    pub credential: Registration,
}

/// What an earlier passkey signs to allow the new one: the nonce and SHA-256 of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorisationOptions {
    /// The enrolment document's exact text.
    pub document: String,
    /// 32 bytes.
    pub nonce: String,
    /// The relying party id for the authenticator.
    pub rp_id: String,
    /// The passkeys that may sign.
    pub credentials: Vec<CredentialDescriptor>,
}

/// `POST /me/passkeys`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddPasskeyRequest {
    /// The new passkey, as before.
    pub credential: Registration,
    /// The earlier passkey's signature.
    pub assertion: Assertion,
}

/// The answer to `POST /me/passkeys/{credential}/removal/options`: what to sign to remove a passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovalOptions {
    /// 32 bytes.
    pub challenge: String,
    /// The relying party id for the authenticator.
    pub rp_id: String,
    /// The passkeys that may sign.
    pub credentials: Vec<CredentialDescriptor>,
}

/// `POST /me/passkeys/{credential}/removal`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemovalRequest {
    /// The signature over the challenge, by any active passkey of this person.
    pub assertion: Assertion,
    /// Why; it stands in the log: `lost`, `stolen`, `left`, `replaced` or `other`.
    pub reason: String,
}
