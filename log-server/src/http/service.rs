//! What says how the server is, and what verifiers pin.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Server;

/// `GET /trust.json`: this server's log key and site. It pins no people; compare the key over another channel.
pub(super) async fn trust(State(app): Server) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], app.trust().to_json() + "\n").into_response()
}

/// `GET /healthz`: the process answers.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the server takes requests.
pub(super) async fn ready(State(app): Server) -> (StatusCode, &'static str) {
    if *app.stopping.borrow() { (StatusCode::SERVICE_UNAVAILABLE, "stopping\n") } else { (StatusCode::OK, "ok\n") }
}
