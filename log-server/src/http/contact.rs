//! What the page behind a link that confirms an address sends. The link itself, a GET, changes nothing.

use api::ContactProposal;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::request::Segment;
use super::{Answer, Server, caller};

/// `POST /contact/{token}/options`
pub(super) async fn options(
    State(app): Server,
    Segment(token): Segment,
    headers: HeaderMap,
) -> Answer<Json<ContactProposal>> {
    caller::same_site(&app, &headers)?;
    Ok(Json(app.approvals.contact_proposal(&token)?))
}

/// `POST /contact/{token}`
pub(super) async fn confirm(State(app): Server, Segment(token): Segment, headers: HeaderMap) -> Answer<Json<Value>> {
    caller::same_site(&app, &headers)?;
    app.require_room()?;
    app.approvals.confirm_contact(&token).await?;
    Ok(Json(json!({})))
}
