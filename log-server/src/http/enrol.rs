//! What the enrol page sends.

use api::{EnrolOptions, EnrolOptionsRequest, EnrolRequest, Enrolled};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;

use super::request::Segment;
use super::{Answer, Server, caller, request};

/// `POST /enrol/{code}/options`
pub(super) async fn options(
    State(app): Server,
    Segment(code): Segment,
    request: Request,
) -> Answer<Json<EnrolOptions>> {
    caller::same_site(&app, request.headers())?;
    let asked: EnrolOptionsRequest = request::json(request).await?;
    Ok(Json(app.approvals.enrol_options(&code, asked.username.as_deref())?))
}

/// `POST /enrol/{code}`
pub(super) async fn enrol(
    State(app): Server,
    Segment(code): Segment,
    request: Request,
) -> Answer<(StatusCode, Json<Enrolled>)> {
    caller::same_site(&app, request.headers())?;
    app.require_room()?;
    let sent: EnrolRequest = request::json(request).await?;
    Ok((StatusCode::CREATED, Json(app.approvals.enrol(&code, sent).await?)))
}
