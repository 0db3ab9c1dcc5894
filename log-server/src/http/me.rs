//! What an approver's own page sends. All of it is POST, from our own page alone, and all but the sign-in with its cookie.

use api::{
    AddPasskeyRequest, AuthorisationOptions, AuthorisationOptionsRequest, Contact, ContactChange, ContactChangeOptions,
    ContactChangeRequest, Enrolled, MyPage, MyPageRequest, MyReceipt, PasskeyOptions, RemovalOptions, RemovalRequest,
    Revoked, SessionRequest, SignInOptions,
};
use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::AppendHeaders;
use serde_json::{Value, json};

use super::request::Segment;
use super::{Answer, Server, request, session};

type WithCookie = (AppendHeaders<[(header::HeaderName, String); 1]>, Json<Value>);

/// `POST /me/options`
pub(super) async fn options(State(app): Server, headers: HeaderMap) -> Answer<Json<SignInOptions>> {
    session::own_page(&app, &headers)?;
    app.gate.sign_in()?;
    Ok(Json(app.approvals.sign_in_options()))
}

/// `POST /me/session`
pub(super) async fn sign_in(State(app): Server, request: Request) -> Answer<WithCookie> {
    session::own_page(&app, request.headers())?;
    let sent: SessionRequest = request::json(request).await?;
    let token = app.approvals.sign_in(&sent)?;
    Ok((AppendHeaders([(header::SET_COOKIE, session::cookie(&app, &token))]), Json(json!({}))))
}

/// `POST /me/sign-out`: also without a session, so that it can be said twice.
pub(super) async fn sign_out(State(app): Server, headers: HeaderMap) -> Answer<WithCookie> {
    session::own_page(&app, &headers)?;
    if let Some(token) = session::token(&app, &headers) {
        app.approvals.sign_out(token);
    }
    Ok((AppendHeaders([(header::SET_COOKIE, session::no_cookie(&app))]), Json(json!({}))))
}

/// `POST /me`
pub(super) async fn page(State(app): Server, request: Request) -> Answer<Json<MyPage>> {
    let signed_in = session::signed_in(&app, request.headers())?;
    let asked: MyPageRequest = request::json(request).await?;
    Ok(Json(app.approvals.my_page(&signed_in, &asked)?))
}

/// `POST /me/receipts/{id}`
pub(super) async fn receipt(State(app): Server, Segment(id): Segment, headers: HeaderMap) -> Answer<Json<MyReceipt>> {
    let signed_in = session::signed_in(&app, &headers)?;
    Ok(Json(app.approvals.my_receipt(&signed_in, &id)?))
}

/// `POST /me/passkeys/options`
pub(super) async fn passkey_options(State(app): Server, headers: HeaderMap) -> Answer<Json<PasskeyOptions>> {
    let signed_in = session::signed_in(&app, &headers)?;
    Ok(Json(app.approvals.passkey_options(&signed_in)?))
}

/// `POST /me/passkeys/authorisation`
pub(super) async fn authorisation(State(app): Server, request: Request) -> Answer<Json<AuthorisationOptions>> {
    let signed_in = session::signed_in(&app, request.headers())?;
    let asked: AuthorisationOptionsRequest = request::json(request).await?;
    Ok(Json(app.approvals.authorisation_options(&signed_in, asked)?))
}

/// `POST /me/passkeys`
pub(super) async fn add_passkey(State(app): Server, request: Request) -> Answer<(StatusCode, Json<Enrolled>)> {
    let signed_in = session::signed_in(&app, request.headers())?;
    app.require_room()?;
    let sent: AddPasskeyRequest = request::json(request).await?;
    Ok((StatusCode::CREATED, Json(app.approvals.add_passkey(&signed_in, sent).await?)))
}

/// `POST /me/passkeys/{credential}/removal/options`
pub(super) async fn removal_options(
    State(app): Server,
    Segment(credential): Segment,
    headers: HeaderMap,
) -> Answer<Json<RemovalOptions>> {
    let signed_in = session::signed_in(&app, &headers)?;
    Ok(Json(app.approvals.removal_options(&signed_in, &credential)?))
}

/// `POST /me/passkeys/{credential}/removal`. Never refused for want of room: it ends something.
pub(super) async fn removal(
    State(app): Server,
    Segment(credential): Segment,
    request: Request,
) -> Answer<Json<Revoked>> {
    let signed_in = session::signed_in(&app, request.headers())?;
    let sent: RemovalRequest = request::json(request).await?;
    Ok(Json(app.approvals.remove_passkey(&signed_in, &credential, &sent).await?))
}

/// `POST /me/contacts/{channel}/options`
pub(super) async fn contact_change_options(
    State(app): Server,
    Segment(channel): Segment,
    request: Request,
) -> Answer<Json<ContactChangeOptions>> {
    let signed_in = session::signed_in(&app, request.headers())?;
    let asked: ContactChangeRequest = request::json(request).await?;
    Ok(Json(app.approvals.contact_change_options(&signed_in, &channel, &asked).await?))
}

/// `POST /me/contacts/{channel}`
pub(super) async fn change_contact(
    State(app): Server,
    Segment(channel): Segment,
    request: Request,
) -> Answer<Json<Vec<Contact>>> {
    let signed_in = session::signed_in(&app, request.headers())?;
    app.require_room()?;
    let sent: ContactChange = request::json(request).await?;
    Ok(Json(app.approvals.change_contact(&signed_in, &channel, &sent).await?))
}
