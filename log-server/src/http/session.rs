//! The cookie of an approver's own page.
//!
//! On HTTPS it is `__Host-countersign-me` with `Secure`. On `http://localhost` not every browser keeps such a cookie, so
//! there, and nowhere else, it is `countersign-me` without `Secure`: that traffic does not leave the machine.

use axum::http::{HeaderMap, header};

use super::caller;
use super::request::text;
use crate::app::App;
use crate::approvals::{SESSION_LIFE, SignedIn};
use crate::problem::Problem;

/// Who is signed in, by the cookie, on our own page.
pub(super) fn signed_in(app: &App, headers: &HeaderMap) -> Result<SignedIn, Problem> {
    own_page(app, headers)?;
    app.approvals.signed_in(token(app, headers).ok_or(Problem::NoSession)?)
}

/// Refuses what does not say that it comes from a page of ours. A browser adds the cookie by itself, so here, unlike on the
/// pages that send a signature with everything, silence is not enough: browsers send `Origin` with every POST.
pub(super) fn own_page(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    caller::same_site(app, headers)?;
    if text(headers, &header::ORIGIN).is_none() {
        return Err(Problem::Forbidden("this is for our own page only, and no origin was sent".to_owned()));
    }
    Ok(())
}

/// The token in the cookie. Two cookies of the name are none: nobody can tell which is ours.
pub(super) fn token<'a>(app: &App, headers: &'a HeaderMap) -> Option<&'a str> {
    let name = name(app);
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut tokens = pairs.filter(|(known, _)| *known == name).map(|(_, token)| token);
    match (tokens.next(), tokens.next()) {
        (Some(token), None) => Some(token),
        _ => None,
    }
}

/// The cookie that holds a new token.
pub(super) fn cookie(app: &App, token: &str) -> String {
    set(app, token, SESSION_LIFE)
}

/// The cookie that takes the token away.
pub(super) fn no_cookie(app: &App) -> String {
    set(app, "", 0)
}

fn set(app: &App, token: &str, max_age: u64) -> String {
    let secure = if is_https(app) { "; Secure" } else { "" };
    format!("{}={token}{secure}; HttpOnly; SameSite=Strict; Path=/; Max-Age={max_age}", name(app))
}

fn name(app: &App) -> &'static str {
    if is_https(app) { "__Host-countersign-me" } else { "countersign-me" }
}

fn is_https(app: &App) -> bool {
    app.approvals.identity.public_url.starts_with("https://")
}
