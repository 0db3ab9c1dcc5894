//! `/mcp`: the tools of the Model Context Protocol on the approval engine, without a detour over HTTP.
//!
//! The key is checked and the body read before the protocol sees anything; who may ask, wait and cancel is what the routes
//! under `/api/confirmations` allow the same key.

use std::sync::Arc;
use std::time::Duration;

use ::mcp::{Ask, Desk, Seen, Trouble};
use api::{ConfirmationSummary, CreateConfirmation, Status};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use serde_json::value::RawValue;
use verifier::json::Value;
use verifier::names::Username;
use verifier::time::Timestamp;
use verifier::trust::Trust;
use verifier::webauthn::SignaturePrimitive;

use super::problem::{Failure, kind};
use super::{Answer, Server, caller, confirmations, request};
use crate::api_keys::{KeyRecord, Scope};
use crate::app::App;
use crate::approvals::{IdempotencyKey, ListQuery};
use crate::problem::Problem;

/// The route, for requesters alone.
pub(super) fn route(app: &Arc<App>) -> Router<Arc<App>> {
    let origin = &app.approvals.identity.public_url;
    let service = ::mcp::http::service(Arc::new(Engine(app.clone())), origin, request::MAX_BODY);
    let admit = axum::middleware::from_fn_with_state(app.clone(), admit);
    Router::new().route_service("/mcp", service).route_layer(admit)
}

/// Lets a requester's calls through, with the key that they came with.
async fn admit(State(app): Server, request: Request, next: Next) -> Answer<Response> {
    let key = caller::key(&app, request.headers(), Scope::Request)?;
    let (mut parts, body) = request.into_parts();
    let whole = Request::from_parts(parts.clone(), body);
    let body = request::body(whole, "a request body", request::MAX_BODY).await?;
    parts.extensions.insert(Arc::new(key));
    Ok(next.run(Request::from_parts(parts, Body::from(body))).await)
}

/// The approval engine as the tools see it.
struct Engine(Arc<App>);

impl Desk for Engine {
    type Caller = Arc<KeyRecord>;

    fn caller(&self, request: Option<&Parts>) -> Result<Arc<KeyRecord>, Trouble> {
        let key = request.and_then(|parts| parts.extensions.get::<Arc<KeyRecord>>());
        key.cloned().ok_or_else(|| trouble(Problem::NoKey))
    }

    async fn create(&self, key: &Arc<KeyRecord>, ask: &Ask, idempotency_key: &str) -> Result<String, Trouble> {
        let app = &self.0;
        app.require_room().map_err(trouble)?;
        let payload = RawValue::from_string(Value::from(ask.payload.clone()).to_canonical());
        let asked = CreateConfirmation {
            username: Some(ask.approver.to_string()),
            approvers: None,
            quorum: None,
            action: ask.action.clone(),
            payload: payload.map_err(|error| Trouble::new("bug", error.to_string()))?,
            notify: None,
            expires_in: Some(ask.expires_in),
            use_within: None,
            reveal: None,
            metadata: None,
        };
        let idempotency = IdempotencyKey::new(idempotency_key).map_err(trouble)?;
        let admit =
            |approvers: &[Username]| approvers.iter().try_for_each(|approver| app.gate.ask(&key.id, approver.as_str()));
        let created = app.approvals.create(key, Some(idempotency), asked, admit).await.map_err(trouble)?;
        Ok(created.id)
    }

    async fn pending(&self, key: &Arc<KeyRecord>, approver: &Username) -> Result<Vec<ConfirmationSummary>, Trouble> {
        let (status, approver) = (Some(Status::Pending), Some(approver.to_string()));
        let query = ListQuery { status, approver, cursor: None, limit: Some(100) };
        Ok(self.0.approvals.list(key, &query).map_err(trouble)?.confirmations)
    }

    async fn look(&self, key: &Arc<KeyRecord>, id: &str, wait: Duration) -> Result<Seen, Trouble> {
        self.seen(confirmations::waited_for(&self.0, key, id, wait).await.map_err(trouble)?)
    }

    async fn cancel(&self, key: &Arc<KeyRecord>, id: &str) -> Result<Seen, Trouble> {
        self.seen(self.0.approvals.cancel(&key.id, id).await.map_err(trouble)?)
    }

    async fn trust(&self) -> Result<Trust, Trouble> {
        Ok(self.0.trust())
    }

    fn primitive(&self) -> &(dyn SignaturePrimitive + Sync) {
        &*self.0.approvals.primitive
    }

    fn now(&self) -> Timestamp {
        self.0.approvals.time.now()
    }
}

impl Engine {
    fn seen(&self, confirmation: api::Confirmation) -> Result<Seen, Trouble> {
        Seen::judge(confirmation, &self.0.trust(), self.primitive())
    }
}

fn trouble(problem: Problem) -> Trouble {
    let words = match &problem {
        Problem::Invalid { field, reason } => format!("{field}: {reason}"),
        problem => problem.to_string(),
    };
    Trouble::new(kind(&Failure::from(problem)), words)
}
