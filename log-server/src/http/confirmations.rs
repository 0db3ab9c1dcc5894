//! Asking for confirmations, waiting for them, using them.

use std::time::Duration;

use api::{Confirmation, ConfirmationList, Consumed, CreateConfirmation, Created, Status};
use axum::Json;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use verifier::names::Username;

use super::request::Segment;
use super::{Answer, Server, caller, request};
use crate::api_keys::{KeyRecord, Scope};
use crate::app::App;
use crate::approvals::ListQuery;
use crate::problem::Problem;

/// The longest long-poll, in seconds.
const MAX_WAIT: u64 = 60;

/// `POST /api/confirmations`
pub(super) async fn create(State(app): Server, request: Request) -> Answer<(StatusCode, Json<Created>)> {
    let key = caller::key(&app, request.headers(), Scope::Request)?;
    let idempotency = request::idempotency_key(request.headers())?;
    app.require_room()?;
    let asked: CreateConfirmation = request::json(request).await?;
    let tells = asked.notify.as_deref().is_some_and(|word| word != "none");
    let admit = |approvers: &[Username]| {
        approvers.iter().try_for_each(|approver| app.gate.ask(&key.id, approver.as_str()))?;
        if tells {
            approvers.iter().try_for_each(|approver| app.gate.notify(&key.id, approver.as_str()))
        } else {
            Ok(())
        }
    };
    let created = app.approvals.create(&key, idempotency, asked, admit).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    wait: Option<String>,
}

/// `GET /api/confirmations/{id}?wait=`: at once when it is decided, else after `wait` seconds as `pending`.
pub(super) async fn get(
    State(app): Server,
    Segment(id): Segment,
    wait: Result<Query<Wait>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Answer<Json<Confirmation>> {
    let key = caller::key(&app, &headers, Scope::Request)?;
    let wait = seconds(wait.map_err(|error| Problem::Malformed(error.body_text()))?.0)?;
    Ok(Json(waited_for(&app, &key, &id, wait).await?))
}

/// A confirmation: at once if it is decided, else when it is, and after at most `wait` as it is then.
pub(super) async fn waited_for(app: &App, key: &KeyRecord, id: &str, wait: Duration) -> Result<Confirmation, Problem> {
    if !wait.is_zero() && app.approvals.status(&key.id, id)? == Status::Pending {
        let _place = app.gate.poll(&key.id)?;
        tokio::select! {
            decided = app.approvals.until_decided(id) => decided?,
            () = tokio::time::sleep(wait) => {}
            () = app.stopping() => {}
        }
    }
    app.approvals.confirmation(&key.id, id)
}

fn seconds(Wait { wait }: Wait) -> Result<Duration, Problem> {
    let Some(text) = wait else { return Ok(Duration::ZERO) };
    match text.parse() {
        Ok(seconds @ 0..=MAX_WAIT) => Ok(Duration::from_secs(seconds)),
        _ => Err(Problem::invalid("wait", format!("must be 0 to {MAX_WAIT} seconds"))),
    }
}

/// `GET /api/confirmations`
pub(super) async fn list(
    State(app): Server,
    query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Answer<Json<ConfirmationList>> {
    let key = caller::any_key(&app, &headers)?;
    if !key.scopes.iter().any(|scope| matches!(scope, Scope::Request | Scope::Admin)) {
        return Err(Problem::Forbidden("this needs an API key with the scope request or admin".to_owned()).into());
    }
    let query = query.map_err(|error| Problem::Malformed(error.body_text()))?.0;
    Ok(Json(app.approvals.list(&key, &query)?))
}

/// `POST /api/confirmations/{id}/cancel`
pub(super) async fn cancel(State(app): Server, Segment(id): Segment, headers: HeaderMap) -> Answer<Json<Confirmation>> {
    let key = caller::key(&app, &headers, Scope::Request)?;
    Ok(Json(app.approvals.cancel(&key.id, &id).await?))
}

/// `POST /api/confirmations/{id}/consume`
pub(super) async fn consume(State(app): Server, Segment(id): Segment, headers: HeaderMap) -> Answer<Json<Consumed>> {
    let key = caller::key(&app, &headers, Scope::Request)?;
    let idempotency = request::idempotency_key(&headers)?;
    app.require_room()?;
    Ok(Json(app.approvals.consume(&key.id, &id, idempotency).await?))
}

/// `GET /public/log/entries/{id}/verification`
pub(super) async fn public_receipt(State(app): Server, Segment(id): Segment) -> Answer<Response> {
    let receipt = app.approvals.public_receipt(&id)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], receipt).into_response())
}
