//! The ceremonies of the pages: enrolling and deciding.

use serde::{Deserialize, Serialize};

/// A WebAuthn assertion as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assertion {
    /// The WebAuthn credential id.
    pub id: String,
    /// The same.
    pub raw_id: String,
    /// `public-key`
    #[serde(rename = "type")]
    pub kind: String,
    /// The signed parts.
    pub response: AssertionResponse,
}

/// The signed parts of an assertion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssertionResponse {
    /// The authenticator data.
    #[serde(rename = "authenticatorData")]
    pub authenticator_data: String,
    /// The client data, as received.
    #[serde(rename = "clientDataJSON")]
    pub client_data_json: String,
    /// The signature.
    pub signature: String,
    /// The user handle, if the authenticator gave one.
    #[serde(rename = "userHandle", default, skip_serializing_if = "Option::is_none")]
    pub user_handle: Option<String>,
}

/// `POST /approve/{id}/options`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApproveOptionsRequest {
    /// Who is about to decide; may be left out when one approver is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// The salt of this approver's documents: whoever has them may have the receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
}

/// What the approve page needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApproveOptions {
    /// The confirmation's id.
    pub id: String,
    /// Its fate so far.
    pub status: crate::Status,
    /// Who is asked.
    pub approvers: Vec<String>,
    /// How many of them must approve.
    pub quorum: u32,
    /// Who is about to decide, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// The code that the requester has too.
    pub compare_code: String,
    /// The relying party id for the authenticator.
    pub rp_id: String,
    /// The two documents, while this approver can decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<Documents>,
    /// The approver's active credentials.
    #[serde(default)]
    pub credentials: Vec<CredentialDescriptor>,
    /// What this approver has decided already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
    /// What anybody has decided so far, in the order of the log.
    #[serde(default)]
    pub decisions: Vec<DecisionSummary>,
    /// What the same requester got approved last under the same title, if this approver was asked then too. The server's
    /// word, not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_approved: Option<LastApproved>,
    /// That the same was asked before and rejected. The server's word, not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_before: Option<RejectedBefore>,
    /// That this approver rejected requests of the same API key under the same title, whatever their payload. The server's
    /// word, not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_title: Option<RejectedTitle>,
    /// The receipt's exact text, once it is decided, for whoever sent the salt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
}

/// A decision as those who are asked see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionSummary {
    /// Who.
    pub approver: String,
    /// `approve` or `reject`
    pub decision: String,
    /// When.
    pub decided_at: String,
    /// When its passkey was revoked, so that it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

/// What was approved last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LastApproved {
    /// The confirmation's id.
    pub id: String,
    /// When it was decided.
    pub decided_at: String,
    /// Its canonical payload, as text.
    pub payload: String,
}

/// Earlier rejections of the same action and payload, asked with the same API key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedBefore {
    /// How often in all.
    pub times: u32,
    /// The newest, newest first.
    pub last: Vec<EarlierRejection>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EarlierRejection {
    /// When.
    pub at: String,
    /// By whom, if this approver was asked then too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Rejections of one approver in a row, under one title: an approval of the same ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedTitle {
    /// How many.
    pub times: u32,
    /// When the last was.
    pub at: String,
}

/// The exact texts of which the approver signs one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Documents {
    /// To approve.
    pub approve: String,
    /// To reject.
    pub reject: String,
}

/// A credential that may sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialDescriptor {
    /// The WebAuthn credential id.
    pub id: String,
    /// How the browser may reach it.
    pub transports: Vec<String>,
}

/// A decision that this approver has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decided {
    /// `approve` or `reject`
    pub decision: String,
    /// When.
    pub decided_at: String,
    /// Where in the log.
    pub log_index: u64,
}

/// `POST /approve/{id}/decision`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionRequest {
    /// Who decides.
    pub approver: String,
    /// `approve` or `reject`
    pub decision: String,
    /// The signature over that decision's document.
    pub assertion: Assertion,
    /// On a rejection, why; not signed. At most 1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The answer to [`DecisionRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionMade {
    /// The confirmation's id.
    pub id: String,
    /// Its fate now.
    pub status: crate::Status,
    /// What this approver decided.
    pub decision: String,
    /// When.
    pub decided_at: String,
    /// Where in the log.
    pub log_index: u64,
    /// The receipt's exact text, if this decision ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
}

/// `POST /enrol/{code}/options`
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolOptionsRequest {
    /// The name to enrol under; may be left out when the invite fixes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
}

/// What the enrol page needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrolOptions {
    /// What the admin wrote on the invite.
    pub note: String,
    /// The name that the invite fixes.
    pub username: Option<String>,
    /// `PublicKeyCredentialCreationOptionsJSON`, once the name is known.
    pub public_key: Option<serde_json::Value>,
}

/// `POST /enrol/{code}`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// What the authenticator made.
    pub credential: Registration,
}

/// A WebAuthn registration as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// The WebAuthn credential id.
    pub id: String,
    /// The same.
    pub raw_id: String,
    /// `public-key`
    #[serde(rename = "type")]
    pub kind: String,
    /// The parts that count.
    pub response: RegistrationResponse,
}

/// The parts of a registration that count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationResponse {
    /// The attestation object.
    #[serde(rename = "attestationObject")]
    pub attestation_object: String,
    /// The client data, as received.
    #[serde(rename = "clientDataJSON")]
    pub client_data_json: String,
    /// How the browser may reach the credential later; a hint.
    #[serde(default)]
    pub transports: Vec<String>,
}

/// The answer to [`EnrolRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Enrolled {
    /// The name.
    pub username: String,
    /// The name as it stands in the public log.
    pub approver: String,
    /// The key's name in the log: SHA-256 of its SPKI DER.
    pub credential: String,
    /// Where in the log.
    pub log_index: u64,
}
