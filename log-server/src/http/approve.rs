//! What the approve page sends.

use api::{ApproveOptions, ApproveOptionsRequest, DecisionMade, DecisionRequest};
use axum::Json;
use axum::extract::{Request, State};

use super::request::Segment;
use super::{Answer, Server, caller, request};

/// `POST /approve/{id}/options`
pub(super) async fn options(
    State(app): Server,
    Segment(id): Segment,
    request: Request,
) -> Answer<Json<ApproveOptions>> {
    caller::same_site(&app, request.headers())?;
    let asked: ApproveOptionsRequest = request::json(request).await?;
    Ok(Json(app.approvals.approve_options(&id, &asked)?))
}

/// `POST /approve/{id}/decision`. Never refused for want of room: a "no" must always get through.
pub(super) async fn decision(State(app): Server, Segment(id): Segment, request: Request) -> Answer<Json<DecisionMade>> {
    caller::same_site(&app, request.headers())?;
    let sent: DecisionRequest = request::json(request).await?;
    Ok(Json(app.approvals.decide(&id, sent).await?))
}
