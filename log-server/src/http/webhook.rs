//! A requester's webhook: set, seen, removed and called again, with the API key that it is for.

use api::{SetWebhook, Webhook, WebhookSet};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};

use super::request::Segment;
use super::{Answer, Server, caller, request};
use crate::api_keys::Scope;

/// `PUT /api/webhook`
pub(super) async fn set(State(app): Server, request: Request) -> Answer<Json<WebhookSet>> {
    let key = caller::key(&app, request.headers(), Scope::Request)?;
    app.require_room()?;
    let asked: SetWebhook = request::json(request).await?;
    Ok(Json(app.approvals.set_webhook(&key, &asked).await?))
}

/// `GET /api/webhook`
pub(super) async fn get(State(app): Server, headers: HeaderMap) -> Answer<Json<Webhook>> {
    let key = caller::key(&app, &headers, Scope::Request)?;
    Ok(Json(app.approvals.webhook(&key.id)?))
}

/// `DELETE /api/webhook`
pub(super) async fn remove(State(app): Server, headers: HeaderMap) -> Answer<StatusCode> {
    let key = caller::key(&app, &headers, Scope::Request)?;
    app.approvals.remove_webhook(&key.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/confirmations/{id}/webhook`
pub(super) async fn again(State(app): Server, Segment(id): Segment, headers: HeaderMap) -> Answer<StatusCode> {
    let key = caller::key(&app, &headers, Scope::Request)?;
    app.require_room()?;
    app.approvals.call_again(&key.id, &id).await?;
    Ok(StatusCode::ACCEPTED)
}
