//! Webhooks of requesters.

use serde::{Deserialize, Serialize};

/// `PUT /api/webhook`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetWebhook {
    /// What is called: `https`, at an address of the public internet.
    pub url: String,
}

/// `GET /api/webhook`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// What is called.
    pub url: String,
    /// What signatures of the kind `v1a` are checked with: `whpk_…`
    pub public_key: String,
    /// Since when.
    pub created_at: String,
    /// Why it is not called any more, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off: Option<String>,
}

/// The answer to [`SetWebhook`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookSet {
    /// What is called from now on.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What signatures of the kind `v1` are checked with: `whsec_…`, told this once.
    pub secret: String,
}
