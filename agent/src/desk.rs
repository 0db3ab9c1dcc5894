//! The approval tools over a client: what `countersign mcp` serves on standard input and output.
//!
//! The client remembers the core of every request that this process made, and accepts only a receipt for exactly that. A
//! request of an earlier process is resumed by its id: then the receipt is verified for the core that the server shows, and
//! the answer to the model holds action and payload out of that core.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use api::{Confirmation, ConfirmationSummary, Status};
use mcp::{Ask, Desk, Flaw, Seen, Trouble};
use verifier::names::Username;
use verifier::time::Timestamp;
use verifier::trust::Trust;
use verifier::webauthn::{PureRust, SignaturePrimitive};

use crate::approval::Asked;
use crate::client::{Client, Looked, Pending};
use crate::outcome::{Code, Denied};

/// How many requests of this process are remembered. Who asks more has forgotten the first ones too.
const MAX_REMEMBERED: usize = 1000;

/// The tools' desk over a client.
pub struct ClientDesk {
    client: Client,
    made: Mutex<BTreeMap<String, Pending>>,
}

impl ClientDesk {
    /// A desk over a client.
    pub fn new(client: Client) -> Self {
        Self { client, made: Mutex::new(BTreeMap::new()) }
    }

    /// A request by its id: of this process, or else as the server knows it.
    async fn known(&self, id: &str) -> Result<Pending, Trouble> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        match made {
            Some(pending) => Ok(pending),
            None => Ok(self.client.resume(id).await.map_err(trouble)?.0),
        }
    }

    fn remember(&self, pending: Pending) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= MAX_REMEMBERED {
            let oldest = made.iter().min_by_key(|(_, pending)| pending.remembered().core.issued_at);
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                made.remove(&oldest);
            }
        }
        made.insert(pending.id().to_owned(), pending);
    }
}

impl Desk for ClientDesk {
    type Caller = ();

    fn caller(&self, _request: Option<&mcp::RequestParts>) -> Result<(), Trouble> {
        Ok(())
    }

    async fn create(&self, (): &(), ask: &Ask, idempotency_key: &str) -> Result<String, Trouble> {
        let asked = Asked {
            expires_in: Some(ask.expires_in),
            ..Asked::of(ask.approver.clone(), ask.action.clone(), ask.payload.clone())
        };
        let pending = self.client.ask(&asked, Some(idempotency_key), None).await.map_err(trouble)?;
        let id = pending.id().to_owned();
        self.remember(pending);
        Ok(id)
    }

    async fn pending(&self, (): &(), approver: &Username) -> Result<Vec<ConfirmationSummary>, Trouble> {
        Ok(self.client.list(Status::Pending, approver.as_str()).await.map_err(trouble)?.confirmations)
    }

    async fn look(&self, (): &(), id: &str, wait: Duration) -> Result<Seen, Trouble> {
        let pending = self.known(id).await?;
        let Looked { answer, outcome } = pending.look(wait).await.map_err(trouble)?;
        let flaw = match (answer.status, outcome) {
            (Status::Approved, Err(denied)) => Some(Flaw { code: denied.code.as_str(), words: denied.detail }),
            _ => None,
        };
        Ok(seen(&pending, answer, flaw))
    }

    async fn cancel(&self, (): &(), id: &str) -> Result<Seen, Trouble> {
        let pending = self.known(id).await?;
        pending.cancel().await.map_err(trouble)?;
        self.look(&(), id, Duration::ZERO).await
    }

    async fn trust(&self) -> Result<Trust, Trouble> {
        self.client.trust().await.cloned().map_err(trouble)
    }

    fn primitive(&self) -> &(dyn SignaturePrimitive + Sync) {
        &PureRust
    }

    fn now(&self) -> Timestamp {
        self.client.clock().wall()
    }
}

/// What is seen is about the core that was asked for, whatever stands beside it in the answer.
fn seen(pending: &Pending, confirmation: Confirmation, flaw: Option<Flaw>) -> Seen {
    Seen { confirmation, core: pending.remembered().core.clone(), flaw }
}

/// What the server refused goes to the model with the server's own name for it.
fn trouble(denied: Denied) -> Trouble {
    let kind = denied.problem.as_ref().and_then(|(_, kind)| kind.strip_prefix("urn:countersign:problem:"));
    match (denied.code, kind) {
        (Code::Refused, Some(kind)) => Trouble::new(kind, denied.detail.clone()),
        _ => Trouble::new(denied.code.as_str(), denied.detail),
    }
}
