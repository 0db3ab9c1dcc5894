//! The pages and what belongs to them, embedded: what a browser gets is what this binary was built with.

use std::sync::{Arc, LazyLock};

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::Response;
use axum::routing::{MethodRouter, get};

use super::Answer;
use super::embedded::{Embedded, Kind};
use crate::app::App;
use crate::problem::Problem;

/// Scripts and styles from this site alone, no inline code, no HTML made by scripts, no frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";
const PERMISSIONS: &str = "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), \
    geolocation=(), microphone=()";

/// Files by their names in the folder.
type Files = LazyLock<Vec<(&'static str, Embedded)>>;

macro_rules! assets {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        LazyLock::new(|| {
            let source = [$(($name, include_str!(concat!("../../../", $folder, "/", $name)))),+];
            source.into_iter().map(|(name, text)| (name, Embedded::named(name, text))).collect()
        })
    };
}

const APPROVE: &str = include_str!("../../../web/approve.html");
const CONTACT: &str = include_str!("../../../web/contact.html");
const ENROL: &str = include_str!("../../../web/enrol.html");
const LOG: &str = include_str!("../../../web/log.html");
const ME: &str = include_str!("../../../web/me.html");
const VERIFY: &str = include_str!("../../../web/verify.html");
static ASSETS: Files = assets![
    "web":
    "approve.css",
    "approve.js",
    "arabic.js",
    "base64url.js",
    "canonical-json.js",
    "command-line.js",
    "contact.js",
    "copy-button.js",
    "copy-values.js",
    "countdown.js",
    "credential.js",
    "difference.js",
    "document.js",
    "dom.js",
    "english.js",
    "enrol.js",
    "enrolment.js",
    "entry-view.js",
    "exact-value.js",
    "example.json",
    "expectation-form.js",
    "given-file.js",
    "http.js",
    "lists.css",
    "local-time.js",
    "log-reader.js",
    "log-search.js",
    "log.js",
    "look-alikes.js",
    "me-view.js",
    "me.js",
    "memory-view.js",
    "merkle-drawing.js",
    "merkle-path.js",
    "merkle-steps.js",
    "moment.js",
    "other-browser.js",
    "outcome-view.js",
    "own-contacts.js",
    "own-passkeys.js",
    "own-step.js",
    "page.js",
    "payload.js",
    "people.js",
    "qr.js",
    "receipt-view.js",
    "remembered.js",
    "request-view.js",
    "sections.js",
    "style.css",
    "term-row.js",
    "unsent.js",
    "verify.js",
    "visible.js",
    "waiting.js",
    "words.js",
];
/// The JavaScript verifier: the same files that run outside of a browser.
static VERIFIER: Files = assets![
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
pub(super) fn approve(banner: Option<&str>) -> MethodRouter<Arc<App>> {
    page(APPROVE, banner, "no-store")
}

/// `GET /enrol/{code}`: the same page for every code.
pub(super) fn enrol(banner: Option<&str>) -> MethodRouter<Arc<App>> {
    page(ENROL, banner, "no-store")
}

/// `GET /contact/{token}`: the same page for every token; its button sends a POST.
pub(super) fn contact(banner: Option<&str>) -> MethodRouter<Arc<App>> {
    page(CONTACT, banner, "no-store")
}

/// `GET /me`: the same page for everybody, signed in or not; what it shows comes by a POST.
pub(super) fn me(banner: Option<&str>) -> MethodRouter<Arc<App>> {
    page(ME, banner, "no-store")
}

/// `GET /verify`: the receipt verifier. What it verifies never comes here.
pub(super) fn verify(banner: Option<&str>) -> MethodRouter<Arc<App>> {
    page(VERIFY, banner, "no-cache")
}

/// `GET /log` and `GET /log/entry/{index}`: the same page for every entry, existing or not; it reads the log itself.
pub(super) fn log(banner: Option<&str>) -> MethodRouter<Arc<App>> {
    page(LOG, banner, "no-cache")
}

/// `GET /web/{name}`
pub(super) async fn asset(Path(name): Path<String>, request: HeaderMap) -> Answer<Response> {
    file(&ASSETS, &name, &request)
}

/// `GET /verifier/{path}`
pub(super) async fn verifier(Path(path): Path<String>, request: HeaderMap) -> Answer<Response> {
    file(&VERIFIER, &path, &request)
}

fn file(files: &Files, name: &str, request: &HeaderMap) -> Answer<Response> {
    let (_, file) = files.iter().find(|(known, _)| *known == name).ok_or(Problem::NotFound)?;
    Ok(file.answer(request, &[(header::CACHE_CONTROL, "no-cache")]))
}

/// A page is the same for everybody, so nothing in it depends on the request.
fn page(html: &str, banner: Option<&str>, cache: &'static str) -> MethodRouter<Arc<App>> {
    let banner = banner.map(|words| format!("<p class=\"banner\">{}</p>", escaped(words)));
    let html = html.replace("<!-- banner -->", banner.as_deref().unwrap_or_default());
    let page = Arc::new(Embedded::new(Kind::Page, html));
    let headers = [
        (header::CACHE_CONTROL, cache),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    ];
    get(move |request: HeaderMap| async move { page.answer(&request, &headers) })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
