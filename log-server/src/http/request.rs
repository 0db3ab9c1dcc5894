//! Reading requests: bodies within limits and deadlines, JSON of one type, headers.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::problem::Failure;
use crate::approvals::IdempotencyKey;
use crate::problem::Problem;

/// The largest body, in bytes.
pub(super) const MAX_BODY: usize = 1024 * 1024;
/// How long a body may take.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// The variable part of a path. One that is no text leads nowhere, like every other that is not known.
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let segment = Path::from_request_parts(parts, state).await;
        segment.map(|Path(segment)| Self(segment)).map_err(|_| Problem::NotFound.into())
    }
}

/// Reads a body as JSON of one type.
pub(super) async fn json<T: DeserializeOwned>(request: Request) -> Result<T, Problem> {
    if !is_json(request.headers()) {
        return Err(Problem::UnsupportedMedia("the content type must be application/json".to_owned()));
    }
    let bytes = body(request, "a request body", MAX_BODY).await?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::Malformed(format!("the body: {error}")))
}

/// Whether the content type is JSON.
pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let content_type = text(headers, &header::CONTENT_TYPE).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Reads a body of at most `limit` bytes, without any content encoding, within the deadline.
pub(super) async fn body(request: Request<Body>, what: &'static str, limit: usize) -> Result<Bytes, Problem> {
    if text(request.headers(), &header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Problem::UnsupportedMedia("a compressed body is not accepted".to_owned()));
    }
    // What says itself that it is too large is refused at once, not when the limit has been read.
    if request.body().size_hint().lower() > limit as u64 {
        return Err(Problem::TooLarge { what, limit });
    }
    let reading = Limited::new(request.into_body(), limit).collect();
    match tokio::time::timeout(BODY_DEADLINE, reading).await {
        Err(_) => Err(Problem::Malformed(format!("the body took longer than {} seconds", BODY_DEADLINE.as_secs()))),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::TooLarge { what, limit }),
        Ok(Err(error)) => Err(Problem::Malformed(format!("the body ended early: {error}"))),
    }
}

/// The `Idempotency-Key` header, if there is one.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => IdempotencyKey::new(value.to_str().unwrap_or_default()).map(Some),
        _ => Err(Problem::Malformed("Idempotency-Key stands twice".to_owned())),
    }
}

/// A header's text, if it is visible ASCII.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Whether `If-None-Match` names this tag, so that the asker has what would be sent (RFC 9110 §13.1.2).
pub(super) fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    text(headers, &header::IF_NONE_MATCH).is_some_and(|tags| {
        tags.split(',').any(|tag| matches!(tag.trim(), "*") || tag.trim().trim_start_matches("W/") == etag)
    })
}
