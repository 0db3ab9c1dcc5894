//! What every answer carries: headers that keep browsers from doing more with it than was meant, and a line in the log.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::unread;

/// For everything that is no page: nothing may run, nothing may frame it.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::CONTENT_SECURITY_POLICY, NOTHING),
];

/// Adds what is missing. A route's own headers win.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    // The route and not the path: paths hold invite codes.
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = route.unwrap_or_default();
    let (request, unread) = unread::watch(request);
    let mut response = next.run(request).await;
    if let Some(unread) = unread {
        unread.settle(&mut response).await;
    }
    for (name, value) in ALWAYS {
        add(response.headers_mut(), name, value);
    }
    let log_read = route.starts_with("/log/") && matches!(method, Method::GET | Method::HEAD);
    if log_read {
        add(response.headers_mut(), header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    }
    let policy = if log_read { "cross-origin" } else { "same-origin" };
    add(response.headers_mut(), HeaderName::from_static("cross-origin-resource-policy"), policy);
    add(response.headers_mut(), header::CACHE_CONTROL, "no-store");
    let micros = started.elapsed().as_micros();
    tracing::debug!(%method, route, status = response.status().as_u16(), micros, "answered");
    response
}

fn add(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}
