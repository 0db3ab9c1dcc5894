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
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../", $folder, "/", $name)))),+]
    };
}

const APPROVE: &str = include_str!("../../../web/approve.html");
const ENROL: &str = include_str!("../../../web/enrol.html");
const LOG: &str = include_str!("../../../web/log.html");
const VERIFY: &str = include_str!("../../../web/verify.html");
const ASSETS: &[(&str, &str)] = assets![
    "web":
    "approve.js",
    "base64url.js",
    "canonical-json.js",
    "command-line.js",
    "copy-button.js",
    "countdown.js",
    "credential.js",
    "document.js",
    "dom.js",
    "enrol.js",
    "entry-view.js",
    "example-bad.json",
    "example-good.json",
    "expectation-form.js",
    "given-file.js",
    "http.js",
    "local-time.js",
    "log-reader.js",
    "log-search.js",
    "log.js",
    "merkle-drawing.js",
    "merkle-path.js",
    "outcome-view.js",
    "page.js",
    "payload.js",
    "receipt-view.js",
    "remembered.js",
    "request-view.js",
    "style.css",
    "term-row.js",
    "verify.js",
    "visible.js",
];
/// The JavaScript verifier: the same files that run outside of a browser.
const VERIFIER: &[(&str, &str)] = assets![
    "verifier-js":
    "checkpoint.js",
    "document.js",
    "ed25519.js",
    "encoding.js",
    "entry.js",
    "fields.js",
    "index.js",
    "json.js",
    "merkle.js",
    "names.js",
    "note.js",
    "number.js",
    "receipt.js",
    "refusal.js",
    "report.js",
    "time.js",
    "trust.js",
    "verify.js",
    "verify/enrolment.js",
    "verify/expectation.js",
    "verify/facts.js",
    "verify/steps.js",
    "webauthn/assertion.js",
    "webauthn/authenticator-data.js",
    "webauthn/cbor.js",
    "webauthn/client-data.js",
    "webauthn/public-key.js",
    "webauthn/signature.js",
];

/// `GET /approve/{id}`: the same page for every id; what it shows comes by a POST.
pub(super) async fn approve(State(app): Server) -> Response {
    page(&app, APPROVE)
}

/// `GET /enrol/{code}`: the same page for every code.
pub(super) async fn enrol(State(app): Server) -> Response {
    page(&app, ENROL)
}

/// `GET /verify`: the receipt verifier. What it verifies never comes here.
pub(super) async fn verify(State(app): Server) -> Response {
    page(&app, VERIFY)
}

/// `GET /log` and `GET /log/entry/{index}`: the same page for every entry, existing or not; it reads the log itself.
pub(super) async fn log(State(app): Server) -> Response {
    page(&app, LOG)
}

/// `GET /web/{name}`
pub(super) async fn asset(Path(name): Path<String>) -> Answer<Response> {
    file(ASSETS, &name)
}

/// `GET /verifier/{path}`
pub(super) async fn verifier(Path(path): Path<String>) -> Answer<Response> {
    file(VERIFIER, &path)
}

fn file(files: &[(&str, &'static str)], name: &str) -> Answer<Response> {
    let (_, text) = files.iter().find(|(known, _)| *known == name).ok_or(Problem::NotFound)?;
    let content_type = match name.rsplit_once('.') {
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "json")) => "application/json",
        _ => "text/javascript; charset=utf-8",
    };
    Ok(([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache")], *text).into_response())
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
