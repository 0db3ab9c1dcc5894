//! Administration: invites, API keys, approvers, backups.

use serde::{Deserialize, Serialize};

/// `POST /api/invites`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateInvite {
    /// Shown to the invited person: who invites and what for. At most 300 characters.
    pub note: String,
    /// How many people may use it, 1 to 1000; 1 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
    /// The name that it fixes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The e-mail address of whoever enrols with it; it is used once its owner has confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Seconds that it can be used, 60 to 2592000; 604800 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

/// The answer to [`CreateInvite`]; the code is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InviteCreated {
    /// The invite's id.
    pub id: String,
    /// The secret code.
    pub code: String,
    /// Where the invited person enrols.
    pub register_url: String,
    /// The last moment that it can be used.
    pub expires_at: String,
}

/// An invite in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invite {
    /// The invite's id.
    pub id: String,
    /// What the admin wrote.
    pub note: String,
    /// The name that it fixes.
    pub username: Option<String>,
    /// The e-mail address that it brings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// How many people may use it.
    pub max_uses: u32,
    /// How many have.
    pub used: u32,
    /// The last moment that it can be used.
    pub expires_at: String,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// `GET /api/invites`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteList {
    /// All invites.
    pub invites: Vec<Invite>,
}

/// `POST /api/keys`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateKey {
    /// The requester's name, as approvers see it; 1 to 64 characters.
    pub name: String,
    /// `request`, `append`, `admin`
    pub scopes: Vec<String>,
    /// Whose key it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether its owner may not approve what it asks.
    #[serde(default)]
    pub separate: bool,
    /// Whom it may ask; anybody if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approvers: Option<Vec<String>>,
}

/// An API key in a list, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// The key's id.
    pub id: String,
    /// The requester's name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Whose key it is.
    pub owner: Option<String>,
    /// Whether its owner may not approve what it asks.
    pub separate: bool,
    /// Whom it may ask.
    pub approvers: Option<Vec<String>>,
    /// When it was made.
    pub created_at: String,
    /// Its last four symbols.
    pub ends_with: String,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// The answer to [`CreateKey`]; the key is shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCreated {
    /// The secret text.
    pub key: String,
    /// Everything else.
    #[serde(flatten)]
    pub record: Key,
}

/// `GET /api/keys`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyList {
    /// All keys.
    pub keys: Vec<Key>,
}

/// `GET /api/approvers`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApproverList {
    /// All approvers.
    pub approvers: Vec<ApproverSummary>,
}

/// A person who may be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApproverSummary {
    /// The name.
    pub username: String,
    /// The name as it stands in the public log.
    pub approver: String,
    /// Every credential ever enrolled.
    pub credentials: Vec<CredentialSummary>,
    /// How they are reached.
    #[serde(default)]
    pub contacts: Vec<crate::Contact>,
}

/// A credential of an approver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialSummary {
    /// The key's name in the log.
    pub credential: String,
    /// Its algorithm.
    pub alg: String,
    /// Whether it may be on several devices.
    pub backup_eligible: bool,
    /// When it was enrolled.
    pub enrolled_at: String,
    /// Where in the log.
    pub log_index: u64,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<String>,
}

/// `DELETE /api/credentials/{credential}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revoked {
    /// The key's name in the log.
    pub credential: String,
    /// When it was revoked.
    pub revoked_at: String,
    /// Where in the log.
    pub log_index: u64,
}

/// The answer to `POST /api/backups`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackupMade {
    /// The folder on the server's machine.
    pub path: String,
    /// The log's name.
    pub log_origin: String,
    /// How many entries the copy holds.
    pub size: u64,
    /// The root hash over them.
    pub root: String,
    /// When it was made.
    pub made_at: String,
}
