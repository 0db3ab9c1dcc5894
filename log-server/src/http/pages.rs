//! The pages and what belongs to them, embedded: what a browser gets is what this binary was built with.

use axum::extract::{Path, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};

use super::{Answer, Server};
use crate::app::App;
use crate::problem::Problem;

/// Scripts and styles from this site alone, no inline code, no HTML made by scripts, no frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";
const PERMISSIONS: &str = "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), \
    geolocation=(), microphone=()";

macro_rules! assets {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../web/", $name)))),+]
    };
}

const APPROVE: &str = include_str!("../../../web/approve.html");
const ENROL: &str = include_str!("../../../web/enrol.html");
const ASSETS: [(&str, &str); 15] = assets![
    "approve.js",
    "base64url.js",
    "canonical-json.js",
    "countdown.js",
    "credential.js",
    "document.js",
    "dom.js",
    "enrol.js",
    "http.js",
    "outcome-view.js",
    "page.js",
    "payload.js",
    "request-view.js",
    "style.css",
    "visible.js",
];

/// `GET /approve/{id}`: the same page for every id; what it shows comes by a POST.
pub(super) async fn approve(State(app): Server) -> Response {
    page(&app, APPROVE)
}

/// `GET /enrol/{code}`: the same page for every code.
pub(super) async fn enrol(State(app): Server) -> Response {
    page(&app, ENROL)
}

/// `GET /web/{name}`
pub(super) async fn asset(Path(name): Path<String>) -> Answer<Response> {
    let (_, text) = ASSETS.into_iter().find(|(known, _)| *known == name).ok_or(Problem::NotFound)?;
    let content_type = if name == "style.css" { "text/css; charset=utf-8" } else { "text/javascript; charset=utf-8" };
    Ok(([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache")], text).into_response())
}

fn page(app: &App, html: &'static str) -> Response {
    let banner = app.banner.as_deref().map(|words| format!("<p class=\"banner\">{}</p>", escaped(words)));
    let html = html.replace("<!-- banner -->", banner.as_deref().unwrap_or_default());
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    ];
    (headers, html).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
