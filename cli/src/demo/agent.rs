//! deploy-bot, the requester: asks, waits on its own connection, and acts on nothing but a verified approval.

use api::{Confirmation, Consumed, CreateConfirmation, Created, Status};
use reqwest::StatusCode;
use serde_json::value::RawValue;
use verifier::document::{Core, Decision, parse_payload};
use verifier::json::Object;
use verifier::names::Username;
use verifier::trust::Trust;
use verifier::verify::{Approvers, Expectation, Report, verify};
use verifier::webauthn::PureRust;

use super::alex::ALEX;
use super::{Wrong, require};
use crate::client::{Client, ClientError};

/// The name of the API key, as approvers see it.
pub(super) const DEPLOY_BOT: &str = "deploy-bot";

/// A program with an API key.
#[derive(Clone)]
pub(super) struct Agent {
    client: Client,
}

/// What it wants to do, and what the server made of it.
#[derive(Clone)]
pub(super) struct Asked {
    action: &'static str,
    payload: Object,
    pub(super) created: Created,
}

impl Agent {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Asks alex for an action, and remembers exactly what it asked.
    pub(super) async fn ask(&self, action: &'static str, payload: &str, expires_in: u64) -> Result<Asked, Wrong> {
        let request = CreateConfirmation {
            username: Some(ALEX.to_owned()),
            approvers: None,
            quorum: None,
            action: action.to_owned(),
            payload: RawValue::from_string(payload.to_owned())?,
            notify: None,
            expires_in: Some(expires_in),
            use_within: None,
            reveal: None,
            metadata: None,
        };
        let created: Created = self.client.post("/api/confirmations", &request).await?;
        let asked = Asked { action, payload: parse_payload(payload.as_bytes())?, created };
        asked.compare_core()?;
        Ok(asked)
    }

    /// Waits until it is decided or expired.
    pub(super) async fn outcome(&self, id: &str) -> Result<Confirmation, ClientError> {
        loop {
            let confirmation: Confirmation = self.client.json(&format!("/api/confirmations/{id}?wait=25")).await?;
            if confirmation.status != Status::Pending {
                return Ok(confirmation);
            }
        }
    }

    /// Uses an approval, once.
    pub(super) async fn consume(&self, id: &str, idempotency_key: &str) -> Result<Consumed, ClientError> {
        self.client.post_once(&format!("/api/confirmations/{id}/consume"), idempotency_key).await
    }

    /// Tries to use what is no approval; the server must refuse.
    pub(super) async fn consume_in_vain(&self, id: &str) -> Result<(), Wrong> {
        match self.consume(id, "in-vain").await {
            Err(ClientError::Refused { status: StatusCode::CONFLICT, .. }) => Ok(()),
            Err(other) => Err(other.into()),
            Ok(_) => Err(Wrong("the server let something be used that is no approval".to_owned())),
        }
    }
}

impl Asked {
    /// What the agent expects of a receipt: exactly what it asked, and that it may still be used.
    pub(super) fn expectation(&self) -> Result<Expectation, Wrong> {
        Ok(Expectation {
            payload: Some(self.payload.clone()),
            action: Some(self.action.to_owned()),
            approvers: Some(Approvers { names: vec![Username::new(ALEX)?], quorum: 1 }),
            decision: Some(Decision::Approve),
            core: Some(self.created.core.clone()),
            requester: Some(DEPLOY_BOT.to_owned()),
            usable_at: Some(crate::now()),
            ..Expectation::default()
        })
    }

    /// Whether the agent may act. Anything but a verified approval of exactly this fails closed, and says why.
    pub(super) fn may_act(&self, confirmation: &Confirmation, trust: &Trust) -> Result<Result<Report, String>, Wrong> {
        if confirmation.status != Status::Approved {
            return Ok(Err(format!("the answer is {}, not approved", confirmation.status.as_str())));
        }
        require(confirmation.core == self.created.core, "the core changed while it was waiting")?;
        let receipt = confirmation.receipt.as_deref().unwrap_or_default();
        let report = verify(receipt.as_bytes(), trust, &self.expectation()?, &PureRust);
        Ok(match report.failure() {
            Some((step, reason)) => Err(format!("the step {} failed: {reason}", step.id())),
            None => Ok(report),
        })
    }

    /// The core is what the approver's document will say; it must be what was asked.
    fn compare_core(&self) -> Result<(), Wrong> {
        let core = Core::parse(&self.created.core)?;
        let same = core.action == self.action
            && core.payload == self.payload
            && core.requester == DEPLOY_BOT
            && core.quorum == 1
            && core.approvers == [Username::new(ALEX)?]
            && core.compare_code() == self.created.compare_code;
        require(same, "the server made something else of the request than was asked")
    }
}
