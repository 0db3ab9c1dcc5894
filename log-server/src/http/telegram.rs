//! What Telegram calls when something is written to the bot. Without the secret that it was told there is nothing here.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::HeaderName;
use serde_json::{Value, json};

use super::{Answer, Server, request};
use crate::notifications::Telegram;
use crate::problem::Problem;

/// Telegram's header for the secret.
const SECRET: HeaderName = HeaderName::from_static("x-telegram-bot-api-secret-token");
/// The largest update that is read: a text of 4,096 letters with everything that may stand around it.
const MAX_UPDATE: usize = 256 * 1024;

/// `POST /telegram/updates`
pub(super) async fn update(State(app): Server, request: Request) -> Answer<Json<Value>> {
    let called: Option<Arc<Telegram>> = app.approvals.couriers.telegram().cloned();
    let secret = request.headers().get(SECRET).map_or(b"".as_slice(), |value| value.as_bytes());
    let telegram = called.filter(|telegram| telegram.is_called_with(secret)).ok_or(Problem::NotFound)?;
    let body = request::body(request, "an update", MAX_UPDATE).await?;
    let update = serde_json::from_slice(&body).map_err(|error| Problem::Malformed(format!("the body: {error}")))?;
    telegram.take(&app, update).await?;
    Ok(Json(json!({})))
}
