//! Invites, API keys, approvers, backups: for keys with the scope `admin`.

use api::{
    ApproverList, BackupMade, CreateInvite, CreateKey, InviteCreated, InviteList, KeyCreated, KeyList,
    NotificationList, Revoked,
};
use axum::Json;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::request::Segment;
use super::{Answer, Server, caller, request};
use crate::api_keys::Scope;
use crate::problem::Problem;

/// `POST /api/invites`
pub(super) async fn create_invite(State(app): Server, request: Request) -> Answer<(StatusCode, Json<InviteCreated>)> {
    let key = caller::key(&app, request.headers(), Scope::Admin)?;
    app.require_room()?;
    let asked: CreateInvite = request::json(request).await?;
    Ok((StatusCode::CREATED, Json(app.approvals.create_invite(&key.id, asked).await?)))
}

/// `GET /api/invites`
pub(super) async fn invites(State(app): Server, headers: HeaderMap) -> Answer<Json<InviteList>> {
    caller::key(&app, &headers, Scope::Admin)?;
    Ok(Json(app.approvals.invites()?))
}

/// `DELETE /api/invites/{id}`
pub(super) async fn revoke_invite(State(app): Server, Segment(id): Segment, headers: HeaderMap) -> Answer<StatusCode> {
    let key = caller::key(&app, &headers, Scope::Admin)?;
    app.approvals.revoke_invite(&key.id, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/keys`
pub(super) async fn create_key(State(app): Server, request: Request) -> Answer<(StatusCode, Json<KeyCreated>)> {
    let key = caller::key(&app, request.headers(), Scope::Admin)?;
    app.require_room()?;
    let asked: CreateKey = request::json(request).await?;
    Ok((StatusCode::CREATED, Json(app.approvals.create_key(&key.id, asked).await?)))
}

/// `GET /api/keys`
pub(super) async fn keys(State(app): Server, headers: HeaderMap) -> Answer<Json<KeyList>> {
    caller::key(&app, &headers, Scope::Admin)?;
    Ok(Json(app.approvals.keys()?))
}

/// `DELETE /api/keys/{id}`
pub(super) async fn revoke_key(State(app): Server, Segment(id): Segment, headers: HeaderMap) -> Answer<StatusCode> {
    let key = caller::key(&app, &headers, Scope::Admin)?;
    // It may cancel many requests, and goes on when the caller goes away.
    let revoking = tokio::spawn(async move { app.approvals.revoke_key(&key.id, &id).await });
    revoking.await.map_err(|_| Problem::Unknown)??;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/approvers`
pub(super) async fn approvers(State(app): Server, headers: HeaderMap) -> Answer<Json<ApproverList>> {
    caller::key(&app, &headers, Scope::Admin)?;
    Ok(Json(app.approvals.approvers()?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    reason: Option<String>,
}

/// `DELETE /api/credentials/{credential}?reason=`
pub(super) async fn revoke_credential(
    State(app): Server,
    Segment(credential): Segment,
    why: Result<Query<Why>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Answer<Json<Revoked>> {
    let key = caller::key(&app, &headers, Scope::Admin)?;
    let why = why.map_err(|error| Problem::Malformed(error.body_text()))?.0;
    let reason = why.reason.ok_or_else(|| Problem::invalid("reason", "lost, stolen, left, replaced or other"))?;
    Ok(Json(app.approvals.revoke(&key.id, &credential, &reason).await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InState {
    state: Option<String>,
    cursor: Option<String>,
}

/// `GET /api/notifications?state=&cursor=`
pub(super) async fn notifications(
    State(app): Server,
    query: Result<Query<InState>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Answer<Json<NotificationList>> {
    caller::key(&app, &headers, Scope::Admin)?;
    let InState { state, cursor } = query.map_err(|error| Problem::Malformed(error.body_text()))?.0;
    let state = state.ok_or_else(|| Problem::invalid("state", "failed or queued"))?;
    Ok(Json(app.approvals.notifications(&state, cursor.as_deref())?))
}

/// `POST /api/backups`: the server chooses where; the caller names nothing.
pub(super) async fn create_backup(State(app): Server, headers: HeaderMap) -> Answer<(StatusCode, Json<BackupMade>)> {
    caller::key(&app, &headers, Scope::Admin)?;
    app.require_room()?;
    // Copying takes a while, and must take no thread from the other requests.
    let made = tokio::task::spawn_blocking(move || {
        let backups = app.backups.as_ref().ok_or(Problem::NotFound)?;
        backups.make(&app.log.published())
    });
    let made = made.await.map_err(|error| Problem::BackupFailed(format!("a bug in the server: {error}")))?;
    Ok((StatusCode::CREATED, Json(made?)))
}
