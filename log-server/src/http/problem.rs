//! Problems as HTTP answers (RFC 9457): one table.

use std::any::Any;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::problem::Problem;
use crate::store::StoreError;

/// A problem on its way to the caller.
#[derive(Debug)]
pub(super) struct Failure(Problem);

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, kind, title) = classify(&self.0);
        let field = match &self.0 {
            Problem::Invalid { field, .. } => Some(field.clone()),
            _ => None,
        };
        let retry_after = match &self.0 {
            Problem::TooMany { retry_after, .. } => Some(*retry_after),
            Problem::Busy(_) | Problem::Unknown => Some(1),
            Problem::DiskFull => Some(60),
            _ => None,
        };
        let mut response = document(status, kind, title, self.0.to_string(), field);
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // Every 401 names a scheme (RFC 9110 §15.5.2); browsers know no passkeys here and leave it to the page.
        let scheme = match &self.0 {
            Problem::NoKey => Some("Bearer"),
            Problem::NoSession => Some("Passkey"),
            _ => None,
        };
        if let Some(scheme) = scheme {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
        }
        response
    }
}

/// Status, stable name and title of each kind of problem.
fn classify(problem: &Problem) -> (StatusCode, &'static str, &'static str) {
    match problem {
        Problem::Malformed(_) => (StatusCode::BAD_REQUEST, "malformed", "The request is not what this route takes"),
        Problem::NoKey => (StatusCode::UNAUTHORIZED, "no-key", "An API key is needed"),
        Problem::NoSession => (StatusCode::UNAUTHORIZED, "no-session", "Nobody is signed in"),
        Problem::Forbidden(_) => (StatusCode::FORBIDDEN, "forbidden", "Not allowed"),
        Problem::NotFound => (StatusCode::NOT_FOUND, "not-found", "Not found"),
        Problem::Conflict(_) => (StatusCode::CONFLICT, "conflict", "It is too late for this"),
        Problem::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Too large"),
        Problem::UnsupportedMedia(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", "Another content type"),
        Problem::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "A value breaks a rule"),
        Problem::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "too-many", "Too many requests"),
        Problem::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, "busy", "The server is busy"),
        Problem::DiskFull => (StatusCode::INSUFFICIENT_STORAGE, "disk-full", "The server's disk is nearly full"),
        Problem::BackupFailed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "backup-failed", "The backup was not made"),
        Problem::Unknown => (StatusCode::SERVICE_UNAVAILABLE, "unknown", "The outcome is unknown"),
    }
}

/// The stable name of a problem's kind.
pub(super) fn kind(failure: &Failure) -> &'static str {
    classify(&failure.0).1
}

pub(super) fn method_not_allowed() -> Response {
    let detail = "this route does not know this method".to_owned();
    document(StatusCode::METHOD_NOT_ALLOWED, "method", "Method not allowed", detail, None)
}

/// A panic in a handler is our bug and ends one request, not the server.
#[allow(clippy::needless_pass_by_value, reason = "the layer hands the panic over")]
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let words = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
    tracing::error!(panic = words.unwrap_or("without words"), "a request handler panicked");
    let detail = "a bug in the server; what was asked may have happened or not".to_owned();
    document(StatusCode::INTERNAL_SERVER_ERROR, "bug", "Internal error", detail, None)
}

fn document(status: StatusCode, kind: &str, title: &str, detail: String, field: Option<String>) -> Response {
    let kind = format!("urn:countersign:problem:{kind}");
    let problem = api::Problem { kind, title: title.to_owned(), status: status.as_u16(), detail, field };
    let mut response = (status, Json(problem)).into_response();
    let content_type = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}
